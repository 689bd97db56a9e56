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
    #[error(
        "this witness's clock shows {clock} and its last cosignature is of {last}; its operator must set the clock"
    )]
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

    pub(crate) fn note(&self) -> &Note {
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
    check_clock(latest.map_or(Timestamp(0), Record::time), clock)
}

/// The date of the next cosignature after one of `last`, 0 if there was none, when the clock shows this.
pub(crate) fn check_clock(last: Timestamp, clock: Timestamp) -> Result<Timestamp, Refusal> {
    let time = clock.max(last);
    let is_date = time.0 != 0 && time <= MAX_TIME;
    if is_date && last.since(clock) <= MAX_CLOCK_STEP { Ok(time) } else { Err(Refusal::Clock { clock, last }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use isonomy_core::checkpoint::Checkpoint;
    use isonomy_core::hash::NodeHash;
    use isonomy_core::note::KeyType;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet, VecDeque};

    fn ask(latest: Option<&Record>, request: AddCheckpoint) -> Result<Decision, Refusal> {
        decide(&log(), latest, &Request::Add(request), START)
    }

    fn refused(latest: Option<&Record>, request: AddCheckpoint) -> (u16, Refusal) {
        let refusal = ask(latest, request).unwrap_err();
        (refusal.status(), refusal)
    }

    /// The note of a checkpoint with this text, whatever it says, signed by the log.
    fn signed_text(text: String) -> String {
        let line = log_key().sign(&text);
        Note::new(text, vec![line]).unwrap().to_string()
    }

    #[test]
    fn the_first_checkpoint_and_one_that_extends_it_are_cosigned() {
        let first = record(None, b"abc", START);
        let second = record(Some(&first), b"abcdef", START.plus(5));
        let own = [witness_key().verifier().clone()];
        for (record, leaves, time) in [(first, &b"abc"[..], START), (second, b"abcdef", START.plus(5))] {
            assert_eq!((record.size(), record.root()), (TreeSize(leaves.len() as u64), root(leaves)));
            assert_eq!(record.checkpoint().verify_log(log_key().verifier()), Ok(()));
            assert_eq!(cosignature::cosignatures(record.checkpoint().note(), &own), Ok(vec![(0, time)]));
            assert_eq!(record.checkpoint().note().signatures().len(), 2);
        }
    }

    #[test]
    fn an_unknown_log_is_404_before_anything_else() {
        let mut request = add(0, b"abc");
        request.old = TreeSize(9);
        let other = Log::new(SigningKey::from_seed("other", KeyType::Ed25519, &[7; 32]).unwrap().verifier().clone());
        let refusal = decide(&other, None, &Request::Add(request), START).unwrap_err();
        assert_eq!((refusal.status(), refusal), (404, Refusal::UnknownOrigin(ORIGIN.into())));
    }

    #[test]
    fn a_missing_or_wrong_signature_is_403_before_sizes_are_looked_at() {
        let stranger = SigningKey::from_seed(ORIGIN, KeyType::Ed25519, &[7; 32]).unwrap();
        let text = checkpoint(b"abc").checkpoint().clone();
        let foreign = CheckpointNote::sign(text, &stranger).unwrap();
        let mut wrong = checkpoint(b"abc").note().signatures()[0].clone();
        wrong.bytes[3] ^= 1;
        let good_and_wrong = checkpoint(b"abc").with_cosignatures(&[wrong]);
        for (checkpoint, why) in
            [(foreign, NoteError::NoKnownSignature), (good_and_wrong, NoteError::WrongSignature(ORIGIN.into()))]
        {
            let request = AddCheckpoint { old: TreeSize(9), proof: Vec::new(), checkpoint };
            assert_eq!(refused(None, request), (403, Refusal::Signature(why)));
        }
    }

    #[test]
    fn lines_of_strangers_are_ignored_and_not_kept() {
        let stranger = SigningKey::from_seed("stranger", KeyType::Ed25519, &[7; 32]).unwrap();
        let mut forged = cosignature::cosign(&witness_key(), checkpoint(b"abc").note().text(), START.plus(100));
        forged.bytes[20] ^= 1;
        let line = stranger.sign("something else\n");
        let mut request = add(0, b"abc");
        request.checkpoint = request.checkpoint.with_cosignatures(&[line, forged]);
        let Ok(Decision::Cosign(accepted)) = ask(None, request) else { panic!() };
        assert_eq!(accepted.cosign(&witness_key()), Ok(record(None, b"abc", START)));
    }

    #[test]
    fn an_old_size_above_the_new_is_400_before_409() {
        let latest = record(None, b"abcde", START);
        let request = AddCheckpoint { old: TreeSize(4), ..add(0, b"abc") };
        let refusal = Refusal::OldSize { old: TreeSize(4), size: TreeSize(3) };
        assert_eq!(refused(Some(&latest), request), (400, refusal));
    }

    #[test]
    fn an_old_size_that_is_not_the_last_is_409_with_the_last() {
        let latest = record(None, b"abc", START);
        for (known, latest, request) in [
            (3, Some(&latest), add(0, b"abcd")),
            (3, Some(&latest), add(2, b"abcd")),
            (3, Some(&latest), add(4, b"abcd")),
            (3, Some(&latest), add(0, b"xyz")),
            (3, Some(&latest), add(0, b"")),
            (3, Some(&latest), AddCheckpoint { proof: Vec::new(), ..add(2, b"abcd") }),
            (0, None, add(2, b"abcd")),
            (0, None, add(4, b"abcd")),
        ] {
            assert_eq!(refused(latest, request), (409, Refusal::Conflict { known: TreeSize(known) }));
        }
    }

    #[test]
    fn a_proof_that_does_not_verify_is_422() {
        let latest = record(None, b"abc", START);
        let good = add(3, b"abcdefg");
        let mut longer = good.clone();
        longer.proof.push(longer.proof[0]);
        let mut shorter = good.clone();
        shorter.proof.pop();
        for request in [longer, shorter, add(3, b"abxdefg"), AddCheckpoint { proof: Vec::new(), ..good }] {
            let (status, refusal) = refused(Some(&latest), request);
            assert!(status == 422 && matches!(refusal, Refusal::Inconsistent(_)), "{refusal:?}");
        }
        let two_roots = Refusal::Inconsistent(ProofError::TwoRoots { size: TreeSize(3) });
        assert_eq!(refused(Some(&latest), add(3, b"abx")), (422, two_roots));
        let needless = AddCheckpoint { proof: proof(3, b"abcd"), ..add(3, b"abc") };
        assert_eq!(refused(Some(&latest), needless).0, 422);
        let from_nothing = AddCheckpoint { proof: proof(3, b"abcd"), ..add(0, b"abcd") };
        assert_eq!(refused(None, from_nothing).0, 422);
    }

    #[test]
    fn an_empty_tree_with_another_root_is_422_after_the_other_rules() {
        let text = format!("{ORIGIN}\n0\n{}\n", root(b"a").to_base64());
        let request = |old: &str, note: &str| Request::parse(format!("old {old}\n\n{note}").as_bytes()).unwrap();
        let note = signed_text(text.clone());
        let latest = record(None, b"abc", START);
        let status = |latest, request| decide(&log(), latest, &request, START).unwrap_err().status();
        assert_eq!(status(None, request("0", &note)), 422);
        assert_eq!(status(None, request("1", &note)), 400);
        assert_eq!(status(Some(&latest), request("0", &note)), 409);
        assert_eq!(status(None, request("1", &note.replace("— log.example/lists ", "— x "))), 403);
        assert_eq!(status(None, request("1", &signed_text(text.replace(ORIGIN, "other")))), 404);
        let empty = record(None, b"", START);
        assert_eq!(empty.size(), TreeSize(0));
        assert_eq!(record(Some(&empty), b"abc", START).size(), TreeSize(3));
    }

    #[test]
    fn what_is_no_request_is_400_and_what_is_too_large_413() {
        assert_eq!(Request::parse(b"").unwrap_err().status(), 400);
        assert_eq!(Request::parse(&vec![b'x'; MAX_REQUEST_SIZE + 1]).unwrap_err().status(), 413);
        let mut long = add(0, b"abc");
        long.proof = vec![NodeHash([7; 32]); MAX_PROOF_HASHES];
        long.checkpoint =
            signed(Checkpoint { extensions: vec!["x".repeat(16_000)], ..checkpoint(b"abc").checkpoint().clone() });
        assert!(Request::parse(&long.to_bytes()).is_ok());
    }

    #[test]
    fn extension_lines_are_cosigned_as_they_are() {
        let extended =
            signed(Checkpoint { extensions: vec!["more".into()], ..checkpoint(b"abc").checkpoint().clone() });
        let request = AddCheckpoint { checkpoint: extended.clone(), ..add(0, b"abc") };
        let Ok(Decision::Cosign(accepted)) = ask(None, request) else { panic!() };
        assert_eq!(accepted.cosign(&witness_key()).unwrap().text(), extended.note().text());
    }

    #[test]
    fn a_checkpoint_without_room_for_a_cosignature_is_400() {
        let room = MAX_CHECKPOINT_SIZE - checkpoint(b"abc").to_bytes().len() - 1;
        let line = cosignature::cosign(&witness_key(), "", START).to_string().len();
        for (length, fits) in [(room, false), (room - line + 1, false), (room - line, true)] {
            let extensions = vec!["x".repeat(length)];
            let full = signed(Checkpoint { extensions, ..checkpoint(b"abc").checkpoint().clone() });
            let Ok(Decision::Cosign(accepted)) = ask(None, AddCheckpoint { checkpoint: full, ..add(0, b"abc") }) else {
                panic!()
            };
            let cosigned = accepted.cosign(&witness_key());
            assert_eq!(cosigned.as_ref().map_err(Refusal::status).err(), (!fits).then_some(400));
        }
    }

    #[test]
    fn the_same_checkpoint_again_gets_a_later_date_once_a_second() {
        let first = record(None, b"abc", START);
        let again = |clock| decide(&log(), Some(&first), &Request::Add(add(3, b"abc")), clock);
        assert_eq!(again(START), Ok(Decision::Repeat));
        assert_eq!(record(Some(&first), b"abc", START.plus(1)).time(), START.plus(1));
    }

    #[test]
    fn dates_never_go_backwards_and_a_clock_that_did_is_503() {
        let latest = record(None, b"abc", START);
        let at = |clock| decide(&log(), Some(&latest), &Request::Add(add(3, b"abcd")), clock);
        for step in [0, 1, MAX_CLOCK_STEP] {
            let clock = Timestamp(START.0 - step);
            assert_eq!(record(Some(&latest), b"abcd", clock).time(), START);
            assert_eq!(decide(&log(), Some(&latest), &Request::Add(add(3, b"abc")), clock), Ok(Decision::Repeat));
        }
        for clock in [Timestamp(START.0 - MAX_CLOCK_STEP - 1), Timestamp(0), MAX_TIME.plus(1)] {
            let refusal = at(clock).unwrap_err();
            assert_eq!((refusal.status(), refusal), (503, Refusal::Clock { clock, last: START }));
        }
        assert_eq!(decide(&log(), None, &Request::Add(add(0, b"")), Timestamp(0)).unwrap_err().status(), 503);
    }

    /// All trees of up to six leaves of a log that forks once, at any place: the honest one is `aaaaaa`.
    fn trees() -> Vec<Vec<u8>> {
        let mut trees = BTreeSet::new();
        for fork in 0..=6 {
            for size in 0..=6 {
                trees.insert((0..size).map(|leaf| if leaf < fork { b'a' } else { b'b' }).collect());
            }
        }
        trees.into_iter().collect()
    }

    /// Every proof that any of these trees gives between any two sizes, and the empty one.
    fn proofs(trees: &[Vec<u8>]) -> Vec<Vec<NodeHash>> {
        let of_tree = |tree: &Vec<u8>| (0..=tree.len()).map(|old| proof(old, tree)).collect::<Vec<_>>();
        trees.iter().flat_map(of_tree).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Every request for one of these trees, from every size, with every proof.
    fn requests(trees: &[Vec<u8>]) -> Vec<(&[u8], AddCheckpoint)> {
        let proofs = proofs(trees);
        let mut requests = Vec::new();
        for tree in trees {
            let checkpoint = checkpoint(tree);
            for old in (0..=6).map(TreeSize) {
                let with =
                    |proof: &Vec<NodeHash>| AddCheckpoint { old, proof: proof.clone(), checkpoint: checkpoint.clone() };
                requests.extend(proofs.iter().map(|proof| (tree.as_slice(), with(proof))));
            }
        }
        requests
    }

    /// The whole state space of a small model. What the witness knows is the last tree alone, so it is enough to look at
    /// every request in every state that can be reached: if each step leads from a tree to one that it is the start of,
    /// then so does each sequence of steps, and no two trees that are ever cosigned contradict each other.
    #[test]
    fn no_sequence_of_requests_gets_two_contradicting_trees_cosigned() {
        let trees = trees();
        let requests = requests(&trees);
        let mut reached: BTreeMap<Vec<u8>, Record> = BTreeMap::new();
        let (mut ahead, mut accepted) = (VecDeque::from([None]), 0);
        while let Some(state) = ahead.pop_front() {
            let (start, latest): (Vec<u8>, Option<Record>) =
                state.map_or_else(Default::default, |(tree, record)| (tree, Some(record)));
            for (tree, request) in &requests {
                // The proof is looked at only if it starts from the right size.
                if request.old.0 != start.len() as u64 && !request.proof.is_empty() {
                    continue;
                }
                let decision = decide(&log(), latest.as_ref(), &Request::Add(request.clone()), START.plus(1));
                let status = decision.as_ref().map_err(Refusal::status).err();
                assert_eq!(status, expected(&start, tree, request), "{start:?} {tree:?} {request:?}");
                if let Ok(Decision::Cosign(cosignable)) = decision {
                    accepted += 1;
                    let record = cosignable.cosign(&witness_key()).unwrap();
                    assert!(tree.starts_with(&start) && record.follows(latest.as_ref()));
                    if reached.insert(tree.to_vec(), record.clone()).is_none() {
                        ahead.push_back(Some((tree.to_vec(), record)));
                    }
                }
            }
        }
        assert_eq!((trees.len(), reached.len()), (28, 28));
        assert!(accepted > 100, "{accepted}");
    }

    /// The status that the specification gives for a request in a state; `None` if it must be cosigned.
    fn expected(start: &[u8], tree: &[u8], request: &AddCheckpoint) -> Option<u16> {
        let old = request.old.0 as usize;
        match () {
            () if old > tree.len() => Some(400),
            () if old != start.len() => Some(409),
            () if !tree.starts_with(start) || request.proof != proof(old, tree) => Some(422),
            () => None,
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(request) = Request::parse(&bytes) {
                let _ = decide(&log(), None, &request, START);
            }
        }

        #[test]
        fn a_changed_byte_is_never_cosigned_as_something_else(at in 0..200_usize, byte: u8) {
            let latest = record(None, b"abc", START);
            let mut bytes = add(3, b"abcdef").to_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            let decision = Request::parse(&bytes).and_then(|request| decide(&log(), Some(&latest), &request, START));
            if let Ok(Decision::Cosign(accepted)) = decision {
                let record = accepted.cosign(&witness_key()).unwrap();
                prop_assert_eq!((record.size(), record.root()), (TreeSize(6), root(b"abcdef")));
            }
        }
    }
}
