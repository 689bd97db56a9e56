//! Publishing a cosigned checkpoint and everything that goes with it, in an order in which whoever stops in the middle
//! leaves nothing behind that points to something missing:
//!
//! 1. the statements that it covers for the first time, and their seen proofs;
//! 2. the checkpoint;
//! 3. the answers to those who wait, and the [bundles](crate::current);
//! 4. the copies of the bundles in the folder, by the [`keeper`](crate::keeper).

use crate::histories::Witnessed;
use crate::log::{LogError, NodeReader};
use crate::recovery::{self, Seen};
use crate::state::{Published, State};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::StatementId;
use isonomy_core::policy::QuorumTimes;
use isonomy_core::resource::Resource;
use isonomy_core::rules::history::LeftOut;
use isonomy_core::statement::{ListName, Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::{TlogProof, TlogProofError};
use isonomy_core::tree::LeafIndex;
use isonomy_store::files::FileError;
use isonomy_store::kv::StoreError;
use std::collections::{BTreeMap, BTreeSet};
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
    let mut lists: BTreeMap<ListName, LeafIndex> = BTreeMap::new();
    for &index in covered {
        let entry = entries.entry(index)?;
        let statement = Statement::parse(entry).map_err(|source| PublicationError::NotAStatement { index, source })?;
        let id = statement.id();
        let (shown, proof) = seen_proof(state, cosigned, &id, index, entry, &mut reader)?;
        let since = state.firsts.of(index)?.map_or(shown, |first| first.min(shown));
        let list = statement.list().clone();
        lists.entry(list.clone()).or_insert(index);
        statements.push((Resource::Statement(id), entry.to_vec()));
        proofs.extend(proof.map(|proof| (Resource::SeenProof(id), proof.to_bytes())));
        times.push((index, since));
        seen.push(Witnessed { list, id, index, since, shown });
    }
    state.touched().extend(lists.keys().cloned());
    state.log.public().write_proven(&statements)?;
    state.log.public().replace_all(&proofs)?;
    state.firsts.remember(&times)?;
    let mut histories = state.histories_mut();
    seen.iter().for_each(|witnessed| histories.set_public_since(witnessed));
    for (list, from) in lists {
        for LeftOut { index, id, violation, .. } in histories.judge_again(&list, from) {
            // It was admitted by this server's clock, and the witnesses' say otherwise.
            tracing::warn!(%index, %id, %violation, "a logged statement breaks a rule; everybody leaves it out");
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::Admission;
    use crate::faults::lists::{LIST, Publisher, by_all, charter, maintainer};
    use crate::faults::world::{cosigned_at, log_key, policy};
    use crate::recovery::SeenProofs;
    use crate::sequencer::{Submission, append};
    use crate::server::open_state;
    use crate::state::now;
    use isonomy_core::rules::releases::Place;
    use std::path::Path;
    use tokio::sync::oneshot;

    fn open(folder: &Path) -> State {
        let admission = Admission::new(vec![maintainer().verifier().clone()], Vec::new());
        open_state(folder, log_key(), policy(), SeenProofs::Keep, admission, Default::default()).unwrap()
    }

    fn submit(state: &State, statement: Statement) -> LeafIndex {
        let (answer, mut answered) = oneshot::channel();
        append(state, vec![Submission { statement, answer }]).unwrap();
        answered.try_recv().unwrap().unwrap()
    }

    fn publish_at(state: &State, time: Timestamp) {
        let cosigned = cosigned_at(&state.log.integrate().unwrap(), time);
        let times = policy().checkpoint_times(cosigned.note()).unwrap().unwrap();
        publish(state, cosigned, times).unwrap();
    }

    fn releases(state: &State) -> usize {
        state.histories().known.list(&charter(LIST).list).unwrap().releases().len()
    }

    /// A log with a list.
    fn with_list(folder: &Path) -> (State, Publisher) {
        let (state, own) = (open(folder), charter(LIST));
        submit(&state, by_all(own.to_text().unwrap()));
        publish_at(&state, now());
        (state, Publisher::new(&own))
    }

    fn receive(state: &State, publisher: &Publisher, release: &Statement) {
        for object in release.clone().into_release().unwrap().body().objects() {
            let mut upload = state.objects.receive(object).unwrap();
            upload.write(&publisher.objects[&object.sha256]).unwrap();
            upload.finish().unwrap();
        }
    }

    #[test]
    fn what_breaks_a_rule_by_the_witnesses_clocks_is_left_out_at_once_and_after_a_start() {
        let folder = tempfile::tempdir().unwrap();
        let (state, mut publisher) = with_list(folder.path());
        let second_text = by_all(publisher.compose(0..70, |release| release.expires.0 += 1).0.to_text().unwrap());
        let release = publisher.release(0..60);
        receive(&state, &publisher, &release);
        assert_eq!((submit(&state, release.clone()), releases(&state)), (LeafIndex(1), 1));
        // It was not created yet, as they have it.
        publish_at(&state, Timestamp(now().0 - 1000));
        assert_eq!((state.index_of(&release.id()), releases(&state)), (Some(LeafIndex(1)), 0));
        refuses_what_follows(&state, &second_text);
        drop(state);
        let state = open(folder.path());
        assert_eq!(releases(&state), 0);
        refuses_what_follows(&state, &second_text);
        // The charter goes on.
        let mut second = charter(LIST);
        (second.edition, second.previous) = (2, Some(by_all(second.to_text().unwrap()).id()));
        second.limits.max_entries -= 1;
        assert_eq!(submit(&state, by_all(second.to_text().unwrap())), LeafIndex(2));
    }

    /// That no second text is taken in the place of a release that is logged and left out.
    fn refuses_what_follows(state: &State, second_text: &Statement) {
        let (answer, mut answered) = oneshot::channel();
        append(state, vec![Submission { statement: second_text.clone(), answer }]).unwrap();
        let refusals = [answered.try_recv().unwrap().unwrap_err(), state.judge_draft(second_text).unwrap_err()];
        for refusal in refusals {
            let text = refusal.to_string();
            assert!(refusal.code() == "ended" && text.contains("entry 1 breaks a rule"), "{text}");
        }
        let messages = state.histories().endings.messages();
        assert!(matches!(&messages[..], [one] if one.contains(LIST)), "{messages:?}");
    }

    /// Its release was admitted, and this machine's clock was set back before it was published.
    #[test]
    fn a_statement_that_nobody_has_seen_is_no_older_than_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let (state, mut publisher) = with_list(folder.path());
        let ahead = now().plus(500);
        state.clock.note(QuorumTimes { earliest: ahead, latest: ahead }, 0, crate::clock::Moment::now());
        let later = |release: &mut isonomy_core::release::Release| {
            (release.created, release.expires) = (now().plus(100), now().plus(3000));
        };
        let release = by_all(publisher.compose(0..60, later).0.to_text().unwrap());
        receive(&state, &publisher, &release);
        let place = Place { index: LeafIndex(1), public_since: ahead };
        state.histories_mut().admit(release.clone(), place).unwrap();
        state.objects.publish(release.clone().into_release().unwrap().body()).unwrap();
        state.log.append(&[release.to_bytes()]).unwrap();
        drop(state);
        let state = open(folder.path());
        assert_eq!((releases(&state), state.histories().endings.messages().len()), (1, 0));
    }

    #[test]
    fn no_notice_runs_before_its_edition_is_published() {
        let folder = tempfile::tempdir().unwrap();
        let (state, _) = with_list(folder.path());
        let mut second = charter(LIST);
        (second.edition, second.previous) = (2, Some(by_all(second.to_text().unwrap()).id()));
        second.limits.max_entries += 1;
        submit(&state, by_all(second.to_text().unwrap()));
        let newest = |state: &State| {
            let histories = state.histories();
            let edition = histories.known.list(&second.list).unwrap().editions().newest().unwrap().clone();
            (edition.number(), edition.public_since())
        };
        let (first, later) = (newest(&state), now().plus(500));
        assert!(first.0 == 2 && first.1 <= now());
        state.defer_unpublished(later);
        assert_eq!(newest(&state), (2, later));
        publish_at(&state, now());
        state.defer_unpublished(later);
        assert!(newest(&state).1 <= now(), "what is published is public since then");
    }
}
