//! Evidence: what proves a breach to anybody, and what only seems to.

use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::StatementId;
use isonomy_core::json::Lines;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::release::Release;
use isonomy_core::statement::{ListName, Signed, Statement};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_tests::breaches::{self, early_admission};
use isonomy_tests::client::Client;
use isonomy_tests::people::{LOG, SIGNERS, at, curator, hashes, key, sign, sign_charter, witness};
use isonomy_tests::world::{Draft, World, cosigned};
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::{Breach, EarlyAdmission, EvidenceError, InLog, MAX_EVIDENCE_SIZE};
use std::collections::BTreeSet;

fn charter_of(world: &World, id: &StatementId) -> Signed<Charter> {
    world.statement(id).clone().into_charter().unwrap()
}

fn release_of(world: &World, id: &StatementId) -> Signed<Release> {
    world.statement(id).clone().into_release().unwrap()
}

fn verify(evidence: &Evidence, world: &World) -> Result<Breach, EvidenceError> {
    Evidence::parse(evidence.to_text().as_bytes())?.verify(&world.trust())
}

fn is_unproven(evidence: &Evidence, world: &World) -> bool {
    matches!(verify(evidence, world), Err(EvidenceError::Unproven(_)))
}

// Equivocation.

/// A log with two texts for version 2, each signed by these people, and the ids of both.
fn two_versions(first: &[&str], second: &[&str]) -> (World, StatementId, StatementId) {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    let draft = world.draft(hashes(0..12), 200);
    let mut other = draft.clone();
    other.release.expires = at(500);
    let (first, second) = (world.log(draft, first), world.log(other, second));
    world.publish(200);
    world.publish(205);
    (world, first, second)
}

fn equivocation(world: &World, charter: &StatementId, first: &StatementId, second: &StatementId) -> Evidence {
    let proofs = [charter, first, second].map(|id| world.proof(id));
    equivocation_by(world, [charter, first, second], &proofs)
}

fn equivocation_by(world: &World, ids: [&StatementId; 3], proofs: &[TlogProof; 3]) -> Evidence {
    let charter = charter_of(world, ids[0]);
    let (first, second) = (release_of(world, ids[1]), release_of(world, ids[2]));
    Evidence::equivocation(
        InLog { statement: &charter, proof: &proofs[0] },
        InLog { statement: &first, proof: &proofs[1] },
        InLog { statement: &second, proof: &proofs[2] },
    )
}

#[test]
fn files_about_one_breach_have_one_subject_whatever_they_rest_on() {
    let (mut world, first, second) = two_versions(&SIGNERS, &["m1", "c2", "c3"]);
    let charter = world.charters().next().unwrap().id();
    let one = equivocation(&world, &charter, &first, &second);
    world.publish(300);
    let [later, turned] = [[&first, &second], [&second, &first]].map(|[a, b]| equivocation(&world, &charter, a, b));
    assert!(one.digest() != later.digest() && later.digest() != turned.digest());
    assert!(one.subject() == later.subject() && later.subject() == turned.subject());
    let (other, third, fourth) = two_versions(&["m1", "c2", "c3"], &SIGNERS);
    let same = equivocation(&other, &charter, &third, &fourth);
    assert_eq!(same.subject(), one.subject(), "the same texts, whoever signed them");
    let release = world.releases().next().unwrap().id();
    let others = [equivocation(&world, &charter, &release, &first), equivocation(&world, &charter, &release, &second)];
    let subjects = [&one, &others[0], &others[1]].map(Evidence::subject);
    assert!(subjects[0] != subjects[1] && subjects[1] != subjects[2] && subjects[0] != subjects[2]);
}

/// Whoever has many files tells by this which are about one breach: of a fork by its two trees, else by the statements.
#[test]
fn a_file_says_what_it_is_about() {
    let (mut world, first, second) = two_versions(&SIGNERS, &SIGNERS);
    let charter = world.charters().next().unwrap().id();
    let [one, turned] = [[&first, &second], [&second, &first]].map(|[a, b]| equivocation(&world, &charter, a, b));
    assert_eq!((one.kind(), one.statements()), ("releases", turned.statements()));
    assert_eq!(BTreeSet::from_iter(one.statements()), BTreeSet::from([first, second]));

    let trees = [2, 3, 4].map(|size| world.checkpoint(size));
    let fork = |older: usize, newer: usize| Evidence::fork(&trees[older], &trees[newer], Vec::new());
    assert_eq!((fork(0, 1).kind(), fork(0, 1).statements()), ("fork", vec![]));
    assert_eq!(fork(0, 1).subject(), fork(1, 0).subject(), "in either order");
    let cosigned = Evidence::fork(&trees[0], &cosigned(&trees[1], &[(1, 300)]), Vec::new());
    assert_eq!(cosigned.subject(), fork(0, 1).subject(), "whoever cosigned them");
    assert_eq!(BTreeSet::from([fork(0, 1), fork(0, 2), fork(1, 2)].map(|fork| fork.subject())).len(), 3);

    let entries: Vec<Evidence> = breaches::by_form().into_iter().map(|proven| proven.evidence).collect();
    assert!(entries.iter().all(|entry| (entry.kind(), entry.statements()) == ("not-a-statement", vec![])));
    assert_eq!(BTreeSet::from_iter(entries.iter().map(Evidence::subject)).len(), entries.len());

    world.edition(|charter| charter.matching.max_distance = 31);
    world.release(hashes(0..20), 300);
    world.publish(300);
    let (edition, release) = (world.charters().last().unwrap().id(), world.releases().last().unwrap().id());
    let early = early_admission(&world, &release, &world.checkpoint(2));
    assert_eq!((early.kind(), early.statements()), ("early", vec![edition, release]));
    let (world, a, b) = two_foundings(&SIGNERS);
    assert_eq!((a.kind(), a.statements(), a.subject()), ("editions", b.statements(), b.subject()));
    assert_eq!(BTreeSet::from_iter(a.statements()), BTreeSet::from_iter(world.charters().map(Signed::id)));

    let mut kinds = BTreeSet::new();
    for proven in breaches::all() {
        let [about] = proven.evidence.statements()[..] else { panic!("{}", proven.name) };
        assert!(proven.world.statements().iter().any(|statement| statement.id() == about), "{}", proven.name);
        kinds.insert(proven.evidence.kind());
    }
    assert_eq!(kinds, BTreeSet::from(["content", "inadmissible", "twice"]));
}

#[test]
fn a_second_text_for_the_version_in_force_is_proven_against_those_who_signed_both() {
    let (mut world, first, second) = two_versions(&SIGNERS, &["m1", "c2", "c3"]);
    world.offer_only(&[first]);
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 205), Ok(2));
    world.offer_only(&[second]);
    let rejection = client.version_from(&world, 205).unwrap_err();
    assert_eq!((rejection.code(), rejection.rule().map(|rule| rule.number())), ("not-descended", Some(1)));
    let breach = verify(rejection.evidence().unwrap(), &world).unwrap();
    assert_eq!(breach.names(), ["m1", "c3"], "c1 and c2 signed one each");
    let called = ["m1", "c3"].map(|name| key(name).verifier().called());
    assert_eq!(breach.whom(" and "), called.join(" and "));
    assert!(breach.what.contains("version 2"), "{}", breach.what);
    assert_eq!(client.list.as_ref().map(|list| list.accepted().release), Some(first));

    client.wipe_cache();
    let rejection = client.version_from(&world, 205).unwrap_err();
    assert_eq!((rejection.code(), rejection.evidence()), ("not-descended", None), "the first text is not at hand");
}

#[test]
fn a_second_text_that_lacks_signatures_proves_nothing() {
    let (mut world, first, second) = two_versions(&SIGNERS, &["m1", "c1"]);
    world.offer_only(&[first]);
    let mut client = Client::of(&world);
    client.update(&world, 205).unwrap();
    world.offer_only(&[second]);
    let rejection = client.version_from(&world, 205).unwrap_err();
    assert_eq!((rejection.code(), rejection.evidence()), ("not-descended", None));
    let charter = world.charters().next().unwrap().id();
    assert!(is_unproven(&equivocation(&world, &charter, &first, &second), &world));
}

#[test]
fn what_is_no_equivocation() {
    let (mut world, first, second) = two_versions(&SIGNERS, &SIGNERS);
    let one = world.releases().next().unwrap().id();
    let charter = world.charters().next().unwrap().id();
    assert!(verify(&equivocation(&world, &charter, &first, &second), &world).is_ok());
    assert!(is_unproven(&equivocation(&world, &charter, &first, &first), &world), "one text twice");
    assert!(is_unproven(&equivocation(&world, &charter, &one, &first), &world), "two versions");
    let amended = world.edition(|charter| charter.matching.max_distance = 20);
    world.publish(300);
    assert!(is_unproven(&equivocation(&world, &amended, &first, &second), &world), "another edition");
}

/// Clearly within the day of one text, who signed both answers for it; after that the log, which made public what had lapsed.
#[test]
fn when_the_day_of_a_text_is_over_the_log_answers() {
    let (mut world, first, second) = two_versions(&SIGNERS, &SIGNERS);
    let charter = world.charters().next().unwrap().id();
    for (time, by) in [(80 + 86_400, &SIGNERS[..]), (80 + 86_401, &[LOG])] {
        world.publish(time);
        assert_eq!(verify(&equivocation(&world, &charter, &first, &second), &world).unwrap().names(), by);
    }
}

/// Signers may sign another text once the first one's day is over without it being logged (rule 2).
#[test]
fn a_text_that_was_never_logged_proves_nothing() {
    let (world, first, second) = two_versions(&SIGNERS, &SIGNERS);
    let charter = world.charters().next().unwrap().id();
    let honest = {
        let mut honest = world.fork(3);
        honest.publish(205);
        honest
    };
    // All that there can be for the second text is a proof of something else, or one that the witnesses never saw.
    let other = honest.proof(&first);
    let alone = TlogProof { checkpoint: world.checkpoint(4), ..world.proof(&second) };
    for proof in [other, alone] {
        let proofs = [honest.proof(&charter), honest.proof(&first), proof];
        assert!(is_unproven(&equivocation_by(&world, [&charter, &first, &second], &proofs), &world));
    }
}

/// Anybody can write a charter with anybody's names and sign two releases under it.
#[test]
fn nobody_is_accused_by_keys_that_only_have_their_names() {
    let (mut world, first, second) = two_versions(&SIGNERS, &SIGNERS);
    let mut forged = world.amended(|charter| {
        charter.maintainer.keys.truncate(1);
        charter.curation.curators = vec![curator("c1", "DE"), curator("c3", "FR")];
    });
    (forged.edition, forged.previous) = (1, None);
    let forged = sign_charter(&forged).into_charter().unwrap();
    let releases = [first, second].map(|id| {
        let release = Release { charter: forged.id(), ..release_of(&world, &id).body().clone() };
        Statement::from_note(sign(&release.to_text().unwrap(), &SIGNERS)).unwrap()
    });
    // Even a log that admits the releases proves nothing without the charter.
    let logged = releases.map(|release| world.append(release));
    world.publish(300);
    let proofs = logged.map(|id| world.proof(&id));
    let [first, second] = logged.map(|id| release_of(&world, &id));
    let charter = world.charters().next().unwrap().id();
    let evidence = Evidence::equivocation(
        InLog { statement: &forged, proof: &world.proof(&charter) },
        InLog { statement: &first, proof: &proofs[0] },
        InLog { statement: &second, proof: &proofs[1] },
    );
    assert!(is_unproven(&evidence, &world));
}

// Early admission.

type Edit<'a> = dyn Fn(&mut EarlyAdmission) + 'a;

/// A log with a widening edition 2, public since 1000, and a release under it, public since `released`; and a client that
/// has version 1 in force, and asked last at `asked`.
fn widened(asked: u64, released: u64) -> (World, Client) {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    client.update(&world, 105).unwrap();
    for time in [900, 1000, 1100] {
        if time == 1000 {
            world.edition(|charter| charter.matching.max_distance = 31);
        }
        world.publish(time);
        if time <= asked {
            client.update(&world, time).unwrap();
        }
    }
    world.release(hashes(0..12), released);
    world.publish(released);
    world.publish(released + 5);
    (world, client)
}

#[test]
fn a_release_before_the_notice_is_over_is_proven_by_whoever_asked_before_the_edition() {
    let (world, mut client) = widened(900, 4379);
    let rejection = client.version_from(&world, 4384).unwrap_err();
    assert_eq!((rejection.code(), rejection.rule().map(|rule| rule.number())), ("notice-not-over", Some(4)));
    let breach = verify(rejection.evidence().unwrap(), &world).unwrap();
    assert_eq!(breach.names(), [LOG]);
    assert!(breach.what.contains("at most 3479 s of the notice of 3600 s"), "{}", breach.what);
}

#[test]
fn what_a_client_does_not_remember_it_can_not_prove() {
    for (name, asked, released) in [
        ("it asked last when the edition was there", 1100, 2000),
        ("it asked so long before that the notice may have been over", 900, 4500),
        ("so long before that it may have been over by clocks that differ", 900, 4380),
    ] {
        let (world, mut client) = widened(asked, released);
        let rejection = client.version_from(&world, released + 5).unwrap_err();
        assert_eq!((rejection.code(), rejection.evidence()), ("notice-not-over", None), "{name}");
    }
    let (world, mut client) = widened(900, 4600);
    assert_eq!(client.version_from(&world, 4605), Ok(2), "the notice is over");
}

#[test]
fn what_is_no_early_admission() {
    let (world, _) = widened(900, 2000);
    let release = world.releases().last().unwrap().id();
    let before = cosigned(&world.checkpoint(2), &[(1, 900), (2, 900)]);
    let parts = || match early_admission(&world, &release, &before) {
        Evidence::EarlyAdmission(parts) => parts,
        other => panic!("{other:?}"),
    };
    let evidence = |edit: &Edit| {
        let mut parts = parts();
        edit(&mut parts);
        Evidence::EarlyAdmission(parts)
    };
    let earlier = |size: u64, witnesses: &[(u8, u64)]| Lines::of(cosigned(&world.checkpoint(size), witnesses).note());
    assert!(verify(&evidence(&|_| ()), &world).is_ok());
    let at_once = evidence(&|p| p.earlier = earlier(2, &[(1, 2000), (2, 2000)]));
    assert!(verify(&at_once, &world).is_ok(), "witnessed without the edition in the very second of the release");
    let edits: &[(&str, &Edit)] = &[
        ("an edition that was there already", &|p| p.earlier = earlier(3, &[(1, 1000), (2, 1000)])),
        ("a clock that was ahead", &|p| p.earlier = earlier(2, &[(1, 2001), (2, 2001)])),
        ("one witness's word", &|p| p.earlier = earlier(2, &[(1, 900)])),
        ("editions the wrong way round", &|p| std::mem::swap(&mut p.before, &mut p.edition)),
        ("another edition", &|p| p.edition = p.before.clone()),
        ("another release", &|p| p.release = Lines::of(world.releases().next().unwrap().note())),
        ("another proof", &|p| p.release_proof = p.edition_proof.clone()),
        ("a late proof", &|p| {
            let late = cosigned(&world.checkpoint(4), &[(1, 9000), (2, 9000)]);
            p.release_proof = Lines::of(TlogProof { checkpoint: late, ..world.proof(&release) });
        }),
    ];
    for (name, edit) in edits {
        assert!(is_unproven(&evidence(edit), &world), "{name}");
    }
}

/// A witness that has just begun cosigns whatever the log shows it first, also a tree that has long grown.
#[test]
fn a_tree_from_before_the_witnesses_is_none_that_they_have_seen_as_the_newest() {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.edition(|charter| charter.matching.max_distance = 31);
    let release = world.release(hashes(0..12), 2000);
    world.cosign(4, &[(9, 2000)]);
    let evidence = early_admission(&world, &release, &cosigned(&world.checkpoint(2), &[(9, 900)]));
    let verified = |began_at| evidence.verify(&TlogPolicy::parse(world.later_trust_text(began_at).as_bytes()).unwrap());
    assert_eq!(verified(2).unwrap().names(), [LOG]);
    let Err(EvidenceError::Unproven(why)) = verified(3) else { panic!("proven") };
    assert!(why.contains("before the policy's witnesses"), "{why}");
}

/// A narrowing edition is in force at once, and so are releases under it.
#[test]
fn a_release_under_an_edition_that_narrows_needs_no_notice() {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.publish(100);
    let before = cosigned(&world.checkpoint(2), &[(1, 900), (2, 900)]);
    world.edition(|charter| charter.matching.max_distance -= 1);
    let release = world.release(hashes(0..12), 2000);
    world.publish(2000);
    assert!(is_unproven(&early_admission(&world, &release, &before), &world));
}

/// While an amendment's notice runs, releases go on under the edition in force.
#[test]
fn a_release_under_the_old_edition_is_no_early_admission_of_the_new_one() {
    let (mut world, _) = widened(900, 2000);
    let editions: Vec<StatementId> = world.charters().map(|charter| charter.id()).collect();
    let release = world.release_with(hashes(0..20), 2100, |release| release.charter = editions[0]);
    world.publish(2100);
    let before = cosigned(&world.checkpoint(2), &[(1, 900), (2, 900)]);
    let accusation = Evidence::EarlyAdmission(Box::new(EarlyAdmission {
        before: Lines::of(world.statement(&editions[0]).note()),
        edition: Lines::of(world.statement(&editions[1]).note()),
        edition_proof: Lines::of(world.proof(&editions[1])),
        release: Lines::of(world.statement(&release).note()),
        release_proof: Lines::of(world.seen_proof(&release)),
        earlier: Lines::of(before.note()),
    }));
    assert!(is_unproven(&accusation, &world));
}

// Two texts for one edition.

/// Two texts for edition 3, which follow one edition 2; and edition 1 of another list in the same log.
#[test]
fn what_is_no_second_text_for_an_edition() {
    let mut world = World::founded();
    let first = world.charters().next().unwrap().clone();
    let next = |before: &Signed<Charter>, distance| {
        let mut next = Charter { edition: before.body().edition + 1, ..before.body().clone() };
        (next.previous, next.matching.max_distance) = (Some(before.id()), distance);
        next
    };
    let elsewhere = Charter { list: ListName::new("other.example/images").unwrap(), ..first.body().clone() };
    let elsewhere = world.append(sign_charter(&elsewhere));
    let [second, beside] = [23, 20].map(|distance| world.append(sign_charter(&next(&first, distance))));
    let second = charter_of(&world, &second);
    let [one, other] = [22, 21].map(|distance| world.append(sign_charter(&next(&second, distance))));
    world.publish(100);
    let charters =
        [first.id(), second.id(), one, other, elsewhere, beside].map(|id| (charter_of(&world, &id), world.proof(&id)));
    let at = |place: usize| InLog { statement: &charters[place].0, proof: &charters[place].1 };
    let (first, second, one, other, elsewhere, beside) = (at(0), at(1), at(2), at(3), at(4), at(5));
    let breach = verify(&Evidence::two_editions(Some(second), one, other), &world).unwrap();
    assert_eq!(breach.names(), [LOG]);
    for (what, before, a, b) in [
        ("one text", None, first, first),
        ("one text for a later edition", Some(second), one, one),
        ("first editions of two lists", None, first, elsewhere),
        ("two editions", None, first, second),
        ("two editions that follow each other", Some(first), second, one),
        ("not the edition before", Some(first), one, other),
        ("another text for the edition before", Some(beside), one, other),
        ("no edition before", None, one, other),
        ("an edition before the first", Some(second), first, elsewhere),
    ] {
        assert!(is_unproven(&Evidence::two_editions(before, a, b), &world), "{what}");
    }
}

/// Edition 1 and another text for it are logged, both signed by these people.
fn two_foundings(other_by: &[&str]) -> (World, Evidence, Evidence) {
    let mut world = World::founded();
    let first = world.charters().next().unwrap().clone();
    let mut other = first.body().clone();
    other.matching.max_distance = 23;
    let other = world.append(Statement::from_note(sign(&other.to_text().unwrap(), other_by)).unwrap());
    world.publish(100);
    let other = charter_of(&world, &other);
    let (place, other_place) = (world.proof(&first.id()), world.proof(&other.id()));
    let one = InLog { statement: &first, proof: &place };
    let two = InLog { statement: &other, proof: &other_place };
    let (a, b) = (Evidence::two_editions(None, one, two), Evidence::two_editions(None, two, one));
    (world, a, b)
}

/// A list's name belongs to whom all named in its first edition agree to; what they did not sign founds nothing.
#[test]
fn a_second_first_edition_carries_the_signatures_of_all_whom_it_names() {
    let (world, a, b) = two_foundings(&["m1", "c1", "c2", "c3"]);
    assert_eq!((verify(&a, &world).unwrap().names(), verify(&b, &world).unwrap().names()), (vec![LOG], vec![LOG]));
    let (world, a, b) = two_foundings(&["m1", "c1", "c3"]);
    assert!(is_unproven(&a, &world) && is_unproven(&b, &world), "in whatever order");
}

/// Two editions follow what is proven to be in the log, not what somebody signed beside it.
#[test]
fn the_edition_before_two_texts_is_in_the_log() {
    let mut world = World::founded();
    let first = world.charters().next().unwrap().clone();
    let next = |distance| {
        let mut next = Charter { edition: 2, previous: Some(first.id()), ..first.body().clone() };
        next.matching.max_distance = distance;
        sign_charter(&next)
    };
    let [one, other] = [23, 22].map(|distance| world.append(next(distance)));
    world.publish(100);
    let [one, other] = [one, other].map(|id| (charter_of(&world, &id), world.proof(&id)));
    let accuse = |proof: &TlogProof| {
        Evidence::two_editions(
            Some(InLog { statement: &first, proof }),
            InLog { statement: &one.0, proof: &one.1 },
            InLog { statement: &other.0, proof: &other.1 },
        )
    };
    assert!(verify(&accuse(&world.proof(&first.id())), &world).is_ok());
    assert!(is_unproven(&accuse(&one.1), &world), "that is another entry's place");
}

/// A light client that has used edition 2 is shown another text for it.
#[test]
fn a_second_text_for_the_edition_in_use_is_proven_against_the_log() {
    let mut world = World::founded();
    let other = world.amended(|charter| charter.matching.max_distance = 22);
    let used = world.edition(|charter| charter.matching.max_distance = 20);
    world.publish(50);
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    world.append(sign_charter(&other));
    world.publish(200);
    world.edit_bundle(|bundle| bundle.charters.retain(|charter| charter.id != used));
    let rejection = client.version_from(&world, 200).unwrap_err();
    assert_eq!(rejection.code(), "equivocation");
    let evidence = rejection.evidence().expect("a proof for anybody");
    assert!(matches!(evidence, Evidence::TwoEditions(_)));
    assert_eq!(verify(evidence, &world).unwrap().names(), [LOG]);
}

#[test]
fn two_texts_under_one_edition_have_one_kind_of_evidence() {
    let (world, first, second) = two_versions(&SIGNERS, &SIGNERS);
    let charter = world.charters().next().unwrap().clone();
    let (a, b) = (release_of(&world, &first), release_of(&world, &second));
    let proofs = [charter.id(), first, second].map(|id| world.proof(&id));
    let charter = InLog { statement: &charter, proof: &proofs[0] };
    let (a, b) = (InLog { statement: &a, proof: &proofs[1] }, InLog { statement: &b, proof: &proofs[2] });
    let evidence = Evidence::equivocation_across((charter, a), (charter, b));
    assert_eq!(evidence, Evidence::equivocation(charter, a, b));
    assert!(verify(&evidence, &world).is_ok());
}

// Forks.

fn forked() -> (World, Evidence) {
    let (world, ..) = two_versions(&SIGNERS, &SIGNERS);
    let mut other = world.fork(2);
    let Draft { release, content } = other.draft(hashes(50..60), 150);
    other.log(Draft { release, content }, &SIGNERS);
    other.release(hashes(50..61), 250);
    other.publish(250);
    let mut client = Client::of(&world);
    client.update(&world, 205).unwrap();
    let evidence = client.version_from(&other, 250).unwrap_err().evidence().cloned().unwrap();
    (world, evidence)
}

#[test]
fn two_checkpoints_that_agree_are_no_fork() {
    let (world, evidence) = forked();
    assert_eq!(verify(&evidence, &world).unwrap().names(), [LOG]);
    let checkpoint = |size| world.checkpoint(size);
    assert!(is_unproven(&Evidence::fork(&checkpoint(4), &checkpoint(4), Vec::new()), &world));
    let later = cosigned(&checkpoint(4), &[(1, 300)]);
    assert!(is_unproven(&Evidence::fork(&checkpoint(4), &later, Vec::new()), &world), "cosigned again");
    let hashes = [isonomy_core::hash::NodeHash([1; 32]); 4];
    for count in 0..4 {
        let evidence = Evidence::fork(&checkpoint(2), &checkpoint(3), hashes[..count].to_vec());
        assert!(is_unproven(&evidence, &world), "{count} hashes out of the air");
    }
    let Evidence::Fork(_) = &evidence else { panic!("not a fork") };
    let twice = evidence.to_text().replacen(
        "\"proof\": []",
        "\"proof\": [\n    \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\n  ]",
        1,
    );
    assert!(is_unproven(&Evidence::parse(twice.as_bytes()).unwrap(), &world), "equal sizes need no proof");
}

#[test]
fn another_log_s_checkpoints_say_nothing_about_this_one() {
    let (world, evidence) = forked();
    let stranger = format!("log {}\nquorum none\n", key("other.example/log").verifier());
    let stranger = TlogPolicy::parse(stranger.as_bytes()).unwrap();
    assert!(matches!(evidence.verify(&stranger), Err(EvidenceError::Unproven(_))));
    let other = CheckpointNote::sign(
        isonomy_core::checkpoint::Checkpoint {
            origin: "other.example/log".into(),
            ..world.checkpoint(4).checkpoint().clone()
        },
        &key("other.example/log"),
    );
    assert!(is_unproven(&Evidence::fork(&world.checkpoint(4), &other.unwrap(), Vec::new()), &world));
}

/// Whoever trusts both logs sees two trees of one size, each as its own log has it.
#[test]
fn two_logs_are_no_fork() {
    let (world, _) = forked();
    let mut other = world.checkpoint(4).checkpoint().clone();
    (other.origin, other.root.0[0]) = ("other.example/log".into(), other.root.0[0] ^ 1);
    let other = CheckpointNote::sign(other, &key("other.example/log")).unwrap();
    let trust = format!("log {}\n{}", key("other.example/log").verifier(), world.trust_text());
    let trust = TlogPolicy::parse(trust.as_bytes()).unwrap();
    let accusation = Evidence::fork(&world.checkpoint(4), &other, Vec::new());
    let Err(EvidenceError::Unproven(why)) = accusation.verify(&trust) else { panic!("proven") };
    assert!(why.contains("different logs"), "{why}");
}

// Files.

fn every_kind() -> Vec<(World, Evidence)> {
    let (log, first, second) = two_versions(&SIGNERS, &SIGNERS);
    let charter = log.charters().next().unwrap().id();
    let twice = equivocation(&log, &charter, &first, &second);
    let (widened, mut client) = widened(900, 2000);
    let early = client.version_from(&widened, 2005).unwrap_err().evidence().cloned().unwrap();
    vec![forked(), (log, twice), (widened, early)]
}

#[test]
fn every_kind_comes_back_from_its_file() {
    for (world, evidence) in every_kind() {
        let text = evidence.to_text();
        assert_eq!(Evidence::parse(text.as_bytes()).as_ref(), Ok(&evidence));
        assert!(text.starts_with("{\n  \"evidence\": \"isonomy/"), "{text}");
        assert!(evidence.verify(&world.trust()).is_ok());
    }
}

/// Well-formed but for its size.
#[test]
fn a_file_has_a_limited_size() {
    let (world, _) = forked();
    let many = vec![isonomy_core::hash::NodeHash([1; 32]); MAX_EVIDENCE_SIZE / 50];
    let evidence = |hashes: usize| Evidence::fork(&world.checkpoint(2), &world.checkpoint(3), many[..hashes].to_vec());
    assert!(Evidence::parse(evidence(many.len() / 2).to_text().as_bytes()).is_ok());
    let Err(EvidenceError::Malformed(why)) = Evidence::parse(evidence(many.len()).to_text().as_bytes()) else {
        panic!()
    };
    assert_eq!(why, format!("larger than {MAX_EVIDENCE_SIZE} bytes"));
    let Err(EvidenceError::Malformed(why)) = Evidence::parse(&vec![b' '; MAX_EVIDENCE_SIZE]) else { panic!() };
    assert!(!why.contains("larger"), "{why}");
}

/// A changed byte is refused, unless it is in a line that nothing rests on; then the claim is still the same.
#[test]
fn no_changed_byte_makes_another_claim() {
    for (world, evidence) in every_kind() {
        let (text, trust) = (evidence.to_text().into_bytes(), world.trust());
        let claim = evidence.verify(&trust).unwrap();
        let (places, mut changed_nothing) = ((0..text.len()).step_by(5), 0);
        for at in places.clone() {
            let mut text = text.clone();
            text[at] ^= 1 << (at % 5);
            let Ok(found) = Evidence::parse(&text).and_then(|evidence| evidence.verify(&trust)) else { continue };
            assert_eq!(found, claim, "byte {at}");
            changed_nothing += 1;
        }
        // Nothing of a fork rests on the witnesses, whose lines are half of the file.
        assert!(changed_nothing * 2 < places.count(), "{changed_nothing}");
    }
}

#[test]
fn evidence_under_other_witnesses_needs_them_where_time_matters() {
    let kinds = every_kind();
    let strangers = |world: &World| {
        let text = world.trust_text();
        let text = [1, 2, 3].into_iter().fold(text, |text, number| {
            text.replace(&witness(number).verifier().to_string(), &witness(number + 3).verifier().to_string())
        });
        TlogPolicy::parse(text.as_bytes()).unwrap()
    };
    let holds: Vec<bool> = kinds.iter().map(|(world, evidence)| evidence.verify(&strangers(world)).is_ok()).collect();
    assert_eq!(holds, [true, false, false], "a fork needs no witness");
}
