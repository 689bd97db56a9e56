//! What PDQ survives, and what it does not: edits of photographs.

use ::image::codecs::jpeg::JpegEncoder;
use ::image::imageops::{self, FilterType};
use ::image::{DynamicImage, RgbImage};
use isonomy_core::list::Algorithm;
use isonomy_matcher::image::{Channels, Limits, Picture, decode};
use isonomy_matcher::pdq::{Orientation, USUAL_MINIMUM_QUALITY, distance, hash, hash_orientations};
use std::path::Path;

/// Photographs of a surface and nothing else. Their hashes hang on detail finer than the samples, and survive little.
const SURFACES: [&str; 3] = ["brick.png", "grass.png", "gravel.png"];

/// The photographs that show something.
fn subjects() -> Vec<(String, RgbImage)> {
    photographs().into_iter().filter(|(name, _)| !SURFACES.contains(&name.as_str())).collect()
}

/// The photographs with enough in them to be hashed, in colour.
fn photographs() -> Vec<(String, RgbImage)> {
    let folder = format!("{}/../photos", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let pictures =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "png" || extension == "jpg"));
    let decoded = pictures.map(|path| (file_name(&path), decode_file(&std::fs::read(path).unwrap())));
    let photographs: Vec<_> =
        decoded.filter(|(_, photograph)| hash(&picture(photograph)).quality >= USUAL_MINIMUM_QUALITY).collect();
    assert_eq!(photographs.len(), 12);
    photographs
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn decode_file(file: &[u8]) -> RgbImage {
    let picture = decode(file, &Limits::default()).unwrap();
    let data = match picture.channels() {
        Channels::Grey => picture.data().iter().flat_map(|grey| [*grey; 3]).collect(),
        Channels::Rgb => picture.data().to_vec(),
    };
    RgbImage::from_raw(picture.width() as u32, picture.height() as u32, data).unwrap()
}

fn picture(image: &RgbImage) -> Picture {
    Picture::new(image.width() as usize, image.height() as usize, Channels::Rgb, image.as_raw().clone()).unwrap()
}

/// Whether a list would match, at the largest distance that it may have.
fn is_match(distance: u32) -> bool {
    distance <= Algorithm::PdqFull.max_distance()
}

fn apart(one: &RgbImage, other: &RgbImage) -> u32 {
    distance(&hash(&picture(one)).hash, &hash(&picture(other)).hash)
}

fn assert_survive(photographs: Vec<(String, RgbImage)>, edit: impl Fn(&RgbImage) -> RgbImage) {
    for (name, photograph) in photographs {
        let apart = apart(&photograph, &edit(&photograph));
        println!("{name}: {apart}");
        assert!(is_match(apart), "{name}: {apart} bits");
    }
}

fn recompressed(image: &RgbImage, quality: u8) -> RgbImage {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality).encode_image(image).unwrap();
    decode_file(&file)
}

fn turned(image: &RgbImage, orientation: Orientation) -> RgbImage {
    match orientation {
        Orientation::Original => image.clone(),
        Orientation::Rotate90 => imageops::rotate270(image),
        Orientation::Rotate180 => imageops::rotate180(image),
        Orientation::Rotate270 => imageops::rotate90(image),
        Orientation::FlipX => imageops::flip_vertical(image),
        Orientation::FlipY => imageops::flip_horizontal(image),
        Orientation::FlipPlus1 => imageops::flip_horizontal(&imageops::rotate90(image)),
        Orientation::FlipMinus1 => imageops::flip_vertical(&imageops::rotate90(image)),
    }
}

#[test]
fn half_the_size_stays_near() {
    let halved =
        |image: &RgbImage| imageops::resize(image, image.width() / 2, image.height() / 2, FilterType::Triangle);
    assert_survive(subjects(), halved);
}

#[test]
fn recompression_stays_near() {
    assert_survive(photographs(), |image| recompressed(image, 75));
    assert_survive(photographs(), |image| recompressed(image, 30));
}

#[test]
fn more_brightness_stays_near() {
    assert_survive(photographs(), |image| {
        let mut brighter = image.clone();
        brighter.iter_mut().for_each(|value| *value = (f32::from(*value) * 1.1).min(255.0) as u8);
        brighter
    });
}

#[test]
fn losing_its_colours_stays_near() {
    assert_survive(photographs(), |image| DynamicImage::from(DynamicImage::from(image.clone()).to_luma8()).to_rgb8());
}

#[test]
fn turned_photographs_are_found_by_the_hashes_of_all_orientations_alone() {
    for (name, photograph) in subjects() {
        let hashes = hash_orientations(&picture(&photograph));
        for (orientation, expected) in Orientation::ALL.into_iter().zip(hashes) {
            let turned = hash(&picture(&turned(&photograph, orientation)));
            let apart = distance(&turned.hash, &expected.hash);
            assert!(is_match(apart), "{name}, {orientation:?}: {apart} bits");
            if orientation != Orientation::Original {
                let from_original = distance(&turned.hash, &hashes[0].hash);
                assert!(!is_match(from_original), "{name}, {orientation:?}: {from_original} bits");
            }
        }
    }
}

#[test]
fn different_photographs_are_far_apart() {
    let photographs = photographs();
    for (index, (name, one)) in photographs.iter().enumerate() {
        for (other_name, other) in &photographs[..index] {
            let apart = apart(one, other);
            assert!(!is_match(apart), "{name}, {other_name}: {apart} bits");
        }
    }
}
