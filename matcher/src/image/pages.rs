//! Further pictures in a file: the pages of a TIFF, and what comes with a JPEG, such as a second view, a preview or a map of brightness.

use super::{DecodeError, Ended, Limits, MAX_FRAMES, Picture, decode, jpeg, shown_orientation};
use crate::pdq::Orientation;

/// Goes through further pictures of a file, each of which is a file of its own.
pub(super) struct Looking<'l, V> {
    limits: &'l Limits,
    /// So many pixels they may still have together.
    left: u64,
    /// How many pictures were looked at.
    frames: &'l mut usize,
    visit: &'l mut V,
}

impl<'l, V: FnMut(&Picture, Option<Orientation>)> Looking<'l, V> {
    pub(super) fn new(limits: &'l Limits, left: u64, frames: &'l mut usize, visit: &'l mut V) -> Self {
        Self { limits, left, frames, visit }
    }

    /// At the pages of a TIFF after the first. Says why it ended, if that was not the last.
    pub(super) fn at_tiff(mut self, file: &[u8]) -> Option<Ended> {
        let tiff = Tiff::of(file)?;
        let mut copy = file.to_vec();
        tiff.pages().find_map(|page| {
            // A file of which it is the first.
            copy[4..8].copy_from_slice(&tiff.order.bytes(page));
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
        let picture = match decode(part, &Limits { pixels: self.left, ..*self.limits }) {
            Err(DecodeError::TooManyPixels { .. }) => return Some(Ended::TooManyPixels { limit: self.limits.pixels }),
            Err(error) => return Some(Ended::Damaged(error)),
            Ok(picture) => picture,
        };
        self.left = self.left.saturating_sub((picture.width() * picture.height()) as u64);
        (self.visit)(&picture, shown_orientation(part, self.limits).ok());
        *self.frames += 1;
        None
    }
}

/// How many pages a TIFF has after the first.
pub(super) fn of_tiff(file: &[u8]) -> usize {
    Tiff::of(file).map_or(0, |tiff| tiff.pages().count())
}

/// The order of the bytes of a number.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn bytes(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }
}

/// A tree of numbered fields, as TIFF has it; other formats borrow it.
#[derive(Clone, Copy)]
struct Tiff<'f> {
    file: &'f [u8],
    order: Order,
}

impl<'f> Tiff<'f> {
    fn of(file: &'f [u8]) -> Option<Self> {
        match file.first_chunk()? {
            b"II*\0" => Some(Self { file, order: Order::Little }),
            b"MM\0*" => Some(Self { file, order: Order::Big }),
            _ => None,
        }
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.file.get(at..)?.first_chunk()?;
        Some(match self.order {
            Order::Little => u16::from_le_bytes(bytes),
            Order::Big => u16::from_be_bytes(bytes),
        })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = *self.file.get(at..)?.first_chunk()?;
        Some(match self.order {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        })
    }

    /// Where the directories after the first begin: all, unless one is there twice.
    fn pages(self) -> impl Iterator<Item = u32> {
        let mut known = vec![self.long(4).unwrap_or(0)];
        std::iter::from_fn(move || {
            let last = *known.last()? as usize;
            let fields = usize::from(self.short(last)?);
            let next = self.long(last.saturating_add(2 + fields * 12))?;
            if next == 0 || known.contains(&next) || known.len() > MAX_FRAMES {
                return None;
            }
            known.push(next);
            Some(next)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directories without fields, each of which names the next.
    fn chain(order: Order, next: &[u32]) -> Vec<u8> {
        let mut file = match order {
            Order::Little => b"II*\0".to_vec(),
            Order::Big => b"MM\0*".to_vec(),
        };
        file.extend(order.bytes(8));
        for next in next {
            file.extend([0, 0]);
            file.extend(order.bytes(*next));
        }
        file
    }

    #[test]
    fn the_pages_of_a_tiff_are_found_and_a_circle_of_them_ends() {
        let pages = |file: &[u8]| Tiff::of(file).unwrap().pages().collect::<Vec<_>>();
        for order in [Order::Little, Order::Big] {
            assert_eq!(pages(&chain(order, &[14, 20, 0])), [14, 20]);
            assert_eq!(pages(&chain(order, &[14, 8])), [14]);
            assert!(pages(&chain(order, &[0])).is_empty());
            assert_eq!(pages(&chain(order, &[1000])), [1000], "a page that is not there can't be decoded");
        }
        let many: Vec<u32> = (1..MAX_FRAMES as u32 + 100).map(|page| 8 + page * 6).collect();
        assert_eq!(pages(&chain(Order::Big, &many)).len(), MAX_FRAMES);
    }

    #[test]
    fn cut_files_have_the_pages_that_are_there() {
        let file = chain(Order::Little, &[14, 20, 0]);
        assert!((0..file.len()).all(|kept| of_tiff(&file[..kept]) <= 2));
    }
}
