//! Charters: written by people as TOML, signed as canonical JSON.
//!
//! `charter.toml` has one table for each part of a charter. [`template()`] gives one with every field explained, to be
//! filled in; [`to_toml`] gives that of an existing charter, to be amended. What follows from the circumstances is not in
//! the file: the kind of the statement, its edition and the edition before. Sets may be written in any order.
//!
//! A charter passes as a note from hand to hand until everybody has signed it who must ([`sign`], [`missing`]).

pub mod dialogue;
pub mod lint;
mod spelling;
mod template;

pub use lint::{Finding, Severity, lint};
pub use template::{template, to_toml};

use crate::memory::{MemoryError, Role, SignedText, SigningMemory};
use crate::signer::Signer;
use crate::signing::{self, Signing, SigningError};
use isonomy_core::charter::{
    ActionClause, Charter, Curation, Limits, Maintainer, Matching, Purpose, Reach, Record, Redress,
};
use isonomy_core::hash::StatementId;
use isonomy_core::note::{Note, NoteError, VerifierKey, holds_private_key};
use isonomy_core::rules::amendment::{self, Direction};
use isonomy_core::rules::{Series, signatures};
use isonomy_core::statement::{ListName, Signed, Statement, StatementError};
use isonomy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The most bytes of a `charter.toml`. The charter itself must fit into a statement.
pub const MAX_CHARTER_FILE: usize = 256 * 1024;

/// Why a charter can't be made or signed.
#[derive(Debug, thiserror::Error)]
pub enum CharterError {
    /// Larger than [`MAX_CHARTER_FILE`].
    #[error("the charter file is larger than {MAX_CHARTER_FILE} bytes")]
    TooLarge,
    /// It holds a private key, which no message may show.
    #[error("the charter file holds a private key; nothing of it is shown. A charter holds public keys")]
    PrivateKey,
    /// Not TOML of the expected fields.
    #[error("the charter file is not as expected: {0}")]
    Toml(String),
    /// A field or table that no charter has.
    #[error("no charter has {name}; {hint}")]
    UnknownField {
        /// Its name, and where it stands.
        name: String,
        /// What may be meant.
        hint: String,
    },
    /// No charter can say this.
    #[error("this can't be a charter: {0}")]
    Statement(#[from] StatementError),
    /// No note can hold it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Too large, once signed by all, for an entry of the log.
    #[error(
        "with all its signatures the charter has {size} bytes; a statement has at most 65535: put long texts on the web, and cite them"
    )]
    TooLong {
        /// Its size in bytes.
        size: usize,
    },
    /// The statement at hand is no charter.
    #[error("this is not a charter")]
    NotACharter,
    /// The key has no place in it.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// What the key signed before forbids it, or can't be read.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Which edition is written.
#[derive(Clone, Copy, Debug)]
pub enum Edition<'e> {
    /// The first of a new list.
    First,
    /// The one after this.
    Amends(&'e Signed<Charter>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CharterFile {
    list: ListName,
    log: String,
    maintainer: Maintainer,
    purpose: Purpose,
    reach: Reach,
    matching: Matching,
    action: ActionClause,
    curation: Curation,
    limits: Limits,
    redress: Redress,
    #[serde(default)]
    record: Record,
}

/// The charter that a `charter.toml` describes.
pub fn from_toml(bytes: &[u8], edition: Edition<'_>) -> Result<Charter, CharterError> {
    if bytes.len() > MAX_CHARTER_FILE {
        return Err(CharterError::TooLarge);
    }
    if holds_private_key(bytes) {
        return Err(CharterError::PrivateKey);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| CharterError::Toml("not UTF-8 text".to_owned()))?;
    let malformed = |error: toml::de::Error| CharterError::Toml(error.to_string());
    spelling::check(&text.parse().map_err(malformed)?)?;
    let file: CharterFile = toml::from_str(text).map_err(malformed)?;
    let (edition, previous) = match edition {
        Edition::First => (1, None),
        Edition::Amends(before) => (before.body().edition.saturating_add(1), Some(before.id())),
    };
    let mut charter = Charter {
        statement: Charter::KIND.to_owned(),
        list: file.list,
        log: file.log,
        edition,
        previous,
        maintainer: file.maintainer,
        purpose: file.purpose,
        reach: file.reach,
        matching: file.matching,
        action: file.action,
        curation: file.curation,
        limits: file.limits,
        redress: file.redress,
        record: file.record,
    };
    sort_sets(&mut charter);
    check_size(&draft(&charter)?, &charter)?;
    Ok(charter)
}

fn sort_sets(charter: &mut Charter) {
    charter.purpose.statutes.sort();
    charter.purpose.exclusions.sort();
    charter.reach.jurisdictions.sort();
    charter.reach.surfaces.sort();
    charter.action.recipients.sort();
}

/// Whether there is room for a signature by every key.
fn check_size(draft: &Note, charter: &Charter) -> Result<(), CharterError> {
    /// The dash, two spaces, the newline, and the base64 of 68 bytes.
    const LINE_WITHOUT_NAME: usize = 3 + 1 + 1 + 1 + 92;
    let lines: usize = charter.keys().map(|key| key.name().len() + LINE_WITHOUT_NAME).sum();
    let size = draft.to_bytes().len() + lines;
    if size > isonomy_core::statement::MAX_STATEMENT_SIZE { Err(CharterError::TooLong { size }) } else { Ok(()) }
}

/// The charter as a note without signatures.
pub fn draft(charter: &Charter) -> Result<Note, CharterError> {
    Ok(Note::new(charter.to_text()?, Vec::new())?)
}

/// The charter in a file, signed or not yet.
pub fn parse(bytes: &[u8]) -> Result<Signed<Charter>, CharterError> {
    Statement::parse_draft(bytes)?.into_charter().ok_or(CharterError::NotACharter)
}

/// One difference between two editions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ChangeReport {
    /// The field.
    pub field: &'static str,
    /// From what to what.
    pub words: String,
    /// Whether it needs notice.
    pub widens: bool,
    /// Whether it widens, narrows, or does neither.
    pub direction: Direction,
}

/// Every difference between two editions; one that widens needs notice (rule 4).
pub fn changes(old: &Charter, new: &Charter) -> Vec<ChangeReport> {
    let report = |change: amendment::Change| {
        let widens = change.direction == Direction::Widens;
        ChangeReport { field: change.field, words: change.words, widens, direction: change.direction }
    };
    amendment::compare(old, new).into_iter().map(report).collect()
}

/// Whether an edition with these changes takes something back, and adds nothing: no release may then cite the one before (rule 1).
pub fn takes_back(changes: &[ChangeReport]) -> bool {
    changes.iter().all(|change| !change.widens) && changes.iter().any(|change| change.direction == Direction::Narrows)
}

/// Where a charter is on its way to being complete.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CharterReport {
    /// The list.
    pub list: ListName,
    /// The edition.
    pub edition: u64,
    /// The charter's identity, in hexadecimal.
    pub id: String,
    /// The names of the keys that have signed.
    pub signed: Vec<String>,
    /// The names of the keys whose signatures may still be needed.
    pub unsigned: Vec<String>,
    /// What is still missing, in words; nothing once it can be submitted.
    pub missing: Option<String>,
}

/// Adds the signature of `key` to a charter, in its place, which is remembered durably before the key is asked.
/// `older` are the editions before, newest first, from the one directly before to the one in force. None for a first
/// edition. `replaces` are other texts for the same edition that this one is said to replace.
pub fn sign(
    charter: &Signed<Charter>,
    older: &[&Charter],
    key: &dyn Signer,
    memory: &mut SigningMemory,
    replaces: &[StatementId],
    clock: Timestamp,
) -> Result<Signed<Charter>, CharterError> {
    let counted = counted(charter.body(), older);
    let is_maintainer = charter.body().maintainer.keys.contains(key.verifier());
    let text = SignedText {
        list: &charter.body().list,
        series: Series::Edition,
        number: charter.body().edition,
        statement: charter.id(),
        created: None,
        role: if is_maintainer { Role::Maintainer } else { Role::Curator },
        free_at: None,
    };
    let signing = Signing { note: charter.note(), text, replaces };
    let note = signing.add::<CharterError>(&counted, key, memory, clock)?;
    Statement::from_note(note)?.into_charter().ok_or(CharterError::NotACharter)
}

/// The keys that count for an edition, in the order of its signature lines.
fn counted<'c>(charter: &'c Charter, older: &[&'c Charter]) -> Vec<VerifierKey> {
    let charters: Vec<&Charter> = std::iter::once(charter).chain(older.iter().copied()).collect();
    signatures::counted_keys(&charters).into_iter().cloned().collect()
}

/// Who has signed, and what is missing. `older` as for [`sign`].
pub fn report(charter: &Signed<Charter>, older: &[&Charter]) -> Result<CharterReport, CharterError> {
    let counted = counted(charter.body(), older);
    let signers = charter.note().signers(&counted)?;
    let names = |wanted: bool| {
        let of_interest = counted.iter().filter(|key| signers.contains(key) == wanted);
        of_interest.map(|key| key.name().to_owned()).collect()
    };
    Ok(CharterReport {
        list: charter.body().list.clone(),
        edition: charter.body().edition,
        id: charter.id().to_hex(),
        signed: names(true),
        unsigned: names(false),
        missing: missing(charter, older),
    })
}

/// What rule 2 still asks for, in words.
pub fn missing(charter: &Signed<Charter>, older: &[&Charter]) -> Option<String> {
    let verdict = match older.last() {
        // The log asks for the consent of those between, too: any may be in force by the time that this one is public.
        Some(in_force) => signatures::amendment(charter, older.iter().copied(), in_force)
            .and_then(|()| older.iter().try_for_each(|between| signatures::consents(between, charter))),
        None => signatures::first_edition(charter),
    };
    verdict.err().map(|violation| format!("{}: {violation}", violation.rule()))
}

/// The charter with the signatures that are on several copies of it, such as curators send back.
pub fn merge(copies: &[Signed<Charter>], older: &[&Charter]) -> Result<Signed<Charter>, CharterError> {
    let first = copies.first().ok_or(CharterError::NotACharter)?;
    let counted = counted(first.body(), older);
    let notes: Vec<&Note> = copies.iter().map(Signed::note).collect();
    let merged = signing::merge(&notes, &counted)?;
    Statement::from_note(merged)?.into_charter().ok_or(CharterError::NotACharter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CURATORS, charter, key, memory};
    use isonomy_core::charter::{Aim, Surface};
    use isonomy_core::list::Algorithm;
    use proptest::prelude::*;

    const CLOCK: Timestamp = Timestamp(1_800_000_000);

    #[test]
    fn nothing_of_a_private_key_is_shown() {
        let text = key("c1").to_private_text();
        for file in [format!("{}\n", *text), format!("\n  {}", *text), format!("list = \"{}\"\n", *text)] {
            let error = from_toml(file.as_bytes(), Edition::First).unwrap_err();
            assert!(matches!(error, CharterError::PrivateKey), "{error}");
        }
    }

    #[test]
    fn a_charter_survives_its_file() {
        let original = charter();
        let file = to_toml(&original).unwrap();
        assert_eq!(from_toml(file.as_bytes(), Edition::First).unwrap(), original, "{file}");
    }

    #[test]
    fn the_template_explains_every_field_and_only_lacks_keys() {
        let template = template();
        let error = from_toml(template.as_bytes(), Edition::First).unwrap_err().to_string();
        assert!(error.contains("not a key of the form"), "{error}");
        let mut filled = template;
        for (name, at) in
            [("m1", "maintainer.example+…"), ("c1", "curator-one.example+…"), ("c3", "curator-two.example+…")]
        {
            assert!(filled.contains(at), "{at}");
            filled = filled.replace(at, &key(name).verifier().to_string());
        }
        let parsed = from_toml(filled.as_bytes(), Edition::First).unwrap();
        assert_eq!(parsed.purpose.aim, Aim::ProtectVictims);
        let question = dialogue::questions().find(|question| question.name() == "matching.algorithm").unwrap();
        for algorithm in Algorithm::ALL.map(Algorithm::identifier) {
            assert!(question.about().split([' ', ',']).any(|word| word == algorithm), "{algorithm} is not offered");
            assert_eq!(question.answer(algorithm).unwrap(), format!("\"{algorithm}\""));
            // Each with the distance and the quality that it can have.
            let exact =
                filled.replace("max_distance = 31", "max_distance = 0").replace("min_quality = 50", "min_quality = 0");
            let file = if algorithm.contains("pdq") { &filled } else { &exact };
            let file = file.replace("algorithm = \"pdq/full\"", &format!("algorithm = \"{algorithm}\""));
            let charter = from_toml(file.as_bytes(), Edition::First).unwrap();
            assert_eq!(charter.matching.algorithm.identifier(), algorithm);
        }
        assert!(lint(&parsed, CLOCK).iter().any(|finding| finding.field.starts_with("record.")));
    }

    #[test]
    fn sets_may_be_written_in_any_order_but_not_twice() {
        let mut original = charter();
        original.reach.surfaces = vec![Surface::Private, Surface::Public];
        let file = to_toml(&original).unwrap();
        let sorted = "surfaces = [\n    \"private\",\n    \"public\",\n]";
        assert!(file.contains(sorted), "{file}");
        let reversed = file.replace(sorted, "surfaces = [\"public\", \"private\"]");
        assert_eq!(from_toml(reversed.as_bytes(), Edition::First).unwrap(), original);
        let twice = file.replace(sorted, "surfaces = [\"public\", \"public\"]");
        assert!(matches!(from_toml(twice.as_bytes(), Edition::First), Err(CharterError::Statement(_))));
    }

    #[test]
    fn mistakes_are_named() {
        let file = to_toml(&charter()).unwrap();
        for (from, to, named) in [
            ("max_distance = 31", "max_distance = 32", "matching.max_distance"),
            ("threshold = 2", "threshold = 9", "curation.threshold"),
            ("jurisdiction = \"DE\"", "jurisdiction = \"Germany\"", "jurisdiction"),
            ("[limits]", "[limit]", "limit"),
            ("notice = 3600", "notice = \"an hour\"", "notice"),
        ] {
            assert!(file.contains(from), "{from} in {file}");
            let error = from_toml(file.replace(from, to).as_bytes(), Edition::First).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
        let long = vec![b'#'; MAX_CHARTER_FILE + 1];
        assert!(matches!(from_toml(&long, Edition::First), Err(CharterError::TooLarge)));
        let mut wordy = charter();
        wordy.purpose.definition = "x".repeat(65_000);
        assert!(matches!(
            from_toml(to_toml(&wordy).unwrap().as_bytes(), Edition::First),
            Err(CharterError::TooLong { .. })
        ));
    }

    #[test]
    fn a_first_edition_is_complete_once_all_have_signed_in_any_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut signed = parse(&draft(&charter()).unwrap().to_bytes()).unwrap();
        assert!(missing(&signed, &[]).unwrap().contains("rule 2"));
        for name in CURATORS.iter().rev().chain(&["m1"]) {
            let mut memory = memory(dir.path(), name);
            signed = sign(&signed, &[], &key(name), &mut memory, &[], CLOCK).unwrap();
        }
        let report = report(&signed, &[]).unwrap();
        assert_eq!(report.missing, None, "{report:?}");
        assert_eq!(report.signed.len(), 4);
        assert_eq!(report.unsigned, ["m2"]);
        assert_eq!(parse(&signed.to_bytes()).unwrap(), signed);
        let again = sign(&signed, &[], &key("m1"), &mut memory(dir.path(), "m1"), &[], CLOCK).unwrap();
        assert_eq!(again, signed, "signing again changes nothing");
        let stranger = sign(&signed, &[], &key("stranger"), &mut memory(dir.path(), "stranger"), &[], CLOCK);
        assert!(matches!(stranger, Err(CharterError::Signing(SigningError::NotCounted { .. }))));
    }

    #[test]
    fn a_second_text_for_an_edition_is_signed_only_if_it_is_said_to_replace_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = parse(&draft(&charter()).unwrap().to_bytes()).unwrap();
        let mut other = charter();
        other.maintainer.contact = "elsewhere".to_owned();
        let second = parse(&draft(&other).unwrap().to_bytes()).unwrap();
        let mut memory = memory(dir.path(), "c1");
        sign(&first, &[], &key("c1"), &mut memory, &[], CLOCK).unwrap();
        let refused = sign(&second, &[], &key("c1"), &mut memory, &[], CLOCK);
        assert!(matches!(refused, Err(CharterError::Memory(MemoryError::SecondText { .. }))), "{refused:?}");
        sign(&second, &[], &key("c1"), &mut memory, &[first.id()], CLOCK).unwrap();
    }

    #[test]
    fn copies_signed_by_each_alone_are_merged() {
        let dir = tempfile::tempdir().unwrap();
        let blank = parse(&draft(&charter()).unwrap().to_bytes()).unwrap();
        let copy = |name: &&str| sign(&blank, &[], &key(name), &mut memory(dir.path(), name), &[], CLOCK).unwrap();
        let copies: Vec<_> = ["c3", "m1", "c1", "c2"].iter().map(copy).collect();
        let merged = merge(&copies, &[]).unwrap();
        assert_eq!(missing(&merged, &[]), None);
    }

    #[test]
    fn an_amendment_counts_on_and_says_what_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = parse(&draft(&charter()).unwrap().to_bytes()).unwrap();
        for name in CURATORS.iter().chain(&["m1"]) {
            first = sign(&first, &[], &key(name), &mut memory(dir.path(), name), &[], CLOCK).unwrap();
        }
        let file = to_toml(first.body()).unwrap().replace("max_distance = 31", "max_distance = 20");
        let second = from_toml(file.as_bytes(), Edition::Amends(&first)).unwrap();
        assert_eq!((second.edition, second.previous), (2, Some(first.id())));
        let changes = changes(first.body(), &second);
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].field, changes[0].widens), ("matching.max_distance", false));
        let mut signed = parse(&draft(&second).unwrap().to_bytes()).unwrap();
        for name in ["m1", "c1", "c3"] {
            signed = sign(&signed, &[first.body()], &key(name), &mut memory(dir.path(), name), &[], CLOCK).unwrap();
        }
        assert_eq!(missing(&signed, &[first.body()]), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = from_toml(&bytes, Edition::First);
            let _ = parse(&bytes);
        }

        #[test]
        fn words_survive_their_file(words in "[^\u{0}-\u{1f}\u{7f}-\u{9f}\u{61c}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]{1,40}") {
            prop_assume!(!words.trim().is_empty());
            let mut original = charter();
            original.purpose.definition = words.clone();
            original.purpose.exclusions = vec![words.clone()];
            original.record.quality.precision = Some(words);
            let file = to_toml(&original).unwrap();
            prop_assert_eq!(from_toml(file.as_bytes(), Edition::First).unwrap(), original);
        }
    }
}
