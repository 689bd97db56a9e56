//! Charters and releases, composed as an honest publisher would; tests change them before they are signed.

use super::World;
use crate::people::{self, SIGNERS, at, sign, sign_charter};
use isonomy_core::attestation::{Attestation, Method};
use isonomy_core::charter::Charter;
use isonomy_core::hash::{ObjectDigest, StatementId};
use isonomy_core::list::{Entries, delta, snapshot};
use isonomy_core::release::{DeltaRef, ObjectRef, Release, delta_bases};
use isonomy_core::statement::{Signed, Statement};
use isonomy_core::tree::TreeSize;

/// A release before it is signed. Its objects are there already.
#[derive(Clone)]
pub struct Draft {
    /// Its text.
    pub release: Release,
    /// Its content.
    pub content: Entries,
}

impl World {
    /// The charters of the list in the log, in its order.
    pub fn charters(&self) -> impl Iterator<Item = &Signed<Charter>> {
        let of_list = self.entries.iter().filter(|entry| *entry.list() == self.list());
        of_list.filter_map(|entry| match entry {
            Statement::Charter(charter) => Some(charter),
            _ => None,
        })
    }

    /// The releases in the log, in its order.
    pub fn releases(&self) -> impl Iterator<Item = &Signed<Release>> {
        self.entries.iter().filter_map(|entry| match entry {
            Statement::Release(release) => Some(release),
            _ => None,
        })
    }

    /// The next edition of the charter, changed by `edit`, unsigned.
    pub fn amended(&self, edit: impl FnOnce(&mut Charter)) -> Charter {
        let mut charter = match self.charters().last() {
            Some(last) => {
                Charter { edition: last.body().edition + 1, previous: Some(last.id()), ..last.body().clone() }
            }
            None => people::charter(),
        };
        edit(&mut charter);
        charter
    }

    /// Logs the next edition of the charter, signed by all whom it names.
    pub fn edition(&mut self, edit: impl FnOnce(&mut Charter)) -> StatementId {
        let charter = self.amended(edit);
        self.append(sign_charter(&charter))
    }

    /// The next release with this content, under the newest edition, with its objects.
    pub fn draft(&mut self, content: Entries, created: u64) -> Draft {
        let charter = self.charters().last().unwrap().id();
        let previous = self.releases().last().map(Signed::id);
        let version = self.releases().last().map_or(1, |last| last.body().version + 1);
        let (added, removed) = match &previous {
            Some(previous) => churn(&self.contents[previous], &content),
            None => (content.len() as u64, 0),
        };
        let deltas = delta_bases(version).into_iter().map(|from| self.delta(from, &content)).collect();
        let release = Release {
            statement: Release::KIND.into(),
            list: self.list(),
            version,
            previous,
            charter,
            created: at(created),
            expires: at(created + 86_400),
            entries: content.len() as u64,
            irregular: 0,
            root: content.root(),
            added,
            removed,
            snapshot: self.object(snapshot::encode(&content)),
            deltas,
        };
        Draft { release, content }
    }

    /// Logs a release, signed by the people with these names.
    pub fn log(&mut self, draft: Draft, signers: &[&str]) -> StatementId {
        let note = sign(&draft.release.to_text().unwrap(), signers);
        let id = self.append(Statement::from_note(note).unwrap());
        self.contents.insert(id, draft.content);
        id
    }

    /// Logs the next release with this content.
    pub fn release(&mut self, content: Entries, created: u64) -> StatementId {
        self.release_with(content, created, |_| ())
    }

    /// Logs the next release with this content, changed by `edit` before it is signed.
    pub fn release_with(&mut self, content: Entries, created: u64, edit: impl FnOnce(&mut Release)) -> StatementId {
        let mut draft = self.draft(content, created);
        edit(&mut draft.release);
        self.log(draft, &SIGNERS)
    }

    /// The attestation of the auditor with this name that it followed the log up to `log_size`, about a release.
    pub fn attestation(&self, auditor: &str, release: &StatementId, log_size: u64) -> Attestation {
        Attestation {
            statement: Attestation::KIND.into(),
            list: people::list(),
            release: *release,
            auditor: people::key(auditor).verifier().clone(),
            method: Method::Followed,
            log_size: Some(TreeSize(log_size)),
            sample: None,
            errors: None,
            complaint: None,
            finding: "every entry keeps the rules".into(),
            report: None,
            created: at(log_size),
        }
    }

    /// Logs an attestation, signed by the person with this name.
    pub fn attest(&mut self, attestation: &Attestation, signer: &str) -> StatementId {
        let note = sign(&attestation.to_text().unwrap(), &[signer]);
        self.append(Statement::from_note(note).unwrap())
    }

    /// Keeps an object and gives its name.
    pub fn object(&mut self, bytes: Vec<u8>) -> ObjectRef {
        let object = ObjectRef { size: bytes.len() as u64, sha256: ObjectDigest::of(&bytes) };
        self.objects.insert(object.sha256, bytes);
        object
    }

    fn delta(&mut self, from: u64, content: &Entries) -> DeltaRef {
        let base = self.releases().filter(|release| release.body().version == from).last().unwrap().id();
        let bytes = delta::encode(&delta::diff(&self.contents[&base], content).unwrap());
        let ObjectRef { size, sha256 } = self.object(bytes);
        DeltaRef { from, release: base, size, sha256 }
    }
}

fn churn(from: &Entries, to: &Entries) -> (u64, u64) {
    let delta = delta::diff(from, to).unwrap();
    (delta.added().len() as u64, delta.removed().len() as u64)
}
