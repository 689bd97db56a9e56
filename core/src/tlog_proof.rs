//! C2SP [tlog-proof]: a file that proves, offline, that an entry is in a log and that witnesses have seen it there.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! index 73894
//! gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
//! B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
//! EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
//! RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
//! AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=
//!
//! example.com/fancylog
//! 109482
//! sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=
//!
//! — example.com/fancylog hI2DJw[...]1roloI=
//! — witness1.example mJirIklj[...]qY9v2B/5bg==
//! ```
//!
//! After the first line there may be `extra` and the base64 of some bytes, which nothing authenticates. Then the
//! entry's index, the inclusion proof from the leaf's sibling upwards, an empty line, and the signed checkpoint.
//!
//! [tlog-proof]: https://c2sp.org/tlog-proof

use crate::checkpoint::{CheckpointError, CheckpointNote, MAX_CHECKPOINT_SIZE};
use crate::encoding::{from_base64, from_decimal, to_base64};
use crate::hash::NodeHash;
use crate::note::{NoteError, VerifierKey};
use crate::policy::{Policy, QuorumTimes};
use crate::tree::{LeafIndex, ProofError, leaf_hash, verify_inclusion};
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

/// The most bytes of a proof: the largest checkpoint, the longest path, and some extra data.
pub const MAX_TLOG_PROOF_SIZE: usize = MAX_CHECKPOINT_SIZE + 16 * 1024;

/// The most hashes of an inclusion proof: a tree has at most 2^63 − 1 leaves.
pub const MAX_PATH_HASHES: usize = 63;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// Why a proof is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// Larger than [`MAX_TLOG_PROOF_SIZE`].
    #[error("the proof is larger than {MAX_TLOG_PROOF_SIZE} bytes")]
    TooLarge,
    /// Not a proof at all.
    #[error("malformed tlog-proof: {0}")]
    Malformed(&'static str),
    /// The checkpoint in it is malformed, of another log or not signed by it.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The cosignature of a known witness is wrong.
    #[error("cosignature: {0}")]
    Cosignature(NoteError),
    /// Too few of the policy's witnesses have cosigned.
    #[error("the checkpoint is not cosigned by the quorum of witnesses that the policy asks for")]
    NoQuorum,
    /// The policy has `quorum none`: no witness vouches for a time.
    #[error("the policy asks for no witness (`quorum none`), so nothing vouches for the time of the checkpoint")]
    NoWitnesses,
    /// The entry is not where the proof says.
    #[error("the entry is not in the log at this index: {0}")]
    Inclusion(ProofError),
}

use TlogProofError::Malformed;

/// A parsed proof: nothing is verified yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlogProof {
    /// Bytes that nothing authenticates.
    pub extra: Option<Vec<u8>>,
    /// Where the entry is.
    pub index: LeafIndex,
    /// The inclusion proof, from the leaf's sibling upwards.
    pub path: Vec<NodeHash>,
    /// The signed checkpoint, with cosignatures.
    pub checkpoint: CheckpointNote,
}

impl TlogProof {
    /// Parses a proof of at most [`MAX_TLOG_PROOF_SIZE`].
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        if bytes.len() > MAX_TLOG_PROOF_SIZE {
            return Err(TlogProofError::TooLarge);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| Malformed("not UTF-8"))?;
        let (header, note) = text.split_once("\n\n").ok_or(Malformed("no empty line before the checkpoint"))?;
        let mut lines = header.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(Malformed("the first line is not `c2sp.org/tlog-proof@v1`"));
        }
        let extra = lines.next_if(|line| line.starts_with("extra ")).map(parse_extra).transpose()?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(from_decimal);
        let index = LeafIndex(index.ok_or(Malformed("no line with `index` and a number"))?);
        let path = parse_path(lines)?;
        Ok(Self { extra, index, path, checkpoint: CheckpointNote::parse(note.as_bytes())? })
    }

    /// Succeeds if this is `log`'s checkpoint, cosigned by the policy's quorum or a former one
    /// ([`Policy::seen_times`]), and `entry` is in its tree at the index; gives what the witnesses say about time. Whether
    /// `log` is one of the policy's is the caller's choice.
    pub fn verify(&self, entry: &[u8], log: &VerifierKey, policy: &Policy) -> Result<QuorumTimes, TlogProofError> {
        self.checkpoint.verify_log(log)?;
        if policy.quorum().is_none() {
            return Err(TlogProofError::NoWitnesses);
        }
        let times = policy.seen_times(&self.checkpoint).map_err(TlogProofError::Cosignature)?;
        let times = times.ok_or(TlogProofError::NoQuorum)?;
        self.verify_inclusion(entry)?;
        Ok(times)
    }

    /// Succeeds if `entry` is at the index in the checkpoint's tree. Nothing is said of the checkpoint: that is for
    /// [`TlogProof::verify`], or for whoever has verified the same checkpoint already.
    pub fn verify_inclusion(&self, entry: &[u8]) -> Result<(), TlogProofError> {
        let tree = self.checkpoint.checkpoint();
        verify_inclusion(&leaf_hash(entry), self.index, tree.size, &self.path, &tree.root)
            .map_err(TlogProofError::Inclusion)
    }

    /// The bytes of the proof.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

/// Shows the whole proof.
impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", to_base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

fn parse_extra(line: &str) -> Result<Vec<u8>, TlogProofError> {
    let bytes = line.strip_prefix("extra ").and_then(from_base64);
    bytes.ok_or(Malformed("what follows `extra` is not canonical base64"))
}

fn parse_path<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<NodeHash>, TlogProofError> {
    let mut path = Vec::new();
    for line in lines {
        if path.len() == MAX_PATH_HASHES {
            return Err(Malformed("more than 63 hashes in the inclusion proof"));
        }
        path.push(NodeHash::from_base64(line).ok_or(Malformed("a line of the inclusion proof is not a hash"))?);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosignature::cosign;
    use crate::note::{KeyType, SigningKey};
    use crate::time::Timestamp;
    use alloc::format;
    use alloc::string::String;
    use proptest::prelude::*;

    /// Made with OpenSSL from the specifications alone: the second of three entries, `second`; the log's key has the seed
    /// 01…, the witnesses' 02… and 03….
    const PROOF: &str = "\
        c2sp.org/tlog-proof@v1\n\
        extra YSBub3Rl\n\
        index 1\n\
        oa8DAjHKL9IOzzDFKUuvj2kyHQm7FqxTiFzNF6OFKA0=\n\
        ZW0+j1RCOM324y1kD1G6CRSVmxTt16UtC4uZq0yKxsY=\n\
        \n\
        log.example/lists\n\
        3\n\
        w2UeVBcUxT1kjsx7rsp/4sNu9PplvM4ksdcShkN95WY=\n\
        \n\
        — log.example/lists vvazTYSW3LufWwQZqqv0MIb/j6Vkb5XvbI746HgFfacUkMO125SHR7VIjUzqNwz9JWd/8PZ1DnTriA7F4URDQ2k8IAY=\n\
        — witness.example/w1 3xwKNQAAAABlU/EAo+2WAU/8EW+jzTHtUMRgM6j1fCOcb3Zvptl4FucEIHGyoNc7KFyYH7D2zS4WDmOYSvTS3nWeryFd85JiMEaxCw==\n\
        — witness.example/w2 v/8odAAAAABlU/E8o/le3KTO1bP8O/Px/li2+IC1ztUwywMzKCosqoHxfZZiJLEqfjVtd13vmUpxiakJf2HDS5fIjqoNP7Qvc4KABA==\n";
    const LOG: &str = "log.example/lists+bef6b34d+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
    const WITNESSES: [&str; 2] = [
        "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU",
        "witness.example/w2+bfff2874+BO1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR",
    ];

    fn log() -> VerifierKey {
        VerifierKey::parse(LOG).unwrap()
    }

    fn policy(quorum: &str) -> Policy {
        let [first, second] = WITNESSES;
        let text = format!("witness a {first}\nwitness b {second}\ngroup both all a b\nquorum {quorum}\n");
        Policy::parse(text.as_bytes()).unwrap()
    }

    fn verify(text: &str) -> Result<QuorumTimes, TlogProofError> {
        TlogProof::parse(text.as_bytes())?.verify(b"second", &log(), &policy("both"))
    }

    fn changed(from: &str, to: &str) -> String {
        assert!(PROOF.contains(from), "{from}");
        PROOF.replacen(from, to, 1)
    }

    #[test]
    fn another_implementation_s_proof_verifies_and_keeps_its_bytes() {
        let proof = TlogProof::parse(PROOF.as_bytes()).unwrap();
        assert_eq!(proof.extra.as_deref(), Some(&b"a note"[..]));
        assert_eq!((proof.index, proof.path.len()), (LeafIndex(1), 2));
        assert_eq!(proof.to_bytes(), PROOF.as_bytes());
        let times = |earliest, latest| QuorumTimes { earliest: Timestamp(earliest), latest: Timestamp(latest) };
        let under = |quorum| proof.verify(b"second", &log(), &policy(quorum));
        assert_eq!(under("both"), Ok(times(1_700_000_060, 1_700_000_000)));
        assert_eq!(under("a"), Ok(times(1_700_000_000, 1_700_000_000)));
        assert_eq!(under("b"), Ok(times(1_700_000_060, 1_700_000_060)));
        assert_eq!(under("none"), Err(TlogProofError::NoWitnesses));
    }

    #[test]
    fn the_extra_line_is_optional_and_proves_nothing() {
        for (line, extra) in [("", None), ("extra \n", Some(&b""[..])), ("extra eA==\n", Some(b"x"))] {
            let text = changed("extra YSBub3Rl\n", line);
            let proof = TlogProof::parse(text.as_bytes()).unwrap();
            assert_eq!(proof.extra.as_deref(), extra);
            assert_eq!(proof.to_string(), text);
            assert!(verify(&text).is_ok());
        }
    }

    #[test]
    fn each_false_claim_is_refused_for_its_reason() {
        use crate::tree::TreeSize;
        let size = TreeSize(3);
        let inclusion = TlogProofError::Inclusion;
        let beyond = ProofError::NoSuchLeaf { index: LeafIndex(3), size };
        assert_eq!(verify(&changed("index 1", "index 0")), Err(inclusion(ProofError::Root { size })));
        assert_eq!(verify(&changed("index 1", "index 3")), Err(inclusion(beyond)));
        let hash = "oa8DAjHKL9IOzzDFKUuvj2kyHQm7FqxTiFzNF6OFKA0=\n";
        let short = ProofError::Length { expected: 2, actual: 1 };
        assert_eq!(verify(&changed(hash, "")), Err(inclusion(short)));
        assert_eq!(verify(&changed("oa8D", "ob8D")), Err(inclusion(ProofError::Root { size })));

        let log_wrong = NoteError::WrongSignature("log.example/lists".into());
        assert_eq!(verify(&changed("\n3\n", "\n4\n")), Err(CheckpointError::Note(log_wrong.clone()).into()));
        assert_eq!(verify(&changed("vvazTYSW", "vvazTYSX")), Err(CheckpointError::Note(log_wrong).into()));
        let unsigned = CheckpointError::Note(NoteError::NoKnownSignature);
        assert_eq!(verify(&changed("vvazTYSW", "vvazTISW")), Err(unsigned.into()));
        let origin = CheckpointError::Origin { origin: "log.example/other".into(), key: "log.example/lists".into() };
        assert_eq!(verify(&changed("\nlog.example/lists", "\nlog.example/other")), Err(origin.into()));

        let witness_wrong = NoteError::WrongSignature("witness.example/w2".into());
        assert_eq!(verify(&changed("AABlU/E8", "AABlU/E9")), Err(TlogProofError::Cosignature(witness_wrong)));
        assert_eq!(verify(&changed("example/w2", "example/w3")), Err(TlogProofError::NoQuorum));
    }

    #[test]
    fn another_entry_or_another_log_is_not_proven() {
        let proof = TlogProof::parse(PROOF.as_bytes()).unwrap();
        let wrong_entry = proof.verify(b"third", &log(), &policy("both"));
        assert!(matches!(wrong_entry, Err(TlogProofError::Inclusion(ProofError::Root { .. }))));
        let other = SigningKey::from_seed("log.example/lists", KeyType::Ed25519, &[9; 32]).unwrap();
        let unsigned = CheckpointError::Note(NoteError::NoKnownSignature);
        assert_eq!(proof.verify(b"second", other.verifier(), &policy("both")), Err(unsigned.into()));
    }

    #[test]
    fn later_cosignatures_of_strangers_change_nothing() {
        let mut proof = TlogProof::parse(PROOF.as_bytes()).unwrap();
        let before = proof.verify(b"second", &log(), &policy("both"));
        let stranger = SigningKey::from_seed("witness.example/w1", KeyType::Cosignature, &[8; 32]).unwrap();
        let line = cosign(&stranger, proof.checkpoint.note().text(), Timestamp(5));
        proof.checkpoint = proof.checkpoint.with_cosignatures(&[line]);
        assert_eq!(proof.verify(b"second", &log(), &policy("both")), before);
    }

    #[test]
    fn malformed_proofs_say_what_is_wrong() {
        let first = "the first line is not `c2sp.org/tlog-proof@v1`";
        let extra = "what follows `extra` is not canonical base64";
        let index = "no line with `index` and a number";
        let hash = "a line of the inclusion proof is not a hash";
        for (from, to, why) in [
            ("@v1", "@v2", first),
            ("@v1\n", "@v1 \n", first),
            ("YSBub3Rl", "YSBub3R", extra),
            ("YSBub3Rl", "YSBub3R=", extra),
            ("extra YSBub3Rl", "extraYSBub3Rl", index),
            ("extra YSBub3Rl", "extra YSBub3Rl\nextra YSBub3Rl", index),
            ("index 1\n", "", index),
            ("index 1", "index 01", index),
            ("index 1", "index -1", index),
            ("index 1", "index 9223372036854775808", index),
            ("KA0=\n", "KA0\n", hash),
            ("KA0=\n", "KA0=\r\n", hash),
            ("xsY=\n\n", "xsY=\n", hash),
        ] {
            let text = changed(from, to);
            assert_eq!(TlogProof::parse(text.as_bytes()), Err(Malformed(why)), "{from:?} {to:?}");
        }
        let no_checkpoint = Malformed("no empty line before the checkpoint");
        assert_eq!(TlogProof::parse(b"c2sp.org/tlog-proof@v1\nindex 0\n"), Err(no_checkpoint));
        assert_eq!(TlogProof::parse(b"\xff"), Err(Malformed("not UTF-8")));
        let bare = CheckpointError::Note(NoteError::Malformed("no empty line before the signatures"));
        let cut = &PROOF[..PROOF.find("\n\n— ").unwrap()];
        assert_eq!(TlogProof::parse(cut.as_bytes()), Err(bare.into()));
    }

    #[test]
    fn limits_hold() {
        let hash = "oa8DAjHKL9IOzzDFKUuvj2kyHQm7FqxTiFzNF6OFKA0=\n";
        let with = |count: usize| {
            TlogProof::parse(changed(hash, &hash.repeat(count)).as_bytes()).map(|proof| proof.path.len())
        };
        assert_eq!(with(62), Ok(63));
        assert_eq!(with(63), Err(Malformed("more than 63 hashes in the inclusion proof")));

        let room = (MAX_TLOG_PROOF_SIZE - (PROOF.len() - 8)) / 4;
        let full = changed("YSBub3Rl", &"YSBu".repeat(room));
        assert!(TlogProof::parse(full.as_bytes()).is_ok());
        let large = changed("YSBub3Rl", &"YSBu".repeat(room + 1));
        assert_eq!(TlogProof::parse(large.as_bytes()), Err(TlogProofError::TooLarge));
    }

    proptest! {
        #[test]
        fn a_mutated_proof_keeps_its_bytes_if_it_parses_and_never_verifies(at in 0..PROOF.len(), byte: u8) {
            let mut bytes = PROOF.as_bytes().to_vec();
            bytes[at] = byte;
            if let Ok(proof) = TlogProof::parse(&bytes) {
                prop_assert_eq!(proof.to_bytes(), &bytes[..]);
                let same = TlogProof { extra: Some(b"a note".to_vec()), ..proof.clone() }.to_bytes() == PROOF.as_bytes();
                prop_assert_eq!(proof.verify(b"second", &log(), &policy("both")).is_ok(), same);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = TlogProof::parse(&bytes);
        }
    }
}
