//! Perceptual hashing of pictures and lookup in a list, without I/O.
//!
//! | module | what |
//! |---|---|
//! | [`image`] | picture files to pixels, within limits |
//! | [`pdq`] | the perceptual hash `pdq/full` |
//! | [`digest`] | SHA-256, SHA-1 and MD5 of files |
//! | [`lookup`] | the entries of a list within a distance of a hash |
//! | [`video`] | the rule by which videos match |
//! | [`subject`] | what is looked up: the hashes of a file, in one or several orientations |
//! | [`Matcher`] | a [`isonomy_verifier::VerifiedList`] with the rule of its charter |
//! | [`answer`] | what it says: matched, not matched, not covered |
//! | [`notice`] | what the person is told |
//! | [`document`] | an answer as data, for programs |
//! | [`receipt`] | what proves a match to others, offline |
//!
//! ```
//! use isonomy_core::time::Timestamp;
//! use isonomy_matcher::image::Limits;
//! use isonomy_matcher::{Matcher, Orientations, Subject, Verdict};
//! use isonomy_verifier::VerifiedList;
//!
//! /// Whether a file may be sent, by a list that was proven to be the public one. `clock` is the device's.
//! fn may_be_sent(list: VerifiedList, file: &[u8], clock: Timestamp) -> Result<bool, Box<dyn std::error::Error>> {
//!     let matcher = Matcher::new(list)?; // once for each release, not for each file
//!     let subject = Subject::of_file(&[matcher.algorithm()], file, &Limits::default(), Orientations::Shown);
//!     let answer = matcher.answer(&subject, clock);
//!     Ok(match &answer.verdict {
//!         Verdict::Matched(matches) => {
//!             // The person is always told, and gets what proves it to others.
//!             println!("{}", answer.notice().expect("something matched"));
//!             std::fs::write("match.receipt.json.gz", matches[0].receipt.to_file()?)?;
//!             false
//!         }
//!         Verdict::NotMatched => true,
//!         // Neither yes nor no: what follows from that is for the app to decide, and to say.
//!         Verdict::NotCovered(why) => {
//!             println!("The list can't tell: {why}");
//!             true
//!         }
//!     })
//! }
//! ```
//!
//! Unsafe code is confined to `machine`, which says why and is tested by its own means.
#![deny(unsafe_code)]

pub mod answer;
pub mod digest;
pub mod document;
pub mod image;
pub mod lookup;
mod machine;
mod matcher;
pub mod notice;
pub mod pdq;
mod proofs;
pub mod receipt;
pub mod subject;
pub mod video;

pub use answer::{Answer, Effort, Match, NotCovered, Verdict};
pub use document::AnswerDocument;
pub use matcher::Matcher;
pub use notice::Notice;
pub use proofs::{LazyReceipt, Receipts};
pub use receipt::Receipt;
pub use subject::{Fingerprint, Orientations, Subject, View};
pub use video::{Unseen, Video, VideoError};
