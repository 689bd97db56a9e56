//! The hammer: many submitters and readers at once, and a log that is killed and started again all the while. At the end
//! every acknowledged statement is in the log, once, with a valid proof, and nobody ever saw anything that contradicts it.
//!
//! Its size is fixed and printed. `ISONOMY_HAMMER=deep cargo test -p isonomy-log-server --test server hammer` strikes harder.

use crate::kills::{Process, this_program};
use crate::lists::{LIST, Publisher, by_all, charter};
use crate::world::{World, listen};
use crate::{audit, checkpoint};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::{NodeHash, RootHash};
use isonomy_core::resource::Resource;
use isonomy_core::statement::Statement;
use isonomy_core::tile::{self, TileKind, TilePath};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{Frontier, LeafIndex, leaf_hash};
use isonomy_fetch::{FetchError, LogClient, Submitted};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How hard it strikes.
struct Weight {
    /// How often the log is killed.
    kills: u64,
    /// How many submitters begin in each round, beside one that publishes releases.
    submitters: u64,
    /// How many statements each of them submits.
    statements: u64,
    readers: u64,
}

fn weight() -> Weight {
    match std::env::var("ISONOMY_HAMMER").as_deref() {
        Ok("deep") => Weight { kills: 120, submitters: 24, statements: 8, readers: 12 },
        Ok(other) => panic!("ISONOMY_HAMMER is {other:?}; it can be `deep`"),
        Err(_) => Weight { kills: 12, submitters: 8, statements: 3, readers: 3 },
    }
}

/// What the outside has been told.
#[derive(Clone, Default)]
struct Told {
    proofs: Arc<Mutex<Vec<(Statement, TlogProof)>>>,
    checkpoints: Arc<Mutex<Vec<CheckpointNote>>>,
    enough: Arc<AtomicBool>,
}

/// Submits a statement again and again until it is acknowledged, whatever happens to the log.
async fn insist(client: &LogClient, statement: &Statement, publisher: &Publisher, told: &Told) {
    while let Err(error) = attempt(client, statement, publisher, told).await {
        let temporary = !matches!(&error, FetchError::Refused { status, .. } if *status != 503 && *status != 404);
        assert!(temporary, "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn attempt(
    client: &LogClient,
    statement: &Statement,
    publisher: &Publisher,
    told: &Told,
) -> Result<(), FetchError> {
    loop {
        match client.submit(&statement.to_bytes()).await? {
            Submitted::Logged(proof) => {
                told.proofs.lock().unwrap().push((statement.clone(), proof));
                return Ok(());
            }
            Submitted::Missing(digests) => {
                for digest in digests {
                    client.put_object(&digest, publisher.objects[&digest].clone()).await?;
                }
            }
        }
    }
}

/// Submits charters, each of them twice: the second time it is there already.
async fn submit_charters(client: LogClient, told: Told, submitter: u64, count: u64) {
    for number in 0..count {
        let charter = charter(&format!("hotline.example/l-{submitter}-{number}"));
        let (statement, publisher) = (by_all(charter.to_text().unwrap()), Publisher::new(&charter));
        insist(&client, &statement, &publisher, &told).await;
        insist(&client, &statement, &publisher, &told).await;
    }
}

async fn submit_releases(client: LogClient, told: Told, count: u64) {
    let charter = charter(LIST);
    let mut publisher = Publisher::new(&charter);
    insist(&client, &by_all(charter.to_text().unwrap()), &publisher, &told).await;
    for number in 0..count {
        let release = publisher.release(number * 10..number * 10 + 1500);
        insist(&client, &release, &publisher, &told).await;
    }
}

/// Reads checkpoints, and entries and hashes under them. That the log does not answer is fine; that it says that something
/// it has published is not there is not.
async fn read(client: LogClient, told: Told, mut number: u64) {
    let mut newest = 0;
    while !told.enough.load(Ordering::Relaxed) {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match read_once(&client, &told, number >> 33).await {
            Ok(size) => {
                assert!(size >= newest, "rolled back from {newest} to {size}");
                newest = size;
            }
            Err(error) => assert!(!matches!(error, FetchError::NotFound { .. }) || newest == 0, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

async fn read_once(client: &LogClient, told: &Told, number: u64) -> Result<u64, FetchError> {
    let source = client.source();
    let checkpoint = CheckpointNote::parse(&source.get(&Resource::Checkpoint, 1 << 20).await?).unwrap();
    told.checkpoints.lock().unwrap().push(checkpoint.clone());
    let size = checkpoint.checkpoint().size;
    if let Some(path) = TilePath::of_entry(LeafIndex(number % size.0.max(1)), size) {
        let entries = source.get(&Resource::Tile(path), 1 << 26).await?;
        let leaves = TilePath::new(TileKind::Hashes { level: 0 }, path.index(), path.width()).unwrap();
        let leaves = tile::parse_hashes(&source.get(&Resource::Tile(leaves), 1 << 20).await?, path.width()).unwrap();
        let entries = tile::parse_entries(&entries, path.width()).unwrap();
        assert!(entries.iter().map(|entry| NodeHash::from(leaf_hash(entry))).eq(leaves));
    }
    Ok(size.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_under_the_hammer_loses_nothing_and_doubles_nothing() {
    let (weight, began) = (weight(), Instant::now());
    let mut world = World::new().await;
    world.address = listen().await.local_addr().unwrap();
    let (told, mut submitters, mut readers) = (Told::default(), JoinSet::new(), JoinSet::new());
    submitters.spawn(submit_releases(world.client(), told.clone(), weight.kills));
    for number in 0..weight.readers {
        readers.spawn(read(world.client(), told.clone(), number));
    }
    for round in 0..weight.kills {
        let mut process = Process::start(&world, this_program());
        for number in 0..weight.submitters {
            let submitter = round * weight.submitters + number;
            submitters.spawn(submit_charters(world.client(), told.clone(), submitter, weight.statements));
        }
        // In one round of four perhaps even before it is ready.
        if round % 4 != 3 {
            process.answering(&world).await;
        }
        tokio::time::sleep(Duration::from_millis(round * 7919 % 397)).await;
        assert!(process.is_running(), "the log has ended by itself");
    }
    let mut process = Process::start(&world, this_program());
    process.answering(&world).await;
    while let Some(done) = submitters.join_next().await {
        done.unwrap();
    }
    told.enough.store(true, Ordering::Relaxed);
    while let Some(done) = readers.join_next().await {
        done.unwrap();
    }
    let newest = checkpoint(&world).await;
    let entries = audit(&world, &newest).await;
    let expected = 1 + weight.kills * (1 + weight.submitters * weight.statements);
    assert_eq!(entries.len() as u64, expected, "statements are lost or doubled");
    judge(&world, &told, &entries).await;
    assert_eq!(leftovers(&world.data()), [""; 0]);
    let _ = writeln!(
        std::io::stderr(),
        "hammer: {} kills, {expected} statements by {} submitters, {} checkpoints read by {} readers; {} s",
        weight.kills,
        1 + weight.kills * weight.submitters,
        told.checkpoints.lock().unwrap().len(),
        weight.readers,
        began.elapsed().as_secs()
    );
}

/// Every checkpoint that anybody saw is a prefix of what is there now; every acknowledged statement is where each of its
/// proofs says, once.
async fn judge(world: &World, told: &Told, entries: &[Vec<u8>]) {
    let mut frontier = Frontier::new();
    let mut roots: Vec<RootHash> = vec![frontier.root()];
    for entry in entries {
        frontier.push(leaf_hash(entry));
        roots.push(frontier.root());
    }
    assert_eq!(entries.iter().collect::<BTreeSet<_>>().len(), entries.len(), "nothing is logged twice");
    let (proofs, checkpoints) = (told.proofs.lock().unwrap().clone(), told.checkpoints.lock().unwrap().clone());
    for seen in checkpoints.iter().chain(proofs.iter().map(|(_, proof)| &proof.checkpoint)) {
        seen.verify_log(&world.log_verifier()).unwrap();
        assert!(world.policy.checkpoint_times(seen.note()).unwrap().is_some());
        let tree = seen.checkpoint();
        assert_eq!(roots.get(tree.size.0 as usize), Some(&tree.root), "a fork at size {}", tree.size);
    }
    for (statement, proof) in proofs {
        assert_eq!(entries[proof.index.0 as usize], statement.to_bytes());
        proof.verify(&statement.to_bytes(), &world.log_verifier(), &world.policy).unwrap();
        let seen = TlogProof::parse(&world.get(&Resource::SeenProof(statement.id())).await.unwrap()).unwrap();
        assert_eq!(seen, proof, "whoever asks again gets the same proof");
        if let Some(release) = statement.into_release() {
            for object in release.body().objects() {
                let bytes = world.get(&Resource::Object(object.sha256)).await.unwrap();
                assert_eq!(bytes.len() as u64, object.size);
            }
        }
    }
}

/// What interrupted work left behind: temporary files, and objects that nobody waits for.
fn leftovers(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if path.is_dir() {
            found.extend(leftovers(&path));
        }
        if name.starts_with(".tmp-") || folder.ends_with("staged") || folder.ends_with("incoming") {
            found.push(path.display().to_string());
        }
    }
    found
}
