//! What came of what was said, beside a plain reading of it.

use super::super::ids;
use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn record(action: Action, hash: Option<u8>, time: Option<u64>, id: Option<u8>) -> Record {
    let hash = hash.map(|byte| vec![byte; 16]);
    Record { hash, time, id: id.map(|id| id.to_string()), ..Record::about(action) }
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let time = prop_oneof![Just(None), (0u64..4).prop_map(Some)];
    let one =
        (any::<bool>(), 1u8..6, time, proptest::option::of(0u8..3)).prop_map(|(add, hash, time, id)| match (add, id) {
            (true, id) => record(Action::Add, Some(hash), time, id),
            (false, Some(id)) => record(Action::Remove, None, time, Some(id)),
            (false, None) => record(Action::Remove, Some(hash), time, None),
        });
    proptest::collection::vec(one, 0..20)
}

fn finish(records: &[Record], passed_over: &[u8], capacity: usize) -> Outcome {
    let mut sayings = Sayings { sayings: Sorter::new(capacity), named: Sorter::new(capacity), size: 16 };
    for record in records {
        sayings.say(record).unwrap();
    }
    for hash in passed_over {
        let record = record(Action::Add, Some(*hash), None, None);
        sayings.pass_over(&record, Unselected::Remember).unwrap();
    }
    sayings.finish().unwrap()
}

fn firsts(entries: &Entries) -> Vec<u8> {
    entries.iter().map(|entry| entry[0]).collect()
}

fn outcome(records: &[Record], capacity: usize) -> (Vec<u8>, Vec<u8>, u64, u64) {
    let outcome = finish(records, &[], capacity);
    (firsts(&outcome.added), firsts(&outcome.removed), outcome.duplicates, outcome.unknown_ids)
}

/// The same, with maps and in no clever way.
fn plainly(records: &[Record]) -> (Vec<u8>, Vec<u8>) {
    let time = |one: &Record| one.time.unwrap_or(if one.action == Action::Remove { u64::MAX } else { 0 });
    let mut last: BTreeMap<u8, (u64, Action)> = BTreeMap::new();
    let mut say = |hash: u8, time: u64, action| {
        let saying = last.entry(hash).or_insert((time, action));
        *saying = (*saying).max((time, action));
    };
    let (mut standing, mut withdrawn) = (BTreeSet::new(), Vec::new());
    for id in records.iter().filter_map(|one| one.id.as_ref()).collect::<BTreeSet<_>>() {
        let own = || records.iter().filter(|one| one.id.as_ref() == Some(id));
        let latest = own().map(time).max().unwrap();
        let newest = || own().filter(|one| time(one) == latest);
        let is_removed = newest().any(|one| one.action == Action::Remove);
        let now: BTreeSet<u8> = newest().filter_map(|one| one.hash.as_ref()).map(|hash| hash[0]).collect();
        let stands = if is_removed { BTreeSet::new() } else { now };
        let given = own().filter_map(|one| one.hash.as_ref()).map(|hash| hash[0]);
        withdrawn.extend(given.filter(|hash| !stands.contains(hash)).map(|hash| (hash, latest)));
        standing.extend(stands);
    }
    records
        .iter()
        .filter_map(|one| Some((one.hash.as_ref()?[0], one)))
        .for_each(|(hash, one)| say(hash, time(one), one.action));
    withdrawn
        .into_iter()
        .filter(|(hash, _)| !standing.contains(hash))
        .for_each(|(hash, time)| say(hash, time, Action::Remove));
    let of = |wanted| last.iter().filter(|(_, saying)| saying.1 == wanted).map(|(hash, _)| *hash).collect();
    (of(Action::Add), of(Action::Remove))
}

proptest! {
    #[test]
    fn neither_order_nor_memory_matters(records in records(), shuffle in any::<prop::sample::Index>(), capacity in 1usize..5) {
        let expected = outcome(&records, 1000);
        prop_assert_eq!((expected.0.clone(), expected.1.clone()), plainly(&records));
        let mut other = records.clone();
        if !other.is_empty() {
            let at = shuffle.index(other.len());
            other.rotate_left(at);
            other.reverse();
        }
        prop_assert_eq!(outcome(&other, capacity), expected);
    }
}

proptest! {
    #[test]
    fn what_is_passed_over_changes_nothing_else(
        records in records(),
        passed_over in proptest::collection::vec(1u8..9, 0..10),
        capacity in 1usize..5,
    ) {
        let (alone, outcome) = (finish(&records, &[], 1000), finish(&records, &passed_over, capacity));
        prop_assert_eq!(&outcome.added, &alone.added);
        prop_assert_eq!(&outcome.removed, &alone.removed);
        let said: Vec<u8> = [firsts(&alone.added), firsts(&alone.removed)].concat();
        let expected: std::collections::BTreeSet<u8> =
            passed_over.into_iter().filter(|hash| !said.contains(hash)).collect();
        prop_assert_eq!(firsts(&outcome.passed_over), expected.into_iter().collect::<Vec<u8>>());
    }
}

/// A feed: records, and whether each is selected.
fn feed() -> impl Strategy<Value = Vec<(Record, bool)>> {
    let time = prop_oneof![Just(None), (0u64..4).prop_map(Some)];
    let id = proptest::option::weighted(0.8, 0u8..3);
    let one = (0u8..5, 1u8..6, time, id, any::<bool>()).prop_map(|(kind, hash, time, id, selected)| match kind {
        0 if id.is_some() => (record(Action::Remove, None, time, id), true),
        1 => (record(Action::Remove, Some(hash), time, id), true),
        _ => (record(Action::Add, Some(hash), time, id), selected),
    });
    proptest::collection::vec(one, 0..12)
}

fn import(known: &[Given], feed: &[(Record, bool)]) -> Outcome {
    let mut sayings = Sayings { sayings: Sorter::new(3), named: Sorter::new(3), size: 16 };
    known.iter().for_each(|given| sayings.know(given).unwrap());
    for (record, selected) in feed {
        match selected {
            true => sayings.say(record).unwrap(),
            false => sayings.pass_over(record, Unselected::Remember).unwrap(),
        }
    }
    sayings.finish().unwrap()
}

proptest! {
    /// Whichever of the list and the ids was written when an import ended early, a repeat gives the same list and the same ids.
    #[test]
    fn a_repeat_with_what_was_remembered_gives_the_same(
        earlier in feed(),
        feed in feed(),
        listed in proptest::collection::btree_set(1u8..6, 0..5),
    ) {
        let known = import(&[], &earlier).ids;
        let once = import(&known, &feed);
        let again = import(&once.ids, &feed);
        prop_assert_eq!(&again.ids, &once.ids);
        let apply = |list: &BTreeSet<u8>, outcome: &Outcome| -> BTreeSet<u8> {
            let mut list = list.clone();
            list.extend(firsts(&outcome.added));
            firsts(&outcome.removed).iter().for_each(|hash| {
                list.remove(hash);
            });
            list
        };
        let list = apply(&listed, &once);
        prop_assert_eq!(apply(&listed, &again), list.clone(), "the ids alone were written");
        prop_assert_eq!(apply(&list, &once), list.clone(), "the list alone was written");
        prop_assert_eq!(apply(&list, &again), list, "both were written");
        prop_assert_eq!(firsts(&again.passed_over), firsts(&once.passed_over));
        let (mut kept, mut found) = (Vec::new(), Vec::new());
        ids::write(&once.ids, &mut kept).unwrap();
        let read = ids::read(&kept[..], Algorithm::Md5, |given| {
            found.push(given);
            Ok(())
        });
        prop_assert!(read.is_ok());
        prop_assert_eq!(&found, &once.ids);
    }
}

#[test]
fn a_record_that_is_not_selected_any_more_holds_no_hash_on_the_list() {
    let give = |time, id, selected| (record(Action::Add, Some(7), Some(time), Some(id)), selected);
    let first = import(&[], &[give(1, 1, true)]).ids;
    let second = import(&first, &[give(2, 1, false), give(3, 2, true)]);
    assert_eq!(second.ids.iter().filter(|given| given.standing == Standing::Unselected).count(), 1);
    let gone = (record(Action::Remove, None, Some(4), Some(2)), true);
    for ids in [second.ids, import(&first, &[give(2, 1, false)]).ids] {
        let both = import(&ids, &[give(3, 2, true), gone.clone()]);
        assert_eq!((firsts(&both.added), firsts(&both.removed)), (vec![], vec![7]));
    }
}

#[test]
fn a_withdrawal_by_id_finds_what_was_not_selected() {
    let mut sayings = Sayings::new(Algorithm::Md5);
    sayings.say(&record(Action::Add, Some(7), Some(1), None)).unwrap();
    for unselected in [Unselected::Forget, Unselected::Remember] {
        sayings.pass_over(&record(Action::Add, Some(7), Some(1), Some(2)), unselected).unwrap();
    }
    sayings.say(&record(Action::Remove, None, Some(2), Some(2))).unwrap();
    let outcome = sayings.finish().unwrap();
    assert_eq!((firsts(&outcome.added), firsts(&outcome.removed), outcome.unknown_ids), (vec![], vec![7], 0));
    assert_eq!(outcome.ids.iter().map(|given| given.standing).collect::<Vec<_>>(), [Standing::Gone]);
}

#[test]
fn a_hash_stays_as_long_as_a_record_gives_it() {
    let add = |hash, time, id| record(Action::Add, Some(hash), time, Some(id));
    let gone = |time, id| record(Action::Remove, None, time, Some(id));
    let import = |known: &[Given], records: &[Record]| {
        let mut sayings = Sayings::new(Algorithm::Md5);
        known.iter().for_each(|given| sayings.know(given).unwrap());
        records.iter().for_each(|record| sayings.say(record).unwrap());
        let outcome = sayings.finish().unwrap();
        (firsts(&outcome.added), firsts(&outcome.removed), outcome.ids, outcome.unknown_ids)
    };
    // Two members give 7; one of them gives 8 under another id.
    let (added, _, first, _) = import(&[], &[add(7, Some(1), 1), add(7, Some(1), 2), add(8, Some(1), 3)]);
    assert_eq!((added, first.len()), (vec![7, 8], 3));
    // One takes its record back: the other still stands by it.
    let (added, removed, second, _) = import(&first, &[gone(Some(5), 1)]);
    assert_eq!((added, removed), (vec![], vec![]));
    // So does the other, and the first one repeats itself.
    let (added, removed, third, unknown) = import(&second, &[gone(Some(6), 2), gone(Some(5), 1)]);
    assert_eq!((added, removed, unknown), (vec![], vec![7], 0));
    assert_eq!(third.iter().filter(|given| given.standing == Standing::Stands).count(), 1);
    // A record comes with another hash, dated or not: what it gave before goes, and comes back with it.
    for time in [None, Some(9)] {
        let (added, removed, changed, _) = import(&third, &[add(9, time, 3)]);
        assert_eq!((added, removed), (vec![9], vec![8]), "{time:?}");
        let (added, removed, ..) = import(&changed, &[add(8, time, 3)]);
        assert_eq!((added, removed), (vec![8], vec![9]));
    }
    // A record that was not selected doesn't hold its hash on the list; that it is withdrawn later is nothing unknown.
    let mut sayings = Sayings::new(Algorithm::Md5);
    sayings.pass_over(&add(7, Some(1), 9), Unselected::Forget).unwrap();
    let passed = sayings.finish().unwrap().ids;
    assert_eq!(passed[0].standing, Standing::Unselected);
    let (_, removed, _, unknown) = import(&[&first[..], &passed].concat(), &[gone(Some(5), 9)]);
    assert_eq!((removed, unknown), (vec![], 0), "others stand by it");
    // What is not mentioned is not touched, nor is what was withdrawn long ago.
    let plain = record(Action::Add, Some(7), None, None);
    assert_eq!(import(&third, &[plain]).0, [7]);
    let both = import(&[], &[add(7, Some(1), 1), add(7, Some(3), 2), gone(Some(5), 1)]);
    assert_eq!((both.0, both.1), (vec![7], vec![]));
}

#[test]
fn the_later_word_counts_and_a_removal_at_the_same_time() {
    let add = |time| record(Action::Add, Some(7), time, None);
    let remove = |time| record(Action::Remove, Some(7), time, None);
    for (records, listed) in [
        (vec![add(Some(1)), remove(Some(2))], false),
        (vec![add(Some(2)), remove(Some(1))], true),
        (vec![add(Some(2)), remove(Some(2))], false),
        (vec![add(Some(2)), remove(None)], false),
        (vec![add(None), remove(Some(0))], false),
    ] {
        let (added, removed, ..) = outcome(&records, 10);
        assert_eq!((added.len(), removed.len()), if listed { (1, 0) } else { (0, 1) });
    }
    let unknown = record(Action::Remove, None, Some(1), Some(1));
    assert_eq!(outcome(&[unknown], 10).3, 1);
}
