//! The quorum: a tree of thresholds over witnesses.

use super::Name;
use crate::time::Timestamp;
use alloc::vec::Vec;

/// Which witnesses must have cosigned. Witnesses are indexes into the policy's; each is in the tree at most once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Quorum {
    /// None at all.
    None,
    /// This one.
    Witness(usize),
    /// Some of a group's members.
    Group {
        /// The group's name.
        name: Name,
        /// How many members must be satisfied: at least 1, at most all.
        threshold: usize,
        /// Witnesses and groups.
        members: Vec<Quorum>,
    },
}

/// What the cosignatures of a quorum say about time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuorumTimes {
    /// The earliest time T such that the witnesses with a cosignature dated at or before T satisfy the quorum: the
    /// checkpoint has been public since then.
    pub earliest: Timestamp,
    /// The latest time T such that the witnesses with a cosignature dated at or after T satisfy the quorum: it was then
    /// the newest that they had seen. Time is at least this.
    pub latest: Timestamp,
}

impl Quorum {
    /// Whether no witness is asked for.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether the quorum is met by the witnesses that `cosigned` says yes to.
    pub fn satisfied_by(&self, cosigned: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Self::None => true,
            Self::Witness(index) => cosigned(*index),
            Self::Group { threshold, members, .. } => {
                members.iter().filter(|member| member.satisfied_by(cosigned)).count() >= *threshold
            }
        }
    }

    /// See [`super::Policy::quorum_times`].
    pub(super) fn times(&self, times: &[(usize, Timestamp)]) -> Option<QuorumTimes> {
        let of = |witness: usize| times.iter().filter(move |(index, _)| *index == witness).map(|(_, time)| *time);
        let earliest = self.rank(&|witness| of(witness).min())?;
        let latest = self.rank(&|witness| of(witness).max().map(core::cmp::Reverse))?;
        Some(QuorumTimes { earliest, latest: latest.0 })
    }

    /// The smallest value v such that the witnesses with a value of at most v satisfy the quorum: of a group with
    /// threshold k, the k-th smallest of its members'.
    fn rank<V: Ord + Copy>(&self, value: &dyn Fn(usize) -> Option<V>) -> Option<V> {
        match self {
            Self::None => None,
            Self::Witness(index) => value(*index),
            Self::Group { threshold, members, .. } => {
                let mut values: Vec<V> = members.iter().filter_map(|member| member.rank(value)).collect();
                values.sort_unstable();
                values.get(threshold.checked_sub(1)?).copied()
            }
        }
    }

    /// The size of the smallest set of witnesses that two sets, each satisfying the quorum, can have in common: two
    /// sets of k members share at least 2k − n, and those may be the members that are cheapest to share.
    pub(super) fn smallest_overlap(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Witness(_) => 1,
            Self::Group { threshold, members, .. } => {
                let mut overlaps: Vec<usize> = members.iter().map(Self::smallest_overlap).collect();
                overlaps.sort_unstable();
                overlaps.iter().take((2 * threshold).saturating_sub(members.len())).sum()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn group(threshold: usize, members: Vec<Quorum>) -> Quorum {
        Quorum::Group { name: Name(Vec::new()), threshold, members }
    }

    fn witnesses(indexes: core::ops::Range<usize>) -> Vec<Quorum> {
        indexes.map(Quorum::Witness).collect()
    }

    /// Every way to nest the witnesses `first..first + count` into groups, with every threshold, each group of at least
    /// two members.
    fn nestings(first: usize, count: usize) -> Vec<Quorum> {
        if count == 1 {
            return vec![Quorum::Witness(first)];
        }
        let lists = member_lists(first, count, count - 1).into_iter();
        lists.flat_map(|members| (1..=members.len()).map(move |k| group(k, members.clone()))).collect()
    }

    /// Every list of nestings that together are over the witnesses `first..first + count`, the first of at most
    /// `longest` of them.
    fn member_lists(first: usize, count: usize, longest: usize) -> Vec<Vec<Quorum>> {
        if count == 0 {
            return vec![Vec::new()];
        }
        let mut lists = Vec::new();
        for taken in 1..=longest {
            let heads = nestings(first, taken);
            for tail in member_lists(first + taken, count - taken, count - taken) {
                lists.extend(heads.iter().map(|head| [vec![head.clone()], tail.clone()].concat()));
            }
        }
        lists
    }

    /// Every quorum over up to `most` witnesses, and some with groups of one member.
    fn quorums(most: usize) -> Vec<Quorum> {
        let mut quorums: Vec<Quorum> = (1..=most).flat_map(|count| nestings(0, count)).collect();
        quorums.push(group(1, vec![group(1, witnesses(0..1))]));
        quorums.push(group(2, vec![group(1, witnesses(0..1)), group(2, witnesses(1..3)), Quorum::Witness(3)]));
        quorums
    }

    /// For each set of five witnesses, as bits, whether it satisfies the quorum.
    fn satisfying(quorum: &Quorum) -> Vec<bool> {
        (0..32_usize).map(|set| quorum.satisfied_by(&|witness| set >> witness & 1 == 1)).collect()
    }

    /// The definition, word for word: the smallest T such that those dated ≤ T satisfy the quorum, and the largest such
    /// that those dated ≥ T do.
    fn defined_times(satisfying: &[bool], times: &[(usize, Timestamp)], last: u64) -> Option<QuorumTimes> {
        let set_of = |chosen: &dyn Fn(Timestamp) -> bool| {
            times.iter().filter(|(_, time)| chosen(*time)).fold(0, |set, (witness, _)| set | 1_usize << witness)
        };
        let mut all = (0..=last).map(Timestamp);
        let earliest = all.clone().find(|limit| satisfying[set_of(&|time| time <= *limit)])?;
        let latest = all.rfind(|limit| satisfying[set_of(&|time| time >= *limit)])?;
        Some(QuorumTimes { earliest, latest })
    }

    #[test]
    fn a_group_asks_for_its_threshold() {
        let two_of_three = group(2, witnesses(0..3));
        for set in 0..8_u32 {
            let satisfied = two_of_three.satisfied_by(&|witness| set >> witness & 1 == 1);
            assert_eq!(satisfied, set.count_ones() >= 2);
        }
        assert!(Quorum::None.satisfied_by(&|_| false) && Quorum::None.is_none());
        assert!(!Quorum::Witness(1).satisfied_by(&|witness| witness == 0));
    }

    #[test]
    fn the_model_has_every_nesting() {
        // Ordered trees of 1 to 5 leaves without a lone child, each as often as its groups have thresholds; by hand:
        // 4 + 3·3·2 + 2·2·11 + 2·2·2 = 74.
        let counts: Vec<usize> = (1..=5).map(|count| nestings(0, count).len()).collect();
        assert_eq!(counts, [1, 2, 11, 74, 556]);
    }

    #[test]
    fn times_are_as_defined_for_every_quorum_of_five_witnesses_and_every_order_of_their_times() {
        // Each witness has not cosigned (0) or did so at a time from 1 to 5.
        let cosigned: Vec<Vec<(usize, Timestamp)>> = (0..6_u64.pow(5))
            .map(|code| (0..5).map(move |witness| (witness as usize, Timestamp(code / 6_u64.pow(witness) % 6))))
            .map(|all| all.filter(|(_, time)| time.0 != 0).collect())
            .collect();
        for quorum in quorums(5) {
            let satisfying = satisfying(&quorum);
            for times in &cosigned {
                assert_eq!(quorum.times(times), defined_times(&satisfying, times, 5), "{quorum:?} {times:?}");
            }
        }
    }

    #[test]
    fn the_overlap_is_the_smallest_that_two_quorums_have() {
        assert_eq!(Quorum::None.smallest_overlap(), 0);
        for quorum in quorums(5) {
            let satisfying = satisfying(&quorum);
            let sets: Vec<usize> = (0..32).filter(|set| satisfying[*set]).collect();
            let overlaps = sets.iter().flat_map(|one| sets.iter().map(move |other| (one & other).count_ones()));
            assert_eq!(quorum.smallest_overlap(), overlaps.min().unwrap() as usize, "{quorum:?}");
        }
    }

    #[test]
    fn strangers_and_no_quorum_have_no_time() {
        assert_eq!(Quorum::None.times(&[(0, Timestamp(5))]), None);
        assert_eq!(Quorum::Witness(0).times(&[(1, Timestamp(5))]), None);
        assert_eq!(group(1, witnesses(0..2)).times(&[(usize::MAX, Timestamp(5))]), None);
    }

    #[test]
    fn a_witness_that_is_given_twice_counts_once_and_at_both_times() {
        let quorum = group(2, witnesses(0..2));
        let times = [(0, Timestamp(9)), (1, Timestamp(5)), (0, Timestamp(3))];
        let expected = QuorumTimes { earliest: Timestamp(5), latest: Timestamp(5) };
        assert_eq!(quorum.times(&times), Some(expected));
        assert_eq!(quorum.times(&[(0, Timestamp(9)), (0, Timestamp(3))]), None);
    }

    proptest! {
        /// One witness fewer than the quorum can't move a time beyond what some honest witness said.
        #[test]
        fn liars_below_the_threshold_move_no_time(
            honest in proptest::collection::vec(100u64..200, 3),
            liars in proptest::collection::vec(any::<u64>(), 2),
        ) {
            let quorum = group(3, witnesses(0..5));
            let dated = honest.iter().chain(&liars).enumerate();
            let times: Vec<_> = dated.map(|(witness, time)| (witness, Timestamp(*time))).collect();
            let told = quorum.times(&times).unwrap();
            prop_assert!(told.earliest.0 >= *honest.iter().min().unwrap());
            prop_assert!(told.latest.0 <= *honest.iter().max().unwrap());
        }
    }
}
