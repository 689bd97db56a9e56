//! The one clock of client parts. Everything else takes the time as an argument.

use isonomy_core::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// What this machine's clock shows; the epoch if it shows a time before that.
pub fn system_clock() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
