//! What is looked up: the fingerprints of a picture or file.

use crate::answer::NotCovered;
use crate::digest;
use crate::image::{self, DecodeError, Limits, OnlyBeginning};
use crate::pdq::{self, Orientation};
use crate::video::{self, Unseen, Video, VideoError};
use isonomy_core::charter::Matching;
use isonomy_core::list::Algorithm;
use std::collections::BTreeSet;

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
    /// That, and as its metadata (Exif, XMP) says it is shown, if that is another one. Of several pictures in a file, each as its own
    /// metadata says and as those of the first do. If they can't be read, all eight. Lists hold what other software made of files,
    /// with or without regard to their metadata.
    #[default]
    Shown,
    /// All eight: quarter turns, mirrored or not. It finds more, and eight times as much by chance.
    All,
}

impl Orientations {
    /// Whether a picture is looked up in this one, that is shown in one of these; `None` may be any.
    fn want(self, orientation: Orientation, shown: [Option<Orientation>; 2]) -> bool {
        match self {
            Self::All => true,
            Self::Stored => orientation == Orientation::Original,
            Self::Shown => {
                let is_shown = |turn: Option<Orientation>| turn.is_none_or(|turn| turn == orientation);
                orientation == Orientation::Original || shown.into_iter().any(is_shown)
            }
        }
    }
}

/// A hash of a subject, and what of it that is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// Which of the pictures that were taken from the file, from 0: a frame of an animation or video, or a page.
    pub frame: usize,
    /// In which orientation.
    pub orientation: Orientation,
    /// The hash.
    pub fingerprint: Fingerprint,
}

impl View {
    fn whole(fingerprint: Fingerprint) -> Self {
        Self { frame: 0, orientation: Orientation::Original, fingerprint }
    }
}

/// A file or a hash, made ready for any number of lists.
#[derive(Clone, Debug)]
pub struct Subject {
    views: Vec<View>,
    source: Source,
    as_picture: Tried<DecodeError>,
    only_beginning: Option<OnlyBeginning>,
    as_video: Tried<VideoError>,
    /// Those of a second look at a video.
    second_look: Vec<View>,
    unseen: Option<Unseen>,
    unlisted: Option<Unseen>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    File,
    Hash,
}

/// What came of decoding a file.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Tried<E> {
    /// No list wanted it.
    No,
    Done,
    Failed(E),
}

impl<E> Tried<E> {
    fn error(&self) -> Option<&E> {
        match self {
            Self::Failed(why) => Some(why),
            Self::No | Self::Done => None,
        }
    }
}

impl Subject {
    /// A file, for lists of these algorithms. If one is perceptual, its pictures are decoded once ([`image::each_frame`]); if that
    /// fails, lists of this algorithm say so, and the others answer all the same. Lists of videos say that it can't be decoded, unless
    /// [`Subject::with_video`] follows. Lists of other algorithms say that it was not hashed for them.
    pub fn of_file(algorithms: &[Algorithm], file: &[u8], limits: &Limits, orientations: Orientations) -> Self {
        Self::of_file_unless(algorithms, file, limits, orientations, &|| false)
    }

    /// The same, given up if `is_over` says, before any picture but the first, that it is of no use any more.
    pub fn of_file_unless(
        algorithms: &[Algorithm],
        file: &[u8],
        limits: &Limits,
        orientations: Orientations,
        is_over: &dyn Fn() -> bool,
    ) -> Self {
        let mut subject = Self::of_digests(Vec::new());
        for (place, &algorithm) in algorithms.iter().enumerate() {
            if algorithms[..place].contains(&algorithm) {
                continue;
            }
            match algorithm {
                Algorithm::PdqFull => match subject.hash_picture(file, limits, orientations, is_over) {
                    Ok(only_beginning) => {
                        (subject.as_picture, subject.only_beginning) = (Tried::Done, only_beginning);
                    }
                    Err(why) => subject.as_picture = Tried::Failed(why),
                },
                Algorithm::VpdqV1 if video::is_video(file) => subject.as_video = Tried::Failed(VideoError::NoDecoder),
                Algorithm::VpdqV1 => subject.as_video = Tried::Failed(VideoError::UnknownFormat),
                Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5 => {}
            }
            if let Some(hash) = digest::digest(algorithm, file) {
                subject.views.push(View::whole(Fingerprint { algorithm, hash, quality: None }));
            }
        }
        subject
    }

    /// A file of which nothing but digests is known yet: of no use to lists that match what is alike.
    pub fn of_digests(digests: Vec<Fingerprint>) -> Self {
        Self::of(Source::File, digests)
    }

    /// The same, with what came of decoding it as a video.
    pub fn with_video(mut self, video: Result<Video, VideoError>) -> Self {
        match video {
            Ok(video) => {
                let view = |(frame, pdq)| View { frame, ..View::whole(Fingerprint::of_pdq(Algorithm::VpdqV1, pdq)) };
                self.views.extend(video.frames().iter().enumerate().map(view));
                self.second_look = video.frames_by_time().iter().enumerate().map(view).collect();
                (self.unseen, self.unlisted) = (video.unseen().cloned(), video.unlisted().cloned());
                self.as_video = Tried::Done;
            }
            Err(why) => self.as_video = Tried::Failed(why),
        }
        self
    }

    /// A file that is not decoded as a picture, such as one beyond a limit: of use to lists that match what is identical.
    pub fn undecoded(digests: Vec<Fingerprint>, why: DecodeError) -> Self {
        Self { as_picture: Tried::Failed(why), ..Self::of_digests(digests) }
    }

    /// A hash alone.
    pub fn of_hash(fingerprint: Fingerprint) -> Self {
        Self::of_hashes(vec![fingerprint])
    }

    /// A hash alone, of which is not known by which of these algorithms it is.
    pub fn of_hashes(hashes: Vec<Fingerprint>) -> Self {
        Self::of(Source::Hash, hashes)
    }

    fn of(source: Source, hashes: Vec<Fingerprint>) -> Self {
        let views = hashes.into_iter().map(View::whole).collect();
        Self {
            views,
            source,
            as_picture: Tried::No,
            only_beginning: None,
            as_video: Tried::No,
            second_look: Vec::new(),
            unseen: None,
            unlisted: None,
        }
    }

    fn hash_picture(
        &mut self,
        file: &[u8],
        limits: &Limits,
        orientations: Orientations,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Option<OnlyBeginning>, DecodeError> {
        let (mut frame, mut known, mut first) = (0, BTreeSet::new(), None);
        image::each_frame_unless(file, limits, is_over, |picture, shown| {
            let turns = [shown, *first.get_or_insert(shown)];
            let hashes = Orientation::ALL.into_iter().zip(pdq::hash_orientations(picture));
            for (orientation, hash) in hashes.filter(|(orientation, _)| orientations.want(*orientation, turns)) {
                // An animation shows many a picture again.
                if known.insert((hash.hash, hash.quality)) {
                    let fingerprint = Fingerprint::of_pdq(Algorithm::PdqFull, &hash);
                    self.views.push(View { frame, orientation, fingerprint });
                }
            }
            frame += 1;
        })
    }

    /// Its hashes, each with what it is of. Of a video, those of the frames that count by the rule.
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// Those of a second look at a video whose frames come unevenly ([`crate::video`]).
    pub fn second_look(&self) -> &[View] {
        &self.second_look
    }

    /// Of its hashes by the algorithm of a list the one that is nearest to an entry of it, and how many bits apart they are. Hashes of
    /// less quality than its charter asks for are no match of any, so they count only if there are no others.
    pub fn nearest(&self, rule: &Matching, entry: &[u8]) -> Option<(&View, u32)> {
        let Matching { algorithm, min_quality, .. } = *rule;
        let is_poor = |view: &View| view.fingerprint.quality.is_some_and(|quality| u64::from(quality) < min_quality);
        let entry = algorithm.hash_of(entry);
        let apart = |hash: &[u8]| entry.iter().zip(hash).map(|(one, other)| (one ^ other).count_ones()).sum::<u32>();
        let of_algorithm =
            self.views.iter().chain(&self.second_look).filter(|view| view.fingerprint.algorithm == algorithm);
        of_algorithm
            .map(|view| (view, apart(&view.fingerprint.hash)))
            .min_by_key(|(view, apart)| (is_poor(view), *apart))
    }

    /// Why it has no hash as a picture, if that was tried.
    pub fn not_a_picture(&self) -> Option<&DecodeError> {
        self.as_picture.error()
    }

    /// How far its pictures were looked at, if not to the last.
    pub fn only_beginning(&self) -> Option<&OnlyBeginning> {
        self.only_beginning.as_ref()
    }

    /// Why it has no hashes as a video, if that was tried.
    pub fn not_a_video(&self) -> Option<&VideoError> {
        self.as_video.error()
    }

    /// What of it as a video was not looked at.
    pub fn unseen(&self) -> Option<&Unseen> {
        self.unseen.as_ref()
    }

    /// What of it as a video [`Subject::views`] alone don't show.
    pub fn unlisted(&self) -> Option<&Unseen> {
        self.unlisted.as_ref()
    }

    /// Why a list of this algorithm can't answer, where a match would have been one in what was looked at, and there was none.
    pub(crate) fn not_looked_at(&self, list: Algorithm) -> Option<NotCovered> {
        match list {
            Algorithm::PdqFull => self.only_beginning.clone().map(NotCovered::OnlyBeginning),
            Algorithm::VpdqV1 => self.unseen.clone().map(NotCovered::PartOfVideo),
            Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5 => None,
        }
    }

    /// Why it has no hash by the algorithm of a list.
    pub(crate) fn has_no_hash(&self, list: Algorithm) -> NotCovered {
        match (list, &self.as_picture, &self.as_video) {
            (Algorithm::PdqFull, Tried::Failed(why), _) => NotCovered::NotAPicture(why.clone()),
            (Algorithm::VpdqV1, _, Tried::Failed(why)) => NotCovered::NotAVideo(why.clone()),
            (Algorithm::VpdqV1, _, Tried::Done) => NotCovered::NotAVideo(VideoError::NoVideo),
            _ => match (self.source, self.views.first()) {
                (Source::Hash, Some(View { fingerprint, .. })) => {
                    NotCovered::OtherAlgorithm { list, found: fingerprint.algorithm }
                }
                _ => NotCovered::NotHashed { list },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_can_not_be_read_may_be_any() {
        let wanted = |orientations: Orientations, shown| {
            Orientation::ALL.into_iter().filter(|turn| orientations.want(*turn, shown)).count()
        };
        let turned = Some(Orientation::Rotate90);
        for (shown, count) in [([None, turned], 8), ([turned, None], 8), ([turned, turned], 2)] {
            assert_eq!(wanted(Orientations::Shown, shown), count);
            assert_eq!((wanted(Orientations::Stored, shown), wanted(Orientations::All, shown)), (1, 8));
        }
    }
}
