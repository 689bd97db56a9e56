//! Telling a server something once.

use crate::error::FetchError;
use crate::limits::HttpLimits;
use crate::server::Server;
use reqwest::Method;

const JSON: &str = "application/json";

/// Whether [`notify`] can be given this URL. Nothing is sent.
pub fn can_notify(url: &str) -> Result<(), FetchError> {
    server_of(url).map(drop)
}

fn server_of(url: &str) -> Result<(Server, &str), FetchError> {
    let at = url.find("://").and_then(|scheme| url.get(scheme + 3..)?.rfind('/').map(|slash| scheme + 3 + slash + 1));
    let (base, path) = url.split_at(at.unwrap_or(url.len()));
    Ok((Server::new(base, HttpLimits::default())?, path))
}

/// Posts a JSON document to this `http://` or `https://` URL. What the server answers beside its status is not read, and
/// it is not followed elsewhere.
pub async fn notify(url: &str, document: Vec<u8>) -> Result<(), FetchError> {
    let (server, path) = server_of(url)?;
    let answer = server.send(Method::POST, path, (document, JSON), server.limits().answer).await?;
    match answer.status() {
        200..=299 => Ok(()),
        status => {
            let (location, retry_after) = (answer.location().to_owned(), answer.retry_after());
            Err(FetchError::Status { location, status, retry_after })
        }
    }
}
