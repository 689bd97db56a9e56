use super::*;

#[test]
fn values_are_marks_dates_or_texts() {
    for (text, expected) in [
        ("null", None),
        ("N/A", None),
        ("\\N", None),
        ("2026", Some(Value::Year)),
        ("Q1 2026", Some(Value::Date)),
        ("gelöscht", Some(Value::Other)),
        ("-", Some(Value::Dash)),
        ("—", Some(Value::Dash)),
        ("+", Some(Value::Mark)),
        ("✓", Some(Value::Mark)),
        ("x", Some(Value::Mark)),
        ("D", Some(Value::Mark)),
        ("False", Some(Value::Answer)),
        ("Nein", Some(Value::Answer)),
        ("WAHR", Some(Value::Answer)),
        ("Fałsz", Some(Value::Answer)),
        ("46022", Some(Value::Number)),
        ("0", Some(Value::Bit)),
        ("1.0", Some(Value::Bit)),
        ("2026.0", Some(Value::Year)),
        ("1.00.0", Some(Value::Other)),
        ("1767225600", Some(Value::Seconds)),
        ("1767225600.5", Some(Value::Seconds)),
        ("1767225600000", Some(Value::Seconds)),
        ("2026-01-31", Some(Value::Date)),
        ("2026-01-31T10:00:00Z", Some(Value::Date)),
        ("2026-01-31 10:00:00+01:00", Some(Value::Date)),
        ("31.1.2026", Some(Value::Date)),
        ("1/31/26", Some(Value::Date)),
        ("20260131", Some(Value::Date)),
        ("31 January 2026", Some(Value::Date)),
        ("Jan 31, 2026", Some(Value::Date)),
        ("1.2.3", Some(Value::Other)),
        ("192.168.0.1", Some(Value::Other)),
        ("99999999", Some(Value::Number)),
        ("7", Some(Value::Number)),
        ("640", Some(Value::Number)),
        ("10150000000000001", Some(Value::Number)),
        ("may be", Some(Value::Other)),
        ("a.jpg", Some(Value::Other)),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    assert_eq!(value(&"1".repeat(LONGEST + 1)), Some(Value::Other));
}

#[test]
fn names_excuse_what_they_explain() {
    for (name, values, rows, expected) in [
        ("is_csam", &["false"][..], 1, true),
        ("valid_until", &["2026-01-31", "null"], 2, true),
        ("valid_until", &["2026-01-31", "-"], 2, true),
        ("mark", &["-"], 1, true),
        ("mark", &["-", "see below"], 2, true),
        ("is_csam", &["no", "yes", "unsure"], 3, true),
        ("is_csam", &["no", "no, by a long text that nobody reads"], 2, true),
        ("is_csam", &["no", "see a", "see b", "see c", "see d"], 5, false),
        ("is_csam", &["no", "see a", "see b", "see c"], 4, true),
        ("is_csam", &["WAHR", "FALSCH"], 2, true),
        ("valid_from", &["46022", ""], 2, true),
        ("Date Added", &["46022", "46023"], 2, false),
        ("weight", &["46022"], 1, false),
        ("update_size", &["46022"], 1, false),
        ("void", &["0", "1"], 2, true),
        ("still_valid", &["0", "1"], 2, true),
        ("account", &["0", "1"], 2, true),
        ("account paid", &["0", "1"], 2, true),
        ("memberId", &["0", "1"], 2, false),
        ("View Count", &["0", "1"], 2, false),
        ("file_is_csam", &["yes", "no"], 2, true),
        ("profile", &["x"], 1, true),
        ("file_path", &["x", "a.jpg"], 2, false),
        ("File", &["yes"], 1, true),
        ("source", &["yes", "no", "a"], 3, true),
        ("width", &["1", "640"], 2, false),
        ("added_on", &["2026-01-31", "unknown"], 2, false),
        ("note", &["null"], 1, false),
        ("width", &["1"], 1, false),
        ("width", &["yes"], 1, true),
        ("descriptor_id", &["1596221265"], 1, false),
        ("file", &["x"], 1, false),
        ("added_on", &["2026-01-31"], 2, false),
        ("First Seen", &["1767225600"], 2, false),
        ("created", &["yes"], 1, true),
        ("date", &["2026-01-31"], 1, false),
        ("date", &["2026-01-31"], 2, true),
        // Few values in any language, and what is no such column.
        ("Zustand", &["aktiv", "gelöscht", "aktiv"], 3, true),
        ("lifecycle_stage", &["live", "retired", "live"], 3, true),
        ("supprimé", &["supprimé"], 4, true),
        ("supprimé", &["supprimé", "-"], 2, true),
        ("state of things", &["3", "7", "3"], 3, true),
        ("отозвано", &["отозвано заявителем"], 2, true),
        ("entfernt", &["1. März 2026"], 4, true),
        ("entfernt", &["2026"], 4, true),
        ("entfernt", &["2026", "2025", "2026"], 4, true),
        ("kb", &["2026", "300", "12"], 3, false),
        ("year", &["2025", "2026"], 2, false),
        ("width", &["2026", "2025"], 2, false),
        ("frame", &["0", "0", "7"], 3, false),
        ("stage", &["a few", "a few", "b few", "c few", "d few", "e few"], 6, false),
        ("stage", &["live", "live", "an explanation that is very long"], 3, false),
        ("stage", &["live", "gone at the wish of whoever is in it", "gone at the wish of whoever is in it"], 3, true),
        ("address", &["http://a.example/picture/1.jpg", "http://a.example/picture/2.jpg"], 3, false),
        ("address", &["http://a.example/picture/1.jpg"], 3, false),
        ("sha1", &["a9993e364706816aba3e25717850c26c9cd0d89d", "a9993e364706816aba3e25717850c26c9cd0d89d"], 2, false),
        ("Bemerkung", &["siehe a", "siehe b", "siehe c"], 4, false),
        ("note", &["see below"], 2, false),
        ("note", &["see below", "see below"], 3, false),
        ("note", &["gelöscht"], 2, true),
        ("mime", &["image/png", "image/jpeg", "image/png"], 3, false),
        ("case id", &["K-1", "K-1"], 2, false),
        ("id", &["K-1", "K-2", "K-3"], 3, false),
        // Of one row or two, a word may be a state; an id, an address or a text of several words is none.
        ("Zustand", &["gelöscht"], 1, true),
        ("Zustand", &["aktiv", "gelöscht"], 2, true),
        ("lifecycle", &["gone"], 1, true),
        ("lifecycle", &["del."], 1, true),
        ("Bemerkung", &["gelöscht", "auf Wunsch der Person, die zu sehen ist"], 2, true),
        ("Bemerkung", &["siehe Akte"], 1, false),
        ("Kennung", &["K-1"], 1, false),
        ("Kennung", &["K-1", "K-2"], 2, false),
        ("Gewicht", &["12"], 1, false),
        ("Adresse", &["a.example"], 1, false),
        ("Bild", &["a.jpg", "b.jpg"], 2, false),
        ("file", &["removal"], 1, false),
    ] {
        let mut column = Column::new(name.to_owned());
        values.iter().for_each(|value| column.look_at(value.as_bytes()));
        assert_eq!(column.marks(rows).is_some(), expected, "{name}: {values:?}");
    }
}

/// A state may have many words, which come again; ids, names and free texts don't, or not so often.
#[test]
fn many_words_are_those_of_a_state_if_there_are_more_rows() {
    let cycle = |values: &[String], rows: usize| -> Vec<String> { values.iter().cycle().take(rows).cloned().collect() };
    let letters =
        |number: usize| format!("{}{}", char::from(b'a' + (number / 26) as u8), char::from(b'a' + (number % 26) as u8));
    let words = |count: usize| (0..count).map(|number| format!("wort{}", letters(number))).collect::<Vec<String>>();
    let phrases = |count: usize| words(count).iter().map(|word| format!("im {word}")).collect::<Vec<String>>();
    let long = |count: usize| {
        words(count).iter().map(|word| format!("withdrawn_by_request_of_{word}")).collect::<Vec<String>>()
    };
    let codes = |count: usize| (0..count).map(|number| format!("K-{number}")).collect::<Vec<String>>();
    let states = ["aktiv", "gelöscht", "beanstandet", "offen", "geprüft", "abgelaufen"].map(str::to_owned).to_vec();
    let with = |values: Vec<String>, more: Vec<String>| [values, more].concat();
    for (name, values, rows, expected) in [
        ("Zustand", cycle(&states, 9), 9, true),
        ("Zustand", cycle(&states, 12), 12, true),
        ("Zustand", cycle(&states, 8), 8, false),
        ("Zustand", states.clone(), 100, true),
        ("Zustand", cycle(&words(32), 100), 100, true),
        ("Zustand", cycle(&words(32), 48), 48, true),
        ("Zustand", cycle(&words(32), 47), 47, false),
        ("Zustand", cycle(&words(33), 10_000), 10_000, false),
        ("Zustand", cycle(&phrases(6), 12), 12, true),
        ("Zustand", cycle(&long(6), 12), 12, true),
        ("Zustand", with(cycle(&states, 30), vec!["ok".into(), "7".into(), "K-1".into()]), 33, true),
        ("Zustand", with(cycle(&states, 30), codes(4)), 34, false),
        // Texts of several words that stand in a few rows.
        ("Bemerkung", phrases(6), 100, false),
        ("Name der Datei", words(20), 20, false),
        ("Fall", codes(20), 20, false),
        ("Fall", cycle(&codes(20), 1_000), 1_000, false),
        ("Gewicht", (0..200).map(|number| (number % 20).to_string()).collect(), 200, false),
        ("reporter", cycle(&states, 100), 100, false),
        ("source", cycle(&states, 100), 100, false),
        ("member id", cycle(&states, 100), 100, false),
    ] {
        let mut column = Column::new(name.to_owned());
        values.iter().for_each(|value| column.look_at(value.as_bytes()));
        assert_eq!(column.marks(rows).is_some(), expected, "{name}: {rows} rows, {values:?}");
    }
}
