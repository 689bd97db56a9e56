//! A small two-party chat, end-to-end encrypted over a dumb relay, in which each picture is checked against a verified list
//! before it is encrypted: how an app embeds the client. `cargo run -p isonomy-messenger -- demo` plays it.
//!
//! | module | what |
//! |---|---|
//! | [`relay`] | the server between two devices: it stores and forwards bytes, and records what it sees |
//! | [`envelope`] | what a message says, and how its size is hidden |
//! | [`device`] | a device: its list, its matcher, its keys, its messages |
//! | [`story`] | the demo |
//!
//! What an app should take from it:
//!
//! - The list comes from the folder of a mirror; the app's developer writes the policy. Nothing about a list is believed
//!   because of where it came from.
//! - A picture is checked on the device, before encryption, and the person is shown the notice. What follows is theirs to
//!   decide here, since this charter allows no more than a warning. **Nothing about a match is sent to anyone**:
//!   `tests/traffic.rs` holds what the relay recorded with and without a match against each other.
//! - Every message carries the 32 bytes that say which release of the list its sender holds. Where they differ, the two
//!   exchange views, and each device tells *older*, *newer* or *forked*, with evidence.
//! - Encryption is Olm by `vodozemac`, as Matrix clients have it: audited, forward secret, and made for relays that store and
//!   forward. How two people get each other's keys is out of scope: here they meet.

#![forbid(unsafe_code)]

pub mod device;
pub mod envelope;
pub mod relay;
pub mod story;
