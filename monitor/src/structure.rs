//! The structure of a copy, from its signed root down to each entry, as fast as the machine reads and hashes: the engine is
//! [`isonomy_core::tile::audit`]; here are the files and the threads. Nothing is written. Whoever finds damage repairs it
//! by the slower way that makes every tile anew.

use isonomy_core::hash::RootHash;
use isonomy_core::resource::Resource;
use isonomy_core::tile::TilePath;
use isonomy_core::tile::audit::{Fault, Span, SpanOutcome, Top};
use isonomy_core::tree::TreeSize;
use isonomy_store::files;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Everything that is wrong with the tiles in `folder`, of the tree of this size and signed root. Spans of 65,536 entries
/// are checked by so many threads, each with one tile of hashes and one of entries in memory.
pub fn faults(folder: &Path, size: TreeSize, root: RootHash, threads: usize) -> Vec<Fault> {
    let read_all = |paths: Vec<TilePath>| paths.into_iter().map(|path| (path, read(folder, &path))).collect();
    let mut top = Top::new(size, root, read_all(Top::tiles(size)));
    let doubtful = top.doubtful();
    if !doubtful.is_empty() {
        top.mend(read_all(doubtful));
    }
    let outcomes = spans(folder, &top, &Span::all(size).collect::<Vec<_>>(), threads);
    top.judge(outcomes)
}

/// Checks the spans, in any order; gives their outcomes in theirs.
fn spans(folder: &Path, top: &Top, spans: &[Span], threads: usize) -> Vec<SpanOutcome> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut outcomes = Vec::new();
        while let Some(span) = spans.get(next.fetch_add(1, Ordering::Relaxed)) {
            outcomes.push(check(folder, top, span));
        }
        outcomes
    };
    let mut outcomes: Vec<SpanOutcome> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.clamp(1, spans.len().max(1))).map(|_| scope.spawn(worker)).collect();
        let done = workers.into_iter().map(|worker| worker.join());
        done.flat_map(|outcomes| outcomes.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    outcomes.sort_by_key(|outcome| outcome.span.index());
    outcomes
}

fn check(folder: &Path, top: &Top, span: &Span) -> SpanOutcome {
    let mut check = (*span).check(top.known(span));
    for path in span.tiles() {
        let bytes = read(folder, &path);
        check.read(&path, bytes.as_deref().map_err(Clone::clone));
    }
    check.finish()
}

fn read(folder: &Path, path: &TilePath) -> Result<Vec<u8>, String> {
    let file = folder.join(Resource::Tile(*path).to_string());
    let bytes = files::read_limited(&file, path.max_bytes()).map_err(|error| error.to_string())?;
    bytes.ok_or_else(|| "it is missing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::tile::{self, RightEdge};
    use isonomy_core::tree::{Frontier, LeafIndex, leaf_hash};

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
    fn a_whole_copy_has_no_fault_with_any_number_of_threads() {
        for count in [0, 1, 255, 256, 257, 700, 65_536, 65_537, 140_000] {
            let dir = tempfile::tempdir().unwrap();
            let root = copy(dir.path(), count);
            for threads in [0, 1, 3] {
                assert_eq!(faults(dir.path(), TreeSize(count), root, threads), [], "{count}");
            }
            assert_ne!(faults(dir.path(), TreeSize(count), RootHash([7; 32]), 2), [], "{count}");
        }
    }

    #[test]
    fn every_damaged_or_missing_tile_is_a_fault() {
        let dir = tempfile::tempdir().unwrap();
        let root = copy(dir.path(), 700);
        for path in ["tile/entries/001", "tile/entries/002.p/188", "tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2"] {
            let file = dir.path().join(path);
            let good = std::fs::read(&file).unwrap();
            let mut bad = good.clone();
            *bad.last_mut().unwrap() ^= 1;
            for damaged in [Some(bad), None] {
                match damaged {
                    Some(bytes) => std::fs::write(&file, bytes).unwrap(),
                    None => std::fs::remove_file(&file).unwrap(),
                }
                let found = faults(dir.path(), TreeSize(700), root, 2);
                let named = |fault: &Fault| fault.to_string().contains(path) || matches!(fault, Fault::Entry { .. });
                assert!(found.iter().any(named), "{path}: {found:?}");
            }
            std::fs::write(&file, good).unwrap();
        }
        assert_eq!(faults(dir.path(), TreeSize(700), root, 2), []);
    }
}
