//! Objects that a release names by their true digests, and that are no list and no change of one, or another one.

use super::{Altered, cite, first_edition, id_of, lines, note, proof, release, text_of};
use crate::people::hashes;
use isonomy_core::charter::Charter;
use isonomy_core::encoding::to_base64;
use isonomy_core::hash::{ObjectDigest, StatementId};
use isonomy_core::list::{Algorithm, Entries, delta, snapshot};
use isonomy_core::release::{ObjectRef, Release};
use serde::Serialize;

#[derive(Serialize)]
struct ContentFile {
    evidence: &'static str,
    charter: Vec<String>,
    charter_proof: Vec<String>,
    release: Vec<String>,
    release_proof: Vec<String>,
    snapshot: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<BaseFile>,
}

#[derive(Serialize)]
struct BaseFile {
    release: Vec<String>,
    snapshot: String,
    delta: String,
}

/// That a log admitted content that is not what its release says: a snapshot, or a delta, in many forms; some are as they should
/// be.
pub fn contents() -> Vec<Altered> {
    let mut files = Vec::new();
    let good = snapshot::encode(&hashes(0..10));
    for (name, bytes) in bent(&good) {
        let text = naming(&release(1), &bytes);
        files.push((format!("snapshot, {name}"), of_snapshot(&first_edition(), &text, &bytes)));
    }
    for entries in [0, 1, 2, 9, 11, 1 << 20, u64::from(u32::MAX), 1 << 32, (1 << 53) - 1] {
        let text = naming(&Release { entries, added: entries, ..release(1) }, &good);
        files.push((format!("snapshot of {entries}"), of_snapshot(&first_edition(), &text, &good)));
    }
    for irregular in [1, 10] {
        let text = naming(&Release { irregular, ..release(1) }, &good);
        files.push((format!("{irregular} irregular"), of_snapshot(&first_edition(), &text, &good)));
    }
    files.extend(of_algorithms());
    let (old, new) = (hashes(0..10), hashes([0, 1, 2, 4, 5, 6, 7, 8, 30, 31, 32]));
    let good = delta::encode(&delta::diff(&old, &new).unwrap());
    for (name, bytes) in bent(&good) {
        files.push((format!("delta, {name}"), of_delta(&old, &new, &bytes, |_| ())));
    }
    let edits: [(&str, Edit); 3] = [
        ("more added", |release| release.added += 1),
        ("more removed", |release| release.removed += 1),
        ("another base", |release| release.previous = Some(release.charter)),
    ];
    files.extend(edits.map(|(name, edit)| (format!("delta, {name}"), of_delta(&old, &new, &good, edit))));
    for (name, to) in [("the same list", hashes(0..10)), ("nothing", hashes([])), ("all others", hashes(20..25))] {
        let bytes = delta::encode(&delta::diff(&old, &to).unwrap());
        files.push((format!("delta to {name}"), of_delta(&old, &to, &bytes, |_| ())));
        files.push((format!("delta to {name}, and a byte"), of_delta(&old, &to, &[&bytes[..], &[0]].concat(), |_| ())));
        files.push((format!("delta from {name}, backwards"), of_delta(&to, &old, &bytes, |_| ())));
    }
    files
}

/// Lists of each algorithm: of ordinary entries, with one of zeros, and with one of zeros but for its first byte.
fn of_algorithms() -> Vec<Altered> {
    let mut files = Vec::new();
    for algorithm in Algorithm::ALL {
        let size = algorithm.entry_size();
        let entry = |first: u8, rest: u8| [vec![first], vec![rest; size - 1]].concat();
        let odd = [entry(0, 0), entry(1, 0), entry(0, 1), entry(0xff, 0xff)];
        for (at, odd) in odd.iter().enumerate() {
            let bytes = [entry(0xf0, 0x0f), entry(0x0f, 0xf0), odd.clone()].concat();
            let entries = Entries::from_unsorted(size, bytes).unwrap().0;
            let mut charter = first_edition();
            charter.matching.algorithm = algorithm;
            if !algorithm.is_perceptual() {
                (charter.matching.max_distance, charter.matching.min_quality) = (0, 0);
            }
            let bytes = snapshot::encode(&entries);
            for irregular in [0, 1] {
                let release = Release { entries: 3, added: 3, irregular, root: entries.root(), ..release(1) };
                let file = of_snapshot(&charter, &naming(&release, &bytes), &bytes);
                files.push((format!("{algorithm:?}, entry {at}, {irregular} irregular"), file));
            }
        }
    }
    files
}

type Edit = fn(&mut Release);

/// These bytes with one bit of each turned, cut off, and longer.
fn bent(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![("as it was".to_owned(), bytes.to_vec())];
    for place in 0..bytes.len() {
        let mut turned = bytes.to_vec();
        turned[place] ^= 1 << (place % 8);
        all.push((format!("byte {place}"), turned));
    }
    for size in [0, 12, 13, 20, 21, bytes.len() - 1] {
        all.push((format!("{size} bytes"), bytes[..size].to_vec()));
    }
    all.push(("a byte more".to_owned(), [bytes, &[0]].concat()));
    all.push(("another byte more".to_owned(), [bytes, &[1]].concat()));
    all
}

fn object(bytes: &[u8]) -> ObjectRef {
    ObjectRef { size: bytes.len() as u64, sha256: ObjectDigest::of(bytes) }
}

fn naming(release: &Release, bytes: &[u8]) -> Release {
    Release { snapshot: object(bytes), ..release.clone() }
}

fn file(charter: &Charter, release: &str, bytes: &[u8], base: Option<BaseFile>) -> Vec<u8> {
    let charter = note(&text_of(charter), &["m1", "c1", "c2", "c3"]);
    let entries = [charter.as_str(), release];
    let file = ContentFile {
        evidence: "isonomy/wrong-content/v1",
        charter: lines(&charter),
        charter_proof: proof(&entries, 0),
        release: lines(release),
        release_proof: proof(&entries, 1),
        snapshot: to_base64(bytes),
        base,
    };
    text_of(&file).into_bytes()
}

fn of_snapshot(charter: &Charter, release: &Release, bytes: &[u8]) -> Vec<u8> {
    let text = cite(release, &text_of(charter));
    file(charter, &note(&text, &["m1", "c1", "c3"]), bytes, None)
}

/// A second version, with this delta from the first.
fn of_delta(old: &Entries, new: &Entries, bytes: &[u8], edit: Edit) -> Vec<u8> {
    let charter = first_edition();
    let count = |entries: &Entries| entries.len() as u64;
    let (before, after) = (snapshot::encode(old), snapshot::encode(new));
    let first = Release { entries: count(old), added: count(old), root: old.root(), ..naming(&release(1), &before) };
    let first = cite(&first, &text_of(&charter));
    let churn = delta::diff(old, new).unwrap();
    let mut second = naming(&release(2), &after);
    (second.entries, second.root) = (count(new), new.root());
    (second.added, second.removed) = (churn.added().len() as u64, churn.removed().len() as u64);
    let id = StatementId(id_of(&first));
    (second.previous, second.deltas[0].release) = (Some(id), id);
    (second.deltas[0].size, second.deltas[0].sha256) = (object(bytes).size, object(bytes).sha256);
    edit(&mut second);
    let text = cite(&second, &text_of(&charter));
    let base = BaseFile {
        release: lines(&note(&first, &["m1", "c1", "c3"])),
        snapshot: to_base64(&before),
        delta: to_base64(bytes),
    };
    file(&charter, &note(&text, &["m1", "c1", "c3"]), &after, Some(base))
}
