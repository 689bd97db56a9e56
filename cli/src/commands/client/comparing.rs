//! `isonomy client view` and `compare`.

use super::{look, open, parse_sources, spinner};
use crate::args::{ClientFolder, Overwrite};
use crate::commands::files;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_client::{Client, Compared};
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_verifier::peer::{MAX_VIEW_SIZE, Outcome};
use isonomy_verifier::view;
use serde_json::json;
use std::path::Path;

pub(super) fn view(folder: &ClientFolder, out: Option<&Path>, overwrite: Overwrite, output: &Output) -> Result<Exit> {
    let client = look(folder)?;
    let view = client.view().context("no list is in force here; run `isonomy client update` first")?;
    match out {
        None => print!("{}", view.to_text()),
        Some(path) => {
            files::save(path, view.to_text().as_bytes(), overwrite)?;
            let words = format!("✓ {}: what is in force here, for somebody else to compare", path.display());
            output.report(words, &json!({ "written": path }))?;
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn compare(folder: &ClientFolder, with: &str, sources: &[String], output: &Output) -> Result<Exit> {
    match typed(with) {
        Some(typed) => compare_typed(folder, &typed, output),
        None => compare_file(folder, Path::new(with), sources, output).await,
    }
}

/// What a person may have typed instead of a file's name.
enum Typed {
    Digest(Vec<u8>),
    Code(String),
}

fn typed(with: &str) -> Option<Typed> {
    let is_code = with.len() >= 8 && with.chars().all(|letter| letter.is_ascii_digit() || " -".contains(letter));
    match from_hex(with).filter(|bytes| bytes.len() == 32) {
        Some(digest) => Some(Typed::Digest(digest)),
        None => is_code.then(|| Typed::Code(with.to_owned())),
    }
}

/// Digits tell same from different, and nothing else.
fn compare_typed(folder: &ClientFolder, typed: &Typed, output: &Output) -> Result<Exit> {
    let client = look(folder)?;
    let digest = client.list().context("no list is in force here; run `isonomy client update` first")?.view();
    let same = match typed {
        Typed::Digest(theirs) => theirs.as_slice() == digest,
        Typed::Code(theirs) if view::digits(theirs) != view::CODE_DIGITS => {
            let (most, found) = (view::CODE_DIGITS, view::digits(theirs));
            return Err(Malformed(format!(
                "a comparison code has {most} digits, and this one {found}: read it once more"
            ))
            .into());
        }
        Typed::Code(theirs) => view::is_code(theirs, &digest),
    };
    let words = match same {
        true => "✓ same: both have this very release, at the same place of the same log".to_owned(),
        false => format!(
            "✗ different: here it is {}. One of you may just be behind: update both. If it stays different, compare the files \
             that `isonomy client view` writes",
            view::code(&digest)
        ),
    };
    let outcome = if same { "same" } else { "different" };
    output.report(words, &json!({ "outcome": outcome, "view": to_hex(&digest), "code": view::code(&digest) }))?;
    Ok(if same { Exit::Done } else { Exit::Refused })
}

async fn compare_file(folder: &ClientFolder, with: &Path, sources: &[String], output: &Output) -> Result<Exit> {
    let theirs = files::read(with, MAX_VIEW_SIZE)?;
    let mut client = open(folder)?;
    let sources = parse_sources(sources, client.policy())?;
    let spinner = spinner("comparing", output);
    let compared = client.compare(&theirs, &sources).await;
    spinner.finish_and_clear();
    let compared = compared.map_err(|error| match error {
        isonomy_client::CompareError::View(error) => Malformed(format!("{}: {error}", with.display())).into(),
        other => anyhow::Error::from(other),
    })?;
    output.report(told(&compared, &client), &compared.document())?;
    let agrees = matches!(compared.outcome, Outcome::Same | Outcome::Older { .. } | Outcome::Newer { .. });
    Ok(if agrees { Exit::Done } else { Exit::Refused })
}

/// The outcome, for people.
fn told(compared: &Compared, client: &Client) -> String {
    match &compared.outcome {
        Outcome::Same => "✓ same: both have this very release, at the same place of the same log".into(),
        Outcome::Older { version } => {
            format!("✓ older: the other one has version {version}, from which the one here descends")
        }
        Outcome::Newer { version } => {
            let words = "which descends from the one here: run `isonomy client update`";
            format!("✓ newer: the other one has version {version}, {words}")
        }
        Outcome::Forked(evidence) => {
            let breach = evidence.verify(client.policy().trust());
            let what = breach.map_or_else(|error| error.to_string(), |breach| breach.sentence());
            let path = compared.evidence.and_then(|digest| client.evidence_path(&digest));
            let kept = path.map_or(String::new(), |path| format!("\n  the proof: {}", path.display()));
            let stop = if compared.halts { "\n  updates stop; the list in force stays" } else { "" };
            format!("✗ forked: you were shown different things. {what}{kept}{stop}")
        }
        Outcome::TwoTexts { version } => format!(
            "✗ the other one's release descends from another text for version {version} than the one here; that the log holds both \
             can't be proven from what is at hand"
        ),
        Outcome::LoggedTwice => {
            "· both have the same release, which the log holds at two places: a breach of the log's".into()
        }
        Outcome::Unproven(error) => format!("✗ what the other one shows proves nothing: {error}"),
        Outcome::Undecided(rejection) => {
            format!(
                "· can't tell: {rejection}. Name another source: best the one that whoever has the newer view updates from"
            )
        }
        other => format!("· {}", other.code()),
    }
}
