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
use isonomy_core::hash::StatementId;
use isonomy_core::policy::QuorumTimes;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::{TlogProof, TlogProofError};
use isonomy_core::tree::LeafIndex;
use isonomy_store::files::FileError;
use std::collections::BTreeSet;

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
    let covered: BTreeSet<LeafIndex> = state.unseen().iter().copied().take_while(|index| index.0 < size.0).collect();
    let mut reader = state.log.reader(size);
    publish_statements(state, cosigned, &covered, &mut reader)?;
    state.log.publish(cosigned)?;
    write_bundles(state, cosigned, times, &mut reader)?;
    state.unseen().retain(|index| !covered.contains(index));
    state.published.send_replace(Published { size, times: Some(times) });
    Ok(())
}

/// Writes statements and their seen proofs.
fn publish_statements(
    state: &State,
    cosigned: &CheckpointNote,
    covered: &BTreeSet<LeafIndex>,
    reader: &mut NodeReader<'_>,
) -> Result<(), PublicationError> {
    let mut entries = state.log.entries();
    let (mut statements, mut proofs, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for &index in covered {
        let entry = entries.entry(index)?;
        let statement = Statement::parse(entry).map_err(|source| PublicationError::NotAStatement { index, source })?;
        let id = statement.id();
        let (since, proof) = seen_proof(state, cosigned, &id, index, entry, reader)?;
        statements.push((Resource::Statement(id), entry.to_vec()));
        proofs.extend(proof.map(|proof| (Resource::SeenProof(id), proof.to_bytes())));
        seen.push((id, since));
    }
    state.log.public().write_proven(&statements)?;
    state.log.public().replace_all(&proofs)?;
    let mut history = state.history_mut();
    seen.iter().for_each(|(id, since)| history.set_public_since(id, *since));
    Ok(())
}

/// Since when a statement is public, and its seen proof, unless there is one already that holds: that was the first.
fn seen_proof(
    state: &State,
    cosigned: &CheckpointNote,
    id: &StatementId,
    index: LeafIndex,
    entry: &[u8],
    reader: &mut NodeReader<'_>,
) -> Result<(Timestamp, Option<TlogProof>), PublicationError> {
    if let Some(since) = seen_since(&state.log, &state.policy, id, index, entry)? {
        return Ok((since, None));
    }
    let path = reader.inclusion(index)?;
    let proof = TlogProof { extra: None, index, path, checkpoint: cosigned.clone() };
    let verified = proof.verify(entry, state.log.key(), &state.policy);
    let times = verified.map_err(|source| PublicationError::Proof { index, source })?;
    Ok((times.earliest, Some(proof)))
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
            bundles.push((Resource::Bundle(name.clone()), bundle.to_bytes()));
        }
    }
    let index = bundles::index(state.log.key().name(), &history, cosigned.checkpoint().size)?;
    drop(history);
    state.log.public().replace_all(&bundles)?;
    Ok(state.log.public().write_lists(&index)?)
}
