//! Arguments of `isonomy log`.

use clap::Subcommand;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum LogCommand {
    /// Serve a log.
    Serve {
        /// The folder of all its data.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The log's key file.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Log, witnesses with their URLs, and quorum, in C2SP tlog-policy form.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// A maintainer key (vkey) that may found lists. Repeatable.
        #[arg(long = "publisher", value_name = "VKEY")]
        publishers: Vec<String>,
        /// A key (vkey) whose attestations are taken. Repeatable.
        #[arg(long = "auditor", value_name = "VKEY")]
        auditors: Vec<String>,
        /// Where to listen.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7310")]
        listen: SocketAddr,
        /// After how many seconds an unchanged tree is cosigned and published again.
        #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
        republish: u64,
    },
}
