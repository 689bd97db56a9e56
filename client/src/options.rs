//! How an update is run: by which clock, who is told what, who may stop it, and when the next one is due.

use crate::allowance::ALLOWED;
use crate::refusal::Refusal;
use crate::schedule::Schedule;
use isonomy_core::resource::Resource;
use isonomy_core::time::Timestamp;
use isonomy_fetch::Source;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// What an update has come to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'p> {
    /// A source is asked now.
    Asking {
        /// The source.
        source: &'p Source,
    },
    /// A resource is being fetched; said once before the first byte, and then as bytes come.
    Fetching {
        /// The resource.
        resource: &'p Resource,
        /// How many of its bytes have come.
        received: u64,
        /// The most that it may have; of a snapshot or delta just how many it has.
        of: u64,
        /// How many bytes have come in the whole update.
        total: u64,
    },
    /// All bytes of a resource are there, and are being checked.
    Checking {
        /// The resource.
        resource: &'p Resource,
    },
    /// What was proven so far is durable now.
    Saved,
    /// A source was refused; the next one is asked, if there is one.
    Refused {
        /// The refusal, which is on record.
        refusal: &'p Refusal,
    },
}

/// Stops updates from outside: clones of it share one flag, which can be raised from any thread, also from where progress
/// is told. Once raised it stays so.
///
/// ```
/// let flag = isonomy_client::CancelFlag::new();
/// let button = flag.clone();
/// assert!(!flag.is_raised());
/// std::thread::spawn(move || button.raise()).join().unwrap();
/// assert!(flag.is_raised());
/// ```
#[derive(Clone, Default)]
pub struct CancelFlag(Arc<Raised>);

#[derive(Default)]
struct Raised {
    is_raised: AtomicBool,
    waiting: Notify,
}

impl CancelFlag {
    /// A flag that is not raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises it.
    pub fn raise(&self) {
        self.0.is_raised.store(true, Ordering::SeqCst);
        self.0.waiting.notify_waiters();
    }

    /// Whether it is raised.
    pub fn is_raised(&self) -> bool {
        self.0.is_raised.load(Ordering::SeqCst)
    }

    /// Ends when it is raised.
    pub(crate) async fn raised(&self) {
        let notified = self.0.waiting.notified();
        let mut notified = std::pin::pin!(notified);
        notified.as_mut().enable();
        if !self.is_raised() {
            notified.await;
        }
    }
}

impl fmt::Debug for CancelFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CancelFlag({})", self.is_raised())
    }
}

/// Who is told of progress.
type Listener<'a> = &'a mut (dyn FnMut(Progress<'_>) + Send);

/// How an update is run.
///
/// ```
/// use isonomy_client::{CancelFlag, Progress, UpdateOptions, system_clock};
///
/// let cancel = CancelFlag::new();
/// let mut tell = |progress: Progress<'_>| {
///     if let Progress::Fetching { resource, received, of, .. } = progress {
///         println!("{resource}: {received} of at most {of} bytes");
///     }
/// };
/// let options = UpdateOptions::at(system_clock()).telling(&mut tell).cancelled_by(&cancel);
/// # let _ = options;
/// ```
pub struct UpdateOptions<'a> {
    pub(crate) clock: Timestamp,
    pub(crate) listener: Option<Listener<'a>>,
    pub(crate) cancel: Option<CancelFlag>,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) asks_all: bool,
    pub(crate) allowed: Duration,
}

impl<'a> UpdateOptions<'a> {
    /// By this clock; nobody is told, nobody stops it, the first source that is fresh ends it, and the next one is due as suits the
    /// policy.
    pub fn at(clock: Timestamp) -> Self {
        Self { clock, listener: None, cancel: None, schedule: None, asks_all: false, allowed: ALLOWED }
    }

    /// The same, telling `listener` of its progress, on the thread on which it runs. It is to return soon, and must not
    /// wait for the update.
    pub fn telling(self, listener: &'a mut (dyn FnMut(Progress<'_>) + Send)) -> Self {
        Self { listener: Some(listener), ..self }
    }

    /// The same; it ends with [`UpdateError::Cancelled`](crate::UpdateError::Cancelled) as soon as `flag` is raised.
    pub fn cancelled_by(self, flag: &CancelFlag) -> Self {
        Self { cancel: Some(flag.clone()), ..self }
    }

    /// The same, asking every source also after one that is fresh. A mirror can hide the newest release from a client that doesn't
    /// read the log itself; then one honest source among them is enough to learn of it, for one bundle more of each.
    pub fn asking_all(self) -> Self {
        Self { asks_all: true, ..self }
    }

    /// The same, bearing so long with each source that is slower than one answer a second and 8 KiB a second: the next is asked then,
    /// so that none can hold up an update by answering each request as late as [`HttpLimits`](crate::HttpLimits) allow. Without this
    /// it is a minute.
    pub fn bearing(self, allowed: Duration) -> Self {
        Self { allowed, ..self }
    }

    /// The same, with other times between updates than [`Schedule::of`] gives.
    pub fn scheduled(self, schedule: Schedule) -> Self {
        Self { schedule: Some(schedule), ..self }
    }
}

impl fmt::Debug for UpdateOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UpdateOptions(at {}, {:?}, {:?})", self.clock, self.cancel, self.schedule)
    }
}
