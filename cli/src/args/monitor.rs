//! Arguments of `isonomy monitor`.

use clap::Subcommand;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a monitor follows.
#[derive(clap::Args)]
pub(crate) struct MonitorFolder {
    /// The folder of its own copy and findings.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Log and witnesses with their URLs, and quorum, in C2SP tlog-policy form.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// A further vantage point: a mirror or folder. Repeatable.
    #[arg(long = "source", value_name = "URL|DIR")]
    pub(crate) sources: Vec<String>,
    /// How often to ask, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) every: u64,
}

#[derive(Subcommand)]
pub(crate) enum MonitorCommand {
    /// Follow and audit, without a page. With --json, one document a line.
    Run {
        #[command(flatten)]
        folder: MonitorFolder,
        /// Look once and end; exit code 6 if there are findings.
        #[arg(long)]
        once: bool,
    },
    /// Follow, audit and serve the page.
    Serve {
        #[command(flatten)]
        folder: MonitorFolder,
        /// Where to listen.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7330")]
        listen: SocketAddr,
    },
}
