//! What can be wrong.

use crate::hash::RootHash;
use crate::tile::{TILE_WIDTH, TileKind, TilePath};
use crate::tree::LeafIndex;
use alloc::string::String;
use core::fmt;

/// Something that is wrong with a log's files.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// A tile of hashes or entries is missing or can't be read.
    Unreadable {
        /// The tile.
        tile: TilePath,
        /// Why.
        reason: String,
    },
    /// A tile that has not the form of one.
    Malformed {
        /// The tile.
        tile: TilePath,
        /// What is wrong with it.
        reason: String,
    },
    /// A hash in a tile is not the one that the log has signed.
    Hash {
        /// The tile.
        tile: TilePath,
        /// The place of the hash in it, from 0.
        position: u16,
    },
    /// An entry is not the one that the log has signed.
    Entry {
        /// Its place in the log.
        index: LeafIndex,
    },
    /// A well-formed tile of hashes or entries is not the one that the log has signed; nothing is left to tell where it
    /// differs.
    Foreign {
        /// The tile.
        tile: TilePath,
    },
    /// A hash in a tile is not that of what is below it, and the tiles above are too damaged to tell which is wrong.
    Undecided {
        /// The tile.
        tile: TilePath,
        /// The place of the hash in it, from 0.
        position: u16,
    },
    /// The entries have another root than the signed one.
    Root {
        /// The root of what is there; `None` if too much is missing.
        computed: Option<RootHash>,
    },
}

/// Says what is wrong in one sentence.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { tile, reason } => write!(f, "{tile} can't be read: {reason}"),
            Self::Malformed { tile, reason } => write!(f, "{tile} is malformed: {reason}"),
            Self::Hash { tile, position } => write!(f, "{tile}: hash {position} is not the one that the log signed"),
            Self::Entry { index } => write!(f, "entry {index} is not the one that the log signed"),
            Self::Foreign { tile } => write!(f, "{tile} is not the one that the log signed"),
            Self::Undecided { tile, position } => {
                let below = Below { tile, position: *position };
                write!(
                    f,
                    "{tile}: hash {position} is not that of {below}; what is above is damaged, too, so that nothing tells which of the two is wrong"
                )
            }
            Self::Root { computed: Some(root) } => {
                write!(f, "the entries have the root {}, which is not the signed one", root.to_base64())
            }
            Self::Root { computed: None } => f.write_str("so much is missing that the root can't be computed"),
        }
    }
}

/// What a hash in a tile is the hash of.
struct Below<'t> {
    tile: &'t TilePath,
    position: u16,
}

impl fmt::Display for Below<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.tile.index().saturating_mul(u64::from(TILE_WIDTH)) + u64::from(self.position);
        match self.tile.kind() {
            TileKind::Hashes { level: level @ 1.. } => {
                let below = TilePath::new(TileKind::Hashes { level: level - 1 }, index, TILE_WIDTH);
                below.map_or(Ok(()), |below| below.fmt(f))
            }
            _ => write!(f, "entry {index}"),
        }
    }
}
