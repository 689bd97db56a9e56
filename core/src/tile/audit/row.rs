//! One tile against what is above and below it.

use super::Fault;
use crate::hash::NodeHash;
use crate::tile::nodes::root_of_row;
use crate::tile::{TileError, TileKind, TilePath, parse_hashes};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The hashes of a tile that was read.
pub(super) fn parse_row(tile: &TilePath, read: Result<&[u8], String>) -> Result<Vec<NodeHash>, Fault> {
    let bytes = read.map_err(|reason| Fault::Unreadable { tile: *tile, reason })?;
    parse_hashes(bytes, tile.width()).map_err(|error| malformed(tile, &error))
}

pub(super) fn malformed(tile: &TilePath, error: &TileError) -> Fault {
    Fault::Malformed { tile: *tile, reason: error.to_string() }
}

/// The position of the first hash of `row` that is known to differ from the value below it.
pub(super) fn first_difference(row: &[NodeHash], values: &[Option<NodeHash>]) -> Option<u16> {
    let differs = |(hash, value): (&NodeHash, &Option<NodeHash>)| value.is_some_and(|value| value != *hash);
    row.iter().zip(values).position(differs).map(|position| position as u16)
}

/// The root of values that are all there.
pub(super) fn root_of_values(values: &[Option<NodeHash>]) -> Option<NodeHash> {
    root_of_row(&values.iter().copied().collect::<Option<Vec<NodeHash>>>()?)
}

/// A tile above level 0 that nothing above it has shown to be right, and what is known around it.
pub(super) struct Suspect<'a> {
    pub(super) tile: TilePath,
    /// Its hashes, if it is there and well-formed.
    pub(super) row: Option<&'a [NodeHash]>,
    /// What its root should be: the hash above it, if that is right.
    pub(super) expected: Option<NodeHash>,
    /// The roots of the tiles below it, as far as they are known.
    pub(super) values: &'a [Option<NodeHash>],
}

impl Suspect<'_> {
    /// The root of the full tile that should be here, and what is wrong with the one that is.
    pub(super) fn judge(&self) -> (Option<NodeHash>, Vec<Fault>) {
        let computed = if self.tile.is_full() { root_of_values(self.values) } else { None };
        let differs = self.row.and_then(|row| first_difference(row, self.values));
        let fault = match (self.expected, differs) {
            (Some(expected), Some(position)) if computed == Some(expected) => {
                Some(Fault::Hash { tile: self.tile, position })
            }
            (Some(_), _) => self.row.map(|_| Fault::Foreign { tile: self.tile }),
            (None, Some(position)) => Some(Fault::Undecided { tile: self.tile, position }),
            (None, None) => None,
        };
        (self.expected.or(computed), fault.into_iter().collect())
    }
}

/// The same fault where everything below is known to be right.
pub(super) fn decided(fault: Fault) -> Fault {
    match fault {
        Fault::Undecided { tile, position } => Fault::Hash { tile, position },
        other => other,
    }
}

/// Whether the fault is of the tile with this path, of hashes above level 1, which [`Top`](super::Top) reports.
pub(super) fn is_of_top(tile: &TilePath) -> bool {
    matches!(tile.kind(), TileKind::Hashes { level: 2.. })
}
