//! What a key has signed, durably, so that it never signs two texts for one version or edition by mistake (rule 2): two
//! complete texts for one version are evidence against everybody who signed both.
//!
//! The memory of the key file `curator.key` is the folder `curator.key.signed` beside it, with one line of JSON for each
//! text signed. It belongs to the key: whoever moves the key, moves it too. Who has several keys for one role (a maintainer, so that the
//! loss of one does not end the list) may sign one text with one and another with the other. So what is signed for a list in a
//! workspace is remembered there once more, for each role ([`SigningMemory::and_in`]): both have to agree.
//!
//! A second text for a number is signed only
//!
//! - if the log shows that the first one was not logged within its 24 hours, by witnessed time; or
//! - if it is said to replace the first one, which goes on record. A maintainer who has signed a release can't replace it
//!   before its time is over: it signs last, so the first text may be complete and on its way to the log. Where the memories know
//!   different texts, since one key signed one and another key the next, the new one is said to replace each of them.
//!
//! That the log shows nothing under a number is its word. Who can ask it asks for the texts by their ids, too
//! ([`SigningMemory::texts`]): one that is logged is neither over nor replaced.

use isonomy_core::hash::StatementId;
use isonomy_core::rules::Series;
use isonomy_core::rules::signatures::DRAFT_LIFETIME;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_store::files::{self, FileError, FolderLock};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Why the memory forbids a signature, or can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// Another text was signed for the same number.
    #[error(
        "another text was signed for {series} {number} of {list}, by this key or another one of yours: {first}, on {signed_at}. Two \
         texts for one number are evidence against you. {advice}"
    )]
    SecondText {
        /// The list.
        list: ListName,
        /// Editions or versions.
        series: Series,
        /// The number.
        number: u64,
        /// The text signed before.
        first: StatementId,
        /// When.
        signed_at: Timestamp,
        /// What to do.
        advice: String,
    },
    /// The text that should be replaced was never signed here.
    #[error("this key never signed {0} for this number, so nothing is replaced; check the id")]
    NothingReplaced(StatementId),
    /// The memory is damaged.
    #[error("{}, line {line}: {problem}. What was signed can't be guessed: {advice}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
        /// What to do.
        advice: &'static str,
    },
    /// The files can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What to do with a damaged memory of one key.
const OWN: &str = "restore this file from a copy, or use a new key";
/// The same for what all keys of a role remember in common, which a new key heeds, too.
const COMMON: &str = "restore this file from a copy, or put it together anew: it holds the lines that stand in `signed.jsonl` in the \
     `.signed` folders beside all keys that signed here, in the order of their `signed_at`";

/// Whether the signature of a release makes it complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A curator, who signs before the maintainer.
    Curator,
    /// The maintainer, who signs a release last.
    Maintainer,
}

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct SignedText<'t> {
    /// The list.
    pub list: &'t ListName,
    /// Editions or versions.
    pub series: Series,
    /// The number.
    pub number: u64,
    /// The statement's identity.
    pub statement: StatementId,
    /// When a release was created; `None` for a charter, which has no such time.
    pub created: Option<Timestamp>,
    /// Who signs.
    pub role: Role,
    /// The latest witnessed time at which the log was seen to have nothing under this number.
    pub free_at: Option<Timestamp>,
}

/// One line of the memory.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// The list.
    pub list: ListName,
    /// `version` or `edition`.
    pub series: String,
    /// The number.
    pub number: u64,
    /// The statement's identity.
    pub statement: StatementId,
    /// When a release was created.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created: Option<Timestamp>,
    /// Who signed.
    pub role: Role,
    /// When it was signed, by the signer's clock.
    pub signed_at: Timestamp,
    /// The texts that this one was said to replace.
    #[serde(skip_serializing_if = "Vec::is_empty", default, deserialize_with = "one_or_several")]
    pub replaces: Vec<StatementId>,
    /// When the key refused to sign it, after all: such a line takes back the last one about this text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused_at: Option<Timestamp>,
}

/// Where a text was newly remembered as signed.
#[derive(Clone, Copy, Debug)]
pub struct Remembering {
    own: bool,
    shared: bool,
}

/// The memory of one key, held by one process at a time.
#[derive(Debug)]
pub struct SigningMemory {
    folder: PathBuf,
    remembered: Vec<Remembered>,
    /// None as long as there is no folder.
    lock: Option<FolderLock>,
    /// What other keys of the same role have signed, too.
    shared: Option<Box<SigningMemory>>,
    /// What to do if it is damaged.
    advice: &'static str,
}

impl SigningMemory {
    /// The memory of the key in this file: beside the file itself, by whatever link it is named.
    pub fn of_key(key_file: &Path) -> Result<Self, MemoryError> {
        let file = std::fs::canonicalize(key_file).unwrap_or_else(|_| key_file.to_owned());
        let mut folder = file.into_os_string();
        folder.push(".signed");
        Self::open(Path::new(&folder))
    }

    /// The memory in this folder, which is made with the first text that is remembered, if there is none.
    pub fn open(folder: &Path) -> Result<Self, MemoryError> {
        Self::open_as(folder, OWN)
    }

    fn open_as(folder: &Path, advice: &'static str) -> Result<Self, MemoryError> {
        let mut memory = Self { folder: folder.to_owned(), remembered: Vec::new(), lock: None, shared: None, advice };
        if folder.exists() {
            memory.hold()?;
        }
        Ok(memory)
    }

    /// The same, which also heeds what all keys of a role have signed with this folder as their common memory.
    pub fn and_in(self, folder: &Path) -> Result<Self, MemoryError> {
        Ok(Self { shared: Some(Box::new(Self::open_as(folder, COMMON)?)), ..self })
    }

    /// Locks the folder, which must be there, and reads what is remembered.
    fn hold(&mut self) -> Result<(), MemoryError> {
        let lock = FolderLock::acquire(&self.folder)?;
        let (journal, mut remembered) = (self.journal(), Vec::new());
        let advice = self.advice;
        for (at, line) in files::read_lines(&journal)?.iter().enumerate() {
            let damaged = |error: serde_json::Error| MemoryError::Damaged {
                path: journal.clone(),
                line: at + 1,
                problem: error.to_string(),
                advice,
            };
            apply(&mut remembered, serde_json::from_str(line).map_err(damaged)?);
        }
        (self.remembered, self.lock) = (remembered, Some(lock));
        Ok(())
    }

    fn journal(&self) -> PathBuf {
        self.folder.join("signed.jsonl")
    }

    /// Everything that the key has signed, oldest first.
    pub fn remembered(&self) -> &[Remembered] {
        &self.remembered
    }

    /// The texts for this number that were signed, by this key or another one of the same role.
    pub fn texts(&self, list: &ListName, series: Series, number: u64) -> BTreeSet<StatementId> {
        let known = self.remembered.iter().chain(self.shared.iter().flat_map(|shared| &shared.remembered));
        known.filter(|known| known.is_numbered(list, series, number)).map(|known| known.statement).collect()
    }

    /// Remembers that `text` is signed, durably, or says why it must not be. To be called before the key is asked for the
    /// signature. Signing the same text again is fine.
    pub fn remember(
        &mut self,
        text: &SignedText<'_>,
        replaces: &[StatementId],
        clock: Timestamp,
    ) -> Result<Remembering, MemoryError> {
        self.hold_or_make()?;
        if let Some(shared) = &mut self.shared {
            shared.hold_or_make()?;
        }
        let signed = self.texts(text.list, text.series, text.number);
        if let Some(never) = replaces.iter().find(|id| !signed.contains(id)) {
            return Err(MemoryError::NothingReplaced(*never));
        }
        // Both have to agree before either remembers what was perhaps never signed.
        let own = self.judge(text, replaces)?;
        let shared = match &mut self.shared {
            Some(shared) if shared.judge(text, replaces)? => {
                shared.add(text, replaces, clock)?;
                true
            }
            _ => false,
        };
        if own {
            self.add(text, replaces, clock)?;
        }
        Ok(Remembering { own, shared })
    }

    /// Takes back, durably, that `text` was signed, where that was newly remembered: the key refused.
    pub fn take_back(
        &mut self,
        text: &SignedText<'_>,
        newly: Remembering,
        clock: Timestamp,
    ) -> Result<(), MemoryError> {
        let line = Remembered { refused_at: Some(clock), ..Remembered::new(text, &[], clock) };
        if let Some(shared) = self.shared.as_mut().filter(|_| newly.shared) {
            shared.put(line.clone())?;
        }
        if newly.own { self.put(line) } else { Ok(()) }
    }

    fn hold_or_make(&mut self) -> Result<(), MemoryError> {
        if self.lock.is_none() {
            files::create_dir_all_durable(&self.folder)?;
            self.hold()?;
        }
        Ok(())
    }

    /// Whether a text may be signed that was not signed before; `false` for one that stands already.
    fn judge(&self, text: &SignedText<'_>, replaces: &[StatementId]) -> Result<bool, MemoryError> {
        let same: Vec<&Remembered> = self.remembered.iter().filter(|known| known.is_numbered_like(text)).collect();
        let is_replaced = |(at, known): (usize, &Remembered)| {
            same[at + 1..].iter().any(|later| later.replaces.contains(&known.statement))
        };
        let mut standing = same.iter().enumerate().filter(|(at, known)| !is_replaced((*at, **known)));
        if standing.clone().any(|(_, known)| known.statement == text.statement) {
            return Ok(false);
        }
        let forbidding = standing.find(|(_, known)| {
            let said_so = replaces.contains(&known.statement) && !known.is_final();
            !known.is_over(text) && !said_so
        });
        match forbidding {
            Some((_, first)) => Err(first.forbids(text, replaces)),
            None => Ok(true),
        }
    }

    fn add(&mut self, text: &SignedText<'_>, replaces: &[StatementId], clock: Timestamp) -> Result<(), MemoryError> {
        self.put(Remembered::new(text, replaces, clock))
    }

    fn put(&mut self, line: Remembered) -> Result<(), MemoryError> {
        self.append(&line)?;
        apply(&mut self.remembered, line);
        Ok(())
    }

    fn append(&self, line: &Remembered) -> Result<(), MemoryError> {
        let journal = self.journal();
        let json = serde_json::to_string(line).map_err(|error| MemoryError::Damaged {
            path: journal.clone(),
            line: self.remembered.len() + 1,
            problem: error.to_string(),
            advice: self.advice,
        })?;
        Ok(files::append_line_durable(&journal, &json)?)
    }
}

/// Ids in a list, or one alone, as it stood there when there could be no more.
fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<StatementId>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Ids {
        One(StatementId),
        Several(Vec<StatementId>),
    }
    Ids::deserialize(deserializer).map(|ids| match ids {
        Ids::One(id) => vec![id],
        Ids::Several(ids) => ids,
    })
}

/// Takes up a line: a text that is signed, or one that is not, after all.
fn apply(remembered: &mut Vec<Remembered>, line: Remembered) {
    if line.refused_at.is_none() {
        remembered.push(line);
    } else if let Some(at) = remembered.iter().rposition(|known| known.is_of_text_of(&line)) {
        remembered.remove(at);
    }
}

impl Remembered {
    fn new(text: &SignedText<'_>, replaces: &[StatementId], clock: Timestamp) -> Self {
        Self {
            list: text.list.clone(),
            series: text.series.to_string(),
            number: text.number,
            statement: text.statement,
            created: text.created,
            role: text.role,
            signed_at: clock,
            replaces: replaces.to_vec(),
            refused_at: None,
        }
    }

    fn is_of_text_of(&self, other: &Self) -> bool {
        let of = |known: &Self| (known.list.clone(), known.series.clone(), known.number, known.statement);
        of(self) == of(other)
    }

    fn is_numbered_like(&self, text: &SignedText<'_>) -> bool {
        self.is_numbered(text.list, text.series, text.number)
    }

    fn is_numbered(&self, list: &ListName, series: Series, number: u64) -> bool {
        self.list == *list && self.series == series.to_string() && self.number == number
    }

    /// From when on it can't be admitted to the log any more.
    fn ends(&self) -> Option<Timestamp> {
        self.created.map(|created| created.plus(DRAFT_LIFETIME))
    }

    /// Whether the log had not taken it when its time was over.
    fn is_over(&self, text: &SignedText<'_>) -> bool {
        self.ends().is_some_and(|end| text.free_at.is_some_and(|free| free > end))
    }

    /// Whether it may be complete with this signature.
    fn is_final(&self) -> bool {
        self.role == Role::Maintainer && self.created.is_some()
    }

    /// Why `text` must not be signed beside this one, although it replaces these.
    fn forbids(&self, text: &SignedText<'_>, replaces: &[StatementId]) -> MemoryError {
        let wait = self
            .ends()
            .map_or(String::new(), |end| format!("Wait until the log shows that it was not logged by {end}"));
        let flags: String = replaces.iter().chain([&self.statement]).map(|id| format!(" --replaces {id}")).collect();
        let say = format!("if nobody can complete the first text any more, replace it with{flags}");
        let advice = match (wait.is_empty(), self.is_final()) {
            (true, _) => format!("Only {say}"),
            (false, true) => {
                format!("{wait}; until then the first text, which you signed last, can be submitted by anybody")
            }
            (false, false) => format!("{wait}, or, {say}"),
        };
        MemoryError::SecondText {
            list: text.list.clone(),
            series: text.series,
            number: text.number,
            first: self.statement,
            signed_at: self.signed_at,
            advice,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: Timestamp = Timestamp(1_800_000_000);

    fn list() -> ListName {
        ListName::new("hotline.example/images").unwrap()
    }

    fn text(list: &ListName, number: u64, seed: u8, role: Role) -> SignedText<'_> {
        SignedText {
            list,
            series: Series::Version,
            number,
            statement: StatementId([seed; 32]),
            created: Some(CREATED),
            role,
            free_at: Some(CREATED),
        }
    }

    #[test]
    fn the_same_text_is_signed_again_and_another_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let list = list();
        let key_file = dir.path().join("c1.key");
        let mut memory = SigningMemory::of_key(&key_file).unwrap();
        memory.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
        drop(memory);
        let mut memory = SigningMemory::of_key(&key_file).unwrap();
        memory.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
        memory.remember(&text(&list, 2, 2, Role::Curator), &[], CREATED).unwrap();
        let edition = SignedText { series: Series::Edition, created: None, ..text(&list, 1, 3, Role::Curator) };
        memory.remember(&edition, &[], CREATED).unwrap();
        assert_eq!(memory.remembered().len(), 3);
        let error = memory.remember(&text(&list, 1, 9, Role::Curator), &[], CREATED).unwrap_err();
        assert!(error.to_string().contains("evidence against you"), "{error}");
        assert_eq!(memory.remembered().len(), 3);
        assert!(matches!(SigningMemory::of_key(&key_file), Err(MemoryError::File(FileError::InUse { .. }))));
    }

    #[test]
    fn a_second_text_is_signed_once_the_log_shows_that_the_first_one_s_day_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let list = list();
        for role in [Role::Curator, Role::Maintainer] {
            let mut memory = SigningMemory::open(&dir.path().join(format!("{role:?}"))).unwrap();
            memory.remember(&text(&list, 1, 1, role), &[], CREATED).unwrap();
            let at = |after: u64| SignedText { free_at: Some(CREATED.plus(after)), ..text(&list, 1, 2, role) };
            assert!(memory.remember(&at(DRAFT_LIFETIME), &[], CREATED).is_err());
            let unknown = SignedText { free_at: None, ..at(0) };
            assert!(memory.remember(&unknown, &[], CREATED.plus(10 * DRAFT_LIFETIME)).is_err(), "the log must show it");
            memory.remember(&at(DRAFT_LIFETIME + 1), &[], CREATED).unwrap();
        }
    }

    #[test]
    fn a_curator_replaces_a_text_and_a_maintainer_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let list = list();
        let id = |seed| [StatementId([seed; 32])];
        let mut curator = SigningMemory::open(&dir.path().join("curator")).unwrap();
        curator.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
        let wrong = curator.remember(&text(&list, 1, 2, Role::Curator), &id(7), CREATED);
        assert!(matches!(wrong, Err(MemoryError::NothingReplaced(_))));
        curator.remember(&text(&list, 1, 2, Role::Curator), &id(1), CREATED).unwrap();
        assert_eq!(curator.remembered()[1].replaces, id(1));
        let again = curator.remember(&text(&list, 1, 3, Role::Curator), &id(1), CREATED);
        assert!(matches!(again, Err(MemoryError::SecondText { first: StatementId([2, ..]), .. })));
        curator.remember(&text(&list, 1, 3, Role::Curator), &id(2), CREATED).unwrap();
        // What was replaced is not signed again without a word.
        let again = curator.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED);
        assert!(matches!(again, Err(MemoryError::SecondText { first: StatementId([3, ..]), .. })), "{again:?}");
        curator.remember(&text(&list, 1, 1, Role::Curator), &id(3), CREATED).unwrap();
        assert_eq!(curator.remembered().len(), 4);
        curator.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
        assert!(curator.remember(&text(&list, 1, 3, Role::Curator), &[], CREATED).is_err());
        let mut maintainer = SigningMemory::open(&dir.path().join("maintainer")).unwrap();
        maintainer.remember(&text(&list, 1, 1, Role::Maintainer), &[], CREATED).unwrap();
        assert!(maintainer.remember(&text(&list, 1, 2, Role::Maintainer), &id(1), CREATED).is_err());
    }

    /// A list was begun anew twice, each time with another key of the maintainer: each memory lacks what the other has to replace.
    #[test]
    fn a_text_replaces_all_that_any_memory_has() {
        let dir = tempfile::tempdir().unwrap();
        let (list, common) = (list(), dir.path().join("common"));
        let of = |key: &str| SigningMemory::of_key(&dir.path().join(key)).unwrap().and_in(&common).unwrap();
        let ids = [1, 2, 3, 9].map(|seed| StatementId([seed; 32]));
        let edition =
            |seed| SignedText { series: Series::Edition, created: None, ..text(&list, 1, seed, Role::Maintainer) };
        of("m1").remember(&edition(1), &[], CREATED).unwrap();
        of("m2").remember(&edition(2), &ids[..1], CREATED).unwrap();
        let own = of("m1").remember(&edition(3), &ids[1..2], CREATED).unwrap_err();
        let both = format!("replace it with --replaces {} --replaces {}", ids[1], ids[0]);
        assert!(matches!(own, MemoryError::SecondText { first, .. } if first == ids[0]), "{own}");
        assert!(own.to_string().contains(&both), "{own}");
        let shared = of("m1").remember(&edition(3), &ids[..1], CREATED).unwrap_err();
        assert!(matches!(shared, MemoryError::SecondText { first, .. } if first == ids[1]), "{shared}");
        let never = of("m1").remember(&edition(3), &[ids[0], ids[3], ids[1]], CREATED).unwrap_err();
        assert!(matches!(never, MemoryError::NothingReplaced(id) if id == ids[3]), "{never}");
        assert_eq!(of("m1").texts(&list, Series::Edition, 1), ids[..2].iter().copied().collect());
        of("m1").remember(&edition(3), &ids[..2], CREATED).unwrap();
        assert_eq!(of("m1").texts(&list, Series::Edition, 1), ids[..3].iter().copied().collect());
        assert!(
            of("m1").texts(&list, Series::Edition, 2).is_empty()
                && of("m1").texts(&list, Series::Version, 1).is_empty()
        );
        // It stands in both, and neither of the others does.
        for key in ["m1", "m2"] {
            let second = of(key).remember(&edition(2), &[], CREATED);
            assert!(matches!(second, Err(MemoryError::SecondText { .. })), "{key}: {second:?}");
        }
        of("m2").remember(&edition(3), &ids[1..2], CREATED).unwrap();
        of("m2").remember(&edition(3), &[], CREATED).unwrap();
    }

    #[test]
    fn a_memory_of_the_time_when_one_text_replaced_one_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let list = list();
        let mut memory = SigningMemory::open(dir.path()).unwrap();
        memory.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
        memory.remember(&text(&list, 1, 2, Role::Curator), &[StatementId([1; 32])], CREATED).unwrap();
        let expected = memory.remembered().to_vec();
        drop(memory);
        let journal = dir.path().join("signed.jsonl");
        let lines = std::fs::read_to_string(&journal).unwrap();
        let single = lines.replace(":[\"", ":\"").replace("\"]", "\"");
        assert_ne!(single, lines);
        std::fs::write(&journal, single).unwrap();
        assert_eq!(SigningMemory::open(dir.path()).unwrap().remembered(), expected);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_has_one_memory_by_whatever_link_it_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (list, key_file, alias) = (list(), dir.path().join("c1.key"), dir.path().join("alias.key"));
        std::fs::write(&key_file, "a key").unwrap();
        std::os::unix::fs::symlink(&key_file, &alias).unwrap();
        let mut memory = SigningMemory::of_key(&key_file).unwrap();
        memory.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
        drop(memory);
        let mut memory = SigningMemory::of_key(&alias).unwrap();
        let second = memory.remember(&text(&list, 1, 2, Role::Curator), &[], CREATED);
        assert!(matches!(second, Err(MemoryError::SecondText { .. })), "{second:?}");
    }

    #[test]
    fn two_keys_of_one_role_don_t_sign_two_texts() {
        let dir = tempfile::tempdir().unwrap();
        let (list, common) = (list(), dir.path().join("signed-maintainer"));
        let of = |key: &str| SigningMemory::of_key(&dir.path().join(key)).unwrap().and_in(&common).unwrap();
        of("m1.key").remember(&text(&list, 7, 1, Role::Maintainer), &[], CREATED).unwrap();
        let other = of("m2.key").remember(&text(&list, 7, 2, Role::Maintainer), &[], CREATED);
        assert!(matches!(other, Err(MemoryError::SecondText { first: StatementId([1, ..]), .. })), "{other:?}");
        assert!(of("m2.key").remembered().is_empty());
        of("m2.key").remember(&text(&list, 7, 1, Role::Maintainer), &[], CREATED).unwrap();
        of("m2.key").remember(&text(&list, 8, 2, Role::Maintainer), &[], CREATED).unwrap();
        let later =
            SignedText { free_at: Some(CREATED.plus(DRAFT_LIFETIME + 1)), ..text(&list, 7, 3, Role::Maintainer) };
        of("m1.key").remember(&later, &[], CREATED).unwrap();
        // A new folder knows nothing, but the key does; and the folder learns nothing of what was refused.
        let elsewhere =
            || SigningMemory::of_key(&dir.path().join("m1.key")).unwrap().and_in(&dir.path().join("new")).unwrap();
        let second = elsewhere().remember(&text(&list, 7, 9, Role::Maintainer), &[], CREATED);
        assert!(matches!(second, Err(MemoryError::SecondText { .. })), "{second:?}");
        elsewhere().remember(&text(&list, 7, 3, Role::Maintainer), &[], CREATED).unwrap();
        let curators = dir.path().join("signed-curator");
        let of = |key: &str| SigningMemory::of_key(&dir.path().join(key)).unwrap().and_in(&curators).unwrap();
        of("c1.key").remember(&text(&list, 7, 1, Role::Curator), &[], CREATED).unwrap();
        of("c1.key").remember(&text(&list, 7, 2, Role::Curator), &[StatementId([1; 32])], CREATED).unwrap();
        // Who comes after another at the same desk may replace what that one signed.
        of("c2.key").remember(&text(&list, 7, 3, Role::Curator), &[StatementId([2; 32])], CREATED).unwrap();
        let never = of("c2.key").remember(&text(&list, 7, 4, Role::Curator), &[StatementId([9; 32])], CREATED);
        assert!(matches!(never, Err(MemoryError::NothingReplaced(_))), "{never:?}");
    }

    #[test]
    fn a_memory_leaves_no_trace_until_something_is_signed() {
        let dir = tempfile::tempdir().unwrap();
        let (list, key_file) = (list(), dir.path().join("c1.key"));
        let mut early = SigningMemory::of_key(&key_file).unwrap();
        let mut late = SigningMemory::of_key(&key_file).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        early.remember(&text(&list, 1, 1, Role::Curator), &[], CREATED).unwrap();
        let refused = late.remember(&text(&list, 1, 2, Role::Curator), &[], CREATED).unwrap_err();
        assert!(matches!(refused, MemoryError::File(FileError::InUse { .. })), "{refused}");
        drop(early);
        let refused = late.remember(&text(&list, 1, 2, Role::Curator), &[], CREATED).unwrap_err();
        assert!(matches!(refused, MemoryError::SecondText { .. }), "what was signed meanwhile counts: {refused}");
        let replace = format!("--replaces {}", StatementId([1; 32]));
        assert!(refused.to_string().contains(&replace), "{refused}");
    }

    #[test]
    fn a_damaged_memory_signs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("signed.jsonl"), "{\"list\":\n").unwrap();
        let error = SigningMemory::open(dir.path()).unwrap_err();
        assert!(matches!(error, MemoryError::Damaged { line: 1, .. }), "{error}");
        assert!(error.to_string().contains("use a new key"), "{error}");
    }

    #[test]
    fn a_damaged_common_memory_is_put_together_from_those_of_the_keys() {
        let dir = tempfile::tempdir().unwrap();
        let (list, common) = (list(), dir.path().join("common"));
        let of = |key: &str| SigningMemory::of_key(&dir.path().join(key)).unwrap().and_in(&common);
        of("m1").unwrap().remember(&text(&list, 1, 1, Role::Maintainer), &[], CREATED).unwrap();
        of("m2").unwrap().remember(&text(&list, 2, 2, Role::Maintainer), &[], CREATED.plus(1)).unwrap();
        std::fs::write(common.join("signed.jsonl"), "{\n").unwrap();
        let error = of("m3").unwrap_err().to_string();
        assert!(!error.contains("a new key") && error.contains("in the order of their `signed_at`"), "{error}");
        let lines =
            ["m1", "m2"].map(|key| std::fs::read(dir.path().join(key.to_owned() + ".signed/signed.jsonl")).unwrap());
        std::fs::write(common.join("signed.jsonl"), lines.concat()).unwrap();
        for number in [1, 2] {
            let second = of("m3").unwrap().remember(&text(&list, number, 9, Role::Maintainer), &[], CREATED);
            assert!(matches!(second, Err(MemoryError::SecondText { .. })), "{second:?}");
        }
    }
}
