//! A list from its import to a client that has verified it, each role a process of its own on this machine:
//! `cargo run --release -p isonomy-tests --example publish_at_scale -- [ENTRIES]`. A log and three witnesses serve; PDQ hashes are
//! imported, composed, endorsed by two curators and published; a new client verifies them. Then a thousandth of the entries
//! is replaced, and the same client catches up by the delta. Last, what it costs that client to open its list, before its first answer.
//!
//! Of each step: time on the clock, processor time, the most memory that its process held, and bytes. Beside them what
//! nobody goes below, measured in the same run. Needs Linux (`/proc`), and 300 bytes of disk for each entry.

mod cast;
mod floors;
mod measure;

use cast::{Cast, LIST};
use isonomy_publisher::draft::Draft;
use measure::{Spent, row};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The charter's minimum visibility in seconds, for which clients wait; not counted.
pub const VISIBILITY: u64 = 6;

fn main() {
    let entries: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let cast = Cast::start(entries);
    println!("{entries} PDQ hashes\n");
    println!("| | clock s | processor s | memory MB | × raw list | bytes |\n|---|---|---|---|---|---|");
    let raw = entries * 32;
    floors::make_input(&cast.path("hashes.txt"), 0..entries);
    floors::print(&cast, raw);
    let first = publish(&cast, Release { version: 1, input: "hashes.txt", raw });
    let churn = (entries / 1000).max(1);
    floors::make_input(&cast.path("more.txt"), churn..entries + churn);
    let second = publish(&cast, Release { version: 2, input: "more.txt", raw });
    cast.print_servers(raw);
    open(&cast, entries, raw);
    println!();
    for (version, steps) in [(1, &first), (2, &second)] {
        let total = |names: &[&str]| -> f64 {
            steps.iter().filter(|step| names.contains(&step.name)).map(|step| step.spent.clock.as_secs_f64()).sum()
        };
        println!(
            "release {version}: composed → published, witnessed by 2 of 3 → verified by a client: {:.2} s; with composing, and both \
             curators one after the other: {:.2} s",
            total(&["publish", "client"]),
            total(&["compose", "endorse", "publish", "client"]),
        );
    }
}

/// Opens the client's list: alone, with a scan, and with buckets, which are built for as many questions as this.
fn open(cast: &Cast, entries: u64, raw: u64) {
    const MANY: u64 = 500;
    let device = ["--policy", "app.toml", "--state", "device"];
    // None of them is on the list.
    let hashes: Vec<String> = (0..MANY).map(|number| floors::hex(10 * entries + number)).collect();
    let hashes: Vec<&str> = hashes.iter().map(String::as_str).collect();
    let status = [&["client", "status"][..], &device].concat();
    row("**open**", &cast.run(&status), raw, 0);
    let one = [&["match"][..], &hashes[..1], &device].concat();
    row("**open**, and scan for one hash", &cast.run(&one), raw, 0);
    let many = [&["match"][..], &hashes, &device].concat();
    row(&format!("**open**, build buckets and look {MANY} hashes up"), &cast.run(&many), raw, 0);
}

/// A release that is to be made.
struct Release<'r> {
    version: u32,
    input: &'r str,
    /// Bytes of the raw list.
    raw: u64,
}

/// What a step took.
struct Step {
    name: &'static str,
    spent: Spent,
}

fn publish(cast: &Cast, release: Release<'_>) -> Vec<Step> {
    let Release { version, input, raw } = release;
    let (list, draft) = (format!("list-{version}"), format!("draft-{version}.tar"));
    let notes = ["one", "two"].map(|curator| format!("endorsed-{version}-{curator}.note"));
    let mut steps = Vec::new();
    let mut step = |name: &'static str, words: &str, arguments: &[&str], bytes: &dyn Fn() -> u64| {
        let spent = cast.run(arguments);
        row(&format!("{words} {version}"), &spent, raw, bytes());
        steps.push(Step { name, spent });
    };
    let size = |name: &str| fs::metadata(cast.path(name)).map_or(0, |found| found.len());
    let import = ["list", "import", input, "--format", "lines", "--out", &list];
    step("import", "**import**", &import, &|| size(&list));
    let new =
        ["release", "new", &list, "--list", LIST, "--out", &draft, "--policy", "trust.policy", "--workspace", "work"];
    step("compose", "**compose**", &new, &|| size(&draft));
    for (curator, note) in ["curator-one", "curator-two"].into_iter().zip(&notes) {
        let key = format!("{curator}.example.key");
        let own = ["--key", &key, "--policy", "trust.policy", "--workspace", curator, "--out", note];
        let endorse = [&["release", "endorse", &draft][..], &own].concat();
        step("endorse", "**endorse**", &endorse, &|| size(note));
    }
    let publish = [
        "release",
        "publish",
        &draft,
        &notes[0],
        &notes[1],
        "--key",
        "maintainer.example.key",
        "--policy",
        "trust.policy",
        "--workspace",
        "work",
    ];
    step("publish", "**publish**, as the maintainer's process has it", &publish, &|| 0);
    std::thread::sleep(Duration::from_secs(VISIBILITY + 2));
    let update = ["client", "update", "--policy", "app.toml", "--state", "device"];
    step("client", "**client verified**", &update, &|| least_object(&cast.path(&draft)));
    steps
}

/// What a client fetches of a release: its snapshot if that is all there is, or else its delta.
fn least_object(draft: &Path) -> u64 {
    let report = Draft::open(draft).expect("the draft").report();
    report.objects.iter().map(|object| object.size).min().unwrap_or_default()
}
