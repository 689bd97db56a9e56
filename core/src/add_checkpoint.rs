//! C2SP [tlog-witness]: what a log sends to a witness to have a checkpoint cosigned, and what it gets back.
//!
//! ```text
//! old 20852014
//! PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
//! jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
//! 5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
//! /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=
//!
//! example.com/behind-the-sofa
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! — example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
//! ```
//!
//! The first line is the size of the checkpoint that the witness is thought to have cosigned last, then come at most 63
//! hashes of the consistency proof from there, an empty line and the signed checkpoint. The answer is the witness's
//! signature lines; or, if it knows another size, status 409 with that size on a line.
//!
//! [tlog-witness]: https://c2sp.org/tlog-witness

use crate::checkpoint::{CheckpointError, CheckpointNote, MAX_CHECKPOINT_SIZE};
use crate::encoding::from_decimal;
use crate::hash::NodeHash;
use crate::note::{MAX_SIGNATURES, Signature};
use crate::tree::TreeSize;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

/// The path after a witness's submission prefix.
pub const ADD_CHECKPOINT_PATH: &str = "add-checkpoint";

/// The content type of the answer 409, which holds the size that the witness knows.
pub const CONFLICT_CONTENT_TYPE: &str = "text/x.tlog.size";

/// The most hashes of a consistency proof that the specification allows.
pub const MAX_PROOF_HASHES: usize = 63;

/// The most bytes of a witness's answer: its lines have to fit into a checkpoint.
pub const MAX_ANSWER_SIZE: usize = MAX_CHECKPOINT_SIZE;

/// Why a request or an answer is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddCheckpointError {
    /// Larger than allowed.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Not of the form that the specification gives.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// The checkpoint in it is not one.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

use AddCheckpointError::Malformed;

/// The body of a request. Nothing in it is verified, not even that `old` is at most the checkpoint's size: the witness
/// judges that in the order that the specification gives, since each rule has its own status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCheckpoint {
    /// The size of the checkpoint that the proof starts from.
    pub old: TreeSize,
    /// The consistency proof from `old` to the checkpoint.
    pub proof: Vec<NodeHash>,
    /// The checkpoint to be cosigned.
    pub checkpoint: CheckpointNote,
}

impl AddCheckpoint {
    /// Parses a body of at most `limit` bytes.
    pub fn parse(bytes: &[u8], limit: usize) -> Result<Self, AddCheckpointError> {
        let text = checked_text(bytes, limit)?;
        let (header, note) = text.split_once("\n\n").ok_or(Malformed("no empty line before the checkpoint"))?;
        let mut lines = header.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(from_decimal);
        let old = old.ok_or(Malformed("the first line is not `old` and a tree size"))?;
        let proof = parse_hashes(lines)?;
        Ok(Self { old: TreeSize(old), proof, checkpoint: CheckpointNote::parse(note.as_bytes())? })
    }

    /// The bytes of the body.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

/// Shows the body.
impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

fn parse_hashes<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<NodeHash>, AddCheckpointError> {
    let mut hashes = Vec::new();
    for line in lines {
        if hashes.len() == MAX_PROOF_HASHES {
            return Err(Malformed("more than 63 hashes in the proof"));
        }
        hashes.push(NodeHash::from_base64(line).ok_or(Malformed("a line of the proof is not the base64 of a hash"))?);
    }
    Ok(hashes)
}

/// Parses the answer 200: one or more signature lines, of whatever keys.
pub fn parse_cosignatures(bytes: &[u8]) -> Result<Vec<Signature>, AddCheckpointError> {
    let lines = checked_text(bytes, MAX_ANSWER_SIZE)?;
    let lines = lines.strip_suffix('\n').ok_or(Malformed("no newline at the end of the answer"))?;
    let mut signatures = Vec::new();
    for line in lines.split('\n') {
        if signatures.len() == MAX_SIGNATURES {
            return Err(Malformed("too many signature lines in the answer"));
        }
        signatures.push(Signature::parse(line).ok_or(Malformed("a line of the answer is not a signature line"))?);
    }
    Ok(signatures)
}

/// Parses the answer 409: the size of the checkpoint that the witness cosigned last.
pub fn parse_conflict(bytes: &[u8]) -> Result<TreeSize, AddCheckpointError> {
    let line = checked_text(bytes, MAX_ANSWER_SIZE)?;
    let size = line.strip_suffix('\n').and_then(from_decimal);
    size.map(TreeSize).ok_or(Malformed("the answer is not a tree size and a newline"))
}

fn checked_text(bytes: &[u8], limit: usize) -> Result<&str, AddCheckpointError> {
    if bytes.len() > limit {
        return Err(AddCheckpointError::TooLarge { limit });
    }
    core::str::from_utf8(bytes).map_err(|_| Malformed("not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::NoteError;
    use alloc::borrow::ToOwned;
    use alloc::format;
    use alloc::string::String;
    use proptest::prelude::*;

    /// The examples of the specification.
    const REQUEST: &str = "old 20852014\n\
        PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
        jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
        5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
        /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\
        \n\
        example.com/behind-the-sofa\n\
        20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
        \n\
        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        — example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
    const ANSWER: &str = "\
        — witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==\n\
        — witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==\n\
        — witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==\n";
    const LIMIT: usize = 20_000;
    const HASH_LINE: &str = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";

    #[test]
    fn an_answer_of_many_long_lines_and_names_that_no_key_here_could_have_is_read() {
        let line = |name: &str| Signature {
            name: name.to_owned(),
            id: crate::note::KeyId([7; 4]),
            bytes: alloc::vec![1; 3000],
        };
        let names = ["a.example/post-quantum", "b.example/\u{7f}", "c.example/\u{9f}"];
        let lines: Vec<Signature> = names.iter().cycle().take(12).map(|name| line(name)).collect();
        let answer: String = lines.iter().map(ToString::to_string).collect();
        assert!(answer.len() > 16 * 1024);
        assert_eq!(parse_cosignatures(answer.as_bytes()).unwrap(), lines);
        for name in ["", "a b", "a+b", "a\u{a0}b", "a\tb"] {
            assert!(parse_cosignatures(line(name).to_string().as_bytes()).is_err(), "{name:?}");
        }
    }

    #[test]
    fn the_specification_s_request_is_read_and_keeps_its_bytes() {
        let request = AddCheckpoint::parse(REQUEST.as_bytes(), LIMIT).unwrap();
        assert_eq!(request.old, TreeSize(20_852_014));
        assert_eq!(request.proof.len(), 4);
        assert_eq!(request.checkpoint.checkpoint().size, TreeSize(20_852_163));
        assert_eq!(request.checkpoint.note().signatures().len(), 2);
        assert_eq!(request.to_bytes(), REQUEST.as_bytes());
    }

    #[test]
    fn the_specification_s_answer_is_read_and_keeps_its_bytes() {
        let lines = parse_cosignatures(ANSWER.as_bytes()).unwrap();
        let names: Vec<_> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["witness.example/w1", "witness.example/w1", "witness.example/w2"]);
        assert_eq!(lines.iter().map(ToString::to_string).collect::<String>(), ANSWER);
    }

    #[test]
    fn a_first_request_needs_no_proof() {
        let header = REQUEST.find("\n\n").unwrap();
        let first = format!("old 0{}", &REQUEST[header..]);
        let request = AddCheckpoint::parse(first.as_bytes(), LIMIT).unwrap();
        assert_eq!((request.old, request.proof.len()), (TreeSize(0), 0));
        assert_eq!(request.to_string(), first);
    }

    #[test]
    fn malformed_requests_say_what_is_wrong() {
        let first_line = "the first line is not `old` and a tree size";
        let hash = "a line of the proof is not the base64 of a hash";
        for (from, to, why) in [
            ("old 20852014\n", "", first_line),
            ("old 20852014", "old  20852014", first_line),
            ("old 20852014", "old 020852014", first_line),
            ("old 20852014", "Old 20852014", first_line),
            ("old 20852014", "old 20852014\r", first_line),
            ("old 20852014", "old 9223372036854775808", first_line),
            ("old 20852014", "old 20852014 ", first_line),
            ("pkaw=\n", "pkax=\n", hash),
            ("PlRN", "plR", hash),
            ("Kj/0=\n\n", "Kj/0=\n", hash),
        ] {
            let changed = REQUEST.replacen(from, to, 1);
            assert_eq!(AddCheckpoint::parse(changed.as_bytes(), LIMIT), Err(Malformed(why)), "{from:?} {to:?}");
        }
        assert_eq!(AddCheckpoint::parse(b"old 0\n", LIMIT), Err(Malformed("no empty line before the checkpoint")));
        assert_eq!(AddCheckpoint::parse(b"old 0\n\n\xff", LIMIT), Err(Malformed("not UTF-8")));
        let limit = REQUEST.len() - 1;
        assert_eq!(AddCheckpoint::parse(REQUEST.as_bytes(), limit), Err(AddCheckpointError::TooLarge { limit }));
        assert!(AddCheckpoint::parse(REQUEST.as_bytes(), limit + 1).is_ok());
    }

    #[test]
    fn what_is_wrong_with_the_checkpoint_is_said_as_such() {
        let refused =
            |from: &str, to: &str| AddCheckpoint::parse(REQUEST.replacen(from, to, 1).as_bytes(), LIMIT).unwrap_err();
        assert_eq!(refused("\n20852163\n", "\n0\n"), CheckpointError::EmptyTreeRoot.into());
        let note = CheckpointError::Note(NoteError::Malformed("not a signature line"));
        assert_eq!(refused("— example", "- example"), note.into());
        let origin = CheckpointError::Malformed("no origin");
        assert_eq!(refused("\n\n", "\n\n\n"), origin.into());
    }

    #[test]
    fn a_proof_has_at_most_63_hashes() {
        let checkpoint = &REQUEST[REQUEST.find("\n\n").unwrap() + 1..];
        let with = |count: usize| {
            let body = "old 1\n".to_owned() + &HASH_LINE.repeat(count) + checkpoint;
            AddCheckpoint::parse(body.as_bytes(), LIMIT).map(|request| request.proof.len())
        };
        assert_eq!(with(63), Ok(63));
        assert_eq!(with(64), Err(Malformed("more than 63 hashes in the proof")));
    }

    #[test]
    fn malformed_answers_say_what_is_wrong() {
        let line = "a line of the answer is not a signature line";
        for (answer, why) in [
            (String::new(), "no newline at the end of the answer"),
            ("\n".into(), line),
            (ANSWER.trim_end().into(), "no newline at the end of the answer"),
            (ANSWER.to_owned() + "\n", line),
            (ANSWER.replacen('—', "-", 1), line),
            (ANSWER.lines().next().unwrap().to_owned().repeat(2) + "\n", line),
            ("— w AAAAAAA=\n".repeat(MAX_SIGNATURES + 1), "too many signature lines in the answer"),
        ] {
            assert_eq!(parse_cosignatures(answer.as_bytes()), Err(Malformed(why)), "{answer:?}");
        }
        let large = AddCheckpointError::TooLarge { limit: MAX_ANSWER_SIZE };
        assert_eq!(parse_cosignatures(&[b' '; MAX_ANSWER_SIZE + 1]), Err(large));
    }

    #[test]
    fn a_conflict_is_a_size_on_a_line() {
        assert_eq!(parse_conflict(b"0\n"), Ok(TreeSize(0)));
        assert_eq!(parse_conflict(b"20852014\n"), Ok(TreeSize(20_852_014)));
        for wrong in ["", "\n", "1", "01\n", "1\n\n", "-1\n", "9223372036854775808\n"] {
            let why = "the answer is not a tree size and a newline";
            assert_eq!(parse_conflict(wrong.as_bytes()), Err(Malformed(why)), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_mutated_request_keeps_its_bytes_if_it_parses(at in 0..REQUEST.len(), byte: u8) {
            let mut bytes = REQUEST.as_bytes().to_vec();
            bytes[at] = byte;
            if let Ok(request) = AddCheckpoint::parse(&bytes, LIMIT) {
                prop_assert_eq!(request.to_bytes(), bytes);
            }
        }

        #[test]
        fn a_mutated_answer_keeps_its_bytes_if_it_parses(at in 0..ANSWER.len(), byte: u8) {
            let mut bytes = ANSWER.as_bytes().to_vec();
            bytes[at] = byte;
            if let Ok(lines) = parse_cosignatures(&bytes) {
                prop_assert_eq!(lines.iter().map(ToString::to_string).collect::<String>().into_bytes(), bytes);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = AddCheckpoint::parse(&bytes, LIMIT);
            let _ = parse_cosignatures(&bytes);
            if let Ok(size) = parse_conflict(&bytes) {
                prop_assert_eq!(format!("{size}\n").into_bytes(), bytes);
            }
        }
    }
}
