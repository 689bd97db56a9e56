//! Which bits of a hash form a band.
//!
//! Neighbouring bits of a PDQ hash are neighbouring frequencies of a picture, and not independent. Bands of neighbours
//! would crowd real photographs into few buckets; so the 256 bits are first put into one fixed random order.

/// A hash as sixteen bands of sixteen bits.
pub(super) type Bands = [u16; 16];

/// The bands of `hash`, which has 32 bytes; what is missing counts as 0.
pub(super) fn bands(hash: &[u8]) -> Bands {
    let mut bands = [0; 16];
    for (byte, [low, high]) in hash.iter().zip(PLACED.as_chunks::<2>().0) {
        let (low, high) = (&low[usize::from(byte & 15)], &high[usize::from(byte >> 4)]);
        for (band, (low, high)) in bands.iter_mut().zip(low.iter().zip(high)) {
            *band |= low | high;
        }
    }
    bands
}

/// Where bit i of a hash goes: a shuffle by Fisher and Yates, with numbers by Marsaglia's xorshift.
const ORDER: [u8; 256] = {
    let mut order = [0; 256];
    let mut bit = 0;
    while bit < 256 {
        order[bit] = bit as u8;
        bit += 1;
    }
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    while bit > 1 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = (state % bit as u64) as usize;
        bit -= 1;
        (order[bit], order[other]) = (order[other], order[bit]);
    }
    order
};

/// For each half byte of a hash and each of its values: the bits of the bands that it sets.
static PLACED: [[Bands; 16]; 64] = {
    let mut placed = [[[0; 16]; 16]; 64];
    let mut cell = 0;
    while cell < 64 * 16 * 4 {
        let (nibble, value, bit) = (cell / 64, cell / 4 % 16, cell % 4);
        if value >> bit & 1 == 1 {
            let to = ORDER[nibble * 4 + bit] as usize;
            placed[nibble][value][to / 16] |= 1 << (to % 16);
        }
        cell += 1;
    }
    placed
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_has_one_place_of_its_own() {
        let mut seen = [0u16; 16];
        for bit in 0..256 {
            let mut hash = [0u8; 32];
            hash[bit / 8] = 1 << (bit % 8);
            let bands = bands(&hash);
            assert_eq!(bands.iter().map(|band| band.count_ones()).sum::<u32>(), 1);
            seen.iter_mut().zip(bands).for_each(|(seen, band)| *seen ^= band);
        }
        assert_eq!(seen, [u16::MAX; 16]);
    }

    #[test]
    fn the_order_is_fixed_and_mixes_neighbours() {
        assert_eq!(bands(&[0xff; 32]), [u16::MAX; 16]);
        let neighbours: Bands = bands(&[0xff, 0xff].into_iter().chain([0; 30]).collect::<Vec<_>>());
        assert!(neighbours.iter().filter(|band| **band != 0).count() >= 8, "{neighbours:?}");
    }
}
