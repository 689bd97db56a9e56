//! What can go wrong between here and there, and whose fault it is.

use isonomy_core::tree::TreeSize;
use std::time::Duration;

/// Why something could not be fetched or sent. `location` is the full URL, or the file's path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    // Misuse
    /// What was given is neither a server nor a folder that can be read from.
    #[error("{text:?} can't be used: {reason}")]
    Address {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },

    // This machine
    /// No HTTP client can be made.
    #[error("can't make HTTP requests: {reason}")]
    Setup {
        /// What is missing.
        reason: String,
    },
    /// What was fetched can't be written to where it is wanted.
    #[error("can't write what was read from {location}: {reason}")]
    Write {
        /// Where it came from.
        location: String,
        /// What the operating system said.
        reason: String,
    },

    // The line, or the other side
    /// No connection, no valid certificate, no readable folder.
    #[error("can't reach {location}: {reason}")]
    Unreachable {
        /// What was wanted.
        location: String,
        /// How far it got.
        reason: String,
    },
    /// It took longer than the limits allow.
    #[error("{location} is too slow: {waited}")]
    TooSlow {
        /// What was wanted.
        location: String,
        /// What was waited for in vain.
        waited: &'static str,
    },
    /// The answer ended before its end, or in the middle of it the connection or the decompression failed.
    #[error("{location} broke off: {reason}")]
    Interrupted {
        /// What was wanted.
        location: String,
        /// How it ended.
        reason: String,
    },

    // The other side
    /// It is not there.
    #[error("{location} does not exist")]
    NotFound {
        /// What was wanted.
        location: String,
    },
    /// It is not for everybody. Tokens are for lists' content alone, so nothing else can be unauthorised: see
    /// [`FetchError::Status`].
    #[error(
        "{location} is not for everybody: a token is needed that its operator gives, and this server got none that fits"
    )]
    Unauthorized {
        /// What was wanted.
        location: String,
    },
    /// There is more of it than there can be; not more than the limit was read.
    #[error("{location} is larger than the {limit} bytes that it may have")]
    TooLarge {
        /// What was wanted.
        location: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// It is said to be somewhere else. Nothing is fetched from elsewhere than where the caller said.
    #[error("{location} redirects to {to:?}, which is not followed; if it has moved for good, use the new address")]
    Redirect {
        /// What was wanted.
        location: String,
        /// Where the server points to.
        to: String,
    },
    /// In a folder: a link leads out of it.
    #[error("{location} is a link that leads out of the folder, which is not followed")]
    Escapes {
        /// The link.
        location: String,
    },
    /// The server answered with a status for which there is no use.
    #[error("{location} answers with HTTP status {status}")]
    Status {
        /// What was wanted.
        location: String,
        /// The status.
        status: u16,
        /// How long the server asks to wait before the next attempt; at most an hour.
        retry_after: Option<Duration>,
    },
    /// The answer is not of the form that it must have.
    #[error("the answer of {location} is malformed: {reason}")]
    Malformed {
        /// What was asked.
        location: String,
        /// What is wrong with it.
        reason: String,
    },

    // A rule
    /// The log refuses what was sent to it, and says why.
    #[error("{location} refuses ({}): {message}", refusal(*.status, .code, *.rule))]
    Refused {
        /// What refused.
        location: String,
        /// The HTTP status.
        status: u16,
        /// The log's name for the reason.
        code: String,
        /// The number of the rule that was broken, if it is one.
        rule: Option<u8>,
        /// The reason in words, as the log gives it.
        message: String,
        /// How long to wait before the next attempt, if the log says so; at most an hour.
        retry_after: Option<Duration>,
    },
}

impl FetchError {
    /// How long the other side asks to wait before the next attempt, at most an hour.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } | Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the same may well succeed later without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TooSlow { .. } | Self::Interrupted { .. } => true,
            // The log takes nothing more before its operator has acted.
            Self::Refused { code, .. } if code == "contradicted" => false,
            Self::Status { status, .. } | Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }
}

/// Shows a refusal's code, with the rule if it cites one; a log that gives no code is cited by its status.
fn refusal(status: u16, code: &str, rule: Option<u8>) -> String {
    let code = if code.is_empty() { format!("status {status}") } else { code.to_owned() };
    rule.map_or(code.clone(), |rule| format!("rule {rule}, {code}"))
}

/// Why a witness did not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// It has last cosigned another size than the one from which the proof starts.
    #[error("the witness has last cosigned size {size}: send a proof from there")]
    Conflict {
        /// The size that it knows.
        size: TreeSize,
    },
    /// It refuses. By the specification, 404 means that it doesn't know the log, 403 that the log's signature is wrong
    /// or missing, 400 that the request is malformed, and 422 that the checkpoint contradicts what it has cosigned.
    #[error("{location} refuses to cosign (status {status}): {message}")]
    Refused {
        /// What refused.
        location: String,
        /// The HTTP status.
        status: u16,
        /// What it says, made safe to show.
        message: String,
        /// How long it asks to be left alone (`Retry-After`), if it says so.
        retry_after: Option<Duration>,
    },
    /// It was not reached, or its answer can't be used.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

impl WitnessError {
    /// How long it asks to be left alone, if it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Fetch(error) => error.retry_after(),
            Self::Conflict { .. } => None,
        }
    }
}

/// The longest text of a server's that is shown, in characters.
const MAX_SHOWN: usize = 1000;

/// What a server says, fit to be shown to a person: on one line, without characters that a terminal would obey, and not
/// too long.
pub(crate) fn shown(text: &str) -> String {
    let safe = |c: char| if c.is_control() || is_bidi(c) { ' ' } else { c };
    text.trim().chars().take(MAX_SHOWN).map(safe).collect()
}

/// Characters that change the direction in which others are shown.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(status: u16, code: &str, rule: Option<u8>) -> FetchError {
        let (location, message) = ("https://log.example/submit".into(), "no curator has signed".into());
        FetchError::Refused { location, status, code: code.into(), rule, message, retry_after: None }
    }

    #[test]
    fn a_refusal_cites_its_rule() {
        let by_rule = "https://log.example/submit refuses (rule 2, too-few-curators): no curator has signed";
        assert_eq!(refused(422, "too-few-curators", Some(2)).to_string(), by_rule);
        let by_status = "https://log.example/submit refuses (status 503): no curator has signed";
        assert_eq!(refused(503, "", None).to_string(), by_status);
    }

    #[test]
    fn what_time_may_mend_is_told_from_what_it_can_t() {
        assert!(refused(503, "no-quorum", None).is_temporary());
        assert!(!refused(422, "chain", Some(1)).is_temporary());
        assert!(!refused(503, "contradicted", None).is_temporary(), "the operator has to act first");
        assert!(!FetchError::NotFound { location: "checkpoint".into() }.is_temporary());
        assert!(FetchError::TooSlow { location: "checkpoint".into(), waited: "no answer" }.is_temporary());
    }

    proptest! {
        #[test]
        fn nothing_shown_has_control_characters_or_no_end(text in "(?s).{0,2000}") {
            let shown = shown(&text);
            prop_assert!(shown.chars().count() <= MAX_SHOWN);
            prop_assert!(!shown.chars().any(|c| c.is_control() || is_bidi(c)));
        }
    }

    #[test]
    fn a_server_s_words_can_t_command_a_terminal() {
        assert_eq!(shown(" a\u{1b}[2Jb\nc\u{202e}d "), "a [2Jb c d");
        assert_eq!(shown(&"é".repeat(5000)), "é".repeat(MAX_SHOWN));
    }
}
