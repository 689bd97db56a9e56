//! The tiles for which the signed root can vouch, and the judgement over all.

use super::row::{Suspect, decided, first_difference, is_of_top, parse_row};
use super::{Fault, Known, SPAN_WIDTH, Span, SpanOutcome};
use crate::hash::{NodeHash, RootHash};
use crate::tile::content::split_entries;
use crate::tile::nodes::root_of_row;
use crate::tile::{LEVELS, RightEdge, TILE_HEIGHT, TILE_WIDTH, TileKind, TilePath, parse_hashes, tiles_of};
use crate::tree::{TreeSize, leaf_hash};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// The tiles of a log above level 1, and the partial ones of all levels.
#[derive(Debug)]
pub struct Top {
    size: TreeSize,
    root: RootHash,
    rows: BTreeMap<TilePath, Row>,
    /// Whether the partial tiles have the signed root.
    edge_is_right: bool,
    faults: Vec<Fault>,
}

#[derive(Debug)]
struct Row {
    hashes: Vec<NodeHash>,
    is_right: bool,
}

impl Top {
    /// What must be read of a log of this size.
    pub fn tiles(size: TreeSize) -> Vec<TilePath> {
        let low = RightEdge::partial_tiles(size).into_iter().filter(|tile| !is_of_top(tile));
        // Counted first, so that the tiles of level 0, which are many, need not be passed by.
        let spans = size.0 / SPAN_WIDTH;
        let high = tiles_of(TreeSize(spans)).filter_map(|tile| match tile.kind() {
            TileKind::Hashes { level } => {
                TilePath::new(TileKind::Hashes { level: level + 2 }, tile.index(), tile.width())
            }
            TileKind::Entries => None,
        });
        low.chain(high).collect()
    }

    /// The top of the log of this size and signed root, from what was read of [`Self::tiles`], or
    /// why it could not be.
    pub fn new(size: TreeSize, root: RootHash, read: Vec<(TilePath, Result<Vec<u8>, String>)>) -> Self {
        let mut top = Self { size, root, rows: BTreeMap::new(), edge_is_right: false, faults: Vec::new() };
        for (tile, read) in read {
            match parse_row(&tile, read.as_deref().map_err(Clone::clone)) {
                Ok(hashes) => drop(top.rows.insert(tile, Row { hashes, is_right: false })),
                Err(fault) if is_of_top(&tile) => top.faults.push(fault),
                Err(_) => {} // the last span reads it, too, and reports it
            }
        }
        let rows = RightEdge::partial_tiles(size).into_iter().map(|tile| top.stored(&tile)).collect();
        top.edge_is_right = top.has_root(rows);
        top.mark_all();
        top
    }

    fn stored(&self, tile: &TilePath) -> Option<Vec<NodeHash>> {
        self.rows.get(tile).map(|row| row.hashes.clone())
    }

    /// Whether partial tiles with these hashes have the signed root.
    fn has_root(&self, rows: Vec<Option<Vec<NodeHash>>>) -> bool {
        let rows: Option<Vec<_>> = rows.into_iter().collect();
        let edge = rows.and_then(|rows| RightEdge::from_tiles(self.size, rows).ok());
        edge.is_some_and(|edge| edge.root() == self.root)
    }

    /// What must be read to make the partial tiles anew, if they have not the signed root: the full tiles below them, and
    /// the partial bundle of entries. Nothing if they have.
    pub fn doubtful(&self) -> Vec<TilePath> {
        let partial = if self.edge_is_right { Vec::new() } else { RightEdge::partial_tiles(self.size) };
        partial.iter().flat_map(below).collect()
    }

    /// Puts what is below the partial tiles in the place of those with which they have not the signed root, if that helps:
    /// of each partial tile either what it holds or what is below it.
    pub fn mend(&mut self, read: Vec<(TilePath, Result<Vec<u8>, String>)>) {
        let read: BTreeMap<TilePath, Vec<u8>> =
            read.into_iter().filter_map(|(tile, read)| Some((tile, read.ok()?))).collect();
        let partial = RightEdge::partial_tiles(self.size);
        let choices: Vec<[Option<Vec<NodeHash>>; 2]> =
            partial.iter().map(|tile| [self.stored(tile), made_anew(tile, &read)]).collect();
        let choose = |set: u32| (0..).zip(&choices).map(move |(bit, both)| both[(set >> bit & 1) as usize].clone());
        let Some(set) = (0..1u32 << partial.len()).find(|set| self.has_root(choose(*set).collect())) else { return };
        for (tile, hashes) in partial.iter().zip(choose(set)) {
            self.put_in_place(*tile, hashes.unwrap_or_default());
        }
        self.edge_is_right = true;
        self.mark_all();
    }

    fn put_in_place(&mut self, tile: TilePath, hashes: Vec<NodeHash>) {
        let stored = self.rows.insert(tile, Row { hashes: hashes.clone(), is_right: true });
        let right: Vec<_> = hashes.into_iter().map(Some).collect();
        let position = stored.and_then(|stored| first_difference(&stored.hashes, &right)).filter(|_| is_of_top(&tile));
        self.faults.extend(position.map(|position| Fault::Hash { tile, position }));
    }

    fn mark_all(&mut self) {
        (2..LEVELS as u8).rev().for_each(|level| self.mark_right(level));
    }

    /// Marks the tiles of a level that are right, given those of the level above.
    fn mark_right(&mut self, level: u8) {
        for tile in self.of_level(level) {
            let expected = self.expected(&tile);
            let edge_is_right = self.edge_is_right;
            if let Some(row) = self.rows.get_mut(&tile) {
                row.is_right = match expected {
                    Some(expected) => root_of_row(&row.hashes) == Some(expected),
                    None => !tile.is_full() && edge_is_right,
                };
            }
        }
    }

    fn of_level(&self, level: u8) -> Vec<TilePath> {
        let count = self.size.0 >> (level * TILE_HEIGHT);
        let tile = |index| TilePath::among(count, TileKind::Hashes { level }, index);
        (0..count.div_ceil(u64::from(TILE_WIDTH))).filter_map(tile).collect()
    }

    /// The root that a full tile should have: the hash above it, if that is right.
    fn expected(&self, tile: &TilePath) -> Option<NodeHash> {
        let TileKind::Hashes { level } = tile.kind() else { return None };
        if tile.is_full() { self.right_hash(level + 1, tile.index()) } else { None }
    }

    fn right_hash(&self, level: u8, index: u64) -> Option<NodeHash> {
        let count = self.size.0.checked_shr(u32::from(level * TILE_HEIGHT))?;
        let width = u64::from(TILE_WIDTH);
        let above = TilePath::among(count, TileKind::Hashes { level }, index / width)?;
        let row = self.rows.get(&above).filter(|row| row.is_right)?;
        row.hashes.get((index % width) as usize).copied()
    }

    /// What is known of a span before it is read.
    pub fn known(&self, span: &Span) -> Known {
        if span.is_full() {
            return self.right_hash(2, span.index()).map_or(Known::Nothing, Known::Root);
        }
        if !self.edge_is_right {
            return Known::Nothing;
        }
        let partial = RightEdge::partial_tiles(self.size);
        let row = |level| {
            let tile = partial.iter().find(|tile| tile.kind() == TileKind::Hashes { level });
            tile.and_then(|tile| self.stored(tile)).unwrap_or_default()
        };
        Known::Edge { parent: row(1), leaves: row(0) }
    }

    /// What is wrong with the log, given the outcomes of all its spans in their order.
    pub fn judge(mut self, outcomes: Vec<SpanOutcome>) -> Vec<Fault> {
        let mut faults = core::mem::take(&mut self.faults);
        let (mut values, mut edge) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            faults.extend(outcome.faults);
            if outcome.span.is_full() {
                values.extend(outcome.values);
            } else {
                edge = alloc::vec![outcome.edge, outcome.values.into_iter().collect()];
            }
        }
        edge.resize(2, Some(Vec::new()));
        let faults_above = self.judge_above(values, &mut edge);
        faults.extend(faults_above);
        let mut faults = if self.edge_is_right { faults } else { self.judge_edge(faults, edge) };
        faults.sort();
        faults.dedup();
        faults
    }

    /// Judges the tiles above level 1 by the roots of the spans, and collects what should be in the partial ones.
    fn judge_above(&self, spans: Vec<Option<NodeHash>>, edge: &mut Vec<Option<Vec<NodeHash>>>) -> Vec<Fault> {
        let (mut values, mut faults) = (spans, Vec::new());
        for level in 2..LEVELS as u8 {
            let mut above = Vec::new();
            for (tile, values) in self.of_level(level).into_iter().zip(values.chunks(usize::from(TILE_WIDTH))) {
                let row = self.rows.get(&tile);
                if !row.is_some_and(|row| row.is_right) {
                    let row = row.map(|row| row.hashes.as_slice());
                    let (root, found) = Suspect { tile, row, expected: self.expected(&tile), values }.judge();
                    faults.extend(found);
                    above.push(root);
                } else if let Some(row) = row {
                    above.push(root_of_row(&row.hashes));
                }
                if !tile.is_full() {
                    above.pop();
                }
            }
            let rest = values.len() % usize::from(TILE_WIDTH);
            edge.push(values.split_off(values.len() - rest).into_iter().collect());
            values = above;
        }
        faults
    }

    /// Judges the partial tiles, which have not the signed root, by what is below them.
    fn judge_edge(&self, faults: Vec<Fault>, edge: Vec<Option<Vec<NodeHash>>>) -> Vec<Fault> {
        let mut found = Vec::new();
        let rows = edge.iter().filter(|row| row.as_ref().is_none_or(|row| !row.is_empty()));
        let should_be: Option<Vec<Vec<NodeHash>>> = rows.cloned().collect();
        let computed = should_be.as_ref().and_then(|rows| RightEdge::from_tiles(self.size, rows.clone()).ok());
        let root = computed.map(|edge| edge.root());
        if root != Some(self.root) {
            return faults.into_iter().chain([Fault::Root { computed: root }]).collect();
        }
        for (tile, should_be) in RightEdge::partial_tiles(self.size).iter().zip(should_be.iter().flatten()) {
            let should_be: Vec<_> = should_be.iter().copied().map(Some).collect();
            let row = self.rows.get(tile);
            let position = row.and_then(|row| first_difference(&row.hashes, &should_be));
            found.extend(position.map(|position| Fault::Hash { tile: *tile, position }));
        }
        faults.into_iter().map(decided).chain(found).collect()
    }
}

/// What a partial tile can be made of: the full tiles below it, or its entries.
fn below(tile: &TilePath) -> Vec<TilePath> {
    match tile.kind() {
        TileKind::Hashes { level: level @ 1.. } => {
            let first = tile.index() * u64::from(TILE_WIDTH);
            let full = |index| TilePath::new(TileKind::Hashes { level: level - 1 }, index, TILE_WIDTH);
            (first..first + u64::from(tile.width())).filter_map(full).collect()
        }
        _ => TilePath::new(TileKind::Entries, tile.index(), tile.width()).into_iter().collect(),
    }
}

/// What a partial tile should hold by what is below it.
fn made_anew(tile: &TilePath, read: &BTreeMap<TilePath, Vec<u8>>) -> Option<Vec<NodeHash>> {
    let below = below(tile);
    if let [bundle] = below[..]
        && bundle.kind() == TileKind::Entries
    {
        let leaf = |entry: Result<&[u8], _>| entry.map(|entry| NodeHash::from(leaf_hash(entry)));
        return split_entries(read.get(&bundle)?, bundle.width()).map(leaf).collect::<Result<_, _>>().ok();
    }
    let root = |tile: &TilePath| root_of_row(&parse_hashes(read.get(tile)?, tile.width()).ok()?);
    below.iter().map(root).collect()
}
