//! A reader that says where it is, and that no single record may make read for ever.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// The most bytes between two records: nothing larger is ever held.
pub(super) const MAX_RECORD: u64 = 1 << 20;

/// Where a reader is; shared with whoever parses what it reads.
#[derive(Clone, Default)]
pub(super) struct Position(Rc<Counts>);

#[derive(Default)]
struct Counts {
    line: Cell<u64>,
    since_record: Cell<u64>,
}

impl Position {
    /// The number of the line, from 1.
    pub(super) fn line(&self) -> u64 {
        self.0.line.get() + 1
    }

    /// Says that a record was read to its end.
    pub(super) fn end_record(&self) {
        self.0.since_record.set(0);
    }
}

/// Reads on until a record is too large.
pub(super) struct Budgeted<R> {
    inner: R,
    position: Position,
}

impl<R: BufRead> Budgeted<R> {
    pub(super) fn new(inner: R) -> (Self, Position) {
        let position = Position::default();
        (Self { inner, position: position.clone() }, position)
    }

    fn count(&self, lines: usize, bytes: usize) {
        let Counts { line, since_record } = &*self.position.0;
        line.set(line.get() + lines as u64);
        since_record.set(since_record.get() + bytes as u64);
    }

    fn check(&self) -> io::Result<()> {
        if self.position.0.since_record.get() <= MAX_RECORD {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, format!("a record is larger than {MAX_RECORD} bytes")))
    }
}

impl<R: BufRead> Read for Budgeted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let count = self.inner.read(buffer)?;
        self.count(newlines(&buffer[..count]), count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Budgeted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is consumed is buffered, so this reads nothing.
        let lines = self.inner.fill_buf().map_or(0, |buffer| newlines(&buffer[..amount.min(buffer.len())]));
        self.count(lines, amount);
        self.inner.consume(amount);
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}
