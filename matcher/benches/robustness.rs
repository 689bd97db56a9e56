//! What `pdq/full` survives, and what it takes for the same: `cargo bench -p isonomy-matcher --bench robustness -- [DIR…]
//! [--write DOCS]`.
//!
//! *Recall*: pictures (the photographs of this repository and of the folders given, and parts of them) are edited; the
//! share of edited ones within a distance of 31 is what a lookup finds. *False positives*: all pairs of whole pictures, and apart
//! from them, since a few pictures make many, all pairs of tiles that do not overlap. Which pictures are one is told by their files
//! and names, never by their hashes: those are what is tested. So whole pictures that are within the distance are named, for someone to
//! look at: are they two, or one twice? `--write docs` puts the table into `docs/matching.md` and the plot beside it.

mod support;

use ::image::codecs::jpeg::JpegEncoder;
use ::image::imageops::{self, FilterType};
use ::image::{DynamicImage, Rgb, RgbImage};
use isonomy_matcher::digest::sha256;
use isonomy_matcher::image::{Channels, Limits, Picture, decode};
use isonomy_matcher::pdq::{self, PdqHash, USUAL_MINIMUM_QUALITY};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use support::workload::{Noise, photographs};

const DISTANCE: u32 = 31;

/// Parts of each photograph that are edited, beside the whole.
const PARTS: usize = 9;

/// Pictures that are edited, at most.
const EDITED: usize = 200;

type Edit = fn(&RgbImage) -> RgbImage;

const EDITS: [(&str, Edit); 24] = [
    ("JPEG, quality 75", |image| recompressed(image, 75)),
    ("JPEG, quality 30", |image| recompressed(image, 30)),
    ("JPEG, quality 10", |image| recompressed(image, 10)),
    ("double size", |image| resized(image, 2.0)),
    ("half size", |image| resized(image, 0.5)),
    ("quarter size", |image| resized(image, 0.25)),
    ("grey", |image| DynamicImage::from(DynamicImage::from(image.clone()).to_luma8()).to_rgb8()),
    ("brightness + 20 %", |image| scaled(image, 1.2, 0.0)),
    ("brightness − 20 %", |image| scaled(image, 0.8, 0.0)),
    ("contrast + 30 %", |image| scaled(image, 1.3, 128.0)),
    ("contrast − 30 %", |image| scaled(image, 0.7, 128.0)),
    ("blur, σ = 2 pixels", |image| imageops::fast_blur(image, 2.0)),
    ("text across it", with_text),
    ("crop 1 %", |image| cropped(image, 0.01)),
    ("crop 2 %", |image| cropped(image, 0.02)),
    ("crop 5 %", |image| cropped(image, 0.05)),
    ("crop 10 %", |image| cropped(image, 0.10)),
    ("border of 2 %", |image| bordered(image, 0.02)),
    ("border of 5 %", |image| bordered(image, 0.05)),
    ("turned by 1°", |image| turned(image, 1.0)),
    ("turned by 3°", |image| turned(image, 3.0)),
    ("mirrored", |image| imageops::flip_horizontal(image)),
    ("turned by 90°", |image| imageops::rotate90(image)),
    ("upside down", |image| imageops::rotate180(image)),
];

fn main() {
    let (folders, docs) = arguments();
    let mut seen = BTreeSet::new();
    let others = folders.iter().flat_map(|dir| read(dir, &mut seen)).collect::<Vec<_>>();
    let own = (1..).map(|number| format!("photograph {number} of this repository"));
    let (names, pictures): (Vec<String>, Vec<RgbImage>) = own.zip(photographs().iter().map(rgb)).chain(others).unzip();
    let whole = names.iter().zip(&pictures).map(|(name, picture)| (name, hashes(picture)[0]));
    let (names, whole): (Vec<&String>, Vec<[u8; 32]>) =
        whole.filter(|(_, hash)| hash.quality >= USUAL_MINIMUM_QUALITY).map(|(name, hash)| (name, hash.hash)).unzip();
    let whole = Pairs::of(&whole);
    for (one, other, distance) in &whole.near {
        eprintln!("{distance} bits apart: {} and {}", names[*one], names[*other]);
    }
    let tiles = Pairs::of(&pictures.iter().flat_map(tiles).collect::<Vec<_>>());
    eprintln!("whole: {}; tiles: {}", whole.words(), tiles.words());
    let mut noise = Noise::new(7);
    let all: Vec<RgbImage> = pictures.iter().flat_map(|picture| parts(picture, &mut noise)).collect();
    let edited: Vec<RgbImage> = all.iter().step_by(all.len().div_ceil(EDITED)).cloned().collect();
    let rows: Vec<Row> = EDITS.iter().map(|(name, edit)| Row::of(name, *edit, &edited)).collect();
    let report = report(&rows, &whole, &tiles);
    println!("{report}");
    if let Some(docs) = docs {
        write(&docs, &report, &plot(&rows));
    }
}

fn arguments() -> (Vec<PathBuf>, Option<PathBuf>) {
    let (mut folders, mut docs) = (Vec::new(), None);
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--write" => docs = words.next().map(PathBuf::from),
            _ => folders.push(PathBuf::from(word)),
        }
    }
    (folders, docs)
}

/// The pictures of a folder and those below it, at most a million pixels of each. Of one in several files the first: the same
/// bytes, or by its name another size (`name_1920x1080.png`) or the dark one (`name-d.webp`) of a picture that was there.
fn read(folder: &Path, seen: &mut BTreeSet<Vec<u8>>) -> Vec<(String, RgbImage)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| !path.is_symlink()).collect();
    paths.sort();
    let mut pictures = Vec::new();
    for path in paths {
        if path.is_dir() {
            pictures.extend(read(&path, seen));
        } else if let Ok(file) = std::fs::read(&path)
            && let Ok(picture) = decode(&file, &Limits::default())
        {
            let is_new = [name(&path).into_bytes(), sha256(&file).to_vec()].map(|key| seen.insert(key));
            pictures.extend((is_new == [true; 2]).then(|| (path.display().to_string(), small(&rgb(&picture)))));
        }
    }
    pictures
}

/// What a picture is called in all its sizes and shades; a wallpaper of Plasma is a folder.
fn name(path: &Path) -> String {
    let text = path.to_string_lossy();
    if let Some((wallpaper, _)) = text.split_once("/contents/") {
        return wallpaper.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let is_size = |text: &str| text.split('x').all(|side| side.parse::<u32>().is_ok());
    let stem = stem.rsplit_once('_').filter(|(_, end)| is_size(end)).map_or(&*stem, |(start, _)| start);
    let stem = stem.trim_end_matches("-d").trim_end_matches("-l");
    path.with_file_name(stem).to_string_lossy().into_owned()
}

fn small(image: &RgbImage) -> RgbImage {
    let side = image.width().max(image.height());
    if side <= 1000 { image.clone() } else { resized(image, 1000.0 / side as f32) }
}

fn rgb(picture: &Picture) -> RgbImage {
    let data = match picture.channels() {
        Channels::Grey => picture.data().iter().flat_map(|grey| [*grey; 3]).collect(),
        Channels::Rgb => picture.data().to_vec(),
    };
    RgbImage::from_raw(picture.width() as u32, picture.height() as u32, data).expect("its size")
}

fn hashes(image: &RgbImage) -> [PdqHash; 8] {
    let picture = Picture::new(image.width() as usize, image.height() as usize, Channels::Rgb, image.as_raw().clone());
    pdq::hash_orientations(&picture.expect("its size"))
}

/// A picture and parts of it, as far as they have the usual quality.
fn parts(image: &RgbImage, noise: &mut Noise) -> Vec<RgbImage> {
    let mut part = |_| {
        let mut side = |length: u32| length * (400 + noise.below(500) as u32) / 1000;
        let (width, height) = (side(image.width()), side(image.height()));
        let mut start = |free: u32| noise.below(free as usize + 1) as u32;
        let (left, top) = (start(image.width() - width), start(image.height() - height));
        imageops::crop_imm(image, left, top, width, height).to_image()
    };
    let all = std::iter::once(image.clone()).chain((0..PARTS).map(&mut part));
    all.filter(|image| hashes(image)[0].quality >= USUAL_MINIMUM_QUALITY).collect()
}

/// What came of an edit.
struct Row {
    name: &'static str,
    /// Distances of the edited pictures from the originals, sorted.
    distances: Vec<u32>,
    /// The same for the nearest of the original's eight orientations.
    in_any: Vec<u32>,
}

impl Row {
    fn of(name: &'static str, edit: Edit, pictures: &[RgbImage]) -> Self {
        let (mut distances, mut in_any) = (Vec::new(), Vec::new());
        for picture in pictures {
            let (originals, found) = (hashes(picture), hashes(&edit(picture))[0]);
            let apart = originals.map(|original| pdq::distance(&original.hash, &found.hash));
            distances.push(apart[0]);
            in_any.extend(apart.into_iter().min());
        }
        distances.sort_unstable();
        in_any.sort_unstable();
        Self { name, distances, in_any }
    }
}

fn recall(distances: &[u32]) -> f64 {
    distances.iter().filter(|distance| **distance <= DISTANCE).count() as f64 / distances.len() as f64
}

/// All pairs of hashes.
struct Pairs {
    pictures: usize,
    pairs: u64,
    /// Pairs within the distance, with theirs.
    near: Vec<(usize, usize, u32)>,
    /// The smallest distance of a pair.
    least: u32,
}

impl Pairs {
    fn of(hashes: &[[u8; 32]]) -> Self {
        let mut pairs = Self { pictures: hashes.len(), pairs: 0, near: Vec::new(), least: 256 };
        for (number, one) in hashes.iter().enumerate() {
            for (before, other) in hashes[..number].iter().enumerate() {
                let distance = pdq::distance(one, other);
                pairs.pairs += 1;
                pairs.near.extend((distance <= DISTANCE).then_some((before, number, distance)));
                pairs.least = pairs.least.min(distance);
            }
        }
        pairs
    }

    fn words(&self) -> String {
        let Self { pictures, pairs, near, least } = self;
        let near = near.len();
        format!("{near} of all {pairs} pairs of {pictures} (the nearest pair is {least} bits apart)")
    }
}

/// The hashes of the parts of a photograph, cut into 4 × 4, that have the usual quality.
fn tiles(image: &RgbImage) -> Vec<[u8; 32]> {
    let (width, height) = (image.width() / 4, image.height() / 4);
    let places = (0..16).map(|at| (at % 4 * width, at / 4 * height));
    let tiles = places.map(|(left, top)| hashes(&imageops::crop_imm(image, left, top, width, height).to_image())[0]);
    tiles.filter(|tile| tile.quality >= USUAL_MINIMUM_QUALITY).map(|tile| tile.hash).collect()
}

fn report(rows: &[Row], whole: &Pairs, tiles: &Pairs) -> String {
    let mut text = String::new();
    let pictures = rows[0].distances.len();
    let _ = writeln!(text, "{pictures} pictures; share within {DISTANCE} bits, and distances (median, nine tenths).\n");
    let _ = writeln!(text, "| edit | found | median | 90 % | found in eight orientations |\n|---|---|---|---|---|");
    for Row { name, distances, in_any } in rows {
        let at = |share: f64| distances[((pictures as f64 * share) as usize).min(pictures - 1)];
        let (found, in_any) = (recall(distances) * 100.0, recall(in_any) * 100.0);
        let _ = writeln!(text, "| {name} | {found:.0} % | {} | {} | {in_any:.0} % |", at(0.5), at(0.9));
    }
    let _ = writeln!(
        text,
        "\nFalse positives, within {DISTANCE} bits: of whole pictures {}; of the sixteen tiles of each, where they have the usual \
         quality, {}.",
        whole.words(),
        tiles.words()
    );
    text
}

/// Bars of recall: dark as it is, light with all orientations.
fn plot(rows: &[Row]) -> String {
    let (left, row, width) = (150, 22, 400);
    let height = rows.len() * row + 40;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Share of edited pictures that are found, by edit</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        left + width + 60
    );
    for (number, Row { name, distances, in_any }) in rows.iter().enumerate() {
        let top = number * row + 10;
        let (found, in_any) = (recall(distances), recall(in_any));
        let long = |share: f64| share * width as f64;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>\
             <rect x=\"{left}\" y=\"{top}\" width=\"{:.1}\" height=\"14\" fill=\"#9ecae1\"/>\
             <rect x=\"{left}\" y=\"{top}\" width=\"{:.1}\" height=\"14\" fill=\"#08519c\"/>\
             <text x=\"{}\" y=\"{}\">{:.0} %</text>",
            left - 8,
            top + 12,
            long(in_any),
            long(found),
            left + width + 8,
            top + 12,
            found * 100.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"{}\">dark: within {DISTANCE} bits; light: with all eight orientations</text>\n</svg>",
        height - 10
    );
    svg
}

/// Replaces what stands between the two marks in `matching.md`.
fn write(docs: &Path, report: &str, plot: &str) {
    const MARKS: [&str; 2] = ["<!-- robustness: begin -->\n", "<!-- robustness: end -->"];
    let path = docs.join("matching.md");
    let text = std::fs::read_to_string(&path).expect("matching.md");
    let [begin, end] = MARKS.map(|mark| text.find(mark).expect("a mark"));
    let text = format!("{}{report}\n{}", &text[..begin + MARKS[0].len()], &text[end..]);
    std::fs::write(path, text).expect("written");
    std::fs::write(docs.join("robustness.svg"), plot).expect("written");
}

fn recompressed(image: &RgbImage, quality: u8) -> RgbImage {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality).encode_image(image).expect("encoded");
    rgb(&decode(&file, &Limits::default()).expect("decoded"))
}

fn resized(image: &RgbImage, factor: f32) -> RgbImage {
    let side = |length: u32| ((length as f32 * factor) as u32).max(8);
    imageops::resize(image, side(image.width()), side(image.height()), FilterType::Triangle)
}

/// Values moved away from `fixed`, or towards it.
fn scaled(image: &RgbImage, factor: f32, fixed: f32) -> RgbImage {
    let mut scaled = image.clone();
    scaled.iter_mut().for_each(|value| *value = ((f32::from(*value) - fixed) * factor + fixed).clamp(0.0, 255.0) as u8);
    scaled
}

/// Without this share of width and height, half of it on each side.
fn cropped(image: &RgbImage, share: f32) -> RgbImage {
    let cut = |length: u32| ((length as f32 * share / 2.0).ceil() as u32).max(1);
    let (x, y) = (cut(image.width()), cut(image.height()));
    imageops::crop_imm(image, x, y, image.width() - 2 * x, image.height() - 2 * y).to_image()
}

/// With a white border of this share of the width on each side.
fn bordered(image: &RgbImage, share: f32) -> RgbImage {
    let border = (image.width() as f32 * share).ceil() as u32;
    let (width, height) = (image.width() + 2 * border, image.height() + 2 * border);
    let mut bordered = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    imageops::replace(&mut bordered, image, i64::from(border), i64::from(border));
    bordered
}

/// Turned around its middle, at the same size; black where nothing was.
fn turned(image: &RgbImage, degrees: f32) -> RgbImage {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (x, y) = (image.width() as f32 / 2.0, image.height() as f32 / 2.0);
    RgbImage::from_fn(image.width(), image.height(), |column, row| {
        let (right, down) = (column as f32 - x, row as f32 - y);
        let (column, row) = (right * cosine + down * sine + x, down * cosine - right * sine + y);
        imageops::interpolate_bilinear(image, column, row).unwrap_or(Rgb([0; 3]))
    })
}

/// White letters across the middle, a tenth of the height.
fn with_text(image: &RgbImage) -> RgbImage {
    /// The word, five columns a letter, one bit a pixel.
    const WORD: [&str; 7] = [
        "01110 01110 10001 11110 10000 11111",
        "10001 10001 11011 10001 10000 10000",
        "10000 10001 10101 10001 10000 10000",
        "01110 11111 10001 11110 10000 11110",
        "00001 10001 10001 10000 10000 10000",
        "10001 10001 10001 10000 10000 10000",
        "01110 10001 10001 10000 11111 11111",
    ];
    let size = (image.width() / WORD[0].len() as u32).max(1);
    let top = (image.height() / 2).saturating_sub(size * 3);
    let mut written = image.clone();
    for (row, bits) in WORD.iter().enumerate() {
        for (column, _) in bits.bytes().enumerate().filter(|(_, bit)| *bit == b'1') {
            for at in 0..size * size {
                let (x, y) = (column as u32 * size + at % size, top + row as u32 * size + at / size);
                if x < image.width() && y < image.height() {
                    written.put_pixel(x, y, Rgb([255; 3]));
                }
            }
        }
    }
    written
}
