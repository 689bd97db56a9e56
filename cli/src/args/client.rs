//! Arguments of `isonomy client`.

use clap::Subcommand;
use std::path::PathBuf;

/// Where a client keeps its list, and what it accepts.
#[derive(clap::Args)]
pub(crate) struct ClientFolder {
    /// The app's policy.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// The folder of state and cache.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum ClientCommand {
    /// Bring the list up to date, from the first source that serves a good one.
    Update {
        #[command(flatten)]
        folder: ClientFolder,
        /// A log, mirror or folder to ask. Repeatable; the policy's log if not given.
        #[arg(long = "source", value_name = "URL|DIR")]
        sources: Vec<String>,
    },
    /// Say which list is in force, under which charter, who endorsed and witnessed it, and how old that knowledge is.
    Status {
        #[command(flatten)]
        folder: ClientFolder,
    },
}
