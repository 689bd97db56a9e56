//! How fast a log takes entries, beside the floors of this machine, measured in the same run:
//! `cargo bench -p isonomy-log-server --bench log`. With words after `--`, only these parts: `-- 64 2048 http http-2048 start lists`.

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../tests/server/lists.rs"]
mod lists;
#[allow(dead_code, reason = "shared with the tests")]
#[path = "../tests/server/world.rs"]
mod world;

use cpu_time::ProcessTime;
use isonomy_core::note::{KeyType, SigningKey};
use isonomy_core::statement::Statement;
use isonomy_fetch::{FetchError, LogClient, Submitted};
use isonomy_log_server::files::PublicFolder;
use isonomy_log_server::log::{Appender, Log};
use isonomy_store::kv::Store;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use world::World;

/// Bytes of an opaque entry.
const ENTRY: usize = 100;
/// How long each number of submitters appends.
const RUN: Duration = Duration::from_secs(6);
/// After how long a client comes back that was told to; the log asks for ten seconds, which would measure nothing else.
const BUSY: Duration = Duration::from_millis(100);
/// How often each is repeated; the median counts.
const REPEATS: usize = 3;

/// Times, in ascending order once they are asked.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn percentile(&mut self, percent: usize) -> f64 {
        self.0.sort_unstable();
        let at = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    }

    fn line(&mut self) -> String {
        format!("p50 {:.2} ms, p99 {:.2} ms", self.percentile(50), self.percentile(99))
    }
}

fn timed(mut work: impl FnMut(usize)) -> Times {
    let mut times = Times::default();
    for number in 0..300 {
        let began = Instant::now();
        work(number);
        times.0.push(began.elapsed());
    }
    times
}

/// What the disk costs: a new file as a log without group commit writes it, and an overwritten block.
fn disk_floor(folder: &Path) {
    let mut create = timed(|number| {
        let mut file = File::create(folder.join(number.to_string())).unwrap();
        file.write_all(&[1; 8192]).unwrap();
        file.sync_all().unwrap();
    });
    println!("floor: create + 8 KiB + fsync: {}", create.line());
    let file = File::create(folder.join("blocks")).unwrap();
    file.write_all_at(&[0; 300 * 8192], 0).unwrap();
    file.sync_all().unwrap();
    let mut overwrite = timed(|number| {
        file.write_all_at(&[1; 8192], number as u64 * 8192).unwrap();
        file.sync_data().unwrap();
    });
    println!("floor: 8 KiB in place + fdatasync: {}", overwrite.line());
}

fn open(folder: &Path) -> Arc<Log> {
    let private = folder.join("private");
    let store = Store::open(&private.join("state")).unwrap();
    let public = PublicFolder::open(folder.join("public")).unwrap();
    let key = SigningKey::from_seed("log.example/bench", KeyType::Ed25519, &[7; 32]).unwrap();
    Arc::new(Log::open(public, &private, &store, key).unwrap())
}

fn entry(submitter: u64, number: u64) -> Vec<u8> {
    let mut entry = vec![0; ENTRY];
    entry[..8].copy_from_slice(&submitter.to_be_bytes());
    entry[8..16].copy_from_slice(&number.to_be_bytes());
    entry
}

/// One submitter: the next entry when the last one is durable.
async fn submit(appender: Appender, submitter: u64, until: Instant) -> Times {
    let mut times = Times::default();
    for number in 0.. {
        let began = Instant::now();
        if began > until {
            break;
        }
        appender.append(entry(submitter, number)).await.unwrap();
        times.0.push(began.elapsed());
    }
    times
}

/// Appends with so many submitters. The time counts until the last tile of the last entry is durable.
async fn append(submitters: u64) -> (f64, Times) {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let appender = Appender::new(Arc::clone(&log), 4096);
    let began = Instant::now();
    let tasks: Vec<_> =
        (0..submitters).map(|number| tokio::spawn(submit(appender.clone(), number, began + RUN))).collect();
    let mut times = Times::default();
    for task in tasks {
        times.0.extend(task.await.unwrap().0);
    }
    drop(appender);
    let integrating = Arc::clone(&log);
    tokio::task::spawn_blocking(move || integrating.integrate().unwrap()).await.unwrap();
    assert_eq!(log.integrated_size().0, times.0.len() as u64);
    (times.0.len() as f64 / began.elapsed().as_secs_f64(), times)
}

async fn appends(submitters: u64) {
    let mut runs = Vec::new();
    for _ in 0..REPEATS {
        runs.push(append(submitters).await);
    }
    runs.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let (slowest, fastest) = (runs[0].0, runs[REPEATS - 1].0);
    let (rate, times) = &mut runs[REPEATS / 2];
    println!(
        "{submitters} submitters, opaque entries of {ENTRY} bytes: {:.1} k appends/s ({:.1} to {:.1}), {}",
        *rate / 1e3,
        slowest / 1e3,
        fastest / 1e3,
        times.line()
    );
}

fn charters(count: u64) -> Vec<Statement> {
    let charter = |number| lists::charter(&format!("hotline.example/l-{number}")).to_text().unwrap();
    (0..count).map(|number| lists::by_all(charter(number))).collect()
}

/// What it costs to check the signatures of a statement, which has three, on one thread.
fn signature_floor(statements: &[Statement]) {
    let keys = [lists::maintainer(), lists::curator(0), lists::curator(1)].map(|key| key.verifier().clone());
    let began = Instant::now();
    for statement in statements {
        let parsed = Statement::parse(&statement.to_bytes()).unwrap();
        assert_eq!(parsed.note().signers(&keys).unwrap().len(), 3);
    }
    let rate = statements.len() as f64 / began.elapsed().as_secs_f64();
    println!("floor: parsing a charter and verifying its three signatures, one thread: {rate:.0} statements/s");
}

/// Submits a statement as a client does that is told to come back: with more clients than the queue has places, that is
/// part of the time to witnessed.
async fn submit_until_logged(client: &LogClient, statement: &Statement) {
    loop {
        match client.submit(&statement.to_bytes()).await {
            Ok(Submitted::Logged(_)) => return,
            Err(FetchError::Refused { status: 503, .. }) => tokio::time::sleep(BUSY).await,
            other => panic!("{other:?}"),
        }
    }
}

/// Submits statements from so many clients, each waiting for its answer: statements per second, and times to witnessed.
async fn submit_all(world: &World, clients: usize, statements: &[Statement]) -> (f64, Times) {
    let began = Instant::now();
    let submit = |own: &[Statement]| {
        let (client, own) = (world.client(), own.to_vec());
        tokio::spawn(async move {
            let mut times = Times::default();
            for statement in own {
                let began = Instant::now();
                submit_until_logged(&client, &statement).await;
                times.0.push(began.elapsed());
            }
            times
        })
    };
    let tasks: Vec<_> = statements.chunks(statements.len() / clients).map(submit).collect();
    let mut times = Times::default();
    for task in tasks {
        times.0.extend(task.await.unwrap().0);
    }
    (times.0.len() as f64 / began.elapsed().as_secs_f64(), times)
}

async fn world() -> World {
    let mut world = World::new().await;
    world.connections = 4096;
    world.start_log().await;
    world.get_soon(&isonomy_core::resource::Resource::Checkpoint).await;
    world
}

/// Real statements over HTTP, answered when three witnesses, servers too, have been asked: time to witnessed.
async fn statements_over_http(clients: usize, statements: &[Statement]) {
    let mut world = world().await;
    let (rate, mut times) = submit_all(&world, clients, statements).await;
    println!("{clients} clients over HTTP, real charters: {rate:.0} statements/s; to witnessed: {}", times.line());
    world.stop_log().await.unwrap();
}

/// The same in one log that has more and more lists.
async fn while_lists_grow() {
    let mut world = world().await;
    let statements = charters(4096 + 256);
    let mut there = 0;
    for lists in [0, 1024, 4096] {
        if lists > 0 {
            submit_all(&world, 64, &statements[there..lists]).await;
        }
        let (rate, mut times) = submit_all(&world, 64, &statements[lists..lists + 256]).await;
        println!(
            "64 clients over HTTP, a log of {lists} lists: {rate:.0} statements/s; to witnessed: {}",
            times.line()
        );
        there = lists + 256;
    }
    world.stop_log().await.unwrap();
}

/// How long a log of so many statements takes to start: it reads, verifies and judges all of them.
async fn start_again(statements: &[Statement]) {
    let mut world = world().await;
    submit_all(&world, 64, statements).await;
    for _ in 0..REPEATS {
        world.stop_log().await.unwrap();
        let (began, cpu) = (Instant::now(), ProcessTime::now());
        world.start_log().await;
        world.get_soon(&isonomy_core::resource::Resource::Checkpoint).await;
        let each = |time: Duration| time.as_secs_f64() * 1e6 / statements.len() as f64;
        println!(
            "a start with {} charters: {:.2} s; {:.0} us each, {:.0} us of CPU",
            statements.len(),
            began.elapsed().as_secs_f64(),
            each(began.elapsed()),
            each(cpu.elapsed())
        );
    }
    world.stop_log().await.unwrap();
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == part);
    let folder = tempfile::tempdir().unwrap();
    println!("in {}", folder.path().display());
    disk_floor(folder.path());
    for submitters in [1, 64, 2048] {
        if is_wanted(&submitters.to_string()) {
            appends(submitters).await;
        }
    }
    disk_floor(folder.path());
    if is_wanted("http") {
        let statements = charters(256);
        signature_floor(&statements);
        statements_over_http(1, &statements[..40]).await;
        statements_over_http(64, &statements).await;
    }
    if is_wanted("http-2048") {
        // Both ends of each connection are in this process, and the server needs two descriptors for its own.
        println!("2048 clients over HTTP need some 8,000 open files: `ulimit -n 16384`");
        statements_over_http(2048, &charters(4 * 2048)).await;
    }
    if is_wanted("start") {
        let statements = charters(2048);
        signature_floor(&statements[..256]);
        start_again(&statements).await;
    }
    if is_wanted("lists") {
        while_lists_grow().await;
    }
}
