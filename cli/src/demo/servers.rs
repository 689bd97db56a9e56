//! The servers of the demo: the same as `isonomy log serve`, `witness serve` and `monitor serve`, on free ports of this
//! machine.

use super::cast::{Cast, WITNESSES};
use super::folder_server::FolderServer;
use anyhow::{Context, Result};
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_serve::{Rates, Settings};
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How often the demo's log publishes an unchanged tree with fresh cosignatures.
pub(crate) const REPUBLISH: Duration = Duration::from_secs(1);
/// How often the demo's monitor looks.
const POLL: Duration = Duration::from_secs(1);

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) url: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<()>>,
}

impl Running {
    /// Starts what `serve` gives, which ends when the receiver does.
    fn start<F>(address: SocketAddr, serve: impl FnOnce(oneshot::Receiver<()>) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        Self { address, url: format!("http://{address}"), stop, task: tokio::spawn(serve(stopped)) }
    }

    /// Stops it, and says if it failed.
    pub(crate) async fn stop(self) -> Result<()> {
        // A server that has ended already has dropped its end.
        let _ = self.stop.send(());
        self.task.await.context("a server panicked")?
    }
}

/// A log whose operator misbehaves: what it serves, and the task that publishes it anew.
pub(crate) struct Misbehaving {
    pub(crate) server: FolderServer,
    pub(crate) publishing: JoinHandle<Result<()>>,
}

/// All servers.
pub(crate) struct Servers {
    pub(crate) log: Option<Running>,
    pub(crate) witnesses: Vec<Running>,
    pub(crate) monitor: Running,
    /// Who answers at the log's address once its operator misbehaves.
    pub(crate) misbehaving: Option<Misbehaving>,
    /// Log and witnesses with their URLs, and the quorum.
    pub(crate) trust: TlogPolicy,
}

impl Servers {
    /// Starts them all, each with its own keys and folder.
    pub(crate) async fn start(cast: &Cast, data: &Path) -> Result<Self> {
        let log_listener = listener().await?;
        let log_url = format!("http://{}", log_listener.local_addr()?);
        let mut witnesses = Vec::new();
        for name in WITNESSES {
            witnesses.push(start_witness(cast, name, &data.join(name)).await?);
        }
        let urls: Vec<&str> = witnesses.iter().map(|witness| witness.url.as_str()).collect();
        let text = cast.trust_text(&log_url, &urls)?;
        isonomy_store::files::replace(&data.join("trust.policy"), text.as_bytes())?;
        let trust = TlogPolicy::parse(text.as_bytes())?;
        let log = start_log(cast, log_listener, &trust, &data.join("log"))?;
        let monitor = start_monitor(&trust, &data.join("monitor")).await?;
        Ok(Self { log: Some(log), witnesses, monitor, misbehaving: None, trust })
    }

    /// Stops them all.
    pub(crate) async fn stop(self) -> Result<()> {
        self.monitor.stop().await?;
        if let Some(log) = self.log {
            log.stop().await?;
        }
        if let Some(Misbehaving { server, publishing }) = self.misbehaving {
            drop(server);
            publishing.abort();
        }
        for witness in self.witnesses {
            witness.stop().await?;
        }
        Ok(())
    }
}

async fn listener() -> Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await.context("can't listen on this machine")
}

async fn start_witness(cast: &Cast, name: &str, data: &Path) -> Result<Running> {
    let listener = listener().await?;
    let key = cast.key(name)?;
    isonomy_witness::begin(data, key.verifier())?;
    let config = isonomy_witness::Config {
        data: data.to_owned(),
        key,
        logs: vec![cast.key("log")?.verifier().clone()],
        serving: Settings::new(Rates::UNLIMITED),
    };
    Ok(Running::start(listener.local_addr()?, |stopped| async move {
        Ok(isonomy_witness::run(listener, config, async { drop(stopped.await) }).await?)
    }))
}

fn start_log(cast: &Cast, listener: TcpListener, trust: &TlogPolicy, data: &Path) -> Result<Running> {
    let config = isonomy_log_server::Config {
        data: data.to_owned(),
        key: cast.key("log")?,
        policy: trust.clone(),
        publishers: vec![cast.key("maintainer")?.verifier().clone()],
        auditors: Vec::new(),
        republish_every: REPUBLISH,
        seen_proofs: Default::default(),

        access: Vec::new(),
        serving: Settings::new(Rates::UNLIMITED),
    };
    Ok(Running::start(listener.local_addr()?, |stopped| async move {
        Ok(isonomy_log_server::run(listener, config, async { drop(stopped.await) }).await?)
    }))
}

async fn start_monitor(trust: &TlogPolicy, data: &Path) -> Result<Running> {
    let listener = listener().await?;
    let watch =
        isonomy_monitor::Watch { poll_every: POLL, ..isonomy_monitor::Watch::new(data.to_owned(), trust.clone()) };
    Ok(Running::start(listener.local_addr()?, |stopped| async move {
        Ok(isonomy_monitor::run(listener, watch, async { drop(stopped.await) }).await?)
    }))
}
