//! Comparisons with the wide instructions of x86-64.
#![allow(unsafe_code)]

use super::{Block, Half, Kernel, Line, Task};
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
    fn near_halves(self, block: &Block, half: &Half, most: u32) -> u8 {
        let Block([first, second]) = block;
        // SAFETY: AVX-512 F and VPOPCNTDQ are there, as `self` shows; eight words have 64 bytes and start at a multiple of 64.
        unsafe {
            let first =
                _mm512_xor_si512(_mm512_load_si512(first.as_ptr().cast()), _mm512_set1_epi64(half[0].cast_signed()));
            let second =
                _mm512_xor_si512(_mm512_load_si512(second.as_ptr().cast()), _mm512_set1_epi64(half[1].cast_signed()));
            let differing = _mm512_add_epi64(_mm512_popcnt_epi64(first), _mm512_popcnt_epi64(second));
            _mm512_cmple_epu64_mask(differing, _mm512_set1_epi64(i64::from(most)))
        }
    }

    #[inline(always)]
    fn prefetch<T>(self, slice: &[T], index: usize) {
        prefetch(slice, index);
    }
}

impl Kernel for Avx2 {
    #[inline(always)]
    fn near_signatures(self, line: &Line, signature: u16, most: u16) -> u32 {
        // SAFETY: AVX2 is there, as `self` shows; a line has 64 bytes and starts at a multiple of 64.
        unsafe {
            let slots: *const __m256i = line.0.as_ptr().cast();
            let signature = _mm256_set1_epi16(signature.cast_signed());
            let most = _mm256_set1_epi16(most.cast_signed());
            let low = count_bytes(_mm256_xor_si256(_mm256_load_si256(slots), signature));
            let high = count_bytes(_mm256_xor_si256(_mm256_load_si256(slots.add(1)), signature));
            let low = _mm256_cmpgt_epi16(_mm256_maddubs_epi16(low, _mm256_set1_epi8(1)), most);
            let high = _mm256_cmpgt_epi16(_mm256_maddubs_epi16(high, _mm256_set1_epi8(1)), most);
            let far = _mm256_permute4x64_epi64::<0xd8>(_mm256_packs_epi16(low, high));
            !_mm256_movemask_epi8(far).cast_unsigned()
        }
    }

    #[inline(always)]
    fn near_halves(self, block: &Block, half: &Half, most: u32) -> u8 {
        let Block([first, second]) = block;
        // SAFETY: AVX2 is there, as `self` shows; eight words have 64 bytes and start at a multiple of 64.
        unsafe {
            let (first, second): (*const __m256i, *const __m256i) = (first.as_ptr().cast(), second.as_ptr().cast());
            let half = [_mm256_set1_epi64x(half[0].cast_signed()), _mm256_set1_epi64x(half[1].cast_signed())];
            let most = _mm256_set1_epi64x(i64::from(most));
            let low = far_of_four(_mm256_load_si256(first), _mm256_load_si256(second), half, most);
            let high = far_of_four(_mm256_load_si256(first.add(1)), _mm256_load_si256(second.add(1)), half, most);
            !(low | high << 4) as u8
        }
    }

    #[inline(always)]
    fn prefetch<T>(self, slice: &[T], index: usize) {
        prefetch(slice, index);
    }
}

/// Bit i says whether the words number i differ from `half` in more than `most` bits.
///
/// # Safety
/// The processor must have AVX2. (Compiled without it, so that it is inlined into what is compiled with it.)
#[inline(always)]
unsafe fn far_of_four(first: __m256i, second: __m256i, half: [__m256i; 2], most: __m256i) -> i32 {
    // SAFETY: as above.
    unsafe {
        let first = count_bytes(_mm256_xor_si256(first, half[0]));
        let second = count_bytes(_mm256_xor_si256(second, half[1]));
        let differing = _mm256_sad_epu8(_mm256_add_epi8(first, second), _mm256_setzero_si256());
        _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(differing, most)))
    }
}

/// The number of bits that are set in each byte.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
unsafe fn count_bytes(bytes: __m256i) -> __m256i {
    // SAFETY: as above.
    unsafe {
        let counts = _mm256_setr_epi8(
            0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
        );
        let nibble = _mm256_set1_epi8(0x0f);
        let low = _mm256_shuffle_epi8(counts, _mm256_and_si256(bytes, nibble));
        let high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble));
        _mm256_add_epi8(low, high)
    }
}

#[inline(always)]
fn prefetch<T>(slice: &[T], index: usize) {
    // SAFETY: x86-64 always has SSE. A prefetch is a hint that reads nothing, so any address will do.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(slice.as_ptr().wrapping_add(index).cast()) }
}
