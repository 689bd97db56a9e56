//! Policies that ask for auditors who have read the whole log.

use isonomy_core::attestation::{Attestation, Method};
use isonomy_core::bundle::Included;
use isonomy_core::hash::{StatementId, sha256};
use isonomy_core::note::{KeyType, SigningKey};
use isonomy_core::resource::Resource;
use isonomy_core::rules::Violation;
use isonomy_core::tree::TreeSize;
use isonomy_tests::client::Client;
use isonomy_tests::people::{at, hashes, key};
use isonomy_tests::world::World;
use isonomy_verifier::policy::PolicyError;
use isonomy_verifier::rejection::Blame;
use isonomy_verifier::{Policy, Rejection};

/// The policy of `world` with these lines after it.
fn policy_and(world: &World, lines: &str) -> Result<Policy, PolicyError> {
    Policy::parse([&world.policy_text(), "\n", lines].concat().as_bytes())
}

fn auditor(name: &str) -> String {
    key(name).verifier().to_string()
}

fn followed(world: &World, least: u64, names: &[&str]) -> Client {
    let auditors: Vec<String> = names.iter().map(|name| format!("\"{}\"", auditor(name))).collect();
    let lines = format!("[audit]\nfollowed = {least}\nauditors = [{}]\n", auditors.join(", "));
    Client::with(policy_and(world, &lines).unwrap())
}

fn newest(world: &World) -> StatementId {
    world.releases().last().unwrap().id()
}

fn attested(world: &mut World, auditors: &[&str]) -> StatementId {
    let (release, size) = (newest(world), world.size());
    for auditor in auditors {
        let attestation = world.attestation(auditor, &release, size);
        world.attest(&attestation, auditor);
    }
    release
}

#[test]
fn a_release_waits_for_the_auditors_that_the_policy_asks_for() {
    let mut world = World::with_release();
    let mut client = followed(&world, 2, &["a1", "a2", "a3"]);
    assert_eq!(client.refusal(&world, 105), ("too-few-attestations", Some(9)));
    attested(&mut world, &["a1"]);
    world.publish(110);
    let rejection = client.version_from(&world, 110).unwrap_err();
    let Rejection::Rule { violation, .. } = &rejection else { panic!("{rejection}") };
    assert_eq!(*violation, Violation::TooFewAttestations { have: 1, need: 2 });
    attested(&mut world, &["a3"]);
    world.publish(115);
    assert_eq!(client.version_from(&world, 115), Ok(1));
    client.restart();
    assert_eq!(client.state.accepted().unwrap().attested_by.len(), 2);

    world.release(hashes(0..12), 1000);
    world.publish(1000);
    world.publish(1005);
    let updated = client.update(&world, 1005).unwrap();
    assert_eq!(updated.list.version(), 1, "the list in force stays while the newer one waits");
    assert_eq!(updated.pending[0].waits_for, Violation::TooFewAttestations { have: 0, need: 2 });
    attested(&mut world, &["a1", "a2", "a3"]);
    world.publish(1010);
    assert_eq!(client.version_from(&world, 1010), Ok(2));
}

#[test]
fn only_what_says_that_the_log_was_followed_up_to_the_release_counts() {
    let other_method = |attestation: &mut Attestation| {
        attestation.method = Method::Recomputed;
        attestation.log_size = None;
        attestation.sample = Some(10);
        attestation.errors = Some(0);
    };
    let too_short = |attestation: &mut Attestation| attestation.log_size = Some(TreeSize(1));
    let too_long = |attestation: &mut Attestation| attestation.log_size = Some(TreeSize(4));
    let other_release = |attestation: &mut Attestation| attestation.release = StatementId([3; 32]);
    let as_it_is = |_: &mut Attestation| ();
    type Edit = fn(&mut Attestation);
    for (name, edit, auditor, signer, expected) in [
        ("as asked for", as_it_is as Edit, "a1", "a1", Ok(1)),
        ("another method", other_method, "a1", "a1", Err(("too-few-attestations", Some(9)))),
        ("up to before the release", too_short, "a1", "a1", Err(("too-few-attestations", Some(9)))),
        ("up to what was not there yet", too_long, "a1", "a1", Err(("too-few-attestations", Some(9)))),
        ("about another release", other_release, "a1", "a1", Err(("too-few-attestations", Some(9)))),
        ("by a stranger", as_it_is, "stranger", "stranger", Err(("too-few-attestations", Some(9)))),
        ("signed by another", as_it_is, "a1", "a2", Err(("uncounted-signature", Some(2)))),
    ] {
        let mut world = World::with_release();
        let mut attestation = world.attestation(auditor, &newest(&world), 2);
        edit(&mut attestation);
        let id = world.attest(&attestation, signer);
        world.publish(110);
        let included = world.proof(&id);
        world.edit_bundle(|bundle| {
            bundle.attestations = vec![Included { id, index: included.index, path: included.path }];
        });
        let mut client = followed(&world, 1, &["a1", "a2"]);
        let outcome = client
            .version_from(&world, 110)
            .map_err(|rejection| (rejection.code(), rejection.rule().map(|rule| rule.number())));
        assert_eq!(outcome, expected, "{name}");
    }
}

/// One auditor is one, however often it attests and under however many names.
#[test]
fn an_auditor_counts_once() {
    let mut world = World::with_release();
    let release = newest(&world);
    for size in [2, 3] {
        let attestation = world.attestation("a1", &release, size);
        world.attest(&attestation, "a1");
    }
    world.publish(110);
    assert_eq!(followed(&world, 2, &["a1", "a2"]).refusal(&world, 110), ("too-few-attestations", Some(9)));
    let seed = sha256(&[b"a1"]);
    let alias = SigningKey::from_seed("another-name", KeyType::Ed25519, &seed).unwrap();
    let lines = format!("[audit]\nfollowed = 2\nauditors = [\"{}\", \"{}\"]\n", auditor("a1"), alias.verifier());
    let refused = policy_and(&world, &lines).unwrap_err();
    assert_eq!(refused, PolicyError::Auditors { followed: 2, named: 1 });
    let none = policy_and(&world, &format!("[audit]\nauditors = [\"{}\"]\n", auditor("a1"))).unwrap_err();
    assert_eq!(none, PolicyError::Auditors { followed: 0, named: 1 });
}

#[test]
fn an_attestation_that_is_not_in_the_log_is_its_source_s_fault() {
    let mut world = World::with_release();
    attested(&mut world, &["a1"]);
    world.publish(110);
    world.edit_bundle(|bundle| bundle.attestations[0].path[0].0[0] ^= 1);
    let rejection = followed(&world, 1, &["a1"]).version_from(&world, 110).unwrap_err();
    assert_eq!((rejection.code(), rejection.blame()), ("malformed", Blame::Source), "{rejection}");
    assert_eq!(Client::of(&world).version_from(&world, 110), Ok(1), "who asks for none does not look");
}

#[test]
fn a_list_that_no_auditor_looked_at_is_judged_again_when_the_policy_asks_for_one() {
    let world = World::with_release();
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    client.policy = followed(&world, 1, &["a1"]).policy;
    assert_eq!(client.refusal(&world, 106), ("too-few-attestations", Some(9)));
}

/// Versions 1 to 4, of which 4 is not public for long enough at 405. a1 attests version 2, a2 version 1, nobody the rest.
fn followed_behind() -> (World, Vec<StatementId>) {
    let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
    let mut ids = Vec::new();
    for version in 1..=4 {
        ids.push(world.release(hashes(0..10 + version), 100 * version));
        world.publish(100 * version);
    }
    for (auditor, release, log_size) in [("a2", &ids[0], 2), ("a1", &ids[1], 3)] {
        let attestation = world.attestation(auditor, release, log_size);
        world.attest(&attestation, auditor);
    }
    world.publish(404);
    (world, ids)
}

fn pending(client: &mut Client, world: &World, clock: u64) -> (u64, Vec<u64>) {
    let updated = client.update(world, clock).unwrap();
    (updated.list.version(), updated.pending.iter().map(|waiting| waiting.version).collect())
}

/// Auditors speak later than releases become usable. A new client must not go without a list until they do.
#[test]
fn a_new_client_takes_the_newest_release_that_its_auditors_have_followed() {
    let (world, _) = followed_behind();
    for (least, names, expected) in [
        (0, &[][..], (3, vec![4])),
        (1, &["a1"], (2, vec![4, 3])),
        (1, &["a2"], (1, vec![4, 3, 2])),
        (1, &["a1", "a2"], (2, vec![4, 3])),
        (2, &["a1", "a2"], (1, vec![4, 3, 2])),
    ] {
        let mut client = followed(&world, least, names);
        assert_eq!(pending(&mut client, &world, 404), expected, "{least} of {names:?}");
        client.restart();
        assert_eq!(pending(&mut client, &world, 404), expected, "{least} of {names:?}, again");
    }
    let refused = followed(&world, 1, &["a3"]).version_from(&world, 404).unwrap_err();
    assert_eq!(refused.rule().map(|rule| rule.number()), Some(9), "{refused}");
}

/// What a client asks for follows from its policy and from what it has, never from who it is.
#[test]
fn what_is_asked_for_is_the_same_for_all_and_little_more_than_without_auditors() {
    let (world, ids) = followed_behind();
    let mut asked = Vec::new();
    for _ in 0..2 {
        let mut client = followed(&world, 2, &["a1", "a2"]);
        client.update(&world, 404).unwrap();
        asked.push(client.asked);
    }
    assert_eq!(asked[0], asked[1]);
    let mut light = Client::of(&world);
    light.update(&world, 404).unwrap();
    // Two attestations; a statement and a seen proof for each of the two older releases.
    assert_eq!(asked[0].len(), light.asked.len() + 6);
    let is_older = |asked: &&Resource| ids[..2].iter().any(|id| **asked == Resource::Statement(*id));
    assert_eq!(light.asked.iter().find(is_older), None, "what is there for others costs others nothing");
}

/// What waits is named, not the older release that the policy does not accept anyway.
#[test]
fn below_the_app_s_own_floor_nothing_is_taken() {
    let (world, _) = followed_behind();
    let mut client = followed(&world, 1, &["a1"]);
    let text = world.policy_text().replace("min_version = 1", "min_version = 3");
    let audit = format!("\n[audit]\nfollowed = 1\nauditors = [\"{}\"]\n", auditor("a1"));
    client.policy = Policy::parse((text.clone() + &audit).as_bytes()).unwrap();
    assert_eq!(client.refusal(&world, 404), ("too-few-attestations", Some(9)));
    let mut old = world.clone();
    let second = old.releases().nth(1).unwrap().id();
    old.offer_only(&[second]);
    assert_eq!(client.refusal(&old, 404), ("policy", None), "where nothing waits, that is why");
}

#[test]
fn what_stands_before_the_list_in_force_is_there_for_others() {
    let (mut world, ids) = followed_behind();
    let mut client = followed(&world, 1, &["a1"]);
    assert_eq!(client.version_from(&world, 404), Ok(2));
    world.offer_only(&[ids[0], ids[2], ids[3]]);
    assert_eq!(pending(&mut client, &world, 404), (2, vec![4, 3]));
    assert!(!client.asked.contains(&Resource::Statement(ids[0])));
    world.offer_only(&ids[..1]);
    assert_eq!(client.refusal(&world, 404), ("rollback", None));
    assert_eq!(client.list.as_ref().map(|list| list.version()), Some(2));
}

#[test]
fn a_word_reaches_as_far_back_as_the_log_and_no_further_than_the_release_that_it_names() {
    let too_few = Err("too-few-attestations");
    for (what, names, log_size, offered, expected) in [
        ("it names the newer release", 2, 3, &[1, 2][..], Ok(2)),
        ("it has not read the release that it names", 2, 2, &[1, 2], too_few),
        ("it has read more than it names", 1, 3, &[1, 2], Ok(1)),
        ("the newer release that it names is not offered", 2, 3, &[1], too_few),
        ("the older release that it names is not offered", 1, 3, &[2], too_few),
    ] {
        let mut world = World::founded_with(|charter| charter.limits.min_interval = 0);
        let ids = [100, 200].map(|time| world.release(hashes(0..time), time));
        let attestation = world.attestation("a1", &ids[names - 1], log_size);
        world.attest(&attestation, "a1");
        world.publish(300);
        world.publish(305);
        let mut bundle = world.bundle_of(&ids);
        assert_eq!(bundle.attestations.len(), 1);
        bundle.releases.retain(|release| offered.iter().any(|version| ids[version - 1] == release.id));
        world.serve_bundle(&bundle);
        let outcome = followed(&world, 1, &["a1"]).version_from(&world, 305);
        assert_eq!(outcome.map_err(|rejection| rejection.code()), expected, "{what}");
    }
}

/// The release that is named has to be in the log, at the place that the bundle gives.
#[test]
fn a_release_that_a_word_names_is_not_believed_to_be_newer() {
    let (mut world, ids) = followed_behind();
    let mut bundle = world.bundle_of(&ids[..2]);
    bundle.releases[1].index = bundle.releases[0].index;
    bundle.releases[0].index = isonomy_core::tree::LeafIndex(0);
    world.serve_bundle(&bundle);
    let rejection = followed(&world, 1, &["a2"]).version_from(&world, 404).unwrap_err();
    assert_eq!((rejection.code(), rejection.blame()), ("malformed", Blame::Source), "{rejection}");
}

/// An older release may be valid for longer than a newer one.
#[test]
fn where_the_newest_has_expired_an_older_one_may_do() {
    let mut world = World::with_release();
    let mut holder = Client::of(&world);
    let short = world.release_with(hashes(0..12), 1000, |release| release.expires = at(1100));
    for time in [1000, 1005] {
        world.publish(time);
    }
    assert_eq!(holder.version_from(&world, 1005), Ok(2));
    world.publish(1200);
    let long = world.releases().next().unwrap().id();
    world.offer_only(&[long, short]);
    assert_eq!(Client::of(&world).version_from(&world, 1200), Ok(1));
    let kept = holder.update(&world, 1200).unwrap().list;
    assert_eq!(
        (kept.version(), kept.freshness(at(1200)).is_usable()),
        (2, false),
        "it is never given up for an older one"
    );
    world.offer_only(&[short]);
    assert_eq!(Client::of(&world).refusal(&world, 1200), ("expired", None));
}
