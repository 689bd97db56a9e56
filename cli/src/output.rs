//! What a command says: words for people, or one JSON document with `--json`.

use serde::Serialize;
use std::fmt::Display;

/// Where reports and errors go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether programs are listening: then nothing but JSON goes to standard output.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// The command's report.
    pub(crate) fn report(&self, words: impl Display, json: &impl Serialize) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(json)?);
        } else {
            println!("{words}");
        }
        Ok(())
    }

    /// A line for people, while the command works.
    pub(crate) fn say(&self, words: impl Display) {
        if !self.json {
            println!("{words}");
        }
    }

    /// What went wrong, with each cause that says more.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        if self.json {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            println!("{}", serde_json::json!({ "error": causes[0], "causes": causes[1..] }));
            return;
        }
        eprintln!("error: {error}");
        let mut said = error.to_string();
        for cause in error.chain().skip(1).map(ToString::to_string) {
            if !said.contains(&cause) {
                eprintln!("  because: {cause}");
                said = cause;
            }
        }
    }
}
