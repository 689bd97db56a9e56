//! Arguments of `isonomy witness`.

use clap::Subcommand;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum WitnessCommand {
    /// Serve a witness.
    Serve {
        /// The folder of all its data.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The witness's key file (`isonomy key new --kind witness`).
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The key (vkey) of a log that it cosigns. Repeatable.
        #[arg(long = "log", value_name = "VKEY", required = true)]
        logs: Vec<String>,
        /// Where to listen.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7320")]
        listen: SocketAddr,
    },
}
