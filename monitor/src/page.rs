//! The report as one page. Everything in it that comes from outside is escaped by construction. It loads nothing, needs
//! no script, suits a narrow screen, and follows the reader's choice of light or dark.

mod lists;
mod plain;
mod words;

use crate::finding::{Finding, Severity};
use crate::report::{Report, SourceReport, Summary, ViewState, WitnessReport};
use crate::units;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The one style sheet.
pub(crate) const STYLE: &str = include_str!("page/style.css");

/// How many findings are on the page; all are in the report.
const SHOWN: usize = 200;

/// The page of a report.
pub(crate) fn render(report: &Report) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title(report)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#findings" { "To the findings" }
                (head(report))
                main {
                    (findings(report))
                    (log(report))
                    @for (at, list) in report.lists.iter().enumerate() { (lists::section(at, list, report.made)) }
                }
                (foot())
            }
        }
    }
}

fn title(report: &Report) -> String {
    let Summary { breaches, warnings, .. } = report.summary;
    let found = match (breaches, warnings) {
        (0, 0) => "no breach".to_owned(),
        (0, _) => units::count(warnings, "warning", "warnings"),
        _ => units::count(breaches, "breach", "breaches"),
    };
    format!("{}: {found}", report.log.origin)
}

fn head(report: &Report) -> Markup {
    html! {
        header {
            p class="over" { "Isonomy monitor" }
            h1 { (report.log.origin) }
            (status(report))
            nav aria-label="Contents" {
                ul {
                    li { a href="#findings" { "Findings" } }
                    li { a href="#log" { "The log" } }
                    @for (at, list) in report.lists.iter().enumerate() {
                        li { a href={ "#list-" (at) } { (list.name) } }
                    }
                }
            }
        }
    }
}

fn status(report: &Report) -> Markup {
    let Summary { breaches, warnings, .. } = report.summary;
    let looked = report.log.witnessed.is_some();
    let (class, words) = match (breaches, warnings) {
        (0, 0) if looked => ("good", "No breach found, nothing to look into".to_owned()),
        (0, 0) => ("notice", "Nothing was read yet".to_owned()),
        (0, _) => ("warning", format!("No breach found, {} to look into", units::count(warnings, "thing", "things"))),
        _ => ("breach", units::count(breaches, "breach of the rules", "breaches of the rules")),
    };
    html! {
        div class={ "status " (class) } role="status" {
            strong { (words) }
            p class="small" { "As of " (words::time(report.made)) ", by this monitor’s clock" }
        }
    }
}

fn findings(report: &Report) -> Markup {
    let (standing, past): (Vec<&Finding>, Vec<&Finding>) = report.findings.iter().partition(|found| found.standing);
    html! {
        section aria-labelledby="findings" {
            h2 id="findings" { "Findings" }
            @if standing.is_empty() { p { "None stands." } }
            @for found in standing.iter().take(SHOWN) { (finding(found)) }
            @if standing.len() > SHOWN || report.findings_omitted > 0 {
                p { "There are more; " a href="report.json" { "report.json" } " has all that there is room for." }
            }
            @if !past.is_empty() {
                details {
                    summary { (units::count(past.len(), "past observation", "past observations")) }
                    @for found in past.iter().take(SHOWN) { (finding(found)) }
                }
            }
        }
    }
}

fn finding(found: &Finding) -> Markup {
    let kind = match found.severity {
        Severity::Breach => "Breach",
        Severity::Warning => "Warning",
        Severity::Notice => "Notice",
    };
    html! {
        article class="finding" {
            p {
                span class={ "mark " (found.severity) } { (kind) } " "
                @if let Some(rule) = &found.rule { "Rule " (rule.number) ", " (rule.name) " · " }
                code { (found.code) }
            }
            p { (plain::plain(&found.words)) }
            dl class="small" {
                @if !found.answerable.is_empty() {
                    dt { "Responsible" }
                    dd { ul class="plain" { @for who in &found.answerable { li { (who.name) ", " (who.role) @if who.key != who.name { ", key " code { (who.key) } } } } } }
                }
                @if let Some(statement) = &found.statement {
                    dt { "Statement" }
                    dd { code { (statement) } @if let Some(index) = found.index { ", entry " (index) } }
                }
                @if let Some(evidence) = &found.evidence {
                    dt { "Evidence" }
                    dd { a href={ "evidence/" (evidence) ".json" } { "evidence file" } ", to be checked by "
                        code { "isonomy evidence verify" } ", offline" }
                }
                dt { "Seen" }
                dd { @if found.first_seen == found.last_seen { (words::time(found.first_seen)) }
                    @else { (words::time(found.first_seen)) " to " (words::time(found.last_seen)) } }
            }
        }
    }
}

fn log(report: &Report) -> Markup {
    let log = &report.log;
    html! {
        section aria-labelledby="log" {
            h2 id="log" { "The log" }
            dl {
                dt { "Origin" }
                dd { (log.origin) }
                dt { "Entries" }
                dd { (units::number(log.size.0)) @if log.read != log.size.0 { ", of which " (units::number(log.read)) " were read" } }
                dt { "Newest checkpoint" }
                dd {
                    @match log.witnessed {
                        Some(time) => { "witnessed " (words::time(time)) ", " (units::duration(report.made.since(time))) " before this look" }
                        None => "none yet",
                    }
                }
                @if let Some(root) = &log.root { dt { "Root" } dd { code { (root) } } }
                dt { "Key" }
                dd { code { (log.key) } }
                dt { "To show two histories" }
                dd { (split(log.witnesses_to_split)) }
            }
            h3 { "Seen from" }
            (views(report.sources.iter().map(View::of_source), "Vantage point", "Witnessed"))
            h3 { "Witnesses" }
            (views(report.witnesses.iter().map(View::of_witness), "Witness", "Cosigned"))
        }
    }
}

fn split(witnesses: usize) -> String {
    match witnesses {
        0 => "the log would need the help of no witness: the quorum is too weak".to_owned(),
        _ => format!("the log would need the help of at least {}", units::count(witnesses, "witness", "witnesses")),
    }
}

/// A row of the two tables of views.
struct View<'r> {
    name: &'r str,
    address: Option<&'r str>,
    state: ViewState,
    size: Option<u64>,
    time: Option<isonomy_core::time::Timestamp>,
    words: Option<&'r str>,
}

impl<'r> View<'r> {
    fn of_source(source: &'r SourceReport) -> Self {
        Self {
            name: &source.name,
            address: None,
            state: source.state,
            size: source.size.map(|size| size.0),
            time: source.witnessed,
            words: source.words.as_deref(),
        }
    }

    fn of_witness(witness: &'r WitnessReport) -> Self {
        Self {
            name: &witness.name,
            address: witness.url.as_deref(),
            state: witness.state,
            size: witness.size.map(|size| size.0),
            time: witness.cosigned,
            words: witness.words.as_deref(),
        }
    }
}

fn views<'r>(views: impl Iterator<Item = View<'r>>, who: &str, when: &str) -> Markup {
    html! {
        table role="table" {
            thead role="rowgroup" { tr role="row" {
                @for title in [who, "View", "Entries", when] { th role="columnheader" scope="col" { (title) } }
            } }
            tbody role="rowgroup" { @for view in views { (view_row(&view, who, when)) } }
        }
    }
}

fn view_row(view: &View<'_>, who: &str, when: &str) -> Markup {
    let (state, class) = words::view(view.state);
    html! {
        tr role="row" {
            td role="cell" data-label=(who) {
                div { (view.name) }
                @if let Some(address) = view.address { div class="small soft" { (address) } }
            }
            td role="cell" data-label="View" {
                div { span class={ "mark " (class) } { (state) } }
                @if let Some(words) = view.words { div class="small" { (plain::plain(words)) } }
            }
            td role="cell" data-label="Entries" { @match view.size { Some(size) => (units::number(size)), None => "–" } }
            td role="cell" data-label=(when) { @match view.time { Some(time) => (words::time(time)), None => "–" } }
        }
    }
}

fn foot() -> Markup {
    html! {
        footer class="small" {
            p {
                "This page shows what the log, its witnesses and the statements in it say, checked by the same rules that every "
                "client goes by. A breach is proven by signatures. Everything else is an observation and may have an innocent cause."
            }
            p {
                "It can’t show whether the entries are right: a hash does not show its picture. It sets no cookies, runs no "
                "script and keeps no record of visitors. " a href="report.json" { "The same as data" } "."
            }
        }
    }
}
