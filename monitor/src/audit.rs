//! Every entry of the log, judged by the rules in log order; and, for each that breaks one, who answers for it.
//!
//! After a statement that breaks a rule, those that build on it can't be judged: they are noted as such, not blamed. One against
//! which times alone speak is taken up all the same, as long as nothing proves that it breaks a rule: so that what comes after it
//! is judged, and whoever withholds a proof hides no breach by that.

use crate::finding::{Answerable, Finding, Role, Severity};
use crate::kept::{AllRecent, History, ListHistory};
use crate::units;
use isonomy_core::attestation::Attestation;
use isonomy_core::charter::Charter;
use isonomy_core::hash::StatementId;
use isonomy_core::note::VerifierKey;
use isonomy_core::release::Release;
use isonomy_core::rules::releases::Place;
use isonomy_core::rules::{MAX_CLOCK_DIFFERENCE, Rule, Series, Violation, signatures};
use isonomy_core::statement::{ListName, Signed, Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use std::collections::{BTreeMap, BTreeSet};

/// The most findings that are remembered: the gravest, and of those the first. Further ones are counted.
const MAX_FINDINGS: usize = 2000;

/// The finding that it can't be told whether a statement keeps the rules.
const NOT_JUDGED: &str = "not-judged";
/// How many entries a finding names.
const NAMED: usize = 5;

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

/// What may have one text: a version or an edition of a list.
pub(crate) type Number = (ListName, Series, u64);

/// A statement that was not accepted.
#[derive(Clone, Copy, Debug)]
struct Base {
    index: LeafIndex,
    /// Whether it may have kept the rules all the same: what speaks against it are times alone, or it builds on such a one, and
    /// it could not be taken up.
    is_open: bool,
    /// Whether it was compared with others of its number: it has all signatures that it needs.
    is_signed: bool,
}

/// A text that has all signatures that it needs, and where it stands with them: a log may have it without them, too.
#[derive(Clone, Copy, Debug)]
struct SignedText {
    id: StatementId,
    index: LeafIndex,
    /// Whether the charter by which it is signed was taken up. A log can write any other by itself.
    is_founded: bool,
}

/// Texts of one number that were refused and have all signatures that they need.
#[derive(Debug)]
struct SignedTexts {
    /// The first by a charter that was taken up; without one, the first.
    first: SignedText,
    /// The first by each charter.
    by_charter: BTreeMap<Option<StatementId>, SignedText>,
}

impl SignedTexts {
    fn new(charter: Option<StatementId>, first: SignedText) -> Self {
        Self { first, by_charter: BTreeMap::from([(charter, first)]) }
    }

    fn take(&mut self, charter: Option<StatementId>, text: SignedText) {
        self.by_charter.entry(charter).or_insert(text);
        if text.is_founded && !self.first.is_founded {
            self.first = text;
        }
    }

    /// The one beside which a text shows the most: it is by the same charter, or by another that its signers know.
    fn beside(&self, charter: Option<StatementId>) -> SignedText {
        self.by_charter.get(&charter).copied().unwrap_or(self.first)
    }
}

/// What was found, as far as there is room.
#[derive(Debug, Default)]
struct Findings {
    kept: Vec<Finding>,
    /// How many of each severity there was no room for.
    omitted: BTreeMap<Severity, usize>,
}

impl Findings {
    /// Takes a finding. If there are `most` already, one of the least grave goes for it, or it is itself the one.
    fn push(&mut self, finding: Finding, most: usize) {
        let least = self.kept.iter().map(|kept| kept.severity).max();
        let omitted = match least.filter(|_| self.kept.len() >= most) {
            None => return self.kept.push(finding),
            Some(least) if finding.severity < least => {
                if let Some(at) = self.kept.iter().rposition(|kept| kept.severity == least) {
                    self.kept.remove(at);
                }
                self.kept.push(finding);
                least
            }
            Some(_) => finding.severity,
        };
        *self.omitted.entry(omitted).or_default() += 1;
    }
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
        &self.findings.kept
    }

    /// How many findings of each severity there was no room for.
    pub(crate) fn omitted(&self) -> &BTreeMap<Severity, usize> {
        &self.findings.omitted
    }

    /// Whether this text was read before.
    pub(crate) fn knows(&self, id: &StatementId) -> bool {
        self.history.index_of(id).is_some()
    }

    /// Since when an entry that was read is public.
    pub(crate) fn public_since(&self, index: LeafIndex) -> Timestamp {
        self.times.since(index)
    }

    /// How many of the entries that were read are public since this time or before.
    pub(crate) fn size_at(&self, time: Timestamp) -> TreeSize {
        self.times.first_after(time).map_or(TreeSize(self.next.0), |first| TreeSize(first.0))
    }

    /// The next entry is no statement, or none that is known here: the finding that this is.
    pub(crate) fn skip(&mut self, entry: &[u8], error: &StatementError) -> Finding {
        let index = self.next;
        let subject = format!("entry {index}");
        let finding = match Statement::form_of(entry) {
            Some(kind) if [Charter::KIND, Release::KIND, Attestation::KIND].contains(&kind.as_str()) => {
                let words = format!(
                    "Entry {index} of the log has the form of a statement, {kind}, which this monitor knows, and is not as that must be ({error}). A log that keeps the rules admits none such, and no client that knows this form uses it."
                );
                Finding::new(Severity::Warning, "unreadable-statement", subject, words)
            }
            Some(kind) => {
                let words = format!(
                    "Entry {index} of the log has the form of a statement, {kind}, and this monitor can't read it ({error}). It may be of a later format: a newer monitor can tell. If it is of none, the log admitted what breaks the rules. No client that can't read it uses it."
                );
                Finding::new(Severity::Warning, "unreadable-statement", subject, words)
            }
            None => {
                let words = format!(
                    "Entry {index} of the log is not a statement ({error}). A log that keeps the rules admits none such, and no client accepts it."
                );
                let finding = Finding::new(Severity::Breach, "not-a-statement", subject, words);
                finding.answered_by(vec![Answerable::log(&self.log)])
            }
        };
        self.next = LeafIndex(index.0 + 1);
        Finding { index: Some(index), ..finding }
    }

    /// The next entry is this statement, public since then.
    pub(crate) fn record(&mut self, statement: Statement, public_since: Timestamp) -> Verdict {
        let index = self.next;
        self.next = LeafIndex(index.0 + 1);
        if matches!(statement, Statement::Charter(_)) {
            self.editions.insert(index);
        }
        if let Some(first) = self.times.push(index, public_since) {
            self.history.set_public_since_from(first, public_since);
        }
        self.note_late_draft(&statement, index, public_since);
        let Err(violation) = self.history.record(statement.clone(), Place { index, public_since }) else {
            self.recent.take(statement, index, &self.history);
            return Verdict::Kept;
        };
        let builds_on = cited(&statement).into_iter().find_map(|id| self.refused.get(&id).copied());
        let refused = Box::new(Refused { statement, index, public_since, violation, beside: None });
        let is_open = builds_on.is_some_and(|base| base.is_open);
        if !matches!(refused.violation, Violation::AlreadyLogged { .. }) {
            let is_signed = matches!(refused.violation, Violation::Equivocation { .. });
            self.refused.entry(refused.statement.id()).or_insert(Base { index, is_open, is_signed });
        }
        let Some(base) = builds_on else { return Verdict::Refused(refused) };
        self.note_follower(&refused.statement, index, base);
        if is_open { Verdict::NotJudged(refused) } else { Verdict::Baseless }
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
                    self.refused.remove(&id);
                    self.open.insert(*index);
                    self.recent.take(statement.clone(), *index, &self.history);
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

    /// Whether the text that was judged just now must be compared by [`Self::second_text`]: it was refused, or one of the same
    /// number was. One that was logged without its signatures before is compared where it has them.
    pub(crate) fn is_to_compare(&self, id: &StatementId, number: &Number, index: LeafIndex) -> bool {
        match self.refused.get(id) {
            Some(refused) => !refused.is_signed,
            None => self.history.index_of(id) == Some(index) && self.signed.contains_key(number),
        }
    }

    /// Rule 1: compares a text that was judged just now with the one that was taken up for the same number, or else the first
    /// that was refused. Some client may have used that: whether a text keeps the rules is judged by proofs, and the log chooses
    /// who is shown which. `charter` is what it cites; of an edition, the one before it.
    pub(crate) fn second_text(
        &mut self,
        statement: Statement,
        (number, index): (Number, LeafIndex),
        charter: Option<&Signed<Charter>>,
    ) -> Option<Refused> {
        if !is_signed(&statement, charter, self.log.name()) {
            return None;
        }
        let (second, taken_up) = (statement.id(), self.taken_up(&number));
        let (first, beside) = match taken_up {
            Some(first) if first != second => (Some(first), None),
            _ => {
                let signed = self.signed.get(&number).map(|texts| texts.beside(charter.map(Signed::id)));
                signed.map(|first| (first.id, first.index)).unzip()
            }
        };
        self.remember_signed(&number, (second, index), charter);
        let first = first.filter(|first| *first != second)?;
        self.rivals.extend([first, second].into_iter().filter(|id| self.refused.contains_key(id)));
        let (_, series, number) = number;
        let violation = Violation::Equivocation { series, number, first, second };
        Some(Refused { statement, index, public_since: self.times.since(index), violation, beside })
    }

    /// Remembers a text that has all signatures that it needs, for those that come after it, if it was refused.
    fn remember_signed(
        &mut self,
        number: &Number,
        (id, index): (StatementId, LeafIndex),
        charter: Option<&Signed<Charter>>,
    ) {
        let Some(base) = self.refused.get_mut(&id) else { return };
        base.is_signed = true;
        let charter = charter.map(Signed::id);
        let editions = self.history.list(&number.0).map(ListHistory::editions);
        let is_founded = charter.is_none_or(|id| editions.is_some_and(|editions| editions.find(&id).is_some()));
        let text = SignedText { id, index, is_founded };
        match self.signed.get_mut(number) {
            Some(texts) => texts.take(charter, text),
            None => drop(self.signed.insert(number.clone(), SignedTexts::new(charter, text))),
        }
    }

    /// The text that was taken up for a number.
    fn taken_up(&self, (list, series, number): &Number) -> Option<StatementId> {
        let list = self.history.list(list)?;
        match series {
            Series::Version => list.version(*number).map(|logged| logged.id),
            Series::Edition => {
                list.editions().all().iter().find(|edition| edition.number() == *number).map(|edition| edition.id())
            }
        }
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

    /// Whether a statement was refused beside which another text has the same number.
    pub(crate) fn is_rival(&self, id: &StatementId) -> bool {
        self.rivals.contains(id)
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
        self.findings.push(finding, MAX_FINDINGS);
    }

    fn note_follower(&mut self, statement: &Statement, index: LeafIndex, Base { index: base, is_open, .. }: Base) {
        let what = describe(statement);
        let words = match is_open {
            true => format!(
                "Entry {index} is {what}. It builds on entry {base}, of which this monitor can't tell yet whether it keeps the rules, so it isn't judged either."
            ),
            false => format!(
                "Entry {index} is {what}. It builds on entry {base}, which breaks a rule or builds on one that does, so it can't be judged."
            ),
        };
        let subject = format!("statement {}", statement.id());
        let (severity, code) = match is_open {
            true => (Severity::Warning, NOT_JUDGED),
            false => (Severity::Notice, "builds-on-breach"),
        };
        let finding = Finding::new(severity, code, subject, words).under(Rule::Chain);
        self.note(finding.in_list(statement.list()).about(&statement.id(), index));
    }

    /// Rule 2: a release is admitted within a day. When it was admitted, the log alone knows; what is witnessed is when
    /// it became public, so this is an observation.
    fn note_late_draft(&mut self, statement: &Statement, index: LeafIndex, public_since: Timestamp) {
        let Statement::Release(release) = statement else { return };
        if let Err(violation @ Violation::StaleDraft { .. }) = signatures::admissible_at(release.body(), public_since) {
            let what = describe(statement);
            let words = format!(
                "Entry {index} is {what}, and became public late. {}.",
                units::sentence(&violation.to_string())
            );
            let subject = format!("statement {}", statement.id());
            let finding = Finding::new(Severity::Warning, violation.code(), subject, words).under(violation.rule());
            self.note(finding.in_list(statement.list()).about(&statement.id(), index));
        }
    }

    /// The finding that nobody can tell yet whether a refused statement keeps the rules, since nobody shows the seen proofs of
    /// these entries.
    pub(crate) fn finding_without(&self, refused: &Refused, unproven: &BTreeSet<LeafIndex>) -> Finding {
        let Refused { statement, index, violation, .. } = refused;
        let entries: Vec<String> = unproven.iter().take(NAMED).map(LeafIndex::to_string).collect();
        let words = format!(
            "Entry {index} is {}. Whether it keeps {} was not judged: that depends on since when it and what it builds on are public, and nobody shows the seen proof of {} {}{}.{}",
            describe(statement),
            violation.rule(),
            if entries.len() == 1 { "entry" } else { "entries" },
            entries.join(", "),
            if unproven.len() > NAMED { " and others" } else { "" },
            if self.open.contains(index) { " What comes after it is judged as if it kept the rules." } else { "" }
        );
        let subject = format!("statement {}", statement.id());
        let finding = Finding::new(Severity::Warning, NOT_JUDGED, subject, words).under(violation.rule());
        finding.in_list(statement.list()).about(&statement.id(), *index)
    }

    /// The finding that a refused statement is, as far as the log alone shows it.
    pub(crate) fn finding(&self, refused: &Refused) -> Finding {
        let Refused { statement, index, violation, .. } = refused;
        let rule = violation.rule();
        let (what, why) = (describe(statement), units::sentence(&violation.to_string()));
        let subject = format!("statement {}", statement.id());
        let (severity, words) = match self.rests_on_times(statement, violation) {
            Some(times) => {
                let words = format!(
                    "Entry {index} is {what}. By the times known here, it does not keep {rule}. {why}. {times}"
                );
                (Severity::Warning, words)
            }
            None => (Severity::Breach, breach_words(refused)),
        };
        // Of what is not proven, nobody is named.
        let answerable = if severity == Severity::Breach { self.answerable(statement, violation) } else { Vec::new() };
        Finding::new(severity, violation.code(), subject, words)
            .under(rule)
            .in_list(statement.list())
            .about(&statement.id(), *index)
            .answered_by(answerable)
    }

    /// What a violation rests on, if it would be none at other times: clocks of witnesses, and proofs that the log chose,
    /// convict nobody by themselves.
    pub(crate) fn rests_on_times(&self, statement: &Statement, violation: &Violation) -> Option<String> {
        let clocks = units::duration(MAX_CLOCK_DIFFERENCE);
        match (violation, statement) {
            // What proves this is a checkpoint from before the edition.
            (Violation::NoticeNotOver { .. }, _) => Some(format!(
                "This rests on when the log says that the edition became public; this monitor saw no checkpoint from before it that would prove it, where honest clocks may differ by {clocks}."
            )),
            (Violation::CreatedLate { .. }, _) => Some(
                "This rests on the clocks of whoever composed it and of witnesses, one of which may be wrong. A client that is shown this seen proof refuses it; one that is shown a later proof may use it."
                    .to_owned(),
            ),
            (violation, Statement::Charter(edition))
                if violation.rule() == Rule::Signatures && self.may_be_consented(edition) =>
            {
                Some("This rests on which edition was in force when it became public: on seen proofs, and the clocks of witnesses.".to_owned())
            }
            // So does whether a second text has all signatures that it needs; if it has in any case, a file proves that.
            (Violation::Equivocation { .. }, Statement::Charter(_)) => Some(
                "This rests on which edition was in force when it became public; no file proves it in any case.".to_owned(),
            ),
            _ => None,
        }
    }

    /// Whether an edition has the signatures that it needs if another edition before it was in force when it was logged.
    fn may_be_consented(&self, edition: &Signed<Charter>) -> bool {
        let Some(list) = self.history.list(&edition.body().list) else { return false };
        let earlier = list.editions().all().iter().take_while(|before| before.number() < edition.body().edition);
        let earlier: Vec<&Charter> = earlier.map(|before| before.charter()).collect();
        let Some(before) = earlier.last() else { return false };
        earlier.iter().any(|in_force| signatures::amendment(edition, before, in_force).is_ok())
    }

    /// Those of the log and the signers of a statement whom evidence names.
    pub(crate) fn named(&self, statement: &Statement, names: &[String]) -> Vec<Answerable> {
        let charter = self.charter_of(statement);
        let signers = charter.map(|charter| Answerable::signers(statement.note(), charter)).unwrap_or_default();
        let all = [Answerable::log(&self.log)].into_iter().chain(signers);
        all.filter(|answerable| names.contains(&answerable.key)).collect()
    }

    /// The log answers for what it admits, and where. Who signed answers for what breaks a rule by the text alone, under the
    /// charter that it cites: what comes before what, and what is left out, the log decides. What lacks signatures can't be laid at
    /// the door of those who did not give them. Who else is to blame, evidence tells.
    fn answerable(&self, statement: &Statement, violation: &Violation) -> Vec<Answerable> {
        let mut answerable = vec![Answerable::log(&self.log)];
        let is_by_order = matches!(violation, Violation::CreatedEarly { .. } | Violation::TooSoon { .. });
        if matches!(violation.rule(), Rule::Chain | Rule::Signatures) || is_by_order {
            return answerable;
        }
        match statement {
            Statement::Attestation(attestation) => {
                let auditor = attestation.body().auditor.clone();
                if attestation.note().verify(std::slice::from_ref(&auditor)).is_ok() {
                    let name = auditor.name().to_owned();
                    answerable.push(Answerable { role: Role::Auditor, key: name.clone(), name });
                }
            }
            other => {
                let charter = self.charter_of(other);
                answerable
                    .extend(charter.map(|charter| Answerable::signers(other.note(), charter)).unwrap_or_default());
            }
        }
        answerable
    }

    /// A charter by which the names of signers are known. Never the statement itself: whoever writes a charter can put
    /// any organisation's name beside a key of his own.
    fn charter_of(&self, statement: &Statement) -> Option<&Charter> {
        let editions = self.history.list(statement.list())?.editions();
        let edition = match statement {
            Statement::Charter(charter) => editions.find(charter.body().previous.as_ref()?),
            Statement::Release(release) => editions.find(&release.body().charter),
            Statement::Attestation(_) => None,
        };
        edition.map(|edition| edition.charter())
    }
}

/// Since when statements are public, in log order. What covers a statement covers those before it, so none is public
/// later than one after it, whatever the seen proofs say.
#[derive(Debug, Default)]
struct Times {
    /// Ascending times, each with the first entry that is public since then.
    groups: Vec<(Timestamp, LeafIndex)>,
}

impl Times {
    /// Adds the entry at `index`; gives the first of those before it that are therefore public since then, too.
    fn push(&mut self, index: LeafIndex, since: Timestamp) -> Option<LeafIndex> {
        let later = self.groups.partition_point(|(time, _)| *time <= since);
        let moved = self.groups.get(later).map(|(_, first)| *first);
        self.groups.truncate(later);
        if self.groups.last().is_none_or(|(time, _)| *time < since) {
            self.groups.push((since, moved.unwrap_or(index)));
        }
        moved
    }

    fn since(&self, index: LeafIndex) -> Timestamp {
        let groups = self.groups.iter().rev();
        groups.map(|(time, first)| (*first, *time)).find(|(first, _)| *first <= index).unwrap_or_default().1
    }

    /// The first entry that is public only later.
    fn first_after(&self, time: Timestamp) -> Option<LeafIndex> {
        self.groups.get(self.groups.partition_point(|(since, _)| *since <= time)).map(|(_, first)| *first)
    }
}

/// That a statement breaks a rule, whatever the time.
fn breach_words(Refused { statement, index, violation, .. }: &Refused) -> String {
    let why = units::sentence(&violation.to_string());
    format!("Entry {index} is {}. It breaks {}. {why}.", describe(statement), violation.rule())
}

/// What a statement is, in words.
fn describe(statement: &Statement) -> String {
    let list = statement.list();
    match statement {
        Statement::Charter(charter) => format!("edition {} of the charter of {list}", charter.body().edition),
        Statement::Release(release) => format!("version {} of {list}", release.body().version),
        Statement::Attestation(attestation) => {
            format!("an attestation about {list} by {}", attestation.body().auditor.name())
        }
    }
}

/// What a statement is the text of.
pub(crate) fn number_of(statement: &Statement) -> Option<Number> {
    match statement {
        Statement::Charter(edition) => Some((edition.body().list.clone(), Series::Edition, edition.body().edition)),
        Statement::Release(release) => Some((release.body().list.clone(), Series::Version, release.body().version)),
        Statement::Attestation(_) => None,
    }
}

/// Whether a text has all signatures that it needs under the charter that it cites, and counts in this log; of an edition, under
/// the one before it.
fn is_signed(statement: &Statement, charter: Option<&Signed<Charter>>, log: &str) -> bool {
    match (statement, charter) {
        (Statement::Release(release), Some(charter)) => {
            charter.body().log == log && signatures::release_under(release, charter).is_ok()
        }
        (Statement::Charter(edition), before) => {
            edition.body().log == log && signatures::edition_after(edition, before).is_ok()
        }
        _ => false,
    }
}

/// The statements that this one builds on.
fn cited(statement: &Statement) -> Vec<StatementId> {
    match statement {
        Statement::Charter(charter) => charter.body().previous.into_iter().collect(),
        Statement::Release(release) => release.body().previous.into_iter().chain([release.body().charter]).collect(),
        Statement::Attestation(attestation) => vec![attestation.body().release],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_findings_hide_no_breach() {
        let finding = |severity, number: usize| Finding::new(severity, "code", number.to_string(), "");
        let mut findings = Findings::default();
        (0..7).for_each(|number| findings.push(finding(Severity::Notice, number), 5));
        (7..9).for_each(|number| findings.push(finding(Severity::Warning, number), 5));
        (9..16).for_each(|number| findings.push(finding(Severity::Breach, number), 5));
        findings.push(finding(Severity::Notice, 16), 5);
        let kept: Vec<&str> = findings.kept.iter().map(|found| found.subject.as_str()).collect();
        assert_eq!(kept, ["9", "10", "11", "12", "13"]);
        let omitted = [(Severity::Breach, 2), (Severity::Warning, 2), (Severity::Notice, 8)];
        assert_eq!(findings.omitted, BTreeMap::from(omitted));
    }

    #[test]
    fn nothing_is_public_later_than_what_is_logged_after_it() {
        let mut times = Times::default();
        for (index, since, moved) in
            [(1, 10, None), (2, 30, None), (3, 20, Some(2)), (4, 20, None), (5, 40, None), (6, 15, Some(2))]
        {
            assert_eq!(times.push(LeafIndex(index), Timestamp(since)), moved.map(LeafIndex), "{index}");
        }
        assert_eq!(times.groups.iter().map(|(time, first)| (time.0, first.0)).collect::<Vec<_>>(), [(10, 1), (15, 2)]);
        assert_eq!([1, 2, 9].map(|index| times.since(LeafIndex(index)).0), [10, 15, 15]);
        assert_eq!(
            [9, 10, 15].map(|time| times.first_after(Timestamp(time))),
            [Some(LeafIndex(1)), Some(LeafIndex(2)), None]
        );
    }
}
