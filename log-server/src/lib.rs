//! The log server: admission, sequencing, witnessing, publication.
//!
//! A statement's way: judged by [`admission`] → waits for its [`objects`], if it is a release, whose [`content`] is then
//! judged → sequenced in a batch, appended to the [`log`], which commits a signed checkpoint → integrated, shown to the
//! [`witnesses`] → when the quorum has cosigned, published with seen proofs and in [`bundles`] → answered with its proof.
//! Nothing is acknowledged before that.
//!
//! | module | knows | does not know |
//! |---|---|---|
//! | [`files`] | where things are in the public folder | what they mean |
//! | [`log`] | tiles, entries, checkpoints; how never to fork | what entries mean, witnesses |
//! | [`witnesses`] | how to collect cosignatures | when, and what for |
//! | [`admission`], [`content`] | what may be logged | how, and when |
//! | [`objects`], [`pending`] | what a release waits for | whether it may be logged |
//! | [`bundles`] | what clients need | files |
//! | `current` | what clients poll, as of the newest checkpoint | what the folder has of it |
//! | `keeper` | the folder's copies of that, for mirrors | who reads them |
//! | `sequencer`, `publisher`, `publication`, `recovery` | the order of all this | HTTP |
//! | `histories` | what was sequenced, judged by both times | who may publish |
//! | [`access`] | who may read a list's objects | what is in them |
//! | [`config`] | the configuration file | the files that it names |
//! | `http` | the surface | everything else |
//! | `shelf` | files that are asked for often, ready to be sent | which requests may have them |
//! | [`restore`] | how to go on from `public/` alone | how `public/` came there |
//! | [`fsck`] | how to check a whole log, ours or another | how to mend it |
//!
//! Everything that the server knows is rebuilt from its files at each start; the database holds only the committed head,
//! the releases that wait, and since when each statement is public, as was first learned.

#![forbid(unsafe_code)]

pub mod access;
pub mod admission;
pub mod bundles;
mod clock;
pub mod collect;
mod compress;
pub mod config;
pub mod content;
mod current;
#[cfg(test)]
mod faults;
mod figures;
pub mod files;
mod firsts;
pub mod fsck;
mod health;
mod histories;
mod http;
mod keeper;
pub mod log;
pub mod objects;
pub mod pending;
mod publication;
mod publisher;
mod recovery;
pub mod refusal;
pub mod restore;
mod sequencer;
mod server;
mod shelf;
mod state;
pub mod witnesses;

pub use publication::PublicationError;
pub use recovery::{RecoveryError, SeenProofs};
pub use sequencer::SequencerError;
pub use server::{Config, RATES, Rights, ServeError, run, run_with};
