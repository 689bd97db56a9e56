//! A client's folder, looked at beside the client.

use crate::updates::names;
use crate::world::{VISIBILITY, World, day};
use isonomy_client::{CacheReport, Client, ClientError, ReadOnly};
use isonomy_core::hash::{RootHash, StatementId};
use isonomy_core::time::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::tempdir;

fn look(world: &World, folder: &Path) -> Result<ReadOnly, ClientError> {
    Client::open_read_only(folder, world.policy())
}

fn update(world: &World, client: &mut Client, version: u64) {
    let (mirror, now) = (tempdir().unwrap(), day(version) + VISIBILITY);
    client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap();
}

/// Every file in a folder with its content.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = names(folder).into_iter().map(|name| folder.join(name));
    let read = |path: PathBuf| match path.is_dir() {
        true => contents(&path),
        false => vec![(path.clone(), fs::read(&path).unwrap())],
    };
    paths.flat_map(read).collect()
}

#[test]
fn it_shows_what_the_client_shows_and_changes_nothing() {
    let (world, home, clock) = (World::with_versions(1), tempdir().unwrap(), Timestamp(day(1) + VISIBILITY + 60));
    let mut client = world.client(home.path());
    assert_eq!(look(&world, home.path()).unwrap().status(clock), client.status(clock), "before the first update");
    update(&world, &mut client, 1);
    fs::write(home.path().join("cache/left-over"), b"").unwrap();
    let before = contents(home.path());
    let seen = look(&world, home.path()).unwrap();
    assert_eq!(seen.list().unwrap().view(), client.list().unwrap().view());
    assert_eq!(seen.status(clock).in_force, client.status(clock).in_force);
    assert_eq!((seen.status(clock).cache, seen.refusals().len()), (CacheReport::Intact, 0));
    assert_eq!(contents(home.path()), before);
}

#[test]
fn a_damaged_cache_is_left_where_it_is() {
    let (world, home) = (World::with_versions(1), tempdir().unwrap());
    update(&world, &mut world.client(home.path()), 1);
    fs::remove_file(home.path().join("cache").join(&world.cached(1)[0])).unwrap();
    let before = contents(home.path());
    let seen = look(&world, home.path()).unwrap();
    let status = seen.status(Timestamp(day(2)));
    assert!(matches!(status.cache, CacheReport::Damaged { set_aside: None, .. }), "{:?}", status.cache);
    assert!(seen.list().is_none() && status.version == Some(1));
    assert_eq!(contents(home.path()), before);
}

#[test]
fn without_a_client_there_is_nothing_to_see_and_nothing_is_made() {
    let (world, home) = (World::with_versions(1), tempdir().unwrap());
    for folder in [home.path().to_owned(), home.path().join("none")] {
        let error = look(&world, &folder).unwrap_err();
        assert!(matches!(error, ClientError::NotAClient { .. }), "{error}");
        assert!(error.to_string().contains("run `isonomy client update` first"), "{error}");
    }
    assert_eq!(names(home.path()), [""; 0]);
    fs::create_dir(home.path().join("cache")).unwrap();
    let lost = look(&world, home.path()).unwrap_err();
    assert!(matches!(lost, ClientError::MissingState { .. }), "{lost}");
}

#[test]
fn while_updates_go_through_one_of_the_lists_is_seen() {
    let (home, done) = (tempdir().unwrap(), AtomicBool::new(false));
    let worlds: Vec<World> = (1..=8).map(World::with_versions).collect();
    let mut client = worlds[0].client(home.path());
    update(&worlds[0], &mut client, 1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (world, version) in worlds.iter().zip(1..) {
                update(world, &mut client, version);
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut newest = 1;
        while !done.load(Ordering::SeqCst) {
            let version = look(&worlds[0], home.path()).unwrap().list().expect("one of the lists").version();
            assert!(version >= newest);
            newest = version;
        }
    });
    assert_eq!(look(&worlds[0], home.path()).unwrap().list().unwrap().version(), 8);
}

#[cfg(unix)]
#[test]
fn a_folder_that_can_only_be_read_is_enough() {
    use std::os::unix::fs::PermissionsExt;
    let (world, home) = (World::with_versions(1), tempdir().unwrap());
    update(&world, &mut world.client(home.path()), 1);
    let set_mode = |mode| fs::set_permissions(home.path(), fs::Permissions::from_mode(mode)).unwrap();
    set_mode(0o555);
    // The administrator may write everywhere, so there the mode shows nothing.
    let is_read_only = fs::write(home.path().join("attempt"), b"").is_err();
    let seen = look(&world, home.path());
    set_mode(0o755);
    assert!(!is_read_only || seen.unwrap().list().is_some());
}

#[test]
fn hashes_are_shown_as_people_compare_them() {
    let (world, home, clock) = (World::with_versions(1), tempdir().unwrap(), Timestamp(day(1) + VISIBILITY));
    let mut client = world.client(home.path());
    update(&world, &mut client, 1);
    let status = client.status(clock);
    let shown = serde_json::to_value(&status).unwrap();
    let in_force = status.in_force.unwrap();
    let release = shown["in_force"]["release"].as_str().unwrap();
    assert_eq!(StatementId::from_hex(release), Some(in_force.release));
    assert_eq!(shown["in_force"]["charter"], in_force.charter.to_hex());
    let root = shown["checkpoint"]["root"].as_str().unwrap();
    assert_eq!(RootHash::from_hex(root), status.checkpoint.map(|checkpoint| checkpoint.root));
    assert_eq!(shown["in_force"]["code"], isonomy_verifier::view::code(&client.list().unwrap().view()));
    assert!(shown.get("halted").is_none());
}
