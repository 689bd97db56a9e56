//! `isonomy charter`.

mod checking;
mod difference;

use super::release::ProofFile;
use super::waiting::Waiting;
use super::{files, key, release};
use crate::args::{CharterCommand, Overwrite, SeverityArg};
use crate::exit::{Exit, Malformed, Refused};
use crate::output::Output;
use anyhow::{Context, Result, bail};
use isonomy_client::system_clock;
use isonomy_core::charter::Charter;
use isonomy_core::note::VerifierKey;
use isonomy_core::rules::amendment::Direction;
use isonomy_core::statement::{MAX_STATEMENT_SIZE, Signed};
use isonomy_core::time::Timestamp;
use isonomy_publisher::charter::Severity;
use isonomy_publisher::charter::dialogue::Question;
use isonomy_publisher::charter::{self, ChangeReport, CharterReport, Edition, Finding};
use isonomy_publisher::memory::SigningMemory;
use isonomy_publisher::submit::{SubmitReport, submit_charter};
use isonomy_publisher::workspace::Workspace;
use serde::Serialize;
use serde_json::json;
use std::io::{Lines, StdinLock};
use std::path::{Path, PathBuf};

pub(crate) async fn run(command: CharterCommand, output: &Output) -> Result<Exit> {
    match command {
        CharterCommand::New { ask: true, out, overwrite, .. } => new_by_dialogue(&out, overwrite, output),
        CharterCommand::New { from: None, amends, out, overwrite, .. } => {
            new_file(amends.as_deref(), &out, overwrite, output)
        }
        CharterCommand::New { from: Some(from), amends, out, overwrite, .. } => {
            new_text(&from, amends.as_deref(), &out, overwrite, output)
        }
        CharterCommand::Lint { file, deny } => lint(&file, deny.into(), output),
        CharterCommand::Check { file, policy, workspace } => {
            checking::run(&file, &policy, workspace.as_deref(), output).await
        }
        CharterCommand::Diff { old, new } => difference::run(&old, &new, output),
        CharterCommand::Sign { file, key, amends, workspace, replaces } => {
            let memory = MemoryPlace { key: &key, workspace: workspace.as_deref() };
            sign(&file, memory, &amends, &replaces, output)
        }
        CharterCommand::Merge { file, copies, amends } => merge(&file, &copies, &amends, output),
        CharterCommand::Publish { file, policy, workspace, proof, overwrite } => {
            let proof = ProofFile { path: proof, overwrite };
            publish(&file, &policy, workspace.as_deref(), &proof, output).await
        }
    }
}

/// Writes a charter as TOML: the template, or the edition that is to be amended.
fn new_file(amends: Option<&Path>, out: &Path, overwrite: Overwrite, output: &Output) -> Result<Exit> {
    let (text, task, further) = match amends {
        None => (charter::template(), "Fill it in", String::new()),
        Some(path) => (charter::to_toml(read(path)?.body())?, "Change it", format!(" --amends {}", path.display())),
    };
    files::save(out, text.as_bytes(), overwrite)?;
    let words = format!(
        "{} is written. {task}; then make the text that everybody signs:\n  isonomy charter new --from {}{further} --out charter.note",
        out.display(),
        out.display()
    );
    output.report(words, &json!({ "template": out }))?;
    Ok(Exit::Done)
}

fn new_text(from: &Path, amends: Option<&Path>, out: &Path, overwrite: Overwrite, output: &Output) -> Result<Exit> {
    let before = amends.map(read).transpose()?;
    let edition = before.as_ref().map_or(Edition::First, Edition::Amends);
    let body = parse_toml(from, edition)?;
    before.as_ref().map_or(Ok(()), |before| difference::check_can_follow(before, &body))?;
    let draft = charter::draft(&body)?;
    files::save(out, &draft.to_bytes(), overwrite)?;
    let changes = before.as_ref().map(|before| charter::changes(before.body(), &body)).unwrap_or_default();
    let signed = charter::parse(&draft.to_bytes())?;
    let older: Vec<&Charter> = before.iter().map(|before| before.body()).collect();
    let report = charter::report(&signed, &older)?;
    let words = format!(
        "{}\nBefore anybody signs, ask the log what would come of it:\n  isonomy charter check {} --policy POLICY",
        with_changes(report_words(&report), &changes),
        out.display()
    );
    output.report(words, &json!({ "charter": report, "changes": changes, "file": out }))?;
    Ok(Exit::Done)
}

/// These words, and below them each change on a line of its own.
fn with_changes(words: String, changes: &[ChangeReport]) -> String {
    changes.iter().fold(words, |words, change| {
        let effect = match change.direction {
            Direction::Widens => "WIDENS",
            Direction::Narrows => "narrows",
            Direction::Neither => "changes",
        };
        format!("{words}\n{effect}: {}", change.words)
    })
}

fn parse_toml(path: &Path, edition: Edition<'_>) -> Result<Charter> {
    let bytes = files::read(path, charter::MAX_CHARTER_FILE)?;
    charter::from_toml(&bytes, edition).map_err(|error| Malformed(format!("{}: {error}", path.display())).into())
}

/// Asks every question of the charter, and writes the answers.
fn new_by_dialogue(out: &Path, overwrite: Overwrite, output: &Output) -> Result<Exit> {
    files::check_free(out, overwrite)?;
    let mut answers = Vec::new();
    let mut input = std::io::stdin().lines();
    for question in charter::dialogue::questions() {
        if let Some(heading) = question.heading() {
            eprintln!("\n{}", heading.replace("\n# ", " "));
        }
        if let Some(answer) = ask(&question, &mut input)? {
            answers.push((question, answer));
        }
    }
    let file = charter::dialogue::file(&answers);
    files::save(out, file.as_bytes(), overwrite)?;
    let problem = charter::from_toml(file.as_bytes(), Edition::First).err().map(|error| error.to_string());
    let next = match &problem {
        Some(problem) => format!("It can't be a charter yet: {problem}. Mend the file"),
        None => "Look it over with `isonomy charter lint`".to_owned(),
    };
    let words = format!(
        "{} is written. {next}; then make the text that everybody signs:\n  isonomy charter new --from {} --out charter.note",
        out.display(),
        out.display()
    );
    output.report(words, &json!({ "file": out, "problem": problem }))?;
    Ok(Exit::Done)
}

/// Asks until there is an answer that can stand; nothing if a question may stay open.
fn ask(question: &Question, input: &mut Lines<StdinLock<'static>>) -> Result<Option<String>> {
    loop {
        let usual = match (question.usual_words().as_deref(), question.example()) {
            (Some(""), _) => " [none]".to_owned(),
            (Some(usual), _) => format!(" [{usual}]"),
            (None, Some(example)) => format!(" (for example: {example})"),
            (None, None) => String::new(),
        };
        eprint!("{}: {}{}{usual}\n> ", question.name(), question.about(), question.how());
        let line = input.next().context("the answers end before the questions do; nothing was written")??;
        if line.trim().is_empty() {
            match question.usual() {
                Some(usual) => return Ok(Some(usual.to_owned())),
                None if question.is_optional() => return Ok(None),
                None => eprintln!("this needs an answer"),
            }
            continue;
        }
        match question.answer(&line) {
            Ok(answer) => return Ok(Some(answer)),
            Err(problem) => eprintln!("{problem}"),
        }
    }
}

/// A charter in a file: the text to be signed, or TOML.
fn read_any(path: &Path, edition: Edition<'_>) -> Result<Charter> {
    let bytes = files::read(path, charter::MAX_CHARTER_FILE)?;
    match charter::parse(&bytes) {
        Ok(signed) => Ok(signed.body().clone()),
        Err(_) => parse_toml(path, edition),
    }
}

impl From<SeverityArg> for Severity {
    fn from(argument: SeverityArg) -> Self {
        match argument {
            SeverityArg::Note => Self::Note,
            SeverityArg::Weak => Self::Weak,
            SeverityArg::Serious => Self::Serious,
        }
    }
}

fn lint(path: &Path, deny: Severity, output: &Output) -> Result<Exit> {
    let findings = charter::lint(&read_any(path, Edition::First)?, system_clock());
    let line = |finding: &Finding| {
        let severity = match finding.severity {
            Severity::Serious => "serious",
            Severity::Weak => "weak",
            Severity::Note => "note",
        };
        format!("{severity}: {}: {}\n  {}", finding.field, finding.words, finding.source)
    };
    let lines: Vec<String> = findings.iter().map(line).collect();
    let words = if lines.is_empty() { "nothing is missing".to_owned() } else { lines.join("\n") };
    output.report(words, &findings)?;
    let is_denied = findings.iter().any(|finding| finding.severity >= deny);
    Ok(if is_denied { Exit::Findings } else { Exit::Done })
}

/// The editions before this one, whose consent it needs: the one that it names and, while that is pending, those before it down to the
/// newest in force.
fn older(charter: &Signed<Charter>, paths: &[PathBuf]) -> Result<Vec<Signed<Charter>>> {
    let body = charter.body();
    let Some(previous) = body.previous else {
        return if paths.is_empty() { Ok(Vec::new()) } else { bail!("this is the first edition: it amends none") };
    };
    if paths.is_empty() {
        bail!("edition {} amends an older one: name that with --amends", body.edition);
    }
    let mut older = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    older.sort_by_key(|older| std::cmp::Reverse(older.body().edition));
    if older.first().is_none_or(|newest| newest.id() != previous) {
        let problem =
            format!("none of the editions given with --amends is {previous}, which edition {} amends", body.edition);
        return Err(Refused(problem).into());
    }
    older.iter().try_for_each(|before| difference::check_can_follow(before, body))?;
    Ok(older)
}

/// A charter in a file.
pub(super) fn read(path: &Path) -> Result<Signed<Charter>> {
    let bytes = files::read(path, MAX_STATEMENT_SIZE)?;
    let malformed = |error| {
        let wanted = "wanted is a charter as `isonomy charter new --from` makes it of its TOML";
        Malformed(format!("{}: {error}; {wanted}", path.display()))
    };
    charter::parse(&bytes).map_err(|error| malformed(error).into())
}

/// Where it is remembered what is signed.
#[derive(Clone, Copy)]
struct MemoryPlace<'p> {
    key: &'p Path,
    /// Where other keys remember it, too.
    workspace: Option<&'p Path>,
}

impl MemoryPlace<'_> {
    /// The memory of the key, and of the others that sign in the same folder. A maintainer of several keys must name it: each by itself
    /// would sign another text.
    fn open(self, signed: &Charter, older: &[&Charter], key: &VerifierKey) -> Result<SigningMemory> {
        let memory = SigningMemory::of_key(self.key)?;
        if let Some(folder) = self.workspace {
            return Ok(memory.and_in(&Workspace::open(folder, &signed.list)?.signed_charters())?);
        }
        let all = older.iter().copied().chain([signed]);
        let keys: Vec<&VerifierKey> = all.flat_map(|charter| &charter.maintainer.keys).collect();
        if keys.contains(&key) && keys.iter().any(|other| *other != key) {
            let problem = "the maintainer has several keys, of which each remembers alone what it signed: name the folder with \
                           --workspace in which you compose releases, so that two of them never sign two texts for one edition";
            return Err(Refused(problem.to_owned()).into());
        }
        Ok(memory)
    }
}

fn sign(file: &Path, place: MemoryPlace<'_>, amends: &[PathBuf], replaces: &[String], output: &Output) -> Result<Exit> {
    let (signed, key) = (read(file)?, key::open(place.key)?);
    let older = older(&signed, amends)?;
    let changes = older.first().map(|before| charter::changes(before.body(), signed.body())).unwrap_or_default();
    let older: Vec<&Charter> = older.iter().map(Signed::body).collect();
    let mut memory = place.open(signed.body(), &older, key.verifier())?;
    let replaces = release::parse_ids(replaces)?;
    let signed = charter::sign(&signed, &older, key.as_ref(), &mut memory, &replaces, system_clock())?;
    files::write(file, &signed.to_bytes())?;
    let report = charter::report(&signed, &older)?;
    output.report(with_changes(report_words(&report), &changes), &report)?;
    Ok(Exit::Done)
}

fn merge(file: &Path, copies: &[PathBuf], amends: &[PathBuf], output: &Output) -> Result<Exit> {
    let mut all = vec![read(file)?];
    for path in copies {
        all.push(read(path)?);
    }
    let older = older(&all[0], amends)?;
    let older: Vec<&Charter> = older.iter().map(Signed::body).collect();
    let merged = charter::merge(&all, &older)?;
    files::write(file, &merged.to_bytes())?;
    let report = charter::report(&merged, &older)?;
    output.report(report_words(&report), &report)?;
    Ok(Exit::Done)
}

fn report_words(report: &CharterReport) -> String {
    let missing = match &report.missing {
        Some(missing) => format!("not complete yet: {missing}"),
        None => "complete by its signatures; `isonomy charter check` says whether the log takes it up now".to_owned(),
    };
    format!(
        "charter of {}, edition {}\n  id {}\n  signed by: {}\n  not signed by: {}\n  {missing}",
        report.list,
        report.edition,
        report.id,
        listed(&report.signed),
        listed(&report.unsigned),
    )
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

async fn publish(
    file: &Path,
    policy: &Path,
    workspace: Option<&Path>,
    proof: &ProofFile,
    output: &Output,
) -> Result<Exit> {
    proof.check()?;
    let (signed, trust) = (read(file)?, files::tlog_policy(policy)?);
    if signed.note().signatures().is_empty() {
        bail!("nobody has signed this charter yet: `isonomy charter sign` comes first");
    }
    let log = release::log_client(&trust)?;
    let view = checking::view(&log, &trust, signed.body()).await?;
    let warnings = checking::barred(view.as_ref(), &signed, workspace)?;
    warnings.iter().for_each(|warning| output.notice(format!("warning: {warning}")));
    let waiting = Waiting::begin("the log takes the charter up, and its witnesses cosign", output);
    let report = submit_charter(&log, &trust, &signed).await.context("the charter was not published")?;
    drop(waiting);
    proof.write(&report)?;
    let since = checking::in_force_since(view.as_ref(), &signed, report.public_since)?;
    let words = format!("{}\n  in force from {since} on", release::submit_words(&report, "charter"));
    output.report(words, &Published { report: &report, in_force_since: since, warnings })?;
    Ok(Exit::Done)
}

/// A charter that was published.
#[derive(Serialize)]
struct Published<'r> {
    #[serde(flatten)]
    report: &'r SubmitReport,
    in_force_since: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}
