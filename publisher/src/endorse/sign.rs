//! The signature, remembered durably before the key is asked for it.

use super::{EndorseError, Examined};
use crate::memory::{Role, SignedText, SigningMemory};
use crate::signer::Signer;
use crate::signing::{self, Signing};
use isonomy_core::charter::Charter;
use isonomy_core::hash::StatementId;
use isonomy_core::note::{Note, VerifierKey};
use isonomy_core::release::Release;
use isonomy_core::rules::{Series, signatures};
use isonomy_core::statement::{Signed, Statement};
use isonomy_core::time::Timestamp;

impl Examined<'_> {
    /// Signs as a curator. That is remembered durably before the key is asked. `replaces` are other texts for
    /// the same version that this one is said to replace.
    pub fn endorse(
        &self,
        key: &dyn Signer,
        memory: &mut SigningMemory,
        replaces: &[StatementId],
        clock: Timestamp,
    ) -> Result<Signed<Release>, EndorseError> {
        if self.is_maintainer(key.verifier()) {
            return Err(EndorseError::MaintainerKey { name: key.verifier().name().to_owned() });
        }
        let note = self.draft.release().note();
        let is_maintainers = |line| self.charter.maintainer.keys.iter().any(|key| key.matches(line));
        if note.signatures().iter().any(is_maintainers) {
            return Err(EndorseError::AlreadyFinished);
        }
        self.sign(key, memory, (Role::Curator, replaces), clock)
    }

    /// Signs as the maintainer, last of all: the release must be complete with this signature, and the key is asked for none
    /// before. It is remembered durably before the key is asked.
    pub fn finish(
        &self,
        key: &dyn Signer,
        memory: &mut SigningMemory,
        clock: Timestamp,
    ) -> Result<Signed<Release>, EndorseError> {
        if !self.is_maintainer(key.verifier()) {
            let (name, edition) = (key.verifier().name().to_owned(), self.charter.edition);
            return Err(EndorseError::CuratorKey { name, edition });
        }
        signatures::curators(self.draft.release(), self.charter).map_err(EndorseError::Incomplete)?;
        let signed = self.sign(key, memory, (Role::Maintainer, &[]), clock)?;
        signatures::release(&signed, self.charter).map_err(EndorseError::Incomplete)?;
        Ok(signed)
    }

    /// The other texts for its version that the memory has as signed. One that the log has, although it shows no such version, is not
    /// to be followed by a second one.
    pub fn others_signed(&self, memory: &SigningMemory) -> Vec<StatementId> {
        let (release, own) = (self.draft.release().body(), self.draft.release().id());
        let signed = memory.texts(&release.list, Series::Version, release.version);
        signed.into_iter().filter(|text| *text != own).collect()
    }

    fn is_maintainer(&self, key: &VerifierKey) -> bool {
        self.charter.maintainer.keys.contains(key)
    }

    fn sign(
        &self,
        key: &dyn Signer,
        memory: &mut SigningMemory,
        (role, replaces): (Role, &[StatementId]),
        clock: Timestamp,
    ) -> Result<Signed<Release>, EndorseError> {
        let release = self.draft.release();
        let text = SignedText {
            list: &release.body().list,
            series: Series::Version,
            number: release.body().version,
            statement: release.id(),
            created: Some(release.body().created),
            role,
            free_at: Some(self.free_at),
        };
        let signing = Signing { note: release.note(), text, replaces };
        let note = signing.add::<EndorseError>(&self.counted, key, memory, clock)?;
        Statement::from_note(note)?.into_release().ok_or(EndorseError::NotARelease)
    }
}

/// The release with the signatures that are on several copies of it, such as curators send back.
pub fn merge(copies: &[Signed<Release>], charter: &Charter) -> Result<Signed<Release>, EndorseError> {
    let counted: Vec<VerifierKey> = charter.keys().cloned().collect();
    let notes: Vec<&Note> = copies.iter().map(Signed::note).collect();
    let merged = signing::merge(&notes, &counted)?;
    Statement::from_note(merged)?.into_release().ok_or(EndorseError::NotARelease)
}
