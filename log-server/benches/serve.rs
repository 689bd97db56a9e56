//! What it costs to serve tiles, beside nginx over the same files in the same run:
//! `cargo bench -p isonomy-log-server --bench serve`. Needs `taskset` (util-linux) and, for the comparison, `nginx`.
//!
//! A log of statements is written, whose full tiles of hashes (8 KiB) are then asked for again and again, over connections
//! that are kept, by one generator of load on a processor of its own. Both servers have one processor, the same one, and
//! take turns. What counts is the processor time of a server for each request; requests per second depend on the
//! generator as well. The floor is a server that parses nothing and sends one answer of the same length to everything.

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../tests/server/lists.rs"]
mod lists;
#[allow(dead_code, reason = "shared with the tests")]
#[path = "../tests/server/world.rs"]
mod world;

use isonomy_core::note::{KeyType, SigningKey};
use isonomy_core::policy::Policy;
use isonomy_log_server::Config;
use isonomy_log_server::files::PublicFolder;
use isonomy_log_server::log::Log;
use isonomy_serve::{Rate, Rates, Settings};
use isonomy_store::kv::Store;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How many full tiles there are: each of 256 statements.
const TILES: usize = 16;
/// How many connections ask.
const CONNECTIONS: usize = 32;
/// How often each server has its turn, and for how long.
const ROUNDS: usize = 5;
const TURN: Duration = Duration::from_secs(3);
/// The processors of the servers and of the load.
const SERVER: &str = "0";
const LOAD: &str = "1";

fn key() -> SigningKey {
    SigningKey::from_seed("log.example/bench", KeyType::Ed25519, &[7; 32]).unwrap()
}

/// A log whose witness nobody ever reaches: nothing is published, and tiles are served all the same.
fn policy() -> Policy {
    let witness = SigningKey::from_seed("witness.example/w", KeyType::Cosignature, &[8; 32]).unwrap();
    let (log, witness) = (key().verifier().to_string(), witness.verifier().to_string());
    Policy::parse(format!("log {log}\nwitness w {witness} http://127.0.0.1:9\nquorum w\n").as_bytes()).unwrap()
}

fn write_log(data: &Path) {
    let private = data.join("private");
    let public = PublicFolder::open(data.join("public")).unwrap();
    let store = Store::open(&private.join("state")).unwrap();
    let log = Log::open(public, &private, &store, key()).unwrap();
    for tile in 0..TILES {
        let statement = |number| {
            let charter = lists::charter(&format!("hotline.example/l-{tile}-{number}"));
            lists::by_all(charter.to_text().unwrap()).to_bytes()
        };
        log.append(&(0..256).map(statement).collect::<Vec<_>>()).unwrap();
    }
    log.integrate().unwrap();
}

/// The role of the server: until it is killed.
async fn serve(data: PathBuf, address: SocketAddr) {
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    // A limit that is never reached: what it costs to hold it is part of what is measured.
    let often = Some(Rate { per_second: 1 << 30, burst: 1 << 30 });
    let config = Config {
        data,
        key: key(),
        policy: policy(),
        publishers: vec![lists::maintainer().verifier().clone()],
        auditors: Vec::new(),
        republish_every: Duration::from_secs(3600),
        seen_proofs: Default::default(),

        access: Vec::new(),
        serving: Settings::new(Rates { reads: often, writes: often }),
    };
    isonomy_log_server::run(listener, config, std::future::pending()).await.unwrap();
}

/// The role of the floor: reads until a request ends, and writes an answer that was made before; until it is killed.
async fn floor(address: SocketAddr) {
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncache-control: public, max-age=31536000, immutable\r\n\
        x-content-type-options: nosniff\r\ncontent-length: 8192\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n"
        .to_vec();
    answer.resize(answer.len() + 8192, 7);
    let answer: std::sync::Arc<[u8]> = answer.into();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(answer_all(stream, answer.clone()));
    }
}

async fn answer_all(mut stream: tokio::net::TcpStream, answer: std::sync::Arc<[u8]>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        if buffer[..read].ends_with(b"\r\n\r\n") {
            stream.write_all(&answer).await?;
        }
    }
}

/// The role of the load: asks for tiles until the time is over, and prints how many answers came.
async fn load(address: SocketAddr) {
    let until = Instant::now() + TURN;
    let connections: Vec<_> = (0..CONNECTIONS).map(|number| tokio::spawn(ask(address, number, until))).collect();
    let mut answers = 0;
    for connection in connections {
        answers += connection.await.unwrap();
    }
    println!("{answers}");
}

async fn ask(address: SocketAddr, mut number: usize, until: Instant) -> u64 {
    let requests: Vec<Vec<u8>> = (0..TILES)
        .map(|tile| format!("GET /tile/0/{tile:03} HTTP/1.1\r\nHost: log.example\r\n\r\n").into_bytes())
        .collect();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut buffer, mut answers) = (vec![0; 16 * 1024], 0);
    while Instant::now() < until {
        number = (number * 31 + 7) % TILES;
        stream.write_all(&requests[number]).await.unwrap();
        let (mut filled, mut expected) = (0, None);
        while expected.is_none_or(|expected| filled < expected) {
            let read = stream.read(&mut buffer[filled..]).await.unwrap();
            assert_ne!(read, 0, "the server has closed the connection");
            filled += read;
            expected = expected.or_else(|| whole(&buffer[..filled]));
        }
        assert_eq!(Some(filled), expected);
        answers += 1;
    }
    answers
}

/// The length of an answer, once its head is there.
fn whole(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).unwrap().to_ascii_lowercase();
    assert!(text.starts_with("http/1.1 200"), "{text}");
    assert!(text.contains("\r\ncache-control: public, max-age=31536000, immutable\r\n"), "{text}");
    assert!(text.contains("\r\ncontent-length: 8192\r\n"), "{text}");
    Some(head + 8192)
}

/// A process that ends with its owner. It is asked to, not killed: nginx has a worker to end, too.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn on(processor: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", processor]).arg(program).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn until_it_listens(address: SocketAddr) {
    for _ in 0..3000 {
        if TcpStream::connect(address).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("nothing listens on {address}");
}

const NGINX: &str = r#"
worker_processes 1; daemon off; pid FOLDER/nginx.pid; error_log FOLDER/nginx.err;
events { worker_connections 1024; multi_accept on; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 600;
  open_file_cache max=2000 inactive=600s; open_file_cache_valid 600s;
  default_type application/octet-stream; server_tokens off;
  client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
  server {
    listen ADDRESS; root FOLDER/data/public;
    add_header Cache-Control "public, max-age=31536000, immutable"; add_header X-Content-Type-Options nosniff;
  }
}
"#;

/// nginx with one worker, tuned for static files; none if it is not installed.
fn start_nginx(folder: &Path, address: SocketAddr) -> Option<Running> {
    let program = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"].map(Path::new);
    let program = program.into_iter().find(|path| path.exists())?;
    let text = NGINX.replace("FOLDER", &folder.display().to_string()).replace("ADDRESS", &address.to_string());
    std::fs::write(folder.join("nginx.conf"), text).unwrap();
    let mut command = on(SERVER, program);
    command.arg("-c").arg(folder.join("nginx.conf")).arg("-e").arg(folder.join("nginx.err"));
    let running = Running(command.spawn().unwrap());
    until_it_listens(address);
    Some(running)
}

/// The processor time of a process, its threads and its children.
fn processor_time(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten();
    let mut time = Duration::ZERO;
    for thread in threads {
        let read = |name: &str| std::fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        let nanoseconds = read("schedstat").split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0);
        time += Duration::from_nanos(nanoseconds);
        for child in read("children").split_whitespace() {
            time += processor_time(child.parse().unwrap());
        }
    }
    time
}

/// One turn: microseconds of processor time for each request, and requests per second.
fn turn(server: &Running, address: SocketAddr) -> (f64, f64) {
    let before = processor_time(server.0.id());
    let program = std::env::current_exe().unwrap();
    let output = on(LOAD, &program).args(["load", &address.to_string()]).stdout(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let spent = processor_time(server.0.id()) - before;
    let answers: f64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    (spent.as_secs_f64() * 1e6 / answers, answers / TURN.as_secs_f64())
}

struct Turns {
    name: &'static str,
    micros: Vec<f64>,
    rates: Vec<f64>,
}

impl Turns {
    fn median(values: &[f64]) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }

    fn print(&self) {
        let least = self.micros.iter().copied().fold(f64::INFINITY, f64::min);
        println!(
            "{}: {:.2} µs of processor time for each request (median of {ROUNDS}; least {least:.2}), {:.0} requests/s",
            self.name,
            Self::median(&self.micros),
            Self::median(&self.rates)
        );
    }
}

fn compare() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_log(&data);
    let (own, lowest, other) = (free_address(), free_address(), free_address());
    let program = std::env::current_exe().unwrap();
    let mut command = on(SERVER, &program);
    command.arg("serve").arg(&data).arg(own.to_string());
    let server = Running(command.spawn().unwrap());
    until_it_listens(own);
    std::thread::sleep(Duration::from_secs(3)); // it reads and judges its statements first
    let mut command = on(SERVER, &program);
    command.arg("floor").arg(lowest.to_string());
    let floor = Running(command.spawn().unwrap());
    until_it_listens(lowest);
    let nginx = start_nginx(folder.path(), other);
    let turns = |name| Turns { name, micros: vec![], rates: vec![] };
    let mut servers = vec![(turns("this server"), &server, own), (turns("floor"), &floor, lowest)];
    match &nginx {
        Some(nginx) => servers.push((turns("nginx"), nginx, other)),
        None => println!("nginx is not installed, so there is nothing to compare with"),
    }
    for _ in 0..ROUNDS {
        for (turns, server, address) in &mut servers {
            let (micros, rate) = turn(server, *address);
            turns.micros.push(micros);
            turns.rates.push(rate);
        }
    }
    servers.iter().for_each(|(turns, _, _)| turns.print());
    let medians: Vec<f64> = servers.iter().map(|(turns, ..)| Turns::median(&turns.micros)).collect();
    for ((turns, ..), other) in servers.iter().zip(&medians).skip(1) {
        println!("this server ÷ {}: {:.2}", turns.name, medians[0] / other);
    }
}

#[tokio::main(flavor = "multi_thread")]
async fn run(role: impl Future<Output = ()>) {
    role.await;
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", data, address] => run(serve(data.into(), address.parse().unwrap())),
        ["floor", address] => run(floor(address.parse().unwrap())),
        ["load", address] => run(load(address.parse().unwrap())),
        _ => compare(),
    }
}
