//! A log server and its witnesses, on this machine, with data folders that go away.

use isonomy_core::note::{KeyType, SigningKey, VerifierKey};
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::time::Timestamp;
use isonomy_fetch::{FetchError, LogClient, Source};
use isonomy_log_server::{Config, ServeError};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
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
        };
        for number in 0..3 {
            world.witnesses.push(None);
            world.addresses.push(([127, 0, 0, 1], 0).into());
            world.start_witness(number).await;
        }
        world.policy = world.policy_text();
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

    /// The same with the log.
    pub(crate) async fn with_log() -> Self {
        let mut world = Self::new().await;
        world.start_log().await;
        world
    }

    fn policy_text(&self) -> Policy {
        let mut text = format!("log {}\n", Self::log_key().verifier());
        for (number, address) in self.addresses.iter().enumerate() {
            let key = Self::witness_key(number);
            text.push_str(&format!("witness w{number} {} http://{address}\n", key.verifier()));
        }
        text.push_str("group all-of-them 2 w0 w1 w2\nquorum all-of-them\n");
        Policy::parse(text.as_bytes()).unwrap()
    }

    pub(crate) fn log_key() -> SigningKey {
        key(ORIGIN, KeyType::Ed25519)
    }

    fn witness_key(number: usize) -> SigningKey {
        key(&format!("witness.example/w{number}"), KeyType::Cosignature)
    }

    pub(crate) async fn start_witness(&mut self, number: usize) {
        let listener = TcpListener::bind(self.addresses[number]).await.unwrap();
        self.addresses[number] = listener.local_addr().unwrap();
        let config = isonomy_witness::Config {
            data: self.dir.path().join(format!("witness-{number}")),
            key: Self::witness_key(number),
            logs: vec![Self::log_key().verifier().clone()],
        };
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
        Config {
            data: self.data(),
            key: Self::log_key(),
            policy: self.policy.clone(),
            publishers: vec![crate::lists::maintainer().verifier().clone()],
            auditors: vec![crate::lists::auditor().verifier().clone()],
            republish_every: self.republish_every,
        }
    }

    pub(crate) async fn start_log(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
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
        self.log.take().unwrap().task.await.unwrap().unwrap_err()
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
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!("{head} HTTP/1.1\r\nhost: log.example\r\nconnection: close\r\n");
        let head = if body.is_empty() { head } else { format!("{head}content-length: {}\r\n", body.len()) };
        stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}
