//! Videos to the hashes of their frames, by the system's ffmpeg.
//!
//! Videos are decoded by a program of its own, since no decoder in safe Rust takes the formats that people have. What it may
//! do is bounded from outside:
//!
//! | limit | how it is held |
//! |---|---|
//! | time | it is stopped when its wall time is over; the operating system stops it when its processor time is |
//! | memory | the operating system's limit of its address space, where there is one |
//! | what it writes | no file (the operating system's limit of their size is 0); of its output, no more frames and pixels than the limits allow are read |
//! | what it opens | only the file, as its standard input, by the protocol `file`; only formats that hold videos and name no other files; only decoders of video, and while the file is looked at before, those of common kinds of sound and text |
//! | what it is told | arguments of this module alone: no name of a file, nothing of the environment but the search path |
//!
//! Frames come as pictures of type PPM, are hashed one by one and not kept. Which frames, and how videos are compared, is
//! said in [`isonomy_matcher::video`]. The program runs once to say what the file holds and once to decode it; both once more where
//! the first answer leaves open whether all was seen. The time is for all of them.

mod decoder;
mod facts;
mod ppm;
mod process;

use decoder::{Decoder, Film};
use isonomy_matcher::video::{Video, VideoError, is_video};
use process::{Patience, failed};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

/// What decoding a video may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VideoLimits {
    /// The largest file, in bytes.
    pub file_bytes: u64,
    /// The largest frame, in pixels.
    pub pixels: u64,
    /// The most sampled frames, which is about as many seconds.
    pub frames: usize,
    /// The most time, by the clock and of processors.
    pub time: Duration,
    /// The most memory of the decoder, in bytes.
    pub memory: u64,
}

/// Files of 4 GiB, frames of 40 million pixels, two hours of video, ten minutes of time, 2 GiB of memory.
impl Default for VideoLimits {
    fn default() -> Self {
        Self { file_bytes: 4 << 30, pixels: 40_000_000, frames: 7200, time: Duration::from_secs(600), memory: 2 << 30 }
    }
}

/// The bytes of a file by which [`is_video`] knows a format.
pub const BEGINNING: usize = 1024;

/// The program that decodes videos, as it is found on the search path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ffmpeg(Decoder);

impl Ffmpeg {
    /// The system's, if there is one: the commands `ffmpeg` and `ffprobe`.
    pub fn find() -> Result<Self, VideoError> {
        Self::find_in(&std::env::var_os("PATH").unwrap_or_default())
    }

    fn find_in(path: &std::ffi::OsStr) -> Result<Self, VideoError> {
        Decoder::find(path).map(Self).ok_or(VideoError::NoDecoder)
    }

    /// Hashes the frames of the video in `file`, about one for each second.
    pub fn hash(&self, file: File, limits: &VideoLimits) -> Result<Video, VideoError> {
        self.hash_unless(file, limits, &|| false)
    }

    /// The same, given up soon after `is_over` says that the hashes are of no use any more.
    pub fn hash_unless(
        &self,
        mut file: File,
        limits: &VideoLimits,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Video, VideoError> {
        if file.metadata().map_err(failed)?.len() > limits.file_bytes {
            return Err(VideoError::TooLarge { limit: limits.file_bytes });
        }
        if !is_video(&beginning(&mut file).map_err(failed)?) {
            return Err(VideoError::UnknownFormat);
        }
        Film::open(&self.0, &file, limits, Patience::new(limits.time, is_over))?.hash()
    }
}

/// [`Ffmpeg::hash`] by the system's ffmpeg, of the file at `path`.
pub fn hash_video(path: &Path, limits: &VideoLimits) -> Result<Video, VideoError> {
    Ffmpeg::find()?.hash(File::open(path).map_err(failed)?, limits)
}

/// [`Ffmpeg::hash`] by the system's ffmpeg, of a file in memory. It is written into a file without a name, which is gone when
/// this returns.
pub fn hash_video_bytes(bytes: &[u8], limits: &VideoLimits) -> Result<Video, VideoError> {
    hash_video_bytes_unless(bytes, limits, &|| false)
}

/// The same, given up soon after `is_over` says that the hashes are of no use any more.
pub fn hash_video_bytes_unless(
    bytes: &[u8],
    limits: &VideoLimits,
    is_over: &dyn Fn() -> bool,
) -> Result<Video, VideoError> {
    if !is_video(bytes) {
        return Err(VideoError::UnknownFormat);
    }
    let ffmpeg = Ffmpeg::find()?;
    let mut file = tempfile::tempfile().map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    ffmpeg.hash_unless(file, limits, is_over)
}

/// Reads bytes as the programs could write them: as pictures of at most so many pixels, and as facts about a file. For fuzzing; says
/// how many pictures they were.
#[doc(hidden)]
pub fn read_output(bytes: &[u8], pixels: u64) -> usize {
    let (mut output, mut count) = (bytes, 0);
    while let Ok(Some(_)) = ppm::read(&mut output, pixels) {
        count += 1;
    }
    if let Ok(facts) = facts::Facts::read(bytes) {
        let _ = (facts.check(&VideoLimits::default()), facts::too_few(count, facts.sampled()), facts.gap());
        let end = facts::end_of_all(bytes).unwrap_or_default();
        let _ = (facts.seconds(), facts.missing(), facts.missing_of(end));
    }
    count
}

/// The first bytes of a file, which is then at its beginning again.
pub fn beginning(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    let reader: &File = file;
    reader.take(BEGINNING as u64).read_to_end(&mut bytes)?;
    file.rewind()?;
    Ok(bytes)
}
