//! The honest log: what a client accepts, when, and what it fetches for it.

use isonomy_core::charter::Charter;
use isonomy_core::hash::StatementId;
use isonomy_core::resource::Resource;
use isonomy_core::rules::Violation;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tile::TilePath;
use isonomy_tests::client::{Client, drive};
use isonomy_tests::people::{at, hash, hashes, key, sign, sign_charter};
use isonomy_tests::world::{World, cosigned};
use isonomy_verifier::rejection::Blame;
use isonomy_verifier::update::Pending;
use isonomy_verifier::{Freshness, Policy, Save, State};

/// Version 1 with ten entries, visible at 105, and a client that has it in force.
fn begun() -> (World, Client) {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    (world, client)
}

/// The next edition, signed by these.
fn amend(world: &mut World, names: &[&str], edit: fn(&mut Charter)) -> StatementId {
    let text = world.amended(edit).to_text().unwrap();
    world.append(Statement::from_note(sign(&text, names)).unwrap())
}

fn objects(client: &Client) -> Vec<&Resource> {
    client.asked.iter().filter(|resource| matches!(resource, Resource::Object(_))).collect()
}

fn statements(client: &Client) -> usize {
    client.asked.iter().filter(|resource| matches!(resource, Resource::Statement(_))).count()
}

fn snapshot_of(world: &World, id: &StatementId) -> Resource {
    let Statement::Release(release) = world.statement(id) else { panic!("not a release") };
    Resource::Object(release.body().snapshot.sha256)
}

/// What was proven once need not be proven again, and can't be proven later by another source.
#[test]
fn the_times_that_were_proven_are_kept_from_release_to_release() {
    let (mut world, mut client) = begun();
    let charter = world.charters().next().unwrap().id();
    world.withhold(Resource::SeenProof(charter));
    for version in 2..=3 {
        let time = 1000 * version;
        let id = world.release(hashes(0..10 + version), time);
        world.publish(time);
        world.publish(time + 5);
        assert_eq!(client.version_from(&world, time + 5), Ok(version));
        let known = [charter, id].map(|id| client.state.public_since(&id));
        assert_eq!(known, [Some(at(0)), Some(at(time))]);
        assert!(!client.asked.contains(&Resource::SeenProof(charter)));
    }
}

/// The log is content with two witnesses, the policy is not; while the third was away, a charter and a release were logged. Nobody
/// can prove by its word since when they are public, but that it has cosigned them at last.
#[test]
fn what_a_laxer_quorum_has_seen_counts_from_when_the_stricter_one_has() {
    let mut world = World::default();
    let charter = world.edition(|_| ());
    let id = world.release(hashes(0..10), 100);
    world.cosign(2, &[(1, 100), (2, 100)]);
    let stricter = Policy::parse(world.policy_text().replace("group two 2 ", "group two 3 ").as_bytes()).unwrap();
    let mut client = Client::with(stricter);
    assert_eq!(client.refusal(&world, 100), ("no-quorum", None));
    for (time, expected) in [(300, Err(("not-visible", Some(5)))), (304, Err(("not-visible", Some(5)))), (305, Ok(1))] {
        world.publish(time);
        let found = client.version_from(&world, time);
        assert_eq!(found.map_err(|error| (error.code(), error.rule().map(|rule| rule.number()))), expected, "{time}");
        assert!(client.asked.contains(&Resource::SeenProof(id)), "a better one would count");
    }
    assert_eq!([charter, id].map(|id| client.state.public_since(&id)), [Some(at(300)); 2]);
    // The seen proof that another source has is better.
    let second = world.release(hashes(0..12), 1000);
    world.cosign(3, &[(1, 1000), (2, 1000)]);
    world.publish(1001);
    let better = world.proof(&second);
    world.publish(1004);
    let updated = client.update(&world, 1004).unwrap();
    assert_eq!((updated.list.version(), updated.pending.len()), (1, 1));
    world.serve(Resource::SeenProof(second), better.to_bytes());
    world.publish(1006);
    assert_eq!(client.version_from(&world, 1006), Ok(2));
    assert_eq!(client.state.public_since(&second), Some(at(1001)));
    client.restart();
}

/// The maintainer's key is replaced by edition 2, and edition 3 is signed by the new one alone once that is in force. The third
/// witness was away when edition 2 came, so that a policy that asks for all three has no proof of when that was.
#[test]
fn a_rotated_key_is_one_for_a_stricter_quorum_too() {
    let mut world = World::default();
    world.edition(|_| ());
    world.release(hashes(0..10), 100);
    world.publish(100);
    let new_key = |charter: &mut Charter| charter.maintainer.keys = vec![key("m3").verifier().clone()];
    amend(&mut world, &["m3", "c1", "c2", "c3", "m1"], new_key);
    world.cosign(3, &[(1, 1000), (2, 1000)]);
    world.publish(1001);
    amend(&mut world, &["m3", "c1", "c2", "c3"], |charter| charter.maintainer.contact = "new@hotline.example".into());
    world.publish(10_000);
    let draft = world.draft(hashes(0..12), 20_000);
    world.log(draft, &["m3", "c1", "c3"]);
    world.publish(20_000);
    world.publish(20_010);
    let stricter = Policy::parse(world.policy_text().replace("group two 2 ", "group two 3 ").as_bytes()).unwrap();
    let mut client = Client::with(stricter);
    assert_eq!(Client::of(&world).version_from(&world, 20_010), Ok(2));
    // By its times edition 2 came with the checkpoint at 10,000, is in force at 13,600, and so is edition 3.
    assert_eq!(client.version_from(&world, 20_010), Ok(2));

    // Edition 3 replaces the key again, and edition 4 came when that was in force by true times.
    let mut twice = World::default();
    twice.edition(|_| ());
    twice.release(hashes(0..10), 100);
    twice.publish(100);
    amend(&mut twice, &["m3", "c1", "c2", "c3", "m1"], new_key);
    twice.cosign(3, &[(1, 1000), (2, 1000)]);
    twice.publish(1001);
    amend(&mut twice, &["m4", "c1", "c2", "c3", "m3"], |charter| {
        charter.maintainer.keys = vec![key("m4").verifier().clone()]
    });
    twice.publish(10_000);
    amend(&mut twice, &["m4", "c1", "c2", "c3"], |charter| charter.maintainer.contact = "new@hotline.example".into());
    twice.publish(14_000);
    let draft = twice.draft(hashes(0..12), 30_000);
    twice.log(draft, &["m4", "c1", "c3"]);
    twice.publish(30_000);
    twice.publish(30_010);
    let mut later = Client::with(client.policy.clone());
    assert_eq!(later.version_from(&twice, 30_010), Ok(2));

    // A client that has learned of edition 2 before edition 3 came knows no better: it has in force what cites edition 2.
    let mut slow = World::default();
    slow.edition(|_| ());
    slow.release(hashes(0..10), 100);
    slow.publish(100);
    amend(&mut slow, &["m3", "c1", "c2", "c3", "m1"], new_key);
    slow.cosign(3, &[(1, 1000), (2, 1000)]);
    slow.publish(3000);
    let mut learned = Client::with(client.policy.clone());
    assert_eq!(learned.version_from(&slow, 3000), Ok(1));
    amend(&mut slow, &["m3", "c1", "c2", "c3"], |charter| charter.maintainer.contact = "new@hotline.example".into());
    slow.publish(5000);
    let draft = slow.draft(hashes(0..12), 20_000);
    slow.log(draft, &["m3", "c1", "c3"]);
    slow.publish(20_000);
    slow.publish(20_010);
    assert_eq!(
        learned.version_from(&slow, 20_010),
        Ok(2),
        "edition 2 is public since 3000 by its times, at the latest"
    );

    // By proofs that all witnesses have seen, the new key alone is not enough while edition 2 waits.
    let mut early = World::with_release();
    let second = amend(&mut early, &["m3", "c1", "c2", "c3", "m1"], new_key);
    early.publish(1000);
    let mut knows = Client::of(&early);
    assert_eq!(knows.version_from(&early, 1000), Ok(1));
    // Not even if it was shown one before, under the very checkpoint that proved it.
    let mut shown = early.clone();
    let mut proof = early.proof(&second);
    proof.checkpoint = proof.checkpoint.without_cosignatures(early.policy().log());
    shown.serve(Resource::SeenProof(second), proof.to_bytes());
    assert_eq!(knows.version_from(&shown, 1000), Ok(1));
    amend(&mut early, &["m3", "c1", "c2", "c3"], |charter| charter.maintainer.contact = "new@hotline.example".into());
    early.publish(2000);
    early.publish(20_000);
    assert_eq!(Client::of(&early).refusal(&early, 20_000), ("maintainer-missing", Some(2)));
    // Nor for whoever knows that, where a source shows it a proof without the witnesses' lines.
    let mut proof = early.proof(&second);
    proof.checkpoint = proof.checkpoint.without_cosignatures(early.policy().log());
    early.serve(Resource::SeenProof(second), proof.to_bytes());
    assert_eq!(knows.refusal(&early, 20_000), ("maintainer-missing", Some(2)));
    // Or with one line of theirs, from when the first of them cosigned that checkpoint.
    for time in [1000, 999, 880] {
        let mut part = proof.clone();
        part.checkpoint = cosigned(&proof.checkpoint, &[(1, time)]);
        early.serve(Resource::SeenProof(second), part.to_bytes());
        assert_eq!(knows.refusal(&early, 20_000), ("maintainer-missing", Some(2)), "{time}");
    }
}

/// Whoever has no key can prove edition 2 under a later checkpoint than the first, which all three witnesses have cosigned. That tells a
/// policy that asks for all three no more than by when it was public, as the log's own proof does.
#[test]
fn a_later_proof_bars_no_edition_that_came_by_the_proof_of_another_quorum() {
    let contact = |charter: &mut Charter| charter.maintainer.contact = "new@hotline.example".into();
    for (has_grown, first) in [(false, &[(1, 1000), (2, 1000)][..]), (true, &[(1, 1000), (2, 1000)]), (true, &[])] {
        let mut world = World::default();
        world.edition(|_| ());
        let release = world.release(hashes(0..10), 100);
        world.publish(100);
        let second = amend(&mut world, &["m3", "c1", "c2", "c3", "m1"], |charter| {
            charter.maintainer.keys = vec![key("m3").verifier().clone()]
        });
        // Of witnesses that the policy does not name, it can't read any line.
        world.cosign(3, first);
        if has_grown {
            let word = world.attestation("a1", &release, 2);
            world.attest(&word, "a1");
        }
        world.publish(3000);
        let mut mirror = world.clone();
        mirror.serve(Resource::SeenProof(second), mirror.proof(&second).to_bytes());
        let stricter = Policy::parse(world.policy_text().replace("group two 2 ", "group two 3 ").as_bytes()).unwrap();
        let mut met = Client::with(stricter.clone());
        assert_eq!(met.version_from(&mirror, 3000), Ok(1));
        amend(&mut world, &["m3", "c1", "c2", "c3"], contact);
        world.publish(5000);
        let draft = world.draft(hashes(0..12), 20_000);
        world.log(draft, &["m3", "c1", "c3"]);
        world.publish(20_000);
        world.publish(20_010);
        assert_eq!(Client::with(stricter.clone()).version_from(&world, 20_010), Ok(2), "{has_grown} {first:?}");
        assert_eq!(met.version_from(&world, 20_010), Ok(2), "{has_grown} {first:?}");
        // Nor for a new client that asks there first.
        let mut behind = world.clone();
        behind.serve(Resource::SeenProof(second), mirror.proof(&second).to_bytes());
        let mut new = Client::with(stricter);
        assert_eq!(new.refusal(&behind, 20_010), ("maintainer-missing", Some(2)));
        assert_eq!(new.version_from(&world, 20_010), Ok(2), "{has_grown} {first:?}");
    }
}

/// By a later proof of edition 2, edition 3 came while that one waited: nobody but the source says so.
#[test]
fn consent_that_is_missing_by_the_times_of_a_source_alone_is_laid_at_its_door() {
    let mut world = World::with_release();
    let second = amend(&mut world, &["m3", "c1", "c2", "c3", "m1"], |charter| {
        charter.maintainer.keys = vec![key("m3").verifier().clone()]
    });
    world.publish(1000);
    world.publish(3000);
    let later = world.proof(&second);
    let mut before = world.clone();
    amend(&mut world, &["m3", "c1", "c2", "c3"], |charter| charter.maintainer.contact = "new@hotline.example".into());
    world.publish(5000);
    let mut mirror = world.clone();
    mirror.serve(Resource::SeenProof(second), later.to_bytes());
    let refused = Client::of(&mirror).update(&mirror, 5000).unwrap_err();
    assert_eq!((refused.code(), refused.blame()), ("maintainer-missing", Blame::Source));
    assert!(refused.to_string().contains("by the seen proofs that the source gave"), "{refused}");
    assert_eq!(Client::of(&world).version_from(&world, 5000), Ok(1));
    // A line that must not be there stands there at any time.
    let mut stray = before.clone();
    amend(&mut stray, &["m3", "c1", "c2", "c3", "stranger"], |charter| {
        charter.maintainer.contact = "new@hotline.example".into()
    });
    stray.publish(5000);
    stray.serve(Resource::SeenProof(second), later.to_bytes());
    let refused = Client::of(&stray).update(&stray, 5000).unwrap_err();
    assert_eq!((refused.code(), refused.blame()), ("uncounted-signature", Blame::Publisher));
    // What lacks the consent of the edition before it does so at any time.
    amend(&mut before, &["m1", "c1", "c2", "c3"], |charter| charter.maintainer.contact = "new@hotline.example".into());
    before.publish(5000);
    let refused = Client::of(&before).update(&before, 5000).unwrap_err();
    assert_eq!(refused.blame(), Blame::Publisher, "{refused}");
    assert!(!refused.to_string().contains("seen proofs"), "{refused}");
}

/// A policy is tightened since a witness dates falsely: what it has dated counts no more.
#[test]
fn times_by_the_witnesses_of_another_policy_count_for_nothing() {
    let mut world = World::with_release();
    let lax = world.policy_text().replace("group two 2 w1 w2 w3\nquorum two", "quorum w1");
    let mut client = Client::with(Policy::parse(lax.as_bytes()).unwrap());
    assert_eq!(client.version_from(&world, 105), Ok(1));
    let widening = world.edition(|charter| charter.matching.max_distance = 30);
    let true_time = |world: &World| {
        let mut proof = world.seen_proof(&widening);
        proof.checkpoint = cosigned(&world.checkpoint(3), &[(1, 10_000), (2, 10_000), (3, 10_000)]);
        proof.to_bytes()
    };
    world.cosign(3, &[(1, 200)]);
    world.publish(10_000);
    assert_eq!(client.version_from(&world, 10_000), Ok(1));
    client.policy = world.policy();
    client.wipe_cache();
    world.release(hashes(0..12), 10_001);
    world.publish(10_001);
    world.publish(10_010);
    world.serve(Resource::SeenProof(widening), true_time(&world));
    assert_eq!(client.refusal(&world, 10_010), ("notice-not-over", Some(4)));
    world.publish(14_000);
    world.serve(Resource::SeenProof(widening), true_time(&world));
    assert_eq!(
        client.refusal(&world, 14_000),
        ("notice-not-over", Some(4)),
        "it was public before the notice was over"
    );
}

/// A time that a mirror without a key proved too late, once, is proven again before a policy's notice is found too short.
#[test]
fn a_late_time_of_an_edition_is_no_breach_of_the_policy_for_ever() {
    let mut world = World::founded_with(|charter| charter.limits.notice = 40_000);
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::with(world.policy_with("min_notice = 3600", "min_notice = 20000"));
    assert_eq!(client.version_from(&world, 105), Ok(1));
    world.edition(|charter| (charter.limits.notice, charter.matching.max_distance) = (10_000, 25));
    world.publish(1000);
    let third = world.edition(|charter| (charter.limits.notice, charter.matching.max_distance) = (40_000, 26));
    world.publish(2000);
    let founding = world.charters().next().unwrap().id();
    world.release_with(hashes(0..11), 41_500, |release| release.charter = founding);
    world.publish(41_500);
    world.publish(41_510);
    let mut mirror = world.clone();
    mirror.serve(Resource::SeenProof(third), world.proof(&third).to_bytes());
    assert_eq!(client.version_from(&mirror, 41_510), Ok(2));
    world.release(hashes(0..12), 80_000);
    world.publish(80_000);
    world.publish(80_010);
    assert_eq!(client.version_from(&world, 80_010), Ok(3));
}

/// Whoever has no key can make a seen proof of the newest checkpoint each time, so that nothing ever seems to be public for long.
#[test]
fn proofs_that_are_made_anew_each_time_delay_once() {
    for complete in [false, true] {
        let (mut world, _) = begun();
        let text = world.policy_text() + if complete { "\n[audit]\ncomplete = true\n" } else { "" };
        let mut client = Client::with(Policy::parse(text.as_bytes()).unwrap());
        assert_eq!(client.version_from(&world, 105), Ok(1));
        let ids = [1000, 1001].map(|time| world.release(hashes(0..time - 900), time));
        world.publish(1001);
        for (now, expected) in [(1100, 1), (1103, 1), (1105, 3)] {
            world.publish(now);
            let mut mirror = world.clone();
            ids.iter().for_each(|id| mirror.serve(Resource::SeenProof(*id), world.proof(id).to_bytes()));
            assert_eq!(client.version_from(&mirror, now), Ok(expected), "{now}");
            client.restart();
        }
        assert_eq!(client.state.public_since(&ids[1]), Some(at(1100)));
    }
}

#[test]
fn a_release_is_accepted_once_it_was_public_for_five_seconds() {
    let mut world = World::founded();
    let id = world.release(hashes(0..10), 100);
    world.publish(100);
    let mut client = Client::of(&world);
    assert_eq!(client.refusal(&world, 100), ("not-visible", Some(5)));
    // A clock that is ahead does not help: what counts is witnessed.
    assert_eq!(client.refusal(&world, 1000), ("not-visible", Some(5)));
    world.publish(104);
    assert_eq!(client.refusal(&world, 104), ("not-visible", Some(5)));
    world.publish(105);
    let updated = client.update(&world, 105).unwrap();
    assert_eq!((updated.list.version(), updated.pending.len()), (1, 0));
    assert!(updated.list.entries().contains(&hash(7)) && !updated.list.entries().contains(&hash(10)));
    assert_eq!(objects(&client), [&snapshot_of(&world, &id)]);
    let accepted = client.state.accepted().unwrap();
    assert_eq!((accepted.release, accepted.version, accepted.public_since), (id, 1, at(100)));
    assert_eq!(updated.list.freshness(at(105)), Freshness::Fresh { checkpoint_age: 0 });
    client.restart();
}

/// Whatever a client saves, it can stop after, and begin again from there.
#[test]
fn a_state_is_saved_with_its_content_and_never_before() {
    let (mut world, client) = begun();
    world.release(hashes(0..12), 200);
    world.publish(200);
    world.publish(205);
    let (policy, list) = (&client.policy, client.list.as_ref());
    let saves = drive(policy, &client.state, list, at(205), &world).saves;
    let version = |state: &State| state.accepted().map(|accepted| accepted.version);
    let listed = |save: &Save| save.list.as_ref().map(|list| list.version());
    let seen: Vec<_> = saves.iter().map(|save| (version(&save.state), listed(save))).collect();
    assert_eq!(seen, [(Some(2), Some(2))], "the checkpoint and the release, with its content");
    assert_eq!((saves[0].state.now(), saves[0].state.confirmed()), (at(205), at(205)));
    let done = drive(policy, &saves[0].state, saves[0].list.as_ref(), at(205), &world);
    assert_eq!((done.outcome.unwrap().list.version(), done.saves.len()), (2, 0));
}

#[test]
fn public_since_is_the_quorum_s_and_not_the_first_witness_s() {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.cosign(2, &[(1, 100), (2, 110), (3, 120)]);
    let mut client = Client::of(&world);
    world.publish(114);
    assert_eq!(client.refusal(&world, 114), ("not-visible", Some(5)));
    // Now is the quorum's as well: one witness whose clock is ahead makes nothing visible.
    world.cosign(2, &[(1, 114), (2, 114), (3, 9000)]);
    assert_eq!(client.refusal(&world, 114), ("not-visible", Some(5)));
    world.cosign(2, &[(1, 100), (2, 115), (3, 9000)]);
    assert_eq!(client.version_from(&world, 115), Ok(1));
}

#[test]
fn a_newer_release_waits_and_then_comes_by_its_delta() {
    let (mut world, mut client) = begun();
    let second = world.release(hashes(0..12), 200);
    world.publish(200);
    let updated = client.update(&world, 200).unwrap();
    let waits_for = Violation::NotVisible { public_for: 0, needed: 5 };
    assert_eq!(updated.list.version(), 1);
    assert_eq!(updated.pending, [Pending { release: second, version: 2, waits_for }]);
    assert!(objects(&client).is_empty(), "what waits is not fetched");
    world.publish(205);
    assert_eq!(client.version_from(&world, 205), Ok(2));
    assert_eq!(objects(&client).len(), 1);
    assert_ne!(objects(&client), [&snapshot_of(&world, &second)]);
    assert_eq!(client.list.unwrap().entries(), &hashes(0..12));
}

#[test]
fn an_update_without_news_fetches_nothing_new() {
    let (mut world, mut client) = begun();
    world.publish(300);
    let updated = client.update(&world, 300).unwrap();
    assert!(objects(&client).is_empty());
    assert!(!client.asked.iter().any(|resource| matches!(resource, Resource::SeenProof(_) | Resource::Tile(_))));
    assert_eq!(updated.list.freshness(at(302)), Freshness::Fresh { checkpoint_age: 2 });
}

#[test]
fn a_client_that_was_away_catches_up_in_few_hops() {
    let (mut world, mut client) = begun();
    for version in 2..=23u64 {
        world.release(hashes(0..10 + version), 100 * version);
    }
    world.publish(2300);
    world.publish(2305);
    assert_eq!(client.version_from(&world, 2305), Ok(23));
    // 23 → 22 → 20 → 16 → 8 → 4 → 2 → 1: the charter, the newest release and those between.
    assert_eq!(statements(&client), 1 + 7);
    assert_eq!(client.list.as_ref().unwrap().entries(), &hashes(0..33));
    client.restart();
}

#[test]
fn a_release_that_only_removes_is_accepted_at_once() {
    let (mut world, mut client) = begun();
    world.release(hashes(1..10), 200);
    world.publish(200);
    assert_eq!(client.version_from(&world, 200), Ok(2));
    assert_eq!(Client::of(&world).version_from(&world, 200), Ok(2), "a first client takes version 1 first, and counts");
}

#[test]
fn removals_since_an_older_release_do_not_hide_additions() {
    let (mut world, mut client) = begun();
    world.release(hashes(0..12), 200);
    world.release(hashes(1..12), 300);
    world.publish(300);
    let updated = client.update(&world, 300).unwrap();
    assert_eq!((updated.list.version(), updated.pending.len()), (1, 2), "version 3 removes, but version 2 added");
    world.publish(305);
    assert_eq!(client.version_from(&world, 305), Ok(3));
}

#[test]
fn what_a_release_says_of_its_additions_is_not_believed() {
    let (mut world, mut client) = begun();
    let mut direct = world.clone();
    direct.release_with(hashes(0..12), 200, |release| release.added = 0);
    direct.publish(200);
    assert_eq!(client.clone().refusal(&direct, 200), ("count-mismatch", Some(8)), "counted against version 1");

    world.release(hashes(0..9), 200);
    world.release_with(hashes(0..12), 300, |release| release.added = 0);
    world.publish(300);
    let updated = client.update(&world, 300).unwrap();
    assert_eq!(updated.list.version(), 2, "version 3 waits: it adds to version 1");
    assert_eq!(updated.pending.iter().map(|pending| pending.version).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_lost_cache_is_fetched_again_and_the_release_in_force_stays() {
    let (mut world, mut client) = begun();
    let second = world.release(hashes(0..12), 200);
    world.publish(200);
    world.publish(205);
    assert_eq!(client.version_from(&world, 205), Ok(2));
    client.wipe_cache();
    assert_eq!(client.version_from(&world, 206), Ok(2));
    assert_eq!(objects(&client), [&snapshot_of(&world, &second)]);
}

#[test]
fn a_release_accepted_early_needs_no_second_wait_when_the_cache_is_lost() {
    let (mut world, mut client) = begun();
    world.release(hashes(1..10), 200);
    world.publish(200);
    assert_eq!(client.version_from(&world, 200), Ok(2));
    client.wipe_cache();
    assert_eq!(client.version_from(&world, 201), Ok(2));
}

#[test]
fn an_expired_release_is_not_given_up_for_an_older_one() {
    let (mut world, mut client) = begun();
    let first = world.releases().next().unwrap().id();
    world.release_with(hashes(1..10), 200, |release| release.expires = at(300));
    world.publish(200);
    assert_eq!(client.version_from(&world, 200), Ok(2));
    world.publish(400);
    let updated = client.update(&world, 400).unwrap();
    assert_eq!(updated.list.version(), 2);
    assert_eq!(updated.list.freshness(at(0)), Freshness::Expired { since: at(300) }, "by witnessed time");
    client.wipe_cache();
    assert_eq!(client.refusal(&world, 400), ("expired", None));
    world.offer_only(&[first]);
    assert_eq!(client.refusal(&world, 400), ("rollback", None));
}

#[test]
fn a_first_client_takes_the_newest_visible_release_and_hears_of_those_that_wait() {
    let (mut world, _) = begun();
    world.release(hashes(0..12), 200);
    world.publish(200);
    world.publish(205);
    world.release(hashes(0..14), 300);
    world.release(hashes(0..15), 360);
    world.publish(360);
    let updated = Client::of(&world).update(&world, 360).unwrap();
    assert_eq!(updated.list.version(), 2);
    assert_eq!(updated.pending.iter().map(|pending| pending.version).collect::<Vec<_>>(), [4, 3]);
}

#[test]
fn all_holders_of_a_release_have_one_view() {
    let (mut world, mut old) = begun();
    let first = old.list.as_ref().unwrap().view();
    world.release(hashes(0..12), 200);
    world.publish(200);
    world.publish(205);
    let mut new = Client::of(&world);
    new.update(&world, 205).unwrap();
    world.publish(300);
    old.update(&world, 300).unwrap();
    assert_eq!(old.list.unwrap().view(), new.list.as_ref().unwrap().view());
    assert_ne!(first, new.list.unwrap().view());
}

#[test]
fn a_log_that_dropped_its_partial_tiles_serves_the_full_one() {
    let (mut world, mut client) = begun();
    world.release(hashes(0..12), 200);
    let other = |c: &mut Charter| c.list = ListName::new("other.example/list").unwrap();
    let unrelated = sign_charter(&world.amended(other));
    for _ in world.size()..260 {
        world.append(unrelated.clone());
    }
    // The bundle is from before the log grew: it asks for a tile of five hashes.
    world.cosign(5, &[(1, 300), (2, 300)]);
    let partial = Resource::Tile(TilePath::parse("tile/0/000.p/5").unwrap());
    world.withhold(partial.clone());
    assert_eq!(client.version_from(&world, 300), Ok(1));
    let full = Resource::Tile(TilePath::parse("tile/0/000").unwrap());
    assert!(client.asked.contains(&partial) && client.asked.contains(&full));
    assert_eq!(client.state.checkpoint().unwrap().checkpoint().size.0, 5);
}

#[test]
fn a_log_that_went_on_between_two_answers_is_no_liar() {
    let (mut world, mut client) = begun();
    world.release(hashes(0..12), 200);
    let bundle = {
        let mut world = world.clone();
        world.publish(200);
        world.publish(205);
        world.bundle()
    };
    // The seen proof that is served is of a larger tree than the bundle's.
    world.release(hashes(0..13), 260);
    world.publish(200);
    world.serve_bundle(&bundle);
    assert_eq!(client.version_from(&world, 205), Ok(2));
}

/// A bundle holds some 500 editions at most. Each is asked for, parsed and judged once.
#[test]
fn many_editions_are_asked_for_once_each() {
    let mut world = World::founded();
    for more in 1..200 {
        world.edition(|charter| charter.limits.notice = 3600 + more);
    }
    world.publish(10);
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    let updated = client.update(&world, 105).unwrap();
    assert_eq!((updated.list.charter().edition, updated.list.version()), (200, 1));
    // A statement and a seen proof for each, and little else.
    assert!(client.asked.len() <= 2 * 200 + 8, "{}", client.asked.len());
    client.restart();
    assert_eq!(client.version_from(&world, 106), Ok(1));
    assert!(
        client.asked.len() <= 200 + 8,
        "what was proven about an edition once is remembered: {}",
        client.asked.len()
    );
}

/// Edition 2 drops a stolen key, and no release came under it yet. Whoever has seen it takes no release by that key from a source that
/// leaves it out; one that only lags does no harm.
#[test]
fn an_edition_that_was_shown_is_not_forgotten_before_a_release_cites_it() {
    let mut world = World::with_release();
    let founding = world.charters().next().unwrap().id();
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    let before = world.bundle();
    let second = world.edition(|charter| charter.maintainer.keys.retain(|kept| kept != key("m1").verifier()));
    world.publish(108);
    assert_eq!(client.version_from(&world, 108), Ok(1), "it narrows, and is in force");
    let mut lagging = world.clone();
    lagging.serve_bundle(&before);
    assert_eq!(client.version_from(&lagging, 108), Ok(1), "a smaller tree need not have it");
    world.release_with(hashes(0..12), 200, |release| release.charter = founding);
    world.publish(200);
    world.publish(210);
    assert_eq!(Client::of(&world).refusal(&world, 210), ("superseded-edition", Some(1)));
    world.edit_bundle(|bundle| bundle.charters.retain(|charter| charter.id != second));
    assert_eq!(client.refusal(&world, 210), ("malformed", None), "without an edition that this client knows");
    client.restart();
    assert_eq!(client.refusal(&world, 210), ("malformed", None));
}

/// Recovered under another key, a client has a floor and no list to count against.
#[test]
fn what_is_older_than_a_floor_alone_is_no_rollback_beside_what_waits() {
    let mut world = World::with_release();
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    world.release(hashes(0..9), 200);
    world.publish(200);
    assert_eq!(client.version_from(&world, 200), Ok(2), "it removes only");
    client.state = client.state.under_another_key();
    client.wipe_cache();
    world.publish(202);
    assert_eq!(client.refusal(&world, 202), ("not-visible", Some(5)));
    world.publish(206);
    assert_eq!(client.version_from(&world, 206), Ok(2));
}
