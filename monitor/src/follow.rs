//! One look at the log: what every vantage point shows, whether that is one history, and what is new in it.

mod clocks;
mod proving;
mod reading;
mod standing;
mod views;

use crate::finding::{Answerable, Finding, Severity};
use crate::mirror::GrowthError;
use crate::monitor::{Monitor, MonitorError};
use crate::relation::{Relation, relate};
use crate::trust::View;
use crate::units;
use crate::vantage::{Lack, Shown, Vantage};
use isonomy_core::rules::Rule;
use isonomy_core::tile;
use isonomy_core::time::Timestamp;
use isonomy_store::files::FileError;
use isonomy_verifier::Evidence;

impl Monitor {
    /// Looks from everywhere, takes what is new, compares all views, and reads the new entries.
    pub(crate) async fn follow(&mut self, clock: Timestamp) -> Result<(), MonitorError> {
        let shown = Shown::now(&self.trust, &self.vantages, &self.witnesses).await;
        for (at, view) in shown.sources.iter().enumerate() {
            if let Ok(view) = view {
                self.take(view, at).await?;
            }
        }
        self.read_new().await?;
        self.ask_again().await?;
        self.judge_views(&shown, clock).await?;
        if let Some(newest) = self.mirror.newest() {
            self.checkpoints.keep(newest, self.audit.editions())?;
        }
        Ok(())
    }

    /// Accepts a view that is newer than what is known, if a quorum vouches for it and it is of the same history.
    async fn take(&mut self, view: &View, at: usize) -> Result<(), MonitorError> {
        if view.times().is_err() {
            return Ok(());
        }
        match relate(&self.mirror, view, &self.vantages).await {
            Relation::Newer => self.advance(view, at).await,
            Relation::Same if !self.mirror.is_complete() => self.advance(view, at).await,
            Relation::Same => Ok(self.mirror.refresh(view)?),
            Relation::Older | Relation::Forked(_) | Relation::Unknown(_) => Ok(()),
        }
    }

    /// Fetches the entries up to a view, first from where it was shown.
    async fn advance(&mut self, view: &View, at: usize) -> Result<(), MonitorError> {
        let new = view.size().0.saturating_sub(self.mirror.size().0);
        let most = self.max_new_entries;
        if new > most {
            let words = format!(
                "The log signed a tree that has {} entries more than this monitor's copy, which has {}. At one look it follows {} at most: nothing of them is proven before all are there, so a log could fill the disk with anything. To follow it all the same, raise `max_new_entries` of this log in the monitor's configuration.",
                units::number(new),
                units::number(self.mirror.size().0),
                units::number(most)
            );
            self.ledger.note(Finding::new(Severity::Warning, "too-large", "log", words));
            return Ok(());
        }
        let mut unavailable = Vec::new();
        for turn in 0..self.vantages.len() {
            let vantage = (at + turn) % self.vantages.len();
            match self.fetch(view, vantage).await? {
                Ok(()) => return Ok(()),
                Err(Lack::Unavailable(words)) => unavailable.push(words),
                Err(Lack::Wrong(words)) => self.note_wrong_entries(vantage, view, &words),
            }
        }
        let words = format!(
            "The entries up to size {} could not be had: {}. A checkpoint whose entries are not shown can't be audited.",
            view.size(),
            unavailable.join("; ")
        );
        self.ledger.note(Finding::new(Severity::Warning, "entries-missing", "log", words));
        Ok(())
    }

    /// Fetches the entries up to a view from one vantage point, tile by tile.
    async fn fetch(&mut self, view: &View, vantage: usize) -> Result<Result<(), Lack>, FileError> {
        let Some(vantage) = self.vantages.get(vantage) else {
            return Ok(Err(Lack::Unavailable("there is no such vantage point".to_owned())));
        };
        let mut growth = self.mirror.grow();
        for path in tile::entry_tiles(growth.next(), view.size()) {
            let entries = match vantage.entries(&path).await {
                Ok(entries) => entries,
                Err(lack) => return Ok(Err(lack)),
            };
            match growth.push(&path, &entries) {
                Ok(()) => {}
                Err(GrowthError::Entries(problem)) => return Ok(Err(Lack::Wrong(problem))),
                Err(GrowthError::File(error)) => return Err(error),
            }
        }
        let other_root = || Lack::Wrong("the entries do not have the root that the log signed".to_owned());
        Ok(if self.mirror.accept(view, growth)? { Ok(()) } else { Err(other_root()) })
    }

    fn note_wrong_entries(&mut self, vantage: usize, view: &View, problem: &str) {
        let label = self.vantages.get(vantage).map_or("", Vantage::label);
        let words = format!(
            "{label} served entries that do not belong to the checkpoint of size {}: {problem}. They were not accepted.",
            view.size()
        );
        self.ledger.note(Finding::new(Severity::Warning, "entries-wrong", label, words));
    }

    /// Keeps the evidence of a fork, and notes it; of several that one vantage point shows, the first.
    pub(super) fn note_fork(&mut self, subject: &str, evidence: &Evidence) -> Result<(), FileError> {
        let log = Answerable::log(self.trust.log());
        let found = |words: String| {
            Finding::new(Severity::Breach, "fork", subject, words).under(Rule::Chain).answered_by(vec![log])
        };
        if self.ledger.evidence_of("fork", subject).is_some() {
            // The ledger keeps the words of the proof.
            self.ledger.note(found(String::new()));
            return Ok(());
        }
        if let Some((digest, breach)) = self.evidence.keep(evidence, self.trust.policy())? {
            let words = format!(
                "The log {}. One this monitor had seen before, the other was shown by {subject}: one of them was hidden from somebody.",
                breach.what
            );
            self.ledger.note(found(words).proven_by(&digest));
        }
        Ok(())
    }
}
