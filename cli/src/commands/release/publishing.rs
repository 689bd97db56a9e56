//! `isonomy release publish`, and what every submission says.

use super::{Desk, Ground, rails, read_release};
use crate::args::{Overwrite, PublishArgs};
use crate::commands::waiting::Waiting;
use crate::commands::{confirming, files, key};
use crate::exit::{Exit, Refused};
use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_client::system_clock;
use isonomy_core::charter::Charter;
use isonomy_core::release::Release;
use isonomy_core::statement::Signed;
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::{MAX_TLOG_PROOF_SIZE, TlogProof};
use isonomy_publisher::confirm::Confirmation;
use isonomy_publisher::draft::Draft;
use isonomy_publisher::endorse::{self, EndorseError};
use isonomy_publisher::memory::{Outstanding, Role, SigningMemory};
use isonomy_publisher::submit::{SubmitReport, submit_release};
use serde::Serialize;
use std::path::{Path, PathBuf};

pub(super) async fn run(args: &PublishArgs, output: &Output) -> Result<Exit> {
    let proof = ProofFile { path: args.proof.clone(), overwrite: args.overwrite };
    proof.check()?;
    let desk = Desk::open(&args.desk)?;
    let draft = Draft::open(&args.draft)?;
    let endorsements = args.endorsements.iter().map(|path| endorsement(path, &draft)).collect::<Result<Vec<_>>>()?;
    let ground = desk.ground(&draft.release().body().list).await?;
    let view = &ground.view;
    let cited = view.editions().find(&draft.release().body().charter).context("the cited charter isn't in the log")?;
    let logged = view.newest().into_iter().chain(view.bases()).find(|logged| logged.id() == draft.release().id());
    let logged = match logged {
        None if draft.release().body().version < view.next_version() => desk.logged(draft.release().id()).await?,
        logged => logged.cloned(),
    };
    let (signed, held) = match logged {
        // An earlier try came that far: the log is asked for its proof again.
        Some(logged) => (logged, None),
        None => {
            let merged = draft.signed(merge(&draft, endorsements, cited.charter())?)?;
            let (signed, held) = finish(args, &merged, &desk, &ground).await?;
            (signed, Some(held))
        }
    };
    let complete = draft.signed(signed)?;
    let waiting = Waiting::begin("the log takes the release up, and its witnesses cosign", output);
    let report = submit_release(&desk.log, &desk.trust, &complete, cited.charter()).await;
    let report = report.context("the release was not published")?;
    proof.write(&report)?;
    let published = complete.release();
    let first = view.editions().all().first().context("the list has no charter")?.id();
    let client = ground.workspace.client(&first);
    let confirmed = confirming::ask(&client, &desk.trust, view, &desk.source, published).await;
    let confirmed = confirmed.context("the release is in the log, but a client would not accept it")?;
    drop(waiting);
    let at_once = removes_only(published.body());
    let words = format!(
        "{}{at_once}\n{}{}",
        submit_words(&report, "release"),
        confirming::words(&confirmed),
        held.as_ref().map(rails::Held::words).unwrap_or_default()
    );
    output.report(words, &Published { published: report, client: confirmed, held })?;
    Ok(Exit::Done)
}

/// A release that was published.
#[derive(Serialize)]
struct Published {
    published: SubmitReport,
    client: Confirmation,
    /// Not if it was logged before.
    #[serde(flatten)]
    held: Option<rails::Held>,
}

/// Where nothing is added, the visibility is not waited for (rule 5).
fn removes_only(release: &Release) -> String {
    match release.added {
        0 if release.version > 1 => {
            format!("\n  it adds nothing: whoever has version {} may use it at once", release.version - 1)
        }
        _ => String::new(),
    }
}

/// What a curator sent back.
fn endorsement(path: &Path, draft: &Draft) -> Result<Signed<Release>> {
    let signed = read_release(path)?;
    let (own, other) = (draft.release().id(), signed.id());
    if own != other {
        let problem = format!("{} endorses {other}, where the draft is {own}: it is for another draft", path.display());
        return Err(Refused(problem).into());
    }
    Ok(signed)
}

fn merge(draft: &Draft, endorsements: Vec<Signed<Release>>, charter: &Charter) -> Result<Signed<Release>> {
    let copies: Vec<_> = std::iter::once(draft.release().clone()).chain(endorsements).collect();
    Ok(endorse::merge(&copies, charter)?)
}

/// Signs as the maintainer. Who tries again signs the same text again.
async fn finish(
    args: &PublishArgs,
    draft: &Draft,
    desk: &Desk,
    ground: &Ground,
) -> Result<(Signed<Release>, rails::Held)> {
    let signer = key::open(&args.key)?;
    let examined = endorse::examine(draft, &ground.view, &ground.bases, system_clock());
    let memory = || -> Result<SigningMemory> {
        Ok(SigningMemory::of_key(&args.key)?.and_in(&ground.workspace.signed(Role::Maintainer))?)
    };
    let examined = match examined {
        Err(error @ (EndorseError::Rule(_) | EndorseError::Content(_))) => {
            let anew = anew(&memory()?, draft.release().body(), ground.view.now());
            return Err(anyhow::Error::from(error).context(format!("this draft can't be published any more: {anew}")));
        }
        examined => examined?,
    };
    let held = rails::check(&args.rails, rails::Subject::of(&examined, &ground.past), "nothing was signed")?;
    let mut memory = memory()?;
    desk.check_not_logged(&examined.others_signed(&memory)).await?;
    let signed = examined.finish(signer.as_ref(), &mut memory, system_clock());
    let signed = signed.map_err(|error| match error {
        EndorseError::Incomplete(_) => {
            let hint = "Give what the curators sent back: isonomy release publish DRAFT ENDORSEMENT…";
            anyhow::Error::from(Refused(format!("{error}. {hint}")))
        }
        other => other.into(),
    })?;
    Ok((signed, held))
}

/// What is to be done about a release that can't be published any more, by what was signed for its version.
fn anew(memory: &SigningMemory, release: &Release, now: Timestamp) -> String {
    let outstanding = memory.outstanding(&release.list, release.version, now).into_iter();
    match outstanding.filter(|one| one.version == release.version).max_by_key(|one| one.until) {
        Some(Outstanding { release: signed, until, .. }) => format!(
            "compose it anew with `isonomy release new`, but only once the log shows that version {} was not logged by {until}: you have \
             signed {signed} for it, and sign no other text before",
            release.version
        ),
        None => "compose it anew with `isonomy release new`".to_owned(),
    }
}

/// Where the proof of a submission is written, if it is.
pub(crate) struct ProofFile {
    pub(crate) path: Option<PathBuf>,
    pub(crate) overwrite: Overwrite,
}

impl ProofFile {
    /// Whether the proof can be written, before anything is submitted.
    pub(crate) fn check(&self) -> Result<()> {
        self.path.as_deref().map_or(Ok(()), |path| files::check_free(path, self.overwrite_of(path)))
    }

    /// Writes the proof of a submission.
    pub(crate) fn write(&self, report: &SubmitReport) -> Result<()> {
        let save = |path: &Path| files::save(path, report.proof.as_bytes(), self.overwrite_of(path));
        self.path.as_deref().map_or(Ok(()), save)
    }

    /// A proof takes the place of an older one unasked: who submits again after a failure gets a newer one for the same.
    fn overwrite_of(&self, path: &Path) -> Overwrite {
        let is_proof = || files::read(path, MAX_TLOG_PROOF_SIZE).is_ok_and(|bytes| TlogProof::parse(&bytes).is_ok());
        Overwrite { force: self.overwrite.force || is_proof() }
    }
}

/// What came of a submission, in words.
pub(crate) fn submit_words(report: &SubmitReport, what: &str) -> String {
    let usable = report.usable_from.map_or(String::new(), |time| format!("; usable from {time}"));
    format!(
        "✓ the {what} is entry {} of {}, and the quorum of witnesses has cosigned it\n  id {}\n  public since {}{usable}\n  {} objects sent, {} bytes",
        report.index, report.log, report.statement, report.public_since, report.objects_sent, report.bytes_sent
    )
}
