//! What a start finds, mends, and refuses.

use crate::lists::{by_all, charter};
use crate::world::{World, now};
use crate::{audit, checkpoint, published, refused};
use axum::http::StatusCode;
use isonomy_core::add_checkpoint::{AddCheckpoint, CONFLICT_CONTENT_TYPE};
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature;
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_fetch::{FetchError, Submitted};
use isonomy_log_server::ServeError;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_set_aside_and_made_anew_from_the_files() {
    for (file, harm) in [("db", 20), ("conf", 0), ("changes", 3)] {
        let mut world = World::with_log().await;
        let (mut publisher, statements) = published(&world).await;
        let before = checkpoint(&world).await;
        world.stop_log().await.unwrap();
        let database = world.data().join("private/state/sled").join(file);
        let mut bytes = fs::read(&database).unwrap();
        bytes[harm..].fill(0xaa);
        fs::write(&database, bytes).unwrap();
        world.start_log().await;
        assert_eq!(checkpoint(&world).await.checkpoint(), before.checkpoint(), "{file}");
        assert!(world.data().join("private/state/sled.damaged-1").exists(), "{file}");
        crate::publish(&world, &statements[2], &publisher).await;
        let release = publisher.release(7..120);
        assert_eq!(crate::publish(&world, &release, &publisher).await.index, LeafIndex(3));
        audit(&world, &checkpoint(&world).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_and_missing_copies_of_what_is_in_the_log_are_mended() {
    let mut world = World::with_log().await;
    let (_, statements) = published(&world).await;
    world.stop_log().await.unwrap();
    let public = world.data().join("public");
    let statement = |number: usize| public.join(Resource::Statement(statements[number].id()).to_string());
    let proof = |number: usize| public.join(Resource::SeenProof(statements[number].id()).to_string());
    let good = fs::read(statement(0)).unwrap();
    fs::write(statement(0), b"damaged").unwrap();
    fs::remove_file(statement(1)).unwrap();
    fs::write(proof(0), b"damaged").unwrap();
    fs::remove_file(proof(2)).unwrap();
    fs::remove_file(proof(1)).unwrap();
    fs::create_dir(proof(1)).unwrap();
    let third = fs::read(statement(2)).unwrap();
    fs::write(statement(2), vec![b'x'; 1 << 20]).unwrap();
    fs::write(public.join("checkpoint"), b"damaged").unwrap();
    world.start_log().await;
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while fs::read(statement(0)).unwrap() != good || !proof(2).exists() || !proof(1).is_file() {
        assert!(std::time::Instant::now() < until);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    crate::until_published(&world).await;
    assert_eq!(fs::read(statement(2)).unwrap(), third);
    assert_eq!(checkpoint(&world).await.checkpoint().size, TreeSize(3));
    for statement in &statements {
        crate::publish(&world, statement, &crate::Publisher::new(&crate::charter(crate::LIST))).await;
        assert_eq!(world.get(&Resource::Statement(statement.id())).await.unwrap(), statement.to_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_would_fork_or_lose_something_is_refused_and_says_what_to_do() {
    let mut world = World::with_log().await;
    let started = world.data().with_extension("started");
    world.stop_log().await.unwrap();
    crate::copy(&world.data(), &started);
    world.start_log().await;
    published(&world).await;
    world.stop_log().await.unwrap();
    let good = world.data().with_extension("good");
    fs::rename(world.data(), &good).unwrap();
    // What is put back old or lost, and what the refusal advises.
    type Harm = fn(&std::path::Path, &std::path::Path);
    let cases: [(&str, Harm, &str); 6] = [
        ("private/ is older", |data, old| replace(data, old, "private"), "put the newest data back"),
        ("the database is older", |data, old| replace(data, old, "private/state"), "put the newest data back"),
        (
            "public/tile is lost",
            |data, _| fs::remove_dir_all(data.join("public/tile")).unwrap(),
            "from a mirror or a backup",
        ),
        ("private/ is lost", |data, _| fs::remove_dir_all(data.join("private")).unwrap(), "put `private/` back"),
        (
            "private/ is a volume that is not mounted",
            |data, _| {
                fs::remove_dir_all(data.join("private")).unwrap();
                fs::create_dir_all(data.join("private/lost+found")).unwrap();
            },
            "put `private/` back",
        ),
        (
            "all is older",
            |data, old| ["private", "public"].iter().for_each(|it| replace(data, old, it)),
            "put the newest",
        ),
    ];
    for (what, harm, advice) in cases {
        crate::copy(&good, &world.data());
        harm(&world.data(), &started);
        let error = world.failing_start().await;
        assert!(matches!(error, ServeError::Log(_)) && error.to_string().contains(advice), "{what}: {error}");
        let is_lost = advice == "put `private/` back";
        let made = |file: std::io::Result<fs::DirEntry>| file.unwrap().file_name() != "lost+found";
        let is_empty = fs::read_dir(world.data().join("private")).map_or(true, |files| !files.into_iter().any(made));
        assert_eq!(is_empty, is_lost, "{what}: what is to be put back finds nothing in its place");
        fs::remove_dir_all(world.data()).unwrap();
    }
    fs::rename(&good, world.data()).unwrap();
    world.start_log().await;
    assert_eq!(checkpoint(&world).await.checkpoint().size, TreeSize(3), "whole again, it starts");
}

fn replace(data: &std::path::Path, old: &std::path::Path, part: &str) {
    fs::remove_dir_all(data.join(part)).unwrap();
    crate::copy(&old.join(part), &data.join(part));
}

/// Submits the founding of another list; the answer.
fn found(world: &World, number: u64) -> JoinHandle<Result<Submitted, FetchError>> {
    let statement = by_all(charter(&format!("hotline.example/l-{number}")).to_text().unwrap());
    let client = world.client();
    tokio::spawn(async move { client.submit(&statement.to_bytes()).await })
}

/// The log has taken up nothing beyond this size, and says that and why it never will.
async fn assert_stopped(world: &World, size: u64, reason: &str) {
    let health = crate::witnessing::until_it_says(world, "/healthz", "contradicts this log").await;
    assert!(health.starts_with("HTTP/1.1 503") && health.contains(reason), "{health}");
    let refusal = refused(found(world, 99).await.unwrap());
    assert_eq!((refusal.0, refusal.1.as_str()), (503, "contradicted"));
    let metrics = world.raw("GET /metrics", b"").await;
    assert!(metrics.contains(&format!("isonomy_log_size {size}\n")), "{metrics}");
}

async fn stop_witnesses(world: &mut World) {
    for number in 0..3 {
        world.stop_witness(number).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_backup_signs_nothing_while_no_witness_can_be_asked_and_never_when_they_can() {
    let mut world = World::with_log().await;
    found(&world, 1).await.unwrap().unwrap();
    world.stop_log().await.unwrap();
    let backup = world.data().with_extension("backup");
    crate::copy(&world.data(), &backup);
    world.start_log().await;
    found(&world, 2).await.unwrap().unwrap();
    world.stop_log().await.unwrap();
    fs::remove_dir_all(world.data()).unwrap();
    crate::copy(&backup, &world.data());
    stop_witnesses(&mut world).await;
    world.start_log().await;
    let waiting = found(&world, 3);
    crate::witnessing::until_it_says(&world, "/healthz", "too few witnesses").await;
    let metrics = world.raw("GET /metrics", b"").await;
    assert!(metrics.contains("isonomy_log_size 1\n"), "{metrics}");
    assert!(!waiting.is_finished(), "who submits waits");
    for number in 0..3 {
        world.start_witness(number).await;
    }
    assert_eq!(refused(waiting.await.unwrap()).1, "contradicted");
    assert_stopped(&world, 1, "seen this log at size 2, but the log is of size 1").await;
    assert_eq!(checkpoint(&world).await.checkpoint().size, TreeSize(1), "what is there is served");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_folder_with_a_key_that_has_signed_signs_nothing_more() {
    let mut world = World::with_log().await;
    found(&world, 1).await.unwrap().unwrap();
    world.stop_log().await.unwrap();
    fs::remove_dir_all(world.data()).unwrap();
    let error = world.failing_start().await;
    assert!(error.to_string().contains("isonomy log restore"), "{error}");
    fs::remove_dir_all(world.data()).unwrap();
    stop_witnesses(&mut world).await;
    world.start_log().await;
    let waiting = found(&world, 2);
    crate::witnessing::until_it_says(&world, "/healthz", "too few witnesses").await;
    world.start_witness(1).await;
    assert_eq!(refused(waiting.await.unwrap()).1, "contradicted");
    assert_stopped(&world, 0, "seen this log at size 1, but the log is of size 0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn witnesses_that_show_nothing_say_by_their_refusal_that_they_know_more() {
    let mut world = World::new().await;
    let larger = |_: AddCheckpoint| (StatusCode::CONFLICT, CONFLICT_CONTENT_TYPE, "7\n".to_owned());
    world.other_witness(2, larger).await;
    world.start_log().await;
    assert_eq!(refused(found(&world, 1).await.unwrap()).1, "contradicted");
    assert_stopped(&world, 0, "witness.example/w2").await;

    let mut world = World::new().await;
    let other = |_: AddCheckpoint| (StatusCode::UNPROCESSABLE_ENTITY, "text/plain", "another tree\n".to_owned());
    world.other_witness(0, other).await;
    world.start_log().await;
    assert_eq!(refused(found(&world, 1).await.unwrap()).1, "contradicted");
    assert_stopped(&world, 0, "another tree").await;
}

/// Whoever is on the way to a witness can repeat what it once signed: that confirms nothing.
#[tokio::test(flavor = "multi_thread")]
async fn old_cosignatures_do_not_confirm_what_is_there_after_a_start() {
    let mut world = World::new().await;
    let long_ago = now().0 - 600;
    for number in [0, 1] {
        let repeat = move |request: AddCheckpoint| {
            let (key, text) = (World::witness_key(number), request.checkpoint.note().text().to_owned());
            (StatusCode::OK, "text/plain", cosignature::cosign(&key, &text, Timestamp(long_ago)).to_string())
        };
        world.other_witness(number, repeat).await;
    }
    world.start_log().await;
    let waiting = found(&world, 1);
    let health = crate::witnessing::until_it_says(&world, "/healthz", "somebody repeats what it once signed").await;
    assert!(health.starts_with("HTTP/1.1 503"), "{health}");
    assert!(world.raw("GET /metrics", b"").await.contains("isonomy_log_size 0\n") && !waiting.is_finished());
    world.stop_log().await.unwrap();
}

/// An honest witness that is slow to answer is heard all the same before anything new is taken up.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_witness_that_knows_more_is_heard_in_time() {
    let mut world = World::new().await;
    let larger = |_: AddCheckpoint| {
        std::thread::sleep(Duration::from_secs(4));
        (StatusCode::CONFLICT, CONFLICT_CONTENT_TYPE, "7\n".to_owned())
    };
    world.other_witness(2, larger).await;
    world.start_log().await;
    assert_eq!(refused(found(&world, 1).await.unwrap()).1, "contradicted");
    assert_stopped(&world, 0, "witness.example/w2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_quorum_has_cosigned_a_witness_stops_the_log_by_showing_and_not_by_saying() {
    let mut world = World::with_log().await;
    found(&world, 1).await.unwrap().unwrap();
    let newest = checkpoint(&world).await;
    let shown = Arc::new(Mutex::new(newest.to_string()));
    world.claiming_witness(2, 1_000_000_000, Arc::clone(&shown)).await;
    for (number, next) in ["nothing", ""].into_iter().enumerate() {
        found(&world, 2 + number as u64).await.unwrap().unwrap();
        let health = crate::witnessing::until_it_says(&world, "/healthz", "it shows no such checkpoint").await;
        assert!(
            health.starts_with("HTTP/1.1 200") && health.contains("warning: the witness witness.example/w2"),
            "{health}"
        );
        *shown.lock().unwrap() = next.to_owned();
    }

    // What the log has signed and does not have, as if two of it were running.
    let root = isonomy_core::hash::RootHash([7; 32]);
    let other = Checkpoint { size: TreeSize(2), root, ..newest.checkpoint().clone() };
    *shown.lock().unwrap() = CheckpointNote::sign(other, &World::log_key()).unwrap().to_string();
    let _ = found(&world, 4).await.unwrap();
    let health = crate::witnessing::until_it_says(&world, "/healthz", "contradicts this log").await;
    assert!(health.starts_with("HTTP/1.1 503") && health.contains("with this log's signature"), "{health}");
    assert_eq!(refused(found(&world, 99).await.unwrap()).1, "contradicted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quorum_that_two_disjoint_groups_satisfy_is_warned_of() {
    let mut world = World::new().await;
    let strong = world.policy_text();
    world.policy = Policy::parse(strong.replace("all-of-them 2", "all-of-them 1").as_bytes()).unwrap();
    world.start_log().await;
    let health = crate::witnessing::until_it_says(&world, "/healthz", "have no witness in common").await;
    assert!(health.contains("warning: two groups"), "{health}");
    world.stop_log().await.unwrap();
    world.policy = Policy::parse(strong.as_bytes()).unwrap();
    world.start_log().await;
    crate::until_published(&world).await;
    assert!(!world.raw("GET /healthz", b"").await.contains("in common"));
}
