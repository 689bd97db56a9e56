//! What PNG and WebP files consist of, as far as the decoders don't say.

use std::io::{BufRead, ErrorKind, Read, Result, Seek, SeekFrom};

/// What says nothing of a PNG's pixels, and is not given to its decoder. It inflates a profile of colours, which costs up to a
/// thousand times what the file has, and keeps texts.
const UNREAD: [&[u8]; 4] = [b"iCCP", b"iTXt", b"tEXt", b"zTXt"];

/// A PNG file without those of its chunks that are not read. After the first of its image data the decoder inflates none, so the rest is
/// the file's.
pub(super) struct LeanPng<'f> {
    head: Vec<u8>,
    rest: &'f [u8],
    at: usize,
}

impl<'f> LeanPng<'f> {
    pub(super) fn of(file: &'f [u8]) -> Self {
        let (mark, mut rest) = file.split_at(file.len().min(8));
        let mut head = mark.to_vec();
        while let Some([a, b, c, d, kind @ ..]) = rest.first_chunk::<8>() {
            if kind == b"IDAT" {
                break;
            }
            let size = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let (chunk, after) = rest.split_at(size.saturating_add(12).min(rest.len()));
            if !UNREAD.contains(&&kind[..]) {
                head.extend(chunk);
            }
            rest = after;
        }
        Self { head, rest, at: 0 }
    }

    fn left(&self) -> &[u8] {
        match self.at.checked_sub(self.head.len()) {
            Some(at) => self.rest.get(at..).unwrap_or_default(),
            None => &self.head[self.at..],
        }
    }
}

impl Read for LeanPng<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.left().read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for LeanPng<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        Ok(self.left())
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

/// Decoders ask for it; that of PNG makes no use of it.
impl Seek for LeanPng<'_> {
    fn seek(&mut self, place: SeekFrom) -> Result<u64> {
        let place = match place {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => (self.at as u64).checked_add_signed(by),
            SeekFrom::End(by) => ((self.head.len() + self.rest.len()) as u64).checked_add_signed(by),
        };
        self.at = place.and_then(|place| usize::try_from(place).ok()).ok_or(ErrorKind::InvalidInput)?;
        Ok(self.at as u64)
    }
}

/// The chunks of a PNG file, each as its kind and its data, up to where the file is cut.
fn png_chunks(file: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = file.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (header, after) = rest.split_first_chunk::<8>()?;
        let size = u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let data = after.get(..size)?;
        rest = after.get(size.saturating_add(4)..).unwrap_or_default();
        Some((&header[4..], data))
    })
}

/// What a PNG file has beside its pixels, before and after them: the chunks up to its end.
pub(super) fn png_metadata(file: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    png_chunks(file).take_while(|(kind, _)| *kind != b"IEND")
}

/// How long the PNG at the beginning of `file` is; `None` if it has no end.
pub(super) fn png_size(file: &[u8]) -> Option<usize> {
    let mut size = 8;
    let end = png_chunks(file).find(|(kind, data)| {
        size += 12 + data.len();
        *kind == b"IEND"
    });
    end.map(|_| size.min(file.len()))
}

/// How long the WebP at the beginning of `file` is; `None` if it is cut.
pub(super) fn webp_size(file: &[u8]) -> Option<usize> {
    let size = u32::from_le_bytes(*file.get(4..)?.first_chunk()?) as usize;
    Some(size.saturating_add(8)).filter(|size| *size <= file.len())
}

/// Where data of a GIF ends, which comes in blocks, each of which begins with its length, up to one that is empty.
pub(super) fn after_blocks(file: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *file.get(at)? {
            0 => return Some(at + 1),
            length => at += 1 + usize::from(length),
        }
    }
}

/// What a PNG file says of its animation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PngAnimation {
    /// How many frames there are.
    pub(super) frames: u32,
    /// Whether the picture that is shown where animations are not is none of them.
    pub(super) has_own_still: bool,
}

impl PngAnimation {
    /// `None` if there is no animation.
    pub(super) fn of(file: &[u8]) -> Option<Self> {
        let (mut frames, mut has_own_still) = (None, true);
        for (kind, data) in png_chunks(file).take_while(|(kind, _)| *kind != b"IDAT") {
            match kind {
                b"acTL" => frames = data.first_chunk().map(|count| u32::from_be_bytes(*count)),
                b"fcTL" => has_own_still = false,
                _ => {}
            }
        }
        frames.map(|frames| Self { frames, has_own_still })
    }
}

/// The chunks of a WebP file, each as its kind and its data, up to where the file is cut.
pub(super) fn webp_chunks(file: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = file.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (header, after) = rest.split_first_chunk::<8>()?;
        let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let data = after.get(..size)?;
        rest = after.get(size.saturating_add(size % 2)..).unwrap_or_default();
        Some((&header[..4], data))
    })
}

/// How many frames a WebP file has; `None` if it ends before it says that it does.
pub(super) fn webp_frames(file: &[u8]) -> Option<usize> {
    let (header, after) = file.split_first_chunk::<12>()?;
    let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
    let (mut rest, mut frames) = (after.get(..size.saturating_sub(4))?, 0);
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        frames += usize::from(header.starts_with(b"ANMF"));
        let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        rest = after.get(size.saturating_add(size % 2)..)?;
    }
    Some(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes(), &kind[..], data, &[1, 2, 3, 4]].concat()
    }

    fn lean(file: &[u8]) -> Vec<u8> {
        let mut read = Vec::new();
        LeanPng::of(file).read_to_end(&mut read).unwrap();
        read
    }

    #[test]
    fn a_decoder_of_png_is_given_no_profile_and_no_text() {
        let mark = b"\x89PNG\r\n\x1a\n";
        let (head, exif, data) = (chunk(b"IHDR", &[7; 13]), chunk(b"eXIf", b"IDAT"), chunk(b"IDAT", b"....iCCP"));
        let unread = UNREAD.map(|kind| chunk(kind.as_array().unwrap(), &[9; 100])).concat();
        let file = [&mark[..], &head, &unread, &exif, &unread, &data, &unread].concat();
        let expected = [&mark[..], &head, &exif, &data, &unread].concat();
        assert_eq!(lean(&file), expected);
        let mut one_by_one = LeanPng::of(&file).bytes();
        assert!(
            expected.iter().all(|byte| one_by_one.next().unwrap().unwrap() == *byte) && one_by_one.next().is_none()
        );
        let mut reader = LeanPng::of(&file);
        assert_eq!(reader.seek(SeekFrom::End(-3)).unwrap(), expected.len() as u64 - 3);
        assert_eq!(reader.seek(SeekFrom::Current(-1)).unwrap(), expected.len() as u64 - 4);
        assert!(reader.seek(SeekFrom::Current(i64::MIN)).is_err());
        assert_eq!(reader.seek(SeekFrom::Start(1)).unwrap(), 1);
        assert_eq!(reader.fill_buf().unwrap()[..3], *b"PNG");
        // Cut anywhere, it is the beginning of the same, but for a header that was cut itself; and a size may be a lie.
        for kept in 0..file.len() {
            let read = lean(&file[..kept]);
            assert!(expected.starts_with(&read[..read.len().saturating_sub(7)]), "{kept}");
        }
        let lie = [&mark[..], &head, b"\xff\xff\xff\xffiCCP", &data].concat();
        assert_eq!(lean(&lie), [&mark[..], &head].concat());
        let lie = [&mark[..], b"\xff\xff\xff\xffIHDR", &data].concat();
        assert_eq!(lean(&lie), lie, "what is wrong is for the decoder to say");
    }
}
