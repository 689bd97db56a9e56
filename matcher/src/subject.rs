//! What is looked up: the fingerprints of a picture or file.

use crate::digest;
use crate::image::{self, DecodeError, Limits};
use crate::pdq::{self, Orientation};
use isonomy_core::list::Algorithm;

/// What is looked up: the hash of a picture or file under a list's algorithm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprint {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The hash.
    pub hash: Vec<u8>,
    /// For a perceptual hash of a picture: how much detail it rests on, 0 to 100; `None` if only the hash is known.
    pub quality: Option<u8>,
}

impl Fingerprint {
    /// The fingerprint of a file: of its pixels, as they are stored, for a perceptual algorithm, of its bytes for an exact
    /// one.
    pub fn of_file(algorithm: Algorithm, file: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        match digest::digest(algorithm, file) {
            Some(hash) => Ok(Self { algorithm, hash, quality: None }),
            None => Ok(Self::of_pdq(&pdq::hash(&image::decode(file, limits)?))),
        }
    }

    fn of_pdq(pdq: &pdq::PdqHash) -> Self {
        Self { algorithm: Algorithm::PdqFull, hash: pdq.hash.to_vec(), quality: Some(pdq.quality) }
    }
}

/// In which orientations a picture is looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Orientations {
    /// As its pixels are stored.
    Stored,
    /// That, and as its metadata (Exif) says it is shown, if that is another one. Lists hold what other software made of
    /// files, with or without regard to their metadata.
    #[default]
    Shown,
    /// All eight: quarter turns, mirrored or not. It finds more, and eight times as much by chance.
    All,
}

/// A file or a hash, made ready for any number of lists.
#[derive(Clone, Debug)]
pub struct Subject {
    fingerprints: Vec<(Orientation, Fingerprint)>,
    not_a_picture: Option<DecodeError>,
}

impl Subject {
    /// A file, for lists of these algorithms. If one is perceptual, its picture is decoded once; if that fails, lists of
    /// this algorithm say so, and the others answer all the same. Of an animation, sampled frames count
    /// ([`image::each_frame`]).
    pub fn of_file(algorithms: &[Algorithm], file: &[u8], limits: &Limits, orientations: Orientations) -> Self {
        let mut subject = Self { fingerprints: Vec::new(), not_a_picture: None };
        for (place, &algorithm) in algorithms.iter().enumerate() {
            if algorithms[..place].contains(&algorithm) {
                continue;
            }
            match digest::digest(algorithm, file) {
                Some(hash) => subject.push(Orientation::Original, Fingerprint { algorithm, hash, quality: None }),
                None => subject.not_a_picture = subject.hash_picture(file, limits, orientations).err(),
            }
        }
        subject
    }

    /// A hash alone.
    pub fn of_hash(fingerprint: Fingerprint) -> Self {
        Self { fingerprints: vec![(Orientation::Original, fingerprint)], not_a_picture: None }
    }

    fn push(&mut self, orientation: Orientation, fingerprint: Fingerprint) {
        self.fingerprints.push((orientation, fingerprint));
    }

    fn hash_picture(&mut self, file: &[u8], limits: &Limits, orientations: Orientations) -> Result<(), DecodeError> {
        let shown = match orientations {
            Orientations::Shown => image::shown_orientation(file, limits).unwrap_or(Orientation::Original),
            Orientations::Stored | Orientations::All => Orientation::Original,
        };
        let is_wanted = |orientation| match orientations {
            Orientations::All => true,
            Orientations::Stored | Orientations::Shown => orientation == Orientation::Original || orientation == shown,
        };
        image::each_frame(file, limits, |frame| {
            let hashes = Orientation::ALL.into_iter().zip(pdq::hash_orientations(frame));
            for (orientation, hash) in hashes.filter(|(orientation, _)| is_wanted(*orientation)) {
                self.push(orientation, Fingerprint::of_pdq(&hash));
            }
        })
    }

    /// Its hashes, each with the orientation that it is of.
    pub fn fingerprints(&self) -> &[(Orientation, Fingerprint)] {
        &self.fingerprints
    }

    /// Why it has no perceptual hash, if it was asked for one.
    pub fn not_a_picture(&self) -> Option<&DecodeError> {
        self.not_a_picture.as_ref()
    }
}
