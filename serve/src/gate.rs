//! What stands before every request: the limits of its client, and the count of what was asked.

use crate::client::{Client, Clients};
use crate::meter::Meter;
use crate::rate::{Limiter, Rate};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
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

    fn admit(&self, request: &Request) -> Result<(), Duration> {
        let limiter = if is_read(request.method()) { &self.reads } else { &self.writes };
        match (limiter, Client::of(request, self.clients)) {
            (Some(limiter), Some(client)) => limiter.take(client),
            _ => Ok(()),
        }
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Lets a request pass, or tells its client to wait.
pub(crate) async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let (started, is_read) = (Instant::now(), is_read(request.method()));
    let response = match gate.admit(&request) {
        Ok(()) => next.run(request).await,
        Err(wait) => {
            gate.meter.count_limited();
            too_many(wait)
        }
    };
    gate.meter.count(is_read, response.status(), started.elapsed());
    response
}

fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let headers = [
        (header::RETRY_AFTER, HeaderValue::from(seconds)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::TOO_MANY_REQUESTS, headers, "too many requests from your address; wait as long as Retry-After says\n")
        .into_response()
}
