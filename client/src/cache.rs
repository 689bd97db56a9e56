//! The content of the list in force, as files. Nothing of it is believed: it is verified against the state at every
//! opening.

use isonomy_core::hash::StatementId;
use isonomy_core::list::Entries;
use isonomy_core::statement::{MAX_STATEMENT_SIZE, Statement};
use isonomy_store::files::{self, FileError};
use isonomy_verifier::list::ReopenError;
use isonomy_verifier::state::Accepted;
use isonomy_verifier::{Policy, State, VerifiedList};
use serde::Serialize;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

/// What a client found in its cache when it was opened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum CacheReport {
    /// No release was accepted yet.
    Empty,
    /// The list in force.
    Intact,
    /// Nothing: the next update fetches the content anew.
    Missing,
    /// The list in force, of which nobody knows how old it is: the client was recovered, and has forgotten what was witnessed.
    /// The next update tells.
    Recovered,
    /// Something else than the list in force. A client that opens it sets it aside, and the next update fetches the
    /// content anew.
    Damaged {
        /// What is wrong with it.
        reason: String,
        /// Where it is now; absent if it was not, or could not be, moved.
        #[serde(skip_serializing_if = "Option::is_none")]
        set_aside: Option<PathBuf>,
    },
    /// The list in force, which the policy does not accept: the policy must have changed.
    Refused {
        /// Why.
        reason: String,
    },
}

/// The cache of a client's folder.
#[derive(Debug)]
pub(crate) struct Cache {
    path: PathBuf,
    damaged: PathBuf,
}

/// Why the cache does not give the list in force.
enum Unopened {
    Missing,
    Damaged(String),
    Refused(String),
}

impl Cache {
    pub(crate) fn new(path: PathBuf, damaged: PathBuf) -> Self {
        Self { path, damaged }
    }

    /// The list that `state` has in force, if it is here. A damaged cache is set aside, and what is left over from
    /// before is removed. A cache that is a link is read, and nothing is removed where it leads: that may be anything.
    pub(crate) fn open(&self, policy: &Policy, state: &State) -> (Option<VerifiedList>, CacheReport) {
        let (list, mut report) = self.look(policy, state);
        if let CacheReport::Damaged { set_aside, .. } = &mut report {
            *set_aside = self.set_aside().ok();
        } else {
            let kept = state.accepted().map(|accepted| [accepted.release, accepted.charter]);
            self.keep_only(kept.as_ref().map_or(&[], |kept| kept));
        }
        (list, report)
    }

    /// The list that `state` has in force, if it is here. Nothing is changed.
    pub(crate) fn look(&self, policy: &Policy, state: &State) -> (Option<VerifiedList>, CacheReport) {
        let Some(accepted) = state.accepted() else {
            return (None, CacheReport::Empty);
        };
        if state.checkpoint().is_none() {
            return (None, CacheReport::Recovered);
        }
        match self.reopen(policy, state, accepted) {
            Ok(list) => (Some(list), CacheReport::Intact),
            Err(Unopened::Missing) => (None, CacheReport::Missing),
            Err(Unopened::Refused(reason)) => (None, CacheReport::Refused { reason }),
            Err(Unopened::Damaged(reason)) => (None, CacheReport::Damaged { reason, set_aside: None }),
        }
    }

    fn reopen(&self, policy: &Policy, state: &State, accepted: &Accepted) -> Result<VerifiedList, Unopened> {
        let release = self.read(&note(&accepted.release), MAX_STATEMENT_SIZE)?;
        let charter = self.read(&note(&accepted.charter), MAX_STATEMENT_SIZE)?;
        let (Some(release), Some(charter)) = (release, charter) else {
            return Err(self.incomplete());
        };
        let entries = self.read_entries(accepted, &release, &charter)?;
        VerifiedList::reopen(policy, state, &charter, &release, entries).map_err(|error| match error {
            ReopenError::Policy(_) | ReopenError::OtherPolicy => Unopened::Refused(error.to_string()),
            _ => Unopened::Damaged(error.to_string()),
        })
    }

    /// The entries. How many there are is asked of the release only after it has proven to be the one in force, so that
    /// a damaged cache can't claim memory.
    fn read_entries(&self, accepted: &Accepted, release: &[u8], charter: &[u8]) -> Result<Entries, Unopened> {
        let release = Statement::parse(release).ok().and_then(Statement::into_release);
        let charter = Statement::parse(charter).ok().and_then(Statement::into_charter);
        let (Some(release), Some(charter)) = (
            release.filter(|release| release.id() == accepted.release),
            charter.filter(|charter| charter.id() == accepted.charter),
        ) else {
            return Err(Unopened::Damaged("a kept statement is not the one that was accepted".to_owned()));
        };
        let size = charter.body().matching.algorithm.entry_size();
        let length = usize::try_from(release.body().entries).ok().and_then(|entries| entries.checked_mul(size));
        let too_long = || Unopened::Damaged("the list is too long for this machine".to_owned());
        let bytes = self.read(&entries(&accepted.release), length.ok_or_else(too_long)?)?;
        let bytes = bytes.ok_or_else(|| self.incomplete())?;
        Entries::from_sorted(size, bytes).map_err(|error| Unopened::Damaged(error.to_string()))
    }

    fn read(&self, name: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, Unopened> {
        files::read_regular(&self.path.join(name), max_bytes).map_err(|error| Unopened::Damaged(error.to_string()))
    }

    /// What it means that a file isn't there.
    fn incomplete(&self) -> Unopened {
        let is_empty = fs::read_dir(&self.path).map_or(true, |mut files| files.next().is_none());
        if is_empty {
            Unopened::Missing
        } else {
            Unopened::Damaged("a part of the list in force is missing".to_owned())
        }
    }

    /// Makes the content of `list` durable, beside what is there.
    pub(crate) fn store(&self, list: &VerifiedList) -> Result<(), FileError> {
        files::create_dir_all_durable(&self.path)?;
        let (release, charter) = (list.signed_release(), list.signed_charter());
        files::replace(&self.path.join(entries(&release.id())), list.entries().as_bytes())?;
        files::replace(&self.path.join(note(&release.id())), &release.to_bytes())?;
        files::replace(&self.path.join(note(&charter.id())), &charter.to_bytes())
    }

    /// Removes all files but those of these statements. What can't be removed does no harm, and is tried again.
    pub(crate) fn keep_only(&self, kept: &[StatementId]) {
        let kept: Vec<String> = kept.iter().flat_map(|id| [entries(id), note(id)]).collect();
        if !fs::symlink_metadata(&self.path).is_ok_and(|cache| cache.is_dir()) {
            return;
        }
        let Ok(files) = fs::read_dir(&self.path) else {
            return;
        };
        for file in files.flatten().filter(|file| !kept.iter().any(|name| file.file_name() == OsStr::new(name))) {
            let _ = fs::remove_file(file.path());
        }
    }

    /// Moves the whole cache away, in place of the one that was moved away before.
    fn set_aside(&self) -> Result<PathBuf, FileError> {
        if self.damaged.exists() {
            let failed = |source| FileError::Io { action: "remove", path: self.damaged.clone(), source };
            fs::remove_dir_all(&self.damaged).map_err(failed)?;
        }
        files::rename_durable(&self.path, &self.damaged)?;
        Ok(self.damaged.clone())
    }
}

fn entries(release: &StatementId) -> String {
    format!("{}.entries", release.to_hex())
}

fn note(id: &StatementId) -> String {
    format!("{}.note", id.to_hex())
}
