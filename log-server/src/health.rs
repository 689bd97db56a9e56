//! Whether the server does what it is for, and numbers about it.

use crate::clock::Doubt;
use crate::http::Surface;
use crate::state::{now, published_size};
use crate::witnesses::WitnessState;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use isonomy_core::policy::Policy;
use isonomy_core::rules::{MAX_CLOCK_AHEAD, MAX_CLOCK_DIFFERENCE};
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
        let states = surface.shared.witnesses.states();
        let of_witnesses = clocks(&states).into_iter().chain(states.iter().filter_map(failing));
        let unknown = surface.shared.access.unknown(&surface.shared.histories().known).len();
        let endings = surface.shared.histories().endings.messages();
        let lasting = weak_quorum(&surface.shared.policy).into_iter().chain(unknown_lists(unknown)).chain(endings);
        let passing =
            clock_in_doubt(surface.shared.clock.doubt()).into_iter().chain(awaiting(surface.shared.awaiting_dates()));
        of_witnesses.chain(passing).chain(lasting).collect()
    }

    /// What is wrong, for an operator or a load balancer; nothing of it is secret.
    fn complaints(&self, surface: &Surface) -> Vec<String> {
        let mut complaints: Vec<String> = surface.shared.witnesses.contradiction().into_iter().collect();
        let published = surface.shared.published.borrow().clone();
        match published.map(|published| (now().since(published.times.latest), published.at.elapsed())) {
            None if surface.shared.witnesses.rounds_in_vain() == 0 => complaints
                .push("the server has just started, and asks its witnesses; nothing new is taken up before".to_owned()),
            None if surface.shared.awaiting_dates().is_some() => complaints.push(format!(
                "no checkpoint has been published since the start {} s ago: later dates of the witnesses are waited for, and nothing \
                 new is taken up before",
                self.started.elapsed().as_secs()
            )),
            None => complaints.push(format!(
                "no checkpoint has been published since the start {} s ago: too few witnesses have cosigned what is there, and \
                 nothing new is taken up before",
                self.started.elapsed().as_secs()
            )),
            Some((age, since)) => complaints.extend(staleness(age, since, self.oldest)),
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

/// What to look at where clocks differ by more than clocks that are set should. If all witnesses that have answered say the same of
/// this machine's, it is that one.
fn clocks(states: &[WitnessState]) -> Vec<String> {
    let known: Vec<(&str, i64)> = states.iter().filter_map(|state| Some((&*state.name, state.clock_ahead?))).collect();
    let is_off = |(_, ahead): &(&str, i64)| ahead.unsigned_abs() > MAX_CLOCK_AHEAD;
    let ahead = known.iter().map(|(_, ahead)| *ahead);
    if let (Some(least), Some(most)) = (ahead.clone().min(), ahead.max())
        && known.len() > 1
        && known.iter().all(is_off)
        && least.signum() == most.signum()
    {
        let (few, many) =
            (least.unsigned_abs().min(most.unsigned_abs()), least.unsigned_abs().max(most.unsigned_abs()));
        let (is, other, what) = match least > 0 {
            true => ("behind", "ahead of", "; their cosignatures do not count"),
            false => ("ahead", "behind", ""),
        };
        let by = if few == many { few.to_string() } else { format!("{few} to {many}") };
        return vec![format!(
            "the clocks of all {} witnesses that have answered are {by} s {other} this machine's{what}: it will be this \
             machine's clock that is {is}, so set it",
            known.len()
        )];
    }
    let one = |(name, ahead): &(&str, i64)| match (*ahead > 0, ahead.unsigned_abs()) {
        (true, count) => {
            format!(
                "the clock of the witness {name} is {count} s ahead of this machine's: its cosignatures do not count"
            )
        }
        (false, count) => format!("the clock of the witness {name} is {count} s behind this machine's"),
    };
    known.iter().filter(|known| is_off(known)).map(one).collect()
}

/// What is wrong with a quorum that doesn't keep the log from showing two histories.
pub(crate) fn weak_quorum(policy: &Policy) -> Option<String> {
    (policy.weak_split() == 0).then(|| {
        "two groups that have no witness in common satisfy the quorum, so the log could show two people two histories without any \
         witness doing wrong: ask for more than half of them"
            .to_owned()
    })
}

/// What to look at while what is committed is not published, since the witnesses' clocks were set back.
fn awaiting(waited: Option<Duration>) -> Option<String> {
    let seconds = waited?.as_secs();
    Some(format!(
        "nothing is published since {seconds} s because the witnesses' clocks were set back: by their dates something that was admitted \
         would break a rule, so later dates are waited for, {MAX_CLOCK_DIFFERENCE} s at most"
    ))
}

/// What to look at where this machine's clocks have moved apart.
fn clock_in_doubt(doubt: Option<Doubt>) -> Option<String> {
    let seconds = doubt?.seconds();
    Some(format!(
        "this machine's clock was set by {seconds} s, or the machine stood still for that long: until a quorum of the witnesses has \
         answered, nothing new is taken up"
    ))
}

/// What to look at, if so many names in the configuration of access are of no list. Which ones is in the server's log: they need
/// not be for everybody.
fn unknown_lists(count: usize) -> Option<String> {
    (count > 0).then(|| {
        format!(
            "this log has no list for {count} of the names in `access`: they may be mistyped, and the lists that they mean open"
        )
    })
}

/// What is wrong with a checkpoint whose witnesses' time is `age` seconds before what this machine's clock shows, and that was
/// published so long ago. The second is measured by a clock that nobody sets: one that was set back makes any checkpoint young.
fn staleness(age: u64, since: Duration, oldest: Duration) -> Option<String> {
    let (since, oldest) = (since.as_secs(), oldest.as_secs());
    if since > oldest {
        return Some(format!(
            "nothing has been published for {since} s, more than {oldest} s: too few witnesses cosign, or this machine's clock or \
             theirs is wrong"
        ));
    }
    (age > oldest)
        .then(|| format!("the published checkpoint is {age} s old, more than {oldest} s: too few witnesses answer"))
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
    let since = shared.published.borrow().clone().map(|published| published.at.elapsed());
    let since = since.unwrap_or_else(|| surface.health.started.elapsed()).as_secs_f64();
    let complaints = surface.health.complaints(&surface).len();
    let mut registry = Registry::with_prefix("isonomy");
    for (name, help, value) in [
        ("healthy", "1 if /healthz has no complaint, else 0", u64::from(complaints == 0)),
        ("log_size", "Entries in the committed tree", shared.log.size().0),
        ("published_size", "Entries in the newest published tree", published_size(&published).0),
        ("unseen_statements", "Statements that no published checkpoint covers yet", shared.unseen().len() as u64),
        ("pending_releases", "Admitted releases that wait for objects", shared.pending.len() as u64),
        (
            "rounds_in_vain",
            "Rounds in a row in which too few witnesses cosigned for a checkpoint to be published",
            shared.witnesses.rounds_in_vain(),
        ),
        ("ended_lists", "Lists of which something is left out for good", shared.histories().endings.lists() as u64),
        (
            "clock_in_doubt",
            "1 while this machine's clocks have moved apart, else 0",
            shared.clock.doubt().is_some().into(),
        ),
        (
            "awaits_later_dates",
            "1 while nothing is published since the witnesses' clocks were set back, and later dates are waited for, else 0",
            shared.awaiting_dates().is_some().into(),
        ),
        ("queue_free", "Submissions that can still be taken", surface.queue.capacity() as u64),
        ("queue_capacity", "Submissions that can be taken in all", surface.queue.max_capacity() as u64),
    ] {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    }
    for (name, help, value) in [
        ("checkpoint_age_seconds", "Seconds since the time that witnesses vouch for, by this machine's clock", age),
        (
            "seconds_since_publication",
            "Seconds since something was published, or since the start if nothing was since; no matter what the clock shows",
            since,
        ),
    ] {
        let gauge: Gauge<f64, AtomicU64> = Gauge::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_all_witnesses_differ_alike_it_is_this_machine_s_clock() {
        let said = |clocks: &[Option<i64>]| {
            let state = |ahead: &Option<i64>| WitnessState::with_clock("w", *ahead);
            super::clocks(&clocks.iter().map(state).collect::<Vec<_>>())
        };
        let off = MAX_CLOCK_AHEAD as i64 + 1;
        for (clocks, expected) in [
            (vec![Some(0), Some(-off)], vec!["behind this machine's"]),
            (vec![Some(-off), None], vec!["of the witness w is"]),
            (vec![Some(-off), Some(off)], vec!["behind this machine's", "ahead of this machine's"]),
            (vec![Some(-off), Some(-off - 9), None], vec!["of all 2 witnesses that have answered"]),
        ] {
            let said = said(&clocks);
            assert_eq!(said.len(), expected.len(), "{said:?}");
            assert!(said.iter().zip(expected).all(|(said, expected)| said.contains(expected)), "{said:?}");
        }
        assert!(
            said(&[Some(-off), Some(-off)])[0].ends_with("it will be this machine's clock that is ahead, so set it")
        );
        let slow = &said(&[Some(off), Some(off)])[0];
        assert!(slow.contains("do not count") && slow.contains("clock that is behind, so set it"), "{slow}");
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_hide_that_nothing_is_published() {
        let (oldest, short, long) = (Duration::from_secs(60), Duration::from_secs(60), Duration::from_secs(61));
        assert_eq!(staleness(60, short, oldest), None);
        assert!(staleness(61, short, oldest).unwrap().contains("is 61 s old"));
        // As when the clock shows a time before the witnesses'.
        assert!(staleness(0, long, oldest).unwrap().contains("nothing has been published for 61 s"));
    }
}
