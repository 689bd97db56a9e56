//! Key files: one private key each, in the form `PRIVATE+KEY+name+id+base64` of signed notes, on one line. Where a key
//! signs statements, the file can name a program instead that holds the key ([`CommandSigner`]).
//!
//! A key file is made with mode 0600 and never overwritten. One that others than its owner can read is refused: whoever
//! could read it may have a copy, and everything that it signs is then in doubt. File permissions are checked on Unix
//! alone.

use crate::signer::{CommandSigner, Signer};
use isonomy_core::note::{KeyError, KeyType, SigningKey, VerifierKey};
use isonomy_store::files::{self, FileError};
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The most bytes that a key file may have.
pub const MAX_KEY_FILE: usize = 4096;

/// Why a key can't be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file does not hold a key, or the name can't be one.
    #[error("{}: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: KeyError,
    },
    /// The file is larger than a key, or is not text.
    #[error("{} is not a key file: it must hold one line that starts with PRIVATE+KEY+", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// Others can read the file.
    #[error(
        "{path} can be read or changed by others than its owner (mode {mode:03o}), so the key may be known to them; if you are \
         sure that nobody has read it: chmod 600 {path}",
        path = path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The operating system refused or failed.
    #[error("can't read the key {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The key file can't be written; an existing one is never overwritten.
    #[error(transparent)]
    Write(#[from] FileError),
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness for a key: {0}")]
    Randomness(getrandom::Error),
}

/// What may be told about a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KeyReport {
    /// Its name.
    pub name: String,
    /// `ed25519`, or `cosignature` for the key of a witness.
    pub kind: &'static str,
    /// The public half, to be given to everybody.
    pub vkey: VerifierKey,
    /// The file of the private half, to be given to nobody.
    pub file: PathBuf,
}

/// Makes a new key and writes it to a new file that only its owner can read.
pub fn create(path: &Path, name: &str, key_type: KeyType) -> Result<KeyReport, KeyFileError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(KeyFileError::Randomness)?;
    let key = SigningKey::from_seed(name, key_type, &seed)
        .map_err(|source| KeyFileError::Key { path: path.to_owned(), source })?;
    write(path, &key)?;
    Ok(report(path, key.verifier()))
}

/// Writes a key to a new file that only its owner can read.
pub fn write(path: &Path, key: &SigningKey) -> Result<(), KeyFileError> {
    let text = key.to_private_text();
    let mut line = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    line.extend_from_slice(text.as_bytes());
    line.push(b'\n');
    Ok(files::write_private_new(path, &line)?)
}

/// Reads a key from a file that only its owner can read.
pub fn read(path: &Path) -> Result<SigningKey, KeyFileError> {
    let text = read_text(path)?;
    parse(path, &text)
}

/// What signs with the key in a file: the key itself, or the program that the file names.
pub fn open(path: &Path) -> Result<Box<dyn Signer>, KeyFileError> {
    let text = read_text(path)?;
    match CommandSigner::parse(&text) {
        Some(program) => Ok(Box::new(program)),
        None => Ok(Box::new(parse(path, &text)?)),
    }
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let failed = |source| KeyFileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    check_private(path, &file)?;
    // One allocation, so that no copy is left behind unwiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_KEY_FILE + 1));
    file.take(MAX_KEY_FILE as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() <= MAX_KEY_FILE);
    text.map(|text| Zeroizing::new(text.to_owned())).ok_or_else(|| KeyFileError::NotAKey { path: path.to_owned() })
}

fn parse(path: &Path, text: &str) -> Result<SigningKey, KeyFileError> {
    SigningKey::parse(text.trim_end()).map_err(|source| KeyFileError::Key { path: path.to_owned(), source })
}

/// What may be told about the key in a file.
pub fn show(path: &Path) -> Result<KeyReport, KeyFileError> {
    Ok(report(path, open(path)?.verifier()))
}

fn report(path: &Path, key: &VerifierKey) -> KeyReport {
    let kind = match key.key_type() {
        KeyType::Ed25519 => "ed25519",
        KeyType::Cosignature => "cosignature",
    };
    KeyReport { name: key.name().to_owned(), kind, vkey: key.clone(), file: path.to_owned() }
}

#[cfg(unix)]
fn check_private(path: &Path, file: &File) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|source| KeyFileError::Read { path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyFileError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_private(_: &Path, _: &File) -> Result<(), KeyFileError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_new_key_comes_back_and_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hotline.key");
        let report = create(&path, "hotline.example", KeyType::Ed25519).unwrap();
        assert_eq!((report.name.as_str(), report.kind), ("hotline.example", "ed25519"));
        assert_eq!(read(&path).unwrap().verifier(), &report.vkey);
        assert_eq!(show(&path).unwrap(), report);
        assert!(!format!("{report:?}").contains("PRIVATE"));
        let again = create(&path, "hotline.example", KeyType::Ed25519);
        assert!(matches!(again, Err(KeyFileError::Write(FileError::Exists { .. }))));
        assert_eq!(show(&path).unwrap(), report);
        let other = create(&dir.path().join("witness.key"), "w", KeyType::Cosignature).unwrap();
        assert_ne!(other.vkey.public_bytes(), report.vkey.public_bytes());
        assert_eq!(other.kind, "cosignature");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create(&path, "k", KeyType::Ed25519).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for (mode, accepted) in [(0o400, true), (0o600, true), (0o640, false), (0o604, false), (0o620, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match read(&path) {
                Ok(_) => assert!(accepted, "{mode:o}"),
                Err(error) => {
                    assert!(!accepted && error.to_string().contains("chmod 600"), "{mode:o}: {error}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            ("empty", &b""[..]),
            ("public", b"k+00000000+AAAA"),
            ("binary", b"\xff\xfe"),
            ("long", &[b'a'; MAX_KEY_FILE + 1]),
        ] {
            let path = dir.path().join(name);
            files::write_private_new(&path, bytes).unwrap();
            assert!(matches!(read(&path), Err(KeyFileError::Key { .. } | KeyFileError::NotAKey { .. })), "{name}");
        }
        assert!(matches!(read(&dir.path().join("missing")), Err(KeyFileError::Read { .. })));
        let bad_name = create(&dir.path().join("k"), "with space", KeyType::Ed25519);
        assert!(matches!(bad_name, Err(KeyFileError::Key { .. })));
        assert!(!dir.path().join("k").exists());
    }

    #[test]
    fn a_file_can_name_a_program_in_the_place_of_a_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("signer.toml");
        let vkey = crate::testing::key("c1").verifier().clone();
        let text = format!("vkey = \"{vkey}\"\ncommand = [\"sign\"]\n");
        files::write_private_new(&path, text.as_bytes()).unwrap();
        assert_eq!(show(&path).unwrap().vkey, vkey);
        // A log or witness needs the key itself.
        assert!(matches!(read(&path), Err(KeyFileError::Key { .. })));
    }
}
