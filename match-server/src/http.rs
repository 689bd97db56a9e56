//! Requests and answers.
//!
//! | path | what |
//! |---|---|
//! | `GET /v1/lists` | the lists in force: version, freshness, rule |
//! | `GET /v1/lookup?algorithm=…&hash=…` | one hash; `quality` and `list` if wanted |
//! | `POST /v1/lookup` | many hashes: `{"hashes": [{"algorithm": …, "hash": …, "quality": …}], "list": …}` |
//! | `POST /v1/match` | a file, as the body; `orientations=stored\|shown\|all` and `list` if wanted |
//! | `POST /v1/hash` | the hashes of a file, without a lookup |
//! | `GET /v1/receipt?list=…&entry=…` | the receipt of an entry |
//! | `GET /openapi.json`, `/healthz`, `/metrics` | this table for programs; health; Prometheus |
//!
//! An answer of a lookup is `{"answers": [[…], …]}`: for each hash or file one answer of each list
//! ([`AnswerDocument`]).

use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::server::Limits;
use crate::shelf::{Lists, Shelf};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use isonomy_client::video::hash_video_bytes;
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_core::list::Algorithm;
use isonomy_core::time::Timestamp;
use isonomy_matcher::{AnswerDocument, Fingerprint, Matcher, Orientations, Subject};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tower_http::timeout::TimeoutLayer;

/// The description of all this for programs.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// The most bytes of hashes in one request: 1,000 with all their fields.
const MAX_JSON: usize = 256 << 10;

/// What every request needs.
pub struct Service {
    shelf: Arc<Shelf>,
    metrics: Arc<Metrics>,
    limits: Limits,
    clock: fn() -> Timestamp,
    hashing: Arc<Semaphore>,
    uploads: AtomicUsize,
}

impl Service {
    /// A service of what is on the shelf.
    pub fn new(shelf: Arc<Shelf>, metrics: Arc<Metrics>, limits: Limits, clock: fn() -> Timestamp) -> Self {
        let hashing = Arc::new(Semaphore::new(limits.hashing.max(1)));
        Self { shelf, metrics, limits, clock, hashing, uploads: AtomicUsize::new(0) }
    }

    /// What each of the lists says of `subject`.
    fn ask(&self, lists: &Lists, list: Option<&str>, subject: &Subject) -> Result<Vec<AnswerDocument>, Refusal> {
        let asked: Vec<&Matcher> = match list {
            Some(name) => vec![lists.named(name).ok_or_else(|| Refusal::UnknownList(name.into()))?],
            None => lists.iter().collect(),
        };
        let now = (self.clock)();
        let answer = |matcher: &Matcher| {
            let answer = matcher.answer(subject, now);
            self.metrics.answered(&answer);
            let name = matcher.list().name();
            answer.document(matcher.list(), |found| {
                Some(format!("/v1/receipt?list={name}&entry={}", to_hex(&found.entry)))
            })
        };
        Ok(asked.into_iter().map(answer).collect())
    }
}

type Shared = State<Arc<Service>>;
type Answered = Result<Json<Value>, Refusal>;

/// All paths.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/v1/lists", get(lists))
        .route("/v1/lookup", get(look_up).post(look_up_many).layer(DefaultBodyLimit::max(MAX_JSON)))
        .route("/v1/match", post(match_file))
        .route("/v1/hash", post(hash_file))
        .route("/v1/receipt", get(receipt))
        .route("/openapi.json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], OPENAPI) }))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .fallback(|| async { Refusal::UnknownPath })
        .layer(from_fn_with_state(Arc::clone(&service), counted))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, service.limits.request))
        .with_state(service)
}

async fn counted(State(service): Shared, request: Request, next: Next) -> Response {
    service.metrics.request();
    let mut response = next.run(request).await;
    if response.status().is_client_error() || response.status().is_server_error() {
        service.metrics.refused();
    }
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

async fn lists(State(service): Shared) -> Json<Value> {
    let now = (service.clock)();
    let lists = service.shelf.lists();
    let describe = |matcher: &Matcher| {
        let (list, charter) = (matcher.list(), matcher.list().charter());
        json!({
            "list": list.name(),
            "version": list.version(),
            "release": list.accepted().release.to_hex(),
            "entries": matcher.index().len(),
            "freshness": list.freshness(now),
            "algorithm": charter.matching.algorithm,
            "max_distance": charter.matching.max_distance,
            "min_quality": charter.matching.min_quality,
            "action": charter.action.most,
            "purpose": charter.purpose.definition,
            "complaints": charter.redress.complaints,
            "memory": matcher.index().memory(),
            "crowding": matcher.index().crowding(),
        })
    };
    Json(json!({ "lists": lists.iter().map(describe).collect::<Vec<_>>() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HashRequest {
    algorithm: String,
    hash: String,
    quality: Option<u8>,
    list: Option<String>,
}

impl HashRequest {
    fn fingerprint(&self) -> Result<Fingerprint, Refusal> {
        let malformed = |error: String| Refusal::Malformed(error);
        let algorithm: Algorithm = self.algorithm.parse().map_err(|error| malformed(format!("{error}")))?;
        let hash = from_hex(&self.hash.to_lowercase()).filter(|hash| hash.len() == algorithm.hash_size());
        let digits = algorithm.hash_size() * 2;
        let hash = hash.ok_or_else(|| malformed(format!("a hash by {algorithm} has {digits} hexadecimal digits")))?;
        if self.quality.is_some_and(|quality| quality > 100) {
            return Err(malformed("quality is a number from 0 to 100".into()));
        }
        Ok(Fingerprint { algorithm, hash, quality: self.quality })
    }
}

async fn look_up(State(service): Shared, query: Result<Query<HashRequest>, QueryRejection>) -> Answered {
    let Query(request) = query.map_err(|error| Refusal::Malformed(error.body_text()))?;
    let subject = Subject::of_hash(request.fingerprint()?);
    let answers = service.ask(&service.shelf.lists(), request.list.as_deref(), &subject)?;
    Ok(Json(json!({ "answers": [answers] })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManyRequest {
    hashes: Vec<HashRequest>,
    list: Option<String>,
}

async fn look_up_many(State(service): Shared, body: Result<Json<ManyRequest>, JsonRejection>) -> Answered {
    let Json(request) = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge { limit: MAX_JSON },
        _ => Refusal::Malformed(error.body_text()),
    })?;
    let most = service.limits.hashes;
    if request.hashes.len() > most {
        return Err(Refusal::Malformed(format!("a request brings at most {most} hashes")));
    }
    let answered = spawn_blocking(move || {
        let lists = service.shelf.lists();
        let answer = |hash: &HashRequest| {
            let list = hash.list.as_deref().or(request.list.as_deref());
            service.ask(&lists, list, &Subject::of_hash(hash.fingerprint()?))
        };
        request.hashes.iter().map(answer).collect::<Result<Vec<_>, Refusal>>()
    });
    let answers = answered.await.map_err(|_| Refusal::Failed)??;
    Ok(Json(json!({ "answers": answers })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRequest {
    orientations: Option<String>,
    list: Option<String>,
}

impl FileRequest {
    fn orientations(&self) -> Result<Orientations, Refusal> {
        match self.orientations.as_deref() {
            None | Some("shown") => Ok(Orientations::Shown),
            Some("stored") => Ok(Orientations::Stored),
            Some("all") => Ok(Orientations::All),
            Some(other) => Err(Refusal::Malformed(format!("orientations are stored, shown or all, not {other:?}"))),
        }
    }
}

type FileQuery = Result<Query<FileRequest>, QueryRejection>;

async fn match_file(State(service): Shared, query: FileQuery, body: Body) -> Answered {
    let Query(request) = query.map_err(|error| Refusal::Malformed(error.body_text()))?;
    let orientations = request.orientations()?;
    if let Some(name) = request.list.as_deref().filter(|name| service.shelf.lists().named(name).is_none()) {
        return Err(Refusal::UnknownList(name.into()));
    }
    let algorithms = service.shelf.lists().algorithms();
    let (service, subject) = hashed(service, algorithms, orientations, body).await?;
    let lists = service.shelf.lists();
    let answers = service.ask(&lists, request.list.as_deref(), &subject)?;
    Ok(Json(json!({ "answers": [answers] })))
}

async fn hash_file(State(service): Shared, query: FileQuery, body: Body) -> Answered {
    let Query(request) = query.map_err(|error| Refusal::Malformed(error.body_text()))?;
    let orientations = request.orientations()?;
    let algorithms = hashable(&service.shelf.lists());
    let videos = algorithms.contains(&Algorithm::VpdqV1);
    let (_, subject) = hashed(service, algorithms, orientations, body).await?;
    let hash = |(orientation, fingerprint): &(_, Fingerprint)| {
        let Fingerprint { algorithm, hash, quality } = fingerprint;
        json!({ "algorithm": algorithm, "hash": to_hex(hash), "quality": quality, "orientation": orientation })
    };
    let hashes: Vec<Value> = subject.fingerprints().iter().map(hash).collect();
    Ok(Json(json!({
        "hashes": hashes,
        "not_a_picture": subject.not_a_picture().map(ToString::to_string),
        "not_a_video": subject.not_a_video().filter(|_| videos).map(ToString::to_string),
    })))
}

/// The algorithms by which a file is hashed: all. But a strange program sees a file only where videos are listed.
fn hashable(lists: &Lists) -> Vec<Algorithm> {
    let listed = lists.algorithms();
    let is_wanted = |algorithm: &Algorithm| *algorithm != Algorithm::VpdqV1 || listed.contains(algorithm);
    Algorithm::ALL.into_iter().filter(is_wanted).collect()
}

/// Reads the file and hashes it, when its turn has come.
async fn hashed(
    service: Arc<Service>,
    algorithms: Vec<Algorithm>,
    orientations: Orientations,
    body: Body,
) -> Result<(Arc<Service>, Subject), Refusal> {
    let place = Place::take(&service)?;
    let limit = service.limits.image.file_bytes;
    let file: Bytes = to_bytes(body, limit).await.map_err(|_| Refusal::TooLarge { limit })?;
    if file.is_empty() {
        return Err(Refusal::Malformed("the body has to be the file".into()));
    }
    let turn = Arc::clone(&service.hashing).acquire_owned().await.map_err(|_| Refusal::Failed)?;
    let (limits, video) = (service.limits.image, service.limits.video);
    let work = spawn_blocking(move || {
        let start = Instant::now();
        let subject = Subject::of_file(&algorithms, &file, &limits, orientations);
        let subject = match algorithms.contains(&Algorithm::VpdqV1) {
            true => subject.with_video(hash_video_bytes(&file, &video)),
            false => subject,
        };
        drop((turn, place)); // here, since whoever asked may have gone away before
        (subject, start.elapsed())
    });
    let (subject, took) = work.await.map_err(|_| Refusal::Failed)?;
    service.metrics.hashed(took);
    Ok((Arc::clone(&service), subject))
}

/// A place among the files that are being hashed or wait for it.
struct Place(Arc<Service>);

impl Place {
    fn take(service: &Arc<Service>) -> Result<Self, Refusal> {
        let place = Self(Arc::clone(service));
        let before = service.uploads.fetch_add(1, Ordering::Relaxed);
        if before < service.limits.hashing + service.limits.waiting { Ok(place) } else { Err(Refusal::Busy) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.uploads.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptRequest {
    list: String,
    entry: String,
}

async fn receipt(
    State(service): Shared,
    query: Result<Query<ReceiptRequest>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(ReceiptRequest { list, entry }) = query.map_err(|error| Refusal::Malformed(error.body_text()))?;
    let entry = from_hex(&entry).ok_or_else(|| Refusal::Malformed("an entry is given in hexadecimal digits".into()))?;
    let made = spawn_blocking(move || {
        let lists = service.shelf.lists();
        let matcher = lists.named(&list).ok_or(Refusal::UnknownList(list.clone()))?;
        matcher.receipt(&entry).map(|receipt| receipt.to_text()).ok_or(Refusal::UnknownEntry)
    });
    let text = made.await.map_err(|_| Refusal::Failed)??;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

async fn health(State(service): Shared) -> Result<&'static str, Refusal> {
    let now = (service.clock)();
    let lists = service.shelf.lists();
    let expired: Vec<String> = lists
        .iter()
        .filter(|matcher| !matcher.list().freshness(now).is_usable())
        .map(|matcher| format!("{} has expired", matcher.list().name()))
        .collect();
    if expired.is_empty() { Ok("ok\n") } else { Err(Refusal::NoList(expired.join(", "))) }
}

async fn metrics(State(service): Shared) -> Response {
    let text = service.metrics.text(&service.shelf.lists(), (service.clock)());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
