//! Starting: everything that the server knows is rebuilt from the log's own files, so that it can't differ from what
//! anybody else reads there.

use crate::firsts::FirstTimes;
use crate::log::{Log, LogError};
use crate::state::now;
use isonomy_core::hash::StatementId;
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::rules::Violation;
use isonomy_core::rules::history::History;
use isonomy_core::rules::releases::Place;
use isonomy_core::statement::{ListName, Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::{TlogProof, TlogProofError};
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_store::files::FileError;
use isonomy_store::kv::{self, Store, StoreError};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Why the log's statements can't be read.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// An entry that is not a statement.
    #[error("entry {index} of the log is not a statement: {source}; this folder is another kind of log's")]
    NotAStatement {
        /// Its place.
        index: LeafIndex,
        /// What is wrong with it.
        source: StatementError,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The policy names other witnesses than those that vouch for the seen proofs.
    #[error(
        "seen proofs that are not by a quorum of the policy's witnesses: {count}, the first of entry {first}. Who reads them can't \
         tell any more since when these statements are public. Name the witnesses that they are by in the policy, after a line \
         `former ORIGIN ENTRIES`; docs/operations.md says how. Or give them up: with `seen_proofs = \"renew\"` new ones are \
         made, by which all notices and visibilities begin anew"
    )]
    Unvouched {
        /// How many there are.
        count: usize,
        /// The first one's place.
        first: LeafIndex,
    },
    /// A seen proof is lost, and one that is made now would make a later statement break a rule.
    #[error(
        "entry {lost} has no seen proof any more, and with one that is made now entry {index} breaks a rule: {violation}. Copy the \
         file proof/ID of the statement back from a backup or a mirror of this log. If there is none, `seen_proofs = \"renew\"` goes \
         on without: what breaks a rule is then left out by everybody"
    )]
    Lost {
        /// The first one's place.
        lost: LeafIndex,
        /// The later one's place.
        index: LeafIndex,
        /// The rule.
        violation: Box<Violation>,
    },
}

/// What is done with seen proofs that the policy no longer accepts, and with lost ones that can't be replaced without harm.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeenProofs {
    /// The log does not start, and says what is missing.
    #[default]
    Keep,
    /// They are made anew. They are later, so that notice and visibility begin again for whoever reads them.
    Renew,
}

/// What a log's files say.
pub(crate) struct Recovered {
    /// All its statements, judged.
    pub(crate) history: History,
    /// Those whose file is missing or damaged, or that have no seen proof that the policy accepts: they are published
    /// with the next checkpoint.
    pub(crate) unseen: BTreeSet<LeafIndex>,
}

/// Opens the database. A damaged one is set aside: what it held is rebuilt, except releases that waited for objects,
/// which are submitted again.
pub(crate) fn open_store(folder: &Path) -> Result<Store, StoreError> {
    match Store::open(folder) {
        Err(error @ StoreError::Damaged { .. }) => {
            let aside = kv::set_aside(folder)?;
            tracing::error!(%error, ?aside, "the damaged database is set aside and made anew");
            Store::open(folder)
        }
        result => result,
    }
}

/// What a statement's seen proof says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// Since when it is public.
    Since(Timestamp),
    /// It is sound, but no quorum that the policy knows vouches for it.
    Unvouched,
    /// There is none, or a damaged one.
    Lost,
}

/// A logged statement, with what its own files say.
struct Logged {
    index: LeafIndex,
    statement: Statement,
    /// What its seen proof says.
    seen: Seen,
    /// Since when it is public, as this log learned it first.
    first: Option<Timestamp>,
    /// Whether its own file is as it should be.
    is_public: bool,
}

impl Logged {
    /// Reads an entry and its files, and verifies the seen proof.
    fn read(
        log: &Log,
        policy: &Policy,
        firsts: &FirstTimes,
        index: LeafIndex,
        entry: &[u8],
    ) -> Result<Self, RecoveryError> {
        let statement = Statement::parse(entry).map_err(|source| RecoveryError::NotAStatement { index, source })?;
        let id = statement.id();
        let (seen, first) = (seen(log, policy, &id, index, entry)?, firsts.of(index)?);
        Ok(Self { index, statement, seen, first, is_public: is_public(log, id, entry)? })
    }
}

/// What the seen proofs say, statement by statement.
#[derive(Default)]
struct Proofs {
    /// For each statement the number of its list, and since when it is proven to be public.
    shown: Vec<(usize, Option<Timestamp>)>,
    /// The numbers of the lists.
    lists: BTreeMap<ListName, usize>,
    /// Times that are earlier than those that were known.
    learned: Vec<(LeafIndex, Timestamp)>,
    /// Those that no quorum vouches for.
    unvouched: Vec<LeafIndex>,
    /// Those that were there, and are not.
    lost: Vec<LeafIndex>,
}

impl Proofs {
    /// Takes up the next statement, in a log of which so much was published. Since when it is public, as far as anything says.
    fn take(&mut self, logged: &Logged, published: TreeSize) -> Option<Timestamp> {
        let Logged { index, seen, first, .. } = *logged;
        let proven = match seen {
            Seen::Since(since) => Some(since),
            Seen::Unvouched | Seen::Lost => None,
        };
        match seen {
            Seen::Since(since) if first.is_none_or(|first| since < first) => self.learned.push((index, since)),
            Seen::Since(_) => {}
            Seen::Unvouched => self.unvouched.push(index),
            // What was never published never had one.
            Seen::Lost => self.lost.extend((index.0 < published.0 || first.is_some()).then_some(index)),
        }
        let count = self.lists.len();
        let list = *self.lists.entry(logged.statement.list().clone()).or_insert(count);
        self.shown.push((list, proven));
        proven.into_iter().chain(first).min()
    }

    /// That nothing is made anew which others would read differently.
    fn check(&self, log: &Log, history: &History) -> Result<(), RecoveryError> {
        if let Some(&first) = self.unvouched.first() {
            return Err(RecoveryError::Unvouched { count: self.unvouched.len(), first });
        }
        match self.lost.first() {
            Some(&lost) => judge_as_shown(log, self.shown.clone(), lost, history),
            None => Ok(()),
        }
    }

    fn warn(&self) {
        if let Some(first) = self.unvouched.iter().chain(&self.lost).min() {
            let count = self.unvouched.len() + self.lost.len();
            tracing::warn!(count, %first, "these statements get new seen proofs with the next checkpoint; the new ones are later");
        }
    }
}

/// Reads every entry and its seen proof.
pub(crate) fn recover(
    log: &Log,
    policy: &Policy,
    firsts: &FirstTimes,
    seen_proofs: SeenProofs,
) -> Result<Recovered, RecoveryError> {
    // What stands in a published tree had a seen proof. That the checkpoint may be damaged has been said when the log was opened.
    let published = log.published().ok().flatten().map_or(TreeSize(0), |published| published.checkpoint().size);
    let mut recovered = Recovered { history: History::new(log.key().name()), unseen: BTreeSet::new() };
    let mut proofs = Proofs::default();
    let read = |index, entry: Vec<u8>| Logged::read(log, policy, firsts, index, &entry);
    log.replay(read, |logged: Logged| {
        let public_since = proofs.take(&logged, published).unwrap_or_else(now);
        let Logged { index, statement, seen, is_public, .. } = logged;
        if !(matches!(seen, Seen::Since(_)) && is_public) {
            recovered.unseen.insert(index);
        }
        let id = statement.id();
        if let Err(violation) = recovered.history.record(statement, Place { index, public_since }) {
            if let (Some(&lost), SeenProofs::Keep) = (proofs.lost.first(), seen_proofs) {
                return Err(RecoveryError::Lost { lost, index, violation: Box::new(violation) });
            }
            // It was admitted by this server's clock, and the witnesses' say otherwise, or the rules were stricter since.
            tracing::warn!(%index, %id, %violation, "a logged statement breaks a rule; everybody leaves it out");
        }
        Ok(())
    })?;
    if seen_proofs == SeenProofs::Keep {
        proofs.check(log, &recovered.history)?;
    }
    proofs.warn();
    firsts.remember(&proofs.learned)?;
    Ok(recovered)
}

/// Judges everything by what others can learn of its time once lost seen proofs are made anew: an error if a statement that
/// keeps the rules would break one. `shown` has for each statement the number of its list, and since when its proof says that
/// it is public.
fn judge_as_shown(
    log: &Log,
    mut shown: Vec<(usize, Option<Timestamp>)>,
    lost: LeafIndex,
    known: &History,
) -> Result<(), RecoveryError> {
    // What covers a statement covers those before it; who follows a list reads the proofs of that.
    let mut next: BTreeMap<usize, Timestamp> = BTreeMap::new();
    for (list, since) in shown.iter_mut().rev() {
        *since = since.iter().chain(next.get(list)).min().copied();
        next.extend(since.map(|since| (*list, since)));
    }
    let mut history = History::new(log.key().name());
    let read = |index, entry: Vec<u8>| {
        let statement = Statement::parse(&entry).map_err(|source| RecoveryError::NotAStatement { index, source })?;
        Ok((index, statement))
    };
    let mut times = shown.into_iter();
    log.replay(read, |(index, statement)| {
        let since = times.next().and_then(|(_, since)| since).unwrap_or_else(now);
        let was_taken = is_taken(known, &statement, index);
        match history.record(statement, Place { index, public_since: since }) {
            Err(violation) if was_taken => Err(RecoveryError::Lost { lost, index, violation: Box::new(violation) }),
            _ => Ok(()),
        }
    })?;
    Ok(())
}

/// Whether the statement at this place was judged to keep the rules.
fn is_taken(history: &History, statement: &Statement, index: LeafIndex) -> bool {
    let Some(list) = history.list(statement.list()) else { return false };
    match statement {
        Statement::Charter(charter) => {
            list.editions().find(&charter.id()).is_some_and(|edition| edition.index() == index)
        }
        Statement::Release(_) => list.version_at(index).is_some(),
        Statement::Attestation(_) => list.attestations().iter().any(|logged| logged.index == index),
    }
}

/// Whether a statement's own file is as it should be.
fn is_public(log: &Log, id: StatementId, entry: &[u8]) -> Result<bool, FileError> {
    Ok(log.public().read(&Resource::Statement(id))?.is_some_and(|bytes| bytes == entry))
}

/// What the seen proof of a statement says under this policy.
pub(crate) fn seen(
    log: &Log,
    policy: &Policy,
    id: &StatementId,
    index: LeafIndex,
    entry: &[u8],
) -> Result<Seen, FileError> {
    let Some(bytes) = log.public().read(&Resource::SeenProof(*id))? else { return Ok(Seen::Lost) };
    let Some(proof) = TlogProof::parse(&bytes).ok().filter(|proof| proof.index == index) else { return Ok(Seen::Lost) };
    Ok(match proof.verify(entry, log.key(), policy) {
        Ok(times) => Seen::Since(times.earliest),
        Err(TlogProofError::NoQuorum) => Seen::Unvouched,
        Err(_) => Seen::Lost,
    })
}
