//! Numbers about the log's own work, for Prometheus.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// How often the data folder is measured: to look at each file takes a while.
const MEASURE_EVERY: Duration = Duration::from_secs(3600);

/// What is counted.
pub(crate) struct Figures {
    /// Entries in a batch.
    pub(crate) batch: Histogram,
    /// Seconds in which a batch is appended and committed.
    pub(crate) append: Histogram,
    /// Seconds in which what is committed becomes tiles.
    pub(crate) integrate: Histogram,
    /// Seconds in which the witnesses are asked.
    pub(crate) round: Histogram,
    /// Seconds in which a cosigned checkpoint is published with its statements and proofs.
    pub(crate) publish: Histogram,
    /// Bytes of all files in the data folder.
    data: Gauge,
    /// The data folder, once it is measured.
    folder: OnceLock<PathBuf>,
}

impl Default for Figures {
    fn default() -> Self {
        // From a tenth of a millisecond to a minute.
        let seconds: fn() -> Histogram = || Histogram::new(exponential_buckets(0.0001, 2.0, 20));
        Self {
            batch: Histogram::new(exponential_buckets(1.0, 2.0, 13)),
            append: seconds(),
            integrate: seconds(),
            round: seconds(),
            publish: seconds(),
            data: Gauge::default(),
            folder: OnceLock::new(),
        }
    }
}

impl Figures {
    /// Adds them to what is shown.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("batch_entries", "Entries in a batch that was appended", self.batch.clone());
        for (name, help, histogram) in [
            ("append_seconds", "Time to append a batch and commit it", &self.append),
            ("integrate_seconds", "Time to make tiles of what is committed", &self.integrate),
            ("round_seconds", "Time of a round of the witnesses", &self.round),
            ("publish_seconds", "Time to publish a cosigned checkpoint and what it covers", &self.publish),
        ] {
            registry.register(name, help, histogram.clone());
        }
        let help = "Size of all files of the log, as of the last hour; 0 until it was measured";
        registry.register("data_bytes", help, self.data.clone());
        if let Some(free) = self.folder.get().and_then(|folder| free_bytes(folder)) {
            let gauge: Gauge = Gauge::default();
            gauge.set(i64::try_from(free).unwrap_or(i64::MAX));
            registry.register("data_free_bytes", "Bytes that can still be written where the data folder is", gauge);
        }
    }

    /// Measures the data folder now and then, until told to stop.
    pub(crate) async fn measure(self: Arc<Self>, data: std::path::PathBuf, mut stop: watch::Receiver<bool>) {
        let data = Arc::new(self.folder.get_or_init(|| data).clone());
        loop {
            let (folder, figures, stopping) = (Arc::clone(&data), Arc::clone(&self), stop.clone());
            let measured = tokio::task::spawn_blocking(move || {
                let size = size_of(&folder, &|| *stopping.borrow());
                figures.data.set(i64::try_from(size.unwrap_or(0)).unwrap_or(i64::MAX));
            });
            // What can't be measured is not shown; that is no reason to stop.
            let _ = measured.await;
            if timeout(MEASURE_EVERY, stop.wait_for(|stop| *stop)).await.is_ok() {
                return;
            }
        }
    }
}

/// The time that some work takes, as seen by a histogram.
pub(crate) fn timed<T>(histogram: &Histogram, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    histogram.observe(began.elapsed().as_secs_f64());
    done
}

/// The bytes that whoever has no privileges can still write on the file system of this folder; `None` if the system does not tell.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// The bytes of all files below a folder. What vanishes meanwhile does not count.
fn size_of(folder: &Path, is_over: &dyn Fn() -> bool) -> io::Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        if is_over() {
            break;
        }
        let entry = entry?;
        size += match entry.metadata() {
            Ok(what) if what.is_dir() => size_of(&entry.path(), is_over).unwrap_or(0),
            Ok(what) => what.len(),
            Err(_) => 0,
        };
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_the_size_of_its_files() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::write(dir.path().join("a/b/one"), [0; 100]).unwrap();
        fs::write(dir.path().join("two"), [0; 11]).unwrap();
        assert_eq!(size_of(dir.path(), &|| false).unwrap(), 111);
        assert_eq!(size_of(dir.path(), &|| true).unwrap(), 0);
        assert!(size_of(&dir.path().join("none"), &|| false).is_err());
    }
}
