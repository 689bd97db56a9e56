//! The arguments of the command.

use crate::exit;
use clap::{Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Audit-transparent hash lists: every release of a list, and the charter that says what it may be used for, is in a public
/// log that independent witnesses cosign. One command for every role.
#[derive(Parser)]
#[command(name = "isonomy", version, after_help = exit::HELP)]
pub(crate) struct Args {
    /// Print one JSON document instead of words.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The whole story on this machine, in under a minute.
    Demo(DemoArgs),
    /// Make and show keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Run a log.
    #[command(subcommand)]
    Log(LogCommand),
    /// Run a witness.
    #[command(subcommand)]
    Witness(WitnessCommand),
    /// Write, sign and publish the charter of a list.
    #[command(subcommand)]
    Charter(CharterCommand),
    /// Make lists of hashes.
    #[command(subcommand)]
    List(ListCommand),
    /// Compose, endorse and publish a release of a list.
    #[command(subcommand)]
    Release(ReleaseCommand),
    /// Keep a verified list up to date.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Match pictures or hashes against the verified list.
    Match(MatchArgs),
    /// Follow a log, audit it, show it.
    #[command(subcommand)]
    Monitor(MonitorCommand),
    /// Check a receipt, offline.
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Check evidence of a breach, offline.
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Check what a mirror or folder serves, offline.
    #[command(subcommand)]
    Bundle(BundleCommand),
}

#[derive(clap::Args)]
pub(crate) struct DemoArgs {
    /// A folder of your own photographs, instead of those that come with the command.
    #[arg(long, value_name = "DIR")]
    pub(crate) images: Option<PathBuf>,
    /// Leave all servers running at the end, until interrupted.
    #[arg(long)]
    pub(crate) keep_running: bool,
    /// Where everything is written; a new temporary folder if not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

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
    },
    /// Print the vkey of a key file.
    Show {
        /// The file of the private half.
        file: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum LogCommand {
    /// Serve a log.
    Serve {
        /// The folder of all its data.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The log's key file.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Log, witnesses with their URLs, and quorum, in C2SP tlog-policy form.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// A maintainer key (vkey) that may found lists. Repeatable.
        #[arg(long = "publisher", value_name = "VKEY")]
        publishers: Vec<String>,
        /// A key (vkey) whose attestations are taken. Repeatable.
        #[arg(long = "auditor", value_name = "VKEY")]
        auditors: Vec<String>,
        /// Where to listen.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7310")]
        listen: SocketAddr,
        /// After how many seconds an unchanged tree is cosigned and published again.
        #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
        republish: u64,
    },
}

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

#[derive(Subcommand)]
pub(crate) enum CharterCommand {
    /// Write a charter as TOML, with every field explained, to be filled in; or, from a filled-in one, the text to be signed.
    New {
        /// A filled-in TOML file. Without it, the template is written.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// The edition that it amends, as published.
        #[arg(long, value_name = "FILE", requires = "from")]
        amends: Option<PathBuf>,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Say what is missing or weak in a charter.
    Lint {
        /// A charter: TOML, or the text to be signed.
        file: PathBuf,
    },
    /// Sign a charter. All whom it names pass it on until everybody has signed.
    Sign {
        /// The text to be signed; the signature is added to it.
        file: PathBuf,
        /// The key file.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// For an amendment: the edition that it amends, and, if that isn't in force yet, the newest one that is.
        #[arg(long, value_name = "FILE")]
        amends: Vec<PathBuf>,
        /// Sign this as the second text for its edition, in the place of the one with this id (64 hexadecimal digits), and
        /// keep that on record.
        #[arg(long, value_name = "ID")]
        replaces: Option<String>,
    },
    /// Publish a charter that everybody has signed.
    Publish {
        /// The signed charter.
        file: PathBuf,
        /// Log, witnesses and quorum, in C2SP tlog-policy form; the log with its URL.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// Where to write the proof that it is in the log.
        #[arg(long, value_name = "FILE")]
        proof: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum AlgorithmArg {
    /// pdq/full: pictures that look alike.
    Pdq,
    /// SHA-256: identical files.
    Sha256,
    /// SHA-1: identical files.
    Sha1,
    /// MD5: identical files.
    Md5,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum FormatArg {
    /// Recognise it by the content.
    Auto,
    /// One hash a line, hexadecimal or base64.
    Lines,
    /// CSV with a named column.
    Csv,
    /// The output of sha256sum, sha1sum or md5sum.
    Sums,
}

#[derive(Subcommand)]
pub(crate) enum ListCommand {
    /// Read hashes from files that maintainers have, into a sorted list.
    Import {
        /// The files to read.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Which hashes they are.
        #[arg(long, value_enum, default_value = "pdq")]
        algorithm: AlgorithmArg,
        /// How they are written.
        #[arg(long, value_enum, default_value = "auto")]
        format: FormatArg,
        /// For CSV: the column that holds the hash.
        #[arg(long, value_name = "NAME")]
        column: Option<String>,
        /// For CSV with a column `quality`: the least quality of a hash that is taken.
        #[arg(long, value_name = "0-100", default_value_t = 0)]
        min_quality: u64,
        /// Go on without the lines that are refused.
        #[arg(long)]
        skip_invalid: bool,
        /// Take PDQ hashes with other than 128 bits set; the release counts them in public.
        #[arg(long)]
        allow_irregular: bool,
        /// The list to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Hash a folder of pictures.
    Hash {
        /// The folder.
        folder: PathBuf,
        /// The CSV file to write: file,width,height,quality,pdq.
        #[arg(long, value_name = "FILE")]
        csv: PathBuf,
    },
    /// Say what a list holds.
    Info {
        /// The list.
        file: PathBuf,
        /// Which hashes it holds.
        #[arg(long, value_enum, default_value = "pdq")]
        algorithm: AlgorithmArg,
    },
}

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

#[derive(Subcommand)]
pub(crate) enum ClientCommand {
    /// Bring the list up to date, from the first source that serves a good one.
    Update {
        #[command(flatten)]
        folder: ClientFolder,
        /// A log, mirror or folder to ask. Repeatable; the policy's log if not given.
        #[arg(long = "source", value_name = "URL|DIR")]
        sources: Vec<String>,
    },
    /// Say which list is in force, under which charter, who endorsed and witnessed it, and how old that knowledge is.
    Status {
        #[command(flatten)]
        folder: ClientFolder,
    },
}

#[derive(clap::Args)]
pub(crate) struct MatchArgs {
    /// Pictures, or hashes as hexadecimal digits.
    #[arg(required = true, value_name = "FILE|HASH")]
    pub(crate) subjects: Vec<String>,
    #[command(flatten)]
    pub(crate) folder: ClientFolder,
    /// Write a receipt for each match into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) receipts: Option<PathBuf>,
}

/// What a monitor follows.
#[derive(clap::Args)]
pub(crate) struct MonitorFolder {
    /// The folder of its own copy and findings.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Log and witnesses with their URLs, and quorum, in C2SP tlog-policy form.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// A further vantage point: a mirror or folder. Repeatable.
    #[arg(long = "source", value_name = "URL|DIR")]
    pub(crate) sources: Vec<String>,
    /// How often to ask, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) every: u64,
}

#[derive(Subcommand)]
pub(crate) enum MonitorCommand {
    /// Follow and audit, without a page. With --json, one document a line.
    Run {
        #[command(flatten)]
        folder: MonitorFolder,
        /// Look once and end; exit code 6 if there are findings.
        #[arg(long)]
        once: bool,
    },
    /// Follow, audit and serve the page.
    Serve {
        #[command(flatten)]
        folder: MonitorFolder,
        /// Where to listen.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7330")]
        listen: SocketAddr,
    },
}

#[derive(Subcommand)]
pub(crate) enum ReceiptCommand {
    /// Check that a match was with an entry of a public release.
    Verify {
        /// The receipt.
        file: PathBuf,
        /// Log, witnesses and quorum, in C2SP tlog-policy form.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// The picture that matched, to check the distance too.
        #[arg(long, value_name = "FILE", conflicts_with = "hash")]
        picture: Option<PathBuf>,
        /// Its hash, in hexadecimal, to check the distance too.
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
        /// Log, witnesses and quorum, in C2SP tlog-policy form.
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
