//! Arguments of `isonomy client`.

use super::{Overwrite, TokenArgs};
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

/// Whom an update asks.
#[derive(clap::Args)]
pub(crate) struct UpdateFrom {
    /// A log, mirror or folder to ask. Repeatable; the policy's log if not given.
    #[arg(long = "source", value_name = "URL|DIR")]
    pub(crate) sources: Vec<String>,
    /// Ask all of them, also after one that is fresh: a mirror can hide the newest release, and then one honest source is
    /// enough to learn of it.
    #[arg(long)]
    pub(crate) ask_all: bool,
    #[command(flatten)]
    pub(crate) tokens: TokenArgs,
}

#[derive(Subcommand)]
pub(crate) enum ClientCommand {
    /// Bring the list up to date, from the first source that serves a good one; one that stands still is passed over.
    Update {
        #[command(flatten)]
        folder: ClientFolder,
        #[command(flatten)]
        from: UpdateFrom,
    },
    /// Compare what is in force here with what somebody else has: that both were given the same, or who is behind, or that
    /// the log or those who sign have shown two things, with the proof.
    Compare {
        #[command(flatten)]
        folder: ClientFolder,
        /// What the other one has: its comparison code, its view's 64 hexadecimal digits, or the file that `client view`
        /// wrote there.
        with: String,
        /// Whom to ask for what else is needed to tell. Repeatable; the policy's log if not given.
        #[arg(long = "source", value_name = "URL|DIR")]
        sources: Vec<String>,
    },
    /// Write down what is in force here, for somebody else to compare. Of this device it says when it last heard of the log,
    /// and nothing else.
    View {
        #[command(flatten)]
        folder: ClientFolder,
        /// The file; standard output if not given.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// Take a file of evidence that somebody else found. If it proves that the log showed two histories, updates stop for good.
    Evidence {
        #[command(flatten)]
        folder: ClientFolder,
        /// The file, as a monitor serves it or `client compare` leaves it in the folder of state.
        file: PathBuf,
    },
    /// Forget the newest checkpoint and the witnessed time, not the release in force: after the log or a quorum of witnesses
    /// has vouched for a size or a time that is far ahead; or, with the new policy, after the log has changed its key.
    Recover {
        #[command(flatten)]
        folder: ClientFolder,
        /// Say that you know why: a log that forked in between is not noticed.
        #[arg(long, required = true)]
        i_know_why: bool,
    },
    /// Say which list is in force, under which charter, who endorsed and witnessed it, and how old that knowledge is.
    Status {
        #[command(flatten)]
        folder: ClientFolder,
    },
}
