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
    // Files that say 25 and 30 frames a second, and have ten.
    for name in ["photos.ts", "ntsc.mkv"] {
        assert_eq!(hash(name).unwrap().unseen(), Some(&Unseen::Gap { seconds: 2 }), "{name}");
    }
    // A file whose frames would follow each other in a microsecond.
    let webm = std::fs::read(data().join("photos.webm")).unwrap();
    let mut forged = webm.clone();
    let duration = webm.windows(3).position(|bytes| bytes == [0x23, 0xe3, 0x83]).unwrap() + 3;
    let size = usize::from(webm[duration] & 0x7f);
    forged[duration + 1..=duration + size].fill(0);
    forged[duration + size - 1..=duration + size].copy_from_slice(&1000u16.to_be_bytes());
    assert_eq!(unseen(&forged), Some(Unseen::Gap { seconds: 9 }));
    // One that was cut: there is less of it than it says, or the decoder complains.
    let cut = unseen(&webm[..webm.len() / 2]);
    assert!(matches!(cut, Some(Unseen::Short { .. } | Unseen::Damaged { .. })), "{cut:?}");
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
