//! The pages about all logs, where several are followed.

use super::findings::finding;
use super::overview::{lists, status, witnessed};
use super::{Base, Page, Place, cell, mark, table, words};
use crate::finding::{Finding, of_each_list};
use crate::report::{Report, Summary};
use crate::units;
use isonomy_core::time::Timestamp;
use maud::{Markup, html};

/// How many findings of each log are on the page.
const SHOWN: usize = 50;

/// A log's report with where its pages are.
pub(crate) type OfLog<'r> = (&'r Base, &'r Report);

/// The first page: is anything wrong at any log, and which lists are there?
pub(crate) fn all_logs(logs: &[OfLog<'_>]) -> Markup {
    let total = total(logs);
    let body = html! {
        h1 { "All logs" }
        p class="lead" {
            "Programs on phones and servers compare pictures with lists of hashes. Here everybody can see which lists these "
            "logs hold, what each may be used for, who answers for it, and whether anybody has broken the rules."
        }
        (status(total, logs.iter().any(|(_, report)| report.log.witnessed.is_some()), latest_look(logs)))
        section aria-labelledby="logs" {
            h2 id="logs" { "Logs" }
            (overview_of(logs))
        }
        @for (at, (base, report)) in logs.iter().enumerate() {
            section aria-labelledby={ "lists-" (at) } {
                h2 id={ "lists-" (at) } { "Lists in " (report.log.origin) }
                @if report.log.witnessed.is_none() { p { "Nothing of this log was read yet." } }
                @else if report.lists.is_empty() { p { "The log holds no list yet." } }
                @else { (lists(report, base)) }
            }
        }
    };
    let title = format!(
        "{}: {}, {}",
        units::count(logs.len(), "log", "logs"),
        units::count(total.breaches, "breach", "breaches"),
        units::count(total.warnings, "warning", "warnings")
    );
    Page { place: Place::Overview, title: &title, base: &Base::All, origin: "", data: Some("/logs.json"), body }
        .render()
}

fn total(logs: &[OfLog<'_>]) -> Summary {
    let sum = |count: fn(&Summary) -> usize| logs.iter().map(|(_, report)| count(&report.summary)).sum();
    Summary { breaches: sum(|of| of.breaches), warnings: sum(|of| of.warnings), notices: sum(|of| of.notices) }
}

/// The least recent of the latest looks: everything here is at least as new.
fn latest_look(logs: &[OfLog<'_>]) -> Timestamp {
    logs.iter().map(|(_, report)| report.made).min().unwrap_or_default()
}

fn overview_of(logs: &[OfLog<'_>]) -> Markup {
    let rows: Vec<Markup> = logs.iter().map(|(base, report)| row(base, report)).collect();
    table("Every log that is followed", &["Log", "Entries", "Lists", "Witnessed", "State", "Findings"], &rows)
}

fn row(base: &Base, report: &Report) -> Markup {
    let log = &report.log;
    let Summary { breaches, warnings, notices } = report.summary;
    let counts = [
        ("breach", breaches, "breach", "breaches"),
        ("warning", warnings, "warning", "warnings"),
        ("notice", notices, "notice", "notices"),
    ];
    html! {
        th role="rowheader" scope="row" data-label="Log" { div { a href=(base.home()) { (log.origin) } } }
        (cell("Entries", units::number(log.size.0)))
        (cell("Lists", units::number(report.lists.len() as u64)))
        (cell("Witnessed", witnessed(report)))
        (cell("State", state(report)))
        (cell("Findings", html! {
            @if breaches + warnings + notices == 0 { "none" }
            @for (class, count, one, many) in counts {
                @if count > 0 { div { a href={ (base) "/findings" } { (mark(class, &units::count(count, one, many))) } } }
            }
        }))
    }
}

fn state(report: &Report) -> Markup {
    match report.age() {
        None => mark("notice", "not read yet"),
        Some(age) if age <= report.log.too_old_after => mark("good", "fresh"),
        Some(_) => mark("warning", "stale"),
    }
}

/// What stands at every log.
pub(crate) fn all_findings(logs: &[OfLog<'_>]) -> Markup {
    let body = html! {
        h1 { "Findings at all logs" }
        p class="lead" {
            "A " (mark("breach", "Breach")) " is proven: by the entry in the log itself, or by an evidence file that anybody can check "
            "offline, with the log’s and witnesses’ keys alone. " (mark("warning", "Warning")) " and " (mark("notice", "Notice"))
            " are dated observations, not accusations."
        }
        @for (at, (base, report)) in logs.iter().enumerate() {
            section aria-labelledby={ "log-" (at) } {
                h2 id={ "log-" (at) } { (report.log.origin) }
                (standing(base, report))
            }
        }
    };
    Page {
        place: Place::Findings,
        title: "Findings at all logs",
        base: &Base::All,
        origin: "",
        data: Some("/findings.json"),
        body,
    }
    .render()
}

fn standing(base: &Base, report: &Report) -> Markup {
    let standing: Vec<&Finding> = report.findings.iter().filter(|found| found.standing).collect();
    html! {
        p class="soft" { "As of " (words::time(report.made)) ". " a href={ (base) "/findings" } { "Past ones, too" } "." }
        @if standing.is_empty() { p { "None stands." } }
        @for found in of_each_list(standing.clone(), &report.list_names(), SHOWN) { (finding(found, "h3", base)) }
        @if standing.len() > SHOWN { p { a href={ (base) "/findings" } { "All " (units::number(standing.len() as u64)) } } }
    }
}

/// For which log is a file to be checked?
pub(crate) fn verify_which(logs: &[OfLog<'_>]) -> Markup {
    let body = html! {
        h1 { "Verify a file" }
        p class="lead" {
            "Check a receipt, a proof, a bundle or a piece of evidence on your own machine. Whom to trust differs from log to log: "
            "choose the log that the file is about. Its name stands in the file."
        }
        ul { @for (base, report) in logs { li { a href={ (base) "/verify" } { (report.log.origin) } } } }
    };
    Page { place: Place::Verify, title: "Verify a file", base: &Base::All, origin: "", data: None, body }.render()
}
