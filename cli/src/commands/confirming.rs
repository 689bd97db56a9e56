//! The maintainer's own client: after a release is published, it is asked for as every client asks for it, and must pass
//! every check that a client makes.

use anyhow::{Context, Result};
use isonomy_client::{Client, system_clock};
use isonomy_core::charter::Charter;
use isonomy_core::hash::StatementId;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::release::Release;
use isonomy_core::rules::editions::Edition;
use isonomy_core::statement::Signed;
use isonomy_fetch::Source;
use isonomy_publisher::confirm::{Confirmation, confirm};
use isonomy_publisher::view::ListView;
use isonomy_verifier::Policy;
use std::collections::BTreeSet;
use std::path::Path;

/// Asks `source` for the release, with a client that is kept in this folder.
pub(crate) async fn ask(
    folder: &Path,
    trust: &TlogPolicy,
    view: &ListView,
    source: &Source,
    release: &Signed<Release>,
) -> Result<Confirmation> {
    let first = view.editions().all().first().context("the list has no charter")?;
    let charters: Vec<&Charter> = view.editions().all().iter().map(Edition::charter).collect();
    let policy = policy_for(trust, &charters, &first.id())?;
    let mut client = Client::open(folder, policy)?;
    Ok(confirm(&mut client, std::slice::from_ref(source), release, system_clock()).await?)
}

/// The policy that accepts what any of these editions says, and no more: clients may be shown a release under another edition than the
/// one in question, or an edition that is not in force yet.
fn policy_for(trust: &TlogPolicy, charters: &[&Charter], pinned: &StatementId) -> Result<Policy> {
    let newest = charters.last().context("the list has no charter")?;
    let least = |of: fn(&Charter) -> u64| charters.iter().map(|charter| of(charter)).min().unwrap_or_default();
    let purposes: BTreeSet<_> = charters.iter().map(|charter| charter.purpose.code).collect();
    let aims: BTreeSet<_> = charters.iter().map(|charter| charter.purpose.aim).collect();
    let action = charters.iter().map(|charter| charter.action.most).max().unwrap_or(newest.action.most);
    let validity = charters.iter().map(|charter| charter.limits.validity).max().unwrap_or_default();
    let min_visibility = least(|charter| charter.limits.min_visibility);
    let text = format!(
        "trust = '''\n{}'''\n[list]\nname = \"{}\"\ncharter = \"{}\"\n[accept]\npurposes = {}\naims = {}\naction = \"{}\"\n\
         min_curators = {}\nmin_jurisdictions = {}\nmin_notice = {}\nmin_visibility = {}\n\
         [ages]\ncheckpoint = {}\nrelease = {}\n",
        String::from_utf8(trust.to_text()).context("the policy is not UTF-8")?,
        newest.list,
        pinned.to_hex(),
        serde_json::to_string(&purposes)?,
        serde_json::to_string(&aims)?,
        action,
        least(|charter| charter.curation.threshold),
        least(|charter| charter.curation.min_jurisdictions),
        least(|charter| charter.limits.notice),
        min_visibility,
        min_visibility.saturating_sub(1),
        validity,
    );
    Ok(Policy::parse(text.as_bytes())?)
}

/// How far the release has come, in words.
pub(crate) fn words(confirmation: &Confirmation) -> String {
    match confirmation {
        Confirmation::InUse { version } => format!("✓ a client accepts version {version}"),
        Confirmation::Superseded { version } => format!("✓ it is in the log; clients use version {version} by now"),
        Confirmation::Pending { waits_for, .. } => {
            format!("✓ a client sees it, and waits as it should: {waits_for}")
        }
    }
}
