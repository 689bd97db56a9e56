//! The witness round: all witnesses are shown a checkpoint at once, and the cosignatures are collected that come back in
//! time. Nothing that a witness answers is believed before it is verified, and a cosignature that is dated far ahead of this
//! machine's clock does not count: clients that see it would take their list for expired.
//!
//! Each witness is reminded of what it cosigned last: where it is asked for the same checkpoint again, its own line is under
//! it; where it names a smaller size than it has cosigned, it is first shown the checkpoint that it has forgotten, with its
//! own line. C2SP lets requests carry further lines, which others ignore; a witness whose folder was restored from a backup
//! learns by them that it was.
//!
//! In the first round after a start all are heard who answer in time at all, since one of them may know more than this log. And
//! only what was cosigned since the start counts then: old cosignatures stand under old checkpoints for everybody to repeat.
//!
//! Once there is a quorum, the others are waited for a little: clients with another policy may count them. While somebody
//! waits for what is to be published: briefly, and only for a witness that was prompt the last time. While nobody does, since
//! the tree is unchanged: longer. So a slow or broken one delays nothing, and a slow but honest one is still heard whenever
//! there is time.
//!
//! What a witness is asked is not taken back when a round ends without it: its answer counts whenever it comes, and it is
//! asked again only then. So a slow one is not blamed, and is never behind by more than what it takes for one answer.
//!
//! Who asks to be left alone for a while (429 or 503 with `Retry-After`) is, up to a bound: a log that is busy would use up its
//! witnesses' patience.
//!
//! A witness that says that it has seen a larger log, or another, stops the sequencing ([`WitnessBoard`]): if it is right, older data
//! was put back, and the next statement would fork the log. Once a quorum has cosigned since the start what is there, that can't
//! be so any more, and a witness's word is not enough: then it stops the log only by showing a checkpoint that the log has signed.

mod ask;
mod board;
mod failure;

pub use board::{WitnessBoard, WitnessState};
pub use failure::WitnessFailure;

use crate::clock::Moment;
use crate::log::{Log, LogError};
use crate::state::now;
use ask::{Answer, Ask, Cosigned};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::note::{NoteError, Signature, VerifierKey};
use isonomy_core::policy::{Policy, QuorumTimes};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use isonomy_fetch::{FetchError, HttpLimits, WitnessClient};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// How long one witness is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long what a witness shows of itself is waited for.
const GLANCE: Duration = Duration::from_secs(3);
/// How long more cosignatures are waited for once there are enough, while somebody waits.
const GRACE: Duration = Duration::from_millis(500);
/// How long in the first round after a start: each must be able to say that it knows more.
const FIRST_GRACE: Duration = PATIENCE;
/// How long while nobody waits.
const LONG_GRACE: Duration = Duration::from_secs(5);
/// The longest that a witness which asks to be left alone is (`Retry-After`).
const LONGEST_REST: Duration = Duration::from_secs(30);
/// How often a witness is asked in one round: it may know another size, and have to be reminded.
const ATTEMPTS: usize = 4;
/// How often a witness is asked in one round after an answer to what it was asked before.
const MOST_AGAIN: usize = 2;

struct Member {
    /// Its place among the policy's witnesses.
    place: usize,
    name: String,
    key: VerifierKey,
    client: WitnessClient,
    /// The size that it cosigned last, as far as is known.
    known: TreeSize,
    /// The largest checkpoint that it is known to have cosigned, under the log's line and its own.
    latest: Option<CheckpointNote>,
    /// It is being asked.
    is_asked: bool,
    /// Its last answer took longer than it is waited for, or has not come yet.
    is_late: bool,
    /// Until when it asks to be left alone.
    rests_until: Option<Instant>,
}

/// The witnesses of a policy that have a URL.
pub struct Witnesses {
    policy: Policy,
    members: Vec<Member>,
    board: Arc<WitnessBoard>,
    asked: JoinSet<Answer>,
    /// Failures are for whoever began the round to show.
    is_silent: bool,
}

/// What came of a round.
#[derive(Debug)]
pub struct Round {
    /// The checkpoint with the log's signature and every cosignature that came.
    pub cosigned: CheckpointNote,
    /// What the witnesses say about time, if they satisfy the quorum.
    pub times: Option<QuorumTimes>,
    /// When the round began.
    began: Moment,
    /// When they did so first; how long others were waited for afterwards says nothing about clocks.
    pub(crate) moment: Moment,
    /// By how many seconds the next checkpoint may be dated before this machine's clock, whichever of the witnesses cosign it.
    pub lag: u64,
    /// Which witnesses did not cosign, and why.
    pub failures: Vec<(String, WitnessFailure)>,
}

impl Witnesses {
    /// The witnesses of this policy.
    pub fn new(policy: Policy) -> Result<Self, FetchError> {
        let limits = HttpLimits { connect: PATIENCE, answer: PATIENCE, total: PATIENCE, ..HttpLimits::default() };
        let mut members = Vec::new();
        for (place, witness) in policy.witnesses().iter().enumerate() {
            let Some(url) = &witness.url else {
                tracing::warn!(witness = %witness.name, "the policy gives no URL for this witness, so it can't be asked");
                continue;
            };
            let client = WitnessClient::with_limits(url, limits)?;
            let (name, key) = (witness.key.name().to_owned(), witness.key.clone());
            let known = TreeSize(0);
            let (latest, is_asked, is_late, rests_until) = (None, false, false, None);
            members.push(Member { place, name, key, client, known, latest, is_asked, is_late, rests_until });
        }
        let states = members.iter().map(|member| WitnessState::new(&member.name)).collect();
        let board = Arc::new(WitnessBoard::new(states));
        Ok(Self { policy, members, board, asked: JoinSet::new(), is_silent: false })
    }

    /// The same for a command that shows itself what comes of its round: what a server says of a failure is not true of it.
    pub(crate) fn silent(self) -> Self {
        Self { is_silent: true, ..self }
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

    /// Fails if a witness shows a checkpoint with this log's signature that the log does not remember. Gives the names of those
    /// that could not be asked. Who shows nothing, as not every witness does, says what it knows in the first round.
    pub async fn check_memory(&self, log: &Log) -> Result<Vec<String>, LogError> {
        let head = log.integrated();
        let tree = head.checkpoint();
        let ask = |member: &Member| {
            let (client, origin, name) = (member.client.clone(), tree.origin.clone(), member.name.clone());
            async move { (name, timeout(GLANCE, client.latest(&origin)).await) }
        };
        let mut unheard = Vec::new();
        for (name, shown) in futures_util::future::join_all(self.members.iter().map(ask)).await {
            match shown {
                Ok(Ok(shown)) => check_shown(&shown, log)?,
                Ok(Err(FetchError::NotFound { .. })) => {}
                Ok(Err(_)) | Err(_) => unheard.push(name),
            }
        }
        Ok(unheard)
    }

    /// Shows all witnesses the log's newest integrated checkpoint. Nobody waits for it if a tree of its size is published
    /// already, until `grown` says that the log has grown. If nothing is published yet since the start, all are waited for a
    /// while.
    pub async fn round(
        &mut self,
        log: &Arc<Log>,
        published: Option<TreeSize>,
        mut grown: watch::Receiver<TreeSize>,
    ) -> Round {
        let (head, began) = (log.integrated(), Moment::now());
        let size = head.checkpoint().size;
        let (is_first, mut is_idle) = (published.is_none(), published == Some(size) && *grown.borrow() == size);
        (0..self.members.len()).for_each(|at| self.ask(at, log, &head));
        let mut open: BTreeSet<usize> = (0..self.members.len()).collect();
        let mut again = vec![0; self.members.len()];
        let mut round =
            Round { cosigned: head.clone(), times: None, began, moment: began, lag: 0, failures: Vec::new() };
        let mut until = Instant::now() + 2 * PATIENCE;
        while round.times.is_none() || open.iter().any(|at| is_first || is_idle || self.is_prompt(*at)) {
            tokio::select! {
                answer = self.asked.join_next() => {
                    // A task that dies says so by its answer.
                    let Some(Ok(answer)) = answer else { break };
                    let had_quorum = round.times.is_some();
                    match self.take_answer(answer, &head, &mut round) {
                        Heard::OfAnother(at) if again.get(at).is_some_and(|asked| *asked < MOST_AGAIN) => {
                            again[at] += 1;
                            self.ask(at, log, &head);
                        }
                        Heard::OfThis(at) | Heard::OfAnother(at) => drop(open.remove(&at)),
                    }
                    if !had_quorum && round.times.is_some() {
                        round.moment = Moment::now();
                        until = Instant::now() + grace(is_first, is_idle);
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
        for (_, late) in self.members.iter_mut().enumerate().filter(|(at, _)| open.contains(at)) {
            late.is_late = true;
        }
        self.board.ended(round.times);
        round.lag = self.lag(now());
        round
    }

    /// Asks a witness, unless it is being asked.
    fn ask(&mut self, at: usize, log: &Arc<Log>, head: &CheckpointNote) {
        let Some(member) = self.members.get_mut(at).filter(|member| !member.is_asked) else { return };
        member.is_asked = true;
        let ask = Ask {
            at,
            board: Arc::clone(&self.board),
            client: member.client.clone(),
            key: member.key.clone(),
            known: member.known,
            latest: member.latest.clone(),
            after: member.rests_until.take(),
            log: Arc::clone(log),
            head: head.clone(),
        };
        self.asked.spawn(ask.answer());
    }

    /// Whether a witness is likely to answer while somebody waits.
    fn is_prompt(&self, at: usize) -> bool {
        !self.board.is_failing(at) && self.members.get(at).is_some_and(|member| !member.is_late)
    }

    fn take_answer(&mut self, answer: Answer, head: &CheckpointNote, round: &mut Round) -> Heard {
        let Answer { at, head: shown, asked, took, result } = answer;
        self.board.note_latency(at, took);
        let Some(member) = self.members.get_mut(at) else { return Heard::OfThis(at) };
        (member.is_asked, member.is_late) = (false, took > GRACE);
        let rest = result.as_ref().err().and_then(WitnessFailure::rest);
        member.rests_until = rest.map(|rest| Instant::now() + rest.min(LONGEST_REST));
        // What was asked before this machine's clocks moved apart says nothing about them now.
        let is_of_this = shown.note().text() == head.note().text() && !round.began.has_moved_apart(asked);
        match result {
            Ok(Cosigned { line, time }) => {
                member.cosigned(&shown, line.clone());
                self.board.cosigned(at, shown.checkpoint().size, time);
                if is_of_this {
                    round.cosigned = round.cosigned.with_cosignatures(&[line]);
                    round.times = self.times(&round.cosigned);
                }
            }
            Err(failure) => self.note_failure(at, failure, round),
        }
        if is_of_this { Heard::OfThis(at) } else { Heard::OfAnother(at) }
    }

    /// Says a failure once, and again when it changes; in every round it would drown everything else.
    fn note_failure(&self, at: usize, failure: WitnessFailure, round: &mut Round) {
        let is_new = self.board.failed(at, &failure);
        let witness = self.members.get(at).map_or_else(String::new, |member| member.name.clone());
        if self.is_silent {
            tracing::debug!(%witness, %failure, "a witness did not cosign");
        } else if failure.is_contradiction() {
            if is_new {
                tracing::error!(
                    %witness, %failure,
                    "a witness contradicts this log; nothing new is taken up any more. Stop the log, find out which of the two is \
                     right, and put the newest data back; if it is the witness that errs, remove its URL from this log's policy. Then start again"
                );
            }
        } else if is_new && matches!(failure, WitnessFailure::Unproven { .. }) {
            tracing::error!(%witness, %failure, "a witness claims what it does not show");
        } else if is_new {
            tracing::warn!(%witness, %failure, "a witness did not cosign");
        } else {
            tracing::debug!(%witness, %failure, "a witness did not cosign again");
        }
        // It may fail again in one round; what it said last counts.
        round.failures.retain(|(earlier, _)| *earlier != witness);
        round.failures.push((witness, failure));
    }

    /// By how much the earliest time that a quorum of the witnesses could give is before `now`, as far as their clocks are known:
    /// also of those that did not answer this time.
    fn lag(&self, now: Timestamp) -> u64 {
        let states = self.board.states();
        let time = |ahead: i64| now.0.saturating_add_signed(ahead);
        let times = self.members.iter().zip(&states);
        let times = times.filter_map(|(member, state)| Some((member.place, Timestamp(time(state.clock_ahead?)))));
        let times: Vec<_> = times.collect();
        self.policy.quorum_times(&times).map_or(0, |times| now.since(times.earliest))
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

/// Whose answer came: to what is asked in this round, or to what was asked in one before.
enum Heard {
    OfThis(usize),
    OfAnother(usize),
}

/// How long the others are waited for once there is a quorum.
fn grace(is_first: bool, is_idle: bool) -> Duration {
    match (is_first, is_idle) {
        (true, _) => FIRST_GRACE,
        (_, true) => LONG_GRACE,
        _ => GRACE,
    }
}

/// Fails if a checkpoint that somebody shows has this log's signature, and is not of a tree that the log has.
fn check_shown(shown: &CheckpointNote, log: &Log) -> Result<(), LogError> {
    if shown.verify_log(log.key()).is_err() {
        return Ok(());
    }
    log.check_signed(shown, "a checkpoint with this log's signature that a witness shows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::note::{KeyType, SigningKey};

    const LOG: &str = "log.example/l";
    const NAMES: [&str; 3] = ["w.example/1", "w.example/22", "w.example/333"];

    fn key(name: &str, kind: KeyType) -> SigningKey {
        SigningKey::from_seed(name, kind, &[name.len() as u8; 32]).unwrap()
    }

    /// Three witnesses, of whom so many are a quorum.
    fn witnesses(quorum: usize) -> Witnesses {
        let mut text = format!("log {}\n", key(LOG, KeyType::Ed25519).verifier());
        for name in NAMES {
            let witness = key(name, KeyType::Cosignature);
            text += &format!("witness {} {} http://127.0.0.1:1/\n", name.len(), witness.verifier());
        }
        let policy = Policy::parse((text + &format!("group all {quorum} 11 12 13\nquorum all\n")).as_bytes()).unwrap();
        Witnesses::new(policy).unwrap()
    }

    /// Where one witness is a quorum, an answer to what it was asked before the machine stood still would end the doubt about
    /// the clocks.
    #[test]
    fn an_answer_from_before_this_machine_stood_still_is_not_of_this_round() {
        let checkpoint = isonomy_core::checkpoint::Checkpoint {
            origin: LOG.into(),
            size: TreeSize(1),
            root: isonomy_core::hash::RootHash([1; 32]),
            extensions: Vec::new(),
        };
        let head = CheckpointNote::sign(checkpoint, &key(LOG, KeyType::Ed25519)).unwrap();
        let line = cosignature::cosign(&key(NAMES[0], KeyType::Cosignature), head.note().text(), now());
        let pause = Duration::from_secs(600);
        for (asked, counts) in [
            (Moment::before_a_pause(pause), false),
            (Moment::now(), true),
            // A round may take long, and ask once more.
            (Moment::now().after(Duration::from_secs(5)), true),
        ] {
            let (mut witnesses, began) = (witnesses(1), Moment::now());
            let mut round =
                Round { cosigned: head.clone(), times: None, began, moment: began, lag: 0, failures: Vec::new() };
            let result = Ok(Cosigned { line: line.clone(), time: now() });
            let answer = Answer { at: 0, head: head.clone(), asked, took: Duration::ZERO, result };
            let heard = witnesses.take_answer(answer, &head, &mut round);
            assert_eq!((matches!(heard, Heard::OfThis(0)), round.times.is_some()), (counts, counts));
        }
    }

    #[test]
    fn the_clocks_of_those_that_are_away_count_too() {
        let witnesses = witnesses(2);
        assert_eq!(witnesses.lag(Timestamp(1000)), 0, "nothing is known");
        for (at, ahead, lag) in [(0, 0, 0), (1, -8, 0), (2, -8, 8), (2, -9, 8), (0, 50, 8), (1, -5000, 9)] {
            witnesses.board.note_clock(at, ahead);
            assert_eq!(witnesses.lag(Timestamp(10_000)), lag, "{at} {ahead}");
        }
    }
}
