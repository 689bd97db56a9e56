//! Reading from servers, most of them hostile.

use crate::script::{QUICK, Script, Step, open_head, response};
use isonomy_core::resource::Resource;
use isonomy_core::tile::{TilePath, encode_entries};
use isonomy_fetch::{FetchError, HttpLimits, Source};
use std::time::{Duration, Instant};

const LIMIT: u64 = 10_000;

/// Gzip of `hello, hello, hello\n`.
const HELLO_GZIP: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 215, 81, 200, 64, 162, 184, 0, 231, 66, 110, 82, 20, 0, 0,
    0,
];

async fn read_with(server: &Script, limits: HttpLimits) -> Result<Vec<u8>, FetchError> {
    let source = Source::with_limits(&server.url, limits).unwrap();
    // In a task of its own, as servers do it: the future can be sent between threads.
    tokio::spawn(async move { source.get(&Resource::Checkpoint, LIMIT).await }).await.unwrap()
}

async fn read(server: &Script) -> Result<Vec<u8>, FetchError> {
    read_with(server, HttpLimits::default()).await
}

fn too_large(server: &Script) -> FetchError {
    FetchError::TooLarge { location: format!("{}/checkpoint", server.url), limit: LIMIT }
}

#[tokio::test]
async fn what_the_server_sends_is_what_is_read() {
    for size in [0, 1, LIMIT] {
        let body = vec![b'a'; size as usize];
        let server = Script::answering("200 OK", "", &body).await;
        assert_eq!(read(&server).await, Ok(body));
    }
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let server = Script::always(vec![Step::Send(chunked.to_vec())]).await;
    assert_eq!(read(&server).await, Ok(b"abcde".to_vec()));
}

#[tokio::test]
async fn the_path_is_the_resource_s_below_the_base() {
    let server = Script::answering("200 OK", "", b"").await;
    for base in [format!("{}/a/b", server.url), format!("{}/a/b/", server.url)] {
        let tile = Resource::parse("tile/entries/x001/234.p/5").unwrap();
        Source::parse(&base).unwrap().get(&tile, LIMIT).await.unwrap();
    }
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.starts_with("GET /a/b/tile/entries/x001/234.p/5 HTTP/1.1\r\n")));
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn a_request_tells_nobody_apart_and_nothing_is_remembered() {
    let headers = "set-cookie: id=1; Path=/\r\netag: \"mine\"\r\nlast-modified: Sat, 01 Jan 2022 00:00:00 GMT\r\n";
    let server = Script::answering("200 OK", headers, b"abc").await;
    let source = Source::parse(&server.url).unwrap();
    for _ in 0..2 {
        assert_eq!(source.get(&Resource::Checkpoint, LIMIT).await, Ok(b"abc".to_vec()));
    }
    let host = server.url.strip_prefix("http://").unwrap();
    let mut lines: Vec<_> = server.requests()[0].lines().map(str::to_owned).collect();
    lines.sort();
    let expected = ["", "GET /checkpoint HTTP/1.1", "accept-encoding: gzip", "accept: */*"];
    let expected = expected.map(str::to_owned).into_iter();
    assert_eq!(lines, expected.chain([format!("host: {host}"), "user-agent: isonomy".into()]).collect::<Vec<_>>());
    assert_eq!(server.requests()[0], server.requests()[1]);
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let body = Step::Repeat(vec![b'a'; 4096], Duration::ZERO);
    let server = Script::always(vec![open_head(), body]).await;
    assert_eq!(read(&server).await, Err(too_large(&server)));
}

#[tokio::test]
async fn a_body_announced_too_large_is_not_waited_for() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", LIMIT + 1);
    let server = Script::always(vec![Step::Send(head.into_bytes()), Step::Hang]).await;
    assert_eq!(read(&server).await, Err(too_large(&server)));
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_no_body() {
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec();
    let unfinished = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n".to_vec();
    for answer in [short, unfinished] {
        let server = Script::always(vec![Step::Send(answer)]).await;
        let error = read(&server).await.unwrap_err();
        assert!(matches!(error, FetchError::Interrupted { .. }), "{error}");
        assert!(error.is_temporary());
    }
}

#[tokio::test]
async fn two_contradicting_lengths_are_refused() {
    let server = Script::answering("200 OK", "content-length: 2\r\n", b"abc").await;
    assert!(matches!(read(&server).await, Err(FetchError::Unreachable { .. })));
}

#[tokio::test]
async fn an_endless_head_is_cut_off() {
    let head = Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec());
    let more = Step::Repeat([b"a: ", &[b'b'; 4000][..], b"\r\n"].concat(), Duration::ZERO);
    let server = Script::always(vec![head, more]).await;
    assert!(matches!(read(&server).await, Err(FetchError::Unreachable { .. })));
}

#[tokio::test]
async fn a_silent_server_is_left() {
    let server = Script::always(vec![Step::Hang]).await;
    let error = read_with(&server, QUICK).await.unwrap_err();
    assert!(matches!(error, FetchError::TooSlow { waited: "it does not begin to answer", .. }), "{error}");
}

#[tokio::test]
async fn a_body_that_stops_is_left() {
    let server = Script::always(vec![open_head(), Step::Send(b"abc".to_vec()), Step::Hang]).await;
    assert!(matches!(read_with(&server, QUICK).await, Err(FetchError::TooSlow { .. })));
}

#[tokio::test]
async fn a_body_that_drips_is_left_though_it_never_stops() {
    let drip = Step::Repeat(vec![b'a'], Duration::from_millis(20));
    let server = Script::always(vec![open_head(), drip]).await;
    let begun = Instant::now();
    assert!(matches!(read_with(&server, QUICK).await, Err(FetchError::TooSlow { .. })));
    assert!(begun.elapsed() < QUICK.total);
}

#[tokio::test]
async fn without_a_minimum_rate_the_whole_time_is_limited_still() {
    let drip = Step::Repeat(vec![b'a'], Duration::from_millis(20));
    let server = Script::always(vec![open_head(), drip]).await;
    let limits = HttpLimits { minimum_rate: 0, total: Duration::from_millis(900), ..QUICK };
    let begun = Instant::now();
    assert!(matches!(read_with(&server, limits).await, Err(FetchError::TooSlow { .. })));
    assert!(begun.elapsed() >= limits.total);
}

#[tokio::test]
async fn a_slow_body_that_keeps_the_rate_is_read() {
    let piece = [Step::Send(vec![b'a'; 500]), Step::Wait(Duration::from_millis(300))];
    let server = Script::always([open_head()].into_iter().chain(piece.into_iter().cycle().take(10)).collect()).await;
    let limits = HttpLimits { idle: Duration::from_secs(1), ..QUICK };
    let begun = Instant::now();
    assert_eq!(read_with(&server, limits).await, Ok(vec![b'a'; 2500]));
    assert!(begun.elapsed() > limits.idle);
}

#[tokio::test]
async fn who_reads_much_waits_as_a_server_says_and_not_for_ever() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Script::start(move |_| {
        let status = match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => "429 Too Many Requests",
            1 => "503 Service Unavailable",
            _ => "200 OK",
        };
        vec![response(status, "retry-after: 1\r\n", b"abc")]
    })
    .await;
    let limits = HttpLimits { put_off: Duration::from_secs(60), ..HttpLimits::default() };
    let begun = Instant::now();
    assert_eq!(read_with(&server, limits).await, Ok(b"abc".to_vec()));
    assert!(begun.elapsed() >= Duration::from_secs(2));
    let server = Script::answering("429 Too Many Requests", "retry-after: 3000\r\n", b"").await;
    let limits = HttpLimits { put_off: Duration::from_millis(300), ..HttpLimits::default() };
    let refused = read_with(&server, limits).await;
    assert!(matches!(refused, Err(FetchError::Status { status: 429, .. })), "{refused:?}");
    assert_eq!(server.requests().len(), 2, "after the time that it may wait in all it asks once more");
    assert!(matches!(read(&server).await, Err(FetchError::Status { .. })), "usually it doesn't wait");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn redirects_are_named_and_not_followed() {
    let elsewhere = Script::answering("200 OK", "", b"planted").await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let to = format!("{}/checkpoint", elsewhere.url);
        let server = Script::answering(status, &format!("location: {to}\r\n"), b"").await;
        let location = format!("{}/checkpoint", server.url);
        assert_eq!(read(&server).await, Err(FetchError::Redirect { location, to }));
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_told_from_what_fails() {
    for (status, missing) in [
        ("404 Not Found", true),
        ("410 Gone", true),
        ("206 Partial Content", false),
        ("204 No Content", false),
        ("403 Forbidden", false),
        ("304 Not Modified", false),
        ("500 Internal Server Error", false),
    ] {
        let server = Script::answering(status, "", b"").await;
        let location = format!("{}/checkpoint", server.url);
        let expected = match missing {
            true => FetchError::NotFound { location },
            false => FetchError::Status { location, status: status[..3].parse().unwrap(), retry_after: None },
        };
        assert_eq!(read(&server).await, Err(expected));
    }
}

#[tokio::test]
async fn compressed_answers_are_read() {
    let server = Script::answering("200 OK", "content-encoding: gzip\r\n", HELLO_GZIP).await;
    assert_eq!(read(&server).await, Ok(b"hello, hello, hello\n".to_vec()));
    let cut = &HELLO_GZIP[..HELLO_GZIP.len() - 9];
    let server = Script::answering("200 OK", "content-encoding: gzip\r\n", cut).await;
    assert!(matches!(read(&server).await, Err(FetchError::Interrupted { .. })));
}

#[tokio::test]
async fn the_limit_counts_what_comes_out_of_compression() {
    let bomb = gzip_of_zeros(100_000_000);
    assert!(bomb.len() < 1_000_000);
    let server = Script::answering("200 OK", "content-encoding: gzip\r\n", &bomb).await;
    assert_eq!(read(&server).await, Err(too_large(&server)));
}

#[tokio::test]
async fn nobody_there_and_no_tls_are_unreachable() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let plain = Script::answering("200 OK", "", b"abc").await;
    for url in [format!("http://{free}"), plain.url.replace("http:", "https:")] {
        let source = Source::parse(&url).unwrap();
        let error = source.get(&Resource::Checkpoint, LIMIT).await.unwrap_err();
        assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
        assert!(error.to_string().starts_with(&format!("can't reach {url}/checkpoint: ")), "{error}");
    }
}

#[tokio::test]
async fn a_dropped_partial_tile_is_taken_from_the_full_one() {
    let hashes: Vec<u8> = (0..=255).flat_map(|n| [n; 32]).collect();
    let entries: Vec<Vec<u8>> = (0..=255).map(|n| vec![n; usize::from(n)]).collect();
    let bundle = encode_entries(&entries).unwrap();
    let expected = [("tile/0/000.p/5", hashes[..5 * 32].to_vec()), ("tile/entries/000.p/3", bundle[..9].to_vec())];
    let server = Script::start(move |path| match path {
        "/tile/0/000" => vec![response("200 OK", "", &hashes)],
        "/tile/entries/000" => vec![response("200 OK", "", &bundle)],
        "/tile/1/000" => vec![response("200 OK", "", b"abc")],
        _ => vec![response("404 Not Found", "", b"")],
    })
    .await;
    let source = Source::parse(&server.url).unwrap();
    let get = async |path: &str| {
        let tile = TilePath::parse(path).unwrap();
        source.get(&Resource::Tile(tile), tile.max_bytes() as u64).await
    };
    for (path, bytes) in expected {
        assert_eq!(get(path).await, Ok(bytes), "{path}");
    }
    assert!(matches!(get("tile/1/000.p/2").await, Err(FetchError::Malformed { .. })));
    let location = format!("{}/tile/2/000.p/1", server.url);
    assert_eq!(get("tile/2/000.p/1").await, Err(FetchError::NotFound { location }));
    let small = source.get(&Resource::parse("tile/0/000.p/5").unwrap(), 159).await;
    assert!(matches!(small, Err(FetchError::TooLarge { limit: 159, .. })));
}

#[tokio::test]
async fn an_object_can_be_written_as_it_comes() {
    let server = Script::answering("200 OK", "", &[7; 100_000]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("object");
    let mut file = tokio::fs::File::create(&path).await.unwrap();
    let object = Resource::parse(&["object/", &"ab".repeat(32)].concat()).unwrap();
    let source = Source::parse(&server.url).unwrap();
    assert_eq!(source.copy_to(&object, 100_000, &mut file).await, Ok(100_000));
    assert_eq!(std::fs::read(&path).unwrap(), [7; 100_000]);
    let mut read_only = tokio::fs::File::open(&path).await.unwrap();
    let error = source.copy_to(&object, 100_000, &mut read_only).await.unwrap_err();
    assert!(matches!(error, FetchError::Write { .. }), "{error}");
}

#[test]
fn what_is_neither_server_nor_folder_is_refused() {
    for text in ["", "ftp://log.example/", "file:///mirror", "http://user:word@log.example/", "https://log.example/?a"]
    {
        let error = Source::parse(text).unwrap_err();
        assert!(matches!(error, FetchError::Address { .. }), "{text}");
    }
    assert_eq!(Source::parse("https://log.example").unwrap().to_string(), "https://log.example/");
    assert_eq!(Source::parse("mirrors/log.example").unwrap().to_string(), "mirrors/log.example");
}

/// Gzip of a multiple of 258 zeros, just above `size`: after the first, each 258 take 13 bits, which say "the byte
/// before this, 258 times" in the fixed code of RFC 1951.
fn gzip_of_zeros(size: usize) -> Vec<u8> {
    let repeats = size / 258;
    let mut bits = BitWriter::default();
    bits.push(0b011, 3); // last block, fixed code
    bits.push(0b0000_1100, 8); // the literal 0: 00110000, from its first bit on
    for _ in 0..repeats {
        bits.push(0b1010_0011, 8); // length 258: 11000101, from its first bit on
        bits.push(0, 5); // distance 1
    }
    bits.push(0, 7); // end of block
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255][..], &bits.bytes, &[0; 8]].concat()
}

#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    used: usize,
}

impl BitWriter {
    fn push(&mut self, value: u32, count: usize) {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (self.used % 8);
            self.used += 1;
        }
    }
}
