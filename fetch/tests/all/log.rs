//! Writing to a log.

use crate::script::{QUICK, Script, Step, response};
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::{NodeHash, ObjectDigest, RootHash};
use isonomy_core::note::{KeyType, SigningKey};
use isonomy_core::resource::Resource;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_fetch::{FetchError, LogClient, Submitted};
use std::time::{Duration, Instant};

fn proof() -> TlogProof {
    let key = SigningKey::from_seed("log.example/a", KeyType::Ed25519, &[1; 32]).unwrap();
    let checkpoint =
        Checkpoint { origin: "log.example/a".into(), size: TreeSize(2), root: RootHash([2; 32]), extensions: vec![] };
    let checkpoint = CheckpointNote::sign(checkpoint, &key).unwrap();
    TlogProof { extra: None, index: LeafIndex(1), path: vec![NodeHash([3; 32])], checkpoint }
}

async fn submit(server: &Script) -> Result<Submitted, FetchError> {
    let log = LogClient::new(&server.url).unwrap();
    tokio::spawn(async move { log.submit(b"a statement").await }).await.unwrap()
}

#[tokio::test]
async fn a_logged_statement_comes_back_as_its_proof() {
    let server = Script::answering("200 OK", "content-type: text/plain; charset=utf-8\r\n", &proof().to_bytes()).await;
    assert_eq!(submit(&server).await, Ok(Submitted::Logged(proof())));
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /submit HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\na statement"), "{request}");
}

#[tokio::test]
async fn missing_objects_are_named_and_can_be_sent() {
    let object = b"an object".to_vec();
    let digest = ObjectDigest::of(&object);
    let missing = format!(r#"{{"missing":["{digest}","{}"]}}"#, "00".repeat(32));
    let server = Script::start(move |path| match path {
        "/log/submit" => vec![response("202 Accepted", "", missing.as_bytes())],
        _ => vec![response("204 No Content", "", b"")],
    })
    .await;
    let log = LogClient::new(&format!("{}/log", server.url)).unwrap();
    let expected = vec![digest, ObjectDigest([0; 32])];
    assert_eq!(log.submit(b"a statement").await, Ok(Submitted::Missing(expected)));
    assert_eq!(log.put_object(&digest, object).await, Ok(()));
    let request = &server.requests()[1];
    assert!(request.starts_with(&format!("PUT /log/object/{digest} HTTP/1.1\r\n")), "{request}");
    assert!(request.contains("\r\ncontent-type: application/octet-stream\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\nan object"), "{request}");
}

#[tokio::test]
async fn a_refusal_comes_back_with_its_rule() {
    let words = br#"{"error":"too-few-curators","rule":2,"message":"one curator\u001b[2J has signed"}"#;
    let server = Script::answering("422 Unprocessable Entity", "", words).await;
    let refused = |path: &str| FetchError::Refused {
        location: format!("{}/{path}", server.url),
        status: 422,
        code: "too-few-curators".into(),
        rule: Some(2),
        message: "one curator [2J has signed".into(),
        retry_after: None,
    };
    let log = LogClient::new(&server.url).unwrap();
    assert_eq!(log.check(b"draft").await, Err(refused("check")));
    assert_eq!(log.submit(b"statement").await, Err(refused("submit")));
    let object = log.put_object(&ObjectDigest([0; 32]), vec![]).await;
    assert_eq!(object, Err(refused(&format!("object/{}", "00".repeat(32)))));
}

#[tokio::test]
async fn a_busy_log_says_when_to_come_back() {
    let words = br#"{"error":"no-quorum","message":"too few witnesses answer"}"#;
    for (header, expected) in [
        ("retry-after: 7\r\n", Some(Duration::from_secs(7))),
        ("retry-after: 18446744073709551615\r\n", Some(Duration::from_secs(3600))),
        ("retry-after: soon\r\n", None),
        ("", None),
    ] {
        let server = Script::answering("503 Service Unavailable", header, words).await;
        match submit(&server).await.unwrap_err() {
            error @ FetchError::Refused { status: 503, rule: None, retry_after, .. } => {
                assert!(error.is_temporary());
                assert_eq!(retry_after, expected);
            }
            error => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_proxy_s_error_page_is_only_a_status() {
    for body in [&b"<html>bad gateway</html>"[..], &[b'a'; 100_000]] {
        let server = Script::answering("502 Bad Gateway", "", body).await;
        let location = format!("{}/submit", server.url);
        assert_eq!(submit(&server).await, Err(FetchError::Status { location, status: 502, retry_after: None }));
    }
}

#[tokio::test]
async fn answers_of_another_form_are_malformed() {
    for (status, body) in [
        ("200 OK", "not a proof"),
        ("202 Accepted", "not JSON"),
        ("202 Accepted", r#"{"missing":"abc"}"#),
        ("202 Accepted", r#"{"missing":["abc"]}"#),
        ("202 Accepted", r#"{"missing":[]}"#),
    ] {
        let server = Script::answering(status, "", body.as_bytes()).await;
        let error = submit(&server).await.unwrap_err();
        assert!(matches!(error, FetchError::Malformed { .. }), "{body}: {error}");
    }
    let server = Script::answering("200 OK", "", &[b'a'; 1_000_000]).await;
    assert!(matches!(submit(&server).await, Err(FetchError::TooLarge { .. })));
}

#[tokio::test]
async fn a_draft_that_passes_is_fine_and_a_redirect_is_not() {
    let server = Script::answering("200 OK", "", b"").await;
    assert_eq!(LogClient::new(&server.url).unwrap().check(b"draft").await, Ok(()));
    let server = Script::answering("307 Temporary Redirect", "location: http://127.0.0.1:1/\r\n", b"").await;
    let error = LogClient::new(&server.url).unwrap().check(b"draft").await.unwrap_err();
    assert!(matches!(error, FetchError::Redirect { .. }), "{error}");
}

#[tokio::test]
async fn a_submission_is_waited_for_longer_than_a_page() {
    let server = Script::always(vec![Step::Hang]).await;
    let log = LogClient::with_limits(&server.url, QUICK).unwrap();
    let begun = Instant::now();
    assert!(matches!(log.check(b"draft").await, Err(FetchError::TooSlow { .. })));
    let page = begun.elapsed();
    assert!(matches!(log.submit(b"statement").await, Err(FetchError::TooSlow { .. })));
    assert!(page >= QUICK.answer && begun.elapsed() >= page + QUICK.submission);
}

#[tokio::test]
async fn the_same_log_can_be_read() {
    let server = Script::answering("200 OK", "", b"abc").await;
    let source = LogClient::new(&server.url).unwrap().source();
    assert_eq!(source.get(&Resource::Checkpoint, 3).await, Ok(b"abc".to_vec()));
    assert!(matches!(LogClient::new("mirror/folder"), Err(FetchError::Address { .. })));
}
