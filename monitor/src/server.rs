//! Following and serving, until it is told to stop.

use crate::http;
use crate::served::Served;
use crate::watch::{LOOK_FOR, Watch, WatchError, keep_looking, open};
use futures_util::future::join_all;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Follows logs and serves what was found on `listener`, until `shutdown` is done.
///
/// The pages are there at once, with what was known when the monitor stopped. A look that fails for want of a disk or the
/// like is said so on `tracing` and repeated; `/healthz` tells when the last good one is long ago. Nothing is noted about
/// who asks for what.
pub async fn run(
    listener: TcpListener,
    watch: Watch,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), WatchError> {
    let (poll_every, settings) = (watch.poll_every, watch.serving.clone());
    let monitors = open(watch, Some(LOOK_FOR)).await?;
    let served = Arc::new(Served::new(&monitors, poll_every));
    let (stopper, stop) = watch::channel(false);
    let followers: Vec<_> = monitors
        .into_iter()
        .enumerate()
        .map(|(at, monitor)| {
            let served = Arc::clone(&served);
            keep_looking(monitor, poll_every, stop.clone(), move |monitor, stage| served.show(at, monitor, stage))
        })
        .collect();
    let stopped = async move {
        shutdown.await;
        stopper.send_replace(true);
    };
    http::serve(listener, served, settings, stopped).await;
    join_all(followers).await.into_iter().collect::<Result<Vec<()>, _>>()?;
    Ok(())
}
