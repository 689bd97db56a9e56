//! What a list may be used for, who must agree, and the legal case for it.

use super::super::{cell, table, words};
use crate::report::{CharterReport, ListReport, Organisation};
use crate::units;
use maud::{Markup, html};

pub(super) fn terms(charter: &CharterReport) -> Markup {
    html! {
        dl {
            dt { "Purpose" }
            dd { (words::purpose(charter.purpose)) ". " (charter.definition) }
            @if !charter.exclusions.is_empty() {
                dt { "Never listed" }
                dd { ul class="plain" { @for excluded in &charter.exclusions { li { (excluded) } } } }
            }
            dt { "Victims" }
            dd { (charter.victims) }
            dt { "Self-made images" }
            dd { (charter.self_generated) }
            dt { "Aim" }
            dd { (words::aim(charter.aim)) }
            dt { "A match may lead to" }
            dd { (words::action(charter.action)) }
            @if !charter.recipients.is_empty() {
                dt { "Recipients" }
                dd { (joined(&charter.recipients, String::clone)) }
            }
            dt { "Reach" }
            dd {
                (joined(&charter.jurisdictions, |code| words::jurisdiction(code.as_str()))) "; "
                (joined(&charter.surfaces, |surface| words::surface(*surface).to_owned()))
            }
            dt { "Matching" }
            dd { (matching(charter)) }
            @if !charter.statutes.is_empty() {
                dt { "Law" }
                dd { ul class="plain" { @for law in &charter.statutes { li { (law) } } } }
            }
            dt { "Limits" }
            dd { (limits(charter)) }
            dt { "Redress" }
            dd { (charter.complaints) ". A wrong entry must go within " (units::duration(charter.removal_deadline)) "." }
            dt { "Contact" }
            dd { (charter.contact) }
        }
    }
}

fn matching(charter: &CharterReport) -> Markup {
    html! {
        code { (charter.algorithm) }
        @if charter.max_distance == 0 { ", identical only" }
        @else { ", up to " (charter.max_distance) " bits apart, quality at least " (charter.min_quality) }
    }
}

fn limits(charter: &CharterReport) -> Markup {
    let limits = &charter.limits;
    html! {
        ul class="plain" {
            li { "At most " (units::number(limits.max_entries)) " entries, " (units::number(limits.max_added)) " added per release, "
                (units::duration(limits.min_interval)) " between releases that add" }
            li { "A release is public for " (units::duration(limits.min_visibility)) " before it is used, and valid for at most "
                (units::duration(limits.validity)) }
            li { "Widening the charter takes " (units::duration(limits.notice)) " of public notice" }
        }
    }
}

pub(super) fn curators(list: &ListReport) -> Markup {
    let charter = &list.charter;
    let row = |curator: &Organisation| {
        let of_curator = list.endorsements.iter().find(|endorsed| curator.keys.contains(&endorsed.key));
        let endorsed = of_curator.map_or(0, |endorsed| endorsed.releases);
        let total = usize::try_from(list.releases_total).unwrap_or(usize::MAX);
        html! {
            th role="rowheader" scope="row" data-label="Curator" { div { (curator.name) } }
            (cell("Sits in", words::jurisdiction(curator.jurisdiction.as_str())))
            (cell("Endorsed", format!("{} of {}", units::number(endorsed), units::count(total, "release", "releases"))))
            (cell("Key", html! { @for key in &curator.keys { code { (key.name) } " (" (key.id) ")" } }))
        }
    };
    let rows: Vec<Markup> = charter.curators.iter().map(row).collect();
    html! {
        p { "A release needs the signatures of the maintainer and of " strong { (threshold(charter)) } "." }
        (table("Curators of this list", &["Curator", "Sits in", "Endorsed", "Key"], &rows))
    }
}

fn threshold(charter: &CharterReport) -> String {
    format!(
        "{} of {}, from at least {}",
        charter.threshold,
        units::count(charter.curators.len(), "curator", "curators"),
        units::count(usize::try_from(charter.min_jurisdictions).unwrap_or(usize::MAX), "jurisdiction", "jurisdictions")
    )
}

pub(super) fn legal_case(charter: &CharterReport) -> Markup {
    let answered = charter.record.iter().filter(|field| field.answer.is_some()).count();
    html! {
        p {
            "What the maintainer says for it, and can be held to: " strong { (answered) " of " (charter.record.len()) }
            " questions are answered."
        }
        details {
            summary { "Every question, answered or not" }
            dl { @for field in &charter.record {
                dt { (field.question) }
                dd { @match &field.answer { Some(answer) => (answer), None => span class="soft" { "No answer." } } }
            } }
        }
    }
}

pub(super) fn organisation(organisation: &Organisation) -> Markup {
    html! { (organisation.name) ", " (words::jurisdiction(organisation.jurisdiction.as_str())) }
}

pub(super) fn joined<T>(items: &[T], word: impl Fn(&T) -> String) -> String {
    items.iter().map(word).collect::<Vec<_>>().join(", ")
}
