//! The configuration file of a witness, in TOML. Its template explains every field; a test holds that it names them all.

use isonomy_serve::{Logging, Section};
use serde::Deserialize;
use std::path::PathBuf;

/// A configuration that explains itself.
pub const TEMPLATE: &str = include_str!("config/template.toml");

/// The most bytes of a configuration.
pub const MAX_CONFIG_SIZE: usize = 256 * 1024;

/// A configuration file. What it names is read by whoever starts the witness.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// The witness's private key. Like all paths, relative to the folder of the file.
    pub key: PathBuf,
    /// The data folder.
    pub data: PathBuf,
    /// The logs to be cosigned, as a C2SP tlog-policy.
    pub logs: PathBuf,
    /// Where and how to listen.
    #[serde(default)]
    pub http: Section,
    /// What the server says of itself; for whoever starts it.
    #[serde(default)]
    pub logging: Logging,
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
    use isonomy_serve::Limits;

    #[test]
    fn the_template_is_a_configuration_and_shows_the_values_that_count_if_left_out() {
        let line = |line: &str| match line.strip_prefix('#') {
            Some(value) if !value.starts_with(' ') => value.to_owned(),
            _ => line.to_owned(),
        };
        let in_force = TEMPLATE.lines().map(line).collect::<Vec<_>>().join("\n");
        let (template, shown) = (ConfigFile::parse(TEMPLATE).unwrap(), ConfigFile::parse(&in_force).unwrap());
        assert_eq!(shown.http.listen, Some("127.0.0.1:7320".parse().unwrap()));
        assert!(shown.http.tls.is_some());
        assert_eq!((template.http.rates, shown.http.rates), (None, Some(RATES)));
        let http = Section { tls: None, listen: None, rates: None, ..shown.http.clone() };
        assert_eq!(ConfigFile { http, ..shown }, template);
        assert_eq!(template.http.limits, Limits::default());
        assert!(ConfigFile::parse(&TEMPLATE.replace("data =", "date =")).is_err());
    }
}
