//! Connections of a server: how many there may be, how long each may keep the server waiting, and how all of them end.
//!
//! A server that doesn't limit them is stopped by anybody who opens a thousand and says nothing: the process runs out of
//! file descriptors, and then it can't write its own files any more. What a request may cost, its body and the time until
//! its answer, is for the router to limit; `axum::serve` limits nothing.

#![forbid(unsafe_code)]

mod drain;
mod linger;
mod unread;

use axum::Router;
use drain::Drained;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use linger::Lingering;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

/// What connections may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How many there may be at once; more have to wait.
    pub connections: usize,
    /// How long a client may take to send the headers of a request, counted from the answer before it.
    pub headers: Duration,
    /// How long a client may take to accept what is ready to be sent to it, or the next 256 KiB of it.
    pub drain: Duration,
    /// How long a connection that is closed goes on taking what the client still sends, so that it can read the answer.
    pub linger: Duration,
    /// How long requests that are under way may go on when the server stops.
    pub stop: Duration,
}

/// A process may open 1024 files on many systems, and a connection may need two: itself and a file that is sent over it.
impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connections: 384, headers: seconds(30), drain: seconds(60), linger: seconds(2), stop: seconds(10) }
    }
}

/// Serves HTTP/1.1 until `shutdown` completes. Then no connection is accepted any more, and those that are left at the
/// end of the time for stopping are cut.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, shutdown: impl Future<Output = ()> + Send) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.headers);
    let permits = Arc::new(Semaphore::new(limits.connections));
    let stopping = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let router = router.layer(axum::middleware::from_fn(unread::end_if_unread));
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, permit) = tokio::select! {
            Some(accepted) = accept(&listener, &permits) => accepted,
            () = &mut shutdown => break,
        };
        let service = TowerToHyperService::new(router.clone());
        let stream = TokioIo::new(Lingering::new(Drained::new(stream, limits.drain), limits.linger));
        let connection = stopping.watch(builder.serve_connection(stream, service).into_owned());
        connections.spawn(async move {
            let _ = connection.await; // what a client does to its connection is its own affair
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let _ = tokio::time::timeout(limits.stop, stopping.shutdown()).await;
    connections.shutdown().await;
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true); // answers are small and whole
                return Some((stream, permit));
            }
            Err(error) if is_of_one_connection(error.kind()) => {}
            Err(error) => {
                tracing::error!("can't accept connections, trying again in a second: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn is_of_one_connection(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

#[cfg(test)]
mod tests {
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
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let router = Router::new()
                .route("/", get(|| async { "here" }))
                .route("/large", get(|| async { vec![0; LARGE] }))
                .route("/refuse", post(|| async { (StatusCode::PAYLOAD_TOO_LARGE, "too large") }))
                .route("/echo", post(|body: String| async { body }));
            let (stop, stopped) = oneshot::channel::<()>();
            let task = tokio::spawn(serve(listener, router, limits, async { drop(stopped.await) }));
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
    async fn connections_beyond_the_limit_wait_for_their_turn() {
        let server = Running::start(Limits { connections: 1, ..Limits::default() }).await;
        let holder = server.connect(b"").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut waiting = Box::pin(server.exchange(GET));
        assert!(tokio::time::timeout(short(), &mut waiting).await.is_err());
        drop(holder);
        assert!(waiting.as_mut().await.ends_with(b"here"));
        drop(waiting);
        server.stop().await;
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
}
