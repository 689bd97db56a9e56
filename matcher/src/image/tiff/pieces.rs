//! The strips and tiles of a page, and a file that is read no further than they go.
//!
//! The decoder of deflate reads on where a strip ends, to the end of the file if nothing comes out. Here each ends where the directory says.

use super::directory::Directory;
use super::field;
use std::collections::BTreeMap;
use std::io::{BufRead, ErrorKind, Read, Result, Seek, SeekFrom};

/// Where pieces of compressed data begin and end, within the file. Of those that begin at one place, the longest.
#[derive(Default)]
pub(super) struct Pieces {
    ends: BTreeMap<u64, usize>,
    /// How many bytes they have together, each as often as it is there.
    pub(super) bytes: u64,
}

impl Pieces {
    /// Those of a page; none if its data is not compressed, when they cost no more than their pixels.
    pub(super) fn of(page: &Directory<'_>, file: &[u8]) -> Self {
        let mut pieces = Self::default();
        if matches!(page.number(field::COMPRESSION), None | Some(1)) {
            return pieces;
        }
        let places = || page.numbers(field::STRIP_OFFSETS).chain(page.numbers(field::TILE_OFFSETS));
        let sizes = page.numbers(field::STRIP_BYTES).chain(page.numbers(field::TILE_BYTES));
        for (place, size) in places().zip(sizes) {
            let end = place.saturating_add(size).min(file.len() as u64) as usize;
            let known = pieces.ends.entry(place).or_default();
            *known = end.max(*known);
        }
        let size = |place: u64| pieces.ends.get(&place).map_or(0, |end| (*end as u64).saturating_sub(place));
        pieces.bytes = places().map(size).sum();
        pieces
    }

    /// The data of each place, once.
    pub(super) fn data<'f>(&self, file: &'f [u8]) -> impl Iterator<Item = &'f [u8]> {
        self.ends.iter().filter_map(|(place, end)| file.get(usize::try_from(*place).ok()?..*end))
    }
}

/// A file for the decoder. From where a piece begins, there is nothing beyond its end.
pub(in super::super) struct Reader<'f> {
    file: &'f [u8],
    pieces: Pieces,
    at: usize,
    end: usize,
}

impl<'f> Reader<'f> {
    pub(super) fn new(file: &'f [u8], pieces: Pieces) -> Self {
        Self { file, pieces, at: 0, end: file.len() }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Reader<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        Ok(self.file.get(self.at..self.end).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, place: SeekFrom) -> Result<u64> {
        let place = match place {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => (self.at as u64).checked_add_signed(by),
            SeekFrom::End(by) => (self.file.len() as u64).checked_add_signed(by),
        };
        let place = place.ok_or(ErrorKind::InvalidInput)?;
        self.at = usize::try_from(place).map_err(|_| ErrorKind::InvalidInput)?;
        self.end = self.pieces.ends.get(&place).copied().unwrap_or(self.file.len());
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::page;
    use super::*;

    /// Pieces of a page of these places and sizes, in a file of 1,000 bytes.
    fn pieces(compression: u32, pieces: &[(u16, u16)]) -> (Vec<u8>, Pieces) {
        let count = pieces.len() as u32;
        let values = 8 + 2 + 3 * 12 + 4;
        let fields = [(259, 3, 1, compression), (273, 3, count, values), (279, 3, count, values + 2 * count)];
        let numbers = |number: fn(&(u16, u16)) -> u16| pieces.iter().map(number).flat_map(u16::to_le_bytes);
        let mut file = page(&fields);
        file.extend(numbers(|piece| piece.0).chain(numbers(|piece| piece.1)));
        file.resize(1000, 7);
        let found = Pieces::of(&Directory::first(&file).unwrap(), &file);
        (file, found)
    }

    #[test]
    fn pieces_count_as_often_as_they_are_there_but_not_beyond_the_file() {
        let bytes = |compression, places: &[(u16, u16)]| pieces(compression, places).1.bytes;
        assert_eq!(bytes(5, &[(500, 10), (510, 20), (600, 30)]), 60);
        assert_eq!(bytes(8, &[(500, 10), (500, 10), (500, 100)]), 300, "from one place, the longest counts for all");
        assert_eq!(bytes(5, &[(900, 60_000), (2000, 7), (7, 0)]), 100);
        assert_eq!(bytes(1, &[(500, 10), (510, 20), (600, 30)]), 0);
        let (file, pieces) = pieces(5, &[(990, 60_000), (500, 3), (500, 2)]);
        assert_eq!(pieces.data(&file).map(<[u8]>::len).collect::<Vec<_>>(), [3, 10]);
    }

    #[test]
    fn a_piece_is_read_to_its_end_and_no_further() {
        let (file, pieces) = pieces(8, &[(500, 10), (510, 20), (600, 30)]);
        let mut reader = Reader::new(&file, pieces);
        let mut from = |place| {
            let mut read = Vec::new();
            reader.seek(place).unwrap();
            reader.read_to_end(&mut read).unwrap();
            read.len()
        };
        assert_eq!((from(SeekFrom::Start(500)), from(SeekFrom::Start(510)), from(SeekFrom::Start(600))), (10, 20, 30));
        assert_eq!((from(SeekFrom::Start(501)), from(SeekFrom::Start(0)), from(SeekFrom::Start(2000))), (499, 1000, 0));
        assert_eq!(from(SeekFrom::End(-3)), 3);
        assert!(reader.seek(SeekFrom::Current(i64::MIN)).is_err());
    }
}
