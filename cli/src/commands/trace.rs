//! `isonomy monitor trace`.

use super::files;
use crate::args::TraceArgs;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use isonomy_client::system_clock;
use isonomy_core::encoding::from_hex;
use isonomy_fetch::Source;
use isonomy_monitor::trace::{Complained, InVersion};
use isonomy_monitor::{Config, Trace};

/// In a folder that is thrown away afterwards.
pub(crate) async fn run(args: TraceArgs, output: &Output) -> Result<Exit> {
    let bytes = |what: &str, text: &str| {
        from_hex(text).ok_or_else(|| Malformed(format!("the {what} is not hexadecimal: give two digits for each byte")))
    };
    let entry = bytes("entry", &args.entry)?;
    let salt = args.salt.as_deref().map(|salt| bytes("salt", salt)).transpose()?;
    let scratch = tempfile::Builder::new().prefix("isonomy-trace-").tempdir()?;
    let sources = args.log.sources.iter().map(|text| Source::parse(text)).collect::<Result<_, _>>()?;
    let policy = files::tlog_policy(&args.log.policy)?;
    let config = Config { sources, ..Config::new(scratch.path().to_owned(), policy) };
    let trace = isonomy_monitor::trace(config, &args.list, &entry, salt.as_deref(), system_clock()).await?;
    output.report(words(&trace, salt.is_some()), &trace)?;
    Ok(Exit::Done)
}

fn words(trace: &Trace, is_salted: bool) -> String {
    let line = |one: &InVersion| {
        let stands = if one.listed { "stands in" } else { "is not in" };
        format!("  it {stands} version {}, public since {}", one.version, one.public_since)
    };
    let mut lines = vec![format!("{} in {}:", trace.entry, trace.list)];
    lines.extend(trace.versions.iter().map(line));
    match &trace.complaint {
        Some(complaint) => lines.extend(complaint_words(complaint)),
        None if is_salted => lines.push("  no logged complaint is about this entry under this salt".to_owned()),
        None => {}
    }
    lines.push("With --json, each version comes with its proofs.".to_owned());
    lines.join("\n")
}

fn complaint_words(complaint: &Complained) -> Vec<String> {
    let Complained { received, deadline, .. } = complaint;
    let mut lines = vec![format!("  complaint received {received}, to be removed by {deadline}")];
    if !complaint.listed {
        lines.push("  it did not stand in the newest version that was public then".to_owned());
    }
    match (complaint.in_time, complaint.gone_since) {
        _ if !complaint.listed => {}
        (Some(true), Some(since)) => lines.push(format!("  removed in time, at {since}")),
        (Some(false), Some(since)) => lines.push(format!("  removed late, at {since}")),
        (Some(false), None) => lines.push("  the deadline is over, and it is still there".to_owned()),
        _ => lines.push("  it is still there; the deadline runs".to_owned()),
    }
    lines.extend(complaint.back_in.map(|version| format!("  it stands in the list again since version {version}")));
    lines
}
