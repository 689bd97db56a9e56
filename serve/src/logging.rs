//! What a server says of itself, as its configuration has it. Whoever starts the process acts on it.

use serde::Deserialize;

/// The form of what is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object on each line.
    Json,
}

/// A table of a configuration file.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Logging {
    /// The form.
    pub format: LogFormat,
    /// How much: a level, or a filter in the form of `RUST_LOG`.
    pub level: String,
}

impl Default for Logging {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}
