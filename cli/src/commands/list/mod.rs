//! `isonomy list`.
//!
//! A list in a file is its entries, ascending, one after the other, with nothing between.

mod change;
mod import;
mod prove;

use super::files;
use crate::args::{AlgorithmArg, ListCommand};
use crate::exit::{Exit, Malformed};
use crate::output::Output;
use anyhow::Result;
use indicatif::ProgressBar;
use isonomy_client::video::VideoLimits;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_publisher::images::{ImagesOptions, hash_images};
use serde_json::json;
use std::path::Path;

/// The most bytes of a list: 2^32 entries of 32 bytes would not fit into memory.
const MAX_LIST_FILE: usize = 16 << 30;

pub(crate) async fn run(command: ListCommand, output: &Output) -> Result<Exit> {
    match command {
        ListCommand::Import(args) => import::run(&args, output),
        ListCommand::Hash { folder, csv, videos } => hash(&folder, &csv, videos.as_deref(), output),
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
            AlgorithmArg::Vpdq => Self::VpdqV1,
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

fn hash(folder: &Path, csv: &Path, videos: Option<&Path>, output: &Output) -> Result<Exit> {
    let bar = if output.is_json() { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let options = ImagesOptions { videos: videos.map(|_| VideoLimits::default()), ..ImagesOptions::default() };
    let report = hash_images(folder, &options, &|progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    });
    bar.finish_and_clear();
    let report = report?;
    let mut table = Vec::new();
    report.write_csv(&mut table)?;
    files::write(csv, &table)?;
    if let Some(videos) = videos {
        let mut table = Vec::new();
        report.write_videos_csv(&mut table)?;
        files::write(videos, &table)?;
    }
    let failed = report.failed.iter().map(|failed| format!("\n  {}: {}", failed.file, failed.reason));
    let mut words = format!("✓ {} pictures hashed into {}", report.images.len(), csv.display());
    if let Some(videos) = videos {
        words += &format!("\n✓ {} videos hashed into {}", report.videos.len(), videos.display());
    }
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
