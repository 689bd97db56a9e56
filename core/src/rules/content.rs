//! Rules 7 and 8 for content: what a release says of its entries is what whoever holds them counts.

use super::Violation;
use crate::list::{Algorithm, Entries};
use crate::release::Release;
use alloc::string::ToString;

/// How many entries a change adds and removes, as counted by whoever applied it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Churn {
    /// Entries that came.
    pub added: u64,
    /// Entries that went.
    pub removed: u64,
}

/// Judges the content of a release: number, root, and that every entry is valid for the algorithm, or admitted and
/// counted as irregular. `churn` is the change against the release directly before, where it is known.
pub fn judge(
    release: &Release,
    algorithm: Algorithm,
    entries: &Entries,
    churn: Option<Churn>,
) -> Result<(), Violation> {
    count("entries", release.entries, entries.len() as u64)?;
    if entries.root() != release.root {
        return Err(Violation::RootMismatch);
    }
    let irregular = entries
        .irregular(algorithm)
        .map_err(|error| Violation::ForbiddenEntry { problem: error.to_string() })?;
    count("irregular entries", release.irregular, irregular)?;
    if let Some(churn) = churn {
        count("added entries", release.added, churn.added)?;
        count("removed entries", release.removed, churn.removed)?;
    }
    Ok(())
}

fn count(what: &'static str, stated: u64, counted: u64) -> Result<(), Violation> {
    if stated == counted { Ok(()) } else { Err(Violation::CountMismatch { what, stated, counted }) }
}
