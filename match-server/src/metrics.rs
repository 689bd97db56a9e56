//! What is counted, in the text format of Prometheus. Nothing of it tells pictures or people apart.

use crate::shelf::Lists;
use isonomy_core::time::Timestamp;
use isonomy_matcher::{Answer, Verdict};
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: AtomicU64,
    refused: AtomicU64,
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

    pub(crate) fn refused(&self) {
        add(&self.refused, 1);
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
        add(&self.hashing_microseconds, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
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
        counter("refused_total", "Requests that were refused.", &[("", read(&self.refused))]);
        counter(
            "answers_total",
            "Answers, one for each list that was asked.",
            &[
                ("{verdict=\"matched\"}", read(&self.matched)),
                ("{verdict=\"not-matched\"}", read(&self.not_matched)),
                ("{verdict=\"not-covered\"}", read(&self.not_covered)),
            ],
        );
        counter("uploads_total", "Files that were hashed.", &[("", read(&self.uploads))]);
        counter("hashing_microseconds_total", "Time that took.", &[("", read(&self.hashing_microseconds))]);
        counter("swaps_total", "Times that a list was put in force.", &[("", read(&self.swaps))]);
        counter(
            "failed_looks_total",
            "Times that a list's folder could not be read.",
            &[("", read(&self.failed_looks))],
        );
        for (name, help) in [
            ("version", "Version of a list in force."),
            ("entries", "Its entries."),
            ("usable", "1 unless it has expired."),
        ] {
            let _ = writeln!(text, "# HELP isonomy_match_list_{name} {help}\n# TYPE isonomy_match_list_{name} gauge");
            for matcher in lists.iter() {
                let list = matcher.list();
                let value = match name {
                    "version" => list.version(),
                    "entries" => matcher.index().len() as u64,
                    _ => u64::from(list.freshness(now).is_usable()),
                };
                let _ = writeln!(text, "isonomy_match_list_{name}{{list=\"{}\"}} {value}", list.name());
            }
        }
        text
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
