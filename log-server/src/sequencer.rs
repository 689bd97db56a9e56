//! The task that makes the log grow: it takes what was submitted, in batches, judges each once more in the order in which
//! they will stand, and appends them. The [`publisher`](crate::publisher) does the rest.
//!
//! A failure of disk or database ends the task, and with it the server: what is on the disk is then judged by the next
//! start, not by guesses about what was written. If what is committed can't be published because witnesses are missing,
//! nothing new is sequenced after a while: then submissions wait, and when too many do, are told to come back.
//!
//! After a start nothing is sequenced before the quorum has cosigned what is there: if older data was put back, witnesses
//! know it, and a log that went on without asking them would fork. And nothing is any more once a witness has said that it
//! knows a larger tree or another; who submits is told so.

use crate::figures::timed;
use crate::log::{LogError, MAX_BATCH, MAX_BATCH_BYTES};
use crate::publication::PublicationError;
use crate::refusal::Refusal;
use crate::state::{Published, State, published_size};
use isonomy_core::rules::history::Signing;
use isonomy_core::rules::releases::Place;
use isonomy_core::statement::{MAX_STATEMENT_SIZE, Statement};
use isonomy_core::tree::LeafIndex;
use isonomy_store::files::FileError;
use isonomy_store::kv::StoreError;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, oneshot, watch};

/// How many statements may be committed and not published.
pub(crate) const MAX_UNPUBLISHED: u64 = 8192;
/// The most statements in a batch: as many as surely fit.
const BATCH: usize =
    if MAX_BATCH_BYTES / MAX_STATEMENT_SIZE < MAX_BATCH { MAX_BATCH_BYTES / MAX_STATEMENT_SIZE } else { MAX_BATCH };

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
    pub(crate) queue: mpsc::Receiver<Submission>,
    /// How many statements may be committed and not published; the others wait in the queue.
    pub(crate) most_unpublished: u64,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Sequencer {
    /// Works until told to stop.
    pub(crate) async fn run(mut self) -> Result<(), SequencerError> {
        let mut stop = self.stop.clone();
        loop {
            let next = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = self.state.witnesses.contradicted() => break,
                next = next(&self.state, &mut self.queue, self.most_unpublished) => next,
            };
            let Some((first, room)) = next else { return Ok(()) };
            self.sequence(first, room).await?;
        }
        self.refuse_all(&mut stop).await;
        Ok(())
    }

    /// Refuses whatever comes, until told to stop.
    async fn refuse_all(&mut self, stop: &mut watch::Receiver<bool>) {
        loop {
            let next = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                next = self.queue.recv() => next,
            };
            let Some(Submission { answer, .. }) = next else { return };
            let _ = answer.send(Err(Refusal::Contradicted));
        }
    }

    /// Sequences a statement and those that wait behind it, as many as there is room for.
    async fn sequence(&mut self, first: Submission, room: u64) -> Result<(), SequencerError> {
        let most = BATCH.min(usize::try_from(room).unwrap_or(BATCH));
        let mut batch = vec![first];
        while batch.len() < most
            && let Ok(next) = self.queue.try_recv()
        {
            batch.push(next);
        }
        let state = Arc::clone(&self.state);
        let appended = tokio::task::spawn_blocking(move || append(&state, batch)).await;
        appended.map_err(|_| SequencerError::Panicked)?
    }
}

/// The next submission, once there is room for it, and for how many there is; none before something was published since
/// the start.
async fn next(state: &State, queue: &mut mpsc::Receiver<Submission>, most: u64) -> Option<(Submission, u64)> {
    let (size, mut published) = (state.log.size().0, state.published.subscribe());
    let room = |published: &Option<Arc<Published>>| match published {
        None => 0,
        Some(_) => most.saturating_sub(size.saturating_sub(published_size(published).0)),
    };
    published.wait_for(|published| room(published) > 0).await.ok()?;
    let first = queue.recv().await?;
    let room = room(&published.borrow());
    Some((first, room))
}

/// Judges a batch once more, in its order, and appends what passes.
pub(crate) fn append(state: &State, batch: Vec<Submission>) -> Result<(), SequencerError> {
    if state.clock.doubt().is_some() {
        // The machine may have been restored from an image: then this log has signed more than it remembers. The round that ends the
        // doubt shows it.
        batch.into_iter().for_each(|submission| drop(submission.answer.send(Err(Refusal::ClockInDoubt))));
        return Ok(());
    }
    let start = state.log.size();
    state.defer_unpublished(state.time());
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
        state.figures.batch.observe(entries.len() as f64);
        timed(&state.figures.append, || state.log.append(&entries))?;
        state.grown.send_replace(state.log.size());
    }
    // Not before: what was not committed when the process died still waits when it starts again.
    sequenced.iter().try_for_each(|id| state.pending.remove(id))?;
    for (answer, index) in answers {
        // Whoever asked may have gone; the statement is logged all the same.
        let _ = answer.send(Ok(index));
    }
    Ok(())
}

/// Takes a statement up into the history, if it may be logged at `place`, and makes its objects public. If it is logged
/// already, gives where.
fn take_up(state: &State, statement: Statement, place: Place) -> Result<Result<LeafIndex, Refusal>, SequencerError> {
    let id = statement.id();
    if let Some(index) = state.index_of(&id) {
        return Ok(Ok(index));
    }
    let verdict = state.judge_at(&statement, place, Signing::Signed);
    if let Err(refusal) = verdict {
        return Ok(Err(refusal));
    }
    if let Statement::Release(release) = &statement {
        if !state.missing(release.body()).is_empty() {
            return Ok(Err(Refusal::Busy)); // swept away meanwhile
        }
        state.objects.publish(release.body())?;
    }
    // Nobody else takes anything up, but meanwhile it may have been witnessed since when something is public.
    if let Err(violation) = state.histories_mut().admit(statement, place) {
        return Ok(Err(violation.into()));
    }
    state.sequenced.store(place.index.0 + 1, Ordering::Relaxed);
    Ok(Ok(place.index))
}

#[cfg(test)]
mod tests;
