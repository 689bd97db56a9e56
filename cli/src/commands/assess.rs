//! `isonomy assess`.

use super::{files, monitor};
use crate::args::AssessArgs;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_core::charter::Charter;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use isonomy_monitor::assess::{self, Assessment, Inputs, Weakness};
use isonomy_monitor::count;
use isonomy_publisher::charter::lint;
use isonomy_store::files as durable;

pub(crate) async fn run(args: AssessArgs, output: &Output) -> Result<Exit> {
    let scratch = tempfile::Builder::new().prefix("isonomy-assess-").tempdir()?;
    let policy = files::tlog_policy(&args.log.policy)?;
    let inputs = Inputs {
        sources: monitor::sources_of(&args.log, &policy)?,
        policy,
        list: args.list,
        size: args.size.map(TreeSize),
        as_of: args.as_of,
        corpus: args.corpus,
        scratch: scratch.path().to_owned(),
    };
    let report = assess::assess(inputs, weaknesses).await?;
    let failed = || format!("can't write into {}", args.out.display());
    durable::create_dir_all_durable(&args.out).with_context(failed)?;
    durable::replace(&args.out.join("assessment.json"), report.to_json().as_bytes()).with_context(failed)?;
    durable::replace(&args.out.join("assessment.html"), report.to_html().as_bytes()).with_context(failed)?;
    output.report(words(&report, &args.out.display().to_string()), &report)?;
    Ok(Exit::Done)
}

fn weaknesses(charter: &Charter, as_of: Timestamp) -> Vec<Weakness> {
    lint(charter, as_of).into_iter().map(|found| Weakness { field: found.field, words: found.words }).collect()
}

fn words(report: &Assessment, out: &str) -> String {
    let positives = &report.false_positives.at_charter;
    let undated = report.growth.iter().filter(|one| one.unproven).count();
    let undated = match undated {
        0 => String::new(),
        _ => format!(
            "\nSince when {undated} of the releases are public is not proven, for lack of seen proofs: times may be too late."
        ),
    };
    let doubt = match report.in_doubt.len() {
        0 => String::new(),
        some => format!(" and {some} in doubt"),
    };
    let complaints = match report.complaints.due {
        0 => String::new(),
        due => {
            let doubt = match report.complaints.in_doubt.len() {
                0 => String::new(),
                some => format!(", {some} in doubt"),
            };
            format!(
                "; nothing removed in time after {} of {}, no fault if they are wrong{doubt}",
                report.complaints.without_removal.len(),
                count(usize::try_from(due).unwrap_or(usize::MAX), "complaint", "complaints")
            )
        }
    };
    let unjudged = match report.not_judged.len() {
        0 => String::new(),
        open => format!(", and of {} it can't be told whether the rules are kept", count(open, "entry", "entries")),
    };
    let answered = report.charter.record.iter().filter(|field| field.answer.is_some()).count();
    format!(
        "{} as of {}: {} of {} files that must not match do (95 % interval {} to {}); {} of {} missed{doubt}{complaints}; {} of {} questions of the record answered; {} of the rules{unjudged}.{undated}\nThe report is in {out}: assessment.html, assessment.json",
        report.list,
        report.as_of,
        positives.count,
        positives.of,
        positives.low,
        positives.high,
        report.missed.len(),
        count(usize::try_from(report.deadlines).unwrap_or(usize::MAX), "deadline", "deadlines"),
        answered,
        report.charter.record.len(),
        count(report.breaches.len(), "breach", "breaches"),
    )
}
