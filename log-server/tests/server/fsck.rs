//! Checking a log of ours: what it serves beside the tree.

use crate::lists::LIST;
use crate::published;
use crate::world::World;
use isonomy_core::bundle::Bundle;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature;
use isonomy_core::hash::NodeHash;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tile::audit::Fault;
use isonomy_core::tile::{TilePath, encode_entries};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{Frontier, LeafIndex, TreeSize, leaf_hash};
use isonomy_fetch::Source;
use isonomy_log_server::fsck::{Finding, Objects, Options, Report, fsck};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

struct Checked {
    world: World,
    public: PathBuf,
    statements: [Statement; 3],
}

impl Checked {
    async fn new() -> Self {
        let mut world = World::with_log().await;
        let (_, statements) = published(&world).await;
        world.stop_log().await.unwrap();
        Self { public: world.data().join("public"), world, statements }
    }

    async fn check(&self) -> Report {
        let options = Options {
            log: self.world.log_verifier(),
            policy: Some(self.world.policy.clone()),
            objects: Objects::Read,
            minimum_index: LeafIndex(0),
            jobs: 2,
        };
        let report = fsck(&Source::folder(&self.public), &options, Arc::new(|_| ())).await.unwrap();
        assert!(report.holds_statements);
        report
    }

    /// What is found while `resource` holds what `change` makes of it.
    async fn after(&self, resource: Resource, change: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>) -> Vec<Finding> {
        let path = self.public.join(resource.to_string());
        let original = fs::read(&path).unwrap();
        match change(original.clone()) {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let report = self.check().await;
        fs::write(&path, original).unwrap();
        report.findings
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_proofs_and_objects_are_checked_beside_the_tree() {
    let checked = Checked::new().await;
    assert_eq!(checked.check().await.findings, []);
    let [charter, second, third] = &checked.statements;

    let file = Resource::Statement(second.id());
    let other = |_| Some(third.to_bytes());
    assert!(matches!(checked.after(file.clone(), other).await[..], [Finding::Statement { .. }]));
    assert!(matches!(checked.after(file, |_| None).await[..], [Finding::Statement { .. }]));

    let proof = Resource::SeenProof(second.id());
    let of_another = fs::read(checked.public.join(Resource::SeenProof(charter.id()).to_string())).unwrap();
    assert!(matches!(checked.after(proof.clone(), |_| Some(of_another)).await[..], [Finding::SeenProof { .. }]));
    let without_witnesses = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        let kept: Vec<_> = text.lines().filter(|line| !line.starts_with("— witness")).collect();
        Some((kept.join("\n") + "\n").into_bytes())
    };
    let found = checked.after(proof.clone(), without_witnesses).await;
    assert!(matches!(&found[..], [Finding::SeenProof { reason, .. }] if reason.contains("quorum")), "{found:?}");
    assert!(matches!(checked.after(proof, |_| None).await[..], [Finding::SeenProof { .. }]));

    let Statement::Release(release) = third else { panic!() };
    let snapshot = Resource::Object(release.body().snapshot.sha256);
    let flipped = |mut bytes: Vec<u8>| {
        bytes[5] ^= 1;
        Some(bytes)
    };
    assert!(matches!(checked.after(snapshot.clone(), flipped).await[..], [Finding::Object { .. }]));
    assert!(matches!(checked.after(snapshot, |_| None).await[..], [Finding::Object { .. }]));
    assert_eq!(checked.check().await.findings, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_and_the_index_of_lists_are_checked_against_the_entries() {
    let checked = Checked::new().await;
    let report = checked.check().await;
    assert_eq!((&report.findings[..], report.bundles, report.bundles_absent), (&[][..], 1, 0));
    let resource = Resource::Bundle(ListName::new(LIST).unwrap());
    let reason = |findings: &[Finding]| match findings {
        [Finding::Bundle { reason, .. } | Finding::Index { reason, .. }] => reason.clone(),
        other => panic!("{other:?}"),
    };
    // Each shows what a client would be given.
    type Edit = fn(&mut Bundle);
    let edits: [(Edit, &str); 6] = [
        (|bundle| bundle.list = ListName::new("a.example/other").unwrap(), "it is of the list a.example/other"),
        (|bundle| bundle.charters.clear(), "it has no charter"),
        (|bundle| bundle.releases[0].path[0].0[0] ^= 1, "its place is not proven"),
        (|bundle| bundle.releases[0].index.0 -= 1, "its place is not proven"),
        (|bundle| bundle.releases[0].id.0[0] ^= 1, "which can't be read"),
        (|bundle| bundle.releases.insert(0, bundle.charters[0].clone()), "named as release, and is something else"),
    ];
    for (edit, words) in edits {
        let changed = |bytes: Vec<u8>| {
            let mut bundle = Bundle::parse(&bytes).unwrap();
            edit(&mut bundle);
            Some(bundle.to_bytes())
        };
        let found = reason(&checked.after(resource.clone(), changed).await);
        assert!(found.contains(words), "{words}: {found}");
    }
    let unsigned = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        let kept: Vec<_> = text.lines().filter(|line| !line.starts_with("— witness")).collect();
        Some((kept.join("\n") + "\n").into_bytes())
    };
    assert!(reason(&checked.after(resource.clone(), unsigned).await).contains("too few of the policy's witnesses"));
    assert!(reason(&checked.after(resource.clone(), |_| Some(b"nonsense".to_vec())).await).contains("malformed"));
    // Under a checkpoint of more entries than the log's own shows, while that stays as it is.
    let index = checked.public.join("checkpoint");
    let newest = fs::read(&index).unwrap();
    let older = fs::read(checked.public.join(Resource::SeenProof(checked.statements[1].id()).to_string())).unwrap();
    let older = TlogProof::parse(&older).unwrap().checkpoint;
    assert!(older.checkpoint().size.0 < 3);
    fs::write(&index, older.to_bytes()).unwrap();
    let newer = checked.check().await.findings;
    let bundle = newer.iter().find(|found| matches!(found, Finding::Bundle { .. })).map(ToString::to_string);
    assert!(
        bundle.is_some_and(|words| words.contains("it is of 3 entries, and `checkpoint` here of 2: that is older")),
        "{newer:?}"
    );
    fs::write(&index, newest).unwrap();
    // A copy of a log need not have one; that is counted.
    let path = checked.public.join(resource.to_string());
    let good = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let report = checked.check().await;
    assert_eq!((&report.findings[..], report.bundles, report.bundles_absent), (&[][..], 0, 1));
    fs::write(&path, good).unwrap();

    let index = checked.public.join("lists");
    let good = fs::read_to_string(&index).unwrap();
    for (from, to, words) in [
        ("\"log\": \"", "\"log\": \"other.", "it is of the log other."),
        ("\"entries\": ", "\"entries\": 1", "says something else than stands here"),
        ("\"edition\": ", "\"edition\": 1", "is not edition 11 of its charter"),
        ("\"list\": \"hotline", "\"list\": \"coldline", "the log has no statement about it"),
        ("/bundle", "/other", "its bundle is not at"),
        ("{", "[", "it can't be read"),
    ] {
        fs::write(&index, good.replacen(from, to, 1)).unwrap();
        let found = reason(&checked.check().await.findings);
        assert!(found.contains(words), "{words}: {found}");
    }
    let mut twice: serde_json::Value = serde_json::from_str(&good).unwrap();
    let first = twice["lists"][0].clone();
    twice["lists"].as_array_mut().unwrap().extend([first.clone(), first]);
    fs::write(&index, twice.to_string()).unwrap();
    assert!(reason(&checked.check().await.findings).contains("twice"), "once, and no more of it is read");
    // What could not be read may be about a list that the index names.
    fs::write(&index, good.replacen("\"list\": \"hotline", "\"list\": \"coldline", 1)).unwrap();
    let entries = checked.public.join("tile/entries/000.p/3");
    let whole = fs::read(&entries).unwrap();
    let mut damaged = whole.clone();
    let last = damaged.len() - 5;
    damaged[last] ^= 1;
    fs::write(&entries, damaged).unwrap();
    let found = checked.check().await.findings;
    assert!(!found.is_empty() && !found.iter().any(|found| matches!(found, Finding::Index { .. })), "{found:?}");
    fs::write(&entries, whole).unwrap();
    fs::remove_file(&index).unwrap();
    assert_eq!(checked.check().await.findings, [], "a copy need not have it, either");
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_every_checkpoint_that_was_seen_can_read_its_tree() {
    let checked = Checked::new().await;
    let tile = |path: &str| Resource::Tile(TilePath::parse(path).unwrap());
    let flipped = |mut bytes: Vec<u8>| {
        bytes[40] ^= 1;
        Some(bytes)
    };
    let reason = |findings: &[Finding]| match findings {
        [Finding::SeenProof { reason, .. }] => reason.clone(),
        other => panic!("{other:?}"),
    };
    for path in ["tile/0/000.p/2", "tile/entries/000.p/2"] {
        let damaged = reason(&checked.after(tile(path), flipped).await);
        assert!(damaged.contains("of 2 entries, can't read that tree"), "{damaged}");
        // A copy of a log need not have it.
        assert_eq!(checked.after(tile(path), |_| None).await, []);
    }
    // A damaged tile of today is named once, and accuses no proof of an earlier tree.
    let found = checked.after(tile("tile/0/000.p/3"), flipped).await;
    assert!(matches!(found[..], [Finding::Tree(Fault::Hash { .. })]), "{found:?}");
}

/// A seen proof under a checkpoint of another history, which the log signed and witnesses cosigned, with the tiles that its readers ask for.
#[tokio::test(flavor = "multi_thread")]
async fn another_history_is_found_also_where_its_own_tiles_are_served() {
    let checked = Checked::new().await;
    let (id, entry) = (checked.statements[1].id(), checked.statements[1].to_bytes());
    let other = leaf_hash(b"another history");
    let frontier: Frontier = [other, leaf_hash(&entry)].into_iter().collect();
    let (origin, root) = (checked.world.log_verifier().name().to_owned(), frontier.root());
    let checkpoint = Checkpoint { origin, size: TreeSize(2), root, extensions: Vec::new() };
    let signed = CheckpointNote::sign(checkpoint, &World::log_key()).unwrap();
    let cosign = |number| cosignature::cosign(&World::witness_key(number), signed.note().text(), crate::world::now());
    let cosigned = signed.with_cosignatures(&[0, 1].map(cosign));
    let proof = TlogProof { extra: None, index: LeafIndex(1), path: vec![NodeHash::from(other)], checkpoint: cosigned };
    let write = |resource: Resource, bytes: &[u8]| fs::write(checked.public.join(resource.to_string()), bytes).unwrap();
    let tile = |path: &str| Resource::Tile(TilePath::parse(path).unwrap());
    write(Resource::SeenProof(id), &proof.to_bytes());
    write(tile("tile/0/000.p/2"), &[NodeHash::from(other).0, NodeHash::from(leaf_hash(&entry)).0].concat());
    write(tile("tile/entries/000.p/2"), &encode_entries(&[b"another history".to_vec(), entry]).unwrap());
    let found = checked.check().await.findings;
    let told = found
        .iter()
        .any(|found| matches!(found, Finding::SeenProof { reason, .. } if reason.contains("two histories")));
    assert!(told, "{found:?}");
}
