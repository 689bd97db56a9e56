//! How the charter of a list changed, what came of complaints, and what auditors attest.

use super::super::plain::prose;
use super::super::{Base, cell, mark, table, words};
use crate::report::{
    AttestationReport, ChangeReport, ComplaintCounts, ComplaintReport, ComplaintState, EditionReport, ListReport,
};
use crate::units;
use isonomy_core::rules::amendment::Direction;
use isonomy_core::time::Timestamp;
use maud::{Markup, html};

/// How many complaints and attestations are on the page; each is an entry of the log.
const SHOWN: usize = 50;

pub(super) fn editions(editions: &[EditionReport], now: Timestamp, base: &Base) -> Markup {
    html! {
        p class="soft" {
            "What is marked " (mark("warning", "widens")) " makes more possible than before. It needs public notice before it is in "
            "force, so that people can object. What is marked " (mark("notice", "changes")) " is what the list says of itself: whom to ask, and the "
            "record of its reasons."
        }
        @for edition in editions { (edition_card(edition, now, base)) }
    }
}

fn edition_card(edition: &EditionReport, now: Timestamp, base: &Base) -> Markup {
    html! {
        article class="finding" {
            h3 {
                "Edition " (edition.number) " "
                @if edition.in_force { (mark("good", "in force")) }
                @else if edition.in_force_since > now { (mark("warning", "announced")) }
                @else { (mark("notice", "replaced")) }
            }
            p class="small soft" {
                "Public since " (words::time(edition.public_since)) ", " a href={ (base) "/entry/" (edition.index) } { "entry " (edition.index) } ". "
                @if edition.in_force_since > now { "Comes into force at " } @else { "In force since " }
                (words::time(edition.in_force_since)) "."
            }
            @if edition.number == 1 { p { "The first edition." } }
            @else if edition.changes.is_empty() { p { "Changes nothing." } }
            @else { (changes(&edition.changes)) }
            (wider_than_older(edition))
        }
    }
}

fn changes(changes: &[ChangeReport]) -> Markup {
    html! {
        ul class="diff" {
            @for change in changes {
                @let (class, look) = match change.direction {
                    Direction::Widens => ("widens", "warning"),
                    Direction::Narrows => ("narrows", "good"),
                    Direction::Neither => ("changes", "notice"),
                };
                li class=(class) { (mark(look, class)) " " (prose(&change.words)) }
            }
        }
    }
}

/// What an edition widens against an older one than the one before it, which is still in force.
fn wider_than_older(edition: &EditionReport) -> Markup {
    let in_diff = |words: &&String| edition.changes.iter().any(|change| change.widens && change.words == **words);
    let more: Vec<&String> = edition.widens.iter().filter(|words| !in_diff(words)).collect();
    html! {
        @if !more.is_empty() {
            p { "Against an older edition that was still in force it also widens:" }
            ul { @for words in more { li { (prose(words)) } } }
        }
    }
}

pub(super) fn removals(list: &ListReport, base: &Base) -> Markup {
    let (releases, removed) = (list.removals.releases, list.removals.entries);
    let releases = usize::try_from(releases).unwrap_or(usize::MAX);
    let complaints: Vec<(&AttestationReport, &ComplaintReport)> =
        list.attestations.iter().filter_map(|attested| Some((attested, attested.complaint.as_ref()?))).collect();
    let rows: Vec<Markup> =
        complaints.iter().take(SHOWN).map(|(attested, complaint)| complaint_row(attested, complaint, base)).collect();
    let are_all = list.attestations_total == list.attestations.len() as u64 && complaints.len() <= SHOWN;
    let shown = match are_all {
        true => "Complaints that auditors have logged".to_owned(),
        false => format!("The newest {} complaints that auditors have logged", complaints.len().min(SHOWN)),
    };
    html! {
        p {
            "A wrong entry must go within " strong { (units::duration(list.charter.removal_deadline)) } " of a complaint to "
            (list.charter.complaints) ". So far " (units::count(releases, "release has", "releases have")) " removed "
            (units::entries(removed)) ". How long what was removed had stood is measured by " code { "isonomy assess" } "."
        }
        @if rows.is_empty() { p class="soft" { "No auditor has logged a complaint that counts." } }
        @else {
            p { (summary(&list.complaints)) }
            (table(&shown, &["Complaint", "Deadline", "Next removal", "Logged by"], &rows))
            p class="small soft" {
                "When a complaint was received rests on the word of the auditor who logged it; since when the log shows it, on "
                "the witnesses. Whether it is right, the log does not show. Which entry a complaint is about stays secret. Whoever holds its salt and entry can prove when it went: "
                code { "isonomy monitor trace" } "."
            }
        }
    }
}

/// How long it took until anything was removed, of all complaints.
fn summary(counts: &ComplaintCounts) -> String {
    let median = match counts.median {
        Some(median) => {
            format!(
                " In the median, the next removal was public {} after the complaint, by the proofs that are shown.",
                units::duration(median)
            )
        }
        None => String::new(),
    };
    format!(
        "Of {}, followed by a removal in time: {}; by a later one: {}; past the deadline without any: {}; still running: {}; in doubt, since it is over by the word of the auditor or by the proofs that are shown alone, or a release was not taken up: {}. One that is logged again counts once.{median}",
        units::count(usize::try_from(counts.total).unwrap_or(usize::MAX), "complaint", "complaints"),
        counts.in_time,
        counts.late,
        counts.overdue,
        counts.running,
        counts.in_doubt,
    )
}

fn complaint_row(attested: &AttestationReport, complaint: &ComplaintReport, base: &Base) -> Markup {
    html! {
        th role="rowheader" scope="row" data-label="Complaint" {
            div { "received " (words::time(complaint.received)) }
            div class="small soft" { "in the log since " (words::time(complaint.logged_since)) }
            div class="small soft" { code { (complaint.commitment) } }
        }
        (cell("Deadline", html! {
            div { (words::time(complaint.deadline)) }
            div class="small soft" { "by edition " (complaint.edition) " of the charter" }
            @match complaint.state {
                ComplaintState::Running => div class="small soft" { "runs" },
                ComplaintState::InTime => (mark("good", "kept")),
                ComplaintState::InDoubt if let Some(left_out) = &complaint.left_out => div class="small soft" {
                    "over, counted from when the log shows the complaint; but " (left_out.words())
                },
                ComplaintState::InDoubt => div class="small soft" { "over by the auditor’s word, or by the proofs that are shown alone; counted from when the log shows the complaint: " (words::time(complaint.deadline_by_log)) },
                ComplaintState::Late => (mark("notice", "removed later")),
                ComplaintState::Overdue => (mark("notice", "over")),
            }
        }))
        (cell("Next removal", html! { @match (complaint.removing_version, complaint.removed_after) {
            (Some(version), Some(after)) => {
                div { "version " (version) ", after " (units::duration(after)) }
                div class="small soft" { "of whichever entries" }
            }
            _ => "none yet",
        } }))
        (cell("Logged by", html! { (attested.auditor) " (" (attested.auditor_id) "), " a href={ (base) "/entry/" (attested.index) } { "entry " (attested.index) } }))
    }
}

pub(super) fn attestations(list: &ListReport, base: &Base) -> Markup {
    let attestations = &list.attestations;
    html! {
        @if attestations.is_empty() { p class="soft" { "No auditor has logged anything about it." } }
        @if list.attestations_total > SHOWN as u64 { p class="soft" {
            "The newest " (SHOWN) " of " (units::number(list.attestations_total)) "."
        } }
        @for attestation in attestations.iter().take(SHOWN) {
            article class="finding" {
                h3 { (words::method(attestation.method)) ", about version " (attestation.version) }
                @if let Some(words) = &attestation.impossible { p { strong { (prose(words)) } } }
                p { (attestation.finding) }
                @if let Some(longer) = &attestation.report { p {
                    "A longer report, which this monitor has not read, by its auditor’s word at " code { (longer.url) } ", with the SHA-256 "
                    code { (longer.sha256.to_hex()) } "."
                } }
                @if let (Some(sample), Some(errors)) = (attestation.sample, attestation.errors) {
                    p { (units::number(errors)) " wrong of " (units::number(sample)) " that were looked at." }
                }
                @if let Some(size) = attestation.log_size { p { "Read the log up to " (units::number(size.0)) " entries." } }
                p class="small soft" {
                    (attestation.auditor) " (" (attestation.auditor_id) "), " (words::time(attestation.created)) ", "
                    a href={ (base) "/entry/" (attestation.index) } { "entry " (attestation.index) }
                }
            }
        }
    }
}
