//! To the log, and back with a proof.
//!
//! A statement is submitted; the objects that the log misses are sent; it is submitted again, and the log answers once
//! enough witnesses have cosigned. The tlog-proof that it gives is verified under the tlog-policy before anything is
//! called published: the log's word alone is worth nothing.

use crate::draft::Draft;
use isonomy_core::charter::Charter;
use isonomy_core::hash::{ObjectDigest, StatementId};
use isonomy_core::note::VerifierKey;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{MAX_STATEMENT_SIZE, Signed, Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::{TlogProof, TlogProofError};
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_fetch::{FetchError, LogClient, Submitted};
use serde::Serialize;
use std::time::Duration;

/// How often a statement is submitted again while the log is busy or waits for witnesses.
const ATTEMPTS: u32 = 8;
/// The first pause between attempts, unless the log asks for another one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause that the log can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why a statement is not, or not provably, published.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The log refuses it, or can't be reached.
    #[error(transparent)]
    Log(#[from] FetchError),
    /// The log wants an object that the statement does not name.
    #[error("the log asks for the object {digest}, which the statement does not name")]
    UnknownObject {
        /// The digest that it asks for.
        digest: ObjectDigest,
    },
    /// The log takes the objects and still misses them.
    #[error("the log still misses {count} objects after they were sent")]
    StillMissing {
        /// How many.
        count: usize,
    },
    /// The log's proof is for a log that the policy does not know.
    #[error("the log's proof is of the log {origin}, which the policy does not know")]
    OtherLog {
        /// The origin in its checkpoint.
        origin: String,
    },
    /// The log's proof does not prove anything. The statement may be logged all the same.
    #[error("the log's proof does not hold: {0}. Keep the answer: the statement may be logged, and the log may misbehave")]
    Proof(#[from] TlogProofError),
    /// The log has the text under other bytes that are no such statement.
    #[error("what the log has logged under this identity is another statement")]
    OtherStatement,
    /// It is no statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

/// A published statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SubmitReport {
    /// Its identity, in hexadecimal.
    pub statement: String,
    /// The log.
    pub log: String,
    /// Its place in the log.
    pub index: LeafIndex,
    /// The size of the tree in which it was proven.
    pub tree: TreeSize,
    /// Since when it is public, as witnessed.
    pub public_since: Timestamp,
    /// From when on clients may use a release that adds entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usable_from: Option<Timestamp>,
    /// How many objects were sent.
    pub objects_sent: u64,
    /// How many bytes of objects were sent.
    pub bytes_sent: u64,
    /// The proof, as a file (C2SP tlog-proof).
    pub proof: String,
}

/// Publishes a signed charter.
pub async fn submit_charter(
    log: &LogClient,
    trust: &TlogPolicy,
    charter: &Signed<Charter>,
) -> Result<SubmitReport, SubmitError> {
    let submission = Submission { log, trust, id: charter.id(), bytes: charter.to_bytes(), draft: None };
    submission.run(None).await
}

/// Publishes a complete release with its objects. `charter` is the one that it cites.
pub async fn submit_release(
    log: &LogClient,
    trust: &TlogPolicy,
    draft: &Draft,
    charter: &Charter,
) -> Result<SubmitReport, SubmitError> {
    let release = draft.release();
    let submission = Submission { log, trust, id: release.id(), bytes: release.to_bytes(), draft: Some(draft) };
    submission.run(Some(charter.limits.min_visibility)).await
}

/// Publishes any signed statement that names no objects, such as an attestation.
pub async fn submit_statement(
    log: &LogClient,
    trust: &TlogPolicy,
    statement: &Statement,
) -> Result<SubmitReport, SubmitError> {
    let submission = Submission { log, trust, id: statement.id(), bytes: statement.to_bytes(), draft: None };
    submission.run(None).await
}

struct Submission<'s> {
    log: &'s LogClient,
    trust: &'s TlogPolicy,
    id: StatementId,
    bytes: Vec<u8>,
    draft: Option<&'s Draft>,
}

impl Submission<'_> {
    async fn run(&self, visibility: Option<u64>) -> Result<SubmitReport, SubmitError> {
        let (mut objects_sent, mut bytes_sent) = (0, 0);
        let proof = match self.submit().await? {
            Submitted::Logged(proof) => proof,
            Submitted::Missing(missing) => {
                for digest in &missing {
                    let object = self.draft.and_then(|draft| draft.object(digest));
                    let object = object.ok_or(SubmitError::UnknownObject { digest: *digest })?;
                    self.log.put_object(digest, object.to_vec()).await?;
                    objects_sent += 1;
                    bytes_sent += object.len() as u64;
                }
                match self.submit().await? {
                    Submitted::Logged(proof) => proof,
                    Submitted::Missing(still) => return Err(SubmitError::StillMissing { count: still.len() }),
                }
            }
        };
        let public_since = self.verify(&proof).await?;
        let tree = proof.checkpoint.checkpoint();
        Ok(SubmitReport {
            statement: self.id.to_hex(),
            log: tree.origin.clone(),
            index: proof.index,
            tree: tree.size,
            public_since,
            usable_from: visibility.map(|visibility| public_since.plus(visibility)),
            objects_sent,
            bytes_sent,
            proof: proof.to_string(),
        })
    }

    /// Submits, and again while the log says that it may work later. Nothing is logged twice by that.
    async fn submit(&self) -> Result<Submitted, SubmitError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.log.submit(&self.bytes).await {
                Err(error) if error.is_temporary() => {
                    let asked = if let FetchError::Refused { retry_after, .. } = &error { *retry_after } else { None };
                    tokio::time::sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
                answer => return Ok(answer?),
            }
        }
        Ok(self.log.submit(&self.bytes).await?)
    }

    /// Gives since when the statement is public.
    async fn verify(&self, proof: &TlogProof) -> Result<Timestamp, SubmitError> {
        let origin = &proof.checkpoint.checkpoint().origin;
        let log = self.trust.logs().iter().find(|log| log.key.name() == origin);
        let log = &log.ok_or_else(|| SubmitError::OtherLog { origin: origin.clone() })?.key;
        match proof.verify(&self.bytes, log, self.trust) {
            Ok(times) => Ok(times.earliest),
            Err(TlogProofError::Inclusion(_)) => self.verify_as_logged(proof, log).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The same text may have been logged earlier with signatures by other curators; then the proof is for that one.
    async fn verify_as_logged(&self, proof: &TlogProof, log: &VerifierKey) -> Result<Timestamp, SubmitError> {
        let resource = Resource::Statement(self.id);
        let bytes = self.log.source().get(&resource, MAX_STATEMENT_SIZE as u64).await?;
        if Statement::parse(&bytes)?.id() != self.id {
            return Err(SubmitError::OtherStatement);
        }
        Ok(proof.verify(&bytes, log, self.trust)?.earliest)
    }
}
