//! After an operator has collected what no client needs (`core::paths`, `isonomy log collect`), the real verifier of every
//! version goes the same way as before, now and whatever is released later.

use isonomy_core::hash::ObjectDigest;
use isonomy_core::paths::{Delta, Needed};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_tests::client::Client;
use isonomy_tests::people::hashes;
use isonomy_tests::world::World;
use std::collections::BTreeSet;

const STEP: u64 = 100;
const ENTRIES: u64 = 400;

/// Logs the next release, of which a few entries are new, and waits until it may be used.
fn release(world: &mut World) -> u64 {
    let version = world.releases().count() as u64 + 1;
    world.release(hashes(version * 5..version * 5 + ENTRIES), version * STEP);
    world.publish(version * STEP);
    world.publish(version * STEP + 10);
    version
}

/// Every object with whether it is needed.
fn objects(release: &Release, needed: &Needed) -> Vec<(ObjectDigest, bool)> {
    let snapshot = (release.snapshot.sha256, needed.snapshots.contains(&release.version));
    let deltas = release.deltas.iter().map(|delta| {
        let step = Delta { to: release.version, from: delta.from };
        (delta.sha256, needed.deltas.contains(&step))
    });
    std::iter::once(snapshot).chain(deltas).collect()
}

/// Withholds what is not needed when only the newest release is offered; gives how many objects that were, and of how many.
fn collect(world: &mut World) -> (usize, usize) {
    let newest = world.releases().count() as u64;
    let needed = Needed::of(newest, &BTreeSet::from([newest]));
    let all: Vec<(ObjectDigest, bool)> =
        world.releases().flat_map(|release| objects(release.body(), &needed)).collect();
    let kept: BTreeSet<ObjectDigest> = all.iter().filter(|(_, keep)| *keep).map(|(digest, _)| *digest).collect();
    let gone: BTreeSet<ObjectDigest> =
        all.iter().map(|(digest, _)| *digest).filter(|digest| !kept.contains(digest)).collect();
    for digest in &gone {
        world.withhold(Resource::Object(*digest));
    }
    (gone.len(), all.len())
}

/// What a client fetches to come from its version to the newest one.
fn fetched(client: &Client, world: &World, version: u64) -> Vec<Resource> {
    let mut client = client.clone();
    let updated = client.update(world, version * STEP + 10).unwrap_or_else(|why| panic!("to {version}: {why}"));
    assert_eq!(updated.list.version(), version);
    client.asked.into_iter().filter(|resource| matches!(resource, Resource::Object(_))).collect()
}

#[test]
fn every_client_goes_the_same_way_after_collection_now_and_later() {
    for collected_at in [2u64, 5, 8] {
        let mut full = World::founded();
        let mut clients = vec![Client::of(&full)];
        for _ in 1..=collected_at {
            let version = release(&mut full);
            let mut client = Client::of(&full);
            client.update(&full, version * STEP + 10).unwrap();
            clients.push(client);
        }
        let mut pruned = full.clone();
        let (gone, all) = collect(&mut pruned);
        assert!(collected_at < 5 || gone >= 4, "{gone} of {all} objects at version {collected_at}");
        for _ in 0..=collected_at + 1 {
            let newest = full.releases().count() as u64;
            for client in &clients {
                assert_eq!(fetched(client, &pruned, newest), fetched(client, &full, newest));
            }
            assert_eq!(release(&mut pruned), release(&mut full));
        }
    }
}

/// What whoever makes the next releases must have of the earlier ones.
#[test]
fn every_base_of_a_later_release_stays_at_hand() {
    let mut world = World::founded();
    for _ in 0..13 {
        release(&mut world);
    }
    let before: Vec<ObjectRef> = world.releases().map(|release| release.body().snapshot).collect();
    collect(&mut world);
    for version in 14..=40 {
        for base in isonomy_core::release::delta_bases(version).into_iter().filter(|base| *base <= 13) {
            let snapshot = before[base as usize - 1].sha256;
            assert!(world.get(&Resource::Object(snapshot)).is_some(), "{base}, from which {version} has a delta");
        }
    }
}
