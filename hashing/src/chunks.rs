//! Entries to leaves, and chunks of leaves to their roots.

use crate::Hash;
use crate::lanes::{Engine, LANES};
use crate::message::{Block, block_count, padded};
use alloc::vec;
use alloc::vec::Vec;

/// The height of a chunk's root above the leaves.
pub const CHUNK_LEVEL: u8 = 10;
/// The leaves of a chunk.
pub const CHUNK_LEAVES: usize = 1 << CHUNK_LEVEL;

const LEAF_PREFIX: u8 = 0x00;
const NODE_PREFIX: u8 = 0x01;

/// The leaf hashes of `entries`, which are of `entry_size` bytes each, one after the other. A rest that is no whole entry
/// is left out.
///
/// # Panics
/// If `entry_size` is 0.
pub fn leaf_hashes(entries: &[u8], entry_size: usize) -> Vec<Hash> {
    let mut leaves = vec![[0; 32]; entries.len() / entry_size];
    hash_leaves(Engine::detect(), entries, entry_size, &mut leaves);
    leaves
}

/// The roots of all complete chunks of the tree over `entries`, which are of `entry_size` bytes each, one after the other.
/// Entries beyond the last complete chunk are left out.
///
/// # Panics
/// If `entry_size` is 0.
pub fn chunk_roots(entries: &[u8], entry_size: usize) -> Vec<Hash> {
    let chunk_size = CHUNK_LEAVES * entry_size;
    let mut roots = vec![[0; 32]; entries.len() / chunk_size];
    let engine = Engine::detect();
    #[cfg(feature = "threads")]
    crate::threads::spread(entries, chunk_size, &mut roots, |entries, roots| {
        hash_chunks(engine, entries, entry_size, roots);
    });
    #[cfg(not(feature = "threads"))]
    hash_chunks(engine, entries, entry_size, &mut roots);
    roots
}

/// Fills `roots` with those of as many chunks.
fn hash_chunks(engine: Engine, entries: &[u8], entry_size: usize, roots: &mut [Hash]) {
    let mut nodes = vec![[0; 32]; CHUNK_LEAVES];
    for (entries, root) in entries.chunks_exact(CHUNK_LEAVES * entry_size).zip(roots) {
        hash_leaves(engine, entries, entry_size, &mut nodes);
        let mut width = CHUNK_LEAVES;
        while width > 1 {
            width = hash_parents(engine, &mut nodes[..width]);
        }
        *root = nodes[0];
    }
}

fn hash_leaves(engine: Engine, entries: &[u8], entry_size: usize, leaves: &mut [Hash]) {
    // The sizes that lists have are constants here, so that copying an entry takes a few moves and no call.
    match (entry_size, block_count(entry_size)) {
        (16, _) => hash_leaves_of::<1>(engine, entries, 16, leaves),
        (20, _) => hash_leaves_of::<1>(engine, entries, 20, leaves),
        (32, _) => hash_leaves_of::<1>(engine, entries, 32, leaves),
        (_, 1) => hash_leaves_of::<1>(engine, entries, entry_size, leaves),
        (_, 2) => hash_leaves_of::<2>(engine, entries, entry_size, leaves),
        _ => hash_long_leaves(entries, entry_size, leaves),
    }
}

#[inline(always)]
fn hash_leaves_of<const BLOCKS: usize>(engine: Engine, entries: &[u8], entry_size: usize, leaves: &mut [Hash]) {
    let mut messages = [padded::<BLOCKS>(LEAF_PREFIX, entry_size); LANES];
    for (entries, leaves) in entries.chunks(LANES * entry_size).zip(leaves.chunks_mut(LANES)) {
        for (message, entry) in messages.iter_mut().zip(entries.chunks_exact(entry_size)) {
            message.as_flattened_mut()[1..=entry_size].copy_from_slice(entry);
        }
        // Where fewer are left than there are lanes, the others hash again what they had.
        let hashes = engine.digest(&messages);
        leaves.copy_from_slice(&hashes[..leaves.len()]);
    }
}

/// Entries of three blocks and more: no list has such.
fn hash_long_leaves(entries: &[u8], entry_size: usize, leaves: &mut [Hash]) {
    use sha2::{Digest, Sha256};
    for (entry, leaf) in entries.chunks_exact(entry_size).zip(leaves) {
        *leaf = Sha256::new().chain_update([LEAF_PREFIX]).chain_update(entry).finalize().into();
    }
}

/// Puts the parents of an even number of `nodes` in the place of the first half; how many there are.
fn hash_parents(engine: Engine, nodes: &mut [Hash]) -> usize {
    let parents = nodes.len() / 2;
    let mut messages: [[Block; 2]; LANES] = [padded(NODE_PREFIX, 64); LANES];
    for first in (0..parents).step_by(LANES) {
        let count = LANES.min(parents - first);
        let children = nodes[2 * first..2 * (first + count)].as_chunks::<2>().0;
        for (message, [left, right]) in messages.iter_mut().zip(children) {
            let bytes = message.as_flattened_mut();
            bytes[1..33].copy_from_slice(left);
            bytes[33..65].copy_from_slice(right);
        }
        // Parents never overtake: the last one goes to a place whose children have been read.
        let hashes = engine.digest(&messages);
        nodes[first..first + count].copy_from_slice(&hashes[..count]);
    }
    parents
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::engines;
    use sha2::{Digest, Sha256};

    fn sample(len: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        (0..len).map(|_| next()).collect()
    }

    /// RFC 6962 section 2.1, word for word.
    fn naive_root(entries: &[&[u8]]) -> Hash {
        let digest = |parts: &[&[u8]]| parts.iter().fold(Sha256::new(), Digest::chain_update).finalize().into();
        match entries {
            [] => digest(&[]),
            [entry] => digest(&[&[0], entry]),
            _ => {
                let (left, right) = entries.split_at(entries.len().next_power_of_two() / 2);
                digest(&[&[1], &naive_root(left), &naive_root(right)])
            }
        }
    }

    #[test]
    fn leaves_of_every_entry_size_and_number_are_those_of_sha2() {
        for entry_size in 1..=130 {
            for count in [0, 1, 2, 3, 4, 5, 7, 8, 13] {
                let entries = sample(entry_size * count);
                for engine in engines() {
                    let mut leaves = vec![[0; 32]; count];
                    hash_leaves(engine, &entries, entry_size, &mut leaves);
                    for (leaf, entry) in leaves.iter().zip(entries.chunks_exact(entry_size)) {
                        assert_eq!(*leaf, naive_root(&[entry]), "{entry_size} bytes, {count} entries");
                    }
                }
                assert_eq!(leaf_hashes(&entries, entry_size).len(), count);
            }
        }
    }

    #[test]
    fn roots_of_chunks_are_those_of_the_rfc() {
        for entry_size in [1, 16, 20, 32, 54, 55, 64] {
            let entries = sample(entry_size * (3 * CHUNK_LEAVES + 17));
            let expected: Vec<Hash> = entries
                .chunks_exact(CHUNK_LEAVES * entry_size)
                .map(|chunk| naive_root(&chunk.chunks_exact(entry_size).collect::<Vec<_>>()))
                .collect();
            assert_eq!(chunk_roots(&entries, entry_size), expected, "{entry_size} bytes");
            for engine in engines() {
                let mut roots = vec![[0; 32]; 3];
                hash_chunks(engine, &entries, entry_size, &mut roots);
                assert_eq!(roots, expected, "{engine:?}, {entry_size} bytes");
            }
        }
        assert_eq!(chunk_roots(&[], 32), Vec::<Hash>::new());
        assert_eq!(chunk_roots(&sample(32 * (CHUNK_LEAVES - 1)), 32), Vec::<Hash>::new());
    }

    #[test]
    fn the_parents_of_any_even_number_of_nodes_take_the_first_half() {
        let nodes: Vec<Hash> = sample(32 * 34).as_chunks().0.to_vec();
        for pairs in 0..=17 {
            for engine in engines() {
                let mut row = nodes[..2 * pairs].to_vec();
                assert_eq!(hash_parents(engine, &mut row), pairs);
                for (parent, [left, right]) in row.iter().zip(nodes.as_chunks::<2>().0).take(pairs) {
                    let mut message = vec![1];
                    message.extend_from_slice(left);
                    message.extend_from_slice(right);
                    assert_eq!(parent[..], Sha256::digest(&message)[..]);
                }
            }
        }
    }
}
