//! A journal of any length: lines in files `name.journal`, `name-1.journal`, and so on, each as large as the store's
//! journals may be.

use isonomy_core::encoding::from_decimal;
use isonomy_store::files::{self, FileError, MAX_JOURNAL_SIZE};
use std::path::{Path, PathBuf};

/// Where the next line goes.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    name: &'static str,
    /// The number of the file that is written to.
    number: u64,
    /// How many bytes a file may have.
    most: usize,
}

impl Journal {
    /// The journal of this name in a folder. `each` is shown every line, one file after the other.
    pub(crate) fn open(folder: &Path, name: &'static str, each: impl FnMut(&str)) -> Result<Self, FileError> {
        Self::with_files_of(MAX_JOURNAL_SIZE, folder, name, each)
    }

    fn with_files_of(
        most: usize,
        folder: &Path,
        name: &'static str,
        mut each: impl FnMut(&str),
    ) -> Result<Self, FileError> {
        let mut journal = Self { folder: folder.to_owned(), name, number: 0, most };
        for number in journal.numbers()? {
            let path = journal.path(number);
            match files::read_lines(&path) {
                Ok(lines) => lines.iter().for_each(|line| each(line)),
                Err(error @ FileError::Io { .. }) => return Err(error),
                // What it says is found out again.
                Err(error) => {
                    tracing::warn!(%error, "a journal is damaged and set aside");
                    files::rename_durable(&path, &files::free_beside(&path, "damaged"))?;
                }
            }
            journal.number = number;
        }
        Ok(journal)
    }

    /// The numbers of the files that are there, ascending.
    fn numbers(&self) -> Result<Vec<u64>, FileError> {
        let names = files::names_in(&self.folder)?;
        let number =
            |name: &std::ffi::OsString| match name.to_str()?.strip_prefix(self.name)?.strip_suffix(".journal")? {
                "" => Some(0),
                rest => from_decimal(rest.strip_prefix('-')?),
            };
        let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(match number {
            0 => format!("{}.journal", self.name),
            _ => format!("{}-{number}.journal", self.name),
        })
    }

    /// Adds lines; they are durable when this returns `Ok`, all at once.
    pub(crate) fn append(&mut self, lines: &[String]) -> Result<(), FileError> {
        let new: usize = lines.iter().map(|line| line.len() + 1).sum();
        let path = self.path(self.number);
        let held = std::fs::metadata(&path).map_or(0, |found| usize::try_from(found.len()).unwrap_or(usize::MAX));
        if held > 0 && held.saturating_add(new) >= self.most {
            self.number += 1;
        }
        files::append_lines_durable(&self.path(self.number), lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_in_another_file_when_one_is_full() {
        let dir = tempfile::tempdir().unwrap();
        let open = || {
            let mut lines = Vec::new();
            let journal = Journal::with_files_of(40, dir.path(), "content", |line| lines.push(line.to_owned()));
            (journal.unwrap(), lines)
        };
        let (mut journal, none) = open();
        assert!(none.is_empty());
        let line = |number: usize| format!("line {number}");
        for number in 0..20 {
            journal.append(&[line(2 * number), line(2 * number + 1)]).unwrap();
        }
        let (mut journal, lines) = open();
        assert_eq!(lines, (0..40).map(line).collect::<Vec<_>>());
        assert!(journal.number > 5 && dir.path().join("content.journal").exists());
        journal.append(&[line(40)]).unwrap();
        assert_eq!(open().1.len(), 41);
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_those_after_it_count() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("content.journal"), [0xff, b'\n']).unwrap();
        std::fs::write(dir.path().join("content-1.journal"), "good\n").unwrap();
        let mut lines = Vec::new();
        let mut journal = Journal::open(dir.path(), "content", |line| lines.push(line.to_owned())).unwrap();
        assert_eq!((lines.as_slice(), journal.number), (&["good".to_owned()][..], 1));
        assert!(dir.path().join("content.journal.damaged-1").exists());
        journal.append(&["more".to_owned()]).unwrap();
        assert_eq!(Journal::open(dir.path(), "content", |_| ()).unwrap().number, 1);
        assert_eq!(std::fs::read_to_string(dir.path().join("content-1.journal")).unwrap(), "good\nmore\n");
    }
}
