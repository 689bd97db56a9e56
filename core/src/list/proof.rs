//! A file that proves, offline, that the list of a release holds an entry, or does not.
//!
//! It is canonical JSON ([`crate::json`]). Hashes of a path are one base64 string, from the leaf's sibling upwards.
//!
//! | field | content |
//! |---|---|
//! | `proof` | `isonomy/list-proof/v1` |
//! | `release` | the id of the release |
//! | `entry` | the entry in question |
//! | `index`, `path` | if the list holds it: its place, and the path of its [membership](super::tree::MembershipProof) |
//! | `below`, `above` | if not: its [neighbours](super::tree::NonMembershipProof), `below` with `index`, `entry` and `path`, `above` with `entry` and `path`; its place is the next one, or 0 where there is no `below` |
//!
//! Two neighbours share most of their paths, so what can be computed is left out. With z = the trailing zero bits of the place
//! of `above`, `below` is the last entry of a complete subtree of 2^z entries, and `above` the first of the subtree to its
//! right. The path of `below` holds its first z hashes, up to the root of its subtree, then those above both subtrees; the
//! path of `above` only those up to the root of its own. Each root is the hash that is missing in the other path. So a proof
//! has less than 2,000 bytes for a list of 10^6 entries.

use super::tree::{ListProofError, ListTree, MembershipProof, NonMembershipProof};
use crate::encoding::{from_base64, to_base64};
use crate::hash::{HASH_SIZE, NodeHash, StatementId};
use crate::json;
use crate::release::Release;
use crate::statement::Signed;
use crate::tree::{LeafIndex, leaf_hash, node_hash};
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The most bytes of a proof.
pub const MAX_LIST_PROOF_SIZE: usize = 16 * 1024;

const MARK: &str = "isonomy/list-proof/v1";

/// A proof about one entry. Nothing of it is believed before [`ListProof::verify`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListProof {
    /// The release with whose list it deals.
    pub release: StatementId,
    /// The entry.
    pub entry: Vec<u8>,
    /// What is said of it, and why.
    pub claim: Claim,
}

/// What a proof says of its entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claim {
    /// The list holds it, at this place.
    Listed(LeafIndex, Vec<NodeHash>),
    /// The list does not hold it.
    Absent(NonMembershipProof),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    proof: String,
    release: StatementId,
    entry: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<LeafIndex>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    below: Option<Neighbour>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    above: Option<Neighbour>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Neighbour {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<LeafIndex>,
    entry: String,
    path: String,
}

impl ListProof {
    /// The proof about `entry` in the list of `release`, whose tree is given.
    pub fn new(tree: &ListTree<'_>, release: StatementId, entry: &[u8]) -> Self {
        let claim = match tree.non_membership(entry) {
            Some(absent) => Claim::Absent(absent),
            None => {
                let found = tree.find(entry).and_then(|index| tree.membership(index));
                found.map_or(Claim::Absent(NonMembershipProof { below: None, above: None }), |proof| {
                    Claim::Listed(proof.index, proof.path)
                })
            }
        };
        Self { release, entry: entry.to_vec(), claim }
    }

    /// Whether it says that the list holds the entry.
    pub fn is_listed(&self) -> bool {
        matches!(self.claim, Claim::Listed(..))
    }

    /// Succeeds if what it says is true of the list of `release`.
    pub fn verify(&self, release: &Signed<Release>) -> Result<(), ListProofError> {
        if release.id() != self.release {
            return Err(ListProofError::OtherRelease { expected: self.release, found: release.id() });
        }
        let (root, size) = (&release.body().root, release.body().entries);
        match &self.claim {
            Claim::Listed(index, path) => {
                MembershipProof { index: *index, entry: self.entry.clone(), path: path.clone() }.verify(root, size)
            }
            Claim::Absent(absent) => absent.verify(&self.entry, root, size),
        }
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let (release, entry) = (self.release, to_base64(&self.entry));
        let mut file =
            File { proof: MARK.to_owned(), release, entry, index: None, path: None, below: None, above: None };
        match &self.claim {
            Claim::Listed(index, path) => (file.index, file.path) = (Some(*index), Some(encode_path(path))),
            Claim::Absent(absent) => (file.below, file.above) = shorten(absent),
        }
        // Its strings are base64, so encoding can't fail.
        json::encode(&file).unwrap_or_default()
    }

    /// Parses a proof.
    pub fn parse(bytes: &[u8]) -> Result<Self, ListProofError> {
        let malformed = |why: &str| ListProofError::Malformed(why.to_owned());
        if bytes.len() > MAX_LIST_PROOF_SIZE {
            return Err(malformed("it is too large"));
        }
        let text = core::str::from_utf8(bytes).map_err(|_| malformed("not UTF-8"))?;
        let file: File = json::decode(text).map_err(|error| ListProofError::Malformed(error.to_string()))?;
        if file.proof != MARK {
            return Err(malformed("not a proof about a list"));
        }
        let entry = decode_entry(&file.entry)?;
        let claim = match (file.index, file.path, file.below, file.above) {
            (Some(index), Some(path), None, None) => Claim::Listed(index, decode_path(&path)?),
            (None, None, below, above) => Claim::Absent(rejoin(below, above)?),
            _ => return Err(malformed("it gives both a place and neighbours, or only half of one")),
        };
        Ok(Self { release: file.release, entry, claim })
    }
}

/// The height of the complete subtree that ends before the entry at this place.
fn height(above: LeafIndex) -> usize {
    above.0.trailing_zeros() as usize
}

/// The neighbours as they stand in the file.
fn shorten(absent: &NonMembershipProof) -> (Option<Neighbour>, Option<Neighbour>) {
    let neighbour = |index, proof: &MembershipProof, path: &[&[NodeHash]]| {
        Some(Neighbour { index, entry: to_base64(&proof.entry), path: encode_path(&path.concat()) })
    };
    match (&absent.below, &absent.above) {
        (Some(below), Some(above)) => {
            let own = height(above.index).min(below.path.len());
            let shared = below.path.get(own + 1..).unwrap_or_default();
            let within = above.path.len().saturating_sub(shared.len() + 1);
            let left = neighbour(Some(below.index), below, &[&below.path[..own], shared]);
            (left, neighbour(None, above, &[&above.path[..within]]))
        }
        (Some(below), None) => (neighbour(Some(below.index), below, &[&below.path]), None),
        (None, Some(above)) => (None, neighbour(None, above, &[&above.path])),
        (None, None) => (None, None),
    }
}

/// The neighbours with their places and whole paths.
fn rejoin(below: Option<Neighbour>, above: Option<Neighbour>) -> Result<NonMembershipProof, ListProofError> {
    let malformed = |why: &str| ListProofError::Malformed(why.to_owned());
    if below.as_ref().is_some_and(|below| below.index.is_none())
        || above.as_ref().is_some_and(|above| above.index.is_some())
    {
        return Err(malformed("the lesser neighbour gives its place, the greater one does not"));
    }
    let whole = |neighbour: Neighbour| -> Result<MembershipProof, ListProofError> {
        let (entry, path) = (decode_entry(&neighbour.entry)?, decode_path(&neighbour.path)?);
        Ok(MembershipProof { index: neighbour.index.unwrap_or_default(), entry, path })
    };
    let (mut below, mut above) = (below.map(whole).transpose()?, above.map(whole).transpose()?);
    if let (Some(below), Some(above)) = (&mut below, &mut above) {
        above.index = LeafIndex(below.index.0.checked_add(1).ok_or_else(|| malformed("there is no such place"))?);
        let own = height(above.index);
        let (up, shared) = below.path.split_at_checked(own).ok_or_else(|| malformed("a path is too short"))?;
        // The lesser stands last in its subtree, so it comes from the right at every step; the greater first in its own.
        let left = up.iter().fold(leaf_hash(&below.entry).into(), |node, sibling| node_hash(sibling, &node));
        let right = above.path.iter().fold(leaf_hash(&above.entry).into(), |node, sibling| node_hash(&node, sibling));
        above.path.push(left);
        above.path.extend_from_slice(shared);
        below.path.insert(own, right);
    }
    Ok(NonMembershipProof { below, above })
}

fn encode_path(path: &[NodeHash]) -> String {
    let bytes: Vec<u8> = path.iter().flat_map(|hash| hash.0).collect();
    to_base64(&bytes)
}

fn decode_path(text: &str) -> Result<Vec<NodeHash>, ListProofError> {
    let bytes = from_base64(text).filter(|bytes| bytes.len().is_multiple_of(HASH_SIZE));
    let bytes = bytes.ok_or_else(|| ListProofError::Malformed("a path is not the base64 of hashes".to_owned()))?;
    Ok(bytes.as_chunks().0.iter().copied().map(NodeHash).collect())
}

fn decode_entry(text: &str) -> Result<Vec<u8>, ListProofError> {
    from_base64(text).ok_or_else(|| ListProofError::Malformed("an entry is not base64".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{lists, scattered};
    use super::super::{Entries, snapshot};
    use super::*;
    use crate::hash::ObjectDigest;
    use crate::note::Note;
    use crate::release::ObjectRef;
    use crate::statement::{ListName, Statement};
    use crate::time::Timestamp;
    use proptest::prelude::*;

    fn release(entries: &Entries) -> Signed<Release> {
        let object = snapshot::encode(entries);
        let text = Release {
            statement: Release::KIND.to_owned(),
            list: ListName::new("hotline.example/known-images").unwrap(),
            version: 1,
            previous: None,
            charter: StatementId([7; 32]),
            created: Timestamp(1_800_000_000),
            expires: Timestamp(1_800_100_000),
            entries: entries.len() as u64,
            irregular: 0,
            root: entries.root(),
            added: entries.len() as u64,
            removed: 0,
            snapshot: ObjectRef { size: object.len() as u64, sha256: ObjectDigest::of(&object) },
            deltas: Vec::new(),
        };
        let note = Note::new(text.to_text().unwrap(), Vec::new()).unwrap();
        Statement::parse_draft(&note.to_bytes()).unwrap().into_release().unwrap()
    }

    /// The proof about `entry`, as it comes out of its file.
    fn proof(tree: &ListTree<'_>, release: &Signed<Release>, entry: &[u8]) -> ListProof {
        let proof = ListProof::new(tree, release.id(), entry);
        let text = proof.to_text();
        assert_eq!(ListProof::parse(text.as_bytes()).as_ref(), Ok(&proof), "{text}");
        proof
    }

    #[test]
    fn every_entry_and_every_gap_is_proven_in_lists_of_every_small_size() {
        for len in 0..=130 {
            let entries = scattered(16, len, 3);
            let (tree, release) = (ListTree::new(&entries), release(&entries));
            for entry in &entries {
                let listed = proof(&tree, &release, entry);
                assert!(listed.is_listed());
                assert_eq!(listed.verify(&release), Ok(()));
            }
            let gaps = entries.iter().map(|entry| {
                let mut gap = entry.to_vec();
                gap[15] ^= 1;
                gap
            });
            for gap in gaps.chain([[0; 16].to_vec(), [0xff; 16].to_vec()]) {
                let absent = proof(&tree, &release, &gap);
                assert!(!absent.is_listed());
                assert_eq!(absent.verify(&release), Ok(()), "{len} entries");
            }
        }
    }

    #[test]
    fn a_proof_has_less_than_two_kilobytes_at_a_million_entries() {
        // Paths are longest, and shared least, on both sides of the middle; only their lengths matter here.
        let path = |len| alloc::vec![NodeHash([0xab; 32]); len];
        let neighbour = |index| MembershipProof { index: LeafIndex(index), entry: [0xab; 32].to_vec(), path: path(20) };
        let absent = NonMembershipProof { below: Some(neighbour((1 << 19) - 1)), above: Some(neighbour(1 << 19)) };
        let listed = Claim::Listed(LeafIndex(999_999), path(20));
        for (claim, limit) in [(Claim::Absent(absent), 2_000), (listed, 1_100)] {
            let proof = ListProof { release: StatementId([0xab; 32]), entry: [0xab; 32].to_vec(), claim };
            assert!(proof.to_text().len() <= limit, "{} bytes", proof.to_text().len());
        }
    }

    #[test]
    fn a_proof_for_another_release_is_told_as_such() {
        let (one, other) = (scattered(16, 5, 1), scattered(16, 5, 2));
        let proof = proof(&ListTree::new(&one), &release(&one), one.get(2).unwrap());
        assert!(matches!(proof.verify(&release(&other)), Err(ListProofError::OtherRelease { .. })));
    }

    #[test]
    fn what_is_no_proof_is_refused() {
        let entries = scattered(16, 9, 1);
        let (tree, release) = (ListTree::new(&entries), release(&entries));
        let listed = proof(&tree, &release, entries.get(2).unwrap()).to_text();
        let absent = proof(&tree, &release, &[0x80; 16]).to_text();
        for text in [
            String::new(),
            "{}".to_owned(),
            listed.replace("list-proof", "list"),
            listed.replace("\"index\"", "\"below\""),
            listed.replace("  \"index\": 2,\n", ""),
            absent.replace("\"below\"", "\"beyond\""),
            listed.replace(": 2", ": 2.0"),
            listed.clone() + "\n",
            " ".repeat(MAX_LIST_PROOF_SIZE + 1),
        ] {
            assert!(matches!(ListProof::parse(text.as_bytes()), Err(ListProofError::Malformed(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_false_is_ever_proven(entries in lists(1), entry: u8, at: prop::sample::Index, byte: u8) {
            let (tree, release) = (ListTree::new(&entries), release(&entries));
            let mut text = proof(&tree, &release, &[entry]).to_text().into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            if let Ok(tampered) = ListProof::parse(&text)
                && tampered.verify(&release).is_ok()
            {
                prop_assert_eq!(tampered.is_listed(), entries.contains(&tampered.entry));
            }
        }

        #[test]
        fn arbitrary_neighbours_never_panic(index: u64, below in 0..70usize, above in 0..70usize) {
            let side = |index, len| Some(Neighbour { index, entry: to_base64(&[1]), path: to_base64(&[7; 32].repeat(len)) });
            if let Ok(proof) = rejoin(side(Some(LeafIndex(index)), below), side(None, above)) {
                let _ = proof.verify(&[2], &crate::hash::ListRoot([7; 32]), u64::MAX);
                let text = ListProof { release: StatementId([0; 32]), entry: [2].to_vec(), claim: Claim::Absent(proof) }.to_text();
                let _ = ListProof::parse(text.as_bytes());
            }
        }
    }
}
