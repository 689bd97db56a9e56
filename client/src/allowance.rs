//! How long one source may take.

use isonomy_core::resource::Resource;
use isonomy_core::tile::TileKind;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long one source may take in all if nothing else is said.
pub(crate) const ALLOWED: Duration = Duration::from_secs(60);
/// What it may take for each request, beyond that, and the least bytes per second that it must give of what is large.
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
        if self.left().is_zero() {
            return Err(self.exceeded());
        }
        self.requests = self.requests.saturating_add(1);
        Ok(())
    }

    /// Waits for an answer, as long as the source has time left; or says for how long it has been waited. What is large is limited
    /// by how fast it comes, which whoever reads it sees to.
    pub(crate) async fn wait<T>(&self, resource: &Resource, answer: impl Future<Output = T>) -> Result<T, String> {
        if is_large(resource) {
            return Ok(answer.await);
        }
        timeout(self.left(), answer).await.map_err(|_| self.exceeded())
    }

    /// Counts what came of a resource, if it is large: of anything else so much needs no time of its own.
    pub(crate) fn received(&mut self, resource: &Resource, bytes: u64) {
        if is_large(resource) {
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    fn most(&self) -> Duration {
        let for_bytes = Duration::from_secs(self.bytes / LEAST_BYTES_PER_SECOND);
        self.most.saturating_add(FOR_EACH_REQUEST * self.requests).saturating_add(for_bytes)
    }

    fn left(&self) -> Duration {
        self.most().saturating_sub(self.begun.elapsed())
    }

    fn exceeded(&self) -> String {
        format!("it has taken more than {} s for {} answers", self.most().as_secs(), self.requests)
    }
}

/// Whether it can have many megabytes rightly.
fn is_large(resource: &Resource) -> bool {
    matches!(resource, Resource::Object(_))
        || matches!(resource, Resource::Tile(tile) if tile.kind() == TileKind::Entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::hash::ObjectDigest;

    #[tokio::test]
    async fn an_answer_is_not_waited_for_beyond_the_time_that_is_left_but_a_large_one_is() {
        let mut allowance = Allowance::new(Duration::ZERO);
        let object = Resource::Object(ObjectDigest::of(b"large"));
        assert!(allowance.ask().is_err(), "no time at all");
        allowance.requests = 0;
        allowance.most = Duration::from_millis(1);
        assert_eq!(allowance.ask(), Ok(()));
        let error = allowance.wait(&Resource::Checkpoint, std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(error, "it has taken more than 1 s for 1 answers");
        assert!(allowance.left().is_zero() && allowance.ask().is_err());
        assert_eq!(allowance.wait(&object, async { 7 }).await, Ok(7));
        allowance.received(&Resource::Checkpoint, 1 << 30);
        assert!(allowance.left().is_zero(), "nobody earns time by sending what is no checkpoint");
        allowance.received(&object, 80 * LEAST_BYTES_PER_SECOND);
        assert!(allowance.left() > Duration::from_secs(60));
    }
}
