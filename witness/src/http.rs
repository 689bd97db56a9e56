//! The paths of C2SP [tlog-witness], under one prefix for submission and monitoring.
//!
//! | path | answer |
//! |---|---|
//! | `POST /add-checkpoint` | 200 with the witness's signature line; else the status that [`decide`](crate::decide) lists and words, 500 if the log is in doubt |
//! | `GET /<sha256 of origin, hex>/checkpoint` | the last cosigned checkpoint; 404 if there is none, 500 if the log is in doubt |
//! | `GET /healthz` | 200; 503 with the origins of the logs that are in doubt |
//! | `GET /` | the witness's public key and its logs, for people |
//!
//! [tlog-witness]: https://c2sp.org/tlog-witness

use crate::connection::{self, Limits};
use crate::decide::{MAX_REQUEST_SIZE, Refusal};
use crate::witness::{AddError, Config, Doubt, OpenError, Witness};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use isonomy_core::add_checkpoint::{ADD_CHECKPOINT_PATH, CONFLICT_CONTENT_TYPE};
use isonomy_core::time::Timestamp;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::net::TcpListener;
use tower_http::timeout::TimeoutLayer;

/// Why a witness does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It can't start.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The program's runtime ended while the witness started.
    #[error("the witness was stopped while it started")]
    Stopped,
}

/// Runs a witness on `listener` until `shutdown` completes, with the system's clock.
///
/// Logs that are in doubt are refused, and said so on `tracing`; only a folder that can't be used at all is an error.
/// Nothing is noted about who asks for what. For TLS put a proxy in front.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    run_with(listener, config, Limits::default(), shutdown).await
}

async fn run_with(
    listener: TcpListener,
    config: Config,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let opened = tokio::task::spawn_blocking(move || Witness::open(config)).await;
    let witness = opened.map_err(|_| ServeError::Stopped)??;
    tracing::info!(key = %witness.key(), logs = witness.logs().count(), "the witness is ready");
    connection::serve(listener, router(Arc::new(witness), limits), limits, shutdown).await;
    Ok(())
}

fn router(witness: Arc<Witness>, limits: Limits) -> Router {
    Router::new()
        .route("/", get(introduction))
        .route("/healthz", get(health))
        .route("/{origin}/checkpoint", get(latest))
        .route(&format!("/{ADD_CHECKPOINT_PATH}"), post(add_checkpoint))
        .layer(DefaultBodyLimit::max(MAX_REQUEST_SIZE))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, limits.request))
        .with_state(witness)
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    // Not cancelled with the request: what is stored is stored, and a client that has gone asks again.
    match blocking(move || witness.add_checkpoint(&body, now())).await {
        Some(Ok(cosignature)) => text(StatusCode::OK, cosignature.to_string()),
        Some(Err(AddError::Refused(refusal))) => refused(&refusal),
        Some(Err(AddError::Doubt(doubt))) => doubtful(&doubt),
        None => failed(),
    }
}

async fn latest(State(witness): State<Arc<Witness>>, Path(origin): Path<String>) -> Response {
    match blocking(move || witness.latest(&origin)).await {
        Some(Ok(Some(checkpoint))) => text(StatusCode::OK, checkpoint.to_string()),
        Some(Ok(None)) => text(StatusCode::NOT_FOUND, "no checkpoint of this log has been cosigned here\n".to_owned()),
        Some(Err(doubt)) => doubtful(&doubt),
        None => failed(),
    }
}

async fn health(State(witness): State<Arc<Witness>>) -> Response {
    let Some(doubts) = blocking(move || witness.doubts()).await else { return failed() };
    match doubts.iter().map(words).collect::<String>() {
        words if words.is_empty() => text(StatusCode::OK, "ok\n".to_owned()),
        words => text(StatusCode::SERVICE_UNAVAILABLE, words),
    }
}

async fn introduction(State(witness): State<Arc<Witness>>) -> Response {
    let logs: String = witness.logs().map(|log| format!("  {}\n", log.origin())).collect();
    text(
        StatusCode::OK,
        format!(
            "This is a transparency log witness (https://c2sp.org/tlog-witness).\nKey: {}\nLogs:\n{logs}",
            witness.key()
        ),
    )
}

/// Runs what waits for a lock or a disk; `None` if it panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// What the clock shows; 0, which no cosignature can hold, if that is before 1970.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp(since.map_or(0, |duration| duration.as_secs()))
}

fn text(status: StatusCode, body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (status, headers, body).into_response()
}

fn refused(refusal: &Refusal) -> Response {
    if let Refusal::Conflict { known } = refusal {
        let headers = [(header::CONTENT_TYPE, CONFLICT_CONTENT_TYPE)];
        return (StatusCode::CONFLICT, headers, format!("{known}\n")).into_response();
    }
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    text(status, format!("{refusal}\n"))
}

fn doubtful(doubt: &Doubt) -> Response {
    text(StatusCode::INTERNAL_SERVER_ERROR, words(doubt))
}

/// Without the reason, which may name folders and is for the operator.
fn words(doubt: &Doubt) -> String {
    format!(
        "what this witness remembers of the log {:?} is in doubt, so it cosigns nothing of it until its operator acts\n",
        doubt.origin
    )
}

fn failed() -> Response {
    text(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed to answer; its operator must look at it\n".to_owned())
}
