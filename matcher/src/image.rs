//! Pictures, and how their files are decoded.
//!
//! Formats are recognised by content, never by name: JPEG, PNG, GIF, BMP, WebP and TIFF. Of an animation the first frame
//! counts. What comes out are the pixels *as they are stored*, as other implementations of `pdq/full` hash them:
//!
//! - A rotation in the metadata (Exif) is not applied. Whoever wants to match a picture as it is shown compares
//!   all [`Orientation`](crate::pdq::Orientation)s.
//! - Transparency is dropped and the colour below it counts, whatever it is.
//! - Of 16 bits a channel, the upper eight count.
//! - Colour profiles are not applied. CMYK becomes R = (255 − C) · (255 − K) / 255, and so on.
//!
//! A file that is incomplete gives an error, not half a picture: what is missing would count as grey.
//!
//! Decoders differ by a bit or two of colour in lossy formats, which moves a PDQ hash by some bits at most.

use ::image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageReader};
use std::io::{Cursor, ErrorKind};

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

/// Decodes the picture in `file`.
pub fn decode(file: &[u8], limits: &Limits) -> Result<Picture, DecodeError> {
    if file.len() > limits.file_bytes {
        return Err(DecodeError::FileTooLarge { limit: limits.file_bytes });
    }
    let format = Format::of(file).ok_or(DecodeError::UnknownFormat)?;
    if format.kind == ImageFormat::Jpeg && !jpeg_is_complete(file) {
        return Err(DecodeError::Incomplete { format: format.name });
    }
    let outcome = std::panic::catch_unwind(|| decode_as(format, file, limits));
    outcome.unwrap_or(Err(DecodeError::DecoderFailed { format: format.name }))
}

/// A format that is decoded.
#[derive(Clone, Copy)]
struct Format {
    kind: ImageFormat,
    name: &'static str,
    /// What the decoder may hold for each pixel beside its result, where it keeps no account itself: for JPEG the
    /// coefficients of a progressive one, for WebP the planes before colour conversion.
    hidden_bytes: u64,
}

impl Format {
    /// The format of `file`, by its first bytes.
    fn of(file: &[u8]) -> Option<Self> {
        let kind = ::image::guess_format(file).ok()?;
        let (name, hidden_bytes) = match kind {
            ImageFormat::Jpeg => ("JPEG", 6),
            ImageFormat::Png => ("PNG", 0),
            ImageFormat::Gif => ("GIF", 0),
            ImageFormat::Bmp => ("BMP", 0),
            ImageFormat::WebP => ("WebP", 4),
            ImageFormat::Tiff => ("TIFF", 0),
            _ => return None,
        };
        Some(Self { kind, name, hidden_bytes })
    }

    fn error(self, error: ImageError, limits: &Limits) -> DecodeError {
        let format = self.name;
        match error {
            ImageError::Limits(_) => DecodeError::TooMuchMemory { limit: limits.memory },
            ImageError::Unsupported(error) => DecodeError::Unsupported { format, reason: error.to_string() },
            ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
                DecodeError::Incomplete { format }
            }
            error => DecodeError::Malformed { format, reason: error.to_string() },
        }
    }
}

fn decode_as(format: Format, file: &[u8], limits: &Limits) -> Result<Picture, DecodeError> {
    let error = |error| format.error(error, limits);
    let mut reader = ImageReader::with_format(Cursor::new(file), format.kind);
    reader.limits(memory_limit(limits.memory));
    let mut decoder = reader.into_decoder().map_err(error)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.pixels {
        return Err(DecodeError::TooManyPixels { width, height, limit: limits.pixels });
    }
    let result_bytes = decoder.total_bytes();
    let rest = limits.memory.checked_sub(result_bytes.saturating_add(pixels * format.hidden_bytes));
    let (Some(rest), Ok(result_bytes)) = (rest, usize::try_from(result_bytes)) else {
        return Err(DecodeError::TooMuchMemory { limit: limits.memory });
    };
    decoder.set_limits(memory_limit(rest)).map_err(error)?;
    let layout = Layout::of(decoder.color_type());
    let layout = layout.ok_or_else(|| unsupported(format, "its colours are floating-point numbers"))?;
    let mut data = vec![0; result_bytes];
    decoder.read_image(&mut data).map_err(error)?;
    layout.reduce(&mut data);
    let picture = Picture::new(width as usize, height as usize, layout.channels, data);
    picture.ok_or(DecodeError::Malformed { format: format.name, reason: "it has no pixels".into() })
}

fn memory_limit(bytes: u64) -> ::image::Limits {
    let mut limits = ::image::Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}

fn unsupported(format: Format, reason: &str) -> DecodeError {
    DecodeError::Unsupported { format: format.name, reason: reason.into() }
}

/// How a decoder lays out a pixel, and what is kept of it.
struct Layout {
    channels: Channels,
    /// Bytes in a pixel, with transparency.
    pixel_bytes: usize,
    /// Bytes in one channel of it.
    sample_bytes: usize,
}

impl Layout {
    fn of(colours: ColorType) -> Option<Self> {
        let (channels, samples, sample_bytes) = match colours {
            ColorType::L8 => (Channels::Grey, 1, 1),
            ColorType::La8 => (Channels::Grey, 2, 1),
            ColorType::Rgb8 => (Channels::Rgb, 3, 1),
            ColorType::Rgba8 => (Channels::Rgb, 4, 1),
            ColorType::L16 => (Channels::Grey, 1, 2),
            ColorType::La16 => (Channels::Grey, 2, 2),
            ColorType::Rgb16 => (Channels::Rgb, 3, 2),
            ColorType::Rgba16 => (Channels::Rgb, 4, 2),
            _ => return None,
        };
        Some(Self { channels, pixel_bytes: samples * sample_bytes, sample_bytes })
    }

    /// Keeps the upper byte of each channel that counts, in place.
    fn reduce(&self, data: &mut Vec<u8>) {
        let kept = self.channels.count();
        if kept == self.pixel_bytes {
            return;
        }
        let upper = if cfg!(target_endian = "big") { 0 } else { self.sample_bytes - 1 };
        let pixels = data.len() / self.pixel_bytes;
        for pixel in 0..pixels {
            for channel in 0..kept {
                let from = pixel * self.pixel_bytes + channel * self.sample_bytes + upper;
                data[pixel * kept + channel] = data[from];
            }
        }
        data.truncate(pixels * kept);
        data.shrink_to_fit();
    }
}

/// Whether the image data of a JPEG file has an end (marker D9), which the decoder does not insist on.
///
/// Segments before the image data are stepped over, since a thumbnail in one of them has an end of its own.
fn jpeg_is_complete(file: &[u8]) -> bool {
    const END: u8 = 0xd9;
    const START_OF_SCAN: u8 = 0xda;
    let mut rest = file.get(2..).unwrap_or_default();
    while let [0xff, marker, after @ ..] = rest {
        rest = match (*marker, after) {
            (START_OF_SCAN, _) => break,
            (0xff, _) => &rest[1..],
            (0x01 | 0xd0..=0xd8, _) => after,
            (_, [high, low, ..]) => after.get(usize::from(u16::from_be_bytes([*high, *low]))..).unwrap_or_default(),
            _ => return false,
        };
    }
    rest.windows(2).any(|pair| pair == [0xff, END])
}
