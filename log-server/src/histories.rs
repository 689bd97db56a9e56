//! What was sequenced, judged: by since when this log has known it to be public, and by what its seen proofs show to others.

use isonomy_core::hash::StatementId;
use isonomy_core::rules::history::{History, LeftOut, Signing};
use isonomy_core::rules::releases::Place;
use isonomy_core::rules::{Series, Violation};
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What was sequenced, judged.
pub(crate) struct Histories {
    /// By since when this log has known it to be public.
    pub(crate) known: History,
    /// By what its seen proofs show to others, where first ones were lost and others are later. What is admitted keeps the rules
    /// by both.
    pub(crate) as_shown: Option<AsShown>,
    /// What has ended.
    pub(crate) endings: Endings,
    /// The editions of charters that were taken up and are not published yet.
    pub(crate) unpublished: BTreeMap<LeafIndex, (ListName, StatementId)>,
}

/// What others make of a log that has lost seen proofs, or has later ones than the first.
pub(crate) struct AsShown {
    /// All its statements, judged by since when others can learn that they are public.
    pub(crate) history: History,
    /// The editions of which a later edition's proof shows since when they are public.
    pub(crate) settled: BTreeSet<LeafIndex>,
}

/// The series that have ended in this log: of each, the first text that is logged and left out, by the witnesses' clocks, or
/// by the seen proofs that there are. No other text is admitted in its place, since two of one number would be equivocation of
/// whoever has signed them; and nothing that builds on it.
#[derive(Default, Debug)]
pub(crate) struct Endings(BTreeMap<(ListName, Series), Ended>);

/// Where a series has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    index: LeafIndex,
    violation: Violation,
}

/// Since when a statement is public.
pub(crate) struct Witnessed {
    pub(crate) list: ListName,
    pub(crate) id: StatementId,
    pub(crate) index: LeafIndex,
    /// As is known here.
    pub(crate) since: Timestamp,
    /// As its own proof shows.
    pub(crate) shown: Timestamp,
}

/// Shows what has happened.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, violation } = self;
        write!(f, "by what its witnesses' clocks and seen proofs show, entry {index} breaks a rule: {violation}")
    }
}

impl Endings {
    /// Takes note of a statement of this list that `history` leaves out: its series ends there, unless another text has taken
    /// its place.
    pub(crate) fn note(&mut self, list: &ListName, left_out: &LeftOut, history: &History) {
        let Some((series, number)) = left_out.series else { return };
        let has = history.list(list).map_or(0, |list| match series {
            Series::Edition => list.editions().all().len() as u64,
            Series::Version => list.releases().len() as u64,
        });
        let LeftOut { index, violation, .. } = left_out;
        let is_first = self.of(list, series).is_none_or(|ended| *index < ended.index);
        if number > has && is_first {
            let ended = Ended { index: *index, violation: violation.clone() };
            tracing::warn!("the list {list} has ended in this log: {ended}");
            self.0.insert((list.clone(), series), ended);
        }
    }

    /// How a series of a list has ended, if it has.
    pub(crate) fn of(&self, list: &ListName, series: Series) -> Option<&Ended> {
        self.0.get(&(list.clone(), series))
    }

    /// How a list has ended, if it has.
    pub(crate) fn of_list(&self, list: &ListName) -> Option<&Ended> {
        let ended = [Series::Edition, Series::Version].into_iter().filter_map(|series| self.of(list, series));
        ended.min_by_key(|ended| ended.index)
    }

    /// How many lists have ended.
    pub(crate) fn lists(&self) -> usize {
        self.names().len()
    }

    fn names(&self) -> BTreeSet<&ListName> {
        self.0.keys().map(|(list, _)| list).collect()
    }

    /// What has ended and why, for the operator.
    pub(crate) fn messages(&self) -> Vec<String> {
        let all = self.names().into_iter().filter_map(|list| Some((list, self.of_list(list)?)));
        all.map(|(list, ended)| format!("the list {list} has ended in this log: {ended}")).collect()
    }
}

impl Histories {
    /// What others make of the log.
    pub(crate) fn shown(&self) -> &History {
        self.as_shown.as_ref().map_or(&self.known, |as_shown| &as_shown.history)
    }

    /// Takes up a statement that keeps the rules by both; any other leaves both as they were.
    pub(crate) fn admit(&mut self, statement: Statement, place: Place) -> Result<(), Violation> {
        let (list, id) = (statement.list().clone(), statement.id());
        let is_charter = matches!(statement, Statement::Charter(_));
        if let Some(as_shown) = &mut self.as_shown {
            as_shown.history.judge(&statement, place, Signing::Signed)?;
            self.known.admit(statement.clone(), place)?;
            as_shown.history.admit(statement, place)?;
        } else {
            self.known.admit(statement, place)?;
        }
        if is_charter {
            self.unpublished.insert(place.index, (list, id));
        }
        Ok(())
    }

    /// The editions that are not published yet are public no earlier than now.
    pub(crate) fn defer_unpublished(&mut self, now: Timestamp) {
        for (list, id) in self.unpublished.values() {
            self.known.set_public_since(list, id, now);
            if let Some(as_shown) = &mut self.as_shown {
                as_shown.history.set_public_since(list, id, now);
            }
        }
    }

    /// Judges a list again from this place on, now that it is witnessed since when that is public. Gives what is left out from now on.
    pub(crate) fn judge_again(&mut self, list: &ListName, from: LeafIndex) -> Vec<LeftOut> {
        let mut all: Vec<LeftOut> = Vec::new();
        let as_shown = self.as_shown.as_mut().map(|as_shown| &mut as_shown.history);
        for history in [&mut self.known].into_iter().chain(as_shown) {
            let left_out = history.judge_again(list, from);
            left_out.iter().for_each(|left_out| self.endings.note(list, left_out, history));
            all.extend(left_out);
        }
        all.sort_by_key(|left_out| left_out.index);
        all.dedup_by_key(|left_out| left_out.index);
        all
    }

    /// Whether a statement keeps the rules if it is public since then.
    pub(crate) fn would_keep(&self, witnessed: &Witnessed) -> bool {
        let Witnessed { list, index, since, shown, .. } = witnessed;
        let place = |public_since| Place { index: *index, public_since };
        self.known.would_keep(list, place(*since)) && self.shown().would_keep(list, place(*shown))
    }

    /// Why a logged statement is left out by others, if its list has ended.
    pub(crate) fn why_left_out(&self, statement: &Statement) -> Option<&Ended> {
        let index = self.known.index_of(&statement.id())?;
        let is_taken = [&self.known, self.shown()].iter().all(|history| history.has_taken(statement, index));
        self.endings.of_list(statement.list()).filter(|_| !is_taken)
    }

    /// Sets since when a statement is public.
    pub(crate) fn set_public_since(&mut self, witnessed: &Witnessed) {
        let Witnessed { list, id, index, since, shown } = witnessed;
        self.unpublished.remove(index);
        self.known.set_public_since(list, id, *since);
        if let Some(as_shown) = self.as_shown.as_mut().filter(|as_shown| !as_shown.settled.contains(index)) {
            as_shown.history.set_public_since(list, id, *shown);
        }
    }
}
