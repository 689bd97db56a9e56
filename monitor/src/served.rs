//! What is served now: of each log what its monitor knew at its last look, and of all of them an overview.

use crate::explorer::Explorer;
use crate::folder;
use crate::monitor::Monitor;
use crate::page::Base;
use crate::posted::{NotTaken, Posted};
use crate::report::Report;
use crate::site::{Media, Overview, Site};
use crate::watch::Stage;
use axum::body::Bytes;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// After how many times the time between two looks the monitor is not well.
const LATE: u32 = 5;
/// What a look may take in any case.
const LOOK: Duration = Duration::from_secs(600);

/// What is shown of one log.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The name of the log's folder and pages.
    pub(crate) name: String,
    pub(crate) base: Base,
    pub(crate) evidence: PathBuf,
    posted: Arc<Posted>,
    late_after: Duration,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    site: Arc<Site>,
    explorer: Option<Explorer>,
    complete: Instant,
}

impl Shown {
    /// What a monitor knows at its start.
    fn new(monitor: &Monitor, base: Base, poll_every: Duration) -> Self {
        let current = Current {
            site: Arc::new(Site::new(monitor.report(), &base)),
            explorer: monitor.explorer(),
            complete: Instant::now(),
        };
        Self {
            name: folder::name(monitor.trust.log()),
            base,
            evidence: monitor.evidence_folder(),
            posted: Arc::clone(&monitor.posted),
            late_after: poll_every.saturating_mul(LATE).saturating_add(LOOK),
            current: RwLock::new(current),
        }
    }

    /// Shows what a monitor knows from now on.
    fn show(&self, monitor: &Monitor, stage: Stage) {
        let site = Arc::new(Site::new(monitor.report(), &self.base));
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        (current.site, current.explorer) = (site, monitor.explorer());
        if stage == Stage::Complete {
            current.complete = Instant::now();
        }
    }

    fn read<T>(&self, part: impl FnOnce(&Current) -> T) -> T {
        part(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn site(&self) -> Arc<Site> {
        self.read(|current| Arc::clone(&current.site))
    }

    pub(crate) fn explorer(&self) -> Option<Explorer> {
        self.read(|current| current.explorer.clone())
    }

    /// How long ago the last complete look was.
    pub(crate) fn age(&self) -> Duration {
        self.read(|current| current.complete.elapsed())
    }

    pub(crate) fn is_late(&self) -> bool {
        self.age() > self.late_after
    }

    pub(crate) fn bring(&self, bytes: &[u8]) -> Result<(), NotTaken> {
        self.posted.bring(bytes, |view| self.explorer().is_some_and(|copy| copy.is_of_this_history(view)))
    }
}

/// What is shown of all logs.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) logs: Vec<Arc<Shown>>,
    overview: RwLock<Arc<Overview>>,
}

impl Served {
    /// What monitors know at their start.
    pub(crate) fn new(monitors: &[Monitor], poll_every: Duration) -> Self {
        let base = |monitor: &Monitor| match monitors {
            [_] => Base::Only,
            _ => Base::OneOf(folder::name(monitor.trust.log())),
        };
        let shown = |monitor: &Monitor| Arc::new(Shown::new(monitor, base(monitor), poll_every));
        let logs: Vec<Arc<Shown>> = monitors.iter().map(shown).collect();
        let overview = RwLock::new(Arc::new(overview(&logs)));
        Self { logs, overview }
    }

    /// Shows what the monitor at this place knows from now on.
    pub(crate) fn show(&self, at: usize, monitor: &Monitor, stage: Stage) {
        if let Some(shown) = self.logs.get(at) {
            shown.show(monitor, stage);
        }
        let mut current = self.overview.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(overview(&self.logs));
    }

    /// What is at this path of the overview over all logs.
    pub(crate) fn answer(&self, path: &str) -> Option<(Media, Bytes)> {
        self.overview.read().unwrap_or_else(PoisonError::into_inner).answer(path)
    }

    /// Takes a checkpoint that somebody was shown, for the log that signed it.
    pub(crate) fn bring(&self, bytes: &[u8]) -> Result<(), NotTaken> {
        let mut not_taken = NotTaken::Worthless("no log that is followed here signed it".to_owned());
        for shown in &self.logs {
            match shown.bring(bytes) {
                Err(NotTaken::Worthless(words)) if self.logs.len() == 1 => not_taken = NotTaken::Worthless(words),
                Err(NotTaken::Worthless(_)) => {}
                taken => return taken,
            }
        }
        Err(not_taken)
    }
}

fn overview(logs: &[Arc<Shown>]) -> Overview {
    let reports: Vec<(String, Base, Arc<Report>)> =
        logs.iter().map(|shown| (shown.name.clone(), shown.base.clone(), Arc::clone(&shown.site().report))).collect();
    Overview::new(&reports)
}
