//! What a process spends, as the kernel counts it.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often the kernel's counters are read. The peak of memory is a counter too, so only what grows in the last such moment of
/// a process could be missed.
const LOOK: Duration = Duration::from_millis(2);
/// The kernel counts processor time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// What was spent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) clock: Duration,
    pub(crate) processor: Duration,
    /// The most memory that was held at a time, in bytes; 0 if nobody looked.
    pub(crate) memory: u64,
}

/// Runs a command to its end; it must succeed.
pub(crate) fn run(mut command: Command) -> Spent {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().expect("the command starts");
    let mut spent = Spent::default();
    while let Some(memory) = peak(child.id()) {
        spent.memory = spent.memory.max(memory);
        std::thread::sleep(LOOK);
    }
    spent.clock = started.elapsed();
    // It has ended, and is still known until it is waited for.
    spent.processor = processor(&child);
    assert!(child.wait().expect("it ends").success(), "{command:?} failed");
    spent
}

/// What a server has spent so far.
pub(crate) fn so_far(child: &Child) -> Spent {
    Spent { clock: Duration::ZERO, processor: processor(child), memory: peak(child.id()).unwrap_or_default() }
}

/// Runs a piece of work in this thread.
pub(crate) fn here(work: impl FnOnce()) -> Spent {
    let (started, before) = (Instant::now(), processor_of("self"));
    work();
    Spent { clock: started.elapsed(), processor: processor_of("self") - before, memory: 0 }
}

/// The most memory that a process has held; nothing once it has ended.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok().map(|kilobytes: u64| kilobytes * 1024)
}

fn processor(child: &Child) -> Duration {
    processor_of(&child.id().to_string())
}

fn processor_of(process: &str) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u32>().ok());
    TICK * ticks.sum::<u32>()
}

/// A row of the table.
pub(crate) fn row(name: &str, spent: &Spent, raw: u64, bytes: u64) {
    let seconds = |time: Duration| format!("{:.2}", time.as_secs_f64());
    let (memory, share) = match spent.memory {
        0 => ("".to_owned(), "".to_owned()),
        memory => (format!("{:.0}", memory as f64 / 1e6), format!("{:.2}", memory as f64 / raw as f64)),
    };
    let bytes = if bytes > 0 { bytes.to_string() } else { String::new() };
    let (clock, processor) = (seconds(spent.clock), seconds(spent.processor));
    println!("| {name} | {clock} | {processor} | {memory} | {share} | {bytes} |");
}
