//! The task that publishes: whenever the log has grown, it integrates what is committed, has the checkpoint cosigned and
//! publishes it; when nothing happens, it has the unchanged tree cosigned again from time to time. Meanwhile the
//! sequencer goes on committing; whatever is committed until a round begins is published by it together.
//!
//! Where this machine's clocks have moved apart, a round begins at once: it shows what the witnesses' clocks show.
//!
//! Too few witnesses are no failure: the round is repeated until there are enough.

use crate::clock::{Moment, WitnessedClock};
use crate::figures::timed;
use crate::publication::{Publication, PublicationError};
use crate::sequencer::SequencerError;
use crate::state::State;
use crate::witnesses::{Round, Witnesses};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::policy::QuorumTimes;
use isonomy_core::rules::MAX_CLOCK_DIFFERENCE;
use isonomy_core::tree::TreeSize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// After how long a round that failed is repeated for the first time; each time after twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// For how long nothing must have been committed before a round begins, and how long that is waited for at most.
const GATHERING: Duration = Duration::from_millis(5);
const LONGEST_GATHERING: Duration = Duration::from_millis(50);

/// How often this machine's clocks are compared.
const COMPARING: Duration = Duration::from_secs(1);

pub(crate) struct Publisher {
    pub(crate) state: Arc<State>,
    pub(crate) witnesses: Witnesses,
    pub(crate) republish_every: Duration,
    pub(crate) stop: watch::Receiver<bool>,
    /// The first and the last of the rounds in a row after which nothing was published because the witnesses' clocks were set back.
    pub(crate) premature: Option<(Instant, Instant)>,
}

impl Publisher {
    /// Works until told to stop. What was committed but not published when the server stopped last comes first.
    pub(crate) async fn run(mut self) -> Result<(), SequencerError> {
        let mut pause = FIRST_PAUSE;
        while !*self.stop.borrow() {
            let published = self.try_publish().await?;
            if published.is_some() {
                // By the witnesses' clocks: this machine's may be wrong, and what waits would be gone.
                self.blocking(|state| state.tidy()).await??;
            }
            match published {
                Some(size) => self.rest(size).await,
                None => self.pause(pause.min(self.republish_every.max(FIRST_PAUSE))).await,
            }
            pause = if published.is_some() { FIRST_PAUSE } else { (pause * 2).min(LAST_PAUSE) };
        }
        Ok(())
    }

    /// Waits until the log is larger than this, it is time to publish again, this machine's clocks have moved apart, or it is time to
    /// stop.
    async fn rest(&mut self, size: TreeSize) {
        let mut grown = self.state.grown.subscribe();
        let has_grown = tokio::select! {
            _ = stopped(&mut self.stop) => false,
            () = moved_apart(&self.state.clock) => false,
            grew = timeout(self.republish_every, grown.wait_for(|grown| *grown > size)) => grew.is_ok(),
        };
        if has_grown {
            self.gather().await;
        }
    }

    /// Waits a moment for what comes at the same time, so that many who submit at once share one round: whoever came just
    /// too late would wait for a whole one, and then another.
    async fn gather(&mut self) {
        let (mut grown, until) = (self.state.grown.subscribe(), Instant::now() + LONGEST_GATHERING);
        loop {
            tokio::select! {
                _ = stopped(&mut self.stop) => return,
                () = sleep_until(until) => return,
                grew = timeout(GATHERING, grown.changed()) => if !matches!(grew, Ok(Ok(()))) {
                    return;
                }
            }
        }
    }

    async fn pause(&mut self, pause: Duration) {
        let _ = timeout(pause, stopped(&mut self.stop)).await;
    }

    /// One round, and publication if there are enough cosignatures; the size that was published.
    async fn try_publish(&mut self) -> Result<Option<TreeSize>, SequencerError> {
        let (mut stop, began) = (self.stop.clone(), Moment::now());
        let round = tokio::select! {
            () = stopped(&mut stop) => return Ok(None),
            round = self.round() => round?,
        };
        let Round { cosigned, times: Some(times), moment, lag, .. } = round else {
            let size = round.cosigned.checkpoint().size.0;
            tracing::error!(size, "too few witnesses cosigned; the checkpoint is not published");
            // Nobody has said in this time that it is too early.
            self.premature = None;
            self.state.await_dates(None);
            return Ok(None);
        };
        if moment.has_moved_apart(began) {
            // How far the witnesses' clocks are from this one can't be told by dates from before it was set.
            tracing::warn!(
                "this machine's clock was set, or the machine stood still, during a round: its witnesses are asked again"
            );
            return Ok(None);
        }
        self.state.clock.note(times, lag, moment);
        let size = cosigned.checkpoint().size;
        if !self.publish_in_time(cosigned, times).await? {
            return Ok(None);
        }
        self.state.witnesses.confirm();
        Ok(Some(size))
    }

    /// Publishes what is cosigned, unless its dates come too early for something, and later ones are to be waited for; whether it has.
    async fn publish_in_time(&mut self, cosigned: CheckpointNote, times: QuorumTimes) -> Result<bool, SequencerError> {
        // Clocks that are set right were off by so much at most.
        let most = Duration::from_secs(MAX_CLOCK_DIFFERENCE);
        // This process may have been frozen since the last one: then nobody has waited.
        let waiting = self.premature.filter(|(_, last)| last.elapsed() <= 2 * LAST_PAUSE);
        let may_wait = waiting.is_none_or(|(first, _)| first.elapsed() < most);
        let publish = move |state: &State| {
            let publication = Publication::prepare(state, cosigned, times)?;
            if may_wait && publication.is_premature() {
                return Ok(false);
            }
            publication.publish().map(|()| true)
        };
        let is_published: Result<bool, PublicationError> =
            self.blocking(move |state| timed(&state.figures.publish, || publish(state))).await?;
        if !is_published? {
            tracing::warn!(
                "the witnesses' clocks were set back: by their dates something that was admitted would break a rule, so later dates are waited for"
            );
            let now = Instant::now();
            let first = waiting.map_or(now, |(first, _)| first);
            self.premature = Some((first, now));
            self.state.await_dates(Some(first.into_std()));
            return Ok(false);
        }
        self.premature = None;
        self.state.await_dates(None);
        Ok(true)
    }

    /// Integrates what is committed, and asks the witnesses.
    async fn round(&mut self) -> Result<Round, SequencerError> {
        self.blocking(|state| timed(&state.figures.integrate, || state.log.integrate())).await??;
        let published = self.state.published.borrow().as_ref().map(|published| published.checkpoint.checkpoint().size);
        let grown = self.state.grown.subscribe();
        let began = Instant::now();
        let round = self.witnesses.round(&self.state.log, published, grown).await;
        self.state.figures.round.observe(began.elapsed().as_secs_f64());
        Ok(round)
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

/// Done when this machine's clocks have moved apart. No timer says so: those stand still with the machine.
async fn moved_apart(clock: &WitnessedClock) {
    loop {
        if let Some(doubt) = clock.doubt() {
            tracing::warn!(
                seconds = doubt.seconds(),
                "this machine's clock was set, or the machine stood still: its witnesses are asked at once"
            );
            return;
        }
        sleep(COMPARING).await;
    }
}

/// Done when it is time to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Who could say it is gone: then it is time, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn a_machine_that_stood_still_is_noticed() {
        let clock = WitnessedClock::default();
        let mut noticed = std::pin::pin!(moved_apart(&clock));
        assert!(noticed.as_mut().now_or_never().is_none());
        clock.stood_still(Duration::from_secs(600));
        noticed.await;
    }
}
