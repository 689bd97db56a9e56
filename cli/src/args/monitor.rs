//! Arguments of `isonomy monitor`.

use clap::Subcommand;
use isonomy_core::statement::ListName;
use std::net::SocketAddr;
use std::path::PathBuf;

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
    /// A folder of harmless files: it is found if a list matches one of them.
    #[arg(long, value_name = "DIR")]
    pub(crate) canaries: Option<PathBuf>,
    /// A program that is told of new findings, as JSON on its standard input; for mail, one that runs `sendmail`.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) alert_command: Option<PathBuf>,
    /// A URL to which new findings are posted as JSON.
    #[arg(long, value_name = "URL")]
    pub(crate) alert_webhook: Option<String>,
    /// From which severity on somebody is told.
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "warning")]
    pub(crate) alert_from: FindingSeverityArg,
    /// How often to ask, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) every: u64,
}

/// How grave a finding is.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum FindingSeverityArg {
    Breach,
    Warning,
    Notice,
}

/// What a monitor follows once, to answer a question.
#[derive(clap::Args)]
pub(crate) struct TraceArgs {
    /// Log and witnesses with their URLs, and quorum, in C2SP tlog-policy form.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Where the log is read, if not at the policy's URL: a server, a mirror or a folder.
    #[arg(long, value_name = "URL|DIR")]
    pub(crate) source: Option<String>,
    /// The list.
    #[arg(long, value_name = "NAME", value_parser = super::assess::list_name)]
    pub(crate) list: ListName,
    /// The entry, in hexadecimal.
    #[arg(long, value_name = "HEX")]
    pub(crate) entry: String,
    /// The salt of the complaint, in hexadecimal.
    #[arg(long, value_name = "HEX")]
    pub(crate) salt: Option<String>,
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
    /// The folder of the monitor's own copy and findings; no other monitor runs in it.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Log and witnesses with their URLs, and quorum, in C2SP tlog-policy form.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// A further vantage point: a mirror or folder. Repeatable.
    #[arg(long = "source", value_name = "URL|DIR")]
    pub(crate) sources: Vec<String>,
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
}

#[derive(Subcommand)]
pub(crate) enum MonitorCommand {
    /// Look, and sign and publish what was seen: an attestation. The log must know the auditor's key.
    Attest(AttestArgs),
    /// In which versions of a list did an entry stand? With proofs; and whether it went in time, for whoever has complained.
    Trace(TraceArgs),
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
