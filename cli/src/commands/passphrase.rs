//! Passphrases of key files: from a file that the environment names, or from a person at the terminal. Never from an argument,
//! which everybody on the machine can see.

use isonomy_publisher::keys::sealed::{MAX_PASSPHRASE, Passphrase, PassphraseError};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Names the file whose first line is the passphrase, for scripts and services; `/dev/fd/3` for a file that is open already.
pub(crate) const VARIABLE: &str = "ISONOMY_PASSPHRASE_FILE";

/// The passphrase of a key file.
pub(crate) fn ask(key: &Path) -> Result<Passphrase, PassphraseError> {
    match named_file() {
        Some(file) => from_file(&file),
        None => prompt(&format!("Passphrase of {}: ", key.display())),
    }
}

/// A new passphrase; a person gives it twice.
pub(crate) fn choose(key: &Path) -> Result<Passphrase, PassphraseError> {
    if let Some(file) = named_file() {
        return from_file(&file);
    }
    let first = prompt(&format!("New passphrase for {}: ", key.display()))?;
    let again = prompt("The same again: ")?;
    if first.is_same(&again) { Ok(first) } else { Err(PassphraseError::Differ) }
}

fn named_file() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).map(PathBuf::from)
}

fn prompt(words: &str) -> Result<Passphrase, PassphraseError> {
    let read = rpassword::prompt_password(words).map(Zeroizing::new);
    let text = read.map_err(|source| PassphraseError::Read {
        from: format!("there is no terminal to ask at; a script names a file with the passphrase in {VARIABLE}"),
        source,
    })?;
    Passphrase::new(&text)
}

fn from_file(path: &Path) -> Result<Passphrase, PassphraseError> {
    let failed = |source| PassphraseError::Read { from: format!("{VARIABLE} names {}", path.display()), source };
    let file = File::open(path).map_err(failed)?;
    check_private(path, &file)?;
    // One allocation, so that no copy is left behind unwiped. Room for the end of the line.
    let limit = MAX_PASSPHRASE + 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit));
    file.take(limit as u64).read_to_end(&mut bytes).map_err(failed)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| failed(io::ErrorKind::InvalidData.into()))?;
    Passphrase::new(text)
}

/// Whether only the file's owner can read it; what is no file (a pipe, a terminal) has no permissions that matter.
#[cfg(unix)]
fn check_private(path: &Path, file: &File) -> Result<(), PassphraseError> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |source| PassphraseError::Read { from: path.display().to_string(), source };
    let metadata = file.metadata().map_err(failed)?;
    let mode = metadata.permissions().mode() & 0o777;
    if !metadata.is_file() || mode & 0o077 == 0 {
        return Ok(());
    }
    Err(PassphraseError::Exposed { path: path.display().to_string(), mode })
}

#[cfg(not(unix))]
fn check_private(_: &Path, _: &File) -> Result<(), PassphraseError> {
    Ok(())
}
