//! A reader that says where it is, and that no single record may make read for ever.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// The most bytes between two records: nothing larger is ever held.
pub(super) const MAX_RECORD: u64 = 1 << 20;

/// Where a record begins in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// The line, from 1.
    pub(super) line: u64,
    /// The byte, from 0.
    pub(super) byte: u64,
}

impl Default for Place {
    fn default() -> Self {
        Self { line: 1, byte: 0 }
    }
}

/// Where a reader is; shared with whoever parses what it reads.
#[derive(Clone, Default)]
pub(super) struct Position(Rc<Counts>);

#[derive(Default)]
struct Counts {
    at: Cell<Place>,
    begun: Cell<Place>,
    since_record: Cell<u64>,
    /// Where the lines begin that were read since the last record.
    lines: RefCell<Vec<Place>>,
}

impl Position {
    /// What is read next.
    pub(super) fn at(&self) -> Place {
        self.0.at.get()
    }

    /// Says that a record begins with the byte that was read last.
    pub(super) fn begin_record(&self) {
        let at = self.at();
        self.0.begun.set(Place { byte: at.byte.saturating_sub(1), ..at });
    }

    /// Where the record began that was announced last.
    pub(super) fn begun(&self) -> Place {
        self.0.begun.get()
    }

    /// Where a record begins that ends on the last line that was read and has so many lines before that one.
    pub(super) fn lines_back(&self, before: usize) -> Place {
        let lines = self.0.lines.borrow();
        lines.get(lines.len().saturating_sub(1 + before)).copied().unwrap_or(self.begun())
    }

    /// Where the line begins that was read first since the last record.
    pub(super) fn first_line(&self) -> Place {
        self.0.lines.borrow().first().copied().unwrap_or(self.begun())
    }

    /// Whether more was read since the last record than one may have.
    pub(super) fn is_too_far(&self) -> bool {
        self.0.since_record.get() > MAX_RECORD
    }

    /// Says that a record was read to its end.
    pub(super) fn end_record(&self) {
        self.0.since_record.set(0);
        let mut lines = self.0.lines.borrow_mut();
        if let Some(last) = lines.pop() {
            self.0.begun.set(last);
        }
        lines.clear();
    }

    fn advance(&self, bytes: &[u8]) {
        let Place { line, byte } = self.at();
        self.0.at.set(Place { line: line + newlines(bytes) as u64, byte: byte + bytes.len() as u64 });
        self.0.since_record.set(self.0.since_record.get() + bytes.len() as u64);
    }
}

/// Reads on until a record is too large. A read through [`Read`] gives at most one line, so that a parser with a buffer of its own
/// is never ahead of the line that it parses.
pub(super) struct Budgeted<R> {
    inner: R,
    position: Position,
    is_within_line: bool,
}

impl<R: BufRead> Budgeted<R> {
    pub(super) fn new(inner: R) -> (Self, Position) {
        let position = Position::default();
        (Self { inner, position: position.clone(), is_within_line: false }, position)
    }

    fn check(&self) -> io::Result<()> {
        if !self.position.is_too_far() {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, format!("a record is larger than {MAX_RECORD} bytes")))
    }
}

impl<R: BufRead> Read for Budgeted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let there = self.inner.fill_buf()?;
        let there = &there[..there.len().min(buffer.len())];
        let end = there.iter().position(|&byte| byte == b'\n');
        let count = end.map_or(there.len(), |end| end + 1);
        if count == 0 {
            return Ok(0);
        }
        buffer[..count].copy_from_slice(&there[..count]);
        if !self.is_within_line {
            self.position.0.lines.borrow_mut().push(self.position.at());
        }
        self.is_within_line = end.is_none();
        self.position.advance(&buffer[..count]);
        self.inner.consume(count);
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
        if let Ok(there) = self.inner.fill_buf() {
            self.position.advance(&there[..amount.min(there.len())]);
        }
        self.inner.consume(amount);
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}
