//! `isonomy client`.

mod comparing;
mod telling;

use super::files;
use crate::args::{ClientCommand, ClientFolder, UpdateFrom};
use crate::exit::Exit;
use crate::output::Output;
use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use isonomy_client::{Change, Client, Progress, ReadOnly, Source, Status, UpdateOptions, UpdateReport, system_clock};
use isonomy_core::resource::Resource;
use isonomy_verifier::evidence::MAX_EVIDENCE_SIZE;
use isonomy_verifier::{Policy, VerifiedList};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

pub(crate) async fn run(command: ClientCommand, output: &Output) -> Result<Exit> {
    match command {
        ClientCommand::Update { folder, from } => update(&folder, &from, output).await,
        ClientCommand::Status { folder } => status(&folder, output),
        ClientCommand::Compare { folder, with, sources } => comparing::compare(&folder, &with, &sources, output).await,
        ClientCommand::View { folder, out, overwrite } => comparing::view(&folder, out.as_deref(), overwrite, output),
        ClientCommand::Evidence { folder, file } => evidence(&folder, &file, output),
        ClientCommand::Recover { folder, i_know_why: _ } => recover(&folder, output),
    }
}

/// Opens the client's folder, for an update.
fn open(folder: &ClientFolder) -> Result<Client> {
    Ok(Client::open(&folder.state, files::client_policy(&folder.policy)?)?)
}

async fn update(folder: &ClientFolder, from: &UpdateFrom, output: &Output) -> Result<Exit> {
    let tokens = files::tokens(&from.tokens)?;
    let mut client = open(folder)?;
    let sources = parse_sources(&from.sources, client.policy())?;
    let sources: Vec<Source> = sources.into_iter().map(|source| source.with_tokens(&tokens)).collect();
    let spinner = spinner("asking", output);
    let mut tell = |progress: Progress<'_>| spinner.set_message(doing(progress));
    let mut options = UpdateOptions::at(system_clock()).telling(&mut tell);
    if from.ask_all {
        options = options.asking_all();
    }
    let report = client.update_with(&sources, options).await;
    spinner.finish_and_clear();
    let report = report?;
    let status = client.status(system_clock());
    let mut words = update_words(&report, &status);
    if report.kind != Change::Same {
        words.extend(crowded(&report.updated.list).map(|warning| format!("\n{warning}")));
    }
    output.report(words, &report.document(system_clock()))?;
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

/// What an update is doing, in words.
fn doing(progress: Progress<'_>) -> String {
    match progress {
        Progress::Asking { source } => format!("asking {source}"),
        Progress::Fetching { resource: Resource::Object(_), received, of, .. } => {
            format!("fetching the list's content, {} of {} kB", received / 1000, of / 1000)
        }
        Progress::Checking { resource: Resource::Object(_) } => "checking the list's content".to_owned(),
        Progress::Fetching { total, .. } => format!("fetching proofs, {} kB so far", total / 1000),
        Progress::Refused { refusal } => format!("refused: {}", refusal.message),
        _ => "checking".to_owned(),
    }
}

/// What an update brought, in words.
pub(crate) fn update_words(report: &UpdateReport, status: &Status) -> String {
    let list = &report.updated.list;
    let change = match report.kind {
        Change::First => format!("version {} is in force, the first here", list.version()),
        Change::Newer { from } => format!("version {} is in force, after version {from}", list.version()),
        Change::Same => format!("version {} stays in force", list.version()),
    };
    let is_usable = status.in_force.as_ref().is_none_or(|in_force| in_force.freshness.is_usable());
    let mark = if is_usable { '✓' } else { '!' };
    let mut lines =
        vec![format!("{mark} {}: {change} ({} requests, {} bytes)", list.name(), report.requests, report.bytes)];
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
        lines.push(telling::vouched(in_force, status));
        lines.extend(telling::expired(in_force, status));
    }
    lines.join("\n")
}

/// A warning, if the list is of many variants of few pictures.
fn crowded(list: &VerifiedList) -> Option<String> {
    super::crowding::warning(list.charter().matching.algorithm, list.entries())
}

/// Looks into the client's folder, without disturbing an update that may be going on.
pub(crate) fn look(folder: &ClientFolder) -> Result<ReadOnly> {
    Ok(Client::open_read_only(&folder.state, files::client_policy(&folder.policy)?)?)
}

fn status(folder: &ClientFolder, output: &Output) -> Result<Exit> {
    let client = look(folder)?;
    let status = client.status(system_clock());
    output.report(telling::status_words(&status), &status)?;
    Ok(Exit::Done)
}

fn evidence(folder: &ClientFolder, file: &Path, output: &Output) -> Result<Exit> {
    let mut client = open(folder)?;
    let shown = client.show_evidence(&files::read(file, MAX_EVIDENCE_SIZE)?)?;
    let outcome = match shown.halts {
        true => "updates have stopped; what is in force stays until it expires",
        false => "it changes nothing here: each release is judged by the rules anyway",
    };
    let words = format!("✓ proven: {}\n  {outcome}", shown.breach.sentence());
    output.report(words, &shown.document())?;
    Ok(Exit::Done)
}

fn recover(folder: &ClientFolder, output: &Output) -> Result<Exit> {
    let client = Client::open_recovered(&folder.state, files::client_policy(&folder.policy)?)?;
    let (version, accepted) = (client.state().floor(), client.state().accepted());
    let kept = match (accepted, version) {
        (Some(accepted), _) => format!("; version {} is still never given up for an older one", accepted.version),
        (None, Some(version)) => {
            format!("; so is the release in force, and nothing older than version {version} is taken")
        }
        (None, None) => String::new(),
    };
    let words = format!("✓ the checkpoint and the witnessed time are forgotten{kept}. Run `isonomy client update`.");
    output.report(words, &json!({ "recovered": true, "version": version }))?;
    Ok(Exit::Done)
}
