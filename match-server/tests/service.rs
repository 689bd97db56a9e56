//! The service over real HTTP, with lists that were verified from a log in memory.

mod load;
mod openapi;
mod world;

use isonomy_client::video::{Ffmpeg, hash_video_bytes};
use isonomy_core::charter::Matching;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::statement::ListName;
use isonomy_match_server::{Config, Limits, ServeError};
use isonomy_matcher::{Fingerprint, Receipt};
use isonomy_tests::people::{hash, hashes};
use isonomy_tests::world::World;
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
    let (list, entry) = path.split_once("&entry=").unwrap();
    let upper = service.get(&format!("{list}&entry={}", entry.to_uppercase())).await;
    assert_eq!(upper, (200, body.clone()), "capital digits are digits");
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
    assert_eq!(answer["answers"][0][0]["code"], "unknown-format");
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
        ("/v1/hash?list=hotline.example/images".to_owned(), Some(vec![1]), 400, "malformed"),
        ("/v1/receipt?list=hotline.example/images&version=9&entry=00".to_owned(), None, 404, "unknown-version"),
        ("/v1/match".to_owned(), Some(vec![1; 1001]), 413, "too-large"),
        ("/v1/lookup".to_owned(), Some(b"[]".to_vec()), 400, "malformed"),
        ("/v1/lookup".to_owned(), Some(vec![b' '; 300_000]), 413, "too-large"),
        ("/v1/lists".to_owned(), Some(vec![]), 405, "wrong-method"),
        ("/v1/match".to_owned(), None, 405, "wrong-method"),
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
    for line in [
        "isonomy_match_refused_total{code=\"malformed\"} 10",
        "isonomy_match_refused_total{code=\"wrong-method\"} 2",
        "isonomy_match_request_seconds_bucket{le=\"+Inf\"} 20",
        "isonomy_match_request_seconds_count 20",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    service.stop().await;
}

#[tokio::test]
async fn an_expired_list_is_said_to_be_so() {
    let service = Service::start(100).await;
    assert_eq!(service.get("/healthz").await, (200, b"ok\n".to_vec()));
    service.stop().await;
    let service = Service::at(100, Limits::default(), || isonomy_tests::people::at(90_000)).await;
    let (status, body) = service.get("/healthz").await;
    let words = String::from_utf8_lossy(&body);
    assert!(
        status == 503 && words.contains("not all lists are in force: hotline.example/images has expired"),
        "{words}"
    );
    let answer = service.get_json(&format!("/v1/lookup?algorithm=pdq/full&hash={}", hex(&hash(7)))).await;
    let answer = &answer["answers"][0][0];
    assert_eq!((&answer["verdict"], &answer["code"]), (&json!("not-covered"), &json!("expired")));
    service.stop().await;
}

#[tokio::test]
async fn a_list_that_is_updated_no_more_is_said_to_be_so() {
    let service = Service::start(100).await;
    let halted = "isonomy_match_list_halted{list=\"hotline.example/images\"}";
    assert_eq!(service.get_json("/v1/lists").await["lists"][0]["halted"], Value::Null);
    assert_eq!(service.number(halted).await, 0);
    let evidence = service.halt();
    while service.number(halted).await == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.get_json("/v1/lists").await["lists"][0]["halted"], json!(evidence));
    let (status, words) = service.get("/healthz").await;
    let words = String::from_utf8(words).unwrap();
    assert!(
        status == 200 && words.starts_with("ok\nwarning: updates of hotline.example/images have stopped"),
        "{words}"
    );
    // It is matched all the same, until it expires.
    let answer = service.get_json(&format!("/v1/lookup?algorithm=pdq/full&hash={}", hex(&hash(7)))).await;
    assert_eq!(answer["answers"][0][0]["verdict"], "matched");
    service.stop().await;
}

/// A list of this name by this rule.
fn further(name: &str, matching: Matching, content: Entries) -> World {
    let mut world = World::founded_with(|charter| {
        charter.list = ListName::new(name).unwrap();
        charter.matching = matching;
    });
    world.release(content, 100);
    world.publish(100);
    world.publish(105);
    world
}

#[tokio::test]
async fn several_lists_answer_each_by_its_own_rule() {
    let pdq = |max_distance| Matching { algorithm: Algorithm::PdqFull, max_distance, min_quality: 50 };
    let same = Matching { algorithm: Algorithm::Sha256, max_distance: 0, min_quality: 0 };
    let picture = file("photos/chelsea.png");
    let digest = isonomy_matcher::digest::sha256(&picture).to_vec();
    let others = vec![
        further("two.example/narrow", pdq(2), hashes(0..20)),
        further("three.example/same", same, Entries::from_sorted(32, digest).unwrap()),
    ];
    let service = Service::of(world::published(100), others, Limits::default(), clock).await;
    let answers = service.get_json(&format!("/v1/lookup?algorithm=pdq/full&hash={}", hex(&world::near(7, 3)))).await;
    let verdict = |answers: &Value, list: usize| answers["answers"][0][list]["verdict"].as_str().unwrap().to_owned();
    assert_eq!([0, 1, 2].map(|list| verdict(&answers, list)), ["matched", "not-matched", "not-covered"]);
    let answers = service.post_json("/v1/match", &picture).await;
    assert_eq!([0, 1, 2].map(|list| verdict(&answers, list)), ["not-matched", "not-matched", "matched"]);
    let receipt = answers["answers"][0][2]["matches"][0]["receipt"].as_str().unwrap();
    assert!(receipt.contains("list=three.example/same"), "{receipt}");
    let one = service.post_json("/v1/match?list=two.example/narrow", &picture).await;
    assert_eq!(one["answers"][0].as_array().unwrap().len(), 1);
    let lists = service.get_json("/v1/lists").await;
    let rules: Vec<&Value> = (0..3).map(|at| &lists["lists"][at]["max_distance"]).collect();
    assert_eq!(rules, [24, 2, 0]);
    service.stop().await;
}

/// What needs ffmpeg runs where it is installed. With `ISONOMY_REQUIRE_FFMPEG` set, it must be there.
#[tokio::test]
async fn videos_are_matched_where_a_list_of_videos_is_in_force() {
    let found = Ffmpeg::find().is_ok();
    assert!(found || std::env::var_os("ISONOMY_REQUIRE_FFMPEG").is_none(), "no ffmpeg is installed");
    let (mp4, webm) = (file("tests/data/video/photos.mp4"), file("tests/data/video/photos.webm"));
    // Without such a list, no video is decoded.
    let service = Service::start(100).await;
    let hashes = service.post_json("/v1/hash", &mp4).await;
    assert_eq!((hashes["hashes"].as_array().unwrap().len(), &hashes["not_a_video"]), (3, &Value::Null));
    service.stop().await;
    let rule = Matching { algorithm: Algorithm::VpdqV1, max_distance: 31, min_quality: 50 };
    let limits = Limits::default();
    let content = match hash_video_bytes(&mp4, &limits.video) {
        Ok(video) => video.entries(50).concat(),
        Err(error) if found => panic!("{error}"),
        Err(_) => [[1; 16].as_slice(), &hash(1)].concat(),
    };
    let list = further("two.example/videos", rule, Entries::from_sorted(48, content).unwrap());
    let service = Service::of(world::published(100), vec![list], limits, clock).await;
    let answers = service.post_json("/v1/match?list=two.example/videos", &webm).await;
    let answer = &answers["answers"][0][0];
    if found {
        assert_eq!(answer["verdict"], "matched", "{answer}");
        assert_eq!(answer["matches"][0]["video"]["listed"]["of"], 10);
        let hashes = service.post_json("/v1/hash", &webm).await;
        let frames = hashes["hashes"].as_array().unwrap().iter().filter(|hash| hash["algorithm"] == "vpdq/v1");
        assert_eq!(frames.count(), 10);
        let frame =
            hex(&Fingerprint::of_file(Algorithm::VpdqV1, &file("photos/coins.png"), &limits.image).unwrap().hash);
        let alone = service.get_json(&format!("/v1/lookup?algorithm=vpdq/v1&hash={frame}")).await;
        assert_eq!(alone["answers"][0][1]["verdict"], "not-matched");
    } else {
        assert_eq!(answer["verdict"], "not-covered");
        assert!(answer["why"].as_str().unwrap().contains("not installed"), "{answer}");
    }
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
