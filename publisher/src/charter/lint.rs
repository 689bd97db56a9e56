//! What is missing in a charter, or weak. Nothing here is a rule: a charter with findings is valid, and everybody can
//! see them.

use isonomy_core::charter::{Action, Charter, Jurisdiction, Surface};
use serde::Serialize;
use serde_json::Value;

const DAY: u64 = 86_400;

/// Something that a reader of the charter will ask about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// The field.
    pub field: String,
    /// What is missing or weak, in words.
    pub words: String,
}

/// Every finding about a charter, in the order of its fields.
pub fn lint(charter: &Charter) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (weak, field, words) in terms(charter) {
        if weak {
            findings.push(Finding { field: field.to_owned(), words: words.to_owned() });
        }
    }
    findings.extend(missing_record(charter));
    findings
}

fn terms(charter: &Charter) -> [(bool, &'static str, &'static str); 13] {
    let Charter { maintainer, purpose, reach, matching, action, curation, limits, redress, .. } = charter;
    let home = |jurisdiction: &Jurisdiction| *jurisdiction == maintainer.jurisdiction;
    [
        (maintainer.keys.len() < 2, "maintainer.keys", "one key alone: if it is lost, nothing can be mended any more"),
        (purpose.statutes.is_empty(), "purpose.statutes", "no law is named on which the list rests"),
        (purpose.exclusions.is_empty(), "purpose.exclusions", "nothing is excluded"),
        (
            reach.surfaces.contains(&Surface::EndToEndEncrypted),
            "reach.surfaces",
            "it allows matching in end-to-end encrypted messages; the record must carry that",
        ),
        (
            matching.algorithm.is_perceptual() && matching.min_quality < 50,
            "matching.min_quality",
            "below 50, flat pictures match each other without meaning anything",
        ),
        (action.most == Action::Report, "action.most", "a match may be reported: the record must carry that"),
        (curation.threshold < 2, "curation.threshold", "one curator alone can let a release pass"),
        (
            curation.min_jurisdictions < 2,
            "curation.min_jurisdictions",
            "one state alone could compel all who must agree",
        ),
        (
            curation.curators.iter().all(|curator| home(&curator.jurisdiction)),
            "curation.curators",
            "no curator sits outside of the maintainer's jurisdiction",
        ),
        (
            limits.min_visibility < DAY,
            "limits.min_visibility",
            "less than a day: errors are in use before anybody can see them",
        ),
        (limits.validity > 90 * DAY, "limits.validity", "more than 90 days: a frozen list is noticed late"),
        (limits.notice < 30 * DAY, "limits.notice", "less than 30 days: too short to object to a wider purpose"),
        (
            redress.removal_deadline > 7 * DAY,
            "redress.removal_deadline",
            "more than a week to remove what should not be there",
        ),
    ]
}

/// The fields of `record` without a value.
fn missing_record(charter: &Charter) -> Vec<Finding> {
    let record = serde_json::to_value(&charter.record).unwrap_or(Value::Null);
    let present = |part: &str, field: &str| {
        let value = record.get(part).and_then(|part| part.get(field)).and_then(Value::as_str);
        value.is_some_and(|text| !text.trim().is_empty())
    };
    let fields = super::template::record_fields();
    let absent = fields.filter(|(part, field, _)| !present(part, field));
    absent
        .map(|(part, field, about)| Finding {
            field: format!("record.{part}.{field}"),
            words: format!("missing: {about}"),
        })
        .collect()
}
