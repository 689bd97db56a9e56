//! Durable small state.
//!
//! - [`files`]: files that are there in full or not at all, also after a power cut; the lock of a folder; small
//!   journals. Nothing else in the project calls `fsync`.
//! - `kv` (feature `kv`): named trees of small values in an embedded database. Nothing else in the project uses `sled`.
//! - `faults` (feature `faults`): for tests, makes any single call of the above fail, and cuts the power.
//!
//! Out of scope: what the bytes mean. This crate parses no format of the project and judges nothing.

#![forbid(unsafe_code)]

#[cfg(feature = "faults")]
pub mod faults;
pub mod files;
#[cfg(feature = "kv")]
pub mod kv;
mod os;
