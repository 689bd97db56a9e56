//! The legal case for a list, field by field: what its maintainer has said, and what is missing.

use isonomy_core::charter::{RECORD_QUESTIONS, Record};
use serde::Serialize;
use serde_json::Value;

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
    RECORD_QUESTIONS.iter().map(field).collect()
}
