//! What was refused, as records that stay: an app can show them, a person can hand them on.

use isonomy_core::time::Timestamp;
use isonomy_store::files::{self, FileError};
use isonomy_verifier::Rejection;
use isonomy_verifier::rejection::{Blame, Lack};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The most records that are kept; the oldest go first. Evidence is kept for good, elsewhere.
const MAX_RECORDS: usize = 1000;
/// The most bytes of a record that are read.
const MAX_RECORD_SIZE: usize = 256 * 1024;

/// What one source was refused for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// When, by this machine's clock.
    pub time: Timestamp,
    /// The source that was asked: a URL or a folder; empty, if none was, since updates have stopped.
    pub source: String,
    /// Who answers for it.
    pub blame: Blame,
    /// A short, stable name of the reason, for programs.
    pub code: String,
    /// What the source was asked for, where it failed to give it or gave something else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resource: Option<String>,
    /// In which way it failed to give it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lack: Option<Lack>,
    /// The rule that was broken, where it is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<CitedRule>,
    /// The reason, for people.
    pub message: String,
    /// The name of the file in the folder `evidence` that proves it, where that can be proven.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<String>,
}

/// A rule, as it is cited.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CitedRule {
    /// Its number.
    pub number: u8,
    /// Its name.
    pub name: String,
}

impl Refusal {
    /// Whether it is no more than that the source gave nothing: no verdict about it, the log or the list.
    pub fn is_lack_alone(&self) -> bool {
        self.lack.is_some_and(|lack| !lack.is_misbehaviour())
    }

    pub(crate) fn new(time: Timestamp, source: String, rejection: &Rejection, evidence: Option<String>) -> Self {
        let rule = rejection.rule().map(|rule| CitedRule { number: rule.number(), name: rule.name().to_owned() });
        Self {
            time,
            source,
            blame: rejection.blame(),
            code: rejection.code().to_owned(),
            resource: rejection.resource().map(ToString::to_string),
            lack: rejection.lack(),
            rule,
            message: rejection.to_string(),
            evidence,
        }
    }
}

/// Writes a record, and removes the oldest ones if there are too many.
pub(crate) fn record(folder: &Path, refusal: &Refusal) -> Result<(), FileError> {
    files::create_dir_all_durable(folder)?;
    // A struct of strings and numbers always has a JSON form.
    let mut text = serde_json::to_string_pretty(refusal).unwrap_or_default();
    text.push('\n');
    let stem = format!("{}-{}", compact(refusal.time), refusal.code);
    let names = std::iter::once(stem.clone()).chain((2..=MAX_RECORDS + 1).map(|number| format!("{stem}-{number}")));
    let free = names.map(|name| folder.join(name + ".json")).find(|path| !path.exists());
    if let Some(path) = free {
        files::create_new(&path, text.as_bytes())?;
    }
    let names = names_in(folder);
    for oldest in names.iter().take(names.len().saturating_sub(MAX_RECORDS)) {
        files::remove_durable(oldest)?;
    }
    Ok(())
}

/// The records that can be read, oldest first.
pub(crate) fn records(folder: &Path) -> Vec<Refusal> {
    let bytes = names_in(folder).into_iter().filter_map(|path| files::read_regular(&path, MAX_RECORD_SIZE).ok()?);
    bytes.filter_map(|bytes| serde_json::from_slice(&bytes).ok()).collect()
}

/// The files of records, oldest first: their names begin with the time.
fn names_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = files.flatten().map(|file| file.path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    paths.sort();
    paths
}

/// A time that can stand in the name of a file.
fn compact(time: Timestamp) -> String {
    time.to_rfc3339().replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(time: u64) -> Refusal {
        Refusal::new(Timestamp(time), "https://log.example".into(), &Rejection::NoRelease, None)
    }

    #[test]
    fn records_are_read_back_in_order_of_time() {
        let dir = tempfile::tempdir().unwrap();
        for time in [20, 10, 20] {
            record(dir.path(), &refusal(time)).unwrap();
        }
        assert_eq!(records(dir.path()), [refusal(10), refusal(20), refusal(20)]);
        assert!(dir.path().join("19700101T000020Z-no-release-2.json").exists());
        fs::write(dir.path().join("19700101T000000Z-x.json"), b"{").unwrap();
        assert_eq!(records(dir.path()).len(), 3, "what is no record is passed over");
    }

    #[test]
    fn the_oldest_records_make_room() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..MAX_RECORDS {
            fs::write(dir.path().join(format!("19700101T00-{number:04}.json")), b"").unwrap();
        }
        record(dir.path(), &refusal(1_000_000_000)).unwrap();
        assert_eq!(names_in(dir.path()).len(), MAX_RECORDS);
        assert_eq!(records(dir.path()), [refusal(1_000_000_000)]);
        assert!(!dir.path().join("19700101T00-0000.json").exists());
    }
}
