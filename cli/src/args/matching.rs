//! Arguments of `isonomy match`.

use super::{AlgorithmArg, ClientFolder};
use clap::{Subcommand, ValueEnum};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Which lists are matched against: a policy and a folder for each.
#[derive(clap::Args)]
pub(crate) struct ListFolders {
    /// The app's policy. Repeatable, each with its own --state: every list is matched by its own rule.
    #[arg(long = "policy", required = true, value_name = "FILE")]
    policies: Vec<PathBuf>,
    /// The folder of state and cache that `isonomy client update` keeps.
    #[arg(long = "state", required = true, value_name = "DIR")]
    states: Vec<PathBuf>,
}

impl ListFolders {
    /// The pairs, in their order; `None` if they don't pair up.
    pub(crate) fn pairs(&self) -> Option<Vec<ClientFolder>> {
        let pair =
            |(policy, state): (&PathBuf, &PathBuf)| ClientFolder { policy: policy.clone(), state: state.clone() };
        (self.policies.len() == self.states.len()).then(|| self.policies.iter().zip(&self.states).map(pair).collect())
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum OrientationsArg {
    /// As the pixels are stored.
    Stored,
    /// That, and as the metadata (Exif) say it is shown.
    Shown,
    /// All eight, mirrored ones included.
    All,
}

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct MatchArgs {
    #[command(subcommand)]
    pub(crate) command: Option<MatchCommand>,
    /// Pictures, videos, or hashes as hexadecimal digits. What is not the name of a file is taken for a hash, and the answer says so.
    /// Videos are decoded by the system's ffmpeg, for lists of videos.
    #[arg(required = true, value_name = "FILE|HASH")]
    pub(crate) subjects: Vec<OsString>,
    #[command(flatten)]
    pub(crate) lists: ListFolders,
    /// Ask only lists of this algorithm; the others say `not-covered`, and don't count in the exit code. A hash is looked up by the algorithm of each list whose
    /// hashes are as long.
    #[arg(long, value_enum)]
    pub(crate) algorithm: Option<AlgorithmArg>,
    /// In which orientations a picture is looked up.
    #[arg(long, value_enum, default_value = "shown")]
    pub(crate) orientations: OrientationsArg,
    /// Write a receipt for each match into this folder, the nearest hundred of each list.
    #[arg(long, value_name = "DIR")]
    pub(crate) receipts: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum MatchCommand {
    /// Match over HTTP, for platforms that match on a server: look up hashes, or upload files. A newer release is taken
    /// over as soon as `isonomy client update` has put it into a list's folder.
    Serve {
        #[command(flatten)]
        lists: ListFolders,
        /// Where to listen. Whoever can reach it can ask: put a proxy in front of anything but this machine.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7340")]
        listen: SocketAddr,
        /// How often to look for a newer release in the folders, in seconds.
        #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
        every: u64,
        /// The most bytes of an uploaded file.
        #[arg(long, value_name = "BYTES", default_value_t = 20 << 20, value_parser = clap::value_parser!(u64).range(1..))]
        max_upload: u64,
        /// The most pixels of an uploaded picture.
        #[arg(long, value_name = "PIXELS", default_value_t = 50_000_000, value_parser = clap::value_parser!(u64).range(1..))]
        max_pixels: u64,
        /// The most connections at once; more have to wait. Each takes a file descriptor or two (`ulimit -n`).
        #[arg(long, value_name = "N", default_value_t = 384, value_parser = clap::value_parser!(u16).range(1..))]
        connections: u16,
        /// The most connections of one address, so that no single one keeps all others out; more are closed at once. A proxy is one
        /// address: behind one on another machine, give it as many as there are. Default: a quarter of all; on this machine all.
        #[arg(long = "connections-per-client", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        per_client: Option<u16>,
    },
}
