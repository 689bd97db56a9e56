//! What is known of a TIFF before it is decoded: its pages, and what each of them costs.
//!
//! The decoder trusts a page in two ways that a hostile one makes use of. Data that is itself JPEG is decoded at the size that its own
//! head claims, whatever the limits are; and each strip or tile costs some microseconds, however few pixels it has, and many can share one
//! place in the file. So the first is refused, and the others are counted.

use super::decoder::LEAST_PIXELS;
use super::{DecodeError, Limits, MAX_FRAMES};
use std::collections::BTreeMap;

/// The fields of a page that say what it costs (TIFF 6.0, section 8).
mod field {
    pub(super) const WIDTH: u16 = 256;
    pub(super) const HEIGHT: u16 = 257;
    pub(super) const COMPRESSION: u16 = 259;
    pub(super) const FILL_ORDER: u16 = 266;
    pub(super) const STRIP_OFFSETS: u16 = 273;
    pub(super) const ORIENTATION: u16 = 274;
    pub(super) const STRIP_BYTES: u16 = 279;
    pub(super) const TILE_WIDTH: u16 = 322;
    pub(super) const TILE_OFFSETS: u16 = 324;
    pub(super) const TILE_BYTES: u16 = 325;
    /// What the decoder reads beside these, all of it short.
    pub(super) const OTHERS: [u16; 11] = [258, 262, 274, 277, 278, 284, 317, 323, 338, 339, 530];
}

/// The most values of a field of a page, but for the places of its data: one for each channel.
const MAX_VALUES: u32 = 16;

/// What a field of a page costs beside the values that it has, in pixels.
const FIELD_PIXELS: u64 = 10;

/// Refuses a file whose first page can't be decoded within the limits, or not at all.
pub(super) fn check(file: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    let Some(page) = Page::first(file) else { return Ok(()) }; // what is wrong is for the decoder to say
    page.check_kind()?;
    let (pixels, work) = (page.pixels(), page.work());
    // A page that is simply large is told in other words, by the decoder's side.
    if work > limits.pixels && pixels <= limits.pixels {
        let work = format!("{} strips or tiles", page.pieces());
        return Err(DecodeError::TooMuchWork { format: FORMAT, work });
    }
    Ok(())
}

/// How many pixels the first page counts as.
pub(super) fn work(file: &[u8]) -> u64 {
    Page::first(file).map_or(0, |page| page.work())
}

/// Whether metadata, which have the form of a TIFF, have a field for the turn, or can't be read.
pub(super) fn may_name_a_turn(exif: &[u8]) -> bool {
    Page::first(exif).is_none_or(|page| page.fields.contains_key(&field::ORIENTATION))
}

const FORMAT: &str = "TIFF";

/// A page, as its directory describes it.
struct Page {
    /// How many fields it has, and those that are read.
    count: usize,
    fields: BTreeMap<u16, Field>,
}

/// How many values a field has, and the first, if that is a number that stands in the directory itself.
#[derive(Clone, Copy)]
struct Field {
    count: u32,
    value: Option<u32>,
}

impl Page {
    fn first(file: &[u8]) -> Option<Self> {
        let tiff = Tiff::of(file)?;
        let start = tiff.long(4)? as usize;
        let count = usize::from(tiff.short(start)?);
        let at = |number: usize| start.checked_add(2 + 12 * number);
        // Of a field that is there twice, the decoder takes the last.
        let fields = (0..count).map_while(|number| tiff.field(at(number)?)).collect();
        Some(Self { count, fields })
    }

    fn value(&self, tag: u16) -> Option<u32> {
        self.fields.get(&tag)?.value
    }

    /// Refuses what would be decoded beyond the limits, or wrongly.
    fn check_kind(&self) -> Result<(), DecodeError> {
        let refuse = |reason: &str| Err(DecodeError::Unsupported { format: FORMAT, reason: reason.into() });
        let described = [field::WIDTH, field::HEIGHT, field::COMPRESSION, field::FILL_ORDER, field::TILE_WIDTH];
        let described = described.iter().chain(&field::OTHERS).filter_map(|tag| self.fields.get(tag));
        match (self.value(field::COMPRESSION), self.value(field::FILL_ORDER)) {
            _ if described.into_iter().any(|field| field.count > MAX_VALUES) => refuse("it has too many channels"),
            (Some(6 | 7), _) => refuse("its data is JPEG"),
            (_, Some(2)) => refuse("the bits of its bytes are in reverse order"),
            _ => Ok(()),
        }
    }

    fn pixels(&self) -> u64 {
        let [width, height] = [field::WIDTH, field::HEIGHT].map(|tag| u64::from(self.value(tag).unwrap_or(0)));
        width * height
    }

    /// How many strips or tiles there are.
    fn pieces(&self) -> u64 {
        let places = [field::STRIP_OFFSETS, field::STRIP_BYTES, field::TILE_OFFSETS, field::TILE_BYTES];
        let counts = places.iter().filter_map(|tag| self.fields.get(tag)).map(|field| u64::from(field.count));
        counts.max().unwrap_or(0)
    }

    /// How many pixels it counts as: those that are decoded, of tiles also what is beyond the picture's right side; and no strip or tile
    /// counts as fewer than so many.
    fn work(&self) -> u64 {
        let [width, height] = [field::WIDTH, field::HEIGHT].map(|tag| u64::from(self.value(tag).unwrap_or(0)));
        let tile = self.value(field::TILE_WIDTH).map_or(1, |width| u64::from(width.max(1)));
        let decoded = width.div_ceil(tile).saturating_mul(tile).saturating_mul(height);
        let pieces = self.pieces().saturating_mul(LEAST_PIXELS);
        decoded.max(pieces).max(self.count as u64 * FIELD_PIXELS)
    }
}

/// The order of the bytes of a number.
#[derive(Clone, Copy)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn bytes(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }
}

/// A tree of numbered fields, as TIFF has it; other formats borrow it.
#[derive(Clone, Copy)]
pub(super) struct Tiff<'f> {
    file: &'f [u8],
    pub(super) order: Order,
}

impl<'f> Tiff<'f> {
    pub(super) fn of(file: &'f [u8]) -> Option<Self> {
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

    /// The field whose entry of a directory stands there.
    fn field(&self, at: usize) -> Option<(u16, Field)> {
        let (tag, kind, count) = (self.short(at)?, self.short(at + 2)?, self.long(at + 4)?);
        let value = match (kind, count) {
            (1, 1..=4) => self.file.get(at + 8).map(|value| u32::from(*value)),
            (3, 1..=2) => self.short(at + 8).map(u32::from),
            (4 | 13, 1) => self.long(at + 8),
            // It has eight bytes, elsewhere; the decoder takes it, and nobody writes it into this kind of TIFF.
            (16 | 18, 1) => self.long(at + 8).and_then(|place| self.huge(place as usize)),
            _ => None,
        };
        Some((tag, Field { count, value }))
    }

    /// A number of eight bytes, as far as four can hold it.
    fn huge(&self, at: usize) -> Option<u32> {
        let halves = [self.long(at)?, self.long(at.checked_add(4)?)?];
        let (low, high) = match self.order {
            Order::Little => (halves[0], halves[1]),
            Order::Big => (halves[1], halves[0]),
        };
        Some(if high == 0 { low } else { u32::MAX })
    }

    /// Where the directories after the first begin: all, unless one is there twice.
    pub(super) fn pages(self) -> impl Iterator<Item = u32> {
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

/// How many pages a TIFF has after the first.
pub(super) fn further_pages(file: &[u8]) -> usize {
    Tiff::of(file).map_or(0, |tiff| tiff.pages().count())
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
        assert!((0..file.len()).all(|kept| further_pages(&file[..kept]) <= 2));
    }

    /// A page of these fields: tag, type, count and value.
    fn page(fields: &[(u16, u16, u32, u32)]) -> Vec<u8> {
        let mut file = b"II*\0\x08\0\0\0".to_vec();
        file.extend((fields.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in fields {
            file.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
            file.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
        }
        file.extend([0; 4]);
        file
    }

    #[test]
    fn a_page_counts_as_what_decoding_it_costs() {
        let size = |width, height| [(field::WIDTH, 4, 1, width), (field::HEIGHT, 3, 1, height)];
        let work_of =
            |more: &[(u16, u16, u32, u32)], width, height| work(&page(&[&size(width, height), more].concat()));
        let strips = |count| (field::STRIP_OFFSETS, 4, count, 8);
        assert_eq!(work_of(&[strips(1)], 3000, 2000), 6_000_000);
        assert_eq!(work_of(&[strips(2000)], 3000, 2000), 6_000_000);
        assert_eq!(work_of(&[strips(2000)], 3, 2000), 2000 * LEAST_PIXELS);
        assert_eq!(work_of(&[(field::TILE_BYTES, 3, 500, 8)], 3, 2), 500 * LEAST_PIXELS);
        // A tile is decoded to its right side, of however many pixels that is the picture's.
        assert_eq!(work_of(&[strips(1), (field::TILE_WIDTH, 4, 1, 1 << 30)], 1, 7), 7 << 30);
        assert_eq!(work_of(&[(field::TILE_WIDTH, 4, 1, 0)], 5, 7), 35);
        assert_eq!(work_of(&vec![(1000, 4, 1, 0); 60_000], 1, 1), 60_002 * FIELD_PIXELS);
        assert_eq!(work_of(&[strips(1), strips(9)], 1, 1), 9 * LEAST_PIXELS, "the last of two counts");
        assert_eq!(work_of(&[], u32::MAX, 65_535), u64::from(u32::MAX) * 65_535);
        for kept in 0..page(&size(1, 1)).len() {
            assert!(work(&page(&size(1, 1))[..kept]) <= 20);
        }
    }

    #[test]
    fn what_is_decoded_beyond_the_limits_or_wrongly_is_refused() {
        let refused = |field: (u16, u16, u32, u32)| check(&page(&[field]), &Limits::default()).is_err();
        for (kind, value) in [(1, 7), (3, 6), (3, 7), (4, 7), (13, 7)] {
            assert!(refused((field::COMPRESSION, kind, 1, value)), "{kind} {value}");
        }
        assert!(!refused((field::COMPRESSION, 3, 1, 8)));
        assert!(refused((field::FILL_ORDER, 3, 1, 2)) && !refused((field::FILL_ORDER, 3, 1, 1)));
        // Values elsewhere in the file cost as much for each page as they are many.
        assert!(refused((339, 3, 100_000, 8)) && !refused((339, 3, 4, 8)));
        assert!(!refused((700, 1, 100_000, 8)), "what the decoder does not read");
        let mut huge = page(&[(field::COMPRESSION, 16, 1, 26)]);
        huge.extend(7u64.to_le_bytes());
        assert!(check(&huge, &Limits::default()).is_err());
    }
}
