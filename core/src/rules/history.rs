//! Everything that a log says about its lists, judged statement by statement: what the log server keeps to admit the
//! next one, and a monitor to audit them all.
//!
//! Of releases and attestations, the rules need a few figures again and not the text. So whoever keeps a [`History`] says
//! what else of them stays in memory: a type that is made from the statement, by default the whole of it.

use super::editions::{Edition, Editions};
use super::releases::{self, Before, Chain, Earlier, Place};
use super::{Series, Violation, signatures};
use crate::attestation::Attestation;
use crate::charter::Charter;
use crate::hash::StatementId;
use crate::release::Release;
use crate::statement::{ListName, Signed, Statement};
use crate::time::Timestamp;
use crate::tree::LeafIndex;
use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// A release in its place in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedRelease<R = Signed<Release>> {
    /// What is kept of the release.
    pub release: R,
    /// Its identity.
    pub id: StatementId,
    /// When it was composed.
    pub created: Timestamp,
    /// Its place in the log.
    pub index: LeafIndex,
    /// Since when it is public.
    pub public_since: Timestamp,
    /// The number of the edition that it cites.
    pub edition: u64,
}

/// An attestation in its place in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedAttestation<A = Signed<Attestation>> {
    /// What is kept of the attestation.
    pub attestation: A,
    /// Its place in the log.
    pub index: LeafIndex,
}

/// What a log says about one list, as far as it keeps the rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListHistory<R = Signed<Release>, A = Signed<Attestation>> {
    editions: Editions,
    releases: Vec<LoggedRelease<R>>,
    /// When the last release that adds entries was composed.
    last_addition: Option<Timestamp>,
    attestations: Vec<LoggedAttestation<A>>,
}

impl<R, A> ListHistory<R, A> {
    fn new(log: &str, name: &ListName) -> Self {
        let editions = Editions::new(log, name);
        Self { editions, releases: Vec::new(), last_addition: None, attestations: Vec::new() }
    }

    /// The editions of its charter.
    pub fn editions(&self) -> &Editions {
        &self.editions
    }

    /// Its releases, from version 1 without gaps.
    pub fn releases(&self) -> &[LoggedRelease<R>] {
        &self.releases
    }

    /// What auditors found.
    pub fn attestations(&self) -> &[LoggedAttestation<A>] {
        &self.attestations
    }

    /// The release of this version.
    pub fn version(&self, version: u64) -> Option<&LoggedRelease<R>> {
        self.releases.get(usize::try_from(version.checked_sub(1)?).ok()?)
    }

    /// The version of the release at this place in the log, if one is there.
    pub fn version_at(&self, index: LeafIndex) -> Option<u64> {
        let at = self.releases.binary_search_by_key(&index, |logged| logged.index).ok()?;
        Some(at as u64 + 1)
    }

    fn before(&self) -> Before {
        let version = self.releases.len() as u64;
        let earlier = self.releases.last().map(|logged| {
            let LoggedRelease { id, edition, created, index, .. } = *logged;
            Earlier { id, version, edition, created, index }
        });
        Before { earlier, last_addition: self.last_addition }
    }

    /// Judges the text of a release; gives the edition that it cites. Since it is public, so are the editions before it.
    fn judge_release_text(&self, release: &Signed<Release>, place: Place) -> Result<&Edition, Violation> {
        let body = release.body();
        let expected = self.releases.len() as u64 + 1;
        if body.version != expected {
            return Err(self.wrong_version(release, expected));
        }
        let release = |version| self.version(version).map(|logged| logged.id);
        let chain = Chain { newest: self.releases.len() as u64, release: &release, before: self.before() };
        let editions = self.editions.known_with(place.index, place.public_since);
        releases::judge_next(body, &editions, &chain, place)?;
        self.editions.find(&body.charter).ok_or(Violation::UnknownCharter { id: body.charter })
    }

    /// A version that is taken is equivocation if the newcomer carries the signatures that count.
    fn wrong_version(&self, release: &Signed<Release>, expected: u64) -> Violation {
        let number = release.body().version;
        let contiguous = Violation::NotContiguous { series: Series::Version, expected, found: number };
        let Some(known) = self.version(number) else {
            return contiguous;
        };
        let signed = self
            .editions
            .find(&release.body().charter)
            .is_some_and(|edition| signatures::release_under(release, edition.signed()).is_ok());
        if signed {
            let (first, second) = (known.id, release.id());
            Violation::Equivocation { series: Series::Version, number, first, second }
        } else {
            contiguous
        }
    }
}

impl<R: From<Signed<Release>>, A: From<Signed<Attestation>>> ListHistory<R, A> {
    /// Takes up a statement that keeps the rules.
    fn take(&mut self, statement: Statement, Place { index, public_since }: Place) -> Result<(), Violation> {
        match statement {
            Statement::Charter(charter) => self.editions.push(charter, index, public_since)?,
            Statement::Release(release) => {
                let body = release.body();
                let edition = self.editions.find(&body.charter).map_or(0, Edition::number);
                let (id, created) = (release.id(), body.created);
                if body.added > 0 {
                    self.last_addition = Some(created);
                }
                self.releases.push(LoggedRelease {
                    release: release.into(),
                    id,
                    created,
                    index,
                    public_since,
                    edition,
                });
            }
            Statement::Attestation(attestation) => {
                self.attestations.push(LoggedAttestation { attestation: attestation.into(), index });
            }
        }
        Ok(())
    }
}

/// What a log says, as far as it keeps the rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History<R = Signed<Release>, A = Signed<Attestation>> {
    log: String,
    lists: BTreeMap<ListName, ListHistory<R, A>>,
    statements: BTreeMap<StatementId, LeafIndex>,
}

/// Whether a statement comes with its signatures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signing {
    /// It is complete.
    Signed,
    /// It is a draft: its signatures are not judged.
    Draft,
}

impl History {
    /// Nothing yet, in the log with this origin. Statements are kept whole.
    pub fn new(log: &str) -> Self {
        Self::keeping(log)
    }
}

impl<R, A> History<R, A> {
    /// Nothing yet, in the log with this origin. Of releases and attestations so much is kept as these types hold.
    pub fn keeping(log: &str) -> Self {
        Self { log: log.to_owned(), lists: BTreeMap::new(), statements: BTreeMap::new() }
    }

    /// The lists, by name.
    pub fn lists(&self) -> impl Iterator<Item = (&ListName, &ListHistory<R, A>)> {
        self.lists.iter()
    }

    /// The list with this name.
    pub fn list(&self, name: &ListName) -> Option<&ListHistory<R, A>> {
        self.lists.get(name)
    }

    /// Where a statement stands in the log.
    pub fn index_of(&self, id: &StatementId) -> Option<LeafIndex> {
        self.statements.get(id).copied()
    }

    /// The version of a list that the release with this identity is.
    pub fn version_of(&self, list: &ListName, id: &StatementId) -> Option<u64> {
        let list = self.list(list)?;
        let version = list.version_at(self.index_of(id)?)?;
        list.version(version).is_some_and(|logged| logged.id == *id).then_some(version)
    }

    /// Whether the statement at this place was taken up: it keeps the rules.
    pub fn has_taken(&self, statement: &Statement, index: LeafIndex) -> bool {
        let Some(list) = self.list(statement.list()) else { return false };
        match statement {
            Statement::Charter(charter) => {
                list.editions().find(&charter.id()).is_some_and(|edition| edition.index() == index)
            }
            Statement::Release(_) => list.version_at(index).is_some(),
            Statement::Attestation(_) => list.attestations().iter().any(|logged| logged.index == index),
        }
    }

    /// Judges a statement that is, or would be, logged at `place`.
    pub fn judge(&self, statement: &Statement, place: Place, signing: Signing) -> Result<(), Violation> {
        let id = statement.id();
        if self.statements.contains_key(&id) {
            return Err(Violation::AlreadyLogged { id });
        }
        self.judge_new(statement, place, signing)
    }

    fn judge_new(&self, statement: &Statement, place: Place, signing: Signing) -> Result<(), Violation> {
        match statement {
            Statement::Charter(charter) => self.judge_charter(charter, place, signing),
            Statement::Release(release) => self.judge_release(release, place, signing),
            Statement::Attestation(attestation) => self.judge_attestation(attestation, signing),
        }
    }

    /// Sets since when a statement of this list is public, once that is witnessed.
    pub fn set_public_since(&mut self, list: &ListName, id: &StatementId, public_since: Timestamp) {
        let (index, Some(list)) = (self.index_of(id), self.lists.get_mut(list)) else { return };
        list.editions.set_public_since(id, public_since);
        let at = index.and_then(|index| list.releases.binary_search_by_key(&index, |logged| logged.index).ok());
        if let Some(logged) = at.and_then(|at| list.releases.get_mut(at)).filter(|logged| logged.id == *id) {
            logged.public_since = public_since;
        }
    }

    /// Sets that every statement from `first` on is public since then: once it is witnessed that a later one is, since
    /// what covers a statement covers those before it.
    pub fn set_public_since_from(&mut self, first: LeafIndex, public_since: Timestamp) {
        for list in self.lists.values_mut() {
            let late = list.editions.all().iter().filter(|edition| edition.index() >= first);
            for id in late.map(Edition::id).collect::<Vec<_>>() {
                list.editions.set_public_since(&id, public_since);
            }
            let before = list.releases.partition_point(|logged| logged.index < first);
            list.releases.iter_mut().skip(before).for_each(|logged| logged.public_since = public_since);
        }
    }

    fn judge_charter(&self, charter: &Signed<Charter>, place: Place, signing: Signing) -> Result<(), Violation> {
        let empty;
        let editions = match self.lists.get(&charter.body().list) {
            Some(list) => &list.editions,
            None => {
                empty = Editions::new(&self.log, &charter.body().list);
                &empty
            }
        };
        editions.judge_text(charter, place)?;
        match signing {
            Signing::Signed => editions.judge_signatures(charter, place.public_since),
            Signing::Draft => Ok(()),
        }
    }

    fn judge_release(&self, release: &Signed<Release>, place: Place, signing: Signing) -> Result<(), Violation> {
        let body = release.body();
        let list = self.lists.get(&body.list).ok_or(Violation::UnknownCharter { id: body.charter })?;
        let edition = list.judge_release_text(release, place)?;
        match signing {
            Signing::Signed => signatures::release(release, edition.charter()),
            Signing::Draft => Ok(()),
        }
    }

    fn judge_attestation(&self, attestation: &Signed<Attestation>, signing: Signing) -> Result<(), Violation> {
        let body = attestation.body();
        if self.version_of(&body.list, &body.release).is_none() {
            return Err(Violation::UnknownRelease { id: body.release });
        }
        match signing {
            Signing::Signed => signatures::attestation(attestation),
            Signing::Draft => Ok(()),
        }
    }
}

impl<R: From<Signed<Release>>, A: From<Signed<Attestation>>> History<R, A> {
    /// Judges a logged statement and, if it keeps the rules, takes it up. One that breaks them leaves the lists as they were; its
    /// text counts as logged in any case.
    pub fn record(&mut self, statement: Statement, place: Place) -> Result<(), Violation> {
        let verdict = self.judge(&statement, place, Signing::Signed);
        self.statements.entry(statement.id()).or_insert(place.index);
        verdict?;
        self.take(statement, place)
    }

    /// Takes up a statement that was refused, if it keeps the rules as one that is public since `time`. For whoever can't be sure
    /// since when statements are public, and must judge what builds on this one; it is held as public since its own time.
    pub fn record_as_if(&mut self, statement: Statement, place: Place, time: Timestamp) -> Result<(), Violation> {
        let (id, list, as_if) = (statement.id(), statement.list().clone(), Place { public_since: time, ..place });
        self.judge_new(&statement, as_if, Signing::Signed)?;
        self.take(statement, as_if)?;
        self.set_public_since(&list, &id, place.public_since);
        Ok(())
    }

    /// Judges a statement that is to be logged and, if it keeps the rules, takes it up. One that breaks them leaves everything as
    /// it was.
    pub fn admit(&mut self, statement: Statement, place: Place) -> Result<(), Violation> {
        self.judge(&statement, place, Signing::Signed)?;
        self.statements.insert(statement.id(), place.index);
        self.take(statement, place)
    }

    fn take(&mut self, statement: Statement, place: Place) -> Result<(), Violation> {
        let (log, name) = (&self.log, statement.list());
        let list = self.lists.entry(name.clone()).or_insert_with(|| ListHistory::new(log, name));
        list.take(statement, place)
    }
}

/// A logged statement that breaks a rule, so that it is left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// Its place.
    pub index: LeafIndex,
    /// Its identity.
    pub id: StatementId,
    /// Its series and its number there; none, if it is an attestation.
    pub series: Option<(Series, u64)>,
    /// The rule.
    pub violation: Violation,
}

impl History {
    /// Judges a list again from this place on, after [`History::set_public_since`]: what breaks a rule by the times that are known
    /// now is left out, and what builds on it. Gives what that is, and why.
    pub fn judge_again(&mut self, name: &ListName, from: LeafIndex) -> Vec<LeftOut> {
        let Some(list) = self.lists.get(name).filter(|list| !list.keeps_times(from)) else { return Vec::new() };
        let mut anew = Self::new(&self.log);
        let judge = |(statement, place): (Statement, Place)| {
            let (index, id, series) = (place.index, statement.id(), Series::of(&statement));
            anew.record(statement, place).err().map(|violation| LeftOut { index, id, series, violation })
        };
        let broken = list.statements().into_iter().filter_map(judge).collect();
        match anew.lists.remove(name) {
            Some(list) => self.lists.insert(name.clone(), list),
            None => self.lists.remove(name),
        };
        broken
    }
}

impl History {
    /// Whether the statement of a list that was taken up at this place keeps the rules if it is public since then.
    pub fn would_keep(&self, name: &ListName, place: Place) -> bool {
        let Some(list) = self.lists.get(name) else { return true };
        let edition = list.editions.all().iter().skip(1).find(|edition| edition.index() == place.index);
        let version = list.version_at(place.index).and_then(|version| list.version(version));
        edition.is_none_or(|edition| list.editions.judge_signatures(edition.signed(), place.public_since).is_ok())
            && version.is_none_or(|logged| list.keeps_time(logged.release.body(), place))
    }
}

impl ListHistory {
    /// Whether everything from this place on keeps the rules that ask since when something is public.
    fn keeps_times(&self, from: LeafIndex) -> bool {
        // The signatures of a first edition are asked for whenever it is.
        let mut editions = self.editions.all().iter().skip(1).filter(|edition| edition.index() >= from);
        let before = self.releases.partition_point(|logged| logged.index < from);
        editions.all(|edition| self.editions.judge_signatures(edition.signed(), edition.public_since()).is_ok())
            && self.releases.iter().skip(before).all(|logged| {
                let LoggedRelease { index, public_since, .. } = *logged;
                self.keeps_time(logged.release.body(), Place { index, public_since })
            })
    }

    fn keeps_time(&self, release: &Release, place: Place) -> bool {
        let editions = self.editions.known_with(place.index, place.public_since);
        releases::judge_text(release, &editions, &Before::default(), place).is_ok()
    }

    /// Everything, in the order of the log.
    fn statements(&self) -> Vec<(Statement, Place)> {
        let edition = |edition: &Edition| {
            let (index, public_since) = (edition.index(), edition.public_since());
            (Statement::Charter(edition.signed().clone()), Place { index, public_since })
        };
        let release = |logged: &LoggedRelease| {
            let LoggedRelease { index, public_since, .. } = *logged;
            (Statement::Release(logged.release.clone()), Place { index, public_since })
        };
        // No rule asks since when an attestation is public.
        let attestation = |logged: &LoggedAttestation| {
            let place = Place { index: logged.index, public_since: Timestamp(0) };
            (Statement::Attestation(logged.attestation.clone()), place)
        };
        let editions = self.editions.all().iter().map(edition);
        let all = editions.chain(self.releases.iter().map(release)).chain(self.attestations.iter().map(attestation));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(_, place)| place.index);
        all
    }
}

#[cfg(test)]
mod tests;
