//! What all servers share: an address to listen on, and an end.

use crate::output::Output;
use anyhow::{Context, Result};
use isonomy_fetch::{FetchError, document};
use isonomy_serve::Settings;
use serde_json::json;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The most bytes of an answer about health.
const MAX_HEALTH: u64 = 64 * 1024;

/// Listens for a server that is to be started.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("can't listen on {address}; is another server running there? Choose another address: `listen` in the configuration, or --listen if there is none")
    })
}

/// Runs a server to its end. Where it listens is said once it answers, not before.
pub(crate) async fn run<E>(
    address: SocketAddr,
    scheme: Scheme,
    what: &str,
    output: &Output,
    server: impl Future<Output = Result<(), E>>,
) -> Result<()>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let url = match scheme {
        Scheme::Http => format!("http://{address}"),
        Scheme::Https => format!("https://{address}"),
    };
    let mut server = pin!(server);
    tokio::select! {
        ended = &mut server => return Ok(ended?),
        () = answers(scheme, address) => {}
    }
    output.report_line(format!("{what} listens on {url}"), &json!({ "what": what, "url": url }))?;
    Ok(server.await?)
}

/// What a server speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// What a server with these settings speaks.
    pub(crate) fn of(settings: &Settings) -> Self {
        if settings.tls.is_some() { Self::Https } else { Self::Http }
    }
}

/// Completes when the server answers, whatever it answers.
async fn answers(scheme: Scheme, address: SocketAddr) {
    match scheme {
        Scheme::Http => answers_http(&format!("http://{address}")).await,
        Scheme::Https => while !ends_nonsense(address).await {},
    }
}

/// Whether the server ends a connection on which something else than TLS comes: it does so once it serves. To ask it
/// properly, its certificate would have to be for this address.
async fn ends_nonsense(address: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"nonsense\n").await?;
        stream.read_to_end(&mut Vec::new()).await
    };
    matches!(tokio::time::timeout(Duration::from_secs(5), ask).await, Ok(Ok(_)))
}

async fn answers_http(url: &str) {
    while let Err(FetchError::Unreachable { .. } | FetchError::TooSlow { .. } | FetchError::Interrupted { .. }) =
        document(url, "healthz", MAX_HEALTH).await
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Calls `read` whenever the process is asked to read its configuration again, by SIGHUP on Unix; for ever.
pub(crate) async fn on_hangup(mut read: impl FnMut()) {
    #[cfg(unix)]
    {
        use std::io::IsTerminal;
        use tokio::signal::unix::{SignalKind, signal};
        // In a terminal the signal means that somebody has closed it.
        if std::io::stdin().is_terminal() {
            return;
        }
        let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
        while hangups.recv().await.is_some() {
            read();
        }
    }
    #[cfg(not(unix))]
    drop(read);
}

/// Completes when the process is asked to end: Ctrl-C, or SIGTERM on Unix.
pub(crate) async fn shutdown() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use std::io::IsTerminal;
        use tokio::signal::unix::{SignalKind, signal};
        // A service is asked by SIGHUP to read its certificate again (`serve`); one that has none must not end by it. Once
        // there is a handler, the signal has no other effect. In a terminal it means that somebody has closed it.
        if !std::io::stdin().is_terminal() {
            drop(signal(SignalKind::hangup()));
        }
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            },
            Err(_) => drop(interrupt.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}
