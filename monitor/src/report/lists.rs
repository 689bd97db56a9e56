//! The lists in a report.

use super::record::{self, RecordField};
use crate::availability::Probe;
use crate::content::ContentState;
use crate::monitor::Monitor;
use isonomy_core::attestation::{Complaint, Method};
use isonomy_core::charter::{Action, Aim, Charter, Curator, Jurisdiction, PurposeCode, Surface};
use isonomy_core::rules::amendment::{self, Direction};
use isonomy_core::rules::editions::{Edition, Editions};
use isonomy_core::rules::history::{ListHistory, LoggedAttestation, LoggedRelease};
use isonomy_core::rules::releases;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_verifier::view;
use serde::Serialize;

/// What the log says of one list, as far as that keeps the rules.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ListReport {
    /// Its name.
    pub name: String,
    /// What the edition of its charter says that is in force.
    pub charter: CharterReport,
    /// Every edition of its charter, newest first.
    pub editions: Vec<EditionReport>,
    /// Every release, newest first.
    pub releases: Vec<ReleaseReport>,
    /// What auditors attested, newest first.
    pub attestations: Vec<AttestationReport>,
    /// Whether the objects of the newest release are still served, by vantage point.
    pub objects: Vec<Probe>,
}

/// An organisation and its key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// Where it sits.
    pub jurisdiction: Jurisdiction,
    /// The names of its keys.
    pub keys: Vec<String>,
}

/// The terms of a charter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CharterReport {
    /// The edition's number.
    pub edition: u64,
    /// The kind of material.
    pub purpose: PurposeCode,
    /// What matching is to achieve.
    pub aim: Aim,
    /// What belongs on the list.
    pub definition: String,
    /// What never does.
    pub exclusions: Vec<String>,
    /// The laws that it rests on, each as one line.
    pub statutes: Vec<String>,
    /// Where it may be used: jurisdictions.
    pub jurisdictions: Vec<Jurisdiction>,
    /// Where it may be used: surfaces.
    pub surfaces: Vec<Surface>,
    /// The algorithm.
    pub algorithm: String,
    /// The largest distance that is a match, in bits.
    pub max_distance: u64,
    /// The least quality of a picture that is looked up.
    pub min_quality: u64,
    /// The most that a match may lead to.
    pub action: Action,
    /// Who may be told of a match.
    pub recipients: Vec<String>,
    /// Who makes releases.
    pub maintainer: Organisation,
    /// How to reach the maintainer.
    pub contact: String,
    /// Who endorses them.
    pub curators: Vec<Organisation>,
    /// How many curators must endorse a release.
    pub threshold: u64,
    /// From how many jurisdictions.
    pub min_jurisdictions: u64,
    /// The limits.
    pub limits: Limits,
    /// Where to complain.
    pub complaints: String,
    /// Within how many seconds a wrong entry must be removed.
    pub removal_deadline: u64,
    /// Who counts as a victim.
    pub victims: String,
    /// How images that people made of themselves are treated.
    pub self_generated: String,
    /// The legal case for the list, field by field.
    pub record: Vec<RecordField>,
}

/// The limits of a charter; durations in seconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Limits {
    /// Entries of the list.
    pub max_entries: u64,
    /// Entries that a release adds.
    pub max_added: u64,
    /// Between releases that add entries.
    pub min_interval: u64,
    /// How long a release is valid.
    pub validity: u64,
    /// How long a release must be public before it is used.
    pub min_visibility: u64,
    /// How long a widening amendment must be public before it is in force.
    pub notice: u64,
}

/// An edition of a charter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EditionReport {
    /// Its number.
    pub number: u64,
    /// Its identity.
    pub id: String,
    /// Its place in the log.
    pub index: LeafIndex,
    /// Since when it is public.
    pub public_since: Timestamp,
    /// From when on it is in force.
    pub in_force_since: Timestamp,
    /// Whether it is the one in force.
    pub in_force: bool,
    /// What it widens, in words, against every edition that it must give notice for; empty if it narrows.
    pub widens: Vec<String>,
    /// Every difference to the edition before it.
    pub changes: Vec<ChangeReport>,
}

/// A difference between an edition of a charter and the one before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ChangeReport {
    /// The field, as a path.
    pub field: String,
    /// From what to what, in words.
    pub words: String,
    /// Whether that makes more possible than before.
    pub widens: bool,
}

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

/// What an auditor attested.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AttestationReport {
    /// Its place in the log.
    pub index: LeafIndex,
    /// The name of the auditor's key.
    pub auditor: String,
    /// What was done.
    pub method: Method,
    /// The version of the release that it is about.
    pub version: u64,
    /// What was found.
    pub finding: String,
    /// When it was made.
    pub created: Timestamp,
    /// For `followed`: up to which size the log was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_size: Option<TreeSize>,
    /// For content methods: how many entries or pictures were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<u64>,
    /// For content methods: how many of them were wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// For `complaint`: what is known of its course.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complaint: Option<ComplaintReport>,
}

/// The course of a complaint, as far as the log tells. Which entry it is about, only those can prove who hold salt and
/// entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ComplaintReport {
    /// When it was received.
    pub received: Timestamp,
    /// The SHA-256 of salt and entry, in hexadecimal.
    pub commitment: String,
    /// Until when a wrong entry must go, by the charter of the release that it is about.
    pub deadline: Timestamp,
    /// The first release composed after the complaint that removes entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removing_version: Option<u64>,
    /// How many seconds after the complaint that was public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_after: Option<u64>,
}

/// Every list that has a charter.
pub(super) fn all(monitor: &Monitor, clock: Timestamp) -> Vec<ListReport> {
    let lists = monitor.audit.history().lists();
    lists.filter_map(|(name, list)| ListReport::new(monitor, name, list, clock)).collect()
}

impl ListReport {
    fn new(monitor: &Monitor, name: &ListName, list: &ListHistory, clock: Timestamp) -> Option<Self> {
        let editions = list.editions();
        let in_force = editions.in_force_at(clock).or(editions.newest())?;
        let now = monitor.mirror.newest().and_then(|newest| newest.now()).unwrap_or(clock);
        let newest_usable = list.releases().iter().rev().find(|logged| is_visible(editions, logged, now));
        let newest_usable = newest_usable.map_or(0, |logged| logged.release.body().version);
        let release = |logged: &LoggedRelease| ReleaseReport::new(monitor, editions, logged, newest_usable, clock);
        Some(Self {
            name: name.to_string(),
            charter: CharterReport::new(in_force.charter()),
            editions: editions
                .all()
                .iter()
                .rev()
                .map(|edition| EditionReport::new(editions, edition, in_force))
                .collect(),
            releases: list.releases().iter().rev().map(release).collect(),
            attestations: list.attestations().iter().rev().map(|logged| AttestationReport::new(list, logged)).collect(),
            objects: monitor.availability.of(name).to_vec(),
        })
    }
}

fn charter_of<'e>(editions: &'e Editions, logged: &LoggedRelease) -> Option<&'e Charter> {
    editions.find(&logged.release.body().charter).map(|edition| edition.charter())
}

fn is_visible(editions: &Editions, logged: &LoggedRelease, now: Timestamp) -> bool {
    let charter = charter_of(editions, logged);
    charter.is_some_and(|charter| releases::visible(charter, logged.public_since, now, None).is_ok())
}

impl CharterReport {
    pub(crate) fn new(charter: &Charter) -> Self {
        let Charter { maintainer, purpose, reach, matching, action, curation, limits, redress, record, .. } = charter;
        let statute = |law: &isonomy_core::charter::Statute| {
            format!("{}: {}, {}", law.jurisdiction, law.instrument, law.provision)
        };
        Self {
            edition: charter.edition,
            purpose: purpose.code,
            aim: purpose.aim,
            definition: purpose.definition.clone(),
            exclusions: purpose.exclusions.clone(),
            statutes: purpose.statutes.iter().map(statute).collect(),
            jurisdictions: reach.jurisdictions.clone(),
            surfaces: reach.surfaces.clone(),
            algorithm: matching.algorithm.to_string(),
            max_distance: matching.max_distance,
            min_quality: matching.min_quality,
            action: action.most,
            recipients: action.recipients.clone(),
            maintainer: Organisation {
                name: maintainer.name.clone(),
                jurisdiction: maintainer.jurisdiction.clone(),
                keys: maintainer.keys.iter().map(|key| key.name().to_owned()).collect(),
            },
            contact: maintainer.contact.clone(),
            curators: curation.curators.iter().map(Organisation::of).collect(),
            threshold: curation.threshold,
            min_jurisdictions: curation.min_jurisdictions,
            limits: Limits {
                max_entries: limits.max_entries,
                max_added: limits.max_added,
                min_interval: limits.min_interval,
                validity: limits.validity,
                min_visibility: limits.min_visibility,
                notice: limits.notice,
            },
            complaints: redress.complaints.clone(),
            removal_deadline: redress.removal_deadline,
            victims: purpose.victims.clone(),
            self_generated: purpose.self_generated.clone(),
            record: record::fields(record),
        }
    }
}

impl Organisation {
    fn of(curator: &Curator) -> Self {
        let Curator { name, jurisdiction, key } = curator;
        Self { name: name.clone(), jurisdiction: jurisdiction.clone(), keys: vec![key.name().to_owned()] }
    }
}

impl EditionReport {
    fn new(editions: &Editions, edition: &Edition, in_force: &Edition) -> Self {
        Self {
            number: edition.number(),
            id: edition.id().to_hex(),
            index: edition.index(),
            public_since: edition.public_since(),
            in_force_since: edition.in_force_since(),
            in_force: edition.number() == in_force.number(),
            widens: editions.widenings_of(&edition.id()),
            changes: changes(editions, edition),
        }
    }
}

fn changes(editions: &Editions, edition: &Edition) -> Vec<ChangeReport> {
    let before = edition.charter().previous.and_then(|id| editions.find(&id));
    let compared = before.map(|before| amendment::compare(before.charter(), edition.charter())).unwrap_or_default();
    let report = |change: amendment::Change| ChangeReport {
        field: change.field.to_owned(),
        words: change.words,
        widens: change.direction == Direction::Widens,
    };
    compared.into_iter().map(report).collect()
}

impl ReleaseReport {
    fn new(
        monitor: &Monitor,
        editions: &Editions,
        logged: &LoggedRelease,
        newest_usable: u64,
        clock: Timestamp,
    ) -> Self {
        let (id, body) = (logged.release.id(), logged.release.body());
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
            endorsed_by: charter.map(|charter| endorsers(charter, logged)).unwrap_or_default(),
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
            content: monitor.contents.state(&id),
            comparison_code: view::code(&view::digest(&body.list, body.version, &id, logged.index)),
        }
    }
}

/// The curators that signed a release. Their signatures were verified when it was read.
fn endorsers(charter: &Charter, logged: &LoggedRelease) -> Vec<Organisation> {
    let lines = logged.release.note().signatures();
    let signed = |curator: &&Curator| lines.iter().any(|line| curator.key.matches(line));
    charter.curation.curators.iter().filter(signed).map(Organisation::of).collect()
}

impl AttestationReport {
    fn new(list: &ListHistory, logged: &LoggedAttestation) -> Self {
        let body = logged.attestation.body();
        let about = list.releases().iter().find(|release| release.release.id() == body.release);
        Self {
            index: logged.index,
            auditor: body.auditor.name().to_owned(),
            method: body.method,
            version: about.map_or(0, |release| release.release.body().version),
            finding: body.finding.clone(),
            created: body.created,
            log_size: body.log_size,
            sample: body.sample,
            errors: body.errors,
            complaint: body.complaint.as_ref().and_then(|complaint| ComplaintReport::new(list, about?, complaint)),
        }
    }
}

impl ComplaintReport {
    fn new(list: &ListHistory, about: &LoggedRelease, complaint: &Complaint) -> Option<Self> {
        let charter = charter_of(list.editions(), about)?;
        let received = complaint.received;
        let removes = |logged: &&LoggedRelease| {
            let body = logged.release.body();
            body.created > received && body.removed > 0 && body.version > about.release.body().version
        };
        let removing = list.releases().iter().find(removes);
        Some(Self {
            received,
            commitment: complaint.commitment.to_hex(),
            deadline: received.plus(charter.redress.removal_deadline),
            removing_version: removing.map(|logged| logged.release.body().version),
            removed_after: removing.map(|logged| logged.public_since.since(received)),
        })
    }
}
