//! `isonomy monitor`.

use super::{attest, files, serving};
use crate::args::{FindingSeverityArg, MonitorCommand, MonitorFolder, TraceArgs};
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use isonomy_core::encoding::from_hex;
use isonomy_fetch::Source;
use isonomy_monitor::trace::InVersion;
use isonomy_monitor::{Alerts, Config, Monitor, Report, Severity, Trace};
use std::time::Duration;

pub(crate) async fn run(command: MonitorCommand, output: &Output) -> Result<Exit> {
    match command {
        MonitorCommand::Attest(args) => attest::run(args, output).await,
        MonitorCommand::Trace(args) => follow_entry(args, output).await,
        MonitorCommand::Run { folder, once } => follow(&folder, once, output).await,
        MonitorCommand::Serve { folder, listen } => {
            let config = config(&folder)?;
            let listener = serving::listen(listen).await?;
            let address = listener.local_addr()?;
            serving::run(
                address,
                serving::Scheme::Http,
                "monitor",
                output,
                isonomy_monitor::run(listener, config, serving::shutdown()),
            )
            .await?;
            Ok(Exit::Done)
        }
    }
}

fn config(folder: &MonitorFolder) -> Result<Config> {
    let sources = folder.sources.iter().map(|text| Source::parse(text)).collect::<Result<_, _>>()?;
    Ok(Config {
        data: folder.data.clone(),
        policy: files::tlog_policy(&folder.policy)?,
        sources,
        canaries: folder.canaries.clone(),
        alerts: alerts(folder),
        poll_every: Duration::from_secs(folder.every),
    })
}

fn alerts(folder: &MonitorFolder) -> Option<Alerts> {
    let (command, webhook) = (folder.alert_command.clone(), folder.alert_webhook.clone());
    let from = match folder.alert_from {
        FindingSeverityArg::Breach => Severity::Breach,
        FindingSeverityArg::Warning => Severity::Warning,
        FindingSeverityArg::Notice => Severity::Notice,
    };
    (command.is_some() || webhook.is_some()).then_some(Alerts { command, webhook, from })
}

/// `isonomy monitor trace`: in a folder that is thrown away afterwards.
async fn follow_entry(args: TraceArgs, output: &Output) -> Result<Exit> {
    let bytes = |what: &str, text: &str| {
        from_hex(text).ok_or_else(|| Malformed(format!("the {what} is not hexadecimal: give two digits for each byte")))
    };
    let entry = bytes("entry", &args.entry)?;
    let salt = args.salt.as_deref().map(|salt| bytes("salt", salt)).transpose()?;
    let scratch = tempfile::Builder::new().prefix("isonomy-trace-").tempdir()?;
    let config = Config {
        data: scratch.path().to_owned(),
        policy: files::tlog_policy(&args.policy)?,
        sources: args.source.as_deref().map(Source::parse).transpose()?.into_iter().collect(),
        canaries: None,
        alerts: None,
        poll_every: Duration::from_secs(1),
    };
    let clock = isonomy_client::system_clock();
    let trace = isonomy_monitor::trace(config, &args.list, &entry, salt.as_deref(), clock).await?;
    output.report(trace_words(&trace), &trace)?;
    Ok(Exit::Done)
}

fn trace_words(trace: &Trace) -> String {
    let line = |one: &InVersion| {
        let stands = if one.listed { "stands in" } else { "is not in" };
        format!("  it {stands} version {}, public since {}", one.version, one.public_since)
    };
    let mut lines = vec![format!("{} in {}:", trace.entry, trace.list)];
    lines.extend(trace.versions.iter().map(line));
    if let Some(complaint) = &trace.complaint {
        lines.push(format!("  complaint received {}, to be removed by {}", complaint.received, complaint.deadline));
        lines.push(match (complaint.in_time, complaint.gone_since) {
            (Some(true), Some(since)) => format!("  removed in time, at {since}"),
            (Some(false), Some(since)) => format!("  removed late, at {since}"),
            (Some(false), None) => "  the deadline is over, and it is still there".to_owned(),
            _ => "  it is still there; the deadline runs".to_owned(),
        });
    }
    lines.push("With --json, each version comes with its proofs.".to_owned());
    lines.join("\n")
}

async fn follow(folder: &MonitorFolder, once: bool, output: &Output) -> Result<Exit> {
    let mut monitor = Monitor::open(config(folder)?)?;
    let mut stop = std::pin::pin!(serving::shutdown());
    let (alerts, mut untold) = (alerts(folder), Vec::new());
    loop {
        let report = monitor.poll_once().await?;
        untold.extend(monitor.news());
        if let Some(alerts) = &alerts {
            match alerts.tell(&report, &untold).await {
                Ok(()) => untold.clear(),
                // Whoever runs this from cron must learn that nobody was told.
                Err(error) if once => return Err(error.into()),
                Err(error) => eprintln!("an alert could not be sent and will be repeated: {error}"),
            }
        }
        if !once {
            output.report_line(words(&report), &report)?;
        } else {
            output.report(words(&report), &report)?;
            return Ok(if has_findings(&report) { Exit::Findings } else { Exit::Done });
        }
        tokio::select! {
            () = &mut stop => return Ok(Exit::Done),
            () = tokio::time::sleep(Duration::from_secs(folder.every)) => {}
        }
    }
}

fn has_findings(report: &Report) -> bool {
    report.findings.iter().any(|finding| finding.standing)
}

fn words(report: &Report) -> String {
    let mut lines = vec![format!(
        "{}: {} entries, {} lists; {} breaches, {} warnings, {} notices",
        report.log.origin,
        report.log.read,
        report.lists.len(),
        report.summary.breaches,
        report.summary.warnings,
        report.summary.notices,
    )];
    for finding in report.findings.iter().filter(|finding| finding.standing) {
        let rule =
            finding.rule.as_ref().map_or(String::new(), |rule| format!("rule {} ({}): ", rule.number, rule.name));
        lines.push(format!("  {}: {rule}{}", finding.severity, finding.words));
        if let Some(evidence) = &finding.evidence {
            lines.push(format!("    evidence {evidence}.json"));
        }
    }
    lines.join("\n")
}
