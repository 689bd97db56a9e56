//! Publishing a cosigned checkpoint and everything that goes with it, in an order in which whoever stops in the middle
//! leaves nothing behind that points to something missing:
//!
//! 1. the statements that it covers for the first time, and their seen proofs;
//! 2. the checkpoint;
//! 3. the bundles, and the index of lists;
//! 4. the answers to those who wait.

use crate::bundles;
use crate::log::{LogError, NodeReader};
use crate::recovery::seen_since;
use crate::state::{Published, State};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::policy::QuorumTimes;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{Statement, StatementError};
use isonomy_core::tlog_proof::{TlogProof, TlogProofError};
use isonomy_core::tree::LeafIndex;
use isonomy_store::files::FileError;

/// Why something could not be published. None of these is a submitter's fault.
#[derive(Debug, thiserror::Error)]
pub enum PublicationError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A proof that was made does not hold.
    #[error("the proof that was made for entry {index} does not hold: {source}; check memory and disk")]
    Proof {
        /// The entry.
        index: LeafIndex,
        /// What is wrong.
        source: TlogProofError,
    },
    /// An entry is not a statement.
    #[error("entry {index} is not a statement: {source}")]
    NotAStatement {
        /// The entry.
        index: LeafIndex,
        /// What is wrong.
        source: StatementError,
    },
    /// The index of lists could not be written as JSON.
    #[error("the index of lists could not be written: {0}")]
    Index(#[from] serde_json::Error),
}

/// Publishes a checkpoint that a quorum has cosigned, at these times.
pub(crate) fn publish(state: &State, cosigned: &CheckpointNote, times: QuorumTimes) -> Result<(), PublicationError> {
    let size = cosigned.checkpoint().size;
    let covered: Vec<LeafIndex> = state.unseen().iter().copied().take_while(|index| index.0 < size.0).collect();
    let mut reader = state.log.reader(size);
    for index in &covered {
        publish_statement(state, cosigned, *index, &mut reader)?;
    }
    state.log.publish(cosigned)?;
    write_bundles(state, cosigned, times, &mut reader)?;
    for index in &covered {
        state.unseen().remove(index);
    }
    state.published.send_replace(Published { size, times: Some(times) });
    Ok(())
}

/// Writes a statement and its seen proof, unless there is one already that holds: that was the first.
fn publish_statement(
    state: &State,
    cosigned: &CheckpointNote,
    index: LeafIndex,
    reader: &mut NodeReader<'_>,
) -> Result<(), PublicationError> {
    let (log, entry) = (&state.log, state.log.entry(index)?);
    let statement = Statement::parse(&entry).map_err(|source| PublicationError::NotAStatement { index, source })?;
    let id = statement.id();
    log.public().write_once(&Resource::Statement(id), &entry)?;
    let since = match seen_since(log, &state.policy, &id, index, &entry)? {
        Some(since) => since,
        None => {
            let path = reader.inclusion(index)?;
            let proof = TlogProof { extra: None, index, path, checkpoint: cosigned.clone() };
            let verified = proof.verify(&entry, log.key(), &state.policy);
            let times = verified.map_err(|source| PublicationError::Proof { index, source })?;
            log.public().replace(&Resource::SeenProof(id), &proof.to_bytes())?;
            times.earliest
        }
    };
    state.history_mut().set_public_since(&id, since);
    Ok(())
}

fn write_bundles(
    state: &State,
    cosigned: &CheckpointNote,
    times: QuorumTimes,
    reader: &mut NodeReader<'_>,
) -> Result<(), PublicationError> {
    let history = state.history();
    let mut bundles = Vec::new();
    for (name, list) in history.lists() {
        let prove = |index| reader.inclusion(index);
        if let Some(bundle) = bundles::of_history(name, list, cosigned, times.latest, prove)? {
            bundles.push((name.clone(), bundle.to_bytes()));
        }
    }
    let index = bundles::index(state.log.key().name(), &history)?;
    drop(history);
    for (name, bundle) in bundles {
        state.log.public().replace(&Resource::Bundle(name), &bundle)?;
    }
    Ok(state.log.public().write_lists(&index)?)
}
