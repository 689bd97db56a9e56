//! A service over a log in memory, and requests to it.

use isonomy_client::{Client, Source};
use isonomy_core::time::Timestamp;
use isonomy_match_server::{Config, Limits, ListFolder, run};
use isonomy_tests::client::drive;
use isonomy_tests::people::{at, hash, hashes};
use isonomy_tests::world::World;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A log with version 1 of a list with so many entries, usable at 105.
pub(crate) fn published(entries: u64) -> World {
    let mut world = World::founded();
    world.release(hashes(0..entries), 100);
    world.publish(100);
    world.publish(105);
    world
}

pub(crate) fn clock() -> Timestamp {
    at(106)
}

pub(crate) fn limits(edit: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    edit(&mut limits);
    limits
}

/// The hash of entry number `entry` with so many bits turned.
pub(crate) fn near(entry: u64, distance: usize) -> Vec<u8> {
    let mut hash = hash(entry).to_vec();
    (0..distance).for_each(|bit| hash[bit * 37 / 8 % 32] ^= 1 << (bit * 37 % 8));
    hash
}

pub(crate) fn hex(hash: &[u8]) -> String {
    isonomy_core::encoding::to_hex(hash)
}

/// A file of the repository.
pub(crate) fn file(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

pub(crate) struct Service {
    pub(crate) world: World,
    /// Further lists, which stay as they are.
    others: Vec<TempDir>,
    folder: TempDir,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Service {
    /// A service of a list with so many entries.
    pub(crate) async fn start(entries: u64) -> Self {
        Self::with(entries, Limits::default()).await
    }

    pub(crate) async fn with(entries: u64, limits: Limits) -> Self {
        Self::at(entries, limits, clock).await
    }

    pub(crate) async fn at(entries: u64, limits: Limits, clock: fn() -> Timestamp) -> Self {
        Self::of(published(entries), Vec::new(), limits, clock).await
    }

    /// A service of these lists.
    pub(crate) async fn of(world: World, further: Vec<World>, limits: Limits, clock: fn() -> Timestamp) -> Self {
        let (mut lists, mut folders) = (Vec::new(), Vec::new());
        for world in [&world].into_iter().chain(&further) {
            let folder = tempfile::tempdir().unwrap();
            update(world, folder.path(), 105).await;
            lists.push(ListFolder { policy: world.policy(), state: folder.path().join("state") });
            folders.push(folder);
        }
        let (others, folder) = (folders.split_off(1), folders.remove(0));
        let look_every = Duration::from_millis(20);
        let config = Config { look_every, limits, clock, ..Config::new(lists) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move { run(listener, config, async { drop(stopped.await) }).await.unwrap() });
        Self { world, others, folder, address, stop, task }
    }

    /// Brings the client's folder up to date.
    pub(crate) async fn update(&self, clock: u64) {
        update(&self.world, self.folder.path(), clock).await;
    }

    /// Shows the client another history of the log; gives the digest of the evidence.
    pub(crate) fn halt(&self) -> String {
        self.halt_in("state")
    }

    /// The same to the client in the folder of this name.
    pub(crate) fn halt_in(&self, name: &str) -> String {
        let (state, policy) = (self.folder.path().join(name), self.world.policy());
        let mut other = self.world.fork(1);
        other.release(hashes(50..61), 150);
        other.publish(150);
        other.publish(155);
        let mut client = Client::open(state, policy.clone()).unwrap();
        let seen = drive(&policy, client.state(), client.list(), at(155), &other).outcome;
        let evidence = seen.unwrap_err().evidence().unwrap().to_text();
        let shown = client.show_evidence(evidence.as_bytes()).unwrap();
        assert!(shown.halts);
        shown.digest.to_string()
    }

    /// The client's folder as it is now, under another name beside it.
    pub(crate) fn keep_copy(&self) {
        copy(&self.folder.path().join("state"), &self.folder.path().join("copy"));
    }

    /// The folder of a client of this log, in the place of such a copy.
    pub(crate) async fn keep_copy_of(&self, world: &World) {
        let other = tempfile::tempdir().unwrap();
        update(world, other.path(), 105).await;
        copy(&other.path().join("state"), &self.folder.path().join("copy"));
    }

    /// Puts that copy in the place of the client's folder.
    pub(crate) fn put_copy_back(&self) {
        let path = |name| self.folder.path().join(name);
        std::fs::rename(path("state"), path("replaced")).unwrap();
        std::fs::rename(path("copy"), path("state")).unwrap();
    }

    /// Puts the client's folder back in the place of that copy.
    pub(crate) fn put_own_back(&self) {
        let path = |name| self.folder.path().join(name);
        std::fs::rename(path("state"), path("copy")).unwrap();
        std::fs::rename(path("replaced"), path("state")).unwrap();
    }

    /// A number of `/metrics`.
    pub(crate) async fn number(&self, name: &str) -> u64 {
        let text = String::from_utf8(self.get("/metrics").await.1).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(str::parse);
        line.unwrap_or_else(|| panic!("no {name} in {text}")).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.exchange(format!("GET {path} HTTP/1.1\r\nhost: s\r\nconnection: close\r\n\r\n").into_bytes()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: s\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.exchange([head.as_bytes(), body].concat()).await
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        json(self.get(path).await)
    }

    pub(crate) async fn post_json(&self, path: &str, body: &[u8]) -> Value {
        json(self.post(path, body).await)
    }

    /// A request with a body of so many bytes, of which only the first have been sent.
    pub(crate) async fn begin(&self, path: &str, length: usize, first: &[u8]) -> TcpStream {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: s\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&[head.as_bytes(), first].concat()).await.unwrap();
        stream
    }

    /// A request with this method, path and headers, without a body.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &str) -> (u16, Vec<u8>) {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: s\r\nconnection: close\r\n{headers}\r\n");
        self.exchange(head.into_bytes()).await
    }

    async fn exchange(&self, request: Vec<u8>) -> (u16, Vec<u8>) {
        finish(TcpStream::connect(self.address).await.unwrap(), &request).await
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        drop(self.others);
    }
}

/// Sends the rest of a request, and reads the answer.
pub(crate) async fn finish(mut stream: TcpStream, rest: &[u8]) -> (u16, Vec<u8>) {
    // Whoever is refused early may not be able to send all.
    let _ = stream.write_all(rest).await;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
    (status, answer[end + 4..].to_vec())
}

pub(crate) fn json((status, body): (u16, Vec<u8>)) -> Value {
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy(&path, &to),
            false => assert!(std::fs::copy(path, to).is_ok()),
        }
    }
}

/// A real client, which updates from a folder into which everything that an update asks for was written.
async fn update(world: &World, folder: &Path, clock: u64) {
    let (mirror, policy) = (folder.join("mirror"), world.policy());
    let mut client = Client::open(folder.join("state"), policy.clone()).unwrap();
    let driven = drive(&policy, client.state(), client.list(), at(clock), world);
    driven.outcome.unwrap();
    for (resource, _) in driven.asked {
        let path = mirror.join(resource.to_string().trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if let Some(bytes) = world.get(&resource) {
            std::fs::write(path, bytes).unwrap();
        }
    }
    client.update(&[Source::parse(mirror.to_str().unwrap()).unwrap()], at(clock)).await.unwrap();
}
