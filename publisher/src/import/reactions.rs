//! ThreatExchange's reactions: what others say of a descriptor that they don't own.
//!
//! | where | such as |
//! |---|---|
//! | `reactions` of a descriptor | `[{"key": "NON_MALICIOUS", "value": "<app>,<app>"}, …]`, also as the `data` of an edge; or from each reaction to the apps: `{"NON_MALICIOUS": ["<app>"]}` |
//! | `my_reactions` | `["OUTDATED"]` |
//! | a column `reactions` of a table | their names, or either of those as a program wrote it down |
//!
//! What is not among those that doubt nothing is taken for a doubt.

use super::feed::{list, word};
use super::record::{Refusal, plain, refusal};
use serde_json::Value;

/// Reactions that doubt nothing, as [`plain`] gives them. The others are `NON_MALICIOUS`, `DISAGREE_WITH_TAGS`, `NOT_HELPFUL` and `OUTDATED`.
const HARMLESS: [&str; 8] =
    ["sawthistoo", "actiontaken", "helpful", "wantmoreinfo", "ingested", "alreadyknown", "inreview", "reviewed"];
/// What stands around them where a list was written down.
const AROUND: [&str; 3] = ["key", "value", "data"];

/// Whether a reaction to this descriptor doubts it.
pub(super) fn are_doubts(descriptor: &Value) -> Result<bool, Refusal> {
    let mut doubts = false;
    for field in ["reactions", "my_reactions"] {
        let said = descriptor.get(field).map_or(Some(Vec::new()), names);
        let reason = "it is neither a list of reactions nor an object from each of them to those who reacted so";
        doubts |= said.ok_or_else(|| refusal(field, reason))?.iter().any(|reaction| is_doubt(reaction));
    }
    Ok(doubts)
}

/// The names of reactions; `None` if it is not known how they are written.
fn names(said: &Value) -> Option<Vec<String>> {
    let is_nobody = |apps: &Value| [Value::Null, "".into(), Value::Array(Vec::new())].contains(apps);
    match (said, list(said)) {
        (Value::Null, _) => Some(Vec::new()),
        (Value::String(text), _) => Some(text.split(',').map(str::to_owned).collect()),
        (_, Some(items)) => items.iter().map(|item| word(item, "key").filter(|_| !item.is_number())).collect(),
        (Value::Object(apps), None) => {
            Some(apps.iter().filter(|(_, apps)| !is_nobody(apps)).map(|(name, _)| name.clone()).collect())
        }
        _ => None,
    }
}

/// Whether a field of a table has a reaction that is a doubt.
pub(super) fn has_doubt(field: &[u8]) -> bool {
    let is_between = |letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '-';
    let text = String::from_utf8_lossy(field);
    let is_around = |word: &&str| AROUND.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit());
    text.split(is_between).filter(|word| !is_around(word)).any(is_doubt)
}

fn is_doubt(reaction: &str) -> bool {
    let name = plain(reaction);
    !name.is_empty() && !HARMLESS.contains(&name.as_str())
}
