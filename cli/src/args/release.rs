//! Arguments of `isonomy release`.

use super::{DeskArgs, Overwrite};
use clap::{Args, Subcommand};
use isonomy_publisher::guard::Rail;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum ReleaseCommand {
    /// Compose the next release of a list: a draft, one file for the curators.
    New(ComposeArgs),
    /// As a curator: recompute a draft from its content, and sign it. What is to be sent back is a small file.
    Endorse(EndorseArgs),
    /// As the maintainer: sign a draft that the curators endorsed, and publish it.
    Publish(PublishArgs),
}

/// Arguments of `isonomy release new`.
#[derive(Args)]
pub(crate) struct ComposeArgs {
    /// The content: a list as `isonomy list import` writes it.
    pub(crate) content: PathBuf,
    /// The name of the list.
    #[arg(long, value_name = "NAME")]
    pub(crate) list: String,
    #[command(flatten)]
    pub(crate) desk: DeskArgs,
    /// For how many seconds the release is valid; the charter's limit if not given.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) validity: Option<u64>,
    #[command(flatten)]
    pub(crate) rails: RailArgs,
    /// The draft to write: one file, a tar archive. Each curator gets a copy.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Arguments of `isonomy release endorse`.
#[derive(Args)]
pub(crate) struct EndorseArgs {
    /// The draft, as the maintainer sent it.
    pub(crate) draft: PathBuf,
    /// The curator's key file.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) desk: DeskArgs,
    /// The curator's own hashes, as a list or in any form that `isonomy list import` reads: says how many of the added entries it
    /// knows itself.
    #[arg(long, value_name = "FILE")]
    pub(crate) holdings: Option<PathBuf>,
    /// The curator's own hashes, in such a file: refuses to sign unless every entry of the release stands there, and prints those that don't.
    #[arg(long, value_name = "FILE")]
    pub(crate) require_all_in: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rails: RailArgs,
    /// Sign this as another text for its version, in the place of the one with this id (64 hexadecimal digits), and keep that on
    /// record. Repeatable, where several keys of yours have signed several. What the log has is not replaced.
    #[arg(long, value_name = "ID")]
    pub(crate) replaces: Vec<String>,
    /// The endorsement to write: the release with this signature, some kilobytes. It goes back to the maintainer.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) overwrite: Overwrite,
}

/// Arguments of `isonomy release publish`.
#[derive(Args)]
pub(crate) struct PublishArgs {
    /// The draft.
    pub(crate) draft: PathBuf,
    /// What the curators sent back.
    #[arg(value_name = "ENDORSEMENT")]
    pub(crate) endorsements: Vec<PathBuf>,
    /// The maintainer's key file.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) desk: DeskArgs,
    #[command(flatten)]
    pub(crate) rails: RailArgs,
    /// Where to write the proof that it is in the log. An older proof that is there is renewed.
    #[arg(long, value_name = "FILE")]
    pub(crate) proof: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) overwrite: Overwrite,
}

/// What stops a release before anybody signs it. Maintainer and curators are asked alike, each for themselves.
#[derive(Args)]
pub(crate) struct RailArgs {
    /// What the list may never match: a folder of harmless pictures and files, or a file of their hashes in any form that
    /// `isonomy list import` reads. Repeatable.
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) canaries: Vec<PathBuf>,
    /// Don't hold the list against the photographs of this project: for trials with those very photographs.
    #[arg(long)]
    pub(crate) no_built_in_canaries: bool,
    /// Let the list grow by more than a fifth at once.
    #[arg(long)]
    pub(crate) accept_growth: bool,
    /// Let the list lose more than a fifth at once, or all.
    #[arg(long)]
    pub(crate) accept_shrinkage: bool,
    /// Let entries come back that were on the list before and were taken off it.
    #[arg(long)]
    pub(crate) accept_returns: bool,
    /// Take PDQ hashes with other than 128 bits set (rule 8); the release counts them in public.
    #[arg(long)]
    pub(crate) allow_irregular: bool,
}

impl RailArgs {
    /// Whether a rail may be set off.
    pub(crate) fn accepts(&self, rail: Rail) -> bool {
        match rail {
            Rail::Growth => self.accept_growth,
            Rail::Shrinkage => self.accept_shrinkage,
            Rail::Returns => self.accept_returns,
            Rail::Irregular => self.allow_irregular,
            Rail::Canary | Rail::Limits | Rail::Memory | Rail::Near | Rail::Crowded => false,
        }
    }
}
