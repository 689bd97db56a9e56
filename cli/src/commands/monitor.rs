//! `isonomy monitor`.

use super::{files, serving};
use crate::args::{MonitorCommand, MonitorFolder};
use crate::exit::Exit;
use crate::output::Output;
use anyhow::Result;
use isonomy_fetch::Source;
use isonomy_monitor::{Config, Monitor, Report};
use std::time::Duration;

pub(crate) async fn run(command: MonitorCommand, output: &Output) -> Result<Exit> {
    match command {
        MonitorCommand::Run { folder, once } => follow(&folder, once, output).await,
        MonitorCommand::Serve { folder, listen } => {
            let config = config(&folder)?;
            let listener = serving::listen(listen).await?;
            let address = listener.local_addr()?;
            serving::run(address, "monitor", output, isonomy_monitor::run(listener, config, serving::shutdown()))
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
        poll_every: Duration::from_secs(folder.every),
    })
}

async fn follow(folder: &MonitorFolder, once: bool, output: &Output) -> Result<Exit> {
    let mut monitor = Monitor::open(config(folder)?)?;
    let mut stop = std::pin::pin!(serving::shutdown());
    loop {
        let report = monitor.poll_once().await?;
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
