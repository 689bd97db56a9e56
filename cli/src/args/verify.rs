//! Arguments of `isonomy receipt`, `evidence` and `bundle`: checks offline, for anyone.

use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum ReceiptCommand {
    /// Check that a match was with an entry of a public release.
    Verify {
        /// The receipt.
        file: PathBuf,
        /// Log, witnesses and quorum, in C2SP tlog-policy form: those of the time that it is from.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// The picture, video or file that matched, to check the distance too: the nearest of its pictures, in any of the eight
        /// orientations.
        #[arg(long, value_name = "FILE", conflicts_with = "hash")]
        picture: Option<PathBuf>,
        /// Its hash, in hexadecimal, to check the distance too. For a frame of a video, also as `list hash --videos` prints it.
        #[arg(long, value_name = "HEX")]
        hash: Option<String>,
    },
}

#[derive(Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Check that evidence proves a breach, and by whom.
    Verify {
        /// The evidence.
        file: PathBuf,
        /// Log, witnesses and quorum, in C2SP tlog-policy form: those of the time that it is from.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum BundleCommand {
    /// Check a mirror's folder as a client that knows nothing yet would: what it proves, or why it is refused.
    Verify {
        /// The folder.
        folder: PathBuf,
        /// The app's policy.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
    },
}
