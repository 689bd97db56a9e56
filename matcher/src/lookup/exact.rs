//! Digests of files, which match or don't.
//!
//! A directory says where the entries with the same first bits begin, sixteen of them or so; the list itself is searched
//! between there and where the next begin. It takes a quarter of a byte to half a byte for each entry. Crafted digests can
//! crowd one part, which then takes as long as searching the whole list without a directory.

use isonomy_core::list::Entries;

/// Entries with the same first bits, on average, at least.
const USUAL_LOAD: usize = 8;

pub(super) struct Directory {
    /// First bits that count.
    bits: u32,
    /// Where the entries with each value of them begin, and where the last end.
    starts: Vec<u32>,
}

impl Directory {
    pub(super) fn new(entries: &Entries) -> Self {
        let bits = (entries.len() / USUAL_LOAD).max(1).ilog2().min(24);
        let mut starts = vec![0; (1 << bits) + 1];
        for entry in entries {
            starts[prefix(entry, bits) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { bits, starts }
    }

    pub(super) fn memory(&self) -> usize {
        self.starts.len() * size_of::<u32>()
    }

    /// Where `digest` stands in `entries`, which the directory is of.
    pub(super) fn find(&self, entries: &Entries, digest: &[u8]) -> Option<usize> {
        let prefix = prefix(digest, self.bits);
        let (mut start, mut end) = (self.starts[prefix] as usize, self.starts[prefix + 1] as usize);
        while start < end {
            let middle = start.midpoint(end);
            match entries.get(middle)?.cmp(digest) {
                std::cmp::Ordering::Less => start = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => end = middle,
            }
        }
        None
    }
}

/// The first bits of a digest as a number.
fn prefix(digest: &[u8], bits: u32) -> usize {
    let first = digest.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    (u64::from(first) >> (32 - bits)) as usize
}
