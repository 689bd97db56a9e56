//! The one byte form of a JSON text that is signed: what ECMAScript's `JSON.stringify(x, null, 2)` gives, and a newline.
//!
//! ```text
//! {
//!   "statement": "isonomy/release/v1",
//!   "version": 1,
//!   "deltas": []
//! }
//! ```
//!
//! Fields stand in the order of their type's declaration. Numbers are integers from 0 to 2^53 − 1. Absent fields are
//! omitted, never null. Strings hold no control and no bidirectional formatting characters, so that what a person sees
//! is what was signed. Reading is parsing, encoding again and comparing: anything else is malformed.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The largest integer that every JSON implementation keeps exactly: 2^53 − 1.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Why a text is not canonical JSON of the type expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, or not of the expected fields and types.
    #[error("not the JSON expected: {0}")]
    Shape(String),
    /// A value that signed JSON never holds.
    #[error("signed JSON holds no {0}")]
    Value(&'static str),
    /// Right value, other bytes: spaces, order of fields or escapes differ.
    #[error("not in canonical form (fields in order, two spaces of indent, a final newline)")]
    NotCanonical,
}

/// The canonical text of `value`.
pub fn encode<T: Serialize>(value: &T) -> Result<String, JsonError> {
    let mut text = serde_json::to_string_pretty(value).map_err(shape)?;
    text.push('\n');
    check(&serde_json::from_str(&text).map_err(shape)?)?;
    Ok(text)
}

/// The value of which `text` is the canonical form. The caller has limited the text's size.
pub fn decode<T: Serialize + DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    check(&serde_json::from_str(text).map_err(shape)?)?;
    let value: T = serde_json::from_str(text).map_err(shape)?;
    if encode(&value)? == text { Ok(value) } else { Err(JsonError::NotCanonical) }
}

/// The string in field `name` of the object that `text` is.
pub fn string_field(text: &str, name: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(value.get(name)?.as_str()?.to_string())
}

/// A text of several lines, such as a note, inside a JSON file: an array of its lines, since strings hold no newline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lines(Vec<String>);

impl Lines {
    /// The lines of `text`, which ends in a newline.
    pub fn of(text: impl core::fmt::Display) -> Self {
        Self(text.to_string().lines().map(ToString::to_string).collect())
    }

    /// The text.
    pub fn to_text(&self) -> String {
        self.0.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

fn shape(error: serde_json::Error) -> JsonError {
    JsonError::Shape(format!("{error}"))
}

fn check(value: &Value) -> Result<(), JsonError> {
    match value {
        Value::Null => Err(JsonError::Value("null")),
        Value::Bool(_) => Ok(()),
        Value::Number(number) => match number.as_u64() {
            Some(integer) if integer <= MAX_INTEGER => Ok(()),
            _ => Err(JsonError::Value("number but the integers from 0 to 2^53 - 1")),
        },
        Value::String(text) => check_string(text),
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| {
            check_string(name)?;
            check(field)
        }),
    }
}

/// Whether a text may stand in a statement: it has no character that hides, or shows another text than is there.
pub fn check_string(text: &str) -> Result<(), JsonError> {
    if text.chars().any(char::is_control) {
        return Err(JsonError::Value("control character"));
    }
    if text.chars().any(is_bidi_control) {
        return Err(JsonError::Value("bidirectional formatting character"));
    }
    Ok(())
}

/// The characters with the Unicode property Bidi_Control.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
        items: Vec<u64>,
    }

    #[test]
    fn the_form_is_that_of_json_stringify() {
        let sample =
            Sample { name: "a \"b\" \\ é /\u{2028}".into(), size: Some(MAX_INTEGER), items: alloc::vec![1, 2] };
        let text = encode(&sample).unwrap();
        // As printed by `JSON.stringify(sample, null, 2) + "\n"`.
        let expected = "{\n  \"name\": \"a \\\"b\\\" \\\\ é /\u{2028}\",\n  \"size\": 9007199254740991,\n  \"items\": [\n    1,\n    2\n  ]\n}\n";
        assert_eq!(text, expected);
        assert_eq!(decode::<Sample>(&text).unwrap(), sample);
    }

    #[test]
    fn every_other_form_is_refused() {
        let good = "{\n  \"name\": \"a\",\n  \"items\": []\n}\n";
        assert!(decode::<Sample>(good).is_ok());
        for (bad, error) in [
            (good.replace("  ", " "), JsonError::NotCanonical),
            (good.replace("\"a\"", "\"\\u0061\""), JsonError::NotCanonical),
            (good.trim_end().into(), JsonError::NotCanonical),
            ("{\n  \"items\": [],\n  \"name\": \"a\"\n}\n".into(), JsonError::NotCanonical),
            (good.replace("\"a\"", "\"\u{202e}a\""), JsonError::Value("bidirectional formatting character")),
            (good.replace("\"a\"", "\"\\u0007\""), JsonError::Value("control character")),
            (good.replace("\"a\"", "null"), JsonError::Value("null")),
            (good.replace("[]", "[9007199254740992]"), JsonError::Value("number but the integers from 0 to 2^53 - 1")),
            (good.replace("[]", "[-1]"), JsonError::Value("number but the integers from 0 to 2^53 - 1")),
            (good.replace("[]", "[1.5]"), JsonError::Value("number but the integers from 0 to 2^53 - 1")),
        ] {
            assert_eq!(decode::<Sample>(&bad), Err(error), "{bad}");
        }
        for shape in [
            good.replace("\"items\"", "\"other\""),
            good.replace("\"items\": []", "\"items\": [],\n  \"items\": []"),
            good.replace("[]", "[]]"),
            "[".repeat(500),
        ] {
            assert!(matches!(decode::<Sample>(&shape), Err(JsonError::Shape(_))), "{shape}");
        }
    }
}
