//! Following and serving, until it is told to stop.

use crate::alert::Alerts;
use crate::finding::Finding;
use crate::http::{self, Shown};
use crate::monitor::{Config, Monitor, MonitorError, system_clock};
use crate::report::Report;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinError, spawn_blocking};

/// How many findings wait to be told.
const MAX_UNTOLD: usize = 1000;

/// Why a monitor does not serve, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It can't start.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// A thread has died.
    #[error("a part of the monitor has panicked; its message is before this one")]
    Panicked(#[from] JoinError),
}

/// Follows a log and serves what was found on `listener`, until `shutdown` is done.
///
/// The page is there at once, with what was known when the monitor stopped. A look that fails for want of a disk or the
/// like is said so on `tracing` and repeated; `/healthz` tells when the last good one is long ago. Nothing is noted about
/// who asks for what. For TLS put a proxy in front.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (poll_every, alerts) = (config.poll_every, config.alerts.clone());
    if poll_every.is_zero() {
        return Err(MonitorError::Config("the time between two looks is zero").into());
    }
    let monitor = spawn_blocking(move || Monitor::open(config)).await??;
    let shown = Shown::new(&monitor, poll_every);
    let (stopper, stop) = watch::channel(false);
    // What a look does with files and lists takes its time, so it gets a thread of its own.
    let (shown, runtime) = (Arc::new(shown), Handle::current());
    let follower = {
        let shown = Arc::clone(&shown);
        spawn_blocking(move || runtime.block_on(follow(monitor, shown, (poll_every, alerts), stop)))
    };
    let stopped = async move {
        shutdown.await;
        stopper.send_replace(true);
    };
    http::serve(listener, shown, stopped).await;
    Ok(follower.await?)
}

/// Looks again and again. A look that is under way at the end is dropped: whatever it has written is whole.
async fn follow(
    mut monitor: Monitor,
    shown: Arc<Shown>,
    (poll_every, alerts): (Duration, Option<Alerts>),
    mut stop: watch::Receiver<bool>,
) {
    let mut untold = Vec::new();
    loop {
        let look = async {
            match monitor.poll(system_clock(), |monitor| shown.show(monitor)).await {
                Ok(report) => {
                    shown.show_complete(&monitor);
                    untold.extend(monitor.news());
                    tell(alerts.as_ref(), &report, &mut untold).await;
                }
                Err(error) => tracing::error!(%error, "a look at the log failed; it will be repeated"),
            }
            tokio::time::sleep(poll_every).await;
        };
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            () = look => {}
        }
    }
}

/// Tells of what is new; what could not be told waits for the next look.
async fn tell(alerts: Option<&Alerts>, report: &Report, untold: &mut Vec<Finding>) {
    let told = match alerts {
        Some(alerts) => alerts.tell(report, untold).await,
        None => Ok(()),
    };
    match told {
        Ok(()) => untold.clear(),
        Err(error) => {
            tracing::error!(%error, "an alert could not be sent; it will be repeated");
            untold.truncate(MAX_UNTOLD);
        }
    }
}
