//! A charter, keys, entries and a log in a folder, for the tests of this crate.

use crate::compose::{Proposal, Term, compose};
use crate::difference::{Difference, Finding};
use crate::draft::Draft;
use crate::memory::SigningMemory;
use crate::signer::{Signer, SignerError};
use crate::view::{ListView, ViewError};
use crate::workspace::Base;
use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::charter::*;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature::cosign;
use isonomy_core::hash::{NodeHash, RootHash};
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::note::{KeyType, Note, SigningKey};
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::rules::history::History;
use isonomy_core::rules::releases::Place;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tile::{TileKind, TilePath, encode_hashes};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{Frontier, InclusionPlan, LeafIndex, TreeSize, leaf_hash};
use isonomy_fetch::Source;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const LOG: &str = "log.example/isonomy";
/// The draft with the signatures of a maintainer and two curators, without their checks.
pub(crate) fn sign_release(draft: &Draft) -> Draft {
    let note = draft.release().note();
    let lines = ["m1", "c1", "c3"].map(|name| key(name).sign(note.text())).to_vec();
    let signed = Statement::from_note(note.with_signatures(lines)).unwrap().into_release().unwrap();
    draft.signed(signed).unwrap()
}

/// The draft of the next release with this content, in a new file in `folder`.
pub(crate) fn compose_in(
    folder: &Path,
    view: &ListView,
    bases: &[Base],
    entries: &Entries,
    created: Timestamp,
) -> Draft {
    fs::create_dir_all(folder).unwrap();
    let proposal = Proposal { entries, term: Term { created, validity: None }, reason: None };
    let composed = compose(view, bases, proposal, folder).unwrap();
    let path = folder.join(composed.draft.release().id().to_hex());
    if !path.exists() {
        composed.draft.save(&path).unwrap();
    }
    Draft::open(&path).unwrap()
}

pub(crate) const CURATORS: [&str; 3] = ["c1", "c2", "c3"];

pub(crate) fn key(name: &str) -> SigningKey {
    key_of_type(name, KeyType::Ed25519)
}

pub(crate) fn key_of_type(name: &str, key_type: KeyType) -> SigningKey {
    let mut seed = [7; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SigningKey::from_seed(name, key_type, &seed).unwrap()
}

/// A key that counts how often it is asked, and refuses if it has a reason.
pub(crate) struct Asked {
    key: isonomy_core::note::SigningKey,
    refuses: fn() -> Option<SignerError>,
    times: std::cell::Cell<u32>,
}

impl Asked {
    pub(crate) fn new(name: &str, refuses: fn() -> Option<SignerError>) -> Self {
        Self { key: key(name), refuses, times: std::cell::Cell::new(0) }
    }

    pub(crate) fn times(&self) -> u32 {
        self.times.get()
    }
}

impl Signer for Asked {
    fn verifier(&self) -> &isonomy_core::note::VerifierKey {
        self.key.verifier()
    }

    fn sign_text(&self, text: &str) -> Result<isonomy_core::note::Signature, SignerError> {
        self.times.set(self.times.get() + 1);
        (self.refuses)().map_or_else(|| self.key.sign_text(text), Err)
    }
}

pub(crate) fn memory(dir: &Path, name: &str) -> SigningMemory {
    SigningMemory::of_key(&dir.join(name)).unwrap()
}

pub(crate) fn list() -> ListName {
    ListName::new("hotline.example/images").unwrap()
}

/// `count` PDQ hashes, the same for the same `seed`.
pub(crate) fn entries(seed: u64, count: u64) -> Entries {
    let mut bytes = Vec::new();
    for at in 0..count {
        let digest = isonomy_core::hash::sha256(&[&seed.to_be_bytes(), &at.to_be_bytes()]);
        let half = &digest[..16];
        bytes.extend_from_slice(half);
        // With its complement exactly 128 bits are set.
        bytes.extend(half.iter().map(|byte| !byte));
    }
    Entries::from_unsorted(32, bytes).unwrap().0
}

/// What `new` changes of `old`.
pub(crate) fn difference(old: &Entries, new: &Entries) -> Difference {
    let mut finding = Finding::new(new, Algorithm::PdqFull);
    finding.take(old).unwrap();
    finding.finish().unwrap()
}

/// Two maintainer keys; 2 of the curators c1 and c2 (DE) and c3 (FR), from 2 jurisdictions.
pub(crate) fn charter() -> Charter {
    let jurisdiction = |code| Jurisdiction::new(code).unwrap();
    let curator = |name: &str, code| Curator {
        name: name.to_uppercase(),
        jurisdiction: jurisdiction(code),
        key: key(name).verifier().clone(),
    };
    Charter {
        statement: Charter::KIND.into(),
        list: list(),
        log: LOG.into(),
        edition: 1,
        previous: None,
        maintainer: Maintainer {
            name: "Hotline".into(),
            jurisdiction: jurisdiction("DE"),
            contact: "desk@hotline.example".into(),
            keys: vec![key("m1").verifier().clone(), key("m2").verifier().clone()],
        },
        purpose: Purpose {
            code: PurposeCode::Other,
            aim: Aim::Suppress,
            definition: "Test pictures, \"as they say\".".into(),
            victims: "Nobody.".into(),
            self_generated: "Not listed.".into(),
            statutes: vec![Statute {
                jurisdiction: jurisdiction("DE"),
                instrument: "Act".into(),
                provision: "§ 1".into(),
            }],
            exclusions: vec!["Art.".into(), "News.".into()],
        },
        reach: Reach { jurisdictions: vec![jurisdiction("DE"), jurisdiction("FR")], surfaces: vec![Surface::Private] },
        matching: Matching { algorithm: Algorithm::PdqFull, max_distance: 31, min_quality: 50 },
        action: ActionClause { most: Action::Warn, recipients: Vec::new() },
        curation: Curation {
            threshold: 2,
            min_jurisdictions: 2,
            curators: vec![curator("c1", "DE"), curator("c2", "DE"), curator("c3", "FR")],
        },
        limits: Limits {
            max_entries: 1000,
            max_added: 100,
            min_interval: 60,
            validity: 86_400,
            min_visibility: 10,
            notice: 3600,
        },
        redress: Redress { complaints: "complaints@hotline.example".into(), removal_deadline: 86_400 },
        record: Record::default(),
    }
}

/// A log that writes what clients read into a folder, and judges what it takes.
pub(crate) struct TestLog {
    folder: tempfile::TempDir,
    history: History,
    entries: Vec<Vec<u8>>,
    statements: Vec<Statement>,
    clock: Timestamp,
}

impl TestLog {
    pub(crate) fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            history: History::new(LOG),
            entries: Vec::new(),
            statements: Vec::new(),
            clock: Timestamp(1_800_000_000),
        }
    }

    pub(crate) async fn with_charter() -> Self {
        let mut log = Self::empty();
        let text = charter().to_text().unwrap();
        let lines = ["m1", "c1", "c2", "c3"].map(|name| key(name).sign(&text)).to_vec();
        log.append(Statement::from_note(Note::new(text, lines).unwrap()).unwrap());
        log
    }

    pub(crate) fn clock(&self) -> Timestamp {
        self.clock
    }

    pub(crate) fn advance(&mut self, seconds: u64) {
        self.clock = self.clock.plus(seconds);
        self.publish();
    }

    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn source(&self) -> Source {
        Source::folder(self.folder.path())
    }

    pub(crate) fn trust(&self) -> TlogPolicy {
        let [log, one, two] = [log_key(), witness("w1"), witness("w2")].map(|key| key.verifier().to_string());
        let text = format!("log {log}\nwitness w1 {one}\nwitness w2 {two}\ngroup both all w1 w2\nquorum both\n");
        TlogPolicy::parse(text.as_bytes()).unwrap()
    }

    /// The policy of an app that pins the list's first charter.
    pub(crate) fn client_policy(&self) -> isonomy_client::Policy {
        let trust = String::from_utf8(self.trust().to_text()).unwrap();
        let charter = self.history.list(&list()).unwrap().editions().all()[0].id();
        let text = format!(
            "trust = \"\"\"\n{trust}\"\"\"\n[list]\nname = \"{}\"\ncharter = \"{charter}\"\n\
             [accept]\npurposes = [\"other\"]\naims = [\"suppress\"]\naction = \"warn\"\nmin_curators = 2\n\
             min_jurisdictions = 2\nmin_notice = 3600\nmin_visibility = 10\n[ages]\ncheckpoint = 9\nrelease = 86400\n",
            list()
        );
        isonomy_client::Policy::parse(text.as_bytes()).unwrap()
    }

    pub(crate) async fn view(&self) -> Result<ListView, ViewError> {
        ListView::fetch(&self.source(), &self.trust(), &list()).await
    }

    /// Judges the statement, logs it and publishes everything anew.
    pub(crate) fn append(&mut self, statement: Statement) {
        let index = LeafIndex(self.entries.len() as u64);
        self.history.record(statement.clone(), Place { index, public_since: self.clock }).unwrap();
        self.entries.push(statement.to_bytes());
        let id = statement.id();
        self.write(&format!("statement/{id}"), &statement.to_bytes());
        self.statements.push(statement);
        self.write_tile();
        let proof = TlogProof { extra: None, index, path: self.inclusion(index), checkpoint: self.checkpoint() };
        self.write(&format!("proof/{id}"), &proof.to_bytes());
        self.publish();
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// The newest statement's proof.
    pub(crate) fn newest_proof(&self) -> TlogProof {
        let id = self.statements.last().unwrap().id();
        TlogProof::parse(&fs::read(self.path(&format!("proof/{id}"))).unwrap()).unwrap()
    }

    /// All leaves are in one tile: no test logs more than 255 statements.
    fn write_tile(&self) {
        let leaves: Vec<NodeHash> = self.entries.iter().map(|entry| leaf_hash(entry).into()).collect();
        let tile = TilePath::new(TileKind::Hashes { level: 0 }, 0, leaves.len() as u16).unwrap();
        self.write(&tile.to_string(), &encode_hashes(&leaves));
    }

    fn publish(&self) {
        let included = |(at, statement): (usize, &Statement)| {
            let index = LeafIndex(at as u64);
            Included { id: statement.id(), index, path: self.inclusion(index) }
        };
        let all = || self.statements.iter().enumerate();
        let charters = all().filter(|(_, statement)| matches!(statement, Statement::Charter(_)));
        let releases = all().filter(|(_, statement)| matches!(statement, Statement::Release(_)));
        let bundle = Bundle {
            list: list(),
            charters: charters.map(included).collect(),
            releases: releases.map(included).next_back().into_iter().collect(),
            attestations: Vec::new(),
            checkpoint: self.checkpoint(),
        };
        self.write("list/hotline.example/images/bundle", &bundle.to_bytes());
    }

    fn root_of(&self, from: usize, to: usize) -> RootHash {
        self.entries[from..to].iter().map(|entry| leaf_hash(entry)).collect::<Frontier>().root()
    }

    fn inclusion(&self, index: LeafIndex) -> Vec<NodeHash> {
        let plan = InclusionPlan::new(index, TreeSize(self.entries.len() as u64)).unwrap();
        let hash = |from: usize, to: usize| NodeHash(self.root_of(from, to).0);
        let nodes: Vec<NodeHash> = plan
            .nodes()
            .iter()
            .map(|node| hash((node.index << node.level) as usize, ((node.index + 1) << node.level) as usize))
            .collect();
        plan.combine(&nodes).unwrap()
    }

    fn checkpoint(&self) -> CheckpointNote {
        let size = self.entries.len();
        let checkpoint = Checkpoint {
            origin: LOG.into(),
            size: TreeSize(size as u64),
            root: self.root_of(0, size),
            extensions: Vec::new(),
        };
        let note = CheckpointNote::sign(checkpoint, &log_key()).unwrap();
        let lines = ["w1", "w2"].map(|name| cosign(&witness(name), note.note().text(), self.clock));
        note.with_cosignatures(&lines)
    }
}

fn log_key() -> SigningKey {
    key(LOG)
}

fn witness(name: &str) -> SigningKey {
    key_of_type(name, KeyType::Cosignature)
}
