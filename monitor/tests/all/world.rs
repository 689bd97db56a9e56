//! A log in a folder, with a list in it. It does whatever it is told, right or wrong.

use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::charter::*;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature::cosign;
use isonomy_core::hash::{NodeHash, ObjectDigest};
use isonomy_core::list::{Algorithm, Entries, delta, snapshot};
use isonomy_core::note::{KeyType, Note, SigningKey};
use isonomy_core::policy::Policy;
use isonomy_core::release::{DeltaRef, ObjectRef, Release, delta_bases};
use isonomy_core::resource::Resource;
use isonomy_core::rules::history::{History, ListHistory};
use isonomy_core::rules::releases::Place;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tile::{self, RightEdge, TileKind, TilePath};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{InclusionPlan, LeafIndex, NodeCoordinate, leaf_hash, node_hash};
use isonomy_fetch::Source;
use isonomy_monitor::{Config, Finding, Monitor, Report};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) const ORIGIN: &str = "log.example/isonomy";
pub(crate) const LIST: &str = "hotline.example/images";
/// When everything begins.
pub(crate) const START: Timestamp = Timestamp(1_700_000_000);
pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 24 * HOUR;
/// Whose signatures a release needs.
pub(crate) const SIGNERS: [&str; 3] = ["m1", "c1", "c2"];

pub(crate) fn key(name: &str) -> SigningKey {
    signing_key(name, KeyType::Ed25519)
}

pub(crate) fn log_key() -> SigningKey {
    key(ORIGIN)
}

pub(crate) fn witness_key(number: usize) -> SigningKey {
    signing_key(&format!("witness.example/w{number}"), KeyType::Cosignature)
}

fn signing_key(name: &str, key_type: KeyType) -> SigningKey {
    let seed = isonomy_core::hash::sha256(&[name.as_bytes()]);
    SigningKey::from_seed(name, key_type, &seed).unwrap()
}

/// The log and three witnesses, of which two are a quorum.
pub(crate) fn policy(urls: &[&str]) -> Policy {
    let mut text = format!("log {}\n", log_key().verifier());
    for number in 0..3 {
        let url = urls.get(number).copied().unwrap_or_default();
        text += &format!("witness w{number} {} {url}\n", witness_key(number).verifier());
    }
    text += "group all-of-them 2 w0 w1 w2\nquorum all-of-them\n";
    Policy::parse(text.as_bytes()).unwrap()
}

pub(crate) fn curator(name: &str, code: &str) -> Curator {
    let jurisdiction = Jurisdiction::new(code).unwrap();
    Curator { name: format!("Curator {name}"), jurisdiction, key: key(name).verifier().clone() }
}

/// A list of SHA-256 hashes; 2 of 2 curators; visibility two hours, notice a week.
pub(crate) fn charter() -> Charter {
    let jurisdiction = |code: &str| Jurisdiction::new(code).unwrap();
    Charter {
        statement: Charter::KIND.into(),
        list: ListName::new(LIST).unwrap(),
        log: ORIGIN.into(),
        edition: 1,
        previous: None,
        maintainer: Maintainer {
            name: "Hotline".into(),
            jurisdiction: jurisdiction("DE"),
            contact: "desk@hotline.example".into(),
            keys: vec![key("m1").verifier().clone()],
        },
        purpose: Purpose {
            code: PurposeCode::Other,
            aim: Aim::Suppress,
            definition: "Test pictures <script>alert(1)</script> & more.".into(),
            victims: "Nobody.".into(),
            self_generated: "Not listed.".into(),
            statutes: vec![Statute {
                jurisdiction: jurisdiction("DE"),
                instrument: "Test Act".into(),
                provision: "section 1".into(),
            }],
            exclusions: vec!["art".into(), "news".into()],
        },
        reach: Reach {
            jurisdictions: vec![jurisdiction("DE"), jurisdiction("FR")],
            surfaces: vec![Surface::Private, Surface::Public],
        },
        matching: Matching { algorithm: Algorithm::Sha256, max_distance: 0, min_quality: 0 },
        action: ActionClause { most: Action::Block, recipients: vec![] },
        curation: Curation {
            threshold: 2,
            min_jurisdictions: 2,
            curators: vec![curator("c1", "DE"), curator("c2", "FR")],
        },
        limits: Limits {
            max_entries: 1000,
            max_added: 500,
            min_interval: 0,
            validity: 30 * DAY,
            min_visibility: 2 * HOUR,
            notice: 7 * DAY,
        },
        redress: Redress { complaints: "complaints@hotline.example".into(), removal_deadline: 3 * DAY },
        record: Record::default(),
    }
}

pub(crate) fn signed(text: &str, names: &[&str]) -> Statement {
    let lines = names.iter().map(|name| key(name).sign(text)).collect();
    Statement::from_note(Note::new(text.into(), lines).unwrap()).unwrap()
}

/// Entries that are hashes of these numbers.
pub(crate) fn entries(numbers: impl IntoIterator<Item = u64>) -> Entries {
    let bytes = numbers.into_iter().flat_map(|number| isonomy_core::hash::sha256(&[&number.to_be_bytes()]));
    Entries::from_unsorted(32, bytes.collect()).unwrap().0
}

/// A log's public folder, and the list in it.
pub(crate) struct Log {
    pub(crate) path: PathBuf,
    entries: Vec<Vec<u8>>,
    /// Since when each entry that was published is public.
    times: Vec<Timestamp>,
    charters: Vec<Statement>,
    releases: Vec<(Statement, Entries)>,
}

impl Log {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, entries: vec![], times: vec![], charters: vec![], releases: vec![] }
    }

    /// A copy of it in another folder, which goes on by itself from here.
    pub(crate) fn split(&self, path: PathBuf) -> Self {
        copy_folder(&self.path, &path);
        let (entries, charters, releases) = (self.entries.clone(), self.charters.clone(), self.releases.clone());
        Self { path, entries, times: self.times.clone(), charters, releases }
    }

    pub(crate) fn append(&mut self, entry: impl Into<Vec<u8>>) {
        self.entries.push(entry.into());
    }

    /// What stands at this place.
    pub(crate) fn entry(&self, index: LeafIndex) -> &[u8] {
        &self.entries[index.0 as usize]
    }

    /// Logs all that another log has.
    pub(crate) fn take_in(&mut self, other: Log) {
        self.entries.extend(other.entries);
    }

    /// Logs what stands at this place once more.
    pub(crate) fn again(&mut self, index: usize) {
        self.entries.push(self.entries[index].clone());
    }

    /// Logs the next edition of the charter, in force or not.
    pub(crate) fn charter(&mut self, edit: impl Fn(&mut Charter)) {
        let mut body = charter();
        if let Some(Statement::Charter(last)) = self.charters.last() {
            body = last.body().clone();
            (body.edition, body.previous) = (body.edition + 1, Some(last.id()));
        }
        edit(&mut body);
        let statement = signed(&body.to_text().unwrap(), &SIGNERS);
        self.take_charter(statement);
    }

    /// Logs this edition, and goes on from it.
    pub(crate) fn take_charter(&mut self, statement: Statement) {
        self.append(statement.to_bytes());
        self.charters.push(statement);
    }

    /// Logs this release, and goes on from it.
    pub(crate) fn take_release(&mut self, statement: Statement, content: Entries) {
        self.append(statement.to_bytes());
        self.releases.push((statement, content));
    }

    /// The first edition of the charter.
    pub(crate) fn first_charter(&self) -> isonomy_core::hash::StatementId {
        self.charters[0].id()
    }

    /// The last release.
    pub(crate) fn last_release(&self) -> isonomy_core::hash::StatementId {
        self.releases.last().unwrap().0.id()
    }

    /// The text of the next release with these entries, whose objects are put into the folder.
    pub(crate) fn draft(&self, content: &Entries, created: Timestamp) -> Release {
        let version = self.releases.len() as u64 + 1;
        let deltas = delta_bases(version).into_iter().map(|from| {
            let (base, old) = &self.releases[from as usize - 1];
            let object = self.object(&delta::encode(&delta::diff(old, content).unwrap()));
            DeltaRef { from, release: base.id(), size: object.size, sha256: object.sha256 }
        });
        let deltas: Vec<DeltaRef> = deltas.collect();
        let nothing = Entries::empty(32).unwrap();
        let last = self.releases.last();
        let change = delta::diff(last.map_or(&nothing, |(_, old)| old), content).unwrap();
        Release {
            statement: Release::KIND.into(),
            list: ListName::new(LIST).unwrap(),
            version,
            previous: last.map(|(statement, _)| statement.id()),
            charter: self.charters.last().unwrap().id(),
            created,
            expires: created.plus(30 * DAY),
            entries: content.len() as u64,
            irregular: 0,
            root: content.root(),
            added: change.added().len() as u64,
            removed: change.removed().len() as u64,
            snapshot: self.object(&snapshot::encode(content)),
            deltas,
        }
    }

    /// Logs a release.
    pub(crate) fn release(&mut self, content: Entries, created: Timestamp, edit: impl Fn(&mut Release)) -> Release {
        let mut body = self.draft(&content, created);
        edit(&mut body);
        self.take_release(signed(&body.to_text().unwrap(), &SIGNERS), content);
        body
    }

    /// Puts an object into the folder.
    pub(crate) fn object(&self, bytes: &[u8]) -> ObjectRef {
        let sha256 = ObjectDigest::of(bytes);
        self.put(&Resource::Object(sha256), bytes);
        ObjectRef { size: bytes.len() as u64, sha256 }
    }

    pub(crate) fn put(&self, resource: &Resource, bytes: &[u8]) {
        let path = self.path.join(resource.to_string());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn remove(&self, resource: &Resource) {
        fs::remove_file(self.path.join(resource.to_string())).unwrap();
    }

    /// The checkpoint of what is logged, cosigned by these witnesses at this time.
    pub(crate) fn checkpoint(&self, witnesses: &[usize], time: Timestamp) -> CheckpointNote {
        let edge = self.edge();
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: edge.size(), root: edge.root(), extensions: vec![] };
        let note = CheckpointNote::sign(checkpoint, &log_key()).unwrap();
        let cosign = |number: &usize| cosign(&witness_key(*number), note.note().text(), time);
        note.with_cosignatures(&witnesses.iter().map(cosign).collect::<Vec<_>>())
    }

    /// Publishes what is logged, cosigned by all witnesses at this time.
    pub(crate) fn publish(&mut self, time: Timestamp) {
        self.publish_with(&[0, 1, 2], time);
    }

    pub(crate) fn publish_with(&mut self, witnesses: &[usize], time: Timestamp) {
        let checkpoint = self.checkpoint(witnesses, time);
        self.write_tiles();
        for index in self.times.len()..self.entries.len() {
            if let Ok(statement) = Statement::parse(&self.entries[index]) {
                self.put(&Resource::Statement(statement.id()), &self.entries[index]);
                let seen = Resource::SeenProof(statement.id());
                if !self.path.join(seen.to_string()).exists() {
                    self.put(&seen, &self.proof(index as u64, &checkpoint).to_bytes());
                }
            }
        }
        self.times.resize(self.entries.len(), time);
        self.put(&Resource::Checkpoint, &checkpoint.to_bytes());
        for bundle in self.bundles(&checkpoint) {
            self.put(&Resource::Bundle(bundle.list.clone()), &bundle.to_bytes());
        }
    }

    /// The bundle of each list under a checkpoint of what is published: of whatever keeps the rules, all of it.
    pub(crate) fn bundles(&self, checkpoint: &CheckpointNote) -> Vec<Bundle> {
        let mut history: History = History::new(ORIGIN);
        for (at, (entry, public_since)) in self.entries.iter().zip(&self.times).enumerate() {
            if let Ok(statement) = Statement::parse(entry) {
                let place = Place { index: LeafIndex(at as u64), public_since: *public_since };
                let _ = history.record(statement, place);
            }
        }
        let include = |id, index: LeafIndex| Included { id, index, path: self.proof(index.0, checkpoint).path };
        let bundle = |(name, list): (&ListName, &ListHistory)| Bundle {
            list: name.clone(),
            charters: list.editions().all().iter().map(|one| include(one.id(), one.index())).collect(),
            releases: list.releases().iter().map(|one| include(one.id, one.index)).collect(),
            attestations: vec![],
            checkpoint: checkpoint.clone(),
        };
        history.lists().map(bundle).collect()
    }

    /// Puts a seen proof into the folder by which a statement is public since then, whatever was there.
    pub(crate) fn prove_again(&self, index: u64, time: Timestamp) {
        let id = Statement::parse(&self.entries[index as usize]).unwrap().id();
        let proof = self.proof(index, &self.checkpoint(&[0, 1, 2], time));
        self.put(&Resource::SeenProof(id), &proof.to_bytes());
    }

    /// A statement as a bundle under this checkpoint names it.
    pub(crate) fn included(&self, index: u64, checkpoint: &CheckpointNote) -> Included {
        let id = Statement::parse(&self.entries[index as usize]).unwrap().id();
        Included { id, index: LeafIndex(index), path: self.proof(index, checkpoint).path }
    }

    pub(crate) fn write_tiles(&self) {
        let leaves: Vec<_> = self.entries.iter().map(|entry| leaf_hash(entry)).collect();
        for tile in RightEdge::new().append(&leaves).1 {
            self.put(&Resource::Tile(tile.path), &tile.to_bytes());
        }
        for path in tile::entry_tiles(LeafIndex(0), self.edge().size()) {
            let first = path.index() as usize * 256;
            let own = &self.entries[first..first + usize::from(path.width())];
            self.put(&Resource::Tile(path), &tile::encode_entries(own).unwrap());
        }
    }

    fn edge(&self) -> RightEdge {
        let leaves: Vec<_> = self.entries.iter().map(|entry| leaf_hash(entry)).collect();
        RightEdge::new().append(&leaves).0
    }

    fn proof(&self, index: u64, checkpoint: &CheckpointNote) -> TlogProof {
        let (index, size) = (LeafIndex(index), checkpoint.checkpoint().size);
        let plan = InclusionPlan::new(index, size).unwrap();
        let hashes: Vec<NodeHash> = plan.nodes().iter().map(|node| self.node(node)).collect();
        TlogProof { extra: None, index, path: plan.combine(&hashes).unwrap(), checkpoint: checkpoint.clone() }
    }

    fn node(&self, node: &NodeCoordinate) -> NodeHash {
        match node.level.checked_sub(1) {
            None => leaf_hash(&self.entries[node.index as usize]).into(),
            Some(level) => {
                let child = |index| self.node(&NodeCoordinate { level, index });
                node_hash(&child(2 * node.index), &child(2 * node.index + 1))
            }
        }
    }

    /// The tile that holds the last entry.
    pub(crate) fn last_tile(&self) -> TilePath {
        TilePath::new(TileKind::Entries, 0, self.entries.len() as u16).unwrap()
    }

    pub(crate) fn source(&self) -> Source {
        Source::folder(&self.path)
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target)
        } else {
            drop(fs::copy(entry.path(), target))
        }
    }
}

/// A log with a charter and two releases, published within the first two hours, and room for a monitor.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) log: Log,
}

impl World {
    /// An empty log.
    pub(crate) fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { log: Log::new(dir.path().join("log")), dir }
    }

    pub(crate) fn new() -> Self {
        let mut world = Self::empty();
        world.log.charter(|_| ());
        world.log.publish(START);
        world.log.release(entries(0..10), START.plus(HOUR), |_| ());
        world.log.publish(START.plus(HOUR));
        world.log.release(entries(2..15), START.plus(2 * HOUR), |_| ());
        world.log.publish(START.plus(2 * HOUR));
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn config(&self, sources: Vec<Source>, urls: &[&str]) -> Config {
        Config { sources, ..Config::new(self.path("data"), policy(urls)) }
    }

    /// A monitor that looks at the log alone.
    pub(crate) fn monitor(&self) -> Monitor {
        self.monitor_of(vec![self.log.source()])
    }

    pub(crate) fn monitor_of(&self, sources: Vec<Source>) -> Monitor {
        Monitor::open(self.config(sources, &[])).unwrap()
    }

    /// The evidence that a finding cites, as it is kept.
    pub(crate) fn evidence(&self, finding: &Finding) -> Vec<u8> {
        let name = format!("{}.json", finding.evidence.as_ref().expect("evidence"));
        fs::read(self.path("data").join("evidence").join(name)).unwrap()
    }
}

/// What stands, but for the notice that the witnesses in these tests have no address.
pub(crate) fn standing(report: &Report) -> Vec<&Finding> {
    let findings = report.findings.iter().filter(|found| found.standing && found.code != "views-incomplete");
    findings.collect()
}

pub(crate) fn codes(report: &Report) -> Vec<&str> {
    let mut codes: Vec<&str> = standing(report).iter().map(|found| found.code.as_str()).collect();
    codes.sort_unstable();
    codes
}

pub(crate) fn find<'r>(report: &'r Report, code: &str) -> &'r Finding {
    let found = report.findings.iter().find(|found| found.code == code);
    found.unwrap_or_else(|| panic!("no {code} among {:?}", codes(report)))
}
