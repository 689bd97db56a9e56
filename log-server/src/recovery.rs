//! Starting: everything that the server knows is rebuilt from the log's own files, so that it can't differ from what
//! anybody else reads there.

use crate::files::Mendable;
use crate::firsts::FirstTimes;
use crate::histories::{AsShown, Endings};
use crate::log::{Log, LogError};
use crate::state::now;
use isonomy_core::hash::StatementId;
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::rules::history::{History, LeftOut};
use isonomy_core::rules::releases::Place;
use isonomy_core::rules::{Series, Violation};
use isonomy_core::statement::{ListName, Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::{TlogProof, TlogProofError};
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_store::files::FileError;
use isonomy_store::kv::{self, Store, StoreError};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// So late that every notice is over.
const AT_LAST: Timestamp = Timestamp(u64::MAX);

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
        "these seen proofs are later ones than there were first: {}; and by them entry {index} of the list {list} breaks a rule: \
         {violation}. Copy the first ones back from a backup or a mirror of this log. If there are none, `seen_proofs = \"renew\"` \
         goes on without: what breaks a rule is then left out by everybody, and the list ends with what is before it",
        named(late)
    )]
    Late {
        /// The statements of that list that have one, with their places.
        late: Vec<(LeafIndex, StatementId)>,
        /// The list of the one that breaks the rule.
        list: ListName,
        /// Its place.
        index: LeafIndex,
        /// The rule.
        violation: Box<Violation>,
    },
    /// A seen proof is lost, and one that is made now would make a later statement break a rule.
    #[error(
        "these seen proofs are lost or damaged: {}; and with ones that are made now entry {index} of the list {list} breaks a rule: \
         {violation}. Copy them back from a backup or a mirror of this log. If there are none, `seen_proofs = \"renew\"` goes on \
         without: what breaks a rule is then left out by everybody, and the list ends with what is before it",
        named(lost)
    )]
    Lost {
        /// The statements of that list that have none, with their places.
        lost: Vec<(LeafIndex, StatementId)>,
        /// The list of the one that breaks the rule.
        list: ListName,
        /// Its place.
        index: LeafIndex,
        /// The rule.
        violation: Box<Violation>,
    },
}

/// The files of seen proofs, so many as a person reads.
fn named(proofs: &[(LeafIndex, StatementId)]) -> String {
    const MOST: usize = 20;
    let named = |(index, id): &(LeafIndex, StatementId)| format!("{} (entry {index})", Resource::SeenProof(*id));
    let mut names: Vec<String> = proofs.iter().take(MOST).map(named).collect();
    if let Some(more) = proofs.len().checked_sub(MOST).filter(|more| *more > 0) {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
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
    /// The lists that have ended by either.
    pub(crate) endings: Endings,
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

/// A statement whose seen proof is not as it was first.
struct Flawed {
    index: LeafIndex,
    id: StatementId,
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
    late: Vec<Flawed>,
    /// The statements that the operator has given up, since they break a rule by what others can learn.
    given_up: BTreeSet<LeafIndex>,
    /// Those that are not there, or damaged.
    absent: Vec<Flawed>,
    /// The size of the published tree, by its checkpoint.
    published: TreeSize,
    /// The latest time since when anything is known to be public.
    latest: Timestamp,
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

/// A statement that breaks a rule.
struct Broken {
    list: ListName,
    left_out: LeftOut,
}

impl Proofs {
    /// Takes up the next statement. Gives since when it is public, as far as anything says.
    fn take(&mut self, logged: &Logged) -> Option<Timestamp> {
        let Logged { index, seen, first, is_given_up, ref statement, .. } = *logged;
        self.given_up.extend(is_given_up.then_some(index));
        let (count, mut proven) = (self.lists.len(), None);
        let id = statement.id();
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
                    Some(first) if first < time => {
                        self.late.push(Flawed { index, id, list, is_remembered: true });
                    }
                    Some(first) if first == time => {}
                    _ => self.learned.push((index, time)),
                }
            }
            Seen::Unvouched => self.unvouched.push(index),
            Seen::Lost => self.absent.push(Flawed { index, id, list, is_remembered: first.is_some() }),
        }
        let is_charter = matches!(statement, Statement::Charter(_));
        self.shown.push(Shown { list, is_charter, since: proven });
        let since = proven.into_iter().chain(first).min();
        self.latest = self.latest.max(since.unwrap_or(Timestamp(0)));
        since
    }

    /// Where a statement stands, of which `since` is known or not; and if it is not, and the published tree shows that it was not in
    /// it, since when it can be public at the earliest. That is not before it was made, nor before what was witnessed already,
    /// whatever this machine's clock shows by now.
    fn place(&self, index: LeafIndex, statement: &Statement, since: Option<Timestamp>) -> (Place, Option<Timestamp>) {
        let created = match statement {
            Statement::Release(release) => release.body().created,
            Statement::Charter(_) | Statement::Attestation(_) => Timestamp(0),
        };
        let earliest = self.latest.max(created);
        let is_awaited = since.is_none() && self.published > TreeSize(0) && index.0 >= self.published.0;
        let public_since = since.unwrap_or_else(|| now().max(earliest));
        (Place { index, public_since }, is_awaited.then_some(earliest))
    }

    /// How many statements had a seen proof when the server ended: those of the published tree, and those that the log remembers.
    /// If it remembers not all of the first, its memory was lost, and proofs tell which trees were published. If there is neither a
    /// published tree nor any memory, it may have been all.
    fn had_proofs(&self) -> TreeSize {
        let is_whole = self.forgotten == 0 && self.published > TreeSize(0);
        let had = self.published.max(self.remembered);
        match (is_whole, had) {
            (true, _) => had,
            (false, TreeSize(0)) => TreeSize(self.shown.len() as u64),
            (false, _) => had.max(self.proven),
        }
    }

    /// The statements that had a seen proof and have none any more.
    fn lost(&self) -> impl Iterator<Item = &Flawed> {
        let had = self.had_proofs();
        self.absent.iter().filter(move |absent| absent.index.0 < had.0)
    }

    /// That nothing is made anew which others would read differently, and nothing was, but for what the operator has given up.
    /// `broken` are the statements that break a rule by all that is known; `as_shown` those that do by what others can learn, and
    /// not by that.
    fn check(&self, broken: &[Broken], as_shown: &[Broken]) -> Result<(), RecoveryError> {
        if let Some(&first) = self.unvouched.first() {
            return Err(RecoveryError::Unvouched { count: self.unvouched.len(), first });
        }
        let places = |flawed: &mut dyn Iterator<Item = &Flawed>| -> Vec<(LeafIndex, StatementId)> {
            flawed.map(|flawed| (flawed.index, flawed.id)).collect()
        };
        let refused = |lost, Broken { list, left_out }: &Broken| {
            let (index, violation) = (left_out.index, Box::new(left_out.violation.clone()));
            RecoveryError::Lost { lost, list: list.clone(), index, violation }
        };
        // What the log has forgotten may be why a statement of the same list breaks a rule.
        for broken in broken {
            let because = |lost: &&Flawed| lost.index < broken.left_out.index && !lost.is_remembered;
            let lost = places(&mut self.lost().filter(|lost| self.is_of(&broken.list, lost)).filter(because));
            if !lost.is_empty() {
                return Err(refused(lost, broken));
            }
        }
        let Some(broken) = as_shown.iter().find(|broken| !self.given_up.contains(&broken.left_out.index)) else {
            return Ok(());
        };
        let of_list = |flawed: &&Flawed| self.is_of(&broken.list, flawed);
        let lost = places(&mut self.lost().filter(of_list));
        if lost.is_empty() {
            let Broken { list, left_out: LeftOut { index, violation, .. } } = broken;
            let (list, index, violation) = (list.clone(), *index, Box::new(violation.clone()));
            return Err(RecoveryError::Late {
                late: places(&mut self.late.iter().filter(of_list)),
                list,
                index,
                violation,
            });
        }
        Err(refused(lost, broken))
    }

    fn is_of(&self, list: &ListName, flawed: &Flawed) -> bool {
        self.lists.get(list) == Some(&flawed.list)
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
            let (count, first) = (self.late.len(), first.index);
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
    let checkpoint = log.published().ok().flatten();
    let published = checkpoint.as_ref().map_or(TreeSize(0), |published| published.checkpoint().size);
    let times = checkpoint.and_then(|published| policy.checkpoint_times(published.note()).ok().flatten());
    let known_since = times.map_or(Timestamp(0), |times| times.earliest);
    let (mut history, mut unseen) = (History::new(log.key().name()), BTreeSet::new());
    let (mut proofs, mut broken) = (Proofs { published, latest: known_since, ..Proofs::default() }, Vec::new());
    let read = |index, entry: Vec<u8>| Logged::read(log, policy, firsts, index, &entry);
    log.replay(read, |logged: Logged| {
        let since = proofs.take(&logged);
        let Logged { index, statement, seen, is_public, .. } = logged;
        if !(matches!(seen, Seen::Since { .. }) && is_public) {
            unseen.insert(index);
        }
        let placed = proofs.place(index, &statement, since);
        if let Some(left_out) = record(&mut history, statement, placed) {
            // It was admitted by this server's clock, and the witnesses' say otherwise, or the rules were stricter since.
            let LeftOut { id, violation, .. } = &left_out.left_out;
            tracing::warn!(%index, %id, %violation, "a logged statement breaks a rule; everybody leaves it out");
            broken.push(left_out);
        }
        Ok::<_, RecoveryError>(())
    })?;
    let as_shown = proofs.differ().then(|| judge_as_shown(log, &proofs, &history)).transpose()?;
    let (as_shown, broken_as_shown) = as_shown.unzip();
    let broken_as_shown: Vec<Broken> = broken_as_shown.unwrap_or_default();
    match seen_proofs {
        SeenProofs::Keep => proofs.check(&broken, &broken_as_shown)?,
        SeenProofs::Renew => {
            tracing::warn!(
                "`seen_proofs = \"renew\"` is set: no seen proof that is lost keeps the log from starting. Set \"keep\" again after this start"
            );
            firsts.give_up(&broken_as_shown.iter().map(|broken| broken.left_out.index).collect())?;
        }
    }
    let mut endings = Endings::default();
    broken.iter().for_each(|broken| endings.note(&broken.list, &broken.left_out, &history));
    if let Some(AsShown { history, .. }) = &as_shown {
        broken_as_shown.iter().for_each(|broken| endings.note(&broken.list, &broken.left_out, history));
    }
    proofs.warn();
    firsts.remember(&proofs.learned)?;
    Ok(Recovered { history, as_shown, endings, unseen })
}

/// Takes up the next logged statement, if it keeps the rules; else says which it breaks. One that was admitted and never published is
/// judged once its witnesses have said since when it is public: it is enough that there may be such a time, from `awaited` on.
fn record(history: &mut History, statement: Statement, (place, awaited): (Place, Option<Timestamp>)) -> Option<Broken> {
    let (list, id, series) = (statement.list().clone(), statement.id(), Series::of(&statement));
    let again = awaited.map(|earliest| (statement.clone(), [earliest, AT_LAST]));
    let violation = history.record(statement, place).err()?;
    if let Some((statement, times)) = again
        && times.into_iter().any(|time| history.record_as_if(statement.clone(), place, time).is_ok())
    {
        return None;
    }
    let left_out = LeftOut { index: place.index, id, series, violation };
    Some(Broken { list, left_out })
}

/// Judges everything by what others can learn of its time, once lost seen proofs are made anew: the history that they read, and
/// the statements that break a rule by it, and by what is `known` do not. `proofs` has what each statement's own proof says.
///
/// Others read no proofs but those of editions, and of the release that they judge: what covers an edition covers those before
/// it, and what covers a release covers the editions before that.
fn judge_as_shown(log: &Log, proofs: &Proofs, known: &History) -> Result<(AsShown, Vec<Broken>), RecoveryError> {
    let mut shown = proofs.shown.clone();
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
        let since = times.next().and_then(|shown| shown.since);
        let placed = proofs.place(index, &statement, since);
        let was_taken = known.has_taken(&statement, index);
        let verdict = record(&mut history, statement, placed);
        broken.extend(verdict.filter(|_| was_taken));
        Ok::<_, RecoveryError>(())
    })?;
    Ok((AsShown { history, settled }, broken))
}

/// Whether a statement has a file of its own. A damaged one is mended: it would be served.
fn is_public(log: &Log, id: StatementId, entry: &[u8]) -> Result<bool, FileError> {
    let file = Resource::Statement(id);
    match log.public().read_mendable(&file)? {
        Mendable::Missing => Ok(false),
        Mendable::File(bytes) if bytes == entry => Ok(true),
        Mendable::File(_) | Mendable::Damaged => {
            // It was published, and the tree says what it is.
            log.public().write_proven(&[(file, entry)])?;
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
    let Mendable::File(bytes) = log.public().read_mendable(&Resource::SeenProof(*id))? else { return Ok(Seen::Lost) };
    let Some(proof) = TlogProof::parse(&bytes).ok().filter(|proof| proof.index == index) else { return Ok(Seen::Lost) };
    Ok(match proof.verify(entry, log.key(), policy) {
        Ok(times) => Seen::Since { time: times.earliest, tree: proof.checkpoint.checkpoint().size },
        Err(TlogProofError::NoQuorum) => Seen::Unvouched,
        Err(_) => Seen::Lost,
    })
}
