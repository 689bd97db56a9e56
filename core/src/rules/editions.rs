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
        mut logged: Vec<(Signed<Charter>, LeafIndex, Timestamp)>,
    ) -> Result<Self, (StatementId, Violation)> {
        for at in (1..logged.len()).rev() {
            logged[at - 1].2 = logged[at - 1].2.min(logged[at].2);
        }
        let mut editions = Self::new(log, list);
        for (charter, index, public_since) in logged {
            let id = charter.id();
            editions.push(charter, index, public_since).map_err(|violation| (id, violation))?;
        }
        Ok(editions)
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
        signatures::amendment(charter, before.charter(), in_force.charter())
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
mod tests {
    use super::*;
    use crate::charter::{Action, Curator};
    use crate::rules::testing::{ALL, LOG, charter, key, sign_charter};

    const START: Timestamp = Timestamp(1_000_000);
    const NOTICE: u64 = 3600;

    fn chain() -> Editions {
        let first = charter();
        let mut editions = Editions::new(LOG, &first.list);
        editions.push(sign_charter(&first, &ALL), LeafIndex(0), START).unwrap();
        editions
    }

    fn amended(editions: &Editions, edit: impl Fn(&mut Charter)) -> Signed<Charter> {
        let before = editions.newest().unwrap();
        let mut charter = before.charter().clone();
        charter.edition += 1;
        charter.previous = Some(before.id());
        edit(&mut charter);
        sign_charter(&charter, &ALL)
    }

    fn push(editions: &mut Editions, at: u64, edit: impl Fn(&mut Charter)) -> Result<(), Violation> {
        let signed = amended(editions, edit);
        let index = LeafIndex(editions.all().len() as u64);
        editions.push(signed, index, START.plus(at))
    }

    #[test]
    fn a_narrowing_edition_is_in_force_at_once_and_a_widening_one_after_its_notice() {
        let mut editions = chain();
        push(&mut editions, 10, |c| c.matching.max_distance = 20).unwrap();
        assert_eq!(editions.newest().unwrap().in_force_since(), START.plus(10));
        push(&mut editions, 20, |c| c.matching.max_distance = 30).unwrap();
        assert_eq!(editions.newest().unwrap().in_force_since(), START.plus(20 + NOTICE));
        assert_eq!(editions.in_force_at(START.plus(30)).unwrap().number(), 2);
        assert_eq!(editions.in_force_at(START.plus(20 + NOTICE)).unwrap().number(), 3);
        assert_eq!(editions.widenings_of(&editions.newest().unwrap().id()), ["matching.max_distance from 20 to 30"]);
    }

    #[test]
    fn notice_is_not_laundered_through_a_pending_edition() {
        let mut editions = chain();
        push(&mut editions, 10, |c| c.matching.max_distance = 30).unwrap();
        // Narrower than the pending edition 2, but wider than edition 1, which is in force.
        push(&mut editions, 20, |c| c.matching.max_distance = 28).unwrap();
        assert_eq!(editions.newest().unwrap().in_force_since(), START.plus(20 + NOTICE));
        // Lowering the notice widens, so a short notice can't be prepared in a pending edition.
        push(&mut editions, 30, |c| c.limits.notice = 1).unwrap();
        push(&mut editions, 40, |c| c.action.most = Action::Block).unwrap();
        assert_eq!(editions.newest().unwrap().in_force_since(), START.plus(40 + NOTICE));
    }

    #[test]
    fn an_edition_that_narrows_against_all_overtakes_a_pending_one() {
        let mut editions = chain();
        push(&mut editions, 10, |c| c.matching.max_distance = 30).unwrap();
        push(&mut editions, 20, |c| c.matching.max_distance = 20).unwrap();
        assert_eq!(editions.in_force_at(START.plus(20)).unwrap().number(), 3);
        assert_eq!(editions.oldest_citable(LeafIndex(9)).unwrap().number(), 3);
        assert_eq!(editions.oldest_citable(LeafIndex(2)).unwrap().number(), 1, "logged before edition 3");
    }

    #[test]
    fn what_would_come_of_an_edition_is_what_comes_of_it() {
        let mut editions = chain();
        push(&mut editions, 10, |c| c.limits.max_entries += 9).unwrap();
        let edits: [fn(&mut Charter); 5] = [
            |c| c.limits.max_entries += 1,
            |c| c.limits.max_entries -= 9,
            |c| c.record = Default::default(),
            |c| c.maintainer.contact = "new@example.org".into(),
            |c| c.matching.max_distance = 1,
        ];
        for edit in edits {
            let (signed, place) =
                (amended(&editions, edit), Place { index: LeafIndex(7), public_since: START.plus(20) });
            let mut after = editions.clone();
            let prospect = editions.foresee(&signed, place);
            assert_eq!(prospect.is_ok(), editions.judge_admission(signed.body(), place.public_since).is_ok());
            after.push(signed.clone(), place.index, place.public_since).unwrap();
            let Ok(prospect) = prospect else { continue };
            let newest = after.newest().unwrap();
            assert_eq!(prospect.in_force_since, newest.in_force_since());
            assert_eq!(prospect.widenings, after.widenings_of(&signed.id()));
            assert_eq!(prospect.widenings.is_empty(), newest.notice().is_none());
            assert_eq!(prospect.compared, [1, 2]);
        }
        let other = amended(&editions, |c| c.matching.algorithm = crate::list::Algorithm::VpdqV1);
        assert_eq!(
            editions.foresee(&other, Place { index: LeafIndex(7), public_since: START }),
            Err(Violation::AlgorithmChanged)
        );
    }

    #[test]
    fn the_chain_is_contiguous_and_has_one_successor_each() {
        let mut editions = chain();
        let second = amended(&editions, |c| c.matching.max_distance = 20);
        let other = amended(&editions, |c| c.matching.max_distance = 18);
        let gap = amended(&editions, |c| c.edition = 3);
        let wrong = amended(&editions, |c| c.previous = Some(StatementId([7; 32])));
        let at = |index| Place { index: LeafIndex(index), public_since: START };
        let judge = |editions: &Editions, signed: &Signed<Charter>| editions.judge_text(signed, at(5));
        let contiguous = Violation::NotContiguous { series: Series::Edition, expected: 2, found: 3 };
        assert_eq!(judge(&editions, &gap), Err(contiguous));
        let mismatch = Violation::PreviousMismatch { series: Series::Edition, number: 2 };
        assert_eq!(judge(&editions, &wrong), Err(mismatch.clone()));
        assert_eq!(editions.judge_text(&second, at(0)), Err(mismatch), "refers to no larger index");
        editions.push(second.clone(), LeafIndex(1), START).unwrap();
        let equivocation =
            Violation::Equivocation { series: Series::Edition, number: 2, first: second.id(), second: other.id() };
        assert_eq!(judge(&editions, &other), Err(equivocation));
        assert_eq!(judge(&editions, &second), Err(Violation::AlreadyLogged { id: second.id() }), "one text is no two");
    }

    /// A second text is judged as the first one was: by the edition before it and, while that is pending, by the one in
    /// force. Edition 2, which is pending until 3610, has c4 in the place of c1; c2 and c4 may decide under it, not under
    /// edition 1.
    #[test]
    fn a_second_text_needs_the_consent_that_the_first_one_needed() {
        let mut editions = chain();
        let replace = |c: &mut Charter| {
            c.curation.curators.remove(0);
            let (name, key) = ("c4".into(), key("c4").verifier().clone());
            c.curation.curators.push(Curator { name, key, ..c.curation.curators[1].clone() });
        };
        push(&mut editions, 10, replace).unwrap();
        let [first, second] = [20, 18].map(|distance| amended(&editions, |c| c.matching.max_distance = distance));
        let of_pending = sign_charter(second.body(), &["m1", "c2", "c4"]);
        let unsigned = sign_charter(second.body(), &[]);
        editions.push(first.clone(), LeafIndex(2), START.plus(20)).unwrap();
        let (series, number) = (Series::Edition, 3);
        let equivocation = Err(Violation::Equivocation { series, number, first: first.id(), second: second.id() });
        let nobody_s = Err(Violation::NotContiguous { series: Series::Edition, expected: 4, found: 3 });
        let judge = |charter: &Signed<Charter>, after| {
            let place = Place { index: LeafIndex(5), public_since: START.plus(after) };
            editions.judge_text(charter, place)
        };
        assert_eq!(judge(&second, 30), equivocation);
        assert_eq!(judge(&of_pending, 10 + NOTICE), equivocation, "edition 2 is in force");
        assert_eq!(judge(&of_pending, 9 + NOTICE), nobody_s, "edition 1 is, and did not consent");
        assert_eq!(judge(&unsigned, 10 + NOTICE), nobody_s);
        let too_few = Err(Violation::TooFewCurators { have: 1, need: 2, under: 1 });
        assert_eq!(editions.judge_signatures(&of_pending, START.plus(9 + NOTICE)), too_few);
        let gap = sign_charter(&Charter { edition: 5, ..of_pending.body().clone() }, &["m1", "c2", "c4"]);
        let gap = editions.judge_signatures(&gap, START.plus(10 + NOTICE));
        assert_eq!(gap, Err(Violation::NotContiguous { series: Series::Edition, expected: 4, found: 5 }));
    }

    #[test]
    fn what_a_log_shows_is_judged_in_its_order_and_no_edition_is_public_later_than_the_next() {
        let mut editions = chain();
        push(&mut editions, 10, |c| c.matching.max_distance = 20).unwrap();
        push(&mut editions, 20, |c| c.matching.max_distance = 18).unwrap();
        let signed: Vec<Signed<Charter>> = editions.all().iter().map(|edition| edition.signed().clone()).collect();
        let list = signed[0].body().list.clone();
        let shown = |places: [(usize, u64); 3]| {
            let logged = (0..).zip(places).map(|(index, (at, after))| {
                let charter: &Signed<Charter> = &signed[at];
                (charter.clone(), LeafIndex(index), START.plus(after))
            });
            Editions::of_logged(LOG, &list, logged.collect())
        };
        let known = shown([(0, 90), (1, 50), (2, 70)]).unwrap();
        let since: Vec<u64> = known.all().iter().map(|edition| edition.public_since().since(START)).collect();
        assert_eq!(since, [50, 50, 70]);
        let gap = Violation::NotContiguous { series: Series::Edition, expected: 2, found: 3 };
        assert_eq!(shown([(0, 90), (2, 95), (1, 99)]), Err((signed[2].id(), gap)));
    }

    #[test]
    fn other_log_list_or_algorithm() {
        let editions = chain();
        let place = Place { index: LeafIndex(1), public_since: START };
        let judge = |edit: fn(&mut Charter)| editions.judge_text(&amended(&editions, edit), place);
        assert!(matches!(judge(|c| c.log = "other.example/log".into()), Err(Violation::OtherLog { .. })));
        let other = |c: &mut Charter| c.list = ListName::new("other.example/list").unwrap();
        assert!(matches!(judge(other), Err(Violation::OtherList { .. })));
        let exact = |c: &mut Charter| {
            c.matching.algorithm = crate::list::Algorithm::VpdqV1;
            c.matching.max_distance = 0;
            c.matching.min_quality = 0;
        };
        assert_eq!(judge(exact), Err(Violation::AlgorithmChanged));
    }

    #[test]
    fn a_later_witnessed_time_moves_what_depends_on_it() {
        let mut editions = chain();
        push(&mut editions, 10, |c| c.matching.max_distance = 30).unwrap();
        let id = editions.newest().unwrap().id();
        editions.set_public_since(&id, START.plus(50));
        assert_eq!(editions.newest().unwrap().in_force_since(), START.plus(50 + NOTICE));
        // Edition 3 narrows edition 2 once that is in force; earlier it widens edition 1.
        push(&mut editions, 60 + NOTICE, |c| c.matching.max_distance = 28).unwrap();
        let third = editions.newest().unwrap().id();
        assert_eq!(editions.newest().unwrap().notice(), None);
        editions.set_public_since(&third, START.plus(60));
        assert_eq!(editions.newest().unwrap().notice(), Some(NOTICE));
        assert_eq!(editions.oldest_citable(LeafIndex(9)).unwrap().number(), 3, "what may be cited depends on no time");
    }

    /// Edition 2 widens, edition 3 takes something back. Whoever believes that edition 2 became public late, because the log
    /// shows a late proof, must not go back to edition 1 and to the keys, say, that edition 3 has dropped.
    #[test]
    fn what_was_narrowed_does_not_come_back_where_times_are_late() {
        let mut editions = chain();
        push(&mut editions, 10, |c| c.matching.max_distance = 30).unwrap();
        push(&mut editions, 10 + NOTICE, |c| c.matching.max_distance = 29).unwrap();
        assert_eq!(editions.newest().unwrap().notice(), None);
        let late = START.plus(9 * NOTICE);
        let shown = editions.all().iter().map(|edition| (edition.signed().clone(), edition.index(), late)).collect();
        let believed = Editions::of_logged(LOG, &editions.all()[0].charter().list, shown).unwrap();
        assert_eq!(believed.in_force_at(late).unwrap().number(), 1, "the others wait once more");
        assert_eq!(believed.oldest_citable(LeafIndex(9)).unwrap().number(), 3);
        assert_eq!(believed.oldest_citable(LeafIndex(2)).unwrap().number(), 1, "logged before edition 3");
    }

    #[test]
    fn an_edition_that_only_corrects_contact_or_record_binds_no_release() {
        let mut editions = chain();
        push(&mut editions, 10, |c| c.maintainer.contact = "office@hotline.example".into()).unwrap();
        assert_eq!(editions.oldest_citable(LeafIndex(9)).unwrap().number(), 1);
        push(&mut editions, 20, |c| c.matching.max_distance = 20).unwrap();
        assert_eq!(editions.oldest_citable(LeafIndex(9)).unwrap().number(), 3);
    }

    #[test]
    fn an_edition_that_would_hold_up_every_release_is_not_admitted() {
        let mut editions = chain();
        let judge = |editions: &Editions, at: u64, edit: fn(&mut Charter)| {
            editions.judge_admission(amended(editions, edit).body(), START.plus(at))
        };
        assert_eq!(judge(&editions, 5, |c| c.matching.max_distance = 20), Ok(()));
        push(&mut editions, 10, |c| c.matching.max_distance = 30).unwrap();
        let holds_up = Violation::HoldsUpReleases { edition: 3, pending: 2, until: START.plus(20 + NOTICE) };
        assert_eq!(judge(&editions, 20, |c| c.matching.max_distance = 28), Err(holds_up), "edition 1 has 24");
        assert_eq!(judge(&editions, 20, |c| c.matching.max_distance = 24), Ok(()), "takes all of it back");
        assert_eq!(judge(&editions, 20, |c| c.matching.max_distance = 31), Ok(()), "widens again, and binds nobody");
        let drops_a_key = judge(&editions, 20, |c| {
            c.matching.max_distance = 28;
            c.curation.curators.remove(0);
        });
        assert_eq!(drops_a_key, Ok(()), "better no release than one by a key that was stolen");
        assert_eq!(judge(&editions, 20, |c| c.maintainer.contact = "office@hotline.example".into()), Ok(()));
        assert_eq!(judge(&editions, 10 + NOTICE, |c| c.matching.max_distance = 28), Ok(()), "edition 2 is in force");
    }

    #[test]
    fn an_edition_knows_its_time_and_its_notice() {
        let mut editions = chain();
        push(&mut editions, 10, |c| c.matching.max_distance = 20).unwrap();
        assert_eq!(
            (editions.newest().unwrap().public_since(), editions.newest().unwrap().notice()),
            (START.plus(10), None)
        );
        push(&mut editions, 20, |c| c.matching.max_distance = 30).unwrap();
        assert_eq!(editions.newest().unwrap().notice(), Some(NOTICE));
        assert_eq!(editions.newest().unwrap().public_since(), START.plus(20));
    }

    #[test]
    fn an_edition_that_lacks_a_signature_is_not_appended() {
        let mut editions = chain();
        let before = editions.newest().unwrap().clone();
        let second = Charter { edition: 2, previous: Some(before.id()), ..before.charter().clone() };
        let missing = editions.push(sign_charter(&second, &["m1", "c1", "c2"]), LeafIndex(1), START);
        assert!(matches!(missing, Err(Violation::TooFewJurisdictions { .. })), "{missing:?}");
        assert_eq!(editions.all().len(), 1);
        let mut none = Editions::new(LOG, &before.charter().list);
        assert!(none.push(sign_charter(before.charter(), &["m1", "c1", "c2"]), LeafIndex(0), START).is_err());
    }

    #[test]
    fn what_covers_a_statement_covers_those_before_it() {
        let mut editions = chain();
        push(&mut editions, 100, |c| c.matching.max_distance = 20).unwrap();
        let since = |editions: &Editions| editions.all().iter().map(Edition::public_since).collect::<Vec<_>>();
        let known = |index, at| since(&editions.known_with(LeafIndex(index), START.plus(at)));
        assert_eq!(
            known(2, 50),
            [START, START.plus(50)],
            "edition 2, at index 1, is public no later than what follows it"
        );
        assert_eq!(known(1, 50), [START, START.plus(100)], "a statement doesn't come before itself");
        assert_eq!(known(2, 100), [START, START.plus(100)]);
        assert_eq!(known(2, 200), [START, START.plus(100)], "a later statement makes none later");
        assert!(matches!(editions.known_with(LeafIndex(2), START.plus(100)), Cow::Borrowed(_)), "nothing to change");
        assert!(matches!(editions.known_with(LeafIndex(1), START.plus(50)), Cow::Borrowed(_)), "nothing to change");
    }
}
