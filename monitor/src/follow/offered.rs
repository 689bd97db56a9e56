//! What clients update from, asked for as a client asks, wherever the newest state is shown: each list's bundle, the
//! statement and the seen proof of its newest release; and one statement, one seen proof and one tile of all, in turn.
//!
//! A log can keep a release, or a removal, from everybody who updates by bundles, without hiding it from whoever reads
//! entries. What is not served may be the fault of the way there, so all of this is observed, and proves nothing.

mod parts;

use super::reading::Seen;
use crate::finding::{Finding, Severity};
use crate::freshness;
use crate::monitor::{Monitor, MonitorError};
use crate::offers::Offer;
use crate::relation::{Relation, relate};
use crate::report::ViewState;
use crate::units;
use crate::vantage::Lack;
use futures_util::future::{BoxFuture, FutureExt, join_all};
use futures_util::stream::{self, StreamExt};
use isonomy_core::bundle::Bundle;
use isonomy_core::hash::StatementId;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;
use isonomy_store::files::FileError;
use parts::{Got, Part, entry_in_turn, tile_in_turn};
use std::collections::{BTreeMap, BTreeSet};

/// Of how many lists the bundles are asked for at a look; of more, others at each.
pub(crate) const LISTS: usize = 16;
/// How many things that were not served are asked for again at each look, of each vantage point. While there are so many, no
/// others have their turn.
const AGAIN: usize = 16;
/// How many requests are under way at each vantage point.
const AT_ONCE: usize = 8;

const WITHHELD: &str = "bundle-withheld";
const UNUSABLE: &str = "bundle-unusable";
const STALE: &str = "bundle-stale";
const AWAITED: &str = "bundle-awaited";
/// Every finding of this module: about bundles, and about parts.
const OF_BUNDLES: [&str; 4] = [WITHHELD, UNUSABLE, STALE, AWAITED];
const OF_PARTS: [&str; 4] = ["statement-withheld", "proof-withheld", "tile-withheld", PROOF_LATER];
/// The finding that a seen proof is served by which a statement is public later than by another one.
const PROOF_LATER: &str = "proof-later";
/// The finding that parts were not had yet from a vantage point.
const PARTS_AWAITED: &str = "parts-awaited";
/// Why something was not had that did not come before the end of a look.
const NOT_IN_TIME: &str = "it did not come before the end of this look";

/// What was asked for so far.
#[derive(Debug, Default)]
pub(crate) struct Offered {
    turn: u64,
    /// The vantage points that have served bundles. A mirror need not; one that did should go on.
    serve_bundles: BTreeSet<usize>,
    /// Whether a seen proof was shown that proves more than the one that was known.
    has_earlier: bool,
    /// What was put off at the look before, by vantage point.
    awaited: BTreeMap<usize, BTreeSet<Part>>,
}

impl Offered {
    /// Whether a seen proof came since the last time that proves more than the one that was known.
    pub(super) fn take_earlier(&mut self) -> bool {
        std::mem::take(&mut self.has_earlier)
    }
}

/// What came of asking one vantage point for everything that it was to be asked for.
struct Given {
    at: usize,
    bundles: Vec<(ListName, Result<Bundle, Lack>)>,
    parts: Vec<(Part, Result<Got, Lack>)>,
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
        let shows = self.showing_newest();
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
            let (put_off, parts): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(_, got)| is_put_off(got));
            self.note_awaited((at, &label), put_off);
            for (part, got) in parts {
                answered.insert(part.subject(&label));
                self.judge_part((at, &label), &part, got).await?;
            }
        }
        let shows: Vec<String> = shows.into_iter().filter_map(|at| self.label(at)).collect();
        for code in OF_BUNDLES.into_iter().chain(OF_PARTS) {
            for found in self.ledger.carried(code) {
                let is_open =
                    !answered.contains(&found.subject) && Part::of(&found).is_none_or(|part| self.can_ask(&part));
                if is_open && shows.iter().any(|label| is_at(&found, label)) {
                    self.ledger.keep(&found);
                }
            }
        }
        Ok(())
    }

    /// The vantage points that show the newest state: who shows an older one, or nothing, can't be asked for what is newer, and
    /// is spoken of elsewhere.
    pub(super) fn showing_newest(&self) -> Vec<usize> {
        let shows = |at: &usize| self.views.sources.get(*at).is_some_and(|source| source.state == ViewState::Same);
        (0..self.vantages.len()).filter(shows).collect()
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
        let asking = lists.iter().map(|name| async move { (name.clone(), vantage.bundle(name).await) }.boxed());
        let bundles = self.ask_all(lists.to_vec(), asking.collect()).await;
        let serves = at == 0 || self.serves_bundles(at) || bundles.iter().any(|(_, bundle)| bundle.is_ok());
        let mut parts = self.parts_in_turn((at, vantage.label()), lists);
        parts.retain(|part| match part {
            Part::Tile(_) => true,
            Part::Statement(_) => serves,
            // That nobody shows it is said already.
            Part::Proof(index) => serves && !unproven.contains(index),
        });
        let asking = parts.iter().map(|part| {
            let statement = part.index().and_then(|index| self.mirror.statement(index));
            async move { (part.clone(), parts::ask(vantage, part, statement).await) }.boxed()
        });
        let asking = asking.collect();
        let parts = self.ask_all(parts.iter().cloned().collect(), asking).await;
        Given { at, bundles, parts }
    }

    /// Asks for all of these, several at a time. What does not come before the end of this look is put off.
    async fn ask_all<K: Ord, T>(
        &self,
        things: Vec<K>,
        asking: Vec<BoxFuture<'_, (K, Result<T, Lack>)>>,
    ) -> Vec<(K, Result<T, Lack>)> {
        let answers = stream::iter(asking).buffer_unordered(AT_ONCE).take_until(self.end_of_look());
        let mut came: BTreeMap<K, Result<T, Lack>> = answers.collect().await;
        let answer = |thing: K| {
            let answer = came.remove(&thing).unwrap_or_else(|| Err(Lack::PutOff(NOT_IN_TIME.to_owned())));
            (thing, answer)
        };
        things.into_iter().map(answer).collect()
    }

    /// Whether a part can be asked for: what is no statement has no identity.
    fn can_ask(&self, part: &Part) -> bool {
        part.index().is_none_or(|index| self.mirror.statement(index).is_some())
    }

    /// Whether a vantage point has served bundles before.
    fn serves_bundles(&self, at: usize) -> bool {
        let of = |found: &Finding| self.vantages.get(at).is_some_and(|vantage| is_at(found, vantage.label()));
        self.offered.serve_bundles.contains(&at) || self.ledger.carried(WITHHELD).iter().any(of)
    }

    /// What is asked for of the rest: what was not served at the look before, what whoever updates now needs, and one of
    /// each kind in turn.
    fn parts_in_turn(&self, (at, label): (usize, &str), lists: &[ListName]) -> BTreeSet<Part> {
        let before = OF_PARTS.iter().flat_map(|code| self.ledger.carried(code)).filter(|found| is_at(found, label));
        let awaited = self.offered.awaited.get(&at).into_iter().flatten().cloned();
        let again: BTreeSet<Part> = before.filter_map(|found| Part::of(&found)).chain(awaited).take(AGAIN).collect();
        let newest = lists.iter().filter_map(|name| Some(self.audit.history().list(name)?.releases().last()?.index));
        let newest = newest.flat_map(|index| [Part::Statement(index), Part::Proof(index)]);
        let (turn, size) = (self.offered.turn, self.mirror.size());
        let entry = |third: u64| entry_in_turn(turn.wrapping_add(third * (size.0 / 3)), size);
        let in_turn = [Part::Statement(entry(0)), Part::Proof(entry(1))];
        let tile = tile_in_turn(turn, entry(2), size).map(Part::Tile);
        let others = in_turn.into_iter().chain(tile).filter(|_| again.len() < AGAIN);
        let mut parts: BTreeSet<Part> = newest.chain(others).collect();
        parts.extend(again);
        parts.retain(|part| self.can_ask(part));
        parts
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
                let words = format!(
                    "The bundle of {name}, by which clients update, was not had from {label} yet: {words}. For a moment that is normal. If it lasts, clients there keep what they have until it is too old."
                );
                (AWAITED, self.while_waiting(AWAITED, &subject, of_vantage(at)), words)
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
        let is_open = |id: &StatementId, index| self.audit.is_open(id, index) && !self.audit.is_rival(id);
        let offer = Offer { name, history: self.audit.history(), list, covered, now, unproven, is_open: &is_open };
        if let Some(words) = offer.fault(bundle, |index| self.mirror.entry(index)) {
            return unusable(words);
        }
        let shown = self.views.sources.get(at).and_then(|source| source.size).unwrap_or_default();
        let allowance = freshness::allowance(self.audit.history(), clock);
        let age = self.known_as_of().map_or(0, |known| known.since(now));
        // A copy in a folder is made anew when something happens in its list, and from time to time.
        let newest = [
            list.editions().newest().map(|edition| edition.index()),
            list.releases().last().map(|logged| logged.index),
            list.attestations().last().map(|logged| logged.index),
        ];
        let lacks_something = newest.into_iter().flatten().any(|index| index.0 >= view.size().0);
        if !lacks_something && age <= allowance {
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

    /// What a vantage point has put off is asked for first at the next look. It is one finding of all, so that it lasts as long
    /// as any is put off, whatever has its turn.
    fn note_awaited(&mut self, (at, label): (usize, &str), put_off: Vec<(Part, Result<Got, Lack>)>) {
        if let Some((part, Err(lack))) = put_off.first() {
            let others = match put_off.len() - 1 {
                0 => String::new(),
                more => format!(" So it is with {more} more of what clients need."),
            };
            let words = format!(
                "{label} did not give {} yet: {}.{others} For a moment that is normal. If it lasts, clients there can't go on.",
                part.words(),
                lack.words()
            );
            self.ledger.note(self.put_off(PARTS_AWAITED, label, words, of_vantage(at)));
        }
        self.offered.awaited.insert(at, put_off.into_iter().map(|(part, _)| part).collect());
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
                None => return Ok(self.compare_times((at, label), part, *index, *proof).await?),
            },
            (_, Ok(_)) => "what comes is something else".to_owned(),
        };
        let words =
            format!("{label} does not give {}: {problem}. If that lasts, clients there can't go on.", part.words());
        let mut finding = Finding::new(of_vantage(at), part.code(), part.subject(label), words);
        if let Some((index, statement)) = part.index().and_then(|index| Some((index, self.mirror.statement(index)?))) {
            finding = finding.in_list(statement.list()).about(&statement.id(), index);
        }
        self.ledger.note(finding);
        Ok(())
    }

    /// Compares a seen proof that holds with the one that is known: of two, the earlier one is true, and is taken.
    async fn compare_times(
        &mut self,
        (at, label): (usize, &str),
        part: &Part,
        index: LeafIndex,
        proof: TlogProof,
    ) -> Result<(), FileError> {
        let Some(statement) = self.mirror.statement(index) else { return Ok(()) };
        let (id, entry) = (statement.id(), statement.to_bytes());
        let first = self.audit.history().index_of(&id).unwrap_or(index);
        let known = self.mirror.seen_proof(&id).and_then(|known| self.proven_since(&known, &entry, first));
        let (Some(known), Some(since)) = (known, self.proven_since(&proof, &entry, first)) else { return Ok(()) };
        if since > known {
            let words = format!(
                "{label} gives a seen proof of entry {index} by which it is public since {since}; by another one, which this monitor has, it is since {known}. Who is shown one judges by other times than who is shown the other. The earlier one is true."
            );
            let finding = Finding::new(of_vantage(at), PROOF_LATER, part.subject(label), words);
            self.ledger.note(finding.in_list(statement.list()).about(&id, index));
        }
        let bytes = proof.to_bytes();
        if since < known && self.is_of_this_history(&Seen { since, proof: Some(proof) }, label).await? {
            self.mirror.keep_proofs(&[(id, bytes)])?;
            self.offered.has_earlier = true;
        }
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

/// How grave it is that a vantage point does not serve something.
pub(super) fn of_vantage(at: usize) -> Severity {
    // The log must serve what it admitted. A mirror need not have everything.
    if at == 0 { Severity::Warning } else { Severity::Notice }
}

/// Whether a finding is about what this vantage point serves.
pub(super) fn is_at(finding: &Finding, label: &str) -> bool {
    finding.subject.ends_with(&format!(" at {label}"))
}
