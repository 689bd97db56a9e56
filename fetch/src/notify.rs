//! Telling a server something once.

use crate::error::FetchError;
use crate::limits::HttpLimits;
use crate::server::Server;
use reqwest::Method;

const JSON: &str = "application/json";

/// Posts a JSON document to this `http://` or `https://` URL. What the server answers beside its status is not read, and
/// it is not followed elsewhere.
pub async fn notify(url: &str, document: Vec<u8>) -> Result<(), FetchError> {
    let at = url.find("://").and_then(|scheme| url.get(scheme + 3..)?.rfind('/').map(|slash| scheme + 3 + slash + 1));
    let (base, path) = url.split_at(at.unwrap_or(url.len()));
    let server = Server::new(base, HttpLimits::default())?;
    let answer = server.send(Method::POST, path, (document, JSON), server.limits().answer).await?;
    match answer.status() {
        200..=299 => Ok(()),
        status => {
            let (location, retry_after) = (answer.location().to_owned(), answer.retry_after());
            Err(FetchError::Status { location, status, retry_after })
        }
    }
}
