//! Who may change what, and when: the rules of `docs/rules.md`, once, for the three who ask. The log server asks before
//! it admits a statement, the client before it accepts a release, the monitor about everything.
//!
//! Nothing here reads a clock: *public since* and *now* are witnessed times ([`crate::policy::Policy::quorum_times`]),
//! or the log server's own clock at admission.
//!
//! | rule | about | module |
//! |---|---|---|
//! | 1 | chain: contiguous numbers, one successor each | [`editions`], [`releases`], [`history`] |
//! | 2 | signatures | [`signatures`] |
//! | 3 | amendment: consent under the old edition | [`editions`] |
//! | 4 | widening needs notice | [`amendment`], [`editions`] |
//! | 5 | visibility before use | [`releases::visible`] |
//! | 6 | time is witnessed by the quorum | [`crate::policy`] |
//! | 7 | limits of the charter | [`releases`] |
//! | 8 | content is what the release says | [`content`] |
//! | 9 | attestations bind only who asked for them | [`attestations`], [`history`] |

pub mod amendment;
pub mod attestations;
pub mod content;
pub mod editions;
pub mod history;
pub mod releases;
pub mod signatures;
#[cfg(test)]
pub(crate) mod testing;

use crate::hash::StatementId;
use crate::statement::{ListName, Statement};
use crate::time::Timestamp;
use alloc::string::String;
use core::fmt;

/// How many seconds ahead of one's own clock the date of a cosignature may be: beyond that, one of the two clocks is wrong
/// (rule 6). Clocks that are kept by NTP are within a second of each other, and a message on its way only makes a date
/// older. A minute forgives a machine that has just started, and is short beside any visibility or notice. The log leaves
/// out what is dated further ahead, and a monitor says so, by this one number.
pub const MAX_CLOCK_AHEAD: u64 = 60;

/// How many seconds two honest clocks may differ: each may be off by [`MAX_CLOCK_AHEAD`], one this way and one that way.
/// Evidence that holds one clock's time against another's accuses nobody of what is within it.
pub const MAX_CLOCK_DIFFERENCE: u64 = 2 * MAX_CLOCK_AHEAD;

/// The rule that a [`Violation`] breaks, by its number in `docs/rules.md`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rule {
    /// Versions and editions are contiguous, with one successor each.
    Chain = 1,
    /// Who must sign.
    Signatures = 2,
    /// Consent to an amendment.
    Amendment = 3,
    /// An amendment that widens needs notice.
    Notice = 4,
    /// A release is public for a while before it is used.
    Visibility = 5,
    /// Time is witnessed.
    Time = 6,
    /// The charter's limits.
    Limits = 7,
    /// Content is what the release says.
    Content = 8,
    /// Attestations.
    Attestations = 9,
}

impl Rule {
    /// Its number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its name, one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Signatures => "signatures",
            Self::Amendment => "amendment",
            Self::Notice => "notice",
            Self::Visibility => "visibility",
            Self::Time => "time",
            Self::Limits => "limits",
            Self::Content => "content",
            Self::Attestations => "attestations",
        }
    }
}

/// Shows, for example, `rule 4 (notice)`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {} ({})", self.number(), self.name())
    }
}

/// Whether a number counts charters or releases.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Series {
    /// Editions of a charter.
    Edition,
    /// Versions of a list.
    Version,
}

impl Series {
    /// The series that a statement belongs to, and its number there; an attestation belongs to none.
    pub fn of(statement: &Statement) -> Option<(Self, u64)> {
        match statement {
            Statement::Charter(charter) => Some((Self::Edition, charter.body().edition)),
            Statement::Release(release) => Some((Self::Version, release.body().version)),
            Statement::Attestation(_) => None,
        }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Edition => "edition",
            Self::Version => "version",
        })
    }
}

macro_rules! violations {
    ($($(#[$doc:meta])* $rule:ident $code:literal $message:literal $name:ident $({ $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? })?;)*) => {
        /// A rule that was broken, and how. There may be more of them.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Violation { $(
            $(#[$doc])*
            #[error($message)]
            $name $({ $($(#[$fdoc])* $field: $type),* })?,
        )* }

        impl Violation {
            /// The rule that was broken.
            pub fn rule(&self) -> Rule {
                match self { $(Self::$name { .. } => Rule::$rule,)* }
            }

            /// A short, stable name for programs.
            pub fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code,)* }
            }
        }
    };
}

violations! {
    /// Not the next number.
    Chain "not-contiguous" "{series} {found} can't follow: the next {series} is {expected}"
    NotContiguous {
        /// Editions or versions.
        series: Series,
        /// The number that would be next.
        expected: u64,
        /// The number that was found.
        found: u64,
    };
    /// It does not cite the statement before it.
    Chain "previous-mismatch" "{series} {number} does not cite the {series} before it as previous"
    PreviousMismatch {
        /// Editions or versions.
        series: Series,
        /// Its number.
        number: u64,
    };
    /// Two statements for one number, both with the signatures that count.
    Chain "equivocation" "there are two texts for {series} {number}: {first} and {second}"
    Equivocation {
        /// Editions or versions.
        series: Series,
        /// The number that both claim.
        number: u64,
        /// The one that was logged first.
        first: StatementId,
        /// The other.
        second: StatementId,
    };
    /// The same text is in the log already.
    Chain "already-logged" "the statement {id} is in the log already"
    AlreadyLogged {
        /// Its identity.
        id: StatementId,
    };
    /// It counts in another log.
    Chain "other-log" "the charter counts in the log {charter}, not in {log}"
    OtherLog {
        /// The log that the charter names.
        charter: String,
        /// The log in which it was found.
        log: String,
    };
    /// It is about another list than the chain that it should continue.
    Chain "other-list" "the statement is about {found}, not about {expected}"
    OtherList {
        /// The list of the chain.
        expected: ListName,
        /// The list of the statement.
        found: ListName,
    };
    /// It cites a charter that isn't logged before it.
    Chain "unknown-charter" "the cited charter {id} isn't in the log before this statement"
    UnknownCharter {
        /// The cited charter.
        id: StatementId,
    };
    /// It cites a release that isn't logged before it.
    Chain "unknown-release" "the cited release {id} isn't in the log before this statement"
    UnknownRelease {
        /// The cited release.
        id: StatementId,
    };
    /// It cites an older edition than it may.
    Chain "superseded-edition" "it cites edition {cited}, but edition {required} binds it already"
    SupersededEdition {
        /// The cited edition.
        cited: u64,
        /// The oldest that it may cite.
        required: u64,
    };
    /// No maintainer key signed.
    Signatures "maintainer-missing" "no key of the maintainer under edition {under} signed it"
    MaintainerMissing {
        /// The edition whose maintainer is missing.
        under: u64,
    };
    /// Too few curators signed.
    Signatures "too-few-curators" "{have} of the {need} curators that edition {under} asks for signed it"
    TooFewCurators {
        /// How many signed.
        have: u64,
        /// How many must.
        need: u64,
        /// Under which edition.
        under: u64,
    };
    /// The curators that signed come from too few jurisdictions.
    Signatures "too-few-jurisdictions" "the curators that signed come from {have} of the {need} jurisdictions that edition {under} asks for"
    TooFewJurisdictions {
        /// From how many they come.
        have: u64,
        /// From how many they must.
        need: u64,
        /// Under which edition.
        under: u64,
    };
    /// A key that the charter adds did not sign it.
    Signatures "added-key-missing" "the key {name} is added but did not sign"
    AddedKeyMissing {
        /// The key's name.
        name: String,
    };
    /// A wrong signature by a key that counts.
    Signatures "wrong-signature" "the signature of {name} is wrong"
    WrongSignature {
        /// The key's name.
        name: String,
    };
    /// A signature line that no rule counts, twice the same key, or lines out of order.
    Signatures "uncounted-signature" "the signature line of {name} is by no key that counts here, or a second one, or out of order"
    UncountedSignature {
        /// The name in the line.
        name: String,
    };
    /// A release composed too long ago.
    Signatures "stale-draft" "it was created at {created}, more than 24 hours before {at}"
    StaleDraft {
        /// When it says that it was created.
        created: Timestamp,
        /// When it should be admitted.
        at: Timestamp,
    };
    /// A list has one algorithm.
    Amendment "algorithm-changed" "a list has one algorithm; for another one, make another list"
    AlgorithmChanged;
    /// An amendment that widens, before its notice is over.
    Notice "notice-not-over" "edition {edition} widens the charter ({widens}), public since {public_since}; its notice ends at {in_force_since}, but the release that cites it was public at {at}"
    NoticeNotOver {
        /// The edition that is not in force.
        edition: u64,
        /// What it widens.
        widens: String,
        /// When the edition became public.
        public_since: Timestamp,
        /// When it comes into force.
        in_force_since: Timestamp,
        /// When the release that cites it became public.
        at: Timestamp,
    };
    /// An amendment that would keep every release from being published during its notice. Only who admits it asks.
    Notice "holds-up-releases" "edition {edition} narrows edition {pending}, which is not in force yet, and widens the one that is: every release would have to cite it, and none could before {until}. Take back in it all that edition {pending} widens, or wait until that one is in force"
    HoldsUpReleases {
        /// The edition that asks to be logged.
        edition: u64,
        /// The edition that it narrows.
        pending: u64,
        /// When it would come into force.
        until: Timestamp,
    };
    /// A release that adds entries, used too early.
    Visibility "not-visible" "public for {public_for} s of {needed} s"
    NotVisible {
        /// How long it has been public, in seconds.
        public_for: u64,
        /// How long it must be, in seconds.
        needed: u64,
    };
    /// It was created after it became public.
    Limits "created-late" "it says that it was created at {created}, after {at}"
    CreatedLate {
        /// When it says that it was created.
        created: Timestamp,
        /// When it was public, or should be admitted.
        at: Timestamp,
    };
    /// It was created before the release that it follows.
    Limits "created-early" "it says that it was created at {created}, before its predecessor at {predecessor}"
    CreatedEarly {
        /// When it says that it was created.
        created: Timestamp,
        /// When its predecessor was.
        predecessor: Timestamp,
    };
    /// Too many entries, additions, or too long a validity.
    Limits "over-limit" "{what}: {found} is more than the {limit} that the charter allows"
    OverLimit {
        /// What is limited.
        what: &'static str,
        /// What the release has.
        found: u64,
        /// What it may have.
        limit: u64,
    };
    /// Two releases that add entries too soon after each other.
    Limits "too-soon" "{found} s after the last release that added entries; the charter asks for {limit} s"
    TooSoon {
        /// The time between them, in seconds.
        found: u64,
        /// What it must be at least.
        limit: u64,
    };
    /// The content has another root.
    Content "root-mismatch" "the content does not have the root that the release names"
    RootMismatch;
    /// A count is not what was counted.
    Content "count-mismatch" "{what}: the release says {stated}, counted are {counted}"
    CountMismatch {
        /// What was counted.
        what: &'static str,
        /// The number in the release.
        stated: u64,
        /// The number in the content.
        counted: u64,
    };
    /// An object that a release names does not hold what it should.
    Content "undecodable" "the {what} that the release names can't be used: {problem}"
    Undecodable {
        /// Snapshot or delta.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    };
    /// An entry that no list may hold.
    Content "forbidden-entry" "the content holds an entry that no list may hold: {problem}"
    ForbiddenEntry {
        /// Which, and why.
        problem: String,
    };
    /// The named auditor did not sign.
    Attestations "auditor-missing" "the auditor {name} did not sign it"
    AuditorMissing {
        /// The key's name.
        name: String,
    };
    /// Fewer auditors than a policy asks for have followed the log up to a release.
    Attestations "too-few-attestations" "{have} of the policy's auditors attest that they followed the log up to it, of {need}"
    TooFewAttestations {
        /// How many attest it.
        have: u64,
        /// How many the policy asks for.
        need: u64,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_violation_says_what_and_cites_its_rule() {
        let gap = Violation::NotContiguous { series: Series::Edition, expected: 2, found: 4 };
        assert_eq!(gap.to_string(), "edition 4 can't follow: the next edition is 2");
        assert_eq!((gap.rule().to_string(), gap.code()), ("rule 1 (chain)".to_string(), "not-contiguous"));
        let gap = Violation::NotContiguous { series: Series::Version, expected: 2, found: 4 };
        assert_eq!(gap.to_string(), "version 4 can't follow: the next version is 2");
    }
}
