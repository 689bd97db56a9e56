//! Pictures, and how their files are decoded.
//!
//! Formats are recognised by content, never by name: JPEG, PNG, GIF, BMP, WebP and TIFF. [`decode`] gives the first picture in a
//! file, [`each_frame`] those by which an animation or a file with pages is known. What comes out are the pixels *as they are stored*, as other
//! implementations of `pdq/full` hash them:
//!
//! - A rotation in the metadata (Exif) is not applied. [`shown_orientation`] says which one it is, so that hashes as stored
//!   and as shown can both be looked up.
//! - Transparency is dropped and the colour below it counts, whatever it is.
//! - Of 16 bits a channel, the upper eight count.
//! - Colour profiles are not applied. CMYK becomes R = (255 − C) · (255 − K) / 255, and so on.
//!
//! A file that is incomplete gives an error, not half a picture: what is missing would count as grey. A JPEG is taken if no more
//! than 4 % of its rows are missing; the last row that is there then stands for them. Whether something is missing is judged by
//! the data, not by an end marker, which cut files can have.
//!
//! What decoding costs is bounded by [`Limits`]. A file that lies about its size, holds more than it says, or makes a
//! decoder work for nothing gets a [`DecodeError`]. A decoder that panics does so within a fence, which needs a program that unwinds:
//! built with `panic = "abort"`, such a file ends it.
//!
//! Decoders differ by a bit or two of colour in lossy formats, which moves a PDQ hash by some bits at most.

mod chunks;
mod decoder;
mod frames;
mod gif;
mod jpeg;
mod lzw;
mod pages;
mod tiff;
mod turns;

pub use frames::{Ended, MAX_FRAMES, OnlyBeginning, count, each_frame, each_frame_unless};

use crate::pdq::Orientation;
use ::image::ImageFormat;
use decoder::Format;

/// What a pixel consists of, one byte each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channels {
    /// Brightness alone.
    Grey,
    /// Red, green and blue, in this order.
    Rgb,
}

impl Channels {
    /// Bytes in a pixel.
    pub fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}

/// The pixels of a picture, by rows from the top, each from the left.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    channels: Channels,
    data: Vec<u8>,
}

impl Picture {
    /// A picture of these pixels; `None` if `data` isn't as long as the size demands, or a side is 0.
    pub fn new(width: usize, height: usize, channels: Channels, data: Vec<u8>) -> Option<Self> {
        let bytes = width.checked_mul(height)?.checked_mul(channels.count())?;
        (bytes > 0 && bytes == data.len()).then_some(Self { width, height, channels, data })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// What each pixel consists of.
    pub fn channels(&self) -> Channels {
        self.channels
    }

    /// The pixels.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    fn row_bytes(&self) -> usize {
        self.width * self.channels.count()
    }

    fn rows(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.data.chunks_exact(self.row_bytes())
    }
}

/// Shows the size, not the pixels.
impl core::fmt::Debug for Picture {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Picture({} × {}, {:?})", self.width, self.height, self.channels)
    }
}

/// What decoding may cost. A file of a kilobyte can claim to hold a picture of gigabytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The largest file, in bytes.
    pub file_bytes: usize,
    /// The largest picture, in pixels.
    pub pixels: u64,
    /// The most memory that decoding may take, in bytes, beside the file and one copy of it.
    pub memory: u64,
}

/// Files of 64 MiB, 100 million pixels, 1 GiB of memory.
impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 64 << 20, pixels: 100_000_000, memory: 1 << 30 }
    }
}

/// Why a file could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A larger file than the limits allow.
    #[error("the file is larger than the limit of {limit} bytes")]
    FileTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// More pixels than the limits allow.
    #[error("the picture is {width} × {height}, more than the limit of {limit} pixels")]
    TooManyPixels {
        /// Pixels in a row, as the file says.
        width: u32,
        /// Rows, as the file says.
        height: u32,
        /// The limit, in pixels.
        limit: u64,
    },
    /// More memory than the limits allow.
    #[error("decoding the picture would take more than the limit of {limit} bytes of memory")]
    TooMuchMemory {
        /// The limit, in bytes.
        limit: u64,
    },
    /// More work than a picture of this size is worth.
    #[error("decoding the {format} file would take {work}")]
    TooMuchWork {
        /// The file's format.
        format: &'static str,
        /// What of, and how much.
        work: String,
    },
    /// Not a picture, or of a format that isn't known.
    #[error("not a picture in a known format, which are JPEG, PNG, GIF, BMP, WebP and TIFF")]
    UnknownFormat,
    /// A feature of a known format that can't be decoded.
    #[error("this kind of {format} can't be decoded: {reason}")]
    Unsupported {
        /// The file's format.
        format: &'static str,
        /// What can't be decoded.
        reason: String,
    },
    /// The end of the file is missing.
    #[error("the {format} file is incomplete")]
    Incomplete {
        /// The file's format.
        format: &'static str,
    },
    /// Damaged, or made to mislead.
    #[error("malformed {format} file: {reason}")]
    Malformed {
        /// The file's format.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The decoder panicked. The file set off an error in it, and is not to be decoded again.
    #[error("the decoder of {format} files failed at this file")]
    DecoderFailed {
        /// The file's format.
        format: &'static str,
    },
}

/// Decodes the picture in `file`; of an animation, its first frame.
pub fn decode(file: &[u8], limits: &Limits) -> Result<Picture, DecodeError> {
    let format = recognise(file, limits)?;
    format.fenced(|| match format.kind {
        ImageFormat::Jpeg => jpeg::decode(format, file, limits),
        ImageFormat::Gif => {
            gif::check_first_frame(file, limits)?;
            decoder::decode(format, file, limits)
        }
        ImageFormat::Tiff => {
            tiff::check(file, limits)?;
            decoder::decode(format, file, limits)
        }
        _ => decoder::decode(format, file, limits),
    })
}

/// What decoding the picture in `file` costs beside its own pixels, as so many pixels: what its format lets a file ask for.
fn work(file: &[u8]) -> u64 {
    match Format::of(file).map(|format| format.kind) {
        Some(ImageFormat::Jpeg) => jpeg::work(file),
        Some(ImageFormat::Gif) => gif::work(file),
        Some(ImageFormat::Tiff) => tiff::work(file),
        _ => 0,
    }
}

/// How the picture in `file` has to be turned to be shown, as its metadata (Exif, XMP) say; [`Orientation::Original`] if they say
/// nothing. An error if they can't be read, or name two turns.
pub fn shown_orientation(file: &[u8], limits: &Limits) -> Result<Orientation, DecodeError> {
    let format = recognise(file, limits)?;
    format.fenced(|| {
        if format.kind == ImageFormat::Tiff {
            tiff::check(file, limits)?;
        }
        turns::shown(format, file)
    })
}

/// Whether a file with this beginning is of a format whose pictures are decoded, or would be if they were of the usual kind.
pub fn is_picture(beginning: &[u8]) -> bool {
    Format::of(beginning).is_some() || tiff::is_big(beginning)
}

fn recognise(file: &[u8], limits: &Limits) -> Result<Format, DecodeError> {
    if file.len() > limits.file_bytes {
        return Err(DecodeError::FileTooLarge { limit: limits.file_bytes });
    }
    if tiff::is_big(file) {
        let reason = "it is a BigTIFF; save it as a TIFF of the usual kind".into();
        return Err(DecodeError::Unsupported { format: "TIFF", reason });
    }
    Format::of(file).ok_or(DecodeError::UnknownFormat)
}
