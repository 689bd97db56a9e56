//! Rules 7 and 8 for content: what a release says of its entries is what whoever holds them counts.

use super::Violation;
use crate::hash::ListRoot;
use crate::list::entries::MAX_ENTRIES;
use crate::list::{Algorithm, Entries, ListError, snapshot};
use crate::release::Release;
use crate::tree::Frontier;
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
    let mut tally = Tally::new(algorithm);
    tally.take(entries);
    tally.judge(release, churn)
}

/// [`judge`] for content that comes piece by piece; what was taken need not be kept. That the entries ascend from piece to
/// piece is for the caller to see to.
pub struct Tally {
    algorithm: Algorithm,
    frontier: Frontier,
    irregular: u64,
    forbidden: Option<ListError>,
}

impl Tally {
    /// Of nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, frontier: Frontier::new(), irregular: 0, forbidden: None }
    }

    /// Takes the next entries.
    pub fn take(&mut self, entries: &Entries) {
        let before = self.frontier.size().0;
        self.frontier.extend_with_entries(entries.as_bytes(), entries.entry_size());
        match entries.irregular(self.algorithm) {
            Ok(irregular) => self.irregular += irregular,
            Err(error) => {
                self.forbidden.get_or_insert(further_on(error, before));
            }
        }
    }

    /// The verdict on all that was taken.
    pub fn judge(self, release: &Release, churn: Option<Churn>) -> Result<(), Violation> {
        count("entries", release.entries, self.frontier.size().0)?;
        if ListRoot(self.frontier.root().0) != release.root {
            return Err(Violation::RootMismatch);
        }
        if let Some(error) = self.forbidden {
            return Err(Violation::ForbiddenEntry { problem: error.to_string() });
        }
        count("irregular entries", release.irregular, self.irregular)?;
        if let Some(churn) = churn {
            count("added entries", release.added, churn.added)?;
            count("removed entries", release.removed, churn.removed)?;
        }
        Ok(())
    }
}

/// An error about an entry of a piece, as one about that entry of the list.
fn further_on(error: ListError, before: u64) -> ListError {
    match error {
        ListError::Forbidden { index, algorithm, reason } => {
            ListError::Forbidden { index: before + index, algorithm, reason }
        }
        other => other,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{charter, release_of};

    const ENTRY: usize = 32;

    /// Two regular entries of `PdqFull`, and one with 129 bits set if asked for.
    fn entries(irregular: usize) -> Entries {
        let mut bytes = [0xf0; 2 * ENTRY].to_vec();
        bytes[0] = 0x0f;
        for at in 0..irregular {
            let mut entry = [0xf0; ENTRY];
            entry[0] = 0xf8 + at as u8;
            bytes.extend(entry);
        }
        Entries::from_sorted(ENTRY, bytes).unwrap()
    }

    fn release(entries: &Entries, irregular: u64) -> Release {
        let counts = (entries.len() as u64, entries.root());
        Release { entries: counts.0, root: counts.1, irregular, added: 3, removed: 1, ..release_of(&charter(), 1) }
    }

    fn judged(edit: impl Fn(&mut Release)) -> Result<(), Violation> {
        let entries = entries(1);
        let mut release = release(&entries, 1);
        edit(&mut release);
        judge(&release, Algorithm::PdqFull, &entries, Some(Churn { added: 3, removed: 1 }))
    }

    fn mismatch(what: &'static str, stated: u64, counted: u64) -> Result<(), Violation> {
        Err(Violation::CountMismatch { what, stated, counted })
    }

    #[test]
    fn content_that_is_what_the_release_says() {
        assert_eq!(judged(|_| ()), Ok(()));
        let entries = entries(0);
        assert_eq!(judge(&release(&entries, 0), Algorithm::PdqFull, &entries, None), Ok(()));
    }

    #[test]
    fn each_count_and_the_root() {
        assert_eq!(judged(|release| release.entries += 1), mismatch("entries", 4, 3));
        assert_eq!(judged(|release| release.root.0[0] ^= 1), Err(Violation::RootMismatch));
        assert_eq!(judged(|release| release.irregular = 0), mismatch("irregular entries", 0, 1));
        assert_eq!(judged(|release| release.added = 2), mismatch("added entries", 2, 3));
        assert_eq!(judged(|release| release.removed = 0), mismatch("removed entries", 0, 1));
    }

    #[test]
    fn in_pieces_it_is_the_same() {
        let entries = entries(1);
        let release = release(&entries, 1);
        let mut tally = Tally::new(Algorithm::PdqFull);
        for entry in &entries {
            tally.take(&Entries::from_sorted(ENTRY, entry.to_vec()).unwrap());
        }
        assert_eq!(tally.judge(&release, Some(Churn { added: 3, removed: 1 })), Ok(()));
        let zero = Entries::from_sorted(ENTRY, [0; ENTRY].to_vec()).unwrap();
        let mut tally = Tally::new(Algorithm::PdqFull);
        [&zero, &entries].into_iter().for_each(|piece| tally.take(piece));
        let all = Entries::from_sorted(ENTRY, [zero.as_bytes(), entries.as_bytes()].concat()).unwrap();
        let forbidden = self::release(&all, 1);
        assert!(matches!(tally.judge(&forbidden, None), Err(Violation::ForbiddenEntry { .. })));
        // It is told where it stands in the list.
        let error = entries_error(&zero);
        assert!(matches!(further_on(error, 3), ListError::Forbidden { index: 3, .. }));
    }

    fn entries_error(entries: &Entries) -> ListError {
        entries.irregular(Algorithm::PdqFull).unwrap_err()
    }

    #[test]
    fn an_entry_that_no_list_may_hold() {
        let zero = Entries::from_sorted(ENTRY, [0; ENTRY].to_vec()).unwrap();
        let verdict = judge(&release(&zero, 0), Algorithm::PdqFull, &zero, None);
        assert!(matches!(verdict, Err(Violation::ForbiddenEntry { .. })), "{verdict:?}");
    }

    #[test]
    fn the_size_of_a_snapshot_follows_from_the_number_of_entries() {
        let size = snapshot::encoded_len(ENTRY, 3).unwrap();
        let mut release = release(&entries(1), 1);
        release.snapshot.size = size;
        assert_eq!(judge_snapshot_size(&release, Algorithm::PdqFull), Ok(()));
        release.snapshot.size = size + 1;
        let larger = mismatch("bytes of the snapshot", size + 1, size);
        assert_eq!(judge_snapshot_size(&release, Algorithm::PdqFull), larger);
        release.entries = u64::MAX;
        let over = judge_snapshot_size(&release, Algorithm::PdqFull);
        assert!(matches!(over, Err(Violation::OverLimit { what: "entries", .. })), "{over:?}");
    }
}
