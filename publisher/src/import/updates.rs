//! ThreatExchange's `threat_updates` JSON: `data`, each with `indicator`, `type` (`HASH_PDQ`, `HASH_MD5`, …), `last_updated`,
//! `should_delete`, `tags`, `status`, and `descriptors.data` with `tags` and `status` of their own. What should be deleted goes off the
//! list, by its hash or, where that is left out, by its `id`; so does what the record itself calls gone (`DELETED`, `EXPIRED`); and what all
//! who describe it call harmless (`NON_MALICIOUS`), or the record itself, if no descriptor says otherwise, of those that still count. What
//! some of them call so, or somebody's reaction doubts (`reactions`), is disputed. A descriptor counts until the time in `expired_on` or
//! `expire_time`. Where some records have descriptors, none is added that has not; and none ever whose descriptors are an empty list, since
//! nobody stands behind it.

use super::feed::{text, time, words};
use super::reactions;
use super::record::{self, Action, Record, Refusal, is_of, plain, refusal};
use super::state;
use isonomy_core::list::Algorithm;
use serde_json::Value;

pub(super) fn record(value: &Value, algorithm: Algorithm) -> Result<Record, Refusal> {
    let kind = text(value, "type");
    if kind.as_ref().is_some_and(|kind| !is_of(kind, algorithm)) {
        return Ok(Record::about(Action::Add));
    }
    let action = match value.get("should_delete") {
        Some(Value::Bool(true)) => Action::Remove,
        Some(Value::Bool(false) | Value::Null) | None if is_called_harmless(value)? => Action::Remove,
        Some(Value::Bool(false) | Value::Null) | None => Action::Add,
        Some(_) => return Err(refusal("should_delete", "it is neither true nor false")),
    };
    let described = found_descriptors(value)?;
    if action == Action::Add && described.is_some_and(<[Value]>::is_empty) {
        return Err(refusal("descriptors", "there are none: nobody stands behind it"));
    }
    let described = described.unwrap_or_default();
    let id = text(value, "id").map(|id| format!("threatexchange {id}"));
    let digest = text(value, "indicator");
    if digest.is_none() && (action == Action::Add || id.is_none()) {
        return Err(refusal("indicator", "it is missing"));
    }
    let hash = digest.map(|text| record::hash(text.as_bytes(), algorithm)).transpose();
    let hash = hash.map_err(|reason| refusal("indicator", reason))?;
    let time = time(value, "last_updated")?;
    let (mut tags, mut is_disputed) = (Vec::new(), false);
    // What goes needs neither, however they are written.
    for level in std::iter::once(value).chain(described).filter(|_| action == Action::Add) {
        tags.extend(words(level, "tags")?);
        is_disputed |= is_harmless(level)? == Some(true) || reactions::are_doubts(level)?;
    }
    Ok(Record { hash, time, tags, id, is_disputed, ..Record::about(action) })
}

/// Words by which a record calls itself harmless, against which descriptors may speak.
const HARMLESS: [&str; 2] = ["nonmalicious", "notmalicious"];

/// What describes it; `None` if the feed was got without that.
fn found_descriptors(value: &Value) -> Result<Option<&[Value]>, Refusal> {
    let Some(descriptors) = value.get("descriptors").filter(|found| !found.is_null()) else { return Ok(None) };
    match descriptors.get("data").and_then(Value::as_array) {
        Some(data) => Ok(Some(data)),
        None => Err(refusal("descriptors", "it is not an object with a list `data`")),
    }
}

/// All that describe it, so stand behind it.
pub(super) fn descriptors(value: &Value) -> &[Value] {
    found_descriptors(value).ok().flatten().unwrap_or_default()
}

/// Whether the record itself says that it is gone; or calls it harmless and no descriptor says otherwise, or every descriptor does. Which of
/// them still stand behind it is asked later.
fn is_called_harmless(value: &Value) -> Result<bool, Refusal> {
    let described = found_descriptors(value)?.unwrap_or_default();
    let said: Vec<Option<bool>> = described.iter().map(is_harmless).collect::<Result<_, _>>()?;
    let is_opinion =
        || value.get("status").and_then(Value::as_str).is_some_and(|word| HARMLESS.contains(&plain(word).as_str()));
    Ok(match is_harmless(value)? {
        Some(true) => !is_opinion() || !said.contains(&Some(false)),
        _ => !said.is_empty() && said.iter().all(|said| *said == Some(true)),
    })
}

/// Whether a status calls it harmless, or gone; `None` if there is none.
pub(super) fn is_harmless(level: &Value) -> Result<Option<bool>, Refusal> {
    const HARMFUL: [&str; 3] = ["malicious", "suspicious", "unknown"];
    let says = |status: &&Value| !status.is_null() && status.as_str() != Some("");
    let Some(status) = level.get("status").filter(says) else { return Ok(None) };
    match status.as_str() {
        Some(word) if HARMFUL.contains(&plain(word).as_str()) => Ok(Some(false)),
        Some(word) if state::is_word_of_leaving(word.as_bytes()) => Ok(Some(true)),
        _ => Err(refusal("status", format!("{status} is none that is known"))),
    }
}
