//! The folder of evidence. Nothing is in it that was not verified, when it was written and again at each start.

use isonomy_core::hash::ObjectDigest;
use isonomy_core::policy::Policy;
use isonomy_store::files::{self, FileError};
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::{Breach, MAX_EVIDENCE_SIZE};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most files that are kept. Who needs more proof than that will not be convinced.
const MAX_FILES: usize = 1000;
/// Of those, how many may be of kinds that a log can make any number of by itself, so that a fork always finds room.
const MAX_CHEAP: usize = 500;
/// The most bytes that all files have together.
const MAX_TOTAL: usize = 256 << 20;

/// Proven breaches, each in a file that is named by its digest.
#[derive(Debug)]
pub(crate) struct EvidenceFolder {
    folder: PathBuf,
    breaches: BTreeMap<ObjectDigest, Breach>,
    /// How many of them are of kinds that a log can make any number of by itself.
    cheap: usize,
    /// How many bytes they have.
    total: usize,
}

/// Whether a log can make any number of this kind by itself, or they are large.
fn is_cheap(evidence: &Evidence) -> bool {
    !matches!(
        evidence,
        Evidence::Fork(_)
            | Evidence::EarlyAdmission(_)
            | Evidence::TwoEditions(_)
            | Evidence::Equivocation(_)
            | Evidence::CrossEquivocation(_)
    )
}

impl EvidenceFolder {
    pub(crate) fn open(folder: PathBuf, policy: &Policy) -> Result<Self, FileError> {
        files::create_dir_all_durable(&folder)?;
        files::remove_temporaries(&folder)?;
        let mut kept = Self { folder, breaches: BTreeMap::new(), cheap: 0, total: 0 };
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
        self.cheap += usize::from(is_cheap(evidence));
        self.total += bytes;
        self.breaches.insert(digest, breach);
    }

    /// Whether there is room for evidence of every kind.
    pub(crate) fn has_room(&self) -> bool {
        self.breaches.len() < MAX_FILES && self.cheap < MAX_CHEAP && self.total < MAX_TOTAL
    }

    /// Keeps evidence, if it holds; gives its digest and what it proves.
    pub(crate) fn keep(
        &mut self,
        evidence: &Evidence,
        policy: &Policy,
    ) -> Result<Option<(ObjectDigest, Breach)>, FileError> {
        let Ok(breach) = evidence.verify(policy) else { return Ok(None) };
        let digest = evidence.digest();
        if !self.breaches.contains_key(&digest) {
            if self.breaches.len() >= MAX_FILES || is_cheap(evidence) && !self.has_room() {
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
