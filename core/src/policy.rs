//! C2SP [tlog-policy]: which logs are known, which witnesses, and how many of those must have cosigned.
//!
//! ```text
//! log <vkey> [<url>]
//!
//! witness X1 <vkey> [<url>]
//! witness X2 <vkey>
//! witness X3 <vkey>
//! witness Y1 <vkey>
//! group X-witnesses 2 X1 X2 X3
//! group X-and-Y all X-witnesses Y1
//!
//! quorum X-and-Y
//! ```
//!
//! Items on a line are separated by spaces and tabs. Empty lines and lines that start with `#` are ignored. A group is
//! `any`, `all` or a number of its members, which stand on lines before it; each name is a member at most once, so that
//! each witness counts in one way. `quorum none` asks for no witness. Octets above 0x7F are allowed and have no meaning.
//!
//! A policy counts the same key once: two keys with the same public key are an error, whatever their names.
//!
//! # Former witnesses
//!
//! The specification has no word for witnesses that were replaced. What they saw was seen nevertheless, and nobody else can
//! vouch for when: so after the lines above, this implementation takes
//!
//! ```text
//! former example.com/fancylog 109482
//! witness X1 <vkey>
//! witness X2 <vkey>
//! group X-witnesses all X1 X2
//! quorum X-witnesses
//! ```
//!
//! with which the witnesses up to the next such line, or the end, count for *seen proofs* under checkpoints of at most so many
//! entries of that log, and for nothing else ([`Policy::seen_times`]). The log had so many when the witnesses named above
//! took over: a smaller tree is none that they can have seen as the newest ([`Policy::began_at`]). Names are those of one
//! such part alone. Other readers of policies refuse a file that has one.
//!
//! [tlog-policy]: https://c2sp.org/tlog-policy

mod parse;
mod quorum;

pub use quorum::{Quorum, QuorumTimes};

use crate::checkpoint::CheckpointNote;
use crate::cosignature::cosignatures;
use crate::note::{KeyError, Note, NoteError, VerifierKey};
use crate::time::Timestamp;
use crate::tree::TreeSize;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The most bytes of a policy.
pub const MAX_POLICY_SIZE: usize = 64 * 1024;
/// The most logs in a policy.
pub const MAX_LOGS: usize = 32;
/// The most witnesses in a policy.
pub const MAX_WITNESSES: usize = 64;
/// The most groups in a policy.
pub const MAX_GROUPS: usize = 64;
/// The most sets of former witnesses in a policy.
pub const MAX_FORMER: usize = 32;

/// A name inside a policy: opaque octets, none of them white space or control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Vec<u8>);

impl Name {
    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Shows the name as UTF-8, and octets that are not as `\xNN`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_octets(f, &self.0, "\\x")
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// Writes UTF-8 as it is, and each octet that is not UTF-8 as `escape` and two hexadecimal digits.
fn write_octets(out: &mut impl fmt::Write, octets: &[u8], escape: &str) -> fmt::Result {
    octets.utf8_chunks().try_for_each(|chunk| {
        out.write_str(chunk.valid())?;
        chunk.invalid().iter().try_for_each(|octet| write!(out, "{escape}{octet:02X}"))
    })
}

/// A known log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyLog {
    /// Its key, whose name is the log's origin.
    pub key: VerifierKey,
    /// Where it is, for those who talk to it.
    pub url: Option<String>,
}

/// A known witness.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyWitness {
    /// What the policy's groups call it.
    pub name: Name,
    /// Its key, of type 0x04.
    pub key: VerifierKey,
    /// Its submission prefix, for those who talk to it.
    pub url: Option<String>,
}

/// Witnesses, and how many of them must have cosigned.
#[derive(Clone, PartialEq, Eq, Debug)]
struct WitnessSet {
    witnesses: Vec<PolicyWitness>,
    quorum: Quorum,
}

impl WitnessSet {
    fn keys(&self) -> Vec<VerifierKey> {
        self.witnesses.iter().map(|witness| witness.key.clone()).collect()
    }

    fn checkpoint_times(&self, note: &Note) -> Result<Option<QuorumTimes>, NoteError> {
        Ok(self.quorum.times(&cosignatures(note, &self.keys())?))
    }
}

/// Those that were a log's witnesses until it had so many entries.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Former {
    origin: String,
    until: TreeSize,
    set: WitnessSet,
}

/// A policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    set: WitnessSet,
    former: Vec<Former>,
}

impl Policy {
    /// The known logs, in the order of their lines.
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The keys of the known logs.
    pub fn log_keys(&self) -> Vec<VerifierKey> {
        self.logs.iter().map(|log| log.key.clone()).collect()
    }

    /// The key of the known log that signed this checkpoint; `None` if none did.
    pub fn log_of(&self, checkpoint: &CheckpointNote) -> Option<&VerifierKey> {
        self.logs.iter().map(|log| &log.key).find(|key| checkpoint.verify_log(key).is_ok())
    }

    /// The same witnesses and quorum for each of the known logs alone, in the order of their lines.
    pub fn for_each_log(&self) -> impl Iterator<Item = Self> {
        self.logs.iter().map(|log| {
            let is_its_own = |former: &&Former| former.origin == log.key.name();
            let former = self.former.iter().filter(is_its_own).cloned().collect();
            Self { logs: [log.clone()].into(), set: self.set.clone(), former }
        })
    }

    /// The known witnesses, in the order of their lines, whether they are part of the quorum or not.
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.set.witnesses
    }

    /// The keys of the known witnesses; their indexes are those that [`Quorum`] speaks of.
    pub fn witness_keys(&self) -> Vec<VerifierKey> {
        self.set.keys()
    }

    /// The keys of all witnesses whose word may count, former ones too; a key that was always one may be there twice.
    pub fn all_witness_keys(&self) -> Vec<VerifierKey> {
        let former = self.former.iter().flat_map(|former| former.set.keys());
        self.witness_keys().into_iter().chain(former).collect()
    }

    /// Who must have cosigned.
    pub fn quorum(&self) -> &Quorum {
        &self.set.quorum
    }

    /// How many entries the log of this origin had when its present witnesses took over; 0 if the policy names no others. They
    /// can't have seen a smaller tree as the newest, however they are made to sign one: a witness that begins takes any.
    pub fn began_at(&self, origin: &str) -> TreeSize {
        let ends = self.former.iter().filter(|former| former.origin == origin).map(|former| former.until);
        ends.max().unwrap_or_default()
    }

    /// How many witnesses must help a dishonest log to show two different trees, each under a full quorum; 0 if the log
    /// can do it alone. For k of n witnesses that is 2k − n.
    pub fn weak_split(&self) -> usize {
        self.set.quorum.smallest_overlap()
    }

    /// What these cosignatures, as (index of the witness, time), say about time, if they satisfy the quorum.
    ///
    /// `None` if they don't, and always for `quorum none`, under which nobody vouches for any time.
    pub fn quorum_times(&self, times: &[(usize, Timestamp)]) -> Option<QuorumTimes> {
        self.set.quorum.times(times)
    }

    /// Verifies every cosignature by a known witness under this checkpoint and gives what they say about time, if they
    /// satisfy the quorum. An error if a known witness's line is wrong.
    pub fn checkpoint_times(&self, note: &Note) -> Result<Option<QuorumTimes>, NoteError> {
        self.set.checkpoint_times(note)
    }

    /// What [`Policy::checkpoint_times`] says of a checkpoint that should be the newest of its log; nothing of one that is from
    /// before the present witnesses ([`Policy::began_at`]).
    pub fn newest_times(&self, checkpoint: &CheckpointNote) -> Result<Option<QuorumTimes>, NoteError> {
        let times = self.checkpoint_times(checkpoint.note())?;
        let tree = checkpoint.checkpoint();
        Ok(times.filter(|_| tree.size >= self.began_at(&tree.origin)))
    }

    /// Since when what stands in this checkpoint's tree was seen: what [`Policy::checkpoint_times`] says, or the former
    /// witnesses whose time it is of; the earliest, if more than one quorum vouches for it. Nothing under `quorum none`.
    pub fn seen_times(&self, checkpoint: &CheckpointNote) -> Result<Option<QuorumTimes>, NoteError> {
        if self.quorum().is_none() {
            return Ok(None);
        }
        let (origin, size) = (&checkpoint.checkpoint().origin, checkpoint.checkpoint().size);
        let mut earliest = self.set.checkpoint_times(checkpoint.note())?;
        for former in self.former.iter().filter(|former| former.origin == *origin && size <= former.until) {
            let times = former.set.checkpoint_times(checkpoint.note())?;
            earliest = earliest.into_iter().chain(times).min_by_key(|times| times.earliest);
        }
        Ok(earliest)
    }
}

/// Why a policy is not accepted, and at which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {problem}")]
pub struct PolicyError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: PolicyProblem,
}

/// What is wrong with a line of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyProblem {
    /// The policy is larger than [`MAX_POLICY_SIZE`]; the line is the one that reaches over.
    #[error("the policy is larger than {MAX_POLICY_SIZE} bytes")]
    TooLarge,
    /// The last line does not end in a newline: the file may have been cut.
    #[error("no newline at the end of the last line; the file may be cut off")]
    NoNewline,
    /// A control character other than tab and newline.
    #[error("the octet 0x{0:02x} is not allowed; lines end in a newline alone, items are parted by spaces or tabs")]
    Octet(u8),
    /// A line that is refused, and holds a private key, which must not be shown.
    #[error("this is a private key; nothing of it is shown. A policy holds public keys")]
    PrivateKey,
    /// A line that starts with something else than `log`, `witness`, `group`, `quorum` or `former`.
    #[error("{0:?} is not `log`, `witness`, `group`, `quorum` or `former`")]
    Keyword(String),
    /// Too few or too many items.
    #[error("expected `{0}`")]
    Items(&'static str),
    /// A vkey that can't be used.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// A key of a type that doesn't suit its role.
    #[error("the key's type does not suit a {0}")]
    KeyType(&'static str),
    /// The same public key stood on a line before, for the same role.
    #[error("the public key is that of an earlier {0}")]
    DuplicateKey(&'static str),
    /// The name is taken, or is `none`.
    #[error("the name {0} is taken")]
    NameTaken(Name),
    /// No witness or group of this name on a line before.
    #[error("no line before this one defines {0}")]
    UnknownName(Name),
    /// The name is a member of a group already.
    #[error("{0} is a member of a group already")]
    MemberTwice(Name),
    /// A threshold that is not `any`, `all` or a number from 1 to the number of members.
    #[error("the threshold must be `any`, `all` or a number from 1 to {members}, the number of members")]
    Threshold {
        /// How many members the group has.
        members: usize,
    },
    /// More lines of one kind than this implementation takes.
    #[error("more than {limit} {kind}")]
    TooMany {
        /// What there are too many of.
        kind: &'static str,
        /// How many are taken.
        limit: usize,
    },
    /// A second quorum line.
    #[error("a second quorum line")]
    SecondQuorum,
    /// A `log` line among former witnesses.
    #[error("a log among former witnesses; logs stand before the first `former` line")]
    FormerLog,
    /// `quorum none` for former witnesses, so that anybody could say when something was seen.
    #[error("former witnesses need a quorum")]
    FormerQuorum,
    /// A `former` line for a log that the policy does not name.
    #[error("no line before this one names a log of the origin {0:?}")]
    UnknownLog(String),
    /// The policy, or a part of it before a `former` line, ends without a quorum line; the line is the one after the last.
    #[error("no quorum line; write `quorum NAME` after the groups")]
    NoQuorum,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::cosignature::cosign;
    use crate::hash::RootHash;
    use crate::note::{KeyType, SigningKey};
    use alloc::format;
    use alloc::vec::Vec;

    const ORIGIN: &str = "log.example/a";

    fn witness(number: u8) -> SigningKey {
        SigningKey::from_seed(&format!("witness.example/w{number}"), KeyType::Cosignature, &[number; 32]).unwrap()
    }

    /// A checkpoint of so many entries, cosigned by these witnesses at these times.
    fn checkpoint(size: u64, cosigned: &[(u8, u64)]) -> CheckpointNote {
        let log = SigningKey::from_seed(ORIGIN, KeyType::Ed25519, &[99; 32]).unwrap();
        let tree =
            Checkpoint { origin: ORIGIN.into(), size: TreeSize(size), root: RootHash([7; 32]), extensions: Vec::new() };
        let signed = CheckpointNote::sign(tree, &log).unwrap();
        let lines =
            cosigned.iter().map(|(number, time)| cosign(&witness(*number), signed.note().text(), Timestamp(*time)));
        signed.with_cosignatures(&lines.collect::<Vec<_>>())
    }

    /// Witness 3 now; witnesses 1 and 2, both, until the log had 40 entries.
    fn policy() -> Policy {
        let log = SigningKey::from_seed(ORIGIN, KeyType::Ed25519, &[99; 32]).unwrap();
        let [one, two, three] = [1, 2, 3].map(|number| witness(number).verifier().clone());
        let text = format!(
            "log {}\nwitness now {three}\nquorum now\nformer {ORIGIN} 40\nwitness a {one}\nwitness b {two}\ngroup g all a b\nquorum g\n",
            log.verifier()
        );
        Policy::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn former_witnesses_vouch_for_what_was_there_in_their_time_and_for_nothing_else() {
        let earliest = |size, cosigned: &[(u8, u64)]| {
            let times = policy().seen_times(&checkpoint(size, cosigned)).unwrap();
            times.map(|times| times.earliest.0)
        };
        assert_eq!(earliest(40, &[(1, 10), (2, 20)]), Some(20));
        assert_eq!(earliest(41, &[(1, 10), (2, 20)]), None, "others had taken over");
        assert_eq!(earliest(40, &[(1, 10)]), None, "no quorum then");
        assert_eq!(earliest(40, &[(3, 30)]), Some(30), "the present ones saw it later");
        assert_eq!(earliest(40, &[(1, 10), (2, 20), (3, 5)]), Some(5));
        assert_eq!(earliest(40, &[(1, 10), (2, 20), (3, 30)]), Some(20));
        let newest =
            |size, cosigned: &[(u8, u64)]| policy().newest_times(&checkpoint(size, cosigned)).unwrap().is_some();
        assert!(newest(40, &[(3, 30)]) && newest(41, &[(3, 30)]));
        assert!(!newest(39, &[(3, 30)]), "a witness that begins takes any checkpoint");
        assert!(!newest(40, &[(1, 10), (2, 20)]), "they have left");
    }
}
