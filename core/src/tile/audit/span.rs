//! A part of a log that is checked by itself.

use super::row::{Suspect, decided, malformed, parse_row, root_of_values};
use super::{Fault, Known, SPAN_WIDTH};
use crate::hash::{LeafHash, NodeHash};
use crate::tile::content::split_entries;
use crate::tile::nodes::root_of_row;
use crate::tile::{TILE_WIDTH, TileKind, TilePath};
use crate::tree::{LeafIndex, TreeSize, leaf_hash};
use alloc::string::String;
use alloc::vec::Vec;

/// 65,536 neighbouring entries, or what is left of them at the end of the log, with their tiles of levels 0 and 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    size: TreeSize,
    index: u64,
}

impl Span {
    /// All spans of a log of this size, left to right.
    pub fn all(size: TreeSize) -> impl Iterator<Item = Self> {
        (0..size.0.div_ceil(SPAN_WIDTH)).map(move |index| Self { size, index })
    }

    /// Its position among them.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many entries it has.
    pub fn entries(&self) -> u64 {
        (self.size.0 - self.index * SPAN_WIDTH).min(SPAN_WIDTH)
    }

    /// Whether no growth of the log will change it.
    pub fn is_full(&self) -> bool {
        self.entries() == SPAN_WIDTH
    }

    /// What must be read of it, in the order in which [`SpanCheck::read`] wants it: the tile of level 1, if there is
    /// one, then each tile of hashes followed by its bundle of entries.
    pub fn tiles(&self) -> Vec<TilePath> {
        let children = self.entries().div_ceil(u64::from(TILE_WIDTH));
        let first = self.index * u64::from(TILE_WIDTH);
        let pair = |index| [TileKind::Hashes { level: 0 }, TileKind::Entries].map(|kind| self.child(kind, index));
        let pairs = (first..first + children).flat_map(pair).flatten();
        self.parent().into_iter().chain(pairs).collect()
    }

    fn parent(&self) -> Option<TilePath> {
        let width = self.entries() / u64::from(TILE_WIDTH);
        TilePath::new(TileKind::Hashes { level: 1 }, self.index, width as u16)
    }

    fn child(&self, kind: TileKind, index: u64) -> Option<TilePath> {
        TilePath::among(self.size.0, kind, index)
    }

    /// Begins to check it.
    pub fn check(self, known: Known) -> SpanCheck {
        SpanCheck {
            span: self,
            known,
            parent: None,
            right_parent: None,
            tile: None,
            values: Vec::new(),
            tile_roots: Vec::new(),
            edge: None,
            faults: Vec::new(),
        }
    }
}

/// A span while it is read.
#[derive(Debug)]
pub struct SpanCheck {
    span: Span,
    known: Known,
    /// The tile of level 1.
    parent: Option<Vec<NodeHash>>,
    /// What it should hold, if that is known.
    right_parent: Option<Vec<NodeHash>>,
    /// The tile of level 0 whose entries come next.
    tile: Option<Vec<NodeHash>>,
    /// The roots of the full tiles so far, as far as they can be told; by the entries rather than by the tile.
    values: Vec<Option<NodeHash>>,
    /// The same by the tiles alone.
    tile_roots: Vec<Option<NodeHash>>,
    /// The leaves in the partial tile.
    edge: Option<Vec<NodeHash>>,
    faults: Vec<Fault>,
}

/// What a span turned out to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpanOutcome {
    /// Which one.
    pub span: Span,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// The roots of its tiles of level 0 if it is not full; of a full one, its own root. `None` where they can't be told.
    pub(super) values: Vec<Option<NodeHash>>,
    /// The leaves of the partial tile; empty if there is none.
    pub(super) edge: Option<Vec<NodeHash>>,
}

impl SpanCheck {
    /// Takes what was read of the next of [`Span::tiles`], or why it could not be.
    pub fn read(&mut self, tile: &TilePath, read: Result<&[u8], String>) {
        match tile.kind() {
            TileKind::Hashes { level: 0 } => self.tile = self.row(tile, read),
            TileKind::Hashes { .. } => self.read_parent(tile, read),
            TileKind::Entries => self.read_entries(tile, read),
        }
    }

    fn row(&mut self, tile: &TilePath, read: Result<&[u8], String>) -> Option<Vec<NodeHash>> {
        parse_row(tile, read).map_err(|fault| self.faults.push(fault)).ok()
    }

    fn read_parent(&mut self, tile: &TilePath, read: Result<&[u8], String>) {
        self.parent = self.row(tile, read);
        self.right_parent = match &self.known {
            Known::Root(root) => self.parent.clone().filter(|row| root_of_row(row) == Some(*root)),
            Known::Edge { parent, .. } => Some(parent.clone()),
            Known::Nothing => None,
        };
        if let (Some(row), Some(right)) = (&self.parent, &self.right_parent) {
            self.faults.extend(differences(row, right).map(|position| Fault::Hash { tile: *tile, position }));
        }
    }

    fn read_entries(&mut self, bundle: &TilePath, read: Result<&[u8], String>) {
        let leaves = self.leaves(bundle, read);
        let tile = self.tile.take();
        if bundle.is_full() {
            let value = self.judge_full(bundle, tile, leaves);
            self.values.push(value);
        } else {
            self.judge_partial(bundle, tile, leaves);
        }
    }

    /// The hashes of the entries, if the bundle is there and well-formed.
    fn leaves(&mut self, bundle: &TilePath, read: Result<&[u8], String>) -> Option<Vec<LeafHash>> {
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(reason) => {
                self.faults.push(Fault::Unreadable { tile: *bundle, reason });
                return None;
            }
        };
        let mut leaves = Vec::with_capacity(usize::from(TILE_WIDTH));
        for entry in split_entries(bytes, bundle.width()) {
            match entry {
                Ok(entry) => leaves.push(leaf_hash(entry)),
                Err(error) => {
                    self.faults.push(malformed(bundle, &error));
                    return None;
                }
            }
        }
        Some(leaves)
    }

    /// Judges a full tile and its entries by the hash above them, and gives the hash that should be there.
    fn judge_full(
        &mut self,
        bundle: &TilePath,
        tile: Option<Vec<NodeHash>>,
        leaves: Option<Vec<LeafHash>>,
    ) -> Option<NodeHash> {
        let leaves: Option<Vec<NodeHash>> = leaves.map(|leaves| leaves.into_iter().map(NodeHash::from).collect());
        let place = self.values.len();
        let expected = self.right_parent.as_ref().and_then(|row| row.get(place)).copied();
        let tile_root = tile.as_deref().and_then(root_of_row);
        self.tile_roots.push(tile_root);
        let same = tile.is_some() && tile == leaves;
        let leaves_root = if same { tile_root } else { leaves.as_deref().and_then(root_of_row) };
        let Some(expected) = expected else {
            self.compare(bundle, tile.as_deref(), leaves.as_deref());
            return leaves_root.or(tile_root);
        };
        if same && tile_root == Some(expected) {
            return Some(expected);
        }
        self.blame(bundle, (tile, tile_root), (leaves, leaves_root), expected);
        Some(expected)
    }

    /// Says which of a tile and its entries is wrong, where their root is known.
    fn blame(
        &mut self,
        bundle: &TilePath,
        (tile, tile_root): (Option<Vec<NodeHash>>, Option<NodeHash>),
        (leaves, leaves_root): (Option<Vec<NodeHash>>, Option<NodeHash>),
        expected: NodeHash,
    ) {
        let hashes = hashes_of(bundle);
        match (tile, leaves) {
            (Some(tile), Some(leaves)) if tile_root == Some(expected) => {
                self.faults.extend(differences(&tile, &leaves).map(|position| entry(bundle, position)));
            }
            (Some(tile), Some(leaves)) if leaves_root == Some(expected) => {
                let hash = |position| Fault::Hash { tile: hashes, position };
                self.faults.extend(differences(&tile, &leaves).map(hash));
            }
            (tile, leaves) => {
                let foreign = |root: Option<NodeHash>, tile| {
                    (root.is_some() && root != Some(expected)).then_some(Fault::Foreign { tile })
                };
                self.faults.extend(foreign(tile.and(tile_root), hashes));
                self.faults.extend(foreign(leaves.and(leaves_root), *bundle));
            }
        }
    }

    /// Says that a tile and its entries differ, where nothing above tells which is right.
    fn compare(&mut self, bundle: &TilePath, tile: Option<&[NodeHash]>, leaves: Option<&[NodeHash]>) {
        if let (Some(tile), Some(leaves)) = (tile, leaves) {
            let hashes = hashes_of(bundle);
            let undecided = |position| Fault::Undecided { tile: hashes, position };
            self.faults.extend(differences(tile, leaves).map(undecided));
        }
    }

    fn judge_partial(&mut self, bundle: &TilePath, tile: Option<Vec<NodeHash>>, leaves: Option<Vec<LeafHash>>) {
        let leaves: Option<Vec<NodeHash>> = leaves.map(|leaves| leaves.into_iter().map(NodeHash::from).collect());
        let Known::Edge { leaves: right, .. } = &self.known else {
            self.compare(bundle, tile.as_deref(), leaves.as_deref());
            self.edge = leaves.or(tile);
            return;
        };
        let hash = |position| Fault::Hash { tile: hashes_of(bundle), position };
        self.faults.extend(tile.iter().flat_map(|tile| differences(tile, right)).map(hash));
        let wrong = leaves.iter().flat_map(|leaves| differences(leaves, right));
        self.faults.extend(wrong.map(|position| entry(bundle, position)));
        self.edge = Some(right.clone());
    }

    /// What the span is, now that all of it was read.
    pub fn finish(mut self) -> SpanOutcome {
        let span = self.span;
        let mut root = if let Known::Root(root) = self.known { Some(root) } else { None };
        if let Some(tile) = span.parent().filter(|_| self.right_parent.is_none()) {
            root = self.judge_parent(tile, root);
        }
        let has_partial = !span.entries().is_multiple_of(u64::from(TILE_WIDTH));
        SpanOutcome {
            span,
            faults: self.faults,
            values: if span.is_full() { alloc::vec![root] } else { self.values },
            edge: if has_partial { self.edge } else { Some(Vec::new()) },
        }
    }

    /// Judges a tile of level 1 that is missing, or not known to be right, by what is below it; and, if that has the
    /// root that it should have, what is below it, too.
    fn judge_parent(&mut self, tile: TilePath, expected: Option<NodeHash>) -> Option<NodeHash> {
        let has_root = |values: &[_]| expected.is_some() && root_of_values(values) == expected;
        let faults = core::mem::take(&mut self.faults);
        if has_root(&self.values) {
            self.faults = faults.into_iter().map(decided).collect();
        } else if has_root(&self.tile_roots) {
            self.faults = faults.into_iter().map(entries_decided).collect();
            self.values = self.tile_roots.clone();
        } else {
            self.faults = faults;
        }
        let (root, faults) = Suspect { tile, row: self.parent.as_deref(), expected, values: &self.values }.judge();
        self.faults.extend(faults);
        root
    }
}

/// The same fault where the tiles of level 0 are known to be right.
fn entries_decided(fault: Fault) -> Fault {
    match fault {
        Fault::Undecided { tile, position } => entry(&tile, position),
        other => other,
    }
}

/// The tile of hashes that belongs to a bundle.
fn hashes_of(bundle: &TilePath) -> TilePath {
    TilePath { kind: TileKind::Hashes { level: 0 }, ..*bundle }
}

fn entry(bundle: &TilePath, position: u16) -> Fault {
    Fault::Entry { index: LeafIndex(bundle.index() * u64::from(TILE_WIDTH) + u64::from(position)) }
}

fn differences<'a>(one: &'a [NodeHash], other: &'a [NodeHash]) -> impl Iterator<Item = u16> + use<'a> {
    (0..).zip(one.iter().zip(other)).filter(|(_, (hash, leaf))| hash != leaf).map(|(position, _)| position)
}
