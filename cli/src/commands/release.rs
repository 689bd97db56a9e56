//! `isonomy release`.

use super::{confirming, files, list};
use crate::args::{RailArgs, ReleaseCommand};
use crate::exit::{Exit, Malformed, Refused};
use crate::output::Output;
use anyhow::{Context, Result, bail};
use isonomy_client::system_clock;
use isonomy_core::charter::Charter;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::StatementId;
use isonomy_core::list::Entries;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::release::Release;
use isonomy_core::statement::{ListName, Signed};
use isonomy_fetch::{LogClient, Source};
use isonomy_publisher::compose::{Term, compose};
use isonomy_publisher::draft::{self, Draft, DraftReport};
use isonomy_publisher::endorse::{EndorsementReport, Examined, examine};
use isonomy_publisher::guard::{Alarm, Canaries, Rail, Severity, inspect};
use isonomy_publisher::keys;
use isonomy_publisher::memory::SigningMemory;
use isonomy_publisher::submit::{SubmitReport, submit_release};
use isonomy_publisher::view::ListView;
use isonomy_publisher::workspace::{Base, Workspace};
use serde_json::json;
use std::path::{Path, PathBuf};

pub(crate) async fn run(command: ReleaseCommand, output: &Output) -> Result<Exit> {
    match command {
        ReleaseCommand::New { content, list, policy, workspace, validity, rails, out } => {
            let list = ListName::new(&list).ok_or_else(|| Malformed(format!("{list} is no list's name")))?;
            let composition = Composition { content, list, validity, rails, out };
            composition.run(&Desk::open(&policy, &workspace)?, output).await
        }
        ReleaseCommand::Endorse { draft, key, policy, workspace, holdings, require_all_in, replaces } => {
            let replaces = parse_id(replaces.as_deref())?;
            let endorsement = Endorsement { draft, key, holdings, require_all_in, replaces };
            endorsement.run(&Desk::open(&policy, &workspace)?, output).await
        }
        ReleaseCommand::Publish { draft, key, policy, workspace, proof } => {
            publish(&draft, &key, &Desk::open(&policy, &workspace)?, proof.as_deref(), output).await
        }
    }
}

/// What maintainer and curators all need: whom to trust, the log, and the content of earlier releases.
pub(super) struct Desk {
    trust: TlogPolicy,
    log: LogClient,
    source: Source,
    workspace: Workspace,
    /// The folder of the workspace.
    folder: PathBuf,
}

impl Desk {
    pub(super) fn open(policy: &Path, workspace: &Path) -> Result<Self> {
        let trust = files::tlog_policy(policy)?;
        let log = log_client(&trust)?;
        let folder = workspace.to_owned();
        Ok(Self { source: log.source(), log, trust, workspace: Workspace::open(workspace)?, folder })
    }

    /// What the log says of the list, verified, and the content on which the next release builds.
    pub(super) async fn view(&self, list: &ListName) -> Result<(ListView, Vec<Base>)> {
        let view = ListView::fetch(&self.source, &self.trust, list)
            .await
            .context("what the log says of the list can't be used")?;
        let newest = view.editions().newest().context("the list has no charter")?;
        let algorithm = newest.charter().matching.algorithm;
        let bases = self.workspace.bases(view.bases(), algorithm, &self.source).await?;
        Ok((view, bases))
    }
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

/// A statement's identity, as a person typed it.
pub(crate) fn parse_id(text: Option<&str>) -> Result<Option<StatementId>> {
    let parse = |text: &str| {
        StatementId::from_hex(text).ok_or_else(|| Malformed(format!("{text} is no id of 64 hexadecimal digits")))
    };
    Ok(text.map(parse).transpose()?)
}

/// The maintainer's work on the next release.
struct Composition {
    content: PathBuf,
    list: ListName,
    validity: Option<u64>,
    rails: RailArgs,
    out: PathBuf,
}

impl Composition {
    async fn run(&self, desk: &Desk, output: &Output) -> Result<Exit> {
        let (view, bases) = desk.view(&self.list).await?;
        let charter = view.editions().newest().context("the list has no charter")?.charter();
        let entries = list::read(&self.content, charter.matching.algorithm)?;
        let before = match bases.last() {
            Some(base) => base.entries.clone(),
            None => Entries::empty(entries.entry_size())?,
        };
        let alarms = self.inspect(&before, &entries, charter)?;
        let draft = compose(&view, &bases, &entries, Term { created: system_clock(), validity: self.validity })?;
        draft.write(&self.out, &entries)?;
        let report = draft.report();
        let words = draft_words(&report, &self.out) + &alarm_words(&alarms);
        output.report(words, &json!({ "draft": report, "folder": self.out, "alarms": alarms }))?;
        Ok(Exit::Done)
    }

    /// The guard rails; those that stop a release are an error unless they were accepted.
    fn inspect(&self, before: &Entries, after: &Entries, charter: &Charter) -> Result<Vec<Alarm>> {
        let rails = &self.rails;
        let mut canaries = if rails.no_built_in_canaries { Canaries::none() } else { Canaries::built_in() };
        for folder in &rails.canaries {
            canaries.add_folder(folder).with_context(|| format!("{} can't serve as canaries", folder.display()))?;
        }
        let alarms = inspect(before, after, charter, &canaries)?;
        let is_accepted = |alarm: &Alarm| rails.accepts(alarm.rail);
        let stopping: Vec<Alarm> =
            alarms.iter().filter(|alarm| alarm.severity == Severity::Stops && !is_accepted(alarm)).cloned().collect();
        if stopping.is_empty() {
            return Ok(alarms);
        }
        let flags = stopping.iter().filter_map(|alarm| way_out(alarm.rail));
        let hint: String = flags.map(|flag| format!("\n  If that is meant: {flag}")).collect();
        Err(Refused(format!("nothing was composed: a guard rail stops the release{}{hint}", alarm_words(&stopping)))
            .into())
    }
}

/// The flag that accepts what sets off a rail, if one does.
fn way_out(rail: Rail) -> Option<&'static str> {
    match rail {
        Rail::Growth => Some("--accept-growth"),
        Rail::Shrinkage => Some("--accept-shrinkage"),
        Rail::Irregular => Some("--allow-irregular"),
        Rail::Canary | Rail::Limits | Rail::Near => None,
    }
}

/// The guard rails that were set off, a line each.
pub(super) fn alarm_words(alarms: &[Alarm]) -> String {
    let mut words = String::new();
    for alarm in alarms {
        let mark = if alarm.severity == Severity::Stops { '✗' } else { '!' };
        words += &format!("\n  {mark} {}", alarm.words);
        words.extend(alarm.entries.iter().map(|entry| format!("\n      {entry}")));
    }
    words
}

pub(super) fn draft_words(report: &DraftReport, out: &Path) -> String {
    let objects: Vec<String> =
        report.objects.iter().map(|object| format!("\n  {}: {} bytes", object.what, object.size)).collect();
    format!(
        "draft of {} version {}: {} entries{}, +{} −{}\n  id {}{}\n  The curators endorse it now: isonomy release endorse {} …",
        report.list,
        report.version,
        report.entries,
        irregular_words(report.irregular),
        report.added,
        report.removed,
        report.release,
        objects.concat(),
        out.display()
    )
}

/// How many of the entries rule 8 admits by exception alone.
fn irregular_words(irregular: u64) -> String {
    if irregular == 0 { String::new() } else { format!(" ({irregular} of them irregular)") }
}

/// A curator's work on one draft.
struct Endorsement {
    draft: PathBuf,
    key: PathBuf,
    holdings: Option<PathBuf>,
    require_all_in: Option<PathBuf>,
    replaces: Option<StatementId>,
}

impl Endorsement {
    async fn run(&self, desk: &Desk, output: &Output) -> Result<Exit> {
        let (draft, key) = (Draft::read(&self.draft)?, keys::open(&self.key)?);
        let (view, bases) = desk.view(&draft.release().body().list).await?;
        let examined = examine(&draft, &view, &bases, system_clock())?;
        let algorithm = view.editions().newest().context("the list has no charter")?.charter().matching.algorithm;
        let holdings = |path: &PathBuf| list::read(path, algorithm);
        if let Some(path) = &self.require_all_in {
            check_all_in(&examined, &holdings(path)?, path, output)?;
        }
        let known = self.holdings.as_ref().map(|path| anyhow::Ok(examined.compare(&holdings(path)?)?)).transpose()?;
        if let Some(reason) = draft::read_reason(&self.draft)? {
            output.say(format!("the maintainer says why: {reason}"));
        }
        let mut memory = SigningMemory::of_key(&self.key)?;
        let signed = examined.endorse(key.as_ref(), &mut memory, self.replaces, system_clock())?;
        draft::write_release(&self.draft, &signed)?;
        let report = examined.report(&signed);
        let mut words = endorsement_words(&report);
        if let Some(known) = &known {
            words += &format!("\n  of the added entries you know {}, and don't know {}", known.known, known.unknown);
        }
        output.report(words, &json!({ "endorsement": report, "holdings": known }))?;
        Ok(Exit::Done)
    }
}

/// Refuses a release with entries that the curator does not hold itself, and names each of them.
fn check_all_in(examined: &Examined<'_>, holdings: &Entries, path: &Path, output: &Output) -> Result<()> {
    let missing = examined.missing_from(holdings)?;
    if missing.is_empty() {
        return Ok(());
    }
    for entry in &missing {
        output.say(format!("not in {}: {}", path.display(), to_hex(entry)));
    }
    let (count, all) = (missing.len(), examined.entries().len());
    Err(Refused(format!("{count} of {all} entries don't stand in {}; nothing was signed", path.display())).into())
}

fn endorsement_words(report: &EndorsementReport) -> String {
    let missing = report.missing.as_deref().unwrap_or("nothing: it can be published");
    format!(
        "✓ {} version {}: recomputed from its content: {} entries{}, +{} −{}, root {}\n  signed by {}\n  still missing: {missing}\n  to be published before {}",
        report.list,
        report.version,
        report.entries,
        irregular_words(report.irregular),
        report.added,
        report.removed,
        report.root,
        report.signed.join(", "),
        report.submit_before,
    )
}

async fn publish(folder: &Path, key: &Path, desk: &Desk, proof: Option<&Path>, output: &Output) -> Result<Exit> {
    let draft = Draft::read(folder)?;
    let (view, bases) = desk.view(&draft.release().body().list).await?;
    let cited = view.editions().find(&draft.release().body().charter).context("the cited charter isn't in the log")?;
    let signed = finish(folder, key, &draft, &view, &bases)?;
    let complete = draft.signed(signed)?;
    let report = submit_release(&desk.log, &desk.trust, &complete, cited.charter()).await;
    let report = report.context("the release was not published")?;
    write_proof(proof, &report)?;
    let (published, charter) = (complete.release(), cited.charter());
    let confirmed = confirming::ask(&desk.folder, &desk.trust, &view, charter, &desk.source, published).await;
    let confirmed = confirmed.context("the release is in the log, but a client would not accept it")?;
    let words = format!("{}\n{}", submit_words(&report, "release"), confirming::words(&confirmed));
    output.report(words, &json!({ "published": report, "client": confirmed }))?;
    Ok(Exit::Done)
}

/// Signs as the maintainer, unless that was done before an earlier try.
fn finish(folder: &Path, key: &Path, draft: &Draft, view: &ListView, bases: &[Base]) -> Result<Signed<Release>> {
    let signer = keys::open(key)?;
    let lines = draft.release().note().signatures();
    if lines.iter().any(|line| signer.verifier().matches(line)) {
        return Ok(draft.release().clone());
    }
    let examined = examine(draft, view, bases, system_clock())?;
    let mut memory = SigningMemory::of_key(key)?;
    let signed = examined.finish(signer.as_ref(), &mut memory, system_clock())?;
    draft::write_release(folder, &signed)?;
    Ok(signed)
}

/// Writes the proof of a submission, if a file is named for it.
pub(crate) fn write_proof(path: Option<&Path>, report: &SubmitReport) -> Result<()> {
    path.map_or(Ok(()), |path| files::write(path, report.proof.as_bytes()))
}

/// What came of a submission, in words.
pub(crate) fn submit_words(report: &SubmitReport, what: &str) -> String {
    let usable = report.usable_from.map_or(String::new(), |time| format!("; usable from {time}"));
    format!(
        "✓ the {what} is entry {} of {}, and the quorum of witnesses has cosigned it\n  id {}\n  public since {}{usable}\n  {} objects sent, {} bytes",
        report.index, report.log, report.statement, report.public_since, report.objects_sent, report.bytes_sent
    )
}
