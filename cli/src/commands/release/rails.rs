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
use serde::Serialize;

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

/// What came of holding a release against the rails.
#[derive(Serialize)]
pub(in crate::commands) struct Held {
    /// The rails that were set off.
    pub(in crate::commands) alarms: Vec<Alarm>,
    /// How many hashes of harmless pictures and files it was held against.
    pub(in crate::commands) canaries: usize,
    /// Since which version the list is known without a gap, so that nothing comes back unnoticed.
    known_since: Option<u64>,
}

/// The rails that a release sets off. One that stops it is an error, which begins with what was not done, unless it was accepted.
pub(in crate::commands) fn check(rails: &RailArgs, subject: Subject<'_>, undone: &str) -> Result<Held> {
    let held = look(rails, subject)?;
    let stopping: Vec<&Alarm> = held.alarms.iter().filter(|alarm| stops(rails, alarm)).collect();
    if stopping.is_empty() {
        return Ok(held);
    }
    let flags = stopping.iter().filter_map(|alarm| way_out(alarm.rail));
    let hint: String = flags.map(|flag| format!("\n  If that is meant: {flag}")).collect();
    let words: String = stopping.into_iter().map(alarm_words).collect();
    Err(Refused(format!("{undone}: a guard rail stops the release{words}{hint}")).into())
}

/// The rails that a release sets off.
pub(in crate::commands) fn look(rails: &RailArgs, subject: Subject<'_>) -> Result<Held> {
    let Subject { change, after, charter, past } = subject;
    let mut canaries = if rails.no_built_in_canaries { Canaries::none() } else { Canaries::built_in() };
    for path in &rails.canaries {
        let added = canaries.add(path, charter.matching.algorithm);
        added.with_context(|| format!("{} can't serve as canaries", path.display()))?;
    }
    let alarms = inspect(change, after, Against { charter, canaries: &canaries, past })?;
    let canaries = canaries.of(charter.matching.algorithm).count();
    Ok(Held { alarms, canaries, known_since: past.since() })
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

impl Held {
    /// What it was held against, and the rails that were set off, a line each.
    pub(in crate::commands) fn words(&self) -> String {
        let canaries = match self.canaries {
            0 => "\n  ! held against no harmless picture or file: nothing shows that the list matches none".to_owned(),
            count => format!("\n  · held against {count} harmless pictures and files"),
        };
        self.alarms.iter().map(alarm_words).fold(canaries, |words, alarm| words + &alarm)
    }
}

fn alarm_words(alarm: &Alarm) -> String {
    let mark = if alarm.severity == Severity::Stops { '✗' } else { '!' };
    let entries = alarm.entries.iter().map(|entry| format!("\n      {entry}"));
    entries.fold(format!("\n  {mark} {}", alarm.words), |words, entry| words + &entry)
}
