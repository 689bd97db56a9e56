//! Every page and every piece of data that a report gives, made once per look, so that a request costs no more than its
//! bytes.

use crate::feed;
use crate::page::{self, Base};
use crate::report::Report;
use axum::body::Bytes;
use maud::Markup;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What kind of bytes an answer has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Media {
    Html,
    /// A page that is kept, not shown.
    Kept,
    Json,
    Atom,
    Script,
    Text,
    Bytes,
}

/// The answers that a report gives, by path.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) report: Arc<Report>,
    answers: BTreeMap<String, (Media, Bytes)>,
}

/// The description of the data, OpenAPI 3.1.
pub(crate) const OPENAPI: &str = include_str!("openapi.json");

impl Site {
    /// The pages of one log, whose links lead to `base`.
    pub(crate) fn new(report: &Report, base: &Base) -> Self {
        let report = Arc::new(report.clone());
        let mut answers = BTreeMap::from([
            ("/".to_owned(), html(page::overview(&report, base))),
            ("/findings".to_owned(), html(page::findings(&report, base))),
            ("/log".to_owned(), html(page::log(&report, base))),
            ("/verify".to_owned(), html(page::verify(&report, base))),
            ("/verify.html".to_owned(), (Media::Kept, Bytes::from(page::verify_file(&report).into_string()))),
            ("/verify.js".to_owned(), (Media::Script, Bytes::from_static(page::SCRIPT.as_bytes()))),
            ("/openapi.json".to_owned(), (Media::Json, Bytes::from_static(OPENAPI.as_bytes()))),
            ("/findings.atom".to_owned(), (Media::Atom, Bytes::from(feed::feed(&[(base, &report)])))),
            ("/report.json".to_owned(), json(&*report)),
            ("/log.json".to_owned(), json(&log(&report))),
            ("/findings.json".to_owned(), json(&findings(&report))),
        ]);
        for list in &report.lists {
            answers.insert(format!("/list/{}", list.name), html(page::list(list, &report, base)));
            answers.insert(format!("/list/{}.json", list.name), json(list));
        }
        Self { report, answers }
    }

    /// The answer at this path.
    pub(crate) fn answer(&self, path: &str) -> Option<(Media, Bytes)> {
        self.answers.get(path).cloned()
    }
}

/// What is said of all logs at once.
#[derive(Debug)]
pub(crate) struct Overview {
    answers: BTreeMap<&'static str, (Media, Bytes)>,
}

impl Overview {
    /// Of logs by their names, with where their pages are. Where there is one alone, its own pages are the first ones.
    pub(crate) fn new(logs: &[(String, Base, Arc<Report>)]) -> Self {
        let all: Vec<(&Base, &Report)> = logs.iter().map(|(_, base, report)| (base, &**report)).collect();
        let index: Vec<serde_json::Value> =
            logs.iter().map(|(name, base, report)| log_of_all(name, base, report)).collect();
        let mut answers = BTreeMap::from([
            ("/logs.json", json(&json!({ "monitor": "isonomy/monitor-logs/v1", "logs": index }))),
            ("/openapi.json", (Media::Json, Bytes::from_static(OPENAPI.as_bytes()))),
        ]);
        if logs.len() > 1 {
            answers.extend([
                ("/", html(page::all_logs(&all))),
                ("/findings", html(page::all_findings(&all))),
                ("/findings.json", json(&findings_of_all(logs))),
                ("/verify", html(page::verify_which(&all))),
                ("/findings.atom", (Media::Atom, Bytes::from(feed::feed(&all)))),
            ]);
        }
        Self { answers }
    }

    /// The answer at this path.
    pub(crate) fn answer(&self, path: &str) -> Option<(Media, Bytes)> {
        self.answers.get(path).cloned()
    }
}

fn log_of_all(name: &str, base: &Base, report: &Report) -> serde_json::Value {
    let lists: Vec<&str> = report.lists.iter().map(|list| list.name.as_str()).collect();
    json!({
        "name": name,
        "base": base.to_string(),
        "made": report.made,
        "origin": report.log.origin,
        "key": report.log.key,
        "size": report.log.size,
        "read": report.log.read,
        "witnessed": report.log.witnessed,
        "known_as_of": report.log.known_as_of,
        "too_old_after": report.log.too_old_after,
        "summary": report.summary,
        "lists": lists,
    })
}

fn findings_of_all(logs: &[(String, Base, Arc<Report>)]) -> serde_json::Value {
    let of_log = |(name, _, report): &(String, Base, Arc<Report>)| json!({ "name": name, "origin": report.log.origin, "findings": findings(report) });
    let all: Vec<serde_json::Value> = logs.iter().map(of_log).collect();
    json!({ "monitor": "isonomy/monitor-findings/v1", "logs": all })
}

fn html(page: Markup) -> (Media, Bytes) {
    (Media::Html, Bytes::from(page.into_string()))
}

pub(crate) fn json(value: &impl Serialize) -> (Media, Bytes) {
    // Reports hold strings, numbers and lists alone, so that encoding can't fail.
    (Media::Json, Bytes::from(serde_json::to_vec_pretty(value).unwrap_or_default()))
}

fn log(report: &Report) -> serde_json::Value {
    json!({ "made": report.made, "log": report.log, "sources": report.sources, "witnesses": report.witnesses })
}

fn findings(report: &Report) -> serde_json::Value {
    json!({
        "made": report.made,
        "summary": report.summary,
        "findings": report.findings,
        "findings_omitted": report.findings_omitted,
    })
}
