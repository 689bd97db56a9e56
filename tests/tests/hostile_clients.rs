//! What a hostile mirror, log or publisher tries against a client, beyond the breaches that `client_*.rs` go through.

use isonomy_core::charter::{Action, Charter};
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::RootHash;
use isonomy_core::resource::Resource;
use isonomy_core::tree::TreeSize;
use isonomy_tests::client::Client;
use isonomy_tests::people::{LOG, curator, hashes, key};
use isonomy_tests::world::{World, cosigned};
use isonomy_verifier::rejection::Blame;

fn client_of(world: &World, clock: u64) -> Client {
    let mut client = Client::of(world);
    assert_eq!(client.version_from(world, clock), Ok(1));
    client
}

fn widen(charter: &mut Charter) {
    charter.matching.max_distance = 31;
}

// Notice.

/// Edition 2 gives notice of one thing: that there will be no notice. Edition 3 widens everything at once and promises
/// notice again, so its own text is within the policy.
#[test]
fn the_notice_that_a_policy_asks_for_is_not_laundered_through_an_edition_without() {
    let mut world = World::with_release();
    let mut client = client_of(&world, 105);
    world.edition(|charter| charter.limits.notice = 0);
    world.publish(1000);
    world.publish(4600);
    world.edition(|charter| {
        widen(charter);
        charter.limits.notice = 3600;
    });
    world.publish(4601);
    world.release(hashes(0..12), 4602);
    world.publish(4602);
    world.publish(4610);
    let rejection = client.version_from(&world, 4610).unwrap_err();
    assert_eq!((rejection.code(), rejection.blame()), ("policy", Blame::Policy), "{rejection}");
    assert_eq!(Client::of(&world).refusal(&world, 4610), ("policy", None), "a new client, too");
    let patient = Client::with(world.policy_with("min_notice = 3600", "min_notice = 0")).version_from(&world, 4610);
    assert_eq!(patient, Ok(2), "the rules themselves are kept");
}

/// What came before the pinned edition, the app's developer has read.
#[test]
fn short_notice_before_the_pinned_edition_is_the_developer_s_choice() {
    let mut world = World::founded_with(|charter| charter.limits.notice = 10);
    world.edition(|charter| {
        widen(charter);
        charter.limits.notice = 3600;
    });
    world.publish(1);
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    assert_eq!(Client::of(&world).refusal(&world, 105), ("policy", None));
    let ids: Vec<String> = world.charters().map(|charter| charter.id().to_hex()).collect();
    let policy = world.policy_with(&format!("charter = \"{}\"", ids[0]), &format!("charter = \"{}\"", ids[1]));
    assert_eq!(Client::with(policy).version_from(&world, 105), Ok(1));
}

// Times that a mirror proves late.

/// A mirror may give any seen proof that is cosigned, so also a late one. What it makes a client remember must not stop it
/// from taking releases from others.
#[test]
fn a_late_proof_of_an_edition_from_a_mirror_does_not_bind_the_client_for_ever() {
    let mut world = World::with_release();
    let edition = world.edition(widen);
    world.publish(1000);
    world.publish(4000);
    let mut mirror = world.clone();
    mirror.serve(Resource::SeenProof(edition), world.proof(&edition).to_bytes());
    let mut client = client_of(&mirror, 4000);

    world.release(hashes(0..12), 4700);
    world.publish(4700);
    world.publish(4705);
    assert_eq!(client_of_version(&world, 4705), 2, "edition 2 is in force since 4600");
    assert_eq!(client.version_from(&world, 4705), Ok(2));
    assert_eq!(client.state.public_since(&edition), Some(isonomy_tests::people::at(1000)), "and it learns the time");
}

fn client_of_version(world: &World, clock: u64) -> u64 {
    Client::of(world).version_from(world, clock).unwrap()
}

/// The same for who must sign an amendment.
#[test]
fn a_late_proof_of_an_edition_does_not_ask_for_other_signatures_for_ever() {
    let mut world = World::with_release();
    let edition = world.edition(|charter| charter.curation.curators[0] = curator("c4", "DE"));
    world.publish(1000);
    world.publish(4000);
    let mut mirror = world.clone();
    mirror.serve(Resource::SeenProof(edition), world.proof(&edition).to_bytes());
    let mut client = client_of(&mirror, 4000);
    let third = world.amended(|charter| charter.matching.max_distance = 20).to_text().unwrap();
    let note = isonomy_tests::people::sign(&third, &["m1", "c4", "c3"]);
    world.append(isonomy_core::statement::Statement::from_note(note).unwrap());
    let draft = world.draft(hashes(0..12), 4700);
    world.log(draft, &["m1", "c4", "c3"]);
    world.publish(4700);
    world.publish(4705);
    assert_eq!(client_of_version(&world, 4705), 2, "c1 has no say any more");
    assert_eq!(client.version_from(&world, 4705), Ok(2));
}

/// What covers a release covers its charter, so a late proof of the charter says nothing.
#[test]
fn a_charter_is_public_no_later_than_what_is_logged_after_it() {
    let world = World::with_release();
    let charter = world.charters().next().unwrap().id();
    let mut mirror = world.clone();
    mirror.serve(Resource::SeenProof(charter), world.proof(&charter).to_bytes());
    assert_eq!(client_of_version(&mirror, 105), 1);
}

// Charters.

/// Two texts for edition 2 in one log. Whoever has the list under the first does not follow the second.
#[test]
fn another_text_for_the_edition_in_force_is_refused() {
    let mut world = World::founded();
    let first = world.amended(|charter| charter.matching.max_distance = 20);
    let second = world.amended(|charter| charter.action.most = Action::Warn);
    let first = world.append(isonomy_tests::people::sign_charter(&first));
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = client_of(&world, 105);
    let second = world.append(isonomy_tests::people::sign_charter(&second));
    world.release_with(hashes(0..12), 1000, |release| release.charter = second);
    world.publish(1000);
    world.publish(1005);
    world.edit_bundle(|bundle| bundle.charters.retain(|charter| charter.id != first));
    assert_eq!(client.refusal(&world, 1005), ("equivocation", Some(1)));
    assert_eq!(client.list.map(|list| list.version()), Some(1));
}

/// A client never sees fewer editions than before.
#[test]
fn a_source_that_leaves_out_an_edition_that_the_client_knows_is_refused() {
    let mut world = World::with_release();
    world.edition(widen);
    world.publish(1000);
    let mut client = client_of(&world, 1000);
    let first = world.charters().next().unwrap().id();
    world.release_with(hashes(0..12), 1100, |release| release.charter = first);
    world.publish(1100);
    world.publish(1105);
    let mut mirror = world.clone();
    mirror.edit_bundle(|bundle| bundle.charters.truncate(1));
    let rejection = client.version_from(&mirror, 1105).unwrap_err();
    assert_eq!((rejection.code(), rejection.blame()), ("malformed", Blame::Source), "{rejection}");
}

/// Two parts of one country are one jurisdiction: the same state can lean on both. So by the rules, and by a policy that
/// asks for more jurisdictions than the charter.
#[test]
fn parts_of_one_country_are_one_jurisdiction() {
    for (least, code, refusal) in [(2, "DE-BY", ("too-few-jurisdictions", Some(2))), (1, "DE-BY", ("policy", None))] {
        let mut world = World::founded_with(|charter| {
            charter.curation.min_jurisdictions = least;
            charter.curation.curators[1] = curator("c2", code);
        });
        let draft = world.draft(hashes(0..10), 100);
        world.log(draft, &["m1", "c1", "c2"]);
        world.publish(100);
        world.publish(105);
        assert_eq!(Client::of(&world).refusal(&world, 105), refusal);
    }
    let mut charter = isonomy_tests::people::charter();
    charter.curation.curators[2] = curator("c3", "DE-BY");
    assert!(charter.to_text().is_err(), "no release could ever have signatures from two");
}

// What another policy accepted.

#[test]
fn a_list_that_was_accepted_under_another_policy_is_judged_again() {
    let world = World::with_release();
    let mut client = client_of(&world, 105);
    client.policy = world.policy_with("action = \"block\"", "action = \"warn\"");
    assert_eq!(client.refusal(&world, 105), ("policy", None));
}

// Sizes.

#[test]
fn sizes_at_the_end_of_the_numbers_do_no_harm() {
    let world = World::with_release();
    let known = client_of(&world, 105);
    for size in [u64::MAX >> 1, (1 << 62) + 1, 1 << 62, 257, 3, 1, 0] {
        let root = if size == 0 { isonomy_core::tree::empty_root() } else { RootHash([7; 32]) };
        let checkpoint = Checkpoint { origin: LOG.into(), size: TreeSize(size), root, extensions: Vec::new() };
        let note = CheckpointNote::sign(checkpoint, &key(LOG)).unwrap();
        let mut hostile = world.clone();
        let mut bundle = world.bundle();
        bundle.checkpoint = cosigned(&note, &[(1, 200), (2, 200)]);
        hostile.serve_bundle(&bundle);
        assert!(Client::of(&world).update(&hostile, 205).is_err(), "{size}");
        assert!(known.clone().update(&hostile, 205).is_err(), "{size}");
    }
}

// Work.

/// One line of a bundle, many times.
#[test]
fn a_bundle_that_repeats_itself_is_refused_before_it_costs_anything() {
    let mut world = World::with_release();
    let mut client = client_of(&world, 105);
    world.release(hashes(0..12), 1000);
    world.publish(1000);
    for charters in [true, false] {
        let mut mirror = world.clone();
        mirror.edit_bundle(|bundle| {
            let part = if charters { &mut bundle.charters } else { &mut bundle.releases };
            let last = part[part.len() - 1].clone();
            part.extend(vec![last; 2000]);
        });
        let rejection = client.update(&mirror, 1001).unwrap_err();
        let code = if charters { "already-logged" } else { "malformed" };
        assert_eq!((rejection.code(), rejection.blame()), (code, Blame::Source), "{rejection}");
        assert!(client.asked.len() <= 1, "{}", client.asked.len());
    }
}

/// The most that a mirror of an honest log can make a client do: every release of a long history, each too young.
#[test]
fn many_pending_releases_cost_one_request_for_each_thing() {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    for at in 1..=40 {
        world.release(hashes(0..10 + at), 100 + at);
    }
    world.publish(1000);
    let ids: Vec<_> = world.releases().map(|release| release.id()).collect();
    world.offer_only(&ids);
    let mut client = Client::of(&world);
    let rejection = client.update(&world, 1001).unwrap_err();
    assert_eq!(rejection.code(), "not-visible", "{rejection}");
    let different: std::collections::HashSet<_> = client.asked.iter().collect();
    assert_eq!(different.len(), client.asked.len(), "something was asked for twice");
    assert!(client.asked.len() >= 80, "a statement and a seen proof for each of 40 releases");
}
