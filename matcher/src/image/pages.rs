//! Further pictures in a file: the pages of a TIFF, and what comes with a JPEG, such as a second view, a preview or a map of brightness.

use super::decoder::LEAST_PIXELS;
use super::tiff::{self, Tiff};
use super::{DecodeError, Ended, Limits, MAX_FRAMES, Picture, decode, jpeg, shown_orientation, work};
use crate::pdq::Orientation;

/// Goes through further pictures of a file, each of which is a file of its own.
pub(super) struct Looking<'l, V> {
    limits: &'l Limits,
    is_over: &'l dyn Fn() -> bool,
    /// So many pixels they may still have together.
    left: u64,
    /// How many pictures were looked at.
    frames: &'l mut usize,
    visit: &'l mut V,
}

impl<'l, V: FnMut(&Picture, Option<Orientation>)> Looking<'l, V> {
    /// After the first one, which costs so many pixels.
    pub(super) fn after(
        first: u64,
        (limits, is_over): (&'l Limits, &'l dyn Fn() -> bool),
        frames: &'l mut usize,
        visit: &'l mut V,
    ) -> Self {
        Self { limits, is_over, left: limits.pixels.saturating_sub(first), frames, visit }
    }

    /// At the pages of a TIFF after the first. Says why it ended, if that was not the last.
    pub(super) fn at_tiff(mut self, file: &[u8]) -> Option<Ended> {
        let whole = Tiff::of(file)?;
        let (mut copy, mut read) = (file.to_vec(), tiff::data_bytes(file, self.limits));
        whole.pages().find_map(|page| {
            // A file of which it is the first.
            copy[4..8].copy_from_slice(&whole.order.bytes(page));
            // Pages may have data in common, but all together have no more than the file.
            read += tiff::data_bytes(&copy, self.limits);
            if read > file.len() as u64 {
                return Some(Ended::Damaged(tiff::reads_too_much(read, file)));
            }
            self.at(&copy)
        })
    }

    /// At the pictures that come with a JPEG.
    pub(super) fn at_jpeg(mut self, file: &[u8]) -> Option<Ended> {
        jpeg::further(file).into_iter().find_map(|place| self.at(&file[place]))
    }

    fn at(&mut self, part: &[u8]) -> Option<Ended> {
        if *self.frames == MAX_FRAMES {
            return Some(Ended::TooLong);
        }
        if (self.is_over)() {
            return Some(Ended::GivenUp);
        }
        let picture = match decode(part, &Limits { pixels: self.left, ..*self.limits }) {
            Err(DecodeError::TooManyPixels { .. } | DecodeError::TooMuchWork { .. }) => {
                return Some(Ended::TooManyPixels { limit: self.limits.pixels });
            }
            Err(error) => return Some(Ended::Damaged(error)),
            Ok(picture) => picture,
        };
        let pixels = (picture.width() * picture.height()) as u64;
        self.left = self.left.saturating_sub(pixels.max(LEAST_PIXELS).max(work(part)));
        (self.visit)(&picture, shown_orientation(part, self.limits).ok());
        *self.frames += 1;
        None
    }
}
