//! Publishing a cosigned checkpoint and everything that goes with it, in an order in which whoever stops in the middle
//! leaves nothing behind that points to something missing:
//!
//! 1. the statements that it covers for the first time, and their seen proofs;
//! 2. the checkpoint;
//! 3. the answers to those who wait, and the [bundles](crate::current);
//! 4. the copies of the bundles in the folder, by the [`keeper`](crate::keeper).

use crate::log::{LogError, NodeReader};
use crate::recovery::{self, Seen};
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
use isonomy_store::kv::StoreError;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// Why something could not be published. None of these is a submitter's fault.
#[derive(Debug, thiserror::Error)]
pub enum PublicationError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
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
pub(crate) fn publish(state: &State, cosigned: CheckpointNote, times: QuorumTimes) -> Result<(), PublicationError> {
    let size = cosigned.checkpoint().size;
    let covered: BTreeSet<LeafIndex> = state.unseen().iter().copied().take_while(|index| index.0 < size.0).collect();
    publish_statements(state, &cosigned, &covered)?;
    state.log.publish(&cosigned)?;
    state.unseen().retain(|index| !covered.contains(index));
    let published = Published { checkpoint: cosigned, times, at: Instant::now() };
    state.published.send_replace(Some(Arc::new(published)));
    Ok(())
}

/// Writes statements and their seen proofs.
fn publish_statements(
    state: &State,
    cosigned: &CheckpointNote,
    covered: &BTreeSet<LeafIndex>,
) -> Result<(), PublicationError> {
    let (mut entries, mut reader) = (state.log.entries(), state.log.reader(cosigned.checkpoint().size));
    let (mut statements, mut proofs, mut times, mut seen) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for &index in covered {
        let entry = entries.entry(index)?;
        let statement = Statement::parse(entry).map_err(|source| PublicationError::NotAStatement { index, source })?;
        let id = statement.id();
        let (shown, proof) = seen_proof(state, cosigned, &id, index, entry, &mut reader)?;
        let since = state.firsts.of(index)?.map_or(shown, |first| first.min(shown));
        state.touched().insert(statement.list().clone());
        statements.push((Resource::Statement(id), entry.to_vec()));
        proofs.extend(proof.map(|proof| (Resource::SeenProof(id), proof.to_bytes())));
        times.push((index, since));
        seen.push((id, index, since, shown));
    }
    state.log.public().write_proven(&statements)?;
    state.log.public().replace_all(&proofs)?;
    state.firsts.remember(&times)?;
    let mut histories = state.histories_mut();
    seen.iter().for_each(|(id, index, since, shown)| histories.set_public_since(id, *index, *since, *shown));
    Ok(())
}

/// Since when a statement is public, and its seen proof, unless there is one already that holds: that was the first.
fn seen_proof(
    state: &State,
    cosigned: &CheckpointNote,
    id: &StatementId,
    index: LeafIndex,
    entry: &[u8],
    reader: &mut NodeReader,
) -> Result<(Timestamp, Option<TlogProof>), PublicationError> {
    if let Seen::Since { time, .. } = recovery::seen(&state.log, &state.policy, id, index, entry)? {
        return Ok((time, None));
    }
    let path = reader.inclusion(index)?;
    let proof = TlogProof { extra: None, index, path, checkpoint: cosigned.clone() };
    let verified = proof.verify(entry, state.log.key(), &state.policy);
    let times = verified.map_err(|source| PublicationError::Proof { index, source })?;
    Ok((times.earliest, Some(proof)))
}
