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
use isonomy_core::rules::MAX_CLOCK_DIFFERENCE;
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

/// What is to be published with a checkpoint that a quorum has cosigned, at these times.
pub(crate) struct Publication<'s> {
    state: &'s State,
    cosigned: CheckpointNote,
    times: QuorumTimes,
    /// The statements that it covers for the first time, and their seen proofs.
    statements: Vec<(Resource, Vec<u8>)>,
    proofs: Vec<(Resource, Vec<u8>)>,
    seen: Vec<Witnessed>,
}

/// Publishes a checkpoint that a quorum has cosigned, at these times.
#[cfg(test)]
pub(crate) fn publish(state: &State, cosigned: CheckpointNote, times: QuorumTimes) -> Result<(), PublicationError> {
    Publication::prepare(state, cosigned, times)?.publish()
}

impl<'s> Publication<'s> {
    /// Makes the seen proofs. Nothing is written yet.
    pub(crate) fn prepare(
        state: &'s State,
        cosigned: CheckpointNote,
        times: QuorumTimes,
    ) -> Result<Self, PublicationError> {
        let size = cosigned.checkpoint().size;
        let covered: Vec<LeafIndex> = state.unseen().iter().copied().take_while(|index| index.0 < size.0).collect();
        let (mut entries, mut reader) = (state.log.entries(), state.log.reader(size));
        let (mut statements, mut proofs, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        for index in covered {
            let entry = entries.entry(index)?;
            let statement =
                Statement::parse(entry).map_err(|source| PublicationError::NotAStatement { index, source })?;
            let (id, list) = (statement.id(), statement.list().clone());
            let (shown, proof) = seen_proof(state, &cosigned, &id, index, entry, &mut reader)?;
            let since = state.firsts.of(index)?.map_or(shown, |first| first.min(shown));
            statements.push((Resource::Statement(id), entry.to_vec()));
            proofs.extend(proof.map(|proof| (Resource::SeenProof(id), proof.to_bytes())));
            seen.push(Witnessed { list, id, index, since, shown });
        }
        Ok(Self { state, cosigned, times, statements, proofs, seen })
    }

    /// Whether by these times something would break a rule that a later time keeps: a witness's clock was set back, and dates a
    /// release before it was created. Its seen proof would say so for ever.
    pub(crate) fn is_premature(&self) -> bool {
        let histories = self.state.histories();
        // What no later date mends is not waited for: of an edition, a line may count no more once the one before is in force.
        let is_mended = |seen: &Witnessed| {
            let later = seen.since.plus(MAX_CLOCK_DIFFERENCE);
            histories.would_keep(&Witnessed { since: later, shown: later, list: seen.list.clone(), ..*seen })
        };
        self.seen.iter().any(|witnessed| !histories.would_keep(witnessed) && is_mended(witnessed))
    }

    /// Publishes it.
    pub(crate) fn publish(self) -> Result<(), PublicationError> {
        self.publish_statements()?;
        let Self { state, cosigned, times, seen, .. } = self;
        state.log.publish(&cosigned)?;
        let covered: BTreeSet<LeafIndex> = seen.iter().map(|witnessed| witnessed.index).collect();
        state.unseen().retain(|index| !covered.contains(index));
        let published = Published { checkpoint: cosigned, times, at: Instant::now() };
        state.published.send_replace(Some(Arc::new(published)));
        Ok(())
    }

    /// Writes statements and their seen proofs.
    fn publish_statements(&self) -> Result<(), PublicationError> {
        let Self { state, statements, proofs, seen, .. } = self;
        let mut lists: BTreeMap<&ListName, LeafIndex> = BTreeMap::new();
        for Witnessed { list, index, .. } in seen {
            lists.entry(list).or_insert(*index);
        }
        let times: Vec<_> = seen.iter().map(|witnessed| (witnessed.index, witnessed.since)).collect();
        state.touched().extend(lists.keys().map(|list| (*list).clone()));
        state.log.public().write_proven(statements)?;
        state.log.public().replace_all(proofs)?;
        state.firsts.remember(&times)?;
        let mut histories = state.histories_mut();
        seen.iter().for_each(|witnessed| histories.set_public_since(witnessed));
        for (list, from) in lists {
            for LeftOut { index, id, violation, .. } in histories.judge_again(list, from) {
                // It was admitted by this server's clock, and the witnesses' say otherwise.
                tracing::warn!(%index, %id, %violation, "a logged statement breaks a rule; everybody leaves it out");
            }
        }
        Ok(())
    }
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
        // Whoever has sent it is told, too; what is logged and good is no other than before.
        assert_eq!(state.refuse_left_out(&release).unwrap_err().code(), "ended");
        let first = by_all(charter(LIST).to_text().unwrap());
        assert!(state.refuse_left_out(&first).is_ok());
        assert_eq!(state.judge_draft(&first).unwrap_err().code(), "already-logged");
        // The charter goes on, by its own rules.
        let mut second = charter(LIST);
        (second.edition, second.previous) = (3, Some(first.id()));
        let gap = state.judge_draft(&by_all(second.to_text().unwrap())).unwrap_err();
        assert_eq!(gap.code(), "not-contiguous");
        (second.edition, second.previous) = (2, Some(first.id()));
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

    #[test]
    fn a_date_from_before_a_release_was_created_is_premature() {
        let folder = tempfile::tempdir().unwrap();
        let (state, mut publisher) = with_list(folder.path());
        let release = publisher.release(0..60);
        receive(&state, &publisher, &release);
        submit(&state, release);
        let prepared = |time| {
            let cosigned = cosigned_at(&state.log.integrate().unwrap(), time);
            let times = policy().checkpoint_times(cosigned.note()).unwrap().unwrap();
            Publication::prepare(&state, cosigned, times).unwrap()
        };
        let created = now();
        assert!(prepared(Timestamp(created.0 - 5)).is_premature());
        assert_eq!(releases(&state), 1, "nothing is written");
        assert!(
            !prepared(Timestamp(created.0 - 500)).is_premature(),
            "waiting as long as clocks may differ would not help"
        );
        let later = prepared(created.plus(1));
        assert!(!later.is_premature());
        later.publish().unwrap();
        assert_eq!((releases(&state), state.histories().endings.messages().len()), (1, 0));
    }

    /// A log that is at `start` by its witnesses, with a second edition that widens the first after a notice of an hour, and a release
    /// under it from when that is over; whether those are published.
    fn widened(folder: &Path, start: Timestamp, publishes: bool) -> StatementId {
        let (state, mut publisher) = with_list(folder);
        let mut second = charter(LIST);
        (second.edition, second.previous) = (2, Some(by_all(second.to_text().unwrap()).id()));
        second.limits.max_entries += 1;
        let edition = by_all(second.to_text().unwrap());
        submit(&state, edition.clone());
        publish_at(&state, start);
        publisher.cite(&second);
        let over = start.plus(3700);
        state.clock.note(QuorumTimes { earliest: over, latest: over }, 0, crate::clock::Moment::now());
        let release = by_all(publisher.compose(0..60, |_| ()).0.to_text().unwrap());
        receive(&state, &publisher, &release);
        let place = Place { index: LeafIndex(2), public_since: over };
        state.histories_mut().admit(release.clone(), place).unwrap();
        state.objects.publish(release.clone().into_release().unwrap().body()).unwrap();
        state.unseen().insert(LeafIndex(2));
        state.log.append(&[release.to_bytes()]).unwrap();
        if publishes {
            publish_at(&state, over);
        }
        edition.id()
    }

    /// This machine's clock is behind by more than a notice.
    #[test]
    fn a_slow_clock_does_not_hide_that_a_lost_proof_would_end_a_list() {
        let folder = tempfile::tempdir().unwrap();
        let edition = widened(folder.path(), now(), true);
        assert_eq!(releases(&open(folder.path())), 1);
        std::fs::remove_file(folder.path().join("public").join(Resource::SeenProof(edition).to_string())).unwrap();
        let admission = Admission::new(vec![maintainer().verifier().clone()], Vec::new());
        let opened =
            open_state(folder.path(), log_key(), policy(), SeenProofs::Keep, admission, Default::default()).err();
        assert!(opened.unwrap().to_string().contains("are lost or damaged"));
    }

    #[test]
    fn what_was_admitted_and_not_published_is_judged_by_its_own_witnesses() {
        let folder = tempfile::tempdir().unwrap();
        let start = now();
        widened(folder.path(), start, false);
        let state = open(folder.path());
        assert_eq!((releases(&state), state.histories().endings.messages().len()), (1, 0), "the clock is behind");
        publish_at(&state, start.plus(3700));
        assert_eq!(releases(&state), 1);
        drop(state);
        assert_eq!(releases(&open(folder.path())), 1);

        let folder = tempfile::tempdir().unwrap();
        widened(folder.path(), start, false);
        let state = open(folder.path());
        publish_at(&state, start.plus(1));
        assert_eq!((releases(&state), state.histories().endings.messages().len()), (0, 1), "it was too early");
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
        // What has been published is lost, too, so that nothing shows that nobody has seen it.
        std::fs::remove_file(folder.path().join("public/checkpoint")).unwrap();
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
