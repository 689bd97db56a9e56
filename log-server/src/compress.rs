//! Entry bundles under gzip, as C2SP tlog-tiles recommends: statements are text and shrink to a fraction.

use axum::http::{HeaderMap, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// Below this, nothing is saved.
const WORTH: usize = 1024;

/// Whether who sends these headers takes gzip, by name.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = values.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = quality.split_once('=').is_some_and(|(_, q)| q.trim().parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

/// The same bytes under gzip, if that is worth it.
pub(crate) fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < WORTH {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().filter(|compressed| compressed.len() < bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(values: &[&str]) -> bool {
        let header = |value: &&str| (header::ACCEPT_ENCODING, value.parse().unwrap());
        takes_gzip(&values.iter().map(header).collect())
    }

    #[test]
    fn gzip_is_sent_to_whoever_names_it() {
        for yes in [&["gzip"][..], &["br, GZIP;q=0.5"], &["identity", "gzip"], &["gzip ; q=1"]] {
            assert!(takes(yes), "{yes:?}");
        }
        for no in [&[][..], &["*"], &["gzip;q=0"], &["gzip; q=0.0"], &["identity"], &["x-gzip"]] {
            assert!(!takes(no), "{no:?}");
        }
    }

    #[test]
    fn what_does_not_get_smaller_is_sent_as_it_is() {
        let noise: Vec<u8> =
            (0u32..100).flat_map(|number| isonomy_core::hash::sha256(&[&number.to_be_bytes()])).collect();
        for (body, is_smaller) in [(vec![b'a'; 100], false), (noise, false), (vec![b'a'; 2000], true)] {
            assert_eq!(compress(&body).is_some_and(|compressed| compressed.len() < body.len()), is_smaller);
        }
    }
}
