//! To the log, and back with a proof.
//!
//! A statement is submitted; the objects that the log misses are sent; it is submitted again, and the log answers once
//! enough witnesses have cosigned. The tlog-proof that it gives is verified under the tlog-policy before anything is
//! called published: the log's word alone is worth nothing.

use crate::draft::{Draft, DraftError};
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
    #[error(
        "the log's proof does not hold: {0}. Keep the answer: the statement may be logged, and the log may misbehave"
    )]
    Proof(#[from] TlogProofError),
    /// The log has the text under other bytes that are no such statement.
    #[error("what the log has logged under this identity is another statement")]
    OtherStatement,
    /// The draft can't be read.
    #[error(transparent)]
    Draft(#[from] DraftError),
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
                    let draft = self.draft.ok_or(SubmitError::UnknownObject { digest: *digest })?;
                    let object = draft.object(digest).map_err(|error| match error {
                        DraftError::ObjectMissing { digest } => SubmitError::UnknownObject { digest },
                        other => other.into(),
                    })?;
                    objects_sent += 1;
                    bytes_sent += object.len() as u64;
                    self.log.put_object(digest, object).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestLog, charter, compose_in, entries, sign_release};
    use isonomy_core::encoding::from_hex;
    use std::collections::BTreeSet;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::{Arc, Mutex};

    /// What the log answers: status, headers, body.
    type Answer = (u16, &'static str, Vec<u8>);

    /// Serves HTTP on a free port until the test ends, one request for each connection; gives its URL.
    fn serve(mut answer: impl FnMut(&str, &str, Vec<u8>) -> Answer + Send + 'static) -> LogClient {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                respond(stream.unwrap(), &mut answer);
            }
        });
        LogClient::new(&url).unwrap()
    }

    fn respond(mut stream: TcpStream, answer: &mut impl FnMut(&str, &str, Vec<u8>) -> Answer) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut request = String::new();
        reader.read_line(&mut request).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let (status, headers, body) = answer(method, path, body);
        let head =
            format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len());
        let _ = stream.write_all(&[head.as_bytes(), &body].concat());
    }

    async fn signed_draft(log: &TestLog) -> Draft {
        let view = log.view().await.unwrap();
        sign_release(&compose_in(&log.path("drafts"), &view, &[], &entries(1, 20), log.clock()))
    }

    /// A log that misses objects at first, and is busy once.
    fn honest(log: Arc<Mutex<TestLog>>) -> LogClient {
        let (mut busy, mut there) = (true, BTreeSet::new());
        serve(move |method, path, body| {
            let mut log = log.lock().unwrap();
            if let Some(hex) = path.strip_prefix("/object/") {
                assert_eq!((method, ObjectDigest::of(&body).to_hex().as_str()), ("PUT", hex));
                there.insert(from_hex(hex).unwrap());
                log.write(&path[1..], &body);
                return (201, "", Vec::new());
            }
            assert_eq!((method, path), ("POST", "/submit"));
            let statement = Statement::parse(&body).unwrap();
            let Statement::Release(release) = &statement else { panic!() };
            let objects = release.body().objects().map(|object| object.sha256);
            let missing: Vec<String> = objects
                .filter(|digest| !there.contains(digest.0.as_slice()))
                .map(|digest| format!("\"{digest}\""))
                .collect();
            if !missing.is_empty() {
                return (202, "", format!("{{\"missing\":[{}]}}", missing.join(",")).into_bytes());
            }
            if std::mem::take(&mut busy) {
                let body = br#"{"error":"busy","message":"later"}"#.to_vec();
                return (503, "retry-after: 0\r\n", body);
            }
            log.append(statement);
            (200, "", log.newest_proof().to_bytes())
        })
    }

    #[tokio::test]
    async fn a_release_is_published_with_its_objects_and_its_proof_verified() {
        let log = TestLog::with_charter().await;
        let (trust, clock, draft) = (log.trust(), log.clock(), signed_draft(&log).await);
        let log = Arc::new(Mutex::new(log));
        let client = honest(log.clone());
        let report = submit_release(&client, &trust, &draft, &charter()).await.unwrap();
        let size = draft.release().body().snapshot.size;
        assert_eq!((report.index, report.objects_sent, report.bytes_sent), (LeafIndex(1), 1, size));
        assert_eq!((report.public_since, report.usable_from), (clock, Some(clock.plus(10))));
        assert!(log.lock().unwrap().history().index_of(&draft.release().id()).is_some());
        assert!(TlogProof::parse(report.proof.as_bytes()).is_ok());
    }

    #[tokio::test]
    async fn the_log_s_word_alone_is_worth_nothing() {
        let mut log = TestLog::with_charter().await;
        let draft = signed_draft(&log).await;
        let of_the_charter = log.newest_proof();
        log.append(Statement::Release(draft.release().clone()));
        let proof = log.newest_proof();
        let unseen = TlogProof {
            checkpoint: proof.checkpoint.without_cosignatures(&log.trust().logs()[0].key),
            ..proof.clone()
        };
        let statement = draft.release().to_bytes();
        for (given, holds) in [(proof, true), (unseen, false), (of_the_charter, false)] {
            let statement = statement.clone();
            let client = serve(move |_, path, _| match path {
                "/submit" => (200, "", given.to_bytes()),
                _ => (200, "", statement.clone()),
            });
            let outcome = submit_release(&client, &log.trust(), &draft, &charter()).await;
            assert_eq!(outcome.is_ok(), holds, "{outcome:?}");
            assert!(holds || matches!(outcome, Err(SubmitError::Proof(_))));
        }
    }

    #[tokio::test]
    async fn a_text_that_was_logged_with_other_signatures_is_published_too() {
        let mut log = TestLog::with_charter().await;
        let draft = signed_draft(&log).await;
        let note = draft.release().note();
        let mut lines = note.signatures().to_vec();
        lines.insert(2, crate::testing::key("c2").sign(note.text()));
        let logged = Statement::from_note(note.with_signatures(lines)).unwrap();
        let bytes = logged.to_bytes();
        log.append(logged);
        let proof = log.newest_proof();
        let client = serve(move |_, path, _| match path {
            "/submit" => (200, "", proof.to_bytes()),
            _ => (200, "", bytes.clone()),
        });
        submit_release(&client, &log.trust(), &draft, &charter()).await.unwrap();
    }

    #[tokio::test]
    async fn refusals_and_strange_wishes_are_passed_on() {
        let log = TestLog::with_charter().await;
        let draft = signed_draft(&log).await;
        let body = br#"{"error":"too-soon","rule":7,"message":"59 s after"}"#.to_vec();
        let client = serve(move |_, _, _| (422, "", body.clone()));
        let refused = submit_release(&client, &log.trust(), &draft, &charter()).await;
        assert!(matches!(refused, Err(SubmitError::Log(FetchError::Refused { rule: Some(7), .. }))), "{refused:?}");
        let wish = format!("{{\"missing\":[\"{}\"]}}", "ab".repeat(32)).into_bytes();
        let client = serve(move |_, _, _| (202, "", wish.clone()));
        let strange = submit_release(&client, &log.trust(), &draft, &charter()).await;
        assert!(matches!(strange, Err(SubmitError::UnknownObject { .. })), "{strange:?}");
    }
}
