//! What is known of a TIFF before it is decoded: its pages, and what each of them costs.
//!
//! The decoder trusts a page in ways that a hostile one makes use of. Data that is itself JPEG is decoded at the size that its own head claims,
//! whatever the limits are: it is refused. Each strip or tile costs some microseconds, however few pixels it has, and many can share one place
//! in the file, with megabytes in it that give no pixel. So they are counted, and together they may have no more bytes than the file; and what
//! makes the decoder of LZW begin anew is counted, too.

mod directory;
mod pieces;

pub(super) use directory::Tiff;

use super::decoder::LEAST_PIXELS;
use super::lzw::{self, Flavour};
use super::{DecodeError, Limits};
use directory::Directory;
use pieces::{Pieces, Reader};

/// Whether a file begins like a BigTIFF, of which the directories have numbers of eight bytes. It is not read.
pub(super) fn is_big(file: &[u8]) -> bool {
    matches!(file.first_chunk(), Some(b"II+\0" | b"MM\0+"))
}

/// The fields of a page that are read here (TIFF 6.0, section 8).
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
    /// Where its strips and tiles are, and how long.
    pub(super) const PIECES: [u16; 4] = [STRIP_OFFSETS, STRIP_BYTES, TILE_OFFSETS, TILE_BYTES];
    /// XMP.
    pub(super) const XMP: u16 = 700;
    /// What the decoder reads beside these, all of it short.
    pub(super) const OTHERS: [u16; 11] = [258, 262, 274, 277, 278, 284, 317, 323, 338, 339, 530];
}

/// The most values of a field of a page, but for the places of its data: one for each channel.
const MAX_VALUES: u32 = 16;

/// What a field of a page costs beside the values that it has, in pixels.
const FIELD_PIXELS: u64 = 10;

const FORMAT: &str = "TIFF";

const LZW: u32 = 5;

/// Refuses a file whose first page can't be decoded within the limits, or not at all.
pub(super) fn check(file: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    let Some(page) = Page::first(file) else { return Ok(()) }; // what is wrong is for the decoder to say
    page.check_kind()?;
    // A page that is simply large is told in other words, by the decoder's side.
    if page.pixels() > limits.pixels {
        return Ok(());
    }
    if page.layout() > limits.pixels {
        return Err(too_much(format!("{} strips or tiles", page.pieces())));
    }
    let pieces = page.data();
    if pieces.bytes > file.len() as u64 {
        return Err(reads_too_much(pieces.bytes, file));
    }
    if page.tables(&pieces) > limits.pixels {
        return Err(too_much("ever new tables of codes, for pixels that never come".into()));
    }
    Ok(())
}

/// How many pixels the first page counts as.
pub(super) fn work(file: &[u8]) -> u64 {
    Page::first(file).map_or(0, |page| page.layout().max(page.tables(&page.data())))
}

/// How many bytes of compressed data the first page has; 0 if it is beyond the limits by its form alone.
pub(super) fn data_bytes(file: &[u8], limits: &Limits) -> u64 {
    pieces(file, limits).bytes
}

fn pieces(file: &[u8], limits: &Limits) -> Pieces {
    let page = Page::first(file).filter(|page| page.layout() <= limits.pixels);
    page.map(|page| page.data()).unwrap_or_default()
}

/// The refusal of a file of which so many bytes would be read.
pub(super) fn reads_too_much(bytes: u64, file: &[u8]) -> DecodeError {
    too_much(format!("{bytes} bytes of data, and it has {}", file.len()))
}

fn too_much(work: String) -> DecodeError {
    DecodeError::TooMuchWork { format: FORMAT, work }
}

/// The file for its decoder, once it was checked.
pub(super) fn reader<'f>(file: &'f [u8], limits: &Limits) -> Reader<'f> {
    Reader::new(file, pieces(file, limits))
}

/// What metadata that have the form of a TIFF say of the turn, 1 to 8.
pub(super) enum Turn {
    /// Nothing.
    None,
    /// This.
    One(u8),
    /// Something that can't be read, or that others may read in another way.
    Unclear,
}

/// What the first directory says of the turn: its field has to be there once, of the usual type, with one value that there is.
pub(super) fn turn(file: &[u8]) -> Turn {
    let Some(directory) = Directory::first(file) else { return Turn::Unclear };
    match (directory.all(field::ORIENTATION), directory.number(field::ORIENTATION)) {
        ([], _) if !directory.is_cut() => Turn::None,
        ([only], Some(turn @ 1..=8)) if (only.kind, only.count) == (3, 1) => Turn::One(turn as u8),
        _ => Turn::Unclear,
    }
}

/// The XMP of the first page.
pub(super) fn xmp(file: &[u8]) -> Option<&[u8]> {
    Directory::first(file)?.bytes(field::XMP)
}

/// A page, as its directory describes it.
struct Page<'f> {
    file: &'f [u8],
    directory: Directory<'f>,
}

impl<'f> Page<'f> {
    fn first(file: &'f [u8]) -> Option<Self> {
        Some(Self { file, directory: Directory::first(file)? })
    }

    fn value(&self, tag: u16) -> Option<u32> {
        self.directory.number(tag)
    }

    /// Refuses what would be decoded beyond the limits, or wrongly.
    fn check_kind(&self) -> Result<(), DecodeError> {
        let refuse = |reason: &str| Err(DecodeError::Unsupported { format: FORMAT, reason: reason.into() });
        let described = [field::WIDTH, field::HEIGHT, field::COMPRESSION, field::FILL_ORDER, field::TILE_WIDTH];
        let mut described = described.iter().chain(&field::OTHERS).map(|tag| self.directory.values_of(*tag));
        match (self.value(field::COMPRESSION), self.value(field::FILL_ORDER)) {
            _ if self.repeats() => refuse("a field is there twice, so nobody knows which of them counts"),
            _ if field::PIECES.iter().any(|tag| self.directory.is_no_number(*tag)) => {
                refuse("the places of its data are no numbers")
            }
            _ if described.any(|count| count > u64::from(MAX_VALUES)) => refuse("it has too many channels"),
            (Some(6 | 7), _) => refuse("its data is JPEG"),
            // A row that never ends costs its decoder the square of its length, for no pixel.
            (Some(2..=4), _) => refuse("its data is a fax"),
            (_, Some(2)) => refuse("the bits of its bytes are in reverse order"),
            _ if self.lacks_lengths() => {
                refuse("it does not say how long its strips are, as very old software wrote it")
            }
            _ => Ok(()),
        }
    }

    /// Whether it says where its strips are, and not how long. Software guesses that in different ways.
    fn lacks_lengths(&self) -> bool {
        let has = |tag| self.directory.values_of(tag) > 0;
        has(field::STRIP_OFFSETS) && !has(field::STRIP_BYTES)
    }

    /// Whether a field that says how its pixels are read is there twice, and not as it was. (Of two turns, none is believed.)
    fn repeats(&self) -> bool {
        let described = [field::WIDTH, field::HEIGHT, field::COMPRESSION, field::FILL_ORDER, field::TILE_WIDTH];
        let described = described.into_iter().chain(field::OTHERS).chain(field::PIECES);
        described.filter(|tag| *tag != field::ORIENTATION).any(|tag| self.directory.contradicts_itself(tag))
    }

    fn pixels(&self) -> u64 {
        let [width, height] = [field::WIDTH, field::HEIGHT].map(|tag| u64::from(self.value(tag).unwrap_or(0)));
        width * height
    }

    /// How many strips or tiles there are.
    fn pieces(&self) -> u64 {
        field::PIECES.into_iter().map(|tag| self.directory.values_of(tag)).max().unwrap_or(0)
    }

    /// How many pixels its form counts as: those that are decoded, of tiles also what is beyond the picture's right side; and no strip or
    /// tile counts as fewer than so many.
    fn layout(&self) -> u64 {
        let [width, height] = [field::WIDTH, field::HEIGHT].map(|tag| u64::from(self.value(tag).unwrap_or(0)));
        let tile = self.value(field::TILE_WIDTH).map_or(1, |width| u64::from(width.max(1)));
        let decoded = width.div_ceil(tile).saturating_mul(tile).saturating_mul(height);
        let pieces = self.pieces().saturating_mul(LEAST_PIXELS);
        decoded.max(pieces).max(self.directory.count as u64 * FIELD_PIXELS)
    }

    fn data(&self) -> Pieces {
        Pieces::of(&self.directory, self.file)
    }

    /// How many pixels the tables of codes in these count as.
    fn tables(&self, pieces: &Pieces) -> u64 {
        if self.value(field::COMPRESSION) != Some(LZW) {
            return 0;
        }
        pieces.data(self.file).map(|data| lzw::work(data.iter().copied(), 8, Flavour::Tiff)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of these fields: tag, type, count and value.
    pub(super) fn page(fields: &[(u16, u16, u32, u32)]) -> Vec<u8> {
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
        assert!((2..=4).all(|fax| refused((field::COMPRESSION, 3, 1, fax))));
        assert!(!refused((field::COMPRESSION, 3, 1, 8)));
        // Twice as it was, and what says nothing of pixels, contradicts nothing.
        let twice = |one, other| check(&page(&[one, other]), &Limits::default()).is_err();
        assert!(twice((field::WIDTH, 3, 1, 2), (field::WIDTH, 3, 1, 3)));
        assert!(twice((field::WIDTH, 3, 1, 2), (field::WIDTH, 99, 1, 2)));
        assert!(!twice((field::WIDTH, 3, 1, 2), (field::WIDTH, 3, 1, 2)));
        assert!(!twice((270, 2, 1, 65), (270, 2, 1, 66)));
        assert!(refused((field::FILL_ORDER, 3, 1, 2)) && !refused((field::FILL_ORDER, 3, 1, 1)));
        // Values elsewhere in the file cost as much for each page as they are many.
        assert!(refused((339, 3, 100_000, 8)) && !refused((339, 3, 4, 8)));
        assert!(!refused((700, 1, 100_000, 8)), "what the decoder does not read");
        let mut huge = page(&[(field::COMPRESSION, 16, 1, 26)]);
        huge.extend(7u64.to_le_bytes());
        assert!(check(&huge, &Limits::default()).is_err());
    }
}
