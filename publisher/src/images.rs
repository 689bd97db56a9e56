//! A folder of pictures to their hashes, in parallel.
//!
//! Every file in the folder and those below it is read, in the order of their names. A file that is no picture, is damaged or is
//! too large is reported, as is a folder that can't be read, and the others are hashed all the same. Links, pipes, sockets and
//! devices are left out, and named. Memory: what decoding a picture may take ([`Limits`]) and two copies of its file, for each
//! thread, and some hundred bytes for each file of the folder. The result is a table:
//!
//! ```text
//! file,width,height,quality,pdq
//! holidays/beach.jpg,4032,3024,100,d8f8f0cce0f4e84d06370a22038f63f0b36e2ae596621e1d33e6b39c4e9a9b22
//! ```
//!
//! Videos are hashed if that is asked for, into a table of their own: a row for each frame as a list of `vpdq/v1` holds it,
//! with its video's number before its hash, where the frame has the usual quality.

use crate::folder::each_file;
use isonomy_client::video::{self, VideoLimits};
use isonomy_core::encoding::to_hex;
use isonomy_core::list::Algorithm;
use isonomy_matcher::image::{self, DecodeError, Limits};
use isonomy_matcher::pdq::{self, USUAL_MINIMUM_QUALITY};
use isonomy_matcher::video::is_video;
use isonomy_store::files::{self, FileError};
use serde::Serialize;
use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

/// Why a folder can't be hashed.
#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    /// The folder itself can't be read.
    #[error("can't read the folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The table can't be written.
    #[error("can't write the table: {0}")]
    Write(io::Error),
}

/// How much is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Files that were read.
    pub done: usize,
    /// Files that there are.
    pub total: usize,
}

/// A picture and its hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HashedImage {
    /// The file, relative to the folder.
    pub file: String,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The quality of the hash, 0 to 100.
    pub quality: u8,
    /// The hash, in hexadecimal.
    pub pdq: String,
}

/// A video and its hashes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HashedVideo {
    /// The file, relative to the folder.
    pub file: String,
    /// Its frames, as a list holds them.
    pub frames: Vec<HashedFrame>,
}

/// A frame of a video.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HashedFrame {
    /// The quality of its hash, 0 to 100.
    pub quality: u8,
    /// The number of its video and its hash, in hexadecimal.
    pub vpdq: String,
}

/// A file of which only a part was hashed, one without a hash, or a folder below the one that can't be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FailedImage {
    /// The file, relative to the folder.
    pub file: String,
    /// Why it has none, or not all.
    pub reason: String,
}

/// The hashes of a folder.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ImagesReport {
    /// The pictures, in the order of their names.
    pub images: Vec<HashedImage>,
    /// The videos, in the order of their names.
    pub videos: Vec<HashedVideo>,
    /// Pictures and videos of which only a part was hashed: the first picture of several, a damaged video.
    pub partly: Vec<FailedImage>,
    /// Pictures and videos that have no hash, and what can't be read.
    pub failed: Vec<FailedImage>,
    /// What was left out: links, pipes, sockets, devices, and files that are no pictures.
    pub left_out: Vec<FailedImage>,
}

/// How a folder is hashed.
#[derive(Clone, Copy, Debug)]
pub struct ImagesOptions {
    /// How many pictures are hashed at a time.
    pub threads: NonZeroUsize,
    /// What decoding one picture may cost.
    pub limits: Limits,
    /// What decoding one video may cost, if videos are to be hashed.
    pub videos: Option<VideoLimits>,
}

/// As many threads as the machine can run, the usual limits, no videos.
impl Default for ImagesOptions {
    fn default() -> Self {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { threads, limits: Limits::default(), videos: None }
    }
}

/// Hashes every picture in `folder`. `progress` is told after every file, from any thread.
pub fn hash_images(
    folder: &Path,
    options: &ImagesOptions,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<ImagesReport, ImagesError> {
    let visited = each_file(folder, options.threads, progress, |path, name| hash_file(path, name, options))?;
    let mut report = ImagesReport { failed: visited.failed, left_out: visited.left_out, ..ImagesReport::default() };
    for outcome in visited.files {
        match outcome {
            Ok(Hashed::Image(image, partly)) => {
                report.partly.extend(partly.map(|reason| FailedImage { file: image.file.clone(), reason }));
                report.images.push(image);
            }
            Ok(Hashed::Video(video, partly)) => {
                report.partly.extend(partly.map(|reason| FailedImage { file: video.file.clone(), reason }));
                report.videos.push(video);
            }
            Ok(Hashed::Neither(other)) => report.left_out.push(other),
            Err(failed) => report.failed.push(failed),
        }
    }
    for files in [&mut report.failed, &mut report.left_out] {
        files.sort_by(|one, other| one.file.cmp(&other.file));
    }
    Ok(report)
}

/// What came of a file, with the reason why it is only a part of it.
enum Hashed {
    Image(HashedImage, Option<String>),
    Video(HashedVideo, Option<String>),
    Neither(FailedImage),
}

fn hash_file(path: &Path, name: String, options: &ImagesOptions) -> Result<Hashed, FailedImage> {
    let begins_like_video = || {
        let beginning = File::open(path).and_then(|mut file| video::beginning(&mut file));
        beginning.is_ok_and(|beginning| is_video(&beginning))
    };
    match &options.videos {
        Some(limits) if begins_like_video() => hash_video(name, path, limits),
        _ => hash_image(name, path, &options.limits),
    }
}

fn hash_video(file: String, path: &Path, limits: &VideoLimits) -> Result<Hashed, FailedImage> {
    let video = match video::hash_video(path, limits) {
        Ok(video) => video,
        Err(error) => return Err(FailedImage { file, reason: error.to_string() }),
    };
    let algorithm = Algorithm::VpdqV1;
    let frame = |entry: Vec<u8>| {
        let same = video.frames().iter().filter(|frame| frame.hash == algorithm.hash_of(&entry));
        HashedFrame { quality: same.map(|frame| frame.quality).max().unwrap_or_default(), vpdq: to_hex(&entry) }
    };
    let frames: Vec<HashedFrame> = video.entries(u64::from(USUAL_MINIMUM_QUALITY)).into_iter().map(frame).collect();
    if frames.is_empty() {
        let reason = format!("no frame of the video has a quality of {USUAL_MINIMUM_QUALITY}");
        return Err(FailedImage { file, reason });
    }
    Ok(Hashed::Video(HashedVideo { file, frames }, video.unlisted().map(ToString::to_string)))
}

fn hash_image(name: String, path: &Path, limits: &Limits) -> Result<Hashed, FailedImage> {
    let failed = |reason: String| FailedImage { file: name.clone(), reason };
    let bytes = read_file(path, limits.file_bytes).map_err(failed)?;
    let picture = match image::decode(&bytes, limits) {
        Err(error @ DecodeError::UnknownFormat) => return Ok(Hashed::Neither(failed(error.to_string()))),
        decoded => decoded.map_err(|error| failed(error.to_string()))?,
    };
    let hash = pdq::hash(&picture);
    let (width, height) = (picture.width(), picture.height());
    let image = HashedImage { file: name, width, height, quality: hash.quality, pdq: hash.to_hex() };
    let partly = match image::count(&bytes, limits) {
        0 | 1 => None,
        count => Some(format!("only the first of its {count} pictures is hashed")),
    };
    Ok(Hashed::Image(image, partly))
}

/// The bytes of a file, or why they can't be had.
pub(crate) fn read_file(path: &Path, limit: usize) -> Result<Vec<u8>, String> {
    match files::read_limited(path, limit) {
        Err(FileError::TooLarge { limit, .. }) => Err(DecodeError::FileTooLarge { limit }.to_string()),
        Err(error) => Err(error.to_string()),
        Ok(bytes) => bytes.ok_or_else(|| "the file is gone".to_owned()),
    }
}

impl ImagesReport {
    /// Writes the pictures as a table, which [`crate::import`] reads.
    pub fn write_csv(&self, out: impl Write) -> Result<(), ImagesError> {
        let failed = |error: csv::Error| ImagesError::Write(error.into());
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
        writer.write_record(["file", "width", "height", "quality", "pdq"]).map_err(failed)?;
        for image in &self.images {
            writer.serialize(image).map_err(failed)?;
        }
        writer.flush().map_err(ImagesError::Write)
    }

    /// Writes the frames of the videos as a table, which [`crate::import`] reads for lists of `vpdq/v1`.
    pub fn write_videos_csv(&self, out: impl Write) -> Result<(), ImagesError> {
        let failed = |error: csv::Error| ImagesError::Write(error.into());
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
        writer.write_record(["file", "quality", "vpdq"]).map_err(failed)?;
        for (video, frame) in self.videos.iter().flat_map(|video| video.frames.iter().map(move |frame| (video, frame)))
        {
            writer.write_record([&video.file, &frame.quality.to_string(), &frame.vpdq]).map_err(failed)?;
        }
        writer.flush().map_err(ImagesError::Write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::{MAX_DEPTH, relative};
    use crate::import::{ImportOptions, Invalid, import};
    use std::fs;
    use std::sync::Mutex;

    /// An uncompressed picture of 64 × 64 grey pixels.
    fn bmp(seed: u8) -> Vec<u8> {
        let (width, height) = (64u32, 64u32);
        let mut bytes = b"BM".to_vec();
        let size = 54 + width * height * 3;
        for number in [size, 0, 54, 40, width, height] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&[1, 0, 24, 0]);
        bytes.extend_from_slice(&[0; 24]);
        let mut state = u32::from(seed).wrapping_mul(2_654_435_761);
        for _ in 0..width * height {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.extend_from_slice(&[(state >> 24) as u8; 3]);
        }
        bytes
    }

    #[test]
    fn a_folder_is_hashed_whatever_lies_in_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        for (name, bytes) in [
            ("b.bmp", bmp(1)),
            ("a, with comma.bmp", bmp(2)),
            ("sub/c.bmp", bmp(3)),
            ("notes.txt", b"no picture".to_vec()),
            ("cut.bmp", bmp(4)[..100].to_vec()),
            ("huge.bmp", vec![0; 20_000]),
        ] {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        let limits = Limits { file_bytes: 15_000, ..Limits::default() };
        let mut reports = Vec::new();
        for threads in 1..=3 {
            let options = ImagesOptions { threads: NonZeroUsize::new(threads).unwrap(), limits, videos: None };
            let seen = Mutex::new(Vec::new());
            let report = hash_images(dir.path(), &options, &|progress| seen.lock().unwrap().push(progress)).unwrap();
            let mut seen = seen.into_inner().unwrap();
            seen.sort_by_key(|progress| progress.done);
            assert_eq!(seen.last(), Some(&Progress { done: 6, total: 6 }));
            reports.push(report);
        }
        assert!(reports.windows(2).all(|pair| pair[0] == pair[1]), "the same with any number of threads");
        let report = &reports[0];
        let names: Vec<&str> = report.images.iter().map(|image| image.file.as_str()).collect();
        assert_eq!(names, ["a, with comma.bmp", "b.bmp", "sub/c.bmp"]);
        let failed: Vec<&str> = report.failed.iter().map(|image| image.file.as_str()).collect();
        assert_eq!(failed, ["cut.bmp", "huge.bmp"]);
        assert_eq!(report.left_out[0].file, "notes.txt");
        assert!(report.failed[1].reason.contains("larger than the limit"), "{report:?}");

        let mut table = Vec::new();
        report.write_csv(&mut table).unwrap();
        assert!(table.starts_with(b"file,width,height,quality,pdq\n\"a, with comma.bmp\",64,64,"));
        let options = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
        let (imported, report) = import(&table[..], &options).unwrap();
        assert_eq!((imported.entries.len(), report.refused_records), (3, 0), "{report:?}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_left_out_and_a_folder_that_can_not_be_read_ends_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.bmp"), bmp(1)).unwrap();
        std::os::unix::fs::symlink("a.bmp", dir.path().join("link.bmp")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        let deepest = (0..=MAX_DEPTH).fold(dir.path().to_owned(), |path, _| path.join("d"));
        fs::create_dir_all(&deepest).unwrap();
        fs::write(deepest.join("b.bmp"), bmp(2)).unwrap();
        let closed = dir.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
        let is_closed = fs::read_dir(&closed).is_err(); // not for root
        let report = hash_images(dir.path(), &ImagesOptions::default(), &|_| ()).unwrap();
        let names = |of: &[FailedImage]| of.iter().map(|one| one.file.clone()).collect::<Vec<_>>();
        assert_eq!(report.images.len(), 1);
        assert_eq!(names(&report.left_out), ["link.bmp", "socket"]);
        let deep = relative(dir.path(), &deepest);
        let failed = if is_closed { vec!["closed".to_owned(), deep] } else { vec![deep] };
        assert_eq!(names(&report.failed), failed);
        fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    }

    /// They run where ffmpeg is installed. With `ISONOMY_REQUIRE_FFMPEG` set, it must be there.
    #[test]
    fn videos_are_hashed_if_wanted_and_become_a_list() {
        let found = video::Ffmpeg::find().is_ok();
        assert!(found || std::env::var_os("ISONOMY_REQUIRE_FFMPEG").is_none(), "no ffmpeg is installed");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/video");
        let unwanted = hash_images(&folder, &ImagesOptions::default(), &|_| ()).unwrap();
        assert!(unwanted.videos.is_empty() && unwanted.failed.len() + unwanted.left_out.len() >= 4, "{unwanted:?}");
        if !found {
            return;
        }
        let options = ImagesOptions { videos: Some(VideoLimits::default()), ..ImagesOptions::default() };
        let report = hash_images(&folder, &options, &|_| ()).unwrap();
        let names: Vec<&str> = report.videos.iter().map(|video| video.file.as_str()).collect();
        assert_eq!(names, ["aac_text.mp4", "ntsc.mkv", "photos.mp4", "photos.ts", "photos.webm"]);
        // They say that they have 30 and 25 frames a second, and have ten.
        let partly: Vec<&str> = report.partly.iter().map(|one| one.file.as_str()).collect();
        assert_eq!(partly, ["ntsc.mkv", "photos.ts"]);
        let mut table = Vec::new();
        report.write_videos_csv(&mut table).unwrap();
        let (imported, summary) = import(&table[..], &ImportOptions::new(Algorithm::VpdqV1)).unwrap();
        let frames: usize = report.videos.iter().map(|video| video.frames.len()).sum();
        assert_eq!((summary.taken, summary.refused_records), (frames as u64, 0), "{summary:?}");
        // Two of the videos have the same pictures.
        let all = report.videos.iter().flat_map(|video| &video.frames);
        let distinct: std::collections::BTreeSet<&String> = all.map(|frame| &frame.vpdq).collect();
        assert_eq!(imported.entries.len(), distinct.len());
        assert!(imported.entries.irregular(Algorithm::VpdqV1).is_ok_and(|irregular| irregular == 0));
    }

    #[test]
    fn of_an_animation_is_said_that_one_picture_is_hashed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/decode");
        let report = hash_images(&folder, &ImagesOptions::default(), &|_| ()).unwrap();
        let names: Vec<&str> = report.partly.iter().map(|one| one.file.as_str()).collect();
        assert_eq!(names, ["animated.png", "animated.webp", "animated_beside_still.png"]);
        assert_eq!(report.partly[0].reason, "only the first of its 25 pictures is hashed");
        assert!(report.images.len() > 10 && report.images.iter().any(|image| image.file == "animated.png"));
    }

    #[test]
    fn a_missing_folder_is_an_error_and_an_empty_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let missing = hash_images(&dir.path().join("missing"), &ImagesOptions::default(), &|_| ());
        assert!(matches!(missing, Err(ImagesError::Folder { .. })));
        let empty = hash_images(dir.path(), &ImagesOptions::default(), &|_| ()).unwrap();
        assert_eq!(empty, ImagesReport::default());
    }
}
