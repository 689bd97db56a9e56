//! How long a server is waited for.

use std::time::Duration;

/// How long a server is waited for. [`HttpLimits::default`] suits the open internet; a test sets what it needs and takes
/// the rest from there.
///
/// No exchange can take longer than the time for its answer to begin, plus the larger of [`Self::idle`] and the bytes
/// that are allowed divided by [`Self::minimum_rate`]; nor longer than [`Self::total`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HttpLimits {
    /// From the first packet until a connection stands, TLS included.
    pub connect: Duration,
    /// From the request until its answer begins. What is sent along adds its size divided by [`Self::minimum_rate`].
    pub answer: Duration,
    /// The same where the answer waits for others: a log answers a submission only when witnesses have cosigned it.
    pub submission: Duration,
    /// Between two pieces of an answer, and from its beginning until its rate is looked at.
    pub idle: Duration,
    /// The least number of bytes per second, on average over the whole answer; 0 asks for none.
    pub minimum_rate: u64,
    /// The whole exchange.
    pub total: Duration,
    /// How long in all a read waits where a server puts it off (429, 503), as long each time as `Retry-After` says, before that is
    /// an error. None usually: who reads much, such as all of a log, sets it.
    pub put_off: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            submission: Duration::from_secs(300),
            idle: Duration::from_secs(20),
            minimum_rate: 8 * 1024,
            total: Duration::from_secs(4 * 60 * 60),
            put_off: Duration::ZERO,
        }
    }
}

/// Longer than anybody waits, and short enough to be added to any moment.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl HttpLimits {
    /// The same, with no time above [`LONGEST`].
    pub(crate) fn bounded(self) -> Self {
        Self {
            connect: self.connect.min(LONGEST),
            answer: self.answer.min(LONGEST),
            submission: self.submission.min(LONGEST),
            idle: self.idle.min(LONGEST),
            minimum_rate: self.minimum_rate,
            total: self.total.min(LONGEST),
            put_off: self.put_off.min(LONGEST),
        }
    }

    /// How long so many bytes may take.
    pub(crate) fn time_for(&self, bytes: u64) -> Duration {
        let millis = bytes.saturating_mul(1000).checked_div(self.minimum_rate);
        millis.map_or(self.total, Duration::from_millis).min(self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_line_gets_as_much_time_as_the_rate_gives() {
        let limits = HttpLimits { minimum_rate: 1000, total: Duration::from_secs(60), ..HttpLimits::default() };
        assert_eq!(limits.time_for(1500), Duration::from_millis(1500));
        assert_eq!(limits.time_for(10_000), Duration::from_secs(10));
        assert_eq!(limits.time_for(u64::MAX), limits.total);
        assert_eq!(HttpLimits { minimum_rate: 0, ..limits }.time_for(1), limits.total);
    }

    #[test]
    fn no_time_is_too_long_to_be_added_to_now() {
        let endless = HttpLimits {
            connect: Duration::MAX,
            answer: Duration::MAX,
            submission: Duration::MAX,
            idle: Duration::MAX,
            minimum_rate: 0,
            total: Duration::MAX,
            put_off: Duration::MAX,
        };
        let limits = endless.bounded();
        let longest = limits.idle + limits.time_for(u64::MAX) + limits.submission;
        assert!(std::time::Instant::now().checked_add(longest).is_some());
        assert_eq!(HttpLimits::default().bounded(), HttpLimits::default());
    }
}
