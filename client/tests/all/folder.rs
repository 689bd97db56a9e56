//! The folder: damaged, missing, of somebody else, in use.

use crate::updates::names;
use crate::world::{VISIBILITY, World, day};
use isonomy_client::{CacheReport, Client, ClientError};
use isonomy_core::time::Timestamp;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::{TempDir, tempdir};

const CHILD: &str = "ISONOMY_TEST_CLIENT_FOLDER";

/// A folder with version 1 in force.
fn updated() -> (World, TempDir) {
    let (world, mirror, home) = (World::with_versions(1), tempdir().unwrap(), tempdir().unwrap());
    let now = day(1) + VISIBILITY;
    let mut client = world.client(home.path());
    client.update_blocking(&[world.mirror(mirror.path(), now)], Timestamp(now)).unwrap();
    (world, home)
}

fn refused(world: &World, folder: &Path) -> ClientError {
    Client::open(folder, world.policy()).unwrap_err()
}

#[test]
fn a_damaged_state_is_refused_and_left_alone() {
    let (world, home) = updated();
    let path = home.path().join("state.json");
    let good = fs::read(&path).unwrap();
    let cut = good[..good.len() / 2].to_vec();
    let spaced = String::from_utf8(good.clone()).unwrap().replacen("  ", "   ", 1).into_bytes();
    for damaged in [Vec::new(), cut, spaced, vec![0; 2 << 20]] {
        fs::write(&path, &damaged).unwrap();
        let error = refused(&world, home.path());
        assert!(matches!(error, ClientError::DamagedState { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
    fs::write(&path, good).unwrap();
    assert_eq!(*world.client(home.path()).cache(), CacheReport::Intact);
}

#[test]
fn a_lost_state_is_not_begun_anew() {
    let (world, home) = updated();
    fs::remove_file(home.path().join("state.json")).unwrap();
    let error = refused(&world, home.path());
    assert!(matches!(error, ClientError::MissingState { .. }), "{error}");
    assert!(!home.path().join("state.json").exists());
}

/// Reading it would wait for somebody who writes.
#[test]
fn a_pipe_in_the_place_of_a_file_keeps_nobody_waiting() {
    let (world, home) = updated();
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    let mut cache = fs::read_dir(home.path().join("cache")).unwrap().flatten().map(|entry| entry.path());
    let entries = cache.find(|path| path.extension().is_some_and(|extension| extension == "entries")).unwrap();
    fs::remove_file(&entries).unwrap();
    pipe(&entries);
    let client = world.client(home.path());
    assert!(matches!(client.cache(), CacheReport::Damaged { .. }), "{:?}", client.cache());
    drop(client);
    fs::remove_file(home.path().join("state.json")).unwrap();
    pipe(&home.path().join("state.json"));
    let error = refused(&world, home.path());
    assert!(matches!(error, ClientError::Files(_)) && error.to_string().contains("no regular file"), "{error}");
}

#[test]
fn a_folder_is_kept_for_one_list_and_one_log() {
    let (world, home) = updated();
    let other_list = Client::open(home.path(), world.policy_for("hotline.example/other", "block")).unwrap_err();
    assert!(matches!(other_list, ClientError::OtherOwner { .. }), "{other_list}");
    let other_log = Client::open(home.path(), World::new("log.example/other").policy()).unwrap_err();
    assert!(matches!(other_log, ClientError::OtherOwner { .. }), "{other_log}");
}

/// Each byte of all that is kept: what is opened is the list in force, or nothing.
#[test]
fn no_byte_of_the_cache_can_be_another() {
    let (world, home) = updated();
    let known = world.client(home.path()).list().map(|list| (list.view(), list.entries().clone()));
    let (view, entries) = known.expect("a list in force");
    let files = names(&home.path().join("cache"));
    assert_eq!(files.len(), 3, "entries, release and charter");
    for path in files.iter().map(|name| home.path().join("cache").join(name)) {
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).unwrap();
            let client = Client::open_read_only(home.path(), world.policy()).unwrap();
            if let Some(list) = client.list() {
                panic!("byte {at} of {} is believed, and {:?} is {:?}", path.display(), list.view(), view);
            }
            assert!(matches!(client.status(Timestamp(0)).cache, CacheReport::Damaged { .. }), "byte {at}");
        }
        fs::write(&path, &good).unwrap();
    }
    let client = Client::open_read_only(home.path(), world.policy()).unwrap();
    assert_eq!(client.list().map(|list| list.entries()), Some(&entries), "and all as it was");
}

/// A new device whose cache is a link to somebody's pictures removes none of them.
#[cfg(unix)]
#[test]
fn nothing_is_removed_where_a_link_leads() {
    let (world, home, other) = (World::with_versions(1), tempdir().unwrap(), tempdir().unwrap());
    drop(world.client(home.path()));
    fs::write(other.path().join("picture"), b"of somebody").unwrap();
    std::os::unix::fs::symlink(other.path(), home.path().join("cache")).unwrap();
    drop(world.client(home.path()));
    assert_eq!(names(other.path()), ["picture"]);
}

#[test]
fn a_damaged_cache_is_set_aside_and_the_state_stands() {
    for part in 0..3 {
        let (world, home) = updated();
        let path = home.path().join("cache").join(&world.cached(1)[part]);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let client = world.client(home.path());
        let CacheReport::Damaged { set_aside: Some(aside), .. } = client.cache() else {
            panic!("{:?}", client.cache())
        };
        assert_eq!(*aside, home.path().join("cache-damaged"));
        assert_eq!(names(aside).len(), 3);
        assert!(client.list().is_none() && client.state().accepted().is_some());
        assert!(!home.path().join("cache").exists());
    }
}

#[test]
fn a_cache_with_a_part_missing_is_damaged_and_the_latest_damage_is_kept() {
    let (world, home) = updated();
    fs::create_dir(home.path().join("cache-damaged")).unwrap();
    fs::write(home.path().join("cache-damaged/older"), b"").unwrap();
    fs::remove_file(home.path().join("cache").join(&world.cached(1)[0])).unwrap();
    assert!(matches!(world.client(home.path()).cache(), CacheReport::Damaged { .. }));
    assert_eq!(names(&home.path().join("cache-damaged")).len(), 2);
    assert_eq!(*world.client(home.path()).cache(), CacheReport::Missing);
}

#[test]
fn a_list_that_the_policy_does_not_accept_any_more_is_not_opened() {
    let (world, home) = updated();
    let stricter = Client::open(home.path(), world.policy_for(crate::world::LIST, "warn")).unwrap();
    let CacheReport::Refused { reason } = stricter.cache() else { panic!("{:?}", stricter.cache()) };
    assert!(reason.contains("block") && stricter.list().is_none(), "{reason}");
    drop(stricter);
    assert_eq!(*world.client(home.path()).cache(), CacheReport::Intact, "nothing was thrown away");
}

#[test]
fn one_client_at_a_time() {
    let (world, home) = updated();
    let client = world.client(home.path());
    assert!(refused(&world, home.path()).to_string().contains("in use"));
    assert!(!child_opens(home.path()), "nor in another process");
    drop(client);
    assert!(child_opens(home.path()));
}

/// Whether another process can open the folder: [`in_another_process`] of this very program.
fn child_opens(folder: &Path) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "folder::in_another_process"]).env(CHILD, folder);
    child.output().unwrap().status.success()
}

#[test]
fn in_another_process() {
    if let Some(folder) = std::env::var_os(CHILD) {
        World::with_versions(1).client(Path::new(&folder));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in names(from) {
        let (from, to) = (from.join(&file), to.join(&file));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn no_changed_byte_of_a_cache_gives_another_list() {
    let (world, home) = updated();
    let view = world.client(home.path()).list().unwrap().view();
    let entries = world.client(home.path()).list().unwrap().entries().clone();
    proptest!(ProptestConfig::with_cases(40), |(part in 0usize..3, at in any::<usize>(), byte in any::<u8>())| {
        let damaged = tempdir().unwrap();
        copy(home.path(), damaged.path());
        let path = damaged.path().join("cache").join(&world.cached(1)[part]);
        let mut bytes = fs::read(&path).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        fs::write(&path, &bytes).unwrap();
        if let Some(list) = world.client(damaged.path()).list() {
            prop_assert_eq!((list.view(), list.entries()), (view, &entries));
        }
    });
}

#[test]
fn arbitrary_bytes_for_a_state_never_panic() {
    let (world, home) = updated();
    let good = fs::read(home.path().join("state.json")).unwrap();
    proptest!(ProptestConfig::with_cases(40), |(cut in any::<usize>(), tail in proptest::collection::vec(any::<u8>(), 0..9))| {
        let bytes = [&good[..cut % good.len()], &tail].concat();
        prop_assume!(bytes != good);
        fs::write(home.path().join("state.json"), &bytes).unwrap();
        prop_assert!(Client::open(home.path(), world.policy()).is_err());
    });
}
