//! A model of the rule by which a client accepts, as an exhaustive walk: every state that a client can get into, times
//! everything that an attacker who holds the log's key and some witnesses can show it, times restarts and lost caches. What
//! decides is the real [`isonomy_verifier::Update`]; the model knows only what must never happen:
//!
//! 1. a version in force is given up for an older one, or for another text of the same version;
//! 2. what is in force, and the checkpoint under which an update came to its end, leave the history that the client is in, or
//!    go back in it; or an update comes to its end under a tree that another one, which was only shown, disproves;
//! 3. anything is taken up that a quorum has not seen;
//! 4. anything changes after the proof of a fork;
//! 5. an update comes to its end under an older state of the log than what was shown, if that is older than the policy calls
//!    fresh or from before the release in force; or knowledge is called newer than the last update that came to its end.
//!
//! And, so that it isn't safe by refusing everything: 6. an honest log that is ahead is always taken up; 7. so is one that lags,
//! but is not behind what the client has used, whatever checkpoints others have relayed.
//!
//! In `amended` the charter changes, too: nothing is taken up under an edition that is not in force yet, or was narrowed.

#[path = "client_model/amended.rs"]
mod amended;

use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::StatementId;
use isonomy_core::time::Timestamp;
use isonomy_tests::client::Client;
use isonomy_tests::people::{at, hashes};
use isonomy_tests::world::World;
use std::collections::VecDeque;

/// Both histories begin with the charter and version 1.
const COMMON: u64 = 2;
/// The charter and versions 1 to 3.
const SIZE: u64 = 4;
/// When the client asks; everything has been visible for long.
const NOW: u64 = 2000;
/// A little longer ago than what the policy calls fresh.
const EARLIER: u64 = NOW - 5;

/// Which of the two histories.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Honest,
    Forked,
}

/// What of a history is shown, beside its checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Served {
    /// All of it, offering the newest release.
    Newest,
    /// All of it, offering only the release before.
    OneBefore,
    /// The newest release, with the tiles of the other history.
    TilesOfTheOther,
    /// The tiles of this tree alone, as a mirror that lags has them.
    OwnTiles,
    /// No statement at all.
    Withheld,
}

/// One thing that can be shown.
#[derive(Clone)]
struct View {
    side: Side,
    size: u64,
    has_quorum: bool,
    /// When it was witnessed.
    time: u64,
    /// The versions in it, oldest first.
    releases: Vec<StatementId>,
    how: Served,
    served: World,
}

impl View {
    /// The history, where it is not one that both begin with.
    fn history(&self) -> Option<Side> {
        (self.size > COMMON).then_some(self.side)
    }
}

fn history(honest: &World, first: u64, last: u64, content: u64) -> World {
    let mut world = honest.clone();
    for version in first..=last {
        world.release(hashes(content..content + 10 + version), 100 * version);
        world.publish(100 * version);
    }
    world
}

/// Everything that can be shown: each history, at each size, with a quorum, one witness or none, in each way; and what was
/// witnessed earlier.
fn views() -> Vec<View> {
    let founded = World::founded();
    let common = history(&founded, 1, 1, 0);
    let honest = history(&common, 2, 3, 0);
    let forked = history(&common.fork(COMMON), 2, 3, 500);
    let mut views = Vec::new();
    for (side, world, other) in [(Side::Honest, &honest, &forked), (Side::Forked, &forked, &honest)] {
        for size in 1..=SIZE {
            let mut show = |witnesses, time, how| views.push(view(side, world, other, size, (witnesses, time), how));
            for how in [Served::Newest, Served::OneBefore, Served::TilesOfTheOther, Served::OwnTiles, Served::Withheld]
            {
                show(&[1, 2][..], NOW, how);
            }
            for how in [Served::Newest, Served::OwnTiles] {
                show(&[1, 2], EARLIER, how);
            }
            for how in [Served::Newest, Served::TilesOfTheOther, Served::OwnTiles] {
                show(&[3], NOW, how);
            }
            show(&[], NOW, Served::Newest);
        }
    }
    views
}

fn view(side: Side, world: &World, other: &World, size: u64, (witnesses, time): (&[u8], u64), how: Served) -> View {
    let mut served = world.clone();
    let times: Vec<(u8, u64)> = witnesses.iter().map(|witness| (*witness, time)).collect();
    served.cosign(size, &times);
    let releases: Vec<StatementId> = served.releases().map(|release| release.id()).take(size as usize - 1).collect();
    let offered = if how == Served::OneBefore { releases.len().saturating_sub(1) } else { releases.len() };
    served.offer_only(&releases[offered.saturating_sub(1)..offered]);
    match how {
        Served::TilesOfTheOther => served.serve_tiles_of(other),
        Served::OwnTiles => served.withhold_tiles_beyond(size),
        Served::Withheld => served.withhold_statements(),
        Served::Newest | Served::OneBefore => {}
    }
    View { side, size, has_quorum: witnesses.len() >= 2, time, releases, how, served }
}

/// What tells one client from another: all that an update decides by, and whether the content is at hand. By which proof a
/// release was accepted, and which proof of a fork stopped updates, decides nothing.
type Key = (Vec<Option<Checkpoint>>, [Timestamp; 2], Option<(StatementId, Timestamp)>, [bool; 2]);

fn key(client: &Client) -> Key {
    let state = &client.state;
    let trees = [state.checkpoint(), state.seen()].map(|note| note.map(|note| note.checkpoint().clone()));
    let accepted = state.accepted().map(|accepted| (accepted.release, accepted.public_since));
    let flags = [state.halted().is_some(), client.list.is_some()];
    (trees.to_vec(), [state.now(), state.confirmed()], accepted, flags)
}

/// Which tree a checkpoint is of: its size, and its history where that is not what both begin with.
fn tree(checkpoint: Option<CheckpointNote>, views: &[View]) -> (u64, Option<Side>) {
    let Some(checkpoint) = checkpoint else { return (0, None) };
    let tree = checkpoint.checkpoint();
    let shown = views.iter().find(|view| view.served.published().checkpoint() == tree);
    (tree.size.0, shown.expect("a checkpoint that was shown").history())
}

fn check(before: &Client, view: &View, after: &Client, outcome: &Outcome, views: &[View]) {
    let View { side, size, has_quorum, time, how, .. } = view;
    let shown = format!("{side:?} {size} quorum {has_quorum} at {time} {how:?}: {outcome:?}");
    let accepted = |client: &Client| client.state.accepted().map(|accepted| (accepted.version, accepted.release));
    match (accepted(before), accepted(after)) {
        (Some(before), Some(after)) => assert!(after.0 > before.0 || after == before, "1. given up: {shown}"),
        (Some(_), None) => panic!("1. forgotten: {shown}"),
        _ => {}
    }
    let used = |client: &Client| tree(client.state.checkpoint(), views);
    let seen = |client: &Client| tree(client.state.seen(), views);
    let ((old_size, old_side), (new_size, new_side)) = (used(before), used(after));
    assert!(new_size >= old_size, "2. the tree that was used shrank: {shown}");
    assert!(old_side.is_none() || new_side == old_side, "2. another history: {shown}");
    if let (Some((_, release)), Some(side)) = (accepted(after), new_side) {
        let whole = views.iter().find(|view| view.side == side && view.size == SIZE).expect("the whole history");
        assert!(whole.releases.contains(&release), "2. a release of another history: {shown}");
    }
    let (seen_size, seen_side) = seen(before);
    if outcome.is_ok() && seen_side.is_some() && view.history().is_some_and(|side| Some(side) != seen_side) {
        assert!(*size < seen_size, "2. what was shown before disproves it: {shown}");
    }
    let (now, confirmed) = (|client: &Client| client.state.now(), |client: &Client| client.state.confirmed());
    if !has_quorum {
        let known = |client: &Client| (accepted(client), used(client), seen(client), now(client), confirmed(client));
        assert_eq!(known(before), known(after), "3. without a quorum: {shown}");
        assert!(outcome.is_err(), "3. without a quorum: {shown}");
    }
    if before.state.halted().is_some() {
        assert_eq!(before.state, after.state, "4. {shown}");
        assert_eq!(*outcome, Err("halted"), "4. {shown}");
    }
    match outcome {
        Ok(_) if *size < old_size.max(seen_size) => {
            assert!(at(*time).plus(before.policy.ages().checkpoint) >= now(before), "5. too old: {shown}");
            let index = before.state.accepted().map(|accepted| accepted.proof.release_index.0);
            assert!(index.is_none_or(|index| index < *size), "5. from before the release in force: {shown}");
        }
        Ok(_) => assert!(confirmed(after) >= at(*time), "5. {shown}"),
        Err(_) => assert_eq!(confirmed(before), confirmed(after), "5. nothing came to its end: {shown}"),
    }
    assert!(confirmed(after) <= now(after) && now(before) <= now(after), "5. {shown}");
}

/// Of 6 and 7: from wherever a client is, unless it was shown the other history or the proof of a fork.
fn check_alive(client: &Client, views: &[View]) {
    let (used, side) = tree(client.state.checkpoint(), views);
    let (_, seen_side) = tree(client.state.seen(), views);
    if client.state.halted().is_some() || side == Some(Side::Forked) || seen_side == Some(Side::Forked) {
        return;
    }
    let is_honest =
        |view: &&View| view.side == Side::Honest && view.has_quorum && view.time == NOW && view.size >= used;
    for view in views.iter().filter(is_honest).filter(|view| view.size > 1 && view.how == Served::OwnTiles) {
        let outcome = client.clone().version_from(&view.served, NOW);
        assert_eq!(outcome, Ok(view.size - 1), "stuck before {} entries at {:?}", view.size, client.state);
    }
}

/// What came of an update: the version in force, or the code of the refusal.
type Outcome = Result<u64, &'static str>;

/// Every state that `client` can get into by being shown up to `most` of the `views`, one after the other, restarted or robbed of
/// its cache between them. `key` is all that tells one state from another; `visit` is asked about each state, `check` about each step. Gives the
/// number of states and of steps.
fn walk<V, K: PartialEq>(
    client: Client,
    (views, most): (&[V], usize),
    show: impl Fn(&mut Client, &V) -> Outcome,
    key: impl Fn(&Client) -> K,
    visit: impl Fn(&Client),
    check: impl Fn(&Client, &V, &Client, &Outcome),
) -> (usize, usize) {
    let mut seen = vec![key(&client)];
    let mut queue = VecDeque::from([(client, 0)]);
    let mut steps = 0;
    while let Some((client, shown)) = queue.pop_front() {
        visit(&client);
        for view in views.iter().filter(|_| shown < most) {
            let mut after = client.clone();
            let outcome = show(&mut after, view);
            check(&client, view, &after, &outcome);
            steps += 1;
            let mut wiped = after.clone();
            wiped.wipe_cache();
            if after.list.is_some() {
                after.restart();
            }
            for next in [after, wiped] {
                let state = key(&next);
                if !seen.contains(&state) {
                    seen.push(state);
                    queue.push_back((next, shown + 1));
                }
            }
        }
    }
    (seen.len(), steps)
}

#[test]
fn no_sequence_of_views_and_restarts_makes_a_client_accept_an_older_or_forked_one() {
    let views = views();
    let (states, steps) = walk(
        Client::of(&views[0].served),
        (&views, usize::MAX),
        |client, view| client.version_from(&view.served, NOW).map_err(|rejection| rejection.code()),
        key,
        |client| check_alive(client, &views),
        |before, view, after, outcome| check(before, view, after, outcome, &views),
    );
    println!("one charter: {states} states, {} views, {steps} steps", views.len());
    assert!(states > 40, "the walk must reach more than {states} states");
}
