//! Files with one thing that is not what it should be, or just so.

use super::{
    checkpoint, checkpoint_at, cite, first_edition, id_of, inadmissible, lines, note, proof, receipt, receipt_under,
    release, text_of,
};
use crate::people::{LOG, key, witness};
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature::cosign;
use isonomy_core::encoding::{to_base64, to_hex};
use isonomy_core::hash::{RootHash, sha256};
use isonomy_core::note::{KeyId, KeyType, Signature, VerifierKey};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{TreeSize, empty_root};
use serde::Serialize;
use sha2::{Digest, Sha512};

/// A file, what is particular about it, and whether it holds all the same.
pub type Named = (&'static str, Vec<u8>, bool);

const CHARTER_SIGNERS: [&str; 4] = ["m1", "c1", "c2", "c3"];
const RELEASE_SIGNERS: [&str; 3] = ["m1", "c1", "c3"];

/// Files with one thing that is not what it should be, or just so.
pub fn named() -> Vec<Named> {
    [values(), keys(), checkpoints(), logs(), sizes()].concat()
}

fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} in {text}");
    text.replacen(from, to, 1)
}

/// A receipt under a charter with one value changed, and for a release with one value changed.
fn with(charter: (&str, &str), of_release: (&str, &str)) -> Vec<u8> {
    let charter = changed(&text_of(&first_edition()), charter.0, charter.1);
    let text = changed(&cite(&release(1), &charter), of_release.0, of_release.1);
    receipt(&note(&charter, &CHARTER_SIGNERS), &note(&text, &RELEASE_SIGNERS))
}

fn values() -> Vec<Named> {
    let (same, list) = (("", ""), "\"list\": \"hotline.example/images\"");
    let created = "\"created\": \"2027-01-15T08:01:40Z\"";
    let expires = "\"expires\": \"2027-01-15T21:53:20Z\"";
    let of_charter = |from, to| with((from, to), same);
    let of_release = |from, to| with(same, (from, to));
    let deltas = text_of(&release(4));
    let at = deltas.find("\"deltas\": ").unwrap();
    let without = format!("{}\"deltas\": []\n}}\n", &deltas[..at]);
    let charter = text_of(&first_edition());
    let without = changed(&without, &to_base64(&[0; 32]), &to_base64(&id_of(&charter)));
    vec![
        ("as it should be", with(same, same), true),
        ("an action that is none", of_charter("\"most\": \"report\"", "\"most\": \"arrest\""), false),
        ("a purpose that is none", of_charter("\"code\": \"other\"", "\"code\": \"politics\""), false),
        ("a jurisdiction that is none", of_charter("\"jurisdiction\": \"DE-BY\"", "\"jurisdiction\": \"Mars\""), false),
        (
            "a distance that the algorithm does not have",
            of_charter("\"max_distance\": 24", "\"max_distance\": 255"),
            false,
        ),
        ("a list that can't be one", with((list, "\"list\": \"HOTLINE\""), (list, "\"list\": \"HOTLINE\"")), false),
        ("a charter of another list", of_charter(list, "\"list\": \"other.example/x\""), false),
        ("no threshold", of_charter("\"threshold\": 2", "\"threshold\": 0"), false),
        ("a smaller threshold", of_charter("\"min_jurisdictions\": 2", "\"min_jurisdictions\": 1"), true),
        ("edition 0", of_charter("\"edition\": 1", "\"edition\": 0"), false),
        ("edition 7 without the one before", of_charter("\"edition\": 1", "\"edition\": 7"), false),
        ("version 0", of_release("\"version\": 1", "\"version\": 0"), false),
        ("no deltas", receipt(&note(&charter, &CHARTER_SIGNERS), &note(&without, &RELEASE_SIGNERS)), false),
        ("month 99", of_release(created, "\"created\": \"2026-99-99T00:00:00Z\""), false),
        ("expired before it was created", of_release(expires, "\"expires\": \"2020-01-01T00:00:00Z\""), false),
        ("half a pair of surrogates", of_charter("\"basis\": \"Act\"", "\"basis\": \"\\ud800\""), false),
    ]
}

/// A receipt whose curator c2 has this vkey, with the lines of the release.
fn with_key(vkey: &str, sign: impl Fn(&str) -> String) -> Vec<u8> {
    let charter = changed(&text_of(&first_edition()), &key("c2").verifier().to_string(), vkey);
    let text = cite(&release(1), &charter);
    let signed = format!("{text}\n{}", sign(&text));
    receipt(&note(&charter, &["m1", "c1", "c3"]), &signed)
}

fn keys() -> Vec<Named> {
    let by = |name: &str, text: &str| key(name).sign(text).to_string();
    let rest = |text: &str| [by("m1", text), by("c1", text), by("c3", text)].concat();
    let identity = [&[1][..], &[0; 31]].concat();
    let off_curve: Vec<u8> = (2..).map(|y: u8| [&[y][..], &[0; 31]].concat()).find(|point| !is_key(point)).unwrap();
    let weak = vkey("c2", 1, &identity);
    // Under the neutral element, R = 0 and S = 0 sign everything.
    let forged = Signature { name: "c2".into(), id: id("c2", 1, &identity), bytes: [&identity[..], &[0; 32]].concat() };
    let forged = |text: &str| [by("m1", text), by("c1", text), forged.to_string()].concat();
    let twice = key("c1").verifier().public_bytes().to_vec();
    let as_other = |text: &str| {
        let bytes = key("c1").sign(text).bytes;
        let line = Signature { name: "c2".into(), id: id("c2", 1, &twice), bytes };
        [by("m1", text), by("c1", text), line.to_string()].concat()
    };
    let small = |text: &str| [by("m1", text), small_order_signature("c1", text).to_string(), by("c3", text)].concat();
    vec![
        ("another key", with_key(&vkey("c2", 1, key("c4").verifier().public_bytes()), rest), true),
        ("a key under which anybody can sign", with_key(&weak, forged), false),
        ("the same, and nobody does", with_key(&weak, rest), false),
        ("a key that is no point", with_key(&vkey("c2", 1, &off_curve), rest), false),
        ("one key for two curators", with_key(&vkey("c2", 1, &twice), as_other), false),
        ("a key of a witness", with_key(&vkey("c2", 4, key("c4").verifier().public_bytes()), rest), false),
        ("a key of no kind", with_key(&vkey("c2", 9, key("c4").verifier().public_bytes()), rest), false),
        ("a key of 31 bytes", with_key(&vkey("c2", 1, &[3; 31]), rest), false),
        ("a key under another id", with_key(&key("c4").verifier().to_string().replacen("c4", "c2", 1), rest), false),
        ("a key without a name", with_key(&vkey("", 1, key("c4").verifier().public_bytes()), rest), false),
        (
            "a name with a byte order mark",
            with_key(&vkey("c\u{feff}2", 1, key("c4").verifier().public_bytes()), rest),
            true,
        ),
        ("a name with a hard space", with_key(&vkey("c\u{a0}2", 1, key("c4").verifier().public_bytes()), rest), false),
        ("a signature of small order", with_key(&key("c2").verifier().to_string(), small), false),
    ]
}

fn id(name: &str, kind: u8, public: &[u8]) -> KeyId {
    let digest = sha256(&[name.as_bytes(), b"\n", &[kind], public]);
    KeyId([digest[0], digest[1], digest[2], digest[3]])
}

fn vkey(name: &str, kind: u8, public: &[u8]) -> String {
    format!("{name}+{}+{}", to_hex(&id(name, kind, public).0), to_base64(&[&[kind], public].concat()))
}

fn is_key(point: &[u8]) -> bool {
    VerifierKey::new("name", KeyType::Ed25519, point.try_into().unwrap()).is_ok()
}

/// A signature that the owner of a key alone can make, with the neutral element for R: S is SHA-512(R ‖ A ‖ text) times the
/// private scalar. Lenient verifiers take it.
fn small_order_signature(name: &str, text: &str) -> Signature {
    let signer = key(name);
    let public = *signer.verifier().public_bytes();
    let mut secret: [u8; 32] = Sha512::digest(sha256(&[name.as_bytes()]))[..32].try_into().unwrap();
    (secret[0], secret[31]) = (secret[0] & 248, secret[31] & 63 | 64);
    let neutral = [&[1][..], &[0; 31]].concat();
    let hash = Sha512::digest([&neutral, &public[..], text.as_bytes()].concat());
    let scalar = times(&reduced(&hash), &reduced(&secret));
    let bytes: Vec<u8> = neutral.into_iter().chain(scalar.iter().flat_map(|limb| limb.to_le_bytes())).collect();
    Signature { name: name.into(), id: signer.verifier().id(), bytes }
}

/// 2^252 + 27742317777372353535851937790883648493, in limbs from the smallest.
const ORDER: [u64; 4] = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 0x1000_0000_0000_0000];

/// A little-endian number modulo [`ORDER`].
fn reduced(bytes: &[u8]) -> [u64; 4] {
    let bits = bytes.iter().rev().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    bits.fold([0; 4], |sum, bit| plus(&plus(&sum, &sum), &[u64::from(bit), 0, 0, 0]))
}

fn times(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let bits = a.iter().rev().flat_map(|limb| (0..64).rev().map(move |bit| limb >> bit & 1));
    bits.fold([0; 4], |sum, bit| plus(&plus(&sum, &sum), if bit == 1 { b } else { &[0; 4] }))
}

fn plus(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let (mut sum, mut carry) = ([0; 4], 0);
    for limb in 0..4 {
        let wide = u128::from(a[limb]) + u128::from(b[limb]) + carry;
        (sum[limb], carry) = (wide as u64, wide >> 64);
    }
    if sum.iter().rev().lt(ORDER.iter().rev()) {
        return sum;
    }
    let mut borrow = false;
    for limb in 0..4 {
        let (first, one) = sum[limb].overflowing_sub(ORDER[limb]);
        let (second, other) = first.overflowing_sub(u64::from(borrow));
        (sum[limb], borrow) = (second, one || other);
    }
    sum
}

fn checkpoints() -> Vec<Named> {
    let charter = note(&text_of(&first_edition()), &CHARTER_SIGNERS);
    let release = note(&cite(&release(1), &text_of(&first_edition())), &RELEASE_SIGNERS);
    let entries = [charter.as_str(), &release];
    let whole = checkpoint(&entries);
    let text = whole.note().text();
    let under = |checkpoint: &str| receipt_under(&charter, &release, checkpoint);
    let extended = |lines: &str| {
        let text = format!("{text}{lines}");
        let cosigned = [1, 2].map(|number| cosign(&witness(number), &text, Timestamp(1_800_000_100)).to_string());
        under(&format!("{text}\n{}{}", key(LOG).sign(&text), cosigned.concat()))
    };
    let more = |line: String| under(&format!("{whole}{line}"));
    let late = |time: u64| cosign(&witness(3), text, Timestamp(time)).to_string();
    let wrong = cosign(&witness(3), "another text\n", Timestamp(1_800_000_100)).to_string();
    let log_twice = Signature { bytes: vec![7; 64], ..key(LOG).sign(text) }.to_string();
    let stranger = key("stranger").sign(text).to_string();
    let hidden = stranger.replace("stranger", "stran\u{ad}ger");
    let last = |time: u64| under(&checkpoint_at(&entries, Timestamp(time)).to_string());
    vec![
        ("cosigned at the end of all time", last((1 << 63) - 1), true),
        ("cosigned in the last second that can be shown", last(253_402_300_799), true),
        ("cosigned one second later", last(253_402_300_800), true),
        ("cosigned after the end of all time", more(late(1 << 63)), false),
        ("cosigned before all time", more(late(0)), false),
        ("cosigned by one twice, later", more(cosign(&witness(1), text, Timestamp(1_900_000_000)).to_string()), true),
        ("a wrong cosignature", more(wrong), false),
        ("a line of a stranger", more(stranger), true),
        ("a stranger with a soft hyphen", more(hidden), true),
        ("the log's line twice", more(key(LOG).sign(text).to_string()), true),
        ("a second line of the log that is wrong", more(log_twice), false),
        ("63 lines more", more(late(1_800_000_101).repeat(61)), true),
        ("64 lines more", more(late(1_800_000_101).repeat(62)), false),
        ("a line more in the checkpoint", extended("more\n"), true),
        ("a blank line more", extended(" \n"), true),
        ("an empty line more", extended("\n"), false),
    ]
}

#[derive(Serialize)]
struct ForkFile {
    evidence: &'static str,
    older: Vec<String>,
    newer: Vec<String>,
    proof: Vec<String>,
}

#[derive(Serialize)]
struct TwiceFile {
    evidence: &'static str,
    first: Vec<String>,
    first_proof: Vec<String>,
    second: Vec<String>,
    second_proof: Vec<String>,
}

#[derive(Serialize)]
struct NoStatementFile {
    evidence: &'static str,
    entry: String,
    proof: Vec<String>,
}

fn logs() -> Vec<Named> {
    let charter = text_of(&first_edition());
    let (signed, other) = (note(&charter, &CHARTER_SIGNERS), note(&charter, &["m2"]));
    let strange = charter.replace("\"edition\": 1", "\"edition\": 0");
    let strange = [note(&strange, &["m1"]), note(&strange, &["m2"])];
    let text = cite(&release(1), &charter);
    let few = note(&text, &["m1", "c1"]);
    let named = signed.replace("\u{2014} m1 ", "\u{2014} m\u{7f}1 ");
    vec![
        ("an empty tree with another root", fork(RootHash([7; 32]), &signed), false),
        ("an empty tree", fork(empty_root(), &signed), false),
        ("logged twice", twice([&signed, &other]), true),
        ("logged twice, and no statement", twice([&strange[0], &strange[1]]), false),
        ("too few signatures", inadmissible(&[&signed, &few]), true),
        ("too few signatures under what is no charter", inadmissible(&[&strange[0], &few]), false),
        ("the signatures of a first edition", inadmissible(&[&signed]), false),
        ("a strange name of a signer", no_statement(&named), false),
        ("a statement", no_statement(&signed), false),
        ("what has the form of a statement", no_statement(&strange[0]), false),
    ]
}

/// That the log showed an empty tree of this root, and then one of this entry.
fn fork(root: RootHash, entry: &str) -> Vec<u8> {
    let text = Checkpoint { origin: LOG.into(), size: TreeSize(0), root, extensions: Vec::new() }.to_string();
    let older = format!("{text}\n{}", key(LOG).sign(&text));
    let newer: CheckpointNote = checkpoint(&[entry]);
    let hash = newer.checkpoint().root.to_base64();
    let file = ForkFile {
        evidence: "isonomy/fork/v1",
        older: lines(&older),
        newer: lines(&newer.to_string()),
        proof: vec![hash],
    };
    text_of(&file).into_bytes()
}

fn twice(entries: [&str; 2]) -> Vec<u8> {
    let file = TwiceFile {
        evidence: "isonomy/logged-twice/v1",
        first: lines(entries[0]),
        first_proof: proof(&entries, 0),
        second: lines(entries[1]),
        second_proof: proof(&entries, 1),
    };
    text_of(&file).into_bytes()
}

fn no_statement(entry: &str) -> Vec<u8> {
    let file = NoStatementFile {
        evidence: "isonomy/not-a-statement/v1",
        entry: to_base64(entry.as_bytes()),
        proof: proof(&[entry], 0),
    };
    text_of(&file).into_bytes()
}

/// What has as many bytes as it may have, and one more.
fn sizes() -> Vec<Named> {
    let charter = note(&text_of(&first_edition()), &CHARTER_SIGNERS);
    let release = note(&cite(&release(1), &text_of(&first_edition())), &RELEASE_SIGNERS);
    let of_charter = |size: usize| receipt(&padded(&charter, size), &release);
    let small = checkpoint(&[&charter, &release]).to_string();
    let of_checkpoint = |size: usize| receipt_under(&charter, &release, &padded(&small, size));
    let of_proof = |size: usize| {
        let proof = proof(&["no statement"], 0).join("\n") + "\n";
        let extra = format!("@v1\nextra {}\n", to_base64(&[7; 12_300]));
        let file = NoStatementFile {
            evidence: "isonomy/not-a-statement/v1",
            entry: to_base64(b"no statement"),
            proof: lines(&padded(&proof.replacen("@v1\n", &extra, 1), size)),
        };
        text_of(&file).into_bytes()
    };
    vec![
        ("a charter of 65,535 bytes", of_charter(65_535), true),
        ("a charter of 65,536 bytes", of_charter(65_536), false),
        ("a checkpoint of 131,072 bytes", of_checkpoint(131_072), true),
        ("a checkpoint of 131,073 bytes", of_checkpoint(131_073), false),
        ("a proof of 147,456 bytes", of_proof(147_456), true),
        ("a proof of 147,457 bytes", of_proof(147_457), false),
    ]
}

/// A note with one more line, by a stranger, so that it has so many bytes.
fn padded(note: &str, size: usize) -> String {
    let room = size - note.len() - "\u{2014}  \n".len();
    let name = "s".repeat(1 + (room - 1) % 4);
    let data = to_base64(&vec![7; (room - name.len()) / 4 * 3]);
    format!("{note}\u{2014} {name} {data}\n")
}
