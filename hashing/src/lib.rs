//! The hashes of RFC 6962 over the entries of a large list, many at once.
//!
//! ```text
//! leaf = SHA-256(0x00 ‖ entry)        node = SHA-256(0x01 ‖ left ‖ right)
//! ```
//!
//! The hashes of one level of a tree don't depend on each other. A processor with SHA-NI takes four cycles to finish a
//! round of SHA-256 but can start another one every two cycles, so a single message leaves half of it idle. Here four
//! messages go through side by side, which halves the time that a client needs to verify a list. Elsewhere the hashes are
//! those of [`sha2`], one after the other. Which one runs is found out at run time.
//!
//! A tree is cut into *chunks* of 2^[`CHUNK_LEVEL`] leaves, so that the hashes of a chunk stay in the processor's first
//! cache and memory doesn't grow with the tree. With the feature `threads` the chunks are spread over the cores.
//!
//! In scope: hashing entries of one size. Out of scope: what a tree means, proofs, and anything that judges them; those
//! are in `isonomy-core`, which forbids unsafe code. This crate has some, in `sha_ni` alone, and is held against `sha2` for
//! every length, and against a recursive tree.
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "threads"))]
extern crate std;

mod chunks;
mod lanes;
mod message;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
#[cfg(feature = "threads")]
mod threads;

pub use chunks::{CHUNK_LEAVES, CHUNK_LEVEL, chunk_roots, leaf_hashes};
pub use lanes::is_accelerated;

/// The bytes of a SHA-256.
pub type Hash = [u8; 32];
