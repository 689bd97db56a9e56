//! How each witness answers: for the sequencer, health, metrics and whoever wants to look.

use super::WitnessFailure;
use isonomy_core::policy::QuorumTimes;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// By how much a date can be early since it has no parts of a second, and the clock has.
const TICK: u64 = 1;

/// How a witness answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WitnessState {
    /// Its name.
    pub name: String,
    /// The size that it cosigned last since the server started, and when it says that was.
    pub cosigned: Option<(TreeSize, Timestamp)>,
    /// By how many seconds its clock was ahead of this machine's when it cosigned last, counted or not; behind, if below 0.
    pub clock_ahead: Option<i64>,
    /// How long it took for its last answer, or until it was given up.
    pub latency: Option<Duration>,
    /// How often it has failed in a row.
    pub failures: u32,
    /// Why, the last time; none if it cosigned then.
    pub failure: Option<String>,
    /// The same without what differs each time.
    gist: Option<String>,
}

impl WitnessState {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Of a witness whose clock is ahead by this.
    #[cfg(test)]
    pub(crate) fn with_clock(name: &str, clock_ahead: Option<i64>) -> Self {
        Self { clock_ahead, ..Self::new(name) }
    }
}

/// How all witnesses answer.
pub struct WitnessBoard {
    /// When the server was started, by a clock that nobody sets.
    started: Instant,
    states: Mutex<Vec<WitnessState>>,
    /// What a witness has said that contradicts the log; it stays until the server is started again.
    contradiction: watch::Sender<Option<String>>,
    /// How many rounds in a row have ended without a quorum.
    in_vain: AtomicU64,
    /// Something has been published since the start: a quorum has cosigned what is there.
    is_confirmed: AtomicBool,
}

#[cfg(test)]
impl Default for WitnessBoard {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl WitnessBoard {
    pub(super) fn new(states: Vec<WitnessState>) -> Self {
        Self {
            started: Instant::now(),
            states: Mutex::new(states),
            contradiction: watch::Sender::default(),
            in_vain: AtomicU64::default(),
            is_confirmed: AtomicBool::default(),
        }
    }

    /// How many seconds a cosignature is older than the start, as far as that matters: until a quorum has cosigned since then
    /// what is there. A witness whose clock is behind counts so much later.
    pub(super) fn age_at_start(&self, time: Timestamp, now: Timestamp) -> Option<u64> {
        let seconds = now.since(time).saturating_sub(self.started.elapsed().as_secs());
        (!self.is_confirmed() && seconds > TICK).then_some(seconds)
    }

    /// Each witness of the policy that has a URL, in its order.
    pub fn states(&self) -> Vec<WitnessState> {
        self.lock().clone()
    }

    /// What a witness has said that contradicts the log, since the server started.
    pub(crate) fn contradiction(&self) -> Option<String> {
        self.contradiction.borrow().clone()
    }

    /// Done as soon as a witness contradicts the log; never, if none does.
    pub(crate) async fn contradicted(&self) {
        let _ = self.contradiction.subscribe().wait_for(Option::is_some).await;
    }

    /// Takes note that a quorum has cosigned what this log has, so that no older data was put back before the start.
    pub(crate) fn confirm(&self) {
        self.is_confirmed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_confirmed(&self) -> bool {
        self.is_confirmed.load(Ordering::Relaxed)
    }

    /// How many rounds in a row have ended without a quorum.
    pub(crate) fn rounds_in_vain(&self) -> u64 {
        self.in_vain.load(Ordering::Relaxed)
    }

    /// Takes note of how a round has ended.
    pub(super) fn ended(&self, with: Option<QuorumTimes>) {
        match with {
            Some(_) => self.in_vain.store(0, Ordering::Relaxed),
            None => drop(self.in_vain.fetch_add(1, Ordering::Relaxed)),
        }
    }

    pub(super) fn cosigned(&self, at: usize, size: TreeSize, time: Timestamp) {
        self.change(at, |state| {
            (state.cosigned, state.failures) = (Some((size, time)), 0);
            (state.failure, state.gist) = (None, None);
        });
    }

    pub(super) fn note_clock(&self, at: usize, ahead: i64) {
        self.change(at, |state| state.clock_ahead = Some(ahead));
    }

    pub(super) fn note_latency(&self, at: usize, took: Duration) {
        self.change(at, |state| state.latency = Some(took));
    }

    /// Takes note of a failure; whether it is another one than the last time.
    pub(super) fn failed(&self, at: usize, failure: &WitnessFailure) -> bool {
        let mut is_new = true;
        self.change(at, |state| {
            let gist = Some(failure.gist());
            is_new = state.gist != gist;
            (state.failures, state.failure, state.gist) =
                (state.failures.saturating_add(1), Some(failure.to_string()), gist);
        });
        is_new
    }

    /// Takes note that a witness contradicts the log; the first that did counts.
    pub(super) fn contradict(&self, name: &str, failure: &WitnessFailure) {
        self.contradiction.send_if_modified(|known| {
            let is_first = known.is_none();
            known.get_or_insert_with(|| format!("the witness {name} contradicts this log: {failure}"));
            is_first
        });
    }

    pub(super) fn is_failing(&self, at: usize) -> bool {
        self.lock().get(at).is_some_and(|state| state.failures > 0)
    }

    fn change(&self, at: usize, change: impl FnOnce(&mut WitnessState)) {
        self.lock().get_mut(at).map(change);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<WitnessState>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_fetch::WitnessError;

    fn refused(status: u16, message: &str) -> WitnessFailure {
        let (location, message) = ("http://w.example/".to_owned(), message.to_owned());
        WitnessFailure::Refused(WitnessError::Refused { location, status, message, retry_after: None })
    }

    #[test]
    fn a_failure_is_new_when_its_words_change_but_not_when_a_clock_goes_on() {
        let board = WitnessBoard::new(vec![WitnessState::new("w")]);
        assert!(board.failed(0, &WitnessFailure::TooSlow));
        assert!(!board.failed(0, &WitnessFailure::TooSlow));
        assert!(board.failed(0, &refused(403, "no")));
        assert!(board.failed(0, &WitnessFailure::ClockAhead { seconds: 99 }));
        assert!(!board.failed(0, &WitnessFailure::ClockAhead { seconds: 100 }));
        assert_eq!(board.states()[0].failures, 5);
        assert!(board.states()[0].failure.as_ref().unwrap().contains("100 s"));
        board.cosigned(0, TreeSize(1), Timestamp(1));
        assert!(board.failed(0, &WitnessFailure::ClockAhead { seconds: 100 }));
    }

    #[test]
    fn who_has_seen_something_else_contradicts_and_the_first_word_stays() {
        let (known, size) = (TreeSize(9), TreeSize(8));
        for (failure, contradicts) in [
            (WitnessFailure::Ahead { known, size }, true),
            (WitnessFailure::OtherTree { size }, true),
            (refused(422, "other"), true),
            (refused(403, "no"), false),
            (WitnessFailure::TooSlow, false),
            (WitnessFailure::Unproven { claim: Box::new(WitnessFailure::Ahead { known, size }) }, false),
        ] {
            assert_eq!(failure.is_contradiction(), contradicts, "{failure}");
        }
        let (board, now) = (WitnessBoard::default(), Timestamp(10_000));
        let age = |time| board.age_at_start(Timestamp(time), now).is_some();
        assert_eq!([1000, 10_000 - TICK - 1, 10_000 - TICK, 20_000].map(age), [true, true, false, false]);
        board.confirm();
        assert!(!age(1000), "the log has a memory then");
        board.contradict("a", &WitnessFailure::Ahead { known, size });
        board.contradict("b", &WitnessFailure::OtherTree { size });
        assert!(board.contradiction().unwrap().contains("the witness a contradicts"));
    }
}
