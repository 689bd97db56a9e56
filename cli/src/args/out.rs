//! Where results go, and whose log it is: arguments that several commands have.

use std::path::PathBuf;

/// What becomes of a file that is there already where a result is to be written. No command writes over one unasked.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Overwrite {
    /// Write over the file that is there already. Private keys are never written over.
    #[arg(long)]
    pub(crate) force: bool,
}

/// A log, and the folder of whoever works on a list in it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DeskArgs {
    /// Log, witnesses and quorum, in C2SP tlog-policy form; the log with its URL.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Your own folder, which keeps the content of earlier releases. All of it can be fetched again.
    #[arg(long, value_name = "DIR")]
    pub(crate) workspace: PathBuf,
}
