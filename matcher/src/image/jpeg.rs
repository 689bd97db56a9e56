//! JPEG files that are cut off, and those that make a decoder work for nothing.
//!
//! An end marker proves nothing, since a file that was cut can be closed again, and the decoder goes on with grey. So its data is
//! followed by what no encoder writes: codes of ones alone are reserved. A decoder that still wants something stops there, and
//! all rows below are grey. Where that can't tell, the same data followed by other bytes has to give the same picture.

mod further;
mod parts;

pub(super) use further::further;
pub(super) use parts::metadata;

use super::decoder::{self, Format};
use super::{DecodeError, Limits, Picture};
use parts::Parts;

/// A picture is taken if no more than one row in so many is missing.
const MISSING_ONE_IN: usize = 25;

/// What the decoder writes where data is missing.
const MISSING: u8 = 128;

/// Scans that a progressive file has usually, and more than that.
const USUAL_SCANS: u64 = 16;

const END: [u8; 2] = [0xff, 0xd9];

/// 256 times the bit 1: within data, 0xff is followed by 0.
const NO_CODE: [[u8; 2]; 32] = [[0xff, 0]; 32];

/// Bits that are codes.
const OTHER: [[u8; 2]; 32] = [[0x55, 0x55]; 32];

/// Decodes a JPEG picture. If the end of the file is missing, so may be a small part of the picture.
pub(super) fn decode(format: Format, file: &[u8], limits: &Limits) -> Result<Picture, DecodeError> {
    let parts = Parts::of(file).ok_or(DecodeError::Incomplete { format: format.name })?;
    if let Some(reason) = parts.undecodable() {
        return Err(DecodeError::Unsupported { format: format.name, reason: reason.into() });
    }
    if parts.scans <= USUAL_SCANS {
        return Jpeg { format, file, limits, parts }.decode();
    }
    let passes = parts.scans;
    let limits = &Limits { pixels: limits.pixels * USUAL_SCANS / passes, ..*limits };
    let decoded = decoder::check_pixels(parts.size(), limits);
    let decoded = decoded.and_then(|_| Jpeg { format, file, limits, parts }.decode());
    decoded.map_err(|error| match error {
        DecodeError::TooManyPixels { .. } => {
            DecodeError::TooMuchWork { format: format.name, work: format!("{passes} passes over its pixels") }
        }
        error => error,
    })
}

/// As many pixels as it has, for each time that as many scans go over them as are usual.
pub(super) fn work(file: &[u8]) -> u64 {
    Parts::of(file).map_or(0, |parts| {
        let (width, height) = parts.size();
        (u64::from(width) * u64::from(height)).saturating_mul(parts.scans.div_ceil(USUAL_SCANS))
    })
}

struct Jpeg<'f> {
    format: Format,
    file: &'f [u8],
    limits: &'f Limits,
    parts: Parts,
}

impl Jpeg<'_> {
    fn decode(&self) -> Result<Picture, DecodeError> {
        match () {
            () if self.parts.lacks_components() || self.parts.lacks_restarts() => Err(self.incomplete()),
            () if self.parts.is_progressive => self.decode_progressive(),
            () => self.decode_baseline(),
        }
    }

    /// Of a progressive picture, finer detail may be missing.
    fn decode_progressive(&self) -> Result<Picture, DecodeError> {
        if self.parts.is_sharp() {
            return decoder::decode(self.format, self.data(), self.limits);
        }
        if !self.parts.becomes_sharp() {
            return Err(self.incomplete());
        }
        let picture = self.decode_followed_by(&NO_CODE)?;
        if self.is_whole(&picture)? { Ok(picture) } else { Err(self.incomplete()) }
    }

    fn decode_baseline(&self) -> Result<Picture, DecodeError> {
        let picture = self.decode_followed_by(&NO_CODE)?;
        let last_unit_is_small = self.parts.unit_rows() <= picture.height / MISSING_ONE_IN;
        if last_unit_is_small && !is_missing(picture.rows().next_back()) || self.is_whole(&picture)? {
            return Ok(picture);
        }
        let cut = decoder::decode(self.format, self.data(), self.limits)?;
        replace_missing_rows(cut, self.parts.unit_rows()).ok_or_else(|| self.incomplete())
    }

    /// The file to where its image data ends, without an end marker.
    fn data(&self) -> &[u8] {
        &self.file[..self.parts.end]
    }

    fn decode_followed_by(&self, end: &[[u8; 2]]) -> Result<Picture, DecodeError> {
        // A 0xff that was cut from its marker would make one with what follows; before 0 it is data.
        let between: &[u8] = if self.data().ends_with(&[0xff]) { &[0] } else { &[] };
        let file = [self.data(), between, end.as_flattened(), &END].concat();
        decoder::decode(self.format, &file, self.limits)
    }

    /// Whether nothing is missing: then `picture` is the same whatever comes after the data.
    fn is_whole(&self, picture: &Picture) -> Result<bool, DecodeError> {
        Ok(self.decode_followed_by(&OTHER)? == *picture)
    }

    fn incomplete(&self) -> DecodeError {
        DecodeError::Incomplete { format: self.format.name }
    }
}

fn is_missing(row: Option<&[u8]>) -> bool {
    row.is_some_and(|row| row.iter().all(|value| *value == MISSING))
}

/// The picture, with copies of the last sound row in the place of those that are missing or may be damaged; `None` if there
/// are too many.
fn replace_missing_rows(picture: Picture, unit_rows: usize) -> Option<Picture> {
    let missing = picture.rows().rev().take_while(|row| is_missing(Some(row))).count();
    let replaced = missing + unit_rows;
    if replaced > picture.height / MISSING_ONE_IN {
        return None;
    }
    let row_bytes = picture.row_bytes();
    let Picture { mut data, .. } = picture;
    let sound = picture.height - replaced - 1;
    for row in sound + 1..picture.height {
        data.copy_within(sound * row_bytes..(sound + 1) * row_bytes, row * row_bytes);
    }
    Some(Picture { data, ..picture })
}
