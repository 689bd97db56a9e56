//! Videos by the system's ffmpeg. They run where it is installed. With `ISONOMY_REQUIRE_FFMPEG` set, it must be there.

use isonomy_client::video::{Ffmpeg, VideoLimits, hash_video, hash_video_bytes};
use isonomy_core::encoding::from_hex;
use isonomy_matcher::pdq;
use isonomy_matcher::video::{Unseen, Video, VideoError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// With ffmpeg 5.1 on x86-64, hashes are the same as those of vPDQ. Other versions and machines may differ by a bit or two of colour,
/// which can move the hash of a smooth frame by some bits.
const DECODERS_DIFFER: u32 = 16;

/// The usual distance of charters, within which most pictures stay that are scaled by half.
const SCALING_MOVES: u32 = 31;

fn ffmpeg_is_here() -> bool {
    let found = Ffmpeg::find().is_ok();
    assert!(found || std::env::var_os("ISONOMY_REQUIRE_FFMPEG").is_none(), "no ffmpeg is installed");
    found
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/video")
}

fn hash(name: &str) -> Result<Video, VideoError> {
    hash_video(&data().join(name), &VideoLimits::default())
}

#[test]
fn frames_and_hashes_are_those_of_vpdq() {
    if !ffmpeg_is_here() {
        return;
    }
    let table = std::fs::read_to_string(data().join("vpdq.csv")).unwrap();
    for name in ["photos.mp4", "photos.webm", "photos.ts", "ntsc.mkv"] {
        let rows = table.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(','));
        let rows: Vec<Vec<&str>> = rows.map(|row| row.split(',').collect()).collect();
        let video = hash(name).unwrap();
        assert_eq!(video.frames().len(), rows.len(), "{name}");
        assert!(rows.len() >= 4);
        for (frame, row) in video.frames().iter().zip(&rows) {
            let expected = *from_hex(row[2]).unwrap().as_array().unwrap();
            let apart = pdq::distance(&frame.hash, &expected);
            assert!(apart <= DECODERS_DIFFER, "{name}, frame {}: {apart} bits", row[0]);
            assert!(frame.quality.abs_diff(row[1].parse().unwrap()) <= 1, "{name}, frame {}", row[0]);
        }
    }
}

#[test]
fn sound_and_text_change_nothing() {
    if !ffmpeg_is_here() {
        return;
    }
    let video = hash("aac_text.mp4").unwrap();
    assert_eq!(video.unseen(), None);
    assert_eq!(Ok(video), hash("photos.mp4"));
}

#[test]
fn what_the_frames_do_not_show_is_said() {
    if !ffmpeg_is_here() {
        return;
    }
    let unseen = |bytes: &[u8]| hash_video_bytes(bytes, &VideoLimits::default()).unwrap().unseen().cloned();
    for name in ["photos.mp4", "photos.webm"] {
        assert_eq!(hash(name).unwrap().unseen(), None, "{name}");
    }
    // Files that say 25 and 30 frames a second, and have ten: they are looked at twice.
    for name in ["photos.ts", "ntsc.mkv"] {
        let video = hash(name).unwrap();
        assert_eq!((video.unseen(), video.unlisted()), (None, Some(&Unseen::Gap { seconds: 2 })), "{name}");
        assert!(matches!(video.frames_by_time().len(), 10 | 11), "{name}: {}", video.frames_by_time().len());
    }
    // A file whose frames would follow each other in a microsecond.
    let webm = std::fs::read(data().join("photos.webm")).unwrap();
    let mut forged = webm.clone();
    let duration = webm.windows(3).position(|bytes| bytes == [0x23, 0xe3, 0x83]).unwrap() + 3;
    let size = usize::from(webm[duration] & 0x7f);
    forged[duration + 1..=duration + size].fill(0);
    forged[duration + size - 1..=duration + size].copy_from_slice(&1000u16.to_be_bytes());
    let video = hash_video_bytes(&forged, &VideoLimits::default()).unwrap();
    assert_eq!((video.unseen(), video.unlisted()), (None, Some(&Unseen::Gap { seconds: 9 })));
    // Where the limits allow no second look, the gap remains.
    let few = VideoLimits { frames: 8, ..VideoLimits::default() };
    let video = hash_video_bytes(&forged, &few).unwrap();
    assert_eq!((video.unseen(), video.frames_by_time()), (Some(&Unseen::Gap { seconds: 9 }), &[][..]));
    // One that was cut: there is less of it than it says, or the decoder complains.
    let cut = unseen(&webm[..webm.len() / 2]);
    assert!(matches!(cut, Some(Unseen::Short { .. } | Unseen::Damaged { .. })), "{cut:?}");
}

/// What ffmpeg makes of `photos.mp4`, by encoders that every ffmpeg has.
fn made(name: &str, arguments: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    let mut command = std::process::Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-i"]).arg(data().join("photos.mp4")).args(arguments).arg(&file);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (folder, file)
}

#[test]
fn sound_that_goes_on_is_told_from_a_file_that_was_cut() {
    if !ffmpeg_is_here() {
        return;
    }
    let sound = ["-f", "lavfi", "-i", "sine=duration=25", "-map", "0:v", "-map", "1:a", "-c:v", "copy"];
    for name in ["long.mkv", "long.mov", "long.ts"] {
        let (_folder, file) = made(name, &[&sound[..], &["-c:a", "mp2"]].concat());
        let video = hash_video(&file, &VideoLimits::default()).unwrap();
        assert_eq!((video.unlisted(), video.frames().len()), (None, 10), "{name}");
        if name == "long.mkv" {
            let bytes = std::fs::read(&file).unwrap();
            let cut = hash_video_bytes(&bytes[..bytes.len() * 9 / 10], &VideoLimits::default()).unwrap();
            assert!(matches!(cut.unseen(), Some(Unseen::Short { .. } | Unseen::Damaged { .. })), "{cut:?}");
        }
    }
}

#[test]
fn a_video_that_begins_after_its_sound_is_whole() {
    if !ffmpeg_is_here() {
        return;
    }
    // Copied from the middle, a video begins at its next frame that can stand alone, eight seconds later than the sound. ffprobe
    // gives it the beginning of the sound then.
    let sound = ["-f", "lavfi", "-i", "sine=duration=10", "-map", "0:v", "-map", "1:a", "-c:a", "mp2"];
    let coded = ["-c:v", "mpeg4", "-g", "90", "-sc_threshold", "1000000000"];
    let (_folder, whole) = made("whole.mkv", &[&sound[..], &coded].concat());
    let (_other, cut) = made("cut.mkv", &["-i", whole.to_str().unwrap(), "-map", "1", "-ss", "1", "-c", "copy"]);
    let video = hash_video(&cut, &VideoLimits::default()).unwrap();
    assert_eq!((video.unseen(), video.frames().len()), (None, 1));
}

/// As calls and broadcasts are: from a place on, all frames are larger, or smaller.
#[test]
fn a_video_whose_frames_change_their_size_is_looked_at_to_its_end() {
    if !ffmpeg_is_here() {
        return;
    }
    let coded = ["-an", "-c:v", "mpeg2video", "-q:v", "2"];
    let piece = |from: &str, size: &str| {
        let filter = format!("fps=25,scale={size}");
        let arguments = [&["-ss", from, "-t", "4", "-vf", &filter][..], &coded].concat();
        let (_folder, file) = made("piece.ts", &arguments);
        std::fs::read(file).unwrap()
    };
    let [small, large] = ["320:240", "640:400"];
    let hashes = |bytes: &[u8]| hash_video_bytes(bytes, &VideoLimits::default()).unwrap();
    for sizes in [[small, large], [large, small]] {
        let pieces = [piece("0", sizes[0]), piece("5", sizes[1])];
        let expected: Vec<_> = pieces.iter().flat_map(|piece| hashes(piece).frames().to_vec()).collect();
        let video = hashes(&pieces.concat());
        assert_eq!((video.unseen(), video.frames().len(), expected.len()), (None, 8, 8), "{sizes:?}");
        for (frame, alone) in video.frames().iter().zip(&expected) {
            let apart = pdq::distance(&frame.hash, &alone.hash);
            assert!(apart <= SCALING_MOVES, "{sizes:?}: {apart} bits");
        }
    }
}

/// All that follows is made as small as it, so that nothing of it can be told.
#[test]
fn a_video_with_a_tiny_frame_before_it_is_not_said_to_be_looked_at() {
    if !ffmpeg_is_here() {
        return;
    }
    let piece = |length: &str, size: &str| {
        let filter = format!("fps=25,scale={size}");
        let (_folder, file) = made("piece.ts", &["-t", length, "-vf", &filter, "-an", "-c:v", "mpeg4", "-q:v", "2"]);
        std::fs::read(file).unwrap()
    };
    let rest = piece("4", "320:240");
    for (size, width, height) in [("16:16", 16, 16), ("640:16", 640, 16)] {
        let video = hash_video_bytes(&[piece("0.04", size), rest.clone()].concat(), &VideoLimits::default()).unwrap();
        assert_eq!(video.unseen(), Some(&Unseen::Small { width, height }), "{size}");
    }
}

#[test]
fn a_frame_that_is_shown_for_a_second_is_looked_at_wherever_it_comes() {
    if !ffmpeg_is_here() {
        return;
    }
    let limits = VideoLimits::default();
    let mjpeg = ["-vsync", "vfr", "-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p"];
    let (_folder, still) = made("still.mkv", &[&["-vf", "select=eq(n\\,45)"][..], &mjpeg].concat());
    let wanted = hash_video(&still, &limits).unwrap().frames()[0];
    // Ten frames a second, but that the 45th is shown for as long as this.
    for seconds in ["1", "2.3", "5", "1000000"] {
        let late = format!("setpts=(N/10+gt(N\\,45)*{seconds})/TB");
        let (_folder, file) = made("uneven.mkv", &[&["-vf", &late][..], &mjpeg].concat());
        let video = hash_video(&file, &limits).unwrap();
        let apart = |frames: &[pdq::PdqHash]| {
            frames.iter().map(|frame| pdq::distance(&frame.hash, &wanted.hash)).min().unwrap_or(256)
        };
        assert_eq!((video.unseen(), video.frames().len()), (None, 10), "{seconds}");
        assert!(apart(video.frames()) > 4, "{seconds}: the rule alone finds it");
        // One second more is no gap yet.
        assert_eq!(video.unlisted().is_some(), seconds != "1", "{seconds}");
        assert!(seconds == "1" || apart(video.frames_by_time()) <= 2, "{seconds}: {video:?}");
        assert!(video.frames_by_time().len() <= 14, "{seconds}: a still counts once or twice");
    }
    // Pictures that are shown for a minute each, in a file that says ten frames a second.
    let filter = ["-vf", "select=not(mod(n\\,20)),setpts=N*60/TB"];
    let (_folder, file) = made("slides.mkv", &[&filter[..], &mjpeg].concat());
    let slides = hash_video(&file, &limits).unwrap();
    let seen: std::collections::BTreeSet<_> = slides.frames_by_time().iter().map(|frame| frame.hash).collect();
    assert_eq!((slides.unseen(), seen.len()), (None, 5));
}

#[test]
fn a_video_in_memory_is_the_same_as_in_a_file() {
    if !ffmpeg_is_here() {
        return;
    }
    let bytes = std::fs::read(data().join("photos.mp4")).unwrap();
    assert_eq!(hash_video_bytes(&bytes, &VideoLimits::default()), hash("photos.mp4"));
}

#[test]
fn what_is_no_video_does_not_reach_the_decoder() {
    let limits = VideoLimits::default();
    let playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n";
    for other in [&b""[..], playlist, b"ffconcat version 1.0\nfile /etc/hostname\n", b"GIF89a......"] {
        assert_eq!(hash_video_bytes(other, &limits), Err(VideoError::UnknownFormat));
    }
}

#[test]
fn damaged_videos_are_errors_or_what_is_left_of_them() {
    if !ffmpeg_is_here() {
        return;
    }
    let whole = std::fs::read(data().join("photos.mp4")).unwrap();
    let refused = |bytes: &[u8]| match hash_video_bytes(bytes, &VideoLimits::default()) {
        Err(VideoError::Malformed { reason }) => reason,
        other => panic!("{other:?}"),
    };
    // Its index is at the end.
    assert!(!refused(&whole[..whole.len() / 2]).is_empty());
    assert!(!refused(&[&whole[..32], &[0; 2000]].concat()).is_empty());
    // A transport stream has none: what is there counts.
    let stream = std::fs::read(data().join("photos.ts")).unwrap();
    let left = hash_video_bytes(&stream[..stream.len() / 2], &VideoLimits::default()).unwrap();
    let all = hash("photos.ts").unwrap();
    assert!(!left.frames().is_empty() && left.frames().len() < all.frames().len());
    assert_eq!(left.frames()[0], all.frames()[0]);
}

#[test]
fn limits_hold() {
    if !ffmpeg_is_here() {
        return;
    }
    let usual = VideoLimits::default();
    let refused = |limits: VideoLimits| hash_video(&data().join("photos.mp4"), &limits).unwrap_err();
    assert_eq!(refused(VideoLimits { file_bytes: 1000, ..usual }), VideoError::TooLarge { limit: 1000 });
    assert_eq!(refused(VideoLimits { frames: 3, ..usual }), VideoError::TooLong { limit: 3 });
    let expected = VideoError::TooManyPixels { width: 320, height: 240, limit: 1000 };
    assert_eq!(refused(VideoLimits { pixels: 1000, ..usual }), expected);
    assert_eq!(refused(VideoLimits { time: Duration::ZERO, ..usual }), VideoError::TookTooLong { seconds: 1 });
    let VideoError::Malformed { .. } = refused(VideoLimits { memory: 16 << 20, ..usual }) else {
        panic!("16 MiB are enough for ffmpeg");
    };
}
