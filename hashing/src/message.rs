//! Messages of one length, padded for SHA-256 beforehand: only their content changes from one to the next.

/// A block of SHA-256.
pub(crate) type Block = [u8; 64];

/// A message of `BLOCKS` blocks whose first byte is `prefix`, and whose other `content` bytes are still to be filled in.
///
/// `1 + content` must leave room for the nine bytes or more of padding: at most `64 · BLOCKS − 10`.
pub(crate) fn padded<const BLOCKS: usize>(prefix: u8, content: usize) -> [Block; BLOCKS] {
    let mut blocks = [[0; 64]; BLOCKS];
    let bytes = blocks.as_flattened_mut();
    let bits = 8 * (1 + content as u64);
    bytes[0] = prefix;
    bytes[1 + content] = 0x80;
    let end = bytes.len();
    bytes[end - 8..].copy_from_slice(&bits.to_be_bytes());
    blocks
}

/// How many blocks a message takes that is a prefix of one byte and `content` bytes.
pub(crate) const fn block_count(content: usize) -> usize {
    (1 + content + 9).div_ceil(64)
}
