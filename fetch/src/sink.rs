//! Where fetched bytes go, and the one place that counts them.

use crate::error::FetchError;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// A writer that takes no more than a number of bytes.
pub(crate) struct Sink<'a, W> {
    writer: &'a mut W,
    location: &'a str,
    limit: u64,
    written: u64,
}

impl<'a, W: AsyncWrite + Unpin> Sink<'a, W> {
    /// At most `limit` bytes of `location` go to `writer`.
    pub(crate) fn new(writer: &'a mut W, location: &'a str, limit: u64) -> Self {
        Self { writer, location, limit, written: 0 }
    }

    /// Fails if something of this size can't fit.
    pub(crate) fn expect(&self, size: u64) -> Result<(), FetchError> {
        if size <= self.limit - self.written { Ok(()) } else { Err(self.too_large()) }
    }

    /// Writes one piece.
    pub(crate) async fn push(&mut self, piece: &[u8]) -> Result<(), FetchError> {
        let size = piece.len() as u64;
        self.expect(size)?;
        self.writer.write_all(piece).await.map_err(|error| self.write_error(&error))?;
        self.written += size;
        Ok(())
    }

    /// How many bytes were written so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Ends the writing, and gives the number of bytes.
    pub(crate) async fn finish(self) -> Result<u64, FetchError> {
        self.writer.flush().await.map_err(|error| self.write_error(&error))?;
        Ok(self.written)
    }

    fn too_large(&self) -> FetchError {
        FetchError::TooLarge { location: self.location.to_owned(), limit: self.limit }
    }

    fn write_error(&self, error: &std::io::Error) -> FetchError {
        FetchError::Write { location: self.location.to_owned(), reason: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn not_one_byte_more_than_the_limit_is_written() {
        let mut written = Vec::new();
        let mut sink = Sink::new(&mut written, "object", 5);
        assert_eq!(sink.expect(5), Ok(()));
        sink.push(b"abc").await.unwrap();
        let too_large = FetchError::TooLarge { location: "object".into(), limit: 5 };
        assert_eq!(sink.expect(3), Err(too_large.clone()));
        assert_eq!(sink.push(b"def").await, Err(too_large));
        sink.push(b"de").await.unwrap();
        assert_eq!(sink.finish().await, Ok(5));
        assert_eq!(written, b"abcde");
    }
}
