//! StopNCII's JSON: `hashRecords`, each with `signalType` (`ImagePDQ`, `VideoMD5`, …), `hashValue`, `hashStatus` and
//! `lastModtimestamp`. A record that is `Withdrawn` or `Deleted` takes its hash off the list.
//!
//! That status is of the hash as a whole. `caseNumbers` has the cases in which people gave it, each with a status of its own, under its
//! number, which is no id of the record: a case that is withdrawn leaves the others. Where each of them is, nobody asks for the hash any
//! more, and a record that adds it all the same is refused. `CSPFeedbacks` has what platforms found: one that did not block what it saw,
//! or calls the hash withdrawn or deleted, disputes it.

use super::feed::{text, time};
use super::record::{self, Action, Record, Refusal, is_of, refusal};
use isonomy_core::list::Algorithm;
use serde_json::Value;

pub(super) fn record(value: &Value, algorithm: Algorithm) -> Result<Record, Refusal> {
    let kind = text(value, "signalType").ok_or_else(|| refusal("signalType", "it is missing"))?;
    let status = text(value, "hashStatus").ok_or_else(|| refusal("hashStatus", "it is missing"))?;
    let action = match status.as_str() {
        "Active" | "Received" => Action::Add,
        status if is_withdrawn(status) => Action::Remove,
        _ => return Err(refusal("hashStatus", format!("{status:?} is none that is known"))),
    };
    if !is_of(&kind, algorithm) {
        return Ok(Record::about(Action::Add));
    }
    if action == Action::Add && are_all_withdrawn(value)? {
        let reason =
            format!("every case is withdrawn or deleted, and the record is {status}: nobody may ask for it any more");
        return Err(refusal("caseNumbers", reason));
    }
    let digest = text(value, "hashValue").ok_or_else(|| refusal("hashValue", "it is missing"))?;
    let hash = record::hash(digest.as_bytes(), algorithm).map_err(|reason| refusal("hashValue", reason))?;
    let time = time(value, "lastModtimestamp")?;
    let is_disputed = action == Action::Add && is_disputed(value);
    Ok(Record { hash: Some(hash), time, is_disputed, ..Record::about(action) })
}

fn is_withdrawn(status: &str) -> bool {
    ["Withdrawn", "Deleted"].contains(&status)
}

/// Whether there are cases, and each is withdrawn. Without any the list is empty, or left out.
fn are_all_withdrawn(value: &Value) -> Result<bool, Refusal> {
    match value.get("caseNumbers") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Array(cases)) if cases.is_empty() => Ok(false),
        Some(Value::Object(cases)) => {
            Ok(!cases.is_empty() && cases.values().all(|status| status.as_str().is_some_and(is_withdrawn)))
        }
        Some(_) => Err(refusal("caseNumbers", "it is not an object with the status of each case")),
    }
}

fn is_disputed(value: &Value) -> bool {
    let feedbacks = value.get("CSPFeedbacks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let says = |feedback: &Value| text(feedback, "feedbackValue");
    feedbacks.iter().filter_map(says).any(|said| said == "NotBlocked" || is_withdrawn(&said))
}
