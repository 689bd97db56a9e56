//! Asking a witness.

use crate::script::Script;
use isonomy_core::add_checkpoint::AddCheckpoint;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature::cosign;
use isonomy_core::hash::{NodeHash, RootHash};
use isonomy_core::note::{KeyType, Signature, SigningKey};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use isonomy_fetch::{FetchError, WitnessClient, WitnessError};
use std::time::Duration;

fn request() -> AddCheckpoint {
    let key = SigningKey::from_seed("log.example/a", KeyType::Ed25519, &[1; 32]).unwrap();
    let checkpoint =
        Checkpoint { origin: "log.example/a".into(), size: TreeSize(2), root: RootHash([2; 32]), extensions: vec![] };
    let checkpoint = CheckpointNote::sign(checkpoint, &key).unwrap();
    AddCheckpoint { old: TreeSize(1), proof: vec![NodeHash([3; 32])], checkpoint }
}

async fn ask(server: &Script) -> Result<Vec<Signature>, WitnessError> {
    let witness = WitnessClient::new(&server.url).unwrap();
    tokio::spawn(async move { witness.add_checkpoint(&request()).await }).await.unwrap()
}

#[tokio::test]
async fn a_cosignature_comes_back() {
    let key = SigningKey::from_seed("witness.example/w", KeyType::Cosignature, &[2; 32]).unwrap();
    let line = cosign(&key, request().checkpoint.note().text(), Timestamp(1_700_000_000));
    let server = Script::answering("200 OK", "", line.to_string().as_bytes()).await;
    assert_eq!(ask(&server).await, Ok(vec![line]));
    let sent = &server.requests()[0];
    assert!(sent.starts_with("POST /add-checkpoint HTTP/1.1\r\n"), "{sent}");
    assert!(sent.ends_with(&format!("\r\n\r\n{}", request())), "{sent}");
}

#[tokio::test]
async fn a_conflict_names_the_size_that_the_witness_knows() {
    let server = Script::answering("409 Conflict", "content-type: text/x.tlog.size\r\n", b"7\n").await;
    assert_eq!(ask(&server).await, Err(WitnessError::Conflict { size: TreeSize(7) }));
    let server = Script::answering("409 Conflict", "content-type: text/x.tlog.size\r\n", b"seven\n").await;
    assert!(matches!(ask(&server).await, Err(WitnessError::Fetch(FetchError::Malformed { .. }))));
    let server = Script::answering("409 Conflict", "content-type: text/plain\r\n", b"7\n").await;
    assert!(matches!(ask(&server).await, Err(WitnessError::Refused { status: 409, .. })));
}

#[tokio::test]
async fn a_refusal_keeps_its_status_and_words() {
    for (line, status) in [
        ("400 Bad Request", 400),
        ("403 Forbidden", 403),
        ("404 Not Found", 404),
        ("422 Unprocessable Entity", 422),
        ("500 Internal Server Error", 500),
    ] {
        let server = Script::answering(line, "", b"because\n\x1b[2J\xff").await;
        let location = format!("{}/add-checkpoint", server.url);
        let message = "because  [2J\u{fffd}".to_owned();
        let refused = WitnessError::Refused { location, status, message, retry_after: None };
        assert_eq!(ask(&server).await, Err(refused));
    }
    let server = Script::answering("429 Too Many Requests", "retry-after: 7\r\n", b"too many").await;
    let refused = ask(&server).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(7)));
    let server = Script::answering("422 Unprocessable Entity", "", &[b'a'; 100_000]).await;
    assert!(matches!(ask(&server).await, Err(WitnessError::Refused { status: 422, .. })));
}

#[tokio::test]
async fn what_is_no_signature_line_is_malformed() {
    for body in ["", "OK\n", "— witness.example/w\n"] {
        let server = Script::answering("200 OK", "", body.as_bytes()).await;
        assert!(matches!(ask(&server).await, Err(WitnessError::Fetch(FetchError::Malformed { .. }))), "{body:?}");
    }
}

#[tokio::test]
async fn the_latest_checkpoint_lies_under_the_origin_s_hash() {
    let checkpoint = request().checkpoint;
    let server = Script::answering("200 OK", "", &checkpoint.to_bytes()).await;
    let witness = WitnessClient::new(&format!("{}/w/", server.url)).unwrap();
    assert_eq!(witness.latest("log.example/a").await, Ok(checkpoint));
    // printf log.example/a | sha256sum
    let path = "GET /w/b2d3e0cf2e483fbc179ff15f4e95ebef4f0ad5565d228215674c9ee83f0faf1d/checkpoint HTTP/1.1\r\n";
    assert!(server.requests()[0].starts_with(path), "{}", server.requests()[0]);
    let server = Script::answering("404 Not Found", "", b"").await;
    let missing = WitnessClient::new(&server.url).unwrap().latest("log.example/a").await;
    assert!(matches!(missing, Err(FetchError::NotFound { .. })));
}
