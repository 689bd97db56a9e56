//! The ways on which clients catch up, and with them the objects that a log must keep.
//!
//! A client at version c walks down from the release that it wants: at each one it takes the longest delta that does not
//! lead below c ([`steps`]). So which deltas can still be walked follows from the numbers alone ([`Needed`]):
//!
//! - Whoever wants a release that is yet to come walks down to one of the releases that there are. It can only be one with a
//!   number `newest` with its lowest bits cleared, since every step of 2^j ends at a multiple of 2^j ([`stems`]).
//! - The same releases are those from which the next ones will have deltas, so their content must stay at hand.

use crate::release::delta_bases;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// A delta, by the versions between which it leads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Delta {
    /// The release that carries it.
    pub to: u64,
    /// The release that it is applied to.
    pub from: u64,
}

/// The deltas from `version` up to `target`, the newest first; none if `target` is not above `version`, which is at least 1.
pub fn steps(version: u64, target: u64) -> impl Iterator<Item = Delta> {
    let mut at = target;
    core::iter::from_fn(move || {
        let step = longest(at, version)?;
        at = step.from;
        Some(step)
    })
}

/// The longest delta of release `to` that does not lead below `version`.
fn longest(to: u64, version: u64) -> Option<Delta> {
    let from = delta_bases(to).into_iter().find(|&base| base >= version)?;
    Some(Delta { to, from })
}

/// `newest`, with ever more of its lowest bits cleared: the releases through which every way leads that comes from a later
/// one, and from which later ones have deltas.
pub fn stems(newest: u64) -> Vec<u64> {
    let mut stems = Vec::new();
    let mut at = newest;
    while at > 0 {
        stems.push(at);
        at &= at - 1;
    }
    stems
}

/// What clients of any version may still fetch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Needed {
    /// The releases whose snapshots may be fetched: by clients that are new or have fallen far behind, and by whoever makes,
    /// endorses or judges the next release.
    pub snapshots: BTreeSet<u64>,
    /// The deltas that may be walked.
    pub deltas: BTreeSet<Delta>,
}

impl Needed {
    /// What is needed of the releases 1 to `newest` if clients may want any of `targets`, or any release to come.
    pub fn of(newest: u64, targets: &BTreeSet<u64>) -> Self {
        let ends: BTreeSet<u64> = targets.iter().copied().chain(stems(newest)).collect();
        let mut deltas = BTreeSet::new();
        for version in 1..newest {
            let mut walked = BTreeSet::new();
            for &end in ends.range(version + 1..) {
                // From a release that was passed already the way goes on as before.
                deltas.extend(steps(version, end).take_while(|step| walked.insert(step.to)));
            }
        }
        Self { snapshots: ends, deltas }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{ObjectDigest, StatementId};
    use crate::release::{DeltaRef, Release};
    use crate::rules::testing::{charter, release_of};
    use alloc::vec;

    #[test]
    fn ways_are_those_of_the_design() {
        let way = |version, target| steps(version, target).map(|step| (step.to, step.from)).collect::<Vec<_>>();
        assert_eq!(way(5, 12), [(12, 8), (8, 6), (6, 5)]);
        assert_eq!(way(1, 17), [(17, 16), (16, 8), (8, 4), (4, 2), (2, 1)]);
        assert!(way(7, 7).is_empty());
        assert_eq!(stems(13), vec![13, 12, 8]);
        assert!(stems(0).is_empty());
    }

    /// By a second method: the versions on the way are those of the steps that a verifier takes from release to release.
    #[test]
    fn ways_are_those_that_releases_offer() {
        let digest = ObjectDigest([0; 32]);
        let offered = |version: u64| Release {
            version,
            deltas: delta_bases(version)
                .into_iter()
                .map(|from| DeltaRef { from, release: StatementId([0; 32]), size: 1, sha256: digest })
                .collect(),
            ..release_of(&charter(), 1)
        };
        for target in 2..=70 {
            for version in 1..target {
                for step in steps(version, target) {
                    let taken = offered(step.to).step_down_to(version).map(|delta| delta.from);
                    assert_eq!(taken, Some(step.from), "{version} to {target}");
                }
                assert_eq!(offered(version).step_down_to(version), None);
            }
        }
    }

    /// Every client, every wish, every state of the log up to 48 releases, and every wish up to 130.
    #[test]
    fn nothing_that_any_client_may_walk_is_unneeded() {
        for newest in 1..=48u64 {
            let targets = BTreeSet::from([newest, newest.saturating_sub(3).max(1)]);
            let needed = Needed::of(newest, &targets);
            for target in targets.iter().copied().chain(newest + 1..=130) {
                for version in 1..target.min(newest + 1) {
                    for step in steps(version, target).filter(|step| step.to <= newest) {
                        assert!(needed.deltas.contains(&step), "{version} to {target} of {newest}: {step:?}");
                    }
                }
                let bases = delta_bases(target).into_iter().filter(|base| *base <= newest);
                assert!(target <= newest || bases.into_iter().all(|base| needed.snapshots.contains(&base)));
            }
        }
    }

    /// By a second method: what is called needed is walked by somebody.
    #[test]
    fn nothing_is_kept_that_nobody_walks() {
        for newest in 1..=40u64 {
            let needed = Needed::of(newest, &BTreeSet::from([newest]));
            let mut walked = BTreeSet::new();
            for target in newest..=4 * newest {
                for version in 1..=newest {
                    walked.extend(steps(version, target).filter(|step| step.to <= newest));
                }
            }
            assert_eq!(needed.deltas, walked, "{newest}");
        }
    }

    #[test]
    fn most_of_a_long_history_is_unneeded() {
        let needed = Needed::of(1000, &BTreeSet::from([999, 1000]));
        let all: usize = (1..=1000).map(|version| delta_bases(version).len()).sum();
        assert!(needed.snapshots.len() <= 12, "{:?}", needed.snapshots);
        assert!(needed.deltas.len() * 10 < all * 9, "{} of {all}", needed.deltas.len());
    }
}
