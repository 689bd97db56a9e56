//! The terms of a charter and its editions, in a report.

use super::record::{self, RecordField};
use isonomy_core::charter::{Action, Aim, Charter, Curator, Jurisdiction, PurposeCode, Surface};
use isonomy_core::encoding::to_hex;
use isonomy_core::note::VerifierKey;
use isonomy_core::rules::amendment::{self, Direction};
use isonomy_core::rules::editions::{Edition, Editions};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use serde::Serialize;

/// A key: anybody can give any name to one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NamedKey {
    /// Its name.
    pub name: String,
    /// Its short id, in hexadecimal.
    pub id: String,
}

impl NamedKey {
    pub(crate) fn of(key: &VerifierKey) -> Self {
        Self { name: key.name().to_owned(), id: to_hex(&key.id().0) }
    }
}

/// An organisation and its key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// Where it sits.
    pub jurisdiction: Jurisdiction,
    /// Its keys.
    pub keys: Vec<NamedKey>,
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
    /// In which direction.
    pub direction: Direction,
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
                keys: maintainer.keys.iter().map(NamedKey::of).collect(),
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
    pub(super) fn of(curator: &Curator) -> Self {
        let Curator { name, jurisdiction, key } = curator;
        Self { name: name.clone(), jurisdiction: jurisdiction.clone(), keys: vec![NamedKey::of(key)] }
    }
}

impl EditionReport {
    pub(super) fn new(editions: &Editions, edition: &Edition, in_force: &Edition) -> Self {
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
        direction: change.direction,
    };
    compared.into_iter().map(report).collect()
}
