//! The paths of C2SP [tlog-witness], under one prefix for submission and monitoring.
//!
//! | path | answer |
//! |---|---|
//! | `POST /add-checkpoint` | 200 with the witness's signature line; else the status that [`decide`](crate::decide) lists and words, 500 if the log is in doubt |
//! | `GET /<sha256 of origin, hex>/checkpoint` | the last cosigned checkpoint; 404 if there is none, 500 if the log is in doubt |
//! | `GET /healthz` | 200; 503 with the origins of the logs that are in doubt, or of which the clock keeps it from cosigning anything |
//! | `GET /evidence` | the paths of what logs have sent against themselves, one on each line |
//! | `GET /evidence/<name>` | one of them, JSON: a fork (`isonomy/fork/v1`), or a checkpoint that was not shown to follow (`isonomy/refused-checkpoint/v1`) |
//! | `GET /metrics` | Prometheus, in OpenMetrics form |
//! | `GET /` | the witness's public key and its logs, for people |
//!
//! [tlog-witness]: https://c2sp.org/tlog-witness

use crate::decide::{MAX_REQUEST_SIZE, Refusal};
use crate::state::MAX_EVIDENCE;
use crate::witness::{AddError, Config, Doubt, OpenError, Witness};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use isonomy_core::add_checkpoint::{ADD_CHECKPOINT_PATH, CONFLICT_CONTENT_TYPE};
use isonomy_core::time::Timestamp;
use isonomy_serve::{Meter, Rate, Rates, serve_with};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// How often one client may ask a witness, if nothing else is configured. A log asks for each of its checkpoints, twice where
/// it does not know the last size; a busy one has dozens in a second.
pub const RATES: Rates =
    Rates { reads: Some(Rate { per_second: 20, burst: 200 }), writes: Some(Rate { per_second: 100, burst: 1000 }) };
/// How long a request may take, from its headers to its answer.
const REQUEST: Duration = Duration::from_secs(30);

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
/// Nothing is noted about who asks for what.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    run_with(listener, config, REQUEST, shutdown).await
}

async fn run_with(
    listener: TcpListener,
    config: Config,
    request: Duration,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let serving = config.serving.clone();
    let opened = tokio::task::spawn_blocking(move || Witness::open(config)).await;
    let witness = opened.map_err(|_| ServeError::Stopped)??;
    tracing::info!(key = %witness.key(), logs = witness.logs().count(), "the witness is ready");
    let surface = Surface { witness: Arc::new(witness), meter: Arc::clone(&serving.meter) };
    serve_with(listener, router(surface, request), serving, shutdown).await;
    Ok(())
}

/// What the handlers share.
#[derive(Clone)]
struct Surface {
    witness: Arc<Witness>,
    meter: Arc<Meter>,
}

fn router(surface: Surface, request: Duration) -> Router {
    Router::new()
        .route("/", get(introduction))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .route("/evidence", get(evidence_names))
        .route("/evidence/{name}", get(evidence))
        .route("/{origin}/checkpoint", get(latest))
        .route(&format!("/{ADD_CHECKPOINT_PATH}"), post(add_checkpoint))
        .layer(RequestBodyLimitLayer::new(MAX_REQUEST_SIZE))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, request))
        .with_state(surface)
}

async fn add_checkpoint(State(Surface { witness, .. }): State<Surface>, body: Bytes) -> Response {
    // Not cancelled with the request: what is stored is stored, and a client that has gone asks again.
    match blocking(move || witness.add_checkpoint(&body, now())).await {
        Some(Ok(cosignature)) => text(StatusCode::OK, cosignature.to_string()),
        Some(Err(AddError::Refused(refusal))) => refused(&refusal),
        Some(Err(AddError::Doubt(doubt))) => doubtful(&doubt),
        None => failed(),
    }
}

async fn latest(State(Surface { witness, .. }): State<Surface>, Path(origin): Path<String>) -> Response {
    match blocking(move || witness.latest(&origin)).await {
        Some(Ok(Some(checkpoint))) => text(StatusCode::OK, checkpoint.to_string()),
        Some(Ok(None)) => text(StatusCode::NOT_FOUND, "no checkpoint of this log has been cosigned here\n".to_owned()),
        Some(Err(doubt)) => doubtful(&doubt),
        None => failed(),
    }
}

async fn health(State(Surface { witness, .. }): State<Surface>) -> Response {
    let look = move || (witness.doubts(), witness.clock_refusals(now()), witness.evidence_counts());
    let Some((doubts, clocks, counts)) = blocking(look).await else { return failed() };
    let Ok(counts) = counts else { return failed() };
    let forked = counts.iter().filter(|(_, forks, _)| *forks > 0);
    let warnings: String = forked
        .map(|(origin, ..)| format!("warning: the log {origin:?} forked; the evidence is under /evidence\n"))
        .chain(counts.iter().filter(|counted| is_full(counted)).map(|(origin, ..)| {
            format!("warning: of the log {origin:?} so much evidence is kept that no more is; its operator must move it away\n")
        }))
        .collect();
    let clocks =
        clocks.iter().map(|(origin, refusal)| format!("nothing of the log {origin:?} is cosigned: {refusal}\n"));
    match doubts.iter().map(words).chain(clocks).collect::<String>() {
        words if words.is_empty() => text(StatusCode::OK, format!("ok\n{warnings}")),
        words => text(StatusCode::SERVICE_UNAVAILABLE, words + &warnings),
    }
}

async fn introduction(State(Surface { witness, .. }): State<Surface>) -> Response {
    let logs: String = witness.logs().map(|log| format!("  {}\n", log.origin())).collect();
    text(
        StatusCode::OK,
        format!(
            "This is a transparency log witness (https://c2sp.org/tlog-witness).\nKey: {}\nLogs:\n{logs}",
            witness.key()
        ),
    )
}

/// The paths of all that is kept as evidence, one on each line.
async fn evidence_names(State(Surface { witness, .. }): State<Surface>) -> Response {
    match blocking(move || witness.evidence_names()).await {
        Some(Ok(names)) => text(StatusCode::OK, names.iter().map(|name| format!("evidence/{name}\n")).collect()),
        Some(Err(_)) | None => failed(),
    }
}

async fn evidence(State(Surface { witness, .. }): State<Surface>, Path(name): Path<String>) -> Response {
    match blocking(move || witness.evidence(&name)).await {
        Some(Ok(Some(file))) => {
            ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], file).into_response()
        }
        Some(Ok(None)) => text(StatusCode::NOT_FOUND, "there is no such evidence\n".to_owned()),
        Some(Err(_)) | None => failed(),
    }
}

/// Whether there is no room for more evidence of one kind.
fn is_full((_, forks, refused): &(String, usize, usize)) -> bool {
    *forks.max(refused) >= MAX_EVIDENCE
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfLog {
    origin: String,
}

/// Numbers about each log. A log in doubt has no size and no time.
async fn metrics(State(Surface { witness, meter }): State<Surface>) -> Response {
    let Some((views, counts)) = blocking(move || (witness.views(), witness.evidence_counts())).await else {
        return failed();
    };
    let [size, time, behind, doubt, forks, refused, full]: [Family<OfLog, Gauge>; 7] = Default::default();
    for counted in counts.unwrap_or_default() {
        let is_full = is_full(&counted);
        let (origin, forked, refusals) = counted;
        let label = OfLog { origin };
        full.get_or_create(&label).set(i64::from(is_full));
        forks.get_or_create(&label).set(i64::try_from(forked).unwrap_or(i64::MAX));
        refused.get_or_create(&label).set(i64::try_from(refusals).unwrap_or(i64::MAX));
    }
    for (origin, view) in views {
        let label = OfLog { origin };
        doubt.get_or_create(&label).set(i64::from(view.is_err()));
        if let Ok(Some(view)) = view {
            size.get_or_create(&label).set(i64::try_from(view.size.0).unwrap_or(i64::MAX));
            time.get_or_create(&label).set(i64::try_from(view.time.0).unwrap_or(i64::MAX));
            behind.get_or_create(&label).set(i64::try_from(view.time.since(now())).unwrap_or(i64::MAX));
        }
    }
    let mut registry = Registry::with_prefix("isonomy_witness");
    registry.register("size", "Entries in the last cosigned checkpoint", size);
    registry.register("cosigned_timestamp_seconds", "The time of the last cosignature", time);
    registry.register(
        "clock_behind_seconds",
        "Seconds by which this machine's clock is behind the last cosignature; 0 if it is not",
        behind,
    );
    registry.register("doubt", "1 if the log is refused until the operator acts, else 0", doubt);
    registry.register("forks", "Forks that the log proved against itself, whose evidence is kept", forks);
    registry.register("evidence_full", "1 if so much evidence is kept of the log that no more is, else 0", full);
    registry.register(
        "refused_checkpoints",
        "Checkpoints that the log signed, not shown to follow, that are kept",
        refused,
    );
    meter.answer(&registry)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ORIGIN, add, checkpoint, config, log, proof, signed, witness_key};
    use isonomy_core::add_checkpoint::{AddCheckpoint, parse_conflict, parse_cosignatures};
    use isonomy_core::checkpoint::CheckpointNote;
    use isonomy_core::cosignature::verify;
    use isonomy_core::note::{KeyType, SigningKey};
    use isonomy_core::tree::TreeSize;
    use isonomy_serve::{Limits, Settings};
    use std::net::SocketAddr;
    use tempfile::TempDir;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    struct Running {
        address: SocketAddr,
        stop: oneshot::Sender<()>,
        task: JoinHandle<Result<(), ServeError>>,
    }

    impl Running {
        async fn start(dir: &TempDir, limits: Limits) -> Self {
            Self::start_with(dir, limits, REQUEST).await
        }

        async fn start_with(dir: &TempDir, limits: Limits, request: Duration) -> Self {
            let mut config = config(dir.path());
            config.serving = Settings { limits, ..Settings::new(Rates::UNLIMITED) };
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (stop, stopped) = oneshot::channel();
            let shutdown = async { drop(stopped.await) };
            let task = tokio::spawn(run_with(listener, config, request, shutdown));
            Self { address, stop, task }
        }

        async fn stop(self) {
            self.stop.send(()).unwrap();
            self.task.await.unwrap().unwrap();
        }

        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }

        /// Sends these bytes and reads until the server closes the connection.
        async fn exchange(&self, bytes: &[u8]) -> Answer {
            let mut stream = self.connect().await;
            let _ = stream.write_all(bytes).await; // the server may answer and close before it has read everything
            Answer::read(stream).await
        }

        async fn get(&self, path: &str) -> Answer {
            self.exchange(format!("GET {path} HTTP/1.1\r\nhost: w\r\nconnection: close\r\n\r\n").as_bytes()).await
        }

        async fn post(&self, body: &[u8]) -> Answer {
            self.exchange(&[&post_head(body.len())[..], body].concat()).await
        }

        async fn add(&self, old: usize, leaves: &[u8]) -> Answer {
            self.post(&add(old, leaves).to_bytes()).await
        }
    }

    fn post_head(length: usize) -> Vec<u8> {
        format!("POST /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n")
            .into()
    }

    struct Answer {
        status: u16,
        head: String,
        body: String,
    }

    impl Answer {
        async fn read(mut stream: TcpStream) -> Self {
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes).await;
            let text = String::from_utf8(bytes).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
            let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
            Self { status, head: head.to_lowercase(), body: body.to_owned() }
        }

        fn has(&self, header: &str) -> bool {
            self.head.lines().any(|line| line == header)
        }
    }

    fn checkpoint_path() -> String {
        format!("/{}/checkpoint", log().id())
    }

    #[tokio::test]
    async fn a_log_gets_its_checkpoints_cosigned_and_everybody_can_see_the_last() {
        let dir = tempfile::tempdir().unwrap();
        let witness = Running::start(&dir, Limits::default()).await;
        assert_eq!(witness.get(&checkpoint_path()).await.status, 404);
        let mut old = 0;
        for leaves in [&b"abc"[..], b"abcdef", b"abcdef"] {
            let before = now();
            let answer = witness.add(old, leaves).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert!(answer.has("content-type: text/plain; charset=utf-8"));
            let lines = parse_cosignatures(answer.body.as_bytes()).unwrap();
            let text = checkpoint(leaves).note().text().to_owned();
            let time = verify(witness_key().verifier(), &text, &lines[0]).unwrap();
            assert!(lines.len() == 1 && before <= time && time <= now());
            let shown = witness.get(&checkpoint_path()).await;
            assert!(shown.status == 200 && shown.has("cache-control: no-cache"));
            assert_eq!(shown.body, checkpoint(leaves).with_cosignatures(&lines).to_string());
            old = leaves.len();
        }
        witness.stop().await;

        let witness = Running::start(&dir, Limits::default()).await;
        assert_eq!(witness.add(0, b"abc").await.status, 409);
        assert_eq!(witness.add(6, b"abcdefg").await.status, 200);
        witness.stop().await;
    }

    #[tokio::test]
    async fn refusals_have_the_specification_s_statuses() {
        let dir = tempfile::tempdir().unwrap();
        let witness = Running::start(&dir, Limits::default()).await;
        assert_eq!(witness.add(0, b"abc").await.status, 200);

        let conflict = witness.add(0, b"abcd").await;
        assert!(conflict.status == 409 && conflict.has("content-type: text/x.tlog.size"));
        assert_eq!(parse_conflict(conflict.body.as_bytes()), Ok(TreeSize(3)));

        let status = async |request: AddCheckpoint| witness.post(&request.to_bytes()).await.status;
        let signed_by = |name: &str, seed: u8| {
            let key = SigningKey::from_seed(name, KeyType::Ed25519, &[seed; 32]).unwrap();
            let checkpoint = isonomy_core::checkpoint::Checkpoint {
                origin: name.into(),
                ..checkpoint(b"abcd").checkpoint().clone()
            };
            AddCheckpoint { checkpoint: CheckpointNote::sign(checkpoint, &key).unwrap(), ..add(3, b"abcd") }
        };
        assert_eq!(status(signed_by("other", 1)).await, 404);
        assert_eq!(status(signed_by(ORIGIN, 9)).await, 403);
        assert_eq!(status(AddCheckpoint { old: TreeSize(5), ..add(3, b"abcd") }).await, 400);
        assert_eq!(status(AddCheckpoint { proof: proof(2, b"abcd"), ..add(3, b"abcd") }).await, 422);
        assert_eq!(status(add(3, b"abx")).await, 422);
        assert_eq!(
            status(AddCheckpoint { checkpoint: signed(checkpoint(b"abcd").checkpoint().clone()), ..add(3, b"abcd") })
                .await,
            200
        );
        assert_eq!(witness.post(b"old 0\n").await.status, 400);
        assert_eq!(witness.post(b"").await.status, 400);
        // The fork, and the checkpoint that was not shown to follow; the other one was, in the end.
        assert_eq!(witness.get("/evidence").await.body.lines().count(), 2);
        let health = witness.get("/healthz").await;
        assert!(health.status == 200 && health.body.contains("warning: the log \"log.example/lists\" forked"));
        let metrics = witness.get("/metrics").await.body;
        assert!(metrics.contains("isonomy_witness_forks{origin=\"log.example/lists\"} 1"), "{metrics}");
        witness.stop().await;
    }

    #[tokio::test]
    async fn what_a_log_sends_against_itself_is_served_to_everybody() {
        let dir = tempfile::tempdir().unwrap();
        let witness = Running::start(&dir, Limits::default()).await;
        assert_eq!(witness.get("/evidence").await.body, "");
        witness.add(0, b"abc").await;
        assert_eq!(witness.add(3, b"abx").await.status, 422);
        let names = witness.get("/evidence").await.body;
        let paths: Vec<&str> = names.lines().collect();
        assert!(
            paths.len() == 2 && paths[0].starts_with("evidence/fork-") && paths[1].starts_with("evidence/refused-")
        );
        for path in paths {
            let file = witness.get(&format!("/{path}")).await;
            assert!(file.status == 200 && file.has("content-type: application/json"), "{}", file.head);
            assert!(file.body.contains(checkpoint(b"abx").to_string().lines().next().unwrap()), "{}", file.body);
        }
        assert_eq!(witness.get("/evidence/fork-0000000000000000-0000000000000000.json").await.status, 404);
        assert_eq!(witness.get("/evidence/..%2Fwitness").await.status, 404);
        witness.stop().await;
    }

    #[tokio::test]
    async fn other_paths_and_methods() {
        let dir = tempfile::tempdir().unwrap();
        let witness = Running::start(&dir, Limits::default()).await;
        let introduction = witness.get("/").await;
        let key = witness_key().verifier().to_string();
        assert!(introduction.status == 200 && introduction.body.contains(&key) && introduction.body.contains(ORIGIN));
        assert_eq!(witness.get("/healthz").await.body, "ok\n");
        assert_eq!(witness.get("/add-checkpoint").await.status, 405);
        let metrics = witness.get("/metrics").await;
        assert!(metrics.body.contains("isonomy_witness_doubt{origin=\"log.example/lists\"} 0\n"), "{}", metrics.body);
        assert!(metrics.body.ends_with("# EOF\n"));
        assert_eq!(witness.get(&format!("/{}/checkpoint", log().id().to_uppercase())).await.status, 404);
        assert_eq!(witness.get("/%ff/checkpoint").await.status, 400);
        witness.stop().await;
    }

    #[tokio::test]
    async fn a_log_in_doubt_is_500_and_the_health_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let witness = Running::start(&dir, Limits::default()).await;
        assert_eq!(witness.add(0, b"abc").await.status, 200);
        witness.stop().await;
        std::fs::write(dir.path().join("logs").join(log().id()), b"").unwrap();
        let witness = Running::start(&dir, Limits::default()).await;
        for answer in [witness.add(3, b"abcd").await, witness.get(&checkpoint_path()).await] {
            assert!(answer.status == 500 && answer.body.contains(ORIGIN), "{}", answer.body);
        }
        let health = witness.get("/healthz").await;
        assert!(health.status == 503 && health.body.contains(ORIGIN));
        witness.stop().await;
    }

    #[tokio::test]
    async fn when_no_more_evidence_is_kept_its_operator_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let witness = Running::start(&dir, Limits::default()).await;
        let log = &log().id()[..16];
        for (number, (full, warned)) in [(99, (0, false)), (100, (1, true))] {
            for name in 0..number {
                let path = dir.path().join(format!("evidence/refused-{log}-{name:016x}.json"));
                std::fs::write(path, "{}").unwrap();
            }
            let health = witness.get("/healthz").await;
            assert_eq!((health.status, health.body.contains("no more is")), (200, warned), "{}", health.body);
            let metrics = witness.get("/metrics").await.body;
            let line = format!("isonomy_witness_evidence_full{{origin=\"log.example/lists\"}} {full}\n");
            assert!(metrics.contains(&line), "{metrics}");
        }
        witness.stop().await;
    }

    #[tokio::test]
    async fn a_clock_that_keeps_it_from_cosigning_is_a_complaint() {
        let dir = tempfile::tempdir().unwrap();
        let earlier = Witness::open(config(dir.path())).unwrap();
        earlier.add_checkpoint(&add(0, b"abc").to_bytes(), now().plus(7200)).unwrap();
        drop(earlier);
        let witness = Running::start(&dir, Limits::default()).await;
        let refused = witness.add(3, b"abcdef").await;
        assert!(refused.status == 503 && refused.body.contains("must set the clock"), "{}", refused.body);
        let health = witness.get("/healthz").await;
        assert!(
            health.status == 503 && health.body.contains("nothing of the log \"log.example/lists\""),
            "{}",
            health.body
        );
        assert!(health.body.contains("its operator must set the clock"), "{}", health.body);
        let metrics = witness.get("/metrics").await.body;
        let behind =
            metrics.lines().find_map(|line| line.strip_prefix("isonomy_witness_clock_behind_seconds{")).unwrap();
        let seconds: u64 = behind.rsplit(' ').next().unwrap().parse().unwrap();
        assert!((3600..=7200).contains(&seconds), "{behind}");
        witness.stop().await;
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_413() {
        let dir = tempfile::tempdir().unwrap();
        let witness = Running::start(&dir, Limits::default()).await;
        assert_eq!(witness.exchange(&post_head(MAX_REQUEST_SIZE + 1)).await.status, 413);
        assert_eq!(witness.post(&vec![b'x'; MAX_REQUEST_SIZE]).await.status, 400);
        let mut endless = witness.connect().await;
        let head =
            b"POST /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
        endless.write_all(head).await.unwrap();
        let chunk = [&b"1000\r\n"[..], &[b'x'; 0x1000], b"\r\n"].concat();
        for _ in 0..MAX_REQUEST_SIZE / 0x1000 + 1 {
            endless.write_all(&chunk).await.unwrap();
        }
        assert_eq!(Answer::read(endless).await.status, 413);
        witness.stop().await;
    }

    #[tokio::test]
    async fn a_slow_body_is_408() {
        let dir = tempfile::tempdir().unwrap();
        let witness = Running::start_with(&dir, Limits::default(), Duration::from_millis(300)).await;
        assert_eq!(witness.exchange(&post_head(100)).await.status, 408);
        witness.stop().await;
    }

    #[tokio::test]
    async fn stopping_lets_requests_finish_but_does_not_wait_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { stop: Duration::from_millis(500), ..Limits::default() };
        let witness = Running::start(&dir, limits).await;
        let body = add(0, b"abc").to_bytes();
        let (mut slow, mut stuck) = (witness.connect().await, witness.connect().await);
        for stream in [&mut slow, &mut stuck] {
            stream.write_all(&post_head(body.len())).await.unwrap();
        }
        assert_eq!(witness.get("/healthz").await.status, 200);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let stopping = tokio::spawn(witness.stop());
        tokio::time::sleep(Duration::from_millis(100)).await;
        slow.write_all(&body).await.unwrap();
        assert_eq!(Answer::read(slow).await.status, 200);
        stopping.await.unwrap();
        assert_eq!(Answer::read(stuck).await.status, 0);
        // The folder is free again.
        Witness::open(config(dir.path())).unwrap();
    }

    #[tokio::test]
    async fn a_folder_that_can_t_be_used_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("letter.txt"), b"").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let result = run(listener, config(dir.path()), std::future::pending()).await;
        assert!(matches!(
            result,
            Err(ServeError::Open(OpenError::State(crate::state::StateError::NotAWitness { .. })))
        ));
    }
}
