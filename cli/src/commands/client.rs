//! `isonomy client`.

use super::files;
use crate::args::{ClientCommand, ClientFolder};
use crate::exit::Exit;
use crate::output::Output;
use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use isonomy_client::{Change, Client, InForce, ReadOnly, Source, Status, UpdateReport, system_clock};
use isonomy_verifier::Policy;
use serde_json::json;
use std::time::Duration;

pub(crate) async fn run(command: ClientCommand, output: &Output) -> Result<Exit> {
    match command {
        ClientCommand::Update { folder, sources } => update(&folder, &sources, output).await,
        ClientCommand::Status { folder } => status(&folder, output),
    }
}

/// Opens the client's folder, for an update.
fn open(folder: &ClientFolder) -> Result<Client> {
    Ok(Client::open(&folder.state, files::client_policy(&folder.policy)?)?)
}

async fn update(folder: &ClientFolder, sources: &[String], output: &Output) -> Result<Exit> {
    let mut client = open(folder)?;
    let sources = parse_sources(sources, client.policy())?;
    let spinner = spinner("asking", output);
    let report = client.update(&sources, system_clock()).await;
    spinner.finish_and_clear();
    let report = report?;
    let status = client.status(system_clock());
    output.report(update_words(&report, &status), &update_document(&report))?;
    let usable = status.in_force.is_some_and(|in_force| in_force.freshness.is_usable());
    Ok(if usable { Exit::Done } else { Exit::Refused })
}

fn parse_sources(sources: &[String], policy: &Policy) -> Result<Vec<Source>> {
    if !sources.is_empty() {
        return Ok(sources.iter().map(|text| Source::parse(text)).collect::<Result<_, _>>()?);
    }
    match policy.log_url() {
        Some(url) => Ok(vec![Source::parse(url)?]),
        None => bail!("the policy gives no URL for its log; name a server, mirror or folder with --source"),
    }
}

/// A sign of life for people, while something takes its time.
pub(crate) fn spinner(message: &'static str, output: &Output) -> ProgressBar {
    if output.is_json() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_message(message);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

/// What an update brought, in words.
pub(crate) fn update_words(report: &UpdateReport, status: &Status) -> String {
    let list = &report.updated.list;
    let change = match report.kind {
        Change::First => format!("version {} is in force, the first here", list.version()),
        Change::Newer { from } => format!("version {} is in force, after version {from}", list.version()),
        Change::Same => format!("version {} stays in force", list.version()),
    };
    let mut lines = vec![format!("✓ {}: {change} ({} requests, {} bytes)", list.name(), report.requests, report.bytes)];
    for (path, bytes) in &report.objects {
        lines.push(format!("  content by {path}, {bytes} bytes"));
    }
    for waiting in &report.updated.pending {
        lines.push(format!("· version {} waits: {}", waiting.version, waiting.waits_for));
    }
    for refusal in &report.refusals {
        lines.push(format!("✗ {}: {}", refusal.source, refusal.message));
    }
    if let Some(in_force) = &status.in_force {
        lines.push(vouched(in_force, status));
        lines.extend(expired(in_force));
    }
    lines.join("\n")
}

/// What an expired list means; nothing for one that may be used.
fn expired(in_force: &InForce) -> Option<String> {
    let words = "! it has expired, so nothing is matched against it: its maintainer has to publish again";
    (!in_force.freshness.is_usable()).then(|| words.to_owned())
}

/// Who vouches for the list in force.
fn vouched(in_force: &InForce, status: &Status) -> String {
    let endorsed: Vec<String> =
        in_force.endorsed_by.iter().map(|curator| format!("{} ({})", curator.name, curator.jurisdiction)).collect();
    let (size, witnesses) = status.checkpoint.as_ref().map_or((String::new(), Vec::new()), |checkpoint| {
        (checkpoint.size.to_string(), checkpoint.witnessed_by.iter().map(|witness| witness.name.as_str()).collect())
    });
    format!(
        "  {} entries; endorsed by {}\n  log of {size} entries, cosigned by {}\n  public since {}; {}\n  \
         comparison code {}: the same for everybody who holds this version, and on the monitor's page",
        in_force.entries,
        endorsed.join(", "),
        witnesses.join(", "),
        in_force.public_since,
        in_force.freshness,
        in_force.code,
    )
}

fn update_document(report: &UpdateReport) -> serde_json::Value {
    let pending: Vec<_> = report
        .updated
        .pending
        .iter()
        .map(|waiting| {
            json!({
                "version": waiting.version,
                "release": waiting.release.to_hex(),
                "rule": waiting.waits_for.rule().number(),
                "code": waiting.waits_for.code(),
                "message": waiting.waits_for.to_string(),
            })
        })
        .collect();
    json!({
        "list": report.updated.list.name(),
        "version": report.updated.list.version(),
        "kind": report.kind,
        "source": report.source,
        "requests": report.requests,
        "bytes": report.bytes,
        "objects": report.objects,
        "pending": pending,
        "refusals": report.refusals,
    })
}

/// Looks into the client's folder, without disturbing an update that may be going on.
pub(crate) fn look(folder: &ClientFolder) -> Result<ReadOnly> {
    Ok(Client::open_read_only(&folder.state, files::client_policy(&folder.policy)?)?)
}

fn status(folder: &ClientFolder, output: &Output) -> Result<Exit> {
    let client = look(folder)?;
    let status = client.status(system_clock());
    output.report(status_words(&status), &status)?;
    Ok(Exit::Done)
}

/// A word of a charter, as it stands there.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn status_words(status: &Status) -> String {
    let mut lines = vec![format!("list {}, log {}", status.list, status.log)];
    match (&status.in_force, status.version) {
        (Some(in_force), _) => {
            lines.push(format!(
                "version {} is in force, by {} under edition {} of its charter",
                in_force.version, in_force.maintainer, in_force.edition
            ));
            lines.push(format!(
                "  for {}, to {}; a match within distance {} of {} allows at most to {}",
                word(&in_force.purpose),
                word(&in_force.aim).replace('-', " "),
                in_force.max_distance,
                in_force.algorithm,
                in_force.action
            ));
            lines.push(vouched(in_force, status));
            lines.push(format!("  created {}, expires {}", in_force.created, in_force.expires));
        }
        (None, Some(version)) => {
            lines.push(format!(
                "version {version} was accepted, but its content isn't at hand: run `isonomy client update`"
            ));
        }
        (None, None) => lines.push("no version was accepted yet: run `isonomy client update`".to_owned()),
    }
    if status.in_force.as_ref().is_some_and(|in_force| !in_force.freshness.is_usable()) {
        lines
            .push("! it has expired, so nothing is matched against it: its maintainer has to publish again".to_owned());
    }
    if status.clock_behind > 0 {
        lines.push(format!("! this machine's clock is {} s behind what the witnesses say", status.clock_behind));
    }
    if let Some(evidence) = &status.halted {
        lines.push(format!("! updates have stopped, because of the evidence {evidence}"));
    }
    lines.join("\n")
}
