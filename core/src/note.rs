//! C2SP [signed-note]: text signed by one or more keys.
//!
//! ```text
//! This is an example message.
//!
//! — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
//! ```
//!
//! The text ends in a newline and is everything before the *last* empty line. A signature line is an em dash, a space,
//! the key's name, a space and the base64 of the four-byte key id followed by the signature. Signatures by unknown keys
//! are ignored; a wrong signature by a known key spoils the whole note.
//!
//! [signed-note]: https://c2sp.org/signed-note

use crate::encoding::{from_base64, from_hex, to_base64, to_hex};
use crate::hash::sha256;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use ed25519_dalek::{Signature as Ed25519Signature, Signer as _, SigningKey as Ed25519SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// The most signature lines that a note may have here; the specification asks for at least 16.
pub const MAX_SIGNATURES: usize = 64;

/// What kind of signature a key makes: the type byte of the specification.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum KeyType {
    /// 0x01: Ed25519 over the note's text.
    Ed25519,
    /// 0x04: timestamped Ed25519 cosignature of a checkpoint (C2SP tlog-cosignature).
    Cosignature,
}

impl KeyType {
    fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// The four bytes that, with its name, tell a key: SHA-256(name ‖ 0x0A ‖ type ‖ public key)[..4].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl KeyId {
    fn compute(name: &str, key_type: KeyType, public: &[u8; 32]) -> Self {
        let digest = sha256(&[name.as_bytes(), b"\n", &[key_type.byte()], public]);
        Self([digest[0], digest[1], digest[2], digest[3]])
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", to_hex(&self.0))
    }
}

/// A key, or the text of one, that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not of the form `name+id+base64(type ‖ key)`.
    #[error("not a key of the form name+id+base64")]
    Malformed,
    /// A name that is empty or holds a space, a plus sign or a control character.
    #[error("{0:?} can't be the name of a key: it must be non-empty, without spaces, plus signs or control characters")]
    Name(String),
    /// A signature type that is not supported.
    #[error("keys of type 0x{0:02x} are not supported")]
    Type(u8),
    /// The id does not belong to this name and key.
    #[error("the key id does not belong to this name and public key")]
    Id,
    /// Not a point of the curve, or one under which anybody can sign.
    #[error("the public key is invalid or weak")]
    Weak,
}

/// Whether `name` can be a key's name.
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// A public key with its name and type: a *vkey*, `name+hex(id)+base64(type ‖ public key)`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    key_type: KeyType,
    id: KeyId,
    public: VerifyingKey,
}

impl VerifierKey {
    /// The key with this name, type and public key; weak keys are refused.
    pub fn new(name: &str, key_type: KeyType, public: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name(name.to_owned()));
        }
        let parsed = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Weak)?;
        if parsed.is_weak() {
            return Err(KeyError::Weak);
        }
        let id = KeyId::compute(name, key_type, public);
        Ok(Self { name: name.to_owned(), key_type, id, public: parsed })
    }

    /// Parses a vkey.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError::Malformed)?;
        let (id, material) = rest.split_once('+').ok_or(KeyError::Malformed)?;
        let material = from_base64(material).ok_or(KeyError::Malformed)?;
        let (&type_byte, public) = material.split_first().ok_or(KeyError::Malformed)?;
        let key_type = KeyType::from_byte(type_byte).ok_or(KeyError::Type(type_byte))?;
        let public = public.try_into().map_err(|_| KeyError::Malformed)?;
        let key = Self::new(name, key_type, public)?;
        let id = from_hex(id).ok_or(KeyError::Malformed)?;
        if id == key.id.0 { Ok(key) } else { Err(KeyError::Id) }
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's type.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The 32 bytes of the Ed25519 public key.
    pub fn public_bytes(&self) -> &[u8; 32] {
        self.public.as_bytes()
    }

    /// Its name and short id, in words: anybody can give a key any name, the id is of the key and its name.
    pub fn called(&self) -> String {
        alloc::format!("{} ({})", self.name, to_hex(&self.id.0))
    }

    /// Whether `line` names this key, by name and id.
    pub fn matches(&self, line: &Signature) -> bool {
        line.id == self.id && line.name == self.name
    }

    /// Whether `line` is this key's signature over `text`.
    pub fn has_signed(&self, text: &str, line: &Signature) -> bool {
        self.matches(line) && self.verify_raw(text.as_bytes(), &line.bytes)
    }

    /// Whether `signature` is this key's over `message`, strictly (RFC 8032 with no malleability, no weak points).
    pub(crate) fn verify_raw(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Ed25519Signature::from_slice(signature) else {
            return false;
        };
        self.public.verify_strict(message, &signature).is_ok()
    }
}

/// Shows the vkey.
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut material = Vec::with_capacity(33);
        material.push(self.key_type.byte());
        material.extend_from_slice(self.public.as_bytes());
        write!(f, "{}+{}+{}", self.name, to_hex(&self.id.0), to_base64(&material))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// As a vkey.
impl Serialize for VerifierKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerifierKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A private key with its name and type: `PRIVATE+KEY+name+hex(id)+base64(type ‖ seed)`, the form that Go's
/// `sumdb/note` writes. The seed is wiped when it is dropped.
pub struct SigningKey {
    verifier: VerifierKey,
    secret: Ed25519SigningKey,
}

const PRIVATE_PREFIX: &str = "PRIVATE+KEY+";

/// Whether the text of a private key stands anywhere in `bytes`: then no message may quote them.
pub fn holds_private_key(bytes: &[u8]) -> bool {
    bytes.windows(PRIVATE_PREFIX.len()).any(|window| window == PRIVATE_PREFIX.as_bytes())
}

impl SigningKey {
    /// The key that this seed (32 bytes from a good source of randomness) makes.
    pub fn from_seed(name: &str, key_type: KeyType, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = Ed25519SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, key_type, secret.verifying_key().as_bytes())?;
        Ok(Self { verifier, secret })
    }

    /// Parses the private form.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix(PRIVATE_PREFIX).ok_or(KeyError::Malformed)?;
        let (name, rest) = rest.split_once('+').ok_or(KeyError::Malformed)?;
        let (id, material) = rest.split_once('+').ok_or(KeyError::Malformed)?;
        let material = Zeroizing::new(from_base64(material).ok_or(KeyError::Malformed)?);
        let (&type_byte, seed) = material.split_first().ok_or(KeyError::Malformed)?;
        let key_type = KeyType::from_byte(type_byte).ok_or(KeyError::Type(type_byte))?;
        let key = Self::from_seed(name, key_type, seed.try_into().map_err(|_| KeyError::Malformed)?)?;
        let id = from_hex(id).ok_or(KeyError::Malformed)?;
        if id == key.verifier.id.0 { Ok(key) } else { Err(KeyError::Id) }
    }

    /// The private form, to be kept in a file that only its owner can read.
    pub fn to_private_text(&self) -> Zeroizing<String> {
        let mut material = Zeroizing::new(Vec::with_capacity(33));
        material.push(self.verifier.key_type.byte());
        material.extend_from_slice(self.secret.as_bytes());
        let id = to_hex(&self.verifier.id.0);
        let material = Zeroizing::new(to_base64(&material));
        Zeroizing::new(format!("{PRIVATE_PREFIX}{}+{id}+{}", self.verifier.name, *material))
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The 64-byte Ed25519 signature over `message`.
    pub fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }

    /// The signature line of this key under `text`. For a key of type [`KeyType::Ed25519`]; cosignature keys sign
    /// checkpoints with a time instead (`cosignature::cosign`).
    pub fn sign(&self, text: &str) -> Signature {
        debug_assert_eq!(self.verifier.key_type, KeyType::Ed25519);
        Signature {
            name: self.verifier.name.clone(),
            id: self.verifier.id,
            bytes: self.sign_raw(text.as_bytes()).to_vec(),
        }
    }
}

/// Shows the public half alone.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier)
    }
}

/// One signature line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// The name of the key that it claims to be by.
    pub name: String,
    /// The id of that key.
    pub id: KeyId,
    /// What follows the id: for Ed25519 the 64 bytes, for a cosignature 8 bytes of time and 64 bytes.
    pub bytes: Vec<u8>,
}

/// The em dash and space that start a signature line.
const LINE_START: &str = "— ";

impl Signature {
    /// Parses one line, without its newline.
    pub fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(LINE_START)?.split_once(' ')?;
        let decoded = from_base64(encoded)?;
        let (id, bytes) = decoded.split_first_chunk::<4>()?;
        // Stranger names than those of keys that can be used here: whose line it is that is ignored does not matter.
        let is_name = !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c < ' ' || c == '+');
        if !is_name || bytes.is_empty() {
            return None;
        }
        Some(Self { name: name.to_owned(), id: KeyId(*id), bytes: bytes.to_vec() })
    }
}

/// Shows the line, with its newline.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blob = self.id.0.to_vec();
        blob.extend_from_slice(&self.bytes);
        writeln!(f, "{LINE_START}{} {}", self.name, to_base64(&blob))
    }
}

/// Why a note is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Larger than the caller allows.
    #[error("the note is larger than {limit} bytes")]
    TooLarge {
        /// The limit that was given, in bytes.
        limit: usize,
    },
    /// Not a note at all.
    #[error("malformed note: {0}")]
    Malformed(&'static str),
    /// A signature line names a known key but its signature is wrong.
    #[error("the signature of {0} is wrong")]
    WrongSignature(String),
    /// No signature by a known key.
    #[error("no signature by a known key")]
    NoKnownSignature,
}

/// A text and its signature lines, as parsed: nothing is verified yet, so the text is not to be believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// A note of `text`, which must end in a newline and hold no control character but newline.
    pub fn new(text: String, signatures: Vec<Signature>) -> Result<Self, NoteError> {
        check_text(&text)?;
        Ok(Self { text, signatures })
    }

    /// Parses a note with at least one signature line, of at most `limit` bytes.
    pub fn parse(bytes: &[u8], limit: usize) -> Result<Self, NoteError> {
        let note = Self::parse_draft(bytes, limit)?;
        if note.signatures.is_empty() {
            return Err(NoteError::Malformed("no signature line"));
        }
        Ok(note)
    }

    /// Parses a note that may still be without signatures, as passes from hand to hand before publication.
    pub fn parse_draft(bytes: &[u8], limit: usize) -> Result<Self, NoteError> {
        if bytes.len() > limit {
            return Err(NoteError::TooLarge { limit });
        }
        let whole = core::str::from_utf8(bytes).map_err(|_| NoteError::Malformed("not UTF-8"))?;
        let separator = whole.rfind("\n\n").ok_or(NoteError::Malformed("no empty line before the signatures"))?;
        let (text, lines) = (&whole[..=separator], &whole[separator + 2..]);
        check_text(text)?;
        let mut signatures = Vec::new();
        for line in lines.split_inclusive('\n') {
            let line = line.strip_suffix('\n').ok_or(NoteError::Malformed("no newline at the end"))?;
            let signature = Signature::parse(line).ok_or(NoteError::Malformed("not a signature line"))?;
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::Malformed("too many signatures"));
            }
            signatures.push(signature);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The signed text, with its final newline. Verify before believing it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order, whether their keys are known or not.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The same text under these signature lines.
    pub fn with_signatures(&self, signatures: Vec<Signature>) -> Self {
        Self { text: self.text.clone(), signatures }
    }

    /// Adds a signature line.
    pub fn push(&mut self, signature: Signature) {
        self.signatures.push(signature);
    }

    /// Those of `known` (of type [`KeyType::Ed25519`]) that signed this text, in the order of the signature lines, each
    /// once. Lines by other keys are ignored; one wrong signature by a known key rejects the note.
    pub fn signers<'k>(&self, known: &'k [VerifierKey]) -> Result<Vec<&'k VerifierKey>, NoteError> {
        let mut signers: Vec<&VerifierKey> = Vec::new();
        for line in &self.signatures {
            for key in known.iter().filter(|key| key.key_type == KeyType::Ed25519 && key.matches(line)) {
                if !key.has_signed(&self.text, line) {
                    return Err(NoteError::WrongSignature(key.name.clone()));
                }
                if !signers.contains(&key) {
                    signers.push(key);
                }
            }
        }
        Ok(signers)
    }

    /// Succeeds if at least one of `known` signed this text and none of them wrongly.
    pub fn verify(&self, known: &[VerifierKey]) -> Result<(), NoteError> {
        if self.signers(known)?.is_empty() { Err(NoteError::NoKnownSignature) } else { Ok(()) }
    }

    /// The bytes of the note.
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("{self}").into_bytes()
    }
}

/// Shows the whole note.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| signature.fmt(f))
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if !text.ends_with('\n') {
        return Err(NoteError::Malformed("the text does not end in a newline"));
    }
    if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(NoteError::Malformed("control character in the text"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of the signed-note specification.
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    fn key(name: &str, seed: u8) -> SigningKey {
        SigningKey::from_seed(name, KeyType::Ed25519, &[seed; 32]).unwrap()
    }

    #[test]
    fn the_specification_s_example_verifies_and_keeps_its_bytes() {
        let key = VerifierKey::parse(KEY).unwrap();
        let note = Note::parse(NOTE.as_bytes(), 1000).unwrap();
        assert_eq!(note.text(), "This is an example message.\n");
        assert_eq!(note.signers(core::slice::from_ref(&key)).unwrap(), [&key]);
        assert_eq!(note.to_bytes(), NOTE.as_bytes());
        assert_eq!(format!("{key}"), KEY);
    }

    #[test]
    fn the_last_empty_line_separates() {
        let signer = key("k", 1);
        let text = "a\n\n— k AAAAAAA=\n\nb\n";
        let note = Note::new(text.into(), alloc::vec![signer.sign(text)]).unwrap();
        let parsed = Note::parse(&note.to_bytes(), 1000).unwrap();
        assert_eq!(parsed, note);
        parsed.verify(core::slice::from_ref(signer.verifier())).unwrap();
    }

    #[test]
    fn unknown_keys_are_ignored_and_known_wrong_ones_reject() {
        let (known, other) = (key("known", 1), key("other", 2));
        let text = "text\n";
        let mut note = Note::new(text.into(), alloc::vec![other.sign(text)]).unwrap();
        let keys = [known.verifier().clone()];
        assert_eq!(note.verify(&keys), Err(NoteError::NoKnownSignature));
        note.push(known.sign(text));
        assert_eq!(note.verify(&keys), Ok(()));
        note.push(known.sign("other text\n"));
        assert_eq!(note.verify(&keys), Err(NoteError::WrongSignature("known".into())));
    }

    #[test]
    fn weak_and_mislabelled_keys_are_refused() {
        let mut weak = [0u8; 32];
        weak[0] = 1; // the neutral element: any signature of a certain form would verify
        assert_eq!(VerifierKey::new("k", KeyType::Ed25519, &weak), Err(KeyError::Weak));
        assert_eq!(VerifierKey::parse(&KEY.replace("530d903a", "530d903b")), Err(KeyError::Id));
        assert_eq!(VerifierKey::parse(&KEY.replace("example.com/foo", "example.com/fo")), Err(KeyError::Id));
        assert!(matches!(VerifierKey::new("a b", KeyType::Ed25519, &[2; 32]), Err(KeyError::Name(_))));
    }

    #[test]
    fn a_private_key_survives_its_text() {
        let signer = key("example.org/curator", 7);
        let text = signer.to_private_text();
        assert_eq!(SigningKey::parse(&text).unwrap().verifier(), signer.verifier());
        assert!(!format!("{signer:?}").contains("PRIVATE"));
    }

    #[test]
    fn malformed_notes_say_what_is_wrong() {
        for (bytes, why) in [
            (&b"text\n"[..], "no empty line before the signatures"),
            (b"text\n\n", "no signature line"),
            (b"text\n\nhello\n", "not a signature line"),
            ("text\n\n— k AAAAAAA=".as_bytes(), "no newline at the end"),
            ("te\u{7}xt\n\n— k AAAAAAA=\n".as_bytes(), "control character in the text"),
            (b"\xff\n\n", "not UTF-8"),
        ] {
            assert_eq!(Note::parse(bytes, 1000), Err(NoteError::Malformed(why)));
        }
        assert_eq!(Note::parse(NOTE.as_bytes(), 10), Err(NoteError::TooLarge { limit: 10 }));
    }

    proptest! {
        #[test]
        fn whatever_parses_has_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(note) = Note::parse_draft(&bytes, 200) {
                prop_assert_eq!(note.to_bytes(), bytes);
            }
        }

        #[test]
        fn mutated_notes_never_panic(at in 0usize..NOTE.len(), byte: u8) {
            let mut bytes = NOTE.as_bytes().to_vec();
            bytes[at] = byte;
            let keys = [VerifierKey::parse(KEY).unwrap()];
            if let Ok(note) = Note::parse(&bytes, 1000) {
                prop_assert!(bytes == NOTE.as_bytes() || note.verify(&keys).is_err());
            }
        }
    }
}
