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
