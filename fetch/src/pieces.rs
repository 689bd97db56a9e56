//! Where large resources are put as they come.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;

/// How large a piece is. Large enough that an allocator gives each back to the system when it is freed.
const PIECE: usize = 4 << 20;
/// The size of the first piece: most resources are small.
const FIRST: usize = 64 * 1024;

/// A writer into pieces of memory, of which none is ever moved or copied when more comes.
#[derive(Default)]
pub(crate) struct Pieces(Vec<Vec<u8>>);

impl Pieces {
    pub(crate) fn into_vec(self) -> Vec<Vec<u8>> {
        self.0
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.0.last().is_none_or(|piece| piece.len() == piece.capacity()) {
                self.0.push(Vec::with_capacity(if self.0.is_empty() { FIRST } else { PIECE }));
            }
            let Some(piece) = self.0.last_mut() else { return };
            let (now, later) = bytes.split_at(bytes.len().min(piece.capacity() - piece.len()));
            piece.extend_from_slice(now);
            bytes = later;
        }
    }
}

/// [`Pieces`], and who is told how much came.
pub(crate) struct Heard<'a> {
    pieces: &'a mut Pieces,
    heard: &'a mut (dyn FnMut(u64) + Send),
    bytes: u64,
}

impl<'a> Heard<'a> {
    pub(crate) fn new(pieces: &'a mut Pieces, heard: &'a mut (dyn FnMut(u64) + Send)) -> Self {
        Self { pieces, heard, bytes: 0 }
    }
}

impl AsyncWrite for Heard<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.pieces.push(bytes);
        self.bytes += bytes.len() as u64;
        let so_far = self.bytes;
        (self.heard)(so_far);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_comes_in_pieces_is_the_same_bytes(writes in proptest::collection::vec(0..200_000usize, 0..12)) {
            let mut pieces = Pieces::default();
            let mut expected = Vec::new();
            for (number, size) in writes.into_iter().enumerate() {
                let bytes = vec![number as u8; size];
                pieces.push(&bytes);
                expected.extend(bytes);
            }
            let pieces = pieces.into_vec();
            prop_assert!(pieces.iter().all(|piece| !piece.is_empty()));
            prop_assert_eq!(pieces.concat(), expected);
        }
    }
}
