//! What a server counts of its connections and requests, for Prometheus. Nothing about who asks for what.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::fmt;
use std::time::Duration;

/// The form in which metrics are written: OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether a request reads or writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, EncodeLabelValue)]
pub(crate) enum Kind {
    /// `GET` and `HEAD`.
    Read,
    /// Everything else.
    Write,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Answered {
    kind: Kind,
    status: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ByKind {
    kind: Kind,
}

/// Counts connections and requests.
pub struct Meter {
    registry: Registry,
    answered: Family<Answered, Counter>,
    seconds: Family<ByKind, Histogram>,
    /// Those of reads that succeed, which are nearly all: at hand, not to be looked up.
    read: Counter,
    read_seconds: Histogram,
    limited: Counter,
    connections: Gauge,
    most_connections: Gauge,
    waited: Counter,
    closed_idle: Counter,
    turned_away: Counter,
}

impl Default for Meter {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("isonomy_http");
        // From half a millisecond to four minutes: a submission waits for witnesses.
        let histogram: fn() -> Histogram = || Histogram::new(exponential_buckets(0.0005, 2.0, 20));
        let answered = Family::<Answered, Counter>::default();
        let seconds = Family::<ByKind, Histogram>::new_with_constructor(histogram);
        let meter = Self {
            read: answered.get_or_create_owned(&Answered { kind: Kind::Read, status: 200 }),
            read_seconds: seconds.get_or_create_owned(&ByKind { kind: Kind::Read }),
            answered,
            seconds,
            limited: Counter::default(),
            connections: Gauge::default(),
            most_connections: Gauge::default(),
            waited: Counter::default(),
            closed_idle: Counter::default(),
            turned_away: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests answered, by kind and status", meter.answered.clone());
        registry.register("request_seconds", "Seconds until the head of the answer", meter.seconds.clone());
        registry.register("requests_limited", "Requests refused because of their client's rate", meter.limited.clone());
        registry.register("connections", "Connections that are open", meter.connections.clone());
        registry.register("connections_limit", "Connections that there may be", meter.most_connections.clone());
        registry.register(
            "connections_waited",
            "Connections that came when there was no room for another one",
            meter.waited.clone(),
        );
        registry.register(
            "connections_closed_idle",
            "Idle connections that were ended to make room",
            meter.closed_idle.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections beyond what one client may have",
            meter.turned_away.clone(),
        );
        Self { registry, ..meter }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

impl Meter {
    pub(crate) fn count(&self, kind: Kind, status: StatusCode, time: Duration) {
        if kind == Kind::Read && status == StatusCode::OK {
            self.read.inc();
            self.read_seconds.observe(time.as_secs_f64());
            return;
        }
        self.answered.get_or_create(&Answered { kind, status: status.as_u16() }).inc();
        self.seconds.get_or_create(&ByKind { kind }).observe(time.as_secs_f64());
    }

    pub(crate) fn count_limited(&self) {
        self.limited.inc();
    }

    pub(crate) fn count_turned_away(&self) {
        self.turned_away.inc();
    }

    pub(crate) fn count_waited(&self) {
        self.waited.inc();
    }

    pub(crate) fn count_closed_idle(&self) {
        self.closed_idle.inc();
    }

    pub(crate) fn limit_connections(&self, most: usize) {
        self.most_connections.set(i64::try_from(most).unwrap_or(i64::MAX));
    }

    /// Counts a connection as long as what is returned lives.
    pub(crate) fn connected(&self) -> Connected {
        self.connections.inc();
        Connected(self.connections.clone())
    }

    /// The answer to `GET /metrics`: what is counted here, and what the server itself has registered.
    pub fn answer(&self, own: &Registry) -> Response {
        let mut text = String::new();
        let written = encode_registry(&mut text, own)
            .and_then(|()| encode_registry(&mut text, &self.registry))
            .and_then(|()| encode_eof(&mut text));
        if written.is_err() {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (headers, text).into_response()
    }
}

/// A connection that is open.
pub(crate) struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}
