//! Uploaded files: how they are read, before anything is done with them.
//!
//! A body has a largest size, a time in which it has to be there, and a share of the memory that all bodies have together. It
//! counts for what has arrived of it, so that a connection that announces much and sends nothing takes nothing from others.

use crate::refusal::Refusal;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The memory of all bodies, and what one may take.
pub(crate) struct Uploads {
    /// A permit for each byte.
    memory: Arc<Semaphore>,
    file_bytes: usize,
    time: Duration,
}

/// A file that has arrived, with its share of the memory.
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    _memory: Option<OwnedSemaphorePermit>,
}

impl Uploads {
    pub(crate) fn new(memory: usize, file_bytes: usize, time: Duration) -> Self {
        let memory = Arc::new(Semaphore::new(memory.min(Semaphore::MAX_PERMITS)));
        Self { memory, file_bytes, time }
    }

    /// Reads a file that is the whole body.
    pub(crate) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<File, Refusal> {
        if is_form(headers) {
            return Err(Refusal::WrongType("the file has to be the whole body, not a part of a form"));
        }
        if announced(headers).is_some_and(|length| length > self.file_bytes as u64) {
            return Err(self.too_large());
        }
        let file =
            timeout(self.time, self.collect(body)).await.map_err(|_| Refusal::SlowBody { within: self.time })??;
        if file.bytes.is_empty() {
            return Err(Refusal::Malformed("the body has to be the file".into()));
        }
        Ok(file)
    }

    async fn collect(&self, body: Body) -> Result<File, Refusal> {
        let (mut bytes, mut memory) = (Vec::new(), None);
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Refusal::Malformed("the body ends before it is whole".into()))?;
            if piece.len() > self.file_bytes - bytes.len() {
                return Err(self.too_large());
            }
            let length = u32::try_from(piece.len()).map_err(|_| self.too_large())?;
            let share = Arc::clone(&self.memory).try_acquire_many_owned(length).map_err(|_| Refusal::Busy)?;
            match &mut memory {
                Some(memory) => OwnedSemaphorePermit::merge(memory, share),
                None => memory = Some(share),
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(File { bytes, _memory: memory })
    }

    fn too_large(&self) -> Refusal {
        Refusal::TooLarge { limit: self.file_bytes }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
