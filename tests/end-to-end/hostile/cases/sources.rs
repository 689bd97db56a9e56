//! A mirror, folder or server without any key: it can only serve something else than the log has.

use super::Verdict::{InForce, Lacks, Malformed, Refused, Waits};
use super::{Case, Row, What, served};
use crate::scene::{Scene, Start};
use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::{NodeHash, StatementId};
use isonomy_core::note::{KeyType, Signature, SigningKey};
use isonomy_core::resource::Resource;
use isonomy_core::statement::ListName;
use isonomy_core::statement::Statement;
use isonomy_core::tile::TilePath;
use isonomy_core::tree::LeafIndex;
use isonomy_tests::people::{LOG, at, charter, sign, sign_charter, witness};
use isonomy_tests::world::{World, cosigned};

const GROUP: &str = "A mirror, or the network";

pub(super) fn newest(world: &World) -> StatementId {
    world.releases().last().expect("a release").id()
}

pub(super) fn first(world: &World) -> StatementId {
    world.releases().next().expect("a release").id()
}

pub(super) fn statement(scene: &Scene) -> Resource {
    Resource::Statement(newest(&scene.world))
}

pub(super) fn seen_proof(scene: &Scene) -> Resource {
    Resource::SeenProof(newest(&scene.world))
}

pub(super) fn tile(_: &Scene) -> Resource {
    Resource::Tile(TilePath::parse("tile/0/000.p/3").expect("a tile"))
}

/// The delta from version 1 to version 2.
pub(super) fn delta(scene: &Scene) -> Resource {
    Resource::Object(scene.world.releases().last().expect("a release").body().deltas[0].sha256)
}

/// The snapshot of the newest version.
pub(super) fn snapshot(scene: &Scene) -> Resource {
    Resource::Object(scene.world.releases().last().expect("a release").body().snapshot.sha256)
}

pub(super) fn bundle(_: &Scene) -> Resource {
    World::bundle_resource()
}

fn tamper(scene: &mut Scene, resource: fn(&Scene) -> Resource, edit: fn(&mut Vec<u8>)) {
    let resource = resource(scene);
    scene.world.tamper(resource, edit);
}

fn replace(scene: &mut Scene, resource: fn(&Scene) -> Resource, from: &str, to: &str) {
    let resource = resource(scene);
    let text = String::from_utf8(scene.world.get(&resource).expect("it is there")).expect("text");
    assert!(text.contains(from), "{from}");
    scene.world.serve(resource, text.replacen(from, to, 1).into_bytes());
}

fn withhold(scene: &mut Scene, resource: fn(&Scene) -> Resource) {
    let resource = resource(scene);
    scene.world.withhold(resource);
}

fn swap(scene: &mut Scene, resource: fn(&Scene) -> Resource, other: Resource) {
    let resource = resource(scene);
    scene.world.swap(resource, other);
}

fn oversized(scene: &mut Scene, resource: fn(&Scene) -> Resource) {
    tamper(scene, resource, |bytes| bytes.resize(4 << 20, b'\n'));
}

pub(super) fn with_checkpoint(scene: &mut Scene, checkpoint: CheckpointNote) {
    scene.world.edit_bundle(|bundle| bundle.checkpoint = checkpoint);
}

/// The checkpoint that `edit` makes of the newest one, signed by `key` and two witnesses.
pub(super) fn signed_by(world: &World, key: &SigningKey, edit: fn(&mut Checkpoint)) -> CheckpointNote {
    let mut checkpoint = world.published().checkpoint().clone();
    checkpoint.origin = key.verifier().name().into();
    edit(&mut checkpoint);
    cosigned(&CheckpointNote::sign(checkpoint, key).expect("a checkpoint"), &[(1, 1010), (2, 1010)])
}

fn other_key(name: &str) -> SigningKey {
    SigningKey::from_seed(name, KeyType::Ed25519, &[9; 32]).expect("a key")
}

fn with_lines(scene: &mut Scene, edit: fn(&mut Vec<Signature>)) {
    let note = scene.world.published().note();
    let mut lines = note.signatures().to_vec();
    edit(&mut lines);
    let text = note.with_signatures(lines).to_bytes();
    with_checkpoint(scene, CheckpointNote::parse(&text).expect("a checkpoint"));
}

/// Logs the newest text again, signed by one curator more, and offers it at that place.
pub(super) fn log_again_with_other_lines(scene: &mut Scene) {
    let release = scene.world.releases().last().expect("a release").clone();
    let (id, text) = (release.id(), release.note().text().to_owned());
    let again = Statement::from_note(sign(&text, &["m1", "c1", "c2", "c3"])).expect("a statement");
    let lines = again.to_bytes();
    scene.world.append(again);
    scene.world.publish(1010);
    scene.world.serve(Resource::SeenProof(id), scene.world.proof_at(3).to_bytes());
    scene.world.serve(Resource::Statement(id), lines);
    scene.world.publish(1020);
    let second = scene.world.proof_at(3);
    scene.world.edit_bundle(|b| (b.releases[0].index, b.releases[0].path) = (second.index, second.path));
    scene.clock = at(1020);
}

/// A line with a witness's name, by another key.
fn stranger(number: u8) -> Signature {
    let name = witness(number).verifier().name().to_owned();
    let key = SigningKey::from_seed(&name, KeyType::Cosignature, &[number; 32]).expect("a key");
    isonomy_core::cosignature::cosign(&key, "any", at(1010))
}

const NO_QUORUM: super::Verdict = Refused("no-quorum", None);
const NOT_THE_LOG: super::Verdict = Refused("not-the-log", None);

#[rustfmt::skip]
const BUNDLES: &[Row] = &[
    ("bundle-withheld", "there is no bundle", Lacks("absent", What::Bundle), |s| withhold(s, bundle)),
    ("bundle-empty", "no bytes at all", Malformed(What::Bundle), |s| tamper(s, bundle, Vec::clear)),
    ("bundle-portal", "the login page of a hotel's network", Malformed(What::Bundle), |s| tamper(s, bundle, |b| *b = b"<html>Welcome</html>\n".to_vec())),
    ("bundle-random", "arbitrary bytes", Malformed(What::Bundle), |s| tamper(s, bundle, |b| *b = (0..4000u32).map(|n| ((n * 7919) >> 3) as u8).collect())),
    ("bundle-oversized", "more bytes than a bundle can have", Lacks("too-large", What::Bundle), |s| oversized(s, bundle)),
    ("bundle-of-another-list", "the bundle of another list", Malformed(What::Bundle), |s| replace(s, bundle, "hotline.example/images", "hotline.example/others")),
    ("bundle-without-releases", "no release is offered", Refused("no-release", None), |s| s.world.edit_bundle(|b| b.releases.clear())),
    ("bundle-without-charters", "no charter is offered", Malformed(What::Bundle), |s| s.world.edit_bundle(|b| b.charters.clear())),
    ("bundle-charter-twice", "one charter stands there twice", Refused("already-logged", Some(1)), |s| s.world.edit_bundle(|b| b.charters.push(b.charters[0].clone()))),
    ("bundle-release-twice", "one release stands there twice", Malformed(What::Bundle), |s| s.world.edit_bundle(|b| b.releases.push(b.releases[0].clone()))),
    ("bundle-charter-as-release", "a charter among the releases", Malformed(What::Bundle), |s| s.world.edit_bundle(|b| b.releases.push(b.charters[0].clone()))),
    ("bundle-release-as-charter", "a release among the charters", Malformed(What::Statement), |s| s.world.edit_bundle(|b| b.charters.push(b.releases[0].clone()))),
    ("bundle-of-an-app-that-pins-another", "the policy pins a charter that this list never had", Refused("other-list", None), |s| {
        let pinned = s.world.charters().next().expect("a charter").id().to_hex();
        s.policy = s.policy.replace(&pinned, &"ab".repeat(32));
    }),
];

#[rustfmt::skip]
const CHECKPOINTS: &[Row] = &[
    ("log-key-of-a-namesake", "a checkpoint by another log of the same name", NOT_THE_LOG, |s| { let c = signed_by(&s.world, &other_key(LOG), |_| ()); with_checkpoint(s, c) }),
    ("log-of-another-name", "another log's checkpoint", NOT_THE_LOG, |s| { let c = signed_by(&s.world, &other_key("other.example/log"), |_| ()); with_checkpoint(s, c) }),
    ("log-signature-missing", "a checkpoint without the log's signature", NOT_THE_LOG, |s| with_lines(s, |lines| drop(lines.remove(0)))),
    ("log-signature-wrong", "one bit of the log's signature is flipped", NOT_THE_LOG, |s| with_lines(s, |lines| lines[0].bytes[9] ^= 1)),
    ("log-signature-twice", "the log's signature stands there twice", InForce(2), |s| with_lines(s, |lines| lines.insert(0, lines[0].clone()))),
    ("checkpoint-other-size", "another size than was signed", NOT_THE_LOG, |s| replace(s, bundle, "\n3\n", "\n4\n")),
    ("checkpoint-extension", "an extension line, signed by the log", NOT_THE_LOG, |s| { let c = signed_by(&s.world, &isonomy_tests::people::key(LOG), |c| c.extensions.push("more".into())); with_checkpoint(s, c) }),
];

#[rustfmt::skip]
const QUORUMS: &[Row] = &[
    ("witness-none", "no witness has cosigned", NO_QUORUM, |s| with_lines(s, |lines| lines.truncate(1))),
    ("witness-one", "one witness of two has cosigned", NO_QUORUM, |s| with_lines(s, |lines| lines.truncate(2))),
    ("witness-twice", "one witness has cosigned twice", NO_QUORUM, |s| { let c = cosigned(&s.world.checkpoint(3), &[(1, 1010), (1, 1011)]); with_checkpoint(s, c) }),
    ("witness-namesakes", "strangers have cosigned under the witnesses' names", NO_QUORUM, |s| with_lines(s, |lines| { lines.truncate(2); lines.extend([stranger(2), stranger(3)]); })),
    ("witness-wrong-older-line", "beside a right cosignature stands an older one by the same witness, which is wrong", Malformed(What::Bundle), |s| with_lines(s, |lines| {
        let mut older = lines[3].clone();
        older.bytes[7] -= 1;
        lines.push(older);
    })),
    ("witness-wrong", "one bit of a cosignature is flipped", Malformed(What::Bundle), |s| with_lines(s, |lines| lines[3].bytes[40] ^= 1)),
    ("witness-other-time", "a cosignature says another time than was signed", Malformed(What::Bundle), |s| with_lines(s, |lines| lines[3].bytes[7] ^= 1)),
    ("witness-of-another-tree", "a cosignature of an older checkpoint", Malformed(What::Bundle), |s| {
        let other = cosigned(&s.world.checkpoint(2), &[(2, 1010)]).note().signatures()[1].clone();
        let checkpoint = cosigned(&s.world.checkpoint(3), &[(1, 1010)]).with_cosignatures(&[other]);
        with_checkpoint(s, checkpoint);
    }),
    ("witness-strangers-beside", "forty lines of strangers beside a good quorum", InForce(2), |s| with_lines(s, |lines| lines.extend(vec![stranger(4); 40]))),
];

#[rustfmt::skip]
const INCLUSION: &[Row] = &[
    ("path-of-release-changed", "one bit of the release's inclusion proof", Malformed(What::Statement), |s| s.world.edit_bundle(|b| b.releases[0].path[0].0[0] ^= 1)),
    ("path-of-charter-changed", "one bit of the charter's inclusion proof", Malformed(What::Statement), |s| s.world.edit_bundle(|b| b.charters[0].path[1].0[0] ^= 1)),
    ("path-too-short", "an inclusion proof without hashes", Malformed(What::Statement), |s| s.world.edit_bundle(|b| b.releases[0].path.clear())),
    ("path-too-long", "an inclusion proof with a hash more", Malformed(What::Statement), |s| s.world.edit_bundle(|b| b.releases[0].path.push(NodeHash([0; 32])))),
    ("path-other-index", "another place in the log", Malformed(What::Statement), |s| s.world.edit_bundle(|b| b.releases[0].index = LeafIndex(1))),
    ("path-beyond-tree", "a place beyond the tree", Malformed(What::Statement), |s| s.world.edit_bundle(|b| b.releases[0].index = LeafIndex(3))),
    ("path-near-2-63", "a place near 2^63", Malformed(What::Statement), |s| s.world.edit_bundle(|b| b.releases[0].index = LeafIndex(i64::MAX as u64 - 1))),
    ("path-of-another", "another statement's inclusion proof", Malformed(What::Statement), |s| s.world.edit_bundle(|b| b.releases[0].path = b.charters[0].path.clone())),
];

#[rustfmt::skip]
const STATEMENTS: &[Row] = &[
    ("statement-withheld", "the release is missing", Lacks("absent", What::Statement), |s| withhold(s, statement)),
    ("statement-swapped", "the release before it in its place", Malformed(What::Statement), |s| { let other = Resource::Statement(first(&s.world)); swap(s, statement, other) }),
    ("statement-changed", "one bit of the release's text", Malformed(What::Statement), |s| tamper(s, statement, |b| b[40] ^= 1)),
    ("statement-signature-changed", "one bit of a signature on it", Malformed(What::Statement), |s| tamper(s, statement, |b| { let at = b.len() - 30; b[at] ^= 1 })),
    ("statement-signature-more", "a signature line more than was logged", Malformed(What::Statement), |s| tamper(s, statement, |b| b.extend(stranger(1).to_string().bytes()))),
    ("statement-oversized", "more bytes than a statement can have", Lacks("too-large", What::Statement), |s| oversized(s, statement)),
    ("charter-withheld", "the charter is missing, for a new client", Lacks("absent", What::Statement), |s| { let id = s.world.charters().next().expect("one").id(); s.world.withhold(Resource::Statement(id)) }),
    ("seen-proof-withheld", "the seen proof is missing", Lacks("absent", What::SeenProof), |s| withhold(s, seen_proof)),
    ("seen-proof-swapped", "another statement's seen proof", Malformed(What::SeenProof), |s| { let other = Resource::SeenProof(first(&s.world)); swap(s, seen_proof, other) }),
    ("seen-proof-other-index", "a seen proof with another index", Malformed(What::SeenProof), |s| replace(s, seen_proof, "index 2", "index 1")),
    ("seen-proof-no-quorum", "a seen proof that one witness cosigned: it delays, and no more", Waits(1, "not-visible", 5), |s| {
        let mut proof = s.world.seen_proof(&newest(&s.world));
        proof.checkpoint = cosigned(&s.world.checkpoint(3), &[(1, 1000)]);
        s.world.serve(seen_proof(s), proof.to_bytes());
    }),
    ("seen-proof-of-another-log", "a seen proof of another log", Malformed(What::SeenProof), |s| {
        let mut proof = s.world.seen_proof(&newest(&s.world));
        proof.checkpoint = signed_by(&s.world, &other_key(LOG), |_| ());
        s.world.serve(seen_proof(s), proof.to_bytes());
    }),
    ("seen-proof-oversized", "more bytes than a proof can have", Lacks("too-large", What::SeenProof), |s| oversized(s, seen_proof)),
    ("seen-proof-renewed", "the log renewed the proof later: it delays, and no more", Refused("not-visible", Some(5)), |s| {
        s.world.serve(seen_proof(s), s.world.proof(&newest(&s.world)).to_bytes());
        let first = first(&s.world);
        s.world.serve(Resource::SeenProof(first), s.world.proof(&first).to_bytes());
        s.world.edit_bundle(|_| ());
    }),
    ("text-logged-twice-other-lines", "one text stands in the log twice, with other signature lines the second time, and that place is offered: one list all the same, and the two places are seen by whoever compares views", InForce(2), |s| log_again_with_other_lines(s)),
    ("text-logged-twice", "one text stands in the log twice, and its second place is offered", Malformed(What::SeenProof), |s| {
        let again = s.world.statement(&newest(&s.world)).clone();
        s.world.append(again);
        s.world.publish(1010);
        let second = s.world.proof_at(3);
        s.world.edit_bundle(|b| (b.releases[0].index, b.releases[0].path) = (second.index, second.path));
    }),
];

#[rustfmt::skip]
const CONTENT: &[Row] = &[
    ("tile-withheld", "the tile that proves consistency is missing", Lacks("absent", What::Tile), |s| withhold(s, tile)),
    ("tile-changed", "its last bit", Malformed(What::Checkpoint), |s| tamper(s, tile, |b| { let at = b.len() - 1; b[at] ^= 1 })),
    ("tile-changed-in-common", "a bit of the part that both trees have", Malformed(What::Checkpoint), |s| tamper(s, tile, |b| b[0] ^= 1)),
    ("tile-short", "it is cut", Malformed(What::Tile), |s| tamper(s, tile, |b| b.truncate(64))),
    ("tile-oversized", "it is far too long", Lacks("too-large", What::Tile), |s| oversized(s, tile)),
    ("delta-withheld", "the delta is missing", Lacks("absent", What::Object), |s| withhold(s, delta)),
    ("delta-changed", "one bit of the delta", Malformed(What::Object), |s| tamper(s, delta, |b| { let at = b.len() - 1; b[at] ^= 1 })),
    ("delta-short", "it is cut", Malformed(What::Object), |s| tamper(s, delta, |b| b.truncate(20))),
    ("delta-oversized", "it has more bytes than were signed", Lacks("too-large", What::Object), |s| oversized(s, delta)),
    ("delta-is-snapshot", "the snapshot in the place of the delta", Lacks("too-large", What::Object), |s| { let other = snapshot(s); swap(s, delta, other) }),
    ("mix-old-statement-new-bundle", "a bundle of now with the statements of before", Malformed(What::Statement), |s| { let old = Resource::Statement(first(&s.world)); swap(s, statement, old) }),
    ("mix-new-checkpoint-old-paths", "a fresh checkpoint over the inclusion proofs of before", Malformed(What::Statement), |s| {
        s.world.append(s.world.statement(&newest(&s.world)).clone());
        let old = s.world.bundle();
        s.world.publish(1010);
        let checkpoint = s.world.published().clone();
        s.world.serve_bundle(&isonomy_core::bundle::Bundle { checkpoint, ..old });
    }),
];

#[rustfmt::skip]
const FIRST_CONTENT: &[Row] = &[
    ("new-snapshot-withheld", "the snapshot is missing", Lacks("absent", What::Object), |s| withhold(s, snapshot)),
    ("new-snapshot-changed", "one bit of the snapshot", Malformed(What::Object), |s| tamper(s, snapshot, |b| { let at = b.len() - 20; b[at] ^= 1 })),
    ("new-snapshot-cut", "it is cut", Malformed(What::Object), |s| tamper(s, snapshot, |b| b.truncate(100))),
    ("new-snapshot-longer", "it has a byte more", Lacks("too-large", What::Object), |s| tamper(s, snapshot, |b| b.push(0))),
    ("new-snapshot-of-before", "the snapshot of the version before", Malformed(What::Object), |s| {
        let old = s.world.releases().next().expect("one").body().snapshot.sha256;
        let old = s.world.get(&Resource::Object(old)).expect("bytes");
        let resource = snapshot(s);
        s.world.serve(resource, old);
    }),
    ("new-charter-of-another-list", "the charter of another list in its place", Malformed(What::Statement), |s| {
        let id = s.world.charters().next().expect("one").id();
        let other = Charter { list: ListName::new("hotline.example/others").expect("a name"), ..charter() };
        s.world.serve(Resource::Statement(id), sign_charter(&other).to_bytes());
    }),
    ("new-charter-changed", "one bit of the charter, for a new client", Malformed(What::Statement), |s| { let id = s.world.charters().next().expect("one").id(); s.world.tamper(Resource::Statement(id), |b| b[40] ^= 1) }),
    ("new-statement-withheld", "the release is missing, for a new client", Lacks("absent", What::Statement), |s| withhold(s, statement)),
    ("new-honest", "nothing at all: the newest version, at the first try", InForce(2), |_| ()),
    ("new-below-floor", "the version before is all that is offered, below the one that the app was shipped with", Refused("policy", None), |s| {
        s.policy = s.policy.replace("min_version = 1", "min_version = 2");
        let first = first(&s.world);
        s.world.offer_only(&[first]);
    }),
];

const ROLLBACKS: &[Row] = &[
    (
        "rollback-checkpoint",
        "the checkpoint of before, from when there was no version 1",
        Refused("behind", None),
        |s| {
            s.world.cosign(1, &[(1, 50), (2, 50)]);
            s.world.offer_only(&[]);
        },
    ),
    (
        "rollback-release",
        "a fresh checkpoint, and only the release before the one in force",
        Refused("rollback", None),
        |s| {
            let honest = s.update();
            assert_eq!(honest.exit, 0, "{honest:?}");
            s.world.publish(1020);
            let first = first(&s.world);
            s.world.offer_only(&[first]);
        },
    ),
    ("rollback-after-cache-wipe", "the same after the cache is lost", Refused("rollback", None), |s| {
        let honest = s.update();
        assert_eq!(honest.exit, 0, "{honest:?}");
        std::fs::remove_dir_all(s.state().join("cache")).expect("the cache");
        s.world.publish(1020);
        let first = first(&s.world);
        s.world.offer_only(&[first]);
    }),
    ("rollback-after-expiry", "the same after the release in force has expired", Refused("rollback", None), |s| {
        let honest = s.update();
        assert_eq!(honest.exit, 0, "{honest:?}");
        s.world.publish(200_000);
        s.clock = at(200_000);
        let first = first(&s.world);
        s.world.offer_only(&[first]);
    }),
    (
        "rollback-replayed-bundle",
        "the bundle and checkpoint from when version 1 was the newest",
        Refused("behind", None),
        |s| {
            let honest = s.update();
            assert_eq!(honest.exit, 0, "{honest:?}");
            s.world.cosign(2, &[(1, 105), (2, 105)]);
            let first = first(&s.world);
            s.world.offer_only(&[first]);
        },
    ),
    ("old-cosignatures", "the same tree with cosignatures from earlier", InForce(2), |s| {
        let honest = s.update();
        assert_eq!(honest.exit, 0, "{honest:?}");
        s.world.cosign(3, &[(1, 1001), (2, 1002)]);
        let newest = newest(&s.world);
        s.world.offer_only(&[newest]);
    }),
];

pub(super) fn cases() -> Vec<Case> {
    [
        served(GROUP, "bundle", Start::Behind, BUNDLES),
        served(GROUP, "log signature", Start::Behind, CHECKPOINTS),
        served(GROUP, "quorum (rule 6)", Start::Behind, QUORUMS),
        served(GROUP, "inclusion", Start::Behind, INCLUSION),
        served(GROUP, "inclusion, identity", Start::Behind, &STATEMENTS[..6]),
        served(GROUP, "inclusion, identity", Start::New, &STATEMENTS[6..7]),
        served(GROUP, "seen proof (rule 6)", Start::Behind, &STATEMENTS[7..13]),
        served(GROUP, "visibility (rule 5)", Start::New, &STATEMENTS[13..14]),
        served(GROUP, "seen proof (rule 6)", Start::Behind, &STATEMENTS[14..]),
        served(GROUP, "consistency, digest", Start::Behind, CONTENT),
        served(GROUP, "digest, root", Start::New, FIRST_CONTENT),
        served(GROUP, "state", Start::Behind, ROLLBACKS),
    ]
    .into_iter()
    .flatten()
    .collect()
}
