//! Every entry of the log, judged by the rules in log order; and, for each that breaks one, who answers for it.
//!
//! After a statement that breaks a rule, those that build on it can't be judged: they are noted as such, not blamed. One against
//! which times alone speak is taken up all the same, as long as nothing proves that it breaks a rule: so that what comes after it
//! is judged, and whoever withholds a proof hides no breach by that.

mod blame;
mod findings;
mod left_out;
mod second;
mod times;
mod words;

pub use left_out::{LeftOut, LeftOutRemovals};
pub(crate) use second::number_of;
pub(crate) use words::{UNREADABLE, is_known};

use crate::finding::Finding;
use crate::kept::{AllRecent, History};
use findings::{Findings, MAX_FINDINGS};
use isonomy_core::hash::StatementId;
use isonomy_core::note::VerifierKey;
use isonomy_core::release::Release;
use isonomy_core::rules::releases::Place;
use isonomy_core::rules::{Series, Violation};
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use second::{Number, SignedTexts};
use std::collections::{BTreeMap, BTreeSet};
use times::Times;

/// What the log says, as far as it was read.
#[derive(Debug)]
pub(crate) struct Audit {
    log: VerifierKey,
    history: History,
    /// The newest statements of each list, whole.
    recent: AllRecent,
    next: LeafIndex,
    /// Statements that broke a rule, or build on one that did, or of which that can't be told.
    refused: BTreeMap<StatementId, Base>,
    /// Where texts stand that may be statements of a later format.
    unread: BTreeMap<StatementId, LeafIndex>,
    /// Releases among these, by list.
    left_out: BTreeMap<ListName, Vec<LeftOut>>,
    /// Where statements stand that were taken up although times speak against them.
    open: BTreeSet<LeafIndex>,
    /// Of each number of which texts were refused that have all signatures that they need: the first of these.
    signed: BTreeMap<Number, SignedTexts>,
    /// Texts that were refused, and beside which another one has the same number.
    rivals: BTreeSet<StatementId>,
    /// Where editions of charters stand.
    editions: BTreeSet<LeafIndex>,
    times: Times,
    findings: Findings,
}

/// A statement that was not accepted.
#[derive(Clone, Debug)]
struct Base {
    index: LeafIndex,
    /// Of what it is a text, if that may have one alone.
    number: Option<Number>,
    /// Whether it may have kept the rules all the same: what speaks against it are times alone, or it builds on such a one, and
    /// it could not be taken up.
    is_open: bool,
    /// Whether it was compared with others of its number: it has all signatures that it needs.
    is_signed: bool,
}

/// What came of judging a statement.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It keeps the rules.
    Kept,
    /// It breaks one, unless it was public at another time.
    Refused(Box<Refused>),
    /// It builds on one of which that can't be told, so this can't, either. Noted already.
    NotJudged(Box<Refused>),
    /// It builds on one that breaks a rule. Noted already.
    Baseless,
}

/// A statement that broke a rule.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) statement: Statement,
    pub(crate) index: LeafIndex,
    pub(crate) public_since: Timestamp,
    pub(crate) violation: Violation,
    /// Where the text stands, with its signatures, beside which this one is a second: if not where it was logged first.
    pub(crate) beside: Option<LeafIndex>,
}

impl Audit {
    /// Nothing read yet, of the log with this key.
    pub(crate) fn new(log: &VerifierKey) -> Self {
        Self {
            log: log.clone(),
            history: History::keeping(log.name()),
            recent: AllRecent::default(),
            next: LeafIndex(0),
            refused: BTreeMap::new(),
            unread: BTreeMap::new(),
            left_out: BTreeMap::new(),
            open: BTreeSet::new(),
            signed: BTreeMap::new(),
            rivals: BTreeSet::new(),
            editions: BTreeSet::new(),
            times: Times::default(),
            findings: Findings::default(),
        }
    }

    /// The entry that is to be read next.
    pub(crate) fn next(&self) -> LeafIndex {
        self.next
    }

    /// What keeps the rules.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// The newest statements that keep the rules, whole.
    pub(crate) fn recent(&self) -> &AllRecent {
        &self.recent
    }

    /// Where editions of charters stand.
    pub(crate) fn editions(&self) -> &BTreeSet<LeafIndex> {
        &self.editions
    }

    /// What was found.
    pub(crate) fn findings(&self) -> &[Finding] {
        self.findings.kept()
    }

    /// How many findings there was no room for.
    pub(crate) fn omitted(&self) -> usize {
        self.findings.omitted().values().sum()
    }

    /// How many of them are about this list.
    pub(crate) fn omitted_about(&self, list: &ListName) -> usize {
        self.findings.omitted().get(&Some(list.clone())).copied().unwrap_or_default()
    }

    /// Whether this text was read before.
    pub(crate) fn knows(&self, id: &StatementId) -> bool {
        self.history.index_of(id).is_some()
    }

    /// Since when an entry that was read is public.
    pub(crate) fn public_since(&self, index: LeafIndex) -> Timestamp {
        self.times.since(index)
    }

    /// The entry whose proof shows since when this one is public, at the latest: what covers that covers this, too.
    pub(crate) fn shown_by(&self, index: LeafIndex) -> Option<LeafIndex> {
        self.times.shown_by(index)
    }

    /// How many of the entries that were read are public since this time or before.
    pub(crate) fn size_at(&self, time: Timestamp) -> TreeSize {
        self.times.first_after(time).map_or(TreeSize(self.next.0), |first| TreeSize(first.0))
    }

    /// The same of an entry further on, where those between are not known: a file shows some of a log.
    pub(crate) fn record_at(&mut self, index: LeafIndex, statement: Statement, public_since: Timestamp) -> Verdict {
        self.next = index;
        self.record(statement, public_since)
    }

    /// The next entry is this statement, public since then.
    pub(crate) fn record(&mut self, statement: Statement, public_since: Timestamp) -> Verdict {
        let index = self.next;
        self.next = LeafIndex(index.0 + 1);
        if matches!(statement, Statement::Charter(_)) {
            self.editions.insert(index);
        }
        let is_proven = !self.knows(&statement.id());
        if let Some(first) = self.times.push(index, public_since, is_proven) {
            self.history.set_public_since_from(first, public_since);
        }
        self.note_late_draft(&statement, index, public_since);
        let Err(violation) = self.history.record(statement.clone(), Place { index, public_since }) else {
            self.take_up(statement, index);
            return Verdict::Kept;
        };
        let builds_on = self.base_of(&statement);
        let refused = Box::new(Refused { statement, index, public_since, violation, beside: None });
        let is_open = builds_on.as_ref().is_some_and(|base| base.is_open);
        if !matches!(refused.violation, Violation::AlreadyLogged { .. }) {
            // What is not judged by itself is compared all the same: two texts are two, whatever they build on.
            let is_signed = builds_on.is_none() && matches!(refused.violation, Violation::Equivocation { .. });
            let id = refused.statement.id();
            // A log can have one text any number of times.
            if let Statement::Release(release) = &refused.statement
                && !self.refused.contains_key(&id)
            {
                self.note_left_out(release, index);
            }
            let number = number_of(&refused.statement);
            self.refused.entry(id).or_insert(Base { index, number, is_open, is_signed });
        }
        let Some(base) = builds_on else { return Verdict::Refused(refused) };
        self.note_follower(&refused.statement, index, base);
        if is_open { Verdict::NotJudged(refused) } else { Verdict::Baseless }
    }

    /// What a statement builds on, so that it is not judged by itself: no client uses what cites as its charter, or an attestation as its
    /// release, what is refused, or may be of a later format. A client that has no version yet does not look at the release before, and a
    /// log can put anything in its place: that has to be the version before, signed as it must be.
    fn base_of(&self, statement: &Statement) -> Option<Base> {
        let needed = match statement {
            Statement::Charter(edition) => edition.body().previous,
            Statement::Release(release) => Some(release.body().charter),
            Statement::Attestation(attestation) => Some(attestation.body().release),
        };
        let unread = |id| {
            self.unread.get(&id).map(|index| Base { index: *index, number: None, is_open: true, is_signed: false })
        };
        needed
            .and_then(|id| self.refused.get(&id).cloned().or_else(|| unread(id)))
            .or_else(|| self.version_before(statement))
    }

    /// The version before a release, if it was refused and has all signatures that it needs.
    fn version_before(&self, statement: &Statement) -> Option<Base> {
        let Statement::Release(release) = statement else { return None };
        let Release { list, version, previous, .. } = release.body();
        let before = Some((list.clone(), Series::Version, version.checked_sub(1)?));
        self.refused.get(&(*previous)?).filter(|base| base.is_signed && base.number == before).cloned()
    }

    /// Where an entry stands that may be of a later format, and that a release has in the place of the version before.
    pub(crate) fn unread_before(&self, statement: &Statement) -> Option<LeafIndex> {
        let Statement::Release(release) = statement else { return None };
        self.unread.get(&release.body().previous?).copied()
    }

    fn take_up(&mut self, statement: Statement, index: LeafIndex) {
        if matches!(statement, Statement::Release(_)) {
            self.findings.note_in_use(statement.list());
        }
        self.recent.take(statement, index, &self.history);
    }

    /// Takes up a statement against which times alone speak, if it keeps the rules at another time, since nothing proves that it
    /// breaks one. The error is what it breaks then; without one, no other time is known.
    pub(crate) fn leave_open(&mut self, refused: &Refused) -> Result<(), Option<Violation>> {
        let Refused { statement, index, public_since, .. } = refused;
        let place = Place { index: *index, public_since: *public_since };
        let (id, mut breaks) = (statement.id(), None);
        for time in self.times_at_which_it_holds(refused) {
            match self.history.record_as_if(statement.clone(), place, time) {
                Err(violation) => breaks = Some(violation),
                Ok(()) => {
                    let noted = self.refused.remove(&id).map_or(*index, |base| base.index);
                    self.take_back_left_out(statement.list(), noted);
                    self.open.insert(*index);
                    self.take_up(statement.clone(), *index);
                    return Ok(());
                }
            }
        }
        let is_open = breaks.as_ref().is_none_or(|violation| self.rests_on_times(statement, violation).is_some());
        if let Some(base) = self.refused.get_mut(&id) {
            base.is_open = is_open;
        }
        Err(breaks)
    }

    /// What builds on this refused statement can't be judged, since times alone speak against it.
    pub(crate) fn leave_unjudged(&mut self, id: &StatementId) {
        if let Some(base) = self.refused.get_mut(id) {
            base.is_open = true;
        }
    }

    /// The times at which a statement might keep the rules, if it does not at its own.
    fn times_at_which_it_holds(&self, Refused { statement, public_since, .. }: &Refused) -> Vec<Timestamp> {
        let Some(list) = self.history.list(statement.list()) else { return Vec::new() };
        match statement {
            Statement::Release(release) => {
                let edition = list.editions().find(&release.body().charter);
                let in_force = edition.map_or(*public_since, |edition| edition.in_force_since());
                vec![in_force.max(release.body().created).max(*public_since)]
            }
            Statement::Charter(_) => {
                list.editions().all().iter().rev().map(|edition| edition.in_force_since()).collect()
            }
            Statement::Attestation(_) => Vec::new(),
        }
    }

    /// Whether a statement was taken up, or left unjudged, of which it can't be told whether it keeps the rules.
    pub(crate) fn is_open(&self, id: &StatementId, index: LeafIndex) -> bool {
        self.open.contains(&index) || self.refused.get(id).is_some_and(|base| base.is_open)
    }

    /// Where the statements of a list stand of which it can't be told whether they keep the rules, since times alone speak
    /// against them or what they build on: as far as there is room for what is found about them.
    pub(crate) fn undecided(&self, list: &ListName) -> BTreeSet<LeafIndex> {
        let refused = self.refused.values().filter(|base| base.is_open).map(|base| base.index);
        let open: BTreeSet<LeafIndex> = self.open.iter().copied().chain(refused).collect();
        let about = self.findings().iter().filter(|found| found.list.as_ref() == Some(list));
        about.filter_map(|found| found.index).filter(|index| open.contains(index)).collect()
    }

    pub(crate) fn note(&mut self, finding: Finding) {
        // Anybody can write any name of a list into what is refused: a list has a charter.
        let is_list = |name: &ListName| self.history.list(name).is_some_and(|list| list.editions().newest().is_some());
        let owner = finding.list.clone().filter(is_list);
        self.findings.push(finding, owner, MAX_FINDINGS);
    }
}
