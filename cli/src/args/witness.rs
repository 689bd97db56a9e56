//! Arguments of `isonomy witness`.

use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum WitnessCommand {
    /// Make a folder for a new witness: its key, a configuration with every field explained, and a list of logs to fill in.
    Init {
        /// The folder; made if it is missing.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// The witness's name, for ever: a name under a domain of yours, like `witness.example/w1`.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// The data folder, missing or empty, where the witness remembers what it has cosigned [default: `data` in the
        /// folder]. It is made here and never by `serve`, so that a lost one is not taken for new.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Serve a witness. It does not start on a data folder that is missing or empty: its memory would be lost.
    Serve(WitnessServeArgs),
    /// Give a witness back the memory of a log, after its folder was lost or damaged; while it is not running.
    Restore {
        /// The configuration.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The newest checkpoint of the log that this witness ever cosigned, with its cosignature. You have to make sure
        /// that it is the newest: ask the log, its monitors and its clients. A file of the data folder's `logs` or `shown`
        /// does, too.
        #[arg(value_name = "CHECKPOINT", required_unless_present = "never_cosigned")]
        checkpoint: Option<PathBuf>,
        /// Instead: this witness has never cosigned anything of the log of this origin. After a restoration nothing is taken for
        /// new unasked.
        #[arg(long, value_name = "ORIGIN", conflicts_with = "checkpoint")]
        never_cosigned: Option<String>,
    },
}

#[derive(Args)]
pub(crate) struct WitnessServeArgs {
    /// The configuration (`isonomy witness init` makes one). Everything else is for trying things out.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "key", "logs", "new", "listen"])]
    pub(crate) config: Option<PathBuf>,
    /// The folder of all its data.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub(crate) data: Option<PathBuf>,
    /// This witness has never run: make its data folder, if that is missing or empty. Never leave it in the command of a
    /// service: a folder that is lost one day would be taken for new.
    #[arg(long)]
    pub(crate) new: bool,
    /// The witness's key file (`isonomy key new --kind witness`).
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    pub(crate) key: Option<PathBuf>,
    /// The key (vkey) of a log that it cosigns. Repeatable.
    #[arg(long = "log", value_name = "VKEY", required_unless_present = "config")]
    pub(crate) logs: Vec<String>,
    /// Where to listen [default: 127.0.0.1:7320].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}
