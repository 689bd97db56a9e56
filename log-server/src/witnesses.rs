//! The witness round: all witnesses are shown a checkpoint at once, and the cosignatures are collected that come back in
//! time. Nothing that a witness answers is believed before it is verified.

use crate::log::{Log, LogError};
use isonomy_core::add_checkpoint::AddCheckpoint;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::note::{NoteError, Signature, VerifierKey};
use isonomy_core::policy::{Policy, QuorumTimes};
use isonomy_core::tree::TreeSize;
use isonomy_fetch::{FetchError, HttpLimits, WitnessClient, WitnessError};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

/// How long one witness is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long more cosignatures are waited for once there are enough: clients with another policy may count them.
const GRACE: Duration = Duration::from_millis(500);
/// How often a witness may say in one round that it knows another size.
const ATTEMPTS: usize = 3;

/// Why a witness did not cosign.
#[derive(Debug, thiserror::Error)]
pub enum WitnessFailure {
    /// It said no, or could not be reached.
    #[error(transparent)]
    Refused(#[from] WitnessError),
    /// It took too long.
    #[error("it did not answer within {} seconds", PATIENCE.as_secs())]
    TooSlow,
    /// It knows a larger tree of this log than the log itself.
    #[error(
        "it says that it has seen this log at size {known}, but the log is of size {size}; if that is true, the log's data was rolled back"
    )]
    Ahead {
        /// What the witness says.
        known: TreeSize,
        /// The log's size.
        size: TreeSize,
    },
    /// It keeps naming other sizes.
    #[error("it names another size each time it is asked")]
    Unsteady,
    /// Its answer holds no valid cosignature by its key.
    #[error("its answer holds no valid cosignature by its key")]
    NoCosignature,
    /// The proof for it could not be made.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The task that asked it has died.
    #[error("the task that asked it ended early")]
    Lost,
}

struct Member {
    name: String,
    key: VerifierKey,
    client: WitnessClient,
    /// The size that it cosigned last, as far as is known.
    known: TreeSize,
}

/// The witnesses of a policy that have a URL.
pub struct Witnesses {
    policy: Policy,
    members: Vec<Member>,
}

/// What came of a round.
#[derive(Debug)]
pub struct Round {
    /// The checkpoint with the log's signature and every cosignature that came.
    pub cosigned: CheckpointNote,
    /// What the witnesses say about time, if they satisfy the quorum.
    pub times: Option<QuorumTimes>,
    /// Which witnesses did not cosign, and why.
    pub failures: Vec<(String, WitnessFailure)>,
}

impl Witnesses {
    /// The witnesses of this policy.
    pub fn new(policy: Policy) -> Result<Self, FetchError> {
        let limits = HttpLimits { connect: PATIENCE, answer: PATIENCE, total: PATIENCE, ..HttpLimits::default() };
        let mut members = Vec::new();
        for witness in policy.witnesses() {
            let Some(url) = &witness.url else {
                tracing::warn!(witness = %witness.name, "the policy gives no URL for this witness, so it can't be asked");
                continue;
            };
            let client = WitnessClient::with_limits(url, limits)?;
            let (name, key) = (witness.key.name().to_owned(), witness.key.clone());
            members.push(Member { name, key, client, known: TreeSize(0) });
        }
        Ok(Self { policy, members })
    }

    /// Fails if a witness can show a checkpoint with this log's signature that the log does not remember. Witnesses that
    /// don't answer are not waited for long: this is a safety net, not a condition.
    pub async fn check_memory(&self, log: &Log) -> Result<(), LogError> {
        let head = log.head();
        let head = head.checkpoint();
        let ask = |member: &Member| {
            let (client, origin) = (member.client.clone(), head.origin.clone());
            async move { timeout(Duration::from_secs(3), client.latest(&origin)).await.ok()?.ok() }
        };
        for shown in futures_util::future::join_all(self.members.iter().map(ask)).await.into_iter().flatten() {
            if shown.verify_log(log.key()).is_err() {
                continue;
            }
            let tree = shown.checkpoint();
            if tree.size > head.size {
                let by = "a checkpoint with this log's signature that a witness shows";
                return Err(LogError::RolledBack { head: head.size, known: tree.size, by });
            }
            if tree.size == head.size && tree.root != head.root {
                return Err(LogError::TwoHeads { size: head.size });
            }
        }
        Ok(())
    }

    /// Shows all witnesses the log's committed checkpoint.
    pub async fn round(&mut self, log: &Arc<Log>) -> Round {
        let head = log.head();
        let mut tasks = JoinSet::new();
        for (at, member) in self.members.iter().enumerate() {
            let ask = Ask {
                client: member.client.clone(),
                key: member.key.clone(),
                known: member.known,
                log: Arc::clone(log),
                head: head.clone(),
            };
            tasks.spawn(async move { (at, timeout(PATIENCE, ask.cosignature()).await) });
        }
        let mut round = Round { cosigned: head.clone(), times: None, failures: Vec::new() };
        let mut deadline = Instant::now() + 2 * PATIENCE;
        while let Ok(Some(ended)) = timeout_at(deadline, tasks.join_next()).await {
            match ended {
                Ok((at, Ok(Ok(line)))) => {
                    self.set_known(at, head.checkpoint().size);
                    round.cosigned = round.cosigned.with_cosignatures(&[line]);
                    let before = round.times;
                    round.times = self.times(&round.cosigned);
                    if before.is_none() && round.times.is_some() {
                        deadline = Instant::now() + GRACE;
                    }
                }
                Ok((at, Ok(Err(failure)))) => round.failures.push((self.name(at), failure)),
                Ok((at, Err(_))) => round.failures.push((self.name(at), WitnessFailure::TooSlow)),
                Err(_) => round.failures.push((String::from("?"), WitnessFailure::Lost)),
            }
        }
        round
    }

    /// Every line was verified when it came, so no known one can be wrong.
    fn times(&self, cosigned: &CheckpointNote) -> Option<QuorumTimes> {
        let times: Result<_, NoteError> = self.policy.checkpoint_times(cosigned.note());
        times.ok().flatten()
    }

    fn name(&self, at: usize) -> String {
        self.members.get(at).map_or_else(String::new, |member| member.name.clone())
    }

    fn set_known(&mut self, at: usize, size: TreeSize) {
        if let Some(member) = self.members.get_mut(at) {
            member.known = size;
        }
    }
}

/// One witness and what it is asked.
struct Ask {
    client: WitnessClient,
    key: VerifierKey,
    known: TreeSize,
    log: Arc<Log>,
    head: CheckpointNote,
}

impl Ask {
    /// The witness's cosignature of the head, verified.
    async fn cosignature(mut self) -> Result<Signature, WitnessFailure> {
        let size = self.head.checkpoint().size;
        for _ in 0..ATTEMPTS {
            let request = self.request().await?;
            match self.client.add_checkpoint(&request).await {
                Ok(lines) => return self.newest(&lines).ok_or(WitnessFailure::NoCosignature),
                Err(WitnessError::Conflict { size: known }) if known > size => {
                    return Err(WitnessFailure::Ahead { known, size });
                }
                Err(WitnessError::Conflict { size: known }) => self.known = known,
                Err(error) => return Err(error.into()),
            }
        }
        Err(WitnessFailure::Unsteady)
    }

    async fn request(&self) -> Result<AddCheckpoint, WitnessFailure> {
        let (log, old, new) = (Arc::clone(&self.log), self.known, self.head.checkpoint().size);
        let proof = tokio::task::spawn_blocking(move || log.consistency(old, new)).await;
        let proof = proof.map_err(|_| WitnessFailure::Lost)??;
        Ok(AddCheckpoint { old, proof, checkpoint: self.head.clone() })
    }

    /// The valid line with the latest time; other lines are ignored.
    fn newest(&self, lines: &[Signature]) -> Option<Signature> {
        let text = self.head.note().text();
        let valid = lines.iter().filter_map(|line| Some((cosignature::verify(&self.key, text, line)?, line)));
        valid.max_by_key(|(time, _)| *time).map(|(_, line)| line.clone())
    }
}
