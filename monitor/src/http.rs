//! What is served.
//!
//! | path, for each log | answer |
//! |---|---|
//! | `GET /`, `/findings`, `/log`, `/list/<name>`, `/entry/<index>`, `/verify` | pages |
//! | `GET /verify.html` | the page that verifies, with its program, as one file to be kept |
//! | `GET /report.json`, `/findings.json`, `/log.json`, `/list/<name>.json`, `/entry/<index>.json` | the same as data ([`crate::report`]), described by `/openapi.json` |
//! | `GET /entry/<index>/note`, `/entry/<index>/proof` | an entry, byte for byte, and its tlog-proof |
//! | `GET /findings.atom` | findings as a feed |
//! | `GET /evidence/<sha256>.json` | an evidence file |
//! | `GET /mirror/…` | this monitor's verified copy of the log, laid out as the log serves it |
//!
//! Where several logs are followed, these stand under `/logs/<name>`, and `/`, `/findings`, `/findings.atom` are about all
//! of them. A path that lacks its log leads to that of the first, so that links stay good when a second log is added.
//!
//! | path, for all logs | answer |
//! |---|---|
//! | `GET /logs.json` | which logs are followed, where their pages are, and how each stands |
//! | `POST /view` | takes a checkpoint that somebody was shown, to compare it with others: 202 |
//! | `GET /healthz`, `/metrics` | 200, or 503 if the last complete look at a log is long ago; figures for Prometheus |
//!
//! Pages load nothing, run nothing and send nothing: their policy allows the one style sheet inside them, by its digest.
//! `/verify` alone may run the one script that is served here; it may not send anything either.

use crate::evidence;
use crate::explorer::{Explorer, Found};
use crate::metrics;
use crate::page::{self, Base};
use crate::posted::NotTaken;
use crate::report::Report;
use crate::served::{Served, Shown};
use crate::site::{self, Media, Site};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use isonomy_core::checkpoint::MAX_CHECKPOINT_SIZE;
use isonomy_core::encoding::{from_decimal, to_base64};
use isonomy_core::hash::sha256;
use isonomy_core::resource::Resource;
use isonomy_core::tree::LeafIndex;
use isonomy_serve::Settings;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tower_http::timeout::TimeoutLayer;

/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(30);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const MUTABLE: HeaderValue = HeaderValue::from_static("no-cache");
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Serves until `stopped` is done, and a little longer for requests that are under way.
pub(crate) async fn serve(
    listener: TcpListener,
    served: Arc<Served>,
    settings: Settings,
    stopped: impl Future<Output = ()> + Send,
) {
    isonomy_serve::serve_with(listener, router(served), settings, stopped).await;
}

/// What is about all logs; and the pages of each log, at the root if there is one alone.
fn router(served: Arc<Served>) -> Router {
    let policies = Arc::new(Policies::new());
    let mut router = Router::new()
        .route("/logs.json", get(of_all))
        .route("/view", post(view).layer(DefaultBodyLimit::max(MAX_CHECKPOINT_SIZE)))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics));
    if served.logs.len() > 1 {
        for path in ["/", "/findings", "/findings.json", "/verify", "/openapi.json", "/findings.atom"] {
            router = router.route(path, get(of_all));
        }
        router = router.route("/logs/{name}/", get(without_slash)).fallback(moved);
    } else {
        router = router.fallback(nothing);
    }
    let mut router = router
        .with_state(Arc::clone(&served))
        .layer(from_fn_with_state((Arc::clone(&policies), Scripts::Never), secured));
    for shown in &served.logs {
        let pages =
            pages(Arc::clone(shown)).layer(from_fn_with_state((Arc::clone(&policies), Scripts::OnVerify), secured));
        router = match shown.base {
            Base::OneOf(_) => router.nest(&shown.base.to_string(), pages),
            Base::Only | Base::All => router.merge(pages),
        };
    }
    router.layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST))
}

/// The pages of one log.
fn pages(shown: Arc<Shown>) -> Router {
    let mut router = Router::new();
    for path in ["/", "/findings", "/log", "/verify", "/verify.js", "/verify.html", "/openapi.json", "/findings.atom"] {
        router = router.route(path, get(of_site));
    }
    router
        .route("/report.json", get(of_site))
        .route("/log.json", get(of_site))
        .route("/findings.json", get(of_site))
        .route("/list/{*name}", get(of_site))
        .route("/entry", get(entry_by_form))
        .route("/entry/{index}", get(entry))
        .route("/entry/{index}/{part}", get(entry_part))
        .route("/mirror/{*path}", get(mirror))
        .route("/evidence/{name}", get(evidence_file))
        .with_state(shown)
}

/// What a browser may do with pages, and with the one page that runs a script.
struct Policies {
    pages: HeaderValue,
    verify: HeaderValue,
}

impl Policies {
    fn new() -> Self {
        let style = to_base64(&sha256(&[page::STYLE.as_bytes()]));
        let policy = |script: &str| {
            let policy = format!(
                "default-src 'none'; style-src 'sha256-{style}'; {script}base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            );
            HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
        };
        Self { pages: policy(""), verify: policy("script-src 'self'; ") }
    }
}

/// Which pages may run the script that verifies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scripts {
    OnVerify,
    Never,
}

/// Adds to every answer what keeps browsers from doing more than showing it.
async fn secured(
    State((policies, scripts)): State<(Arc<Policies>, Scripts)>,
    request: Request,
    next: Next,
) -> Response {
    const STATIC: [(HeaderName, HeaderValue); 3] = [
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    let may_run = scripts == Scripts::OnVerify && request.uri().path() == "/verify";
    let policy = if may_run { &policies.verify } else { &policies.pages };
    let policy = policy.clone();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.extend(STATIC);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

fn answer(media: HeaderValue, cache: HeaderValue, body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, cache)], body).into_response()
}

fn plain(status: StatusCode, words: &'static str) -> Response {
    (status, answer(TEXT, MUTABLE, Bytes::from_static(words.as_bytes()))).into_response()
}

fn media_type(media: Media) -> HeaderValue {
    HeaderValue::from_static(match media {
        Media::Html | Media::Kept => "text/html; charset=utf-8",
        Media::Json => "application/json",
        Media::Atom => "application/atom+xml; charset=utf-8",
        Media::Script => "text/javascript; charset=utf-8",
        Media::Text => "text/plain; charset=utf-8",
        Media::Bytes => "application/octet-stream",
    })
}

/// What was made at the last look.
async fn of_site(State(shown): State<Arc<Shown>>, request: Request) -> Response {
    match shown.site().answer(request.uri().path()) {
        Some((Media::Kept, body)) => {
            let kept = HeaderValue::from_static("attachment; filename=\"isonomy-verify.html\"");
            ([(header::CONTENT_DISPOSITION, kept)], answer(media_type(Media::Kept), MUTABLE, body)).into_response()
        }
        Some((media, body)) => answer(media_type(media), MUTABLE, body),
        None => plain(StatusCode::NOT_FOUND, "the log holds no list of that name\n"),
    }
}

/// What was made of all logs at their last looks.
async fn of_all(State(served): State<Arc<Served>>, request: Request) -> Response {
    match served.answer(request.uri().path()) {
        Some((media, body)) => answer(media_type(media), MUTABLE, body),
        None => nothing().await,
    }
}

async fn nothing() -> Response {
    plain(StatusCode::NOT_FOUND, "there is nothing here; / is the first page\n")
}

async fn without_slash(State(served): State<Arc<Served>>, Path(name): Path<String>) -> Response {
    match served.logs.iter().find(|shown| shown.name == name) {
        Some(shown) => Redirect::permanent(&shown.base.home()).into_response(),
        None => nothing().await,
    }
}

/// A path that lacks its log: to the first one's, if it has one.
async fn moved(State(served): State<Arc<Served>>, request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let first = served.logs.first().filter(|_| request.method().is_safe() && !path.starts_with("/logs/"));
    match first {
        Some(shown) => Redirect::temporary(&format!("{}{path}", shown.base)).into_response(),
        None => nothing().await,
    }
}

#[derive(Deserialize)]
struct EntryForm {
    index: String,
}

/// The form of the log's page: to the page of the entry.
async fn entry_by_form(State(shown): State<Arc<Shown>>, Query(form): Query<EntryForm>) -> Response {
    match form.index.trim().parse::<u64>() {
        Ok(index) => Redirect::to(&format!("{}/entry/{index}", shown.base)).into_response(),
        Err(_) => plain(StatusCode::BAD_REQUEST, "an entry is named by its place in the log, a number from 0\n"),
    }
}

async fn entry(State(shown): State<Arc<Shown>>, Path(name): Path<String>) -> Response {
    let (index, is_data) = match name.strip_suffix(".json") {
        Some(index) => (index, true),
        None => (name.as_str(), false),
    };
    let found = match find(&shown, index).await {
        Ok((explorer, found)) => explorer.report(&found),
        Err(refused) if is_data => return refused,
        Err(_) => {
            let page = page::no_entry(&shown.site().report, &shown.base).into_string();
            return (StatusCode::NOT_FOUND, answer(media_type(Media::Html), MUTABLE, page.into())).into_response();
        }
    };
    let (media, body) = match is_data {
        true => site::json(&found),
        false => (Media::Html, page::entry(&found, &shown.site().report, &shown.base).into_string().into()),
    };
    answer(media_type(media), MUTABLE, body)
}

async fn entry_part(State(shown): State<Arc<Shown>>, Path((index, part)): Path<(String, String)>) -> Response {
    let found = match find(&shown, &index).await {
        Ok((_, found)) => found,
        Err(refused) => return refused,
    };
    match part.as_str() {
        "note" => answer(media_type(Media::Text), MUTABLE, found.entry.into()),
        "proof" => answer(media_type(Media::Text), MUTABLE, found.proof.to_bytes().into()),
        _ => plain(StatusCode::NOT_FOUND, "of an entry there are note and proof\n"),
    }
}

/// The entry at this place, from the copy.
async fn find(shown: &Arc<Shown>, index: &str) -> Result<(Explorer, Found), Response> {
    let missing = || plain(StatusCode::NOT_FOUND, "the log has no such entry, as far as this monitor has read it\n");
    let index = from_decimal(index).map(LeafIndex).ok_or_else(missing)?;
    let explorer = shown.explorer().ok_or_else(missing)?;
    let found = spawn_blocking(move || explorer.find(index).map(|found| (explorer, found))).await;
    found.ok().flatten().ok_or_else(missing)
}

/// This monitor's copy of the log.
async fn mirror(State(shown): State<Arc<Shown>>, Path(path): Path<String>) -> Response {
    let missing = || {
        plain(
            StatusCode::NOT_FOUND,
            "this copy has checkpoint, tiles, statements and their proofs; it has nothing of that name\n",
        )
    };
    let explorer = shown.explorer();
    let (Some(resource), Some(explorer)) = (Resource::parse(&path), explorer) else { return missing() };
    let cache = if resource.is_immutable() { IMMUTABLE } else { MUTABLE };
    let media = if matches!(resource, Resource::Tile(_)) { Media::Bytes } else { Media::Text };
    match spawn_blocking(move || explorer.resource(&resource)).await {
        Ok(Some(bytes)) => answer(media_type(media), cache, bytes.into()),
        Ok(None) | Err(_) => missing(),
    }
}

/// A checkpoint that somebody was shown.
async fn view(State(served): State<Arc<Served>>, body: Bytes) -> Response {
    // The copy is read for it.
    let Ok(brought) = spawn_blocking(move || served.bring(&body)).await else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "it could not be compared; try again later\n");
    };
    match brought {
        Ok(()) => plain(StatusCode::ACCEPTED, "thank you; it is compared at the next look\n"),
        Err(NotTaken::Worthless(words)) => {
            let words = format!("this is no checkpoint that the log signed: {words}\n");
            (StatusCode::BAD_REQUEST, answer(TEXT, MUTABLE, words.into())).into_response()
        }
        Err(NotTaken::Full) => plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many that are not known here are waiting; try again after the next look\n",
        ),
    }
}

async fn metrics(State(served): State<Arc<Served>>) -> Response {
    let sites: Vec<(Arc<Site>, Duration)> = served.logs.iter().map(|shown| (shown.site(), shown.age())).collect();
    let reports: Vec<(&Report, Duration)> = sites.iter().map(|(site, age)| (&*site.report, *age)).collect();
    answer(media_type(Media::Text), MUTABLE, metrics::text(&reports).into())
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

async fn health(State(served): State<Arc<Served>>) -> Response {
    let late: Vec<&str> = served.logs.iter().filter(|shown| shown.is_late()).map(|shown| shown.name.as_str()).collect();
    if late.is_empty() {
        return plain(StatusCode::OK, "ok\n");
    }
    let words = format!(
        "the last complete look is long ago, at {}; the operator must look at the monitor's own log\n",
        late.join(", ")
    );
    (StatusCode::SERVICE_UNAVAILABLE, answer(TEXT, MUTABLE, words.into())).into_response()
}
