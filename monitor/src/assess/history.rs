//! What can be measured of a list from the log and its objects alone: growth, churn, who endorsed what, how long what was
//! removed had stood, and what came too late.

use super::AssessError;
use crate::audit::LeftOut;
use crate::kept::{self, ListHistory, LoggedRelease};
use crate::monitor::Monitor;
use crate::report::{ComplaintReport, ComplaintState, complaints};
use crate::units;
use crate::vantage::{Lack, Vantage};
use isonomy_core::charter::Curator;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries, snapshot};
use isonomy_core::note::VerifierKey;
use isonomy_core::paths::Needed;
use isonomy_core::release::Release;
use isonomy_core::statement::{ListName, Signed, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use serde::Serialize;
use std::collections::BTreeSet;

/// One release.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Growth {
    /// Its version.
    pub version: u64,
    /// When it was composed, by its signers: it can't have been public before.
    pub created: Timestamp,
    /// Since when it is public, by the proofs that are shown: at the latest, since a log may show later ones than the first.
    pub public_since: Timestamp,
    /// Whether it may be public for longer than that, since nobody shows its seen proof: then that time is when the log was
    /// read, and another reader may have another.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unproven: bool,
    /// How many entries it has.
    pub entries: u64,
    /// How many of them are new, counted anew unless it says otherwise.
    pub added: u64,
    /// How many are gone, counted anew unless it says otherwise.
    pub removed: u64,
    /// Whether its content was not read, since it is no longer kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// Whether both are what the release says, endorsed as it is: its content, or that of the one before, is no longer kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub as_stated: bool,
}

/// What a curator has endorsed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Endorsements {
    /// Its name.
    pub curator: String,
    /// Where it sits.
    pub jurisdiction: String,
    /// Releases that it has endorsed.
    pub releases: u64,
    /// Entries that were added by those.
    pub additions: u64,
}

/// How long entries that were removed had been public, by the proofs that are shown; times in seconds.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Removals {
    /// How many entries were removed, each as often as that was, as far as the contents that were read show it.
    pub entries: u64,
    /// How many more the releases state whose content, or that of the one before, was not read: since when those were public can't be
    /// told.
    pub undated: u64,
    /// How many of these removals did not last: a later release has the entry again.
    pub came_back: u64,
    /// The shortest time.
    pub shortest: u64,
    /// The median.
    pub median: u64,
    /// The longest.
    pub longest: u64,
}

/// Something that came too late, whichever proofs a log shows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Missed {
    /// What, in words.
    pub what: String,
    /// When it was due.
    pub due: Timestamp,
    /// By how many seconds it was late at least: its own signers composed it so late. Absent if it has not come by the time of
    /// the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<u64>,
    /// By how many seconds it was late at most: by the proofs that are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_by_proofs: Option<u64>,
}

/// Something that may have come too late or in time: what is shown does not tell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct InDoubt {
    /// What, in words.
    pub what: String,
    /// When it was due, at the earliest.
    pub due: Timestamp,
    /// When it came, by the proofs that are shown: at the latest. Absent if it has not come by the time of the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub came: Option<Timestamp>,
    /// Why it can't be told, in words.
    pub why: String,
}

/// What followed on complaints. Whether one is right, the log does not show: nobody misses anything where it is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Complaints {
    /// After how many a removal was due by the time of the report, if they are right: each commitment counts once.
    pub due: u64,
    /// Those after which nothing was removed in time, whichever proofs a log shows.
    pub without_removal: Vec<Missed>,
    /// Those after which something may have been removed in time.
    pub in_doubt: Vec<InDoubt>,
}

/// The deadlines of a list.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    /// How many have come, by the time of the report: for a next release before one expires.
    pub(super) come: u64,
    pub(super) missed: Vec<Missed>,
    pub(super) in_doubt: Vec<InDoubt>,
    pub(super) complaints: Complaints,
}

/// What the releases show.
pub(super) struct Measured {
    pub(super) growth: Vec<Growth>,
    pub(super) endorsements: Vec<Endorsements>,
    pub(super) removals: Removals,
    pub(super) newest: Entries,
    /// For each of the newest entries, which release added it.
    pub(super) since: Vec<Since>,
}

/// Since which release an entry stands without a break.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Since {
    pub(super) version: u64,
    pub(super) time: Timestamp,
}

/// Reads every release and its content in turn, and follows each entry from the release that added it to the one that
/// removed it. Content that the log need not keep any more ([`isonomy_core::paths`]) may be gone; then what the release says
/// of itself counts, and entries that came or went meanwhile are dated by the next release whose content is there.
pub(super) async fn measure(
    monitor: &Monitor,
    (name, list): (&ListName, &ListHistory),
    algorithm: Algorithm,
) -> Result<Measured, AssessError> {
    let size = algorithm.entry_size();
    let mut standing = Standing::new(Entries::empty(size).map_err(|_| AssessError::Empty)?);
    let (mut growth, mut ages, mut endorsements) = (Vec::new(), Vec::new(), Endorsed::of(list));
    let needed = needed(list, monitor.mirror.newest().and_then(|newest| newest.now()));
    let (mut is_followed, unproven) = (true, monitor.unproven());
    for (version, logged) in (1..).zip(list.releases()) {
        let release = stored(monitor, name, version, logged)?;
        let content = content(&monitor.vantages, release.body(), size).await;
        let unread = content.is_err();
        let counted = match content {
            Ok(content) => {
                let now = Since { version, time: logged.public_since };
                Some(standing.replace(content, now, &mut ages)).filter(|_| std::mem::replace(&mut is_followed, true))
            }
            Err(AssessError::Gone { .. }) if !needed.contains(&version) => {
                is_followed = false;
                None
            }
            Err(error) => return Err(error),
        };
        let (added, removed) = counted.unwrap_or((release.body().added, release.body().removed));
        endorsements.count(&release, added);
        growth.push(Growth {
            version,
            created: logged.created,
            public_since: logged.public_since,
            unproven: unproven.contains(&logged.index),
            entries: logged.release.entries,
            added,
            removed,
            unread,
            as_stated: counted.is_none(),
        });
    }
    ages.sort_unstable();
    let at = |index: usize| ages.get(index).copied().unwrap_or_default();
    let removals = Removals {
        entries: ages.len() as u64,
        undated: growth.iter().map(|one| one.removed).sum::<u64>().saturating_sub(ages.len() as u64),
        came_back: standing.came_back,
        shortest: at(0),
        median: at(ages.len() / 2),
        longest: at(ages.len().saturating_sub(1)),
    };
    let endorsements = endorsements.curators.into_iter().map(|(_, counted)| counted).collect();
    Ok(Measured { growth, endorsements, removals, newest: standing.entries, since: standing.since })
}

/// A release that was read before, whole.
pub(crate) fn stored(
    monitor: &Monitor,
    name: &ListName,
    version: u64,
    logged: &LoggedRelease,
) -> Result<Signed<Release>, AssessError> {
    let lost =
        || AssessError::Content { version, words: "its release can't be read from the copy of the log".to_owned() };
    monitor.release(name, logged).ok_or_else(lost)
}

/// The versions whose content a log has to keep at the witnessed time `now`: what has not expired, and what later releases build
/// on. All of them if no time is witnessed.
fn needed(list: &ListHistory, now: Option<Timestamp>) -> BTreeSet<u64> {
    let releases = (1..).zip(list.releases());
    let offered = releases.filter(|(_, logged)| now.is_none_or(|now| logged.release.expires > now));
    Needed::of(list.releases().len() as u64, &offered.map(|(version, _)| version).collect()).snapshots
}

/// The entries of a release, which have the root that it names.
pub(crate) async fn content(vantages: &[Vantage], body: &Release, entry_size: usize) -> Result<Entries, AssessError> {
    let failed = |words: String| AssessError::Content { version: body.version, words };
    let (mut problems, mut is_gone) = (Vec::new(), true);
    for vantage in vantages {
        match vantage.object(&body.snapshot).await {
            Err(lack) => {
                is_gone &= matches!(lack, Lack::Unavailable(_));
                problems.push(lack.words().to_owned());
            }
            Ok(bytes) => {
                let entries = snapshot::decode(&bytes, entry_size, body.entries);
                let entries = entries.map_err(|error| failed(error.to_string()))?;
                let is_signed = entries.root() == body.root;
                return is_signed
                    .then_some(entries)
                    .ok_or_else(|| failed("it has another root than was signed".into()));
            }
        }
    }
    let words = problems.join("; ");
    if is_gone { Err(AssessError::Gone { version: body.version, words }) } else { Err(failed(words)) }
}

/// Entries, and since when each is public.
struct Standing {
    entries: Entries,
    since: Vec<Since>,
    /// What was removed and is not there again.
    gone: BTreeSet<Vec<u8>>,
    /// How often something was there again that had been removed.
    came_back: u64,
}

impl Standing {
    fn new(entries: Entries) -> Self {
        Self { entries, since: Vec::new(), gone: BTreeSet::new(), came_back: 0 }
    }

    /// Goes on to the next content. Gives how many entries are new and how many gone; how long the latter stood is noted.
    fn replace(&mut self, next: Entries, now: Since, ages: &mut Vec<u64>) -> (u64, u64) {
        let mut since = Vec::with_capacity(next.len());
        let mut old = self.entries.iter().zip(&self.since).peekable();
        let (mut added, mut removed) = (0, 0);
        for entry in next.iter() {
            while let Some((known, from)) = old.next_if(|(known, _)| *known < entry) {
                ages.push(now.time.since(from.time));
                self.gone.insert(known.to_vec());
                removed += 1;
            }
            match old.next_if(|(known, _)| *known == entry) {
                Some((_, from)) => since.push(*from),
                None => {
                    since.push(now);
                    self.came_back += u64::from(self.gone.remove(entry));
                    added += 1;
                }
            }
        }
        for (known, from) in old {
            ages.push(now.time.since(from.time));
            self.gone.insert(known.to_vec());
            removed += 1;
        }
        (self.entries, self.since) = (next, since);
        (added, removed)
    }
}

/// What each curator that a charter of the list has ever named has endorsed.
struct Endorsed<'l> {
    curators: Vec<(&'l VerifierKey, Endorsements)>,
}

impl<'l> Endorsed<'l> {
    fn of(list: &'l ListHistory) -> Self {
        let mut curators: Vec<(&VerifierKey, Endorsements)> = Vec::new();
        for Curator { name, jurisdiction, key } in
            list.editions().all().iter().flat_map(|edition| &edition.charter().curation.curators)
        {
            if !curators.iter().any(|(known, _)| *known == key) {
                let (curator, jurisdiction) = (name.clone(), jurisdiction.to_string());
                curators.push((key, Endorsements { curator, jurisdiction, releases: 0, additions: 0 }));
            }
        }
        Self { curators }
    }

    /// Counts a release that adds so many entries.
    fn count(&mut self, release: &Signed<Release>, added: u64) {
        let lines = release.note().signatures();
        for (_, endorsed) in self.curators.iter_mut().filter(|(key, _)| lines.iter().any(|line| key.matches(line))) {
            endorsed.releases += 1;
            endorsed.additions += added;
        }
    }
}

/// Releases that expired before another was public, and, apart from them, complaints whose deadline passed without any removal, counted
/// from when the log shows them. When the entry of a complaint went, only who holds its salt can tell.
///
/// A proof says when something was public at the latest, since a log may show a later one than the first; what its signers
/// composed at some time was not public before. So what was composed too late is late, and what is late by the proofs alone
/// is in doubt.
pub(super) fn deadlines(
    monitor: &Monitor,
    (name, list): (&ListName, &ListHistory),
    as_of: Timestamp,
) -> Result<Deadlines, AssessError> {
    let mut deadlines = Deadlines::default();
    let left_out = monitor.audit.left_out(name);
    for (version, logged) in (1..).zip(list.releases()) {
        deadlines.note_release((name, version), (logged, list.version(version + 1)), left_out, as_of);
    }
    let public_since = |at| monitor.audit.public_since(at);
    for (index, course) in complaints((monitor.audit.history(), name), left_out, public_since, as_of) {
        let lost = || AssessError::Log(format!("entry {index} can't be read from the copy"));
        let attestation = monitor.mirror.statement(index).and_then(Statement::into_attestation).ok_or_else(lost)?;
        let auditor = &attestation.body().auditor;
        let auditor = format!("{} ({})", auditor.name(), to_hex(&auditor.id().0));
        deadlines.complaints.note(&course, &auditor, index);
    }
    Ok(deadlines)
}

impl Deadlines {
    /// A release has to be followed before it expires.
    fn note_release(
        &mut self,
        (name, version): (&ListName, u64),
        (logged, next): (&LoggedRelease, Option<&LoggedRelease>),
        left_out: &[LeftOut],
        as_of: Timestamp,
    ) {
        let (what, due) = (format!("a release after version {version} of {name}"), logged.release.expires);
        self.come += u64::from(next.is_some() || as_of > due);
        let is_late = next.map_or(as_of > due, |next| kept::earliest(next) > due);
        let left_out = left_out.iter().find(|one| one.would_be(version + 1, due)).filter(|_| is_late);
        match next {
            _ if let Some(left_out) = left_out => {
                let came = next.map(|next| next.public_since);
                self.in_doubt.push(InDoubt { what, due, came, why: left_out.words() });
            }
            None if as_of > due => self.missed.push(Missed { what, due, late: None, late_by_proofs: None }),
            Some(next) if kept::earliest(next) > due => {
                let late_by_proofs = Some(next.public_since.since(due));
                self.missed.push(Missed { what, due, late: Some(kept::earliest(next).since(due)), late_by_proofs });
            }
            Some(next) if next.public_since > due => {
                let why = format!(
                    "it was composed at {}, in time, and a log can show a later proof than the first",
                    next.created
                );
                self.in_doubt.push(InDoubt { what, due, came: Some(next.public_since), why });
            }
            _ => {}
        }
    }
}

impl Complaints {
    /// After a complaint, something has to be removed before its deadline, if it is right.
    fn note(&mut self, course: &ComplaintReport, auditor: &str, index: LeafIndex) {
        self.due += u64::from(course.state != ComplaintState::Running);
        let came = course.removed_after.map(|after| course.received.plus(after));
        let what = format!(
            "any removal after the complaint at entry {index}, within the {} that edition {} of the charter gives",
            units::duration(course.deadline.since(course.received)),
            course.edition
        );
        let doubt = |why| InDoubt { what: what.clone(), due: course.deadline, came, why };
        match course.state {
            ComplaintState::Running | ComplaintState::InTime => {}
            ComplaintState::Late | ComplaintState::Overdue => self.without_removal.push(Missed {
                what: format!(
                    "{what}, counted from when the log shows it; {auditor} says that it was received at {}",
                    course.received
                ),
                due: course.deadline_by_log,
                late: course.composed.map(|composed| composed.since(course.deadline_by_log)),
                late_by_proofs: came.map(|came| came.since(course.deadline_by_log)),
            }),
            ComplaintState::InDoubt if let Some(left_out) = &course.left_out => {
                self.in_doubt.push(doubt(left_out.words()));
            }
            ComplaintState::InDoubt => {
                let composed = course.composed.map(|composed| format!("; it was composed at {composed}"));
                let why = format!(
                    "{auditor} says that it was received at {}; counted from when the log shows it, by the proof that is shown, it was due at {}{}",
                    course.received,
                    course.deadline_by_log,
                    composed.unwrap_or_default()
                );
                self.in_doubt.push(doubt(why));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(numbers: &[u8]) -> Entries {
        Entries::from_unsorted(32, numbers.iter().flat_map(|number| [*number; 32]).collect()).unwrap().0
    }

    #[test]
    fn each_entry_is_followed_from_its_addition_to_its_removal() {
        let mut standing = Standing::new(entries(&[]));
        let mut ages = Vec::new();
        for (numbers, time, counts) in
            [(&[3, 5, 7][..], 100, (3, 0)), (&[1, 3, 7, 9], 200, (2, 1)), (&[1, 5], 350, (1, 3)), (&[], 400, (0, 2))]
        {
            assert_eq!(
                standing.replace(entries(numbers), Since { version: time, time: Timestamp(time) }, &mut ages),
                counts,
                "{time}"
            );
        }
        // 5 went after 100; 3 and 7 after 250, 9 after 150; 1 after 200, and the 5 that came again after 50.
        assert_eq!(ages, [100, 250, 250, 150, 200, 50]);
        assert_eq!((standing.came_back, standing.gone.len()), (1, 5), "the 5 came back, and went again");
    }
}
