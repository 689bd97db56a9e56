//! A witness without its HTTP: check, store and answer as one step for each log.

use crate::decide::{Decision, Refusal, Request, check_clock, decide};
use crate::evidence::{Fork, Kind, Refused};
use crate::log::{ConfigError, Log};
use crate::record::Record;
use crate::shown::Shown;
use crate::state::{ADVICE, Beginning, Kept, MAX_EVIDENCE, NOT_RESTORED, OLDER_COPY, State, StateError};
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
        let slot = |log: Log| {
            let memory = match state.load(&log, key.verifier()) {
                Ok(record) => Memory::Certain(record.map(Box::new)),
                Err(reason) => {
                    let advice = if reason == NOT_RESTORED { String::new() } else { format!("; {ADVICE}") };
                    tracing::error!(log = log.origin(), "refusing this log: {reason}{advice}");
                    Memory::Doubtful(reason)
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
        let latest = match &*memory {
            Memory::Certain(latest) => latest.as_deref(),
            Memory::Doubtful(reason) => return Err(slot.doubt(reason).into()),
        };
        let shown = Shown::in_note(request.note(), &slot.log, self.key());
        if let Some(shown) = shown.filter(|shown| shown.exceeds(latest)) {
            tracing::error!(log = slot.log.origin(), "refusing this log: {OLDER_COPY}; {ADVICE}");
            *memory = Memory::Doubtful(OLDER_COPY.to_owned());
            self.keep_shown(slot, &shown);
            return Err(slot.doubt(OLDER_COPY).into());
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

    /// Stores a record; until that has succeeded the memory is in doubt.
    fn commit(&self, slot: &Slot, memory: &mut Memory, record: Record) -> Result<Signature, Doubt> {
        *memory =
            Memory::Doubtful("a cosigned checkpoint may not have been stored; start the witness again".to_owned());
        if let Err(error) = self.state.write(&slot.log, &record) {
            let reason = format!("a cosigned checkpoint could not be stored: {error}");
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
            Ok(Kept::Before) => {}
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
            Ok(path) => tracing::warn!(log, "the checkpoint with the later cosignature is kept in {}", path.display()),
            Err(error) => tracing::error!(
                log,
                "the checkpoint with the later cosignature can't be kept, so do not start this witness again before it is restored: {error}"
            ),
        }
    }

    fn keep_refused(&self, slot: &Slot, refused: Option<Refused>) {
        let Some(refused) = refused else { return };
        let log = slot.log.origin();
        match self.state.keep_refused(&slot.log, &refused) {
            Ok(Kept::At(path)) => {
                tracing::warn!(log, "a checkpoint that the log signed was refused; it is kept in {}", path.display())
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
mod tests {
    use super::*;
    use crate::record::RecordError;
    use crate::restore::{RestoreError, Restored, declare_new, restore};
    use crate::testing::*;
    use isonomy_core::add_checkpoint::AddCheckpoint;
    use isonomy_core::checkpoint::Checkpoint;
    use isonomy_core::cosignature;
    use isonomy_core::note::KeyType;
    use isonomy_serve::Rates;
    use std::fs;
    use tempfile::TempDir;

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    fn open(dir: &TempDir) -> Witness {
        Witness::open(config(dir.path())).unwrap()
    }

    fn ask(witness: &Witness, old: usize, leaves: &[u8], clock: Timestamp) -> Result<Signature, AddError> {
        witness.add_checkpoint(&add(old, leaves).to_bytes(), clock)
    }

    fn latest(witness: &Witness) -> Option<CheckpointNote> {
        witness.latest(&log().id()).unwrap()
    }

    #[test]
    fn the_answer_is_the_cosignature_that_is_stored() {
        let dir = folder();
        let witness = open(&dir);
        assert_eq!(latest(&witness), None);
        assert_eq!(witness.latest("unknown"), Ok(None));
        let line = ask(&witness, 0, b"abc", START).unwrap();
        let text = checkpoint(b"abc").note().text().to_owned();
        assert_eq!(cosignature::verify(witness.key(), &text, &line), Some(START));
        assert_eq!(latest(&witness), Some(checkpoint(b"abc").with_cosignatures(std::slice::from_ref(&line))));
        assert_eq!(ask(&witness, 3, b"abc", START), Ok(line));
        drop(witness);
        let witness = open(&dir);
        assert_eq!(ask(&witness, 0, b"xyz", START), Err(Refusal::Conflict { known: TreeSize(3) }.into()));
        ask(&witness, 3, b"abcde", START.plus(9)).unwrap();
        assert_eq!(latest(&witness).map(|note| note.checkpoint().size), Some(TreeSize(5)));
        assert_eq!((witness.doubts(), witness.logs().count()), (Vec::new(), 1));
    }

    #[test]
    fn a_log_in_doubt_is_refused_and_others_are_not() {
        let dir = folder();
        let other = SigningKey::from_seed("other", isonomy_core::note::KeyType::Ed25519, &[3; 32]).unwrap();
        let both = || {
            let mut config = config(dir.path());
            config.logs.push(other.verifier().clone());
            Witness::open(config).unwrap()
        };
        ask(&both(), 0, b"abc", START).unwrap();
        fs::remove_file(dir.path().join("logs").join(log().id())).unwrap();
        let witness = both();
        let doubt = Doubt { origin: ORIGIN.into(), reason: "its file is missing".into() };
        assert_eq!(ask(&witness, 3, b"abcd", START), Err(doubt.clone().into()));
        assert_eq!(witness.latest(&log().id()), Err(doubt.clone()));
        assert_eq!(witness.doubts(), [doubt]);
        let mut checkpoint = checkpoint(b"abc").checkpoint().clone();
        checkpoint.origin = "other".into();
        let mut request = add(0, b"abc");
        request.checkpoint = CheckpointNote::sign(checkpoint, &other).unwrap();
        witness.add_checkpoint(&request.to_bytes(), START).unwrap();
    }

    #[test]
    fn a_write_that_fails_leaves_the_log_in_doubt_until_the_next_start() {
        let dir = folder();
        let witness = open(&dir);
        ask(&witness, 0, b"abc", START).unwrap();
        let logs = dir.path().join("logs");
        fs::rename(&logs, dir.path().join("away")).unwrap();
        assert!(matches!(ask(&witness, 3, b"abcd", START), Err(AddError::Doubt(_))));
        fs::rename(dir.path().join("away"), &logs).unwrap();
        assert!(matches!(ask(&witness, 3, b"abcd", START), Err(AddError::Doubt(_))));
        drop(witness);
        ask(&open(&dir), 3, b"abcd", START).unwrap();
    }

    #[test]
    fn a_fork_leaves_evidence_whatever_the_answer_is() {
        let dir = folder();
        let witness = open(&dir);
        ask(&witness, 0, b"abc", START).unwrap();
        let evidence = || {
            let names = witness.evidence_names().unwrap();
            names.iter().filter(|name| name.starts_with("fork-")).count()
        };
        assert!(ask(&witness, 3, b"abxd", START).is_err());
        assert_eq!(evidence(), 0);
        assert!(ask(&witness, 0, b"abx", START).is_err());
        assert!(ask(&witness, 3, b"abx", START).is_err());
        assert_eq!(evidence(), 1);
        assert!(ask(&witness, 3, b"aby", START).is_err());
        assert_eq!(evidence(), 2);
    }

    #[test]
    fn of_branches_that_race_one_wins() {
        let dir = folder();
        let witness = open(&dir);
        ask(&witness, 0, b"a", START).unwrap();
        let branch = |leaf: u8| {
            let mut tree = b"a".to_vec();
            (0..5)
                .filter(|_| {
                    let old = tree.len();
                    tree.push(leaf);
                    ask(&witness, old, &tree, START).is_ok()
                })
                .count()
        };
        let branch = &branch;
        let counts: Vec<usize> = std::thread::scope(|scope| {
            let threads: Vec<_> = (b'b'..b'j').map(|leaf| scope.spawn(move || branch(leaf))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(counts.iter().filter(|&&count| count > 0).count(), 1, "{counts:?}");
        assert_eq!(counts.iter().sum::<usize>(), 5);
    }

    #[test]
    fn a_lost_memory_is_restored_from_a_checkpoint_that_somebody_kept() {
        let dir = folder();
        let witness = open(&dir);
        ask(&witness, 0, b"abc", START).unwrap();
        let older = latest(&witness).unwrap();
        ask(&witness, 3, b"abcde", START.plus(5)).unwrap();
        let newest = latest(&witness).unwrap();
        drop(witness);
        let new = folder();
        assert!(matches!(
            restore(config(new.path()), checkpoint(b"abcde")),
            Err(RestoreError::Record(RecordError::Own))
        ));
        assert_eq!(restore(config(new.path()), newest.clone()).unwrap(), Restored::Written);
        assert_eq!(restore(config(new.path()), newest.clone()).unwrap(), Restored::Unchanged);
        assert!(matches!(restore(config(new.path()), older.clone()), Err(RestoreError::Older)));
        let witness = open(&new);
        assert_eq!(latest(&witness), Some(newest.clone()));
        assert!(matches!(restore(config(new.path()), newest.clone()), Err(RestoreError::Open(_))));
        ask(&witness, 5, b"abcdef", START.plus(6)).unwrap();

        // One copy is left in the old folder: it can't be replaced by an older one.
        let file = dir.path().join("logs").join(log().id());
        fs::write(&file, vec![0; 100_000]).unwrap();
        assert!(matches!(restore(config(dir.path()), older), Err(RestoreError::Older)));
        assert_eq!(open(&dir).doubts().len(), 1);
        assert_eq!(restore(config(dir.path()), newest.clone()).unwrap(), Restored::Written);
        let witness = open(&dir);
        assert_eq!((latest(&witness), witness.doubts()), (Some(newest), Vec::new()));
    }

    #[test]
    fn after_a_restoration_no_log_is_taken_for_new_unasked() {
        let dir = folder();
        let witness = open(&dir);
        ask(&witness, 0, b"abc", START).unwrap();
        let newest = latest(&witness).unwrap();
        drop(witness);
        let (new, other) = (folder(), SigningKey::from_seed("other.example/log", KeyType::Ed25519, &[3; 32]).unwrap());
        let data = new.path().join("data");
        let config = || Config {
            data: data.clone(),
            key: witness_key(),
            logs: vec![log_key().verifier().clone(), other.verifier().clone()],
            serving: Settings::new(Rates::UNLIMITED),
        };
        assert_eq!(restore(config(), newest).unwrap(), Restored::Written);
        let first = CheckpointNote::sign(
            Checkpoint {
                origin: "other.example/log".into(),
                size: TreeSize(3),
                root: root(b"abc"),
                extensions: Vec::new(),
            },
            &other,
        );
        let request = AddCheckpoint { old: TreeSize(0), proof: Vec::new(), checkpoint: first.unwrap() }.to_bytes();
        let witness = Witness::open(config()).unwrap();
        let refused = witness.add_checkpoint(&request, START).unwrap_err();
        assert!(matches!(&refused, AddError::Doubt(doubt) if doubt.reason.contains("--never-cosigned")), "{refused}");
        ask(&witness, 3, b"abcd", START.plus(1)).unwrap();
        drop(witness);
        assert!(matches!(declare_new(config(), ORIGIN), Err(RestoreError::HasCosigned(_))));
        declare_new(config(), "other.example/log").unwrap();
        Witness::open(config()).unwrap().add_checkpoint(&request, START).unwrap();
    }

    #[test]
    fn a_memory_that_was_put_back_is_noticed_by_the_witness_s_own_later_cosignature() {
        // Also if all of it happened within one second, which is all that dates tell.
        for (backup_holds_a_record, later) in [(true, 1), (true, 0), (false, 1), (false, 0)] {
            let (dir, backup) = (folder(), folder());
            let witness = open(&dir);
            if backup_holds_a_record {
                ask(&witness, 0, b"abc", START).unwrap();
            }
            drop(witness);
            copy(dir.path(), &backup.path().join("data"));
            let (witness, old) = (open(&dir), if backup_holds_a_record { 3 } else { 0 });
            ask(&witness, old, b"abcde", START.plus(later)).unwrap();
            let newest = latest(&witness).unwrap();
            drop(witness);

            let witness = Witness::open(config(&backup.path().join("data"))).unwrap();
            let mut shown = add(old, b"abcde");
            shown.checkpoint = newest.clone();
            let refused = witness.add_checkpoint(&shown.to_bytes(), START.plus(2)).unwrap_err();
            assert!(matches!(&refused, AddError::Doubt(doubt) if doubt.reason.contains("older copy")), "{refused}");
            assert!(ask(&witness, old, b"abcxy", START.plus(3)).is_err(), "and nothing else is cosigned");
            assert_eq!(witness.doubts().len(), 1);
            // No restart forgets it.
            drop(witness);
            let witness = Witness::open(config(&backup.path().join("data"))).unwrap();
            let fork = ask(&witness, old, b"abcxy", START.plus(3)).unwrap_err();
            assert!(matches!(&fork, AddError::Doubt(doubt) if doubt.reason.contains("older copy")), "{fork}");
            drop(witness);
            // What was shown is kept, and it is what this log can be restored from.
            let kept = fs::read(backup.path().join("data/shown").join(log().id())).unwrap();
            assert_eq!(kept, newest.to_bytes());
            let anew = folder();
            let restored = restore(config(anew.path()), CheckpointNote::parse(&kept).unwrap()).unwrap();
            assert_eq!(restored, Restored::Written);
            assert_eq!(latest(&open(&anew)).unwrap(), newest);
            // In the old folder it may be restored, too, and nothing below it.
            let data = backup.path().join("data");
            if backup_holds_a_record {
                let below = CheckpointNote::parse(&record(None, b"abc", START).checkpoint().to_bytes()).unwrap();
                assert!(matches!(restore(config(&data), below), Err(RestoreError::Older)));
            }
            assert_eq!(restore(config(&data), newest.clone()).unwrap(), Restored::Written);
            let witness = Witness::open(config(&data)).unwrap();
            assert_eq!((latest(&witness).unwrap(), witness.doubts().len()), (newest, 0));
        }
    }

    #[test]
    fn of_what_was_shown_the_most_is_kept_and_damage_to_it_is_doubt() {
        let (dir, newer) = (folder(), folder());
        let witness = open(&newer);
        let shown = [(0, &b"abc"[..]), (3, b"abcde"), (5, b"abcdefg")].map(|(old, leaves)| {
            ask(&witness, old, leaves, START.plus(leaves.len() as u64)).unwrap();
            latest(&witness).unwrap()
        });
        drop(open(&dir));
        let kept = dir.path().join("shown").join(log().id());
        for (number, most) in [(1, 1), (2, 2), (1, 2), (0, 2)] {
            let state = State::open(dir.path(), witness_key().verifier()).unwrap();
            let shown_now = Shown::in_note(shown[number].note(), &log(), witness_key().verifier()).unwrap();
            state.keep_shown(&log(), &shown_now, witness_key().verifier()).unwrap();
            assert_eq!(fs::read(&kept).unwrap(), shown[most].to_bytes());
        }
        fs::write(&kept, b"damaged").unwrap();
        assert_eq!(open(&dir).doubts().len(), 1);
        assert!(matches!(restore(config(dir.path()), shown[2].clone()), Err(RestoreError::Shown(_))));
    }

    fn copy(from: &std::path::Path, to: &std::path::Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }

    #[test]
    fn refused_checkpoints_take_no_place_from_forks() {
        let dir = folder();
        let witness = open(&dir);
        ask(&witness, 0, b"a", START).unwrap();
        for number in 0..120u8 {
            let mut request = add(1, &[b'a', number, 0]);
            request.proof.clear();
            assert!(matches!(
                witness.add_checkpoint(&request.to_bytes(), START),
                Err(AddError::Refused(Refusal::Inconsistent(_)))
            ));
        }
        assert_eq!(witness.evidence_names().unwrap().len(), 100);
        assert_eq!(witness.evidence_counts().unwrap(), [(ORIGIN.to_owned(), 0, 100)]);
        assert!(ask(&witness, 1, b"b", START).is_err());
        let names = witness.evidence_names().unwrap();
        assert_eq!(names.iter().filter(|name| name.starts_with("fork-")).count(), 1);
        for name in &names {
            let text = witness.evidence(name).unwrap().unwrap();
            assert!(
                text.starts_with(b"{\n  \"evidence\": \"isonomy/fork/v1\"")
                    || text.starts_with(b"{\n  \"observation\": ")
            );
        }
        for nothing in ["", "fork-", "../witness", "fork-0000000000000000-0000000000000000.json", ".tmp-1-1"] {
            assert_eq!(witness.evidence(nothing).unwrap(), None, "{nothing}");
        }
    }
    #[test]
    fn a_good_checkpoint_with_a_wrong_proof_is_no_lasting_reproach() {
        let dir = folder();
        let witness = open(&dir);
        ask(&witness, 0, b"abc", START).unwrap();
        let spoilt = |old, leaves: &[u8]| AddCheckpoint {
            proof: vec![isonomy_core::hash::NodeHash([7; 32])],
            ..add(old, leaves)
        };
        let refuse = |request: AddCheckpoint| witness.add_checkpoint(&request.to_bytes(), START).unwrap_err();
        refuse(spoilt(3, b"abc"));
        assert_eq!(witness.evidence_names().unwrap(), [""; 0], "what is cosigned already");
        refuse(spoilt(3, b"abcde"));
        assert_eq!(witness.evidence_counts().unwrap(), [(ORIGIN.to_owned(), 0, 1)]);
        ask(&witness, 3, b"abcde", START).unwrap();
        assert_eq!(witness.evidence_names().unwrap(), [""; 0], "what is then shown to follow");
    }
}
