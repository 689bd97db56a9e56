//! One entry of the log, with the proof that it stands there.

use super::findings::finding;
use super::{Base, Page, Place, words};
use crate::audit::is_known;
use crate::explorer::{EntryReport, Line};
use crate::finding::Finding;
use crate::report::Report;
use crate::units;
use maud::{Markup, html};

/// The page of an entry.
pub(crate) fn entry(entry: &EntryReport, report: &Report, base: &Base) -> Markup {
    let index = entry.index;
    let data = format!("{base}/entry/{index}.json");
    let found: Vec<&Finding> = report.findings.iter().filter(|found| found.index == Some(index)).collect();
    let body = html! {
        h1 { "Entry " (index) }
        p class="lead" { (what(entry, base)) }
        (neighbours(entry, base))
        @if !found.is_empty() {
            section aria-labelledby="findings" {
                h2 id="findings" { "Findings" }
                @for found in found { (finding(found, "h3", base)) }
            }
        }
        section aria-labelledby="text" {
            h2 id="text" { "The entry" }
            pre tabindex="0" { (entry.entry) }
            p { a href={ (base) "/entry/" (index) "/note" } download={ "entry-" (index) ".note" } { "Download it" } " byte for byte." }
        }
        section aria-labelledby="proof" { h2 id="proof" { "Proof that it is in the log" } (proof(entry, base)) }
    };
    let title = format!("Entry {index} · {}", report.log.origin);
    Page { place: Place::Log, title: &title, base, origin: &report.log.origin, data: Some(&data), body }.render()
}

/// The page in the place of an entry that is not there.
pub(crate) fn no_entry(report: &Report, base: &Base) -> Markup {
    let body = html! {
        h1 { "No such entry" }
        p class="lead" {
            "The log has no entry of that name, as far as this monitor has read it: "
            (units::number(report.log.size.0)) " entries, named by their places, from 0 on."
        }
        p { a href={ (base) "/log" } { "All of the log" } }
    };
    let title = format!("No such entry · {}", report.log.origin);
    Page { place: Place::Log, title: &title, base, origin: &report.log.origin, data: None, body }.render()
}

fn what(entry: &EntryReport, base: &Base) -> Markup {
    let Some(statement) = &entry.statement else {
        return html! { @match entry.form.as_deref() {
            None => "This is no statement. A log that keeps the rules admits none such, and no client accepts it.",
            Some(form) if is_known(form) => {
                "This has the form of a statement, " code { (form) } ", and is not as that must be. A log that keeps the rules admits none such, "
                "and no client that knows this form uses it."
            }
            Some(form) => {
                "This has the form of a statement, " code { (form) } ", and this monitor can’t read it. It may be of a later format: a newer monitor "
                "can tell. No client that can’t read it uses it."
            }
        } };
    };
    let list = html! { a href={ (base) "/list/" (statement.list) } { (statement.list) } };
    html! {
        @match (statement.kind, statement.number) {
            ("charter", Some(number)) => { "Edition " (number) " of the charter of " (list) "." }
            ("release", Some(number)) => { "Version " (number) " of " (list) "." }
            _ => { "An auditor’s attestation about " (list) "." }
        }
        (signed(&statement.lines))
        @match entry.public_since {
            Some(since) => { " In the log since " (words::time(since)) " or earlier, by the proof that was shown of that." }
            None => { " Since when it is in the log, no proof tells that this monitor has." }
        }
    }
}

/// Who has signed it; and in whose names lines stand that are no signatures of theirs, as far as can be told.
fn signed(lines: &[Line]) -> Markup {
    let named = |holds: bool| {
        let names = lines.iter().filter(|line| line.holds == holds);
        names.map(|line| format!("{} ({})", line.key.name, line.key.id)).collect::<Vec<_>>().join(", ")
    };
    let (signers, others) = (named(true), named(false));
    html! {
        @if !signers.is_empty() { " Signed by " (signers) "." }
        @if !others.is_empty() {
            " Not signed, as far as this monitor can tell, by " (others) ": a line in that name stands under it, which anybody can write."
        }
    }
}

fn neighbours(entry: &EntryReport, base: &Base) -> Markup {
    let index = entry.index.0;
    html! {
        nav aria-label="Neighbouring entries" class="neighbours" {
            ul {
                @if let Some(before) = index.checked_sub(1) { li { a href={ (base) "/entry/" (before) } rel="prev" { "← entry " (before) } } }
                @if index + 1 < entry.size.0 { li { a href={ (base) "/entry/" (index + 1) } rel="next" { "entry " (index + 1) " →" } } }
                li { a href={ (base) "/log" } { "all of the log" } }
            }
        }
    }
}

fn proof(entry: &EntryReport, base: &Base) -> Markup {
    html! {
        p {
            "Hash the entry, then hash the result with each line of the proof in turn: what comes out is the root that the log "
            "signed over all its " (units::number(entry.size.0)) " entries. "
            a href={ (base) "/entry/" (entry.index) "/proof" } download={ "entry-" (entry.index) ".tlog-proof" } { "Download the proof" }
            " (C2SP tlog-proof, with the witnesses’ signatures) and the entry, and check both "
            a href={ (base) "/verify" } { "in your browser" } "."
        }
        dl {
            @if let Some(statement) = &entry.statement { dt { "Identity" } dd { code { (statement.id) } } }
            dt { "Leaf hash" } dd { code { (entry.leaf_hash) } }
            dt { "Path" }
            dd { @if entry.path.is_empty() { "empty: it is the only entry" } @else {
                ol class="path" { @for hash in &entry.path { li { code { (hash) } } } }
            } }
            dt { "Root" } dd { code { (entry.root) } }
        }
    }
}
