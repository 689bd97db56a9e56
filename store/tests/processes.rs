//! What happens between processes: one is killed in the middle of its work, runs out of disk, or holds a lock.
//!
//! Each test starts this very program again as a child that runs one of the functions marked `ignore`, and talks to it
//! by lines on its standard output.

#![cfg(unix)]

use isonomy_store::files::{FileError, FolderLock};
use isonomy_store::kv::{Batch, Store, StoreError, Tree};
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const FOLDER: &str = "STORE_TEST_FOLDER";

struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(mut command: Command, role: &str, folder: &Path) -> Self {
        command.args(["--exact", role, "--ignored", "--nocapture", "--test-threads=1"]).env(FOLDER, folder);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next thing that the child says; `None` when it has ended.
    fn hear(&mut self) -> Option<String> {
        self.lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix("say ").map(str::to_owned))
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn this_program() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

fn say(what: impl std::fmt::Display) {
    println!("\nsay {what}");
    std::io::stdout().flush().unwrap();
}

fn folder_given() -> PathBuf {
    std::env::var_os(FOLDER).unwrap().into()
}

/// What the writer puts under each number: mostly small, sometimes so large that segments of the log fill up.
fn value_of(number: u64) -> Vec<u8> {
    let size = if number.is_multiple_of(11) { 50_000 } else { number % 90 };
    vec![number as u8; size as usize]
}

fn trees_of(store: &Store) -> [Tree; 3] {
    ["left", "right", "last"].map(|name| store.tree(name).unwrap())
}

fn last_number(last: &Tree) -> u64 {
    last.get(b"n").unwrap().map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()))
}

#[test]
#[ignore = "a role that other tests start"]
fn writer() {
    let store = match Store::open(&folder_given()) {
        Ok(store) => store,
        Err(error) => return say(format!("can't open: {error}")),
    };
    let [left, right, last] = trees_of(&store);
    for number in last_number(&last) + 1.. {
        let mut batch = Batch::new();
        batch.put(&left, &number.to_be_bytes(), &value_of(number));
        batch.put(&right, &number.to_be_bytes(), &value_of(number + 1));
        batch.put(&last, b"n", &number.to_be_bytes());
        match store.apply(batch) {
            Ok(()) => {
                say(number);
                continue;
            }
            Err(StoreError::Failed { .. }) => say("failed"),
            Err(error) => say(format!("unexpected: {error}")),
        }
        break;
    }
    match last.get(b"n") {
        Err(StoreError::Poisoned { .. }) => say("poisoned"),
        _ => say("unexpected: still readable"),
    }
}

/// Opens the store and checks that it holds all that was acknowledged, and every batch whole; gives the last number.
fn check(folder: &Path, acknowledged: u64) -> u64 {
    let store = Store::open(folder).unwrap();
    let [left, right, last] = trees_of(&store);
    let number = last_number(&last);
    assert!(number >= acknowledged, "{acknowledged} was acknowledged, {number} is there");
    for (tree, more) in [(left, 0), (right, 1)] {
        let mut expected = 1..=number;
        for pair in tree.iter() {
            let (key, value) = pair.unwrap();
            let number = expected.next().expect("a batch that is there in part");
            assert_eq!((key, value), (number.to_be_bytes().to_vec(), value_of(number + more)));
        }
        assert_eq!(expected.next(), None);
    }
    number
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..8 {
        let mut writer = Running::start(this_program(), "writer", dir.path());
        for _ in 0..40 + 30 * round {
            acknowledged = writer.hear().unwrap().parse().unwrap();
        }
        std::thread::sleep(Duration::from_micros(700 * round));
        writer.kill();
        while let Some(number) = writer.hear() {
            acknowledged = number.parse().unwrap();
        }
        let found = check(dir.path(), acknowledged);
        assert!(found <= acknowledged + 1, "more than one batch was on its way");
    }
}

#[test]
fn a_process_killed_while_it_opens_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..25 {
        let mut writer = Running::start(this_program(), "writer", dir.path());
        std::thread::sleep(Duration::from_millis(2 * round));
        writer.kill();
        while let Some(number) = writer.hear() {
            acknowledged = number.parse().expect("a process killed before left something that can't be opened");
        }
    }
    check(dir.path(), acknowledged);
}

/// The files of the child may have 10 MiB, beyond which writing to them fails.
#[test]
fn a_full_disk_stops_the_store_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 20480; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
    let mut writer = Running::start(shell, "writer", dir.path());
    let mut acknowledged = 0;
    let last_words = loop {
        match writer.hear().unwrap().parse() {
            Ok(number) => acknowledged = number,
            Err(_) => break writer.hear(),
        }
    };
    assert_eq!(last_words.as_deref(), Some("poisoned"));
    assert!(acknowledged > 100);
    let start = Instant::now();
    while writer.child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "a store that failed does not close");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(writer.child.wait().unwrap().success());
    check(dir.path(), acknowledged);
}

#[test]
#[ignore = "a role that other tests start"]
fn holder() {
    let _lock = FolderLock::acquire(&folder_given()).unwrap();
    say("locked");
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
fn a_lock_holds_between_processes_and_dies_with_its_holder() {
    let dir = tempfile::tempdir().unwrap();
    let mut holder = Running::start(this_program(), "holder", dir.path());
    assert_eq!(holder.hear().as_deref(), Some("locked"));
    assert!(matches!(FolderLock::acquire(dir.path()), Err(FileError::InUse { .. })));
    assert!(matches!(Store::open(dir.path()), Err(StoreError::File(FileError::InUse { .. }))));
    holder.kill();
    FolderLock::acquire(dir.path()).unwrap();
}
