//! C2SP [tlog-witness], the asking side.
//!
//! [tlog-witness]: https://c2sp.org/tlog-witness

use crate::error::{FetchError, WitnessError, shown};
use crate::limits::HttpLimits;
use crate::server::{Answer, Server, TEXT};
use isonomy_core::add_checkpoint::{
    ADD_CHECKPOINT_PATH, AddCheckpoint, CONFLICT_CONTENT_TYPE, MAX_ANSWER_SIZE, parse_conflict, parse_cosignatures,
};
use isonomy_core::checkpoint::{CheckpointNote, MAX_CHECKPOINT_SIZE};
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use isonomy_core::note::Signature;
use reqwest::Method;

/// A witness, by the URL prefix that is both its submission and its monitoring prefix.
#[derive(Clone, Debug)]
pub struct WitnessClient {
    server: Server,
}

impl WitnessClient {
    /// The witness at this `http://` or `https://` URL. Nothing is sent yet.
    pub fn new(base: &str) -> Result<Self, FetchError> {
        Self::with_limits(base, HttpLimits::default())
    }

    /// Like [`Self::new`], with other limits.
    pub fn with_limits(base: &str, limits: HttpLimits) -> Result<Self, FetchError> {
        Ok(Self { server: Server::new(base, limits)? })
    }

    /// Asks for a cosignature. The lines that come back are well-formed, and not verified.
    pub async fn add_checkpoint(&self, request: &AddCheckpoint) -> Result<Vec<Signature>, WitnessError> {
        let body = (request.to_bytes(), TEXT);
        let answer = self.server.send(Method::POST, ADD_CHECKPOINT_PATH, body, self.server.limits().answer).await?;
        match answer.status() {
            200 => read(answer, MAX_ANSWER_SIZE, parse_cosignatures).await.map_err(Into::into),
            409 if answer.content_type() == CONFLICT_CONTENT_TYPE => {
                Err(WitnessError::Conflict { size: read(answer, MAX_ANSWER_SIZE, parse_conflict).await? })
            }
            _ => Err(read_refusal(answer).await),
        }
    }

    /// The newest checkpoint of the log with this origin that the witness has cosigned. Nothing of it is verified.
    pub async fn latest(&self, origin: &str) -> Result<CheckpointNote, FetchError> {
        let path = [&to_hex(&sha256(&[origin.as_bytes()])), "/checkpoint"].concat();
        let answer = self.server.get(&path).await?.found()?;
        read(answer, MAX_CHECKPOINT_SIZE, CheckpointNote::parse).await
    }
}

/// Reads a body of at most `limit` bytes and parses it.
async fn read<T, E: ToString>(
    answer: Answer,
    limit: usize,
    parse: impl FnOnce(&[u8]) -> Result<T, E>,
) -> Result<T, FetchError> {
    let location = answer.location().to_owned();
    let bytes = answer.bytes(limit as u64).await?;
    parse(&bytes).map_err(|error| FetchError::Malformed { location, reason: shown(&error.to_string()) })
}

/// Reads what a witness says with its refusal. The specification gives the words no form; the status is what counts.
async fn read_refusal(answer: Answer) -> WitnessError {
    let (location, status, retry_after) = (answer.location().to_owned(), answer.status(), answer.retry_after());
    let words = answer.bytes(MAX_ANSWER_SIZE as u64).await.unwrap_or_default();
    WitnessError::Refused { location, status, message: shown(&String::from_utf8_lossy(&words)), retry_after }
}
