//! The exchange of views with another holder of the list.

use crate::allowance::{ALLOWED, Allowance};
use crate::blocking::{self, Blocked};
use crate::client::Client;
use crate::error::ClientError;
use crate::options::CancelFlag;
use crate::read_only::ReadOnly;
use crate::update::lack;
use isonomy_core::hash::ObjectDigest;
use isonomy_fetch::Source;
use isonomy_verifier::peer::{Comparison, Outcome, Step, View, ViewError};
use isonomy_verifier::rejection::Lack;
use isonomy_verifier::{Evidence, Input};

/// The most requests that a source is sent in a comparison: some tiles, and a statement for each hop.
const MAX_REQUESTS: usize = 256;

/// What a comparison brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// How what the peer holds relates to what is held here.
    pub outcome: Outcome,
    /// The evidence that is kept now, if there is any, and if there were not too many files already.
    pub evidence: Option<ObjectDigest>,
    /// Whether it stops updates, now or already.
    pub halts: bool,
}

/// Why there was no comparison.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// Nothing is in force here, or its content isn't at hand.
    #[error("no list is in force here to compare with; update first")]
    Nothing,
    /// What the peer showed is not a view of this list.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The blocking form was called where it would block everything else.
    #[error("compare_blocking was called inside an asynchronous runtime; call `compare` there")]
    InsideRuntime,
    /// It was stopped from outside.
    #[error("the comparison was cancelled")]
    Cancelled,
    /// No runtime for the requests.
    #[error("can't start the runtime for the comparison: {0}")]
    Runtime(#[source] std::io::Error),
    /// What was found could not be kept.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl ReadOnly {
    /// What this client shows a peer of the list that it has in force; of the device it says when that last heard of the log.
    pub fn view(&self) -> Option<View> {
        self.list().map(|list| View::of(list, self.state()))
    }
}

impl Client {
    /// What this client shows a peer of the list that it has in force; of the device it says when that last heard of the log.
    pub fn view(&self) -> Option<View> {
        self.list.as_ref().map(|list| View::of(list, &self.state))
    }

    /// Compares what is in force here with what a peer shows, its [`View`] as text. What else is needed to tell is fetched
    /// from one source after the other, until one tells. Proof that the log forked is kept and stops updates; that of a
    /// second text for one version is kept.
    pub async fn compare(&mut self, theirs: &[u8], sources: &[Source]) -> Result<Compared, CompareError> {
        let mine = self.view().ok_or(CompareError::Nothing)?;
        let theirs = View::parse(theirs)?;
        let mut outcome = None;
        for source in sources.iter().map(Some).chain([None]) {
            let comparison = Comparison::new(&self.policy, mine.clone(), theirs.clone())?;
            let told = drive(comparison, source).await;
            let undecided = matches!(told, Outcome::Undecided(_));
            // That nothing was at hand says less than what the last source said.
            if !undecided || outcome.is_none() {
                outcome = Some(told);
            }
            if !undecided {
                break;
            }
        }
        let outcome = outcome.ok_or(CompareError::Nothing)?;
        Ok(self.keep(outcome)?)
    }

    /// [`Client::compare`], for programs that are not asynchronous.
    pub fn compare_blocking(&mut self, theirs: &[u8], sources: &[Source]) -> Result<Compared, CompareError> {
        self.compare_blocking_until(theirs, sources, &CancelFlag::new())
    }

    /// [`Client::compare_blocking`], with somebody who may stop it from another thread. Nothing is lost by that but what would have been
    /// found.
    pub fn compare_blocking_until(
        &mut self,
        theirs: &[u8],
        sources: &[Source],
        cancel: &CancelFlag,
    ) -> Result<Compared, CompareError> {
        let compared = async {
            tokio::select! {
                biased;
                () = cancel.raised() => Err(CompareError::Cancelled),
                outcome = self.compare(theirs, sources) => outcome,
            }
        };
        blocking::run(compared).map_err(|error| match error {
            Blocked::InsideRuntime => CompareError::InsideRuntime,
            Blocked::Runtime(error) => CompareError::Runtime(error),
        })?
    }

    fn keep(&mut self, outcome: Outcome) -> Result<Compared, ClientError> {
        let Outcome::Forked(evidence) = &outcome else {
            return Ok(Compared { outcome, evidence: None, halts: false });
        };
        let halts = matches!(**evidence, Evidence::Fork(_));
        let kept = self.keep_shown(evidence)?;
        Ok(Compared { outcome, evidence: kept, halts })
    }
}

/// Runs a comparison to its end, with one source; `None` has nothing.
async fn drive(mut comparison: Comparison, source: Option<&Source>) -> Outcome {
    let mut input = Input::Start;
    let (mut requests, mut allowance) = (0, Allowance::new(ALLOWED));
    loop {
        match comparison.step(input) {
            Step::Done(outcome) => return outcome,
            Step::Need { resource, max_bytes } => {
                requests += 1;
                let answer = match source.filter(|_| requests <= MAX_REQUESTS) {
                    Some(source) => match allowance.ask() {
                        Ok(()) => match allowance.wait(&resource, source.get(&resource, max_bytes)).await {
                            Ok(got) => got.map_err(|error| (lack(&error), error.to_string())),
                            Err(reason) => Err((Lack::Slow, reason)),
                        },
                        Err(reason) => Err((Lack::Slow, reason)),
                    },
                    None => Err((Lack::Limit, "there is no source to ask, or it was asked enough".to_owned())),
                };
                input = match answer {
                    Ok(bytes) => {
                        allowance.received(&resource, bytes.len() as u64);
                        Input::Received { resource, pieces: vec![bytes] }
                    }
                    Err((lack, reason)) => Input::Unavailable { resource, lack, reason },
                };
            }
        }
    }
}
