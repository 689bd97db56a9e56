//! What a message says, before it is encrypted, and how its size is hidden.
//!
//! ```text
//! length of the head   4 bytes, big-endian
//! head                 JSON: the sender's view, and what follows
//! body                 a text, a picture's file, or a view
//! zeros                up to the next size that a message can have
//! ```
//!
//! A message has 4 KiB, or twice that, or four times, and so on: who sees it in passing learns no more.

use anyhow::{Context, Result, ensure};
use isonomy_core::encoding::{from_hex, to_hex};
use serde::{Deserialize, Serialize};

/// The smallest size of a message.
const SMALLEST: usize = 4 << 10;
/// The largest.
const LARGEST: usize = 8 << 20;

/// What a message is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Words.
    Text,
    /// A picture's file.
    Picture,
    /// What the sender's device holds of the list, in full: because the digests differed.
    View,
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// The digest of what the sender's device holds of the list; none before its first update.
    pub view: Option<[u8; 32]>,
    /// What it is about.
    pub kind: Kind,
    /// The text, file or view.
    pub body: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// 64 digits, of zeros if there is none: the head has one size for each kind.
    view: String,
    kind: Kind,
    size: usize,
}

impl Envelope {
    /// The bytes to encrypt.
    pub fn seal(&self) -> Result<Vec<u8>> {
        let view = to_hex(&self.view.unwrap_or_default());
        let head = serde_json::to_vec(&Head { view, kind: self.kind, size: self.body.len() })?;
        let mut bytes = u32::try_from(head.len())?.to_be_bytes().to_vec();
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&self.body);
        let size = bytes.len().next_power_of_two().max(SMALLEST);
        ensure!(size <= LARGEST, "the message has {} bytes; at most {LARGEST} can be sent", self.body.len());
        bytes.resize(size, 0);
        Ok(bytes)
    }

    /// Opens decrypted bytes, which somebody else wrote.
    pub fn open(bytes: &[u8]) -> Result<Self> {
        ensure!(bytes.len() <= LARGEST, "a message of {} bytes", bytes.len());
        let (length, rest) = bytes.split_first_chunk().context("a message without a head")?;
        let (head, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize).context("a head that is cut")?;
        let head: Head = serde_json::from_slice(head).context("a head that can't be read")?;
        let body = rest.get(..head.size).context("a body that is cut")?.to_vec();
        let view = from_hex(&head.view).and_then(|view| <[u8; 32]>::try_from(view).ok()).context("no view")?;
        Ok(Self { view: Some(view).filter(|view| *view != [0; 32]), kind: head.kind, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_and_sizes_tell_little() {
        for size in [0, 1, 5_000, 100_000] {
            for view in [None, Some([7; 32])] {
                let envelope = Envelope { view, kind: Kind::Picture, body: vec![1; size] };
                let sealed = envelope.seal().unwrap();
                assert!(sealed.len().is_power_of_two());
                assert_eq!(Envelope::open(&sealed).unwrap(), envelope);
            }
        }
        let one =
            |size| Envelope { view: None, kind: Kind::Text, body: vec![1; size] }.seal().map(|sealed| sealed.len());
        assert_eq!(one(0).unwrap(), one(3_000).unwrap());
        assert!(one(LARGEST).is_err());
    }

    #[test]
    fn what_a_peer_makes_up_is_refused() {
        let sealed = Envelope { view: None, kind: Kind::Text, body: b"abc".to_vec() }.seal().unwrap();
        for end in 0..100 {
            assert!(Envelope::open(&sealed[..end]).is_err());
        }
        assert!(Envelope::open(&[0xff; 100]).is_err());
    }
}
