//! A log that shows two histories. The client stops, for good, and keeps a file that convinces anybody.

use isonomy_core::hash::StatementId;
use isonomy_core::resource::Resource;
use isonomy_tests::client::{Client, drive};
use isonomy_tests::people::{LOG, at, hashes};
use isonomy_tests::world::{World, cosigned};
use isonomy_verifier::rejection::Blame;
use isonomy_verifier::{Evidence, Rejection, State};

/// Who cosigns the other history.
#[derive(Clone, Copy, PartialEq)]
enum Cosigned {
    ByTheQuorum,
    ByNobody,
}
use Cosigned::{ByNobody, ByTheQuorum};

/// Whose tiles the source serves.
#[derive(Clone, Copy, PartialEq)]
enum Tiles {
    OfTheFork,
    OfTheHonestLog,
}
use Tiles::{OfTheFork, OfTheHonestLog};

/// A log of five entries, and a client that has version 4 in force and has seen all five.
fn prepared() -> (World, Client) {
    let mut world = World::founded();
    for version in 1..=4 {
        world.release(hashes(0..10 + version), 100 * version);
    }
    world.publish(400);
    world.publish(405);
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 405), Ok(4));
    (world, client)
}

/// A history with the first `common` entries of the honest one, and `size` entries in all.
fn forked(honest: &World, common: u64, size: u64, cosignatures: Cosigned) -> World {
    let mut fork = honest.fork(common);
    for version in common..size {
        fork.release(hashes(50..60 + version), 100 * version + 1);
    }
    fork.publish(1000);
    fork.publish(1010);
    if cosignatures == ByNobody {
        fork.publish_note(fork.checkpoint(size));
    }
    fork
}

/// (name, entries in common, size, cosigned, tiles served, code).
type Case = (&'static str, u64, u64, Cosigned, Tiles, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("same size",                             2, 5, ByTheQuorum, OfTheFork,      "fork"),
    ("same size, the log alone",              2, 5, ByNobody,    OfTheFork,      "fork"),
    ("larger",                                2, 7, ByTheQuorum, OfTheFork,      "fork"),
    ("larger, the log alone",                 2, 7, ByNobody,    OfTheFork,      "fork"),
    ("larger, in the last common entry",      4, 8, ByTheQuorum, OfTheFork,      "fork"),
    ("larger, the other tree's tiles",        2, 7, ByTheQuorum, OfTheHonestLog, "malformed"),
    ("larger, alone, the other tree's tiles", 2, 7, ByNobody,    OfTheHonestLog, "no-quorum"),
    ("smaller",                               2, 4, ByTheQuorum, OfTheHonestLog, "fork"),
    ("smaller, the log alone",                2, 3, ByNobody,    OfTheHonestLog, "fork"),
    ("smaller, its own tiles alone",          2, 4, ByTheQuorum, OfTheFork,      "behind"),
    ("smaller, alone, its own tiles alone",   2, 4, ByNobody,    OfTheFork,      "no-quorum"),
    ("smaller, but the same history",         4, 4, ByTheQuorum, OfTheHonestLog, "behind"),
    ("the same history, the log alone",       5, 5, ByNobody,    OfTheHonestLog, "no-quorum"),
];

#[test]
fn forks_stop_updates_where_they_are_provable() {
    let (honest, client) = prepared();
    let grown = forked(&honest, 5, 8, ByTheQuorum);
    for (name, common, size, cosignatures, tiles, code) in CASES {
        let mut client = client.clone();
        let mut world = forked(&honest, *common, *size, *cosignatures);
        if *tiles == OfTheHonestLog {
            world.serve_tiles_of(&grown);
        }
        let rejection = client.version_from(&world, 1010).expect_err(name);
        assert_eq!(rejection.code(), *code, "{name}: {rejection}");
        if *code == "fork" {
            assert_eq!(rejection.blame(), Blame::Log, "{name}");
            check_stopped(name, &honest, &mut client, &rejection);
        } else {
            assert_eq!((rejection.evidence(), client.state.halted()), (None, None), "{name}");
            assert_eq!(client.version_from(&honest, 1010), Ok(4), "{name}: and the next source is asked");
        }
    }
}

/// The evidence convinces anybody, the list stays, and no source is believed any more.
fn check_stopped(name: &str, honest: &World, client: &mut Client, rejection: &Rejection) {
    let evidence = rejection.evidence().unwrap();
    let file = evidence.to_text();
    let breach = Evidence::parse(file.as_bytes()).unwrap().verify(&honest.trust()).unwrap();
    assert_eq!(breach.names(), [LOG], "{name}");
    assert_eq!(client.state.halted(), Some(&evidence.digest()), "{name}");
    assert_eq!(client.list.as_ref().map(|list| list.version()), Some(4), "{name}: the last good list stays");
    assert_eq!(client.refusal(honest, 1010), ("halted", None), "{name}: for good");
    assert!(client.asked.is_empty(), "{name}: and without a request");
    client.restart();
}

#[test]
fn the_evidence_is_saved_with_the_state_that_names_it() {
    let (honest, client) = prepared();
    let fork = forked(&honest, 2, 7, ByTheQuorum);
    let driven = drive(&client.policy, &client.state, client.list.as_ref(), at(1010), &fork);
    let saved: Vec<_> = driven.saves.iter().filter(|save| save.state.halted().is_some()).collect();
    let [save] = saved[..] else { panic!("{} saves", saved.len()) };
    let evidence = save.evidence.as_ref().unwrap();
    assert_eq!(Some(&evidence.digest()), save.state.halted());
    assert_eq!(driven.outcome.unwrap_err().evidence(), Some(evidence));
    assert_eq!(save.state.checkpoint(), client.state.checkpoint(), "the other history is not taken over");
}

#[test]
fn a_seen_proof_under_another_history_is_a_fork() {
    let (mut honest, mut client) = prepared();
    let fifth = honest.release(hashes(0..20), 900);
    let mut fork = honest.clone();
    fork.release(hashes(0..21), 960);
    fork.publish(1000);
    honest.release(hashes(0..22), 960);
    honest.publish(1000);
    honest.publish(1010);
    let proof = |world: &World, id: &StatementId| world.seen_proof(id).to_bytes();
    assert_ne!(proof(&honest, &fifth), proof(&fork, &fifth));
    honest.serve(Resource::SeenProof(fifth), proof(&fork, &fifth));
    honest.offer_only(&[fifth]);
    let rejection = client.version_from(&honest, 1010).unwrap_err();
    assert_eq!(rejection.code(), "fork");
    check_stopped("seen proof", &honest, &mut client, &rejection);
}

#[test]
fn evidence_that_was_shown_from_outside_stops_updates_too() {
    let (honest, mut client) = prepared();
    let other = forked(&honest, 2, 5, ByNobody);
    let evidence = Evidence::fork(honest.published(), other.published(), Vec::new());
    evidence.verify(&honest.trust()).unwrap();
    client.state = client.state.clone().with_halt(evidence.digest());
    assert_eq!(client.refusal(&honest, 1010), ("halted", None));
    let kept = State::parse(&client.state.to_bytes().unwrap(), client.policy.list()).unwrap();
    assert_eq!(kept.halted(), Some(&evidence.digest()));
}

#[test]
fn a_first_client_has_nothing_to_compare() {
    let (honest, _) = prepared();
    let fork = forked(&honest, 2, 7, ByTheQuorum);
    // Whoever remembers nothing is at the quorum's mercy: this is what witnesses are for.
    assert_eq!(Client::of(&honest).version_from(&fork, 1010), Ok(6));
    let alone = forked(&honest, 2, 7, ByNobody);
    assert_eq!(Client::of(&honest).refusal(&alone, 1010), ("no-quorum", None));
    let mut by_one = honest.clone();
    by_one.publish_note(cosigned(&by_one.checkpoint(5), &[(3, 1010)]));
    assert_eq!(Client::of(&honest).refusal(&by_one, 1010), ("no-quorum", None));
}
