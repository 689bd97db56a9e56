//! What verifying a list takes of memory at its peak. Each limit is one test of one process, since the allocator counts for all.

use isonomy_core::list::{Algorithm, Entries, delta, snapshot};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const LEN: usize = 300_000;
const MEGABYTE: usize = 1 << 20;

fn list(seed: u64) -> Entries {
    let mut state = 0x9e37_79b9_7f4a_7c15u64 ^ seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let bytes = (0..4 * LEN).flat_map(|_| next().to_be_bytes()).collect();
    Entries::from_unsorted(32, bytes).unwrap().0
}

/// The most bytes in use while `work` runs, beyond those before, and what it gives.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let result = work();
    (MEMORY.peak_usage().saturating_sub(before), result)
}

#[test]
fn verification_stays_within_its_limits() {
    let (one, other) = (list(1), list(2));
    let raw = one.as_bytes().len();
    let bytes = snapshot::encode(&one);
    let (beside, decoded) = peak(|| {
        let entries = snapshot::decode(&bytes, 32, one.len() as u64).unwrap();
        assert_eq!(entries.root(), one.root());
        assert_eq!(entries.irregular(Algorithm::Sha256), Ok(0));
        entries.clone()
    });
    assert_eq!(decoded, one);
    assert!(beside + bytes.len() <= 2 * raw, "{beside} bytes beside a snapshot of {}", bytes.len());
    drop(decoded);

    // The hardest delta: nothing is kept, all is new.
    let change = delta::encode(&delta::diff(&one, &other).unwrap());
    let (beside, applied) = peak(|| delta::apply(&one, &change).unwrap());
    assert_eq!(applied.entries, other);
    let beyond = beside - other.as_bytes().len();
    assert!(beyond <= MEGABYTE, "{beyond} bytes beyond the two lists");

    let (beside, _) = peak(|| one.root());
    assert!(beside <= MEGABYTE, "{beside} bytes for a root");
}
