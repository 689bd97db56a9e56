//! What is looked up: the fingerprints of a picture or file.

use crate::digest;
use crate::image::{self, DecodeError, Limits, OnlyBeginning};
use crate::pdq::{self, Orientation};
use crate::video::{self, Video, VideoError};
use isonomy_core::list::Algorithm;

/// What is looked up: the hash of a picture or file under a list's algorithm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprint {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The hash; for `vpdq/v1` that of one frame.
    pub hash: Vec<u8>,
    /// For a perceptual hash of a picture: how much detail it rests on, 0 to 100; `None` if only the hash is known.
    pub quality: Option<u8>,
}

impl Fingerprint {
    /// The fingerprint of a file: of its pixels, as they are stored, for a perceptual algorithm, of its bytes for an exact
    /// one. A picture counts as a frame where videos are listed.
    pub fn of_file(algorithm: Algorithm, file: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        match digest::digest(algorithm, file) {
            Some(hash) => Ok(Self { algorithm, hash, quality: None }),
            None => Ok(Self::of_pdq(algorithm, &pdq::hash(&image::decode(file, limits)?))),
        }
    }

    fn of_pdq(algorithm: Algorithm, pdq: &pdq::PdqHash) -> Self {
        Self { algorithm, hash: pdq.hash.to_vec(), quality: Some(pdq.quality) }
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
    only_beginning: Option<OnlyBeginning>,
    not_a_video: Option<VideoError>,
}

impl Subject {
    /// A file, for lists of these algorithms. If one is perceptual, its picture is decoded once; if that fails, lists of
    /// this algorithm say so, and the others answer all the same. Of an animation, sampled frames count
    /// ([`image::each_frame`]). Lists of videos say that it can't be decoded, unless [`Subject::with_video`] follows.
    pub fn of_file(algorithms: &[Algorithm], file: &[u8], limits: &Limits, orientations: Orientations) -> Self {
        let mut subject = Self::of_digests(Vec::new());
        for (place, &algorithm) in algorithms.iter().enumerate() {
            if algorithms[..place].contains(&algorithm) {
                continue;
            }
            match algorithm {
                Algorithm::PdqFull => match subject.hash_picture(file, limits, orientations) {
                    Ok(only_beginning) => (subject.not_a_picture, subject.only_beginning) = (None, only_beginning),
                    Err(why) => subject.not_a_picture = Some(why),
                },
                Algorithm::VpdqV1 if video::is_video(file) => subject.not_a_video = Some(VideoError::NoDecoder),
                Algorithm::VpdqV1 | Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5 => {}
            }
            if let Some(hash) = digest::digest(algorithm, file) {
                subject.push(Orientation::Original, Fingerprint { algorithm, hash, quality: None });
            }
        }
        subject
    }

    /// A file of which nothing but digests is known yet: of no use to lists that match what is alike.
    pub fn of_digests(digests: Vec<Fingerprint>) -> Self {
        Self {
            fingerprints: digests.into_iter().map(|digest| (Orientation::Original, digest)).collect(),
            not_a_picture: Some(DecodeError::UnknownFormat),
            only_beginning: None,
            not_a_video: Some(VideoError::UnknownFormat),
        }
    }

    /// The same, with what came of decoding it as a video.
    pub fn with_video(mut self, video: Result<Video, VideoError>) -> Self {
        match video {
            Ok(video) => {
                let frames = video.frames().iter().map(|frame| Fingerprint::of_pdq(Algorithm::VpdqV1, frame));
                self.fingerprints.extend(frames.map(|frame| (Orientation::Original, frame)));
                self.not_a_video = None;
            }
            Err(why) => self.not_a_video = Some(why),
        }
        self
    }

    /// A file that is not decoded, such as one beyond a limit: of use to lists that match what is identical.
    pub fn undecoded(digests: Vec<Fingerprint>, why: DecodeError) -> Self {
        Self { not_a_picture: Some(why), ..Self::of_digests(digests) }
    }

    /// A hash alone.
    pub fn of_hash(fingerprint: Fingerprint) -> Self {
        Self::of_hashes(vec![fingerprint])
    }

    /// A hash alone, of which is not known by which of these algorithms it is.
    pub fn of_hashes(hashes: Vec<Fingerprint>) -> Self {
        let fingerprints = hashes.into_iter().map(|hash| (Orientation::Original, hash)).collect();
        Self { fingerprints, not_a_picture: None, only_beginning: None, not_a_video: None }
    }

    fn push(&mut self, orientation: Orientation, fingerprint: Fingerprint) {
        self.fingerprints.push((orientation, fingerprint));
    }

    fn hash_picture(
        &mut self,
        file: &[u8],
        limits: &Limits,
        orientations: Orientations,
    ) -> Result<Option<OnlyBeginning>, DecodeError> {
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
                self.push(orientation, Fingerprint::of_pdq(Algorithm::PdqFull, &hash));
            }
        })
    }

    /// Its hashes, each with the orientation that it is of.
    pub fn fingerprints(&self) -> &[(Orientation, Fingerprint)] {
        &self.fingerprints
    }

    /// Why it has no hash as a picture, if it has none and is a file.
    pub fn not_a_picture(&self) -> Option<&DecodeError> {
        self.not_a_picture.as_ref()
    }

    /// How far an animation was looked at, if not to its end.
    pub fn only_beginning(&self) -> Option<&OnlyBeginning> {
        self.only_beginning.as_ref()
    }

    /// Why it has no hashes as a video, if it has none and is a file.
    pub fn not_a_video(&self) -> Option<&VideoError> {
        self.not_a_video.as_ref()
    }
}
