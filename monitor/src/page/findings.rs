//! What was found.

use super::plain::prose;
use super::{Base, Page, Place, mark, words};
use crate::finding::{Finding, Severity, of_each_list};
use crate::report::Report;
use crate::units;
use maud::{Markup, PreEscaped, html};

/// How many findings are on the page; all are in the data.
const SHOWN: usize = 200;

/// The page of findings.
pub(crate) fn findings(report: &Report, base: &Base) -> Markup {
    let (standing, past): (Vec<&Finding>, Vec<&Finding>) = report.findings.iter().partition(|found| found.standing);
    let body = html! {
        h1 { "Findings" }
        p class="lead" {
            "A " (mark("breach", "Breach")) " is proven: by the entry in the log itself, or by an evidence file that anybody can check "
            "offline, with the log’s and witnesses’ keys alone. " (mark("warning", "Warning")) " and " (mark("notice", "Notice"))
            " are dated observations, not accusations."
        }
        section aria-labelledby="standing" {
            h2 id="standing" { "Standing" }
            @if standing.is_empty() { p { "None." } }
            @for found in of_each_list(standing.clone(), &report.list_names(), SHOWN) { (finding(found, "h3", base)) }
            @if standing.len() > SHOWN || report.findings_omitted > 0 {
                p { "There are more; the " a href={ (base) "/findings.json" } { "data" } " has all that there is room for." }
            }
        }
        @if !past.is_empty() {
            section aria-labelledby="past" {
                h2 id="past" { "Past" }
                p class="soft" { "Seen earlier, and not at the last look." }
                details {
                    summary { (units::count(past.len(), "past observation", "past observations")) }
                    @for found in past.iter().take(SHOWN) { (finding(found, "h3", base)) }
                }
            }
        }
    };
    let title = format!("Findings · {}", report.log.origin);
    let data = format!("{base}/findings.json");
    Page { place: Place::Findings, title: &title, base, origin: &report.log.origin, data: Some(&data), body }.render()
}

pub(super) fn kind(severity: Severity) -> &'static str {
    match severity {
        Severity::Breach => "Breach",
        Severity::Warning => "Warning",
        Severity::Notice => "Notice",
    }
}

/// One finding, under a heading of this level.
pub(super) fn finding(found: &Finding, heading: &str, base: &Base) -> Markup {
    html! {
        article class="finding" id=(base.anchor(found)) {
            (PreEscaped(format!("<{heading}>")))
            (mark(&found.severity.to_string(), kind(found.severity))) " "
            (words::title(&found.code))
            (PreEscaped(format!("</{heading}>")))
            p { (prose(&found.words)) }
            (details(found, base))
        }
    }
}

fn details(found: &Finding, base: &Base) -> Markup {
    html! {
        dl class="small" {
            @if !found.answerable.is_empty() {
                dt { "Responsible" }
                dd { ul class="plain" { @for who in &found.answerable {
                    li { (who) }
                } } }
            }
            @if let Some(list) = &found.list { dt { "List" } dd { a href={ (base) "/list/" (list) } { (list) } } }
            @if let (Some(index), Some(statement)) = (found.index, &found.statement) {
                dt { "Statement" }
                dd { a href={ (base) "/entry/" (index) } { "entry " (index) } ", " code { (statement) } }
            } @else if let Some(index) = found.index {
                dt { "Entry" }
                dd { a href={ (base) "/entry/" (index) } { (index) } }
            }
            @if let Some(evidence) = &found.evidence {
                dt { "Evidence" }
                dd {
                    a href={ (base) "/evidence/" (evidence) ".json" } download { "Download the evidence file" } ", then check it "
                    // What may hold whole lists, the page does not read.
                    @if found.code != "content-broken" { a href={ (base) "/verify" } { "in your browser" } " or " }
                    "by " code { "isonomy evidence verify" } ", offline"
                }
            }
            @if let Some(rule) = &found.rule { dt { "Rule" } dd { (rule.number) ", " (rule.name) } }
            dt { "Seen" }
            dd {
                @if found.first_seen.0 / 60 == found.last_seen.0 / 60 { (words::time(found.first_seen)) }
                @else { (words::time(found.first_seen)) " to " (words::time(found.last_seen)) }
            }
            dt { "Code" }
            dd { code { (found.code) } }
        }
    }
}
