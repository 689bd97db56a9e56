//! Matches and their receipts: what a person is told, and what a third person can check years later, offline.

use isonomy_core::encoding::to_base64;
use isonomy_core::json;
use isonomy_core::list::Algorithm;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::statement::{ListName, Statement};
use isonomy_matcher::receipt::{MAX_RECEIPT_SIZE, ReceiptError};
use isonomy_matcher::{Answer, Fingerprint, Match, Matcher, NotCovered, Receipt, Verdict};
use isonomy_tests::client::Client;
use isonomy_tests::people::{SIGNERS, at, hash, hashes, key, sign};
use isonomy_tests::world::{World, cosigned};
use isonomy_verifier::{Freshness, Policy, VerifiedList};
use serde::{Deserialize, Serialize};

/// The number of the entry that is matched.
const ENTRY: u64 = 7;

/// A log with version 1 of a list with so many entries, cosigned by two of the witnesses, which are the quorum.
fn published(entries: u64) -> (World, VerifiedList) {
    let mut world = World::founded_with(|charter| {
        charter.limits.max_entries = 1_000_000;
        charter.limits.max_added = 1_000_000;
    });
    world.release(hashes(0..entries), 100);
    world.publish(100);
    world.cosign(2, &[(1, 105), (2, 106)]);
    let list = Client::of(&world).update(&world, 106).unwrap().list;
    (world, list)
}

/// The hash of entry [`ENTRY`] with so many bits turned.
fn near(distance: usize) -> Vec<u8> {
    let mut hash = hash(ENTRY).to_vec();
    (0..distance).for_each(|bit| hash[bit * 37 / 8 % 32] ^= 1 << (bit * 37 % 8));
    hash
}

fn fingerprint(hash: Vec<u8>) -> Fingerprint {
    Fingerprint { algorithm: Algorithm::PdqFull, hash, quality: Some(80) }
}

fn look_up(list: &VerifiedList, hash: Vec<u8>) -> Answer {
    Matcher::new(list.clone()).unwrap().look_up(&fingerprint(hash), at(106))
}

fn only_match(answer: Answer) -> Match {
    let Verdict::Matched(matches) = answer.verdict else { panic!("{:?}", answer.verdict) };
    let [only] = <[Match; 1]>::try_from(matches).unwrap();
    only
}

fn receipt(list: &VerifiedList) -> Receipt {
    only_match(look_up(list, near(3))).receipt.make().unwrap()
}

#[test]
fn a_match_says_how_near_it_is_and_what_it_may_lead_to() {
    let (_, list) = published(100);
    let answer = look_up(&list, near(3));
    assert_eq!((answer.version, answer.freshness), (1, Freshness::Fresh { checkpoint_age: 1 }));
    let notice = answer.notice().unwrap().to_string();
    for words in [
        "hotline.example/images",
        "Test pictures.",
        "3 of 256 marks of it differ",
        "complaints@hotline.example",
        "24 hours",
    ] {
        assert!(notice.contains(words), "{notice}");
    }
    let found = only_match(answer);
    assert_eq!((found.entry, found.distance, found.action), (hash(ENTRY).to_vec(), 3, list.charter().action.most));
}

#[test]
fn a_match_is_within_the_charter_s_distance() {
    let (_, list) = published(100);
    assert_eq!(only_match(look_up(&list, near(24))).distance, 24);
    let answer = look_up(&list, near(25));
    assert!(matches!(answer.verdict, Verdict::NotMatched), "{:?}", answer.verdict);
    assert_eq!(answer.notice(), None);
}

#[test]
fn a_list_that_can_not_answer_says_so() {
    let (_, list) = published(100);
    let matcher = Matcher::new(list).unwrap();
    let why = |fingerprint: Fingerprint, clock: u64| match matcher.look_up(&fingerprint, at(clock)).verdict {
        Verdict::NotCovered(why) => why,
        other => panic!("{other:?}"),
    };
    let good = fingerprint(near(0));
    assert_eq!(why(good.clone(), 86_500), NotCovered::Expired { since: at(86_500) });
    let blurred = Fingerprint { quality: Some(49), ..good.clone() };
    assert_eq!(why(blurred, 106), NotCovered::QualityTooLow { quality: 49, least: 50 });
    let other = Fingerprint { algorithm: Algorithm::Sha256, ..good.clone() };
    assert_eq!(why(other, 106), NotCovered::OtherAlgorithm { list: Algorithm::PdqFull, found: Algorithm::Sha256 });
    let short = Fingerprint { hash: vec![1; 16], ..good.clone() };
    assert_eq!(why(short, 106), NotCovered::WrongLength { found: 16 });
    let unknown_quality = Fingerprint { quality: None, ..good };
    assert!(matches!(matcher.look_up(&unknown_quality, at(106)).verdict, Verdict::Matched(_)));
}

#[test]
fn a_receipt_verifies_with_the_keys_alone_with_and_without_the_picture_s_hash() {
    let (world, list) = published(100);
    let file = receipt(&list).to_text();
    assert!(!file.contains(&isonomy_core::encoding::to_base64(&near(3))), "the picture's hash is not in it");
    let receipt = Receipt::parse(file.as_bytes()).unwrap();
    let proven = receipt.verify(&world.trust(), None).unwrap();
    assert_eq!((&proven.entry[..], proven.distance), (&hash(ENTRY)[..], None));
    assert_eq!((proven.times.earliest, proven.times.latest), (at(106), at(105)));
    assert_eq!(proven.release.id(), list.accepted().release);
    assert_eq!(proven.charter.id(), list.accepted().charter);
    let with = |hash: &[u8]| receipt.verify(&world.trust(), Some(hash)).map(|proven| proven.distance);
    assert_eq!(with(&near(0)), Ok(Some(0)));
    assert_eq!(with(&near(24)), Ok(Some(24)));
    assert_eq!(with(&near(25)), Err(ReceiptError::NoMatch { distance: 25, most: 24 }));
    assert_eq!(with(&near(0)[..16]), Err(ReceiptError::WrongHash { found: 16, expected: 32 }));
}

#[test]
fn a_receipt_is_worth_nothing_to_who_trusts_others() {
    let (world, list) = published(100);
    let receipt = receipt(&list);
    let with = |from: &str, to: &str| {
        let text = world.trust_text();
        assert!(text.contains(from));
        receipt.verify(&TlogPolicy::parse(text.replace(from, to).as_bytes()).unwrap(), None)
    };
    let (log, other) =
        (key("log.example/isonomy").verifier().to_string(), key("log.example/other").verifier().to_string());
    for (from, to) in [(&log[..], &other[..]), ("group two 2", "group two 3"), ("quorum two", "quorum none")] {
        assert!(matches!(with(from, to), Err(ReceiptError::Unproven(_))), "{to}");
    }
}

/// Before an app writes a receipt, it holds it against its own policy: a receipt that is sound under another one is not its
/// receipt.
#[test]
fn a_receipt_is_held_against_the_app_s_own_policy() {
    let (world, list) = published(100);
    let receipt = receipt(&list);
    assert!(receipt.verify_for(list.policy()).is_ok() && receipt.verify(&world.trust(), None).is_ok());
    let under = |from: &str, to: &str| {
        let text = world.policy_text();
        assert!(text.contains(from), "{from}");
        receipt.verify_for(&Policy::parse(text.replace(from, to).as_bytes()).unwrap()).unwrap_err()
    };
    let (log, other) =
        (key("log.example/isonomy").verifier().to_string(), key("log.example/other").verifier().to_string());
    let list_name = ("hotline.example/images", "hotline.example/others");
    for (from, to) in [(&log[..], &other[..]), ("group two 2", "group two 3"), list_name] {
        assert!(matches!(under(from, to), ReceiptError::Unproven(_)), "{to}");
    }
    for (from, to) in [("min_curators = 2", "min_curators = 3"), ("[\"other\"]", "[\"csam-known\"]")] {
        assert!(matches!(under(from, to), ReceiptError::NotAccepted(_)), "{to}");
    }
}

#[test]
fn a_receipt_outlasts_its_witnesses_where_the_policy_remembers_these() {
    let (world, list) = published(100);
    let receipt = receipt(&list);
    let verify = |entries| {
        let policy = TlogPolicy::parse(world.later_trust_text(entries).as_bytes()).unwrap();
        receipt.verify(&policy, None).map(|proven| proven.times)
    };
    assert_eq!(verify(2).unwrap(), receipt.verify(&world.trust(), None).unwrap().times);
    let error = verify(1).unwrap_err().to_string();
    assert!(error.contains("too few witnesses"), "{error}");
}

#[test]
fn a_receipt_is_small() {
    let (world, list) = published(100_000);
    let receipt = receipt(&list);
    let text = receipt.to_text();
    assert!(receipt.verify(&world.trust(), Some(&near(0))).is_ok());
    assert_eq!(Receipt::parse(&receipt.to_file()), Ok(receipt.clone()));
    // A list and a log of 2^24 entries each. Version 128 has eight deltas, and only one version in 256 has more.
    let size = |deltas: u32| beside_the_charter(&text, deltas);
    assert!(size(1) <= 3584, "{} bytes", size(1));
    assert!(size(8) <= 4096, "{} bytes", size(8));
    assert!(size(11) <= 4352, "{} bytes", size(11));
}

/// Bytes of a receipt's file without its charter, if list and log had 2^24 entries each and the release so many deltas.
fn beside_the_charter(text: &str, deltas: u32) -> usize {
    let mut fields: Fields = json::decode(text).unwrap();
    let mut noise = (0u64..).flat_map(|number| isonomy_matcher::digest::sha256(&number.to_be_bytes()));
    let mut base64 = |hashes: usize| to_base64(&noise.by_ref().take(32 * hashes).collect::<Vec<u8>>());
    (fields.entry_path, fields.release_path, fields.charter_path) = (base64(24), base64(24), base64(24));
    (fields.entry_index, fields.release_index, fields.charter_index) = (9_876_543, 16_777_000, 12_345_678);
    let place = fields.release.iter().position(|line| line.contains("deltas")).unwrap() + 1;
    for power in 0..deltas {
        let (from, release, sha256) = (2048 - (1 << power), base64(1), base64(1));
        let delta = format!(
            "    {{\n      \"from\": {from},\n      \"release\": \"{release}\",\n      \"size\": 123456,\n      \"sha256\": \"{sha256}\"\n    }},"
        );
        fields.release.splice(place..place, delta.lines().map(str::to_owned));
    }
    fields.charter.clear();
    Receipt::parse(json::encode(&fields).unwrap().as_bytes()).unwrap().to_file().len()
}

#[test]
fn a_receipt_under_gzip_is_whole_and_alone() {
    let (_, list) = published(100);
    let receipt = receipt(&list);
    let file = receipt.to_file();
    for cut in 1..file.len() {
        assert!(matches!(Receipt::parse(&file[..cut]), Err(ReceiptError::Malformed(_))), "{cut}");
    }
    for place in 4..file.len() {
        let mut changed = file.clone();
        changed[place] ^= 1;
        // The time and the system in the header mean nothing.
        assert!(
            Receipt::parse(&changed).is_ok_and(|changed| changed == receipt) == (4..10).contains(&place),
            "{place}"
        );
    }
    for after in [&b"\0"[..], &file] {
        assert!(matches!(Receipt::parse(&[&file, after].concat()), Err(ReceiptError::Malformed(_))));
    }
    // A bomb: it says little and holds much.
    let (zeros, mut bomb) = (vec![b' '; 100 << 20], Vec::new());
    let mut encoder = flate2::read::GzEncoder::new(&zeros[..], flate2::Compression::best());
    std::io::Read::read_to_end(&mut encoder, &mut bomb).unwrap();
    assert!(bomb.len() < MAX_RECEIPT_SIZE);
    assert!(matches!(Receipt::parse(&bomb), Err(ReceiptError::Malformed(problem)) if problem.contains("larger")));
}

/// The fields of a receipt, to be changed.
#[derive(Clone, Serialize, Deserialize)]
struct Fields {
    receipt: String,
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

fn lines(text: impl ToString) -> Vec<String> {
    text.to_string().lines().map(Into::into).collect()
}

/// Another character of base64 in the middle of `text`.
fn flip(text: &mut String) {
    let at = text.len() / 2;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    text.replace_range(at..=at, other);
}

fn swap_in(line: &mut String, from: &str, to: &str) {
    assert!(line.contains(from), "{line}");
    *line = line.replace(from, to);
}

/// What is changed, and a word of the refusal.
type Change = (&'static str, fn(&mut Fields, &World), &'static str);

#[rustfmt::skip]
const CHANGES: &[Change] = &[
    ("the mark",                        |f, _| f.receipt = "isonomy/receipt/v2".into(),            "not a receipt"),
    ("the entry",                       |f, _| flip(&mut f.entry),                                 "root"),
    ("the entry, to another of the list", |f, _| f.entry = isonomy_core::encoding::to_base64(&hash(ENTRY + 1)), "root"),
    ("the entry, to no base64",         |f, _| f.entry = "?".into(),                               "base64"),
    ("the entry, to a shorter one",     |f, _| f.entry.replace_range(.., "AAAA"),                  "algorithm"),
    ("the entry's place",               |f, _| f.entry_index ^= 1,                                 "root"),
    ("the entry's place, beyond the list", |f, _| f.entry_index = 100,                             "no leaf"),
    ("the entry's path",                |f, _| flip(&mut f.entry_path),                            "root"),
    ("the entry's path, cut",           |f, _| f.entry_path.clear(),                               "hashes"),
    ("the entry's path, to no base64",  |f, _| f.entry_path.push('?'),                             "base64"),
    ("the entry's path, to half a hash", |f, _| f.entry_path = "AAAA".into(),                      "row of hashes"),
    ("the release",                     |f, _| swap_in(&mut f.release[3], "1", "2"),               "root"),
    ("a signature of the release",      |f, _| flip(f.release.last_mut().unwrap()),                "root"),
    ("a signature less",                |f, _| f.release.truncate(f.release.len() - 1),            "root"),
    ("the release, to the charter",     |f, _| (f.release, f.release_index, f.release_path) = (f.charter.clone(), f.charter_index, f.charter_path.clone()), "not a release"),
    ("the release's place",             |f, _| f.release_index = 0,                                "root"),
    ("the release's path",              |f, _| flip(&mut f.release_path),                          "root"),
    ("the charter",                     |f, _| swap_in(&mut f.charter[4], "1", "2"),               "root"),
    ("a signature of the charter",      |f, _| flip(f.charter.last_mut().unwrap()),                "root"),
    ("the charter, to the release",     |f, _| (f.charter, f.charter_index, f.charter_path) = (f.release.clone(), f.release_index, f.release_path.clone()), "not a charter"),
    ("the charter's place",             |f, _| f.charter_index = 1,                                "root"),
    ("the charter's path",              |f, _| flip(&mut f.charter_path),                          "root"),
    ("the log's name",                  |f, _| f.checkpoint[0].push('2'),                          "signed by a log"),
    ("the size of the tree",            |f, _| f.checkpoint[1] = "3".into(),                       "signed by a log"),
    ("the root of the tree",            |f, _| flip(&mut f.checkpoint[2]),                         "signed by a log"),
    ("the log's signature",             |f, _| flip(&mut f.checkpoint[4]),                         "signed by a log"),
    ("no signature of the log",         |f, _| drop(f.checkpoint.remove(4)),                       "signed by a log"),
    ("a cosignature",                   |f, _| flip(&mut f.checkpoint[5]),                         "wrong"),
    ("a cosignature less",              |f, _| drop(f.checkpoint.remove(5)),                       "too few witnesses"),
    ("the checkpoint, to an older one", |f, w| f.checkpoint = lines(cosigned(&w.checkpoint(1), &[(1, 105), (2, 105)])), "no leaf"),
];

#[test]
fn every_changed_field_is_refused() {
    let (world, list) = published(100);
    let fields: Fields = json::decode(&receipt(&list).to_text()).unwrap();
    for (name, change, words) in CHANGES {
        let mut fields = fields.clone();
        change(&mut fields, &world);
        let receipt = Receipt::parse(json::encode(&fields).unwrap().as_bytes());
        let error = receipt.and_then(|receipt| receipt.verify(&world.trust(), None)).map(|proven| proven.times);
        let error = error.expect_err(name).to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
}

#[test]
fn a_changed_byte_never_proves_anything_else() {
    let (world, list) = published(100);
    let (receipt, trust) = (receipt(&list), world.trust());
    let (text, proven) = (receipt.to_text().into_bytes(), receipt.verify(&world.trust(), None).unwrap());
    for at in (0..text.len()).step_by(3) {
        let mut text = text.clone();
        text[at] ^= 1 << (at % 7);
        let found = Receipt::parse(&text).and_then(|receipt| receipt.verify(&trust, None));
        assert!(found.is_err() || found == Ok(proven.clone()), "byte {at}");
    }
    assert!(matches!(Receipt::parse(&vec![b' '; MAX_RECEIPT_SIZE + 1]), Err(ReceiptError::Malformed(_))));
}

/// A log that breaks its rules may hold statements that prove nothing together.
#[test]
fn statements_that_do_not_belong_together_are_no_receipt() {
    let (world, list) = published(100);
    let good: Fields = json::decode(&receipt(&list).to_text()).unwrap();
    let release = list.release().clone();
    let signed = |release: &isonomy_core::release::Release, signers: &[&str]| {
        Statement::from_note(sign(&release.to_text().unwrap(), signers)).unwrap()
    };
    let mut other_list = release.clone();
    other_list.list = ListName::new("other.example/list").unwrap();
    let mut other_charter = release.clone();
    other_charter.charter = isonomy_core::hash::StatementId([9; 32]);
    let mut later = release.clone();
    later.expires = at(500);
    for (name, statement, words) in [
        ("another list's release", signed(&other_list, &SIGNERS), "charter of its list"),
        ("a release under another charter", signed(&other_charter, &SIGNERS), "charter of its list"),
        ("a release that too few signed", signed(&later, &["m1", "c1"]), "of the 2 curators"),
        ("a release that a stranger signed", signed(&later, &["m1", "c1", "c3", "stranger"]), "stranger"),
    ] {
        let mut world = world.clone();
        let id = world.append(statement);
        world.cosign(world.size(), &[(1, 200), (2, 200)]);
        let (release, charter) = (world.proof(&id), world.proof(&list.accepted().charter));
        let fields = Fields {
            release: lines(world.statement(&id).note()),
            release_index: release.index.0,
            release_path: path(&release),
            charter_path: path(&charter),
            checkpoint: lines(&release.checkpoint),
            ..good.clone()
        };
        let receipt = Receipt::parse(json::encode(&fields).unwrap().as_bytes()).unwrap();
        let error = receipt.verify(&world.trust(), None).map(|proven| proven.times).expect_err(name).to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
}

#[test]
fn a_charter_that_was_logged_after_the_release_does_not_count() {
    let (honest, list) = published(100);
    let good: Fields = json::decode(&receipt(&list).to_text()).unwrap();
    let mut world = World::default();
    let release = world.append(honest.statement(&list.accepted().release).clone());
    let charter = world.append(honest.statement(&list.accepted().charter).clone());
    world.cosign(2, &[(1, 200), (2, 200)]);
    let (release, charter) = (world.proof(&release), world.proof(&charter));
    let fields = Fields {
        release_index: release.index.0,
        release_path: path(&release),
        charter_index: charter.index.0,
        charter_path: path(&charter),
        checkpoint: lines(&release.checkpoint),
        ..good
    };
    let receipt = Receipt::parse(json::encode(&fields).unwrap().as_bytes()).unwrap();
    let error = receipt.verify(&world.trust(), None).map(|proven| proven.times).unwrap_err().to_string();
    assert!(error.contains("logged before"), "{error}");
}

fn path(proof: &isonomy_core::tlog_proof::TlogProof) -> String {
    let bytes: Vec<u8> = proof.path.iter().flat_map(|hash| hash.0).collect();
    isonomy_core::encoding::to_base64(&bytes)
}
