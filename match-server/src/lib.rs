//! Matching as a local HTTP service, for platforms and homeservers that match on a server.
//!
//! It serves the same library that an app embeds: lists come from the folders of clients, verified; answers are the
//! matcher's. Updating these folders is the client's affair (`isonomy client update`); a newer release is taken over as
//! soon as it is there, without a request being dropped. What is asked is neither kept nor passed on.
//!
//! | module | what |
//! |---|---|
//! | [`shelf`] | the lists that are in force now, and how they are replaced |
//! | [`watch`] | when a client's folder has something newer |
//! | [`http`] | requests and answers; `openapi.json` says the same for programs |
//! | `upload`, `queue`, `patience`, `detached` | what files, work and answers may cost, and what is not waited for at the end |
//! | [`refusal`] | what goes wrong, and whose fault it is |
//! | [`metrics`] | what is counted |
//!
//! In scope: this machine, or a trusted network. Out of scope: who may ask (put a proxy in front), and keeping the person
//! informed, which the charter demands of the platform: the words are in every answer that matched.
#![forbid(unsafe_code)]

mod detached;
pub mod http;
pub mod metrics;
mod patience;
mod queue;
pub mod refusal;
mod server;
pub mod shelf;
mod upload;
pub mod watch;

pub use server::{Config, Limits, ServeError, run};
pub use shelf::Shelf;
pub use watch::ListFolder;
