//! A folder of files that must not match, and how near each comes to the list. They are looked up as clients do by default: a picture as
//! its pixels are stored and as its metadata says it is shown, of an animation every picture.

use super::AssessError;
use super::interval::Share;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_matcher::image::{Limits, Picture, decode};
use isonomy_matcher::lookup::{Index, LookupError};
use isonomy_matcher::{Fingerprint, Orientations, Subject, digest};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The most files that are looked at.
const MAX_FILES: usize = 1_000_000;
/// How many names of matches are in the report.
const NAMED: usize = 20;

/// What is in the folder.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct CorpusReport {
    /// Files, in the folder and those in it.
    pub files: u64,
    /// Links, which are not followed and count as none of these.
    pub links: u64,
    /// Those that were looked up.
    pub looked_up: u64,
    /// Those that are looked up as one before them is: they tell nothing new, and count nowhere.
    pub copies: u64,
    /// Those of too little quality to be looked up.
    pub below_quality: u64,
    /// Those that are no picture that can be decoded.
    pub not_decoded: u64,
    /// SHA-256 over the ascending SHA-256s of all files, in hexadecimal: whoever has the same files gets the same.
    pub digest: String,
}

/// Pictures that match though they should not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FalsePositives {
    /// At the charter's distance.
    pub at_charter: Share,
    /// What the distance was.
    pub max_distance: u64,
    /// At each distance that the algorithm allows.
    pub curve: Vec<AtDistance>,
    /// Paths in the folder of some that match, in order.
    pub named: Vec<String>,
}

/// How many match at a distance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AtDistance {
    /// The distance in bits.
    pub distance: u64,
    /// How many match.
    pub share: Share,
}

/// A file of the folder, hashed.
#[derive(Debug)]
pub(crate) struct Hashed {
    /// As the report names it.
    path: String,
    file: PathBuf,
    /// All hashes under which it is looked up.
    hashes: Vec<Vec<u8>>,
    /// The picture, for perceptual algorithms, if it is to be edited.
    pub(super) picture: Option<Picture>,
}

/// A folder, hashed.
#[derive(Debug)]
pub(crate) struct Corpus {
    pub(crate) report: CorpusReport,
    pub(super) hashed: Vec<Hashed>,
}

impl Corpus {
    /// Hashes every file by this algorithm. Of the pictures, so many are kept to be edited, evenly spread.
    pub(crate) fn read(
        folder: &Path,
        algorithm: Algorithm,
        min_quality: u64,
        kept: usize,
    ) -> Result<Self, AssessError> {
        let (files, links) = files(folder)?;
        if files.is_empty() {
            return Err(AssessError::NoFiles { path: folder.to_owned(), links });
        }
        let report = CorpusReport { files: files.len() as u64, links, ..CorpusReport::default() };
        let mut corpus = Self { report, hashed: Vec::new() };
        let (mut digests, mut known) = (Vec::new(), BTreeSet::new());
        for path in &files {
            let bytes = read(path)?;
            digests.push(sha256(&[&bytes]));
            let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
            let Some(hashes) = corpus.hashes(&bytes, algorithm, min_quality) else { continue };
            if !known.insert(hashes.clone()) {
                corpus.report.copies += 1;
                continue;
            }
            corpus.report.looked_up += 1;
            corpus.hashed.push(Hashed { path: name, file: path.clone(), hashes, picture: None });
        }
        digests.sort_unstable();
        corpus.report.digest = to_hex(&sha256(&[&digests.concat()]));
        if corpus.hashed.is_empty() {
            let CorpusReport { files, below_quality, .. } = corpus.report;
            return Err(AssessError::NothingToLookUp { path: folder.to_owned(), files, below_quality });
        }
        if algorithm.is_perceptual() {
            let step = corpus.hashed.len().div_ceil(kept.max(1));
            for one in corpus.hashed.iter_mut().step_by(step).take(kept) {
                one.picture = decode(&read(&one.file)?, &Limits::default()).ok();
            }
        }
        Ok(corpus)
    }

    /// Under which hashes a file is looked up, in order; if under none, that is counted.
    fn hashes(&mut self, bytes: &[u8], algorithm: Algorithm, min_quality: u64) -> Option<Vec<Vec<u8>>> {
        if let Some(hash) = digest::digest(algorithm, bytes) {
            return Some(vec![hash]);
        }
        // Where videos are listed, a picture counts as a frame.
        let subject = Subject::of_file(&[Algorithm::PdqFull], bytes, &Limits::default(), Orientations::default());
        let is_good = |found: &&Fingerprint| found.quality.is_none_or(|quality| u64::from(quality) >= min_quality);
        let fingerprints = subject.views().iter().map(|view| &view.fingerprint);
        let hashes: BTreeSet<Vec<u8>> = fingerprints.filter(is_good).map(|found| found.hash.clone()).collect();
        match (subject.views().is_empty(), hashes.is_empty()) {
            (true, _) => self.report.not_decoded += 1,
            (false, true) => self.report.below_quality += 1,
            (false, false) => return Some(hashes.into_iter().collect()),
        }
        None
    }

    /// How many match this list, at the charter's distance and at each other.
    pub(crate) fn against(
        &self,
        entries: &Entries,
        algorithm: Algorithm,
        max_distance: u64,
    ) -> Result<FalsePositives, LookupError> {
        let index = Index::new(algorithm, entries)?;
        let farthest = algorithm.max_distance();
        let nearest = |file: &Hashed| {
            let found = file.hashes.iter().map(|hash| index.within(hash, farthest)).collect::<Result<Vec<_>, _>>()?;
            Ok(found.iter().flatten().map(|found| u64::from(found.distance)).min())
        };
        let nearest: Vec<Option<u64>> = self.hashed.iter().map(nearest).collect::<Result<_, LookupError>>()?;
        let of = nearest.len() as u64;
        let within =
            |distance: u64| nearest.iter().filter(|near| near.is_some_and(|near| near <= distance)).count() as u64;
        let at = |distance: u64| AtDistance { distance, share: Share::new(within(distance), of) };
        let matched =
            self.hashed.iter().zip(&nearest).filter(|(_, near)| near.is_some_and(|near| near <= max_distance));
        Ok(FalsePositives {
            at_charter: Share::new(within(max_distance), of),
            max_distance,
            curve: (0..=u64::from(farthest)).map(at).collect(),
            named: matched.map(|(file, _)| file.path.clone()).take(NAMED).collect(),
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, AssessError> {
    fs::read(path).map_err(|error| AssessError::Corpus { path: path.to_owned(), error })
}

/// Every file in the folder and those in it, by path, and how many links there are beside them.
fn files(folder: &Path) -> Result<(Vec<PathBuf>, u64), AssessError> {
    let (mut folders, mut files, mut links) = (vec![folder.to_owned()], Vec::new(), 0);
    while let Some(path) = folders.pop() {
        let failed = |error| AssessError::Corpus { path: path.clone(), error };
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            } else if kind.is_symlink() {
                links += 1;
            }
        }
        if files.len() > MAX_FILES {
            return Err(AssessError::TooManyFiles { most: MAX_FILES });
        }
    }
    files.sort();
    Ok((files, links))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_what_comparing_every_entry_gives() {
        let hash = |seed: u8| sha256(&[&[seed]]);
        let entries = Entries::from_unsorted(32, (0..50).flat_map(hash).collect()).unwrap().0;
        // Each as far from an entry as its number says.
        let query = |far: usize| {
            let mut query = hash(u8::try_from(far).unwrap() % 50);
            (0..far).for_each(|bit| query[bit / 8] ^= 1 << (bit % 8));
            query.to_vec()
        };
        let hashed: Vec<Hashed> = (0..40)
            .map(|far| Hashed { path: far.to_string(), file: PathBuf::new(), hashes: vec![query(far)], picture: None })
            .collect();
        let report = CorpusReport { files: 40, looked_up: 40, ..CorpusReport::default() };
        let corpus = Corpus { report, hashed };
        let found = corpus.against(&entries, Algorithm::PdqFull, 24).unwrap();
        for at in &found.curve {
            let is_near = |hashed: &&Hashed| {
                let apart = |entry: &[u8]| {
                    entry
                        .iter()
                        .zip(&hashed.hashes[0])
                        .map(|(one, other)| u64::from((one ^ other).count_ones()))
                        .sum::<u64>()
                };
                entries.iter().any(|entry| apart(entry) <= at.distance)
            };
            assert_eq!(at.share.count, corpus.hashed.iter().filter(is_near).count() as u64, "{}", at.distance);
        }
        assert_eq!((found.at_charter.count, found.curve.len(), found.named.len()), (25, 32, NAMED));
        let nothing = corpus.against(&Entries::empty(32).unwrap(), Algorithm::PdqFull, 24).unwrap();
        assert_eq!(nothing.at_charter.count, 0);
    }

    /// Whoever wants a narrow interval would fill the folder with copies.
    #[test]
    fn a_copy_counts_once_and_a_link_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [("a", "1"), ("b", "2"), ("c", "1"), ("d", "1")] {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("a", folder.path().join("e")).unwrap();
        let corpus = Corpus::read(folder.path(), Algorithm::Sha256, 0, 0).unwrap();
        let report = &corpus.report;
        assert_eq!((report.files, report.looked_up, report.copies, report.links), (4, 2, 2, u64::from(cfg!(unix))));
        let listed = Entries::from_unsorted(32, sha256(&[b"1"]).to_vec()).unwrap().0;
        let found = corpus.against(&listed, Algorithm::Sha256, 0).unwrap();
        assert_eq!((found.at_charter.count, found.at_charter.of, found.named), (1, 2, vec!["a".to_owned()]));
    }

    /// Of what is looked up, not of what lies in the folder beside that: whoever names the files chooses nothing.
    #[test]
    fn pictures_are_edited_whatever_lies_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let photos = format!("{}/../photos", env!("CARGO_MANIFEST_DIR"));
        for (number, name) in ["rocket.jpg", "coffee.png", "camera.png"].into_iter().enumerate() {
            fs::write(folder.path().join(format!("{number}.json")), "{}").unwrap();
            fs::copy(format!("{photos}/{name}"), folder.path().join(format!("{number}.png"))).unwrap();
        }
        for kept in [1, 2, 3, 40] {
            let corpus = Corpus::read(folder.path(), Algorithm::PdqFull, 0, kept).unwrap();
            let pictures = corpus.hashed.iter().filter(|one| one.picture.is_some()).count();
            assert_eq!((corpus.report.looked_up, pictures), (3, kept.min(3)), "{kept}");
        }
    }

    /// As clients do by default; else the report would call a list better than it is.
    #[test]
    fn a_picture_is_looked_up_as_it_is_shown_too() {
        let file = fs::read(format!("{}/../photos/rocket.jpg", env!("CARGO_MANIFEST_DIR"))).unwrap();
        // Exif: one entry, the orientation (0x0112), which is 8: a quarter turn.
        let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x08\0\0\0\0\0\0\0";
        let exif = [b"Exif\0\0", &tiff[..]].concat();
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let turned = [&file[..2], b"\xff\xe1", &length, &exif, &file[2..]].concat();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("turned.jpg"), &turned).unwrap();
        let corpus = Corpus::read(folder.path(), Algorithm::PdqFull, 50, 1).unwrap();
        let subject = Subject::of_file(&[Algorithm::PdqFull], &turned, &Limits::default(), Orientations::Shown);
        assert_eq!(subject.views().len(), 2);
        for view in subject.views() {
            let listed = Entries::from_unsorted(32, view.fingerprint.hash.clone()).unwrap().0;
            let found = corpus.against(&listed, Algorithm::PdqFull, 0).unwrap().at_charter;
            assert_eq!((found.count, found.of), (1, 1), "{:?}", view.orientation);
        }
    }

    #[test]
    fn the_digest_depends_on_the_files_alone() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(one.path().join("a"), b"1").unwrap();
        fs::write(one.path().join("b"), b"2").unwrap();
        fs::create_dir(other.path().join("deep")).unwrap();
        fs::write(other.path().join("deep/x"), b"2").unwrap();
        fs::write(other.path().join("y"), b"1").unwrap();
        let read = |folder: &Path| Corpus::read(folder, Algorithm::Sha256, 0, 0).unwrap().report;
        assert_eq!(read(one.path()), read(other.path()));
        fs::write(one.path().join("b"), b"3").unwrap();
        assert_ne!(read(one.path()).digest, read(other.path()).digest);
    }
}
