//! Giving a witness its memory back, by its operator.

use crate::decide::Refusal;
use crate::log::Log;
use crate::record::{MAX_RECORD_SIZE, Record, RecordError};
use crate::state::{Beginning, State, StateError, Unknown};
use crate::witness::{Config, OpenError};
use isonomy_core::add_checkpoint::AddCheckpoint;
use isonomy_core::checkpoint::{CheckpointError, CheckpointNote};

/// What [`restore`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// The checkpoint is now what the witness remembers of the log.
    Written,
    /// The witness remembers exactly this one already.
    Unchanged,
}

/// Why a checkpoint was not restored. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The keys don't fit, or the data folder is not in order.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A log that the witness is not configured for.
    #[error(transparent)]
    UnknownOrigin(Refusal),
    /// The checkpoint is not one that the log signed and this witness cosigned.
    #[error("this checkpoint can't be restored: {0}")]
    Record(#[from] RecordError),
    /// What the folder keeps of a later cosignature can't be read.
    #[error("{0}; set the data folder aside, and restore into an empty one")]
    Shown(String),
    /// The folder remembers a checkpoint of a log that was never cosigned, or something of it that a request has shown.
    #[error("this witness has cosigned the log {0}: the data folder says so")]
    HasCosigned(String),
    /// The folder holds a newer or contradicting one with the same good signatures.
    #[error(
        "the data folder holds a checkpoint of this log that is newer than this one or contradicts it, with good signatures: {newer}"
    )]
    Older {
        /// Where.
        newer: String,
    },
}

impl From<Unknown> for RestoreError {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Unreadable(error) => error.into(),
            unknown => Self::Shown(unknown.to_string()),
        }
    }
}

impl From<StateError> for RestoreError {
    fn from(error: StateError) -> Self {
        Self::Open(error.into())
    }
}

/// The checkpoint in a file that an operator gives: alone, or in a record of a witness's folder.
pub fn checkpoint_in(bytes: &[u8]) -> Result<CheckpointNote, CheckpointError> {
    CheckpointNote::parse(bytes).or_else(|error| match AddCheckpoint::parse(bytes, MAX_RECORD_SIZE) {
        Ok(record) => Ok(record.checkpoint),
        Err(_) => Err(error),
    })
}

/// Makes `checkpoint` what the witness remembers of its log: for the operator, after the memory was lost or damaged.
///
/// It must be the newest that this witness ever cosigned; that is for the operator to find out, by asking the log and
/// those who watch it. It carries the signatures of both, and is refused if an intact copy in the folder is newer. In a folder that has
/// forgotten something, this counts for its log alone; each other one has to be restored as well.
/// The witness must not be running.
pub fn restore(config: Config, checkpoint: CheckpointNote) -> Result<Restored, RestoreError> {
    let Config { data, key, logs, .. } = config;
    let logs = Log::all(&logs, key.verifier()).map_err(OpenError::from)?;
    let origin = &checkpoint.checkpoint().origin;
    let unknown = || RestoreError::UnknownOrigin(Refusal::UnknownOrigin(origin.clone()));
    let log = logs.iter().find(|log| log.origin() == origin).ok_or_else(unknown)?;
    let record = Record::of_checkpoint(checkpoint, log, key.verifier())?;
    let state = State::begin(&data, key.verifier(), Beginning::Restored)?;
    let stored = state.read(log)?;
    let parse = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| Record::parse(&bytes, log, key.verifier()).ok());
    let (file, database) = (parse(stored.file), parse(stored.database));
    let shown = state.shown(log, key.verifier())?;
    if shown.is_some_and(|shown| shown.exceeds(Some(&record))) {
        return Err(RestoreError::Older { newer: state.shown_file(log).display().to_string() });
    }
    if [&file, &database].iter().all(|copy| copy.as_ref().is_some_and(|copy| copy.checkpoint() == record.checkpoint()))
    {
        state.reinstate(log)?;
        return Ok(Restored::Unchanged);
    }
    let exceeds = |copy: &Option<Record>| {
        copy.as_ref().is_some_and(|copy| record.is_exceeded_by(copy.size(), copy.root(), copy.time()))
    };
    if exceeds(&file) {
        return Err(RestoreError::Older { newer: state.record_file(log).display().to_string() });
    }
    if exceeds(&database) {
        return Err(RestoreError::Older { newer: "its entry in the database".to_owned() });
    }
    state.write(log, &record)?;
    state.drop_shown(log)?;
    state.reinstate(log)?;
    Ok(Restored::Written)
}

/// Takes note that the witness has never cosigned anything of the log with this origin: for the operator, after the folder was
/// lost, or shown to be an older copy, since then nothing is taken for new. The witness must not be running.
pub fn declare_new(config: Config, origin: &str) -> Result<(), RestoreError> {
    let Config { data, key, logs, .. } = config;
    let logs = Log::all(&logs, key.verifier()).map_err(OpenError::from)?;
    let unknown = || RestoreError::UnknownOrigin(Refusal::UnknownOrigin(origin.to_owned()));
    let log = logs.iter().find(|log| log.origin() == origin).ok_or_else(unknown)?;
    let state = State::begin(&data, key.verifier(), Beginning::Restored)?;
    let stored = state.read(log)?;
    let shown = state.shown(log, key.verifier())?;
    if stored.file.is_some() || stored.database.is_some() || shown.is_some() {
        return Err(RestoreError::HasCosigned(origin.to_owned()));
    }
    Ok(state.reinstate(log)?)
}
