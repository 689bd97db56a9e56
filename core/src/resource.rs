//! What a log, a mirror or a folder serves, each by its path: the reading half of the HTTP surface.
//!
//! | path | what | changes |
//! |---|---|---|
//! | `checkpoint` | the newest published checkpoint, cosigned (C2SP tlog-checkpoint) | yes |
//! | `tile/…` | hashes and entries (C2SP tlog-tiles) | never |
//! | `object/<sha256 hex>` | a snapshot or a delta | never |
//! | `statement/<id hex>` | one statement | never |
//! | `proof/<id hex>` | its seen proof (C2SP tlog-proof) | when witnesses change |
//! | `list/<name>/bundle` | what a client needs now ([`crate::bundle`]) | yes |

use crate::bundle::MAX_BUNDLE_SIZE;
use crate::checkpoint::MAX_CHECKPOINT_SIZE;
use crate::hash::{ObjectDigest, StatementId};
use crate::statement::{ListName, MAX_STATEMENT_SIZE};
use crate::tile::TilePath;
use crate::tlog_proof::MAX_TLOG_PROOF_SIZE;
use core::fmt;

/// One thing that can be fetched.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Resource {
    /// The newest checkpoint.
    Checkpoint,
    /// A tile of hashes or entries.
    Tile(TilePath),
    /// A snapshot or a delta, and its size in bytes where a statement names it.
    Object(ObjectDigest),
    /// A statement.
    Statement(StatementId),
    /// A statement's seen proof.
    SeenProof(StatementId),
    /// A list's bundle.
    Bundle(ListName),
}

impl Resource {
    /// The resource at this path, without a leading slash.
    pub fn parse(path: &str) -> Option<Self> {
        if path == "checkpoint" {
            return Some(Self::Checkpoint);
        }
        match path.split_once('/')? {
            ("tile", _) => TilePath::parse(path).ok().map(Self::Tile),
            ("object", hex) => ObjectDigest::from_hex(hex).map(Self::Object),
            ("statement", hex) => StatementId::from_hex(hex).map(Self::Statement),
            ("proof", hex) => StatementId::from_hex(hex).map(Self::SeenProof),
            ("list", rest) => ListName::new(rest.strip_suffix("/bundle")?).map(Self::Bundle),
            _ => None,
        }
    }

    /// The most bytes that it can have; `None` for an object, whose size is in the statement that names it.
    pub fn max_bytes(&self) -> Option<u64> {
        match self {
            Self::Checkpoint => Some(MAX_CHECKPOINT_SIZE as u64),
            Self::Tile(tile) => Some(tile.max_bytes() as u64),
            Self::Object(_) => None,
            Self::Statement(_) => Some(MAX_STATEMENT_SIZE as u64),
            Self::SeenProof(_) => Some(MAX_TLOG_PROOF_SIZE as u64),
            Self::Bundle(_) => Some(MAX_BUNDLE_SIZE as u64),
        }
    }

    /// Whether its bytes never change, so that a cache may keep them for ever.
    pub fn is_immutable(&self) -> bool {
        matches!(self, Self::Tile(_) | Self::Object(_) | Self::Statement(_))
    }

    /// The media type under which it is served.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Tile(_) | Self::Object(_) => "application/octet-stream",
            Self::Checkpoint | Self::Statement(_) | Self::SeenProof(_) | Self::Bundle(_) => "text/plain; charset=utf-8",
        }
    }
}

/// Shows the path, without a leading slash.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Tile(tile) => write!(f, "{tile}"),
            Self::Object(digest) => write!(f, "object/{}", digest.to_hex()),
            Self::Statement(id) => write!(f, "statement/{}", id.to_hex()),
            Self::SeenProof(id) => write!(f, "proof/{}", id.to_hex()),
            Self::Bundle(list) => write!(f, "list/{list}/bundle"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn paths_name_resources_and_nothing_else() {
        let hex = "ab".repeat(32);
        for path in [
            "checkpoint".to_string(),
            "tile/0/x001/234.p/5".to_string(),
            "tile/entries/000".to_string(),
            ["object/", &hex].concat(),
            ["statement/", &hex].concat(),
            ["proof/", &hex].concat(),
            "list/hotline.example/a/b/bundle".to_string(),
        ] {
            assert_eq!(Resource::parse(&path).unwrap().to_string(), path);
        }
        for wrong in ["", "/checkpoint", "checkpoint/", "object/AB", "object/../checkpoint", "list/a/bundle", "lists"] {
            assert_eq!(Resource::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_has_one_path(path in "(object|statement|proof|list|tile)/[a-z0-9./]{0,80}") {
            if let Some(resource) = Resource::parse(&path) {
                prop_assert_eq!(resource.to_string(), path);
            }
        }
    }
}
