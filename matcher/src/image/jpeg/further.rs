//! Pictures that come after the end of a JPEG: a second view, a preview, a map of brightness.
//!
//! Many files list them (MPO, by CIPA DC-007), but such a list is often stale: whoever turned or shrank the picture kept it, and moved or
//! dropped what it lists. So the bytes after the picture's end are searched instead. A few bytes that look like the beginning of a
//! JPEG may be anything there, such as a film; they count if all follows that has to come before the image data.

use super::super::MAX_FRAMES;
use super::super::chunks::{png_size, webp_size};
use super::super::gif;
use super::parts::{BEGINNING, Parts, START_OF_SCAN};
use std::ops::Range;

/// How pictures of the other formats begin that are looked for; that of WebP has its size between two marks.
const OTHERS: [&[u8]; 4] = [b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"RIFF"];

/// Of all that looks like the beginning of a JPEG, so many segments are read together; whatever looks so then counts.
const MAX_STEPS: usize = 1 << 20;

/// Where they are, in their order; one more than are taken, if there are so many.
pub(in super::super) fn further(file: &[u8]) -> Vec<Range<usize>> {
    let own = Parts::of(file).filter(|parts| parts.is_closed);
    let (mut at, mut steps) = (own.map_or(file.len(), |parts| parts.end), MAX_STEPS);
    let next = std::iter::from_fn(|| {
        // No two have a byte in common, or else a thousand could each hold all that come after them.
        let picture = next(file, at, &mut steps)?;
        at = picture.end;
        Some(picture)
    });
    next.take(MAX_FRAMES).collect()
}

/// The next one from a place on.
fn next(file: &[u8], from: usize, steps: &mut usize) -> Option<Range<usize>> {
    let start = (from..file.len()).find(|at| match file[*at] {
        0xff => file[*at..].starts_with(&BEGINNING) && is_jpeg(&file[*at..], steps),
        0x89 | b'G' => OTHERS.iter().any(|mark| *mark != b"RIFF" && file[*at..].starts_with(mark)),
        b'R' => file[*at..].starts_with(b"RIFF") && file[*at..].get(8..12) == Some(b"WEBP"),
        _ => false,
    })?;
    let picture = &file[start..];
    let size = match picture[0] {
        0xff => Parts::of(picture).filter(|parts| parts.is_closed).map(|parts| parts.end),
        0x89 => png_size(picture),
        b'G' => gif::size(picture),
        _ => webp_size(picture),
    };
    // One that has no end ends with the file.
    Some(start..size.map_or(file.len(), |size| start + size))
}

/// Whether segments follow up to image data, with a size of the picture among them.
fn is_jpeg(file: &[u8], steps: &mut usize) -> bool {
    let (mut at, mut has_size) = (2, false);
    while let Some(next) = steps.checked_sub(1) {
        *steps = next;
        match file.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
            Some([0xff, 0xff, _, _]) => at += 1, // before a marker it may be repeated
            Some([0xff, START_OF_SCAN, _, _]) => return has_size,
            Some([0xff, kind @ 0xc0..=0xfe, high, low]) => {
                // Tables of codes and of arithmetic conditioning have numbers among those of frames.
                has_size |= matches!(kind, 0xc0..=0xcf) && !matches!(kind, 0xc4 | 0xc8 | 0xcc);
                at += 2 + usize::from(u16::from_be_bytes([*high, *low])).max(2);
            }
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture as far as this module reads it: a segment, its size, image data, and the end if there is one.
    fn jpeg(end: &[u8]) -> Vec<u8> {
        let parts: [&[u8]; 4] = [
            b"\xff\xd8\xff\xe0\0\x04\xff\xd9",
            b"\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0",
            b"\xff\xda\0\x08\x01\x01\0\0\x3f\0",
            b"\x12\x34\xff\0\x56",
        ];
        [&parts.concat(), end].concat()
    }

    const END: &[u8] = b"\xff\xd9";

    #[test]
    fn what_comes_after_the_end_is_found_by_how_it_begins() {
        let closed = jpeg(END);
        let size = closed.len();
        let after = |more: &[&[u8]]| further(&[&closed, &more.concat()[..]].concat());
        assert_eq!(after(&[]), []);
        assert_eq!(after(&[&[0; 100], b"\xff\xd8\xff and more, ", b"RIFF....AVI ", b"GIF8"]), []);
        let both = after(&[&[7; 9], &closed, b"..", &closed]);
        assert_eq!(both, [size + 9..2 * size + 7, 2 * size + 11..3 * size + 9]);
        assert_eq!(after(&[&jpeg(b"")]).first(), Some(&(size..2 * size - 2)), "one that was cut");
        assert_eq!(
            after(&[b"\x89PNG\r\n\x1a\n...", &closed]).first(),
            Some(&(size..2 * size + 11)),
            "one without an end"
        );
        assert_eq!(after(&[b"RIFF....WEBP"]).len() + after(&[b"GIF89a"]).len() + after(&[b"GIF87a"]).len(), 3);
        assert_eq!(further(&jpeg(b"")), [], "nobody knows where the first one ends");
        let open = jpeg(b"").len();
        let both = further(&[jpeg(b""), closed.clone()].concat());
        assert_eq!((both.len(), &both[0]), (1, &(open..open + size - 2)), "it ends before the next");
        assert_eq!(after(&[&closed.repeat(MAX_FRAMES + 7)]).len(), MAX_FRAMES);
        for kept in 0..2 * size {
            assert!(further(&[&closed[..], &closed].concat()[..kept]).len() <= 1);
        }
    }

    #[test]
    fn no_two_of_them_have_a_byte_in_common() {
        let chunk =
            |kind: &[u8; 4], data: &[u8]| [&(data.len() as u32).to_be_bytes(), &kind[..], data, &[0; 4]].concat();
        let png = |data: &[u8]| [b"\x89PNG\r\n\x1a\n", &chunk(b"abCd", data)[..], &chunk(b"IEND", b"")].concat();
        let webp = |data: &[u8]| [b"RIFF", &(data.len() as u32 + 4).to_le_bytes()[..], b"WEBP", data].concat();
        let gif = |data: &[u8]| {
            let head = b"GIF89a\x08\0\x08\0\x80\0\0......\x21\xfe";
            let frame = b"\x2c\0\0\0\0\x08\0\x08\0\0\x02\x01\0\0\x3b";
            [&head[..], &[data.len() as u8], data, &[0], frame].concat()
        };
        let closed = jpeg(END);
        for outer in [&png as &dyn Fn(&[u8]) -> Vec<u8>, &webp, &gif] {
            let inner = [png(b"xy"), webp(b"xy"), gif(b"xy"), closed.clone()].concat();
            let one = outer(&inner);
            let file = [&closed, &one, &b".."[..], &one].concat();
            let (first, second) = (closed.len(), closed.len() + one.len() + 2);
            assert_eq!(further(&file), [first..second - 2, second..file.len()]);
            for kept in closed.len()..file.len() {
                assert!(further(&file[..kept]).windows(2).all(|pair| pair[0].end <= pair[1].start), "{kept}");
            }
        }
    }

    #[test]
    fn what_looks_like_ever_more_pictures_costs_no_more_than_a_limit() {
        let chain = b"\xff\xd8\xff\xe0\0\x02\xff\xe0\0\x02".repeat(1 << 17);
        let found = further(&[&jpeg(END)[..], &chain].concat());
        assert_eq!(found.len(), 1, "it counts, and can't be decoded");
    }
}
