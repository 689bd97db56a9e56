//! Work that is done so much at a time, while so much more may wait for it.

use crate::refusal::Refusal;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who works, and who waits for it.
pub(crate) struct Queue {
    at_a_time: u32,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// A turn: the next one's comes when it is dropped.
pub(crate) struct Turn {
    _turn: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Queue {
    pub(crate) fn new(at_a_time: usize, waiting: usize) -> Self {
        let at_a_time = at_a_time.max(1);
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        let places = semaphore(at_a_time.saturating_add(waiting));
        Self { at_a_time: u32::try_from(at_a_time).unwrap_or(u32::MAX), turns: semaphore(at_a_time), places }
    }

    /// Waits until nobody works; nobody gets a turn after that.
    pub(crate) async fn end(&self) {
        if let Ok(all) = self.turns.acquire_many(self.at_a_time).await {
            all.forget();
        }
    }

    /// Waits for a turn; refused if too many wait already.
    pub(crate) async fn turn(&self) -> Result<Turn, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Refusal::Failed)?;
        Ok(Turn { _turn: turn, _place: place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn so_many_work_so_many_wait_and_the_next_is_refused() {
        let queue = Queue::new(1, 1);
        let first = queue.turn().await.unwrap();
        let mut second = Box::pin(queue.turn());
        assert!((&mut second).now_or_never().is_none());
        assert!(matches!(queue.turn().await, Err(Refusal::Busy)));
        drop(first);
        let second = second.await.unwrap();
        assert!(queue.turn().now_or_never().is_none());
        drop(second);
        queue.turn().await.unwrap();
    }

    #[tokio::test]
    async fn the_end_is_when_nobody_works() {
        let queue = Queue::new(2, 0);
        let (first, second) = (queue.turn().await.unwrap(), queue.turn().await.unwrap());
        let mut end = Box::pin(queue.end());
        drop(first);
        assert!((&mut end).now_or_never().is_none());
        drop(second);
        end.await;
    }
}
