//! How often compressed data makes a decoder begin anew.
//!
//! In LZW, a code can say that the table of codes begins anew. That gives no pixel, but costs as much as dozens of them: megabytes of nothing
//! else are seconds of work. So such codes are counted before data is decoded, by following how long codes are, which takes no table.

/// Where the first bit of a code is, and when codes become longer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// As in GIF: bits from the lowest of a byte.
    Gif,
    /// As in TIFF: bits from the highest, and longer codes one code early.
    Tiff,
}

/// The longest code, in bits.
const LONGEST: u32 = 12;

/// What the tables cost that this data makes a decoder begin, in pixels. Colours have so many bits.
pub(super) fn work(data: impl Iterator<Item = u8>, colour_bits: u8, flavour: Flavour) -> u64 {
    let colour_bits = u32::from(colour_bits).min(LONGEST - 1);
    // A table begins with an entry for each colour; to write eight of them takes about as long as a pixel.
    follow(data, colour_bits, flavour).tables * (2 + (1 << colour_bits) / 8)
}

/// What was seen of some data.
struct Followed {
    /// How often the table begins anew.
    tables: u64,
    /// How many bytes there are up to the code that ends it.
    bytes: usize,
}

fn follow(data: impl Iterator<Item = u8>, colour_bits: u32, flavour: Flavour) -> Followed {
    let clear = 1u32 << colour_bits;
    let (first_free, early) = (clear + 2, u32::from(flavour == Flavour::Tiff));
    let (mut held, mut bits, mut length) = (0u32, 0, colour_bits + 1);
    let (mut next, mut is_first) = (first_free, true);
    let mut followed = Followed { tables: 0, bytes: 0 };
    for byte in data {
        followed.bytes += 1;
        match flavour {
            Flavour::Gif => held |= u32::from(byte) << bits,
            Flavour::Tiff => held = held << 8 | u32::from(byte),
        }
        bits += 8;
        while bits >= length {
            bits -= length;
            let mask = (1 << length) - 1;
            let code = match flavour {
                Flavour::Gif => {
                    let code = held & mask;
                    held >>= length;
                    code
                }
                Flavour::Tiff => held >> bits & mask,
            };
            if code == clear {
                followed.tables += 1;
                (length, next, is_first) = (colour_bits + 1, first_free, true);
                continue;
            }
            if code == clear + 1 {
                return followed;
            }
            // Each code but the first adds an entry to the table, up to as many as there are codes.
            if !is_first && next < 1 << LONGEST {
                next += 1;
                length += u32::from(next + early >= 1 << length && length < LONGEST);
            }
            is_first = false;
        }
    }
    followed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Colours without regularity, so that a file has many tables.
    fn noise(count: usize, colours: u8) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 % colours
        };
        (0..count).map(|_| next()).collect()
    }

    /// The data of a frame, as an encoder makes it, and how many bits its colours have.
    fn data_of_gif(colours: u8) -> (Vec<u8>, u8) {
        let mut frame = gif::Frame::from_indexed_pixels(200, 200, noise(40_000, colours), None);
        frame.make_lzw_pre_encoded();
        let data = frame.buffer.into_owned();
        (data[1..].to_vec(), data[0])
    }

    #[test]
    fn codes_are_followed_to_the_end_of_what_encoders_make() {
        for colours in [2, 3, 4, 17, 100, 250] {
            let (data, bits) = data_of_gif(colours);
            let followed = follow(data.iter().copied(), u32::from(bits), Flavour::Gif);
            assert_eq!(followed.bytes, data.len(), "{colours} colours");
            assert!(followed.tables >= 2, "{colours} colours: {} tables", followed.tables);
        }
    }

    #[test]
    fn each_new_table_counts_by_its_size() {
        // The code 256, of nine bits, eight times: with the highest bit of a byte first, and with the lowest.
        let highest_first = (0..9).map(|at| 0x80u8.checked_shr(at).unwrap_or(0));
        let lowest_first = (0..9).map(|at| if at == 0 { 0 } else { 0x80 >> (8 - at) });
        let many = |bytes: &mut dyn Iterator<Item = u8>| bytes.collect::<Vec<_>>().repeat(100).into_iter();
        assert_eq!(work(many(&mut { highest_first }), 8, Flavour::Tiff), 800 * 34);
        assert_eq!(work(many(&mut { lowest_first }), 8, Flavour::Gif), 800 * 34);
        assert_eq!(work([0xff; 9].into_iter(), 8, Flavour::Tiff), 0);
        assert_eq!(work([0xff; 9].into_iter(), 200, Flavour::Gif), 0, "no such size");
    }
}
