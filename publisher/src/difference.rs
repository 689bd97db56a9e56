//! What would change from one list to another, in words and numbers, before anything is signed.

use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries, ListError, delta, snapshot};
use serde::Serialize;

/// The most entries that a report shows, unless all are asked for.
pub const SHOWN: usize = 20;

/// What would change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DifferenceReport {
    /// Entries in the old list.
    pub before: u64,
    /// Entries in the new list.
    pub after: u64,
    /// Entries that come.
    pub added: u64,
    /// Entries that go.
    pub removed: u64,
    /// Irregular entries in the old list.
    pub irregular_before: u64,
    /// Irregular entries in the new list.
    pub irregular_after: u64,
    /// The bytes that a client of the old list fetches.
    pub delta_bytes: u64,
    /// The bytes that a new client fetches.
    pub snapshot_bytes: u64,
    /// The first entries that come, in hexadecimal.
    pub first_added: Vec<String>,
    /// The first entries that go, in hexadecimal.
    pub first_removed: Vec<String>,
}

/// Compares two lists of one algorithm, and shows at most so many entries that come, and that go.
pub fn between(
    old: &Entries,
    new: &Entries,
    algorithm: Algorithm,
    shown: usize,
) -> Result<DifferenceReport, ListError> {
    let (there, back) = (delta::diff(old, new)?, delta::diff(new, old)?);
    let first = |entries: &Entries| entries.iter().take(shown).map(to_hex).collect();
    Ok(DifferenceReport {
        before: old.len() as u64,
        after: new.len() as u64,
        added: there.added().len() as u64,
        removed: there.removed().len() as u64,
        irregular_before: old.irregular(algorithm)?,
        irregular_after: new.irregular(algorithm)?,
        delta_bytes: delta::encode(&there).len() as u64,
        snapshot_bytes: snapshot::encoded_len(algorithm.entry_size(), new.len() as u64).unwrap_or_default(),
        first_added: first(there.added()),
        first_removed: first(back.added()),
    })
}

impl DifferenceReport {
    /// Whether the two lists are the same.
    pub fn is_empty(&self) -> bool {
        self.added == 0 && self.removed == 0
    }

    /// What would change, in words.
    pub fn words(&self) -> String {
        if self.is_empty() {
            return format!("nothing changes: both have the same {} entries", self.before);
        }
        let kept = self.before - self.removed;
        let mut words = format!(
            "{} entries come ({} of the new list), {} go ({} of the old one), {kept} stay: {} before, {} after\n  \
             irregular entries: {} before, {} after\n  to fetch: {} bytes as a delta, {} as a snapshot",
            self.added,
            share(self.added, self.after),
            self.removed,
            share(self.removed, self.before),
            self.before,
            self.after,
            self.irregular_before,
            self.irregular_after,
            self.delta_bytes,
            self.snapshot_bytes,
        );
        for (sign, entries, all) in [('+', &self.first_added, self.added), ('−', &self.first_removed, self.removed)] {
            words.extend(entries.iter().map(|entry| format!("\n  {sign} {entry}")));
            let hidden = all - entries.len() as u64;
            if hidden > 0 {
                words += &format!("\n  {sign} … {hidden} more");
            }
        }
        words
    }
}

/// A part of a whole, in percent with one decimal.
pub(crate) fn share(part: u64, whole: u64) -> String {
    let thousandths = u128::from(part) * 1000 / u128::from(whole.max(1));
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entries;

    #[test]
    fn a_difference_is_counted_and_said() {
        let (old, new) = (entries(1, 1000), entries(1, 1010));
        let less = Entries::from_sorted(32, new.as_bytes()[32..].to_vec()).unwrap();
        let report = between(&old, &less, Algorithm::PdqFull, 3).unwrap();
        assert_eq!((report.before, report.after, report.added + report.removed), (1000, 1009, 11));
        assert!(report.first_added.len() <= 3 && report.first_removed.len() <= 3);
        let words = report.words();
        assert!(words.contains("1000 before, 1009 after") && words.contains("more"), "{words}");
        let back = between(&less, &old, Algorithm::PdqFull, 3).unwrap();
        assert_eq!((back.added, back.removed), (report.removed, report.added));
        assert!(between(&old, &old, Algorithm::PdqFull, 3).unwrap().words().starts_with("nothing changes"));
        assert!(between(&old, &old, Algorithm::Md5, 3).is_err());
    }

    #[test]
    fn shares_are_rounded_down() {
        for (part, whole, words) in [(0, 0, "0.0 %"), (1, 3, "33.3 %"), (5, 5, "100.0 %"), (1, 10_000, "0.0 %")] {
            assert_eq!(share(part, whole), words);
        }
    }
}
