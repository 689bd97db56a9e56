//! Files that are small, and would cost much: data that gives no pixels, or stands for many pieces of a picture at once.

use super::{decode_default, looked_at, with_pages};
use isonomy_matcher::image::{DecodeError, Ended, Limits, OnlyBeginning, decode, shown_orientation};

/// The pixels of a row, and how each kind of compression writes it after much that gives nothing.
const ROW: [u8; 64] = [7; 64];

/// Codes from the highest bit on, as LZW has them in TIFF.
fn codes(codes: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let bits: Vec<u8> =
        codes.into_iter().flat_map(|code| (0..9).rev().map(move |bit| (code >> bit & 1) as u8)).collect();
    bits.chunks(8).map(|bits| bits.iter().enumerate().map(|(at, bit)| bit << (7 - at)).sum()).collect()
}

/// A row in LZW after so many codes that begin the table anew.
fn lzw(clear: usize) -> Vec<u8> {
    let row = ROW.map(u16::from);
    codes(std::iter::repeat_n(256, clear).chain(row).chain([257]))
}

/// A row in deflate, as it is, after so many empty blocks.
fn deflate(empty: usize) -> Vec<u8> {
    let adler = ROW.iter().fold((1u32, 0u32), |(a, b), byte| (a + u32::from(*byte), b + a + u32::from(*byte)));
    let block = [&[1][..], &64u16.to_le_bytes(), &(!64u16).to_le_bytes(), &ROW].concat();
    let sum = ((adler.1 % 65_521) << 16) | (adler.0 % 65_521);
    [&[0x78, 1][..], &[0, 0, 0, 0xff, 0xff].repeat(empty), &block, &sum.to_be_bytes()].concat()
}

/// A row in PackBits, after so many bytes that mean nothing.
fn pack_bits(nothing: usize) -> Vec<u8> {
    [&vec![0x80; nothing][..], &[63], &ROW].concat()
}

/// A TIFF of grey rows, each of which is a strip; this data is that of all of them. It says that they are so long.
fn strips(compression: u32, rows: u32, data: &[u8], length: usize) -> Vec<u8> {
    pages(1, compression, rows, data, length)
}

/// So many pages of the same.
fn pages(pages: usize, compression: u32, rows: u32, data: &[u8], length: usize) -> Vec<u8> {
    let (lengths, start) = (8 + rows * 4, 8 + rows * 8);
    let first = start + data.len() as u32;
    let mut file = [&b"II*\0"[..], &first.to_le_bytes()].concat();
    file.extend(start.to_le_bytes().repeat(rows as usize));
    file.extend((length as u32).to_le_bytes().repeat(rows as usize));
    file.extend(data);
    // The one value of a single strip stands in the directory itself.
    let [places, lengths] = if rows == 1 { [start, length as u32] } else { [8, lengths] };
    with_pages(file, pages, [64, rows, compression], [(273, rows, places), (279, rows, lengths)])
}

fn is_too_much_work(outcome: &Result<impl Sized, DecodeError>) -> bool {
    matches!(outcome, Err(DecodeError::TooMuchWork { .. }))
}

#[test]
fn strips_that_share_their_data_are_refused_if_it_is_more_than_the_file() {
    for (compression, data) in [(5, lzw(100)), (8, deflate(100)), (32_946, deflate(100)), (32_773, pack_bits(500))] {
        let one = decode_default(&strips(compression, 1, &data, data.len())).unwrap();
        assert_eq!(one.data(), ROW, "{compression}");
        let many = strips(compression, 100, &data, data.len());
        assert!(is_too_much_work(&decode_default(&many)), "{compression}: {:?}", decode_default(&many));
        assert!(is_too_much_work(&shown_orientation(&many, &Limits::default())), "{compression}");
        // A length that goes beyond the file counts to its end.
        assert!(decode_default(&strips(compression, 1, &data, data.len() + 1000)).is_ok(), "{compression}");
        // All pages count together.
        let many = pages(9, compression, 1, &data, data.len());
        let (seen, only) = looked_at(&many, &Limits::default());
        let OnlyBeginning { frames, why } = only.unwrap();
        assert_eq!((seen.len(), frames), (frames, many.len() / data.len()), "{compression}");
        assert!(matches!(why, Ended::Damaged(DecodeError::TooMuchWork { .. })), "{compression}: {why:?}");
    }
    // Without compression, a strip costs what it shows.
    assert_eq!(decode_default(&strips(1, 100, &ROW, 64)).unwrap().data(), ROW.repeat(100));
}

#[test]
fn a_strip_ends_where_the_directory_says() {
    for (compression, data) in [(5, lzw(100)), (8, deflate(100)), (32_773, pack_bits(500))] {
        let cut = decode_default(&strips(compression, 1, &data, data.len() - 70));
        assert_eq!(cut, Err(DecodeError::Incomplete { format: "TIFF" }), "{compression}");
    }
}

#[test]
fn codes_that_begin_the_table_anew_count_as_pixels() {
    let limits = |pixels| Limits { pixels, ..Limits::default() };
    let data = lzw(10_000);
    let tiff = strips(5, 1, &data, data.len());
    assert!(decode(&tiff, &limits(10_000 * 34)).is_ok());
    assert!(is_too_much_work(&decode(&tiff, &limits(10_000 * 34 - 1))));
    let gif = clear_codes(10_000, 1);
    assert!(decode(&gif, &limits(10_000 * 34)).is_ok());
    assert!(is_too_much_work(&decode(&gif, &limits(10_000 * 34 - 1))));
    let (seen, only) = looked_at(&clear_codes(10_000, 5), &limits(3 * 10_000 * 34));
    let why = Ended::TooManyPixels { limit: 3 * 10_000 * 34 };
    assert_eq!((seen.len(), only), (3, Some(OnlyBeginning { frames: 3, why })));
}

/// A GIF of frames of one pixel, each after so many codes that begin the table anew.
fn clear_codes(count: usize, frames: usize) -> Vec<u8> {
    let mut bits: Vec<u8> = [0, 0, 0, 0, 0, 0, 0, 0, 1].repeat(count);
    bits.extend([0; 9]); // the first colour
    bits.extend([1, 0, 0, 0, 0, 0, 0, 0, 1]);
    let data: Vec<u8> = bits.chunks(8).map(|bits| bits.iter().enumerate().map(|(at, bit)| bit << at).sum()).collect();
    let blocks: Vec<u8> = data.chunks(255).flat_map(|block| [&[block.len() as u8], block].concat()).collect();
    let frame = [&b"\x2c\0\0\0\0\x01\0\x01\0\0\x08"[..], &blocks, &[0]].concat();
    [&b"GIF89a\x01\0\x01\0\x80\0\0\x07\x07\x07\xff\xff\xff"[..], &frame.repeat(frames), b";"].concat()
}

/// A page of one strip with another field at its end.
fn with_another_field(compression: u32, [tag, kind]: [u16; 2], value: u32) -> Vec<u8> {
    let mut file = strips(compression, 1, &ROW, 64);
    let directory = u32::from_le_bytes(*file[4..].first_chunk().unwrap()) as usize;
    file[directory] += 1;
    file.truncate(file.len() - 4);
    file.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
    file.extend([1u32, value, 0].map(u32::to_le_bytes).concat());
    file
}

#[test]
fn a_field_that_the_decoder_steps_over_does_not_hide_the_one_it_reads() {
    let is_refused = |file: &[u8]| matches!(decode_default(file), Err(DecodeError::Unsupported { .. }));
    assert!(decode_default(&with_another_field(1, [65_000, 3], 1)).is_ok());
    assert!(decode_default(&with_another_field(1, [65_000, 99], 1)).is_ok(), "of no type that there is");
    // JPEG by the field that counts, and none by one of a type that is not known; and the other way round.
    assert!(is_refused(&with_another_field(7, [259, 99], 1)));
    assert!(is_refused(&with_another_field(1, [259, 99], 7)));
    // Of two of known types, some take the first and some the last. Where they say the same, it is all one.
    for (tag, value) in [(256, 32), (257, 2), (259, 5), (273, 8)] {
        assert!(is_refused(&with_another_field(1, [tag, 4], value)), "{tag}");
    }
    assert!(decode_default(&with_another_field(1, [257, 4], 1)).is_ok());
    // The decoder takes letters for numbers, and a fraction for two of them.
    for (tag, kind) in [(273, 2), (273, 5), (279, 2), (279, 5)] {
        let mut file = strips(8, 1, &deflate(1), 82);
        let field = [u16::to_le_bytes(tag), [4, 0]].concat();
        let place = file.windows(4).rposition(|bytes| bytes == field).unwrap();
        file[place + 2] = kind;
        let reason = "the places of its data are no numbers".to_owned();
        assert_eq!(decode_default(&file), Err(DecodeError::Unsupported { format: "TIFF", reason }), "{tag} {kind}");
    }
    // A number of the type that is used for anything.
    let mut file = strips(1, 1, &ROW, 64);
    let compression = file.windows(4).position(|field| field == [3, 1, 4, 0]).unwrap();
    file[compression + 2..compression + 12].copy_from_slice(&[7, 0, 1, 0, 0, 0, 7, 0, 0, 0]);
    let reason = "its data is JPEG".to_owned();
    assert_eq!(decode_default(&file), Err(DecodeError::Unsupported { format: "TIFF", reason }));
}
