//! What a check finds.

use super::collected::Absent;
use super::served::Bundles;
use super::statements::Kind;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::statement::ListName;
use isonomy_core::tile::audit::Fault;
use isonomy_core::tree::LeafIndex;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The most findings that are kept; the others are counted.
const MAX_FINDINGS: usize = 10_000;

/// Something that is wrong with a log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Finding {
    /// The checkpoint lacks cosignatures that the policy asks for.
    Quorum {
        /// What is wrong.
        reason: String,
    },
    /// A tile or an entry.
    Tree(Fault),
    /// An entry of a log of statements is none.
    NotAStatement {
        /// The entry.
        index: LeafIndex,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of a statement.
    Statement {
        /// The entry that it is a copy of.
        index: LeafIndex,
        /// Its path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The seen proof of a statement.
    SeenProof {
        /// The entry that it proves.
        index: LeafIndex,
        /// Its path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An object of a release.
    Object {
        /// The entry of the release.
        index: LeafIndex,
        /// The object.
        digest: ObjectDigest,
        /// What is wrong with it.
        reason: String,
    },
    /// The bundle of a list.
    Bundle {
        /// Its path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The index of lists.
    Index {
        /// Its path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Finding {
    /// A short, stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Quorum { .. } => "quorum",
            Self::Tree(Fault::Unreadable { .. }) => "unreadable",
            Self::Tree(Fault::Malformed { .. }) => "malformed",
            Self::Tree(Fault::Hash { .. }) => "wrong-hash",
            Self::Tree(Fault::Entry { .. }) => "wrong-entry",
            Self::Tree(Fault::Foreign { .. }) => "wrong-tile",
            Self::Tree(Fault::Undecided { .. }) => "undecided",
            Self::Tree(Fault::Root { .. }) => "wrong-root",
            Self::NotAStatement { .. } => "not-a-statement",
            Self::Statement { .. } => "statement",
            Self::SeenProof { .. } => "seen-proof",
            Self::Object { .. } => "object",
            Self::Bundle { .. } => "bundle",
            Self::Index { .. } => "index",
        }
    }
}

/// Says what is wrong in one sentence.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quorum { reason } => write!(f, "checkpoint: {reason}"),
            Self::Tree(fault) => fault.fmt(f),
            Self::NotAStatement { index, reason } => write!(f, "entry {index} is not a statement: {reason}"),
            Self::Statement { index, path, reason } | Self::SeenProof { index, path, reason } => {
                write!(f, "{path} of entry {index}: {reason}")
            }
            Self::Bundle { path, reason } | Self::Index { path, reason } => write!(f, "{path}: {reason}"),
            Self::Object { index, digest, reason } => write!(f, "object/{digest} of entry {index}: {reason}"),
        }
    }
}

/// What a check has found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The checkpoint that everything was held against.
    pub checkpoint: CheckpointNote,
    /// Whether the entries are statements.
    pub holds_statements: bool,
    /// What is wrong, ordered by place.
    pub findings: Vec<Finding>,
    /// How many findings more there are.
    pub omitted: usize,
    /// How many tiles and bundles before the minimum index are not there, and need not be.
    pub pruned: usize,
    /// How many objects are not there that nobody needs any more: the operator may collect them.
    pub collected: usize,
    /// How many bundles of lists were checked.
    pub bundles: usize,
    /// How many lists have none here: a log keeps one of each, and a monitor's copy of a log none.
    pub bundles_absent: usize,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.omitted == 0
    }
}

/// Findings while they are collected.
#[derive(Clone, Default)]
pub(super) struct Findings(Arc<Mutex<Collected>>);

#[derive(Default)]
struct Collected {
    findings: Vec<Finding>,
    /// How many faults of the tree are kept elsewhere until they are judged.
    elsewhere: usize,
    omitted: usize,
    pruned: usize,
    /// Objects that are not there, until it is known whether anybody needs them.
    absent: Vec<Absent>,
    /// The lists that statements are about.
    lists: BTreeSet<ListName>,
}

impl Findings {
    fn with<T>(&self, work: impl FnOnce(&mut Collected) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn extend(&self, findings: impl IntoIterator<Item = Finding>) {
        self.with(|collected| {
            for finding in findings {
                if collected.findings.len() < MAX_FINDINGS {
                    collected.findings.push(finding);
                } else {
                    collected.omitted += 1;
                }
            }
        });
    }

    /// Notes an object that is not there.
    pub(super) fn note_absent(&self, object: Absent) {
        self.with(|collected| collected.absent.push(object));
    }

    /// Notes which lists statements are about.
    pub(super) fn note_lists<'l>(&self, lists: impl Iterator<Item = &'l ListName>) {
        let lists: BTreeSet<&ListName> = lists.collect();
        self.with(|collected| collected.lists.extend(lists.into_iter().cloned()));
    }

    /// All of those.
    pub(super) fn take_lists(&self) -> BTreeSet<ListName> {
        self.with(|collected| std::mem::take(&mut collected.lists))
    }

    /// Whether every entry could be read.
    pub(super) fn is_whole(&self) -> bool {
        let is_of_entries = |found: &Finding| matches!(found, Finding::Tree(_) | Finding::NotAStatement { .. });
        self.with(|collected| {
            let found = collected.omitted + collected.pruned;
            found == 0 && !collected.findings.iter().any(is_of_entries)
        })
    }

    /// Whether something is wrong with the file of a statement at this path.
    pub(super) fn has_path(&self, path: &str) -> bool {
        self.with(|collected| {
            collected.findings.iter().any(|found| matches!(found, Finding::Statement { path: of, .. } if of == path))
        })
    }

    /// All of those.
    pub(super) fn take_absent(&self) -> Vec<Absent> {
        self.with(|collected| std::mem::take(&mut collected.absent))
    }

    /// Drops those faults of a span that are too many.
    pub(super) fn limit(&self, faults: &mut Vec<Fault>) {
        self.with(|collected| {
            let kept = faults.len().min(MAX_FINDINGS - collected.elsewhere);
            collected.omitted += faults.len() - kept;
            collected.elsewhere += kept;
            faults.truncate(kept);
        });
    }

    pub(super) fn count_pruned(&self, tiles: usize) {
        self.with(|collected| collected.pruned += tiles);
    }

    pub(super) fn report(
        &self,
        checkpoint: CheckpointNote,
        kind: Kind,
        collected: usize,
        Bundles { checked: bundles, absent: bundles_absent }: Bundles,
    ) -> Report {
        let Collected { mut findings, omitted, pruned, .. } = self.with(std::mem::take);
        findings.sort();
        let holds_statements = kind == Kind::Statements;
        Report { checkpoint, holds_statements, findings, omitted, pruned, collected, bundles, bundles_absent }
    }
}
