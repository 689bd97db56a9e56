//! The releases of a list, and whether their objects can be had.

use super::super::plain::prose;
use super::super::{Base, cell, mark, table, words};
use crate::report::{ContentState, ListReport, Probe, ReleaseReport, ReleaseState};
use crate::units;
use maud::{Markup, html};

/// How many releases are in the table. More are in the data, and each is an entry of the log.
const SHOWN: usize = 50;

pub(super) fn releases(list: &ListReport, base: &Base) -> Markup {
    let (releases, total) = (&list.releases, list.releases_total);
    if releases.is_empty() {
        return html! { p class="soft" { "None yet." } };
    }
    let rows: Vec<Markup> = releases.iter().take(SHOWN).map(|release| row(release, base)).collect();
    let titles = ["Version", "Entries", "Endorsed by", "Public since", "Validity", "Objects", "Comparison code"];
    html! {
        (table("Releases, the newest first", &titles, &rows))
        p class="small soft" { "Since when one is public: by the proof that is shown, so at the latest then. A log can show a later proof than the first." }
        @if total > SHOWN as u64 {
            p class="small soft" { "The newest " (SHOWN) " of " (units::number(total)) " releases. Each is an entry of the log." }
        }
    }
}

fn row(release: &ReleaseReport, base: &Base) -> Markup {
    let (state, class) = state_words(release.state);
    html! {
        th role="rowheader" scope="row" data-label="Version" {
            div { strong { (release.version) } " " (mark(class, state)) }
            div class="small soft" { "edition " (release.edition) ", " a href={ (base) "/entry/" (release.index) } { "entry " (release.index) } }
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
pub(super) fn objects(probes: &[Probe]) -> Markup {
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
