//! Animations: GIF, WebP and PNG.

use super::decoder::{Format, Layout, check_pixels, memory_limit};
use super::{DecodeError, Limits, Picture, decode, recognise};
use ::image::codecs::gif::GifDecoder;
use ::image::codecs::png::PngDecoder;
use ::image::codecs::webp::WebPDecoder;
use ::image::{AnimationDecoder, ColorType, Frame, Frames, ImageDecoder, ImageError, ImageFormat};
use std::io::Cursor;

/// The most frames that are taken from an animation.
pub const MAX_FRAMES: usize = 32;

/// From one frame that is taken to the next, in milliseconds.
const INTERVAL: u64 = 1000;

/// How long a frame is shown that says it is not, as browsers do.
const USUAL_DELAY: u64 = 100;

/// Decodes the picture in `file` and gives it to `visit`; of an animation, the first frame and then the one on show at
/// every further second, at most [`MAX_FRAMES`].
///
/// An error before the first frame is an error; a later one ends the animation. So does its size: all frames together count
/// as no more pixels than the limits allow, those that are not taken included.
pub fn each_frame(file: &[u8], limits: &Limits, mut visit: impl FnMut(&Picture)) -> Result<(), DecodeError> {
    let format = recognise(file, limits)?;
    visit(&decode(file, limits)?);
    // What is wrong after the first frame does not take back the first frame.
    let _ = format.fenced(|| match animation(format, file, limits).map_err(|error| format.error(error, limits))? {
        Some(animation) => sample(animation, limits, &mut visit),
        None => Ok(()),
    });
    Ok(())
}

/// A file that has several frames, and the size of its canvas.
struct Animation<'f> {
    size: (u32, u32),
    frames: Frames<'f>,
}

fn animation<'f>(format: Format, file: &'f [u8], limits: &Limits) -> Result<Option<Animation<'f>>, ImageError> {
    let memory = || memory_limit(limits.memory);
    let file = Cursor::new(file);
    Ok(match format.kind {
        ImageFormat::Gif => {
            let mut decoder = GifDecoder::new(file)?;
            decoder.set_limits(memory())?;
            Some(Animation { size: decoder.dimensions(), frames: decoder.into_frames() })
        }
        ImageFormat::WebP => {
            let mut decoder = WebPDecoder::new(file)?;
            decoder.set_limits(memory())?;
            decoder.has_animation().then(|| Animation { size: decoder.dimensions(), frames: decoder.into_frames() })
        }
        ImageFormat::Png => {
            let decoder = PngDecoder::with_limits(file, memory())?;
            match decoder.is_apng()? {
                true => Some(Animation { size: decoder.dimensions(), frames: decoder.apng()?.into_frames() }),
                false => None,
            }
        }
        _ => None,
    })
}

/// Visits one frame for each second, but the first.
fn sample(animation: Animation<'_>, limits: &Limits, visit: &mut impl FnMut(&Picture)) -> Result<(), DecodeError> {
    let pixels = check_pixels(animation.size, limits)?;
    let affordable = (limits.pixels / pixels.max(1)) as usize;
    let (mut shown, mut wanted, mut taken) = (0, INTERVAL, 1);
    for frame in animation.frames.take(affordable) {
        let Ok(frame) = frame else { break };
        shown += delay(&frame);
        if shown <= wanted {
            continue;
        }
        let is_first = shown == delay(&frame);
        wanted += (shown - wanted).div_ceil(INTERVAL) * INTERVAL;
        if !is_first {
            visit(&picture(frame)?);
            taken += 1;
        }
        if taken == MAX_FRAMES {
            break;
        }
    }
    Ok(())
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
