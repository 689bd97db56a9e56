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
pub use proofs::LazyReceipt;
pub use receipt::Receipt;
pub use subject::{Fingerprint, Orientations, Subject};
pub use video::{Video, VideoError};
