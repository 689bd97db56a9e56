//! What auditors attest, in a report.

use super::releases::charter_of;
use crate::audit::{LeftOut, LeftOutRemovals};
use crate::kept::{self, History, KeptComplaint, ListHistory, LoggedRelease};
use crate::units;
use isonomy_core::attestation::{self, Attestation, Complaint, Method};
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::Commitment;
use isonomy_core::rules::MAX_CLOCK_DIFFERENCE;
use isonomy_core::rules::signatures::DRAFT_LIFETIME;
use isonomy_core::statement::{ListName, Signed};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What an auditor attested.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AttestationReport {
    /// Its place in the log.
    pub index: LeafIndex,
    /// The name of the auditor's key.
    pub auditor: String,
    /// That key's short id, in hexadecimal: a name is anybody's.
    pub auditor_id: String,
    /// What was done.
    pub method: Method,
    /// The version of the release that it is about.
    pub version: u64,
    /// What was found.
    pub finding: String,
    /// When it was made.
    pub created: Timestamp,
    /// For `followed`: up to which size the log was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_size: Option<TreeSize>,
    /// For content methods: how many entries or pictures were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<u64>,
    /// For content methods: how many of them were wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// A longer report that it names. Nobody here has read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<attestation::Report>,
    /// Why it counts for nothing, in words, if it says what can't be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impossible: Option<String>,
    /// For `complaint`: what is known of its course, unless it counts for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complaint: Option<ComplaintReport>,
}

/// The course of a complaint, as far as the log tells. Which entry it is about, only those can prove who hold salt and
/// entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ComplaintReport {
    /// When it was received: by the word of the auditor that logged it, and of nobody else.
    pub received: Timestamp,
    /// Since when the log shows it: witnessed, whatever the auditor says.
    pub logged_since: Timestamp,
    /// The SHA-256 of salt and entry, in hexadecimal.
    pub commitment: String,
    /// By which edition of the charter deadlines count: of those that the release which it is about, and the newest release that was
    /// logged before it, cite, the one that gives longer.
    pub edition: u64,
    /// Until when a wrong entry must go, by that edition, from when it was received.
    pub deadline: Timestamp,
    /// The same from when the log shows the complaint: whatever its date, nobody is late before that.
    pub deadline_by_log: Timestamp,
    /// How that stands, as of the witnessed time of the newest checkpoint.
    pub state: ComplaintState,
    /// The first release that removes entries and was composed, or logged, after the complaint. If that was late, or there is none, one
    /// that was composed before and was public after the complaint by the proofs that are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removing_version: Option<u64>,
    /// When that was composed: it can't have been public before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub composed: Option<Timestamp>,
    /// A release that would have removed entries, was composed in time and was not taken up, where none removed any in time: a log may
    /// have admitted it otherwise than it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// How many seconds after the complaint that was public, by the proofs that are shown: at most, since a log may show later
    /// ones than the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_after: Option<u64>,
}

/// Whether anything was removed within the deadline of a complaint. Whether that was the entry in question, only those can
/// tell who hold salt and entry; and whether it had to go, nobody by the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComplaintState {
    /// Nothing was removed since, and the deadline runs.
    Running,
    /// Something was removed within it.
    InTime,
    /// By the word of the auditor alone it is over: counted from when the log shows the complaint, it runs, or something was
    /// removed within it. Or something was removed later by the proofs that are shown alone: it was composed within it. Or by those
    /// alone after the complaint: it was composed before. Or a release that was not taken up would have removed something within it.
    InDoubt,
    /// Something was removed, by a release that was composed later.
    Late,
    /// It is over, and nothing was removed.
    Overdue,
}

impl AttestationReport {
    /// One about the list of `removing`. `logged_since`: since when the log shows it; `now`: the witnessed time of the newest checkpoint.
    pub(crate) fn new(
        history: &History,
        removing: &Removing,
        (index, attestation): (LeafIndex, &Signed<Attestation>),
        logged_since: Timestamp,
        now: Timestamp,
    ) -> Self {
        let body = attestation.body();
        let version = history.version_of(&body.list, &body.release).unwrap_or(0);
        let impossible = impossible(&Stated::of(body), index, logged_since, removing.list.version(version));
        let course = |complaint| ComplaintReport::new((removing, version), (index, complaint), logged_since, now);
        Self {
            index,
            auditor: body.auditor.name().to_owned(),
            auditor_id: to_hex(&body.auditor.id().0),
            method: body.method,
            version,
            finding: body.finding.clone(),
            created: body.created,
            log_size: body.log_size,
            sample: body.sample,
            errors: body.errors,
            report: body.report.clone(),
            complaint: body.complaint.as_ref().filter(|_| impossible.is_none()).and_then(course),
            impossible,
        }
    }
}

/// What an attestation says that the log can contradict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stated {
    created: Timestamp,
    received: Option<Timestamp>,
    log_size: Option<TreeSize>,
    /// How many entries of the release were looked at.
    entries: Option<u64>,
}

impl Stated {
    pub(crate) fn of(body: &Attestation) -> Self {
        Self {
            created: body.created,
            received: body.complaint.as_ref().map(|complaint| complaint.received),
            log_size: body.log_size,
            entries: body.sample.filter(|_| body.method != Method::Canary),
        }
    }

    /// When a complaint is said to have been received, if that is after it was logged. Clocks may differ.
    fn received_late(&self, logged_since: Timestamp) -> Option<Timestamp> {
        let early = self.created.min(logged_since);
        self.received.filter(|received| received.since(early) > MAX_CLOCK_DIFFERENCE)
    }
}

/// What an attestation says that can't be, by its place in the log and since when that is public. Clocks may differ.
pub(crate) fn impossible(
    body: &Stated,
    index: LeafIndex,
    logged_since: Timestamp,
    release: Option<&LoggedRelease>,
) -> Option<String> {
    let early = body.received_late(logged_since);
    let said = match (body.log_size, release) {
        (Some(size), _) if size.0 > index.0 => format!(
            "it says that the log was read up to {} entries, of which there were {} when it was logged",
            units::number(size.0),
            units::number(index.0)
        ),
        _ if body.created.since(logged_since) > MAX_CLOCK_DIFFERENCE => {
            format!("it is dated at {}, and the log shows it since {logged_since}", body.created)
        }
        _ if let Some(received) = early => format!(
            "it is dated at {}, and the log shows it since {logged_since}, but the complaint is said to have been received at {received}",
            body.created
        ),
        // Whatever its signers say, it was there when witnesses saw it.
        (_, Some(release)) if kept::earliest(release).since(body.created) > MAX_CLOCK_DIFFERENCE => {
            format!(
                "it is dated at {}, and the release that it is about was composed at {}",
                body.created, release.created
            )
        }
        (_, Some(release)) if body.entries.is_some_and(|n| n > release.release.entries) => {
            format!(
                "it says that more entries were looked at than the {} of the release",
                units::number(release.release.entries)
            )
        }
        _ => return None,
    };
    Some(format!("This counts for nothing: {said}."))
}

/// How long a charter gives to remove a wrong entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Removal {
    /// By which edition.
    pub(crate) edition: u64,
    /// In seconds.
    pub(crate) within: u64,
}

impl Removal {
    /// After a complaint about this version that stands at this place in the log: which version it is about, whoever logs it chooses, so
    /// the newest one before it counts beside that, and the longer time.
    pub(crate) fn after((list, version): (&ListHistory, u64), index: LeafIndex) -> Option<Self> {
        let before = list.releases().partition_point(|logged| logged.index < index);
        let newest = before.checked_sub(1).and_then(|at| list.releases().get(at));
        let removal = |logged: &LoggedRelease| {
            let within = charter_of(list.editions(), logged)?.redress.removal_deadline;
            Some(Self { edition: logged.edition, within })
        };
        let cited = removal(list.version(version)?)?;
        let longer = newest.and_then(removal).filter(|newest| newest.within >= cited.within);
        Some(longer.unwrap_or(cited))
    }
}

/// The complaints about a list that count, in the order of the log, as of a time: of each commitment the one that stands worst, and of
/// these the one with the first deadline by the log. Whoever has seen a commitment can log it again, by other dates and about another
/// version: so no copy hides what became of another. What is held of each attestation in memory suffices.
pub(crate) fn complaints(
    (history, name): (&History, &ListName),
    left_out: &[LeftOut],
    public_since: impl Fn(LeafIndex) -> Timestamp,
    now: Timestamp,
) -> Vec<(LeafIndex, ComplaintReport)> {
    let Some(list) = history.list(name) else { return Vec::new() };
    let removing = Removing::new(list, left_out);
    let course = |index: LeafIndex, kept: &KeptComplaint| {
        let version = history.version_of(name, &kept.release)?;
        let logged_since = public_since(index);
        let is_impossible = impossible(&kept.said, index, logged_since, list.version(version)).is_some();
        let complaint = Some(&kept.complaint).filter(|_| !is_impossible)?;
        ComplaintReport::new((&removing, version), (index, complaint), logged_since, now)
    };
    let of_complaints =
        list.attestations().iter().filter_map(|logged| Some((logged.index, logged.attestation.0.as_ref()?)));
    let mut worst: BTreeMap<Commitment, (Reverse<u8>, Timestamp, LeafIndex, &KeptComplaint)> = BTreeMap::new();
    for (index, kept) in of_complaints {
        let Some(course) = course(index, kept) else { continue };
        let one = (Reverse(course.state.gravity()), course.deadline_by_log, index, kept);
        let known = worst.entry(kept.complaint.commitment).or_insert(one);
        if (one.0, one.1, one.2) < (known.0, known.1, known.2) {
            *known = one;
        }
    }
    let mut worst: Vec<(LeafIndex, &KeptComplaint)> =
        worst.into_values().map(|(_, _, index, kept)| (index, kept)).collect();
    worst.sort_unstable_by_key(|(index, _)| *index);
    worst.into_iter().filter_map(|(index, kept)| Some((index, course(index, kept)?))).collect()
}

/// What of a list removes entries, for many complaints.
pub(crate) struct Removing<'l> {
    list: &'l ListHistory,
    /// The places among the releases of those that remove some.
    removing: Vec<usize>,
    left_out: LeftOutRemovals,
}

impl<'l> Removing<'l> {
    /// `left_out`: the releases of the list that were not taken up.
    pub(crate) fn new(list: &'l ListHistory, left_out: &[LeftOut]) -> Self {
        let removing = list.releases().iter().enumerate().filter(|(_, logged)| logged.release.removed > 0);
        let removing = removing.map(|(at, _)| at).collect();
        Self { list, removing, left_out: LeftOutRemovals::among(left_out) }
    }

    /// The releases from this place among all on that remove entries, each with its version.
    fn from(&self, place: usize) -> impl Iterator<Item = (&'l LoggedRelease, u64)> {
        let (list, first) = (self.list, self.removing.partition_point(|at| *at < place));
        let places = self.removing.get(first..).unwrap_or_default().iter();
        places.filter_map(|at| Some((list.releases().get(*at)?, *at as u64 + 1)))
    }
}

impl ComplaintState {
    /// The graver, the higher.
    fn gravity(self) -> u8 {
        match self {
            Self::Running => 0,
            Self::InTime => 1,
            Self::InDoubt => 2,
            Self::Late => 3,
            Self::Overdue => 4,
        }
    }
}

impl ComplaintReport {
    /// The course of a complaint about this version.
    fn new(
        (removing, version): (&Removing, u64),
        (index, complaint): (LeafIndex, &Complaint),
        logged_since: Timestamp,
        now: Timestamp,
    ) -> Option<Self> {
        let list = removing.list;
        let Removal { edition, within } = Removal::after((list, version), index)?;
        let received = complaint.received;
        let deadline = received.plus(within);
        let deadline_by_log = logged_since.max(received).plus(within);
        // Also one that came before the complaint was logged, and so is in the version that the complaint names.
        let is_after = |logged: &LoggedRelease| logged.created > received || logged.index > index;
        // None was composed, logged or public before those before it, so of many complaints each is soon found.
        let first_after = list.releases().partition_point(|logged| !is_after(logged));
        let after = removing.from(first_after).next();
        let state = match after {
            Some((logged, _)) if logged.public_since <= deadline => ComplaintState::InTime,
            Some((logged, _)) if kept::earliest(logged) > deadline_by_log => ComplaintState::Late,
            None if now <= deadline => ComplaintState::Running,
            None if now > deadline_by_log => ComplaintState::Overdue,
            Some(_) | None => ComplaintState::InDoubt,
        };
        // Composed before, and public after by the proofs that are shown. Those may be late; but what was admitted at all was so within a
        // day after it was composed.
        let is_across = |logged: &LoggedRelease| {
            !is_after(logged) && logged.public_since > received && logged.created.plus(DRAFT_LIFETIME) >= received
        };
        let early =
            |logged: &LoggedRelease| logged.public_since <= received || logged.created.plus(DRAFT_LIFETIME) < received;
        let first_across = list.releases().partition_point(early);
        let across = removing
            .from(first_across)
            .take_while(|(logged, _)| !is_after(logged))
            .find(|(logged, _)| is_across(logged));
        let left_out = removing.left_out.in_time((received, index), deadline_by_log);
        let (state, removed, left_out) = match state {
            ComplaintState::Late | ComplaintState::Overdue if across.is_some() => {
                (ComplaintState::InDoubt, across, None)
            }
            ComplaintState::Late | ComplaintState::Overdue if left_out.is_some() => {
                (ComplaintState::InDoubt, after, left_out.copied())
            }
            state => (state, after, None),
        };
        let public = removed.map(|(logged, _)| logged.public_since);
        let composed = removed.map(|(logged, _)| kept::earliest(logged));
        Some(Self {
            received,
            logged_since,
            commitment: complaint.commitment.to_hex(),
            edition,
            deadline,
            deadline_by_log,
            state,
            removing_version: removed.map(|(_, version)| version),
            composed,
            left_out,
            removed_after: public.map(|public| public.since(received)),
        })
    }
}
