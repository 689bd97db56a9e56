//! Snapshots and deltas against the information bound, on real lists of every size of entry.
//!
//! CI goes up to 10^5 entries. The deep run goes up to 10^7, in some minutes and 2 GB:
//! `ISONOMY_DEEP=1 cargo test --release -p isonomy-core --test encodings -- --nocapture`

use isonomy_core::list::{Entries, delta, snapshot};

/// What comes before the packed entries of a snapshot: magic, size, count.
const SNAPSHOT_HEAD: f64 = 13.0;
/// What comes before those of a delta: magic, size, three counts.
const DELTA_HEAD: f64 = 21.0;

fn list(entry_size: usize, len: usize, seed: u64) -> Entries {
    let mut state = 0x9e37_79b9_7f4a_7c15u64 ^ seed;
    let mut bytes = Vec::with_capacity(entry_size * len + 8);
    while bytes.len() < entry_size * len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes());
    }
    bytes.truncate(entry_size * len);
    Entries::from_unsorted(entry_size, bytes).unwrap().0
}

/// ln n!, by Stirling's series, exact to a part in 10^12 from 10 on.
fn ln_factorial(n: f64) -> f64 {
    if n < 10.0 {
        return (1..=n as u64).map(|k| (k as f64).ln()).sum();
    }
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3))
}

/// log2 C(2^bits, n), for n far below 2^bits.
fn bound_of_set(bits: f64, n: f64) -> f64 {
    bits * n - ln_factorial(n) / std::f64::consts::LN_2
}

/// log2 C(n, r).
fn bound_of_subset(n: f64, r: f64) -> f64 {
    (ln_factorial(n) - ln_factorial(r) - ln_factorial(n - r)).max(0.0) / std::f64::consts::LN_2
}

/// Whether `bytes` are within 1 % of so many bits, and the bytes that can't be divided.
fn check(bytes: usize, head: f64, bits: f64, what: &str) {
    let limit = head + bits * 1.01 / 8.0 + 2.0;
    assert!(bytes as f64 <= limit, "{what}: {bytes} bytes, where {limit:.0} are allowed");
    if bits > 8e5 {
        println!("{what}: {bytes} bytes, {:.4} × the bound", (bytes as f64 - head) * 8.0 / bits);
    }
}

fn sizes() -> Vec<usize> {
    let deep = std::env::var_os("ISONOMY_DEEP").is_some();
    let most = if deep { 7 } else { 5 };
    [0, 1, 2, 3, 10, 77].into_iter().chain((2..=most).map(|power| 10usize.pow(power))).collect()
}

#[test]
fn snapshots_and_deltas_stay_within_one_percent_of_the_bound() {
    for entry_size in [16, 20, 32] {
        let bits = 8.0 * entry_size as f64;
        for len in sizes() {
            let old = list(entry_size, len, 1);
            let bytes = snapshot::encode(&old);
            check(
                bytes.len(),
                SNAPSHOT_HEAD,
                bound_of_set(bits, len as f64),
                &format!("snapshot, {len} × {entry_size}"),
            );
            assert_eq!(snapshot::decode(&bytes, entry_size, old.len() as u64).as_ref(), Ok(&old));
            drop(bytes);
            for one_in in [1, 10, 100, 1_000] {
                let kept = old.iter().enumerate().filter(|(place, _)| place % one_in != 0);
                let mut raw: Vec<u8> = kept.flat_map(|(_, entry)| entry.to_vec()).collect();
                raw.extend_from_slice(list(entry_size, len / one_in, 2).as_bytes());
                let new = Entries::from_unsorted(entry_size, raw).unwrap().0;
                let change = delta::diff(&old, &new).unwrap();
                let (removed, added) = (change.removed().len() as f64, change.added().len() as f64);
                let bound = bound_of_set(bits, added) + bound_of_subset(old.len() as f64, removed);
                let bytes = delta::encode(&change);
                check(bytes.len(), DELTA_HEAD, bound, &format!("delta, 1 in {one_in} of {len} × {entry_size}"));
                assert_eq!(delta::apply(&old, &bytes).unwrap().entries, new);
            }
        }
    }
}
