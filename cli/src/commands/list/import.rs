//! `isonomy list import`.

use super::files;
use crate::args::{FormatArg, ImportArgs};
use crate::commands::crowding;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_core::list::{Algorithm, Entries};
use isonomy_publisher::compose::change_stored;
use isonomy_publisher::difference::{self, DifferenceReport, Finding};
use isonomy_publisher::import::{
    Format, ImportError, ImportOptions, ImportReport, Imported, Importer, Invalid, Irregular, RefusedRecord,
};
use isonomy_publisher::stored::{StoredError, StoredList};
use serde_json::json;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

/// How much of a file is read at a time.
const BUFFER: usize = 1 << 18;

pub(super) fn run(args: &ImportArgs, output: &Output) -> Result<Exit> {
    files::check_free(&args.out, args.overwrite)?;
    let options = options(args);
    let mut importer = Importer::new(&options);
    if let Some(path) = &args.ids {
        know_ids(&mut importer, path)?;
    }
    let mut reports = Vec::new();
    for path in &args.files {
        let read = importer.read(open(path)?);
        if let Err(ImportError::Refused(report)) = &read {
            refused_words(&report.refused, report.refused_records).iter().for_each(|line| output.say(line));
        }
        reports.push((path, read.with_context(|| format!("{} was not imported", path.display()))?));
    }
    let imported = importer.finish().context("nothing was imported")?;
    // Read before anything is written: the new list may take the place of the old one.
    let old = args.base.as_ref().map(|base| (base, StoredList::new(base, options.algorithm.entry_size())));
    let (entries, against) = match &old {
        Some((path, old)) => {
            let changed = apply(old, &imported, options.algorithm);
            let (entries, difference) = changed.map_err(|error| super::unreadable(path, options.algorithm, error))?;
            (entries, Some(difference))
        }
        None => (imported.entries.clone(), None),
    };
    // Before the list: an id that is kept without its list does no harm, the reverse could.
    if let Some(path) = &args.ids {
        let mut kept = Vec::new();
        imported.write_ids(&mut kept)?;
        files::write(path, &kept)?;
    }
    files::save(&args.out, entries.as_bytes(), args.overwrite)?;
    report(args, &reports, &Outcome { imported, entries, against }, output)
}

/// The list as it was, with what comes and without what goes; and what that changes.
fn apply(
    old: &StoredList,
    imported: &Imported,
    algorithm: Algorithm,
) -> Result<(Entries, DifferenceReport), StoredError> {
    let entries = change_stored(old, &imported.entries, &imported.withdrawn)?.entries;
    let mut finding = Finding::new(&entries, algorithm);
    old.pieces(|piece| Ok::<(), StoredError>(finding.take(piece)?))?;
    let report = difference::report(&finding.finish()?, &entries, algorithm, 0)?;
    Ok((entries, report))
}

fn options(args: &ImportArgs) -> ImportOptions {
    ImportOptions {
        format: args.format.into(),
        column: args.column.clone(),
        invalid: if args.skip_invalid { Invalid::Skip } else { Invalid::Refuse },
        irregular: if args.allow_irregular { Irregular::Allow } else { Irregular::Refuse },
        min_quality: args.min_quality,
        classes: args.classes.clone(),
        tags: args.tags.clone(),
        ..ImportOptions::new(args.algorithm.into())
    }
}

impl From<FormatArg> for Option<Format> {
    fn from(argument: FormatArg) -> Self {
        Some(match argument {
            FormatArg::Auto => return None,
            FormatArg::Lines => Format::Lines,
            FormatArg::Csv => Format::Csv,
            FormatArg::Sums => Format::Sums,
            FormatArg::Pdq => Format::Pdq,
            FormatArg::Vpdq => Format::Vpdq,
            FormatArg::ThreatExchange => Format::ThreatExchange,
            FormatArg::Updates => Format::Updates,
            FormatArg::Stopncii => Format::StopNcii,
            FormatArg::Terrorism => Format::Terrorism,
            FormatArg::Ncmec => Format::Ncmec,
        })
    }
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("can't read {}", path.display()))?;
    Ok(BufReader::with_capacity(BUFFER, file))
}

/// Reads the ids that an earlier import kept; there are none before the first.
fn know_ids(importer: &mut Importer<'_>, path: &Path) -> Result<()> {
    match File::open(path) {
        Ok(file) => importer.know_ids(BufReader::new(file)).with_context(|| format!("{} is not used", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("can't read {}", path.display())),
    }
}

/// What came of all files.
struct Outcome {
    imported: Imported,
    /// The list that was written.
    entries: Entries,
    /// The change against the list as it was.
    against: Option<DifferenceReport>,
}

fn report(args: &ImportArgs, reports: &[(&PathBuf, ImportReport)], outcome: &Outcome, output: &Output) -> Result<Exit> {
    let Outcome { imported, entries, against } = outcome;
    let mut lines: Vec<String> = reports.iter().flat_map(|(path, report)| file_words(path, report)).collect();
    lines.push(format!(
        "{} entries ({} repetitions, {} irregular), {} withdrawn",
        imported.entries.len(),
        imported.duplicates,
        imported.irregular,
        imported.withdrawn.len()
    ));
    if imported.unknown_ids > 0 {
        let count = imported.unknown_ids;
        lines.push(format!("! {count} withdrawals name an id under which nothing is known, so what they mean may still be listed: give the file of --ids that was kept since the first import"));
    }
    if !imported.withdrawn.is_empty() && args.base.is_none() {
        lines.push("! hashes are withdrawn: give the list as it was with --base, so that they go from it".to_owned());
    }
    if let Some(change) = against {
        lines.push(format!("against the list as it was: +{} −{}", change.added, change.removed));
    }
    lines.extend(crowding::warning(args.algorithm.into(), entries));
    lines.push(format!("✓ {} entries in {}", entries.len(), args.out.display()));
    let files: Vec<_> = reports.iter().map(|(path, report)| json!({ "file": path, "report": report })).collect();
    let document = json!({
        "entries": entries.len(),
        "root": entries.root().to_hex(),
        "imported": files,
        "duplicates": imported.duplicates,
        "irregular": imported.irregular,
        "withdrawn": imported.withdrawn.len(),
        "unknown_ids": imported.unknown_ids,
        "difference": against,
        "list": args.out,
    });
    output.report(lines.join("\n"), &document)?;
    Ok(Exit::Done)
}

fn file_words(path: &Path, report: &ImportReport) -> Vec<String> {
    let format = serde_json::to_value(report.format).ok().and_then(|value| value.as_str().map(str::to_owned));
    let mut lines = vec![format!(
        "{} ({}): {} records: {} hashes taken, {} withdrawals, {} of other kinds, {} not selected, {} refused",
        path.display(),
        format.unwrap_or_default(),
        report.records,
        report.taken,
        report.withdrawals,
        report.other_hashes,
        report.not_selected,
        report.refused_records
    )];
    lines.extend(refused_words(&report.refused, report.refused_records));
    lines
}

fn refused_words(refused: &[RefusedRecord], count: u64) -> Vec<String> {
    let mut lines: Vec<String> = refused.iter().map(|one| format!("  refused: {}", one.words())).collect();
    let hidden = count - refused.len() as u64;
    if hidden > 0 {
        lines.push(format!("  and {hidden} more"));
    }
    lines
}
