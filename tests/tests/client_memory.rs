//! The memory that an update takes beyond the lists that it holds, as the operating system counts it (`VmHWM`), in a process
//! of its own that is a client and nothing else. At the size of an ordinary test run it is held to a limit; the figures of
//! `docs/performance.md` come from
//!
//! ```text
//! ISONOMY_MEMORY_ENTRIES=10000000 cargo test -p isonomy-tests --test client_memory -- --nocapture
//! ```
#![cfg(target_os = "linux")]

use isonomy_client::{Client, Policy, Source};
use isonomy_tests::people::{at, hashes};
use isonomy_tests::world::World;
use std::fs;
use std::path::Path;
use std::process::Command;

const FOLDERS: &str = "ISONOMY_MEMORY_FOLDERS";
const CLOCK: &str = "ISONOMY_MEMORY_CLOCK";
/// What an update may take beyond the lists: 64 MB for ten million entries, and here a snapshot more would show.
const LIMIT: u64 = 64_000_000;
const SMALL_LIMIT: u64 = 16_000_000;

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("kilobytes") * 1024
}

/// The client. Does nothing but where it was started as one.
#[test]
fn client() {
    let Ok(folders) = std::env::var(FOLDERS) else { return };
    let folders = Path::new(&folders);
    let clock = at(std::env::var(CLOCK).expect("a time").parse().expect("seconds"));
    let before = peak();
    let policy = Policy::parse(&fs::read(folders.join("policy.toml")).expect("the policy")).expect("a policy");
    let mut client = Client::open(folders.join("device"), policy).expect("a client");
    let report = client.update_blocking(&[Source::folder(folders.join("mirror"))], clock).expect("an update");
    println!("version {} peak {}", report.updated.list.version(), peak() - before);
}

/// Runs the client, and gives the version that it has then and its peak.
fn run(world: &World, folders: &Path, clock: u64) -> (u64, u64) {
    world.mirror(&folders.join("mirror")).expect("a mirror");
    fs::write(folders.join("policy.toml"), world.policy_text()).expect("the policy");
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "client", "--nocapture", "--test-threads=1"])
        .env(FOLDERS, folders)
        .env(CLOCK, clock.to_string())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().find_map(|line| Some(&line[line.find("version ")?..]));
    let line = line.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    (numbers[0], numbers[1])
}

#[test]
fn an_update_takes_little_memory_beyond_the_lists_that_it_holds() {
    let entries = std::env::var("ISONOMY_MEMORY_ENTRIES").ok().map(|text| text.parse::<u64>().expect("a number"));
    let (entries, limit) = entries.map_or((500_000, SMALL_LIMIT), |entries| (entries, LIMIT));
    let (folders, raw, churn) = (tempfile::tempdir().expect("a folder"), entries * 32, entries / 1000);
    let mut world = World::founded_with(|charter| {
        charter.limits.max_entries = 1 << 40;
        charter.limits.max_added = 1 << 40;
    });
    world.release(hashes(0..entries), 100);
    world.publish(100);
    world.publish(105);
    let (version, peak) = run(&world, folders.path(), 105);
    assert_eq!(version, 1);
    let first = peak.saturating_sub(raw);
    world.release(hashes(churn..entries + churn), 1000);
    world.publish(1000);
    world.publish(1005);
    let (version, peak) = run(&world, folders.path(), 1005);
    assert_eq!(version, 2);
    let next = peak.saturating_sub(2 * raw);
    println!("| entries | list | first update, beyond the list | update by delta, beyond the old and the new list |");
    println!("|---|---|---|---|");
    let mb = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    println!("| {entries} | {} | {} | {} |", mb(raw), mb(first), mb(next));
    assert!(first <= limit && next <= limit, "more than {limit} bytes");
}
