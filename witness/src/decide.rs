//! What a witness answers to a request: a pure function of what it knows of the log, the request and the time.
//!
//! The rules are those of C2SP [tlog-witness], and the first that a request breaks names the status of the answer:
//!
//! | rule | otherwise |
//! |---|---|
//! | the request has the form of [`AddCheckpoint`] | 400 |
//! | the log is one that the witness is configured for | 404 |
//! | a key of the log signed the checkpoint, and none of them wrongly | 403 |
//! | `old` is at most the checkpoint's size | 400 |
//! | `old` is the size cosigned last, 0 if none was | 409, with that size |
//! | an empty tree has the empty tree's root | 422 |
//! | the proof shows that the tree of size `old` is the start of the checkpoint's; none is needed from an empty tree or between equal ones, whose roots are equal | 422 |
//! | the clock is not behind the last cosignature by more than [`MAX_CLOCK_STEP`] | 503 |
//!
//! The dates of a log's cosignatures never go backwards. Where a clock was set back by a little, the last date is used
//! again; where by much, the witness does not sign a date that it knows to be false.
//!
//! [tlog-witness]: https://c2sp.org/tlog-witness

use crate::log::Log;
use crate::record::Record;
use isonomy_core::add_checkpoint::{AddCheckpoint, AddCheckpointError, MAX_PROOF_HASHES};
use isonomy_core::checkpoint::{CheckpointError, CheckpointNote, MAX_CHECKPOINT_SIZE};
use isonomy_core::cosignature::{self, MAX_TIME};
use isonomy_core::encoding::from_decimal;
use isonomy_core::note::{Note, NoteError, Signature, SigningKey};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{ProofError, TreeSize, empty_root, verify_consistency};

/// The most bytes of a request: the line of the old size, the proof with 45 bytes to a line, an empty line, a checkpoint.
pub const MAX_REQUEST_SIZE: usize = 32 + MAX_PROOF_HASHES * 45 + 1 + MAX_CHECKPOINT_SIZE;

/// By how many seconds a clock may be behind the last cosignature.
pub const MAX_CLOCK_STEP: u64 = 60;

/// Why a checkpoint is not cosigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a request.
    #[error(transparent)]
    Malformed(#[from] AddCheckpointError),
    /// A log that the witness is not configured for.
    #[error("this witness does not know the log {0:?}")]
    UnknownOrigin(String),
    /// The log did not sign the checkpoint, or a line in its name is wrong.
    #[error("the log's signature is missing or wrong: {0}")]
    Signature(NoteError),
    /// A proof from a larger tree to a smaller one.
    #[error("the old size {old} is larger than the checkpoint's size {size}")]
    OldSize {
        /// The size that the proof starts from.
        old: TreeSize,
        /// The checkpoint's size.
        size: TreeSize,
    },
    /// The proof starts from another size than the one cosigned last. The answer to that is the size alone.
    #[error("the last cosigned checkpoint has size {known}")]
    Conflict {
        /// The size cosigned last, 0 if none was.
        known: TreeSize,
    },
    /// The checkpoint is of an empty tree and has another root than that has.
    #[error("the checkpoint is of an empty tree but its root is not the empty tree's")]
    EmptyTreeRoot,
    /// The checkpoint is not shown to extend the one cosigned last.
    #[error("not consistent with the last cosigned checkpoint: {0}")]
    Inconsistent(ProofError),
    /// With a cosignature the checkpoint would be larger than anybody accepts.
    #[error("the checkpoint leaves no room for a cosignature within {MAX_CHECKPOINT_SIZE} bytes")]
    NoRoom,
    /// The witness's clock can't be right: before the date of its last cosignature, or beyond all dates.
    #[error("the clock of this witness shows {}, which can't be after its last cosignature at {}; its operator must set the clock", clock.0, last.0)]
    Clock {
        /// What it shows.
        clock: Timestamp,
        /// The date of the last cosignature, 0 if there is none.
        last: Timestamp,
    },
}

impl Refusal {
    /// The HTTP status that the specification gives; 503 where it is silent.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(AddCheckpointError::TooLarge { .. }) => 413,
            Self::Malformed(_) | Self::OldSize { .. } | Self::NoRoom => 400,
            Self::Signature(_) => 403,
            Self::UnknownOrigin(_) => 404,
            Self::Conflict { .. } => 409,
            Self::EmptyTreeRoot | Self::Inconsistent(_) => 422,
            Self::Clock { .. } => 503,
        }
    }
}

/// A well-formed request, of which nothing is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// To cosign a checkpoint.
    Add(AddCheckpoint),
    /// To cosign what is no checkpoint, since it gives the empty tree a wrong root: the other rules come before that one.
    WrongEmptyRoot {
        /// The size that the proof starts from.
        old: TreeSize,
        /// The note in place of a checkpoint, with the origin on its first line and a size of 0 on its second.
        note: Note,
    },
}

impl Request {
    /// Parses a request of at most [`MAX_REQUEST_SIZE`].
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        match AddCheckpoint::parse(body, MAX_REQUEST_SIZE) {
            Ok(request) => Ok(Self::Add(request)),
            Err(AddCheckpointError::Checkpoint(CheckpointError::EmptyTreeRoot)) => {
                parse_wrong_empty_root(body).ok_or(Refusal::EmptyTreeRoot)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The log that the request names.
    pub fn origin(&self) -> &str {
        self.note().text().split('\n').next().unwrap_or_default()
    }

    /// The size that the proof starts from.
    pub fn old(&self) -> TreeSize {
        match self {
            Self::Add(request) => request.old,
            Self::WrongEmptyRoot { old, .. } => *old,
        }
    }

    /// The checkpoint's size.
    pub fn size(&self) -> TreeSize {
        match self {
            Self::Add(request) => request.checkpoint.checkpoint().size,
            Self::WrongEmptyRoot { .. } => TreeSize(0),
        }
    }

    fn note(&self) -> &Note {
        match self {
            Self::Add(request) => request.checkpoint.note(),
            Self::WrongEmptyRoot { note, .. } => note,
        }
    }
}

/// The same steps that [`AddCheckpoint::parse`] has taken when it finds that root.
fn parse_wrong_empty_root(body: &[u8]) -> Option<Request> {
    let (header, note) = str::from_utf8(body).ok()?.split_once("\n\n")?;
    let old = header.lines().next()?.strip_prefix("old ").and_then(from_decimal)?;
    let note = Note::parse(note.as_bytes(), MAX_CHECKPOINT_SIZE).ok()?;
    Some(Request::WrongEmptyRoot { old: TreeSize(old), note })
}

/// What to do with a request that breaks no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// To cosign it, store it, and answer with the cosignature, in this order.
    Cosign(Accepted),
    /// To answer with the cosignature that is stored already: the same checkpoint was cosigned in this very second.
    Repeat,
}

/// A checkpoint that may be cosigned: signed by its log, and consistent with the one cosigned before. There is one only
/// if [`decide`] found it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    request: AddCheckpoint,
    time: Timestamp,
}

impl Accepted {
    /// The record of the cosigned checkpoint. The cosignature leaves the witness only after the record is stored.
    pub fn cosign(self, key: &SigningKey) -> Result<Record, Refusal> {
        let line = cosignature::cosign(key, self.request.checkpoint.note().text(), self.time);
        let checkpoint = self.request.checkpoint.with_cosignatures(std::slice::from_ref(&line));
        if !checkpoint.note().signatures().contains(&line) {
            return Err(Refusal::NoRoom);
        }
        Ok(Record::new(AddCheckpoint { checkpoint, ..self.request }, line, self.time))
    }
}

/// Judges a request to cosign a checkpoint of `log`, whose last cosigned one is `latest`.
pub fn decide(log: &Log, latest: Option<&Record>, request: &Request, clock: Timestamp) -> Result<Decision, Refusal> {
    if request.origin() != log.origin() {
        return Err(Refusal::UnknownOrigin(request.origin().to_owned()));
    }
    let lines = log.verified_lines(request.note()).map_err(Refusal::Signature)?;
    check_sizes(latest, request)?;
    let Request::Add(request) = request else {
        return Err(Refusal::EmptyTreeRoot);
    };
    check_consistency(latest, request)?;
    let time = next_time(latest, clock)?;
    if latest.is_some_and(|latest| latest.time() == time && latest.text() == request.checkpoint.note().text()) {
        return Ok(Decision::Repeat);
    }
    let checkpoint = with_only(&request.checkpoint, lines)?;
    Ok(Decision::Cosign(Accepted { request: AddCheckpoint { checkpoint, ..request.clone() }, time }))
}

/// The same checkpoint under these lines alone, so that nothing unverified is stored.
fn with_only(checkpoint: &CheckpointNote, lines: Vec<Signature>) -> Result<CheckpointNote, Refusal> {
    let note = checkpoint.note().with_signatures(lines);
    CheckpointNote::parse(&note.to_bytes()).map_err(|error| Refusal::Malformed(error.into()))
}

fn check_sizes(latest: Option<&Record>, request: &Request) -> Result<(), Refusal> {
    let (old, size) = (request.old(), request.size());
    if old > size {
        return Err(Refusal::OldSize { old, size });
    }
    let known = latest.map_or(TreeSize(0), Record::size);
    if old == known { Ok(()) } else { Err(Refusal::Conflict { known }) }
}

/// Whether the request's checkpoint extends the one cosigned last, whose size is the request's old one.
pub(crate) fn check_consistency(latest: Option<&Record>, request: &AddCheckpoint) -> Result<(), Refusal> {
    let (known, root) = latest.map_or((TreeSize(0), empty_root()), |latest| (latest.size(), latest.root()));
    let checkpoint = request.checkpoint.checkpoint();
    verify_consistency(known, &root, checkpoint.size, &checkpoint.root, &request.proof).map_err(Refusal::Inconsistent)
}

fn next_time(latest: Option<&Record>, clock: Timestamp) -> Result<Timestamp, Refusal> {
    let last = latest.map_or(Timestamp(0), Record::time);
    let time = clock.max(last);
    let is_date = time.0 != 0 && time <= MAX_TIME;
    if is_date && last.since(clock) <= MAX_CLOCK_STEP { Ok(time) } else { Err(Refusal::Clock { clock, last }) }
}
