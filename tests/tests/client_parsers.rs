//! Files that come from outside: whatever their bytes, parsing never panics, and what parses has one form.

use isonomy_core::bundle::Bundle;
use isonomy_core::hash::ObjectDigest;
use isonomy_matcher::{Fingerprint, Matcher, Receipt, Verdict};
use isonomy_tests::client::Client;
use isonomy_tests::people::{at, hash, hashes, list};
use isonomy_tests::world::World;
use isonomy_verifier::{Evidence, Policy, State};
use proptest::prelude::*;
use std::sync::LazyLock;

/// One good file of each kind.
struct Files {
    state: Vec<u8>,
    policy: Vec<u8>,
    evidence: Vec<u8>,
    receipt: Vec<u8>,
    bundle: Vec<u8>,
}

static FILES: LazyLock<Files> = LazyLock::new(|| {
    let mut world = World::founded();
    world.release(hashes(0..10), 100);
    world.publish(100);
    world.publish(105);
    let mut client = Client::of(&world);
    let list = client.update(&world, 105).unwrap().list;
    let algorithm = list.charter().matching.algorithm;
    let fingerprint = Fingerprint { algorithm, hash: hash(7).to_vec(), quality: None };
    let answer = Matcher::new(list).unwrap().look_up(&fingerprint, at(105));
    let Verdict::Matched(matches) = answer.verdict else { panic!("no match") };
    let mut other = world.fork(1);
    other.release(hashes(0..11), 100);
    other.publish(105);
    let fork = Evidence::fork(world.published(), other.published(), Vec::new());
    Files {
        state: client.state.with_halt(ObjectDigest([7; 32])).to_bytes().unwrap(),
        policy: world.policy_text().into_bytes(),
        evidence: fork.to_text().into_bytes(),
        receipt: matches[0].receipt.to_text().unwrap().into_bytes(),
        bundle: world.bundle().to_bytes(),
    }
});

/// `file` with some bytes replaced by others, anywhere.
fn edited(file: impl Fn(&Files) -> &Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let file = file(&FILES).clone();
    let place = (any::<prop::sample::Index>(), 0..40usize);
    let inserted = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20),
        "[\"{}:,0-9a-z\n ]{0,20}".prop_map(String::into_bytes)
    ];
    (place, inserted).prop_map(move |((at, removed), inserted)| {
        let mut file = file.clone();
        let start = at.index(file.len());
        let end = (start + removed).min(file.len());
        file.splice(start..end, inserted);
        file
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..300)
}

proptest! {
    #[test]
    fn state(bytes in prop_oneof![edited(|files| &files.state), any_bytes()]) {
        if let Ok(state) = State::parse(&bytes, &list()) {
            prop_assert_eq!(state.to_bytes().unwrap(), bytes);
        }
    }

    #[test]
    fn policy(bytes in prop_oneof![edited(|files| &files.policy), any_bytes()]) {
        if let Ok(policy) = Policy::parse(&bytes) {
            prop_assert!(policy.ages().checkpoint < policy.accept().min_visibility);
            prop_assert!(!policy.trust().quorum().is_none());
        }
    }

    #[test]
    fn evidence(bytes in prop_oneof![edited(|files| &files.evidence), any_bytes()]) {
        if let Ok(evidence) = Evidence::parse(&bytes) {
            prop_assert_eq!(evidence.to_text().into_bytes(), bytes);
        }
    }

    #[test]
    fn receipt(bytes in prop_oneof![edited(|files| &files.receipt), any_bytes()]) {
        if let Ok(receipt) = Receipt::parse(&bytes) {
            prop_assert_eq!(receipt.to_text().into_bytes(), bytes);
        }
    }

    #[test]
    fn bundle(bytes in prop_oneof![edited(|files| &files.bundle), any_bytes()]) {
        if let Ok(bundle) = Bundle::parse(&bytes) {
            prop_assert_eq!(bundle.to_bytes(), bytes);
        }
    }

    /// Whatever a source says in the place of a bundle, an update ends, and accepts nothing that it would not have accepted.
    #[test]
    fn an_update_survives_any_bundle(bytes in edited(|files| &files.bundle)) {
        let mut world = World::founded();
        let first = world.release(hashes(0..10), 100);
        world.publish(100);
        world.publish(105);
        world.serve(World::bundle_resource(), bytes);
        if let Ok(updated) = Client::of(&world).update(&world, 105) {
            prop_assert_eq!(updated.list.accepted().release, first);
        }
    }
}
