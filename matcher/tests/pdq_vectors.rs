//! PDQ against published hashes: generated pictures, photographs and the reference's own test images.

use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_matcher::image::{Channels, Limits, Picture, decode};
use isonomy_matcher::pdq::{PdqHash, distance, hash, hash_orientations};
use std::path::PathBuf;

/// Bits that another JPEG decoder may change.
const JPEG_TOLERANCE: u32 = 6;

fn data(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data")).join(path)
}

/// The rows below the header of a table without quotes.
fn rows(path: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(data(path)).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn number(text: &str) -> u64 {
    text.parse().unwrap()
}

fn picture(path: &str) -> Picture {
    decode(&std::fs::read(data(path)).unwrap(), &Limits::default()).unwrap()
}

fn distance_to_hex(found: &PdqHash, expected: &str) -> u32 {
    distance(&found.hash, &from_hex(expected).unwrap().try_into().unwrap())
}

/// Marsaglia's xorshift with 64 bits of state; the lowest byte of its upper half.
fn xorshift(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    }
}

/// The generated pictures of `pdq_synthetic.csv`, in grey.
fn synthetic(kind: u64, seed: u64, w: u64, h: u64) -> Vec<u8> {
    let mut random = xorshift(seed);
    let blocks: Vec<u8> = if kind == 6 { (0..64).map(|_| random()).collect() } else { Vec::new() };
    let mut pixel = |x: u64, y: u64| match kind {
        0 => random(),
        1 => (x * 255 / (w - 1)) as u8,
        2 => (y * 255 / (h - 1)) as u8,
        3 => [20, 230][((x / 8 + y / 8) & 1) as usize],
        4 => 128,
        5 => ((x.abs_diff(w / 2).pow(2) + y.abs_diff(h / 2).pow(2)) * 7 / ((w + h) / 2 + 1)) as u8,
        _ => blocks[((y * 8 / h) * 8 + x * 8 / w) as usize],
    };
    (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect()
}

/// The generated pictures of `pdq_synthetic_colour.csv`: 8 × 8 blocks, and gradients.
fn synthetic_colour(kind: u64, seed: u64, w: u64, h: u64) -> Vec<u8> {
    let mut random = xorshift(seed);
    let blocks: Vec<[u8; 3]> = (0..64).map(|_| [random(), random(), random()]).collect();
    let pixel = |x: u64, y: u64| match kind {
        7 => blocks[((y * 8 / h) * 8 + x * 8 / w) as usize],
        _ => [(x * 255 / (w - 1)) as u8, (y * 255 / (h - 1)) as u8, (x + y) as u8],
    };
    (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect()
}

fn fnv1a64(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(1_099_511_628_211);
    bytes.iter().fold(1_469_598_103_934_665_603, step)
}

#[test]
fn generated_pictures_have_the_reference_s_hashes_in_all_orientations() {
    let rows = rows("pdq/pdq_synthetic.csv");
    assert_eq!(rows.len(), 140);
    for row in rows {
        let [kind, seed, width, height] = [0, 1, 2, 3].map(|column: usize| number(&row[column]));
        let pixels = synthetic(kind, seed, width, height);
        let name = format!("kind {kind}, {width} × {height}");
        assert_eq!(format!("{:016x}", fnv1a64(&pixels)), row[4], "pixels of {name}");
        let picture = Picture::new(width as usize, height as usize, Channels::Grey, pixels).unwrap();
        let orientations = hash_orientations(&picture);
        assert_eq!(hash(&picture), orientations[0], "{name}");
        for (found, expected) in orientations.iter().zip(&row[6..]) {
            assert_eq!(&found.to_hex(), expected, "{name}");
            assert_eq!(u64::from(found.quality), number(&row[5]), "quality of {name}");
        }
    }
}

#[test]
fn generated_colour_pictures_have_the_python_package_s_hashes() {
    for row in rows("pdq/pdq_synthetic_colour.csv") {
        let [kind, seed, width, height] = [0, 1, 2, 3].map(|column: usize| number(&row[column]));
        let pixels = synthetic_colour(kind, seed, width, height);
        let name = format!("kind {kind}, {width} × {height}");
        assert_eq!(format!("{:016x}", fnv1a64(&pixels)), row[4], "pixels of {name}");
        let picture = Picture::new(width as usize, height as usize, Channels::Rgb, pixels).unwrap();
        let found = hash(&picture);
        assert_eq!((found.to_hex(), u64::from(found.quality)), (row[6].clone(), number(&row[5])), "{name}");
    }
}

#[test]
fn photographs_have_the_reference_s_hashes() {
    for row in rows("../../photos/reference.csv") {
        let [file, width, height, quality, expected] = row.as_slice() else { panic!("{row:?}") };
        let picture = picture(&format!("../../photos/{file}"));
        assert_eq!((picture.width() as u64, picture.height() as u64), (number(width), number(height)), "{file}");
        let found = hash(&picture);
        let apart = distance_to_hex(&found, expected);
        println!("{file}: {} at distance {apart}", to_hex(&found.hash));
        assert!(apart <= if file.ends_with(".png") { 0 } else { JPEG_TOLERANCE }, "{file}: {apart} bits");
        assert_eq!(u64::from(found.quality), number(quality), "{file}");
    }
}

#[test]
fn the_reference_s_test_images_have_its_hashes() {
    for row in rows("pdq/pdq_images.csv") {
        let [file, quality, expected] = row.as_slice() else { panic!("{row:?}") };
        let found = hash(&picture(&format!("pdq/images/{file}")));
        let apart = distance_to_hex(&found, expected);
        println!("{file}: distance {apart}");
        assert!(apart <= JPEG_TOLERANCE, "{file}: {apart} bits");
        assert_eq!(u64::from(found.quality), number(quality), "{file}");
    }
}

#[test]
fn one_picture_has_the_reference_s_hash_in_every_encoding() {
    for row in rows("decode/reference.csv") {
        let [file, width, height, quality, expected] = row.as_slice() else { panic!("{row:?}") };
        let picture = picture(&format!("decode/{file}"));
        assert_eq!((picture.width() as u64, picture.height() as u64), (number(width), number(height)), "{file}");
        let found = hash(&picture);
        let apart = distance_to_hex(&found, expected);
        println!("{file}: distance {apart}");
        let lossy = file.ends_with(".jpg") || file == "lossy.webp";
        assert!(apart <= if lossy { JPEG_TOLERANCE } else { 0 }, "{file}: {apart} bits");
        assert_eq!(u64::from(found.quality), number(quality), "{file}");
    }
}
