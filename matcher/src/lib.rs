//! Perceptual hashing of pictures and lookup in a list, without I/O.
//!
//! | module | what |
//! |---|---|
//! | [`image`] | picture files to pixels, within limits |
//! | [`pdq`] | the perceptual hash `pdq/full` |
//! | [`digest`] | SHA-256, SHA-1 and MD5 of files |
//! | [`lookup`] | the entries of a list within a distance of a hash |
#![forbid(unsafe_code)]

pub mod digest;
pub mod image;
pub mod lookup;
pub mod pdq;
