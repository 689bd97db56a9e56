//! An app's own HTTP client: the same limits hold, and what it must not do is noticed.

use crate::script::{QUICK, Script, Step};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use isonomy_core::resource::Resource;
use isonomy_fetch::{Body, FetchError, HttpClient, HttpFailure, HttpLimits, Source};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers with what a test gives it, and remembers what it was asked.
struct App<F> {
    answer: F,
    asked: Mutex<Vec<http::Request<Vec<u8>>>>,
}

impl<F: Fn() -> Result<http::Response<Body>, HttpFailure> + Send + Sync> HttpClient for App<F> {
    fn send(&self, request: http::Request<Vec<u8>>) -> BoxFuture<'_, Result<http::Response<Body>, HttpFailure>> {
        self.asked.lock().unwrap().push(request);
        async move { (self.answer)() }.boxed()
    }
}

fn app<F: Fn() -> Result<http::Response<Body>, HttpFailure> + Send + Sync>(answer: F) -> Arc<App<F>> {
    Arc::new(App { answer, asked: Mutex::default() })
}

fn whole(bytes: &'static [u8]) -> Body {
    stream::iter([Ok(Bytes::from_static(bytes))]).boxed()
}

async fn read(client: Arc<dyn HttpClient>, limits: HttpLimits) -> Result<Vec<u8>, FetchError> {
    let source = Source::with_client("https://log.example/isonomy/", client, limits).unwrap();
    source.get(&Resource::Checkpoint, 1000).await
}

fn location() -> String {
    "https://log.example/isonomy/checkpoint".to_owned()
}

#[tokio::test]
async fn the_app_sends_what_everybody_sends() {
    let app = app(|| Ok(http::Response::new(whole(b"abc"))));
    assert_eq!(read(app.clone(), HttpLimits::default()).await, Ok(b"abc".to_vec()));
    let asked = app.asked.lock().unwrap();
    let [request] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((request.method(), request.uri()), (&http::Method::GET, &location().parse::<http::Uri>().unwrap()));
    let headers: Vec<_> = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    assert_eq!(headers, [("user-agent", &b"isonomy"[..])]);
    assert!(request.body().is_empty());
}

#[tokio::test]
async fn no_app_can_be_made_to_read_without_end() {
    let endless = app(|| Ok(http::Response::new(stream::repeat(Ok(Bytes::from_static(&[0; 64]))).boxed())));
    let expected = FetchError::TooLarge { location: location(), limit: 1000 };
    assert_eq!(read(endless, HttpLimits::default()).await, Err(expected));
    let silent = app(|| Ok(http::Response::new(stream::pending().boxed())));
    assert!(matches!(read(silent, QUICK).await, Err(FetchError::TooSlow { .. })));
}

struct Never;

impl HttpClient for Never {
    fn send(&self, _: http::Request<Vec<u8>>) -> BoxFuture<'_, Result<http::Response<Body>, HttpFailure>> {
        std::future::pending().boxed()
    }
}

#[tokio::test]
async fn who_never_answers_is_not_waited_for() {
    assert!(matches!(read(Arc::new(Never), QUICK).await, Err(FetchError::TooSlow { .. })));
}

#[tokio::test]
async fn failures_are_told_in_words_that_are_safe_to_show() {
    let broken =
        || stream::iter([Ok(Bytes::from_static(b"ab")), Err(HttpFailure::Failed("cut\u{1b}[2J".into()))]).boxed();
    let interrupted = FetchError::Interrupted { location: location(), reason: "cut [2J".into() };
    let broken = read(app(move || Ok(http::Response::new(broken()))), HttpLimits::default()).await;
    assert_eq!(broken, Err(interrupted));
    let elsewhere = app(|| Err(HttpFailure::Redirected { to: "https://else.example/".into() }));
    let redirect = FetchError::Redirect { location: location(), to: "https://else.example/".into() };
    assert_eq!(read(elsewhere, HttpLimits::default()).await, Err(redirect));
}

#[tokio::test]
async fn a_client_that_follows_redirects_is_not_believed() {
    let server = Script::start(|path| {
        let redirect = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let found = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc";
        vec![Step::Send(if path == "/elsewhere" { found } else { redirect }.as_bytes().to_vec())]
    })
    .await;
    // The first makes rustls's provider that of the process, as `isonomy-fetch` does by itself.
    Source::parse(&server.url).unwrap();
    let client = Arc::new(reqwest::Client::builder().tls_certs_only([]).build().unwrap());
    let source = Source::with_client(&server.url, client, HttpLimits::default()).unwrap();
    let refused = source.get(&Resource::Checkpoint, 1000).await;
    let to = format!("{}/elsewhere", server.url);
    assert_eq!(refused, Err(FetchError::Redirect { location: format!("{}/checkpoint", server.url), to }));
}

#[tokio::test]
async fn advice_is_heard_and_comes_in_pieces_with_the_answer() {
    let advised = app(|| {
        let answer = http::Response::builder().header("cache-control", "public, max-age=600").body(whole(b"abc"));
        Ok(answer.unwrap())
    });
    let source = Source::with_client("https://log.example/isonomy/", advised, HttpLimits::default()).unwrap();
    let mut so_far = Vec::new();
    let given = source.get_pieces(&Resource::Checkpoint, 1000, &mut |bytes| so_far.push(bytes)).await.unwrap();
    assert_eq!((given.pieces.concat(), given.fresh_for), (b"abc".to_vec(), Some(Duration::from_secs(600))));
    assert_eq!(so_far, [3]);
    let busy = app(|| {
        let answer = http::Response::builder().status(429).header("retry-after", "7").body(whole(b""));
        Ok(answer.unwrap())
    });
    let error = read(busy, HttpLimits::default()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_temporary());
}
