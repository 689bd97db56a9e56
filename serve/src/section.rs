//! The part of a server's configuration file that is about HTTP.

use crate::client::Clients;
use crate::gate::Rates;
use crate::settings::{Limits, Settings};
use crate::tls::{Tls, TlsError, TlsFiles};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::Path;

/// A table of a configuration file. What is left out has its usual value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Section {
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// Where the address of a client is known from.
    pub clients: Clients,
    /// Certificate and key.
    pub tls: Option<TlsFiles>,
    /// What connections may cost.
    pub limits: Limits,
    /// How often one client may ask; what is left out in it has no limit.
    pub rates: Option<Rates>,
}

impl Section {
    /// The settings that it asks for, with these rates if it names none. Paths are relative to `folder`.
    pub fn settings(&self, folder: &Path, usual: Rates) -> Result<Settings, TlsError> {
        let inside =
            |files: &TlsFiles| TlsFiles { certificate: folder.join(&files.certificate), key: folder.join(&files.key) };
        let tls = self.tls.as_ref().map(|files| Tls::open(inside(files))).transpose()?;
        let settings = Settings::new(self.rates.unwrap_or(usual));
        Ok(Settings { limits: self.limits, clients: self.clients, tls, ..settings })
    }
}
