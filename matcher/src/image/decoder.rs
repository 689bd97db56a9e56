//! One way into all decoders, which checks what a file claims before it costs anything.

use super::chunks::LeanPng;
use super::{Channels, DecodeError, Limits, Picture, tiff};
use ::image::codecs::png::PngDecoder;
use ::image::codecs::tiff::TiffDecoder;
use ::image::error::{UnsupportedError, UnsupportedErrorKind};
use ::image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageReader};
use std::io::{Cursor, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// No frame, strip or tile counts as fewer pixels: each costs something beside them.
pub(super) const LEAST_PIXELS: u64 = 1000;

/// A format that is decoded.
#[derive(Clone, Copy)]
pub(super) struct Format {
    pub(super) kind: ImageFormat,
    pub(super) name: &'static str,
    /// What the decoder may hold for each pixel beside its result, where it keeps no account itself: for JPEG the
    /// coefficients of a progressive one, for WebP the planes before colour conversion.
    hidden_bytes: u64,
}

impl Format {
    /// The format of `file`, by its first bytes.
    pub(super) fn of(file: &[u8]) -> Option<Self> {
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

    /// Does `work`. A panic in a decoder becomes an error.
    pub(super) fn fenced<T>(self, work: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        let outcome = catch_unwind(AssertUnwindSafe(work));
        outcome.unwrap_or(Err(DecodeError::DecoderFailed { format: self.name }))
    }

    pub(super) fn error(self, error: ImageError, limits: &Limits) -> DecodeError {
        let format = self.name;
        match error {
            ImageError::Limits(_) => DecodeError::TooMuchMemory { limit: limits.memory },
            ImageError::Unsupported(error) => DecodeError::Unsupported { format, reason: lacking(&error) },
            ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
                DecodeError::Incomplete { format }
            }
            error if is_end_of_gif(&error) => DecodeError::Incomplete { format },
            error => DecodeError::Malformed { format, reason: error.to_string() },
        }
    }
}

/// What can't be decoded, without the decoder's own names of it.
fn lacking(error: &UnsupportedError) -> String {
    match error.kind() {
        UnsupportedErrorKind::Color(_) => "its colours are of a kind that is not known here".into(),
        UnsupportedErrorKind::GenericFeature(feature) => feature,
        _ => error.to_string(),
    }
}

/// The decoder of GIF has an error of its own for files that are cut.
fn is_end_of_gif(error: &ImageError) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<gif::DecodingError>());
    matches!(cause, Some(gif::DecodingError::UnexpectedEof))
}

/// Decodes a picture.
pub(super) fn decode(format: Format, file: &[u8], limits: &Limits) -> Result<Picture, DecodeError> {
    let error = |error| format.error(error, limits);
    let mut decoder = open(format, file, limits).map_err(error)?;
    let (width, height) = decoder.dimensions();
    let pixels = check_pixels((width, height), limits)?;
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

/// The number of pixels, if it is within the limits.
pub(super) fn check_pixels((width, height): (u32, u32), limits: &Limits) -> Result<u64, DecodeError> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.pixels {
        return Err(DecodeError::TooManyPixels { width, height, limit: limits.pixels });
    }
    Ok(pixels)
}

/// A decoder that has read the head of `file`.
fn open<'f>(format: Format, file: &'f [u8], limits: &Limits) -> Result<Box<dyn ImageDecoder + 'f>, ImageError> {
    if format.kind == ImageFormat::Png {
        return Ok(Box::new(png(file, limits)?));
    }
    if format.kind == ImageFormat::Tiff {
        return Ok(Box::new(TiffDecoder::new(tiff::reader(file, limits))?));
    }
    let mut reader = ImageReader::with_format(Cursor::new(file), format.kind);
    reader.limits(memory_limit(limits.memory));
    Ok(Box::new(reader.into_decoder()?))
}

/// The same for PNG.
pub(super) fn png<'f>(file: &'f [u8], limits: &Limits) -> Result<PngDecoder<LeanPng<'f>>, ImageError> {
    PngDecoder::with_limits(LeanPng::of(file), memory_limit(limits.memory))
}

pub(super) fn memory_limit(bytes: u64) -> ::image::Limits {
    let mut limits = ::image::Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}

fn unsupported(format: Format, reason: &str) -> DecodeError {
    DecodeError::Unsupported { format: format.name, reason: reason.into() }
}

/// How a decoder lays out a pixel, and what is kept of it.
pub(super) struct Layout {
    pub(super) channels: Channels,
    /// Bytes in a pixel, with transparency.
    pixel_bytes: usize,
    /// Bytes in one channel of it.
    sample_bytes: usize,
}

impl Layout {
    pub(super) fn of(colours: ColorType) -> Option<Self> {
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
    pub(super) fn reduce(&self, data: &mut Vec<u8>) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use ::image::codecs::png::PngEncoder;
    use ::image::{ExtendedColorType, ImageEncoder};

    /// A kilobyte of file can hold a profile of a megabyte.
    #[test]
    fn a_profile_in_a_png_is_never_inflated() {
        let (mut file, profile) = (Vec::new(), vec![0; 1 << 20]);
        let mut encoder = PngEncoder::new(&mut file);
        encoder.set_icc_profile(profile.clone()).unwrap();
        encoder.write_image(&[7; 64 * 64], 64, 64, ExtendedColorType::L8).unwrap();
        assert!(file.len() < profile.len() / 100, "{} bytes", file.len());
        let limits = Limits::default();
        let mut alone = PngDecoder::new(Cursor::new(&file)).unwrap();
        assert_eq!(alone.icc_profile().unwrap(), Some(profile), "the decoder inflates what it is given");
        assert_eq!(png(&file, &limits).unwrap().icc_profile().unwrap(), None);
        let format = Format::of(&file).unwrap();
        assert_eq!(open(format, &file, &limits).unwrap().icc_profile().unwrap(), None);
        assert_eq!(decode(format, &file, &limits).unwrap().data(), [7; 64 * 64]);
    }
}
