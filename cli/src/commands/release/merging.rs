//! `isonomy release merge`.

use crate::commands::files;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_core::release::Release;
use isonomy_core::statement::{MAX_STATEMENT_SIZE, Signed, Statement};
use isonomy_publisher::{draft, endorse};
use serde_json::json;
use std::path::{Path, PathBuf};

pub(super) fn run(folder: &Path, copies: &[PathBuf], output: &Output) -> Result<Exit> {
    let own = draft::read_release(folder)?;
    let charter = draft::read_charter(folder, own.body())?;
    let charter = charter.context("the draft folder lacks the charter that its release cites")?;
    let mut all = vec![own];
    for path in copies {
        all.push(copy(path)?);
    }
    let merged = endorse::merge(&all, charter.body())?;
    draft::write_release(folder, &merged)?;
    let names: Vec<&str> = merged.note().signatures().iter().map(|line| line.name.as_str()).collect();
    let words = format!("✓ {} is signed by {}", folder.display(), names.join(", "));
    output.report(words, &json!({ "release": merged.id().to_hex(), "signed": names }))?;
    Ok(Exit::Done)
}

/// A curator's copy: the note alone, or its folder.
fn copy(path: &Path) -> Result<Signed<Release>> {
    if path.is_dir() {
        return Ok(draft::read_release(path)?);
    }
    let malformed = |why: &dyn std::fmt::Display| Malformed(format!("{}: {why}", path.display()));
    let statement =
        Statement::parse_draft(&files::read(path, MAX_STATEMENT_SIZE)?).map_err(|error| malformed(&error))?;
    Ok(statement.into_release().ok_or_else(|| malformed(&"it is no release"))?)
}
