//! Harmless pictures and files, by their hashes.

use crate::images::{ImagesError, ImagesOptions, hash_images};
use crate::import::{ImportError, ImportOptions, Irregular, import};
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_core::list::Algorithm;
use isonomy_matcher::digest::digest;
use isonomy_store::files::{self, FileError};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

/// The photographs of this project, and the empty file.
const BUILT_IN: &str = include_str!("canaries.csv");
/// The most bytes of a file that serves as a canary.
const MAX_FILE: usize = 256 << 20;

/// Why a folder or a file can't serve as canaries.
#[derive(Debug, thiserror::Error)]
pub enum CanariesError {
    /// Its pictures can't be hashed.
    #[error(transparent)]
    Images(#[from] ImagesError),
    /// A file can't be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The hashes in a file can't be read.
    #[error(transparent)]
    Hashes(#[from] ImportError),
    /// A file can't be opened.
    #[error("it can't be opened: {0}")]
    Open(io::Error),
    /// A picture in it has no hash, so it would not be guarded.
    #[error("{file} would not be guarded: {reason}{}", if *.others == 0 { String::new() } else { format!("; and {others} more") })]
    Unhashed {
        /// The file.
        file: String,
        /// Why it has no hash.
        reason: String,
        /// How many others have none.
        others: usize,
    },
    /// There is nothing in it that can be hashed, so it would guard nothing.
    #[error("{path} holds no picture that can be hashed, and no hash, so it would guard nothing")]
    Nothing {
        /// The folder or file.
        path: String,
    },
}

struct Canary {
    name: String,
    algorithm: Algorithm,
    hash: Vec<u8>,
}

/// Hashes that no list may match.
pub struct Canaries {
    canaries: Vec<Canary>,
}

impl Canaries {
    /// None at all.
    pub fn none() -> Self {
        Self { canaries: Vec::new() }
    }

    /// Those that everybody has.
    pub fn built_in() -> Self {
        let mut canaries = Vec::new();
        for row in BUILT_IN.lines().skip(1) {
            let mut fields = row.split(',');
            let name = fields.next().unwrap_or_default();
            let algorithms = [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256, Algorithm::PdqFull];
            for (algorithm, field) in algorithms.into_iter().zip(fields) {
                canaries.extend(from_hex(field).filter(|hash| !hash.is_empty()).map(|hash| Canary {
                    name: name.to_owned(),
                    algorithm,
                    hash,
                }));
            }
        }
        Self { canaries }
    }

    /// Adds what somebody brings along for a list of `algorithm`: the pictures in a folder, or the hashes in a file. Gives how
    /// many hashes these are.
    pub fn add(&mut self, path: &Path, algorithm: Algorithm) -> Result<usize, CanariesError> {
        if path.is_dir() { self.add_folder(path) } else { self.add_file(path, algorithm) }
    }

    /// Adds the hashes in a file, in any form that can be imported.
    fn add_file(&mut self, path: &Path, algorithm: Algorithm) -> Result<usize, CanariesError> {
        let file = BufReader::new(File::open(path).map_err(CanariesError::Open)?);
        let options = ImportOptions { irregular: Irregular::Allow, ..ImportOptions::new(algorithm) };
        let (imported, _) = import(file, &options)?;
        if imported.entries.is_empty() {
            return Err(CanariesError::Nothing { path: path.display().to_string() });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let canary = |hash: &[u8]| Canary { name: format!("{name}, {}", to_hex(hash)), algorithm, hash: hash.to_vec() };
        self.canaries.extend(imported.entries.iter().map(canary));
        Ok(imported.entries.len())
    }

    /// Adds every picture in a folder, by its PDQ hash and by its digests.
    pub fn add_folder(&mut self, folder: &Path) -> Result<usize, CanariesError> {
        let report = hash_images(folder, &ImagesOptions::default(), &|_| ())?;
        if let Some(first) = report.failed.first() {
            let (file, reason) = (first.file.clone(), first.reason.clone());
            return Err(CanariesError::Unhashed { file, reason, others: report.failed.len() - 1 });
        }
        let before = self.canaries.len();
        for image in report.images {
            let bytes = files::read_limited(&folder.join(&image.file), MAX_FILE)?.unwrap_or_default();
            let pdq = from_hex(&image.pdq).map(|hash| (Algorithm::PdqFull, hash));
            let digests =
                Algorithm::ALL.into_iter().filter_map(|algorithm| Some((algorithm, digest(algorithm, &bytes)?)));
            for (algorithm, hash) in pdq.into_iter().chain(digests) {
                self.canaries.push(Canary { name: image.file.clone(), algorithm, hash });
            }
        }
        if self.canaries.len() == before {
            return Err(CanariesError::Nothing { path: folder.display().to_string() });
        }
        Ok(self.canaries.len() - before)
    }

    /// The names and hashes of those that a list of `algorithm` could match. A picture guards lists of videos, too: it may be one
    /// of their frames.
    pub fn of(&self, algorithm: Algorithm) -> impl Iterator<Item = (&str, &[u8])> {
        self.canaries.iter().filter_map(move |canary| {
            let hash = match (canary.algorithm, algorithm) {
                (Algorithm::PdqFull, Algorithm::VpdqV1) => canary.hash.as_slice(),
                (own, algorithm) if own == algorithm => algorithm.hash_of(&canary.hash),
                _ => return None,
            };
            Some((canary.name.as_str(), hash))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::encoding::to_hex;
    use std::collections::BTreeSet;

    #[test]
    fn the_built_in_ones_are_the_photographs_and_the_empty_file() {
        let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../photos");
        let mut expected = Canaries::none();
        expected.add_folder(&photos).unwrap();
        let set = |canaries: &Canaries| -> BTreeSet<(String, &'static str, String)> {
            let all = canaries.canaries.iter();
            all.map(|canary| (canary.name.clone(), canary.algorithm.identifier(), to_hex(&canary.hash))).collect()
        };
        let (built_in, photographs) = (Canaries::built_in(), set(&expected));
        let difference: Vec<_> = set(&built_in).symmetric_difference(&photographs).cloned().collect();
        assert_eq!(difference.len(), 3, "{difference:?}");
        for (name, algorithm, hash) in difference {
            assert_eq!(name, "the empty file");
            let algorithm: Algorithm = algorithm.parse().unwrap();
            assert_eq!(Some(hash), digest(algorithm, b"").map(|digest| to_hex(&digest)));
        }
    }

    #[test]
    fn a_folder_without_pictures_guards_nothing_and_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("notes.txt"), "no picture").unwrap();
        assert!(matches!(Canaries::none().add_folder(dir.path()), Err(CanariesError::Nothing { .. })));
        let none = Canaries::none().add(&dir.path().join("notes.txt"), Algorithm::PdqFull);
        assert!(matches!(none, Err(CanariesError::Hashes(ImportError::Unrecognised { .. }))));
        let none = Canaries::none().add(&dir.path().join("missing"), Algorithm::PdqFull);
        assert!(matches!(none, Err(CanariesError::Open(_))));
    }
}
