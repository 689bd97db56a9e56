//! Harmless pictures and files, by their hashes.

use crate::folder::{Visited, each_file};
use crate::images::{FailedImage, ImagesError, read_file};
use crate::import::{ImportError, ImportOptions, Irregular, import};
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_core::list::Algorithm;
use isonomy_core::time::Timestamp;
use isonomy_matcher::digest::digest;
use isonomy_matcher::image::{DecodeError, Limits};
use isonomy_matcher::pdq::Orientation;
use isonomy_matcher::subject::{Orientations, Subject, View};
use std::fs::File;
use std::io::{self, BufReader};
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;

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
    /// The hashes in a file can't be read.
    #[error(transparent)]
    Hashes(#[from] ImportError),
    /// A file can't be opened.
    #[error("it can't be opened: {0}")]
    Open(io::Error),
    /// A picture in it has no hash, or not all pictures of a file have one, so they would not be guarded.
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

impl Canary {
    /// A file, as a list of `algorithm` would match it; nothing if it is no picture and it would have to be one.
    fn of_file(path: &Path, name: &str, algorithm: Algorithm) -> Result<Vec<Self>, String> {
        if !algorithm.is_perceptual() {
            let hash = digest(algorithm, &read_file(path, MAX_FILE)?);
            return Ok(hash.map(|hash| Self { name: name.to_owned(), algorithm, hash }).into_iter().collect());
        }
        let limits = Limits::default();
        let bytes = read_file(path, limits.file_bytes)?;
        let subject = Subject::of_file(&[Algorithm::PdqFull], &bytes, &limits, Orientations::Shown);
        match (subject.not_a_picture(), subject.only_beginning()) {
            (Some(DecodeError::UnknownFormat), _) => Ok(Vec::new()),
            (Some(error), _) => Err(error.to_string()),
            (None, Some(beginning)) => Err(beginning.to_string()),
            (None, None) => Ok(subject.views().iter().map(|view| Self::of_view(name, view)).collect()),
        }
    }

    fn of_view(file: &str, view: &View) -> Self {
        let picture = if view.frame > 0 { format!(", picture {}", view.frame + 1) } else { String::new() };
        let turned = if view.orientation == Orientation::Original { "" } else { ", turned" };
        let hash = view.fingerprint.hash.clone();
        Self { name: format!("{file}{picture}{turned}"), algorithm: Algorithm::PdqFull, hash }
    }
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
        // What the file says of when a hash goes is of no account.
        let now = Timestamp(u64::MAX);
        let options = ImportOptions { irregular: Irregular::Allow, now, ..ImportOptions::new(algorithm) };
        let (imported, _) = import(file, &options)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let canary = |hash: &[u8]| Canary { name: format!("{name}, {}", to_hex(hash)), algorithm, hash: hash.to_vec() };
        // Whatever the file says of it, a hash in it is one that the list may not match.
        self.canaries.extend(imported.entries.iter().chain(&imported.withdrawn).map(canary));
        Ok(imported.entries.len() + imported.withdrawn.len())
    }

    /// Adds what is in a folder: every picture of each file by the hashes by which an app looks it up, or every file by its digest.
    fn add_folder(&mut self, folder: &Path, algorithm: Algorithm) -> Result<usize, CanariesError> {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let look = |path: &Path, name: String| match Canary::of_file(path, &name, algorithm) {
            Ok(canaries) => Ok((name, canaries)),
            Err(reason) => Err(FailedImage { file: name, reason }),
        };
        let Visited { files, failed, left_out } = each_file(folder, threads, &|_| (), look)?;
        let (files, unread): (Vec<_>, Vec<_>) = files.into_iter().partition(Result::is_ok);
        let unread: Vec<_> =
            failed.into_iter().chain(unread.into_iter().filter_map(Result::err)).chain(left_out).collect();
        if let Some(FailedImage { file, reason }) = unread.first().cloned() {
            return Err(CanariesError::Unhashed { file, reason, others: unread.len() - 1 });
        }
        let before = self.canaries.len();
        for (name, canaries) in files.into_iter().flatten() {
            match canaries.is_empty() {
                true => self.unguarded.push(name),
                false => self.canaries.extend(canaries),
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

    /// An animation of noise, a picture for each seed.
    fn gif(seeds: &[u32]) -> Vec<u8> {
        const SIDE: u16 = 64;
        let mut file = Vec::new();
        let mut encoder = gif::Encoder::new(&mut file, SIDE, SIDE, &[0, 0, 0, 255, 255, 255]).unwrap();
        for seed in seeds {
            let mut state = *seed;
            let mut noise = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 31) as u8
            };
            let pixels: Vec<u8> = (0..usize::from(SIDE) * usize::from(SIDE)).map(|_| noise()).collect();
            encoder.write_frame(&gif::Frame::from_indexed_pixels(SIDE, SIDE, pixels, None)).unwrap();
        }
        drop(encoder);
        file
    }

    fn hashes(canaries: &Canaries, algorithm: Algorithm) -> Vec<(String, String)> {
        canaries.of(algorithm).map(|(name, hash)| (name.to_owned(), to_hex(hash))).collect()
    }

    #[test]
    fn every_picture_of_a_file_is_guarded_as_an_app_looks_it_up() {
        let with = |files: &[(&str, &[u8])], algorithm| {
            let dir = tempfile::tempdir().unwrap();
            files.iter().for_each(|(name, bytes)| std::fs::write(dir.path().join(name), bytes).unwrap());
            let mut canaries = Canaries::none();
            canaries.add(dir.path(), algorithm).map(|added| (added, canaries))
        };
        let one = |seed: u32| {
            let (_, canaries) = with(&[("one.gif", &gif(&[seed]))], Algorithm::PdqFull).unwrap();
            hashes(&canaries, Algorithm::PdqFull)[0].1.clone()
        };
        let names = ["a.gif", "a.gif, picture 2", "a.gif, picture 3"].map(str::to_owned);
        let expected: Vec<_> = names.into_iter().zip([1, 2, 3].map(one)).collect();
        let file = gif(&[1, 2, 3]);
        for algorithm in [Algorithm::PdqFull, Algorithm::VpdqV1] {
            let (added, canaries) = with(&[("a.gif", &file)], algorithm).unwrap();
            assert_eq!((added, hashes(&canaries, algorithm)), (3, expected.clone()));
        }
        assert_eq!(with(&[("a.gif", &file)], Algorithm::Sha256).unwrap().0, 1, "the file is one");
        // Of one that is damaged further on, the rest would not be guarded.
        let cut = with(&[("a.gif", &file[..file.len() - 200])], Algorithm::PdqFull).map(|(added, _)| added);
        let refused = cut.unwrap_err().to_string();
        assert!(refused.contains("a.gif would not be guarded: only the first"), "{refused}");
        // As it is stored, and as it is shown.
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/decode");
        let turned = std::fs::read(data.join("rotated_by_exif.jpg")).unwrap();
        let (added, canaries) = with(&[("t.jpg", &turned)], Algorithm::PdqFull).unwrap();
        let names: Vec<&str> = canaries.of(Algorithm::PdqFull).map(|(name, _)| name).collect();
        assert_eq!((added, names), (2, vec!["t.jpg", "t.jpg, turned"]));
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
