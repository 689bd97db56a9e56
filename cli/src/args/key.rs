//! Arguments of `isonomy key`.

use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum KeyKind {
    /// For statements, releases, charters and logs.
    Ed25519,
    /// For witnesses.
    Witness,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key pair; prints the public half, the vkey.
    New {
        /// The key's name: a domain of yours and a path, such as log.example/isonomy. For a log it is the log's origin.
        name: String,
        /// The file of the private half, which must not exist yet.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// What it signs.
        #[arg(long, value_enum, default_value = "ed25519")]
        kind: KeyKind,
        /// Keep it under a passphrase, which is asked for twice in the terminal, and again whenever the key is used. For scripts,
        /// ISONOMY_PASSPHRASE_FILE names a file (mode 600) whose line is the passphrase; /dev/fd/3 is one that is open.
        #[arg(long)]
        passphrase: bool,
    },
    /// Print the vkey of a key file, or of one that names a program that signs; asks for the passphrase if there is one.
    Show {
        /// The file of the private half.
        file: PathBuf,
    },
}
