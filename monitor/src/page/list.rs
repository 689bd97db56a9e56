//! A list: what it may be used for, who answers for it, how it grew, how its charter changed, what came of complaints.

mod history;
mod releases;
mod terms;

use super::findings::finding;
use super::overview::{freshness, newest_usable};
use super::{Base, Page, Place, chart, words};
use crate::finding::Finding;
use crate::report::{CharterReport, ListReport, ReleaseReport, Report};
use crate::units;
use history::{attestations, editions, removals};
use isonomy_core::charter::PurposeCode;
use maud::{Markup, html};
use releases::{objects, releases};
use terms::{curators, joined, legal_case, organisation, terms};

/// How many findings are on the page.
const FINDINGS: usize = 20;

/// The page of a list.
pub(crate) fn list(list: &ListReport, report: &Report, base: &Base) -> Markup {
    let charter = &list.charter;
    let newest = newest_usable(list);
    let data = format!("{base}/list/{}.json", list.name);
    let body = html! {
        h1 { (list.name) }
        (lead(charter))
        (now(list, newest, report))
        (found(list, report, base))
        section aria-labelledby="terms" {
            h2 id="terms" { "What it may be used for" }
            p class="soft" { "Edition " (charter.edition) " of its charter, by " (organisation(&charter.maintainer)) ". Clients refuse a release that exceeds its limits or lacks its signers; what the list is used for, and where, they compare with what their own policy names, and with nothing else." }
            (terms(charter))
        }
        section aria-labelledby="curators" { h2 id="curators" { "Who must agree" } (curators(list)) }
        section aria-labelledby="releases" {
            h2 id="releases" { "Releases" }
            @if !list.releases.is_empty() {
                div class="charts" {
                    (chart::growth("growth", &list.releases))
                    (chart::churn("churn", &list.releases))
                }
            }
            (releases(list, base))
            (objects(&list.objects))
        }
        section aria-labelledby="editions" {
            h2 id="editions" { "History of the charter" }
            (editions(&list.editions, report.made, base))
        }
        section aria-labelledby="removal" { h2 id="removal" { "Complaints and removals" } (removals(list, base)) }
        section aria-labelledby="attestations" { h2 id="attestations" { "What auditors attest" } (attestations(list, base)) }
        section aria-labelledby="record" { h2 id="record" { "The legal case" } (legal_case(charter)) }
    };
    let title = format!("{} · {}", list.name, report.log.origin);
    Page { place: Place::List, title: &title, base, origin: &report.log.origin, data: Some(&data), body }.render()
}

/// What the list is, in a sentence or two.
fn lead(charter: &CharterReport) -> Markup {
    let places = joined(&charter.jurisdictions, |code| words::jurisdiction(code.as_str()));
    html! {
        p class="lead" {
            "This list is for: " strong { @match charter.purpose {
                PurposeCode::Other => (charter.definition.trim_end_matches('.')),
                purpose => (words::purpose_in_sentence(purpose)),
            } } ". "
            "A match may lead to this at most: " strong { (words::action_in_sentence(charter.action)) } ". "
            "It may be used on " (and(&charter.surfaces, |surface| words::surface(*surface).to_owned())) " in " (places) "."
        }
    }
}

/// Things joined by commas, and the last by "and".
fn and<T>(items: &[T], word: impl Fn(&T) -> String) -> String {
    let words: Vec<String> = items.iter().map(word).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn now(list: &ListReport, newest: Option<&ReleaseReport>, report: &Report) -> Markup {
    let Some(release) = newest else { return html! { p { "There is no release of it yet." } } };
    html! {
        dl class="cards" {
            div { dt { "Version" } dd { strong { (release.version) } " " (freshness(newest, report)) } }
            div { dt { "Entries" } dd { strong { (units::number(release.entries)) } } }
            div { dt { "Endorsed by" } dd { strong { (release.endorsed_by.len()) } " of " (list.charter.curators.len()) " curators" } }
            div { dt { "Valid until" } dd { (words::time(release.expires)) } }
            div class="wide" {
                dt { "Comparison code" }
                dd { span class="code" { (release.comparison_code) } }
                dd class="small soft" { "Whoever uses this version sees the same digits. If somebody sees others, compare again; if they still differ, bring the checkpoint that they were given to /view." }
            }
        }
    }
}

fn found(list: &ListReport, report: &Report, base: &Base) -> Markup {
    let about =
        |found: &&Finding| found.standing && found.list.as_ref().is_some_and(|name| name.to_string() == list.name);
    let found: Vec<&Finding> = report.findings.iter().filter(about).take(FINDINGS).collect();
    html! {
        @if !found.is_empty() {
            section aria-labelledby="findings" {
                h2 id="findings" { "Findings" }
                @for found in found { (finding(found, "h3", base)) }
            }
        }
    }
}
