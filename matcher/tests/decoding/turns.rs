//! How a picture has to be turned, by metadata of all kinds. Wherever software differs, it may be any turn.

use super::{chunk, encoded, exif, tiff};
use isonomy_core::list::Algorithm;
use isonomy_matcher::image::{DecodeError, Limits, shown_orientation};
use isonomy_matcher::pdq::Orientation::{self, Original, Rotate270};
use isonomy_matcher::{Orientations, Subject};

fn shown(file: &[u8]) -> Result<Orientation, DecodeError> {
    shown_orientation(file, &Limits::default())
}

/// Such a file is looked up in all eight ways.
fn may_be_any(file: &[u8]) -> bool {
    let subject = Subject::of_file(&[Algorithm::PdqFull], file, &Limits::default(), Orientations::Shown);
    matches!(shown(file), Err(DecodeError::Malformed { .. })) && subject.views().len() == 8
}

const XMP_SIX: &[u8] = b"<rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Orientation=\"6\"/>";

/// A JPEG with these pieces of metadata.
fn jpeg(pieces: &[&[u8]]) -> Vec<u8> {
    let jpeg = encoded("rgb.jpg");
    let segment = |body: &&[u8]| [&b"\xff\xe1"[..], &(body.len() as u16 + 2).to_be_bytes(), body].concat();
    [&jpeg[..2], &pieces.iter().flat_map(segment).collect::<Vec<_>>(), &jpeg[2..]].concat()
}

#[test]
fn a_jpeg_may_have_it_in_exif_and_in_xmp() {
    let marked = |mark: &[u8], rest: &[u8]| [mark, rest].concat();
    let xmp = marked(b"http://ns.adobe.com/xap/1.0/\0", XMP_SIX);
    let more = marked(b"http://ns.adobe.com/xmp/extension/\0", XMP_SIX);
    let [one, six] = [1, 6].map(|turn| marked(b"Exif\0\0", &exif(turn)));
    assert_eq!(shown(&jpeg(&[&six])), Ok(Rotate270));
    assert_eq!(shown(&jpeg(&[&marked(b"Exif\0\xff", &exif(6))])), Ok(Rotate270), "as browsers take it");
    assert_eq!(shown(&jpeg(&[&marked(b"Exif-\0", &exif(6))])), Ok(Original), "another mark");
    assert_eq!((shown(&jpeg(&[&xmp])), shown(&jpeg(&[&more]))), (Ok(Rotate270), Ok(Rotate270)));
    assert_eq!((shown(&jpeg(&[&six, &xmp])), shown(&jpeg(&[&xmp, &six]))), (Ok(Rotate270), Ok(Rotate270)));
    assert!(may_be_any(&jpeg(&[&one, &xmp])) && may_be_any(&jpeg(&[&xmp, &one])));
    assert_eq!(shown(&jpeg(&[&marked(b"http://example.com/\0", XMP_SIX)])), Ok(Original));
}

#[test]
fn a_png_may_have_it_in_exif_in_xmp_and_in_digits() {
    let png = encoded("palette.png");
    let with = |pieces: &[Vec<u8>]| [&png[..33], &pieces.concat(), &png[33..]].concat();
    let xmp = chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", XMP_SIX].concat());
    let [one, six] = [1, 6].map(|turn| chunk(b"eXIf", &exif(turn)));
    assert_eq!(shown(&with(std::slice::from_ref(&xmp))), Ok(Rotate270));
    assert_eq!(shown(&with(&[six, xmp.clone()])), Ok(Rotate270));
    assert!(may_be_any(&with(&[one, xmp])));
    assert!(may_be_any(&with(&[chunk(b"zTXt", b"Raw profile type exif\0\0packed")])));
    assert!(may_be_any(&with(&[chunk(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0packed")])));
    assert_eq!(shown(&with(&[chunk(b"tEXt", b"Title\0tiff:Orientation='6'")])), Ok(Original));
}

#[test]
fn a_webp_may_have_it_in_any_piece_of_exif_and_in_xmp() {
    let webp = encoded("lossless.webp");
    let with = |pieces: &[(&[u8; 4], &[u8])]| {
        let piece = |(kind, data): &(&[u8; 4], &[u8])| {
            let padding = vec![0; data.len() % 2];
            [&kind[..], &(data.len() as u32).to_le_bytes(), data, &padding].concat()
        };
        let head = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0\x77\0\0\x4f\0\0";
        let body = [&head[..], &webp[12..], &pieces.iter().flat_map(piece).collect::<Vec<_>>()].concat();
        [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat()
    };
    let [one, six] = [exif(1), exif(6)];
    assert_eq!(shown(&with(&[])), Ok(Original));
    assert_eq!(shown(&with(&[(b"EXIF", &six)])), Ok(Rotate270));
    assert_eq!(shown(&with(&[(b"EXIF", &six), (b"EXIF", &six)])), Ok(Rotate270));
    assert!(may_be_any(&with(&[(b"EXIF", &one), (b"EXIF", &six)])));
    assert!(may_be_any(&with(&[(b"EXIF", &six), (b"EXIF", &one)])));
    assert_eq!(shown(&with(&[(b"XMP ", XMP_SIX)])), Ok(Rotate270));
    assert!(may_be_any(&with(&[(b"EXIF", &one), (b"XMP ", XMP_SIX)])));
}

#[test]
fn a_page_of_a_tiff_has_it_in_a_field_of_its_own_or_in_xmp() {
    // The last field of a page, 284, says nothing of use: another one stands in its place.
    let with = |field: [u16; 2], value: u32| {
        let mut file = tiff(&[7]);
        let at = file.windows(4).position(|bytes| bytes == [0x1c, 1, 4, 0]).unwrap();
        file[at..at + 4].copy_from_slice(&[field[0].to_le_bytes(), field[1].to_le_bytes()].concat());
        file[at + 8..at + 12].copy_from_slice(&value.to_le_bytes());
        file
    };
    assert_eq!(shown(&with([274, 3], 6)), Ok(Rotate270));
    for (kind, value) in [(3, 9), (3, 0), (4, 6), (8, 6), (1, 6), (99, 6)] {
        assert!(may_be_any(&with([274, kind], value)), "{kind} {value}");
    }
    let mut file = with([700, 1], 0);
    let at = file.windows(4).position(|bytes| bytes == [0xbc, 2, 1, 0]).unwrap();
    let place = file.len() as u32;
    file[at + 4..at + 12].copy_from_slice(&[XMP_SIX.len() as u32, place].map(u32::to_le_bytes).concat());
    file.extend(XMP_SIX);
    assert_eq!(shown(&file), Ok(Rotate270));
}
