use super::*;
use axum::http::StatusCode;
use axum::routing::{get, post};
use std::net::SocketAddr;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// More than sockets buffer on both sides.
const LARGE: usize = 64 << 20;
const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: s\r\nconnection: close\r\n\r\n";
const GET_LARGE: &[u8] = b"GET /large HTTP/1.1\r\nhost: s\r\n\r\n";

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(limits: Limits) -> Self {
        Self::start_with(Settings { limits, ..Settings::new(Rates::UNLIMITED) }).await
    }

    async fn start_with(settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/large", get(|| async { vec![0; LARGE] }))
            .route("/refuse", post(|| async { (StatusCode::PAYLOAD_TOO_LARGE, "too large") }))
            .route("/echo", post(|body: String| async { body }));
        let (stop, stopped) = oneshot::channel::<()>();
        let shelf: Shelf = Arc::new(|path, headers| {
            let is_here = path == "/shelf" && !headers.contains_key("x-other");
            is_here.then(|| Response::new(Bytes::from_static(b"from the shelf")))
        });
        let app = App::with_shelf(router, shelf);
        let task = tokio::spawn(serve_with(listener, app, settings, async { drop(stopped.await) }));
        Self { address, stop, task }
    }

    async fn connect(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    async fn exchange(&self, bytes: &[u8]) -> Vec<u8> {
        read(self.connect(bytes).await).await
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

async fn read(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

fn short() -> Duration {
    Duration::from_millis(300)
}

#[tokio::test]
async fn whoever_sends_headers_slowly_or_nothing_is_cut_off() {
    let server = Running::start(Limits { headers: short(), ..Limits::default() }).await;
    for start in [&b""[..], b"GET / HTTP/1.1\r\nhost: s\r\n", b"GET / HTTP/1.1\r\nhost: s\r\n\r\n"] {
        let asked = Instant::now();
        server.exchange(start).await;
        assert!(asked.elapsed() < Duration::from_secs(20), "{start:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn whoever_does_not_take_the_answer_is_cut_off_and_whoever_is_slow_is_not() {
    let limits = Limits { connections: 1, drain: Duration::from_millis(600), ..Limits::default() };
    let server = Running::start(limits).await;
    let stuck = server.connect(GET_LARGE).await;
    assert!(server.exchange(GET).await.ends_with(b"here"), "its turn has come");
    assert!(read(stuck).await.len() < LARGE);

    let mut slow = server.connect(GET_LARGE).await;
    let (mut piece, mut size) = (vec![0; 4 << 20], 0);
    while size < LARGE {
        tokio::time::sleep(Duration::from_millis(60)).await;
        let read = slow.read(&mut piece).await.unwrap();
        assert_ne!(read, 0, "cut off after {size} bytes");
        size += read;
    }
    drop(slow);
    server.stop().await;
}

/// Sends a request whose body is not wanted, and reads only when all of it is sent, or can't be.
async fn upload(server: &Running, size: usize) -> (Result<(), std::io::Error>, Vec<u8>) {
    let head = format!("POST /refuse HTTP/1.1\r\nhost: s\r\ncontent-length: {size}\r\n\r\n");
    let mut stream = server.connect(head.as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(50)).await; // the answer is on its way, the body is not
    let sent = stream.write_all(&vec![b'x'; size]).await;
    (sent, read(stream).await)
}

#[tokio::test]
async fn whoever_sends_what_is_not_wanted_can_still_read_why() {
    let server = Running::start(Limits::default()).await;
    for size in [70_000, 8 << 20] {
        let (sent, answer) = upload(&server, size).await;
        assert!(sent.is_ok(), "{size}: {sent:?}");
        assert!(answer.starts_with(b"HTTP/1.1 413 ") && answer.ends_with(b"too large"), "{size}: {answer:?}");
        let head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        assert!(head.contains("\r\nconnection: close\r\n"), "{head}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_connection_goes_on_after_a_body_that_was_read_and_after_none() {
    let server = Running::start(Limits::default()).await;
    let chunked = "POST /echo HTTP/1.1\r\nhost: s\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let sized = "POST /echo HTTP/1.1\r\nhost: s\r\ncontent-length: 2\r\n\r\nok";
    let empty = "POST /echo HTTP/1.1\r\nhost: s\r\ncontent-length: 0\r\n\r\n";
    let all = [chunked, sized, empty, &String::from_utf8_lossy(GET)].concat();
    let answer = String::from_utf8(server.exchange(all.as_bytes()).await).unwrap();
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 4, "{answer}");
    assert_eq!(answer.matches("connection: close").count(), 1, "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_wanted_is_taken_for_a_while_only() {
    let server = Running::start(Limits { linger: short(), ..Limits::default() }).await;
    let head = b"POST /refuse HTTP/1.1\r\nhost: s\r\ncontent-length: 1000000000\r\n\r\n";
    let mut stream = server.connect(head).await;
    let endless = async { while stream.write_all(&[0; 1000]).await.is_ok() {} };
    assert!(tokio::time::timeout(Duration::from_secs(20), endless).await.is_ok(), "cut off");
    server.stop().await;
}

#[tokio::test]
async fn an_idle_connection_makes_room_and_a_busy_one_is_waited_for() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let settings = Settings { limits, ..Settings::new(Rates::UNLIMITED) };
    let meter = Arc::clone(&settings.meter);
    let server = Running::start_with(settings).await;
    let mut idle = server.connect(b"GET / HTTP/1.1\r\nhost: s\r\n\r\n").await;
    let mut answer = Vec::new();
    while !answer.ends_with(b"here") {
        idle.read_buf(&mut answer).await.unwrap();
    }
    assert!(server.exchange(GET).await.ends_with(b"here"));
    assert!(read(idle).await.is_empty(), "it was ended");

    let head =
        "POST /echo HTTP/1.1\r\nhost: s\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: 2\r\n\r\n";
    let mut busy = server.connect(head.as_bytes()).await;
    busy.read_exact(&mut [0; 25]).await.unwrap(); // the server waits for the body
    let mut waiting = Box::pin(server.exchange(GET));
    assert!(tokio::time::timeout(short(), &mut waiting).await.is_err());
    busy.write_all(b"ok").await.unwrap();
    assert!(read(busy).await.ends_with(b"ok"));
    assert!(waiting.as_mut().await.ends_with(b"here"));
    drop(waiting);
    server.stop().await;
    let text = metrics(&meter).await;
    let has = |line: &str| text.contains(&format!("isonomy_http_connections_{line}\n"));
    assert!(has("limit 1") && has("closed_idle_total 1") && !has("waited_total 0"), "{text}");
}

#[tokio::test]
async fn stopping_lets_requests_finish_but_does_not_wait_for_ever() {
    let server = Running::start(Limits { stop: Duration::from_millis(600), ..Limits::default() }).await;
    let head = b"POST /echo HTTP/1.1\r\nhost: s\r\ncontent-length: 2\r\n\r\n";
    let (mut slow, stuck) = (server.connect(head).await, server.connect(head).await);
    assert!(server.exchange(GET).await.ends_with(b"here"));
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    slow.write_all(b"ok").await.unwrap();
    assert!(read(slow).await.ends_with(b"ok"));
    stopping.await.unwrap();
    assert!(read(stuck).await.is_empty());
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let server = Running::start(Limits::default()).await;
    let answer = server.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 "), "{answer:?}");
    server.stop().await;
}

fn status(answer: &[u8]) -> &str {
    std::str::from_utf8(answer.get(9..12).unwrap_or_default()).unwrap()
}

#[tokio::test]
async fn a_request_says_which_host_it_is_for() {
    let server = Running::start(Limits::default()).await;
    let asked = |version| format!("GET / HTTP/{version}\r\nconnection: close\r\n\r\n").into_bytes();
    assert_eq!(status(&server.exchange(&asked("1.1")).await), "400");
    assert_eq!(status(&server.exchange(&asked("1.0")).await), "200");
    server.stop().await;
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let server = Running::start(Limits { header_count: 10, ..Limits::default() }).await;
    let with = |count: usize| {
        let lines: String = (2..count).map(|number| format!("x-{number}: 1\r\n")).collect();
        format!("GET / HTTP/1.1\r\nhost: s\r\nconnection: close\r\n{lines}\r\n")
    };
    assert_eq!(status(&server.exchange(with(10).as_bytes()).await), "200");
    assert_eq!(status(&server.exchange(with(11).as_bytes()).await), "431");
    server.stop().await;
}

#[tokio::test]
async fn one_client_can_t_have_all_connections() {
    let limits = Limits { connections_per_client: 2, ..Limits::default() };
    let settings = Settings { limits, ..Settings::new(Rates::UNLIMITED) };
    let meter = Arc::clone(&settings.meter);
    let server = Running::start_with(settings).await;
    let held = [server.connect(b"").await, server.connect(b"").await];
    assert!(server.exchange(GET).await.is_empty(), "closed at once");
    drop(held);
    // The server notices when it reads the end of those connections.
    let again = async {
        while !server.exchange(GET).await.ends_with(b"here") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.unwrap();
    server.stop().await;
    let text = metrics(&meter).await;
    assert!(text.contains("isonomy_http_connections 0\n"), "{text}");
    assert!(!text.contains("isonomy_http_connections_refused_total 0\n"), "{text}");
}

async fn metrics(meter: &Meter) -> String {
    let answer = meter.answer(&prometheus_client::registry::Registry::default());
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let slow = Rate { per_second: 1, burst: 2 };
    let rates = Rates { reads: Some(slow), writes: Some(Rate { burst: 1, ..slow }) };
    let settings = Settings { clients: Clients::BehindProxy, ..Settings::new(rates) };
    let meter = Arc::clone(&settings.meter);
    let server = Running::start_with(settings).await;
    let ask = async |method: &str, client: &str| {
        let request = format!(
            "{method} / HTTP/1.1\r\nhost: s\r\nx-forwarded-for: {client}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        server.exchange(request.as_bytes()).await
    };
    let mut statuses = Vec::new();
    for (method, client) in [("GET", "192.0.2.1"), ("HEAD", "192.0.2.1"), ("POST", "192.0.2.1"), ("GET", "192.0.2.2")] {
        statuses.push(status(&ask(method, client).await).to_owned());
    }
    assert_eq!(statuses, ["200", "200", "405", "200"]);
    for method in ["GET", "POST"] {
        let answer = String::from_utf8(ask(method, "192.0.2.1").await).unwrap();
        let head = answer.to_lowercase();
        assert!(head.starts_with("http/1.1 429") && head.contains("\r\nretry-after: "), "{answer}");
    }
    server.stop().await;
    let text = metrics(&meter).await;
    assert!(text.contains("isonomy_http_requests_limited_total 2\n"), "{text}");
    assert!(text.contains("isonomy_http_requests_total{kind=\"Read\",status=\"200\"} 3\n"), "{text}");
}

#[tokio::test]
async fn what_is_on_the_shelf_is_answered_before_the_router_and_counted() {
    let settings = Settings::new(Rates { reads: Some(Rate { per_second: 1, burst: 3 }), writes: None });
    let meter = Arc::clone(&settings.meter);
    let server = Running::start_with(settings).await;
    let ask = async |method: &str, more: &str| {
        let head = format!("{method} /shelf HTTP/1.1\r\nhost: s\r\n{more}connection: close\r\n\r\n");
        server.exchange(head.as_bytes()).await
    };
    let answer = String::from_utf8(ask("GET", "").await).unwrap().to_lowercase();
    assert!(answer.starts_with("http/1.1 200") && answer.ends_with("\r\n\r\nfrom the shelf"), "{answer}");
    assert!(answer.contains("\r\ncontent-length: 14\r\n") && answer.contains("\r\ndate: "), "{answer}");
    for (method, more, expected) in [("GET", "x-other: 1\r\n", "404"), ("POST", "content-length: 0\r\n", "404")] {
        assert_eq!(status(&ask(method, more).await), expected, "{method} {more}");
    }
    assert_eq!(status(&ask("GET", "").await), "200");
    assert_eq!(status(&ask("GET", "").await), "429", "the rate holds for what is on the shelf, too");
    server.stop().await;
    let text = metrics(&meter).await;
    assert!(text.contains("isonomy_http_requests_total{kind=\"Read\",status=\"200\"} 2\n"), "{text}");
}
