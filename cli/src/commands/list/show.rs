//! `isonomy list show`: the entries of a list as lines, as `isonomy list import` reads them again.

use super::{MAX_LIST_FILE, info};
use crate::args::ShowArgs;
use crate::commands::files;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_publisher::draft::{self, Draft};
use serde_json::json;
use std::collections::BTreeSet;

pub(super) fn run(args: &ShowArgs, output: &Output) -> Result<Exit> {
    let entries = entries(args)?;
    if output.is_json() {
        let entries: Vec<String> = entries.iter().map(to_hex).collect();
        output.report("", &json!({ "entries": entries }))?;
    } else {
        output.lines(entries.iter().map(to_hex));
    }
    Ok(Exit::Done)
}

fn entries(args: &ShowArgs) -> Result<Entries> {
    let list = &args.list;
    if draft::is_one(&list.path) {
        let draft = Draft::open(&list.path)?;
        return Ok(draft.entries(draft.charter().body().matching.algorithm)?);
    }
    let bytes = files::read(&list.path, MAX_LIST_FILE)?;
    let size = match info::known_algorithm(list)? {
        Some(algorithm) => algorithm.entry_size(),
        None => only_size(&bytes, args)?,
    };
    let malformed = |error| Malformed(format!("{} is no list: {error}", list.path.display()));
    Ok(Entries::from_sorted(size, bytes).map_err(malformed)?)
}

/// The size of the entries, where no two algorithms of other sizes could have made them.
fn only_size(bytes: &[u8], args: &ShowArgs) -> Result<usize> {
    let fits = |algorithm: &Algorithm| info::fits(bytes, *algorithm);
    let sizes: BTreeSet<usize> =
        Algorithm::ALL.into_iter().filter(fits).map(|algorithm| algorithm.entry_size()).collect();
    match (sizes.first(), sizes.len()) {
        (Some(size), 1) => Ok(*size),
        (_, 0) => Err(Malformed(format!(
            "{} is no list by any algorithm: make one with `isonomy list import`",
            args.list.path.display()
        ))
        .into()),
        _ => Err(Malformed(format!(
            "{} could be a list by several algorithms: say by which with --algorithm or --charter",
            args.list.path.display()
        ))
        .into()),
    }
}
