//! The logs that a witness is configured for.

use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use isonomy_core::note::{KeyType, Note, NoteError, Signature, VerifierKey};

/// What is wrong with the keys that a witness is given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The witness's own key makes plain signatures.
    #[error("the key {0} can't be a witness's: it must be of the type for cosignatures")]
    WitnessKeyType(String),
    /// A log's key makes cosignatures.
    #[error("the key {0} can't be a log's: it must be of the type for plain Ed25519 signatures")]
    LogKeyType(String),
    /// A log that has the witness's own key, so that it would vouch for itself.
    #[error("the log {0} has the same public key as the witness; each needs its own")]
    SharedKey(String),
    /// One key given twice.
    #[error("the key of the log {0} is given twice")]
    Repeated(String),
    /// Nothing to do.
    #[error("a witness needs at least one log; give the public key of each")]
    NoLogs,
}

/// A log and the keys that it may sign with: more than one only while it changes from one to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    origin: String,
    keys: Vec<VerifierKey>,
}

impl Log {
    /// The log whose origin is the name of this key.
    pub fn new(key: VerifierKey) -> Self {
        Self { origin: key.name().to_owned(), keys: vec![key] }
    }

    /// The logs of these keys; those of one name are of one log. `witness` is the key that will cosign.
    pub fn all(keys: &[VerifierKey], witness: &VerifierKey) -> Result<Vec<Self>, ConfigError> {
        if witness.key_type() != KeyType::Cosignature {
            return Err(ConfigError::WitnessKeyType(witness.to_string()));
        }
        let mut logs: Vec<Self> = Vec::new();
        for key in keys {
            check_log_key(key, witness)?;
            match logs.iter_mut().find(|log| log.origin == key.name()) {
                Some(log) if log.keys.contains(key) => return Err(ConfigError::Repeated(log.origin.clone())),
                Some(log) => log.keys.push(key.clone()),
                None => logs.push(Self::new(key.clone())),
            }
        }
        if logs.is_empty() { Err(ConfigError::NoLogs) } else { Ok(logs) }
    }

    /// The first line of its checkpoints.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The SHA-256 of the origin in hexadecimal, which names the log in paths and files.
    pub fn id(&self) -> String {
        to_hex(&sha256(&[self.origin.as_bytes()]))
    }

    /// The signature lines of the log's keys under `note`, the first by each key: at least one, and none is wrong.
    pub fn verified_lines(&self, note: &Note) -> Result<Vec<Signature>, NoteError> {
        note.verify(&self.keys)?;
        let first_by = |key: &VerifierKey| note.signatures().iter().find(|line| key.matches(line)).cloned();
        Ok(self.keys.iter().filter_map(first_by).collect())
    }
}

fn check_log_key(key: &VerifierKey, witness: &VerifierKey) -> Result<(), ConfigError> {
    if key.key_type() != KeyType::Ed25519 {
        return Err(ConfigError::LogKeyType(key.to_string()));
    }
    if key.public_bytes() == witness.public_bytes() {
        return Err(ConfigError::SharedKey(key.name().to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::note::SigningKey;

    fn key(name: &str, key_type: KeyType, seed: u8) -> SigningKey {
        SigningKey::from_seed(name, key_type, &[seed; 32]).unwrap()
    }

    fn verifier(name: &str, key_type: KeyType, seed: u8) -> VerifierKey {
        key(name, key_type, seed).verifier().clone()
    }

    #[test]
    fn keys_of_one_name_are_of_one_log() {
        let witness = verifier("witness.example/w", KeyType::Cosignature, 9);
        let [a, b, next] = [("a", 1), ("b", 2), ("a", 3)].map(|(name, seed)| verifier(name, KeyType::Ed25519, seed));
        let logs = Log::all(&[a.clone(), b, next.clone()], &witness).unwrap();
        assert_eq!(logs.iter().map(Log::origin).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(logs[0].keys, [a, next]);
        assert_eq!(logs[0].id(), "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
    }

    #[test]
    fn unsuitable_keys_are_refused() {
        use KeyType::{Cosignature, Ed25519};
        let witness = verifier("w", Cosignature, 9);
        let log = verifier("a", Ed25519, 1);
        let refused = |keys: &[VerifierKey], witness| Log::all(keys, witness).unwrap_err();
        assert_eq!(refused(&[], &witness), ConfigError::NoLogs);
        assert_eq!(refused(&[log.clone(), log.clone()], &witness), ConfigError::Repeated("a".into()));
        assert_eq!(refused(&[verifier("a", Ed25519, 9)], &witness), ConfigError::SharedKey("a".into()));
        assert!(matches!(refused(&[verifier("a", Cosignature, 1)], &witness), ConfigError::LogKeyType(_)));
        assert!(matches!(refused(std::slice::from_ref(&log), &log), ConfigError::WitnessKeyType(_)));
    }

    #[test]
    fn only_the_log_s_own_lines_are_kept_each_key_once() {
        let (old, new, other) =
            (key("a", KeyType::Ed25519, 1), key("a", KeyType::Ed25519, 2), key("b", KeyType::Ed25519, 3));
        let log = Log { origin: "a".into(), keys: vec![old.verifier().clone(), new.verifier().clone()] };
        let text = "a\n";
        let (first, second, foreign) = (old.sign(text), new.sign(text), other.sign(text));
        let note =
            |lines: &[&Signature]| Note::new(text.into(), lines.iter().map(|&line| line.clone()).collect()).unwrap();
        let kept = |lines: &[&Signature]| log.verified_lines(&note(lines));
        assert_eq!(kept(&[&foreign, &second, &first, &second]), Ok(vec![first.clone(), second.clone()]));
        assert_eq!(kept(&[&second]), Ok(vec![second.clone()]));
        assert_eq!(kept(&[&foreign]), Err(NoteError::NoKnownSignature));
        let mut wrong = second;
        wrong.bytes[0] ^= 1;
        assert_eq!(kept(&[&first, &wrong]), Err(NoteError::WrongSignature("a".into())));
    }
}
