//! What maintainers and curators do: turn hashes into signed releases of a list, and get them into the log.
//!
//! ```text
//! import ─▶ compose ─▶ draft, a file ─▶ endorse (each curator) ─▶ finish (maintainer, last) ─▶ submit
//!              ▲                          ▲
//!           ListView: what the log says of the list, verified
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`keys`] | key files that only their owner can read, under a passphrase if wanted |
//! | [`signer`] | who signs: a key in memory, or a program that holds one |
//! | [`charter`] | `charter.toml`, from which a charter is made; signing and amending it |
//! | [`import`] | files of hashes in the formats that maintainers have |
//! | [`images`] | a folder of pictures to a file of hashes |
//! | [`view`] | what the log says of a list, verified |
//! | [`workspace`] | the content of earlier releases, kept or fetched, and checked |
//! | [`stored`] | a list in a file, read piece by piece |
//! | [`draft`] | a release before it is published, as one file that passes from hand to hand |
//! | [`difference`] | what would change from one list to another |
//! | [`guard`] | what should have been seen before anything is signed |
//! | [`nearest`] | which entries of a list are near to a few hashes, without an index of the list |
//! | [`compose`] | a draft from new content |
//! | [`endorse`] | the checks before a signature, and the signature |
//! | [`memory`] | what a key has signed, so that it never signs two texts for one version |
//! | [`submit`] | to the log, and what the log's proof must show |
//! | [`confirm`] | the maintainer's own client, which must accept what was published |
//!
//! Nothing here prints, and nothing reads a clock: times are arguments, and results are reports that can be shown as
//! JSON. Whether a list is to be trusted is for `isonomy-verifier`.
#![forbid(unsafe_code)]

pub mod charter;
pub mod compose;
pub mod confirm;
pub mod difference;
pub mod draft;
pub mod endorse;
mod folder;
pub mod guard;
pub mod images;
pub mod import;
pub mod keys;
#[cfg(test)]
mod kills;
pub mod memory;
pub mod nearest;
pub mod signer;
pub mod signing;
pub mod stored;
pub mod submit;
#[cfg(test)]
mod testing;
pub mod view;
pub mod workspace;
