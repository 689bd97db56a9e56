//! What a memory amounts to, in a file beside it: `{"lines":2,"sha256":"…"}`, how many lines it has, and the SHA-256 of all of them, each
//! with its newline. It is written after each line, so the memory is at most one line ahead.

use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use isonomy_store::files::{self, FileError};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file beside a memory.
pub(super) const NAME: &str = "signed.seal";
/// More than it takes.
const MAX_SEAL: usize = 256;

/// How many lines there are, and their digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seal {
    lines: usize,
    sha256: String,
}

/// That a seal can't be understood: it is larger than any, or no such line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unreadable;

/// How a memory is not what it was when it was sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wrong {
    /// It has all that it had, and more.
    Grown,
    /// It does not begin with so many lines that it had.
    Lost { lines: usize },
}

impl Seal {
    pub(super) fn of(lines: &[String]) -> Self {
        let parts: Vec<&[u8]> = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"]).collect();
        Self { lines: lines.len(), sha256: to_hex(&sha256(&parts)) }
    }

    /// The seal in this file; `None` if there is no file.
    pub(super) fn read(path: &Path) -> Result<Option<Result<Self, Unreadable>>, FileError> {
        match files::read_limited(path, MAX_SEAL) {
            Ok(text) => Ok(text.map(|text| serde_json::from_slice(&text).map_err(|_| Unreadable))),
            Err(FileError::TooLarge { .. }) => Ok(Some(Err(Unreadable))),
            Err(error) => Err(error),
        }
    }

    /// Writes it durably.
    pub(super) fn write(&self, path: &Path) -> Result<(), FileError> {
        let text = format!("{{\"lines\":{},\"sha256\":\"{}\"}}\n", self.lines, self.sha256);
        files::replace(path, text.as_bytes())
    }

    pub(super) fn check(&self, lines: &[String]) -> Result<(), Wrong> {
        match lines.get(..self.lines) {
            Some(sealed) if Self::of(sealed) != *self => Err(Wrong::Lost { lines: self.lines }),
            Some(sealed) if sealed.len() < lines.len() => Err(Wrong::Grown),
            Some(_) => Ok(()),
            None => Err(Wrong::Lost { lines: self.lines }),
        }
    }
}
