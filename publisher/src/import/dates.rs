//! Which texts are dates: as programs write them, and as people do, in several languages.
//!
//! | form | such as |
//! |---|---|
//! | a day | `2026-01-31`, `31.1.2026`, `1/31/26`, `01.03.26`, `20260131`, `31 January 2026`, `1. März 2026`, `31-janv.-26` |
//! | a month, a quarter, a week | `03.2026`, `2026-03`, `März 2026`, `Mar-26`, `Q1 2026`, `2026-W12`, `1. Quartal 2026` |
//! | with the signs of Chinese, Japanese and Korean | `2026年3月1日`, `2026년 3월 1일`, `二〇二六年三月` |
//! | a year alone | `2026` |
//! | seconds, or thousandths of them | `1767225600` |

mod beginning;

pub(super) use beginning::Day;

use super::record::plain;

/// Months, as they are written out and as they are abbreviated: English, German, French, Spanish, Italian, Polish, Dutch.
const MONTHS: [&[&str]; 12] = [
    &[
        "jan", "january", "jän", "jänner", "januar", "janv", "janvier", "ene", "enero", "gen", "gennaio", "sty",
        "stycznia", "styczeń", "januari",
    ],
    &[
        "feb", "february", "februar", "feber", "févr", "fevr", "février", "fevrier", "febrero", "febbraio", "lut",
        "lutego", "luty", "februari",
    ],
    &["mar", "march", "mär", "mrz", "märz", "maerz", "mars", "marzo", "marca", "marzec", "mrt", "maart"],
    &["apr", "april", "avr", "avril", "abr", "abril", "aprile", "kwi", "kwietnia", "kwiecień"],
    &["may", "mai", "mayo", "mag", "maggio", "maj", "maja", "mei"],
    &["jun", "june", "juni", "juin", "junio", "giu", "giugno", "cze", "czerwca", "czerwiec"],
    &["jul", "july", "juli", "juil", "juillet", "julio", "lug", "luglio", "lip", "lipca", "lipiec"],
    &["aug", "august", "août", "aout", "ago", "agosto", "sie", "sierpnia", "sierpień", "augustus"],
    &[
        "sep",
        "sept",
        "september",
        "septembre",
        "septiembre",
        "setiembre",
        "set",
        "settembre",
        "wrz",
        "września",
        "wrzesień",
    ],
    &["oct", "october", "okt", "oktober", "octobre", "octubre", "ott", "ottobre", "paź", "października", "październik"],
    &["nov", "november", "novembre", "noviembre", "lis", "listopada", "listopad"],
    &[
        "dec",
        "december",
        "dez",
        "dezember",
        "déc",
        "décembre",
        "decembre",
        "dic",
        "diciembre",
        "dicembre",
        "gru",
        "grudnia",
        "grudzień",
    ],
];
/// Those of them that mean something else in English, where no year stands beside them: `set 12`.
const WORDS_TOO: [&str; 5] = ["gen", "mag", "lip", "set", "may"];
/// Quarters, halves and weeks of a year.
const PERIODS: [&str; 16] = [
    "q",
    "t",
    "h",
    "s",
    "w",
    "kw",
    "cw",
    "quartal",
    "quarter",
    "trimestre",
    "trim",
    "kwartał",
    "kwartaal",
    "week",
    "woche",
    "semaine",
];
/// What stands behind a number that counts: `1st quarter`, `1er trimestre`.
const ORDINALS: [&str; 6] = ["st", "nd", "rd", "th", "er", "e"];
/// Units of dates in Chinese, Japanese and Korean.
const UNITS: [char; 8] = ['年', '月', '日', '号', '號', '년', '월', '일'];
/// Numbers there, and the names of eras before them.
const NUMERALS: [char; 13] = ['〇', '零', '一', '二', '三', '四', '五', '六', '七', '八', '九', '十', '元'];
const ERAS: [char; 8] = ['令', '和', '平', '成', '民', '國', '国', '西'];

/// Whether a text is a moment or a day.
pub(super) fn is_time(text: &str) -> bool {
    is_seconds(text) || is_day(text)
}

/// Whether a text is a date of any precision, but a year alone.
pub(super) fn is_date(text: &str) -> bool {
    is_day(text) || is_month(text) || is_period(text) || has_units(text)
}

/// Whether a number may be a year of lists of hashes.
pub(super) fn is_year(text: &str) -> bool {
    text.len() == 4 && number(text).is_some_and(|year| (1990..2100).contains(&year))
}

/// Whether a number may be the days of a date between 2009 and 2064, as programs for tables count them.
pub(super) fn is_days(text: &str) -> bool {
    text.len() == 5 && number(text).is_some_and(|days| (40_000..=60_000).contains(&days))
}

/// Whether a number may be a time between 2001 and 2033, in seconds, or thousandths or millionths of them.
pub(super) fn is_seconds(text: &str) -> bool {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    digits && matches!(whole.len(), 10 | 13 | 16) && whole.starts_with('1')
}

/// The number that a text of digits is.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a text is a day, with a time or without.
fn is_day(text: &str) -> bool {
    let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let closed: String = text.split_whitespace().collect();
    ['-', '/', '.'].into_iter().any(|mark| is_split_day(date, mark))
        || is_split_day(closed.trim_end_matches('.'), '.')
        || is_compact(date)
        || Named::of(text).is_some_and(|named| named.numbers >= 2)
}

fn is_split_day(date: &str, mark: char) -> bool {
    let parts: Vec<&str> = date.split(mark).collect();
    let sizes: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_year = |size: usize| size == 4 || size == 2;
    let is_day = parts.iter().all(|part| number(part).is_some())
        && matches!(sizes[..], [first, 1..=2, last] if is_year(first) && last <= 2 || first <= 2 && is_year(last));
    // A version has points, too; it has no year of four digits, and rarely one of two.
    is_day && (mark != '.' || sizes.contains(&4) || sizes[2] == 2)
}

/// `20260131`, also with hours, minutes and seconds after it.
fn is_compact(date: &str) -> bool {
    let part = |part: Option<&str>| part.and_then(number).unwrap_or(0);
    matches!(date.len(), 8 | 12 | 14)
        && date.bytes().all(|byte| byte.is_ascii_digit())
        && (1900..2200).contains(&part(date.get(..4)))
        && (1..=12).contains(&part(date.get(4..6)))
        && (1..=31).contains(&part(date.get(6..8)))
}

/// `03.2026`, `2026-03`, `März 2026`, `Mar-26`.
fn is_month(text: &str) -> bool {
    let is_number = |month: &str| month.len() <= 2 && number(month).is_some_and(|month| (1..=12).contains(&month));
    let is_split = |mark: char| {
        let parts = text.split_once(mark).map(|(first, last)| (first.trim(), last.trim()));
        parts.is_some_and(|(first, last)| is_number(first) && is_year(last) || is_year(first) && is_number(last))
    };
    let is_named = |named: Named| named.has_year || named.words == 2 && named.numbers == 1 && !named.is_word_too;
    ['-', '/', '.'].into_iter().any(is_split) || Named::of(text).is_some_and(is_named)
}

/// What stands beside the name of a month.
struct Named {
    words: usize,
    numbers: usize,
    has_year: bool,
    is_word_too: bool,
}

impl Named {
    /// `None` if there is no such name, or no number.
    fn of(text: &str) -> Option<Self> {
        if !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let words = text.split(|letter: char| !letter.is_alphanumeric()).map(plain).filter(|word| !word.is_empty());
        let words: Vec<String> = words.collect();
        let month = words.iter().find(|word| MONTHS.iter().any(|names| names.contains(&word.as_str())))?;
        Some(Self {
            words: words.len(),
            numbers: words.iter().filter(|word| number(word).is_some()).count(),
            has_year: words.iter().any(|word| is_year(word)),
            is_word_too: WORDS_TOO.contains(&month.as_str()),
        })
    }
}

/// `Q1 2026`, `2026-Q1`, `1. Quartal 2026`, `KW 12/2026`.
fn is_period(text: &str) -> bool {
    let runs = runs(text);
    let (numbers, words): (Vec<&String>, Vec<&String>) = runs.iter().partition(|run| number(run).is_some());
    let is_one_of = |words: &[&str], word: &String| words.contains(&word.as_str());
    let are_periods = words.iter().all(|word| is_one_of(&PERIODS, word) || is_one_of(&ORDINALS, word));
    let is_dated = numbers.iter().any(|number| is_year(number)) || words.iter().all(|word| word.as_str() == "q");
    numbers.len() == 2 && words.iter().any(|word| is_one_of(&PERIODS, word)) && are_periods && is_dated
}

/// The numbers and the words of a text, small, also where nothing stands between them.
fn runs(text: &str) -> Vec<String> {
    let mut runs = vec![(false, String::new())];
    for letter in text.chars() {
        let is_digit = letter.is_ascii_digit();
        if !letter.is_alphanumeric() || runs.last().is_some_and(|(was_digit, _)| *was_digit != is_digit) {
            runs.push((is_digit, String::new()));
        }
        if let Some((_, run)) = runs.last_mut().filter(|_| letter.is_alphanumeric()) {
            run.extend(letter.to_lowercase());
        }
    }
    runs.into_iter().map(|(_, run)| run).filter(|run| !run.is_empty()).collect()
}

/// `2026年3月1日`, `令和8年3月`, `2026년 3월 1일`.
fn has_units(text: &str) -> bool {
    let is_number = |letter: char| letter.is_numeric() || NUMERALS.contains(&letter);
    let is_of_date =
        |letter: char| is_number(letter) || letter.is_whitespace() || UNITS.contains(&letter) || ERAS.contains(&letter);
    let mut before = None;
    let has_unit = text.chars().filter(|letter| !letter.is_whitespace()).any(|letter| {
        let counted = UNITS.contains(&letter) && before.is_some_and(is_number);
        before = Some(letter);
        counted
    });
    has_unit && text.chars().all(is_of_date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_known_in_several_languages() {
        for text in [
            "2026-01-31",
            "2026-01-31T10:00:00Z",
            "31.1.2026",
            "1. 3. 2026",
            "2026. 3. 1.",
            "01.03.26",
            "1/31/26",
            "20260131",
            "20260131103000",
            "1.3.26",
            "31 January 2026",
            "Jan 31, 2026",
            "31-Jan-26",
            "1. März 2026",
            "1er mars 2026",
            "1 de marzo de 2026",
            "3 settembre 2026",
            "12 set 2026",
            "1 września 2026",
            "5 mei 2026",
            "août 2026",
            "Mrz-26",
            "03.2026",
            "3/2026",
            "2026-03",
            "May 2026",
            "Q1 2026",
            "2026-Q1",
            "2026q4",
            "Q1/26",
            "1. Quartal 2026",
            "1er trimestre 2026",
            "KW 12 2026",
            "2026-W12",
            "2026年3月1日",
            "２０２６年３月",
            "二〇二六年三月一日",
            "令和8年3月1日",
            "2026년 3월 1일",
        ] {
            assert!(is_date(text), "{text}");
        }
        for text in [
            "1.2.3",
            "192.168.0.1",
            "10.1",
            "12.5",
            "0.2026",
            "13.2026",
            "2026",
            "99999999",
            "set 12",
            "may 5",
            "decision 12 of 20",
            "march",
            "w 640 h 480",
            "page 12 of 40",
            "Q1",
            "3月号増刊",
            "生年月日",
            "IMG_2026.jpg",
            "case 12/2026 b",
        ] {
            assert!(!is_date(text), "{text}");
        }
        assert!(is_year("2026") && !is_year("1920") && !is_year("+026") && !is_year("20260"));
        assert!(
            is_time("2020-07-31T18:47:45+0000") && is_time("1596221265") && !is_time("Q1 2026") && !is_time("03.2026")
        );
    }
}
