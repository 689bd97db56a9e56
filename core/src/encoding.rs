//! Base64 (RFC 4648 section 4: standard alphabet, padded, canonical) and lower-case hexadecimal.

use alloc::string::String;
use alloc::vec::Vec;
use base64ct::{Base64, Encoding};

/// Bytes as standard, padded base64.
pub fn to_base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Bytes of standard, padded base64; `None` for anything that [`to_base64`] would not have written.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = Base64::decode_vec(text).ok()?;
    (to_base64(&bytes) == text).then_some(bytes)
}

/// Bytes as lower-case hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes of lower-case hexadecimal; `None` for odd lengths, capitals and anything else.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(nibble(high)? << 4 | nibble(low)?)).collect()
}

/// A number as C2SP writes it: ASCII decimal without leading zeroes; `None` for anything else or beyond 2^63 − 1.
pub fn from_decimal(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    if !plain || !canonical {
        return None;
    }
    text.parse().ok().filter(|&number: &u64| number <= i64::MAX as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_one_form_for_each_value() {
        assert_eq!(to_base64(&[0xfb, 0xff]), "+/8=");
        assert_eq!(from_base64("+/8="), Some(alloc::vec![0xfb, 0xff]));
        for wrong in ["+/8", "-_8=", "+/9=", "+/8=\n", " +/8=", "+/8=="] {
            assert_eq!(from_base64(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn hex_has_one_form_for_each_value() {
        assert_eq!(to_hex(&[0x0f, 0xa0]), "0fa0");
        assert_eq!(from_hex("0fa0"), Some(alloc::vec![0x0f, 0xa0]));
        for wrong in ["0FA0", "0fa", "0x", "é"] {
            assert_eq!(from_hex(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn decimals_have_no_leading_zero_sign_or_overflow() {
        assert_eq!(from_decimal("0"), Some(0));
        assert_eq!(from_decimal("9223372036854775807"), Some(i64::MAX as u64));
        for wrong in ["", "00", "01", "+1", "-1", "1 ", "9223372036854775808", "99999999999999999999", "１"] {
            assert_eq!(from_decimal(wrong), None, "{wrong:?}");
        }
    }
}
