//! What the integration tests share: people with keys, a log in memory that is honest or not, and a client that asks it.
//!
//! Every key, hash and time is the same in every run. Times are seconds after [`people::START`].

pub mod client;
pub mod people;
pub mod process;
pub mod world;
