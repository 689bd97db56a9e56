//! The time as the witnesses will have it, who say since when a statement is public: what is judged by it keeps the rules under
//! their dates, too.
//!
//! It is this machine's clock, put back by as much as the quorum's clocks were behind it in the newest round; and never later than what
//! those have come to since by a clock that nobody sets. So this machine's clock can be set while the log runs, rightly or
//! wrongly, and nothing is taken up too early by it.
//!
//! A machine that was suspended, or whose clock was set, is in [`Doubt`]: the clock that nobody sets has stood still, or the other one
//! is wrong. Until a round has shown the witnesses' clocks anew nothing is taken up; it begins at once, and what only one of the two
//! times would refuse is to be sent again after it.

use isonomy_core::policy::QuorumTimes;
use isonomy_core::time::Timestamp;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// By how much the two clocks can have moved apart before there is doubt.
const TOLERANCE: Duration = Duration::from_secs(2);

/// The witnesses' time, as of the newest round.
#[derive(Default)]
pub(crate) struct WitnessedClock(Mutex<Option<Reading>>);

/// What both clocks of this machine show at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The one that can be set: since 1970.
    wall: Duration,
    /// The one that nobody sets, and that may stand still while the machine does.
    at: Instant,
}

/// This machine's clocks have moved apart since the newest round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Doubt {
    /// By how much.
    pub(crate) apart: Duration,
    /// What the witnesses' time is by the one of them that is ahead.
    pub(crate) latest: Timestamp,
}

impl Doubt {
    /// By how many seconds, rounded: no two clocks are read at the very same moment.
    pub(crate) fn seconds(self) -> u64 {
        self.apart.saturating_add(Duration::from_millis(500)).as_secs()
    }
}

/// What a round has shown.
#[derive(Clone, Copy)]
struct Reading {
    /// How many seconds the quorum's clocks were behind this machine's.
    lag: u64,
    /// What they showed.
    time: Timestamp,
    /// When.
    moment: Moment,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { wall: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), at: Instant::now() }
    }

    fn seconds(self) -> Timestamp {
        Timestamp(self.wall.as_secs())
    }

    /// Whether this machine's clocks have moved apart between the two.
    pub(crate) fn has_moved_apart(self, other: Self) -> bool {
        self.apart(other) > TOLERANCE
    }

    /// Whichever of the two was first.
    fn apart(self, other: Self) -> Duration {
        let (earlier, later) = if self.at < other.at { (self, other) } else { (other, self) };
        later.wall.abs_diff(earlier.wall.saturating_add(later.since(earlier)))
    }

    /// How long ago `earlier` was, by the clock that nobody sets.
    fn since(self, earlier: Self) -> Duration {
        self.at.saturating_duration_since(earlier.at)
    }
}

impl Reading {
    fn new(earliest: Timestamp, of_any: u64, moment: Moment) -> Self {
        let seconds = moment.seconds();
        let behind = (of_any > 0).then(|| Timestamp(seconds.0.saturating_sub(of_any)));
        let time = behind.map_or(earliest, |behind| behind.min(earliest));
        Self { lag: seconds.since(earliest).max(of_any), time, moment }
    }

    /// The time by each clock: the one that can be set, and the one that nobody sets. Dates leave out the parts of a second.
    fn times(&self, now: Moment) -> [Timestamp; 2] {
        let parts = Duration::from_nanos(self.moment.wall.subsec_nanos().into());
        let passed = now.since(self.moment).saturating_add(parts);
        [Timestamp(now.seconds().0.saturating_sub(self.lag)), self.time.plus(passed.as_secs())]
    }

    fn time(&self, now: Moment) -> Timestamp {
        let [by_wall, by_monotonic] = self.times(now);
        by_wall.min(by_monotonic)
    }

    fn latest(&self, now: Moment) -> Timestamp {
        let [by_wall, by_monotonic] = self.times(now);
        by_wall.max(by_monotonic)
    }

    fn doubt(&self, now: Moment) -> Option<Doubt> {
        let apart = now.apart(self.moment);
        (apart > TOLERANCE).then(|| Doubt { apart, latest: self.latest(now) })
    }
}

impl WitnessedClock {
    /// Takes note of the times of a round whose quorum was complete at `moment`, and of by how many seconds the clocks of any quorum
    /// may be behind this machine's.
    pub(crate) fn note(&self, times: QuorumTimes, of_any: u64, moment: Moment) {
        *self.lock() = Some(Reading::new(times.earliest, of_any, moment));
    }

    /// The time as the witnesses will have it; before the first round, this machine's.
    pub(crate) fn time(&self) -> Timestamp {
        let (reading, now) = (*self.lock(), Moment::now());
        reading.map_or_else(|| now.seconds(), |reading| reading.time(now))
    }

    /// The latest that it may be, by this machine's clock or by what the witnesses have shown: either may be slow.
    pub(crate) fn latest(&self) -> Timestamp {
        let (reading, now) = (*self.lock(), Moment::now());
        reading.map_or_else(|| now.seconds(), |reading| reading.latest(now).max(now.seconds()))
    }

    /// Whether a round has shown the witnesses' clocks yet.
    pub(crate) fn is_known(&self) -> bool {
        self.lock().is_some()
    }

    /// Whether this machine's clocks have moved apart since the newest round.
    pub(crate) fn doubt(&self) -> Option<Doubt> {
        let reading = *self.lock();
        reading?.doubt(Moment::now())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Moment {
    /// So long after this, by both clocks.
    pub(crate) fn after(self, passed: Duration) -> Self {
        Self { wall: self.wall + passed, at: self.at + passed }
    }

    /// Now, if the machine has stood still for so long since.
    pub(crate) fn before_a_pause(pause: Duration) -> Self {
        let Self { wall, at } = Self::now();
        Self { wall: wall.saturating_sub(pause), at }
    }
}

#[cfg(test)]
impl WitnessedClock {
    /// As if the machine had stood still for so long since a round in which all clocks were right.
    pub(crate) fn stood_still(&self, pause: Duration) {
        let moment = Moment::before_a_pause(pause);
        *self.lock() = Some(Reading::new(moment.seconds(), 0, moment));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A moment so long after the round's, by the clock that nobody sets.
    fn moment(round: Instant, after: u64, wall: u64) -> Moment {
        Moment { wall: Duration::from_millis(wall), at: round + Duration::from_millis(after) }
    }

    /// The quorum was complete at 1000.7 by this machine's clock.
    fn reading(earliest: u64, of_any: u64) -> (Reading, Instant) {
        let at = Instant::now();
        (Reading::new(Timestamp(earliest), of_any, moment(at, 0, 1_000_700)), at)
    }

    #[test]
    fn a_clock_that_is_not_set_goes_on_by_as_much_as_the_witnesses_are_behind() {
        for (earliest, of_any, time) in [(1000, 0, 1000), (998, 0, 998), (998, 5, 995), (1000, 2, 998), (1030, 0, 1000)]
        {
            let (reading, at) = reading(earliest, of_any);
            for (after, more) in [(0, 0), (200, 0), (300, 1), (99_300, 100)] {
                let now = moment(at, after, 1_000_700 + after);
                assert_eq!(reading.time(now), Timestamp(time + more), "{earliest} {of_any} {after}");
                assert_eq!(reading.doubt(now), None);
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_makes_nothing_early() {
        let (reading, at) = reading(998, 0);
        for (now, time) in [(1006, 1004), (1007, 1004), (4606, 1004), (1005, 1003), (10, 8)] {
            assert_eq!(reading.time(moment(at, 5_300, now * 1000)), Timestamp(time), "{now}");
        }
        // It was slow, and is set right.
        let (slow, at) = self::reading(1030, 0);
        assert_eq!(slow.time(moment(at, 5_300, 1_036_000)), Timestamp(1036));
        // Before that, it may be as late as the witnesses have shown.
        let before = moment(at, 5_300, 1_006_000);
        assert_eq!((slow.time(before), slow.latest(before)), (Timestamp(1006), Timestamp(1036)));
    }

    #[test]
    fn clocks_that_have_moved_apart_are_doubted_and_the_earlier_one_counts() {
        let (reading, at) = reading(998, 0);
        for (after, wall, doubt) in [
            (5_000, 1_007_700, None),
            (5_000, 1_003_700, None),
            (5_000, 1_007_701, Some((2_001, 1005, 1003))), // stood still, or set forward
            (0, 1_600_700, Some((600_000, 1598, 998))),
            (5_000, 1_003_000, Some((2_700, 1003, 1001))), // set back
            (5_000, 10_000, Some((995_700, 1003, 8))),
        ] {
            let now = moment(at, after, wall);
            let found = reading.doubt(now).map(|doubt| (doubt.apart.as_millis(), doubt.latest.0, reading.time(now).0));
            assert_eq!(found, doubt, "{after} {wall}");
            assert_eq!(now.has_moved_apart(reading.moment), doubt.is_some());
            assert_eq!(reading.moment.has_moved_apart(now), doubt.is_some(), "whichever was first");
        }
    }

    #[test]
    fn doubt_is_told_in_whole_seconds() {
        let seconds = |millis| Doubt { apart: Duration::from_millis(millis), latest: Timestamp(0) }.seconds();
        assert_eq!([2_001, 49_999, 50_000, 50_499, 50_500].map(seconds), [2, 50, 50, 50, 51]);
    }

    #[test]
    fn before_the_first_round_there_is_no_doubt_and_the_next_one_ends_it() {
        let clock = WitnessedClock::default();
        assert_eq!(clock.doubt(), None);
        clock.stood_still(Duration::from_secs(600));
        assert!(clock.doubt().is_some_and(|doubt| doubt.apart >= Duration::from_secs(598)));
        let now = Moment::now();
        clock.note(QuorumTimes { earliest: now.seconds(), latest: now.seconds() }, 0, now);
        assert_eq!(clock.doubt(), None);
    }
}
