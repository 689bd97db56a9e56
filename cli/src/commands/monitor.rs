//! `isonomy monitor`.

use super::serving::{self, Scheme};
use super::{attest, configuration, files, init, trace};
use crate::args::{FindingSeverityArg, FollowArgs, LogArgs, MonitorCommand};
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_core::policy::Policy;
use isonomy_fetch::{Source, Tokens};
use isonomy_monitor::alert::Mail;
use isonomy_monitor::config::{AlertSection, ConfigFile, LogSection};
use isonomy_monitor::watch::{self, Looked};
use isonomy_monitor::{Alerts, Config, Followed, RATES, Report, Severity, Watch, count, folder};
use isonomy_serve::Settings;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Where a monitor listens unless it is told.
const LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 7330);
/// How many seconds it waits from one look to the next, unless it is told.
const EVERY: u64 = 60;

pub(crate) async fn run(command: MonitorCommand, output: &Output) -> Result<Exit> {
    match command {
        MonitorCommand::Init { folder } => init::monitor(&folder, output),
        MonitorCommand::Attest(args) => attest::run(args, output).await,
        MonitorCommand::Trace(args) => trace::run(args, output).await,
        MonitorCommand::Run { follow, once: true } => look_once(watch(&follow)?.0, output).await,
        MonitorCommand::Run { follow, once: false } => keep_looking(watch(&follow)?.0, output).await,
        MonitorCommand::Serve { follow, listen } => serve(&follow, listen, output).await,
    }
}

async fn serve(follow: &FollowArgs, listen: Option<SocketAddr>, output: &Output) -> Result<Exit> {
    let (watch, configured) = watch(follow)?;
    let scheme = Scheme::of(&watch.serving);
    let listener = serving::listen(listen.or(configured).unwrap_or(LISTEN.into())).await?;
    let address = listener.local_addr()?;
    let server = isonomy_monitor::run(listener, watch, serving::shutdown());
    serving::run(address, scheme, "monitor", output, server).await?;
    Ok(Exit::Done)
}

/// What is followed, and where a configuration says to listen.
fn watch(args: &FollowArgs) -> Result<(Watch, Option<SocketAddr>)> {
    match &args.config {
        Some(path) => from_file(path),
        None => Ok((from_args(args)?, None)),
    }
}

fn from_args(args: &FollowArgs) -> Result<Watch> {
    let policies = args.policies.iter().map(|path| files::tlog_policy(path)).collect::<Result<Vec<_>>>()?;
    let tokens = files::tokens(&args.tokens)?;
    let sources = sources(&args.sources, &tokens)?;
    anyhow::ensure!(
        policies.len() <= 1 || sources.is_empty(),
        "of several logs, nobody can tell whose the further sources are; `isonomy monitor init` makes a configuration that says so"
    );
    let logs = policies.into_iter().map(|policy| Followed {
        sources: sources.clone(),
        tokens: tokens.clone(),
        canaries: args.canaries.clone(),
        ..Followed::new(policy)
    });
    let (command, webhook) = (args.alert_command.clone(), args.alert_webhook.clone());
    let from = args.alert_from.map_or(Severity::Warning, severity);
    Ok(Watch {
        data: args.data.clone().context("an argument is missing")?,
        logs: logs.collect(),
        alerts: Some(Alerts { command, webhook, mail: None, from }),
        poll_every: Duration::from_secs(args.every.unwrap_or(EVERY)),
        serving: Settings::new(RATES),
    })
}

fn from_file(path: &Path) -> Result<(Watch, Option<SocketAddr>)> {
    let (file, folder) = configuration::monitor(path)?;
    let ConfigFile { data, every, logs, alerts: who, http, .. } = file;
    let watch = Watch {
        data: folder.join(data),
        logs: logs.into_iter().map(|log| followed(log, &folder)).collect::<Result<_>>()?,
        alerts: Some(alerts(who, &folder)?),
        poll_every: Duration::from_secs(every),
        serving: http.settings(&folder, RATES)?,
    };
    Ok((watch, http.listen))
}

fn followed(log: LogSection, folder: &Path) -> Result<Followed> {
    let tokens = log.token_file.map(|path| files::token_file(&folder.join(path))).transpose()?.unwrap_or_default();
    Ok(Followed {
        policy: files::tlog_policy(&folder.join(log.policy))?,
        sources: sources(&log.sources, &tokens)?,
        tokens,
        canaries: log.canaries.map(|canaries| folder.join(canaries)),
        max_new_entries: log.max_new_entries,
    })
}

fn alerts(section: AlertSection, folder: &Path) -> Result<Alerts> {
    let AlertSection { from, command, webhook, mail } = section;
    let mail = mail.map(|mail| Mail::open(&mail, folder)).transpose()?;
    Ok(Alerts { command: command.map(|command| folder.join(command)), webhook, mail, from })
}

fn sources(texts: &[String], tokens: &Tokens) -> Result<Vec<Source>> {
    texts.iter().map(|text| Ok(Source::parse(text)?.with_tokens(tokens))).collect()
}

/// From where one log is read: what was named, or else its URL in the policy.
pub(super) fn sources_of(args: &LogArgs, policy: &Policy) -> Result<Vec<Source>> {
    let tokens = files::tokens(&args.tokens)?;
    let own = policy.logs().first().and_then(|log| log.url.clone());
    match &args.sources[..] {
        [] => sources(own.as_slice(), &tokens),
        named => sources(named, &tokens),
    }
}

fn severity(arg: FindingSeverityArg) -> Severity {
    match arg {
        FindingSeverityArg::Breach => Severity::Breach,
        FindingSeverityArg::Warning => Severity::Warning,
        FindingSeverityArg::Notice => Severity::Notice,
    }
}

/// One log, of which everything is known that is in this data folder.
pub(super) fn one_log(data: &Path, args: &LogArgs) -> Result<Config> {
    let policy = files::tlog_policy(&args.policy)?;
    let [log] = policy.logs() else {
        return Err(Malformed(format!("{} must name one log", args.policy.display())).into());
    };
    let folder = folder::of_log(data, &log.key)?;
    Ok(Config { sources: sources_of(args, &policy)?, ..Config::new(folder, policy) })
}

/// Of one log its report, of several an array of them.
async fn look_once(watch: Watch, output: &Output) -> Result<Exit> {
    let are_several = watch.logs.len() > 1;
    let Looked { reports, failures } = watch::look_once(watch).await?;
    let told: Vec<String> = reports.iter().map(words).collect();
    match &reports[..] {
        // Only what failed is said.
        [] => {}
        [report] if !are_several => output.report(told.concat(), report)?,
        reports => output.report(told.join("\n"), &reports)?,
    }
    let mut failures = failures.into_iter();
    if let Some(first) = failures.next() {
        failures.for_each(|error| output.error(&error.into()));
        // Whoever runs this from cron must learn that a look failed, or that nobody was told.
        return Err(first.into());
    }
    Ok(if reports.iter().any(has_findings) { Exit::Findings } else { Exit::Done })
}

async fn keep_looking(watch: Watch, output: &Output) -> Result<Exit> {
    let told = watch::follow(watch, serving::shutdown(), |report| output.report_line(words(report), report));
    told.await??;
    Ok(Exit::Done)
}

fn has_findings(report: &Report) -> bool {
    report.findings.iter().any(|finding| finding.standing)
}

fn words(report: &Report) -> String {
    let mut lines = vec![format!(
        "{}: {}, {}; {}, {}, {}",
        report.log.origin,
        count(usize::try_from(report.log.read).unwrap_or(usize::MAX), "entry", "entries"),
        count(report.lists.len(), "list", "lists"),
        count(report.summary.breaches, "breach", "breaches"),
        count(report.summary.warnings, "warning", "warnings"),
        count(report.summary.notices, "notice", "notices"),
    )];
    for finding in report.findings.iter().filter(|finding| finding.standing) {
        let rule =
            finding.rule.as_ref().map_or(String::new(), |rule| format!("rule {} ({}): ", rule.number, rule.name));
        lines.push(format!("  {}: {rule}{}", finding.severity, finding.words));
        if let Some(evidence) = &finding.evidence {
            lines.push(format!("    logs/{}/evidence/{evidence}.json in the data folder proves it", report.log.folder));
        }
    }
    lines.join("\n")
}
