//! Animations: GIF, WebP and PNG.

use super::chunks::{PngAnimation, webp_frames};
use super::decoder::{Format, Layout, memory_limit};
use super::{DecodeError, Limits, Picture, decode, gif, recognise};
use ::image::codecs::gif::GifDecoder;
use ::image::codecs::png::PngDecoder;
use ::image::codecs::webp::WebPDecoder;
use ::image::{AnimationDecoder, ColorType, Frame, Frames, ImageDecoder, ImageError, ImageFormat};
use std::fmt;
use std::io::Cursor;

/// The most frames that are taken from an animation.
pub const MAX_FRAMES: usize = 32;

/// From one frame that is taken to the next, in milliseconds.
const INTERVAL: u64 = 1000;

/// How long a frame is shown that says it is not, as browsers do.
const USUAL_DELAY: u64 = 100;

/// Only the beginning of an animation was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnlyBeginning {
    /// How many frames that is; one for each second of them was taken.
    pub frames: usize,
    /// Why not more.
    pub why: Ended,
}

/// Why an animation was not looked at to its end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Ended {
    /// One frame for each second would be more than [`MAX_FRAMES`].
    #[error("it is longer than {MAX_FRAMES} seconds")]
    TooLong,
    /// All frames together have more pixels than the limits allow.
    #[error("with the next one it has more than the limit of {limit} pixels")]
    TooManyPixels {
        /// The limit, for all frames together.
        limit: u64,
    },
    /// The rest is damaged, or missing.
    #[error("what follows can't be decoded: {0}")]
    Damaged(DecodeError),
}

impl fmt::Display for OnlyBeginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.frames {
            1 => write!(f, "only the first frame of the animation was looked at: {}", self.why),
            frames => write!(f, "only the first {frames} frames of the animation were looked at: {}", self.why),
        }
    }
}

/// Decodes the picture in `file` and gives it to `visit`; of an animation, the first frame and then the one on show at
/// every further second, at most [`MAX_FRAMES`]. (A PNG can have a picture beside its animation: that and the first frame.)
///
/// An error before the first frame is an error. A later one ends the animation, and so does its size: all frames together count
/// as no more pixels than the limits allow, those that are not taken included. Then it is said how far it was looked at.
pub fn each_frame(
    file: &[u8],
    limits: &Limits,
    mut visit: impl FnMut(&Picture),
) -> Result<Option<OnlyBeginning>, DecodeError> {
    let format = recognise(file, limits)?;
    visit(&decode(file, limits)?);
    let mut frames = 1;
    let ended = format.fenced(|| {
        let error = |error| format.error(error, limits);
        match animation(format, file, limits).map_err(error)? {
            Some(mut animation) => animation.sample(error, limits, &mut frames, &mut visit),
            None => Ok(None),
        }
    });
    // What is wrong after the first frame does not take back the first frame.
    let why = ended.unwrap_or_else(|error| Some(Ended::Damaged(error)));
    Ok(why.map(|why| OnlyBeginning { frames, why }))
}

/// A file that has several frames.
struct Animation<'f> {
    frames: Frames<'f>,
    /// Whether the first of them was not looked at yet.
    has_own_still: bool,
    /// How many of them are within the limits together; `usize::MAX` if all are.
    affordable: usize,
    /// Whether the file is shorter than it says; a decoder may take what is there for all.
    is_cut: bool,
    format: &'static str,
}

fn animation<'f>(format: Format, file: &'f [u8], limits: &Limits) -> Result<Option<Animation<'f>>, ImageError> {
    let memory = || memory_limit(limits.memory);
    let (bytes, file) = (file, Cursor::new(file));
    let animation =
        |frames, affordable| Animation { frames, affordable, has_own_still: false, is_cut: false, format: format.name };
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
                let decoder = PngDecoder::with_limits(file, memory())?;
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
    let affordable = usize::try_from(limits.pixels / pixels.max(1)).unwrap_or(usize::MAX);
    if count.is_some_and(|count| count <= affordable) { usize::MAX } else { affordable }
}

impl Animation<'_> {
    /// Visits one frame for each second, but the first if that was visited before. `looked_at` counts all frames.
    fn sample(
        &mut self,
        error: impl Fn(ImageError) -> DecodeError,
        limits: &Limits,
        looked_at: &mut usize,
        visit: &mut impl FnMut(&Picture),
    ) -> Result<Option<Ended>, DecodeError> {
        let (mut shown, mut wanted, mut taken) = (0, INTERVAL, 1);
        for number in 0.. {
            if number == self.affordable {
                return Ok(Some(Ended::TooManyPixels { limit: limits.pixels }));
            }
            let Some(frame) = self.frames.next() else { break };
            let frame = frame.map_err(&error)?;
            shown += delay(&frame);
            let is_due = shown > wanted;
            if is_due {
                wanted += (shown - wanted).div_ceil(INTERVAL) * INTERVAL;
            }
            let is_taken = if number == 0 { self.has_own_still } else { is_due };
            if is_taken {
                if taken == MAX_FRAMES {
                    return Ok(Some(Ended::TooLong));
                }
                visit(&picture(frame)?);
                taken += 1;
            }
            *looked_at = number + 1;
        }
        Ok(self.is_cut.then_some(Ended::Damaged(DecodeError::Incomplete { format: self.format })))
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
