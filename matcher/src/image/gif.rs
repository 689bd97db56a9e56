//! GIF files whose frames are larger than the picture.
//!
//! A frame may reach beyond the canvas. What is beyond is never shown, but has to be decoded: a file of megabytes can hold
//! thousands of such frames. So a frame counts as its own pixels or those of the canvas, whichever are more, and as 1,000 at least.
//! Their sizes are read beforehand, which decodes nothing.

use super::decoder::{LEAST_PIXELS, check_pixels};
use super::{DecodeError, Limits};
use gif::{DecodeOptions, Decoder};

/// Checks that the first frame is within the limits.
pub(super) fn check_first_frame(file: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    // What is wrong with the file is for the decoder to say.
    let first = sizes(file).and_then(|mut sizes| sizes.next());
    first.map_or(Ok(()), |size| check_pixels(size, limits).map(|_| ()))
}

/// How many pixels the first frame has, shown or not.
pub(super) fn work(file: &[u8]) -> u64 {
    let first = sizes(file).and_then(|mut sizes| sizes.next());
    first.map_or(0, |(width, height)| u64::from(width) * u64::from(height))
}

/// How many frames are within the limits together; `usize::MAX` if all are.
pub(super) fn affordable(file: &[u8], canvas: (u32, u32), limits: &Limits) -> usize {
    let pixels = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
    let mut left = limits.pixels;
    let is_too_much = |size| match left.checked_sub(pixels(size).max(pixels(canvas)).max(LEAST_PIXELS)) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    };
    sizes(file).and_then(|mut sizes| sizes.position(is_too_much)).unwrap_or(usize::MAX)
}

/// How many frames there are, as far as the file is sound.
pub(super) fn count(file: &[u8]) -> usize {
    sizes(file).map_or(1, Iterator::count)
}

/// The sizes of the frames, as far as the file is sound.
fn sizes(file: &[u8]) -> Option<impl Iterator<Item = (u32, u32)>> {
    let mut options = DecodeOptions::new();
    options.skip_frame_decoding(true);
    let mut reader: Decoder<&[u8]> = options.read_info(file).ok()?;
    Some(std::iter::from_fn(move || {
        let frame = reader.next_frame_info().ok()??;
        Some((u32::from(frame.width), u32::from(frame.height)))
    }))
}
