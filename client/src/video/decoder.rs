//! The process that decodes.

use super::{VideoLimits, ppm};
use isonomy_matcher::image::Picture;
use isonomy_matcher::video::VideoError;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Formats that hold videos and name no other files.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,ogg,flv,asf";

/// Decoders of video.
const CODECS: &str = "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,libdav1d,libaom-av1,av1,mpeg4,mpeg1video,mpeg2video,h263,h263p,\
                      flv,theora,wmv1,wmv2,wmv3,vc1,msmpeg4v1,msmpeg4v2,msmpeg4,mjpeg,prores,dvvideo";

/// Sets limits, then becomes the program. Not every system can limit the address space; the others have to hold.
const LIMITED: &str = r#"ulimit -v "$1" 2>/dev/null; ulimit -t "$2" && ulimit -f 0 && shift 2 && exec "$@""#;

/// The most bytes that are read of what a decoder says.
const MAX_WORDS: u64 = 4096;

/// The most bytes of an answer about a file.
const MAX_FACTS: u64 = 4096;

/// How often a process that has nothing more to say is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The two programs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Decoder {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
}

impl Decoder {
    /// On this search path.
    pub(super) fn find(path: &OsStr) -> Option<Self> {
        let find = |name: &str| std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file());
        Some(Self { ffmpeg: find("ffmpeg")?, ffprobe: find("ffprobe")? })
    }
}

/// What both programs are told about the file.
fn input() -> [&'static str; 8] {
    let [formats, codecs] = [FORMATS, CODECS];
    ["-protocol_whitelist", "file", "-format_whitelist", formats, "-codec_whitelist", codecs, "-i", "file:/dev/stdin"]
}

/// The frames of a video, as they are decoded.
pub(super) struct Frames {
    process: Process,
    pictures: Receiver<Result<Picture, VideoError>>,
}

impl Frames {
    pub(super) fn decode(decoder: &Decoder, file: &File, limits: &VideoLimits) -> Result<Self, VideoError> {
        let deadline = Instant::now() + limits.time;
        let facts = Facts::of(decoder, file, limits, deadline)?;
        facts.check(limits)?;
        // As vPDQ converts colours: without regard to what the file says of them.
        let filter = format!(
            "select=not(mod(n\\,{})),scale=in_color_matrix=bt601:flags=area,format=rgb24,\
             settb=1,setpts=N",
            facts.step()
        );
        let frames = (limits.frames + 1).to_string();
        let before = ["-nostdin", "-v", "error", "-threads", "2", "-noautorotate"];
        let after = ["-map", "0:V:0", "-vf", &filter, "-r", "1", "-frames:v", &frames, "-c:v", "ppm"];
        let output = ["-f", "image2pipe", "pipe:1"];
        let arguments = [&before[..], &input(), &after, &output].concat();
        let (process, output) = Process::start(&decoder.ffmpeg, &arguments, file, limits, deadline)?;
        let (sender, pictures) = sync_channel(1);
        let (mut output, most) = (BufReader::with_capacity(1 << 20, output), limits.pixels);
        thread::spawn(move || {
            while let Some(picture) = ppm::read(&mut output, most).transpose() {
                let is_last = picture.is_err();
                if sender.send(picture).is_err() || is_last {
                    break;
                }
            }
        });
        Ok(Self { process, pictures })
    }

    /// The next one; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Picture>, VideoError> {
        match self.pictures.recv_timeout(self.process.left()) {
            Ok(picture) => picture.map(Some),
            Err(RecvTimeoutError::Timeout) => Err(self.process.took_too_long()),
            Err(RecvTimeoutError::Disconnected) => self.process.finish().map(|()| None),
        }
    }
}

/// What is known of a video before it is decoded.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Facts {
    width: u64,
    height: u64,
    mean_rate: f64,
    base_rate: f64,
}

impl Facts {
    fn of(decoder: &Decoder, file: &File, limits: &VideoLimits, deadline: Instant) -> Result<Self, VideoError> {
        let before = ["-v", "error", "-select_streams", "V:0"];
        let after = ["-show_entries", "stream=width,height,avg_frame_rate,r_frame_rate", "-of", "default=nw=1"];
        let arguments = [&before[..], &after, &input()].concat();
        let (mut process, output) = Process::start(&decoder.ffprobe, &arguments, file, limits, deadline)?;
        let (sender, said) = sync_channel(1);
        thread::spawn(move || {
            let mut text = Vec::new();
            let read = output.take(MAX_FACTS).read_to_end(&mut text);
            // Whoever waits has gone if the time is over.
            let _ = sender.send(read.map(|_| String::from_utf8_lossy(&text).into_owned()));
        });
        let text = match said.recv_timeout(process.left()) {
            Ok(text) => text.map_err(failed)?,
            Err(_) => return Err(process.took_too_long()),
        };
        process.finish()?;
        Self::parse(&text).ok_or_else(|| malformed("it has no video"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut facts = Self::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            match key {
                "width" => facts.width = value.parse().ok()?,
                "height" => facts.height = value.parse().ok()?,
                "avg_frame_rate" => facts.mean_rate = rate(value),
                "r_frame_rate" => facts.base_rate = rate(value),
                _ => {}
            }
        }
        (facts.width > 0 && facts.height > 0).then_some(facts)
    }

    fn check(&self, limits: &VideoLimits) -> Result<(), VideoError> {
        let Self { width, height, .. } = *self;
        match width.checked_mul(height) {
            Some(pixels) if pixels <= limits.pixels => Ok(()),
            _ => Err(VideoError::TooManyPixels { width, height, limit: limits.pixels }),
        }
    }

    /// Every so-manieth frame counts.
    fn step(&self) -> u64 {
        let rate = if self.mean_rate > 0.0 { self.mean_rate } else { self.base_rate };
        (rate as u64).clamp(1, 1_000_000)
    }
}

/// A fraction like `30000/1001`; 0 if it is none.
fn rate(text: &str) -> f64 {
    let fraction = text.split_once('/').and_then(|(one, other)| {
        let (one, other): (f64, f64) = (one.parse().ok()?, other.parse().ok()?);
        (other > 0.0).then_some(one / other)
    });
    fraction.unwrap_or(0.0)
}

/// A program that runs within limits. It is stopped when this is dropped.
struct Process {
    child: Child,
    words: Option<JoinHandle<String>>,
    deadline: Instant,
    seconds: u64,
}

impl Process {
    fn start(
        program: &Path,
        arguments: &[&str],
        mut file: &File,
        limits: &VideoLimits,
        deadline: Instant,
    ) -> Result<(Self, ChildStdout), VideoError> {
        file.rewind().map_err(failed)?;
        let seconds = limits.time.as_secs().max(1);
        let (memory, time) = ((limits.memory / 1024).to_string(), seconds.to_string());
        let mut child = Command::new("/bin/sh")
            .args(["-c", LIMITED, "sh", &memory, &time])
            .arg(program)
            .args(arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(file.try_clone().map_err(failed)?)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (output, words) = (child.stdout.take(), child.stderr.take());
        let words = words.map(|words| thread::spawn(move || listen(words)));
        let process = Self { child, words, deadline, seconds };
        Ok((process, output.ok_or_else(|| failed(io::Error::other("it has no output")))?))
    }

    /// How much time there still is.
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    fn took_too_long(&self) -> VideoError {
        VideoError::TookTooLong { seconds: self.seconds }
    }

    /// Waits for its end, after all of its output was read.
    fn finish(&mut self) -> Result<(), VideoError> {
        let status = self.wait()?;
        let said = self.words.take().and_then(|words| words.join().ok()).unwrap_or_default();
        if status.success() {
            return Ok(());
        }
        let reason = match said.lines().map(str::trim).find(|line| !line.is_empty()) {
            Some(line) => line.to_owned(),
            None => format!("ffmpeg ended with {status}"),
        };
        Err(VideoError::Malformed { reason })
    }

    fn wait(&mut self) -> Result<ExitStatus, VideoError> {
        loop {
            if let Some(status) = self.child.try_wait().map_err(failed)? {
                return Ok(status);
            }
            if self.left().is_zero() {
                return Err(self.took_too_long());
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The beginning of what a program says, as one would print it; all of it is read, so that the program doesn't wait.
fn listen(mut words: impl Read) -> String {
    let mut kept = Vec::new();
    let _ = words.by_ref().take(MAX_WORDS).read_to_end(&mut kept);
    let _ = io::copy(&mut words, &mut io::sink());
    let text = String::from_utf8_lossy(&kept);
    text.chars().map(|letter| if letter.is_control() && letter != '\n' { ' ' } else { letter }).collect()
}

fn failed(error: io::Error) -> VideoError {
    VideoError::Decoder { reason: error.to_string() }
}

fn malformed(reason: &str) -> VideoError {
    VideoError::Malformed { reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_one_frame_a_second_counts() {
        for (text, step) in [
            ("width=2\nheight=2\nr_frame_rate=25/1\navg_frame_rate=30000/1001\n", 29),
            ("width=2\nheight=2\nr_frame_rate=25/1\navg_frame_rate=0/0\n", 25),
            ("width=2\nheight=2\nr_frame_rate=1/3\navg_frame_rate=1/3\n", 1),
            ("width=2\nheight=2\nr_frame_rate=x\navg_frame_rate=90000000000/1\n", 1_000_000),
            ("width=2\nheight=2\n", 1),
        ] {
            assert_eq!(Facts::parse(text).unwrap().step(), step, "{text}");
        }
        for wrong in ["", "width=2\n", "width=0\nheight=2\n", "width=-2\nheight=2\n", "width=2\nheight=N/A\n"] {
            assert_eq!(Facts::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn frames_beyond_the_limit_are_refused_before_they_are_decoded() {
        let limits = VideoLimits { pixels: 8, ..VideoLimits::default() };
        let facts = |width, height| Facts { width, height, ..Facts::default() };
        assert_eq!(facts(2, 4).check(&limits), Ok(()));
        for (width, height) in [(3, 3), (u64::MAX, 2)] {
            let expected = Err(VideoError::TooManyPixels { width, height, limit: 8 });
            assert_eq!(facts(width, height).check(&limits), expected);
        }
    }

    #[test]
    fn a_program_is_held_to_its_limits_and_its_words_are_told() {
        let file = tempfile::tempfile().unwrap();
        let run = |script: &str, limits: VideoLimits| {
            let deadline = Instant::now() + limits.time;
            let (mut process, mut output) =
                Process::start(Path::new("/bin/sh"), &["-c", script], &file, &limits, deadline).unwrap();
            let mut text = String::new();
            output.read_to_string(&mut text).unwrap();
            (process.finish(), text)
        };
        let limits = VideoLimits { time: Duration::from_secs(5), memory: 64 << 20, ..VideoLimits::default() };
        let (ended, text) = run("ulimit -v; ulimit -t; ulimit -f; env | grep -v PATH= | sort", limits);
        assert_eq!(ended, Ok(()));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["65536", "5", "0"]);
        assert!(
            lines[3..]
                .iter()
                .all(|line| ["LC_ALL=C", "PWD=/", "_=", "OLDPWD="].iter().any(|known| line.starts_with(known))),
            "{text}"
        );
        assert_eq!(run("echo 'too\x07 bad' >&2; exit 3", limits).0, Err(malformed("too  bad")));
        // Says nothing more, and does not end.
        let short = VideoLimits { time: Duration::from_secs(1), ..limits };
        let (ended, _) = run("exec >&- 2>&-; exec sleep 600", short);
        assert_eq!(ended, Err(VideoError::TookTooLong { seconds: 1 }));
    }
}
