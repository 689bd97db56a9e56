//! Two texts where rule 1 allows one, also where neither was taken up.

use super::{Audit, Refused};
use crate::kept::ListHistory;
use isonomy_core::charter::Charter;
use isonomy_core::hash::StatementId;
use isonomy_core::rules::{Series, Violation, signatures};
use isonomy_core::statement::{ListName, Signed, Statement};
use isonomy_core::tree::LeafIndex;
use std::collections::BTreeMap;

/// What may have one text: a version or an edition of a list.
pub(crate) type Number = (ListName, Series, u64);

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
pub(super) struct SignedTexts {
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

impl Audit {
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

    /// Whether a statement was refused beside which another text has the same number.
    pub(crate) fn is_rival(&self, id: &StatementId) -> bool {
        self.rivals.contains(id)
    }
}

/// What a statement is the text of.
pub(crate) fn number_of(statement: &Statement) -> Option<Number> {
    let (series, number) = Series::of(statement)?;
    Some((statement.list().clone(), series, number))
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
