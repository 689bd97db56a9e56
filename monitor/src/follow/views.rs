//! What the vantage points and witnesses show, compared; and what follows from that.

use super::clocks;
use crate::finding::{Finding, Severity};
use crate::freshness;
use crate::monitor::{Monitor, MonitorError};
use crate::relation::{Relation, relate};
use crate::report::{SourceReport, ViewState, WitnessReport};
use crate::trust::View;
use crate::units;
use crate::vantage::{Lack, Shown, Vantage};
use isonomy_core::rules::Rule;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use isonomy_store::files::FileError;
use isonomy_verifier::Evidence;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a look takes at most to compare what others have brought.
const FOR_BROUGHT: Duration = Duration::from_secs(30);
/// Of how many forks each has a proof of its own.
const MAX_FORKS: usize = 64;
/// Who shows what others have brought.
pub(super) const BROUGHT: &str = "a view that was brought";

impl Monitor {
    /// Compares every view with the newest that was accepted.
    pub(super) async fn judge_views(&mut self, shown: &Shown, clock: Timestamp) -> Result<(), MonitorError> {
        for (at, view) in shown.sources.iter().enumerate() {
            let Some(label) = self.vantages.get(at).map(Vantage::label).map(str::to_owned) else { continue };
            let report = match view {
                Ok(view) => self.judge_source(at, &label, view, clock).await?,
                Err(lack) => {
                    self.note_source_lack(at, &label, lack);
                    SourceReport::lacking(label, lack)
                }
            };
            if let Some(place) = self.views.sources.get_mut(at) {
                *place = report;
            }
        }
        for (at, view) in shown.witnesses.iter().enumerate() {
            let Some(report) = self.views.witnesses.get(at).cloned() else { continue };
            let report = match view {
                Some(Ok((view, time))) => self.judge_witness(report.unasked(), view, *time, clock).await?,
                Some(Err(lack)) => self.note_witness_lack(report.unasked(), lack),
                None => report.unasked(),
            };
            if let Some(place) = self.views.witnesses.get_mut(at) {
                *place = report;
            }
        }
        let posted = self.judge_posted().await?;
        self.compare_ahead(shown, &posted)?;
        self.note_incomplete_views();
        self.note_clocks(shown, clock);
        self.note_slow_down(clock);
        Ok(())
    }

    /// Two views of one size with different roots are a fork, proven by the two alone, also where this monitor's own copy
    /// does not reach yet. Of each size, the first is what others are compared with.
    fn compare_ahead(&mut self, shown: &Shown, posted: &[View]) -> Result<(), FileError> {
        let known = self.mirror.newest().map(View::size).unwrap_or_default();
        let brought = posted.iter().map(|view| (self.brought(view), view));
        let all: Vec<(String, &View)> = self.shown_by(shown).into_iter().chain(brought).collect();
        let mut first: BTreeMap<TreeSize, &View> = BTreeMap::new();
        for (subject, view) in all.into_iter().filter(|(_, view)| view.size() > known) {
            let one = *first.entry(view.size()).or_insert(view);
            if one.root() != view.root() {
                self.note_fork(&subject, &Evidence::fork(one.bare(), view.bare(), Vec::new()))?;
            }
        }
        Ok(())
    }

    /// Finds forks among what others have brought by this monitor's own copy alone, before anything is fetched.
    pub(super) async fn judge_posted_at_once(&mut self) -> Result<(), MonitorError> {
        for one in self.posted.take() {
            match relate(&self.mirror, &one.view, &[]).await {
                Relation::Forked(evidence) => self.note_fork(&self.brought(&one.view), &evidence)?,
                _ => self.posted.put_back(one),
            }
        }
        Ok(())
    }

    /// What a view that was brought is called, so that each fork of a log that shows many has its proof; of too many, the
    /// first ones.
    fn brought(&self, view: &View) -> String {
        let name = format!("{BROUGHT}, of {} entries with root {}", view.size(), view.root().to_hex());
        let known = self.ledger.count_of("fork");
        if known < MAX_FORKS || self.ledger.evidence_of("fork", &name).is_some() { name } else { BROUGHT.to_owned() }
    }

    /// Finds forks among what is shown now in the same way, and among what is ahead of the copy.
    pub(super) async fn find_forks_at_hand(&mut self, shown: &Shown) -> Result<(), MonitorError> {
        for (subject, view) in self.shown_by(shown) {
            if let Relation::Forked(evidence) = relate(&self.mirror, view, &[]).await {
                self.note_fork(&subject, &evidence)?;
            }
        }
        Ok(self.compare_ahead(shown, &[])?)
    }

    /// Every view that was shown, and by whom.
    fn shown_by<'s>(&self, shown: &'s Shown) -> Vec<(String, &'s View)> {
        let labels = self.vantages.iter().map(|vantage| vantage.label().to_owned());
        let of_sources = labels.zip(&shown.sources).filter_map(|(label, view)| Some((label, view.as_ref().ok()?)));
        let names = self.views.witnesses.iter().map(|witness| format!("witness {}", witness.name));
        let of_witnesses = names.zip(&shown.witnesses);
        let of_witnesses = of_witnesses.filter_map(|(name, view)| Some((name, &view.as_ref()?.as_ref().ok()?.0)));
        of_sources.chain(of_witnesses).collect()
    }

    /// Compares what others have brought, and gives it. What can't be compared yet waits for the next look; so does what
    /// there is no time for, and whatever is new goes first.
    async fn judge_posted(&mut self) -> Result<Vec<View>, MonitorError> {
        let (mut waiting, until) = (self.posted.take().into_iter(), Instant::now() + FOR_BROUGHT);
        let brought = waiting.as_slice().iter().map(|one| one.view.clone()).collect();
        for one in waiting.by_ref() {
            let Ok(state) = timeout_at(until, self.state_of(&self.brought(&one.view), &one.view)).await else {
                self.posted.put_back(one.compared());
                break;
            };
            if matches!(state?.0, ViewState::Ahead | ViewState::Unclear) {
                let words = format!(
                    "Somebody was shown the log with {} entries, which it signed; no vantage point shows that. For a moment that is normal. If it lasts, ask the log why it is not shown here.",
                    one.view.size()
                );
                let subject = format!("size {}", one.view.size());
                self.ledger.note(Finding::new(Severity::Warning, "posted-ahead", subject, words));
                self.posted.put_back(one.compared());
            }
        }
        waiting.for_each(|one| self.posted.put_back(one));
        Ok(brought)
    }

    /// How a view stands to what is known. A fork is noted, and a cosigned view of the same history remembered.
    async fn state_of(&mut self, subject: &str, view: &View) -> Result<(ViewState, Option<String>), FileError> {
        let state = match relate(&self.mirror, view, &self.vantages).await {
            Relation::Same => (ViewState::Same, None),
            Relation::Older => (ViewState::Behind, None),
            Relation::Newer => (ViewState::Ahead, None),
            Relation::Unknown(words) => (ViewState::Unclear, Some(words)),
            Relation::Forked(evidence) => {
                self.note_fork(subject, &evidence)?;
                (ViewState::Contradicts, None)
            }
        };
        if matches!(state.0, ViewState::Same | ViewState::Behind) {
            self.remember(view)?;
        }
        Ok(state)
    }

    async fn judge_source(
        &mut self,
        at: usize,
        label: &str,
        view: &View,
        clock: Timestamp,
    ) -> Result<SourceReport, MonitorError> {
        let (state, mut words) = self.state_of(label, view).await?;
        self.note_source_state((at, label), view, state, words.as_deref(), clock);
        if let Err(problem) = view.times() {
            let finding = format!(
                "{label} shows a checkpoint of {} entries of which {problem}. No client accepts it.",
                view.size()
            );
            self.ledger.note(Finding::new(Severity::Warning, "no-quorum", label, finding).under(Rule::Time));
            words = words.or(Some(problem.to_owned()));
        }
        Ok(SourceReport::new(label.to_owned(), state, view, words))
    }

    fn note_source_state(
        &mut self,
        (at, label): (usize, &str),
        view: &View,
        state: ViewState,
        words: Option<&str>,
        clock: Timestamp,
    ) {
        let allowance = freshness::allowance(self.audit.history(), clock);
        let known = self.mirror.newest().map(|newest| newest.size().0).unwrap_or_default();
        let size = view.size();
        let behind = format!("{label} shows the log with {size} entries; this monitor has seen it with {known}.");
        let note = match state {
            ViewState::Behind if at == 0 => Some((
                Severity::Warning,
                "rolled-back",
                format!(
                    "{label} shows the log with {size} entries; this monitor has seen it with {known}. A log never shrinks, so this is an old state: of a backup that was put back, of a cache, or shown on purpose."
                ),
            )),
            ViewState::Behind if self.ledger.standing_for("behind", label) > allowance => {
                self.ledger.note(Finding::new(Severity::Notice, "behind", label, &behind));
                Some((
                    Severity::Warning,
                    "split-view",
                    format!(
                        "{behind} It has been behind for more than {}: whoever reads the log there is shown another state than others.",
                        units::duration(allowance)
                    ),
                ))
            }
            ViewState::Behind => Some((Severity::Notice, "behind", behind)),
            ViewState::Unclear => Some((
                Severity::Warning,
                "unclear-view",
                format!(
                    "Whether {label} shows the history that this monitor knows can't be told: {}.",
                    words.unwrap_or_default()
                ),
            )),
            _ => None,
        };
        if let Some((severity, code, words)) = note {
            self.ledger.note(Finding::new(severity, code, label, words));
        }
    }

    fn note_source_lack(&mut self, at: usize, label: &str, lack: &Lack) {
        let what = if at == 0 { "The log" } else { "A vantage point" };
        let finding = match lack {
            Lack::Unavailable(words) | Lack::PutOff(words) => {
                let severity = if at == 0 { Severity::Warning } else { Severity::Notice };
                Finding::new(severity, "unreachable", label, format!("{what} could not be read: {words}."))
            }
            Lack::Wrong(words) => {
                let words = format!("What {label} shows is not a checkpoint of this log: {words}.");
                Finding::new(Severity::Warning, "unusable-view", label, words)
            }
        };
        self.ledger.note(finding);
    }

    async fn judge_witness(
        &mut self,
        report: WitnessReport,
        view: &View,
        time: Timestamp,
        clock: Timestamp,
    ) -> Result<WitnessReport, MonitorError> {
        let subject = format!("witness {}", report.name);
        let (state, words) = self.state_of(&subject, view).await?;
        let allowance = freshness::allowance(self.audit.history(), clock);
        let known = self.mirror.newest().map(|newest| newest.size().0).unwrap_or_default();
        let size = view.size();
        let note = match state {
            ViewState::Behind if clock.since(time) > allowance => Some((
                Severity::Notice,
                "witness-behind",
                format!(
                    "Witness {} cosigned last at {time}, when the log had {size} entries; it has {known} now.",
                    report.name
                ),
            )),
            ViewState::Ahead => {
                let lasts = self.ledger.standing_for("witness-ahead", &subject) > allowance;
                let severity = if lasts { Severity::Warning } else { Severity::Notice };
                let words = format!(
                    "Witness {} has cosigned the log with {size} entries; no vantage point shows more than {known}. For a moment that is normal. If it lasts, ask the log why it does not show what its witness has seen.",
                    report.name
                );
                Some((severity, "witness-ahead", words))
            }
            ViewState::Unclear => Some((
                Severity::Warning,
                "unclear-view",
                format!(
                    "Whether witness {} saw the history that this monitor knows can't be told: {}.",
                    report.name,
                    words.as_deref().unwrap_or_default()
                ),
            )),
            _ => None,
        };
        if let Some((severity, code, words)) = note {
            self.ledger.note(Finding::new(severity, code, subject, words));
        }
        Ok(report.seen(state, view, time, words))
    }

    fn note_witness_lack(&mut self, report: WitnessReport, lack: &Lack) -> WitnessReport {
        let subject = format!("witness {}", report.name);
        let (severity, code) = match lack {
            Lack::Unavailable(_) | Lack::PutOff(_) => (Severity::Notice, "unreachable"),
            Lack::Wrong(_) => (Severity::Warning, "unusable-view"),
        };
        let words = format!("The latest view of witness {} could not be read: {}.", report.name, lack.words());
        self.ledger.note(Finding::new(severity, code, subject, words));
        report.lacking(lack)
    }

    /// A second history needs a full quorum of its own. If the witnesses that were not seen could make one, this monitor
    /// would not notice.
    fn note_incomplete_views(&mut self) {
        let seen = |at: usize| {
            let state = self.views.witnesses.get(at).map(|witness| witness.state);
            matches!(state, Some(ViewState::Same | ViewState::Behind | ViewState::Ahead | ViewState::Contradicts))
        };
        let all = self.views.witnesses.len();
        let count = (0..all).filter(|at| seen(*at)).count();
        if self.trust.policy().quorum().satisfied_by(&|at| !seen(at)) {
            let seen = match count {
                0 => format!("No view of any of the {all} witnesses was seen. They"),
                _ => format!("The views of {count} of {all} witnesses were seen. The others"),
            };
            let words = format!(
                "{seen} are enough for a quorum, so that this monitor would not notice if they had cosigned another history for somebody else."
            );
            self.ledger.note(Finding::new(Severity::Notice, "views-incomplete", "witnesses", words));
        }
    }

    /// A quorum can hide something newer only if no witness in it is seen to be fresh: of n witnesses of which k are a
    /// quorum, n − k + 1 fresh views leave no room. Whoever slows the others down makes room.
    fn note_slow_down(&mut self, clock: Timestamp) {
        let allowance = freshness::allowance(self.audit.history(), clock);
        // A clock that runs ahead makes an old cosignature look fresh.
        let is_stale = |at: usize| {
            let cosigned = self.views.witnesses.get(at).and_then(|witness| witness.cosigned);
            cosigned.is_some_and(|time| clock.since(time) > allowance || clocks::is_ahead(time, clock))
        };
        let all = self.views.witnesses.len();
        let stale = (0..all).filter(|at| is_stale(*at)).count();
        let seen = self.views.witnesses.iter().filter(|witness| witness.cosigned.is_some()).count();
        let unheard =
            |at: usize| is_stale(at) || self.views.witnesses.get(at).is_none_or(|witness| witness.cosigned.is_none());
        // If nobody is heard of lately, the log stands still for all: that is said elsewhere.
        if stale > 0 && stale < seen && self.trust.policy().quorum().satisfied_by(&unheard) {
            let words = format!(
                "Only {} of {all} witnesses have looked at the log within {}. The others are enough for a quorum: something newer could be cosigned by them and kept from this monitor.",
                seen - stale,
                units::duration(allowance)
            );
            self.ledger.note(Finding::new(Severity::Warning, "slow-down", "witnesses", words).under(Rule::Time));
        }
    }
}
