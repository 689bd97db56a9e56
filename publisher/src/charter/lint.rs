//! What is missing in a charter, or weak. Nothing here is a rule of the log: a charter with findings is valid, and everybody
//! can see them. Each lint cites the law from which the question comes; it says what will be asked, not what a court would
//! answer.
//!
//! | severity | meaning |
//! |---|---|
//! | [`Severity::Serious`] | the legal case for the list has a hole |
//! | [`Severity::Weak`] | it is there, but will be attacked |
//! | [`Severity::Note`] | a reader should know |

use isonomy_core::charter::{Action, Aim, Charter, Jurisdiction, RECORD_QUESTIONS, Surface};
use isonomy_core::note::VerifierKey;
use isonomy_core::time::Timestamp;
use serde::Serialize;
use serde_json::Value;

const DAY: u64 = 86_400;

/// How much a finding weighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A reader should know.
    Note,
    /// It will be attacked.
    Weak,
    /// The legal case has a hole.
    Serious,
}

/// Something that a reader of the charter will ask about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// The lint.
    pub code: String,
    /// How much it weighs.
    pub severity: Severity,
    /// The field.
    pub field: String,
    /// What is missing or weak, in words.
    pub words: String,
    /// The law from which the question comes.
    pub source: &'static str,
}

/// Every finding about a charter at this time: the heaviest first, else in the order of its fields.
pub fn lint(charter: &Charter, now: Timestamp) -> Vec<Finding> {
    let terms = TERMS.iter().filter(|lint| (lint.fires)(charter, now)).map(|lint| Finding {
        code: lint.code.to_owned(),
        severity: lint.severity,
        field: lint.field.to_owned(),
        words: lint.words.to_owned(),
        source: lint.source,
    });
    let mut findings: Vec<Finding> = terms.chain(record(charter)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// A question about the terms of a charter.
struct Lint {
    code: &'static str,
    severity: Severity,
    field: &'static str,
    words: &'static str,
    source: &'static str,
    fires: fn(&Charter, Timestamp) -> bool,
}

const TERMS: &[Lint] = &[
    Lint {
        code: "one-key",
        severity: Severity::Weak,
        field: "maintainer.keys",
        words: "one key alone: if it is lost, nothing can be mended any more",
        source: "GDPR Art. 32(1)(b) and (c)",
        fires: |charter, _| charter.maintainer.keys.len() < 2,
    },
    Lint {
        code: "same-name",
        severity: Severity::Weak,
        field: "curation.curators",
        words: "two keys have one name: where a key is named for a breach, readers may take one organisation for the other",
        source: "GDPR Art. 5(2) and 24(1)",
        fires: |charter, _| {
            // One maintainer may give all its keys one name.
            let curators: Vec<&str> = charter.curation.curators.iter().map(|curator| curator.key.name()).collect();
            let maintainers = || charter.maintainer.keys.iter().map(VerifierKey::name);
            let twice = |(at, name): (usize, &&str)| curators.iter().skip(at + 1).any(|other| other == name);
            curators.iter().enumerate().any(twice) || maintainers().any(|name| curators.contains(&name))
        },
    },
    Lint {
        code: "same-organisation",
        severity: Severity::Serious,
        field: "curation.curators",
        words: "one organisation is named twice, as two curators, or as maintainer and curator: it would agree with itself",
        source: "Big Brother Watch v. UK, ECtHR 58170/13 (2021), on independent authorisation",
        fires: |charter, _| {
            let curators = charter.curation.curators.iter().map(|curator| &curator.name);
            let names: Vec<String> =
                std::iter::once(&charter.maintainer.name).chain(curators).map(|name| organisation(name)).collect();
            names.iter().enumerate().any(|(at, name)| names.iter().skip(at + 1).any(|other| other == name))
        },
    },
    Lint {
        code: "named-as-the-log",
        severity: Severity::Weak,
        field: "curation.curators",
        words: "a key of the list is named as the log: where it is named for a breach, readers may take it for the log",
        source: "GDPR Art. 5(2) and 24(1)",
        fires: |charter, _| charter.keys().any(|key| key.name() == charter.log),
    },
    Lint {
        code: "no-statute",
        severity: Severity::Serious,
        field: "purpose.statutes",
        words: "no law is named on which the list rests",
        source: "ECHR Art. 8(2); EU Charter of Fundamental Rights Art. 52(1)",
        fires: |charter, _| charter.purpose.statutes.iter().all(|statute| names_no_law(&statute.instrument)),
    },
    Lint {
        code: "no-definition",
        severity: Severity::Serious,
        field: "purpose.definition",
        words: "nothing says what belongs on the list, so anything does",
        source: "ECHR Art. 8(2), foreseeable law; EU Charter of Fundamental Rights Art. 52(1)",
        fires: |charter, _| says_nothing(&charter.purpose.definition),
    },
    Lint {
        code: "no-exclusion",
        severity: Severity::Weak,
        field: "purpose.exclusions",
        words: "nothing is excluded: not art, not news, not research",
        source: "ECHR Art. 10; Regulation (EU) 2021/784 Art. 1(3)",
        fires: |charter, _| charter.purpose.exclusions.iter().all(|exclusion| says_nothing(exclusion)),
    },
    Lint {
        code: "prosecute",
        severity: Severity::Note,
        field: "purpose.aim",
        words: "the aim is to prosecute: whoever is matched becomes a suspect, with the rights of one",
        source: "ECHR Art. 6(2); Directive (EU) 2016/680 Art. 11",
        fires: |charter, _| charter.purpose.aim == Aim::Prosecute,
    },
    Lint {
        code: "end-to-end",
        severity: Severity::Note,
        field: "reach.surfaces",
        words: "it allows matching in end-to-end encrypted messages",
        source: "Podchasov v. Russia, ECtHR 33696/19 (2024)",
        fires: |charter, _| is_end_to_end(charter),
    },
    Lint {
        code: "end-to-end-unargued",
        severity: Severity::Serious,
        field: "record.proportionality",
        words: "it reaches into end-to-end encrypted messages, and the record neither weighs less intrusive means nor says why the balance is fair",
        source: "Podchasov v. Russia, ECtHR 33696/19 (2024); EU Charter Art. 52(1)",
        fires: |charter, _| {
            let record = &charter.record.proportionality;
            is_end_to_end(charter) && (is_blank(&record.alternatives) || is_blank(&record.fair_balance))
        },
    },
    Lint {
        code: "low-quality",
        severity: Severity::Weak,
        field: "matching.min_quality",
        words: "below 50, flat pictures match each other without meaning anything",
        source: "GDPR Art. 5(1)(d); Regulation (EU) 2022/2065 Art. 15(1)(e)",
        fires: |charter, _| charter.matching.algorithm.is_perceptual() && charter.matching.min_quality < 50,
    },
    Lint {
        code: "report",
        severity: Severity::Note,
        field: "action.most",
        words: "a match may be reported: an error can cost a person dearly",
        source: "Regulation (EU) 2022/2065 Art. 18; GDPR Art. 10",
        fires: |charter, _| charter.action.most == Action::Report,
    },
    Lint {
        code: "report-without-review",
        severity: Severity::Serious,
        field: "record.privacy.human_review",
        words: "a match may be reported, and no person is said to look at it before",
        source: "GDPR Art. 22; Regulation (EU) 2022/2065 Art. 20(6)",
        fires: |charter, _| charter.action.most == Action::Report && is_blank(&charter.record.privacy.human_review),
    },
    Lint {
        code: "one-curator",
        severity: Severity::Serious,
        field: "curation.threshold",
        words: "one curator alone can let a release pass",
        source: "Big Brother Watch v. UK, ECtHR 58170/13 (2021), on independent authorisation",
        fires: |charter, _| charter.curation.threshold < 2,
    },
    Lint {
        code: "all-curators",
        severity: Severity::Weak,
        field: "curation.threshold",
        words: "every curator must agree to each release: if one key is lost, nobody can be taken off the list any more",
        source: "GDPR Art. 32(1)(b) and (c), Art. 17(1)",
        fires: |charter, _| charter.curation.threshold >= charter.curation.curators.len() as u64,
    },
    Lint {
        code: "one-jurisdiction",
        severity: Severity::Weak,
        field: "curation.min_jurisdictions",
        words: "one state alone could compel all who must agree",
        source: "Big Brother Watch v. UK, ECtHR 58170/13 (2021), on independent supervision",
        fires: |charter, _| charter.curation.min_jurisdictions < 2,
    },
    Lint {
        code: "curators-at-home",
        severity: Severity::Weak,
        field: "curation.curators",
        words: "no curator sits outside of the maintainer's jurisdiction",
        source: "Big Brother Watch v. UK, ECtHR 58170/13 (2021), on independent supervision",
        fires: |charter, _| charter.curation.curators.iter().all(|curator| is_home(charter, &curator.jurisdiction)),
    },
    Lint {
        code: "short-visibility",
        severity: Severity::Weak,
        field: "limits.min_visibility",
        words: "less than a day: errors are in use before anybody can see them",
        source: "GDPR Art. 25(1), data protection by design",
        fires: |charter, _| charter.limits.min_visibility < DAY,
    },
    Lint {
        code: "long-validity",
        severity: Severity::Weak,
        field: "limits.validity",
        words: "more than 90 days: a frozen list is noticed late, and who was removed stays listed",
        source: "GDPR Art. 5(1)(d), kept up to date",
        fires: |charter, _| charter.limits.validity > 90 * DAY,
    },
    Lint {
        code: "short-notice",
        severity: Severity::Weak,
        field: "limits.notice",
        words: "less than 30 days: too short to object to a wider purpose",
        source: "Regulation (EU) 2022/2065 Art. 14(2); GDPR Art. 13(3)",
        fires: |charter, _| charter.limits.notice < 30 * DAY,
    },
    Lint {
        code: "slow-removal",
        severity: Severity::Weak,
        field: "redress.removal_deadline",
        words: "more than a week to remove what should not be there",
        source: "GDPR Art. 17(1), without undue delay",
        fires: |charter, _| charter.redress.removal_deadline > 7 * DAY,
    },
    Lint {
        code: "number-without-interval",
        severity: Severity::Weak,
        field: "record.quality",
        words: "precision or recall is given without the data set and the interval that make it a measurement",
        source: "Regulation (EU) 2022/2065 Art. 15(1)(e)",
        fires: |charter, _| {
            let quality = &charter.record.quality;
            let is_said =
                |name: &str, field: &Option<String>| field.as_ref().is_some_and(|said| !is_missing(name, said.trim()));
            let claims = is_said("quality.precision", &quality.precision) || is_said("quality.recall", &quality.recall);
            claims && (is_blank(&quality.measured_on) || !is_said(INTERVAL, &quality.interval))
        },
    },
    Lint {
        code: "review-ahead",
        severity: Severity::Weak,
        field: "record.proportionality.reviewed",
        words: "the review is dated ahead: it has not taken place yet",
        source: "GDPR Art. 5(2), accountability; Art. 35(11), review of the assessment",
        fires: |charter, now| day(&charter.record.proportionality.reviewed).is_some_and(|day| day > now.plus(EARLIEST)),
    },
    Lint {
        code: "review-overdue",
        severity: Severity::Weak,
        field: "record.quality.next_review",
        words: "the next review should have taken place already",
        source: "GDPR Art. 35(11); Art. 5(1)(d), kept up to date",
        fires: |charter, now| day(&charter.record.quality.next_review).is_some_and(|day| day.plus(DAY) <= now),
    },
    Lint {
        code: "review-order",
        severity: Severity::Weak,
        field: "record.quality.next_review",
        words: "the next review is not after the last one",
        source: "GDPR Art. 35(11); Art. 5(1)(d), kept up to date",
        fires: |charter, _| {
            let record = &charter.record;
            let both = day(&record.proportionality.reviewed).zip(day(&record.quality.next_review));
            both.is_some_and(|(last, next)| next <= last)
        },
    },
];

fn is_end_to_end(charter: &Charter) -> bool {
    charter.reach.surfaces.contains(&Surface::EndToEndEncrypted)
}

fn is_home(charter: &Charter, jurisdiction: &Jurisdiction) -> bool {
    jurisdiction.country() == charter.maintainer.jurisdiction.country()
}

fn is_blank(field: &Option<String>) -> bool {
    field.as_ref().is_none_or(|text| says_nothing(text))
}

/// What people write where they have nothing to say yet, or nothing at all, by its letters and digits alone.
const PLACEHOLDERS: [&str; 57] = [
    "todo",
    "tbd",
    "tba",
    "tbc",
    "tobedone",
    "tobedetermined",
    "tobedefined",
    "tobedecided",
    "tobeadded",
    "tobeannounced",
    "tobecompleted",
    "fixme",
    "fillme",
    "fillin",
    "fillthisin",
    "placeholder",
    "loremipsum",
    "dummy",
    "example",
    "sample",
    "test",
    "draft",
    "pending",
    "later",
    "open",
    "unknown",
    "undefined",
    "unspecified",
    "notapplicable",
    "notavailable",
    "notyet",
    "na",
    "nil",
    "null",
    "nan",
    "none",
    "nothing",
    "nobody",
    "empty",
    "blank",
    "no",
    "yes",
    "ok",
    "asdf",
    "foo",
    "bar",
    "foobar",
    "keine",
    "keiner",
    "nichts",
    "offen",
    "folgt",
    "unbekannt",
    "aucun",
    "néant",
    "ninguno",
    "pendiente",
];

/// Those of them that answer the question to whom something goes.
const NOBODY: [&str; 11] =
    ["none", "no", "nothing", "nobody", "keine", "keiner", "nichts", "aucun", "néant", "ninguno", "nil"];

/// Whether a text says nothing: it has less than two letters of any script, or is such a word, or one letter again and again.
fn says_nothing(text: &str) -> bool {
    text.chars().filter(|letter| letter.is_alphabetic()).count() < 2 || is_placeholder(text) || is_monotonous(text)
}

/// Whether a text names no law: beside words, a section or the number of an act does, such as `§ 1`, `2011/93`, `6(1)(c)` and `s. 72`.
fn names_no_law(text: &str) -> bool {
    says_nothing(text) && !is_reference(text)
}

fn is_reference(text: &str) -> bool {
    let is_section = text.contains('§') || text.contains(char::is_alphabetic);
    let has_number = text.chars().any(|letter| matches!(letter, '1'..='9'));
    has_number && (is_section || numbers(text).count() > 1 && !is_monotonous(text))
}

/// Whether a text says no time: beside words, a number of units does, such as `24 h`, but none of nothing, such as `0 s` or `0 days`.
fn says_no_time(text: &str) -> bool {
    let (has_unit, has_digit) =
        (text.contains(char::is_alphabetic), text.contains(|letter: char| letter.is_ascii_digit()));
    let has_number = text.chars().any(|letter| matches!(letter, '1'..='9'));
    let words = text.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty()).count();
    match has_digit {
        true if has_number => !has_unit,
        true => words <= 1,
        false => says_nothing(text),
    }
}

/// Whether a text says nothing of whom something goes to: that it goes to nobody is an answer.
fn says_no_recipient(text: &str) -> bool {
    says_nothing(text) && !NOBODY.contains(&plain(text).as_str())
}

/// The runs of digits in a text.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_digit()).filter(|digits| !digits.is_empty())
}

fn is_placeholder(text: &str) -> bool {
    PLACEHOLDERS.contains(&plain(text).as_str())
}

/// `xxx`, `aaaa`, `000…`.
fn is_monotonous(text: &str) -> bool {
    let word = plain(text);
    word.chars().all(|letter| word.starts_with(letter))
}

/// A text by its letters and digits alone, small.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The name of an organisation as it is compared: by its letters and digits, if it has any.
fn organisation(name: &str) -> String {
    Some(plain(name)).filter(|plain| !plain.is_empty()).unwrap_or_else(|| name.trim().to_owned())
}

/// How much earlier than in UTC a day begins somewhere.
const EARLIEST: u64 = 14 * 3_600;

/// The beginning of a day, in UTC.
fn day(field: &Option<String>) -> Option<Timestamp> {
    midnight(field.as_deref()?.trim())
}

fn midnight(date: &str) -> Option<Timestamp> {
    Timestamp::from_rfc3339(&format!("{date}T00:00:00Z"))
}

/// How much each field of the record weighs if it is missing, and who asks for it.
const RECORD: &[(&str, Severity, &str)] = &[
    ("legality.basis", Severity::Serious, "ECHR Art. 8(2); EU Charter Art. 52(1), provided for by law"),
    ("legality.authority_notice", Severity::Note, "Regulation (EU) 2022/2065 Art. 22, on trusted flaggers"),
    ("legality.foreseeability", Severity::Weak, "ECHR Art. 8(2), accessible and foreseeable law"),
    ("proportionality.aim", Severity::Serious, "EU Charter Art. 52(1), an objective of general interest"),
    ("proportionality.evidence", Severity::Weak, "EU Charter Art. 52(1), necessity"),
    ("proportionality.rational_connection", Severity::Weak, "EU Charter Art. 52(1), genuinely meets the objective"),
    ("proportionality.alternatives", Severity::Weak, "EU Charter Art. 52(1), the least intrusive means"),
    ("proportionality.fair_balance", Severity::Serious, "EU Charter Art. 52(1), proportionality in the strict sense"),
    ("proportionality.reviewer", Severity::Weak, "GDPR Art. 5(2), accountability"),
    ("proportionality.reviewed", Severity::Weak, "GDPR Art. 35(11), review of the assessment"),
    ("privacy.controller", Severity::Serious, "GDPR Art. 13(1)(a) and 14(1)(a)"),
    ("privacy.gdpr_basis", Severity::Serious, "GDPR Art. 6(1)"),
    ("privacy.dpia_sha256", Severity::Weak, "GDPR Art. 35(1) and (3)"),
    ("privacy.human_review", Severity::Weak, "GDPR Art. 22"),
    ("privacy.retention", Severity::Weak, "GDPR Art. 5(1)(e)"),
    ("privacy.transfers", Severity::Weak, "GDPR Art. 44"),
    ("quality.reviews_per_entry", Severity::Weak, "GDPR Art. 5(1)(d)"),
    ("quality.precision", Severity::Weak, "Regulation (EU) 2022/2065 Art. 15(1)(e)"),
    ("quality.recall", Severity::Note, "Regulation (EU) 2022/2065 Art. 15(1)(e)"),
    ("quality.measured_on", Severity::Weak, "Regulation (EU) 2022/2065 Art. 15(1)(e)"),
    ("quality.interval", Severity::Weak, "Regulation (EU) 2022/2065 Art. 15(1)(e)"),
    ("quality.next_review", Severity::Note, "GDPR Art. 35(11)"),
    (
        "accountability.complaints",
        Severity::Serious,
        "EU Charter Art. 47; ECHR Art. 13; Regulation (EU) 2022/2065 Art. 20",
    ),
    ("accountability.removal", Severity::Weak, "GDPR Art. 17(1)"),
    ("accountability.audits", Severity::Weak, "GDPR Art. 5(2); Regulation (EU) 2022/2065 Art. 37"),
];

/// Whether a text has the form that is asked for.
type Form = fn(&str) -> bool;

/// The fields of the record that people and programs compare with others, and what they have to be.
const FORMS: &[(&str, Form, &str)] = &[
    ("proportionality.reviewed", is_date, "a date such as 2026-01-31"),
    ("privacy.dpia_sha256", is_digest, "a SHA-256 in 64 hexadecimal digits"),
    ("quality.reviews_per_entry", is_number, "a number from 1 on, such as 2"),
    ("quality.precision", is_share, "a fraction above 0, such as 0.9998"),
    ("quality.recall", is_share, "a fraction above 0, such as 0.9998"),
    ("quality.next_review", is_date, "a date such as 2026-01-31"),
];

/// The field that may be said in numbers alone.
const INTERVAL: &str = "quality.interval";
/// The SHA-256 of nothing.
const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn is_date(text: &str) -> bool {
    midnight(text).is_some()
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_number(text: &str) -> bool {
    text.parse::<u64>().is_ok_and(|number| number > 0)
}

fn is_share(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let are_digits =
        [whole, part].iter().all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    are_digits && text.parse::<f64>().is_ok_and(|share| share > 0.0 && share <= 1.0)
}

/// Whether a text says nothing where it stands.
type Silence = fn(&str) -> bool;

/// Fields of the record in which a short text, or one without letters, can be an answer.
const ANSWERS: [(&str, Silence); 5] = [
    ("legality.basis", names_no_law),
    ("privacy.gdpr_basis", names_no_law),
    ("privacy.retention", says_no_time),
    ("privacy.transfers", says_no_recipient),
    ("accountability.removal", says_no_time),
];

/// Whether a field of the record says nothing. What has a form, or is an interval, may do without letters; a digest of zeros, or of an empty
/// file, is none.
fn is_missing(name: &str, said: &str) -> bool {
    let is_formed = name == INTERVAL || FORMS.iter().any(|(formed, ..)| *formed == name);
    let is_of_nothing = || is_digest(said) && (is_monotonous(said) || said.eq_ignore_ascii_case(OF_NOTHING));
    if is_formed && said.bytes().any(|byte| byte.is_ascii_digit()) {
        return is_of_nothing();
    }
    let own = ANSWERS.iter().find(|(answered, _)| *answered == name);
    own.map_or_else(|| says_nothing(said), |(_, says_nothing)| says_nothing(said))
}

/// The fields of `record` that say nothing, and those whose value has not the form that it needs.
fn record(charter: &Charter) -> Vec<Finding> {
    let record = serde_json::to_value(&charter.record).unwrap_or(Value::Null);
    let text = |part: &str, field: &str| {
        let value = record.get(part).and_then(|part| part.get(field)).and_then(Value::as_str);
        value.unwrap_or_default().trim().to_owned()
    };
    let finding = |(part, field, about): (&str, &str, &str)| {
        let (name, said) = (format!("{part}.{field}"), text(part, field));
        let (_, severity, source) = RECORD.iter().find(|(known, ..)| *known == name)?;
        let form = FORMS.iter().find(|(formed, is_formed, _)| *formed == name && !is_formed(&said));
        let (what, severity, words) = match form {
            _ if said.is_empty() => ("missing", *severity, format!("missing: {about}")),
            _ if is_missing(&name, &said) => {
                ("missing", *severity, format!("missing: {about} {said:?} does not say that"))
            }
            Some((.., wanted)) => {
                ("form", Severity::Weak, format!("{said:?} is not {wanted}, to which it could be held"))
            }
            None => return None,
        };
        Some(Finding { code: format!("{what} {name}"), severity, field: format!("record.{name}"), words, source })
    };
    RECORD_QUESTIONS.into_iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests;
