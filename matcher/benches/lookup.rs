//! Lookup: `cargo bench -p isonomy-matcher --bench lookup -- [--full] [--only WORD] [--write DIR]`.
//!
//! Lists of 10^5 and 10^6 hashes (with `--full`, 10^7), uniform, derived from photographs, and with hostile skew. For each:
//! time to build, memory, one query at a time (p50 and p99 of the minimum of several passes), queries by the thousand
//! (processor time), beside the floor that memory sets (reading the same cache lines and nothing more; for a scan, as many bytes)
//! and the scan of everything. Results are held against the scan. `--write DIR` leaves list, queries and result for `peers/`.

mod support;

use isonomy_core::list::Algorithm::{PdqFull, Sha256};
use isonomy_matcher::lookup::{Arrangement, Found, Index, Instructions};
use std::fs;
use std::path::{Path, PathBuf};
use support::timing::{each, least_thread_time, process_time, quantile};
use support::workload::Workload;

const DISTANCE: u32 = 31;
const PASSES: usize = 5;

/// Queries of a scan: it is slow enough to be measured by few.
const SCANNED: usize = 60;

fn main() {
    let arguments = Arguments::read();
    println!(
        "Microseconds per query: p50, p99 and max one at a time, batch and floor as processor time. Build in processor seconds."
    );
    println!("list | way | build s | B/entry | p50 | p99 | max | batch | floor");
    for workload in arguments.workloads() {
        measure(&workload);
        if let Some(folder) = &arguments.write {
            write(&workload, folder);
        }
    }
}

#[derive(Default)]
struct Arguments {
    full: bool,
    only: Option<String>,
    write: Option<PathBuf>,
}

impl Arguments {
    fn read() -> Self {
        let mut arguments = Self::default();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--full" => arguments.full = true,
                "--only" => arguments.only = words.next(),
                "--write" => arguments.write = words.next().map(PathBuf::from),
                _ => {} // what cargo adds
            }
        }
        arguments
    }

    fn workloads(&self) -> impl Iterator<Item = Workload> {
        type Make = fn(usize, usize) -> Workload;
        let mut all: Vec<(&str, Make, usize, usize)> = vec![
            ("uniform", Workload::uniform, 100_000, 5000),
            ("photographs", Workload::photographs, 100_000, 5000),
            ("photographs", Workload::photographs, 300_000, 5000),
            ("uniform", Workload::uniform, 1_000_000, 3000),
            ("photographs", Workload::photographs, 1_000_000, 3000),
            ("hostile", Workload::hostile, 300_000, 1000),
        ];
        if self.full {
            all.push(("uniform", Workload::uniform, 10_000_000, 2000));
            all.push(("photographs", Workload::photographs, 10_000_000, 2000));
        }
        let only = self.only.clone().unwrap_or_default();
        let wanted = move |name: &str, size: usize| format!("{name} {size}").contains(&only);
        all.into_iter()
            .filter(move |(name, _, size, _)| wanted(name, *size))
            .map(|(_, make, size, queries)| make(size, queries))
    }
}

fn measure(workload: &Workload) {
    let (built, seconds) = timed(|| Index::new(PdqFull, &workload.list).expect("an index"));
    let mut index = built;
    check(workload, &index);
    for instructions in Instructions::available() {
        index = index.using(instructions);
        report(workload, &format!("buckets, {}", instructions.name()), &index, Some(seconds), workload.queries.len());
    }
    let (mut scan, seconds) = timed(|| Index::arranged(PdqFull, &workload.list, Arrangement::Scan).expect("an index"));
    for instructions in Instructions::available() {
        scan = scan.using(instructions);
        report(workload, &format!("scan, {}", instructions.name()), &scan, Some(seconds), SCANNED);
    }
    let (exact, seconds) = timed(|| Index::new(Sha256, &workload.list).expect("an index"));
    report(workload, "digests", &exact, Some(seconds), workload.queries.len());
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = process_time();
    let done = work();
    (done, (process_time() - start).as_secs_f64())
}

type Indexed<'a> = Index<&'a isonomy_core::list::Entries>;

fn report(workload: &Workload, way: &str, index: &Indexed, build: Option<f64>, queries: usize) {
    let queries = &workload.queries[..queries.min(workload.queries.len())];
    let together = queries.as_flattened();
    let single = each(queries.len(), PASSES, |number| drop(index.within(&queries[number], DISTANCE)));
    let per_query = |time: std::time::Duration| time.as_secs_f64() * 1e6 / queries.len() as f64;
    let batch = least_thread_time(PASSES, || index.within_each(together, DISTANCE, |_, _| ()).expect("hashes"));
    let floor = match way.split(',').next() {
        Some("buckets") => {
            let touched = least_thread_time(PASSES, || _ = std::hint::black_box(index.touch(together)));
            format!("{:.2}", per_query(touched))
        }
        Some("scan") => format!("{:.2}", reading(index.memory())),
        _ => "–".into(),
    };
    println!(
        "{} | {way} | {:.2} | {:.1} | {:.2} | {:.2} | {:.2} | {:.2} | {floor}",
        workload.name,
        build.unwrap_or_default(),
        index.memory() as f64 / index.len() as f64,
        quantile(&single, 0.5),
        quantile(&single, 0.99),
        quantile(&single, 1.0),
        per_query(batch),
    );
}

/// Microseconds that reading so many bytes takes, one after the other.
fn reading(bytes: usize) -> f64 {
    let words = vec![1u64; bytes / 8];
    let read = || _ = std::hint::black_box(words.iter().fold(0, |sum, word| sum ^ word));
    least_thread_time(4 * PASSES, read).as_secs_f64() * 1e6
}

/// Holds what the buckets find against the scan, for some queries.
fn check(workload: &Workload, index: &Indexed) {
    let scan = Index::arranged(PdqFull, &workload.list, Arrangement::Scan).expect("an index");
    let mut matched = 0;
    for query in workload.queries.iter().take(300) {
        let found = index.within(query, DISTANCE).expect("a hash");
        assert_eq!(found, scan.within(query, DISTANCE).expect("a hash"));
        matched += usize::from(!found.is_empty());
    }
    assert!(matched > 10, "{matched} queries matched");
}

/// List, queries and all pairs, as `peers/peers.py` reads them.
fn write(workload: &Workload, folder: &Path) {
    let folder = folder.join(workload.name.replace(' ', "-"));
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("list.bin"), workload.list.as_bytes()).expect("written");
    fs::write(folder.join("queries.bin"), workload.queries.as_flattened()).expect("written");
    let index = Index::new(PdqFull, &workload.list).expect("an index");
    let mut pairs = Vec::new();
    let mut keep = |query: usize, found: Vec<Found>| {
        let mut found = found;
        found.sort_by_key(|found| found.index);
        for Found { index, distance } in found {
            pairs.extend([query as u32, index as u32, distance].map(u32::to_le_bytes));
        }
    };
    index.within_each(workload.queries.as_flattened(), DISTANCE, &mut keep).expect("hashes");
    fs::write(folder.join("expected.bin"), pairs.as_flattened()).expect("written");
}
