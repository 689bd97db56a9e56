//! Other values for each line of a canonical text.

use isonomy_core::encoding::to_base64;

/// Values instead of a string, whatever it says.
const STRINGS: [&str; 18] = [
    r#""""#,
    r#"" ""#,
    "\"\u{2003}\"",
    "\"\u{feff}\"",
    r#""x""#,
    r#""X""#,
    r#""a b""#,
    r#""a+b""#,
    r#""Mars""#,
    r#""de""#,
    r#""DE-""#,
    r#""DE-ABCD""#,
    r#""DE-by""#,
    "\"\u{e9}\"",
    r#""\ud800""#,
    r#""\u0041""#,
    "null",
    "1",
];
/// Values instead of a number.
const NUMBERS: [&str; 20] = [
    "0",
    "1",
    "2",
    "3",
    "5",
    "7",
    "10",
    "11",
    "31",
    "32",
    "100",
    "101",
    "255",
    "4294967296",
    "9007199254740991",
    "9007199254740992",
    "-1",
    "1.0",
    "1e0",
    "true",
];
/// Values instead of a time.
const TIMES: [&str; 12] = [
    "2026-99-99T00:00:00Z",
    "2027-02-29T00:00:00Z",
    "2028-02-29T00:00:00Z",
    "2027-01-15T24:00:00Z",
    "2027-01-15T08:00:60Z",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "2027-01-15T08:00:00.000Z",
    "2027-01-15T08:00:00+00:00",
    "2027-1-15T08:00:00Z",
];
/// Words that are right somewhere.
const WORDS: [&str; 12] = [
    "csam-known",
    "tve",
    "prosecute",
    "warn",
    "block",
    "public",
    "sha256",
    "vpdq/v1",
    "followed",
    "canary",
    "EU",
    "hotline.example/other",
];

/// What was done to a text, and what came of it.
pub(super) fn of(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = vec![("as it was".to_owned(), text.to_owned())];
    for (place, line) in lines.iter().enumerate() {
        let line = line.trim_end_matches(',');
        let at = line.len() - line.trim_start().len();
        let start = line.find("\": ").map_or(at, |colon| colon + 3);
        for value in others(&line[start..]) {
            let mut changed = lines.clone();
            let made = [&line[..start], &value].concat();
            changed[place] = &made;
            all.push((format!("line {place}: {made}"), join(&changed)));
        }
        if !line[start..].ends_with(['{', '[', '}', ']']) {
            all.push((format!("line {place} gone"), join(&[&lines[..place], &lines[place + 1..]].concat())));
            all.push((format!("line {place} twice"), join(&[&lines[..=place], &lines[place..]].concat())));
            let mut swapped = lines.clone();
            swapped.swap(place, place + 1);
            all.push((format!("line {place} after the next"), join(&swapped)));
        }
    }
    all
}

fn others(value: &str) -> Vec<String> {
    let quoted = |text: &str| format!("\"{text}\"");
    let Some(text) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        let is_number = value.starts_with(|c: char| c.is_ascii_digit());
        return if is_number { NUMBERS.map(str::to_owned).to_vec() } else { Vec::new() };
    };
    let mut others = STRINGS.map(str::to_owned).to_vec();
    if text.ends_with('Z') && text.contains(':') {
        others.extend(TIMES.map(quoted));
    } else if text.ends_with('=') && !text.contains('+') || text.len() == 44 {
        others.extend([31, 32, 33].map(|size| quoted(&to_base64(&vec![3; size]))));
        others.push(quoted(text.trim_end_matches('=')));
    } else {
        others.extend(WORDS.map(quoted));
        others.push(quoted(&text.to_uppercase()));
        others.push(quoted(&format!("{text}\u{2029}")));
        others.push(quoted(&format!("{}/a", "a".repeat(128))));
    }
    others
}

/// The text of these lines, with its commas where they must be, so that it is JSON still.
fn join(lines: &[&str]) -> String {
    let bare: Vec<&str> = lines.iter().map(|line| line.trim_end_matches(',')).collect();
    let closes = |line: Option<&&str>| line.is_none_or(|line| line.trim_start().starts_with(['}', ']']));
    let comma = |at: usize, line: &str| !line.ends_with(['{', '[']) && !closes(bare.get(at + 1));
    let lines = bare.iter().enumerate().map(|(at, line)| format!("{line}{}\n", if comma(at, line) { "," } else { "" }));
    lines.collect::<String>()
}
