//! Update and match from C: the header is `include/isonomy.h`, made of [`boundary`], which documents each function.
//!
//! ```c
//! IsonomyClient *client = NULL;
//! char *error = NULL, *report = NULL, *answer = NULL;
//! const char *sources[] = {"https://log.example/isonomy"};
//! uint64_t now = isonomy_system_clock();
//!
//! if (isonomy_client_open("/var/lib/app/isonomy", policy, &client, &error) != ISONOMY_STATUS_OK) fail(error);
//! if (isonomy_client_update(client, sources, 1, now, NULL, NULL, NULL, &report, &error) != ISONOMY_STATUS_OK) warn(error);
//! IsonomyVerdict verdict;
//! if (isonomy_client_match_file(client, bytes, size, now, &verdict, &answer, &error) != ISONOMY_STATUS_OK) fail(error);
//! if (verdict == ISONOMY_VERDICT_MATCHED) show(answer);
//! ```
//!
//! The contract, the same for every function:
//!
//! - It returns an [`IsonomyStatus`]; 0 is success. What else there is to tell is put where the last arguments point.
//! - Handles are opaque. Whoever got one gives it back to its own `…_free`, once. Strings are UTF-8 and end with a zero
//!   byte; whoever got one gives it back to `isonomy_string_free`. NULL may be given back, too.
//! - `error` may be NULL. Otherwise it is set: to a string for people, or to NULL on success.
//! - A client may be used from several threads. Matching goes on while an update runs; two updates run one after the other.
//! - No panic crosses the border: it becomes `ISONOMY_STATUS_PANIC`, after which the handle is only good for being freed.
//! - Nothing is global: clients, each in its folder, don't know of each other.
//!
//! Not here, and in the Rust crates and the command: evidence that somebody else found, tokens for restricted lists, another
//! limit on the size of objects than 1 GiB, other times between updates than suit the policy.
//!
//! JSON documents are those of the command with `--json`: `client update`, `client status`, and an answer of `match`.
//!
//! What is not safe about this is in [`boundary`] alone; what a function does is in `session`, in safe Rust.

#[cfg(not(panic = "unwind"))]
compile_error!("panics are kept from C by unwinding; build this crate with panic = \"unwind\"");

pub mod boundary;
mod failure;
mod session;

pub use failure::IsonomyStatus;
pub use session::{IsonomyClient, IsonomyVerdict};
