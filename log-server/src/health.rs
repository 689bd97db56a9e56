//! Whether the server does what it is for, and numbers about it.

use crate::http::Surface;
use crate::state::{now, published_size};
use crate::witnesses::WitnessState;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use isonomy_core::rules::MAX_CLOCK_AHEAD;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// After how many times the interval between republications the published checkpoint is too old.
const LATE: u32 = 3;
/// How old it may be in any case: witnesses may be slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the server is judged.
#[derive(Debug)]
pub(crate) struct Health {
    started: Instant,
    oldest: Duration,
}

impl Health {
    pub(crate) fn new(republish_every: Duration) -> Self {
        Self { started: Instant::now(), oldest: republish_every.saturating_mul(LATE).max(PATIENCE) }
    }

    /// What an operator should look at, though the log does what it is for.
    fn warnings(&self, surface: &Surface) -> Vec<String> {
        let failing = |state: &WitnessState| {
            let (name, count, failure) = (&state.name, state.failures, state.failure.as_ref()?);
            Some(format!("the witness {name} has failed {count} times in a row; the last time: {failure}"))
        };
        let clock = |state: &WitnessState| {
            let seconds = state.clock_ahead.filter(|seconds| seconds.unsigned_abs() > MAX_CLOCK_AHEAD)?;
            let count = seconds.unsigned_abs();
            Some(match seconds > 0 {
                true => format!(
                    "the clock of the witness {} is {count} s ahead of this machine's: its cosignatures do not count",
                    state.name
                ),
                false => format!("the clock of the witness {} is {count} s behind this machine's", state.name),
            })
        };
        surface.shared.witnesses.states().iter().flat_map(|state| [clock(state), failing(state)]).flatten().collect()
    }

    /// What is wrong, for an operator or a load balancer; nothing of it is secret.
    fn complaints(&self, surface: &Surface) -> Vec<String> {
        let mut complaints: Vec<String> = surface.shared.witnesses.contradiction().into_iter().collect();
        match surface.shared.published.borrow().as_ref().map(|published| now().since(published.times.latest)) {
            None if surface.shared.witnesses.rounds_in_vain() == 0 => complaints
                .push("the server has just started, and asks its witnesses; nothing new is taken up before".to_owned()),
            None => complaints.push(format!(
                "no checkpoint has been published since the start {} s ago: too few witnesses have cosigned what is there, and \
                 nothing new is taken up before",
                self.started.elapsed().as_secs()
            )),
            Some(age) if age > self.oldest.as_secs() => complaints.push(format!(
                "the published checkpoint is {age} s old, more than {} s: too few witnesses answer",
                self.oldest.as_secs()
            )),
            Some(_) => {}
        }
        if surface.queue.capacity() == 0 {
            complaints
                .push("the queue of submissions is full: statements come faster than they are published".to_owned());
        }
        if *surface.stop.borrow() {
            complaints.push("the server is stopping".to_owned());
        }
        complaints
    }
}

/// `GET /healthz`.
pub(crate) async fn healthz(State(surface): State<Surface>) -> Response {
    let complaints = surface.health.complaints(&surface);
    let (status, mut lines) = match complaints.is_empty() {
        true => (StatusCode::OK, vec!["ok".to_owned()]),
        false => (StatusCode::SERVICE_UNAVAILABLE, complaints),
    };
    lines.extend(surface.health.warnings(&surface).iter().map(|warning| format!("warning: {warning}")));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, lines.join("\n") + "\n").into_response()
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(surface): State<Surface>) -> Response {
    let shared = &surface.shared;
    let published = shared.newest_published();
    let age = published.as_ref().map_or(f64::NAN, |published| now().since(published.times.latest) as f64);
    let complaints = surface.health.complaints(&surface).len();
    let mut registry = Registry::with_prefix("isonomy");
    for (name, help, value) in [
        ("healthy", "1 if /healthz has no complaint, else 0", u64::from(complaints == 0)),
        ("log_size", "Entries in the committed tree", shared.log.size().0),
        ("published_size", "Entries in the newest published tree", published_size(&published).0),
        ("unseen_statements", "Statements that no published checkpoint covers yet", shared.unseen().len() as u64),
        ("pending_releases", "Admitted releases that wait for objects", shared.pending.len() as u64),
        ("queue_free", "Submissions that can still be taken", surface.queue.capacity() as u64),
        ("queue_capacity", "Submissions that can be taken in all", surface.queue.max_capacity() as u64),
    ] {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    }
    let gauge: Gauge<f64, AtomicU64> = Gauge::default();
    gauge.set(age);
    registry.register("checkpoint_age_seconds", "Seconds since the time that witnesses vouch for", gauge);
    shared.figures.register(&mut registry);
    register_witnesses(&mut registry, &surface);
    surface.meter.answer(&registry)
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfWitness {
    witness: String,
}

fn register_witnesses(registry: &mut Registry, surface: &Surface) {
    let [failures, size, clock]: [Family<OfWitness, Gauge>; 3] = Default::default();
    let latency = Family::<OfWitness, Gauge<f64, AtomicU64>>::default();
    for state in surface.shared.witnesses.states() {
        let label = OfWitness { witness: state.name };
        failures.get_or_create(&label).set(state.failures.into());
        if let Some(ahead) = state.clock_ahead {
            clock.get_or_create(&label).set(ahead);
        }
        if let Some(took) = state.latency {
            latency.get_or_create(&label).set(took.as_secs_f64());
        }
        let cosigned = state.cosigned.map_or(0, |(size, _)| size.0);
        size.get_or_create(&label).set(i64::try_from(cosigned).unwrap_or(i64::MAX));
    }
    registry.register("witness_failures", "How often a witness has failed in a row", failures);
    registry.register("witness_latency_seconds", "How long a witness took for its last answer", latency);
    registry.register("witness_cosigned_size", "Entries in the last checkpoint that a witness cosigned", size);
    let help = "Seconds by which the clock of a witness was ahead of this machine's; behind, if below 0";
    registry.register("witness_clock_ahead_seconds", help, clock);
}
