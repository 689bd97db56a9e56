//! The data folder: each log's record twice over, and evidence. The crate's documentation draws it.

use crate::evidence::{self, Fork, Kind, Refused};
use crate::forgotten::{Cause, Forgotten};
use crate::log::Log;
use crate::record::{Copies, MAX_RECORD_SIZE, Record, compare};
use crate::shown::Shown;
use isonomy_core::json::JsonError;
use isonomy_core::note::VerifierKey;
use isonomy_store::files::{self, FileError, FolderLock, LOCK_FILE};
use isonomy_store::kv::{Store, StoreError, Tree};
use std::path::{Path, PathBuf};

/// The most files of evidence that are kept of each kind and log. More of them would prove no more.
pub(crate) const MAX_EVIDENCE: usize = 100;

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

/// Why the data folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file or folder can't be read or written, or another process uses the folder.
    #[error(transparent)]
    File(#[from] FileError),
    /// The operating system or the disk refuses the database something.
    #[error("the witness's database can't be used: {0}; {NOTHING_LOST}")]
    Database(#[source] StoreError),
    /// The database is not as it was.
    #[error("the witness's database in {} is damaged: {reason}. What a witness remembers can't be rebuilt: {ADVICE}", folder.display())]
    DatabaseDamaged {
        /// Where it is.
        folder: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The folder has content but does not say that it is a witness's.
    #[error("{} is not empty and not a witness's folder: give an empty folder to a new witness; if this is an old one's, {ADVICE}", folder.display())]
    NotAWitness {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder is missing or empty, as that of a witness that never ran, or as one that was lost.
    #[error(
        "{} is missing or empty, so this witness remembers nothing. If it has ever cosigned, its memory was lost, or the disk with it is not mounted: mount it, or give `isonomy witness restore`, for each log and before the witness runs again, the newest checkpoint with a cosignature of this witness that the log or anybody else has. `isonomy witness init` makes the folder of a new witness",
        folder.display()
    )]
    NoMemory {
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

/// What to do when the memory of a witness can't be reached.
pub(crate) const NOTHING_LOST: &str =
    "nothing is lost by that: make space, or mend the disk or the rights, and start the witness again";

impl From<StoreError> for StateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { folder, reason } => Self::DatabaseDamaged { folder, reason },
            StoreError::File(error) => Self::File(error),
            error => Self::Database(error),
        }
    }
}

/// Why it is not known what was cosigned last of a log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unknown {
    /// Its memory is damaged, or its two copies don't fit together.
    #[error("{0}")]
    Doubtful(String),
    /// What a request has shown tells more.
    #[error("{OLDER_COPY}")]
    OlderCopy,
    /// Nothing of this log was restored in a folder that was begun for that.
    #[error("{NOT_RESTORED}")]
    NotRestored,
    /// Nothing of this log was restored in a folder that is an older copy.
    #[error("{NOT_REINSTATED}")]
    NotReinstated,
    /// It can't be read.
    #[error("{0}")]
    Unreadable(#[from] StateError),
}

impl From<FileError> for Unknown {
    fn from(error: FileError) -> Self {
        Self::Unreadable(error.into())
    }
}

impl Unknown {
    /// What to do, where the words of it do not say so.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Doubtful(_) | Self::OlderCopy => Some(ADVICE),
            Self::Unreadable(StateError::File(_)) => Some(NOTHING_LOST),
            Self::NotRestored | Self::NotReinstated | Self::Unreadable(_) => None,
        }
    }
}

/// Why a log is refused after a request has shown a later cosignature.
pub(crate) const OLDER_COPY: &str =
    "a request has shown a later cosignature of this witness than it remembers: its folder is an older copy";

/// Why a log is refused of which nothing was restored.
pub(crate) const NOT_RESTORED: &str = "this folder was begun to restore what was lost, and nothing was restored of this log: give \
     `isonomy witness restore` the newest checkpoint of it with a cosignature of this witness, or, if there never was one, \
     `--never-cosigned` and its name";

/// Why a log is refused whose folder was shown to be an older copy by a request of whichever log.
pub(crate) const NOT_REINSTATED: &str = "the folder of this witness is an older copy, as a request has shown: give `isonomy witness restore` \
     the newest checkpoint of this log with a cosignature of this witness, or, if there never was one, `--never-cosigned` and its name";

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
        let records = open_database(folder, &marker)?;
        for inside in ["", LOGS, EVIDENCE, SHOWN].map(|name| folder.join(name)) {
            files::create_dir_all_durable(&inside)?;
            files::remove_temporaries(&inside)?;
        }
        Ok(Self { folder: folder.to_owned(), records, forgotten: Forgotten::new(folder), _lock: lock })
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
        Ok(self.forgotten.note(Cause::OlderCopy)?)
    }

    /// What is there of this log counts, also if the folder has forgotten something.
    pub(crate) fn reinstate(&self, log: &Log) -> Result<(), StateError> {
        Ok(self.forgotten.reinstate(log)?)
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

    /// The same with a refused checkpoint. However many of these there are, they take no place from forks.
    pub(crate) fn keep_refused(&self, log: &Log, refused: &Refused) -> Result<Kept, StateError> {
        self.keep_file(&refused.name(log), &Kind::Refused.prefix(log), &refused.to_text()?)
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
        Forgotten::new(folder).note(Cause::Lost)?;
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

fn open_database(folder: &Path, marker: &str) -> Result<Tree, StateError> {
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
    Ok(store.tree("records")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Request;
    use crate::testing::*;
    use isonomy_core::note::{KeyType, SigningKey};
    use std::fs;
    use tempfile::TempDir;

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    fn open(dir: &TempDir) -> Result<State, StateError> {
        State::begin(dir.path(), witness_key().verifier(), Beginning::New)
    }

    fn load(dir: &TempDir) -> Result<Option<Record>, String> {
        open(dir).unwrap().load(&log(), witness_key().verifier()).map_err(|unknown| unknown.to_string())
    }

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
        names.sort();
        names
    }

    /// A folder that has seen two records of the log, and these.
    fn used() -> (TempDir, Record, Record) {
        let dir = folder();
        let first = record(None, b"abc", START);
        let second = record(Some(&first), b"abcde", START.plus(1));
        let state = open(&dir).unwrap();
        for record in [&first, &second] {
            state.write(&log(), record).unwrap();
        }
        (dir, first, second)
    }

    fn file(dir: &TempDir) -> PathBuf {
        dir.path().join(LOGS).join(log().id())
    }

    /// Changes what the database holds, behind the witness's back.
    fn with_database(dir: &TempDir, change: impl FnOnce(&Tree)) {
        let store = Store::open(&dir.path().join(DATABASE)).unwrap();
        change(&store.tree("records").unwrap());
    }

    #[test]
    fn a_new_folder_is_initialised_once_and_belongs_to_one_key() {
        let dir = folder();
        assert_eq!(load(&dir), Ok(None));
        assert_eq!(names(dir.path()), [DATABASE, EVIDENCE, LOCK_FILE, LOGS, SHOWN, MARKER]);
        let marker = fs::read_to_string(dir.path().join(MARKER)).unwrap();
        assert_eq!(marker, format!("isonomy-witness/v1\n{}\n", witness_key().verifier()));
        assert_eq!(load(&dir), Ok(None));
        let other = State::open(dir.path(), log_key().verifier());
        assert!(matches!(other, Err(StateError::OtherWitness { .. })));
    }

    #[test]
    fn a_missing_folder_is_made_where_a_witness_begins_and_never_where_one_goes_on() {
        let dir = folder();
        let inside = dir.path().join("a/b");
        let go_on = || State::open(&inside, witness_key().verifier());
        assert!(matches!(go_on(), Err(StateError::NoMemory { .. })) && !inside.exists());
        fs::create_dir_all(&inside).unwrap();
        // The first attempt may leave its lock.
        for _ in 0..2 {
            let error = go_on().err().unwrap();
            assert!(error.to_string().contains("isonomy witness restore"), "{error}");
            fs::write(inside.join(LOCK_FILE), b"").unwrap();
        }
        State::begin(&inside, witness_key().verifier(), Beginning::New).unwrap();
        assert!(inside.join(MARKER).is_file());
        go_on().unwrap();
    }

    #[test]
    fn one_process_at_a_time() {
        let dir = folder();
        let state = open(&dir).unwrap();
        assert!(matches!(open(&dir), Err(StateError::File(FileError::InUse { .. }))));
        drop(state);
        open(&dir).unwrap();
    }

    #[test]
    fn what_was_written_is_there_after_a_restart() {
        let (dir, _, second) = used();
        assert_eq!(load(&dir), Ok(Some(second)));
    }

    #[test]
    fn a_first_start_that_died_begins_again() {
        for reached in 0..3 {
            let dir = folder();
            fs::write(dir.path().join(INITIALISING), b"").unwrap();
            if reached > 0 {
                drop(Store::open(&dir.path().join(DATABASE)).unwrap());
            }
            if reached > 1 {
                fs::create_dir(dir.path().join(LOGS)).unwrap();
            }
            assert_eq!(load(&dir), Ok(None));
            assert!(!dir.path().join(INITIALISING).exists());
        }
    }

    #[test]
    fn a_folder_that_is_neither_empty_nor_a_witness_s_is_refused() {
        let dir = folder();
        fs::write(dir.path().join("letter.txt"), b"").unwrap();
        assert!(matches!(open(&dir), Err(StateError::NotAWitness { .. })));
        let (dir, ..) = used();
        fs::remove_file(dir.path().join(MARKER)).unwrap();
        assert!(matches!(open(&dir), Err(StateError::NotAWitness { .. })));
    }

    #[test]
    fn a_database_that_is_lost_is_not_taken_for_a_new_one_however_often() {
        let (dir, ..) = used();
        fs::remove_dir_all(dir.path().join(DATABASE)).unwrap();
        for _ in 0..2 {
            assert!(matches!(open(&dir), Err(StateError::DatabaseLost { .. })));
        }
        drop(Store::open(&dir.path().join(DATABASE)).unwrap());
        assert!(matches!(open(&dir), Err(StateError::DatabaseLost { .. })));
    }

    #[test]
    fn a_damaged_database_is_refused() {
        let (dir, ..) = used();
        fs::write(dir.path().join(DATABASE).join("sled/conf"), b"not what it was").unwrap();
        let error = open(&dir).err().unwrap();
        assert!(matches!(error, StateError::DatabaseDamaged { .. }), "{error}");
        let words = error.to_string();
        assert!(words.contains("set this folder aside") && !words.contains("from a copy"), "{words}");
    }

    #[test]
    fn a_memory_that_can_t_be_reached_is_not_said_to_be_lost() {
        let (dir, ..) = used();
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error = StateError::from(StoreError::Failed { folder: dir.path().to_owned(), source: full }).to_string();
        assert!(error.contains(NOTHING_LOST) && !error.contains("set this folder aside"), "{error}");
        fs::remove_file(file(&dir)).unwrap();
        std::os::unix::fs::symlink(file(&dir), file(&dir)).unwrap();
        let state = open(&dir).unwrap();
        let unknown = state.load(&log(), witness_key().verifier()).unwrap_err();
        assert_eq!(unknown.advice(), Some(NOTHING_LOST), "{unknown}");
    }

    #[test]
    fn a_missing_or_damaged_file_is_doubt() {
        type Damage = dyn Fn(&Path);
        let damages: [(&Damage, &str); 5] = [
            (&|path| fs::remove_file(path).unwrap(), "its file is missing"),
            (&|path| fs::remove_dir_all(path.parent().unwrap()).unwrap(), "its file is missing"),
            (&|path| fs::write(path, b"").unwrap(), "its file is damaged"),
            (&|path| fs::write(path, vec![b'x'; MAX_RECORD_SIZE + 1]).unwrap(), "its file is damaged"),
            (&|path| flip(path), "its file is damaged"),
        ];
        for (damage, why) in damages {
            let (dir, ..) = used();
            damage(&file(&dir));
            for _ in 0..2 {
                let doubt = load(&dir).unwrap_err();
                assert!(doubt.starts_with(why), "{doubt}");
            }
        }
    }

    /// Changes a letter of the last signature.
    fn flip(path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        let at = bytes.len() - 20;
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn a_missing_or_damaged_entry_is_doubt() {
        let id = log().id();
        let (_, first, _) = used();
        let older = first.to_bytes();
        let fork = record(None, b"abx", START).to_bytes();
        let damages: [(Option<&[u8]>, &str); 4] = [
            (None, "its entry in the database is missing"),
            (Some(b""), "its entry in the database is damaged"),
            (Some(&older[..older.len() - 1]), "its entry in the database is damaged"),
            (Some(&fork), "its file and its entry in the database differ"),
        ];
        for (value, why) in damages {
            let (dir, ..) = used();
            with_database(&dir, |tree| match value {
                Some(value) => tree.put(id.as_bytes(), value).unwrap(),
                None => tree.remove(id.as_bytes()).unwrap(),
            });
            let doubt = load(&dir).unwrap_err();
            assert!(doubt.starts_with(why), "{doubt}");
        }
    }

    #[test]
    fn an_older_file_is_doubt_though_it_is_good_in_itself() {
        let (dir, first, _) = used();
        fs::write(file(&dir), first.to_bytes()).unwrap();
        assert_eq!(load(&dir), Err("its file and its entry in the database differ".to_owned()));
    }

    #[test]
    fn a_write_that_was_interrupted_is_completed() {
        let (dir, _, second) = used();
        let third = record(Some(&second), b"abcdefg", START.plus(2));
        fs::write(file(&dir), third.to_bytes()).unwrap();
        for _ in 0..2 {
            assert_eq!(load(&dir), Ok(Some(third.clone())));
        }
        with_database(&dir, |tree| assert_eq!(tree.get(log().id().as_bytes()).unwrap(), Some(third.to_bytes())));
    }

    #[test]
    fn evidence_is_kept_once_and_not_without_end() {
        let dir = folder();
        let state = open(&dir).unwrap();
        let latest = record(None, b"abc", START);
        let fork = |number: u32| {
            let request = Request::Add(add(0, &[b'x', (number >> 8) as u8, number as u8]));
            Fork::between(&log(), &latest, &request).unwrap()
        };
        let keep = |number| state.keep(&log(), &fork(number)).unwrap();
        let Kept::At(path) = keep(0) else { panic!("it is not kept") };
        assert_eq!(fs::read_to_string(path).unwrap(), fork(0).to_text().unwrap());
        assert_eq!(keep(0), Kept::Before);
        for number in 1..MAX_EVIDENCE as u32 {
            assert!(matches!(keep(number), Kept::At(_)));
        }
        assert_eq!(keep(MAX_EVIDENCE as u32), Kept::Full);
        assert_eq!(names(&dir.path().join(EVIDENCE)).len(), MAX_EVIDENCE);
        // Another log has its own room, so that none pushes out what another has done.
        let other =
            Log::new(SigningKey::from_seed("other.example", KeyType::Ed25519, &[5; 32]).unwrap().verifier().clone());
        assert!(matches!(state.keep(&other, &fork(0)), Ok(Kept::At(_))));
        assert_eq!(
            (state.count(Kind::Fork, &log()).unwrap(), state.count(Kind::Fork, &other).unwrap()),
            (MAX_EVIDENCE, 1)
        );
    }
}
