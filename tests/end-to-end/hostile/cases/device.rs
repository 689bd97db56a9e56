//! The client's own folder: damaged, replaced, full, shared, or the process killed at any moment.

use super::Verdict::{InForce, Says};
use super::sources::{bundle, delta, seen_proof, statement, tile};
use super::{Case, DoneRow, Verdict, done};
use crate::conditions::{Disk, set_disk};
use crate::process::isonomy;
use crate::scene::{Outcome, Scene, Start, copy};
use crate::server::Fault;
use isonomy_core::resource::Resource;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const GROUP: &str = "The device's folder";

fn state_file(scene: &Scene) -> PathBuf {
    scene.state().join("state.json")
}

fn edit(path: &PathBuf, edit: impl FnOnce(&mut Vec<u8>)) -> Result<(), String> {
    let mut bytes = fs::read(path).map_err(|error| error.to_string())?;
    edit(&mut bytes);
    fs::write(path, bytes).map_err(|error| error.to_string())
}

/// The state is damaged: nothing goes on, and nothing starts anew.
fn damaged_state(scene: &mut Scene, how: fn(&mut Vec<u8>)) -> Result<Outcome, String> {
    edit(&state_file(scene), how)?;
    let (updated, matched) = (scene.update(), scene.match_entry());
    match (updated.exit, matched) {
        (0, _) => Err("it updates".to_owned()),
        (_, Ok(_)) => Err("it matches".to_owned()),
        _ => Ok(updated),
    }
}

/// Flips one byte in each of many places of a kept file. Nothing that was changed is ever matched against.
fn damaged_cache(scene: &mut Scene, ending: &str) -> Result<Outcome, String> {
    let files = fs::read_dir(scene.state().join("cache")).map_err(|error| error.to_string())?.flatten();
    for path in files.map(|file| file.path()).filter(|path| path.to_string_lossy().ends_with(ending)) {
        let length = fs::metadata(&path).map_err(|error| error.to_string())?.len() as usize;
        for at in (0..length).step_by(length / 12 + 1).chain([length - 1]) {
            edit(&path, |bytes| bytes[at] ^= 1)?;
            if let Ok(version) = scene.match_entry() {
                return Err(format!("byte {at} of {} was changed, and version {version} matches", path.display()));
            }
            edit(&path, |bytes| bytes[at] ^= 1)?;
        }
        edit(&path, |bytes| bytes[length / 2] ^= 1)?;
    }
    Ok(scene.update())
}

/// Kills the client with SIGKILL while it waits for `resource`, then updates as usual.
fn killed_at(scene: &mut Scene, resource: fn(&Scene) -> Resource) -> Result<Outcome, String> {
    let path = resource(scene).to_string();
    scene.fault(&resource(scene), Fault::Silence);
    let server = scene.serve();
    let mut command = scene.command(&["client", "update", "--source", &server.url()]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
    let asked = || server.requests().iter().any(|head| head.contains(&path));
    let deadline = Instant::now() + Duration::from_secs(20);
    while !asked() && Instant::now() < deadline {
        sleep(Duration::from_millis(5));
    }
    child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
    if !asked() {
        return Err(format!("{path} was never asked for"));
    }
    if scene.match_entry().ok() != Some(1) {
        return Err("version 1 does not match any more".to_owned());
    }
    scene.faults.clear();
    Ok(scene.update())
}

/// Lets the process die where it writes more than so many half-kilobytes to a file, then updates as usual.
fn killed_at_write(scene: &mut Scene, blocks: u32) -> Result<Outcome, String> {
    let server = scene.serve();
    let command = scene.command(&["client", "update", "--source", &server.url()]);
    let words: Vec<String> = command.get_args().map(|word| format!("'{}'", word.to_string_lossy())).collect();
    let script = format!("ulimit -f {blocks}; exec '{}' {}", isonomy().display(), words.join(" "));
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Err(format!("it was not stopped: {output:?}"));
    }
    if scene.match_entry().ok() != Some(1) {
        return Err(format!("version 1 does not match any more: {output:?}"));
    }
    Ok(scene.update())
}

/// Lets the disk fail at each call that an update makes, from the first to the last, one run for each. What was in force, or
/// what was to come, verifies and matches after each, and the next update goes through.
fn at_each_call(scene: &mut Scene, disk: fn(usize) -> Disk, told: fn(&Outcome) -> bool) -> Result<Outcome, String> {
    let (server, original) = (scene.serve(), scene.beside("original"));
    copy(&scene.state(), &original);
    for number in 0..1000 {
        let mut command = scene.command(&["client", "update", "--source", &server.url()]);
        set_disk(&mut command, disk(number), &scene.state());
        let outcome = Outcome::of(command.output().map_err(|error| error.to_string())?);
        if outcome.exit == 0 {
            return if number > 8 { Ok(scene.update()) } else { Err(format!("over after {number} calls")) };
        }
        let left = scene.match_entry();
        if !told(&outcome) || !matches!(left, Ok(1 | 2)) {
            return Err(format!("{:?}: {outcome:?}, then {left:?}", disk(number)));
        }
        let (again, matched) = (scene.update(), scene.match_entry());
        if again.exit != 0 || !matches!(matched, Ok(2)) {
            return Err(format!("after {:?}: {again:?}, then {matched:?}", disk(number)));
        }
        fs::remove_dir_all(scene.state()).map_err(|error| error.to_string())?;
        copy(&original, &scene.state());
    }
    Err("the update does not end".to_owned())
}

/// Nothing can be written: the update says so, and what is in force can be looked at and matched against.
fn read_only(scene: &mut Scene) -> Result<Outcome, String> {
    let server = scene.serve();
    let on_such_a_disk = |words: &[&str]| {
        let mut command = scene.command(words);
        set_disk(&mut command, Disk::ReadOnly, &scene.state());
        Ok::<_, String>(Outcome::of(command.output().map_err(|error| error.to_string())?))
    };
    let hash = isonomy_core::encoding::to_hex(&isonomy_tests::people::hash(3));
    let (status, matched) = (on_such_a_disk(&["client", "status"])?, on_such_a_disk(&["match", &hash])?);
    if status.exit != 0 || matched.exit != 5 {
        return Err(format!("{status:?} {matched:?}"));
    }
    on_such_a_disk(&["client", "update", "--source", &server.url()])
}

/// While one process waits in the folder, another one is turned away, and looking is possible.
fn two_processes(scene: &mut Scene) -> Result<Outcome, String> {
    scene.everywhere = Some(Fault::Silence);
    let server = scene.serve();
    let mut command = scene.command(&["client", "update", "--source", &server.url()]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while server.requests().is_empty() && Instant::now() < deadline {
        sleep(Duration::from_millis(5));
    }
    let (second, looked) = (scene.update_honestly(), scene.match_entry().ok());
    child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
    if looked == Some(1) { Ok(second) } else { Err("it can't be looked at".to_owned()) }
}

const DAMAGED: Verdict = Says(1, "must never be given up for an older one");

#[rustfmt::skip]
const FOLDER: &[DoneRow] = &[
    ("state-bit", "one bit of the state is flipped", DAMAGED, |s| damaged_state(s, |b| { let at = b.len() / 2; b[at] ^= 1 })),
    ("state-first-byte", "its first byte", DAMAGED, |s| damaged_state(s, |b| b[0] ^= 1)),
    ("state-half-written", "half of the state", DAMAGED, |s| damaged_state(s, |b| b.truncate(b.len() / 2))),
    ("state-empty", "an empty state", DAMAGED, |s| damaged_state(s, Vec::clear)),
    ("state-zeros", "as many zeros", DAMAGED, |s| damaged_state(s, |b| b.fill(0))),
    ("state-oversized", "two megabytes of state", DAMAGED, |s| damaged_state(s, |b| b.resize(2 << 20, b' '))),
    ("state-lower-version", "a state that was edited to have an older version in force", DAMAGED, |s| damaged_state(s, |b| {
        *b = String::from_utf8_lossy(b).replace("\"version\": 1", "\"version\": 0").into_bytes();
    })),
    ("state-removed", "the state is removed, the cache is not", DAMAGED, |s| { fs::remove_file(state_file(s)).map_err(|error| error.to_string())?; Ok(s.update()) }),
    ("state-is-a-folder", "a folder in the place of the state", Says(1, "state.json"), |s| {
        fs::remove_file(state_file(s)).and_then(|()| fs::create_dir(state_file(s))).map_err(|error| error.to_string())?;
        Ok(s.update())
    }),
    ("state-of-another-list", "the folder of a client of another list", Says(1, "give each policy a folder of its own"), |s| {
        s.policy = s.policy.replace("hotline.example/images", "hotline.example/others");
        Ok(s.update())
    }),
    ("state-of-another-log-key", "the policy trusts the log under another key: not without a person's word (`client recover`)", Says(3, "under another key"), |s| {
        another_log_key(s)?;
        Ok(s.update())
    }),
    ("state-temporary-left", "a half-written new state beside it", InForce(2), |s| {
        fs::write(s.state().join("state.json.tmp"), b"{").and_then(|()| fs::write(s.state().join(".state.json.tmp-1"), b"{")).map_err(|error| error.to_string())?;
        Ok(s.update())
    }),
    ("cache-entries-changed", "bytes all over the kept hashes: never matched against, and fetched anew", InForce(2), |s| damaged_cache(s, ".entries")),
    ("cache-statements-changed", "bytes all over the kept statements", InForce(2), |s| damaged_cache(s, ".note")),
    ("cache-cut", "the kept hashes are cut", InForce(2), |s| {
        for file in fs::read_dir(s.state().join("cache")).map_err(|error| error.to_string())?.flatten() {
            edit(&file.path(), |bytes| bytes.truncate(bytes.len() / 2))?;
        }
        if s.match_entry().is_ok() { return Err("it matches".to_owned()) }
        Ok(s.update())
    }),
    ("cache-removed", "the cache is removed", InForce(2), |s| { fs::remove_dir_all(s.state().join("cache")).map_err(|error| error.to_string())?; Ok(s.update()) }),
    ("cache-huge", "a gigabyte in the place of the kept hashes", InForce(2), |s| {
        for file in fs::read_dir(s.state().join("cache")).map_err(|error| error.to_string())?.flatten() {
            fs::File::options().write(true).open(file.path()).and_then(|file| file.set_len(1 << 30)).map_err(|error| error.to_string())?;
        }
        if s.match_entry().is_ok() { return Err("it matches".to_owned()) }
        Ok(s.update())
    }),
    ("cache-reinstall", "the folder is removed; the app was shipped with version 2 as its floor", Says(3, "\"policy\""), |s| {
        fs::remove_dir_all(s.state()).map_err(|error| error.to_string())?;
        s.policy = s.policy.replace("min_version = 1", "min_version = 2");
        let first = super::sources::first(&s.world);
        s.world.offer_only(&[first]);
        Ok(s.update())
    }),
    ("killed-at-bundle", "killed while it waits for the bundle", InForce(2), |s| killed_at(s, bundle)),
    ("killed-at-tile", "killed while it waits for a tile", InForce(2), |s| killed_at(s, tile)),
    ("killed-at-statement", "killed after the checkpoint was saved, while it waits for the release", InForce(2), |s| killed_at(s, statement)),
    ("killed-at-seen-proof", "killed while it waits for the seen proof", InForce(2), |s| killed_at(s, seen_proof)),
    ("killed-at-delta", "killed while it waits for the delta", InForce(2), |s| killed_at(s, delta)),
    ("killed-at-write-of-nothing", "it may not write a byte: as on a full disk", InForce(2), |s| killed_at_write(s, 0)),
    ("killed-at-write-of-the-state", "it dies in the middle of writing the state", InForce(2), |s| killed_at_write(s, 1)),
    ("killed-at-each-call", "killed before each call that changes something in its folder, one run for each", InForce(2), |s| at_each_call(s, Disk::KilledAt, |o| o.exit == -1)),
    ("killed-within-each-write", "killed in the middle of each write, one run for each", InForce(2), |s| at_each_call(s, Disk::KilledWithin, |o| o.exit == -1)),
    ("disk-full-at-each-call", "the disk is full from each call on that needs space, one run for each: it says so", InForce(2), |s| at_each_call(s, Disk::FullFrom, |o| o.exit == 1 && o.json.to_string().contains("No space left on device"))),
    ("folder-read-only", "a folder on a disk that can only be read: no update, but status and match", Says(1, "Read-only file system"), read_only),
    ("folder-not-writable", "a folder that can't be written", Says(1, "/proc/isonomy"), |s| {
        let policy = s.beside("policy.toml");
        fs::write(&policy, &s.policy).map_err(|error| error.to_string())?;
        let mut command = Command::new(isonomy());
        command.args(["--json", "client", "update", "--state", "/proc/isonomy", "--source", "http://127.0.0.1:9", "--policy"]);
        Ok(Outcome::of(command.arg(policy).output().map_err(|error| error.to_string())?))
    }),
    ("two-processes", "a second process in the same folder", Says(1, "in use"), two_processes),
];

/// The policy trusts the log under another key from now on.
fn another_log_key(scene: &mut Scene) -> Result<(), String> {
    let name = isonomy_tests::people::LOG;
    let key = isonomy_core::note::SigningKey::from_seed(name, isonomy_core::note::KeyType::Ed25519, &[9; 32]);
    let new = key.map_err(|error| error.to_string())?.verifier().to_string();
    scene.policy = scene.policy.replace(&isonomy_tests::people::key(name).verifier().to_string(), &new);
    Ok(())
}

pub(super) fn cases() -> Vec<Case> {
    done(GROUP, "`client::folder`", Start::Behind, FOLDER)
}
