//! A journal: a small text file that only ever grows, by whole lines.
//!
//! ```text
//! first line⏎
//! second line⏎
//! ```
//!
//! A line is there once its newline is. What follows the last newline was never acknowledged: it is what a crash left
//! of a line, so readers leave it out and the next writer cuts it off.

use super::{FileError, folder_of, read_limited, sync_folder};
use crate::os::Handle;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;

/// The most bytes that a journal may have: 16 MiB.
pub const MAX_JOURNAL_SIZE: usize = 16 << 20;

/// Adds `line`, which is given without its newline, to a journal; makes the journal if there is none. It is durable when
/// this returns `Ok`; on error it may be there or not, but never a part of it. One writer at a time: hold the folder's
/// lock.
pub fn append_line_durable(path: &Path, line: &str) -> Result<(), FileError> {
    append_lines_durable(path, &[line])
}

/// The same for several lines, with one synchronisation: all of them are durable when this returns `Ok`; on error the first
/// ones may be there, each whole.
pub fn append_lines_durable(path: &Path, lines: &[impl AsRef<str>]) -> Result<(), FileError> {
    let refused = |reason| Err(FileError::Line { path: path.to_owned(), reason });
    let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
    if lines.iter().any(|line| line.contains('\n')) {
        return refused("a line of a journal can't hold a line break");
    }
    let line = lines.join("\n");
    let opened = Handle::open(path, OpenOptions::new().read(true).write(true).create(true).truncate(false));
    let mut file = opened.map_err(|error| FileError::io("open", path, error))?;
    let end = end_of_lines(&mut file).map_err(|error| FileError::io("read", path, error))?;
    if end + line.len() as u64 >= MAX_JOURNAL_SIZE as u64 {
        return refused("the journal is full");
    }
    if let Err(error) = write_line(&mut file, end, &line) {
        let _ = file.set_length(end); // readers would leave the remains out anyway
        return Err(FileError::io("append to", path, error));
    }
    sync_folder(folder_of(path))
}

fn write_line(file: &mut Handle, end: u64, line: &str) -> io::Result<()> {
    file.set_length(end)?;
    file.seek(end)?;
    let mut bytes = Vec::with_capacity(line.len() + 1);
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
    file.write_all(&bytes)?;
    file.sync()
}

/// The place after the last newline.
fn end_of_lines(file: &mut Handle) -> io::Result<u64> {
    let mut end = file.length()?;
    while end > 0 {
        let start = end.saturating_sub(4096);
        let window = file.read_at(start, (end - start) as usize)?;
        if let Some(at) = window.iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The lines of a journal, in order, without their newlines; none if there is no journal.
pub fn read_lines(path: &Path) -> Result<Vec<String>, FileError> {
    let mut bytes = read_limited(path, MAX_JOURNAL_SIZE)?.unwrap_or_default();
    bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1));
    let not_text = |_| FileError::Line { path: path.to_owned(), reason: "the journal is not UTF-8 text" };
    let text = String::from_utf8(bytes).map_err(not_text)?;
    Ok(text.split_terminator('\n').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn lines_come_back_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        assert!(read_lines(&path).unwrap().is_empty());
        let long = "x".repeat(9000);
        let lines = ["first", "", &long, "läst"];
        for line in lines {
            append_line_durable(&path, line).unwrap();
        }
        assert_eq!(read_lines(&path).unwrap(), lines);
        assert!(matches!(append_line_durable(&path, "a\nb"), Err(FileError::Line { .. })));
    }

    #[test]
    fn what_a_crash_left_of_a_line_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        for torn in ["to", &"torn".repeat(3000)] {
            for (whole, lines) in [("", &[][..]), ("one\ntwo\n", &["one", "two"])] {
                fs::write(&path, format!("{whole}{torn}")).unwrap();
                assert_eq!(read_lines(&path).unwrap(), lines);
                append_line_durable(&path, "new").unwrap();
                assert_eq!(fs::read_to_string(&path).unwrap(), format!("{whole}new\n"));
            }
        }
    }

    #[test]
    fn a_full_journal_and_one_of_other_bytes_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        fs::write(&path, b"\xff\n").unwrap();
        assert!(matches!(read_lines(&path), Err(FileError::Line { .. })));
        let mut full = vec![b'x'; MAX_JOURNAL_SIZE - 2];
        full.push(b'\n');
        fs::write(&path, full).unwrap();
        assert!(matches!(append_line_durable(&path, "y"), Err(FileError::Line { .. })));
        append_line_durable(&path, "").unwrap();
        assert_eq!(read_lines(&path).unwrap().len(), 2);
    }
}
