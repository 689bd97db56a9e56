//! Arguments of `isonomy demo`.

use std::path::PathBuf;

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
