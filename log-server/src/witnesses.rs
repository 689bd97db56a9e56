//! The witness round: all witnesses are shown a checkpoint at once, and the cosignatures are collected that come back in
//! time. Nothing that a witness answers is believed before it is verified, and a cosignature that is dated far ahead of this
//! machine's clock does not count: clients that see it would take their list for expired.
//!
//! Each witness is reminded of what it cosigned last: where it is asked for the same checkpoint again, its own line is under
//! it; where it names a smaller size than it has cosigned, it is first shown the checkpoint that it has forgotten, with its
//! own line. C2SP lets requests carry further lines, which others ignore; a witness whose folder was restored from a backup
//! learns by them that it was.
//!
//! Once there is a quorum, the others are waited for a little: clients with another policy may count them. While somebody
//! waits for what is to be published: briefly, and not at all for a witness that failed the last time. While nobody does,
//! since the tree is unchanged: longer. So a slow or broken one delays nothing, and a slow but honest one is still heard
//! whenever there is time.

use crate::log::{Log, LogError};
use crate::state::now;
use isonomy_core::add_checkpoint::AddCheckpoint;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::note::{NoteError, Signature, VerifierKey};
use isonomy_core::policy::{Policy, QuorumTimes};
use isonomy_core::rules::MAX_CLOCK_AHEAD;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use isonomy_fetch::{FetchError, HttpLimits, WitnessClient, WitnessError};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

/// How long one witness is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long more cosignatures are waited for once there are enough, while somebody waits.
const GRACE: Duration = Duration::from_millis(500);
/// How long while nobody does.
const LONG_GRACE: Duration = Duration::from_secs(5);
/// How often a witness is asked in one round: it may know another size, and have to be reminded.
const ATTEMPTS: usize = 4;

/// Why a witness did not cosign.
#[derive(Debug, thiserror::Error)]
pub enum WitnessFailure {
    /// It said no, or could not be reached.
    #[error(transparent)]
    Refused(#[from] WitnessError),
    /// It took too long.
    #[error("it did not answer within {} seconds", PATIENCE.as_secs())]
    TooSlow,
    /// The round ended without it.
    #[error("it had not answered when the quorum had, and was not waited for any longer")]
    Late,
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
    /// It has forgotten what it cosigned, and does not want to be reminded.
    #[error(
        "it says that it has seen this log at size {known}, but it has cosigned size {cosigned}: an older copy of its data was put back, and its operator must act. Reminded of that, it says: {source}"
    )]
    Forgot {
        /// What it says.
        known: TreeSize,
        /// What it cosigned.
        cosigned: TreeSize,
        /// What it answers when it is shown that.
        source: WitnessError,
    },
    /// Its clock is ahead.
    #[error(
        "its cosignature is dated {seconds} s ahead of this machine's clock, and does not count: clients would take their lists for expired. One of the two clocks must be set"
    )]
    ClockAhead {
        /// By how much.
        seconds: u64,
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
    /// The largest checkpoint that it is known to have cosigned, under the log's line and its own.
    latest: Option<CheckpointNote>,
}

/// How a witness answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessState {
    /// Its name.
    pub name: String,
    /// The size that it cosigned last since the server started, and when it says that was.
    pub cosigned: Option<(TreeSize, Timestamp)>,
    /// By how many seconds its clock was ahead of this machine's when it cosigned last, counted or not; behind, if below 0.
    pub clock_ahead: Option<i64>,
    /// How many rounds it has failed in a row.
    pub failures: u32,
    /// Why, the last time; none if it cosigned then.
    pub failure: Option<String>,
}

/// How all witnesses answer, for whoever wants to look.
#[derive(Default)]
pub struct WitnessBoard(Mutex<Vec<WitnessState>>);

impl WitnessBoard {
    /// Each witness of the policy that has a URL, in its order.
    pub fn states(&self) -> Vec<WitnessState> {
        self.lock().clone()
    }

    fn cosigned(&self, at: usize, size: TreeSize, time: Timestamp) {
        if let Some(state) = self.lock().get_mut(at) {
            (state.cosigned, state.failures, state.failure) = (Some((size, time)), 0, None);
        }
    }

    fn note_clock(&self, at: usize, ahead: i64) {
        if let Some(state) = self.lock().get_mut(at) {
            state.clock_ahead = Some(ahead);
        }
    }

    fn failed(&self, at: usize, failure: &WitnessFailure) {
        if let Some(state) = self.lock().get_mut(at) {
            (state.failures, state.failure) = (state.failures.saturating_add(1), Some(failure.to_string()));
        }
    }

    fn is_failing(&self, at: usize) -> bool {
        self.lock().get(at).is_some_and(|state| state.failures > 0)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<WitnessState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The witnesses of a policy that have a URL.
pub struct Witnesses {
    policy: Policy,
    members: Vec<Member>,
    board: Arc<WitnessBoard>,
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
            members.push(Member { name, key, client, known: TreeSize(0), latest: None });
        }
        let state = |member: &Member| WitnessState {
            name: member.name.clone(),
            cosigned: None,
            clock_ahead: None,
            failures: 0,
            failure: None,
        };
        let board = Arc::new(WitnessBoard(Mutex::new(members.iter().map(state).collect())));
        Ok(Self { policy, members, board })
    }

    /// How they answer, as of the newest round.
    pub fn board(&self) -> Arc<WitnessBoard> {
        Arc::clone(&self.board)
    }

    /// Takes note of who has cosigned this checkpoint of the log: for a start, the published one.
    pub fn remember(&mut self, published: &CheckpointNote, log: &VerifierKey) {
        let (text, head) = (published.note().text(), published.without_cosignatures(log));
        for member in &mut self.members {
            let is_own = |line: &&Signature| cosignature::verify(&member.key, text, line).is_some();
            if let Some(line) = published.note().signatures().iter().find(is_own) {
                member.cosigned(&head, line.clone());
            }
        }
    }

    /// Fails if a witness can show a checkpoint with this log's signature that the log does not remember. Witnesses that
    /// don't answer are not waited for long: this is a safety net, not a condition.
    pub async fn check_memory(&self, log: &Log) -> Result<(), LogError> {
        let head = log.integrated();
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

    /// Shows all witnesses the log's newest integrated checkpoint. Nobody waits for it if a tree of its size is published
    /// already, until `grown` says that the log has grown.
    pub async fn round(
        &mut self,
        log: &Arc<Log>,
        published: Option<TreeSize>,
        mut grown: watch::Receiver<TreeSize>,
    ) -> Round {
        let head = log.integrated();
        let size = head.checkpoint().size;
        let mut is_idle = published == Some(size) && *grown.borrow() == size;
        let mut asked = self.ask_all(log, &head);
        let mut open: BTreeSet<usize> = (0..self.members.len()).collect();
        let mut round = Round { cosigned: head.clone(), times: None, failures: Vec::new() };
        let mut until = Instant::now() + 2 * PATIENCE;
        while round.times.is_none() || open.iter().any(|at| is_idle || !self.board.is_failing(*at)) {
            tokio::select! {
                answer = asked.join_next() => {
                    let Some(answer) = answer else { break };
                    let had_quorum = round.times.is_some();
                    self.take_answer(answer, &head, &mut open, &mut round);
                    if !had_quorum && round.times.is_some() {
                        until = Instant::now() + if is_idle { LONG_GRACE } else { GRACE };
                    }
                }
                grew = has_grown(&mut grown, size), if is_idle => {
                    is_idle = false;
                    if grew && round.times.is_some() {
                        until = until.min(Instant::now() + GRACE);
                    }
                }
                () = sleep_until(until) => break,
            }
        }
        for at in open {
            self.note_failure(at, WitnessFailure::Late, &mut round);
        }
        round
    }

    fn ask_all(&self, log: &Arc<Log>, head: &CheckpointNote) -> JoinSet<Asked> {
        let mut asked = JoinSet::new();
        for (at, member) in self.members.iter().enumerate() {
            let ask = Ask {
                at,
                board: Arc::clone(&self.board),
                client: member.client.clone(),
                key: member.key.clone(),
                known: member.known,
                latest: member.latest.clone(),
                log: Arc::clone(log),
                head: head.clone(),
            };
            let patiently = timeout(PATIENCE, ask.cosignature());
            asked.spawn(async move { (at, patiently.await.unwrap_or(Err(WitnessFailure::TooSlow))) });
        }
        asked
    }

    fn take_answer(
        &mut self,
        answer: Result<Asked, JoinError>,
        head: &CheckpointNote,
        open: &mut BTreeSet<usize>,
        round: &mut Round,
    ) {
        // Whose task has died stays open, and is late.
        let Ok((at, answer)) = answer else { return };
        open.remove(&at);
        match answer {
            Ok(Cosigned { line, time }) => {
                if let Some(member) = self.members.get_mut(at) {
                    member.cosigned(head, line.clone());
                }
                self.board.cosigned(at, head.checkpoint().size, time);
                round.cosigned = round.cosigned.with_cosignatures(&[line]);
                round.times = self.times(&round.cosigned);
            }
            Err(failure) => self.note_failure(at, failure, round),
        }
    }

    fn note_failure(&self, at: usize, failure: WitnessFailure, round: &mut Round) {
        self.board.failed(at, &failure);
        let name = self.members.get(at).map_or_else(String::new, |member| member.name.clone());
        round.failures.push((name, failure));
    }

    /// Every line was verified when it came, so no known one can be wrong.
    fn times(&self, cosigned: &CheckpointNote) -> Option<QuorumTimes> {
        let times: Result<_, NoteError> = self.policy.checkpoint_times(cosigned.note());
        times.ok().flatten()
    }
}

impl Member {
    /// Takes note that it has cosigned this head of the log; the line is valid.
    fn cosigned(&mut self, head: &CheckpointNote, line: Signature) {
        self.known = head.checkpoint().size;
        self.latest = Some(head.with_cosignatures(&[line]));
    }
}

/// True when the log has grown beyond this size; false if it never will.
async fn has_grown(grown: &mut watch::Receiver<TreeSize>, size: TreeSize) -> bool {
    grown.wait_for(|grown| *grown > size).await.is_ok()
}

/// A witness, by its place, and its answer.
type Asked = (usize, Result<Cosigned, WitnessFailure>);

/// A valid cosignature.
struct Cosigned {
    line: Signature,
    time: Timestamp,
}

/// One witness and what it is asked.
struct Ask {
    at: usize,
    client: WitnessClient,
    key: VerifierKey,
    known: TreeSize,
    latest: Option<CheckpointNote>,
    log: Arc<Log>,
    head: CheckpointNote,
    board: Arc<WitnessBoard>,
}

impl Ask {
    /// The witness's cosignature of the head, verified.
    async fn cosignature(mut self) -> Result<Cosigned, WitnessFailure> {
        let size = self.head.checkpoint().size;
        for _ in 0..ATTEMPTS {
            match self.show(self.reminding_head()).await? {
                Ok(lines) => return self.newest(&lines),
                Err(WitnessError::Conflict { size: known }) if known > size => {
                    return Err(WitnessFailure::Ahead { known, size });
                }
                Err(WitnessError::Conflict { size: known }) => {
                    self.known = known;
                    self.remind().await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(WitnessFailure::Unsteady)
    }

    /// The head; under the witness's own line if it has cosigned it before.
    fn reminding_head(&self) -> CheckpointNote {
        let latest = self.latest.as_ref().filter(|latest| latest.note().text() == self.head.note().text());
        latest.unwrap_or(&self.head).clone()
    }

    /// Shows a witness that names a smaller size than it has cosigned what it has forgotten.
    async fn remind(&mut self) -> Result<(), WitnessFailure> {
        let Some(latest) = self.latest.take() else { return Ok(()) };
        let (known, cosigned) = (self.known, latest.checkpoint().size);
        if known >= cosigned {
            return Ok(());
        }
        match self.show(latest).await? {
            Ok(_) => self.known = cosigned,
            Err(source) => return Err(WitnessFailure::Forgot { known, cosigned, source }),
        }
        Ok(())
    }

    /// Shows the witness a checkpoint, with the proof from the size that it knows.
    async fn show(&self, checkpoint: CheckpointNote) -> Result<Result<Vec<Signature>, WitnessError>, WitnessFailure> {
        let (log, old, new) = (Arc::clone(&self.log), self.known, checkpoint.checkpoint().size);
        let proof = tokio::task::spawn_blocking(move || log.consistency(old, new)).await;
        let proof = proof.map_err(|_| WitnessFailure::Lost)??;
        Ok(self.client.add_checkpoint(&AddCheckpoint { old, proof, checkpoint }).await)
    }

    /// The valid line with the latest time; other lines are ignored.
    fn newest(&self, lines: &[Signature]) -> Result<Cosigned, WitnessFailure> {
        let text = self.head.note().text();
        let valid = lines.iter().filter_map(|line| Some((cosignature::verify(&self.key, text, line)?, line)));
        let (time, line) = valid.max_by_key(|(time, _)| *time).ok_or(WitnessFailure::NoCosignature)?;
        let now = now();
        self.board.note_clock(self.at, signed_difference(time, now));
        match time.since(now) {
            seconds if seconds > MAX_CLOCK_AHEAD => Err(WitnessFailure::ClockAhead { seconds }),
            _ => Ok(Cosigned { line: line.clone(), time }),
        }
    }
}

/// How many seconds `time` is after `other`; below 0 if before.
fn signed_difference(time: Timestamp, other: Timestamp) -> i64 {
    let seconds = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    if time >= other { seconds(time.since(other)) } else { -seconds(other.since(time)) }
}
