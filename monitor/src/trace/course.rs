//! What became of a complaint: worked out from the versions alone, the same by whoever makes the file and whoever checks it.

use super::InVersion;
use isonomy_core::time::Timestamp;
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
    /// Until when a wrong entry must go: by the charter, from when it was received.
    pub deadline: Timestamp,
    /// Whether the entry stood in the list when the complaint was received: in the newest version that was public then.
    /// Absent if that can't be told, for lack of seen proofs.
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
    /// Whether the entry went in time; absent while the deadline runs and it is still there, or if it can't be told, for lack
    /// of seen proofs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_time: Option<bool>,
    /// Whether it is late even if the time to remove it is counted from when the log shows the complaint, so that it does not
    /// rest on the auditor's word.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub late_by_the_log: bool,
}

/// A complaint as it stands in the log.
pub(super) struct Logged {
    pub(super) auditor: String,
    pub(super) received: Timestamp,
    pub(super) since: Timestamp,
    /// How long the charter gives to remove a wrong entry, in seconds.
    pub(super) removal: u64,
}

/// What became of an entry after a complaint, as of a time.
pub(super) fn course(versions: &[InVersion], complaint: Logged, as_of: Timestamp) -> Complained {
    let Logged { auditor, received, since: logged_since, removal } = complaint;
    let deadline = received.plus(removal);
    let newest_then = versions.iter().rposition(|one| one.public_since <= received);
    let listed_then = newest_then.and_then(|at| versions.get(at)).is_some_and(|one| one.listed);
    // What nobody proves the time of may have been public by then, too.
    let later = versions.iter().skip(newest_then.map_or(0, |at| at + 1)).take_while(|one| one.unproven);
    let listed = later.into_iter().all(|one| one.listed == listed_then).then_some(listed_then);
    let mut from_then = versions.iter().skip(newest_then.unwrap_or(0));
    let gone = from_then.find(|one| !one.listed);
    let back = from_then.find(|one| one.listed);
    let gone_since = gone.map(|one| one.public_since);
    let is_proven = gone.is_none_or(|one| !one.unproven);
    // Without any release, that it is still there is so as of the newest checkpoint.
    let ended = gone_since.unwrap_or(as_of);
    let in_time = match gone_since {
        Some(since) if since <= deadline => Some(true),
        Some(_) => is_proven.then_some(false),
        None => (as_of > deadline).then_some(false),
    };
    let late_by_the_log = listed == Some(true) && is_proven && ended > logged_since.max(received).plus(removal);
    let (gone_in, back_in) = (gone.map(|one| one.version), back.map(|one| one.version));
    Complained {
        auditor,
        received,
        logged_since,
        deadline,
        listed,
        gone_in,
        gone_since,
        back_in,
        in_time,
        late_by_the_log,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{InLog, ListProof};
    use super::*;
    use isonomy_core::json::Lines;
    use isonomy_core::list::{Entries, MembershipProof};
    use isonomy_core::tree::LeafIndex;

    /// Versions that are public since these times, each with or without the entry.
    fn versions(listed: &[(u64, bool)]) -> Vec<InVersion> {
        let one = Entries::from_unsorted(32, vec![1; 32]).unwrap().0;
        let lines = || Lines::of("note\n");
        let version = |(version, (since, listed)): (u64, &(u64, bool))| InVersion {
            version,
            public_since: Timestamp(*since),
            unproven: false,
            listed: *listed,
            proof: ListProof::Membership(MembershipProof::new(&one, 0).unwrap()),
            release: InLog { statement: lines(), index: LeafIndex(version), proof: lines() },
        };
        (1..).zip(listed).map(version).collect()
    }

    /// Received at 100, with 100 to remove; in the log since then.
    fn complaint(since: u64) -> Logged {
        Logged { auditor: "a".into(), received: Timestamp(100), since: Timestamp(since), removal: 100 }
    }

    #[test]
    fn a_complaint_is_measured_by_what_was_public_when_it_came() {
        for (listed, as_of, expected) in [
            // It runs, is over, was met, was missed.
            (&[(10, true)][..], 150, (true, None, None, None)),
            (&[(10, true)], 201, (true, None, None, Some(false))),
            (&[(10, true), (120, true), (150, false)], 300, (true, Some(3), None, Some(true))),
            (&[(10, true), (250, false)], 300, (true, Some(2), None, Some(false))),
            // It was gone before: nobody is late.
            (&[(10, true), (50, false)], 300, (false, Some(2), None, Some(true))),
            // It went, and came again.
            (&[(10, true), (150, false), (160, true)], 300, (true, Some(2), Some(3), Some(true))),
            // It came later than the complaint.
            (&[(150, true)], 160, (false, None, None, None)),
        ] {
            let found = course(&versions(listed), complaint(110), Timestamp(as_of));
            let listed_then = found.listed.unwrap();
            assert_eq!((listed_then, found.gone_in, found.back_in, found.in_time), expected, "{listed:?} {as_of}");
        }
    }

    #[test]
    fn without_seen_proofs_nothing_is_said_of_what_was_public_then() {
        for (listed, unproven, expected) in [
            // It may have stood there already, may have been gone before, or in time.
            (&[(150, true)][..], 1, (None, Some(false))),
            (&[(10, true), (250, false)], 2, (None, None)),
            // Whichever of the two was public, it stood there.
            (&[(10, true), (120, true)], 2, (Some(true), Some(false))),
            // A later one that is proven leaves no doubt.
            (&[(10, true), (150, false)], 1, (Some(true), Some(true))),
        ] {
            let mut versions = versions(listed);
            versions[unproven - 1].unproven = true;
            let found = course(&versions, complaint(110), Timestamp(300));
            assert_eq!((found.listed, found.in_time), expected, "{listed:?}");
            assert!(!found.late_by_the_log || expected == (Some(true), Some(false)), "{listed:?}");
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
            let found = course(&versions(listed), complaint(logged_since), Timestamp(as_of));
            assert_eq!(found.late_by_the_log, late, "{logged_since} {listed:?} {as_of}");
        }
    }
}
