//! A witness without its HTTP: check, store and answer as one step for each log.

use crate::decide::{Decision, Refusal, Request, check_clock, decide};
use crate::evidence::{Fork, Kind, Refused};
use crate::log::{ConfigError, Log};
use crate::record::Record;
use crate::shown::Shown;
use crate::state::{ADVICE, Beginning, Kept, MAX_EVIDENCE, NOT_REINSTATED, OLDER_COPY, State, StateError};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::note::{Signature, SigningKey, VerifierKey};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use isonomy_serve::Settings;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a witness is given.
#[derive(Debug)]
pub struct Config {
    /// The data folder, which belongs to this witness alone. [`begin`] makes that of a new witness.
    pub data: PathBuf,
    /// The witness's key, of type [`Cosignature`](isonomy_core::note::KeyType::Cosignature).
    pub key: SigningKey,
    /// The keys of the logs to be cosigned; a key's name is its log's origin.
    pub logs: Vec<VerifierKey>,
    /// How it listens.
    pub serving: Settings,
}

/// Why a witness can't start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The keys don't fit.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder is not in order.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Why a checkpoint was not cosigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// By a rule.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Because the witness can't rely on its memory.
    #[error(transparent)]
    Doubt(#[from] Doubt),
}

/// A log that is refused because what was cosigned last is in doubt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this witness cosigns nothing of the log {origin:?} until its operator acts: {reason}")]
pub struct Doubt {
    /// The log.
    pub origin: String,
    /// What is wrong with the memory of it.
    pub reason: String,
}

/// What was cosigned last of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// How many entries.
    pub size: TreeSize,
    /// When.
    pub time: Timestamp,
}

/// Makes a missing or empty folder into the data folder of a new witness with this key. Nothing happens if it is that already.
///
/// Only for a key that has never cosigned anything: a witness that begins anew has forgotten what it must not contradict.
pub fn begin(data: &Path, witness: &VerifierKey) -> Result<(), StateError> {
    State::begin(data, witness, Beginning::New).map(drop)
}

/// A running witness. While there is one, nobody else can open its data folder.
pub struct Witness {
    key: SigningKey,
    state: State,
    /// By [`Log::id`].
    logs: BTreeMap<String, Slot>,
}

struct Slot {
    log: Log,
    memory: Mutex<Memory>,
    /// That the clock is wrong was said, and it has not been right since.
    clock_was_said: AtomicBool,
}

/// What is known of a log.
enum Memory {
    /// The record of what was cosigned last.
    Certain(Option<Box<Record>>),
    /// Nothing certain, and why.
    Doubtful(String),
}

impl Slot {
    /// A thread that panicked while it held the lock left the memory doubtful.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Once, not at each request.
    fn say_if_clock_is_wrong(&self, refusal: &Refusal) {
        if matches!(refusal, Refusal::Clock { .. }) && !self.clock_was_said.swap(true, Ordering::Relaxed) {
            tracing::error!(log = self.log.origin(), "cosigning nothing of this log: {refusal}");
        }
    }

    fn doubt(&self, reason: &str) -> Doubt {
        Doubt { origin: self.log.origin().to_owned(), reason: reason.to_owned() }
    }
}

impl Witness {
    /// Opens the data folder, and checks what is remembered of each log.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        let Config { data, key, logs, .. } = config;
        let logs = Log::all(&logs, key.verifier())?;
        let state = State::open(&data, key.verifier())?;
        state.heed_shown(&logs, key.verifier())?;
        let slot = |log: Log| {
            let memory = match state.load(&log, key.verifier()) {
                Ok(record) => Memory::Certain(record.map(Box::new)),
                Err(unknown) => {
                    let advice = unknown.advice().map_or(String::new(), |advice| format!("; {advice}"));
                    tracing::error!(log = log.origin(), "refusing this log: {unknown}{advice}");
                    Memory::Doubtful(unknown.to_string())
                }
            };
            (log.id(), Slot { log, memory: Mutex::new(memory), clock_was_said: AtomicBool::new(false) })
        };
        let logs = logs.into_iter().map(slot).collect();
        Ok(Self { key, state, logs })
    }

    /// The witness's public key.
    pub fn key(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// The logs that it cosigns.
    pub fn logs(&self) -> impl Iterator<Item = &Log> {
        self.logs.values().map(|slot| &slot.log)
    }

    /// Answers the body of a request at the time that the clock shows. The cosignature that is returned is stored. Blocks
    /// while the disk is written.
    pub fn add_checkpoint(&self, body: &[u8], clock: Timestamp) -> Result<Signature, AddError> {
        let request = Request::parse(body)?;
        let unknown = || Refusal::UnknownOrigin(request.origin().to_owned());
        let slot = self.logs.values().find(|slot| slot.log.origin() == request.origin()).ok_or_else(unknown)?;
        let mut memory = slot.lock();
        let shown = Shown::in_note(request.note(), &slot.log, self.key());
        let latest = match &*memory {
            Memory::Certain(latest) => latest.as_deref(),
            Memory::Doubtful(reason) => {
                // It may be what this log can be restored from.
                shown.into_iter().for_each(|shown| self.keep_shown(slot, &shown));
                return Err(slot.doubt(reason).into());
            }
        };
        if let Some(shown) = shown.filter(|shown| shown.exceeds(latest)) {
            return Err(self.doubt_all(slot, memory, &shown).into());
        }
        match decide(&slot.log, latest, &request, clock) {
            Ok(Decision::Cosign(accepted)) => Ok(self.commit(slot, &mut memory, accepted.cosign(&self.key)?)?),
            Ok(Decision::Repeat) => {
                Ok(latest.map(|latest| latest.cosignature().clone()).ok_or_else(|| slot.doubt("nothing to repeat"))?)
            }
            Err(refusal) => {
                slot.say_if_clock_is_wrong(&refusal);
                self.look_for_fork(slot, latest, &request);
                self.keep_refused(slot, Refused::of(&slot.log, latest, &request, &refusal, clock));
                Err(refusal.into())
            }
        }
    }

    /// The folder is an older copy, as what this log shows proves: of no log it counts any more.
    fn doubt_all(&self, slot: &Slot, mut memory: MutexGuard<'_, Memory>, shown: &Shown) -> Doubt {
        tracing::error!(log = slot.log.origin(), "refusing every log: {OLDER_COPY}; {ADVICE}");
        if let Err(error) = self.state.note_older_copy() {
            tracing::error!(
                "that the folder is an older copy can't be written down, so do not start this witness again before it is restored: {error}"
            );
        }
        self.keep_shown(slot, shown);
        *memory = Memory::Doubtful(OLDER_COPY.to_owned());
        drop(memory); // whoever holds another log's may come here, too
        for other in self.logs.values() {
            let mut memory = other.lock();
            if matches!(*memory, Memory::Certain(_)) {
                *memory = Memory::Doubtful(NOT_REINSTATED.to_owned());
            }
        }
        slot.doubt(OLDER_COPY)
    }

    /// Stores a record; until that has succeeded the memory is in doubt.
    fn commit(&self, slot: &Slot, memory: &mut Memory, record: Record) -> Result<Signature, Doubt> {
        *memory =
            Memory::Doubtful("a cosigned checkpoint may not have been stored; start the witness again".to_owned());
        if let Err(error) = self.state.write(&slot.log, &record) {
            let reason = format!("a cosigned checkpoint could not be stored: {error}");
            // Nothing of it was given out, and the next start tells what is there.
            tracing::error!(log = slot.log.origin(), "refusing this log: {reason}");
            *memory = Memory::Doubtful(reason.clone());
            return Err(slot.doubt(&reason));
        }
        if let Err(error) = self.state.drop_refused(&slot.log, record.text()) {
            tracing::error!(
                log = slot.log.origin(),
                "a checkpoint that follows after all is still kept as refused: {error}"
            );
        }
        slot.clock_was_said.store(false, Ordering::Relaxed);
        let cosignature = record.cosignature().clone();
        *memory = Memory::Certain(Some(Box::new(record)));
        Ok(cosignature)
    }

    fn look_for_fork(&self, slot: &Slot, latest: Option<&Record>, request: &Request) {
        let Some(fork) = latest.and_then(|latest| Fork::between(&slot.log, latest, request)) else { return };
        let (log, size) = (slot.log.origin(), request.size().0);
        match self.state.keep(&slot.log, &fork) {
            Ok(Kept::At(path)) => tracing::error!(log, size, "the log forked; the evidence is {}", path.display()),
            Ok(Kept::Before | Kept::InPlaceOf(..)) => {} // forks take no place from each other
            Ok(Kept::Full) => tracing::error!(
                log,
                size,
                "the log forked again; this one is not kept: there are {MAX_EVIDENCE} of its forks already"
            ),
            Err(error) => tracing::error!(log, size, "the log forked, and the evidence can't be kept: {error}"),
        }
    }

    /// Keeps what a request has shown of this witness's own past: no restart forgets it, and whoever restores can use it.
    fn keep_shown(&self, slot: &Slot, shown: &Shown) {
        let log = slot.log.origin();
        match self.state.keep_shown(&slot.log, shown, self.key()) {
            Ok(Some(path)) => {
                tracing::warn!(log, "the checkpoint with the later cosignature is kept in {}", path.display())
            }
            Ok(None) => {}
            Err(error) => tracing::error!(log, "the checkpoint with the later cosignature can't be kept: {error}"),
        }
    }

    fn keep_refused(&self, slot: &Slot, refused: Option<Refused>) {
        let Some(refused) = refused else { return };
        let log = slot.log.origin();
        match self.state.keep_refused(&slot.log, &refused) {
            Ok(Kept::At(path)) => {
                tracing::warn!(log, "a checkpoint that the log signed was refused; it is kept in {}", path.display())
            }
            Ok(Kept::InPlaceOf(path, dropped)) => {
                tracing::warn!(
                    log,
                    "a checkpoint that the log signed was refused; it is kept in {}, in the place of {dropped}, which is no larger than what was cosigned since",
                    path.display()
                )
            }
            Ok(Kept::Before) => {}
            Ok(Kept::Full) => {
                tracing::error!(
                    log,
                    "a checkpoint that the log signed was refused, and is not kept: there are {MAX_EVIDENCE} already"
                );
            }
            Err(error) => tracing::error!(log, "a refused checkpoint can't be kept: {error}"),
        }
    }

    /// The names of what is kept as evidence.
    pub fn evidence_names(&self) -> Result<Vec<String>, StateError> {
        self.state.evidence_names()
    }

    /// How many forks and refused checkpoints are kept of each log, by its origin.
    pub fn evidence_counts(&self) -> Result<Vec<(String, usize, usize)>, StateError> {
        let count = |slot: &Slot| {
            let (forks, refused) =
                (self.state.count(Kind::Fork, &slot.log)?, self.state.count(Kind::Refused, &slot.log)?);
            Ok((slot.log.origin().to_owned(), forks, refused))
        };
        self.logs.values().map(count).collect()
    }

    /// What is kept under this name, canonical JSON; `None` if nothing is.
    pub fn evidence(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        self.state.evidence(name)
    }

    /// The last cosigned checkpoint of the log with this [`Log::id`], with the log's signature and this witness's; `None`
    /// if there is none or the log is unknown.
    pub fn latest(&self, id: &str) -> Result<Option<CheckpointNote>, Doubt> {
        let Some(slot) = self.logs.get(id) else { return Ok(None) };
        match &*slot.lock() {
            Memory::Certain(record) => Ok(record.as_ref().map(|record| record.checkpoint().clone())),
            Memory::Doubtful(reason) => Err(slot.doubt(reason)),
        }
    }

    /// What was cosigned last of each log, by its origin; nothing certain where it is refused.
    pub fn views(&self) -> Vec<(String, Result<Option<View>, Doubt>)> {
        let view = |slot: &Slot| match &*slot.lock() {
            Memory::Certain(record) => {
                Ok(record.as_ref().map(|record| View { size: record.size(), time: record.time() }))
            }
            Memory::Doubtful(reason) => Err(slot.doubt(reason)),
        };
        self.logs.values().map(|slot| (slot.log.origin().to_owned(), view(slot))).collect()
    }

    /// The logs of which nothing can be cosigned while the clock shows this, by their origins, and why.
    pub fn clock_refusals(&self, clock: Timestamp) -> Vec<(String, Refusal)> {
        let refusal = |(origin, view): (String, Result<Option<View>, Doubt>)| {
            let last = view.ok()?.map_or(Timestamp(0), |view| view.time);
            Some((origin, check_clock(last, clock).err()?))
        };
        self.views().into_iter().filter_map(refusal).collect()
    }

    /// The logs that are refused until the operator acts.
    pub fn doubts(&self) -> Vec<Doubt> {
        let doubt = |slot: &Slot| match &*slot.lock() {
            Memory::Certain(_) => None,
            Memory::Doubtful(reason) => Some(slot.doubt(reason)),
        };
        self.logs.values().filter_map(doubt).collect()
    }
}

#[cfg(test)]
mod tests;
