//! Every call into the file system that an update makes goes wrong once, in every way that it can, and the power fails at
//! each; then the device is started again. Whatever was in force is in force, or what was to come is; nothing older, nothing
//! damaged is taken for good, and the next update goes through.

use crate::world::{VISIBILITY, World, day};
use isonomy_client::{CacheReport, Client, ClientError, Source};
use isonomy_core::time::Timestamp;
use isonomy_store::faults::{Fault, Faults, Made};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

const NOW: Timestamp = Timestamp(day(2) + VISIBILITY);

/// A device, and a mirror that has something for it.
struct Scene {
    world: World,
    source: Source,
    folders: TempDir,
}

impl Scene {
    /// A device with so many versions, before version 2.
    fn with_version(versions: u64) -> Self {
        let folders = tempdir().unwrap();
        let (device, mirror) = (folders.path().join("original"), folders.path().join("mirror"));
        let old = World::with_versions(1);
        let mut client = old.client(&device);
        if versions > 0 {
            let now = day(1) + VISIBILITY;
            client.update_blocking(&[old.mirror(&folders.path().join("old"), now)], Timestamp(now)).unwrap();
        }
        let world = World::with_versions(2);
        let source = world.mirror(&mirror, NOW.0);
        Self { world, source, folders }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folders.path().join(name)
    }

    fn copy(&self, name: &str) -> PathBuf {
        copy(&self.path("original"), &self.path(name));
        self.path(name)
    }

    /// A start and an update, as far as they come.
    fn story(&self, folder: &Path) -> Option<u64> {
        let mut client = Client::open(folder, self.world.policy()).ok()?;
        Some(client.update_blocking(std::slice::from_ref(&self.source), NOW).ok()?.updated.list.version())
    }

    fn calls(&self) -> Vec<Made> {
        let folder = self.copy("counted");
        let watched = Faults::watch(&folder);
        assert_eq!(self.story(&folder), Some(2));
        watched.calls()
    }

    /// Starts what is left. `told` is what was promised before, and `flipped` whether a bit of what was written or read is
    /// another one.
    fn check(&self, folder: &Path, before: u64, told: Option<u64>, flipped: bool, what: &str) {
        let mut client = match Client::open(folder, self.world.policy()) {
            Ok(client) => client,
            // Nobody starts anew over a damaged state.
            Err(ClientError::DamagedState { .. }) if flipped => return,
            Err(error) => panic!("{what}: {error}"),
        };
        let accepted = client.state().accepted().map_or(0, |accepted| accepted.version);
        assert!(accepted >= before.max(told.unwrap_or(0)) && accepted <= 2, "{what}: version {accepted}");
        match client.list() {
            Some(list) => assert_eq!(list.version(), accepted, "{what}"),
            None if accepted == 0 => assert_eq!(*client.cache(), CacheReport::Empty, "{what}"),
            None => assert!(flipped, "{what}: {:?}", client.cache()),
        }
        let report = client.update_blocking(std::slice::from_ref(&self.source), NOW);
        let report = report.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(report.updated.list.version(), 2, "{what}");
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

/// Each fault at each call that it suits, one at a time.
fn each_fault(before: u64) {
    let scene = Scene::with_version(before);
    let calls = scene.calls();
    let kinds: Vec<_> = calls.iter().map(|call| call.kind).collect();
    assert!(["create", "write", "sync", "rename", "sync folder"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let mut cases = 0;
    for (number, call) in calls.iter().enumerate() {
        for fault in Fault::ALL.into_iter().filter(|fault| fault.suits(call)) {
            let what = format!("{fault:?} of {number} ({call})");
            let folder = scene.copy("running");
            let watched = Faults::watch(&folder);
            watched.plan(number, fault);
            let told = scene.story(&folder);
            drop(watched);
            scene.check(&folder, before, told, fault == Fault::Flip, &what);
            fs::remove_dir_all(&folder).unwrap();
            cases += 1;
        }
    }
    println!("{} calls, {cases} faults", calls.len());
    assert!(cases >= 2 * calls.len());
}

#[test]
fn whatever_fails_while_a_new_version_comes() {
    each_fault(1);
}

#[test]
fn whatever_fails_while_the_first_version_comes() {
    each_fault(0);
}

#[test]
fn a_full_disk_is_told_as_such_and_the_list_in_force_stays() {
    let scene = Scene::with_version(1);
    let calls = scene.calls();
    for (number, call) in calls.iter().enumerate().filter(|(_, call)| call.takes_space) {
        let folder = scene.copy("full");
        let watched = Faults::watch(&folder);
        // From here on, for everything.
        (number..calls.len() + 20).for_each(|later| watched.plan(later, Fault::NoSpace));
        let outcome =
            Client::open(&folder, scene.world.policy()).map_err(|error| error.to_string()).and_then(|mut client| {
                let report = client.update_blocking(std::slice::from_ref(&scene.source), NOW);
                assert!(client.list().is_some(), "full at {number} ({call}): the list in memory stays");
                report.map(|report| report.updated.list.version()).map_err(|error| error.to_string())
            });
        drop(watched);
        if let Err(message) = &outcome {
            assert!(message.contains("no space left"), "{message}");
        }
        scene.check(&folder, 1, outcome.ok(), false, &format!("full from {number} ({call})"));
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn a_power_cut_at_any_call_leaves_the_old_version_or_the_new_one() {
    for before in [0, 1] {
        let scene = Scene::with_version(before);
        let calls = scene.calls().len();
        let seeds = if std::env::var_os("ISONOMY_DEEP").is_some() { 40 } else { 2 };
        for number in 0..=calls {
            for seed in 0..seeds {
                let (folder, cut) = (scene.copy("running"), scene.path("cut"));
                let watched = Faults::watch(&folder);
                watched.plan(number, Fault::Kill);
                let told = scene.story(&folder);
                watched.power_cut(seed, &cut).unwrap();
                drop(watched);
                scene.check(&cut, before, told, false, &format!("power cut at {number} of {calls}, seed {seed}"));
                fs::remove_dir_all(&folder).unwrap();
                fs::remove_dir_all(&cut).unwrap();
            }
        }
    }
}
