//! Serving and watching, until it is told to stop.

use crate::detached::{Undone, detached, thread};
use crate::http::{self, Service};
use crate::metrics::Metrics;
use crate::shelf::Shelf;
use crate::watch::{ListFolder, WatchError, Watched};
use isonomy_client::system_clock;
use isonomy_client::video::VideoLimits;
use isonomy_core::time::Timestamp;
use isonomy_matcher::image;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, available_parallelism};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

/// What a request may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What decoding a file may cost; its size is that of an upload.
    pub image: image::Limits,
    /// What decoding a video may cost, beside that.
    pub video: VideoLimits,
    /// How many files are hashed at a time, but videos.
    pub hashing: usize,
    /// How many more may wait for that.
    pub waiting: usize,
    /// How many videos are hashed at a time, beside that: a picture never waits for a video.
    pub videos: usize,
    /// How many more may wait for that. A video that takes all its time lets few others be in time.
    pub videos_waiting: usize,
    /// How many requests are looked up at a time; and beside them as many that bring few hashes, which never wait for many.
    pub lookups: usize,
    /// How many more may wait for that, of each kind.
    pub lookups_waiting: usize,
    /// How long looking up may take, for one request.
    pub lookup: Duration,
    /// How many hashes a request may bring.
    pub hashes: usize,
    /// How many matches are written out for one request, beside the nearest of each answer. All are counted.
    pub matches: usize,
    /// How long an upload may take to arrive.
    pub upload: Duration,
    /// How many bytes all uploads have together, while they arrive, wait and are hashed.
    pub bodies: usize,
    /// How long a request may take, in all.
    pub request: Duration,
    /// How many connections there may be at once; more have to wait.
    pub connections: usize,
    /// How many one client may have; more are closed at once. Usually a quarter of all, and all where nobody but this machine can
    /// connect, where a proxy may be the only client.
    pub connections_per_client: Option<usize>,
}

/// Files of 20 MiB; pictures of 50 million pixels and 512 MiB; videos of an hour, 20 seconds and 1 GiB; as many at a time as there
/// are processors, and of videos half as many. Uploads of 256 MiB together, each within 20 seconds; lookups of 10 seconds; 45
/// seconds for all of it. 384 connections.
impl Default for Limits {
    fn default() -> Self {
        let hashing = available_parallelism().map_or(1, usize::from);
        Self {
            image: image::Limits { file_bytes: 20 << 20, pixels: 50_000_000, memory: 512 << 20 },
            video: VideoLimits {
                frames: 3600,
                time: Duration::from_secs(20),
                memory: 1 << 30,
                ..VideoLimits::default()
            },
            hashing,
            waiting: 16 * hashing,
            videos: hashing.div_ceil(2),
            videos_waiting: hashing,
            lookups: hashing,
            lookups_waiting: 256 * hashing,
            lookup: Duration::from_secs(10),
            hashes: 1000,
            matches: 10_000,
            upload: Duration::from_secs(20),
            bodies: 256 << 20,
            request: Duration::from_secs(45),
            connections: isonomy_serve::Limits::default().connections,
            connections_per_client: None,
        }
    }
}

/// How long decoders of videos are waited for at the end, once nobody waits for what they decode. They are asked each 50 milliseconds.
const LAST_DECODERS: Duration = Duration::from_secs(2);

/// What is served, and how.
#[derive(Debug)]
pub struct Config {
    /// The lists.
    pub lists: Vec<ListFolder>,
    /// How often their folders are looked at.
    pub look_every: Duration,
    /// What a request may cost.
    pub limits: Limits,
    /// The device's clock.
    pub clock: fn() -> Timestamp,
}

impl Config {
    /// These lists, looked at every ten seconds, with the usual limits and the machine's clock.
    pub fn new(lists: Vec<ListFolder>) -> Self {
        Self { lists, look_every: Duration::from_secs(10), limits: Limits::default(), clock: system_clock }
    }
}

/// Why the service does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Two folders hold one list, or there is none.
    #[error("{0}")]
    Config(&'static str),
    /// A list can't be taken from its folder.
    #[error(transparent)]
    List(#[from] WatchError),
    /// A thread has died.
    #[error("a part of the service has panicked; its message is before this one")]
    Panicked(#[from] JoinError),
}

/// Serves on `listener` until `shutdown` is done. All lists have to be at hand at the start; a later look that fails is said
/// so on `tracing`, and the list that was in force stays.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let Config { lists, look_every, limits, clock } = config;
    let mut watched: Vec<Watched> = lists.into_iter().map(Watched::new).collect();
    check(&watched, look_every)?;
    let (shelf, metrics) = (Arc::new(Shelf::default()), Arc::new(Metrics::default()));
    let shelf_at_start = Arc::clone(&shelf);
    let watched = spawn_blocking(move || {
        watched.iter_mut().try_for_each(|list| list.look(&shelf_at_start).map(|_| ()))?;
        Ok::<_, WatchError>(watched)
    })
    .await??;
    let watched = Arc::new(Mutex::new(watched));
    let watching = Watching { watched, shelf: Arc::clone(&shelf), metrics: Arc::clone(&metrics), clock };
    let watching = tokio::spawn(watch(watching, look_every));
    let service = Arc::new(Service::new(shelf, metrics, limits, clock));
    let limits = connections(&limits, listener.local_addr().is_ok_and(|address| address.ip().is_loopback()));
    isonomy_serve::serve(listener, http::router(Arc::clone(&service)), limits, shutdown).await;
    watching.abort();
    let _ = timeout(LAST_DECODERS, service.end_videos()).await;
    Ok(())
}

/// What connections may cost, where nobody but this machine can connect, or others too.
fn connections(limits: &Limits, is_local: bool) -> isonomy_serve::Limits {
    let all = limits.connections;
    let usual = if is_local { all } else { all.div_ceil(4) };
    let connections_per_client = limits.connections_per_client.unwrap_or(usual);
    isonomy_serve::Limits { connections: all, connections_per_client, ..isonomy_serve::Limits::default() }
}

fn check(watched: &[Watched], look_every: Duration) -> Result<(), ServeError> {
    let repeats = (1..watched.len()).any(|at| watched[..at].iter().any(|known| known.list() == watched[at].list()));
    match () {
        () if watched.is_empty() => Err(ServeError::Config("no list is to be served")),
        () if repeats => Err(ServeError::Config("two of the policies are for one list")),
        () if look_every.is_zero() => Err(ServeError::Config("the time between two looks is zero")),
        () => Ok(()),
    }
}

/// Looks at the folders again and again, until that panics.
async fn watch(watching: Watching, look_every: Duration) {
    loop {
        tokio::time::sleep(look_every).await;
        if watching.look(thread()).await == Err(Undone::Panicked) {
            watching.shelf.abandon();
            return tracing::error!("lists are not looked at any more; start the service again");
        }
    }
}

/// What is looked at, and where what is found goes.
struct Watching {
    /// The folders, of which a look has all until it ends. They are no part of its work: that is lost where there is no thread for it.
    watched: Arc<Mutex<Vec<Watched>>>,
    shelf: Arc<Shelf>,
    metrics: Arc<Metrics>,
    clock: fn() -> Timestamp,
}

impl Watching {
    /// Looks at all folders. Opening and making ready takes its time, so it gets a thread of its own; if there is none, each list
    /// counts as one that could not be looked at, and the next look makes up for it.
    async fn look(&self, thread: Builder) -> Result<(), Undone> {
        let Self { watched, shelf, metrics, clock } = self;
        let (clock, own) = (*clock, Arc::clone(watched));
        let (own_shelf, own_metrics) = (Arc::clone(shelf), Arc::clone(metrics));
        let looked = detached(thread, move || {
            for list in lock(&own).iter_mut() {
                match list.look_again(&own_shelf, clock()) {
                    Ok(true) => own_metrics.swapped(),
                    Ok(false) => {}
                    Err(_) => own_metrics.look_failed(),
                }
            }
            own_shelf.forget();
        });
        let looked = looked.await;
        if looked == Err(Undone::NoThread) {
            for list in lock(watched).iter() {
                metrics.look_failed();
                shelf.looked(list.list(), Some(clock()));
            }
        }
        looked
    }
}

fn lock(watched: &Mutex<Vec<Watched>>) -> MutexGuard<'_, Vec<Watched>> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detached::no_thread;

    #[tokio::test]
    async fn a_look_for_which_there_is_no_thread_has_failed_and_the_next_one_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let policy = isonomy_tests::world::World::founded().policy();
        let list = ListFolder { policy, state: folder.path().join("state") };
        let name = list.policy.list().clone();
        let watching = Watching {
            watched: Arc::new(Mutex::new(vec![Watched::new(list)])),
            shelf: Arc::default(),
            metrics: Arc::default(),
            clock: || Timestamp(1_767_225_600),
        };
        let failed = || {
            let text = watching.metrics.text(&watching.shelf.lists(), (watching.clock)());
            let line = text.lines().find(|line| line.contains("failed_looks_total") && !line.starts_with('#'));
            line.and_then(|line| line.rsplit(' ').next()).and_then(|count| count.parse::<u64>().ok())
        };
        assert_eq!((watching.look(no_thread()).await, failed()), (Err(Undone::NoThread), Some(1)));
        assert_eq!(watching.shelf.failing().get(&name), Some(&Timestamp(1_767_225_600)));
        // The folder is still known: this look is made, and finds that no client has been there.
        assert_eq!((watching.look(thread()).await, failed()), (Ok(()), Some(2)));
        assert!(!watching.shelf.is_abandoned());
    }

    #[test]
    fn one_client_has_a_quarter_of_the_connections_unless_it_can_be_a_proxy() {
        let per_client = |limits: &Limits, is_local| connections(limits, is_local).connections_per_client;
        let usual = Limits::default();
        assert_eq!((per_client(&usual, true), per_client(&usual, false)), (384, 96));
        let said = Limits { connections: 10, connections_per_client: Some(7), ..usual };
        assert_eq!((per_client(&said, true), per_client(&said, false)), (7, 7));
        assert_eq!(connections(&said, true).connections, 10);
    }
}
