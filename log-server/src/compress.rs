//! Entry bundles under gzip, as C2SP tlog-tiles recommends: statements are text and shrink to a fraction.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use isonomy_core::tile::{MAX_ENTRY_SIZE, TILE_WIDTH};
use std::io::Write;

/// No bundle is larger.
const MAX_BUNDLE: usize = TILE_WIDTH as usize * (2 + MAX_ENTRY_SIZE);
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

/// The same answer under gzip, if it is a whole file and gets smaller. Its validators and ranges are those of the bytes that
/// were not compressed, so they go.
pub(crate) async fn gzip(response: Response) -> Response {
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, MAX_BUNDLE).await else {
        return Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR).body(Body::empty()).unwrap_or_default();
    };
    let plain = bytes.clone();
    let compressed = tokio::task::spawn_blocking(move || compress(&plain)).await.ok().flatten();
    let Some(compressed) = compressed else { return Response::from_parts(head, Body::from(bytes)) };
    for name in [header::ETAG, header::LAST_MODIFIED, header::ACCEPT_RANGES] {
        head.headers.remove(name);
    }
    head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(compressed.len()));
    Response::from_parts(head, Body::from(compressed))
}

fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
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

    #[tokio::test]
    async fn what_does_not_get_smaller_is_sent_as_it_is() {
        let answer = |body: Vec<u8>| Response::builder().header(header::ETAG, "\"1\"").body(Body::from(body)).unwrap();
        let noise: Vec<u8> =
            (0u32..100).flat_map(|number| isonomy_core::hash::sha256(&[&number.to_be_bytes()])).collect();
        for (body, is_smaller) in [(vec![b'a'; 100], false), (noise, false), (vec![b'a'; 2000], true)] {
            let answered = gzip(answer(body.clone())).await;
            assert_eq!(answered.headers().contains_key(header::CONTENT_ENCODING), is_smaller);
            assert_eq!(answered.headers().contains_key(header::ETAG), !is_smaller);
            let sent = axum::body::to_bytes(answered.into_body(), MAX_BUNDLE).await.unwrap();
            assert_eq!(sent == body, !is_smaller);
        }
    }
}
