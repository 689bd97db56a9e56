//! Arguments of `isonomy match`.

use super::ClientFolder;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct MatchArgs {
    /// Pictures, or hashes as hexadecimal digits.
    #[arg(required = true, value_name = "FILE|HASH")]
    pub(crate) subjects: Vec<String>,
    #[command(flatten)]
    pub(crate) folder: ClientFolder,
    /// Write a receipt for each match into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) receipts: Option<PathBuf>,
}
