//! Why the data folder can't be used, and why what was cosigned last of a log is not known.

use isonomy_core::json::JsonError;
use isonomy_store::files::FileError;
use isonomy_store::kv::StoreError;
use std::path::PathBuf;

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
