//! Clocks: witnesses that lie, devices that are wrong by years, and a log that stands still.

use super::Verdict::{InForce, Refused, Says, Waits};
use super::sources::newest;
use super::{Case, DoneRow, Row, done, served};
use crate::scene::Start;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::{NodeHash, RootHash};
use isonomy_core::resource::Resource;
use isonomy_core::tile::{TileKind, TilePath, encode_hashes, node_from_tile};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{InclusionPlan, LeafIndex, NodeCoordinate, TreeSize, leaf_hash, node_hash};
use isonomy_tests::people::{LOG, at, hashes, key};
use isonomy_tests::world::{World, cosigned};
use std::collections::HashMap;

const GROUP: &str = "Time";
const YEAR: u64 = 365 * 86_400;

#[rustfmt::skip]
const WITNESSES: &[Row] = &[
    ("witness-early", "one witness says that a release was public long ago", Waits(1, "not-visible", 5), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.cosign(3, &[(1, 0), (2, 1000), (3, 1000)]);
        s.world.publish(1004);
    }),
    ("witness-late", "one witness says that now is in a year", Waits(1, "not-visible", 5), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.publish(1000);
        s.world.cosign(3, &[(1, YEAR), (2, 1004), (3, 1004)]);
    }),
    ("witness-late-does-not-expire", "one witness says that now is in a year: nothing expires", InForce(2), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.publish(1000);
        s.world.cosign(3, &[(1, YEAR), (2, 1010), (3, 1010)]);
    }),
    ("witness-backward", "one witness goes back by an hour between two checkpoints", InForce(2), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.publish(1000);
        s.world.cosign(3, &[(1, 0), (2, 1010), (3, 1010)]);
    }),
    ("witnesses-one-left", "two of three witnesses are silent", Refused("no-quorum", None), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.publish(1000);
        s.world.cosign(3, &[(2, 1010)]);
    }),
    ("witnesses-quorum-lies-early", "as many witnesses as it takes say that it was public long ago: this remains", InForce(2), |s| {
        s.world.release(hashes(0..12), 1000);
        s.world.cosign(3, &[(1, 1000), (2, 1000)]);
        s.world.cosign(3, &[(1, 1005), (2, 1005)]);
    }),
];

#[rustfmt::skip]
const AHEAD: &[Row] = &[
    ("clock-ahead-by-years", "the device's clock is ahead by ten years: a good list expires, and nothing older is taken", Refused("expired", None), |s| s.clock = at(10 * YEAR)),
];

/// A release that is logged a day and an hour after it was composed.
fn stale_draft(scene: &mut crate::scene::Scene) {
    scene.world = World::founded_with(|charter| charter.limits.validity = 10 * 86_400);
    scene.policy = scene.world.policy_text();
    scene.world.release_with(hashes(0..10), 100, |release| release.expires = at(100 + 10 * 86_400));
    scene.world.publish(100 + 25 * 3600);
    scene.world.publish(110 + 25 * 3600);
    scene.clock = at(110 + 25 * 3600);
}

#[rustfmt::skip]
const STALE: &[DoneRow] = &[
    ("draft-stale", "a release that is public 25 hours after it was composed: a client can't tell when it was admitted, and accepts it", InForce(1), |s| { stale_draft(s); Ok(s.update()) }),
    ("draft-stale-found", "a monitor reads that log", Says(6, "stale-draft"), |s| { stale_draft(s); Ok(s.monitor()) }),
    ("fast-forward-size-new", "a quorum vouches for a tree of 2^62 entries, of which nothing is shown to a new device: the honest log is good all the same", InForce(2), |s| {
        let huge = super::sources::signed_by(&s.world, &key(LOG), |c| c.size = TreeSize(1 << 62));
        let honest = s.world.clone();
        super::sources::with_checkpoint(s, huge);
        let lied = s.update();
        s.world = honest;
        if lied.exit != 3 || lied.refusal()["code"] != "malformed" { return Err(format!("{lied:?}")) }
        Ok(s.update())
    }),
];

/// The log's entries, and fillings up to 2^62: tiles, inclusion proofs and checkpoint are all as they must be.
fn fast_forward(world: &mut World) {
    let size = TreeSize(1 << 62);
    let mut hashes: Vec<NodeHash> =
        world.statements().iter().map(|entry| NodeHash(leaf_hash(&entry.to_bytes()).0)).collect();
    let mut tiles = HashMap::new();
    for level in 0..8 {
        hashes.resize(if level == 7 { 64 } else { 256 }, NodeHash([7; 32]));
        let tile = TilePath::new(TileKind::Hashes { level }, 0, hashes.len() as u16).expect("a tile");
        tiles.insert(tile, hashes.clone());
        while hashes.len() > 1 {
            hashes = hashes.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
        }
    }
    let root = RootHash(hashes[0].0);
    let checkpoint = Checkpoint { origin: LOG.into(), size, root, extensions: Vec::new() };
    let checkpoint =
        cosigned(&CheckpointNote::sign(checkpoint, &key(LOG)).expect("a checkpoint"), &[(1, 1010), (2, 1010)]);
    let path = |index: LeafIndex| {
        let plan = InclusionPlan::new(index, size).expect("an entry");
        let node = |node: &NodeCoordinate| {
            let tile = TilePath::of_node(node, size).expect("a tile");
            node_from_tile(node, &tile, &tiles[&tile]).expect("a node")
        };
        plan.combine(&plan.nodes().iter().map(node).collect::<Vec<_>>()).expect("a path")
    };
    world.edit_bundle(|bundle| {
        bundle.charters.iter_mut().chain(&mut bundle.releases).for_each(|at| at.path = path(at.index));
        bundle.checkpoint = checkpoint;
    });
    for (tile, hashes) in &tiles {
        world.serve(Resource::Tile(*tile), encode_hashes(hashes));
    }
}

#[rustfmt::skip]
const CLOCKS: &[DoneRow] = &[
    ("clock-behind-by-years", "the device's clock shows 1970: the witnesses' time counts, and status says so", Says(0, "\"clock_behind\":1800001010"), |s| {
        s.clock = Timestamp(0);
        let updated = s.update();
        if updated.exit != 0 || s.match_entry() .ok() != Some(2) {
            return Err(format!("{updated:?}"));
        }
        Ok(s.status())
    }),
    ("clock-ahead-and-back", "and once the clock is right again, all is as before", InForce(2), |s| {
        s.clock = at(10 * YEAR);
        let ahead = s.update();
        if ahead.exit == 0 {
            return Err(format!("{ahead:?}"));
        }
        s.clock = at(1010);
        Ok(s.update())
    }),
    ("clock-back-after-witnesses", "the clock is set back after the release has expired by the witnesses' time", Says(7, "not-covered"), |s| {
        let updated = s.update();
        s.world.release(hashes(0..12), 100_000);
        s.world.publish(200_000);
        let newest = newest(&s.world);
        s.world.offer_only(&[newest]);
        let later = s.update();
        s.clock = at(0);
        if updated.exit != 0 || later.exit != 3 {
            return Err(format!("{updated:?} {later:?}"));
        }
        s.match_entry().map_err(Ok).err().ok_or_else(|| "it matches an expired list".to_owned())?
    }),
    ("freeze-stale", "the log stands still for longer than the policy's age", Says(5, "\"stale\""), |s| {
        let updated = s.update();
        s.clock = at(1010 + 5);
        let again = s.update();
        if updated.exit != 0 || again.exit != 0 {
            return Err(format!("{updated:?} {again:?}"));
        }
        Ok(matched(s))
    }),
    ("freeze-fresh", "within it the answer says fresh", Says(5, "\"fresh\""), |s| {
        let updated = s.update();
        s.clock = at(1010 + 4);
        if updated.exit == 0 { Ok(matched(s)) } else { Err(format!("{updated:?}")) }
    }),
    ("freeze-expired", "it stands still until the list expires: nothing is matched against it any more", Says(7, "not-covered"), |s| {
        let updated = s.update();
        s.clock = at(1000 + 86_400);
        if updated.exit == 0 { Ok(matched(s)) } else { Err(format!("{updated:?}")) }
    }),
    ("fast-forward-time", "a quorum says that now is in ten years; `client recover` makes the honest log good again", InForce(2), |s| {
        s.world.cosign(3, &[(1, 10 * YEAR), (2, 10 * YEAR)]);
        let lied = s.update();
        s.world.publish(1010);
        let stuck = s.update();
        let recovered = s.command(&["client", "recover", "--i-know-why"]).output().map_err(|error| error.to_string())?;
        let is_expired = |outcome: &crate::scene::Outcome| outcome.exit == 3 && outcome.refusal()["code"] == "expired";
        if !is_expired(&lied) || !is_expired(&stuck) || !recovered.status.success() {
            return Err(format!("{lied:?} {stuck:?} {recovered:?}"));
        }
        Ok(s.update())
    }),
    ("fast-forward-size", "a quorum vouches for a tree of 2^62 entries, with all that proves the list in it: then the honest log is behind, until `client recover`", InForce(2), |s| {
        let honest = s.world.clone();
        fast_forward(&mut s.world);
        let lied = s.update();
        s.world = honest;
        let stuck = s.update();
        let recovered = s.command(&["client", "recover", "--i-know-why"]).output().map_err(|error| error.to_string())?;
        if lied.exit != 0 || stuck.refusal()["code"] != "behind" || !recovered.status.success() {
            return Err(format!("{lied:?} {stuck:?} {recovered:?}"));
        }
        Ok(s.update())
    }),
    ("recover-keeps-the-floor", "after `client recover` an older release is refused as before", Says(3, "\"rollback\""), |s| {
        let updated = s.update();
        let recovered = s.command(&["client", "recover", "--i-know-why"]).output().map_err(|error| error.to_string())?;
        if updated.exit != 0 || !recovered.status.success() {
            return Err(format!("{updated:?} {recovered:?}"));
        }
        let first = super::sources::first(&s.world);
        s.world.offer_only(&[first]);
        Ok(s.update())
    }),
];

fn matched(scene: &crate::scene::Scene) -> crate::scene::Outcome {
    let hash = isonomy_core::encoding::to_hex(&isonomy_tests::people::hash(3));
    crate::scene::Outcome::of(scene.command(&["match", &hash]).output().expect("the command runs"))
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = served(GROUP, "time (rule 6)", Start::Current, WITNESSES);
    cases.extend(served(GROUP, "freshness, state", Start::Behind, AHEAD));
    cases.extend(done(GROUP, "freshness, state", Start::Behind, CLOCKS));
    cases.extend(done(GROUP, "monitors; state", Start::New, STALE));
    cases
}
