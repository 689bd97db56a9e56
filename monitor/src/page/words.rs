//! Values in words that people use.

use super::plain::minute;
use crate::report::ViewState;
use crate::units;
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

/// The purpose, as it stands in a sentence.
pub(super) fn purpose_in_sentence(code: PurposeCode) -> &'static str {
    match code {
        PurposeCode::CsamKnown => "known child sexual abuse material",
        PurposeCode::Malware => "malicious files",
        PurposeCode::Ncii => "intimate images shared without consent",
        PurposeCode::Other => "what its definition below says",
        PurposeCode::Tve => "terrorist and violent extremist content",
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

/// The action in a word or two.
pub(super) fn action_short(action: Action) -> &'static str {
    match action {
        Action::Warn => "a warning to the person",
        Action::Block => "blocking",
        Action::Report => "a report to others",
    }
}

/// The action, as it stands in a sentence.
pub(super) fn action_in_sentence(action: Action) -> &'static str {
    match action {
        Action::Warn => "the person is told",
        Action::Block => "the person is told, and the content is not sent or shown",
        Action::Report => "the person is told, and so are the recipients that its charter names",
    }
}

/// How many witnesses a log would need to deceive people.
pub(super) fn split(witnesses: usize) -> String {
    match witnesses {
        0 => "To show two different histories to two people, the log would need the help of no witness: the quorum is too weak"
            .to_owned(),
        _ => format!(
            "To show two different histories to two people, the log would need the help of at least {}",
            units::count(witnesses, "witness", "witnesses")
        ),
    }
}

/// Codes of findings, with a title that a reader understands without knowing the rules.
const TITLES: [(&str, &str); 61] = [
    ("algorithm-changed", "The algorithm was changed"),
    ("already-logged", "The same statement was logged twice"),
    ("attestation-missing", "An auditor’s statement is missing"),
    ("behind", "A mirror shows an older state"),
    ("builds-on-breach", "Builds on something that breaks a rule"),
    ("bundle-awaited", "Clients are put off"),
    ("bundle-stale", "Clients are shown an older state"),
    ("bundle-unusable", "Clients are not given what is public"),
    ("bundle-withheld", "Clients are given nothing"),
    ("canaries-unreadable", "The harmless files can’t be looked up"),
    ("canary-matched", "A harmless file matches"),
    ("catching-up", "Not all of the log is read yet"),
    ("content-awaited", "The content was not given yet"),
    ("content-broken", "The content is not what was signed"),
    ("content-crafted", "Entries admitted by exception"),
    ("content-missing", "The content can’t be had"),
    ("content-withheld", "The content is not given any more"),
    ("copy-damaged", "This monitor’s copy was damaged"),
    ("created-late", "Signed with a date in the future"),
    ("entries-missing", "Signed entries could not be had"),
    ("entries-wrong", "Entries other than those that the log signed"),
    ("equivocation", "Two different texts for one version"),
    ("evidence", "A proven breach"),
    ("evidence-lost", "A proof is lost"),
    ("expired", "The list has expired"),
    ("expires-soon", "The list expires soon"),
    ("fork", "The log showed two histories"),
    ("frozen", "Nothing newer is shown"),
    ("no-quorum", "Too few witnesses have signed"),
    ("not-a-statement", "An entry that is no statement"),
    ("not-contiguous", "A version or edition out of order"),
    ("not-judged", "Can’t be judged yet"),
    ("notice-not-over", "Used before the public notice was over"),
    ("object-swapped", "Other content than was asked for"),
    ("over-limit", "More than the charter allows"),
    ("parts-awaited", "What clients need was not given yet"),
    ("posted-ahead", "Somebody was shown more than is seen here"),
    ("proof-withheld", "A proof that clients need is not given"),
    ("release-missed", "An announced rhythm was not kept"),
    ("removal-overdue", "A complaint’s deadline has passed"),
    ("rolled-back", "The log shows an older state"),
    ("seen-proof-awaited", "A proof was not given yet"),
    ("seen-proof-missing", "Since when it is public can’t be proven"),
    ("slow-down", "Too few witnesses have looked lately"),
    ("split-view", "Different places are shown different states"),
    ("stale-draft", "Made public late"),
    ("statement-withheld", "A statement that clients need is not given"),
    ("tile-withheld", "A part of the tree is not given"),
    ("time-ahead", "The witnessed time is ahead"),
    ("too-few-curators", "Too few curators have signed"),
    ("too-large", "The log has grown too much at once"),
    ("unclear-view", "A view that can’t be compared"),
    ("unknown-release", "Cites a release that is not there"),
    ("unreachable", "Could not be reached"),
    ("unreadable-statement", "An entry that this monitor can’t read"),
    ("unusable-view", "Something that is no checkpoint"),
    ("views-incomplete", "Not every witness was seen"),
    ("widening-announced", "A wider use is announced"),
    ("witness-ahead", "A witness has seen more than is shown"),
    ("witness-behind", "A witness has not looked for long"),
    ("witness-clock-ahead", "A witness’s clock is ahead"),
];

/// What a finding is about, for people.
pub(super) fn title(code: &str) -> String {
    let known = TITLES.iter().find(|(known, _)| *known == code).map(|(_, title)| (*title).to_owned());
    known.unwrap_or_else(|| units::sentence(&code.replace('-', " ")))
}

/// Codes of jurisdictions, with the names that people know.
const JURISDICTIONS: [(&str, &str); 42] = [
    ("AT", "Austria"),
    ("AU", "Australia"),
    ("BE", "Belgium"),
    ("BG", "Bulgaria"),
    ("BR", "Brazil"),
    ("CA", "Canada"),
    ("CH", "Switzerland"),
    ("CY", "Cyprus"),
    ("CZ", "Czechia"),
    ("DE", "Germany"),
    ("DK", "Denmark"),
    ("EE", "Estonia"),
    ("ES", "Spain"),
    ("EU", "the European Union"),
    ("FI", "Finland"),
    ("FR", "France"),
    ("GB", "the United Kingdom"),
    ("GR", "Greece"),
    ("HR", "Croatia"),
    ("HU", "Hungary"),
    ("IE", "Ireland"),
    ("IN", "India"),
    ("IS", "Iceland"),
    ("IT", "Italy"),
    ("JP", "Japan"),
    ("KR", "South Korea"),
    ("LI", "Liechtenstein"),
    ("LT", "Lithuania"),
    ("LU", "Luxembourg"),
    ("LV", "Latvia"),
    ("MT", "Malta"),
    ("NL", "the Netherlands"),
    ("NO", "Norway"),
    ("NZ", "New Zealand"),
    ("PL", "Poland"),
    ("PT", "Portugal"),
    ("RO", "Romania"),
    ("SE", "Sweden"),
    ("SI", "Slovenia"),
    ("SK", "Slovakia"),
    ("UA", "Ukraine"),
    ("US", "the United States"),
];

/// A jurisdiction by its name, with its code; by the code alone where the name is not known here.
pub(super) fn jurisdiction(code: &str) -> String {
    let country = code.split('-').next().unwrap_or(code);
    match JURISDICTIONS.iter().find(|(known, _)| *known == country) {
        Some((_, name)) => format!("{name} ({code})"),
        None => code.to_owned(),
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
    fn titles_are_in_order_and_a_new_code_is_readable() {
        assert!(TITLES.is_sorted_by(|one, other| one.0 < other.0));
        assert_eq!([title("fork"), title("some-new-code")], ["The log showed two histories", "Some new code"]);
    }

    #[test]
    fn jurisdictions_have_names_and_keep_their_codes() {
        assert!(JURISDICTIONS.is_sorted_by(|one, other| one.0 < other.0));
        assert_eq!(["DE", "US-CA", "XX"].map(jurisdiction), ["Germany (DE)", "the United States (US-CA)", "XX"]);
    }

    #[test]
    fn times_are_for_people_and_machines() {
        let shown = time(Timestamp(1_679_315_147)).into_string();
        let exact = "2023-03-20T12:25:47Z";
        assert_eq!(shown, format!("<time datetime=\"{exact}\" title=\"{exact}\">2023-03-20 12:25 UTC</time>"));
    }
}
