//! Requests and answers.
//!
//! | path | what |
//! |---|---|
//! | `GET /v1/lists` | the lists in force: version, freshness, rule |
//! | `GET /v1/lookup?algorithm=…&hash=…` | one hash; `quality` and `list` if wanted |
//! | `POST /v1/lookup` | many hashes: `{"hashes": [{"algorithm": …, "hash": …, "quality": …}], "list": …}` |
//! | `POST /v1/match` | a file, as the body; `orientations=stored\|shown\|all` and `list` if wanted |
//! | `POST /v1/hash` | the hashes of a file, without a lookup |
//! | `GET /v1/receipt?list=…&version=…&entry=…` | the receipt of an entry; without `version`, of that in force |
//! | `GET /openapi.json`, `/healthz`, `/metrics` | this table for programs; health; Prometheus |
//!
//! An answer of a lookup is `{"answers": [[…], …], "matches_left_out": 0}`: for each hash or file one answer of each list
//! ([`AnswerDocument`]), and how many of the matches that were counted are not written out.

use crate::detached::{detached, thread};
use crate::metrics::Metrics;
use crate::patience::Patience;
use crate::queue::Queue;
use crate::refusal::{Code, Refusal};
use crate::server::Limits;
use crate::shelf::{Lists, Shelf};
use crate::upload::Uploads;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use isonomy_client::video::hash_video_bytes_unless;
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_core::list::Algorithm;
use isonomy_core::time::Timestamp;
use isonomy_matcher::document::MAX_MATCHES;
use isonomy_matcher::video::is_video;
use isonomy_matcher::{AnswerDocument, Effort, Fingerprint, Matcher, Orientations, Subject, View};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The description of all this for programs.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// The most bytes of hashes in one request: 1,000 with all their fields.
const MAX_JSON: usize = 256 << 10;

/// Requests of so many hashes are few: one picture in all orientations, or a handful of hashes.
const FEW: usize = 16;

/// What every request needs.
pub struct Service {
    shelf: Arc<Shelf>,
    metrics: Arc<Metrics>,
    limits: Limits,
    clock: fn() -> Timestamp,
    uploads: Uploads,
    hashing: Queue,
    videos: Queue,
    few: Queue,
    many: Queue,
}

impl Service {
    /// A service of what is on the shelf.
    pub fn new(shelf: Arc<Shelf>, metrics: Arc<Metrics>, limits: Limits, clock: fn() -> Timestamp) -> Self {
        let uploads = Uploads::new(limits.bodies, limits.upload);
        let hashing = Queue::new(limits.hashing, limits.waiting);
        let videos = Queue::new(limits.videos, limits.videos_waiting);
        let [few, many] = [0, 1].map(|_| Queue::new(limits.lookups, limits.lookups_waiting));
        Self { shelf, metrics, limits, clock, uploads, hashing, videos, few, many }
    }

    /// Waits until no video is being decoded any more, once nobody waits for one: else the decoders would outlive the process.
    pub(crate) async fn end_videos(&self) {
        self.videos.end().await;
    }

    /// Does `ask`, which looks up so many hashes, when its turn has come, on a thread of its own.
    async fn look_up(
        self: &Arc<Self>,
        hashes: usize,
        ask: impl FnOnce(&mut Asking<'_>) -> Result<(), Refusal> + Send + 'static,
    ) -> Answered {
        let queue = if hashes <= FEW { &self.few } else { &self.many };
        let turn = queue.turn().await?;
        let (patience, _waiting) = Patience::of(self.limits.lookup);
        let service = Arc::clone(self);
        let work = spawn_blocking(move || {
            let reply = Reply { answers: Vec::new(), matches_left_out: 0 };
            let mut asking = Asking { service: &service, patience: &patience, left: service.limits.matches, reply };
            let outcome = ask(&mut asking).map(|()| Json(asking.reply));
            drop(turn); // here, since whoever asked may have gone away before
            outcome
        });
        work.await.map_err(|_| Refusal::Failed)?
    }
}

/// What is said of all hashes of a request.
#[derive(Serialize)]
struct Reply {
    answers: Vec<Vec<AnswerDocument>>,
    matches_left_out: usize,
}

/// A request for lookups, while it is answered.
struct Asking<'s> {
    service: &'s Service,
    patience: &'s Patience,
    /// How many matches may still be written out.
    left: usize,
    reply: Reply,
}

impl Asking<'_> {
    /// Asks each of the lists for `subject`.
    fn ask(&mut self, lists: &Lists, list: Option<&str>, subject: &Subject) -> Result<(), Refusal> {
        let asked: Vec<&Matcher> = match list {
            Some(name) => vec![lists.named(name).ok_or_else(|| Refusal::UnknownList(name.into()))?],
            None => lists.iter().collect(),
        };
        let now = (self.service.clock)();
        let answers = asked.into_iter().map(|matcher| self.ask_one(matcher, subject, now)).collect::<Result<_, _>>()?;
        self.reply.answers.push(answers);
        Ok(())
    }

    fn ask_one(&mut self, matcher: &Matcher, subject: &Subject, now: Timestamp) -> Result<AnswerDocument, Refusal> {
        let effort = Effort { matches: self.left.clamp(1, MAX_MATCHES), is_over: &|| self.patience.is_over() };
        let answer = matcher.answer_with(subject, now, &effort);
        let answer = answer.ok_or(Refusal::TookTooLong { within: self.service.limits.lookup })?;
        self.service.metrics.answered(&answer);
        let (name, version) = (matcher.list().name(), matcher.list().version());
        let receipt = |entry: &[u8]| format!("/v1/receipt?list={name}&version={version}&entry={}", to_hex(entry));
        let document = answer.document(|found| Some(receipt(&found.entry)));
        self.left = self.left.saturating_sub(document.matches.len());
        self.reply.matches_left_out += document.found - document.matches.len();
        Ok(document)
    }
}

type Shared = State<Arc<Service>>;
type Answered = Result<Json<Reply>, Refusal>;

/// All paths.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/v1/lists", get(lists))
        .route("/v1/lookup", get(look_up).post(look_up_many))
        .route("/v1/match", post(match_file))
        .route("/v1/hash", post(hash_file))
        .route("/v1/receipt", get(receipt))
        .route("/openapi.json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], OPENAPI) }))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .fallback(|| async { Refusal::UnknownPath })
        .method_not_allowed_fallback(|| async { Refusal::WrongMethod })
        .layer(from_fn_with_state(Arc::clone(&service), counted))
        .with_state(service)
}

async fn counted(State(service): Shared, request: Request, next: Next) -> Response {
    service.metrics.request();
    let (start, within) = (Instant::now(), service.limits.request);
    let answered = timeout(within, next.run(request)).await;
    let mut response = answered.unwrap_or_else(|_| Refusal::TookTooLong { within }.into_response());
    service.metrics.took(start.elapsed());
    if let Some(Code(code)) = response.extensions().get() {
        service.metrics.refused(code);
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
            "halted": lists.halted(list.name()).map(ToString::to_string),
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
    let lists = service.shelf.lists();
    service.look_up(1, move |asking| asking.ask(&lists, request.list.as_deref(), &subject)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManyRequest {
    hashes: Vec<HashRequest>,
    list: Option<String>,
}

async fn look_up_many(State(service): Shared, headers: HeaderMap, body: Body) -> Answered {
    let request: ManyRequest = service.uploads.json(&headers, body, MAX_JSON).await?;
    let most = service.limits.hashes;
    if request.hashes.len() > most {
        return Err(Refusal::Malformed(format!("a request brings at most {most} hashes")));
    }
    let hashes = request.hashes.iter().map(HashRequest::fingerprint).collect::<Result<Vec<_>, _>>()?;
    let count = hashes.len();
    let lists = service.shelf.lists();
    let ask = move |asking: &mut Asking<'_>| {
        let all = request.list.as_deref();
        let mut asked = request.hashes.iter().zip(hashes);
        asked.try_for_each(|(one, hash)| asking.ask(&lists, one.list.as_deref().or(all), &Subject::of_hash(hash)))
    };
    service.look_up(count, ask).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MatchRequest {
    orientations: Option<String>,
    list: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRequest {
    orientations: Option<String>,
}

fn orientations(said: Option<&str>) -> Result<Orientations, Refusal> {
    match said {
        None | Some("shown") => Ok(Orientations::Shown),
        Some("stored") => Ok(Orientations::Stored),
        Some("all") => Ok(Orientations::All),
        Some(other) => Err(Refusal::Malformed(format!("orientations are stored, shown or all, not {other:?}"))),
    }
}

async fn match_file(
    State(service): Shared,
    query: Result<Query<MatchRequest>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Answered {
    let Query(request) = query.map_err(|error| Refusal::Malformed(error.body_text()))?;
    let orientations = orientations(request.orientations.as_deref())?;
    // These lists answer, whatever is put in force while the file arrives and is hashed.
    let lists = service.shelf.lists();
    let algorithms = asked_for(&lists, request.list.as_deref())?;
    let subject = hashed(&service, algorithms, orientations, &headers, body).await?;
    let hashes = subject.views().len() + subject.second_look().len();
    service.look_up(hashes, move |asking| asking.ask(&lists, request.list.as_deref(), &subject)).await
}

async fn hash_file(
    State(service): Shared,
    query: Result<Query<FileRequest>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    let Query(request) = query.map_err(|error| Refusal::Malformed(error.body_text()))?;
    let orientations = orientations(request.orientations.as_deref())?;
    let algorithms = hashable(&service.shelf.lists());
    let subject = hashed(&service, algorithms, orientations, &headers, body).await?;
    let hash = |View { frame, orientation, fingerprint }: &View| {
        let Fingerprint { algorithm, hash, quality } = fingerprint;
        json!({
            "algorithm": algorithm,
            "hash": to_hex(hash),
            "quality": quality,
            "frame": frame,
            "orientation": orientation,
        })
    };
    let hashes: Vec<Value> = subject.views().iter().map(hash).collect();
    Ok(Json(json!({
        "hashes": hashes,
        "not_a_picture": subject.not_a_picture().map(ToString::to_string),
        "only_beginning": subject.only_beginning().map(ToString::to_string),
        "not_a_video": subject.not_a_video().map(ToString::to_string),
        "unseen": subject.unlisted().map(ToString::to_string),
    })))
}

/// The algorithms of the list that is asked, or else of all.
fn asked_for(lists: &Lists, list: Option<&str>) -> Result<Vec<Algorithm>, Refusal> {
    match list {
        Some(name) => Ok(vec![lists.named(name).ok_or_else(|| Refusal::UnknownList(name.into()))?.algorithm()]),
        None => Ok(lists.algorithms()),
    }
}

/// The algorithms by which a file is hashed: all. But a strange program sees a file only where videos are listed.
fn hashable(lists: &Lists) -> Vec<Algorithm> {
    let listed = lists.algorithms();
    let is_wanted = |algorithm: &Algorithm| *algorithm != Algorithm::VpdqV1 || listed.contains(algorithm);
    Algorithm::ALL.into_iter().filter(is_wanted).collect()
}

/// Reads the file, and hashes it when its turn has come.
async fn hashed(
    service: &Arc<Service>,
    algorithms: Vec<Algorithm>,
    orientations: Orientations,
    headers: &HeaderMap,
    body: Body,
) -> Result<Subject, Refusal> {
    let file = service.uploads.file(headers, body, service.limits.image.file_bytes).await?;
    let is_video = algorithms.contains(&Algorithm::VpdqV1) && is_video(&file.bytes);
    let queue = if is_video { &service.videos } else { &service.hashing };
    let turn = queue.turn().await?;
    let (limits, video) = (service.limits.image, service.limits.video);
    // Whoever asked may go away, or be sent away since the service stops: then no decoder goes on.
    let (patience, _waiting) = Patience::of(service.limits.request);
    let metrics = Arc::clone(&service.metrics);
    let work = detached(thread(), move || {
        let (start, is_over) = (Instant::now(), || patience.is_over());
        let subject = Subject::of_file_unless(&algorithms, &file.bytes, &limits, orientations, &is_over);
        let subject = match is_video {
            true => subject.with_video(hash_video_bytes_unless(&file.bytes, &video, &is_over)),
            false => subject,
        };
        // Here, since whoever asked may have gone away before.
        metrics.hashed(start.elapsed());
        drop((turn, file));
        subject
    });
    work.await.map_err(|_| Refusal::Failed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptRequest {
    list: String,
    version: Option<u64>,
    entry: String,
}

async fn receipt(
    State(service): Shared,
    query: Result<Query<ReceiptRequest>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(ReceiptRequest { list, version, entry }) =
        query.map_err(|error| Refusal::Malformed(error.body_text()))?;
    let entry = from_hex(&entry.to_lowercase())
        .ok_or_else(|| Refusal::Malformed("an entry is given in hexadecimal digits".into()))?;
    let turn = service.few.turn().await?;
    let made = spawn_blocking(move || {
        let _turn = turn;
        let receipts = service.shelf.receipts(&list, version).ok_or_else(|| unknown(&service, list, version))?;
        let receipt = receipts.of(&entry).ok_or(Refusal::UnknownEntry)?;
        receipt.to_text().map_err(|error| {
            tracing::error!(%error, "a receipt was made that does not hold, and was not given out");
            Refusal::Failed
        })
    });
    let text = made.await.map_err(|_| Refusal::Failed)??;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

fn unknown(service: &Service, list: String, version: Option<u64>) -> Refusal {
    match version.filter(|_| service.shelf.lists().named(&list).is_some()) {
        Some(version) => Refusal::UnknownVersion(version),
        None => Refusal::UnknownList(list),
    }
}

async fn health(State(service): Shared) -> Result<String, Refusal> {
    if service.shelf.is_abandoned() {
        return Err(Refusal::Failed);
    }
    let now = (service.clock)();
    let lists = service.shelf.lists();
    let expired: Vec<String> = lists
        .iter()
        .filter(|matcher| !matcher.list().freshness(now).is_usable())
        .map(|matcher| format!("{} has expired", matcher.list().name()))
        .collect();
    if !expired.is_empty() {
        return Err(Refusal::NoList(expired.join(", ")));
    }
    let failing = service.shelf.failing().into_iter().map(|(name, since)| {
        format!("warning: the folder of {name} can't be used since {since}; the list in force stays. The service's log says why\n")
    });
    let halted = lists.iter().map(|matcher| matcher.list().name()).filter(|name| lists.halted(name).is_some());
    let warnings =
        halted.map(|name| format!("warning: updates of {name} have stopped, since the log showed two histories\n"));
    Ok(std::iter::once("ok\n".to_owned()).chain(warnings).chain(failing).collect())
}

async fn metrics(State(service): Shared) -> Response {
    let text = service.metrics.text(&service.shelf.lists(), (service.clock)());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use isonomy_core::charter::Matching;
    use isonomy_core::statement::ListName;
    use isonomy_tests::people::hashes;
    use isonomy_tests::world::World;

    /// A service of no lists, which does one thing of each kind at a time.
    fn service() -> Arc<Service> {
        let limits = Limits { hashing: 1, videos: 1, lookups: 1, ..Limits::default() };
        Arc::new(Service::new(Arc::default(), Arc::default(), limits, || Timestamp(0)))
    }

    #[tokio::test]
    async fn a_service_that_looks_for_no_newer_releases_is_not_healthy() {
        let service = service();
        assert!(health(State(Arc::clone(&service))).await.is_ok());
        service.shelf.abandon();
        assert!(matches!(health(State(service)).await, Err(Refusal::Failed)));
    }

    /// A list of this name by this algorithm.
    fn list(name: &str, algorithm: Algorithm) -> Matcher {
        let mut world = World::founded_with(|charter| {
            charter.list = ListName::new(name).unwrap();
            charter.matching = Matching { algorithm, max_distance: 0, min_quality: 0 };
        });
        world.release(hashes(0..10), 100);
        world.publish(100);
        world.publish(105);
        let list = isonomy_tests::client::Client::of(&world).update(&world, 105).unwrap().list;
        Matcher::new(list).unwrap()
    }

    #[test]
    fn a_file_is_hashed_for_the_lists_that_are_asked() {
        let shelf = Shelf::default();
        shelf.put(list("one.example/pictures", Algorithm::PdqFull), None);
        shelf.put(list("two.example/files", Algorithm::Sha256), None);
        let asked = |name| asked_for(&shelf.lists(), name);
        assert!(asked(None).is_ok_and(|all| all.len() == 2));
        assert!(asked(Some("two.example/files")).is_ok_and(|one| one == [Algorithm::Sha256]));
        assert!(asked(Some("one.example/pictures")).is_ok_and(|one| one == [Algorithm::PdqFull]));
        assert!(matches!(asked(Some("three.example/files")), Err(Refusal::UnknownList(_))));
    }

    #[tokio::test]
    async fn few_hashes_do_not_wait_for_many() {
        let service = service();
        let _held = service.many.turn().await.unwrap();
        assert!(service.look_up(FEW, |_| Ok(())).await.is_ok());
        assert!(Box::pin(service.look_up(FEW + 1, |_| Ok(()))).now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_picture_does_not_wait_for_a_video() {
        let service = service();
        let _held = service.videos.turn().await.unwrap();
        let hashed = async |file: &'static [u8]| {
            let algorithms = vec![Algorithm::PdqFull, Algorithm::VpdqV1];
            hashed(&service, algorithms, Orientations::Stored, &HeaderMap::new(), Body::from(file)).await
        };
        assert!(hashed(b"GIF89a").await.is_ok());
        assert!(Box::pin(hashed(b"\x1a\x45\xdf\xa3")).now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_file_that_nobody_waits_for_any_more_is_counted_all_the_same() {
        let service = service();
        let (algorithms, headers) = (vec![Algorithm::PdqFull], HeaderMap::new());
        let body = Body::from(&b"GIF89a"[..]);
        let hashed = hashed(&service, algorithms, Orientations::Stored, &headers, body);
        drop(Box::pin(hashed).now_or_never());
        let text = || service.metrics.text(&Lists::default(), Timestamp(0));
        while !text().contains("uploads_total 1\n") {
            tokio::task::yield_now().await;
        }
    }
}
