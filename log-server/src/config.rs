//! The configuration file of a log server, in TOML. Its template explains every field; a test holds that it names them all.
//!
//! Only the form is judged here. Keys and policy are in files of their own, which whoever starts the server reads.

use crate::access::{self, AccessEntry};
use crate::recovery::SeenProofs;
use isonomy_core::note::VerifierKey;
use isonomy_serve::Section;
use serde::Deserialize;
use std::path::PathBuf;

/// A configuration that explains itself, and needs no change but the policy's witnesses.
pub const TEMPLATE: &str = include_str!("config/template.toml");

/// The most bytes of a configuration.
pub const MAX_CONFIG_SIZE: usize = 256 * 1024;

/// A configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// The log's private key. Like all paths, relative to the folder of the file.
    pub key: PathBuf,
    /// Log, witnesses and quorum.
    pub policy: PathBuf,
    /// The data folder.
    pub data: PathBuf,
    /// Maintainer keys that may found lists.
    pub publishers: Vec<VerifierKey>,
    /// Keys whose attestations are taken.
    pub auditors: Vec<VerifierKey>,
    /// After how many seconds an unchanged tree is cosigned and published again.
    #[serde(default = "usual_republish")]
    pub republish: u64,
    /// What is done with seen proofs that the policy does not accept.
    #[serde(default)]
    pub seen_proofs: SeenProofs,
    /// Where and how to listen.
    #[serde(default)]
    pub http: Section,
    /// Lists whose objects are not for everybody.
    #[serde(default, deserialize_with = "access::entries")]
    pub access: Vec<AccessEntry>,
    /// What the server says of itself; for whoever starts it.
    #[serde(default)]
    pub logging: isonomy_serve::Logging,
}

fn usual_republish() -> u64 {
    300
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
    use crate::RATES;
    use isonomy_serve::{Limits, Rates};

    /// The template with every line in force that shows a value.
    fn all_in_force() -> String {
        let line = |line: &str| match line.strip_prefix('#') {
            Some(value) if !value.starts_with(' ') => value.to_owned(),
            _ => line.to_owned(),
        };
        TEMPLATE.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_template_is_a_configuration_and_shows_the_values_that_count_if_left_out() {
        let template = ConfigFile::parse(TEMPLATE).unwrap();
        let shown = ConfigFile::parse(&all_in_force()).unwrap();
        assert!(shown.http.tls.is_some() && shown.access.len() == 1);
        let usual = "127.0.0.1:7310".parse().unwrap();
        assert_eq!((template.http.listen, shown.http.listen), (None, Some(usual)));
        assert_eq!((template.http.rates, shown.http.rates), (None, Some(RATES)));
        let http = Section { tls: None, listen: None, rates: None, ..shown.http.clone() };
        assert_eq!(ConfigFile { access: Vec::new(), http, ..shown }, template);
        assert_eq!(template.http.limits, Limits::default());
    }

    #[test]
    fn rates_are_limited_unless_the_configuration_says_otherwise() {
        let rates = |more: &str| {
            let file = ConfigFile::parse(&format!("{TEMPLATE}\n{more}")).unwrap();
            file.http.settings(std::path::Path::new("."), RATES).unwrap().rates
        };
        assert_eq!(rates(""), RATES);
        assert_eq!(rates("[http.rates]"), Rates::UNLIMITED);
        assert_eq!(rates("[http.rates]\nreads = { per_second = 200, burst = 4000 }"), Rates { writes: None, ..RATES });
    }

    #[test]
    fn what_is_mistyped_is_named_with_its_line() {
        for (from, to, named) in [
            ("publishers = []", "publisher = []", "publisher"),
            ("auditors = []", "auditors = [\"nobody\"]", "auditors"),
            ("#headers = 30", "headers = 0", "headers"),
            ("#clients = \"direct\"", "clients = \"anybody\"", "clients"),
            ("#format = \"text\"", "format = \"xml\"", "format"),
            ("publishers = []", "publishers = []\naccess = [{ list = \"a/b\", tokens = [] }]", "no token"),
        ] {
            let text = TEMPLATE.replace(from, to);
            assert_ne!(text, TEMPLATE);
            let error = ConfigFile::parse(&text).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("line"), "{error}");
        }
    }
}
