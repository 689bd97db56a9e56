//! A model of the rule by which a client accepts, as an exhaustive walk: every state that a client can get into, times
//! everything that an attacker who holds the log's key and some witnesses can show it, times restarts and lost caches. What
//! decides is the real [`isonomy_verifier::Update`]; the model knows only what must never happen:
//!
//! 1. a version in force is given up for an older one, or for another text of the same version;
//! 2. what is in force, and the checkpoint that is remembered, leave the history that the client is in;
//! 3. anything is taken up that a quorum has not seen;
//! 4. anything changes after the proof of a fork.
//!
//! And, so that it isn't safe by refusing everything: 5. an honest log that is ahead is always taken up.

use isonomy_core::hash::StatementId;
use isonomy_tests::client::Client;
use isonomy_tests::people::hashes;
use isonomy_tests::world::World;
use std::collections::{HashMap, VecDeque};

/// Both histories begin with the charter and version 1.
const COMMON: u64 = 2;
/// The charter and versions 1 to 3.
const SIZE: u64 = 4;
/// When the client asks; everything has been visible for long.
const NOW: u64 = 2000;

/// Which of the two histories.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Honest,
    Forked,
}

/// One thing that can be shown.
#[derive(Clone)]
struct View {
    side: Side,
    size: u64,
    has_quorum: bool,
    /// The versions in it, oldest first.
    releases: Vec<StatementId>,
    offers_newest: bool,
    served: World,
}

fn history(honest: &World, first: u64, last: u64, content: u64) -> World {
    let mut world = honest.clone();
    for version in first..=last {
        world.release(hashes(content..content + 10 + version), 100 * version);
        world.publish(100 * version);
    }
    world
}

/// Everything that can be shown: each history, at each size, with a quorum, one witness or none, offering the newest
/// release or only the one before, with the tiles of either history.
fn views() -> Vec<View> {
    let founded = World::founded();
    let common = history(&founded, 1, 1, 0);
    let honest = history(&common, 2, 3, 0);
    let forked = history(&common.fork(COMMON), 2, 3, 500);
    let mut views = Vec::new();
    for (side, world, other) in [(Side::Honest, &honest, &forked), (Side::Forked, &forked, &honest)] {
        for size in 1..=SIZE {
            for witnesses in [&[1, 2][..], &[3], &[]] {
                let mut shown = world.clone();
                let times: Vec<(u8, u64)> = witnesses.iter().map(|witness| (*witness, NOW)).collect();
                shown.cosign(size, &times);
                let releases: Vec<StatementId> =
                    shown.releases().map(|release| release.id()).take(size as usize - 1).collect();
                for offers_newest in [true, false] {
                    let offered = if offers_newest { releases.len() } else { releases.len().saturating_sub(1) };
                    for tiles_of_the_other in [false, true] {
                        let mut served = shown.clone();
                        served.offer_only(&releases[offered.saturating_sub(1)..offered]);
                        if tiles_of_the_other {
                            served.serve_tiles_of(other);
                        }
                        let (releases, has_quorum) = (releases.clone(), witnesses.len() >= 2);
                        views.push(View { side, size, has_quorum, releases, offers_newest, served });
                    }
                }
            }
        }
    }
    views
}

/// What tells one client from another: all that it remembers, and whether its content is at hand.
fn key(client: &Client) -> (Vec<u8>, bool) {
    (client.state.to_bytes().expect("a state"), client.list.is_some())
}

/// How many entries the client has seen of which history: what it must never leave.
fn standing(client: &Client, views: &[View]) -> (u64, Option<Side>) {
    let Some(checkpoint) = client.state.checkpoint() else { return (0, None) };
    let tree = checkpoint.checkpoint();
    let of = |side| views.iter().any(|view| view.side == side && view.served.published().checkpoint() == tree);
    let side = match (of(Side::Honest), of(Side::Forked)) {
        (true, true) => None,
        (true, false) => Some(Side::Honest),
        (false, true) => Some(Side::Forked),
        (false, false) => panic!("it remembers a checkpoint that nobody showed"),
    };
    (tree.size.0, side)
}

fn check(before: &Client, view: &View, after: &Client, outcome: &Result<u64, &'static str>, views: &[View]) {
    let shown =
        format!("{:?} {} quorum {} newest {}: {outcome:?}", view.side, view.size, view.has_quorum, view.offers_newest);
    let accepted = |client: &Client| client.state.accepted().map(|accepted| (accepted.version, accepted.release));
    match (accepted(before), accepted(after)) {
        (Some(before), Some(after)) => assert!(after.0 > before.0 || after == before, "1. given up: {shown}"),
        (Some(_), None) => panic!("1. forgotten: {shown}"),
        _ => {}
    }
    let ((size, side), (new_size, new_side)) = (standing(before, views), standing(after, views));
    assert!(new_size >= size, "2. the remembered tree shrank: {shown}");
    assert!(side.is_none() || new_side == side, "2. another history: {shown}");
    if let (Some((_, release)), Some(side)) = (accepted(after), new_side) {
        let whole = views.iter().find(|view| view.side == side && view.size == SIZE).expect("the whole history");
        assert!(whole.releases.contains(&release), "2. a release of another history: {shown}");
    }
    if !view.has_quorum {
        assert_eq!((accepted(before), size), (accepted(after), new_size), "3. without a quorum: {shown}");
        assert!(outcome.is_err(), "3. without a quorum: {shown}");
    }
    if before.state.halted().is_some() {
        assert_eq!(before.state, after.state, "4. {shown}");
        assert_eq!(*outcome, Err("halted"), "4. {shown}");
    }
}

/// Of 5: from wherever a client is, unless it has seen the other history or the proof of a fork, the whole honest log is taken
/// up.
fn check_alive(client: &Client, views: &[View]) {
    let (_, side) = standing(client, views);
    if client.state.halted().is_some() || side == Some(Side::Forked) {
        return;
    }
    let whole = views
        .iter()
        .find(|view| view.side == Side::Honest && view.size == SIZE && view.has_quorum && view.offers_newest);
    let outcome = client.clone().version_from(&whole.expect("a view").served, NOW);
    assert_eq!(outcome, Ok(SIZE - 1), "5. stuck at {:?}", client.state);
}

#[test]
fn no_sequence_of_views_and_restarts_makes_a_client_accept_an_older_or_forked_one() {
    let views = views();
    let first = Client::of(&views[views.len() - 1].served);
    let mut seen = HashMap::from([(key(&first), ())]);
    let mut queue = VecDeque::from([first]);
    let mut steps = 0;
    while let Some(client) = queue.pop_front() {
        check_alive(&client, &views);
        for view in &views {
            let mut after = client.clone();
            let outcome = after.version_from(&view.served, NOW).map_err(|rejection| rejection.code());
            check(&client, view, &after, &outcome, &views);
            steps += 1;
            let mut wiped = after.clone();
            wiped.wipe_cache();
            if after.list.is_some() {
                after.restart();
            }
            for next in [after, wiped] {
                if seen.insert(key(&next), ()).is_none() {
                    queue.push_back(next);
                }
            }
        }
    }
    println!("{} states, {} views, {steps} steps", seen.len(), views.len());
    assert!(seen.len() > 20, "the walk must reach more than {} states", seen.len());
}
