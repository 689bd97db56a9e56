//! Large arrays on large pages.
//!
//! A search in ten million entries touches two thousand places. With pages of 4 KiB, finding out where each of them lies
//! takes as long as reading it; with pages of 2 MiB it does not. Linux gives them to whoever asks.
#![allow(unsafe_code)]

/// `len` copies of `zero`, on large pages if the system has them. Panics, as `vec!` does, if memory runs out.
pub(crate) fn zeroed<T: Copy>(len: usize, zero: T) -> Vec<T> {
    let mut vec = Vec::with_capacity(len);
    advise(&vec);
    vec.resize(len, zero);
    vec
}

/// From this size on, in bytes, an allocation is a mapping of its own.
#[cfg(target_os = "linux")]
const LARGE: usize = 4 << 20;

/// The size of a page, or a multiple of it: what `madvise` wants addresses to be divisible by.
#[cfg(target_os = "linux")]
const ALIGNMENT: usize = 64 << 10;

#[cfg(target_os = "linux")]
fn advise<T>(vec: &Vec<T>) {
    let (start, bytes) = (vec.as_ptr() as usize, vec.capacity() * size_of::<T>());
    if bytes < LARGE {
        return;
    }
    let first = start.next_multiple_of(ALIGNMENT);
    let end = (start + bytes) / ALIGNMENT * ALIGNMENT;
    // SAFETY: the range lies within the vector's allocation, and this advice changes nothing that a program can read. If
    // the system doesn't know it, small pages remain.
    unsafe { libc::madvise(first as *mut libc::c_void, end - first, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn advise<T>(_: &Vec<T>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_any_size_are_zero() {
        for len in [0, 1, 1000, 3 << 20] {
            let array = zeroed(len, [0u64; 2]);
            assert!(array.len() == len && array.iter().all(|value| *value == [0, 0]));
        }
    }
}
