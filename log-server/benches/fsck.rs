//! Entries per second of `isonomy log fsck` from a folder, beside the hashing that it can't do without.
//!
//! A log of 100-byte entries is written to a temporary folder (`ISONOMY_BENCH_ENTRIES`, 2^20 unless set) and checked, from
//! the page cache, by as many jobs as there are processors. The floor hashes as many leaves and nodes from memory, with the
//! same SHA-256: two blocks for a leaf, two for a node. Both are measured in processor time of the process, reading
//! included, since the machine may be shared; the rate is what that gives on all processors, the wall clock is shown beside.

use cpu_time::ProcessTime;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::{LeafHash, NodeHash};
use isonomy_core::note::{KeyType, SigningKey};
use isonomy_core::tile::{RightEdge, encode_entries, entry_tiles};
use isonomy_core::tree::{LeafIndex, TreeSize, leaf_hash, node_hash};
use isonomy_fetch::Source;
use isonomy_log_server::fsck::{Objects, Options, fsck};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ENTRY: usize = 100;
const ROUNDS: usize = 5;

fn entry(number: u64) -> [u8; ENTRY] {
    let mut entry = [b'.'; ENTRY];
    entry[..8].copy_from_slice(&number.to_be_bytes());
    entry
}

fn key() -> SigningKey {
    SigningKey::from_seed("log.example/bench", KeyType::Ed25519, &[1; 32]).expect("a key")
}

fn write(folder: &Path, name: String, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("room on the disk");
}

fn write_log(folder: &Path, size: u64) {
    let mut edge = RightEdge::new();
    for bundle in entry_tiles(LeafIndex(0), TreeSize(size)) {
        let first = bundle.index() * 256;
        let entries: Vec<_> = (first..first + u64::from(bundle.width())).map(entry).collect();
        let leaves: Vec<LeafHash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let (next, tiles) = edge.append(&leaves);
        let is_last = next.size().0 == size;
        for tile in tiles.iter().filter(|tile| tile.path.is_full() || is_last) {
            write(folder, tile.path.to_string(), &tile.to_bytes());
        }
        write(folder, bundle.to_string(), &encode_entries(&entries).expect("small entries"));
        edge = next;
    }
    for tile in RightEdge::partial_tiles(TreeSize(size)) {
        assert!(folder.join(tile.to_string()).exists(), "{tile} is written with the last bundle");
    }
    let checkpoint =
        Checkpoint { origin: "log.example/bench".into(), size: TreeSize(size), root: edge.root(), extensions: vec![] };
    let note = CheckpointNote::sign(checkpoint, &key()).expect("a checkpoint");
    write(folder, "checkpoint".into(), &note.to_bytes());
}

/// What a piece of work took.
#[derive(Clone, Copy)]
struct Cost {
    processor: Duration,
    wall: Duration,
}

fn cost(work: impl FnOnce()) -> Cost {
    let (started, before) = (Instant::now(), ProcessTime::now());
    work();
    Cost { processor: before.elapsed(), wall: started.elapsed() }
}

/// Hashes as many leaves and nodes as a tree of this size has.
fn floor(size: u64) {
    let (entry, mut last) = (entry(1), NodeHash([0; 32]));
    for _ in 0..size {
        last = node_hash(&black_box(leaf_hash(black_box(&entry))).into(), &black_box(last));
    }
    black_box(last);
}

fn check(runtime: &tokio::runtime::Runtime, folder: &Path, jobs: usize) {
    let options = Options {
        log: key().verifier().clone(),
        policy: None,
        objects: Objects::Leave,
        minimum_index: LeafIndex(0),
        jobs,
    };
    let report = runtime.block_on(fsck(&Source::folder(folder), &options, Arc::new(|_| ()))).expect("a report");
    assert!(report.is_sound(), "{:?}", report.findings);
}

fn main() {
    let size: u64 = std::env::var("ISONOMY_BENCH_ENTRIES").ok().and_then(|text| text.parse().ok()).unwrap_or(1 << 20);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let folder = tempfile::tempdir().expect("a folder");
    write_log(folder.path(), size);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("{size} entries of {ENTRY} bytes, {cores} processors; million entries per second");
    let rate = |time: Duration, cores: usize| size as f64 * cores as f64 / time.as_secs_f64() / 1e6;
    let mut best = (Duration::MAX, Duration::MAX);
    for round in 1..=ROUNDS {
        let (floor, check) = (cost(|| floor(size)), cost(|| check(&runtime, folder.path(), cores)));
        best = (best.0.min(floor.processor), best.1.min(check.processor));
        println!(
            "round {round}: floor {:.2}   fsck {:.2}   {:.2} x   (fsck by the wall clock {:.2})",
            rate(floor.processor, cores),
            rate(check.processor, cores),
            check.processor.as_secs_f64() / floor.processor.as_secs_f64(),
            rate(check.wall, 1),
        );
    }
    let ratio = best.1.as_secs_f64() / best.0.as_secs_f64();
    println!("best:    floor {:.2}   fsck {:.2}   {ratio:.2} x", rate(best.0, cores), rate(best.1, cores));
}
