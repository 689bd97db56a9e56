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

/// For the second look, a frame that is shown longer counts as shown for so many seconds: nothing changes meanwhile.
const STILL: f64 = 2.0;

/// What ffprobe is asked for. A line of its answer is a packet, a stream or the file (and a program's streams once more); a packet
/// is as good as a frame here.
pub(super) const ASKED: [&str; 6] = [
    "-select_streams",
    "V",
    "-show_entries",
    "stream=index,width,height,avg_frame_rate,r_frame_rate,start_time,duration:format=start_time,duration:packet=stream_index,pts_time,dts_time,duration_time",
    "-of",
    "compact",
];

/// The same, to know when sound and text end.
pub(super) const ASKED_OF_ALL: [&str; 4] =
    ["-show_entries", "packet=pts_time,dts_time,duration_time", "-of", "compact"];

/// What a file says of its first video.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Facts {
    width: u64,
    height: u64,
    mean_rate: f64,
    base_rate: f64,
    /// When the video begins and how long it is, in seconds, as far as the file says that of the video alone. It can begin before its
    /// first frame.
    start: Option<f64>,
    duration: Option<f64>,
    /// The same of all that is in the file.
    file_start: Option<f64>,
    file_duration: Option<f64>,
    /// How many videos there are.
    videos: usize,
    frames: Frames,
}

/// The frames of the first stream that has any.
#[derive(Clone, PartialEq, Debug, Default)]
struct Frames {
    stream: u64,
    count: usize,
    /// When they are shown, in seconds, where the file says it; ascending once all are known.
    times: Vec<f64>,
    /// When the last one is over, as far as the file says it.
    end: Option<f64>,
}

/// What a line says: of what kind it is, and its fields.
struct Line<'l>(&'l str, &'l str);

impl<'l> Line<'l> {
    fn of(line: &'l str) -> Self {
        let (kind, fields) = line.trim_end().split_once('|').unwrap_or((line, ""));
        Self(kind, fields)
    }

    fn field(&self, key: &str) -> Option<&'l str> {
        self.1.split('|').find_map(|field| field.strip_prefix(key)?.strip_prefix('='))
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.field(key)?.parse().ok()
    }

    fn seconds(&self, key: &str) -> Option<f64> {
        self.field(key)?.parse().ok().filter(|time: &f64| time.is_finite())
    }

    /// When a packet is shown, and when that is over.
    fn time(&self) -> Option<(f64, f64)> {
        let start = self.seconds("pts_time").or_else(|| self.seconds("dts_time"))?;
        Some((start, start + self.seconds("duration_time").unwrap_or(0.0).max(0.0)))
    }
}

/// Calls `take` with each line.
fn each_line(answer: impl Read, mut take: impl FnMut(&Line<'_>) -> Result<(), VideoError>) -> Result<(), VideoError> {
    let (mut answer, mut line) = (BufReader::new(answer), Vec::new());
    loop {
        line.clear();
        if (&mut answer).take(MAX_LINE).read_until(b'\n', &mut line).map_err(super::process::failed)? == 0 {
            return Ok(());
        }
        take(&Line::of(&String::from_utf8_lossy(&line)))?;
    }
}

/// When the last packet of all streams is over, in seconds, by an answer to [`ASKED_OF_ALL`]; before all time if there is none.
pub(super) fn end_of_all(answer: impl Read) -> Result<f64, VideoError> {
    let mut last = f64::NEG_INFINITY;
    each_line(answer, |line| {
        last = line.time().map_or(last, |(_, end)| last.max(end));
        Ok(())
    })?;
    Ok(last)
}

impl Facts {
    /// Reads an answer to [`ASKED`], line by line: it is as long as the video.
    pub(super) fn read(answer: impl Read) -> Result<Self, VideoError> {
        let mut facts = Self::default();
        each_line(answer, |line| facts.take(line))?;
        facts.frames.times.sort_unstable_by(f64::total_cmp);
        if facts.width == 0 || facts.height == 0 { Err(VideoError::NoVideo) } else { Ok(facts) }
    }

    fn take(&mut self, line: &Line<'_>) -> Result<(), VideoError> {
        match line.0 {
            "packet" => return self.frames.add(line.number("stream_index").unwrap_or(0), line.time()),
            "stream" => {
                self.videos += 1;
                if self.videos == 1 {
                    (self.width, self.height) = (line.number("width").unwrap_or(0), line.number("height").unwrap_or(0));
                    self.mean_rate = line.field("avg_frame_rate").map_or(0.0, rate);
                    self.base_rate = line.field("r_frame_rate").map_or(0.0, rate);
                    (self.start, self.duration) = (line.seconds("start_time"), line.seconds("duration"));
                }
            }
            "format" => (self.file_start, self.file_duration) = (line.seconds("start_time"), line.seconds("duration")),
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

    /// Further videos in the file.
    pub(super) fn other_videos(&self) -> Option<Unseen> {
        (self.videos > 1).then_some(Unseen::OtherVideos { videos: self.videos })
    }

    /// About how many frames count.
    pub(super) fn sampled(&self) -> usize {
        self.frames.count / self.step()
    }

    /// Whether the frames that count leave a time out, in which there are others.
    pub(super) fn gap(&self) -> Option<Unseen> {
        let gap = self.longest_gap();
        (gap > MAX_GAP).then_some(Unseen::Gap { seconds: gap as u64 })
    }

    /// The longest time between frames that count, if there are others between them.
    fn longest_gap(&self) -> f64 {
        let (times, step) = (&self.frames.times, self.step());
        if step == 1 {
            return 0.0;
        }
        let looked_at = times.iter().step_by(step);
        let next = looked_at.clone().skip(1).chain(times.last());
        looked_at.zip(next).map(|(one, next)| next - one).fold(0.0, f64::max)
    }

    /// About how many frames a second look has, by [`filter_by_time`].
    pub(super) fn seconds(&self) -> usize {
        let times = &self.frames.times;
        times.iter().zip(times.iter().skip(1)).map(|(one, next)| (next - one).min(STILL)).sum::<f64>() as usize + 1
    }

    /// How much longer the video says it goes on than it has frames for, in seconds, if that is more than chance; and by what it says
    /// so.
    pub(super) fn missing(&self) -> Option<(f64, SaidBy)> {
        let end = self.end()?;
        match self.duration {
            Some(duration) => Some((self.is_missing(self.start, duration, end)?, SaidBy::Video)),
            None => Some((self.is_missing(self.file_start, self.file_duration?, end)?, SaidBy::File)),
        }
    }

    /// The same of all that is in the file, where the last of all streams is over then.
    pub(super) fn missing_of(&self, end: f64) -> Option<f64> {
        self.is_missing(self.file_start, self.file_duration?, self.end()?.max(end))
    }

    /// When the last frame is over, in seconds.
    fn end(&self) -> Option<f64> {
        let end = self.frames.times.last()? + if self.rate() > 0.0 { 1.0 / self.rate() } else { 0.0 };
        Some(self.frames.end.map_or(end, |said| said.max(end)))
    }

    /// What of a duration is not there, if it is more than two seconds and a tenth. It counts from the first frame, unless the file says
    /// from when.
    fn is_missing(&self, start: Option<f64>, duration: f64, end: f64) -> Option<f64> {
        let start = start.or(self.frames.times.first().copied())?;
        Some(start + duration - end).filter(|missing| *missing > MAX_GAP.max(duration / 10.0))
    }
}

/// Whose duration it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SaidBy {
    /// The video's own.
    Video,
    /// That of all streams together: of sound and text, too.
    File,
}

/// Why the frames that a decoder gave are too few. Some packets are none that is shown: one in sixteen or so, or, where each is half a
/// frame, every second one.
pub(super) fn too_few(given: usize, expected: usize) -> Option<Unseen> {
    let unshown = 2 + expected / 8;
    let is_whole = given + unshown >= expected;
    let is_of_halves = (given * 2).abs_diff(expected) <= unshown;
    let reason = || format!("of about {expected} frames it gave {given}");
    (!is_whole && !is_of_halves).then(|| Unseen::Damaged { reason: reason() })
}

/// The filter that picks the frames that count, by their numbers.
pub(super) fn filter_by_number(facts: &Facts) -> String {
    format!("select=not(mod(n\\,{}))", facts.step())
}

/// The filter that picks of each second the frame that is shown in its middle. So it picks each that is shown for a second or longer.
pub(super) fn filter_by_time() -> String {
    let step = format!("clip(PTS-PREV_INPTS\\,0\\,{STILL}/TB)");
    format!("setpts=if(eq(N\\,0)\\,0\\,PREV_OUTPTS+{step}),fps=1:eof_action=pass")
}

impl Frames {
    fn add(&mut self, stream: u64, time: Option<(f64, f64)>) -> Result<(), VideoError> {
        if self.count == 0 || stream < self.stream {
            *self = Self { stream, ..Self::default() };
        }
        if stream == self.stream {
            self.count += 1;
            self.times.extend(time.map(|(start, _)| start));
            self.end = time.map(|(_, end)| self.end.map_or(end, |known| known.max(end))).or(self.end);
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
    fn where_frames_come_evenly_those_that_count_show_all() {
        let even = |count: u32| (0..count).map(|number| f64::from(number) / 25.0);
        for (video, sampled) in [
            (video("25/1", "10", even(250)), 10),
            (video("25/1", "N/A", even(250).rev()), 10), // in any order
            (video("1/5", "50", (0..10).map(|number| f64::from(number) * 5.0)), 10),
            (facts("stream|index=0|width=1|height=1\n"), 0),
        ] {
            assert_eq!((video.gap(), video.missing(), video.other_videos()), (None, None, None), "{video:?}");
            assert_eq!((video.sampled(), too_few(sampled, video.sampled())), (sampled, None));
        }
    }

    #[test]
    fn what_they_do_not_show_is_said() {
        let tenths = |count: u32| (0..count).map(|number| f64::from(number) / 10.0);
        // It says that it has a million frames a second, and has ten.
        let forged = video("1000000/1", "10", tenths(100));
        assert_eq!((forged.gap(), forged.seconds()), (Some(Unseen::Gap { seconds: 9 }), 10));
        // Its frames come quickly at first, then slowly, then never.
        let slower = video("10/1", "19", tenths(100).chain((0..9).map(|number| 10.0 + f64::from(number))).chain([1e9]));
        assert_eq!((slower.gap(), slower.seconds()), (Some(Unseen::Gap { seconds: 999_999_990 }), 21));
        let sampled = video("10/1", "10", tenths(100)).sampled();
        let Some(Unseen::Damaged { .. }) = too_few(2, sampled) else { panic!("two of ten") };
        // All but a few, or half of them but a few.
        let enough: Vec<usize> = (0..=82).filter(|given| too_few(*given, 80).is_none()).collect();
        assert_eq!(enough, (34..=46).chain(68..=82).collect::<Vec<_>>());
        let second = "packet|stream_index=1|pts_time=0\npacket|stream_index=0|pts_time=1\n\
                      program|stream|index=0|width=1|height=1\nprogram|stream|index=1|width=9|height=9\n\
                      stream|index=0|width=1|height=1\nstream|index=1|width=9|height=9\n";
        let two = facts(second);
        assert_eq!((two.width, two.frames.count, two.frames.stream), (1, 1, 0));
        assert_eq!(two.other_videos(), Some(Unseen::OtherVideos { videos: 2 }));
    }

    #[test]
    fn what_is_missing_is_told_from_sound_that_goes_on() {
        let ten = || (0..100).map(|number| f64::from(number) / 10.0);
        let short = video("10/1", "30", ten());
        assert_eq!(short.missing(), Some((20.0, SaidBy::File)));
        let all =
            |end: &str| end_of_all(format!("packet|pts_time={end}|duration_time=2\npacket|pts_time=1\n").as_bytes());
        assert_eq!(short.missing_of(all("20").unwrap()), Some(8.0));
        assert_eq!(short.missing_of(all("28").unwrap()), None);
        assert_eq!(short.missing_of(end_of_all(&b""[..]).unwrap()), Some(20.0));
        // The last frame is a still, and says how long.
        let still = "packet|pts_time=9|duration_time=15\nstream|width=1|height=1|duration=24|avg_frame_rate=10/1\n";
        assert_eq!(facts(&format!("packet|pts_time=0\n{still}")).missing(), None);
        assert_eq!(facts(&still.replace("duration=24", "duration=60")).missing(), Some((45.0, SaidBy::Video)));
        assert_eq!(video("10/1", "10.9", ten()).missing(), None);
        // A duration counts from when the file says that it begins, also if the first frame comes later.
        let late: String = (80..180).map(|tenth| format!("packet|pts_time={}\n", f64::from(tenth) / 10.0)).collect();
        for (own, of_file, missing) in [
            ("0", "start_time=-0.006|duration=18.02", None),
            ("start_time=-0.006|duration=18.02", "0", None),
            ("start_time=0|duration=28", "0", Some((10.0, SaidBy::Video))),
            ("start_time=N/A|duration=N/A", "start_time=2|duration=28", Some((12.0, SaidBy::File))),
            ("start_time=N/A|duration=18", "0", Some((8.0, SaidBy::Video))),
        ] {
            let stream = format!("stream|width=4|height=2|avg_frame_rate=10/1|{own}\nformat|{of_file}\n");
            assert_eq!(facts(&format!("{late}{stream}")).missing(), missing, "{stream}");
        }
    }
}
