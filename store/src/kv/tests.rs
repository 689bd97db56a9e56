//! Stores that are opened, changed, closed, broken and set aside.

use super::*;
use std::fs;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn open(dir: &tempfile::TempDir) -> Store {
    Store::open(dir.path()).unwrap()
}

fn damage(dir: &tempfile::TempDir) -> String {
    match Store::open(dir.path()) {
        Err(StoreError::Damaged { reason, folder }) if folder == dir.path() => reason,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("opened"),
    }
}

fn is_misuse<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Misuse(_)))
}

#[test]
fn what_was_written_is_there_again() {
    let dir = folder();
    let store = open(&dir);
    assert!(store.is_new());
    let tree = store.tree("state").unwrap();
    tree.put(b"a", b"1").unwrap();
    tree.put(b"", b"the empty key").unwrap();
    tree.put(b"b", b"").unwrap();
    tree.remove(b"a").unwrap();
    tree.remove(b"never there").unwrap();
    drop((tree, store));
    let store = open(&dir);
    assert!(!store.is_new());
    let tree = store.tree("state").unwrap();
    assert_eq!(tree.get(b"a").unwrap(), None);
    let pairs: Vec<Pair> = tree.iter().map(Result::unwrap).collect();
    assert_eq!(pairs, [(vec![], b"the empty key".to_vec()), (b"b".to_vec(), vec![])]);
}

#[test]
fn a_swap_needs_the_expected_value() {
    let dir = folder();
    let tree = open(&dir).tree("heads").unwrap();
    let swap = |old, new| tree.compare_and_swap(b"log", old, new).unwrap();
    assert_eq!(swap(Some(b"1"), Some(b"2")), Swap::Differs(None));
    assert_eq!(swap(None, Some(b"1")), Swap::Done);
    assert_eq!(swap(None, Some(b"2")), Swap::Differs(Some(b"1".to_vec())));
    assert_eq!(swap(Some(b"0"), None), Swap::Differs(Some(b"1".to_vec())));
    assert_eq!(swap(Some(b"1"), Some(b"2")), Swap::Done);
    assert_eq!(tree.get(b"log").unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(swap(Some(b"2"), None), Swap::Done);
    assert_eq!(tree.get(b"log").unwrap(), None);
}

#[test]
fn a_batch_is_applied_whole_or_not_at_all() {
    let dir = folder();
    let store = open(&dir);
    let (one, two) = (store.tree("one").unwrap(), store.tree("two").unwrap());
    let batch = |expected: &[u8]| {
        let mut batch = Batch::new();
        batch.put(&one, b"k", b"first").put(&two, b"k", b"2").put(&one, b"k", b"last");
        batch.remove(&two, b"gone").expect(&two, b"gone", Some(expected));
        batch
    };
    two.put(b"gone", b"here").unwrap();
    let error = store.apply(batch(b"elsewhere")).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { tree, key } if tree == "two" && key == b"gone"));
    assert_eq!((one.get(b"k").unwrap(), two.get(b"k").unwrap()), (None, None));
    store.apply(batch(b"here")).unwrap();
    assert_eq!(one.get(b"k").unwrap().as_deref(), Some(&b"last"[..]));
    assert_eq!(two.get(b"k").unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(two.get(b"gone").unwrap(), None);
    store.apply(Batch::new()).unwrap();
}

#[test]
fn misuse_is_refused_and_harmless() {
    let (dir, other_dir) = (folder(), folder());
    let (store, other) = (open(&dir), open(&other_dir));
    let tree = store.tree("tree").unwrap();
    let mut batch = Batch::new();
    for i in 0..=MAX_BATCH {
        batch.put(&tree, &i.to_be_bytes(), b"");
    }
    assert_eq!((batch.len(), batch.is_empty()), (MAX_BATCH + 1, false));
    assert!(is_misuse(store.apply(batch)));
    assert!(is_misuse(tree.put(&[0; MAX_KEY + 1], b"")));
    assert!(is_misuse(tree.get(&[0; MAX_KEY + 1])));
    assert!(is_misuse(tree.put(b"", &[0; MAX_VALUE + 1])));
    assert!(is_misuse(tree.page(b"", None, MAX_PAGE + 1)));
    assert!(is_misuse(store.tree("__sled__default")));
    let mut batch = Batch::new();
    batch.put(&other.tree("tree").unwrap(), b"", b"");
    assert!(is_misuse(store.apply(batch)));
    assert!(tree.iter().next().is_none());
    for i in 1..MAX_TREES {
        store.tree(&format!("t{i}")).unwrap();
    }
    assert!(is_misuse(store.tree("one-more")));
    assert_eq!(store.tree("tree").unwrap().name(), "tree");
}

#[test]
fn pairs_are_read_in_order_and_by_prefix() {
    let dir = folder();
    let store = open(&dir);
    let tree = store.tree("index").unwrap();
    for chunk in (0..700u32).collect::<Vec<_>>().chunks(MAX_BATCH) {
        let mut batch = Batch::new();
        for i in chunk {
            batch.put(&tree, format!("{}/{i:04}", i % 2).as_bytes(), &i.to_be_bytes());
        }
        store.apply(batch).unwrap();
    }
    tree.put(b"\xff", b"").unwrap();
    let keys = |scan: Scan| -> Vec<Vec<u8>> { scan.map(|pair| pair.unwrap().0).collect() };
    assert_eq!(keys(tree.iter()).len(), 701);
    assert!(keys(tree.iter()).is_sorted());
    let odd: Vec<_> = (0..350).map(|i| format!("1/{:04}", 2 * i + 1).into_bytes()).collect();
    assert_eq!(keys(tree.scan_prefix(b"1/")), odd);
    assert_eq!(keys(tree.scan_prefix(b"2")), [b""; 0]);
    let page = tree.page(b"0/", Some(b"0/0690"), 10).unwrap();
    assert_eq!(
        page.iter().map(|(key, _)| key.as_slice()).collect::<Vec<_>>(),
        [b"0/0692", b"0/0694", b"0/0696", b"0/0698"]
    );
    assert_eq!(tree.page(b"1/", Some(b"0/9"), 1).unwrap()[0].0, b"1/0001");
    assert!(tree.page(b"0/", Some(b"1"), 1).unwrap().is_empty());
    assert_eq!(tree.last(b"0/").unwrap().unwrap().0, b"0/0698");
    assert_eq!(tree.last(b"").unwrap().unwrap().0, b"\xff");
    assert_eq!(tree.last(b"0/1").unwrap(), None);
}

#[test]
fn threads_that_swap_lose_nothing() {
    let dir = folder();
    let tree = open(&dir).tree("counter").unwrap();
    tree.put(b"n", &0u32.to_be_bytes()).unwrap();
    let increment = || {
        loop {
            let old = tree.get(b"n").unwrap().unwrap();
            let new = u32::from_be_bytes(old.as_slice().try_into().unwrap()) + 1;
            if tree.compare_and_swap(b"n", Some(&old), Some(&new.to_be_bytes())).unwrap() == Swap::Done {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| increment()));
        }
    });
    assert_eq!(tree.get(b"n").unwrap().unwrap(), 40u32.to_be_bytes());
}

#[test]
fn the_largest_pairs_stay_inside_the_log_that_is_synchronised() {
    let dir = folder();
    let store = open(&dir);
    let tree = store.tree("large").unwrap();
    let key = |i: usize| [&[i as u8], &[b'x'; MAX_KEY - 1][..]].concat();
    let files_outside_the_log = || fs::read_dir(dir.path().join("sled/blobs")).unwrap().count();
    for (round, size) in [(0, 100), (1, 7)] {
        for chunk in (0..140).map(|i| (i * 37) % 140).collect::<Vec<usize>>().chunks(size) {
            let mut batch = Batch::new();
            for &i in chunk {
                batch.put(&tree, &key(i), &[(i + round) as u8; MAX_VALUE]);
            }
            store.apply(batch).unwrap();
            assert_eq!(files_outside_the_log(), 0);
        }
    }
    for i in (0..140).filter(|i| i % 7 > 0) {
        tree.remove(&key(i)).unwrap();
        assert_eq!(files_outside_the_log(), 0);
    }
    drop((tree, store));
    let tree = open(&dir).tree("large").unwrap();
    assert_eq!(tree.iter().count(), 20);
    assert!(tree.iter().all(|pair| pair.is_ok_and(|(key, value)| value == [key[0] + 1; MAX_VALUE])));
    assert_eq!(files_outside_the_log(), 0);
}

#[test]
fn one_store_per_folder() {
    let dir = folder();
    let store = open(&dir);
    let tree = store.tree("tree").unwrap();
    drop(store);
    assert!(matches!(Store::open(dir.path()), Err(StoreError::File(files::FileError::InUse { .. }))));
    assert!(matches!(set_aside(dir.path()), Err(StoreError::File(files::FileError::InUse { .. }))));
    drop(tree);
    open(&dir);
}

#[test]
fn after_a_failure_nothing_works_until_it_is_opened_again() {
    let dir = folder();
    let store = open(&dir);
    let tree = store.tree("tree").unwrap();
    tree.put(b"k", b"v").unwrap();
    let full = || Failure::Io(std::io::ErrorKind::StorageFull.into());
    assert!(matches!(store.shared.write(|_| Err::<(), _>(full())), Err(StoreError::Failed { .. })));
    let is_poisoned = |error| matches!(error, StoreError::Poisoned { .. });
    assert!(is_poisoned(tree.get(b"k").unwrap_err()));
    assert!(is_poisoned(tree.put(b"k", b"v").unwrap_err()));
    assert!(is_poisoned(tree.iter().next().unwrap().unwrap_err()));
    assert!(is_poisoned(store.tree("tree").err().unwrap()));
    drop((store, tree));
    assert_eq!(open(&dir).tree("tree").unwrap().get(b"k").unwrap().unwrap(), b"v");
}

#[test]
fn a_damaged_database_is_set_aside_and_made_anew() {
    let dir = folder();
    assert_eq!(set_aside(dir.path()).unwrap(), None);
    for number in 1..3 {
        open(&dir).tree("tree").unwrap().put(b"k", b"v").unwrap();
        fs::write(dir.path().join("sled/conf"), b"not what it was").unwrap();
        damage(&dir);
        let aside = set_aside(dir.path()).unwrap().unwrap();
        assert_eq!(aside, dir.path().join(format!("sled.damaged-{number}")));
        assert!(aside.join("db").is_file());
        let store = open(&dir);
        assert!(store.is_new());
        assert_eq!(store.tree("tree").unwrap().get(b"k").unwrap(), None);
    }
}

#[test]
fn missing_changes_and_files_are_damage() {
    for (name, content) in [
        ("db", None),
        ("conf", None),
        ("changes", None),
        ("db", Some("")),
        ("changes", Some("")),
        ("changes", Some("2\n")),
        ("changes", Some("000000000000000000002\n")),
        ("changes", Some("00000000000000000005\n")), // there were four
    ] {
        let dir = folder();
        let tree = open(&dir).tree("tree").unwrap();
        (0..4).for_each(|_| tree.put(b"k", b"v").unwrap());
        drop(tree);
        let path = dir.path().join("sled").join(name);
        match content {
            Some(content) => fs::write(path, content).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        damage(&dir);
    }
}

#[test]
fn a_count_that_lags_behind_is_not_damage() {
    let dir = folder();
    open(&dir).tree("tree").unwrap().put(b"k", b"v").unwrap();
    fs::write(dir.path().join("sled/changes"), "00000000000000000000\n").unwrap();
    assert_eq!(open(&dir).tree("tree").unwrap().get(b"k").unwrap().unwrap(), b"v");
}

#[test]
fn what_a_dying_process_leaves_half_done_does_no_harm() {
    let dir = folder();
    fs::create_dir(dir.path().join("sled")).unwrap();
    fs::write(dir.path().join("sled/conf"), b"half").unwrap();
    fs::write(dir.path().join("creating"), b"").unwrap();
    let store = open(&dir);
    assert!(store.is_new());
    store.tree("tree").unwrap().put(b"k", b"v").unwrap();
    drop(store);
    fs::write(dir.path().join("sled/snap.00000000FFFFFFFF.generating"), b"half").unwrap();
    assert_eq!(open(&dir).tree("tree").unwrap().get(b"k").unwrap().unwrap(), b"v");
}
