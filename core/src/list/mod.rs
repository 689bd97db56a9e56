//! Lists: fixed-size hashes in strictly ascending order, their Merkle tree, and the bytes in which they travel.
//!
//! | module | what |
//! |---|---|
//! | [`algorithm`] | which hashes there are, and which entries are valid for them |
//! | [`entries`] | a list in memory, and its root |
//! | [`tree`] | proofs that a list holds an entry, or does not |
//! | [`proof`] | such a proof as a file, for one release |
//! | [`snapshot`] | a whole list as bytes |
//! | [`delta`] | the difference of two lists as bytes |
//!
//! The list tree is that of RFC 6962 over the entries: a leaf is SHA-256(0x00 ‖ entry), a node SHA-256(0x01 ‖ left ‖
//! right), and the root of the empty list is SHA-256 of nothing.

pub mod algorithm;
mod bits;
pub mod delta;
pub mod entries;
mod packed;
pub mod proof;
pub mod snapshot;
mod subset;
pub mod tree;

pub use algorithm::{Algorithm, EntryVerdict};
pub use entries::{Entries, ListError};
pub use proof::{Claim, ListProof};
pub use tree::{ListProofError, ListTree, MembershipProof, NonMembershipProof};

#[cfg(test)]
mod samples {
    use super::Entries;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// `len` entries of `entry_size` bytes without regularity, the same for the same `seed`.
    pub(super) fn scattered(entry_size: usize, len: usize, seed: u64) -> Entries {
        let mut state = 0x9e37_79b9_7f4a_7c15 ^ seed;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()[0]
        };
        let bytes = (0..len * entry_size).map(|_| next()).collect();
        Entries::from_unsorted(entry_size, bytes).unwrap().0
    }

    /// Any list of up to 40 entries of `entry_size` bytes.
    pub(super) fn lists(entry_size: usize) -> impl Strategy<Value = Entries> {
        proptest::collection::vec(any::<u8>(), 0..40 * entry_size).prop_map(move |mut bytes: Vec<u8>| {
            bytes.truncate(bytes.len() / entry_size * entry_size);
            Entries::from_unsorted(entry_size, bytes).unwrap().0
        })
    }
}
