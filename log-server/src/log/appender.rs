//! Group commit: many append one entry each, and what waits at a time is committed together.

use super::{Log, LogError, MAX_BATCH, MAX_BATCH_BYTES};
use isonomy_core::tile::MAX_ENTRY_SIZE;
use isonomy_core::tree::LeafIndex;
use std::sync::Arc;
use std::thread;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// Why an entry was not appended.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// It is too large.
    #[error("an entry has at most {MAX_ENTRY_SIZE} bytes")]
    TooLarge,
    /// Too many wait already.
    #[error("too many entries are waiting; try again later")]
    Busy,
    /// The log can't go on. The entry may turn out to be logged when it is opened again.
    #[error("the log can't go on: {0}")]
    Log(Arc<LogError>),
    /// The log is closed.
    #[error("the log is closed")]
    Closed,
}

struct Waiting {
    entry: Vec<u8>,
    answer: oneshot::Sender<Result<LeafIndex, AppendError>>,
}

/// Appends entries to a log, from many tasks at once, and integrates them behind. Clones share it; when the last one is
/// gone, what waits is still committed and integrated.
#[derive(Clone)]
pub struct Appender {
    queue: mpsc::Sender<Waiting>,
}

impl Appender {
    /// An appender for this log, with room for so many entries that wait.
    pub fn new(log: Arc<Log>, room: usize) -> Self {
        let (queue, waiting) = mpsc::channel(room);
        thread::spawn(move || commit_all(&log, waiting));
        Self { queue }
    }

    /// Appends an entry. When this is done, it is durable and committed at the place that it gives.
    pub async fn append(&self, entry: Vec<u8>) -> Result<LeafIndex, AppendError> {
        if entry.len() > MAX_ENTRY_SIZE {
            return Err(AppendError::TooLarge);
        }
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { entry, answer }).map_err(|error| match error {
            TrySendError::Full(_) => AppendError::Busy,
            TrySendError::Closed(_) => AppendError::Closed,
        })?;
        answered.await.unwrap_or(Err(AppendError::Closed))
    }
}

/// Commits what waits, batch after batch, until nobody can add to it any more or the log fails.
fn commit_all(log: &Arc<Log>, mut waiting: mpsc::Receiver<Waiting>) {
    let (grown, growth) = std::sync::mpsc::sync_channel(1);
    let behind = Arc::clone(log);
    // A failure to integrate makes the next append fail, which tells those who wait.
    let integrating = thread::spawn(move || growth.iter().all(|()| behind.integrate().is_ok()));
    while let Some(first) = waiting.blocking_recv() {
        let (entries, answers) = batch(first, &mut waiting);
        let appended = log.append(&entries).map_err(|error| AppendError::Log(Arc::new(error)));
        let failed = appended.is_err();
        for (answer, place) in answers.into_iter().zip(0..) {
            // Whoever asked may have gone; the entry is logged all the same.
            let _ = answer.send(appended.clone().map(|first| LeafIndex(first.0 + place)));
        }
        if failed {
            break;
        }
        let _ = grown.try_send(());
    }
    drop(grown);
    let _ = integrating.join();
}

type Answers = Vec<oneshot::Sender<Result<LeafIndex, AppendError>>>;

/// The first and what waits behind it, as far as a batch goes.
fn batch(first: Waiting, waiting: &mut mpsc::Receiver<Waiting>) -> (Vec<Vec<u8>>, Answers) {
    let mut bytes = first.entry.len();
    let (mut entries, mut answers) = (vec![first.entry], vec![first.answer]);
    while entries.len() < MAX_BATCH
        && bytes + MAX_ENTRY_SIZE <= MAX_BATCH_BYTES
        && let Ok(Waiting { entry, answer }) = waiting.try_recv()
    {
        bytes += entry.len();
        entries.push(entry);
        answers.push(answer);
    }
    (entries, answers)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Folder;
    use super::*;
    use std::collections::BTreeSet;

    #[tokio::test(flavor = "multi_thread")]
    async fn many_at_once_get_a_place_each() {
        let folder = Folder::new();
        let log = Arc::new(folder.open().unwrap());
        let appender = Appender::new(Arc::clone(&log), 1000);
        let append = |number: u32| {
            let appender = appender.clone();
            tokio::spawn(async move { (number, appender.append(number.to_be_bytes().to_vec()).await.unwrap()) })
        };
        let tasks: Vec<_> = (0..700).map(append).collect();
        let mut places = BTreeSet::new();
        for task in tasks {
            let (number, place) = task.await.unwrap();
            assert!(places.insert(place));
            log.integrate().unwrap();
            assert_eq!(log.entries().entry(place).unwrap(), number.to_be_bytes());
        }
        assert_eq!(places, (0..700).map(LeafIndex).collect());
        assert!(matches!(appender.append(vec![0; 65_536]).await, Err(AppendError::TooLarge)));
        drop(appender);
    }
}
