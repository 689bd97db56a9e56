//! Making `private/` anew from `public/`, when it is lost or older: only what is wholly as it was signed, and only if no
//! witness has seen more of the log than is there, or other. So a log that was completed from a mirror goes on, and one
//! that was not can't be made to fork.
//!
//! What is lost with `private/`: releases that waited for their objects, which are submitted again; statements that were never
//! published, for which nobody has a proof; and since when statements are public, as the log learned it first, where their seen
//! proofs say something later. The last is taken over from the former database, if that can be read.

use crate::files::PublicFolder;
use crate::firsts::FirstTimes;
use crate::fsck::{Finding, FsckError, Objects, Options, fsck};
use crate::log::{Log, LogError};
use crate::server::{self, Config, ServeError};
use crate::witnesses::{Round, Witnesses};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::note::SigningKey;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_fetch::{FetchError, Source};
use isonomy_store::files::{self, FileError, FolderLock};
use isonomy_store::kv::{Store, StoreError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

/// Where the new folder is made before it takes its place.
const TRIAL: &str = "private.trial";

/// What the operator knows of witnesses that can't be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absent {
    /// Nothing: without a quorum nothing is restored.
    Unknown,
    /// That they have seen nothing more: the operator has asked their operators.
    AskedByHand,
}

/// What has become of what the log learned first of since when its statements are public.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FirstTimesAre {
    /// It was taken over from the former database.
    TakenOver,
    /// There is no database any more that says it: what the seen proofs say counts.
    Lost,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// The checkpoint from which the log goes on.
    pub head: CheckpointNote,
    /// Where the former `private/` is.
    pub aside: Option<PathBuf>,
    /// Since when statements are public.
    pub first_times: FirstTimesAre,
    /// Which witnesses have not confirmed it, and why.
    pub absent: Vec<(String, String)>,
}

/// Why nothing was restored. The folders are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ServeError),
    /// A file or folder.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A witness's URL, or the folder.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// `public/` can't be checked.
    #[error(transparent)]
    Fsck(#[from] FsckError),
    /// `public/` is not whole.
    #[error(
        "`public/` is not as its checkpoint was signed: {findings} findings, the first: {first}. `isonomy log fsck` names all of them; complete it from a mirror, then restore"
    )]
    Unsound {
        /// How many.
        findings: usize,
        /// One of them.
        first: String,
    },
    /// What is there is newer.
    #[error(
        "`private/` is of size {private}, newer than the checkpoint in `public/`, of size {public}: there is nothing to restore. If the log does not start with it, put the newest `public/` beside it"
    )]
    Newer {
        /// The size that the log has committed.
        private: TreeSize,
        /// The published size.
        public: TreeSize,
    },
    /// What is there is as it should be.
    #[error(
        "`private/` is sound and of the same size {size} as the checkpoint in `public/`: there is nothing to restore, and what the log \
         remembers would be lost. If the log does not start, do what its message says"
    )]
    Sound {
        /// The size of both.
        size: TreeSize,
    },
    /// A witness has seen something else.
    #[error(
        "the witness {witness} contradicts `public/`: {failure}. Find the newest checkpoint that it has cosigned, and complete `public/` up to it from a mirror or a monitor; if that is nowhere to be found, this log has ended"
    )]
    Contradicted {
        /// Its name.
        witness: String,
        /// What it says.
        failure: String,
    },
    /// Too few witnesses could be asked.
    #[error(
        "too few witnesses have confirmed that they know of nothing newer ({}). Try again when a quorum answers; if that can't be, ask their operators what size of this log they have cosigned last, and say with --witnesses-asked that you did",
        absent.iter().map(|(name, why)| format!("{name}: {why}")).collect::<Vec<_>>().join("; ")
    )]
    TooFew {
        /// Which did not, and why.
        absent: Vec<(String, String)>,
    },
    /// A thread has died.
    #[error("a part of the command has panicked")]
    Panicked,
}

impl RestoreError {
    /// Whether the command did its work, and refuses; else something around it failed.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Unsound { .. }
                | Self::Newer { .. }
                | Self::Sound { .. }
                | Self::Contradicted { .. }
                | Self::TooFew { .. }
                | Self::Log(LogError::RolledBack { .. } | LogError::TwoHistories { .. })
        )
    }
}

/// Makes `private/` anew. The server must not run; the folder is locked meanwhile.
pub async fn restore(config: Config, absent: Absent) -> Result<Restored, RestoreError> {
    server::check(&config)?;
    let Config { data, key, policy, .. } = config;
    let _lock = FolderLock::acquire(&data)?;
    let mut witnesses = Witnesses::new(policy.clone())?.silent();
    let options = Options {
        log: key.verifier().clone(),
        policy: Some(policy),
        objects: Objects::Leave,
        minimum_index: LeafIndex(0),
        jobs: std::thread::available_parallelism().map_or(2, usize::from),
    };
    let published = check_public(&data.join("public"), &options).await?;
    let (folder, head) = (data.clone(), published.without_cosignatures(&options.log));
    let opened = spawn_blocking(move || open_trial(&folder, key, &head)).await;
    let confirmed = match opened.map_err(|_| RestoreError::Panicked).flatten() {
        Ok((log, first_times)) => {
            let log = Arc::new(log);
            confirm(&mut witnesses, &log, &published, absent).await.map(|unconfirmed| (log, first_times, unconfirmed))
        }
        Err(error) => Err(error),
    };
    let (log, first_times, unconfirmed) = match confirmed {
        Ok(confirmed) => confirmed,
        Err(error) => {
            drop(witnesses);
            files::remove_tree(&data.join(TRIAL))?;
            return Err(error);
        }
    };
    let head = log.head();
    drop(witnesses); // with what still asks for proofs
    let close = move || {
        drop(log);
        take_place(&data)
    };
    let aside = spawn_blocking(close).await.map_err(|_| RestoreError::Panicked)??;
    Ok(Restored { head, aside, first_times, absent: unconfirmed })
}

/// The published checkpoint, if everything is as it was signed.
async fn check_public(public: &Path, options: &Options) -> Result<CheckpointNote, RestoreError> {
    let source = Source::parse(&public.display().to_string())?;
    let report = fsck(&source, options, Arc::new(|_| ())).await?;
    // The server makes bundles and the index of lists anew.
    let is_made_anew = |finding: &&Finding| matches!(finding, Finding::Bundle { .. } | Finding::Index { .. });
    let wrong: Vec<&Finding> = report.findings.iter().filter(|finding| !is_made_anew(finding)).collect();
    match wrong.first() {
        None if report.omitted == 0 => Ok(report.checkpoint),
        first => {
            let first = first.or(report.findings.first().as_ref()).map_or_else(String::new, ToString::to_string);
            Err(RestoreError::Unsound { findings: wrong.len() + report.omitted, first })
        }
    }
}

/// Opens the log as it would be, beside what is there, unless that is newer or as good.
fn open_trial(data: &Path, key: SigningKey, head: &CheckpointNote) -> Result<(Log, FirstTimesAre), RestoreError> {
    let (private, trial, verifier) = (data.join("private"), data.join(TRIAL), key.verifier().clone());
    files::remove_tree(&trial)?;
    files::create_dir_all_durable(&trial)?;
    let store = Store::open(&trial.join("state"))?;
    Log::plant(&store, &trial, head)?;
    let former = former_store(&private.join("state"))?;
    let known = if private.exists() { Log::remembered(&private, former.as_ref(), &verifier)? } else { None };
    let log = Log::open(PublicFolder::open(data.join("public"))?, &trial, &store, key)?;
    let Some(known) = known else { return Ok((log, FirstTimesAre::Lost)) };
    if known.checkpoint().size > log.size() {
        return Err(RestoreError::Newer { private: known.checkpoint().size, public: log.size() });
    }
    log.check_signed(&known, "the head in `private/`")?;
    let Some(former) = former else { return Ok((log, FirstTimesAre::Lost)) };
    let committed = Log::committed_in(&former, &verifier)?;
    if committed.is_some_and(|committed| committed.checkpoint().size == log.size()) {
        return Err(RestoreError::Sound { size: log.size() });
    }
    FirstTimes::open(&store)?.take_over(&former)?;
    Ok((log, FirstTimesAre::TakenOver))
}

/// The former database, if there is one that can be read.
fn former_store(folder: &Path) -> Result<Option<Store>, StoreError> {
    if !folder.exists() {
        return Ok(None);
    }
    match Store::open(folder) {
        Ok(store) => Ok(Some(store)),
        Err(error @ StoreError::Damaged { .. }) => {
            tracing::warn!(%error, "the former database says nothing");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Asks the witnesses whether they have seen more, or other. Gives which have not said that they have not.
async fn confirm(
    witnesses: &mut Witnesses,
    log: &Arc<Log>,
    published: &CheckpointNote,
    absent: Absent,
) -> Result<Vec<(String, String)>, RestoreError> {
    witnesses.check_memory(log).await?;
    witnesses.remember(published, log.key());
    let (_grows_not, grown) = watch::channel(log.size());
    let Round { times, failures, .. } = witnesses.round(log, None, grown).await;
    if let Some((witness, failure)) = failures.iter().find(|(_, failure)| failure.is_contradiction()) {
        let (witness, failure) = (witness.clone(), failure.to_string());
        return Err(RestoreError::Contradicted { witness, failure });
    }
    let unconfirmed: Vec<_> = failures.iter().map(|(name, failure)| (name.clone(), failure.to_string())).collect();
    match (times, absent) {
        (None, Absent::Unknown) => Err(RestoreError::TooFew { absent: unconfirmed }),
        _ => Ok(unconfirmed),
    }
}

/// Puts the new folder in the place of the old one, which is kept; where that is.
fn take_place(data: &Path) -> Result<Option<PathBuf>, RestoreError> {
    let (private, trial) = (data.join("private"), data.join(TRIAL));
    files::sync_tree(&trial)?;
    let aside = private.exists().then(|| files::free_beside(&private, "replaced"));
    if let Some(aside) = &aside {
        files::rename_durable(&private, aside)?;
    }
    files::rename_durable(&trial, &private)?;
    Ok(aside)
}
