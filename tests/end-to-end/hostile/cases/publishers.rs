//! A maintainer, curators or both, with a log that admits whatever they sign.

use super::Verdict::{InForce, Malformed, Refused, Waits};
use super::{Case, Row, Verdict, What, served};
use crate::scene::{Scene, Start};
use isonomy_core::bundle::Included;
use isonomy_core::charter::{Charter, Jurisdiction, Surface};
use isonomy_core::hash::{ListRoot, StatementId};
use isonomy_core::list::{Algorithm, Entries, delta, snapshot};
use isonomy_core::note::Note;
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_core::statement::Statement;
use isonomy_core::tree::LeafIndex;
use isonomy_tests::people::{at, curator, hashes, key, sign, sign_charter};

const GROUP: &str = "Maintainer, curators, and a log that admits what they sign";

const fn breaks(code: &'static str, rule: u64) -> Verdict {
    Refused(code, Some(rule))
}

/// Version 2 as it is usually: public at 1000, visible at 1005.
fn publish(scene: &mut Scene) {
    scene.world.publish(1000);
    scene.world.publish(1010);
}

/// Logs version 2 with two entries more, changed by `edit`.
fn edited(scene: &mut Scene, edit: impl FnOnce(&mut Release)) {
    scene.world.release_with(hashes(0..12), 1000, edit);
    publish(scene);
}

/// Logs version 2, signed by these people.
fn signed(scene: &mut Scene, signers: &[&str]) {
    let draft = scene.world.draft(hashes(0..12), 1000);
    scene.world.log(draft, signers);
    publish(scene);
}

fn with_content(scene: &mut Scene, content: Entries, irregular: u64) {
    scene.world.release_with(content, 1000, |release| release.irregular = irregular);
    publish(scene);
}

/// The ten entries of version 1, and this one.
fn and_entry(entry: [u8; 32]) -> Entries {
    Entries::from_unsorted(32, [hashes(0..10).as_bytes(), &entry].concat()).expect("entries").0
}

fn with_delta(scene: &mut Scene, bytes: Vec<u8>) {
    let ObjectRef { size, sha256 } = scene.world.object(bytes);
    edited(scene, |release| {
        release.deltas[0].size = size;
        release.deltas[0].sha256 = sha256;
        release.snapshot.size = release.snapshot.size.max(size + 1);
    });
}

/// The delta from these entries to those.
fn delta_between(from: std::ops::Range<u64>, to: std::ops::Range<u64>) -> Vec<u8> {
    delta::encode(&delta::diff(&hashes(from), &hashes(to)).expect("a delta"))
}

/// A delta of few bytes that says that it removes and adds so many.
fn delta_that_says(removed: u32, added: u32) -> Vec<u8> {
    [&b"isodelt1\x20"[..], &10u32.to_be_bytes(), &removed.to_be_bytes(), &added.to_be_bytes(), &[0x80; 40]].concat()
}

fn narrow(charter: &mut Charter) {
    charter.matching.max_distance -= 1;
}

fn widen(charter: &mut Charter) {
    charter.matching.max_distance += 1;
}

/// Logs an edition 2 that is signed by these people.
fn edition_by(scene: &mut Scene, edit: fn(&mut Charter), signers: &[&str]) {
    let text = scene.world.amended(edit).to_text().expect("a charter");
    scene.world.append(Statement::from_note(sign(&text, signers)).expect("a statement"));
    scene.world.publish(1000);
}

fn edition(scene: &mut Scene, edit: fn(&mut Charter)) {
    scene.world.edition(edit);
    scene.world.publish(1000);
}

#[rustfmt::skip]
const SIGNATURES: &[Row] = &[
    ("signed-by-no-maintainer", "a release that no maintainer key signed", breaks("maintainer-missing", 2), |s| signed(s, &["c1", "c3"])),
    ("signed-by-one-curator", "a release that one curator of two signed", breaks("too-few-curators", 2), |s| signed(s, &["m1", "c1"])),
    ("signed-by-maintainer-alone", "a release that no curator signed", breaks("too-few-curators", 2), |s| signed(s, &["m1"])),
    ("signed-in-one-jurisdiction", "curators of one jurisdiction, where two are asked for", breaks("too-few-jurisdictions", 2), |s| signed(s, &["m1", "c1", "c2"])),
    ("signed-by-a-stranger-too", "a stranger's signature beside good ones", breaks("uncounted-signature", 2), |s| signed(s, &["m1", "c1", "c3", "stranger"])),
    ("signed-twice-by-one", "one curator twice", breaks("uncounted-signature", 2), |s| signed(s, &["m1", "c1", "c1"])),
    ("signed-out-of-order", "good signatures in another order: another note for one text", breaks("uncounted-signature", 2), |s| signed(s, &["c1", "m1", "c3"])),
    ("signed-another-text", "a curator's signature of another text", breaks("wrong-signature", 2), |s| {
        let draft = s.world.draft(hashes(0..12), 1000);
        let note = sign(&draft.release.to_text().expect("a text"), &["m1", "c1"]);
        let lines = [note.signatures(), &[key("c3").sign("another text\n")]].concat();
        let note = Note::new(note.text().into(), lines).expect("a note");
        s.world.append(Statement::from_note(note).expect("a statement"));
        publish(s);
    }),
    ("signed-by-second-maintainer-key", "the other maintainer key, the third curator", InForce(2), |s| signed(s, &["m2", "c2", "c3"])),
    ("signed-by-a-curator-the-app-ignores", "a curator that the app's policy does not count", Refused("policy", None), |s| {
        let known: Vec<String> = ["c1", "c2"].iter().map(|name| format!("\"{}\"", key(name).verifier())).collect();
        s.policy = s.policy.replace("curators = []", &format!("curators = [{}]", known.join(", ")));
        signed(s, &["m1", "c1", "c3"]);
    }),
];

#[rustfmt::skip]
const CHAIN: &[Row] = &[
    ("previous-other", "a release that cites another one as previous", breaks("previous-mismatch", 1), |s| edited(s, |r| { r.previous = Some(StatementId([9; 32])); r.deltas[0].release = StatementId([9; 32]); })),
    ("charter-unknown", "a release under a charter that nobody logged", breaks("unknown-charter", 1), |s| edited(s, |r| r.charter = StatementId([9; 32]))),
    ("charter-later", "a release under a charter that was logged after it", breaks("unknown-charter", 1), |s| {
        let later = sign_charter(&s.world.amended(narrow));
        s.world.release_with(hashes(0..12), 1000, |r| r.charter = later.id());
        s.world.append(later);
        publish(s);
    }),
    ("charter-superseded", "a release under an edition that a narrower one has replaced", breaks("superseded-edition", 1), |s| {
        s.world.edition(narrow);
        let old = s.world.charters().next().expect("one").id();
        edited(s, |r| r.charter = old);
    }),
    ("branch-of-before", "version 3 descends from another text of version 2 than the one in force", breaks("previous-mismatch", 1), |s| {
        let first = s.world.release(hashes(0..12), 1000);
        publish(s);
        let honest = s.update();
        assert_eq!(honest.exit, 0, "{honest:?}");
        let body = s.world.releases().last().expect("one").body().clone();
        let content = hashes(20..32);
        let object = s.world.object(snapshot::encode(&content));
        let other = Release { root: content.root(), snapshot: object, ..body };
        s.world.log(isonomy_tests::world::Draft { release: other, content }, &["m1", "c1", "c3"]);
        let third = s.world.release(hashes(20..34), 1100);
        s.world.publish(1100);
        s.world.publish(1110);
        assert_ne!(first, third);
        s.world.offer_only(&[third]);
    }),
    ("second-text", "another text for the version in force", Verdict::Proven("not-descended", Some(1)), |s| {
        let body = s.world.releases().last().expect("one").body().clone();
        let content = hashes(20..30);
        let object = s.world.object(snapshot::encode(&content));
        let other = Release { root: content.root(), snapshot: object, ..body };
        let second = s.world.log(isonomy_tests::world::Draft { release: other, content }, &["m1", "c1", "c3"]);
        publish(s);
        s.world.offer_only(&[second]);
    }),
];

#[rustfmt::skip]
const LIMITS: &[Row] = &[
    ("limit-entries", "more entries than the charter allows", breaks("over-limit", 7), |s| edited(s, |r| r.entries = 1001)),
    ("limit-added", "more additions than the charter allows", breaks("over-limit", 7), |s| edited(s, |r| { r.entries = 501; r.added = 501; })),
    ("limit-validity", "valid for longer than the charter allows", breaks("over-limit", 7), |s| edited(s, |r| r.expires = at(1000 + 86_401))),
    ("limit-interval", "it adds entries 59 seconds after the one in force did, where 60 are asked for", breaks("too-soon", 7), |s| { s.world.release(hashes(0..12), 159); publish(s) }),
    ("limit-interval-kept", "after 60", InForce(2), |s| { s.world.release(hashes(0..12), 160); publish(s) }),
    ("limit-interval-over-a-removal", "version 2 only removes; version 3 adds 59 seconds after version 1 did", breaks("too-soon", 7), |s| {
        s.world.release(hashes(0..9), 130);
        s.world.release(hashes(0..12), 159);
        publish(s);
    }),
    ("created-late", "created after it was public", breaks("created-late", 7), |s| edited(s, |r| r.created = at(1001))),
    ("created-far-ahead", "created in a hundred years", breaks("created-late", 7), |s| edited(s, |r| { r.created = at(3_153_600_000); r.expires = at(3_153_600_001); })),
    ("created-early", "created before the one in force", breaks("created-early", 7), |s| edited(s, |r| r.created = at(99))),
];

#[rustfmt::skip]
const CONTENT: &[Row] = &[
    ("content-entries", "another number of entries than it says", breaks("count-mismatch", 8), |s| edited(s, |r| r.entries += 1)),
    ("content-added", "another number of additions", breaks("count-mismatch", 8), |s| edited(s, |r| r.added = 1)),
    ("content-removed", "another number of removals", breaks("count-mismatch", 8), |s| edited(s, |r| r.removed = 1)),
    ("content-root", "another root", breaks("root-mismatch", 8), |s| edited(s, |r| r.root = ListRoot([7; 32]))),
    ("content-irregular-hidden", "an irregular hash that it does not count", breaks("count-mismatch", 8), |s| with_content(s, and_entry([0xff; 32]), 0)),
    ("content-irregular-claimed", "irregular hashes that are not there", breaks("count-mismatch", 8), |s| with_content(s, hashes(0..12), 1)),
    ("content-irregular-counted", "an irregular hash, counted in public", InForce(2), |s| with_content(s, and_entry([0xff; 32]), 1)),
    ("content-all-zero", "the hash that matches every blank picture", breaks("forbidden-entry", 8), |s| with_content(s, and_entry([0; 32]), 1)),
    ("delta-arbitrary", "signed bytes that are no delta", breaks("undecodable", 8), |s| with_delta(s, b"not a delta".to_vec())),
    ("delta-empty", "an empty object", breaks("undecodable", 8), |s| with_delta(s, Vec::new())),
    ("delta-from-another-length", "a delta from a list of another length", breaks("undecodable", 8), |s| with_delta(s, delta_between(0..9, 0..12))),
    ("delta-to-another-list", "a delta to another list of that length", breaks("root-mismatch", 8), |s| with_delta(s, delta_between(0..10, 1..13))),
    ("delta-to-a-shorter-list", "a delta to a list of another length", breaks("count-mismatch", 8), |s| with_delta(s, delta_between(0..10, 0..11))),
    ("rice-bomb-added", "57 bytes that add four billion hashes", breaks("undecodable", 8), |s| with_delta(s, delta_that_says(0, u32::MAX))),
    ("rice-bomb-removed", "57 bytes that remove four billion hashes", breaks("undecodable", 8), |s| with_delta(s, delta_that_says(u32::MAX, 0))),
    ("rice-bomb-both", "57 bytes that do both", breaks("undecodable", 8), |s| with_delta(s, delta_that_says(u32::MAX, u32::MAX))),
    ("rice-bomb-snapshot", "a snapshot of 4 PB, for ten hashes", breaks("count-mismatch", 8), |s| edited(s, |r| { r.snapshot.size = 1 << 52; r.deltas[0].size = 1 << 52; })),
];

#[rustfmt::skip]
const EDITIONS: &[Row] = &[
    ("edition-left-out", "edition 3 follows edition 1", breaks("not-contiguous", 1), |s| { s.world.append(sign_charter(&s.world.amended(|c| c.edition = 3))); s.world.publish(1000) }),
    ("edition-previous-other", "an edition that cites another one as previous", breaks("previous-mismatch", 1), |s| { s.world.append(sign_charter(&s.world.amended(|c| c.previous = Some(StatementId([9; 32]))))); s.world.publish(1000) }),
    ("edition-of-another-log", "an edition that counts in another log", breaks("other-log", 1), |s| edition(s, |c| c.log = "other.example/log".into())),
    ("edition-key-twice", "one key stands there as two curators", Malformed(What::Statement), |s| {
        let text = s.world.amended(|_| ()).to_text().expect("text");
        let twice = text.replace(&key("c2").verifier().to_string(), &key("c1").verifier().to_string());
        let (id, note) = (StatementId::of(&twice), sign(&twice, &["m1", "c1", "c3"]));
        s.world.serve(Resource::Statement(id), note.to_bytes());
        s.world.edit_bundle(|bundle| bundle.charters.push(Included { id, index: LeafIndex(9), path: Vec::new() }));
    }),
    ("edition-two-texts", "two texts for edition 2", breaks("equivocation", 1), |s| {
        let other = sign_charter(&s.world.amended(narrow));
        s.world.edition(widen);
        s.world.append(other);
        s.world.publish(1000);
    }),
    ("edition-without-maintainer", "an edition that no maintainer signed", breaks("maintainer-missing", 2), |s| edition_by(s, narrow, &["c1", "c2", "c3"])),
    ("edition-without-curators", "an edition that one curator signed", breaks("too-few-curators", 2), |s| edition_by(s, narrow, &["m1", "c1"])),
    ("edition-one-jurisdiction", "an edition signed in one jurisdiction", breaks("too-few-jurisdictions", 2), |s| edition_by(s, narrow, &["m1", "c1", "c2"])),
    ("edition-added-key-unsigned", "a curator is added, and has not signed", breaks("added-key-missing", 2), |s| edition_by(s, |c| c.curation.curators.push(curator("c4", "FR")), &["m1", "c1", "c3"])),
    ("edition-coup", "new curators replace the old ones, who have not consented", breaks("too-few-curators", 2), |s| edition_by(s, |c| c.curation.curators = vec![curator("c4", "DE"), curator("c5", "FR")], &["m1", "c4", "c5"])),
    ("edition-own-threshold", "an edition that misses the threshold that it sets", breaks("too-few-curators", 2), |s| edition_by(s, |c| c.curation.threshold = 3, &["m1", "c1", "c3"])),
    ("edition-stranger", "a stranger's signature on an edition", breaks("uncounted-signature", 2), |s| edition_by(s, narrow, &["m1", "c1", "c3", "stranger"])),
    ("edition-other-algorithm", "another algorithm", breaks("algorithm-changed", 3), |s| edition(s, |c| { c.matching.algorithm = Algorithm::Sha256; (c.matching.max_distance, c.matching.min_quality) = (0, 0); })),
    ("edition-forgotten", "a source leaves out an edition that the client knows", Malformed(What::Bundle), |s| {
        s.world.edition(widen);
        s.world.publish(900);
        let first = s.world.charters().next().expect("one").id();
        s.world.release_with(hashes(0..12), 950, |r| r.charter = first);
        s.world.publish(1000);
        s.world.publish(1005);
        let honest = s.update();
        assert_eq!(honest.exit, 0, "{honest:?}");
        s.world.release_with(hashes(0..13), 1100, |r| r.charter = first);
        s.world.publish(1100);
        s.world.publish(1105);
        s.world.edit_bundle(|bundle| bundle.charters.truncate(1));
    }),
];

/// Version 2 under an edition that is public at 1000 and asks for an hour's notice.
fn under_edition(scene: &mut Scene, edit: fn(&mut Charter), public: u64) {
    scene.world.edition(edit);
    scene.world.publish(1000);
    scene.world.release(hashes(0..12), public);
    scene.world.publish(public);
    scene.world.publish(public + 10);
    scene.clock = at(public + 10);
}

/// The next edition, signed by these people, and a release under it by those, when its notice is over.
fn after_notice(scene: &mut Scene, edition: &Charter, consenting: &[&str], releasing: &[&str]) {
    let note = sign(&edition.to_text().expect("text"), consenting);
    scene.world.append(Statement::from_note(note).expect("a charter"));
    scene.world.publish(1000);
    let draft = scene.world.draft(hashes(0..12), 4600);
    scene.world.log(draft, releasing);
    scene.world.publish(4600);
    scene.world.publish(4610);
    scene.clock = at(4610);
}

const EARLY: Verdict = Verdict::Proven("notice-not-over", Some(4));

#[rustfmt::skip]
const NOTICE: &[Row] = &[
    ("notice-distance", "the distance grows, and is used at once", EARLY, |s| under_edition(s, widen, 1100)),
    ("notice-surface", "end-to-end encrypted messages are added, and are matched at once", EARLY, |s| under_edition(s, |c| c.reach.surfaces = vec![Surface::EndToEndEncrypted, Surface::Private, Surface::Public], 1100)),
    ("notice-jurisdiction", "a country is added", EARLY, |s| under_edition(s, |c| c.reach.jurisdictions.push(Jurisdiction::new("IT").expect("a country")), 1100)),
    ("notice-definition", "the definition is reworded", EARLY, |s| under_edition(s, |c| c.purpose.definition = "Test pictures, and others.".into(), 1100)),
    ("notice-exclusion", "an exclusion is dropped", EARLY, |s| under_edition(s, |c| c.purpose.exclusions.clear(), 1100)),
    ("notice-limit", "more additions are allowed", EARLY, |s| under_edition(s, |c| c.limits.max_added = 501, 1100)),
    ("notice-visibility", "releases need to be public for a shorter time", EARLY, |s| under_edition(s, |c| c.limits.min_visibility = 4, 1100)),
    ("notice-notice", "notice itself is shortened, at once", EARLY, |s| under_edition(s, |c| c.limits.notice = 0, 1100)),
    ("notice-threshold", "fewer curators are needed, at once", EARLY, |s| under_edition(s, |c| { c.curation.threshold = 1; c.curation.min_jurisdictions = 1; }, 1100)),
    ("notice-key", "a maintainer key is added, and signs at once", EARLY, |s| under_edition(s, |c| c.maintainer.keys.push(key("m3").verifier().clone()), 1100)),
    ("notice-one-second-short", "a second before the notice is over", breaks("notice-not-over", 4), |s| under_edition(s, widen, 4599)),
    ("notice-over", "the notice is over", InForce(2), |s| under_edition(s, widen, 4600)),
    ("notice-not-needed", "an edition that only narrows is in force at once", InForce(2), |s| under_edition(s, narrow, 1100)),
    ("notice-compromised-key-dropped", "a compromised maintainer key is dropped at once", InForce(2), |s| under_edition(s, |c| drop(c.maintainer.keys.pop()), 1100)),
    ("notice-dropped-key-signs", "a maintainer key that was dropped signs on", breaks("uncounted-signature", 2), |s| {
        s.world.edition(|c| drop(c.maintainer.keys.remove(0)));
        s.world.publish(1000);
        let draft = s.world.draft(hashes(0..12), 1100);
        s.world.log(draft, &["m1", "c1", "c3"]);
        s.world.publish(1100);
        s.world.publish(1110);
        s.clock = at(1110);
    }),
    ("notice-dropped-key-signs-under-the-old-edition", "a maintainer key that was dropped signs on, under the edition that had it", breaks("superseded-edition", 1), |s| {
        let old = s.world.charters().next().expect("one").id();
        s.world.edition(|c| drop(c.maintainer.keys.remove(0)));
        s.world.publish(1000);
        let mut draft = s.world.draft(hashes(0..12), 1100);
        draft.release.charter = old;
        s.world.log(draft, &["m1", "c1", "c3"]);
        s.world.publish(1100);
        s.world.publish(1110);
        s.clock = at(1110);
    }),
    ("notice-key-rotated", "a maintainer key is replaced: the old one and the new one have signed, the notice is over, and the new one signs", InForce(2), |s| {
        let charter = s.world.amended(|c| c.maintainer.keys[0] = key("m3").verifier().clone());
        after_notice(s, &charter, &["m3", "c1", "c3", "m1"], &["m3", "c1", "c3"]);
    }),
    ("notice-dropped-curator-signs", "a compromised curator that was dropped signs on", breaks("uncounted-signature", 2), |s| {
        s.world.edition(|c| drop(c.curation.curators.remove(1)));
        s.world.publish(1000);
        let draft = s.world.draft(hashes(0..12), 1100);
        s.world.log(draft, &["m1", "c1", "c2", "c3"]);
        s.world.publish(1100);
        s.world.publish(1110);
        s.clock = at(1110);
    }),
    ("notice-curator-replaced", "a curator hands over to another: all have signed, and the notice is over", InForce(2), |s| {
        let charter = s.world.amended(|c| { c.curation.curators.truncate(2); c.curation.curators.push(curator("c4", "FR")); });
        after_notice(s, &charter, &["m1", "c1", "c4", "c3"], &["m1", "c1", "c4"]);
    }),
    ("notice-laundered-through-pending", "edition 2 widens and waits; edition 3 narrows against it, and is used at once", breaks("notice-not-over", 4), |s| {
        s.world.edition(|c| c.matching.max_distance = 31);
        s.world.publish(900);
        under_edition(s, |c| c.matching.max_distance = 30, 1100);
    }),
    ("notice-below-policy", "the charter's notice is below what the app asks for", Refused("policy", None), |s| {
        s.policy = s.policy.replace("min_notice = 3600", "min_notice = 3601");
        s.world.release(hashes(0..12), 1000);
        publish(s);
    }),
    ("policy-purpose", "a purpose that the app does not accept", Refused("policy", None), |s| { s.policy = s.policy.replace("purposes = [\"other\"]", "purposes = [\"csam-known\"]"); s.world.release(hashes(0..12), 1000); publish(s) }),
    ("policy-action", "an action stronger than the app accepts", Refused("policy", None), |s| { s.policy = s.policy.replace("action = \"block\"", "action = \"warn\""); s.world.release(hashes(0..12), 1000); publish(s) }),
    ("policy-surface", "the app matches where the charter does not allow it", Refused("policy", None), |s| { s.policy = s.policy.replace("surface = \"private\"", "surface = \"end-to-end-encrypted\""); s.world.release(hashes(0..12), 1000); publish(s) }),
    ("policy-distance", "after proper notice, a greater distance than the app accepts", Refused("policy", None), |s| { s.policy = s.policy.replace("max_distance = 31", "max_distance = 24"); under_edition(s, widen, 4700) }),
];

#[rustfmt::skip]
const VISIBILITY: &[Row] = &[
    ("visibility-not-over", "a release that was public for four seconds of five", Waits(1, "not-visible", 5), |s| { s.world.release(hashes(0..12), 1000); s.world.publish(1000); s.world.publish(1004) }),
    ("visibility-over", "a release that was public for five", InForce(2), |s| { s.world.release(hashes(0..12), 1000); s.world.publish(1000); s.world.publish(1005) }),
    ("visibility-removal", "a release that only removes is used at once", InForce(2), |s| { s.world.release(hashes(0..9), 1000); s.world.publish(1000) }),
    ("visibility-false-removal", "a release that adds, and says that it adds nothing", breaks("count-mismatch", 8), |s| { s.world.release_with(hashes(0..12), 1000, |r| r.added = 0); s.world.publish(1000) }),
    ("visibility-laundered-through-pending", "version 2 adds and waits; version 3 adds nothing to it", Waits(1, "not-visible", 5), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.release(hashes(0..11), 1060);
        s.world.publish(1060);
        s.world.publish(1061);
        s.clock = at(1061);
    }),
    ("expired-release", "the only newer release has expired", Refused("expired", None), |s| {
        s.world.release_with(hashes(0..12), 1000, |r| r.expires = at(1008));
        publish(s);
        s.world.release_with(hashes(0..12), 1000, |_| ());
        let all: Vec<StatementId> = s.world.releases().map(|r| r.id()).collect();
        s.world.offer_only(&all[1..2]);
    }),
];

pub(super) fn cases() -> Vec<Case> {
    [
        served(GROUP, "policy", Start::Current, SIGNATURES),
        served(GROUP, "chain", Start::Current, CHAIN),
        served(GROUP, "limits", Start::Current, LIMITS),
        served(GROUP, "content", Start::Current, CONTENT),
        served(GROUP, "known editions", Start::Current, EDITIONS),
        served(GROUP, "policy", Start::Current, NOTICE),
        served(GROUP, "visibility, validity", Start::Current, VISIBILITY),
    ]
    .into_iter()
    .flatten()
    .collect()
}
