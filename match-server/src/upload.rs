//! Bodies: how they are read, before anything is done with them.
//!
//! A body has a largest size, a time in which it has to be there, and a share of the memory that all bodies have together. It
//! counts for what has arrived of it, so that a connection that announces much and sends nothing takes nothing from others.

use crate::refusal::Refusal;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The memory of all bodies, and what one may take.
pub(crate) struct Uploads {
    /// A permit for each byte.
    memory: Arc<Semaphore>,
    time: Duration,
}

/// A body that has arrived, with its share of the memory.
pub(crate) struct Arrived {
    pub(crate) bytes: Vec<u8>,
    _memory: Option<OwnedSemaphorePermit>,
}

impl Uploads {
    pub(crate) fn new(memory: usize, time: Duration) -> Self {
        let memory = Arc::new(Semaphore::new(memory.min(Semaphore::MAX_PERMITS)));
        Self { memory, time }
    }

    /// Reads a file that is the whole body, of `limit` bytes at most.
    pub(crate) async fn file(&self, headers: &HeaderMap, body: Body, limit: usize) -> Result<Arrived, Refusal> {
        if kind(headers).starts_with("multipart/") {
            return Err(Refusal::WrongType("the file has to be the whole body, not a part of a form"));
        }
        let file = self.read(headers, body, limit).await?;
        if file.bytes.is_empty() {
            return Err(Refusal::Malformed("the body has to be the file".into()));
        }
        Ok(file)
    }

    /// Reads JSON, of `limit` bytes at most.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        body: Body,
        limit: usize,
    ) -> Result<T, Refusal> {
        if kind(headers).split(';').next().map(str::trim) != Some("application/json") {
            return Err(Refusal::WrongType("the body has to be of the type application/json"));
        }
        let body = self.read(headers, body, limit).await?;
        serde_json::from_slice(&body.bytes)
            .map_err(|error| Refusal::Malformed(format!("the body is not as it should be: {error}")))
    }

    async fn read(&self, headers: &HeaderMap, body: Body, limit: usize) -> Result<Arrived, Refusal> {
        if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(Refusal::WrongType("the body has to be sent as it is, without a Content-Encoding"));
        }
        if announced(headers).is_some_and(|length| length > limit as u64) {
            return Err(Refusal::TooLarge { limit });
        }
        let arrived = timeout(self.time, self.collect(body, limit)).await;
        arrived.map_err(|_| Refusal::SlowBody { within: self.time })?
    }

    async fn collect(&self, body: Body, limit: usize) -> Result<Arrived, Refusal> {
        let (mut bytes, mut memory) = (Vec::new(), None);
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Refusal::Malformed("the body ends before it is whole".into()))?;
            if piece.len() > limit - bytes.len() {
                return Err(Refusal::TooLarge { limit });
            }
            let length = u32::try_from(piece.len()).map_err(|_| Refusal::TooLarge { limit })?;
            let share = Arc::clone(&self.memory).try_acquire_many_owned(length).map_err(|_| Refusal::Busy)?;
            match &mut memory {
                Some(memory) => OwnedSemaphorePermit::merge(memory, share),
                None => memory = Some(share),
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Arrived { bytes, _memory: memory })
    }
}

fn kind(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase()
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
