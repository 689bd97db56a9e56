//! A tape: a file of records that are written one after the other and, when none of them is needed any more, from the
//! start again, over the old ones. It costs one synchronisation per record and, once the file has its length, no change
//! of the file system's own records.
//!
//! ```text
//! length of the payload (8 bytes, big-endian) ‖ SHA-256 of the payload ‖ payload
//! ```
//!
//! Reading ends where there is no whole record: at the end of the file, at one that was never finished, or at what is
//! left of older ones that were half written over. *Whole* older records may follow the newest: whoever reads must know
//! old from new by the payload.

use super::{FileError, folder_of, sync_folder};
use crate::os::Handle;
use sha2::{Digest, Sha256};
use std::fs::OpenOptions;
use std::path::Path;

const HEADER: usize = 8 + 32;

/// The most bytes in a record: 64 MiB.
pub const MAX_RECORD: usize = 64 << 20;

/// A tape that is open. One writer at a time: hold the folder's lock.
#[derive(Debug)]
pub struct Tape {
    file: Handle,
    at: u64,
}

impl Tape {
    /// Opens a tape, at its start; makes an empty one if there is none.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let opened = Handle::open(path, OpenOptions::new().read(true).write(true).create(true).truncate(false));
        let file = opened.map_err(|error| FileError::io("open", path, error))?;
        sync_folder(folder_of(path))?;
        Ok(Self { file, at: 0 })
    }

    /// The next record is written, or read, at the start.
    pub fn rewind(&mut self) {
        self.at = 0;
    }

    /// How far it is wound, in bytes.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Writes a record, durably, and gives the payload as it is read back from the file. On error the record may be
    /// there, whole or in part, and the tape must be opened again.
    pub fn write_durable(&mut self, payload: &[u8]) -> Result<Vec<u8>, FileError> {
        let path = self.file.path().to_owned();
        if payload.len() > MAX_RECORD {
            return Err(FileError::TooLarge { path, limit: MAX_RECORD });
        }
        let mut record = Vec::with_capacity(HEADER + payload.len());
        record.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        record.extend_from_slice(&Sha256::digest(payload));
        record.extend_from_slice(payload);
        let written = self.file.seek(self.at).and_then(|()| self.file.write_all(&record));
        written.and_then(|()| self.file.sync_data()).map_err(|error| FileError::io("write", &path, error))?;
        let torn = || FileError::io("read back", &path, std::io::ErrorKind::InvalidData.into());
        self.read()?.ok_or_else(torn)
    }

    /// Reads the next record; `None` if there is no whole one.
    pub fn read(&mut self) -> Result<Option<Vec<u8>>, FileError> {
        let path = self.file.path().to_owned();
        let failed = |error| FileError::io("read", &path, error);
        let rest = self.file.length().map_err(failed)?.saturating_sub(self.at);
        if rest < HEADER as u64 {
            return Ok(None);
        }
        let header = self.file.read_at(self.at, HEADER).map_err(failed)?;
        let Some((length, digest)) = header.split_first_chunk() else { return Ok(None) };
        let length = u64::from_be_bytes(*length);
        if length > MAX_RECORD as u64 || length > rest - HEADER as u64 {
            return Ok(None);
        }
        let payload = self.file.read_at(self.at + HEADER as u64, length as usize).map_err(failed)?;
        if Sha256::digest(&payload)[..] != *digest {
            return Ok(None);
        }
        self.at += HEADER as u64 + length;
        Ok(Some(payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn all(path: &Path) -> Vec<Vec<u8>> {
        let mut tape = Tape::open(path).unwrap();
        std::iter::from_fn(|| tape.read().unwrap()).collect()
    }

    #[test]
    fn records_come_back_and_are_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tape");
        let mut tape = Tape::open(&path).unwrap();
        for record in [&b"one"[..], b"", b"three", b"four"] {
            assert_eq!(tape.write_durable(record).unwrap(), record);
        }
        assert_eq!(all(&path), [&b"one"[..], b"", b"three", b"four"]);
        tape.rewind();
        tape.write_durable(b"ONE").unwrap();
        assert_eq!(all(&path), [&b"ONE"[..], b"", b"three", b"four"], "a reader tells old ones by what they say");
        tape.write_durable(b"long").unwrap();
        assert_eq!(all(&path), [&b"ONE"[..], b"long"]);
        assert!(matches!(tape.write_durable(&vec![0; MAX_RECORD + 1]), Err(FileError::TooLarge { .. })));
    }

    #[test]
    fn whatever_is_cut_off_or_flipped_ends_the_reading_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tape");
        let mut tape = Tape::open(&path).unwrap();
        tape.write_durable(b"first").unwrap();
        let whole = tape.position() as usize;
        tape.write_durable(b"second").unwrap();
        let good = fs::read(&path).unwrap();
        for cut in 0..good.len() {
            fs::write(&path, &good[..cut]).unwrap();
            assert_eq!(all(&path).len(), usize::from(cut >= whole));
            let mut flipped = good.clone();
            flipped[cut] ^= 0x80;
            fs::write(&path, flipped).unwrap();
            assert_eq!(all(&path).len(), usize::from(cut >= whole));
        }
    }
}
