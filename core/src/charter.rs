//! `isonomy/charter/v1`: the constitution of a list. It says what the list may be used for, how a picture is matched,
//! what a match may lead to at most, who must agree to every release, and where to complain.
//!
//! A list's first charter is its edition 1; an amended charter is edition n + 1 and cites edition n. Which amendments
//! need notice is [`crate::rules::amendment`]; who must sign is [`crate::rules::signatures`].

use crate::hash::StatementId;
use crate::json;
use crate::list::Algorithm;
use crate::note::{KeyType, VerifierKey, is_key_name};
use crate::statement::{ListName, StatementError, require, require_set};
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text of a charter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charter {
    /// Always [`Charter::KIND`].
    pub statement: String,
    /// The list that it governs.
    pub list: ListName,
    /// The origin of the one log in which it counts.
    pub log: String,
    /// 1, then one more for each amendment.
    pub edition: u64,
    /// The edition before; absent in edition 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<StatementId>,
    /// Who turns hashes into releases.
    pub maintainer: Maintainer,
    /// What the list is for.
    pub purpose: Purpose,
    /// Where it may be used.
    pub reach: Reach,
    /// When a picture matches.
    pub matching: Matching,
    /// The most that a match may lead to.
    pub action: ActionClause,
    /// Who must agree to a release.
    pub curation: Curation,
    /// What a release may contain at most, and how long things last.
    pub limits: Limits,
    /// Where to complain.
    pub redress: Redress,
    /// The legal case for the list.
    pub record: Record,
}

/// The organisation that publishes the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintainer {
    /// Its name.
    pub name: String,
    /// Where it sits.
    pub jurisdiction: Jurisdiction,
    /// How to reach it.
    pub contact: String,
    /// The keys of which one signs each release.
    pub keys: Vec<VerifierKey>,
}

/// A country (ISO 3166-1 alpha-2, or `EU`), or a part of one (ISO 3166-2), such as `DE`, `EU`, `US-CA`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Jurisdiction(String);

impl Jurisdiction {
    /// The jurisdiction of this code; `None` if it has not the form of one.
    pub fn new(code: &str) -> Option<Self> {
        let (country, part) = code.split_once('-').map_or((code, None), |(country, part)| (country, Some(part)));
        let country_ok = country.len() == 2 && country.bytes().all(|c| c.is_ascii_uppercase());
        let part_ok = part.is_none_or(|part| {
            (1..=3).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        });
        (country_ok && part_ok).then(|| Self(code.to_owned()))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country that it is, or is a part of: two parts of one are not independent of each other.
    pub fn country(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(country, _)| country)
    }
}

impl fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Jurisdiction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Jurisdiction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::new(&code).ok_or_else(|| serde::de::Error::custom("a jurisdiction is a code like DE, EU or US-CA"))
    }
}

/// What kind of material the list names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PurposeCode {
    /// Known child sexual abuse material.
    CsamKnown,
    /// Malicious files.
    Malware,
    /// Intimate images shared without consent.
    Ncii,
    /// Something else, which the definition names.
    Other,
    /// Terrorist and violent extremist content.
    Tve,
}

/// What matching is to achieve.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aim {
    /// That those depicted are protected.
    ProtectVictims,
    /// That offenders are prosecuted.
    Prosecute,
    /// That the material spreads less.
    Suppress,
}

/// What the list is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// The kind of material.
    pub code: PurposeCode,
    /// The aim of matching it.
    pub aim: Aim,
    /// What belongs on the list, in words.
    pub definition: String,
    /// Who counts as a victim.
    pub victims: String,
    /// How images that people made of themselves are treated.
    pub self_generated: String,
    /// The laws that it rests on; a set.
    pub statutes: Vec<Statute>,
    /// What never belongs on the list; a set.
    pub exclusions: Vec<String>,
}

/// One provision of a law.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statute {
    /// Whose law.
    pub jurisdiction: Jurisdiction,
    /// The act.
    pub instrument: String,
    /// The article or section.
    pub provision: String,
}

/// Where the list may be used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// In which jurisdictions; a set.
    pub jurisdictions: Vec<Jurisdiction>,
    /// On which surfaces; a set.
    pub surfaces: Vec<Surface>,
}

/// Where content is matched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// Messages that only their ends can read.
    EndToEndEncrypted,
    /// Content for a limited circle, which the provider could read.
    Private,
    /// Content that anybody can see.
    Public,
}

/// When a picture matches.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matching {
    /// The algorithm, with its lineage.
    pub algorithm: Algorithm,
    /// The greatest distance that is a match, in bits; 0 for exact algorithms.
    pub max_distance: u64,
    /// The least quality of a picture that is looked up at all, 0 to 100; 0 for exact algorithms.
    pub min_quality: u64,
}

/// What a match may lead to, from the mildest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The person is told.
    Warn,
    /// The person is told, and the content isn't sent or shown.
    Block,
    /// The person is told, and a recipient that the charter names is told too.
    Report,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warn => "warn",
            Self::Block => "block",
            Self::Report => "report",
        })
    }
}

/// The most that a match may lead to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionClause {
    /// The strongest action allowed.
    pub most: Action,
    /// Who may be told of a match; a set, empty unless `most` is `report`.
    pub recipients: Vec<String>,
}

/// Who must agree to a release.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curation {
    /// How many curators must sign.
    pub threshold: u64,
    /// From how many jurisdictions those that sign must come.
    pub min_jurisdictions: u64,
    /// The curators.
    pub curators: Vec<Curator>,
}

/// An organisation that checks releases against what it knows itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curator {
    /// Its name.
    pub name: String,
    /// Where it sits.
    pub jurisdiction: Jurisdiction,
    /// Its key.
    pub key: VerifierKey,
}

/// What a release may contain at most, and how long things last. Durations are in seconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most entries of the list.
    pub max_entries: u64,
    /// The most entries that one release adds.
    pub max_added: u64,
    /// The least time between two releases that add entries.
    pub min_interval: u64,
    /// The longest time that a release is valid.
    pub validity: u64,
    /// How long a release must be public before it is used.
    pub min_visibility: u64,
    /// How long an amendment that widens must be public before it is in force.
    pub notice: u64,
}

/// Where a person complains whose picture is on the list, or matched.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redress {
    /// Where to complain.
    pub complaints: String,
    /// Within what time, in seconds, an entry is removed that should not be there.
    pub removal_deadline: u64,
}

/// The legal case for the list, in words that its maintainer can be held to. What is missing is found by `lint`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// That there is a law for it.
    #[serde(default)]
    pub legality: Legality,
    /// That it is no more than is needed.
    #[serde(default)]
    pub proportionality: Proportionality,
    /// What happens with personal data.
    #[serde(default)]
    pub privacy: Privacy,
    /// How good the list is.
    #[serde(default)]
    pub quality: Quality,
    /// Who answers for it.
    #[serde(default)]
    pub accountability: Accountability,
}

macro_rules! record_part {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* #[serde(skip_serializing_if = "Option::is_none", default)] pub $field: Option<String>,)*
        }
    };
}

record_part! {
    /// That there is a law for it, and that people can foresee its effect.
    Legality {
        /// The legal basis.
        basis,
        /// The authority that was notified.
        authority_notice,
        /// How a person can know of it beforehand.
        foreseeability,
    }
}
record_part! {
    /// That it is no more than is needed.
    Proportionality {
        /// The legitimate aim.
        aim,
        /// The evidence for the need.
        evidence,
        /// Why the measure serves the aim.
        rational_connection,
        /// Less intrusive means that were considered.
        alternatives,
        /// Why the harm does not outweigh the gain.
        fair_balance,
        /// Who reviewed this.
        reviewer,
        /// When, as a date.
        reviewed,
    }
}
record_part! {
    /// What happens with personal data.
    Privacy {
        /// The controller.
        controller,
        /// The legal basis under the GDPR.
        gdpr_basis,
        /// SHA-256 of the data protection impact assessment, in hexadecimal.
        dpia_sha256,
        /// Whether a decision is automated, and which person reviews it.
        human_review,
        /// How long data is kept.
        retention,
        /// To which countries data goes.
        transfers,
    }
}
record_part! {
    /// How good the list is. Fractions are decimal strings.
    Quality {
        /// How many people review an entry before it is listed.
        reviews_per_entry,
        /// Measured precision.
        precision,
        /// Measured recall.
        recall,
        /// On which data set, with n.
        measured_on,
        /// The confidence interval.
        interval,
        /// When it is measured again, as a date.
        next_review,
    }
}
record_part! {
    /// Who answers for it.
    Accountability {
        /// How complaints are handled.
        complaints,
        /// How fast a wrong entry goes.
        removal,
        /// Who audits, and how often.
        audits,
    }
}

/// What a reader of a record asks: part, field, and the question that the field answers. Every field of [`Record`] is here,
/// in its order.
pub const RECORD_QUESTIONS: [(&str, &str, &str); 25] = [
    ("legality", "basis", "What law is it based on?"),
    ("legality", "authority_notice", "Which authority was notified?"),
    ("legality", "foreseeability", "How can a person know of it beforehand?"),
    ("proportionality", "aim", "What is the legitimate aim?"),
    ("proportionality", "evidence", "What shows that there is a need?"),
    ("proportionality", "rational_connection", "Why does it serve the aim?"),
    ("proportionality", "alternatives", "Which less intrusive means were considered?"),
    ("proportionality", "fair_balance", "Why does the harm not outweigh the gain?"),
    ("proportionality", "reviewer", "Who has reviewed this?"),
    ("proportionality", "reviewed", "When, as a date?"),
    ("privacy", "controller", "Who is the controller?"),
    ("privacy", "gdpr_basis", "What is the legal basis under the GDPR?"),
    ("privacy", "dpia_sha256", "Which data protection impact assessment, by its SHA-256 in hexadecimal?"),
    ("privacy", "human_review", "Is a decision automated, and which person reviews it?"),
    ("privacy", "retention", "How long is data kept?"),
    ("privacy", "transfers", "To which countries does data go?"),
    ("quality", "reviews_per_entry", "How many people review an entry before it is listed?"),
    ("quality", "precision", "What precision was measured?"),
    ("quality", "recall", "What recall was measured?"),
    ("quality", "measured_on", "On which data set, with n?"),
    ("quality", "interval", "With which confidence interval?"),
    ("quality", "next_review", "When is it measured again, as a date?"),
    ("accountability", "complaints", "How are complaints handled?"),
    ("accountability", "removal", "How fast does a wrong entry go?"),
    ("accountability", "audits", "Who audits, and how often?"),
];

impl Charter {
    /// The value of the field `statement`.
    pub const KIND: &'static str = "isonomy/charter/v1";

    /// Parses the text of a charter.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let charter: Self = json::decode(text)?;
        charter.check()?;
        Ok(charter)
    }

    /// The canonical text, if this can be a charter.
    pub fn to_text(&self) -> Result<String, StatementError> {
        self.check()?;
        Ok(json::encode(self)?)
    }

    /// Every key that signs under this charter, in its order: the maintainer's, then the curators'.
    pub fn keys(&self) -> impl Iterator<Item = &VerifierKey> + Clone {
        self.maintainer.keys.iter().chain(self.curation.curators.iter().map(|curator| &curator.key))
    }

    fn check(&self) -> Result<(), StatementError> {
        require(self.statement == Self::KIND, "statement", "not a charter")?;
        require(is_key_name(&self.log), "log", "the origin of a log has no spaces and no plus sign")?;
        require(self.edition >= 1, "edition", "the first edition is 1")?;
        require(
            self.previous.is_some() == (self.edition > 1),
            "previous",
            "every edition but the first cites the one before",
        )?;
        self.check_purpose()?;
        self.check_matching()?;
        self.check_curation()?;
        self.check_limits()
    }

    fn check_purpose(&self) -> Result<(), StatementError> {
        for (text, field) in [
            (&self.maintainer.name, "maintainer.name"),
            (&self.maintainer.contact, "maintainer.contact"),
            (&self.purpose.definition, "purpose.definition"),
            (&self.redress.complaints, "redress.complaints"),
        ] {
            require(!text.trim().is_empty(), field, "must not be empty")?;
        }
        require_set(&self.purpose.statutes, "purpose.statutes")?;
        require_set(&self.purpose.exclusions, "purpose.exclusions")?;
        require_set(&self.reach.jurisdictions, "reach.jurisdictions")?;
        require_set(&self.reach.surfaces, "reach.surfaces")?;
        require_set(&self.action.recipients, "action.recipients")?;
        require(
            self.action.recipients.is_empty() == (self.action.most < Action::Report),
            "action.recipients",
            "named exactly if the action is report",
        )
    }

    fn check_matching(&self) -> Result<(), StatementError> {
        let algorithm = self.matching.algorithm;
        require(
            self.matching.max_distance <= u64::from(algorithm.max_distance()),
            "matching.max_distance",
            "greater than the algorithm allows",
        )?;
        let most = if algorithm.is_perceptual() { 100 } else { 0 };
        require(
            self.matching.min_quality <= most,
            "matching.min_quality",
            "from 0 to 100, and 0 for an exact algorithm",
        )
    }

    fn check_curation(&self) -> Result<(), StatementError> {
        let Curation { threshold, min_jurisdictions, curators } = &self.curation;
        require(!self.maintainer.keys.is_empty(), "maintainer.keys", "at least one key")?;
        let count = curators.len() as u64;
        require((1..=count).contains(threshold), "curation.threshold", "from 1 to the number of curators")?;
        let mut jurisdictions: Vec<&str> = curators.iter().map(|curator| curator.jurisdiction.country()).collect();
        jurisdictions.sort();
        jurisdictions.dedup();
        require(
            (1..=jurisdictions.len() as u64).contains(min_jurisdictions) && min_jurisdictions <= threshold,
            "curation.min_jurisdictions",
            "from 1 to the number of the curators' jurisdictions, and no more than the threshold",
        )?;
        let mut keys: Vec<&[u8; 32]> = self.keys().map(VerifierKey::public_bytes).collect();
        keys.sort();
        require(
            keys.is_sorted_by(|a, b| a < b),
            "keys",
            "one public key appears once in a charter, whatever its name",
        )?;
        require(
            self.keys().all(|key| key.key_type() == KeyType::Ed25519),
            "keys",
            "keys of a charter are of type Ed25519 (0x01)",
        )
    }

    fn check_limits(&self) -> Result<(), StatementError> {
        let limits = &self.limits;
        require(limits.min_visibility >= 1, "limits.min_visibility", "at least one second")?;
        require(
            limits.validity >= limits.min_visibility.saturating_mul(2),
            "limits.validity",
            "at least twice the visibility",
        )?;
        require(limits.max_entries >= 1, "limits.max_entries", "at least one")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_field_of_a_record_has_a_question() {
        let said = || Some("said".to_string());
        let record = Record {
            legality: Legality { basis: said(), authority_notice: said(), foreseeability: said() },
            proportionality: Proportionality {
                aim: said(),
                evidence: said(),
                rational_connection: said(),
                alternatives: said(),
                fair_balance: said(),
                reviewer: said(),
                reviewed: said(),
            },
            privacy: Privacy {
                controller: said(),
                gdpr_basis: said(),
                dpia_sha256: said(),
                human_review: said(),
                retention: said(),
                transfers: said(),
            },
            quality: Quality {
                reviews_per_entry: said(),
                precision: said(),
                recall: said(),
                measured_on: said(),
                interval: said(),
                next_review: said(),
            },
            accountability: Accountability { complaints: said(), removal: said(), audits: said() },
        };
        let value = serde_json::to_value(&record).unwrap();
        let fields = |part: &serde_json::Value| part.as_object().map_or(0, |fields| fields.len());
        let all: usize = value.as_object().unwrap().values().map(fields).sum();
        assert_eq!(all, RECORD_QUESTIONS.len());
        for (part, field, question) in RECORD_QUESTIONS {
            assert!(value[part][field].is_string() && question.ends_with('?'), "{part}.{field}");
        }
    }
}
