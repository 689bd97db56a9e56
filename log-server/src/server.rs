//! Putting the parts together.

use crate::access::{Access, AccessEntry};
use crate::admission::Admission;
use crate::clock::WitnessedClock;
use crate::current::Current;
use crate::files::PublicFolder;
use crate::firsts::FirstTimes;
use crate::health::{self, Health};
use crate::histories::Histories;
use crate::http::{self, Surface};
use crate::keeper::Keeper;
use crate::log::{Log, LogError};
use crate::objects::Objects;
use crate::pending::Pending;
use crate::publisher::Publisher;
use crate::recovery::{self, RecoveryError, SeenProofs};
use crate::sequencer::{MAX_UNPUBLISHED, Sequencer, SequencerError};
use crate::shelf::Shelf;
use crate::state::{Published, State};
use crate::witnesses::{WitnessBoard, Witnesses};
use isonomy_core::note::{KeyType, SigningKey, VerifierKey};
use isonomy_core::policy::Policy;
use isonomy_fetch::FetchError;
use isonomy_serve::{App, Rate, Rates, Settings};
use isonomy_store::files::{self, FileError, FolderLock};
use isonomy_store::kv::StoreError;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock, Weak};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};

/// How often one client may ask a log, if nothing else is configured. A mirror or a monitor reads some thousand tiles when it
/// starts.
pub const RATES: Rates =
    Rates { reads: Some(Rate { per_second: 200, burst: 4000 }), writes: Some(Rate { per_second: 5, burst: 50 }) };
/// How many submissions wait to be sequenced; more are told to come back.
const QUEUE: usize = 1024;
/// How long the server waits for its own threads when it stops.
const LAST_READS: Duration = Duration::from_secs(10);

/// What a log server needs to know.
#[derive(Debug)]
pub struct Config {
    /// The folder of all its data; made if it is missing. What is served is in `public/`.
    pub data: PathBuf,
    /// The log's key, of type Ed25519. Its name is the log's origin.
    pub key: SigningKey,
    /// This log, its witnesses with their URLs, and the quorum without which nothing is published.
    pub policy: Policy,
    /// Maintainer keys that may found lists.
    pub publishers: Vec<VerifierKey>,
    /// Keys whose attestations are taken.
    pub auditors: Vec<VerifierKey>,
    /// After how long an unchanged tree is cosigned and published again.
    pub republish_every: Duration,
    /// Lists whose objects are not for everybody.
    pub access: Vec<AccessEntry>,
    /// What is done with seen proofs that the policy does not accept.
    pub seen_proofs: SeenProofs,
    /// How it listens.
    pub serving: Settings,
}

/// Whom the operator knows, and who may read what: what can change while a log is served.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    /// Maintainer keys that may found lists.
    pub publishers: Vec<VerifierKey>,
    /// Keys whose attestations are taken.
    pub auditors: Vec<VerifierKey>,
    /// Lists whose objects are not for everybody.
    pub access: Vec<AccessEntry>,
}

impl Config {
    /// The rights at the start.
    pub fn rights(&self) -> Rights {
        let (publishers, auditors, access) = (self.publishers.clone(), self.auditors.clone(), self.access.clone());
        Rights { publishers, auditors, access }
    }
}

/// Why the server does not start, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration.
    #[error("the log can't be served as configured: {0}")]
    Config(&'static str),
    /// A witness's URL.
    #[error("a witness of the policy can't be asked: {0}")]
    Witness(#[from] FetchError),
    /// A file or folder.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Its statements.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// The sequencer.
    #[error(transparent)]
    Sequencer(#[from] SequencerError),
    /// A thread has died.
    #[error("a part of the server has panicked; its message is in the log before this one")]
    Panicked,
}

/// Serves a log until `shutdown` is done, or until something fails that must not be gone on with.
///
/// What was sequenced before the end, but not published, is published after the next start.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (_never, rights) = watch::channel(Rights::default());
    run_with(listener, config, rights, shutdown).await
}

/// Like [`run`]; whatever comes over `rights` meanwhile takes the place of those in the configuration.
pub async fn run_with(
    listener: TcpListener,
    config: Config,
    rights: watch::Receiver<Rights>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    check(&config)?;
    if let Some(weakness) = health::weak_quorum(&config.policy) {
        tracing::warn!("{weakness}");
    }
    let mut witnesses = Witnesses::new(config.policy.clone())?;
    let republish_every = config.republish_every;
    let serving = config.serving.clone();
    let (board, data) = (witnesses.board(), config.data.clone());
    let database = database_folder(&data);
    let opened = tokio::task::spawn_blocking(move || open(config, board)).await;
    let (state, _lock) = opened.map_err(|_| ServeError::Panicked)??;
    let unheard = witnesses.check_memory(&state.log).await?;
    if !unheard.is_empty() {
        tracing::warn!(
            witnesses = unheard.join(", "),
            "these witnesses could not be asked what they know; nothing new is taken up until the quorum has cosigned what is there"
        );
    }
    tracing::info!(key = %state.log.key(), size = state.log.integrated_size().0, "the log is ready");
    if let Some(before) = &state.before {
        witnesses.remember(&before.checkpoint, state.log.key());
    }

    let users = (Arc::downgrade(&state), Arc::downgrade(&state.log));
    let following = tokio::spawn(follow(rights, Arc::downgrade(&state)));
    let (stopper, stop) = watch::channel(false);
    let (sender, queue) = mpsc::channel(QUEUE);
    let (shared, most_unpublished) = (Arc::clone(&state), MAX_UNPUBLISHED);
    let sequencer = Sequencer { state: shared, queue, most_unpublished, stop: stop.clone() };
    let (stopping, premature) = (stop.clone(), None);
    let publisher = Publisher { state: Arc::clone(&state), witnesses, republish_every, stop: stopping, premature };
    let (publishes, last) = oneshot::channel::<()>();
    let keeper = Keeper { state: Arc::clone(&state), republish_every, last };
    let sequencer = tokio::spawn(stop_after(sequencer.run(), stopper.clone()));
    let publisher = async {
        let _publishes = publishes; // until it ends
        publisher.run().await
    };
    let publisher = tokio::spawn(stop_after(publisher, stopper.clone()));
    let keeper = tokio::spawn(stop_after(keeper.run(), stopper.clone()));
    let measuring = tokio::spawn(Arc::clone(&state.figures).measure(data, stop.clone()));
    let (closing, shelf) = (stop.clone(), Arc::new(Shelf::default()));
    let surface = Surface {
        shared: state,
        queue: sender,
        stop,
        judges: Arc::new(Semaphore::new(http::JUDGES)),
        health: Arc::new(Health::new(republish_every)),
        meter: Arc::clone(&serving.meter),
        shelf: Arc::clone(&shelf),
    };
    let app = App::with_shelf(http::router(surface), Arc::new(move |path, headers| shelf.answer(path, headers)));
    isonomy_serve::serve_with(listener, app, serving, stopped(shutdown, closing, stopper)).await;
    following.abort();
    let _ = measuring.await; // it has nothing to say
    let ended = [sequencer.await, publisher.await, keeper.await];
    unused(users, &database).await;
    for task in ended {
        task.map_err(|_| ServeError::Panicked)??;
    }
    Ok(())
}

/// Takes over each change of the rights.
async fn follow(mut rights: watch::Receiver<Rights>, state: Weak<State>) {
    while rights.changed().await.is_ok() {
        let Some(state) = state.upgrade() else { return };
        state.take_rights(rights.borrow_and_update().clone());
    }
}

/// Waits until the last thread that still reads from the disk has ended, and has closed the database, so that the folder is free when
/// the server says that it has stopped.
async fn unused((state, log): (Weak<State>, Weak<Log>), database: &Path) {
    let until = Instant::now() + LAST_READS;
    // Nobody has them any more before what is in them is closed.
    let is_closed = || !matches!(FolderLock::acquire(database), Err(FileError::InUse { .. }));
    while (state.strong_count() + log.strong_count() > 0 || !is_closed()) && Instant::now() < until {
        sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn check(config: &Config) -> Result<(), ServeError> {
    let key = config.key.verifier();
    if key.key_type() != KeyType::Ed25519 {
        return Err(ServeError::Config("the log's key is a witness's; make one of type ed25519"));
    }
    if !config.policy.logs().iter().any(|log| log.key == *key) {
        return Err(ServeError::Config("the policy does not name this log's key"));
    }
    if config.policy.quorum().is_none() {
        return Err(ServeError::Config("the policy has `quorum none`; without witnesses nobody can tell a fork"));
    }
    if config.republish_every.is_zero() {
        return Err(ServeError::Config("the time between republications is zero"));
    }
    Ok(())
}

/// Opens everything in the data folder, and takes its lock.
fn open(config: Config, witnesses: Arc<WitnessBoard>) -> Result<(Arc<State>, FolderLock), ServeError> {
    let Config { data, key, policy, publishers, auditors, access, seen_proofs, .. } = config;
    files::create_dir_all_durable(&data)?;
    let lock = FolderLock::acquire(&data)?;
    remove_leftovers(&data)?;
    let admission = Admission::new(publishers, auditors);
    let mut state = open_state(&data, key, policy, seen_proofs, admission, witnesses)?;
    state.access = Access::new(access);
    state.warn_of_unknown_lists();
    state.tidy_sequenced()?;
    Ok((Arc::new(state), lock))
}

/// Removes what a server that was killed in the middle of its work has left, so that it neither fills the disk nor gets
/// into mirrors.
pub(crate) fn remove_leftovers(data: &Path) -> Result<(), FileError> {
    for folder in ["public", "private"].map(|name| data.join(name)).iter().filter(|folder| folder.is_dir()) {
        match files::remove_temporaries_below(folder)? {
            0 => {}
            count => tracing::info!(count, ?folder, "removed temporary files that an interrupted run has left"),
        }
    }
    Ok(())
}

fn database_folder(data: &Path) -> PathBuf {
    data.join("private/state")
}

pub(crate) fn open_state(
    data: &Path,
    key: SigningKey,
    policy: Policy,
    seen_proofs: SeenProofs,
    admission: Admission,
    witnesses: Arc<WitnessBoard>,
) -> Result<State, ServeError> {
    let private = data.join("private");
    let public = PublicFolder::open(data.join("public"))?;
    if !Log::was_in(&private, &database_folder(data)) && public.shows_a_log()? {
        // Nothing is made in its place, so that whoever puts it back finds none. Where a volume is not mounted, the folder is empty, or new.
        return Err(LogError::HeadMissing.into());
    }
    let store = recovery::open_store(&database_folder(data))?;
    let log = Log::open(public.clone(), &private, &store, key)?;
    if policy.began_at(log.key().name()) > log.size() {
        return Err(ServeError::Config(
            "the policy says that the log had more entries when its witnesses changed than it has now; every client would refuse it",
        ));
    }
    let firsts = FirstTimes::open(&store)?;
    let recovered = recovery::recover(&log, &policy, &firsts, seen_proofs)?;
    Ok(State {
        objects: Objects::open(public, &private)?,
        pending: Pending::open(&store)?,
        firsts,
        histories: RwLock::new(Histories {
            known: recovered.history,
            as_shown: recovered.as_shown,
            endings: recovered.endings,
            unpublished: BTreeMap::new(),
        }),
        sequenced: AtomicU64::new(log.size().0),
        unseen: Mutex::new(recovered.unseen),
        clock: WitnessedClock::default(),
        awaiting: Mutex::default(),
        grown: watch::Sender::new(log.size()),
        published: watch::Sender::new(None),
        before: published_before(&log, &policy),
        current: Current::default(),
        touched: Mutex::default(),
        access: Access::default(),
        witnesses,
        figures: Arc::default(),
        log: Arc::new(log),
        policy,
        admission: RwLock::new(admission),
    })
}

/// What was published last before the start, as far as it is whole and still satisfies the policy.
fn published_before(log: &Log, policy: &Policy) -> Option<Arc<Published>> {
    // That it may be damaged has been said when the log was opened.
    let checkpoint = log.published().ok().flatten()?;
    let times = policy.checkpoint_times(checkpoint.note()).ok().flatten()?;
    Some(Arc::new(Published { checkpoint, times, at: Instant::now().into_std() }))
}

/// However sequencer or publisher ends, the rest of the server ends with it.
async fn stop_after(
    task: impl Future<Output = Result<(), SequencerError>>,
    stopper: watch::Sender<bool>,
) -> Result<(), SequencerError> {
    let _stop = StopOnDrop(stopper);
    task.await
}

struct StopOnDrop(watch::Sender<bool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

/// Done when the server is asked to stop, or has to; and then says so to all its parts.
async fn stopped(shutdown: impl Future<Output = ()>, mut closing: watch::Receiver<bool>, stopper: watch::Sender<bool>) {
    tokio::select! {
        () = shutdown => {}
        _ = closing.wait_for(|stop| *stop) => {}
    }
    stopper.send_replace(true);
}
