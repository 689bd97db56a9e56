//! What was seen at each look: how large the log was, and when each witness cosigned last. From this the page draws how
//! far the witnesses lag behind.
//!
//! There is room for [`MAX`] looks. When it is full, every second one goes and the time between two that are kept
//! doubles, so that the series always reaches back to where it began, with even steps.

use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use isonomy_store::files::{self, FileError};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The most looks that are kept.
const MAX: usize = 240;
/// The most bytes of the file.
const MAX_FILE: usize = 8 << 20;

/// One look.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Look {
    /// When, by the monitor's clock.
    pub at: Timestamp,
    /// The size of the newest tree that was accepted.
    pub size: TreeSize,
    /// The witnessed time of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub witnessed: Option<Timestamp>,
    /// When each witness cosigned last, in the order of the report's witnesses; null for one that was not seen.
    pub cosigned: Vec<Option<Timestamp>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// The least time between two looks, in seconds.
    step: u64,
    /// The latest time that a quorum vouched for before it had come, by the monitor's clock.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ahead: Option<Timestamp>,
    looks: Vec<Look>,
}

/// The looks that are kept.
#[derive(Debug)]
pub(crate) struct Looks {
    path: PathBuf,
    kept: Kept,
}

impl Looks {
    /// Those in this file; none if it is missing or damaged, since nothing is proven by them.
    pub(crate) fn open(path: PathBuf) -> Result<Self, FileError> {
        let bytes = files::read_limited(&path, MAX_FILE)?.unwrap_or_default();
        let mut kept: Kept = serde_json::from_slice(&bytes).unwrap_or_default();
        kept.looks.truncate(MAX);
        Ok(Self { path, kept })
    }

    pub(crate) fn all(&self) -> &[Look] {
        &self.kept.looks
    }

    /// The latest time that a quorum vouched for before it had come.
    pub(crate) fn ahead(&self) -> Option<Timestamp> {
        self.kept.ahead
    }

    /// Remembers such a time, with the next look that is kept.
    pub(crate) fn remember_ahead(&mut self, time: Option<Timestamp>) {
        self.kept.ahead = self.kept.ahead.max(time);
    }

    /// When a tree of this size under this witnessed time was seen first, of the looks without another one since.
    pub(crate) fn since(&self, size: TreeSize, witnessed: Timestamp) -> Option<Timestamp> {
        let is_it = |look: &&Look| look.size == size && look.witnessed == Some(witnessed);
        self.kept.looks.iter().rev().take_while(is_it).last().map(|look| look.at)
    }

    /// Keeps a look, unless the last one that was kept is too near.
    pub(crate) fn keep(&mut self, look: Look) -> Result<(), FileError> {
        let Kept { step, looks, .. } = &mut self.kept;
        let is_near = |last: &Look| last.at >= look.at || look.at.since(last.at) < *step;
        if looks.last().is_some_and(is_near) {
            return Ok(());
        }
        looks.push(look);
        if looks.len() > MAX {
            thin(looks, step);
        }
        files::replace(&self.path, &serde_json::to_vec(&self.kept).unwrap_or_default())
    }
}

/// Drops every second look, but never the first.
fn thin(looks: &mut Vec<Look>, step: &mut u64) {
    let mut keep = false;
    looks.retain(|_| {
        keep = !keep;
        keep
    });
    let span = looks.last().zip(looks.first()).map_or(0, |(last, first)| last.at.since(first.at));
    *step = (span / looks.len().max(1) as u64).max(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at: u64) -> Look {
        Look { at: Timestamp(at), size: TreeSize(at), witnessed: Some(Timestamp(at)), cosigned: vec![None] }
    }

    #[test]
    fn the_series_reaches_back_to_its_beginning_and_stays_small() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("looks.json");
        let mut looks = Looks::open(path.clone()).unwrap();
        (1..=1000).for_each(|at| looks.keep(look(at)).unwrap());
        looks.keep(look(5)).unwrap();
        let looks = Looks::open(path).unwrap();
        let times: Vec<u64> = looks.all().iter().map(|look| look.at.0).collect();
        assert!(times.len() <= MAX && times.len() >= MAX / 2, "{}", times.len());
        assert!(times[0] == 1 && times[times.len() - 1] > 990 && times.is_sorted());
        let steps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.iter().max().unwrap() <= &8, "{steps:?}");
    }

    #[test]
    fn a_damaged_file_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("looks.json");
        std::fs::write(&path, b"{").unwrap();
        let mut looks = Looks::open(path.clone()).unwrap();
        looks.keep(look(1)).unwrap();
        assert_eq!(Looks::open(path).unwrap().all(), [look(1)]);
    }
}
