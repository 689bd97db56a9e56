//! The guard rails, as maintainer and curators each set them for themselves.

use crate::args::RailArgs;
use crate::exit::Refused;
use anyhow::{Context, Result};
use isonomy_core::charter::Charter;
use isonomy_core::list::Entries;
use isonomy_publisher::difference::Difference;
use isonomy_publisher::guard::{Alarm, Canaries, Rail, Severity, inspect};

/// What sets off a rail if `after`, which changes so much, becomes the list. One that stops a release is an error, which begins with what
/// was not done, unless it was accepted.
pub(in crate::commands) fn check(
    rails: &RailArgs,
    change: &Difference,
    after: &Entries,
    charter: &Charter,
    undone: &str,
) -> Result<Vec<Alarm>> {
    let mut canaries = if rails.no_built_in_canaries { Canaries::none() } else { Canaries::built_in() };
    for path in &rails.canaries {
        let added = canaries.add(path, charter.matching.algorithm);
        added.with_context(|| format!("{} can't serve as canaries", path.display()))?;
    }
    let alarms = inspect(change, after, charter, &canaries)?;
    let is_stopping = |alarm: &&Alarm| alarm.severity == Severity::Stops && !rails.accepts(alarm.rail);
    let stopping: Vec<Alarm> = alarms.iter().filter(is_stopping).cloned().collect();
    if stopping.is_empty() {
        return Ok(alarms);
    }
    let flags = stopping.iter().filter_map(|alarm| way_out(alarm.rail));
    let hint: String = flags.map(|flag| format!("\n  If that is meant: {flag}")).collect();
    Err(Refused(format!("{undone}: a guard rail stops the release{}{hint}", words(&stopping))).into())
}

/// The flag that accepts what sets off a rail, if one does.
fn way_out(rail: Rail) -> Option<&'static str> {
    match rail {
        Rail::Growth => Some("--accept-growth"),
        Rail::Shrinkage => Some("--accept-shrinkage"),
        Rail::Irregular => Some("--allow-irregular"),
        Rail::Canary | Rail::Limits | Rail::Near | Rail::Crowded => None,
    }
}

/// The guard rails that were set off, a line each.
pub(in crate::commands) fn words(alarms: &[Alarm]) -> String {
    let mut words = String::new();
    for alarm in alarms {
        let mark = if alarm.severity == Severity::Stops { '✗' } else { '!' };
        words += &format!("\n  {mark} {}", alarm.words);
        words.extend(alarm.entries.iter().map(|entry| format!("\n      {entry}")));
    }
    words
}
