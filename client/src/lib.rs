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
//! The same from the mirror of a log in memory (`isonomy_tests`), by a clock that stands still:
//!
//! ```
//! use isonomy_client::{Client, Policy, Source};
//! use isonomy_tests::{people::{at, hashes}, world::World};
//!
//! let mut log = World::founded(); // the charter is public
//! log.release(hashes(0..10), 100);
//! log.publish(100);
//! log.publish(105); // cosigned again five seconds later: the release is visible
//! let folder = tempfile::tempdir()?;
//! log.mirror(&folder.path().join("mirror"))?;
//!
//! let policy = Policy::parse(log.policy_text().as_bytes())?;
//! let mut client = Client::open(folder.path().join("device"), policy)?;
//! let report = client.update_blocking(&[Source::folder(folder.path().join("mirror"))], at(106))?;
//! assert_eq!(report.updated.list.version(), 1);
//!
//! let list = client.list().expect("a list is in force");
//! assert!(list.freshness(at(106)).is_usable());
//! assert_eq!(client.status(at(106)).in_force.expect("the same").code, isonomy_verifier::view::code(&list.view()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An app that has its own HTTP client gives it to [`Source::with_client`]; time comes in as an argument everywhere. There
//! is no global state: any number of clients live in one process, each in its folder.
//!
//! Two things end updates, and what helps comes with the app's next version:
//!
//! * The log showed two histories ([`UpdateError::is_halt`]). The proof is kept, and the list in force is matched until it expires. The
//!   app's makers choose: a policy with another key of this log, or with another log.
//! * The log has another key by now ([`ClientError::OtherKey`]): an app that ships the new policy opens its folder by
//!   [`Client::open_recovered`], which ends a halt, too. A policy with another log needs a folder of its own; `min_version` is its floor.
//!
//! What is believed, and why, is decided by `isonomy-verifier` alone; what travels is the business of `isonomy-fetch`.
//! Here it is decided where things are kept, in which order they become durable, and which source is asked when. The
//! folder is described at [`folder`].
//!
//! * [`Client`]: one list, in one folder that no other process uses at the same time.
//! * [`ReadOnly`]: the same folder, looked at without a lock and without a trace, also while the client updates.
//! * [`UpdateOptions`]: by which clock an update runs, who is told of its progress ([`Progress`]), who may stop it
//!   ([`CancelFlag`]), when the next one is due ([`Schedule`]), and whether all sources are asked: one honest mirror among them then
//!   suffices to hear of the newest release.
//! * [`UpdateReport`] and [`Refusal`]: what came of an update. Every refusal leaves a record in the folder.
//! * [`Compared`]: how what a peer holds relates to what is in force here.
//! * [`video`]: videos to the hashes of their frames, by another program, within limits.
//! * [`Status`]: what is in force, who vouches for it, and how old that knowledge is.

#![forbid(unsafe_code)]

mod allowance;
mod blocking;
mod cache;
mod client;
mod clock;
mod document;
mod error;
mod evidence;
pub mod folder;
mod halt;
mod options;
mod peer;
mod read_only;
mod refusal;
mod schedule;
mod status;
mod update;
pub mod video;

pub use cache::CacheReport;
pub use client::Client;
pub use clock::system_clock;
pub use document::keys_document;
pub use error::{ClientError, Refusals, UpdateError};
pub use evidence::{EvidenceRefused, Shown};
pub use isonomy_fetch::{HttpClient, HttpLimits, Source};
pub use isonomy_verifier::{Policy, VerifiedList};
pub use options::{CancelFlag, Progress, UpdateOptions};
pub use peer::{CompareError, Compared};
pub use read_only::ReadOnly;
pub use refusal::{CitedRule, Refusal};
pub use schedule::Schedule;
pub use status::{Endorser, InForce, KnownCheckpoint, Status, Witnessed};
pub use update::{Change, UpdateReport};
