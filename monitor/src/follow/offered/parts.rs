//! What clients need besides bundles, one thing at a time: by what it is asked for, and when its turn is.

use crate::finding::Finding;
use crate::vantage::{Lack, Vantage};
use isonomy_core::statement::Statement;
use isonomy_core::tile::{TILE_HEIGHT, TilePath};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{LeafIndex, NodeCoordinate, TreeSize};

/// The entry whose turn it is moves on by so many, so that it comes through the whole log soon: a prime.
const STRIDE: u64 = 982_451_653;

/// Something immutable, or nearly so, that clients need.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Part {
    Statement(LeafIndex),
    Proof(LeafIndex),
    Tile(TilePath),
}

impl Part {
    /// The finding that it is not served.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Statement(_) => "statement-withheld",
            Self::Proof(_) => "proof-withheld",
            Self::Tile(_) => "tile-withheld",
        }
    }

    /// What a finding of this code is about, at a vantage point.
    pub(super) fn of(finding: &Finding) -> Option<Self> {
        match finding.code.as_str() {
            "statement-withheld" => Some(Self::Statement(finding.index?)),
            "proof-withheld" | "proof-later" => Some(Self::Proof(finding.index?)),
            _ => TilePath::parse(finding.subject.split(' ').next()?).ok().map(Self::Tile),
        }
    }

    /// What clients need it for, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Tile(path) => format!("{path}, from which proofs are made"),
            Self::Statement(index) => format!("the statement at entry {index} by its identity"),
            Self::Proof(index) => format!("a seen proof of entry {index} that holds"),
        }
    }

    /// The place of the statement that it is of.
    pub(super) fn index(&self) -> Option<LeafIndex> {
        match self {
            Self::Tile(_) => None,
            Self::Statement(index) | Self::Proof(index) => Some(*index),
        }
    }

    pub(super) fn subject(&self, label: &str) -> String {
        match self {
            Self::Statement(index) | Self::Proof(index) => format!("entry {index} at {label}"),
            Self::Tile(path) => format!("{path} at {label}"),
        }
    }
}

/// What came of asking for a part.
pub(super) enum Got {
    Bytes(Vec<u8>),
    Proof(Box<TlogProof>),
}

/// Asks for a part; of those that are asked for by an identity, it is this statement.
pub(super) async fn ask(vantage: &Vantage, part: &Part, statement: Option<Statement>) -> Result<Got, Lack> {
    let unknown = || Lack::Unavailable("this monitor's own copy is damaged".to_owned());
    match part {
        Part::Tile(path) => vantage.tile(path).await.map(Got::Bytes),
        Part::Statement(_) => vantage.statement(&statement.ok_or_else(unknown)?.id()).await.map(Got::Bytes),
        Part::Proof(_) => {
            vantage.seen_proof(&statement.ok_or_else(unknown)?.id()).await.map(|proof| Got::Proof(Box::new(proof)))
        }
    }
}

/// Each entry has its turn, in an order that goes through the whole log soon.
pub(super) fn entry_in_turn(turn: u64, size: TreeSize) -> LeafIndex {
    let place = u128::from(turn) * u128::from(STRIDE) % u128::from(size.0.max(1));
    LeafIndex(u64::try_from(place).unwrap_or(0))
}

/// A tile of entries, or one of the hashes above them, at any level.
pub(super) fn tile_in_turn(turn: u64, entry: LeafIndex, size: TreeSize) -> Option<TilePath> {
    let levels = (0..8u8).take_while(|level| size.0 >> (level * TILE_HEIGHT) > 0).count() as u64;
    let level = turn.checked_rem(levels + 1)?;
    let Some(level) = level.checked_sub(1).and_then(|level| u8::try_from(level).ok()) else {
        return TilePath::of_entry(entry, size);
    };
    let level = level * TILE_HEIGHT;
    let index = (entry.0 >> level).min((size.0 >> level).saturating_sub(1));
    TilePath::of_node(&NodeCoordinate { level, index }, size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::tile;
    use std::collections::BTreeSet;

    #[test]
    fn every_tile_and_every_entry_has_its_turn() {
        for size in [1, 5, 256, 700, 66_000] {
            let size = TreeSize(size);
            let turns = 0..20 * size.0.div_ceil(256) + 50 * 4;
            let entry = |turn| entry_in_turn(turn, size);
            let shown: BTreeSet<TilePath> = turns.filter_map(|turn| tile_in_turn(turn, entry(turn), size)).collect();
            let mut all: BTreeSet<TilePath> = tile::entry_tiles(LeafIndex(0), size).collect();
            let levels = (0..8).map(|level| (level, size.0 >> (8 * level))).filter(|(_, count)| *count > 0);
            for (level, count) in levels {
                let nodes = (0..count).step_by(256).map(|index| NodeCoordinate { level: 8 * level, index });
                all.extend(nodes.filter_map(|node| TilePath::of_node(&node, size)));
            }
            assert!(shown.is_subset(&all), "{size}");
            assert!(shown.len() * 10 >= all.len() * 9, "{size}: {} of {}", shown.len(), all.len());
            let entries: BTreeSet<LeafIndex> = (7..7 + size.0).map(entry).collect();
            assert_eq!(entries.len() as u64, size.0);
        }
    }
}
