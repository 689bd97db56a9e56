//! SHA-256 of four messages at once with the SHA extensions of x86-64 (Intel, *SHA Extensions*; FIPS 180-4 section 6.2).
//!
//! # Why unsafe code
//! The instructions exist on some processors alone, so calling a function compiled for them is only sound where they have
//! been found. [`ShaNi`] is the proof that they were: there is no other way to get one than [`ShaNi::detect`]. The one
//! unsafe block is that call; within, every operation is a safe intrinsic on values. No pointer is read or written.
#![allow(unsafe_code)]

use crate::Hash;
use crate::lanes::{INITIAL_STATE, LANES};
use crate::message::Block;
use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x, _mm_setzero_si128,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32,
};

cpufeatures::new!(extensions, "sha", "sse2", "ssse3", "sse4.1");

/// That the processor has the SHA extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShaNi(());

impl ShaNi {
    /// Looks whether the processor has them.
    pub(crate) fn detect() -> Option<Self> {
        extensions::get().then_some(Self(()))
    }

    /// The hashes of four padded messages.
    pub(crate) fn digest<const BLOCKS: usize>(self, messages: &[[Block; BLOCKS]; LANES]) -> [Hash; LANES] {
        // SAFETY: `self` exists, so the processor has every feature that the function is compiled for.
        unsafe { digest(messages) }
    }
}

/// The constants of the 64 rounds: FIPS 180-4 section 4.2.2.
const K: [[u32; 4]; 16] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
    [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
    [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
    [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
    [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
    [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
    [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
    [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
    [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];

/// The state of one message as the instructions want it: the words a, b, e, f and c, d, g, h, the first in the highest place.
#[derive(Clone, Copy)]
struct State {
    abef: __m128i,
    cdgh: __m128i,
}

#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
fn digest<const BLOCKS: usize>(messages: &[[Block; BLOCKS]; LANES]) -> [Hash; LANES] {
    let [a, b, c, d, e, f, g, h] = INITIAL_STATE.map(|word| word as i32);
    let mut states = [State { abef: _mm_set_epi32(a, b, e, f), cdgh: _mm_set_epi32(c, d, g, h) }; LANES];
    let [first, second, third, fourth] = messages;
    for (((first, second), third), fourth) in first.iter().zip(second).zip(third).zip(fourth) {
        compress(&mut states, [first, second, third, fourth]);
    }
    let mut hashes = [[0; 32]; LANES];
    for (hash, state) in hashes.iter_mut().zip(states) {
        write(state, hash);
    }
    hashes
}

/// One block of each message. Round by round, the lanes take turns, so that one's instructions fill the other's waiting.
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
#[inline]
fn compress(states: &mut [State; LANES], blocks: [&Block; LANES]) {
    let before = *states;
    // The last sixteen words of each message's schedule, four to a vector; vector i mod 4 holds words 4 i to 4 i + 3.
    let mut schedule = [[_mm_setzero_si128(); 4]; LANES];
    for (words, block) in schedule.iter_mut().zip(blocks) {
        for (vector, bytes) in words.iter_mut().zip(block.as_chunks::<16>().0) {
            *vector = load(bytes);
        }
    }
    for (round, [k0, k1, k2, k3]) in K.into_iter().enumerate() {
        let constants = _mm_set_epi32(k3 as i32, k2 as i32, k1 as i32, k0 as i32);
        for (state, words) in states.iter_mut().zip(&mut schedule) {
            let [now, next, after, last] = [0, 1, 2, 3].map(|ahead| words[(round + ahead) % 4]);
            let input = _mm_add_epi32(now, constants);
            state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, input);
            state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(input, 0x0e));
            if round < 12 {
                let sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, next), _mm_alignr_epi8(last, after, 4));
                words[round % 4] = _mm_sha256msg2_epu32(sum, last);
            }
        }
    }
    for (state, before) in states.iter_mut().zip(before) {
        state.abef = _mm_add_epi32(state.abef, before.abef);
        state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
    }
}

/// Four words of a message, which are big-endian, the first in the lowest place.
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
#[inline]
fn load(bytes: &[u8; 16]) -> __m128i {
    let halves = u128::from_le_bytes(*bytes);
    let vector = _mm_set_epi64x((halves >> 64) as i64, halves as i64);
    _mm_shuffle_epi8(vector, _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203))
}

#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
#[inline]
fn write(State { abef, cdgh }: State, hash: &mut Hash) {
    let words = [
        _mm_extract_epi32(abef, 3),
        _mm_extract_epi32(abef, 2),
        _mm_extract_epi32(cdgh, 3),
        _mm_extract_epi32(cdgh, 2),
        _mm_extract_epi32(abef, 1),
        _mm_extract_epi32(abef, 0),
        _mm_extract_epi32(cdgh, 1),
        _mm_extract_epi32(cdgh, 0),
    ];
    for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_be_bytes();
    }
}
