//! `isonomy log collect`.

use super::log;
use crate::args::CollectArgs;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::Result;
use isonomy_log_server::collect::{CollectReport, Collected, Mode, collect};

const DAY: u64 = 86_400;

pub(super) fn run(args: &CollectArgs, output: &Output) -> Result<Exit> {
    let (config, _) = log::from_file(&args.config)?;
    let mode = if args.remove { Mode::Remove } else { Mode::DryRun };
    let report = collect(config, args.least_age.saturating_mul(DAY), mode)?;
    output.report(words(&report), &report)?;
    Ok(Exit::Done)
}

fn words(report: &CollectReport) -> String {
    let mut lines: Vec<String> = report.collected.iter().map(object_words).collect();
    let (count, bytes) = (report.collected.len(), report.bytes());
    lines.push(format!("kept: {} objects, {} bytes, judged at {}", report.kept, report.kept_bytes, report.now));
    lines.push(match (count, report.removed) {
        (0, _) => "nothing can be removed".to_owned(),
        (_, true) => format!("✓ {count} objects removed, {bytes} bytes"),
        (_, false) => format!("{count} objects could be removed, {bytes} bytes: do it with --remove"),
    });
    lines.join("\n")
}

fn object_words(object: &Collected) -> String {
    let Collected { list, version, what, sha256, size, why } = object;
    format!("{list} version {version}, {what}: {size} bytes, {sha256}\n  {why}")
}
