//! The legal case for a list, field by field: what its maintainer has said, and what is missing.

use isonomy_core::charter::Record;
use serde::Serialize;
use serde_json::Value;

/// Every field of a record: part, name, and the question that it answers.
const FIELDS: [(&str, &str, &str); 25] = [
    ("legality", "basis", "What law is it based on?"),
    ("legality", "authority_notice", "Which authority was notified?"),
    ("legality", "foreseeability", "How can a person know of it beforehand?"),
    ("proportionality", "aim", "What is the legitimate aim?"),
    ("proportionality", "evidence", "What shows that there is a need?"),
    ("proportionality", "rational_connection", "Why does it serve the aim?"),
    ("proportionality", "alternatives", "Which less intrusive means were considered?"),
    ("proportionality", "fair_balance", "Why does the harm not outweigh the gain?"),
    ("proportionality", "reviewer", "Who has reviewed this?"),
    ("proportionality", "reviewed", "When?"),
    ("privacy", "controller", "Who is the controller?"),
    ("privacy", "gdpr_basis", "What is the legal basis under the GDPR?"),
    ("privacy", "dpia_sha256", "Which impact assessment (SHA-256)?"),
    ("privacy", "human_review", "Is a decision automated, and who reviews it?"),
    ("privacy", "retention", "How long is data kept?"),
    ("privacy", "transfers", "To which countries does data go?"),
    ("quality", "reviews_per_entry", "How many people review an entry?"),
    ("quality", "precision", "What precision was measured?"),
    ("quality", "recall", "What recall was measured?"),
    ("quality", "measured_on", "On which data?"),
    ("quality", "interval", "With which confidence interval?"),
    ("quality", "next_review", "When is it measured again?"),
    ("accountability", "complaints", "How are complaints handled?"),
    ("accountability", "removal", "How fast does a wrong entry go?"),
    ("accountability", "audits", "Who audits, and how often?"),
];

/// One field of a charter's record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RecordField {
    /// The part: legality, proportionality, privacy, quality or accountability.
    pub part: &'static str,
    /// Its name.
    pub field: &'static str,
    /// The question that it answers.
    pub question: &'static str,
    /// What the maintainer says; absent if that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// Every field of a record, in order.
pub(crate) fn fields(record: &Record) -> Vec<RecordField> {
    let value = serde_json::to_value(record).unwrap_or_default();
    let answer = |part: &str, field: &str| value.get(part)?.get(field).and_then(Value::as_str).map(str::to_owned);
    let field = |&(part, field, question)| RecordField { part, field, question, answer: answer(part, field) };
    FIELDS.iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::charter::{Accountability, Legality, Privacy, Proportionality, Quality};

    #[test]
    fn every_field_of_a_record_has_a_question() {
        let said = || Some("said".to_owned());
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
        assert!(fields(&record).iter().all(|field| field.answer.is_some()));
        assert!(fields(&Record::default()).iter().all(|field| field.answer.is_none()));
    }
}
