//! What a monitor found: breaches, warnings and notices.

use isonomy_core::charter::Charter;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::{ObjectDigest, StatementId, sha256};
use isonomy_core::note::{Note, VerifierKey};
use isonomy_core::rules::Rule;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A rule was broken, and signed bytes prove it.
    Breach,
    /// An observation that somebody should look into.
    Warning,
    /// An observation that is worth knowing.
    Notice,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Breach => "breach",
            Self::Warning => "warning",
            Self::Notice => "notice",
        })
    }
}

/// The rule that a finding is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CitedRule {
    /// Its number in `docs/rules.md`.
    pub number: u8,
    /// Its name.
    pub name: String,
}

impl From<Rule> for CitedRule {
    fn from(rule: Rule) -> Self {
        Self { number: rule.number(), name: rule.name().to_owned() }
    }
}

/// In which role somebody answers for a breach.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The log, which admitted it.
    Log,
    /// The maintainer, whose key signed it.
    Maintainer,
    /// A curator, whose key signed it.
    Curator,
    /// An auditor, whose key signed it.
    Auditor,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Log => "log",
            Self::Maintainer => "maintainer",
            Self::Curator => "curator",
            Self::Auditor => "auditor",
        })
    }
}

/// Somebody who answers for what was found: the holder of a key that signed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answerable {
    /// As what.
    pub role: Role,
    /// The name of the key.
    pub key: String,
    /// The key's short id, in hexadecimal: a name is anybody's, the id is of the key and its name. Empty in findings of an earlier
    /// version of the monitor.
    #[serde(default)]
    pub id: String,
    /// What the charter calls its holder: whoever writes one can put any name beside any key.
    pub name: String,
    /// Which edition of the charter does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub edition: Option<u64>,
}

impl Answerable {
    fn of_key(role: Role, key: &VerifierKey) -> Self {
        let name = cut(key.name(), MAX_NAME);
        Self { role, key: name.clone(), id: to_hex(&key.id().0), name, edition: None }
    }

    /// The log with this key.
    pub(crate) fn log(key: &VerifierKey) -> Self {
        Self::of_key(Role::Log, key)
    }

    /// The auditor with this key.
    pub(crate) fn auditor(key: &VerifierKey) -> Self {
        Self::of_key(Role::Auditor, key)
    }

    /// Those of a charter's keys that signed a note. Every signature is verified; if one by a known key is wrong, nobody
    /// is named.
    pub(crate) fn signers(note: &Note, charter: &Charter) -> Vec<Self> {
        Self::signers_among(note, charter, |_| true)
    }

    /// The same of some of the keys.
    pub(crate) fn signers_among(note: &Note, charter: &Charter, is_one: impl Fn(&VerifierKey) -> bool) -> Vec<Self> {
        let keys: Vec<VerifierKey> = charter.keys().cloned().collect();
        let signers = note.signers(&keys).unwrap_or_default();
        signers.into_iter().filter(|key| is_one(key)).filter_map(|key| Self::of_charter(key, charter)).collect()
    }

    fn of_charter(key: &VerifierKey, charter: &Charter) -> Option<Self> {
        let edition = Some(charter.edition);
        if charter.maintainer.keys.contains(key) {
            let name = cut(&charter.maintainer.name, MAX_NAME);
            return Some(Self { name, edition, ..Self::of_key(Role::Maintainer, key) });
        }
        let curator = charter.curation.curators.iter().find(|curator| curator.key == *key)?;
        Some(Self { name: cut(&curator.name, MAX_NAME), edition, ..Self::of_key(Role::Curator, key) })
    }
}

/// The key first, which is known; then what the list calls its holder, which the list alone says.
impl fmt::Display for Answerable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, key {}", self.role, self.key)?;
        if !self.id.is_empty() {
            write!(f, " ({})", self.id)?;
        }
        match self.edition {
            Some(edition) => write!(f, ", which edition {edition} of the list's own charter calls \"{}\"", self.name),
            None => Ok(()),
        }
    }
}

/// Something that a monitor found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// A short, stable name for programs.
    pub code: String,
    /// What it is about; with the code, this tells findings apart.
    pub subject: String,
    /// The rule, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<CitedRule>,
    /// What was found, in words.
    pub words: String,
    /// Who answers for it; empty for mere observations.
    pub answerable: Vec<Answerable>,
    /// The list that it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub list: Option<ListName>,
    /// The statement that it is about, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub statement: Option<String>,
    /// The place in the log of what it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub index: Option<LeafIndex>,
    /// The SHA-256 of the file that proves it, in hexadecimal; the file is `evidence/<sha256>.json`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<String>,
    /// When this monitor saw it first, by its own clock.
    pub first_seen: Timestamp,
    /// When it saw it last.
    pub last_seen: Timestamp,
    /// When it came, became graver or was proven, whichever was last.
    #[serde(default)]
    pub changed: Timestamp,
    /// Whether it was still so at the last look.
    pub standing: bool,
}

impl Finding {
    pub(crate) fn new(severity: Severity, code: &str, subject: impl AsRef<str>, words: impl AsRef<str>) -> Self {
        Self {
            severity,
            code: code.to_owned(),
            subject: shown(subject.as_ref()),
            rule: None,
            words: shown(words.as_ref()),
            answerable: Vec::new(),
            list: None,
            statement: None,
            index: None,
            evidence: None,
            first_seen: Timestamp::default(),
            last_seen: Timestamp::default(),
            changed: Timestamp::default(),
            standing: true,
        }
    }

    /// A short name that tells it from others: for links to it.
    pub(crate) fn anchor(&self) -> String {
        let digest = sha256(&[self.code.as_bytes(), b"\n", self.subject.as_bytes()]);
        format!("f-{}", to_hex(digest.first_chunk::<8>().map_or(&[][..], |bytes| bytes)))
    }

    pub(crate) fn in_words(self, words: &str) -> Self {
        Self { words: shown(words), ..self }
    }

    pub(crate) fn under(self, rule: Rule) -> Self {
        Self { rule: Some(rule.into()), ..self }
    }

    pub(crate) fn answered_by(self, answerable: Vec<Answerable>) -> Self {
        Self { answerable, ..self }
    }

    pub(crate) fn in_list(self, list: &ListName) -> Self {
        Self { list: Some(list.clone()), ..self }
    }

    pub(crate) fn about(self, statement: &StatementId, index: LeafIndex) -> Self {
        Self { statement: Some(statement.to_hex()), index: Some(index), ..self }
    }

    /// The list that it is about, if it is one of these.
    pub(crate) fn list_among(&self, lists: &BTreeSet<&str>) -> Option<&ListName> {
        self.list.as_ref().filter(|list| lists.contains(list.as_str()))
    }

    /// Whether it is that the log showed two histories, beside which nothing else that it says counts for much.
    pub(crate) fn is_fork(&self) -> bool {
        self.code == "fork"
    }

    pub(crate) fn proven_by(self, evidence: &ObjectDigest) -> Self {
        Self { severity: Severity::Breach, evidence: Some(evidence.to_hex()), ..self }
    }
}

/// The first so many of these, in their order, but of each group and severity some: whatever is about one list, or about none, hides no
/// other. `of` tells severity and group.
pub(crate) fn fairly<T, G: Ord>(all: Vec<T>, most: usize, of: impl Fn(&T) -> (Severity, G)) -> Vec<T> {
    let mut seen: BTreeMap<(Severity, G), usize> = BTreeMap::new();
    let turn = |(at, one): (usize, &T)| {
        let (severity, group) = of(one);
        let before = seen.entry((severity, group)).or_default();
        *before += 1;
        (severity, *before, at)
    };
    let mut turns: Vec<(Severity, usize, usize)> = all.iter().enumerate().map(turn).collect();
    turns.sort_unstable();
    let chosen: BTreeSet<usize> = turns.into_iter().take(most).map(|(_, _, at)| at).collect();
    all.into_iter().enumerate().filter(|(at, _)| chosen.contains(at)).map(|(_, one)| one).collect()
}

/// Of findings about one log, the first so many, but of each of its lists some. Anybody can write any name of a list into what is refused.
pub(crate) fn of_each_list<'f>(findings: Vec<&'f Finding>, lists: &BTreeSet<&str>, most: usize) -> Vec<&'f Finding> {
    fairly(findings, most, |found| (found.severity, found.list_among(lists).map(ListName::as_str)))
}

/// The first of these findings that have no more than so many bytes together, as JSON, each on a line.
pub(crate) fn lines_within<'f>(findings: impl IntoIterator<Item = &'f Finding>, most: usize) -> Vec<String> {
    let line = |left: &mut usize, found: &Finding| {
        // Findings hold strings and numbers alone, so that encoding can't fail.
        let line = serde_json::to_string(found).unwrap_or_default();
        *left = left.checked_sub(line.len() + LINE_END)?;
        Some(line)
    };
    findings.into_iter().scan(most, line).collect()
}

/// The bytes between two findings, each on a line.
const LINE_END: usize = ",\n".len();

/// The most characters of words that are kept.
const MAX_WORDS: usize = 4000;
/// The most characters of the name of a key, or of its holder, beside a finding.
const MAX_NAME: usize = 200;

/// The first so many characters; of more, with an ellipsis in the place of the last.
pub(crate) fn cut(words: &str, most: usize) -> String {
    match words.char_indices().nth(most) {
        None => words.to_owned(),
        Some(_) => words.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Words that may quote what others wrote, fit to be shown: not too long, without characters that a terminal would obey or
/// that change the direction in which others are shown.
fn shown(words: &str) -> String {
    let is_bidi =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let safe = |c: char| if c.is_control() || is_bidi(c) { '\u{fffd}' } else { c };
    words.chars().take(MAX_WORDS).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list can put any organisation's name beside any key.
    #[test]
    fn a_key_is_named_before_what_a_charter_calls_its_holder() {
        let seed = [7; 32];
        let key = isonomy_core::note::SigningKey::from_seed("m1", isonomy_core::note::KeyType::Ed25519, &seed).unwrap();
        let id = to_hex(&key.verifier().id().0);
        let log = Answerable::log(key.verifier());
        assert_eq!(log.to_string(), format!("log, key m1 ({id})"));
        let named = Answerable { role: Role::Maintainer, name: "Interpol".into(), edition: Some(2), ..log.clone() };
        let words = format!("maintainer, key m1 ({id}), which edition 2 of the list's own charter calls \"Interpol\"");
        assert_eq!(named.to_string(), words);
        let before: Answerable = serde_json::from_str(r#"{"role":"curator","name":"C","key":"c1"}"#).unwrap();
        assert_eq!(before.to_string(), "curator, key c1", "kept by an earlier version");
    }

    #[test]
    fn what_is_shown_of_many_findings_is_some_of_each_list() {
        let list = |name: &str| ListName::new(name).unwrap();
        let found = |number: u8, severity| Finding::new(severity, "code", number.to_string(), "");
        let mut all: Vec<Finding> = (0..50).map(|number| found(number, Severity::Breach)).collect();
        all.push(found(50, Severity::Breach).in_list(&list("a.example/list")));
        all.push(found(51, Severity::Breach).in_list(&list("b.example/list")));
        all.push(found(52, Severity::Warning).in_list(&list("c.example/list")));
        all.push(found(53, Severity::Breach).in_list(&list("made-up.example/list")));
        let lists = BTreeSet::from(["a.example/list", "b.example/list", "c.example/list"]);
        let shown = |most| {
            let shown = of_each_list(all.iter().collect(), &lists, most);
            shown.iter().map(|found| found.subject.clone()).collect::<Vec<_>>()
        };
        assert_eq!(shown(4), ["0", "1", "50", "51"]);
        assert_eq!(shown(99).len(), 54);
    }

    /// Whoever writes a charter gives its keys, and their holders, names of any length.
    #[test]
    fn a_name_is_cut_beside_a_finding() {
        let key = isonomy_core::note::KeyType::Ed25519;
        let key = isonomy_core::note::SigningKey::from_seed(&"k".repeat(60_000), key, &[7; 32]).unwrap();
        let log = Answerable::log(key.verifier());
        assert_eq!((log.key.chars().count(), log.key.chars().last()), (MAX_NAME, Some('…')));
        assert_eq!((cut("äöü", 3), cut("äöü", 2)), ("äöü".into(), "ä…".into()));
        let found = Finding::new(Severity::Notice, "code", "subject", "words");
        let size = serde_json::to_string(&found).unwrap().len() + LINE_END;
        assert_eq!([size - 1, size, 3 * size].map(|most| lines_within([&found; 9], most).len()), [0, 1, 3]);
    }

    #[test]
    fn what_others_wrote_can_not_disguise_itself() {
        let found = Finding::new(Severity::Notice, "code", "a\u{202e}b", "c\n\u{1b}[2Jd".repeat(1000));
        assert_eq!(found.subject, "a\u{fffd}b");
        assert!(found.words.starts_with("c\u{fffd}\u{fffd}[2Jd") && found.words.chars().count() == MAX_WORDS);
    }
}
