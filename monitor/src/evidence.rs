//! The folder of evidence. Nothing is in it that was not verified, when it was written and again at each start.

use isonomy_core::hash::ObjectDigest;
use isonomy_core::json::Lines;
use isonomy_core::note::VerifierKey;
use isonomy_core::policy::Policy;
use isonomy_core::rules::Rule;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;
use isonomy_store::files::{self, FileError};
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::{Breach, MAX_EVIDENCE_SIZE};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The most bytes that all files of kinds have together of which a log can make any number by itself.
const MAX_TOTAL: usize = 256 << 20;

/// The most files that are read: somewhat more than all classes may have.
const MAX_FILES: usize = 2000;

/// Proven breaches, each in a file that is named by its digest.
#[derive(Debug)]
pub(crate) struct EvidenceFolder {
    folder: PathBuf,
    breaches: BTreeMap<ObjectDigest, Proven>,
    /// How much room they take, by class and by the list that they are about, if they are about one.
    used: BTreeMap<(Class, Option<ListName>), Room>,
    /// Lists of which a release was taken up.
    in_use: BTreeSet<ListName>,
}

/// What one file proves, and of what.
#[derive(Clone, Debug)]
pub(crate) struct Proven {
    pub(crate) breach: Breach,
    /// Which rule is broken, if it is one of those for statements.
    pub(crate) rule: Option<Rule>,
    /// The statement that it is held against, and its place in the log.
    pub(crate) statement: Option<(Statement, Option<LeafIndex>)>,
    /// What it proves whatever checkpoints and proofs it rests on, in one line: the kind, the ids of the statements, and the keys.
    pub(crate) line: String,
}

/// Room in the folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Room {
    files: usize,
    bytes: usize,
}

impl Room {
    fn and(self, other: Self) -> Self {
        Self { files: self.files.saturating_add(other.files), bytes: self.bytes.saturating_add(other.bytes) }
    }

    fn without(self, other: Self) -> Self {
        Self { files: self.files.saturating_sub(other.files), bytes: self.bytes.saturating_sub(other.bytes) }
    }

    /// Whether one more of any size may follow.
    fn is_below(self, most: Self) -> bool {
        self.files < most.files && self.bytes < most.bytes
    }
}

/// The most that one list takes of a class; whatever is about no list counts as one.
const OF_LIST: Room = Room { files: 100, bytes: 64 << 20 };
/// This much of a class is kept free for lists that have less than [`FEW`] of it: any number of lists can be noisy.
const RESERVED: Room = Room { files: 100, bytes: 64 << 20 };
/// And of this so much for what is about the log, and lists of which a release was taken up: a log can make any number of others.
const FOR_LISTS_IN_USE: Room = Room { files: 50, bytes: 32 << 20 };
const FEW: usize = 4;

/// Kinds of evidence that share room. Each class has its own, so that whoever can fill one leaves the others free.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Class {
    /// That the log showed two histories. It makes no more of these than there are places which show one.
    Fork,
    /// What needs the signatures of a list's curators: a log and a list of its own can make any number.
    Signed,
    /// What a log can make any number of by itself, or what is large.
    Entry,
}

impl Class {
    fn of(evidence: &Evidence) -> Self {
        match evidence {
            Evidence::Fork(_) => Self::Fork,
            Evidence::EarlyAdmission(_)
            | Evidence::TwoEditions(_)
            | Evidence::Equivocation(_)
            | Evidence::CrossEquivocation(_) => Self::Signed,
            _ => Self::Entry,
        }
    }

    /// The most that is kept. Who needs more proof than that will not be convinced.
    fn most(self) -> Room {
        match self {
            Self::Fork => Room { files: 200, bytes: usize::MAX },
            Self::Signed => Room { files: 500, bytes: usize::MAX },
            Self::Entry => Room { files: 500, bytes: MAX_TOTAL },
        }
    }
}

impl EvidenceFolder {
    pub(crate) fn open(folder: PathBuf, policy: &Policy) -> Result<Self, FileError> {
        files::create_dir_all_durable(&folder)?;
        files::remove_temporaries(&folder)?;
        let mut kept = Self { folder, breaches: BTreeMap::new(), used: BTreeMap::new(), in_use: BTreeSet::new() };
        for digest in names(&kept.folder) {
            let Some(bytes) = read(&kept.folder, &digest)? else { continue };
            match Evidence::parse(&bytes).and_then(|found| Ok((found.verify(policy)?, found))) {
                Ok((breach, evidence)) => kept.count(digest, (&evidence, bytes.len()), breach),
                Err(error) => tracing::warn!(%error, %digest, "a file of evidence does not hold and is left out"),
            }
        }
        Ok(kept)
    }

    fn count(&mut self, digest: ObjectDigest, (evidence, bytes): (&Evidence, usize), breach: Breach) {
        let used = self.used.entry((Class::of(evidence), list_of(evidence))).or_default();
        *used = used.and(Room { files: 1, bytes });
        let (rule, statement) = (rule_of(evidence, &breach), statement_of(evidence));
        let line = line_of(evidence, &breach);
        self.breaches.insert(digest, Proven { breach, rule, statement, line });
    }

    /// A release of this list was taken up.
    pub(crate) fn note_in_use(&mut self, list: &ListName) {
        if !self.in_use.contains(list) {
            self.in_use.insert(list.clone());
        }
    }

    /// What a file proves.
    pub(crate) fn proven(&self, digest: &str) -> Option<&Proven> {
        self.breaches.get(&ObjectDigest::from_hex(digest)?)
    }

    /// Whether there is room for evidence of what a log can make any number of by itself, about this list if it is about one.
    pub(crate) fn has_room(&self, list: Option<&ListName>) -> bool {
        self.has_room_for(Class::Entry, list)
    }

    /// Whether there is room for more evidence of a class. One list, or many that are noisy, leave some for others.
    pub(crate) fn has_room_for(&self, class: Class, list: Option<&ListName>) -> bool {
        let of_class = self.used.iter().filter(|((of, _), _)| *of == class);
        let all = of_class.fold(Room::default(), |sum, (_, used)| sum.and(*used));
        if class == Class::Fork {
            return all.is_below(class.most());
        }
        let own = self.used.get(&(class, list.cloned())).copied().unwrap_or_default();
        let is_in_use = list.is_none_or(|list| self.in_use.contains(list));
        let reserved = match (own.files < FEW, is_in_use) {
            (true, true) => Room::default(),
            (true, false) => FOR_LISTS_IN_USE,
            (false, _) => RESERVED,
        };
        own.is_below(OF_LIST) && all.is_below(class.most().without(reserved))
    }

    /// Keeps evidence, if it holds and there is room; gives its digest and what it proves.
    pub(crate) fn keep(
        &mut self,
        evidence: &Evidence,
        policy: &Policy,
    ) -> Result<Option<(ObjectDigest, Breach)>, FileError> {
        let Ok(breach) = evidence.verify(policy) else { return Ok(None) };
        let digest = evidence.digest();
        if !self.breaches.contains_key(&digest) {
            if !self.has_room_for(Class::of(evidence), list_of(evidence).as_ref()) {
                return Ok(None);
            }
            let text = evidence.to_text();
            // In the place of a damaged one, too: the name is the digest of what belongs there.
            files::replace(&path(&self.folder, &digest), text.as_bytes())?;
            self.count(digest, (evidence, text.len()), breach.clone());
        }
        Ok(Some((digest, breach)))
    }

    /// Everything that was proven.
    pub(crate) fn breaches(&self) -> impl Iterator<Item = (&ObjectDigest, &Proven)> {
        self.breaches.iter()
    }
}

/// What evidence proves, in one line.
fn line_of(evidence: &Evidence, breach: &Breach) -> String {
    let ids = evidence.statements().into_iter().map(|id| id.to_hex());
    let by = breach.by.iter().map(VerifierKey::to_string);
    [evidence.kind().to_owned()].into_iter().chain(ids).chain(["by".to_owned()]).chain(by).collect::<Vec<_>>().join(" ")
}

/// The list that evidence is about: that of the statement which it is held against.
fn list_of(evidence: &Evidence) -> Option<ListName> {
    statement_of(evidence).map(|(statement, _)| statement.list().clone())
}

/// The statement that evidence is held against, and its place in the log.
fn statement_of(evidence: &Evidence) -> Option<(Statement, Option<LeafIndex>)> {
    let parts = serde_json::to_value(evidence).ok()?;
    let text = |name: &str| {
        let lines: Lines = serde_json::from_value(parts.get(name)?.clone()).ok()?;
        Some(lines.to_text())
    };
    let statement = |name: &&str| {
        let statement = Statement::parse(text(name)?.as_bytes()).ok()?;
        let proof = text(&format!("{name}_proof")).and_then(|proof| TlogProof::parse(proof.as_bytes()).ok());
        Some((statement, proof.map(|proof| proof.index)))
    };
    ["statement", "release", "second"].iter().find_map(statement)
}

/// The rule that evidence proves to be broken.
fn rule_of(evidence: &Evidence, breach: &Breach) -> Option<Rule> {
    match evidence {
        Evidence::EarlyAdmission(_) => Some(Rule::Notice),
        Evidence::TwoEditions(_)
        | Evidence::Equivocation(_)
        | Evidence::CrossEquivocation(_)
        | Evidence::LoggedTwice(_) => Some(Rule::Chain),
        Evidence::WrongContent(_) => Some(Rule::Content),
        // What its proof says, in the words of the verifier, before anything of the statement is quoted.
        Evidence::Inadmissible(_) => {
            let (_, broken) = breach.what.split_once("which breaks ")?;
            RULES.into_iter().find(|rule| broken.starts_with(&format!("{rule}:")))
        }
        _ => None,
    }
}

const RULES: [Rule; 9] = [
    Rule::Chain,
    Rule::Signatures,
    Rule::Amendment,
    Rule::Notice,
    Rule::Visibility,
    Rule::Time,
    Rule::Limits,
    Rule::Content,
    Rule::Attestations,
];

fn path(folder: &Path, digest: &ObjectDigest) -> PathBuf {
    folder.join(format!("{}.json", digest.to_hex()))
}

/// The digest in the name of an evidence file, `<sha256 in hexadecimal>.json`.
pub(crate) fn digest_of_name(name: &str) -> Option<ObjectDigest> {
    ObjectDigest::from_hex(name.strip_suffix(".json")?)
}

/// The bytes of an evidence file that is named by their digest; `None` if there is none, or it has other bytes.
pub(crate) fn read(folder: &Path, digest: &ObjectDigest) -> Result<Option<Vec<u8>>, FileError> {
    let bytes = files::read_limited(&path(folder, digest), MAX_EVIDENCE_SIZE)?;
    Ok(bytes.filter(|bytes| ObjectDigest::of(bytes) == *digest))
}

fn names(folder: &Path) -> Vec<ObjectDigest> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| digest_of_name(entry.file_name().to_str()?)).take(MAX_FILES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn files_are_named_by_their_digest() {
        let hex = "ab".repeat(32);
        assert_eq!(digest_of_name(&format!("{hex}.json")), ObjectDigest::from_hex(&hex));
        for wrong in [hex.clone(), format!("{hex}.jsonx"), format!("../{hex}.json"), "x.json".into(), String::new()] {
            assert_eq!(digest_of_name(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn other_bytes_are_not_given_out() {
        let dir = tempfile::tempdir().unwrap();
        let digest = ObjectDigest::of(b"bytes");
        std::fs::write(path(dir.path(), &digest), b"bytes").unwrap();
        assert_eq!(read(dir.path(), &digest).unwrap().unwrap(), b"bytes");
        std::fs::write(path(dir.path(), &digest), b"other").unwrap();
        assert_eq!(read(dir.path(), &digest).unwrap(), None);
    }

    /// What each list can still have, one after the other.
    fn fill(folder: &mut EvidenceFolder, class: Class, list: Option<&ListName>, bytes: usize) -> usize {
        let mut kept = 0;
        while folder.has_room_for(class, list) {
            let used = folder.used.entry((class, list.cloned())).or_default();
            *used = used.and(Room { files: 1, bytes });
            kept += 1;
        }
        kept
    }

    #[test]
    fn a_noisy_list_and_many_of_them_leave_room_for_others() {
        let dir = tempfile::tempdir().unwrap();
        let policy = Policy::parse(b"quorum none\n").unwrap();
        for class in [Class::Signed, Class::Entry] {
            let mut folder = EvidenceFolder::open(dir.path().to_owned(), &policy).unwrap();
            let list = |number: usize| ListName::new(&format!("a.example/{number}")).unwrap();
            let kept = |folder: &mut EvidenceFolder, number: usize| fill(folder, class, Some(&list(number)), 1000);
            assert_eq!((0..4).map(|number| kept(&mut folder, number)).collect::<Vec<_>>(), [100; 4]);
            // Of the rest, each list has a few.
            assert_eq!((4..16).map(|number| kept(&mut folder, number)).collect::<Vec<_>>(), [4; 12]);
            // However many there are, lists in use have a few more; also what is about none.
            assert_eq!((kept(&mut folder, 16), kept(&mut folder, 17)), (2, 0));
            (20..40).for_each(|number| folder.note_in_use(&list(number)));
            assert_eq!((20..31).map(|number| kept(&mut folder, number)).collect::<Vec<_>>(), [4; 11]);
            assert_eq!((fill(&mut folder, class, None, 1000), kept(&mut folder, 31), kept(&mut folder, 99)), (4, 2, 0));
            assert_eq!(fill(&mut folder, Class::Fork, None, 1000), 200, "which has room of its own");
        }
        let mut folder = EvidenceFolder::open(dir.path().to_owned(), &policy).unwrap();
        assert_eq!(fill(&mut folder, Class::Entry, None, 4 << 20), 16, "large ones");
    }

    proptest! {
        #[test]
        fn any_name_is_judged_without_panic(name in "(?s).{0,80}") {
            let _ = digest_of_name(&name);
        }
    }
}
