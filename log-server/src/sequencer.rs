//! The one task that changes the log: it takes what was submitted, in batches, appends, has the checkpoint cosigned and
//! publishes it; and, when nothing is submitted, has the unchanged tree cosigned again from time to time.
//!
//! A failure of disk or database ends the task, and with it the server: what is on the disk is then judged by the next
//! start, not by guesses about what was written. Too few witnesses are no failure: the round is repeated until there are
//! enough, and meanwhile nothing new is sequenced.

use crate::log::{LogError, MAX_BATCH};
use crate::publication::{self, PublicationError};
use crate::refusal::Refusal;
use crate::state::State;
use crate::witnesses::{Round, Witnesses};
use isonomy_core::rules::history::Signing;
use isonomy_core::rules::releases::Place;
use isonomy_core::statement::Statement;
use isonomy_core::tree::LeafIndex;
use isonomy_store::files::FileError;
use isonomy_store::kv::StoreError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// After how long a round that failed is repeated for the first time; each time after twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// A statement that is to be sequenced, its content already judged.
pub(crate) struct Submission {
    pub(crate) statement: Statement,
    /// Where it was sequenced, as soon as that is committed.
    pub(crate) answer: oneshot::Sender<Result<LeafIndex, Refusal>>,
}

/// Why the log can't go on.
#[derive(Debug, thiserror::Error)]
pub enum SequencerError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Publication.
    #[error(transparent)]
    Publication(#[from] PublicationError),
    /// A thread has died.
    #[error("a thread of the sequencer has panicked; its message is in the log before this one")]
    Panicked,
}

pub(crate) struct Sequencer {
    pub(crate) state: Arc<State>,
    pub(crate) witnesses: Witnesses,
    pub(crate) queue: mpsc::Receiver<Submission>,
    pub(crate) republish_every: Duration,
    pub(crate) stop: watch::Receiver<bool>,
}

/// What the task does next.
enum Next {
    Sequence(Box<Submission>),
    Republish,
    Stop,
}

impl Sequencer {
    /// Works until told to stop.
    pub(crate) async fn run(mut self) -> Result<(), SequencerError> {
        // What was committed but not published when the server stopped last comes first.
        self.publish_head().await?;
        let mut due = Instant::now() + self.republish_every;
        loop {
            match self.next(due).await {
                Next::Stop => return Ok(()),
                Next::Sequence(first) => {
                    if self.sequence(*first).await? {
                        self.publish_head().await?;
                        self.blocking(|state| state.tidy()).await??;
                        due = Instant::now() + self.republish_every;
                    }
                }
                Next::Republish => {
                    let pause = if self.try_publish().await? { self.republish_every } else { LAST_PAUSE };
                    due = Instant::now() + pause.min(self.republish_every);
                    self.blocking(|state| state.tidy()).await??;
                }
            }
        }
    }

    async fn next(&mut self, due: Instant) -> Next {
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => Next::Stop,
            submission = self.queue.recv() => submission.map_or(Next::Stop, |first| Next::Sequence(Box::new(first))),
            () = sleep_until(due) => Next::Republish,
        }
    }

    /// Sequences a statement and those that wait behind it; whether the log has grown.
    async fn sequence(&mut self, first: Submission) -> Result<bool, SequencerError> {
        let mut batch = vec![first];
        while batch.len() < MAX_BATCH
            && let Ok(next) = self.queue.try_recv()
        {
            batch.push(next);
        }
        self.blocking(move |state| append(state, batch)).await?
    }

    /// Repeats the round until there are enough cosignatures, then publishes.
    async fn publish_head(&mut self) -> Result<(), SequencerError> {
        let mut pause = FIRST_PAUSE;
        while !self.try_publish().await? {
            tokio::select! {
                _ = self.stop.wait_for(|stop| *stop) => return Ok(()),
                () = sleep(pause) => pause = (pause * 2).min(LAST_PAUSE),
            }
        }
        Ok(())
    }

    /// One round, and publication if there are enough cosignatures; whether there were.
    async fn try_publish(&mut self) -> Result<bool, SequencerError> {
        let round = tokio::select! {
            _ = self.stop.wait_for(|stop| *stop) => return Ok(false),
            round = self.witnesses.round(&self.state.log) => round,
        };
        for (witness, failure) in &round.failures {
            tracing::warn!(%witness, %failure, "a witness did not cosign");
        }
        let Round { cosigned, times: Some(times), .. } = round else {
            tracing::error!(
                size = cosigned_size(&round),
                "too few witnesses cosigned; the checkpoint is not published"
            );
            return Ok(false);
        };
        self.state.note_lag(times);
        self.blocking(move |state| publication::publish(state, &cosigned, times)).await??;
        Ok(true)
    }

    /// Does what blocks on a thread of its own.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Result<T, SequencerError> {
        let state = Arc::clone(&self.state);
        tokio::task::spawn_blocking(move || work(&state)).await.map_err(|_| SequencerError::Panicked)
    }
}

fn cosigned_size(round: &Round) -> u64 {
    round.cosigned.checkpoint().size.0
}

/// Judges a batch once more, in its order, and appends what passes. Whether anything did.
fn append(state: &State, batch: Vec<Submission>) -> Result<bool, SequencerError> {
    let start = state.log.size();
    let (mut entries, mut sequenced, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for Submission { statement, answer } in batch {
        let place = Place { index: LeafIndex(start.0 + entries.len() as u64), public_since: state.time() };
        let (id, bytes) = (statement.id(), statement.to_bytes());
        match take_up(state, statement, place)? {
            Ok(index) if index == place.index => {
                entries.push(bytes);
                sequenced.push(id);
                answers.push((answer, index));
            }
            Ok(index) => answers.push((answer, index)), // sequenced before
            Err(refusal) => drop(answer.send(Err(refusal))),
        }
    }
    if !entries.is_empty() {
        state.unseen().extend((start.0..).zip(&entries).map(|(index, _)| LeafIndex(index)));
        state.log.append(&entries)?;
    }
    // Not before: what was not committed when the process died still waits when it starts again.
    sequenced.iter().try_for_each(|id| state.pending.remove(id))?;
    for (answer, index) in answers {
        // Whoever asked may have gone; the statement is logged all the same.
        let _ = answer.send(Ok(index));
    }
    Ok(!entries.is_empty())
}

/// Takes a statement up into the history, if it may be logged at `place`, and makes its objects public. If it is logged
/// already, gives where.
fn take_up(state: &State, statement: Statement, place: Place) -> Result<Result<LeafIndex, Refusal>, SequencerError> {
    let id = statement.id();
    if let Some(index) = state.index_of(&id) {
        return Ok(Ok(index));
    }
    let verdict = state.admission.judge(&state.history(), &statement, place, Signing::Signed);
    if let Err(refusal) = verdict {
        return Ok(Err(refusal));
    }
    if let Statement::Release(release) = &statement {
        if !state.missing(release.body()).is_empty() {
            return Ok(Err(Refusal::Busy)); // swept away meanwhile
        }
        state.objects.publish(release.body())?;
    }
    // Nobody else writes to the history, so the verdict still holds.
    if let Err(violation) = state.history_mut().record(statement, place) {
        return Ok(Err(violation.into()));
    }
    Ok(Ok(place.index))
}
