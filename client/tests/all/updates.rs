//! Updates that go well, and what they leave behind.

use crate::world::{LIST, LOG, VISIBILITY, World, day};
use isonomy_client::{CacheReport, Change, Client, UpdateError};
use isonomy_core::time::Timestamp;
use isonomy_verifier::Freshness;
use std::fs;
use std::path::Path;
use std::slice::from_ref;
use tempfile::tempdir;

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[test]
fn the_first_update_proves_keeps_and_reopens_the_list() {
    let (world, mirror, home) = (World::with_versions(1), tempdir().unwrap(), tempdir().unwrap());
    let now = day(1) + VISIBILITY;
    let source = world.mirror(mirror.path(), now);
    let mut client = world.client(home.path());
    assert_eq!(*client.cache(), CacheReport::Empty);
    assert!(client.list().is_none());

    let report = client.update_blocking(from_ref(&source), Timestamp(now)).unwrap();
    assert_eq!(report.kind, Change::First);
    assert_eq!((report.updated.list.version(), report.source), (1, source.to_string()));
    assert_eq!(report.objects.len(), 1);
    assert!(report.requests >= 6 && report.bytes > report.objects[0].1, "{}", report.requests);
    assert!(report.refusals.is_empty() && client.refusals().is_empty());
    assert_eq!(names(&home.path().join("cache")), sorted(world.cached(1).to_vec()));

    let view = client.list().unwrap().view();
    drop(client);
    let client = world.client(home.path());
    assert_eq!(*client.cache(), CacheReport::Intact);
    assert_eq!(client.list().unwrap().view(), view);
    assert_eq!(client.list().unwrap().entries().len(), 100);
}

#[test]
fn status_says_what_is_in_force_and_who_vouches_for_it() {
    let (world, mirror, home) = (World::with_versions(1), tempdir().unwrap(), tempdir().unwrap());
    let now = day(1) + VISIBILITY;
    let mut client = world.client(home.path());
    let empty = client.status(Timestamp(now));
    assert_eq!((empty.version, &empty.in_force, &empty.checkpoint), (None, &None, &None));

    client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap();
    let status = client.status(Timestamp(now + 60));
    assert_eq!((status.list.as_str(), status.log.as_str(), status.version), (LIST, LOG, Some(1)));
    let checkpoint = status.checkpoint.as_ref().unwrap();
    assert_eq!((checkpoint.size.0, checkpoint.now), (2, Timestamp(now)));
    let witnesses: Vec<&str> = checkpoint.witnessed_by.iter().map(|witness| witness.name.as_str()).collect();
    assert_eq!(witnesses, ["w1", "w2", "w3"]);
    let list = status.in_force.as_ref().unwrap();
    let endorsers: Vec<_> =
        list.endorsed_by.iter().map(|curator| (&*curator.name, curator.jurisdiction.as_str())).collect();
    assert_eq!(endorsers, [("c1", "DE"), ("c2", "FR")]);
    assert_eq!((list.public_since, list.entries, list.edition), (Timestamp(day(1)), 100, 1));
    assert_eq!(list.freshness, Freshness::Fresh { checkpoint_age: 60 });
    assert_eq!(status.clock_behind, 0);

    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json["in_force"]["action"], "block");
    assert_eq!(json["in_force"]["freshness"]["state"], "fresh");
    assert_eq!(json["cache"]["state"], "empty");

    let behind = client.status(Timestamp(now - 500));
    assert_eq!(behind.clock_behind, 500);
    let late = client.status(Timestamp(now + 20 * 86_400));
    assert!(matches!(late.in_force.unwrap().freshness, Freshness::Expired { .. }));
}

#[test]
fn a_newer_version_comes_as_a_delta_and_the_old_content_goes() {
    let (mirror, home) = (tempdir().unwrap(), tempdir().unwrap());
    let old = World::with_versions(1);
    let now = day(1) + VISIBILITY;
    let mut client = old.client(home.path());
    client.update_blocking(&[old.mirror(mirror.path(), now)], Timestamp(now)).unwrap();

    let new = World::with_versions(3);
    let now = day(3) + VISIBILITY;
    let source = new.mirror(mirror.path(), now);
    let report = client.update_blocking(from_ref(&source), Timestamp(now)).unwrap();
    assert_eq!(report.kind, Change::Newer { from: 1 });
    assert_eq!(report.updated.list.version(), 3);
    assert_eq!(report.objects.len(), 2, "two deltas: {:?}", report.objects);
    assert!(report.objects.iter().map(|object| object.1).sum::<u64>() < 1000);
    assert_eq!(names(&home.path().join("cache")), sorted(new.cached(3).to_vec()));

    let again = client.update_blocking(&[source], Timestamp(now)).unwrap();
    assert_eq!((again.kind, again.objects.len()), (Change::Same, 0));
}

#[test]
fn a_release_that_is_not_public_for_long_enough_waits() {
    let (world, mirror, home) = (World::with_versions(2), tempdir().unwrap(), tempdir().unwrap());
    let now = day(2) + VISIBILITY - 1;
    let mut client = world.client(home.path());
    let report = client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap();
    assert_eq!(report.updated.list.version(), 1);
    assert_eq!(report.updated.pending.len(), 1);
    let now = now + 1;
    let report = client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap();
    assert_eq!((report.updated.list.version(), report.kind), (2, Change::Newer { from: 1 }));
}

#[test]
fn a_lost_cache_is_fetched_again_and_nothing_older_is_taken() {
    let (mirror, stale, home) = (tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap());
    let (old, new) = (World::with_versions(1), World::with_versions(2));
    let now = day(2) + VISIBILITY;
    let source = new.mirror(mirror.path(), now);
    let mut client = new.client(home.path());
    client.update_blocking(from_ref(&source), Timestamp(now)).unwrap();
    drop(client);
    fs::remove_dir_all(home.path().join("cache")).unwrap();

    let mut client = new.client(home.path());
    assert_eq!(*client.cache(), CacheReport::Missing);
    assert!(client.list().is_none());
    assert_eq!(client.status(Timestamp(now)).version, Some(2));

    let older = old.mirror(stale.path(), now);
    let refused = client.update_blocking(from_ref(&older), Timestamp(now)).unwrap_err();
    assert_eq!(refused.refusals()[0].code, "behind");
    // The whole of the new log, with a bundle that knows only the old release.
    new.mirror(stale.path(), now);
    let mut bundle = new.bundle(now);
    bundle.releases = new.bundle(day(2)).releases;
    bundle.releases.truncate(1);
    fs::write(stale.path().join(format!("list/{LIST}/bundle")), bundle.to_bytes()).unwrap();
    let refused = client.update_blocking(&[older], Timestamp(now)).unwrap_err();
    assert_eq!(refused.refusals()[0].code, "rollback");
    assert!(client.list().is_none());

    // The very same checkpoint as before: the state stays as it is, and the content comes back.
    let report = client.update_blocking(&[source], Timestamp(now)).unwrap();
    assert_eq!((report.kind, report.updated.list.version()), (Change::Same, 2));
    assert_eq!(names(&home.path().join("cache")), sorted(new.cached(2).to_vec()));
    drop(client);
    assert_eq!(*new.client(home.path()).cache(), CacheReport::Intact);
}

#[test]
fn content_that_was_written_before_a_crash_does_no_harm() {
    let (mirror, home, before) = (tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap());
    let (old, new) = (World::with_versions(1), World::with_versions(2));
    let state = home.path().join("state.json");
    let mut client = old.client(home.path());
    let nothing = fs::read(&state).unwrap();
    let now = day(1) + VISIBILITY;
    client.update_blocking(&[old.mirror(mirror.path(), now)], Timestamp(now)).unwrap();
    drop(client);

    // Content of version 1, and the state from before it.
    let first = fs::read(&state).unwrap();
    fs::write(&state, &nothing).unwrap();
    let client = old.client(home.path());
    assert_eq!((client.cache(), client.list().is_none()), (&CacheReport::Empty, true));
    assert!(names(&home.path().join("cache")).is_empty());
    drop(client);
    let mut client = old.client(home.path());
    let report = client.update_blocking(&[old.mirror(mirror.path(), now)], Timestamp(now)).unwrap();
    assert_eq!(report.kind, Change::First);

    // Content of versions 1 and 2, and the state of version 1.
    for name in old.cached(1) {
        fs::copy(home.path().join("cache").join(&name), before.path().join(&name)).unwrap();
    }
    let now = day(2) + VISIBILITY;
    let source = new.mirror(mirror.path(), now);
    client.update_blocking(from_ref(&source), Timestamp(now)).unwrap();
    drop(client);
    fs::write(&state, &first).unwrap();
    for name in old.cached(1) {
        fs::copy(before.path().join(&name), home.path().join("cache").join(&name)).unwrap();
    }
    let mut client = new.client(home.path());
    assert_eq!((client.cache(), client.list().unwrap().version()), (&CacheReport::Intact, 1));
    assert_eq!(names(&home.path().join("cache")), sorted(new.cached(1).to_vec()));
    let report = client.update_blocking(&[source], Timestamp(now)).unwrap();
    assert_eq!(report.kind, Change::Newer { from: 1 });
}

#[test]
fn a_list_is_not_in_force_where_its_content_can_t_be_written() {
    let (world, mirror, home) = (World::with_versions(1), tempdir().unwrap(), tempdir().unwrap());
    let now = day(1) + VISIBILITY;
    let mut client = world.client(home.path());
    fs::write(home.path().join("cache"), b"in the way").unwrap();
    let error = client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap_err();
    assert!(matches!(error, UpdateError::Client(_)), "{error}");
    assert!(client.state().accepted().is_none() && client.list().is_none());
    drop(client);
    let client = world.client(home.path());
    assert!(client.state().accepted().is_none() && client.state().checkpoint().is_none());
}

#[test]
fn an_update_needs_a_source_and_a_thread_of_its_own() {
    let (world, home) = (World::with_versions(1), tempdir().unwrap());
    let mut client = world.client(home.path());
    assert!(matches!(client.update_blocking(&[], Timestamp(0)), Err(UpdateError::NoSource)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let inside = runtime.block_on(async { client.update_blocking(&[], Timestamp(0)) });
    assert!(matches!(inside, Err(UpdateError::InsideRuntime)));
}

#[test]
fn an_update_can_be_awaited_anywhere() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let (world, mirror, home) = (World::with_versions(1), tempdir().unwrap(), tempdir().unwrap());
    let now = day(1) + VISIBILITY;
    let sources = [world.mirror(mirror.path(), now)];
    let mut client: Client = world.client(home.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let report = runtime.block_on(is_send(client.update(&sources, Timestamp(now)))).unwrap();
    assert_eq!(report.kind, Change::First);
}
