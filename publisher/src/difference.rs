//! What would change from one list to another, in words and numbers, before anything is signed.

use crate::workspace::{Base, ContentError};
use isonomy_core::encoding::to_hex;
use isonomy_core::list::delta::{self, Delta, Differing};
use isonomy_core::list::{Algorithm, Entries, ListError, snapshot};
use serde::Serialize;

/// The most entries that a report shows, unless all are asked for.
pub const SHOWN: usize = 20;

/// What a new list changes of an old one.
#[derive(Clone, Debug)]
pub struct Difference {
    delta: Delta,
    removed: Entries,
    irregular_before: u64,
}

impl Difference {
    /// Against the content of a release; against nothing before the first.
    pub fn from_base(base: Option<&Base>, new: &Entries, algorithm: Algorithm) -> Result<Self, ContentError> {
        let mut finding = Finding::new(new, algorithm);
        if let Some(base) = base {
            base.pieces(|piece| finding.take(piece).map_err(ContentError::from))?;
        }
        Ok(finding.finish()?)
    }

    /// How many entries the old list has.
    pub fn before(&self) -> u64 {
        self.delta.from_len()
    }

    /// What makes the new list of the old one.
    pub fn delta(&self) -> &Delta {
        &self.delta
    }

    /// The entries that come.
    pub fn added(&self) -> &Entries {
        self.delta.added()
    }

    /// The entries that go.
    pub fn removed(&self) -> &Entries {
        &self.removed
    }
}

/// Finds a [`Difference`] while the old list comes piece by piece.
pub struct Finding<'n> {
    differing: Differing<'n>,
    algorithm: Algorithm,
    removed: Vec<u8>,
    irregular: u64,
}

impl<'n> Finding<'n> {
    /// From nothing yet to `new`.
    pub fn new(new: &'n Entries, algorithm: Algorithm) -> Self {
        Self { differing: Differing::new(new), algorithm, removed: Vec::new(), irregular: 0 }
    }

    /// Takes the next entries of the old list.
    pub fn take(&mut self, piece: &Entries) -> Result<(), ListError> {
        self.irregular += piece.irregular(self.algorithm)?;
        let removed = &mut self.removed;
        self.differing.take(piece, |entry| removed.extend_from_slice(entry))
    }

    /// What was found.
    pub fn finish(self) -> Result<Difference, ListError> {
        let removed = Entries::from_sorted(self.algorithm.entry_size(), self.removed)?;
        Ok(Difference { delta: self.differing.finish(), removed, irregular_before: self.irregular })
    }
}

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

/// Says what a new list changes, and shows at most so many entries that come, and that go.
pub fn report(
    difference: &Difference,
    new: &Entries,
    algorithm: Algorithm,
    shown: usize,
) -> Result<DifferenceReport, ListError> {
    let first = |entries: &Entries| entries.iter().take(shown).map(to_hex).collect();
    let (added, removed) = (difference.added(), difference.removed());
    Ok(DifferenceReport {
        before: difference.before(),
        after: new.len() as u64,
        added: added.len() as u64,
        removed: removed.len() as u64,
        irregular_before: difference.irregular_before,
        irregular_after: new.irregular(algorithm)?,
        delta_bytes: delta::encode(difference.delta()).len() as u64,
        snapshot_bytes: snapshot::encoded_len(algorithm.entry_size(), new.len() as u64).unwrap_or_default(),
        first_added: first(added),
        first_removed: first(removed),
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
        let words = format!(
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
        words + &self.entries_words()
    }

    /// The first entries that come, and that go.
    pub fn entries_words(&self) -> String {
        let mut words = String::new();
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
    use crate::testing::{difference, entries};

    fn between(old: &Entries, new: &Entries, shown: usize) -> DifferenceReport {
        report(&difference(old, new), new, Algorithm::PdqFull, shown).unwrap()
    }

    #[test]
    fn a_difference_is_counted_and_said() {
        let (old, new) = (entries(1, 1000), entries(1, 1010));
        let less = Entries::from_sorted(32, new.as_bytes()[32..].to_vec()).unwrap();
        let report = between(&old, &less, 3);
        assert_eq!((report.before, report.after, report.added + report.removed), (1000, 1009, 11));
        assert!(report.first_added.len() <= 3 && report.first_removed.len() <= 3);
        let words = report.words();
        assert!(words.contains("1000 before, 1009 after") && words.contains("more"), "{words}");
        let back = between(&less, &old, 3);
        assert_eq!((back.added, back.removed), (report.removed, report.added));
        assert!(between(&old, &old, 3).words().starts_with("nothing changes"));
        let others = Finding::new(&old, Algorithm::Md5).take(&old);
        assert!(matches!(others, Err(ListError::EntrySize { .. })), "{others:?}");
    }

    #[test]
    fn what_goes_and_what_comes_are_the_entries_themselves() {
        let (old, new) = (entries(1, 100), entries(2, 100));
        let found = difference(&old, &new);
        assert_eq!((found.added(), found.removed(), found.before()), (&new, &old, 100));
        let nothing = difference(&entries(1, 0), &new);
        assert!(std::ptr::eq(nothing.added().as_bytes(), new.as_bytes()), "the list is not in memory twice");
    }

    #[test]
    fn shares_are_rounded_down() {
        for (part, whole, words) in [(0, 0, "0.0 %"), (1, 3, "33.3 %"), (5, 5, "100.0 %"), (1, 10_000, "0.0 %")] {
            assert_eq!(share(part, whole), words);
        }
    }
}
