//! Sources that lie: a server, mirror or folder between an honest log and its client. The client refuses, keeps what it
//! has, and updates from the next honest source as if nothing had been.

use isonomy_core::bundle::Bundle;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::{NodeHash, StatementId};
use isonomy_core::note::{KeyType, Signature, SigningKey};
use isonomy_core::resource::Resource;
use isonomy_core::statement::Statement;
use isonomy_core::tile::TilePath;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_tests::client::Client;
use isonomy_tests::people::{LOG, at, hashes, witness};
use isonomy_tests::world::{World, cosigned};
use isonomy_verifier::rejection::{Blame, Lag};
use isonomy_verifier::{Freshness, Rejection};

/// Version 1 in force at a client; version 2 is visible, and the client has not heard of it.
fn prepared() -> (World, Client) {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    world.release(hashes(0..12), 1000);
    world.publish(1000);
    world.publish(1010);
    (world, client)
}

fn newest(world: &World) -> StatementId {
    world.releases().last().unwrap().id()
}

fn first(world: &World) -> StatementId {
    world.releases().next().unwrap().id()
}

fn statement(world: &World) -> Resource {
    Resource::Statement(newest(world))
}

fn seen_proof(world: &World) -> Resource {
    Resource::SeenProof(newest(world))
}

fn tile() -> Resource {
    Resource::Tile(TilePath::parse("tile/0/000.p/3").unwrap())
}

/// The delta from version 1 to version 2.
fn delta(world: &World) -> Resource {
    let Statement::Release(release) = world.statement(&newest(world)) else { panic!("not a release") };
    Resource::Object(release.body().deltas[0].sha256)
}

fn flip(bytes: &mut [u8], from_end: usize) {
    let at = bytes.len() - from_end;
    bytes[at] ^= 1;
}

fn oversized(world: &mut World, resource: Resource) {
    world.tamper(resource, |bytes| bytes.resize(600 * 1024, b'\n'));
}

/// A bundle with this checkpoint in the place of its own.
fn with_checkpoint(world: &mut World, checkpoint: CheckpointNote) {
    world.edit_bundle(|bundle| bundle.checkpoint = checkpoint);
}

/// The checkpoint that `edit` makes of the newest one, signed by `key` and the witnesses.
fn signed_by(world: &World, key: &SigningKey, edit: fn(&mut Checkpoint)) -> CheckpointNote {
    let mut checkpoint = world.published().checkpoint().clone();
    checkpoint.origin = key.verifier().name().into();
    edit(&mut checkpoint);
    cosigned(&CheckpointNote::sign(checkpoint, key).unwrap(), &[(1, 1010), (2, 1010)])
}

fn other_key(name: &str) -> SigningKey {
    SigningKey::from_seed(name, KeyType::Ed25519, &[9; 32]).unwrap()
}

/// The newest checkpoint with its signature lines changed.
fn with_lines(world: &mut World, edit: fn(&mut Vec<Signature>)) {
    let note = world.published().note();
    let mut lines = note.signatures().to_vec();
    edit(&mut lines);
    let text = note.with_signatures(lines).to_bytes();
    with_checkpoint(world, CheckpointNote::parse(&text).unwrap());
}

fn stranger(number: u8) -> Signature {
    let name = witness(number).verifier().name().to_owned();
    let key = SigningKey::from_seed(&name, KeyType::Cosignature, &[number; 32]).unwrap();
    isonomy_core::cosignature::cosign(&key, "any", isonomy_tests::people::at(1010))
}

/// What is done, and the code of the refusal.
type Lie = (&'static str, fn(&mut World), &'static str);

#[rustfmt::skip]
const LIES: &[Lie] = &[
    // The bundle.
    ("no bundle", |w| w.withhold(World::bundle_resource()), "unavailable"),
    ("no bytes at all", |w| w.serve(World::bundle_resource(), Vec::new()), "malformed"),
    ("a page of a hotel's network", |w| w.serve(World::bundle_resource(), b"<html>Welcome</html>\n".to_vec()), "malformed"),
    ("an oversized bundle", |w| oversized(w, World::bundle_resource()), "malformed"),
    ("another list's bundle", |w| w.tamper(World::bundle_resource(), |bytes| {
        *bytes = String::from_utf8_lossy(bytes).replace("hotline.example/images", "hotline.example/others").into_bytes();
    }), "malformed"),
    ("a bundle without releases", |w| w.edit_bundle(|b| b.releases.clear()), "no-release"),
    ("a bundle without charters", |w| w.edit_bundle(|b| b.charters.clear()), "malformed"),
    ("a charter twice", |w| w.edit_bundle(|b| b.charters.push(b.charters[0].clone())), "already-logged"),
    ("a charter among the releases", |w| w.edit_bundle(|b| b.releases.push(b.charters[0].clone())), "malformed"),
    ("a release among the charters", |w| w.edit_bundle(|b| b.charters.push(b.releases[0].clone())), "malformed"),

    // The checkpoint.
    ("another log of the same name", |w| {
        let checkpoint = signed_by(w, &other_key(LOG), |_| ());
        with_checkpoint(w, checkpoint);
    }, "not-the-log"),
    ("another log's checkpoint", |w| {
        let checkpoint = signed_by(w, &other_key("other.example/log"), |_| ());
        with_checkpoint(w, checkpoint);
    }, "not-the-log"),
    ("without the log's signature", |w| with_lines(w, |lines| drop(lines.remove(0))), "not-the-log"),
    ("the log's signature wrong", |w| with_lines(w, |lines| lines[0].bytes[9] ^= 1), "not-the-log"),
    ("another size than was signed", |w| w.tamper(World::bundle_resource(), |bytes| {
        *bytes = String::from_utf8_lossy(bytes).replace("\n3\n", "\n4\n").into_bytes();
    }), "not-the-log"),
    ("an extension line, signed by the log", |w| {
        let checkpoint = signed_by(w, &isonomy_tests::people::key(LOG), |c| c.extensions.push("more".into()));
        with_checkpoint(w, checkpoint);
    }, "not-the-log"),

    // The quorum.
    ("no witness", |w| with_lines(w, |lines| lines.truncate(1)), "no-quorum"),
    ("one witness of two", |w| with_lines(w, |lines| lines.truncate(2)), "no-quorum"),
    ("one witness, twice", |w| {
        let checkpoint = cosigned(&w.checkpoint(3), &[(1, 1010), (1, 1011)]);
        with_checkpoint(w, checkpoint);
    }, "no-quorum"),
    ("strangers with the witnesses' names", |w| with_lines(w, |lines| {
        lines.truncate(2);
        lines.extend([stranger(2), stranger(3)]);
    }), "no-quorum"),
    ("a cosignature wrong", |w| with_lines(w, |lines| lines[3].bytes[40] ^= 1), "malformed"),
    ("a cosignature with another time", |w| with_lines(w, |lines| lines[3].bytes[7] ^= 1), "malformed"),
    ("a cosignature of another tree", |w| {
        let other = cosigned(&w.checkpoint(2), &[(2, 1010)]).note().signatures()[1].clone();
        let checkpoint = cosigned(&w.checkpoint(3), &[(1, 1010)]).with_cosignatures(&[other]);
        with_checkpoint(w, checkpoint);
    }, "malformed"),

    ("a cosignature wrong, beside a later one of that witness", |w| with_lines(w, |lines| {
        let mut wrong = lines[3].clone();
        wrong.bytes[..8].copy_from_slice(&at(1000).0.to_be_bytes());
        lines.push(wrong);
    }), "malformed"),

    // Inclusion.
    ("a hash of the release's path", |w| w.edit_bundle(|b| b.releases[0].path[0].0[0] ^= 1), "malformed"),
    ("a hash of the charter's path", |w| w.edit_bundle(|b| b.charters[0].path[1].0[0] ^= 1), "malformed"),
    ("a path too short", |w| w.edit_bundle(|b| b.releases[0].path.clear()), "malformed"),
    ("a path too long", |w| w.edit_bundle(|b| b.releases[0].path.push(NodeHash([0; 32]))), "malformed"),
    ("another index", |w| w.edit_bundle(|b| b.releases[0].index = LeafIndex(1)), "malformed"),
    ("an index beyond the tree", |w| w.edit_bundle(|b| b.releases[0].index = LeafIndex(3)), "malformed"),
    ("another statement's place", |w| w.edit_bundle(|b| b.releases[0].path = b.charters[0].path.clone()), "malformed"),

    // Statements.
    ("no statement", |w| w.withhold(statement(w)), "unavailable"),
    ("another statement", |w| w.swap(statement(w), Resource::Statement(first(w))), "malformed"),
    ("a changed statement", |w| w.tamper(statement(w), |bytes| bytes[40] ^= 1), "malformed"),
    ("a statement with a changed signature", |w| w.tamper(statement(w), |bytes| flip(bytes, 30)), "malformed"),
    ("a statement with a signature more", |w| w.tamper(statement(w), |bytes| bytes.extend(stranger(1).to_string().bytes())), "malformed"),
    ("an oversized statement", |w| oversized(w, statement(w)), "malformed"),

    // Seen proofs.
    ("no seen proof", |w| w.withhold(seen_proof(w)), "unavailable"),
    ("another statement's seen proof", |w| w.swap(seen_proof(w), Resource::SeenProof(first(w))), "malformed"),
    ("a seen proof with another index", |w| w.tamper(seen_proof(w), |bytes| {
        *bytes = String::from_utf8_lossy(bytes).replace("index 2", "index 1").into_bytes();
    }), "malformed"),
    ("a seen proof without quorum that proves nothing", |w| {
        let mut proof = w.seen_proof(&newest(w));
        proof.checkpoint = cosigned(&w.checkpoint(3), &[(1, 1000)]);
        proof.path[0].0[0] ^= 1;
        w.serve(seen_proof(w), proof.to_bytes());
    }, "malformed"),
    ("a seen proof of another log", |w| {
        let mut proof = w.seen_proof(&newest(w));
        proof.checkpoint = signed_by(w, &other_key(LOG), |_| ());
        w.serve(seen_proof(w), proof.to_bytes());
    }, "malformed"),
    ("a seen proof with an extension line, which log and witnesses signed", |w| {
        let mut proof = w.seen_proof(&newest(w));
        proof.checkpoint = signed_by(w, &isonomy_tests::people::key(LOG), |c| c.extensions.push("more".into()));
        w.serve(seen_proof(w), proof.to_bytes());
    }, "malformed"),
    ("an oversized seen proof", |w| oversized(w, seen_proof(w)), "malformed"),

    // Tiles.
    ("no tile", |w| w.withhold(tile()), "unavailable"),
    ("a changed tile", |w| w.tamper(tile(), |bytes| flip(bytes, 1)), "malformed"),
    ("a changed tile, in the part that both trees have", |w| w.tamper(tile(), |bytes| bytes[0] ^= 1), "malformed"),
    ("a short tile", |w| w.tamper(tile(), |bytes| bytes.truncate(64)), "malformed"),
    ("an oversized tile", |w| oversized(w, tile()), "malformed"),

    // Objects.
    ("no delta", |w| w.withhold(delta(w)), "unavailable"),
    ("a changed delta", |w| w.tamper(delta(w), |bytes| flip(bytes, 1)), "malformed"),
    ("a short delta", |w| w.tamper(delta(w), |bytes| bytes.truncate(20)), "malformed"),
    ("an oversized delta", |w| oversized(w, delta(w)), "malformed"),
];

#[test]
fn every_lie_is_refused_and_forgotten() {
    let (honest, client) = prepared();
    for (name, lie, code) in LIES {
        let (mut world, mut client) = (honest.clone(), client.clone());
        lie(&mut world);
        let rejection = client.version_from(&world, 1010).expect_err(name);
        assert_eq!((rejection.code(), rejection.blame()), (*code, Blame::Source), "{name}: {rejection}");
        assert_eq!(rejection.evidence(), None, "{name}");
        assert_eq!(rejection.to_string().contains("larger than"), name.contains("oversized"), "{name}: {rejection}");
        assert_eq!(client.list.as_ref().map(|list| list.version()), Some(1), "{name}");
        assert_eq!(client.state.accepted().map(|accepted| accepted.version), Some(1), "{name}");
        assert_eq!(client.version_from(&honest, 1010), Ok(2), "{name}: and the next source is asked");
    }
}

#[test]
fn every_lie_is_refused_by_a_first_client() {
    let (honest, _) = prepared();
    for (name, lie, _) in LIES {
        let mut world = honest.clone();
        lie(&mut world);
        // It has nothing to which a delta applies, so it asks for none.
        assert_eq!(Client::of(&honest).update(&world, 1010).is_err(), !name.contains("delta"), "{name}");
    }
}

#[test]
fn a_seen_proof_is_of_the_place_that_the_bundle_names() {
    let (mut world, mut client) = prepared();
    let again = world.statement(&newest(&world)).clone();
    world.append(again);
    world.publish(1010);
    let second = world.proof_at(3);
    world.edit_bundle(|bundle| (bundle.releases[0].index, bundle.releases[0].path) = (second.index, second.path));
    assert_eq!(client.refusal(&world, 1010), ("malformed", None), "the log holds the text twice");
}

#[test]
fn the_snapshot_of_a_first_client_is_checked() {
    let (honest, _) = prepared();
    let Statement::Release(release) = honest.statement(&newest(&honest)) else { panic!("not a release") };
    let snapshot = Resource::Object(release.body().snapshot.sha256);
    type Edit = fn(&mut Vec<u8>);
    let edits: [(&str, Edit); 4] = [
        ("changed", |bytes| flip(bytes, 20)),
        ("cut", |bytes| bytes.truncate(100)),
        ("longer", |bytes| bytes.push(0)),
        ("empty", Vec::clear),
    ];
    for (name, edit) in edits {
        let mut world = honest.clone();
        world.tamper(snapshot.clone(), edit);
        assert_eq!(Client::of(&honest).refusal(&world, 1010), ("malformed", None), "{name}");
    }
}

#[test]
fn an_older_view_is_a_rollback() {
    let (honest, mut client) = prepared();
    let old = {
        let mut old = honest.fork(2);
        old.publish(105);
        old
    };
    assert_eq!(client.version_from(&honest, 1010), Ok(2));
    assert_eq!(client.refusal(&old, 1010), ("behind", None), "the bundle of before");
    let mut only_old = honest.clone();
    only_old.publish(1020);
    only_old.offer_only(&[honest.releases().next().unwrap().id()]);
    assert_eq!(client.refusal(&only_old, 1020), ("rollback", None), "a fresh checkpoint, an old release");
    client.wipe_cache();
    assert_eq!(client.refusal(&old, 1010), ("behind", None));
    assert_eq!(client.refusal(&only_old, 1020), ("rollback", None), "also without a cache");
    assert_eq!(client.version_from(&honest, 1020), Ok(2));
    let mut beside = honest.clone();
    let third = beside.release(hashes(0..14), 1070);
    beside.publish(1070);
    beside.offer_only(&[first(&honest), third]);
    client.state = client.state.recovered();
    assert_eq!(client.refusal(&beside, 1070), ("rollback", None), "after a recovery, beside what waits");
}

#[test]
fn the_same_tree_with_older_cosignatures_takes_nothing_back() {
    let (mut world, mut client) = prepared();
    assert_eq!(client.version_from(&world, 1010), Ok(2));
    world.publish(1100);
    client.update(&world, 1100).unwrap();
    world.publish(1010);
    let updated = client.update(&world, 1100).unwrap();
    assert_eq!(updated.list.witnessed_now(), isonomy_tests::people::at(1100));
    assert_eq!(client.state.now(), isonomy_tests::people::at(1100));
    assert_ne!(client.state.checkpoint().as_ref(), Some(world.published()), "nor the proof of it");
    assert_eq!(client.refusal(&withholding(&world), 1100).0, "unavailable");
    assert_eq!(client.state.seen(), None, "it shows nothing that is new");
}

/// What `world` served while its newest entry was the one before `size`, tiles of larger trees and all else that came later
/// left out: a mirror that lags.
fn lagging(world: &World, size: u64, time: u64) -> World {
    let mut mirror = world.fork(size);
    mirror.publish(time);
    mirror
}

/// The genuine newest checkpoint, and nothing of what belongs to it.
fn withholding(world: &World) -> World {
    let mut mirror = world.clone();
    let bundle = mirror.bundle();
    mirror.serve_bundle(&bundle);
    mirror.withhold_statements();
    mirror
}

/// Whoever has no key can relay the newest checkpoint and withhold the rest: that bars no other source.
#[test]
fn a_source_that_withholds_bars_no_other_that_lags() {
    let (mut world, client) = prepared();
    let lagging = lagging(&world, 3, 1060);
    world.release(hashes(0..14), 1060);
    world.publish(1062);
    for mut client in [client, Client::of(&world)] {
        let before = client.state.clone();
        assert_eq!(client.refusal(&withholding(&world), 1062).0, "unavailable");
        assert_eq!(client.state.checkpoint(), before.checkpoint(), "nothing came to its end under it");
        assert_eq!(client.state.seen().as_ref(), Some(world.published()));
        assert_eq!((client.state.now(), client.state.confirmed()), (at(1062), before.confirmed()));
        let updated = client.update(&lagging, 1062).unwrap();
        assert_eq!((updated.list.version(), client.state.confirmed()), (2, at(1060)));
        assert_eq!(
            updated.list.freshness(at(1062)),
            Freshness::Fresh { checkpoint_age: 2 },
            "as old as what was shown"
        );
        assert!(client.state.seen().is_some(), "it still dates what is known, and proves a fork");
        assert_eq!(client.version_from(&world, 1062), Ok(2), "version 3 waits");
        assert_eq!(client.state.seen(), None);
    }
}

/// The same, if the newest checkpoint is so much later that what lags behind it is not fresh any more.
#[test]
fn what_lags_too_far_behind_is_refused() {
    let (mut world, mut client) = prepared();
    let lagging = lagging(&world, 3, 1060);
    world.release(hashes(0..14), 1060);
    world.publish(1064);
    let mut in_time = client.clone();
    in_time.refusal(&withholding(&world), 1064);
    assert_eq!(in_time.version_from(&lagging, 1064), Ok(2), "4 s are within what the policy takes");
    world.publish(1065);
    client.refusal(&withholding(&world), 1065);
    let Err(Rejection::Behind { why, .. }) = client.update(&lagging, 1065) else { panic!("accepted") };
    assert_eq!(why, Lag::TooOld { age: 5, most: 4 });
    assert_eq!(client.state.accepted().map(|accepted| accepted.version), Some(1));
}

/// A part of the tree under which the last update came to its end says nothing new, and takes nothing back.
#[test]
fn a_proven_part_of_the_known_tree_is_no_rollback() {
    let (mut world, mut client) = prepared();
    world.release(hashes(0..14), 1100);
    world.publish(1100);
    assert_eq!(client.version_from(&world, 1100), Ok(2), "version 3 waits");
    let known = client.state.clone();
    let mut part = world.clone();
    part.cosign(3, &[(1, 1098), (2, 1098)]);
    assert_eq!(client.version_from(&part, 1100), Ok(2));
    assert_eq!(client.state, known);
    // Without the tiles that prove it, a source that lags can't be told from one that shows what was true once.
    let Err(rejection) = client.update(&lagging(&world, 3, 1098), 1100) else { panic!("accepted") };
    assert!(matches!(rejection, Rejection::Behind { why: Lag::Unproven, .. }), "{rejection}");
    assert!(!rejection.to_string().contains("rollback"), "{rejection}");
    part.cosign(2, &[(1, 1098), (2, 1098)]);
    let Err(rejection) = client.update(&part, 1100) else { panic!("accepted") };
    assert!(matches!(rejection, Rejection::Behind { why: Lag::BeforeAccepted { version: 2 }, .. }), "{rejection}");
    assert_eq!(client.state, known);
}

/// What was only shown proves a fork as well as anything.
#[test]
fn a_fork_from_what_was_only_shown_is_proven() {
    let (mut world, mut client) = prepared();
    let mut fork = world.fork(3);
    world.release(hashes(0..14), 1100);
    world.publish(1012);
    fork.release(hashes(0..15), 1100);
    fork.publish(1012);
    client.refusal(&withholding(&fork), 1012);
    assert_eq!(client.refusal(&world, 1012), ("fork", None));
    assert!(client.state.halted().is_some());
}

/// Who has no tile that would tell is not believed for that.
#[test]
fn what_was_only_shown_is_not_passed_over() {
    let (mut world, _) = prepared();
    let mut fork = world.fork(3);
    fork.release(hashes(0..15), 1100);
    fork.publish(1100);
    let mut client = Client::of(&world);
    client.refusal(&withholding(&fork), 1100);
    assert_eq!(client.state.seen().as_ref(), Some(fork.published()));
    world.release(hashes(0..14), 1100);
    world.release(hashes(0..16), 1200);
    world.publish(1300);
    let mut silent = world.clone();
    for statement in world.statements() {
        let id = statement.id();
        silent.serve(Resource::SeenProof(id), world.proof(&id).to_bytes());
    }
    silent.withhold(Resource::Tile(TilePath::parse("tile/0/000.p/5").unwrap()));
    assert_eq!(client.refusal(&silent, 1300).0, "unavailable");
    assert_eq!(client.refusal(&world, 1300).0, "fork");
}

/// A size near 2^62 that nothing was ever proven under does not keep a new device from the honest log.
#[test]
fn a_tree_that_can_not_be_shown_bars_no_other() {
    let (honest, _) = prepared();
    let mut client = Client::of(&honest);
    let key = isonomy_tests::people::key(LOG);
    let mut world = honest.clone();
    with_checkpoint(&mut world, signed_by(&honest, &key, |checkpoint| checkpoint.size = TreeSize(1 << 62)));
    assert_eq!(client.refusal(&world, 1010).0, "malformed", "no inclusion proof fits");
    assert_eq!(client.state.seen().unwrap().checkpoint().size, TreeSize(1 << 62));
    assert_eq!(client.version_from(&honest, 1010), Ok(2));
    assert_eq!(client.version_from(&honest, 1010), Ok(2));
}

/// Lines that nobody asked for must not end up in files that clients write.
#[test]
fn signature_lines_of_strangers_are_dropped() {
    let (mut world, mut client) = prepared();
    let mut line = stranger(1);
    line.name = "evil\u{202e}.example".into();
    let lines: Vec<Signature> = vec![line; 40];
    let note = world.published().note();
    let all = [note.signatures(), &lines].concat();
    let noisy = CheckpointNote::parse(&note.with_signatures(all).to_bytes()).unwrap();
    with_checkpoint(&mut world, noisy);
    assert_eq!(client.version_from(&world, 1010), Ok(2));
    let kept = String::from_utf8(client.state.to_bytes().unwrap()).unwrap();
    assert!(!kept.contains("evil"), "{kept}");
}

#[test]
fn a_bundle_may_not_name_a_tree_that_can_not_be() {
    let (honest, mut client) = prepared();
    let mut world = honest.clone();
    let key = isonomy_tests::people::key(LOG);
    let huge = signed_by(&world, &key, |checkpoint| checkpoint.size = TreeSize::MAX);
    with_checkpoint(&mut world, huge.clone());
    assert_eq!(client.refusal(&world, 1010).0, "unavailable", "its tiles are asked for");
    let mut bundle = Bundle { checkpoint: huge, ..honest.bundle() };
    bundle.releases.clear();
    world.serve_bundle(&bundle);
    assert_eq!(client.refusal(&world, 1010).0, "unavailable");
    assert_eq!(client.version_from(&honest, 1010), Ok(2));
}

/// The order of the log is the order in which editions and releases are judged.
#[test]
fn a_bundle_lists_statements_in_the_order_of_the_log_each_once() {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.edition(|charter| charter.limits.notice += 1);
    world.release(hashes(0..11), 200);
    world.publish(200);
    world.publish(205);
    type Edit = fn(&mut Bundle);
    let edits: [(&str, Edit); 3] = [
        ("charters", |bundle| bundle.charters.reverse()),
        ("releases", |bundle| bundle.releases.reverse()),
        ("a release twice", |bundle| bundle.releases.push(bundle.releases.last().unwrap().clone())),
    ];
    let all: Vec<_> = world.releases().map(|release| release.id()).collect();
    for (what, edit) in edits {
        let mut lying = world.clone();
        let mut bundle = world.bundle_of(&all);
        assert_eq!((bundle.charters.len(), bundle.releases.len()), (2, 2));
        edit(&mut bundle);
        lying.serve_bundle(&bundle);
        assert_eq!(Client::of(&world).refusal(&lying, 205), ("malformed", None), "{what}");
    }
}

/// A pending edition that a client knows isn't forgotten because a mirror leaves it out.
#[test]
fn an_edition_that_the_client_knows_is_not_left_out() {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.edition(|charter| charter.matching.max_distance += 1);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    world.edit_bundle(|bundle| drop(bundle.charters.pop()));
    let Err(Rejection::Malformed { problem, .. }) = client.update(&world, 106) else { panic!("accepted") };
    assert!(problem.contains("which this client knows"), "{problem}");
}

/// Witnesses whose clocks lag cosign a later tree: it is remembered; the later time is kept.
#[test]
fn a_larger_tree_is_remembered_even_if_it_was_cosigned_earlier() {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    let size = |client: &Client| client.state.checkpoint().unwrap().checkpoint().size.0;
    let remembered = client.state.clone();
    world.publish(104);
    assert_eq!(client.version_from(&world, 105), Ok(1));
    assert_eq!(client.state, remembered, "the same tree, cosigned earlier, teaches nothing");
    world.release(hashes(0..9), 103);
    world.publish(104);
    assert_eq!(client.version_from(&world, 105), Ok(2));
    assert_eq!((size(&client), client.state.now()), (3, at(105)));
}
