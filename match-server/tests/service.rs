//! The service over real HTTP, with lists that were verified from a log in memory.

mod openapi;
mod world;

use isonomy_match_server::{Config, Limits, ServeError};
use isonomy_matcher::Receipt;
use isonomy_tests::people::{hash, hashes};
use serde_json::{Value, json};
use world::{Service, clock, file, hex};

#[tokio::test]
async fn hashes_are_looked_up_alone_and_together() {
    let service = Service::start(100).await;
    let near = hex(&world::near(7, 3));
    let answer = service.get_json(&format!("/v1/lookup?algorithm=pdq/full&hash={near}&quality=80")).await;
    let found = &answer["answers"][0][0];
    assert_eq!((&found["verdict"], &found["found"]), (&json!("matched"), &json!(1)));
    assert_eq!(found["matches"][0]["entry"], json!(hex(&hash(7))));
    assert_eq!(found["matches"][0]["distance"], json!(3));
    assert!(found["notice"]["words"].as_str().unwrap().contains("complaints@hotline.example"));

    let far = hex(&world::near(7, 40));
    let many = json!({ "hashes": [
        { "algorithm": "pdq/full", "hash": far },
        { "algorithm": "pdq/full", "hash": near },
        { "algorithm": "pdq/full", "hash": near, "quality": 3 },
        { "algorithm": "sha256", "hash": near },
    ] });
    let answers = service.post_json("/v1/lookup", many.to_string().as_bytes()).await;
    let verdicts: Vec<&Value> = (0..4).map(|at| &answers["answers"][at][0]["verdict"]).collect();
    assert_eq!(verdicts, ["not-matched", "matched", "not-covered", "not-covered"]);
    service.stop().await;
}

#[tokio::test]
async fn a_receipt_proves_what_matched() {
    let service = Service::start(100).await;
    let near = world::near(7, 3);
    let answer = service.get_json(&format!("/v1/lookup?algorithm=pdq/full&hash={}", hex(&near))).await;
    let path = answer["answers"][0][0]["matches"][0]["receipt"].as_str().unwrap();
    let (status, body) = service.get(path).await;
    assert_eq!(status, 200);
    let proven = Receipt::parse(&body).unwrap().verify(&service.world.trust(), Some(&near)).unwrap();
    assert_eq!(proven.distance, Some(3));
    service.stop().await;
}

#[tokio::test]
async fn files_are_hashed_and_matched() {
    let service = Service::start(100).await;
    let picture = file("photos/chelsea.png");
    let hashes = service.post_json("/v1/hash?orientations=all", &picture).await;
    let pdq = hashes["hashes"].as_array().unwrap().iter().filter(|hash| hash["algorithm"] == "pdq/full");
    let pdq: Vec<&Value> = pdq.collect();
    assert_eq!(pdq.len(), 8);
    let reference = String::from_utf8(file("photos/reference.csv")).unwrap();
    let expected = reference.lines().find(|line| line.starts_with("chelsea.png")).unwrap();
    assert!(expected.ends_with(pdq[0]["hash"].as_str().unwrap()), "{expected}: {}", pdq[0]["hash"]);

    let answer = service.post_json("/v1/match", &picture).await;
    assert_eq!(answer["answers"][0][0]["verdict"], "not-matched");
    let answer = service.post_json("/v1/match", b"no picture").await;
    assert_eq!(answer["answers"][0][0]["verdict"], "not-covered");
    assert!(answer["answers"][0][0]["why"].as_str().unwrap().contains("not a picture"));
    let hashes = service.post_json("/v1/hash", b"no picture").await;
    assert_eq!(hashes["hashes"].as_array().unwrap().len(), 3, "{hashes}");
    service.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let limits = world::limits(|limits| limits.image.file_bytes = 1000);
    let service = Service::with(100, limits).await;
    let good = hex(&hash(7));
    for (path, body, status, code) in [
        ("/v1/lookup".to_owned(), None, 400, "malformed"),
        ("/v1/lookup?algorithm=pdq&hash=00".to_owned(), None, 400, "malformed"),
        ("/v1/lookup?algorithm=pdq/full&hash=00".to_owned(), None, 400, "malformed"),
        (format!("/v1/lookup?algorithm=pdq/full&hash={good}&quality=101"), None, 400, "malformed"),
        (format!("/v1/lookup?algorithm=pdq/full&hash={good}&list=a/b"), None, 404, "unknown-list"),
        (format!("/v1/lookup?algorithm=pdq/full&hash={good}&more=1"), None, 400, "malformed"),
        ("/v1/receipt?list=hotline.example/images&entry=00".to_owned(), None, 404, "unknown-entry"),
        ("/v1/receipt?list=hotline.example/other&entry=00".to_owned(), None, 404, "unknown-list"),
        ("/v2".to_owned(), None, 404, "unknown-path"),
        ("/v1/match".to_owned(), Some(vec![]), 400, "malformed"),
        ("/v1/match?orientations=none".to_owned(), Some(vec![1]), 400, "malformed"),
        ("/v1/match?list=a/b".to_owned(), Some(vec![1]), 404, "unknown-list"),
        ("/v1/match".to_owned(), Some(vec![1; 1001]), 413, "too-large"),
        ("/v1/lookup".to_owned(), Some(b"[]".to_vec()), 400, "malformed"),
        ("/v1/lookup".to_owned(), Some(vec![b' '; 300_000]), 413, "too-large"),
    ] {
        let (found, answer) = match body {
            Some(body) => service.post(&path, &body).await,
            None => service.get(&path).await,
        };
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        assert_eq!((found, answer["code"].as_str()), (status, Some(code)), "{path}: {answer}");
    }
    let too_many = json!({ "hashes": vec![json!({ "algorithm": "pdq/full", "hash": good }); 1001] });
    assert_eq!(service.post("/v1/lookup", too_many.to_string().as_bytes()).await.0, 400);
    let metrics = String::from_utf8(service.get("/metrics").await.1).unwrap();
    assert!(metrics.contains("isonomy_match_refused_total 16"), "{metrics}");
    service.stop().await;
}

#[tokio::test]
async fn a_newer_release_is_taken_over_without_a_request_being_dropped() {
    let mut service = Service::start(100).await;
    let new = hex(&hash(150));
    let path = format!("/v1/lookup?algorithm=pdq/full&hash={new}");
    assert_eq!(service.get_json(&path).await["answers"][0][0]["verdict"], "not-matched");
    service.world.release(hashes(0..200), 110);
    service.world.publish(110);
    service.world.publish(115);
    service.update(115).await;
    let mut versions = Vec::new();
    loop {
        let answer = service.get_json(&path).await;
        let answer = &answer["answers"][0][0];
        let expected = if answer["version"] == 1 { "not-matched" } else { "matched" };
        assert_eq!(answer["verdict"], expected);
        versions.push(answer["version"].as_u64().unwrap());
        if answer["version"] == 2 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(versions.is_sorted());
    let lists = service.get_json("/v1/lists").await;
    assert_eq!(lists["lists"][0]["entries"], 200);
    service.stop().await;
}

#[tokio::test]
async fn an_expired_list_is_said_to_be_so() {
    let service = Service::start(100).await;
    assert_eq!(service.get("/healthz").await, (200, b"ok\n".to_vec()));
    service.stop().await;
    let service = Service::at(100, Limits::default(), || isonomy_tests::people::at(90_000)).await;
    let (status, body) = service.get("/healthz").await;
    assert_eq!(status, 503, "{}", String::from_utf8_lossy(&body));
    let answer = service.get_json(&format!("/v1/lookup?algorithm=pdq/full&hash={}", hex(&hash(7)))).await;
    assert_eq!(answer["answers"][0][0]["verdict"], "not-covered");
    service.stop().await;
}

#[tokio::test]
async fn what_can_not_be_served_is_refused_at_the_start() {
    let start = async |config: Config| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        isonomy_match_server::run(listener, config, std::future::pending()).await.unwrap_err()
    };
    assert!(matches!(start(Config::new(Vec::new())).await, ServeError::Config(_)));
    let (world, folder) = (world::published(5), tempfile::tempdir().unwrap());
    let list = || isonomy_match_server::ListFolder { policy: world.policy(), state: folder.path().to_owned() };
    let missing = Config { clock, ..Config::new(vec![list()]) };
    assert!(matches!(start(missing).await, ServeError::List(_)));
    assert!(matches!(start(Config::new(vec![list(), list()])).await, ServeError::Config(_)));
}
