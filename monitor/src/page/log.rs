//! The log: how large it is, who watches it, and its single entries.

use super::plain::prose;
use super::{Base, Page, Place, cell, chart, mark, table, words};
use crate::report::{LogReport, Report, SourceReport, ViewState, WitnessReport};
use crate::units;
use isonomy_core::time::Timestamp;
use maud::{Markup, html};

/// How many checkpoints are on the page.
const CHECKPOINTS: usize = 12;
/// How many of the latest entries are linked.
const ENTRIES: u64 = 12;

/// The page of the log.
pub(crate) fn log(report: &Report, base: &Base) -> Markup {
    let log = &report.log;
    let body = html! {
        h1 { "The log" }
        p class="lead" {
            "Every release of a list, and every change of its charter, is an entry here. Entries can be added, never changed or "
            "removed: independent witnesses keep watch over that, and sign what they have seen with the time."
        }
        section aria-labelledby="facts" { h2 id="facts" { "Now" } (facts(report)) }
        section aria-labelledby="witnesses" {
            h2 id="witnesses" { "Witnesses" }
            p { (words::split(log.witnesses_to_split)) "." }
            (witnesses(report))
            div class="charts" {
                @for (at, witness) in report.witnesses.iter().enumerate() {
                    @if log.looks.iter().any(|look| look.cosigned.get(at).is_some_and(Option::is_some)) {
                        (chart::lag(&format!("lag-{at}"), at, &witness.name, &log.looks, log.too_old_after))
                    }
                }
            }
        }
        section aria-labelledby="sources" { h2 id="sources" { "Seen from" } (sources(report)) }
        section aria-labelledby="entries" { h2 id="entries" { "Entries" } (entries(log, base)) }
        section aria-labelledby="checkpoints" { h2 id="checkpoints" { "Checkpoints" } (checkpoints(log, base)) }
        section aria-labelledby="copy" {
            h2 id="copy" { "A copy of it" }
            p {
                "This monitor keeps a copy of the log that it has verified itself. Anybody can read it at "
                code { (base) "/mirror/" } ", laid out as the log serves it: "
                a href={ (base) "/mirror/checkpoint" } { "checkpoint" } ", tiles, statements and their proofs."
            }
            details {
                summary { "Whom this monitor trusts (C2SP tlog-policy)" }
                pre { (log.policy) }
            }
        }
    };
    let title = format!("The log · {}", log.origin);
    let data = format!("{base}/log.json");
    Page { place: Place::Log, title: &title, base, origin: &log.origin, data: Some(&data), body }.render()
}

fn facts(report: &Report) -> Markup {
    let log = &report.log;
    html! {
        dl {
            dt { "Origin" } dd { (log.origin) }
            dt { "Entries" }
            dd { (units::number(log.size.0)) @if log.read != log.size.0 { ", of which " (units::number(log.read)) " were read" } }
            dt { "Newest checkpoint" }
            dd { @match log.witnessed.zip(report.age_words()) {
                Some((time, age)) => { "witnessed " (words::time(time)) ", " (age) ", by this monitor’s clock" }
                None => "none yet",
            } }
            @if !log.cosigned.is_empty() {
                dt { "Cosigned by" }
                dd { @for one in &log.cosigned { div { (one.witness) ", " (words::time(one.at)) } } }
            }
            dt { "Too old after" } dd { (units::duration(log.too_old_after))
                @if report.lists.is_empty() { ", while no list is known" } @else { ", half of the shortest time in public before use, and a minute at least" } }
            @if let Some(root) = &log.root { dt { "Root" } dd { code { (root) } } }
            dt { "Key" } dd { code { (log.key) } }
        }
        @if log.looks.len() > 1 { div class="charts" { (chart::size("size", &log.looks)) } }
    }
}

fn view(state: ViewState, words: Option<&str>) -> Markup {
    let (state, class) = words::view(state);
    html! { (mark(class, state)) @if let Some(words) = words { div class="small" { (prose(words)) } } }
}

fn number(size: Option<isonomy_core::tree::TreeSize>) -> String {
    size.map_or("–".to_owned(), |size| units::number(size.0))
}

fn moment(time: Option<Timestamp>) -> Markup {
    html! { @match time { Some(time) => (words::time(time)), None => "–" } }
}

fn witnesses(report: &Report) -> Markup {
    let row = |witness: &WitnessReport| {
        let lag = witness.cosigned.map_or("–".to_owned(), |time| units::duration(report.made.since(time)));
        html! {
            th role="rowheader" scope="row" data-label="Witness" {
                div { (witness.name) }
                @if let Some(url) = &witness.url { div class="small soft" { (url) } }
            }
            (cell("View", html! {
                (view(witness.state, witness.words.as_deref()))
                @if witness.state == ViewState::NotAsked && witness.url.is_none() { div class="small soft" { "the policy has no address to ask it at" } }
            }))
            (cell("Entries", number(witness.size)))
            (cell("Cosigned", moment(witness.cosigned)))
            (cell("Lag", lag))
        }
    };
    let rows: Vec<Markup> = report.witnesses.iter().map(row).collect();
    table("What each witness has cosigned last", &["Witness", "View", "Entries", "Cosigned", "Lag"], &rows)
}

fn sources(report: &Report) -> Markup {
    let row = |source: &SourceReport| {
        html! {
            th role="rowheader" scope="row" data-label="Vantage point" { div { (source.name) } }
            (cell("View", view(source.state, source.words.as_deref())))
            (cell("Entries", number(source.size)))
            (cell("Witnessed", moment(source.witnessed)))
        }
    };
    let rows: Vec<Markup> = report.sources.iter().map(row).collect();
    table(
        "From where the log is looked at, and what it shows there",
        &["Vantage point", "View", "Entries", "Witnessed"],
        &rows,
    )
}

fn entries(log: &LogReport, base: &Base) -> Markup {
    let Some(last) = log.size.0.checked_sub(1) else { return html! { p { "None yet." } } };
    html! {
        form action={ (base) "/entry" } method="get" class="look-up" {
            label for="index" { "Entry, from 0 to " (units::number(last)) }
            input id="index" name="index" type="number" inputmode="numeric" min="0" max=(last) required;
            button { "Show" }
        }
        p { "The latest: " @for (at, index) in (0..=last).rev().take(ENTRIES as usize).enumerate() {
            @if at > 0 { ", " } a href={ (base) "/entry/" (index) } { (index) }
        } }
    }
}

fn checkpoints(log: &LogReport, base: &Base) -> Markup {
    let row = |checkpoint: &crate::report::CheckpointReport| {
        html! {
            th role="rowheader" scope="row" data-label="Entries" { div { (units::number(checkpoint.size.0)) } }
            (cell("Latest witnessed", words::time(checkpoint.witnessed)))
            (cell("Root", html! { code { (checkpoint.root) } }))
        }
    };
    let rows: Vec<Markup> = log.checkpoints.iter().take(CHECKPOINTS).map(row).collect();
    html! {
        @if rows.is_empty() { p { "None yet." } }
        @else { (table("What the log has signed and a quorum cosigned, the newest first", &["Entries", "Latest witnessed", "Root"], &rows)) }
        @if log.checkpoints.len() > CHECKPOINTS { p class="small soft" { "More are in the " a href={ (base) "/log.json" } { "data" } "." } }
    }
}
