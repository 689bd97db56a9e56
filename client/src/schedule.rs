//! When to ask again.

use isonomy_verifier::Policy;
use std::time::Duration;

/// When to ask again, within bounds that no server can move.
///
/// A server may advise: how long there will be nothing newer (`Cache-Control: max-age` of the bundle), or how long to stay
/// away (`Retry-After`). Both are followed up to [`Schedule::most`] and no further, so that nobody can be kept from the news
/// for longer than their policy calls knowledge fresh. Every wait has jitter, so that devices that were woken together don't
/// come back together; it is drawn anew each time, so that it tells no device apart.
///
/// ```
/// use isonomy_client::Schedule;
/// use std::time::Duration;
///
/// let hour = Duration::from_secs(3600);
/// let schedule = Schedule { usual: 6 * hour, least: hour / 60, most: 12 * hour };
/// // Between three quarters and five quarters of what is usual.
/// assert_eq!(schedule.after_update(None, 0), 6 * hour * 3 / 4);
/// assert_eq!(schedule.after_update(None, u64::MAX), 6 * hour * 5 / 4);
/// // Whatever a server says, the device is back before its knowledge is stale.
/// assert_eq!(schedule.after_update(Some(1000 * hour), 0), 9 * hour);
/// assert_eq!(schedule.after_update(Some(1000 * hour), u64::MAX), 12 * hour);
/// // After failures: twice as long each time, up to what is usual.
/// assert!(schedule.after_failures(1, None, u64::MAX) <= hour / 60);
/// assert!(schedule.after_failures(30, None, 0) >= 3 * hour);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// How long to wait after an update that went well.
    pub usual: Duration,
    /// The least, and where waiting begins after a failure.
    pub least: Duration,
    /// The most, whatever a server says.
    pub most: Duration,
}

/// Never more often than that, however short a policy's ages are.
const LEAST: Duration = Duration::from_secs(1);
/// Where waiting begins after a failure, if the policy's ages are longer than some hours.
const FIRST_RETRY: Duration = Duration::from_secs(60);

impl Schedule {
    /// What suits a policy: at most the age up to which it calls a checkpoint fresh; usually half of that.
    pub fn of(policy: &Policy) -> Self {
        let most = Duration::from_secs(policy.ages().checkpoint).max(LEAST);
        let least = FIRST_RETRY.min(most / 16).max(LEAST);
        Self { usual: (most / 2).max(least), least, most }
    }

    /// How long to wait after an update that went well. `random` is any number, drawn anew each time.
    pub fn after_update(&self, advice: Option<Duration>, random: u64) -> Duration {
        let wait = self.usual.max(advice.unwrap_or_default()).min(self.most);
        self.bounded(between(wait * 3 / 4, wait * 5 / 4, random))
    }

    /// How long to wait after so many failures in a row.
    pub fn after_failures(&self, failures: u32, advice: Option<Duration>, random: u64) -> Duration {
        let doubled = self.least.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(self.usual);
        let advised = advice.unwrap_or_default().min(self.most);
        // Those who were told the same time come back one after the other, and none before it.
        let wait = between(doubled / 2, doubled, random).max(advised + between(Duration::ZERO, advised / 4, random));
        self.bounded(wait)
    }

    fn bounded(&self, wait: Duration) -> Duration {
        wait.min(self.most).max(self.least.min(self.most))
    }
}

/// The time that lies between two others as `random` does between 0 and its greatest.
fn between(from: Duration, to: Duration, random: u64) -> Duration {
    let share = (random >> 11) as f64 / ((u64::MAX >> 11) as f64);
    from + to.saturating_sub(from).mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn durations() -> impl Strategy<Value = Duration> {
        (0u64..10_000_000).prop_map(Duration::from_secs)
    }

    proptest! {
        #[test]
        fn no_server_and_no_chance_moves_the_bounds(
            usual in durations(), least in durations(), most in durations(),
            advice in proptest::option::of(durations()), failures: u32, random: u64,
        ) {
            let schedule = Schedule { usual, least: least.min(most), most };
            for wait in [schedule.after_update(advice, random), schedule.after_failures(failures, advice, random)] {
                prop_assert!((schedule.least..=most).contains(&wait), "{wait:?}");
            }
        }

        #[test]
        fn nobody_comes_back_before_the_time_that_the_server_asked_for(advice in 0u64..3600, failures in 1u32..40, random: u64) {
            let schedule = Schedule { usual: Duration::from_secs(3600), least: Duration::from_secs(1), most: Duration::from_secs(7200) };
            let advice = Duration::from_secs(advice);
            prop_assert!(schedule.after_failures(failures, Some(advice), random) >= advice);
        }
    }

    #[test]
    fn failures_double_the_wait_up_to_what_is_usual() {
        let seconds = Duration::from_secs;
        let schedule = Schedule { usual: seconds(1000), least: seconds(60), most: seconds(4000) };
        let longest = |failures| schedule.after_failures(failures, None, u64::MAX);
        assert_eq!([1, 2, 3, 5, 6, 1000].map(longest), [60, 120, 240, 960, 1000, 1000].map(seconds));
        assert_eq!(schedule.after_failures(3, None, 0), seconds(120), "half of it at least");
        assert_eq!(schedule.after_failures(1, Some(seconds(90_000)), 0), seconds(4000));
    }
}
