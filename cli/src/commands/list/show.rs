//! `isonomy list show`: the entries of a list as lines, as `isonomy list import` reads them again.

use super::info;
use crate::args::ShowArgs;
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_publisher::draft::{self, Draft};
use isonomy_publisher::stored::{StoredError, StoredList};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

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
    let path = &args.list.path;
    if draft::is_one(path) {
        let draft = Draft::open(path)?;
        return Ok(draft.entries(draft.charter().body().matching.algorithm)?);
    }
    match info::known_algorithm(&args.list)? {
        Some(algorithm) => super::read(path, algorithm),
        None => Ok(StoredList::new(path, only_size(path)?).read()?),
    }
}

/// The size of the entries, where no two algorithms of other sizes could have made them.
fn only_size(path: &Path) -> Result<usize> {
    let mut sizes = BTreeSet::new();
    for algorithm in Algorithm::ALL {
        if fits(path, algorithm)? {
            sizes.insert(algorithm.entry_size());
        }
    }
    let path = path.display();
    match (sizes.first(), sizes.len()) {
        (Some(size), 1) => Ok(*size),
        (_, 0) => {
            let problem = format!("{path} is no list by any algorithm: make one with `isonomy list import`");
            Err(Malformed(problem).into())
        }
        _ => {
            let problem =
                format!("{path} could be a list by several algorithms: say by which with --algorithm or --charter");
            Err(Malformed(problem).into())
        }
    }
}

/// Whether a file can be a list by this algorithm: it is read once, up to where it can't.
fn fits(path: &Path, algorithm: Algorithm) -> Result<bool> {
    let read = StoredList::new(path, algorithm.entry_size()).pieces(|piece| {
        piece.irregular(algorithm)?;
        Ok::<(), StoredError>(())
    });
    match read {
        Ok(()) => Ok(true),
        Err(StoredError::List(_)) => Ok(false),
        Err(other) => Err(other.into()),
    }
}
