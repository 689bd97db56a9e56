//! The structure of a copy, from its first entry to its root, as fast as the machine hashes: every entry tile is read once,
//! its leaves are hashed, the tiles of hashes above must be what the leaves make, and the root must be the signed one.
//!
//! Tiles are independent of each other, so several threads take them in turn. Each holds one tile; of the whole tree one
//! hash for each 256 entries is kept: 125 kB for a million entries. Nothing is written. Whoever finds damage repairs it by
//! the slower way that makes every tile anew.

use isonomy_core::hash::{NodeHash, RootHash};
use isonomy_core::resource::Resource;
use isonomy_core::tile::{self, TILE_WIDTH, TileKind, TilePath};
use isonomy_core::tree::{LeafIndex, TreeSize, empty_root, leaf_hash, node_hash};
use isonomy_store::files;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Checks every tile of the tree of this size in `folder` with so many threads, and gives the root that the entries make.
/// The error says which tile is not what it must be.
pub fn root(folder: &Path, size: TreeSize, threads: usize) -> Result<RootHash, String> {
    let tiles = size.0.div_ceil(u64::from(TILE_WIDTH));
    let mut row = by_tile(tiles, threads, |index| leaves(folder, size, index))?;
    let mut level = 1;
    // Of each level, 256 hashes make a tile; the hashes of full tiles make the next level.
    while row.len() > 1 {
        check_row(folder, size, level, &row)?;
        row = row.chunks(usize::from(TILE_WIDTH)).map(root_of).collect();
        level += 1;
    }
    // A tree of exactly one full tile has a single hash in the tile above.
    if size.0 >= u64::from(TILE_WIDTH) && row.len() == 1 && level == 1 {
        check_row(folder, size, level, &row)?;
    }
    Ok(row.first().map_or(empty_root(), |root| RootHash(root.0)))
}

/// Runs `work` for every tile, in several threads; gives the results in order.
fn by_tile(
    tiles: u64,
    threads: usize,
    work: impl Fn(u64) -> Result<NodeHash, String> + Sync,
) -> Result<Vec<NodeHash>, String> {
    let next = AtomicU64::new(0);
    let count = usize::try_from(tiles).map_err(|_| "the tree is too large for this machine".to_owned())?;
    let done: Mutex<(Vec<NodeHash>, Option<String>)> = Mutex::new((vec![NodeHash([0; 32]); count], None));
    let worker = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= tiles {
                return;
            }
            let result = work(index);
            let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match (result, usize::try_from(index).ok().and_then(|index| done.0.get_mut(index))) {
                (Ok(hash), Some(place)) => *place = hash,
                (Err(problem), _) => {
                    done.1.get_or_insert(problem);
                    next.store(tiles, Ordering::Relaxed);
                }
                (Ok(_), None) => {}
            }
        }
    };
    std::thread::scope(|scope| (0..threads.max(1)).for_each(|_| drop(scope.spawn(worker))));
    match done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        (_, Some(problem)) => Err(problem),
        (hashes, None) => Ok(hashes),
    }
}

/// Hashes the entries of one tile, compares the hashes with the tile above, and gives the root of both.
fn leaves(folder: &Path, size: TreeSize, index: u64) -> Result<NodeHash, String> {
    let first = LeafIndex(index * u64::from(TILE_WIDTH));
    let path = TilePath::of_entry(first, size).ok_or("no such tile")?;
    let bytes = read(folder, &path)?;
    let entries = tile::parse_entries(&bytes, path.width()).map_err(|error| format!("{path}: {error}"))?;
    let hashes: Vec<NodeHash> = entries.iter().map(|entry| leaf_hash(entry).into()).collect();
    check(folder, TileKind::Hashes { level: 0 }, index, &hashes)?;
    Ok(root_of(&hashes))
}

/// Compares the tiles of one level with the hashes that they must hold. The last hash of `row` stands for a tile that is
/// not full if the tree has not as many leaves.
fn check_row(folder: &Path, size: TreeSize, level: u8, row: &[NodeHash]) -> Result<(), String> {
    let full = size.0.checked_shr(8 * u32::from(level)).unwrap_or(0);
    let complete = row.get(..usize::try_from(full).unwrap_or(usize::MAX).min(row.len())).unwrap_or_default();
    for (index, hashes) in (0..).zip(complete.chunks(usize::from(TILE_WIDTH))) {
        check(folder, TileKind::Hashes { level }, index, hashes)?;
    }
    Ok(())
}

fn check(folder: &Path, kind: TileKind, index: u64, hashes: &[NodeHash]) -> Result<(), String> {
    let width = u16::try_from(hashes.len()).map_err(|_| "a tile is too wide")?;
    let path = TilePath::new(kind, index, width).ok_or("no such tile")?;
    match read(folder, &path)? == tile::encode_hashes(hashes) {
        true => Ok(()),
        false => Err(format!("{path} is not what the entries below it make")),
    }
}

fn read(folder: &Path, path: &TilePath) -> Result<Vec<u8>, String> {
    let file = folder.join(Resource::Tile(*path).to_string());
    let bytes = files::read_limited(&file, path.max_bytes()).map_err(|error| error.to_string())?;
    bytes.ok_or_else(|| format!("{path} is missing"))
}

/// The root over up to 256 nodes of one level (RFC 9162 section 2.1.1): a node without a right sibling rises.
fn root_of(nodes: &[NodeHash]) -> NodeHash {
    let mut row = nodes.to_vec();
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| pair.get(1).map_or(pair[0], |right| node_hash(&pair[0], right))).collect();
    }
    row.first().copied().unwrap_or(NodeHash(empty_root().0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::tile::RightEdge;
    use isonomy_core::tree::Frontier;

    /// A copy with so many entries.
    fn copy(folder: &Path, count: u64) -> RootHash {
        let entries: Vec<Vec<u8>> = (0..count).map(|number| format!("entry {number}").into_bytes()).collect();
        let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let put = |path: &TilePath, bytes: &[u8]| {
            let file = folder.join(Resource::Tile(*path).to_string());
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        };
        for tile in RightEdge::new().append(&leaves).1 {
            put(&tile.path, &tile.to_bytes());
        }
        for path in tile::entry_tiles(LeafIndex(0), TreeSize(count)) {
            let first = path.index() as usize * 256;
            put(&path, &tile::encode_entries(&entries[first..first + usize::from(path.width())]).unwrap());
        }
        leaves.into_iter().collect::<Frontier>().root()
    }

    #[test]
    fn the_root_is_that_of_the_plain_tree() {
        for count in [0, 1, 2, 3, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 66_000] {
            let dir = tempfile::tempdir().unwrap();
            let expected = copy(dir.path(), count);
            for threads in [1, 3] {
                assert_eq!(root(dir.path(), TreeSize(count), threads), Ok(expected), "{count}");
            }
        }
    }

    #[test]
    fn every_damaged_or_missing_tile_is_named() {
        let dir = tempfile::tempdir().unwrap();
        copy(dir.path(), 700);
        for path in ["tile/entries/001", "tile/entries/002.p/188", "tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2"] {
            let file = dir.path().join(path);
            let good = std::fs::read(&file).unwrap();
            let mut bad = good.clone();
            *bad.last_mut().unwrap() ^= 1;
            std::fs::write(&file, bad).unwrap();
            assert!(root(dir.path(), TreeSize(700), 2).is_err(), "{path}");
            std::fs::remove_file(&file).unwrap();
            assert_eq!(root(dir.path(), TreeSize(700), 2), Err(format!("{path} is missing")));
            std::fs::write(&file, good).unwrap();
        }
        assert!(root(dir.path(), TreeSize(700), 2).is_ok());
    }
}
