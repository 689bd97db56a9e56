//! All that was refused, as a table: `file,record,line,byte,field,reason`. It streams, however much there is of it.

use super::RefusedRecord;
use isonomy_store::files::{FileError, Incoming};
use std::path::Path;

/// How much of the table waits in memory.
const BUFFER: usize = 64 << 10;

/// A table of refused records, under a temporary name; gone if it is dropped before it gets its own.
pub struct RefusalTable {
    out: Incoming,
    rows: csv::Writer<Vec<u8>>,
}

impl RefusalTable {
    /// Begins a table that will be in this folder.
    pub fn begin(folder: &Path) -> Result<Self, FileError> {
        let mut table = Self { out: Incoming::begin(folder)?, rows: csv::Writer::from_writer(Vec::new()) };
        table.put(["file", "record", "line", "byte", "field", "reason"])?;
        Ok(table)
    }

    /// Adds a record of this file.
    pub fn add(&mut self, file: &str, refused: &RefusedRecord) -> Result<(), FileError> {
        let RefusedRecord { record, line, byte, field, reason } = refused;
        let [record, line, byte] = [record, line, byte].map(u64::to_string);
        self.put([file, &record, &line, &byte, field, reason])
    }

    fn put(&mut self, row: [&str; 6]) -> Result<(), FileError> {
        // Memory takes every row.
        let _ = self.rows.write_record(row);
        if self.rows.get_ref().len() >= BUFFER { self.write_out() } else { Ok(()) }
    }

    fn write_out(&mut self) -> Result<(), FileError> {
        let rows = std::mem::replace(&mut self.rows, csv::Writer::from_writer(Vec::new()));
        self.out.write(&rows.into_inner().unwrap_or_default())
    }

    /// Makes the table durable under this name: [`FileError::Exists`] if there is a file already.
    pub fn finish_as(mut self, path: &Path) -> Result<(), FileError> {
        self.write_out()?;
        self.out.finish_as(path)
    }

    /// Makes the table durable under this name, in place of what is there.
    pub fn replace(mut self, path: &Path) -> Result<(), FileError> {
        self.write_out()?;
        self.out.replace(path)
    }
}
