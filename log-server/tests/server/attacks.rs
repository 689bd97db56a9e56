//! Requests that no client of ours sends. After each the log serves as before.

use crate::lists::{LIST, auditor, by_all, charter, curator, maintainer, sign};
use crate::world::World;
use crate::{checkpoint, publish, published, refused};
use isonomy_core::hash::ObjectDigest;
use isonomy_core::resource::Resource;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_fetch::{FetchError, Submitted};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default()
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn has(answer: &str, header: &str) -> bool {
    answer.lines().take_while(|line| !line.is_empty()).any(|line| line == header)
}

async fn files_below(folder: std::path::PathBuf) -> usize {
    // What was received is removed when the server notices that nobody sends it any more.
    for _ in 0..100 {
        let count = std::fs::read_dir(&folder).unwrap().count();
        if count == 0 {
            return 0;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    std::fs::read_dir(&folder).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_requests_are_answered_and_change_nothing() {
    let world = World::with_log().await;
    let (publisher, _) = published(&world).await;
    let hex = publisher.objects.keys().next().unwrap().to_hex();
    for (request, expected) in [
        ("GET //checkpoint", 404),
        ("GET /checkpoint/", 404),
        ("GET /checkpoint%00", 404),
        ("GET /./checkpoint", 404),
        ("GET /tile/../checkpoint", 404),
        ("GET /..%2fprivate%2fhead", 404),
        ("GET /.tmp-1-1", 404),
        ("GET /tile/0/.tmp-1-1", 404),
        ("GET /tile/00/000.p/3", 404),
        ("GET /tile/0/x000/000.p/3", 404),
        ("GET /tile/0/000.p/03", 404),
        ("GET /tile/0/000.p/0", 404),
        ("GET /tile/0/000", 404),
        ("GET /tile/63/x999/x999/x999/x999/x999/x999/999", 404),
        (&format!("GET /object/{}", hex.to_uppercase()), 404),
        (&format!("GET /object/%{:02x}{}", hex.as_bytes()[0], &hex[1..]), 404),
        (&format!("GET /object/{}", "0".repeat(64)), 404),
        ("GET *", 404),
        ("GET /check\0point", 400),
        ("HEAD /nothing", 404),
        ("CONNECT elsewhere:443", 405),
        ("OPTIONS *", 405),
        ("DELETE /checkpoint", 405),
        ("PUT /checkpoint", 405),
        ("POST /object/00", 405),
        ("GET /submit", 405),
        ("PUT /object/..%2f..%2fprivate%2fhead", 404),
        ("POST /submit", 400),
        ("POST /submit HTTP/1.1\r\ncontent-length: 99999999999\r\nx: ", 413),
        ("POST /check HTTP/1.1\r\ncontent-length: 99999999999\r\nx: ", 413),
        ("POST /submit HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\nx: ", 400),
        ("POST /submit HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\nx: ", 400),
        (&format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(1 << 20)), 431),
        (&format!("GET / HTTP/1.1{}\r\nx: ", "\r\nx: y".repeat(500)), 431),
    ] {
        let answer = world.raw(request, b"").await;
        assert_eq!(status(&answer), expected, "{:.80} {answer}", request);
    }
    let mut endless = TcpStream::connect(world.address).await.unwrap();
    endless.write_all(b"POST /submit HTTP/1.1\r\nhost: l\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    let chunk = [&b"1000\r\n"[..], &[b'x'; 0x1000], b"\r\n"].concat();
    let sending = async { while endless.write_all(&chunk).await.is_ok() {} };
    let cut_off = tokio::time::timeout(Duration::from_secs(20), sending).await;
    assert!(cut_off.is_ok(), "a body without end is not read for ever");
    assert_eq!(checkpoint(&world).await.checkpoint().size, TreeSize(3));
    let another = by_all(charter("hotline.example/another").to_text().unwrap());
    assert_eq!(publish(&world, &another, &publisher).await.index, LeafIndex(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_changes_is_served_in_parts_and_what_changes_is_not() {
    let world = World::with_log().await;
    let (publisher, _) = published(&world).await;
    let (digest, bytes) = publisher.objects.iter().next().unwrap();
    let object = async |headers: &str| {
        let request = format!("GET /object/{} HTTP/1.1\r\n{headers}\r\nx: ", digest.to_hex());
        world.raw(&request, b"").await
    };
    for (range, expected) in [
        ("bytes=0-3", 206),
        ("bytes=4-", 206),
        ("bytes=-5", 206),
        ("bytes=0-18446744073709551615", 206),
        ("bytes=99999999-", 416),
        ("bytes=9-3", 416),
        ("bytes=0-1,4-5", 200),
        ("bytes=-", 200),
        ("bytes=a-b", 200),
        ("lines=1-2", 200),
    ] {
        let answer = object(&format!("range: {range}")).await;
        assert_eq!(status(&answer), expected, "{range} {answer}");
        if expected == 200 {
            assert!(has(&answer, &format!("content-length: {}", bytes.len())));
        }
    }
    let many = object(&format!("range: bytes=0-0{}", ",0-0".repeat(1000))).await;
    assert_eq!(status(&many), 200);
    assert_eq!(status(&object("range: bytes=0-3\r\nif-range: \"other\"").await), 200);

    for answer in [object("x-nothing: more").await, object("range: bytes=0-3").await] {
        assert_headers_once(&answer);
    }
    assert_eq!(status(&object("if-none-match: \"other\"").await), 200);
    assert_eq!(status(&object("if-match: \"other\"").await), 200);
    let later = "if-modified-since: Fri, 01 Jan 2100 00:00:00 GMT";
    assert_eq!(status(&object(later).await), 304);
    let whole = checkpoint(&world).await.to_string();
    for header in [later, "if-unmodified-since: Sat, 01 Jan 2000 00:00:00 GMT", "range: bytes=0-3"] {
        let answer = world.raw(&format!("GET /checkpoint HTTP/1.1\r\n{header}\r\nx: "), b"").await;
        assert_eq!((status(&answer), body(&answer)), (200, whole.as_str()), "{header}");
    }
}

/// No header says two things, and all answers say of a file the same kinds of things.
fn assert_headers_once(answer: &str) {
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    let names: Vec<String> =
        head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0.to_lowercase())).collect();
    let once: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(once.len(), names.len(), "{head}");
    assert!(!names.iter().any(|name| name == "etag"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn head_and_get_agree_and_types_are_the_specification_s() {
    let world = World::with_log().await;
    let (_, statements) = published(&world).await;
    let (text, bytes) = ("content-type: text/plain; charset=utf-8", "content-type: application/octet-stream");
    let (mutable, immutable) = ("cache-control: no-cache", "cache-control: public, max-age=31536000, immutable");
    let id = statements[0].id();
    for (path, media, cache) in [
        ("checkpoint".to_owned(), text, mutable),
        ("tile/0/000.p/3".to_owned(), bytes, immutable),
        ("tile/0/000.p/1".to_owned(), bytes, immutable),
        ("tile/entries/000.p/3".to_owned(), bytes, immutable),
        (Resource::Statement(id).to_string(), text, immutable),
        (Resource::SeenProof(id).to_string(), text, mutable),
        (format!("list/{LIST}/bundle"), text, mutable),
        ("lists".to_owned(), "content-type: application/json", mutable),
    ] {
        let [get, head] =
            [world.raw(&format!("GET /{path}"), b"").await, world.raw(&format!("HEAD /{path}"), b"").await];
        for answer in [&get, &head] {
            assert!(status(answer) == 200 && has(answer, media) && has(answer, cache), "{path} {answer}");
            assert_headers_once(answer);
        }
        let length = get.lines().find(|line| line.starts_with("content-length: ")).unwrap();
        assert!(has(&head, length) && body(&head).is_empty(), "{head}");
    }
    let missing = world.raw("GET /tile/1/000.p/1", b"").await;
    assert!(status(&missing) == 404 && has(&missing, mutable), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_bundles_are_compressed_for_whoever_takes_it() {
    let world = World::with_log().await;
    published(&world).await;
    let ask = async |path: &str, more: &str| world.raw_with(&format!("GET /{path}"), more, b"").await;
    let bundle = "tile/entries/000.p/3";
    let gzip = "accept-encoding: gzip, identity";
    let answer = ask(bundle, gzip).await;
    assert!(status(&answer) == 200 && has(&answer, "content-encoding: gzip"), "{answer}");
    assert!(has(&answer, "vary: accept-encoding") && has(&answer, "content-type: application/octet-stream"));
    assert!(has(&answer, "cache-control: public, max-age=31536000, immutable"));
    for (path, more) in [
        (bundle, "accept-encoding: identity"),
        (bundle, "x-nothing: more"),
        ("tile/0/000.p/3", gzip),
        (bundle, "accept-encoding: gzip\r\nrange: bytes=0-3"),
    ] {
        let answer = ask(path, more).await;
        assert!(!answer.contains("content-encoding"), "{path} {more} {answer}");
        assert_eq!(has(&answer, "vary: accept-encoding"), path == bundle);
    }
    // The client of this project takes gzip, and what it reads is what lies there.
    let tile = Resource::parse(bundle).unwrap();
    let stored = std::fs::read(world.data().join("public").join(bundle)).unwrap();
    assert_eq!(world.get(&tile).await.unwrap(), stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_of_a_batch_that_was_never_committed_are_not_served() {
    let world = World::with_log().await;
    published(&world).await;
    let folder = world.data().join("public/tile");
    for (left, served) in [("0/000.p/7", "0/000.p/3"), ("entries/000.p/7", "entries/000.p/3")] {
        std::fs::copy(folder.join(served), folder.join(left)).unwrap();
        assert_eq!(status(&world.raw(&format!("GET /tile/{served}"), b"").await), 200);
        assert_eq!(status(&world.raw(&format!("GET /tile/{left}"), b"").await), 404, "caches would keep it for ever");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_aborted_and_simultaneous_uploads_leave_nothing_and_stop_nobody() {
    let world = World::with_log().await;
    let (mut publisher, _) = published(&world).await;
    let release = publisher.release(0..2000);
    let Submitted::Missing(digests) = world.client().submit(&release.to_bytes()).await.unwrap() else { panic!() };
    let digest = *digests.iter().max_by_key(|digest| publisher.objects[digest].len()).unwrap();
    let bytes = publisher.objects[&digest].clone();
    let put = format!("PUT /object/{}", digest.to_hex());
    let incoming = world.data().join("private/incoming");

    let mut wrong = bytes.clone();
    wrong[100] ^= 1;
    assert_eq!(status(&world.raw(&put, &wrong).await), 422);
    assert_eq!(status(&world.raw(&put, &bytes[1..]).await), 400);
    assert_eq!(status(&world.raw(&put, &[&bytes[..], b"x"].concat()).await), 413);
    let chunked = [format!("{:x}\r\n", bytes.len() + 1).as_bytes(), &bytes, b"x\r\n0\r\n\r\n"].concat();
    let head = format!("{put} HTTP/1.1\r\nhost: l\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    let larger = exchange(&world, &[head.as_bytes(), &chunked].concat()).await;
    assert_eq!(status(&larger), 413);
    assert_eq!(files_below(incoming.clone()).await, 0);

    let mut aborted = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let head = format!("{put} HTTP/1.1\r\nhost: l\r\ncontent-length: {}\r\n\r\n", bytes.len());
        stream.write_all(&[head.as_bytes(), &bytes[..1000]].concat()).await.unwrap();
        aborted.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = std::fs::read_dir(&incoming).unwrap().count();
    assert!((1..=4).contains(&begun), "{begun} copies on the disk");
    assert_eq!(status(&world.raw(&put, &bytes).await), 503);
    drop(aborted);
    assert_eq!(files_below(incoming.clone()).await, 0);

    let racing = futures_util::future::join_all((0..16).map(|_| world.raw(&put, &bytes))).await;
    for answer in &racing {
        assert!([201, 204, 503].contains(&status(answer)), "{answer}");
    }
    assert!(racing.iter().any(|answer| status(answer) == 201));
    assert_eq!(publish(&world, &release, &publisher).await.index, LeafIndex(3));
    assert_eq!(world.get(&Resource::Object(digest)).await.unwrap(), bytes);
    assert_eq!(files_below(incoming).await + files_below(world.data().join("private/staged")).await, 0);
    assert_eq!(ObjectDigest::of(&bytes), digest);
}

async fn exchange(world: &World, bytes: &[u8]) -> String {
    use tokio::io::AsyncReadExt;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn leftovers_of_a_killed_server_are_removed_at_the_start() {
    let mut world = World::with_log().await;
    let (publisher, _) = published(&world).await;
    world.stop_log().await.unwrap();
    let data = world.data();
    let left = ["public/.tmp-1-2", "public/tile/0/.tmp-1-3", "public/object/.tmp-1-4", "private/.tmp-1-5"];
    for path in left {
        std::fs::write(data.join(path), b"part").unwrap();
    }
    std::fs::create_dir_all(data.join("private/incoming/7")).unwrap();
    std::fs::write(data.join("private/staged").join("0".repeat(64)), b"nobody waits for it").unwrap();
    world.start_log().await;
    checkpoint(&world).await;
    assert!(left.iter().all(|path| !data.join(path).exists()));
    for folder in ["private/incoming", "private/staged"] {
        assert_eq!(std::fs::read_dir(data.join(folder)).unwrap().count(), 0);
    }
    let another = by_all(charter("hotline.example/another").to_text().unwrap());
    assert_eq!(publish(&world, &another, &publisher).await.index, LeafIndex(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_others_have_signed_is_neither_taken_nor_remembered() {
    let world = World::with_log().await;
    let (mut publisher, _) = published(&world).await;
    let (release, _) = publisher.compose(0..7, |_| ());
    let text = release.to_text().unwrap();
    for keys in [&[curator(0), curator(1)][..], &[auditor(), curator(0), curator(1)], &[maintainer(), curator(0)]] {
        let signed = sign(text.clone(), &keys.iter().collect::<Vec<_>>());
        assert_eq!(refused(world.client().submit(&signed.to_bytes()).await).2, Some(2));
    }
    assert!(world.raw("GET /metrics", b"").await.contains("isonomy_pending_releases 0\n"));
    let digest = release.snapshot.sha256;
    let unwanted = world.client().put_object(&digest, publisher.objects[&digest].clone()).await;
    assert!(matches!(unwanted, Err(FetchError::Refused { status: 404, .. })));
}
