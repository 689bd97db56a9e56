//! Rule 8 at the log's door: before a release is sequenced, its snapshot is decoded and each delta applied, and every
//! number that it states is counted. In memory are its list and, one after the other, the lists before.

use crate::objects::{ObjectError, Objects};
use crate::refusal::Refusal;
use isonomy_core::list::delta::Applying;
use isonomy_core::list::snapshot::Decoding;
use isonomy_core::list::{Algorithm, Entries, ListError};
use isonomy_core::release::{DeltaRef, Release};
use isonomy_core::rules::Violation;
use isonomy_core::rules::content::{self, Churn};

/// A release whose content is to be judged, with what it builds on.
pub struct Content<'c> {
    /// The release.
    pub release: &'c Release,
    /// The list's algorithm.
    pub algorithm: Algorithm,
    /// The logged releases that its deltas start from, in their order.
    pub bases: Vec<&'c Release>,
}

impl Content<'_> {
    /// Judges all its objects, which must be there.
    pub fn judge(&self, objects: &Objects) -> Result<(), ObjectError> {
        let entries = self.snapshot_of(self.release, "the snapshot", objects)?;
        content::judge(self.release, self.algorithm, &entries, None).map_err(Refusal::from)?;
        for (reference, base) in self.release.deltas.iter().zip(&self.bases) {
            self.judge_delta(reference, base, &entries, objects)?;
        }
        Ok(())
    }

    fn judge_delta(
        &self,
        reference: &DeltaRef,
        base: &Release,
        entries: &Entries,
        objects: &Objects,
    ) -> Result<(), ObjectError> {
        let from = self.snapshot_of(base, "the snapshot of an earlier release", objects)?;
        let object = isonomy_core::release::ObjectRef { size: reference.size, sha256: reference.sha256 };
        let malformed =
            |source| Refusal::Content { what: format!("the delta from version {}", reference.from), source };
        let bytes = objects.read(&object)?;
        let applying = Applying::new(&bytes, self.algorithm.entry_size(), from.len() as u64);
        let mut applying = applying.map_err(malformed)?;
        let (mut expected, mut is_same) = (entries.iter(), true);
        let mut put = |entry: &[u8]| is_same &= expected.next() == Some(entry);
        applying.take(&from, &mut put).map_err(malformed)?;
        let (removed, added) = applying.finish(&mut put).map_err(malformed)?;
        if !is_same || expected.next().is_some() {
            return Err(Refusal::Rule(Violation::RootMismatch).into());
        }
        if reference.from + 1 == self.release.version {
            let churn = Churn { added, removed };
            content::judge(self.release, self.algorithm, entries, Some(churn)).map_err(Refusal::from)?;
        }
        Ok(())
    }

    fn snapshot_of(&self, release: &Release, what: &str, objects: &Objects) -> Result<Entries, ObjectError> {
        let malformed = |source: ListError| Refusal::Content { what: what.to_owned(), source };
        let mut decoding = Decoding::new(release.snapshot.size, self.algorithm.entry_size(), release.entries);
        objects.pieces(&release.snapshot, |piece| Ok(decoding.take(piece).map_err(malformed)?))?;
        Ok(decoding.finish().map_err(malformed)?)
    }
}
