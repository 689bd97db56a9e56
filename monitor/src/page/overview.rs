//! The first page: is anything wrong, and which lists are there?

use super::findings::finding;
use super::{Base, Page, Place, cell, mark, table, words};
use crate::finding::{Finding, cut, of_each_list};
use crate::report::{ListReport, ReleaseReport, ReleaseState, Report, Summary};
use crate::units;
use isonomy_core::charter::PurposeCode;
use isonomy_core::time::Timestamp;
use maud::{Markup, html};

/// How many findings are on this page.
const SHOWN: usize = 3;

/// How many characters of a definition, or of the name of an organisation, stand in the table of lists.
const IN_TABLE: usize = 160;

/// The first page.
pub(crate) fn overview(report: &Report, base: &Base) -> Markup {
    let body = html! {
        h1 { (report.log.origin) }
        p class="lead" {
            "Programs on phones and servers compare pictures with lists of hashes. Here everybody can see which lists this log "
            "holds, what each may be used for, who answers for it, and whether anybody has broken the rules."
        }
        (status(report.summary, report.log.witnessed.is_some(), report.made))
        section aria-labelledby="lists" {
            h2 id="lists" { "Lists" }
            @if report.lists.is_empty() { p { "No list is known here yet." } }
            @else { (lists(report, base)) }
        }
        (latest(report, base))
        section aria-labelledby="log" {
            h2 id="log" { "The log" }
            p { (log(report)) " " a href={ (base) "/log" } { "More about the log" } "." }
        }
    };
    let title = title(report);
    let data = format!("{base}/report.json");
    Page { place: Place::Overview, title: &title, base, origin: "", data: Some(&data), body }.render()
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

pub(super) fn status(summary: Summary, looked: bool, made: Timestamp) -> Markup {
    let Summary { breaches, warnings, notices } = summary;
    let (class, words) = match (breaches, warnings) {
        (0, 0) if looked && notices > 0 => {
            ("good", format!("No breach found, {} to know of", units::count(notices, "thing", "things")))
        }
        (0, 0) if looked => ("good", "No breach found, nothing to look into".to_owned()),
        (0, 0) => ("notice", "Nothing was read yet".to_owned()),
        (0, _) => ("warning", format!("No breach found, {} to look into", units::count(warnings, "thing", "things"))),
        _ => ("breach", units::count(breaches, "breach of the rules", "breaches of the rules")),
    };
    html! {
        div class={ "status " (class) } role="status" {
            strong { (words) }
            p class="small" { "As of " (words::time(made)) ", by this monitor’s clock" }
        }
    }
}

pub(super) fn lists(report: &Report, base: &Base) -> Markup {
    let rows: Vec<Markup> = report.lists.iter().map(|list| row(list, report, base)).collect();
    let titles = ["List", "A match may lead to", "Entries", "Endorsed by", "Witnessed", "State", "Findings"];
    table("Every list in the log", &titles, &rows)
}

fn row(list: &ListReport, report: &Report, base: &Base) -> Markup {
    let newest = newest_usable(list);
    let about =
        |found: &&Finding| found.standing && found.list.as_ref().is_some_and(|name| name.to_string() == list.name);
    let found: Vec<&Finding> = report.findings.iter().filter(about).collect();
    html! {
        th role="rowheader" scope="row" data-label="List" {
            div { a href={ (base) "/list/" (list.name) } { (list.name) } }
            div class="small" { (purpose(list)) }
            div class="small soft" { "by " (cut(&list.charter.maintainer.name, IN_TABLE)) " (" (list.charter.maintainer.jurisdiction) ")" }
        }
        (cell("A match may lead to", words::action_short(list.charter.action)))
        (cell("Entries", newest.map_or("–".to_owned(), |release| units::number(release.entries))))
        (cell("Endorsed by", endorsed(list, newest)))
        (cell("Witnessed", witnessed(report)))
        (cell("State", freshness(newest, report)))
        (cell("Findings", found_words(&found, base)))
    }
}

/// What the list is for, in a line: where its purpose is none of the usual ones, as its charter defines it.
fn purpose(list: &ListReport) -> String {
    let definition = &list.charter.definition;
    match list.charter.purpose {
        PurposeCode::Other => cut(definition, IN_TABLE),
        purpose => words::purpose(purpose).to_owned(),
    }
}

/// The release that clients use: the newest that may be used, or the newest that ever could.
pub(super) fn newest_usable(list: &ListReport) -> Option<&ReleaseReport> {
    let usable = |release: &&ReleaseReport| release.state != ReleaseState::Pending;
    list.releases.iter().find(usable).or(list.releases.first())
}

fn endorsed(list: &ListReport, newest: Option<&ReleaseReport>) -> Markup {
    let Some(release) = newest else { return html! { "–" } };
    html! {
        @for curator in &release.endorsed_by { div { (cut(&curator.name, IN_TABLE)) " (" (curator.jurisdiction) ")" } }
        div class="small soft" { (release.endorsed_by.len()) " of " (units::count(list.charter.curators.len(), "curator", "curators")) ", " (list.charter.threshold) " needed" }
    }
}

/// Who has cosigned the newest checkpoint, and when.
pub(super) fn witnessed(report: &Report) -> Markup {
    let (cosigned, all) = (&report.log.cosigned, report.witnesses.len());
    html! {
        @for one in cosigned { div { (one.witness) } }
        div class="small soft" {
            (cosigned.len()) " of " (units::count(all, "witness", "witnesses"))
            @if let Some(age) = report.age_words() { ", " (age) }
        }
    }
}

/// Whether clients get what is current.
pub(super) fn freshness(newest: Option<&ReleaseReport>, report: &Report) -> Markup {
    let Some(release) = newest else { return mark("notice", "no release") };
    match (release.state, report.age()) {
        (ReleaseState::Expired, _) => mark("warning", "expired"),
        (ReleaseState::Pending, _) => mark("notice", "waiting"),
        (_, Some(age)) if age <= report.log.too_old_after => mark("good", "fresh"),
        (_, _) => mark("warning", "stale"),
    }
}

fn found_words(found: &[&Finding], base: &Base) -> Markup {
    use crate::finding::Severity;
    let count = |severity| found.iter().filter(|found| found.severity == severity).count();
    let all = [
        (Severity::Breach, "breach", "breaches"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Notice, "notice", "notices"),
    ];
    html! {
        @if found.is_empty() { "none" }
        @for (severity, one, many) in all {
            @if count(severity) > 0 { div { a href={ (base) "/findings" } { (mark(&severity.to_string(), &units::count(count(severity), one, many))) } } }
        }
    }
}

fn latest(report: &Report, base: &Base) -> Markup {
    let standing: Vec<&Finding> = report.findings.iter().filter(|found| found.standing).collect();
    html! {
        section aria-labelledby="findings" {
            h2 id="findings" { "Findings" }
            @if standing.is_empty() { p { "None stands." } }
            @for found in of_each_list(standing.clone(), &report.list_names(), SHOWN) { (finding(found, "h3", base)) }
            p { a href={ (base) "/findings" } {
                @if standing.len() > SHOWN { "All " (units::number(standing.len() as u64)) " that stand, and past ones" }
                @else { "All findings, past ones too" }
            } }
        }
    }
}

fn log(report: &Report) -> Markup {
    let log = &report.log;
    html! {
        @if log.size.0 == 0 { "No entry of it is known here yet. " } @else {
        "It has " (units::count(usize::try_from(log.size.0).unwrap_or(usize::MAX), "entry", "entries")) ", of which this monitor has "
        @if log.read == log.size.0 { "read every one" } @else { "read " (units::number(log.read)) }
        ". "
        }
        (words::split(log.witnesses_to_split)) "."
    }
}
