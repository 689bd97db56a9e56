//! Connections of a server: how many there may be, of all and of one client; how long each may keep the server waiting; how
//! often one client may ask; TLS; and how all of them end.
//!
//! A server that doesn't limit them is stopped by anybody who opens a thousand and says nothing: the process runs out of
//! file descriptors, and then it can't write its own files any more. What a request may cost, its body and the time until
//! its answer, is for the router to limit; `axum::serve` limits nothing.
//!
//! | to do | use |
//! |---|---|
//! | serve | [`serve`], with [`Limits`] alone; [`serve_with`], with all [`Settings`] |
//! | answer some requests from memory, before any router | [`App::with_shelf`] |
//! | read settings from a configuration | [`Section`] |
//! | show what was counted | [`Meter`] |

#![forbid(unsafe_code)]

mod answer;
mod client;
mod drain;
mod gate;
mod linger;
mod logging;
mod meter;
mod places;
mod rate;
mod seats;
mod section;
mod settings;
mod tls;
mod unread;

pub use client::Clients;
pub use gate::Rates;
pub use logging::{LogFormat, Logging};
pub use meter::Meter;
pub use rate::Rate;
pub use section::Section;
pub use settings::{Limits, Settings};
pub use tls::{Tls, TlsError, TlsFiles};

use answer::{Answer, Content};
use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderMap, Method, Request, Response, Version, header};
use drain::Drained;
use gate::Gate;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use linger::Lingering;
use meter::Kind;
use places::Places;
use seats::{Seat, Seats};
use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use unread::Reading;

/// How long an idle connection that is told to end is waited for, before another one is.
const ROOM: Duration = Duration::from_millis(100);

/// Answers from memory what it can: to a `GET` without a body of this path, with these headers. Must not wait for anything.
pub type Shelf = Arc<dyn Fn(&str, &HeaderMap) -> Option<Response<Bytes>> + Send + Sync>;

/// What answers requests.
#[derive(Clone)]
pub struct App {
    router: Router,
    shelf: Option<Shelf>,
}

impl From<Router> for App {
    fn from(router: Router) -> Self {
        Self { router, shelf: None }
    }
}

impl App {
    /// A router, and before it a shelf with what is asked for most. All limits of connections and clients hold for both, but
    /// the router's own layers see only what the shelf does not answer.
    pub fn with_shelf(router: Router, shelf: Shelf) -> Self {
        Self { router, shelf: Some(shelf) }
    }
}

/// Serves HTTP/1.1 until `shutdown` completes. Then no connection is accepted any more, and those that are left at the
/// end of the time for stopping are cut. Clients may ask as often as they like.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, shutdown: impl Future<Output = ()> + Send) {
    let settings = Settings { limits, ..Settings::new(Rates::UNLIMITED) };
    serve_with(listener, router, settings, shutdown).await;
}

/// Like [`serve`], with everything that an operator can set.
pub async fn serve_with(
    listener: TcpListener,
    app: impl Into<App>,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send,
) {
    let server = Server::new(app.into(), settings);
    let reloading = server.settings.tls.clone().map(|tls| tokio::spawn(tls.reload_on_hangup()));
    let stopping = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, address) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut shutdown => break,
        };
        let Some(place) = server.places.take(address.ip()) else {
            server.settings.meter.count_turned_away();
            continue;
        };
        let permit = tokio::select! {
            Some(permit) = server.room() => permit,
            () = &mut shutdown => break,
        };
        let (server, watcher) = (server.clone(), stopping.watcher());
        connections.spawn(async move {
            let (_held, seat) = ((permit, place, server.settings.meter.connected()), server.seats.take());
            tokio::select! {
                () = server.converse(stream, address.ip(), &seat, watcher) => {}
                () = seat.closed() => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let _ = tokio::time::timeout(server.settings.limits.stop, stopping.shutdown()).await;
    connections.shutdown().await;
    if let Some(reloading) = reloading {
        reloading.abort();
    }
}

/// What all connections share.
#[derive(Clone)]
struct Server {
    app: App,
    gate: Arc<Gate>,
    settings: Settings,
    builder: Builder,
    permits: Arc<Semaphore>,
    places: Places,
    seats: Seats,
}

impl Server {
    fn new(app: App, settings: Settings) -> Self {
        let limits = settings.limits;
        let mut builder = Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(limits.headers).max_headers(limits.header_count);
        let gate = Arc::new(Gate::new(settings.clients, settings.rates, Arc::clone(&settings.meter)));
        let per_client = match settings.clients {
            Clients::Direct => limits.connections_per_client,
            Clients::BehindProxy => usize::MAX,
        };
        settings.meter.limit_connections(limits.connections);
        let permits = Arc::new(Semaphore::new(limits.connections));
        Self { app, gate, settings, builder, permits, places: Places::new(per_client), seats: Seats::new() }
    }

    /// Room for one more connection. If there is none, the one that has been idle for longest ends; while all are busy, one of
    /// them is waited for.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Some(permit);
        }
        self.settings.meter.count_waited();
        loop {
            if self.seats.close_idlest() {
                self.settings.meter.count_closed_idle();
            }
            let freed = Arc::clone(&self.permits).acquire_owned();
            if let Ok(permit) = tokio::time::timeout(ROOM, freed).await {
                return permit.ok();
            }
        }
    }

    /// Serves one connection to its end. What a client does to it is its own affair.
    async fn converse(&self, stream: TcpStream, peer: IpAddr, seat: &Arc<Seat>, watcher: Watcher) {
        let limits = &self.settings.limits;
        let stream = Drained::new(stream, limits.drain);
        match &self.settings.tls {
            None => self.answer(stream, peer, seat, watcher).await,
            Some(tls) => {
                let agreed = tokio::time::timeout(limits.headers, tls.acceptor().accept(stream)).await;
                if let Ok(Ok(stream)) = agreed {
                    self.answer(stream, peer, seat, watcher).await;
                }
            }
        }
    }

    async fn answer<S>(&self, stream: S, peer: IpAddr, seat: &Arc<Seat>, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let desk = Arc::new(Desk {
            router: TowerToHyperService::new(self.app.router.clone()),
            shelf: self.app.shelf.clone(),
            gate: Arc::clone(&self.gate),
            peer,
            seat: Arc::clone(seat),
        });
        let service = service_fn(move |request: Request<Incoming>| {
            let desk = Arc::clone(&desk);
            async move { Ok::<_, Infallible>(desk.answer(request).await) }
        });
        let stream = TokioIo::new(Lingering::new(stream, self.settings.limits.linger));
        let connection = self.builder.serve_connection(stream, service);
        let _ = watcher.watch(connection).await;
    }
}

/// Where the requests of one connection are answered.
struct Desk {
    router: TowerToHyperService<Router>,
    shelf: Option<Shelf>,
    gate: Arc<Gate>,
    peer: IpAddr,
    seat: Arc<Seat>,
}

impl Desk {
    async fn answer(&self, request: Request<Incoming>) -> Response<Answer> {
        let (started, kind, busy) = (Instant::now(), Kind::of(request.method()), self.seat.busy());
        let response = match self.gate.admit(kind, self.peer, request.headers()) {
            Err(wait) => refuse(request, gate::too_many(wait)),
            Ok(()) if lacks_host(&request) => refuse(request, gate::no_host()),
            Ok(()) => match self.shelved(&request) {
                Some(ready) => ready.map(|bytes| Content::Ready(Some(bytes))),
                None => self.route(request).await,
            },
        };
        self.gate.count(kind, response.status(), started);
        response.map(|content| Answer { content, _busy: busy })
    }

    fn shelved(&self, request: &Request<Incoming>) -> Option<Response<Bytes>> {
        let shelf =
            self.shelf.as_ref().filter(|_| *request.method() == Method::GET && request.body().is_end_stream())?;
        shelf(request.uri().path(), request.headers())
    }

    async fn route(&self, request: Request<Incoming>) -> Response<Content> {
        let (reading, request) = Reading::watch(request);
        let Ok(mut response) = self.router.call(request).await;
        reading.end_if_unread(&mut response);
        response.map(Content::Routed)
    }
}

/// Whether a request does not say which host it is for, as one of HTTP/1.1 has to (RFC 9112, 3.2).
fn lacks_host(request: &Request<Incoming>) -> bool {
    request.version() == Version::HTTP_11 && !request.headers().contains_key(header::HOST)
}

/// Answers without reading what the client has sent.
fn refuse(request: Request<Incoming>, mut response: axum::response::Response) -> Response<Content> {
    let (reading, _) = Reading::watch(request);
    reading.end_if_unread(&mut response);
    response.map(Content::Routed)
}

/// The next connection.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let _ = stream.set_nodelay(true); // answers are small and whole
                return (stream, address);
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
mod tests;
