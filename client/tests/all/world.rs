//! A small real log with one list: its keys, statements, tiles and objects, written as the folder of a mirror.

use isonomy_client::{Client, Policy, Source};
use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::charter::*;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature::cosign;
use isonomy_core::hash::{LeafHash, NodeHash, ObjectDigest};
use isonomy_core::list::{Algorithm, Entries, delta, snapshot};
use isonomy_core::note::{KeyType, Note, SigningKey};
use isonomy_core::release::{DeltaRef, ObjectRef, Release, delta_bases};
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Signed, Statement};
use isonomy_core::tile::RightEdge;
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{InclusionPlan, LeafIndex, NodeCoordinate, TreeSize, leaf_hash, node_hash};
use std::fs;
use std::path::Path;

pub(crate) const LOG: &str = "log.example/isonomy";
pub(crate) const LIST: &str = "hotline.example/files";
/// How long a release must be public.
pub(crate) const VISIBILITY: u64 = 3600;
/// When the charter is logged.
pub(crate) const START: u64 = 1_800_000_000;

/// A signing key; the same for the same name.
pub(crate) fn key(name: &str, key_type: KeyType) -> SigningKey {
    let mut seed = [7; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SigningKey::from_seed(name, key_type, &seed).unwrap()
}

/// The log, as far as it has grown.
pub(crate) struct World {
    log: SigningKey,
    witnesses: [SigningKey; 3],
    entries: Vec<Vec<u8>>,
    charter: Signed<Charter>,
    releases: Vec<LoggedRelease>,
    proofs: Vec<(Resource, TlogProof)>,
    objects: Vec<Vec<u8>>,
}

#[derive(Clone)]
struct LoggedRelease {
    release: Signed<Release>,
    index: LeafIndex,
    public_since: u64,
    entries: Entries,
}

impl World {
    /// A log with a charter, under the key of this name.
    pub(crate) fn new(log: &str) -> Self {
        let text = charter().to_text().unwrap();
        let signed = sign(text, &["m1", "c1", "c2"]).into_charter().unwrap();
        let witnesses = ["w1", "w2", "w3"].map(|name| key(name, KeyType::Cosignature));
        let mut world = Self {
            log: key(log, KeyType::Ed25519),
            witnesses,
            entries: Vec::new(),
            charter: signed.clone(),
            releases: Vec::new(),
            proofs: Vec::new(),
            objects: Vec::new(),
        };
        world.append(&Statement::Charter(signed), START);
        world
    }

    /// A log with versions 1 to `versions`, a day apart, of which each has a file more and lacks one.
    pub(crate) fn with_versions(versions: u64) -> Self {
        let mut world = Self::new(LOG);
        for version in 1..=versions {
            world.release(version..version + 100, day(version));
        }
        world
    }

    /// The same log, which has another key from now on, and has signed its proofs anew by it.
    pub(crate) fn under_another_key(mut self) -> Self {
        self.log = SigningKey::from_seed(self.log.verifier().name(), KeyType::Ed25519, &[99; 32]).unwrap();
        for (_, TlogProof { checkpoint, .. }) in &mut self.proofs {
            let signed = CheckpointNote::sign(checkpoint.checkpoint().clone(), &self.log).unwrap();
            *checkpoint = signed.with_cosignatures(&checkpoint.note().signatures()[1..]);
        }
        self
    }

    /// Publishes the next version at `time`: the list of the files with these numbers.
    pub(crate) fn release(&mut self, files: std::ops::Range<u64>, time: u64) {
        let hashes = files.flat_map(|file| ObjectDigest::of(&file.to_be_bytes()).0).collect();
        let (entries, _) = Entries::from_unsorted(32, hashes).unwrap();
        let release = self.compose(&entries, time);
        let release = sign(release.to_text().unwrap(), &["m1", "c1", "c2"]);
        let index = self.append(&release, time);
        let release = release.into_release().unwrap();
        self.releases.push(LoggedRelease { release, index, public_since: time, entries });
    }

    fn compose(&mut self, entries: &Entries, time: u64) -> Release {
        let version = self.releases.len() as u64 + 1;
        let snapshot = self.object(snapshot::encode(entries));
        let deltas = delta_bases(version).into_iter().map(|from| {
            let base = self.releases[from as usize - 1].clone();
            let object = self.object(delta::encode(&delta::diff(&base.entries, entries).unwrap()));
            DeltaRef { from, release: base.release.id(), size: object.size, sha256: object.sha256 }
        });
        let deltas: Vec<DeltaRef> = deltas.collect();
        let previous = self.releases.last();
        let changes = previous.map(|last| delta::diff(&last.entries, entries).unwrap());
        Release {
            statement: Release::KIND.into(),
            list: ListName::new(LIST).unwrap(),
            version,
            previous: previous.map(|last| last.release.id()),
            charter: self.charter.id(),
            created: Timestamp(time - 60),
            expires: Timestamp(time - 60 + charter().limits.validity),
            entries: entries.len() as u64,
            irregular: 0,
            root: entries.root(),
            added: changes.as_ref().map_or(entries.len(), |changes| changes.added().len()) as u64,
            removed: changes.as_ref().map_or(0, |changes| changes.removed().len()) as u64,
            snapshot,
            deltas,
        }
    }

    fn object(&mut self, bytes: Vec<u8>) -> ObjectRef {
        let object = ObjectRef { size: bytes.len() as u64, sha256: ObjectDigest::of(&bytes) };
        self.objects.push(bytes);
        object
    }

    /// Appends a statement, which the witnesses see at `time`.
    fn append(&mut self, statement: &Statement, time: u64) -> LeafIndex {
        let index = LeafIndex(self.entries.len() as u64);
        self.entries.push(statement.to_bytes());
        let proof = TlogProof { extra: None, index, path: self.path(index), checkpoint: self.checkpoint(time) };
        self.proofs.push((Resource::SeenProof(statement.id()), proof));
        index
    }

    /// Appends something that has nothing to do with the list.
    pub(crate) fn append_other(&mut self, entry: &[u8]) {
        self.entries.push(entry.to_vec());
    }

    /// The checkpoint, cosigned at `time`.
    pub(crate) fn checkpoint(&self, time: u64) -> CheckpointNote {
        let origin = self.log.verifier().name().to_owned();
        let (edge, _) = RightEdge::new().append(&self.leaves());
        let checkpoint = Checkpoint { origin, size: self.size(), root: edge.root(), extensions: Vec::new() };
        let signed = CheckpointNote::sign(checkpoint, &self.log).unwrap();
        let cosign = |witness| cosign(witness, signed.note().text(), Timestamp(time));
        signed.with_cosignatures(&self.witnesses.iter().map(cosign).collect::<Vec<_>>())
    }

    fn size(&self) -> TreeSize {
        TreeSize(self.entries.len() as u64)
    }

    fn leaves(&self) -> Vec<LeafHash> {
        self.entries.iter().map(|entry| leaf_hash(entry)).collect()
    }

    fn path(&self, index: LeafIndex) -> Vec<NodeHash> {
        let (plan, leaves) = (InclusionPlan::new(index, self.size()).unwrap(), self.leaves());
        let nodes: Vec<NodeHash> = plan.nodes().iter().map(|node| subtree(node, &leaves)).collect();
        plan.combine(&nodes).unwrap()
    }

    /// The bundle at `now`: the newest usable release and every newer one.
    pub(crate) fn bundle(&self, now: u64) -> Bundle {
        let included = |id, index| Included { id, index, path: self.path(index) };
        let usable = self.releases.iter().rposition(|release| release.public_since + VISIBILITY <= now);
        let releases = self.releases.iter().skip(usable.unwrap_or(0));
        Bundle {
            list: ListName::new(LIST).unwrap(),
            charters: vec![included(self.charter.id(), LeafIndex(0))],
            releases: releases.map(|logged| included(logged.release.id(), logged.index)).collect(),
            attestations: Vec::new(),
            checkpoint: self.checkpoint(now),
        }
    }

    /// Writes the folder of a mirror, as it is at `now`.
    pub(crate) fn mirror(&self, folder: &Path, now: u64) -> Source {
        let bundle = self.bundle(now);
        let list = Resource::Bundle(bundle.list.clone());
        write(folder, &list, &bundle.to_bytes());
        write(folder, &Resource::Checkpoint, &bundle.checkpoint.to_bytes());
        for entry in &self.entries {
            if let Ok(statement) = Statement::parse(entry) {
                write(folder, &Resource::Statement(statement.id()), entry);
            }
        }
        for (resource, proof) in &self.proofs {
            write(folder, resource, &proof.to_bytes());
        }
        for object in &self.objects {
            write(folder, &Resource::Object(ObjectDigest::of(object)), object);
        }
        for tile in RightEdge::new().append(&self.leaves()).1 {
            write(folder, &Resource::Tile(tile.path), &tile.to_bytes());
        }
        Source::folder(folder)
    }

    /// A policy for the list in this log.
    pub(crate) fn policy(&self) -> Policy {
        self.policy_for(LIST, "block")
    }

    pub(crate) fn policy_for(&self, list: &str, action: &str) -> Policy {
        let witness =
            |witness: &SigningKey| format!("witness {0} {1}\n", witness.verifier().name(), witness.verifier());
        let witnesses: String = self.witnesses.iter().map(witness).collect();
        let text = format!(
            r#"
trust = """
log {log}
{witnesses}group most 2 w1 w2 w3
quorum most
"""
[list]
name = "{list}"
charter = "{charter}"
[accept]
purposes = ["other"]
aims = ["suppress"]
action = "{action}"
min_curators = 2
min_jurisdictions = 2
min_notice = 0
min_visibility = {VISIBILITY}
[ages]
checkpoint = {age}
release = 864000
"#,
            log = self.log.verifier(),
            charter = self.charter.id().to_hex(),
            age = VISIBILITY / 2,
        );
        Policy::parse(text.as_bytes()).unwrap()
    }

    /// The names of the files of a version in a cache.
    pub(crate) fn cached(&self, version: u64) -> [String; 3] {
        let release = self.releases[version as usize - 1].release.id().to_hex();
        [format!("{release}.entries"), format!("{release}.note"), format!("{}.note", self.charter.id().to_hex())]
    }

    /// Opens a client in `folder`.
    pub(crate) fn client(&self, folder: &Path) -> Client {
        Client::open(folder, self.policy()).unwrap()
    }
}

/// When [`World::with_versions`] publishes a version.
pub(crate) const fn day(version: u64) -> u64 {
    START + version * 86_400
}

fn write(folder: &Path, resource: &Resource, bytes: &[u8]) {
    let path = folder.join(resource.to_string());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn subtree(node: &NodeCoordinate, leaves: &[LeafHash]) -> NodeHash {
    let Some(level) = node.level.checked_sub(1) else {
        return leaves[node.index as usize].into();
    };
    let child = |index| subtree(&NodeCoordinate { level, index }, leaves);
    node_hash(&child(node.index * 2), &child(node.index * 2 + 1))
}

fn sign(text: String, names: &[&str]) -> Statement {
    let lines = names.iter().map(|name| key(name, KeyType::Ed25519).sign(&text)).collect();
    Statement::from_note(Note::new(text, lines).unwrap()).unwrap()
}

fn charter() -> Charter {
    let jurisdiction = |code| Jurisdiction::new(code).unwrap();
    let vkey = |name: &str| key(name, KeyType::Ed25519).verifier().clone();
    let curator = |name: &str, code| Curator { name: name.into(), jurisdiction: jurisdiction(code), key: vkey(name) };
    Charter {
        statement: Charter::KIND.into(),
        list: ListName::new(LIST).unwrap(),
        log: LOG.into(),
        edition: 1,
        previous: None,
        maintainer: Maintainer {
            name: "Hotline".into(),
            jurisdiction: jurisdiction("DE"),
            contact: "desk@hotline.example".into(),
            keys: vec![vkey("m1")],
        },
        purpose: Purpose {
            code: PurposeCode::Other,
            aim: Aim::Suppress,
            definition: "Test files.".into(),
            victims: "Nobody.".into(),
            self_generated: "Not listed.".into(),
            statutes: Vec::new(),
            exclusions: Vec::new(),
        },
        reach: Reach { jurisdictions: vec![jurisdiction("DE")], surfaces: vec![Surface::Public] },
        matching: Matching { algorithm: Algorithm::Sha256, max_distance: 0, min_quality: 0 },
        action: ActionClause { most: Action::Block, recipients: Vec::new() },
        curation: Curation {
            threshold: 2,
            min_jurisdictions: 2,
            curators: vec![curator("c1", "DE"), curator("c2", "FR")],
        },
        limits: Limits {
            max_entries: 1000,
            max_added: 500,
            min_interval: 60,
            validity: 10 * 86_400,
            min_visibility: VISIBILITY,
            notice: VISIBILITY,
        },
        redress: Redress { complaints: "complaints@hotline.example".into(), removal_deadline: 86_400 },
        record: Record::default(),
    }
}
