//! Searching the buckets: exact, and mostly waiting for memory.
//!
//! **Why nothing is missed.** Let two hashes differ in d_i bits of band i, and in at most 31 bits altogether. Sixteen bands
//! with a quota of two bits each make 32, one more. So going around the ring of bands there is a band from which on every
//! running sum stays below its quota: d_i ≤ 1, d_i + d_(i+1) ≤ 3, and so on (the cycle lemma; "pigeonring" in Qin and Xiao,
//! *Pigeonring: A Principle for Faster Thresholded Similarity Search*, VLDB 2018). Hence it is enough to look, in every
//! table i, at the buckets whose number differs from the query's in at most one bit, and there at the entries whose signature
//! differs in at most 3 bits, or 2 if the number differs in one. What passes is compared whole.
//!
//! **Why it is fast.** All addresses follow from the query, so they are asked for long before they are read. One
//! instruction compares a whole line of signatures; of a million entries four thousand are seen and a dozen pass.
//!
//! **Why it stays fast.** Whoever crafts a list can crowd a bucket. What is in a bucket's own lines is bounded; tails
//! are summed first, and a query that meets too much is left to [`super::scan`].

use super::Found;
use super::buckets::{Buckets, HEADER, Header, TABLES, Tail};
use super::permutation::{Bands, bands};
use super::scan::{FirstHalves, Row, distance, split};
use crate::machine::{Kernel, Line, SLOTS, Task};

/// Distances up to this one are found.
pub(super) const MAX_DISTANCE: u32 = 31;

/// Differing bits of number and signature, at most.
const QUOTA: u16 = 3;

/// Lines that are asked for ahead of the one that is read.
const LINES_AHEAD: usize = 56;

/// Queries that are searched together: while one waits for memory, another goes on.
pub(super) const GROUP: usize = 8;

/// A search for up to [`GROUP`] queries. What comes out is, for each of them, every entry that differs in at most `most` bits
/// (not above [`MAX_DISTANCE`]) in no order; or nothing, if comparing everything is cheaper.
pub(super) struct Search<'a> {
    pub(super) buckets: &'a Buckets,
    pub(super) first_halves: &'a FirstHalves,
    pub(super) rows: &'a [Row],
    pub(super) queries: &'a [Row],
    pub(super) most: u32,
}

/// Entries that passed the signatures, of all queries, and where each query's end.
#[derive(Default)]
struct Passed {
    /// Places in the lists of entry numbers, and later the numbers.
    entries: Vec<usize>,
    /// For each query: the end of its entries, or `None` if there were too many.
    ends: Vec<Option<usize>>,
}

/// What is looked for in a bucket.
#[derive(Clone, Copy)]
struct Place {
    table: usize,
    signature: u16,
    most: u16,
}

/// A tail that is to be searched.
struct TailProbe {
    tail: Tail,
    table: usize,
    /// Where its entries begin in the lists of entry numbers.
    origin: usize,
    signature: u16,
    most: u16,
}

impl Task for Search<'_> {
    type Output = Vec<Option<Vec<Found>>>;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> Self::Output {
        let queries: Vec<Bands> = self.queries.iter().map(|query| bands(query)).collect();
        let addresses = addresses(self.buckets, &queries);
        let ahead = prefetch_first(kernel, self.buckets, &addresses);
        let mut passed = Passed { entries: Vec::with_capacity(64), ends: Vec::with_capacity(queries.len()) };
        let mut probed = 0;
        for query in &queries {
            self.probe(kernel, query, &addresses[probed..], ahead, &mut passed);
            probed += self.buckets.shape.probes() * TABLES;
        }
        self.compare(kernel, passed)
    }
}

/// The buckets that are probed: for each query and table the one of its key, and those one bit apart. Some repetitions of
/// the last follow, so that asking ahead needs no end.
#[inline(always)]
fn addresses(buckets: &Buckets, queries: &[Bands]) -> Vec<u32> {
    let shape = buckets.shape;
    let mut addresses = Vec::with_capacity(queries.len() * TABLES * shape.probes() + LINES_AHEAD);
    for query in queries {
        for table in 0..TABLES {
            let own = (table << shape.key_bits | shape.key(query, table)) as u32;
            addresses.push(own);
            addresses.extend((0..shape.key_bits).map(|bit| own ^ 1 << bit));
        }
    }
    addresses.resize(addresses.len() + LINES_AHEAD, *addresses.last().unwrap_or(&0));
    addresses
}

#[inline(always)]
fn prefetch<K: Kernel>(kernel: K, buckets: &Buckets, address: u32) {
    let width = buckets.shape.width;
    for line in 0..width {
        kernel.prefetch(&buckets.lines, address as usize * width + line);
    }
}

/// Asks for the first buckets, and says how many.
#[inline(always)]
fn prefetch_first<K: Kernel>(kernel: K, buckets: &Buckets, addresses: &[u32]) -> usize {
    let ahead = (LINES_AHEAD / buckets.shape.width).max(4);
    for address in addresses.iter().take(ahead) {
        prefetch(kernel, buckets, *address);
    }
    ahead
}

/// Reads the lines that a [`Search`] reads first, and nothing more.
pub(super) struct Touch<'a> {
    pub(super) buckets: &'a Buckets,
    pub(super) queries: &'a [Row],
}

impl Task for Touch<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> u64 {
        let queries: Vec<Bands> = self.queries.iter().map(|query| bands(query)).collect();
        let addresses = addresses(self.buckets, &queries);
        let ahead = prefetch_first(kernel, self.buckets, &addresses);
        let mut sum = 0;
        for (address, later) in addresses.iter().zip(&addresses[ahead..]) {
            prefetch(kernel, self.buckets, *later);
            for line in self.buckets.bucket(*address) {
                sum ^= u64::from(line.0[0]);
            }
        }
        sum
    }
}

impl Search<'_> {
    /// Looks at all buckets of one query, whose addresses come first in `addresses`.
    #[inline(always)]
    fn probe<K: Kernel>(&self, kernel: K, query: &Bands, addresses: &[u32], ahead: usize, passed: &mut Passed) {
        let (shape, start) = (self.buckets.shape, passed.entries.len());
        let mut tails = Vec::new();
        let mut laters = addresses[ahead..].iter();
        for (table, addresses) in addresses.chunks_exact(shape.probes()).take(TABLES).enumerate() {
            let signature = shape.signature(query, table);
            let mut hits = 0u32;
            for ((probe, address), later) in addresses.iter().enumerate().zip(&mut laters) {
                prefetch(kernel, self.buckets, *later);
                let is_hit = may_hold(kernel, self.buckets.bucket(*address), signature, most(probe));
                hits |= u32::from(is_hit) << probe;
            }
            while hits != 0 {
                let probe = hits.trailing_zeros() as usize;
                hits &= hits - 1;
                let place = Place { table, signature, most: most(probe) };
                self.probe_bucket(kernel, self.buckets.bucket(addresses[probe]), place, passed, &mut tails);
            }
        }
        let bounded = self.probe_tails(kernel, &tails, &mut passed.entries)
            && passed.entries.len() - start <= self.buckets.len / 128 + 64;
        if !bounded {
            passed.entries.truncate(start);
        }
        passed.ends.push(bounded.then_some(passed.entries.len()));
    }

    /// Looks at a bucket in which something may be near.
    #[inline(always)]
    fn probe_bucket<K: Kernel>(
        &self,
        kernel: K,
        bucket: &[Line],
        Place { table, signature, most }: Place,
        passed: &mut Passed,
        tails: &mut Vec<TailProbe>,
    ) {
        let header = Header::of(bucket);
        let origin = table * self.buckets.len + header.base as usize;
        pass_near(kernel, bucket, HEADER..HEADER + header.inline, signature, most, origin, &mut passed.entries);
        if let Some(tail) = header.tail {
            tails.push(TailProbe { tail, table, origin: origin + header.inline, signature, most });
        }
    }

    /// Looks at tails, unless there is too much in them.
    #[inline(always)]
    fn probe_tails<K: Kernel>(&self, kernel: K, tails: &[TailProbe], passed: &mut Vec<usize>) -> bool {
        let sum: usize = tails.iter().map(|probe| probe.tail.len as usize).sum();
        if sum > self.buckets.len / 16 {
            return false;
        }
        for TailProbe { tail, table, origin, signature, most } in tails {
            let lines = &self.buckets.tails[*table][tail.start as usize..];
            pass_near(kernel, lines, 0..tail.len as usize, *signature, *most, *origin, passed);
        }
        true
    }

    /// Compares what passed whole. An entry that passed several times is found once.
    #[inline(always)]
    fn compare<K: Kernel>(&self, kernel: K, mut passed: Passed) -> Vec<Option<Vec<Found>>> {
        for entry in &passed.entries {
            kernel.prefetch(&self.buckets.ids, *entry);
        }
        for entry in &mut passed.entries {
            *entry = self.buckets.ids[*entry] as usize;
            self.first_halves.prefetch(kernel, *entry);
        }
        let mut start = 0;
        let outcomes = self.queries.iter().zip(&passed.ends).map(|(query, end)| {
            let end = (*end)?;
            let found = self.within(query, &passed.entries[start..end]);
            start = end;
            Some(found)
        });
        outcomes.collect()
    }

    #[inline(always)]
    fn within(&self, query: &Row, entries: &[usize]) -> Vec<Found> {
        let (first, second) = split(query);
        let mut found = Vec::new();
        for &index in entries {
            let of_first = distance(&self.first_halves.get(index), &first);
            if of_first > self.most {
                continue;
            }
            let distance = of_first + distance(&split(&self.rows[index]).1, &second);
            if distance <= self.most {
                found.push(Found { distance, index });
            }
        }
        if found.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found
    }
}

/// Differing bits of the signature, at most: one less if the bucket's number differs in one already.
#[inline(always)]
fn most(probe: usize) -> u16 {
    if probe == 0 { QUOTA } else { QUOTA - 1 }
}

/// Whether a signature in the bucket is near, or it has a tail. Slots that are not in use may count, too: this is what
/// runs for every bucket, and it calls nothing, so that all of it stays in registers.
#[inline(always)]
fn may_hold<K: Kernel>(kernel: K, bucket: &[Line], signature: u16, most: u16) -> bool {
    let mut near = kernel.near_signatures(&bucket[0], signature, most) & u32::MAX << HEADER;
    for line in &bucket[1..] {
        near |= kernel.near_signatures(line, signature, most);
    }
    near != 0 || Header::overflows(bucket)
}

/// Passes those of the signatures in the slots `slots` of `lines` that differ from `signature` in at most `most` bits. The
/// first slot's entry is at `origin`.
#[inline(always)]
fn pass_near<K: Kernel>(
    kernel: K,
    lines: &[Line],
    slots: std::ops::Range<usize>,
    signature: u16,
    most: u16,
    origin: usize,
    passed: &mut Vec<usize>,
) {
    for (line, start) in lines.iter().zip((0..slots.end).step_by(SLOTS)) {
        let mut near = kernel.near_signatures(line, signature, most);
        if start == 0 {
            near &= u32::MAX << slots.start;
        }
        if slots.end - start < SLOTS {
            near &= (1 << (slots.end - start)) - 1;
        }
        while near != 0 {
            let slot = near.trailing_zeros() as usize;
            near &= near - 1;
            passed.push(origin + start + slot - slots.start);
        }
    }
}
