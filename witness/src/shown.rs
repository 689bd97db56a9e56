//! A later cosignature of its own than the witness remembers, as a request showed it.
//!
//! Nobody else can make one, so that the witness's memory was put back. What was shown is kept until the witness is restored:
//! no restart may forget that its memory is not to be relied upon.

use crate::log::Log;
use crate::record::Record;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::note::{Note, Signature, VerifierKey};
use isonomy_core::time::Timestamp;

/// A checkpoint of a log with a cosignature of this witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    checkpoint: CheckpointNote,
    time: Timestamp,
}

impl Shown {
    /// What a note shows, with the log's lines and this witness's and no others; `None` if it is no checkpoint of the log, or
    /// has no cosignature of this witness.
    pub(crate) fn in_note(note: &Note, log: &Log, witness: &VerifierKey) -> Option<Self> {
        let date = |line: &Signature| cosignature::verify(witness, note.text(), line);
        let time = note.signatures().iter().filter_map(date).max()?;
        let mut lines = log.verified_lines(note).unwrap_or_default();
        lines.extend(note.signatures().iter().filter(|line| date(line).is_some()).cloned());
        let checkpoint = CheckpointNote::parse(&note.with_signatures(lines).to_bytes()).ok()?;
        (checkpoint.checkpoint().origin == log.origin()).then_some(Self { checkpoint, time })
    }

    /// Parses what was kept; `None` if it is not what [`Self::to_bytes`] gave.
    pub(crate) fn parse(bytes: &[u8], log: &Log, witness: &VerifierKey) -> Option<Self> {
        Self::in_note(CheckpointNote::parse(bytes).ok()?.note(), log, witness)
    }

    /// The note.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.checkpoint.to_bytes()
    }

    /// Whether a witness that has made this remembers too little with that record.
    pub(crate) fn exceeds(&self, record: Option<&Record>) -> bool {
        let tree = self.checkpoint.checkpoint();
        record.is_none_or(|record| record.is_exceeded_by(tree.size, tree.root, self.time))
    }

    /// Whether this tells more than something else that was shown: of a larger tree, or a later date.
    pub(crate) fn tells_more_than(&self, other: &Self) -> bool {
        let size = |shown: &Self| shown.checkpoint.checkpoint().size;
        size(self) > size(other) || (size(self) == size(other) && self.time > other.time)
    }
}
