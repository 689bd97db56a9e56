//! Arguments of `isonomy charter`.

use super::Overwrite;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum SeverityArg {
    /// Something to know.
    Note,
    /// Something that will be attacked.
    Weak,
    /// A hole in the legal case.
    Serious,
}

#[derive(Subcommand)]
pub(crate) enum CharterCommand {
    /// Write a charter as TOML, with every field explained, to be filled in or amended; or, from such a file, the text to be signed.
    New {
        /// Ask every question in the terminal, and write the answers as TOML.
        #[arg(long, conflicts_with = "from")]
        ask: bool,
        /// A filled-in TOML file. Without it, the template is written.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// The edition that it amends, as published. Without `--from`, its own text as TOML is written, to be changed.
        #[arg(long, value_name = "FILE", conflicts_with = "ask")]
        amends: Option<PathBuf>,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        overwrite: Overwrite,
    },
    /// Say what is missing or weak in a charter, each with its legal source. Ends with exit code 6 if something is serious.
    Lint {
        /// A charter: TOML, or the text to be signed.
        file: PathBuf,
        /// From which severity on findings end with exit code 6.
        #[arg(long, value_enum, default_value = "serious")]
        deny: SeverityArg,
    },
    /// Ask the log what would come of an edition, before anybody signs: whether it would be taken up, what it widens against what
    /// is in force and what waits, and from when on it would be in force.
    Check {
        /// The charter, signed or not.
        file: PathBuf,
        /// Log, witnesses and quorum, in C2SP tlog-policy form; the log with its URL.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// The maintainer's folder, in which releases are composed and signed: an edition that bars one which is signed there, and not
        /// logged yet, is warned of.
        #[arg(long, value_name = "DIR")]
        workspace: Option<PathBuf>,
    },
    /// Say in plain words what an edition changes, which changes widen the list's use, and what notice that takes.
    Diff {
        /// The edition as published.
        old: PathBuf,
        /// The new edition: TOML, or the text to be signed.
        new: PathBuf,
    },
    /// Sign a charter. All whom it names pass it on until everybody has signed.
    Sign {
        /// The text to be signed; the signature is added to it.
        file: PathBuf,
        /// The key file.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// For an amendment: the edition that it amends, and, if that isn't in force yet, those before it, down to the newest
        /// one that is.
        #[arg(long, value_name = "FILE")]
        amends: Vec<PathBuf>,
        /// Your own folder, in which releases are composed or examined: what other keys have signed there of the list counts, too. A
        /// maintainer with several keys must name it.
        #[arg(long, value_name = "DIR")]
        workspace: Option<PathBuf>,
        /// Sign this as another text for its edition, in the place of the one with this id (64 hexadecimal digits), and keep that on
        /// record. Repeatable, where several keys of yours have signed several.
        #[arg(long, value_name = "ID")]
        replaces: Vec<String>,
    },
    /// Put the signatures that others sent back, each on a copy of its own, onto a charter.
    Merge {
        /// The charter; the signatures are added to it.
        file: PathBuf,
        /// The copies.
        #[arg(required = true, value_name = "FILE")]
        copies: Vec<PathBuf>,
        /// For an amendment: the edition that it amends, and, if that isn't in force yet, those before it, down to the newest
        /// one that is.
        #[arg(long, value_name = "FILE")]
        amends: Vec<PathBuf>,
    },
    /// Publish a charter that everybody has signed.
    Publish {
        /// The signed charter.
        file: PathBuf,
        /// Log, witnesses and quorum, in C2SP tlog-policy form; the log with its URL.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// The maintainer's folder, in which releases are composed and signed: an edition that bars one which is signed there, and not
        /// logged yet, is warned of. `isonomy charter check` warns before anything is published.
        #[arg(long, value_name = "DIR")]
        workspace: Option<PathBuf>,
        /// Where to write the proof that it is in the log. An older proof that is there is renewed.
        #[arg(long, value_name = "FILE")]
        proof: Option<PathBuf>,
        #[command(flatten)]
        overwrite: Overwrite,
    },
}
