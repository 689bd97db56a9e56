//! Comparisons with the wide instructions of x86-64.
#![allow(unsafe_code)]

use super::{BLOCK, Half, Kernel, Line, Task};
use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("bmi1")
}

pub(super) fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512bitalg")
        && is_x86_feature_detected!("avx512vpopcntdq")
}

/// Does `task` with AVX2.
pub(super) fn run_avx2<T: Task>(task: T) -> T::Output {
    assert!(has_avx2());
    // SAFETY: the processor has every feature that the function is compiled for.
    unsafe { with_avx2(task) }
}

/// Does `task` with AVX-512.
pub(super) fn run_avx512<T: Task>(task: T) -> T::Output {
    assert!(has_avx512());
    // SAFETY: the processor has every feature that the function is compiled for.
    unsafe { with_avx512(task) }
}

#[target_feature(enable = "avx2,popcnt,bmi1")]
fn with_avx2<T: Task>(task: T) -> T::Output {
    task.run(Avx2(()))
}

#[target_feature(enable = "avx512f,avx512bw,avx512bitalg,avx512vpopcntdq,avx2,popcnt,bmi1")]
fn with_avx512<T: Task>(task: T) -> T::Output {
    task.run(Avx512(()))
}

/// Made by [`with_avx2`] alone: whoever holds one runs on a processor that has AVX2.
#[derive(Clone, Copy)]
struct Avx2(());

/// Made by [`with_avx512`] alone: whoever holds one runs on a processor that has AVX-512 with counts of bits.
#[derive(Clone, Copy)]
struct Avx512(());

impl Kernel for Avx512 {
    #[inline(always)]
    fn near_signatures(self, line: &Line, signature: u16, most: u16) -> u32 {
        // SAFETY: AVX-512 F, BW and BITALG are there, as `self` shows; a line has 64 bytes and starts at a multiple of 64.
        unsafe {
            let line = _mm512_load_si512(line.0.as_ptr().cast());
            let differing = _mm512_popcnt_epi16(_mm512_xor_si512(line, _mm512_set1_epi16(signature.cast_signed())));
            _mm512_cmple_epu16_mask(differing, _mm512_set1_epi16(most.cast_signed()))
        }
    }

    #[inline(always)]
    fn near_halves(self, block: &[Half; BLOCK], half: &Half, most: u32) -> u8 {
        // SAFETY: AVX-512 F and VPOPCNTDQ are there, as `self` shows; a block has 128 bytes, a half has 16.
        let near = unsafe {
            let half = _mm512_broadcast_i32x4(_mm_loadu_si128(half.as_ptr().cast()));
            let differing = |start: usize| {
                let four = _mm512_loadu_si512(block.as_ptr().add(start).cast());
                _mm512_popcnt_epi64(_mm512_xor_si512(four, half))
            };
            let (first, last) = (differing(0), differing(4));
            let sums = _mm512_add_epi64(_mm512_unpacklo_epi64(first, last), _mm512_unpackhi_epi64(first, last));
            _mm512_cmple_epu64_mask(sums, _mm512_set1_epi64(i64::from(most)))
        };
        if near == 0 { 0 } else { even_bits(near) | even_bits(near >> 1) << 4 }
    }

    #[inline(always)]
    fn prefetch<T>(self, slice: &[T], index: usize) {
        prefetch(slice, index);
    }
}

/// The four bits at even places, side by side.
fn even_bits(mask: u8) -> u8 {
    mask & 1 | mask >> 1 & 2 | mask >> 2 & 4 | mask >> 3 & 8
}

impl Kernel for Avx2 {
    #[inline(always)]
    fn near_signatures(self, line: &Line, signature: u16, most: u16) -> u32 {
        // SAFETY: AVX2 is there, as `self` shows; a line has 64 bytes and starts at a multiple of 64.
        unsafe {
            let signature = _mm256_set1_epi16(signature.cast_signed());
            let most = _mm256_set1_epi16(most.cast_signed());
            let far = |start: usize| {
                let slots = _mm256_load_si256(line.0.as_ptr().add(start).cast());
                let of_bytes = count_bytes(_mm256_xor_si256(slots, signature));
                _mm256_cmpgt_epi16(_mm256_maddubs_epi16(of_bytes, _mm256_set1_epi8(1)), most)
            };
            let far = _mm256_permute4x64_epi64::<0xd8>(_mm256_packs_epi16(far(0), far(16)));
            !_mm256_movemask_epi8(far).cast_unsigned()
        }
    }

    #[inline(always)]
    fn near_halves(self, block: &[Half; BLOCK], half: &Half, most: u32) -> u8 {
        // SAFETY: AVX2 is there, as `self` shows; a block has 128 bytes, a half has 16.
        let far = unsafe {
            let half = _mm256_broadcastsi128_si256(_mm_loadu_si128(half.as_ptr().cast()));
            let most = _mm256_set1_epi64x(i64::from(most));
            let of_bytes = |start: usize| {
                let two = _mm256_loadu_si256(block.as_ptr().add(start).cast());
                count_bytes(_mm256_xor_si256(two, half))
            };
            let far = |start: usize| {
                let (first, last) = (of_bytes(start), of_bytes(start + 2));
                let sums = _mm256_add_epi8(_mm256_unpacklo_epi64(first, last), _mm256_unpackhi_epi64(first, last));
                let sums = _mm256_sad_epu8(sums, _mm256_setzero_si256());
                _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(sums, most)))
            };
            (far(0) | far(4) << 4) as u8
        };
        let near = !far;
        // Of four, the second and the third have changed places.
        if near == 0 { 0 } else { near & 0x99 | near << 1 & 0x44 | near >> 1 & 0x22 }
    }

    #[inline(always)]
    fn prefetch<T>(self, slice: &[T], index: usize) {
        prefetch(slice, index);
    }
}

/// The number of bits that are set in each byte.
#[inline]
#[target_feature(enable = "avx2")]
fn count_bytes(bytes: __m256i) -> __m256i {
    let counts = _mm256_setr_epi8(
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    );
    let nibble = _mm256_set1_epi8(0x0f);
    let low = _mm256_shuffle_epi8(counts, _mm256_and_si256(bytes, nibble));
    let high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble));
    _mm256_add_epi8(low, high)
}

#[inline(always)]
fn prefetch<T>(slice: &[T], index: usize) {
    // SAFETY: x86-64 always has SSE. A prefetch is a hint that reads nothing, so any address will do.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(slice.as_ptr().wrapping_add(index).cast()) }
}
