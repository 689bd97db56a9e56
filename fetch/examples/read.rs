//! Reads what a log serves, from a server or from a folder, by the asynchronous functions and from a program that is not
//! asynchronous:
//!
//! ```text
//! cargo run -p isonomy-fetch --example read [SOURCE]
//! ```
//!
//! A source is the URL of a log or a mirror, or the folder of one; without any, it is `examples/mirror`. Nothing that is read here
//! is proven: that is for `isonomy-verifier`, and `isonomy-client` drives both.

use isonomy_core::resource::Resource;
use isonomy_fetch::{FetchError, HttpLimits, Source};
use std::error::Error;
use std::time::Duration;

const MIRROR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/mirror");

fn main() -> Result<(), Box<dyn Error>> {
    let source = std::env::args().nth(1).unwrap_or_else(|| MIRROR.to_owned());
    println!("{}", checkpoint_blocking(&source)?);
    Ok(())
}

/// The newest checkpoint: a note, signed by the log, which is for others to verify.
pub(crate) async fn checkpoint(source: &str) -> Result<String, FetchError> {
    // Whoever is asked may be slow, but not for ever.
    let limits = HttpLimits { total: Duration::from_secs(60), ..HttpLimits::default() };
    let source = Source::with_limits(source, limits)?;
    let most = Resource::Checkpoint.max_bytes().unwrap_or(0);
    let bytes = source.get(&Resource::Checkpoint, most).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The same for a program that is not asynchronous: it brings a runtime for as long as it takes.
pub(crate) fn checkpoint_blocking(source: &str) -> Result<String, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(checkpoint(source))?)
}
