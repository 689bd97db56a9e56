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
const TITLES: [(&str, &str); 83] = [
    ("added-key-missing", "A new key has not signed"),
    ("algorithm-changed", "The algorithm was changed"),
    ("already-logged", "The same statement was logged twice"),
    ("auditor-missing", "An auditor has not signed"),
    ("behind", "A mirror shows an older state"),
    ("builds-on-breach", "Builds on something that breaks a rule"),
    ("bundle-awaited", "Clients are put off"),
    ("bundle-stale", "Clients are shown an older state"),
    ("bundle-unusable", "Clients are not given what is public"),
    ("bundle-withheld", "Clients are given nothing"),
    ("canaries-awaited", "The harmless files are not looked up yet"),
    ("canaries-unreadable", "The harmless files can’t be looked up"),
    ("canary-matched", "A harmless file matches"),
    ("catching-up", "Not all of the log is read yet"),
    ("content-awaited", "The content was not given yet"),
    ("content-broken", "The content is not what was signed"),
    ("content-crafted", "Entries admitted by exception"),
    ("content-missing", "The content can’t be had"),
    ("content-unchecked", "The content is not checked yet"),
    ("content-withheld", "The content is not given any more"),
    ("copy-damaged", "This monitor’s copy was damaged"),
    ("count-mismatch", "Other counts than were signed"),
    ("created-early", "Dated before the release before it"),
    ("created-late", "Signed with a date in the future"),
    ("entries-missing", "Signed entries could not be had"),
    ("entries-wrong", "Entries other than those that the log signed"),
    ("equivocation", "Two different texts for one version"),
    ("evidence", "A proven breach"),
    ("evidence-lost", "A proof is lost"),
    ("expired", "The list has expired"),
    ("expires-soon", "The list expires soon"),
    ("forbidden-entry", "An entry that no list may have"),
    ("fork", "The log showed two histories"),
    ("frozen", "Nothing newer is shown"),
    ("holds-up-releases", "Would hold up every release"),
    ("maintainer-missing", "The maintainer has not signed"),
    ("no-quorum", "Too few witnesses have signed"),
    ("not-a-statement", "An entry that is no statement"),
    ("not-contiguous", "A version or edition out of order"),
    ("not-judged", "Can’t be judged yet"),
    ("not-visible", "Not public for long enough"),
    ("notice-not-over", "Used before the public notice was over"),
    ("object-swapped", "Other content than was asked for"),
    ("other-list", "About another list than it continues"),
    ("other-log", "Made for another log"),
    ("over-limit", "More than the charter allows"),
    ("parts-awaited", "What clients need was not given yet"),
    ("posted-ahead", "Somebody was shown more than is seen here"),
    ("previous-mismatch", "Does not follow the one before it"),
    ("proof-later", "A proof of a later time is shown"),
    ("proof-withheld", "A proof that clients need is not given"),
    ("release-missed", "A release seen after the one before expired"),
    ("removal-overdue", "Nothing was removed after a complaint"),
    ("rolled-back", "The log shows an older state"),
    ("root-mismatch", "Other content than was signed"),
    ("seen-proof-awaited", "A proof was not given yet"),
    ("seen-proof-missing", "Since when it is public can’t be proven"),
    ("slow-down", "Too few witnesses have looked lately"),
    ("split-view", "Different places are shown different states"),
    ("stale-draft", "Made public late"),
    ("statement-withheld", "A statement that clients need is not given"),
    ("superseded-edition", "Under an edition that was narrowed"),
    ("tile-withheld", "A part of the tree is not given"),
    ("time-ahead", "The witnessed time is ahead"),
    ("too-few-attestations", "Too few auditors have looked"),
    ("too-few-curators", "Too few curators have signed"),
    ("too-few-jurisdictions", "The curators are from too few jurisdictions"),
    ("too-large", "The log has grown too much at once"),
    ("too-soon", "Sooner than the charter allows"),
    ("unclear-view", "A view that can’t be compared"),
    ("uncounted-signature", "A signature that does not count"),
    ("undecodable", "Content that can’t be read"),
    ("unknown-charter", "Cites a charter that is not there"),
    ("unknown-release", "Cites a release that is not there"),
    ("unreachable", "Could not be reached"),
    ("unreadable-statement", "An entry that this monitor can’t read"),
    ("unusable-view", "Something that is no checkpoint"),
    ("views-incomplete", "Not every witness was seen"),
    ("widening-announced", "A wider use is announced"),
    ("witness-ahead", "A witness has seen more than is shown"),
    ("witness-behind", "A witness has not looked for long"),
    ("witness-clock-ahead", "A witness’s clock is ahead"),
    ("wrong-signature", "A signature that does not hold"),
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
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    /// What is written in quotes, each with what stands before and behind it.
    fn quoted(source: &str) -> Vec<(&str, &str, &str)> {
        let (mut found, mut from) = (Vec::new(), 0);
        while let Some(open) = source[from..].find('"').map(|at| from + at) {
            let is_close = |(at, _): &(usize, &str)| !source[..*at].ends_with('\\');
            let close = source[open + 1..].match_indices('"').map(|(at, quote)| (open + 1 + at, quote)).find(is_close);
            let Some((close, _)) = close else { break };
            found.push((&source[..open], &source[open + 1..close], &source[close + 1..]));
            from = close + 1;
        }
        found
    }

    /// Every source file of this crate, without its comments and tests.
    fn sources(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
        let files = files.iter().filter(|path| path.extension().is_some_and(|ext| ext == "rs")).map(|path| {
            let lines = fs::read_to_string(path).unwrap();
            let lines = lines.lines().map(str::trim).take_while(|line| *line != "#[cfg(test)]");
            lines.filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join(" ")
        });
        files.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
    }

    /// The codes of the rules' violations, and of every finding that this monitor makes beside these.
    fn codes() -> BTreeSet<String> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let rules = fs::read_to_string(own.join("../core/src/rules/mod.rs")).unwrap();
        let violations = rules.lines().filter_map(|line| {
            let (rule, rest) = line.trim().split_once(" \"")?;
            let (code, words) = rest.split_once('"')?;
            let is_code = words.is_empty() || words.starts_with(" \"");
            (is_code && rule.chars().all(char::is_alphabetic)).then(|| code.to_owned())
        });
        let mut codes: BTreeSet<String> = violations.collect();
        for source in sources(&own.join("src")).iter().filter(|source| source.contains("Finding::new(")) {
            for (before, code, behind) in quoted(source) {
                let is_code = !code.is_empty() && code.chars().all(|c| c.is_ascii_lowercase() || c == '-');
                let severities = ["Severity::Breach, ", "Severity::Warning, ", "Severity::Notice, ", "severity, "];
                let is_after_severity = severities.iter().any(|severity| before.ends_with(severity));
                let is_with_words = before.ends_with('(') && behind.starts_with(", words)");
                if is_code && (code.contains('-') || is_after_severity || is_with_words) {
                    codes.insert(code.to_owned());
                }
            }
        }
        codes
    }

    #[test]
    fn every_code_has_a_title_and_every_title_a_code() {
        let titled: BTreeSet<String> = TITLES.iter().map(|(code, _)| (*code).to_owned()).collect();
        assert_eq!((&codes() - &titled, &titled - &codes()), (BTreeSet::new(), BTreeSet::new()));
    }

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
