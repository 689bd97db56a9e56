//! Arguments of `isonomy assess`.

use super::LogArgs;
use isonomy_core::statement::ListName;
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
