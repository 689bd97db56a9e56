//! What grows too old, and what comes into force.
//!
//! A log can hide a newer release from a client only until what it shows is too old; so somebody has to look at the age
//! of what it shows, well before a client's patience ends. This monitor does at half of the shortest visibility.

use crate::finding::{Finding, Severity};
use crate::kept::{self, History, ListHistory};
use crate::report::{ComplaintReport, ComplaintState};
use crate::units;
use isonomy_core::rules::{MAX_CLOCK_AHEAD, Rule};
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;

/// The age in seconds from which a checkpoint is too old, while there is no list: half a day.
const WITHOUT_LISTS: u64 = 12 * 3600;
/// A release should be followed by another in the last part of its validity: this fraction.
const LAST_PART: u64 = 4;

/// The least such age: clocks may differ by so much, and nobody looks more often.
const LEAST: u64 = MAX_CLOCK_AHEAD;

/// The age in seconds from which a checkpoint is too old: half of the shortest visibility in force, but a minute at least.
pub(crate) fn allowance(history: &History, now: Timestamp) -> u64 {
    let visibility = |list: &ListHistory| {
        let edition = list.editions().in_force_at(now).or(list.editions().newest())?;
        Some(edition.charter().limits.min_visibility)
    };
    let shortest = history.lists().filter_map(|(_, list)| visibility(list)).min();
    shortest.map_or(WITHOUT_LISTS, |seconds| LEAST.max(seconds / 2))
}

/// A finding if the newest checkpoint, witnessed at `witnessed`, is too old.
pub(crate) fn frozen(history: &History, witnessed: Timestamp, clock: Timestamp) -> Option<Finding> {
    let (age, allowance) = (clock.since(witnessed), allowance(history, clock));
    let words = || {
        format!(
            "The newest checkpoint that is to be had was witnessed at {witnessed}. By this monitor's clock, which shows {clock}, that is {} ago; after {}, there should be a newer one. The log, its witnesses or the way there may be down, something newer may be hidden, or this clock may be ahead.",
            units::duration(age),
            units::duration(allowance)
        )
    };
    (age > allowance).then(|| Finding::new(Severity::Warning, "frozen", "log", words()).under(Rule::Visibility))
}

/// What of a list is about to expire, has expired, or widens soon.
/// By this monitor's clock, and by the time that witnesses vouch for.
pub(crate) fn of_list(
    name: &ListName,
    list: &ListHistory,
    clock: Timestamp,
    witnessed: Option<Timestamp>,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = expiry(name, list, clock, witnessed).into_iter().collect();
    findings.extend(missed(name, list));
    findings.extend(irregular(name, list));
    // A narrowing edition is in force since it was witnessed, which a clock that is behind takes for the future.
    let widening = list.editions().all().iter().filter(|edition| edition.notice().is_some());
    let running = widening.filter(|edition| edition.in_force_since() > clock);
    findings.extend(running.map(|edition| {
        let widens = list.editions().widenings_of(&edition.id()).join("; ");
        let words = format!(
            "Edition {} of the charter of {name} widens it: {widens}. It is public since {}, and comes into force at {} unless an edition takes it back.",
            edition.number(),
            edition.public_since(),
            edition.in_force_since()
        );
        let subject = format!("statement {}", edition.id());
        let finding = Finding::new(Severity::Notice, "widening-announced", subject, words).under(Rule::Notice);
        finding.in_list(name).about(&edition.id(), edition.index())
    }));
    findings
}

/// Complaints whose deadline is over, and since which no release has removed anything: each commitment once, of all that are logged.
/// That rests on the word of whoever logged them; and whether the entry is wrong, nobody can tell by the log. `auditor` knows who logged
/// what stands at a place.
pub(crate) fn overdue(
    name: &ListName,
    complaints: &[(LeafIndex, ComplaintReport)],
    now: Timestamp,
    auditor: impl Fn(LeafIndex) -> String,
) -> Option<Finding> {
    let late = || complaints.iter().filter(|(_, course)| course.state == ComplaintState::Overdue);
    let (first, course) = late().min_by_key(|(index, course)| (course.deadline, *index))?;
    let others = match late().count() {
        1 => String::new(),
        count => format!(" So it is with {}.", units::count(count, "complaint", "complaints")),
    };
    let words = format!(
        "The complaint at entry {first} about {name} was received at {} by the word of the auditor {}, and is in the log since {}, by the proofs that are shown. Edition {} of the charter gives {} to remove an entry that is wrong: until {} from when it is said to have been received, until {} from when the log shows it. As of {now}, no release that was composed since and counts by the proofs that are shown has removed anything.{others} That is no fault if the complaint is wrong, as the log can't show; nor does it show when it came.",
        course.received,
        auditor(*first),
        course.logged_since,
        course.edition,
        units::duration(course.deadline.since(course.received)),
        course.deadline,
        course.deadline_by_log
    );
    Some(Finding::new(Severity::Notice, "removal-overdue", name.to_string(), words).in_list(name))
}

/// The newest release came after the one before had expired: for a while, clients had no list. Or so it seems by the proofs that
/// are shown, which a log can make later than the first.
fn missed(name: &ListName, list: &ListHistory) -> Option<Finding> {
    let [.., before, newest] = list.releases() else { return None };
    let (expired, since, version) = (before.release.expires, newest.public_since, version_of(list));
    let gap = since.since(expired);
    let words = match kept::earliest(newest).since(expired) {
        0 => format!(
            "By the proofs that are shown, version {version} of {name} became public at {since}, {} after the one before had expired. It was composed at {}, before that, and a log can show a later proof than the first: so it may have been in time. A log that was down, or took nothing, looks the same.",
            units::duration(gap),
            newest.created
        ),
        least => format!(
            "Version {version} of {name} was composed at {}, {} after the one before had expired; by the proofs that are shown, it is public since {since}. Until then, no client could use the list. A log that was down, or took nothing, looks the same.",
            newest.created,
            units::duration(least)
        ),
    };
    let subject = format!("statement {}", newest.id);
    let finding = Finding::new(Severity::Notice, "release-missed", subject, words).under(Rule::Limits);
    (gap > 0).then(|| finding.in_list(name).about(&newest.id, newest.index))
}

/// The newest release holds entries that no picture has by nature.
fn irregular(name: &ListName, list: &ListHistory) -> Option<Finding> {
    let newest = list.releases().last()?;
    let irregular = newest.release.irregular;
    let words = format!(
        "Version {} of {name} holds {}, admitted by exception: hashes such as no photograph has. They may be of drawings or plain surfaces, or made up.",
        version_of(list),
        units::count(usize::try_from(irregular).unwrap_or(usize::MAX), "irregular entry", "irregular entries")
    );
    let subject = format!("statement {}", newest.id);
    let finding = Finding::new(Severity::Notice, "content-crafted", subject, words).under(Rule::Content);
    (irregular > 0).then(|| finding.in_list(name).about(&newest.id, newest.index))
}

fn expiry(name: &ListName, list: &ListHistory, clock: Timestamp, witnessed: Option<Timestamp>) -> Option<Finding> {
    let newest = list.releases().last()?;
    let (version, expires) = (version_of(list), newest.release.expires);
    let validity = expires.since(newest.created);
    let (code, words) = if let Some(now) = witnessed.filter(|now| *now >= expires) {
        let words = format!(
            "Version {version} of {name}, the newest, expired at {expires}; witnesses vouch for {now}. No client may use it any more."
        );
        ("expired", words)
    } else if clock >= expires {
        let words = format!(
            "By this monitor's clock, which shows {clock}, version {version} of {name}, the newest, expired at {expires}. No witness vouches for that time: the clock may be ahead, or nothing newer is shown. Clients whose clocks show the same may not use it any more."
        );
        ("expired", words)
    } else if expires.since(clock) < validity / LAST_PART {
        let words = format!(
            "Version {version} of {name}, the newest, expires at {expires}; by this monitor's clock it is {clock}, and no other follows it yet. Lists must be republished before that, changed or not."
        );
        ("expires-soon", words)
    } else {
        return None;
    };
    let finding = Finding::new(Severity::Warning, code, format!("statement {}", newest.id), words);
    Some(finding.in_list(name).about(&newest.id, newest.index))
}

/// The number of the newest release.
fn version_of(list: &ListHistory) -> u64 {
    list.releases().len() as u64
}
