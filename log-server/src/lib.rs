//! The log server.
pub mod admission;
pub mod bundles;
pub mod content;
pub mod files;
pub mod log;
pub mod objects;
pub mod pending;
pub mod refusal;
pub mod witnesses;
