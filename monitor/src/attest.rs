//! What an auditor attests after a look: that the log was followed and keeps the rules, that content is what its release
//! says, or that somebody has complained. Nothing is attested that this monitor has not seen itself.

use crate::audit::UNREADABLE;
use crate::content;
use crate::finding::{Finding, Severity};
use crate::monitor::Monitor;
use crate::report::{Stated, impossible};
use isonomy_core::attestation::{Attestation, Complaint, Method, Report};
use isonomy_core::note::VerifierKey;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;

/// What is to be attested.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claim {
    /// Every entry of the log was read, one successor each, rules kept.
    Followed,
    /// The newest release's root and counts were computed anew.
    Recomputed,
    /// So many entries or pictures were looked at, and so many of them were wrong: by a person, or with a canary corpus.
    LookedAt {
        /// [`Method::Sampled`] or [`Method::Canary`].
        method: Method,
        /// How many were looked at.
        sample: u64,
        /// How many were wrong.
        errors: u64,
    },
    /// Somebody has complained.
    Complaint(Complaint),
}

/// What an auditor says of it, for ever.
#[derive(Clone, Debug)]
pub struct Said<'s> {
    /// The finding, in words.
    pub finding: &'s str,
    /// Where more of it can be read.
    pub report: Option<Report>,
}

/// Why this monitor does not attest that.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AttestError {
    /// There is no release to attest anything about.
    #[error("the log has no release of {0} that keeps the rules")]
    NoRelease(ListName),
    /// Nothing of the log is known.
    #[error("nothing of the log could be read: {0}")]
    Unread(String),
    /// Not every entry was read.
    #[error("only {read} of {size} entries could be read, so nobody can say that the log was followed")]
    NotRead {
        /// How many were.
        read: u64,
        /// How many there are.
        size: u64,
    },
    /// The rules are broken.
    #[error("the rules are not kept: {0}")]
    Breach(String),
    /// Of a statement it can't be told whether it keeps the rules.
    #[error("it can't be told yet whether entry {0} keeps the rules; the monitor's findings say why")]
    NotJudged(LeafIndex),
    /// There was no room for every finding.
    #[error(
        "{0} findings had no room in this monitor's report, so nobody can say that the rules are kept in this list; its page shows what there was room for"
    )]
    Omitted(usize),
    /// Nothing was looked at.
    #[error("nobody learns anything from a sample of 0")]
    NothingSampled,
    /// Nothing is said.
    #[error("an attestation says what was found, and stands in the log for ever: give --finding some words")]
    NoFinding,
    /// It would say what can't be, and count for nothing.
    #[error("{0} Nobody signs that: an attestation stands in the log for ever")]
    Impossible(String),
    /// A complaint from before there was anything to complain of.
    #[error(
        "the complaint is said to have been received at {received}, and there was nothing to complain of before {began}: no release of the list was composed, and its first charter was not public; correct --received"
    )]
    BeforeTheList {
        /// When it was received, as is said.
        received: Timestamp,
        /// When its first release was composed, or its first charter public by the proof that is shown, whichever was first.
        began: Timestamp,
    },
    /// A time that has not come.
    #[error("the complaint is said to have been received at {0}, which has not come yet")]
    NotReceivedYet(Timestamp),
    /// An entry that can't be of this list.
    #[error("an entry of {list} has {expected} bytes; this one has {found}")]
    EntrySize {
        /// The list.
        list: ListName,
        /// How many bytes its entries have.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// The content was not verified.
    #[error("the content of the newest release was not verified: {0}")]
    Content(String),
}

impl Monitor {
    /// The text that says so about the newest release of a list, for the auditor to sign. For [`Claim::Recomputed`] the
    /// release's objects are fetched now, and everything is computed anew.
    pub async fn attestation(
        &self,
        list: &ListName,
        claim: &Claim,
        auditor: &VerifierKey,
        Said { finding, report }: Said<'_>,
        created: Timestamp,
    ) -> Result<Attestation, AttestError> {
        let newest = self.audit.history().list(list).and_then(|logged| logged.releases().last());
        let newest = newest.ok_or_else(|| self.no_release(list))?;
        if finding.trim().is_empty() {
            return Err(AttestError::NoFinding);
        }
        let (method, log_size, sample, errors, complaint) = match claim {
            Claim::Followed => (Method::Followed, Some(self.followed(list)?), None, None, None),
            Claim::Recomputed => (Method::Recomputed, None, Some(self.recomputed(list).await?), Some(0), None),
            Claim::LookedAt { sample: 0, .. } => return Err(AttestError::NothingSampled),
            Claim::LookedAt { method, sample, errors } => (*method, None, Some(*sample), Some(*errors), None),
            Claim::Complaint(complaint) if complaint.received > created => {
                return Err(AttestError::NotReceivedYet(complaint.received));
            }
            Claim::Complaint(complaint) if complaint.received < self.began(list) => {
                return Err(AttestError::BeforeTheList { received: complaint.received, began: self.began(list) });
            }
            Claim::Complaint(complaint) => (Method::Complaint, None, None, None, Some(complaint.clone())),
        };
        let attestation = Attestation {
            statement: Attestation::KIND.to_owned(),
            list: list.clone(),
            release: newest.id,
            auditor: auditor.clone(),
            method,
            log_size: log_size.map(isonomy_core::tree::TreeSize),
            sample,
            errors,
            complaint,
            finding: finding.to_owned(),
            report,
            created,
        };
        // By the same judgement as everybody's report, as if it were logged next.
        match impossible(&Stated::of(&attestation), self.audit.next(), created, Some(newest)) {
            Some(words) => Err(AttestError::Impossible(words)),
            None => Ok(attestation),
        }
    }

    /// Since when the first charter of a list is public, by the proof that is shown: at the latest.
    fn chartered(&self, list: &ListName) -> Timestamp {
        let first = self.audit.history().list(list).and_then(|logged| logged.editions().all().first());
        first.map(|first| first.public_since()).unwrap_or_default()
    }

    /// Before this there was nothing to complain of, whichever proofs are shown: a log that renews them silences nobody.
    fn began(&self, list: &ListName) -> Timestamp {
        let first = self.audit.history().list(list).and_then(|logged| logged.releases().first());
        first.map_or(Timestamp::default(), |first| first.created).min(self.chartered(list))
    }

    /// What speaks against a claim, and does not forbid it: the auditor may know better than the proofs that are shown.
    pub fn doubt_about(&self, list: &ListName, claim: &Claim) -> Option<String> {
        let Claim::Complaint(Complaint { received, .. }) = claim else { return None };
        let chartered = self.chartered(list);
        (*received < chartered).then(|| {
            format!(
                "The complaint is said to have been received at {received}; by the proof that the log shows, the first charter of {list} is public since {chartered}, later than that. A log can show a later proof than the first, so this may be right."
            )
        })
    }

    /// Why there is no release: if nothing of the log was read, that is why.
    fn no_release(&self, list: &ListName) -> AttestError {
        if self.audit.next().0 > 0 {
            return AttestError::NoRelease(list.clone());
        }
        let standing = self.ledger.findings().into_iter().filter(|found| found.standing);
        let words: Vec<String> = standing.map(|found| found.words).collect();
        AttestError::Unread(if words.is_empty() { "it has no entry yet".to_owned() } else { words.join(" ") })
    }

    /// Whether an entry that somebody complains about can be one of this list.
    pub fn can_hold(&self, list: &ListName, entry: &[u8]) -> Result<(), AttestError> {
        let algorithm = self.algorithm(list).ok_or_else(|| self.no_release(list))?;
        let (expected, found) = (algorithm.entry_size(), entry.len());
        if expected == found { Ok(()) } else { Err(AttestError::EntrySize { list: list.clone(), expected, found }) }
    }

    /// The size up to which every entry was read, if nothing about the log as a whole or about this list is broken.
    fn followed(&self, list: &ListName) -> Result<u64, AttestError> {
        let (read, size) = (self.audit.next().0, self.mirror.size().0);
        if read != size || !self.mirror.is_complete() || size == 0 {
            return Err(AttestError::NotRead { read, size });
        }
        let about = |found: &&Finding| found.list.as_ref().is_none_or(|name| name == list);
        let findings = self.ledger.findings();
        let mut standing = findings.iter().filter(|found| found.standing && found.severity == Severity::Breach);
        let mut unreadable = findings.iter().filter(|found| found.standing && found.code == UNREADABLE);
        let unreadable = unreadable.find_map(|found| found.index);
        let omitted = self.audit.omitted() + self.ledger.omitted_standing();
        match (standing.find(about), self.audit.undecided(list).first().copied().or(unreadable)) {
            (Some(breach), _) => Err(AttestError::Breach(breach.words.clone())),
            (None, Some(index)) => Err(AttestError::NotJudged(index)),
            (None, None) if omitted > 0 => Err(AttestError::Omitted(omitted)),
            (None, None) => Ok(size),
        }
    }

    /// How many entries the newest release has, now that its content was computed anew.
    async fn recomputed(&self, list: &ListName) -> Result<u64, AttestError> {
        let version = self.audit.history().list(list).map_or(0, |logged| logged.releases().len() as u64);
        let lacks = || AttestError::Content("this monitor's own copy of the log is not complete".to_owned());
        let job = self.job(list, version).ok_or_else(lacks)?;
        content::recompute(&job, &self.vantages).await.map_err(AttestError::Content)?;
        Ok(job.release.entries)
    }
}
