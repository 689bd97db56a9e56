//! The data folder: each log's record twice over, and evidence. The crate's documentation draws it.

use crate::evidence::Fork;
use crate::log::Log;
use crate::record::{Copies, MAX_RECORD_SIZE, Record, compare};
use isonomy_core::json::JsonError;
use isonomy_core::note::VerifierKey;
use isonomy_store::files::{self, FileError, FolderLock, LOCK_FILE};
use isonomy_store::kv::{Store, StoreError, Tree};
use std::path::{Path, PathBuf};

/// The most files of evidence that are kept. More of them would prove no more.
pub(crate) const MAX_EVIDENCE: usize = 100;

const MARKER: &str = "witness";
const INITIALISING: &str = "initialising";
const LOGS: &str = "logs";
const EVIDENCE: &str = "evidence";
const DATABASE: &str = "database";
/// The key of the marker's copy in the database, which tells that the database is not a new one.
const MARKER_KEY: &[u8] = b"marker";
const MAX_MARKER_SIZE: usize = 4096;

/// Why the data folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file or folder can't be read or written, or another process uses the folder.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database can't be read or written.
    #[error("the witness's database can't be used: {0}. What a witness remembers can't be rebuilt: {ADVICE}")]
    Database(#[source] StoreError),
    /// The folder has content but does not say that it is a witness's.
    #[error("{} is not empty and not a witness's folder: give an empty folder to a new witness; if this is an old one's, {ADVICE}", folder.display())]
    NotAWitness {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder belongs to another key.
    #[error("{} is the folder of another witness than {key}: each key needs its own", folder.display())]
    OtherWitness {
        /// The folder.
        folder: PathBuf,
        /// The public key that it was opened with.
        key: String,
    },
    /// The database was lost and made anew.
    #[error("the database in {} is missing or empty, but this witness is not new: {ADVICE}", folder.display())]
    DatabaseLost {
        /// The folder.
        folder: PathBuf,
    },
    /// Evidence that can't be written in its format.
    #[error("the evidence can't be written as JSON: {0}")]
    Evidence(#[from] JsonError),
}

/// What to do when the memory of a witness is in doubt.
pub(crate) const ADVICE: &str = "set this folder aside, begin with an empty one, and restore for each log, before the \
     witness runs again, the newest checkpoint with a cosignature of this witness that the log or anybody else has";

/// The open data folder. What a call that writes has returned `Ok` for survives a power cut.
pub(crate) struct State {
    folder: PathBuf,
    records: Tree,
    _lock: FolderLock,
}

impl State {
    /// Opens the folder of the witness with this key, or makes an empty folder into one.
    pub(crate) fn open(folder: &Path, witness: &VerifierKey) -> Result<Self, StateError> {
        files::create_dir_all_durable(folder)?;
        let lock = FolderLock::acquire(folder)?;
        let marker = format!("isonomy-witness/v1\n{witness}\n");
        match files::read_limited(&folder.join(MARKER), MAX_MARKER_SIZE)? {
            None => initialise(folder, &marker)?,
            Some(found) if found == marker.as_bytes() => {}
            Some(_) => {
                return Err(StateError::OtherWitness { folder: folder.to_owned(), key: witness.to_string() });
            }
        }
        files::remove_durable(&folder.join(INITIALISING))?;
        let records = open_database(folder, &marker)?;
        for inside in [folder.to_owned(), folder.join(LOGS), folder.join(EVIDENCE)] {
            files::create_dir_all_durable(&inside)?;
            files::remove_temporaries(&inside)?;
        }
        Ok(Self { folder: folder.to_owned(), records, _lock: lock })
    }

    /// The record of a log, if its two copies leave no doubt; `Err` says what the doubt is. Completes a write that was
    /// interrupted.
    pub(crate) fn load(&self, log: &Log, witness: &VerifierKey) -> Result<Option<Record>, String> {
        let parse = |place: &str, bytes: Option<Vec<u8>>| {
            let record = bytes.map(|bytes| Record::parse(&bytes, log, witness)).transpose();
            record.map_err(|error| format!("{place} is damaged: {error}"))
        };
        let (file, database) = self.read(log).map_err(|error| error.to_string())?;
        match compare(parse("its file", file)?, parse("its entry in the database", database)?) {
            Copies::Agree(record) => Ok(record),
            Copies::Doubtful(why) => Err(why.to_owned()),
            Copies::Interrupted(record) => {
                tracing::warn!(log = log.origin(), size = record.size().0, "completing a write that was interrupted");
                self.write(log, &record).map_err(|error| error.to_string())?;
                Ok(Some(record))
            }
        }
    }

    /// The bytes of both copies, the file's first. A file that is too large for a record reads as empty, which is none
    /// either.
    pub(crate) fn read(&self, log: &Log) -> Result<(Option<Vec<u8>>, Option<Vec<u8>>), StateError> {
        let id = log.id();
        let file = match files::read_limited(&self.file(&id), MAX_RECORD_SIZE) {
            Err(FileError::TooLarge { .. }) => Some(Vec::new()),
            result => result?,
        };
        Ok((file, self.records.get(id.as_bytes()).map_err(StateError::Database)?))
    }

    /// Stores a record in both places. After an error the next [`Self::load`] tells what is there.
    pub(crate) fn write(&self, log: &Log, record: &Record) -> Result<(), StateError> {
        let (id, bytes) = (log.id(), record.to_bytes());
        files::replace(&self.file(&id), &bytes)?;
        self.records.put(id.as_bytes(), &bytes).map_err(StateError::Database)
    }

    /// Keeps the evidence of a fork, and says where if it is new; at most [`MAX_EVIDENCE`] files are kept.
    pub(crate) fn keep(&self, fork: &Fork) -> Result<Option<PathBuf>, StateError> {
        let folder = self.folder.join(EVIDENCE);
        let path = folder.join(fork.name());
        let listed = std::fs::read_dir(&folder).map(Iterator::count);
        let is_full = listed.is_ok_and(|count| count >= MAX_EVIDENCE);
        if is_full || std::fs::symlink_metadata(&path).is_ok() {
            return Ok(None);
        }
        files::create_new(&path, fork.to_text()?.as_bytes())?;
        Ok(Some(path))
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(LOGS).join(id)
    }
}

/// Makes an empty folder into a witness's. If the process dies meanwhile, the next start begins again: nothing was
/// cosigned yet.
fn initialise(folder: &Path, marker: &str) -> Result<(), StateError> {
    let initialising = folder.join(INITIALISING);
    if !initialising.is_file() && !is_empty(folder)? {
        return Err(StateError::NotAWitness { folder: folder.to_owned() });
    }
    files::replace(&initialising, b"")?;
    let store = Store::open(&folder.join(DATABASE)).map_err(StateError::Database)?;
    let meta = store.tree("meta").map_err(StateError::Database)?;
    meta.put(MARKER_KEY, marker.as_bytes()).map_err(StateError::Database)?;
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

fn open_database(folder: &Path, marker: &str) -> Result<Tree, StateError> {
    let lost = || StateError::DatabaseLost { folder: folder.to_owned() };
    let database = folder.join(DATABASE);
    if !database.is_dir() {
        return Err(lost());
    }
    let store = Store::open(&database).map_err(StateError::Database)?;
    let meta = store.tree("meta").map_err(StateError::Database)?;
    if meta.get(MARKER_KEY).map_err(StateError::Database)?.as_deref() != Some(marker.as_bytes()) {
        return Err(lost());
    }
    store.tree("records").map_err(StateError::Database)
}
