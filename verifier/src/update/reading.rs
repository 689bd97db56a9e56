//! Where the policy asks for it: every entry of the log, read as a monitor does, so that a version or an edition with two
//! texts is refused; or the word of auditors that did.
//!
//! Entries are read tile by tile, from where the last update ended, and make the fresh checkpoint's root. Each tile is proven to
//! belong there before the next is asked for, by tiles of hashes: one more for 65,536 entries, and those of the tree's right edge.
//! So a source makes nobody read more than one tile of what the log does not hold. The state keeps
//! the right edge of the tree, the release in force, those that were offered, those that were not and wait (see [`between`]),
//! and the newest. If an entry is about another version, the log is read from its start once more, to tell which texts there
//! are and to prove it.
//!
//! What came before the edition that the policy pins, the app's developer has read: an app goes on after an equivocation
//! when its developer pins a later edition.

mod between;

use super::releases::proof;
use super::statements::rule;
use super::{Stop, Update, malformed};
use crate::evidence::{Evidence, InLog};
use crate::rejection::Rejection;
use crate::state::{ReadLog, ReadRelease};
use isonomy_core::attestation::Attestation;
use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::Checkpoint;
use isonomy_core::hash::StatementId;
use isonomy_core::note::VerifierKey;
use isonomy_core::release::Release;
use isonomy_core::resource::Resource;
use isonomy_core::rules::editions::{Edition, Editions};
use isonomy_core::rules::{Series, Violation, attestations, signatures};
use isonomy_core::statement::{ListName, Signed, Statement};
use isonomy_core::tile::{self, TILE_WIDTH, parse_entries};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{Frontier, LeafIndex, TreeSize, leaf_hash};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How far the log was read, and what was found.
#[derive(Debug)]
pub(super) struct Reading {
    frontier: Frontier,
    /// The first signed text for each version; from the log's start, or from where the state begins.
    releases: BTreeMap<u64, ReadRelease>,
    newest: u64,
    from_start: bool,
    /// Whether an entry is about a version that only the log's start can tell about.
    lacks_start: bool,
    /// Charters that the bundle does not have, each at its first place.
    strays: Vec<(LeafIndex, Signed<Charter>)>,
    breach: Option<Breach>,
    /// The versions of those releases of the bundle that were found in the log: each is proven once.
    versions: HashMap<StatementId, u64>,
}

/// The first entry that breaks a rule.
#[derive(Debug)]
struct Breach {
    index: LeafIndex,
    violation: Violation,
    texts: Texts,
}

/// The two texts of an equivocation, one of which is the entry.
#[derive(Debug)]
enum Texts {
    /// It is no equivocation.
    None,
    /// The place of the first text for a version, and the second.
    Releases(ReadRelease, Box<Signed<Release>>),
    /// A charter beside the one that the bundle has for that edition.
    Editions(Box<Signed<Charter>>),
}

/// By what entries are judged.
struct Rules<'r> {
    log: &'r str,
    list: &'r ListName,
    editions: &'r Editions,
    /// The edition that the policy pins: breaches before it are the developer's to know.
    pinned: LeafIndex,
}

impl Rules<'_> {
    /// Whether a charter is a text for its number, as evidence has it: the edition before it, of the same list and log, has consented.
    fn is_text(&self, charter: &Signed<Charter>) -> bool {
        let body = charter.body();
        let before = body.edition.checked_sub(1).filter(|before| *before > 0);
        let before = before.map(|before| edition(self.editions, before).map(Edition::signed));
        match before {
            None => body.log == self.log && signatures::edition_after(charter, None).is_ok(),
            Some(Some(before)) => signatures::edition_after(charter, Some(before)).is_ok(),
            Some(None) => false,
        }
    }
}

impl Reading {
    fn from_start() -> Self {
        let frontier = Frontier::new();
        let (releases, strays, versions) = (BTreeMap::new(), Vec::new(), HashMap::new());
        Self { frontier, releases, newest: 0, from_start: true, lacks_start: false, strays, breach: None, versions }
    }

    /// From where the state says that it ended. A state is believed; one that can't be is not used. Nor is one by which an edition was
    /// read that the bundle does not have: what it is to that bundle, its own place tells.
    fn from_state(read: Option<&ReadLog>, editions: &Editions) -> Self {
        let knows = |read: &&ReadLog| read.edition.is_some_and(|edition| editions.find(&edition).is_some());
        let read = read.filter(knows);
        let frontier = read.and_then(|read| Frontier::from_parts(read.size, read.nodes.clone()));
        let (Some(read), Some(frontier)) = (read, frontier) else { return Self::from_start() };
        let releases = read.releases.iter().map(|release| (release.version, *release)).collect();
        Self { frontier, releases, newest: read.newest, from_start: false, ..Self::from_start() }
    }

    fn next(&self) -> LeafIndex {
        LeafIndex(self.frontier.size().0)
    }

    fn take(&mut self, entry: &[u8], index: LeafIndex, rules: &Rules<'_>) {
        match Statement::parse(entry) {
            Ok(statement) if statement.list() != rules.list => {}
            Ok(Statement::Charter(charter)) => self.take_charter(charter, index, rules),
            Ok(Statement::Release(release)) => self.take_release(release, index, rules),
            // What is no statement, no client accepts. An attestation counts for whoever asks for it.
            Ok(Statement::Attestation(_)) | Err(_) => {}
        }
    }

    /// Rule 1: a charter that the bundle does not have may be a second text for an edition, or one that is left out. What
    /// the edition before it did not consent to is neither: asked about the end of time, when every edition is in force,
    /// the rules ask for that one's consent alone.
    fn take_charter(&mut self, charter: Signed<Charter>, index: LeafIndex, rules: &Rules<'_>) {
        let id = charter.id();
        match rules.editions.find(&id) {
            Some(known) if index < known.index() => self.breaks(index, Violation::AlreadyLogged { id }, Texts::None),
            Some(_) => {}
            None if self.strays.iter().any(|(_, known)| known.id() == id) => {}
            None if rules.is_text(&charter) => self.strays.push((index, charter)),
            None => {}
        }
    }

    /// Rule 1: versions follow each other, each with one text; judged are those that carry the signatures of rule 2.
    fn take_release(&mut self, release: Signed<Release>, index: LeafIndex, rules: &Rules<'_>) {
        let body = release.body();
        let (id, version) = (release.id(), body.version);
        let charter = rules.editions.find(&body.charter);
        if charter.is_none_or(|edition| signatures::release(&release, edition.charter()).is_err()) {
            return;
        }
        let counts = index > rules.pinned;
        if let Some(first) = self.releases.get(&version).copied() {
            if first.release != id && counts {
                let (number, first_id) = (version, first.release);
                let violation =
                    Violation::Equivocation { series: Series::Version, number, first: first_id, second: id };
                self.breaks(index, violation, Texts::Releases(first, Box::new(release)));
            }
            return;
        }
        if version <= self.newest && !self.from_start {
            self.lacks_start = true;
            return;
        }
        let before = version.checked_sub(1).and_then(|before| self.releases.get(&before));
        let follows = match before {
            Some(before) => body.previous == Some(before.release),
            None => version == self.newest + 1,
        };
        if !follows && !self.from_start {
            // What came before may have been read without an edition that the source left out, so that it counted for nothing.
            self.lacks_start = true;
            return;
        }
        if counts && before.is_some_and(|before| body.previous != Some(before.release)) {
            self.breaks(index, Violation::PreviousMismatch { series: Series::Version, number: version }, Texts::None);
        } else if counts && version > self.newest + 1 {
            let expected = self.newest + 1;
            let gap = Violation::NotContiguous { series: Series::Version, expected, found: version };
            self.breaks(index, gap, Texts::None);
        }
        self.releases.insert(version, ReadRelease { version, release: id, index });
        self.newest = self.newest.max(version);
    }

    fn breaks(&mut self, index: LeafIndex, violation: Violation, texts: Texts) {
        self.breach.get_or_insert(Breach { index, violation, texts });
    }

    /// What the state keeps: of the releases those of these versions, and the newest; and the newest edition.
    fn kept(&self, versions: impl Iterator<Item = u64>, editions: &Editions) -> ReadLog {
        let versions: BTreeSet<u64> = versions.chain([self.newest]).collect();
        ReadLog {
            edition: editions.newest().map(Edition::id),
            size: self.frontier.size(),
            nodes: self.frontier.nodes().to_vec(),
            newest: self.newest,
            releases: versions.iter().filter_map(|version| self.releases.get(version).copied()).collect(),
        }
    }
}

fn edition(editions: &Editions, number: u64) -> Option<&Edition> {
    editions.all().iter().find(|edition| edition.number() == number)
}

impl Update {
    /// Reads what the log has beyond what was read, if the policy asks for that, and refuses a list whose versions or
    /// editions have two texts. No release of the bundle is judged before.
    pub(super) fn read_log(&mut self, bundle: &Bundle, editions: &Editions) -> Result<(), Stop> {
        if !self.policy.audit().complete {
            return Ok(());
        }
        let size = bundle.checkpoint.checkpoint().size;
        // A source that lags has less than what was read: it is read anew.
        let read = self.state.read().filter(|read| read.size <= size);
        let mut reading = self.reading.take().unwrap_or_else(|| Reading::from_state(read, editions));
        let outcome = self.read_all(&mut reading, bundle, editions);
        self.reading = Some(reading);
        outcome
    }

    fn read_all(&mut self, reading: &mut Reading, bundle: &Bundle, editions: &Editions) -> Result<(), Stop> {
        self.read_to_root(reading, bundle, editions)?;
        let offered = self.offered(&mut reading.versions, bundle)?;
        let is_unknown = |(version, _): &(u64, Included)| !reading.releases.contains_key(version);
        if !reading.from_start && (reading.lacks_start || offered.iter().any(is_unknown)) {
            let versions = std::mem::take(&mut reading.versions);
            *reading = Reading { versions, ..Reading::from_start() };
            self.read_to_root(reading, bundle, editions)?;
        }
        self.judge_strays(reading, editions);
        if let Some(breach) = &reading.breach {
            return Err(self.breach(breach, bundle)?.into());
        }
        check_first(reading, &offered)?;
        self.check_none_left_out(reading, &offered)?;
        let is_kept =
            |read: &ReadLog| offered.iter().all(|(version, _)| read.releases.iter().any(|at| at.version == *version));
        let kept = reading.kept(offered.iter().map(|(version, _)| *version), editions);
        let is_same = |read: &ReadLog| (read.size, read.edition) == (kept.size, kept.edition) && is_kept(read);
        if self.state.read().is_some_and(is_same) {
            return Ok(());
        }
        self.save(self.state.clone().with_read(kept), None)
    }

    fn read_to_root(&mut self, reading: &mut Reading, bundle: &Bundle, editions: &Editions) -> Result<(), Stop> {
        let tree = bundle.checkpoint.checkpoint();
        let list = self.policy.list().clone();
        let log = self.policy.log().name().to_owned();
        let rules = Rules { log: &log, list: &list, editions, pinned: self.pinned(editions) };
        while reading.next().0 < tree.size.0 {
            self.read_tile(reading, tree, &rules)?;
        }
        if reading.frontier.size() == tree.size && reading.frontier.root() == tree.root {
            return Ok(());
        }
        let problem = format!("the entries served do not make the root of {} entries", tree.size);
        Err(malformed(&Resource::Checkpoint, problem))
    }

    /// Reads the tile of entries that comes next. Nothing is made of it before it is proven to stand under the tree's root; but the
    /// last one, which the caller holds against that root itself.
    fn read_tile(&mut self, reading: &mut Reading, tree: &Checkpoint, rules: &Rules<'_>) -> Result<(), Stop> {
        let (size, read) = (tree.size, reading.next());
        let no_tile = || malformed(&Resource::Checkpoint, "no such entry");
        let path = tile::entry_tiles(read, size).next().ok_or_else(no_tile)?;
        let first = path.index() * u64::from(TILE_WIDTH);
        let end = TreeSize(first + u64::from(TILE_WIDTH));
        let proven = if end < size { Some(self.received.prefix(end, tree)?.0) } else { None };
        let (path, bytes) = self.received.tile(path)?;
        let resource = Resource::Tile(path);
        let entries = parse_entries(bytes, path.width()).map_err(|error| malformed(&resource, error))?;
        let unread = || (first..size.0).map(LeafIndex).zip(&entries).skip_while(|(index, _)| *index < read);
        let mut frontier = reading.frontier.clone();
        frontier.extend(unread().map(|(_, entry)| leaf_hash(entry)));
        if proven.is_some_and(|root| root != frontier.root()) {
            let problem = format!("its entries are not those under the root of {size} entries");
            return Err(malformed(&resource, problem));
        }
        unread().for_each(|(index, entry)| reading.take(entry, index, rules));
        reading.frontier = frontier;
        // A whole log need not fit into memory; a tile that grows may be needed once more.
        if path.is_full() {
            self.received.forget(&resource);
        }
        Ok(())
    }

    /// Charters that the bundle does not have break rule 1, or are left out. The first one counts, if it comes before every other
    /// breach. Since when they are public, and which edition was in force by then, does not matter: whoever shows proofs could show
    /// later ones, by which the consent of an edition that is over was missing. A log admits none that lacks the consent of any
    /// edition that waits.
    fn judge_strays(&self, reading: &mut Reading, editions: &Editions) {
        let before = |index: LeafIndex| reading.breach.as_ref().is_none_or(|breach| index < breach.index);
        let strays = reading.strays.iter().filter(|(index, _)| before(*index));
        let first = strays.filter_map(|(index, charter)| self.stray(charter, *index, editions)).next();
        reading.breach = first.or(reading.breach.take());
    }

    /// The breach that a charter is which the bundle does not have. Among those before the edition that the policy pins a
    /// second text is the developer's to know.
    fn stray(&self, charter: &Signed<Charter>, index: LeafIndex, editions: &Editions) -> Option<Breach> {
        let (id, number) = (charter.id(), charter.body().edition);
        let Some(known) = edition(editions, number) else {
            return Some(Breach { index, violation: Violation::UnknownCharter { id }, texts: Texts::None });
        };
        let (first, second) = if known.index() < index { (known.id(), id) } else { (id, known.id()) };
        let violation = Violation::Equivocation { series: Series::Edition, number, first, second };
        let texts = Texts::Editions(Box::new(charter.clone()));
        let counts = known.index().max(index) > self.pinned(editions);
        counts.then_some(Breach { index, violation, texts })
    }

    /// Where the edition stands that the policy pins.
    fn pinned(&self, editions: &Editions) -> LeafIndex {
        editions.find(self.policy.charter()).map_or(LeafIndex(0), Edition::index)
    }

    /// The releases of the bundle that this client may accept, and the one in force, with their versions.
    fn offered(&self, known: &mut HashMap<StatementId, u64>, bundle: &Bundle) -> Result<Vec<(u64, Included)>, Stop> {
        let version = |included: &Included| {
            if let Some(version) = known.get(&included.id) {
                return Ok((*version, included.clone()));
            }
            let resource = Resource::Statement(included.id);
            let release = self.logged(bundle, included)?.into_release();
            let version = release.ok_or_else(|| malformed(&resource, "not a release"))?.body().version;
            known.insert(included.id, version);
            Ok((version, included.clone()))
        };
        let mut offered: Vec<_> = self.not_older(bundle).iter().map(version).collect::<Result<_, Stop>>()?;
        offered.extend(
            self.state.accepted().zip(self.state.accepted_index()).map(|(accepted, index)| {
                (accepted.version, Included { id: accepted.release, index, path: Vec::new() })
            }),
        );
        Ok(offered)
    }

    /// The newest signed release in the log is offered, whatever comes of it; [`between`] looks for the others.
    fn check_none_left_out(&self, reading: &Reading, offered: &[(u64, Included)]) -> Result<(), Stop> {
        let newest = offered.iter().map(|(version, _)| *version).max().unwrap_or(0);
        if newest >= reading.newest {
            return Ok(());
        }
        let problem = format!("without version {}, which is in the log", reading.newest);
        Err(malformed(&Resource::Bundle(self.policy.list().clone()), problem))
    }

    /// What a breach is to the caller, with evidence where it can be had.
    fn breach(&self, breach: &Breach, bundle: &Bundle) -> Result<Rejection, Stop> {
        let Breach { index, violation, texts } = breach;
        if let Violation::UnknownCharter { id } = violation {
            let problem = format!("without the edition {id}, which is in the log");
            return Err(malformed(&Resource::Bundle(self.policy.list().clone()), problem));
        }
        let evidence = match texts {
            Texts::Releases(first, second) => self.read_equivocation(first, second, *index, bundle),
            Texts::Editions(other) => self.read_editions(other, *index, bundle),
            Texts::None => Ok(None),
        };
        let evidence = unless_refused(evidence)?.flatten().filter(|found| found.verify(self.policy.trust()).is_ok());
        Ok(Rejection::Entry { index: *index, violation: violation.clone(), evidence: evidence.map(Box::new) })
    }

    /// Proof that two texts for one version are in the log.
    fn read_equivocation(
        &self,
        first: &ReadRelease,
        second: &Signed<Release>,
        index: LeafIndex,
        bundle: &Bundle,
    ) -> Result<Option<Evidence>, Stop> {
        let one = self.statement(&first.release)?.into_release();
        let Some(one) = one else { return Ok(None) };
        let in_log = |index| self.received.place(index, &bundle.checkpoint);
        let (place, other_place) = (in_log(first.index)?, in_log(index)?);
        let charters = self.logged_charter(&one.body().charter, bundle)?;
        let others = self.logged_charter(&second.body().charter, bundle)?;
        let (Some((charter, proof)), Some((other, other_proof))) = (&charters, &others) else { return Ok(None) };
        Ok(Some(Evidence::equivocation_across(
            (InLog { statement: charter, proof }, InLog { statement: &one, proof: &place }),
            (InLog { statement: other, proof: other_proof }, InLog { statement: second, proof: &other_place }),
        )))
    }

    /// Proof that two texts for one edition are in the log: the one at `index`, and that of the bundle.
    fn read_editions(
        &self,
        other: &Signed<Charter>,
        index: LeafIndex,
        bundle: &Bundle,
    ) -> Result<Option<Evidence>, Stop> {
        let place = self.received.place(index, &bundle.checkpoint)?;
        let (mut known, mut before) = (None, None);
        for included in &bundle.charters {
            let charter = self.logged_charter(&included.id, bundle)?;
            let number = charter.as_ref().map_or(0, |(charter, _)| charter.body().edition);
            match number.checked_sub(other.body().edition) {
                Some(0) => known = charter,
                None if number + 1 == other.body().edition => before = charter,
                _ => {}
            }
        }
        let before = before.as_ref().map(|(statement, proof)| InLog { statement, proof });
        Ok(known.as_ref().map(|(statement, proof)| {
            Evidence::two_editions(before, InLog { statement, proof }, InLog { statement: other, proof: &place })
        }))
    }

    /// A charter of the bundle, with its place in the log.
    fn logged_charter(&self, id: &StatementId, bundle: &Bundle) -> Result<Option<(Signed<Charter>, TlogProof)>, Stop> {
        let Some(included) = bundle.charters.iter().find(|charter| charter.id == *id) else { return Ok(None) };
        let place = proof(included.index, &included.path, &bundle.checkpoint);
        Ok(self.statement(id)?.into_charter().map(|charter| (charter, place)))
    }

    /// The auditors of the policy that attest to have followed the log up to a release; or what is missing.
    pub(super) fn check_attested(
        &self,
        bundle: &Bundle,
        release: &Included,
    ) -> Result<Result<Vec<VerifierKey>, Violation>, Stop> {
        let audit = self.policy.audit();
        let mut heard: Vec<VerifierKey> = Vec::new();
        for included in bundle.attestations.iter().filter(|_| audit.followed > 0) {
            let resource = Resource::Statement(included.id);
            let attestation = self.logged(bundle, included)?.into_attestation();
            let attestation = attestation.ok_or_else(|| malformed(&resource, "not an attestation"))?;
            let auditor = &attestation.body().auditor;
            if audit.counts(auditor) && self.counts_for(attestation.body(), included, release, bundle)? {
                signatures::attestation(&attestation).map_err(|violation| rule(included.id, violation))?;
                heard.push(auditor.clone());
            }
        }
        let (have, need) = (audit.heard(&heard), audit.followed);
        Ok(if have >= need { Ok(heard) } else { Err(Violation::TooFewAttestations { have, need }) })
    }

    /// Whether an attestation counts for a release: it names that one, or a newer one of the bundle, and its auditor read
    /// beyond that (rule 9).
    fn counts_for(
        &self,
        attestation: &Attestation,
        place: &Included,
        release: &Included,
        bundle: &Bundle,
    ) -> Result<bool, Stop> {
        let names = |at: &&Included| at.id == attestation.release && at.index >= release.index;
        let Some(named) = bundle.releases.iter().find(names) else { return Ok(false) };
        // Newer ones were judged before this one, so each is at hand.
        self.logged(bundle, named)?;
        Ok(attestations::followed(attestation, place.index, named.index))
    }
}

/// Every release offered, and the one in force, is the first text for its version, at its first place.
fn check_first(reading: &Reading, offered: &[(u64, Included)]) -> Result<(), Stop> {
    for (version, included) in offered {
        let Some(first) = reading.releases.get(version) else { continue };
        let same = first.release == included.id;
        if same && first.index == included.index {
            continue;
        }
        let (number, first_id, second) = (*version, first.release, included.id);
        let violation = match same {
            true => Violation::AlreadyLogged { id: second },
            false => Violation::Equivocation { series: Series::Version, number, first: first_id, second },
        };
        return Err(Rejection::Entry { index: included.index, violation, evidence: None }.into());
    }
    Ok(())
}

/// Evidence that a source does not give is no reason to forget why a list is refused.
fn unless_refused<T>(outcome: Result<T, Stop>) -> Result<Option<T>, Stop> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Stop::Reject(_)) => Ok(None),
        Err(stop) => Err(stop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::time::Timestamp;
    use isonomy_tests::people::{LOG, list, sign_charter};
    use isonomy_tests::world::World;

    /// Of the same list in another log, or after another edition: its people have signed it, and no second text here.
    #[test]
    fn what_is_of_another_log_or_follows_another_edition_is_no_text_here() {
        let world = World::founded();
        let founding = world.charters().next().unwrap().clone();
        let editions = Editions::of_logged(LOG, &list(), vec![(founding.clone(), LeafIndex(0), Timestamp(0))]).unwrap();
        let rules = Rules { log: LOG, list: &list(), editions: &editions, pinned: LeafIndex(0) };
        let first = |edit: fn(&mut Charter)| {
            let mut charter = founding.body().clone();
            edit(&mut charter);
            sign_charter(&charter)
        };
        let second = |edit: fn(&mut Charter)| sign_charter(&world.amended(edit));
        for (charter, is_text) in [
            (first(|charter| charter.matching.max_distance = 9), true),
            (first(|charter| charter.log = "log.example/other".into()), false),
            (second(|charter| charter.matching.max_distance = 9), true),
            (second(|charter| charter.log = "log.example/other".into()), false),
            (second(|charter| charter.previous = Some(StatementId([7; 32]))), false),
            (second(|charter| charter.edition = 3), false),
        ] {
            let mut reading = Reading::from_start();
            reading.take(&charter.to_bytes(), LeafIndex(1), &rules);
            assert_eq!(reading.strays.len(), usize::from(is_text), "{:?}", charter);
        }
    }

    /// What is between may have been read without an edition that a source left out: only who reads from the start accuses.
    #[test]
    fn a_gap_after_what_the_state_says_was_read_is_looked_into() {
        let mut world = World::with_release();
        let first = world.releases().last().unwrap().id();
        world.release(isonomy_tests::people::hashes(0..12), 200);
        world.release(isonomy_tests::people::hashes(0..14), 300);
        let founding = world.charters().next().unwrap().clone();
        let editions = Editions::of_logged(LOG, &list(), vec![(founding, LeafIndex(0), Timestamp(0))]).unwrap();
        let rules = Rules { log: LOG, list: &list(), editions: &editions, pinned: LeafIndex(0) };
        let third = world.releases().last().unwrap().to_bytes();
        for (from_start, accuses) in [(false, false), (true, true)] {
            let one = ReadRelease { version: 1, release: first, index: LeafIndex(1) };
            let releases = BTreeMap::from([(1, one)]);
            let mut reading = Reading { releases, newest: 1, from_start, ..Reading::from_start() };
            reading.take(&third, LeafIndex(5), &rules);
            let gap = Violation::NotContiguous { series: Series::Version, expected: 2, found: 3 };
            let found = reading.breach.map(|breach| breach.violation);
            assert_eq!((reading.lacks_start, found), (!accuses, accuses.then_some(gap)), "{from_start}");
        }
    }

    /// Of a version that the state says nothing of this may be the second text.
    #[test]
    fn a_version_between_those_that_the_state_says_were_read_is_looked_into() {
        let mut world = World::with_release();
        for size in [12, 14] {
            world.release(isonomy_tests::people::hashes(0..size), 100 * size);
        }
        let releases: Vec<_> = world.releases().map(|release| (release.body().version, release.id())).collect();
        let founding = world.charters().next().unwrap().clone();
        let editions = Editions::of_logged(LOG, &list(), vec![(founding, LeafIndex(0), Timestamp(0))]).unwrap();
        let rules = Rules { log: LOG, list: &list(), editions: &editions, pinned: LeafIndex(0) };
        let second = world.statement(&releases[1].1).to_bytes();
        for from_start in [false, true] {
            let known = [releases[0], releases[2]]
                .map(|(version, release)| (version, ReadRelease { version, release, index: LeafIndex(version) }));
            let releases = BTreeMap::from(known);
            let mut reading = Reading { releases, newest: 3, from_start, ..Reading::from_start() };
            reading.take(&second, LeafIndex(4), &rules);
            assert_eq!((reading.lacks_start, reading.releases.contains_key(&2)), (!from_start, from_start));
        }
    }

    /// Whoever may write to a log may write one text a million times.
    #[test]
    fn a_charter_that_is_logged_again_and_again_is_kept_once() {
        let world = World::founded();
        let founding = world.charters().next().unwrap().clone();
        let editions = Editions::of_logged(LOG, &list(), vec![(founding, LeafIndex(0), Timestamp(0))]).unwrap();
        let rules = Rules { log: LOG, list: &list(), editions: &editions, pinned: LeafIndex(0) };
        let mut reading = Reading::from_start();
        let texts =
            [20, 22].map(|distance| sign_charter(&world.amended(|charter| charter.matching.max_distance = distance)));
        for index in 1..1000 {
            reading.take(&texts[index % 2].to_bytes(), LeafIndex(index as u64), &rules);
        }
        let kept: Vec<_> = reading.strays.iter().map(|(index, charter)| (index.0, charter.id())).collect();
        assert_eq!(kept, [(1, texts[1].id()), (2, texts[0].id())]);
    }
}
