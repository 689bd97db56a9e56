//! Findings as an Atom feed (RFC 4287): one entry each, which changes when the finding passes. One that becomes graver is a
//! new entry, since many readers show no other.

use crate::finding::{Finding, fairly};
use crate::page::Base;
use crate::report::Report;
use crate::units;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use isonomy_core::time::Timestamp;
use maud::{Escaper, Markup, PreEscaped};
use std::fmt::Write;

/// How many findings are in the feed: the gravest, of these the latest, and of each list some.
const MAX: usize = 100;

/// The feed of the findings about these logs, each with where its pages are.
pub(crate) fn feed(logs: &[(&Base, &Report)]) -> String {
    let of_log = |&(base, report)| {
        let report: &Report = report;
        report.findings.iter().map(move |found| (base, report, found))
    };
    let mut findings: Vec<(&Base, &Report, &Finding)> = logs.iter().flat_map(of_log).collect();
    findings.sort_by_key(|(_, _, found)| {
        let latest = std::cmp::Reverse((found.first_seen.max(found.changed), found.subject.clone()));
        (found.severity, latest)
    });
    let made = logs.iter().map(|(_, report)| report.made).max().unwrap_or_default();
    let updated = findings.iter().map(|(_, _, found)| changed(found)).max().unwrap_or(made);
    let (about, base) = match logs {
        [(base, report)] => (report.log.origin.clone(), base.to_string()),
        _ => (units::count(logs.len(), "log", "logs"), String::new()),
    };
    let keys: Vec<&str> = logs.iter().map(|(_, report)| report.log.key.as_str()).collect();
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <title>Findings about {}</title>\n<id>{}</id>\n<updated>{}</updated>\n\
         <link rel=\"self\" href=\"{base}/findings.atom\"/>\n<link rel=\"alternate\" type=\"text/html\" href=\"{base}/findings\"/>\n\
         <author><name>Isonomy monitor</name></author>\n",
        escaped(&about).into_string(),
        urn(&keys),
        updated.to_rfc3339()
    );
    let several = logs.len() > 1;
    let of_each = |(_, report, found): &(&Base, &Report, &Finding)| {
        (found.severity, (report.log.key.clone(), found.list.clone()))
    };
    for (base, report, found) in fairly(findings, MAX, of_each) {
        let at = if several { format!(" at {}", report.log.origin) } else { String::new() };
        feed += &entry(found, &report.log.key, base, &at);
    }
    feed + "</feed>\n"
}

fn entry(found: &Finding, log: &str, base: &Base, at: &str) -> String {
    let list = found.list.as_ref().map(|list| format!(" about {list}")).unwrap_or_default();
    let past = if found.standing { "" } else { " (past)" };
    let title = units::sentence(&format!("{}{list}{at}: {}{past}", found.severity, found.code.replace('-', " ")));
    format!(
        "<entry>\n<title>{}</title>\n<id>{}</id>\n<published>{}</published>\n<updated>{}</updated>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{base}/findings#{}\"/>\n{}<content>{}</content>\n</entry>\n",
        escaped(&title).into_string(),
        urn(&[log, &found.code, &found.subject, &found.first_seen.to_rfc3339(), &found.severity.to_string()]),
        found.first_seen.to_rfc3339(),
        changed(found).to_rfc3339(),
        base.anchor(found),
        found.evidence.as_ref().map(|digest| enclosure(base, digest)).unwrap_or_default(),
        escaped(&found.words).into_string(),
    )
}

fn enclosure(base: &Base, digest: &str) -> String {
    format!("<link rel=\"enclosure\" type=\"application/json\" href=\"{base}/evidence/{digest}.json\"/>\n")
}

/// When a finding changed last: it changes when it comes, becomes graver or is proven, and when it passes, not at each look.
fn changed(found: &Finding) -> Timestamp {
    if found.standing { found.first_seen.max(found.changed) } else { found.last_seen }
}

/// A name that is the same for the same parts, as a UUID of version 8 (RFC 9562).
fn urn(parts: &[&str]) -> String {
    let mut digest = sha256(&[parts.join("\n").as_bytes()]);
    digest[6] = digest[6] & 0x0f | 0x80;
    digest[8] = digest[8] & 0x3f | 0x80;
    let hex = to_hex(digest.first_chunk::<16>().map_or(&[][..], |bytes| bytes));
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default().to_owned());
    format!("urn:uuid:{}", groups.join("-"))
}

/// XML has no place for two characters that text may hold (XML 1.0, section 2.2); others that it has none for are no text here.
fn escaped(words: &str) -> Markup {
    let mut safe = String::new();
    // Writing into a string can't fail.
    let _ = Escaper::new(&mut safe).write_str(&words.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"));
    PreEscaped(safe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;
    use crate::trust::Trust;
    use isonomy_core::note::{KeyType, SigningKey};
    use isonomy_core::policy::Policy;
    use isonomy_core::statement::ListName;

    #[test]
    fn names_are_stable_and_of_the_right_form() {
        let name = urn(&["log", "fork"]);
        assert_eq!(name, urn(&["log", "fork"]));
        assert_ne!(name, urn(&["log", "forks"]));
        let (version, variant) = (name.as_bytes()[9 + 14], name.as_bytes()[9 + 19]);
        assert!(version == b'8' && matches!(variant, b'8' | b'9' | b'a' | b'b'), "{name}");
    }

    #[test]
    fn a_breach_of_a_list_is_in_the_feed_whatever_came_later() {
        let key = SigningKey::from_seed("log.example/l", KeyType::Ed25519, &[7; 32]).unwrap();
        let witness = SigningKey::from_seed("witness.example/w", KeyType::Cosignature, &[8; 32]).unwrap();
        let text = format!("log {}\nwitness w {}\nquorum w\n", key.verifier(), witness.verifier());
        let trust = Trust::new(Policy::parse(text.as_bytes()).unwrap()).unwrap();
        let found = |severity, number: u64| Finding {
            first_seen: Timestamp(number),
            ..Finding::new(severity, "code", format!("{number}"), format!("words {number}."))
        };
        let of_list = found(Severity::Breach, 1).in_list(&ListName::new("hotline.example/list").unwrap());
        let findings = (2..202).map(|number| found(Severity::Breach, number));
        let later = (202..402).map(|number| found(Severity::Notice, number));
        let report = Report { findings: findings.chain(later).chain([of_list]).collect(), ..Report::empty(&trust) };
        let feed = feed(&[(&Base::Only, &report)]);
        assert_eq!(feed.matches("<entry>").count(), MAX);
        assert!(feed.contains("words 1.") && feed.contains("words 201.") && !feed.contains("words 401."));
        assert!(feed.find("words 201.") < feed.find("words 200."), "the latest of the gravest first");
    }

    #[test]
    fn what_others_wrote_is_escaped_and_a_passed_finding_is_updated() {
        let found = Finding {
            first_seen: Timestamp(100),
            last_seen: Timestamp(200),
            standing: false,
            ..Finding::new(Severity::Warning, "no-quorum", "s", "a <b> & \"c\" \u{ffff}\u{fffe}")
        };
        let entry = entry(&found, "key", &Base::Only, "");
        assert!(
            entry.contains("a &lt;b&gt; &amp; &quot;c&quot; \u{fffd}\u{fffd}<")
                && entry.contains("Warning: no quorum (past)")
        );
        assert!(entry.contains("<updated>1970-01-01T00:03:20Z</updated>"));
        let graver = Finding { standing: true, changed: Timestamp(300), severity: Severity::Breach, ..found.clone() };
        let of = |found: &Finding, part: &str| {
            let entry = super::entry(found, "key", &Base::Only, "");
            entry.split(part).nth(1).unwrap().split('<').next().unwrap().to_owned()
        };
        assert_eq!(of(&graver, "<updated>"), "1970-01-01T00:05:00Z");
        assert_ne!(of(&graver, "<id>"), of(&found, "<id>"), "readers show it");
    }
}
