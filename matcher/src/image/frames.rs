//! Files of several pictures: animations (GIF, WebP and PNG), and those with pages.

use super::chunks::{PngAnimation, webp_frames};
use super::decoder::{self, Format, LEAST_PIXELS, Layout, memory_limit};
use super::tiff::Tiff;
use super::{DecodeError, Limits, Picture, decode, gif, jpeg, pages, recognise, shown_orientation, work};
use crate::pdq::Orientation;
use ::image::codecs::gif::GifDecoder;
use ::image::codecs::webp::WebPDecoder;
use ::image::{AnimationDecoder, ColorType, Frame, Frames, ImageDecoder, ImageError, ImageFormat};
use std::fmt;
use std::io::Cursor;

/// The most frames that are taken from an animation, and pictures from a file. What decoding and hashing them costs is bounded by their
/// pixels; this bounds what looking them up does.
pub const MAX_FRAMES: usize = 1000;

/// Of an animation that has more frames, the one that is shown longest in each of these times is taken, in milliseconds.
const INTERVAL: u64 = 1000;

/// And each that is shown for so long, in milliseconds.
const LASTING: u64 = 200;

/// How long a frame is shown that says it is not, as browsers do.
const USUAL_DELAY: u64 = 100;

/// Only the beginning of an animation, or the first pages of a file, were looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnlyBeginning {
    /// How many frames or pages that is. Of these, [`each_frame`] says which are taken.
    pub frames: usize,
    /// Why not more.
    pub why: Ended,
}

/// Why a file was not looked at to its end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Ended {
    /// More than [`MAX_FRAMES`] would have to be taken.
    #[error("{MAX_FRAMES} pictures are taken from a file, and it has more")]
    TooLong,
    /// All together have more pixels than the limits allow.
    #[error("with the next one it has more than the limit of {limit} pixels")]
    TooManyPixels {
        /// The limit, for all frames together.
        limit: u64,
    },
    /// The rest is damaged, or missing.
    #[error("what follows can't be decoded: {0}")]
    Damaged(DecodeError),
    /// Nobody waits for it any more.
    #[error("it was given up, since nobody waits for it any more")]
    GivenUp,
}

impl fmt::Display for OnlyBeginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.frames {
            1 => write!(f, "only the first picture in the file was looked at: {}", self.why),
            frames => write!(f, "only the first {frames} pictures in the file were looked at: {}", self.why),
        }
    }
}

/// Decodes the pictures in `file` and gives them to `visit`, [`MAX_FRAMES`] at most, each with how it has to be turned to be shown
/// ([`shown_orientation`]), or `None` if that can't be read:
///
/// - of an animation of at most so many frames all, of a longer one the first, each that is shown for 200 ms or longer, and of those
///   that begin in one second the one that is shown longest (a PNG can have a picture beside its animation: that, too);
/// - of a TIFF each page;
/// - of a JPEG itself, and the pictures that come after its end (MPO), be they JPEG, PNG, GIF or WebP.
///
/// An error before the first picture is an error. A later one ends it, and so does the size: all frames together count as no more
/// pixels than the limits allow, those that are not taken included, and none as fewer than 1,000. Then it is said how far the file was
/// looked at.
pub fn each_frame(
    file: &[u8],
    limits: &Limits,
    visit: impl FnMut(&Picture, Option<Orientation>),
) -> Result<Option<OnlyBeginning>, DecodeError> {
    each_frame_unless(file, limits, &|| false, visit)
}

/// The same, given up if `is_over` says, before any picture but the first, that they are of no use any more.
pub fn each_frame_unless(
    file: &[u8],
    limits: &Limits,
    is_over: &dyn Fn() -> bool,
    mut visit: impl FnMut(&Picture, Option<Orientation>),
) -> Result<Option<OnlyBeginning>, DecodeError> {
    let format = recognise(file, limits)?;
    let first = decode(file, limits)?;
    let shown = shown_orientation(file, limits).ok();
    visit(&first, shown);
    let cost = work(file).max((first.width() * first.height()) as u64);
    drop(first);
    let (mut frames, within) = (1, (limits, is_over));
    let ended = format.fenced(|| match format.kind {
        ImageFormat::Tiff => Ok(pages::Looking::after(cost, within, &mut frames, &mut visit).at_tiff(file)),
        ImageFormat::Jpeg => Ok(pages::Looking::after(cost, within, &mut frames, &mut visit).at_jpeg(file)),
        _ => match animation(format, file, limits).map_err(|error| format.error(error, limits))? {
            Some(mut animation) => {
                animation.sample(within, &mut frames, &mut |picture: &Picture| visit(picture, shown))
            }
            None => Ok(None),
        },
    });
    // What is wrong after the first frame does not take back the first frame.
    let why = ended.unwrap_or_else(|error| Some(Ended::Damaged(error)));
    Ok(why.map(|why| OnlyBeginning { frames, why }))
}

/// How many pictures a file says that it holds, frames and pages included; 1 if that can't be told.
pub fn count(file: &[u8], limits: &Limits) -> usize {
    let Ok(format) = recognise(file, limits) else { return 1 };
    let count = format.fenced(|| {
        Ok(match format.kind {
            ImageFormat::Gif => gif::count(file),
            ImageFormat::WebP => webp_frames(file).unwrap_or(1),
            ImageFormat::Png => PngAnimation::of(file)
                .map_or(1, |animation| animation.frames as usize + usize::from(animation.has_own_still)),
            ImageFormat::Tiff => 1 + Tiff::of(file).map_or(0, |tiff| tiff.pages().count()),
            ImageFormat::Jpeg => 1 + jpeg::further(file).len(),
            _ => 1,
        })
    });
    count.unwrap_or(1).max(1)
}

/// A file that has several frames.
struct Animation<'f> {
    frames: Frames<'f>,
    /// Whether the first of them was not looked at yet.
    has_own_still: bool,
    /// Whether there are so few that all of them are taken.
    is_short: bool,
    /// How many of them are within the limits together; `usize::MAX` if all are.
    affordable: usize,
    /// Whether the file is shorter than it says; a decoder may take what is there for all.
    is_cut: bool,
    format: Format,
}

fn animation<'f>(format: Format, file: &'f [u8], limits: &Limits) -> Result<Option<Animation<'f>>, ImageError> {
    let memory = || memory_limit(limits.memory);
    let (bytes, file) = (file, Cursor::new(file));
    let is_short = count(bytes, limits) <= MAX_FRAMES;
    let (has_own_still, is_cut) = (false, false);
    let animation = |frames, affordable| Animation { frames, affordable, is_short, has_own_still, is_cut, format };
    Ok(match format.kind {
        ImageFormat::Gif => {
            let mut decoder = GifDecoder::new(file)?;
            decoder.set_limits(memory())?;
            let affordable = gif::affordable(bytes, decoder.dimensions(), limits);
            Some(animation(decoder.into_frames(), affordable))
        }
        ImageFormat::WebP => {
            let mut decoder = WebPDecoder::new(file)?;
            decoder.set_limits(memory())?;
            let (size, count) = (decoder.dimensions(), webp_frames(bytes));
            let affordable = affordable(size, count, limits);
            let animated = decoder.has_animation().then(|| animation(decoder.into_frames(), affordable));
            animated.map(|animated| Animation { is_cut: count.is_none(), ..animated })
        }
        ImageFormat::Png => match PngAnimation::of(bytes) {
            Some(PngAnimation { frames: count, has_own_still }) => {
                let decoder = decoder::png(bytes, limits)?;
                let affordable = affordable(decoder.dimensions(), Some(count as usize), limits);
                Some(Animation { has_own_still, ..animation(decoder.apng()?.into_frames(), affordable) })
            }
            None => None,
        },
        _ => None,
    })
}

/// How many of `count` frames of this size are within the limits together; `usize::MAX` if all are.
fn affordable((width, height): (u32, u32), count: Option<usize>, limits: &Limits) -> usize {
    let pixels = u64::from(width) * u64::from(height);
    let affordable = usize::try_from(limits.pixels / pixels.max(LEAST_PIXELS)).unwrap_or(usize::MAX);
    if count.is_some_and(|count| count <= affordable) { usize::MAX } else { affordable }
}

impl Animation<'_> {
    /// Visits the frames that are to be taken, but the first if that was visited before. `looked_at` counts all frames.
    fn sample(
        &mut self,
        (limits, is_over): (&Limits, &dyn Fn() -> bool),
        looked_at: &mut usize,
        visit: &mut impl FnMut(&Picture),
    ) -> Result<Option<Ended>, DecodeError> {
        let mut picks = Picks { is_short: self.is_short, taken: 1, now: 0, second: 0, longest: 0, best: None };
        for number in 0.. {
            if number == self.affordable {
                picks.end_second(visit);
                return Ok(Some(Ended::TooManyPixels { limit: limits.pixels }));
            }
            if number > 0 && is_over() {
                return Ok(Some(Ended::GivenUp));
            }
            let Some(frame) = self.frames.next() else { break };
            let frame = frame.map_err(|error| self.format.error(error, limits)).inspect_err(|_| {
                picks.end_second(visit);
            })?;
            let (shown, is_known) = (delay(&frame), number == 0 && !self.has_own_still);
            let picture = if is_known { None } else { Some(picture(frame)?) };
            if picks.next(picture, shown, visit).is_none() {
                return Ok(Some(Ended::TooLong));
            }
            *looked_at = number + 1;
        }
        if picks.end_second(visit).is_none() {
            return Ok(Some(Ended::TooLong));
        }
        Ok(self.is_cut.then_some(Ended::Damaged(DecodeError::Incomplete { format: self.format.name })))
    }
}

/// Which frames of an animation are taken, one after the other. What would be too many is `None`.
struct Picks {
    is_short: bool,
    taken: usize,
    /// When the next frame begins, and the second in which the last one did.
    now: u64,
    second: u64,
    /// How long the one is shown that is shown longest of those that began in this second, and that frame, unless it was visited.
    longest: u64,
    best: Option<Picture>,
}

impl Picks {
    /// The next frame, unless it was visited before, and how long it is shown.
    fn next(&mut self, picture: Option<Picture>, shown: u64, visit: &mut impl FnMut(&Picture)) -> Option<()> {
        if self.now / INTERVAL > self.second {
            self.end_second(visit)?;
            self.second = self.now / INTERVAL;
        }
        let picture = match picture {
            Some(picture) if self.is_short || shown >= LASTING => {
                self.take(&picture, visit)?;
                None
            }
            other => other,
        };
        if shown > self.longest {
            (self.longest, self.best) = (shown, picture);
        }
        self.now += shown;
        Some(())
    }

    fn end_second(&mut self, visit: &mut impl FnMut(&Picture)) -> Option<()> {
        self.longest = 0;
        match self.best.take() {
            Some(best) => self.take(&best, visit),
            None => Some(()),
        }
    }

    fn take(&mut self, picture: &Picture, visit: &mut impl FnMut(&Picture)) -> Option<()> {
        if self.taken == MAX_FRAMES {
            return None;
        }
        self.taken += 1;
        visit(picture);
        Some(())
    }
}

/// How long a frame is shown, in milliseconds.
fn delay(frame: &Frame) -> u64 {
    let (numerator, denominator) = frame.delay().numer_denom_ms();
    let milliseconds = u64::from(numerator) / u64::from(denominator.max(1));
    if milliseconds <= 10 { USUAL_DELAY } else { milliseconds }
}

fn picture(frame: Frame) -> Result<Picture, DecodeError> {
    let image = frame.into_buffer();
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mut data = image.into_raw();
    let layout = Layout::of(ColorType::Rgba8).ok_or(DecodeError::UnknownFormat)?;
    layout.reduce(&mut data);
    Picture::new(width, height, layout.channels, data).ok_or(DecodeError::UnknownFormat)
}
