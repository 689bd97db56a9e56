//! What stands before every request: the limits of its client, and the count of what was asked.

use crate::client::{Client, Clients};
use crate::meter::{Kind, Meter};
use crate::rate::{Limiter, Rate};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often one client may ask; a kind that is not named has no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// Of `GET` and `HEAD`.
    pub reads: Option<Rate>,
    /// Of everything else.
    pub writes: Option<Rate>,
}

impl Rates {
    /// As often as it likes: for a server that strangers don't reach.
    pub const UNLIMITED: Self = Self { reads: None, writes: None };
}

#[derive(Debug)]
pub(crate) struct Gate {
    clients: Clients,
    reads: Option<Limiter>,
    writes: Option<Limiter>,
    meter: Arc<Meter>,
}

impl Gate {
    pub(crate) fn new(clients: Clients, rates: Rates, meter: Arc<Meter>) -> Self {
        let (reads, writes) = (rates.reads.map(Limiter::new), rates.writes.map(Limiter::new));
        Self { clients, reads, writes, meter }
    }

    /// Whether a request may pass; how long its client has to wait, if not.
    pub(crate) fn admit(&self, kind: Kind, peer: IpAddr, headers: &HeaderMap) -> Result<(), Duration> {
        let limiter = match kind {
            Kind::Read => &self.reads,
            Kind::Write => &self.writes,
        };
        match limiter {
            None => Ok(()),
            Some(limiter) => {
                let verdict = limiter.take(Client::of(peer, headers, self.clients));
                verdict.inspect_err(|_| self.meter.count_limited())
            }
        }
    }

    /// Counts what was answered, and how long it took.
    pub(crate) fn count(&self, kind: Kind, status: StatusCode, started: Instant) {
        self.meter.count(kind, status, started.elapsed());
    }
}

impl Kind {
    pub(crate) fn of(method: &Method) -> Self {
        if matches!(*method, Method::GET | Method::HEAD) { Self::Read } else { Self::Write }
    }
}

/// What a client is told that has to wait.
pub(crate) fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let headers = [
        (header::RETRY_AFTER, HeaderValue::from(seconds)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::TOO_MANY_REQUESTS, headers, "too many requests from your address; wait as long as Retry-After says\n")
        .into_response()
}

/// What a client is told that names no host.
pub(crate) fn no_host() -> Response {
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::BAD_REQUEST, headers, "a request of HTTP/1.1 names its host\n").into_response()
}
