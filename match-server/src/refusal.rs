//! What goes wrong with a request, and whose fault it is. The body is `{"error": …, "code": …}`.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use isonomy_matcher::image::DecodeError;
use serde_json::json;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The request is not as it should be.
    #[error("{0}")]
    Malformed(String),
    /// No list of this name is in force here.
    #[error("no list {0:?} is in force here")]
    UnknownList(String),
    /// The list does not hold this entry, or not any more.
    #[error("the list does not hold this entry in the version that is in force now")]
    UnknownEntry,
    /// There is nothing at this path.
    #[error("there is nothing here; /openapi.json says what there is")]
    UnknownPath,
    /// The file is larger than this service takes.
    #[error("the file is larger than the {limit} bytes that this service takes")]
    TooLarge {
        /// The most bytes.
        limit: usize,
    },
    /// The file has no perceptual hash.
    #[error("the file can't be hashed: {0}")]
    NotAPicture(#[from] DecodeError),
    /// More files are waiting to be hashed than is sensible.
    #[error("too many files are waiting to be hashed; try again in a second")]
    Busy,
    /// No list is at hand.
    #[error("no list is in force: {0}")]
    NoList(String),
    /// A thread has died; its message is in the service's own log.
    #[error("the service has failed at this request; its operator must look at its log")]
    Failed,
}

impl Refusal {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::UnknownList(_) => (StatusCode::NOT_FOUND, "unknown-list"),
            Self::UnknownEntry => (StatusCode::NOT_FOUND, "unknown-entry"),
            Self::UnknownPath => (StatusCode::NOT_FOUND, "unknown-path"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::NotAPicture(_) => (StatusCode::UNPROCESSABLE_ENTITY, "not-a-picture"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::NoList(_) => (StatusCode::SERVICE_UNAVAILABLE, "no-list"),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        let mut response = (status, Json(json!({ "error": self.to_string(), "code": code }))).into_response();
        if matches!(self, Self::Busy | Self::NoList(_)) {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}
