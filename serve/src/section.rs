//! The part of a server's configuration file that is about HTTP.

use crate::client::Clients;
use crate::gate::Rates;
use crate::settings::{Limits, Settings};
use crate::tls::{Tls, TlsError, TlsFiles};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::Path;

/// A table of a configuration file. What is left out has the value of [`Settings::default`].
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
    /// How often one client may ask.
    pub rates: Rates,
}

impl Section {
    /// The settings that it asks for. Paths are relative to `folder`.
    pub fn settings(&self, folder: &Path) -> Result<Settings, TlsError> {
        let inside =
            |files: &TlsFiles| TlsFiles { certificate: folder.join(&files.certificate), key: folder.join(&files.key) };
        let tls = self.tls.as_ref().map(|files| Tls::open(inside(files))).transpose()?;
        Ok(Settings { limits: self.limits, rates: self.rates, clients: self.clients, tls, ..Settings::default() })
    }
}
