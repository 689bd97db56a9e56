//! A log in a process of its own, which is killed at any moment or runs out of file descriptors.
//!
//! The tests start this very program again as a child that runs [`a_log_process`].

use crate::lists::{LIST, Publisher, by_all, charter};
use crate::world::{World, config, listen};
use crate::{audit, checkpoint, publish};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::RootHash;
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::statement::Statement;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{Frontier, leaf_hash};
use isonomy_fetch::{FetchError, LogClient, Submitted};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

const DATA: &str = "LOG_TEST_DATA";
const ADDRESS: &str = "LOG_TEST_ADDRESS";
const POLICY: &str = "LOG_TEST_POLICY";
const REPUBLISH: &str = "LOG_TEST_REPUBLISH";
const ROUNDS: u64 = 14;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a role that other tests start"]
async fn a_log_process() {
    let given = |name| std::env::var(name).unwrap();
    let listener = TcpListener::bind(given(ADDRESS)).await.unwrap();
    let policy = Policy::parse(given(POLICY).as_bytes()).unwrap();
    let republish = Duration::from_millis(given(REPUBLISH).parse().unwrap());
    isonomy_log_server::run(listener, config(given(DATA).into(), policy, republish), std::future::pending())
        .await
        .unwrap();
}

/// The process; killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(world: &World, mut command: Command) -> Self {
        command.args(["--exact", "kills::a_log_process", "--ignored", "--nocapture"]);
        command.env(DATA, world.data()).env(ADDRESS, world.address.to_string()).env(POLICY, world.policy_text());
        command.env(REPUBLISH, world.republish_every.as_millis().to_string());
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    /// Waits until it answers. That it ends instead is what must never happen.
    async fn answering(&mut self, world: &World) {
        let until = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(world.address).await.is_err()
            || !world.raw("GET /healthz", b"").await.ends_with("ok\n")
        {
            assert!(self.is_running() && Instant::now() < until, "the log does not start again");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

/// `SIGKILL`.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn this_program() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

/// What the outside has been told.
#[derive(Clone, Default)]
struct Told {
    proofs: Arc<Mutex<Vec<(Statement, TlogProof)>>>,
    checkpoints: Arc<Mutex<Vec<CheckpointNote>>>,
    enough: Arc<AtomicBool>,
}

impl Told {
    fn is_enough(&self) -> bool {
        self.enough.load(Ordering::Relaxed)
    }
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

async fn submit_charters(client: LogClient, told: Told, worker: u64) {
    for number in 0.. {
        let charter = charter(&format!("hotline.example/l-{worker}-{number}"));
        let statement = by_all(charter.to_text().unwrap());
        insist(&client, &statement, &Publisher::new(&charter), &told).await;
        if told.is_enough() {
            return;
        }
    }
}

async fn submit_releases(client: LogClient, told: Told) {
    let charter = charter(LIST);
    let mut publisher = Publisher::new(&charter);
    insist(&client, &by_all(charter.to_text().unwrap()), &publisher, &told).await;
    for number in 0.. {
        let release = publisher.release(number * 10..number * 10 + 1500);
        insist(&client, &release, &publisher, &told).await;
        if told.is_enough() {
            return;
        }
    }
}

async fn watch(client: LogClient, told: Told) {
    while !told.is_enough() {
        if let Ok(bytes) = client.source().get(&Resource::Checkpoint, 1 << 20).await {
            let mut checkpoints = told.checkpoints.lock().unwrap();
            let checkpoint = CheckpointNote::parse(&bytes).unwrap();
            let before = checkpoints.last().map(|before| before.checkpoint().size);
            assert!(before.is_none_or(|before| before <= checkpoint.checkpoint().size), "rolled back");
            checkpoints.push(checkpoint);
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_killed_at_any_moment_loses_nothing_that_it_has_acknowledged() {
    let mut world = World::new().await;
    world.address = listen().await.local_addr().unwrap();
    let told = Told::default();
    let mut tasks: Vec<_> =
        (0..4).map(|worker| tokio::spawn(submit_charters(world.client(), told.clone(), worker))).collect();
    tasks.push(tokio::spawn(submit_releases(world.client(), told.clone())));
    tasks.push(tokio::spawn(watch(world.client(), told.clone())));
    for round in 0..ROUNDS {
        let mut process = Process::start(&world, this_program());
        // In one round of four perhaps even before it is ready.
        if round % 4 != 3 {
            process.answering(&world).await;
        }
        tokio::time::sleep(Duration::from_millis(round * 7919 % 397)).await;
        assert!(process.is_running(), "the log has ended by itself");
    }
    let mut process = Process::start(&world, this_program());
    process.answering(&world).await;
    told.enough.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let newest = checkpoint(&world).await;
    let entries = audit(&world, &newest).await;
    judge(&world, &told, &entries).await;
    assert_eq!(leftovers(&world.data()), [""; 0]);
}

/// Every checkpoint that anybody saw is a prefix of what is there now; every acknowledged statement is where its proof
/// says, once.
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
    assert!(proofs.len() > ROUNDS as usize, "{} acknowledgements are too few to say anything", proofs.len());
    for (statement, proof) in proofs {
        assert_eq!(entries[proof.index.0 as usize], statement.to_bytes());
        proof.verify(&statement.to_bytes(), &world.log_verifier(), &world.policy).unwrap();
        let seen = TlogProof::parse(&world.get(&Resource::SeenProof(statement.id())).await.unwrap()).unwrap();
        seen.verify(&statement.to_bytes(), &world.log_verifier(), &world.policy).unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_the_process_may_open_files_don_t_stop_the_log() {
    let mut world = World::new().await;
    (world.address, world.republish_every) = (listen().await.local_addr().unwrap(), Duration::from_millis(200));
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 440; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
    let mut process = Process::start(&world, command);
    process.answering(&world).await;
    let mut crowd = Vec::new();
    for _ in 0..450 {
        crowd.push(TcpStream::connect(world.address).await.unwrap());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(process.is_running(), "it could not write its own files any more");
    drop(crowd);
    let charter = charter(LIST);
    publish(&world, &by_all(charter.to_text().unwrap()), &Publisher::new(&charter)).await;
}
