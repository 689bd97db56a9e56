//! The driver around the verifier: the folder in which a client keeps what it knows, and updates from servers,
//! mirrors and folders.
//!
//! ```no_run
//! # use isonomy_client::{Client, Source, system_clock};
//! # fn run(policy: isonomy_client::Policy) -> Result<(), Box<dyn std::error::Error>> {
//! let mut client = Client::open("/var/lib/app/isonomy", policy)?;
//! let sources = [Source::parse("https://log.example/isonomy")?, Source::parse("/media/stick/mirror")?];
//! let report = client.update_blocking(&sources, system_clock())?;
//! println!("version {} is in force", report.updated.list.version());
//! # Ok(())
//! # }
//! ```
//!
//! What is believed, and why, is decided by `isonomy-verifier` alone; what travels is the business of `isonomy-fetch`.
//! Here it is decided where things are kept, in which order they become durable, and which source is asked when. The
//! folder is described at [`folder`].
//!
//! * [`Client`]: one list, in one folder that no other process uses at the same time.
//! * [`ReadOnly`]: the same folder, looked at without a lock and without a trace, also while the client updates.
//! * [`UpdateReport`] and [`Refusal`]: what came of an update. Every refusal leaves a record in the folder.
//! * [`Compared`]: how what a peer holds relates to what is in force here.
//! * [`Status`]: what is in force, who vouches for it, and how old that knowledge is.

#![forbid(unsafe_code)]

mod cache;
mod client;
mod clock;
mod error;
mod evidence;
pub mod folder;
mod peer;
mod read_only;
mod refusal;
mod status;
mod update;

pub use cache::CacheReport;
pub use client::Client;
pub use clock::system_clock;
pub use error::{ClientError, UpdateError};
pub use evidence::{EvidenceRefused, Shown};
pub use isonomy_fetch::Source;
pub use isonomy_verifier::{Policy, VerifiedList};
pub use peer::{CompareError, Compared};
pub use read_only::ReadOnly;
pub use refusal::{CitedRule, Refusal};
pub use status::{Endorser, InForce, KnownCheckpoint, Status, Witnessed};
pub use update::{Change, UpdateReport};
