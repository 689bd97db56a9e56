//! The second implementation of verification, in a real browser: `monitor/src/page/verify.js` must say of every file what
//! the first one says, of whole ones and of such with a changed byte. With `ISONOMY_REQUIRE_BROWSER` set, there must be a
//! browser.

use isonomy_core::bundle::{Bundle, MAX_BUNDLE_SIZE};
use isonomy_core::charter::Charter;
use isonomy_core::encoding::to_base64;
use isonomy_core::hash::StatementId;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::statement::{Signed, Statement};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_matcher::{Fingerprint, Matcher, Receipt, Verdict};
use isonomy_tests::altered::{self, verdict};
use isonomy_tests::breaches::{self, Proven};
use isonomy_tests::client::Client;
use isonomy_tests::forms;
use isonomy_tests::people::{LOG, SIGNERS, at, curator, hash, hashes, key, sign, sign_charter};
use isonomy_tests::world::{Draft, World};
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::InLog;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = include_str!("../../monitor/src/page/verify.js");
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Files for the browser to check.
#[derive(Serialize)]
struct Case {
    name: String,
    files: Vec<File>,
    policy: String,
}

#[derive(Clone, Serialize)]
struct File {
    name: String,
    base64: String,
}

/// What the browser says.
#[derive(Deserialize, Debug)]
struct Answer {
    ok: bool,
    #[serde(default)]
    checked: bool,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    says: Vec<String>,
}

fn file(name: &str, bytes: &[u8]) -> File {
    File { name: name.into(), base64: to_base64(bytes) }
}

fn case(name: impl Into<String>, world: &World, files: Vec<File>) -> Case {
    Case { name: name.into(), files, policy: world.trust_text() }
}

/// Has a browser check the cases. It loads them from here and brings the answers back here; `None` without a browser.
fn ask(cases: &[Case]) -> Option<Vec<Answer>> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let profile = tempfile::tempdir().unwrap();
    let Some(mut browser) = start(profile.path(), &url) else {
        assert!(std::env::var_os("ISONOMY_REQUIRE_BROWSER").is_none(), "no browser is installed");
        return None;
    };
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><script>{SCRIPT}</script><script>(async () => {{
            const cases = await (await fetch('/cases')).json();
            const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
            const answers = [];
            for (const {{ files, policy }} of cases) {{
                answers.push(await Isonomy.verify(files.map((file) => ({{ name: file.name, bytes: bytes(file.base64) }})), policy));
            }}
            await fetch('/answers', {{ method: 'POST', body: JSON.stringify(answers) }});
        }})();</script>"
    );
    let answers = serve(&listener, page.as_bytes(), &serde_json::to_vec(cases).unwrap());
    browser.kill().unwrap();
    browser.wait().unwrap();
    let answers: Vec<Answer> = serde_json::from_slice(&answers).unwrap();
    assert_eq!(answers.len(), cases.len());
    Some(answers)
}

fn start(profile: &std::path::Path, url: &str) -> Option<Child> {
    let flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
    let profile = format!("--user-data-dir={}", profile.display());
    BROWSERS.iter().find_map(|name| {
        let mut command = Command::new(name);
        command.args(flags).args([&profile, url]).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().ok()
    })
}

/// Answers requests until the answers come, and gives these.
fn serve(listener: &TcpListener, page: &[u8], cases: &[u8]) -> Vec<u8> {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let (head, body) = request(&stream);
        let (media, answer) = match head.split(' ').nth(1) {
            Some("/") => ("text/html", page),
            Some("/cases") => ("application/json", cases),
            _ => ("text/plain", &b""[..]),
        };
        let length = answer.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        .and_then(|()| stream.write_all(answer))
        .unwrap_or_default();
        if head.starts_with("POST /answers ") {
            return body;
        }
    }
    Vec::new()
}

fn request(stream: &TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    for line in reader.by_ref().lines() {
        let Ok(line) = line else { break };
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
        head.push('\n');
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

/// A log with a release, whose list a client has.
fn published() -> (World, Receipt) {
    let mut world = World::founded();
    world.release(hashes(0..100), 100);
    world.publish(100);
    world.cosign(2, &[(1, 105), (2, 106)]);
    let list = Client::of(&world).update(&world, 106).unwrap().list;
    let fingerprint =
        Fingerprint { algorithm: isonomy_core::list::Algorithm::PdqFull, hash: hash(7).to_vec(), quality: Some(80) };
    let answer = Matcher::new(list).unwrap().look_up(&fingerprint, at(106));
    let Verdict::Matched(mut matches) = answer.verdict else { panic!("{:?}", answer.verdict) };
    (world, matches.remove(0).receipt.make().unwrap())
}

fn two_versions() -> World {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    let draft = world.draft(hashes(0..12), 200);
    let mut other = draft.clone();
    other.release.expires = at(500);
    world.log(draft, &SIGNERS);
    world.log(other, &["m1", "c2", "c3"]);
    world.publish(200);
    world.publish(205);
    world
}

/// One piece of evidence of each kind, as clients make them.
fn evidence() -> Vec<(World, Evidence)> {
    let world = two_versions();
    let ids: Vec<_> = world.releases().map(|release| release.id()).collect();
    let mut shown = world.clone();
    shown.offer_only(&ids[1..2]);
    let mut client = Client::of(&shown);
    client.update(&shown, 205).unwrap();
    shown.offer_only(&ids[2..]);
    let twice = client.version_from(&shown, 205).unwrap_err().evidence().cloned().unwrap();

    let mut other = world.fork(2);
    let Draft { release, content } = other.draft(hashes(50..60), 150);
    other.log(Draft { release, content }, &SIGNERS);
    other.release(hashes(50..61), 250);
    other.publish(250);
    let mut client = Client::of(&world);
    client.update(&world, 205).unwrap();
    let fork = client.version_from(&other, 250).unwrap_err().evidence().cloned().unwrap();

    let mut widened = World::founded();
    widened.release(hashes(0..10), 100);
    widened.publish(100);
    widened.publish(105);
    let mut client = Client::of(&widened);
    client.update(&widened, 105).unwrap();
    widened.publish(900);
    client.update(&widened, 900).unwrap();
    widened.edition(|charter| charter.matching.max_distance = 31);
    widened.publish(1000);
    widened.release(hashes(0..12), 2000);
    widened.publish(2000);
    widened.publish(2005);
    let early = client.version_from(&widened, 2005).unwrap_err().evidence().cloned().unwrap();
    let (across, editions) = two_texts();
    vec![(world.clone(), twice), (world, fork), (widened, early), across, editions]
}

/// Two texts for version 1 under two editions; and two for edition 2, the second of which adds a curator.
fn two_texts() -> ((World, Evidence), (World, Evidence)) {
    let mut world = World::founded();
    let first = world.charters().next().unwrap().id();
    let one = world.draft(hashes(0..10), 100);
    let mut other = world.draft(hashes(0..12), 110);
    let one = world.log(one, &SIGNERS);
    let narrow = world.amended(|charter| charter.matching.max_distance = 20);
    let adding = world.amended(|charter| charter.curation.curators.push(curator("c4", "NL")));
    let narrow = world.append(sign_charter(&narrow));
    other.release.charter = narrow;
    let other = world.log(other, &SIGNERS);
    let adding = world.append(sign_charter(&adding));
    world.publish(200);
    let charter = |id: &StatementId| world.statement(id).clone().into_charter().unwrap();
    let release = |id: &StatementId| world.statement(id).clone().into_release().unwrap();
    let [of_first, of_narrow, of_adding] = [first, narrow, adding].map(|id| (charter(&id), world.proof(&id)));
    let [of_one, of_other] = [one, other].map(|id| (release(&id), world.proof(&id)));
    let across =
        Evidence::equivocation_across((in_log(&of_first), in_log(&of_one)), (in_log(&of_narrow), in_log(&of_other)));
    let editions = Evidence::two_editions(Some(in_log(&of_first)), in_log(&of_narrow), in_log(&of_adding));
    ((world.clone(), across), (world, editions))
}

fn in_log<T>((statement, proof): &(Signed<T>, TlogProof)) -> InLog<'_, T> {
    InLog { statement, proof }
}

/// Whether bytes prove something about a log.
type Check = Box<dyn Fn(&World, &[u8]) -> bool>;

/// A kind of file with the first implementation's verdict on it.
struct Kind {
    name: &'static str,
    world: World,
    text: Vec<u8>,
    beside: Vec<File>,
    holds: Check,
}

impl Kind {
    /// From one changed byte to the next. Prime; large where many files are of one kind.
    fn step(&self) -> usize {
        match self.text.len() {
            _ if self.text.starts_with(b"{\n  \"evidence\": \"isonomy/inadmissible/v1\"") => 401,
            0..=3000 => 13,
            _ => 37,
        }
    }
}

fn kinds() -> Vec<Kind> {
    let (world, receipt) = published();
    let by_receipt = |world: &World, bytes: &[u8]| {
        Receipt::parse(bytes).and_then(|receipt| receipt.verify(&world.trust(), None)).is_ok()
    };
    let release = world.releases().next().unwrap().id();
    let note = world.statement(&release).to_bytes();
    let beside = vec![file("release.note", &note)];
    let by_proof = move |world: &World, bytes: &[u8]| {
        TlogProof::parse(bytes).and_then(|proof| proof.verify(&note, key(LOG).verifier(), &world.trust())).is_ok()
    };
    let proof = world.seen_proof(&release).to_bytes();
    let mut kinds = vec![
        Kind {
            name: "receipt",
            world: world.clone(),
            text: receipt.to_text().into(),
            beside: vec![],
            holds: Box::new(by_receipt),
        },
        Kind {
            name: "receipt under gzip",
            world: world.clone(),
            text: receipt.to_file(),
            beside: vec![],
            holds: Box::new(by_receipt),
        },
        Kind { name: "proof", world: world.clone(), text: proof, beside, holds: Box::new(by_proof) },
        bundle(world),
    ];
    let names = ["equivocation", "fork", "early admission", "equivocation across editions", "two editions"];
    for (name, (world, found)) in names.into_iter().zip(evidence()) {
        let holds = |world: &World, bytes: &[u8]| {
            Evidence::parse(bytes).and_then(|evidence| evidence.verify(&world.trust())).is_ok()
        };
        kinds.push(Kind { name, world, text: found.to_text().into(), beside: vec![], holds: Box::new(holds) });
    }
    // What holds whole lists, the page refuses to judge.
    let admitted = breaches::all().into_iter().filter(|proven| !matches!(proven.evidence, Evidence::WrongContent(_)));
    for Proven { name, world, evidence, .. } in admitted {
        let holds = |world: &World, bytes: &[u8]| {
            Evidence::parse(bytes).and_then(|evidence| evidence.verify(&world.trust())).is_ok()
        };
        kinds.push(Kind { name, world, text: evidence.to_text().into(), beside: vec![], holds: Box::new(holds) });
    }
    kinds
}

/// A bundle holds if its checkpoint is signed and cosigned, and everything in it is proven.
fn bundle(world: World) -> Kind {
    let statements: Vec<Statement> = {
        let charters = world.charters().map(|charter| Statement::Charter(charter.clone()));
        charters.chain(world.releases().map(|release| Statement::Release(release.clone()))).collect()
    };
    let beside = statements.iter().enumerate().map(|(at, one)| file(&format!("{at}.note"), &one.to_bytes())).collect();
    let holds = move |world: &World, bytes: &[u8]| {
        let Ok(bundle) = Bundle::parse(bytes) else { return false };
        let signed = bundle.checkpoint.verify_log(key(LOG).verifier()).is_ok();
        let times = world.trust().checkpoint_times(bundle.checkpoint.note());
        let proven = |included: &isonomy_core::bundle::Included| {
            let statement = statements.iter().find(|statement| statement.id() == included.id);
            statement.is_some_and(|statement| included.verify(&statement.to_bytes(), &bundle.checkpoint).is_ok())
        };
        let of_list = bundle.list == isonomy_tests::people::list();
        let cited = |included: &isonomy_core::bundle::Included| {
            let release = world.statement(&included.id).clone().into_release();
            release.is_some_and(|release| bundle.charters.iter().any(|one| one.id == release.body().charter))
        };
        signed
            && matches!(times, Ok(Some(_)))
            && of_list
            && bundle.charters.iter().chain(&bundle.releases).chain(&bundle.attestations).all(proven)
            && bundle.releases.iter().all(cited)
            && !(bundle.charters.is_empty() && bundle.releases.is_empty())
    };
    let text = world.bundle().to_bytes();
    Kind { name: "bundle", world, text, beside, holds: Box::new(holds) }
}

#[test]
fn both_implementations_agree_on_every_file_and_on_every_changed_byte() {
    let (mut cases, mut expected) = (Vec::new(), Vec::new());
    let kinds = kinds();
    for kind in &kinds {
        let files = |text: &[u8]| [vec![file(kind.name, text)], kind.beside.clone()].concat();
        assert!((kind.holds)(&kind.world, &kind.text), "{}", kind.name);
        cases.push(case(kind.name, &kind.world, files(&kind.text)));
        expected.push(true);
        // A prime step, so that each kind of line is hit at many places.
        for place in (0..kind.text.len()).step_by(kind.step()) {
            let mut text = kind.text.clone();
            text[place] ^= 1 << (place % 5);
            cases.push(case(format!("{}, byte {place}", kind.name), &kind.world, files(&text)));
            expected.push((kind.holds)(&kind.world, &text));
        }
    }
    let Some(answers) = ask(&cases) else { return };
    let differ: Vec<String> = cases
        .iter()
        .zip(&expected)
        .zip(&answers)
        .filter(|((_, expected), answer)| answer.ok != **expected || answer.reason.contains("this program failed"))
        .map(|((case, expected), answer)| format!("{}: expected {expected}, found {answer:?}", case.name))
        .collect();
    assert_eq!(differ, [""; 0], "of {}", cases.len());
    assert!(expected.iter().filter(|holds| !**holds).count() * 10 > expected.len() * 6, "most changes matter");
}

/// The same content in other bytes, damage under gzip, what is too large, and lines that are nothing to a fork.
#[test]
fn both_implementations_say_the_same_of_other_forms() {
    let kinds = kinds();
    let text = |kind: &Kind| String::from_utf8(kind.text.clone()).unwrap();
    let named = |name: &str| kinds.iter().find(|kind| kind.name == name).unwrap();
    let (receipt, fork) = (named("receipt"), named("fork"));
    let mut files: Vec<(&Kind, String, Vec<u8>, bool)> = Vec::new();
    for kind in kinds.iter().filter(|kind| kind.text.starts_with(b"{")) {
        files.extend(forms::others(&text(kind)).into_iter().map(|(name, bytes)| (kind, name.into(), bytes, false)));
    }
    let damaged = forms::damaged(&text(receipt), &text(fork)).into_iter();
    files.extend(damaged.map(|(name, bytes)| (receipt, name.into(), bytes, false)));
    files.push((fork, "hashes of other lengths".into(), forms::honest_log().into_bytes(), false));
    let idle = forms::idle_lines(&text(fork)).into_iter();
    files.extend(idle.map(|(name, text, holds)| (fork, name.into(), text.into_bytes(), holds)));
    let cases: Vec<Case> = files
        .iter()
        .map(|(kind, name, bytes, holds)| {
            assert_eq!((kind.holds)(&kind.world, bytes), *holds, "{}, {name}", kind.name);
            case(format!("{}, {name}", kind.name), &kind.world, vec![file(name, bytes)])
        })
        .collect();
    let Some(answers) = ask(&cases) else { return };
    for ((case, (.., holds)), answer) in cases.iter().zip(&files).zip(&answers) {
        let is_sound = answer.ok == *holds && !answer.reason.contains("this program failed");
        assert!(is_sound, "{}: {answer:?}", case.name);
    }
}

#[test]
fn each_kind_of_tampering_is_refused_for_its_reason() {
    let (world, receipt) = published();
    let text = receipt.to_text();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} in {text}");
        text.replacen(from, to, 1)
    };
    let trust = world.trust_text();
    let entry = to_base64(&hash(7));
    let other = to_base64(&hash(8));
    let line = |name: &str| {
        let line = text.lines().find(|line| line.contains(&format!("\u{2014} {name} "))).unwrap().trim();
        line.trim_end_matches(',').to_owned()
    };
    let receipt_of = |text: String| vec![file("receipt", text.as_bytes())];
    let note = |id| file("note", &world.statement(&id).to_bytes());
    let (charter, release) = (world.charters().next().unwrap().id(), world.releases().next().unwrap().id());
    let proof = file("proof", &world.seen_proof(&release).to_bytes());
    let stranger = sign("no statement of the bundle\n", &["m1"]).to_bytes();
    // Two witnesses signed the newest checkpoint; without one of them there is no quorum.
    let without_witness = text.replacen(&format!(",\n    {}", line("witness.example/2")), "", 1);
    let table: Vec<(Vec<File>, String, &str)> = vec![
        (
            receipt_of(changed(&entry, &other)),
            trust.clone(),
            "the entry in the list: the proof does not lead to the root",
        ),
        (receipt_of(changed("\"entry_index\": ", "\"entry_index\": 1")), trust.clone(), "the entry in the list"),
        (receipt_of(changed("\"release_index\": 1", "\"release_index\": 0")), trust.clone(), "the release in the log"),
        (
            receipt_of(changed("\"release_index\": 1", "\"release_index\": 9")),
            trust.clone(),
            "there is no place 9 among 2",
        ),
        (receipt_of(changed("\\\"entries\\\": 100", "\\\"entries\\\": 101")), trust.clone(), "the release in the log"),
        (receipt_of(changed("\\\"threshold\\\": 2", "\\\"threshold\\\": 1")), trust.clone(), "the charter in the log"),
        (
            receipt_of(changed("    \"log.example/isonomy\",\n    \"2\"", "    \"log.example/isonomy\",\n    \"3\"")),
            trust.clone(),
            "the log\u{2019}s signature on the checkpoint is wrong",
        ),
        (receipt_of(without_witness), trust.clone(), "1 of 3 witnesses cosigned the checkpoint, which is no quorum"),
        (
            receipt_of(text.replace("  \"receipt\"", " \"receipt\"")),
            trust.clone(),
            "not in the one form that it may have",
        ),
        (receipt_of(changed("\"receipt\": ", "\"other\": 1,\n  \"receipt\": ")), trust.clone(), "has not the fields"),
        (
            receipt_of(text.clone()),
            trust.replace("log log.example/isonomy+", "log log.example/other+"),
            "does not belong to it",
        ),
        (receipt_of(text.clone()), trust.replace("quorum two", "quorum none"), "asks for no witness"),
        (
            receipt_of(text.clone()),
            trust.replace("group two 2", "group two 3"),
            "2 of 3 witnesses cosigned the checkpoint",
        ),
        (vec![proof.clone(), note(charter)], trust.clone(), "note in the log: the proof does not lead to the root"),
        (vec![proof], trust.clone(), "add the entry that it is about"),
        (vec![file("bundle", &world.bundle().to_bytes()), note(charter)], trust.clone(), "add that statement"),
        (
            vec![file("bundle", &world.bundle().to_bytes()), note(charter), note(release), file("x", &stranger)],
            trust.clone(),
            "x is none of the statements of the bundle",
        ),
        (
            vec![file("good", text.as_bytes()), file("bad", changed(&entry, &other).as_bytes())],
            trust.clone(),
            "choose good alone",
        ),
        (vec![file("good", text.as_bytes()), note(release)], trust.clone(), "choose good alone"),
        (vec![file("x", b"nothing")], trust.clone(), "none of the files is a receipt"),
        (vec![file("x", &[0xff, 0xfe])], trust.clone(), "is not text"),
        (vec![], trust.clone(), "choose a file first"),
    ];
    let cases: Vec<Case> = table
        .iter()
        .map(|(files, policy, name)| Case { name: (*name).into(), files: files.clone(), policy: policy.clone() })
        .collect();
    let Some(answers) = ask(&cases) else { return };
    for ((_, _, reason), answer) in table.iter().zip(&answers) {
        assert!(!answer.ok && answer.reason.contains(reason), "{reason}: {answer:?}");
    }
}

/// Editions that are no second text for one, or that lack somebody's consent: neither implementation takes them.
#[test]
fn what_proves_no_second_edition_is_refused_by_both() {
    let mut world = World::founded();
    let first = world.charters().next().unwrap().clone();
    let next = |before: &Signed<Charter>, distance| {
        let mut next = Charter { edition: before.body().edition + 1, ..before.body().clone() };
        (next.previous, next.matching.max_distance) = (Some(before.id()), distance);
        next
    };
    let by =
        |charter: &Charter, names: &[&str]| Statement::from_note(sign(&charter.to_text().unwrap(), names)).unwrap();
    let mut adding = next(&first, 19);
    adding.curation.curators.push(curator("c4", "NL"));
    let ids = [
        world.append(sign_charter(&next(&first, 23))),
        world.append(sign_charter(&next(&first, 22))),
        world.append(by(&next(&first, 21), &["m1"])),
        world.append(by(&next(&first, 20), &["c1", "c2", "c3"])),
        world.append(by(&adding, &["m1", "c1", "c2", "c3"])),
        world.append(by(&next(&first, 18), &["m1", "c1", "c3", "stranger"])),
    ];
    let third = next(&world.statement(&ids[0]).clone().into_charter().unwrap(), 17);
    let third = world.append(sign_charter(&third));
    world.publish(100);
    let editions: Vec<(Signed<Charter>, TlogProof)> = [first.id()]
        .into_iter()
        .chain(ids)
        .chain([third])
        .map(|id| (world.statement(&id).clone().into_charter().unwrap(), world.proof(&id)))
        .collect();
    let at = |place: usize| in_log(&editions[place]);
    let table = [
        ("it is one", Some(0), 1, 2),
        ("the maintainer alone has signed", Some(0), 1, 3),
        ("the maintainer has not signed", Some(0), 4, 1),
        ("who is added has not signed", Some(0), 1, 5),
        ("who else has signed is not known to be a stranger", Some(0), 6, 1),
        ("one text", Some(0), 1, 1),
        ("one follows the other", Some(0), 1, 7),
        ("not the edition before", Some(2), 1, 2),
        ("no edition before", None, 1, 2),
        ("the first edition has none before", Some(0), 0, 1),
    ];
    // A line by somebody else may be by a key of an edition that is not at hand; no log admits any other.
    let holds = |name: &str| matches!(name, "it is one" | "who else has signed is not known to be a stranger");
    let cases: Vec<Case> = table
        .iter()
        .map(|(name, before, one, other)| {
            let evidence = Evidence::two_editions(before.map(at), at(*one), at(*other));
            assert_eq!(evidence.verify(&world.trust()).is_ok(), holds(name), "{name}");
            case(*name, &world, vec![file(name, evidence.to_text().as_bytes())])
        })
        .collect();
    let Some(answers) = ask(&cases) else { return };
    for ((name, ..), answer) in table.iter().zip(&answers) {
        assert_eq!(answer.ok, holds(name), "{name}: {answer:?}");
        assert!(!answer.reason.contains("this program failed"), "{name}: {answer:?}");
    }
}

/// What holds whole lists, and what is of a later kind, is not judged by the page, and not called wrong.
#[test]
fn what_is_not_checked_is_not_called_worthless() {
    let whole =
        breaches::all().into_iter().find(|proven| matches!(proven.evidence, Evidence::WrongContent(_))).unwrap();
    let text = whole.evidence.to_text();
    let later = text.replace("isonomy/wrong-content/v1", "isonomy/wrong-content/v2");
    let broken = text.replace("isonomy/wrong-content/v1", "isonomy/fork/v1");
    let cases: Vec<Case> = [text, later, broken]
        .iter()
        .map(|text| case("evidence", &whole.world, vec![file("evidence", text.as_bytes())]))
        .collect();
    let Some(answers) = ask(&cases) else { return };
    let said: Vec<_> = answers.iter().map(|answer| (answer.ok, answer.checked)).collect();
    assert_eq!(said, [(false, false), (false, false), (false, true)], "{answers:?}");
}

/// It is none of what is judged here, and nothing is wrong with it.
#[test]
fn a_trace_is_not_called_broken() {
    let text = "{\n  \"trace\": \"isonomy/trace/v1\",\n  \"list\": \"hotline.example/images\"\n}\n";
    let packed = text.replace([' ', '\n'], "");
    let world = World::founded();
    let cases = [text, &packed].map(|text| case("trace", &world, vec![file("trace", text.as_bytes())]));
    let Some(answers) = ask(&cases) else { return };
    for answer in answers {
        assert!(
            !answer.ok && !answer.checked && answer.reason.contains("isonomy monitor trace --verify"),
            "{answer:?}"
        );
    }
}

/// One file of evidence alone.
fn proven_case(proven: &breaches::Proven) -> Case {
    case(proven.name, &proven.world, vec![file(proven.name, proven.evidence.to_text().as_bytes())])
}

/// A log that admits statements of a later format, or what is none of any: each implementation convicts it of the same.
#[test]
fn both_implementations_take_the_same_for_no_statement() {
    let files = breaches::by_form();
    let cases: Vec<Case> = files.iter().map(proven_case).collect();
    let Some(answers) = ask(&cases) else { return };
    for (proven, answer) in files.iter().zip(&answers) {
        assert_eq!(answer.ok, !proven.by.is_empty(), "{}: {answer:?}", proven.name);
    }
}

/// At the end of what honest clocks may differ by, each implementation draws the line at the same second.
#[test]
fn both_implementations_forgive_clocks_the_same() {
    let files = breaches::by_clocks();
    let cases: Vec<Case> = files.iter().map(proven_case).collect();
    let Some(answers) = ask(&cases) else { return };
    for (proven, answer) in files.iter().zip(&answers) {
        let says = answer.says.join(" ");
        assert!(proven.by.iter().all(|name| says.contains(name)), "{}: {answer:?}", proven.name);
        assert_eq!(answer.ok, !proven.by.is_empty(), "{}: {answer:?}", proven.name);
        assert_eq!(says.contains("m1"), proven.by.contains(&"m1"), "{}: {answer:?}", proven.name);
    }
}

/// The witnesses of the files were replaced when the log had so many entries.
#[test]
fn both_implementations_agree_where_witnesses_were_replaced() {
    let (mut cases, mut expected) = (Vec::new(), Vec::new());
    let (world, receipt) = published();
    let evidence = evidence();
    for entries in [0, 1, 2, 3, 100] {
        let mut add = |name: String, world: &World, text: String, holds: &dyn Fn(&TlogPolicy) -> bool| {
            let policy = world.later_trust_text(entries);
            expected.push(holds(&TlogPolicy::parse(policy.as_bytes()).unwrap()));
            cases.push(Case { files: vec![file(&name, text.as_bytes())], name, policy });
        };
        add(format!("receipt, {entries}"), &world, receipt.to_text(), &|policy| receipt.verify(policy, None).is_ok());
        for (number, (world, evidence)) in evidence.iter().enumerate() {
            let holds = |policy: &TlogPolicy| evidence.verify(policy).is_ok();
            add(format!("evidence {number}, {entries}"), world, evidence.to_text(), &holds);
        }
    }
    let Some(answers) = ask(&cases) else { return };
    for ((case, expected), answer) in cases.iter().zip(&expected).zip(&answers) {
        assert_eq!(answer.ok, *expected, "{}: {answer:?}", case.name);
    }
    assert!(expected.contains(&true) && expected.contains(&false));
}

/// What is signed, logged and cosigned as it should be, and says what no statement, key or checkpoint may say, or just may; and
/// each value of each statement, changed in many ways.
#[test]
fn both_implementations_allow_the_same_values() {
    let world = World::founded();
    let named = altered::named().into_iter().map(|(name, bytes, _)| (name.to_owned(), bytes));
    let files: Vec<(String, Vec<u8>)> = named.chain(altered::every()).collect();
    agree(files.iter().map(|(name, bytes)| case(name, &world, vec![file(name, bytes)])).collect(), &files);
}

/// Policies that are read, and such as are not, for a receipt and each kind of evidence.
#[test]
fn both_implementations_read_the_same_policies() {
    let (_, receipt) = published();
    let of_receipt = ("receipt".to_owned(), receipt.to_text().into_bytes());
    let of_evidence = evidence().into_iter().enumerate();
    let of_evidence = of_evidence.map(|(at, (_, one))| (format!("evidence {at}"), one.to_text().into_bytes()));
    let known: Vec<(String, Vec<u8>)> = [of_receipt].into_iter().chain(of_evidence).collect();
    let (mut cases, mut files) = (Vec::new(), Vec::new());
    for (policy, text) in altered::policies() {
        for (name, bytes) in &known {
            cases.push(Case {
                name: format!("{policy}: {name}"),
                files: vec![file(name, bytes)],
                policy: text.clone(),
            });
            files.push((name.clone(), bytes.clone()));
        }
    }
    agree(cases, &files);
}

/// A bundle that names one release thousands of times, and one with more bytes than a bundle may have.
#[test]
fn both_implementations_take_large_bundles_and_no_larger_ones() {
    let Kind { world, text, beside, holds, .. } = bundle(published().0);
    let small = Bundle::parse(&text).unwrap();
    let of_count = |count| Bundle { releases: vec![small.releases[0].clone(); count], ..small.clone() }.to_bytes();
    let one = of_count(2).len() - of_count(1).len();
    let [large, most] = [600 << 10, MAX_BUNDLE_SIZE].map(|size| of_count(size / one + 1));
    assert!(large.len() > 512 << 10 && most.len() > MAX_BUNDLE_SIZE, "{}, {}", large.len(), most.len());
    let cases =
        [&large, &most].map(|text| case("bundle", &world, [vec![file("bundle", text)], beside.clone()].concat()));
    let Some(answers) = ask(&cases) else { return };
    let found = answers.iter().zip([&large, &most]).map(|(answer, text)| (answer.ok, holds(&world, text)));
    assert_eq!(found.collect::<Vec<_>>(), [(true, true), (false, false)]);
}

/// Has the browser check one file in each case, and compares.
fn agree(cases: Vec<Case>, files: &[(String, Vec<u8>)]) {
    let Some(answers) = ask(&cases) else { return };
    let mut held = 0;
    let mut differ = Vec::new();
    for ((case, (_, bytes)), answer) in cases.iter().zip(files).zip(&answers) {
        let holds = verdict(bytes, &case.policy).starts_with("ok");
        held += usize::from(holds);
        if answer.ok != holds || answer.reason.contains("this program failed") {
            differ.push(format!("{}: expected {holds}, found {answer:?}", case.name));
        }
    }
    assert_eq!(differ, [""; 0], "of {}", cases.len());
    assert!((cases.len() / 20..cases.len() / 2).contains(&held), "{held} of {} hold", cases.len());
}

#[test]
fn what_holds_is_said_in_sentences() {
    let cases: Vec<Case> = kinds()
        .iter()
        .map(|kind| case(kind.name, &kind.world, [vec![file(kind.name, &kind.text)], kind.beside.clone()].concat()))
        .collect();
    let Some(answers) = ask(&cases) else { return };
    let said: Vec<String> = answers.iter().map(|answer| answer.says.join(" ")).collect();
    // Two keys may have one name.
    let called = |name: &str| isonomy_tests::people::key(name).verifier().called();
    let log = called("log.example/isonomy");
    for (at, words) in [
        (0, "stands in version 1 of hotline.example/images. That version was endorsed by c1 (DE), c3 (FR)."),
        (0, "2 of 3 witnesses have cosigned it"),
        (2, "release.note is entry 1 of the log log.example/isonomy."),
        (3, "Version 1 is in the log and endorsed as its charter asks: 100 entries"),
        (
            4,
            &format!(
                "{}, {} signed two texts for version 2 of hotline.example/images. The log {log} has both.",
                called("m1"),
                called("c3")
            ),
        ),
        (5, &format!("The log {log} signed two histories")),
        (6, "under edition 2, which was public for at most 1100 s of the notice of 3600 s."),
        (
            7,
            &format!(
                "{}, {}, {} signed two texts for version 1 of hotline.example/images.",
                called("m1"),
                called("c1"),
                called("c3")
            ),
        ),
        (8, &format!("The log {log} admitted two texts for edition 2 of the charter of hotline.example/images.")),
    ] {
        assert!(said[at].contains(words), "{words}: {}", said[at]);
    }
}
