//! Every page and every piece of data that a report gives, made once per look, so that a request costs no more than its
//! bytes.

use crate::feed;
use crate::page;
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
    pub(crate) fn new(report: &Report) -> Self {
        let report = Arc::new(report.clone());
        let mut answers = BTreeMap::from([
            ("/".to_owned(), html(page::overview(&report))),
            ("/findings".to_owned(), html(page::findings(&report))),
            ("/log".to_owned(), html(page::log(&report))),
            ("/verify".to_owned(), html(page::verify(&report))),
            ("/verify.js".to_owned(), (Media::Script, Bytes::from_static(page::SCRIPT.as_bytes()))),
            ("/openapi.json".to_owned(), (Media::Json, Bytes::from_static(OPENAPI.as_bytes()))),
            ("/findings.atom".to_owned(), (Media::Atom, Bytes::from(feed::feed(&report)))),
            ("/report.json".to_owned(), json(&*report)),
            ("/log.json".to_owned(), json(&log(&report))),
            ("/findings.json".to_owned(), json(&findings(&report))),
        ]);
        for list in &report.lists {
            answers.insert(format!("/list/{}", list.name), html(page::list(list, &report)));
            answers.insert(format!("/list/{}.json", list.name), json(list));
        }
        Self { report, answers }
    }

    /// The answer at this path.
    pub(crate) fn answer(&self, path: &str) -> Option<(Media, Bytes)> {
        self.answers.get(path).cloned()
    }
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
