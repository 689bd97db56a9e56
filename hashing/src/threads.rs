//! Work that is spread over the cores of the machine.

use crate::Hash;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How many chunks a thread takes at a time: enough that taking them costs nothing beside hashing them.
const SHARE: usize = 16;
/// The most threads: beyond that, memory is the limit and not hashing.
const MOST_THREADS: usize = 16;

/// Has `work` fill `roots`, one for each `chunk_size` bytes of `entries`, by as many threads as there are cores. Each takes
/// the next share until none is left, the caller's own among them: where the system starts no other, it does all.
pub(crate) fn spread(entries: &[u8], chunk_size: usize, roots: &mut [Hash], work: impl Fn(&[u8], &mut [Hash]) + Sync) {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = roots.len().div_ceil(SHARE).min(cores).min(MOST_THREADS);
    let shares = Mutex::new(entries.chunks(SHARE * chunk_size).zip(roots.chunks_mut(SHARE)));
    let take = || shares.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        while let Some((entries, roots)) = take() {
            work(entries, roots);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            if thread::Builder::new().spawn_scoped(scope, run).is_err() {
                break;
            }
        }
        run();
    });
}
