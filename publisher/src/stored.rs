//! A list in a file, read piece by piece: who goes through it once need not have it in memory.

use isonomy_core::hash::ListRoot;
use isonomy_core::list::entries::MAX_ENTRIES;
use isonomy_core::list::{Entries, ListError};
use isonomy_core::tree::Frontier;
use isonomy_store::files::FileError;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Entries in a piece: a multiple of the chunks in which a list's tree is hashed.
const PIECE: usize = 1 << 15;

/// Why a list in a file can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// The file can't be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is in it is no list.
    #[error(transparent)]
    List(#[from] ListError),
    /// It has other bytes than it should.
    #[error("{path} has other bytes than when it was written")]
    OtherBytes {
        /// The file.
        path: PathBuf,
    },
}

/// A list in a file: its entries, one after the other.
#[derive(Clone, Debug)]
pub struct StoredList {
    path: PathBuf,
    entry_size: usize,
    root: Option<ListRoot>,
}

impl StoredList {
    /// The list of entries of `entry_size` bytes in this file. Nothing is looked at before it is read.
    pub fn new(path: &Path, entry_size: usize) -> Self {
        Self { path: path.to_owned(), entry_size, root: None }
    }

    /// The same of a file whose list has this root, or it can't be read.
    pub fn of_root(self, root: ListRoot) -> Self {
        Self { root: Some(root), ..self }
    }

    /// Reads the list once, and gives it to `take` piece by piece. Each piece ascends, as do the pieces. Where its root is known,
    /// what `take` made of it counts only if this succeeds.
    pub fn pieces<E: From<StoredError>>(&self, mut take: impl FnMut(&Entries) -> Result<(), E>) -> Result<(), E> {
        let mut file = File::open(&self.path).map_err(|error| self.failed("open", error))?;
        let (mut bytes, mut last, mut before) = (Vec::new(), Vec::new(), 0);
        let mut tree = self.root.map(|expected| (expected, Frontier::new()));
        loop {
            bytes.clear();
            let read = file.by_ref().take((PIECE * self.entry_size) as u64).read_to_end(&mut bytes);
            read.map_err(|error| self.failed("read", error))?;
            if bytes.is_empty() {
                let is_other = tree.is_some_and(|(expected, found)| found.root().0 != expected.0);
                return if is_other { Err(self.other_bytes().into()) } else { Ok(()) };
            }
            let piece = self.piece(bytes, &last, before)?;
            if let Some((_, tree)) = &mut tree {
                tree.extend_with_entries(piece.as_bytes(), self.entry_size);
            }
            take(&piece)?;
            last = piece.iter().next_back().unwrap_or_default().to_vec();
            before += piece.len() as u64;
            bytes = piece.into_bytes();
        }
    }

    /// Those of the entries that stand in the list.
    pub fn among(&self, entries: &Entries) -> Result<Entries, StoredError> {
        let (mut found, mut wanted) = (Vec::new(), entries.iter().peekable());
        self.pieces(|piece| {
            for listed in piece {
                while wanted.next_if(|&entry| entry < listed).is_some() {}
                found.extend_from_slice(wanted.next_if_eq(&listed).unwrap_or_default());
            }
            Ok::<(), StoredError>(())
        })?;
        Ok(Entries::from_sorted(self.entry_size, found)?)
    }

    /// The whole list.
    pub fn read(&self) -> Result<Entries, StoredError> {
        let length = std::fs::metadata(&self.path).map_err(|error| self.failed("look at", error))?.len();
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        self.pieces(|piece| {
            bytes.extend_from_slice(piece.as_bytes());
            Ok::<(), StoredError>(())
        })?;
        Ok(Entries::from_sorted(self.entry_size, bytes)?)
    }

    /// The next piece, after `before` entries of which this is the last.
    fn piece(&self, bytes: Vec<u8>, last: &[u8], before: u64) -> Result<Entries, StoredError> {
        let piece = Entries::from_sorted(self.entry_size, bytes).map_err(|error| further_on(error, before))?;
        if before + piece.len() as u64 > MAX_ENTRIES {
            return Err(ListError::TooMany.into());
        }
        if piece.get(0).is_some_and(|first| first <= last) {
            return Err(ListError::NotAscending { index: before }.into());
        }
        Ok(piece)
    }

    fn other_bytes(&self) -> StoredError {
        StoredError::OtherBytes { path: self.path.clone() }
    }

    fn failed(&self, action: &'static str, source: io::Error) -> StoredError {
        FileError::Io { action, path: self.path.clone(), source }.into()
    }
}

/// An error about an entry of a piece, as one about that entry of the list.
fn further_on(error: ListError, before: u64) -> ListError {
    match error {
        ListError::NotAscending { index } => ListError::NotAscending { index: before + index },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entries;

    fn pieces(bytes: &[u8]) -> Result<Vec<Entries>, StoredError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        std::fs::write(&path, bytes).unwrap();
        let mut pieces = Vec::new();
        let stored = StoredList::new(&path, 32);
        stored.pieces(|piece| {
            pieces.push(piece.clone());
            Ok::<(), StoredError>(())
        })?;
        let whole: Vec<u8> = pieces.iter().flat_map(|piece| piece.as_bytes().to_vec()).collect();
        assert_eq!(stored.read().unwrap().as_bytes(), whole);
        Ok(pieces)
    }

    #[test]
    fn a_list_comes_in_pieces_that_ascend() {
        let list = entries(1, PIECE as u64 + 10);
        let found = pieces(list.as_bytes()).unwrap();
        assert_eq!(found.iter().map(Entries::len).collect::<Vec<_>>(), [PIECE, 10]);
        assert!(pieces(&[]).unwrap().is_empty());
        // The same entry before and after the border.
        let border = PIECE * 32;
        let twice = [&list.as_bytes()[..border], &list.as_bytes()[border - 32..]].concat();
        let refused = pieces(&twice);
        let at = PIECE as u64;
        assert!(
            matches!(refused, Err(StoredError::List(ListError::NotAscending { index })) if index == at),
            "{refused:?}"
        );
        let mut swapped = list.as_bytes().to_vec();
        swapped[border + 31..border + 64].rotate_left(1);
        swapped[border + 64] = 0;
        assert!(matches!(pieces(&swapped), Err(StoredError::List(ListError::NotAscending { index })) if index > at));
        assert!(matches!(pieces(&list.as_bytes()[..33]), Err(StoredError::List(ListError::Malformed { .. }))));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        std::fs::write(&path, list.as_bytes()).unwrap();
        let wanted = [&list.as_bytes()[32..64], &list.as_bytes()[border..], entries(2, 9).as_bytes()].concat();
        let found = StoredList::new(&path, 32).among(&Entries::from_unsorted(32, wanted).unwrap().0).unwrap();
        assert_eq!(found.as_bytes(), [&list.as_bytes()[32..64], &list.as_bytes()[border..]].concat());
        let of = |root| StoredList::new(&path, 32).of_root(root).read();
        assert_eq!(of(list.root()).unwrap(), list);
        std::fs::write(&path, &list.as_bytes()[..border]).unwrap();
        assert!(matches!(of(list.root()), Err(StoredError::OtherBytes { .. })), "a prefix is a list, too");
        let missing = StoredList::new(Path::new("/no/such/list"), 32).read();
        assert!(matches!(missing, Err(StoredError::File(_))));
    }
}
