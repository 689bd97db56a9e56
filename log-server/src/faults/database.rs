//! The embedded database, broken from outside. Its own calls can't be made to fail one by one, so what they could leave
//! behind is made instead: at each boundary between two steps of a log, as a kill would find it, a file of the database is
//! missing, cut short, zero from some place on, or has a bit turned over; or the whole database is missing, or of another
//! boundary than the rest.
//!
//! Damage must be mended by the ordinary start. With a database that is older than what was shown to others, the log may
//! refuse to start instead; it must not go on with less.

use super::entries::{self, Entries};
use super::{Story, Told, audit, share, some, world};
use crate::log::testing::take_signed;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::tree::LeafIndex;
use isonomy_store::faults::Faults;
use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

const DATABASE: &str = "private/state";

/// A boundary between two steps.
struct Point {
    folder: PathBuf,
    acknowledged: Vec<(LeafIndex, Vec<u8>)>,
    shown: Vec<CheckpointNote>,
    signed: Vec<CheckpointNote>,
}

/// What is done to a file.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Missing,
    Cut(usize),
    ZeroFrom(usize),
    Flip(usize),
}

#[derive(Clone, Debug)]
enum Case {
    /// A file of the database, by its name in the database's folder.
    File { at: usize, name: PathBuf, harm: Harm },
    /// The whole database is missing.
    Missing { at: usize },
    /// The database is of this other boundary.
    Of { at: usize, database: usize },
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { at, name, harm } => write!(f, "at boundary {at}: {}: {harm:?}", name.display()),
            Self::Missing { at } => write!(f, "at boundary {at}: no database"),
            Self::Of { at, database } => write!(f, "at boundary {at}: the database of boundary {database}"),
        }
    }
}

/// The story of [`Entries`] step by step; what is on the disk after each, with the log still open.
fn points(folder: &Path) -> (Entries, Vec<Point>) {
    let live = folder.join("live");
    take_signed();
    let story = Entries::prepare(&live);
    let (log, mut told, mut signed) = (entries::open(&live).unwrap(), Told::default(), take_signed());
    let mut points = Vec::new();
    let mut note = |told: &Told| {
        signed.extend(take_signed());
        let target = folder.join(format!("point-{}", points.len()));
        world::copy(&live, &target);
        let (acknowledged, shown) = (told.acknowledged.clone(), told.shown.clone());
        points.push(Point { folder: target, acknowledged, shown, signed: signed.clone() });
    };
    note(&told);
    for step in [Some(1), None, Some(2), Some(3), None, Some(4)] {
        match step {
            Some(batch) => entries::append(&log, batch, &mut told).unwrap(),
            None => entries::publish(&log, &mut told).unwrap(),
        }
        note(&told);
    }
    (story, points)
}

/// The files in a folder and those inside it, by their paths in it.
fn files_below(folder: &Path, within: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder.join(within)).unwrap().flatten() {
        let name = within.join(entry.file_name());
        match entry.path().is_dir() {
            true => files.extend(files_below(folder, &name)),
            false => files.push(name),
        }
    }
    files.sort();
    files
}

/// Everything that is done to a file with these bytes.
fn harms(bytes: &[u8]) -> Vec<Harm> {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let spread = (0..16).map(|part| end * part / 16);
    let near_the_end = [1, 8, 16, 64, 256].into_iter().filter_map(|back| end.checked_sub(back));
    let places: Vec<usize> = spread.chain(near_the_end).filter(|place| *place < end).collect();
    let each = places.iter().flat_map(|place| [Harm::Cut(*place), Harm::ZeroFrom(*place), Harm::Flip(*place)]);
    [Harm::Missing, Harm::Cut(end)].into_iter().chain(each).collect()
}

fn cases(points: &[Point]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (at, point) in points.iter().enumerate() {
        let database = point.folder.join(DATABASE);
        for name in files_below(&database, Path::new("")) {
            let harms = harms(&fs::read(database.join(&name)).unwrap());
            cases.extend(harms.into_iter().map(|harm| Case::File { at, name: name.clone(), harm }));
        }
        cases.push(Case::Missing { at });
        cases.extend((0..points.len()).filter(|other| *other != at).map(|database| Case::Of { at, database }));
    }
    cases
}

fn do_harm(path: &Path, harm: Harm) {
    let mut bytes = fs::read(path).unwrap();
    match harm {
        Harm::Missing => return fs::remove_file(path).unwrap(),
        Harm::Cut(place) => bytes.truncate(place),
        Harm::ZeroFrom(place) => bytes[place..].fill(0),
        Harm::Flip(place) => bytes[place] ^= 1 << (place % 8),
    }
    fs::write(path, bytes).unwrap();
}

/// Runs a case; whether the log went on, or refused to start.
fn goes_on(story: &Entries, points: &[Point], case: &Case) -> bool {
    let (Case::File { at, .. } | Case::Missing { at } | Case::Of { at, .. }) = case;
    let (point, folder) = (&points[*at], tempfile::tempdir().unwrap());
    let live = folder.path().join("live");
    world::copy(&point.folder, &live);
    let database = live.join(DATABASE);
    match case {
        Case::File { name, harm, .. } => do_harm(&database.join(name), *harm),
        Case::Missing { .. } => fs::remove_dir_all(&database).unwrap(),
        Case::Of { database: other, .. } => {
            fs::remove_dir_all(&database).unwrap();
            world::copy(&points[*other].folder.join(DATABASE), &database);
        }
    }
    let _quick = Faults::watch(&live); // which needs no disk to be waited for
    take_signed();
    if let (Case::Of { .. }, Err(_)) = (case, entries::open(&live)) {
        assert!(take_signed().is_empty(), "{case}: it signed something and refused to start");
        return false;
    }
    let mut told = Told { acknowledged: point.acknowledged.clone(), shown: point.shown.clone() };
    let entries = story.audit(&live, &mut told);
    let signed: Vec<CheckpointNote> = point.signed.iter().cloned().chain(take_signed()).collect();
    audit::judge_told(&told, &signed, &entries);
    true
}

#[test]
fn a_log_survives_whatever_happens_to_its_database() {
    let (folder, began) = (tempfile::tempdir().unwrap(), Instant::now());
    let (story, points) = points(folder.path());
    let all = cases(&points);
    let run = some(&all, share().single);
    let mut refused = 0;
    for case in &run {
        let check = std::panic::AssertUnwindSafe(|| goes_on(&story, &points, case));
        match std::panic::catch_unwind(check) {
            Ok(true) => {}
            Ok(false) => refused += 1,
            Err(panic) => {
                eprintln!("the case was: {case}");
                std::panic::resume_unwind(panic)
            }
        }
    }
    let _ = writeln!(
        std::io::stderr(),
        "damage to the database: {} of {} cases at {} boundaries; {refused} starts with an older database refused; {} s",
        run.len(),
        all.len(),
        points.len(),
        began.elapsed().as_secs()
    );
}
