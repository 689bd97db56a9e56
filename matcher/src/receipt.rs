//! A receipt: all that a third person needs, years later and offline, to check that a match was with a published entry.
//!
//! It holds the entry with the proof that it stands in the release's list, the release and its charter with the proof
//! that both are in the log, and a checkpoint that the witnesses cosigned. It never holds the picture, nor its hash:
//! whoever checks the distance brings the picture along. It discloses one entry.
//!
//! The file is canonical JSON ([`isonomy_core::json`]): notes are arrays of lines, proofs one base64 string of their
//! concatenated hashes, from the leaf's sibling upwards. It is usually kept under gzip, without flags and names: most of it is
//! base64, which takes a quarter less then.

use flate2::Compression;
use flate2::bufread::{GzDecoder, GzEncoder};
use isonomy_core::charter::{Charter, Matching};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::encoding::{from_base64, to_base64};
use isonomy_core::hash::{NodeHash, RootHash};
use isonomy_core::json::{self, Lines};
use isonomy_core::list::{Algorithm, MembershipProof};
use isonomy_core::policy::{Policy, QuorumTimes};
use isonomy_core::release::Release;
use isonomy_core::rules::signatures;
use isonomy_core::statement::{Signed, Statement};
use isonomy_core::tree::{LeafIndex, TreeSize, leaf_hash, verify_inclusion};
use isonomy_verifier::policy::PolicyBreach;
use isonomy_verifier::{Policy as AppPolicy, VerifiedList};
use serde::{Deserialize, Serialize};
use std::io::Read;

/// The most bytes that a receipt may have, as text and under gzip: a charter, a release, a checkpoint and the proofs fit.
pub const MAX_RECEIPT_SIZE: usize = 256 * 1024;

/// Why a receipt proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not a receipt.
    #[error("malformed receipt: {0}")]
    Malformed(String),
    /// A signature or proof in it is wrong, or by others than are trusted.
    #[error("the receipt does not hold: {0}")]
    Unproven(String),
    /// The app's policy does not accept the list that it is about.
    #[error("the app's policy does not accept the list of the receipt: {0}")]
    NotAccepted(#[from] PolicyBreach),
    /// The hash that was brought along does not match the entry.
    #[error("the picture is at distance {distance} from the entry; the charter allows {most}")]
    NoMatch {
        /// The distance in bits.
        distance: u32,
        /// What the charter allows.
        most: u64,
    },
    /// The digest that was brought along is another one.
    #[error("the entry is the digest of another file")]
    OtherFile,
    /// The hash that was brought along is not of the list's algorithm.
    #[error("a hash of {} hexadecimal digits can't be compared with an entry, whose hash has {}", found * 2, expected * 2)]
    WrongHash {
        /// The length of the hash.
        found: usize,
        /// The length of the entry.
        expected: usize,
    },
}

/// A receipt as it stands in a file: nothing of it is believed before [`Receipt::verify`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    receipt: String,
    entry: String,
    entry_index: LeafIndex,
    entry_path: String,
    release: Lines,
    release_index: LeafIndex,
    release_path: String,
    charter: Lines,
    charter_index: LeafIndex,
    charter_path: String,
    checkpoint: Lines,
}

/// What a receipt proves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
    /// The entry that matched.
    pub entry: Vec<u8>,
    /// The release in which it stands.
    pub release: Signed<Release>,
    /// The charter under which that was published.
    pub charter: Signed<Charter>,
    /// What the witnesses say about when.
    pub times: QuorumTimes,
    /// The distance of the hash that was brought along.
    pub distance: Option<u32>,
}

const MARK: &str = "isonomy/receipt/v1";

/// How a receipt under gzip begins: deflated, without flags.
const GZIP: [u8; 4] = [0x1f, 0x8b, 8, 0];

impl Receipt {
    /// The receipt for an entry of `list`.
    pub(crate) fn new(list: &VerifiedList, entry: &[u8], membership: &MembershipProof) -> Self {
        let proof = &list.accepted().proof;
        Self {
            receipt: MARK.into(),
            entry: to_base64(entry),
            entry_index: membership.index,
            entry_path: encode_path(&membership.path),
            release: Lines::of(list.signed_release().note()),
            release_index: proof.release_index,
            release_path: encode_path(&proof.release_path),
            charter: Lines::of(list.signed_charter().note()),
            charter_index: proof.charter_index,
            charter_path: encode_path(&proof.charter_path),
            checkpoint: proof.checkpoint.clone(),
        }
    }

    /// Parses a receipt: its text, or that under gzip.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > MAX_RECEIPT_SIZE {
            return Err(too_large());
        }
        let unpacked = bytes.starts_with(&GZIP).then(|| unpack(bytes)).transpose()?;
        let malformed = |problem: String| ReceiptError::Malformed(problem);
        let text =
            std::str::from_utf8(unpacked.as_deref().unwrap_or(bytes)).map_err(|_| malformed("not UTF-8".into()))?;
        let receipt: Self = json::decode(text).map_err(|error| malformed(error.to_string()))?;
        if receipt.receipt == MARK { Ok(receipt) } else { Err(malformed("not a receipt".into())) }
    }

    /// The file, under gzip.
    pub fn to_file(&self) -> Vec<u8> {
        let (text, mut file) = (self.to_text(), Vec::new());
        // Reading and writing memory can't fail.
        GzEncoder::new(text.as_bytes(), Compression::best()).read_to_end(&mut file).unwrap_or_default();
        file
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        // Its strings are base64 and lines of parsed notes, without control characters, so encoding can't fail.
        json::encode(self).unwrap_or_default()
    }

    /// Checks the receipt with the keys of `trust` alone, and, if the picture's hash is brought along, its distance. For a frame of a
    /// video, that is its hash, or an entry of that.
    pub fn verify(&self, trust: &Policy, hash: Option<&[u8]>) -> Result<Proven, ReceiptError> {
        let (tree, origin, times) = self.verify_checkpoint(trust)?;
        let (release, charter) = self.verify_statements(&tree)?;
        if charter.body().log != origin {
            return Err(unproven("the charter counts in another log"));
        }
        signatures::release(&release, charter.body()).map_err(unproven)?;
        let entry = from_base64(&self.entry).ok_or_else(|| unproven("the entry is not base64"))?;
        if entry.len() != charter.body().matching.algorithm.entry_size() {
            return Err(unproven("the entry is not of the list's algorithm"));
        }
        let membership =
            MembershipProof { entry: entry.clone(), index: self.entry_index, path: decode_path(&self.entry_path)? };
        membership.verify(&release.body().root, release.body().entries).map_err(unproven)?;
        let distance = hash.map(|hash| check_distance(&charter.body().matching, &entry, hash)).transpose()?;
        Ok(Proven { entry, release, charter, times, distance })
    }

    /// Checks the receipt as the app does before it writes one: with the log, witnesses and quorum that it trusts itself,
    /// for the list that it pins, and within what it accepts. What is sound under another policy alone is refused.
    pub fn verify_for(&self, policy: &AppPolicy) -> Result<Proven, ReceiptError> {
        let proven = self.verify(policy.trust(), None)?;
        if proven.release.body().list != *policy.list() {
            return Err(unproven("it is about another list than the policy's"));
        }
        policy.judge(proven.charter.body(), &proven.release)?;
        Ok(proven)
    }

    fn verify_checkpoint(&self, trust: &Policy) -> Result<((TreeSize, RootHash), String, QuorumTimes), ReceiptError> {
        let note = CheckpointNote::parse(self.checkpoint.to_text().as_bytes()).map_err(unproven)?;
        trust.log_of(&note).ok_or_else(|| unproven("the checkpoint isn't signed by a log of the policy"))?;
        let times = trust.seen_times(&note).map_err(unproven)?;
        let times = times.ok_or_else(|| unproven("too few witnesses cosigned the checkpoint"))?;
        let checkpoint = note.checkpoint();
        Ok(((checkpoint.size, checkpoint.root), checkpoint.origin.clone(), times))
    }

    fn verify_statements(
        &self,
        (size, root): &(TreeSize, RootHash),
    ) -> Result<(Signed<Release>, Signed<Charter>), ReceiptError> {
        for (lines, index, path) in [
            (&self.release, self.release_index, &self.release_path),
            (&self.charter, self.charter_index, &self.charter_path),
        ] {
            let leaf = leaf_hash(lines.to_text().as_bytes());
            verify_inclusion(&leaf, index, *size, &decode_path(path)?, root).map_err(unproven)?;
        }
        let statement = |lines: &Lines| Statement::parse(lines.to_text().as_bytes()).map_err(unproven);
        let release = statement(&self.release)?.into_release().ok_or_else(|| unproven("not a release"))?;
        let charter = statement(&self.charter)?.into_charter().ok_or_else(|| unproven("not a charter"))?;
        if release.body().charter != charter.id() || release.body().list != charter.body().list {
            return Err(unproven("the release does not cite the charter of its list"));
        }
        if self.charter_index >= self.release_index {
            return Err(unproven("the charter was not logged before the release"));
        }
        Ok((release, charter))
    }
}

fn too_large() -> ReceiptError {
    ReceiptError::Malformed(format!("larger than {MAX_RECEIPT_SIZE} bytes"))
}

/// The text of a receipt under gzip, with nothing after it.
fn unpack(file: &[u8]) -> Result<Vec<u8>, ReceiptError> {
    let malformed = |problem: &str| ReceiptError::Malformed(problem.into());
    let (mut decoder, mut text) = (GzDecoder::new(file), Vec::new());
    let most = MAX_RECEIPT_SIZE as u64 + 1;
    decoder.by_ref().take(most).read_to_end(&mut text).map_err(|_| malformed("damaged under gzip"))?;
    if text.len() > MAX_RECEIPT_SIZE {
        return Err(too_large());
    }
    let rest: &[u8] = decoder.into_inner();
    if rest.is_empty() { Ok(text) } else { Err(malformed("something follows it")) }
}

fn unproven(problem: impl std::fmt::Display) -> ReceiptError {
    ReceiptError::Unproven(problem.to_string())
}

fn check_distance(matching: &Matching, entry: &[u8], hash: &[u8]) -> Result<u32, ReceiptError> {
    let algorithm = matching.algorithm;
    // What is as long as an entry is one, with the number of its video.
    let hash = if hash.len() == entry.len() { algorithm.hash_of(hash) } else { hash };
    let entry = algorithm.hash_of(entry);
    if entry.len() != hash.len() {
        return Err(ReceiptError::WrongHash { found: hash.len(), expected: entry.len() });
    }
    let distance = entry.iter().zip(hash).map(|(a, b)| (a ^ b).count_ones()).sum();
    match (algorithm, matching.max_distance) {
        (_, most) if u64::from(distance) <= most => Ok(distance),
        (Algorithm::PdqFull | Algorithm::VpdqV1, most) => Err(ReceiptError::NoMatch { distance, most }),
        (Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5, _) => Err(ReceiptError::OtherFile),
    }
}

fn encode_path(path: &[NodeHash]) -> String {
    let bytes: Vec<u8> = path.iter().flat_map(|hash| hash.0).collect();
    to_base64(&bytes)
}

fn decode_path(text: &str) -> Result<Vec<NodeHash>, ReceiptError> {
    let bytes = from_base64(text).ok_or_else(|| unproven("a proof is not base64"))?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(unproven("a proof is not a row of hashes"));
    }
    Ok(hashes.iter().map(|hash| NodeHash(*hash)).collect())
}
