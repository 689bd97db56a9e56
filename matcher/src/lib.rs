//! Perceptual hashing of pictures and lookup in a list, without I/O.
//!
//! | module | what |
//! |---|---|
//! | [`image`] | picture files to pixels, within limits |
//! | [`pdq`] | the perceptual hash `pdq/full` |
//! | [`digest`] | SHA-256, SHA-1 and MD5 of files |
//! | [`lookup`] | the entries of a list within a distance of a hash |
//! | [`answer`] | a [`isonomy_verifier::VerifiedList`] against a picture: matched, not matched, not covered |
//! | [`receipt`] | what proves a match to others, offline |
#![forbid(unsafe_code)]

pub mod answer;
pub mod digest;
pub mod image;
pub mod lookup;
pub mod pdq;
pub mod receipt;

pub use answer::{Answer, Fingerprint, Match, Matcher, NotCovered, Verdict};
pub use receipt::Receipt;
