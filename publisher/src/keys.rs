//! Key files: one private key each, in the form `PRIVATE+KEY+name+id+base64` of signed notes, on one line. Where a key
//! signs statements, the file can name a program instead that holds the key ([`CommandSigner`]).
//!
//! Either can be under a passphrase: the file is then encrypted by the format of [age](https://c2sp.org/age), in its text
//! form, to a passphrase alone ([`sealed`]). Whoever opens such a file is asked for the passphrase by a function that the
//! caller gives ([`Ask`]); nothing here speaks to a terminal.
//!
//! A key file is made with mode 0600 and never overwritten. One that others than its owner can read is refused: whoever
//! could read it may have a copy, and everything that it signs is then in doubt. File permissions are checked on Unix
//! alone.

pub mod sealed;

use crate::signer::{CommandSigner, ProgramError, Signer};
use isonomy_core::note::{KeyError, KeyType, SigningKey, VerifierKey};
use isonomy_store::files::{self, FileError};
use sealed::{Passphrase, PassphraseError, SealError};
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
    /// The file names a program that can't sign.
    #[error("{}: {source}", path.display())]
    Program {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ProgramError,
    },
    /// The key signs checkpoints alone.
    #[error(
        "{} holds the key of the witness {name}, which cosigns checkpoints: charters and releases are signed with a key of their own, as \
         `isonomy key new` makes it",
        path.display()
    )]
    Witness {
        /// The file.
        path: PathBuf,
        /// The key's name.
        name: String,
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
    /// The passphrase of the file can't be had.
    #[error("there is no passphrase for the key {}: {source}", path.display())]
    NoPassphrase {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PassphraseError,
    },
    /// The file can't be opened with the passphrase.
    #[error("the key {} can't be opened: {source}", path.display())]
    Sealed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SealError,
    },
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

/// Who is asked for the passphrase of a key file. It is asked once for each file that is under one.
pub type Ask<'a> = &'a dyn Fn(&Path) -> Result<Passphrase, PassphraseError>;

/// For keys that no passphrase can be asked for.
pub fn nobody_to_ask(_: &Path) -> Result<Passphrase, PassphraseError> {
    Err(PassphraseError::NobodyToAsk)
}

/// What keeps a private key from others.
#[derive(Clone, Copy, Debug)]
pub enum Protection<'p> {
    /// The permissions of its file alone.
    Permissions,
    /// A passphrase as well.
    Passphrase(&'p Passphrase),
}

/// Makes a new key and writes it to a new file that only its owner can read.
pub fn create(
    path: &Path,
    name: &str,
    key_type: KeyType,
    protection: Protection<'_>,
) -> Result<KeyReport, KeyFileError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(KeyFileError::Randomness)?;
    let key = SigningKey::from_seed(name, key_type, &seed)
        .map_err(|source| KeyFileError::Key { path: path.to_owned(), source })?;
    write(path, &key, protection)?;
    Ok(report(path, key.verifier()))
}

/// Writes a key to a new file that only its owner can read.
pub fn write(path: &Path, key: &SigningKey, protection: Protection<'_>) -> Result<(), KeyFileError> {
    let text = key.to_private_text();
    let mut line = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    line.extend_from_slice(text.as_bytes());
    line.push(b'\n');
    match protection {
        Protection::Permissions => Ok(files::write_private_new(path, &line)?),
        Protection::Passphrase(passphrase) => {
            let sealed = sealed::seal(&line, passphrase);
            let sealed = sealed.map_err(|source| KeyFileError::Sealed { path: path.to_owned(), source })?;
            Ok(files::write_private_new(path, sealed.as_bytes())?)
        }
    }
}

/// Reads a key from a file that only its owner can read.
pub fn read(path: &Path, ask: Ask<'_>) -> Result<SigningKey, KeyFileError> {
    parse(path, &read_text(path, ask)?)
}

/// What signs statements with the key in a file: the key itself, or the program that the file names.
pub fn open(path: &Path, ask: Ask<'_>) -> Result<Box<dyn Signer>, KeyFileError> {
    let signer = open_any(path, ask)?;
    match signer.verifier().key_type() {
        KeyType::Ed25519 => Ok(signer),
        KeyType::Cosignature => {
            let name = signer.verifier().name().to_owned();
            Err(KeyFileError::Witness { path: path.to_owned(), name })
        }
    }
}

/// The same, whatever the key is for.
fn open_any(path: &Path, ask: Ask<'_>) -> Result<Box<dyn Signer>, KeyFileError> {
    let text = read_text(path, ask)?;
    match CommandSigner::parse(&text) {
        Some(Ok(program)) => Ok(Box::new(program)),
        Some(Err(source)) => Err(KeyFileError::Program { path: path.to_owned(), source }),
        None => Ok(Box::new(parse(path, &text)?)),
    }
}

/// What a key file says, out of its seal if it has one.
fn read_text(path: &Path, ask: Ask<'_>) -> Result<Zeroizing<String>, KeyFileError> {
    let mut bytes = read_private(path)?;
    if sealed::is_sealed(&bytes) {
        let passphrase = ask(path).map_err(|source| KeyFileError::NoPassphrase { path: path.to_owned(), source })?;
        let opened = sealed::open(&bytes, &passphrase);
        bytes = opened.map_err(|source| KeyFileError::Sealed { path: path.to_owned(), source })?;
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| KeyFileError::NotAKey { path: path.to_owned() })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The bytes of a file that is no larger than a key, and that only its owner can read.
fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let failed = |source| KeyFileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    check_private(path, &file)?;
    // One allocation, so that no copy is left behind unwiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_KEY_FILE + 1));
    file.take(MAX_KEY_FILE as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() <= MAX_KEY_FILE { Ok(bytes) } else { Err(KeyFileError::NotAKey { path: path.to_owned() }) }
}

fn parse(path: &Path, text: &str) -> Result<SigningKey, KeyFileError> {
    SigningKey::parse(text.trim_end()).map_err(|source| KeyFileError::Key { path: path.to_owned(), source })
}

/// What may be told about the key in a file.
pub fn show(path: &Path, ask: Ask<'_>) -> Result<KeyReport, KeyFileError> {
    Ok(report(path, open_any(path, ask)?.verifier()))
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
        let report = create(&path, "hotline.example", KeyType::Ed25519, Protection::Permissions).unwrap();
        assert_eq!((report.name.as_str(), report.kind), ("hotline.example", "ed25519"));
        assert_eq!(read(&path, &nobody_to_ask).unwrap().verifier(), &report.vkey);
        assert_eq!(show(&path, &nobody_to_ask).unwrap(), report);
        assert!(!format!("{report:?}").contains("PRIVATE"));
        let again = create(&path, "hotline.example", KeyType::Ed25519, Protection::Permissions);
        assert!(matches!(again, Err(KeyFileError::Write(FileError::Exists { .. }))));
        assert_eq!(show(&path, &nobody_to_ask).unwrap(), report);
        let other =
            create(&dir.path().join("witness.key"), "w", KeyType::Cosignature, Protection::Permissions).unwrap();
        assert_ne!(other.vkey.public_bytes(), report.vkey.public_bytes());
        assert_eq!(other.kind, "cosignature");
        // It is shown, and signs no statements.
        assert_eq!(show(&other.file, &nobody_to_ask).unwrap(), other);
        let refused = open(&other.file, &nobody_to_ask).map(drop).unwrap_err();
        assert!(matches!(&refused, KeyFileError::Witness { name, .. } if name == "w"), "{refused}");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create(&path, "k", KeyType::Ed25519, Protection::Permissions).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for (mode, accepted) in [(0o400, true), (0o600, true), (0o640, false), (0o604, false), (0o620, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match read(&path, &nobody_to_ask) {
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
            assert!(
                matches!(read(&path, &nobody_to_ask), Err(KeyFileError::Key { .. } | KeyFileError::NotAKey { .. })),
                "{name}"
            );
        }
        assert!(matches!(read(&dir.path().join("missing"), &nobody_to_ask), Err(KeyFileError::Read { .. })));
        let bad_name = create(&dir.path().join("k"), "with space", KeyType::Ed25519, Protection::Permissions);
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
        assert_eq!(show(&path, &nobody_to_ask).unwrap().vkey, vkey);
        // A log or witness needs the key itself.
        assert!(matches!(read(&path, &nobody_to_ask), Err(KeyFileError::Key { .. })));
        let typo = dir.path().join("typo.toml");
        files::write_private_new(&typo, text.replace("command", "comand").as_bytes()).unwrap();
        let error = open(&typo, &nobody_to_ask).map(drop).unwrap_err();
        assert!(matches!(error, KeyFileError::Program { .. }) && error.to_string().contains("comand"), "{error}");
    }

    #[test]
    fn a_key_under_a_passphrase_opens_with_it_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let passphrase = |text: &str| Passphrase::new(text).unwrap();
        let made = create(&path, "k", KeyType::Ed25519, Protection::Passphrase(&passphrase("a good one"))).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(sealed::is_sealed(text.as_bytes()) && !text.contains("PRIVATE"), "{text}");
        let asked = std::cell::Cell::new(0);
        let answer = |of: &Path| {
            asked.set(asked.get() + 1);
            assert_eq!(of, path);
            Ok(passphrase("a good one"))
        };
        assert_eq!(read(&path, &answer).unwrap().verifier(), &made.vkey);
        assert_eq!(open(&path, &answer).unwrap().verifier(), &made.vkey);
        assert_eq!(show(&path, &answer).unwrap(), made);
        assert_eq!(asked.get(), 3);
        let wrong = read(&path, &|_| Ok(passphrase("another"))).map(drop);
        assert!(matches!(wrong, Err(KeyFileError::Sealed { source: SealError::WrongPassphrase, .. })), "{wrong:?}");
        let nobody = read(&path, &nobody_to_ask).map(drop);
        assert!(matches!(nobody, Err(KeyFileError::NoPassphrase { .. })), "{nobody:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_under_a_passphrase_is_private_too() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create(&path, "k", KeyType::Ed25519, Protection::Passphrase(&Passphrase::new("a good one").unwrap())).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        // Whoever has the file can try passphrases for ever; nobody is asked for one before that is mended.
        assert!(matches!(read(&path, &|_| panic!("asked")), Err(KeyFileError::Exposed { .. })));
    }

    #[test]
    fn a_program_can_be_under_a_passphrase_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("signer.age");
        let vkey = crate::testing::key("c1").verifier().clone();
        let text = format!("vkey = \"{vkey}\"\ncommand = [\"sign\"]\n");
        let passphrase = Passphrase::new("a good one").unwrap();
        files::write_private_new(&path, sealed::seal(text.as_bytes(), &passphrase).unwrap().as_bytes()).unwrap();
        assert_eq!(show(&path, &|_| Ok(Passphrase::new("a good one").unwrap())).unwrap().vkey, vkey);
    }
}
