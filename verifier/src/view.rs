//! What holders of a list compare to find out whether they were given the same: 32 bytes, or 24 digits that two people can
//! read to each other.

use isonomy_core::hash::{StatementId, sha256};
use isonomy_core::statement::ListName;
use isonomy_core::tree::LeafIndex;

/// 32 bytes that are equal for all holders of this release: SHA-256 of `isonomy-view/v1`, list, version, release id and
/// log index, each with a newline.
pub fn digest(list: &ListName, version: u64, release: &StatementId, index: LeafIndex) -> [u8; 32] {
    let text = format!("isonomy-view/v1\n{list}\n{version}\n{}\n{index}\n", release.to_base64());
    sha256(&[text.as_bytes()])
}

/// The comparison code of a view's digest: its first 16 bytes as a big-endian number, modulo 10^24, as six groups of four
/// digits.
pub fn code(digest: &[u8; 32]) -> String {
    let first = digest.first_chunk::<16>().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    let digits = format!("{:024}", first % 10u128.pow(24));
    let groups = digits.as_bytes().chunks(4).map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::encoding::to_hex;

    #[test]
    fn digest_and_code_are_as_described() {
        let list = ListName::new("hotline.example/images").unwrap();
        let view = digest(&list, 3, &StatementId([7; 32]), LeafIndex(5));
        // printf 'isonomy-view/v1\nhotline.example/images\n3\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n5\n' | sha256sum
        assert_eq!(to_hex(&view), "4c8bdc77527ed2b6bf369e4bacaf75c32bdc3f6da9a348291b11aaccd3a1de83");
        assert_eq!(code(&view), "1804 7267 3454 7080 0261 6771");
        let mut small = [0; 32];
        small[15] = 42;
        assert_eq!(code(&small), "0000 0000 0000 0000 0000 0042");
    }
}
