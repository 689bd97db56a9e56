//! A C2SP [tlog-witness]: it cosigns the checkpoints of logs, and refuses any that forks or rolls back what it cosigned
//! before.
//!
//! | module | what it does | what it does not do |
//! |---|---|---|
//! | [`decide`] | judges a request against the last cosigned checkpoint: a pure function | read, write, lock |
//! | [`record`] | what is remembered of a log, and whether two copies of it agree: pure functions | |
//! | `state` | keeps each record in two places, durably, and refuses when in doubt | judge a request |
//! | [`witness`] | joins them: check, store and answer in one step per log | HTTP |
//! | [`config`] | the configuration file | read what it names |
//! | `http` | the specification's paths and status codes, with limits on sizes and times | connections: `isonomy-serve` |
//!
//! # Data folder
//!
//! ```text
//! witness                      whose folder it is: the witness's public key; written when the witness begins
//! logs/<sha256 of origin>      a log's record: the request cosigned last, under the log's and our own signature
//! database/                    the same records, in an embedded database
//! evidence/*.json              forks that logs have proven against themselves (`isonomy/fork/v1`), and log-signed
//!                              checkpoints that were not shown to follow (`isonomy/refused-checkpoint/v1`)
//! shown/<sha256 of origin>     a checkpoint with a cosignature of this witness, as a request showed it of a log in doubt; while it
//!                              tells more than the log's record, the log is refused
//! forgotten                    only if the folder was begun to restore what was lost, or a request has shown that it is an older
//!                              copy: of no log what is there counts then, before it is; a copy is in the database
//! reinstated/<sha256>          the logs whose memory the operator has given back since, or of which there never was one
//! lock                         held while the witness runs
//! initialising                 only while it begins
//! ```
//!
//! A witness's memory can't be rebuilt from anywhere, and a witness that forgot would cosign a fork. So a record counts
//! only if both copies are there, agree, and carry good signatures of the log and of the witness itself. The one
//! difference that has an innocent cause is a power cut between the two writes: then the file holds a request that
//! follows from what the database holds, which is checked like any request before the database is brought up to it.
//! In every other case the witness refuses that log, with status 500, until its operator has found the newest checkpoint
//! that the witness ever cosigned (the log and those who watch it have it) and given it to [`restore`].
//!
//! A request that carries a later cosignature of this witness than it remembers proves that the folder is an older copy: then every
//! log is refused, since the copy is older for all of them, and each is restored on its own.
//!
//! A folder is made into a witness's only if it is empty, and only by [`begin`], [`restore`] and [`declare_new`]: a witness that is started on
//! a missing or empty one says that its memory is lost. Never begin a key anew after its folder is lost without restoring
//! each of its logs first, and never run one key on two machines.
//!
//! [tlog-witness]: https://c2sp.org/tlog-witness

#![forbid(unsafe_code)]

pub mod config;
pub mod decide;
mod evidence;
#[cfg(test)]
mod faults;
mod forgotten;
mod http;
pub mod log;
pub mod record;
mod restore;
mod shown;
mod state;
#[cfg(test)]
mod testing;
pub mod witness;

pub use http::{RATES, ServeError, run};
pub use log::{ConfigError, Log};
pub use restore::{RestoreError, Restored, checkpoint_in, declare_new, restore};
pub use state::StateError;
pub use witness::{AddError, Config, Doubt, OpenError, Witness, begin};
