//! When a client's folder has something newer.

use crate::shelf::Shelf;
use isonomy_client::{Client, ClientError};
use isonomy_core::hash::ObjectDigest;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_matcher::Matcher;
use isonomy_matcher::lookup::{CROWDED, LookupError};
use isonomy_verifier::{Policy, VerifiedList};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A list that is served: the folder in which a client keeps it, and what is accepted of it.
#[derive(Clone, Debug)]
pub struct ListFolder {
    /// The policy.
    pub policy: Policy,
    /// The client's folder. It is only read.
    pub state: PathBuf,
}

/// Why a list can't be taken from its folder.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The folder is not a client's, is damaged, or does not suit the policy.
    #[error("{list}: {source}")]
    Client {
        /// The list.
        list: ListName,
        /// What is wrong.
        source: Box<ClientError>,
    },
    /// No release is at hand yet.
    #[error("{list}: no verified release is at hand; run `isonomy client update`")]
    Nothing {
        /// The list.
        list: ListName,
    },
    /// The folder has an older release than the one in force, as if an old copy had been put in its place, or another of its version.
    #[error(
        "{list}: version {found} in the folder is not newer than version {in_force}, which is in force and another release; whoever \
         put an old copy of the folder there gets the newest by `isonomy client update`, or starts the service again"
    )]
    NotNewer {
        /// The list.
        list: ListName,
        /// What the folder has.
        found: u64,
        /// What is in force.
        in_force: u64,
    },
    /// The folder has the release in force, as of an earlier time: what was witnessed since would be forgotten.
    #[error(
        "{list}: the folder knows version {version} as of {found}, and it is in force as of {in_force}; whoever put an old copy of the \
         folder there, or recovered it, gets the newest by `isonomy client update`, or starts the service again"
    )]
    OlderKnowledge {
        /// The list.
        list: ListName,
        /// The version of both.
        version: u64,
        /// The latest witnessed time in the folder.
        found: Timestamp,
        /// The latest that is known.
        in_force: Timestamp,
    },
    /// The list can't be made ready.
    #[error("{list}: {source}")]
    Lookup {
        /// The list.
        list: ListName,
        /// Why.
        source: LookupError,
    },
}

/// What a folder looked like.
type Mark = Vec<(std::ffi::OsString, Option<SystemTime>, u64)>;

/// A folder that is looked at again and again.
#[derive(Debug)]
pub struct Watched {
    folder: ListFolder,
    mark: Option<Mark>,
    /// The evidence because of which its client updates it no more. It stays, whatever is put in the folder's place: the log has shown
    /// two histories.
    halted: Option<ObjectDigest>,
    /// Why the last look failed, if it did.
    failed: Option<String>,
}

impl Watched {
    /// A folder that was not looked at yet.
    pub fn new(folder: ListFolder) -> Self {
        Self { folder, mark: None, halted: None, failed: None }
    }

    /// The list that is kept there.
    pub fn list(&self) -> &ListName {
        self.folder.policy.list()
    }

    /// Looks, as [`Watched::look`] does. Of looks that fail one after the other the first is said, each other reason, and when one does not
    /// fail any more.
    pub fn look_again(&mut self, shelf: &Shelf, now: Timestamp) -> Result<bool, WatchError> {
        let looked = self.look(shelf);
        let since = shelf.looked(self.list(), looked.is_err().then_some(now));
        let failed = looked.as_ref().err().map(ToString::to_string);
        match (&failed, since) {
            (Some(why), _) if self.failed.as_ref() != Some(why) => tracing::error!("the list in force stays: {why}"),
            (None, Some(since)) => {
                tracing::warn!(list = %self.list(), "its folder, which could not be used since {since}, can be used again");
            }
            _ => {}
        }
        self.failed = failed;
        looked
    }

    /// Puts on the shelf what the folder has, if anything has changed there; says whether it has. Everything is verified, as
    /// at any opening; the tables are made anew only for another release. What is known never becomes less: neither an older release nor
    /// older knowledge of the same one is taken.
    pub fn look(&mut self, shelf: &Shelf) -> Result<bool, WatchError> {
        let mark = mark(&self.folder.state);
        if self.mark.as_ref() == Some(&mark) {
            return Ok(false);
        }
        let name = self.list().clone();
        let failed = |source| WatchError::Client { list: name.clone(), source: Box::new(source) };
        let client = Client::open_read_only(&self.folder.state, self.folder.policy.clone()).map_err(failed)?;
        // Before the folder is refused for whatever else: that the log has shown two histories is no matter of its age.
        if let Some(evidence) = client.state().halted().filter(|_| self.halted.is_none()) {
            report_halt(&name, evidence);
            shelf.halt(&name, *evidence);
            self.halted = Some(*evidence);
        }
        let list = client.list().cloned().ok_or_else(|| WatchError::Nothing { list: name.clone() })?;
        let matcher = match shelf.current(&name) {
            Some(current) => {
                check_newer(current.list(), &list)?;
                current.renewed(list.clone())
            }
            None => None,
        };
        let anew = || Matcher::new(list).map_err(|source| WatchError::Lookup { list: name.clone(), source });
        let matcher = matcher.map_or_else(anew, Ok)?;
        report(&matcher);
        shelf.put(matcher, self.halted);
        self.mark = Some(mark);
        Ok(true)
    }
}

/// Refuses another release that is not newer than the one in force, and the same one as it was known before.
fn check_newer(current: &VerifiedList, list: &VerifiedList) -> Result<(), WatchError> {
    let name = || list.name().clone();
    if list.accepted().release != current.accepted().release {
        let (found, in_force) = (list.version(), current.version());
        return if found > in_force { Ok(()) } else { Err(WatchError::NotNewer { list: name(), found, in_force }) };
    }
    let (found, in_force) = (list.witnessed_now(), current.witnessed_now());
    if found >= in_force {
        return Ok(());
    }
    Err(WatchError::OlderKnowledge { list: name(), version: list.version(), found, in_force })
}

/// Says that a list is updated no more.
fn report_halt(list: &ListName, evidence: &ObjectDigest) {
    tracing::warn!(
        %list, %evidence,
        "updates have stopped, since the log showed two histories; the list in force is matched until it expires"
    );
}

fn report(matcher: &Matcher) {
    let (list, index) = (matcher.list(), matcher.index());
    tracing::info!(list = %list.name(), version = list.version(), entries = index.len(), "in force");
    if index.crowding() >= CROWDED {
        let crowding = (index.crowding() * 100.0).round();
        tracing::warn!(
            list = %list.name(),
            "{crowding} % of the entries are variants of few pictures; lookups near them take as long as a scan of the list"
        );
    }
}

/// Names, times and sizes of what lies directly in the folder; an update changes them.
fn mark(folder: &Path) -> Mark {
    let Ok(entries) = std::fs::read_dir(folder) else { return Mark::new() };
    let mark = |entry: std::fs::DirEntry| {
        let metadata = entry.metadata().ok()?;
        Some((entry.file_name(), metadata.modified().ok(), metadata.len()))
    };
    let mut marks: Mark = entries.flatten().filter_map(mark).collect();
    marks.sort();
    marks
}
