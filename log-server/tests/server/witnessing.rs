//! Rounds with witnesses that are slow, gone, or others than before.

use crate::lists::{LIST, Publisher, by_all, charter};
use crate::world::World;
use crate::{checkpoint, publish, published};
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;
use std::time::{Duration, Instant};

/// How many of the witnesses have cosigned the published checkpoint.
async fn cosigners(world: &World) -> usize {
    checkpoint(world).await.note().signatures().len() - 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_never_answers_delays_nobody() {
    let mut world = World::new().await;
    world.silent_witness(2).await;
    world.start_log().await;
    checkpoint(&world).await;
    let publisher = Publisher::new(&charter(LIST));
    let began = Instant::now();
    for number in 0..20 {
        let statement = by_all(charter(&format!("hotline.example/l-{number}")).to_text().unwrap());
        assert_eq!(publish(&world, &statement, &publisher).await.index, LeafIndex(number));
    }
    // It is waited for at most once; twenty times the shortest patience would be ten seconds.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(cosigners(&world).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_witness_is_heard_when_nobody_waits() {
    let mut world = World::new().await;
    world.republish_every = Duration::from_millis(200);
    world.slow_witness(2, Duration::from_millis(1500)).await;
    world.start_log().await;
    publish(&world, &by_all(charter(LIST).to_text().unwrap()), &Publisher::new(&charter(LIST))).await;
    let until = Instant::now() + Duration::from_secs(60);
    while cosigners(&world).await < 3 {
        assert!(Instant::now() < until, "clients that count on it would never see it");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// This log's policy with two of the three witnesses, both of which are needed.
fn both_of(world: &World, one: usize, other: usize) -> Policy {
    let text = world.policy_text();
    let left_out = |line: &&str| (0..3).all(|n| n == one || n == other || !line.starts_with(&format!("witness w{n} ")));
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("group")).filter(left_out).collect();
    let group = format!("group all-of-them 2 w{one} w{other}");
    let (quorum, rest) = kept.split_last().unwrap();
    Policy::parse(format!("{}\n{group}\n{quorum}\n", rest.join("\n")).as_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn seen_proofs_are_renewed_when_the_witnesses_change() {
    let mut world = World::new().await;
    let (before, after) = (both_of(&world, 0, 1), both_of(&world, 1, 2));
    world.policy = before.clone();
    world.start_log().await;
    let (publisher, statements) = published(&world).await;
    let holds = async |world: &World, policy: &Policy| {
        let mut all = true;
        for statement in &statements {
            let proof = TlogProof::parse(&world.get(&Resource::SeenProof(statement.id())).await.unwrap()).unwrap();
            all &= proof.verify(&statement.to_bytes(), &world.log_verifier(), policy).is_ok();
        }
        all
    };
    assert!(holds(&world, &before).await && !holds(&world, &after).await);
    let first = world.get(&Resource::SeenProof(statements[0].id())).await.unwrap();
    // Without a change nothing is renewed.
    world.stop_log().await.unwrap();
    world.start_log().await;
    publish(&world, &by_all(charter("hotline.example/l-0").to_text().unwrap()), &publisher).await;
    assert_eq!(world.get(&Resource::SeenProof(statements[0].id())).await.unwrap(), first);
    world.stop_log().await.unwrap();
    world.policy = after.clone();
    world.start_log().await;
    publish(&world, &by_all(charter("hotline.example/l-1").to_text().unwrap()), &publisher).await;
    assert!(holds(&world, &after).await, "clients with the new policy could never use what was logged before");
}
