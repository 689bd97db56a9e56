//! The photographs of the demo, and the edits that a perceptual hash is made to survive.

use anyhow::{Context, Result, ensure};
use image::{DynamicImage, ImageFormat, codecs::jpeg::JpegEncoder, imageops::FilterType};
use isonomy_core::list::Algorithm;
use isonomy_matcher::Fingerprint;
use isonomy_matcher::image::Limits;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// Photographs that anyone may use; `photos/PROVENANCE.md` says where each is from.
const EMBEDDED: [(&str, &[u8]); 13] = [
    ("astronaut.png", include_bytes!("../../../photos/astronaut.png")),
    ("camera.png", include_bytes!("../../../photos/camera.png")),
    ("chelsea.png", include_bytes!("../../../photos/chelsea.png")),
    ("coffee.png", include_bytes!("../../../photos/coffee.png")),
    ("coins.png", include_bytes!("../../../photos/coins.png")),
    ("rocket.jpg", include_bytes!("../../../photos/rocket.jpg")),
    ("retina.jpg", include_bytes!("../../../photos/retina.jpg")),
    ("hubble_deep_field.jpg", include_bytes!("../../../photos/hubble_deep_field.jpg")),
    ("cell.png", include_bytes!("../../../photos/cell.png")),
    ("brick.png", include_bytes!("../../../photos/brick.png")),
    ("grass.png", include_bytes!("../../../photos/grass.png")),
    ("gravel.png", include_bytes!("../../../photos/gravel.png")),
    ("clock_motion.png", include_bytes!("../../../photos/clock_motion.png")),
];

/// The least quality of a picture that is listed or looked up.
pub(crate) const MIN_QUALITY: u8 = 50;

/// A picture of the demo.
pub(crate) struct Photo {
    pub(crate) name: String,
    pub(crate) file: Vec<u8>,
    pub(crate) fingerprint: Fingerprint,
}

impl Photo {
    fn new(name: &str, file: Vec<u8>) -> Result<Self> {
        let fingerprint = Fingerprint::of_file(Algorithm::PdqFull, &file, &Limits::default())?;
        Ok(Self { name: name.to_owned(), file, fingerprint })
    }

    pub(crate) fn quality(&self) -> u8 {
        self.fingerprint.quality.unwrap_or(0)
    }
}

/// The photographs, in two halves: those that go on the list, and those that don't.
pub(crate) struct Photos {
    pub(crate) listed: Vec<Photo>,
    pub(crate) others: Vec<Photo>,
}

/// The embedded photographs, or those of a folder; written to `copy`, so that a person can look at them.
pub(crate) fn load(images: Option<&Path>, copy: &Path) -> Result<Photos> {
    let (all, listed) = match images {
        None => (embedded()?, 6),
        Some(folder) => {
            let photos = from_folder(folder)?;
            let good = photos.iter().filter(|photo| photo.quality() >= MIN_QUALITY).count();
            ensure!(good >= 2, "{} holds {good} pictures with enough detail; the demo needs two", folder.display());
            (photos, good.div_ceil(2))
        }
    };
    isonomy_store::files::create_dir_all_durable(copy)?;
    for photo in &all {
        isonomy_store::files::replace(&copy.join(&photo.name), &photo.file)?;
    }
    // Pictures with too little detail go to the end, where they are looked up and not covered.
    let (mut good, poor): (Vec<Photo>, Vec<Photo>) = all.into_iter().partition(|photo| photo.quality() >= MIN_QUALITY);
    let mut others = good.split_off(listed);
    others.extend(poor);
    Ok(Photos { listed: good, others })
}

fn embedded() -> Result<Vec<Photo>> {
    EMBEDDED.iter().map(|(name, file)| Photo::new(name, file.to_vec())).collect()
}

/// The pictures of a folder; files that are none are left out.
fn from_folder(folder: &Path) -> Result<Vec<Photo>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("can't read the folder {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    let limit = Limits::default().file_bytes;
    let photo = |path: &PathBuf| {
        let bytes = isonomy_store::files::read_limited(path, limit).ok()??;
        Photo::new(&path.file_name()?.to_string_lossy(), bytes).ok()
    };
    Ok(paths.iter().filter_map(photo).collect())
}

/// An edited copy of a picture.
pub(crate) struct Edited {
    pub(crate) edit: &'static str,
    pub(crate) fingerprint: Fingerprint,
}

/// Copies of a picture, edited as happens on the way through messengers, written to `folder`.
pub(crate) fn edits(photo: &Photo, folder: &Path) -> Result<Vec<Edited>> {
    isonomy_store::files::create_dir_all_durable(folder)?;
    let picture = image::load_from_memory(&photo.file)?;
    let (width, height) = (picture.width(), picture.height());
    let half = picture.resize_exact(width.div_ceil(2), height.div_ceil(2), FilterType::Triangle);
    let (cut_x, cut_y) = (width.div_ceil(200), height.div_ceil(200));
    let cropped = picture.crop_imm(cut_x, cut_y, width - 2 * cut_x, height - 2 * cut_y);
    let copies = [
        ("half size", "half.png", png(&half)?),
        ("recompressed", "recompressed.jpg", jpeg(&picture, 30)?),
        ("cropped by 1 %", "cropped.png", png(&cropped)?),
        ("brightened", "brightened.png", png(&picture.brighten(20))?),
    ];
    let stem = Path::new(&photo.name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let write = |(edit, suffix, file): (&'static str, &str, Vec<u8>)| {
        let path = folder.join(format!("{stem}-{suffix}"));
        isonomy_store::files::replace(&path, &file)?;
        let fingerprint = Fingerprint::of_file(Algorithm::PdqFull, &file, &Limits::default())?;
        Ok(Edited { edit, fingerprint })
    };
    copies.into_iter().map(write).collect()
}

fn png(picture: &DynamicImage) -> Result<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png)?;
    Ok(file.into_inner())
}

fn jpeg(picture: &DynamicImage, quality: u8) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    picture.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut file, quality))?;
    Ok(file)
}
