//! Appending, integrating, publishing, and proofs.

use super::testing::{Folder, checkpoint, key};
use super::*;
use isonomy_core::tree::{verify_consistency, verify_inclusion};

fn entries(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    range.map(|number| format!("entry {number}").into_bytes()).collect()
}

fn root_of(entries: &[Vec<u8>]) -> RootHash {
    entries.iter().map(|entry| leaf_hash(entry)).collect::<Frontier>().root()
}

#[test]
fn a_log_grows_and_proves_itself() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    let mut old = log.head();
    for (from, to) in [(0, 1), (1, 3), (3, 250), (250, 256), (256, 300), (300, 520), (520, 521)] {
        assert_eq!(log.append(&entries(from..to)).unwrap(), LeafIndex(from));
        assert_eq!((log.size(), log.integrated_size()), (TreeSize(to), TreeSize(from)));
        let head = log.integrate().unwrap();
        assert_eq!(head, log.head());
        let (tree, before) = (head.checkpoint(), old.checkpoint());
        assert_eq!(tree.root, root_of(&entries(0..to)));
        let proof = log.consistency(before.size, tree.size).unwrap();
        verify_consistency(before.size, &before.root, tree.size, &tree.root, &proof).unwrap();
        old = head;
    }
    let tree = log.head().checkpoint().clone();
    let mut reader = log.reader(tree.size);
    for index in [0, 255, 256, 519, 520].map(LeafIndex) {
        let entry = log.entries().entry(index).unwrap().to_vec();
        assert_eq!(entry, format!("entry {index}").into_bytes());
        let path = reader.inclusion(index).unwrap();
        verify_inclusion(&leaf_hash(&entry), index, tree.size, &path, &tree.root).unwrap();
    }
    let mut count = 0;
    let visit = |(index, entry): (LeafIndex, Vec<u8>)| {
        assert_eq!((index.0, entry), (count, format!("entry {count}").into_bytes()));
        count += 1;
        Ok::<_, LogError>(())
    };
    log.replay(|index, entry| Ok((index, entry)), visit).unwrap();
    assert_eq!(count, 521);
}

/// Whether there are partial tiles beside this full one.
fn has_partial(folder: &Folder, full: &str) -> bool {
    folder.path().join(format!("public/{full}.p")).exists()
}

#[test]
fn partial_tiles_go_once_a_checkpoint_with_the_full_one_is_published() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    let first = ["tile/0/000", "tile/entries/000"];
    for size in [3, 100, 255] {
        log.append(&entries(log.size().0..size)).unwrap();
        log.publish(&log.integrate().unwrap()).unwrap();
    }
    let early = log.head();
    log.append(&entries(255..300)).unwrap();
    let full = log.integrate().unwrap();
    log.publish(&early).unwrap();
    assert!(first.iter().all(|tile| has_partial(&folder, tile)), "the published tree needs them");
    log.publish(&full).unwrap();
    assert!(!first.iter().any(|tile| has_partial(&folder, tile)));
    assert!(has_partial(&folder, "tile/0/001") && has_partial(&folder, "tile/1/000"), "of those that are not full");
    // Trees of earlier sizes can be proven all the same.
    let (old, new) = (early.checkpoint(), full.checkpoint());
    for (from, to) in [(3, 100), (3, 255), (100, 300), (255, 300)] {
        log.consistency(TreeSize(from), TreeSize(to)).unwrap();
    }
    let proof = log.consistency(old.size, new.size).unwrap();
    verify_consistency(old.size, &old.root, new.size, &new.root, &proof).unwrap();
    assert_eq!(log.reader(old.size).root_at(old.size).unwrap(), old.root);
    // What a run that was interrupted has left, the next start removes.
    let left = folder.path().join("public/tile/entries/000.p/7");
    std::fs::create_dir_all(left.parent().unwrap()).unwrap();
    std::fs::write(&left, b"left").unwrap();
    drop(log);
    let log = folder.open().unwrap();
    assert!(!left.exists());
    // Level 1 fills up with 65,536 entries.
    while log.size().0 < 65_900 {
        let from = log.size().0;
        log.append(&entries(from..(from + 4000).min(65_900))).unwrap();
        log.integrate().unwrap();
    }
    log.publish(&log.head()).unwrap();
    assert!(!has_partial(&folder, "tile/1/000") && has_partial(&folder, "tile/1/001"));
    assert!(has_partial(&folder, "tile/2/000") && has_partial(&folder, "tile/entries/257"));
    assert_eq!(std::fs::read_dir(folder.path().join("public/tile/entries")).unwrap().count(), 258);
}

#[test]
fn a_damaged_bundle_is_named_before_anybody_reads_its_entries() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    log.append(&entries(0..300)).unwrap();
    log.integrate().unwrap();
    let bundle = folder.path().join("public/tile/entries/000");
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[5] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let seen = |_, _| -> Result<(), LogError> { Ok(()) };
    let error = log.replay(seen, |()| panic!("it was visited")).unwrap_err();
    assert!(error.to_string().starts_with("tile/entries/000 is damaged"), "{error}");
}

#[test]
fn what_is_committed_and_not_integrated_is_integrated_at_the_next_start() {
    let folder = Folder::new();
    let head = {
        let log = folder.open().unwrap();
        log.append(&entries(0..5)).unwrap();
        log.integrate().unwrap();
        log.append(&entries(5..300)).unwrap();
        log.append(&entries(300..301)).unwrap();
        let covered = |path: &str| log.covers(&TilePath::parse(path).unwrap());
        assert!(covered("tile/0/000.p/5") && covered("tile/entries/000.p/5") && covered("tile/0/000.p/3"));
        assert!(!covered("tile/0/000.p/7") && !covered("tile/entries/000.p/7") && !covered("tile/0/000"));
        assert!(!covered("tile/1/000.p/1") && !covered("tile/63/000.p/1") && !covered("tile/0/001.p/1"));
        assert!(matches!(log.entries().entry(LeafIndex(6)), Err(LogError::NoSuchTree { .. })));
        log.head()
    };
    let log = folder.open().unwrap();
    assert_eq!((log.head(), log.integrated()), (head.clone(), head));
    assert_eq!(log.entries().entry(LeafIndex(300)).unwrap(), b"entry 300");
    assert_eq!(log.append(&entries(301..302)).unwrap(), LeafIndex(301));
    assert_eq!(log.integrate().unwrap().checkpoint().root, root_of(&entries(0..302)));
}

#[test]
fn every_part_of_the_private_folder_can_be_lost_alone() {
    for lost in ["private/state", "private/head"] {
        let folder = Folder::new();
        let head = {
            let log = folder.open().unwrap();
            log.append(&entries(0..5)).unwrap();
            log.integrate().unwrap();
            log.append(&entries(5..300)).unwrap();
            log.append(&entries(300..310)).unwrap();
            log.head()
        };
        let path = folder.path().join(lost);
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap()
        } else {
            std::fs::remove_file(path).unwrap()
        };
        let log = folder.open().unwrap();
        assert_eq!(log.integrated(), head, "{lost}");
        log.replay(|_, _| Ok::<_, LogError>(()), |()| Ok(())).unwrap();
    }
}

#[test]
fn an_older_copy_of_the_head_is_made_anew_if_the_tiles_are_there() {
    let folder = Folder::new();
    let copy = folder.path().join("private/head");
    let (head, older) = {
        let log = folder.open().unwrap();
        log.append(&entries(0..5)).unwrap();
        log.integrate().unwrap();
        let older = std::fs::read(&copy).unwrap();
        for range in [5..9, 9..300, 300..310] {
            log.append(&entries(range)).unwrap();
            log.integrate().unwrap();
        }
        (log.head(), older)
    };
    std::fs::write(&copy, &older).unwrap();
    for staged in ["private/staged-0", "private/staged-1"] {
        std::fs::remove_file(folder.path().join(staged)).unwrap();
    }
    {
        let log = folder.open().unwrap();
        assert_eq!((log.head(), log.integrated()), (head.clone(), head.clone()));
        log.replay(|_, _| Ok::<_, LogError>(()), |()| Ok(())).unwrap();
    }
    assert_eq!(std::fs::read(&copy).unwrap(), head.to_bytes());
    // Unless they are not.
    std::fs::write(&copy, older).unwrap();
    std::fs::remove_file(folder.path().join("public/tile/0/001.p/54")).unwrap();
    assert!(folder.open().is_err());
}

#[test]
fn committed_entries_that_are_nowhere_stop_the_start() {
    let folder = Folder::new();
    {
        let log = folder.open().unwrap();
        log.append(&entries(0..5)).unwrap();
        log.integrate().unwrap();
        log.append(&entries(5..9)).unwrap();
    }
    let tape = folder.path().join("private/staged-1");
    let good = std::fs::read(&tape).unwrap();
    for harm in [&good[..good.len() - 1], &[], &[&good[..60], b"x", &good[61..]].concat()] {
        std::fs::write(&tape, harm).unwrap();
        let missing = folder.open().map(drop).unwrap_err();
        assert!(matches!(missing, LogError::StagedMissing { size: TreeSize(5), head: TreeSize(9) }), "{missing}");
    }
    std::fs::write(&tape, good).unwrap();
    assert_eq!(folder.open().unwrap().size(), TreeSize(9));
}

#[test]
fn a_bit_that_flips_between_hashing_and_staging_is_never_signed() {
    let folder = Folder::new();
    let head = {
        let log = folder.open().unwrap();
        log.append(&entries(0..5)).unwrap();
        let head = log.integrate().unwrap();
        // What `append` would have staged, had a bit of the entry flipped after it was hashed.
        let mut tip = log.tip();
        tip.staging.write(TreeSize(5), &root_of(&entries(0..6)), &[b"entry 4".to_vec()]).unwrap();
        head
    };
    let log = folder.open().unwrap();
    assert_eq!(log.head(), head, "nobody can know what was meant, and nobody was told anything");
    log.append(&entries(5..6)).unwrap();
    drop(log);
    let log = folder.open().unwrap();
    assert_eq!(log.integrated().checkpoint().root, root_of(&entries(0..6)));
}

#[test]
fn only_what_leads_to_the_head_is_published() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    assert_eq!(log.published().unwrap(), None);
    log.append(&entries(0..2)).unwrap();
    let two = log.integrate().unwrap();
    log.append(&entries(2..4)).unwrap();
    log.publish(&two).unwrap();
    assert!(matches!(log.publish(&log.head()), Err(LogError::RolledBack { .. })), "not integrated yet");
    log.publish(&log.integrate().unwrap()).unwrap();
    assert!(matches!(log.publish(&checkpoint(&key(), 5, 1)), Err(LogError::RolledBack { .. })));
    assert!(matches!(log.publish(&checkpoint(&key(), 3, 1)), Err(LogError::OtherRoot { .. })));
}

#[test]
fn remains_without_a_head_and_rolled_back_data_are_refused() {
    let folder = Folder::new();
    {
        let log = folder.open().unwrap();
        log.append(&entries(0..3)).unwrap();
        log.publish(&log.integrate().unwrap()).unwrap();
    }
    let published = checkpoint(&key(), 9, 9);
    let path = folder.path().join("public/checkpoint");
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, published.to_bytes()).unwrap();
    assert!(matches!(folder.open(), Err(LogError::RolledBack { .. })));
    std::fs::write(&path, good).unwrap();
    folder.open().unwrap();
    std::fs::remove_dir_all(folder.path().join("private/state")).unwrap();
    assert_eq!(folder.open().unwrap().size(), TreeSize(3), "the copy of the head puts the database back");
    std::fs::remove_dir_all(folder.path().join("private")).unwrap();
    assert!(matches!(folder.open(), Err(LogError::HeadMissing)));
}

#[test]
fn damage_is_found_at_start_or_when_entries_are_read() {
    let folder = Folder::new();
    {
        let log = folder.open().unwrap();
        log.append(&entries(0..3)).unwrap();
        log.integrate().unwrap();
    }
    let hashes = folder.path().join("public/tile/0/000.p/3");
    let good = std::fs::read(&hashes).unwrap();
    let mut bad = good.clone();
    bad[40] ^= 1;
    std::fs::write(&hashes, &bad).unwrap();
    assert!(matches!(folder.open(), Err(LogError::OtherRoot { .. })));
    std::fs::remove_file(&hashes).unwrap();
    assert!(matches!(folder.open(), Err(LogError::TileMissing { .. })));
    std::fs::write(&hashes, &good[1..]).unwrap();
    assert!(matches!(folder.open(), Err(LogError::Tile { .. })));
    std::fs::write(&hashes, &good).unwrap();
    let bundle = folder.path().join("public/tile/entries/000.p/3");
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[4] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let log = folder.open().unwrap();
    let replayed = log.replay(|_, _| Ok::<_, LogError>(()), |()| Ok(()));
    assert!(matches!(replayed, Err(LogError::EntriesDiffer { .. })));
    let head = log.head();
    // The damaged entry would be copied into the next tile of entries.
    log.append(&entries(3..4)).unwrap();
    assert!(matches!(log.integrate(), Err(LogError::StoredOtherwise { .. })));
    assert_eq!(log.integrated(), head, "nothing is shown");
    assert!(matches!(log.append(&entries(4..5)), Err(LogError::Failed)));
    assert!(matches!(log.integrate(), Err(LogError::Failed)));
}

#[test]
fn batches_have_their_limits() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    assert!(matches!(log.append(&[]), Err(LogError::BatchSize(0))));
    let most = MAX_BATCH as u64;
    assert!(matches!(log.append(&entries(0..most + 1)), Err(LogError::BatchSize(_))));
    assert!(matches!(log.append(&vec![vec![0; 65_535]; 257]), Err(LogError::BatchSize(257))));
    assert!(matches!(log.append(&[vec![0; 65_536]]), Err(LogError::Entries { .. })));
    assert_eq!(log.size(), TreeSize(0));
}
