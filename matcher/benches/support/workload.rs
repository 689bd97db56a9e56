//! Lists of PDQ hashes and queries for them: one in ten is at a distance of 0 to 31 from an entry, the others are what the
//! list's own kind of picture gives.

use isonomy_core::list::Entries;
use isonomy_matcher::image::{Channels, Limits, Picture, decode};
use isonomy_matcher::pdq::{self, USUAL_MINIMUM_QUALITY};
use std::path::Path;

pub(crate) type Hash = [u8; 32];

/// Numbers without regularity (Marsaglia's xorshift, multiplied), the same at every run.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    fn hash(&mut self) -> Hash {
        let mut hash = [0; 32];
        hash.as_chunks_mut::<8>().0.iter_mut().for_each(|word| *word = self.next().to_le_bytes());
        hash
    }

    /// `hash` with `count` bits turned.
    fn apart(&mut self, hash: &Hash, count: usize) -> Hash {
        let mut turned = *hash;
        let mut bits: Vec<u8> = (0..=255).collect();
        for place in 0..count {
            bits.swap(place, place + self.below(256 - place));
            turned[usize::from(bits[place] / 8)] ^= 1 << (bits[place] % 8);
        }
        turned
    }
}

/// A list with queries.
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) list: Entries,
    pub(crate) queries: Vec<Hash>,
}

impl Workload {
    fn new(name: String, hashes: Vec<Hash>, others: Vec<Hash>, queries: usize, noise: &mut Noise) -> Self {
        let near = (0..queries / 10).map(|at| {
            let entry = hashes[noise.below(hashes.len())];
            noise.apart(&entry, at % 32)
        });
        let near: Vec<Hash> = near.collect();
        let mut all: Vec<Hash> = near.into_iter().chain(others).take(queries).collect();
        for place in (1..all.len()).rev() {
            all.swap(place, noise.below(place + 1));
        }
        let (list, _) = Entries::from_unsorted(32, hashes.into_flattened()).expect("hashes of 32 bytes");
        Self { name, list, queries: all }
    }

    /// Hashes without any regularity.
    pub(crate) fn uniform(entries: usize, queries: usize) -> Self {
        let mut noise = Noise::new(1);
        let hashes = (0..entries).map(|_| noise.hash()).collect();
        let others = (0..queries).map(|_| noise.hash()).collect();
        Self::new(format!("uniform {entries}"), hashes, others, queries, &mut noise)
    }

    /// Hashes of photographs: of crops, mirrored or not, and further ones that differ from those in 12 % of the bits. The
    /// queries are of a photograph that isn't in the list.
    pub(crate) fn photographs(entries: usize, queries: usize) -> Self {
        let mut noise = Noise::new(2);
        let (mut listed, mut others) = (Vec::new(), Vec::new());
        for (number, photograph) in photographs().iter().enumerate() {
            let hashes = crops(photograph, &mut noise, 1500);
            if number % 6 == 5 { others.extend(hashes) } else { listed.extend(hashes) }
        }
        let mut varied = |hashes: &[Hash], count: usize| {
            let more = (hashes.len()..count).map(|_| {
                let hash = hashes[noise.below(hashes.len())];
                noise.apart(&hash, 30)
            });
            hashes.iter().copied().take(count).chain(more).collect::<Vec<_>>()
        };
        let (listed, others) = (varied(&listed, entries), varied(&others, queries));
        Self::new(format!("photographs {entries}"), listed, others, queries, &mut noise)
    }

    /// A third of the list are variants of one picture, at 22 bits from it; half of the queries are 30 to 45 bits from it.
    pub(crate) fn hostile(entries: usize, queries: usize) -> Self {
        let mut noise = Noise::new(3);
        let centre = noise.hash();
        let (crowd, others) = (entries / 3, queries / 2);
        let mut hashes: Vec<Hash> = (crowd..entries).map(|_| noise.hash()).collect();
        hashes.extend((0..crowd).map(|_| noise.apart(&centre, 22)));
        let mut asked: Vec<Hash> = (others..queries).map(|at| noise.apart(&centre, 30 + at % 16)).collect();
        asked.extend((0..others).map(|_| noise.hash()));
        Self::new(format!("hostile {entries}"), hashes, asked, queries, &mut noise)
    }
}

/// The photographs of this repository, decoded.
pub(crate) fn photographs() -> Vec<Picture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../photos");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("photos").map(|entry| entry.expect("file").path()).collect();
    files.sort();
    let pictures = files.iter().filter(|path| path.extension().is_some_and(|kind| kind == "png" || kind == "jpg"));
    pictures.map(|path| decode(&std::fs::read(path).expect("file"), &Limits::default()).expect("picture")).collect()
}

/// Hashes of `count` crops of between 30 % and 95 % of each side, half of them mirrored, as far as they have the usual quality.
fn crops(photograph: &Picture, noise: &mut Noise, count: usize) -> Vec<Hash> {
    let hashes = (0..count).filter_map(|_| {
        let side = |length: usize, noise: &mut Noise| length * (300 + noise.below(650)) / 1000;
        let (width, height) = (side(photograph.width(), noise), side(photograph.height(), noise));
        let left = noise.below(photograph.width() - width);
        let top = noise.below(photograph.height() - height);
        let cut = crop(photograph, (left, top), (width, height));
        let hashes = pdq::hash_orientations(&cut);
        let hash = hashes[noise.below(2) * 5]; // as it is, or mirrored
        (hash.quality >= USUAL_MINIMUM_QUALITY).then_some(hash.hash)
    });
    hashes.collect()
}

/// A part of a picture, with every second or third pixel of each direction if it is large.
fn crop(picture: &Picture, (left, top): (usize, usize), (width, height): (usize, usize)) -> Picture {
    let (pixel, step) = (picture.channels().count(), (width.min(height) / 200).max(1));
    let mut data = Vec::new();
    for row in (top..top + height).step_by(step) {
        for column in (left..left + width).step_by(step) {
            data.extend_from_slice(&picture.data()[(row * picture.width() + column) * pixel..][..pixel]);
        }
    }
    let channels = if pixel == 1 { Channels::Grey } else { Channels::Rgb };
    Picture::new(width.div_ceil(step), height.div_ceil(step), channels, data).expect("a part of a picture")
}
