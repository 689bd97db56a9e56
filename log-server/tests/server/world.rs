//! A log server and its witnesses, on this machine, with data folders that go away.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use isonomy_core::add_checkpoint::{AddCheckpoint, CONFLICT_CONTENT_TYPE};
use isonomy_core::cosignature;
use isonomy_core::note::{KeyType, SigningKey, VerifierKey};
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::time::Timestamp;
use isonomy_fetch::{FetchError, LogClient, Source};
use isonomy_log_server::SeenProofs;
use isonomy_log_server::access::AccessEntry;
use isonomy_log_server::{Config, ServeError};
use isonomy_serve::{Limits, Rates, Settings};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const ORIGIN: &str = "log.example/isonomy";

pub(crate) fn key(name: &str, key_type: KeyType) -> SigningKey {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SigningKey::from_seed(name, key_type, &seed).unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

/// What the log is started with.
pub(crate) fn config(data: PathBuf, policy: Policy, republish_every: Duration) -> Config {
    // All who ask come from one address.
    let limits = Limits { connections_per_client: Limits::default().connections, ..Limits::default() };
    Config {
        data,
        key: World::log_key(),
        policy,
        publishers: vec![crate::lists::maintainer().verifier().clone()],
        auditors: vec![crate::lists::auditor().verifier().clone()],
        republish_every,
        seen_proofs: Default::default(),
        access: Vec::new(),
        serving: Settings { limits, ..Settings::new(Rates::UNLIMITED) },
    }
}

/// Listens on a port of its own. It is none of those that the system hands out by itself, so that nobody else has it, not
/// even as the near end of a connection, while its server is stopped.
pub(crate) async fn listen() -> TcpListener {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let number = std::process::id().wrapping_mul(97).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed).into());
        let port = 10_000 + (number % 20_000) as u16;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            return listener;
        }
    }
}

/// Listens where a server was that is to be started again; anywhere, if it is started for the first time.
async fn listen_at(address: SocketAddr) -> TcpListener {
    if address.port() == 0 { listen().await } else { TcpListener::bind(address).await.unwrap() }
}

/// A server that runs until it is told to stop.
struct Running<E> {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), E>>,
}

impl<E: std::fmt::Debug + Send + 'static> Running<E> {
    async fn stop(self) -> Result<(), E> {
        let _ = self.stop.send(());
        self.task.await.unwrap()
    }
}

pub(crate) struct World {
    dir: tempfile::TempDir,
    witnesses: Vec<Option<Running<isonomy_witness::ServeError>>>,
    addresses: Vec<SocketAddr>,
    log: Option<Running<ServeError>>,
    pub(crate) address: SocketAddr,
    pub(crate) policy: Policy,
    pub(crate) republish_every: Duration,
    pub(crate) seen_proofs: SeenProofs,
    pub(crate) access: Vec<AccessEntry>,
    /// How many connections the log takes, from one client, too.
    pub(crate) connections: usize,
}

impl World {
    /// Three witnesses, of which two are the quorum; no log yet.
    pub(crate) async fn new() -> Self {
        let mut world = Self {
            dir: tempfile::tempdir().unwrap(),
            witnesses: Vec::new(),
            addresses: Vec::new(),
            log: None,
            address: ([127, 0, 0, 1], 0).into(),
            policy: Policy::parse(b"quorum none\n").unwrap(),
            republish_every: Duration::from_secs(3600),
            seen_proofs: SeenProofs::Keep,
            access: Vec::new(),
            connections: Limits::default().connections,
        };
        for number in 0..3 {
            world.witnesses.push(None);
            world.addresses.push(([127, 0, 0, 1], 0).into());
            world.start_witness(number).await;
        }
        world.policy = world.policy_of_witnesses();
        world
    }

    /// Puts something in a witness's place that gives this answer to every request.
    pub(crate) async fn replace_witness(&mut self, number: usize, answer: &'static str) {
        self.stop_witness(number).await;
        let listener = TcpListener::bind(self.addresses[number]).await.unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
    }

    /// Puts a witness in a witness's place that cosigns whatever it is shown, by a clock that is so many seconds ahead, or
    /// behind.
    pub(crate) async fn wrong_clock(&mut self, number: usize, ahead: i64) {
        let answer = move |request: AddCheckpoint| {
            let time = Timestamp(now().0.saturating_add_signed(ahead));
            let line = cosignature::cosign(&Self::witness_key(number), request.checkpoint.note().text(), time);
            (StatusCode::OK, "text/plain", line.to_string())
        };
        self.other_witness(number, answer).await;
    }

    /// Puts something in a witness's place that gives these answers.
    pub(crate) async fn other_witness(
        &mut self,
        number: usize,
        answer: impl Fn(AddCheckpoint) -> (StatusCode, &'static str, String) + Clone + Send + Sync + 'static,
    ) {
        self.stop_witness(number).await;
        let listener = TcpListener::bind(self.addresses[number]).await.unwrap();
        let add = async move |body: axum::body::Bytes| {
            let (status, media, text) = answer(AddCheckpoint::parse(&body, 1 << 20).unwrap());
            (status, [(CONTENT_TYPE, media)], text)
        };
        let router = axum::Router::new().route("/add-checkpoint", axum::routing::post(add));
        tokio::spawn(isonomy_serve::serve(listener, router, Default::default(), std::future::pending()));
    }

    /// Puts something in a witness's place that claims to have seen the log at this size, and shows this as the newest checkpoint.
    pub(crate) async fn claiming_witness(&mut self, number: usize, size: u64, shown: Arc<Mutex<String>>) {
        self.stop_witness(number).await;
        let listener = TcpListener::bind(self.addresses[number]).await.unwrap();
        let claim = async move || (StatusCode::CONFLICT, [(CONTENT_TYPE, CONFLICT_CONTENT_TYPE)], format!("{size}\n"));
        let router = axum::Router::new()
            .route("/add-checkpoint", axum::routing::post(claim))
            .route("/{origin}/checkpoint", axum::routing::get(async move || shown.lock().unwrap().clone()));
        tokio::spawn(isonomy_serve::serve(listener, router, Default::default(), std::future::pending()));
    }

    /// Puts a witness in a witness's place that cosigns only after so long.
    pub(crate) async fn slow_witness(&mut self, number: usize, delay: Duration) {
        self.stop_witness(number).await;
        let listener = TcpListener::bind(self.addresses[number]).await.unwrap();
        let cosign = async move |body: axum::body::Bytes| {
            tokio::time::sleep(delay).await;
            let request = AddCheckpoint::parse(&body, 1 << 20).unwrap();
            cosignature::cosign(&Self::witness_key(number), request.checkpoint.note().text(), now()).to_string()
        };
        let router = axum::Router::new().route("/add-checkpoint", axum::routing::post(cosign));
        tokio::spawn(isonomy_serve::serve(listener, router, Default::default(), std::future::pending()));
    }

    /// Puts something in a witness's place that asks to be left alone for so many seconds. Gives when it was asked.
    pub(crate) async fn tired_witness(&mut self, number: usize, seconds: &'static str) -> Arc<Mutex<Vec<Instant>>> {
        self.stop_witness(number).await;
        let listener = TcpListener::bind(self.addresses[number]).await.unwrap();
        let asked: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let times = Arc::clone(&asked);
        let refuse = async move || {
            times.lock().unwrap().push(Instant::now());
            (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)], "not so fast")
        };
        let router = axum::Router::new().route("/add-checkpoint", axum::routing::post(refuse));
        tokio::spawn(isonomy_serve::serve(listener, router, Default::default(), std::future::pending()));
        asked
    }

    /// Puts something in a witness's place that takes every connection and never says anything.
    pub(crate) async fn silent_witness(&mut self, number: usize) {
        self.stop_witness(number).await;
        let listener = TcpListener::bind(self.addresses[number]).await.unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
    }

    /// Three witnesses, of which two are the quorum, and the log.
    pub(crate) async fn with_log() -> Self {
        let mut world = Self::new().await;
        world.start_log().await;
        world
    }

    fn policy_of_witnesses(&self) -> Policy {
        Policy::parse(self.policy_text().as_bytes()).unwrap()
    }

    pub(crate) fn policy_text(&self) -> String {
        let mut text = format!("log {}\n", Self::log_key().verifier());
        for (number, address) in self.addresses.iter().enumerate() {
            let key = Self::witness_key(number);
            text.push_str(&format!("witness w{number} {} http://{address}\n", key.verifier()));
        }
        text.push_str("group all-of-them 2 w0 w1 w2\nquorum all-of-them\n");
        text
    }

    pub(crate) fn log_key() -> SigningKey {
        key(ORIGIN, KeyType::Ed25519)
    }

    pub(crate) fn witness_key(number: usize) -> SigningKey {
        key(&format!("witness.example/w{number}"), KeyType::Cosignature)
    }

    pub(crate) fn witness_config(&self, number: usize) -> isonomy_witness::Config {
        isonomy_witness::Config {
            data: self.dir.path().join(format!("witness-{number}")),
            key: Self::witness_key(number),
            logs: vec![Self::log_key().verifier().clone()],
            serving: Settings::new(Rates::UNLIMITED),
        }
    }

    /// What a witness answers to a `GET`.
    pub(crate) async fn ask_witness(&self, number: usize, path: &str) -> String {
        let url = format!("http://{}", self.addresses[number]);
        match isonomy_fetch::document(&url, path, 1 << 20).await {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) async fn start_witness(&mut self, number: usize) {
        let listener = listen_at(self.addresses[number]).await;
        self.addresses[number] = listener.local_addr().unwrap();
        let config = self.witness_config(number);
        isonomy_witness::begin(&config.data, config.key.verifier()).unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(isonomy_witness::run(listener, config, async move { drop(stopped.await) }));
        self.witnesses[number] = Some(Running { stop, task });
    }

    pub(crate) async fn stop_witness(&mut self, number: usize) {
        self.witnesses[number].take().unwrap().stop().await.unwrap();
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = config(self.data(), self.policy.clone(), self.republish_every);
        config.access = self.access.clone();
        config.seen_proofs = self.seen_proofs;
        let limits = &mut config.serving.limits;
        (limits.connections, limits.connections_per_client) = (self.connections, self.connections);
        config
    }

    pub(crate) async fn start_log(&mut self) {
        let listener = listen_at(self.address).await;
        self.address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(isonomy_log_server::run(listener, self.config(), async move { drop(stopped.await) }));
        self.log = Some(Running { stop, task });
    }

    pub(crate) async fn stop_log(&mut self) -> Result<(), ServeError> {
        self.log.take().unwrap().stop().await
    }

    /// How a log ends that can't be served.
    pub(crate) async fn failing_start(&mut self) -> ServeError {
        self.start_log().await;
        let ended = tokio::time::timeout(Duration::from_secs(120), self.log.take().unwrap().task).await;
        ended.expect("it starts").unwrap().unwrap_err()
    }

    pub(crate) fn client(&self) -> LogClient {
        LogClient::new(&format!("http://{}", self.address)).unwrap()
    }

    pub(crate) fn source(&self) -> Source {
        self.client().source()
    }

    pub(crate) fn log_verifier(&self) -> VerifierKey {
        Self::log_key().verifier().clone()
    }

    pub(crate) async fn get(&self, resource: &Resource) -> Result<Vec<u8>, FetchError> {
        self.source().get(resource, 1 << 20).await
    }

    /// The same, as soon as it is there.
    pub(crate) async fn get_soon(&self, resource: &Resource) -> Vec<u8> {
        for _ in 0..200 {
            if let Ok(bytes) = self.get(resource).await {
                return bytes;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{resource} did not come");
    }

    /// Sends a request as it is and gives the whole answer.
    pub(crate) async fn raw(&self, head: &str, body: &[u8]) -> String {
        self.raw_with(head, "x-nothing: more", body).await
    }

    /// The same with further header lines.
    pub(crate) async fn raw_with(&self, head: &str, more: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!("{head} HTTP/1.1\r\nhost: log.example\r\nconnection: close\r\n{more}\r\n");
        let head = if body.is_empty() { head } else { format!("{head}content-length: {}\r\n", body.len()) };
        stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}
