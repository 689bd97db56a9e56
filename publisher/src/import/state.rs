//! Whether a row of a table still counts, by the columns that say so.
//!
//! | a column such as | says it by |
//! |---|---|
//! | `status`, `Hash Status`, `state`, `action`, `change`, `verdict` | a word: `Active`, `Withdrawn`, `remove`, `NON_MALICIOUS` |
//! | `erasure_status`, `status of match` | a word for what is gone alone: `confirmed` is said of something else than the record |
//! | `active`, `is_valid` | yes or no |
//! | `deleted`, `is_deleted`, `Withdrawn`, `should_delete`, `expired`, `false_positive`, `is_benign`, `takedown status` | yes or no, or a word for what is gone |
//! | `deleted_at`, `removed on`, `withdrawal date` | a date, once it is gone; one that programs write where there is none (`0001-01-01`, `1970-01-01`), or that has not come yet, says nothing that is clear |
//! | `disable_until_ts` | 0 or 1: Hasher-Matcher-Actioner writes there 0 for what is disabled and 1 for what is not; with a time it is disabled until then, of which nothing is known here |
//! | `undeleted`, `not_removed` | nothing: what a no means there is not clear |
//! | `valid_until`, `disabled_until`, `expires_in` | nothing: what counts at another time is not clear |
//! | `disputed`, `dispute status`, `status of complaint` | yes or no: whether somebody doubts it, which is told |
//! | `reactions` | how others react at ThreatExchange (`reactions`): whether one of them doubts it, which is told |
//!
//! Fields of feeds in JSON and XML that no format reads are heard by the same names.
//!
//! Names are compared by their letters and digits alone. A row goes if one of its columns says so. Where none does, and one of them can't be
//! understood, the row is refused: no hash is listed that may have been withdrawn. A sign before a word or number, or a question mark, may turn
//! it round or doubt it: `!active`, `-1`.

use super::dates::Day;
use super::reactions;
use super::record::{self, Action, Refusal, plain, refusal};
use super::unread;
use std::borrow::Cow;
use std::collections::HashMap;

/// Parts of names of columns about what is gone.
const GONE: [&str; 36] = [
    "delet",
    "cancel",
    "suspend",
    "annul",
    "purge",
    "discard",
    "dismiss",
    "unpublish",
    "defunct",
    "outdated",
    "recalled",
    "withdr",
    "remov",
    "revok",
    "retract",
    "delist",
    "unlist",
    "rescind",
    "overturn",
    "takedown",
    "takendown",
    "disabl",
    "inactiv",
    "deactiv",
    "expir",
    "invalid",
    "obsolet",
    "supersed",
    "deprecat",
    "reject",
    "archiv",
    "falsepositive",
    "nonmalicious",
    "benign",
    "whitelist",
    "allowlist",
];
/// Before the end of a name that says when that was.
const WHEN: [&str; 24] = [
    "deleted",
    "cancelled",
    "canceled",
    "suspended",
    "annulled",
    "purged",
    "discarded",
    "dismissed",
    "unpublished",
    "withdrawn",
    "removed",
    "revoked",
    "retracted",
    "delisted",
    "rescinded",
    "overturned",
    "disabled",
    "rejected",
    "archived",
    "deletion",
    "withdrawal",
    "removal",
    "revocation",
    "retraction",
];
/// Names of columns that say by a word what is to be done, or what was found.
const WORDS: [&str; 12] = [
    "state",
    "hashstate",
    "recordstate",
    "entrystate",
    "action",
    "op",
    "operation",
    "change",
    "changetype",
    "verdict",
    "decision",
    "disposition",
];
/// Words for the record itself, around `status`.
const RECORD: [&str; 34] = [
    "hash",
    "record",
    "entry",
    "item",
    "row",
    "listing",
    "list",
    "image",
    "video",
    "photo",
    "picture",
    "media",
    "file",
    "content",
    "upload",
    "signal",
    "indicator",
    "descriptor",
    "threat",
    "digest",
    "pdq",
    "sha",
    "md",
    "is",
    "current",
    "latest",
    "overall",
    "review",
    "verification",
    "code",
    "name",
    "text",
    "value",
    "stopncii",
];
/// Parts of names of states in which somebody says that a hash does not belong there.
const OBJECTIONS: [&str; 3] = ["complaint", "appeal", "objection"];
pub(super) const NO: [&str; 9] = ["false", "no", "0", "f", "n", "none", "null", "na", "never"];
pub(super) const YES: [&str; 5] = ["true", "yes", "1", "t", "y"];
const COUNTS: [&str; 20] = [
    "active",
    "received",
    "malicious",
    "suspicious",
    "unknown",
    "confirmed",
    "verified",
    "listed",
    "valid",
    "add",
    "added",
    "new",
    "insert",
    "inserted",
    "create",
    "created",
    "update",
    "updated",
    "unchanged",
    "keep",
];
const IS_GONE: [&str; 47] = [
    "discarded",
    "recalled",
    "outdated",
    "defunct",
    "deprecated",
    "cancel",
    "cancelled",
    "canceled",
    "suspended",
    "annulled",
    "purged",
    "dismissed",
    "unpublished",
    "delete",
    "deleted",
    "withdraw",
    "withdrawn",
    "remove",
    "removed",
    "revoke",
    "revoked",
    "retract",
    "retracted",
    "delist",
    "delisted",
    "unlist",
    "unlisted",
    "inactive",
    "notactive",
    "deactivated",
    "disabled",
    "rescinded",
    "overturned",
    "takedown",
    "takendown",
    "expired",
    "invalid",
    "obsolete",
    "superseded",
    "rejected",
    "archived",
    "nonmalicious",
    "notmalicious",
    "falsepositive",
    "benign",
    "whitelisted",
    "allowlisted",
];

/// How a column says whether a row still counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Word,
    /// The state of something else than the record, such as of a request: `confirmed` is no word for it that counts.
    WordOfOther,
    /// Whether it counts.
    Counts,
    /// Whether it is gone.
    Gone,
    /// Since when it is gone.
    GoneSince,
    /// Until when it is disabled, as Hasher-Matcher-Actioner has it: 0 for good, and 1 not at all.
    DisabledUntil,
    /// That what was gone is there again, or that it is not gone: `undeleted`, of which a no may mean either. Or that something holds
    /// until a time, which may be over.
    Unclear,
    /// Whether somebody says that it does not belong there.
    Disputed,
    /// How others react to it at ThreatExchange.
    Reactions,
}

impl Kind {
    /// What its columns may say, in words.
    fn understood(self) -> &'static str {
        match self {
            Self::Word => "active or withdrawn",
            Self::WordOfOther => "withdrawn, or nothing,",
            Self::Counts | Self::Gone | Self::Disputed => "yes or no",
            Self::GoneSince => "the date from which it is gone, or nothing,",
            Self::DisabledUntil => "0 (disabled) or 1 (enabled)",
            Self::Unclear | Self::Reactions => "nothing",
        }
    }
}

/// A column that says whether a row still counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct State {
    kind: Kind,
    place: usize,
    name: String,
}

/// The columns of these names that say whether a row still counts.
pub(super) fn columns(names: &[String]) -> Vec<State> {
    let column = |(place, name): (usize, &String)| {
        kind(&plain(name)).map(|kind| State { kind, place, name: format!("the column {name}") })
    };
    names.iter().enumerate().filter_map(column).collect()
}

/// Whether a column of this name would say whether a row still counts.
pub(super) fn is_name_of_one(name: &str) -> bool {
    kind(&plain(name)).is_some()
}

/// Where these columns stand.
pub(super) fn places(states: &[State]) -> impl Iterator<Item = usize> {
    states.iter().map(|state| state.place)
}

fn kind(name: &str) -> Option<Kind> {
    let is = |name: &str, words: &[&str]| words.contains(&name.strip_prefix("is").unwrap_or(name));
    let is_about_gone = || GONE.iter().any(|part| name.contains(part));
    if name == "disableuntilts" {
        return Some(Kind::DisabledUntil);
    }
    if ["reactions", "myreactions"].contains(&name) {
        return Some(Kind::Reactions);
    }
    // Of what is left, 0 may mean that it is over, or that it never is.
    let is_countdown =
        name.contains("expir") && ["in", "days", "hours", "minutes", "seconds"].iter().any(|end| name.ends_with(end));
    if name.contains("until") || is_countdown {
        return Some(Kind::Unclear);
    }
    // `status of complaint`, too.
    let state_of = name.split_once("status").map(|(before, after)| {
        let after = after.strip_prefix("of").unwrap_or(after);
        [before, after.strip_prefix("the").unwrap_or(after)].concat()
    });
    let disputed = state_of.as_deref();
    if is(disputed.unwrap_or(name), &["disputed", "dispute", "contested"])
        || disputed.is_some_and(|name| is(name, &["fp", "error"]) || OBJECTIONS.iter().any(|part| name.contains(part)))
    {
        return Some(Kind::Disputed);
    }
    // `takedown status: confirmed` says that the hash is gone.
    if is(name, &WORDS) || state_of.is_some() && !is_about_gone() {
        let is_of_record = state_of.as_deref().is_none_or(is_of_record);
        return Some(if is_of_record { Kind::Word } else { Kind::WordOfOther });
    }
    if is(name, &["active", "valid", "enabled", "listed", "malicious"]) {
        return Some(Kind::Counts);
    }
    let is_when = |gone: &&str| {
        let end = name.strip_prefix(*gone);
        end.is_some_and(|end| ["on", "at", "date", "time", "timestamp", "since"].contains(&end))
            || name.strip_prefix("date").or(name.strip_prefix("time")) == Some(gone)
    };
    if WHEN.iter().any(is_when) {
        return Some(Kind::GoneSince);
    }
    let is_denied = |start: &&str| {
        let rest = name.strip_prefix("is").unwrap_or(name).strip_prefix(*start);
        rest.is_some_and(|rest| GONE.iter().any(|part| rest.starts_with(part)))
    };
    if ["un", "non", "not", "no"].iter().any(is_denied) {
        return Some(Kind::Unclear);
    }
    is_about_gone().then_some(Kind::Gone)
}

/// Whether what stands around `status` names the record itself, or nothing.
fn is_of_record(around: &str) -> bool {
    let mut rest = around;
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        match RECORD.iter().find_map(|part| rest.strip_prefix(part)) {
            Some(behind) => rest = behind,
            None => return rest.is_empty(),
        }
    }
}

/// What is said of a record beside what its format reads.
#[derive(Clone, Copy)]
pub(super) struct Said {
    /// Whether it still counts.
    pub(super) action: Action,
    /// Whether somebody says that its hash does not belong there.
    pub(super) is_disputed: bool,
}

/// What a row says by these columns, on a day that has begun.
pub(super) fn of_row(row: &csv::ByteRecord, states: &[State], today: Day) -> Result<Said, Refusal> {
    let text = |state: &State| String::from_utf8_lossy(row.get(state.place).unwrap_or_default());
    together(states.iter().map(|state| (state, text(state))), today)
}

/// What fields with these names say.
pub(super) fn of_fields(fields: Vec<(String, String)>, today: Day) -> Result<Said, Refusal> {
    let state = |(name, text): (String, String)| {
        kind(&plain(&name)).map(|kind| (State { kind, place: 0, name: format!("the field {name}") }, text))
    };
    let states: Vec<(State, String)> = fields.into_iter().filter_map(state).collect();
    together(states.iter().map(|(state, text)| (state, text.into())), today)
}

/// What was found of words and names that come again and again.
#[derive(Default)]
pub(super) struct Memo(HashMap<String, bool>);

impl Memo {
    /// The most that are remembered, and how long they may be.
    const MOST: usize = 1 << 10;
    const LONGEST: usize = 1 << 8;

    /// The answer to a question, always the same one, of a text.
    pub(super) fn ask(&mut self, text: &str, question: fn(&str) -> bool) -> bool {
        if let Some(answer) = self.0.get(text) {
            return *answer;
        }
        let answer = question(text);
        if self.0.len() < Self::MOST && text.len() <= Self::LONGEST {
            self.0.insert(text.to_owned(), answer);
        }
        answer
    }
}

/// What is said by several at once. It goes if one says so; where none does, all have to be understood.
fn together<'s>(said: impl Iterator<Item = (&'s State, Cow<'s, str>)>, today: Day) -> Result<Said, Refusal> {
    let (mut action, mut is_disputed, mut unclear) = (Action::Add, false, None);
    for (state, text) in said {
        match state.says(&text, today) {
            Ok(Action::Remove) => action = Action::Remove,
            Ok(_) => {}
            Err(refusal) => unclear = unclear.or(Some(refusal)),
        }
        is_disputed |= state.doubts(&text);
    }
    match unclear.filter(|_| action == Action::Add) {
        Some(refusal) => Err(refusal),
        None => Ok(Said { action, is_disputed }),
    }
}

impl State {
    /// Whether its text says that somebody doubts the hash.
    fn doubts(&self, text: &str) -> bool {
        match self.kind {
            Kind::Disputed => YES.contains(&plain(record::whole(text.trim())).as_str()),
            Kind::Reactions => reactions::has_doubt(text.as_bytes()),
            _ => false,
        }
    }

    /// Whether its text says that a record still counts.
    fn says(&self, text: &str, today: Day) -> Result<Action, Refusal> {
        let text = record::whole(text.trim());
        let word = plain(text);
        let is = |words: &[&str]| words.contains(&word.as_str());
        let is_gone = || is(&IS_GONE);
        let is_no = || is(&NO) || self.kind == Kind::GoneSince && is_zeros(text);
        // A check mark has neither letters nor digits, and says something. Where a word should stand, a minus is one: of what goes.
        let is_dash = text.trim_matches(['-', '–', '—']).is_empty();
        // Where yes says that it counts, nothing is no no.
        let is_unsaid = self.kind == Kind::Counts && unread::says_nothing(text.as_bytes());
        let is_word = matches!(self.kind, Kind::Word | Kind::WordOfOther);
        let is_blank = text.is_empty() || is_dash && !is_word || is_unsaid;
        match self.kind {
            Kind::Reactions => Ok(Action::Add),
            _ if is_blank => Ok(Action::Add),
            _ if is_turned(text) => Err(self.refused(text, Doubt::Unknown)),
            Kind::Word if is(&COUNTS) => Ok(Action::Add),
            Kind::Word | Kind::WordOfOther if is_gone() => Ok(Action::Remove),
            Kind::Counts if is(&YES) => Ok(Action::Add),
            Kind::Counts if is(&NO) || is_gone() => Ok(Action::Remove),
            Kind::Gone | Kind::GoneSince if is_no() => Ok(Action::Add),
            Kind::Gone | Kind::GoneSince if is(&YES) || is_gone() => Ok(Action::Remove),
            Kind::Gone | Kind::GoneSince => self.dates(text, today),
            Kind::Disputed if is(&YES) || is(&NO) => Ok(Action::Add),
            Kind::DisabledUntil if word == "0" => Ok(Action::Remove),
            Kind::DisabledUntil if word == "1" => Ok(Action::Add),
            _ => Err(self.refused(text, Doubt::Unknown)),
        }
    }

    /// What a date says of when it is gone.
    fn dates(&self, text: &str, today: Day) -> Result<Action, Refusal> {
        let doubt = match Day::of(text) {
            None => Doubt::Unknown,
            Some(_) if self.kind == Kind::Gone => Doubt::Dated,
            Some(day) if day.is_none() => Doubt::NoDate,
            Some(day) if day > today => Doubt::Ahead,
            Some(_) => return Ok(Action::Remove),
        };
        Err(self.refused(text, doubt))
    }

    fn refused(&self, text: &str, doubt: Doubt) -> Refusal {
        let why = match doubt {
            Doubt::Unknown => format!(
                "which does not tell whether the record still counts: write {} there, or take it out",
                self.kind.understood()
            ),
            Doubt::NoDate => "which programs write where there is no date, and on which no hash can have been withdrawn: leave it empty \
                              if the record counts, or write the date from which it is gone"
                .to_owned(),
            Doubt::Ahead => "which has not come yet, or may not have, and a withdrawal that takes effect later is not made now: leave it \
                             empty if the record counts until then, and import it again on that day, or write yes if it is to go now"
                .to_owned(),
            Doubt::Dated => "which is a date, and no date is read there, since it may not have come yet: write yes if the record is gone, \
                             or no if it counts, and import it again on that day"
                .to_owned(),
        };
        let name = &self.name;
        let pass = "(if it says nothing of that, `isonomy list import --ignore-column` passes it over)";
        refusal("status", format!("{name} says {:?}, {why} {pass}", unread::shown(text)))
    }
}

/// What is not clear of a field.
#[derive(Clone, Copy)]
enum Doubt {
    /// What it says.
    Unknown,
    /// It is a date that programs write where there is none.
    NoDate,
    /// It is a date that has not come yet, or may not have.
    Ahead,
    /// It is a date where none is read.
    Dated,
}

/// A date of zeros is none.
fn is_zeros(text: &str) -> bool {
    let is_around = |letter: char| !letter.is_alphanumeric() || "TtZz".contains(letter);
    text.contains('0') && text.chars().all(|letter| letter == '0' || is_around(letter))
}

/// Whether a sign may turn a word or number round, or doubt it.
fn is_turned(text: &str) -> bool {
    let is_before = |letter: char| !letter.is_alphanumeric() && !"\"'`([{<_".contains(letter);
    (text.starts_with(is_before) || text.contains(['?', '!'])) && !unread::says_nothing(text.as_bytes())
}

/// Whether a class or tag says that a hash is gone or does not belong there, by all its words or by one of them.
pub(super) fn is_phrase_of_doubt(phrase: &str) -> bool {
    is_word_of_doubt(phrase.as_bytes()) || has_word_of_leaving(phrase)
}

/// What stops an import at a comment, or another heading, which may say of the records behind it that they are gone: to leave it out
/// would list these.
pub(super) fn check_heading(heading: &[u8]) -> Result<(), String> {
    let said = String::from_utf8_lossy(heading);
    if !has_word_of_leaving(&said)
        && !is_word_of_doubt(heading)
        && !is_word_of_doubt(said.trim_matches(['#', ' ', ':', '[', ']']).as_bytes())
    {
        return Ok(());
    }
    let shown = unread::shown(said.trim());
    Err(format!(
        "it is no record, and says {shown:?}, which may mean that the hashes behind it are gone, or in doubt: no heading is heard. Take these \
         hashes out, or give a table with the names hash and status (if it is a comment that says nothing of that, `isonomy list import \
         --ignore-column '{COMMENT}'` passes comments over)"
    ))
}

/// Whether a field that is not read says by its name and its text that something is gone, or in doubt, or may say so. Words such as
/// `status` are of many things: there it takes a word for what is gone.
pub(super) fn may_say_gone(name: &str, text: &str, today: Day) -> bool {
    let is_of_many = || matches!(kind(&plain(name)), Some(Kind::Word | Kind::WordOfOther));
    match of_fields(vec![(name.to_owned(), text.to_owned())], today) {
        Ok(said) => said.action == Action::Remove || said.is_disputed,
        Err(_) => !is_of_many() || has_word_of_leaving(text),
    }
}

/// What `--ignore-column` calls comments.
pub(super) const COMMENT: &str = "#";

/// Why a record is refused of which a field or element has a word of leaving, where its name does not say what of.
pub(super) fn unexplained(name: &str) -> Refusal {
    let advice = "and nothing says of what: call it status, if it says whether the record still counts, or take it out";
    let pass = "(if it says nothing of that, `isonomy list import --ignore-column` passes it over)";
    refusal("status", format!("{name:?} has a word that says that something is gone, {advice} {pass}"))
}

/// Whether a field as a whole says so.
pub(super) fn is_word_of_doubt(field: &[u8]) -> bool {
    const DOUBTS: [&str; 4] = ["disputed", "notillegal", "harmless", "legal"];
    is_word(field, &DOUBTS) || is_word_of_leaving(field)
}

/// Whether one of the words of a text says that something is gone.
pub(super) fn has_word_of_leaving(text: &str) -> bool {
    const LEAVING: [&str; 6] = ["withdrawal", "removal", "deletion", "retraction", "takedown", "nolonger"];
    let is_one = |word: &str| {
        let word = word.strip_suffix('s').unwrap_or(word);
        IS_GONE.contains(&word) || LEAVING.contains(&word)
    };
    let words = unread::words(text);
    words.iter().any(|word| IS_GONE.contains(&word.as_str()) || is_one(word))
        || words.windows(2).any(|pair| is_one(&pair.concat()))
}

/// Whether a field says that something is gone.
pub(super) fn is_word_of_leaving(field: &[u8]) -> bool {
    is_word(field, &IS_GONE)
}

/// Whether a field is one of these words.
fn is_word(field: &[u8], words: &[&str]) -> bool {
    const LONGEST: usize = 24;
    field.len() <= LONGEST && words.contains(&plain(&String::from_utf8_lossy(field)).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::time::Timestamp;

    fn action(row: &csv::ByteRecord, states: &[State], today: Day) -> Result<Action, Refusal> {
        of_row(row, states, today).map(|said| said.action)
    }

    fn today() -> Day {
        Day::begun(Timestamp::from_rfc3339("2026-06-30T12:00:00Z").unwrap())
    }

    #[test]
    fn columns_are_known_by_their_names() {
        for (name, expected) in [
            ("Hash Status", Some(Kind::Word)),
            ("is_active", Some(Kind::Counts)),
            ("Is Deleted", Some(Kind::Gone)),
            ("withdrawn", Some(Kind::Gone)),
            ("removal reason", Some(Kind::Gone)),
            ("deletion", Some(Kind::Gone)),
            ("removal_deadline", Some(Kind::Gone)),
            ("removed_on", Some(Kind::GoneSince)),
            ("Deletion Date", Some(Kind::GoneSince)),
            ("date_withdrawn", Some(Kind::GoneSince)),
            ("false_positive", Some(Kind::Gone)),
            ("is benign", Some(Kind::Gone)),
            ("Expired", Some(Kind::Gone)),
            ("expires_at", Some(Kind::Gone)),
            ("archived_at", Some(Kind::GoneSince)),
            ("takedown", Some(Kind::Gone)),
            ("inactive", Some(Kind::Gone)),
            ("cancelled", Some(Kind::Gone)),
            ("cancelled_on", Some(Kind::GoneSince)),
            ("undeleted", Some(Kind::Unclear)),
            ("is_not_removed", Some(Kind::Unclear)),
            ("non_malicious", Some(Kind::Gone)),
            ("unlisted", Some(Kind::Gone)),
            ("status code", Some(Kind::Word)),
            ("takedown status", Some(Kind::Gone)),
            ("action", Some(Kind::Word)),
            ("verdict", Some(Kind::Word)),
            ("is_disputed", Some(Kind::Disputed)),
            ("dispute status", Some(Kind::Disputed)),
            ("file", None),
            ("option", None),
            ("statute", None),
            ("estate", None),
            ("disable_until_ts", Some(Kind::DisabledUntil)),
            ("disabled_until", Some(Kind::Unclear)),
            ("valid_until", Some(Kind::Unclear)),
            ("expires_in", Some(Kind::Unclear)),
            ("Expiry (days)", Some(Kind::Unclear)),
            ("Status until", Some(Kind::Unclear)),
            ("fp_status", Some(Kind::Disputed)),
            ("appeal status", Some(Kind::Disputed)),
            ("status_of_upload", Some(Kind::Word)),
            ("Status of complaint", Some(Kind::Disputed)),
            ("status of the dispute", Some(Kind::Disputed)),
            ("status of offer", Some(Kind::WordOfOther)),
            ("current_hash_status", Some(Kind::Word)),
            ("review status", Some(Kind::Word)),
            ("status2", Some(Kind::Word)),
            ("opt_out_status", Some(Kind::WordOfOther)),
            ("erasure status", Some(Kind::WordOfOther)),
            ("reactions", Some(Kind::Reactions)),
            ("quality", None),
        ] {
            assert_eq!(kind(&plain(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_row_goes_if_one_column_says_so_and_is_refused_if_none_is_understood() {
        let names = ["deleted", "status", "active", "removed_on"].map(str::to_owned);
        let states = columns(&names);
        for (fields, expected) in [
            (["", "", "", ""], Some(Action::Add)),
            (["false", "Active", "yes", "0000-00-00"], Some(Action::Add)),
            (["", "Withdrawn", "", ""], Some(Action::Remove)),
            (["false", "Withdrawn", "1", ""], Some(Action::Remove)),
            (["0", "active", "no", ""], Some(Action::Remove)),
            (["", "Active", "", "2026-01-01"], Some(Action::Remove)),
            (["TRUE", "perhaps", "", ""], Some(Action::Remove)),
            (["perhaps", "active", "", ""], None),
            (["2026-01-01", "", "", ""], None),
            (["", "1", "", ""], None),
            (["", "true", "", ""], None),
            (["", "", "perhaps", ""], None),
            (["", "", "", "soon"], None),
            (["", "", "", "3 people complained"], None),
            (["", "", "", "0000-00-00T00:00:00Z"], Some(Action::Add)),
            // A sign turns round what it stands before, and a question mark doubts it.
            (["", "!active", "", ""], None),
            (["", "active?", "", ""], None),
            (["-1", "", "", ""], None),
            (["", "", "-1", ""], None),
            (["", "", "", "-1"], None),
            (["", "(active)", "", ""], Some(Action::Add)),
            (["-", " ", "–", "--"], Some(Action::Add)),
            (["", "-", "", ""], None),
            (["", " — ", "", ""], None),
            (["", "+", "", ""], None),
            (["yes", "-", "", ""], Some(Action::Remove)),
            (["✓", "", "", ""], None),
            (["", "✗", "", ""], None),
            (["", "", "✓", ""], None),
            (["", "", "", "✓"], None),
        ] {
            let found = action(&csv::ByteRecord::from(fields.to_vec()), &states, today());
            assert_eq!(found.ok(), expected, "{fields:?}");
        }
        // What databases write for nothing says of no row that it does not count.
        let counts = |word: &str| action(&csv::ByteRecord::from(vec!["", "", word, ""]), &states, today()).ok();
        for nothing in ["NULL", "\\N", "none", "n/a", "nil", "(null)", "NaN"] {
            assert_eq!(counts(nothing), Some(Action::Add), "{nothing}");
        }
        assert_eq!([counts("n"), counts("never")], [Some(Action::Remove); 2]);
        let short = |first: &str| action(&csv::ByteRecord::from(vec![first]), &states, today()).ok();
        assert_eq!([short("no"), short("yes"), short("short")], [Some(Action::Add), Some(Action::Remove), None]);
    }
}
