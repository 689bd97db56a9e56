//! Asking one witness for one cosignature.

use super::{ATTEMPTS, GLANCE, PATIENCE, WitnessBoard, WitnessFailure, check_shown};
use crate::clock::Moment;
use crate::log::{Log, LogError};
use crate::state::now;
use futures_util::FutureExt;
use isonomy_core::add_checkpoint::AddCheckpoint;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::note::{Signature, VerifierKey};
use isonomy_core::rules::MAX_CLOCK_AHEAD;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use isonomy_fetch::{WitnessClient, WitnessError};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// What came of asking a witness.
pub(super) struct Answer {
    /// Its place.
    pub(super) at: usize,
    /// What it was to cosign.
    pub(super) head: CheckpointNote,
    /// When it was asked.
    pub(super) asked: Moment,
    /// How long it took.
    pub(super) took: Duration,
    pub(super) result: Result<Cosigned, WitnessFailure>,
}

/// A valid cosignature.
pub(super) struct Cosigned {
    pub(super) line: Signature,
    pub(super) time: Timestamp,
}

/// One witness and what it is asked.
pub(super) struct Ask {
    pub(super) at: usize,
    pub(super) client: WitnessClient,
    pub(super) key: VerifierKey,
    pub(super) known: TreeSize,
    pub(super) latest: Option<CheckpointNote>,
    /// Until when it is left alone.
    pub(super) after: Option<Instant>,
    pub(super) log: Arc<Log>,
    pub(super) head: CheckpointNote,
    pub(super) board: Arc<WitnessBoard>,
}

impl Ask {
    /// Asks, patiently; always comes to an end. A contradiction is told at once: there may be no round that listens.
    ///
    /// Once a quorum has cosigned what this log has, older data can't have been put back, and one witness, or whoever is on
    /// the way to it, must not be able to stop the log by a word: then it counts only if the witness can show it.
    pub(super) async fn answer(mut self) -> Answer {
        if let Some(after) = self.after {
            sleep_until(after).await;
            // The log may have grown meanwhile, and the witness be asked no more for a while.
            self.head = self.log.integrated();
        }
        let (at, head, asked, began) = (self.at, self.head.clone(), Moment::now(), Instant::now());
        let (board, name) = (Arc::clone(&self.board), self.key.name().to_owned());
        let (client, log) = (self.client.clone(), Arc::clone(&self.log));
        let answered = AssertUnwindSafe(timeout(PATIENCE, self.cosignature())).catch_unwind().await;
        let result = match answered {
            Ok(Ok(Err(claim))) if claim.is_contradiction() && board.is_confirmed() => {
                Err(proven(claim, &client, log).await)
            }
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(WitnessFailure::TooSlow),
            Err(_) => Err(WitnessFailure::Lost),
        };
        if let Some(failure) = result.as_ref().err().filter(|failure| failure.is_contradiction()) {
            board.contradict(&name, failure);
        }
        Answer { at, head, asked, took: began.elapsed(), result }
    }

    /// The witness's cosignature of the head, verified.
    async fn cosignature(mut self) -> Result<Cosigned, WitnessFailure> {
        let size = self.head.checkpoint().size;
        for _ in 0..ATTEMPTS {
            match self.show(self.reminding_head()).await? {
                Ok(lines) => return self.newest(&lines),
                Err(WitnessError::Conflict { size: known }) if known > self.log.integrated_size() => {
                    return Err(WitnessFailure::Ahead { known, size });
                }
                // It knows the size that was named, so that it must be the tree that it minds.
                Err(WitnessError::Conflict { size: known })
                    if known == size && self.known == size && size > TreeSize(0) =>
                {
                    return Err(WitnessFailure::OtherTree { size });
                }
                Err(WitnessError::Conflict { size: known }) => {
                    self.known = known;
                    self.remind().await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(WitnessFailure::Unsteady)
    }

    /// The head; under the witness's own line if it has cosigned it before.
    fn reminding_head(&self) -> CheckpointNote {
        let latest = self.latest.as_ref().filter(|latest| latest.note().text() == self.head.note().text());
        latest.unwrap_or(&self.head).clone()
    }

    /// Shows a witness that names a smaller size than it has cosigned what it has forgotten.
    async fn remind(&mut self) -> Result<(), WitnessFailure> {
        let Some(latest) = self.latest.take() else { return Ok(()) };
        let (known, cosigned) = (self.known, latest.checkpoint().size);
        if known >= cosigned {
            return Ok(());
        }
        match self.show(latest).await? {
            Ok(_) => self.known = cosigned,
            Err(source) => return Err(WitnessFailure::Forgot { known, cosigned, source }),
        }
        Ok(())
    }

    /// Shows the witness a checkpoint, with the proof from the size that it knows.
    async fn show(&self, checkpoint: CheckpointNote) -> Result<Result<Vec<Signature>, WitnessError>, WitnessFailure> {
        let (log, old, new) = (Arc::clone(&self.log), self.known, checkpoint.checkpoint().size);
        let proof = tokio::task::spawn_blocking(move || log.consistency(old, new)).await;
        let proof = proof.map_err(|_| WitnessFailure::Lost)??;
        Ok(self.client.add_checkpoint(&AddCheckpoint { old, proof, checkpoint }).await)
    }

    /// The valid line with the latest time; other lines are ignored.
    fn newest(&self, lines: &[Signature]) -> Result<Cosigned, WitnessFailure> {
        let text = self.head.note().text();
        let valid = lines.iter().filter_map(|line| Some((cosignature::verify(&self.key, text, line)?, line)));
        let (time, line) = valid.max_by_key(|(time, _)| *time).ok_or(WitnessFailure::NoCosignature)?;
        let now = now();
        self.board.note_clock(self.at, signed_difference(time, now));
        let ahead = time.since(now);
        if ahead > MAX_CLOCK_AHEAD {
            return Err(WitnessFailure::ClockAhead { seconds: ahead });
        }
        match self.board.age_at_start(time, now) {
            Some(seconds) => Err(WitnessFailure::Old { seconds }),
            None => Ok(Cosigned { line: line.clone(), time }),
        }
    }
}

/// What a witness's claim to have seen more or other of this log comes to: whether it shows such a checkpoint.
async fn proven(claim: WitnessFailure, client: &WitnessClient, log: Arc<Log>) -> WitnessFailure {
    let origin = log.key().name().to_owned();
    let Ok(Ok(shown)) = timeout(GLANCE, client.latest(&origin)).await else {
        return WitnessFailure::Unproven { claim: Box::new(claim) };
    };
    match tokio::task::spawn_blocking(move || check_shown(&shown, &log)).await {
        Ok(Err(error @ (LogError::RolledBack { .. } | LogError::TwoHistories { .. }))) => {
            WitnessFailure::Shown { source: Box::new(error) }
        }
        Ok(Err(error)) => error.into(),
        Ok(Ok(())) => WitnessFailure::Unproven { claim: Box::new(claim) },
        Err(_) => WitnessFailure::Lost,
    }
}

/// How many seconds `time` is after `other`; below 0 if before.
fn signed_difference(time: Timestamp, other: Timestamp) -> i64 {
    let seconds = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    if time >= other { seconds(time.since(other)) } else { -seconds(other.since(time)) }
}
