//! A folder over HTTP: what a mirror is, and all that an attacker needs.

use anyhow::{Context, Result};
use axum::Router;
use std::net::SocketAddr;
use std::path::Path;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::services::ServeDir;

/// A running server; it stops when this is dropped.
pub(crate) struct FolderServer {
    pub(crate) url: String,
    task: JoinHandle<()>,
}

impl FolderServer {
    /// Serves `folder` on a free port of this machine.
    pub(crate) async fn start(folder: &Path) -> Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), folder).await
    }

    /// Serves `folder` at this address.
    pub(crate) async fn start_at(address: SocketAddr, folder: &Path) -> Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| format!("can't listen on {address}"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let service = Router::new().fallback_service(ServeDir::new(folder));
        let task = tokio::spawn(async move {
            // It ends with the task; there is nobody to tell.
            let _ = axum::serve(listener, service).await;
        });
        Ok(Self { url, task })
    }
}

impl Drop for FolderServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
