//! `isonomy log fsck`.

use super::files;
use crate::args::FsckArgs;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use isonomy_core::note::VerifierKey;
use isonomy_core::policy::Policy;
use isonomy_core::tree::LeafIndex;
use isonomy_fetch::{HttpLimits, Source};
use isonomy_log_server::fsck::{Finding, Objects, Options, Report, fsck};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many requests are under way at a time.
const JOBS_OF_NETWORK: usize = 16;
/// How long one read waits in all for a server that says that it is asked too often.
const PATIENCE: Duration = Duration::from_secs(600);
/// How many findings are shown to people; `--json` has them all.
const SHOWN: usize = 50;

pub(crate) async fn run(args: &FsckArgs, output: &Output) -> Result<Exit> {
    let policy = args.policy.as_deref().map(files::tlog_policy).transpose()?;
    let limits = HttpLimits { put_off: PATIENCE, ..HttpLimits::default() };
    let source = Source::with_limits(&public_of(&args.source), limits)?.with_tokens(&files::tokens(&args.tokens)?);
    let options = Options {
        log: log_key(args.key.as_deref(), policy.as_ref())?,
        policy,
        objects: if args.objects { Objects::Read } else { Objects::Leave },
        minimum_index: LeafIndex(args.minimum_index),
        jobs: args.jobs.map_or_else(|| usual_jobs(&args.source), usize::from),
    };
    let (bar, started) = (progress_bar(output), Instant::now());
    let counted = bar.clone();
    let report = fsck(&source, &options, Arc::new(move |entries| counted.inc(entries))).await;
    bar.finish_and_clear();
    let report = report?;
    output.report(words(&report, started.elapsed()), &document(&report))?;
    Ok(if report.is_sound() { Exit::Done } else { Exit::Findings })
}

/// The public folder of a log server's data folder; anything else as it is.
fn public_of(source: &str) -> String {
    let public = Path::new(source).join("public");
    let is_data = !source.contains("://") && !Path::new(source).join("checkpoint").exists() && public.is_dir();
    if is_data { public.display().to_string() } else { source.to_owned() }
}

fn usual_jobs(source: &str) -> usize {
    if source.contains("://") { JOBS_OF_NETWORK } else { std::thread::available_parallelism().map_or(2, usize::from) }
}

fn log_key(typed: Option<&str>, policy: Option<&Policy>) -> Result<VerifierKey> {
    if let Some(text) = typed {
        return VerifierKey::parse(text).map_err(|error| Malformed(format!("{text}: {error}")).into());
    }
    match policy.map(Policy::logs).unwrap_or_default() {
        [log] => Ok(log.key.clone()),
        _ => bail!("the policy names not exactly one log; say with --key which one is to be checked"),
    }
}

fn progress_bar(output: &Output) -> ProgressBar {
    if output.is_json() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} entries, {per_sec}, {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn words(report: &Report, time: Duration) -> String {
    let tree = report.checkpoint.checkpoint();
    let kind = if report.holds_statements { ", each a statement with its own file and seen proof" } else { "" };
    let head = format!("{}: {} entries{kind}, root {}", tree.origin, tree.size, tree.root.to_base64());
    let collected = match report.collected {
        0 => String::new(),
        count => format!(
            "\n{count} objects are not there, and no client's way needs them: `isonomy log collect` removes such"
        ),
    };
    let bundles = match (report.bundles, report.bundles_absent) {
        (0, 0) => String::new(),
        (checked, 0) => format!("\n{checked} bundles of lists, and the index of lists if there is one, checked"),
        (checked, absent) => format!(
            "\n{checked} bundles of lists, and the index of lists if there is one, checked; {absent} lists have no bundle here: a log keeps one of each, a monitor's copy of a log none"
        ),
    };
    let head = head + &collected + &bundles;
    if report.is_sound() {
        let whole = match report.pruned {
            0 => "all of it is as it was signed".to_owned(),
            1 => "1 tile or bundle before the minimum index is gone; all else is as it was signed".to_owned(),
            count => {
                format!("{count} tiles and bundles before the minimum index are gone; all else is as it was signed")
            }
        };
        return format!("{head}\n{whole}; checked in {:.1} s", time.as_secs_f64());
    }
    let total = report.findings.len() + report.omitted;
    let shown: Vec<String> = report.findings.iter().take(SHOWN).map(|finding| format!("  {finding}")).collect();
    let more = total - shown.len();
    let more = if more > 0 { format!("\n  … and {more} more") } else { String::new() };
    let advice = "What is wrong can be put back, file by file, from a mirror or a backup; it is as good as the signatures on it. \
                  Then check again.";
    format!("{head}\n{total} findings:\n{}{more}\n{advice}", shown.join("\n"))
}

fn document(report: &Report) -> serde_json::Value {
    let tree = report.checkpoint.checkpoint();
    let finding = |finding: &Finding| json!({ "code": finding.code(), "message": finding.to_string() });
    json!({
        "origin": tree.origin,
        "size": tree.size,
        "root": tree.root,
        "statements": report.holds_statements,
        "sound": report.is_sound(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "omitted": report.omitted,
        "pruned": report.pruned,
        "collected": report.collected,
        "bundles": report.bundles,
        "bundles_absent": report.bundles_absent,
    })
}
