//! Rules 7 and 8 for content: what a release says of its entries is what whoever holds them counts.

use super::Violation;
use crate::list::entries::MAX_ENTRIES;
use crate::list::{Algorithm, Entries, snapshot};
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
    let irregular =
        entries.irregular(algorithm).map_err(|error| Violation::ForbiddenEntry { problem: error.to_string() })?;
    count("irregular entries", release.irregular, irregular)?;
    if let Some(churn) = churn {
        count("added entries", release.added, churn.added)?;
        count("removed entries", release.removed, churn.removed)?;
    }
    Ok(())
}

/// Judges the size that a release names for its snapshot before anybody fetches it. It follows from the number of entries,
/// so a release can't make a client read more than a list of that many entries takes.
pub fn judge_snapshot_size(release: &Release, algorithm: Algorithm) -> Result<(), Violation> {
    let over = Violation::OverLimit { what: "entries", found: release.entries, limit: MAX_ENTRIES };
    let size = snapshot::encoded_len(algorithm.entry_size(), release.entries).ok_or(over)?;
    count("bytes of the snapshot", release.snapshot.size, size)
}

fn count(what: &'static str, stated: u64, counted: u64) -> Result<(), Violation> {
    if stated == counted { Ok(()) } else { Err(Violation::CountMismatch { what, stated, counted }) }
}
