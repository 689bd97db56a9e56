//! How long an answer is of use: until its time is over, or whoever asked has gone away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// For those who work on the answer.
pub(crate) struct Patience {
    until: Instant,
    gone: Arc<AtomicBool>,
}

/// Kept by whoever waits for it: without it, the answer is of no use.
pub(crate) struct Waiting(Arc<AtomicBool>);

impl Patience {
    pub(crate) fn of(time: Duration) -> (Self, Waiting) {
        let gone = Arc::new(AtomicBool::new(false));
        (Self { until: Instant::now() + time, gone: Arc::clone(&gone) }, Waiting(gone))
    }

    pub(crate) fn is_over(&self) -> bool {
        self.gone.load(Ordering::Relaxed) || Instant::now() >= self.until
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_with_the_time_and_when_nobody_waits() {
        let (patience, waiting) = Patience::of(Duration::from_secs(3600));
        assert!(!patience.is_over());
        drop(waiting);
        assert!(patience.is_over());
        assert!(Patience::of(Duration::ZERO).0.is_over());
    }
}
