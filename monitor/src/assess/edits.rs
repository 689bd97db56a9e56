//! What people do to pictures, and whether the list would still find them at its charter's distance.

use super::corpus::Corpus;
use super::interval::Share;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, Rgb, RgbImage};
use isonomy_matcher::image::{Channels, Limits, Picture, decode};
use isonomy_matcher::pdq;
use serde::Serialize;

/// How many pictures are edited.
pub(super) const SAMPLE: usize = 40;

/// How an edit fares.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Edited {
    /// The edit, in words.
    pub edit: &'static str,
    /// How many stay within the charter's distance of what they were, as a client looks by default: upright, as they are shown.
    pub found: Share,
    /// How many in one of the eight orientations, for clients that look in all.
    pub found_in_any_orientation: Share,
    /// The median distance, in bits, as they are shown.
    pub median_distance: u64,
}

type Edit = fn(&RgbImage) -> Option<RgbImage>;

/// The table of edits.
const EDITS: [(&str, Edit); 13] = [
    ("saved as JPEG, quality 75", |image| recompressed(image, 75)),
    ("saved as JPEG, quality 10", |image| recompressed(image, 10)),
    ("half the size", |image| scaled(image, 1, 2)),
    ("a quarter of the size", |image| scaled(image, 1, 4)),
    ("without colours", |image| Some(DynamicImage::from(DynamicImage::from(image.clone()).to_luma8()).to_rgb8())),
    ("brighter by a tenth", |image| Some(brighter(image))),
    ("blurred", |image| Some(imageops::blur(image, 2.0))),
    ("1 % cut off at each side", |image| cropped(image, 1)),
    ("5 % cut off at each side", |image| cropped(image, 5)),
    ("a border of 5 % added", |image| bordered(image, 5)),
    ("a tenth covered by a bar", |image| Some(covered(image))),
    ("mirrored", |image| Some(imageops::flip_horizontal(image))),
    ("turned by 90 degrees", |image| Some(imageops::rotate90(image))),
];

/// Edits pictures of the corpus and compares each with what it was.
pub(super) fn recall(corpus: &Corpus, max_distance: u64) -> Vec<Edited> {
    let pictures = corpus.hashed.iter().filter_map(|file| {
        let picture = file.picture.as_ref()?;
        Some((pdq::hash(picture).hash, image_of(picture)?))
    });
    let pictures: Vec<([u8; 32], RgbImage)> = pictures.take(SAMPLE).collect();
    if pictures.is_empty() {
        return Vec::new();
    }
    EDITS.iter().map(|(name, edit)| edited(name, *edit, &pictures, max_distance)).collect()
}

fn edited(edit: &'static str, apply: Edit, pictures: &[([u8; 32], RgbImage)], max_distance: u64) -> Edited {
    // As it is shown, and the least of all orientations, of which that is the first.
    let distances = |(before, image): &([u8; 32], RgbImage)| {
        let distances = pdq::hash_orientations(&picture_of(&apply(image)?)?)
            .map(|turned| u64::from(pdq::distance(before, &turned.hash)));
        Some((*distances.first()?, *distances.iter().min()?))
    };
    let (mut shown, turned): (Vec<u64>, Vec<u64>) = pictures.iter().filter_map(distances).unzip();
    shown.sort_unstable();
    let within = |distances: &[u64]| {
        let count = distances.iter().filter(|distance| **distance <= max_distance).count();
        Share::new(count as u64, distances.len() as u64)
    };
    let median_distance = shown.get(shown.len() / 2).copied().unwrap_or_default();
    Edited { edit, found: within(&shown), found_in_any_orientation: within(&turned), median_distance }
}

fn image_of(picture: &Picture) -> Option<RgbImage> {
    let data = match picture.channels() {
        Channels::Grey => picture.data().iter().flat_map(|grey| [*grey; 3]).collect(),
        Channels::Rgb => picture.data().to_vec(),
    };
    RgbImage::from_raw(u32::try_from(picture.width()).ok()?, u32::try_from(picture.height()).ok()?, data)
}

fn picture_of(image: &RgbImage) -> Option<Picture> {
    Picture::new(image.width() as usize, image.height() as usize, Channels::Rgb, image.as_raw().clone())
}

fn recompressed(image: &RgbImage, quality: u8) -> Option<RgbImage> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality).encode_image(image).ok()?;
    image_of(&decode(&file, &Limits::default()).ok()?)
}

fn scaled(image: &RgbImage, part: u32, of: u32) -> Option<RgbImage> {
    let (width, height) = (image.width() * part / of, image.height() * part / of);
    (width > 0 && height > 0).then(|| imageops::resize(image, width, height, FilterType::Triangle))
}

fn brighter(image: &RgbImage) -> RgbImage {
    let mut image = image.clone();
    image.iter_mut().for_each(|value| *value = u8::try_from(u32::from(*value) * 11 / 10).unwrap_or(u8::MAX));
    image
}

fn cropped(image: &RgbImage, percent: u32) -> Option<RgbImage> {
    let (x, y) = (image.width() * percent / 100, image.height() * percent / 100);
    let (width, height) = (image.width() - 2 * x, image.height() - 2 * y);
    (width > 0 && height > 0).then(|| imageops::crop_imm(image, x, y, width, height).to_image())
}

fn bordered(image: &RgbImage, percent: u32) -> Option<RgbImage> {
    let (x, y) = (image.width() * percent / 100, image.height() * percent / 100);
    let mut framed = RgbImage::from_pixel(image.width() + 2 * x, image.height() + 2 * y, Rgb([255; 3]));
    imageops::replace(&mut framed, image, i64::from(x), i64::from(y));
    Some(framed)
}

/// With a white bar over the lowest tenth, as under a caption.
fn covered(image: &RgbImage) -> RgbImage {
    let mut image = image.clone();
    let from = image.height() - image.height() / 10;
    image.enumerate_pixels_mut().filter(|(_, y, _)| *y >= from).for_each(|(_, _, pixel)| *pixel = Rgb([255; 3]));
    image
}
