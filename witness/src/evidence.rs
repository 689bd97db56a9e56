//! Forks that a log proves against itself by what it sends to a witness.
//!
//! The file is the `isonomy/fork/v1` that every verifier of evidence reads: canonical JSON with two checkpoints of one
//! size and different roots, both signed by the log. Other checkpoints that were refused are kept, too
//! (`isonomy/refused-checkpoint/v1`), as an observation.

use crate::decide::{Refusal, Request};
use crate::log::Log;
use crate::record::Record;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::{NodeHash, sha256};
use isonomy_core::json::{self, JsonError, Lines};
use isonomy_core::note::Note;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use serde::{Deserialize, Serialize};

/// Two signed checkpoints that contradict each other. There is one only if they were found to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fork {
    older: Note,
    newer: Note,
}

#[derive(Serialize)]
struct ForkFile {
    evidence: &'static str,
    older: Lines,
    newer: Lines,
    proof: [NodeHash; 0],
}

impl Fork {
    /// The fork that a request proves, given what was cosigned last: the log signed two roots of one size. It does not
    /// matter what else is wrong with the request.
    pub(crate) fn between(log: &Log, latest: &Record, request: &Request) -> Option<Self> {
        let Request::Add(request) = request else { return None };
        let checkpoint = request.checkpoint.checkpoint();
        let contradicts = checkpoint.size == latest.size() && checkpoint.root != latest.root();
        if !contradicts || checkpoint.origin != log.origin() {
            return None;
        }
        let signed = |note: &Note| log.verified_lines(note).ok().map(|lines| note.with_signatures(lines));
        Some(Self { older: signed(latest.checkpoint().note())?, newer: signed(request.checkpoint.note())? })
    }

    /// The text of the file.
    pub(crate) fn to_text(&self) -> Result<String, JsonError> {
        json::encode(&ForkFile {
            evidence: "isonomy/fork/v1",
            older: Lines::of(&self.older),
            newer: Lines::of(&self.newer),
            proof: [],
        })
    }

    /// What the file is called: the same for every request with these two texts, whatever signature lines it carries.
    pub(crate) fn name(&self, log: &Log) -> String {
        name_of(Kind::Fork, log, &[self.older.text(), self.newer.text()])
    }
}

/// A checkpoint that the log signed and that the witness refused because it was not shown to follow from what was cosigned
/// last: an observation. It may be the beginning of proof against the log, or nothing but a stranger's wrong proof for a
/// good checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    received: Timestamp,
    reason: String,
    known: Option<Note>,
    old: TreeSize,
    proof: Vec<NodeHash>,
    checkpoint: Note,
}

#[derive(Serialize, Deserialize)]
struct RefusedFile {
    observation: String,
    received: Timestamp,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    known: Option<Lines>,
    old: u64,
    proof: Vec<NodeHash>,
    checkpoint: Lines,
}

impl Refused {
    /// What to keep of a request that was refused; `None` if the log did not sign its checkpoint, or if it failed no check of
    /// consistency.
    pub(crate) fn of(
        log: &Log,
        latest: Option<&Record>,
        request: &Request,
        refusal: &Refusal,
        received: Timestamp,
    ) -> Option<Self> {
        if !matches!(refusal, Refusal::Inconsistent(_) | Refusal::EmptyTreeRoot) {
            return None;
        }
        if latest.is_some_and(|latest| latest.text() == request.note().text()) {
            return None; // a good checkpoint, which anybody can send with a wrong proof
        }
        let lines = log.verified_lines(request.note()).ok()?;
        let proof = if let Request::Add(request) = request { request.proof.clone() } else { Vec::new() };
        Some(Self {
            received,
            reason: refusal.to_string(),
            known: latest.map(|latest| latest.checkpoint().note().clone()),
            old: request.old(),
            proof,
            checkpoint: request.note().with_signatures(lines),
        })
    }

    /// The text of the file.
    pub(crate) fn to_text(&self) -> Result<String, JsonError> {
        json::encode(&RefusedFile {
            observation: "isonomy/refused-checkpoint/v1".to_owned(),
            received: self.received,
            reason: self.reason.clone(),
            known: self.known.as_ref().map(Lines::of),
            old: self.old.0,
            proof: self.proof.clone(),
            checkpoint: Lines::of(&self.checkpoint),
        })
    }

    /// How many entries the log had by what was cosigned last.
    pub(crate) fn known_size(&self) -> TreeSize {
        let known = self.known.as_ref().and_then(|known| CheckpointNote::parse(&known.to_bytes()).ok());
        known.map_or(TreeSize(0), |known| known.checkpoint().size)
    }

    /// When the checkpoint in such a file was received, and its size; `None` if it is no such file.
    pub(crate) fn received_in(file: &[u8]) -> Option<(Timestamp, TreeSize)> {
        let kept: RefusedFile = json::decode(std::str::from_utf8(file).ok()?).ok()?;
        let checkpoint = CheckpointNote::parse(kept.checkpoint.to_text().as_bytes()).ok()?;
        Some((kept.received, checkpoint.checkpoint().size))
    }

    /// What the file of a checkpoint with this text is called.
    pub(crate) fn name_of(log: &Log, text: &str) -> String {
        name_of(Kind::Refused, log, &[text])
    }

    /// The same for every request with this checkpoint.
    pub(crate) fn name(&self, log: &Log) -> String {
        Self::name_of(log, self.checkpoint.text())
    }
}

/// The kinds of evidence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// [`Fork`].
    Fork,
    /// [`Refused`].
    Refused,
}

/// How many hexadecimal digits name the log, and how many the texts.
const DIGITS: usize = 16;

impl Kind {
    const ALL: [Self; 2] = [Self::Fork, Self::Refused];

    fn word(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Refused => "refused",
        }
    }

    /// How the names of a log's files of this kind begin.
    pub(crate) fn prefix(self, log: &Log) -> String {
        format!("{}-{}-", self.word(), first_digits(&log.id()))
    }
}

fn first_digits(hex: &str) -> &str {
    hex.get(..DIGITS).unwrap_or(hex)
}

fn name_of(kind: Kind, log: &Log, texts: &[&str]) -> String {
    let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    format!("{}{}.json", kind.prefix(log), first_digits(&to_hex(&sha256(&texts))))
}

/// Whether a file has the name of one that is kept.
pub(crate) fn is_name(name: &str) -> bool {
    let is_hex = |text: &str| text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let rest =
        Kind::ALL.iter().find_map(|kind| name.strip_prefix(kind.word())?.strip_prefix('-')?.strip_suffix(".json"));
    rest.and_then(|rest| rest.split_once('-')).is_some_and(|(log, text)| is_hex(log) && is_hex(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use isonomy_core::add_checkpoint::AddCheckpoint;
    use isonomy_core::cosignature::cosign;
    use isonomy_core::note::{KeyType, SigningKey};

    fn between(latest: &Record, request: AddCheckpoint) -> Option<Fork> {
        Fork::between(&log(), latest, &Request::Add(request))
    }

    #[test]
    fn two_signed_roots_of_one_size_are_a_fork_whatever_the_old_size() {
        let latest = record(None, b"abc", START);
        let mut request = add(0, b"abx");
        let line = cosign(&witness_key(), request.checkpoint.note().text(), START);
        request.checkpoint = request.checkpoint.with_cosignatures(&[line]);
        let fork = between(&latest, request.clone()).unwrap();
        let signed_by_the_log = |note: &Note| log().verified_lines(note) == Ok(note.signatures().to_vec());
        assert!(signed_by_the_log(&fork.older) && signed_by_the_log(&fork.newer));
        assert_eq!((fork.older.text(), fork.newer.text()), (latest.text(), request.checkpoint.note().text()));
        assert_eq!(between(&latest, AddCheckpoint { old: TreeSize(3), ..request }), Some(fork));
    }

    #[test]
    fn what_proves_nothing_is_no_fork() {
        let latest = record(None, b"abc", START);
        let stranger = SigningKey::from_seed(ORIGIN, KeyType::Ed25519, &[7; 32]).unwrap();
        let forged = isonomy_core::checkpoint::CheckpointNote::sign(checkpoint(b"abx").checkpoint().clone(), &stranger);
        let forged = AddCheckpoint { checkpoint: forged.unwrap(), ..add(0, b"abx") };
        for request in [add(0, b"abc"), add(3, b"abxd"), add(0, b"xy"), forged] {
            assert_eq!(between(&latest, request), None);
        }
    }

    #[test]
    fn the_file_has_the_form_that_verifiers_of_evidence_read() {
        let latest = record(None, b"abc", START);
        let fork = between(&latest, add(3, b"abx")).unwrap();
        let lines = |leaves: &[u8]| {
            let text = checkpoint(leaves).to_string();
            text.lines().map(|line| format!("    \"{line}\"")).collect::<Vec<_>>().join(",\n")
        };
        let expected = format!(
            "{{\n  \"evidence\": \"isonomy/fork/v1\",\n  \"older\": [\n{}\n  ],\n  \"newer\": [\n{}\n  ],\n  \"proof\": []\n}}\n",
            lines(b"abc"),
            lines(b"abx")
        );
        assert_eq!(fork.to_text().unwrap(), expected);
    }

    #[test]
    fn what_failed_a_check_of_consistency_is_kept_and_nothing_else() {
        let latest = record(None, b"abc", START);
        let refused = |request: AddCheckpoint| {
            let request = Request::Add(request);
            let refusal = crate::decide::decide(&log(), Some(&latest), &request, START).unwrap_err();
            Refused::of(&log(), Some(&latest), &request, &refusal, START)
        };
        let mut wrong = add(3, b"abcde");
        wrong.proof[0] = NodeHash([7; 32]);
        let line = cosign(&witness_key(), wrong.checkpoint.note().text(), START);
        wrong.checkpoint = wrong.checkpoint.with_cosignatures(&[line]);
        let kept = refused(wrong.clone()).unwrap();
        assert_eq!(kept.checkpoint.signatures().len(), 1, "the log's line alone");
        let text = kept.to_text().unwrap();
        for part in [
            "\"observation\": \"isonomy/refused-checkpoint/v1\"",
            "\"old\": 3",
            "\"received\": \"2027-01-15T08:00:00Z\"",
        ] {
            assert!(text.contains(part), "{text}");
        }
        wrong.proof[0] = NodeHash([8; 32]);
        assert_eq!(refused(wrong).unwrap().name(&log()), kept.name(&log()), "another wrong proof is no further file");
        let stranger = SigningKey::from_seed(ORIGIN, KeyType::Ed25519, &[7; 32]).unwrap();
        let forged = isonomy_core::checkpoint::CheckpointNote::sign(checkpoint(b"abx").checkpoint().clone(), &stranger);
        for request in [add(0, b"abcd"), AddCheckpoint { checkpoint: forged.unwrap(), ..add(3, b"abx") }] {
            assert_eq!(refused(request), None);
        }
    }
}
