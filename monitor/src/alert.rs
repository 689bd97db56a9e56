//! Telling somebody of what is new: a program that is run, or a server that is told, with the findings as JSON.
//!
//! ```text
//! { "monitor": "isonomy/alert/v1", "log": "log.example/demo", "made": "…", "findings": [ … ] }
//! ```
//!
//! A finding is new when it comes, comes again after it had passed, or becomes graver; what was told before a restart is
//! not told again. What could not be told is told at the next look. Mail is sent by a program such as `sendmail`, which
//! the operator's machine has and which knows whom to trust.

use crate::finding::{Finding, Severity};
use crate::report::Report;
use isonomy_fetch::{FetchError, notify};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::task::{JoinError, spawn_blocking};

/// The form of what is told.
pub const FORMAT: &str = "isonomy/alert/v1";
/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether a program has ended.
const STEP: Duration = Duration::from_millis(20);

/// Whom to tell, and from which severity on.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// A program that is run, with the document on its standard input.
    pub command: Option<PathBuf>,
    /// A URL to which the document is posted.
    pub webhook: Option<String>,
    /// The least grave that is told.
    pub from: Severity,
}

/// Why somebody could not be told.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The program can't be run.
    #[error("{} can't be run: {error}", path.display())]
    Command {
        /// The program.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The program says that it failed.
    #[error("{} failed: {status}", path.display())]
    Failed {
        /// The program.
        path: PathBuf,
        /// How it ended, in words.
        status: String,
    },
    /// The URL could not be told.
    #[error("the webhook could not be told: {0}")]
    Webhook(#[from] FetchError),
    /// A thread has died.
    #[error("a part of the monitor has panicked; its message is before this one")]
    Panicked(#[from] JoinError),
}

impl Alerts {
    /// Tells of these findings, if any is grave enough.
    pub async fn tell(&self, report: &Report, news: &[Finding]) -> Result<(), AlertError> {
        let findings: Vec<&Finding> = news.iter().filter(|found| found.severity <= self.from).collect();
        if findings.is_empty() {
            return Ok(());
        }
        let document =
            json!({ "monitor": FORMAT, "log": report.log.origin, "made": report.made, "findings": findings });
        let document = serde_json::to_vec(&document).unwrap_or_default();
        if let Some(path) = self.command.clone() {
            let document = document.clone();
            spawn_blocking(move || run(path, &document)).await??;
        }
        if let Some(url) = &self.webhook {
            notify(url, document).await?;
        }
        Ok(())
    }
}

/// Runs a program with `input`, and ends it when it takes too long.
fn run(path: PathBuf, input: &[u8]) -> Result<(), AlertError> {
    let failed = |error| AlertError::Command { path: path.clone(), error };
    let mut child = Command::new(&path).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        // A program that reads nothing must not hold up the monitor: it is fed by a thread, which ends with it.
        std::thread::spawn(move || drop(stdin.write_all(&input)));
    }
    let started = Instant::now();
    loop {
        match child.try_wait().map_err(failed)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(AlertError::Failed { path, status: status.to_string() }),
            None if started.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(AlertError::Failed { path, status: "it did not end in time".to_owned() });
            }
            None => std::thread::sleep(STEP),
        }
    }
}
