//! Receipts and evidence are checked by a second implementation too, in another language, written from the documentation:
//! `tests/second/verify.py`. Both say the same of what is true, and of every way in which it was changed or written otherwise.
//!
//! They run where Python has its package `cryptography`. With `ISONOMY_REQUIRE_PYTHON` set, it must be there.

use isonomy_core::charter::{Charter, Purpose};
use isonomy_core::list::snapshot;
use isonomy_core::release::Release;
use isonomy_matcher::{Fingerprint, Matcher, Receipt, Verdict};
use isonomy_tests::altered;
use isonomy_tests::breaches;
use isonomy_tests::client::Client;
use isonomy_tests::forms;
use isonomy_tests::people::{LOG, at, charter, curator, hash, hashes, sign_charter};
use isonomy_tests::world::{Draft, World};
use isonomy_verifier::Policy;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/second/verify.py");

/// The end of what the other implementation says of a policy that is none.
const NO_POLICY: &[u8] = b"the policy is refused\n";

/// Whether there is a Python that can run the other implementation.
fn python_is_here() -> bool {
    let ready = Command::new("python3").args(["-c", "import cryptography"]).output();
    let ready = ready.is_ok_and(|output| output.status.success());
    assert!(ready || std::env::var_os("ISONOMY_REQUIRE_PYTHON").is_none(), "python3 lacks the package `cryptography`");
    ready
}

/// A log with version 1 in force since 105, and a client that has it.
fn prepared() -> (World, Client) {
    let mut world = World::founded();
    world.release(hashes(0..100), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    client.update(&world, 105).unwrap();
    (world, client)
}

fn receipt() -> String {
    let (world, client) = prepared();
    let matcher = Matcher::new(client.list.unwrap()).unwrap();
    let mut near = hash(7).to_vec();
    near[0] ^= 1;
    near[31] ^= 1;
    let fingerprint = Fingerprint {
        algorithm: world.charters().next().unwrap().body().matching.algorithm,
        hash: near,
        quality: None,
    };
    match matcher.look_up(&fingerprint, at(106)).verdict {
        Verdict::Matched(mut matches) => matches.remove(0).receipt.to_text().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn fork(common: u64, size: u64) -> String {
    let (world, mut client) = prepared();
    let mut fork = world.fork(common);
    while fork.size() < size {
        fork.release(hashes(500..510 + fork.size()), 100 * fork.size());
    }
    fork.publish(1000);
    fork.publish_note(fork.checkpoint(size));
    let rejection = client.update(&fork, 1000).unwrap_err();
    rejection.evidence().unwrap_or_else(|| panic!("{rejection}")).to_text()
}

/// Two texts for version 1; the second is signed by these people.
fn equivocation(signers: &[&str]) -> String {
    let (mut world, _) = prepared();
    let release = world.releases().last().unwrap().body().clone();
    let content = hashes(200..300);
    let snapshot = world.object(snapshot::encode(&content));
    world.log(Draft { release: Release { root: content.root(), snapshot, ..release }, content }, signers);
    world.publish(200);
    world.publish(205);
    let policy = Policy::parse([&world.policy_text(), "\n[audit]\ncomplete = true\n"].concat().as_bytes()).unwrap();
    let rejection = Client::with(policy).update(&world, 205).unwrap_err();
    rejection.evidence().unwrap_or_else(|| panic!("{rejection}")).to_text()
}

/// Two texts for version 1, the second under edition 2.
fn across_editions() -> String {
    let (mut world, mut client) = prepared();
    let edition = world.edition(|charter| charter.matching.max_distance = 20);
    let release = world.releases().last().unwrap().body().clone();
    let content = hashes(200..300);
    let snapshot = world.object(snapshot::encode(&content));
    let release = Release { charter: edition, root: content.root(), snapshot, ..release };
    let second = world.log(Draft { release, content }, &["m1", "c1", "c3"]);
    world.publish(200);
    world.publish(205);
    world.offer_only(&[second]);
    let rejection = client.update(&world, 205).unwrap_err();
    rejection.evidence().unwrap_or_else(|| panic!("{rejection}")).to_text()
}

/// Two texts for edition 2, the second of which adds a curator; or for edition 1.
fn two_editions(edition: u64) -> String {
    let (mut world, _) = prepared();
    let other = match edition {
        1 => Charter { purpose: Purpose { victims: "Others.".into(), ..charter().purpose }, ..charter() },
        _ => world.amended(|charter| charter.curation.curators.push(curator("c4", "NL"))),
    };
    if edition > 1 {
        world.edition(|charter| charter.matching.max_distance = 20);
    }
    let second = world.append(sign_charter(&other));
    world.publish(200);
    world.edit_bundle(|bundle| bundle.charters.retain(|charter| charter.id != second));
    let policy = Policy::parse([&world.policy_text(), "\n[audit]\ncomplete = true\n"].concat().as_bytes()).unwrap();
    let rejection = Client::with(policy).update(&world, 205).unwrap_err();
    rejection.evidence().unwrap_or_else(|| panic!("{rejection}")).to_text()
}

fn early_admission(edit: fn(&mut Charter)) -> String {
    let (mut world, mut client) = prepared();
    world.edition(edit);
    world.publish(1000);
    world.release(hashes(0..120), 1100);
    world.publish(1100);
    world.publish(1105);
    let rejection = client.update(&world, 1105).unwrap_err();
    rejection.evidence().unwrap_or_else(|| panic!("{rejection}")).to_text()
}

/// Every file, and its name.
fn files() -> Vec<(&'static str, String)> {
    let mut files = vec![
        ("receipt", receipt()),
        ("fork of one size", fork(1, 2)),
        ("fork of several sizes", fork(1, 7)),
        ("fork of other sizes", fork(1, 12)),
        ("equivocation", equivocation(&["m1", "c1", "c3"])),
        ("equivocation of one", equivocation(&["m2", "c2", "c3"])),
        ("equivocation across editions", across_editions()),
        ("two editions", two_editions(2)),
        ("two first editions", two_editions(1)),
        ("early admission", early_admission(|charter| charter.matching.max_distance = 31)),
        ("early admission of another order", early_admission(|charter| charter.curation.curators.swap(0, 1))),
        ("early admission of a key", early_admission(|charter| charter.purpose.exclusions.clear())),
    ];
    files.extend(breaches::all().into_iter().map(|proven| (proven.name, proven.evidence.to_text())));
    files
}

fn ours(file: impl AsRef<[u8]>, policy: &str) -> String {
    altered::verdict(file.as_ref(), policy)
}

/// What the other implementation says of these files, without its reasons: a line for each, whatever they hold.
fn theirs(files: &[impl AsRef<[u8]>], trust: &str, folder: &Path) -> Vec<String> {
    let policy = folder.join("policy");
    std::fs::write(&policy, trust).unwrap();
    let paths: Vec<_> = (0..files.len()).map(|number| folder.join(format!("{number}.json"))).collect();
    for (path, file) in paths.iter().zip(files) {
        std::fs::write(path, file).unwrap();
    }
    let output = Command::new("python3").arg(SCRIPT).arg(policy).args(paths).output().expect("python3 is there");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.stderr.ends_with(NO_POLICY) {
        return vec!["refused".to_owned(); files.len()];
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let word = |line: &str| if line.starts_with("refused") { "refused".to_owned() } else { line.to_owned() };
    let said: Vec<String> = said.lines().map(word).collect();
    assert_eq!(said.len(), files.len());
    said
}

#[test]
fn both_implementations_say_the_same_of_what_is_true() {
    if !python_is_here() {
        return eprintln!("not checked: python3 lacks the package `cryptography`");
    }
    let (trust, folder) = (World::founded().trust_text(), tempfile::tempdir().unwrap());
    let files = files();
    let texts: Vec<String> = files.iter().map(|(_, text)| text.clone()).collect();
    for ((name, text), theirs) in files.iter().zip(theirs(&texts, &trust, folder.path())) {
        assert!(theirs.starts_with("ok"), "{name}: {theirs}");
        assert_eq!(theirs, ours(text, &trust), "{name}");
    }
}

/// At the end of what honest clocks may differ by, each implementation draws the line at the same second.
#[test]
fn both_implementations_forgive_clocks_the_same() {
    judged_the_same(breaches::by_clocks());
}

/// A log that admits statements of a later format, or what is none of any.
#[test]
fn both_implementations_take_the_same_for_no_statement() {
    judged_the_same(breaches::by_form());
}

fn judged_the_same(files: Vec<breaches::Proven>) {
    if !python_is_here() {
        return eprintln!("not checked: python3 lacks the package `cryptography`");
    }
    let (trust, folder) = (World::founded().trust_text(), tempfile::tempdir().unwrap());
    let texts: Vec<String> = files.iter().map(|proven| proven.evidence.to_text()).collect();
    for ((proven, text), theirs) in files.iter().zip(&texts).zip(theirs(&texts, &trust, folder.path())) {
        let expected = if proven.by.is_empty() { "refused".into() } else { format!("ok {}", proven.by.join(" ")) };
        assert_eq!(theirs, ours(text, &trust), "{}", proven.name);
        let names: Vec<&str> = theirs.split(' ').filter(|word| !word.starts_with('(')).collect();
        assert_eq!(names.join(" "), expected, "{}", proven.name);
    }
}

/// The witnesses of the files were replaced when the log had so many entries.
#[test]
fn both_implementations_say_the_same_where_witnesses_were_replaced() {
    if !python_is_here() {
        return eprintln!("not checked: python3 lacks the package `cryptography`");
    }
    let (world, folder) = (World::founded(), tempfile::tempdir().unwrap());
    let files = files();
    let texts: Vec<String> = files.iter().map(|(_, text)| text.clone()).collect();
    let mut verdicts = BTreeSet::new();
    for entries in [0, 1, 2, 3, 4, 100] {
        let trust = world.later_trust_text(entries);
        for ((name, text), theirs) in files.iter().zip(theirs(&texts, &trust, folder.path())) {
            assert_eq!(theirs, ours(text, &trust), "{name}, {entries}");
            verdicts.insert((*name, theirs.starts_with("ok")));
        }
    }
    assert!(verdicts.contains(&("receipt", true)) && verdicts.contains(&("receipt", false)));
    assert!(
        !verdicts.contains(&("early admission", true)),
        "its earlier checkpoint is from before the present witness"
    );
}

/// A receipt as the command writes it, under gzip.
#[test]
fn a_compressed_receipt_is_the_same_to_both() {
    if !python_is_here() {
        return eprintln!("not checked: python3 lacks the package `cryptography`");
    }
    let (world, folder) = (World::founded(), tempfile::tempdir().unwrap());
    let receipt = Receipt::parse(receipt().as_bytes()).unwrap();
    assert_eq!(Receipt::parse(&receipt.to_file()).unwrap(), receipt);
    let (policy, file) = (folder.path().join("policy"), folder.path().join("receipt.json.gz"));
    std::fs::write(&policy, world.trust_text()).unwrap();
    std::fs::write(&file, receipt.to_file()).unwrap();
    let output = Command::new("python3").arg(SCRIPT).arg(policy).arg(file).output().expect("python3 is there");
    assert!(output.stdout.starts_with(b"ok"), "{output:?}");
}

/// One letter or digit is changed, in many places of each file. What is true afterwards, both must say.
#[test]
fn both_implementations_refuse_what_was_changed() {
    if !python_is_here() {
        return eprintln!("not checked: python3 lacks the package `cryptography`");
    }
    let (trust, folder) = (World::founded().trust_text(), tempfile::tempdir().unwrap());
    for (name, text) in files() {
        let places: Vec<usize> =
            text.char_indices().filter(|(_, letter)| letter.is_ascii_alphanumeric()).map(|(at, _)| at).collect();
        let changed: Vec<String> = places.iter().step_by(places.len() / 60 + 1).map(|at| change(&text, *at)).collect();
        let verdicts = theirs(&changed, &trust, folder.path());
        let mut refused = 0;
        for (changed, theirs) in changed.iter().zip(verdicts) {
            let ours = ours(changed, &trust);
            refused += usize::from(ours == "refused");
            assert_eq!(theirs, ours, "{name}\n{changed}");
        }
        // A fork needs no cosignatures, so what stands in their lines may be anything.
        assert!(refused * 10 > changed.len() * 4, "{name}: only {refused} of {} were refused", changed.len());
    }
}

/// The same content in other bytes, damage under gzip, and what is too large: of each, one line that refuses it.
#[test]
fn both_implementations_refuse_other_forms() {
    if !python_is_here() {
        return eprintln!("not checked: python3 lacks the package `cryptography`");
    }
    let (trust, folder) = (World::founded().trust_text(), tempfile::tempdir().unwrap());
    let files = files();
    let mut others = forms::damaged(&files[0].1, &files[1].1);
    others.push(("a proof of hashes of other lengths", forms::honest_log().into_bytes()));
    others.extend(files.iter().flat_map(|(_, text)| forms::others(text)));
    let bytes: Vec<&Vec<u8>> = others.iter().map(|(_, bytes)| bytes).collect();
    for ((name, bytes), theirs) in others.iter().zip(theirs(&bytes, &trust, folder.path())) {
        let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
        assert_eq!((theirs, ours(bytes, &trust)), ("refused".into(), "refused".into()), "{name}: {}", shown());
    }
}

/// A fork rests on the log's lines alone; what else stands under its checkpoints is nothing to either.
#[test]
fn both_implementations_ignore_idle_lines_of_a_fork() {
    if !python_is_here() {
        return eprintln!("not checked: python3 lacks the package `cryptography`");
    }
    let (trust, folder) = (World::founded().trust_text(), tempfile::tempdir().unwrap());
    let files = forms::idle_lines(&fork(1, 7));
    let texts: Vec<&String> = files.iter().map(|(_, text, _)| text).collect();
    for ((name, text, holds), theirs) in files.iter().zip(theirs(&texts, &trust, folder.path())) {
        let expected = if *holds {
            format!("ok {}", isonomy_tests::people::key(LOG).verifier().called())
        } else {
            "refused".into()
        };
        assert_eq!((theirs, ours(text, &trust)), (expected.clone(), expected), "{name}");
    }
}

/// What is signed, logged and cosigned as it should be, and says what no statement, key or checkpoint may say, or just may.
#[test]
fn both_implementations_know_the_values_that_are_allowed() {
    if !python_is_here() {
        return eprintln!("not checked: python3 lacks the package `cryptography`");
    }
    let (trust, folder) = (World::founded().trust_text(), tempfile::tempdir().unwrap());
    let files = altered::named();
    let bytes: Vec<&Vec<u8>> = files.iter().map(|(_, bytes, _)| bytes).collect();
    for ((name, bytes, holds), theirs) in files.iter().zip(theirs(&bytes, &trust, folder.path())) {
        let found = (ours(bytes, &trust).starts_with("ok"), theirs.starts_with("ok"));
        assert_eq!(found, (*holds, *holds), "{name}: {}", String::from_utf8_lossy(bytes));
    }
}

/// Each value of each statement is another one, in many ways.
#[test]
fn both_implementations_allow_the_same_values() {
    agree(&altered::every());
}

/// Snapshots and deltas that a release names, bent in many ways.
#[test]
fn both_implementations_read_the_same_objects() {
    agree(&altered::contents());
}

fn agree(files: &[altered::Altered]) {
    if !python_is_here() {
        return eprintln!("not checked: python3 lacks the package `cryptography`");
    }
    let (trust, folder) = (World::founded().trust_text(), tempfile::tempdir().unwrap());
    let bytes: Vec<&Vec<u8>> = files.iter().map(|(_, bytes)| bytes).collect();
    let verdicts: Vec<String> = bytes.iter().map(|bytes| ours(bytes, &trust)).collect();
    let differ: Vec<String> = files
        .iter()
        .zip(&verdicts)
        .zip(theirs(&bytes, &trust, folder.path()))
        .filter(|((_, ours), theirs)| **ours != *theirs)
        .map(|(((name, _), ours), theirs)| format!("{name}: {ours}, and the other one says {theirs}"))
        .collect();
    assert_eq!(differ, [""; 0], "of {}", files.len());
    let held = verdicts.iter().filter(|verdict| verdict.starts_with("ok")).count();
    assert!(held > files.len() / 20 && held < files.len(), "{held} of {} hold", files.len());
}

#[test]
fn both_implementations_read_the_same_policies() {
    if !python_is_here() {
        return eprintln!("not checked: python3 lacks the package `cryptography`");
    }
    let folder = tempfile::tempdir().unwrap();
    // One file of each way to come from a checkpoint to a log and its witnesses.
    let files = [
        ("receipt", receipt()),
        ("fork", fork(1, 7)),
        ("equivocation", equivocation(&["m1", "c1", "c3"])),
        ("two editions", two_editions(2)),
        ("early admission", early_admission(|charter| charter.matching.max_distance = 31)),
        ("too few curators", breaches::all().remove(0).evidence.to_text()),
    ];
    let texts: Vec<&String> = files.iter().map(|(_, text)| text).collect();
    let mut held = BTreeSet::new();
    for (policy, text) in altered::policies() {
        for ((name, file), theirs) in files.iter().zip(theirs(&texts, &text, folder.path())) {
            let ours = ours(file, &text);
            assert_eq!(theirs, ours, "{policy}: {name}");
            held.insert((policy, ours.starts_with("ok")));
        }
    }
    let some = held.iter().filter(|(_, holds)| *holds).count();
    assert!(some > 15 && held.len() > some + 30, "{some} of {} policies are of use", held.len());
}

fn change(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = match bytes[at] {
        b'9' => b'1',
        b'z' => b'a',
        b'Z' => b'A',
        other => other + 1,
    };
    String::from_utf8(bytes).unwrap()
}
