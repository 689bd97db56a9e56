//! Evidence that would accuse the wrong ones.

use isonomy_core::hash::StatementId;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_tests::breaches::early_admission;
use isonomy_tests::people::{LOG, SIGNERS, hashes};
use isonomy_tests::world::{World, cosigned};
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::InLog;

const DAY: u64 = 86_400;

/// Two texts for version 1, created at 100 and `created`, signed by these; the log takes them up at these times.
fn two_texts(first: (&[&str], u64), second: (&[&str], u64), created: u64) -> (World, Evidence) {
    let mut world = World::founded();
    let draft = world.draft(hashes(0..10), 100);
    let other = world.draft(hashes(0..12), created);
    let one = world.log(draft, first.0);
    world.publish(first.1);
    let two = world.log(other, second.0);
    world.publish(second.1);
    let evidence = evidence_of(&world, &one, &two);
    (world, evidence)
}

fn evidence_of(world: &World, one: &StatementId, two: &StatementId) -> Evidence {
    let charter = world.charters().next().unwrap();
    let release = |id| world.statement(id).clone().into_release().unwrap();
    let (first, second) = (release(one), release(two));
    Evidence::equivocation(
        InLog { statement: charter, proof: &world.seen_proof(&charter.id()) },
        InLog { statement: &first, proof: &world.seen_proof(one) },
        InLog { statement: &second, proof: &world.seen_proof(two) },
    )
}

fn accused(world: &World, evidence: &Evidence) -> Vec<String> {
    evidence.verify(&world.trust()).unwrap().names().into_iter().map(str::to_owned).collect()
}

/// A log keeps a complete text for more than a day, so that its signers may sign another one (rule 2), and then logs both.
#[test]
fn a_log_that_takes_up_an_old_text_does_not_make_its_signers_guilty() {
    let (world, evidence) = two_texts((&SIGNERS, 2 * DAY), (&SIGNERS, 2 * DAY + 10), 2 * DAY);
    assert_eq!(accused(&world, &evidence), [LOG]);
    let (world, evidence) = two_texts((&SIGNERS, 200), (&SIGNERS, 2 * DAY), 2 * DAY);
    assert_eq!(accused(&world, &evidence), [LOG], "the second may have been signed before the first, or the other way");
    let (world, evidence) = two_texts((&SIGNERS, 200), (&SIGNERS, 300), 250);
    assert_eq!(accused(&world, &evidence), SIGNERS, "both were public within their day");
}

/// Somebody answers for every breach.
#[test]
fn two_texts_that_nobody_signed_both_of_are_the_log_s_breach() {
    let (world, evidence) = two_texts((&["m1", "c1", "c3"], 200), (&["m2", "c2", "c3"], 300), 250);
    assert_eq!(accused(&world, &evidence), ["c3"]);
    let mut world = World::founded_with(|charter| {
        charter.curation.curators.push(isonomy_tests::people::curator("c4", "FR"));
    });
    let (draft, other) = (world.draft(hashes(0..10), 100), world.draft(hashes(0..12), 100));
    let (one, two) = (world.log(draft, &["m1", "c1", "c3"]), world.log(other, &["m2", "c2", "c4"]));
    world.publish(200);
    assert_eq!(accused(&world, &evidence_of(&world, &one, &two)), [LOG]);
}

/// Where two quorums need not have a witness in common, one may cosign what another has long left behind.
#[test]
fn an_early_admission_is_not_proven_by_witnesses_who_need_not_know_of_each_other() {
    let mut world = World::founded();
    world.edition(|charter| charter.matching.max_distance = 31);
    world.cosign(2, &[(1, 1000)]);
    world.release(hashes(0..10), 4600);
    world.cosign(3, &[(1, 4600)]);
    // Witness 2 was away, and cosigns the tree of size 1 at 4000 because somebody shows it.
    let late = cosigned(&world.checkpoint(1), &[(2, 4000)]);
    let release = world.releases().next().unwrap().id();
    let evidence = early_admission(&world, &release, &late);
    let any = world.trust_text().replace("group two 2", "group two 1");
    let any = TlogPolicy::parse(any.as_bytes()).unwrap();
    assert_eq!(any.weak_split(), 0);
    assert!(evidence.verify(&any).is_err());
}
