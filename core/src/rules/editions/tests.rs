use super::*;
use crate::charter::{Action, Curator};
use crate::rules::testing::{ALL, LOG, charter, key, sign_charter};

const START: Timestamp = Timestamp(1_000_000);
const NOTICE: u64 = 3600;

fn chain() -> Editions {
    let first = charter();
    let mut editions = Editions::new(LOG, &first.list);
    editions.push(sign_charter(&first, &ALL), LeafIndex(0), START).unwrap();
    editions
}

fn amended(editions: &Editions, edit: impl Fn(&mut Charter)) -> Signed<Charter> {
    let before = editions.newest().unwrap();
    let mut charter = before.charter().clone();
    charter.edition += 1;
    charter.previous = Some(before.id());
    edit(&mut charter);
    sign_charter(&charter, &ALL)
}

fn push(editions: &mut Editions, at: u64, edit: impl Fn(&mut Charter)) -> Result<(), Violation> {
    let signed = amended(editions, edit);
    let index = LeafIndex(editions.all().len() as u64);
    editions.push(signed, index, START.plus(at))
}

/// c4 in the place of c1.
fn replace_c1(charter: &mut Charter) {
    charter.curation.curators.remove(0);
    let (name, key) = ("c4".into(), key("c4").verifier().clone());
    charter.curation.curators.push(Curator { name, key, ..charter.curation.curators[1].clone() });
}

#[test]
fn a_narrowing_edition_is_in_force_at_once_and_a_widening_one_after_its_notice() {
    let mut editions = chain();
    push(&mut editions, 10, |c| c.matching.max_distance = 20).unwrap();
    assert_eq!(editions.newest().unwrap().in_force_since(), START.plus(10));
    push(&mut editions, 20, |c| c.matching.max_distance = 30).unwrap();
    assert_eq!(editions.newest().unwrap().in_force_since(), START.plus(20 + NOTICE));
    assert_eq!(editions.in_force_at(START.plus(30)).unwrap().number(), 2);
    assert_eq!(editions.in_force_at(START.plus(20 + NOTICE)).unwrap().number(), 3);
    assert_eq!(editions.widenings_of(&editions.newest().unwrap().id()), ["matching.max_distance from 20 to 30"]);
}

#[test]
fn notice_is_not_laundered_through_a_pending_edition() {
    let mut editions = chain();
    push(&mut editions, 10, |c| c.matching.max_distance = 30).unwrap();
    // Narrower than the pending edition 2, but wider than edition 1, which is in force.
    push(&mut editions, 20, |c| c.matching.max_distance = 28).unwrap();
    assert_eq!(editions.newest().unwrap().in_force_since(), START.plus(20 + NOTICE));
    // Lowering the notice widens, so a short notice can't be prepared in a pending edition.
    push(&mut editions, 30, |c| c.limits.notice = 1).unwrap();
    push(&mut editions, 40, |c| c.action.most = Action::Block).unwrap();
    assert_eq!(editions.newest().unwrap().in_force_since(), START.plus(40 + NOTICE));
}

#[test]
fn an_edition_that_narrows_against_all_overtakes_a_pending_one() {
    let mut editions = chain();
    push(&mut editions, 10, |c| c.matching.max_distance = 30).unwrap();
    push(&mut editions, 20, |c| c.matching.max_distance = 20).unwrap();
    assert_eq!(editions.in_force_at(START.plus(20)).unwrap().number(), 3);
    assert_eq!(editions.oldest_citable(LeafIndex(9)).unwrap().number(), 3);
    assert_eq!(editions.oldest_citable(LeafIndex(2)).unwrap().number(), 1, "logged before edition 3");
}

#[test]
fn what_would_come_of_an_edition_is_what_comes_of_it() {
    let mut editions = chain();
    push(&mut editions, 10, |c| c.limits.max_entries += 9).unwrap();
    let edits: [fn(&mut Charter); 5] = [
        |c| c.limits.max_entries += 1,
        |c| c.limits.max_entries -= 9,
        |c| c.record = Default::default(),
        |c| c.maintainer.contact = "new@example.org".into(),
        |c| c.matching.max_distance = 1,
    ];
    for edit in edits {
        let (signed, place) = (amended(&editions, edit), Place { index: LeafIndex(7), public_since: START.plus(20) });
        let mut after = editions.clone();
        let prospect = editions.foresee(&signed, place);
        assert_eq!(prospect.is_ok(), editions.judge_admission(signed.body(), place.public_since).is_ok());
        after.push(signed.clone(), place.index, place.public_since).unwrap();
        let Ok(prospect) = prospect else { continue };
        let newest = after.newest().unwrap();
        assert_eq!(prospect.in_force_since, newest.in_force_since());
        assert_eq!(prospect.widenings, after.widenings_of(&signed.id()));
        assert_eq!(prospect.widenings.is_empty(), newest.notice().is_none());
        assert_eq!(prospect.compared, [1, 2]);
    }
    let other = amended(&editions, |c| c.matching.algorithm = crate::list::Algorithm::VpdqV1);
    assert_eq!(
        editions.foresee(&other, Place { index: LeafIndex(7), public_since: START }),
        Err(Violation::AlgorithmChanged)
    );
}

#[test]
fn the_chain_is_contiguous_and_has_one_successor_each() {
    let mut editions = chain();
    let second = amended(&editions, |c| c.matching.max_distance = 20);
    let other = amended(&editions, |c| c.matching.max_distance = 18);
    let gap = amended(&editions, |c| c.edition = 3);
    let wrong = amended(&editions, |c| c.previous = Some(StatementId([7; 32])));
    let at = |index| Place { index: LeafIndex(index), public_since: START };
    let judge = |editions: &Editions, signed: &Signed<Charter>| editions.judge_text(signed, at(5));
    let contiguous = Violation::NotContiguous { series: Series::Edition, expected: 2, found: 3 };
    assert_eq!(judge(&editions, &gap), Err(contiguous));
    let mismatch = Violation::PreviousMismatch { series: Series::Edition, number: 2 };
    assert_eq!(judge(&editions, &wrong), Err(mismatch.clone()));
    assert_eq!(editions.judge_text(&second, at(0)), Err(mismatch), "refers to no larger index");
    editions.push(second.clone(), LeafIndex(1), START).unwrap();
    let equivocation =
        Violation::Equivocation { series: Series::Edition, number: 2, first: second.id(), second: other.id() };
    assert_eq!(judge(&editions, &other), Err(equivocation));
    assert_eq!(judge(&editions, &second), Err(Violation::AlreadyLogged { id: second.id() }), "one text is no two");
}

/// A second text is judged as the first one was: by the edition before it and, while that is pending, by the one in
/// force. Edition 2, which is pending until 3610, has c4 in the place of c1; c2 and c4 may decide under it, not under
/// edition 1.
#[test]
fn a_second_text_needs_the_consent_that_the_first_one_needed() {
    let mut editions = chain();
    push(&mut editions, 10, replace_c1).unwrap();
    let [first, second] = [20, 18].map(|distance| amended(&editions, |c| c.matching.max_distance = distance));
    let of_pending = sign_charter(second.body(), &["m1", "c2", "c4"]);
    let unsigned = sign_charter(second.body(), &[]);
    editions.push(first.clone(), LeafIndex(2), START.plus(20)).unwrap();
    let (series, number) = (Series::Edition, 3);
    let equivocation = Err(Violation::Equivocation { series, number, first: first.id(), second: second.id() });
    let nobody_s = Err(Violation::NotContiguous { series: Series::Edition, expected: 4, found: 3 });
    let judge = |charter: &Signed<Charter>, after| {
        let place = Place { index: LeafIndex(5), public_since: START.plus(after) };
        editions.judge_text(charter, place)
    };
    assert_eq!(judge(&second, 30), equivocation);
    assert_eq!(judge(&of_pending, 10 + NOTICE), equivocation, "edition 2 is in force");
    assert_eq!(judge(&of_pending, 9 + NOTICE), nobody_s, "edition 1 is, and did not consent");
    assert_eq!(judge(&unsigned, 10 + NOTICE), nobody_s);
    let too_few = Err(Violation::TooFewCurators { have: 1, need: 2, under: 1 });
    assert_eq!(editions.judge_signatures(&of_pending, START.plus(9 + NOTICE)), too_few);
    let gap = sign_charter(&Charter { edition: 5, ..of_pending.body().clone() }, &["m1", "c2", "c4"]);
    let gap = editions.judge_signatures(&gap, START.plus(10 + NOTICE));
    assert_eq!(gap, Err(Violation::NotContiguous { series: Series::Edition, expected: 4, found: 5 }));
}

/// Edition 2, pending until 3610, has c4 in the place of c1. Edition 3 is admitted under edition 1, just before, and is public just
/// after; it carries what it needs at either time.
#[test]
fn an_edition_is_good_at_whichever_time_it_becomes_public() {
    let mut editions = chain();
    push(&mut editions, 10, replace_c1).unwrap();
    let third = amended(&editions, |c| c.matching.max_distance = 20);
    let signed = |names: &[&str]| sign_charter(third.body(), names);
    let (before, after) = (START.plus(9 + NOTICE), START.plus(10 + NOTICE));
    let too_few = |under| Err(Violation::TooFewCurators { have: 1, need: 2, under });
    let by_all = signed(&["m1", "c2", "c3", "c4", "c1"]);
    for at in [before, after] {
        assert_eq!((editions.judge_signatures(&by_all, at), editions.judge_consent(&by_all, at)), (Ok(()), Ok(())));
    }
    let of_the_old = signed(&["m1", "c3", "c1"]);
    assert_eq!(
        editions.judge_signatures(&of_the_old, after),
        too_few(2),
        "what counts are the keys of the one in force"
    );
    let out_of_order = signed(&["m1", "c1", "c3", "c4"]);
    let uncounted = Err(Violation::UncountedSignature { name: "c3".into() });
    assert_eq!(editions.judge_signatures(&out_of_order, before), uncounted);

    // Edition 3 waits, too, and has c5 in the place of c2: edition 4 needs what any of the three may ask for by then.
    let with_c5 = |c: &mut Charter| {
        let (name, key) = ("c5".into(), key("c5").verifier().clone());
        let at = c.curation.curators.iter().position(|curator| curator.name == "c2").unwrap();
        c.curation.curators[at] = Curator { name, key, ..c.curation.curators[at].clone() };
    };
    let second_pending = amended(&editions, with_c5);
    let second_pending = sign_charter(second_pending.body(), &["m1", "c5", "c3", "c4", "c2", "c1"]);
    editions.push(second_pending, LeafIndex(2), START.plus(20)).unwrap();
    let fourth = amended(&editions, |c| c.matching.max_distance = 20);
    let under_two = sign_charter(fourth.body(), &["m1", "c5", "c3", "c2", "c1"]);
    assert_eq!(editions.judge_signatures(&under_two, before), Ok(()));
    assert_eq!(editions.judge_consent(&under_two, before), Ok(()));
    let of_three_and_one = sign_charter(fourth.body(), &["m1", "c5", "c3", "c1"]);
    assert_eq!(editions.judge_signatures(&of_three_and_one, before), Ok(()));
    assert_eq!(editions.judge_signatures(&of_three_and_one, after), too_few(2));
    assert_eq!(editions.judge_consent(&of_three_and_one, before), too_few(2), "so no log admits it");
}

#[test]
fn what_a_log_shows_is_judged_in_its_order_and_no_edition_is_public_later_than_the_next() {
    let mut editions = chain();
    push(&mut editions, 10, |c| c.matching.max_distance = 20).unwrap();
    push(&mut editions, 20, |c| c.matching.max_distance = 18).unwrap();
    let signed: Vec<Signed<Charter>> = editions.all().iter().map(|edition| edition.signed().clone()).collect();
    let list = signed[0].body().list.clone();
    let shown = |places: [(usize, u64); 3]| {
        let logged = (0..).zip(places).map(|(index, (at, after))| {
            let charter: &Signed<Charter> = &signed[at];
            (charter.clone(), LeafIndex(index), START.plus(after))
        });
        Editions::of_logged(LOG, &list, logged.collect())
    };
    let known = shown([(0, 90), (1, 50), (2, 70)]).unwrap();
    let since: Vec<u64> = known.all().iter().map(|edition| edition.public_since().since(START)).collect();
    assert_eq!(since, [50, 50, 70]);
    let gap = Violation::NotContiguous { series: Series::Edition, expected: 2, found: 3 };
    assert_eq!(shown([(0, 90), (2, 95), (1, 99)]), Err((signed[2].id(), gap)));
}

#[test]
fn other_log_list_or_algorithm() {
    let editions = chain();
    let place = Place { index: LeafIndex(1), public_since: START };
    let judge = |edit: fn(&mut Charter)| editions.judge_text(&amended(&editions, edit), place);
    assert!(matches!(judge(|c| c.log = "other.example/log".into()), Err(Violation::OtherLog { .. })));
    let other = |c: &mut Charter| c.list = ListName::new("other.example/list").unwrap();
    assert!(matches!(judge(other), Err(Violation::OtherList { .. })));
    let exact = |c: &mut Charter| {
        c.matching.algorithm = crate::list::Algorithm::VpdqV1;
        c.matching.max_distance = 0;
        c.matching.min_quality = 0;
    };
    assert_eq!(judge(exact), Err(Violation::AlgorithmChanged));
}

#[test]
fn a_later_witnessed_time_moves_what_depends_on_it() {
    let mut editions = chain();
    push(&mut editions, 10, |c| c.matching.max_distance = 30).unwrap();
    let id = editions.newest().unwrap().id();
    editions.set_public_since(&id, START.plus(50));
    assert_eq!(editions.newest().unwrap().in_force_since(), START.plus(50 + NOTICE));
    // Edition 3 narrows edition 2 once that is in force; earlier it widens edition 1.
    push(&mut editions, 60 + NOTICE, |c| c.matching.max_distance = 28).unwrap();
    let third = editions.newest().unwrap().id();
    assert_eq!(editions.newest().unwrap().notice(), None);
    editions.set_public_since(&third, START.plus(60));
    assert_eq!(editions.newest().unwrap().notice(), Some(NOTICE));
    assert_eq!(editions.oldest_citable(LeafIndex(9)).unwrap().number(), 3, "what may be cited depends on no time");
}

/// Edition 2 widens, edition 3 takes something back. Whoever believes that edition 2 became public late, because the log
/// shows a late proof, must not go back to edition 1 and to the keys, say, that edition 3 has dropped.
#[test]
fn what_was_narrowed_does_not_come_back_where_times_are_late() {
    let mut editions = chain();
    push(&mut editions, 10, |c| c.matching.max_distance = 30).unwrap();
    push(&mut editions, 10 + NOTICE, |c| c.matching.max_distance = 29).unwrap();
    assert_eq!(editions.newest().unwrap().notice(), None);
    let late = START.plus(9 * NOTICE);
    let shown = editions.all().iter().map(|edition| (edition.signed().clone(), edition.index(), late)).collect();
    let believed = Editions::of_logged(LOG, &editions.all()[0].charter().list, shown).unwrap();
    assert_eq!(believed.in_force_at(late).unwrap().number(), 1, "the others wait once more");
    assert_eq!(believed.oldest_citable(LeafIndex(9)).unwrap().number(), 3);
    assert_eq!(believed.oldest_citable(LeafIndex(2)).unwrap().number(), 1, "logged before edition 3");
}

#[test]
fn an_edition_that_only_corrects_contact_or_record_binds_no_release() {
    let mut editions = chain();
    push(&mut editions, 10, |c| c.maintainer.contact = "office@hotline.example".into()).unwrap();
    assert_eq!(editions.oldest_citable(LeafIndex(9)).unwrap().number(), 1);
    push(&mut editions, 20, |c| c.matching.max_distance = 20).unwrap();
    assert_eq!(editions.oldest_citable(LeafIndex(9)).unwrap().number(), 3);
}

#[test]
fn an_edition_that_would_hold_up_every_release_is_not_admitted() {
    let mut editions = chain();
    let judge = |editions: &Editions, at: u64, edit: fn(&mut Charter)| {
        editions.judge_admission(amended(editions, edit).body(), START.plus(at))
    };
    assert_eq!(judge(&editions, 5, |c| c.matching.max_distance = 20), Ok(()));
    push(&mut editions, 10, |c| c.matching.max_distance = 30).unwrap();
    let holds_up = Violation::HoldsUpReleases { edition: 3, pending: 2, until: START.plus(20 + NOTICE) };
    assert_eq!(judge(&editions, 20, |c| c.matching.max_distance = 28), Err(holds_up), "edition 1 has 24");
    assert_eq!(judge(&editions, 20, |c| c.matching.max_distance = 24), Ok(()), "takes all of it back");
    assert_eq!(judge(&editions, 20, |c| c.matching.max_distance = 31), Ok(()), "widens again, and binds nobody");
    let drops_a_key = judge(&editions, 20, |c| {
        c.matching.max_distance = 28;
        c.curation.curators.remove(0);
    });
    assert_eq!(drops_a_key, Ok(()), "better no release than one by a key that was stolen");
    assert_eq!(judge(&editions, 20, |c| c.maintainer.contact = "office@hotline.example".into()), Ok(()));
    assert_eq!(judge(&editions, 10 + NOTICE, |c| c.matching.max_distance = 28), Ok(()), "edition 2 is in force");
}

#[test]
fn an_edition_knows_its_time_and_its_notice() {
    let mut editions = chain();
    push(&mut editions, 10, |c| c.matching.max_distance = 20).unwrap();
    assert_eq!(
        (editions.newest().unwrap().public_since(), editions.newest().unwrap().notice()),
        (START.plus(10), None)
    );
    push(&mut editions, 20, |c| c.matching.max_distance = 30).unwrap();
    assert_eq!(editions.newest().unwrap().notice(), Some(NOTICE));
    assert_eq!(editions.newest().unwrap().public_since(), START.plus(20));
}

#[test]
fn an_edition_that_lacks_a_signature_is_not_appended() {
    let mut editions = chain();
    let before = editions.newest().unwrap().clone();
    let second = Charter { edition: 2, previous: Some(before.id()), ..before.charter().clone() };
    let missing = editions.push(sign_charter(&second, &["m1", "c1", "c2"]), LeafIndex(1), START);
    assert!(matches!(missing, Err(Violation::TooFewJurisdictions { .. })), "{missing:?}");
    assert_eq!(editions.all().len(), 1);
    let mut none = Editions::new(LOG, &before.charter().list);
    assert!(none.push(sign_charter(before.charter(), &["m1", "c1", "c2"]), LeafIndex(0), START).is_err());
}

#[test]
fn what_covers_a_statement_covers_those_before_it() {
    let mut editions = chain();
    push(&mut editions, 100, |c| c.matching.max_distance = 20).unwrap();
    let since = |editions: &Editions| editions.all().iter().map(Edition::public_since).collect::<Vec<_>>();
    let known = |index, at| since(&editions.known_with(LeafIndex(index), START.plus(at)));
    assert_eq!(known(2, 50), [START, START.plus(50)], "edition 2, at index 1, is public no later than what follows it");
    assert_eq!(known(1, 50), [START, START.plus(100)], "a statement doesn't come before itself");
    assert_eq!(known(2, 100), [START, START.plus(100)]);
    assert_eq!(known(2, 200), [START, START.plus(100)], "a later statement makes none later");
    assert!(matches!(editions.known_with(LeafIndex(2), START.plus(100)), Cow::Borrowed(_)), "nothing to change");
    assert!(matches!(editions.known_with(LeafIndex(1), START.plus(50)), Cow::Borrowed(_)), "nothing to change");
}

/// Edition 2 has c4 in the place of c1, and edition 3, by the people of edition 2 alone, came when that was in force by true times. By
/// later ones it waits: then edition 3 counts as public from when it has the consent that it needs, and no earlier.
#[test]
fn what_lacks_consent_by_late_times_alone_counts_from_when_it_has_it() {
    let mut editions = chain();
    push(&mut editions, 10, replace_c1).unwrap();
    let second = editions.newest().unwrap().clone();
    let third = sign_charter(amended(&editions, |c| c.matching.max_distance = 20).body(), &["m1", "c2", "c4"]);
    let list = second.charter().list.clone();
    let (first, second_at) = (editions.all()[0].signed().clone(), 5000);
    let dated = |third: &Signed<Charter>, third_at: u64, is_late: bool| {
        let texts = [(first.clone(), 0), (second.signed().clone(), second_at), (third.clone(), third_at)];
        let logged = (0..).zip(texts).map(|(index, (text, after))| (text, LeafIndex(index), START.plus(after)));
        let is_late = |id: &StatementId| is_late && *id == second.id();
        Editions::of_dated(LOG, &list, logged.collect(), is_late)
    };
    let since = |editions: Editions| editions.newest().unwrap().public_since().since(START);
    let in_force = second_at + NOTICE;
    let too_few = Err((third.id(), Violation::TooFewCurators { have: 1, need: 2, under: 1 }));
    assert_eq!(dated(&third, 6000, false), too_few, "by times that are proven, it lacks it");
    assert_eq!(dated(&third, 6000, true).map(since), Ok(in_force));
    assert_eq!(dated(&third, in_force - 1, true).map(since), Ok(in_force));
    for later in [in_force, in_force + 1] {
        assert_eq!(dated(&third, later, true).map(since), Ok(later), "it waits for nothing by then");
    }
    // What has the consent of both, or lacks that of the edition before it, is not moved.
    let of_both = sign_charter(third.body(), &["m1", "c2", "c3", "c4", "c1"]);
    assert_eq!(dated(&of_both, 6000, true).map(since), Ok(6000));
    let of_neither = sign_charter(third.body(), &["m1", "c2"]);
    assert!(matches!(dated(&of_neither, 6000, true), Err((_, Violation::TooFewCurators { .. }))));
}
