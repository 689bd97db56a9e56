//! PDQ, a perceptual hash of 256 bits: pictures that look alike have hashes at a small Hamming distance.
//!
//! The algorithm is that of the reference implementation (`pdq/cpp` in ThreatExchange), in the lineage that hashes the
//! picture at its full size, which lists name `pdq/full`. It is bit-identical to the Python package `pdqhash`, with which
//! python-threatexchange and Hasher-Matcher-Actioner hash:
//!
//! 1. Brightness of each pixel: 0.299 R + 0.587 G + 0.114 B, in double precision, rounded to single. A picture with
//!    a side below five pixels has no hash: it gets 32 zero bytes and quality 0.
//! 2. Two passes of a box filter, then sampling at the centres of 64 × 64 equal parts.
//! 3. Quality, from the gradients between neighbours of that grid: 0 for a flat picture, at most 100.
//! 4. The 16 × 16 lowest frequencies of the grid's cosine transform, without the constant part.
//! 5. Bit 16 · i + j is 1 if amplitude (i, j) exceeds the median. Bytes, and the hexadecimal text, begin with bit 255.
//!
//! All that follows is in single precision, in the reference's order, without fused operations and with the constants of
//! the transform written out, so that the result is the same on every machine. For synthetic pictures one rounding
//! error of difference can turn a hundred bits; for photographs it turns none.
//!
//! What the hash does not survive: borders, crops of more than a few percent, and, unless all [`Orientation`]s are
//! compared, mirroring and quarter turns. A regular texture (a wall of bricks) may not even survive scaling.

mod dct;
mod downscale;

use crate::image::Picture;
use dct::Spectrum;
use downscale::Grid;
use serde::Serialize;

/// Bytes of a hash.
pub const HASH_SIZE: usize = 32;

/// The smallest quality of a hash that should be matched or listed: flat pictures are alike without meaning anything.
pub const USUAL_MINIMUM_QUALITY: u8 = 50;

/// Pictures with a shorter side have no hash.
const SHORTEST_SIDE: usize = 5;

/// A hash, and how much there was in the picture to be hashed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PdqHash {
    /// The bits, in the order of the text form: the first byte holds bits 255 to 248.
    pub hash: [u8; HASH_SIZE],
    /// From 0 to 100.
    pub quality: u8,
}

impl PdqHash {
    const NONE: Self = Self { hash: [0; HASH_SIZE], quality: 0 };

    /// The text form of the hash: 64 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        isonomy_core::encoding::to_hex(&self.hash)
    }
}

/// One of the eight ways to lay a picture on a table, its back side included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// As it is.
    Original,
    /// A quarter turn, counter-clockwise.
    Rotate90,
    /// Upside down.
    Rotate180,
    /// A quarter turn, clockwise.
    Rotate270,
    /// Top and bottom exchanged.
    FlipX,
    /// Left and right exchanged, as in a mirror.
    FlipY,
    /// Mirrored along the diagonal from the upper left, which exchanges rows and columns.
    FlipPlus1,
    /// Mirrored along the other diagonal.
    FlipMinus1,
}

impl Orientation {
    /// All eight, in the reference's order.
    pub const ALL: [Self; 8] = [
        Self::Original,
        Self::Rotate90,
        Self::Rotate180,
        Self::Rotate270,
        Self::FlipX,
        Self::FlipY,
        Self::FlipPlus1,
        Self::FlipMinus1,
    ];

    /// The spectrum of the turned picture. Mirroring changes the sign of every other frequency of its direction, and
    /// mirroring along the diagonal exchanges the two directions.
    fn turn(self, spectrum: &Spectrum) -> Spectrum {
        let mut turned = Spectrum::default();
        for (i, row) in spectrum.iter().enumerate() {
            for (j, &amplitude) in row.iter().enumerate() {
                let (i_even, j_even) = (i % 2 == 0, j % 2 == 0);
                let (transposed, negative) = match self {
                    Self::Original => (false, false),
                    Self::Rotate90 => (true, j_even),
                    Self::Rotate180 => (false, i_even != j_even),
                    Self::Rotate270 => (true, i_even),
                    Self::FlipX => (false, i_even),
                    Self::FlipY => (false, j_even),
                    Self::FlipPlus1 => (true, false),
                    Self::FlipMinus1 => (true, i_even != j_even),
                };
                let (i, j) = if transposed { (j, i) } else { (i, j) };
                turned[i][j] = if negative { -amplitude } else { amplitude };
            }
        }
        turned
    }
}

/// The hash of `picture` as it is stored.
pub fn hash(picture: &Picture) -> PdqHash {
    match analyse(picture) {
        Some((spectrum, quality)) => PdqHash { hash: dct::bits(&spectrum), quality },
        None => PdqHash::NONE,
    }
}

/// The hashes of `picture` in all orientations, in the order of [`Orientation::ALL`], for about the price of one.
///
/// They are derived from the spectrum of the original, as the reference does, so they may differ by some bits from
/// hashes of turned pixels: rounding, and sampling points that are not quite symmetric.
pub fn hash_orientations(picture: &Picture) -> [PdqHash; 8] {
    match analyse(picture) {
        Some((spectrum, quality)) => {
            Orientation::ALL.map(|orientation| PdqHash { hash: dct::bits(&orientation.turn(&spectrum)), quality })
        }
        None => [PdqHash::NONE; 8],
    }
}

/// In how many of the 256 bits two hashes differ.
pub fn distance(one: &[u8; HASH_SIZE], other: &[u8; HASH_SIZE]) -> u32 {
    one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum()
}

fn analyse(picture: &Picture) -> Option<(Spectrum, u8)> {
    if picture.width().min(picture.height()) < SHORTEST_SIDE {
        return None;
    }
    let grid = downscale::downscale(picture);
    Some((dct::transform(&grid), quality(&grid)))
}

/// The sum of the gradients between neighbours, each cut to whole percents of the full range, divided by 90.
fn quality(grid: &Grid) -> u8 {
    let percents = |one: &f32, other: &f32| u32::from((((one - other) * 100.0 / 255.0) as i8).unsigned_abs());
    let below: u32 =
        grid.windows(2).flat_map(|rows| rows[0].iter().zip(&rows[1])).map(|(one, other)| percents(one, other)).sum();
    let beside: u32 =
        grid.iter().flat_map(|row| row.iter().zip(&row[1..])).map(|(one, other)| percents(one, other)).sum();
    ((below + beside) / 90).min(100) as u8
}
