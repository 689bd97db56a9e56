//! Content: objects that their publisher signed and that are not what they should be, or that would take all of a
//! client's memory; and the chain of releases by which a client catches up.

use isonomy_core::hash::StatementId;
use isonomy_core::list::{delta, snapshot};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_tests::client::{Client, drive};
use isonomy_tests::people::{SIGNERS, at, hashes};
use isonomy_tests::world::World;
use isonomy_verifier::State;
use isonomy_verifier::rejection::Blame;

/// Version 1 in force at a client, at 105.
fn prepared() -> (World, Client) {
    let mut world = World::founded_with(|charter| charter.limits.max_entries = 1 << 50);
    world.release(hashes(0..50), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    (world, client)
}

fn version_two(world: &mut World, edit: impl FnOnce(&mut Release)) {
    world.release_with(hashes(0..52), 1000, edit);
    world.publish(1000);
    world.publish(1010);
}

/// Version 2, with these bytes for its delta.
fn with_delta(world: &mut World, bytes: Vec<u8>) {
    let ObjectRef { size, sha256 } = world.object(bytes);
    version_two(world, |release| {
        release.deltas[0].size = size;
        release.deltas[0].sha256 = sha256;
    });
}

/// Version 2, with these bytes for its snapshot.
fn with_snapshot(world: &mut World, bytes: Vec<u8>) {
    let object = world.object(bytes);
    version_two(world, |release| release.snapshot = object);
}

/// The delta from 50 entries to these.
fn delta_to(numbers: std::ops::Range<u64>) -> Vec<u8> {
    delta::encode(&delta::diff(&hashes(0..50), &hashes(numbers)).unwrap())
}

/// A delta of few bytes that says that it removes and adds so many.
fn delta_that_says(removed: u32, added: u32) -> Vec<u8> {
    [&b"isodelt1\x20"[..], &50u32.to_be_bytes(), &removed.to_be_bytes(), &added.to_be_bytes(), &[0x80; 40]].concat()
}

type Breach = (&'static str, fn(&mut World), &'static str);

#[rustfmt::skip]
const DELTAS: &[Breach] = &[
    ("no delta at all",                 |w| with_delta(w, b"not a delta".to_vec()),                "undecodable"),
    ("an empty object",                 |w| with_delta(w, Vec::new()),                             "undecodable"),
    ("from a list of another length",   |w| with_delta(w, delta::encode(&delta::diff(&hashes(0..49), &hashes(0..52)).unwrap())), "undecodable"),
    ("to another list",                 |w| with_delta(w, delta_to(0..51)),                        "count-mismatch"),
    ("to another list of that length",  |w| with_delta(w, delta_to(1..53)),                        "root-mismatch"),
    ("adds four billion entries",       |w| with_delta(w, delta_that_says(0, u32::MAX)),           "undecodable"),
    ("removes four billion entries",    |w| with_delta(w, delta_that_says(u32::MAX, 0)),           "undecodable"),
    ("adds and removes four billion",   |w| with_delta(w, delta_that_says(u32::MAX, u32::MAX)),    "undecodable"),
    ("removes more than there are",     |w| with_delta(w, delta_that_says(51, 0)),                 "undecodable"),
];

#[rustfmt::skip]
const SNAPSHOTS: &[Breach] = &[
    ("no snapshot at all",              |w| { let zeros = vec![0; snapshot::encode(&hashes(0..52)).len()]; with_snapshot(w, zeros) }, "undecodable"),
    ("of another list",                 |w| with_snapshot(w, snapshot::encode(&hashes(1..53))),    "root-mismatch"),
    ("of a shorter list",               |w| with_snapshot(w, snapshot::encode(&hashes(0..51))),    "count-mismatch"),
    ("smaller than it must be",         |w| version_two(w, |r| r.snapshot.size -= 1),              "count-mismatch"),
    ("of all the bytes in the world",   |w| version_two(w, |r| r.snapshot.size = 1 << 52),         "count-mismatch"),
    ("of more entries than any list",   |w| version_two(w, |r| { r.entries = 1 << 40; r.snapshot.size = 1 << 45; }), "over-limit"),
];

#[test]
fn objects_that_are_not_what_was_promised_are_their_publisher_s_fault() {
    let (honest, client) = prepared();
    for (breaches, client) in [(DELTAS, client), (SNAPSHOTS, Client::of(&honest))] {
        for (name, log, code) in breaches {
            let (mut world, mut client) = (honest.clone(), client.clone());
            log(&mut world);
            let rejection = client.version_from(&world, 1010).expect_err(name);
            assert_eq!((rejection.code(), rejection.blame()), (*code, Blame::Publisher), "{name}: {rejection}");
        }
    }
}

#[test]
fn a_client_asks_for_no_more_bytes_than_its_limits() {
    let (mut honest, _) = prepared();
    version_two(&mut honest, |_| ());
    let state = State::new(honest.policy().list());
    let ask = |world: &World| drive(&world.policy(), &state, None, at(1010), world).asked;
    let most = |asked: &[(Resource, u64)]| asked.iter().map(|(_, most)| *most).max();
    assert_eq!(most(&ask(&honest)), Some(isonomy_core::bundle::MAX_BUNDLE_SIZE as u64), "the bundle");
    for (name, log, _) in &SNAPSHOTS[3..] {
        let (mut world, _) = prepared();
        log(&mut world);
        let asked = ask(&world);
        assert!(!asked.iter().any(|(resource, _)| matches!(resource, Resource::Object(_))), "{name}");
    }
}

#[test]
fn a_delta_that_is_larger_than_the_snapshot_is_not_fetched() {
    let (mut world, mut client) = prepared();
    with_delta(&mut world, vec![0; 1 << 20]);
    assert_eq!(client.version_from(&world, 1010), Ok(2), "the snapshot is cheaper");
}

/// Versions 2 to 8, of which the client has seen none.
fn grown() -> (World, Client, Vec<StatementId>) {
    let (mut world, client) = prepared();
    for version in 2..=8u64 {
        world.release(hashes(0..50 + version), 1000 * version);
    }
    world.publish(8000);
    world.publish(8010);
    let releases = world.releases().map(|release| release.id()).collect();
    (world, client, releases)
}

#[test]
fn the_chain_down_to_the_release_in_force_is_checked() {
    let (honest, client, releases) = grown();
    assert_eq!(client.clone().version_from(&honest, 8010), Ok(8));
    let fourth = Resource::Statement(releases[3]);
    let mut missing = honest.clone();
    missing.withhold(fourth.clone());
    assert_eq!(client.clone().refusal(&missing, 8010), ("unavailable", None));
    let mut swapped = honest.clone();
    swapped.swap(fourth, Resource::Statement(releases[4]));
    assert_eq!(client.clone().refusal(&swapped, 8010), ("malformed", None));
}

#[test]
fn a_release_that_names_other_ancestors_does_not_descend() {
    let (honest, client, releases) = grown();
    let charter = honest.charters().next().unwrap().id();
    // What version 8 names as version 4: another version, a charter, or something that nobody has.
    for (ancestor, expected) in [
        (releases[2], ("not-descended", Some(1))),
        (releases[0], ("not-descended", Some(1))),
        (charter, ("not-descended", Some(1))),
        (StatementId([9; 32]), ("unavailable", None)),
    ] {
        let mut world = honest.fork(honest.size() - 1);
        let mut draft = world.draft(hashes(0..60), 8000);
        draft.release.deltas[0].release = ancestor;
        world.log(draft, &SIGNERS);
        world.publish(8000);
        world.publish(8010);
        assert_eq!(client.clone().refusal(&world, 8010), expected);
    }
}

#[test]
fn a_branch_that_left_before_the_release_in_force_does_not_descend() {
    let (mut world, mut client, _) = grown();
    // From version 8 on, everything comes from another version 1, which the log holds as well.
    let mut other = world.fork(1);
    for version in 1..=8u64 {
        other.release(hashes(100..150 + version), 1000 * version + 1);
    }
    let branch: Vec<StatementId> = other.releases().map(|release| release.id()).collect();
    for id in &branch {
        world.append(other.statement(id).clone());
    }
    world.publish(9000);
    world.publish(9010);
    world.offer_only(&branch[7..]);
    assert_eq!(client.refusal(&world, 9010).0, "not-descended");
}
