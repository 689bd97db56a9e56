//! Arguments of `isonomy assess`.

use super::LogArgs;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use std::path::PathBuf;

/// What is assessed, and against what.
#[derive(clap::Args)]
pub(crate) struct AssessArgs {
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// The list.
    #[arg(long, value_name = "NAME", value_parser = list_name)]
    pub(crate) list: ListName,
    /// How many entries of the log are read: with the size that an earlier report names, the same report again
    /// [default: all]
    #[arg(long, value_name = "ENTRIES")]
    pub(crate) size: Option<u64>,
    /// As of when, for example 2026-11-25T22:00:00Z: with size and time of an earlier report, the same report again
    /// [default: the time that witnesses vouch for]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) as_of: Option<Timestamp>,
    /// A folder of files that must not match, with those in it. The more there are, the smaller a rate can be shown.
    #[arg(long, value_name = "DIR")]
    pub(crate) corpus: PathBuf,
    /// The folder into which `assessment.html` and `assessment.json` are written.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

pub(super) fn list_name(text: &str) -> Result<ListName, String> {
    ListName::new(text).ok_or_else(|| "a list's name is like hotline.example/known-images".to_owned())
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::from_rfc3339(text)
        .ok_or_else(|| "a time is like 2026-11-25T22:00:00Z, in UTC and to the second".to_owned())
}
