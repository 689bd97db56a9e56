//! C2SP [tlog-tiles]: a log's tree and entries as immutable files, from which anybody makes any proof.
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]         hashes: W × 32 bytes
//! tile/entries/<N>[.p/<W>]     entries: W × (length, two bytes big-endian ‖ entry)
//!
//! tile/0/x001/234              the 256 leaf hashes from number 1234 × 256
//! tile/1/000.p/17              the roots of the first 17 full tiles of level 0
//! tile/entries/x001/234.p/5    the five entries from number 1234 × 256
//! ```
//!
//! The hashes of a tile of level L are those of the complete subtrees of 256^L leaves, 256 in a full tile. Its index N is
//! written in groups of three digits, all but the last with an `x` before them. A tile at the right edge of the tree is
//! *partial* and has its width W, 1 to 255, in its path; there are no empty tiles.
//!
//! | to do | use |
//! |---|---|
//! | list what a tree of some size consists of | [`tiles_of`], [`entry_tiles`] |
//! | make a proof from tiles | [`tiles_for`], then [`nodes_from_tiles`] or [`node_from_tile`] |
//! | append to a log | [`RightEdge`] |
//! | check all of a log | [`audit`] |
//! | read and write files | [`parse_hashes`], [`encode_hashes`], [`parse_entries`], [`encode_entries`] |
//!
//! Bytes that come from outside are only parsed here. A proof made of their hashes is judged like any other, by
//! [`tree`](crate::tree) against a trusted root.
//!
//! [tlog-tiles]: https://c2sp.org/tlog-tiles

pub mod audit;
mod content;
mod edge;
mod nodes;

pub use content::{encode_entries, encode_hashes, parse_entries, parse_hashes, split_entries};
pub use edge::{RightEdge, Tile};
pub use nodes::{entry_tiles, node_from_tile, nodes_from_tiles, tiles_for, tiles_of};

use crate::encoding::from_decimal;
use crate::hash::HASH_SIZE;
use crate::tree::{LeafIndex, NodeCoordinate, TreeSize};
use alloc::string::ToString;
use core::fmt;

/// The number of hashes or entries in a full tile.
pub const TILE_WIDTH: u16 = 256;

/// The height of a full tile of hashes: it spans so many levels of the tree.
pub const TILE_HEIGHT: u8 = 8;

/// The largest entry, since its length is written with two bytes.
pub const MAX_ENTRY_SIZE: usize = u16::MAX as usize;

/// The highest level that a path can name.
const MAX_LEVEL: u8 = 63;

/// More levels of tiles than this has no tree up to [`TreeSize::MAX`].
const LEVELS: usize = 8;

/// The length of the longest path, rounded up.
const MAX_PATH_SIZE: usize = 64;

/// Why a tile is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Not the path of a tile, or not its only form.
    #[error("not the path of a tile")]
    Path,
    /// A tile of hashes with more or fewer bytes than its width demands.
    #[error("a tile of this width must have {expected} bytes, not {actual}")]
    HashesSize {
        /// How many bytes the width demands.
        expected: usize,
        /// How many there are.
        actual: usize,
    },
    /// The last entry of a bundle lacks bytes.
    #[error("the bundle ends within an entry")]
    EntryTruncated,
    /// More or fewer entries than the width demands.
    #[error("a bundle of this width must hold exactly {expected} entries")]
    EntryCount {
        /// How many entries the width demands.
        expected: u16,
    },
    /// An entry that can't be written.
    #[error("an entry has {size} bytes, more than the {MAX_ENTRY_SIZE} that a log can hold")]
    EntryTooLarge {
        /// The size of that entry.
        size: usize,
    },
    /// The tiles given as the right edge of a tree are not those that its size demands.
    #[error("these are not the partial tiles of a tree of size {size}")]
    NotTheEdge {
        /// The size that was given.
        size: TreeSize,
    },
}

/// What a tile holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TileKind {
    /// Hashes of complete subtrees of 256^`level` leaves.
    Hashes {
        /// 0 to 63; a level of tiles is [`TILE_HEIGHT`] levels of the tree.
        level: u8,
    },
    /// Log entries.
    Entries,
}

/// The name of a tile.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl TilePath {
    /// The tile of this kind at `index` with `width` hashes or entries; `None` if no such tile can exist: a width outside
    /// 1 to 256, a level above 63, or an index beyond 2^63 − 1.
    pub fn new(kind: TileKind, index: u64, width: u16) -> Option<Self> {
        let level = match kind {
            TileKind::Hashes { level } => level,
            TileKind::Entries => 0,
        };
        let exists = level <= MAX_LEVEL && index <= TreeSize::MAX.0 && (1..=TILE_WIDTH).contains(&width);
        exists.then_some(Self { kind, index, width })
    }

    /// The tile of this kind at `index` where there are `count` hashes or entries of that kind in all.
    fn among(count: u64, kind: TileKind, index: u64) -> Option<Self> {
        let before = index.checked_mul(u64::from(TILE_WIDTH))?;
        let width = count.checked_sub(before)?.min(u64::from(TILE_WIDTH));
        Self::new(kind, index, width as u16)
    }

    /// The tile of hashes that tells the hash of `node`, in a tree of this size. `None` if the tree doesn't have that
    /// node as a complete subtree.
    pub fn of_node(node: &NodeCoordinate, size: TreeSize) -> Option<Self> {
        if !node.is_complete_in(size) {
            return None;
        }
        let level = node.level / TILE_HEIGHT;
        let index = node.index >> (TILE_HEIGHT - node.level % TILE_HEIGHT);
        Self::among(size.0 >> (level * TILE_HEIGHT), TileKind::Hashes { level }, index)
    }

    /// The tile of entries that holds the entry at `index`, in a tree of this size. `None` if the tree ends before it.
    pub fn of_entry(index: LeafIndex, size: TreeSize) -> Option<Self> {
        let tile = index.0 / u64::from(TILE_WIDTH);
        (index.0 < size.0).then(|| Self::among(size.0, TileKind::Entries, tile))?
    }

    /// Parses a path, without a slash at its start.
    pub fn parse(text: &str) -> Result<Self, TileError> {
        let path = Self::parse_loosely(text).ok_or(TileError::Path)?;
        // What is written differently, for instance with too many groups of zeroes, is not the path of this tile.
        if path.to_string() == text { Ok(path) } else { Err(TileError::Path) }
    }

    fn parse_loosely(text: &str) -> Option<Self> {
        if text.len() > MAX_PATH_SIZE {
            return None;
        }
        let (kind, place) = text.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes { level: from_decimal(level)?.try_into().ok()? },
        };
        let (groups, width) = match place.split_once(".p/") {
            Some((groups, width)) => (groups, from_decimal(width)?.try_into().ok()?),
            None => (place, TILE_WIDTH),
        };
        Self::new(kind, parse_index(groups)?, width)
    }

    /// What the tile holds.
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// The position among the tiles of its kind, counted from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The number of hashes or entries, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether no growth of the tree will change the tile.
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The index of the first entry that is neither in the tile nor below it nor to its left: the specification's *end index*
    /// of a full tile.
    pub fn end(&self) -> LeafIndex {
        let leaves = match self.kind {
            TileKind::Hashes { level } => {
                1u64.checked_shl(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(u64::MAX)
            }
            TileKind::Entries => 1,
        };
        let items = self.index.saturating_mul(u64::from(TILE_WIDTH)).saturating_add(u64::from(self.width));
        LeafIndex(items.saturating_mul(leaves))
    }

    /// Whether a log whose minimum index is `minimum` need not serve the tile any more ([tlog-tiles], Pruning).
    ///
    /// [tlog-tiles]: https://c2sp.org/tlog-tiles
    pub fn may_be_pruned(&self, minimum: LeafIndex) -> bool {
        self.is_full() && self.end() <= minimum
    }

    /// The full tile in the place of this one. Once it exists, a log may have deleted the partial one; what that held is
    /// the start of the full one.
    pub fn full(&self) -> Self {
        Self { width: TILE_WIDTH, ..*self }
    }

    /// The most bytes that the tile can have.
    pub fn max_bytes(&self) -> usize {
        let item = match self.kind {
            TileKind::Hashes { .. } => HASH_SIZE,
            TileKind::Entries => 2 + MAX_ENTRY_SIZE,
        };
        usize::from(self.width) * item
    }
}

/// The number in groups of three digits, all but the last after an `x`.
fn parse_index(groups: &str) -> Option<u64> {
    groups.split('/').try_fold(0u64, |index, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        index.checked_mul(1000)?.checked_add(digits.parse().ok()?)
    })
}

fn write_index(index: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut unit = 1;
    while index / unit >= 1000 {
        unit *= 1000;
    }
    while unit > 1 {
        write!(f, "x{:03}/", index / unit % 1000)?;
        unit /= 1000;
    }
    write!(f, "{:03}", index % 1000)
}

/// Shows the path.
impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        write_index(self.index, f)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl fmt::Debug for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TilePath({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use proptest::prelude::*;

    fn any_tile() -> impl Strategy<Value = TilePath> {
        let kind = prop_oneof![Just(TileKind::Entries), (0..=MAX_LEVEL).prop_map(|level| TileKind::Hashes { level })];
        let index = prop_oneof![0..2_000_000u64, 0..=TreeSize::MAX.0];
        (kind, index, 1..=TILE_WIDTH).prop_map(|(kind, index, width)| TilePath::new(kind, index, width).unwrap())
    }

    #[test]
    fn paths_are_written_as_the_specification_shows() {
        let hashes = |level| TileKind::Hashes { level };
        for (kind, index, width, path) in [
            (hashes(0), 1_234_067, 256, "tile/0/x001/x234/067"),
            (hashes(0), 273, 112, "tile/0/273.p/112"),
            (hashes(2), 0, 1, "tile/2/000.p/1"),
            (hashes(63), 999, 255, "tile/63/999.p/255"),
            (TileKind::Entries, 1000, 256, "tile/entries/x001/000"),
            (TileKind::Entries, i64::MAX as u64, 5, "tile/entries/x009/x223/x372/x036/x854/x775/807.p/5"),
        ] {
            let tile = TilePath::new(kind, index, width).unwrap();
            assert_eq!(tile.to_string(), path);
            assert_eq!(TilePath::parse(path), Ok(tile));
        }
    }

    #[test]
    fn only_full_tiles_that_end_by_the_minimum_index_may_be_pruned() {
        for (path, end) in [
            ("tile/entries/000", 256),
            ("tile/0/003", 1024),
            ("tile/1/000", 65_536),
            ("tile/2/001", 2 << 24),
            ("tile/63/999", u64::MAX),
        ] {
            let tile = TilePath::parse(path).unwrap();
            assert_eq!(tile.end(), LeafIndex(end), "{path}");
            assert!(tile.may_be_pruned(LeafIndex(end)) && !tile.may_be_pruned(LeafIndex(end - 1)), "{path}");
        }
        let partial = TilePath::parse("tile/0/003.p/7").unwrap();
        assert_eq!(partial.end(), LeafIndex(3 * 256 + 7));
        assert!(!partial.may_be_pruned(LeafIndex(u64::MAX)));
    }

    #[test]
    fn each_tile_has_one_path() {
        for wrong in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/0/000/",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/x/000",
            "tile/data/000",
            "tile/8/0/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/001/001",
            "tile/0/x001",
            "tile/0/x001/x001",
            "tile/0/X001/001",
            "tile/0/+01",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/0/000.p/256",
            "tile/0/000.p/65537",
            "tile/0/000.p/",
            "tile/0/000.p",
            "tile/0/000.p/1.p/1",
            "tile/0/../000",
            "tile/0/x009/x223/x372/x036/x854/x775/808",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "tile/0/x001/x000/x000/x000/x000/x000/x000/x000/x000/x000/x000/x000/x000/x000/000",
        ] {
            assert_eq!(TilePath::parse(wrong), Err(TileError::Path), "{wrong:?}");
        }
    }

    #[test]
    fn no_tile_is_empty_too_wide_or_too_high() {
        assert_eq!(TilePath::new(TileKind::Entries, 0, 0), None);
        assert_eq!(TilePath::new(TileKind::Entries, 0, 257), None);
        assert_eq!(TilePath::new(TileKind::Entries, 1 << 63, 1), None);
        assert_eq!(TilePath::new(TileKind::Hashes { level: 64 }, 0, 1), None);
    }

    #[test]
    fn a_tile_knows_its_limits() {
        let partial = TilePath::parse("tile/1/x001/002.p/3").unwrap();
        assert!(!partial.is_full());
        assert_eq!(partial.max_bytes(), 96);
        assert_eq!(partial.full(), TilePath::parse("tile/1/x001/002").unwrap());
        assert_eq!(partial.full().max_bytes(), 8192);
        assert_eq!(TilePath::parse("tile/entries/000.p/2").unwrap().max_bytes(), 2 * 65_537);
    }

    proptest! {
        #[test]
        fn every_tile_survives_its_path(tile in any_tile()) {
            let path = tile.to_string();
            prop_assert!(path.len() <= MAX_PATH_SIZE);
            prop_assert_eq!(TilePath::parse(&path), Ok(tile));
        }

        #[test]
        fn whatever_parses_is_written_the_same(text in "tile/(entries|[0-9]{1,2})(/x?[0-9]{2,4}){1,8}(\\.p/[0-9]{1,4})?") {
            if let Ok(tile) = TilePath::parse(&text) {
                prop_assert_eq!(tile.to_string(), text);
            }
        }

        #[test]
        fn any_text_is_judged_without_panic(text: String) {
            prop_assert!(TilePath::parse(&text).is_err());
        }
    }
}
