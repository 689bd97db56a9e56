//! The index for hashes that are near: sixteen tables of buckets, made so that a search reads few cache lines and knows
//! beforehand which.
//!
//! A hash is cut into sixteen bands ([`super::permutation`]). In table i, an entry lies in the bucket of its band i, and
//! leaves there a *signature*: its next sixteen bits, band i + 1. Searching ([`super::probing`]) needs the buckets whose
//! number differs in at most one bit.
//!
//! A bucket is a fixed run of cache lines, so that its address follows from its number alone:
//!
//! | slots of 16 bits | content |
//! |---|---|
//! | 0, 1 | where its entries begin in the table's list of entry numbers |
//! | 2 | how many there are, or [`OVERFLOWING`] |
//! | from 3 on | their signatures |
//!
//! A bucket with more entries than slots keeps the others' signatures in the table's *tail*, and says in its last four
//! slots where (in lines) and how many there are.
//!
//! Lists below a million entries have fewer buckets, numbered by the first bits of a band; the signature then begins with
//! the rest of it. That is as exact, since these 16 bits and the number still cover two bands at most.

use super::permutation::Bands;
use crate::machine::{Line, SLOTS, zeroed};
use std::sync::Mutex;
use std::thread;

/// Tables: one for each band.
pub(super) const TABLES: usize = 16;

/// In the place of a bucket's count: it has a tail.
const OVERFLOWING: u16 = u16::MAX;

/// Slots before the signatures.
pub(super) const HEADER: usize = 3;

/// Slots that tell of the tail.
const POINTER: usize = 4;

/// An empty cache line.
const EMPTY: Line = Line([0; SLOTS]);

/// Entries in a bucket of one line, on average, at most: few buckets then have more than the 29 that it holds.
const USUAL_LOAD: f64 = 19.0;

/// How many buckets there are, and how large.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shape {
    /// Bits of a band that number a bucket.
    pub(super) key_bits: u32,
    /// Lines in a bucket.
    pub(super) width: usize,
}

impl Shape {
    /// The fastest shape for `entries` hashes without regularity.
    pub(super) fn of(entries: usize) -> Self {
        let entries = entries as f64;
        let key_bits = (entries / USUAL_LOAD).log2().ceil().clamp(10.0, 16.0) as u32;
        let load = entries / f64::from(1u32 << key_bits);
        let slots = load + 2.4 * load.sqrt() + HEADER as f64;
        Self { key_bits, width: ((slots / SLOTS as f64).ceil() as usize).max(1) }
    }

    pub(super) fn buckets(self) -> usize {
        1 << self.key_bits
    }

    /// Buckets of a table that a search looks at: the one of its key, and those one bit apart.
    #[inline(always)]
    pub(super) fn probes(self) -> usize {
        self.key_bits as usize + 1
    }

    fn slots(self) -> usize {
        self.width * SLOTS
    }

    /// How many of so many entries of a bucket stand in the bucket itself; the others stand in a tail.
    fn inline(self, count: usize) -> usize {
        let slots = self.slots();
        if HEADER + count > slots { slots - HEADER - POINTER } else { count }
    }

    /// The number of the bucket in which a hash lies in a table.
    #[inline(always)]
    pub(super) fn key(self, bands: &Bands, table: usize) -> usize {
        usize::from(bands[table]) & (self.buckets() - 1)
    }

    /// What a hash leaves there: the sixteen bits that follow the key.
    #[inline(always)]
    pub(super) fn signature(self, bands: &Bands, table: usize) -> u16 {
        let two = u32::from(bands[table]) | u32::from(bands[(table + 1) % TABLES]) << 16;
        (two >> self.key_bits) as u16
    }
}

/// The tables.
pub(super) struct Buckets {
    pub(super) shape: Shape,
    /// All buckets of the first table, all of the second, and so on.
    pub(super) lines: Vec<Line>,
    /// Entry numbers by bucket, of all tables.
    pub(super) ids: Vec<u32>,
    /// The tails of each table.
    pub(super) tails: Vec<Vec<Line>>,
    /// The number of entries.
    pub(super) len: usize,
}

/// What the beginning of a bucket says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// Where its entries begin in the table's list of entry numbers.
    pub(super) base: u32,
    /// Signatures in the bucket itself.
    pub(super) inline: usize,
    /// The other signatures.
    pub(super) tail: Option<Tail>,
}

/// The signatures that a bucket has no room for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tail {
    /// The line in which they begin.
    pub(super) start: u32,
    /// How many there are.
    pub(super) len: u32,
}

impl Header {
    /// Whether a bucket has a tail.
    #[inline(always)]
    pub(super) fn overflows(bucket: &[Line]) -> bool {
        bucket[0].0[2] == OVERFLOWING
    }

    #[inline(always)]
    pub(super) fn of(bucket: &[Line]) -> Self {
        let Line(slots) = &bucket[0];
        let base = join(slots[0], slots[1]);
        if !Self::overflows(bucket) {
            return Self { base, inline: usize::from(slots[2]), tail: None };
        }
        let Line(last) = &bucket[bucket.len() - 1];
        let [.., a, b, c, d] = *last;
        let tail = Tail { start: join(a, b), len: join(c, d) };
        Self { base, inline: bucket.len() * SLOTS - HEADER - POINTER, tail: Some(tail) }
    }

    fn write(self, bucket: &mut [Line]) {
        let (low, high) = split(self.base);
        let count = if self.tail.is_some() { OVERFLOWING } else { self.inline as u16 };
        bucket[0].0[..HEADER].copy_from_slice(&[low, high, count]);
        if let Some(tail) = self.tail {
            let (start, len) = (split(tail.start), split(tail.len));
            let last = bucket.len() - 1;
            bucket[last].0[SLOTS - POINTER..].copy_from_slice(&[start.0, start.1, len.0, len.1]);
        }
    }
}

fn join(low: u16, high: u16) -> u32 {
    u32::from(low) | u32::from(high) << 16
}

fn split(number: u32) -> (u16, u16) {
    (number as u16, (number >> 16) as u16)
}

impl Buckets {
    /// The tables of the entries with these bands, of which there are less than 2^32.
    pub(super) fn new(bands: &[Bands], shape: Shape) -> Self {
        let (buckets, len) = (shape.buckets(), bands.len());
        let mut lines = zeroed(TABLES * buckets * shape.width, EMPTY);
        let mut ids = zeroed(TABLES * len, 0u32);
        let mut tails = vec![Vec::new(); TABLES];
        let parts = lines.chunks_mut(buckets * shape.width).zip(ids.chunks_mut(len.max(1))).zip(&mut tails);
        in_parallel(parts.enumerate(), |(table, ((lines, ids), tail))| {
            *tail = Table { number: table, shape, lines, ids }.fill(bands);
        });
        Self { shape, lines, ids, tails, len }
    }

    /// The bucket at this address: the number of the table, then that of the bucket.
    #[inline(always)]
    pub(super) fn bucket(&self, address: u32) -> &[Line] {
        &self.lines[address as usize * self.shape.width..][..self.shape.width]
    }

    /// Bytes that the tables take.
    pub(super) fn memory(&self) -> usize {
        let tails: usize = self.tails.iter().map(Vec::len).sum();
        (self.lines.len() + tails) * size_of::<Line>() + self.ids.len() * size_of::<u32>()
    }

    /// The share of entries, averaged over the tables, that lie in tails.
    pub(super) fn overflow(&self) -> f64 {
        let buckets = self.lines.chunks_exact(self.shape.width).map(Header::of);
        let in_tails: u64 = buckets.filter_map(|header| header.tail).map(|tail| u64::from(tail.len)).sum();
        in_tails as f64 / self.ids.len().max(1) as f64
    }
}

/// What [`Buckets::overflow`] says of the tables of these hashes, without making them: it takes four bytes for each bucket.
pub(super) fn overflow_of(hashes: impl ExactSizeIterator<Item = Bands>) -> f64 {
    let (len, shape) = (hashes.len(), Shape::of(hashes.len()));
    let mut counts = vec![0u32; TABLES * shape.buckets()];
    for bands in hashes {
        for (table, counts) in counts.chunks_exact_mut(shape.buckets()).enumerate() {
            counts[shape.key(&bands, table)] += 1;
        }
    }
    let in_tails: usize = counts.iter().map(|&count| count as usize - shape.inline(count as usize)).sum();
    in_tails as f64 / (TABLES * len).max(1) as f64
}

/// Does `work` on all `parts`, on as many threads as the machine can run; on this one alone if it can't have others.
pub(super) fn in_parallel<P: Send>(parts: impl Iterator<Item = P> + Send, work: impl Fn(P) + Sync) {
    let parts = Mutex::new(parts);
    let next = || parts.lock().ok()?.next();
    let run = || {
        while let Some(part) = next() {
            work(part);
        }
    };
    let others = thread::available_parallelism().map_or(1, usize::from) - 1;
    thread::scope(|scope| {
        for _ in 0..others.min(TABLES) {
            let _ = thread::Builder::new().spawn_scoped(scope, run);
        }
        run();
    });
}

/// First bits of a key by which entries are sorted before they are put into buckets.
const PARTITION_BITS: u32 = 8;

/// What an entry leaves in a table.
struct Posting {
    key: usize,
    signature: u16,
    id: u32,
}

impl Posting {
    fn pack(self) -> u64 {
        (self.key as u64) << 48 | u64::from(self.signature) << 32 | u64::from(self.id)
    }

    fn unpack(packed: u64) -> Self {
        Self { key: (packed >> 48) as usize, signature: (packed >> 32) as u16, id: packed as u32 }
    }
}

/// A table that is being filled.
struct Table<'a> {
    number: usize,
    shape: Shape,
    lines: &'a mut [Line],
    ids: &'a mut [u32],
}

impl Table<'_> {
    /// Puts every entry into its bucket. Returns the tail.
    fn fill(mut self, bands: &[Bands]) -> Vec<Line> {
        let mut starts = self.count(bands);
        let mut tail = self.write_headers(&starts);
        for Posting { key, signature, id } in self.sorted_roughly(bands, &starts) {
            let place = starts[key] as usize;
            starts[key] += 1;
            self.ids[place] = id;
            self.write_signature(key, place, signature, &mut tail);
        }
        tail
    }

    /// What every entry leaves, in the order of the key's first bits: buckets that are near to each other are then filled
    /// together, while they are in the processor's cache.
    fn sorted_roughly(&self, bands: &[Bands], starts: &[u32]) -> impl Iterator<Item = Posting> + use<> {
        let rest = self.shape.key_bits - PARTITION_BITS;
        let mut ends: Vec<u32> = starts.iter().step_by(1 << rest).copied().collect();
        let mut sorted = zeroed(bands.len(), 0u64);
        for (bands, id) in bands.iter().zip(0..) {
            let key = self.shape.key(bands, self.number);
            let end = &mut ends[key >> rest];
            sorted[*end as usize] = Posting { key, signature: self.shape.signature(bands, self.number), id }.pack();
            *end += 1;
        }
        sorted.into_iter().map(Posting::unpack)
    }

    /// Where each bucket's entries begin; and the end of the last one.
    fn count(&self, bands: &[Bands]) -> Vec<u32> {
        let mut starts = vec![0; self.shape.buckets() + 1];
        for bands in bands {
            starts[self.shape.key(bands, self.number) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        starts
    }

    fn write_headers(&mut self, starts: &[u32]) -> Vec<Line> {
        let mut tail_lines = 0;
        for (bucket, pair) in self.lines.chunks_exact_mut(self.shape.width).zip(starts.windows(2)) {
            let (base, count) = (pair[0], (pair[1] - pair[0]) as usize);
            let mut header = Header { base, inline: self.shape.inline(count), tail: None };
            let len = count - header.inline;
            if len > 0 {
                header.tail = Some(Tail { start: tail_lines as u32, len: len as u32 });
                tail_lines += len.div_ceil(SLOTS);
            }
            header.write(bucket);
        }
        zeroed(tail_lines, EMPTY)
    }

    fn write_signature(&mut self, key: usize, place: usize, signature: u16, tail: &mut [Line]) {
        let bucket = &mut self.lines[key * self.shape.width..][..self.shape.width];
        let header = Header::of(bucket);
        let slot = place - header.base as usize;
        let (lines, slot) = match header.tail {
            Some(Tail { start, .. }) if slot >= header.inline => (&mut tail[start as usize..], slot - header.inline),
            _ => (bucket, slot + HEADER),
        };
        lines[slot / SLOTS].0[slot % SLOTS] = signature;
    }
}

#[cfg(test)]
mod tests {
    use super::super::permutation::bands;
    use super::*;

    #[test]
    fn shapes_follow_the_size() {
        let shape = |entries| {
            let Shape { key_bits, width } = Shape::of(entries);
            (key_bits, width)
        };
        assert_eq!([1, 100_000, 300_000].map(shape), [(10, 1), (13, 1), (14, 1)]);
        assert_eq!([1_000_000, 2_000_000, 10_000_000].map(shape), [(16, 1), (16, 2), (16, 6)]);
    }

    #[test]
    fn every_entry_lies_in_its_bucket_of_every_table() {
        for (crowd, shape) in [(0, Shape { key_bits: 10, width: 1 }), (900, Shape { key_bits: 12, width: 2 })] {
            let row = |id: u32| {
                let mut row = [0u8; 32];
                let spread = if id < crowd { id % 3 } else { id.wrapping_mul(2_654_435_761) };
                row.iter_mut().enumerate().for_each(|(at, byte)| *byte = (spread >> (at % 25)) as u8);
                bands(&row)
            };
            let all: Vec<Bands> = (0..20_000).map(row).collect();
            let buckets = Buckets::new(&all, shape);
            for table in 0..TABLES {
                let mut seen = vec![false; all.len()];
                for (key, bucket) in buckets.lines.chunks(shape.width).skip(table * shape.buckets()).enumerate() {
                    if key == shape.buckets() {
                        break;
                    }
                    for (id, signature) in read(&buckets, table, bucket) {
                        assert_eq!(shape.key(&all[id], table), key);
                        assert_eq!(shape.signature(&all[id], table), signature);
                        assert!(!std::mem::replace(&mut seen[id], true));
                    }
                }
                assert!(seen.into_iter().all(|seen| seen));
            }
            assert!(buckets.overflow() > 0.0);
        }
    }

    /// The entries of a bucket with their signatures.
    fn read(buckets: &Buckets, table: usize, bucket: &[Line]) -> Vec<(usize, u16)> {
        let header = Header::of(bucket);
        let slots = bucket.iter().flat_map(|line| line.0);
        let inline = slots.skip(HEADER).take(header.inline);
        let tail = header.tail.map(|tail| {
            let lines = &buckets.tails[table][tail.start as usize..];
            lines.iter().flat_map(|line| line.0).take(tail.len as usize)
        });
        let ids = &buckets.ids[table * buckets.len + header.base as usize..];
        inline.chain(tail.into_iter().flatten()).zip(ids).map(|(signature, id)| (*id as usize, signature)).collect()
    }
}
