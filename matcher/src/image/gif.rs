//! GIF files whose frames cost more than they show.
//!
//! A frame may reach beyond the canvas. What is beyond is never shown, but has to be decoded: a file of megabytes can hold
//! thousands of such frames. So a frame counts as its own pixels or those of the canvas, whichever are more, and as 1,000 at least; or as what
//! beginning its tables of codes costs. All that is read beforehand, which decodes nothing.

use super::chunks::after_blocks;
use super::decoder::{LEAST_PIXELS, check_pixels};
use super::lzw::{self, Flavour};
use super::{DecodeError, Limits};

/// Checks that the first frame is within the limits.
pub(super) fn check_first_frame(file: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    // What is wrong with the file is for the decoder to say.
    let Some(first) = Frames::of(file).and_then(|mut frames| frames.next()) else { return Ok(()) };
    check_pixels(first.size, limits)?;
    if first.tables() > limits.pixels {
        let work = "ever new tables of codes, for pixels that never come".into();
        return Err(DecodeError::TooMuchWork { format: "GIF", work });
    }
    Ok(())
}

/// How many pixels the first frame counts as, shown or not.
pub(super) fn work(file: &[u8]) -> u64 {
    Frames::of(file).and_then(|mut frames| frames.next()).map_or(0, |first| first.pixels().max(first.tables()))
}

/// How many frames are within the limits together; `usize::MAX` if all are.
pub(super) fn affordable(file: &[u8], canvas: (u32, u32), limits: &Limits) -> usize {
    let canvas = u64::from(canvas.0) * u64::from(canvas.1);
    let mut left = limits.pixels;
    let mut is_too_much = |frame: Stored<'_>| {
        let pixels = frame.pixels().max(canvas).max(LEAST_PIXELS);
        // Tables aren't counted where pixels are too many already.
        let cost = if pixels > left { pixels } else { pixels.max(frame.tables()) };
        let rest = left.checked_sub(cost);
        left = rest.unwrap_or(0);
        rest.is_none()
    };
    Frames::of(file).and_then(|mut frames| frames.position(&mut is_too_much)).unwrap_or(usize::MAX)
}

/// How many frames there are, as far as the file is sound.
pub(super) fn count(file: &[u8]) -> usize {
    Frames::of(file).map_or(1, Iterator::count)
}

/// How long the GIF at the beginning of `file` is; `None` if it has no end.
pub(super) fn size(file: &[u8]) -> Option<usize> {
    let mut frames = Frames::of(file)?;
    frames.by_ref().for_each(drop);
    (file.get(frames.at) == Some(&TRAILER)).then(|| frames.at + 1)
}

const EXTENSION: u8 = 0x21;
const FRAME: u8 = 0x2c;
const TRAILER: u8 = 0x3b;

/// A frame as it is stored.
struct Stored<'f> {
    size: (u32, u32),
    /// How many bits its colours have.
    colour_bits: u8,
    /// Its data, in blocks, each of which begins with its length; as much as is there.
    blocks: &'f [u8],
}

impl Stored<'_> {
    fn pixels(&self) -> u64 {
        u64::from(self.size.0) * u64::from(self.size.1)
    }

    /// As how many pixels its tables of codes count.
    fn tables(&self) -> u64 {
        let mut rest = self.blocks;
        let blocks = std::iter::from_fn(move || {
            let (length, after) = rest.split_first().filter(|(length, _)| **length > 0)?;
            let (block, after) = after.split_at(usize::from(*length).min(after.len()));
            rest = after;
            Some(block)
        });
        lzw::work(blocks.flatten().copied(), self.colour_bits, Flavour::Gif)
    }
}

/// The frames of a file, as far as it is sound.
struct Frames<'f> {
    file: &'f [u8],
    /// Where the next block begins; at the end where the file does.
    at: usize,
}

impl<'f> Frames<'f> {
    fn of(file: &'f [u8]) -> Option<Self> {
        Some(Self { file, at: 13 + table(*file.get(10)?) })
    }

    fn frame(&mut self) -> Option<Stored<'f>> {
        let [_, _, _, _, w0, w1, h0, h1, flags] = *self.file.get(self.at + 1..)?.first_chunk()?;
        let data = self.at + 10 + table(flags);
        let colour_bits = *self.file.get(data)?;
        let end = after_blocks(self.file, data + 1).unwrap_or(self.file.len());
        self.at = end;
        let size = (u32::from(u16::from_le_bytes([w0, w1])), u32::from(u16::from_le_bytes([h0, h1])));
        Some(Stored { size, colour_bits, blocks: &self.file[data + 1..end] })
    }
}

impl<'f> Iterator for Frames<'f> {
    type Item = Stored<'f>;

    fn next(&mut self) -> Option<Stored<'f>> {
        while *self.file.get(self.at)? == EXTENSION {
            self.at = after_blocks(self.file, self.at + 2)?;
        }
        if self.file[self.at] == FRAME { self.frame() } else { None }
    }
}

/// How many bytes a table of colours has: three for each. These flags say whether there is one, and how many there are.
fn table(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 6 << (flags & 7) }
}
