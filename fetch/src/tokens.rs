//! Bearer tokens for lists whose contents are not for everybody.
//!
//! ```text
//! # one server on a line: its URL, a space, the token
//! https://log.example 5c1f…
//! ```
//!
//! A token is sent to the server with that scheme, name and port alone, and only where it is of use: when an object is
//! asked for. It tells its holder apart from others; that is what a token is for, and why nothing else is asked with it.

use crate::error::FetchError;
use crate::server::is_this_machine;
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::fmt;

/// The most bytes of a file of tokens.
pub const MAX_TOKENS_SIZE: usize = 64 * 1024;

/// Tokens by the server that each is for.
#[derive(Clone, Default)]
pub struct Tokens(Vec<(Url, HeaderValue)>);

impl Tokens {
    /// Parses a file of tokens. No error quotes one.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(parse_line).collect::<Result<_, _>>().map(Self)
    }

    /// The token for the server at `base`.
    pub(crate) fn of(&self, base: &Url) -> Option<HeaderValue> {
        let is_that_one = |(server, _): &&(Url, HeaderValue)| server.origin() == base.origin();
        self.0.iter().find(is_that_one).map(|(_, token)| token.clone())
    }
}

/// Shows the servers alone.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(server, _)| server.as_str())).finish()
    }
}

fn parse_line(line: &str) -> Result<(Url, HeaderValue), FetchError> {
    let wrong = |text: &str, reason| FetchError::Address { text: text.to_owned(), reason };
    let (url, token) =
        line.split_once(char::is_whitespace).ok_or(wrong("a line", "it is not a URL, a space and a token"))?;
    let server = Url::parse(url).map_err(|_| wrong("a line", "it does not begin with a URL"))?;
    if server.scheme() != "https" && !(server.scheme() == "http" && is_this_machine(&server)) {
        return Err(wrong(url, "a token is sent over https:// alone, or to this machine"));
    }
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c); // RFC 6750, 2.1
    let token = token.trim();
    if token.is_empty() || !token.chars().all(is_token) {
        return Err(wrong(url, "what follows it is no bearer token"));
    }
    let mut value =
        HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| wrong(url, "its token can't be sent"))?;
    value.set_sensitive(true);
    Ok((server, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_is_for_one_server() {
        let tokens = Tokens::parse("# mine\n\nhttps://log.example/a/ secret\nhttp://127.0.0.1:80 other\n").unwrap();
        let of = |url: &str| tokens.of(&Url::parse(url).unwrap()).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(of("https://log.example/b/").as_deref(), Some("Bearer secret"));
        assert_eq!(of("https://log.example:443/").as_deref(), Some("Bearer secret"));
        assert_eq!(of("http://127.0.0.1/").as_deref(), Some("Bearer other"));
        for other in
            ["http://log.example/", "https://log.example:8443/", "https://www.log.example/", "https://example/"]
        {
            assert_eq!(of(other), None, "{other}");
        }
        assert!(!format!("{tokens:?}").contains("secret"));
    }

    #[test]
    fn no_error_tells_a_token() {
        for line in [
            "https://log.example",
            "secret https://log.example",
            "http://log.example secret",
            "https://log.example se,cret",
            "https://log.example  ",
        ] {
            let error = Tokens::parse(line).unwrap_err().to_string();
            assert!(!error.contains("secret") && !error.contains("se,cret"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(?s).{0,200}|https://[a-z.]{1,9} .{0,20}") {
            let _ = Tokens::parse(&text);
        }
    }
}
