//! Trust decisions of a client: what it believes, and why. Nothing here reads a clock, a file or a socket.
//!
//! ```text
//! Policy ─┐
//! State  ─┼─▶ Update ── Need(resource) ▶ … ── Save(state) ▶ … ── Done(VerifiedList) | Reject(reason)
//! time   ─┘
//! ```
//!
//! * [`Policy`]: what the app's developer trusts and accepts. It can only narrow what a charter allows.
//! * [`State`]: the little that a client must never forget: the newest checkpoint and the release in force.
//! * [`Update`]: the machine. It asks for resources, which any server, mirror or folder may provide, and ends with a list
//!   or with the reason why not.
//! * [`VerifiedList`]: a list that was proven to be the public one. It has no public constructor: whoever holds one, holds
//!   a list that passed every check.
//! * [`peer`]: how what another one holds relates to what is held here.
//! * [`Evidence`]: a file that proves, from signed bytes alone, a breach by a named key.
//!
//! To see it run: `examples/machine.rs` drives an update by
//! hand, `cargo run -p isonomy-verifier --example machine`.
//!
//! Fetching is for `isonomy-fetch`, the state folder for `isonomy-client`, matching for `isonomy-matcher`.
#![forbid(unsafe_code)]

pub mod evidence;
pub mod freshness;
pub mod list;
pub mod peer;
pub mod policy;
mod received;
pub mod rejection;
pub mod state;
pub mod update;
pub mod view;

pub use evidence::Evidence;
pub use freshness::Freshness;
pub use list::VerifiedList;
pub use policy::Policy;
pub use rejection::Rejection;
pub use state::State;
pub use update::{Input, Pending, Save, Step, Update, Updated};
