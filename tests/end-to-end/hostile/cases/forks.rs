//! A log that shows two histories, with too few witnesses or with as many as it takes.

use super::Verdict::{Malformed, Proven, Refused, Says};
use super::{Case, DoneRow, Row, What, done, served};
use crate::scene::{Outcome, Scene, Start, world};
use crate::server::Server;
use isonomy_core::resource::Resource;
use isonomy_tests::people::hashes;
use isonomy_tests::world::World;
use std::collections::HashMap;

const GROUP: &str = "A log that shows two histories";

/// A history with the first `common` entries of the honest one, and `size` entries in all.
fn forked(honest: &World, common: u64, size: u64, witnesses: &[u8]) -> World {
    let mut fork = honest.fork(common);
    for version in common..size {
        fork.release(hashes(50..60 + version), 100 * version + 1);
    }
    for time in [1000, 1010] {
        let times: Vec<(u8, u64)> = witnesses.iter().map(|witness| (*witness, time)).collect();
        fork.cosign(size, &times);
    }
    fork
}

fn fork(scene: &mut Scene, common: u64, size: u64, witnesses: &[u8]) {
    scene.world = forked(&scene.world, common, size, witnesses);
}

/// The same, with the tiles of a tree that grows out of the honest one.
fn fork_with_honest_tiles(scene: &mut Scene, common: u64, size: u64, witnesses: &[u8]) {
    let grown = forked(&scene.world, 5, 8, &[1, 2, 3]);
    fork(scene, common, size, witnesses);
    scene.world.serve_tiles_of(&grown);
}

const FORK: super::Verdict = Proven("fork", None);

#[rustfmt::skip]
const FORKS: &[Row] = &[
    ("fork-same-size", "another tree of the same size, with a quorum", FORK, |s| fork(s, 2, 5, &[1, 2])),
    ("fork-same-size-alone", "the same, by the log alone", FORK, |s| fork(s, 2, 5, &[])),
    ("fork-same-size-one-witness", "the same, with one witness", FORK, |s| fork(s, 2, 5, &[3])),
    ("fork-larger", "a larger tree that does not grow out of the known one", FORK, |s| fork(s, 2, 7, &[1, 2])),
    ("fork-larger-alone", "the same, by the log alone", FORK, |s| fork(s, 2, 7, &[])),
    ("fork-in-the-last-entry", "it differs in the last common entry alone", FORK, |s| fork(s, 4, 8, &[1, 2])),
    ("fork-from-the-start", "it has the charter in common, and nothing else", FORK, |s| fork(s, 1, 6, &[1, 2])),
    ("fork-larger-false-tiles", "a larger tree, with tiles of another one", Malformed(What::Checkpoint), |s| fork_with_honest_tiles(s, 2, 7, &[1, 2])),
    ("fork-larger-alone-false-tiles", "the same, by the log alone", Refused("no-quorum", None), |s| fork_with_honest_tiles(s, 2, 7, &[])),
    ("fork-smaller", "a smaller tree out of which the known one does not grow", FORK, |s| fork_with_honest_tiles(s, 2, 4, &[1, 2])),
    ("fork-smaller-alone", "the same, by the log alone", FORK, |s| fork_with_honest_tiles(s, 2, 3, &[])),
    ("fork-smaller-own-tiles", "a smaller tree with its own tiles, which prove nothing", Refused("behind", None), |s| fork(s, 2, 4, &[1, 2])),
    ("seen-proof-of-another-history", "a seen proof under a checkpoint of another history", FORK, |s| {
        s.world.release(hashes(0..15), 500);
        s.world.publish(500);
        s.world.publish(505);
        let newest = s.world.releases().last().expect("a release").id();
        let mut fork = s.world.fork(2);
        for version in 2..5 {
            fork.release(hashes(50..60 + version), 100 * version + 1);
        }
        fork.append(s.world.statement(&newest).clone());
        fork.cosign(6, &[(1, 500), (2, 500)]);
        s.world.serve(Resource::SeenProof(newest), fork.seen_proof(&newest).to_bytes());
    }),
    ("fork-not-smaller", "a smaller tree of the same history", Refused("behind", None), |s| fork_with_honest_tiles(s, 4, 4, &[1, 2])),
    ("fork-not-alone", "the same history, by the log alone", Refused("no-quorum", None), |s| fork(s, 5, 5, &[])),
    ("fork-not-one-witness", "a history that grows, with fewer than 2q − n witnesses", Refused("no-quorum", None), |s| fork(s, 5, 7, &[1])),
];

/// A second device that holds what the colluding log shows it, and the file that it shows to others.
fn victim(scene: &Scene, common: u64, size: u64) -> (Scene, String) {
    let prepared = scene.beside("prepared");
    let mut victim = Scene::new(Start::New, &prepared);
    victim.world = forked(&world(Start::Four), common, size, &[2, 3]);
    victim.policy.clone_from(&scene.policy);
    let updated = victim.update();
    assert_eq!(updated.exit, 0, "{updated:?}");
    let file = scene.beside("view.json").to_str().expect("a path").to_owned();
    let mut command = victim.command(&["client", "view"]);
    assert!(command.args(["--out", &file]).output().expect("the command runs").status.success());
    (victim, file)
}

fn compare(scene: &Scene, with: &str, source: &World) -> Outcome {
    let server = Server::start(source.clone(), HashMap::new(), None);
    let mut command = scene.command(&["client", "compare", with]);
    Outcome::of(command.args(["--source", &server.url()]).output().expect("the command runs"))
}

#[rustfmt::skip]
const PEERS: &[DoneRow] = &[
    ("halted-for-good", "after the proof of a fork the honest log is not asked any more", Says(3, "\"halted\""), |s| {
        s.world = forked(&s.world, 2, 5, &[]);
        let refused = s.update();
        if refused.refusal()["code"] != "fork" { return Err(format!("{refused:?}")) }
        Ok(s.update_honestly())
    }),
    ("halted-not-recovered", "`client recover` would take the list away, and start no update", Says(3, "another key of this log"), |s| {
        s.world = forked(&s.world, 2, 5, &[]);
        let refused = s.update();
        if refused.refusal()["code"] != "fork" { return Err(format!("{refused:?}")) }
        Ok(Outcome::of(s.command(&["client", "recover", "--i-know-why"]).output().map_err(|error| error.to_string())?))
    }),
    ("split-view-new-device", "a new device, the log and 2q − n witnesses: it is accepted; see the next rows", Says(0, "\"version\":4"), |s| {
        let (victim, _) = victim(s, 2, 5);
        Ok(victim.status())
    }),
    ("split-view-peer", "two devices compare: a fork, with evidence", Says(3, "\"forked\""), |s| {
        let (victim, file) = victim(s, 2, 5);
        let compared = compare(s, &file, &victim.world);
        let name = compared.json["evidence"].as_str().ok_or("no evidence")?;
        let verified = s.verify_evidence(&format!("{name}.json"));
        if verified.exit == 0 { Ok(compared) } else { Err(format!("{verified:?}")) }
    }),
    ("split-view-peer-other-sizes", "the same with trees of different sizes, and tiles of the larger one", Says(3, "\"forked\""), |s| {
        let (victim, file) = victim(s, 2, 7);
        Ok(compare(s, &file, &victim.world))
    }),
    ("split-view-peer-halts", "and then updates stop", Says(3, "\"halted\""), |s| {
        let (victim, file) = victim(s, 2, 5);
        compare(s, &file, &victim.world);
        Ok(s.update_honestly())
    }),
    ("split-view-code", "two people read their comparison codes to each other", Says(3, "\"different\""), |s| {
        let (victim, _) = victim(s, 2, 5);
        let code = victim.status().json["in_force"]["code"].as_str().ok_or("no code")?.to_owned();
        Ok(compare(s, &code, &s.world))
    }),
    ("peer-same", "two devices hold the same", Says(0, "\"same\""), |s| {
        let file = s.beside("own.json");
        let mut command = s.command(&["client", "view"]);
        command.arg("--out").arg(&file).output().map_err(|error| error.to_string())?;
        Ok(compare(s, file.to_str().ok_or("a path")?, &s.world))
    }),
    ("peer-same-code", "two people read the same code", Says(0, "\"same\""), |s| {
        let code = s.status().json["in_force"]["code"].as_str().ok_or("no code")?.to_owned();
        Ok(compare(s, &code.replace(' ', ""), &s.world))
    }),
    ("peer-arbitrary", "a peer shows arbitrary bytes", Says(4, "malformed view"), |s| {
        let file = s.beside("arbitrary");
        std::fs::write(&file, [0xff; 1000]).map_err(|error| error.to_string())?;
        Ok(compare(s, file.to_str().ok_or("a path")?, &s.world))
    }),
    ("peer-forged", "a peer shows a release that it signed itself", Says(3, "\"unproven\""), |s| {
        let file = s.beside("forged.json");
        let mut command = s.command(&["client", "view"]);
        command.arg("--out").arg(&file).output().map_err(|error| error.to_string())?;
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
        std::fs::write(&file, text.replace("\\\"irregular\\\": 0", "\\\"irregular\\\": 1")).map_err(|error| error.to_string())?;
        Ok(compare(s, file.to_str().ok_or("a path")?, &s.world))
    }),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = served(GROUP, "consistency, quorum (rule 6)", Start::Four, FORKS);
    cases.extend(done(GROUP, "`verifier::peer`, state", Start::Four, PEERS));
    cases
}
