//! C2SP [tlog-cosignature]: a witness's dated signature of a checkpoint, type 0x04 (Ed25519).
//!
//! The signature line holds, after the key id, 8 bytes of big-endian POSIX seconds and the 64 bytes of an Ed25519
//! signature over two lines and the checkpoint's whole text:
//!
//! ```text
//! cosignature/v1
//! time 1679315147
//! example.com/behind-the-sofa
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! ```
//!
//! It says that at this time the checkpoint was the largest consistent one that the witness had seen of that log.
//! Extension lines are signed, and vouched for by nobody.
//!
//! [tlog-cosignature]: https://c2sp.org/tlog-cosignature

use crate::note::{KeyType, Note, NoteError, Signature, SigningKey, VerifierKey};
use crate::time::Timestamp;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The latest time that a cosignature can hold: 2^63 − 1.
pub const MAX_TIME: Timestamp = Timestamp(i64::MAX as u64);

/// The message that is signed for the checkpoint with this `text` at this `time`.
pub fn message(text: &str, time: Timestamp) -> String {
    format!("cosignature/v1\ntime {}\n{text}", time.0)
}

/// The signature line of a witness's key (type [`KeyType::Cosignature`]) under a checkpoint's `text`, dated `time`.
///
/// Whoever calls this has checked that the checkpoint is consistent with every one that this key signed before. A time
/// of 0 or after [`MAX_TIME`], such as a broken clock gives, makes a line that no verifier accepts.
pub fn cosign(key: &SigningKey, text: &str, time: Timestamp) -> Signature {
    debug_assert_eq!(key.verifier().key_type(), KeyType::Cosignature);
    let mut bytes = time.0.to_be_bytes().to_vec();
    bytes.extend_from_slice(&key.sign_raw(message(text, time).as_bytes()));
    Signature { name: key.verifier().name().to_owned(), id: key.verifier().id(), bytes }
}

/// The time of `key`'s cosignature under a checkpoint's `text`; `None` if `signature` is not one: another key's, of
/// another length, without a time, or wrong.
pub fn verify(key: &VerifierKey, text: &str, signature: &Signature) -> Option<Timestamp> {
    if key.key_type() != KeyType::Cosignature || !key.matches(signature) {
        return None;
    }
    let (time, signed) = signature.bytes.split_first_chunk::<8>()?;
    let time = Timestamp(u64::from_be_bytes(*time));
    let dated = time.0 != 0 && time <= MAX_TIME;
    (dated && key.verify_raw(message(text, time).as_bytes(), signed)).then_some(time)
}

/// Which of `witnesses` cosigned this checkpoint, as indexes in ascending order, and when.
///
/// Lines by other keys are ignored; one wrong line by a known witness rejects the note. Of several lines by one witness
/// the latest counts: it says the most about *now*, and for *public since* it errs on the side of waiting.
pub fn cosignatures(note: &Note, witnesses: &[VerifierKey]) -> Result<Vec<(usize, Timestamp)>, NoteError> {
    let mut times = Vec::new();
    for (index, key) in witnesses.iter().enumerate() {
        if let Some(time) = latest_by(note, key)? {
            times.push((index, time));
        }
    }
    Ok(times)
}

fn latest_by(note: &Note, key: &VerifierKey) -> Result<Option<Timestamp>, NoteError> {
    let mut latest = None;
    if key.key_type() != KeyType::Cosignature {
        return Ok(latest);
    }
    for line in note.signatures().iter().filter(|line| key.matches(line)) {
        let time = verify(key, note.text(), line);
        let time = time.ok_or_else(|| NoteError::WrongSignature(key.name().to_owned()))?;
        latest = latest.max(Some(time));
    }
    Ok(latest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    /// The example of the specification.
    const TEXT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    const LINE: &str = "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";

    fn witness(name: &str, seed: u8) -> SigningKey {
        SigningKey::from_seed(name, KeyType::Cosignature, &[seed; 32]).unwrap()
    }

    fn note(lines: &[Signature]) -> Note {
        Note::new(TEXT.into(), lines.to_vec()).unwrap()
    }

    #[test]
    fn the_specification_s_example_has_this_frame_and_message() {
        let line = Signature::parse(LINE).unwrap();
        assert_eq!(line.bytes.len(), 8 + 64);
        let time = Timestamp(u64::from_be_bytes(*line.bytes.first_chunk().unwrap()));
        assert_eq!(time, Timestamp(1_679_315_147));
        let signed = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
            CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        assert_eq!(message(TEXT, time), signed);
    }

    /// Made with OpenSSL from the specification alone.
    #[test]
    fn another_implementation_makes_the_same_line() {
        let text = "log.example/lists\n3\nw2UeVBcUxT1kjsx7rsp/4sNu9PplvM4ksdcShkN95WY=\n";
        let line = "— witness.example/w1 3xwKNQAAAABlU/EAo+2WAU/8EW+jzTHtUMRgM6j1fCOcb3Zvptl4FucEIHGyoNc7KFyYH7D2zS4WDmOYSvTS3nWeryFd85JiMEaxCw==\n";
        let key = witness("witness.example/w1", 2);
        assert_eq!(
            key.verifier().to_string(),
            "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"
        );
        let made = cosign(&key, text, Timestamp(1_700_000_000));
        assert_eq!(made.to_string(), line);
        assert_eq!(verify(key.verifier(), text, &made), Some(Timestamp(1_700_000_000)));
    }

    #[test]
    fn every_change_makes_it_wrong() {
        let key = witness("w", 1);
        let good = cosign(&key, TEXT, Timestamp(1000));
        assert_eq!(verify(key.verifier(), TEXT, &good), Some(Timestamp(1000)));
        for at in 0..good.bytes.len() {
            let mut changed = good.clone();
            changed.bytes[at] ^= 1;
            assert_eq!(verify(key.verifier(), TEXT, &changed), None, "{at}");
        }
        for length in [0, 7, 8, 64, 71, 73] {
            let mut changed = good.clone();
            changed.bytes.resize(length, 0);
            assert_eq!(verify(key.verifier(), TEXT, &changed), None, "{length}");
        }
        assert_eq!(verify(key.verifier(), &TEXT.replace("63\n", "64\n"), &good), None);
        assert_eq!(verify(key.verifier(), &(TEXT.to_owned() + "extension\n"), &good), None);
        assert_eq!(verify(witness("v", 1).verifier(), TEXT, &good), None);
        assert_eq!(verify(witness("w", 2).verifier(), TEXT, &good), None);
    }

    #[test]
    fn extension_lines_are_signed() {
        let key = witness("w", 1);
        let text = TEXT.to_owned() + "extension\n";
        let line = cosign(&key, &text, Timestamp(1000));
        assert_eq!(verify(key.verifier(), &text, &line), Some(Timestamp(1000)));
        assert_eq!(verify(key.verifier(), TEXT, &line), None);
    }

    #[test]
    fn a_time_is_from_1_to_2_63_less_1() {
        let key = witness("w", 1);
        for (time, is_time) in [(0, false), (1, true), (MAX_TIME.0, true), (MAX_TIME.0 + 1, false), (u64::MAX, false)] {
            let line = cosign(&key, TEXT, Timestamp(time));
            assert_eq!(verify(key.verifier(), TEXT, &line).is_some(), is_time, "{time}");
        }
    }

    #[test]
    fn a_key_of_the_other_type_makes_and_accepts_none() {
        let plain = SigningKey::from_seed("w", KeyType::Ed25519, &[1; 32]).unwrap();
        let mut line = cosign(&witness("w", 1), TEXT, Timestamp(1000));
        assert_eq!(verify(plain.verifier(), TEXT, &line), None);
        line.id = plain.verifier().id();
        assert_eq!(verify(plain.verifier(), TEXT, &line), None);
        assert_eq!(cosignatures(&note(&[line]), &[plain.verifier().clone()]), Ok(Vec::new()));
        // A plain signature of the same public key over the same text is no cosignature either.
        let mut line = plain.sign(TEXT);
        line.id = witness("w", 1).verifier().id();
        assert_eq!(verify(witness("w", 1).verifier(), TEXT, &line), None);
    }

    #[test]
    fn of_known_witnesses_each_counts_once_with_its_latest_time() {
        let (a, b, stranger) = (witness("a", 1), witness("b", 2), witness("c", 3));
        let known = [b.verifier().clone(), witness("absent", 4).verifier().clone(), a.verifier().clone()];
        let mut lines = alloc::vec![
            cosign(&a, TEXT, Timestamp(20)),
            cosign(&stranger, TEXT, Timestamp(15)),
            cosign(&a, TEXT, Timestamp(30)),
            cosign(&a, TEXT, Timestamp(10)),
            cosign(&b, TEXT, Timestamp(40)),
        ];
        let expected = [(0, Timestamp(40)), (2, Timestamp(30))];
        assert_eq!(cosignatures(&note(&lines), &known).unwrap(), expected);

        // A stranger's line may be wrong, even under a known name or a known id.
        lines[1].bytes[70] ^= 1;
        lines[1].name = "a".into();
        assert_eq!(cosignatures(&note(&lines), &known).unwrap(), expected);
        lines[1].name = "c".into();
        lines[1].id = a.verifier().id();
        assert_eq!(cosignatures(&note(&lines), &known).unwrap(), expected);

        // A known witness's may not, though others of it are good.
        lines[3].bytes[70] ^= 1;
        assert_eq!(cosignatures(&note(&lines), &known), Err(NoteError::WrongSignature("a".into())));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_cosignature(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let key = witness("w", 1);
            let line = Signature { name: "w".into(), id: key.verifier().id(), bytes };
            prop_assert_eq!(verify(key.verifier(), TEXT, &line), None);
        }

        #[test]
        fn every_cosignature_verifies_with_its_time(text in "[ -~]{0,20}\n", time in 1..=MAX_TIME.0) {
            let key = witness("w", 1);
            let line = cosign(&key, &text, Timestamp(time));
            prop_assert_eq!(verify(key.verifier(), &text, &line), Some(Timestamp(time)));
        }
    }
}
