//! What a refusal says beside its code: who answers for it, by whose word, and whether waiting may mend it.

use isonomy_core::resource::Resource;
use isonomy_tests::client::Client;
use isonomy_tests::people::{at, hashes};
use isonomy_tests::world::World;
use isonomy_verifier::Rejection;
use isonomy_verifier::rejection::{Blame, Lack};

/// How a verdict ends that rests on what the source shows.
const BY_SHOWN_PROOFS: &str = ". This goes by the seen proofs that the source gave, which may be later than others";

/// Version 1 in force at a client, at 105.
fn prepared() -> (World, Client) {
    let world = World::with_release();
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    (world, client)
}

#[test]
fn what_an_honest_source_never_does_is_told_from_what_may_pass() {
    let all = [
        (Lack::Unreachable, false),
        (Lack::Absent, false),
        (Lack::Slow, false),
        (Lack::Interrupted, false),
        (Lack::Failing, false),
        (Lack::Unauthorized, false),
        (Lack::TooLarge, true),
        (Lack::Elsewhere, true),
        (Lack::Garbled, true),
        (Lack::Limit, false),
    ];
    all.into_iter().for_each(|(lack, is)| assert_eq!(lack.is_misbehaviour(), is, "{lack:?}"));
}

#[test]
fn a_refusal_names_what_the_source_lacks() {
    let (mut world, mut client) = prepared();
    world.withhold(World::bundle_resource());
    let rejection = client.version_from(&world, 106).unwrap_err();
    assert_eq!((rejection.resource(), rejection.lack()), (Some(&World::bundle_resource()), Some(Lack::Absent)));
    world.serve(World::bundle_resource(), b"nonsense\n".to_vec());
    let rejection = client.version_from(&world, 106).unwrap_err();
    assert_eq!((rejection.resource(), rejection.lack()), (Some(&World::bundle_resource()), None));
    assert_eq!((Rejection::NoRelease.resource(), Rejection::NoRelease.lack()), (None, None));
}

/// By this device's clock alone nobody is to blame; once witnesses vouch for the time, whoever should have published is.
#[test]
fn a_refusal_says_by_whose_clock_a_release_has_expired() {
    let (mut world, client) = prepared();
    world.release_with(hashes(0..12), 1000, |release| release.expires = at(1100));
    world.publish(1000);
    let (latest, shown) = (at(1099), at(1100));
    let alone = format!(
        "by this device's clock alone, which shows {shown}: the latest time that witnesses vouch for is {latest}"
    );
    let vouched = "by the witnesses' time; its maintainer has to publish again";
    for (witnessed, clock, blame, words) in [
        (1099, 1100, Blame::Nobody, &*alone),
        (1100, 1100, Blame::Publisher, vouched),
        (1101, 0, Blame::Publisher, vouched),
    ] {
        world.publish(witnessed);
        let rejection = client.clone().version_from(&world, clock).unwrap_err();
        assert_eq!((rejection.code(), rejection.blame()), ("expired", blame), "{witnessed}");
        assert!(rejection.to_string().contains(words), "{rejection}");
    }
}

/// A notice that is not over by the proofs that a source shows may be so by others; what is proven, or rests on no time, is what it is.
#[test]
fn a_refusal_says_whether_it_rests_on_what_the_source_shows() {
    let (mut world, mut client) = prepared();
    world.edition(|charter| charter.matching.max_distance = 31);
    world.publish(1000);
    world.release(hashes(0..12), 1100);
    world.publish(1100);
    world.publish(1105);
    let unproven = Client::of(&world).version_from(&world, 1105).unwrap_err();
    assert_eq!((unproven.code(), unproven.blame()), ("notice-not-over", Blame::Source));
    assert!(unproven.evidence().is_none() && unproven.to_string().ends_with(BY_SHOWN_PROOFS), "{unproven}");
    let proven = client.version_from(&world, 1105).unwrap_err();
    assert_eq!(
        (proven.code(), proven.blame()),
        ("notice-not-over", Blame::Publisher),
        "it remembers what was there before"
    );
    assert!(proven.evidence().is_some() && !proven.to_string().contains(BY_SHOWN_PROOFS), "{proven}");

    let (mut world, mut client) = prepared();
    world.release_with(hashes(0..12), 1000, |release| release.entries = 1001);
    world.publish(1000);
    world.publish(1005);
    let over_limit = client.version_from(&world, 1005).unwrap_err();
    assert_eq!((over_limit.code(), over_limit.blame()), ("over-limit", Blame::Publisher));
    assert!(!over_limit.to_string().contains(BY_SHOWN_PROOFS), "{over_limit}");
    let charter = world.charters().next().unwrap().id();
    assert!(!client.asked.contains(&Resource::SeenProof(charter)), "nor is a time that is known asked for again");
}
