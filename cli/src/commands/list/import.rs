//! `isonomy list import`.

use super::files;
use crate::args::{FormatArg, ImportArgs, UnselectedArg};
use crate::commands::crowding;
use crate::exit::{Exit, Malformed, Refused};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_client::system_clock;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_matcher::pdq::USUAL_MINIMUM_QUALITY;
use isonomy_publisher::compose::change_stored;
use isonomy_publisher::difference::{self, DifferenceReport, Finding, SHOWN};
use isonomy_publisher::import::{
    Format, ImportError, ImportOptions, ImportReport, Imported, Importer, Invalid, Irregular, RefusalTable,
    RefusedRecord, UnreadColumn, Unselected, WordCounts, renumbered,
};
use isonomy_publisher::stored::{StoredError, StoredList};
use isonomy_store::files::FileLock;
use serde::Serialize;
use serde_json::json;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

/// How much of a file is read at a time.
const BUFFER: usize = 1 << 18;

pub(super) fn run(args: &ImportArgs, output: &Output) -> Result<Exit> {
    // By whatever link it is named: the file itself is locked and written.
    let ids_file = args.ids.as_deref().map(behind_links);
    let is_ids = |other: &Path| ids_file.as_deref().is_some_and(|ids| ids == behind_links(other));
    if is_ids(&args.out) || args.refused.as_deref().is_some_and(is_ids) {
        return Err(Malformed("--ids is to be kept: it can't be the file of another output".to_owned()).into());
    }
    if args.refused.as_deref().is_some_and(|refused| behind_links(refused) == behind_links(&args.out)) {
        let problem = "--refused and --out name one file: the list would take the place of what was refused";
        return Err(Malformed(problem.to_owned()).into());
    }
    for path in [Some(&args.out), args.refused.as_ref(), args.ids.as_ref()].into_iter().flatten() {
        if args.files.iter().any(|file| behind_links(file) == behind_links(path)) {
            let problem = format!("{} is a file that is imported: an output would take its place", path.display());
            return Err(Malformed(problem).into());
        }
    }
    for path in [Some(&args.out), args.refused.as_ref()].into_iter().flatten() {
        files::check_free(path, args.overwrite)?;
    }
    let options = options(args);
    let mut importer = Importer::new(&options);
    // From reading to writing: what another import learns meanwhile would be lost.
    let _lock = ids_file.as_deref().map(FileLock::acquire).transpose()?;
    let ids = ids_file.as_ref().map(|path| know_ids(&mut importer, path)).transpose()?;
    let mut table = args.refused.as_ref().map(|path| RefusalTable::begin(files::folder_of(path))).transpose()?;
    let read = read_all(args, &mut importer, &mut table, output);
    // Before anything else: whoever is refused needs it most.
    if let (Some(table), Some(path)) = (table, &args.refused) {
        let saved = if args.overwrite.force { table.replace(path) } else { table.finish_as(path) };
        saved.with_context(|| format!("can't write {}", path.display()))?;
    }
    let reports = read?;
    let imported = importer.finish().context("nothing was imported")?;
    check_not_empty(args, &reports, &imported)?;
    // Read before anything is written: the new list may take the place of the old one.
    let outcome = match &args.base {
        Some(path) => on_base(args, path, options.algorithm, imported)?,
        None => Outcome {
            entries: imported.entries.clone(),
            imported,
            against: None,
            unselected: None,
            refused: None,
            renumbered: 0,
        },
    };
    // Before the list: whatever fails between the two, a repeat gives the same list, and needs no --force.
    if let Some(path) = &ids_file {
        let mut kept = Vec::new();
        outcome.imported.write_ids(&mut kept)?;
        files::write(path, &kept)?;
    }
    files::save(&args.out, outcome.entries.as_bytes(), args.overwrite)?;
    report(args, &reports, &outcome, ids, output)
}

/// The file that is meant, however it is named, also by a symbolic link, and where it is not there yet.
fn behind_links(path: &Path) -> PathBuf {
    let target = std::fs::read_link(path).map(|target| files::folder_of(path).join(target));
    let path = target.unwrap_or_else(|_| path.to_owned());
    let in_folder = || {
        let folder = std::fs::canonicalize(files::folder_of(&path)).ok()?;
        Some(folder.join(path.file_name()?))
    };
    std::fs::canonicalize(&path).ok().or_else(in_folder).unwrap_or_else(|| path.clone())
}

/// Reads all files, and writes down what is refused of them.
fn read_all<'a>(
    args: &'a ImportArgs,
    importer: &mut Importer<'_>,
    table: &mut Option<RefusalTable>,
    output: &Output,
) -> Result<Vec<(&'a PathBuf, ImportReport)>> {
    let mut reports = Vec::new();
    for path in &args.files {
        let name = path.to_string_lossy();
        let read = importer.read_and_tell(open(path)?, &mut |refused| match table {
            Some(table) => table.add(&name, refused),
            None => Ok(()),
        });
        if let Err(ImportError::Refused(report)) = &read {
            refused_words(&report.refused, report.refused_records).iter().for_each(|line| output.say(line));
        }
        reports.push((path, read.with_context(|| format!("{} was not imported", path.display()))?));
    }
    Ok(reports)
}

/// Refuses to write a list of nothing by mistake.
fn check_not_empty(args: &ImportArgs, reports: &[(&PathBuf, ImportReport)], imported: &Imported) -> Result<()> {
    if args.base.is_some() || args.allow_empty || !imported.entries.is_empty() {
        return Ok(());
    }
    let sum = |of: fn(&ImportReport) -> u64| reports.iter().map(|(_, report)| of(report)).sum::<u64>();
    let problem = format!(
        "no hash comes onto the list: of {} records, {} are of other kinds, {} not selected, {} refused, {} withdrawals. Nothing was \
         written; --allow-empty writes a list of nothing",
        sum(|report| report.records),
        sum(|report| report.other_hashes),
        sum(|report| report.not_selected),
        sum(|report| report.refused_records),
        sum(|report| report.withdrawals),
    );
    Err(Refused(problem).into())
}

/// The list as it was, with what comes and without what goes; and what that changes.
fn on_base(args: &ImportArgs, path: &Path, algorithm: Algorithm, imported: Imported) -> Result<Outcome> {
    let old = StoredList::new(path, algorithm.entry_size());
    let unreadable = |error: StoredError| super::unreadable(path, algorithm, error);
    let unselected = old.among(&imported.unselected).map_err(unreadable)?;
    let refused = old.among(&imported.refused).map_err(unreadable)?;
    let removed = match args.unselected {
        _ if unselected.is_empty() => imported.withdrawn.clone(),
        None => return Err(Refused(undecided(&unselected)).into()),
        Some(UnselectedArg::Keep) => imported.withdrawn.clone(),
        Some(UnselectedArg::Remove) => {
            let both = [imported.withdrawn.as_bytes(), unselected.as_bytes()].concat();
            Entries::from_unsorted(algorithm.entry_size(), both)?.0
        }
    };
    let renumbered = match algorithm {
        Algorithm::VpdqV1 => renumbered(&old, &imported.entries).map_err(unreadable)?,
        _ => 0,
    };
    let (entries, difference) = apply(&old, &imported.entries, &removed, algorithm).map_err(unreadable)?;
    Ok(Outcome {
        imported,
        entries,
        against: Some(difference),
        unselected: Some(unselected),
        refused: Some(refused),
        renumbered,
    })
}

fn undecided(unselected: &Entries) -> String {
    format!(
        "{} entries of the list as it was are in these files, and --class, --tag or --min-quality does not select them (any \
         more):{}\nNothing was written. Say what is to become of them: --unselected remove takes them off the list, \
         --unselected keep leaves them there (another source may have given them)",
        unselected.len(),
        shown(unselected)
    )
}

/// The first of these, each on a line of its own.
fn shown(entries: &Entries) -> String {
    let shown: String = entries.iter().take(SHOWN).map(|entry| format!("\n  {}", to_hex(entry))).collect();
    let hidden = entries.len().saturating_sub(SHOWN);
    if hidden > 0 { format!("{shown}\n  and {hidden} more") } else { shown }
}

/// The list as it was, with what comes and without what goes; and what that changes.
fn apply(
    old: &StoredList,
    added: &Entries,
    removed: &Entries,
    algorithm: Algorithm,
) -> Result<(Entries, DifferenceReport), StoredError> {
    let entries = change_stored(old, added, removed)?.entries;
    let mut finding = Finding::new(&entries, algorithm);
    old.pieces(|piece| Ok::<(), StoredError>(finding.take(piece)?))?;
    let report = difference::report(&finding.finish()?, &entries, algorithm, 0)?;
    Ok((entries, report))
}

fn options(args: &ImportArgs) -> ImportOptions {
    ImportOptions {
        format: args.format.into(),
        column: args.column.clone(),
        now: system_clock(),
        ignored: args.ignored.clone(),
        invalid: if args.skip_invalid { Invalid::Skip } else { Invalid::Refuse },
        irregular: if args.allow_irregular { Irregular::Allow } else { Irregular::Refuse },
        min_quality: args.min_quality,
        classes: args.classes.clone(),
        tags: args.tags.clone(),
        unselected: if args.base.is_some() { Unselected::Remember } else { Unselected::Forget },
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

/// Whether an earlier import kept ids.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Ids {
    /// They are known.
    Known,
    /// There is no such file.
    Missing,
}

/// Reads the ids that an earlier import kept; there are none before the first.
fn know_ids(importer: &mut Importer<'_>, path: &Path) -> Result<Ids> {
    match File::open(path) {
        Ok(file) => {
            let read = importer.know_ids(BufReader::new(file));
            read.with_context(|| format!("{} is not used", path.display()))?;
            Ok(Ids::Known)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Ids::Missing),
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
    /// Of the list as it was, what is in the files and not selected.
    unselected: Option<Entries>,
    /// Of the list as it was, what is in records that were refused, and in no other.
    refused: Option<Entries>,
    /// Frames of videos that are on the list as it was under another number.
    renumbered: usize,
}

/// What was to be ignored, and is in none of the files.
fn nowhere<'a>(args: &'a ImportArgs, reports: &'a [(&PathBuf, ImportReport)]) -> impl Iterator<Item = &'a String> {
    args.ignored.iter().filter(|name| reports.iter().all(|(_, report)| report.not_ignored.contains(name)))
}

fn report(
    args: &ImportArgs,
    reports: &[(&PathBuf, ImportReport)],
    outcome: &Outcome,
    ids: Option<Ids>,
    output: &Output,
) -> Result<Exit> {
    let Outcome { imported, entries, against, unselected, refused, renumbered } = outcome;
    let mut lines: Vec<String> = reports.iter().flat_map(|(path, report)| file_words(path, report)).collect();
    lines.push(format!(
        "{} entries ({} repetitions, {} irregular), {} withdrawn",
        imported.entries.len(),
        imported.duplicates,
        imported.irregular,
        imported.withdrawn.len()
    ));
    lines.extend(warnings(args, reports, outcome, ids));
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
        "unselected": unselected.as_ref().map(Entries::len),
        "refused_kept": refused.as_ref().map(|refused| json!({
            "entries": refused.len(),
            "first": refused.iter().take(SHOWN).map(to_hex).collect::<Vec<_>>(),
        })),
        "not_ignored": nowhere(args, reports).collect::<Vec<_>>(),
        "unknown_ids": imported.unknown_ids,
        "ids": ids,
        "renumbered": renumbered,
        "difference": against,
        "list": args.out,
    });
    output.report(lines.join("\n"), &document)?;
    Ok(Exit::Done)
}

/// What whoever reads the report should look at.
fn warnings(
    args: &ImportArgs,
    reports: &[(&PathBuf, ImportReport)],
    outcome: &Outcome,
    ids: Option<Ids>,
) -> Vec<String> {
    let Outcome { imported, unselected, refused, renumbered, .. } = outcome;
    let mut lines: Vec<String> = Vec::new();
    lines.extend(nowhere(args, reports).map(|name| {
        format!("! no file has a column {name:?} that can be passed over, so --ignore-column {name:?} does nothing: check the name (that of the hash, and what each record of a feed must have, are always read)")
    }));
    if imported.unknown_ids > 0 {
        let count = imported.unknown_ids;
        lines.push(format!("! {count} withdrawals name an id under which nothing is known, so what they mean may still be listed: give the file of --ids that was kept since the first import"));
    }
    if let Some(path) = args.ids.as_ref().filter(|_| ids == Some(Ids::Missing) && args.base.is_some()) {
        lines.push(format!(
            "! {} was not there, so nothing is known of the ids under which the list as it was came: what is withdrawn by these alone \
             stays listed. If an earlier import kept them, give its file",
            path.display()
        ));
    }
    if !imported.withdrawn.is_empty() && args.base.is_none() {
        lines.push("! hashes are withdrawn: give the list as it was with --base, so that they go from it".to_owned());
    }
    if let Some(unselected) = unselected.as_ref().filter(|unselected| !unselected.is_empty()) {
        let became =
            if args.unselected == Some(UnselectedArg::Remove) { "went off the list" } else { "stay on the list" };
        lines.push(format!(
            "! {} entries of the list as it was are in these files and not selected: they {became}",
            unselected.len()
        ));
    }
    if let Some(refused) = refused.as_ref().filter(|refused| !refused.is_empty()) {
        lines.push(format!(
            "! {} entries of the list as it was are in records that were refused, so what these say of them is not heard: they stay on the \
             list. If they are to go, mend the records, or use `isonomy list remove`:{}",
            refused.len(),
            shown(refused)
        ));
    }
    if *renumbered > 0 {
        lines.push(format!(
            "! {renumbered} frames that come are on the list as it was as frames of other videos. The number of a video follows from the \
             frames that are taken: if these are the same videos, imported with another --min-quality, both now stand. Give the \
             same --min-quality as before, or import all videos anew without --base"
        ));
    }
    lines
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
    if !report.unread.is_empty() {
        let columns: Vec<String> = report.unread.iter().map(unread_words).collect();
        let more = match report.unread_more {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        lines.push(format!(
            "  columns that were not read (how many rows have a value there, and the first ones): {}{more}",
            columns.join(", ")
        ));
    }
    lines.extend(counted_words("classes", &report.classes));
    lines.extend(counted_words("tags", &report.tags));
    if report.more_pages {
        lines.push("! this is one page of several: it says that there is a next one, which is not in it".to_owned());
    }
    if report.disputed > 0 {
        lines.push(format!(
            "! {} of these hashes are disputed: some of those who know them say that they don't belong there (NON_MALICIOUS, a reaction \
             such as DISAGREE_WITH_TAGS, negative feedback, or a class or tag such as disputed or withdrawn). Look at them before they are listed:",
            report.disputed
        ));
        lines.extend(report.disputed_first.iter().map(|hash| format!("      {hash}")));
        let hidden = report.disputed - report.disputed_first.len() as u64;
        lines.extend((hidden > 0).then(|| format!("      and {hidden} more")));
    }
    if report.low_quality > 0 {
        lines.push(format!(
            "! {} of these hashes have a quality below {USUAL_MINIMUM_QUALITY}: flat pictures, which match what is unlike. Leave them \
             out with --min-quality {USUAL_MINIMUM_QUALITY}",
            report.low_quality
        ));
    }
    lines
}

fn unread_words(column: &UnreadColumn) -> String {
    let values: String = column.values.iter().map(|value| format!(" {value:?}")).collect();
    let more = if column.rows > column.values.len() as u64 { " …" } else { "" };
    match column.values.is_empty() {
        true => format!("{} (0)", column.name),
        false => format!("{} ({}:{values}{more})", column.name, column.rows),
    }
}

/// Which classes or tags there are: those that say in another language than English that a hash is gone are for a person to see.
fn counted_words(what: &str, counts: &WordCounts) -> Option<String> {
    let words: Vec<String> =
        counts.words.iter().map(|counted| format!("{:?} {}", counted.word, counted.records)).collect();
    let others = match counts.others {
        0 => String::new(),
        others => format!(", others {others}"),
    };
    (!words.is_empty()).then(|| format!("  {what} of what was taken (how often each): {}{others}", words.join(", ")))
}

fn refused_words(refused: &[RefusedRecord], count: u64) -> Vec<String> {
    let mut lines: Vec<String> = refused.iter().map(|one| format!("  refused: {}", one.words())).collect();
    let hidden = count - refused.len() as u64;
    if hidden > 0 {
        lines.push(format!("  and {hidden} more; --refused FILE writes all of them down"));
    }
    lines
}
