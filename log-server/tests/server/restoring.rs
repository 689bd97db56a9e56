//! Going on from `public/` alone.

use crate::lists::{by_all, charter};
use crate::world::World;
use crate::{audit, checkpoint, publish, published, until_published};
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_log_server::log::LogError;
use isonomy_log_server::restore::{Absent, FirstTimesAre, RestoreError, Restored, restore};
use std::fs;
use std::path::PathBuf;

/// A log that has grown to 1 entry, been copied, and then to 3; it is stopped. The copy.
async fn grown_since_a_backup() -> (World, PathBuf, crate::Publisher) {
    let mut world = World::with_log().await;
    let first = by_all(charter(crate::LIST).to_text().unwrap());
    publish(&world, &first, &crate::Publisher::new(&charter(crate::LIST))).await;
    world.stop_log().await.unwrap();
    let backup = world.data().with_extension("backup");
    crate::copy(&world.data(), &backup);
    world.start_log().await;
    let (publisher, _) = published(&world).await;
    world.stop_log().await.unwrap();
    (world, backup, publisher)
}

fn put_back(world: &World, backup: &std::path::Path, part: &str) {
    fs::remove_dir_all(world.data().join(part)).unwrap();
    crate::copy(&backup.join(part), &world.data().join(part));
}

async fn goes_on(world: &mut World, publisher: &mut crate::Publisher) {
    world.start_log().await;
    until_published(world).await;
    assert_eq!(checkpoint(world).await.checkpoint().size, TreeSize(3));
    let release = publisher.release(4..130);
    assert_eq!(publish(world, &release, publisher).await.index, LeafIndex(3));
    audit(world, &checkpoint(world).await).await;
    world.stop_log().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_completed_from_a_mirror_goes_on_after_it_is_restored() {
    let (mut world, backup, mut publisher) = grown_since_a_backup().await;
    // The backup's `private/`; `public/` from a mirror, which is as it was.
    put_back(&world, &backup, "private");
    let refused = world.failing_start().await.to_string();
    assert!(refused.contains("isonomy log restore"), "{refused}");
    let Restored { head, aside, first_times, absent } = restore(world.config(), Absent::Unknown).await.unwrap();
    assert_eq!(first_times, FirstTimesAre::TakenOver);
    assert_eq!((head.checkpoint().size, absent), (TreeSize(3), Vec::new()));
    assert_eq!(aside.unwrap(), world.data().join("private.replaced-1"));
    goes_on(&mut world, &mut publisher).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_folder_that_is_lost_is_made_anew() {
    let (mut world, _, mut publisher) = grown_since_a_backup().await;
    fs::remove_dir_all(world.data().join("private")).unwrap();
    let refused = world.failing_start().await.to_string();
    assert!(refused.contains("isonomy log restore") && refused.contains("a new key"), "{refused}");
    // The failed start has left a folder of its own.
    let restored = restore(world.config(), Absent::Unknown).await.unwrap();
    assert_eq!(restored.first_times, FirstTimesAre::Lost);
    goes_on(&mut world, &mut publisher).await;
}

/// What the log remembers would be lost by it, and an error elsewhere is not mended.
#[tokio::test(flavor = "multi_thread")]
async fn a_private_folder_that_is_as_good_is_not_replaced() {
    let (mut world, _, mut publisher) = grown_since_a_backup().await;
    let error = restore(world.config(), Absent::Unknown).await.unwrap_err();
    assert!(matches!(error, RestoreError::Sound { size: TreeSize(3) }) && error.is_refusal(), "{error}");
    for made in ["private.replaced-1", "private.trial"] {
        assert!(!world.data().join(made).exists(), "nothing was changed: {made}");
    }
    // What can't be read is lost.
    let conf = world.data().join("private/state/sled/conf");
    let length = fs::read(&conf).unwrap().len();
    fs::write(&conf, vec![0xaa; length]).unwrap();
    let restored = restore(world.config(), Absent::Unknown).await.unwrap();
    assert_eq!(restored.first_times, FirstTimesAre::Lost);
    goes_on(&mut world, &mut publisher).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_fork_or_is_not_whole_is_not_restored() {
    let (mut world, backup, _) = grown_since_a_backup().await;
    let good = world.data().with_extension("good");
    crate::copy(&world.data(), &good);
    // An older mirror: the witnesses know more.
    put_back(&world, &backup, "public");
    fs::remove_dir_all(world.data().join("private")).unwrap();
    let error = restore(world.config(), Absent::AskedByHand).await.unwrap_err();
    assert!(matches!(error, RestoreError::Log(LogError::RolledBack { .. })) && error.is_refusal(), "{error}");
    // The same, with `private/` newer than it.
    crate::copy(&good.join("private"), &world.data().join("private"));
    let error = restore(world.config(), Absent::AskedByHand).await.unwrap_err();
    let (private, public) = (TreeSize(3), TreeSize(1));
    assert!(matches!(error, RestoreError::Newer { private: a, public: b } if (a, b) == (private, public)), "{error}");
    // Something is missing.
    put_back(&world, &good, "public");
    put_back(&world, &backup, "private");
    let bundle = world.data().join("public/tile/entries/000.p/3");
    fs::rename(&bundle, bundle.with_extension("away")).unwrap();
    let error = restore(world.config(), Absent::Unknown).await.unwrap_err();
    assert!(matches!(error, RestoreError::Unsound { .. }) && error.to_string().contains("tile/entries"), "{error}");
    fs::rename(bundle.with_extension("away"), &bundle).unwrap();
    // Too few can be asked.
    world.stop_witness(0).await;
    world.stop_witness(1).await;
    let error = restore(world.config(), Absent::Unknown).await.unwrap_err();
    let words = error.to_string();
    assert!(matches!(error, RestoreError::TooFew { .. }) && words.contains("--witnesses-asked"), "{words}");
    assert!(words.contains("witness.example/w0") && words.contains("witness.example/w1"), "{words}");
    assert!(!world.data().join("private.replaced-1").exists(), "nothing was changed");
    // What the server makes anew may be damaged.
    fs::write(world.data().join("public/lists"), b"nonsense").unwrap();
    let restored = restore(world.config(), Absent::AskedByHand).await.unwrap();
    assert_eq!((restored.head.checkpoint().size, restored.absent.len()), (TreeSize(3), 2));
}
