//! The configuration file of a monitor, in TOML. Its template explains every field; a test holds that it names them all.
//!
//! Only the form is judged here. Policies and passwords are in files of their own, which whoever starts the monitor reads.

use crate::alert::MailSection;
use crate::finding::Severity;
use isonomy_serve::{Logging, Section};
use serde::Deserialize;
use std::path::PathBuf;

/// A configuration that explains itself, and needs no change but the policy's log and witnesses.
pub const TEMPLATE: &str = include_str!("config/template.toml");

/// The most bytes of a configuration.
pub const MAX_CONFIG_SIZE: usize = 256 * 1024;

/// A configuration file. Its paths are relative to the folder in which it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// The data folder.
    pub data: PathBuf,
    /// How many seconds it waits from one look at a log to the next.
    #[serde(default = "usual_wait")]
    pub every: u64,
    /// What is followed.
    #[serde(rename = "log")]
    pub logs: Vec<LogSection>,
    /// Whom to tell of what is new.
    #[serde(default)]
    pub alerts: AlertSection,
    /// Where and how the page is served.
    #[serde(default)]
    pub http: Section,
    /// What the monitor says of itself; for whoever starts it.
    #[serde(default)]
    pub logging: Logging,
}

fn usual_wait() -> u64 {
    60
}

/// A log, or several with the same witnesses and quorum.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSection {
    /// Log, witnesses and quorum.
    pub policy: PathBuf,
    /// Further vantage points: URLs of mirrors, or folders.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Tokens for lists whose contents are not for everybody.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// A folder of files that no list may match.
    #[serde(default)]
    pub canaries: Option<PathBuf>,
    /// How many entries are followed at one look.
    #[serde(default = "usual_growth")]
    pub max_new_entries: u64,
}

fn usual_growth() -> u64 {
    crate::MAX_NEW_ENTRIES
}

/// Whom to tell.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertSection {
    /// The least grave that is told.
    pub from: Severity,
    /// A program that is run.
    pub command: Option<PathBuf>,
    /// A URL to which is posted.
    pub webhook: Option<String>,
    /// Mail.
    pub mail: Option<MailSection>,
}

impl Default for AlertSection {
    fn default() -> Self {
        Self { from: Severity::Warning, command: None, webhook: None, mail: None }
    }
}

impl ConfigFile {
    /// Parses the text of a file; the error says where it is wrong.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Security;
    use isonomy_serve::Limits;

    #[test]
    fn the_template_is_a_configuration_and_shows_the_values_that_count_if_left_out() {
        let line = |line: &str| match line.strip_prefix('#') {
            Some(value) if !value.starts_with(' ') => value.to_owned(),
            _ => line.to_owned(),
        };
        let in_force = TEMPLATE.lines().map(line).collect::<Vec<_>>().join("\n");
        let (template, shown) = (ConfigFile::parse(TEMPLATE).unwrap(), ConfigFile::parse(&in_force).unwrap());
        assert_eq!(shown.http.listen, Some("127.0.0.1:7330".parse().unwrap()));
        let AlertSection { from, command, webhook, mail } = &shown.alerts;
        assert_eq!(*from, AlertSection::default().from);
        assert!(command.is_some() && webhook.is_some() && shown.http.tls.is_some());
        let mail = mail.as_ref().unwrap();
        assert_eq!(mail.security, Security::default());
        assert!(mail.user.is_some() && mail.password_file.is_some() && mail.certificates.is_some());
        let first = &shown.logs[0];
        assert!(!first.sources.is_empty() && first.token_file.is_some() && first.canaries.is_some());
        assert_eq!(shown.logs.len(), 2);
        let http = Section { tls: None, listen: None, ..shown.http.clone() };
        let logs = vec![LogSection { sources: vec![], token_file: None, canaries: None, ..shown.logs[0].clone() }];
        assert_eq!(ConfigFile { alerts: AlertSection::default(), http, logs, ..shown }, template);
        assert_eq!(template.http.limits, Limits::default());
        assert_eq!(template.http.rates, Some(crate::RATES));
    }

    #[test]
    fn what_is_mistyped_is_named_with_its_line() {
        for (from, to, named) in [
            ("#every = 60", "evry = 60", "evry"),
            ("#from = \"warning\"", "from = \"grave\"", "grave"),
            ("#security = \"tls\"", "security = \"plain\"", "plain"),
            ("policy = \"trust.policy\"", "policies = \"trust.policy\"", "policies"),
        ] {
            let text = TEMPLATE.replace(from, to).replace("#[alerts.mail]", "[alerts.mail]");
            let text = text
                .replace("#server =", "server =")
                .replace("#from = \"Monitor", "from = \"Monitor")
                .replace("#to =", "to =");
            let error = ConfigFile::parse(&text).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("line"), "{error}");
        }
    }
}
