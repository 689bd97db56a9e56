//! Which hash was given under which id, remembered from one import to the next: a line each, with
//!
//! - the first 16 bytes of SHA-256 of the id, and the hash, in hexadecimal;
//! - `unselected` if its record is not among those that are selected, `gone` if it was withdrawn since, or else nothing;
//!
//! and a last line, `end` and how many these are. So a file that was emptied or cut is not taken for all that was remembered: what it
//! lost could not be withdrawn by its id any more.

use super::ImportError;
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_core::hash::sha256;
use isonomy_core::list::Algorithm;
use std::io::{self, BufRead, Read, Write};

/// More than the longest line.
const LINE: u64 = 256;

/// SHA-256 of a source's name for a record, cut to 16 bytes.
pub(super) type Id = [u8; 16];

/// A hash that was given under an id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Given {
    pub(super) id: Id,
    pub(super) hash: Vec<u8>,
    pub(super) standing: Standing,
}

/// What became of a hash that was given under an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// Its record gives it, and was selected.
    Stands,
    /// Its record gives it, and was not selected.
    Unselected,
    /// Its record was withdrawn, or gives another hash.
    Gone,
}

impl Standing {
    const ALL: [Self; 3] = [Self::Stands, Self::Unselected, Self::Gone];

    /// What stands behind the hash.
    fn mark(self) -> &'static str {
        match self {
            Self::Stands => "",
            Self::Unselected => " unselected",
            Self::Gone => " gone",
        }
    }
}

impl Given {
    fn parse(line: &str) -> Option<Self> {
        let (id, rest) = line.split_once(' ')?;
        let (hash, mark) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
        let standing = Standing::ALL.into_iter().find(|standing| standing.mark() == mark)?;
        Some(Self { id: from_hex(id)?.try_into().ok()?, hash: from_hex(hash)?, standing })
    }
}

/// Writes what [`read`] reads.
pub(super) fn write(ids: &[Given], mut out: impl Write) -> io::Result<()> {
    for Given { id, hash, standing } in ids {
        writeln!(out, "{} {}{}", to_hex(id), to_hex(hash), standing.mark())?;
    }
    writeln!(out, "end {}", ids.len())?;
    out.flush()
}

/// Reads the ids under which hashes by this algorithm were given, and gives them to `know`.
pub(super) fn read(
    mut kept: impl BufRead,
    algorithm: Algorithm,
    mut know: impl FnMut(Given) -> io::Result<()>,
) -> Result<(), ImportError> {
    let mut line = String::new();
    for ids in 0u64.. {
        line.clear();
        let read = kept.by_ref().take(LINE).read_line(&mut line)?;
        let strange = ImportError::Ids { line: ids + 1 };
        match line.strip_suffix('\n') {
            None if (read as u64) < LINE => return Err(ImportError::IdsCut { ids }),
            None => return Err(strange),
            Some(end) if end == format!("end {ids}") && kept.fill_buf()?.is_empty() => return Ok(()),
            Some(line) => {
                let given = Given::parse(line).filter(|given| given.hash.len() == algorithm.entry_size());
                know(given.ok_or(strange)?).map_err(ImportError::sorting)?;
            }
        }
    }
    Ok(())
}

/// The id that stands for a source's name for a record.
pub(super) fn identity(id: &str) -> Id {
    sha256(&[id.as_bytes()]).first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Given> {
        let given = |(byte, standing)| Given { id: [byte; 16], hash: vec![byte; 16], standing };
        [(1, Standing::Stands), (2, Standing::Unselected), (3, Standing::Gone)].map(given).to_vec()
    }

    fn back(kept: &[u8]) -> Result<Vec<Given>, ImportError> {
        let mut found = Vec::new();
        read(kept, Algorithm::Md5, |given| {
            found.push(given);
            Ok(())
        })
        .map(|()| found)
    }

    #[test]
    fn what_was_written_is_read_and_nothing_that_was_cut() {
        for ids in [&all()[..], &all()[..1], &[]] {
            let mut kept = Vec::new();
            write(ids, &mut kept).unwrap();
            assert_eq!(back(&kept).unwrap(), ids);
            for end in 0..kept.len() {
                let whole = kept[..end].iter().filter(|&&byte| byte == b'\n').count() as u64;
                let cut = back(&kept[..end]);
                assert!(matches!(cut, Err(ImportError::IdsCut { ids }) if ids == whole), "{end}: {cut:?}");
            }
            let more = back(&[&kept[..], b"\n"].concat());
            assert!(matches!(more, Err(ImportError::Ids { line }) if line == ids.len() as u64 + 1), "{more:?}");
        }
    }

    #[test]
    fn what_is_not_as_it_was_written_is_refused() {
        let (id, hash) = ("00".repeat(16), "07".repeat(16));
        for line in [
            String::new(),
            "00".to_owned(),
            "00 00".to_owned(),
            format!("{id} {hash} GONE"),
            format!("{id} {hash} gone 1"),
            format!("{id} 07"),
            format!("{id} {}", "07".repeat(32)),
            "end".to_owned(),
            "end 00".to_owned(),
            "end 2".to_owned(),
            "7".repeat(300),
        ] {
            let refused = back(format!("{id} {hash}\n{line}\nend 2\n").as_bytes());
            assert!(matches!(refused, Err(ImportError::Ids { line: 2 })), "{line}: {refused:?}");
        }
    }
}
