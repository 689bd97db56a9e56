//! `isonomy list`.
//!
//! A list in a file is its entries, ascending, one after the other, with nothing between.

mod change;
mod import;
mod info;
mod prove;
mod recall;
mod show;

use super::files;
use crate::args::{AlgorithmArg, HashArgs, ListCommand};
use crate::exit::{Exit, Malformed};
use crate::output::{Output, in_line};
use anyhow::{Context, Result};
use indicatif::ProgressBar;
use isonomy_client::system_clock;
use isonomy_client::video::VideoLimits;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_publisher::images::{ImagesOptions, hash_images};
use isonomy_publisher::import::{ImportOptions, Irregular, import};
use isonomy_publisher::stored::{StoredError, StoredList};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// The most bytes of a list: 2^32 entries of 32 bytes would not fit into memory.
const MAX_LIST_FILE: usize = 16 << 30;

pub(crate) async fn run(command: ListCommand, output: &Output) -> Result<Exit> {
    match command {
        ListCommand::Import(args) => import::run(&args, output),
        ListCommand::Hash(args) => hash(&args, output),
        ListCommand::Info(args) => info::run(&args, output),
        ListCommand::Show(args) => show::run(&args, output),
        ListCommand::Diff(args) => change::diff(&args, output).await,
        ListCommand::Remove(args) => change::remove(&args, output).await,
        ListCommand::Recall(args) => recall::run(&args, output).await,
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
            AlgorithmArg::Vpdq => Self::VpdqV1,
        }
    }
}

/// A list in a file.
pub(crate) fn read(path: &Path, algorithm: Algorithm) -> Result<Entries> {
    let read = StoredList::new(path, algorithm.entry_size()).read();
    read.map_err(|error| unreadable(path, algorithm, error))
}

/// Whether a file is text, such as maintainers have. A list, which is bytes without any regularity, never looks so.
pub(crate) fn is_text(path: &Path) -> Result<bool> {
    const LOOKED_AT: u64 = 4096;
    let mut head = Vec::new();
    let file = File::open(path).with_context(|| format!("can't read {}", path.display()))?;
    file.take(LOOKED_AT).read_to_end(&mut head).with_context(|| format!("can't read {}", path.display()))?;
    // The last letter may be cut off.
    let text = match std::str::from_utf8(&head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()])?,
        Err(_) => return Ok(false),
    };
    Ok(!text.is_empty() && text.chars().all(|letter| !letter.is_control() || letter.is_ascii_whitespace()))
}

/// Somebody's own hashes: a list, or a file in any form that can be imported.
pub(crate) fn read_holdings(path: &Path, algorithm: Algorithm) -> Result<Entries> {
    if !is_text(path)? {
        return read(path, algorithm);
    }
    let file = BufReader::new(File::open(path).with_context(|| format!("can't read {}", path.display()))?);
    let options = ImportOptions { irregular: Irregular::Allow, now: system_clock(), ..ImportOptions::new(algorithm) };
    let (imported, _) = import(file, &options).with_context(|| not_read(path))?;
    Ok(imported.entries)
}

/// That a file of hashes was not read by a command that has no flags for how to.
fn not_read(path: &Path) -> String {
    format!(
        "{} was not read. Flags that are named here are those of `isonomy list import`; what it writes can be given instead, as \
         `isonomy list show` shows it",
        path.display()
    )
}

/// Why a list in a file can't be read, with what to do.
pub(crate) fn unreadable(path: &Path, algorithm: Algorithm, error: impl Into<anyhow::Error>) -> anyhow::Error {
    let error = error.into();
    match error.downcast_ref() {
        Some(StoredError::List(error)) => {
            let made = "make one with `isonomy list import`";
            Malformed(format!("{} is no list of {algorithm} hashes: {error}; {made}", path.display())).into()
        }
        _ => error,
    }
}

fn hash(args: &HashArgs, output: &Output) -> Result<Exit> {
    for path in [Some(&args.csv), args.videos.as_ref()].into_iter().flatten() {
        files::check_free(path, args.overwrite)?;
    }
    let bar = if output.is_json() { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let videos = args.videos.as_ref().map(|_| VideoLimits::default());
    let options = ImagesOptions { videos, ..ImagesOptions::default() };
    let report = hash_images(&args.folder, &options, &|progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    });
    bar.finish_and_clear();
    let report = report?;
    let mut table = Vec::new();
    report.write_csv(&mut table)?;
    files::save(&args.csv, &table, args.overwrite)?;
    let mut lines = vec![hashed_words(report.images.len(), "pictures", &args.csv)];
    if let Some(videos) = &args.videos {
        let mut table = Vec::new();
        report.write_videos_csv(&mut table)?;
        files::save(videos, &table, args.overwrite)?;
        lines.push(hashed_words(report.videos.len(), "videos", videos));
    }
    lines.extend(report.left_out.iter().map(|one| format!("  {}: left out: {}", in_line(&one.file), one.reason)));
    let others = report.partly.iter().chain(&report.failed);
    lines.extend(others.map(|one| format!("  {}: {}", in_line(&one.file), one.reason)));
    if !report.failed.is_empty() {
        lines.push(format!("✗ {} have no hash", report.failed.len()));
    }
    output.report(lines.join("\n"), &report)?;
    Ok(if report.failed.is_empty() { Exit::Done } else { Exit::Malformed })
}

fn hashed_words(count: usize, what: &str, table: &Path) -> String {
    let mark = if count == 0 { "·" } else { "✓" };
    format!("{mark} {count} {what} hashed into {}", table.display())
}
