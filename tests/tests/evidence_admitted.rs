//! Evidence of what a log admitted: what proves it, and what only seems to.

use isonomy_core::hash::StatementId;
use isonomy_core::json::Lines;
use isonomy_core::statement::Statement;
use isonomy_tests::breaches::{self, inadmissible, wrong_content};
use isonomy_tests::people::{LOG, hashes, sign, sign_charter};
use isonomy_tests::world::World;
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::{
    Bytes, EvidenceError, LoggedTwice, MAX_EVIDENCE_SIZE, MAX_OBJECTS_SIZE, NotAStatement,
};

fn is_unproven(evidence: &Evidence, world: &World) -> bool {
    let parsed = Evidence::parse(evidence.to_text().as_bytes()).unwrap();
    matches!(parsed.verify(&world.trust()), Err(EvidenceError::Unproven(_)))
}

#[test]
fn each_breach_is_proven_and_whoever_answers_for_it_is_named() {
    for proven in breaches::all() {
        let parsed = Evidence::parse(proven.evidence.to_text().as_bytes()).unwrap();
        let breach = parsed.verify(&proven.world.trust()).unwrap_or_else(|error| panic!("{}: {error}", proven.name));
        assert_eq!(breach.names(), proven.by, "{}: {}", proven.name, breach.what);
    }
}

/// An honest log: two versions, two editions of which the second narrows, an attestation.
fn honest() -> (World, [StatementId; 5]) {
    let mut world = World::with_release();
    let (first, one) = (world.charters().next().unwrap().id(), world.releases().next().unwrap().id());
    let two = world.release(hashes(0..12), 200);
    let narrow = world.edition(|charter| charter.matching.max_distance = 20);
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
