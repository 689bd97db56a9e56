//! SHA-256 values, one type for each meaning, so that one can never stand where another is meant.

use crate::encoding;
use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// Length of every hash in this module, in bytes.
pub const HASH_SIZE: usize = 32;

/// SHA-256 of the concatenation of `parts`.
#[inline(always)]
pub fn sha256(parts: &[&[u8]]) -> [u8; HASH_SIZE] {
    sha256_of_short(parts).unwrap_or_else(|| {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        hasher.finalize().into()
    })
}

/// The same for messages that fill at most two blocks, such as every leaf and node of a list's tree: padded here and
/// compressed in one call, without a hasher's buffer, since the root of a list is most of a client's work. `None` for longer
/// ones.
#[inline(always)]
fn sha256_of_short(parts: &[&[u8]]) -> Option<[u8; HASH_SIZE]> {
    const INITIAL_STATE: [u32; 8] =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    let mut blocks = [[0; 64]; 2];
    let bytes = blocks.as_flattened_mut();
    let mut len = 0;
    for part in parts {
        let end = len + part.len();
        bytes.get_mut(len..end)?.copy_from_slice(part);
        len = end;
    }
    let padded = (len + 9).next_multiple_of(64);
    *bytes.get_mut(len)? = 0x80;
    bytes.get_mut(padded - 8..padded)?.copy_from_slice(&(8 * len as u64).to_be_bytes());
    let mut state = INITIAL_STATE;
    compress256(&mut state, &blocks[..padded / 64]);
    let mut hash = [0; HASH_SIZE];
    hash.as_chunks_mut().0.iter_mut().zip(state).for_each(|(bytes, word)| *bytes = word.to_be_bytes());
    Some(hash)
}

macro_rules! hash_types {
    ($($(#[$doc:meta])* $name:ident)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; HASH_SIZE]);

        impl $name {
            /// The 32 bytes.
            pub fn as_bytes(&self) -> &[u8; HASH_SIZE] {
                &self.0
            }

            /// From exactly 32 bytes.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Canonical base64, as in statements, notes and proofs.
            pub fn to_base64(&self) -> String {
                encoding::to_base64(&self.0)
            }

            /// The reverse of [`Self::to_base64`].
            pub fn from_base64(text: &str) -> Option<Self> {
                Self::from_slice(&encoding::from_base64(text)?)
            }

            /// Lower-case hexadecimal, as in paths.
            pub fn to_hex(&self) -> String {
                encoding::to_hex(&self.0)
            }

            /// The reverse of [`Self::to_hex`].
            pub fn from_hex(text: &str) -> Option<Self> {
                Self::from_slice(&encoding::from_hex(text)?)
            }
        }

        /// Shows lower-case hexadecimal.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.to_hex())
            }
        }

        /// As canonical base64.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.to_base64())
            }
        }

        /// From canonical base64 alone.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::from_base64(&text)
                    .ok_or_else(|| serde::de::Error::custom("expected the base64 of 32 bytes"))
            }
        }
    )* };
}

hash_types! {
    /// Hash of a Merkle leaf: SHA-256(0x00 ‖ entry), RFC 6962 section 2.1.
    LeafHash
    /// Hash of an interior node of a Merkle tree, or of a leaf where a proof treats both alike.
    NodeHash
    /// Root of the log's tree, as in a checkpoint.
    RootHash
    /// Root of a list's tree over its sorted entries, as in a release.
    ListRoot
    /// SHA-256 of an object (a snapshot or a delta), which is its name.
    ObjectDigest
    /// SHA-256 of a statement's text (without its signatures), which is its identity.
    StatementId
    /// SHA-256 of a salt and an entry, which names the entry only to those who are given both.
    Commitment
}

impl ObjectDigest {
    /// The digest of `object`.
    pub fn of(object: &[u8]) -> Self {
        Self(sha256(&[object]))
    }
}

impl StatementId {
    /// The identity of the statement with this text.
    pub fn of(text: &str) -> Self {
        Self(sha256(&[text.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn short_and_long_messages_are_hashed_alike() {
        for len in 0..=300 {
            let message: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let expected: [u8; HASH_SIZE] = Sha256::digest(&message).into();
            for cut in [0, len / 3, len] {
                let (start, end) = message.split_at(cut);
                assert_eq!(sha256(&[start, end]), expected, "{len} bytes");
            }
            assert_eq!(sha256_of_short(&[&message]).is_some(), len <= 119);
        }
    }
}
