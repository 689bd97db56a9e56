//! Arguments of `isonomy log`.

use clap::{Args, Subcommand};
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
    /// Check a whole log, this project's or any other of C2SP tlog-tiles: every entry and every tile against the signed
    /// root. Says exactly which are wrong.
    Fsck(FsckArgs),
}

#[derive(Args)]
pub(crate) struct FsckArgs {
    /// The log: a URL, a folder laid out like one, or the data folder of a log server.
    #[arg(value_name = "URL|DIR")]
    pub(crate) source: String,
    /// The log's key (vkey).
    #[arg(long, value_name = "VKEY", required_unless_present = "policy")]
    pub(crate) key: Option<String>,
    /// A policy (C2SP tlog-policy) with the log's key and the witnesses that must have cosigned.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Read the snapshots and deltas that releases name, too, and compare their SHA-256.
    #[arg(long)]
    pub(crate) objects: bool,
    /// How many parts of the log are read at a time [default: one for each processor, 16 over the network].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
}
