//! The guard rails, as maintainer and curators each set them for themselves.

use crate::args::RailArgs;
use crate::exit::Refused;
use anyhow::{Context, Result};
use isonomy_core::charter::Charter;
use isonomy_core::list::Entries;
use isonomy_publisher::difference::Difference;
use isonomy_publisher::endorse::Examined;
use isonomy_publisher::guard::{Against, Alarm, Canaries, Rail, Severity, inspect};
use isonomy_publisher::workspace::Past;

/// A release that is held against the rails.
#[derive(Clone, Copy)]
pub(in crate::commands) struct Subject<'s> {
    /// What changes.
    pub(in crate::commands) change: &'s Difference,
    /// What becomes the list.
    pub(in crate::commands) after: &'s Entries,
    pub(in crate::commands) charter: &'s Charter,
    pub(in crate::commands) past: &'s Past,
}

impl<'s> Subject<'s> {
    /// A draft that was examined.
    pub(super) fn of(examined: &'s Examined<'_>, past: &'s Past) -> Self {
        Self { change: examined.change(), after: examined.entries(), charter: examined.charter(), past }
    }
}

/// The rails that a release sets off. One that stops it is an error, which begins with what was not done, unless it was accepted.
pub(in crate::commands) fn check(rails: &RailArgs, subject: Subject<'_>, undone: &str) -> Result<Vec<Alarm>> {
    let alarms = look(rails, subject)?;
    let stopping: Vec<Alarm> = alarms.iter().filter(|alarm| stops(rails, alarm)).cloned().collect();
    if stopping.is_empty() {
        return Ok(alarms);
    }
    let flags = stopping.iter().filter_map(|alarm| way_out(alarm.rail));
    let hint: String = flags.map(|flag| format!("\n  If that is meant: {flag}")).collect();
    Err(Refused(format!("{undone}: a guard rail stops the release{}{hint}", words(&stopping))).into())
}

/// The rails that a release sets off.
pub(in crate::commands) fn look(rails: &RailArgs, subject: Subject<'_>) -> Result<Vec<Alarm>> {
    let Subject { change, after, charter, past } = subject;
    let mut canaries = if rails.no_built_in_canaries { Canaries::none() } else { Canaries::built_in() };
    for path in &rails.canaries {
        let added = canaries.add(path, charter.matching.algorithm);
        added.with_context(|| format!("{} can't serve as canaries", path.display()))?;
    }
    Ok(inspect(change, after, Against { charter, canaries: &canaries, past })?)
}

/// Whether an alarm stops the release: it would, and nobody has accepted it.
pub(in crate::commands) fn stops(rails: &RailArgs, alarm: &Alarm) -> bool {
    alarm.severity == Severity::Stops && !rails.accepts(alarm.rail)
}

/// The flag that accepts what sets off a rail, if one does.
fn way_out(rail: Rail) -> Option<&'static str> {
    match rail {
        Rail::Growth => Some("--accept-growth"),
        Rail::Shrinkage => Some("--accept-shrinkage"),
        Rail::Returns => Some("--accept-returns"),
        Rail::Irregular => Some("--allow-irregular"),
        Rail::Canary | Rail::Limits | Rail::Memory | Rail::Near | Rail::Crowded => None,
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
