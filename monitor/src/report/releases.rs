//! The releases of a list, in a report.

use super::charter::Organisation;
use crate::content::ContentState;
use crate::kept::LoggedRelease;
use crate::monitor::Monitor;
use isonomy_core::charter::{Charter, Curator};
use isonomy_core::release::Release;
use isonomy_core::rules::editions::Editions;
use isonomy_core::rules::releases;
use isonomy_core::statement::Signed;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use isonomy_verifier::view;
use serde::Serialize;

/// Whether a release may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseState {
    /// Not public for long enough.
    Pending,
    /// The newest that may be used.
    InUse,
    /// A newer one may be used.
    Superseded,
    /// Its validity is over, and no newer one may be used.
    Expired,
}

/// A release.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ReleaseReport {
    /// Its version.
    pub version: u64,
    /// Its identity.
    pub id: String,
    /// Its place in the log.
    pub index: LeafIndex,
    /// The edition under which it is made.
    pub edition: u64,
    /// How many entries it has.
    pub entries: u64,
    /// How many of them are admitted by exception.
    pub irregular: u64,
    /// How many it adds.
    pub added: u64,
    /// How many it removes.
    pub removed: u64,
    /// Who endorsed it: the curators whose signatures it carries.
    pub endorsed_by: Vec<Organisation>,
    /// When it was composed.
    pub created: Timestamp,
    /// Since when it is public.
    pub public_since: Timestamp,
    /// From when on it may be used, if it adds entries.
    pub usable_from: Timestamp,
    /// Until when it may be used.
    pub expires: Timestamp,
    /// Whether it may be used.
    pub state: ReleaseState,
    /// The root of its entries.
    pub root: String,
    /// What came of checking its content.
    pub content: ContentState,
    /// The digits that holders of this release compare.
    pub comparison_code: String,
}

impl ReleaseReport {
    pub(super) fn new(
        monitor: &Monitor,
        editions: &Editions,
        (logged, release): (&LoggedRelease, &Signed<Release>),
        newest_usable: u64,
        clock: Timestamp,
    ) -> Self {
        let (id, body) = (release.id(), release.body());
        let charter = charter_of(editions, logged);
        let visibility = charter.map_or(0, |charter| charter.limits.min_visibility);
        Self {
            version: body.version,
            id: id.to_hex(),
            index: logged.index,
            edition: logged.edition,
            entries: body.entries,
            irregular: body.irregular,
            added: body.added,
            removed: body.removed,
            endorsed_by: charter.map(|charter| endorsers(charter, release)).unwrap_or_default(),
            created: body.created,
            public_since: logged.public_since,
            usable_from: logged.public_since.plus(visibility),
            expires: body.expires,
            state: match body.version.cmp(&newest_usable) {
                std::cmp::Ordering::Less => ReleaseState::Superseded,
                _ if body.expires <= clock => ReleaseState::Expired,
                std::cmp::Ordering::Equal => ReleaseState::InUse,
                std::cmp::Ordering::Greater => ReleaseState::Pending,
            },
            root: body.root.to_hex(),
            content: monitor.contents.state(logged.index),
            comparison_code: view::code(&view::digest(&body.list, body.version, &id, logged.index)),
        }
    }
}

/// The curators that signed a release. Their signatures were verified when it was read.
fn endorsers(charter: &Charter, release: &Signed<Release>) -> Vec<Organisation> {
    let lines = release.note().signatures();
    let signed = |curator: &&Curator| lines.iter().any(|line| curator.key.matches(line));
    charter.curation.curators.iter().filter(signed).map(Organisation::of).collect()
}

/// The edition of a charter that a release cites.
pub(crate) fn charter_of<'e>(editions: &'e Editions, logged: &LoggedRelease) -> Option<&'e Charter> {
    let at = usize::try_from(logged.edition.checked_sub(1)?).ok()?;
    editions.all().get(at).map(|edition| edition.charter())
}

pub(crate) fn is_visible(editions: &Editions, logged: &LoggedRelease, now: Timestamp) -> bool {
    let charter = charter_of(editions, logged);
    charter.is_some_and(|charter| releases::visible(charter, logged.public_since, now, None).is_ok())
}
