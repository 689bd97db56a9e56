//! How an update is driven: who is told, who may stop it and when, and when the next one is due.

use crate::world::{VISIBILITY, World, day};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use http::{Request, Response};
use isonomy_client::{
    CancelFlag, Client, HttpClient, HttpLimits, Progress, Schedule, Source, UpdateError, UpdateOptions,
};
use isonomy_core::time::Timestamp;
use isonomy_fetch::{Body, HttpFailure};
use isonomy_verifier::rejection::Lack;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::slice::from_ref;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tempfile::{TempDir, tempdir};

const NOW: Timestamp = Timestamp(day(2) + VISIBILITY);

/// A device that has version 1, and a mirror that has version 2.
struct Scene {
    world: World,
    mirror: TempDir,
    device: TempDir,
}

impl Scene {
    fn new() -> Self {
        let (old, device) = (tempdir().unwrap(), tempdir().unwrap());
        let now = day(1) + VISIBILITY;
        let world = World::with_versions(1);
        world.client(device.path()).update_blocking(&[world.mirror(old.path(), now)], Timestamp(now)).unwrap();
        let (world, mirror) = (World::with_versions(2), tempdir().unwrap());
        world.mirror(mirror.path(), NOW.0);
        Self { world, mirror, device }
    }

    fn source(&self) -> Source {
        Source::folder(self.mirror.path())
    }

    /// The device as it was, under another name.
    fn copy(&self, to: &Path) -> PathBuf {
        let folder = to.join("device");
        copy(self.device.path(), &folder);
        folder
    }

    /// Opens what was left behind: nothing is damaged, nothing older is in force, and an update goes through.
    fn check(&self, folder: &Path, what: &str) -> u64 {
        let mut client = self.world.client(folder);
        let version = client.list().unwrap_or_else(|| panic!("{what}: {:?}", client.cache())).version();
        assert!((1..=2).contains(&version), "{what}");
        let report = client.update_blocking(&[self.source()], NOW).unwrap();
        assert_eq!(report.updated.list.version(), 2, "{what}");
        version
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn whoever_wants_is_told_of_each_step() {
    let (scene, elsewhere) = (Scene::new(), tempdir().unwrap());
    let nothing = tempdir().unwrap();
    let mut client = scene.world.client(&scene.copy(elsewhere.path()));
    let mut told = Vec::new();
    let mut total_bytes = 0;
    let mut tell = |progress: Progress<'_>| {
        told.push(match progress {
            Progress::Asking { source } => format!("asking {source}"),
            Progress::Fetching { resource, received, of, total } => {
                assert!(received <= of, "{resource}");
                assert!(total >= total_bytes, "what came is not forgotten");
                total_bytes = total;
                "fetching".to_owned()
            }
            Progress::Checking { .. } => "checking".to_owned(),
            Progress::Saved => "saved".to_owned(),
            Progress::Refused { refusal } => format!("refused {}", refusal.code),
            other => panic!("{other:?}"),
        });
    };
    let sources = [Source::folder(nothing.path()), scene.source()];
    let report = client.update_blocking_with(&sources, UpdateOptions::at(NOW).telling(&mut tell)).unwrap();
    assert_eq!(total_bytes, report.bytes);
    told.dedup();
    let refused = [format!("asking {}", sources[0]), "fetching".into(), "refused unavailable".into()];
    assert_eq!(told[..3], refused);
    assert_eq!(told[3], format!("asking {}", sources[1]));
    assert_eq!(told.iter().filter(|told| *told == "saved").count(), 1, "the release, with the checkpoint");
    assert_eq!(told.last().unwrap(), "saved");
}

/// Runs `future` until it has been polled so many times; `None` if it was not ready by then, and is dropped.
async fn polled<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut count = 0;
    std::future::poll_fn(|context| {
        count += 1;
        match count > times {
            true => Poll::Ready(None),
            false => future.as_mut().poll(context).map(Some),
        }
    })
    .await
}

#[test]
fn a_future_that_is_dropped_anywhere_loses_nothing() {
    let scene = Scene::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut versions = Vec::new();
    for times in 0.. {
        assert!(times < 10_000, "the update does not end");
        let folder = tempdir().unwrap();
        let folder = scene.copy(folder.path());
        let mut client = scene.world.client(&folder);
        let source = server(&scene, 200, "x-nothing", "0");
        let ended = runtime.block_on(polled(client.update(&[source], NOW), times));
        // What the client has in memory is what it has in its folder.
        let in_memory = client.list().map(|list| list.version());
        drop(client);
        let version = scene.check(&folder, &format!("dropped after {times} polls"));
        assert_eq!(in_memory, Some(version));
        versions.push(version);
        if let Some(report) = ended {
            // The server lets each request wait once, however fast all else is.
            assert!(times as u64 > report.unwrap().requests, "it was dropped at {times} places");
            break;
        }
    }
    assert!(versions.first() == Some(&1) && versions.last() == Some(&2), "{versions:?}");
}

#[test]
fn a_flag_stops_an_update_at_whatever_it_is_doing() {
    let scene = Scene::new();
    for stop_at in 0.. {
        let folder = tempdir().unwrap();
        let folder = scene.copy(folder.path());
        let mut client = scene.world.client(&folder);
        let (flag, mut count) = (CancelFlag::new(), 0);
        let mut tell = |_: Progress<'_>| {
            if count == stop_at {
                flag.raise();
            }
            count += 1;
        };
        let options = UpdateOptions::at(NOW).telling(&mut tell).cancelled_by(&flag);
        let outcome = client.update_blocking_with(&[scene.source()], options);
        let was_raised = flag.is_raised();
        drop(client);
        scene.check(&folder, &format!("stopped at {stop_at}"));
        match outcome {
            Err(UpdateError::Cancelled) => assert!(was_raised),
            // It was over before anybody looked at the flag.
            Ok(_) if was_raised => {}
            Ok(_) => break,
            Err(error) => panic!("{error}"),
        }
    }
    let mut client = scene.world.client(scene.device.path());
    let flag = CancelFlag::new();
    flag.raise();
    let options = UpdateOptions::at(NOW).cancelled_by(&flag);
    let outcome = client.update_blocking_with(&[scene.source()], options);
    assert!(matches!(outcome, Err(UpdateError::Cancelled)), "one that is raised already lets nothing begin");
    assert_eq!(outcome.unwrap_err().next_update_after(), None);
}

/// A server that says how busy it is, and otherwise what the folder has. No answer is ready at once.
struct Busy {
    folder: PathBuf,
    status: u16,
    header: (&'static str, &'static str),
}

impl HttpClient for Busy {
    fn send(&self, request: Request<Vec<u8>>) -> BoxFuture<'_, Result<Response<Body>, HttpFailure>> {
        let read = fs::read(self.folder.join(request.uri().path().trim_start_matches('/')));
        let body = stream::iter(read.map(|bytes| Ok(Bytes::from(bytes)))).boxed();
        let answer = Response::builder().status(self.status).header(self.header.0, self.header.1).body(body);
        async move {
            tokio::task::yield_now().await;
            Ok(answer.unwrap())
        }
        .boxed()
    }
}

/// A server that answers well, and late each time.
struct Late(Busy);

impl HttpClient for Late {
    fn send(&self, request: Request<Vec<u8>>) -> BoxFuture<'_, Result<Response<Body>, HttpFailure>> {
        let answer = self.0.send(request);
        async move {
            // Longer than an answer may take, if no more is borne with it.
            tokio::time::sleep(Duration::from_millis(1100)).await;
            answer.await
        }
        .boxed()
    }
}

#[test]
fn no_source_holds_an_update_up_by_answering_as_late_as_it_may() {
    let scene = Scene::new();
    let (folder, status, header) = (scene.mirror.path().to_owned(), 200, ("x-nothing", "0"));
    let late = Arc::new(Late(Busy { folder, status, header }));
    let late = Source::with_client("https://late.example", late, HttpLimits::default()).unwrap();
    let (_folder, mut client) = client(&scene);
    let options = UpdateOptions::at(NOW).bearing(Duration::ZERO);
    let error = client.update_blocking_with(from_ref(&late), options).unwrap_err();
    let refusal = &error.refusals()[0];
    assert_eq!((refusal.code.as_str(), refusal.lack), ("unavailable", Some(Lack::Slow)), "{error}");
    let options = UpdateOptions::at(NOW).bearing(Duration::MAX);
    assert_eq!(client.update_blocking_with(&[late], options).unwrap().updated.list.version(), 2);
}

fn server(scene: &Scene, status: u16, name: &'static str, value: &'static str) -> Source {
    let client = Busy { folder: scene.mirror.path().to_owned(), status, header: (name, value) };
    Source::with_client("https://log.example", Arc::new(client), HttpLimits::default()).unwrap()
}

fn client(scene: &Scene) -> (TempDir, Client) {
    let folder = tempdir().unwrap();
    let client = scene.world.client(&scene.copy(folder.path()));
    (folder, client)
}

#[test]
fn a_server_s_advice_moves_the_next_update_within_bounds() {
    let scene = Scene::new();
    let seconds = Duration::from_secs;
    let schedule = Schedule { usual: seconds(100), least: seconds(10), most: seconds(2000) };
    let due = |source: Source| {
        let (_folder, mut client) = client(&scene);
        let options = UpdateOptions::at(NOW).scheduled(schedule);
        client.update_blocking_with(&[source], options).unwrap().next_update_after
    };
    let within =
        |wait: Duration, from: u64, to: u64| assert!((seconds(from)..=seconds(to)).contains(&wait), "{wait:?}");
    within(due(scene.source()), 75, 125);
    within(due(server(&scene, 200, "x-nothing", "0")), 75, 125);
    within(due(server(&scene, 200, "cache-control", "public, max-age=0")), 75, 125);
    within(due(server(&scene, 200, "cache-control", "max-age=1000")), 750, 1250);
    within(due(server(&scene, 200, "cache-control", "max-age=99999999999999999999")), 1500, 2000);

    let (_folder, mut client) = client(&scene);
    let mut refused = |source: &Source| {
        let options = UpdateOptions::at(NOW).scheduled(schedule);
        let error = client.update_blocking_with(from_ref(source), options).unwrap_err();
        assert!(matches!(error, UpdateError::Refused(_)), "{error}");
        error.next_update_after().unwrap()
    };
    let down = server(&scene, 500, "x-nothing", "0");
    for (from, to) in [(10, 10), (10, 20), (20, 40), (40, 80), (50, 100), (50, 100)] {
        within(refused(&down), from, to);
    }
    within(refused(&server(&scene, 503, "retry-after", "600")), 600, 750);
    within(refused(&server(&scene, 429, "retry-after", "99999999")), 2000, 2000);
    within(refused(&server(&scene, 503, "retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")), 50, 100);
    client.update_blocking(&[scene.source()], NOW).unwrap();
    let options = UpdateOptions::at(NOW).scheduled(schedule);
    let error = client.update_blocking_with(&[down], options).unwrap_err();
    within(error.next_update_after().unwrap(), 10, 10);
}

#[test]
fn without_a_schedule_the_policy_s_ages_give_one() {
    let scene = Scene::new();
    let (_folder, mut client) = client(&scene);
    let age = client.policy().ages().checkpoint;
    let report = client.update_blocking(&[scene.source()], NOW).unwrap();
    let (least, most) = (Duration::from_secs(age * 3 / 8), Duration::from_secs(age * 5 / 8));
    assert!((least..=most).contains(&report.next_update_after), "{:?}", report.next_update_after);
}
