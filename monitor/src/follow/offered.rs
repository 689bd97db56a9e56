//! What clients update from, asked for as a client asks, wherever the newest state is shown: each list's bundle, the
//! statement and the seen proof of its newest release; and one statement, one seen proof and one tile of all, in turn.
//!
//! A log can keep a release, or a removal, from everybody who updates by bundles, without hiding it from whoever reads
//! entries. What is not served may be the fault of the way there, so all of this is observed, and proves nothing.

use crate::finding::{Finding, Severity};
use crate::freshness;
use crate::monitor::{Monitor, MonitorError};
use crate::offers::Offer;
use crate::relation::{Relation, relate};
use crate::report::ViewState;
use crate::units;
use crate::vantage::{Lack, Vantage};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use isonomy_core::bundle::Bundle;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tile::{TILE_HEIGHT, TilePath};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{LeafIndex, NodeCoordinate, TreeSize};
use std::collections::BTreeSet;

/// Of how many lists the bundles are asked for at a look; of more, others at each.
pub(crate) const LISTS: usize = 16;
/// How many things that were not served are asked for again at each look, of each vantage point.
const AGAIN: usize = 16;
/// How many requests are under way at each vantage point.
const AT_ONCE: usize = 8;
/// The entry whose turn it is moves on by so many, so that it comes through the whole log soon: a prime.
const STRIDE: u64 = 982_451_653;

const WITHHELD: &str = "bundle-withheld";
const UNUSABLE: &str = "bundle-unusable";
const STALE: &str = "bundle-stale";
const AWAITED: &str = "bundle-awaited";
/// Every finding of this module: about bundles, and about parts.
const OF_BUNDLES: [&str; 4] = [WITHHELD, UNUSABLE, STALE, AWAITED];
const OF_PARTS: [&str; 3] = ["statement-withheld", "proof-withheld", "tile-withheld"];

/// What was asked for so far.
#[derive(Debug, Default)]
pub(crate) struct Offered {
    turn: u64,
    /// The vantage points that have served bundles. A mirror need not; one that did should go on.
    serve_bundles: BTreeSet<usize>,
}

/// Something immutable, or nearly so, that clients need.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Part {
    Statement(LeafIndex),
    Proof(LeafIndex),
    Tile(TilePath),
}

impl Part {
    /// The finding that it is not served.
    fn code(&self) -> &'static str {
        match self {
            Self::Statement(_) => "statement-withheld",
            Self::Proof(_) => "proof-withheld",
            Self::Tile(_) => "tile-withheld",
        }
    }

    /// What a finding of this code is about, at a vantage point.
    fn of(finding: &Finding) -> Option<Self> {
        match finding.code.as_str() {
            "statement-withheld" => Some(Self::Statement(finding.index?)),
            "proof-withheld" => Some(Self::Proof(finding.index?)),
            _ => TilePath::parse(finding.subject.split(' ').next()?).ok().map(Self::Tile),
        }
    }

    fn subject(&self, label: &str) -> String {
        match self {
            Self::Statement(index) | Self::Proof(index) => format!("entry {index} at {label}"),
            Self::Tile(path) => format!("{path} at {label}"),
        }
    }
}

/// What came of asking for a part.
enum Got {
    Bytes(Vec<u8>),
    Proof(Box<TlogProof>),
}

/// What one vantage point gave.
struct Given {
    at: usize,
    bundles: Vec<(ListName, Result<Bundle, Lack>)>,
    parts: Vec<(Part, Result<Got, Lack>)>,
}

async fn ask(vantage: &Vantage, part: &Part, statement: Option<Statement>) -> Result<Got, Lack> {
    let unknown = || Lack::Unavailable("this monitor's own copy is damaged".to_owned());
    match part {
        Part::Tile(path) => vantage.tile(path).await.map(Got::Bytes),
        Part::Statement(_) => vantage.statement(&statement.ok_or_else(unknown)?.id()).await.map(Got::Bytes),
        Part::Proof(_) => {
            vantage.seen_proof(&statement.ok_or_else(unknown)?.id()).await.map(|proof| Got::Proof(Box::new(proof)))
        }
    }
}

impl Monitor {
    /// Asks for what clients need, and notes what is not served, or is not what it must be.
    pub(crate) async fn look_as_clients_do(&mut self, clock: Timestamp) -> Result<(), MonitorError> {
        if !self.mirror.is_complete() || self.audit.next().0 == 0 {
            return Ok(());
        }
        // Also where each look is a process of its own, others have their turn.
        self.offered.turn = if self.offered.turn == 0 { clock.0 / 60 } else { self.offered.turn.wrapping_add(1) };
        let (lists, unproven) = (self.lists_in_turn(), self.unproven());
        // Who shows an older state, or nothing, is spoken of elsewhere.
        let shows = |at: &usize| self.views.sources.get(*at).is_some_and(|source| source.state == ViewState::Same);
        let shows: Vec<usize> = (0..self.vantages.len()).filter(shows).collect();
        let mut answered = BTreeSet::new();
        for Given { at, bundles, parts } in
            join_all(shows.clone().into_iter().map(|at| self.ask_for_offers(at, &lists, &unproven))).await
        {
            let Some(label) = self.label(at) else { continue };
            for (name, bundle) in bundles {
                // Who is put off has not learned whether what was wrong before still is.
                if !is_put_off(&bundle) {
                    answered.insert(format!("{name} at {label}"));
                }
                self.judge_bundle((at, &label), (&name, bundle), &unproven, clock).await?;
            }
            for (part, got) in parts.into_iter().filter(|(_, got)| !is_put_off(got)) {
                answered.insert(part.subject(&label));
                self.judge_part((at, &label), &part, got).await?;
            }
        }
        let shows: Vec<String> = shows.into_iter().filter_map(|at| self.label(at)).collect();
        for code in OF_BUNDLES.into_iter().chain(OF_PARTS) {
            for found in self.ledger.carried(code) {
                if !answered.contains(&found.subject) && shows.iter().any(|label| is_at(&found, label)) {
                    self.ledger.keep(&found);
                }
            }
        }
        Ok(())
    }

    fn label(&self, at: usize) -> Option<String> {
        Some(self.vantages.get(at)?.label().to_owned())
    }

    /// The lists whose turn it is; those whose bundles were found wanting at the look before are among them.
    fn lists_in_turn(&self) -> Vec<ListName> {
        let mut all: Vec<&ListName> = self.audit.history().lists().map(|(name, _)| name).collect();
        let first = self.offered.turn.wrapping_mul(LISTS as u64).checked_rem(all.len() as u64).unwrap_or(0);
        all.rotate_left(usize::try_from(first).unwrap_or(0));
        let wanting: Vec<Finding> = OF_BUNDLES.iter().flat_map(|code| self.ledger.carried(code)).collect();
        let wanting: BTreeSet<&ListName> = wanting.iter().filter_map(|found| found.list.as_ref()).collect();
        let again = all.iter().filter(|name| wanting.contains(**name)).take(LISTS);
        let others = all.iter().filter(|name| !wanting.contains(**name)).take(LISTS);
        again.chain(others).map(|name| (*name).clone()).collect()
    }

    /// Asks one vantage point, within the time of this look.
    async fn ask_for_offers(&self, at: usize, lists: &[ListName], unproven: &BTreeSet<LeafIndex>) -> Given {
        let Some(vantage) = self.vantages.get(at) else { return Given { at, bundles: Vec::new(), parts: Vec::new() } };
        let asked: Vec<ListName> = lists.to_vec();
        let asking = asked.into_iter().map(|name| async move {
            let bundle = vantage.bundle(&name).await;
            (name, bundle)
        });
        let bundles: Vec<_> = stream::iter(asking).buffered(AT_ONCE).take_until(self.end_of_look()).collect().await;
        let serves = at == 0 || self.serves_bundles(at) || bundles.iter().any(|(_, bundle)| bundle.is_ok());
        let mut parts = self.parts_in_turn(vantage.label(), lists);
        parts.retain(|part| match part {
            Part::Tile(_) => true,
            Part::Statement(_) => serves,
            // That nobody shows it is said already.
            Part::Proof(index) => serves && !unproven.contains(index),
        });
        let asking = parts.into_iter().map(|part| async move {
            let statement = match &part {
                Part::Statement(index) | Part::Proof(index) => self.mirror.statement(*index),
                Part::Tile(_) => None,
            };
            let got = ask(vantage, &part, statement).await;
            (part, got)
        });
        let parts = stream::iter(asking).buffered(AT_ONCE).take_until(self.end_of_look()).collect().await;
        Given { at, bundles, parts }
    }

    /// Whether a vantage point has served bundles before.
    fn serves_bundles(&self, at: usize) -> bool {
        let of = |found: &Finding| self.vantages.get(at).is_some_and(|vantage| is_at(found, vantage.label()));
        self.offered.serve_bundles.contains(&at) || self.ledger.carried(WITHHELD).iter().any(of)
    }

    /// What is asked for of the rest: what was not served at the look before, what whoever updates now needs, and one of
    /// each kind in turn.
    fn parts_in_turn(&self, label: &str, lists: &[ListName]) -> BTreeSet<Part> {
        let before = OF_PARTS.iter().flat_map(|code| self.ledger.carried(code)).filter(|found| is_at(found, label));
        let again = before.filter_map(|found| Part::of(&found)).take(AGAIN);
        let newest = lists.iter().filter_map(|name| Some(self.audit.history().list(name)?.releases().last()?.index));
        let newest = newest.flat_map(|index| [Part::Statement(index), Part::Proof(index)]);
        let (turn, size) = (self.offered.turn, self.mirror.size());
        let entry = |third: u64| entry_in_turn(turn.wrapping_add(third * (size.0 / 3)), size);
        let in_turn = [Part::Statement(entry(0)), Part::Proof(entry(1))];
        let tile = tile_in_turn(turn, entry(2), size).map(Part::Tile);
        again.chain(newest).chain(in_turn).chain(tile).collect()
    }

    async fn judge_bundle(
        &mut self,
        (at, label): (usize, &str),
        (name, bundle): (&ListName, Result<Bundle, Lack>),
        unproven: &BTreeSet<LeafIndex>,
        clock: Timestamp,
    ) -> Result<(), MonitorError> {
        let (may_lack, subject) = (at > 0 && !self.serves_bundles(at), format!("{name} at {label}"));
        let (code, severity, words) = match bundle {
            Err(Lack::Unavailable(_) | Lack::PutOff(_)) if may_lack => return Ok(()),
            Err(Lack::PutOff(words)) => {
                let lasts =
                    self.ledger.standing_for(AWAITED, &subject) > freshness::allowance(self.audit.history(), clock);
                let words = format!(
                    "{label} puts off whoever asks for the bundle of {name}, by which clients update: {words}. For a moment that is normal. If it lasts, clients there keep what they have until it is too old."
                );
                (AWAITED, if lasts { of_vantage(at) } else { Severity::Notice }, words)
            }
            Err(Lack::Unavailable(words)) => (
                WITHHELD,
                of_vantage(at),
                format!(
                    "{label} does not give the bundle of {name}, by which clients update: {words}. If that lasts, clients there keep what they have until it is too old."
                ),
            ),
            Err(Lack::Wrong(words)) => (
                UNUSABLE,
                of_vantage(at),
                format!("What {label} gives for the bundle of {name} is none: {words}. No client accepts it."),
            ),
            Ok(bundle) => {
                self.offered.serve_bundles.insert(at);
                match self.fault_of((at, label), (name, &bundle), unproven, clock).await? {
                    Some(fault) => fault,
                    None => return Ok(()),
                }
            }
        };
        self.ledger.note(Finding::new(severity, code, subject, words).in_list(name));
        Ok(())
    }

    /// What is wrong with a bundle: code, severity and words.
    async fn fault_of(
        &mut self,
        (at, label): (usize, &str),
        (name, bundle): (&ListName, &Bundle),
        unproven: &BTreeSet<LeafIndex>,
        clock: Timestamp,
    ) -> Result<Option<(&'static str, Severity, String)>, MonitorError> {
        let unusable = |words: String| {
            let words = format!(
                "A client that updates from the bundle of {name} at {label} is not given what is public, or can't accept it: {words}."
            );
            Ok(Some((UNUSABLE, of_vantage(at), words)))
        };
        let view = match self.trust.view(bundle.checkpoint.clone()) {
            Ok(view) => view,
            Err(problem) => return unusable(format!("its checkpoint is not this log's ({problem})")),
        };
        let now = match view.times() {
            Ok(times) => times.latest,
            Err(problem) => return unusable(format!("of its checkpoint, {problem}")),
        };
        if let Relation::Forked(evidence) = relate(&self.mirror, &view, &self.vantages).await {
            self.note_fork(&format!("the bundle of {name} at {label}"), &evidence)?;
            return Ok(None);
        }
        let Some(list) = self.audit.history().list(name) else { return Ok(None) };
        let covered = view.size().0.min(self.audit.next().0);
        let offer = Offer { name, history: self.audit.history(), list, covered, now, unproven };
        if let Some(words) = offer.fault(bundle, |index| self.mirror.entry(index)) {
            return unusable(words);
        }
        let shown = self.views.sources.get(at).and_then(|source| source.size).unwrap_or_default();
        let allowance = freshness::allowance(self.audit.history(), clock);
        let age = self.known_as_of().map_or(0, |known| known.since(now));
        if view.size() >= shown && age <= allowance {
            return Ok(None);
        }
        let lasts = age > allowance || self.ledger.standing_for(STALE, &format!("{name} at {label}")) > allowance;
        let severity = if lasts { of_vantage(at) } else { Severity::Notice };
        let words = format!(
            "The bundle of {name} at {label} is of {} entries, witnessed at {now}; the same place shows the log with {}. For a moment that is normal. If it lasts, whoever updates from there learns of nothing newer.",
            units::number(view.size().0),
            units::number(shown.0)
        );
        Ok(Some((STALE, severity, words)))
    }

    async fn judge_part(
        &mut self,
        (at, label): (usize, &str),
        part: &Part,
        got: Result<Got, Lack>,
    ) -> Result<(), MonitorError> {
        let problem = match (part, got) {
            (_, Err(lack)) => lack.words().to_owned(),
            (Part::Tile(path), Ok(Got::Bytes(bytes))) if self.mirror.tile(path).is_none_or(|own| own == bytes) => {
                return Ok(());
            }
            (Part::Statement(index), Ok(Got::Bytes(bytes)))
                if self.mirror.entry(*index).is_none_or(|own| own == bytes) =>
            {
                return Ok(());
            }
            (Part::Proof(index), Ok(Got::Proof(proof))) => match self.proof_fault(*index, &proof, label).await? {
                Some(problem) => problem,
                None => return Ok(()),
            },
            (_, Ok(_)) => "what comes is something else".to_owned(),
        };
        let (what, about) = match part {
            Part::Tile(path) => (format!("{path}, from which proofs are made"), None),
            Part::Statement(index) => (format!("the statement at entry {index} by its identity"), Some(index)),
            Part::Proof(index) => (format!("a seen proof of entry {index} that holds"), Some(index)),
        };
        let words = format!("{label} does not give {what}: {problem}. If that lasts, clients there can't go on.");
        let mut finding = Finding::new(of_vantage(at), part.code(), part.subject(label), words);
        if let Some((index, statement)) = about.and_then(|index| Some((*index, self.mirror.statement(*index)?))) {
            finding = finding.in_list(statement.list()).about(&statement.id(), index);
        }
        self.ledger.note(finding);
        Ok(())
    }

    /// Why a seen proof does not hold. One that nobody has shown yet is spoken of elsewhere.
    async fn proof_fault(
        &mut self,
        index: LeafIndex,
        proof: &TlogProof,
        label: &str,
    ) -> Result<Option<String>, MonitorError> {
        let Some(entry) = self.mirror.entry(index) else { return Ok(None) };
        // Of a text that is logged again, there is one, of the first.
        let index =
            Statement::parse(&entry).ok().and_then(|known| self.audit.history().index_of(&known.id())).unwrap_or(index);
        if proof.index != index || self.trust.proven(proof, &entry).is_none() {
            return Ok(Some("what comes does not prove it".to_owned()));
        }
        let Ok(view) = self.trust.view(proof.checkpoint.clone()) else { return Ok(None) };
        if let Relation::Forked(evidence) = relate(&self.mirror, &view, &[]).await {
            self.note_fork(label, &evidence)?;
        }
        Ok(None)
    }
}

fn is_put_off<T>(got: &Result<T, Lack>) -> bool {
    matches!(got, Err(Lack::PutOff(_)))
}

fn of_vantage(at: usize) -> Severity {
    // The log must serve what it admitted. A mirror need not have everything.
    if at == 0 { Severity::Warning } else { Severity::Notice }
}

fn is_at(finding: &Finding, label: &str) -> bool {
    finding.subject.ends_with(&format!(" at {label}"))
}

/// Each entry has its turn, in an order that goes through the whole log soon.
fn entry_in_turn(turn: u64, size: TreeSize) -> LeafIndex {
    let place = u128::from(turn) * u128::from(STRIDE) % u128::from(size.0.max(1));
    LeafIndex(u64::try_from(place).unwrap_or(0))
}

/// A tile of entries, or one of the hashes above them, at any level.
fn tile_in_turn(turn: u64, entry: LeafIndex, size: TreeSize) -> Option<TilePath> {
    let levels = (0..8u8).take_while(|level| size.0 >> (level * TILE_HEIGHT) > 0).count() as u64;
    let level = turn.checked_rem(levels + 1)?;
    let Some(level) = level.checked_sub(1).and_then(|level| u8::try_from(level).ok()) else {
        return TilePath::of_entry(entry, size);
    };
    let level = level * TILE_HEIGHT;
    let index = (entry.0 >> level).min((size.0 >> level).saturating_sub(1));
    TilePath::of_node(&NodeCoordinate { level, index }, size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::tile;

    #[test]
    fn every_tile_and_every_entry_has_its_turn() {
        for size in [1, 5, 256, 700, 66_000] {
            let size = TreeSize(size);
            let turns = 0..20 * size.0.div_ceil(256) + 50 * 4;
            let entry = |turn| entry_in_turn(turn, size);
            let shown: BTreeSet<TilePath> = turns.filter_map(|turn| tile_in_turn(turn, entry(turn), size)).collect();
            let mut all: BTreeSet<TilePath> = tile::entry_tiles(LeafIndex(0), size).collect();
            let levels = (0..8).map(|level| (level, size.0 >> (8 * level))).filter(|(_, count)| *count > 0);
            for (level, count) in levels {
                let nodes = (0..count).step_by(256).map(|index| NodeCoordinate { level: 8 * level, index });
                all.extend(nodes.filter_map(|node| TilePath::of_node(&node, size)));
            }
            assert!(shown.is_subset(&all), "{size}");
            assert!(shown.len() * 10 >= all.len() * 9, "{size}: {} of {}", shown.len(), all.len());
            let entries: BTreeSet<LeafIndex> = (7..7 + size.0).map(entry).collect();
            assert_eq!(entries.len() as u64, size.0);
        }
    }
}
