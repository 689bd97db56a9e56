//! Pictures one after the other, in the format PPM: `P6`, width and height, 255, each on a line, then the pixels.

use isonomy_matcher::image::{Channels, Picture};
use isonomy_matcher::video::VideoError;
use std::io::{self, BufRead, Read};

/// The most bytes of a line of the header.
const MAX_LINE: u64 = 64;

/// The next picture; `None` at the end. A picture that is cut off counts as the end: the decoder was stopped.
pub(super) fn read(from: &mut impl BufRead, max_pixels: u64) -> Result<Option<Picture>, VideoError> {
    match read_line(from) {
        Ok(mark) if mark.is_empty() => return Ok(None),
        Ok(mark) if mark == "P6\n" => {}
        _ => return Err(malformed()),
    }
    let size = read_line(from).map_err(|_| malformed())?;
    let (width, height) = size.trim_end().split_once(' ').ok_or_else(malformed)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| malformed());
    let (width, height) = (number(width)?, number(height)?);
    if read_line(from).map_err(|_| malformed())? != "255\n" {
        return Err(malformed());
    }
    if width.checked_mul(height).is_none_or(|pixels| pixels > max_pixels) {
        return Err(VideoError::TooManyPixels { width, height, limit: max_pixels });
    }
    let mut data = vec![0; width as usize * height as usize * Channels::Rgb.count()];
    match from.read_exact(&mut data) {
        Ok(()) => Picture::new(width as usize, height as usize, Channels::Rgb, data).map(Some).ok_or_else(malformed),
        Err(_) => Ok(None),
    }
}

fn read_line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    from.take(MAX_LINE).read_until(b'\n', &mut line)?;
    String::from_utf8(line).map_err(io::Error::other)
}

fn malformed() -> VideoError {
    VideoError::Malformed { reason: "what the decoder wrote is no picture".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_read_one_after_the_other() {
        let file = b"P6\n2 1\n255\nabcdefP6\n1 1\n255\nxyz";
        let mut from = &file[..];
        let mut sizes = Vec::new();
        while let Some(picture) = read(&mut from, 2).unwrap() {
            sizes.push((picture.width(), picture.height(), picture.data().to_vec()));
        }
        assert_eq!(sizes, [(2, 1, b"abcdef".to_vec()), (1, 1, b"xyz".to_vec())]);
        for cut in 1..file.len() {
            let mut from = &file[..cut];
            while let Ok(Some(_)) = read(&mut from, 2) {}
        }
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_an_error() {
        let long = [b"P6\n".as_slice(), &[b'1'; 1000]].concat();
        for wrong in [
            &b"P5\n1 1\n255\nx"[..],
            b"P6\n1\n255\nxyz",
            b"P6\n1 -1\n255\n",
            b"P6\n1 1\n65535\nxyz",
            b"P6\n0 0\n255\n",
            &long,
        ] {
            assert_eq!(read(&mut &wrong[..], 100).unwrap_err(), malformed(), "{wrong:?}");
        }
        for (width, height) in [(3, 1), (1 << 40, 1 << 40)] {
            let file = format!("P6\n{width} {height}\n255\n");
            let expected = VideoError::TooManyPixels { width, height, limit: 2 };
            assert_eq!(read(&mut file.as_bytes(), 2), Err(expected));
        }
    }
}
