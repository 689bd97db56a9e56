//! A list: its charter, the editions of that, its releases, what auditors attested.

use super::plain::plain;
use super::words;
use crate::report::{
    AttestationReport, CharterReport, ContentState, EditionReport, ListReport, Organisation, ReleaseReport,
    ReleaseState,
};
use crate::units;
use isonomy_core::time::Timestamp;
use maud::{Markup, html};

/// How many releases are on the page; all are in the report.
const SHOWN: usize = 50;

pub(super) fn section(at: usize, list: &ListReport, now: Timestamp) -> Markup {
    html! {
        section aria-labelledby={ "list-" (at) } {
            h2 id={ "list-" (at) } { (list.name) }
            p class="soft" { "Under edition " (list.charter.edition) " of its charter, by " (organisation(&list.charter.maintainer)) "." }
            (charter(&list.charter))
            h3 { "Releases" }
            (releases(&list.releases))
            h3 { "Editions of the charter" }
            (editions(&list.editions, now))
            @if !list.attestations.is_empty() {
                h3 { "Attestations" }
                (attestations(&list.attestations))
            }
        }
    }
}

fn organisation(organisation: &Organisation) -> Markup {
    html! { (organisation.name) " (" (organisation.jurisdiction) ")" }
}

fn joined<T>(items: &[T], word: impl Fn(&T) -> String) -> String {
    items.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn charter(charter: &CharterReport) -> Markup {
    html! {
        dl {
            dt { "Purpose" }
            dd { (words::purpose(charter.purpose)) ". " (charter.definition) }
            @if !charter.exclusions.is_empty() {
                dt { "Never listed" }
                dd { (joined(&charter.exclusions, String::clone)) }
            }
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
                (joined(&charter.jurisdictions, ToString::to_string)) "; "
                (joined(&charter.surfaces, |surface| words::surface(*surface).to_owned()))
            }
            dt { "Matching" }
            dd { (matching(charter)) }
            @if !charter.statutes.is_empty() {
                dt { "Statutes" }
                dd { ul class="plain" { @for law in &charter.statutes { li { (law) } } } }
            }
            dt { "Curators" }
            dd { ul class="plain" { @for curator in &charter.curators { li { (organisation(curator)) } } } }
            dt { "Endorsement" }
            dd { (threshold(charter)) }
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

fn threshold(charter: &CharterReport) -> String {
    format!(
        "{} of {}, from at least {}",
        charter.threshold,
        units::count(charter.curators.len(), "curator", "curators"),
        units::count(usize::try_from(charter.min_jurisdictions).unwrap_or(usize::MAX), "jurisdiction", "jurisdictions")
    )
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

fn releases(releases: &[ReleaseReport]) -> Markup {
    if releases.is_empty() {
        return html! { p class="soft" { "None yet." } };
    }
    html! {
        table role="table" {
            thead role="rowgroup" { tr role="row" {
                @for title in ["Version", "Entries", "Endorsed by", "Public since", "Validity", "Content", "Comparison code"] {
                    th role="columnheader" scope="col" { (title) }
                }
            } }
            tbody role="rowgroup" { @for release in releases.iter().take(SHOWN) { (row(release)) } }
        }
        @if releases.len() > SHOWN {
            p class="small soft" { "The newest " (SHOWN) " of " (units::count(releases.len(), "release", "releases"))
                "; all are in " a href="report.json" { "report.json" } "." }
        }
        p class="small soft" {
            "Whoever holds a version can compare its code with that of anybody else who does, and with this page: the same "
            "digits mean the same list."
        }
    }
}

fn row(release: &ReleaseReport) -> Markup {
    let (state, class) = state_words(release.state);
    let cell = |label: &str, content: Markup| html! { td role="cell" data-label=(label) { (content) } };
    html! {
        tr role="row" {
            (cell("Version", html! {
                div { strong { (release.version) } }
                div { span class={ "mark " (class) } { (state) } }
                div class="small soft" { "edition " (release.edition) }
                div class="small soft" { "entry " (release.index) }
            }))
            (cell("Entries", html! {
                div { (units::number(release.entries)) }
                div class="small soft" { "+" (units::number(release.added)) " −" (units::number(release.removed)) }
                @if release.irregular > 0 { div class="small soft" { (units::number(release.irregular)) " irregular" } }
            }))
            (cell("Endorsed by", html! {
                ul class="plain" { @for curator in &release.endorsed_by { li { (organisation(curator)) } } }
            }))
            (cell("Public since", words::time(release.public_since)))
            (cell("Validity", html! {
                @if release.state == ReleaseState::Pending { div { "from " (words::time(release.usable_from)) } }
                div { "to " (words::time(release.expires)) }
            }))
            (cell("Content", content(&release.content)))
            (cell("Comparison code", html! { span class="code" { (release.comparison_code) } }))
        }
    }
}

fn state_words(state: ReleaseState) -> (&'static str, &'static str) {
    match state {
        ReleaseState::Pending => ("waiting", "notice"),
        ReleaseState::InUse => ("in use", "good"),
        ReleaseState::Superseded => ("superseded", "notice"),
        ReleaseState::Expired => ("expired", "warning"),
    }
}

fn content(content: &ContentState) -> Markup {
    let (word, class, at, detail) = match content {
        ContentState::Unchecked => ("not checked yet", "notice", None, None),
        ContentState::Verified { at } => ("verified", "good", Some(*at), None),
        ContentState::Broken { at, words } => ("broken", "breach", Some(*at), Some(words)),
        ContentState::Unavailable { at, words } => ("not to be had", "warning", Some(*at), Some(words)),
    };
    html! {
        div { span class={ "mark " (class) } { (word) } }
        @if let Some(at) = at { div class="small soft" { (words::time(at)) } }
        @if let Some(detail) = detail { div class="small" { (plain(detail)) } }
    }
}

fn editions(editions: &[EditionReport], now: Timestamp) -> Markup {
    html! {
        @for edition in editions {
            div class="finding" {
                p {
                    strong { "Edition " (edition.number) } " "
                    @if edition.in_force { span class="mark good" { "in force" } }
                    @else if edition.in_force_since > now { span class="mark warning" { "announced" } }
                    @else { span class="mark notice" { "replaced" } }
                }
                p class="small soft" {
                    "Public since " (words::time(edition.public_since)) ", entry " (edition.index) ". "
                    @if edition.in_force_since > now { "Comes into force at " } @else { "In force since " }
                    (words::time(edition.in_force_since)) "."
                }
                @if edition.widens.is_empty() {
                    p { @if edition.number == 1 { "The first edition." } @else { "Widens nothing." } }
                } @else {
                    p { "Widens:" }
                    ul { @for words in &edition.widens { li { (plain(words)) } } }
                }
            }
        }
    }
}

fn attestations(attestations: &[AttestationReport]) -> Markup {
    html! {
        @for attestation in attestations {
            div class="finding" {
                p { strong { (words::method(attestation.method)) } ", about version " (attestation.version) }
                p { (attestation.finding) }
                p class="small soft" {
                    (attestation.auditor) ", " (words::time(attestation.created)) ", entry " (attestation.index)
                }
            }
        }
    }
}
