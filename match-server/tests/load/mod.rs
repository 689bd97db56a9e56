//! Many requests at a time, slow ones, expensive ones, and those that are under way when a list is replaced.

use crate::world::{self, Service, file, finish, hex, json};
use isonomy_core::list::{Algorithm, Entries};
use isonomy_match_server::Limits;
use isonomy_tests::people::{hash, hashes};
use serde_json::{Value, json};
use std::time::Duration;

fn code(answer: &(u16, Vec<u8>)) -> (u16, String) {
    let body: Value = serde_json::from_slice(&answer.1).unwrap();
    (answer.0, body["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn connections_that_send_nothing_keep_nobody_out() {
    let service = Service::start(100).await;
    let mut idle = Vec::new();
    // More than a quarter of all that there may be: on this machine, a proxy may be the only client.
    for _ in 0..200 {
        idle.push(service.begin("/v1/match", 20 << 20, b"a").await);
    }
    let answer = service.post_json("/v1/match", &file("photos/coins.png")).await;
    assert_eq!(answer["answers"][0][0]["verdict"], "not-matched");
    drop(idle);
    service.stop().await;
}

#[tokio::test]
async fn a_body_counts_for_what_has_arrived_of_it() {
    let service = Service::with(100, world::limits(|limits| limits.bodies = 1500)).await;
    let held = service.begin("/v1/match", 1200, &[0; 1000]).await;
    // It has arrived when there is no room for as much again.
    let refused = loop {
        let answer = service.post("/v1/match", &[0; 600]).await;
        if answer.0 != 200 {
            break answer;
        }
    };
    assert_eq!(code(&refused), (503, "busy".into()));
    assert_eq!(service.post("/v1/match", &[0; 400]).await.0, 200);
    assert_eq!(finish(held, &[0; 200]).await.0, 200);
    assert_eq!(service.post("/v1/match", &[0; 1400]).await.0, 200, "what was held is given back");
    service.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let service = Service::with(100, world::limits(|limits| limits.upload = Duration::from_millis(50))).await;
    for path in ["/v1/match", "/v1/lookup"] {
        let held = service.begin(path, 1200, &[b' '; 1000]).await;
        assert_eq!(code(&finish(held, b"").await), (408, "slow-body".into()));
    }
    service.stop().await;
}

#[tokio::test]
async fn a_body_that_is_announced_as_too_large_is_refused_before_it_is_sent() {
    let service = Service::with(100, world::limits(|limits| limits.image.file_bytes = 1000)).await;
    let held = service.begin("/v1/match", 1001, b"").await;
    assert_eq!(code(&finish(held, b"").await), (413, "too-large".into()));
    service.stop().await;
}

#[tokio::test]
async fn a_form_is_not_taken_for_a_file_nor_text_for_json() {
    let service = Service::start(100).await;
    let form = "content-type: multipart/form-data; boundary=x\r\ncontent-length: 0\r\n";
    for path in ["/v1/match", "/v1/hash"] {
        assert_eq!(code(&service.ask("POST", path, form).await), (415, "wrong-type".into()));
    }
    for path in ["/v1/match", "/v1/lookup"] {
        let packed = "content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n";
        assert_eq!(code(&service.ask("POST", path, packed).await), (415, "wrong-type".into()));
    }
    let text = "content-type: text/plain\r\ncontent-length: 0\r\n";
    assert_eq!(code(&service.ask("POST", "/v1/lookup", text).await), (415, "wrong-type".into()));
    service.stop().await;
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let service = Service::with(100, world::limits(|limits| limits.lookup = Duration::ZERO)).await;
    let near = hex(&world::near(7, 3));
    let answer = service.get(&format!("/v1/lookup?algorithm=pdq/full&hash={near}")).await;
    assert_eq!(code(&answer), (503, "took-too-long".into()));
    service.stop().await;
}

/// So many variants of one picture, each 2 bits from it.
fn crowd(size: usize) -> Entries {
    let centre = hash(7);
    let turn = |hash: &mut [u8], bit: usize| hash[bit / 8] ^= 1 << (bit % 8);
    let (ones, zeros): (Vec<usize>, Vec<usize>) = (0..256).partition(|bit| centre[bit / 8] & 1 << (bit % 8) != 0);
    let variants = (0..size).flat_map(|variant| {
        let mut hash = centre.to_vec();
        turn(&mut hash, ones[variant / 16]);
        turn(&mut hash, zeros[variant % 16]);
        hash
    });
    Entries::from_unsorted(Algorithm::PdqFull.entry_size(), variants.collect()).unwrap().0
}

#[tokio::test]
async fn matches_are_counted_and_only_the_nearest_written_out() {
    let mut world = isonomy_tests::world::World::founded();
    world.release(crowd(200), 100);
    world.publish(100);
    world.publish(105);
    let limits = world::limits(|limits| limits.matches = 150);
    let service = Service::of(world, Vec::new(), limits, world::clock).await;
    let hash = json!({ "algorithm": "pdq/full", "hash": hex(&hash(7)) });
    let many = json!({ "hashes": [hash, hash, hash, hash] }).to_string();
    let answers = service.post_json("/v1/lookup", many.as_bytes()).await;
    let of = |at: usize| &answers["answers"][at][0];
    let written: Vec<usize> = (0..4).map(|at| of(at)["matches"].as_array().unwrap().len()).collect();
    assert_eq!(written, [100, 50, 1, 1]);
    assert!((0..4).all(|at| of(at)["found"] == 200 && of(at)["notice"]["entries"] == 200));
    assert_eq!(answers["matches_left_out"], 800 - 152);
    service.stop().await;
}

#[tokio::test]
async fn a_newer_release_is_taken_over_without_a_request_being_dropped() {
    let mut service = Service::with(100, Limits::default()).await;
    let new = hex(&hash(150));
    let path = format!("/v1/lookup?algorithm=pdq/full&hash={new}");
    assert_eq!(service.get_json(&path).await["answers"][0][0]["verdict"], "not-matched");
    let old = service.get_json(&format!("/v1/lookup?algorithm=pdq/full&hash={}", hex(&hash(7)))).await;
    let old = old["answers"][0][0]["matches"][0]["receipt"].as_str().unwrap().to_owned();
    let receipt = service.get(&old).await;
    // Uploads that begin before the newer release is in force, and end after it.
    let picture = file("photos/coins.png");
    let (first, rest) = picture.split_at(picture.len() / 2);
    let mut uploads = Vec::new();
    for _ in 0..8 {
        uploads.push(service.begin("/v1/match", picture.len(), first).await);
    }
    // After the interval between additions.
    service.world.release(hashes(0..200), 160);
    service.world.publish(160);
    service.world.publish(165);
    service.update(165).await;
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
    // Every one is answered, by the lists that were in force when it began, or when its head was read.
    for upload in uploads {
        let answer = json(finish(upload, rest).await);
        assert_eq!(answer["answers"][0][0]["verdict"], "not-matched", "{answer}");
    }
    // A receipt that was named before is still that of the release which matched.
    assert_eq!((receipt.0, service.get(&old).await == receipt), (200, true));
    assert!(service.get(&old.replace("version=1", "version=2")).await != receipt);
    let unknown = service.get(&old.replace("version=1", "version=3")).await;
    assert_eq!(code(&unknown), (404, "unknown-version".into()));
    let lists = service.get_json("/v1/lists").await;
    assert_eq!((&lists["lists"][0]["entries"], &lists["lists"][0]["version"]), (&json!(200), &json!(2)));
    service.stop().await;
}

/// A copy of the folder is put back; waits until it was refused, or put in force.
async fn refused(service: &Service) -> bool {
    let numbers = async || {
        let [failed, swaps] = ["failed_looks", "swaps"].map(|name| format!("isonomy_match_{name}_total"));
        (service.number(&failed).await, service.number(&swaps).await)
    };
    service.put_copy_back();
    // A look may have fallen between the two steps of that; the one after the next has not.
    let (failed, swaps) = numbers().await;
    loop {
        match numbers().await {
            (_, now) if now > swaps => return false,
            (now, _) if now >= failed + 2 => return true,
            _ => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn older_knowledge_of_the_same_release_is_not_put_in_force() {
    let mut service = Service::start(100).await;
    service.keep_copy();
    service.world.publish(160);
    service.world.publish(165);
    service.update(165).await;
    while service.number("isonomy_match_swaps_total").await == 0 {
        tokio::task::yield_now().await;
    }
    let freshness = service.get_json("/v1/lists").await["lists"][0]["freshness"].clone();
    assert!(refused(&service).await, "what was witnessed later is forgotten");
    assert_eq!(service.get_json("/v1/lists").await["lists"][0]["freshness"], freshness);
    service.stop().await;
}

#[tokio::test]
async fn another_release_of_the_same_version_is_not_put_in_force() {
    let service = Service::start(100).await;
    let release = service.get_json("/v1/lists").await["lists"][0]["release"].clone();
    service.keep_copy_of(&world::published(50)).await;
    assert!(refused(&service).await);
    assert_eq!(service.get_json("/v1/lists").await["lists"][0]["release"], release);
    service.stop().await;
}

#[tokio::test]
async fn an_older_copy_of_the_folder_is_not_put_in_force() {
    let mut service = Service::start(100).await;
    service.keep_copy();
    service.world.release(hashes(0..200), 160);
    service.world.publish(160);
    service.world.publish(165);
    service.update(165).await;
    while service.number("isonomy_match_swaps_total").await == 0 {
        tokio::task::yield_now().await;
    }
    assert!(refused(&service).await);
    let lists = service.get_json("/v1/lists").await;
    assert_eq!((&lists["lists"][0]["entries"], &lists["lists"][0]["version"]), (&json!(200), &json!(2)));
    service.stop().await;
}

#[tokio::test]
async fn a_halt_in_an_older_copy_of_the_folder_is_told_and_holds_for_later_releases() {
    let mut service = Service::start(100).await;
    service.keep_copy();
    let evidence = service.halt_in("copy");
    service.world.publish(160);
    service.world.publish(165);
    service.update(165).await;
    while service.number("isonomy_match_swaps_total").await == 0 {
        tokio::task::yield_now().await;
    }
    let halted = async || service.get_json("/v1/lists").await["lists"][0]["halted"].clone();
    assert_eq!(halted().await, serde_json::Value::Null);
    assert!(refused(&service).await, "it knows less than what is in force");
    assert_eq!(halted().await, json!(evidence));
    // Whatever is put there after that, the log has shown two histories.
    service.put_own_back();
    service.world.release(hashes(0..200), 170);
    service.world.publish(170);
    service.world.publish(175);
    service.update(175).await;
    while service.get_json("/v1/lists").await["lists"][0]["version"] != 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.get_json("/v1/lists").await["lists"][0]["halted"], json!(evidence));
    service.stop().await;
}

#[tokio::test]
async fn health_says_since_when_a_folder_can_not_be_used() {
    let service = Service::start(100).await;
    let health = async || String::from_utf8(service.get("/healthz").await.1).unwrap();
    assert_eq!(health().await, "ok\n");
    service.keep_copy_of(&world::published(50)).await;
    assert!(refused(&service).await);
    let since = world::clock();
    let expected = format!("ok\nwarning: the folder of hotline.example/images can't be used since {since};");
    assert!(health().await.starts_with(&expected), "{}", health().await);
    assert_eq!(service.get("/healthz").await.0, 200, "the list in force is as good as before");
    service.put_own_back();
    while health().await != "ok\n" {
        tokio::task::yield_now().await;
    }
    service.stop().await;
}
