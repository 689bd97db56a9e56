//! How fast the structure of a log's copy is audited: every entry read, hashed and proven to be under the root.
//!
//! The floor, in the same run: hashing the same bytes from memory with the same threads, and nothing else.
//!
//!     cargo bench -p isonomy-monitor --bench structure
//!
//! `ISONOMY_STRUCTURE_EXPONENT` gives another size, as a power of two from 8 on.

use isonomy_core::hash::sha256;
use isonomy_core::resource::Resource;
use isonomy_core::tile::{self, RightEdge, TILE_WIDTH, TileKind, TilePath};
use isonomy_core::tree::{TreeSize, leaf_hash};
use isonomy_monitor::structure;
use std::path::Path;
use std::time::{Duration, Instant};

/// Entries of the log, as a power of two, unless another is asked for.
const EXPONENT: u32 = 18;
/// Bytes of an entry: a release with its deltas and three signatures.
const ENTRY: usize = 1400;
const THREADS: usize = 2;
const RUNS: usize = 7;

fn main() {
    // `cargo test --benches` only checks that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let exponent = std::env::var("ISONOMY_STRUCTURE_EXPONENT").map_or(EXPONENT, |text| text.parse().expect("a number"));
    let entries = 1u64 << exponent.clamp(8, 30);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let root = write(dir.path(), entries);
    let before = peak_memory();
    let audit = || assert_eq!(structure::faults(dir.path(), TreeSize(entries), root, THREADS), []);
    let audited = best(audit);
    let grown = peak_memory().saturating_sub(before);
    let hashed = best(|| floor(entries));
    let rate = entries as f64 / audited.as_secs_f64();
    println!(
        "audit of {entries} entries of {ENTRY} bytes, {THREADS} threads: {audited:?}, {:.2} M entries/s",
        rate / 1e6
    );
    println!(
        "floor, hashing the same bytes from memory: {hashed:?}; audit / floor = {:.2}",
        audited.as_secs_f64() / hashed.as_secs_f64()
    );
    println!("peak memory grew by {} kB during the audit", grown);
}

fn entry(number: u64) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().repeat(ENTRY / 8);
    bytes.truncate(ENTRY);
    bytes
}

/// Writes the log, tile by tile, and gives its root.
fn write(folder: &Path, entries: u64) -> isonomy_core::hash::RootHash {
    let put = |path: &TilePath, bytes: &[u8]| {
        let file = folder.join(Resource::Tile(*path).to_string());
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        std::fs::write(file, bytes).expect("a file");
    };
    let (mut edge, width) = (RightEdge::new(), u64::from(TILE_WIDTH));
    for index in 0..entries / width {
        let entries: Vec<Vec<u8>> = (index * width..(index + 1) * width).map(entry).collect();
        let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let path = TilePath::new(TileKind::Entries, index, TILE_WIDTH).expect("a tile");
        put(&path, &tile::encode_entries(&entries).expect("entries"));
        let (next, tiles) = edge.append(&leaves);
        tiles.iter().for_each(|tile| put(&tile.path, &tile.to_bytes()));
        edge = next;
    }
    edge.root()
}

/// Hashes as many bytes as the audit, by as many threads, from memory.
fn floor(entries: u64) {
    let each = entries / THREADS as u64;
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let bytes = entry(7);
                for _ in 0..each {
                    std::hint::black_box(sha256(&[&[0], &bytes]));
                }
            });
        }
    });
}

fn best(run: impl Fn()) -> Duration {
    let timed = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..RUNS).map(timed).min().unwrap_or_default()
}

/// The most memory that this process has had, in kB; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
