//! Forks that a log proves against itself by what it sends to a witness.
//!
//! The file is the `isonomy/fork/v1` that every verifier of evidence reads: canonical JSON with two checkpoints of one
//! size and different roots, both signed by the log.

use crate::decide::Request;
use crate::log::Log;
use crate::record::Record;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::{NodeHash, sha256};
use isonomy_core::json::{self, JsonError, Lines};
use isonomy_core::note::Note;
use serde::Serialize;

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

    /// The same for every request with these two texts, whatever signature lines it carries.
    pub(crate) fn name(&self) -> String {
        let digest = to_hex(&sha256(&[self.older.text().as_bytes(), self.newer.text().as_bytes()]));
        format!("fork-{}.json", digest.get(..32).unwrap_or(&digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use isonomy_core::add_checkpoint::AddCheckpoint;
    use isonomy_core::cosignature::cosign;
    use isonomy_core::note::{KeyType, SigningKey};
    use isonomy_core::tree::TreeSize;

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
}
