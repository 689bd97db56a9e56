//! The folder of evidence. Nothing is in it that was not verified, when it was written and again at each start.

use isonomy_core::hash::ObjectDigest;
use isonomy_core::policy::Policy;
use isonomy_store::files::{self, FileError};
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::{Breach, MAX_EVIDENCE_SIZE};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most bytes that all files of kinds have together of which a log can make any number by itself.
const MAX_TOTAL: usize = 256 << 20;

/// The most files that are read: somewhat more than all classes may have.
const MAX_FILES: usize = 2000;

/// Proven breaches, each in a file that is named by its digest.
#[derive(Debug)]
pub(crate) struct EvidenceFolder {
    folder: PathBuf,
    breaches: BTreeMap<ObjectDigest, Breach>,
    /// How many of them are of each class.
    counted: BTreeMap<Class, usize>,
    /// How many bytes they have.
    total: usize,
}

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

    /// The most files that are kept. Who needs more proof than that will not be convinced.
    fn most(self) -> usize {
        match self {
            Self::Fork => 200,
            Self::Signed | Self::Entry => 500,
        }
    }
}

impl EvidenceFolder {
    pub(crate) fn open(folder: PathBuf, policy: &Policy) -> Result<Self, FileError> {
        files::create_dir_all_durable(&folder)?;
        files::remove_temporaries(&folder)?;
        let mut kept = Self { folder, breaches: BTreeMap::new(), counted: BTreeMap::new(), total: 0 };
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
        let class = Class::of(evidence);
        *self.counted.entry(class).or_default() += 1;
        self.total += if class == Class::Entry { bytes } else { 0 };
        self.breaches.insert(digest, breach);
    }

    /// Whether there is room for evidence of what a log can make any number of by itself.
    pub(crate) fn has_room(&self) -> bool {
        self.has_room_for(Class::Entry)
    }

    /// Whether there is room for more evidence of a class.
    pub(crate) fn has_room_for(&self, class: Class) -> bool {
        let counted = self.counted.get(&class).copied().unwrap_or_default();
        counted < class.most() && (class != Class::Entry || self.total < MAX_TOTAL)
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
            if !self.has_room_for(Class::of(evidence)) {
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
    pub(crate) fn breaches(&self) -> impl Iterator<Item = (&ObjectDigest, &Breach)> {
        self.breaches.iter()
    }
}

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

    proptest! {
        #[test]
        fn any_name_is_judged_without_panic(name in "(?s).{0,80}") {
            let _ = digest_of_name(&name);
        }
    }
}
