//! How a picture has to be turned to be shown, as its metadata say: Exif, and the field `tiff:Orientation` of XMP.
//!
//! Software differs in which of them it reads, and where. So all are read that are known, wherever they stand, and what can't be read, or can be
//! read in two ways, may be any turn.

use super::chunks::{png_metadata, webp_chunks};
use super::{DecodeError, decoder::Format, jpeg, tiff};
use crate::pdq::Orientation;
use ::image::ImageFormat;

/// What a piece of metadata says: one of the eight turns, or what can't be read.
type Said = Option<Orientation>;

/// The turns by their numbers in Exif, from 1 on.
const TURNS: [Orientation; 8] = [
    Orientation::Original,
    Orientation::FlipY,
    Orientation::Rotate180,
    Orientation::FlipX,
    Orientation::FlipPlus1,
    Orientation::Rotate270,
    Orientation::FlipMinus1,
    Orientation::Rotate90,
];

/// How the picture has to be turned. Where its metadata name two turns, nobody knows which of them others follow.
pub(super) fn shown(format: Format, file: &[u8]) -> Result<Orientation, DecodeError> {
    let malformed =
        |reason: &str| Err(DecodeError::Malformed { format: format.name, reason: format!("its metadata {reason}") });
    let mut said = said(format.kind, file);
    said.dedup();
    match said[..] {
        [] => Ok(Orientation::Original),
        [Some(turn)] => Ok(turn),
        [None] => malformed("name no turn that can be read"),
        _ => malformed("name two turns"),
    }
}

/// All that the metadata of a file say.
fn said(format: ImageFormat, file: &[u8]) -> Vec<Said> {
    match format {
        ImageFormat::Jpeg => jpeg::metadata(file).into_iter().flat_map(of_segment).collect(),
        ImageFormat::Png => png_metadata(file).flat_map(|(kind, data)| of_png(kind, data)).collect(),
        ImageFormat::WebP => webp_chunks(file).flat_map(|(kind, data)| of_webp(kind, data)).collect(),
        ImageFormat::Tiff => {
            of_exif(file).into_iter().chain(tiff::xmp(file).map(of_page).unwrap_or_default()).collect()
        }
        _ => Vec::new(),
    }
}

/// How XMP begins in a JPEG, that which is too long for one segment included.
const XMP_MARK: &[u8] = b"http://ns.adobe.com/x";

fn of_segment(body: &[u8]) -> Vec<Said> {
    match body {
        // Some software writes, and browsers read, another byte in the place of the last 0.
        [b'E', b'x', b'i', b'f', 0, _, exif @ ..] => of_exif(exif),
        _ if body.starts_with(XMP_MARK) => of_xmp(body),
        _ => Vec::new(),
    }
}

fn of_png(kind: &[u8], data: &[u8]) -> Vec<Said> {
    match kind {
        b"eXIf" => of_chunk(data),
        b"tEXt" | b"zTXt" | b"iTXt" => of_text(kind, data),
        _ => Vec::new(),
    }
}

fn of_webp(kind: &[u8], data: &[u8]) -> Vec<Said> {
    match kind {
        b"EXIF" => of_chunk(data),
        b"XMP " => of_xmp(data),
        _ => Vec::new(),
    }
}

/// Exif has no mark before it in PNG and WebP, but there is software that writes the one of JPEG.
fn of_chunk(data: &[u8]) -> Vec<Said> {
    if data.starts_with(b"Exif\0") { of_segment(data) } else { of_exif(data) }
}

fn of_exif(exif: &[u8]) -> Vec<Said> {
    match tiff::turn(exif) {
        tiff::Turn::None => Vec::new(),
        tiff::Turn::One(number) => vec![numbered(number)],
        tiff::Turn::Unclear => vec![None],
    }
}

fn numbered(number: u8) -> Said {
    TURNS.get(usize::from(number.checked_sub(1)?)).copied()
}

/// The longest name of a text of a PNG, in bytes.
const LONGEST_NAME: usize = 79;

/// A text of a PNG, after its name: XMP, or Exif in digits as ImageMagick writes it. What would have to be unpacked first may say anything.
fn of_text(kind: &[u8], data: &[u8]) -> Vec<Said> {
    let Some(end) = data.iter().take(LONGEST_NAME + 1).position(|byte| *byte == 0) else { return Vec::new() };
    let (name, text) = (data[..end].to_ascii_lowercase(), &data[end + 1..]);
    let is_packed = kind == b"zTXt" || kind == b"iTXt" && text.first().is_some_and(|packed| *packed != 0);
    match &name[..] {
        b"raw profile type exif" | b"raw profile type app1" | b"raw profile type xmp" => vec![None],
        b"xml:com.adobe.xmp" if is_packed => vec![None],
        b"xml:com.adobe.xmp" => of_xmp(text),
        _ => Vec::new(),
    }
}

/// The most bytes of XMP of a page of a TIFF that are read: a thousand pages can share one.
const MAX_XMP: usize = 1 << 18;

/// The XMP of a page. One that is longer than is read may say anything.
fn of_page(xmp: &[u8]) -> Vec<Said> {
    if xmp.len() > MAX_XMP { vec![None] } else { of_xmp(xmp) }
}

const XMP_FIELD: &[u8] = b"tiff:Orientation";

/// What XMP says, as an attribute or as an element; the end of an element says nothing.
fn of_xmp(xmp: &[u8]) -> Vec<Said> {
    let mut said = Vec::new();
    for at in xmp.windows(XMP_FIELD.len()).enumerate().filter(|(_, name)| *name == XMP_FIELD).map(|(at, _)| at) {
        if at == 0 || xmp[at - 1] != b'/' {
            said.push(value(&xmp[at + XMP_FIELD.len()..]));
        }
    }
    said
}

/// The number after `="`, `='` or `>`, up to what ends it.
fn value(rest: &[u8]) -> Said {
    let (end, rest) = match rest.trim_ascii_start() {
        [b'=', rest @ ..] => rest.trim_ascii_start().split_first().map(|(quote, rest)| (*quote, rest))?,
        [b'>', rest @ ..] => (b'<', rest),
        _ => return None,
    };
    match rest.trim_ascii_start() {
        [digit @ b'1'..=b'8', rest @ ..] if rest.trim_ascii_start().first() == Some(&end) => numbered(digit - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exif of these fields: tag, type, count and value.
    fn exif(fields: &[(u16, u16, u32, u32)]) -> Vec<u8> {
        let mut exif = b"II*\0\x08\0\0\0".to_vec();
        exif.extend((fields.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in fields {
            exif.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
            exif.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
        }
        [&exif[..], &[0; 4]].concat()
    }

    const SIX: Said = Some(Orientation::Rotate270);
    const ONE: Said = Some(Orientation::Original);

    #[test]
    fn a_turn_in_exif_is_there_once_as_it_should_be_or_is_unclear() {
        let said = |fields: &[(u16, u16, u32, u32)]| of_exif(&exif(fields));
        assert_eq!(said(&[]), []);
        assert_eq!(said(&[(271, 3, 1, 6)]), [], "another field");
        assert_eq!(said(&[(274, 3, 1, 6)]), [SIX]);
        assert_eq!(said(&[(271, 3, 1, 1), (271, 3, 1, 1), (274, 3, 1, 1)]), [ONE], "another that is there twice");
        // Beyond what there is, of another type or number, and there twice.
        for unclear in [(274, 3, 1, 9), (274, 3, 1, 0), (274, 4, 1, 6), (274, 8, 1, 6), (274, 99, 1, 6), (274, 3, 2, 6)]
        {
            assert_eq!(said(&[unclear]), [None], "{unclear:?}");
        }
        for (one, other) in
            [((274, 3, 1, 1), (274, 3, 1, 6)), ((274, 4, 1, 6), (274, 3, 1, 1)), ((274, 3, 1, 6), (274, 0, 1, 6))]
        {
            assert_eq!(said(&[one, other]), [None], "{one:?} {other:?}");
        }
        let whole = exif(&[(271, 3, 1, 6), (274, 3, 1, 6)]);
        assert_eq!(of_exif(&whole[..10 + 24]), [SIX], "what follows is for others");
        assert!((0..10 + 24).all(|kept| of_exif(&whole[..kept]) == [None]), "what was cut may have been any");
    }

    #[test]
    fn xmp_says_it_as_an_attribute_or_an_element() {
        for (xmp, expected) in [
            ("<a tiff:Orientation=\"6\"/>", SIX),
            ("<a tiff:Orientation = '6' b='7'/>", SIX),
            ("<tiff:Orientation>6</tiff:Orientation>", SIX),
            ("<tiff:Orientation> 1\n</tiff:Orientation>", ONE),
            ("<a tiff:Orientation=\"9\"/>", None),
            ("<a tiff:Orientation=\"16\"/>", None),
            ("<a tiff:Orientation=\"6'/>", None),
            ("<tiff:Orientation/>", None),
            ("<tiff:Orientation rdf:parseType=\"Literal\">6</tiff:Orientation>", None),
            ("<a tiff:Orientation", None),
        ] {
            assert_eq!(of_xmp(xmp.as_bytes()), [expected], "{xmp}");
        }
        assert_eq!(of_page(&[b' '; MAX_XMP]), []);
        assert_eq!(of_page(&[b' '; MAX_XMP + 1]), [None]);
        assert_eq!(of_xmp(b"<a exif:Orientation='6' tiff:Make='tiff'/>"), []);
        assert_eq!(of_xmp(b"<a tiff:Orientation='6'/><a tiff:Orientation='1'/>"), [SIX, ONE]);
    }

    #[test]
    fn texts_of_a_png_count_that_name_a_turn_or_may() {
        let text = |kind: &[u8; 4], data: &[u8]| of_png(kind, data);
        let xmp = b"<a tiff:Orientation='6'/>";
        let named = |name: &[u8], rest: &[u8]| [name, b"\0", rest, xmp].concat();
        assert_eq!(text(b"iTXt", &named(b"XML:com.adobe.xmp", &[0; 4])), [SIX]);
        assert_eq!(text(b"tEXt", &named(b"XML:com.adobe.xmp", &[])), [SIX]);
        assert_eq!(text(b"iTXt", &named(b"XML:com.adobe.xmp", &[1, 0, 0, 0])), [None], "packed");
        assert_eq!(text(b"zTXt", &named(b"XML:com.adobe.xmp", &[0])), [None], "packed");
        assert_eq!(text(b"zTXt", &named(b"Raw profile type exif", &[0])), [None]);
        assert_eq!(text(b"tEXt", &named(b"Raw profile type APP1", &[])), [None]);
        assert_eq!(text(b"tEXt", &named(b"Raw profile type icc", &[])), []);
        assert_eq!(text(b"tEXt", &named(b"Comment", &[])), []);
        assert_eq!(text(b"tEXt", xmp), [], "without a name");
        assert_eq!(text(b"IDAT", &named(b"XML:com.adobe.xmp", &[])), []);
    }
}
