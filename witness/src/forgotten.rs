//! Of which logs a folder counts once it is known to have forgotten something.
//!
//! A folder that was begun to restore what was lost, or that is an older copy, remembers too little of any log, however whole it looks.
//! It says so by a file with a line for each such occasion; from then on nothing in it counts of a log before its operator has
//! given that log's memory back. Who does that for a log leaves a copy of those lines beside it: so a further occasion ends all
//! that was given back before, by one write.

use crate::log::Log;
use isonomy_store::files::{self, FileError};
use std::path::{Path, PathBuf};

const FILE: &str = "forgotten";
const REINSTATED: &str = "reinstated";
const MAX_SIZE: usize = 4096;

/// How it became known that a folder has forgotten something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// It was begun to restore what was lost.
    Lost,
    /// A request has shown a later cosignature than it remembers.
    OlderCopy,
}

impl Cause {
    fn line(self) -> &'static [u8] {
        match self {
            Self::Lost => b"lost\n",
            Self::OlderCopy => b"older-copy\n",
        }
    }
}

/// What a folder is known to have forgotten.
pub(crate) struct Forgotten {
    folder: PathBuf,
}

impl Forgotten {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// From now on nothing counts of any log before it is given back.
    pub(crate) fn note(&self, cause: Cause) -> Result<(), FileError> {
        let mut lines = self.lines()?.unwrap_or_default();
        lines.extend_from_slice(cause.line());
        files::replace(&self.folder.join(FILE), &lines)
    }

    /// Why nothing counts of this log; `None` if what is there does.
    pub(crate) fn why(&self, log: &Log) -> Result<Option<Cause>, FileError> {
        let Some(lines) = self.lines()? else { return Ok(None) };
        if files::read_limited(&self.reinstated(log), MAX_SIZE)?.as_ref() == Some(&lines) {
            return Ok(None);
        }
        Ok(Some(if lines.ends_with(Cause::OlderCopy.line()) { Cause::OlderCopy } else { Cause::Lost }))
    }

    /// What is there of this log counts again: its operator has seen to it.
    pub(crate) fn reinstate(&self, log: &Log) -> Result<(), FileError> {
        let Some(lines) = self.lines()? else { return Ok(()) };
        files::create_dir_all_durable(&self.folder.join(REINSTATED))?;
        files::replace(&self.reinstated(log), &lines)
    }

    fn lines(&self) -> Result<Option<Vec<u8>>, FileError> {
        files::read_limited(&self.folder.join(FILE), MAX_SIZE)
    }

    fn reinstated(&self, log: &Log) -> PathBuf {
        self.folder.join(REINSTATED).join(log.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::log;

    #[test]
    fn what_is_given_back_counts_until_the_next_occasion() {
        let folder = tempfile::tempdir().unwrap();
        let forgotten = Forgotten::new(folder.path());
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
    fn what_cant_be_read_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let forgotten = Forgotten::new(folder.path());
        forgotten.note(Cause::Lost).unwrap();
        forgotten.reinstate(&log()).unwrap();
        std::fs::write(folder.path().join(FILE), b"").unwrap();
        assert_eq!(forgotten.why(&log()).unwrap(), Some(Cause::Lost));
        std::fs::write(folder.path().join(FILE), [b'x'; MAX_SIZE + 1]).unwrap();
        assert!(forgotten.why(&log()).is_err());
    }
}
