//! What is known of a video before it is decoded, and how much of it the sampled frames show.

use super::VideoLimits;
use isonomy_matcher::video::{Unseen, VideoError};
use std::io::{BufRead, BufReader, Read};

/// The most bytes of a line of an answer about a file.
const MAX_LINE: u64 = 4096;

/// The most frames whose times are kept: 19 hours at 60 a second.
const MAX_TIMES: usize = 1 << 22;

/// The most seconds between two frames that are looked at, if there are others between them. By the rule, it is one where frames
/// come evenly; two are nothing unusual, where a file counts half frames.
const MAX_GAP: f64 = 2.1;

/// What ffprobe is asked for. A line of its answer is a packet, a stream or the file (and a program's streams once more); a packet
/// is as good as a frame here.
pub(super) const ASKED: [&str; 6] = [
    "-select_streams",
    "V",
    "-show_entries",
    "stream=index,width,height,avg_frame_rate,r_frame_rate,duration:format=duration:packet=stream_index,pts_time,dts_time",
    "-of",
    "compact",
];

/// What a file says of its first video.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Facts {
    width: u64,
    height: u64,
    mean_rate: f64,
    base_rate: f64,
    /// In seconds; 0 if the file doesn't say.
    duration: f64,
    /// How many videos there are.
    videos: usize,
    frames: Frames,
}

/// The frames of the first stream that has any.
#[derive(Clone, PartialEq, Debug, Default)]
struct Frames {
    stream: u64,
    count: usize,
    /// When they are shown, in seconds, where the file says it.
    times: Vec<f64>,
}

impl Facts {
    /// Reads an answer, line by line: it is as long as the video.
    pub(super) fn read(answer: impl Read) -> Result<Self, VideoError> {
        let (mut answer, mut facts, mut line) = (BufReader::new(answer), Self::default(), Vec::new());
        let read = |line: &mut Vec<u8>, answer: &mut BufReader<_>| {
            line.clear();
            answer.take(MAX_LINE).read_until(b'\n', line).map_err(super::process::failed)
        };
        while read(&mut line, &mut answer)? > 0 {
            facts.take(&String::from_utf8_lossy(&line))?;
        }
        if facts.width == 0 || facts.height == 0 { Err(VideoError::NoVideo) } else { Ok(facts) }
    }

    fn take(&mut self, line: &str) -> Result<(), VideoError> {
        let (kind, fields) = line.trim_end().split_once('|').unwrap_or((line, ""));
        let field = |key: &str| fields.split('|').find_map(|field| field.strip_prefix(key)?.strip_prefix('='));
        let number = |key: &str| field(key).and_then(|value| value.parse().ok());
        let seconds = |key: &str| field(key).and_then(|value| value.parse().ok()).filter(|time: &f64| time.is_finite());
        match kind {
            "packet" => {
                let time = seconds("pts_time").or_else(|| seconds("dts_time"));
                return self.frames.add(number("stream_index").unwrap_or(0), time);
            }
            "stream" => {
                self.videos += 1;
                if self.videos == 1 {
                    (self.width, self.height) = (number("width").unwrap_or(0), number("height").unwrap_or(0));
                    self.mean_rate = field("avg_frame_rate").map_or(0.0, rate);
                    self.base_rate = field("r_frame_rate").map_or(0.0, rate);
                    self.duration = seconds("duration").unwrap_or(0.0);
                }
            }
            "format" if self.duration == 0.0 => self.duration = seconds("duration").unwrap_or(0.0),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn check(&self, limits: &VideoLimits) -> Result<(), VideoError> {
        let Self { width, height, .. } = *self;
        match width.checked_mul(height) {
            Some(pixels) if pixels <= limits.pixels => {}
            _ => return Err(VideoError::TooManyPixels { width, height, limit: limits.pixels }),
        }
        // Twice as many, since some packets are half a frame, or none.
        match self.frames.count / self.step() > limits.frames.saturating_mul(2) {
            true => Err(VideoError::TooLong { limit: limits.frames }),
            false => Ok(()),
        }
    }

    /// Every so-manieth frame counts.
    pub(super) fn step(&self) -> usize {
        (self.rate() as usize).clamp(1, 1_000_000)
    }

    fn rate(&self) -> f64 {
        if self.mean_rate > 0.0 { self.mean_rate } else { self.base_rate }
    }

    /// Why so many sampled frames don't show all of it, if they don't.
    pub(super) fn unseen(mut self, sampled: usize) -> Option<Unseen> {
        if self.videos > 1 {
            return Some(Unseen::OtherVideos { videos: self.videos });
        }
        let expected = self.frames.count / self.step();
        if expected > sampled * 2 + 2 {
            return Some(Unseen::Damaged { reason: format!("of about {expected} frames it gave {sampled}") });
        }
        self.frames.times.sort_unstable_by(f64::total_cmp);
        let gap = self.longest_gap();
        if gap > MAX_GAP {
            return Some(Unseen::Gap { seconds: gap as u64 });
        }
        let missing = self.duration - self.shown();
        let is_short = !self.frames.times.is_empty() && missing > MAX_GAP.max(self.duration / 10.0);
        is_short.then_some(Unseen::Short { seconds: missing as u64 })
    }

    /// The longest time between frames that are looked at, if there are others between them.
    fn longest_gap(&self) -> f64 {
        let (times, step) = (&self.frames.times, self.step());
        if step == 1 {
            return 0.0;
        }
        let looked_at = times.iter().step_by(step);
        let next = looked_at.clone().skip(1).chain(times.last());
        looked_at.zip(next).map(|(one, next)| next - one).fold(0.0, f64::max)
    }

    /// From the first frame to the end of the last one, in seconds.
    fn shown(&self) -> f64 {
        let times = &self.frames.times;
        let span = times.last().zip(times.first()).map_or(0.0, |(last, first)| last - first);
        span + if self.rate() > 0.0 { 1.0 / self.rate() } else { 0.0 }
    }
}

impl Frames {
    fn add(&mut self, stream: u64, time: Option<f64>) -> Result<(), VideoError> {
        if self.count == 0 || stream < self.stream {
            *self = Self { stream, ..Self::default() };
        }
        if stream == self.stream {
            self.count += 1;
            self.times.extend(time);
        }
        if self.count > MAX_TIMES { Err(VideoError::TooLong { limit: MAX_TIMES }) } else { Ok(()) }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Facts {
        Facts::read(text.as_bytes()).unwrap()
    }

    /// A video of frames at these times, which says that its rate and duration are these.
    fn video(rate: &str, duration: &str, times: impl IntoIterator<Item = f64>) -> Facts {
        let packets: String =
            times.into_iter().map(|time| format!("packet|stream_index=0|pts_time={time}\n")).collect();
        let stream = format!("stream|index=0|width=4|height=2|r_frame_rate=1/1|avg_frame_rate={rate}|duration=N/A");
        facts(&format!("{packets}\n{stream}|side_data|\n\nformat|duration={duration}\n"))
    }

    #[test]
    fn about_one_frame_a_second_counts() {
        for (text, step) in [
            ("width=2|height=2|r_frame_rate=25/1|avg_frame_rate=30000/1001", 29),
            ("width=2|height=2|r_frame_rate=25/1|avg_frame_rate=0/0", 25),
            ("width=2|height=2|r_frame_rate=1/3|avg_frame_rate=1/3", 1),
            ("width=2|height=2|r_frame_rate=x|avg_frame_rate=90000000000/1", 1_000_000),
            ("width=2|height=2", 1),
        ] {
            assert_eq!(facts(&format!("stream|index=0|{text}\n")).step(), step, "{text}");
        }
        for wrong in ["", "width=2", "width=0|height=2", "width=-2|height=2", "width=2|height=N/A"] {
            let read = Facts::read(format!("stream|index=0|{wrong}\n").as_bytes());
            assert_eq!(read, Err(VideoError::NoVideo), "{wrong}");
        }
    }

    #[test]
    fn what_is_beyond_the_limits_is_refused_before_it_is_decoded() {
        let limits = VideoLimits { pixels: 8, frames: 3, ..VideoLimits::default() };
        let of = |width, height| Facts { width, height, ..Facts::default() };
        assert_eq!(of(2, 4).check(&limits), Ok(()));
        for (width, height) in [(3, 3), (u64::MAX, 2)] {
            let expected = Err(VideoError::TooManyPixels { width, height, limit: 8 });
            assert_eq!(of(width, height).check(&limits), expected);
        }
        let seconds = |count: u32| video("1/1", "N/A", (0..count).map(f64::from));
        assert_eq!(seconds(6).check(&limits), Ok(()));
        assert_eq!(seconds(7).check(&limits), Err(VideoError::TooLong { limit: 3 }));
    }

    #[test]
    fn a_video_that_was_looked_at_every_second_was_looked_at() {
        let even = |count: u32| (0..count).map(|number| f64::from(number) / 25.0);
        assert_eq!(video("25/1", "10", even(250)).unseen(10), None);
        assert_eq!(video("25/1", "N/A", even(250).rev()).unseen(10), None, "in any order");
        assert_eq!(video("1/5", "50", (0..10).map(|number| f64::from(number) * 5.0)).unseen(10), None);
        assert_eq!(facts("stream|index=0|width=1|height=1\n").unseen(0), None);
    }

    #[test]
    fn what_was_not_looked_at_is_said() {
        let tenths = |count: u32| (0..count).map(|number| f64::from(number) / 10.0);
        // It says that it has a million frames a second, and has ten.
        assert_eq!(video("1000000/1", "10", tenths(100)).unseen(1), Some(Unseen::Gap { seconds: 9 }));
        // Its frames come quickly at first, then slowly.
        let slower = tenths(100).chain((0..9).map(|number| 10.0 + f64::from(number)));
        assert_eq!(video("10/1", "19", slower).unseen(11), Some(Unseen::Gap { seconds: 8 }));
        assert_eq!(video("10/1", "30", tenths(100)).unseen(10), Some(Unseen::Short { seconds: 20 }));
        let Some(Unseen::Damaged { .. }) = video("10/1", "10", tenths(100)).unseen(2) else { panic!("two of ten") };
        let second = "packet|stream_index=1|pts_time=0\npacket|stream_index=0|pts_time=1\n\
                      program|stream|index=0|width=1|height=1\nprogram|stream|index=1|width=9|height=9\n\
                      stream|index=0|width=1|height=1\nstream|index=1|width=9|height=9\n";
        let two = facts(second);
        assert_eq!((two.width, two.frames.count, two.frames.stream), (1, 1, 0));
        assert_eq!(two.unseen(1), Some(Unseen::OtherVideos { videos: 2 }));
    }
}
