//! Further pictures in a file: the pages of a TIFF, and what a JPEG lists as its other pictures (MPO, by CIPA DC-007), such as a
//! second view, a preview or a map of brightness.

use super::{Ended, Limits, MAX_FRAMES, Picture, decode};
use std::borrow::Cow;
use std::ops::Range;

/// Files of one picture each.
pub(super) type Parts<'f> = Box<dyn Iterator<Item = Cow<'f, [u8]>> + 'f>;

/// Visits the pictures in `parts`, of which `limits` still allow so many pixels together. `frames` counts those that were looked at.
pub(super) fn visit(
    parts: Parts<'_>,
    limits: &Limits,
    mut left: u64,
    frames: &mut usize,
    visit: &mut impl FnMut(&Picture),
) -> Option<Ended> {
    for part in parts {
        if *frames == MAX_FRAMES {
            return Some(Ended::TooLong);
        }
        let picture = match decode(&part, &Limits { pixels: left, ..*limits }) {
            Err(super::DecodeError::TooManyPixels { .. }) => {
                return Some(Ended::TooManyPixels { limit: limits.pixels });
            }
            Err(error) => return Some(Ended::Damaged(error)),
            Ok(picture) => picture,
        };
        left = left.saturating_sub((picture.width() * picture.height()) as u64);
        visit(&picture);
        *frames += 1;
    }
    None
}

/// The pages of a TIFF after the first, each as a file of which it is the first.
pub(super) fn of_tiff(file: &[u8]) -> Parts<'_> {
    Box::new(Tiff::of(file).into_iter().flat_map(|tiff| tiff.pages()).map(move |(order, page)| {
        let mut copy = file.to_vec();
        copy[4..8].copy_from_slice(&order.bytes(page));
        Cow::Owned(copy)
    }))
}

/// The pictures that a JPEG lists, but itself. One that begins after the end of the file is not there any more.
pub(super) fn of_jpeg(file: &[u8]) -> Parts<'_> {
    let listed = listed(file).unwrap_or_default().into_iter();
    Box::new(listed.filter_map(|place| Some(Cow::Borrowed(file.get(place.start..place.end.min(file.len()))?))))
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
    fn pages(self) -> impl Iterator<Item = (Order, u32)> {
        let mut known = vec![self.long(4).unwrap_or(0)];
        std::iter::from_fn(move || {
            let last = *known.last()? as usize;
            let fields = usize::from(self.short(last)?);
            let next = self.long(last.saturating_add(2 + fields * 12))?;
            if next == 0 || known.contains(&next) || known.len() > MAX_FRAMES {
                return None;
            }
            known.push(next);
            Some((self.order, next))
        })
    }

    /// Where the value of a field of the first directory is, and how many bytes it has, if it is longer than four.
    fn field(&self, tag: u16) -> Option<Range<usize>> {
        let directory = self.long(4)? as usize;
        let fields = usize::from(self.short(directory)?);
        let place = (0..fields)
            .map(|number| directory.saturating_add(2 + number * 12))
            .find(|at| self.short(*at) == Some(tag))?;
        let (length, start) =
            (self.long(place.saturating_add(4))? as usize, self.long(place.saturating_add(8))? as usize);
        Some(start..start.checked_add(length)?)
    }
}

/// The field that lists the pictures of a file, 16 bytes each: what it is, its size, where it begins, and what belongs to it.
const MP_ENTRIES: u16 = 0xb002;

/// Where the further pictures of a JPEG are. Places count from the header of the list.
fn listed(file: &[u8]) -> Option<Vec<Range<usize>>> {
    let base = list_of_pictures(file)?;
    let list = Tiff::of(&file[base..])?;
    let entries = list.field(MP_ENTRIES)?;
    let place = |at: usize| {
        let (size, start) = (list.long(at.saturating_add(4))? as usize, list.long(at.saturating_add(8))? as usize);
        // The first is the file itself.
        (start > 0).then(|| base.saturating_add(start)..base.saturating_add(start).saturating_add(size))
    };
    Some(entries.step_by(16).take(MAX_FRAMES + 1).filter_map(place).filter(|place| place.start < file.len()).collect())
}

/// Where the list begins, after the mark of its segment.
fn list_of_pictures(file: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        let [0xff, kind, high, low] = *file.get(at..)?.first_chunk()? else { return None };
        if kind == 0xda {
            return None; // the picture itself
        }
        let start = at + 4;
        if kind == 0xe2 && file.get(start..)?.starts_with(b"MPF\0") {
            return Some(start + 4);
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
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
        let pages = |file: &[u8]| Tiff::of(file).unwrap().pages().map(|(_, page)| page).collect::<Vec<_>>();
        for order in [Order::Little, Order::Big] {
            assert_eq!(pages(&chain(order, &[14, 20, 0])), [14, 20]);
            assert_eq!(pages(&chain(order, &[14, 8])), [14]);
            assert!(pages(&chain(order, &[0])).is_empty());
            assert_eq!(pages(&chain(order, &[1000])), [1000], "a page that is not there can't be decoded");
            let file = chain(order, &[14, 0]);
            let parts: Vec<_> = of_tiff(&file).collect();
            assert_eq!(Tiff::of(&parts[0]).unwrap().long(4), Some(14));
        }
        let many: Vec<u32> = (1..100).map(|page| 8 + page * 6).collect();
        assert_eq!(pages(&chain(Order::Big, &many)).len(), MAX_FRAMES);
    }

    #[test]
    fn cut_files_list_what_is_there() {
        let file = chain(Order::Little, &[14, 20, 0]);
        for kept in 0..file.len() {
            assert!(of_tiff(&file[..kept]).count() <= 2);
            assert_eq!(of_jpeg(&file[..kept]).count(), 0);
        }
        assert_eq!(of_jpeg(b"\xff\xd8\xff\xe2\0\x06MPF\0").count(), 0);
    }
}
