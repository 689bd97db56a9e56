//! Evidence of what a log admitted: what proves it, and what only seems to.

use isonomy_core::hash::{ListRoot, ObjectDigest, StatementId};
use isonomy_core::json::Lines;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Statement};
use isonomy_tests::breaches::{self, ALL, inadmissible, wrong_content};
use isonomy_tests::people::{LOG, SIGNERS, at, hashes, sign, sign_charter};
use isonomy_tests::world::World;
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::{
    Base, Bytes, EvidenceError, LoggedTwice, MAX_EVIDENCE_SIZE, MAX_OBJECTS_SIZE, NotAStatement,
};

fn is_unproven(evidence: &Evidence, world: &World) -> bool {
    let parsed = Evidence::parse(evidence.to_text().as_bytes()).unwrap();
    matches!(parsed.verify(&world.trust()), Err(EvidenceError::Unproven(_)))
}

fn accused(evidence: &Evidence, world: &World) -> Vec<String> {
    evidence.verify(&world.trust()).unwrap().names().into_iter().map(str::to_owned).collect()
}

fn first_charter(world: &World) -> StatementId {
    world.charters().next().unwrap().id()
}

fn version(world: &World, version: usize) -> StatementId {
    world.releases().nth(version - 1).unwrap().id()
}

#[test]
fn each_breach_is_proven_and_whoever_answers_for_it_is_named() {
    for proven in breaches::all() {
        let parsed = Evidence::parse(proven.evidence.to_text().as_bytes()).unwrap();
        let breach = parsed.verify(&proven.world.trust()).unwrap_or_else(|error| panic!("{}: {error}", proven.name));
        assert_eq!(breach.names(), proven.by, "{}: {}", proven.name, breach.what);
    }
}

/// An honest log: two versions, two editions of which the second narrows and is signed by those who have to, an attestation.
fn honest() -> (World, [StatementId; 5]) {
    let mut world = World::with_release();
    let (first, one) = (first_charter(&world), version(&world, 1));
    let two = world.release(hashes(0..12), 200);
    let narrow = world.amended(|charter| charter.matching.max_distance = 20).to_text().unwrap();
    let narrow = world.append(Statement::from_note(sign(&narrow, &SIGNERS)).unwrap());
    let word = world.attest(&world.attestation("auditor", &one, 2), "auditor");
    world.publish(200);
    (world, [first, one, two, narrow, word])
}

#[test]
fn nobody_is_accused_of_what_keeps_the_rules() {
    let (world, [first, one, two, narrow, word]) = honest();
    let all = [first, one, two, narrow, word];
    for statement in &all {
        for charter in [None, Some(&first), Some(&narrow), Some(&one)] {
            for other in [None, Some(&one), Some(&two)] {
                let evidence = inadmissible(&world, statement, charter, other);
                assert!(is_unproven(&evidence, &world), "{statement} {charter:?} {other:?}");
            }
        }
    }
    assert!(is_unproven(&wrong_content(&world, None), &world));
    assert!(is_unproven(&wrong_content(&world, Some(1)), &world));
}

/// Clocks of honest witnesses, and of those who sign, may differ by two minutes: what is within that convicts nobody, or not
/// those whose clock it was. Nor does what may be a statement of a later format.
#[test]
fn nobody_is_accused_of_what_may_be_in_order() {
    for proven in breaches::by_clocks().into_iter().chain(breaches::by_form()) {
        let breach = proven.evidence.verify(&proven.world.trust());
        let by = breach.as_ref().map(|breach| breach.names()).unwrap_or_default();
        assert_eq!(by, proven.by, "{}", proven.name);
    }
}

/// Version 2 may be composed in the second in which version 1 was. What adds entries waits for what added some before it, not for a
/// removal in between.
#[test]
fn nobody_is_accused_at_the_end_of_a_limit() {
    for (created, by) in [(99, &ALL[..]), (100, &[])] {
        let mut world = World::with_release();
        let removing = world.release_with(hashes(0..9), 200, |release| {
            (release.created, release.expires) = (at(created), at(created + 900));
        });
        world.publish(200);
        let evidence = inadmissible(&world, &removing, Some(&first_charter(&world)), Some(&version(&world, 1)));
        match by.is_empty() {
            true => assert!(is_unproven(&evidence, &world), "{created}"),
            false => assert_eq!(accused(&evidence, &world), by, "{created}"),
        }
    }
    let mut world = World::with_release();
    let removing = world.release(hashes(0..9), 130);
    let adding = world.release(hashes(0..11), 165);
    world.publish(200);
    for earlier in [version(&world, 1), removing] {
        assert!(is_unproven(&inadmissible(&world, &adding, Some(&first_charter(&world)), Some(&earlier)), &world));
    }
}

/// Who signs a release answers for its limits beside the one that it follows: not for its place in the log, nor beside another.
#[test]
fn who_signed_does_not_answer_for_what_the_log_put_together() {
    let (honest, [first, one, two, ..]) = honest();
    let mut turned = World::founded();
    for id in [&two, &one] {
        turned.append(honest.statement(id).clone());
    }
    turned.publish(200);
    assert_eq!(accused(&inadmissible(&turned, &two, Some(&first), Some(&one)), &turned), [LOG], "its place");

    let mut world = World::with_release();
    world.release(hashes(0..12), 200);
    let early = world.release_with(hashes(0..14), 300, |release| {
        (release.created, release.expires) = (at(99), at(999));
    });
    world.publish(300);
    for (earlier, by) in [(1, &[LOG][..]), (2, &ALL)] {
        let evidence = inadmissible(&world, &early, Some(&first), Some(&version(&world, earlier)));
        assert_eq!(accused(&evidence, &world), by, "composed before version {earlier}");
    }
}

/// One witness that lies can move *public since* to the clock of an honest one that was behind, after all is over.
#[test]
fn nobody_is_accused_by_a_time() {
    let late = breaches::composed_late();
    assert!(is_unproven(&late.evidence, &late.world));
}

#[test]
fn what_is_not_two_places_or_is_a_statement() {
    let (world, [first, one, ..]) = honest();
    let lines = |id: &StatementId| (Lines::of(world.statement(id).note()), Lines::of(world.proof(id)));
    let ((a, a_proof), (b, b_proof)) = (lines(&first), lines(&one));
    for (first, first_proof, second, second_proof) in
        [(&a, &a_proof, &a, &a_proof), (&a, &a_proof, &b, &b_proof), (&a, &b_proof, &a, &a_proof)]
    {
        let parts = LoggedTwice {
            first: first.clone(),
            first_proof: first_proof.clone(),
            second: second.clone(),
            second_proof: second_proof.clone(),
        };
        assert!(is_unproven(&Evidence::LoggedTwice(Box::new(parts)), &world));
    }
    let entry = |bytes: Vec<u8>, proof: &Lines| {
        Evidence::NotAStatement(NotAStatement { entry: Bytes(bytes), proof: proof.clone() })
    };
    assert!(is_unproven(&entry(world.statement(&one).to_bytes(), &b_proof), &world), "it is one");
    assert!(is_unproven(&entry(b"nonsense\n".to_vec(), &b_proof), &world), "it is not in the log");
}

/// Whoever signs an amendment for the edition that is in force, which the file does not hold, is not nobody.
#[test]
fn lines_that_may_count_elsewhere_prove_nothing() {
    let (mut world, [.., narrow, _]) = honest();
    let amended = world.amended(|charter| charter.limits.max_added = 400);
    let note = sign(&amended.to_text().unwrap(), &["m1", "c1", "c2", "c3", "somebody"]);
    let id = world.append(Statement::from_note(note).unwrap());
    world.publish(300);
    assert!(is_unproven(&inadmissible(&world, &id, Some(&narrow), None), &world));
}

/// A charter in the place of the one that a release cites, with anybody's names in it.
#[test]
fn another_charter_proves_nothing() {
    let mut world = World::with_release();
    let strict = sign_charter(&world.amended(|charter| charter.limits.max_added = 1));
    let strict = world.append(strict);
    let two = world.releases().next().unwrap().id();
    world.publish(200);
    assert!(is_unproven(&inadmissible(&world, &two, Some(&strict), None), &world));
}

/// Content, too, is judged by the charter that the release cites, which is of its list.
#[test]
fn content_under_another_charter_proves_nothing() {
    const WRONG: ListRoot = ListRoot([7; 32]);
    let mut world = World::with_release();
    world.release_with(hashes(0..12), 200, |release| release.root = WRONG);
    let narrow = world.edition(|charter| charter.matching.max_distance = 20);
    world.publish(200);
    let evidence = wrong_content(&world, None);
    assert_eq!(accused(&evidence, &world), ALL);
    let Evidence::WrongContent(mut parts) = evidence else { panic!("another kind") };
    parts.charter = Lines::of(world.statement(&narrow).note());
    parts.charter_proof = Lines::of(world.proof(&narrow));
    assert!(is_unproven(&Evidence::WrongContent(parts), &world), "which the same people have signed");

    let mut world = World::with_release();
    world.release_with(hashes(0..12), 200, |release| {
        release.root = WRONG;
        release.list = ListName::new("other.example/images").unwrap();
    });
    world.publish(200);
    assert!(is_unproven(&wrong_content(&world, None), &world), "the charter of another list");
}

/// It is signed as version 3, and names version 1 as version 2.
#[test]
fn a_delta_that_names_the_release_of_another_version_is_proven() {
    let mut world = World::with_release();
    world.release_with(hashes(0..12), 200, |release| {
        release.version = 3;
        release.deltas[0].from = 2;
    });
    world.publish(200);
    let mut releases = world.releases();
    let (one, three) = (releases.next().unwrap(), releases.next().unwrap());
    let object = |digest: ObjectDigest| Bytes(world.get(&Resource::Object(digest)).unwrap());
    let Evidence::WrongContent(mut parts) = wrong_content(&world, None) else { panic!("another kind") };
    parts.base = Some(Base {
        release: Lines::of(one.note()),
        snapshot: object(one.body().snapshot.sha256),
        delta: object(three.body().deltas[0].sha256),
    });
    assert_eq!(accused(&Evidence::WrongContent(parts), &world), ALL);
}

#[test]
fn another_object_proves_nothing_and_a_file_has_room_for_the_largest() {
    for proven in breaches::all() {
        let Evidence::WrongContent(mut parts) = proven.evidence else { continue };
        let whole = Evidence::WrongContent(parts.clone()).to_text().len();
        let objects = parts.base.as_ref().map_or(0, |base| base.snapshot.0.len() + base.delta.0.len());
        // Whatever else is in it may be as large as a statement and its proof may be.
        let rest = 3 * 80_000 + 2 * 60_000;
        assert!(
            whole - (parts.snapshot.0.len() + objects) < rest && MAX_OBJECTS_SIZE / 3 * 4 + rest < MAX_EVIDENCE_SIZE
        );
        match &mut parts.base {
            Some(base) => base.delta.0[3] ^= 1,
            None => parts.snapshot.0[3] ^= 1,
        }
        assert!(is_unproven(&Evidence::WrongContent(parts), &proven.world), "{}", proven.name);
    }
}

#[test]
fn one_log_s_statements_accuse_no_other() {
    for proven in breaches::all() {
        let other = proven.world.trust_text().replace(LOG, "log.example/other");
        let policy = isonomy_core::policy::Policy::parse(other.as_bytes());
        assert!(policy.is_err() || proven.evidence.verify(&policy.unwrap()).is_err(), "{}", proven.name);
    }
}
