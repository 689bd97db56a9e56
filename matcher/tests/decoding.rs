//! Decoding: incomplete, damaged and malicious files give an error in bounded memory, and never a panic.

use ::image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, Rgba};
use isonomy_core::list::Algorithm;
use isonomy_matcher::image::{
    Channels, DecodeError, Ended, Limits, MAX_FRAMES, OnlyBeginning, Picture, count, decode, each_frame,
    each_frame_unless, shown_orientation,
};
use isonomy_matcher::pdq::{self, Orientation};
use isonomy_matcher::{Orientations, Subject};
use proptest::prelude::*;
use std::io::Cursor;

#[path = "decoding/costly.rs"]
mod costly;
#[path = "decoding/turns.rs"]
mod turns;

const ENCODINGS: [&str; 14] = [
    "alpha.png",
    "cmyk.jpg",
    "grey.jpg",
    "lossless.webp",
    "lossy.webp",
    "lzw.tiff",
    "palette.gif",
    "palette.png",
    "progressive.jpg",
    "progressive_grey.jpg",
    "restarts.jpg",
    "rgb.bmp",
    "rgb.jpg",
    "rotated_by_exif.jpg",
];

fn encoded(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../tests/data/decode/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn photograph(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../photos/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
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
        let expected = if name.ends_with("grey.jpg") { Channels::Grey } else { Channels::Rgb };
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
fn a_rotation_in_the_metadata_is_told() {
    let shown = |name: &str| shown_orientation(&encoded(name), &Limits::default());
    assert_eq!(shown("rgb.jpg"), Ok(Orientation::Original));
    assert_eq!(shown("palette.gif"), Ok(Orientation::Original));
    assert_ne!(shown("rotated_by_exif.jpg"), Ok(Orientation::Original));
    // All eight values of the tag, held against what the decoder's own library makes of them.
    let photograph = ::image::load_from_memory(&photograph("chelsea.png")).unwrap();
    let stored = Picture::new(451, 300, Channels::Rgb, photograph.to_rgb8().into_raw()).unwrap();
    let hashes = pdq::hash_orientations(&stored);
    for tag in 1..=8u8 {
        let file = with_orientation(&encoded("rgb.jpg"), tag);
        let orientation = shown_orientation(&file, &Limits::default()).unwrap();
        let mut turned = photograph.clone();
        turned.apply_orientation(::image::metadata::Orientation::from_exif(tag).unwrap());
        let turned = turned.to_rgb8();
        let size = (turned.width() as usize, turned.height() as usize);
        let picture = Picture::new(size.0, size.1, Channels::Rgb, turned.into_raw()).unwrap();
        let place = Orientation::ALL.iter().position(|known| *known == orientation).unwrap();
        let apart = pdq::distance(&pdq::hash(&picture).hash, &hashes[place].hash);
        assert!(apart <= 12, "tag {tag}, {orientation:?}: {apart} bits");
    }
}

#[test]
fn each_picture_in_a_file_comes_with_its_own_turn() {
    let turns = |file: &[u8]| {
        let mut turns = Vec::new();
        assert_eq!(each_frame(file, &Limits::default(), |_, turn| turns.push(turn)), Ok(None));
        turns
    };
    let (plain, turned) = (encoded("rgb.jpg"), with_orientation(&encoded("grey.jpg"), 6));
    let (original, other) = (Some(Orientation::Original), Some(Orientation::Rotate270));
    assert_eq!(turns(&[&plain[..], &turned].concat()), [original, other]);
    assert_eq!(turns(&[&turned[..], &plain].concat()), [other, original]);
    assert_eq!(turns(&listing(&plain, &[&turned, &plain])), [original, other, original]);
    // Of a TIFF each page, by its own field 274, the last one; 284 stands in its place otherwise.
    let mut file = tiff(&[7, 9, 250]);
    let field = |file: &[u8], page: u8| {
        let heads: Vec<_> = file.windows(8).enumerate().filter(|(_, head)| *head == TIFF_LAST_FIELD).collect();
        heads[usize::from(page)].0
    };
    let second = field(&file, 1);
    file[second..second + 12].copy_from_slice(&[0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
    assert_eq!(turns(&file), [original, other, original]);
    // What can't be read is not taken for none.
    let third = field(&file, 1);
    file[third..third + 12].copy_from_slice(&[0x12, 1, 3, 0, 9, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(turns(&file), [original, other, None]);
}

#[test]
fn what_is_turned_by_itself_or_by_the_first_is_looked_up_both_ways() {
    let (plain, turned) = (encoded("rgb.jpg"), with_orientation(&photograph("rocket.jpg"), 6));
    let views = |file: &[u8], orientations| {
        let subject = Subject::of_file(&[Algorithm::PdqFull], file, &Limits::default(), orientations);
        subject.views().iter().map(|view| (view.frame, view.orientation)).collect::<Vec<_>>()
    };
    use Orientation::{Original, Rotate270};
    let both = [&plain[..], &turned].concat();
    assert_eq!(views(&both, Orientations::Shown), [(0, Original), (1, Original), (1, Rotate270)]);
    assert_eq!(views(&both, Orientations::Stored), [(0, Original), (1, Original)]);
    assert_eq!(views(&both, Orientations::All).len(), 16);
    let both = [&turned[..], &plain].concat();
    assert_eq!(views(&both, Orientations::Shown), [(0, Original), (0, Rotate270), (1, Original), (1, Rotate270)]);
}

#[test]
fn a_turn_is_read_with_and_without_the_mark_of_exif_before_it() {
    let field = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    for mark in [&b""[..], b"Exif\0\0"] {
        let exif = [mark, field].concat();
        let still = with_exif(&encoded("lossless.webp"), 120, 80, &exif);
        assert_eq!(decode_default(&still), decode_default(&encoded("lossless.webp")));
        assert_eq!(shown_orientation(&still, &Limits::default()), Ok(Orientation::Rotate270), "{mark:?}");
    }
}

/// A WebP of one picture of this size, with metadata.
fn with_exif(webp: &[u8], width: u32, height: u32, exif: &[u8]) -> Vec<u8> {
    let mut chunks = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0".to_vec();
    chunks.extend(&(width - 1).to_le_bytes()[..3]);
    chunks.extend(&(height - 1).to_le_bytes()[..3]);
    chunks.extend(&webp[12..]);
    chunks.extend([&b"EXIF"[..], &(exif.len() as u32).to_le_bytes(), exif].concat());
    [&b"RIFF"[..], &(chunks.len() as u32).to_le_bytes(), &chunks].concat()
}

/// A JPEG file with metadata of one field: the orientation.
fn with_orientation(jpeg: &[u8], tag: u8) -> Vec<u8> {
    let mut segment = b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    segment.extend([tag, 0, 0, 0, 0, 0, 0]);
    assert_eq!(segment.len(), 2 + 0x22);
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

/// An animation of so many grey frames of this many milliseconds each.
fn gif(frames: usize, delay: u32, side: u32) -> Vec<u8> {
    animation(&vec![delay; frames], side)
}

/// An animation of grey frames that are shown for so many milliseconds.
fn shown(delays: &[u32]) -> Vec<u8> {
    animation(delays, 8)
}

fn animation(delays: &[u32], side: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = ::image::codecs::gif::GifEncoder::new_with_speed(&mut file, 30);
    for (number, &delay) in delays.iter().enumerate() {
        let grey = (number % 250) as u8;
        let image = ImageBuffer::from_pixel(side, side, Rgba([grey, grey, grey, 255]));
        let delay = ::image::Delay::from_numer_denom_ms(delay, 1);
        encoder.encode_frame(::image::Frame::from_parts(image, 0, 0, delay)).unwrap();
    }
    drop(encoder);
    file
}

/// The greys of the frames that were visited, and how far the animation was looked at if not to its end.
fn looked_at(file: &[u8], limits: &Limits) -> (Vec<u8>, Option<OnlyBeginning>) {
    let mut greys = Vec::new();
    let only = each_frame(file, limits, |frame, _| greys.push(frame.data()[0])).unwrap();
    (greys, only)
}

/// The greys of a file that is looked at to its end.
fn greys(file: &[u8], limits: &Limits) -> Vec<u8> {
    let (greys, only) = looked_at(file, limits);
    assert_eq!(only, None);
    greys
}

#[test]
fn of_a_short_animation_all_frames_count_and_of_a_long_one_those_that_are_seen() {
    let limits = Limits::default();
    let more = MAX_FRAMES + 1;
    let count = |file: &[u8]| greys(file, &limits).len();
    assert_eq!(greys(&gif(1, 100, 8), &limits), [0]);
    assert_eq!(greys(&gif(3, 2500, 8), &limits), [0, 1, 2]);
    assert_eq!(greys(&gif(35, 100, 8), &limits), Vec::from_iter(0..35));
    assert_eq!(count(&gif(MAX_FRAMES, 1000, 8)), MAX_FRAMES);
    // One in each second; where frames say that they are not shown at all, that is ten frames.
    assert_eq!(count(&gif(more, 50, 8)), more.div_ceil(20));
    assert_eq!(greys(&gif(more, 0, 8), &limits)[..4], [0, 10, 20, 30]);
    assert_eq!(count(&gif(more, 0, 8)), more.div_ceil(10));
    // One that is on show for the most of the time, after one that is there for a moment.
    assert_eq!(greys(&shown(&[50, 940]), &limits), [0, 1]);
    // Of a second, the longest; and whatever lasts, however many in a second. All before take 20 seconds.
    let many = |more: &[u32]| {
        let seen = greys(&shown(&[&[20; MAX_FRAMES][..], more].concat()), &limits);
        let before = MAX_FRAMES / 50;
        seen[before..].iter().map(|grey| usize::from(*grey)).collect::<Vec<_>>()
    };
    assert_eq!(many(&[60, 90, 50]), [1]);
    assert_eq!(many(&[60, 50, 210, 30]), [2]);
    assert_eq!(many(&[60, 50, 210, 700, 30]), [2, 3, 4], "30 ms begin in the next second");
    assert_eq!(many(&[0, 200, 200, 210]), [1, 2, 3]);
    assert_eq!(greys(&encoded("rgb.jpg"), &limits).len(), 1);
    assert!(each_frame(&gif(35, 100, 8)[..20], &limits, |_, _| panic!("there is none")).is_err());
}

#[test]
fn an_animation_that_is_not_looked_at_to_its_end_says_so() {
    let limits = Limits::default();
    let (greys, only) = looked_at(&gif(MAX_FRAMES + 9, 1000, 8), &limits);
    assert_eq!((greys.len(), only), (MAX_FRAMES, Some(OnlyBeginning { frames: MAX_FRAMES, why: Ended::TooLong })));
    let few = Limits { pixels: 1000 * 12, ..limits };
    let too_many = || Some(OnlyBeginning { frames: 12, why: Ended::TooManyPixels { limit: few.pixels } });
    assert_eq!(looked_at(&gif(35, 100, 8), &few), (Vec::from_iter(0..12), too_many()));
    assert_eq!(looked_at(&gif(MAX_FRAMES + 9, 100, 8), &few), (vec![0, 10], too_many()));
    let file = gif(35, 100, 8);
    let (greys, only) = looked_at(&file[..file.len() / 2], &limits);
    let only = only.unwrap();
    assert_eq!((greys, only.frames), (Vec::from_iter(0..17), 17), "what is left is short");
    assert_eq!(only.why, Ended::Damaged(DecodeError::Incomplete { format: "GIF" }));
    assert!(only.to_string().starts_with("only the first 17 pictures in the file were looked at: "), "{only}");
    assert_eq!(looked_at(&gif(12, 100, 8), &few).1, None, "all of exactly as many pixels as the limit");
}

#[test]
fn no_cut_animation_is_taken_for_a_whole_one() {
    let files = ["animated.webp", "animated.png", "animated_beside_still.png"].map(encoded);
    for file in files.into_iter().chain([gif(12, 100, 8)]) {
        for kept in 0..file.len() {
            let outcome = each_frame(&file[..kept], &Limits::default(), |_, _| ());
            // The last bytes of a GIF and a PNG say nothing but that it ends.
            let lacks_nothing_but_the_end = kept >= file.len() - 12;
            assert!(outcome != Ok(None) || lacks_nothing_but_the_end, "{kept} of {} bytes", file.len());
        }
    }
}

/// One frame as large as the canvas, and then such that are four times as large.
fn bomb(frames: usize) -> Vec<u8> {
    // Its descriptor follows the header, the table of colours and the extension with the delay.
    let frame_of = |file: &[u8]| {
        let descriptor = file.windows(5).position(|bytes| bytes == [0x2c, 0, 0, 0, 0]).unwrap();
        file[descriptor - 8..file.len() - 1].to_vec()
    };
    let (small, large) = (gif(1, 100, 40), gif(1, 100, 80));
    [&small[..small.len() - 1], &frame_of(&large).repeat(frames), b";"].concat()
}

#[test]
fn frames_beyond_the_canvas_count_with_all_their_pixels() {
    let limits = |pixels| Limits { pixels, ..Limits::default() };
    let frames = |pixels| looked_at(&bomb(40), &limits(pixels)).1.map(|only| only.frames);
    assert_eq!(frames(1600 + 40 * 6400), None);
    assert_eq!(frames(1600 + 40 * 6400 - 1), Some(40));
    assert_eq!(frames(1600 + 3 * 6400), Some(4));
    assert_eq!(frames(6400), Some(1));
    // The first frame, too.
    let first = bomb(1);
    let mut first = [&first[..6], &gif(1, 100, 80)[6..]].concat();
    first[6..10].copy_from_slice(&[40, 0, 40, 0]);
    assert!(decode(&first, &limits(6400)).is_ok());
    let refusal = DecodeError::TooManyPixels { width: 80, height: 80, limit: 6399 };
    assert_eq!(decode(&first, &limits(6399)), Err(refusal));
}

#[test]
fn other_animations_are_sampled_in_the_same_way() {
    // The decoder of WebP lays a frame upon the one before with an error of up to 1.
    for (name, tenth, twentieth) in [("animated.webp", 9, 19), ("animated.png", 10, 20)] {
        let all = greys(&encoded(name), &Limits::default());
        assert_eq!((all.len(), all[0], all[10], all[20]), (25, 0, tenth, twentieth), "{name}");
        let few = Limits { pixels: 1000 * 12, ..Limits::default() };
        let (greys, only) = looked_at(&encoded(name), &few);
        assert_eq!((greys, only.map(|only| only.frames)), (all[..12].to_vec(), Some(12)), "{name}");
        assert_eq!(decode_default(&encoded(name)).unwrap().data()[0], 0, "{name}");
    }
}

/// How the last field of a page begins that [`tiff`] makes; it says nothing of use.
const TIFF_LAST_FIELD: [u8; 8] = [0x1c, 1, 4, 0, 1, 0, 0, 0];

/// A TIFF with a page for each of these greys. Directories lie before their pixels.
fn tiff(greys: &[u8]) -> Vec<u8> {
    const PAGE: u32 = 2 + 10 * 12 + 4 + 64;
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    for (number, grey) in greys.iter().enumerate() {
        let start = 8 + number as u32 * PAGE;
        file.extend(10u16.to_le_bytes());
        let pixels = start + PAGE - 64;
        let fields = [(256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, pixels), (277, 1), (278, 8), (279, 64)];
        let fields = fields.into_iter().chain([(284, 1)]);
        for (tag, value) in fields {
            file.extend([u16::to_le_bytes(tag), u16::to_le_bytes(4)].concat());
            file.extend([u32::to_le_bytes(1), u32::to_le_bytes(value)].concat());
        }
        file.extend(if number + 1 == greys.len() { 0 } else { start + PAGE }.to_le_bytes());
        file.extend([*grey; 64]);
    }
    file
}

#[test]
fn every_page_of_a_tiff_is_looked_at() {
    assert_eq!(greys(&tiff(&[7]), &Limits::default()), [7]);
    assert_eq!(greys(&tiff(&[7, 9, 250]), &Limits::default()), [7, 9, 250]);
    assert_eq!(count(&tiff(&[7, 9, 250]), &Limits::default()), 3);
    let few = Limits { pixels: 1000 * 2, ..Limits::default() };
    let (greys, only) = looked_at(&tiff(&[7, 9, 250]), &few);
    let why = Ended::TooManyPixels { limit: few.pixels };
    assert_eq!((greys, only), (vec![7, 9], Some(OnlyBeginning { frames: 2, why })));
    let whole = tiff(&[7, 9]);
    let (greys, only) = looked_at(&whole[..whole.len() - 70], &Limits::default());
    assert_eq!((greys, only.map(|only| only.frames)), (vec![7], Some(1)), "the second page is cut");
    let (greys, only) = looked_at(&tiff(&[7; MAX_FRAMES + 8]), &Limits::default());
    let expected = OnlyBeginning { frames: MAX_FRAMES, why: Ended::TooLong };
    assert_eq!((greys.len(), only), (MAX_FRAMES, Some(expected)));
}

/// The same, with another value in this field of each page.
fn with_field(mut file: Vec<u8>, tag: u16, value: u32) -> Vec<u8> {
    let head = [&tag.to_le_bytes()[..], &[4, 0, 1, 0, 0, 0]].concat();
    let places: Vec<usize> = (0..file.len() - 12).filter(|at| file[*at..].starts_with(&head)).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| file[at + 8..at + 12].copy_from_slice(&value.to_le_bytes()));
    file
}

#[test]
fn a_tiff_that_holds_jpeg_is_refused_before_it_is_decoded() {
    for kind in [6, 7] {
        let refusal = decode_default(&with_field(tiff(&[7]), 259, kind));
        let reason = "its data is JPEG".to_owned();
        assert_eq!(refusal, Err(DecodeError::Unsupported { format: "TIFF", reason }));
    }
    // A later page, too.
    let [mut file, other] = [tiff(&[7, 9]), with_field(tiff(&[7, 9]), 259, 7)];
    let second = 8 + 2 + 10 * 12 + 4 + 64;
    file[second..].copy_from_slice(&other[second..]);
    let (greys, only) = looked_at(&file, &Limits::default());
    let why = Ended::Damaged(DecodeError::Unsupported { format: "TIFF", reason: "its data is JPEG".into() });
    assert_eq!((greys, only), (vec![7], Some(OnlyBeginning { frames: 1, why })));
}

#[test]
fn a_tiff_that_is_not_read_is_told_why() {
    let unsupported = |reason: &str| Err(DecodeError::Unsupported { format: "TIFF", reason: reason.into() });
    // A field that nobody knows in the place of the one with the lengths of its strips.
    let file = tiff(&[7]);
    let at = file.windows(4).position(|head| head == [0x17, 1, 4, 0]).unwrap();
    let mut without = file.clone();
    without[at..at + 2].copy_from_slice(&[0, 0xc0]);
    let expected = unsupported("it does not say how long its strips are, as very old software wrote it");
    assert_eq!(decode_default(&without), expected);
    for head in [b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"] {
        let big = [&head[..], &[0; 100]].concat();
        assert_eq!(decode_default(&big), unsupported("it is a BigTIFF; save it as a TIFF of the usual kind"));
        assert!(isonomy_matcher::image::is_picture(&big) && shown_orientation(&big, &Limits::default()).is_err());
    }
}

/// What a picture after a JPEG asks for beside its own pixels counts for all of them together.
#[test]
fn pictures_after_a_jpeg_count_as_what_decoding_them_costs() {
    // A canvas of 8 × 8, and a first frame of 200 × 200 that begins on it.
    let gif = {
        let mut file = b"GIF89a\x08\0\x08\0\0\0\0".to_vec();
        let mut encoder = gif::Encoder::new(&mut file, 200, 200, &[0, 0, 0, 9, 9, 9]).unwrap();
        encoder.write_frame(&gif::Frame::from_indexed_pixels(200, 200, vec![1; 40_000], None)).unwrap();
        drop(encoder);
        // The encoder's own head instead, with the size of the small canvas.
        let mut file = file.split_off(13);
        file[6..10].copy_from_slice(&[8, 0, 8, 0]);
        file
    };
    let file = [encoded("grey.jpg"), gif.repeat(20)].concat();
    let limits = |pixels| Limits { pixels, ..Limits::default() };
    let (all, only) = looked_at(&file, &Limits::default());
    assert_eq!((all.len(), only), (21, None));
    let own = decode(&encoded("grey.jpg"), &Limits::default()).unwrap();
    let own = (own.width() * own.height()) as u64;
    let (some, only) = looked_at(&file, &limits(own + 5 * 40_000 + 100));
    assert_eq!((some.len(), only.map(|only| only.frames)), (6, Some(6)));
}

#[test]
fn a_turn_that_can_t_be_read_may_be_any() {
    let changed = |at: usize, to: u8| {
        let mut file = with_orientation(&encoded("grey.jpg"), 6);
        file[at] = to;
        shown_orientation(&file, &Limits::default())
    };
    assert_eq!(changed(25, 3), Ok(Orientation::Rotate270), "as it is");
    // Of another type, two of them, none that there is, and metadata that are none.
    for (at, to) in [(25, 4), (29, 2), (31, 9), (13, 0)] {
        assert!(matches!(changed(at, to), Err(DecodeError::Malformed { .. })), "{at}: {:?}", changed(at, to));
    }
    assert_eq!(changed(22, 2), Ok(Orientation::Original), "another field");
}

/// A TIFF of one pixel in a row, of which each row is a strip, and all are the same byte of the file.
fn strips(pages: usize, rows: u32) -> Vec<u8> {
    let (places, sizes) = (12, 12 + rows * 4);
    let mut file = [&b"II*\0"[..], &(sizes + rows * 4).to_le_bytes(), &[0x55; 4]].concat();
    file.extend(8u32.to_le_bytes().repeat(rows as usize));
    file.extend(1u32.to_le_bytes().repeat(rows as usize));
    with_pages(file, pages, [1, rows, 1], [(273, rows, places), (279, rows, sizes)])
}

/// The same with so many pages at its end, of this width and height, packed so; and where their strips are, and how long.
fn with_pages(
    mut file: Vec<u8>,
    pages: usize,
    [width, height, compression]: [u32; 3],
    [places, sizes]: [(u16, u32, u32); 2],
) -> Vec<u8> {
    for page in 1..=pages {
        let fields = [(256, 1, width), (257, 1, height), (258, 1, 8), (259, 1, compression), (262, 1, 1), places];
        file.extend(9u16.to_le_bytes());
        for (tag, count, value) in fields.into_iter().chain([(277, 1, 1), (278, 1, 1), sizes]) {
            file.extend([u16::to_le_bytes(tag), u16::to_le_bytes(4)].concat());
            file.extend([u32::to_le_bytes(count), u32::to_le_bytes(value)].concat());
        }
        let next = file.len() as u32 + 4;
        file.extend(if page == pages { 0 } else { next }.to_le_bytes());
    }
    file
}

#[test]
fn strips_of_a_tiff_count_as_more_than_their_pixels() {
    assert_eq!(looked_at(&strips(2, 100), &Limits::default()), (vec![0x55; 2], None));
    let limits = Limits { pixels: 1 << 20, ..Limits::default() };
    let expected = DecodeError::TooMuchWork { format: "TIFF", work: "2000 strips or tiles".into() };
    assert_eq!(decode(&strips(1, 2000), &limits), Err(expected.clone()));
    assert_eq!(shown_orientation(&strips(1, 2000), &limits), Err(expected));
    // They add up over the pages.
    let (greys, only) = looked_at(&strips(30, 100), &limits);
    let why = Ended::TooManyPixels { limit: limits.pixels };
    assert_eq!((greys.len(), only), (10, Some(OnlyBeginning { frames: 10, why })));
}

#[test]
fn a_file_of_several_pictures_is_given_up_when_nobody_waits_for_it() {
    let jpegs = [encoded("rgb.jpg"), encoded("grey.jpg"), encoded("grey.jpg")].concat();
    for file in [gif(9, 100, 8), encoded("animated.webp"), encoded("animated.png"), tiff(&[7, 9, 250]), jpegs] {
        for patience in 0..2 {
            let (asked, mut seen) = (std::cell::Cell::new(0), 0);
            let is_over = || asked.replace(asked.get() + 1) == patience;
            let only = each_frame_unless(&file, &Limits::default(), &is_over, |_, _| seen += 1).unwrap().unwrap();
            assert_eq!((only.why, only.frames, seen), (Ended::GivenUp, patience + 1, patience + 1));
        }
    }
}

/// A chunk of a PNG.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [&kind[..], data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &body, &crc32(&body).to_be_bytes()].concat()
}

#[test]
fn pictures_after_a_jpeg_that_hold_each_other_are_one() {
    let (first, png) = (encoded("rgb.jpg"), encoded("palette.png"));
    let (head, rest) = png.split_at(33); // the mark and the first chunk
    let nested = (0..200).fold(rest.to_vec(), |inner, _| [&chunk(b"abCd", &inner)[..], rest].concat());
    let file = [&first[..], head, &nested].concat();
    assert_eq!(count(&file, &Limits::default()), 2);
    // As one that was made for it: heads whose last chunk ends where that of all others does.
    let ends: usize = 40 * 41 + rest.len();
    let heads = (1..=40).flat_map(|number| [head, &((ends - 41 * number) as u32).to_be_bytes(), b"abCd"].concat());
    let file = [first, heads.collect(), rest.to_vec(), rest.to_vec()].concat();
    assert!(count(&file, &Limits::default()) <= 2);
}

/// Exif of one field, the orientation.
fn exif(tag: u8) -> Vec<u8> {
    [&b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[tag, 0, 0, 0, 0, 0, 0]].concat()
}

#[test]
fn a_turn_is_read_wherever_it_stands_and_two_turns_are_none() {
    let shown = |file: &[u8]| shown_orientation(file, &Limits::default());
    let png = encoded("palette.png");
    let (start, data, end) = (&png[..33], &png[33..png.len() - 12], &png[png.len() - 12..]);
    let turned = |before: &[u8], after: &[u8]| shown(&[start, before, data, after, end].concat());
    let (six, one) = (chunk(b"eXIf", &exif(6)), chunk(b"eXIf", &exif(1)));
    assert_eq!(turned(&[], &[]), Ok(Orientation::Original));
    assert_eq!((turned(&six, &[]), turned(&[], &six)), (Ok(Orientation::Rotate270), Ok(Orientation::Rotate270)));
    assert_eq!(turned(&six, &six), Ok(Orientation::Rotate270));
    assert!(matches!(turned(&six, &one), Err(DecodeError::Malformed { format: "PNG", .. })));
    assert_eq!(shown(&[&png[..], &six].concat()), Ok(Orientation::Original), "after the end");
    let jpeg = encoded("rgb.jpg");
    let twice = |one: u8, other: u8| with_orientation(&with_orientation(&jpeg, one), other);
    assert_eq!(shown(&twice(6, 6)), Ok(Orientation::Rotate270));
    assert!(matches!(shown(&twice(1, 6)), Err(DecodeError::Malformed { format: "JPEG", .. })));
    let subject = Subject::of_file(&[Algorithm::PdqFull], &twice(6, 1), &Limits::default(), Orientations::Shown);
    assert_eq!(subject.views().len(), 8, "it may be any");
    // Behind the size of the picture, and in the data of another segment, where it is none.
    let size = jpeg.windows(2).position(|bytes| bytes == [0xff, 0xda]).unwrap();
    let segment = &with_orientation(&jpeg, 6)[2..2 + 2 + 0x22];
    assert_eq!(shown(&[&jpeg[..size], segment, &jpeg[size..]].concat()), Ok(Orientation::Rotate270));
    let hidden = [&b"\xff\xfe"[..], &(segment.len() as u16 + 2).to_be_bytes(), segment].concat();
    assert_eq!(shown(&[&jpeg[..2], &hidden, &jpeg[2..]].concat()), Ok(Orientation::Original));
}

#[test]
fn a_jpeg_of_a_kind_that_is_not_decoded_is_not_called_damaged() {
    let file = encoded("rgb.jpg");
    let frame = file.windows(2).position(|bytes| bytes == [0xff, 0xc0]).unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut file = file.clone();
        file[frame + at..frame + at + bytes.len()].copy_from_slice(bytes);
        decode_default(&file)
    };
    for (at, bytes) in [(1, &[0xc3][..]), (1, &[0xc5]), (1, &[0xc9]), (1, &[0xcf]), (4, &[12]), (5, &[0, 0])] {
        let refusal = with(at, bytes);
        assert!(matches!(refusal, Err(DecodeError::Unsupported { format: "JPEG", .. })), "{bytes:?}: {refusal:?}");
    }
    let head = [&file[..frame], b"\xff\xde\0\x0b\x08\0\x50\0\x78\x01\x01\x11\0", &file[frame..]].concat();
    assert!(matches!(decode_default(&head), Err(DecodeError::Unsupported { .. })), "hierarchical");
}

/// A JPEG that lists these as its further pictures.
fn listing(first: &[u8], further: &[&[u8]]) -> Vec<u8> {
    let mut list = b"MM\0*\0\0\0\x08\0\x01\xb0\x02\0\x07".to_vec();
    list.extend((16 * (further.len() as u32 + 1)).to_be_bytes());
    list.extend(26u32.to_be_bytes()); // after the directory
    list.extend([0; 4]);
    let size = list.len() + 16 * (further.len() + 1);
    // Places count from the list, which begins after the start of the file and the head of its segment.
    let mut place = size + first.len() - 2;
    list.extend([0; 16]);
    for picture in further {
        list.extend([0u32, picture.len() as u32, place as u32, 0].map(u32::to_be_bytes).concat());
        place += picture.len();
    }
    let head = [&b"\xff\xd8\xff\xe2"[..], &(size as u16 + 6).to_be_bytes(), b"MPF\0"].concat();
    [&head, &list, &first[2..], &further.concat()].concat()
}

#[test]
fn the_pictures_that_come_after_a_jpeg_are_looked_at() {
    let (first, second) = (encoded("rgb.jpg"), encoded("grey.jpg"));
    let pictures = |file: &[u8]| {
        let mut pictures = Vec::new();
        let only = each_frame(file, &Limits::default(), |picture, _| pictures.push(picture.clone())).unwrap();
        (pictures, only)
    };
    let of = |files: &[&[u8]]| files.iter().map(|file| decode_default(file).unwrap()).collect::<Vec<_>>();
    let both = of(&[&first, &second]);
    let file = listing(&first, &[&second]);
    assert_eq!(pictures(&file), (both.clone(), None));
    assert_eq!(count(&file, &Limits::default()), 2);
    // What was taken away is not there; what was cut is.
    let alone = &file[..file.len() - second.len()];
    assert_eq!(pictures(alone), (both[..1].to_vec(), None));
    let (seen, only) = pictures(&file[..file.len() - second.len() / 2]);
    let why = Ended::Damaged(DecodeError::Incomplete { format: "JPEG" });
    assert_eq!((seen, only), (both[..1].to_vec(), Some(OnlyBeginning { frames: 1, why })));
    // A list that is stale: its places are in the middle of something else, and the picture is elsewhere, or gone.
    let at = file.len() - first.len() - second.len() + 2;
    let stale = |rest: &[u8]| [&file[..at], &first[2..], rest].concat();
    assert_eq!(pictures(&stale(&[7; 5000])), (both[..1].to_vec(), None));
    assert_eq!(pictures(&stale(&[&[7; 50], &second[..]].concat())), (both.clone(), None));
    // Where the end marker of the first one is missing, it ends where the next begins.
    let open = &first[..first.len() - 2];
    assert_eq!(pictures(&[open, &second].concat()), (both.clone(), None));
    assert_eq!(pictures(&[open, &[0; 100], &second[..]].concat()), (both.clone(), None));
    assert_eq!(
        pictures(&[&second[..second.len() - 2], &first, &second].concat()),
        (of(&[&second, &first, &second]), None)
    );
    let half = [&first[..first.len() / 2], &second].concat();
    assert_eq!(decode_default(&half), Err(DecodeError::Incomplete { format: "JPEG" }), "it is not the second one");
    // Not listed at all, of another format, and after what is no picture.
    let others: Vec<Vec<u8>> = ["palette.png", "palette.gif", "lossy.webp", "progressive.jpg"].map(encoded).into();
    let film = [&b"\0\0\0\x18ftypmp42"[..], &[0xff, 0xd8, 0xff, 0xe0, 1, 2, 3], b"GIF8RIFF....AVI "].concat();
    for other in &others {
        let file = [&first[..], &film, other, &film].concat();
        assert_eq!(pictures(&file), (of(&[&first, other]), None));
    }
    let all: Vec<&[u8]> = [&first].into_iter().chain(&others).map(Vec::as_slice).collect();
    assert_eq!(pictures(&all.concat()), (of(&all), None));
}

#[test]
fn a_picture_beside_the_animation_is_looked_at_and_so_is_the_first_frame() {
    let file = encoded("animated_beside_still.png");
    assert_eq!(greys(&file, &Limits::default())[..3], [7, 100, 101]);
    assert_eq!(greys(&file, &Limits::default()).len(), 26);
    assert_eq!(decode_default(&file).unwrap().data()[0], 7);
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
        // A file that was cut and closed again is no better than one that was cut.
        let (ends, step) =
            if name.ends_with(".jpg") { (&[&b""[..], b"\xff\xd9"][..], 7) } else { (&[&b""[..]][..], 101) };
        for end in ends {
            for kept in (0..file.len()).step_by(step) {
                let outcome = decode_default(&[&file[..kept], *end].concat());
                let is_near =
                    |cut: &Picture| name.starts_with("progressive") && apart(cut, whole.as_ref().unwrap()) <= 16;
                let is_sound = outcome.is_err() || outcome == whole || outcome.as_ref().is_ok_and(is_near);
                assert!(is_sound, "{kept} of {} bytes of {name}, then {end:?}", file.len());
            }
        }
    }
}

#[test]
fn a_jpeg_that_was_cut_at_a_restart_is_incomplete() {
    let file = encoded("restarts.jpg");
    let restarts = file.windows(2).enumerate().filter(|(_, pair)| pair[0] == 0xff && (0xd0..=0xd7).contains(&pair[1]));
    let places: Vec<usize> = restarts.map(|(place, _)| place).collect();
    assert_eq!(places.len(), 4);
    for place in places {
        for kept in [place, place + 2] {
            let cut = [&file[..kept], b"\xff\xd9"].concat();
            assert_eq!(decode_default(&cut), Err(DecodeError::Incomplete { format: "JPEG" }), "{kept}");
        }
    }
}

#[test]
fn a_jpeg_whose_second_half_was_never_written_is_incomplete() {
    for file in
        ["rocket.jpg", "retina.jpg", "hubble_deep_field.jpg"].map(photograph).into_iter().chain([encoded("rgb.jpg")])
    {
        let mut unwritten = file.clone();
        unwritten[file.len() / 2..].fill(0);
        assert_eq!(decode_default(&unwritten), Err(DecodeError::Incomplete { format: "JPEG" }));
        unwritten.truncate(file.len() / 4 * 3);
        unwritten.extend(b"\xff\xd9");
        assert_eq!(decode_default(&unwritten), Err(DecodeError::Incomplete { format: "JPEG" }), "closed again");
    }
}

/// The distance of two pictures' hashes.
fn apart(one: &Picture, other: &Picture) -> u32 {
    pdq::distance(&pdq::hash(one).hash, &pdq::hash(other).hash)
}

#[test]
fn a_jpeg_without_its_end_marker_is_whole() {
    for name in ENCODINGS.iter().filter(|name| name.ends_with(".jpg")) {
        let file = encoded(name);
        assert_eq!(decode_default(&file[..file.len() - 2]), decode_default(&file), "{name}");
    }
}

#[test]
fn a_jpeg_that_lacks_a_few_rows_is_near_and_one_that_lacks_more_is_refused() {
    for name in ["rocket.jpg", "retina.jpg", "hubble_deep_field.jpg"] {
        let file = photograph(name);
        let whole = decode_default(&file).unwrap();
        let (mut taken, mut refused) = (0, 0);
        let cuts = [1, 100, 1000, file.len() / 100, file.len() / 25, file.len() / 8, file.len() / 2];
        for (cut, end) in cuts.into_iter().flat_map(|cut| [(cut, &b""[..]), (cut, b"\xff\xd9")]) {
            match decode_default(&[&file[..file.len() - cut], end].concat()) {
                Ok(picture) => {
                    let apart = apart(&picture, &whole);
                    assert!(apart <= 24, "{name} without {cut} bytes: {apart} bits");
                    taken += 1;
                }
                Err(error) => {
                    assert_eq!(error, DecodeError::Incomplete { format: "JPEG" });
                    refused += 1;
                }
            }
        }
        assert!(taken >= 2 && refused >= 1, "{name}: {taken} taken, {refused} refused");
    }
}

#[test]
fn endless_scans_are_refused() {
    let file = encoded("progressive.jpg");
    let scan = file.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    let (head, scans) = file.split_at(scan);
    let scans = &scans[..scans.len() - 2];
    let next = 2 + scans[2..].windows(2).position(|pair| pair == [0xff, 0xda] || pair == [0xff, 0xc4]).unwrap();
    let many = [head, &scans[..next].repeat(4000), b"\xff\xd9"].concat();
    let refusal = decode(&many, &Limits { pixels: 1 << 20, ..Limits::default() });
    let is_refused =
        matches!(&refusal, Err(DecodeError::TooMuchWork { format: "JPEG", work }) if work.starts_with("400"));
    assert!(is_refused, "{refusal:?}");
}

#[test]
fn incomplete_photographs_are_refused() {
    for name in ["astronaut.png", "camera.png", "rocket.jpg", "retina.jpg"] {
        let file = photograph(name);
        let format = if name.ends_with(".png") { "PNG" } else { "JPEG" };
        for kept in [100, file.len() / 2] {
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
fn headers_that_claim_much_cost_nothing_whatever_the_format() {
    // Where each format says the size of its picture, changed to 100,000 × 100,000 or the most that fits.
    let claim = |name: &str, places: &[(usize, &[u8])]| {
        let mut file = encoded(name);
        for (at, bytes) in places {
            file[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        decode_default(&file)
    };
    let hundred_thousand = 100_000u32.to_le_bytes();
    let of_tiff = |tag: u8| {
        let file = encoded("lzw.tiff");
        8 + file[8..].windows(4).position(|bytes| bytes == [tag, 1, 4, 0] || bytes == [tag, 1, 3, 0]).unwrap()
    };
    let long = [4, 0, 1, 0, 0, 0, 0xa0, 0x86, 1, 0];
    let sof = encoded("rgb.jpg").windows(2).position(|bytes| bytes == [0xff, 0xc0]).unwrap();
    for (name, places) in [
        ("rgb.bmp", vec![(18, &hundred_thousand[..]), (22, &hundred_thousand)]),
        ("palette.gif", vec![(6, &[0xff; 4][..])]),
        ("rgb.jpg", vec![(sof + 5, &[0xff; 4][..])]),
        ("lzw.tiff", vec![(of_tiff(0) + 2, &long[..]), (of_tiff(1) + 2, &long)]),
        ("lossy.webp", vec![(26, &[0xff, 0x3f, 0xff, 0x3f][..])]),
    ] {
        let refused = claim(name, &places);
        let is_refused = match name {
            "rgb.bmp" | "lzw.tiff" => matches!(refused, Err(DecodeError::Malformed { .. })), // the decoder's own checks
            _ => matches!(refused, Err(DecodeError::TooManyPixels { .. })),
        };
        assert!(is_refused, "{name}: {refused:?}");
    }
}

#[test]
fn a_frame_beyond_the_canvas_takes_no_memory() {
    let mut file = encoded("palette.gif");
    let frame = file.windows(9).position(|bytes| bytes == [0x2c, 0, 0, 0, 0, 120, 0, 80, 0]).unwrap();
    file[frame + 5..frame + 9].fill(0xff);
    assert!(matches!(decode_default(&file), Err(DecodeError::TooManyPixels { width: 65_535, height: 65_535, .. })));
    let many_pixels = Limits { pixels: u64::MAX, ..Limits::default() };
    assert_eq!(decode(&file, &many_pixels), Err(DecodeError::TooMuchMemory { limit: many_pixels.memory }));
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
        let _ = (each_frame(&file, &SMALL, |_, _| ()), shown_orientation(&file, &SMALL));
        for outcome in [whole, part] {
            prop_assert!(!matches!(outcome, Err(DecodeError::DecoderFailed { .. })), "{outcome:?}");
        }
    }
}
