//! What goes wrong with a request, and whose fault it is. The body is `{"error": …, "code": …}`.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::time::Duration;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The request is not as it should be.
    #[error("{0}")]
    Malformed(String),
    /// No list of this name is in force here.
    #[error("no list {0:?} is in force here")]
    UnknownList(String),
    /// The list does not hold this entry.
    #[error("the list does not hold this entry in this version")]
    UnknownEntry,
    /// The list is in force here, but not this version.
    #[error("version {0} of this list is not in force here, nor was it some minutes ago")]
    UnknownVersion(u64),
    /// There is nothing at this path.
    #[error("there is nothing here; /openapi.json says what there is")]
    UnknownPath,
    /// The body is larger than this service takes.
    #[error("the body is larger than the {limit} bytes that this service takes")]
    TooLarge {
        /// The most bytes.
        limit: usize,
    },
    /// The body is of another kind than what is asked for.
    #[error("{0}")]
    WrongType(&'static str),
    /// The path is there, but not for this method.
    #[error("this path takes another method; /openapi.json says which")]
    WrongMethod,
    /// The body did not arrive in time.
    #[error("the body was not there after {} seconds", within.as_secs())]
    SlowBody {
        /// The time it had.
        within: Duration,
    },
    /// More is being read, hashed or looked up than is sensible.
    #[error("this service has too much to do; try again in a second")]
    Busy,
    /// The answer took too long to be of use.
    #[error("the answer took longer than the {} seconds that this service allows; ask for less at a time", within.as_secs())]
    TookTooLong {
        /// The time it had.
        within: Duration,
    },
    /// Lists can't be used any more.
    #[error("not all lists are in force: {0}")]
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
            Self::UnknownVersion(_) => (StatusCode::NOT_FOUND, "unknown-version"),
            Self::UnknownPath => (StatusCode::NOT_FOUND, "unknown-path"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::WrongType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-type"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "wrong-method"),
            Self::SlowBody { .. } => (StatusCode::REQUEST_TIMEOUT, "slow-body"),
            Self::TookTooLong { .. } => (StatusCode::SERVICE_UNAVAILABLE, "took-too-long"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::NoList(_) => (StatusCode::SERVICE_UNAVAILABLE, "no-list"),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        }
    }
}

/// The code of a refusal, kept beside the answer to be counted.
#[derive(Clone, Copy)]
pub(crate) struct Code(pub(crate) &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        let mut response = (status, Json(json!({ "error": self.to_string(), "code": code }))).into_response();
        response.extensions_mut().insert(Code(code));
        if matches!(self, Self::Busy | Self::NoList(_)) {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::OPENAPI;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn the_description_names_every_code_and_no_other() {
        let within = Duration::from_secs(1);
        let refusals = [
            Refusal::Malformed(String::new()),
            Refusal::UnknownList(String::new()),
            Refusal::UnknownEntry,
            Refusal::UnknownVersion(1),
            Refusal::UnknownPath,
            Refusal::TooLarge { limit: 1 },
            Refusal::WrongType(""),
            Refusal::WrongMethod,
            Refusal::SlowBody { within },
            Refusal::Busy,
            Refusal::TookTooLong { within },
            Refusal::NoList(String::new()),
            Refusal::Failed,
        ];
        let codes: BTreeSet<&str> = refusals.iter().map(|refusal| refusal.status().1).collect();
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let described =
            document.pointer("/components/schemas/Refusal/properties/code/enum").unwrap().as_array().unwrap();
        assert_eq!(codes, described.iter().filter_map(Value::as_str).collect());
        assert_eq!(codes.len(), refusals.len());
        // A path that can refuse with a status says so: 500 and 503 can happen to all that work on a thread of their own.
        for path in ["/v1/lookup", "/v1/match", "/v1/hash", "/v1/receipt"] {
            for method in document["paths"][path].as_object().unwrap().values() {
                assert!(["500", "503"].iter().all(|status| method["responses"].get(status).is_some()), "{path}");
            }
        }
    }
}
