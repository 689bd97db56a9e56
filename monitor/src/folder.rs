//! Where what is known of each log is kept: `logs/<name>/` in the data folder, the name made of the log's origin and its
//! key's id.
//!
//! A monitor used to follow one log, and to keep what it knew in the data folder itself. Such a folder is moved to its
//! place before anything else is done: part by part, the log's key last, so that a move that is interrupted goes on at the
//! next start.

use crate::monitor::MonitorError;
use isonomy_core::encoding::to_hex;
use isonomy_core::note::VerifierKey;
use isonomy_store::files::{self, FolderLock};
use std::path::{Path, PathBuf};

/// The file that says whose log a folder is of.
pub(crate) const OWNER: &str = "log";
/// Everything else that stood in the data folder of a monitor of one log.
const PARTS: [&str; 9] = [
    "mirror",
    "checkpoints",
    "evidence",
    "findings.json",
    "findings.damaged",
    "looks.json",
    "canary.journal",
    "content.journal",
    "alerts.json",
];
/// The most characters of an origin that are part of a name.
const MAX_ORIGIN: usize = 64;
/// The most bytes of a key.
const MAX_KEY: usize = 4096;

/// The name of a log's folder, and of its pages.
pub fn name(log: &VerifierKey) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let origin = log.name().chars().take(MAX_ORIGIN).map(|c| if fits(c) { c } else { '_' });
    let origin: String = origin.collect();
    format!("{}-{}", origin.trim_start_matches('.'), to_hex(&log.id().0))
}

/// The folder of one log in a data folder, in which what a monitor of one log has left is moved to its place.
pub fn of_log(data: &Path, log: &VerifierKey) -> Result<PathBuf, MonitorError> {
    adopt(data)?;
    Ok(place(data, log))
}

fn place(data: &Path, log: &VerifierKey) -> PathBuf {
    data.join("logs").join(name(log))
}

/// Moves what a monitor of one log has left to the folder of that log.
fn adopt(data: &Path) -> Result<(), MonitorError> {
    let owner = data.join(OWNER);
    if !owner.is_file() {
        return Ok(());
    }
    let _lock = FolderLock::acquire(data)?;
    let Some(bytes) = files::read_limited(&owner, MAX_KEY)? else { return Ok(()) };
    let key = String::from_utf8(bytes).ok().and_then(|text| VerifierKey::parse(text.trim_end()).ok());
    let key = key.ok_or_else(|| MonitorError::OtherLog { path: data.to_owned() })?;
    let target = place(data, &key);
    files::create_dir_all_durable(&target)?;
    for part in PARTS.into_iter().chain([OWNER]) {
        let from = data.join(part);
        if from.exists() {
            files::rename_durable(&from, &target.join(part))?;
        }
    }
    tracing::warn!(from = %data.display(), to = %target.display(), "what is known of the log was moved to a folder of its own");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::note::{KeyType, SigningKey};

    fn key(name: &str) -> VerifierKey {
        SigningKey::from_seed(name, KeyType::Ed25519, &[7; 32]).unwrap().verifier().clone()
    }

    #[test]
    fn names_are_safe_and_tell_logs_apart() {
        let names: Vec<String> = ["log.example/a", "log.example_a", "../../etc/passwd", &"ü".repeat(300)]
            .map(|origin| name(&key(origin)))
            .into();
        for name in &names {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            assert!(name.chars().all(fits) && !name.starts_with('.') && name.len() <= MAX_ORIGIN + 9, "{name}");
        }
        assert!(names[0].starts_with("log.example_a-") && names[0] != names[1]);
    }

    #[test]
    fn a_folder_of_one_log_is_moved_to_its_place_even_if_that_is_interrupted() {
        let dir = tempfile::tempdir().unwrap();
        let (data, key) = (dir.path(), key("log.example/a"));
        std::fs::create_dir(data.join("mirror")).unwrap();
        for (path, text) in [("mirror/checkpoint", "c"), ("findings.json", "{}"), (OWNER, &key.to_string())] {
            std::fs::write(data.join(path), text).unwrap();
        }
        // It was interrupted after its first part.
        let target = place(data, &key);
        std::fs::create_dir_all(&target).unwrap();
        std::fs::rename(data.join("mirror"), target.join("mirror")).unwrap();
        assert_eq!(of_log(data, &key).unwrap(), target);
        for path in ["mirror/checkpoint", "findings.json", OWNER] {
            assert!(target.join(path).exists() && !data.join(path).exists(), "{path}");
        }
        assert_eq!(of_log(data, &key).unwrap(), target, "once moved, it stays");
    }

    #[test]
    fn a_folder_that_names_no_log_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(OWNER), "another\n").unwrap();
        assert!(matches!(of_log(dir.path(), &key("log.example/a")), Err(MonitorError::OtherLog { .. })));
    }
}
