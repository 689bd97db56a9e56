//! C2SP [tlog-checkpoint]: a log's signed statement of its size and root.
//!
//! ```text
//! example.com/behind-the-sofa
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```
//!
//! The text is the log's origin, the number of leaves in decimal and the base64 of the root, each on a line. Extension
//! lines may follow: foreign logs have them and they are kept byte for byte; ours never do.
//!
//! [tlog-checkpoint]: https://c2sp.org/tlog-checkpoint

use crate::encoding::from_decimal;
use crate::hash::RootHash;
use crate::note::{KeyType, MAX_SIGNATURES, Note, NoteError, Signature, SigningKey, VerifierKey};
use crate::tree::{TreeSize, empty_root};
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// The most bytes of a checkpoint with all its signatures: room for the 16 that signed-note demands, of the largest kind that
/// it expects, nearly 5 kB before base64.
pub const MAX_CHECKPOINT_SIZE: usize = 128 * 1024;

/// Why a checkpoint is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it is malformed, or a signature is wrong or missing.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is larger than [`MAX_CHECKPOINT_SIZE`].
    #[error("the checkpoint is larger than {MAX_CHECKPOINT_SIZE} bytes")]
    TooLarge,
    /// The text is not a checkpoint's.
    #[error("malformed checkpoint: {0}")]
    Malformed(&'static str),
    /// It says that the log is empty but not that its root is the empty tree's.
    #[error("the checkpoint is of an empty tree but its root is not the empty tree's")]
    EmptyTreeRoot,
    /// It is another log's than the key's.
    #[error("the checkpoint is of {origin:?}, the key is of {key:?}")]
    Origin {
        /// The checkpoint's origin.
        origin: String,
        /// The key's name.
        key: String,
    },
}

/// What a checkpoint says. It is to be believed only as far as the signatures of its note are verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// The number of leaves.
    pub size: TreeSize,
    /// The root of the tree over them.
    pub root: RootHash,
    /// Further lines, of which nobody has to know the meaning.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Parses a checkpoint's text, which ends in a newline.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        use CheckpointError::Malformed;
        if text.len() > MAX_CHECKPOINT_SIZE {
            return Err(CheckpointError::TooLarge);
        }
        let lines = text.strip_suffix('\n').ok_or(Malformed("no newline at the end"))?;
        if lines.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(Malformed("control character"));
        }
        let mut lines = lines.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or(Malformed("no origin"))?;
        let size = lines.next().and_then(from_decimal).map(TreeSize);
        let size = size.ok_or(Malformed("the second line is not a tree size in decimal"))?;
        let root = lines.next().and_then(RootHash::from_base64);
        let root = root.ok_or(Malformed("the third line is not the base64 of a root hash"))?;
        let extensions: Vec<String> = lines.map(ToOwned::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(Malformed("empty extension line"));
        }
        if size == TreeSize(0) && root != empty_root() {
            return Err(CheckpointError::EmptyTreeRoot);
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }
}

/// Shows the text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root.to_base64())?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A checkpoint with its signature lines: well-formed, and nothing is verified yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckpointNote {
    checkpoint: Checkpoint,
    note: Note,
}

impl CheckpointNote {
    /// Parses a signed checkpoint of at most [`MAX_CHECKPOINT_SIZE`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes, MAX_CHECKPOINT_SIZE)?;
        Ok(Self { checkpoint: Checkpoint::parse(note.text())?, note })
    }

    /// The checkpoint signed by its log. It must be of the key's own log, and what [`Self::parse`] would accept.
    ///
    /// Whoever calls this has durably made sure that the log signs no checkpoint that contradicts this one.
    pub fn sign(checkpoint: Checkpoint, key: &SigningKey) -> Result<Self, CheckpointError> {
        check_origin(&checkpoint, key.verifier())?;
        let text = checkpoint.to_string();
        let signature = key.sign(&text);
        let signed = Self::parse(&Note::new(text, alloc::vec![signature])?.to_bytes())?;
        if signed.checkpoint != checkpoint {
            return Err(CheckpointError::Malformed("a line that holds a newline"));
        }
        Ok(signed)
    }

    /// What it says. Verify before believing it.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note: the exact text and the signature lines.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Succeeds if the checkpoint is of the log that this key names, and signed by the key.
    pub fn verify_log(&self, log_key: &VerifierKey) -> Result<(), CheckpointError> {
        check_origin(&self.checkpoint, log_key)?;
        Ok(self.note.verify(core::slice::from_ref(log_key))?)
    }

    /// The same checkpoint with only those lines that name the log's key; without any it can't be parsed again.
    pub fn without_cosignatures(&self, log_key: &VerifierKey) -> Self {
        self.with_lines_of(core::slice::from_ref(log_key))
    }

    /// The same checkpoint with only those lines that name one of these keys, in the order of the keys; of dated ones the latest of
    /// each key, which is the one that counts. Whoever passed it on can't say anything by what is added, repeated or put first.
    pub fn with_lines_of(&self, keys: &[VerifierKey]) -> Self {
        let mut lines: Vec<Signature> = Vec::new();
        for key in keys {
            let own = self.note.signatures().iter().filter(|line| key.matches(line));
            let of_key: Vec<&Signature> = match key.key_type() {
                KeyType::Cosignature => own.max_by_key(|line| line.bytes.first_chunk::<8>()).into_iter().collect(),
                _ => own.collect(),
            };
            for line in of_key {
                if !lines.contains(line) {
                    lines.push(line.clone());
                }
            }
        }
        self.with_lines(lines)
    }

    /// The same checkpoint with these lines after its own. A line that is there already is not repeated, and none is
    /// added with which the note would exceed [`MAX_SIGNATURES`] or [`MAX_CHECKPOINT_SIZE`].
    pub fn with_cosignatures(&self, cosignatures: &[Signature]) -> Self {
        let mut lines = self.note.signatures().to_vec();
        let mut size = self.note.to_bytes().len();
        for line in cosignatures {
            let longer = size + line.to_string().len();
            let fits = lines.len() < MAX_SIGNATURES && longer <= MAX_CHECKPOINT_SIZE;
            if fits && !lines.contains(line) {
                lines.push(line.clone());
                size = longer;
            }
        }
        self.with_lines(lines)
    }

    fn with_lines(&self, lines: Vec<Signature>) -> Self {
        Self { checkpoint: self.checkpoint.clone(), note: self.note.with_signatures(lines) }
    }

    /// The bytes of the note.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.note.to_bytes()
    }
}

/// Shows the whole note.
impl fmt::Display for CheckpointNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

fn check_origin(checkpoint: &Checkpoint, key: &VerifierKey) -> Result<(), CheckpointError> {
    if checkpoint.origin == key.name() {
        return Ok(());
    }
    Err(CheckpointError::Origin { origin: checkpoint.origin.clone(), key: key.name().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosignature::cosign;
    use crate::note::KeyType;
    use crate::time::Timestamp;
    use alloc::format;
    use proptest::prelude::*;

    /// The example of the tlog-cosignature specification; that of tlog-checkpoint is the same without its last line.
    const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

    fn log(name: &str, seed: u8) -> SigningKey {
        SigningKey::from_seed(name, KeyType::Ed25519, &[seed; 32]).unwrap()
    }

    fn witness(seed: u8) -> SigningKey {
        SigningKey::from_seed(&format!("witness.example/{seed}"), KeyType::Cosignature, &[seed; 32]).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "log.example/a".into(),
            size: TreeSize(7),
            root: RootHash::from_base64(ROOT).unwrap(),
            extensions: Vec::new(),
        }
    }

    #[test]
    fn the_specification_s_example_is_read_and_keeps_its_bytes() {
        let note = CheckpointNote::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(note.checkpoint().origin, "example.com/behind-the-sofa");
        assert_eq!(note.checkpoint().size, TreeSize(20_852_163));
        assert_eq!(note.checkpoint().root.to_base64(), ROOT);
        assert!(note.checkpoint().extensions.is_empty());
        assert_eq!(note.note().signatures().len(), 2);
        assert_eq!(note.to_bytes(), EXAMPLE.as_bytes());
        assert_eq!(note.to_string(), EXAMPLE);
    }

    #[test]
    fn malformed_texts_say_what_is_wrong() {
        use CheckpointError::Malformed;
        let size = Malformed("the second line is not a tree size in decimal");
        let root = Malformed("the third line is not the base64 of a root hash");
        for (text, why) in [
            (String::new(), Malformed("no newline at the end")),
            (format!("o\n1\n{ROOT}"), Malformed("no newline at the end")),
            ("\n".into(), Malformed("no origin")),
            (format!("\n1\n{ROOT}\n"), Malformed("no origin")),
            ("o\n".into(), size.clone()),
            (format!("o\n01\n{ROOT}\n"), size.clone()),
            (format!("o\n+1\n{ROOT}\n"), size.clone()),
            (format!("o\n1 \n{ROOT}\n"), size.clone()),
            (format!("o\n9223372036854775808\n{ROOT}\n"), size.clone()),
            (format!("o\n\n{ROOT}\n"), size),
            ("o\n1\n".into(), root.clone()),
            ("o\n1\nAAAA\n".into(), root.clone()),
            (format!("o\n1\n{}\n", ROOT.replace("q2I=", "q2J=")), root.clone()),
            (format!("o\n1\n{ROOT}=\n"), root),
            (format!("o\n1\n{ROOT}\n\n"), Malformed("empty extension line")),
            (format!("o\n1\n{ROOT}\nfirst\n\nthird\n"), Malformed("empty extension line")),
            (format!("o\n1\n{ROOT}\r\n"), Malformed("control character")),
            (format!("o\t\n1\n{ROOT}\n"), Malformed("control character")),
            (format!("o\n0\n{ROOT}\n"), CheckpointError::EmptyTreeRoot),
            ("o".repeat(MAX_CHECKPOINT_SIZE + 1), CheckpointError::TooLarge),
        ] {
            assert_eq!(Checkpoint::parse(&text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn what_foreign_logs_write_is_kept() {
        let text = format!("Log Nº 1 + more\n9223372036854775807\n{ROOT}\nfirst\n second \n");
        let checkpoint = Checkpoint::parse(&text).unwrap();
        assert_eq!(checkpoint.extensions, ["first", " second "]);
        assert_eq!(checkpoint.to_string(), text);
    }

    #[test]
    fn an_empty_tree_has_one_root() {
        let empty = Checkpoint { size: TreeSize(0), root: empty_root(), ..checkpoint() };
        assert_eq!(empty.to_string(), "log.example/a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
        assert_eq!(Checkpoint::parse(&empty.to_string()), Ok(empty));
    }

    #[test]
    fn a_signed_checkpoint_is_its_log_s_and_nobody_else_s() {
        let key = log("log.example/a", 1);
        let signed = CheckpointNote::sign(checkpoint(), &key).unwrap();
        assert_eq!(CheckpointNote::parse(&signed.to_bytes()), Ok(signed.clone()));
        assert_eq!(signed.verify_log(key.verifier()), Ok(()));

        let same_name = log("log.example/a", 2);
        assert_eq!(signed.verify_log(same_name.verifier()), Err(NoteError::NoKnownSignature.into()));
        let origin = CheckpointError::Origin { origin: "log.example/a".into(), key: "log.example/b".into() };
        assert_eq!(signed.verify_log(log("log.example/b", 1).verifier()), Err(origin));
    }

    #[test]
    fn one_changed_byte_anywhere_in_the_text_spoils_the_signature() {
        let key = log("log.example/a", 1);
        let bytes = CheckpointNote::sign(checkpoint(), &key).unwrap().to_bytes();
        let text_length = checkpoint().to_string().len();
        for at in 0..text_length {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(CheckpointNote::parse(&changed).and_then(|note| note.verify_log(key.verifier())).is_err(), "{at}");
        }
    }

    #[test]
    fn nothing_is_signed_that_could_not_be_read_again() {
        let key = log("log.example/a", 1);
        let refused = |change: &dyn Fn(&mut Checkpoint)| {
            let mut wrong = checkpoint();
            change(&mut wrong);
            CheckpointNote::sign(wrong, &key).unwrap_err()
        };
        assert!(matches!(refused(&|c| c.origin.push('x')), CheckpointError::Origin { .. }));
        assert_eq!(refused(&|c| c.size = TreeSize(0)), CheckpointError::EmptyTreeRoot);
        let size = "the second line is not a tree size in decimal";
        assert_eq!(refused(&|c| c.size = TreeSize(1 << 63)), CheckpointError::Malformed(size));
        let newline = "a line that holds a newline";
        assert_eq!(refused(&|c| c.extensions.push("a\nb".into())), CheckpointError::Malformed(newline));
        let empty = "empty extension line";
        assert_eq!(refused(&|c| c.extensions.push(String::new())), CheckpointError::Malformed(empty));
        let control = NoteError::Malformed("control character in the text");
        assert_eq!(refused(&|c| c.extensions.push("\t".into())), control.into());
        let large = NoteError::TooLarge { limit: MAX_CHECKPOINT_SIZE };
        assert_eq!(refused(&|c| c.extensions.push("x".repeat(MAX_CHECKPOINT_SIZE - 150))), large.into());
    }

    #[test]
    fn cosignatures_come_and_go_without_touching_the_rest() {
        let key = log("log.example/a", 1);
        let bare = CheckpointNote::sign(checkpoint(), &key).unwrap();
        let lines: Vec<_> = (2..5).map(|seed| cosign(&witness(seed), bare.note().text(), Timestamp(1000))).collect();
        let cosigned = bare.with_cosignatures(&lines);
        assert_eq!(cosigned.note().signatures()[1..], lines);
        assert_eq!(cosigned.with_cosignatures(&lines), cosigned);
        assert_eq!(cosigned.without_cosignatures(key.verifier()), bare);
        assert_eq!(CheckpointNote::parse(&cosigned.to_bytes()), Ok(cosigned));
    }

    #[test]
    fn whoever_passes_a_checkpoint_on_can_mark_it_by_nothing() {
        let (key, stranger) = (log("log.example/a", 1), log("stranger.example", 9));
        let bare = CheckpointNote::sign(checkpoint(), &key).unwrap();
        let line = |seed, time| cosign(&witness(seed), bare.note().text(), Timestamp(time));
        let keys = [key.verifier().clone(), witness(2).verifier().clone(), witness(3).verifier().clone()];
        let expected = bare.with_cosignatures(&[line(2, 1000), line(3, 7)]);
        let marked = bare.with_cosignatures(&[
            line(3, 5),
            line(2, 999),
            line(3, 7),
            line(2, 1000),
            stranger.sign(bare.note().text()),
            line(2, 3),
        ]);
        assert_eq!(marked.with_lines_of(&keys), expected);
        let reversed = marked.note().signatures().iter().rev().cloned().collect();
        assert_eq!(marked.with_lines(reversed).with_lines_of(&keys), expected);
    }

    #[test]
    fn no_more_cosignatures_are_added_than_can_be_read_again() {
        let bare = CheckpointNote::sign(checkpoint(), &log("log.example/a", 1)).unwrap();
        let line = |number: u16, length: usize| Signature {
            name: "witness.example/w".into(),
            id: bare.note().signatures()[0].id,
            bytes: number.to_be_bytes().repeat(length / 2),
        };
        // Ed25519, ML-DSA-44, and the largest signatures that the specification speaks of: always the 16 that it demands.
        for (length, expected) in [(72, MAX_SIGNATURES), (2428, 41), (5000, 20)] {
            assert!(expected >= 16);
            let lines: Vec<_> = (0..100).map(|number| line(number, length)).collect();
            let cosigned = bare.with_cosignatures(&lines);
            assert_eq!(cosigned.note().signatures().len(), expected);
            assert_eq!(CheckpointNote::parse(&cosigned.to_bytes()), Ok(cosigned));
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_has_one_form(text in "([a-z é]{0,3}\n)?[0-9]{1,3}\n([A-Za-z0-9+/]{42}[A-Z]=\n)?([ -~]{0,5}\n){0,3}") {
            if let Ok(checkpoint) = Checkpoint::parse(&text) {
                prop_assert_eq!(checkpoint.to_string(), text);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(note) = CheckpointNote::parse(&bytes) {
                prop_assert_eq!(note.to_bytes(), bytes);
            }
        }

        #[test]
        fn a_mutated_example_keeps_its_bytes_if_it_parses(at in 0..EXAMPLE.len(), byte: u8) {
            let mut bytes = EXAMPLE.as_bytes().to_vec();
            bytes[at] = byte;
            if let Ok(note) = CheckpointNote::parse(&bytes) {
                prop_assert_eq!(note.to_bytes(), bytes);
            }
        }
    }
}
