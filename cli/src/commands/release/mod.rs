//! `isonomy release`, and what other commands about releases need of it.

mod composing;
mod endorsing;
mod publishing;
pub(super) mod rails;

pub(super) use composing::draft_words;
pub(crate) use publishing::{ProofFile, submit_words};

use super::files;
use crate::args::{DeskArgs, ReleaseCommand};
use crate::exit::{Exit, Malformed, Refused};
use crate::output::Output;
use anyhow::{Context, Result, bail};
use isonomy_core::hash::StatementId;
use isonomy_core::list::Algorithm;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::release::Release;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, MAX_STATEMENT_SIZE, Signed, Statement};
use isonomy_fetch::{FetchError, LogClient, Source};
use isonomy_publisher::draft::{self, Draft, DraftReport};
use isonomy_publisher::memory::{Outstanding, Role, SigningMemory};
use isonomy_publisher::view::ListView;
use isonomy_publisher::workspace::{Base, Past, Recalled, Workspace};
use std::path::{Path, PathBuf};

pub(crate) async fn run(command: ReleaseCommand, output: &Output) -> Result<Exit> {
    match command {
        ReleaseCommand::New(args) => composing::run(&args, output).await,
        ReleaseCommand::Endorse(args) => endorsing::run(&args, output).await,
        ReleaseCommand::Publish(args) => publishing::run(&args, output).await,
    }
}

/// What maintainer and curators all need: whom to trust, the log, and the content of earlier releases.
pub(super) struct Desk {
    trust: TlogPolicy,
    log: LogClient,
    source: Source,
    /// The folder of the workspace.
    folder: PathBuf,
}

/// What the next release of a list builds on.
pub(super) struct Ground {
    /// What the log says of the list, verified.
    pub(super) view: ListView,
    /// The content of earlier releases.
    pub(super) bases: Vec<Base>,
    /// What the list once had, as far as it was seen here.
    pub(super) past: Past,
    /// The list's part of the workspace.
    pub(super) workspace: Workspace,
}

impl Desk {
    pub(super) fn open(args: &DeskArgs) -> Result<Self> {
        let trust = files::tlog_policy(&args.policy)?;
        let log = log_client(&trust)?;
        let source = log.source().with_tokens(&files::tokens(&args.tokens)?);
        Ok(Self { source, log, trust, folder: args.workspace.clone() })
    }

    /// The release with this id as the log has it, if it has it.
    async fn logged(&self, id: StatementId) -> Result<Option<Signed<Release>>> {
        let resource = Resource::Statement(id);
        let bytes = match self.source.get(&resource, resource.max_bytes().unwrap_or(0)).await {
            Err(FetchError::NotFound { .. }) => return Ok(None),
            answer => answer?,
        };
        Ok(Statement::parse(&bytes)?.into_release().filter(|logged| logged.id() == id))
    }

    /// Refuses to sign beside other texts that were signed for the same version, if the log has one of them, although it shows no
    /// such version: neither is the time of that one over, nor can it be replaced.
    async fn check_not_logged(&self, others: &[StatementId]) -> Result<()> {
        for id in others {
            if self.logged(*id).await?.is_some() {
                let problem = format!(
                    "nothing was signed: the log has another text for this version, {id}, which this key or another one of yours has \
                     signed, and yet it does not show that version. Either the list has ended in this log, or it answered with an old \
                     state. A second text would be evidence against you, whenever it is signed: don't replace the first one, and ask \
                     the operator of the log"
                );
                return Err(Refused(problem).into());
            }
        }
        Ok(())
    }

    async fn view(&self, list: &ListName) -> Result<(ListView, Algorithm)> {
        let view = ListView::fetch(&self.source, &self.trust, list)
            .await
            .context("what the log says of the list can't be used")?;
        let newest = view.editions().newest().context("the list has no charter")?;
        let algorithm = newest.charter().matching.algorithm;
        Ok((view, algorithm))
    }

    /// Learns what this list once had; nothing if it has no release. `heard` is told each version that was looked at, of so many.
    pub(super) async fn recall(
        &self,
        list: &ListName,
        heard: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<Option<Recalled>> {
        let (view, algorithm) = self.view(list).await?;
        let history = view.history(&self.source, &self.trust).await.context("the releases can't be read")?;
        let all = history.len() as u64;
        let workspace = Workspace::open(&self.folder, list)?;
        Ok(workspace.recall(&history, algorithm, &self.source, &mut |version| heard(version, all)).await?)
    }

    /// What the next release of this list builds on.
    pub(super) async fn ground(&self, list: &ListName) -> Result<Ground> {
        let (view, algorithm) = self.view(list).await?;
        let workspace = Workspace::open(&self.folder, list)?;
        let bases = workspace.bases(view.bases(), algorithm, &self.source).await?;
        let past = workspace.past(&bases)?;
        Ok(Ground { view, bases, past, workspace })
    }
}

/// Another text that the maintainer has signed for the version of a draft, by its workspace, and that may still be logged: what its
/// curators ought to know before they sign this one.
pub(super) fn signed_before(
    workspace: &Workspace,
    view: &ListView,
    draft: &DraftReport,
) -> Result<Option<Outstanding>> {
    let memory = SigningMemory::in_common(&workspace.signed(Role::Maintainer))?;
    let outstanding = memory.outstanding(&draft.list, draft.version, view.now()).into_iter();
    let others = outstanding.filter(|one| one.version == draft.version && one.release.to_hex() != draft.release);
    Ok(others.max_by_key(|one| one.until))
}

/// That, in words.
pub(super) fn signed_before_words(signed: Option<&Outstanding>) -> String {
    let Some(Outstanding { version, release, until }) = signed else { return String::new() };
    format!(
        "\n  ! version {version} is signed already ({release}), and may still be logged: publish that, or have this one signed only once \
         the log shows that version {version} was not logged by {until}"
    )
}

/// The log of a policy, which must say where it is.
pub(crate) fn log_client(trust: &TlogPolicy) -> Result<LogClient> {
    match trust.logs() {
        [log] => {
            let url = log.url.as_deref().context("the policy gives no URL for its log")?;
            Ok(LogClient::new(url)?)
        }
        logs => bail!("the policy names {} logs; a list counts in exactly one", logs.len()),
    }
}

/// A release in a file: a draft's, an endorsement, or what a log serves.
pub(super) fn read_release(path: &Path) -> Result<Signed<Release>> {
    if draft::is_one(path) {
        return Ok(Draft::open(path)?.release().clone());
    }
    let malformed = |why: &dyn std::fmt::Display| Malformed(format!("{}: {why}", path.display()));
    let statement = Statement::parse_draft(&files::read(path, MAX_STATEMENT_SIZE)?);
    let statement = statement.map_err(|error| malformed(&error))?;
    Ok(statement.into_release().ok_or_else(|| malformed(&"it is no release"))?)
}

/// The identities of statements, as a person typed them.
pub(crate) fn parse_ids(texts: &[String]) -> Result<Vec<StatementId>> {
    let parse = |text: &String| {
        StatementId::from_hex(text).ok_or_else(|| Malformed(format!("{text} is no id of 64 hexadecimal digits")).into())
    };
    texts.iter().map(parse).collect()
}

/// The name of a list, as a person typed it.
pub(super) fn parse_list(text: &str) -> Result<ListName> {
    Ok(ListName::new(text).ok_or_else(|| Malformed(format!("{text} is no list's name")))?)
}

/// How many of the entries rule 8 admits by exception alone.
fn irregular_words(irregular: u64) -> String {
    if irregular == 0 { String::new() } else { format!(" ({irregular} of them irregular)") }
}
