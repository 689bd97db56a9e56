//! What became of a complaint: worked out from the versions alone, the same by whoever makes the file and whoever checks it.

use super::{Complaint, InVersion, Trace};
use crate::report::Removal;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use serde::{Deserialize, Serialize};

/// What became of a complaint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complained {
    /// The auditor that logged it, by the name of its key.
    pub auditor: String,
    /// When it was received: by that auditor's word alone.
    pub received: Timestamp,
    /// Since when the log shows it: witnessed, whatever the auditor says.
    pub logged_since: Timestamp,
    /// By which edition of the charter deadlines count: of those that the release which it is about, and the newest release that was
    /// logged before it, cite, the one that gives longer.
    pub edition: u64,
    /// Until when a wrong entry must go: by that edition, from when it was received.
    pub deadline: Timestamp,
    /// The same from when the log shows the complaint: whatever its date, nobody is late before that.
    pub deadline_by_log: Timestamp,
    /// Whether the entry stood in the list when the complaint was received: in the newest version that was public then.
    /// Absent if that can't be told, for lack of seen proofs, or since by the order of the log it stood there when the complaint was
    /// logged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub listed: Option<bool>,
    /// The first version from then on without the entry.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gone_in: Option<u64>,
    /// Since when that is public.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gone_since: Option<Timestamp>,
    /// The first version after that with the entry again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub back_in: Option<u64>,
    /// That the entry went in time, if the proofs show that. That it did not, no file can show: its maker may have left out later
    /// versions, and earlier proofs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub removed_in_time: Option<bool>,
    /// What would make it otherwise, which no file can exclude. Stands there exactly if `removed_in_time` does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unless: Option<String>,
    /// Why that is not known, where it is absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_known: Option<NotKnown>,
}

/// Why a file does not say whether an entry went in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotKnown {
    /// Nothing that is shown here says that it stood in the list when the complaint came.
    NotListed,
    /// It is there, and the deadline runs, as of the checkpoint.
    Running,
    /// It is there in the newest version that is shown here; a later one may have been left out.
    StillListed,
    /// By the proofs here it went later; it may have gone before.
    RemovedLater,
    /// By the proofs here it can't be told whether the version without it keeps the rules.
    NotJudged,
}

/// What no file can exclude, in words: it holds some of the log.
pub const UNLESS: &str = "the log has another text for one of these versions, logged before the one that is shown, or something that is not shown breaks a rule, or makes a version that is shown break one, as an edition of the charter or an earlier proof can: whoever reads the log can tell, as `isonomy monitor trace` without --verify does";

/// How a complaint stands for whoever has read the log itself: every version is known, and since when each is public.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The entry did not stand in the list when the complaint came.
    NotListed,
    /// It went in time.
    InTime,
    /// It is there, and the deadline runs.
    Running,
    /// It went, or is there, after the deadline by the word of the auditor alone: not counted from when the log shows the complaint.
    LateByWord,
    /// It went late by the proofs that are shown alone: the version without it was composed in time, and a log can show a later proof
    /// than the first.
    LateByProofs,
    /// It is late from then on, too, whichever proofs are shown.
    Late,
    /// Nobody shows whether it stood in the list when the complaint came, or since when it is gone.
    Unproven,
}

impl Trace {
    /// How a complaint of this file stands, if nothing was left out. Of a file that somebody else made, nobody can know that.
    pub fn standing(&self, complaint: &Complaint) -> Standing {
        let course = &complaint.course;
        let gone = course.gone_in.and_then(|gone| self.versions.iter().find(|one| one.version == gone));
        let ended = gone.map_or(self.as_of, |one| one.public_since);
        // Proofs can be late or missing; the order of the log and what signers say against themselves can't.
        let stood_at_logging = stood_at(logged_before(&self.versions, complaint.attestation.index));
        let certain = gone.map_or(self.as_of, |one| one.created);
        match () {
            () if course.listed == Some(false) => Standing::NotListed,
            () if course.removed_in_time == Some(true) => Standing::InTime,
            () if course.listed.is_none() && !stood_at_logging => Standing::Unproven,
            () if gone.is_some_and(|one| one.open) && certain <= course.deadline_by_log => Standing::Unproven,
            () if ended <= course.deadline => Standing::Running,
            () if certain > course.deadline_by_log => Standing::Late,
            () if course.listed.is_none() || gone.is_some_and(|one| one.unproven) => Standing::Unproven,
            () if ended <= course.deadline_by_log => Standing::LateByWord,
            () => Standing::LateByProofs,
        }
    }
}

/// A complaint as it stands in the log.
pub(super) struct Logged {
    /// Its place.
    pub(super) index: LeafIndex,
    pub(super) auditor: String,
    pub(super) received: Timestamp,
    pub(super) since: Timestamp,
    /// How long the charter gives to remove a wrong entry.
    pub(super) removal: Removal,
}

/// The versions that the log has before this place.
fn logged_before(versions: &[InVersion], index: LeafIndex) -> &[InVersion] {
    versions.split_at(versions.partition_point(|one| one.release.index < index)).0
}

/// Whether the entry stands in the newest of these.
fn stood_at(versions: &[InVersion]) -> bool {
    versions.last().is_some_and(|one| one.listed)
}

/// Whether the entry stood in the newest version that was public then, by the proofs that are shown; `None` if those leave it open.
/// `versions` are those that were logged before the complaint: a later one was not public when it came, whatever is said of its proof.
fn stood_then(versions: &[InVersion], received: Timestamp) -> Option<bool> {
    let newest_then = newest_at(versions, received);
    let listed_then = newest_then.and_then(|at| versions.get(at)).is_some_and(|one| one.listed);
    // What nobody proves the time of may have been public by then, too.
    let mut later = versions.iter().skip(newest_then.map_or(0, |at| at + 1)).take_while(|one| one.unproven);
    later.all(|one| one.listed == listed_then).then_some(listed_then)
}

fn newest_at(versions: &[InVersion], time: Timestamp) -> Option<usize> {
    versions.iter().rposition(|one| one.public_since <= time)
}

/// What became of an entry after a complaint, as of a time. Seen proofs may be later ones than the first were, so that a version seems
/// to be public later than it was; the order of the log is what it is. So an entry that stood in the list when the complaint was
/// logged is gone by a version after that alone.
pub(super) fn course(versions: &[InVersion], complaint: Logged, as_of: Timestamp) -> Complained {
    let Logged { index, auditor, received, since: logged_since, removal } = complaint;
    let deadline = received.plus(removal.within);
    let logged_before = logged_before(versions, index);
    let was_listed = stood_at(logged_before);
    let listed = stood_then(logged_before, received).filter(|stood| *stood || !was_listed);
    let from = match was_listed {
        true => logged_before.len(),
        // It was gone by then: since the first of the versions without it, or the newest when the complaint came.
        false => {
            let last_with = logged_before.iter().rposition(|one| one.listed).map_or(0, |at| at + 1);
            last_with.max(newest_at(logged_before, received).unwrap_or(0))
        }
    };
    let mut from_then = versions.iter().skip(from);
    let gone = from_then.find(|one| !one.listed);
    let back = from_then.find(|one| one.listed);
    let gone_since = gone.map(|one| one.public_since);
    // What did not stand there was not removed: neither then nor, by the order of the log, when the complaint was logged.
    let stood = listed == Some(true) || was_listed;
    let is_open = gone.is_some_and(|one| one.open);
    let removed_in_time = gone_since.filter(|since| *since <= deadline && stood && !is_open).map(|_| true);
    let not_known = match gone_since {
        _ if removed_in_time.is_some() => None,
        _ if !stood => Some(NotKnown::NotListed),
        Some(_) if is_open => Some(NotKnown::NotJudged),
        Some(_) => Some(NotKnown::RemovedLater),
        None if as_of <= deadline => Some(NotKnown::Running),
        None => Some(NotKnown::StillListed),
    };
    let (gone_in, back_in) = (gone.map(|one| one.version), back.map(|one| one.version));
    let deadline_by_log = logged_since.max(received).plus(removal.within);
    Complained {
        auditor,
        received,
        logged_since,
        edition: removal.edition,
        deadline,
        deadline_by_log,
        listed,
        gone_in,
        gone_since,
        back_in,
        unless: removed_in_time.map(|_| UNLESS.to_owned()),
        removed_in_time,
        not_known,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FORMAT, InLog, ListProof};
    use super::*;
    use isonomy_core::json::Lines;
    use isonomy_core::list::{Entries, MembershipProof};
    use isonomy_core::statement::ListName;
    use isonomy_core::tree::LeafIndex;

    /// In the log as soon as it is public.
    fn in_log(index: u64) -> InLog {
        InLog { statement: Lines::of("note\n"), index: LeafIndex(index), proof: Lines::of("note\n") }
    }

    /// Versions that are public since these times, each with or without the entry.
    fn versions(listed: &[(u64, bool)]) -> Vec<InVersion> {
        let one = Entries::from_unsorted(32, vec![1; 32]).unwrap().0;
        let version = |(version, (since, listed)): (u64, &(u64, bool))| InVersion {
            version,
            created: Timestamp(*since),
            public_since: Timestamp(*since),
            unproven: false,
            open: false,
            listed: *listed,
            proof: ListProof::Membership(MembershipProof::new(&one, 0).unwrap()),
            release: in_log(*since),
        };
        (1..).zip(listed).map(version).collect()
    }

    /// Received at 100, with 100 to remove; in the log since `since`.
    fn traced(versions: Vec<InVersion>, since: u64, as_of: u64) -> Trace {
        let index = LeafIndex(since);
        let removal = Removal { edition: 1, within: 100 };
        let logged = Logged { index, auditor: "a".into(), received: Timestamp(100), since: Timestamp(since), removal };
        let course = course(&versions, logged, Timestamp(as_of));
        Trace {
            trace: FORMAT.into(),
            list: ListName::new("hotline.example/images").unwrap(),
            entry: "01".repeat(32),
            as_of: Timestamp(as_of),
            checkpoint: Lines::of("note\n"),
            charters: Vec::new(),
            versions,
            complaints: vec![Complaint { attestation: in_log(since), salt: "00".repeat(32), course }],
        }
    }

    fn course_of(trace: &Trace) -> &Complained {
        &trace.complaints[0].course
    }

    fn standing_of(trace: &Trace) -> Standing {
        trace.standing(&trace.complaints[0])
    }

    #[test]
    fn a_complaint_is_measured_by_what_was_public_when_it_came() {
        use NotKnown::*;
        for (listed, as_of, expected, standing) in [
            // It runs, is over, was met, was missed.
            (&[(10, true)][..], 150, (true, None, None, Some(Running)), Standing::Running),
            (&[(10, true)], 201, (true, None, None, Some(StillListed)), Standing::LateByWord),
            (&[(10, true), (120, true), (150, false)], 300, (true, Some(3), None, None), Standing::InTime),
            (&[(10, true), (250, false)], 300, (true, Some(2), None, Some(RemovedLater)), Standing::Late),
            // It was gone before: nobody is late.
            (&[(10, true), (50, false)], 300, (false, Some(2), None, Some(NotListed)), Standing::NotListed),
            // It went, and came again.
            (&[(10, true), (150, false), (160, true)], 300, (true, Some(2), Some(3), None), Standing::InTime),
            // It came later than the complaint.
            (&[(150, true)], 160, (false, None, None, Some(NotListed)), Standing::NotListed),
        ] {
            let trace = traced(versions(listed), 110, as_of);
            let found = course_of(&trace);
            let shown = (found.listed.unwrap(), found.gone_in, found.back_in, found.not_known);
            assert_eq!((shown, standing_of(&trace)), (expected, standing), "{listed:?} {as_of}");
            assert_eq!(found.removed_in_time, found.not_known.is_none().then_some(true), "a file says no more");
        }
    }

    /// It went and came again before the complaint, and stands still; each seen proof is a later one.
    #[test]
    fn late_proofs_make_no_removal_of_one_that_was_before_the_complaint() {
        let mut late = versions(&[(10, true), (20, false), (30, true)]);
        for (one, shown) in late.iter_mut().zip([10, 150, 160]) {
            one.public_since = Timestamp(shown);
        }
        let trace = traced(late.clone(), 110, 300);
        let found = course_of(&trace);
        assert_eq!((found.removed_in_time, found.gone_in, found.not_known), (None, None, Some(NotKnown::StillListed)));
        // By such proofs none was public when it came, but the last one was logged before, with the entry.
        late[0].public_since = Timestamp(140);
        let trace = traced(late, 110, 300);
        assert_eq!((course_of(&trace).listed, course_of(&trace).removed_in_time), (None, None));
    }

    /// By the times in the file it breaks a rule, which convicts nobody and shows nothing.
    #[test]
    fn a_version_that_can_not_be_judged_shows_no_removal() {
        for (gone, standing) in [(150, Standing::Unproven), (205, Standing::Unproven), (211, Standing::Late)] {
            let mut shown = versions(&[(10, true), (gone, false)]);
            shown[1].open = true;
            let trace = traced(shown, 110, 300);
            let found = course_of(&trace);
            assert_eq!(
                (found.removed_in_time, found.not_known, found.unless.clone()),
                (None, Some(NotKnown::NotJudged), None)
            );
            assert_eq!(standing_of(&trace), standing, "{gone}");
        }
    }

    /// The log made another proof later, of a removal that was composed in time, or a little after.
    #[test]
    fn a_late_proof_alone_makes_nobody_late() {
        for (created, standing) in [(150, Standing::LateByProofs), (210, Standing::LateByProofs), (211, Standing::Late)]
        {
            let mut late = versions(&[(10, true), (215, false)]);
            late[1].created = Timestamp(created);
            assert_eq!(standing_of(&traced(late, 110, 300)), standing, "{created}");
        }
    }

    #[test]
    fn without_seen_proofs_nothing_is_said_of_what_was_public_then() {
        for (listed, unproven, expected) in [
            // It may have been gone before the complaint.
            (&[(10, true), (105, false)][..], 2, (None, None, Standing::Unproven)),
            // By the log's order it stood there when the complaint was logged, and its own signers composed what has it no more too late.
            (&[(10, true), (250, false)], 2, (Some(true), None, Standing::Late)),
            (&[(105, true)], 1, (None, None, Standing::Late)),
            // By the log's order it came later than the complaint.
            (&[(150, true)], 1, (Some(false), None, Standing::NotListed)),
            // Whichever of the two was public, it stood there.
            (&[(10, true), (120, true)], 2, (Some(true), None, Standing::Late)),
            // A later one that is proven leaves no doubt.
            (&[(10, true), (150, false)], 1, (Some(true), Some(true), Standing::InTime)),
        ] {
            let mut versions = versions(listed);
            versions[unproven - 1].unproven = true;
            let trace = traced(versions, 110, 300);
            let found = course_of(&trace);
            let shown = (found.listed, found.removed_in_time, standing_of(&trace));
            assert_eq!(shown, expected, "{listed:?}");
        }
        // It may have gone in time.
        let mut late = versions(&[(10, true), (250, false)]);
        (late[1].unproven, late[1].created) = (true, Timestamp(150));
        assert_eq!(standing_of(&traced(late, 110, 300)), Standing::Unproven);
    }

    /// A log renews the proof of what stood there all the time, or withholds it; the order of its entries does not change.
    #[test]
    fn late_or_withheld_proofs_hide_no_late_removal() {
        for (withheld, gone, as_of, standing) in [
            (false, None, 211, Standing::Late),
            (true, None, 211, Standing::Late),
            (false, None, 205, Standing::Unproven),
            (false, None, 200, Standing::Running),
            (false, Some(211), 900, Standing::Late),
            (true, Some(211), 900, Standing::Late),
            (false, Some(150), 900, Standing::InTime),
        ] {
            let mut shown = versions(&[(10, true)]);
            (shown[0].public_since, shown[0].unproven) = (Timestamp(108), withheld);
            shown.extend(gone.map(|time| InVersion { version: 2, ..versions(&[(time, false)]).remove(0) }));
            let trace = traced(shown, 110, as_of);
            assert_eq!(
                (course_of(&trace).listed, standing_of(&trace)),
                (None, standing),
                "{withheld} {gone:?} {as_of}"
            );
        }
    }

    /// Whether nobody shows a seen proof is the word of the file's maker.
    #[test]
    fn what_was_never_listed_was_not_removed_in_time() {
        for (listed, unproven) in [(&[(10, false), (150, true)][..], 2), (&[(10, false), (105, true), (107, false)], 2)]
        {
            let mut shown = versions(listed);
            shown[unproven - 1].unproven = true;
            let trace = traced(shown, 110, 900);
            let found = course_of(&trace);
            assert_eq!((found.removed_in_time, found.not_known), (None, Some(NotKnown::NotListed)), "{listed:?}");
            assert_ne!(standing_of(&trace), Standing::InTime, "{listed:?}");
        }
    }

    #[test]
    fn whoever_dates_a_complaint_back_makes_nobody_late_by_the_log() {
        for (logged_since, listed, as_of, late) in [
            (110, &[(10, true)][..], 210, false),
            (110, &[(10, true)], 211, true),
            (1000, &[(10, true)], 300, false),
            (110, &[(10, true), (205, false)], 900, false),
            (110, &[(10, true), (215, false)], 900, true),
            // Said to be received later than it was logged.
            (50, &[(10, true)], 200, false),
            // It was not there.
            (110, &[(10, false)], 900, false),
        ] {
            let trace = traced(versions(listed), logged_since, as_of);
            assert_eq!(standing_of(&trace) == Standing::Late, late, "{logged_since} {listed:?} {as_of}");
        }
    }
}
