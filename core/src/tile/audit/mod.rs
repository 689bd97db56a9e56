//! Checks every tile and every entry of a log against its signed root, and says which of them is wrong.
//!
//! A wrong hash can be in a tile, in the tile above it, or come from an entry; to know which, one of them must be known
//! to be right. So the check goes down from the root: [`Top`] holds the few tiles that the root alone can vouch for, the
//! partial ones and those above level 1; each full tile is right if its root is the hash above it; each entry is right if
//! its hash is in the tile that is. Where a tile is missing or wrong, it is made anew of what is below it, and counts if
//! then it has the root that it should have.
//!
//! The bulk of the log is cut into [`Span`]s of 65,536 entries, which are checked independently, in any order:
//!
//! ```text
//! plan      Top::tiles(size)     a few tiles           Span::all(size), Span::tiles()   257 tiles and 256 bundles each
//! read      all at once                                one after the other, into SpanCheck::read
//! combine   Top::new(…), Top::doubtful(), Top::mend(…) SpanCheck::finish()
//!                      └── Top::judge(the outcomes of all spans) ──┘
//! ```
//!
//! Memory: of a span one tile and one bundle at a time, and 32 bytes for each span of the log.

mod fault;
mod row;
mod span;
mod top;

pub use fault::Fault;
pub use span::{Span, SpanCheck, SpanOutcome};
pub use top::Top;

use crate::hash::NodeHash;
use crate::tree::TreeSize;
use alloc::vec::Vec;

/// The entries below one full tile of level 1.
pub const SPAN_WIDTH: u64 = 1 << 16;

/// The largest log that can be checked: with more, the tiles of [`Top`] don't fit into memory.
pub const MAX_AUDITED: TreeSize = TreeSize(1 << 38);

/// What the signed root says of a span, by way of the tiles above it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Known {
    /// The root of a full span.
    Root(NodeHash),
    /// What the partial tiles hold: of the last span, which is not full.
    Edge {
        /// The hashes of the partial tile of level 1, if there is one.
        parent: Vec<NodeHash>,
        /// Those of the partial tile of level 0.
        leaves: Vec<NodeHash>,
    },
    /// Nothing, because tiles above it are missing or wrong.
    Nothing,
}

#[cfg(test)]
mod tests;
