//! The writing half of a log's HTTP surface.
//!
//! | request | answers |
//! |---|---|
//! | `POST /check`, a statement without its signatures | 200 |
//! | `POST /submit`, a statement | 202 `{"missing": ["<sha256 hex>", …]}` or 200 and a tlog-proof |
//! | `PUT /object/<sha256 hex>`, the object | 200, 201 or 204 |
//!
//! Any other answer is a refusal: `{"error": code, "rule": number, "message": words}`, where `rule` is there only if a
//! rule was broken.

use crate::error::{FetchError, shown};
use crate::limits::HttpLimits;
use crate::server::{Answer, BYTES, Server, TEXT};
use crate::source::Source;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::resource::Resource;
use isonomy_core::tlog_proof::{MAX_TLOG_PROOF_SIZE, TlogProof};
use reqwest::Method;
use serde::Deserialize;

/// The most bytes of an answer in JSON: no statement names as many objects as would fill it.
const MAX_JSON_SIZE: u64 = 64 * 1024;

/// What a log makes of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Submitted {
    /// It is admitted, and waits for these objects; never none.
    Missing(Vec<ObjectDigest>),
    /// It is logged, cosigned and published.
    Logged(TlogProof),
}

/// A log that is written to.
#[derive(Clone, Debug)]
pub struct LogClient {
    server: Server,
}

impl LogClient {
    /// The log at this `http://` or `https://` URL. Nothing is sent yet.
    pub fn new(base: &str) -> Result<Self, FetchError> {
        Self::with_limits(base, HttpLimits::default())
    }

    /// Like [`Self::new`], with other limits.
    pub fn with_limits(base: &str, limits: HttpLimits) -> Result<Self, FetchError> {
        Ok(Self { server: Server::new(base, limits)? })
    }

    /// The same log, to read from.
    pub fn source(&self) -> Source {
        Source::server(self.server.clone())
    }

    /// Asks the log to judge a draft, which needs no signatures yet. Nothing is kept of it.
    pub async fn check(&self, draft: &[u8]) -> Result<(), FetchError> {
        let body = (draft.to_vec(), TEXT);
        let answer = self.server.send(Method::POST, "check", body, self.server.limits().answer).await?;
        require_success(answer).await
    }

    /// Submits a statement. The answer takes until enough witnesses have cosigned, so it is waited for a long time.
    /// Submitting the same again is harmless and gives the same proof. The proof is not verified here.
    pub async fn submit(&self, statement: &[u8]) -> Result<Submitted, FetchError> {
        let body = (statement.to_vec(), TEXT);
        let answer = self.server.send(Method::POST, "submit", body, self.server.limits().submission).await?;
        match answer.status() {
            200 => read_proof(answer).await.map(Submitted::Logged),
            202 => read_missing(answer).await.map(Submitted::Missing),
            _ => Err(read_refusal(answer).await),
        }
    }

    /// Sends an object that an admitted statement names.
    pub async fn put_object(&self, digest: &ObjectDigest, object: Vec<u8>) -> Result<(), FetchError> {
        let path = Resource::Object(*digest).to_string();
        let answer = self.server.send(Method::PUT, &path, (object, BYTES), self.server.limits().answer).await?;
        require_success(answer).await
    }
}

async fn require_success(answer: Answer) -> Result<(), FetchError> {
    match answer.status() {
        200 | 201 | 204 => Ok(()),
        _ => Err(read_refusal(answer).await),
    }
}

async fn read_proof(answer: Answer) -> Result<TlogProof, FetchError> {
    let location = answer.location().to_owned();
    let bytes = answer.bytes(MAX_TLOG_PROOF_SIZE as u64).await?;
    TlogProof::parse(&bytes).map_err(|error| malformed(location, error))
}

#[derive(Deserialize)]
struct MissingBody {
    missing: Vec<String>,
}

async fn read_missing(answer: Answer) -> Result<Vec<ObjectDigest>, FetchError> {
    let location = answer.location().to_owned();
    let bytes = answer.bytes(MAX_JSON_SIZE).await?;
    parse_missing(&bytes).map_err(|reason| malformed(location, reason))
}

fn parse_missing(bytes: &[u8]) -> Result<Vec<ObjectDigest>, String> {
    let body: MissingBody = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let digests: Option<Vec<_>> = body.missing.iter().map(|hex| ObjectDigest::from_hex(hex)).collect();
    let digests = digests.ok_or("`missing` holds something else than SHA-256 digests in hexadecimal")?;
    if digests.is_empty() {
        return Err("the statement is neither logged nor is anything missing".to_owned());
    }
    Ok(digests)
}

#[derive(Deserialize)]
struct RefusalBody {
    error: String,
    rule: Option<u8>,
    message: String,
}

/// Reads why the log refuses. What is no refusal in the log's own form, from a proxy for instance, is cited by its status.
async fn read_refusal(answer: Answer) -> FetchError {
    let (location, status, retry_after) = (answer.location().to_owned(), answer.status(), answer.retry_after());
    let bytes = match answer.bytes(MAX_JSON_SIZE).await {
        Ok(bytes) => bytes,
        Err(FetchError::TooLarge { .. }) => return FetchError::Status { location, status, retry_after },
        Err(error) => return error,
    };
    match serde_json::from_slice::<RefusalBody>(&bytes) {
        Ok(RefusalBody { error, rule, message }) => {
            let (code, message) = (shown(&error), shown(&message));
            FetchError::Refused { location, status, code, rule, message, retry_after }
        }
        Err(_) => FetchError::Status { location, status, retry_after },
    }
}

fn malformed(location: String, reason: impl ToString) -> FetchError {
    FetchError::Malformed { location, reason: shown(&reason.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_missing(&bytes);
            let _ = serde_json::from_slice::<RefusalBody>(&bytes);
        }

        #[test]
        fn missing_objects_survive(digests in proptest::collection::vec(any::<[u8; 32]>(), 1..20)) {
            let digests: Vec<_> = digests.into_iter().map(ObjectDigest).collect();
            let quoted: Vec<_> = digests.iter().map(|digest| format!("\"{digest}\"")).collect();
            let body = format!("{{\"missing\":[{}]}}", quoted.join(","));
            prop_assert_eq!(parse_missing(body.as_bytes()), Ok(digests));
        }
    }
}
