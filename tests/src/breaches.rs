//! What a log can admit against the rules, each with the evidence that proves it, and who answers for it.

use crate::people::{LOG, SIGNERS, at, charter, hashes, key, sign};
use crate::world::{Draft, World, cosigned};
use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::{ListRoot, RootHash, StatementId};
use isonomy_core::json::Lines;
use isonomy_core::list::delta;
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{LeafIndex, TreeSize, leaf_hash};
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::{
    Base, Bytes, EarlyAdmission, InLog, Inadmissible, LoggedTwice, NotAStatement, WrongContent,
};

/// A breach, and the proof of it.
pub struct Proven {
    /// What it is.
    pub name: &'static str,
    /// The log that admitted it.
    pub world: World,
    /// The proof.
    pub evidence: Evidence,
    /// The keys that answer for it; none if it proves nothing.
    pub by: Vec<&'static str>,
}

/// The log, and those who signed.
pub const ALL: [&str; 4] = [LOG, "m1", "c1", "c3"];

/// That the log admitted the statement, with the charter that it builds on and another release.
pub fn inadmissible(
    world: &World,
    statement: &StatementId,
    charter: Option<&StatementId>,
    other: Option<&StatementId>,
) -> Evidence {
    let logged = |id: &StatementId| (Lines::of(world.statement(id).note()), Lines::of(world.proof(id)));
    let (statement, statement_proof) = logged(statement);
    let ((charter, charter_proof), (other, other_proof)) = (charter.map(logged).unzip(), other.map(logged).unzip());
    Evidence::Inadmissible(Box::new(Inadmissible {
        statement,
        statement_proof,
        charter,
        charter_proof,
        other,
        other_proof,
    }))
}

/// That the objects of the newest release are not what it says; with the delta from the version before, if that is asked
/// for.
pub fn wrong_content(world: &World, from: Option<u64>) -> Evidence {
    let release = world.releases().last().unwrap();
    let object = |reference: &ObjectRef| Bytes(world.get(&Resource::Object(reference.sha256)).unwrap());
    let logged = |id: &StatementId| (Lines::of(world.statement(id).note()), Lines::of(world.proof(id)));
    let (charter, charter_proof) = logged(&release.body().charter);
    let (lines, release_proof) = logged(&release.id());
    let base = from.map(|from| {
        let base = world.releases().find(|release| release.body().version == from).unwrap();
        let delta = release.body().deltas.iter().find(|delta| delta.from == from).unwrap();
        Base {
            release: Lines::of(base.note()),
            snapshot: object(&base.body().snapshot),
            delta: object(&ObjectRef { size: delta.size, sha256: delta.sha256 }),
        }
    });
    let snapshot = object(&release.body().snapshot);
    Evidence::WrongContent(Box::new(WrongContent {
        charter,
        charter_proof,
        release: lines,
        release_proof,
        snapshot,
        base,
    }))
}

/// What looks like a breach by its times alone, which convict nobody: a release that was composed after it was public.
pub fn composed_late() -> Proven {
    by_release("composed later than public", Vec::new(), &SIGNERS, |release| {
        (release.created, release.expires) = (release.created.plus(50), release.expires.plus(50));
    })
}

/// That the log admitted the release before the notice of the edition that it cites could be over, as `earlier`, which doesn't
/// hold that edition, shows.
pub fn early_admission(world: &World, release: &StatementId, earlier: &CheckpointNote) -> Evidence {
    let charter = |id: &StatementId| world.statement(id).clone().into_charter().unwrap();
    let cited = world.statement(release).clone().into_release().unwrap().body().charter;
    let edition = charter(&cited);
    let before = charter(&edition.body().previous.unwrap());
    Evidence::EarlyAdmission(Box::new(EarlyAdmission {
        before: Lines::of(before.note()),
        edition: Lines::of(edition.note()),
        edition_proof: Lines::of(world.proof(&cited)),
        release: Lines::of(world.statement(release).note()),
        release_proof: Lines::of(world.seen_proof(release)),
        earlier: Lines::of(earlier.note()),
    }))
}

/// What differs by one second, at the end of what honest clocks may differ by: a release so long after a checkpoint without
/// its edition, of a notice of an hour; and two texts for one version, of which the second is public so long after it was created.
pub fn by_clocks() -> Vec<Proven> {
    const DAY: u64 = 24 * 3600;
    vec![
        after("clearly within the notice", vec![LOG], 3600 - 121),
        after("within the notice by less than clocks may differ by", vec![], 3600 - 120),
        two_texts("two texts clearly within a day", vec!["m1", "c1", "c3"], DAY - 120),
        two_texts("two texts within a day by less than clocks may differ by", vec![LOG], DAY - 119),
    ]
}

/// Entries that are no statement that is known here: some are none of any version, and some may be of a later one.
pub fn by_form() -> Vec<Proven> {
    let signed = |kind: &str| {
        let text = format!("{{\n  \"statement\": \"{kind}\",\n  \"list\": \"hotline.example/images\"\n}}\n");
        sign(&text, &["m1"]).to_bytes()
    };
    let holding = |value: &str| {
        let text = format!("{{\n  \"statement\": \"isonomy/release/v2\",\n  \"new\": {value}\n}}\n");
        sign(&text, &["m1"]).to_bytes()
    };
    let deep = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
    let nested = |levels: usize| holding(&deep(levels));
    vec![
        entry("as deep as may be", vec![], nested(126)),
        entry("deeper than may be", vec![LOG], nested(127)),
        entry("much deeper", vec![LOG], nested(20_000)),
        entry("a large number", vec![], holding("-1e308")),
        entry("a number beyond doubles", vec![LOG], holding("[1e309]")),
        entry("an integer beyond doubles", vec![LOG], holding(&"9".repeat(400))),
        entry("no number", vec![LOG], holding("NaN")),
        entry("a pair of surrogates", vec![], holding("\"\\ud83d\\ude00\"")),
        entry("half a pair of surrogates", vec![LOG], holding("{ \"\\ud83d\": 1 }")),
        // What a later field of the same name hides is there all the same.
        entry("half a pair that is hidden", vec![LOG], holding("\"\\ud800\",\n  \"new\": 1")),
        entry("a hidden number beyond doubles", vec![LOG], holding("1e400,\n  \"new\": 1")),
        entry("hidden, and deeper than may be", vec![LOG], holding(&format!("{},\n  \"new\": 1", deep(130)))),
        entry("in a string, deeper than may be", vec![], holding(&format!("\"\\\"{}1e400\"", deep(130)))),
        entry("a hidden kind", vec![LOG], holding("1,\n  \"statement\": 1")),
        entry("no note", vec![LOG], b"nonsense\n".to_vec()),
        entry("another format", vec![LOG], signed("other/release/v1")),
        entry("no version", vec![LOG], signed("isonomy/release")),
        entry("a number that no version has", vec![LOG], signed("isonomy/release/v01")),
        entry("a later release", vec![], signed("isonomy/release/v2")),
        entry("another kind", vec![], signed("isonomy/seal/v1")),
        entry("a release that lacks fields", vec![], signed("isonomy/release/v1")),
    ]
}

/// A log whose one entry is this.
fn entry(name: &'static str, by: Vec<&'static str>, entry: Vec<u8>) -> Proven {
    let root = RootHash(leaf_hash(&entry).0);
    let checkpoint = Checkpoint { origin: LOG.into(), size: TreeSize(1), root, extensions: Vec::new() };
    let checkpoint = CheckpointNote::sign(checkpoint, &key(LOG)).unwrap();
    let checkpoint = cosigned(&checkpoint, &[(1, 100), (2, 100)]);
    let proof = TlogProof { extra: None, index: LeafIndex(0), path: Vec::new(), checkpoint };
    let evidence = Evidence::NotAStatement(NotAStatement { entry: Bytes(entry), proof: Lines::of(&proof) });
    Proven { name, world: World::founded(), evidence, by }
}

fn after(name: &'static str, by: Vec<&'static str>, seconds: u64) -> Proven {
    let mut world = World::founded();
    let earlier = cosigned(&world.checkpoint(1), &[(1, 900), (2, 900)]);
    world.edition(|charter| charter.matching.max_distance = 31);
    world.publish(1000);
    let release = world.release(hashes(0..10), 900 + seconds);
    world.publish(900 + seconds);
    let evidence = early_admission(&world, &release, &earlier);
    Proven { name, world, evidence, by }
}

fn two_texts(name: &'static str, by: Vec<&'static str>, seconds: u64) -> Proven {
    let mut world = World::founded();
    let (draft, other) = (world.draft(hashes(0..10), 100), world.draft(hashes(0..12), 200));
    let one = world.log(draft, &SIGNERS);
    world.publish(100);
    let two = world.log(other, &SIGNERS);
    world.publish(100 + seconds);
    let charter = world.charters().next().unwrap();
    let [first, second] = [one, two].map(|id| world.statement(&id).clone().into_release().unwrap());
    let evidence = Evidence::equivocation(
        InLog { statement: charter, proof: &world.proof(&charter.id()) },
        InLog { statement: &first, proof: &world.seen_proof(&one) },
        InLog { statement: &second, proof: &world.seen_proof(&two) },
    );
    Proven { name, world, evidence, by }
}

/// One of each kind that can be proven by a statement, and what it builds on.
pub fn all() -> Vec<Proven> {
    let mut all = vec![
        by_release("too few curators", [LOG].to_vec(), &["m1", "c1"], |_| ()),
        by_release("lines that don't count", [LOG].to_vec(), &["c1", "m1", "c3"], |_| ()),
        by_release("too many entries", ALL.to_vec(), &SIGNERS, |release| release.entries = 1001),
        by_release("valid for too long", ALL.to_vec(), &SIGNERS, |release| release.expires = release.expires.plus(1)),
        by_release("an impossible size", ALL.to_vec(), &SIGNERS, |release| release.snapshot.size += 1),
        by_release("another list", [LOG].to_vec(), &SIGNERS, |release| release.list = other_list()),
        beside("another predecessor", [LOG].to_vec(), |release| {
            (release.previous, release.deltas[0].release) = (Some(release.charter), release.charter);
        }),
        beside("composed before its predecessor", ALL.to_vec(), |release| {
            (release.created, release.expires) = (at(99), at(999));
        }),
        beside("too soon", ALL.to_vec(), |release| {
            (release.created, release.expires) = (at(130), at(999));
        }),
        by_edition("an amendment without consent", &["m1"], |_| ()),
        by_edition("a key that is added unasked", &SIGNERS, |charter| {
            charter.curation.curators.push(crate::people::curator("c4", "NL"));
        }),
        by_edition("an edition left out", &["m1", "c1", "c2", "c3"], |charter| charter.edition += 1),
        by_edition("an edition for another log", &["m1", "c1", "c2", "c3"], |charter| {
            charter.log = "log.example/other".into();
        }),
        first_edition(),
        attestation(),
        twice(),
        content("another root", None, |_, release| release.root = ListRoot([7; 32])),
        content("irregular entries", None, |_, release| release.irregular = 1),
        content("another count of what came", Some(1), |_, release| release.added += 1),
        content("a delta that leads elsewhere", Some(1), |world, release| {
            // To as many others, so that nothing but these tells.
            let elsewhere = delta::encode(&delta::diff(&hashes(0..10), &hashes((0..10).chain(20..22))).unwrap());
            let object = world.object(elsewhere);
            (release.deltas[0].size, release.deltas[0].sha256) = (object.size, object.sha256);
        }),
        content("a delta that is none", Some(1), |world, release| {
            let object = world.object(b"no delta".to_vec());
            (release.deltas[0].size, release.deltas[0].sha256) = (object.size, object.sha256);
        }),
        content("a snapshot that is none", None, |world, release| {
            let nonsense = vec![0; usize::try_from(release.snapshot.size).unwrap()];
            release.snapshot = world.object(nonsense);
        }),
    ];
    all.push(late_charter());
    all
}

fn other_list() -> ListName {
    ListName::new("other.example/images").unwrap()
}

/// A log with version 1, and version 2 as it should not be.
fn admitting(signers: &[&str], edit: impl FnOnce(&mut World, &mut Release)) -> (World, StatementId) {
    let mut world = World::with_release();
    let Draft { mut release, content } = world.draft(hashes(0..12), 200);
    edit(&mut world, &mut release);
    let id = world.log(Draft { release, content }, signers);
    world.publish(200);
    (world, id)
}

fn by_release(name: &'static str, by: Vec<&'static str>, signers: &[&str], edit: impl FnOnce(&mut Release)) -> Proven {
    let (world, id) = admitting(signers, |_, release| edit(release));
    let first = world.charters().next().unwrap().id();
    let evidence = inadmissible(&world, &id, Some(&first), None);
    Proven { name, world, evidence, by }
}

fn beside(name: &'static str, by: Vec<&'static str>, edit: impl FnOnce(&mut Release)) -> Proven {
    let (world, id) = admitting(&SIGNERS, |_, release| edit(release));
    let (first, one) = (world.charters().next().unwrap().id(), world.releases().next().unwrap().id());
    let evidence = inadmissible(&world, &id, Some(&first), Some(&one));
    Proven { name, world, evidence, by }
}

fn by_edition(name: &'static str, signers: &[&str], edit: impl FnOnce(&mut Charter)) -> Proven {
    let mut world = World::with_release();
    let first = world.charters().next().unwrap().id();
    let amended = world.amended(edit);
    let id = world.append(Statement::from_note(sign(&amended.to_text().unwrap(), signers)).unwrap());
    world.publish(200);
    let evidence = inadmissible(&world, &id, Some(&first), None);
    Proven { name, world, evidence, by: vec![LOG] }
}

fn first_edition() -> Proven {
    let mut world = World::with_release();
    let body = Charter { list: other_list(), ..charter() };
    let id = world.append(Statement::from_note(sign(&body.to_text().unwrap(), &SIGNERS)).unwrap());
    world.publish(200);
    let evidence = inadmissible(&world, &id, None, None);
    Proven { name: "a first edition without one of its curators", world, evidence, by: vec![LOG] }
}

fn attestation() -> Proven {
    let mut world = World::with_release();
    let release = world.releases().next().unwrap().id();
    let id = world.attest(&world.attestation("auditor", &release, 2), "somebody");
    world.publish(200);
    let evidence = inadmissible(&world, &id, None, None);
    Proven { name: "an attestation that its auditor did not sign", world, evidence, by: vec![LOG] }
}

fn twice() -> Proven {
    let mut world = World::with_release();
    let release = world.statements()[1].clone();
    world.append(release.clone());
    world.publish(200);
    let evidence = Evidence::LoggedTwice(Box::new(LoggedTwice {
        first: Lines::of(release.note()),
        first_proof: Lines::of(world.proof_at(1)),
        second: Lines::of(release.note()),
        second_proof: Lines::of(world.proof_at(2)),
    }));
    Proven { name: "a text logged twice", world, evidence, by: vec![LOG] }
}

fn content(name: &'static str, from: Option<u64>, edit: impl FnOnce(&mut World, &mut Release)) -> Proven {
    let (world, _) = admitting(&SIGNERS, edit);
    let evidence = wrong_content(&world, from);
    Proven { name, world, evidence, by: ALL.to_vec() }
}

/// A release that is logged before the charter that it cites.
fn late_charter() -> Proven {
    let mut world = World::with_release();
    let narrow = world.amended(|charter| charter.matching.max_distance = 20);
    let narrow = crate::people::sign_charter(&narrow);
    let Draft { mut release, content } = world.draft(hashes(0..12), 200);
    release.charter = narrow.id();
    let id = world.log(Draft { release, content }, &SIGNERS);
    let charter = world.append(narrow);
    world.publish(200);
    let evidence = inadmissible(&world, &id, Some(&charter), None);
    Proven { name: "a release before its charter", world, evidence, by: vec![LOG] }
}
