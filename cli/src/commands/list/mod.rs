//! `isonomy list`.
//!
//! A list in a file is its entries, ascending, one after the other, with nothing between.

mod change;
mod prove;

use super::files;
use crate::args::{AlgorithmArg, FormatArg, ListCommand};
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::{Context, Result};
use indicatif::ProgressBar;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_publisher::images::{ImagesOptions, hash_images};
use isonomy_publisher::import::{self, Format, ImportOptions, ImportReport, Invalid, Irregular};
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// The most bytes of a list: 2^32 entries of 32 bytes would not fit into memory.
const MAX_LIST_FILE: usize = 16 << 30;

pub(crate) async fn run(command: ListCommand, output: &Output) -> Result<Exit> {
    match command {
        ListCommand::Import { files, algorithm, format, column, min_quality, skip_invalid, allow_irregular, out } => {
            let options = ImportOptions {
                algorithm: algorithm.into(),
                format: format.into(),
                column,
                invalid: if skip_invalid { Invalid::Skip } else { Invalid::Refuse },
                irregular: if allow_irregular { Irregular::Allow } else { Irregular::Refuse },
                min_quality,
            };
            import(&files, &options, &out, output)
        }
        ListCommand::Hash { folder, csv } => hash(&folder, &csv, output),
        ListCommand::Info { file, algorithm } => info(&file, algorithm.into(), output),
        ListCommand::Diff(args) => change::diff(&args, output).await,
        ListCommand::Remove(args) => change::remove(&args, output).await,
        ListCommand::Prove(args) => prove::prove(&args, output),
        ListCommand::Check(args) => prove::check(&args, output),
    }
}

impl From<AlgorithmArg> for Algorithm {
    fn from(argument: AlgorithmArg) -> Self {
        match argument {
            AlgorithmArg::Pdq => Self::PdqFull,
            AlgorithmArg::Sha256 => Self::Sha256,
            AlgorithmArg::Sha1 => Self::Sha1,
            AlgorithmArg::Md5 => Self::Md5,
        }
    }
}

impl From<FormatArg> for Option<Format> {
    fn from(argument: FormatArg) -> Self {
        match argument {
            FormatArg::Auto => None,
            FormatArg::Lines => Some(Format::Lines),
            FormatArg::Csv => Some(Format::Csv),
            FormatArg::Sums => Some(Format::Sums),
        }
    }
}

/// A list in a file.
pub(crate) fn read(path: &Path, algorithm: Algorithm) -> Result<Entries> {
    let bytes = files::read(path, MAX_LIST_FILE)?;
    let entries = Entries::from_sorted(algorithm.entry_size(), bytes);
    entries.map_err(|error| {
        let problem = format!(
            "{} is no list of {algorithm} hashes: {error}; make one with `isonomy list import`",
            path.display()
        );
        Malformed(problem).into()
    })
}

fn import(paths: &[PathBuf], options: &ImportOptions, out: &Path, output: &Output) -> Result<Exit> {
    let (mut bytes, mut reports) = (Vec::new(), Vec::new());
    for path in paths {
        let file = File::open(path).with_context(|| format!("can't read {}", path.display()))?;
        let imported = import::import(BufReader::new(file), options);
        let imported = imported.with_context(|| format!("{} was not imported", path.display()))?;
        bytes.extend_from_slice(imported.entries.as_bytes());
        reports.push((path, imported.report));
    }
    let (entries, shared) = Entries::from_unsorted(options.algorithm.entry_size(), bytes)?;
    files::write(out, entries.as_bytes())?;
    let mut lines: Vec<String> = reports.iter().flat_map(|(path, report)| import_words(path, report)).collect();
    if shared > 0 {
        lines.push(format!("{shared} entries stood in more than one file"));
    }
    lines.push(format!("✓ {} entries in {}", entries.len(), out.display()));
    let reports: Vec<_> = reports.iter().map(|(path, report)| json!({ "file": path, "report": report })).collect();
    let document =
        json!({ "entries": entries.len(), "root": entries.root().to_hex(), "imported": reports, "list": out });
    output.report(lines.join("\n"), &document)?;
    Ok(Exit::Done)
}

fn import_words(path: &Path, report: &ImportReport) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {} entries from {} lines ({} repeated, {} irregular, {} refused)",
        path.display(),
        report.entries,
        report.lines,
        report.duplicates,
        report.irregular,
        report.refused_lines
    )];
    lines.extend(report.refused.iter().map(|refused| format!("  line {}: {}", refused.line, refused.reason)));
    lines
}

fn hash(folder: &Path, csv: &Path, output: &Output) -> Result<Exit> {
    let bar = if output.is_json() { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let report = hash_images(folder, &ImagesOptions::default(), &|progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    });
    bar.finish_and_clear();
    let report = report?;
    let mut table = Vec::new();
    report.write_csv(&mut table)?;
    files::write(csv, &table)?;
    let failed = report.failed.iter().map(|failed| format!("\n  {}: {}", failed.file, failed.reason));
    let words = format!("✓ {} pictures hashed into {}", report.images.len(), csv.display());
    output.report(words + &failed.collect::<String>(), &report)?;
    Ok(Exit::Done)
}

fn info(path: &Path, algorithm: Algorithm, output: &Output) -> Result<Exit> {
    let entries = read(path, algorithm)?;
    let irregular = entries.irregular(algorithm).map_err(|error| Malformed(error.to_string()))?;
    let root = entries.root().to_hex();
    let words = format!("{} entries of {algorithm}, {irregular} of them irregular\nroot {root}", entries.len());
    let document = json!({ "entries": entries.len(), "algorithm": algorithm, "irregular": irregular, "root": root });
    output.report(words, &document)?;
    Ok(Exit::Done)
}
