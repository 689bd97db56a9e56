//! The table of detection times in `docs/threat-model.md`, at a small size; the full one takes a command of its own.

use isonomy_tests::simulation::{Row, Setting, Targets, run, table};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/threat-model.md");
const MARK: &str = "<!-- simulation: 2000 clients -->\n";

#[test]
fn the_small_table_is_what_the_documentation_says() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(MARK).expect("the place of the small table");
    let (_, after) = rest.split_once("\n\n").expect("text after it");
    let expected = format!("{before}{MARK}{}\n{after}", table(2000, 11));
    if std::env::var_os("ISONOMY_UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, expected).unwrap();
    } else {
        assert!(page == expected, "ISONOMY_UPDATE_DOCS=1 writes the table anew:\n{}", table(2000, 11));
    }
}

const ONE: Setting = Setting { clients: 2000, targets: Targets::Strewn(1), messages: 100, comparing: 0 };

#[test]
fn a_run_follows_from_its_seed() {
    assert_eq!(run(ONE, 7), run(ONE, 7));
    assert!((1..20).any(|seed| run(ONE, seed) != run(ONE, seed + 1)));
}

#[test]
fn who_never_compares_finds_nothing() {
    let silent = Setting { messages: 0, ..ONE };
    assert_eq!(run(silent, 1).hours, None);
    let all = Setting { targets: Targets::Groups(40), ..ONE };
    assert_eq!(run(all, 1).hours, None, "where all are shown the same there is no split view");
}

/// By a second method: one target that sends and gets one message a day each is found after a time that is about
/// exponential with a rate of two a day; the median is then ln 2 / 2 days, 8.3 hours, after its first poll, which takes 12
/// hours in the mean.
#[test]
fn one_target_is_found_about_when_arithmetic_says() {
    let median = Row::of(ONE, 101).percentile(50);
    assert!((14..=28).contains(&median), "{median} h");
}
