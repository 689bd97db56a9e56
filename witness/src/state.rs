//! The data folder: each log's record twice over, and evidence. The crate's documentation draws it.

use crate::evidence::{self, Fork, Kind, Refused};
use crate::forgotten::{Cause, Forgotten};
use crate::log::Log;
use crate::record::{Copies, MAX_RECORD_SIZE, Record, compare};
use crate::shown::Shown;
use isonomy_core::note::VerifierKey;
use isonomy_core::tree::TreeSize;
use isonomy_store::files::{self, FileError, FolderLock, LOCK_FILE};
use isonomy_store::kv::{Store, Tree};
use std::path::{Path, PathBuf};

/// The most files of evidence that are kept of each kind and log. More of them would prove no more.
pub(crate) const MAX_EVIDENCE: usize = 100;
/// Of refused checkpoints, so many are never replaced by later ones.
const KEPT_FOR_GOOD: usize = MAX_EVIDENCE / 2;

mod error;

pub use error::StateError;
pub(crate) use error::{ADVICE, NOT_REINSTATED, OLDER_COPY, Unknown};

const MARKER: &str = "witness";
const INITIALISING: &str = "initialising";
const LOGS: &str = "logs";
const EVIDENCE: &str = "evidence";
const SHOWN: &str = "shown";
/// What `initialising` says of a folder that is begun to restore what was lost.
const RESTORED: &[u8] = b"restored";
const DATABASE: &str = "database";
/// No file of evidence is larger: three checkpoints and a proof, in JSON.
const MAX_EVIDENCE_SIZE: usize = 4 * MAX_RECORD_SIZE;
/// The key of the marker's copy in the database, which tells that the database is not a new one.
const MARKER_KEY: &[u8] = b"marker";
const MAX_MARKER_SIZE: usize = 4096;

/// How a data folder begins that is missing or empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Beginning {
    /// As that of a new witness.
    New,
    /// As that of one that has lost its memory.
    Restored,
}

/// What became of a file of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is kept here now.
    At(PathBuf),
    /// It is kept here now, in the place of the file with this name.
    InPlaceOf(PathBuf, String),
    /// It was kept before.
    Before,
    /// It is not kept: there are [`MAX_EVIDENCE`] of its kind and log.
    Full,
}

/// The open data folder. What a call that writes has returned `Ok` for survives a power cut.
pub(crate) struct State {
    folder: PathBuf,
    records: Tree,
    forgotten: Forgotten,
    _lock: FolderLock,
}

/// The two copies of a log's record, unread.
pub(crate) struct Stored {
    pub(crate) file: Option<Vec<u8>>,
    pub(crate) database: Option<Vec<u8>>,
}

impl State {
    /// Opens the folder of the witness with this key, which has one: what is lost is not taken for new.
    pub(crate) fn open(folder: &Path, witness: &VerifierKey) -> Result<Self, StateError> {
        if !folder.is_dir() || is_empty(folder)? {
            return Err(StateError::NoMemory { folder: folder.to_owned() });
        }
        Self::begin(folder, witness, Beginning::New)
    }

    /// The same, and makes a missing or empty folder into that of a witness that remembers nothing.
    pub(crate) fn begin(folder: &Path, witness: &VerifierKey, beginning: Beginning) -> Result<Self, StateError> {
        files::create_dir_all_durable(folder)?;
        let lock = FolderLock::acquire(folder)?;
        let marker = format!("isonomy-witness/v1\n{witness}\n");
        match files::read_limited(&folder.join(MARKER), MAX_MARKER_SIZE)? {
            None => initialise(folder, &marker, beginning)?,
            Some(found) if found == marker.as_bytes() => {}
            Some(_) => {
                return Err(StateError::OtherWitness { folder: folder.to_owned(), key: witness.to_string() });
            }
        }
        files::remove_durable(&folder.join(INITIALISING))?;
        let (records, meta) = open_database(folder, &marker)?;
        for inside in ["", LOGS, EVIDENCE, SHOWN].map(|name| folder.join(name)) {
            files::create_dir_all_durable(&inside)?;
            files::remove_temporaries(&inside)?;
        }
        Ok(Self { folder: folder.to_owned(), records, forgotten: Forgotten::open(folder, meta)?, _lock: lock })
    }

    /// The record of a log, if its two copies leave no doubt. Completes a write that was interrupted.
    pub(crate) fn load(&self, log: &Log, witness: &VerifierKey) -> Result<Option<Record>, Unknown> {
        let parse = |place: &str, bytes: Option<Vec<u8>>| {
            let record = bytes.map(|bytes| Record::parse(&bytes, log, witness)).transpose();
            record.map_err(|error| Unknown::Doubtful(format!("{place} is damaged: {error}")))
        };
        let Stored { file, database } = self.read(log)?;
        let record = match compare(parse("its file", file)?, parse("its entry in the database", database)?) {
            Copies::Agree(record) => record,
            Copies::Doubtful(why) => return Err(Unknown::Doubtful(why.to_owned())),
            Copies::Interrupted(record) => {
                tracing::warn!(log = log.origin(), size = record.size().0, "completing a write that was interrupted");
                self.write(log, &record)?;
                Some(record)
            }
        };
        if self.shown(log, witness)?.is_some_and(|shown| shown.exceeds(record.as_ref())) {
            return Err(Unknown::OlderCopy);
        }
        match self.forgotten.why(log)? {
            Some(Cause::Lost) => Err(Unknown::NotRestored),
            Some(Cause::OlderCopy) => Err(Unknown::NotReinstated),
            None => Ok(record),
        }
    }

    /// Takes note of what was shown of a log while nothing was known of it to compare with, and now proves an older copy.
    pub(crate) fn heed_shown(&self, logs: &[Log], witness: &VerifierKey) -> Result<(), StateError> {
        for log in logs {
            if matches!(self.load(log, witness), Err(Unknown::OlderCopy)) && self.forgotten.why(log)?.is_none() {
                self.note_older_copy()?;
            }
        }
        Ok(())
    }

    /// Takes note that this folder is an older copy: of no log it counts any more.
    pub(crate) fn note_older_copy(&self) -> Result<(), StateError> {
        self.forgotten.note(Cause::OlderCopy)
    }

    /// What is there of this log counts, also if the folder has forgotten something.
    pub(crate) fn reinstate(&self, log: &Log) -> Result<(), StateError> {
        self.forgotten.reinstate(log)
    }

    /// The cosignature of this witness that a request has shown, if one is kept.
    pub(crate) fn shown(&self, log: &Log, witness: &VerifierKey) -> Result<Option<Shown>, Unknown> {
        let path = self.shown_file(log);
        let damaged = || {
            Unknown::Doubtful(format!("{}, a checkpoint that was shown to this witness, is damaged", path.display()))
        };
        let bytes = match files::read_limited(&path, MAX_RECORD_SIZE) {
            Err(FileError::TooLarge { .. }) => return Err(damaged()),
            result => result?,
        };
        let Some(bytes) = bytes else { return Ok(None) };
        Shown::parse(&bytes, log, witness).map(Some).ok_or_else(damaged)
    }

    /// The bytes of both copies. A file that is too large for a record reads as empty, which is none
    /// either.
    pub(crate) fn read(&self, log: &Log) -> Result<Stored, StateError> {
        let id = log.id();
        let file = match files::read_limited(&self.file(&id), MAX_RECORD_SIZE) {
            Err(FileError::TooLarge { .. }) => Some(Vec::new()),
            result => result?,
        };
        let database = self.records.get(id.as_bytes())?;
        Ok(Stored { file, database })
    }

    /// Stores a record in both places. After an error the next [`Self::load`] tells what is there.
    pub(crate) fn write(&self, log: &Log, record: &Record) -> Result<(), StateError> {
        let (id, bytes) = (log.id(), record.to_bytes());
        files::replace(&self.file(&id), &bytes)?;
        Ok(self.records.put(id.as_bytes(), &bytes)?)
    }

    /// Keeps the evidence of a fork.
    pub(crate) fn keep(&self, log: &Log, fork: &Fork) -> Result<Kept, StateError> {
        self.keep_file(&fork.name(log), &Kind::Fork.prefix(log), &fork.to_text()?)
    }

    /// The same with a refused checkpoint. However many of these there are, they take no place from forks. Anybody can send what the
    /// log had long ago, with a wrong proof, to a witness that is behind; so where there are too many, one goes that is no larger than
    /// what was cosigned since. But never one of the first: the log itself could send so many that what it did before is gone.
    pub(crate) fn keep_refused(&self, log: &Log, refused: &Refused) -> Result<Kept, StateError> {
        let (name, prefix, text) = (refused.name(log), Kind::Refused.prefix(log), refused.to_text()?);
        let kept = self.keep_file(&name, &prefix, &text)?;
        if kept != Kept::Full {
            return Ok(kept);
        }
        let Some(dropped) = self.overtaken(&prefix, refused.known_size())? else { return Ok(kept) };
        // The new one first: where the disk is full, that one stays.
        let folder = self.folder.join(EVIDENCE);
        files::create_new(&folder.join(&name), text.as_bytes())?;
        files::remove_durable(&folder.join(&dropped))?;
        Ok(Kept::InPlaceOf(folder.join(&name), dropped))
    }

    /// The oldest of the refused checkpoints that are no larger than this, but for the first [`KEPT_FOR_GOOD`] of all.
    fn overtaken(&self, prefix: &str, cosigned: TreeSize) -> Result<Option<String>, StateError> {
        let mut all = Vec::new();
        for name in self.evidence_names()?.into_iter().filter(|name| name.starts_with(prefix)) {
            let file = self.evidence(&name)?.unwrap_or_default();
            // What can't be read is for a person to look at.
            all.extend(Refused::received_in(&file).map(|(received, size)| (received, name, size)));
        }
        all.sort();
        let later = all.into_iter().skip(KEPT_FOR_GOOD);
        Ok(later.filter(|(_, _, size)| *size <= cosigned).map(|(_, name, _)| name).next())
    }

    /// Drops the refused checkpoint with this text, which was then shown to follow.
    pub(crate) fn drop_refused(&self, log: &Log, text: &str) -> Result<(), StateError> {
        let path = self.folder.join(EVIDENCE).join(Refused::name_of(log, text));
        if path.exists() {
            files::remove_durable(&path)?;
        }
        Ok(())
    }

    /// Keeps a checkpoint with a cosignature that this witness made and does not remember, and says where; nowhere if one is kept
    /// that tells as much, or that can't be read: that is for a person to look at.
    pub(crate) fn keep_shown(
        &self,
        log: &Log,
        shown: &Shown,
        witness: &VerifierKey,
    ) -> Result<Option<PathBuf>, StateError> {
        let path = self.shown_file(log);
        if self.shown(log, witness).is_ok_and(|kept| kept.is_none_or(|kept| shown.tells_more_than(&kept))) {
            files::replace(&path, &shown.to_bytes())?;
            return Ok(Some(path));
        }
        Ok(None)
    }

    /// Forgets what was shown of a log that is restored.
    pub(crate) fn drop_shown(&self, log: &Log) -> Result<(), StateError> {
        Ok(files::remove_durable(&self.shown_file(log))?)
    }

    /// Where that is kept.
    pub(crate) fn shown_file(&self, log: &Log) -> PathBuf {
        self.folder.join(SHOWN).join(log.id())
    }

    fn keep_file(&self, name: &str, prefix: &str, text: &str) -> Result<Kept, StateError> {
        let path = self.folder.join(EVIDENCE).join(name);
        let kept = self.evidence_names()?;
        if kept.iter().any(|kept| kept == name) {
            return Ok(Kept::Before);
        }
        if kept.iter().filter(|name| name.starts_with(prefix)).count() >= MAX_EVIDENCE {
            return Ok(Kept::Full);
        }
        files::create_new(&path, text.as_bytes())?;
        Ok(Kept::At(path))
    }

    /// How many files of this kind are kept of a log.
    pub(crate) fn count(&self, kind: Kind, log: &Log) -> Result<usize, StateError> {
        let prefix = kind.prefix(log);
        Ok(self.evidence_names()?.iter().filter(|name| name.starts_with(&prefix)).count())
    }

    /// The names of the files that are kept as evidence, in order.
    pub(crate) fn evidence_names(&self) -> Result<Vec<String>, StateError> {
        let folder = self.folder.join(EVIDENCE);
        let failed = |source| FileError::Io { action: "list the folder", path: folder.clone(), source };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            names.extend(name.into_string().ok().filter(|name| evidence::is_name(name)));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The file of this name that is kept as evidence; `None` if there is none.
    pub(crate) fn evidence(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        if !evidence::is_name(name) {
            return Ok(None);
        }
        Ok(files::read_limited(&self.folder.join(EVIDENCE).join(name), MAX_EVIDENCE_SIZE)?)
    }

    /// The file with the record of a log.
    pub(crate) fn record_file(&self, log: &Log) -> PathBuf {
        self.file(&log.id())
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(LOGS).join(id)
    }
}

/// Makes an empty folder into a witness's. If the process dies meanwhile, the next start begins again: nothing was
/// cosigned yet.
fn initialise(folder: &Path, marker: &str, beginning: Beginning) -> Result<(), StateError> {
    let initialising = folder.join(INITIALISING);
    if !initialising.is_file() && !is_empty(folder)? {
        return Err(StateError::NotAWitness { folder: folder.to_owned() });
    }
    let begun = files::read_limited(&initialising, MAX_MARKER_SIZE)?;
    if beginning == Beginning::Restored || begun.is_some_and(|begun| begun == RESTORED) {
        files::replace(&initialising, RESTORED)?;
        Forgotten::begin(folder)?;
    } else {
        files::replace(&initialising, b"")?;
    }
    let store = Store::open(&folder.join(DATABASE))?;
    let meta = store.tree("meta")?;
    meta.put(MARKER_KEY, marker.as_bytes())?;
    drop((meta, store));
    Ok(files::replace(&folder.join(MARKER), marker.as_bytes())?)
}

/// Whether there is nothing in the folder but its lock.
fn is_empty(folder: &Path) -> Result<bool, StateError> {
    let failed = |source| FileError::Io { action: "list the folder", path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        if entry.map_err(failed)?.file_name() != LOCK_FILE {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The trees of the records, and of what is said of the folder as a whole.
fn open_database(folder: &Path, marker: &str) -> Result<(Tree, Tree), StateError> {
    let lost = || StateError::DatabaseLost { folder: folder.to_owned() };
    let database = folder.join(DATABASE);
    if !database.is_dir() {
        return Err(lost());
    }
    let store = Store::open(&database)?;
    let meta = store.tree("meta")?;
    if meta.get(MARKER_KEY)?.as_deref() != Some(marker.as_bytes()) {
        return Err(lost());
    }
    Ok((store.tree("records")?, meta))
}

#[cfg(test)]
mod tests;
