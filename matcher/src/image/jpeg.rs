//! JPEG files that are cut off, and those that make a decoder work for nothing.

use super::decoder::{self, Format};
use super::{DecodeError, Limits, Picture};

/// A picture is taken if no more than one row in so many is missing.
const MISSING_ONE_IN: usize = 25;

/// The highest unit in which rows are coded: the last one that a cut file reaches may be damaged.
const UNIT: usize = 16;

/// What the decoder writes where data is missing.
const MISSING: u8 = 128;

/// Scans that a progressive file has usually, and more than that.
const USUAL_SCANS: u64 = 16;

/// With the third scan begun, a progressive file has, in the usual order, all of the brightness but its finest detail.
const SHARP_ENOUGH: u64 = 3;

const START_OF_PROGRESSIVE: u8 = 0xc2;
const END: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// Decodes a JPEG picture. If the end of the file is missing, so may be a small part of the picture.
pub(super) fn decode(format: Format, file: &[u8], limits: &Limits) -> Result<Picture, DecodeError> {
    let parts = Parts::of(file).ok_or(DecodeError::Incomplete { format: format.name })?;
    if parts.scans > USUAL_SCANS {
        let fewer = Limits { pixels: limits.pixels * USUAL_SCANS / parts.scans, ..*limits };
        let refused = |error| match error {
            DecodeError::TooManyPixels { .. } => DecodeError::TooMuchWork { format: format.name, passes: parts.scans },
            error => error,
        };
        return decoder::decode(format, file, &fewer).map_err(refused);
    }
    if parts.has_end {
        return decoder::decode(format, file, limits);
    }
    let incomplete = || DecodeError::Incomplete { format: format.name };
    if parts.is_progressive && parts.scans < SHARP_ENOUGH {
        return Err(incomplete());
    }
    if parts.is_progressive {
        return decoder::decode(format, file, limits);
    }
    if let Some(whole) = decode_whole(format, file, limits) {
        return Ok(whole);
    }
    replace_missing_rows(decoder::decode(format, file, limits)?).ok_or_else(incomplete)
}

/// The picture, if nothing is missing but the end marker: then it is the same whatever comes after the data.
fn decode_whole(format: Format, file: &[u8], limits: &Limits) -> Option<Picture> {
    let followed_by = |byte: u8| {
        // A 0xff that was cut from its marker would make one with what follows; before 0 it is data.
        let between: &[u8] = if file.ends_with(&[0xff]) { &[0] } else { &[] };
        let file = [file, between, &[byte; 64], &[0xff, END]].concat();
        decoder::decode(format, &file, limits).ok()
    };
    let (one, other) = (followed_by(0x55)?, followed_by(0xaa)?);
    (one == other).then_some(one)
}

/// The picture, with copies of the last sound row in the place of those that are missing or may be damaged; `None` if there
/// are too many.
fn replace_missing_rows(picture: Picture) -> Option<Picture> {
    let row_bytes = picture.width * picture.channels.count();
    let is_missing = |row: &&[u8]| row.iter().all(|value| *value == MISSING);
    let missing = picture.data.rchunks_exact(row_bytes).take_while(is_missing).count();
    let replaced = missing + UNIT;
    if replaced > picture.height / MISSING_ONE_IN {
        return None;
    }
    let Picture { mut data, .. } = picture;
    let sound = picture.height - replaced - 1;
    for row in sound + 1..picture.height {
        data.copy_within(sound * row_bytes..(sound + 1) * row_bytes, row * row_bytes);
    }
    Some(Picture { data, ..picture })
}

/// What a file consists of.
struct Parts {
    is_progressive: bool,
    scans: u64,
    has_end: bool,
}

impl Parts {
    /// Steps over the segments before the image data, since a thumbnail in one of them has an end of its own; `None` if
    /// there is no image data.
    fn of(file: &[u8]) -> Option<Self> {
        let mut rest = file.get(2..)?;
        let mut is_progressive = false;
        while let [0xff, marker, after @ ..] = rest {
            is_progressive |= *marker == START_OF_PROGRESSIVE;
            rest = match (*marker, after) {
                (START_OF_SCAN, _) => break,
                (0xff, _) => &rest[1..],
                (0x01 | 0xd0..=0xd8, _) => after,
                (_, [high, low, ..]) => after.get(usize::from(u16::from_be_bytes([*high, *low]))..).unwrap_or_default(),
                _ => return None,
            };
        }
        // Within image data, 0xff is always followed by a marker or by 0.
        let markers = |marker: u8| rest.windows(2).filter(move |pair| *pair == [0xff, marker]);
        let scans = markers(START_OF_SCAN).count() as u64;
        (scans > 0).then(|| Self { is_progressive, scans, has_end: markers(END).next().is_some() })
    }
}
