//! A server that sends exactly the bytes that a test gives it, however wrong they are.

use isonomy_fetch::HttpLimits;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Limits for servers that are too slow, so that a test needn't wait for long. The others are given the default, since
/// the machine that tests them may be busy.
pub(crate) const QUICK: HttpLimits = HttpLimits {
    connect: Duration::from_secs(5),
    answer: Duration::from_millis(400),
    submission: Duration::from_millis(1200),
    idle: Duration::from_millis(400),
    minimum_rate: 1000,
    total: Duration::from_secs(5),
    put_off: Duration::ZERO,
};

/// One thing that the server does on a connection.
#[derive(Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    /// Sends the bytes again and again, with a pause after each time, until the client goes away.
    Repeat(Vec<u8>, Duration),
    /// Neither sends nor closes.
    Hang,
}

/// A running server.
pub(crate) struct Script {
    /// Its base URL, without a slash at the end.
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Script {
    /// Answers each request by the steps that `answer` gives for its path, then closes the connection.
    pub(crate) async fn start(answer: impl Fn(&str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (requests, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let seen = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (seen.clone(), answer.clone());
                tokio::spawn(async move { serve(stream, &seen, &*answer).await });
            }
        });
        Self { url, requests }
    }

    /// The same answer to every request.
    pub(crate) async fn always(steps: Vec<Step>) -> Self {
        Self::start(move |_| steps.clone()).await
    }

    /// A complete answer to every request.
    pub(crate) async fn answering(status: &str, headers: &str, body: &[u8]) -> Self {
        Self::always(vec![response(status, headers, body)]).await
    }

    /// The requests so far, each in full.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A well-formed answer. `headers` are lines, each with its end.
pub(crate) fn response(status: &str, headers: &str, body: &[u8]) -> Step {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
    Step::Send([head.as_bytes(), body].concat())
}

/// The head of an answer that lasts until the connection is closed.
pub(crate) fn open_head() -> Step {
    Step::Send(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec())
}

async fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>, answer: &(dyn Fn(&str) -> Vec<Step> + Send + Sync)) {
    let request = read_request(&mut stream).await;
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    seen.lock().unwrap().push(request);
    for step in answer(&path) {
        match step {
            Step::Send(bytes) => drop(stream.write_all(&bytes).await),
            Step::Wait(time) => tokio::time::sleep(time).await,
            Step::Repeat(bytes, pause) => {
                while stream.write_all(&bytes).await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
            }
            Step::Hang => std::future::pending().await,
        }
    }
}

/// Reads a request to the end of the body that it announces.
async fn read_request(stream: &mut TcpStream) -> String {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let complete = text.split_once("\r\n\r\n").is_some_and(|(head, _)| {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            request.len() >= head.len() + 4 + length
        });
        let is_tls = request.first() == Some(&0x16);
        if complete || is_tls || count == 0 {
            return text;
        }
    }
}
