//! What a key has signed, durably, so that it never signs two texts for one version or edition by mistake (rule 2): two
//! complete texts for one version are evidence against everybody who signed both.
//!
//! The memory of the key file `curator.key` is the folder `curator.key.signed` beside it, with one line of JSON for each
//! text signed. It belongs to the key: whoever moves the key, moves it too. Who has several keys for one role (a maintainer, so that the
//! loss of one does not end the list) may sign one text with one and another with the other. So what is signed for a list in a
//! workspace is remembered there once more, for each role ([`SigningMemory::and_in`]): both have to agree.
//!
//! Beside it stands what it amounts to (`seal`): so lines that were cut off, or all of them, are missed, and nothing is signed
//! until they are back. What takes both files away is not noticed; nor can a memory without the second one be held against it, as from
//! before there was one: it gets it when it is next opened.
//!
//! A second text for a number is signed only
//!
//! - if the log shows that the first one was not logged within its 24 hours, by witnessed time; or
//! - if it is said to replace the first one, which goes on record. A maintainer who has signed a release can't replace it
//!   before its time is over: it signs last, so the first text may be complete and on its way to the log. Where the memories know
//!   different texts, since one key signed one and another key the next, the new one is said to replace each of them.
//!
//! That a text can't be admitted any more by another rule, as when an edition that narrows is published after it was signed, does
//! not count: a log that breaks the rules could take it up beside a second one, and what was signed twice within these 24 hours
//! is evidence against the signers, whatever else is wrong with either.
//!
//! That the log shows nothing under a number is its word. Who can ask it asks for the texts by their ids, too
//! ([`SigningMemory::texts`]): one that is logged is neither over nor replaced.

mod seal;
#[cfg(test)]
mod tests;

use isonomy_core::hash::StatementId;
use isonomy_core::rules::Series;
use isonomy_core::rules::signatures::DRAFT_LIFETIME;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_store::files::{self, FileError, FolderLock};
use seal::{Seal, Unreadable, Wrong};
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
    /// The memory does not begin with what it had, as the file beside it says.
    #[error(
        "{} has lost what it remembered: {} says that it had {lines} lines, and it has {found}, or other ones. What was signed can't be \
         guessed: {advice}",
        path.display(),
        seal.display()
    )]
    Lost {
        /// The file.
        path: PathBuf,
        /// What says what it had.
        seal: PathBuf,
        /// How many lines it had.
        lines: usize,
        /// How many it has.
        found: usize,
        /// What to do.
        advice: &'static str,
    },
    /// What stands beside the memory can't be understood, so nothing says whether it is whole.
    #[error(
        "{} is unreadable, so nothing says whether {} is whole: it has {found} lines. Compare them with a copy, and with the versions \
         and editions on the log that bear this signature: each has to stand there. If they do, take {} away, and it is made anew; if \
         not, {advice}",
        seal.display(),
        path.display(),
        seal.display()
    )]
    Unsealed {
        /// The file.
        path: PathBuf,
        /// What should say what it had.
        seal: PathBuf,
        /// How many lines it has.
        found: usize,
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
     `.signed` folders beside all keys that signed here, in the order of their `signed_at`; then take `signed.seal` away, which is made anew";

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

/// A release that was signed last, and that the log was not shown to lack when its time was over: whoever has it can still give it to a
/// log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Outstanding {
    /// Its version.
    pub version: u64,
    /// Its identity.
    pub release: StatementId,
    /// Once the log shows, at a later time than this, that it has no such version, another text is signed for it.
    pub until: Timestamp,
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

    /// What all keys of a role have signed with this folder as their common memory.
    pub fn in_common(folder: &Path) -> Result<Self, MemoryError> {
        Self::open_as(folder, COMMON)
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
        Ok(Self { shared: Some(Box::new(Self::in_common(folder)?)), ..self })
    }

    /// Locks the folder, which must be there, and reads what is remembered.
    fn hold(&mut self) -> Result<(), MemoryError> {
        let lock = FolderLock::acquire(&self.folder)?;
        let (journal, mut remembered) = (self.journal(), Vec::new());
        let advice = self.advice;
        let lines = files::read_lines(&journal)?;
        for (at, line) in lines.iter().enumerate() {
            let damaged = |error: serde_json::Error| MemoryError::Damaged {
                path: journal.clone(),
                line: at + 1,
                problem: error.to_string(),
                advice,
            };
            apply(&mut remembered, serde_json::from_str(line).map_err(damaged)?);
        }
        self.check_seal(&lines)?;
        (self.remembered, self.lock) = (remembered, Some(lock));
        Ok(())
    }

    /// Whether nothing is missing of what was remembered. A line more is one whose writer was interrupted: then the seal is renewed.
    fn check_seal(&self, lines: &[String]) -> Result<(), MemoryError> {
        let path = self.folder.join(seal::NAME);
        let lost = |lines: usize, found: usize| MemoryError::Lost {
            path: self.journal(),
            seal: path.clone(),
            lines,
            found,
            advice: self.advice,
        };
        let sealed = Seal::read(&path)?.transpose().map_err(|Unreadable| MemoryError::Unsealed {
            path: self.journal(),
            seal: path.clone(),
            found: lines.len(),
            advice: self.advice,
        })?;
        match sealed.map(|sealed| sealed.check(lines)) {
            Some(Ok(())) => Ok(()),
            Some(Err(Wrong::Grown)) => Ok(Seal::of(lines).write(&path)?),
            Some(Err(Wrong::Lost { lines: sealed })) => Err(lost(sealed, lines.len())),
            None if lines.is_empty() => Ok(()),
            None => Ok(Seal::of(lines).write(&path)?),
        }
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

    /// The releases of this version and later ones that were signed last, by this key or another one of the same role, and may still
    /// be logged by what the log showed at `now`: no other text is signed for these versions.
    pub fn outstanding(&self, list: &ListName, from: u64, now: Timestamp) -> Vec<Outstanding> {
        let known = self.remembered.iter().chain(self.shared.iter().flat_map(|shared| &shared.remembered));
        let of_list = known.filter(|known| known.list == *list && known.number >= from && known.is_final());
        let open = of_list.filter_map(|known| {
            let until = known.ends().filter(|until| now <= *until)?;
            Some((known.number, known.statement, until))
        });
        let each: BTreeSet<_> = open.collect();
        each.into_iter().map(|(version, release, until)| Outstanding { version, release, until }).collect()
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
        files::append_line_durable(&journal, &json)?;
        Ok(Seal::of(&files::read_lines(&journal)?).write(&self.folder.join(seal::NAME))?)
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
                format!(
                    "{wait}, and compose anew then: you signed the first text last, so it is complete, and a log that takes up both, by the \
                     rules or against them, makes evidence of them"
                )
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
