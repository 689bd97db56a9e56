//! A server that serves what a [`World`] has, or really does what an attacker would: on the wire, over TCP.

use isonomy_core::resource::Resource;
use isonomy_tests::world::World;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What is wrong with an answer, beyond what it says.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This status line and these headers, and the honest body.
    Head(&'static str, &'static str),
    /// A redirect to the same path on the honest server.
    Redirect,
    /// Bytes without end.
    Endless,
    /// Chunks without end.
    EndlessChunks,
    /// One byte a second.
    Drip,
    /// Nothing at all, and the connection stays open.
    Silence,
    /// The connection is closed at once.
    Close,
    /// Something that is not HTTP.
    Garbage,
    /// Headers without end.
    EndlessHeaders,
    /// A content length that is larger than the body by this.
    LongLength(usize),
    /// Only the first half of the body, under the length of the whole.
    Truncated,
    /// A few kilobytes that gunzip to hundreds of megabytes.
    GzipBomb,
    /// Says that it is compressed; it is not.
    FalseGzip,
}

/// A running server.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    requests: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

struct Served {
    world: World,
    faults: HashMap<String, Fault>,
    everywhere: Option<Fault>,
    stop: Arc<AtomicBool>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves `world`; with these faults at these paths, or with one everywhere.
    pub(crate) fn start(world: World, faults: HashMap<String, Fault>, everywhere: Option<Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (stop, requests) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let served = Served { world, faults, everywhere, stop: stop.clone(), requests: requests.clone() };
        let served = Arc::new(served);
        let thread = thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if served.stop.load(Ordering::SeqCst) {
                    return;
                }
                let served = served.clone();
                thread::spawn(move || served.converse(connection));
            }
        });
        Self { address, stop, requests, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of all requests so far, without the address.
    pub(crate) fn requests(&self) -> Vec<String> {
        let heads = self.requests.lock().expect("requests").clone();
        heads.into_iter().map(|head| head.replace(&self.address.to_string(), "ADDRESS")).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Served {
    fn converse(&self, mut connection: TcpStream) {
        let Some(head) = read_head(&connection) else { return };
        let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
        self.requests.lock().expect("requests").push(head);
        let body = Resource::parse(&path).and_then(|resource| self.world.get(&resource));
        let fault = self.faults.get(&path).or(self.everywhere.as_ref()).cloned();
        // Who is cut off by the client has been refused.
        let _ = match fault {
            Some(fault) => self.misbehave(&mut connection, &fault, &path, &body.unwrap_or_default()),
            None => answer(&mut connection, body),
        };
    }

    fn misbehave(&self, to: &mut TcpStream, fault: &Fault, path: &str, body: &[u8]) -> std::io::Result<()> {
        match fault {
            Fault::Head(status, headers) => {
                write!(
                    to,
                    "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                )?;
                to.write_all(body)
            }
            Fault::Redirect => {
                let location = format!("http://{}/elsewhere/{path}", to.local_addr()?);
                write!(
                    to,
                    "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            }
            Fault::Endless => {
                write!(to, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
                self.forever(|| to.write_all(&[b'a'; 65_536]))
            }
            Fault::EndlessChunks => {
                write!(to, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")?;
                self.forever(|| to.write_all(b"1\r\na\r\n"))
            }
            Fault::Drip => {
                write!(to, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
                let mut bytes = body.iter();
                self.forever(|| {
                    thread::sleep(Duration::from_secs(1));
                    to.write_all(&[*bytes.next().unwrap_or(&0)])
                })
            }
            Fault::Silence => self.forever(|| {
                thread::sleep(Duration::from_millis(100));
                Ok(())
            }),
            Fault::Close => Ok(()),
            Fault::Garbage => to.write_all(&[0xff; 4096]),
            Fault::EndlessHeaders => {
                write!(to, "HTTP/1.1 200 OK\r\n")?;
                self.forever(|| write!(to, "X-Header: {}\r\n", "a".repeat(4000)))
            }
            Fault::LongLength(more) => {
                write!(to, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len() + more)?;
                to.write_all(body)
            }
            Fault::Truncated => {
                write!(to, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
                to.write_all(&body[..body.len() / 2])
            }
            Fault::GzipBomb => gzip(to, &bomb()),
            Fault::FalseGzip => gzip(to, body),
        }
    }

    fn forever(&self, mut piece: impl FnMut() -> std::io::Result<()>) -> std::io::Result<()> {
        while !self.stop.load(Ordering::SeqCst) {
            piece()?;
        }
        Ok(())
    }
}

fn read_head(connection: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(connection).take(64 * 1024);
    let mut head = String::new();
    loop {
        let before = head.len();
        reader.read_line(&mut head).ok()?;
        if head[before..].trim_end().is_empty() {
            return (!head.trim().is_empty()).then_some(head);
        }
    }
}

fn answer(to: &mut TcpStream, body: Option<Vec<u8>>) -> std::io::Result<()> {
    let (status, body) = body.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    // Nothing of this may ever come back from a client.
    let marks = "Set-Cookie: id=12345\r\nETag: \"v12345\"\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n";
    write!(to, "HTTP/1.1 {status}\r\n{marks}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    to.write_all(&body)
}

fn gzip(to: &mut TcpStream, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    write!(to, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    to.write_all(body)
}

/// RFC 1951 by hand: a literal zero, then two million times "repeat the last byte 258 times", in 13 bits each.
fn bomb() -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    let mut code = |value: u32, length: u32| bits.extend((0..length).rev().map(|bit| value >> bit & 1 == 1));
    code(0b0011_0000, 8);
    for _ in 0..2_000_000 {
        code(0b1100_0101, 8);
        code(0, 5);
    }
    code(0, 7);
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    bytes.extend(bits.chunks(8).map(|byte| byte.iter().rev().fold(0u8, |all, bit| all << 1 | u8::from(*bit))));
    bytes
}
