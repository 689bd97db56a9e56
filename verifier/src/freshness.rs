//! How old a client's knowledge is. It is part of every answer.

use crate::policy::Ages;
use isonomy_core::time::Timestamp;
use serde::Serialize;

/// How old the knowledge about a list is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Freshness {
    /// Checkpoint and release are within the policy's ages.
    Fresh {
        /// Seconds since the checkpoint was witnessed.
        checkpoint_age: u64,
    },
    /// Usable, but older than the policy likes.
    Stale {
        /// Seconds since the checkpoint was witnessed.
        checkpoint_age: u64,
        /// Seconds since the release was created.
        release_age: u64,
    },
    /// The release's validity is over: not usable.
    Expired {
        /// Since when.
        since: Timestamp,
    },
}

impl Freshness {
    /// Judges knowledge at `time`, the latest of local clock and witnessed times.
    pub(crate) fn at(
        time: Timestamp,
        checkpoint: Timestamp,
        created: Timestamp,
        expires: Timestamp,
        ages: Ages,
    ) -> Self {
        if time >= expires {
            return Self::Expired { since: expires };
        }
        let (checkpoint_age, release_age) = (time.since(checkpoint), time.since(created));
        if checkpoint_age <= ages.checkpoint && release_age <= ages.release {
            Self::Fresh { checkpoint_age }
        } else {
            Self::Stale { checkpoint_age, release_age }
        }
    }

    /// Whether a list with this freshness may be used.
    pub fn is_usable(self) -> bool {
        !matches!(self, Self::Expired { .. })
    }
}

/// Shows one word and the ages.
impl std::fmt::Display for Freshness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fresh { checkpoint_age } => write!(f, "fresh (checkpoint witnessed {checkpoint_age} s ago)"),
            Self::Stale { checkpoint_age, release_age } => {
                write!(f, "stale (checkpoint witnessed {checkpoint_age} s ago, release {release_age} s old)")
            }
            Self::Expired { since } => write!(f, "expired since {since}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_expiry() {
        let ages = Ages { checkpoint: 10, release: 100 };
        let at = |time: u64, checkpoint: u64| {
            Freshness::at(Timestamp(time), Timestamp(checkpoint), Timestamp(1000), Timestamp(1500), ages)
        };
        assert_eq!(at(1010, 1000), Freshness::Fresh { checkpoint_age: 10 });
        assert_eq!(at(1011, 1000), Freshness::Stale { checkpoint_age: 11, release_age: 11 });
        assert_eq!(at(1100, 1095), Freshness::Fresh { checkpoint_age: 5 });
        assert_eq!(at(1101, 1100), Freshness::Stale { checkpoint_age: 1, release_age: 101 });
        assert_eq!(at(1500, 1500), Freshness::Expired { since: Timestamp(1500) });
        assert!(!at(1500, 1500).is_usable() && at(1499, 0).is_usable());
    }

    #[test]
    fn in_words() {
        let words = |freshness: Freshness| freshness.to_string();
        assert_eq!(words(Freshness::Fresh { checkpoint_age: 3 }), "fresh (checkpoint witnessed 3 s ago)");
        let stale = Freshness::Stale { checkpoint_age: 3, release_age: 9 };
        assert_eq!(words(stale), "stale (checkpoint witnessed 3 s ago, release 9 s old)");
        assert_eq!(words(Freshness::Expired { since: Timestamp(0) }), "expired since 1970-01-01T00:00:00Z");
    }
}
