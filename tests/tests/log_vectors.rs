//! `core::tree` and `core::tile` against a second implementation, written straight from the recursive definitions of
//! RFC 6962 section 2.1 and of C2SP tlog-tiles. Nothing of it is shared with the first.

use isonomy_core::hash::{LeafHash, NodeHash, RootHash};
use isonomy_core::tile::{
    RightEdge, Tile, TileKind, TilePath, encode_entries, entry_tiles, nodes_from_tiles, parse_entries, parse_hashes,
    tiles_for, tiles_of,
};
use isonomy_core::tree::{
    ConsistencyPlan, Frontier, InclusionPlan, LeafIndex, NodeCoordinate, PrefixPlan, ProofError, TreeSize, empty_root,
    leaf_hash, prefix_roots, root_of_inclusion, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

type Hash = [u8; 32];

/// The definitions of RFC 6962, word for word, over a list of entries `D`.
struct Definition {
    entries: Vec<Vec<u8>>,
    known: RefCell<HashMap<(usize, usize), Hash>>,
}

impl Definition {
    fn of(entries: Vec<Vec<u8>>) -> Self {
        Self { entries, known: RefCell::default() }
    }

    /// Entries of changing length, all different.
    fn numbered(count: usize) -> Self {
        Self::of((0..count).map(|number| format!("{number:0width$}", width = 6 + number % 60).into_bytes()).collect())
    }

    /// `MTH(D[from:to])`.
    fn mth(&self, leaves: Range<usize>) -> Hash {
        let Range { start, end } = leaves;
        if let Some(hash) = self.known.borrow().get(&(start, end)) {
            return *hash;
        }
        let hash = match end - start {
            0 => sha256(&[]),
            1 => sha256(&[&[0x00], &self.entries[start]]),
            n => {
                let k = start + largest_power_of_two_below(n);
                sha256(&[&[0x01], &self.mth(start..k), &self.mth(k..end)])
            }
        };
        self.known.borrow_mut().insert((start, end), hash);
        hash
    }

    /// `PATH(m, D[from:to])`.
    fn path(&self, m: usize, leaves: Range<usize>) -> Vec<Hash> {
        let Range { start, end } = leaves;
        let n = end - start;
        if n == 1 {
            return vec![];
        }
        let k = largest_power_of_two_below(n);
        if m < k {
            [self.path(m, start..start + k), vec![self.mth(start + k..end)]].concat()
        } else {
            [self.path(m - k, start + k..end), vec![self.mth(start..start + k)]].concat()
        }
    }

    /// For each hash of `PATH(m, D[0:n])`, whether it stands on the left.
    fn sides(m: usize, n: usize) -> Vec<bool> {
        if n == 1 {
            return vec![];
        }
        let k = largest_power_of_two_below(n);
        if m < k { [Self::sides(m, k), vec![false]].concat() } else { [Self::sides(m - k, n - k), vec![true]].concat() }
    }

    /// `SUBPROOF(m, D[from:to], b)`.
    fn subproof(&self, m: usize, leaves: Range<usize>, b: bool) -> Vec<Hash> {
        let Range { start, end } = leaves;
        let n = end - start;
        if m == n {
            return if b { vec![] } else { vec![self.mth(start..end)] };
        }
        let k = largest_power_of_two_below(n);
        if m <= k {
            [self.subproof(m, start..start + k, b), vec![self.mth(start + k..end)]].concat()
        } else {
            [self.subproof(m - k, start + k..end, false), vec![self.mth(start..start + k)]].concat()
        }
    }

    /// `PROOF(m, D[n])`, and nothing for m = 0, which the RFC leaves undefined.
    fn proof(&self, m: usize, n: usize) -> Vec<Hash> {
        if m == 0 { vec![] } else { self.subproof(m, 0..n, true) }
    }

    fn root(&self, size: usize) -> RootHash {
        RootHash(self.mth(0..size))
    }

    fn leaf(&self, index: usize) -> LeafHash {
        LeafHash(self.mth(index..index + 1))
    }

    fn node(&self, place: &NodeCoordinate) -> NodeHash {
        let index = place.index as usize;
        NodeHash(self.mth(index << place.level..(index + 1) << place.level))
    }

    fn nodes(&self, places: &[NodeCoordinate]) -> Vec<NodeHash> {
        places.iter().map(|place| self.node(place)).collect()
    }

    /// The hashes of a tile, by the formula of tlog-tiles.
    fn tile(&self, tile: &TilePath) -> Vec<NodeHash> {
        let TileKind::Hashes { level } = tile.kind() else { panic!("{tile} holds no hashes") };
        let (n, l) = (tile.index() as usize, u32::from(level));
        let unit = 256usize.pow(l);
        (0..usize::from(tile.width()))
            .map(|i| NodeHash(self.mth((n * 256 + i) * unit..(n * 256 + i + 1) * unit)))
            .collect()
    }
}

fn sha256(parts: &[&[u8]]) -> Hash {
    Sha256::digest(parts.concat()).into()
}

fn largest_power_of_two_below(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

fn nodes(hashes: Vec<Hash>) -> Vec<NodeHash> {
    hashes.into_iter().map(NodeHash).collect()
}

fn size(leaves: usize) -> TreeSize {
    TreeSize(leaves as u64)
}

fn index(leaf: usize) -> LeafIndex {
    LeafIndex(leaf as u64)
}

/// What our prover makes of the nodes that it asks for.
fn inclusion(tree: &Definition, leaf: usize, leaves: usize) -> Vec<NodeHash> {
    let plan = InclusionPlan::new(index(leaf), size(leaves)).unwrap();
    plan.combine(&tree.nodes(plan.nodes())).unwrap()
}

fn consistency(tree: &Definition, old: usize, new: usize) -> Vec<NodeHash> {
    let plan = ConsistencyPlan::new(size(old), size(new)).unwrap();
    plan.combine(&tree.nodes(plan.nodes())).unwrap()
}

fn prefix(tree: &Definition, old: usize, new: usize) -> Vec<NodeHash> {
    let plan = PrefixPlan::new(size(old), size(new)).unwrap();
    plan.combine(&tree.nodes(plan.nodes())).unwrap()
}

/// Every proof that differs from this one in a single thing.
fn spoiled(proof: &[NodeHash]) -> Vec<Vec<NodeHash>> {
    let mut all = Vec::new();
    let mut change = |edit: &dyn Fn(&mut Vec<NodeHash>)| {
        let mut other = proof.to_vec();
        edit(&mut other);
        all.push(other);
    };
    for at in 0..proof.len() {
        change(&|proof| proof[at].0[at % 32] ^= 1 << (at % 8));
        change(&|proof| {
            proof.remove(at);
        });
        change(&|proof| proof.insert(at, proof[at]));
    }
    for at in 1..proof.len() {
        change(&|proof| proof.swap(at - 1, at));
    }
    change(&|proof| proof.push(NodeHash([0; 32])));
    change(&|proof| proof.insert(0, NodeHash([0; 32])));
    all
}

/// Small trees, and those round the sizes where their shape changes.
fn telling_sizes() -> impl Iterator<Item = usize> {
    (0..=34).chain([47, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257, 300])
}

#[test]
fn the_roots_that_certificate_transparency_implementations_share() {
    let entries: [&[u8]; 8] = [b"", b"\0", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let definition = Definition::of(entries.iter().map(|entry| entry.to_vec()).collect());
    let mut frontier = Frontier::new();
    for (leaves, root) in roots.iter().enumerate() {
        assert_eq!(definition.root(leaves).to_hex(), *root);
        assert_eq!(frontier.root().to_hex(), *root);
        if let Some(entry) = entries.get(leaves) {
            frontier.push(leaf_hash(entry));
        }
    }
}

#[test]
fn every_root_to_300_leaves() {
    let tree = Definition::numbered(300);
    let mut frontier = Frontier::new();
    assert_eq!(frontier.root(), empty_root());
    for leaves in 0..=300 {
        assert_eq!(frontier.size(), size(leaves));
        assert_eq!(frontier.root(), tree.root(leaves), "size {leaves}");
        let parts = tree.nodes(&Frontier::coordinates(size(leaves)));
        assert_eq!(frontier.nodes(), parts);
        assert_eq!(Frontier::from_parts(size(leaves), parts).as_ref(), Some(&frontier));
        if let Some(entry) = tree.entries.get(leaves) {
            frontier.push(leaf_hash(entry));
        }
    }
}

#[test]
fn every_inclusion_proof_to_300_leaves() {
    let tree = Definition::numbered(300);
    for leaves in 1..=300 {
        for leaf in 0..leaves {
            let proof = inclusion(&tree, leaf, leaves);
            assert_eq!(proof, nodes(tree.path(leaf, 0..leaves)), "leaf {leaf} of {leaves}");
            let root = tree.root(leaves);
            assert_eq!(verify_inclusion(&tree.leaf(leaf), index(leaf), size(leaves), &proof, &root), Ok(()));
        }
    }
}

#[test]
fn every_consistency_proof_to_300_leaves() {
    let tree = Definition::numbered(300);
    for new in 0..=300 {
        for old in 0..=new {
            let proof = consistency(&tree, old, new);
            assert_eq!(proof, nodes(tree.proof(old, new)), "{old} to {new}");
            let (old_root, new_root) = (tree.root(old), tree.root(new));
            assert_eq!(verify_consistency(size(old), &old_root, size(new), &new_root, &proof), Ok(()));
        }
    }
}

#[test]
fn no_spoiled_inclusion_proof_is_accepted() {
    let tree = Definition::numbered(301);
    for leaves in telling_sizes().filter(|&leaves| leaves > 0) {
        let root = tree.root(leaves);
        for leaf in (0..leaves).step_by(1 + leaves / 40) {
            let proof = inclusion(&tree, leaf, leaves);
            let accepts = |hash: LeafHash, leaf: usize, leaves: usize, proof: &[NodeHash], root: &RootHash| {
                verify_inclusion(&hash, index(leaf), size(leaves), proof, root).is_ok()
            };
            let hash = tree.leaf(leaf);
            for wrong in spoiled(&proof) {
                assert!(!accepts(hash, leaf, leaves, &wrong, &root), "leaf {leaf} of {leaves}");
            }
            for wrong_leaf in (0..leaves + 3).filter(|&other| other != leaf) {
                assert!(!accepts(hash, wrong_leaf, leaves, &proof, &root), "leaf {leaf} of {leaves} as {wrong_leaf}");
            }
            for wrong_size in (1..=300).filter(|&other| other != leaves) {
                assert!(!accepts(hash, leaf, wrong_size, &proof, &tree.root(wrong_size)), "{leaf} of {leaves}");
            }
            assert!(!accepts(LeafHash(root.0), leaf, leaves, &proof, &root) || leaves == 1);
            assert!(!accepts(hash, leaf, leaves, &proof, &tree.root(leaves + 1)));
        }
    }
}

#[test]
fn an_inclusion_proof_tells_no_size() {
    // So a size that does not come with the root from a checkpoint is worth nothing. This is how the RFC made it.
    let tree = Definition::numbered(40);
    for leaves in 1..=40 {
        for leaf in 0..leaves {
            let proof = inclusion(&tree, leaf, leaves);
            for claimed in leaf + 1..=80 {
                let implied = root_of_inclusion(&tree.leaf(leaf), index(leaf), size(claimed), &proof);
                let same_shape = Definition::sides(leaf, claimed) == Definition::sides(leaf, leaves);
                assert_eq!(implied == Ok(tree.root(leaves)), same_shape, "leaf {leaf} of {leaves} as of {claimed}");
            }
        }
    }
}

#[test]
fn no_spoiled_consistency_proof_is_accepted() {
    let tree = Definition::numbered(301);
    let accepts = |old: usize, old_root: &RootHash, new: usize, new_root: &RootHash, proof: &[NodeHash]| {
        verify_consistency(size(old), old_root, size(new), new_root, proof).is_ok()
    };
    for new in telling_sizes() {
        for old in (0..=new).step_by(1 + new / 40) {
            let proof = consistency(&tree, old, new);
            let (old_root, new_root) = (tree.root(old), tree.root(new));
            for wrong in spoiled(&proof) {
                assert!(!accepts(old, &old_root, new, &new_root, &wrong), "{old} to {new}");
            }
            let other = RootHash([7; 32]);
            assert!(!accepts(old, &other, new, &new_root, &proof), "{old} to {new}");
            assert!(old == 0 || !accepts(old, &old_root, new, &other, &proof), "{old} to {new}");
            for wrong in (0..=300).filter(|&wrong| wrong != old) {
                let fits = wrong <= new && nodes(tree.proof(wrong, new)) == proof;
                assert_eq!(
                    accepts(wrong, &tree.root(wrong), new, &new_root, &proof),
                    fits,
                    "{old} as {wrong} to {new}"
                );
            }
            for wrong in (0..=300).filter(|&wrong| wrong != new) {
                let fits = old <= wrong && nodes(tree.proof(old, wrong)) == proof;
                assert_eq!(
                    accepts(old, &old_root, wrong, &tree.root(wrong), &proof),
                    fits,
                    "{old} to {new} as {wrong}"
                );
            }
        }
    }
}

#[test]
fn a_forked_log_has_no_consistency_proof() {
    let honest = Definition::numbered(70);
    for forked_at in [0, 1, 7, 31, 32, 40] {
        let mut entries = honest.entries.clone();
        entries[forked_at] = b"rewritten".to_vec();
        let rewritten = Definition::of(entries);
        for old in forked_at + 1..=70 {
            for new in old..=70 {
                for proof in [consistency(&honest, old, new), consistency(&rewritten, old, new)] {
                    let (old_root, new_root) = (honest.root(old), rewritten.root(new));
                    let verdict = verify_consistency(size(old), &old_root, size(new), &new_root, &proof);
                    let blamed = if old == new {
                        vec![ProofError::TwoRoots { size: size(new) }]
                    } else {
                        vec![ProofError::Root { size: size(old) }, ProofError::Root { size: size(new) }]
                    };
                    assert!(blamed.contains(&verdict.unwrap_err()), "{old} to {new}, forked at {forked_at}");
                }
            }
        }
    }
}

#[test]
fn every_prefix_proof_to_130_leaves() {
    let tree = Definition::numbered(130);
    for new in 0..=130 {
        for old in 0..=new {
            let proof = prefix(&tree, old, new);
            assert_eq!(
                prefix_roots(size(old), size(new), &proof),
                Ok((tree.root(old), tree.root(new))),
                "{old} to {new}"
            );
            for wrong in [[&proof[..], &[NodeHash([0; 32])]].concat(), proof.iter().copied().skip(1).collect()] {
                let (expected, actual) = (proof.len(), wrong.len());
                let verdict = prefix_roots(size(old), size(new), &wrong);
                assert!(actual == expected || verdict == Err(ProofError::Length { expected, actual }));
            }
            for at in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[at].0[31] ^= 1;
                let (_, new_root) = prefix_roots(size(old), size(new), &wrong).unwrap();
                assert_ne!(new_root, tree.root(new), "{old} to {new}: each node counts for the new root");
            }
        }
    }
}

#[test]
fn a_prefix_proof_shows_a_fork() {
    let signed_first = Definition::numbered(130);
    let mut entries = signed_first.entries.clone();
    entries[2] = b"rewritten".to_vec();
    let signed_later = Definition::of(entries);
    for new in 3..=130 {
        for old in 3..=new {
            let evidence = prefix(&signed_later, old, new);
            let (implied_old, implied_new) = prefix_roots(size(old), size(new), &evidence).unwrap();
            assert_eq!(implied_new, signed_later.root(new), "it is what the log signed later");
            assert_ne!(implied_old, signed_first.root(old), "and it contradicts what the log signed first");
        }
    }
}

/// The tiles of a log as files: what it would serve.
#[derive(Default)]
struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    fn write(&mut self, tiles: &[Tile]) {
        for tile in tiles {
            let before = self.0.insert(tile.path.to_string(), tile.to_bytes());
            assert_eq!(before, None, "{} is written twice", tile.path);
        }
    }

    fn read(&self, tile: &TilePath) -> Vec<NodeHash> {
        let bytes = self.0.get(&tile.to_string()).unwrap_or_else(|| panic!("{tile} was never written"));
        assert!(bytes.len() <= tile.max_bytes());
        parse_hashes(bytes, tile.width()).unwrap()
    }

    /// The hashes of `places`, with no more reads than are announced.
    fn nodes(&self, places: &[NodeCoordinate], leaves: usize) -> Vec<NodeHash> {
        let tiles: BTreeMap<TilePath, Vec<NodeHash>> =
            tiles_for(places, size(leaves)).into_iter().map(|tile| (tile, self.read(&tile))).collect();
        nodes_from_tiles(places, size(leaves), |tile| tiles.get(tile).map(Vec::as_slice)).unwrap()
    }

    fn check_inclusion(&self, tree: &Definition, leaf: usize, leaves: usize) {
        let plan = InclusionPlan::new(index(leaf), size(leaves)).unwrap();
        let proof = plan.combine(&self.nodes(plan.nodes(), leaves)).unwrap();
        assert_eq!(proof, nodes(tree.path(leaf, 0..leaves)), "leaf {leaf} of {leaves}");
    }

    fn check_growth(&self, tree: &Definition, old: usize, new: usize) {
        let plan = ConsistencyPlan::new(size(old), size(new)).unwrap();
        let proof = plan.combine(&self.nodes(plan.nodes(), new)).unwrap();
        assert_eq!(proof, nodes(tree.proof(old, new)), "{old} to {new}");
        let plan = PrefixPlan::new(size(old), size(new)).unwrap();
        let proof = plan.combine(&self.nodes(plan.nodes(), new)).unwrap();
        assert_eq!(prefix_roots(size(old), size(new), &proof), Ok((tree.root(old), tree.root(new))));
    }

    fn check_restart(&self, tree: &Definition, leaves: usize) -> RightEdge {
        let partial = RightEdge::partial_tiles(size(leaves)).iter().map(|tile| self.read(tile)).collect();
        let edge = RightEdge::from_tiles(size(leaves), partial).unwrap();
        assert_eq!(edge.root(), tree.root(leaves), "size {leaves}");
        edge
    }
}

fn leaf_hashes(tree: &Definition, leaves: Range<usize>) -> Vec<LeafHash> {
    tree.entries[leaves].iter().map(|entry| leaf_hash(entry)).collect()
}

#[test]
fn every_tile_of_every_tree_to_1000_leaves() {
    let tree = Definition::numbered(1000);
    let mut files = Files::default();
    let mut edge = RightEdge::new();
    for leaves in 0..=1000 {
        for tile in tiles_of(size(leaves)) {
            assert_eq!(files.read(&tile), tree.tile(&tile), "{tile} of size {leaves}");
            assert_eq!(TilePath::parse(&tile.to_string()), Ok(tile));
        }
        assert_eq!(edge, files.check_restart(&tree, leaves));
        if leaves < 1000 {
            let (larger, tiles) = edge.append(&leaf_hashes(&tree, leaves..leaves + 1));
            files.write(&tiles);
            edge = larger;
        }
    }
    // Nothing else was written than what some tree consists of.
    let all = (0..=1000).flat_map(|leaves| tiles_of(size(leaves))).map(|tile| tile.to_string());
    assert!(all.collect::<std::collections::BTreeSet<_>>().iter().eq(files.0.keys()));
    for leaves in [1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 768, 999, 1000] {
        (0..leaves).for_each(|leaf| files.check_inclusion(&tree, leaf, leaves));
        (0..=leaves).step_by(3).for_each(|old| files.check_growth(&tree, old, leaves));
    }
}

#[test]
fn every_bundle_of_entries_to_1000_leaves() {
    let tree = Definition::numbered(1000);
    for leaves in (0..=1000).step_by(37).chain([1, 255, 256, 257, 512, 768]) {
        let mut read = Vec::new();
        for tile in entry_tiles(LeafIndex(0), size(leaves)) {
            let start = tile.index() as usize * 256;
            let entries = &tree.entries[start..start + usize::from(tile.width())];
            let bytes = encode_entries(entries).unwrap();
            assert!(bytes.len() <= tile.max_bytes());
            read.extend(parse_entries(&bytes, tile.width()).unwrap());
            let hashes = tree.tile(&TilePath::new(TileKind::Hashes { level: 0 }, tile.index(), tile.width()).unwrap());
            assert!(entries.iter().map(|entry| NodeHash::from(leaf_hash(entry))).eq(hashes));
            assert_eq!(TilePath::of_entry(index(start), size(leaves)), Some(tile));
        }
        assert_eq!(read, tree.entries[..leaves]);
    }
}

/// A tree that reaches the third level of tiles.
static LARGE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| Definition::numbered(70_300).entries);

#[test]
fn tiles_of_three_levels() {
    let tree = Definition::of(LARGE.clone());
    let sizes = [0, 1, 65_279, 65_280, 65_535, 65_536, 65_537, 65_791, 65_792, 65_793, 70_000, 70_300];
    let mut files = Files::default();
    for step in sizes.windows(2) {
        // As after a restart each time, from the files alone.
        let edge = files.check_restart(&tree, step[0]);
        let (edge, tiles) = edge.append(&leaf_hashes(&tree, step[0]..step[1]));
        files.write(&tiles);
        assert_eq!(edge, files.check_restart(&tree, step[1]));
    }
    for &leaves in &sizes[1..] {
        let tiles: Vec<_> = tiles_of(size(leaves)).collect();
        for tile in tiles.iter().filter(|tile| tile.index() % 50 == 0 || !tile.is_full()) {
            assert_eq!(files.read(tile), tree.tile(tile), "{tile} of size {leaves}");
        }
        for leaf in (0..leaves).step_by(4999).chain([leaves / 256 * 256, leaves - 1]).filter(|&leaf| leaf < leaves) {
            files.check_inclusion(&tree, leaf, leaves);
        }
        for old in sizes.into_iter().chain([255, 256, 32_768, 65_000, 69_999]).filter(|&old| old <= leaves) {
            files.check_growth(&tree, old, leaves);
        }
    }
}

#[test]
fn the_example_of_the_specification() {
    // "A tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile of width 112, one
    // full level 1 tile, one partial level 1 tile of width 17, and one partial level 2 tile of width 1."
    let count = |level: u8, is_full: bool| {
        let kind = TileKind::Hashes { level };
        tiles_of(size(70_000)).filter(|tile| tile.kind() == kind && tile.is_full() == is_full).collect::<Vec<_>>()
    };
    assert_eq!((count(0, true).len(), count(1, true).len(), count(2, true).len()), (273, 1, 0));
    let widths = |level| count(level, false).iter().map(TilePath::width).collect::<Vec<_>>();
    assert_eq!((widths(0), widths(1), widths(2)), (vec![112], vec![17], vec![1]));
    assert_eq!(tiles_of(size(70_000)).count(), 277);
    assert_eq!(entry_tiles(LeafIndex(0), size(70_000)).last().unwrap().to_string(), "tile/entries/273.p/112");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn proofs_in_trees_of_any_size(a in 1usize..70_300, b in 1usize..70_300, leaf: prop::sample::Index) {
        thread_local!(static TREE: Definition = Definition::of(LARGE.clone()));
        TREE.with(|tree| {
            let (old, new) = (a.min(b), a.max(b));
            let leaf = leaf.index(new);
            let (old_root, new_root) = (tree.root(old), tree.root(new));
            let included = inclusion(tree, leaf, new);
            prop_assert_eq!(&included, &nodes(tree.path(leaf, 0..new)));
            prop_assert_eq!(verify_inclusion(&tree.leaf(leaf), index(leaf), size(new), &included, &new_root), Ok(()));
            let grown = consistency(tree, old, new);
            prop_assert_eq!(&grown, &nodes(tree.proof(old, new)));
            prop_assert_eq!(verify_consistency(size(old), &old_root, size(new), &new_root, &grown), Ok(()));
            for wrong in spoiled(&included) {
                prop_assert!(verify_inclusion(&tree.leaf(leaf), index(leaf), size(new), &wrong, &new_root).is_err());
            }
            for wrong in spoiled(&grown) {
                prop_assert!(verify_consistency(size(old), &old_root, size(new), &new_root, &wrong).is_err());
            }
            prop_assert_eq!(prefix_roots(size(old), size(new), &prefix(tree, old, new)), Ok((old_root, new_root)));
            Ok(())
        })?;
    }
}
