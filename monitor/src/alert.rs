//! Telling somebody of what is new: by mail, by a program that is run, by a server that is told.
//!
//! A program gets this on its standard input, a server as the body of a POST; a mail says the same in words:
//!
//! ```text
//! { "monitor": "isonomy/alert/v1", "log": "log.example/demo", "made": "…", "findings": [ … ] }
//! ```
//!
//! A finding is new when it comes, comes again after it had passed, or becomes graver; what was told before a restart is
//! not told again. What could not be told waits in a file, for each way by itself, and is tried again, at
//! first after half a minute, in the end every hour. Telling is bounded in time and runs beside the looks at the log, so
//! that a mail server that is down or slow holds nothing up.

mod mail;
mod outbox;
mod program;

pub use mail::{Mail, MailConfigError, MailError, MailSection, Security};
pub use outbox::MAX_WAITING;
pub(crate) use outbox::{Outbox, Told, deliver};

use crate::finding::{Finding, Severity};
use isonomy_core::time::Timestamp;
use isonomy_fetch::{FetchError, notify};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::{JoinError, spawn_blocking};

/// The form of what is told.
pub const FORMAT: &str = "isonomy/alert/v1";
/// How long telling may take, by each way.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whom to tell, and from which severity on.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// A program that is run, with the document on its standard input.
    pub command: Option<PathBuf>,
    /// A URL to which the document is posted.
    pub webhook: Option<String>,
    /// To whom mail is sent, and how.
    pub mail: Option<Mail>,
    /// The least grave that is told.
    pub from: Severity,
}

/// A way of telling.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// A program.
    Command,
    /// A server that is told.
    Webhook,
    /// Mail.
    Mail,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Command => "the program",
            Self::Webhook => "the webhook",
            Self::Mail => "mail",
        })
    }
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
    /// The mail could not be sent.
    #[error("the mail could not be sent: {0}")]
    Mail(#[from] MailError),
    /// It took too long.
    #[error("{0} could not be told within a minute")]
    TooSlow(Way),
    /// A thread has died.
    #[error("a part of the monitor has panicked; its message is before this one")]
    Panicked(#[from] JoinError),
}

/// What somebody is told at once: findings about one log.
#[derive(Debug)]
pub(crate) struct Telling<'t> {
    pub(crate) log: &'t str,
    pub(crate) made: Timestamp,
    pub(crate) findings: &'t [Finding],
}

impl Telling<'_> {
    fn document(&self) -> Vec<u8> {
        let Self { log, made, findings } = self;
        let document = json!({ "monitor": FORMAT, "log": log, "made": made, "findings": findings });
        // Findings hold strings and numbers alone, so that encoding can't fail.
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

impl Alerts {
    /// Every way that is configured.
    pub(crate) fn ways(&self) -> impl Iterator<Item = Way> {
        let all = [
            (Way::Command, self.command.is_some()),
            (Way::Webhook, self.webhook.is_some()),
            (Way::Mail, self.mail.is_some()),
        ];
        all.into_iter().filter_map(|(way, is_used)| is_used.then_some(way))
    }

    /// Tells by one way; within [`PATIENCE`].
    pub(crate) async fn tell(&self, way: Way, telling: &Telling<'_>) -> Result<(), AlertError> {
        let told = tokio::time::timeout(PATIENCE, self.tell_by(way, telling));
        told.await.unwrap_or(Err(AlertError::TooSlow(way)))
    }

    async fn tell_by(&self, way: Way, telling: &Telling<'_>) -> Result<(), AlertError> {
        match way {
            Way::Command => {
                let Some(path) = self.command.clone() else { return Ok(()) };
                let document = telling.document();
                spawn_blocking(move || program::run(path, &document, PATIENCE)).await?
            }
            Way::Webhook => match &self.webhook {
                Some(url) => Ok(notify(url, telling.document()).await?),
                None => Ok(()),
            },
            Way::Mail => match &self.mail {
                Some(mail) => Ok(mail.send(telling).await?),
                None => Ok(()),
            },
        }
    }
}
