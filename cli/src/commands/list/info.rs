//! `isonomy list info`: what a list, or a draft, holds, and what can't be known of it.

use super::MAX_LIST_FILE;
use crate::args::InfoArgs;
use crate::commands::{charter, files};
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::release::Release;
use isonomy_core::statement::Signed;
use isonomy_publisher::draft::{self, Draft};
use serde::Serialize;
use serde_json::json;
use std::path::Path;

pub(super) fn run(args: &InfoArgs, output: &Output) -> Result<Exit> {
    if draft::is_one(&args.path) {
        return run_draft(&Draft::open(&args.path)?, output);
    }
    let algorithm = known_algorithm(args)?;
    let bytes = files::read(&args.path, MAX_LIST_FILE)?;
    let readings = match algorithm {
        Some(algorithm) => vec![read_as(&bytes, algorithm).map_err(|why| not_of(&args.path, algorithm, &why))?],
        None => Algorithm::ALL.into_iter().filter_map(|algorithm| read_as(&bytes, algorithm).ok()).collect(),
    };
    let lines = words(&bytes, &readings, algorithm.is_some());
    output.report(lines.join("\n"), &json!({ "algorithm": algorithm, "readings": readings }))?;
    Ok(Exit::Done)
}

/// A draft, whose charter says by which algorithm its entries are.
fn run_draft(draft: &Draft, output: &Output) -> Result<Exit> {
    let algorithm = draft.charter().body().matching.algorithm;
    let reading = Reading::of(&draft.entries(algorithm)?, algorithm).map_err(Malformed)?;
    let mut lines = vec![release_words(draft.release()), reading_words(&reading)];
    lines.extend(draft.reason().map(|reason| format!("the maintainer says why: {reason}")));
    let document = json!({
        "algorithm": algorithm,
        "readings": [reading],
        "release": release_document(draft.release()),
        "reason": draft.reason(),
    });
    output.report(lines.join("\n"), &document)?;
    Ok(Exit::Done)
}

/// The algorithm, if somebody says it: the person, or a charter.
pub(super) fn known_algorithm(args: &InfoArgs) -> Result<Option<Algorithm>> {
    if let Some(algorithm) = args.algorithm {
        return Ok(Some(algorithm.into()));
    }
    let charter = args.charter.as_ref().map(|path| charter::read(path)).transpose()?;
    Ok(charter.map(|charter| charter.body().matching.algorithm))
}

/// What the bytes of a list are if its entries are by one algorithm.
#[derive(Serialize)]
struct Reading {
    algorithm: Algorithm,
    entries: usize,
    /// How many of them rule 8 admits only by exception.
    irregular: u64,
    root: String,
}

impl Reading {
    fn of(entries: &Entries, algorithm: Algorithm) -> Result<Self, String> {
        let irregular = entries.irregular(algorithm).map_err(|error| error.to_string())?;
        Ok(Self { algorithm, entries: entries.len(), irregular, root: entries.root().to_hex() })
    }
}

fn read_as(bytes: &[u8], algorithm: Algorithm) -> Result<Reading, String> {
    let entries = Entries::from_sorted(algorithm.entry_size(), bytes.to_vec()).map_err(|error| error.to_string())?;
    Reading::of(&entries, algorithm)
}

fn not_of(path: &Path, algorithm: Algorithm, why: &str) -> Malformed {
    Malformed(format!(
        "{} is no list of {algorithm} hashes: {why}; make one with `isonomy list import`",
        path.display()
    ))
}

fn words(bytes: &[u8], readings: &[Reading], is_known: bool) -> Vec<String> {
    if is_known {
        return readings.iter().map(reading_words).collect();
    }
    if readings.is_empty() {
        return vec![format!(
            "{} bytes that are no list by any algorithm: make one with `isonomy list import`",
            bytes.len()
        )];
    }
    let mut lines = vec![
        "A list in a file is its entries and nothing else: whose hashes they are, and whose list it is, stands in its charter \
         (--charter, --algorithm). From the entries alone it can be:"
            .to_owned(),
    ];
    lines.extend(readings.iter().map(reading_words));
    lines.extend(hint(readings));
    lines
}

fn reading_words(reading: &Reading) -> String {
    let Reading { algorithm, entries, irregular, root } = reading;
    let irregular = if *irregular > 0 { format!(", {irregular} of them irregular") } else { String::new() };
    format!("{entries} entries of {algorithm}{irregular}\n  root {root}")
}

/// Of 256 bits without regularity, exactly 128 are set once in twenty times.
fn hint(readings: &[Reading]) -> Option<String> {
    let pdq = readings.iter().find(|reading| reading.algorithm == Algorithm::PdqFull)?;
    let regular = pdq.entries as u64 - pdq.irregular;
    match (pdq.entries, regular) {
        (10.., _) if pdq.irregular == 0 => {
            Some("Every entry has exactly 128 bits set, as PDQ hashes have; of digests one in twenty has.".to_owned())
        }
        (10.., _) if regular * 5 < pdq.entries as u64 => {
            Some("Few entries have exactly 128 bits set, so they hardly are PDQ hashes.".to_owned())
        }
        _ => None,
    }
}

fn release_words(release: &Signed<Release>) -> String {
    let body = release.body();
    format!(
        "draft of {} version {}: {} entries, +{} −{}\n  id {}\n  under the charter {}",
        body.list,
        body.version,
        body.entries,
        body.added,
        body.removed,
        release.id(),
        body.charter
    )
}

fn release_document(release: &Signed<Release>) -> serde_json::Value {
    let body = release.body();
    json!({ "list": body.list, "version": body.version, "release": release.id().to_hex(), "charter": body.charter.to_hex() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_entries_can_be_several_lists_and_says_so() {
        let halves = |first: u8| [[first; 16], [!first; 16]].concat();
        let bytes: Vec<u8> = (1..=20).flat_map(halves).collect();
        let of = |algorithm| read_as(&bytes, algorithm);
        assert_eq!(of(Algorithm::PdqFull).map(|reading| (reading.entries, reading.irregular)), Ok((20, 0)));
        assert_eq!(of(Algorithm::Sha256).map(|reading| reading.entries), Ok(20));
        assert!(of(Algorithm::Md5).is_err() && of(Algorithm::Sha1).is_err(), "neither ascends");
        let readings = vec![of(Algorithm::Sha256).unwrap(), of(Algorithm::PdqFull).unwrap()];
        assert!(hint(&readings).unwrap().contains("as PDQ hashes have"));
        assert_eq!(words(&bytes, &readings, false).len(), 4);
        let digests: Vec<u8> = (1..=20u8).flat_map(|first| [first; 32]).collect();
        let hint = hint(&[read_as(&digests, Algorithm::PdqFull).unwrap()]);
        assert!(hint.unwrap().contains("hardly"), "one of the numbers from 1 to 20 has four bits set");
    }
}
