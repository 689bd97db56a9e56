//! Batches that are on their way into the tree: durable before anything is signed, needed until their tiles are.
//!
//! ```text
//! private/staged-0, private/staged-1      two tapes (`isonomy_store::files::Tape`)
//! a record                                size of the tree before (8 bytes) ‖ root of the tree after (32 bytes)
//!                                         ‖ number of entries (2 bytes) ‖ the entries, as in a tile
//! ```
//!
//! One tape is written while the tiles of what is on the other are being written. When those are durable, the tapes change
//! places and the old records are written over. A reader knows old records from new ones by the size of the tree that they
//! go on from.

use super::LogError;
use isonomy_core::hash::RootHash;
use isonomy_core::tile::{self, TileError};
use isonomy_core::tree::TreeSize;
use isonomy_store::files::{FileError, Tape};
use std::path::Path;

const NAMES: [&str; 2] = ["staged-0", "staged-1"];

/// A batch that was read from a tape.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// The size of the tree that it goes on from.
    pub(super) old: TreeSize,
    /// The root of the tree with it. Whoever reads compares: what was staged with another root is not what was meant.
    pub(super) root: RootHash,
    pub(super) entries: Vec<Vec<u8>>,
}

impl Batch {
    /// The size of the tree with it.
    pub(super) fn new_size(&self) -> TreeSize {
        TreeSize(self.old.0.saturating_add(self.entries.len() as u64))
    }

    fn encode(old: TreeSize, root: &RootHash, entries: &[Vec<u8>]) -> Result<Vec<u8>, TileError> {
        let count = u16::try_from(entries.len()).map_err(|_| TileError::EntryCount { expected: u16::MAX })?;
        Ok([&old.0.to_be_bytes()[..], &root.0, &count.to_be_bytes(), &tile::encode_entries(entries)?].concat())
    }

    /// What is whole was written by us, so that what can't be parsed is another kind of file.
    fn parse(record: &[u8]) -> Option<Self> {
        let (old, rest) = record.split_first_chunk()?;
        let (root, rest) = rest.split_first_chunk()?;
        let (count, entries) = rest.split_first_chunk()?;
        let entries = tile::parse_entries(entries, u16::from_be_bytes(*count)).ok()?;
        Some(Self { old: TreeSize(u64::from_be_bytes(*old)), root: RootHash(*root), entries })
    }
}

pub(super) struct Staging {
    tapes: [Tape; 2],
    current: usize,
}

impl Staging {
    /// Opens both tapes in this folder; gives the batches on them that go on from one another, by ascending sizes, those
    /// that are not needed any more among them.
    pub(super) fn open(folder: &Path) -> Result<(Self, Vec<Batch>), FileError> {
        let [first, second] = NAMES.map(|name| Tape::open(&folder.join(name)));
        let mut tapes = [first?, second?];
        let mut batches = Vec::new();
        for tape in &mut tapes {
            batches.extend(batches_on(tape)?);
        }
        batches.sort_by_key(|batch| batch.old);
        Ok((Self { tapes, current: 0 }, batches))
    }

    /// Stages a batch, durably, and gives it as it stands in the file.
    pub(super) fn write(&mut self, old: TreeSize, root: &RootHash, entries: &[Vec<u8>]) -> Result<Batch, LogError> {
        let size = TreeSize(old.0 + entries.len() as u64);
        let record = Batch::encode(old, root, entries).map_err(|source| LogError::Entries { source })?;
        let stored = self.tapes[self.current].write_durable(&record)?;
        Batch::parse(&stored).ok_or(LogError::StoredOtherwise { size })
    }

    /// What is staged from now on goes to the other tape, whose batches nobody needs any more.
    pub(super) fn turn(&mut self) {
        self.current = 1 - self.current;
        self.tapes[self.current].rewind();
    }
}

/// The batches from the start of a tape, as long as each goes on from the one before: what follows then is older.
fn batches_on(tape: &mut Tape) -> Result<Vec<Batch>, FileError> {
    let mut batches: Vec<Batch> = Vec::new();
    tape.rewind();
    while let Some(batch) = tape.read()?.and_then(|record| Batch::parse(&record)) {
        if batches.last().is_some_and(|before| before.new_size() != batch.old) {
            break;
        }
        batches.push(batch);
    }
    tape.rewind();
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(old: u64, count: u64) -> Batch {
        let entries = (old..old + count).map(|number| format!("entry {number}").into_bytes()).collect();
        Batch { old: TreeSize(old), root: RootHash([old as u8; 32]), entries }
    }

    fn read(folder: &Path) -> Vec<Batch> {
        Staging::open(folder).unwrap().1
    }

    #[test]
    fn batches_come_back_in_order_from_both_tapes() {
        let dir = tempfile::tempdir().unwrap();
        let (mut staging, found) = Staging::open(dir.path()).unwrap();
        assert!(found.is_empty());
        let write = |staging: &mut Staging, batch: &Batch| {
            assert_eq!(&staging.write(batch.old, &batch.root, &batch.entries).unwrap(), batch);
        };
        let all = [batch(0, 3), batch(3, 1), batch(4, 5), batch(9, 300)];
        write(&mut staging, &all[0]);
        write(&mut staging, &all[1]);
        staging.turn();
        write(&mut staging, &all[2]);
        assert_eq!(read(dir.path()), all[..3]);
        staging.turn();
        write(&mut staging, &all[3]);
        assert_eq!(read(dir.path()), all[2..], "the first tape was written over");
    }

    #[test]
    fn what_follows_the_newest_batch_is_not_taken_for_newer() {
        let dir = tempfile::tempdir().unwrap();
        let (mut staging, _) = Staging::open(dir.path()).unwrap();
        let write = |staging: &mut Staging, old| {
            let Batch { old, root, entries } = batch(old, 2);
            staging.write(old, &root, &entries).unwrap();
        };
        for old in [0, 2, 4] {
            write(&mut staging, old);
        }
        staging.turn();
        staging.turn();
        write(&mut staging, 16);
        assert_eq!(read(dir.path()).iter().map(|batch| batch.old.0).collect::<Vec<_>>(), [16]);
    }
}
