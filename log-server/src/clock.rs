//! The time as the witnesses will have it, who say since when a statement is public: what is judged by it keeps the rules under
//! their dates, too.
//!
//! It is this machine's clock, put back by as much as the quorum's clocks were behind it in the newest round; and never later than what
//! those have come to since by a clock that nobody sets. So this machine's clock can be set while the log runs, rightly or
//! wrongly, and nothing is taken up too early by it.

use crate::state::now;
use isonomy_core::policy::QuorumTimes;
use isonomy_core::time::Timestamp;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The witnesses' time, as of the newest round.
#[derive(Default)]
pub(crate) struct WitnessedClock(Mutex<Option<Reading>>);

/// What a round has shown.
#[derive(Clone, Copy)]
struct Reading {
    /// How many seconds the quorum's clocks were behind this machine's.
    lag: u64,
    /// What they showed.
    time: Timestamp,
    /// When, less the parts of a second that dates leave out.
    at: Instant,
}

impl Reading {
    /// Of a round that ended at `at`, when this machine's clock showed `now` since 1970.
    fn new(earliest: Timestamp, of_any: u64, now: Duration, at: Instant) -> Self {
        let seconds = Timestamp(now.as_secs());
        let behind = (of_any > 0).then(|| Timestamp(seconds.0.saturating_sub(of_any)));
        Self {
            lag: seconds.since(earliest).max(of_any),
            time: behind.map_or(earliest, |behind| behind.min(earliest)),
            at: at.checked_sub(Duration::from_nanos(now.subsec_nanos().into())).unwrap_or(at),
        }
    }

    fn time(&self, now: Timestamp, at: Instant) -> Timestamp {
        let by_this_machine = Timestamp(now.0.saturating_sub(self.lag));
        by_this_machine.min(self.time.plus(at.saturating_duration_since(self.at).as_secs()))
    }
}

impl WitnessedClock {
    /// Takes note of the times of a round that has just ended, and of by how many seconds the clocks of any quorum may be behind
    /// this machine's.
    pub(crate) fn note(&self, times: QuorumTimes, of_any: u64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        *self.lock() = Some(Reading::new(times.earliest, of_any, now, Instant::now()));
    }

    /// The time as the witnesses will have it; before the first round, this machine's.
    pub(crate) fn time(&self) -> Timestamp {
        let reading = *self.lock();
        reading.map_or_else(now, |reading| reading.time(now(), Instant::now()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The round ended at 1000.7 by this machine's clock.
    fn reading(earliest: u64, of_any: u64) -> (Reading, Instant) {
        let at = Instant::now() + Duration::from_secs(10_000);
        (Reading::new(Timestamp(earliest), of_any, Duration::from_millis(1_000_700), at), at)
    }

    #[test]
    fn a_clock_that_is_not_set_goes_on_by_as_much_as_the_witnesses_are_behind() {
        for (earliest, of_any, time) in [(1000, 0, 1000), (998, 0, 998), (998, 5, 995), (1000, 2, 998), (1030, 0, 1000)]
        {
            let (reading, at) = reading(earliest, of_any);
            for (after, now, more) in [(0, 1000, 0), (200, 1000, 0), (300, 1001, 1), (99_300, 1100, 100)] {
                let shown = reading.time(Timestamp(now), at + Duration::from_millis(after));
                assert_eq!(shown, Timestamp(time + more), "{earliest} {of_any} {after}");
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_makes_nothing_early() {
        let (reading, at) = reading(998, 0);
        let after = at + Duration::from_millis(5_300);
        for (now, time) in [(1006, 1004), (1007, 1004), (4606, 1004), (1005, 1003), (10, 8)] {
            assert_eq!(reading.time(Timestamp(now), after), Timestamp(time), "{now}");
        }
        // It was slow, and is set right.
        let (slow, at) = self::reading(1030, 0);
        assert_eq!(slow.time(Timestamp(1036), at + Duration::from_millis(5_300)), Timestamp(1036));
    }
}
