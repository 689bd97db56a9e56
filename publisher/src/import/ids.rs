//! Which hash was given under which id, remembered from one import to the next.

use isonomy_core::encoding::from_hex;
use isonomy_core::hash::sha256;

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

    /// What stands behind the hash in a file of ids.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Stands => "",
            Self::Unselected => " unselected",
            Self::Gone => " gone",
        }
    }
}

impl Given {
    /// As [`Imported::write_ids`](super::Imported::write_ids) writes it.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (id, rest) = line.split_once(' ')?;
        let (hash, mark) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
        let standing = Standing::ALL.into_iter().find(|standing| standing.mark() == mark)?;
        Some(Self { id: from_hex(id)?.try_into().ok()?, hash: from_hex(hash)?, standing })
    }
}

/// The id that stands for a source's name for a record.
pub(super) fn identity(id: &str) -> Id {
    sha256(&[id.as_bytes()]).first_chunk().copied().unwrap_or_default()
}
