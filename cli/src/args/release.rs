//! Arguments of `isonomy release`.

use clap::Subcommand;
use isonomy_publisher::guard::Rail;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum ReleaseCommand {
    /// Compose the next release of a list: a draft folder for the curators.
    New {
        /// The content: a list as `isonomy list import` writes it.
        content: PathBuf,
        /// The name of the list.
        #[arg(long, value_name = "NAME")]
        list: String,
        /// Log, witnesses and quorum, in C2SP tlog-policy form; the log with its URL.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// The maintainer's folder, which remembers the releases before.
        #[arg(long, value_name = "DIR")]
        workspace: PathBuf,
        /// For how many seconds the release is valid; the charter's limit if not given.
        #[arg(long, value_name = "SECONDS")]
        validity: Option<u64>,
        #[command(flatten)]
        rails: RailArgs,
        /// The draft folder to write.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// As a curator: recompute a draft from its content, and sign it.
    Endorse {
        /// The draft folder.
        draft: PathBuf,
        /// The curator's key file.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Log, witnesses and quorum, in C2SP tlog-policy form; the log with its URL.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// The curator's own folder, which keeps the content of earlier releases.
        #[arg(long, value_name = "DIR")]
        workspace: PathBuf,
        /// The curator's own hashes: says how many of the added entries it knows itself.
        #[arg(long, value_name = "FILE")]
        holdings: Option<PathBuf>,
        /// The curator's own hashes: refuses to sign unless every entry of the release stands there, and prints those that don't.
        #[arg(long, value_name = "FILE")]
        require_all_in: Option<PathBuf>,
        /// Sign this as the second text for its version, in the place of the one with this id (64 hexadecimal digits), and
        /// keep that on record.
        #[arg(long, value_name = "ID")]
        replaces: Option<String>,
    },
    /// As the maintainer: sign an endorsed draft, and publish it.
    Publish {
        /// The draft folder.
        draft: PathBuf,
        /// The maintainer's key file.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Log, witnesses and quorum, in C2SP tlog-policy form; the log with its URL.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// The maintainer's folder, which remembers the releases before.
        #[arg(long, value_name = "DIR")]
        workspace: PathBuf,
        /// Where to write the proof that it is in the log.
        #[arg(long, value_name = "FILE")]
        proof: Option<PathBuf>,
    },
}

/// What stops a release before anybody signs it.
#[derive(clap::Args)]
pub(crate) struct RailArgs {
    /// A folder of harmless pictures, none of which the list may match. Repeatable.
    #[arg(long, value_name = "DIR")]
    pub(crate) canaries: Vec<PathBuf>,
    /// Don't hold the list against the photographs of this project: for trials with those very photographs.
    #[arg(long)]
    pub(crate) no_built_in_canaries: bool,
    /// Let the list grow by more than a fifth at once.
    #[arg(long)]
    pub(crate) accept_growth: bool,
    /// Let the list lose more than a fifth at once, or all.
    #[arg(long)]
    pub(crate) accept_shrinkage: bool,
    /// Take PDQ hashes with other than 128 bits set (rule 8); the release counts them in public.
    #[arg(long)]
    pub(crate) allow_irregular: bool,
}

impl RailArgs {
    /// Whether a rail may be set off.
    pub(crate) fn accepts(&self, rail: Rail) -> bool {
        match rail {
            Rail::Growth => self.accept_growth,
            Rail::Shrinkage => self.accept_shrinkage,
            Rail::Irregular => self.allow_irregular,
            Rail::Canary | Rail::Limits | Rail::Near => false,
        }
    }
}
