//! What `isonomy match` is asked about: files and hashes.

use super::files;
use crate::exit::Malformed;
use anyhow::{Context, Result};
use isonomy_client::video::{self, VideoLimits, hash_video, hash_video_bytes};
use isonomy_core::encoding::from_hex;
use isonomy_core::list::Algorithm;
use isonomy_matcher::digest::Digester;
use isonomy_matcher::image::{DecodeError, Limits};
use isonomy_matcher::{Fingerprint, Orientations, Subject};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What is open already has its other end: it can be read once, and never keeps anybody waiting for one.
const OPEN: [&str; 3] = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/"];

/// What somebody has asked about.
pub(super) struct Asked {
    pub(super) subject: Subject,
    /// `file` or `hash`.
    pub(super) taken_as: &'static str,
}

/// A file that has this name; else a hash. A hash is looked up in each list by that list's algorithm, if it is as long.
pub(super) fn asked(algorithms: &[Algorithm], subject: &OsStr, orientations: Orientations) -> Result<Asked> {
    let path = Path::new(subject);
    if path.exists() {
        return Ok(Asked { subject: of_file(algorithms, path, orientations)?, taken_as: "file" });
    }
    let hash = subject.to_str().and_then(|text| from_hex(&text.to_lowercase()));
    let hash =
        hash.ok_or_else(|| Malformed("there is no such file, and it is no hash in hexadecimal digits".into()))?;
    let fits = |algorithm: &&Algorithm| algorithm.hash_size() == hash.len();
    let of = |algorithm: &Algorithm| Fingerprint { algorithm: *algorithm, hash: hash.clone(), quality: None };
    let hashes: Vec<Fingerprint> = algorithms.iter().filter(fits).map(of).collect();
    if hashes.is_empty() {
        let sizes: Vec<String> = algorithms.iter().map(|known| format!("{known} {}", known.hash_size() * 2)).collect();
        let found = hash.len() * 2;
        let words = format!("a hash of {found} digits is none of these lists, whose hashes have: {}", sizes.join(", "));
        return Err(Malformed(words).into());
    }
    Ok(Asked { subject: Subject::of_hashes(hashes), taken_as: "hash" })
}

/// A file, with all its hashes for lists of these algorithms.
pub(super) fn of_file(algorithms: &[Algorithm], path: &Path, orientations: Orientations) -> Result<Subject> {
    let unreadable = || format!("can't read {}", path.display());
    let metadata = std::fs::metadata(path).with_context(unreadable)?;
    let limits = Limits::default();
    let wants_videos = algorithms.contains(&Algorithm::VpdqV1);
    if !metadata.is_file() {
        let bytes = of_pipe(path, limits.file_bytes)?;
        let subject = Subject::of_file(algorithms, &bytes, &limits, orientations);
        return Ok(match wants_videos {
            true => subject.with_video(hash_video_bytes(&bytes, &VideoLimits::default())),
            false => subject,
        });
    }
    let is_video = |file: &mut File| Ok::<_, io::Error>(isonomy_matcher::video::is_video(&video::beginning(file)?));
    if File::open(path).and_then(|mut file| is_video(&mut file)).with_context(unreadable)? {
        let subject = undecoded(algorithms, path, DecodeError::UnknownFormat).with_context(unreadable)?;
        return Ok(match wants_videos {
            true => subject.with_video(hash_video(path, &VideoLimits::default())),
            false => subject,
        });
    }
    if metadata.len() > limits.file_bytes as u64 {
        let why = DecodeError::FileTooLarge { limit: limits.file_bytes };
        return undecoded(algorithms, path, why).with_context(unreadable);
    }
    let bytes = files::read(path, limits.file_bytes)?;
    Ok(Subject::of_file(algorithms, &bytes, &limits, orientations))
}

/// A file that is not decoded as a picture, which lists of pictures are told if they are asked.
fn undecoded(algorithms: &[Algorithm], path: &Path, why: DecodeError) -> io::Result<Subject> {
    let digests = digests(path, algorithms)?;
    Ok(match algorithms.contains(&Algorithm::PdqFull) {
        true => Subject::undecoded(digests, why),
        false => Subject::of_digests(digests),
    })
}

/// What comes through a pipe whose other end is open, as a shell makes it of `<(…)`.
fn of_pipe(path: &Path, limit: usize) -> Result<Vec<u8>> {
    if !OPEN.iter().any(|open| path.to_string_lossy().starts_with(open)) {
        let words =
            "it is a folder, pipe, socket or device, not a file; what a program writes is taken from /dev/stdin";
        return Err(Malformed(words.into()).into());
    }
    let unreadable = || format!("can't read {}", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(unreadable)?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).with_context(unreadable)?;
    if bytes.len() > limit {
        return Err(Malformed(format!("more than {limit} bytes come through it; write them to a file first")).into());
    }
    Ok(bytes)
}

/// The digests of a file that may be too large for memory.
fn digests(path: &Path, algorithms: &[Algorithm]) -> io::Result<Vec<Fingerprint>> {
    let mut digesters: BTreeMap<Algorithm, Digester> =
        algorithms.iter().filter_map(|algorithm| Some((*algorithm, Digester::new(*algorithm)?))).collect();
    if digesters.is_empty() {
        return Ok(Vec::new());
    }
    let (mut file, mut piece) = (File::open(path)?, vec![0; 1 << 16]);
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            break;
        }
        digesters.values_mut().for_each(|digester| digester.update(&piece[..length]));
    }
    let digest = |(algorithm, digester): (Algorithm, Digester)| Fingerprint {
        algorithm,
        hash: digester.finish(),
        quality: None,
    };
    Ok(digesters.into_iter().map(digest).collect())
}
