//! Hash algorithms that a list can have, each with its lineage in its identifier.

use super::entries::MAX_ENTRY_SIZE;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The number of bits that are set in every PDQ hash of a natural image: half of them are above the median.
const PDQ_WEIGHT: u32 = 128;

/// What the entries of a list are hashes by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Algorithm {
    /// `sha256`: SHA-256 of the file.
    Sha256,
    /// `sha1`: SHA-1 of the file.
    Sha1,
    /// `md5`: MD5 of the file.
    Md5,
    /// `pdq/full`: PDQ of the full-size image, in the lineage that does not shrink it to 512 × 512 first.
    PdqFull,
    /// `vpdq/v1`: a video, as the `pdq/full` hashes of its frames, one for each second. An entry is one frame: the number
    /// of its video, then its hash. The rule by which videos match is in `docs/matching.md`.
    VpdqV1,
}

/// Bytes of an entry of `vpdq/v1` that say which video it is of.
pub const VIDEO_NUMBER_SIZE: usize = 16;

/// A name that is no algorithm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown algorithm {0:?}: known are sha256, sha1, md5, pdq/full and vpdq/v1")]
pub struct UnknownAlgorithm(pub String);

/// What the rule on content (rule 8) says of one entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryVerdict {
    /// As any entry should be.
    Valid,
    /// Admitted only by an explicit exception, and counted; the text says why.
    Irregular(&'static str),
    /// Never admitted; the text says why.
    Forbidden(&'static str),
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] = [Self::Sha256, Self::Sha1, Self::Md5, Self::PdqFull, Self::VpdqV1];

    /// The identifier, as in charters.
    pub fn identifier(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
            Self::PdqFull => "pdq/full",
            Self::VpdqV1 => "vpdq/v1",
        }
    }

    /// Bytes in an entry.
    pub fn entry_size(self) -> usize {
        match self {
            Self::Sha256 | Self::PdqFull => 32,
            Self::Sha1 => 20,
            Self::Md5 => 16,
            Self::VpdqV1 => VIDEO_NUMBER_SIZE + 32,
        }
    }

    /// Bytes in a hash that is looked up: an entry without the number of its video.
    pub fn hash_size(self) -> usize {
        self.hash_of(&[0; MAX_ENTRY_SIZE][..self.entry_size()]).len()
    }

    /// The part of `entry` with which a hash is compared: all of it, but of a video's frame not the number of the video.
    pub fn hash_of(self, entry: &[u8]) -> &[u8] {
        match self {
            Self::VpdqV1 => entry.get(VIDEO_NUMBER_SIZE..).unwrap_or_default(),
            Self::Sha256 | Self::Sha1 | Self::Md5 | Self::PdqFull => entry,
        }
    }

    /// Whether entries match what is alike, not only what is identical.
    pub fn is_perceptual(self) -> bool {
        matches!(self, Self::PdqFull | Self::VpdqV1)
    }

    /// The largest Hamming distance, in bits, at which a charter may call it a match.
    pub fn max_distance(self) -> u32 {
        match self {
            Self::PdqFull | Self::VpdqV1 => 31,
            Self::Sha256 | Self::Sha1 | Self::Md5 => 0,
        }
    }

    /// Whether `entry` may be in a list of this algorithm.
    pub fn check_entry(self, entry: &[u8]) -> EntryVerdict {
        if entry.len() != self.entry_size() {
            return EntryVerdict::Forbidden("it does not have the algorithm's size");
        }
        let weight = weight(self.hash_of(entry));
        match (self, weight) {
            (_, 0) => {
                EntryVerdict::Forbidden("it is all zero, which is what blank content or a failed computation gives")
            }
            (Self::PdqFull | Self::VpdqV1, PDQ_WEIGHT) => EntryVerdict::Valid,
            (Self::PdqFull | Self::VpdqV1, _) => EntryVerdict::Irregular(
                "it does not have exactly 128 bits set, as the PDQ hash of every natural image has",
            ),
            (Self::Sha256 | Self::Sha1 | Self::Md5, _) => EntryVerdict::Valid,
        }
    }
}

/// How many bits are set.
fn weight(entry: &[u8]) -> u32 {
    let (words, rest) = entry.as_chunks::<8>();
    let in_words: u32 = words.iter().map(|word| u64::from_ne_bytes(*word).count_ones()).sum();
    in_words + rest.iter().map(|byte| byte.count_ones()).sum::<u32>()
}

/// Shows the identifier.
impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.identifier())
    }
}

/// From the identifier.
impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.identifier() == text);
        known.ok_or_else(|| UnknownAlgorithm(text.into()))
    }
}

/// As the identifier.
impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.identifier())
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn identifiers_come_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
            let json = serde_json::to_string(&algorithm).unwrap();
            assert_eq!(serde_json::from_str::<Algorithm>(&json).unwrap(), algorithm);
        }
        for wrong in ["", "SHA256", "pdq", "pdq/512"] {
            assert_eq!(wrong.parse::<Algorithm>(), Err(UnknownAlgorithm(wrong.into())));
        }
    }

    #[test]
    fn only_hashes_of_half_weight_are_regular_pdq() {
        let mut entry = [0u8; 32];
        assert!(matches!(Algorithm::PdqFull.check_entry(&entry), EntryVerdict::Forbidden(_)));
        entry[..16].fill(0xff);
        assert_eq!(Algorithm::PdqFull.check_entry(&entry), EntryVerdict::Valid);
        entry[31] = 1;
        assert!(matches!(Algorithm::PdqFull.check_entry(&entry), EntryVerdict::Irregular(_)));
        assert_eq!(Algorithm::Sha256.check_entry(&entry), EntryVerdict::Valid);
    }

    #[test]
    fn a_frame_is_judged_by_its_hash_and_not_by_the_number_of_its_video() {
        let mut entry = [0xff; 48];
        assert!(matches!(Algorithm::VpdqV1.check_entry(&entry), EntryVerdict::Irregular(_)));
        entry[16..].fill(0x0f);
        assert_eq!(Algorithm::VpdqV1.check_entry(&entry), EntryVerdict::Valid);
        entry[16..].fill(0);
        assert!(matches!(Algorithm::VpdqV1.check_entry(&entry), EntryVerdict::Forbidden(_)));
        for algorithm in Algorithm::ALL {
            let expected = if algorithm == Algorithm::VpdqV1 { 32 } else { algorithm.entry_size() };
            assert_eq!(algorithm.hash_size(), expected, "{algorithm}");
        }
    }

    #[test]
    fn all_zero_and_wrong_sizes_are_never_admitted() {
        for algorithm in Algorithm::ALL {
            for size in [0, algorithm.entry_size() - 1, algorithm.entry_size(), algorithm.entry_size() + 1] {
                let verdict = algorithm.check_entry(&alloc::vec![0; size]);
                assert!(matches!(verdict, EntryVerdict::Forbidden(_)), "{algorithm}, {size} bytes");
            }
        }
    }
}
