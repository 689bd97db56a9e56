//! A dumb relay: mailboxes for bytes, over TCP, and a record of all that it sees.
//!
//! ```text
//! request   P or T, 1 byte; length of the mailbox's name, 1 byte; the name; then for P a length, 4 bytes big-endian, and bytes
//! answer    to P 1, or 0 if the mailbox is full; to T 0, or 1, a length and the oldest bytes in the mailbox, which are gone then
//! ```
//!
//! One request on a connection.

use anyhow::{Context, Result, bail, ensure};
use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The largest message that is passed on.
pub const MAX_MESSAGE: usize = 16 << 20;
/// The most messages that wait in a mailbox.
pub const MAX_WAITING: usize = 100;
/// How long a device is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the relay saw of one connection: every byte.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Exchange {
    /// What the device sent.
    pub request: Vec<u8>,
    /// What it got.
    pub answer: Vec<u8>,
}

impl Exchange {
    /// All that is not hidden by encryption: what was asked, of which mailbox, and how many bytes went each way.
    pub fn shape(&self) -> String {
        let (verb, rest) = self.request.split_first().map_or(('?', &[][..]), |(verb, rest)| (char::from(*verb), rest));
        let name = rest.split_first().and_then(|(length, rest)| rest.get(..usize::from(*length))).unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        format!("{verb} {name}: {} bytes sent, {} got", self.request.len(), self.answer.len())
    }
}

/// A running relay.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    mailboxes: Mutex<HashMap<Vec<u8>, VecDeque<Vec<u8>>>>,
    seen: Mutex<Vec<Exchange>>,
    stop: AtomicBool,
}

impl Relay {
    /// Starts one on this machine.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port for the relay")?;
        let (address, shared) = (listener.local_addr()?, Arc::new(Shared::default()));
        let serving = shared.clone();
        let thread = std::thread::spawn(move || {
            for connection in listener.incoming() {
                if serving.stop.load(Ordering::SeqCst) {
                    return;
                }
                // One after the other: the record has one order. Who breaks off has only harmed themselves.
                let _ = connection.map_err(Into::into).and_then(|connection| serving.serve(connection));
            }
        });
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that it has seen so far.
    pub fn seen(&self) -> Vec<Exchange> {
        locked(&self.shared.seen).clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn serve(&self, mut connection: TcpStream) -> Result<()> {
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_write_timeout(Some(PATIENCE))?;
        let mut exchange = Exchange::default();
        let served = self.answer(&mut connection, &mut exchange);
        locked(&self.seen).push(exchange);
        served
    }

    fn answer(&self, connection: &mut TcpStream, exchange: &mut Exchange) -> Result<()> {
        let mut take = |size: usize| -> Result<Vec<u8>> {
            let mut bytes = vec![0; size];
            connection.read_exact(&mut bytes)?;
            exchange.request.extend_from_slice(&bytes);
            Ok(bytes)
        };
        let [verb, length] = take(2)?[..] else { return Ok(()) };
        let mailbox = take(length.into())?;
        if verb == b'P' {
            let length = usize::try_from(u32::from_be_bytes(take(4)?.try_into().unwrap_or_default()))?;
            ensure!(length <= MAX_MESSAGE, "a message of {length} bytes");
            let message = take(length)?;
            let mut mailboxes = locked(&self.mailboxes);
            let waiting = mailboxes.entry(mailbox).or_default();
            let has_room = waiting.len() < MAX_WAITING;
            if has_room {
                waiting.push_back(message);
            }
            exchange.answer = vec![u8::from(has_room)];
        } else {
            let oldest = locked(&self.mailboxes).get_mut(&mailbox).and_then(VecDeque::pop_front);
            exchange.answer = match oldest {
                Some(bytes) => [&[1], &(bytes.len() as u32).to_be_bytes()[..], &bytes].concat(),
                None => vec![0],
            };
        }
        Ok(connection.write_all(&exchange.answer)?)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A device's way to the relay.
#[derive(Clone, Copy, Debug)]
pub struct Post(SocketAddr);

impl Post {
    /// To the relay at this address.
    pub fn to(relay: SocketAddr) -> Self {
        Self(relay)
    }

    /// Puts a message into a mailbox. Without an error it is there.
    pub fn put(&self, mailbox: &str, message: &[u8]) -> Result<()> {
        let mut connection = self.ask(b'P', mailbox)?;
        connection.write_all(&u32::try_from(message.len())?.to_be_bytes())?;
        connection.write_all(message)?;
        let mut answer = Vec::new();
        connection.take(2).read_to_end(&mut answer)?;
        match answer[..] {
            [1] => Ok(()),
            [0] => bail!("the mailbox of {mailbox} is full"),
            _ => bail!("the relay answers something else"),
        }
    }

    /// Takes the oldest message out of a mailbox.
    pub fn take(&self, mailbox: &str) -> Result<Option<Vec<u8>>> {
        let mut connection = self.ask(b'T', mailbox)?;
        let mut answer = Vec::new();
        (&mut connection).take(MAX_MESSAGE as u64 + 5).read_to_end(&mut answer)?;
        match answer.split_first() {
            Some((1, rest)) => {
                let (length, message) = rest.split_first_chunk().context("the relay's answer is cut")?;
                ensure!(u32::from_be_bytes(*length) as usize == message.len(), "the relay's answer is cut");
                Ok(Some(message.to_vec()))
            }
            Some((0, [])) => Ok(None),
            _ => bail!("the relay answers something else"),
        }
    }

    fn ask(&self, verb: u8, mailbox: &str) -> Result<TcpStream> {
        let mut connection = TcpStream::connect_timeout(&self.0, PATIENCE).context("the relay can't be reached")?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let head = [&[verb, u8::try_from(mailbox.len())?], mailbox.as_bytes()].concat();
        connection.write_all(&head)?;
        Ok(connection)
    }
}
