use super::*;
use crate::charter::{Edition, from_toml, to_toml};
use crate::testing;
use isonomy_core::charter::Statute;

/// Fields with a form, a text that has it, and one that has not.
const FORMED: [(&str, &str, &str); 6] = [
    ("proportionality.reviewed", "2026-01-31", "2026-02-30"),
    ("privacy.dpia_sha256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "9f86"),
    ("quality.reviews_per_entry", "2", "two or three"),
    ("quality.precision", "0.9998", "1.5"),
    ("quality.recall", "1", "-0.5"),
    ("quality.next_review", "2027-01-31", "soon"),
];

/// A charter to which nobody could object: nothing is missing, nothing weak.
fn good() -> Charter {
    let mut charter = testing::charter();
    charter.purpose.statutes = vec![Statute {
        jurisdiction: charter.maintainer.jurisdiction.clone(),
        instrument: "StGB".to_owned(),
        provision: "§ 184b".to_owned(),
    }];
    charter.purpose.exclusions = vec!["Art, medicine and news.".to_owned()];
    charter.purpose.aim = Aim::ProtectVictims;
    charter.reach.surfaces = vec![Surface::Public];
    charter.matching.min_quality = 50;
    charter.action.most = Action::Warn;
    charter.action.recipients = Vec::new();
    let limits = &mut charter.limits;
    (limits.min_visibility, limits.validity, limits.notice) = (DAY, 14 * DAY, 30 * DAY);
    charter.redress.removal_deadline = 3 * DAY;
    // Every field of the record, by the file.
    let mut file = to_toml(&charter).unwrap();
    for (part, field, _) in RECORD_QUESTIONS {
        let (head, tail) = file.split_once(&format!("[record.{part}]")).unwrap();
        let name = format!("{part}.{field}");
        let said = FORMED.iter().find(|(formed, ..)| *formed == name).map_or("said", |(_, right, _)| right);
        let tail = tail.replacen(&format!("# {field} = \"\""), &format!("{field} = \"{said}\""), 1);
        file = format!("{head}[record.{part}]{tail}");
    }
    from_toml(file.as_bytes(), Edition::First).unwrap()
}

/// A key of this name that nobody else has.
fn another(name: &str) -> VerifierKey {
    let key = isonomy_core::note::SigningKey::from_seed(name, isonomy_core::note::KeyType::Ed25519, &[77; 32]);
    key.unwrap().verifier().clone()
}

/// Spoils a charter.
type Fault = fn(&mut Charter);

/// Between the reviews of a good charter.
fn now() -> Timestamp {
    midnight("2026-06-30").unwrap()
}

fn codes(charter: &Charter) -> Vec<String> {
    lint(charter, now()).into_iter().map(|finding| finding.code).collect()
}

/// The good charter, with another text in a field of its record.
fn saying(name: &str, text: &str) -> Charter {
    let mut record = serde_json::to_value(&good().record).unwrap();
    let (part, field) = name.split_once('.').unwrap();
    record[part][field] = text.into();
    Charter { record: serde_json::from_value(record).unwrap(), ..good() }
}

#[test]
fn every_lint_passes_a_good_charter_and_finds_the_fault_in_a_bad_one() {
    let good = good();
    assert_eq!(codes(&good), Vec::<String>::new());
    let faults: [(&str, Fault); 25] = [
        ("one-key", |charter| charter.maintainer.keys.truncate(1)),
        ("same-name", |charter| {
            let name = charter.curation.curators[1].key.name().to_owned();
            charter.curation.curators[0].key = another(&name);
        }),
        ("same-organisation", |charter| charter.curation.curators[1].name = charter.curation.curators[0].name.clone()),
        ("named-as-the-log", |charter| charter.curation.curators[0].key = another(&charter.log)),
        ("no-statute", |charter| charter.purpose.statutes[0].instrument = "???".to_owned()),
        ("no-definition", |charter| charter.purpose.definition = "t.b.d.".to_owned()),
        ("no-exclusion", |charter| charter.purpose.exclusions = vec!["None.".to_owned()]),
        ("prosecute", |charter| charter.purpose.aim = Aim::Prosecute),
        ("end-to-end", |charter| charter.reach.surfaces.push(Surface::EndToEndEncrypted)),
        ("end-to-end-unargued", |charter| {
            charter.reach.surfaces.push(Surface::EndToEndEncrypted);
            charter.record.proportionality.fair_balance = None;
        }),
        ("low-quality", |charter| charter.matching.min_quality = 49),
        ("report", |charter| charter.action.most = Action::Report),
        ("report-without-review", |charter| {
            charter.action.most = Action::Report;
            charter.record.privacy.human_review = Some(" ".to_owned());
        }),
        ("one-curator", |charter| charter.curation.threshold = 1),
        ("all-curators", |charter| charter.curation.threshold = charter.curation.curators.len() as u64),
        ("one-jurisdiction", |charter| charter.curation.min_jurisdictions = 1),
        ("curators-at-home", |charter| {
            let home = charter.maintainer.jurisdiction.clone();
            charter.curation.curators.iter_mut().for_each(|curator| curator.jurisdiction = home.clone());
        }),
        ("short-visibility", |charter| charter.limits.min_visibility = DAY - 1),
        ("long-validity", |charter| charter.limits.validity = 90 * DAY + 1),
        ("short-notice", |charter| charter.limits.notice = 30 * DAY - 1),
        ("slow-removal", |charter| charter.redress.removal_deadline = 7 * DAY + 1),
        ("number-without-interval", |charter| charter.record.quality.interval = None),
        ("review-ahead", |charter| charter.record.proportionality.reviewed = Some("2026-07-02".to_owned())),
        ("review-overdue", |charter| charter.record.quality.next_review = Some("2026-06-29".to_owned())),
        ("review-order", |charter| {
            let record = &mut charter.record;
            record.quality.next_review = record.proportionality.reviewed.clone();
        }),
    ];
    assert!(faults.iter().map(|fault| fault.0).eq(TERMS.iter().map(|lint| lint.code)), "each lint has its fault");
    for (code, spoil) in faults {
        let mut bad = good.clone();
        spoil(&mut bad);
        assert!(codes(&bad).contains(&code.to_owned()), "{code}: {:?}", codes(&bad));
    }
}

#[test]
fn an_organisation_is_known_by_its_name_however_it_is_written() {
    let named = |maintainer: &str, curators: [&str; 2]| {
        let mut charter = good();
        charter.maintainer.name = maintainer.to_owned();
        for (curator, name) in charter.curation.curators.iter_mut().zip(curators) {
            curator.name = name.to_owned();
        }
        lint(&charter, now())
    };
    for (maintainer, curators) in [
        ("Hotline", ["Curator One", "curator one "]),
        ("Hotline", ["Curator-One", "CURATOR ONE."]),
        ("Hotline e. V.", ["Curator One", "Hotline e.V."]),
        ("Hotline", ["§", "§ "]),
    ] {
        let found = named(maintainer, curators);
        assert_eq!(found.len(), 1, "{maintainer}, {curators:?}: {found:?}");
        assert_eq!((&*found[0].code, found[0].severity), ("same-organisation", Severity::Serious));
        assert!(!found[0].source.is_empty());
    }
    for (maintainer, curators) in [("Hotline", ["Curator One", "Curator Two"]), ("§", ["¶", "Hotline"])] {
        assert_eq!(named(maintainer, curators), [], "{maintainer}, {curators:?}");
    }
}

#[test]
fn what_is_compared_with_others_has_a_form() {
    assert!(FORMED.iter().map(|formed| formed.0).eq(FORMS.iter().map(|form| form.0)), "each form has its fault");
    for (name, right, wrong) in FORMED {
        let file = to_toml(&good()).unwrap();
        let field = name.rsplit('.').next().unwrap();
        let bad = file.replace(&format!("{field} = \"{right}\""), &format!("{field} = \"{wrong}\""));
        let found = lint(&from_toml(bad.as_bytes(), Edition::First).unwrap(), now());
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!((&found[0].code, found[0].severity), (&format!("form {name}"), Severity::Weak));
        assert!(found[0].words.contains(wrong) && !found[0].source.is_empty());
    }
}

#[test]
fn what_says_nothing_is_missing() {
    for (name, severity, source) in RECORD {
        for nothing in [
            "TODO",
            ".",
            "-",
            "???",
            "x",
            "tbd",
            "None",
            " n/a ",
            "xxx",
            "T.B.D.",
            "To be determined",
            "§",
            "—",
            "no",
            "…",
        ] {
            // That data goes to no country is an answer.
            if *name == "privacy.transfers" && ["None", "no"].contains(&nothing) {
                continue;
            }
            let found = lint(&saying(name, nothing), now());
            let missing = found.iter().find(|finding| finding.code == format!("missing {name}"));
            let missing = missing.unwrap_or_else(|| panic!("{name}: {nothing:?} says something: {found:?}"));
            assert_eq!((missing.severity, missing.source), (*severity, *source));
        }
    }
    for (name, something) in [
        ("legality.basis", "§ 184b StGB"),
        ("legality.basis", "法律"),
        ("privacy.retention", "30 Tage"),
        ("accountability.audits", "Nobody yet; one is ordered."),
        ("quality.interval", "[0.9991, 0.9999]"),
        ("quality.reviews_per_entry", "11"),
        ("quality.recall", "0.11"),
    ] {
        assert_eq!(codes(&saying(name, something)), Vec::<String>::new(), "{name}: {something}");
    }
    for digest in ["0".repeat(64), "f".repeat(64), OF_NOTHING.to_uppercase()] {
        assert_eq!(codes(&saying("privacy.dpia_sha256", &digest)), ["missing privacy.dpia_sha256"]);
    }
}

#[test]
fn a_short_answer_is_one_where_its_field_asks_for_it() {
    let of = |name: &str, text: &str| codes(&saying(name, text));
    for (name, answers, nothing) in [
        (
            "privacy.transfers",
            &["None", "none", "None.", "no", "Keine", "néant", "nil", "US"][..],
            &["n/a", "TBD", "xxx", "-", "null", "?", "0", "unknown", "not applicable", "tba"][..],
        ),
        (
            "privacy.retention",
            &[
                "24 h",
                "30 d",
                "7d",
                "1 y",
                "3日",
                "PT24H",
                "30 days",
                "until the case is closed",
                "0 days: nothing is kept",
            ],
            &["0 s", "0 h", "0", "00 d", "0 days", "24", "h", "none", "n/a", "xx", "TBD", "§ 1", "1/1"],
        ),
        (
            "accountability.removal",
            &["24 h", "72h", "3 d", "at once"],
            &["0 s", "0 hours", "24", "none", "TBC", "n/a", "…"],
        ),
        (
            "legality.basis",
            &["2011/93", "§ 1", "§1", "§ 184b", "s. 72", "6(1)(c)", "2021/1232", "法1"],
            &["1", "184", "00/00", "11/11", "§", "§ x", "n/a", "TBD", "xxx", "none", "0/0", "§ 0", "?"],
        ),
        ("privacy.gdpr_basis", &["6(1)(c)", "6 (1) f", "Art. 6"], &["6", "f", "none", "n/a", "xx"]),
    ] {
        for answer in answers {
            assert_eq!(of(name, answer), Vec::<String>::new(), "{name}: {answer}");
        }
        for nothing in nothing {
            assert_eq!(of(name, nothing), [format!("missing {name}")], "{name}: {nothing}");
        }
    }
    // Elsewhere these say nothing: that nobody audits is no audit, and a period is no person.
    for (name, nothing) in [
        ("accountability.audits", "none"),
        ("proportionality.reviewer", "nobody"),
        ("proportionality.alternatives", "None"),
        ("legality.authority_notice", "none"),
        ("privacy.controller", "24 h"),
        ("proportionality.aim", "§ 1"),
        ("proportionality.evidence", "2011/93"),
    ] {
        assert_eq!(of(name, nothing), [format!("missing {name}")], "{name}: {nothing}");
    }
    for (instrument, is_law) in [
        ("2011/93", true),
        ("§ 1", true),
        ("2258A", true),
        ("18", false),
        ("n/a", false),
        ("xxx", false),
        ("00/00", false),
    ] {
        let mut charter = good();
        charter.purpose.statutes[0].instrument = instrument.to_owned();
        let found = codes(&charter);
        assert_eq!(found.is_empty(), is_law, "{instrument}: {found:?}");
    }
}

#[test]
fn numbers_of_nothing_have_not_the_form() {
    for (name, wrong) in [
        ("quality.reviews_per_entry", "0"),
        ("quality.precision", "0"),
        ("quality.precision", "0.000"),
        ("quality.precision", "1."),
        ("quality.precision", ".5"),
        ("quality.recall", "0.0"),
        ("quality.recall", "1.01"),
    ] {
        assert_eq!(codes(&saying(name, wrong)), [format!("form {name}")], "{wrong}");
    }
}

#[test]
fn reviews_are_dated_by_the_time_of_the_reader() {
    let at = |date: &str, hours: u64| midnight(date).unwrap().plus(hours * 3_600);
    let found = |now| lint(&good(), now).into_iter().map(|finding| finding.code).collect::<Vec<_>>();
    // Where the day begins earlier than in UTC, a review of today is none that is ahead.
    assert_eq!(found(at("2026-01-30", 9)), ["review-ahead"]);
    assert_eq!(found(at("2026-01-30", 10)), Vec::<String>::new());
    assert_eq!(found(at("2027-01-31", 23)), Vec::<String>::new());
    assert_eq!(found(at("2027-02-01", 0)), ["review-overdue"]);
    let old = codes(&saying("quality.next_review", "1999-01-01"));
    assert_eq!(old, ["review-overdue", "review-order"]);
    assert_eq!(codes(&saying("proportionality.reviewed", "2126-01-01")), ["review-ahead", "review-order"]);
}

#[test]
fn every_field_of_the_record_is_asked_for_with_a_source_of_its_own() {
    let mut bare = good();
    bare.record = isonomy_core::charter::Record::default();
    let findings = lint(&bare, now());
    assert_eq!(findings.len(), RECORD.len());
    for (name, severity, source) in RECORD {
        let finding = findings.iter().find(|finding| finding.code == format!("missing {name}"));
        let finding = finding.unwrap_or_else(|| panic!("{name} is not asked for"));
        assert_eq!((finding.severity, finding.source), (*severity, *source));
    }
    assert!(findings.windows(2).all(|pair| pair[0].severity >= pair[1].severity), "the heaviest first");
}
