//! What the parts of a running server share.

use crate::access::Access;
use crate::admission::Admission;
use crate::clock::WitnessedClock;
use crate::content::Content;
use crate::current::Current;
use crate::figures::Figures;
use crate::firsts::FirstTimes;
use crate::histories::Histories;
use crate::log::Log;
use crate::objects::{ObjectError, Objects};
use crate::pending::Pending;
use crate::refusal::Refusal;
use crate::server::Rights;
use crate::witnesses::WitnessBoard;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::{ObjectDigest, StatementId};
use isonomy_core::policy::{Policy, QuorumTimes};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::rules::history::Signing;
use isonomy_core::rules::releases::Place;
use isonomy_core::rules::signatures;
use isonomy_core::rules::{Series, Violation};
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_store::kv::StoreError;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// The longest that a release waits for clocks that are behind, in seconds.
const MAX_WAIT: u64 = 60;
/// Later than any wait of a charter: what would be admitted then may be refused now by a clock that is slow.
const LONG_AFTER: u64 = 10 * 366 * 86_400;

/// The state of a running server.
pub(crate) struct State {
    pub(crate) log: Arc<Log>,
    pub(crate) policy: Policy,
    pub(crate) access: Access,
    pub(crate) admission: RwLock<Admission>,
    pub(crate) objects: Objects,
    pub(crate) pending: Pending,
    /// Since when what was published is public, as first learned.
    pub(crate) firsts: FirstTimes,
    /// Everything sequenced so far, judged; ahead of the log's head by the batch that is being written.
    pub(crate) histories: RwLock<Histories>,
    /// How many statements that is.
    pub(crate) sequenced: AtomicU64,
    /// The statements that have no seen proof yet.
    pub(crate) unseen: Mutex<BTreeSet<LeafIndex>>,
    /// What the witnesses' clocks show.
    pub(crate) clock: WitnessedClock,
    /// Since when later dates of the witnesses are waited for, with which what is committed can be published; `None` while they are not.
    pub(crate) awaiting: Mutex<Option<Instant>>,
    /// The size of the committed tree, whenever it grows.
    pub(crate) grown: watch::Sender<TreeSize>,
    /// What was published last; nothing yet since the server started.
    pub(crate) published: watch::Sender<Option<Arc<Published>>>,
    /// What was published last before the start.
    pub(crate) before: Option<Arc<Published>>,
    /// What clients poll, under the newest of these.
    pub(crate) current: Current,
    /// The lists in which something was published whose copies in the folder are not written yet.
    pub(crate) touched: Mutex<BTreeSet<ListName>>,
    /// How each witness answers, for the log, metrics and health.
    pub(crate) witnesses: Arc<WitnessBoard>,
    /// What is counted of the work.
    pub(crate) figures: Arc<Figures>,
}

/// A checkpoint that was published.
#[derive(Debug)]
pub(crate) struct Published {
    /// It, cosigned.
    pub(crate) checkpoint: CheckpointNote,
    /// What its witnesses say about time.
    pub(crate) times: QuorumTimes,
    /// When that was.
    pub(crate) at: Instant,
}

/// The size of the newest tree that was published since the server started; 0 if none was.
pub(crate) fn published_size(published: &Option<Arc<Published>>) -> TreeSize {
    published.as_ref().map_or(TreeSize(0), |published| published.checkpoint.checkpoint().size)
}

impl State {
    /// Judges a statement as the next one of the log.
    pub(crate) fn judge(&self, statement: &Statement, signing: Signing) -> Result<(), Refusal> {
        let index = LeafIndex(self.sequenced.load(Ordering::Relaxed));
        self.judge_at(statement, Place { index, public_since: self.time() }, signing)
    }

    /// Judges what may become the next statement. A release for which its submission would wait is none too early for that.
    pub(crate) fn judge_draft(&self, draft: &Statement) -> Result<(), Refusal> {
        let index = LeafIndex(self.sequenced.load(Ordering::Relaxed));
        let public_since = match draft {
            Statement::Release(release) if self.wait_for(release.body()).is_some() => release.body().created,
            _ => self.time(),
        };
        self.judge_at(draft, Place { index, public_since }, Signing::Draft)
    }

    /// Judges a statement that is to be logged at this place. Nobody is refused for good by a time that is in doubt, and nothing is
    /// taken by one.
    pub(crate) fn judge_at(&self, statement: &Statement, place: Place, signing: Signing) -> Result<(), Refusal> {
        let verdict = self.judge_by_both(statement, place, signing);
        if let (Err(Refusal::Rule(_)), false) = (&verdict, self.clock.is_known()) {
            // By this machine's clock alone nobody is refused for good: it may be the one that is wrong.
            let times = match statement {
                // Its edition may have come into force since it was composed.
                Statement::Release(release) => {
                    let created = release.body().created;
                    vec![created, created.plus(signatures::DRAFT_LIFETIME)]
                }
                _ => vec![place.public_since.plus(LONG_AFTER)],
            };
            let is_good_at =
                |public_since| self.judge_by_both(statement, Place { public_since, ..place }, signing).is_ok();
            return if times.into_iter().any(is_good_at) { Err(Refusal::TimeUnknown) } else { verdict };
        }
        let Some(doubt) = self.clock.doubt() else { return verdict };
        let later = self.judge_by_both(statement, Place { public_since: doubt.latest, ..place }, signing);
        match (&verdict, later) {
            (Err(Refusal::Rule(_)), Ok(())) | (Ok(()), Err(Refusal::Rule(_))) => Err(Refusal::ClockInDoubt),
            _ => verdict,
        }
    }

    /// Judges a statement by what this log knows, and by what it shows.
    fn judge_by_both(&self, statement: &Statement, place: Place, signing: Signing) -> Result<(), Refusal> {
        let (admission, histories) = (self.admission(), self.histories());
        let verdict = match &histories.as_shown {
            Some(as_shown) => admission
                .judge(&histories.known, statement, place, signing)
                .and_then(|()| admission.judge(&as_shown.history, statement, place, signing)),
            None => admission.judge(&histories.known, statement, place, signing),
        };
        let why = match &verdict {
            Err(Refusal::Rule(Violation::AlreadyLogged { .. })) => None,
            // It builds on what is logged, and left out.
            Err(Refusal::Rule(Violation::UnknownCharter { id } | Violation::UnknownRelease { id }))
                if histories.known.index_of(id).is_some() =>
            {
                histories.endings.of_list(statement.list())
            }
            // Its place is taken by a text that is logged; no rule says what to do, and what it says would mislead.
            Ok(()) | Err(Refusal::Rule(_)) => {
                Series::of(statement).and_then(|(series, _)| histories.endings.of(statement.list(), series))
            }
            Err(_) => None,
        };
        why.map_or(verdict, |why| Err(Refusal::Ended { list: statement.list().to_string(), why: why.to_string() }))
    }

    /// The refusal of a statement that is logged, and that others leave out.
    pub(crate) fn refuse_left_out(&self, statement: &Statement) -> Result<(), Refusal> {
        let histories = self.histories();
        let Some(why) = histories.why_left_out(statement) else { return Ok(()) };
        Err(Refusal::Ended { list: statement.list().to_string(), why: why.to_string() })
    }

    /// Whom the operator knows.
    pub(crate) fn admission(&self) -> RwLockReadGuard<'_, Admission> {
        self.admission.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on these rights count.
    pub(crate) fn take_rights(&self, rights: Rights) {
        let Rights { publishers, auditors, access } = rights;
        *self.admission.write().unwrap_or_else(PoisonError::into_inner) = Admission::new(publishers, auditors);
        let opened = self.access.replace(access);
        if !opened.is_empty() {
            tracing::warn!(lists = joined(&opened), "these lists are restricted no longer");
        }
        self.warn_of_unknown_lists();
    }

    /// Says which restricted lists there are not.
    pub(crate) fn warn_of_unknown_lists(&self) {
        let unknown = self.access.unknown(&self.histories().known);
        if !unknown.is_empty() {
            tracing::warn!(lists = joined(&unknown), "access names lists that this log does not have");
        }
    }

    /// The time as the witnesses will have it. What is judged by it keeps the rules also under the times that the cosignatures
    /// will bear.
    pub(crate) fn time(&self) -> Timestamp {
        self.clock.time()
    }

    /// An edition that is not published yet is public no earlier than now: no notice runs before anybody can read it.
    pub(crate) fn defer_unpublished(&self, now: Timestamp) {
        let is_all_published = self.histories().unpublished.is_empty();
        if !is_all_published {
            self.histories_mut().defer_unpublished(now);
        }
    }

    /// For how long a release has to wait until it was not created in the future of the witnesses and of this machine; none if it
    /// claims to be from the future of all of them, or from further ahead than clocks should differ.
    pub(crate) fn wait_for(&self, release: &Release) -> Option<Duration> {
        let (created, seconds) = (release.created, release.created.since(self.time()));
        (created <= self.clock.latest() && (1..=MAX_WAIT).contains(&seconds)).then(|| Duration::from_secs(seconds))
    }

    /// Where a statement stands in the log, also if it is not published yet.
    pub(crate) fn index_of(&self, id: &StatementId) -> Option<LeafIndex> {
        self.histories().known.index_of(id)
    }

    /// The objects of a release that have to be sent, each once: those that are not there yet, and those of a restricted list
    /// that this one names for the first time.
    pub(crate) fn missing(&self, release: &Release) -> Vec<ObjectDigest> {
        let histories = self.histories();
        let is_missing = |object: &ObjectRef| {
            !self.objects.is_staged(object)
                && (!self.objects.has(object)
                    || self.access.must_be_shown(&histories.known, &object.sha256, &release.list))
        };
        let missing: BTreeSet<ObjectDigest> =
            release.objects().filter(is_missing).map(|object| object.sha256).collect();
        missing.into_iter().collect()
    }

    /// An object that a waiting release names; with it, whether it has to be sent.
    pub(crate) fn awaited(&self, digest: &ObjectDigest) -> Option<(ObjectRef, bool)> {
        let object = self.pending.object(digest)?;
        let is_missing =
            self.pending.naming(digest).iter().any(|release| self.missing(release.body()).contains(digest));
        Some((object, is_missing))
    }

    /// Judges the content of a release whose objects are all there.
    pub(crate) fn judge_content(&self, release: &Release) -> Result<(), ObjectError> {
        let (algorithm, bases) = self.basis(release)?;
        Content { release, algorithm, bases: bases.iter().collect() }.judge(&self.objects)
    }

    /// The algorithm of a release's list and the releases that its deltas start from.
    fn basis(&self, release: &Release) -> Result<(isonomy_core::list::Algorithm, Vec<Release>), Refusal> {
        let unknown = || Refusal::Rule(Violation::UnknownCharter { id: release.charter });
        let histories = self.histories();
        let list = histories.known.list(&release.list).ok_or_else(unknown)?;
        let edition = list.editions().find(&release.charter).ok_or_else(unknown)?;
        let base = |delta: &isonomy_core::release::DeltaRef| {
            let base = list.version(delta.from).map(|logged| logged.release.body().clone());
            base.ok_or(Refusal::Rule(Violation::UnknownRelease { id: delta.release }))
        };
        let bases = release.deltas.iter().map(base).collect::<Result<_, _>>()?;
        Ok((edition.charter().matching.algorithm, bases))
    }

    /// Forgets what waits in vain: releases that were sequenced or are too old by now, and objects that nobody waits for.
    pub(crate) fn tidy(&self) -> Result<(), StoreError> {
        let time = self.time();
        self.pending.retain(|release| time.since(release.body().created) <= signatures::DRAFT_LIFETIME)?;
        self.tidy_sequenced()
    }

    /// The same without what is too old: before a round of the witnesses nobody knows the time.
    pub(crate) fn tidy_sequenced(&self) -> Result<(), StoreError> {
        self.pending.retain(|release| self.index_of(&release.id()).is_none())?;
        Ok(self.objects.sweep(&self.pending.objects())?)
    }

    pub(crate) fn histories(&self) -> RwLockReadGuard<'_, Histories> {
        self.histories.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn histories_mut(&self) -> RwLockWriteGuard<'_, Histories> {
        self.histories.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest that was published, before the start or since.
    pub(crate) fn newest_published(&self) -> Option<Arc<Published>> {
        self.published.borrow().clone().or_else(|| self.before.clone())
    }

    /// The lists whose copies in the folder have to be written.
    pub(crate) fn touched(&self) -> MutexGuard<'_, BTreeSet<ListName>> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how long later dates of the witnesses have been waited for, if they are.
    pub(crate) fn awaiting_dates(&self) -> Option<Duration> {
        self.awaiting.lock().unwrap_or_else(PoisonError::into_inner).map(|since| since.elapsed())
    }

    /// From now on later dates are waited for, since then; or not.
    pub(crate) fn await_dates(&self, since: Option<Instant>) {
        *self.awaiting.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    pub(crate) fn unseen(&self) -> MutexGuard<'_, BTreeSet<LeafIndex>> {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn joined(lists: &[ListName]) -> String {
    lists.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The time of this machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| since.as_secs()))
}
