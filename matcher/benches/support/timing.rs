//! Time on a machine that others use too: minima over several passes, and processor time of this thread alone.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// Processor time that this thread has taken.
pub(crate) fn thread_time() -> Duration {
    time(ClockId::ThreadCPUTime)
}

/// Processor time that all threads have taken.
pub(crate) fn process_time() -> Duration {
    time(ClockId::ProcessCPUTime)
}

fn time(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// The wall time of each of `count` steps, in microseconds, sorted: the minimum of `passes` passes over all of them, so that
/// being interrupted doesn't count.
pub(crate) fn each(count: usize, passes: usize, mut step: impl FnMut(usize)) -> Vec<f64> {
    let mut least = vec![f64::MAX; count];
    for _ in 0..passes {
        for (number, least) in least.iter_mut().enumerate() {
            let start = Instant::now();
            step(number);
            *least = least.min(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    least.sort_by(f64::total_cmp);
    least
}

/// The value that `share` of sorted values don't exceed.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() as f64 * share) as usize).min(sorted.len() - 1)]
}

/// The least processor time of `passes` runs of `work`.
pub(crate) fn least_thread_time(passes: usize, mut work: impl FnMut()) -> Duration {
    let runs = (0..passes).map(|_| {
        let start = thread_time();
        work();
        thread_time() - start
    });
    runs.min().unwrap_or_default()
}
