//! Rules 1, 3 and 4 for charters: the chain of editions of one list, and from when on each is in force.
//!
//! An edition is compared with every edition from the newest in force when it became public up to the one before it. If
//! it narrows against all of them it is in force at once; otherwise after the longest of their notices. So notice can't
//! be laundered through a pending edition.

use super::amendment::{narrows, widenings};
use super::releases::Place;
use super::{Series, Violation, signatures};
use crate::charter::Charter;
use crate::hash::StatementId;
use crate::statement::{ListName, Signed};
use crate::time::Timestamp;
use crate::tree::LeafIndex;
use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;

/// An edition in its place in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edition {
    charter: Signed<Charter>,
    index: LeafIndex,
    public_since: Timestamp,
    in_force_since: Timestamp,
    narrowing: bool,
    /// Whether it narrows the edition before it, whatever was in force then: no release after it may cite an older one.
    binding: bool,
}

impl Edition {
    /// The charter, signed.
    pub fn signed(&self) -> &Signed<Charter> {
        &self.charter
    }

    /// The charter.
    pub fn charter(&self) -> &Charter {
        self.charter.body()
    }

    /// Its identity.
    pub fn id(&self) -> StatementId {
        self.charter.id()
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.charter.body().edition
    }

    /// Its place in the log.
    pub fn index(&self) -> LeafIndex {
        self.index
    }

    /// Since when it is public, as witnessed.
    pub fn public_since(&self) -> Timestamp {
        self.public_since
    }

    /// Since when it is in force.
    pub fn in_force_since(&self) -> Timestamp {
        self.in_force_since
    }

    /// How long its notice was, in seconds; `None` if it narrows and so needed none.
    pub fn notice(&self) -> Option<u64> {
        (!self.narrowing).then(|| self.in_force_since.since(self.public_since))
    }
}

/// What would come of an edition that is not in the log yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prospect {
    /// From when on it would be in force.
    pub in_force_since: Timestamp,
    /// The numbers of the editions that it is compared with: the newest in force, and those after it that wait.
    pub compared: Vec<u64>,
    /// What it widens against these, in words; empty if it needs no notice.
    pub widenings: Vec<String>,
}

/// The editions of one list's charter in one log, from the first, without gaps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Editions {
    log: String,
    list: ListName,
    editions: Vec<Edition>,
}

impl Editions {
    /// No edition yet, of this list in the log with this origin.
    pub fn new(log: &str, list: &ListName) -> Self {
        Self { log: log.to_owned(), list: list.clone(), editions: Vec::new() }
    }

    /// The editions that a log shows, in its order: each with its place and since when it was proven to be public. What
    /// covers a later edition covers the earlier ones, so none counts as public later than its successors. On a violation,
    /// the edition that breaks the rule.
    pub fn of_logged(
        log: &str,
        list: &ListName,
        logged: Vec<(Signed<Charter>, LeafIndex, Timestamp)>,
    ) -> Result<Self, (StatementId, Violation)> {
        Self::of_dated(log, list, logged, |_| false)
    }

    /// The same where of some editions it is only known that they were public by then (`is_late`): nobody whose word counts here has seen
    /// them before. Such a time is no reason to take the next edition for one without consent. Where that has the consent of
    /// the edition before it, which by these times waits, it counts as public once that one is in force.
    pub fn of_dated(
        log: &str,
        list: &ListName,
        mut logged: Vec<(Signed<Charter>, LeafIndex, Timestamp)>,
        is_late: impl Fn(&StatementId) -> bool,
    ) -> Result<Self, (StatementId, Violation)> {
        for at in (1..logged.len()).rev() {
            logged[at - 1].2 = logged[at - 1].2.min(logged[at].2);
        }
        let mut editions = Self::new(log, list);
        // Of those whose time is late, and of those that were compared with one of them, also when they are in force.
        let mut late: Vec<bool> = Vec::new();
        for (charter, index, shown) in logged {
            let id = charter.id();
            let waits_late =
                editions.editions.iter().zip(&late).any(|(edition, late)| *late && edition.in_force_since > shown);
            let public_since = if waits_late { editions.consented_since(&charter, shown) } else { shown };
            editions.push(charter, index, public_since).map_err(|violation| (id, violation))?;
            late.push(waits_late || is_late(&id));
        }
        Ok(editions)
    }

    /// From when on an edition has the consent that it needs, if the times of those that wait are late.
    fn consented_since(&self, charter: &Signed<Charter>, public_since: Timestamp) -> Timestamp {
        let in_force = self.newest().map_or(public_since, Edition::in_force_since);
        let is_good = |at| self.judge_signatures(charter, at).is_ok();
        if in_force > public_since && !is_good(public_since) && is_good(in_force) { in_force } else { public_since }
    }

    /// The editions, ascending.
    pub fn all(&self) -> &[Edition] {
        &self.editions
    }

    /// The newest edition, in force or not.
    pub fn newest(&self) -> Option<&Edition> {
        self.editions.last()
    }

    /// The edition with this identity.
    pub fn find(&self, id: &StatementId) -> Option<&Edition> {
        self.editions.iter().find(|edition| edition.id() == *id)
    }

    /// The newest edition in force at `time`.
    pub fn in_force_at(&self, time: Timestamp) -> Option<&Edition> {
        self.editions.get(in_force_at(&self.editions, time)?)
    }

    /// Judges an edition that is, or would be, logged at `place`, without its signatures. They only tell, where its number
    /// is taken, whether it is a second text or nobody's: see [`Editions::judge_signatures`].
    pub fn judge_text(&self, charter: &Signed<Charter>, place: Place) -> Result<(), Violation> {
        let body = charter.body();
        if body.log != self.log {
            return Err(Violation::OtherLog { charter: body.log.clone(), log: self.log.clone() });
        }
        if body.list != self.list {
            return Err(Violation::OtherList { expected: self.list.clone(), found: body.list.clone() });
        }
        let expected = self.editions.len() as u64 + 1;
        if body.edition != expected {
            return Err(self.wrong_number(charter, expected, place.public_since));
        }
        let before = self.newest();
        if body.previous != before.map(Edition::id) || before.is_some_and(|before| before.index >= place.index) {
            return Err(Violation::PreviousMismatch { series: Series::Edition, number: expected });
        }
        if before.is_some_and(|before| before.charter().matching.algorithm != body.matching.algorithm) {
            return Err(Violation::AlgorithmChanged);
        }
        Ok(())
    }

    /// Judges the signatures of an edition that is public since `public_since`: the first one carries those of all whom it
    /// names; any other the consent of the edition before it, of the newest that was in force then, and its own (rules 2
    /// and 3). Of this chain the editions before it count, also where its number is taken: a second text is one if
    /// somebody who was shown it alone would take it for the edition.
    pub fn judge_signatures(&self, charter: &Signed<Charter>, public_since: Timestamp) -> Result<(), Violation> {
        let (expected, found) = (self.editions.len() as u64 + 1, charter.body().edition);
        let earlier = self.before_number(found);
        let earlier = earlier.ok_or(Violation::NotContiguous { series: Series::Edition, expected, found })?;
        let Some(before) = earlier.last() else { return signatures::first_edition(charter) };
        let in_force = in_force_at(earlier, public_since).and_then(|at| earlier.get(at)).unwrap_or(before);
        signatures::amendment(charter, earlier.iter().rev().map(Edition::charter), in_force.charter())
    }

    /// Judges an edition and appends it.
    pub fn push(
        &mut self,
        charter: Signed<Charter>,
        index: LeafIndex,
        public_since: Timestamp,
    ) -> Result<(), Violation> {
        self.judge_text(&charter, Place { index, public_since })?;
        self.judge_signatures(&charter, public_since)?;
        let (in_force_since, narrowing) = self.in_force_since(charter.body(), self.editions.len(), public_since);
        let binding = self.newest().is_none_or(|before| binds(before.charter(), charter.body()));
        self.editions.push(Edition { charter, index, public_since, in_force_since, narrowing, binding });
        Ok(())
    }

    /// Sets since when an edition is public, once that is witnessed, and with it from when on it and its successors are
    /// in force.
    pub fn set_public_since(&mut self, id: &StatementId, public_since: Timestamp) {
        let Some(changed) = self.editions.iter().position(|edition| edition.id() == *id) else {
            return;
        };
        self.editions[changed].public_since = public_since;
        for at in changed..self.editions.len() {
            let edition = &self.editions[at];
            let (since, narrowing) = self.in_force_since(edition.charter(), at, edition.public_since);
            self.editions[at].in_force_since = since;
            self.editions[at].narrowing = narrowing;
        }
    }

    /// The same editions, knowing that the statement at `index` is public since `public_since`: what covers it covers
    /// those before it, so none of them is public later.
    pub fn known_with(&self, index: LeafIndex, public_since: Timestamp) -> Cow<'_, Self> {
        let is_late = |edition: &&Edition| edition.index < index && edition.public_since > public_since;
        let late: Vec<StatementId> = self.editions.iter().filter(is_late).map(Edition::id).collect();
        let mut editions = Cow::Borrowed(self);
        for id in &late {
            editions.to_mut().set_public_since(id, public_since);
        }
        editions
    }

    /// The oldest edition that a release logged at `index` may cite: the newest before it that narrows the edition before
    /// itself (rule 1). It does not depend on times: whoever is shown later ones than others were, or can't verify the
    /// first ones any more, takes no release that cites an edition which was narrowed.
    pub fn oldest_citable(&self, index: LeafIndex) -> Option<&Edition> {
        self.editions.iter().rev().find(|edition| edition.binding && edition.index < index)
    }

    /// Judges an edition that asks to be logged at `at`: one that narrows a pending edition and widens the one in force
    /// would bind all releases and be in force only after its notice, so that none could be published before. Who drops a key
    /// may want that.
    pub fn judge_admission(&self, charter: &Charter, at: Timestamp) -> Result<(), Violation> {
        let Some(before) = self.newest().filter(|before| binds(before.charter(), charter)) else { return Ok(()) };
        if drops_a_key(before.charter(), charter) {
            // Better no release than one by a key that is lost.
            return Ok(());
        }
        match self.in_force_since(charter, self.editions.len(), at) {
            (_, true) => Ok(()),
            (until, false) => {
                Err(Violation::HoldsUpReleases { edition: charter.edition, pending: before.number(), until })
            }
        }
    }

    /// Judges the signatures of an edition that asks to be logged at `at`: beside those that it needs if it is public at once, the consent
    /// of every edition that waits. Any of them may be the one in force once the witnesses have seen it; without, it would break a
    /// rule, and its number would be taken.
    pub fn judge_consent(&self, charter: &Signed<Charter>, at: Timestamp) -> Result<(), Violation> {
        let waiting = self.compared_with(self.editions.len(), at);
        waiting.iter().try_for_each(|older| signatures::consents(older.charter(), charter))
    }

    /// What would come of this edition if it were logged at `place`, whoever has signed it; an error if it would not be admitted.
    pub fn foresee(&self, charter: &Signed<Charter>, place: Place) -> Result<Prospect, Violation> {
        self.judge_text(charter, place)?;
        self.judge_admission(charter.body(), place.public_since)?;
        let (at, public_since) = (self.editions.len(), place.public_since);
        Ok(Prospect {
            in_force_since: self.in_force_since(charter.body(), at, public_since).0,
            compared: self.compared_with(at, public_since).iter().map(Edition::number).collect(),
            widenings: self.widenings_against(charter.body(), at, public_since),
        })
    }

    /// What edition `id` widens against those that it was compared with, in words.
    pub fn widenings_of(&self, id: &StatementId) -> Vec<String> {
        let at = self.editions.iter().position(|edition| edition.id() == *id);
        let widenings = |at: usize| {
            let edition = &self.editions[at];
            self.widenings_against(edition.charter(), at, edition.public_since)
        };
        at.map(widenings).unwrap_or_default()
    }

    fn widenings_against(&self, charter: &Charter, at: usize, public_since: Timestamp) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for older in self.compared_with(at, public_since) {
            for widening in widenings(older.charter(), charter) {
                if !words.contains(&widening) {
                    words.push(widening);
                }
            }
        }
        words
    }

    /// From when on an edition at position `at` is in force, and whether it narrows against all that it is compared with.
    fn in_force_since(&self, charter: &Charter, at: usize, public_since: Timestamp) -> (Timestamp, bool) {
        let compared = self.compared_with(at, public_since);
        if compared.iter().all(|older| narrows(older.charter(), charter)) {
            return (public_since, true);
        }
        let notice = compared.iter().map(|older| older.charter().limits.notice).max().unwrap_or(0);
        (public_since.plus(notice), false)
    }

    /// The editions before position `at`, from the newest in force at `public_since`.
    fn compared_with(&self, at: usize, public_since: Timestamp) -> &[Edition] {
        let before = &self.editions[..at];
        &before[in_force_at(before, public_since).unwrap_or(0)..]
    }

    /// The editions of smaller number; `None` if some of them are missing.
    fn before_number(&self, number: u64) -> Option<&[Edition]> {
        self.editions.get(..usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// A number that is taken is equivocation if the newcomer carries the signatures that count.
    fn wrong_number(&self, charter: &Signed<Charter>, expected: u64, public_since: Timestamp) -> Violation {
        let (number, second) = (charter.body().edition, charter.id());
        let known = self.before_number(number).and_then(|before| self.editions.get(before.len()));
        match known.map(Edition::id) {
            Some(known) if known == second => Violation::AlreadyLogged { id: second },
            Some(first) if self.judge_signatures(charter, public_since).is_ok() => {
                Violation::Equivocation { series: Series::Edition, number, first, second }
            }
            _ => Violation::NotContiguous { series: Series::Edition, expected, found: number },
        }
    }
}

/// Whether an edition takes something back from the one before it: it narrows it, and not in contact and record alone.
fn binds(before: &Charter, charter: &Charter) -> bool {
    let mut corrected = before.clone();
    (corrected.edition, corrected.previous) = (charter.edition, charter.previous);
    corrected.maintainer.contact.clone_from(&charter.maintainer.contact);
    corrected.record.clone_from(&charter.record);
    narrows(before, charter) && corrected != *charter
}

/// Whether a key that counts under `before` no longer does.
fn drops_a_key(before: &Charter, charter: &Charter) -> bool {
    before.keys().any(|key| charter.keys().all(|kept| kept.public_bytes() != key.public_bytes()))
}

/// The place among `editions` of the newest that is in force at `time`. The first one is in force as soon as it is public,
/// so where times fit together there is one.
fn in_force_at(editions: &[Edition], time: Timestamp) -> Option<usize> {
    editions.iter().rposition(|edition| edition.in_force_since <= time)
}

#[cfg(test)]
mod tests;
