//! Reading tiles, and making proofs of them.

use super::LogError;
use crate::files::PublicFolder;
use isonomy_core::hash::{LeafHash, NodeHash, RootHash};
use isonomy_core::resource::Resource;
use isonomy_core::tile::{self, RightEdge, TileError, TileKind, TilePath};
use isonomy_core::tree::{ConsistencyPlan, Frontier, InclusionPlan, LeafIndex, NodeCoordinate, TreeSize, leaf_hash};
use std::collections::BTreeMap;

/// The most tiles that a reader keeps: 32 MiB of hashes.
const MAX_TILES: usize = 4096;

/// Reads nodes of one tree; each tile once, as long as it is not of too many.
pub struct NodeReader {
    folder: PublicFolder,
    size: TreeSize,
    tiles: BTreeMap<TilePath, Vec<NodeHash>>,
}

impl NodeReader {
    /// A reader of the tree of this size, which must be in the folder.
    pub(super) fn new(folder: &PublicFolder, size: TreeSize) -> Self {
        Self { folder: folder.clone(), size, tiles: BTreeMap::new() }
    }

    /// The inclusion proof of a leaf in this tree.
    pub fn inclusion(&mut self, index: LeafIndex) -> Result<Vec<NodeHash>, LogError> {
        let beyond = LogError::NoSuchTree { size: self.size };
        let plan = InclusionPlan::new(index, self.size).ok_or(beyond)?;
        let nodes = self.nodes(plan.nodes())?;
        Ok(plan.combine(&nodes)?)
    }

    /// The consistency proof from the first `old` leaves to this tree.
    pub(super) fn consistency(&mut self, old: TreeSize) -> Result<Vec<NodeHash>, LogError> {
        let plan = ConsistencyPlan::new(old, self.size).ok_or(LogError::NoSuchTree { size: old })?;
        let nodes = self.nodes(plan.nodes())?;
        Ok(plan.combine(&nodes)?)
    }

    /// The root of the first `size` leaves of this tree.
    pub(super) fn root_at(&mut self, size: TreeSize) -> Result<RootHash, LogError> {
        let nodes = self.nodes(&Frontier::coordinates(size))?;
        let frontier = Frontier::from_parts(size, nodes).ok_or(LogError::NoSuchTree { size })?;
        Ok(frontier.root())
    }

    fn nodes(&mut self, nodes: &[NodeCoordinate]) -> Result<Vec<NodeHash>, LogError> {
        if self.tiles.len() > MAX_TILES {
            self.tiles.clear();
        }
        for tile in tile::tiles_for(nodes, self.size) {
            if !self.tiles.contains_key(&tile) {
                self.tiles.insert(tile, read_hashes(&self.folder, &tile)?);
            }
        }
        tile::nodes_from_tiles(nodes, self.size, |tile| self.tiles.get(tile).map(Vec::as_slice))
            .ok_or(LogError::NoSuchTree { size: self.size })
    }
}

/// Reads entries of one tree; each tile once, if they are asked for in order.
pub struct EntryReader<'f> {
    folder: &'f PublicFolder,
    size: TreeSize,
    newest: Option<(TilePath, Vec<Vec<u8>>)>,
}

impl<'f> EntryReader<'f> {
    /// A reader of the tree of this size, which must be in the folder.
    pub(super) fn new(folder: &'f PublicFolder, size: TreeSize) -> Self {
        Self { folder, size, newest: None }
    }

    /// The entry at `index`.
    pub fn entry(&mut self, index: LeafIndex) -> Result<&[u8], LogError> {
        let beyond = LogError::NoSuchTree { size: self.size };
        let Some(tile) = TilePath::of_entry(index, self.size) else { return Err(beyond) };
        let (_, entries) = match self.newest.take() {
            Some(newest) if newest.0 == tile => self.newest.insert(newest),
            _ => self.newest.insert((tile, read_entries(self.folder, &tile)?)),
        };
        let within = (index.0 % u64::from(tile::TILE_WIDTH)) as usize;
        entries.get(within).map(Vec::as_slice).ok_or(beyond)
    }
}

/// The hashes of a tile.
pub(super) fn read_hashes(folder: &PublicFolder, tile: &TilePath) -> Result<Vec<NodeHash>, LogError> {
    read(folder, tile, tile::parse_hashes)
}

/// The entries of a tile of entries.
pub(super) fn read_entries(folder: &PublicFolder, tile: &TilePath) -> Result<Vec<Vec<u8>>, LogError> {
    read(folder, tile, tile::parse_entries)
}

/// What a tile holds; of a partial one that is gone, as the beginning of the full one.
fn read<T>(
    folder: &PublicFolder,
    tile: &TilePath,
    parse: impl Fn(&[u8], u16) -> Result<Vec<T>, TileError>,
) -> Result<Vec<T>, LogError> {
    for there in [*tile, tile.full()] {
        if let Some(bytes) = folder.read(&Resource::Tile(there))? {
            let held = parse(&bytes, there.width()).map_err(|source| LogError::Tile { tile: there, source });
            return held.map(|held| held.into_iter().take(tile.width().into()).collect());
        }
    }
    Err(LogError::TileMissing { tile: *tile })
}

/// Removes the partial tiles of all tiles that are full in a tree of size `new`, and were not in one of size `old`. The full
/// ones must be durable.
pub(super) fn remove_partial(folder: &PublicFolder, old: TreeSize, new: TreeSize) -> Result<(), LogError> {
    let count = |size: TreeSize, level: u8| {
        size.0.checked_shr((u32::from(level) + 1) * u32::from(tile::TILE_HEIGHT)).unwrap_or(0)
    };
    let levels = (0..).take_while(|level| count(new, *level) > 0).map(|level| (TileKind::Hashes { level }, level));
    for (kind, level) in [(TileKind::Entries, 0)].into_iter().chain(levels) {
        for full in (count(old, level)..count(new, level)).filter_map(|at| TilePath::new(kind, at, tile::TILE_WIDTH)) {
            folder.remove_partial(&full)?;
        }
    }
    Ok(())
}

/// The right edge of the tree of this size, as it is on the disk.
pub(super) fn read_edge(folder: &PublicFolder, size: TreeSize) -> Result<RightEdge, LogError> {
    let partial = RightEdge::partial_tiles(size);
    let hashes = partial.iter().map(|tile| read_hashes(folder, tile)).collect::<Result<_, _>>()?;
    RightEdge::from_tiles(size, hashes).map_err(|_| LogError::NoSuchTree { size })
}

/// Writes what a tree needs that grows from `edge` by `entries`, durably, reads it back, and gives its right edge. Nothing
/// that the tree of the old size needs is touched.
pub(super) fn write_growth(
    folder: &PublicFolder,
    edge: &RightEdge,
    entries: &[Vec<u8>],
) -> Result<RightEdge, LogError> {
    let leaves: Vec<LeafHash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let (grown, hash_tiles) = edge.append(&leaves);
    let mut tiles = entry_tiles(folder, edge.size(), grown.size(), entries)?;
    tiles.extend(hash_tiles.iter().map(|tile| (Resource::Tile(tile.path), tile.to_bytes())));
    folder.write_proven(&tiles)?;
    let root = root_of_stored(folder, &edge.frontier(), grown.size())?;
    if root == grown.root() { Ok(grown) } else { Err(LogError::StoredOtherwise { size: grown.size() }) }
}

/// The tiles of entries that differ between a tree of size `old` and one with `entries` after it.
fn entry_tiles(
    folder: &PublicFolder,
    old: TreeSize,
    new: TreeSize,
    entries: &[Vec<u8>],
) -> Result<Vec<(Resource, Vec<u8>)>, LogError> {
    let partial = old.0.checked_sub(1).and_then(|last| TilePath::of_entry(LeafIndex(last), old));
    let partial = partial.filter(|tile| !tile.is_full()).map(|tile| read_entries(folder, &tile)).transpose()?;
    let all: Vec<&[u8]> = partial.iter().flatten().chain(entries).map(Vec::as_slice).collect();
    let mut tiles = Vec::new();
    let mut rest = all.as_slice();
    for path in tile::entry_tiles(LeafIndex(old.0), new) {
        let (own, after) = rest.split_at_checked(path.width().into()).ok_or(LogError::NoSuchTree { size: old })?;
        let bytes = tile::encode_entries(own).map_err(|source| LogError::Tile { tile: path, source })?;
        tiles.push((Resource::Tile(path), bytes));
        rest = after;
    }
    Ok(tiles)
}

/// Whether the tile of hashes beside a tile of entries has these leaves.
pub(super) fn has_leaves(folder: &PublicFolder, path: &TilePath, leaves: &[LeafHash]) -> Result<bool, LogError> {
    let hashes = TilePath::new(TileKind::Hashes { level: 0 }, path.index(), path.width());
    let hashes = read_hashes(folder, &hashes.ok_or(LogError::NoSuchTree { size: size_after(path) })?)?;
    Ok(hashes.iter().zip(leaves).all(|(hash, leaf)| *hash == NodeHash::from(*leaf)))
}

/// The size of the tree that ends with this tile of entries.
fn size_after(path: &TilePath) -> TreeSize {
    TreeSize(path.index() * u64::from(tile::TILE_WIDTH) + u64::from(path.width()))
}

/// Reads back what was written for a tree that grew from the frontier `old` to `size`: the entries as stored, hashed
/// again, must lead to the same root as the tiles as stored. Gives that root. So a bit that flips between hashing and
/// signing is found before anything is signed.
fn root_of_stored(folder: &PublicFolder, old: &Frontier, size: TreeSize) -> Result<RootHash, LogError> {
    let mut frontier = old.clone();
    for path in tile::entry_tiles(LeafIndex(old.size().0), size) {
        let first = path.index() * u64::from(tile::TILE_WIDTH);
        let skip = usize::try_from(old.size().0.saturating_sub(first)).unwrap_or(usize::MAX);
        let leaves: Vec<LeafHash> = read_entries(folder, &path)?.iter().map(|entry| leaf_hash(entry)).collect();
        if !has_leaves(folder, &path, &leaves)? {
            return Err(LogError::StoredOtherwise { size: size_after(&path) });
        }
        frontier.extend(leaves.into_iter().skip(skip));
    }
    let from_tiles = NodeReader::new(folder, size).root_at(size)?;
    let edge = read_edge(folder, size)?.root();
    if frontier.size() == size && frontier.root() == from_tiles && edge == from_tiles {
        return Ok(from_tiles);
    }
    Err(LogError::StoredOtherwise { size })
}
