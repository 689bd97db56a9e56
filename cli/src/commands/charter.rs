//! `isonomy charter`.

use super::{files, release};
use crate::args::CharterCommand;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::{Context, Result, bail};
use isonomy_client::system_clock;
use isonomy_core::charter::Charter;
use isonomy_core::statement::{MAX_STATEMENT_SIZE, Signed};
use isonomy_publisher::charter::{self, CharterReport, Edition};
use isonomy_publisher::keys;
use isonomy_publisher::memory::SigningMemory;
use isonomy_publisher::submit::submit_charter;
use serde_json::json;
use std::path::Path;

pub(crate) async fn run(command: CharterCommand, output: &Output) -> Result<Exit> {
    match command {
        CharterCommand::New { from: None, out, .. } => new_template(&out, output),
        CharterCommand::New { from: Some(from), amends, out } => new_text(&from, amends.as_deref(), &out, output),
        CharterCommand::Lint { file } => lint(&file, output),
        CharterCommand::Sign { file, key, amends, replaces } => {
            let older = amends.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
            sign(&file, &key, &older, replaces.as_deref(), output)
        }
        CharterCommand::Publish { file, policy, proof } => publish(&file, &policy, proof.as_deref(), output).await,
    }
}

fn new_template(out: &Path, output: &Output) -> Result<Exit> {
    isonomy_store::files::create_new(out, charter::template().as_bytes())?;
    let words = format!(
        "{} is written. Fill it in; then make the text that everybody signs:\n  isonomy charter new --from {} --out charter.note",
        out.display(),
        out.display()
    );
    output.report(words, &json!({ "template": out }))?;
    Ok(Exit::Done)
}

fn new_text(from: &Path, amends: Option<&Path>, out: &Path, output: &Output) -> Result<Exit> {
    let before = amends.map(read).transpose()?;
    let edition = before.as_ref().map_or(Edition::First, Edition::Amends);
    let body = parse_toml(from, edition)?;
    let draft = charter::draft(&body)?;
    isonomy_store::files::create_new(out, &draft.to_bytes())?;
    let changes = before.as_ref().map(|before| charter::changes(before.body(), &body)).unwrap_or_default();
    let signed = charter::parse(&draft.to_bytes())?;
    let older: Vec<&Charter> = before.iter().map(|before| before.body()).collect();
    let report = charter::report(&signed, &older)?;
    let mut words = report_words(&report);
    for change in &changes {
        let effect = if change.widens { "widens: needs notice" } else { "narrows" };
        words += &format!("\n  {} ({effect})", change.words);
    }
    output.report(words, &json!({ "charter": report, "changes": changes, "file": out }))?;
    Ok(Exit::Done)
}

fn parse_toml(path: &Path, edition: Edition<'_>) -> Result<Charter> {
    let bytes = files::read(path, charter::MAX_CHARTER_FILE)?;
    charter::from_toml(&bytes, edition).map_err(|error| Malformed(format!("{}: {error}", path.display())).into())
}

fn lint(path: &Path, output: &Output) -> Result<Exit> {
    let bytes = files::read(path, charter::MAX_CHARTER_FILE)?;
    let body = match charter::parse(&bytes) {
        Ok(signed) => signed.body().clone(),
        Err(_) => parse_toml(path, Edition::First)?,
    };
    let findings = charter::lint(&body);
    let lines: Vec<String> = findings.iter().map(|finding| format!("{}: {}", finding.field, finding.words)).collect();
    let words = if lines.is_empty() { "nothing is missing".to_owned() } else { lines.join("\n") };
    output.report(words, &findings)?;
    Ok(Exit::Done)
}

/// A charter in a file.
fn read(path: &Path) -> Result<Signed<Charter>> {
    let bytes = files::read(path, MAX_STATEMENT_SIZE)?;
    charter::parse(&bytes).map_err(|error| Malformed(format!("{}: {error}", path.display())).into())
}

fn sign(
    file: &Path,
    key_file: &Path,
    older: &[Signed<Charter>],
    replaces: Option<&str>,
    output: &Output,
) -> Result<Exit> {
    let (signed, key) = (read(file)?, keys::read(key_file)?);
    if signed.body().edition > 1 && older.is_empty() {
        bail!("edition {} amends an older one: name that with --amends", signed.body().edition);
    }
    let older: Vec<&Charter> = older.iter().map(Signed::body).collect();
    let mut memory = SigningMemory::of_key(key_file)?;
    let replaces = release::parse_id(replaces)?;
    let signed = charter::sign(&signed, &older, &key, &mut memory, replaces, system_clock())?;
    files::write(file, &signed.to_bytes())?;
    let report = charter::report(&signed, &older)?;
    output.report(report_words(&report), &report)?;
    Ok(Exit::Done)
}

fn report_words(report: &CharterReport) -> String {
    let missing = match &report.missing {
        Some(missing) => format!("not complete yet: {missing}"),
        None => "complete: it can be published".to_owned(),
    };
    format!(
        "charter of {}, edition {}\n  id {}\n  signed by: {}\n  not signed by: {}\n  {missing}",
        report.list,
        report.edition,
        report.id,
        listed(&report.signed),
        listed(&report.unsigned),
    )
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

async fn publish(file: &Path, policy: &Path, proof: Option<&Path>, output: &Output) -> Result<Exit> {
    let (signed, trust) = (read(file)?, files::tlog_policy(policy)?);
    let log = release::log_client(&trust)?;
    let report = submit_charter(&log, &trust, &signed).await.context("the charter was not published")?;
    release::write_proof(proof, &report)?;
    output.report(release::submit_words(&report, "charter"), &report)?;
    Ok(Exit::Done)
}
