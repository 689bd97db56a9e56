//! Receipts and evidence as somebody makes them who can sign, log and cosign whatever they like: all proofs and signatures in them
//! are right, and what they say is not what the formats allow, or just so. Every implementation must draw the line at one place.

mod contents;
mod named;
mod policies;
mod values;

pub use contents::contents;
pub use named::{Named, named};
pub use policies::policies;

use crate::people::{LOG, at, charter, curator, hash, hashes, key, witness};
use isonomy_core::attestation::{Attestation, Complaint, Method, Report};
use isonomy_core::charter::{Action, ActionClause, Charter, Jurisdiction, Purpose, Reach, Statute, Surface};
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature::cosign;
use isonomy_core::encoding::to_base64;
use isonomy_core::hash::{Commitment, NodeHash, ObjectDigest, RootHash, StatementId, sha256};
use isonomy_core::list::snapshot;
use isonomy_core::note::VerifierKey;
use isonomy_core::policy::Policy;
use isonomy_core::release::{DeltaRef, ObjectRef, Release};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{LeafIndex, TreeSize, leaf_hash, node_hash};
use isonomy_matcher::Receipt;
use isonomy_verifier::Evidence;
use serde::Serialize;

/// A file, and what was done to it.
pub type Altered = (String, Vec<u8>);

/// What this implementation says of a file under a policy: `ok` and who answers for a breach, each by name and id, or `refused`.
pub fn verdict(file: &[u8], policy: &str) -> String {
    let Ok(policy) = Policy::parse(policy.as_bytes()) else { return "refused".to_owned() };
    let by = match Receipt::parse(file) {
        Ok(receipt) => receipt.verify(&policy, None).map(|_| Vec::new()).ok(),
        Err(_) => Evidence::parse(file).and_then(|evidence| evidence.verify(&policy)).map(|breach| breach.by).ok(),
    };
    let called = |by: Vec<VerifierKey>| by.iter().map(VerifierKey::called).collect::<Vec<_>>();
    by.map_or("refused".to_owned(), |by| [vec!["ok".to_owned()], called(by)].concat().join(" "))
}

/// Files in which each value of each statement is another one, in many ways, or is gone, or stands elsewhere.
pub fn every() -> Vec<Altered> {
    let (first, second, release) = (first_edition(), second_edition(), release(4));
    let mut files = Vec::new();
    for (name, text) in values::of(&text_of(&second)) {
        let made = receipt(&note(&text, &["m1", "c1", "c2", "c3"]), &note(&cite(&release, &text), &["m1", "c1", "c3"]));
        files.push((format!("receipt, charter, {name}"), made));
    }
    let charter = note(&text_of(&second), &["m1", "c1", "c2", "c3"]);
    for (name, text) in values::of(&cite(&release, &text_of(&second))) {
        files.push((format!("receipt, release, {name}"), receipt(&charter, &note(&text, &["m1", "c1", "c3"]))));
    }
    // What the log should not have admitted for want of signatures, if it is a statement at all.
    for (name, text) in values::of(&text_of(&first)).into_iter().step_by(3) {
        files.push((format!("inadmissible, charter, {name}"), inadmissible(&[&note(&text, &["m1"])])));
    }
    for (name, text) in attestations().iter().flat_map(|text| values::of(text)) {
        files.push((format!("inadmissible, attestation, {name}"), inadmissible(&[&note(&text, &["m2"])])));
    }
    files
}

/// A charter with something in each of its fields.
fn first_edition() -> Charter {
    let [german, french] = ["DE", "FR"].map(|code| Jurisdiction::new(code).unwrap());
    let statute = |jurisdiction: &Jurisdiction, instrument: &str| Statute {
        jurisdiction: jurisdiction.clone(),
        instrument: instrument.into(),
        provision: "1".into(),
    };
    let base = charter();
    let mut made = Charter {
        purpose: Purpose {
            statutes: vec![statute(&german, "Act"), statute(&german, "Code"), statute(&french, "Act")],
            exclusions: vec!["art".into(), "satire".into(), "\u{e9}tudes".into()],
            ..base.purpose.clone()
        },
        reach: Reach {
            jurisdictions: vec![german, Jurisdiction::new("EU").unwrap(), french],
            surfaces: vec![Surface::EndToEndEncrypted, Surface::Private, Surface::Public],
        },
        action: ActionClause { most: Action::Report, recipients: vec!["Desk".into(), "Police".into()] },
        ..base
    };
    made.curation.curators[1] = curator("c2", "DE-BY");
    made
}

fn second_edition() -> Charter {
    let first = first_edition();
    Charter { edition: 2, previous: Some(StatementId(id_of(&text_of(&first)))), ..first }
}

/// A version of a list of ten entries.
fn release(version: u64) -> Release {
    let content = hashes(0..10);
    let bytes = snapshot::encode(&content);
    let object = |seed: u8| ObjectDigest(sha256(&[&[seed]]));
    let delta = |from: u64| DeltaRef {
        from,
        release: StatementId(sha256(&[&from.to_be_bytes()])),
        size: 55,
        sha256: object(from as u8),
    };
    let deltas: Vec<DeltaRef> = isonomy_core::release::delta_bases(version).into_iter().map(delta).collect();
    Release {
        statement: Release::KIND.into(),
        list: crate::people::list(),
        version,
        previous: deltas.last().map(|delta| delta.release),
        charter: StatementId([0; 32]),
        created: at(100),
        expires: at(50_000),
        entries: 10,
        irregular: 0,
        root: content.root(),
        added: if version == 1 { 10 } else { 2 },
        removed: if version == 1 { 0 } else { 1 },
        snapshot: ObjectRef { size: bytes.len() as u64, sha256: ObjectDigest::of(&bytes) },
        deltas,
    }
}

/// The text of an attestation by each kind of method.
fn attestations() -> [String; 3] {
    let of = |method: Method| Attestation {
        statement: Attestation::KIND.into(),
        list: crate::people::list(),
        release: StatementId([7; 32]),
        auditor: key("auditor").verifier().clone(),
        log_size: (method == Method::Followed).then_some(TreeSize(2)),
        sample: (method == Method::Sampled).then_some(9),
        errors: (method == Method::Sampled).then_some(1),
        complaint: (method == Method::Complaint)
            .then_some(Complaint { received: at(90), commitment: Commitment([8; 32]) }),
        method,
        finding: "As it should be.".into(),
        report: Some(Report { url: "https://auditor.example/1".into(), sha256: ObjectDigest([9; 32]) }),
        created: at(100),
    };
    [Method::Sampled, Method::Complaint, Method::Followed].map(|method| text_of(&of(method)))
}

/// Canonical JSON, without a look at what it says.
fn text_of(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

fn id_of(text: &str) -> [u8; 32] {
    sha256(&[text.as_bytes()])
}

/// The text of a release, citing the charter of this text.
fn cite(release: &Release, charter: &str) -> String {
    text_of(&Release { charter: StatementId(id_of(charter)), ..release.clone() })
}

/// A note of this text by the people with these names.
fn note(text: &str, signers: &[&str]) -> String {
    let lines: String = signers.iter().map(|name| key(name).sign(text).to_string()).collect();
    format!("{text}\n{lines}")
}

fn lines(text: &str) -> Vec<String> {
    text.split('\n').map(str::to_owned).take(text.matches('\n').count()).collect()
}

/// The root over these leaves, and the proof of one of them: RFC 6962, section 2.1, as it stands there.
fn tree(leaves: &[NodeHash], index: usize) -> (NodeHash, Vec<NodeHash>) {
    let [leaf] = leaves else {
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let (within, beside) =
            if index < left.len() { (tree(left, index), right) } else { (tree(right, index - left.len()), left) };
        let sibling = tree(beside, 0).0;
        let root = if index < left.len() { node_hash(&within.0, &sibling) } else { node_hash(&sibling, &within.0) };
        return (root, [within.1, vec![sibling]].concat());
    };
    (*leaf, Vec::new())
}

fn leaves<'e>(entries: impl IntoIterator<Item = &'e [u8]>) -> Vec<NodeHash> {
    entries.into_iter().map(|entry| NodeHash(leaf_hash(entry).0)).collect()
}

fn path(hashes: &[NodeHash]) -> String {
    to_base64(&hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>())
}

/// The checkpoint of a log of these entries, cosigned by witnesses 1 and 2.
fn checkpoint(entries: &[&str]) -> CheckpointNote {
    checkpoint_at(entries, at(100))
}

fn checkpoint_at(entries: &[&str], time: Timestamp) -> CheckpointNote {
    let root = tree(&leaves(entries.iter().map(|entry| entry.as_bytes())), 0).0;
    let size = TreeSize(entries.len() as u64);
    let text = Checkpoint { origin: LOG.into(), size, root: RootHash(root.0), extensions: Vec::new() };
    let signed = CheckpointNote::sign(text, &key(LOG)).unwrap();
    let lines = [1, 2].map(|number| cosign(&witness(number), signed.note().text(), time));
    signed.with_cosignatures(&lines)
}

#[derive(Serialize)]
struct ReceiptFile {
    receipt: &'static str,
    entry: String,
    entry_index: u64,
    entry_path: String,
    release: Vec<String>,
    release_index: u64,
    release_path: String,
    charter: Vec<String>,
    charter_index: u64,
    charter_path: String,
    checkpoint: Vec<String>,
}

/// A receipt for an entry of the list, from a log of this charter and this release.
fn receipt(charter: &str, release: &str) -> Vec<u8> {
    receipt_under(charter, release, &checkpoint(&[charter, release]).to_string())
}

fn receipt_under(charter: &str, release: &str, checkpoint: &str) -> Vec<u8> {
    let (log, content) = (leaves([charter.as_bytes(), release.as_bytes()]), hashes(0..10));
    let entry_index = content.iter().position(|entry| entry == hash(7)).unwrap();
    let file = ReceiptFile {
        receipt: "isonomy/receipt/v1",
        entry: to_base64(&hash(7)),
        entry_index: entry_index as u64,
        entry_path: path(&tree(&leaves(content.iter()), entry_index).1),
        release: lines(release),
        release_index: 1,
        release_path: path(&tree(&log, 1).1),
        charter: lines(charter),
        charter_index: 0,
        charter_path: path(&tree(&log, 0).1),
        checkpoint: lines(checkpoint),
    };
    text_of(&file).into_bytes()
}

/// The lines of a tlog-proof of an entry of this log.
fn proof(entries: &[&str], index: usize) -> Vec<String> {
    let path = tree(&leaves(entries.iter().map(|entry| entry.as_bytes())), index).1;
    let proof = TlogProof { extra: None, index: LeafIndex(index as u64), path, checkpoint: checkpoint(entries) };
    lines(&proof.to_string())
}

#[derive(Serialize)]
struct InadmissibleFile {
    evidence: &'static str,
    statement: Vec<String>,
    statement_proof: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    charter: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    charter_proof: Option<Vec<String>>,
}

/// That the last of these entries is inadmissible; of a release, with the charter that is the first.
fn inadmissible(entries: &[&str]) -> Vec<u8> {
    let last = entries.len() - 1;
    let charter = entries[..last].first();
    let file = InadmissibleFile {
        evidence: "isonomy/inadmissible/v1",
        statement: lines(entries[last]),
        statement_proof: proof(entries, last),
        charter: charter.map(|charter| lines(charter)),
        charter_proof: charter.map(|_| proof(entries, 0)),
    };
    text_of(&file).into_bytes()
}
