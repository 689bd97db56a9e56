//! Formats, Merkle trees, statements, lists and rules of Isonomy.
//!
//! Everything that several parts must agree on is here, and nothing that reads a clock, a file or a socket: each
//! function gets bytes and times as arguments. What decides *whom to trust* is in `isonomy-verifier`; what fetches
//! is in `isonomy-fetch`.
//!
//! | module | specification |
//! |---|---|
//! | [`note`] | C2SP signed-note |
//! | [`checkpoint`], [`cosignature`] | C2SP tlog-checkpoint, tlog-cosignature |
//! | [`add_checkpoint`] | C2SP tlog-witness, the body of `add-checkpoint` |
//! | [`policy`] | C2SP tlog-policy |
//! | [`tlog_proof`] | C2SP tlog-proof |
//! | [`tree`], [`tile`] | RFC 6962 and RFC 9162 trees and proofs; C2SP tlog-tiles |
//! | [`statement`], [`charter`], [`release`], [`attestation`] | `docs/formats.md`, statements |
//! | [`list`] | `docs/formats.md`, lists: entries, list tree, snapshot, delta |
//! | [`bundle`], [`resource`] | `docs/formats.md`, what a log serves for clients |
//! | [`paths`] | on which deltas clients catch up, and which objects that takes |
//! | [`rules`] | `docs/rules.md`: who may change what, and when |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod add_checkpoint;
pub mod attestation;
pub mod bundle;
pub mod charter;
pub mod checkpoint;
pub mod cosignature;
pub mod encoding;
pub mod hash;
pub mod json;
pub mod list;
pub mod note;
pub mod paths;
pub mod policy;
pub mod release;
pub mod resource;
pub mod rules;
pub mod statement;
pub mod tile;
pub mod time;
pub mod tlog_proof;
pub mod tree;
