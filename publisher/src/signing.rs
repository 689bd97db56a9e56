//! Signature lines of statements: each by a key that counts, one per key, in the order of the keys (rule 2).

use crate::signer::Signer;
use isonomy_core::note::{KeyType, Note, NoteError, Signature, VerifierKey};

/// Why a signature line can't be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The key is none of those that count.
    #[error("the key {name} does not count here: the charter names neither it as the maintainer's nor as a curator's")]
    NotCounted {
        /// The key's name.
        name: String,
    },
    /// A line that is there already is by no key that counts.
    #[error(
        "there is a signature line of {name}, which does not count here; the log would refuse it, so ask whoever added it for a clean copy"
    )]
    StrangeLine {
        /// The name in the line.
        name: String,
    },
    /// A signature that is there already is wrong.
    #[error(transparent)]
    Wrong(#[from] NoteError),
    /// Whoever holds the key did not sign.
    #[error("there is no signature: {0}")]
    NoSignature(String),
    /// Copies of one statement have different texts.
    #[error("the copies are of different texts, so their signatures can't be put together")]
    OtherText,
}

/// The note with a line by `key`, in its place among `counted`. What the note has already is verified; a line by the
/// same key is replaced, which changes nothing, since a key makes one signature of a text.
pub fn add(note: &Note, counted: &[VerifierKey], key: &dyn Signer) -> Result<Note, SigningError> {
    let own = key.verifier();
    if own.key_type() != KeyType::Ed25519 || !counted.contains(own) {
        return Err(SigningError::NotCounted { name: own.name().to_owned() });
    }
    check(note, counted)?;
    let mut lines: Vec<Signature> = note.signatures().iter().filter(|line| !own.matches(line)).cloned().collect();
    lines.push(key.sign_text(note.text()).map_err(|error| SigningError::NoSignature(error.to_string()))?);
    Ok(in_order(note, counted, &lines))
}

/// One note with the lines of all, which must be of one text.
pub fn merge(notes: &[&Note], counted: &[VerifierKey]) -> Result<Note, SigningError> {
    let first = notes.first().ok_or(SigningError::OtherText)?;
    let mut lines = Vec::new();
    for note in notes {
        if note.text() != first.text() {
            return Err(SigningError::OtherText);
        }
        check(note, counted)?;
        lines.extend_from_slice(note.signatures());
    }
    Ok(in_order(first, counted, &lines))
}

/// Whether every line is by a key that counts, and right.
pub fn check(note: &Note, counted: &[VerifierKey]) -> Result<(), SigningError> {
    if let Some(strange) = note.signatures().iter().find(|line| !counted.iter().any(|key| key.matches(line))) {
        return Err(SigningError::StrangeLine { name: strange.name.clone() });
    }
    note.signers(counted)?;
    Ok(())
}

/// The first line of each counted key, in their order.
fn in_order(note: &Note, counted: &[VerifierKey], lines: &[Signature]) -> Note {
    let line_of = |key: &VerifierKey| lines.iter().find(|line| key.matches(line)).cloned();
    note.with_signatures(counted.iter().filter_map(line_of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key;

    const TEXT: &str = "text\n";

    fn counted() -> Vec<VerifierKey> {
        ["m1", "m2", "c1", "c2"].map(|name| key(name).verifier().clone()).to_vec()
    }

    fn note(names: &[&str]) -> Note {
        Note::new(TEXT.to_owned(), names.iter().map(|name| key(name).sign(TEXT)).collect()).unwrap()
    }

    #[test]
    fn lines_stand_in_the_order_of_the_keys_whoever_signs_first() {
        let mut signed = note(&[]);
        for name in ["c2", "c1", "m1", "c2"] {
            signed = add(&signed, &counted(), &key(name)).unwrap();
        }
        assert_eq!(signed, note(&["m1", "c1", "c2"]));
        assert_eq!(merge(&[&note(&["c2"]), &note(&["m1", "c2"]), &note(&["c1"])], &counted()).unwrap(), signed);
    }

    #[test]
    fn strangers_wrong_lines_and_other_texts_are_refused() {
        let strange = SigningError::StrangeLine { name: "x".into() };
        assert_eq!(add(&note(&["x"]), &counted(), &key("c1")), Err(strange.clone()));
        assert_eq!(merge(&[&note(&["c1"]), &note(&["x"])], &counted()), Err(strange));
        assert_eq!(add(&note(&[]), &counted(), &key("x")), Err(SigningError::NotCounted { name: "x".into() }));
        let mut lines = note(&["c1"]).signatures().to_vec();
        lines[0].bytes[7] ^= 1;
        let forged = note(&[]).with_signatures(lines);
        let wrong = Err(SigningError::Wrong(NoteError::WrongSignature("c1".into())));
        assert_eq!(add(&forged, &counted(), &key("c2")), wrong);
        let other = Note::new("other\n".into(), Vec::new()).unwrap();
        assert_eq!(merge(&[&note(&[]), &other], &counted()), Err(SigningError::OtherText));
    }
}
