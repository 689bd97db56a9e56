//! What holders of a list compare to find out whether they were given the same: 32 bytes for programs, or 48 digits that two
//! people can read to each other.

use isonomy_core::hash::{StatementId, sha256};
use isonomy_core::statement::ListName;
use isonomy_core::tree::LeafIndex;

/// 32 bytes that are equal for all holders of this release: SHA-256 of `isonomy-view/v1`, list, version, release id and
/// log index, each with a newline.
pub fn digest(list: &ListName, version: u64, release: &StatementId, index: LeafIndex) -> [u8; 32] {
    let text = format!("isonomy-view/v1\n{list}\n{version}\n{}\n{index}\n", release.to_base64());
    sha256(&[text.as_bytes()])
}

/// How many groups of four digits a comparison code has.
const GROUPS: usize = 12;

/// The comparison code of a view's digest: the digest as a big-endian number, modulo 10^48, as twelve groups of four
/// digits.
///
/// Whoever signs releases can compose as many texts as they like, and search among them for two of one code. Finding a pair
/// among n codes takes about √n texts, so half as many digits as a reader might think protect: 24 digits fall to 10^12
/// hashes, minutes on one graphics card. 48 digits, 159 bits, take some 2^80 hashes. To copy the code of a release that is
/// there already takes 2^159.
pub fn code(digest: &[u8; 32]) -> String {
    let mut number = *digest;
    let mut groups = [0; GROUPS];
    for group in groups.iter_mut().rev() {
        *group = divide(&mut number);
    }
    groups.map(|group| format!("{group:04}")).join(" ")
}

/// Divides a big-endian number by 10,000 in place, and gives the remainder.
fn divide(number: &mut [u8; 32]) -> u32 {
    number.iter_mut().fold(0, |rest, byte| {
        let part = rest << 8 | u32::from(*byte);
        *byte = (part / 10_000) as u8;
        part % 10_000
    })
}

/// How many digits a comparison code has.
pub const CODE_DIGITS: usize = 4 * GROUPS;

/// How many digits there are in what a person typed.
pub fn digits(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}

/// Whether a person's input is this comparison code, however its digits are grouped.
pub fn is_code(text: &str, digest: &[u8; 32]) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let only = text.chars().all(|letter| letter.is_ascii_digit() || letter.is_whitespace() || letter == '-');
    only && digits(text) == digits(&code(digest))
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
        // python3 -c 'print(int("4c8b…de83", 16) % 10**48)'
        assert_eq!(code(&view), "3661 9483 5801 0165 4753 5973 6472 9689 4792 2569 0566 6179");
        let mut small = [0; 32];
        small[31] = 42;
        assert_eq!(code(&small), ["0000 "; 11].concat() + "0042");
        assert_eq!((digits(&code(&view)), digits("1 2-3x")), (CODE_DIGITS, 3));
        assert!(is_code(&code(&view).replace(' ', ""), &view) && is_code(&code(&view).replace(' ', "-"), &view));
        assert!(!is_code(&code(&small), &view) && !is_code("", &view) && !is_code(&format!("x{}", code(&view)), &view));
    }
}
