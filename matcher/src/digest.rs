//! Digests of a whole file, for lists that match what is identical.

use isonomy_core::list::Algorithm;
use sha2::Digest;

/// The SHA-256 of `file`.
pub fn sha256(file: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(file).into()
}

/// The SHA-1 of `file`. Collisions can be made, so of two files with one digest either can be the listed one.
pub fn sha1(file: &[u8]) -> [u8; 20] {
    sha1::Sha1::digest(file).into()
}

/// The MD5 of `file`. Collisions are easily made, so of two files with one digest either can be the listed one.
pub fn md5(file: &[u8]) -> [u8; 16] {
    md5::Md5::digest(file).into()
}

/// The digest of `file` by `algorithm`; `None` if that is a perceptual one, which hashes pictures and not files.
pub fn digest(algorithm: Algorithm, file: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        Algorithm::Sha256 => Some(sha256(file).to_vec()),
        Algorithm::Sha1 => Some(sha1(file).to_vec()),
        Algorithm::Md5 => Some(md5(file).to_vec()),
        Algorithm::PdqFull | Algorithm::VpdqV1 => None,
    }
}

/// The digest of a file that is read piece by piece.
pub struct Digester(Kind);

enum Kind {
    Sha256(sha2::Sha256),
    Sha1(sha1::Sha1),
    Md5(md5::Md5),
}

impl Digester {
    /// A digest of nothing yet; `None` if `algorithm` is a perceptual one.
    pub fn new(algorithm: Algorithm) -> Option<Self> {
        Some(Self(match algorithm {
            Algorithm::Sha256 => Kind::Sha256(Digest::new()),
            Algorithm::Sha1 => Kind::Sha1(Digest::new()),
            Algorithm::Md5 => Kind::Md5(Digest::new()),
            Algorithm::PdqFull | Algorithm::VpdqV1 => return None,
        }))
    }

    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        match &mut self.0 {
            Kind::Sha256(digest) => digest.update(piece),
            Kind::Sha1(digest) => digest.update(piece),
            Kind::Md5(digest) => digest.update(piece),
        }
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            Kind::Sha256(digest) => digest.finalize().to_vec(),
            Kind::Sha1(digest) => digest.finalize().to_vec(),
            Kind::Md5(digest) => digest.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::encoding::to_hex;

    #[test]
    fn digests_are_the_published_ones() {
        for (algorithm, expected) in [
            (Algorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (Algorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        ] {
            let digest = digest(algorithm, b"abc").unwrap();
            assert_eq!(to_hex(&digest), expected, "{algorithm}");
            assert_eq!(digest.len(), algorithm.entry_size());
            let mut by_pieces = Digester::new(algorithm).unwrap();
            b"abc".iter().for_each(|byte| by_pieces.update(&[*byte]));
            assert_eq!(by_pieces.finish(), digest);
        }
        assert_eq!(digest(Algorithm::PdqFull, b"abc"), None);
        assert!(Digester::new(Algorithm::VpdqV1).is_none());
    }
}
