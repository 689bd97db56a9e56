//! Who must have read the whole log before a release is accepted. Without that, two texts for one version inside one log
//! are found by monitors and by comparing views, not by a client alone.

use super::{PolicyBreach, PolicyError, at_least};
use crate::state::{Accepted, State};
use isonomy_core::note::VerifierKey;
use serde::Deserialize;

/// Who must have read the whole log. By default nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Whether this client itself reads every entry, as a monitor does. It costs as many bytes as the log has, once, and
    /// then what is new.
    #[serde(default)]
    pub complete: bool,
    /// How many of [`Audit::auditors`] must attest in the log that they followed it up to the release.
    #[serde(default)]
    pub followed: u64,
    /// The auditors that count.
    #[serde(default)]
    pub auditors: Vec<VerifierKey>,
}

impl Audit {
    /// Who names auditors means to hear some of them.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let named = distinct(&self.auditors);
        let is_met = self.followed <= named && (self.followed > 0 || named == 0);
        is_met.then_some(()).ok_or(PolicyError::Auditors { followed: self.followed, named })
    }

    /// Whether an auditor counts.
    pub(crate) fn counts(&self, auditor: &VerifierKey) -> bool {
        self.auditors.iter().any(|key| key.public_bytes() == auditor.public_bytes())
    }

    /// How many of the auditors that count are among `auditors`.
    pub(crate) fn heard(&self, auditors: &[VerifierKey]) -> u64 {
        distinct(auditors.iter().filter(|key| self.counts(key)))
    }

    /// Whether enough was read when the release in force was accepted, which may have been under another policy.
    pub(crate) fn judge(&self, accepted: &Accepted, state: &State) -> Result<(), PolicyBreach> {
        at_least("auditors that followed the log", self.heard(&accepted.attested_by), self.followed)?;
        let has_read = || state.read().is_some_and(|read| read.covers(accepted));
        if self.complete && !has_read() { Err(PolicyBreach::Unread) } else { Ok(()) }
    }
}

/// How many public keys there are, whatever their names.
fn distinct<'k>(keys: impl IntoIterator<Item = &'k VerifierKey>) -> u64 {
    let mut bytes: Vec<&[u8]> = keys.into_iter().map(|key| key.public_bytes().as_slice()).collect();
    bytes.sort_unstable();
    bytes.dedup();
    bytes.len() as u64
}
