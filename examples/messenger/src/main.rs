//! `isonomy-messenger demo`.

use clap::{Parser, Subcommand};

/// A small end-to-end encrypted chat in which pictures are checked against a verified list before they are encrypted.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Two people, a relay between them, and a mirror of a log: all on this machine.
    Demo,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Demo => isonomy_messenger::story::play(),
    }
}
