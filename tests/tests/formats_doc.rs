//! The examples of `docs/formats.md` are what the code writes, and the code accepts what stands there.
//!
//! An example is a fenced block after a marker, `<!-- example: NAME -->`. All of them are one story, told by
//! [`examples`] with fixed keys and times. `ISONOMY_UPDATE_DOCS=1` writes the blocks anew; the other tests read nothing
//! but the page.

#[path = "formats_doc/draft.rs"]
mod draft;
#[path = "formats_doc/evidence.rs"]
mod evidence;

use isonomy_core::add_checkpoint::{AddCheckpoint, parse_cosignatures};
use isonomy_core::attestation::{Attestation, Method, Report};
use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::charter::*;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature::{self, cosign};
use isonomy_core::encoding::{from_hex, to_base64, to_hex};
use isonomy_core::hash::{NodeHash, ObjectDigest, StatementId, sha256};
use isonomy_core::list::{
    Algorithm, Entries, ListProof, ListTree, MembershipProof, NonMembershipProof, delta, snapshot,
};
use isonomy_core::note::{KeyType, Note, SigningKey, VerifierKey};
use isonomy_core::release::{DeltaRef, ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_core::rules::content::{self, Churn};
use isonomy_core::rules::history::History;
use isonomy_core::rules::releases::Place;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tile::{encode_entries, encode_hashes, parse_hashes};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{ConsistencyPlan, Frontier, InclusionPlan, LeafIndex, NodeCoordinate, TreeSize, leaf_hash};
use isonomy_matcher::{Fingerprint, Matcher, Receipt, Verdict};
use isonomy_verifier::peer::View;
use isonomy_verifier::{Input, Policy, State, Step, Update, Updated};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/formats.md");
const LIST: &str = "hotline.example/test-pictures";
const LOG: &str = "log.example/isonomy";
const WITNESSES: [&str; 2] = ["witness.example/one", "witness.example/two"];
const SIGNERS: [&str; 3] = ["hotline.example/maintainer", "trust.example/curator", "safety.example/curator"];
const AUDITOR: &str = "audit.example/auditor";
/// When each entry was logged. The witnesses cosign the tree that ends with it 3 and 5 seconds later.
const LOGGED: [&str; 4] =
    ["2026-03-02T09:00:00Z", "2026-03-02T10:05:00Z", "2026-03-02T12:00:00Z", "2026-03-03T11:10:00Z"];
/// When the client of the example updates.
const CLOCK: &str = "2026-03-03T11:15:00Z";
/// The statements of the example, in the order of the log.
const STATEMENTS: [&str; 4] = ["charter", "release-1", "attestation", "release-2"];

/// Every key of the example; its seed is 32 times its number.
fn key(name: &str) -> SigningKey {
    let plain = [LOG, SIGNERS[0], SIGNERS[1], SIGNERS[2], AUDITOR];
    let (key_type, number) = match WITNESSES.iter().position(|witness| *witness == name) {
        Some(at) => (KeyType::Cosignature, at + 2),
        None => (KeyType::Ed25519, [1, 4, 5, 6, 7][plain.iter().position(|plain| *plain == name).unwrap()]),
    };
    SigningKey::from_seed(name, key_type, &[number as u8; 32]).unwrap()
}

fn vkey(name: &str) -> VerifierKey {
    key(name).verifier().clone()
}

fn time(text: &str) -> Timestamp {
    Timestamp::from_rfc3339(text).unwrap()
}

// The story: a charter, two releases, an attestation.

fn jurisdiction(code: &str) -> Jurisdiction {
    Jurisdiction::new(code).unwrap()
}

fn charter() -> Charter {
    let curator = |name: &str, code: &str, key: &str| Curator {
        name: name.into(),
        jurisdiction: jurisdiction(code),
        key: vkey(key),
    };
    Charter {
        statement: Charter::KIND.into(),
        list: ListName::new(LIST).unwrap(),
        log: LOG.into(),
        edition: 1,
        previous: None,
        maintainer: Maintainer {
            name: "Example Hotline".into(),
            jurisdiction: jurisdiction("DE"),
            contact: "lists@hotline.example".into(),
            keys: vec![vkey(SIGNERS[0])],
        },
        purpose: purpose(),
        reach: Reach {
            jurisdictions: vec![jurisdiction("DE"), jurisdiction("FR")],
            surfaces: vec![Surface::Private, Surface::Public],
        },
        matching: Matching { algorithm: Algorithm::PdqFull, max_distance: 31, min_quality: 50 },
        action: ActionClause { most: Action::Warn, recipients: Vec::new() },
        curation: Curation {
            threshold: 2,
            min_jurisdictions: 2,
            curators: vec![curator("Trust Example", "DE", SIGNERS[1]), curator("Safety Example", "FR", SIGNERS[2])],
        },
        limits: Limits {
            max_entries: 100_000,
            max_added: 1000,
            min_interval: 3600,
            validity: 30 * 86_400,
            min_visibility: 86_400,
            notice: 30 * 86_400,
        },
        redress: Redress { complaints: "https://hotline.example/complaints".into(), removal_deadline: 2 * 86_400 },
        record: record(),
    }
}

fn purpose() -> Purpose {
    Purpose {
        code: PurposeCode::Other,
        aim: Aim::Suppress,
        definition: "Test pictures that the maintainer made itself.".into(),
        victims: "Nobody.".into(),
        self_generated: "Not listed.".into(),
        statutes: vec![Statute {
            jurisdiction: jurisdiction("DE"),
            instrument: "Example Act".into(),
            provision: "section 1".into(),
        }],
        exclusions: vec!["Works of art.".into()],
    }
}

fn record() -> Record {
    let mut record = Record::default();
    record.legality.basis = Some("Example Act, section 1".into());
    record.proportionality.aim = Some("To show the formats.".into());
    record.privacy.controller = Some("Example Hotline".into());
    record.accountability.complaints = Some("Answered by a person within two days.".into());
    record
}

/// Of picture n: the first 16 bytes of SHA-256 of `picture n`, then the same with every bit turned.
fn entry(number: u8) -> Vec<u8> {
    let digest = sha256(&[format!("picture {number}").as_bytes()]);
    digest[..16].iter().copied().chain(digest[..16].iter().map(|byte| !byte)).collect()
}

fn entries(numbers: &[u8]) -> Entries {
    Entries::from_unsorted(32, numbers.iter().flat_map(|number| entry(*number)).collect()).unwrap().0
}

fn object(bytes: &[u8]) -> ObjectRef {
    ObjectRef { size: bytes.len() as u64, sha256: ObjectDigest::of(bytes) }
}

/// The first release of these entries; a later one is made of it.
fn release_1(charter: &Charter, entries: &Entries) -> Release {
    Release {
        statement: Release::KIND.into(),
        list: charter.list.clone(),
        version: 1,
        previous: None,
        charter: StatementId::of(&charter.to_text().unwrap()),
        created: time("2026-03-02T10:00:00Z"),
        expires: time("2026-04-01T10:00:00Z"),
        entries: entries.len() as u64,
        irregular: entries.irregular(charter.matching.algorithm).unwrap(),
        root: entries.root(),
        added: entries.len() as u64,
        removed: 0,
        snapshot: object(&snapshot::encode(entries)),
        deltas: Vec::new(),
    }
}

fn release_2(first: &Release, old: &Entries, new: &Entries) -> Release {
    let previous = StatementId::of(&first.to_text().unwrap());
    let delta = delta::diff(old, new).unwrap();
    let ObjectRef { size, sha256 } = object(&delta::encode(&delta));
    Release {
        version: 2,
        previous: Some(previous),
        created: time("2026-03-03T11:00:00Z"),
        expires: time("2026-04-02T11:00:00Z"),
        entries: new.len() as u64,
        root: new.root(),
        added: delta.added().len() as u64,
        removed: delta.removed().len() as u64,
        snapshot: object(&snapshot::encode(new)),
        deltas: vec![DeltaRef { from: 1, release: previous, size, sha256 }],
        ..first.clone()
    }
}

fn attestation(release: &Release) -> Attestation {
    Attestation {
        statement: Attestation::KIND.into(),
        list: release.list.clone(),
        release: StatementId::of(&release.to_text().unwrap()),
        auditor: vkey(AUDITOR),
        method: Method::Recomputed,
        log_size: None,
        sample: Some(release.entries),
        errors: Some(0),
        complaint: None,
        finding: "Root and counts recomputed from the snapshot: as stated.".into(),
        report: Some(Report { url: "https://audit.example/1".into(), sha256: ObjectDigest::of(b"report 1\n") }),
        created: time("2026-03-02T11:55:00Z"),
    }
}

fn signed(text: String, signers: &[&str]) -> Statement {
    let lines = signers.iter().map(|name| key(name).sign(&text)).collect();
    Statement::from_note(Note::new(text, lines).unwrap()).unwrap()
}

// The log: a tree over the statements.

/// A history of a log.
struct Tree(Vec<Vec<u8>>);

impl Tree {
    fn node(&self, node: &NodeCoordinate) -> NodeHash {
        let leaves = (node.index as usize) << node.level..(node.index as usize + 1) << node.level;
        NodeHash(self.0[leaves].iter().map(|entry| leaf_hash(entry)).collect::<Frontier>().root().0)
    }

    fn nodes(&self, nodes: &[NodeCoordinate]) -> Vec<NodeHash> {
        nodes.iter().map(|node| self.node(node)).collect()
    }

    /// The tree of the first entries, signed by the log.
    fn checkpoint(&self, size: usize) -> CheckpointNote {
        let root = self.0[..size].iter().map(|entry| leaf_hash(entry)).collect::<Frontier>().root();
        let size = TreeSize(size as u64);
        CheckpointNote::sign(Checkpoint { origin: LOG.into(), size, root, extensions: Vec::new() }, &key(LOG)).unwrap()
    }

    fn cosigned(&self, size: usize) -> CheckpointNote {
        let (bare, logged) = (self.checkpoint(size), time(LOGGED[size - 1]));
        let lines = WITNESSES
            .iter()
            .zip([3, 5])
            .map(|(witness, later)| cosign(&key(witness), bare.note().text(), logged.plus(later)));
        bare.with_cosignatures(&lines.collect::<Vec<_>>())
    }

    fn path(&self, index: usize, size: usize) -> Vec<NodeHash> {
        let plan = InclusionPlan::new(LeafIndex(index as u64), TreeSize(size as u64)).unwrap();
        plan.combine(&self.nodes(plan.nodes())).unwrap()
    }

    /// The proof of an entry under the first checkpoint that covers it.
    fn seen_proof(&self, index: usize) -> TlogProof {
        let (size, checkpoint) = (index + 1, self.cosigned(index + 1));
        TlogProof { extra: None, index: LeafIndex(index as u64), path: self.path(index, size), checkpoint }
    }

    fn included(&self, index: usize, size: usize) -> Included {
        let statement = Statement::parse(&self.0[index]).unwrap();
        Included { id: statement.id(), index: LeafIndex(index as u64), path: self.path(index, size) }
    }

    fn add_checkpoint(&self, old: usize, new: usize) -> AddCheckpoint {
        let (from, to) = (TreeSize(old as u64), TreeSize(new as u64));
        let plan = ConsistencyPlan::new(from, to).unwrap();
        let proof = plan.combine(&self.nodes(plan.nodes())).unwrap();
        AddCheckpoint { old: from, proof, checkpoint: self.checkpoint(new) }
    }
}

// The examples, by their names.

type Blocks = BTreeMap<String, String>;

fn examples() -> Blocks {
    let mut blocks = Blocks::new();
    key_examples(&mut blocks);
    statement_examples(&mut blocks);
    list_examples(&mut blocks);
    log_examples(&mut blocks);
    client_examples(&mut blocks);
    draft::examples(&mut blocks);
    evidence::examples(&mut blocks);
    blocks
}

fn add(blocks: &mut Blocks, name: &str, text: impl ToString) {
    let mut text = text.to_string();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    assert!(blocks.insert(name.into(), text).is_none(), "{name} twice");
}

/// Hexadecimal, 32 bytes to a line.
fn hex_lines(bytes: &[u8]) -> String {
    bytes.chunks(32).map(|line| to_hex(line) + "\n").collect()
}

fn key_examples(blocks: &mut Blocks) {
    let names = [LOG].into_iter().chain(WITNESSES).chain(SIGNERS).chain([AUDITOR]);
    let lines: String = (1..).zip(names).map(|(seed, name)| format!("{seed:02x}  {}\n", vkey(name))).collect();
    add(blocks, "keys", lines);
    add(blocks, "private-key", &*key(AUDITOR).to_private_text());
}

fn statement_examples(blocks: &mut Blocks) {
    let charter = charter();
    let (old, new) = (entries(&[1, 2, 3, 4]), entries(&[1, 2, 4, 5]));
    let first = release_1(&charter, &old);
    let second = release_2(&first, &old, &new);
    let attestation = attestation(&first);
    let statements = [
        signed(charter.to_text().unwrap(), &SIGNERS),
        signed(first.to_text().unwrap(), &SIGNERS),
        signed(attestation.to_text().unwrap(), &[AUDITOR]),
        signed(second.to_text().unwrap(), &SIGNERS),
    ];
    let mut identities = String::new();
    for (name, statement) in STATEMENTS.iter().zip(&statements) {
        add(blocks, name, statement.note());
        let id = statement.id();
        identities += &format!("{name:<12} {}\n{:<12} {}\n", id.to_hex(), "", id.to_base64());
    }
    add(blocks, "identities", identities);
}

fn list_examples(blocks: &mut Blocks) {
    let (old, new) = (entries(&[1, 2, 3, 4]), entries(&[1, 2, 4, 5]));
    add(blocks, "entries", hex_lines(old.as_bytes()));
    let leaves: String = old.iter().map(|entry| format!("leaf {}\n", leaf_hash(entry))).collect();
    add(blocks, "list-tree", format!("{leaves}root {}\n", old.root()));
    add(blocks, "snapshot-1", hex_lines(&snapshot::encode(&old)));
    add(blocks, "snapshot-2", hex_lines(&snapshot::encode(&new)));
    add(blocks, "delta-2", hex_lines(&delta::encode(&delta::diff(&old, &new).unwrap())));
    let tree = ListTree::new(&old);
    add(blocks, "membership", serde_json::to_string_pretty(&tree.membership(2)).unwrap());
    add(blocks, "non-membership", serde_json::to_string_pretty(&tree.non_membership(&entry(5))).unwrap());
    let release = release_1(&charter(), &old);
    let id = StatementId::of(&release.to_text().unwrap());
    add(blocks, "list-proof-listed", ListProof::new(&tree, id, &entry(3)).to_text());
    add(blocks, "list-proof-absent", ListProof::new(&tree, id, &entry(5)).to_text());

    let small = |entries: &[u16]| {
        Entries::from_sorted(2, entries.iter().flat_map(|entry| entry.to_be_bytes()).collect()).unwrap()
    };
    let (old, new) = (small(&[0x1234, 0x5678, 0x9abc]), small(&[0x1234, 0x7fff, 0x9abc]));
    add(blocks, "snapshot-small", hex_lines(&snapshot::encode(&old)));
    add(blocks, "delta-small", hex_lines(&delta::encode(&delta::diff(&old, &new).unwrap())));
}

fn log_examples(blocks: &mut Blocks) {
    let tree = Tree(STATEMENTS.iter().map(|name| blocks[*name].clone().into_bytes()).collect());
    let leaves: Vec<NodeHash> = tree.0.iter().map(|entry| leaf_hash(entry).into()).collect();
    add(blocks, "tile", hex_lines(&encode_hashes(&leaves)));
    add(blocks, "entry-bundle", entry_bundle(&tree.0));
    let cosigned = tree.cosigned(4);
    add(blocks, "checkpoint", &cosigned);
    let line = &cosigned.note().signatures()[1];
    let time = u64::from_be_bytes(*line.bytes.first_chunk().unwrap());
    add(blocks, "cosigned-message", cosignature::message(cosigned.note().text(), Timestamp(time)));
    let signed = to_hex(&line.bytes[8..]);
    add(
        blocks,
        "cosignature-bytes",
        format!("{}  {time:016x}  {}\n{}", to_hex(&line.id.0), &signed[..64], &signed[64..]),
    );
    add(blocks, "add-checkpoint", tree.add_checkpoint(3, 4));
    add(blocks, "add-checkpoint-answer", line);
    for (index, name) in STATEMENTS.iter().enumerate() {
        add(blocks, &format!("seen-proof-{name}"), tree.seen_proof(index));
    }
    let bundle = Bundle {
        list: ListName::new(LIST).unwrap(),
        charters: vec![tree.included(0, 4)],
        releases: vec![tree.included(1, 4), tree.included(3, 4)],
        attestations: Vec::new(),
        checkpoint: cosigned,
    };
    add(blocks, "bundle", bundle);
}

/// Where each entry stands in the bundle of all, and the digest of that.
fn entry_bundle(entries: &[Vec<u8>]) -> String {
    let (mut lines, mut at) = (String::new(), 0);
    for (name, entry) in STATEMENTS.iter().zip(entries) {
        let length = entry.len();
        lines += &format!("{at:5}  {length:04x}  {name} ({length} bytes)\n");
        at += 2 + length;
    }
    lines + &format!("{at:5}  end; SHA-256 {}\n", to_hex(&sha256(&[&encode_entries(entries).unwrap()])))
}

fn client_examples(blocks: &mut Blocks) {
    add(blocks, "policy", policy(&blocks["charter"]));
    let policy = Policy::parse(blocks["policy"].as_bytes()).unwrap();
    let (state, updated) = update(&policy, &resources(blocks));
    add(blocks, "state", String::from_utf8(state.to_bytes().unwrap()).unwrap());
    let list = updated.list;
    let (release, index) = (list.signed_release().id(), list.accepted().proof.release_index);
    add(blocks, "view", format!("isonomy-view/v1\n{LIST}\n{}\n{}\n{index}\n", list.version(), release.to_base64()));
    add(blocks, "view-digest", to_hex(&list.view()));
    add(blocks, "peer-view", View::of(&list, &state).to_text());
    add(blocks, "view-code", isonomy_verifier::view::code(&list.view()));

    let mut hash = entry(3);
    hash[0] ^= 0x80;
    hash[31] ^= 0x01;
    add(blocks, "query", hex_lines(&hash));
    let fingerprint = Fingerprint { algorithm: Algorithm::PdqFull, hash, quality: Some(100) };
    let answer = Matcher::new(list).unwrap().look_up(&fingerprint, time(CLOCK));
    let Verdict::Matched(matches) = answer.verdict else { panic!("{answer:?}") };
    assert_eq!((matches.len(), matches[0].distance), (1, 2));
    add(blocks, "receipt", matches[0].receipt.to_text().unwrap());
}

fn policy(charter: &str) -> String {
    let charter = Statement::parse(charter.as_bytes()).unwrap().id();
    let (log, [one, two]) = (vkey(LOG), WITNESSES.map(vkey));
    format!(
        "trust = \"\"\"\nlog {log} https://log.example\nwitness one {one} https://one.witness.example\n\
         witness two {two} https://two.witness.example\ngroup both all one two\nquorum both\n\"\"\"\n\n\
         [list]\nname = \"{LIST}\"\ncharter = \"{charter}\"\nmin_version = 1\n\n\
         [accept]\npurposes = [\"other\"]\naims = [\"suppress\", \"protect-victims\"]\naction = \"warn\"\nsurface = \"private\"\n\
         max_distance = 31\nmin_curators = 2\nmin_jurisdictions = 2\nmin_notice = 2592000\nmin_visibility = 86400\ncurators = []\n\n\
         [ages]\ncheckpoint = 43200\nrelease = 1209600\n"
    )
}

// What is read from examples, whether they are in the page or in hand.

fn from_hex_lines(text: &str) -> Vec<u8> {
    from_hex(&text.split_whitespace().collect::<String>()).unwrap()
}

/// All that a log or mirror would serve.
fn resources(blocks: &Blocks) -> HashMap<Resource, Vec<u8>> {
    let mut resources = HashMap::new();
    for name in STATEMENTS {
        let id = Statement::parse(blocks[name].as_bytes()).unwrap().id();
        resources.insert(Resource::Statement(id), blocks[name].clone().into_bytes());
        resources.insert(Resource::SeenProof(id), blocks[&format!("seen-proof-{name}")].clone().into_bytes());
    }
    for bytes in ["snapshot-1", "snapshot-2", "delta-2"].map(|name| from_hex_lines(&blocks[name])) {
        resources.insert(Resource::Object(ObjectDigest::of(&bytes)), bytes);
    }
    resources.insert(Resource::parse("tile/0/000.p/4").unwrap(), from_hex_lines(&blocks["tile"]));
    resources.insert(Resource::Bundle(ListName::new(LIST).unwrap()), blocks["bundle"].clone().into_bytes());
    resources
}

/// Drives the update of a new client to its end. Gives what it last saved, and the result.
fn update(policy: &Policy, resources: &HashMap<Resource, Vec<u8>>) -> (State, Updated) {
    let mut state = State::new(policy.list());
    let mut update = Update::new(policy.clone(), state.clone(), None, time(CLOCK));
    let mut input = Input::Start;
    loop {
        input = match update.step(input) {
            Step::Need { resource, max_bytes } => {
                let bytes = resources[&resource].clone();
                assert!(bytes.len() as u64 <= max_bytes, "{resource}");
                Input::Received { resource, pieces: vec![bytes] }
            }
            Step::Save(save) => {
                state = save.state;
                Input::Saved
            }
            Step::Done(updated) => return (state, *updated),
            Step::Reject(rejection) => panic!("{rejection}"),
        };
    }
}

// The page.

struct Page(String);

impl Page {
    fn read() -> Self {
        Self(std::fs::read_to_string(PAGE).unwrap())
    }

    fn names(&self) -> Vec<String> {
        let markers = self.0.lines().filter_map(|line| line.strip_prefix("<!-- example: ")?.strip_suffix(" -->"));
        markers.map(str::to_owned).collect()
    }

    /// Where the lines of an example are.
    fn place(&self, name: &str) -> Range<usize> {
        let marker = format!("<!-- example: {name} -->\n```");
        let found = self.0.find(&marker).unwrap_or_else(|| panic!("no fenced block after the marker of {name}"));
        let fence = found + marker.len();
        let start = fence + self.0[fence..].find('\n').unwrap() + 1;
        let end = start - 1 + self.0[start - 1..].find("\n```").unwrap_or_else(|| panic!("{name} does not end"));
        start..(end + 1).max(start)
    }

    fn blocks(&self) -> Blocks {
        self.names().into_iter().map(|name| (name.clone(), self.0[self.place(&name)].to_owned())).collect()
    }
}

#[test]
fn the_examples_are_what_the_code_writes() {
    let (mut page, examples) = (Page::read(), examples());
    let mut names = page.names();
    names.sort();
    assert!(names.iter().eq(examples.keys()), "in the page {names:?}, here {:?}", examples.keys());
    if std::env::var_os("ISONOMY_UPDATE_DOCS").is_some() {
        for (name, text) in &examples {
            page.0.replace_range(page.place(name), text);
        }
        std::fs::write(PAGE, &page.0).unwrap();
    }
    for (name, text) in page.blocks() {
        assert_eq!(text, examples[&name], "{name}; ISONOMY_UPDATE_DOCS=1 writes the examples anew");
    }
}

#[test]
fn keys_are_made_of_the_seeds_shown() {
    let blocks = Page::read().blocks();
    for line in blocks["keys"].lines() {
        let (seed, text) = line.split_once("  ").unwrap();
        let key = VerifierKey::parse(text).unwrap();
        let seed = [from_hex(seed).unwrap()[0]; 32];
        assert_eq!(SigningKey::from_seed(key.name(), key.key_type(), &seed).unwrap().verifier(), &key);
    }
    assert_eq!(SigningKey::parse(blocks["private-key"].trim_end()).unwrap().verifier(), &vkey(AUDITOR));
}

#[test]
fn the_statements_keep_the_rules_and_have_the_identities_shown() {
    let blocks = Page::read().blocks();
    let trust = Policy::parse(blocks["policy"].as_bytes()).unwrap().trust().clone();
    let mut history = History::new(LOG);
    for (index, name) in STATEMENTS.iter().enumerate() {
        let statement = Statement::parse(blocks[*name].as_bytes()).unwrap();
        assert_eq!(statement.to_bytes(), blocks[*name].as_bytes());
        let id = statement.id();
        assert!(blocks["identities"].contains(&format!("{name:<12} {}\n{:<12} {}\n", id.to_hex(), "", id.to_base64())));
        let proof = TlogProof::parse(blocks[&format!("seen-proof-{name}")].as_bytes()).unwrap();
        let times = proof.verify(&statement.to_bytes(), &vkey(LOG), &trust).unwrap();
        assert_eq!((times.latest, times.earliest), (time(LOGGED[index]).plus(3), time(LOGGED[index]).plus(5)));
        assert_eq!(proof.to_bytes(), blocks[&format!("seen-proof-{name}")].as_bytes());
        history.record(statement, Place { index: proof.index, public_since: times.earliest }).unwrap();
    }
}

#[test]
fn snapshots_and_deltas_hold_what_the_releases_say() {
    let blocks = Page::read().blocks();
    let release = |name: &str| Statement::parse(blocks[name].as_bytes()).unwrap().into_release().unwrap();
    let (first, second) = (release("release-1"), release("release-2"));
    let judge = |release: &Release, name: &str, churn: Churn| {
        let bytes = from_hex_lines(&blocks[name]);
        assert_eq!(object(&bytes), release.snapshot);
        let entries = snapshot::decode(&bytes, 32, release.entries).unwrap();
        content::judge(release, Algorithm::PdqFull, &entries, Some(churn)).unwrap();
        entries
    };
    let old = judge(first.body(), "snapshot-1", Churn { added: 4, removed: 0 });
    let new = judge(second.body(), "snapshot-2", Churn { added: 1, removed: 1 });
    assert_eq!(hex_lines(old.as_bytes()), blocks["entries"]);
    let delta = from_hex_lines(&blocks["delta-2"]);
    let DeltaRef { size, sha256, .. } = second.body().deltas[0];
    assert_eq!(object(&delta), ObjectRef { size, sha256 });
    assert_eq!(delta::apply(&old, &delta).unwrap().entries, new);

    let member: MembershipProof = serde_json::from_str(&blocks["membership"]).unwrap();
    member.verify(&old.root(), 4).unwrap();
    let absent: NonMembershipProof = serde_json::from_str(&blocks["non-membership"]).unwrap();
    absent.verify(&entry(5), &old.root(), 4).unwrap();
    for (name, listed, picture) in [("list-proof-listed", true, 3), ("list-proof-absent", false, 5)] {
        let proof = ListProof::parse(blocks[name].as_bytes()).unwrap();
        assert_eq!((proof.is_listed(), &proof.entry), (listed, &entry(picture)));
        proof.verify(&first).unwrap();
    }

    let small = snapshot::decode(&from_hex_lines(&blocks["snapshot-small"]), 2, 3).unwrap();
    let changed = delta::apply(&small, &from_hex_lines(&blocks["delta-small"])).unwrap();
    assert_eq!(changed.entries.as_bytes(), [0x12, 0x34, 0x7f, 0xff, 0x9a, 0xbc]);
}

#[test]
fn the_log_s_files_fit_each_other() {
    let blocks = Page::read().blocks();
    let checkpoint = CheckpointNote::parse(blocks["checkpoint"].as_bytes()).unwrap();
    checkpoint.verify_log(&vkey(LOG)).unwrap();
    let leaves = parse_hashes(&from_hex_lines(&blocks["tile"]), 4).unwrap();
    let expected = STATEMENTS.map(|name| NodeHash::from(leaf_hash(blocks[name].as_bytes())));
    assert_eq!(leaves, expected);

    let request = AddCheckpoint::parse(blocks["add-checkpoint"].as_bytes(), 20_000).unwrap();
    assert_eq!(request.to_bytes(), blocks["add-checkpoint"].as_bytes());
    assert_eq!(request.checkpoint.note().text(), checkpoint.note().text());
    let answer = parse_cosignatures(blocks["add-checkpoint-answer"].as_bytes()).unwrap();
    let cosigned = cosignature::verify(&vkey(WITNESSES[0]), checkpoint.note().text(), &answer[0]).unwrap();
    assert_eq!(cosignature::message(checkpoint.note().text(), cosigned), blocks["cosigned-message"]);
    let line = [&answer[0].id.0[..], &answer[0].bytes].concat();
    assert_eq!(from_hex_lines(&blocks["cosignature-bytes"]), line);
    assert!(blocks["add-checkpoint-answer"].contains(&to_base64(&line)));
    assert_eq!(Bundle::parse(blocks["bundle"].as_bytes()).unwrap().to_bytes(), blocks["bundle"].as_bytes());
}

#[test]
fn a_client_comes_from_the_page_s_bytes_to_the_page_s_state_and_receipt() {
    let blocks = Page::read().blocks();
    let policy = Policy::parse(blocks["policy"].as_bytes()).unwrap();
    let (state, Updated { list, pending }) = update(&policy, &resources(&blocks));
    assert_eq!(State::parse(blocks["state"].as_bytes(), policy.list()).unwrap(), state);
    assert_eq!((list.version(), pending.len(), pending[0].version), (1, 1, 2));
    assert_eq!(to_hex(&sha256(&[blocks["view"].as_bytes()])) + "\n", blocks["view-digest"]);
    assert_eq!(from_hex_lines(&blocks["view-digest"]), list.view());

    let receipt = Receipt::parse(blocks["receipt"].as_bytes()).unwrap();
    let proven = receipt.verify(policy.trust(), Some(&from_hex_lines(&blocks["query"]))).unwrap();
    assert_eq!((proven.distance, proven.entry), (Some(2), entry(3)));
    assert_eq!(proven.release.id(), list.signed_release().id());
    assert_eq!(receipt.to_text(), blocks["receipt"]);
}
