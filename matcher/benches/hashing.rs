//! Pictures to hashes: `cargo bench -p isonomy-matcher --bench hashing -- [--write DIR]`.
//!
//! Decoding and hashing apart, in milliseconds (the minimum of several runs) and pictures per second and core: the
//! photographs of this repository, and larger ones that are made from one of them. `--write DIR` leaves files, pixels, hashes and
//! times for `peers/hashing.py`.

mod support;

use ::image::codecs::jpeg::JpegEncoder;
use ::image::codecs::png::PngEncoder;
use ::image::codecs::webp::WebPEncoder;
use ::image::imageops::{FilterType, resize};
use ::image::{ExtendedColorType, ImageEncoder, RgbImage};
use isonomy_matcher::image::{Channels, Limits, Picture, decode};
use isonomy_matcher::pdq;
use std::path::PathBuf;
use support::timing::least_thread_time;

fn main() {
    let mut words = std::env::args().skip_while(|word| word != "--write").skip(1);
    let mut written = words.next().map(|folder| Written::new(folder.into()));
    println!("file | pixels | decode ms | hash ms | pictures per second and core");
    for (name, file) in photographs() {
        report(&name, &file, written.as_mut());
    }
    let astronaut = rgb(&photographs()[0].1);
    for (width, height) in [(512, 512), (1600, 1200), (4000, 3000)] {
        let large = resize(&astronaut, width, height, FilterType::Triangle);
        for (format, file) in [("jpg", jpeg(&large)), ("png", png(&large)), ("webp", webp(&large))] {
            report(&format!("{width}x{height}.{format}"), &file, written.as_mut());
        }
    }
}

/// What the peers get.
struct Written {
    folder: PathBuf,
    table: String,
}

impl Written {
    fn new(folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).expect("a folder");
        Self { folder, table: "file,pixels,width,height,channels,quality,hash,decode,hashing\n".into() }
    }

    fn add(&mut self, name: &str, file: &[u8], picture: &Picture, [decode, hashing]: [f64; 2]) {
        let (pixels, hash) = (format!("{name}.pixels"), pdq::hash(picture));
        std::fs::write(self.folder.join(name), file).expect("written");
        std::fs::write(self.folder.join(&pixels), picture.data()).expect("written");
        let (width, height, channels) = (picture.width(), picture.height(), picture.channels().count());
        let (quality, hash) = (hash.quality, hash.to_hex());
        let row = format!("{name},{pixels},{width},{height},{channels},{quality},{hash},{decode:.3},{hashing:.4}\n");
        self.table.push_str(&row);
        std::fs::write(self.folder.join("hashes.csv"), &self.table).expect("written");
    }
}

fn report(name: &str, file: &[u8], written: Option<&mut Written>) {
    let picture = decode(file, &Limits::default()).expect("a picture");
    let passes = (40_000_000 / (picture.width() * picture.height())).clamp(3, 200);
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let decoding = milliseconds(least_thread_time(passes, || drop(decode(file, &Limits::default()))));
    let hashing = milliseconds(least_thread_time(passes, || _ = std::hint::black_box(pdq::hash(&picture))));
    if let Some(written) = written {
        written.add(name, file, &picture, [decoding, hashing]);
    }
    let (width, height) = (picture.width(), picture.height());
    println!("{name} | {width} × {height} | {decoding:.2} | {hashing:.3} | {:.0}", 1e3 / (decoding + hashing));
}

fn photographs() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../photos");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("photos").map(|entry| entry.expect("file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "png" || kind == "jpg"));
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        (name.unwrap_or_default(), std::fs::read(path).expect("file"))
    };
    files.iter().map(read).collect()
}

fn rgb(file: &[u8]) -> RgbImage {
    let picture: Picture = decode(file, &Limits::default()).expect("a picture");
    assert_eq!(picture.channels(), Channels::Rgb);
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    RgbImage::from_raw(width, height, picture.data().to_vec()).expect("its size")
}

fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 88).encode_image(image).expect("encoded");
    file
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = PngEncoder::new(&mut file);
    encoder.write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8).expect("encoded");
    file
}

fn webp(image: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut file);
    encoder.write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8).expect("encoded");
    file
}
