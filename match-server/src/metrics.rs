//! What is counted, in the text format of Prometheus. Nothing of it tells pictures or people apart.

use crate::shelf::Lists;
use isonomy_core::time::Timestamp;
use isonomy_matcher::{Answer, Verdict};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The times by which requests are counted, in seconds: a lookup takes less than the first, a video up to the last.
const SECONDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 45.0];

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: AtomicU64,
    refused: Mutex<BTreeMap<&'static str, u64>>,
    /// How many took no longer than each of [`SECONDS`], and longer; and the sum of all.
    within: [AtomicU64; SECONDS.len() + 1],
    request_microseconds: AtomicU64,
    matched: AtomicU64,
    not_matched: AtomicU64,
    not_covered: AtomicU64,
    uploads: AtomicU64,
    hashing_microseconds: AtomicU64,
    swaps: AtomicU64,
    failed_looks: AtomicU64,
}

impl Metrics {
    pub(crate) fn request(&self) {
        add(&self.requests, 1);
    }

    pub(crate) fn refused(&self, code: &'static str) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    /// How long a request took, until the head of its answer.
    pub(crate) fn took(&self, time: Duration) {
        let place = SECONDS.iter().position(|most| time.as_secs_f64() <= *most).unwrap_or(SECONDS.len());
        add(&self.within[place], 1);
        add(&self.request_microseconds, microseconds(time));
    }

    pub(crate) fn answered(&self, answer: &Answer) {
        add(
            match answer.verdict {
                Verdict::Matched(_) => &self.matched,
                Verdict::NotMatched => &self.not_matched,
                Verdict::NotCovered(_) => &self.not_covered,
            },
            1,
        );
    }

    pub(crate) fn hashed(&self, took: Duration) {
        add(&self.uploads, 1);
        add(&self.hashing_microseconds, microseconds(took));
    }

    pub(crate) fn swapped(&self) {
        add(&self.swaps, 1);
    }

    pub(crate) fn look_failed(&self) {
        add(&self.failed_looks, 1);
    }

    /// All, with what is in force at `now`.
    pub(crate) fn text(&self, lists: &Lists, now: Timestamp) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut text = String::new();
        let mut counter = |name: &str, help: &str, samples: &[(&str, u64)]| {
            let _ = writeln!(text, "# HELP isonomy_match_{name} {help}\n# TYPE isonomy_match_{name} counter");
            for (labels, value) in samples {
                let _ = writeln!(text, "isonomy_match_{name}{labels} {value}");
            }
        };
        counter("requests_total", "Requests.", &[("", read(&self.requests))]);
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refused: Vec<(String, u64)> =
            refused.into_iter().map(|(code, count)| (format!("{{code=\"{code}\"}}"), count)).collect();
        let refused: Vec<(&str, u64)> = refused.iter().map(|(labels, count)| (labels.as_str(), *count)).collect();
        counter("refused_total", "Requests that were refused, by the code that they were told.", &refused);
        counter(
            "answers_total",
            "Answers, one for each list that was asked.",
            &[
                ("{verdict=\"matched\"}", read(&self.matched)),
                ("{verdict=\"not-matched\"}", read(&self.not_matched)),
                ("{verdict=\"not-covered\"}", read(&self.not_covered)),
            ],
        );
        counter("uploads_total", "Files that were hashed, or given up.", &[("", read(&self.uploads))]);
        counter("hashing_microseconds_total", "Time that took.", &[("", read(&self.hashing_microseconds))]);
        counter("swaps_total", "Times that a list was put in force.", &[("", read(&self.swaps))]);
        counter(
            "failed_looks_total",
            "Times that a list's folder could not be read, or had nothing newer than what is in force.",
            &[("", read(&self.failed_looks))],
        );
        self.write_seconds(&mut text);
        for (name, help) in [
            ("version", "Version of a list in force."),
            ("entries", "Its entries."),
            ("usable", "1 unless it has expired."),
            ("halted", "1 if its client updates it no more, since the log showed two histories."),
        ] {
            let _ = writeln!(text, "# HELP isonomy_match_list_{name} {help}\n# TYPE isonomy_match_list_{name} gauge");
            for matcher in lists.iter() {
                let list = matcher.list();
                let value = match name {
                    "version" => list.version(),
                    "entries" => matcher.index().len() as u64,
                    "halted" => u64::from(lists.halted(list.name()).is_some()),
                    _ => u64::from(list.freshness(now).is_usable()),
                };
                let _ = writeln!(text, "isonomy_match_list_{name}{{list=\"{}\"}} {value}", list.name());
            }
        }
        text
    }

    fn write_seconds(&self, text: &mut String) {
        let name = "request_seconds";
        let name = format!("isonomy_match_{name}");
        let _ = writeln!(text, "# HELP {name} Time until the head of an answer.\n# TYPE {name} histogram");
        let mut count = 0;
        let bounds = SECONDS.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
        for (bound, within) in bounds.zip(&self.within) {
            count += within.load(Ordering::Relaxed);
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {count}");
        }
        let sum = self.request_microseconds.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(text, "{name}_sum {sum}\n{name}_count {count}");
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
