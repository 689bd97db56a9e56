//! Damaged databases: whatever happens to the files, the store gives everything or says that it is damaged; it never
//! panics and never gives a part.

use isonomy_store::kv::{Batch, Pair, Store, StoreError};
use std::fs;
use std::path::{Path, PathBuf};

/// Makes a store with three trees, opened twice so that it has a snapshot and changes after it.
fn build(folder: &Path) {
    for round in 0..2u32 {
        let store = Store::open(folder).unwrap();
        let trees = ["first", "second", "third"].map(|name| store.tree(name).unwrap());
        for step in 0..40u32 {
            let mut batch = Batch::new();
            for (tree, weight) in trees.iter().zip(1..) {
                for i in 0..10u32 {
                    let key = (round * 10_000 + step * 7 * weight + i).to_be_bytes();
                    batch.put(tree, &key, format!("{round} {step} {i} {weight}").repeat(5).as_bytes());
                }
            }
            batch.remove(&trees[0], &(round * 10_000 + step).to_be_bytes());
            store.apply(batch).unwrap();
        }
    }
}

fn content(store: &Store) -> Result<Vec<Vec<Pair>>, StoreError> {
    ["first", "second", "third"].iter().map(|name| store.tree(name)?.iter().collect()).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

struct Original {
    dir: tempfile::TempDir,
    content: Vec<Vec<Pair>>,
}

impl Original {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        build(dir.path());
        let copied = tempfile::tempdir().unwrap();
        copy(dir.path(), copied.path());
        let content = content(&Store::open(copied.path()).unwrap()).unwrap();
        assert!(content.iter().all(|pairs| pairs.len() > 300));
        Self { dir, content }
    }

    /// The files of the database, by their paths inside the store's folder.
    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.dir.path().join("sled")).unwrap().map(|entry| entry.unwrap());
        files.filter(|file| file.path().is_file()).map(|file| Path::new("sled").join(file.file_name())).collect()
    }

    /// Whether a copy with this damage is found to be damaged; otherwise it must be complete.
    fn is_noticed(&self, file: &Path, harm: impl Fn(&mut Vec<u8>)) -> bool {
        let dir = tempfile::tempdir().unwrap();
        copy(self.dir.path(), dir.path());
        let path = dir.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        harm(&mut bytes);
        fs::write(&path, bytes).unwrap();
        match Store::open(dir.path()).and_then(|store| content(&store)) {
            Ok(found) => {
                assert!(found == self.content, "opened with other content after damage to {}", file.display());
                false
            }
            Err(StoreError::Damaged { .. }) => true,
            Err(error) => panic!("damage to {} gives another error: {error}", file.display()),
        }
    }
}

/// Numbers that look random but are the same in each run.
fn numbers(seed: u64) -> impl Iterator<Item = usize> {
    let next =
        |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    std::iter::successors(Some(seed), next).skip(1).map(|state| (state >> 33) as usize)
}

#[test]
fn flipped_bytes_are_noticed_or_harmless() {
    let original = Original::new();
    let mut noticed = 0;
    for (file, seed) in original.files().iter().zip(1..) {
        let size = fs::metadata(original.dir.path().join(file)).unwrap().len() as usize;
        let used = if file.ends_with("db") { 400_000.min(size) } else { size };
        for at in numbers(seed).take(25).map(|number| number % used).chain([0, 8, 19, 20, used - 1]) {
            noticed += usize::from(original.is_noticed(file, |bytes| bytes[at.min(size - 1)] ^= 1 << (at % 8)));
        }
    }
    assert!(noticed > 60, "{noticed}");
}

#[test]
fn truncated_files_are_noticed_or_harmless() {
    let original = Original::new();
    for (file, seed) in original.files().iter().zip(11..) {
        let size = fs::metadata(original.dir.path().join(file)).unwrap().len() as usize;
        for length in numbers(seed).take(8).map(|number| number % size).chain([0, 1, 12, 20, size / 2, size - 1]) {
            original.is_noticed(file, |bytes| bytes.truncate(length));
        }
    }
}

#[test]
fn overwritten_ranges_are_noticed_or_harmless() {
    let original = Original::new();
    for (file, seed) in original.files().iter().zip(21..) {
        let size = fs::metadata(original.dir.path().join(file)).unwrap().len() as usize;
        let used = if file.ends_with("db") { 400_000.min(size) } else { size };
        for (at, byte) in numbers(seed).take(12).map(|number| number % used).zip([0, 0xff, 1].into_iter().cycle()) {
            original.is_noticed(file, |bytes| {
                let end = bytes.len().min(at + 4096);
                bytes[at..end].fill(byte);
            });
        }
        original.is_noticed(file, |bytes| bytes.extend_from_slice(&[0; 5000]));
        original.is_noticed(file, |bytes| bytes.fill(0));
    }
}

#[test]
fn an_older_log_beside_a_newer_count_is_noticed() {
    let original = Original::new();
    let older = tempfile::tempdir().unwrap();
    copy(original.dir.path(), older.path());
    Store::open(original.dir.path()).unwrap().tree("first").unwrap().put(b"one", b"more").unwrap();
    fs::copy(original.dir.path().join("sled/changes"), older.path().join("sled/changes")).unwrap();
    assert!(matches!(Store::open(older.path()), Err(StoreError::Damaged { .. })));
}
