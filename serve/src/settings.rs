//! What an operator can set of a server's connections.

use crate::client::Clients;
use crate::gate::Rates;
use crate::meter::Meter;
use crate::tls::Tls;
use serde::{Deserialize, Deserializer};
use std::sync::Arc;
use std::time::Duration;

/// What connections may cost. In a configuration, times are in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How many there may be at once; more have to wait.
    pub connections: usize,
    /// How many one client may have; more are closed at once. Does not apply behind a proxy, which is one client.
    pub connections_per_client: usize,
    /// How long a client may take to send the headers of a request, counted from the answer before it; and to agree on TLS.
    #[serde(deserialize_with = "seconds")]
    pub headers: Duration,
    /// How many headers a request may have.
    pub header_count: usize,
    /// How long a client may take to accept what is ready to be sent to it, or the next 256 KiB of it.
    #[serde(deserialize_with = "seconds")]
    pub drain: Duration,
    /// How long a connection that is closed goes on taking what the client still sends, so that it can read the answer.
    #[serde(deserialize_with = "seconds")]
    pub linger: Duration,
    /// How long requests that are under way may go on when the server stops.
    #[serde(deserialize_with = "seconds")]
    pub stop: Duration,
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    // Nobody waits for longer than a day, and no longer time is added to now.
    let seconds = u64::deserialize(deserializer)?;
    if (1..=86_400).contains(&seconds) {
        return Ok(Duration::from_secs(seconds));
    }
    Err(serde::de::Error::custom("a time is a number of seconds from 1 to 86400"))
}

/// A process may open 1024 files on many systems, and a connection may need two: itself and a file that is sent over it. One
/// client gets a quarter at most, so that no single one keeps all others out.
impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connections: 384,
            connections_per_client: 96,
            headers: seconds(30),
            header_count: 64,
            drain: seconds(60),
            linger: seconds(2),
            stop: seconds(10),
        }
    }
}

/// How a server serves.
#[derive(Clone)]
pub struct Settings {
    /// What connections may cost.
    pub limits: Limits,
    /// How often one client may ask.
    pub rates: Rates,
    /// Where the address of a client is known from.
    pub clients: Clients,
    /// TLS, unless a proxy in front speaks it.
    pub tls: Option<Tls>,
    /// Where connections and requests are counted.
    pub meter: Arc<Meter>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { limits, rates, clients, tls, .. } = self;
        write!(f, "Settings({limits:?}, {rates:?}, {clients:?}, TLS: {})", tls.is_some())
    }
}

impl Settings {
    /// The usual limits of connections, and these rates. There are no usual rates: what is much for one server is little
    /// for another, so whoever starts one has to say.
    pub fn new(rates: Rates) -> Self {
        let (limits, clients) = (Limits::default(), Clients::default());
        Self { limits, rates, clients, tls: None, meter: Arc::default() }
    }
}
