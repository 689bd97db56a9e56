//! Of which logs a folder counts once it is known to have forgotten something.
//!
//! A folder that was begun to restore what was lost, or that is an older copy, remembers too little of any log, however whole it looks.
//! It says so by a file with a line for each such occasion; from then on nothing in it counts of a log before its operator has
//! given that log's memory back. Who does that for a log leaves a copy of those lines beside it: so a further occasion ends all
//! that was given back before, by one write. Of very many occasions their digest stands there in one line, and the last one.

use crate::log::Log;
use crate::state::StateError;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use isonomy_store::files::{self, FileError};
use isonomy_store::kv::Tree;
use std::path::{Path, PathBuf};

const FILE: &str = "forgotten";
const REINSTATED: &str = "reinstated";
/// No more is read: what earlier versions wrote, of thousands of occasions.
const MAX_SIZE: usize = 64 << 10;
/// More is not written: it becomes its digest.
const MAX_KEPT: usize = 2048;
/// The key of the copy in the database.
const KEY: &[u8] = b"forgotten";

/// How it became known that a folder has forgotten something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// It was begun to restore what was lost.
    Lost,
    /// A request has shown a later cosignature than it remembers.
    OlderCopy,
}

impl Cause {
    const ALL: [Self; 2] = [Self::Lost, Self::OlderCopy];

    fn line(self) -> &'static [u8] {
        match self {
            Self::Lost => b"lost\n",
            Self::OlderCopy => b"older-copy\n",
        }
    }
}

/// What a folder is known to have forgotten: the file, and a copy of it in the database.
pub(crate) struct Forgotten {
    folder: PathBuf,
    copy: Tree,
}

impl Forgotten {
    /// What is written down in a folder that is begun to restore what was lost, before there is a database.
    pub(crate) fn begin(folder: &Path) -> Result<(), FileError> {
        files::replace(&folder.join(FILE), Cause::Lost.line())
    }

    /// What this folder, whose database has this tree, is known to have forgotten. One of the two copies that is lost or damaged is
    /// an occasion of its own.
    pub(crate) fn open(folder: &Path, copy: Tree) -> Result<Self, StateError> {
        let forgotten = Self { folder: folder.to_owned(), copy };
        if let Some(lines) = forgotten.lines()? {
            forgotten.write(&lines)?;
        }
        Ok(forgotten)
    }

    /// From now on nothing counts of any log before it is given back.
    pub(crate) fn note(&self, cause: Cause) -> Result<(), StateError> {
        let lines = self.lines()?.unwrap_or_default();
        self.write(&with(&lines, cause))
    }

    fn write(&self, lines: &[u8]) -> Result<(), StateError> {
        files::replace(&self.folder.join(FILE), lines)?;
        Ok(self.copy.put(KEY, lines)?)
    }

    /// Why nothing counts of this log; `None` if what is there does.
    pub(crate) fn why(&self, log: &Log) -> Result<Option<Cause>, StateError> {
        let Some(lines) = self.lines()? else { return Ok(None) };
        if files::read_limited(&self.reinstated(log), MAX_SIZE)?.as_ref() == Some(&lines) {
            return Ok(None);
        }
        Ok(Some(if lines.ends_with(Cause::OlderCopy.line()) { Cause::OlderCopy } else { Cause::Lost }))
    }

    /// What is there of this log counts again: its operator has seen to it.
    pub(crate) fn reinstate(&self, log: &Log) -> Result<(), StateError> {
        let Some(lines) = self.lines()? else { return Ok(()) };
        files::create_dir_all_durable(&self.folder.join(REINSTATED))?;
        Ok(files::replace(&self.reinstated(log), &lines)?)
    }

    fn lines(&self) -> Result<Option<Vec<u8>>, StateError> {
        let file = files::read_limited(&self.folder.join(FILE), MAX_SIZE)?;
        Ok(match (file, self.copy.get(KEY)?) {
            (None, None) if !self.folder.join(REINSTATED).exists() => None,
            // The file is written first.
            (Some(file), copy) if copy.as_ref().is_none_or(|copy| goes_on(&file, copy)) => Some(file),
            (file, copy) => {
                let [file, copy] = [file, copy].map(Option::unwrap_or_default);
                Some(with(&[copy, file].concat(), Cause::Lost))
            }
        })
    }

    fn reinstated(&self, log: &Log) -> PathBuf {
        self.folder.join(REINSTATED).join(log.id())
    }
}

/// These lines and one more. Of too many it is a line with the digest of all, and the last one: no copy that was made before is the
/// same, and none that is made later will be.
fn with(lines: &[u8], cause: Cause) -> Vec<u8> {
    let all = [lines, cause.line()].concat();
    if all.len() <= MAX_KEPT {
        return all;
    }
    [b"before ", to_hex(&sha256(&[&all])).as_bytes(), b"\n", cause.line()].concat()
}

/// Whether these lines are those ones, and what came after.
fn goes_on(lines: &[u8], before: &[u8]) -> bool {
    lines.starts_with(before) || Cause::ALL.iter().any(|cause| lines == with(before, *cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::log;
    use isonomy_store::kv::Store;

    fn open(folder: &Path) -> Forgotten {
        let store = Store::open(&folder.join("database")).unwrap();
        Forgotten::open(folder, store.tree("meta").unwrap()).unwrap()
    }

    #[test]
    fn what_is_given_back_counts_until_the_next_occasion() {
        let folder = tempfile::tempdir().unwrap();
        let forgotten = open(folder.path());
        let why = || forgotten.why(&log()).unwrap();
        forgotten.reinstate(&log()).unwrap();
        assert_eq!(why(), None);
        for cause in [Cause::Lost, Cause::OlderCopy, Cause::OlderCopy] {
            forgotten.note(cause).unwrap();
            assert_eq!(why(), Some(cause));
            forgotten.reinstate(&log()).unwrap();
            assert_eq!(why(), None);
        }
    }

    #[test]
    fn any_number_of_occasions_end_what_was_given_back_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut forgotten = open(folder.path());
        let (file, copy) = (folder.path().join(FILE), forgotten.reinstated(&log()));
        let mut given_back = std::collections::BTreeSet::new();
        for number in 0..1000 {
            let cause = Cause::ALL[usize::from(number % 3 > 0)];
            forgotten.note(cause).unwrap();
            assert_eq!(forgotten.why(&log()).unwrap(), Some(cause), "{number}");
            forgotten.reinstate(&log()).unwrap();
            assert_eq!(forgotten.why(&log()).unwrap(), None, "{number}");
            let lines = std::fs::read(&file).unwrap();
            assert!(lines.len() <= MAX_KEPT, "{number}: {}", lines.len());
            assert!(given_back.insert(std::fs::read(&copy).unwrap()), "{number}: none is what was given back before");
            if number % 100 == 99 {
                drop(forgotten);
                forgotten = open(folder.path());
                assert_eq!(forgotten.why(&log()).unwrap(), None, "{number}: after a start, too");
            }
        }
    }

    /// Killed between the two writes, at whichever occasion, also where the lines become a digest.
    #[test]
    fn an_occasion_that_only_the_file_says_is_completed() {
        for before in [0, 1, MAX_KEPT / Cause::OlderCopy.line().len(), 300] {
            let folder = tempfile::tempdir().unwrap();
            let forgotten = open(folder.path());
            (0..before).for_each(|_| forgotten.note(Cause::OlderCopy).unwrap());
            forgotten.reinstate(&log()).unwrap();
            let lines = with(&forgotten.lines().unwrap().unwrap_or_default(), Cause::OlderCopy);
            drop(forgotten);
            std::fs::write(folder.path().join(FILE), &lines).unwrap();
            let forgotten = open(folder.path());
            assert_eq!(forgotten.why(&log()).unwrap(), Some(Cause::OlderCopy), "{before}");
            assert_eq!(forgotten.copy.get(KEY).unwrap(), Some(lines), "{before}: and nothing more");
        }
    }

    /// What an earlier version wrote, of more occasions than it could read.
    #[test]
    fn lines_of_very_many_occasions_are_read_and_become_fewer() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), Cause::OlderCopy.line().repeat(1000)).unwrap();
        let forgotten = open(folder.path());
        assert_eq!(forgotten.why(&log()).unwrap(), Some(Cause::OlderCopy));
        forgotten.reinstate(&log()).unwrap();
        assert_eq!(forgotten.why(&log()).unwrap(), None);
        forgotten.note(Cause::OlderCopy).unwrap();
        assert_eq!(forgotten.why(&log()).unwrap(), Some(Cause::OlderCopy));
        assert!(std::fs::read(folder.path().join(FILE)).unwrap().len() <= MAX_KEPT);
    }

    #[test]
    fn a_copy_that_is_lost_or_damaged_is_an_occasion_of_its_own() {
        for harm in [
            |folder: &Path| std::fs::remove_file(folder.join(FILE)).unwrap(),
            |folder: &Path| std::fs::write(folder.join(FILE), b"").unwrap(),
            |folder: &Path| std::fs::write(folder.join(FILE), b"lost\nolder-copy\n").unwrap(),
            |folder: &Path| drop(std::fs::remove_dir_all(folder.join("database"))),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let forgotten = open(folder.path());
            for cause in [Cause::Lost, Cause::Lost] {
                forgotten.note(cause).unwrap();
            }
            forgotten.reinstate(&log()).unwrap();
            drop(forgotten);
            harm(folder.path());
            let forgotten = open(folder.path());
            let is_whole = std::fs::read(folder.path().join(FILE)).unwrap() == b"lost\nlost\n";
            // The file alone says all that there was; the database is checked where it is opened.
            assert_eq!(forgotten.why(&log()).unwrap(), (!is_whole).then_some(Cause::Lost));
            forgotten.reinstate(&log()).unwrap();
            assert_eq!(forgotten.why(&log()).unwrap(), None);
            drop(forgotten);
            assert_eq!(open(folder.path()).why(&log()).unwrap(), None, "said once");
        }
    }

    /// As a folder of before there was a copy in the database.
    #[test]
    fn what_was_given_back_says_that_something_was_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(REINSTATED)).unwrap();
        assert_eq!(open(folder.path()).why(&log()).unwrap(), Some(Cause::Lost));
        let (other, is_begun) = (tempfile::tempdir().unwrap(), Cause::Lost.line());
        Forgotten::begin(other.path()).unwrap();
        let forgotten = open(other.path());
        assert_eq!(forgotten.copy.get(KEY).unwrap().as_deref(), Some(is_begun));
    }

    #[test]
    fn what_cant_be_read_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let forgotten = open(folder.path());
        forgotten.note(Cause::Lost).unwrap();
        forgotten.reinstate(&log()).unwrap();
        std::fs::write(folder.path().join(FILE), b"").unwrap();
        assert_eq!(forgotten.why(&log()).unwrap(), Some(Cause::Lost));
        std::fs::write(folder.path().join(FILE), [b'x'; MAX_SIZE + 1]).unwrap();
        assert!(forgotten.why(&log()).is_err());
    }
}
