//! For programs that are not asynchronous.

use std::future::Future;
use std::io;
use tokio::runtime::{Builder, Handle};

/// Why nothing could be waited for.
pub(crate) enum Blocked {
    /// The thread belongs to a runtime, which would stand still.
    InsideRuntime,
    /// There is no runtime to be had.
    Runtime(io::Error),
}

/// Waits for `future` on this thread, which runs it.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> Result<T, Blocked> {
    if Handle::try_current().is_ok() {
        return Err(Blocked::InsideRuntime);
    }
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Blocked::Runtime)?;
    let outcome = runtime.block_on(future);
    // A check that nobody waits for any more ends by itself.
    runtime.shutdown_background();
    Ok(outcome)
}
