//! Which second texts are signed, by one key and by several.

use super::*;

const CREATED: Timestamp = Timestamp(1_800_000_000);

fn list() -> ListName {
    ListName::new("hotline.example/images").unwrap()
}

fn text(list: &ListName, number: u64, seed: u8, role: Role) -> SignedText<'_> {
    SignedText {
        list,
        series: Series::Version,
        number,
        statement: StatementId([seed; 32]),
        created: Some(CREATED),
        role,
        free_at: Some(CREATED),
    }
}

#[test]
fn the_same_text_is_signed_again_and_another_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let list = list();
    let key_file = dir.path().join("c1.key");
    let mut memory = SigningMemory::of_key(&key_file).unwrap();
    memory.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
    drop(memory);
    let mut memory = SigningMemory::of_key(&key_file).unwrap();
    memory.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
    memory.remember(&text(&list, 2, 2, Role::Curator), &[], CREATED).unwrap();
    let edition = SignedText { series: Series::Edition, created: None, ..text(&list, 1, 3, Role::Curator) };
    memory.remember(&edition, &[], CREATED).unwrap();
    assert_eq!(memory.remembered().len(), 3);
    let error = memory.remember(&text(&list, 1, 9, Role::Curator), &[], CREATED).unwrap_err();
    assert!(error.to_string().contains("evidence against you"), "{error}");
    assert_eq!(memory.remembered().len(), 3);
    assert!(matches!(SigningMemory::of_key(&key_file), Err(MemoryError::File(FileError::InUse { .. }))));
}

#[test]
fn a_second_text_is_signed_once_the_log_shows_that_the_first_one_s_day_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let list = list();
    for role in [Role::Curator, Role::Maintainer] {
        let mut memory = SigningMemory::open(&dir.path().join(format!("{role:?}"))).unwrap();
        memory.remember(&text(&list, 1, 1, role), &[], CREATED).unwrap();
        let at = |after: u64| SignedText { free_at: Some(CREATED.plus(after)), ..text(&list, 1, 2, role) };
        assert!(memory.remember(&at(DRAFT_LIFETIME), &[], CREATED).is_err());
        let unknown = SignedText { free_at: None, ..at(0) };
        assert!(memory.remember(&unknown, &[], CREATED.plus(10 * DRAFT_LIFETIME)).is_err(), "the log must show it");
        memory.remember(&at(DRAFT_LIFETIME + 1), &[], CREATED).unwrap();
    }
}

#[test]
fn what_a_maintainer_has_signed_is_outstanding_until_its_day_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let (list, other, common) = (list(), ListName::new("hotline.example/others").unwrap(), dir.path().join("common"));
    let of = |key: &str| SigningMemory::of_key(&dir.path().join(key)).unwrap().and_in(&common).unwrap();
    let end = CREATED.plus(DRAFT_LIFETIME);
    for (key, number, seed) in [("m1", 1, 1), ("m1", 3, 3), ("m2", 2, 2)] {
        of(key).remember(&text(&list, number, seed, Role::Maintainer), &[], CREATED).unwrap();
    }
    of("m1").remember(&text(&other, 4, 4, Role::Maintainer), &[], CREATED).unwrap();
    of("m1").remember(&text(&list, 5, 5, Role::Curator), &[], CREATED).unwrap();
    let edition = SignedText { series: Series::Edition, created: None, ..text(&list, 6, 6, Role::Maintainer) };
    of("m1").remember(&edition, &[], CREATED).unwrap();
    let texts = |from, now| -> Vec<(u64, StatementId, Timestamp)> {
        let all = of("m1").outstanding(&list, from, now);
        all.into_iter().map(|one| (one.version, one.release, one.until)).collect()
    };
    let [one, two, three] = [1, 2, 3].map(|number| (u64::from(number), StatementId([number; 32]), end));
    assert_eq!(texts(1, CREATED), [one, two, three]);
    assert_eq!(texts(2, end), [two, three]);
    assert_eq!(texts(1, end.plus(1)), [], "as long as no other text is signed, and no longer");
    let refused = of("m1").remember(&text(&list, 3, 9, Role::Maintainer), &[], CREATED).unwrap_err().to_string();
    assert!(refused.contains(&format!("not logged by {end}, and compose anew then")), "{refused}");
    assert!(refused.contains("against them") && !refused.contains("can be submitted"), "{refused}");
}

#[test]
fn a_curator_replaces_a_text_and_a_maintainer_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let list = list();
    let id = |seed| [StatementId([seed; 32])];
    let mut curator = SigningMemory::open(&dir.path().join("curator")).unwrap();
    curator.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
    let wrong = curator.remember(&text(&list, 1, 2, Role::Curator), &id(7), CREATED);
    assert!(matches!(wrong, Err(MemoryError::NothingReplaced(_))));
    curator.remember(&text(&list, 1, 2, Role::Curator), &id(1), CREATED).unwrap();
    assert_eq!(curator.remembered()[1].replaces, id(1));
    let again = curator.remember(&text(&list, 1, 3, Role::Curator), &id(1), CREATED);
    assert!(matches!(again, Err(MemoryError::SecondText { first: StatementId([2, ..]), .. })));
    curator.remember(&text(&list, 1, 3, Role::Curator), &id(2), CREATED).unwrap();
    // What was replaced is not signed again without a word.
    let again = curator.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED);
    assert!(matches!(again, Err(MemoryError::SecondText { first: StatementId([3, ..]), .. })), "{again:?}");
    curator.remember(&text(&list, 1, 1, Role::Curator), &id(3), CREATED).unwrap();
    assert_eq!(curator.remembered().len(), 4);
    curator.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
    assert!(curator.remember(&text(&list, 1, 3, Role::Curator), &[], CREATED).is_err());
    let mut maintainer = SigningMemory::open(&dir.path().join("maintainer")).unwrap();
    maintainer.remember(&text(&list, 1, 1, Role::Maintainer), &[], CREATED).unwrap();
    assert!(maintainer.remember(&text(&list, 1, 2, Role::Maintainer), &id(1), CREATED).is_err());
}

/// A list was begun anew twice, each time with another key of the maintainer: each memory lacks what the other has to replace.
#[test]
fn a_text_replaces_all_that_any_memory_has() {
    let dir = tempfile::tempdir().unwrap();
    let (list, common) = (list(), dir.path().join("common"));
    let of = |key: &str| SigningMemory::of_key(&dir.path().join(key)).unwrap().and_in(&common).unwrap();
    let ids = [1, 2, 3, 9].map(|seed| StatementId([seed; 32]));
    let edition =
        |seed| SignedText { series: Series::Edition, created: None, ..text(&list, 1, seed, Role::Maintainer) };
    of("m1").remember(&edition(1), &[], CREATED).unwrap();
    of("m2").remember(&edition(2), &ids[..1], CREATED).unwrap();
    let own = of("m1").remember(&edition(3), &ids[1..2], CREATED).unwrap_err();
    let both = format!("replace it with --replaces {} --replaces {}", ids[1], ids[0]);
    assert!(matches!(own, MemoryError::SecondText { first, .. } if first == ids[0]), "{own}");
    assert!(own.to_string().contains(&both), "{own}");
    let shared = of("m1").remember(&edition(3), &ids[..1], CREATED).unwrap_err();
    assert!(matches!(shared, MemoryError::SecondText { first, .. } if first == ids[1]), "{shared}");
    let never = of("m1").remember(&edition(3), &[ids[0], ids[3], ids[1]], CREATED).unwrap_err();
    assert!(matches!(never, MemoryError::NothingReplaced(id) if id == ids[3]), "{never}");
    assert_eq!(of("m1").texts(&list, Series::Edition, 1), ids[..2].iter().copied().collect());
    of("m1").remember(&edition(3), &ids[..2], CREATED).unwrap();
    assert_eq!(of("m1").texts(&list, Series::Edition, 1), ids[..3].iter().copied().collect());
    assert!(
        of("m1").texts(&list, Series::Edition, 2).is_empty() && of("m1").texts(&list, Series::Version, 1).is_empty()
    );
    // It stands in both, and neither of the others does.
    for key in ["m1", "m2"] {
        let second = of(key).remember(&edition(2), &[], CREATED);
        assert!(matches!(second, Err(MemoryError::SecondText { .. })), "{key}: {second:?}");
    }
    of("m2").remember(&edition(3), &ids[1..2], CREATED).unwrap();
    of("m2").remember(&edition(3), &[], CREATED).unwrap();
}

#[test]
fn a_memory_of_the_time_when_one_text_replaced_one_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let list = list();
    let mut memory = SigningMemory::open(dir.path()).unwrap();
    memory.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
    memory.remember(&text(&list, 1, 2, Role::Curator), &[StatementId([1; 32])], CREATED).unwrap();
    let expected = memory.remembered().to_vec();
    drop(memory);
    let journal = dir.path().join("signed.jsonl");
    let lines = std::fs::read_to_string(&journal).unwrap();
    let single = lines.replace(":[\"", ":\"").replace("\"]", "\"");
    assert_ne!(single, lines);
    std::fs::write(&journal, single).unwrap();
    // There were no seals then.
    std::fs::remove_file(dir.path().join("signed.seal")).unwrap();
    assert_eq!(SigningMemory::open(dir.path()).unwrap().remembered(), expected);
}

#[cfg(unix)]
#[test]
fn a_key_has_one_memory_by_whatever_link_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (list, key_file, alias) = (list(), dir.path().join("c1.key"), dir.path().join("alias.key"));
    std::fs::write(&key_file, "a key").unwrap();
    std::os::unix::fs::symlink(&key_file, &alias).unwrap();
    let mut memory = SigningMemory::of_key(&key_file).unwrap();
    memory.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
    drop(memory);
    let mut memory = SigningMemory::of_key(&alias).unwrap();
    let second = memory.remember(&text(&list, 1, 2, Role::Curator), &[], CREATED);
    assert!(matches!(second, Err(MemoryError::SecondText { .. })), "{second:?}");
}

#[test]
fn two_keys_of_one_role_don_t_sign_two_texts() {
    let dir = tempfile::tempdir().unwrap();
    let (list, common) = (list(), dir.path().join("signed-maintainer"));
    let of = |key: &str| SigningMemory::of_key(&dir.path().join(key)).unwrap().and_in(&common).unwrap();
    of("m1.key").remember(&text(&list, 7, 1, Role::Maintainer), &[], CREATED).unwrap();
    let other = of("m2.key").remember(&text(&list, 7, 2, Role::Maintainer), &[], CREATED);
    assert!(matches!(other, Err(MemoryError::SecondText { first: StatementId([1, ..]), .. })), "{other:?}");
    assert!(of("m2.key").remembered().is_empty());
    of("m2.key").remember(&text(&list, 7, 1, Role::Maintainer), &[], CREATED).unwrap();
    of("m2.key").remember(&text(&list, 8, 2, Role::Maintainer), &[], CREATED).unwrap();
    let later = SignedText { free_at: Some(CREATED.plus(DRAFT_LIFETIME + 1)), ..text(&list, 7, 3, Role::Maintainer) };
    of("m1.key").remember(&later, &[], CREATED).unwrap();
    // A new folder knows nothing, but the key does; and the folder learns nothing of what was refused.
    let elsewhere =
        || SigningMemory::of_key(&dir.path().join("m1.key")).unwrap().and_in(&dir.path().join("new")).unwrap();
    let second = elsewhere().remember(&text(&list, 7, 9, Role::Maintainer), &[], CREATED);
    assert!(matches!(second, Err(MemoryError::SecondText { .. })), "{second:?}");
    elsewhere().remember(&text(&list, 7, 3, Role::Maintainer), &[], CREATED).unwrap();
    let curators = dir.path().join("signed-curator");
    let of = |key: &str| SigningMemory::of_key(&dir.path().join(key)).unwrap().and_in(&curators).unwrap();
    of("c1.key").remember(&text(&list, 7, 1, Role::Curator), &[], CREATED).unwrap();
    of("c1.key").remember(&text(&list, 7, 2, Role::Curator), &[StatementId([1; 32])], CREATED).unwrap();
    // Who comes after another at the same desk may replace what that one signed.
    of("c2.key").remember(&text(&list, 7, 3, Role::Curator), &[StatementId([2; 32])], CREATED).unwrap();
    let never = of("c2.key").remember(&text(&list, 7, 4, Role::Curator), &[StatementId([9; 32])], CREATED);
    assert!(matches!(never, Err(MemoryError::NothingReplaced(_))), "{never:?}");
}

#[test]
fn a_memory_leaves_no_trace_until_something_is_signed() {
    let dir = tempfile::tempdir().unwrap();
    let (list, key_file) = (list(), dir.path().join("c1.key"));
    let mut early = SigningMemory::of_key(&key_file).unwrap();
    let mut late = SigningMemory::of_key(&key_file).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    early.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
    let refused = late.remember(&text(&list, 1, 2, Role::Curator), &[], CREATED).unwrap_err();
    assert!(matches!(refused, MemoryError::File(FileError::InUse { .. })), "{refused}");
    drop(early);
    let refused = late.remember(&text(&list, 1, 2, Role::Curator), &[], CREATED).unwrap_err();
    assert!(matches!(refused, MemoryError::SecondText { .. }), "what was signed meanwhile counts: {refused}");
    let replace = format!("--replaces {}", StatementId([1; 32]));
    assert!(refused.to_string().contains(&replace), "{refused}");
}

#[test]
fn a_damaged_memory_signs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("signed.jsonl"), "{\"list\":\n").unwrap();
    let error = SigningMemory::open(dir.path()).unwrap_err();
    assert!(matches!(error, MemoryError::Damaged { line: 1, .. }), "{error}");
    assert!(error.to_string().contains("use a new key"), "{error}");
}

#[test]
fn a_damaged_common_memory_is_put_together_from_those_of_the_keys() {
    let dir = tempfile::tempdir().unwrap();
    let (list, common) = (list(), dir.path().join("common"));
    let of = |key: &str| SigningMemory::of_key(&dir.path().join(key)).unwrap().and_in(&common);
    of("m1").unwrap().remember(&text(&list, 1, 1, Role::Maintainer), &[], CREATED).unwrap();
    of("m2").unwrap().remember(&text(&list, 2, 2, Role::Maintainer), &[], CREATED.plus(1)).unwrap();
    std::fs::write(common.join("signed.jsonl"), "{\n").unwrap();
    let error = of("m3").unwrap_err().to_string();
    assert!(!error.contains("a new key") && error.contains("in the order of their `signed_at`"), "{error}");
    let lines =
        ["m1", "m2"].map(|key| std::fs::read(dir.path().join(key.to_owned() + ".signed/signed.jsonl")).unwrap());
    std::fs::write(common.join("signed.jsonl"), lines.concat()).unwrap();
    for number in [1, 2] {
        let second = of("m3").unwrap().remember(&text(&list, number, 9, Role::Maintainer), &[], CREATED);
        assert!(matches!(second, Err(MemoryError::SecondText { .. })), "{second:?}");
    }
}

#[test]
fn a_memory_that_was_emptied_or_cut_signs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (list, key_file) = (list(), dir.path().join("c1.key"));
    let open = || SigningMemory::of_key(&key_file);
    for number in 1..=3 {
        open().unwrap().remember(&text(&list, number, 1, Role::Curator), &[], CREATED).unwrap();
    }
    let folder = dir.path().join("c1.key.signed");
    let (journal, seal) = (folder.join("signed.jsonl"), folder.join("signed.seal"));
    let (kept, sealed) = (std::fs::read_to_string(&journal).unwrap(), std::fs::read(&seal).unwrap());
    let lines: Vec<&str> = kept.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 3);
    let other = lines[0].replace("\"number\":1", "\"number\":7");
    for wrong in [String::new(), lines[..2].concat(), lines[1..].concat(), other + &lines[1..].concat()] {
        std::fs::write(&journal, &wrong).unwrap();
        let error = open().unwrap_err();
        assert!(matches!(error, MemoryError::Lost { lines: 3, .. }), "{wrong}: {error}");
        assert!(error.to_string().contains("signed.seal says that it had 3 lines"), "{error}");
        assert!(error.to_string().contains("restore this file from a copy, or use a new key"), "{error}");
        assert_eq!(std::fs::read_to_string(&journal).unwrap(), wrong, "it is not written over");
    }
    std::fs::remove_file(&journal).unwrap();
    assert!(matches!(open(), Err(MemoryError::Lost { found: 0, .. })));
    std::fs::write(&journal, &kept).unwrap();
    let long = "x".repeat(100_000);
    for damaged in ["", "{", &long] {
        std::fs::write(&seal, damaged).unwrap();
        let error = open().unwrap_err();
        assert!(matches!(error, MemoryError::Unsealed { found: 3, .. }), "a seal that is damaged is none: {error}");
        let (error, name) = (error.to_string(), seal.display());
        assert!(error.contains(&format!("{name} is unreadable")) && error.contains("it has 3 lines"), "{error}");
        assert!(error.contains(&format!("take {name} away")) && error.contains("from a copy"), "{error}");
        assert_eq!(std::fs::read_to_string(&seal).unwrap(), damaged, "it is not written over");
    }
    // A writer that was interrupted before it sealed its line lost nothing; what is from before there were seals gets one.
    for before in [Some(sealed.clone()), None] {
        match before {
            Some(before) => std::fs::write(&seal, before).unwrap(),
            None => std::fs::remove_file(&seal).unwrap(),
        }
        let more = kept.clone() + &lines[0].replace("\"number\":1", "\"number\":4");
        std::fs::write(&journal, &more).unwrap();
        assert_eq!(open().unwrap().remembered().len(), 4);
        std::fs::write(&journal, &kept).unwrap();
        assert!(matches!(open(), Err(MemoryError::Lost { lines: 4, .. })));
    }
}

#[test]
fn a_common_memory_that_lost_lines_is_put_together_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (list, common) = (list(), dir.path().join("common"));
    let of = |key: &str| SigningMemory::of_key(&dir.path().join(key)).unwrap().and_in(&common);
    of("m1").unwrap().remember(&text(&list, 1, 1, Role::Maintainer), &[], CREATED).unwrap();
    of("m2").unwrap().remember(&text(&list, 2, 2, Role::Maintainer), &[], CREATED).unwrap();
    std::fs::write(common.join("signed.jsonl"), "").unwrap();
    let error = of("m3").unwrap_err().to_string();
    assert!(error.contains("then take `signed.seal` away"), "{error}");
    // In another order than they were signed in, which their times may leave open.
    let lines =
        ["m2", "m1"].map(|key| std::fs::read(dir.path().join(key.to_owned() + ".signed/signed.jsonl")).unwrap());
    std::fs::write(common.join("signed.jsonl"), lines.concat()).unwrap();
    assert!(matches!(of("m3"), Err(MemoryError::Lost { .. })));
    std::fs::remove_file(common.join("signed.seal")).unwrap();
    let second = of("m3").unwrap().remember(&text(&list, 1, 9, Role::Maintainer), &[], CREATED);
    assert!(matches!(second, Err(MemoryError::SecondText { .. })), "{second:?}");
}
