//! HTTP: one server, by its base URL.

use crate::error::{FetchError, shown};
use crate::http::{Body, HttpClient, HttpFailure, causes, request};
use crate::limits::HttpLimits;
use crate::sink::Sink;
use crate::tokens::Tokens;
use futures_util::StreamExt;
use isonomy_core::resource::Resource;
use reqwest::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode, Url};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio::io::AsyncWrite;
use tokio::time::{Instant, sleep, timeout_at};

/// The same for every version and every installation, so that it tells nobody apart.
pub(crate) const USER_AGENT: &str = "isonomy";

/// The media type of statements and checkpoints.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
/// The media type of objects.
pub(crate) const BYTES: &str = "application/octet-stream";

/// No server can make anybody wait for longer.
pub(crate) const MAX_ADVICE: Duration = Duration::from_secs(60 * 60);

/// A server that files are fetched from and sent to.
#[derive(Clone)]
pub(crate) struct Server {
    base: Url,
    client: Arc<dyn HttpClient>,
    limits: HttpLimits,
    /// Sent when an object is asked for.
    token: Option<HeaderValue>,
}

impl Server {
    /// The server at this `http://` or `https://` URL. Nothing is sent yet.
    pub(crate) fn new(base: &str, limits: HttpLimits) -> Result<Self, FetchError> {
        let (base, limits) = (parse_base(base)?, limits.bounded());
        let client = Arc::new(make_client(&base, &limits)?);
        Ok(Self { base, client, limits, token: None })
    }

    /// The same, asked by an app's own HTTP client.
    pub(crate) fn with_client(base: &str, client: Arc<dyn HttpClient>, limits: HttpLimits) -> Result<Self, FetchError> {
        Ok(Self { base: parse_base(base)?, client, limits: limits.bounded(), token: None })
    }

    /// The same server, with other limits.
    pub(crate) fn within(self, limits: HttpLimits) -> Self {
        Self { limits: limits.bounded(), ..self }
    }

    /// The same server, with the token that is for it, if there is one.
    pub(crate) fn with_tokens(self, tokens: &Tokens) -> Self {
        let token = tokens.of(&self.base);
        Self { token, ..self }
    }

    /// How long it is waited for.
    pub(crate) fn limits(&self) -> &HttpLimits {
        &self.limits
    }

    /// The URL of what is at `path`.
    pub(crate) fn location(&self, path: &str) -> String {
        with_path(&self.base, path).to_string()
    }

    /// Asks for what is at `path`, which has no leading slash.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, FetchError> {
        self.exchange(Method::GET, path, &[], Vec::new(), self.limits.answer).await
    }

    /// The answer to a read of this resource, once it is there; waits as long as the limits allow where the server puts it off.
    pub(crate) async fn read(&self, resource: &Resource) -> Result<Answer, FetchError> {
        let (path, mut waited) = (resource.to_string(), Duration::ZERO);
        loop {
            let asked = match resource {
                Resource::Object(_) => self.get_object(&path).await,
                _ => self.get(&path).await,
            };
            let put_off = match asked.and_then(Answer::found) {
                // Tokens are for content alone, so that nothing else tells clients apart: a token would not help.
                Err(FetchError::Unauthorized { location }) if !matches!(resource, Resource::Object(_)) => {
                    return Err(FetchError::Status { location, status: 401, retry_after: None });
                }
                Err(FetchError::Status { status: 429 | 503, retry_after, .. }) if waited < self.limits.put_off => {
                    retry_after
                }
                answer => return answer,
            };
            let pause = put_off.unwrap_or_default().max(SHORTEST_PAUSE).min(self.limits.put_off - waited);
            waited += pause;
            sleep(pause).await;
        }
    }

    /// Asks for the object at `path`, with this server's token.
    async fn get_object(&self, path: &str) -> Result<Answer, FetchError> {
        let token = self.token.iter().map(|token| (AUTHORIZATION, token.clone()));
        self.exchange(Method::GET, path, &token.collect::<Vec<_>>(), Vec::new(), self.limits.answer).await
    }

    /// Sends `body` to `path`; the answer may take as long as `patience` says to begin.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        (body, content_type): (Vec<u8>, &'static str),
        patience: Duration,
    ) -> Result<Answer, FetchError> {
        let patience = patience.saturating_add(self.limits.time_for(body.len() as u64));
        let content_type = [(CONTENT_TYPE, HeaderValue::from_static(content_type))];
        self.exchange(method, path, &content_type, body, patience).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Vec<u8>,
        patience: Duration,
    ) -> Result<Answer, FetchError> {
        let (url, location) = (with_path(&self.base, path), self.location(path));
        let unsendable = |error: http::Error| failed(&location, HttpFailure::Failed(error.to_string()));
        let request = request(method, &url, headers, body).map_err(unsendable)?;
        let started = Instant::now();
        let response = timeout_at(started + patience.min(self.limits.total), self.client.send(request)).await;
        let response = response.map_err(|_| too_slow(&location, "it does not begin to answer"))?;
        let (head, body) = response.map_err(|failure| failed(&location, failure))?.into_parts();
        let (status, headers) = (head.status, head.headers);
        let answer = Answer { location, status, headers, body, limits: self.limits, started, began: Instant::now() };
        match answer.header(LOCATION).filter(|_| status.is_redirection()).map(shown) {
            Some(to) => Err(FetchError::Redirect { location: answer.location, to }),
            None => Ok(answer),
        }
    }
}

/// A server that says nothing of when to come again is asked again after this time.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// How long a connection that nobody uses is kept: less than servers do, so that no request goes into one that is just being closed.
const IDLE: Duration = Duration::from_secs(20);

/// Shows the base URL.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.base)
    }
}

/// What a server answers: the head is there, the body is still to come.
pub(crate) struct Answer {
    location: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
    limits: HttpLimits,
    started: Instant,
    began: Instant,
}

impl Answer {
    /// The URL that was asked.
    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Fails unless the status is 200.
    pub(crate) fn found(self) -> Result<Self, FetchError> {
        match self.status() {
            200 => Ok(self),
            401 => Err(FetchError::Unauthorized { location: self.location }),
            404 | 410 => Err(FetchError::NotFound { location: self.location }),
            status => {
                let retry_after = self.retry_after();
                Err(FetchError::Status { location: self.location, status, retry_after })
            }
        }
    }

    /// The media type, without parameters.
    pub(crate) fn content_type(&self) -> &str {
        let value = self.header(CONTENT_TYPE).unwrap_or_default();
        value.split_once(';').map_or(value, |(essence, _)| essence).trim()
    }

    /// How long the server asks to wait, if it says so in seconds; at most [`MAX_ADVICE`].
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        advised(self.header(RETRY_AFTER)?)
    }

    /// How long the server says that there will be nothing newer (`Cache-Control: max-age`); at most [`MAX_ADVICE`].
    pub(crate) fn fresh_for(&self) -> Option<Duration> {
        let mut directives = self.header(CACHE_CONTROL)?.split(',').map(str::trim);
        advised(directives.find_map(|directive| directive.strip_prefix("max-age="))?)
    }

    /// The whole body, of at most `limit` bytes.
    pub(crate) async fn bytes(self, limit: u64) -> Result<Vec<u8>, FetchError> {
        let mut bytes = Vec::new();
        self.copy_to(&mut bytes, limit).await?;
        Ok(bytes)
    }

    /// Writes the body to `writer`, after decompression at most `limit` bytes, and gives their number.
    pub(crate) async fn copy_to<W: AsyncWrite + Unpin>(
        mut self,
        writer: &mut W,
        limit: u64,
    ) -> Result<u64, FetchError> {
        let location = self.location.clone();
        let mut sink = Sink::new(writer, &location, limit);
        if let Some(size) = self.header(CONTENT_LENGTH).and_then(|size| size.parse().ok()) {
            sink.expect(size)?;
        }
        loop {
            let piece = timeout_at(self.deadline(sink.written()), self.body.next()).await;
            let piece = piece.map_err(|_| too_slow(&location, "its answer comes too slowly or has stopped"))?;
            match piece {
                Some(piece) => sink.push(&piece.map_err(|failure| interrupted(&location, failure))?).await?,
                None => return sink.finish().await,
            }
        }
    }

    /// The latest that the next piece may come, after so many bytes.
    fn deadline(&self, received: u64) -> Instant {
        let by_rate = self.began + self.limits.idle + self.limits.time_for(received);
        let by_pause = Instant::now() + self.limits.idle;
        by_rate.min(by_pause).min(self.started + self.limits.total)
    }

    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn parse_base(text: &str) -> Result<Url, FetchError> {
    let refused = |reason| FetchError::Address { text: text.to_owned(), reason };
    let mut url = Url::parse(text).map_err(|_| refused("it is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("a server's URL begins with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("a URL with a user name or a password would tell its user apart from others"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("paths are appended to the URL, so it can't have a query or a fragment"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&[url.path(), "/"].concat());
    }
    Ok(url)
}

fn with_path(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&[base.path(), path].concat());
    url
}

fn make_client(base: &Url, limits: &HttpLimits) -> Result<Client, FetchError> {
    install_provider();
    let builder = Client::builder().redirect(Policy::none()).referer(false).connect_timeout(limits.connect);
    let builder = builder.pool_idle_timeout(IDLE);
    let builder = if is_this_machine(base) { builder.no_proxy() } else { builder };
    // Without redirects, a plain server never leads to TLS: then the system's certificates need not even be there.
    let builder = if base.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
    builder.build().map_err(|error| FetchError::Setup { reason: shown(&causes(error)) })
}

/// Makes `ring` the cryptography of TLS for the process, unless the program that this is part of has chosen already.
fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

pub(crate) fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn too_slow(location: &str, waited: &'static str) -> FetchError {
    FetchError::TooSlow { location: location.to_owned(), waited }
}

fn failed(location: &str, failure: HttpFailure) -> FetchError {
    let location = location.to_owned();
    match failure {
        HttpFailure::TimedOut => too_slow(&location, "no connection comes about"),
        HttpFailure::Redirected { to } => FetchError::Redirect { location, to: shown(&to) },
        HttpFailure::Failed(reason) => FetchError::Unreachable { location, reason: shown(&reason) },
    }
}

fn interrupted(location: &str, failure: HttpFailure) -> FetchError {
    FetchError::Interrupted { location: location.to_owned(), reason: shown(&failure.to_string()) }
}

/// A number of seconds, as servers give advice by; a date is not taken, since it would be judged by the local clock.
fn advised(seconds: &str) -> Option<Duration> {
    let seconds = seconds.trim();
    let is_number = !seconds.is_empty() && seconds.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| seconds.parse().map_or(MAX_ADVICE, Duration::from_secs).min(MAX_ADVICE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_appended_to_the_base() {
        for (base, url) in [
            ("http://log.example", "http://log.example/tile/0/000.p/5"),
            ("HTTPS://log.example/", "https://log.example/tile/0/000.p/5"),
            ("https://log.example:8443/a/b", "https://log.example:8443/a/b/tile/0/000.p/5"),
            ("http://127.0.0.1:1/a%20b/", "http://127.0.0.1:1/a%20b/tile/0/000.p/5"),
        ] {
            assert_eq!(with_path(&parse_base(base).unwrap(), "tile/0/000.p/5").as_str(), url);
        }
    }

    #[test]
    fn a_url_that_is_no_base_is_refused() {
        for text in [
            "log.example",
            "ftp://log.example/",
            "http://user@log.example/",
            "http://:secret@log.example/",
            "http://log.example/?token=1",
            "http://log.example/#a",
            "http://",
        ] {
            assert!(matches!(parse_base(text), Err(FetchError::Address { .. })), "{text}");
        }
    }

    #[test]
    fn no_proxy_stands_before_this_machine() {
        for (url, expected) in [
            ("http://localhost:8080", true),
            ("http://127.0.0.2/", true),
            ("http://[::1]:80/", true),
            ("http://log.example/", false),
            ("http://127.0.0.1.log.example/", false),
        ] {
            assert_eq!(is_this_machine(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn advice_is_a_number_of_seconds_and_never_more_than_an_hour() {
        let hour = Some(MAX_ADVICE);
        for (text, expected) in [
            ("0", Some(Duration::ZERO)),
            (" 120 ", Some(Duration::from_secs(120))),
            ("3601", hour),
            ("99999999999999999999999999", hour),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ] {
            assert_eq!(advised(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_a_base_is_the_same_base_again(text in "(?s)(https?://)?[ -~]{0,40}|.{0,40}") {
            if let Ok(base) = parse_base(&text) {
                prop_assert_eq!(parse_base(base.as_str()), Ok(base));
            }
        }
    }

    #[test]
    fn a_client_for_tls_can_be_made() {
        assert!(Server::new("https://log.example/", HttpLimits::default()).is_ok());
    }
}
