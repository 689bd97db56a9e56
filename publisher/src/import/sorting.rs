//! Sorting more than fits into memory: full buffers go, sorted, to temporary files, which are merged in the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

/// What is sorted, and its bytes in a temporary file.
pub(super) trait Item: Ord + Copy {
    /// How many bytes it takes.
    const SIZE: usize;
    fn write(&self, bytes: &mut Vec<u8>);
    fn read(bytes: &[u8]) -> Self;
}

/// Takes items in any order.
pub(super) struct Sorter<T> {
    buffer: Vec<T>,
    capacity: usize,
    runs: Vec<File>,
}

impl<T: Item> Sorter<T> {
    /// A sorter that keeps at most `capacity` items in memory.
    pub(super) fn new(capacity: usize) -> Self {
        Self { buffer: Vec::new(), capacity: capacity.max(1), runs: Vec::new() }
    }

    pub(super) fn push(&mut self, item: T) -> io::Result<()> {
        if self.buffer.len() == self.capacity {
            self.spill()?;
        }
        self.buffer.push(item);
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.buffer.sort_unstable();
        let mut writer = BufWriter::new(tempfile::tempfile()?);
        let mut bytes = Vec::with_capacity(T::SIZE);
        for item in self.buffer.drain(..) {
            bytes.clear();
            item.write(&mut bytes);
            writer.write_all(&bytes)?;
        }
        let mut run = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        run.rewind()?;
        self.runs.push(run);
        Ok(())
    }

    /// The items in ascending order, repetitions too.
    pub(super) fn finish(mut self) -> io::Result<Sorted<T>> {
        self.buffer.sort_unstable();
        let mut sorted = Sorted {
            memory: self.buffer.into_iter(),
            runs: self.runs.into_iter().map(BufReader::new).collect(),
            next: BinaryHeap::new(),
        };
        for source in 0..=sorted.runs.len() {
            sorted.refill(source)?;
        }
        Ok(sorted)
    }
}

/// Gives items in ascending order.
pub(super) struct Sorted<T> {
    memory: std::vec::IntoIter<T>,
    runs: Vec<BufReader<File>>,
    /// The least item of each source that has one left: of a run by its number, and of memory after the last run.
    next: BinaryHeap<Reverse<(T, usize)>>,
}

impl<T: Item> Sorted<T> {
    fn refill(&mut self, source: usize) -> io::Result<()> {
        let item = match self.runs.get_mut(source) {
            Some(run) => read_item(run)?,
            None => self.memory.next(),
        };
        self.next.extend(item.map(|item| Reverse((item, source))));
        Ok(())
    }

    /// The next item; `None` after the last one.
    pub(super) fn next(&mut self) -> io::Result<Option<T>> {
        let Some(Reverse((item, source))) = self.next.pop() else { return Ok(None) };
        self.refill(source)?;
        Ok(Some(item))
    }
}

fn read_item<T: Item>(run: &mut BufReader<File>) -> io::Result<Option<T>> {
    let mut bytes = Vec::with_capacity(T::SIZE);
    run.take(T::SIZE as u64).read_to_end(&mut bytes)?;
    match bytes.len() {
        0 => Ok(None),
        len if len == T::SIZE => Ok(Some(T::read(&bytes))),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Item for u32 {
        const SIZE: usize = 4;
        fn write(&self, bytes: &mut Vec<u8>) {
            bytes.extend_from_slice(&self.to_be_bytes());
        }
        fn read(bytes: &[u8]) -> Self {
            bytes.try_into().map_or(0, u32::from_be_bytes)
        }
    }

    proptest! {
        #[test]
        fn any_capacity_sorts_as_a_slice_does(items in proptest::collection::vec(0u32..50, 0..60), capacity in 0usize..70) {
            let mut sorter = Sorter::new(capacity);
            for item in &items {
                sorter.push(*item).unwrap();
            }
            let mut sorted = sorter.finish().unwrap();
            let mut found = Vec::new();
            while let Some(item) = sorted.next().unwrap() {
                found.push(item);
            }
            let mut expected = items;
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
