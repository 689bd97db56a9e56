//! What can go wrong with a client's folder, and with an update.

use crate::refusal::Refusal;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::statement::ListName;
use isonomy_store::files::FileError;
use isonomy_verifier::state::StateError;
use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

/// How long to wait before what could not be written down is written again.
const UNTIL_KEPT: Duration = Duration::from_secs(60);

/// Why a client's folder can't be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    // Misuse
    /// The folder belongs to a client of another list or log.
    #[error(
        "the folder {} is kept for {found}, but the policy is about {wanted}; \
         give each policy a folder of its own",
        folder.display()
    )]
    OtherOwner {
        /// The folder.
        folder: PathBuf,
        /// What it is kept for.
        found: String,
        /// What the policy is about.
        wanted: String,
    },
    /// The policy names another key of the log than the one that the client knows.
    #[error(
        "the folder {} is kept for the log {log} under another key than the policy's. If its operator has announced a new key, \
         `isonomy client recover` goes on under it; if not, this may be somebody else's log",
        folder.display()
    )]
    OtherKey {
        /// The folder.
        folder: PathBuf,
        /// The log.
        log: String,
    },
    /// No client was ever kept in the folder.
    #[error("there is no client state in {}; run `isonomy client update` first", folder.display())]
    NotAClient {
        /// The folder.
        folder: PathBuf,
    },

    /// Updates have stopped, and forgetting something would not change that.
    #[error(
        "updates have stopped, since the log showed two histories: the proof is the evidence {proof}{}. To forget what was seen would take \
         away the list in force, and start no update. What helps comes from those who make the app: a policy with another key of this \
         log, or with another log, in a folder of its own",
        at(evidence)
    )]
    Halted {
        /// The digest of the proof.
        proof: ObjectDigest,
        /// Where it is kept; none, if it isn't there any more.
        evidence: Option<PathBuf>,
    },

    // The log
    /// The log showed two histories, so updates have stopped; and that can't be written down.
    #[error(
        "the log showed two histories, so updates have stopped. But the proof, or that they have, can't be written down: {0}. See to \
         that: it is tried again with the next update, as long as this program runs"
    )]
    ForkNotKept(#[source] Box<ClientError>),

    // This machine
    /// The state is damaged. A client that started anew could be rolled back, so it never does that by itself.
    #[error(
        "{}: {reason}. It records which release must never be given up for an older one, so it is not replaced. Restore \
         it from a backup; or, if you trust the sources not to roll you back, remove the whole folder and update anew",
        path.display()
    )]
    DamagedState {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it.
        reason: StateError,
    },
    /// The state is too large to be written; the one before stays.
    #[error("{}: {reason}. It was not written, and what was remembered before is remembered still", path.display())]
    StateNotWritten {
        /// The state file.
        path: PathBuf,
        /// What is wrong.
        reason: StateError,
    },
    /// The folder was in use, and its state is gone.
    #[error(
        "{} is missing, but the folder has been in use for the list {list}. It records which release must never be given \
         up for an older one. Restore it from a backup; or, if you trust the sources not to roll you back, remove the \
         whole folder and update anew",
        path.display()
    )]
    MissingState {
        /// The state file.
        path: PathBuf,
        /// The list.
        list: ListName,
    },
    /// A file or folder can't be read or written, or another process uses the folder.
    #[error(transparent)]
    Files(#[from] FileError),
}

/// Why an update did not come to its end. The list that was in force stays in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    // Misuse
    /// There was nobody to ask.
    #[error("no source to update from: give a server's URL or the folder of a mirror")]
    NoSource,
    /// The blocking form was called where it would block everything else.
    #[error("update_blocking was called inside an asynchronous runtime; call `update` there")]
    InsideRuntime,

    // This machine
    /// No runtime for the requests.
    #[error("can't start the runtime for the update: {0}")]
    Runtime(#[source] std::io::Error),
    /// The runtime is being shut down.
    #[error("the update was interrupted, since the runtime that it was started on is shutting down")]
    Interrupted,
    /// It was stopped from outside.
    #[error("the update was cancelled; what was accepted until then is in force")]
    Cancelled,
    /// What had to be durable could not be written.
    #[error(transparent)]
    Client(#[from] ClientError),

    // The sources, and those who sign
    /// Every source was refused; each refusal says why and has left a record.
    #[error("{}", refused(.0))]
    Refused(Refusals),
}

/// What each source was refused for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusals {
    refusals: Vec<Refusal>,
    /// None if no later attempt helps.
    next_update_after: Option<Duration>,
}

impl Refusals {
    pub(crate) fn new(refusals: Vec<Refusal>, next_update_after: Duration) -> Self {
        Self { refusals, next_update_after: Some(next_update_after) }
    }

    /// Those of an update after which none will come: the log showed two histories.
    pub(crate) fn for_good(refusals: Vec<Refusal>) -> Self {
        Self { refusals, next_update_after: None }
    }
}

impl Deref for Refusals {
    type Target = [Refusal];

    fn deref(&self) -> &[Refusal] {
        &self.refusals
    }
}

impl IntoIterator for Refusals {
    type Item = Refusal;
    type IntoIter = std::vec::IntoIter<Refusal>;

    fn into_iter(self) -> Self::IntoIter {
        self.refusals.into_iter()
    }
}

impl UpdateError {
    /// The refusals, one for each source that was asked.
    pub fn refusals(&self) -> &[Refusal] {
        match self {
            Self::Refused(refusals) => refusals,
            _ => &[],
        }
    }

    /// Whether updates have stopped for good, now or already, since the log showed two histories.
    pub fn is_halt(&self) -> bool {
        match self {
            Self::Refused(refusals) => refusals.next_update_after.is_none(),
            Self::Client(error) => matches!(error, ClientError::ForkNotKept(_)),
            _ => false,
        }
    }

    /// How long to wait before the next attempt ([`Schedule`](crate::Schedule)), if one makes sense without a change here:
    /// the sources were refused, or could not be reached. None where the log showed two histories: then updates have stopped. But
    /// while that can't be written down, it is tried again.
    pub fn next_update_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusals) => refusals.next_update_after,
            Self::Client(ClientError::ForkNotKept(_)) => Some(UNTIL_KEPT),
            _ => None,
        }
    }
}

impl From<FileError> for UpdateError {
    fn from(error: FileError) -> Self {
        Self::Client(error.into())
    }
}

fn at(evidence: &Option<PathBuf>) -> String {
    evidence
        .as_ref()
        .map_or(", which is not in the folder any more".to_owned(), |path| format!(" in {}", path.display()))
}

fn refused(refused: &Refusals) -> String {
    let line = |refusal: &Refusal| match refusal.source.as_str() {
        "" => refusal.message.clone(),
        source => format!("{source}: {}", refusal.message),
    };
    let lines = refused.iter().map(line).collect::<Vec<_>>().join("; ");
    let Some(wait) = refused.next_update_after else {
        let proof = refused.iter().rev().find_map(|refusal| refusal.evidence.as_ref());
        let proof = proof.map_or(String::new(), |name| format!("; the proof is {name} in the folder's `evidence`"));
        return format!("updates have stopped, and what was accepted until then stays in force: {lines}{proof}");
    };
    let what = match refused.iter().all(|refusal| refusal.is_lack_alone()) {
        true => "no source gave an update",
        false => "the update was refused",
    };
    format!("{what}, so nothing changes here; {lines}. Try again in {} s", wait.as_secs())
}
