//! The HTTP surface.
//!
//! | request | answers |
//! |---|---|
//! | `GET` of a [`Resource`], and `/lists` | the file, with ranges; 404 |
//! | `POST /check` | 200 and the objects that would be missing; a refusal |
//! | `POST /submit` | 200 and the tlog-proof; 202 `{"missing": […]}`; a refusal |
//! | `PUT /object/<sha256 hex>` | 201; 204 if it is there already; a refusal |
//! | `GET /healthz` | 200; 503 and what is wrong |
//! | `GET /metrics` | Prometheus, in OpenMetrics form |
//! | `GET /` | what this is, in words |
//!
//! The checkpoint, bundles and `/lists` are those of the newest publication, made in memory; everything else is a file.
//!
//! Ranges are served of what never changes. Of the rest there is no part, nor an answer "not modified since" some second:
//! it may change twice in one.
//!
//! Bundles of entries are sent under gzip to whoever takes it. Tiles and statements are kept in memory once they were asked
//! for (`shelf`).
//!
//! A refusal is JSON, `{"error": code, "rule": number, "message": words}`, `rule` only if a rule was broken. Nothing is
//! logged about who reads what.

use crate::access::Verdict;
use crate::files::LISTS;
use crate::health::{self, Health};
use crate::objects::{ObjectError, Upload};
use crate::refusal::Refusal;
use crate::sequencer::Submission;
use crate::shelf::{self, Coding, Ready, Shelf};
use crate::state::{State as Shared, published_size};
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use futures_util::StreamExt;
use isonomy_core::hash::{ObjectDigest, StatementId};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_core::rules::Violation;
use isonomy_core::rules::history::Signing;
use isonomy_core::statement::{MAX_STATEMENT_SIZE, Signed, Statement};
use isonomy_core::tile::{MAX_ENTRY_SIZE, TILE_WIDTH};
use isonomy_core::tree::LeafIndex;
use isonomy_serve::Meter;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tower_http::services::ServeDir;

/// How long a submitter is kept waiting for witnesses.
const PATIENCE: Duration = Duration::from_secs(240);
/// How long a statement may take to arrive.
const STATEMENT: Duration = Duration::from_secs(30);
/// How long the next piece of an object is waited for, and how much longer than at [`UPLOAD_RATE`] it may take in all.
const UPLOAD_IDLE: Duration = Duration::from_secs(60);
/// How many bytes of an object have to arrive in a second, on average.
const UPLOAD_RATE: u64 = 8 * 1024;
/// How many releases' contents are judged at a time: each may take as much memory as two lists.
pub(crate) const JUDGES: usize = 2;

/// No tile and no statement is larger: a bundle of 256 entries.
const MAX_TILE_FILE: usize = TILE_WIDTH as usize * (2 + MAX_ENTRY_SIZE);

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For what was given for a token: no cache may give it to somebody else.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
const MUTABLE: HeaderValue = HeaderValue::from_static("no-cache");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// A page of anybody's may read the log in its visitor's browser: what is public is public there, too, and what is not needs a
/// token that no browser sends of itself.
const ANYBODY: (HeaderName, HeaderValue) = (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

/// What each answer with a resource says of it.
type Described = [(HeaderName, HeaderValue); 4];

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Surface {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: mpsc::Sender<Submission>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) judges: Arc<Semaphore>,
    pub(crate) health: Arc<Health>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) shelf: Arc<Shelf>,
}

pub(crate) fn router(surface: Surface) -> Router {
    Router::new()
        .route("/check", post(check))
        .route("/submit", post(submit))
        .route("/object/{digest}", put(put_object).get(read).layer(DefaultBodyLimit::disable()))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(health::metrics))
        .route("/", get(about))
        .fallback(get(read))
        .layer(DefaultBodyLimit::max(MAX_STATEMENT_SIZE))
        .with_state(surface)
}

#[derive(Serialize)]
struct RefusalBody<'r> {
    error: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<u8>,
    message: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = RefusalBody { error: self.code(), rule: self.rule(), message: self.to_string() };
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(body)).into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// What the operator must look at goes into the server's own log, not to the stranger.
fn internal(error: &dyn std::error::Error) -> Refusal {
    tracing::error!(%error, "a request failed");
    Refusal::Internal
}

impl From<ObjectError> for Refusal {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Refused(refusal) => refusal,
            error => internal(&error),
        }
    }
}

/// The body of a request that carries a statement. What says itself that it is too large is not waited for.
async fn statement_in(request: Request) -> Result<Bytes, Refusal> {
    if request.body().size_hint().lower() > MAX_STATEMENT_SIZE as u64 {
        return Err(Refusal::StatementTooLarge);
    }
    let body = timeout(STATEMENT, Bytes::from_request(request, &())).await.map_err(|_| Refusal::TooSlow)?;
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::StatementTooLarge,
        _ => Refusal::Unreadable,
    })
}

#[derive(Serialize)]
struct Missing {
    id: String,
    missing: Vec<String>,
}

fn missing(statement: &Statement, digests: &[ObjectDigest]) -> axum::Json<Missing> {
    let missing = digests.iter().map(ObjectDigest::to_hex).collect();
    axum::Json(Missing { id: statement.id().to_hex(), missing })
}

async fn check(State(surface): State<Surface>, request: Request) -> Result<impl IntoResponse, Refusal> {
    let draft = Statement::parse_draft(&statement_in(request).await?)?;
    surface.shared.judge_draft(&draft)?;
    let digests = match &draft {
        Statement::Release(release) => surface.shared.missing(release.body()),
        _ => Vec::new(),
    };
    Ok(missing(&draft, &digests))
}

async fn submit(State(surface): State<Surface>, request: Request) -> Result<Response, Refusal> {
    let statement = Statement::parse(&statement_in(request).await?)?;
    if let Statement::Release(release) = &statement
        && let Some(wait) = surface.shared.wait_for(release.body())
    {
        sleep(wait).await;
    }
    match surface.shared.judge(&statement, Signing::Signed) {
        Ok(()) => {}
        Err(Refusal::Rule(Violation::AlreadyLogged { .. })) => {
            return surface.patiently(surface.proof(&statement)).await;
        }
        Err(refusal) => return Err(refusal),
    }
    if surface.shared.witnesses.contradiction().is_some() {
        return Err(Refusal::Contradicted);
    }
    let statement = match statement {
        Statement::Release(release) => {
            let digests = surface.shared.missing(release.body());
            if !digests.is_empty() {
                surface.shared.pending.insert(&release).map_err(|error| internal(&error))??;
                let answer = missing(&Statement::Release(release), &digests);
                return Ok((StatusCode::ACCEPTED, answer).into_response());
            }
            Statement::Release(surface.judged(release).await?)
        }
        other => other,
    };
    surface.patiently(surface.sequence_and_prove(statement)).await
}

impl Surface {
    /// Judges the content of a release. If the same text was submitted before, with whatever signatures, that one counts.
    async fn judged(&self, release: Signed<Release>) -> Result<Signed<Release>, Refusal> {
        let release = self.shared.pending.find(&release.id()).unwrap_or(release);
        let turn = Arc::clone(&self.judges).acquire_owned().await.map_err(|_| Refusal::Closing)?;
        let (shared, body) = (Arc::clone(&self.shared), release.body().clone());
        let judge = move || {
            let _turn = turn; // held to the end, also if whoever asked has gone
            shared.judge_content(&body)
        };
        let verdict = spawn_blocking(judge).await.map_err(|error| internal(&error))?;
        if let Err(ObjectError::Refused(_)) = &verdict {
            self.shared.pending.remove(&release.id()).map_err(|error| internal(&error))?;
        }
        match verdict {
            // It was damaged on its way to the disk, and is to be sent again.
            Err(ObjectError::Damaged(_)) if !self.shared.missing(release.body()).is_empty() => Err(Refusal::Busy),
            verdict => verdict.map(|()| release).map_err(Refusal::from),
        }
    }

    /// Does what waits for witnesses, as long as a submitter is kept waiting.
    async fn patiently(&self, work: impl Future<Output = Result<Response, Refusal>>) -> Result<Response, Refusal> {
        let mut stop = self.stop.clone();
        tokio::select! {
            done = timeout(PATIENCE, work) => done.unwrap_or(Err(Refusal::NotPublishedYet)),
            _ = stop.wait_for(|stop| *stop) => Err(Refusal::Closing),
        }
    }

    async fn sequence_and_prove(&self, statement: Statement) -> Result<Response, Refusal> {
        let (answer, answered) = oneshot::channel();
        let submission = Submission { statement: statement.clone(), answer };
        self.queue.try_send(submission).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refusal::Busy,
            mpsc::error::TrySendError::Closed(_) => Refusal::Closing,
        })?;
        answered.await.map_err(|_| Refusal::Closing)??;
        self.proof(&statement).await
    }

    /// The seen proof of a statement that is sequenced, as soon as there is one.
    async fn proof(&self, statement: &Statement) -> Result<Response, Refusal> {
        let id = statement.id();
        let index = self.shared.index_of(&id).ok_or(Refusal::Closing)?;
        let proof = match self.seen_proof(&id)?.filter(|_| !self.shared.unseen().contains(&index)) {
            Some(proof) => proof,
            None => {
                self.published_beyond(index).await?;
                self.seen_proof(&id)?.ok_or(Refusal::NotPublishedYet)?
            }
        };
        self.shared.refuse_left_out(statement)?;
        let headers = [(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        Ok((headers, proof).into_response())
    }

    fn seen_proof(&self, id: &StatementId) -> Result<Option<Vec<u8>>, Refusal> {
        self.shared.log.public().read(&Resource::SeenProof(*id)).map_err(|error| internal(&error))
    }

    /// Waits until a checkpoint is published that covers the entry at `index`.
    async fn published_beyond(&self, index: LeafIndex) -> Result<(), Refusal> {
        let mut published = self.shared.published.subscribe();
        let covered = published.wait_for(|published| published_size(published).0 > index.0).await;
        covered.map(drop).map_err(|_| Refusal::Closing)
    }
}

async fn put_object(
    State(surface): State<Surface>,
    Path(digest): Path<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let digest = ObjectDigest::from_hex(&digest).ok_or(Refusal::UnwantedObject)?;
    let (object, is_missing) = surface.shared.awaited(&digest).ok_or(Refusal::UnwantedObject)?;
    if !is_missing {
        return Ok(StatusCode::NO_CONTENT);
    }
    announced_size(&request, &object)?;
    let shared = Arc::clone(&surface.shared);
    let begun = spawn_blocking(move || shared.objects.receive(object)).await.map_err(|error| internal(&error))?;
    let upload = receive(begun?, request.into_body()).await?;
    spawn_blocking(move || upload.finish()).await.map_err(|error| internal(&error))??;
    Ok(StatusCode::CREATED)
}

/// Refuses at once what says itself that it has the wrong size.
fn announced_size(request: &Request, object: &ObjectRef) -> Result<(), Refusal> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced: Option<u64> = announced.and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
    match announced {
        Some(found) if found > object.size => Err(Refusal::ObjectTooLarge { expected: object.size }),
        Some(found) if found < object.size => Err(Refusal::ObjectTooSmall { expected: object.size, found }),
        _ => Ok(()),
    }
}

async fn receive(mut upload: Upload, body: Body) -> Result<Upload, Refusal> {
    let (mut pieces, started) = (body.into_data_stream(), Instant::now());
    loop {
        let (idle, rate) = (Instant::now() + UPLOAD_IDLE, Duration::from_secs(upload.size() / UPLOAD_RATE));
        let deadline = idle.min(started + UPLOAD_IDLE + rate);
        let piece = timeout_at(deadline, pieces.next()).await.map_err(|_| Refusal::TooSlow)?;
        let Some(piece) = piece else { return Ok(upload) };
        let piece = piece.map_err(|_| Refusal::Unreadable)?;
        let written = spawn_blocking(move || upload.write(&piece).map(|()| upload)).await;
        upload = written.map_err(|error| internal(&error))??;
    }
}

/// Serves a file of the public folder; nothing but what is a resource by its path.
async fn read(State(surface): State<Surface>, request: Request) -> Response {
    let path = request.uri().path().strip_prefix('/').unwrap_or_default().to_owned();
    let resource = Resource::parse(&path);
    let Some((content_type, cache)) = surface.headers_of(&path, resource.as_ref()) else { return not_found() };
    let verdict = surface.verdict(resource.as_ref(), request.headers());
    match verdict {
        Verdict::Unknown => return not_found(),
        Verdict::Denied => return unauthorized(),
        Verdict::Granted | Verdict::Open => {}
    }
    if let Some(polled) = surface.polled(&path, resource.as_ref()).await {
        let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, cache), ANYBODY];
        return polled.map(|bytes| (headers, bytes)).into_response();
    }
    let own = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, if verdict == Verdict::Granted { PRIVATE } else { cache.clone() }),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ANYBODY,
    ];
    match resource {
        Some(Resource::Tile(_) | Resource::Statement(_)) if shelf::asks_for_all(request.headers()) => {
            surface.put_on_shelf(&path, own, request.headers()).await
        }
        _ => surface.read_from_disk(&path, own, verdict, request, cache == IMMUTABLE).await,
    }
}

impl Surface {
    /// What is at a path that clients poll, as of the newest published checkpoint. `None` for other paths and for what is not
    /// there.
    async fn polled(&self, path: &str, resource: Option<&Resource>) -> Option<Result<Bytes, Refusal>> {
        let published = self.shared.newest_published()?;
        let shared = Arc::clone(&self.shared);
        let made = match resource {
            Some(Resource::Checkpoint) => return Some(Ok(published.checkpoint.to_bytes().into())),
            Some(Resource::Bundle(list)) => match shared.current.made_bundle(&published, list) {
                Some(bytes) => return Some(Ok(bytes)),
                None => {
                    let list = list.clone();
                    spawn_blocking(move || shared.current.bundle(&shared, &published, &list)).await
                }
            },
            None if path == LISTS => spawn_blocking(move || shared.current.index(&shared, &published).map(Some)).await,
            _ => return None,
        };
        match made {
            Ok(Ok(made)) => made.map(Ok),
            Ok(Err(error)) => Some(Err(internal(&error))),
            Err(error) => Some(Err(internal(&error))),
        }
    }

    /// What is small and never changes: read once, and kept for whoever asks next.
    async fn put_on_shelf(&self, path: &str, own: Described, headers: &HeaderMap) -> Response {
        let file = self.shared.log.public().root().join(path);
        let coding = if path.starts_with("tile/entries/") { Coding::Gzip } else { Coding::Identity };
        let read = spawn_blocking(move || Ready::read(&file, MAX_TILE_FILE, own, coding)).await;
        match read {
            Ok(Ok(Some(ready))) => {
                let ready = Arc::new(ready);
                self.shelf.keep(format!("/{path}"), &ready);
                ready.answer(headers).map(Body::from)
            }
            Ok(Ok(None)) => not_found(),
            Ok(Err(error)) => internal(&error).into_response(),
            Err(error) => internal(&error).into_response(),
        }
    }

    async fn read_from_disk(
        &self,
        path: &str,
        own: Described,
        verdict: Verdict,
        request: Request,
        is_immutable: bool,
    ) -> Response {
        let is_compressed = path.starts_with("tile/entries/");
        let root = self.shared.log.public().root();
        // The path has no dots but inside names, so that it leads nowhere else.
        if !tokio::fs::metadata(root.join(path)).await.is_ok_and(|file| file.is_file()) {
            return not_found();
        }
        let mut response = match ServeDir::new(root).try_call(plain(request, is_immutable)).await {
            Ok(response) => response.map(Body::new),
            Err(error) => return internal(&error).into_response(),
        };
        if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
            // Each once, in place of what the file's name suggests; and no ETag, which answers from memory don't have.
            own.into_iter().for_each(|(name, value)| drop(response.headers_mut().insert(name, value)));
            response.headers_mut().remove(header::ETAG);
            if is_compressed {
                response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
            }
            if verdict == Verdict::Granted {
                response.headers_mut().insert(header::VARY, HeaderValue::from_static("authorization"));
            }
        } else {
            // Such as 416: about this request, not about the file.
            response.headers_mut().remove(header::ETAG);
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }

    /// Whether who sends these headers may read this.
    fn verdict(&self, resource: Option<&Resource>, headers: &HeaderMap) -> Verdict {
        match resource {
            Some(Resource::Object(digest)) => self.shared.access.judge(&self.shared, digest, headers),
            _ => Verdict::Open,
        }
    }

    /// The media type of what is at this path, and for how long it may be cached; `None` if nothing is.
    fn headers_of(&self, path: &str, resource: Option<&Resource>) -> Option<(HeaderValue, HeaderValue)> {
        match resource {
            Some(Resource::Tile(tile)) if !self.shared.log.covers(tile) => None,
            Some(resource) => {
                let cache = if resource.is_immutable() { IMMUTABLE } else { MUTABLE };
                Some((HeaderValue::from_static(resource.content_type()), cache))
            }
            None => (path == LISTS).then_some((JSON, MUTABLE)),
        }
    }
}

/// The request without its query, and without what is not served: several ranges at once, units other than bytes, and
/// any range or date of a file that changes; and without entity tags, since no answer has one. All of these may be ignored
/// (RFC 9110, 13.1.3 and 14.2).
fn plain(mut request: Request, is_immutable: bool) -> Request {
    if let Ok(path) = request.uri().path().parse::<Uri>() {
        *request.uri_mut() = path;
    }
    let headers = request.headers_mut();
    headers.remove(header::IF_NONE_MATCH);
    headers.remove(header::IF_MATCH);
    if !is_immutable {
        headers.remove(header::IF_MODIFIED_SINCE);
        headers.remove(header::IF_UNMODIFIED_SINCE);
    }
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    if !is_immutable || headers.contains_key(header::IF_RANGE) || !range.is_some_and(is_one_range) {
        headers.remove(header::RANGE);
    }
    request
}

/// Whether this asks for one range of bytes: `bytes=0-9`, `bytes=9-` or `bytes=-9`.
fn is_one_range(range: &str) -> bool {
    let is_number = |text: &str| text.is_empty() || text.parse::<u64>().is_ok();
    let bounds = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    bounds.is_some_and(|(first, last)| is_number(first) && is_number(last) && range.len() > "bytes=-".len())
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, MUTABLE), ANYBODY], "not found\n").into_response()
}

fn unauthorized() -> Response {
    let headers = [
        (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let words = "what this list contains is not for everybody; ask the log's operator for a token\n";
    (StatusCode::UNAUTHORIZED, headers, words).into_response()
}

async fn about(State(surface): State<Surface>) -> String {
    format!(
        "An Isonomy log: a public, append-only record of hash lists and of the rules that they are used under.\n\n\
         Its checkpoint is at /checkpoint, its tree at /tile/ (C2SP tlog-tiles), its lists at /lists. Its key:\n\n{}\n",
        surface.shared.log.key()
    )
}
