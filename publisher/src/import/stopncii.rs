//! StopNCII's JSON: `hashRecords`, each with `signalType` (`ImagePDQ`, `VideoMD5`, …), `hashValue`, `hashStatus` and
//! `lastModtimestamp`. A record that is `Withdrawn` or `Deleted` takes its hash off the list.
//!
//! That status is of the hash as a whole. `caseNumbers` has the cases in which people gave it, each with a status of its own, under its
//! number, which is no id of the record: a case that is withdrawn leaves the others. Where each of them is, nobody asks for the hash any
//! more, and a record that adds it all the same is refused. `CSPFeedbacks` has what platforms found: one that did not block what it saw,
//! or calls the hash withdrawn or deleted, disputes it; their tags are those of the record, too. Words count in either case. A record that
//! adds a hash is refused if a case or a feedback says what is not known.

use super::feed::{text, time, words};
use super::record::{self, Action, Record, Refusal, is_of, plain, refusal};
use isonomy_core::list::Algorithm;
use serde_json::Value;

/// States in which a hash or case is, as [`plain`] gives them.
const STANDING: [&str; 2] = ["active", "received"];
const WITHDRAWN: [&str; 2] = ["withdrawn", "deleted"];
/// That of a case alone.
const UNKNOWN: &str = "unknown";
/// What a platform says of a hash that it does not doubt, and of one that it does.
const FOUND: [&str; 5] = [UNKNOWN, "none", "qualityunknown", "pendingreview", "blocked"];
const NOT_FOUND: &str = "notblocked";

pub(super) fn record(value: &Value, algorithm: Algorithm) -> Result<Record, Refusal> {
    let kind = text(value, "signalType").ok_or_else(|| refusal("signalType", "it is missing"))?;
    let status = text(value, "hashStatus").ok_or_else(|| refusal("hashStatus", "it is missing"))?;
    let action = match plain(&status) {
        word if is_one_of(&STANDING, &word) => Action::Add,
        word if is_one_of(&WITHDRAWN, &word) => Action::Remove,
        _ => return Err(refusal("hashStatus", format!("{status:?} is none that is known"))),
    };
    if !is_of(&kind, algorithm) {
        return Ok(Record::about(Action::Add));
    }
    let digest = text(value, "hashValue").ok_or_else(|| refusal("hashValue", "it is missing"))?;
    let hash = record::hash(digest.as_bytes(), algorithm).map_err(|reason| refusal("hashValue", reason))?;
    let record = Record { hash: Some(hash), time: time(value, "lastModtimestamp")?, ..Record::about(action) };
    // What goes needs nobody who asks for it, nor what platforms found.
    if action == Action::Remove {
        return Ok(record);
    }
    if are_all_withdrawn(value)? {
        let reason =
            format!("every case is withdrawn or deleted, and the record is {status}: nobody may ask for it any more");
        return Err(refusal("caseNumbers", reason));
    }
    let Feedback { tags, is_disputed } = feedback(value)?;
    Ok(Record { tags: [words(value, "tags")?, tags].concat(), is_disputed, ..record })
}

fn is_one_of(words: &[&str], word: &str) -> bool {
    words.contains(&word)
}

/// Whether there are cases, and each is withdrawn. Without any the list is empty, or left out.
fn are_all_withdrawn(value: &Value) -> Result<bool, Refusal> {
    let cases = match value.get("caseNumbers") {
        None | Some(Value::Null) => return Ok(false),
        Some(Value::Array(cases)) if cases.is_empty() => return Ok(false),
        Some(Value::Object(cases)) => cases,
        Some(_) => return Err(refusal("caseNumbers", "it is not an object with the status of each case")),
    };
    let mut withdrawn = 0;
    for status in cases.values() {
        match status.as_str().map(plain) {
            Some(word) if is_one_of(&WITHDRAWN, &word) => withdrawn += 1,
            Some(word) if is_one_of(&STANDING, &word) || word == UNKNOWN => {}
            _ => return Err(refusal("caseNumbers", format!("the status {status} of a case is none that is known"))),
        }
    }
    Ok(withdrawn > 0 && withdrawn == cases.len())
}

/// What platforms found.
#[derive(Default)]
struct Feedback {
    tags: Vec<String>,
    is_disputed: bool,
}

fn feedback(value: &Value) -> Result<Feedback, Refusal> {
    let refused = |reason: String| refusal("CSPFeedbacks", reason);
    let mut found = Feedback::default();
    let feedbacks = match value.get("CSPFeedbacks") {
        None | Some(Value::Null) => return Ok(found),
        Some(feedbacks) => feedbacks.as_array().ok_or_else(|| refused("it is not a list".to_owned()))?,
    };
    for feedback in feedbacks {
        let feedback = Some(feedback).filter(|feedback| feedback.is_object());
        let feedback = feedback.ok_or_else(|| refused("one of them is not an object".to_owned()))?;
        let said = feedback.get("feedbackValue").filter(|said| !said.is_null());
        found.is_disputed |= match said.map(|said| said.as_str().map(plain)) {
            None => false,
            Some(Some(word)) if is_one_of(&FOUND, &word) => false,
            Some(Some(word)) if word == NOT_FOUND || is_one_of(&WITHDRAWN, &word) => true,
            Some(_) => {
                let said = said.map(Value::to_string).unwrap_or_default();
                let pass = "`isonomy list import --ignore-column CSPFeedbacks` passes all feedbacks over";
                return Err(refused(format!(
                    "the value {said} of one is none that is known, and may doubt the hash (if it does not, {pass})"
                )));
            }
        };
        found.tags.extend(words(feedback, "tags").map_err(|problem| refused(format!("tags: {}", problem.reason)))?);
    }
    Ok(found)
}
