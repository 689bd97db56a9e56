//! All outbound HTTP, and folders as mirrors.
//!
//! - [`Source`]: wherever a log's [resources](isonomy_core::resource::Resource) are read from, a server or a folder.
//! - [`HttpClient`]: what sends requests, if an app wants its own.
//! - [`LogClient`]: the writing half of a log's HTTP surface.
//! - [`WitnessClient`]: C2SP tlog-witness.
//! - [`document`]: anything else that a server shows, such as a monitor's report.
//! - [`Tokens`]: for lists whose contents are not for everybody.
//! - [`HttpLimits`]: how long a server is waited for. How much is read from it, the caller says each time.
//!
//! There is no state beyond these values: no globals, no files, no caches. Dropping a future ends what it was doing.
//!
//! Every server is taken for hostile here: it can send the wrong bytes, which is for the caller to find out, but not
//! too many, not too slowly, not from another place, and it can't tell one client from another by what is sent to it: no
//! cookies, no conditional requests, one user agent for all. A proxy is used if the environment names one
//! (`HTTPS_PROXY` and the like), except for servers on the same machine.
//!
//! To see it run, from a program that is asynchronous or not: `examples/read.rs`, `cargo run -p isonomy-fetch --example read [SOURCE]`.
//!
//! Out of scope: whether what was fetched is true (`isonomy-verifier`), caches and the choice among mirrors
//! (`isonomy-client`).

#![forbid(unsafe_code)]

mod document;
mod error;
mod folder;
mod http;
mod limits;
mod log;
mod notify;
mod pieces;
mod server;
mod sink;
mod source;
mod tokens;
mod witness;

pub use document::document;
pub use error::{FetchError, WitnessError};
pub use http::{Body, HttpClient, HttpFailure};
pub use limits::HttpLimits;
pub use log::{LogClient, Submitted};
pub use notify::{can_notify, notify};
pub use source::{Given, Source};
pub use tokens::{MAX_TOKENS_SIZE, Tokens};
pub use witness::WitnessClient;
