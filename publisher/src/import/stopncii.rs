//! StopNCII's JSON: `hashRecords`, each with `signalType` (`ImagePDQ`, `VideoMD5`, …), `hashValue`, `hashStatus` and
//! `lastModtimestamp`. A record that is `Withdrawn` or `Deleted` takes its hash off the list. `caseNumbers` and `CSPFeedbacks`
//! are not read.

use super::feed::{text, time};
use super::record::{self, Action, Record, Refusal, is_of, refusal};
use isonomy_core::list::Algorithm;
use serde_json::Value;

pub(super) fn record(value: &Value, algorithm: Algorithm) -> Result<Record, Refusal> {
    let kind = text(value, "signalType").ok_or_else(|| refusal("signalType", "it is missing"))?;
    let status = text(value, "hashStatus").ok_or_else(|| refusal("hashStatus", "it is missing"))?;
    let action = match status.as_str() {
        "Active" | "Received" => Action::Add,
        "Withdrawn" | "Deleted" => Action::Remove,
        _ => return Err(refusal("hashStatus", format!("{status:?} is none that is known"))),
    };
    if !is_of(&kind, algorithm) {
        return Ok(Record::about(Action::Add));
    }
    let digest = text(value, "hashValue").ok_or_else(|| refusal("hashValue", "it is missing"))?;
    let hash = record::hash(digest.as_bytes(), algorithm).map_err(|reason| refusal("hashValue", reason))?;
    let time = time(value, "lastModtimestamp")?;
    Ok(Record { hash: Some(hash), time, ..Record::about(action) })
}
