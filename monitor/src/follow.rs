//! One look at the log: what every vantage point shows, whether that is one history, and what is new in it.

pub(crate) mod clocks;
mod judging;
pub(crate) mod offered;
mod probing;
mod proving;
mod reading;
mod standing;
mod views;

use crate::finding::{Answerable, Finding, Severity};
use crate::freshness;
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
use tokio::time::{Instant, sleep_until};
use views::BROUGHT;

impl Monitor {
    /// Looks from everywhere, takes what is new, compares all views, and reads the new entries.
    pub(crate) async fn follow(&mut self, clock: Timestamp) -> Result<(), MonitorError> {
        self.judge_posted_at_once().await?;
        let shown = Shown::now(&self.trust, &self.vantages, &self.witnesses).await;
        self.find_forks_at_hand(&shown).await?;
        for (at, view) in shown.sources.iter().enumerate() {
            if let Ok(view) = view {
                self.take(view, at).await?;
            }
        }
        self.read_new().await?;
        self.ask_again().await?;
        self.note_catching_up(&shown);
        self.judge_views(&shown, clock).await?;
        if let Some(newest) = self.mirror.newest().cloned() {
            self.remember(&newest)?;
        }
        self.note_newest(clock);
        Ok(())
    }

    /// Whether the time of this look for fetching is over.
    pub(super) fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Is over when that time is.
    pub(super) fn end_of_look(&self) -> impl Future<Output = ()> + use<> {
        let until = self.until;
        async move {
            match until {
                // What has passed is over at once, whatever the timer's grain.
                Some(until) if Instant::now() >= until => {}
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        }
    }

    /// How grave it is to be put off: for a moment that is normal, and `lasting` once it lasts.
    pub(super) fn while_waiting(&self, code: &str, subject: &str, lasting: Severity) -> Severity {
        let allowance = freshness::allowance(self.audit.history(), self.ledger.now());
        if self.ledger.standing_for(code, subject) > allowance { lasting } else { Severity::Notice }
    }

    /// The finding that something was put off, by [`Self::while_waiting`].
    pub(super) fn put_off(&self, code: &str, subject: &str, words: String, lasting: Severity) -> Finding {
        Finding::new(self.while_waiting(code, subject, lasting), code, subject, words)
    }

    /// Keeps a checkpoint as proof of what was not in the log yet; one that is dated ahead of this monitor's clock proves less than
    /// it says.
    pub(super) fn remember(&mut self, view: &View) -> Result<(), FileError> {
        if view.now().is_some_and(|now| clocks::is_ahead(now, self.ledger.now())) {
            return Ok(());
        }
        self.checkpoints.keep(view, self.audit.editions())
    }

    /// Says so where the time of this look did not suffice.
    fn note_catching_up(&mut self, shown: &Shown) {
        let views = shown.sources.iter().flatten().filter(|view| view.times().is_ok());
        let size = views.map(|view| view.size().0).max().unwrap_or(0);
        let (read, Some(look_for)) = (self.audit.next().0, self.look_for.filter(|_| self.is_late())) else { return };
        if read >= size {
            return;
        }
        let words = format!(
            "{} of the {} entries that the log shows are read. A look fetches for {} at most, so that nobody can hold it up; the next one goes on from there. If it lasts, the log or the way there is slow.",
            units::number(read),
            units::number(size),
            units::duration(look_for.as_secs())
        );
        self.ledger.note(self.put_off("catching-up", "log", words, Severity::Warning));
    }

    /// Remembers when the newest checkpoint was seen first under its witnessed time.
    fn note_newest(&mut self, clock: Timestamp) {
        let newest = self.mirror.newest().and_then(|newest| Some((newest.size(), newest.now()?)));
        let Some((size, now)) = newest else { return };
        if self.newest_seen.is_none_or(|(known, time, _)| (known, time) != (size, now)) {
            let since = self.looks.since(size, now).unwrap_or(clock).min(clock);
            self.newest_seen = Some((size, now, since));
        }
    }

    /// Accepts a view that is newer than what is known, if a quorum vouches for it and it is of the same history.
    async fn take(&mut self, view: &View, at: usize) -> Result<(), MonitorError> {
        if view.times().is_err() {
            return Ok(());
        }
        match relate(&self.mirror, view, &self.vantages).await {
            Relation::Newer => self.advance(view, at).await,
            Relation::Same if !self.mirror.is_complete() => self.advance(view, at).await,
            Relation::Same => Ok(self.mirror.refresh(view, self.ledger.now())?),
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
                Err(Lack::Unavailable(_) | Lack::PutOff(_)) if self.is_late() => return Ok(()),
                Err(Lack::Unavailable(words) | Lack::PutOff(words)) => unavailable.push(words),
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

    /// Fetches the entries up to a view from one vantage point. What came before and was not proven is taken first; if that is
    /// what is wrong, all is fetched.
    async fn fetch(&mut self, view: &View, vantage: usize) -> Result<Result<(), Lack>, FileError> {
        let (fetched, has_left_over) = self.fetch_tiles(view, vantage).await?;
        if !has_left_over || !matches!(fetched, Err(Lack::Wrong(_))) {
            return Ok(fetched);
        }
        self.mirror.drop_left_over(view.size())?;
        Ok(self.fetch_tiles(view, vantage).await?.0)
    }

    /// Tile by tile, until the time of this look is over. Says also whether anything was left over from before.
    async fn fetch_tiles(&mut self, view: &View, vantage: usize) -> Result<(Result<(), Lack>, bool), FileError> {
        let Some(vantage) = self.vantages.get(vantage) else {
            return Ok((Err(Lack::Unavailable("there is no such vantage point".to_owned())), false));
        };
        let (mut growth, mut has_left_over, mut has_fetched) = (self.mirror.grow(), false, false);
        for path in tile::entry_tiles(growth.next(), view.size()) {
            let entries = match growth.left_over(&path) {
                Some(entries) => {
                    has_left_over = true;
                    Ok(entries)
                }
                // Each look gets on by one tile at least.
                None if has_fetched && self.is_late() => {
                    Err(Lack::Unavailable("there was no time for the rest".to_owned()))
                }
                None => {
                    has_fetched = true;
                    vantage.entries(&path).await
                }
            };
            let entries = match entries {
                Ok(entries) => entries,
                Err(lack) => return Ok((Err(lack), has_left_over)),
            };
            match growth.push(&path, &entries) {
                Ok(()) => {}
                Err(GrowthError::Entries(problem)) => return Ok((Err(Lack::Wrong(problem)), has_left_over)),
                Err(GrowthError::File(error)) => return Err(error),
            }
        }
        let is_accepted = self.mirror.accept(view, growth)?;
        let other_root = || Lack::Wrong("the entries do not have the root that the log signed".to_owned());
        Ok((is_accepted.then_some(()).ok_or_else(other_root), has_left_over))
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
        let Ok(breach) = evidence.verify(self.trust.policy()) else { return Ok(()) };
        let kept = self.evidence.keep(evidence, self.trust.policy())?;
        let whom = if subject.starts_with(BROUGHT) { "somebody who brought it here" } else { subject };
        let words = format!(
            "The log {}. One of them was shown by {whom}, the other elsewhere: one of them was hidden from somebody.",
            breach.what
        );
        self.ledger.note(match kept {
            Some((digest, _)) => found(words).proven_by(&digest),
            // As grave without a file: there are others that prove the same of this log.
            None => found(format!("{words} There was no room for one more file that proves it.")),
        });
        Ok(())
    }
}
