//! The driver of updates: it fetches what the verifier asks for, makes durable what it says, and asks the next source
//! when one is refused.

use crate::client::Client;
use crate::error::{ClientError, UpdateError};
use crate::refusal::{self, Refusal};
use isonomy_core::resource::Resource;
use isonomy_core::tile::TileKind;
use isonomy_core::time::Timestamp;
use isonomy_fetch::Source;
use isonomy_verifier::{Input, Rejection, Save, Step, Update, Updated};
use serde::Serialize;
use tokio::runtime::{Builder, Handle};
use tokio::task::spawn_blocking;

/// The most requests that one source is sent in an update. An honest log needs some dozens; what it can show in so many
/// is more than any list has.
const MAX_REQUESTS: u64 = 4096;
/// The most tiles of entries beside those, which a client that reads the whole log asks for: 16 million entries.
const MAX_ENTRY_TILES: u64 = 65_536;

/// What came of an update.
#[derive(Clone, Debug)]
pub struct UpdateReport {
    /// The list in force, and newer releases that may not be used yet.
    pub updated: Updated,
    /// How that differs from before.
    pub kind: Change,
    /// The source that it came from.
    pub source: String,
    /// What was refused before that, each from another source.
    pub refusals: Vec<Refusal>,
    /// How many resources were asked for, of all sources.
    pub requests: u64,
    /// How many bytes were received, from all sources.
    pub bytes: u64,
    /// The snapshots and deltas that were received from the source: path and bytes.
    pub objects: Vec<(String, u64)>,
}

/// How the list in force differs from the one before the update.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub enum Change {
    /// There was none before.
    First,
    /// It is a newer version.
    Newer {
        /// The version before.
        from: u64,
    },
    /// It is the same.
    Same,
}

/// What travelled.
#[derive(Default)]
struct Traffic {
    requests: u64,
    bytes: u64,
    requests_here: u64,
    entry_tiles_here: u64,
    objects: Vec<(String, u64)>,
}

impl Client {
    /// Asks one source after the other for what is in force now, at `clock`, this machine's clock. The first that
    /// passes every check ends the update. So does the proof that the log forked: then no source is asked any more, in
    /// this and any later update. Each refusal leaves a record in the folder.
    ///
    /// Checks run on the runtime's threads for blocking work. What must be durable is written where the future is
    /// polled, so that dropping the future never leaves the client behind its own folder.
    pub async fn update(&mut self, sources: &[Source], clock: Timestamp) -> Result<UpdateReport, UpdateError> {
        let before = self.state.accepted().map(|accepted| accepted.version);
        let (mut refusals, mut traffic) = (Vec::new(), Traffic::default());
        for source in sources {
            match self.update_from(source, clock, &mut traffic).await? {
                Ok(updated) => return Ok(report(*updated, before, source, refusals, traffic)),
                Err(rejection) => {
                    refusals.push(self.record(&rejection, source, clock)?);
                    if matches!(*rejection, Rejection::Fork(_) | Rejection::Halted(_)) {
                        break;
                    }
                }
            }
        }
        Err(if refusals.is_empty() { UpdateError::NoSource } else { UpdateError::Refused(refusals) })
    }

    /// [`Client::update`], for programs that are not asynchronous: it returns when the update is over.
    pub fn update_blocking(&mut self, sources: &[Source], clock: Timestamp) -> Result<UpdateReport, UpdateError> {
        if Handle::try_current().is_ok() {
            return Err(UpdateError::InsideRuntime);
        }
        let runtime = Builder::new_current_thread().enable_all().build().map_err(UpdateError::Runtime)?;
        runtime.block_on(self.update(sources, clock))
    }

    async fn update_from(
        &mut self,
        source: &Source,
        clock: Timestamp,
        traffic: &mut Traffic,
    ) -> Result<Result<Box<Updated>, Box<Rejection>>, UpdateError> {
        traffic.begin_source();
        let mut update = Update::new(self.policy.clone(), self.state.clone(), self.list.clone(), clock);
        let mut input = Input::Start;
        loop {
            let (next, step) = step(update, input).await?;
            update = next;
            input = match step {
                Step::Need { resource, max_bytes } => self.fetch(source, resource, max_bytes, traffic).await,
                Step::Save(save) => {
                    self.save(*save)?;
                    Input::Saved
                }
                Step::Done(updated) => {
                    self.finish(&updated)?;
                    return Ok(Ok(updated));
                }
                Step::Reject(rejection) => return Ok(Err(rejection)),
            };
        }
    }

    async fn fetch(&self, source: &Source, resource: Resource, max_bytes: u64, traffic: &mut Traffic) -> Input {
        let is_object = matches!(resource, Resource::Object(_));
        if is_object && max_bytes > self.max_object_size {
            let reason = format!("it has {max_bytes} bytes; this client takes at most {}", self.max_object_size);
            return Input::Unavailable { resource, reason };
        }
        if let Err(reason) = traffic.ask(&resource) {
            return Input::Unavailable { resource, reason };
        }
        match source.get(&resource, max_bytes).await {
            Ok(bytes) => {
                traffic.received(&resource, bytes.len() as u64);
                Input::Received { resource, bytes }
            }
            Err(error) => Input::Unavailable { resource, reason: error.to_string() },
        }
    }

    /// Makes durable what the verifier asks for, in an order in which a power cut does no harm: content and evidence,
    /// then the state that needs them; and only then goes what the state before it needed.
    fn save(&mut self, save: Save) -> Result<(), ClientError> {
        if let Some(evidence) = &save.evidence {
            self.folder.keep_evidence(evidence)?;
        }
        if let Some(list) = &save.list {
            self.folder.cache().store(list)?;
        }
        self.folder.write_state(&save.state)?;
        self.state = save.state;
        if let Some(list) = save.list {
            self.folder.cache().keep_only(&[list.accepted().release, list.accepted().charter]);
            self.list = Some(list);
        }
        Ok(())
    }

    /// Takes over the list. If its content was lost and has been fetched anew under the same state, it was not saved
    /// yet.
    fn finish(&mut self, updated: &Updated) -> Result<(), ClientError> {
        if self.list.is_none() {
            self.folder.cache().store(&updated.list)?;
        }
        self.list = Some(updated.list.clone());
        Ok(())
    }

    fn record(&self, rejection: &Rejection, source: &Source, clock: Timestamp) -> Result<Refusal, ClientError> {
        let evidence = match rejection.evidence() {
            Some(evidence) => self.folder.keep_evidence(evidence)?,
            None => None,
        };
        let refusal = Refusal::new(clock, source.to_string(), rejection, evidence);
        refusal::record(&self.folder.refusals(), &refusal)?;
        Ok(refusal)
    }
}

impl Traffic {
    fn begin_source(&mut self) {
        self.requests_here = 0;
        self.entry_tiles_here = 0;
        self.objects.clear();
    }

    /// Counts a request; refused if the source was sent too many.
    fn ask(&mut self, resource: &Resource) -> Result<(), String> {
        let is_entries = matches!(resource, Resource::Tile(tile) if tile.kind() == TileKind::Entries);
        let (asked, most, what) = match is_entries {
            true => (&mut self.entry_tiles_here, MAX_ENTRY_TILES, "tiles of entries"),
            false => (&mut self.requests_here, MAX_REQUESTS, "resources"),
        };
        if *asked >= most {
            return Err(format!("an update asks a source for at most {most} {what}"));
        }
        *asked += 1;
        self.requests += 1;
        Ok(())
    }

    fn received(&mut self, resource: &Resource, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        if matches!(resource, Resource::Object(_)) {
            self.objects.push((resource.to_string(), bytes));
        }
    }
}

/// One step of the machine, on a thread where hashing a whole list keeps nobody waiting.
async fn step(mut update: Update, input: Input) -> Result<(Update, Step), UpdateError> {
    let stepped = spawn_blocking(move || {
        let step = update.step(input);
        (update, step)
    });
    stepped.await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => UpdateError::Interrupted,
    })
}

fn report(
    updated: Updated,
    before: Option<u64>,
    source: &Source,
    refusals: Vec<Refusal>,
    traffic: Traffic,
) -> UpdateReport {
    let kind = match before {
        None => Change::First,
        Some(from) if from == updated.list.version() => Change::Same,
        Some(from) => Change::Newer { from },
    };
    let Traffic { requests, bytes, objects, .. } = traffic;
    UpdateReport { updated, kind, source: source.to_string(), refusals, requests, bytes, objects }
}
