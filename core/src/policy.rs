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
//! [tlog-policy]: https://c2sp.org/tlog-policy

mod parse;
mod quorum;

pub use quorum::{Quorum, QuorumTimes};

use crate::cosignature::cosignatures;
use crate::note::{KeyError, Note, NoteError, VerifierKey};
use crate::time::Timestamp;
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

/// A policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    quorum: Quorum,
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

    /// The same witnesses and quorum for each of the known logs alone, in the order of their lines.
    pub fn for_each_log(&self) -> impl Iterator<Item = Self> {
        self.logs.iter().map(|log| Self { logs: [log.clone()].into(), ..self.clone() })
    }

    /// The known witnesses, in the order of their lines, whether they are part of the quorum or not.
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// The keys of the known witnesses; their indexes are those that [`Quorum`] speaks of.
    pub fn witness_keys(&self) -> Vec<VerifierKey> {
        self.witnesses.iter().map(|witness| witness.key.clone()).collect()
    }

    /// Who must have cosigned.
    pub fn quorum(&self) -> &Quorum {
        &self.quorum
    }

    /// How many witnesses must help a dishonest log to show two different trees, each under a full quorum; 0 if the log
    /// can do it alone. For k of n witnesses that is 2k − n.
    pub fn weak_split(&self) -> usize {
        self.quorum.smallest_overlap()
    }

    /// What these cosignatures, as (index of the witness, time), say about time, if they satisfy the quorum.
    ///
    /// `None` if they don't, and always for `quorum none`, under which nobody vouches for any time.
    pub fn quorum_times(&self, times: &[(usize, Timestamp)]) -> Option<QuorumTimes> {
        self.quorum.times(times)
    }

    /// Verifies every cosignature by a known witness under this checkpoint and gives what they say about time, if they
    /// satisfy the quorum. An error if a known witness's line is wrong.
    pub fn checkpoint_times(&self, note: &Note) -> Result<Option<QuorumTimes>, NoteError> {
        Ok(self.quorum_times(&cosignatures(note, &self.witness_keys())?))
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
    /// A line that starts with something else than `log`, `witness`, `group` or `quorum`.
    #[error("{0:?} is not `log`, `witness`, `group` or `quorum`")]
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
    /// The policy ends without a quorum line; the line is the one after the last.
    #[error("no quorum line; write `quorum NAME` after the groups")]
    NoQuorum,
}
