//! Where results go, whose log it is, and what opens restricted lists: arguments that several commands have.

use std::path::PathBuf;

/// What becomes of a file that is there already where a result is to be written. No command writes over one unasked.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Overwrite {
    /// Write over the file that is there already. Private keys are never written over.
    #[arg(long)]
    pub(crate) force: bool,
}

/// What opens the contents of lists that are not for everybody.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct TokenArgs {
    /// Tokens for lists whose contents are not for everybody: on each line a server's URL, a space and the token, which
    /// is sent to that server alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// A log, and the folder of whoever works on a list in it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DeskArgs {
    /// Log, witnesses and quorum, in C2SP tlog-policy form; the log with its URL.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Your own folder, which keeps the content of earlier releases, and what left each list: keep it, since that can be
    /// gathered again only from releases whose content the log still has.
    #[arg(long, value_name = "DIR")]
    pub(crate) workspace: PathBuf,
    #[command(flatten)]
    pub(crate) tokens: TokenArgs,
}
