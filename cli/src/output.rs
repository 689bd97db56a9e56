//! What a command says: words for people, or one JSON document with `--json`.

use crate::exit::Exit;
use isonomy_client::UpdateError;
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether something that was said could not be written.
static LOST: AtomicBool = AtomicBool::new(false);

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
            write_line(&serde_json::to_string_pretty(json)?);
        } else {
            print(&words);
        }
        Ok(())
    }

    /// A line for people, while the command works.
    pub(crate) fn say(&self, words: impl Display) {
        if !self.json {
            print(&words);
        }
    }

    /// What must not be lost if the command fails later: to standard error, whoever listens.
    pub(crate) fn notice(&self, words: impl Display) {
        complain(&words);
    }

    /// Many lines for people and programs alike, which are not gathered before.
    pub(crate) fn lines(&self, lines: impl Iterator<Item = String>) {
        let mut to = BufWriter::new(io::stdout().lock());
        let mut lines = lines;
        let written = lines.try_for_each(|line| writeln!(to, "{line}")).and_then(|()| to.flush());
        note_lost(written);
        // What could not be written is not tried again.
        let _ = to.into_parts();
    }

    /// One of many documents: a line each.
    pub(crate) fn report_line(&self, words: impl Display, json: &impl Serialize) -> anyhow::Result<()> {
        if self.json {
            write_line(&serde_json::to_string(json)?);
        } else {
            print(&words);
        }
        Ok(())
    }

    /// What went wrong, with each cause that says more.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        if self.json {
            write_line(&format!("{:#}", document(error)));
            return;
        }
        complain(&format_args!("error: {error}"));
        let mut said = error.to_string();
        for cause in error.chain().skip(1).map(ToString::to_string) {
            if !said.contains(&cause) {
                complain(&format_args!("  because: {cause}"));
                said = cause;
            }
        }
    }
}

/// A name or another text from outside, to be part of a line: what would end the line, move the cursor or turn the direction of
/// writing stands there as `\u{…}`. So nobody can add lines to what is said, or hide any.
pub(crate) fn in_line(text: &str) -> String {
    escaped(text, |letter| letter.is_control() || turns_direction(letter))
}

/// The same for whole lines.
fn in_lines(text: &str) -> String {
    escaped(text, |letter| letter.is_control() && letter != '\n' && letter != '\t' || turns_direction(letter))
}

fn escaped(text: &str, is_unsafe: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unsafe(letter) { safe.extend(letter.escape_unicode()) } else { safe.push(letter) }
    }
    safe
}

/// The characters with the Unicode property Bidi_Control.
fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Words to standard output.
fn print(words: &dyn Display) {
    write_line(&in_lines(&words.to_string()));
}

/// A line to standard output. What was asked for is done even if nobody reads on: a closed pipe is the reader's choice. If
/// the line is lost for another reason, [`lost`] says so at the end.
fn write_line(line: &str) {
    let mut to = io::stdout().lock();
    note_lost(writeln!(to, "{line}").and_then(|()| to.flush()));
}

fn note_lost(written: io::Result<()>) {
    if written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
        LOST.store(true, Relaxed);
    }
}

/// A line to standard error, whether or not anybody reads it.
pub(crate) fn complain(line: &dyn Display) {
    let _ = writeln!(io::stderr(), "{}", in_lines(&line.to_string()));
}

/// Whether a line of the report could not be written: to a full disk, say.
pub(crate) fn lost() -> bool {
    LOST.load(Relaxed)
}

/// An error for programs; a refused update with what each source was refused for.
fn document(error: &anyhow::Error) -> serde_json::Value {
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    let mut document = serde_json::json!({
        "error": error.to_string(),
        "causes": causes,
        "exit": Exit::of(error) as u8,
    });
    if let Some(update) = error.chain().find_map(|cause| cause.downcast_ref::<UpdateError>()) {
        document["refusals"] = serde_json::json!(update.refusals());
        if let Some(wait) = update.next_update_after() {
            document["next_update_after"] = wait.as_secs().into();
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_add_a_line_or_hide_one() {
        let name = "a\u{1b}[2K\r\u{202e}b\nc.png";
        assert_eq!(in_line(name), "a\\u{1b}[2K\\u{d}\\u{202e}b\\u{a}c.png");
        assert_eq!(in_lines(name), "a\\u{1b}[2K\\u{d}\\u{202e}b\nc.png");
        assert_eq!(in_line("Überblick 写真.png"), "Überblick 写真.png");
    }
}
