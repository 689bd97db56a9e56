//! Every call into the file system that a start and a cosignature make goes wrong once, in every way that it can; then the
//! witness is started again and asked for everything that it must not sign. Of all pairs of faults a fixed share is tried,
//! with `ISONOMY_DEEP` set every one.

use crate::testing::*;
use crate::witness::{AddError, Witness};
use isonomy_core::cosignature;
use isonomy_core::time::Timestamp;
use isonomy_store::faults::{Fault, Faults, Made};
use std::path::{Path, PathBuf};

/// What is asked of the witness when something goes wrong: the tree `abc`, which it knows, grows by two.
const ASKED: (usize, &[u8]) = (3, b"abcde");
/// What must not be cosigned beside it.
const RIVALS: [(usize, &[u8]); 4] = [(3, b"abcxy"), (0, b"xyz"), (3, b"abx"), (5, b"abcxyz")];

/// A folder whose witness has cosigned `abc`.
struct Prepared(tempfile::TempDir);

impl Prepared {
    fn new() -> Self {
        let prepared = Self(tempfile::tempdir().unwrap());
        let witness = Witness::open(config(&prepared.path("original"))).unwrap();
        witness.add_checkpoint(&add(0, b"abc").to_bytes(), START).unwrap();
        drop(witness);
        prepared
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A copy of it.
    fn copy(&self, name: &str) -> PathBuf {
        let to = self.path(name);
        copy(&self.path("original"), &to);
        to
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A tree that was cosigned, and when.
type Signed = (&'static [u8], Timestamp);

fn ask(witness: &Witness, (old, leaves): (usize, &'static [u8]), clock: Timestamp) -> Result<Signed, AddError> {
    let line = witness.add_checkpoint(&add(old, leaves).to_bytes(), clock)?;
    let time = cosignature::verify(witness_key().verifier(), checkpoint(leaves).note().text(), &line).unwrap();
    Ok((leaves, time))
}

/// A start and a request, as far as they come.
fn story(folder: &Path) -> Option<Signed> {
    let witness = Witness::open(config(folder)).ok()?;
    ask(&witness, ASKED, START.plus(10)).ok()
}

/// Starts the witness that is left and asks it for one thing after another, the rival at `first` before the others.
fn afterwards(folder: &Path, first: usize) -> Vec<Signed> {
    let Ok(witness) = Witness::open(config(folder)) else { return Vec::new() };
    let mut order: Vec<_> = RIVALS.into_iter().chain([ASKED]).collect();
    let count = order.len();
    order.rotate_left(first % count);
    order.into_iter().filter_map(|request| ask(&witness, request, START.plus(20)).ok()).collect()
}

/// No two trees contradict each other, none is smaller than one before it, and no date is earlier.
fn check(signed: &[Signed], what: &str) {
    for pair in signed.windows(2) {
        let [(older, before), (newer, after)] = pair else { unreachable!() };
        assert!(newer.starts_with(older), "{what}: {older:?} and {newer:?} were cosigned");
        assert!(after >= before, "{what}: dates go backwards");
    }
}

fn calls(prepared: &Prepared) -> Vec<Made> {
    let folder = prepared.copy("counted");
    let watched = Faults::watch(&folder);
    assert!(story(&folder).is_some());
    watched.calls()
}

/// Lets these calls go wrong, then starts again.
fn run(prepared: &Prepared, name: &str, faults: &[(usize, Fault)], first: usize) {
    let folder = prepared.copy(name);
    let watched = Faults::watch(&folder);
    faults.iter().for_each(|(call, fault)| watched.plan(*call, *fault));
    let mut signed: Vec<Signed> = vec![(b"abc", START)];
    signed.extend(story(&folder));
    drop(watched);
    signed.extend(afterwards(&folder, first));
    check(&signed, name);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn whatever_fails_no_rollback_and_no_fork_is_cosigned() {
    let prepared = Prepared::new();
    let calls = calls(&prepared);
    let kinds: Vec<_> = calls.iter().map(|call| call.kind).collect();
    assert!(["rename", "sync", "sync folder", "change", "flush"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let mut cases = 0;
    for (number, call) in calls.iter().enumerate() {
        for fault in Fault::ALL.into_iter().filter(|fault| fault.suits(call)) {
            run(&prepared, &format!("{fault:?} of {number} ({})", call.kind), &[(number, fault)], cases);
            cases += 1;
        }
    }
    println!("{} calls, {cases} single faults", calls.len());
    assert!(cases >= 2 * calls.len());
}

/// Every how many pairs one is tried, unless all are.
const SHARE: usize = 151;

#[test]
fn whatever_two_calls_fail_no_rollback_and_no_fork_is_cosigned() {
    let prepared = Prepared::new();
    let calls = &calls(&prepared);
    let suiting = |number: usize| Fault::ALL.into_iter().filter(move |fault| fault.suits(&calls[number]));
    let faults: Vec<(usize, Fault)> =
        (0..calls.len()).flat_map(|number| suiting(number).map(move |fault| (number, fault))).collect();
    let later =
        |first: &(usize, Fault)| faults.iter().filter(move |second| second.0 > first.0).copied().collect::<Vec<_>>();
    let pairs = faults.iter().flat_map(|first| later(first).into_iter().map(move |second| [*first, second]));
    let step = if std::env::var_os("ISONOMY_DEEP").is_some() { 1 } else { SHARE };
    let mut cases = 0;
    for (number, pair) in pairs.enumerate().step_by(step) {
        run(&prepared, &format!("{pair:?}"), &pair, number);
        cases += 1;
    }
    println!("{cases} pairs of faults");
    assert!(cases > 10);
}

#[test]
fn a_power_cut_at_any_call_lets_no_rollback_and_no_fork_be_cosigned() {
    let prepared = Prepared::new();
    let calls = calls(&prepared).len();
    let seeds = if std::env::var_os("ISONOMY_DEEP").is_some() { 20 } else { 2 };
    for number in 0..=calls {
        for seed in 0..seeds {
            let (folder, cut) = (prepared.copy("running"), prepared.path("cut"));
            let watched = Faults::watch(&folder);
            watched.plan(number, Fault::Kill);
            let mut signed: Vec<Signed> = vec![(b"abc", START)];
            signed.extend(story(&folder));
            watched.power_cut(seed, &cut).unwrap();
            drop(watched);
            signed.extend(afterwards(&cut, number + seed as usize));
            check(&signed, &format!("power cut at {number}, seed {seed}"));
            std::fs::remove_dir_all(&folder).unwrap();
            std::fs::remove_dir_all(&cut).unwrap();
        }
    }
}
