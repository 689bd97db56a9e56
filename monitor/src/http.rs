//! What is served.
//!
//! | path | answer |
//! |---|---|
//! | `GET /` | the page |
//! | `GET /report.json` | the same as data ([`crate::report`]) |
//! | `GET /evidence/<sha256>.json` | an evidence file |
//! | `GET /healthz` | 200; 503 if the last complete look is long ago |
//!
//! Page and report are made once per look, so that a request costs no more than its bytes. The page loads nothing, runs
//! nothing and sends nothing: its policy allows the one style sheet inside it, by its digest.

use crate::evidence;
use crate::page;
use crate::report::Report;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use isonomy_core::encoding::to_base64;
use isonomy_core::hash::sha256;
use isonomy_serve::Limits;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tower_http::timeout::TimeoutLayer;

/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(30);
/// How long requests that are under way may go on at the end.
const STOP: Duration = Duration::from_secs(5);
/// After how many times the time between two looks the monitor is not well.
const LATE: u32 = 5;
/// What a look may take in any case.
const LOOK: Duration = Duration::from_secs(600);

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const MUTABLE: HeaderValue = HeaderValue::from_static("no-cache");
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// What is shown now.
#[derive(Debug)]
pub(crate) struct Shown {
    evidence: PathBuf,
    late_after: Duration,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    page: Bytes,
    json: Bytes,
    complete: Instant,
}

impl Shown {
    /// Nothing yet.
    pub(crate) fn new(evidence: PathBuf, poll_every: Duration) -> Self {
        let current = Current { page: Bytes::new(), json: Bytes::new(), complete: Instant::now() };
        let late_after = poll_every.saturating_mul(LATE).saturating_add(LOOK);
        Self { evidence, late_after, current: RwLock::new(current) }
    }

    /// Shows a report from now on.
    pub(crate) fn show(&self, report: &Report) {
        let page = Bytes::from(page::render(report).into_string());
        let json = Bytes::from(serde_json::to_vec_pretty(report).unwrap_or_default());
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        (current.page, current.json) = (page, json);
    }

    /// The same, after a look that went to its end.
    pub(crate) fn show_complete(&self, report: &Report) {
        self.show(report);
        self.current.write().unwrap_or_else(PoisonError::into_inner).complete = Instant::now();
    }

    fn read<T>(&self, part: impl FnOnce(&Current) -> T) -> T {
        part(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Serves until `stopped` is done, and a little longer for requests that are under way.
pub(crate) async fn serve(listener: TcpListener, shown: Arc<Shown>, stopped: impl Future<Output = ()> + Send) {
    let limits = Limits { stop: STOP, ..Limits::default() };
    isonomy_serve::serve(listener, router(shown), limits, stopped).await;
}

fn router(shown: Arc<Shown>) -> Router {
    let policy = Arc::new(content_security_policy());
    Router::new()
        .route("/", get(page))
        .route("/report.json", get(report))
        .route("/evidence/{name}", get(evidence_file))
        .route("/healthz", get(health))
        .layer(from_fn_with_state(policy, secured))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST))
        .with_state(shown)
}

fn content_security_policy() -> HeaderValue {
    let style = to_base64(&sha256(&[page::STYLE.as_bytes()]));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Adds to every answer what keeps browsers from doing more than showing it.
async fn secured(State(policy): State<Arc<HeaderValue>>, request: Request, next: Next) -> Response {
    const STATIC: [(HeaderName, HeaderValue); 3] = [
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.extend(STATIC);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::clone(&policy));
    response
}

fn answer(media: HeaderValue, cache: HeaderValue, body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, cache)], body).into_response()
}

fn plain(status: StatusCode, words: &'static str) -> Response {
    (status, answer(TEXT, MUTABLE, Bytes::from_static(words.as_bytes()))).into_response()
}

async fn page(State(shown): State<Arc<Shown>>) -> Response {
    answer(HTML, MUTABLE, shown.read(|current| current.page.clone()))
}

async fn report(State(shown): State<Arc<Shown>>) -> Response {
    answer(JSON, MUTABLE, shown.read(|current| current.json.clone()))
}

async fn evidence_file(State(shown): State<Arc<Shown>>, Path(name): Path<String>) -> Response {
    let Some(digest) = evidence::digest_of_name(&name) else {
        return plain(StatusCode::NOT_FOUND, "evidence is named by 64 hexadecimal digits and `.json`\n");
    };
    let read = spawn_blocking(move || evidence::read(&shown.evidence, &digest)).await;
    match read {
        Ok(Ok(Some(bytes))) => answer(JSON, IMMUTABLE, bytes.into()),
        Ok(Ok(None)) => plain(StatusCode::NOT_FOUND, "there is no such evidence here\n"),
        Ok(Err(_)) | Err(_) => {
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the file can't be read; the operator must look at it\n")
        }
    }
}

async fn health(State(shown): State<Arc<Shown>>) -> Response {
    let age = shown.read(|current| current.complete.elapsed());
    if age <= shown.late_after {
        return plain(StatusCode::OK, "ok\n");
    }
    plain(
        StatusCode::SERVICE_UNAVAILABLE,
        "the last complete look at the log is long ago; the operator must look at the monitor's own log\n",
    )
}
