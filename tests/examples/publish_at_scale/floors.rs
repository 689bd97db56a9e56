//! The input, and what nobody goes below.

use crate::cast::Cast;
use crate::measure::{self, here, row};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::process::Command;

/// A hash as PDQ has them, with 128 bits set; in no order.
fn hash(number: u64) -> [u8; 32] {
    let mix = |seed: u64| {
        let mut word = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    };
    let (one, two) = (mix(2 * number), mix(2 * number + 1));
    let words = [one, two, !one, !two].map(u64::to_be_bytes);
    words.concat().try_into().unwrap_or([0; 32])
}

/// The same, in hexadecimal.
pub(crate) fn hex(number: u64) -> String {
    isonomy_core::encoding::to_hex(&hash(number))
}

/// Writes hashes as people have them: hexadecimal, a line each.
pub(crate) fn make_input(path: &Path, numbers: Range<u64>) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    for number in numbers {
        let mut line = [b'\n'; 65];
        for (pair, byte) in line.chunks_exact_mut(2).zip(hash(number)) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        file.write_all(&line).expect("a line");
    }
    file.flush().expect("all lines");
}

/// Measures and prints the floors for a list of `raw` bytes, whose lines are in the input already.
pub(crate) fn print(cast: &Cast, raw: u64) {
    let mut list: Vec<[u8; 32]> = (0..raw / 32).map(hash).collect();
    row("floor: sort the raw list in memory", &here(|| list.sort_unstable()), raw, raw);
    row(
        "floor: SHA-256 tree of it by `sha2`, one hash after the other",
        &here(|| {
            black_box(tree(&list));
        }),
        raw,
        0,
    );
    let path = cast.path("floor");
    let write = || {
        let mut file = File::create(&path).expect("a file");
        file.write_all(list.as_flattened()).expect("room");
        file.sync_all().expect("a disk");
    };
    row("floor: write it and make it durable", &here(write), raw, raw);
    drop(list);
    let read = || {
        let mut bytes = Vec::new();
        File::open(&path).expect("the file").read_to_end(&mut bytes).expect("its bytes");
        black_box(Sha256::digest(&bytes));
    };
    row("floor: read it and take its SHA-256", &here(read), raw, raw);
    std::fs::remove_file(&path).expect("the file goes");
    let mut sort = Command::new("sort");
    sort.env("LC_ALL", "C").args(["-u", "hashes.txt", "-o", "sorted.txt"]).current_dir(cast.folder());
    let bytes = std::fs::metadata(cast.path("hashes.txt")).map_or(0, |found| found.len());
    row("peer of import: `sort -u` of the same lines", &measure::run(sort), raw, bytes);
    std::fs::remove_file(cast.path("sorted.txt")).expect("the file goes");
}

/// RFC 6962, level by level.
fn tree(list: &[[u8; 32]]) -> [u8; 32] {
    let leaf = |entry: &[u8; 32]| Sha256::new().chain_update([0]).chain_update(entry).finalize().into();
    let mut level: Vec<[u8; 32]> = list.iter().map(leaf).collect();
    while level.len() > 1 {
        let above = |pair: &[[u8; 32]]| match pair {
            [left, right] => Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into(),
            odd => odd[0],
        };
        level = level.chunks(2).map(above).collect();
    }
    level[0]
}
