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
    unguarded: Vec<String>,
}

impl Canaries {
    /// None at all.
    pub fn none() -> Self {
        Self { canaries: Vec::new(), unguarded: Vec::new() }
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
        Self { canaries, unguarded: Vec::new() }
    }

    /// Adds what somebody brings along for a list of `algorithm`: the pictures and files in a folder, or the hashes in a file. Gives how
    /// many hashes these are.
    pub fn add(&mut self, path: &Path, algorithm: Algorithm) -> Result<usize, CanariesError> {
        let added = if path.is_dir() { self.add_folder(path, algorithm)? } else { self.add_file(path, algorithm)? };
        if added == 0 {
            return Err(CanariesError::Nothing { path: path.display().to_string() });
        }
        Ok(added)
    }

    /// Files that were brought along and guard nothing in such a list, since they are no pictures.
    pub fn unguarded(&self) -> &[String] {
        &self.unguarded
    }

    /// Adds the hashes in a file, in any form that can be imported. For lists of videos, those of pictures.
    fn add_file(&mut self, path: &Path, algorithm: Algorithm) -> Result<usize, CanariesError> {
        let algorithm = if algorithm == Algorithm::VpdqV1 { Algorithm::PdqFull } else { algorithm };
        let file = BufReader::new(File::open(path).map_err(CanariesError::Open)?);
        let options = ImportOptions { irregular: Irregular::Allow, ..ImportOptions::new(algorithm) };
        let (imported, _) = import(file, &options)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let canary = |hash: &[u8]| Canary { name: format!("{name}, {}", to_hex(hash)), algorithm, hash: hash.to_vec() };
        // Whatever the file says of it, a hash in it is one that the list may not match.
        self.canaries.extend(imported.entries.iter().chain(&imported.withdrawn).map(canary));
        Ok(imported.entries.len() + imported.withdrawn.len())
    }

    /// Adds what is in a folder: pictures by their hash, or every file by its digest.
    fn add_folder(&mut self, folder: &Path, algorithm: Algorithm) -> Result<usize, CanariesError> {
        let report = hash_images(folder, &ImagesOptions::default(), &|_| ())?;
        let is_file = |file: &str| folder.join(file).symlink_metadata().is_ok_and(|found| found.is_file());
        let (files, links): (Vec<_>, Vec<_>) = report.left_out.into_iter().partition(|other| is_file(&other.file));
        // What can't be read as a picture is still a file, as the list sees it.
        let (damaged, unread): (Vec<_>, Vec<_>) =
            report.failed.into_iter().partition(|other| !algorithm.is_perceptual() && is_file(&other.file));
        if let Some(first) = unread.iter().chain(&links).next() {
            let (file, reason) = (first.file.clone(), first.reason.clone());
            return Err(CanariesError::Unhashed { file, reason, others: unread.len() + links.len() - 1 });
        }
        let before = self.canaries.len();
        if algorithm.is_perceptual() {
            self.unguarded.extend(files.into_iter().map(|other| other.file));
            let hashes = report.images.into_iter().filter_map(|image| Some((image.file, from_hex(&image.pdq)?)));
            self.canaries.extend(hashes.map(|(name, hash)| Canary { name, algorithm: Algorithm::PdqFull, hash }));
        } else {
            let pictures = report.images.into_iter().map(|image| image.file);
            for name in pictures.chain(files.into_iter().chain(damaged).map(|other| other.file)) {
                let bytes = files::read_limited(&folder.join(&name), MAX_FILE)?.unwrap_or_default();
                self.canaries.extend(digest(algorithm, &bytes).map(|hash| Canary { name, algorithm, hash }));
            }
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
        for algorithm in [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256, Algorithm::PdqFull] {
            expected.add(&photos, algorithm).unwrap();
        }
        assert_eq!(expected.unguarded(), ["PROVENANCE.md", "reference.csv"]);
        expected.canaries.retain(|canary| !expected.unguarded.contains(&canary.name));
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
        assert!(matches!(Canaries::none().add(dir.path(), Algorithm::PdqFull), Err(CanariesError::Nothing { .. })));
        let none = Canaries::none().add(&dir.path().join("notes.txt"), Algorithm::PdqFull);
        assert!(matches!(none, Err(CanariesError::Hashes(ImportError::Unrecognised { .. }))));
        let none = Canaries::none().add(&dir.path().join("missing"), Algorithm::PdqFull);
        assert!(matches!(none, Err(CanariesError::Open(_))));
    }

    #[test]
    fn what_can_t_be_guarded_is_an_error_or_said() {
        let dir = tempfile::tempdir().unwrap();
        let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../photos/rocket.jpg");
        let add = |algorithm| {
            let mut canaries = Canaries::none();
            let added = canaries.add(dir.path(), algorithm);
            added.map(|added| (added, canaries.unguarded().to_vec()))
        };
        std::fs::copy(&photo, dir.path().join("a.jpg")).unwrap();
        std::fs::write(dir.path().join("notepad.exe"), b"MZ, and so on").unwrap();
        assert_eq!(add(Algorithm::PdqFull).unwrap(), (1, vec!["notepad.exe".to_owned()]));
        assert_eq!(add(Algorithm::Sha256).unwrap(), (2, Vec::new()), "any file has a digest");
        // A picture that is damaged has no hash, and still a digest.
        let cut = std::fs::read(&photo).unwrap();
        std::fs::write(dir.path().join("cut.jpg"), &cut[..cut.len() / 2]).unwrap();
        assert!(
            matches!(add(Algorithm::PdqFull), Err(CanariesError::Unhashed { file, others: 0, .. }) if file == "cut.jpg")
        );
        assert_eq!(add(Algorithm::Md5).unwrap().0, 3);
        std::fs::remove_file(dir.path().join("cut.jpg")).unwrap();
        // A file of hashes of pictures guards lists of videos, too.
        let mut canaries = Canaries::none();
        let hash = crate::testing::entries(1, 1);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), to_hex(hash.as_bytes())).unwrap();
        assert_eq!(canaries.add(file.path(), Algorithm::VpdqV1).unwrap(), 1);
        assert_eq!(canaries.of(Algorithm::VpdqV1).map(|(_, hash)| hash).collect::<Vec<_>>(), [hash.as_bytes()]);
        // A link is not followed, wherever it leads.
        #[cfg(unix)]
        for target in [photo.to_str().unwrap(), "nowhere"] {
            std::os::unix::fs::symlink(target, dir.path().join("link.jpg")).unwrap();
            for algorithm in [Algorithm::PdqFull, Algorithm::Sha256] {
                let refused = add(algorithm).unwrap_err().to_string();
                assert!(refused.contains("link.jpg would not be guarded: a link"), "{refused}");
            }
            std::fs::remove_file(dir.path().join("link.jpg")).unwrap();
        }
    }
}
