//! What all servers share: an address to listen on, and an end.

use crate::output::Output;
use anyhow::{Context, Result};
use serde_json::json;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Listens, and says where: the line is the sign that the server is ready for connections.
pub(crate) async fn listen(address: SocketAddr, what: &str, output: &Output) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("can't listen on {address}; is another server running there? Choose another address with --listen")
    })?;
    let url = format!("http://{}", listener.local_addr()?);
    output.report(format!("{what} listens on {url}"), &json!({ "what": what, "url": url }))?;
    Ok(listener)
}

/// Completes when the process is asked to end: Ctrl-C, or SIGTERM on Unix.
pub(crate) async fn shutdown() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
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
