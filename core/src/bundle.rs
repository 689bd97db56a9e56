//! The bundle of a list: what a client needs now, in one small file that it polls.
//!
//! ```text
//! isonomy-bundle/v1
//! list hotline.example/known-images
//! charter 0uVyNFWzYQrgB4Hv9zk0yb4HbKTgbFlFxBTJ1c4FSh8= 0
//! r6VnbJPT65jjgBB9xfPTh6i0F1pUQ4SAdBqUUYQFh6E=
//! release 1DRJ4Mu4TbyVTZs+Wn9aGpG7bKR6cQCJtTBHVHCV1cc= 1
//! MNhVCmmq3Nj7EZIeWjxZcCrRmzPtC0oqKQbK6MSwhxk=
//!
//! log.example/isonomy
//! 2
//! …
//! ```
//!
//! First the list; then every edition of its charter from the first, then the newest usable release and those after it;
//! then what auditors say that followed the log (lines that begin with `attestation `), from each the attestation about
//! the newest release that is still valid, which counts for older ones too. For clients that ask for such words, the
//! releases that these attestations name are among the others, also where they are older. All ascending, each by identity
//! and log index, followed by its inclusion proof in the checkpoint, one base64 hash a line (RFC 9162 section 2.1.3); then
//! an empty line and the cosigned checkpoint. So a bundle is the same for everybody, whatever their policy asks for.
//! Statements and their seen proofs don't change with every poll, so they are fetched once, by identity. Nothing in a bundle is believed: what it points to is
//! proven by the checkpoint, and what it hides can be nothing but newer.

use crate::checkpoint::{CheckpointError, CheckpointNote};
use crate::encoding::from_decimal;
use crate::hash::{NodeHash, StatementId};
use crate::statement::ListName;
use crate::tree::{LeafIndex, ProofError, leaf_hash, verify_inclusion};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The most bytes that a bundle may have.
pub const MAX_BUNDLE_SIZE: usize = 2 * 1024 * 1024;
/// The most releases after the newest usable one that a log offers in a bundle: more than wait in a list that publishes each hour, and
/// few enough for [`MAX_BUNDLE_SIZE`] in a log of 2^40 entries.
pub const MAX_NEWER: usize = 1000;
/// The most hashes that an inclusion proof may have.
const MAX_PATH: usize = 63;
const FIRST_LINE: &str = "isonomy-bundle/v1";

/// Why bytes are not a bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Larger than [`MAX_BUNDLE_SIZE`].
    #[error("the bundle is larger than {MAX_BUNDLE_SIZE} bytes")]
    TooLarge,
    /// A line is not what stands there.
    #[error("malformed bundle, line {line}: {problem}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// The checkpoint is malformed.
    #[error("malformed bundle: {0}")]
    Checkpoint(#[from] CheckpointError),
}

/// A statement's place in the log, with the proof of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Included {
    /// The statement.
    pub id: StatementId,
    /// Its place.
    pub index: LeafIndex,
    /// Its inclusion proof in the bundle's checkpoint.
    pub path: Vec<NodeHash>,
}

impl Included {
    /// Whether `entry`, the bytes of the statement, stands at this place under `checkpoint`.
    pub fn verify(&self, entry: &[u8], checkpoint: &CheckpointNote) -> Result<(), ProofError> {
        let tree = checkpoint.checkpoint();
        verify_inclusion(&leaf_hash(entry), self.index, tree.size, &self.path, &tree.root)
    }
}

/// A parsed bundle; nothing in it is verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bundle {
    /// The list.
    pub list: ListName,
    /// Every edition of its charter, from the first.
    pub charters: Vec<Included>,
    /// The newest usable release, those after it (of very many the newest), and those older ones that the attestations name; ascending.
    pub releases: Vec<Included>,
    /// Attestations of method `followed`, of each auditor the one about the newest release; ascending.
    pub attestations: Vec<Included>,
    /// The newest checkpoint, cosigned.
    pub checkpoint: CheckpointNote,
}

impl Bundle {
    /// Parses a bundle.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BUNDLE_SIZE {
            return Err(BundleError::TooLarge);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| line(1, "not UTF-8"))?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(line(1, "no empty line before the checkpoint"))?;
        let checkpoint = CheckpointNote::parse(checkpoint.as_bytes())?;
        let mut lines = head.split('\n').enumerate().map(|(at, text)| (at + 1, text));
        if lines.next() != Some((1, FIRST_LINE)) {
            return Err(line(1, "not isonomy-bundle/v1"));
        }
        let list = lines.next().and_then(|(_, text)| ListName::new(text.strip_prefix("list ")?));
        let list = list.ok_or(line(2, "not a list's name"))?;
        let (mut charters, mut releases, mut attestations) = (Vec::new(), Vec::new(), Vec::new());
        let place = |number, rest| included(rest).ok_or(line(number, "not an identity and an index"));
        for (number, text) in lines {
            let in_order = |later: &[&Vec<Included>]| later.iter().all(|part| part.is_empty());
            if let Some(rest) = text.strip_prefix("charter ").filter(|_| in_order(&[&releases, &attestations])) {
                charters.push(place(number, rest)?);
            } else if let Some(rest) = text.strip_prefix("release ").filter(|_| in_order(&[&attestations])) {
                releases.push(place(number, rest)?);
            } else if let Some(rest) = text.strip_prefix("attestation ") {
                attestations.push(place(number, rest)?);
            } else {
                let hash = NodeHash::from_base64(text).ok_or(line(number, "not a hash"))?;
                let last = attestations.last_mut().or(releases.last_mut()).or(charters.last_mut());
                let path = &mut last.ok_or(line(number, "a hash before any statement"))?.path;
                if path.len() == MAX_PATH {
                    return Err(line(number, "too many hashes"));
                }
                path.push(hash);
            }
        }
        Ok(Self { list, charters, releases, attestations, checkpoint })
    }

    /// The bytes of the bundle.
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("{self}").into_bytes()
    }
}

/// Shows the whole bundle.
impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}\nlist {}", self.list)?;
        let charters = self.charters.iter().map(|included| ("charter", included));
        let releases = self.releases.iter().map(|included| ("release", included));
        let attestations = self.attestations.iter().map(|included| ("attestation", included));
        for (kind, Included { id, index, path }) in charters.chain(releases).chain(attestations) {
            writeln!(f, "{kind} {} {index}", id.to_base64())?;
            let hashes: String = path.iter().map(|hash| hash.to_base64() + "\n").collect();
            f.write_str(&hashes)?;
        }
        write!(f, "\n{}", self.checkpoint.note())
    }
}

fn line(line: usize, problem: &'static str) -> BundleError {
    BundleError::Line { line, problem }
}

fn included(text: &str) -> Option<Included> {
    let (id, index) = text.split_once(' ')?;
    let (id, index) = (StatementId::from_base64(id)?, LeafIndex(from_decimal(index)?));
    Some(Included { id, index, path: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::hash::RootHash;
    use crate::note::{KeyType, SigningKey};
    use crate::tree::TreeSize;
    use proptest::prelude::*;

    fn bundle() -> Bundle {
        let key = SigningKey::from_seed("log.example/isonomy", KeyType::Ed25519, &[1; 32]).unwrap();
        let root = RootHash([7; 32]);
        let checkpoint =
            Checkpoint { origin: key.verifier().name().into(), size: TreeSize(3), root, extensions: Vec::new() };
        let included = |seed: u8, hashes: usize| Included {
            id: StatementId([seed; 32]),
            index: LeafIndex(u64::from(seed)),
            path: alloc::vec![NodeHash([seed; 32]); hashes],
        };
        Bundle {
            list: ListName::new("hotline.example/images").unwrap(),
            charters: alloc::vec![included(0, 2), included(1, 0)],
            releases: alloc::vec![included(2, 1)],
            attestations: alloc::vec![included(3, 1)],
            checkpoint: CheckpointNote::sign(checkpoint, &key).unwrap(),
        }
    }

    #[test]
    fn a_bundle_keeps_its_bytes() {
        let bundle = bundle();
        let parsed = Bundle::parse(&bundle.to_bytes()).unwrap();
        assert_eq!(parsed, bundle);
        assert_eq!(parsed.to_bytes(), bundle.to_bytes());
    }

    #[test]
    fn what_is_out_of_place_is_named_by_its_line() {
        let text = format!("{}", bundle());
        for (from, to, number, problem) in [
            ("bundle/v1", "bundle/v2", 1, "not isonomy-bundle/v1"),
            ("list hotline", "list Hotline", 2, "not a list's name"),
            ("charter AA", "hash AA", 3, "not a hash"),
            ("= 0\n", "= 00\n", 3, "not an identity and an index"),
            ("= 2\n", "= -2\n", 7, "not an identity and an index"),
        ] {
            assert_eq!(Bundle::parse(text.replacen(from, to, 1).as_bytes()), Err(line(number, problem)));
        }
        let long =
            [text.replace("= 2\n", &["= 2\n", &"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".repeat(63)].concat())]
                .concat();
        assert_eq!(Bundle::parse(long.as_bytes()), Err(line(71, "too many hashes")));
    }

    proptest! {
        #[test]
        fn mutations_never_panic_and_keep_one_form(at in 0usize..400, byte in any::<u8>()) {
            let mut bytes = bundle().to_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(parsed) = Bundle::parse(&bytes) {
                prop_assert_eq!(parsed.to_bytes(), bytes);
            }
        }
    }
}
