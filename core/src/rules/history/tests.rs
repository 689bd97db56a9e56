use super::*;
use crate::charter::Curator;
use crate::note::Note;
use crate::rules::testing::{ALL, LOG, charter, key, next_release, release_of, sign, sign_charter, sign_release};

const START: Timestamp = Timestamp(1_000_000);

fn place(index: u64) -> Place {
    Place { index: LeafIndex(index), public_since: START.plus(index * 100) }
}

fn history() -> History {
    let mut history = History::new(LOG);
    let charter = charter();
    history.record(Statement::Charter(sign_charter(&charter, &ALL)), place(0)).unwrap();
    history
}

fn release_after(history: &History, names: &[&str]) -> Statement {
    let list = history.lists().next().unwrap().1;
    let edition = list.editions().newest().unwrap();
    let mut release = match list.releases().last() {
        Some(last) => next_release(list.releases(), last),
        None => release_of(edition.charter(), 1),
    };
    release.charter = edition.id();
    release.created = START.plus(100 * (release.version));
    release.expires = release.created.plus(1000);
    Statement::Release(sign_release(&release, names))
}

#[test]
fn charter_and_releases_are_taken_up_in_order() {
    let mut history = history();
    for index in 1..=9 {
        let release = release_after(&history, &["m1", "c1", "c3"]);
        history.record(release, place(index)).unwrap();
    }
    let list = history.list(&charter().list).unwrap();
    assert_eq!(list.releases().len(), 9);
    assert_eq!(list.version(8).unwrap().release.body().deltas.len(), 3);
    assert_eq!(list.version(0), None);
}

#[test]
fn a_breach_leaves_the_list_as_it_was_and_a_text_counts_once() {
    let mut history = history();
    let weak = release_after(&history, &["m1", "c1"]);
    assert!(matches!(history.record(weak.clone(), place(1)), Err(Violation::TooFewCurators { .. })));
    assert_eq!(history.lists().next().unwrap().1.releases().len(), 0);
    let id = weak.id();
    assert_eq!(history.record(weak, place(2)), Err(Violation::AlreadyLogged { id }));
}

#[test]
fn what_keeps_the_rules_at_another_time_is_taken_up_as_of_its_own() {
    let mut history = history();
    let Statement::Release(release) = release_after(&history, &[]) else { panic!() };
    let mut body = release.body().clone();
    body.created = START.plus(500);
    body.expires = body.created.plus(1000);
    let late = Statement::Release(sign_release(&body, &["m1", "c1", "c3"]));
    let weak = Statement::Release(sign_release(&body, &["m1", "c1"]));
    let created_late = Violation::CreatedLate { created: START.plus(500), at: START.plus(100) };
    assert_eq!(history.record(late.clone(), place(1)), Err(created_late.clone()));
    assert_eq!(
        history.record_as_if(late.clone(), place(1), START.plus(499)),
        Err(Violation::CreatedLate { created: START.plus(500), at: START.plus(499) })
    );
    assert!(matches!(history.record_as_if(weak, place(1), START.plus(500)), Err(Violation::TooFewCurators { .. })));
    assert_eq!(history.record_as_if(late, place(1), START.plus(500)), Ok(()));
    let list = history.lists().next().unwrap().1;
    assert_eq!(list.releases()[0].public_since, START.plus(100), "its own time");
}

#[test]
fn a_second_signed_release_of_a_version_is_equivocation_and_an_unsigned_one_is_not() {
    let mut history = history();
    let first = release_after(&history, &["m1", "c1", "c3"]);
    let Statement::Release(release) = &first else { panic!() };
    let mut other = release.body().clone();
    other.expires = other.expires.plus(1);
    let signed = Statement::Release(sign_release(&other, &["m2", "c2", "c3"]));
    other.expires = other.expires.plus(1);
    let unsigned = Statement::Release(sign_release(&other, &["m2"]));
    history.record(first.clone(), place(1)).unwrap();
    let equivocation =
        Violation::Equivocation { series: Series::Version, number: 1, first: first.id(), second: signed.id() };
    assert_eq!(history.judge(&signed, place(2), Signing::Signed), Err(equivocation));
    assert!(matches!(history.judge(&unsigned, place(2), Signing::Signed), Err(Violation::NotContiguous { .. })));
}

#[test]
fn drafts_are_judged_without_signatures() {
    let history = history();
    let Statement::Release(release) = release_after(&history, &[]) else { panic!() };
    let draft = Statement::from_note(Note::new(release.note().text().into(), Vec::new()).unwrap()).unwrap();
    assert_eq!(history.judge(&draft, place(1), Signing::Draft), Ok(()));
    let unsigned = Err(Violation::MaintainerMissing { under: 1 });
    assert_eq!(history.judge(&draft, place(1), Signing::Signed), unsigned);
}

#[test]
fn a_delta_from_an_unknown_release_is_refused() {
    let mut history = history();
    let first = release_after(&history, &["m1", "c1", "c3"]);
    history.record(first, place(1)).unwrap();
    let Statement::Release(second) = release_after(&history, &[]) else { panic!() };
    let mut body = second.body().clone();
    let stranger = StatementId([9; 32]);
    body.deltas[0].release = stranger;
    body.previous = Some(stranger);
    let signed = Statement::Release(sign_release(&body, &["m1", "c1", "c3"]));
    let unknown = Err(Violation::UnknownRelease { id: stranger });
    assert_eq!(history.judge(&signed, place(2), Signing::Signed), unknown);
}

#[test]
fn an_attestation_is_about_a_logged_release_and_by_its_auditor() {
    let mut history = history();
    let release = release_after(&history, &["m1", "c1", "c3"]);
    let id = release.id();
    history.record(release, place(1)).unwrap();
    let attestation = Attestation {
        statement: Attestation::KIND.into(),
        list: charter().list,
        release: id,
        auditor: key("auditor").verifier().clone(),
        method: crate::attestation::Method::Followed,
        log_size: Some(crate::tree::TreeSize(2)),
        sample: None,
        errors: None,
        complaint: None,
        finding: "nothing to object to".into(),
        report: None,
        created: START.plus(500),
    };
    let text = attestation.to_text().unwrap();
    let by = |name: &str| Statement::from_note(sign(&text, &[name])).unwrap();
    assert_eq!(history.judge(&by("auditor"), place(2), Signing::Signed), Ok(()));
    let stranger = Err(Violation::UncountedSignature { name: "stranger".into() });
    assert_eq!(history.judge(&by("stranger"), place(2), Signing::Signed), stranger);
    let elsewhere = Attestation { release: StatementId([9; 32]), ..attestation }.to_text().unwrap();
    let elsewhere = Statement::from_note(sign(&elsewhere, &["auditor"])).unwrap();
    let unknown = Err(Violation::UnknownRelease { id: StatementId([9; 32]) });
    assert_eq!(history.judge(&elsewhere, place(2), Signing::Signed), unknown);
    history.record(by("auditor"), place(2)).unwrap();
    let [taken] = history.lists().next().unwrap().1.attestations() else { panic!("one") };
    assert_eq!((taken.attestation.id(), taken.index), (by("auditor").id(), LeafIndex(2)));
    assert_eq!([2, 3].map(|at| history.has_taken(&by("auditor"), LeafIndex(at))), [true, false]);
}

#[test]
fn the_interval_counts_from_the_last_release_that_added_entries() {
    let mut history = history();
    let signers = ["m1", "c1", "c3"];
    let next = |history: &History, added, after| {
        let Statement::Release(release) = release_after(history, &[]) else { panic!() };
        let first = history.lists().next().unwrap().1.version(1).unwrap();
        let created = first.release.body().created.plus(after);
        Statement::Release(sign_release(&Release { added, created, ..release.body().clone() }, &signers))
    };
    let first = release_after(&history, &signers);
    history.record(first, place(1)).unwrap();
    assert_eq!(
        history.judge(&next(&history, 1, 59), place(2), Signing::Signed),
        Err(Violation::TooSoon { found: 59, limit: 60 })
    );
    history.record(next(&history, 0, 30), place(2)).unwrap();
    assert_eq!(
        history.judge(&next(&history, 1, 50), place(3), Signing::Signed),
        Err(Violation::TooSoon { found: 50, limit: 60 }),
        "a release that only removes is no adding one"
    );
    assert_eq!(history.judge(&next(&history, 1, 60), place(3), Signing::Signed), Ok(()));
}

#[test]
fn where_a_statement_stands_and_since_when_it_is_public() {
    let mut history = history();
    let list = history.lists().next().unwrap().1;
    let edition = list.editions().newest().unwrap().id();
    let release = release_after(&history, &["m1", "c1", "c3"]);
    let id = release.id();
    assert_eq!((history.index_of(&edition), history.index_of(&id)), (Some(LeafIndex(0)), None));
    history.record(release, place(7)).unwrap();
    assert_eq!(history.index_of(&id), Some(LeafIndex(7)));
    let second = release_after(&history, &["m1", "c1", "c3"]);
    history.record(second, place(8)).unwrap();
    history.set_public_since(&charter().list, &id, START.plus(701));
    history.set_public_since(&charter().list, &edition, START.plus(1));
    let list = history.lists().next().unwrap().1;
    let since = list.releases().iter().map(|logged| logged.public_since).collect::<Vec<_>>();
    assert_eq!(since, [START.plus(701), START.plus(800)]);
    assert_eq!(list.editions().newest().unwrap().public_since(), START.plus(1));
}

#[test]
fn what_covers_a_statement_covers_those_before_it() {
    let mut history = history();
    for index in [3, 5, 8] {
        let release = release_after(&history, &["m1", "c1", "c3"]);
        history.record(release, place(index)).unwrap();
    }
    history.set_public_since_from(LeafIndex(5), START.plus(450));
    let since = |history: &History| -> Vec<u64> {
        let list = history.lists().next().unwrap().1;
        let editions = list.editions().all().iter().map(|edition| edition.public_since());
        let all = editions.chain(list.releases().iter().map(|logged| logged.public_since));
        all.map(|since| since.since(START)).collect()
    };
    assert_eq!(since(&history), [0, 300, 450, 450]);
    history.set_public_since_from(LeafIndex(0), START.plus(7));
    assert_eq!(since(&history), [7, 7, 7, 7]);
}

#[test]
fn what_breaks_a_rule_by_later_knowledge_is_left_out_and_what_builds_on_it() {
    let mut history = history();
    let name = charter().list;
    for index in [3, 5, 8] {
        let release = release_after(&history, &["m1", "c1", "c3"]);
        history.record(release, place(index)).unwrap();
    }
    let versions = |history: &History| history.list(&charter().list).unwrap().releases().len();
    let second = history.list(&name).unwrap().version(2).unwrap().clone();
    history.set_public_since(&charter().list, &second.id, second.created);
    assert!(history.judge_again(&name, LeafIndex(3)).is_empty());
    // It was composed after it was public, as its witnesses have it.
    history.set_public_since(&charter().list, &second.id, Timestamp(second.created.0 - 1));
    assert!(history.judge_again(&name, LeafIndex(6)).is_empty(), "nobody has asked for what is before");
    assert_eq!(versions(&history), 3);
    let broken = history.judge_again(&name, LeafIndex(5));
    let [first, next] = &broken[..] else { panic!("{broken:?}") };
    assert_eq!((first.index, first.id, next.index), (LeafIndex(5), second.id, LeafIndex(8)));
    assert!(matches!(first.violation, Violation::CreatedLate { .. }), "{first:?}");
    assert!(matches!(next.violation, Violation::NotContiguous { .. }), "{next:?}");
    assert_eq!([first.series, next.series], [Some((Series::Version, 2)), Some((Series::Version, 3))]);
    assert_eq!(versions(&history), 1);
    assert_eq!(history.index_of(&second.id), Some(LeafIndex(5)), "its text is logged all the same");
    assert!(history.judge_again(&name, LeafIndex(0)).is_empty());
}

#[test]
fn a_release_is_left_out_if_the_notice_was_not_over() {
    let mut history = history();
    let first = history.lists().next().unwrap().1.editions().newest().unwrap().clone();
    let mut second = charter();
    (second.edition, second.previous) = (2, Some(first.id()));
    second.matching.max_distance = 31;
    let notice = first.charter().limits.notice;
    history.record(Statement::Charter(sign_charter(&second, &ALL)), place(1)).unwrap();
    let edition = history.lists().next().unwrap().1.editions().newest().unwrap().clone();
    let at = |seconds: u64| Place { index: LeafIndex(2), public_since: edition.public_since().plus(seconds) };
    let release = release_after(&history, &["m1", "c1", "c3"]);
    let early = history.clone().admit(release.clone(), at(notice - 1));
    assert!(matches!(early, Err(Violation::NoticeNotOver { .. })), "{early:?}");
    let mut unchanged = history.clone();
    let _ = unchanged.admit(release.clone(), at(notice - 1));
    assert_eq!(unchanged, history, "what is not admitted is not logged");
    history.admit(release.clone(), at(notice)).unwrap();
    // The edition was published a second later than it was sequenced.
    history.set_public_since(&charter().list, &edition.id(), edition.public_since().plus(1));
    let broken = history.judge_again(&charter().list, LeafIndex(1));
    let [LeftOut { index: LeafIndex(2), id, violation: Violation::NoticeNotOver { .. }, .. }] = broken[..] else {
        panic!("{broken:?}")
    };
    assert_eq!(id, release.id());
}

/// What a monitor keeps: the rules must be the same.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Nothing;

impl<T> From<Signed<T>> for Nothing {
    fn from(_: Signed<T>) -> Self {
        Self
    }
}

#[test]
fn the_rules_are_the_same_whatever_is_kept() {
    let (mut whole, mut little) = (history(), History::<Nothing, Nothing>::keeping(LOG));
    little.record(Statement::Charter(sign_charter(&charter(), &ALL)), place(0)).unwrap();
    let mut statements = Vec::new();
    for signers in [&["m1", "c1", "c3"][..], &["m1", "c2", "c3"], &["m1", "c1"]] {
        let release = release_after(&whole, signers);
        let _ = whole.record(release.clone(), place(statements.len() as u64 + 1));
        statements.push(release);
    }
    statements.extend([statements[0].clone(), statements[2].clone(), statements[1].clone()]);
    let mut replayed = history();
    for (at, statement) in statements.into_iter().enumerate() {
        let place = place(at as u64 + 1);
        let id = statement.id();
        assert_eq!(little.record(statement.clone(), place), replayed.record(statement, place), "{at}");
        assert_eq!(little.index_of(&id), replayed.index_of(&id));
    }
    let list = &charter().list;
    let of = |history: &History| -> Vec<_> {
        history.list(list).unwrap().releases().iter().map(|logged| (logged.id, logged.index)).collect()
    };
    let kept = little.list(list).unwrap();
    assert_eq!(kept.releases().iter().map(|logged| (logged.id, logged.index)).collect::<Vec<_>>(), of(&replayed));
    assert_eq!(little.version_of(list, &kept.releases()[1].id), Some(2));
    assert_eq!((kept.version_at(LeafIndex(2)), kept.version_at(LeafIndex(3))), (Some(2), None));
}

#[test]
fn a_charter_is_judged_before_it_is_taken_up() {
    let history = History::new(LOG);
    let charter = charter();
    let judge =
        |names: &[&str], signing| history.judge(&Statement::Charter(sign_charter(&charter, names)), place(0), signing);
    let missing = Err(Violation::AddedKeyMissing { name: "c2".into() });
    assert_eq!(judge(&["m1", "c1", "c3"], Signing::Signed), missing);
    assert_eq!(judge(&["m1", "c1", "c3"], Signing::Draft), Ok(()));
    assert_eq!(judge(&ALL, Signing::Signed), Ok(()));
    let gap = Charter { edition: 2, previous: Some(StatementId([1; 32])), ..charter.clone() };
    let gap = history.judge(&Statement::Charter(sign_charter(&gap, &ALL)), place(0), Signing::Draft);
    assert!(matches!(gap, Err(Violation::NotContiguous { .. })), "{gap:?}");
}

#[test]
fn what_is_taken_up_is_so_at_its_own_place_alone() {
    let mut history = history();
    let first = Statement::Charter(history.lists().next().unwrap().1.editions().newest().unwrap().signed().clone());
    let taken = release_after(&history, &["m1", "c1", "c3"]);
    history.record(taken.clone(), place(3)).unwrap();
    let weak = release_after(&history, &["m1", "c1"]);
    history.record(weak.clone(), place(4)).unwrap_err();
    for (statement, index, expected) in
        [(&first, 0, true), (&first, 1, false), (&taken, 3, true), (&taken, 4, false), (&weak, 4, false)]
    {
        assert_eq!(history.has_taken(statement, LeafIndex(index)), expected, "{index}");
    }
    assert!(!History::new(LOG).has_taken(&first, LeafIndex(0)), "of no list");
}

/// Edition 2, pending, has c4 in the place of c1; edition 3 is by its people alone, and was taken up when that was in force.
#[test]
fn what_would_break_a_rule_at_another_time_is_told_and_left_out() {
    let mut history = history();
    let name = charter().list;
    let amend = |history: &History, names: &[&str], edit: fn(&mut Charter)| {
        let before = history.list(&name).unwrap().editions().newest().unwrap().clone();
        let mut next = before.charter().clone();
        (next.edition, next.previous) = (next.edition + 1, Some(before.id()));
        edit(&mut next);
        Statement::Charter(sign_charter(&next, names))
    };
    let replace_c1 = |charter: &mut Charter| {
        let (name, key) = ("c4".into(), key("c4").verifier().clone());
        let gone = charter.curation.curators.remove(0);
        charter.curation.curators.push(Curator { name, key, ..gone });
    };
    history.record(amend(&history, &ALL, replace_c1), place(1)).unwrap();
    let in_force = history.list(&name).unwrap().editions().newest().unwrap().in_force_since();
    let at = |index: u64, time: Timestamp| Place { index: LeafIndex(index), public_since: time };
    let third = amend(&history, &["m1", "c3", "c4"], |charter| charter.matching.max_distance = 20);
    history.record(third.clone(), at(2, in_force)).unwrap();
    let early = |time: Timestamp| Timestamp(time.0 - 1);
    // It was public before, as its witnesses have it: whoever judges again from its place on, and not from beyond, leaves it out.
    let mut moved = history.clone();
    moved.set_public_since(&name, &third.id(), early(in_force));
    assert!(moved.clone().judge_again(&name, LeafIndex(3)).is_empty());
    let left_out: Vec<_> = moved.judge_again(&name, LeafIndex(2)).iter().map(|left| (left.index.0, left.id)).collect();
    assert_eq!(left_out, [(2, third.id())]);
    assert!(history.has_taken(&third, LeafIndex(2)) && !moved.has_taken(&third, LeafIndex(2)));

    let created = in_force.plus(50);
    let mut release = release_of(history.list(&name).unwrap().editions().newest().unwrap().charter(), 1);
    release.charter = history.list(&name).unwrap().editions().newest().unwrap().id();
    (release.created, release.expires) = (created, created.plus(1000));
    let release = Statement::Release(sign_release(&release, &["m1", "c3", "c4"]));
    history.record(release.clone(), at(3, created)).unwrap();

    for (index, time, keeps) in [
        (2, in_force, true),
        (2, early(in_force), false),
        (3, created, true),
        (3, early(created), false),
        (0, Timestamp(0), true),
        (9, Timestamp(0), true),
    ] {
        assert_eq!(history.would_keep(&name, at(index, time)), keeps, "{index} at {time}");
    }
    let other = ListName::new("other.example/list").unwrap();
    assert!(history.would_keep(&other, at(2, Timestamp(0))), "a list of which nothing was taken up");
}
