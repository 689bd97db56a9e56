//! Documents that are no part of a log's surface.

use crate::error::FetchError;
use crate::limits::HttpLimits;
use crate::server::Server;

/// What the server at this `http://` or `https://` URL has at `path` (without a leading slash), at most `max_bytes`.
pub async fn document(base: &str, path: &str, max_bytes: u64) -> Result<Vec<u8>, FetchError> {
    Server::new(base, HttpLimits::default())?.get(path).await?.found()?.bytes(max_bytes).await
}
