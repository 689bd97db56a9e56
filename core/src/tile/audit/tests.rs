use super::*;
use crate::hash::{LeafHash, RootHash};
use crate::tile::{RightEdge, TileKind, TilePath, encode_entries, parse_entries};
use crate::tree::{LeafIndex, leaf_hash};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use proptest::prelude::*;

/// The files of a log, by their paths.
#[derive(Clone)]
struct Files {
    size: TreeSize,
    root: RootHash,
    files: BTreeMap<TilePath, Vec<u8>>,
}

fn content(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

fn path(text: &str) -> TilePath {
    TilePath::parse(text).unwrap()
}

impl Files {
    fn of(size: u64) -> Self {
        let leaves: Vec<LeafHash> = (0..size).map(|index| leaf_hash(&content(index))).collect();
        let (edge, tiles) = RightEdge::new().append(&leaves);
        let mut files: BTreeMap<_, _> = tiles.iter().map(|tile| (tile.path, tile.to_bytes())).collect();
        for bundle in crate::tile::entry_tiles(LeafIndex(0), TreeSize(size)) {
            let first = bundle.index() * 256;
            let entries: Vec<_> = (first..first + u64::from(bundle.width())).map(content).collect();
            files.insert(bundle, encode_entries(&entries).unwrap());
        }
        Self { size: TreeSize(size), root: edge.root(), files }
    }

    fn read(&self, tile: &TilePath) -> Result<Vec<u8>, String> {
        self.files.get(tile).cloned().ok_or_else(|| "missing".to_string())
    }

    fn audit(&self) -> Vec<Fault> {
        let read = |tile: TilePath| (tile, self.read(&tile));
        let mut top = Top::new(self.size, self.root, Top::tiles(self.size).into_iter().map(read).collect());
        top.mend(top.doubtful().into_iter().map(read).collect());
        let outcome = |span: Span| {
            let mut check = span.check(top.known(&span));
            for tile in span.tiles() {
                let bytes = self.read(&tile);
                check.read(&tile, bytes.as_deref().map_err(Clone::clone));
            }
            check.finish()
        };
        let outcomes = Span::all(self.size).map(outcome).collect();
        top.judge(outcomes)
    }

    fn file(&mut self, tile: &str) -> &mut Vec<u8> {
        self.files.get_mut(&path(tile)).unwrap()
    }

    fn flip(&mut self, tile: &str, position: usize) {
        self.file(tile)[position * 32 + 7] ^= 1;
    }

    fn change_entry(&mut self, bundle: &str, position: usize) {
        let tile = path(bundle);
        let mut entries = parse_entries(&self.files[&tile], tile.width()).unwrap();
        entries[position] = b"changed".to_vec();
        self.files.insert(tile, encode_entries(&entries).unwrap());
    }

    /// What is found after this was done to the files.
    fn after(&self, damage: impl FnOnce(&mut Self)) -> Vec<Fault> {
        let mut files = self.clone();
        damage(&mut files);
        files.audit()
    }
}

fn hash(tile: &str, position: u16) -> Fault {
    Fault::Hash { tile: path(tile), position }
}

fn foreign(tile: &str) -> Fault {
    Fault::Foreign { tile: path(tile) }
}

fn unreadable(tile: &str) -> Fault {
    Fault::Unreadable { tile: path(tile), reason: "missing".into() }
}

fn entry(index: u64) -> Fault {
    Fault::Entry { index: LeafIndex(index) }
}

#[test]
fn a_sound_log_of_any_size_has_no_fault() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_536 + 256, 131_072 + 300] {
        assert_eq!(Files::of(size).audit(), [], "{size}");
    }
}

#[test]
fn what_is_read_is_each_tile_and_each_bundle_once_but_for_the_edge() {
    let size = TreeSize(2 * SPAN_WIDTH + 300);
    let mut read: Vec<_> = Span::all(size).flat_map(|span| span.tiles()).collect();
    read.extend(Top::tiles(size).into_iter().filter(row::is_of_top));
    read.sort();
    let hashes = crate::tile::tiles_of(size);
    let mut all: Vec<_> = hashes.chain(crate::tile::entry_tiles(LeafIndex(0), size)).collect();
    all.sort();
    assert_eq!(read, all);
    let high = Top::tiles(TreeSize(256 * 256 * 256 + 1));
    let high: Vec<_> = high.iter().map(ToString::to_string).collect();
    assert_eq!(high, ["tile/0/x065/536.p/1", "tile/2/000", "tile/3/000.p/1"]);
}

/// Two full spans, one full tile and 44 entries.
fn two_spans() -> Files {
    Files::of(2 * SPAN_WIDTH + 300)
}

#[test]
fn one_wrong_file_is_named_exactly() {
    let log = two_spans();
    // Entries: of a full bundle, of the partial one, several at once.
    assert_eq!(log.after(|f| f.change_entry("tile/entries/300", 7)), [entry(300 * 256 + 7)]);
    assert_eq!(log.after(|f| f.change_entry("tile/entries/513.p/44", 43)), [entry(2 * SPAN_WIDTH + 299)]);
    let two = log.after(|f| {
        f.change_entry("tile/entries/000", 0);
        f.change_entry("tile/entries/000", 255);
    });
    assert_eq!(two, [entry(0), entry(255)]);
    // Hashes of each level, full and partial.
    for (tile, position) in [
        ("tile/0/000", 3),
        ("tile/0/511", 255),
        ("tile/0/513.p/44", 0),
        ("tile/1/001", 200),
        ("tile/1/002.p/1", 0),
        ("tile/2/000.p/2", 1),
    ] {
        assert_eq!(log.after(|f| f.flip(tile, position)), [hash(tile, position as u16)], "{tile}");
    }
}

#[test]
fn one_missing_or_malformed_file_is_named_exactly() {
    let log = two_spans();
    for tile in ["tile/0/000", "tile/0/513.p/44", "tile/1/001", "tile/1/002.p/1", "tile/2/000.p/2", "tile/entries/300"]
    {
        assert_eq!(log.after(|f| drop(f.files.remove(&path(tile)))), [unreadable(tile)], "{tile}");
        let cut = log.after(|f| f.file(tile).truncate(31));
        assert!(matches!(&cut[..], [Fault::Malformed { tile: named, .. }] if *named == path(tile)), "{tile}: {cut:?}");
    }
    // The partial bundle's entries are not needed for the root, since the tile has their hashes.
    assert_eq!(
        log.after(|f| drop(f.files.remove(&path("tile/entries/513.p/44")))),
        [unreadable("tile/entries/513.p/44")]
    );
}

#[test]
fn a_tile_and_its_entries_changed_together_don_t_convict_the_tile_above() {
    let log = two_spans();
    let found = log.after(|f| {
        f.change_entry("tile/entries/300", 7);
        let changed = leaf_hash(b"changed");
        f.file("tile/0/300")[7 * 32..8 * 32].copy_from_slice(&changed.0);
    });
    assert_eq!(found, [foreign("tile/0/300"), foreign("tile/entries/300")].into_iter().collect::<Vec<_>>());
}

#[test]
fn where_the_tile_above_is_damaged_what_is_below_decides() {
    let log = two_spans();
    // The entries have the signed root, so that everything that differs from them is wrong.
    let found = log.after(|f| {
        f.flip("tile/1/001", 200);
        f.flip("tile/0/300", 5);
        f.flip("tile/2/000.p/2", 0);
    });
    assert_eq!(found, [hash("tile/0/300", 5), hash("tile/1/001", 200), hash("tile/2/000.p/2", 0)]);
    // The tiles of level 0 have it, so that each entry that differs is wrong.
    let found = log.after(|f| {
        f.files.remove(&path("tile/1/001"));
        f.change_entry("tile/entries/300", 7);
    });
    assert_eq!(found, [unreadable("tile/1/001"), entry(300 * 256 + 7)]);
    // Neither have it: nothing tells.
    let found = log.after(|f| {
        f.files.remove(&path("tile/1/001"));
        f.change_entry("tile/entries/300", 7);
        f.flip("tile/0/301", 0);
    });
    let undecided = Fault::Undecided { tile: path("tile/0/300"), position: 7 };
    let other = Fault::Undecided { tile: path("tile/0/301"), position: 0 };
    assert_eq!(found, [unreadable("tile/1/001"), undecided.clone(), other]);
    assert!(undecided.to_string().contains("hash 7 is not that of entry 76807;"), "{undecided}");
}

#[test]
fn partial_tiles_are_made_anew_of_what_is_below_them() {
    let log = two_spans();
    for (tile, position) in [("tile/0/513.p/44", 40), ("tile/1/002.p/1", 0), ("tile/2/000.p/2", 1)] {
        // Something else is wrong at the same time, and is still named exactly.
        let found = log.after(|f| {
            f.flip(tile, position);
            f.change_entry("tile/entries/300", 7);
            f.flip("tile/0/301", 0);
        });
        assert_eq!(found, [hash("tile/0/301", 0), hash(tile, position as u16), entry(300 * 256 + 7)], "{tile}");
        let found = log.after(|f| {
            f.files.remove(&path(tile));
            f.change_entry("tile/entries/300", 7);
        });
        assert_eq!(found, [unreadable(tile), entry(300 * 256 + 7)], "{tile}");
    }
    // Two at once.
    let found = log.after(|f| {
        f.files.remove(&path("tile/0/513.p/44"));
        f.flip("tile/2/000.p/2", 0);
    });
    assert_eq!(found, [unreadable("tile/0/513.p/44"), hash("tile/2/000.p/2", 0)]);
    // A partial tile of which neither the entries nor the hashes are as signed: nothing vouches for anything.
    let found = log.after(|f| {
        f.flip("tile/0/513.p/44", 1);
        f.change_entry("tile/entries/513.p/44", 1);
    });
    assert!(found.contains(&Fault::Undecided { tile: path("tile/0/513.p/44"), position: 1 }), "{found:?}");
    assert!(matches!(found.last(), Some(Fault::Root { .. })), "{found:?}");
}

#[test]
fn another_root_than_the_signed_one_is_said_once_with_what_there_is() {
    let mut log = two_spans();
    let computed = log.root;
    log.root = RootHash([9; 32]);
    assert_eq!(log.audit(), [Fault::Root { computed: Some(computed) }]);
    let found = log.after(|f| f.files.retain(|tile, _| !tile.to_string().ends_with("513.p/44")));
    assert_eq!(found.last(), Some(&Fault::Root { computed: None }));
}

#[test]
fn the_levels_above_the_spans_are_judged_by_the_roots_of_the_spans() {
    // A tree of 2^24 + 2^16 leaves, of which no entry is read: the spans are what they should be.
    let spans = 257u64;
    let size = TreeSize(spans * SPAN_WIDTH);
    let leaves: Vec<LeafHash> = (0..spans).map(|index| leaf_hash(&content(index))).collect();
    let (edge, tiles) = RightEdge::new().append(&leaves);
    let root = edge.root();
    let lift = |tile: &TilePath| {
        let TileKind::Hashes { level } = tile.kind() else { panic!() };
        TilePath::new(TileKind::Hashes { level: level + 2 }, tile.index(), tile.width()).unwrap()
    };
    let files: BTreeMap<_, _> = tiles.iter().map(|tile| (lift(&tile.path), tile.to_bytes())).collect();
    let judged = |files: &BTreeMap<TilePath, Vec<u8>>| {
        let read = |tile: TilePath| (tile, files.get(&tile).cloned().ok_or_else(|| "missing".to_string()));
        let mut top = Top::new(size, root, Top::tiles(size).into_iter().map(read).collect());
        top.mend(top.doubtful().into_iter().map(read).collect());
        let outcome = |span: Span| {
            let value = Some(NodeHash(leaves[span.index() as usize].0));
            SpanOutcome { span, faults: Vec::new(), values: alloc::vec![value], edge: Some(Vec::new()) }
        };
        let known: Vec<_> = Span::all(size).map(|span| top.known(&span)).collect();
        (top.judge(Span::all(size).map(outcome).collect()), known)
    };
    let (faults, known) = judged(&files);
    assert_eq!((faults, known[256].clone()), (Vec::new(), Known::Root(NodeHash(leaves[256].0))));
    for (tile, position) in [("tile/2/000", 9), ("tile/2/001.p/1", 0), ("tile/3/000.p/1", 0)] {
        let mut damaged = files.clone();
        damaged.get_mut(&path(tile)).unwrap()[position * 32] ^= 1;
        assert_eq!(judged(&damaged).0, [hash(tile, position as u16)], "{tile}");
        damaged.remove(&path(tile));
        assert_eq!(judged(&damaged).0, [unreadable(tile)], "{tile}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever single byte of whatever file is changed, something is found, and it names that file or its entries.
    #[test]
    fn any_changed_byte_is_found(file in any::<proptest::sample::Index>(), at in any::<proptest::sample::Index>(), with in 1u8..) {
        let mut log = small();
        let tile = *log.files.keys().nth(file.index(log.files.len())).unwrap();
        let bytes = log.files.get_mut(&tile).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= with;
        let faults = log.audit();
        prop_assert!(!faults.is_empty());
        for fault in faults {
            let named = match fault {
                Fault::Hash { tile, .. } | Fault::Malformed { tile, .. } => tile,
                Fault::Entry { index } => TilePath::of_entry(index, log.size).unwrap(),
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            };
            prop_assert_eq!(named, tile);
        }
    }

    #[test]
    fn any_files_are_judged_without_panic(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), proptest::option::of(0usize..9000), any::<u8>()), 0..6),
        root: [u8; 32],
        keep_root: bool,
    ) {
        let mut log = small();
        if !keep_root {
            log.root = RootHash(root);
        }
        let original = log.files.clone();
        for (file, length, byte) in changes {
            let tile = *log.files.keys().nth(file.index(log.files.len())).unwrap();
            match length {
                None => drop(log.files.remove(&tile)),
                Some(length) => log.files.get_mut(&tile).unwrap().resize(length, byte),
            }
        }
        let changed = !keep_root || log.files != original;
        prop_assert_eq!(log.audit().is_empty(), !changed);
    }
}

fn small() -> Files {
    Files::of(700)
}
