//! How long one source may take.

use std::time::{Duration, Instant};

/// How long one source may take in all if nothing else is said.
pub(crate) const ALLOWED: Duration = Duration::from_secs(60);
/// What it may take for each request, beyond that, and the least bytes per second that it must give.
const FOR_EACH_REQUEST: Duration = Duration::from_secs(1);
const LEAST_BYTES_PER_SECOND: u64 = 8 * 1024;

/// How long a source has been asked already, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    most: Duration,
    begun: Instant,
    requests: u32,
    bytes: u64,
}

impl Allowance {
    /// From now on.
    pub(crate) fn new(most: Duration) -> Self {
        Self { most, begun: Instant::now(), requests: 0, bytes: 0 }
    }

    /// Counts a request; or says how long the source has taken for those before it, if that is too long.
    pub(crate) fn ask(&mut self) -> Result<(), String> {
        let for_bytes = Duration::from_secs(self.bytes / LEAST_BYTES_PER_SECOND);
        let most = self.most.saturating_add(FOR_EACH_REQUEST * self.requests).saturating_add(for_bytes);
        if self.begun.elapsed() > most {
            return Err(format!("it has taken more than {} s for {} answers", most.as_secs(), self.requests));
        }
        self.requests = self.requests.saturating_add(1);
        Ok(())
    }

    /// Counts what came.
    pub(crate) fn received(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }
}
