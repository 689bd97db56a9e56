//! Everything that can break, broken on purpose: each call into the file system that a log makes, with each fault, one at
//! a time and two in a row, and the power cut at each of them. After every case the log is started in the ordinary way
//! and audited from nothing but its public files.
//!
//! What must hold, whatever fails in whichever order:
//!
//! - the ordinary start succeeds, without anybody's help;
//! - everything that was acknowledged is there, at its place, once;
//! - every checkpoint that was *ever signed*, shown or not, is of the one history that is there now;
//! - tiles, entries, statements, seen proofs, objects and bundles are whole and right, and no remains are left;
//! - the log goes on.
//!
//! `cargo test -p isonomy-log-server --lib faults` runs a fixed share and prints which. The deep run:
//! `ISONOMY_FAULTS=deep cargo test -p isonomy-log-server --lib faults`.

mod audit;
mod clocks;
mod database;
mod entries;
#[allow(dead_code, reason = "shared with the tests of the server")]
#[path = "../tests/server/lists.rs"]
pub(crate) mod lists;
mod statements;
pub(crate) mod world;

use crate::log::testing::take_signed;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::tree::LeafIndex;
use isonomy_store::faults::{Fault, Faults, Made};
use std::error::Error;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// A history that a log goes through, and that can be broken off and begun again anywhere.
trait Story: Sync {
    const NAME: &'static str;

    /// What is there before, without any fault.
    fn prepare(folder: &Path) -> Self;

    /// Starts the log and does what has not been done yet.
    fn go_on(&self, folder: &Path, told: &mut Told) -> Result<(), Box<dyn Error>>;

    /// Starts the log, does the rest, judges everything, and gives all entries.
    fn audit(&self, folder: &Path, told: &mut Told) -> Vec<Vec<u8>>;
}

/// What the outside was told.
#[derive(Default)]
struct Told {
    /// Entries and where they are.
    acknowledged: Vec<(LeafIndex, Vec<u8>)>,
    /// Checkpoints that witnesses were shown.
    shown: Vec<CheckpointNote>,
}

/// What goes wrong in a case.
#[derive(Clone, Debug, Default)]
struct Case {
    faults: Vec<(usize, Fault)>,
    /// The seed, if the power is cut at the end.
    power_cut: Option<u64>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.faults.iter().try_for_each(|(call, fault)| write!(f, "{fault:?} at call {call}; "))?;
        self.power_cut.map_or(Ok(()), |seed| write!(f, "power cut with seed {seed}"))
    }
}

struct Suite<S> {
    folder: tempfile::TempDir,
    story: S,
}

impl<S: Story> Suite<S> {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let story = S::prepare(&folder.path().join("before"));
        Self { folder, story }
    }

    /// Runs a case; the calls that were made in it.
    fn run(&self, case: &Case) -> Vec<Made> {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        let live = folder.path().join("live");
        world::copy(&self.folder.path().join("before"), &live);
        take_signed();
        let mut told = Told::default();
        let watched = Faults::watch(&live);
        case.faults.iter().for_each(|(call, fault)| watched.plan(*call, *fault));
        // Whoever watches over the process starts it again.
        for _ in 0..=case.faults.len() {
            watched.revive();
            if self.story.go_on(&live, &mut told).is_ok() || case.power_cut.is_some() {
                break;
            }
        }
        let (calls, cut) = (watched.calls(), folder.path().join("cut"));
        // A replay reads ahead on a thread of its own, so how many calls there are after a fault can differ by one: then a second
        // fault that was to be the last call does not come about.
        let happened = watched.happened();
        assert!(happened == case.faults.len() || happened > 0 && case.faults.len() > 1, "{case}: no fault came about");
        if let Some(seed) = case.power_cut {
            watched.power_cut(seed, &cut).unwrap();
        }
        drop(watched);
        let left = if case.power_cut.is_some() { cut } else { live };
        let quick = Faults::watch(&left); // which needs no disk to be waited for
        let entries = self.story.audit(&left, &mut told);
        drop(quick);
        audit::judge_told(&told, &take_signed(), &entries);
        calls
    }

    /// The same, and says which case it was if something doesn't hold.
    fn check(&self, case: &Case, calls: &[Made]) -> Vec<Made> {
        let run = std::panic::AssertUnwindSafe(|| self.run(case));
        std::panic::catch_unwind(run).unwrap_or_else(|panic| {
            let at = case.faults.iter().map(|(call, _)| calls.get(*call).map(Made::to_string).unwrap_or_default());
            eprintln!("the case was: {}: {case} ({})", S::NAME, at.collect::<Vec<_>>().join(", "));
            std::panic::resume_unwind(panic)
        })
    }

    /// Each call with each fault that it can have.
    fn singly(&self, calls: &[Made]) -> Vec<Case> {
        let all = calls.iter().enumerate().flat_map(|(at, call)| {
            Fault::ALL.iter().filter(|fault| fault.suits(call)).map(move |fault| vec![(at, *fault)])
        });
        all.map(|faults| Case { faults, power_cut: None }).collect()
    }

    /// A second fault after each of these, at each call of what is done then.
    fn in_pairs(&self, first: &Case, calls: &[Made]) -> Vec<Case> {
        let begin = first.faults[0].0 + 1;
        let second = [Fault::Error, Fault::ErrorAfter, Fault::NoSpace, Fault::KillWithin, Fault::Kill];
        let all = calls.iter().enumerate().skip(begin).flat_map(|(at, call)| {
            second.iter().filter(|fault| fault.suits(call)).map(move |fault| vec![first.faults[0], (at, *fault)])
        });
        all.map(|faults| Case { faults, power_cut: None }).collect()
    }

    /// The power cut before each call, and at the end, with so many seeds.
    fn power_cuts(&self, calls: &[Made], seeds: u64) -> Vec<Case> {
        let kills = (0..calls.len()).map(|at| vec![(at, Fault::Kill)]).chain([vec![]]);
        let cut = |faults: Vec<_>| (0..seeds).map(move |seed| Case { faults: faults.clone(), power_cut: Some(seed) });
        kills.flat_map(cut).collect()
    }
}

/// How many cases are run, spread evenly over all that there are.
struct Share {
    single: usize,
    /// After how many of the single faults there is a second one, and at how many places then.
    first: usize,
    second: usize,
    power_cuts: usize,
    seeds: u64,
}

fn share() -> Share {
    match std::env::var("ISONOMY_FAULTS").as_deref() {
        Ok("deep") => Share { single: usize::MAX, first: usize::MAX, second: 1, power_cuts: usize::MAX, seeds: 3 },
        Ok(other) => panic!("ISONOMY_FAULTS is {other:?}; it can be `deep`"),
        Err(_) => Share { single: 160, first: 50, second: 1, power_cuts: 90, seeds: 7 },
    }
}

/// So many of these, or all if there are fewer, spread evenly.
fn some<T: Clone>(all: &[T], count: usize) -> Vec<T> {
    let count = count.min(all.len());
    (0..count).map(|at| all[at * all.len() / count].clone()).collect()
}

/// Runs everything over one story.
fn run_all<S: Story>() {
    let (suite, share, began) = (Suite::<S>::new(), share(), Instant::now());
    let calls = suite.check(&Case::default(), &[]);
    let singly = suite.singly(&calls);
    let single = some(&singly, share.single);
    let mut after: Vec<_> = single.iter().map(|case| (case.clone(), suite.check(case, &calls))).collect();
    after.retain(|(_, made)| made.len() > calls.len() / 2);
    let (mut pairs, mut possible) = (0, 0);
    for (first, after) in some(&after, share.first) {
        let all = suite.in_pairs(&first, &after);
        possible += all.len();
        // Not always at the first call after it.
        let shift = first.faults[0].0 * 31 % all.len().max(1);
        for case in some(&[&all[shift..], &all[..shift]].concat(), share.second) {
            suite.check(&case, &after);
            pairs += 1;
        }
    }
    let all_cuts = suite.power_cuts(&calls, share.seeds);
    let cuts = some(&all_cuts, share.power_cuts);
    cuts.iter().for_each(|case| drop(suite.check(case, &calls)));
    // Not by `println!`, which only failing tests show: who reads CI's output sees how much was run.
    let _ = writeln!(
        std::io::stderr(),
        "faults in {}: {} calls; {} of {} single faults, {pairs} of {possible} pairs, {} of {} power cuts; {} s",
        S::NAME,
        calls.len(),
        single.len(),
        singly.len(),
        cuts.len(),
        all_cuts.len(),
        began.elapsed().as_secs()
    );
}

#[test]
fn a_log_of_entries_survives_every_fault() {
    run_all::<entries::Entries>();
}

#[test]
fn a_log_whose_clock_is_wrong_survives_every_fault() {
    run_all::<clocks::WrongClock>();
}

#[test]
fn a_log_of_statements_survives_every_fault() {
    run_all::<statements::Statements>();
}
