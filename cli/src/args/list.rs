//! Arguments of `isonomy list`.

use super::{ClientFolder, DeskArgs, Overwrite, RailArgs, TokenArgs};
use crate::exit::Malformed;
use clap::{Subcommand, ValueEnum};
use isonomy_core::statement::ListName;
use std::path::PathBuf;

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
    /// vpdq/v1: videos that look alike; an entry is a frame, the number of its video before its hash.
    Vpdq,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum FormatArg {
    /// Recognise it by the content.
    Auto,
    /// One hash a line, hexadecimal or base64.
    Lines,
    /// CSV with a named column.
    Csv,
    /// The output of sha256sum, sha1sum or md5sum, with or without --tag.
    Sums,
    /// PDQ's tools: hash=…,quality=….
    Pdq,
    /// vPDQ's text: frame,quality,hash,timestamp.
    Vpdq,
    /// ThreatExchange's table: indicator,descriptor_id,added_on,tags.
    ThreatExchange,
    /// ThreatExchange's threat_updates, JSON.
    Updates,
    /// StopNCII, JSON.
    Stopncii,
    /// Tech Against Terrorism, JSON.
    Terrorism,
    /// NCMEC's hash sharing version 2, XML.
    Ncmec,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnselectedArg {
    /// They stay: another source may have given them.
    Keep,
    /// They go.
    Remove,
}

#[derive(Subcommand)]
pub(crate) enum ListCommand {
    /// Read hashes from files that maintainers have, into a sorted list.
    Import(ImportArgs),
    /// Hash a folder of pictures, and of videos if wanted.
    Hash(HashArgs),
    /// Say what a list, or a draft, holds. A list in a file is nothing but its entries: whose hashes they are, a charter says.
    Info(InfoArgs),
    /// Write the entries of a list, or of a draft, in hexadecimal, one a line: what `isonomy list import` reads again.
    Show(ShowArgs),
    /// Show what would change from one list to another, or from what is published to a list. Nothing is written or signed. Ends
    /// with 6 if a guard rail would stop the release.
    Diff(DiffArgs),
    /// Compose a release that only removes entries, in one step: a wrongly listed person waits for it.
    Remove(RemoveArgs),
    /// Learn from the log what the list once had and lost, for a workspace that is new or whose memory is damaged: so that none of
    /// it comes back unnoticed.
    Recall(RecallArgs),
    /// Prove that the list of a release holds a hash, or that it does not: a file of less than 2 kB.
    Prove(ProveArgs),
    /// Check such a proof against a release, offline.
    Check(CheckArgs),
}

/// Arguments of `isonomy list recall`.
#[derive(clap::Args)]
pub(crate) struct RecallArgs {
    /// The name of the list.
    #[arg(long, value_name = "NAME")]
    pub(crate) list: String,
    #[command(flatten)]
    pub(crate) desk: DeskArgs,
}

/// Arguments of `isonomy list hash`.
#[derive(clap::Args)]
pub(crate) struct HashArgs {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// The CSV file to write: file,width,height,quality,pdq. It is written when all are hashed: whoever ends the command before has none.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: PathBuf,
    /// Hash videos, too, by the system's ffmpeg, into this CSV file: file,quality,vpdq. A row is a frame, as a list of
    /// videos holds it.
    #[arg(long, value_name = "FILE")]
    pub(crate) videos: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) overwrite: Overwrite,
}

/// Arguments of `isonomy list info`.
#[derive(clap::Args)]
pub(crate) struct InfoArgs {
    /// The list, or a draft.
    #[arg(value_name = "FILE")]
    pub(crate) path: PathBuf,
    /// Whose hashes the list holds. Without it, what the entries alone tell.
    #[arg(long, value_enum, conflicts_with = "charter")]
    pub(crate) algorithm: Option<AlgorithmArg>,
    /// The charter of the list, which names its algorithm.
    #[arg(long, value_name = "FILE")]
    pub(crate) charter: Option<PathBuf>,
}

/// Arguments of `isonomy list show`.
#[derive(clap::Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) list: InfoArgs,
}

/// Arguments of `isonomy list import`.
#[derive(clap::Args)]
pub(crate) struct ImportArgs {
    /// The files to read, in any order; they may have different formats.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Which hashes they are.
    #[arg(long, value_enum, default_value = "pdq")]
    pub(crate) algorithm: AlgorithmArg,
    /// How they are written.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) format: FormatArg,
    /// For CSV: the column that holds the hash, by its name; in a table without names by its number, from 1.
    #[arg(long, value_name = "NAME|NUMBER")]
    pub(crate) column: Option<String>,
    /// For CSV: a column that tells nothing of whether a record still counts, by its name, or by its number where it has none. It is
    /// passed over. In feeds and in lines of PDQ's tools, such a field; in sums, `name` is what stands behind the hash; `#` is each comment.
    /// Without this, a column that is not read and may mark rows stops the import: one with yes or no, a sign or a date in half of its values, or with
    /// few short values or words beside the number of rows, in any language. Repeatable.
    #[arg(long = "ignore-column", value_name = "NAME|NUMBER")]
    pub(crate) ignored: Vec<String>,
    /// Take only hashes of this quality or a better one. Records that give none are refused.
    #[arg(long, value_name = "0-100", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=100))]
    pub(crate) min_quality: u64,
    /// Take only records of this class (NCMEC: A1, A2, B1, B2; Tech Against Terrorism: ideology). Repeatable.
    #[arg(long = "class", value_name = "CLASS", value_delimiter = ',')]
    pub(crate) classes: Vec<String>,
    /// Take only records with this tag. Repeatable.
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// Go on without the records that are refused.
    #[arg(long)]
    pub(crate) skip_invalid: bool,
    /// A table for every record that is refused, where it stands and why: file,record,line,byte,field,reason (CSV).
    #[arg(long, value_name = "FILE")]
    pub(crate) refused: Option<PathBuf>,
    /// Take PDQ hashes with other than 128 bits set; the release counts them in public.
    #[arg(long)]
    pub(crate) allow_irregular: bool,
    /// The list as it was: what is imported comes to it, and what is withdrawn goes from it.
    #[arg(long, value_name = "FILE")]
    pub(crate) base: Option<PathBuf>,
    /// Write a list of nothing, if no hash comes onto it. Without --base, that is refused otherwise.
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// With --base: what becomes of entries that are in the files and not selected (any more) by class, tag or quality. If there
    /// are any, one or the other must be said.
    #[arg(long, value_enum, requires = "base")]
    pub(crate) unselected: Option<UnselectedArg>,
    /// Remembers which hash came under which id, for sources that withdraw by id alone (NCMEC). Read if it exists, then written.
    #[arg(long, value_name = "FILE")]
    pub(crate) ids: Option<PathBuf>,
    /// The list to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) overwrite: Overwrite,
}

/// Arguments of `isonomy list diff`.
#[derive(clap::Args)]
pub(crate) struct DiffArgs {
    /// The new list; with --list also a draft, which is examined as `release endorse` does it, without a signature.
    pub(crate) new: PathBuf,
    /// The old list, in a file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "policy", "workspace", "token_file", "RailArgs"])]
    pub(crate) old: Option<PathBuf>,
    /// The name of a list, to compare with its newest release.
    #[arg(long, value_name = "NAME", requires = "policy", requires = "workspace")]
    list: Option<String>,
    /// With --list: log, witnesses and quorum, in C2SP tlog-policy form; the log with its URL.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// With --list: your own folder, which keeps the content of earlier releases.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    #[command(flatten)]
    tokens: TokenArgs,
    /// Which hashes the two files hold.
    #[arg(long, value_enum, default_value = "pdq")]
    pub(crate) algorithm: AlgorithmArg,
    /// Show every entry that comes or goes.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) rails: RailArgs,
}

impl DiffArgs {
    /// The published list with which to compare.
    pub(crate) fn published(&self) -> anyhow::Result<(ListName, DeskArgs)> {
        let (Some(list), Some(policy), Some(workspace)) = (&self.list, self.policy.clone(), self.workspace.clone())
        else {
            anyhow::bail!("compare with a file (--old), or with what is published (--list, --policy and --workspace)");
        };
        let name = ListName::new(list).ok_or_else(|| Malformed(format!("{list} is no list's name")))?;
        Ok((name, DeskArgs { policy, workspace, tokens: self.tokens.clone() }))
    }
}

/// Arguments of `isonomy list remove`.
#[derive(clap::Args)]
pub(crate) struct RemoveArgs {
    /// The hashes to remove, in hexadecimal or base64; each must be on the list.
    #[arg(required_unless_present = "from", value_name = "HASH")]
    pub(crate) hashes: Vec<String>,
    /// More of them, in a file in any form that `isonomy list import` reads.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Why, for the curators; it stays in the draft and is not published.
    #[arg(long, value_name = "WORDS")]
    pub(crate) reason: String,
    /// The name of the list.
    #[arg(long, value_name = "NAME")]
    pub(crate) list: String,
    #[command(flatten)]
    pub(crate) desk: DeskArgs,
    #[command(flatten)]
    pub(crate) rails: RailArgs,
    /// The draft to write: one file, for the curators.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Arguments of `isonomy list prove`.
#[derive(clap::Args)]
pub(crate) struct ProveArgs {
    /// The hash, in hexadecimal or base64.
    pub(crate) hash: String,
    /// A draft, which has release and content.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["release", "content", "policy", "state"])]
    pub(crate) draft: Option<PathBuf>,
    /// The release.
    #[arg(long, value_name = "FILE", requires = "content", conflicts_with_all = ["policy", "state"])]
    pub(crate) release: Option<PathBuf>,
    /// Its content: a list as `isonomy list import` writes it.
    #[arg(long, value_name = "FILE", requires = "release")]
    pub(crate) content: Option<PathBuf>,
    /// An app's policy, to prove from the list that it verified.
    #[arg(long, value_name = "FILE", requires = "state")]
    policy: Option<PathBuf>,
    /// The app's folder of state and cache.
    #[arg(long, value_name = "DIR", requires = "policy")]
    state: Option<PathBuf>,
    /// The proof to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) overwrite: Overwrite,
}

impl ProveArgs {
    /// The client's folder.
    pub(crate) fn folder(&self) -> anyhow::Result<ClientFolder> {
        let (Some(policy), Some(state)) = (self.policy.clone(), self.state.clone()) else {
            anyhow::bail!("say whose list it is: --draft, or --release and --content, or --policy and --state");
        };
        Ok(ClientFolder { policy, state })
    }
}

/// Arguments of `isonomy list check`.
#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    /// The proof.
    pub(crate) file: PathBuf,
    /// The release with whose list it deals: a draft, an endorsement, or what the log serves at `/statement/<id>`, which alone has
    /// the signatures of all.
    #[arg(long, value_name = "FILE")]
    pub(crate) release: PathBuf,
    /// The release's own proof that it is in the log, as `isonomy release publish --proof` writes it.
    #[arg(long, value_name = "FILE", requires = "policy")]
    pub(crate) tlog_proof: Option<PathBuf>,
    /// Log, witnesses and quorum, in C2SP tlog-policy form.
    #[arg(long, value_name = "FILE", requires = "tlog_proof")]
    pub(crate) policy: Option<PathBuf>,
}
