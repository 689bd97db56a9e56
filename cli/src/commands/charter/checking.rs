//! `isonomy charter check`: what would come of an edition, asked of the log before anybody signs.

use super::{files, read, release};
use crate::exit::{Exit, Refused};
use crate::output::Output;
use anyhow::{Context, Result, bail};
use isonomy_client::system_clock;
use isonomy_core::charter::Charter;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::rules::editions::Prospect;
use isonomy_core::rules::releases::Place;
use isonomy_core::statement::Signed;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use isonomy_fetch::LogClient;
use isonomy_publisher::charter::{changes, takes_back};
use isonomy_publisher::memory::{Outstanding, Role, SigningMemory};
use isonomy_publisher::view::{ListView, ViewError};
use isonomy_publisher::workspace::Workspace;
use serde_json::json;
use std::path::Path;

pub(super) async fn run(file: &Path, policy: &Path, workspace: Option<&Path>, output: &Output) -> Result<Exit> {
    let (charter, trust) = (read(file)?, files::tlog_policy(policy)?);
    let log = release::log_client(&trust)?;
    let view = view(&log, &trust, charter.body()).await?;
    let prospect = view.as_ref().map(|view| foresee(view, &charter)).transpose()?;
    // The log may know more than it shows yet, and has rules of its own: who may found lists.
    let verdict = log.check(charter.note().to_string().as_bytes()).await;
    verdict.context("the log would not take it up")?;
    let mut warnings: Vec<String> = view.iter().filter_map(|view| too_small(view, charter.body())).collect();
    warnings.extend(barred(view.as_ref(), &charter, workspace)?);
    let mut lines = vec![format!(
        "the log would take up edition {} of {} once all have signed whom it needs",
        charter.body().edition,
        charter.body().list
    )];
    lines.extend(prospect.iter().flat_map(words));
    lines.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    let document = json!({
        "list": charter.body().list,
        "edition": charter.body().edition,
        "id": charter.id().to_hex(),
        "in_force_since": prospect.as_ref().map(|prospect| prospect.in_force_since),
        "widenings": prospect.as_ref().map(|prospect| &prospect.widenings),
        "compared_with": prospect.as_ref().map(|prospect| &prospect.compared),
        "warnings": warnings,
    });
    output.report(lines.join("\n"), &document)?;
    Ok(Exit::Done)
}

/// What the log has of the charter's list; nothing of one that is to be founded.
pub(super) async fn view(log: &LogClient, trust: &TlogPolicy, charter: &Charter) -> Result<Option<ListView>> {
    match ListView::fetch(&log.source(), trust, &charter.list).await {
        Ok(view) => Ok(Some(view)),
        Err(ViewError::NoList { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Since when an edition is in force that is public since then, by what the log had before.
pub(super) fn in_force_since(
    view: Option<&ListView>,
    charter: &Signed<Charter>,
    public_since: Timestamp,
) -> Result<Timestamp> {
    let Some(editions) = view.map(ListView::editions) else { return Ok(public_since) };
    if let Some(edition) = editions.find(&charter.id()) {
        return Ok(edition.in_force_since());
    }
    let prospect = editions.foresee(charter, Place { index: LeafIndex(u64::MAX), public_since });
    Ok(prospect.context("the charter is in the log, but breaks a rule")?.in_force_since)
}

fn foresee(view: &ListView, charter: &Signed<Charter>) -> Result<Prospect> {
    let now = system_clock().max(view.now());
    let place = Place { index: LeafIndex(u64::MAX), public_since: now };
    view.editions()
        .foresee(charter, place)
        .map_err(|violation| Refused(format!("the log would not take it up, {}: {violation}", violation.rule())).into())
}

fn words(prospect: &Prospect) -> Vec<String> {
    let Prospect { in_force_since, compared, widenings } = prospect;
    let editions: Vec<String> = compared.iter().map(ToString::to_string).collect();
    let editions = editions.join(", ");
    if widenings.is_empty() {
        return vec![format!(
            "it widens nothing of edition {editions}: it would be in force at once when it is public"
        )];
    }
    let widening = |words: &String| format!("WIDENS: {words}");
    let effect = format!("compared with edition {editions}: public now, it would be in force from {in_force_since} on");
    widenings.iter().map(widening).chain([effect]).collect()
}

/// Which releases an edition bars that the maintainer has signed, by its workspace, and the log does not have: no release may cite an
/// edition that was narrowed, and no other text is signed for the version before the day of the first one is over.
pub(super) fn barred(
    view: Option<&ListView>,
    charter: &Signed<Charter>,
    workspace: Option<&Path>,
) -> Result<Vec<String>> {
    let Some(((view, before), folder)) = view.and_then(|view| Some((view, view.editions().newest()?))).zip(workspace)
    else {
        return Ok(Vec::new());
    };
    if before.id() == charter.id() || !takes_back(&changes(before.charter(), charter.body())) {
        return Ok(Vec::new());
    }
    let (list, number) = (&charter.body().list, charter.body().edition);
    if !folder.is_dir() {
        bail!(
            "the workspace {} is no folder, so it says nothing of what is signed: name the one in which releases are composed",
            folder.display()
        );
    }
    let memory = SigningMemory::in_common(&Workspace::open(folder, list)?.signed(Role::Maintainer))?;
    let outstanding = memory.outstanding(list, view.next_version(), view.now());
    let words = |one: Outstanding| {
        format!(
            "version {} is signed ({}) and not in the log: once edition {number} is, the log takes it up no more, and another text is \
             signed for this version only once the log shows that it was not logged by {}. Publish the release first, unless the edition \
             can't wait",
            one.version, one.release, one.until
        )
    };
    Ok(outstanding.into_iter().map(words).collect())
}

/// What is wrong with an edition that allows fewer entries than the newest release has.
fn too_small(view: &ListView, charter: &Charter) -> Option<String> {
    let (newest, most) = (view.newest()?.body(), charter.limits.max_entries);
    (newest.entries > most).then(|| {
        format!(
            "version {} has {} entries, and this edition allows {most}: once releases cite it, the first must remove {} of them \
             at least, or be refused",
            newest.version,
            newest.entries,
            newest.entries - most
        )
    })
}
