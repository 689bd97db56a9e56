//! Decoding: incomplete, damaged and malicious files give an error in bounded memory, and never a panic.

use ::image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, Rgba};
use isonomy_matcher::image::{Channels, DecodeError, Limits, Picture, decode};
use proptest::prelude::*;
use std::io::Cursor;

const ENCODINGS: [&str; 12] = [
    "alpha.png",
    "cmyk.jpg",
    "grey.jpg",
    "lossless.webp",
    "lossy.webp",
    "lzw.tiff",
    "palette.gif",
    "palette.png",
    "progressive.jpg",
    "rgb.bmp",
    "rgb.jpg",
    "rotated_by_exif.jpg",
];

fn encoded(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../tests/data/decode/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn decode_default(file: &[u8]) -> Result<Picture, DecodeError> {
    decode(file, &Limits::default())
}

fn encode(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A PNG file of one chunk of claims and nothing to fulfil them.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    file.extend(width.to_be_bytes());
    file.extend(height.to_be_bytes());
    file.extend([8, 2, 0, 0, 0]);
    let checksum = crc32(&file[12..]);
    file.extend(checksum.to_be_bytes());
    file.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn every_encoding_is_recognised_by_content() {
    for name in ENCODINGS {
        let picture = decode_default(&encoded(name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (120, 80), "{name}");
        let expected = if name == "grey.jpg" { Channels::Grey } else { Channels::Rgb };
        assert_eq!(picture.channels(), expected, "{name}");
    }
    for other in [&b""[..], b"\xff\xd8", b"plain text", b"<svg></svg>", b"farbfeld\0\0\0\x01\0\0\0\x01"] {
        assert_eq!(decode_default(other), Err(DecodeError::UnknownFormat));
    }
}

#[test]
fn a_rotation_in_the_metadata_is_not_applied() {
    assert_eq!(decode_default(&encoded("rotated_by_exif.jpg")), decode_default(&encoded("rgb.jpg")));
}

#[test]
fn cmyk_is_not_the_complement() {
    let (cmyk, rgb) = (decode_default(&encoded("cmyk.jpg")).unwrap(), decode_default(&encoded("rgb.bmp")).unwrap());
    let apart: u64 = cmyk.data().iter().zip(rgb.data()).map(|(one, other)| u64::from(one.abs_diff(*other))).sum();
    assert!(apart / (rgb.data().len() as u64) < 8, "{apart}");
}

#[test]
fn transparency_is_dropped_and_the_colour_below_it_counts() {
    let file = encode(ImageBuffer::from_pixel(6, 5, Rgba([10u8, 20, 30, 0])), ImageFormat::Png);
    let expected = Picture::new(6, 5, Channels::Rgb, [10, 20, 30].repeat(30));
    assert_eq!(decode_default(&file).ok(), expected);
}

#[test]
fn of_sixteen_bits_the_upper_eight_count() {
    let colour = ImageBuffer::from_fn(6, 5, |x, y| Rgb([x as u16 * 256 + 255, y as u16 * 256 + 128, 0xff7f]));
    let grey = ImageBuffer::from_fn(6, 5, |x, _| Luma([x as u16 * 256 + 255]));
    let pixels = |pixel: fn(u8, u8) -> Vec<u8>| (0..30).flat_map(|at| pixel(at % 6, at / 6)).collect();
    let colour_pixels = Picture::new(6, 5, Channels::Rgb, pixels(|x, y| vec![x, y, 0xff]));
    let grey_pixels = Picture::new(6, 5, Channels::Grey, pixels(|x, _| vec![x]));
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        assert_eq!(decode_default(&encode(colour.clone(), format)).ok(), colour_pixels, "{format:?}");
        assert_eq!(decode_default(&encode(grey.clone(), format)).ok(), grey_pixels, "{format:?}");
    }
}

#[test]
fn incomplete_files_are_refused_unless_all_pixels_are_there() {
    for name in ENCODINGS {
        let file = encoded(name);
        let whole = decode_default(&file);
        for kept in (0..file.len()).step_by(101) {
            let outcome = decode_default(&file[..kept]);
            assert!(outcome.is_err() || outcome == whole, "{kept} of {} bytes of {name}", file.len());
        }
    }
    let jpeg = encoded("rgb.jpg");
    assert_eq!(decode_default(&jpeg[..jpeg.len() - 2]), Err(DecodeError::Incomplete { format: "JPEG" }));
}

#[test]
fn incomplete_photographs_are_refused() {
    for name in ["astronaut.png", "camera.png", "rocket.jpg", "retina.jpg"] {
        let path = format!("{}/../photos/{name}", env!("CARGO_MANIFEST_DIR"));
        let file = std::fs::read(path).unwrap();
        let format = if name.ends_with(".png") { "PNG" } else { "JPEG" };
        for kept in [100, file.len() / 2, file.len() - 100] {
            assert_eq!(
                decode_default(&file[..kept]),
                Err(DecodeError::Incomplete { format }),
                "{kept} bytes of {name}"
            );
        }
    }
}

#[test]
fn the_end_of_a_thumbnail_is_not_the_end_of_the_picture() {
    let file = encoded("rgb.jpg");
    let mut with_thumbnail = file[..2].to_vec();
    with_thumbnail.extend(b"\xff\xe1\0\x08Exif\xff\xd9");
    with_thumbnail.extend(&file[2..]);
    assert_eq!(decode_default(&with_thumbnail), decode_default(&file));
    let half = &with_thumbnail[..with_thumbnail.len() / 2];
    assert_eq!(decode_default(half), Err(DecodeError::Incomplete { format: "JPEG" }));
}

#[test]
fn a_picture_larger_than_the_limits_is_refused_by_its_header() {
    let limit = Limits::default().pixels;
    let refusal = DecodeError::TooManyPixels { width: 65_535, height: 65_535, limit };
    assert_eq!(decode_default(&png_header(65_535, 65_535)), Err(refusal));

    let file = encoded("rgb.jpg");
    let few_pixels = Limits { pixels: 120 * 80 - 1, ..Limits::default() };
    assert!(matches!(decode(&file, &few_pixels), Err(DecodeError::TooManyPixels { .. })));
    let small_file = Limits { file_bytes: file.len() - 1, ..Limits::default() };
    assert_eq!(decode(&file, &small_file), Err(DecodeError::FileTooLarge { limit: file.len() - 1 }));
    for name in ENCODINGS {
        let little_memory = Limits { memory: 120 * 80 / 2, ..Limits::default() };
        let refusal = DecodeError::TooMuchMemory { limit: little_memory.memory };
        assert_eq!(decode(&encoded(name), &little_memory), Err(refusal), "{name}");
    }
}

#[test]
fn a_frame_beyond_the_canvas_takes_no_memory() {
    let mut file = encoded("palette.gif");
    let frame = file.windows(9).position(|bytes| bytes == [0x2c, 0, 0, 0, 0, 120, 0, 80, 0]).unwrap();
    file[frame + 5..frame + 9].fill(0xff);
    assert_eq!(decode_default(&file), Err(DecodeError::TooMuchMemory { limit: Limits::default().memory }));
}

#[test]
fn floating_point_colours_are_refused() {
    let file = encode(ImageBuffer::from_pixel(6, 5, Rgb([0.5f32, 0.5, 0.5])), ImageFormat::Tiff);
    assert!(matches!(decode_default(&file), Err(DecodeError::Unsupported { format: "TIFF", .. })));
}

const SMALL: Limits = Limits { file_bytes: 1 << 20, pixels: 1 << 20, memory: 16 << 20 };

const STARTS: [&[u8]; 8] =
    [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\xff\0\0\0WEBPVP8 ", b"II*\0", b"MM\0*", b"BM"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_bytes_never_panic(
        start in proptest::sample::select(&STARTS[..]),
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let outcome = decode(&[start, &bytes].concat(), &SMALL);
        let panicked = matches!(outcome, Err(DecodeError::DecoderFailed { .. }));
        prop_assert!(!panicked);
    }

    #[test]
    fn damaged_files_never_panic(
        name in proptest::sample::select(&ENCODINGS[..]),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        kept in any::<prop::sample::Index>(),
    ) {
        let mut file = encoded(name);
        for (at, byte) in changes {
            let at = at.index(file.len().min(600));
            file[at] = byte;
        }
        let whole = decode(&file, &SMALL);
        if let Ok(picture) = &whole {
            prop_assert!((picture.width() * picture.height()) as u64 <= SMALL.pixels);
        }
        let part = decode(&file[..kept.index(file.len())], &SMALL);
        for outcome in [whole, part] {
            prop_assert!(!matches!(outcome, Err(DecodeError::DecoderFailed { .. })), "{outcome:?}");
        }
    }
}
