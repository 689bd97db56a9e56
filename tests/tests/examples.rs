//! The examples of the crates run, over the folder `examples/mirror`, which is what a log in memory serves. With `ISONOMY_WRITE_EXAMPLES` set,
//! the folder is written.

use isonomy_tests::people::at;
use isonomy_tests::world::World;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[allow(dead_code)]
#[path = "../../fetch/examples/read.rs"]
mod read;
#[allow(dead_code)]
#[path = "../../verifier/examples/machine.rs"]
mod update;

fn mirror() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mirror")
}

/// Every file in a folder, by its path there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => {
                    let name = entry.path().strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
                    drop(files.insert(name, fs::read(entry.path()).unwrap()));
                }
            }
        }
    }
    files
}

fn write(folder: &Path) {
    let world = World::with_release();
    world.mirror(folder).unwrap();
    fs::write(folder.join("policy.toml"), world.policy_text()).unwrap();
}

#[test]
fn the_folder_of_the_examples_is_what_a_log_serves() {
    if std::env::var_os("ISONOMY_WRITE_EXAMPLES").is_some() {
        write(&mirror());
    }
    let fresh = tempfile::tempdir().unwrap();
    write(fresh.path());
    assert!(files(&mirror()) == files(fresh.path()), "ISONOMY_WRITE_EXAMPLES=1 writes it anew");
}

#[test]
fn an_update_that_is_driven_by_hand_ends_with_the_list() {
    let (list, state) = update::update(&mirror(), at(106)).unwrap();
    assert_eq!((list.version(), list.entries().len()), (1, 10));
    assert_eq!(state.accepted().map(|accepted| accepted.version), Some(1));
    let error = update::update(&mirror(), at(90_000)).unwrap_err().to_string();
    assert!(error.contains("expired"), "{error}");
}

#[test]
fn a_log_is_read_with_and_without_a_runtime() {
    let source = mirror();
    let source = source.to_str().unwrap();
    let blocking = read::checkpoint_blocking(source).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(read::checkpoint(source)).unwrap(), blocking);
    assert!(blocking.starts_with("log.example/isonomy\n2\n"), "{blocking}");
    assert!(read::checkpoint_blocking("examples/none").is_err());
}
