//! Two holders of a list compare what they were given.

use isonomy_core::charter::Charter;
use isonomy_core::list::snapshot;
use isonomy_core::release::Release;
use isonomy_core::resource::Resource;
use isonomy_core::statement::ListName;
use isonomy_tests::client::Client;
use isonomy_tests::people::{SIGNERS, hashes};
use isonomy_tests::world::{Draft, World};
use isonomy_verifier::peer::{Comparison, MAX_VIEW_SIZE, Outcome, Step, View, ViewError};
use isonomy_verifier::rejection::Lack;
use isonomy_verifier::{Evidence, Input, Rejection};

fn view(client: &Client) -> View {
    View::of(client.list.as_ref().unwrap(), &client.state)
}

/// Compares, with `world` as the only source.
fn compare(own: &Client, other: &View, world: &World) -> Result<Outcome, ViewError> {
    let other = View::parse(other.to_text().as_bytes())?;
    let mut comparison = Comparison::new(&own.policy, view(own), other)?;
    let mut input = Input::Start;
    for _ in 0..100 {
        input = match comparison.step(input) {
            Step::Done(outcome) => return Ok(outcome),
            Step::Need { resource, max_bytes } => match world.get(&resource) {
                Some(bytes) if bytes.len() as u64 <= max_bytes => Input::Received { resource, pieces: vec![bytes] },
                _ => Input::Unavailable { resource, lack: Lack::Absent, reason: "not found".into() },
            },
        };
    }
    panic!("the comparison does not end");
}

fn updated(world: &World, clock: u64) -> Client {
    let mut client = Client::of(world);
    client.update(world, clock).unwrap();
    client
}

/// Versions 1 to `newest`, one every 100 s, each with its holder.
fn grown(newest: u64) -> (World, Vec<Client>) {
    let mut world = World::founded();
    let mut holders = Vec::new();
    for version in 1..=newest {
        let time = 100 * version;
        world.release(hashes(0..10 + version), time);
        world.publish(time);
        world.publish(time + 5);
        holders.push(updated(&world, time + 5));
    }
    (world, holders)
}

/// Another text for the newest version of `world`, with other content, shown to one client alone.
fn second_text(world: &mut World, edit: impl FnOnce(&mut Release)) -> Client {
    let release = world.releases().last().unwrap().body().clone();
    let content = hashes(1000..1000 + release.entries);
    let snapshot = world.object(snapshot::encode(&content));
    let mut other = Release { root: content.root(), snapshot, ..release };
    edit(&mut other);
    let second = world.log(Draft { release: other, content }, &SIGNERS);
    let mut for_one = world.clone();
    for_one.publish(2000);
    for_one.publish(2005);
    for_one.offer_only(&[second]);
    updated(&for_one, 2005)
}

#[test]
fn holders_of_one_release_are_told_so() {
    let (world, holders) = grown(2);
    let mut later = world.clone();
    later.publish(300);
    let again = updated(&later, 300);
    assert_eq!(compare(&holders[1], &view(&holders[1]), &World::default()), Ok(Outcome::Same), "without any source");
    assert_eq!(compare(&again, &view(&holders[1]), &world), Ok(Outcome::Same));
    later.edition(|charter| charter.matching.max_distance = 20);
    later.publish(400);
    let mut heard = holders[1].clone();
    assert_eq!(heard.version_from(&later, 400), Ok(2));
    assert_eq!(compare(&heard, &view(&heard), &World::default()), Ok(Outcome::Same), "also in a tree that has grown");
    assert_eq!(again.list.unwrap().view(), holders[1].list.as_ref().unwrap().view());
}

#[test]
fn older_and_newer_are_told_apart_over_any_distance() {
    let (world, holders) = grown(9);
    for (mine, theirs) in [(0, 1), (0, 8), (2, 6), (4, 8)] {
        let newer = compare(&holders[mine], &view(&holders[theirs]), &world);
        assert_eq!(newer, Ok(Outcome::Newer { version: theirs as u64 + 1 }));
        let older = compare(&holders[theirs], &view(&holders[mine]), &world);
        assert_eq!(older, Ok(Outcome::Older { version: mine as u64 + 1 }));
    }
}

#[test]
fn two_texts_for_one_version_are_proven_from_the_two_views() {
    let (mut world, holders) = grown(2);
    let victim = second_text(&mut world, |_| ());
    world.publish(2000);
    for (own, other) in [(&holders[1], &victim), (&victim, &holders[1])] {
        let Ok(Outcome::Forked(evidence)) = compare(own, &view(other), &world) else { panic!() };
        assert_eq!(evidence.verify(&world.trust()).unwrap().names(), SIGNERS);
    }
}

/// The victim has gone on to a release that descends from the second text.
#[test]
fn two_texts_further_down_are_proven_too() {
    let (mut world, holders) = grown(2);
    let _ = second_text(&mut world, |_| ());
    let third = world.release(hashes(1000..1020), 2100);
    world.publish(2100);
    world.publish(2105);
    world.offer_only(&[third]);
    let victim = updated(&world, 2105);
    for (own, other) in [(&holders[1], &victim), (&victim, &holders[1])] {
        match compare(own, &view(other), &world) {
            Ok(Outcome::Forked(evidence)) => assert!(matches!(*evidence, Evidence::Equivocation(_))),
            other => panic!("{other:?}"),
        }
    }
}

/// The same further down, under an edition that neither view shows.
#[test]
fn two_texts_further_down_under_another_edition_are_proven_too() {
    let (mut world, holders) = grown(2);
    let second = world.edition(|charter| charter.matching.max_distance = 20);
    let _ = second_text(&mut world, |release| release.charter = second);
    world.edition(|charter| charter.matching.max_distance = 18);
    let third = world.release(hashes(1000..1020), 2100);
    world.publish(2100);
    world.publish(2105);
    world.offer_only(&[third]);
    let victim = updated(&world, 2105);
    match compare(&holders[1], &view(&victim), &world) {
        Ok(Outcome::Forked(evidence)) => assert!(matches!(*evidence, Evidence::CrossEquivocation(_))),
        other => panic!("{other:?}"),
    }
}

/// One text at two places: each holds it at another one, and both hold the same list.
#[test]
fn a_text_that_is_logged_twice_splits_no_list() {
    let (mut world, holders) = grown(1);
    let twice = world.releases().next().unwrap().id();
    let again = world.append(world.statement(&twice).clone());
    assert_eq!(again, twice);
    world.publish(200);
    world.publish(205);
    assert_eq!(compare(&updated(&world, 205), &view(&holders[0]), &world), Ok(Outcome::Same), "in a larger tree");
    let place = world.proof_at(2);
    world.publish(210);
    let mut for_one = world.clone();
    for_one.edit_bundle(|bundle| {
        bundle.releases.truncate(1);
        bundle.releases[0].index = place.index;
        bundle.releases[0].path = place.path.clone();
    });
    for_one.serve(Resource::SeenProof(twice), place.to_bytes());
    let other = updated(&for_one, 210);
    assert_eq!(compare(&holders[0], &view(&other), &world), Ok(Outcome::LoggedTwice));
}

#[test]
fn what_came_of_it_has_a_name_for_programs() {
    let named = [
        (Outcome::Same, "same"),
        (Outcome::Older { version: 1 }, "older"),
        (Outcome::Newer { version: 1 }, "newer"),
        (Outcome::Undecided(Rejection::NoRelease), "undecided"),
        (Outcome::TwoTexts { version: 1 }, "two-texts"),
        (Outcome::Unproven(ViewError::Other(String::new())), "unproven"),
        (Outcome::LoggedTwice, "logged-twice"),
    ];
    named.into_iter().for_each(|(outcome, name)| assert_eq!(outcome.code(), name));
}

#[test]
fn two_texts_under_different_editions_are_proven_too() {
    let (mut world, holders) = grown(1);
    let edition = world.edition(|charter: &mut Charter| charter.matching.max_distance = 20);
    let victim = second_text(&mut world, |release| release.charter = edition);
    world.publish(2000);
    match compare(&holders[0], &view(&victim), &world) {
        Ok(Outcome::Forked(evidence)) => assert!(matches!(*evidence, Evidence::CrossEquivocation(_))),
        other => panic!("{other:?}"),
    }
}

/// As many witnesses as it takes collude: each holder is within a good quorum, and only comparing shows the fork.
#[test]
fn a_split_view_with_a_quorum_is_proven_by_comparing() {
    let (honest, holders) = grown(2);
    let mut forked = honest.fork(2);
    forked.release(hashes(500..540), 200);
    for time in [200, 205] {
        forked.cosign(3, &[(2, time), (3, time)]);
    }
    let victim = updated(&forked, 205);
    for (own, other, source) in [(&holders[1], &victim, &forked), (&victim, &holders[1], &honest)] {
        let Ok(Outcome::Forked(evidence)) = compare(own, &view(other), source) else { panic!() };
        assert!(matches!(*evidence, Evidence::Fork(_)));
        assert_eq!(evidence.verify(&honest.trust()).unwrap().names(), ["log.example/isonomy"]);
    }
}

/// They hold one release, and were shown two histories of what came after it.
#[test]
fn a_fork_after_the_release_that_both_hold_is_proven_too() {
    let (mut honest, mut holders) = grown(1);
    let mut forked = honest.fork(2);
    let mut own = holders.remove(0);
    let mut other = own.clone();
    for (world, client, size) in [(&mut honest, &mut own, 20), (&mut forked, &mut other, 40)] {
        world.release(hashes(0..size), 200);
        world.publish(200);
        assert_eq!(client.version_from(world, 200), Ok(1), "version 2 waits");
    }
    match compare(&own, &view(&other), &World::default()) {
        Ok(Outcome::Forked(evidence)) => assert!(matches!(*evidence, Evidence::Fork(_))),
        other => panic!("{other:?}"),
    }
}

/// The same where the two trees have different sizes: tiles of the larger one tell, from either source.
#[test]
fn a_fork_behind_different_sizes_is_proven_by_tiles_of_the_larger_tree() {
    let (honest, holders) = grown(3);
    let mut forked = honest.fork(2);
    forked.release(hashes(500..540), 200);
    forked.cosign(3, &[(2, 200), (3, 200)]);
    forked.cosign(3, &[(2, 205), (3, 205)]);
    let victim = updated(&forked, 205);
    let Ok(Outcome::Forked(_)) = compare(&victim, &view(&holders[2]), &honest) else { panic!() };
    let Ok(Outcome::Undecided(rejection)) = compare(&victim, &view(&holders[2]), &forked) else { panic!() };
    assert!(matches!(rejection, Rejection::Unavailable { .. } | Rejection::Malformed { .. }), "{rejection}");
}

/// What a peer makes up says nothing.
#[test]
fn a_view_is_believed_by_its_proofs() {
    let (_, holders) = grown(2);
    let text = view(&holders[1]).to_text();
    for (name, edited, expected) in [
        ("not a view", "{}".to_owned(), "malformed view"),
        ("another kind", text.replacen("view/v1", "view/v2", 1), "malformed view"),
        ("a field more", text.replacen("{\n", "{\n  \"x\": 1,\n", 1), "malformed view"),
        ("another version", text.replace("\\\"version\\\": 2", "\\\"version\\\": 3"), "malformed view"),
        ("too large", " ".repeat(MAX_VIEW_SIZE + 1), "larger than"),
    ] {
        let error = View::parse(edited.as_bytes()).err().or_else(|| {
            let view = View::parse(edited.as_bytes()).unwrap();
            Comparison::new(&holders[0].policy, View::parse(text.as_bytes()).unwrap(), view).err()
        });
        assert!(error.as_ref().is_some_and(|error| error.to_string().contains(expected)), "{name}: {error:?}");
    }
    let blank = View::parse(&vec![b' '; MAX_VIEW_SIZE]).unwrap_err().to_string();
    assert!(!blank.contains("larger than"), "{blank}");
}

#[test]
fn a_view_of_another_list_or_with_another_charter_is_none() {
    let (mut world, holders) = grown(1);
    let elsewhere = ListName::new("other.example/list").unwrap();
    let mut other = World::founded_with(|charter| charter.list = elsewhere);
    other.release(hashes(0..10), 100);
    other.publish(100);
    other.publish(105);
    let refused = compare(&holders[0], &view(&updated(&other, 105)), &world);
    assert_eq!(refused, Err(ViewError::Other("the list other.example/list".into())));

    // A charter that the maintainer and the curators signed too, and that is in the log.
    world.edition(|charter| charter.matching.max_distance = 20);
    world.release(hashes(0..12), 200);
    world.publish(200);
    world.publish(205);
    let newer = view(&updated(&world, 205)).to_text();
    let charter = |text: &str| {
        let (_, rest) = text.split_once("\n  \"charter\": ").unwrap();
        rest.split_once("\n  \"proof\": ").unwrap().0.to_owned()
    };
    let own = view(&holders[0]).to_text();
    let mixed = View::parse(newer.replace(&charter(&newer), &charter(&own)).as_bytes()).unwrap();
    let refused = compare(&holders[0], &mixed, &world);
    assert_eq!(refused, Err(ViewError::Unproven("the release cites another charter".into())));
}

/// Release and charter are signed as they must be, and the place in the log that the view gives them is another one's.
#[test]
fn what_a_view_shows_stands_in_the_log() {
    let (world, holders) = grown(2);
    let shown = view(&holders[1]).to_text();
    for (name, place) in [("the release", "\"release_index\": 2"), ("the charter", "\"charter_index\": 0")] {
        assert!(shown.contains(place), "{shown}");
        let (field, _) = place.split_once(':').unwrap();
        let moved = View::parse(shown.replace(place, &format!("{field}: 1")).as_bytes()).unwrap();
        let outcome = compare(&holders[0], &moved, &world);
        assert!(matches!(outcome, Ok(Outcome::Unproven(ViewError::Unproven(_)))), "{name}: {outcome:?}");
    }
}

/// Without enough cosignatures a newer history is no reason to believe in it.
#[test]
fn a_history_without_a_quorum_is_unproven_unless_it_proves_a_fork() {
    let (mut world, holders) = grown(2);
    world.release(hashes(0..30), 300);
    world.cosign(4, &[(1, 300), (2, 300)]);
    world.cosign(4, &[(1, 305), (2, 305)]);
    let newer = updated(&world, 305);
    let honest = view(&newer).to_text();
    let edited: String = honest.split_inclusive('\n').filter(|line| !line.contains("— witness.example/1 ")).collect();
    assert_ne!(edited, honest);
    let outcome = compare(&holders[1], &View::parse(edited.as_bytes()).unwrap(), &world);
    assert!(matches!(outcome, Ok(Outcome::Unproven(ViewError::Unproven(_)))), "{outcome:?}");
}

/// The newer release was too new when one of them asked: both have seen one checkpoint, but use different releases.
#[test]
fn who_saw_the_same_checkpoint_may_use_another_release() {
    let (mut world, holders) = grown(1);
    world.release(hashes(0..12), 200);
    world.publish(200);
    let mut waiting = holders[0].clone();
    waiting.update(&world, 200).unwrap();
    world.publish(205);
    let newer = updated(&world, 205);
    assert_eq!(
        waiting.state.checkpoint().unwrap().checkpoint(),
        newer.state.checkpoint().unwrap().checkpoint(),
        "what the test is about"
    );
    assert_eq!(compare(&newer, &view(&waiting), &world), Ok(Outcome::Older { version: 1 }));
    assert_eq!(compare(&waiting, &view(&newer), &world), Ok(Outcome::Newer { version: 2 }));
}
