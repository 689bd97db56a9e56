//! A list: what it may be used for, who answers for it, how it grew, how its charter changed, what came of complaints.

use super::findings::finding;
use super::overview::{freshness, newest_usable};
use super::plain::prose;
use super::{Page, Place, cell, chart, mark, table, words};
use crate::finding::Finding;
use crate::report::{
    AttestationReport, ChangeReport, CharterReport, ComplaintReport, ContentState, EditionReport, ListReport,
    Organisation, Probe, ReleaseReport, ReleaseState, Report,
};
use crate::units;
use isonomy_core::charter::PurposeCode;
use isonomy_core::time::Timestamp;
use maud::{Markup, html};

/// How many releases are in the table; all are in the data.
const SHOWN: usize = 50;
/// How many findings are on the page.
const FINDINGS: usize = 20;

/// The page of a list.
pub(crate) fn list(list: &ListReport, report: &Report) -> Markup {
    let charter = &list.charter;
    let newest = newest_usable(list);
    let data = format!("/list/{}.json", list.name);
    let body = html! {
        h1 { (list.name) }
        (lead(charter))
        (now(list, newest, report))
        (found(list, report))
        section aria-labelledby="terms" {
            h2 id="terms" { "What it may be used for" }
            p class="soft" { "Edition " (charter.edition) " of its charter, by " (organisation(&charter.maintainer)) ". Clients refuse what goes beyond it." }
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
            (releases(&list.releases))
            (objects(&list.objects))
        }
        section aria-labelledby="editions" {
            h2 id="editions" { "History of the charter" }
            (editions(&list.editions, report.made))
        }
        section aria-labelledby="removal" { h2 id="removal" { "Complaints and removals" } (removals(list, report.made)) }
        section aria-labelledby="attestations" { h2 id="attestations" { "What auditors attest" } (attestations(&list.attestations)) }
        section aria-labelledby="record" { h2 id="record" { "The legal case" } (legal_case(charter)) }
    };
    let title = format!("{} · {}", list.name, report.log.origin);
    Page { place: Place::List, title: &title, origin: &report.log.origin, data: Some(&data), body }.render()
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
                dd class="small soft" { "Whoever uses this version sees the same digits. Other digits for the same version: somebody was given another list." }
            }
        }
    }
}

fn found(list: &ListReport, report: &Report) -> Markup {
    let about =
        |found: &&Finding| found.standing && found.list.as_ref().is_some_and(|name| name.to_string() == list.name);
    let found: Vec<&Finding> = report.findings.iter().filter(about).take(FINDINGS).collect();
    html! {
        @if !found.is_empty() {
            section aria-labelledby="findings" {
                h2 id="findings" { "Findings" }
                @for found in found { (finding(found, "h3")) }
            }
        }
    }
}

fn curators(list: &ListReport) -> Markup {
    let charter = &list.charter;
    let row = |curator: &Organisation| {
        let endorsed =
            list.releases.iter().filter(|release| release.endorsed_by.iter().any(|by| by.keys == curator.keys));
        html! {
            th role="rowheader" scope="row" data-label="Curator" { div { (curator.name) } }
            (cell("Sits in", words::jurisdiction(curator.jurisdiction.as_str())))
            (cell("Endorsed", format!("{} of {}", endorsed.count(), units::count(list.releases.len(), "release", "releases"))))
            (cell("Key", html! { @for key in &curator.keys { code { (key) } } }))
        }
    };
    let rows: Vec<Markup> = charter.curators.iter().map(row).collect();
    html! {
        p { "A release needs the signatures of the maintainer and of " strong { (threshold(charter)) } "." }
        (table("Curators of this list", &["Curator", "Sits in", "Endorsed", "Key"], &rows))
    }
}

fn organisation(organisation: &Organisation) -> Markup {
    html! { (organisation.name) ", " (words::jurisdiction(organisation.jurisdiction.as_str())) }
}

fn joined<T>(items: &[T], word: impl Fn(&T) -> String) -> String {
    items.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn terms(charter: &CharterReport) -> Markup {
    html! {
        dl {
            dt { "Purpose" }
            dd { (words::purpose(charter.purpose)) ". " (charter.definition) }
            @if !charter.exclusions.is_empty() {
                dt { "Never listed" }
                dd { (joined(&charter.exclusions, String::clone)) }
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
    let rows: Vec<Markup> = releases.iter().take(SHOWN).map(row).collect();
    let titles = ["Version", "Entries", "Endorsed by", "Public since", "Validity", "Objects", "Comparison code"];
    html! {
        (table("Releases, the newest first", &titles, &rows))
        @if releases.len() > SHOWN {
            p class="small soft" { "The newest " (SHOWN) " of " (units::count(releases.len(), "release", "releases"))
                "; all are in the data." }
        }
    }
}

fn row(release: &ReleaseReport) -> Markup {
    let (state, class) = state_words(release.state);
    html! {
        th role="rowheader" scope="row" data-label="Version" {
            div { strong { (release.version) } " " (mark(class, state)) }
            div class="small soft" { "edition " (release.edition) ", " a href={ "/entry/" (release.index) } { "entry " (release.index) } }
        }
        (cell("Entries", html! {
            div { (units::number(release.entries)) }
            div class="small soft" { "+" (units::number(release.added)) " −" (units::number(release.removed)) }
            @if release.irregular > 0 { div class="small soft" { (units::number(release.irregular)) " irregular" } }
        }))
        (cell("Endorsed by", html! {
            ul class="plain" { @for curator in &release.endorsed_by { li { (curator.name) " (" (curator.jurisdiction) ")" } } }
        }))
        (cell("Public since", words::time(release.public_since)))
        (cell("Validity", html! {
            @if release.state == ReleaseState::Pending { div { "from " (words::time(release.usable_from)) } }
            div { "to " (words::time(release.expires)) }
        }))
        (cell("Objects", content(&release.content)))
        (cell("Comparison code", html! { span class="code" { (release.comparison_code) } }))
    }
}

/// Whether what the newest release names can still be had.
fn objects(probes: &[Probe]) -> Markup {
    let row = |probe: &Probe| {
        html! {
            th role="rowheader" scope="row" data-label="Vantage point" { div { (probe.from) } }
            (cell("Object", html! { @match &probe.lacking {
                None => (mark("good", "served")),
                Some(words) => { (mark("warning", "not had")) div class="small" { (prose(words)) } }
            } }))
            (cell("Of", html! { "version " (probe.version) }))
            (cell("Asked", words::time(probe.at)))
        }
    };
    let rows: Vec<Markup> = probes.iter().map(row).collect();
    html! {
        @if !rows.is_empty() {
            (table("Whether the content of the newest release can still be had", &["Vantage point", "Object", "Of", "Asked"], &rows))
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
        @if let Some(detail) = detail { div class="small" { (prose(detail)) } }
    }
}

fn editions(editions: &[EditionReport], now: Timestamp) -> Markup {
    html! {
        p class="soft" {
            "What is marked " (mark("warning", "widens")) " makes more possible than before. It needs public notice before it is in "
            "force, so that people can object."
        }
        @for edition in editions { (edition_card(edition, now)) }
    }
}

fn edition_card(edition: &EditionReport, now: Timestamp) -> Markup {
    html! {
        article class="finding" {
            h3 {
                "Edition " (edition.number) " "
                @if edition.in_force { (mark("good", "in force")) }
                @else if edition.in_force_since > now { (mark("warning", "announced")) }
                @else { (mark("notice", "replaced")) }
            }
            p class="small soft" {
                "Public since " (words::time(edition.public_since)) ", " a href={ "/entry/" (edition.index) } { "entry " (edition.index) } ". "
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
                li class=(if change.widens { "widens" } else { "narrows" }) {
                    @if change.widens { (mark("warning", "widens")) } @else { (mark("good", "narrows")) }
                    " " (prose(&change.words))
                }
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

fn removals(list: &ListReport, now: Timestamp) -> Markup {
    let removing = list.releases.iter().filter(|release| release.removed > 0);
    let (releases, removed) = removing.fold((0, 0), |(count, sum), release| (count + 1, sum + release.removed));
    let complaints: Vec<(&AttestationReport, &ComplaintReport)> =
        list.attestations.iter().filter_map(|attested| Some((attested, attested.complaint.as_ref()?))).collect();
    let rows: Vec<Markup> =
        complaints.iter().map(|(attested, complaint)| complaint_row(attested, complaint, now)).collect();
    html! {
        p {
            "A wrong entry must go within " strong { (units::duration(list.charter.removal_deadline)) } " of a complaint to "
            (list.charter.complaints) ". So far " (units::count(releases, "release has", "releases have")) " removed "
            (units::number(removed)) " entries."
        }
        @if rows.is_empty() { p class="soft" { "No auditor has logged a complaint." } }
        @else {
            (table("Complaints that auditors have logged", &["Complaint", "Deadline", "Next removal", "Logged by"], &rows))
            p class="small soft" {
                "Which entry a complaint is about stays secret. Whoever holds its salt and entry can prove when it went: "
                code { "isonomy monitor trace" } "."
            }
        }
    }
}

fn complaint_row(attested: &AttestationReport, complaint: &ComplaintReport, now: Timestamp) -> Markup {
    html! {
        th role="rowheader" scope="row" data-label="Complaint" {
            div { "received " (words::time(complaint.received)) }
            div class="small soft" { code { (complaint.commitment) } }
        }
        (cell("Deadline", html! {
            div { (words::time(complaint.deadline)) }
            @if complaint.deadline < now { div class="small soft" { "is over" } }
        }))
        (cell("Next removal", html! { @match (complaint.removing_version, complaint.removed_after) {
            (Some(version), Some(after)) => {
                div { "version " (version) ", after " (units::duration(after)) }
                div class="small soft" { "of whichever entries" }
            }
            _ => "none yet",
        } }))
        (cell("Logged by", html! { (attested.auditor) ", " a href={ "/entry/" (attested.index) } { "entry " (attested.index) } }))
    }
}

fn attestations(attestations: &[AttestationReport]) -> Markup {
    html! {
        @if attestations.is_empty() { p class="soft" { "No auditor has logged anything about it." } }
        @for attestation in attestations {
            article class="finding" {
                h3 { (words::method(attestation.method)) ", about version " (attestation.version) }
                p { (attestation.finding) }
                @if let (Some(sample), Some(errors)) = (attestation.sample, attestation.errors) {
                    p { (units::number(errors)) " wrong of " (units::number(sample)) " that were looked at." }
                }
                @if let Some(size) = attestation.log_size { p { "Read the log up to " (units::number(size.0)) " entries." } }
                p class="small soft" {
                    (attestation.auditor) ", " (words::time(attestation.created)) ", "
                    a href={ "/entry/" (attestation.index) } { "entry " (attestation.index) }
                }
            }
        }
    }
}

fn legal_case(charter: &CharterReport) -> Markup {
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
