//! Tech Against Terrorism's JSON: `results`, each with `hash_digest`, `algorithm`, `ideology`, `file_type`, `deleted`,
//! `updated_on` and `id`. What is `deleted` goes off the list. The ideology is its class, the type of file its tag.

use super::feed::{text, time, words};
use super::record::{self, Action, Record, Refusal, is_of, refusal};
use isonomy_core::list::Algorithm;
use serde_json::Value;

pub(super) fn record(value: &Value, algorithm: Algorithm) -> Result<Record, Refusal> {
    let kind = text(value, "algorithm").ok_or_else(|| refusal("algorithm", "it is missing"))?;
    if !is_of(&kind, algorithm) {
        return Ok(Record::about(Action::Add));
    }
    let action = match value.get("deleted") {
        Some(Value::Bool(true)) => Action::Remove,
        Some(Value::Bool(false) | Value::Null) | None => Action::Add,
        Some(_) => return Err(refusal("deleted", "it is neither true nor false")),
    };
    let digest = text(value, "hash_digest").ok_or_else(|| refusal("hash_digest", "it is missing"))?;
    let hash = record::hash(digest.as_bytes(), algorithm).map_err(|reason| refusal("hash_digest", reason))?;
    let time = time(value, "updated_on")?;
    let (classes, tags) = (words(value, "ideology")?, words(value, "file_type")?);
    Ok(Record { hash: Some(hash), time, classes, tags, ..Record::about(action) })
}
