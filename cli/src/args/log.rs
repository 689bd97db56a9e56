//! Arguments of `isonomy log`.

use super::TokenArgs;
use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum LogCommand {
    /// Make a folder for a new log: its key, a configuration with every field explained, and a policy to fill in.
    Init {
        /// The folder; made if it is missing.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// The log's origin, for ever: a name under a domain of yours, like `log.example/lists`.
        #[arg(long, value_name = "ORIGIN")]
        name: String,
    },
    /// Serve a log.
    Serve(LogServeArgs),
    /// Say which old snapshots and deltas no client needs any more, and why; remove them with --remove. Not while the log is
    /// served. Every way on which a client of any version catches up stays open; who audits the log later can't recompute
    /// what was removed.
    Collect(CollectArgs),
    /// Make a token for a list whose contents are not for everybody, and the digest that the configuration takes.
    Token,
    /// Make `private/` of a log's data folder anew from `public/`, when it is lost or older. Not while the log is served. Refuses
    /// unless all of `public/` is as its checkpoint was signed, and a quorum of witnesses says that it has seen nothing newer.
    Restore {
        /// The configuration of the log.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Too few witnesses can be reached, and you have asked their operators which size of this log they have cosigned last:
        /// none is larger than that of `public/`. If that is wrong, the log will fork, and has ended.
        #[arg(long)]
        witnesses_asked: bool,
    },
    /// Check a whole log, this project's or any other of C2SP tlog-tiles: every entry and every tile against the signed
    /// root; of this project's, statements, seen proofs, bundles and the index of lists, too. Says exactly which are wrong. That
    /// nothing is left out of a bundle, a monitor checks.
    Fsck(FsckArgs),
}

#[derive(Args)]
pub(crate) struct LogServeArgs {
    /// The configuration (`isonomy log init` makes one). Everything else is for trying things out.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "key", "policy", "publishers", "auditors", "listen", "republish"])]
    pub(crate) config: Option<PathBuf>,
    /// The folder of all its data.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub(crate) data: Option<PathBuf>,
    /// The log's key file.
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    pub(crate) key: Option<PathBuf>,
    /// Log, witnesses with their URLs, and quorum, in C2SP tlog-policy form.
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    pub(crate) policy: Option<PathBuf>,
    /// A maintainer key (vkey) that may found lists. Repeatable.
    #[arg(long = "publisher", value_name = "VKEY")]
    pub(crate) publishers: Vec<String>,
    /// A key (vkey) whose attestations are taken. Repeatable.
    #[arg(long = "auditor", value_name = "VKEY")]
    pub(crate) auditors: Vec<String>,
    /// Where to listen [default: 127.0.0.1:7310].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// After how many seconds an unchanged tree is cosigned and published again [default: 300].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) republish: Option<u64>,
}

#[derive(Args)]
pub(crate) struct CollectArgs {
    /// The configuration of the log.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Keep everything of releases that have been public for less than so many days.
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    pub(crate) least_age: u64,
    /// Remove them, for ever. Without it, nothing is removed.
    #[arg(long)]
    pub(crate) remove: bool,
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
    #[command(flatten)]
    pub(crate) tokens: TokenArgs,
    /// The minimum index of a log that is pruned (C2SP tlog-tiles): full tiles and bundles that end at or before it may be missing.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) minimum_index: u64,
    /// How many parts of the log are read at a time [default: one for each processor, 16 over the network].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
}
