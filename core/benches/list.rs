//! What it costs to verify a list, beside what no client can go below on the same machine in the same run.
//!
//! `cargo bench -p isonomy-core --bench list [-- ENTRIES]`; with `--features threads` roots are computed on all cores.
//! The figures are in `docs/performance.md`, "Lists".
//!
//! A machine is seldom idle: every round runs each piece of work once, one after the other, and counts the processor time
//! of this thread (and, to show what all cores give, the time on the clock). The least of all rounds is shown.
#![allow(missing_docs)]

use cpu_time::ThreadTime;
use isonomy_core::hash::{ObjectDigest, StatementId};
use isonomy_core::list::{Algorithm, Claim, Entries, ListProof, ListTree, delta, snapshot};
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 11;
const ENTRIES: usize = 1_000_000;

/// A piece of work, and the least that it took.
struct Work<'w> {
    name: &'static str,
    run: Box<dyn FnMut() + 'w>,
    cpu: Duration,
    clock: Duration,
}

fn work<'w, T>(name: &'static str, mut run: impl FnMut() -> T + 'w) -> Work<'w> {
    let run = Box::new(move || {
        black_box(run());
    });
    Work { name, run, cpu: Duration::MAX, clock: Duration::MAX }
}

fn measure(works: &mut [Work<'_>]) {
    for _ in 0..ROUNDS {
        for work in works.iter_mut() {
            let (cpu, clock) = (ThreadTime::now(), Instant::now());
            (work.run)();
            work.cpu = work.cpu.min(cpu.elapsed());
            work.clock = work.clock.min(clock.elapsed());
        }
    }
}

fn main() {
    let len = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(ENTRIES);
    let bytes = unsorted(len, 1);
    let entries = Entries::from_unsorted(32, bytes.clone()).unwrap().0;
    let after = changed(&entries);
    let (whole, change) = (snapshot::encode(&entries), delta::encode(&delta::diff(&entries, &after).unwrap()));
    let (root, next_root, name) = (entries.root(), after.root(), ObjectDigest::of(&whole));
    let tree = ListTree::new(&entries);
    let absent = [0x77; 32];
    let file = ListProof::new(&tree, StatementId([0; 32]), &absent).to_text();
    let mut works = [
        work("floor: the same tree by sha2, one hash after the other", || sha256_tree(&entries)),
        work("floor: sort", || bytes.clone().as_chunks_mut::<32>().0.sort_unstable()),
        work("floor: SHA-256 of the snapshot", || ObjectDigest::of(&whole)),
        work("list root", || entries.root()),
        work("snapshot: decode", || snapshot::decode(&whole, 32, entries.len() as u64).unwrap()),
        work("snapshot: digest, decode, root, rule 8", || {
            assert_eq!(ObjectDigest::of(&whole), name);
            let entries = snapshot::decode(&whole, 32, entries.len() as u64).unwrap();
            assert_eq!(entries.root(), root);
            assert_eq!(entries.irregular(Algorithm::PdqFull), Ok(0));
        }),
        work("delta of 1 % each way: apply", || delta::apply(&entries, &change).unwrap()),
        work("delta of 1 % each way: digest, apply, root, rule 8", || {
            black_box(ObjectDigest::of(&change));
            let applied = delta::apply(&entries, &change).unwrap().entries;
            assert_eq!(applied.root(), next_root);
            assert_eq!(applied.irregular(Algorithm::PdqFull), Ok(0));
        }),
        work("snapshot: encode", || snapshot::encode(&entries)),
        work("delta: difference and encode", || delta::encode(&delta::diff(&entries, &after).unwrap())),
        work("tree for proofs", || ListTree::new(&entries).root()),
        work("a proof from the tree", || tree.membership(len / 3)),
        work("a proof from its file, verified", || {
            let proof = ListProof::parse(file.as_bytes()).unwrap();
            let Claim::Absent(proof) = proof.claim else { panic!("listed") };
            proof.verify(&absent, &root, entries.len() as u64).unwrap();
        }),
    ];
    measure(&mut works);
    let root = works.iter().find(|work| work.name == "list root").map_or(Duration::ZERO, |work| work.cpu);
    let lanes = if isonomy_hashing::is_accelerated() { "SHA-NI, four lanes" } else { "sha2" };
    println!("{} entries of 32 bytes; hashes by {lanes}; least of {ROUNDS} rounds", entries.len());
    println!("{:<56} {:>11} {:>11} {:>8}", "", "CPU, ms", "clock, ms", "× root");
    for Work { name, cpu, clock, .. } in &works {
        let (milliseconds, ratio) =
            (|time: &Duration| time.as_secs_f64() * 1e3, cpu.as_secs_f64() / root.as_secs_f64());
        println!("{name:<56} {:>11.3} {:>11.3} {ratio:>8.3}", milliseconds(cpu), milliseconds(clock));
    }
}

/// `len` entries of 32 bytes, half of whose bits are set, as PDQ hashes have them.
fn unsorted(len: usize, seed: u64) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64 ^ seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    let mut bytes = Vec::with_capacity(32 * len);
    for _ in 0..len {
        let (first, second) = (next(), next());
        [first, second, !first, !second].into_iter().for_each(|word| bytes.extend_from_slice(&word.to_be_bytes()));
    }
    bytes
}

/// The list after 1 % of its entries were replaced.
fn changed(before: &Entries) -> Entries {
    let kept = before.iter().enumerate().filter(|(place, _)| place % 100 != 0).flat_map(|(_, entry)| entry);
    let bytes = kept.copied().chain(unsorted(before.len() / 100, 2)).collect();
    Entries::from_unsorted(32, bytes).unwrap().0
}

/// The same hashes, level by level, with nothing else.
fn sha256_tree(entries: &Entries) -> Vec<[u8; 32]> {
    let digest = |prefix: u8, parts: &[&[u8]]| -> [u8; 32] {
        parts.iter().fold(Sha256::new_with_prefix([prefix]), Digest::chain_update).finalize().into()
    };
    let mut nodes: Vec<[u8; 32]> = entries.iter().map(|entry| digest(0, &[entry])).collect();
    while nodes.len() > 1 {
        let pairs = nodes.chunks(2);
        nodes = pairs.map(|pair| if let [a, b] = pair { digest(1, &[a, b]) } else { pair[0] }).collect();
    }
    nodes
}
