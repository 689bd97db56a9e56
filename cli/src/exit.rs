//! Exit codes, the same for every command.

mod classes;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// A file, the network or something else around the command failed.
    Failed = 1,
    /// Refused: a rule or the policy was broken, a proof does not hold.
    Refused = 3,
    /// The input is not what it should be; for `list hash`: at least one file has no hash.
    Malformed = 4,
    /// `match`: at least one picture matched.
    Matched = 5,
    /// `monitor run --once`, `log fsck`, `charter lint`: there are findings; `list diff`: a guard rail would stop the release.
    Findings = 6,
    /// `match`: nothing matched, but at least one picture or hash could not be checked.
    NotChecked = 7,
}

/// The codes, for `--help`.
pub(crate) const HELP: &str = "Exit codes:
  0  done; for `match`: everything was looked at as docs/matching.md says, and nothing matched
  1  a file, the network or something else around the command failed
  2  the command was called wrongly
  3  refused: a rule or the policy was broken, or a proof does not hold
  4  the input is not what it should be; for `list hash`: at least one file has no hash
  5  `match`: at least one picture matched
  6  `monitor run --once`, `log fsck`: there are findings; `charter lint`: serious ones; `list diff`: a guard rail would
     stop the release
  7  `match`: nothing matched, but at least one picture or hash could not be checked

With --json, errors too are a JSON document on standard output; only a wrong call (2) is answered in words.";

impl Exit {
    /// The code that an error stands for.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        error.chain().find_map(Self::of_cause).unwrap_or(Self::Failed)
    }

    fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Self> {
        classes::of(cause)
            .or_else(|| cause.downcast_ref::<Malformed>().map(|_| Self::Malformed))
            .or_else(|| cause.downcast_ref::<Refused>().map(|_| Self::Refused))
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Marks an error as the input's fault.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) String);

/// Marks an error as a refusal by rule or policy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) String);
