//! What a witness remembers of a log: the request that it cosigned last, with the checkpoint under the log's signature
//! and its own. It is stored in the form of that request ([`AddCheckpoint`]).
//!
//! ```text
//! old 20852014
//! PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
//! …
//!
//! example.com/behind-the-sofa
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
//! ```
//!
//! Since the proof is part of it, a record shows by itself that it follows from the one before it.

use crate::decide::{MAX_REQUEST_SIZE, check_consistency};
use crate::log::Log;
use isonomy_core::add_checkpoint::{AddCheckpoint, AddCheckpointError};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::hash::RootHash;
use isonomy_core::note::{NoteError, Signature, VerifierKey};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;

/// The most bytes of a record.
pub const MAX_RECORD_SIZE: usize = MAX_REQUEST_SIZE;

/// Why bytes are no record of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not of the form.
    #[error("it is not a record: {0}")]
    Malformed(#[from] AddCheckpointError),
    /// Of another log.
    #[error("it is of the log {0:?}")]
    Origin(String),
    /// Not signed by the log.
    #[error("the log's signature in it does not hold: {0}")]
    Log(NoteError),
    /// Not cosigned by this witness.
    #[error("this witness's own cosignature in it is missing or wrong")]
    Own,
}

/// A checkpoint that this witness cosigned. Both signatures in it have been made or verified here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    request: AddCheckpoint,
    cosignature: Signature,
    time: Timestamp,
}

impl Record {
    /// The record of a request whose checkpoint carries this cosignature, which was just made.
    pub(crate) fn new(request: AddCheckpoint, cosignature: Signature, time: Timestamp) -> Self {
        Self { request, cosignature, time }
    }

    /// Parses a record of `log` and verifies it: the log's signature and that of `witness`.
    pub fn parse(bytes: &[u8], log: &Log, witness: &VerifierKey) -> Result<Self, RecordError> {
        Self::verify(AddCheckpoint::parse(bytes, MAX_RECORD_SIZE)?, log, witness)
    }

    /// The record that a cosigned checkpoint makes without its history: as if it had been cosigned twice in succession.
    pub fn of_checkpoint(checkpoint: CheckpointNote, log: &Log, witness: &VerifierKey) -> Result<Self, RecordError> {
        let old = checkpoint.checkpoint().size;
        Self::verify(AddCheckpoint { old, proof: Vec::new(), checkpoint }, log, witness)
    }

    fn verify(request: AddCheckpoint, log: &Log, witness: &VerifierKey) -> Result<Self, RecordError> {
        let (origin, note) = (&request.checkpoint.checkpoint().origin, request.checkpoint.note());
        if origin != log.origin() {
            return Err(RecordError::Origin(origin.clone()));
        }
        log.verified_lines(note).map_err(RecordError::Log)?;
        let date = |line: &Signature| Some((cosignature::verify(witness, note.text(), line)?, line.clone()));
        let own = note.signatures().iter().filter_map(date).max_by_key(|(time, _)| *time);
        let (time, cosignature) = own.ok_or(RecordError::Own)?;
        Ok(Self { request, cosignature, time })
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.request.to_bytes()
    }

    /// The checkpoint with the log's signature and this witness's.
    pub fn checkpoint(&self) -> &CheckpointNote {
        &self.request.checkpoint
    }

    /// This witness's signature line.
    pub fn cosignature(&self) -> &Signature {
        &self.cosignature
    }

    /// The date of the cosignature.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The checkpoint's text.
    pub fn text(&self) -> &str {
        self.request.checkpoint.note().text()
    }

    /// The checkpoint's size.
    pub fn size(&self) -> TreeSize {
        self.request.checkpoint.checkpoint().size
    }

    /// The checkpoint's root.
    pub fn root(&self) -> RootHash {
        self.request.checkpoint.checkpoint().root
    }

    /// Whether a witness that has vouched for this, of this size and root at this time, remembers too little with `self`: it
    /// is newer, or contradicts it.
    pub(crate) fn is_exceeded_by(&self, size: TreeSize, root: RootHash, time: Timestamp) -> bool {
        size > self.size() || time > self.time || (size == self.size() && root != self.root())
    }

    /// Whether this record may come directly after `earlier`, by the rules that a request is judged by.
    pub fn follows(&self, earlier: Option<&Self>) -> bool {
        let (size, time) = earlier.map_or_else(Default::default, |earlier| (earlier.size(), earlier.time));
        self.request.old == size && self.time >= time && check_consistency(earlier, &self.request).is_ok()
    }
}

/// What two copies of a log's record say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copies {
    /// The same: the last record, or that there is none.
    Agree(Option<Record>),
    /// The file has the record that follows from the database's: the process died between the two writes, before the
    /// cosignature left it. The database is to be brought up to this record.
    Interrupted(Record),
    /// Nothing that can be relied upon, and why.
    Doubtful(&'static str),
}

/// Compares the copies of a log's record; the file's is always written first.
pub fn compare(file: Option<Record>, database: Option<Record>) -> Copies {
    match (file, database) {
        (file, database) if file == database => Copies::Agree(file),
        (None, _) => Copies::Doubtful("its file is missing"),
        (Some(file), database) if file.follows(database.as_ref()) => Copies::Interrupted(file),
        (Some(_), None) => Copies::Doubtful("its entry in the database is missing"),
        (Some(_), Some(_)) => Copies::Doubtful("its file and its entry in the database differ"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use isonomy_core::checkpoint::CheckpointError;
    use isonomy_core::note::{KeyType, SigningKey};
    use proptest::prelude::*;

    fn parse(bytes: &[u8]) -> Result<Record, RecordError> {
        Record::parse(bytes, &log(), witness_key().verifier())
    }

    #[test]
    fn a_record_comes_back_from_its_bytes() {
        let first = record(None, b"abc", START);
        let second = record(Some(&first), b"abcde", START);
        for record in [first, second] {
            assert_eq!(parse(&record.to_bytes()), Ok(record));
        }
    }

    #[test]
    fn both_signatures_must_hold() {
        let text = String::from_utf8(record(None, b"abc", START).to_bytes()).unwrap();
        let changed = |from: &str, to: &str| parse(text.replacen(from, to, 1).as_bytes()).unwrap_err();
        assert_eq!(changed("\n3\n", "\n4\n"), RecordError::Log(NoteError::WrongSignature(ORIGIN.into())));
        assert_eq!(changed("— log.", "— lag."), RecordError::Log(NoteError::NoKnownSignature));
        assert_eq!(changed("— witness", "— fitness"), RecordError::Own);
        assert!(matches!(changed("old 0", "old x"), RecordError::Malformed(_)));
        assert!(matches!(
            changed("\n3\n", "\n0\n"),
            RecordError::Malformed(AddCheckpointError::Checkpoint(CheckpointError::EmptyTreeRoot))
        ));
        let other = SigningKey::from_seed("other", KeyType::Ed25519, &[1; 32]).unwrap();
        let other = Record::parse(text.as_bytes(), &Log::new(other.verifier().clone()), witness_key().verifier());
        assert_eq!(other, Err(RecordError::Origin(ORIGIN.into())));
        let bare = add(0, b"abc").to_bytes();
        assert_eq!(parse(&bare), Err(RecordError::Own));
    }

    #[test]
    fn every_flipped_bit_is_noticed_or_harmless() {
        let first = record(None, b"abc", START);
        let good = record(Some(&first), b"abcde", START.plus(1));
        let bytes = good.to_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            if let Ok(changed) = parse(&changed) {
                // Only the old size and the proof are not signed; a record with others follows from nothing.
                assert_eq!(changed.checkpoint(), good.checkpoint());
                assert!(!changed.follows(Some(&first)), "{at}");
            }
        }
    }

    #[test]
    fn copies_agree_or_one_follows_from_the_other_or_there_is_doubt() {
        let first = record(None, b"abc", START);
        let second = record(Some(&first), b"abcde", START.plus(1));
        let again = record(Some(&second), b"abcde", START.plus(2));
        let fork = record(None, b"abx", START);
        let missing_file = Copies::Doubtful("its file is missing");
        let missing_entry = Copies::Doubtful("its entry in the database is missing");
        let differ = Copies::Doubtful("its file and its entry in the database differ");
        for (file, database, copies) in [
            (None, None, Copies::Agree(None)),
            (Some(&second), Some(&second), Copies::Agree(Some(second.clone()))),
            (Some(&first), None, Copies::Interrupted(first.clone())),
            (Some(&second), Some(&first), Copies::Interrupted(second.clone())),
            (Some(&again), Some(&second), Copies::Interrupted(again.clone())),
            (Some(&second), None, missing_entry),
            (None, Some(&first), missing_file.clone()),
            (None, Some(&second), missing_file),
            (Some(&first), Some(&second), differ.clone()),
            (Some(&second), Some(&again), differ.clone()),
            (Some(&again), Some(&first), differ.clone()),
            (Some(&second), Some(&fork), differ.clone()),
            (Some(&first), Some(&fork), differ),
        ] {
            assert_eq!(compare(file.cloned(), database.cloned()), copies);
        }
    }

    #[test]
    fn a_record_can_be_made_of_a_cosigned_checkpoint_alone() {
        let first = record(None, b"abc", START);
        let made = Record::of_checkpoint(first.checkpoint().clone(), &log(), witness_key().verifier()).unwrap();
        assert_eq!((made.checkpoint(), made.time()), (first.checkpoint(), START));
        assert!(made.follows(Some(&first)) && !made.follows(None));
        assert_eq!(parse(&made.to_bytes()), Ok(made));
        let bare = Record::of_checkpoint(checkpoint(b"abc"), &log(), witness_key().verifier());
        assert_eq!(bare, Err(RecordError::Own));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(parse(&bytes).is_err());
        }
    }
}
