//! ThreatExchange's `threat_updates` JSON: `data`, each with `indicator`, `type` (`HASH_PDQ`, `HASH_MD5`, …), `last_updated`,
//! `should_delete`, and `descriptors.data` with `tags` and `status`. What should be deleted goes off the list, by its hash or, where that
//! is left out, by its `id`; so does what all who describe it call harmless (`NON_MALICIOUS`). What some of
//! them call so is disputed.

use super::feed::text;
use super::record::{self, Action, Record, Refusal, is_of, refusal};
use isonomy_core::list::Algorithm;
use serde_json::Value;

pub(super) fn record(value: &Value, algorithm: Algorithm) -> Result<Record, Refusal> {
    let kind = text(value, "type");
    if kind.as_ref().is_some_and(|kind| !is_of(kind, algorithm)) {
        return Ok(Record::about(Action::Add));
    }
    let action = match value.get("should_delete") {
        Some(Value::Bool(true)) => Action::Remove,
        Some(Value::Bool(false) | Value::Null) | None if all_call_it_harmless(value) => Action::Remove,
        Some(Value::Bool(false) | Value::Null) | None => Action::Add,
        Some(_) => return Err(refusal("should_delete", "it is neither true nor false")),
    };
    let id = text(value, "id").map(|id| format!("threatexchange {id}"));
    let digest = text(value, "indicator");
    if digest.is_none() && (action == Action::Add || id.is_none()) {
        return Err(refusal("indicator", "it is missing"));
    }
    let hash = digest.map(|text| record::hash(text.as_bytes(), algorithm)).transpose();
    let hash = hash.map_err(|reason| refusal("indicator", reason))?;
    let time = match text(value, "last_updated") {
        Some(text) => Some(record::time(&text).ok_or_else(|| refusal("last_updated", "it is no time"))?),
        None => None,
    };
    let is_disputed = action == Action::Add && descriptors(value).iter().any(is_harmless);
    Ok(Record { hash, time, tags: tags(value), id, is_disputed, ..Record::about(action) })
}

fn descriptors(value: &Value) -> &[Value] {
    value.pointer("/descriptors/data").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn tags(value: &Value) -> Vec<String> {
    descriptors(value).iter().flat_map(|descriptor| super::feed::words(descriptor, "tags")).collect()
}

fn all_call_it_harmless(value: &Value) -> bool {
    !descriptors(value).is_empty() && descriptors(value).iter().all(is_harmless)
}

fn is_harmless(descriptor: &Value) -> bool {
    text(descriptor, "status").is_some_and(|status| status.eq_ignore_ascii_case("NON_MALICIOUS"))
}
