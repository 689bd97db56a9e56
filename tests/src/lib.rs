//! What the integration tests share: people with keys, a log in memory that is honest or not, a client that asks it, and
//! the command as a process.
//!
//! In memory every key, hash and time is the same in every run. Times are seconds after [`people::START`].

pub mod altered;
pub mod breaches;
pub mod client;
pub mod forms;
pub mod people;
pub mod simulation;
pub mod world;
