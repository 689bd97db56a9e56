//! Reading the entries of the copy in order, each with the time since when it is public, and judging them.

use super::proving::not_a_statement;
use crate::audit::Audit;
use crate::finding::{Finding, Severity};
use crate::mirror::GrowthError;
use crate::monitor::{Monitor, MonitorError};
use crate::relation::{Relation, relate};
use crate::vantage::Lack;
use futures_util::stream::{self, StreamExt};
use isonomy_core::hash::StatementId;
use isonomy_core::statement::{ListName, Statement, StatementError};
use isonomy_core::tile::{self, TILE_WIDTH};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;
use isonomy_store::files::FileError;
use std::collections::{BTreeMap, BTreeSet};

/// How many seen proofs are asked for at a time.
const AT_ONCE: usize = 16;

/// The finding of a statement whose seen proof nobody shows.
const MISSING: &str = "seen-proof-missing";
/// The finding of one for which this monitor was told to come again later.
const AWAITED: &str = "seen-proof-awaited";

/// Since when a statement is public, and the proof of it.
pub(super) struct Seen {
    pub(super) since: Timestamp,
    pub(super) proof: Option<TlogProof>,
}

impl Monitor {
    /// Reads what is in the copy as far as the seen proofs are there, too. Nothing is fetched.
    pub(crate) fn audit_kept(&mut self) -> Result<(), MonitorError> {
        while let Some(entries) = self.unread()? {
            for entry in entries {
                match Statement::parse(&entry) {
                    Err(error) => self.skip(&entry, &error)?,
                    Ok(statement) => {
                        let Some(seen) = self.kept(&statement, &entry) else { return Ok(()) };
                        self.judge(statement, seen)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Forgets what was read, and reads it again.
    pub(crate) fn audit_anew(&mut self) -> Result<(), MonitorError> {
        self.audit = Audit::new(self.trust.log());
        self.audit_kept()
    }

    /// Reads every entry of the copy that was not read yet.
    pub(super) async fn read_new(&mut self) -> Result<(), MonitorError> {
        while let Some(entries) = self.unread()? {
            let mut shown = self.ask_for_seen(&entries).await;
            for entry in entries {
                match Statement::parse(&entry) {
                    Err(error) => self.skip(&entry, &error)?,
                    Ok(statement) => {
                        let id = statement.id();
                        let seen = match self.kept(&statement, &entry) {
                            Some(seen) => seen,
                            None => self.fetch_seen(&statement, &entry, shown.remove(&id)).await?,
                        };
                        self.unkept.extend(seen.proof.clone().map(|proof| (id, proof)));
                        self.judge(statement, seen)?;
                    }
                }
                if self.is_late() {
                    break;
                }
            }
            let proofs: Vec<_> = self.unkept.iter().map(|(id, proof)| (*id, proof.to_bytes())).collect();
            self.mirror.keep_proofs(&proofs)?;
            self.unkept.clear();
            if self.is_late() {
                break;
            }
        }
        Ok(())
    }

    /// Asks the log itself for the seen proofs of a tile's entries that are not here yet, several at a time.
    async fn ask_for_seen(&self, entries: &[Vec<u8>]) -> BTreeMap<StatementId, Result<TlogProof, Lack>> {
        let Some(log) = self.vantages.first() else { return BTreeMap::new() };
        let ids = entries.iter().filter_map(|entry| Some(Statement::parse(entry).ok()?.id()));
        let missing = ids.filter(|id| !self.audit.knows(id) && self.mirror.seen_proof(id).is_none());
        let missing: BTreeSet<StatementId> = missing.collect();
        let asking = missing.into_iter().map(|id| async move { (id, log.seen_proof(&id).await) });
        // What does not come in time is asked for once more, when it is its turn.
        stream::iter(asking).buffer_unordered(AT_ONCE).take_until(self.end_of_look()).collect().await
    }

    /// The unread entries of the next tile; `None` if there are none, or if nothing vouches for their time.
    fn unread(&self) -> Result<Option<Vec<Vec<u8>>>, FileError> {
        let next = self.audit.next();
        if !self.mirror.is_complete() || self.mirror.newest().and_then(|newest| newest.now()).is_none() {
            return Ok(None);
        }
        let rest = self.read_until.map_or(u64::MAX, |until| until.0.saturating_sub(next.0));
        let path = tile::entry_tiles(next, self.mirror.size()).next().filter(|_| rest > 0);
        let Some(path) = path else { return Ok(None) };
        let read = usize::try_from(next.0 % u64::from(TILE_WIDTH)).unwrap_or(0);
        let most = usize::try_from(rest).unwrap_or(usize::MAX);
        match self.mirror.entries(&path) {
            Ok(entries) => Ok(Some(entries.into_iter().skip(read).take(most).collect())),
            Err(GrowthError::File(error)) => Err(error),
            Err(GrowthError::Entries(problem)) => {
                tracing::error!(problem, "the copy of the log was damaged while the monitor ran; restart it");
                Ok(None)
            }
        }
    }

    /// Since when the next entry is public, as far as this monitor knows by itself.
    fn kept(&self, statement: &Statement, entry: &[u8]) -> Option<Seen> {
        if self.audit.knows(&statement.id()) {
            // Logged again: there is one seen proof, and it is of the first.
            let since = self.mirror.newest()?.times().ok()?.earliest;
            return Some(Seen { since, proof: None });
        }
        self.verified(self.mirror.seen_proof(&statement.id())?, entry)
    }

    /// Checks that a proof is of the next entry.
    fn verified(&self, proof: TlogProof, entry: &[u8]) -> Option<Seen> {
        let since = self.proven_since(&proof, entry, self.audit.next())?;
        Some(Seen { since, proof: Some(proof) })
    }

    /// Since when the entry at this place is public by this proof, if it proves that.
    pub(super) fn proven_since(&self, proof: &TlogProof, entry: &[u8], index: LeafIndex) -> Option<Timestamp> {
        let times = self.trust.proven(proof, entry)?;
        (proof.index == index).then_some(times.earliest)
    }

    /// Asks the vantage points for the next entry's seen proof. If what they have says less than this monitor can prove
    /// itself by the newest checkpoint, that is taken.
    async fn fetch_seen(
        &mut self,
        statement: &Statement,
        entry: &[u8],
        shown: Option<Result<TlogProof, Lack>>,
    ) -> Result<Seen, FileError> {
        let own = self.mirror.own_proof(self.audit.next()).and_then(|proof| self.verified(proof, entry));
        let served = self.served_seen(statement, entry, shown).await?;
        let earlier = |seen: &Seen| own.as_ref().is_none_or(|own| seen.since <= own.since);
        Ok(match served.filter(earlier) {
            Some(seen) => seen,
            // Without a proof of either kind nothing is known but that it is there now.
            None => own.unwrap_or_else(|| Seen { since: self.newest_now(), proof: None }),
        })
    }

    fn newest_now(&self) -> Timestamp {
        self.mirror.newest().and_then(|newest| newest.now()).unwrap_or_default()
    }

    /// The first seen proof that holds; of the log itself, `shown` is what it has shown already.
    async fn served_seen(
        &mut self,
        statement: &Statement,
        entry: &[u8],
        mut shown: Option<Result<TlogProof, Lack>>,
    ) -> Result<Option<Seen>, FileError> {
        let (mut problems, mut is_put_off) = (Vec::new(), false);
        for at in 0..self.vantages.len() {
            let Some(vantage) = self.vantages.get(at) else { break };
            let label = vantage.label().to_owned();
            let proof = match shown.take().filter(|_| at == 0) {
                Some(proof) => proof,
                None => vantage.seen_proof(&statement.id()).await,
            };
            match proof {
                Ok(proof) => match self.verified(proof, entry) {
                    Some(seen) if self.is_of_this_history(&seen, &label).await? => return Ok(Some(seen)),
                    Some(_) => problems.push(format!("the one at {label} is under a checkpoint of another history")),
                    None => problems.push(format!("the one at {label} does not prove it")),
                },
                Err(lack) => {
                    is_put_off |= matches!(lack, Lack::PutOff(_));
                    problems.push(lack.words().to_owned());
                }
            }
        }
        let (index, problems) = (self.audit.next(), problems.join("; "));
        let subject = format!("statement {}", statement.id());
        let (severity, code, words) = match is_put_off {
            true => (
                self.while_waiting(AWAITED, &subject, Severity::Warning),
                AWAITED,
                format!(
                    "This monitor was told to come again later when it asked for the seen proof of entry {index} ({problems}). It does at the next look, and goes by the time when it saw the entry itself until then. If it lasts, clients can't go on without it, either."
                ),
            ),
            false => (
                Severity::Warning,
                MISSING,
                format!(
                    "No vantage point has a seen proof of entry {index} that holds ({problems}). Clients need it. This monitor goes by the time when it saw the entry itself."
                ),
            ),
        };
        let finding = Finding::new(severity, code, subject, words);
        self.ledger.note(finding.in_list(statement.list()).about(&statement.id(), index));
        Ok(None)
    }

    /// A seen proof that was missing is missing until somebody has it, so it is asked for again; of too many, others at each
    /// look. What it proves may change what was judged by a later time, so then every entry is judged anew.
    pub(super) async fn ask_again(&mut self) -> Result<(), MonitorError> {
        let mut missing = [self.ledger.lapsed(MISSING), self.ledger.lapsed(AWAITED)].concat();
        let first = self.asked_again.checked_rem(missing.len()).unwrap_or(0);
        missing.rotate_left(first);
        self.asked_again = first + AT_ONCE;
        let mut found = Vec::new();
        for (number, finding) in missing.into_iter().enumerate() {
            let is_asked = number < AT_ONCE && !self.is_late();
            let shown = if is_asked { self.seen_by_now(finding.index).await? } else { None };
            match shown {
                Some(proof) => {
                    self.ledger.pass(&finding);
                    found.push(proof);
                }
                None if finding.code == AWAITED => {
                    let severity = self.while_waiting(AWAITED, &finding.subject, Severity::Warning);
                    self.ledger.note(Finding { severity, ..finding });
                }
                None => self.ledger.note(finding),
            }
        }
        let is_earlier_shown = self.offered.take_earlier();
        if found.is_empty() && !is_earlier_shown {
            return Ok(());
        }
        self.mirror.keep_proofs(&found)?;
        self.audit_anew()?;
        self.read_new().await
    }

    /// The seen proof of the statement at this place, if a vantage point has it by now. One that proves less than what is
    /// kept is none.
    async fn seen_by_now(&mut self, index: Option<LeafIndex>) -> Result<Option<(StatementId, Vec<u8>)>, FileError> {
        let Some((index, statement)) = index.and_then(|index| Some((index, self.mirror.statement(index)?))) else {
            return Ok(None);
        };
        let (id, entry) = (statement.id(), statement.to_bytes());
        let kept = self.mirror.seen_proof(&id).and_then(|kept| self.proven_since(&kept, &entry, index));
        for at in 0..self.vantages.len() {
            let Some(vantage) = self.vantages.get(at) else { break };
            let label = vantage.label().to_owned();
            let Ok(proof) = vantage.seen_proof(&id).await else { continue };
            let time = self.proven_since(&proof, &entry, index);
            let Some(time) = time.filter(|time| kept.is_none_or(|kept| *time <= kept)) else { continue };
            let bytes = proof.to_bytes();
            if self.is_of_this_history(&Seen { since: time, proof: Some(proof) }, &label).await? {
                return Ok(Some((id, bytes)));
            }
        }
        Ok(None)
    }

    /// The statements whose seen proof nobody shows: they may be public for longer than is known.
    pub(crate) fn unproven(&self) -> BTreeSet<LeafIndex> {
        let missing = self.ledger.findings().into_iter().filter(is_unproven);
        missing.filter_map(|found| found.index).collect()
    }

    /// Whether the checkpoint of a seen proof belongs to the history that is known; if so, it is remembered.
    pub(super) async fn is_of_this_history(&mut self, seen: &Seen, label: &str) -> Result<bool, FileError> {
        let Some(proof) = &seen.proof else { return Ok(false) };
        let Ok(view) = self.trust.view(proof.checkpoint.clone()) else { return Ok(false) };
        match relate(&self.mirror, &view, &self.vantages).await {
            Relation::Same | Relation::Older => {
                self.remember(&view)?;
                Ok(true)
            }
            Relation::Forked(evidence) => {
                self.note_fork(label, &evidence)?;
                Ok(false)
            }
            Relation::Newer | Relation::Unknown(_) => Ok(false),
        }
    }

    /// The next entry is no statement.
    fn skip(&mut self, entry: &[u8], error: &StatementError) -> Result<(), FileError> {
        let index = self.audit.next();
        let mut finding = self.audit.skip(entry, error);
        if finding.severity == Severity::Breach
            && self.ledger.evidence_of(&finding.code, &finding.subject).is_none()
            && self.evidence.has_room(None)
        {
            let evidence = self.mirror.own_proof(index).map(|proof| not_a_statement(entry, &proof));
            let kept = evidence.map(|evidence| self.evidence.keep(&evidence, self.trust.policy())).transpose()?;
            if let Some((digest, _)) = kept.flatten() {
                finding = finding.proven_by(&digest);
            }
        }
        self.audit.note(finding);
        Ok(())
    }

    /// The statements of a list whose seen proof nobody shows, as far as was asked at this look or at the one before.
    pub(super) fn unproven_of(&self, list: &ListName) -> BTreeSet<LeafIndex> {
        let lapsed = [self.ledger.lapsed(MISSING), self.ledger.lapsed(AWAITED)].concat();
        let standing = self.ledger.findings().into_iter().filter(is_unproven);
        let of_list = lapsed.into_iter().chain(standing).filter(|found| found.list.as_ref() == Some(list));
        of_list.filter_map(|found| found.index).collect()
    }
}

/// Whether it stands that nobody shows a seen proof.
fn is_unproven(found: &Finding) -> bool {
    found.standing && [MISSING, AWAITED].contains(&found.code.as_str())
}
