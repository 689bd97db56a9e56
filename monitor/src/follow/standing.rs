//! What is found anew at every look, from what is known: the audit, ages, evidence, content.

use crate::assess;
use crate::content::{Cache, ContentState, Job, Objects, Served};
use crate::finding::{Answerable, Finding, Severity};
use crate::freshness;
use crate::monitor::{Monitor, MonitorError};
use crate::report::complaints;
use crate::units;
use crate::vantage::{Vantage, patience_for};
use isonomy_core::hash::StatementId;
use isonomy_core::list::Entries;
use isonomy_core::release::{DeltaRef, Release};
use isonomy_core::rules::Rule;
use isonomy_core::statement::{ListName, Signed, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The finding that content was not given yet.
pub(super) const CONTENT_AWAITED: &str = "content-awaited";
/// The finding that nobody here has looked at the content of a list's newest release.
const CONTENT_UNCHECKED: &str = "content-unchecked";
/// The finding that canaries were not looked up in a list's newest release.
const CANARIES_AWAITED: &str = "canaries-awaited";
/// Why something was not begun.
const NO_TIME: &str = "there was no time for it at this look";
/// Of how many lists it is said that their content was not looked at.
const MAX_UNCHECKED: usize = 100;
/// From how many bytes of objects on no more of what the journal says is checked again at a look.
const AGAIN: u64 = 16 << 20;
/// Of how many releases something is said of their content at a look.
const MAX_FAULTY: usize = 2000;

/// What comes of fetching so many bytes of objects, where a look has an end: if they come one after the other, each at the
/// last moment, that holds up nothing else for long. Nothing, if they don't come in time.
async fn in_time<T>(look_for: Option<Duration>, bytes: u64, fetching: impl Future<Output = T>) -> Option<T> {
    match look_for {
        Some(_) => timeout(patience_for(bytes), fetching).await.ok(),
        None => Some(fetching.await),
    }
}

/// The entries of a release. The error is words.
async fn entries_in_time(
    look_for: Option<Duration>,
    vantages: &[Vantage],
    release: &Release,
    entry_size: usize,
) -> Result<Entries, String> {
    let fetching = assess::content(vantages, release, entry_size);
    let fetched = in_time(look_for, release.snapshot.size, fetching).await;
    fetched.ok_or("the list did not come in time")?.map_err(|error| error.to_string())
}

impl Monitor {
    /// Notes what the audit found, what is too old, and every proof that no finding cites.
    pub(crate) fn note_standing(&mut self, clock: Timestamp) {
        let mut findings = self.audit.findings().to_vec();
        let history = self.audit.history();
        let witnessed = self.mirror.newest().and_then(|newest| newest.now());
        findings.extend(self.known_as_of().and_then(|known| freshness::frozen(history, known, clock)));
        findings.extend(history.lists().flat_map(|(name, list)| freshness::of_list(name, list, clock, witnessed)));
        findings.extend(history.lists().filter_map(|(name, _)| self.overdue(name)));
        // Whether something was late can't be told where nobody shows since when it is public.
        let unproven = self.unproven();
        let is_open = |finding: &Finding| {
            matches!(finding.code.as_str(), "stale-draft" | "release-missed")
                && finding.index.is_some_and(|index| unproven.contains(&index))
        };
        findings.retain(|finding| !is_open(finding));
        findings.into_iter().for_each(|finding| self.ledger.note(finding));
        for (digest, proven) in self.evidence.breaches() {
            if !self.ledger.cites(&digest.to_hex()) {
                self.ledger.note(self.audit.finding_by_evidence(digest, proven));
            }
        }
    }

    /// Complaints about a list whose deadline is over, as of the newest time that is witnessed.
    fn overdue(&self, list: &ListName) -> Option<Finding> {
        let (history, now) = (self.audit.history(), self.known_as_of()?);
        let complaints =
            complaints((history, list), self.audit.left_out(list), |index| self.audit.public_since(index), now);
        freshness::overdue(list, &complaints, now, |index| {
            let attestation = self.mirror.statement(index).and_then(Statement::into_attestation);
            attestation.map(|attestation| attestation.body().auditor.name().to_owned()).unwrap_or_default()
        })
    }

    /// Fetches and checks the content of releases that have no verdict yet, until the time of this look is over, in the order
    /// of [`Contents::open_versions`](crate::content::Contents::open_versions): nobody who is slow keeps others from their turn.
    pub(crate) async fn check_content(&mut self, cache: &mut Cache, clock: Timestamp) -> Result<(), MonitorError> {
        let mut awaited: BTreeMap<LeafIndex, Finding> = self.awaited().into_iter().collect();
        let put_off = awaited.keys().copied().collect();
        let (lists, order) = self.contents.open_versions(self.audit.history(), clock, &put_off);
        for (number, (list, version)) in order.into_iter().enumerate() {
            // Each look gets on by one version at least.
            if number > 0 && self.is_late() {
                break;
            }
            let Some(list) = lists.get(list) else { continue };
            self.contents.reach(list);
            // What is missing in a damaged copy is fetched first.
            let Some(job) = self.job(list, version) else { continue };
            awaited.remove(&job.index);
            self.check_one((list, version), &job, cache, clock).await?;
        }
        // Whoever was not asked has mended nothing.
        for (_, found) in awaited {
            let severity = self.while_waiting(CONTENT_AWAITED, &found.subject, Severity::Warning);
            self.ledger.note(Finding { severity, ..found });
        }
        self.note_unchecked();
        self.check_what_the_journal_says(cache, clock).await?;
        Ok(self.contents.write()?)
    }

    /// The releases whose content was put off at the look before, and the findings that it was.
    fn awaited(&self) -> Vec<(LeafIndex, Finding)> {
        let of_content = self.ledger.carried(CONTENT_AWAITED).into_iter();
        let of_content = of_content.filter(|found| found.subject.starts_with("statement "));
        let open = of_content.filter_map(|found| Some((found.index?, found)));
        open.filter(|(index, _)| matches!(self.contents.state(*index), ContentState::Unchecked)).collect()
    }

    async fn check_one(
        &mut self,
        (list, version): (&ListName, u64),
        job: &Job,
        cache: &mut Cache,
        clock: Timestamp,
    ) -> Result<(), MonitorError> {
        let checking = self.contents.check(job, &self.vantages, cache, clock);
        let served = in_time(self.look_for, job.bytes(), checking).await.unwrap_or_else(|| Ok(Served::put_off()))?;
        if served.is_put_off {
            let words = format!(
                "The content of version {version} of {list} was not had yet: this monitor was told to come again later, or it did not come in time. It is asked for again at the next look. If it lasts, nobody can tell whether the content is what was signed."
            );
            let subject = format!("statement {}", job.id);
            let finding = self.put_off(CONTENT_AWAITED, &subject, words, Severity::Warning);
            self.ledger.note(finding.in_list(list).about(&job.id, job.index));
        }
        if let Some(objects) = served.broken {
            self.prove_content(list, version, (job.index, objects))?;
        }
        for (label, words) in served.swapped {
            let words = format!("{words}. It was not accepted; this may be the fault of whoever serves it.");
            self.ledger.note(Finding::new(Severity::Warning, "object-swapped", label, words));
        }
        Ok(())
    }

    /// Says of which lists nobody looked at the content of the newest release yet; that it was put off is said already.
    fn note_unchecked(&mut self) {
        let mut unchecked: Vec<(ListName, StatementId, LeafIndex, u64)> = Vec::new();
        for (name, list) in self.audit.history().lists() {
            let Some(newest) = list.releases().last() else { continue };
            let is_awaited = self.ledger.stands(CONTENT_AWAITED, &format!("statement {}", newest.id));
            if !is_awaited && matches!(self.contents.state(newest.index), ContentState::Unchecked) {
                unchecked.push((name.clone(), newest.id, newest.index, list.releases().len() as u64));
            }
        }
        // Those of which it was said before come first, so that it is told how long it lasts.
        let subject = |name: &ListName| format!("content of {name}");
        unchecked.sort_by_key(|(name, ..)| !self.ledger.stands(CONTENT_UNCHECKED, &subject(name)));
        for (name, id, index, version) in unchecked.into_iter().take(MAX_UNCHECKED) {
            let words = format!(
                "The content of version {version} of {name} was not checked yet: what came before it took all the time of this look. It has its turn at one of the next ones. If it lasts, nobody can tell whether the content is what was signed."
            );
            let finding = self.put_off(CONTENT_UNCHECKED, &subject(&name), words, Severity::Warning);
            self.ledger.note(finding.under(Rule::Content).in_list(&name).about(&id, index));
        }
    }

    /// Checks again, a few at each look, what is only known to be verified by this monitor's own journal: of each list the
    /// newest release first. An object that can't be had any more changes nothing.
    async fn check_what_the_journal_says(&mut self, cache: &mut Cache, clock: Timestamp) -> Result<(), MonitorError> {
        let mut fetched = 0;
        for (list, version) in self.contents.recalled_versions(self.audit.history()) {
            if fetched > AGAIN || self.is_late() {
                break;
            }
            let Some(job) = self.job(&list, version) else { continue };
            fetched += job.release.objects().map(|object| object.size).sum::<u64>();
            let checking = self.contents.check_again(&job, &self.vantages, cache, clock);
            let Some(served) = in_time(self.look_for, job.bytes(), checking).await.transpose()? else { continue };
            if let Some(objects) = served.broken {
                self.prove_content(&list, version, (job.index, objects))?;
            }
        }
        Ok(())
    }

    /// Keeps the proof that a content is not what its release says, and notes it: once, since the objects may be gone at the
    /// next look.
    fn prove_content(
        &mut self,
        list: &ListName,
        version: u64,
        (index, objects): (LeafIndex, Objects),
    ) -> Result<(), MonitorError> {
        let Some(finding) = self.content_finding(index) else { return Ok(()) };
        if self.ledger.evidence_of(&finding.code, &finding.subject).is_some() || !self.evidence.has_room(Some(list)) {
            return Ok(());
        }
        let Some(evidence) = self.wrong_content(list, version, objects) else { return Ok(()) };
        if let Some((digest, _)) = self.evidence.keep(&evidence, self.trust.policy())? {
            self.ledger.note(finding.proven_by(&digest));
        }
        Ok(())
    }

    /// What it takes to check the content of a version.
    pub(crate) fn job(&self, name: &ListName, version: u64) -> Option<Job> {
        let list = self.audit.history().list(name)?;
        let logged = list.version(version)?;
        let release = self.release(name, logged)?.body().clone();
        let algorithm = list.editions().find(&release.charter)?.charter().matching.algorithm;
        let base = |delta: &DeltaRef| {
            let base = list.version(delta.from)?;
            Some((base.id, self.release(name, base)?.body().clone()))
        };
        let bases = release.deltas.iter().map(base).collect::<Option<_>>()?;
        Some(Job { id: logged.id, index: logged.index, release, algorithm, bases })
    }

    /// The newest release of each list, whole, with its place in the log.
    pub(super) fn newest_releases(&self) -> Vec<(LeafIndex, Signed<Release>)> {
        let newest = self.audit.history().lists().filter_map(|(name, list)| {
            let index = list.releases().last()?.index;
            Some((index, self.audit.recent().newest(name)?.clone()))
        });
        newest.collect()
    }

    /// Looks the canary corpus up in each list's newest release, once for each after each start, until the time of this look
    /// is over: what was not reached comes first at the next one. What was decoded at this look is in `cache`.
    pub(crate) async fn look_up_canaries(&mut self, cache: &Cache) {
        let (releases, until) = (self.newest_releases(), self.until);
        let Some(canary) = &mut self.canary else { return };
        let releases = canary.turn.order(releases);
        let (mut has_asked, mut left) = (false, Vec::new());
        for (index, release) in releases {
            let (id, body) = (release.id(), release.body());
            let list = self.audit.history().list(&body.list);
            let Some(edition) = list.and_then(|list| list.editions().find(&body.charter)) else { continue };
            let matching = &edition.charter().matching;
            let kind = (matching.algorithm, matching.min_quality);
            if let Err(problem) = canary.prepare(kind.0, kind.1) {
                let words = format!(
                    "This monitor's corpus of files that must not match can't be looked up, so nothing is known of whether they do: {}.",
                    units::sentence(&problem)
                );
                self.ledger.note(Finding::new(Severity::Warning, "canaries-unreadable", "this monitor", words));
                return;
            }
            if canary.verdict(&id).is_none() && self.contents.is_verified(index) {
                // Each look gets on by one list at least.
                let is_over = has_asked && until.is_some_and(|until| Instant::now() >= until);
                let entries = match cache.find(&id) {
                    Some(entries) => Ok(entries),
                    None if is_over => Err(NO_TIME.to_owned()),
                    None => {
                        has_asked = true;
                        entries_in_time(self.look_for, &self.vantages, body, kind.0.entry_size()).await
                    }
                };
                match entries {
                    Ok(entries) => canary.look_up(id, &entries, kind, matching.max_distance),
                    Err(problem) => left.push((body.list.clone(), body.version, problem)),
                }
            }
            let Some(verdict) = canary.verdict(&id).filter(|verdict| verdict.count > 0) else { continue };
            let words = format!(
                "{} of {} files of this monitor's corpus, which must not match, are matched by version {} of {}: {}. Two pictures can be alike by chance; somebody should look at the entry.",
                verdict.count,
                verdict.looked_up,
                body.version,
                body.list,
                verdict.named.join(", ")
            );
            let finding = Finding::new(Severity::Warning, "canary-matched", format!("statement {id}"), words);
            self.ledger.note(finding.in_list(&body.list).about(&id, index));
        }
        // The first of these had its turn, unless nobody had.
        let next = left.iter().find(|(_, _, problem)| problem == NO_TIME).or(left.first());
        canary.turn.begin_with(next.map(|(list, ..)| list.clone()));
        self.note_canaries_left(&left);
    }

    /// Says so where canaries were not looked up yet: one finding of all, so that it lasts as long as any is left.
    fn note_canaries_left(&mut self, left: &[(ListName, u64, String)]) {
        let Some((list, version, problem)) = left.first() else { return };
        let others = match left.len() - 1 {
            0 => String::new(),
            more => format!(" So it is with {more} more lists."),
        };
        let words = format!(
            "This monitor's corpus of files that must not match was not looked up in version {version} of {list} yet: {problem}.{others} It is at one of the next looks. If it lasts, nothing is known of whether they match."
        );
        self.ledger.note(self.put_off(CANARIES_AWAITED, "this monitor", words, Severity::Warning));
    }

    /// Notes every content that is broken or could not be had; of too many, what is broken goes first.
    pub(crate) fn note_content(&mut self) {
        let mut faulty: Vec<LeafIndex> = self.contents.faulty().collect();
        faulty.sort_by_key(|index| !matches!(self.contents.state(*index), ContentState::Broken { .. }));
        self.ledger.omit(faulty.len().saturating_sub(MAX_FAULTY));
        let findings = faulty.into_iter().take(MAX_FAULTY).filter_map(|index| self.content_finding(index));
        let findings: Vec<Finding> = findings.collect();
        findings.into_iter().for_each(|finding| self.ledger.note(finding));
    }

    fn content_finding(&self, index: LeafIndex) -> Option<Finding> {
        let mut lists = self.audit.history().lists();
        let (name, list, version) = lists.find_map(|(name, list)| Some((name, list, list.version_at(index)?)))?;
        let logged = list.version(version)?;
        let what = format!("version {version} of {name}");
        let subject = format!("statement {}", logged.id);
        let finding = match self.contents.state(index) {
            ContentState::Broken { words, .. } => {
                let words = format!("The content of {what} breaks {}. {}.", Rule::Content, units::sentence(&words));
                let mut answerable = vec![Answerable::log(self.trust.log())];
                if let Some(release) = self.release(name, logged)
                    && let Some(edition) = list.editions().find(&release.body().charter)
                {
                    answerable.extend(Answerable::signers(release.note(), edition.charter()));
                }
                Finding::new(Severity::Breach, "content-broken", subject, words).answered_by(answerable)
            }
            ContentState::Unavailable { at, words } => {
                let words = format!("The content of {what} could not be checked at {at}. {}.", units::sentence(&words));
                // Of a list, what counts is the newest release; an old one's objects may have been removed.
                let newest = list.releases().len() as u64 == version;
                let severity = if newest { Severity::Warning } else { Severity::Notice };
                Finding::new(severity, "content-missing", subject, words)
            }
            ContentState::Unchecked | ContentState::Verified { .. } => return None,
        };
        Some(finding.under(Rule::Content).in_list(name).about(&logged.id, index))
    }
}
