//! Files that a person names: read within limits, with errors that name them.

use crate::args::{Overwrite, TokenArgs};
use crate::exit::{Malformed, Refused};
use anyhow::{Context, Result};
use isonomy_core::note::{KeyError, VerifierKey};
use isonomy_core::policy::{MAX_POLICY_SIZE as MAX_TRUST_SIZE, Policy as TlogPolicy, PolicyError, PolicyProblem};
use isonomy_fetch::{MAX_TOKENS_SIZE, Tokens};
use isonomy_publisher::keys::sealed::is_sealed;
use isonomy_store::files::{FileError, read_limited};
use isonomy_verifier::Policy;
use isonomy_verifier::policy::MAX_POLICY_SIZE;
use std::io::Read;
use std::path::Path;

/// What a file of a private key starts with.
const PRIVATE_KEY: &[u8] = b"PRIVATE+KEY+";
/// How much of a file shows whether it is one.
const HEAD: u64 = 64;

/// Whether what stands at `path` now is a file of a private key, under a passphrase or not.
fn is_private_key(path: &Path) -> bool {
    let is_file = std::fs::metadata(path).is_ok_and(|found| found.is_file());
    is_file && head(path).is_ok_and(|head| head.starts_with(PRIVATE_KEY) || is_sealed(&head))
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    std::fs::File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
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

/// Writes a result to a new file, or over the file that is there if that was asked for; never over a private key, which no
/// copy can bring back.
pub(crate) fn save(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<()> {
    if overwrite.force {
        return write(path, bytes);
    }
    match isonomy_store::files::create_new(path, bytes) {
        Err(FileError::Exists { .. }) => Err(exists(path)),
        written => written.with_context(|| format!("can't write {}", path.display())),
    }
}

/// Whether a result can be written, so that nobody works for hours and then loses it.
pub(crate) fn check_free(path: &Path, overwrite: Overwrite) -> Result<()> {
    if overwrite.force { refuse_key(path) } else { refuse_existing(path) }
}

/// Refuses a file that is there already.
pub(crate) fn refuse_existing(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() { Err(exists(path)) } else { Ok(()) }
}

/// The folder that holds a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn exists(path: &Path) -> anyhow::Error {
    let path = path.display();
    Refused(format!("{path} exists already and was left as it is; choose another name, or write over it with --force"))
        .into()
}

/// Writes a file in place of the one that the command changes, never over a private key.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    refuse_key(path)?;
    isonomy_store::files::replace(path, bytes).with_context(|| format!("can't write {}", path.display()))
}

fn refuse_key(path: &Path) -> Result<()> {
    if is_private_key(path) {
        return Err(Refused(format!("{} is a private key; nothing is written over it", path.display())).into());
    }
    Ok(())
}

/// Log, witnesses and quorum in C2SP form.
pub(crate) fn tlog_policy(path: &Path) -> Result<TlogPolicy> {
    let bytes = read(path, MAX_TRUST_SIZE)?;
    TlogPolicy::parse(&bytes).map_err(|error| Malformed(format!("{}: {error}", path.display())).into())
}

/// The keys of the logs in a policy. Who only cosigns needs none of its other lines, not even a quorum; what is there has to
/// be right. A log whose key is of a type that is not supported is left out, with a warning: it keeps nobody from cosigning the others.
pub(crate) fn log_keys(path: &Path) -> Result<Vec<VerifierKey>> {
    let mut bytes = read(path, MAX_TRUST_SIZE)?;
    loop {
        match TlogPolicy::parse(&bytes) {
            Ok(policy) => return Ok(policy.log_keys()),
            Err(PolicyError { problem: PolicyProblem::NoQuorum, .. }) => bytes.extend_from_slice(b"quorum none\n"),
            Err(PolicyError { line, problem: problem @ PolicyProblem::Key(KeyError::Type(_)) }) if line > 0 => {
                tracing::warn!("{}: line {line} is left out: {problem}", path.display());
                bytes = without_line(&bytes, line);
            }
            Err(error) => return Err(Malformed(format!("{}: {error}", path.display())).into()),
        }
    }
}

/// The same lines, of which this one, counted from 1, is empty, as are those of groups and quorum, which may name what stood
/// there. All others keep their numbers.
fn without_line(bytes: &[u8], line: usize) -> Vec<u8> {
    let is_left_out = |at: usize, text: &[u8]| {
        at + 1 == line || [b"group".as_slice(), b"quorum"].iter().any(|word| text.trim_ascii_start().starts_with(word))
    };
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    lines.flat_map(|(at, text)| if is_left_out(at, text) { b"\n".as_slice() } else { text }).copied().collect()
}

/// Tokens by the servers that they are for; none if no file is named.
pub(crate) fn tokens(args: &TokenArgs) -> Result<Tokens> {
    args.token_file.as_deref().map_or_else(|| Ok(Tokens::default()), token_file)
}

/// The tokens in a file.
pub(crate) fn token_file(path: &Path) -> Result<Tokens> {
    let malformed = |error: &dyn std::fmt::Display| Malformed(format!("{}: {error}", path.display()));
    let text = String::from_utf8(read(path, MAX_TOKENS_SIZE)?).map_err(|_| malformed(&"it is not text"))?;
    Ok(Tokens::parse(&text).map_err(|error| malformed(&error))?)
}

/// An app's policy.
pub(crate) fn client_policy(path: &Path) -> Result<Policy> {
    let bytes = read(path, MAX_POLICY_SIZE)?;
    Policy::parse(&bytes).map_err(|error| Malformed(format!("{}: {error}", path.display())).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::encoding::to_base64;
    use isonomy_core::note::{KeyType, SigningKey};

    #[test]
    fn a_witness_s_policy_may_have_log_lines_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs.policy");
        let key = |name: &str, seed| SigningKey::from_seed(name, KeyType::Ed25519, &[seed; 32]).unwrap();
        let [one, other] = [key("log.example/one", 1), key("log.example/two", 2)].map(|key| key.verifier().clone());
        let logs = format!("# logs\nlog {one}\nlog {other}\n");
        for text in [logs.clone(), format!("{logs}quorum none\n")] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(log_keys(&path).unwrap(), [one.clone(), other.clone()]);
        }
        // A log with an ML-DSA-44 key (type 0x06), which C2SP recommends for what is new.
        let foreign = format!("log log.example/new+00000000+{}", to_base64(&[&[6][..], &[1; 1312]].concat()));
        std::fs::write(&path, format!("{foreign}\n{logs}{foreign}\n")).unwrap();
        assert_eq!(log_keys(&path).unwrap(), [one.clone(), other.clone()]);
        let witness = foreign.replace("log log", "witness w witness");
        std::fs::write(&path, format!("{logs}{witness}\ngroup g any w\nquorum g\n")).unwrap();
        assert_eq!(log_keys(&path).unwrap(), [one.clone(), other.clone()]);
        std::fs::write(&path, format!("{foreign}\n{logs}nonsense\n")).unwrap();
        assert!(log_keys(&path).unwrap_err().to_string().contains("logs.policy: line 5"), "lines keep their numbers");
        for wrong in [format!("{logs}nonsense\n"), logs.trim_end().to_owned(), format!("{logs}log {one}\n")] {
            std::fs::write(&path, wrong).unwrap();
            let error = log_keys(&path).unwrap_err().to_string();
            assert!(error.contains("logs.policy: line "), "{error}");
        }
    }
}
