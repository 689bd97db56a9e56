//! Secrets under a passphrase, in the format of [age](https://c2sp.org/age) with one scrypt stanza, in its text form. So
//! the tool `age` opens what is made here, and what `age --passphrase` makes is opened here, armored or not.
//!
//! scrypt takes 256 MB and about a second for each passphrase that is tried ([`WORK`]). A file may ask for up to 1 GiB
//! ([`MAX_WORK`]); one that asks for more is refused before any of it is spent.

use age::secrecy::{ExposeSecret, SecretString};
use age::{DecryptError, Decryptor};
use std::fmt;
use std::io::{self, Read};
use zeroize::Zeroizing;

/// scrypt's N is 2 to this power; `age` itself takes as much.
pub const WORK: u8 = 18;
/// The most that is accepted.
pub const MAX_WORK: u8 = 20;
/// The most bytes of a passphrase.
pub const MAX_PASSPHRASE: usize = 1024;
/// The characters of a passphrase below which a person should be warned: what NIST SP 800-63B-4, section 3.1.1.2, asks of one that
/// protects something alone.
pub const SHORT_PASSPHRASE: usize = 15;

const ARMORED: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
const BINARY: &[u8] = b"age-encryption.org/v1\n";

/// A passphrase, wiped from memory when it is dropped and never shown.
pub struct Passphrase(SecretString);

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// An empty one.
    #[error("it is empty, which protects nothing")]
    Empty,
    /// A long one.
    #[error("it has more than {MAX_PASSPHRASE} bytes")]
    TooLong,
    /// The two times that it was given are not the same.
    #[error("the two passphrases differ")]
    Differ,
    /// No person and no file.
    #[error("there is nobody to ask for it")]
    NobodyToAsk,
    /// The file with the passphrase can be read by others.
    #[error(
        "{path} can be read or changed by others than its owner (mode {mode:03o}), so the passphrase may be known to them; \
         choose another passphrase, and keep it in a file of mode 600"
    )]
    Exposed {
        /// The file.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// It can't be read.
    #[error("{from}: {source}")]
    Read {
        /// From where.
        from: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl Passphrase {
    /// This text, without the end of a line.
    pub fn new(text: &str) -> Result<Self, PassphraseError> {
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        match text.len() {
            0 => Err(PassphraseError::Empty),
            1..=MAX_PASSPHRASE => Ok(Self(SecretString::from(text))),
            _ => Err(PassphraseError::TooLong),
        }
    }

    /// Whether it has fewer than [`SHORT_PASSPHRASE`] characters.
    pub fn is_short(&self) -> bool {
        self.0.expose_secret().chars().count() < SHORT_PASSPHRASE
    }

    /// Whether both are the same. Not for guesses of strangers: it takes longer the more bytes agree.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Why something sealed can't be opened, or sealed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SealError {
    /// The passphrase does not fit.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// It asks for too much work.
    #[error(
        "it asks for 2^{asked} rounds of work for each passphrase, where 2^{MAX_WORK} are accepted: it was made by somebody \
         else, and would take hours and gigabytes to try"
    )]
    TooMuchWork {
        /// The power of two.
        asked: u8,
    },
    /// It is encrypted to keys, not to a passphrase.
    #[error("it is encrypted to keys; only files under a passphrase are opened here")]
    NotByPassphrase,
    /// It is damaged.
    #[error("the file is damaged or was cut off: {0}. Restore it from a copy")]
    Damaged(String),
    /// The operating system gives no randomness, or no memory.
    #[error("it can't be sealed: {0}")]
    Failed(String),
}

/// Whether this is the beginning of a sealed file.
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(ARMORED) || bytes.starts_with(BINARY)
}

/// Puts a secret under a passphrase.
pub fn seal(secret: &[u8], passphrase: &Passphrase) -> Result<String, SealError> {
    seal_with(secret, passphrase, WORK)
}

fn seal_with(secret: &[u8], passphrase: &Passphrase, work: u8) -> Result<String, SealError> {
    let mut recipient = age::scrypt::Recipient::new(passphrase.0.clone());
    recipient.set_work_factor(work);
    age::encrypt_and_armor(&recipient, secret).map_err(|error| SealError::Failed(error.to_string()))
}

/// The secret in a sealed file.
pub fn open(bytes: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let mut identity = age::scrypt::Identity::new(passphrase.0.clone());
    identity.set_max_work_factor(MAX_WORK);
    let decryptor = Decryptor::new_buffered(age::armor::ArmoredReader::new(bytes)).map_err(problem)?;
    let reader = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(problem)?;
    // What is inside is shorter than the file. One allocation, so that no copy is left behind unwiped.
    let mut secret = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader.take(bytes.len() as u64).read_to_end(&mut secret).map_err(|error| problem(error.into()))?;
    Ok(secret)
}

fn problem(error: DecryptError) -> SealError {
    match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => SealError::WrongPassphrase,
        DecryptError::ExcessiveWork { required, .. } => SealError::TooMuchWork { asked: required },
        DecryptError::NoMatchingKeys => SealError::NotByPassphrase,
        other => SealError::Damaged(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Little work, so that many files can be opened.
    const QUICK: u8 = 2;

    fn passphrase() -> Passphrase {
        Passphrase::new("correct horse").unwrap()
    }

    fn sealed() -> String {
        seal_with(b"a secret\n", &passphrase(), QUICK).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_its_passphrase_alone() {
        let sealed = sealed();
        assert!(is_sealed(sealed.as_bytes()) && !sealed.contains("secret"));
        assert_eq!(open(sealed.as_bytes(), &passphrase()).unwrap().as_slice(), b"a secret\n");
        let other = Passphrase::new("correct horsf").unwrap();
        assert_eq!(open(sealed.as_bytes(), &other).map(drop), Err(SealError::WrongPassphrase));
        assert_eq!(format!("{other:?}"), "Passphrase(…)");
    }

    #[test]
    fn the_usual_work_is_that_of_age() {
        let sealed = seal(b"a secret", &passphrase()).unwrap();
        assert_eq!(open(sealed.as_bytes(), &passphrase()).unwrap().as_slice(), b"a secret");
        let mut header = String::new();
        age::armor::ArmoredReader::new(sealed.as_bytes()).take(64).read_to_string(&mut header).unwrap();
        let stanza = header.lines().nth(1).unwrap();
        assert!(stanza.starts_with("-> scrypt ") && stanza.ends_with(" 18"), "{stanza}");
    }

    #[test]
    fn too_much_work_is_refused_before_it_is_done() {
        let (hash, nonce) = ("A".repeat(43), "n".repeat(48));
        let stanza = |work: &str| format!("-> scrypt {} {work}\n{hash}\n", "A".repeat(22));
        let binary = |work: &str| format!("age-encryption.org/v1\n{}--- {hash}\n{nonce}", stanza(work));
        for (work, asked) in [("21", 21), ("40", 40), ("63", 63), ("255", 255)] {
            let refused = open(binary(work).as_bytes(), &passphrase()).unwrap_err();
            assert_eq!(refused, SealError::TooMuchWork { asked });
            assert!(refused.to_string().contains("2^20 are accepted"), "{refused}");
        }
        assert!(matches!(open(binary("256").as_bytes(), &passphrase()), Err(SealError::Damaged(_))));
    }

    #[test]
    fn a_file_for_a_key_is_no_file_under_a_passphrase() {
        let identity = age::x25519::Identity::generate();
        let sealed = age::encrypt_and_armor(&identity.to_public(), b"a secret").unwrap();
        assert_eq!(open(sealed.as_bytes(), &passphrase()).map(drop), Err(SealError::NotByPassphrase));
    }

    #[test]
    fn a_file_that_was_cut_off_never_opens() {
        let sealed = sealed();
        let end = sealed.trim_end().len();
        for cut in 0..end {
            assert!(open(&sealed.as_bytes()[..cut], &passphrase()).is_err(), "cut after {cut} of {end}");
        }
        let half = open(&sealed.as_bytes()[..end / 2], &passphrase()).unwrap_err();
        assert!(half.to_string().contains("cut off"), "{half}");
    }

    #[test]
    fn passphrases_have_an_end_and_a_length() {
        for (text, same) in [("x\n", "x"), ("x\r\n", "x"), (" x ", " x "), ("x\n\n", "x\n")] {
            assert_eq!(Passphrase::new(text).unwrap().0.expose_secret(), same);
        }
        assert!(matches!(Passphrase::new("\n"), Err(PassphraseError::Empty)));
        assert!(matches!(Passphrase::new(&"x".repeat(1025)), Err(PassphraseError::TooLong)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_changed_byte_never_opens_to_something_else(at in any::<prop::sample::Index>(), to: u8) {
            let mut bytes = sealed().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = to;
            // White space around the armor, and a work factor that fits, may change; what comes out may not. A larger
            // work factor within the bound would be slow here, so the stanza's own digits are left alone by the armor.
            if let Ok(opened) = open(&bytes, &passphrase()) {
                prop_assert_eq!(opened.as_slice(), b"a secret\n");
            }
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = open(&bytes, &passphrase());
            let _ = open(&[BINARY, &bytes].concat(), &passphrase());
        }
    }
}
