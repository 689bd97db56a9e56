//! Signature lines of statements: each by a key that counts, one per key, in the order of the keys (rule 2).

use crate::memory::{MemoryError, SignedText, SigningMemory};
use crate::signer::Signer;
use isonomy_core::hash::StatementId;
use isonomy_core::note::{KeyType, Note, NoteError, Signature, VerifierKey};
use isonomy_core::time::Timestamp;

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
    /// Whoever holds the key gave no signature, and may have made one.
    #[error("{0}. It may have signed all the same, so the text counts as signed by this key: try the same text again")]
    PerhapsSigned(String),
    /// Copies of one statement have different texts.
    #[error("the copies are of different texts, so their signatures can't be put together")]
    OtherText,
}

/// The note with a line by `key`, in its place among `counted`. A line by the same key is replaced, which changes nothing, since a
/// key makes one signature of a text.
fn add(note: &Note, counted: &[VerifierKey], key: &dyn Signer) -> Result<Note, SigningError> {
    let own = key.verifier();
    check_key(note, counted, own)?;
    let mut lines: Vec<Signature> = note.signatures().iter().filter(|line| !own.matches(line)).cloned().collect();
    lines.push(key.sign_text(note.text()).map_err(|error| match error.may_have_signed() {
        true => SigningError::PerhapsSigned(error.to_string()),
        false => SigningError::NoSignature(error.to_string()),
    })?);
    Ok(in_order(note, counted, &lines))
}

/// Whether a line by `key` may be added.
fn check_key(note: &Note, counted: &[VerifierKey], key: &VerifierKey) -> Result<(), SigningError> {
    if key.key_type() != KeyType::Ed25519 || !counted.contains(key) {
        return Err(SigningError::NotCounted { name: key.name().to_owned() });
    }
    check(note, counted)
}

/// A text that is about to be signed.
pub struct Signing<'s> {
    /// The note, with the lines that it has.
    pub note: &'s Note,
    /// What is remembered of it.
    pub text: SignedText<'s>,
    /// Other texts for the same number that it is said to replace.
    pub replaces: &'s [StatementId],
}

impl Signing<'_> {
    /// The note with a line by `key`, in its place among `counted`, once the memory has agreed: what it forbids is not signed, by
    /// whatever program. What the note has already is verified; a line by the same key is replaced. That the text is signed is
    /// remembered durably before the key is asked; if it refuses, that is, too.
    pub fn add<E: From<SigningError> + From<MemoryError>>(
        &self,
        counted: &[VerifierKey],
        key: &dyn Signer,
        memory: &mut SigningMemory,
        clock: Timestamp,
    ) -> Result<Note, E> {
        check_key(self.note, counted, key.verifier())?;
        let remembering = memory.remember(&self.text, self.replaces, clock)?;
        let signed = add(self.note, counted, key);
        if matches!(signed, Err(SigningError::NoSignature(_))) {
            memory.take_back(&self.text, remembering, clock)?;
        }
        Ok(signed?)
    }
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
    use crate::memory::Role;
    use crate::signer::SignerError;
    use crate::testing::{Asked, key};
    use isonomy_core::rules::Series;
    use isonomy_core::statement::ListName;

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

    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    enum TestError {
        Signing(#[from] SigningError),
        Memory(#[from] MemoryError),
    }

    #[test]
    fn the_memory_is_asked_before_the_key_and_forgets_only_what_was_surely_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| {
            let memory = SigningMemory::of_key(&folder.path().join(name)).unwrap();
            memory.and_in(&folder.path().join("common")).unwrap()
        };
        let (list, clock) = (ListName::new("hotline.example/images").unwrap(), Timestamp(1_800_000_000));
        let sign = |key: &Asked, name: &str, seed: u8| {
            let text = SignedText {
                list: &list,
                series: Series::Version,
                number: 1,
                statement: StatementId([seed; 32]),
                created: Some(clock),
                role: Role::Maintainer,
                free_at: None,
            };
            let signing = Signing { note: &note(&[]), text, replaces: &[] };
            signing.add::<TestError>(&counted(), key, &mut open(name), clock)
        };
        let failed = || Some(SignerError::Failed { program: "p".into(), status: "1".into() });
        let late = || Some(SignerError::TimedOut { program: "p".into() });
        // Refused is not signed: another text may be, by this key or another one.
        let refusing = Asked::new("m1", failed);
        assert!(matches!(sign(&refusing, "m1", 1), Err(TestError::Signing(SigningError::NoSignature(_)))));
        assert!(matches!(sign(&refusing, "m1", 2), Err(TestError::Signing(SigningError::NoSignature(_)))));
        assert_eq!((refusing.times(), open("m1").remembered().len()), (2, 0));
        // No answer may be a signature.
        let silent = Asked::new("m2", late);
        assert!(matches!(sign(&silent, "m2", 3), Err(TestError::Signing(SigningError::PerhapsSigned(_)))));
        let willing = Asked::new("m1", || None);
        for name in ["m1", "m2"] {
            let second = sign(&willing, name, 4);
            assert!(matches!(second, Err(TestError::Memory(MemoryError::SecondText { .. }))), "{second:?}");
        }
        assert_eq!(willing.times(), 0, "what is forbidden never reaches the key");
        // What stands is not forgotten because it is refused later.
        assert!(sign(&Asked::new("m2", failed), "m2", 3).is_err());
        assert!(sign(&willing, "m1", 4).is_err());
        assert!(sign(&willing, "m1", 3).is_ok());
        let stranger = Asked::new("x", || None);
        let strange = sign(&stranger, "x", 3);
        assert!(matches!(strange, Err(TestError::Signing(SigningError::NotCounted { .. }))) && stranger.times() == 0);
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
