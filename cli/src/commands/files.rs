//! Files that a person names: read within limits, with errors that name them.

use crate::exit::{Malformed, Refused};
use anyhow::{Context, Result};
use isonomy_core::policy::{MAX_POLICY_SIZE as MAX_TRUST_SIZE, Policy as TlogPolicy};
use isonomy_fetch::{MAX_TOKENS_SIZE, Tokens};
use isonomy_store::files::read_limited;
use isonomy_verifier::Policy;
use isonomy_verifier::policy::MAX_POLICY_SIZE;
use std::io::Read;
use std::path::Path;

/// What a file of a private key starts with.
const PRIVATE_KEY: &[u8] = b"PRIVATE+KEY+";

/// Whether what stands at `path` now is a file of a private key.
fn is_private_key(path: &Path) -> bool {
    let mut start = [0; PRIVATE_KEY.len()];
    let is_file = std::fs::metadata(path).is_ok_and(|found| found.is_file());
    is_file
        && std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start == *PRIVATE_KEY
}

/// The bytes of a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let bytes = read_limited(path, limit).with_context(|| format!("can't read {}", path.display()))?;
    let bytes = bytes.with_context(|| format!("there is no file {}", path.display()))?;
    if bytes.starts_with(PRIVATE_KEY) {
        // Nothing of it may end in an error message.
        return Err(Malformed(format!("{} is a private key, which has no place here", path.display())).into());
    }
    Ok(bytes)
}

/// Writes a file that may exist already, but never over a private key, which no copy can bring back.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if is_private_key(path) {
        return Err(Refused(format!("{} is a private key; nothing is written over it", path.display())).into());
    }
    isonomy_store::files::replace(path, bytes).with_context(|| format!("can't write {}", path.display()))
}

/// Log, witnesses and quorum in C2SP form.
pub(crate) fn tlog_policy(path: &Path) -> Result<TlogPolicy> {
    let bytes = read(path, MAX_TRUST_SIZE)?;
    TlogPolicy::parse(&bytes).map_err(|error| Malformed(format!("{}: {error}", path.display())).into())
}

/// Tokens by the servers that they are for.
pub(crate) fn tokens(path: &Path) -> Result<Tokens> {
    let malformed = |error: &dyn std::fmt::Display| Malformed(format!("{}: {error}", path.display()));
    let text = String::from_utf8(read(path, MAX_TOKENS_SIZE)?).map_err(|_| malformed(&"it is not text"))?;
    Ok(Tokens::parse(&text).map_err(|error| malformed(&error))?)
}

/// An app's policy.
pub(crate) fn client_policy(path: &Path) -> Result<Policy> {
    let bytes = read(path, MAX_POLICY_SIZE)?;
    Policy::parse(&bytes).map_err(|error| Malformed(format!("{}: {error}", path.display())).into())
}
