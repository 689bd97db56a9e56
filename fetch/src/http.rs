//! How requests get to a server: by the HTTP client that comes with this crate, or by an app's own.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use reqwest::Url;

/// The body of an answer, piece by piece as it comes.
pub type Body = BoxStream<'static, Result<Bytes, HttpFailure>>;

/// Why there is no answer, or not its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpFailure {
    /// No connection came about in the time that the client itself allows.
    #[error("no connection comes about")]
    TimedOut,
    /// The client went elsewhere, which it must not.
    #[error("it leads to {to}")]
    Redirected {
        /// Where it went.
        to: String,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Failed(String),
}

/// What sends requests: [`reqwest::Client`], or whatever an app sends all its others with, so that proxies, certificates,
/// Tor or the platform's own network stack are used as everywhere else in it.
///
/// What is asked here must keep, for everybody's sake:
///
/// - the request goes out as it is: no cookies, no further headers that tell one installation from another;
/// - redirects are not followed, and nothing is taken from a cache without asking;
/// - if the client itself asks for compression, it gives the body decompressed;
/// - the future ends when the head of the answer is there; the body comes as it is asked for, and may be dropped.
///
/// It need not limit time or size, and need not be honest about the content: this crate does the one
/// ([`HttpLimits`](crate::HttpLimits)), the verifier the other.
///
/// An app that reads from memory:
///
/// ```
/// use bytes::Bytes;
/// use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
/// use isonomy_core::resource::Resource;
/// use isonomy_fetch::{Body, HttpClient, HttpFailure, HttpLimits, Source};
/// use std::sync::Arc;
///
/// struct Memory;
///
/// impl HttpClient for Memory {
///     fn send(&self, request: http::Request<Vec<u8>>) -> BoxFuture<'_, Result<http::Response<Body>, HttpFailure>> {
///         assert_eq!(request.uri(), "https://log.example/isonomy/checkpoint");
///         let body = stream::iter([Ok(Bytes::from_static(b"log.example\n"))]).boxed();
///         async move { Ok(http::Response::new(body)) }.boxed()
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let source = Source::with_client("https://log.example/isonomy", Arc::new(Memory), HttpLimits::default())?;
/// assert_eq!(source.get(&Resource::Checkpoint, 1000).await?, b"log.example\n");
/// # Ok::<(), isonomy_fetch::FetchError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait HttpClient: Send + Sync {
    /// Sends `request`, whose URI is complete, and gives the answer once its head is there.
    fn send(&self, request: http::Request<Vec<u8>>) -> BoxFuture<'_, Result<http::Response<Body>, HttpFailure>>;
}

/// Whatever redirects this client is told to follow: an answer from elsewhere is none.
impl HttpClient for reqwest::Client {
    fn send(&self, request: http::Request<Vec<u8>>) -> BoxFuture<'_, Result<http::Response<Body>, HttpFailure>> {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request).map_err(failed)?;
            let asked = request.url().clone();
            let response = self.execute(request).await.map_err(failed)?;
            if *response.url() != asked {
                return Err(HttpFailure::Redirected { to: response.url().to_string() });
            }
            Ok(answer(response))
        })
    }
}

fn answer(response: reqwest::Response) -> http::Response<Body> {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes_stream().map(|piece| piece.map_err(failed)).boxed();
    let mut answer = http::Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

fn failed(error: reqwest::Error) -> HttpFailure {
    if error.is_timeout() { HttpFailure::TimedOut } else { HttpFailure::Failed(causes(error)) }
}

/// An error with all its causes, without the URL, which the message has already.
pub(crate) fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A request as it goes out: the same for every installation.
pub(crate) fn request(
    method: http::Method,
    url: &Url,
    headers: &[(http::HeaderName, http::HeaderValue)],
    body: Vec<u8>,
) -> Result<http::Request<Vec<u8>>, http::Error> {
    let mut request = http::Request::builder().method(method).uri(url.as_str());
    request = request.header(http::header::USER_AGENT, crate::server::USER_AGENT);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(body)
}
