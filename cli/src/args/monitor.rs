//! Arguments of `isonomy monitor`.

use super::TokenArgs;
use clap::Subcommand;
use isonomy_core::statement::ListName;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Whom to trust about one log, and from where it is read.
#[derive(clap::Args)]
pub(crate) struct LogArgs {
    /// The log with its URL, its witnesses with theirs, and the quorum, in C2SP tlog-policy form.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Where the log is read, if not at the policy's URL: a server, a mirror or a folder. Repeatable.
    #[arg(long = "source", value_name = "URL|DIR")]
    pub(crate) sources: Vec<String>,
    #[command(flatten)]
    pub(crate) tokens: TokenArgs,
}

/// What a monitor follows, and whom it tells.
#[derive(clap::Args)]
pub(crate) struct FollowArgs {
    /// The configuration (`isonomy monitor init` makes one): any number of logs, alerts by mail. Everything else is for
    /// trying things out.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "policies", "sources", "token_file", "canaries", "alert_command", "alert_webhook", "alert_from", "every"])]
    pub(crate) config: Option<PathBuf>,
    /// The folder of its own copies and findings.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub(crate) data: Option<PathBuf>,
    /// A log with its URL, its witnesses with theirs, and the quorum, in C2SP tlog-policy form. Repeatable: each log is
    /// followed by itself.
    #[arg(long = "policy", value_name = "FILE", required_unless_present = "config")]
    pub(crate) policies: Vec<PathBuf>,
    /// From where else the log is read than at the policy's URL: a server, a mirror or a folder. Repeatable; of several
    /// logs a configuration says whose it is.
    #[arg(long = "source", value_name = "URL|DIR")]
    pub(crate) sources: Vec<String>,
    #[command(flatten)]
    pub(crate) tokens: TokenArgs,
    /// A folder of harmless files: it is found if a list matches one of them.
    #[arg(long, value_name = "DIR")]
    pub(crate) canaries: Option<PathBuf>,
    /// A program that is told of new findings, as JSON on its standard input.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) alert_command: Option<PathBuf>,
    /// A URL to which new findings are posted as JSON.
    #[arg(long, value_name = "URL")]
    pub(crate) alert_webhook: Option<String>,
    /// From which severity on somebody is told [default: warning].
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(crate) alert_from: Option<FindingSeverityArg>,
    /// How often to look, in seconds [default: 60].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) every: Option<u64>,
}

/// How grave a finding is.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum FindingSeverityArg {
    Breach,
    Warning,
    Notice,
}

/// What is followed once, to answer a question.
#[derive(clap::Args)]
pub(crate) struct TraceArgs {
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// The list.
    #[arg(long, value_name = "NAME", value_parser = super::assess::list_name, required_unless_present = "verify")]
    pub(crate) list: Option<ListName>,
    /// The entry, in hexadecimal.
    #[arg(value_name = "HASH", required_unless_present = "verify")]
    pub(crate) entry: Option<String>,
    /// Check a file that somebody made with --json, offline: nothing of it is believed but what its proofs show.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "entry", "salts", "sources"])]
    pub(crate) verify: Option<PathBuf>,
    /// The salt of a complaint about it, in hexadecimal: then it is said whether the entry went in time. Once for each complaint.
    #[arg(long = "salt", value_name = "HEX")]
    pub(crate) salts: Vec<String>,
}

/// What an auditor did.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum MethodArg {
    /// Read every entry of the log; the rules are kept.
    Followed,
    /// Computed root and counts of the newest release anew.
    Recomputed,
    /// Looked at a sample of the entries.
    Sampled,
    /// Looked up well-known harmless pictures.
    Canary,
    /// Received a complaint.
    Complaint,
}

/// What is attested.
#[derive(clap::Args)]
pub(crate) struct AttestArgs {
    /// The folder of the monitor's own copies and findings; no other monitor runs in it.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// The list; its newest release is what is attested about.
    #[arg(long, value_name = "NAME", value_parser = super::assess::list_name)]
    pub(crate) list: ListName,
    /// The auditor's key.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// What was done. `followed` and `recomputed` are refused if this monitor's own look does not bear them out.
    #[arg(long, value_enum)]
    pub(crate) method: MethodArg,
    /// The finding, in words.
    #[arg(long, value_name = "WORDS")]
    pub(crate) finding: String,
    /// A longer report about it: the file, whose digest is published.
    #[arg(long, value_name = "FILE", requires = "report_url")]
    pub(crate) report: Option<PathBuf>,
    /// Where that file can be had.
    #[arg(long, value_name = "URL", requires = "report")]
    pub(crate) report_url: Option<String>,
    /// For `sampled` and `canary`: how many were looked at.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) sample: Option<u64>,
    /// For `sampled` and `canary`: how many of them were wrong.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) errors: Option<u64>,
    /// For `complaint`: the entry, in hexadecimal. Only its salted digest is published.
    #[arg(long, value_name = "HEX")]
    pub(crate) entry: Option<String>,
    /// For `complaint`: when it was received; now if it isn't said.
    #[arg(long, value_name = "TIME")]
    pub(crate) received: Option<String>,
    /// For `complaint`: the salt of an earlier attempt, so that the log's readers take both for one; a new one if it isn't given.
    #[arg(long, value_name = "HEX")]
    pub(crate) salt: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum MonitorCommand {
    /// Make a folder for a monitor: a configuration with every field explained, and a policy to fill in.
    Init {
        /// The folder; made if it is missing.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Look, and sign and publish what was seen: an attestation. The log must know the auditor's key.
    Attest(AttestArgs),
    /// In which versions of a list did an entry stand? With proofs; and whether it went in time, for whoever has complained.
    Trace(TraceArgs),
    /// Follow and audit, without a page. With --json, one document a line: of each look at each log.
    Run {
        #[command(flatten)]
        follow: FollowArgs,
        /// Look once at each log and end; exit code 6 if anything was found.
        #[arg(long)]
        once: bool,
    },
    /// Follow, audit and serve the page.
    Serve {
        #[command(flatten)]
        follow: FollowArgs,
        /// Where to listen [default: 127.0.0.1:7330].
        #[arg(long, value_name = "ADDRESS", conflicts_with = "config")]
        listen: Option<SocketAddr>,
    },
}
