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
    /// A seen proof is later than the first one was, and by it a statement breaks a rule.
    #[error(
        "the seen proof of entry {late} is a later one than there was first, and by it entry {index} breaks a rule: {violation}. \
         Copy the first one, the file proof/ID of the statement, back from a backup or a mirror of this log. If there is none, \
         `seen_proofs = \"renew\"` goes on without: what breaks a rule is then left out by everybody"
    )]
    Late {
        /// The place of the first such proof's statement.
        late: LeafIndex,
        /// The place of the one that breaks the rule.
        index: LeafIndex,
        /// The rule.
        violation: Box<Violation>,
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
    /// All its statements, judged by since when this log has known them to be public.
    pub(crate) history: History,
    /// The same, judged by what its seen proofs show to others, if that is later.
    pub(crate) as_shown: Option<AsShown>,
    /// Those whose file is missing or damaged, or that have no seen proof that the policy accepts: they are published
    /// with the next checkpoint.
    pub(crate) unseen: BTreeSet<LeafIndex>,
}

/// What others make of a log that has lost seen proofs, or has later ones than the first.
pub(crate) struct AsShown {
    /// All its statements, judged by since when others can learn that they are public.
    pub(crate) history: History,
    /// The editions of which a later edition's proof shows since when they are public.
    pub(crate) settled: BTreeSet<LeafIndex>,
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
    /// Since when it is public, and the size of the tree that shows it.
    Since { time: Timestamp, tree: TreeSize },
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
    /// Whether the operator has given that up.
    is_given_up: bool,
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
        let (is_given_up, is_public) = (firsts.is_given_up(index)?, is_public(log, id, entry)?);
        Ok(Self { index, statement, seen, first, is_given_up, is_public })
    }
}

/// A statement without a seen proof.
struct Absent {
    index: LeafIndex,
    /// The number of its list.
    list: usize,
    /// Whether the log remembers since when it is public.
    is_remembered: bool,
}

/// What the seen proofs say, statement by statement.
#[derive(Default)]
struct Proofs {
    shown: Vec<Shown>,
    /// The numbers of the lists.
    lists: BTreeMap<ListName, usize>,
    /// Times that are earlier than those that were known.
    learned: Vec<(LeafIndex, Timestamp)>,
    /// Those that no quorum vouches for.
    unvouched: Vec<LeafIndex>,
    /// Those that are later than the first ones were.
    late: Vec<LeafIndex>,
    /// Those of which the operator has given up the first.
    given_up: BTreeSet<LeafIndex>,
    absent: Vec<Absent>,
    /// The size of the published tree, by its checkpoint.
    published: TreeSize,
    /// The size of the largest tree under a seen proof.
    proven: TreeSize,
    /// The size of the tree up to the last statement of which the log remembers since when it is public.
    remembered: TreeSize,
    /// How many statements of the published tree it does not remember.
    forgotten: u64,
}

/// What a statement's own seen proof says.
#[derive(Clone)]
struct Shown {
    /// The number of its list.
    list: usize,
    is_charter: bool,
    since: Option<Timestamp>,
}

/// A statement that breaks a rule by all that is known of its time.
struct Broken {
    index: LeafIndex,
    list: usize,
    violation: Violation,
}

impl Proofs {
    /// Takes up the next statement. The number of its list, and since when it is public, as far as anything says.
    fn take(&mut self, logged: &Logged) -> (usize, Option<Timestamp>) {
        let Logged { index, seen, first, is_given_up, ref statement, .. } = *logged;
        self.given_up.extend(is_given_up.then_some(index));
        let (count, mut proven) = (self.lists.len(), None);
        let list = *self.lists.entry(statement.list().clone()).or_insert(count);
        match first {
            Some(_) => self.remembered = TreeSize(index.0 + 1),
            None => self.forgotten += u64::from(index.0 < self.published.0),
        }
        match seen {
            Seen::Since { time, tree } => {
                proven = Some(time);
                self.proven = self.proven.max(tree);
                match first {
                    Some(first) if first < time => self.late.push(index),
                    Some(first) if first == time => {}
                    _ => self.learned.push((index, time)),
                }
            }
            Seen::Unvouched => self.unvouched.push(index),
            Seen::Lost => self.absent.push(Absent { index, list, is_remembered: first.is_some() }),
        }
        let is_charter = matches!(statement, Statement::Charter(_));
        self.shown.push(Shown { list, is_charter, since: proven });
        (list, proven.into_iter().chain(first).min())
    }

    /// How many statements had a seen proof when the server ended: those of the published tree, and those that the log remembers.
    /// If it remembers not all of the first, its memory was lost, and proofs tell which trees were published.
    fn had_proofs(&self) -> TreeSize {
        let is_whole = self.forgotten == 0 && self.published > TreeSize(0);
        let had = self.published.max(self.remembered);
        if is_whole { had } else { had.max(self.proven) }
    }

    /// The statements that had a seen proof and have none any more.
    fn lost(&self) -> impl Iterator<Item = &Absent> {
        let had = self.had_proofs();
        self.absent.iter().filter(move |absent| absent.index.0 < had.0)
    }

    /// That nothing is made anew which others would read differently, and nothing was, but for what the operator has given up.
    /// `broken` are the statements that break a rule by all that is known; `as_shown` those that do by what others can learn, and
    /// not by that.
    fn check(&self, broken: Vec<Broken>, as_shown: Vec<(LeafIndex, Violation)>) -> Result<(), RecoveryError> {
        if let Some(&first) = self.unvouched.first() {
            return Err(RecoveryError::Unvouched { count: self.unvouched.len(), first });
        }
        // What the log has forgotten may be why a statement of the same list breaks a rule.
        let because = |broken: &Broken, lost: &Absent| {
            lost.list == broken.list && lost.index < broken.index && !lost.is_remembered
        };
        for broken in broken {
            if let Some(lost) = self.lost().find(|lost| because(&broken, lost)) {
                let Broken { index, violation, .. } = broken;
                return Err(RecoveryError::Lost { lost: lost.index, index, violation: Box::new(violation) });
            }
        }
        let is_kept = |index: &LeafIndex| !self.given_up.contains(index);
        let Some((index, violation)) = as_shown.into_iter().find(|(index, _)| is_kept(index)) else { return Ok(()) };
        let violation = Box::new(violation);
        match (self.lost().map(|lost| lost.index).next(), self.late.iter().copied().find(is_kept)) {
            (Some(lost), _) => Err(RecoveryError::Lost { lost, index, violation }),
            (None, Some(late)) => Err(RecoveryError::Late { late, index, violation }),
            (None, None) => Ok(()),
        }
    }

    /// What is given up if the operator says so.
    fn to_give_up(&self, as_shown: &[(LeafIndex, Violation)]) -> BTreeSet<LeafIndex> {
        let lost = self.lost().map(|lost| lost.index);
        let broken = as_shown.iter().map(|(index, _)| *index);
        self.unvouched.iter().chain(&self.late).copied().chain(lost).chain(broken).collect()
    }

    /// Whether others learn later times than this log knows.
    fn differ(&self) -> bool {
        self.lost().next().is_some() || !self.unvouched.is_empty() || !self.late.is_empty()
    }

    fn warn(&self) {
        let lost: Vec<LeafIndex> = self.lost().map(|lost| lost.index).collect();
        if let Some(first) = self.unvouched.first().into_iter().chain(lost.first()).min() {
            let count = self.unvouched.len() + lost.len();
            tracing::warn!(count, %first, "these statements get new seen proofs with the next checkpoint; the new ones are later");
        }
        if let Some(first) = self.late.first() {
            let count = self.late.len();
            tracing::warn!(count, %first, "these statements have later seen proofs than the first ones");
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
    // That the checkpoint may be damaged has been said when the log was opened.
    let published = log.published().ok().flatten().map_or(TreeSize(0), |published| published.checkpoint().size);
    let (mut history, mut unseen) = (History::new(log.key().name()), BTreeSet::new());
    let (mut proofs, mut broken) = (Proofs { published, ..Proofs::default() }, Vec::new());
    let read = |index, entry: Vec<u8>| Logged::read(log, policy, firsts, index, &entry);
    log.replay(read, |logged: Logged| {
        let (list, since) = proofs.take(&logged);
        let Logged { index, statement, seen, is_public, .. } = logged;
        if !(matches!(seen, Seen::Since { .. }) && is_public) {
            unseen.insert(index);
        }
        let (id, public_since) = (statement.id(), since.unwrap_or_else(now));
        if let Err(violation) = history.record(statement, Place { index, public_since }) {
            // It was admitted by this server's clock, and the witnesses' say otherwise, or the rules were stricter since.
            tracing::warn!(%index, %id, %violation, "a logged statement breaks a rule; everybody leaves it out");
            broken.push(Broken { index, list, violation });
        }
        Ok::<_, RecoveryError>(())
    })?;
    let as_shown =
        proofs.differ().then(|| judge_as_shown(log, std::mem::take(&mut proofs.shown), &history)).transpose()?;
    let (as_shown, broken_as_shown) = as_shown.unzip();
    let broken_as_shown = broken_as_shown.unwrap_or_default();
    match seen_proofs {
        SeenProofs::Keep => proofs.check(broken, broken_as_shown)?,
        SeenProofs::Renew => firsts.give_up(&proofs.to_give_up(&broken_as_shown))?,
    }
    proofs.warn();
    firsts.remember(&proofs.learned)?;
    Ok(Recovered { history, as_shown, unseen })
}

/// Judges everything by what others can learn of its time, once lost seen proofs are made anew: the history that they read, and
/// the statements that break a rule by it, and by what is `known` do not. `shown` has what each statement's own proof says.
///
/// Others read no proofs but those of editions, and of the release that they judge: what covers an edition covers those before
/// it, and what covers a release covers the editions before that.
fn judge_as_shown(
    log: &Log,
    mut shown: Vec<Shown>,
    known: &History,
) -> Result<(AsShown, Vec<(LeafIndex, Violation)>), RecoveryError> {
    let (mut next, mut settled): (BTreeMap<usize, Timestamp>, _) = (BTreeMap::new(), BTreeSet::new());
    for (at, Shown { list, since, .. }) in shown.iter_mut().enumerate().rev().filter(|(_, shown)| shown.is_charter) {
        if let Some(&covered) = next.get(list).filter(|covered| since.is_none_or(|since| **covered < since)) {
            *since = Some(covered);
            settled.insert(LeafIndex(at as u64));
        }
        next.extend(since.map(|since| (*list, since)));
    }
    let (mut history, mut broken) = (History::new(log.key().name()), Vec::new());
    let read = |index, entry: Vec<u8>| {
        let statement = Statement::parse(&entry).map_err(|source| RecoveryError::NotAStatement { index, source })?;
        Ok((index, statement))
    };
    let mut times = shown.into_iter();
    log.replay(read, |(index, statement)| {
        let since = times.next().and_then(|shown| shown.since).unwrap_or_else(now);
        let was_taken = is_taken(known, &statement, index);
        if let Err(violation) = history.record(statement, Place { index, public_since: since })
            && was_taken
        {
            broken.push((index, violation));
        }
        Ok::<_, RecoveryError>(())
    })?;
    Ok((AsShown { history, settled }, broken))
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

/// Whether a statement has a file of its own. A damaged one is mended: it would be served.
fn is_public(log: &Log, id: StatementId, entry: &[u8]) -> Result<bool, FileError> {
    let file = Resource::Statement(id);
    match log.public().read(&file)? {
        None => Ok(false),
        Some(bytes) => {
            if bytes != entry {
                // It was published, and the tree says what it is.
                log.public().write_proven(&[(file, entry)])?;
            }
            Ok(true)
        }
    }
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
        Ok(times) => Seen::Since { time: times.earliest, tree: proof.checkpoint.checkpoint().size },
        Err(TlogProofError::NoQuorum) => Seen::Unvouched,
        Err(_) => Seen::Lost,
    })
}
