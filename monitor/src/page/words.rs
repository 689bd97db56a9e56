//! Values in words that people use.

use super::plain::minute;
use crate::report::ViewState;
use isonomy_core::attestation::Method;
use isonomy_core::charter::{Action, Aim, PurposeCode, Surface};
use isonomy_core::time::Timestamp;
use maud::{Markup, html};

/// A point in time, to the minute; to the second in the machine's form.
pub(super) fn time(time: Timestamp) -> Markup {
    let exact = time.to_rfc3339();
    html! { time datetime=(exact) title=(exact) { (minute(&exact)) } }
}

pub(super) fn purpose(code: PurposeCode) -> &'static str {
    match code {
        PurposeCode::CsamKnown => "Known child sexual abuse material",
        PurposeCode::Malware => "Malicious files",
        PurposeCode::Ncii => "Intimate images shared without consent",
        PurposeCode::Other => "Other, as defined",
        PurposeCode::Tve => "Terrorist and violent extremist content",
    }
}

pub(super) fn aim(aim: Aim) -> &'static str {
    match aim {
        Aim::ProtectVictims => "To protect those depicted",
        Aim::Prosecute => "To prosecute offenders",
        Aim::Suppress => "To suppress the spread",
    }
}

pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Warn => "Warn: the person is told",
        Action::Block => "Block: the person is told, and the content is not sent or shown",
        Action::Report => "Report: the person is told, and so are the recipients below",
    }
}

pub(super) fn surface(surface: Surface) -> &'static str {
    match surface {
        Surface::EndToEndEncrypted => "end-to-end encrypted messages",
        Surface::Private => "private content",
        Surface::Public => "public content",
    }
}

pub(super) fn method(method: Method) -> &'static str {
    match method {
        Method::Canary => "Looked up well-known benign pictures",
        Method::Complaint => "Received a complaint",
        Method::Followed => "Followed the log",
        Method::Recomputed => "Recomputed root and counts",
        Method::Sampled => "Looked at a sample",
    }
}

/// The words for a view, and the class of their colour.
pub(super) fn view(state: ViewState) -> (&'static str, &'static str) {
    match state {
        ViewState::Same => ("Same history", "good"),
        ViewState::Behind => ("Same history, behind", "notice"),
        ViewState::Ahead => ("Ahead of what can be read", "notice"),
        ViewState::Contradicts => ("Another history", "breach"),
        ViewState::Unclear => ("Can’t be compared", "warning"),
        ViewState::Unusable => ("Not usable", "warning"),
        ViewState::Unreachable => ("Not reached", "warning"),
        ViewState::NotAsked => ("Not seen", "notice"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_for_people_and_machines() {
        let shown = time(Timestamp(1_679_315_147)).into_string();
        let exact = "2023-03-20T12:25:47Z";
        assert_eq!(shown, format!("<time datetime=\"{exact}\" title=\"{exact}\">2023-03-20 12:25 UTC</time>"));
    }
}
