//! Starting: everything that the server knows is rebuilt from the log's own files, so that it can't differ from what
//! anybody else reads there.

use crate::log::{Log, LogError};
use crate::state::now;
use isonomy_core::hash::StatementId;
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::rules::history::History;
use isonomy_core::rules::releases::Place;
use isonomy_core::statement::{Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;
use isonomy_store::files::FileError;
use isonomy_store::kv::{self, Store, StoreError};
use std::collections::BTreeSet;
use std::path::Path;

/// Why the log's statements can't be read.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// An entry that is not a statement.
    #[error("entry {index} of the log is not a statement: {source}; this folder is another kind of log's")]
    NotAStatement {
        /// Its place.
        index: LeafIndex,
        /// What is wrong with it.
        source: StatementError,
    },
}

/// What a log's files say.
pub(crate) struct Recovered {
    /// All its statements, judged.
    pub(crate) history: History,
    /// Those whose file is missing or damaged, or that have no seen proof that the policy accepts: they are published
    /// with the next checkpoint.
    pub(crate) unseen: BTreeSet<LeafIndex>,
}

/// Opens the database. A damaged one is set aside: what it held is rebuilt, except releases that waited for objects,
/// which are submitted again.
pub(crate) fn open_store(folder: &Path) -> Result<Store, StoreError> {
    match Store::open(folder) {
        Err(error @ StoreError::Damaged { .. }) => {
            let aside = kv::set_aside(folder)?;
            tracing::error!(%error, ?aside, "the damaged database is set aside and made anew");
            Store::open(folder)
        }
        result => result,
    }
}

/// A logged statement, with what its own files say.
struct Logged {
    index: LeafIndex,
    statement: Statement,
    /// Since when it is public, by its seen proof.
    seen: Option<Timestamp>,
    /// Whether its own file is as it should be.
    is_public: bool,
}

impl Logged {
    /// Reads an entry and its files, and verifies the seen proof.
    fn read(log: &Log, policy: &Policy, index: LeafIndex, entry: &[u8]) -> Result<Self, RecoveryError> {
        let statement = Statement::parse(entry).map_err(|source| RecoveryError::NotAStatement { index, source })?;
        let id = statement.id();
        let seen = seen_since(log, policy, &id, index, entry)?;
        Ok(Self { index, statement, seen, is_public: is_public(log, id, entry)? })
    }
}

/// Reads every entry and its seen proof.
pub(crate) fn recover(log: &Log, policy: &Policy) -> Result<Recovered, RecoveryError> {
    let mut recovered = Recovered { history: History::new(log.key().name()), unseen: BTreeSet::new() };
    let read = |index, entry: Vec<u8>| Logged::read(log, policy, index, &entry);
    log.replay(read, |Logged { index, statement, seen, is_public }| {
        if seen.is_none() || !is_public {
            recovered.unseen.insert(index);
        }
        let (id, place) = (statement.id(), Place { index, public_since: seen.unwrap_or_else(now) });
        if let Err(violation) = recovered.history.record(statement, place) {
            // It was admitted by this server's clock, and the witnesses' say otherwise, or the rules were stricter since.
            tracing::warn!(%index, %id, %violation, "a logged statement breaks a rule; everybody leaves it out");
        }
        Ok::<(), RecoveryError>(())
    })?;
    Ok(recovered)
}

/// Whether a statement's own file is as it should be.
fn is_public(log: &Log, id: StatementId, entry: &[u8]) -> Result<bool, FileError> {
    Ok(log.public().read(&Resource::Statement(id))?.is_some_and(|bytes| bytes == entry))
}

/// Since when a statement is public, by its seen proof; `None` if there is none that holds under this policy.
pub(crate) fn seen_since(
    log: &Log,
    policy: &Policy,
    id: &StatementId,
    index: LeafIndex,
    entry: &[u8],
) -> Result<Option<Timestamp>, FileError> {
    let Some(bytes) = log.public().read(&Resource::SeenProof(*id))? else { return Ok(None) };
    let proof = TlogProof::parse(&bytes).ok().filter(|proof| proof.index == index);
    let times = proof.and_then(|proof| proof.verify(entry, log.key(), policy).ok());
    Ok(times.map(|times| times.earliest))
}
