//! Two texts for one version or edition inside one log, and policies that ask for somebody who has read all of it.

use super::Verdict::{InForce, Lacks, Malformed, Proven, Refused, Says, Waits};
use super::sources::{first, newest};
use super::{Case, DoneRow, Row, Verdict, What, done, served};
use crate::scene::{Outcome, Scene, Start};
use isonomy_core::hash::StatementId;
use isonomy_core::list::snapshot;
use isonomy_core::release::Release;
use isonomy_core::resource::Resource;
use isonomy_core::tile::{TileKind, TilePath};
use isonomy_core::tree::TreeSize;
use isonomy_tests::people::{at, hashes, key, sign_charter};
use isonomy_tests::world::{Draft, World};

const GROUP: &str = "Two texts inside one log";

fn complete(scene: &mut Scene) {
    scene.policy += "\n[audit]\ncomplete = true\n";
}

fn followed(scene: &mut Scene, least: u64) {
    let auditors = ["a1", "a2"].map(|name| format!("\"{}\"", key(name).verifier())).join(", ");
    scene.policy += &format!("\n[audit]\nfollowed = {least}\nauditors = [{auditors}]\n");
}

/// Another text for the newest version, which is logged after it.
fn second_text(world: &mut World) -> StatementId {
    let release = world.releases().last().expect("a release").body().clone();
    let content = hashes(100..100 + release.entries);
    let snapshot = world.object(snapshot::encode(&content));
    let draft = Draft { release: Release { root: content.root(), snapshot, ..release }, content };
    let id = world.log(draft, &["m1", "c1", "c3"]);
    world.publish(1020);
    world.publish(1030);
    id
}

fn attest(scene: &mut Scene, auditor: &str, edit: fn(&mut isonomy_core::attestation::Attestation)) {
    let mut attestation = scene.world.attestation(auditor, &newest(&scene.world), scene.world.size());
    edit(&mut attestation);
    scene.world.attest(&attestation, auditor);
    scene.world.publish(1010);
}

/// The auditor attests version 1, and has read no further.
fn attest_first(scene: &mut Scene, auditor: &str) {
    let attestation = scene.world.attestation(auditor, &first(&scene.world), 2);
    scene.world.attest(&attestation, auditor);
    scene.world.publish(1010);
}

fn entries(scene: &Scene) -> Resource {
    Resource::Tile(TilePath::new(TileKind::Entries, 0, scene.world.size() as u16).expect("a tile"))
}

/// Offers version 4, which waits, beside version 2, and hides version 3, which may be used.
fn hide_between(s: &mut Scene) -> StatementId {
    complete(s);
    let held = newest(&s.world);
    let hidden = s.world.release(hashes(0..14), 1100);
    s.world.publish(1100);
    let waiting = s.world.release(hashes(0..16), 1160);
    s.world.publish(1160);
    s.world.publish(1162);
    s.world.offer_only(&[held, waiting]);
    s.clock = at(1162);
    hidden
}

/// The policy asks for all witnesses, one of whose clocks is 200 s slow, and the log for two: that one offers version 4 alone, and
/// by the policy versions 3 and 4 wait.
fn stricter_than_the_log(s: &mut Scene) -> Result<StatementId, String> {
    s.policy = s.policy.replace("group two 2 ", "group two 3 ");
    complete(s);
    let held = s.update();
    if held.exit != 0 {
        return Err(format!("{held:?}"));
    }
    let publish = |world: &mut World, time| world.cosign(world.size(), &[(1, time), (2, time), (3, time - 200)]);
    let third = s.world.release(hashes(0..14), 1100);
    publish(&mut s.world, 1100);
    s.world.release(hashes(0..16), 1160);
    publish(&mut s.world, 1160);
    publish(&mut s.world, 1170);
    s.clock = at(1170);
    match s.world.bundle().releases.len() {
        1 => Ok(third),
        offered => Err(format!("the log offers {offered} releases")),
    }
}

const EQUIVOCATION: Verdict = Proven("equivocation", Some(1));
const TOO_FEW: Verdict = Refused("too-few-attestations", Some(9));

#[rustfmt::skip]
const COMPLETE: &[Row] = &[
    ("complete-second-text-shown", "a new client is shown the second of two texts for version 2", EQUIVOCATION, |s| { complete(s); let second = second_text(&mut s.world); s.world.offer_only(&[second]) }),
    ("complete-first-text-shown", "a new client is shown the first of two texts", EQUIVOCATION, |s| { complete(s); let first = newest(&s.world); second_text(&mut s.world); s.world.offer_only(&[first]) }),
    ("complete-edition-two-texts", "one of two texts for edition 2 is left out", EQUIVOCATION, |s| {
        complete(s);
        let other = s.world.amended(|c| c.matching.max_distance = 22);
        let first = s.world.edition(|c| c.matching.max_distance = 20);
        s.world.append(sign_charter(&other));
        s.world.publish(1020);
        s.world.edit_bundle(|b| b.charters.retain(|charter| charter.index.0 == 0 || charter.id == first));
    }),
    ("complete-newer-hidden", "the newest release is left out", Malformed(What::Bundle), |s| { complete(s); let first = first(&s.world); s.world.offer_only(&[first]) }),
    ("complete-between-hidden", "the newest release waits, and one before it, which may be used, is left out: it is used all the same", InForce(3), |s| { hide_between(s); }),
    ("complete-between-proof-withheld", "the same, and there is no seen proof of what is left out", Lacks("absent", What::SeenProof), |s| { let hidden = hide_between(s); s.world.withhold(Resource::SeenProof(hidden)) }),
    ("complete-between-proof-of-another", "the same, with the seen proof of another release", Malformed(What::SeenProof), |s| { let hidden = hide_between(s); let other = newest(&s.world); s.world.swap(Resource::SeenProof(hidden), Resource::SeenProof(other)) }),
    ("complete-edition-hidden", "the newest edition is left out", Malformed(What::Bundle), |s| { complete(s); s.world.edition(|c| c.matching.max_distance = 20); s.world.publish(1010); s.world.edit_bundle(|b| b.charters.truncate(1)) }),
    ("complete-entries-withheld", "the log's entries are missing", Lacks("absent", What::Tile), |s| { complete(s); let tile = entries(s); s.world.withhold(tile) }),
    ("complete-entries-changed", "one bit of the log's entries", Malformed(What::Checkpoint), |s| { complete(s); let tile = entries(s); s.world.tamper(tile, |b| b[100] ^= 1) }),
    ("complete-entries-cut", "an entry less", Malformed(What::Tile), |s| { complete(s); let tile = entries(s); s.world.tamper(tile, |b| b.truncate(b.len() / 2)) }),
    ("complete-version-gap", "version 5 follows version 2", Refused("not-contiguous", Some(1)), |s| {
        complete(s);
        let mut draft = s.world.draft(hashes(0..14), 1015);
        draft.release.version = 5;
        let strange = StatementId([7; 32]);
        draft.release.previous = Some(strange);
        draft.release.deltas.truncate(1);
        (draft.release.deltas[0].from, draft.release.deltas[0].release) = (4, strange);
        let id = s.world.log(draft, &["m1", "c1", "c3"]);
        s.world.publish(1020);
        s.world.publish(1030);
        s.world.offer_only(&[id]);
    }),
    ("complete-logged-twice-other-lines", "the newest text is logged again with other signature lines, and offered at that place", Refused("already-logged", Some(1)), |s| { complete(s); super::sources::log_again_with_other_lines(s) }),
    ("complete-honest", "nothing is wrong", InForce(2), complete),
    ("complete-logged-twice", "the newest text is logged again, and offered at its first place", InForce(2), |s| { complete(s); let again = s.world.statement(&newest(&s.world)).clone(); s.world.append(again); s.world.publish(1010); let newest = newest(&s.world); s.world.offer_only(&[newest]) }),
];

#[rustfmt::skip]
const HELD: &[Row] = &[
    ("complete-second-text-later", "a second text for the version in force is logged later", EQUIVOCATION, |s| {
        complete(s);
        s.world = crate::scene::world(Start::Current);
        second_text(&mut s.world);
        let first = first(&s.world);
        s.world.offer_only(&[first]);
    }),
];

#[rustfmt::skip]
const LIGHT: &[Row] = &[
    ("complete-after-light", "a policy asks for `complete` where a light client held the second text", EQUIVOCATION, |s| {
        let second = second_text(&mut s.world);
        s.world.offer_only(&[second]);
        let light = s.update();
        assert_eq!(light.exit, 0, "{light:?}");
        complete(s);
    }),
];

#[rustfmt::skip]
const FOLLOWED: &[Row] = &[
    ("followed-none", "no auditor has attested", TOO_FEW, |s| followed(s, 1)),
    ("followed-one-of-two", "one auditor of two has attested", TOO_FEW, |s| { followed(s, 2); attest(s, "a1", |_| ()) }),
    ("followed-one-twice", "one auditor has attested twice", TOO_FEW, |s| { followed(s, 2); attest(s, "a1", |_| ()); attest(s, "a1", |a| a.finding = "once more".into()) }),
    ("followed-stranger", "a stranger has attested", TOO_FEW, |s| { followed(s, 1); attest(s, "stranger", |_| ()) }),
    ("followed-up-to-before", "the auditor has read up to the release before", TOO_FEW, |s| { followed(s, 1); attest(s, "a1", |a| a.log_size = Some(TreeSize(2))) }),
    ("followed-up-to-the-future", "the auditor has read what is not there yet", TOO_FEW, |s| { followed(s, 1); attest(s, "a1", |a| a.log_size = Some(TreeSize(40))) }),
    ("followed-not-in-the-log", "an attestation whose inclusion proof is wrong", Malformed(What::Statement), |s| { followed(s, 1); attest(s, "a1", |_| ()); s.world.edit_bundle(|b| b.attestations[0].path[0].0[0] ^= 1) }),
    ("followed-newest-not-yet", "an auditor has attested version 1 alone: a new client starts with that", InForce(1), |s| { followed(s, 1); attest_first(s, "a1") }),
    ("followed-one-of-two-yet", "both auditors have attested version 1, one of them version 2: a new client starts with version 1", InForce(1), |s| { followed(s, 2); attest_first(s, "a2"); attest(s, "a1", |_| ()) }),
    ("followed-older-read-newer", "an auditor has attested version 1 and read beyond version 2: a word counts for nothing newer than it names", InForce(1), |s| { followed(s, 1); let first = first(&s.world); let word = s.world.attestation("a1", &first, 3); s.world.attest(&word, "a1"); s.world.publish(1010) }),
    ("followed-older-for-others", "version 1 is offered too, for clients that ask for auditors: this one does not", InForce(2), |s| attest_first(s, "a1")),
    ("followed-enough", "as many have attested as the policy asks for", InForce(2), |s| { followed(s, 2); attest(s, "a1", |_| ()); attest(s, "a2", |_| ()) }),
];

#[rustfmt::skip]
const WAITING: &[DoneRow] = &[
    ("complete-stricter-quorum", "an honest log offers what is usable by its own quorum, and nothing older; by the policy's, which is stricter, all that is new waits", Waits(2, "not-visible", 5), |s| {
        stricter_than_the_log(s)?;
        Ok(s.update())
    }),
    ("complete-stricter-quorum-withheld", "the same from a mirror without the seen proof of what is not offered", Says(1, "\"absent\""), |s| {
        let third = stricter_than_the_log(s)?;
        s.world.withhold(Resource::SeenProof(third));
        Ok(s.update())
    }),
    ("followed-waits", "a newer release lacks attestations: the one in force stays", Waits(1, "too-few-attestations", 9), |s| {
        s.world = crate::scene::world(Start::Current);
        followed(s, 1);
        attest(s, "a1", |_| ());
        let first = s.update();
        if first.exit != 0 { return Err(format!("{first:?}")) }
        s.world.release(hashes(0..12), 1020);
        s.world.publish(1020);
        s.world.publish(1030);
        Ok(s.update())
    }),
    ("followed-older-than-held", "version 2 is in force, version 3 lacks attestations, and version 1 is all that is offered beside it", Waits(2, "too-few-attestations", 9), |s| {
        followed(s, 1);
        attest(s, "a1", |_| ());
        let held = s.update();
        if held.exit != 0 { return Err(format!("{held:?}")) }
        let third = s.world.release(hashes(0..14), 1060);
        s.world.publish(1060);
        s.world.publish(1070);
        let first = first(&s.world);
        s.world.offer_only(&[first, third]);
        Ok(s.update())
    }),
    ("light-second-text-shown", "a light client is shown the second of two texts: it is accepted; the next rows find it", Says(0, "\"version\":2"), |s| {
        let second = second_text(&mut s.world);
        s.world.offer_only(&[second]);
        let updated = s.update();
        let held = s.status();
        if held.json["in_force"]["release"] != second.to_hex() { return Err(format!("{held:?}")) }
        Ok(updated)
    }),
    ("light-second-text-found", "a monitor reads that log", Says(6, "equivocation"), |s| {
        second_text(&mut s.world);
        Ok(s.monitor())
    }),
    ("two-texts-peer", "two light clients compare what they hold", Says(3, "\"forked\""), |s| compare_two_texts(s)),
];

fn compare_two_texts(s: &mut Scene) -> Result<Outcome, String> {
    let mut other = Scene::new(Start::New, &s.beside("prepared"));
    other.world = s.world.clone();
    let first = other.update();
    let second = second_text(&mut s.world);
    s.world.offer_only(&[second]);
    let mine = s.update();
    if first.exit != 0 || mine.exit != 0 {
        return Err(format!("{first:?} {mine:?}"));
    }
    let file = s.beside("view.json");
    let written = other.command(&["client", "view"]).arg("--out").arg(&file).output();
    if !written.is_ok_and(|output| output.status.success()) {
        return Err("no view".to_owned());
    }
    let server = s.serve();
    let mut command = s.command(&["client", "compare", file.to_str().ok_or("a path")?]);
    let compared = Outcome::of(command.args(["--source", &server.url()]).output().map_err(|error| error.to_string())?);
    let name = compared.json["evidence"].as_str().ok_or_else(|| format!("no evidence: {compared:?}"))?;
    let verified = s.verify_evidence(&format!("{name}.json"));
    if verified.exit == 0 { Ok(compared) } else { Err(format!("{verified:?}")) }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = served(GROUP, "reading every entry", Start::New, COMPLETE);
    cases.extend(served(GROUP, "reading every entry", Start::Behind, HELD));
    cases.extend(served(GROUP, "reading every entry", Start::New, LIGHT));
    cases.extend(served(GROUP, "attestations (rule 9)", Start::New, FOLLOWED));
    cases.extend(done(GROUP, "monitors, `verifier::peer`", Start::New, WAITING));
    cases
}
