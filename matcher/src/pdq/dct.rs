//! The cosine transform, and the bits that it gives.

use super::downscale::{Grid, SIDE};

/// Frequencies in each direction: the first to the sixteenth, without the constant part.
const FREQUENCIES: usize = 16;

/// Amplitudes, by vertical and then horizontal frequency.
pub(super) type Spectrum = [[f32; FREQUENCIES]; FREQUENCIES];

/// √(2/64) · cos(π/128 · m) for m from 0 to 63. As in the reference, the root is rounded to single precision, multiplied
/// by the cosine in double precision, and the product is rounded: rounding once would change some last bits, and with
/// them many bits of the hash of a synthetic picture.
///
/// Written out because the cosine of a platform's library may differ, too.
#[rustfmt::skip]
const COSINES: [f32; 64] = [
    0.17677669, 0.17672345, 0.17656375, 0.17629771, 0.17592546, 0.17544726, 0.17486335, 0.17417413,
    0.17337997, 0.17248139, 0.17147891, 0.17037314, 0.16916475, 0.16785446, 0.16644305, 0.16493139,
    0.16332036, 0.16161098, 0.15980424, 0.15790124, 0.15590313, 0.1538111, 0.15162642, 0.14935042,
    0.14698444, 0.14452994, 0.14198837, 0.13936128, 0.13665023, 0.13385688, 0.13098289, 0.12803,
    0.125, 0.121894695, 0.11871597, 0.11546574, 0.112145945, 0.108758606, 0.10530575, 0.10178947,
    0.09821187, 0.09457511, 0.090881385, 0.08713291, 0.08333196, 0.079480805, 0.075581774, 0.07163722,
    0.06764951, 0.06362105, 0.059554275, 0.05545162, 0.051315565, 0.0471486, 0.042953234, 0.038731992,
    0.034487423, 0.030222077, 0.025938528, 0.021639355, 0.017327147, 0.0130045, 0.008674021, 0.004338317,
];

/// How much the pixel at `place` counts for the frequency `row + 1`: √(2/64) · cos(π/128 · (row + 1) · (2 · place + 1)).
///
/// The angle is folded into the first quarter. A right angle would fall outside the table and stop the build; it
/// never occurs, since it would need 64 to divide (row + 1) · (2 · place + 1).
const fn coefficient(row: usize, place: usize) -> f32 {
    let angle = (row + 1) * (2 * place + 1) % 256;
    let angle = if angle > 128 { 256 - angle } else { angle };
    if angle < 64 { COSINES[angle] } else { -COSINES[128 - angle] }
}

/// The coefficients, by place and then frequency.
const BY_PLACE: [[f32; FREQUENCIES]; SIDE] = {
    let mut matrix = [[0.0; FREQUENCIES]; SIDE];
    let mut cell = 0;
    while cell < SIDE * FREQUENCIES {
        matrix[cell / FREQUENCIES][cell % FREQUENCIES] = coefficient(cell % FREQUENCIES, cell / FREQUENCIES);
        cell += 1;
    }
    matrix
};

/// The lowest frequencies of `grid`. Each sum runs in the order of the places, as in the reference.
pub(super) fn transform(grid: &Grid) -> Spectrum {
    let mut by_column = [[0f32; SIDE]; FREQUENCIES];
    for (pixels, coefficients) in grid.iter().zip(&BY_PLACE) {
        for (sums, coefficient) in by_column.iter_mut().zip(coefficients) {
            for (sum, pixel) in sums.iter_mut().zip(pixels) {
                *sum += coefficient * pixel;
            }
        }
    }
    by_column.map(|values| {
        let mut sums = [0f32; FREQUENCIES];
        for (value, coefficients) in values.iter().zip(&BY_PLACE) {
            for (sum, coefficient) in sums.iter_mut().zip(coefficients) {
                *sum += value * coefficient;
            }
        }
        sums
    })
}

/// Bit 16 · i + j says whether amplitude (i, j) is above the median; the highest bit comes first.
pub(super) fn bits(spectrum: &Spectrum) -> [u8; 32] {
    let median = lower_median(spectrum);
    let mut bytes = [0u8; 32];
    for (byte, amplitudes) in bytes.iter_mut().rev().zip(spectrum.as_flattened().chunks_exact(8)) {
        for (place, amplitude) in amplitudes.iter().enumerate() {
            *byte |= u8::from(*amplitude > median) << place;
        }
    }
    bytes
}

/// The 128th smallest of the 256 amplitudes. Torben's method, which the reference uses, gives the same value.
fn lower_median(spectrum: &Spectrum) -> f32 {
    let mut amplitudes = [0f32; FREQUENCIES * FREQUENCIES];
    amplitudes.copy_from_slice(spectrum.as_flattened());
    *amplitudes.select_nth_unstable_by(FREQUENCIES * FREQUENCIES / 2 - 1, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::f64::consts::PI;

    #[test]
    fn coefficients_are_those_of_the_formula() {
        let scale = f64::from((2.0f64 / 64.0).sqrt() as f32);
        for (place, coefficients) in BY_PLACE.iter().enumerate() {
            for (row, coefficient) in coefficients.iter().enumerate() {
                let angle = PI / 2.0 / 64.0 * (row + 1) as f64 * (2 * place + 1) as f64;
                assert_eq!(*coefficient, (scale * angle.cos()) as f32, "row {row}, place {place}");
            }
        }
    }

    #[test]
    fn the_median_is_the_lower_one_of_the_two_in_the_middle() {
        let mut spectrum = Spectrum::default();
        for (place, amplitude) in spectrum.as_flattened_mut().iter_mut().enumerate() {
            *amplitude = (place * 37 % 256) as f32;
        }
        assert_eq!(lower_median(&spectrum), 127.0);
        let ones: u32 = bits(&spectrum).iter().map(|byte| byte.count_ones()).sum();
        assert_eq!(ones, 128);
    }

    #[test]
    fn the_last_amplitude_is_the_first_bit() {
        let mut spectrum = Spectrum::default();
        spectrum[15][15] = 1.0;
        spectrum[0][0] = 1.0;
        let bytes = bits(&spectrum);
        assert_eq!((bytes[0], bytes[31]), (0x80, 0x01));
    }
}
