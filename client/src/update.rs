//! The driver of updates: it fetches what the verifier asks for, makes durable what it says, and asks the next source
//! when one is refused.

use crate::allowance::Allowance;
use crate::blocking::{self, Blocked};
use crate::client::Client;
use crate::error::{ClientError, Refusals, UpdateError};
use crate::folder::{MAX_EVIDENCE_FILES, evidence_name};
use crate::options::{Progress, UpdateOptions};
use crate::refusal::{self, Refusal};
use crate::schedule::Schedule;
use isonomy_core::resource::Resource;
use isonomy_core::tile::TileKind;
use isonomy_core::time::Timestamp;
use isonomy_fetch::{FetchError, Source};
use isonomy_verifier::rejection::Lack;
use isonomy_verifier::{Freshness, Input, Rejection, Save, Step, Update, Updated};
use serde::Serialize;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// The most requests that one source is sent in an update. An honest log needs some dozens; what it can show in so many
/// is more than any list has.
const MAX_REQUESTS: u64 = 4096;
/// The most tiles of entries beside those, which a client that reads the whole log asks for: 16 million entries.
const MAX_ENTRY_TILES: u64 = 65_536;

/// What came of an update.
#[derive(Clone, Debug)]
#[non_exhaustive]
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
    /// The snapshots and deltas that were received for the list in force: path and bytes.
    pub objects: Vec<(String, u64)>,
    /// How long to wait before the next update: see [`Schedule`].
    pub next_update_after: Duration,
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

/// What travelled, and who is told.
struct Traffic<'a> {
    options: UpdateOptions<'a>,
    requests: u64,
    bytes: u64,
    requests_here: u64,
    entry_tiles_here: u64,
    allowance: Allowance,
    objects: Vec<(String, u64)>,
    /// How long the source says that there will be nothing newer.
    fresh_for: Option<Duration>,
    /// How long the sources that were refused ask to stay away, the longest of them.
    retry_after: Option<Duration>,
}

impl Client {
    /// Asks one source after the other for what is in force now, at `clock`, this machine's clock. The first that
    /// passes every check and leaves the list fresh ends the update ([`UpdateOptions::asking_all`] asks the others all the same);
    /// after one that stands still, the others are asked too.
    /// The proof that the log forked ends it as well: then no source is asked any more, in this and any later update.
    /// Each refusal leaves a record in the folder.
    ///
    /// Checks run on the runtime's threads for blocking work. What must be durable is written where the future is
    /// polled, so that dropping the future at any point loses nothing and never leaves the client behind its own folder.
    ///
    /// ```no_run
    /// # async fn run(mut client: isonomy_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use isonomy_client::{Source, system_clock};
    ///
    /// let sources = [Source::parse("https://log.example/isonomy")?];
    /// loop {
    ///     let wait = match client.update(&sources, system_clock()).await {
    ///         Ok(report) => report.next_update_after,
    ///         Err(error) => error.next_update_after().ok_or(error)?,
    ///     };
    ///     tokio::time::sleep(wait).await;
    /// }
    /// # }
    /// ```
    pub async fn update(&mut self, sources: &[Source], clock: Timestamp) -> Result<UpdateReport, UpdateError> {
        self.update_with(sources, UpdateOptions::at(clock)).await
    }

    /// [`Client::update`], with somebody who is told of its progress or may stop it, or other times between updates.
    pub async fn update_with(
        &mut self,
        sources: &[Source],
        options: UpdateOptions<'_>,
    ) -> Result<UpdateReport, UpdateError> {
        let Some(cancel) = options.cancel.clone() else {
            return self.update_from_any(sources, options).await;
        };
        tokio::select! {
            biased;
            () = cancel.raised() => Err(UpdateError::Cancelled),
            outcome = self.update_from_any(sources, options) => outcome,
        }
    }

    /// [`Client::update`], for programs that are not asynchronous: it returns when the update is over.
    pub fn update_blocking(&mut self, sources: &[Source], clock: Timestamp) -> Result<UpdateReport, UpdateError> {
        self.update_blocking_with(sources, UpdateOptions::at(clock))
    }

    /// [`Client::update_with`], for programs that are not asynchronous.
    ///
    /// ```no_run
    /// # fn run(mut client: isonomy_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use isonomy_client::{CancelFlag, Source, UpdateError, UpdateOptions, system_clock};
    ///
    /// let cancel = CancelFlag::new();
    /// let button = cancel.clone(); // for the thread of the user interface
    /// let sources = [Source::parse("https://log.example/isonomy")?];
    /// let options = UpdateOptions::at(system_clock()).cancelled_by(&cancel);
    /// match client.update_blocking_with(&sources, options) {
    ///     Ok(report) => println!("version {} is in force", report.updated.list.version()),
    ///     Err(UpdateError::Cancelled) => println!("another time"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # drop(button);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_blocking_with(
        &mut self,
        sources: &[Source],
        options: UpdateOptions<'_>,
    ) -> Result<UpdateReport, UpdateError> {
        blocking::run(self.update_with(sources, options)).map_err(|error| match error {
            Blocked::InsideRuntime => UpdateError::InsideRuntime,
            Blocked::Runtime(error) => UpdateError::Runtime(error),
        })?
    }

    async fn update_from_any(
        &mut self,
        sources: &[Source],
        options: UpdateOptions<'_>,
    ) -> Result<UpdateReport, UpdateError> {
        let (clock, schedule) = (options.clock, options.schedule.unwrap_or_else(|| Schedule::of(&self.policy)));
        let asks_all = options.asks_all;
        let before = self.state.accepted().map(|accepted| accepted.version);
        let (mut refusals, mut traffic, mut found) = (Vec::new(), Traffic::new(options), None::<Found>);
        self.save_halt()?;
        if let Some(halted) = self.state.halted() {
            let evidence = self.evidence_path(halted).map(|_| evidence_name(halted));
            let refusal = Refusal::new(clock, String::new(), &Rejection::Halted(*halted), evidence);
            traffic.tell(Progress::Refused { refusal: &refusal });
            return Err(UpdateError::Refused(Refusals::for_good(vec![refusal])));
        }
        for source in sources {
            let known = self.state.clone();
            match self.update_from(source, clock, &mut traffic).await? {
                Ok(updated) => {
                    let is_fresh = matches!(updated.list.freshness(clock), Freshness::Fresh { .. });
                    // Who has nothing new is not where the list comes from.
                    if found.is_none() || self.state != known {
                        let earlier = found.take();
                        found = Some(traffic.found(*updated, source).after(earlier));
                    }
                    if is_fresh && !asks_all {
                        break;
                    }
                }
                Err(rejection) => {
                    let refusal = self.record(&rejection, source, clock);
                    traffic.tell(Progress::Refused { refusal: &refusal });
                    refusals.push(refusal);
                    if matches!(*rejection, Rejection::Fork(_) | Rejection::Halted(_)) {
                        // Whatever another source had before: this is what the person has to hear.
                        return Err(UpdateError::Refused(Refusals::for_good(refusals)));
                    }
                }
            }
        }
        if let Some(found) = found {
            self.failures = 0;
            let wait = schedule.after_update(found.fresh_for, random());
            return Ok(found.report(before, refusals, &traffic, wait));
        }
        if refusals.is_empty() {
            return Err(UpdateError::NoSource);
        }
        self.failures = self.failures.saturating_add(1);
        let next_update_after = schedule.after_failures(self.failures, traffic.retry_after, random());
        Err(UpdateError::Refused(Refusals::new(refusals, next_update_after)))
    }

    async fn update_from(
        &mut self,
        source: &Source,
        clock: Timestamp,
        traffic: &mut Traffic<'_>,
    ) -> Result<Result<Box<Updated>, Box<Rejection>>, UpdateError> {
        traffic.begin_source(source);
        let mut update = Update::new(self.policy.clone(), self.state.clone(), self.list.clone(), clock);
        let mut input = Input::Start;
        loop {
            let (next, step) = step(update, input).await?;
            update = next;
            input = match step {
                Step::Need { resource, max_bytes } => self.fetch(source, resource, max_bytes, traffic).await,
                Step::Save(save) => {
                    self.save(*save)?;
                    traffic.tell(Progress::Saved);
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

    async fn fetch(&self, source: &Source, resource: Resource, max_bytes: u64, traffic: &mut Traffic<'_>) -> Input {
        let is_object = matches!(resource, Resource::Object(_));
        if is_object && max_bytes > self.max_object_size {
            let reason = format!("it has {max_bytes} bytes; this client takes at most {}", self.max_object_size);
            return Input::Unavailable { resource, lack: Lack::Limit, reason };
        }
        if let Err((lack, reason)) = traffic.ask(&resource, max_bytes) {
            return Input::Unavailable { resource, lack, reason };
        }
        match traffic.read(source, &resource, max_bytes).await {
            Ok(Ok(pieces)) => Input::Received { resource, pieces },
            Ok(Err(error)) => {
                traffic.retry_after = traffic.retry_after.max(error.retry_after());
                Input::Unavailable { resource, lack: lack(&error), reason: error.to_string() }
            }
            Err(reason) => Input::Unavailable { resource, lack: Lack::Slow, reason },
        }
    }

    /// Makes durable what the verifier asks for, in an order in which a power cut does no harm: content and evidence,
    /// then the state that needs them; and only then goes what the state before it needed. Whatever the state has learned of the
    /// time counts for the list in force at once.
    fn save(&mut self, save: Save) -> Result<(), ClientError> {
        if let Some(proof) = save.evidence {
            return self.halt(save.state, proof);
        }
        if let Some(list) = &save.list {
            self.folder.cache().store(list)?;
        }
        self.folder.write_state(&save.state)?;
        self.state = save.state;
        match save.list {
            Some(list) => {
                self.folder.cache().keep_only(&[list.accepted().release, list.accepted().charter]);
                self.list = Some(list);
            }
            None => self.list = self.list.as_ref().map(|list| list.known_by(&self.state)),
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

    /// Leaves a record of a refusal. If that can't be written, the refusal says so: another source is asked all the same.
    fn record(&self, rejection: &Rejection, source: &Source, clock: Timestamp) -> Refusal {
        let keep = |evidence| self.folder.keep_evidence(evidence, &self.policy);
        let kept = rejection.evidence().map(keep).transpose();
        let is_full = matches!(kept, Ok(Some(None)));
        let (evidence, problem) = match kept {
            Ok(kept) => (kept.flatten().map(|digest| evidence_name(&digest)), None),
            Err(error) => (None, Some(error)),
        };
        let mut refusal = Refusal::new(clock, source.to_string(), rejection, evidence);
        if is_full {
            refusal.message = format!(
                "{}. That can be proven, but the proof is not kept: there are {MAX_EVIDENCE_FILES} evidence files; move them away",
                refusal.message
            );
        }
        let recorded = refusal::record(&self.folder.refusals(), &refusal).map_err(ClientError::from);
        if let Some(error) = problem.map(ClientError::from).or(recorded.err()) {
            refusal.message = format!("{}. There is no record of it: {error}", refusal.message);
        }
        refusal
    }
}

/// What a source had.
struct Found {
    updated: Updated,
    source: String,
    objects: Vec<(String, u64)>,
    fresh_for: Option<Duration>,
}

impl Found {
    /// What was fetched for the same release from an earlier source was fetched for this.
    fn after(self, earlier: Option<Self>) -> Self {
        match earlier {
            Some(earlier) if earlier.updated.list.accepted().release == self.updated.list.accepted().release => {
                Self { objects: [earlier.objects, self.objects].concat(), ..self }
            }
            _ => self,
        }
    }

    fn report(
        self,
        before: Option<u64>,
        refusals: Vec<Refusal>,
        traffic: &Traffic<'_>,
        next_update_after: Duration,
    ) -> UpdateReport {
        let Self { updated, source, objects, .. } = self;
        let kind = match before {
            None => Change::First,
            Some(from) if from == updated.list.version() => Change::Same,
            Some(from) => Change::Newer { from },
        };
        let (requests, bytes) = (traffic.requests, traffic.bytes);
        UpdateReport { updated, kind, source, refusals, requests, bytes, objects, next_update_after }
    }
}

impl<'a> Traffic<'a> {
    fn new(options: UpdateOptions<'a>) -> Self {
        let (requests, bytes, requests_here, entry_tiles_here) = (0, 0, 0, 0);
        let (objects, fresh_for, retry_after) = (Vec::new(), None, None);
        let allowance = Allowance::new(options.allowed);
        Self { options, requests, bytes, requests_here, entry_tiles_here, allowance, objects, fresh_for, retry_after }
    }

    fn tell(&mut self, progress: Progress<'_>) {
        if let Some(listener) = &mut self.options.listener {
            listener(progress);
        }
    }

    /// What the source that was just asked had.
    fn found(&mut self, updated: Updated, source: &Source) -> Found {
        let objects = std::mem::take(&mut self.objects);
        Found { updated, source: source.to_string(), objects, fresh_for: self.fresh_for }
    }

    fn begin_source(&mut self, source: &Source) {
        self.requests_here = 0;
        self.entry_tiles_here = 0;
        self.allowance = Allowance::new(self.options.allowed);
        self.objects.clear();
        self.fresh_for = None;
        self.tell(Progress::Asking { source });
    }

    /// Counts a request; refused if the source was sent too many, or took too long for those that it was sent.
    fn ask(&mut self, resource: &Resource, max_bytes: u64) -> Result<(), (Lack, String)> {
        self.allowance.ask().map_err(|reason| (Lack::Slow, reason))?;
        let is_entries = matches!(resource, Resource::Tile(tile) if tile.kind() == TileKind::Entries);
        let (asked, most, what) = match is_entries {
            true => (&mut self.entry_tiles_here, MAX_ENTRY_TILES, "tiles of entries"),
            false => (&mut self.requests_here, MAX_REQUESTS, "resources"),
        };
        if *asked >= most {
            return Err((Lack::Limit, format!("an update asks a source for at most {most} {what}")));
        }
        *asked += 1;
        self.requests += 1;
        self.tell(Progress::Fetching { resource, received: 0, of: max_bytes, total: self.bytes });
        Ok(())
    }

    /// Reads what a source has; or says for how long it was waited for.
    async fn read(
        &mut self,
        source: &Source,
        resource: &Resource,
        max_bytes: u64,
    ) -> Result<Result<Vec<Vec<u8>>, FetchError>, String> {
        let (before, allowance) = (self.bytes, self.allowance);
        let mut heard = |received: u64| {
            let total = before.saturating_add(received);
            self.tell(Progress::Fetching { resource, received, of: max_bytes, total });
        };
        let given = allowance.wait(resource, source.get_pieces(resource, max_bytes, &mut heard)).await?;
        let given = match given {
            Ok(given) => given,
            Err(error) => return Ok(Err(error)),
        };
        let received = given.pieces.iter().map(|piece| piece.len() as u64).sum();
        self.bytes = before.saturating_add(received);
        self.allowance.received(resource, received);
        match resource {
            Resource::Object(_) => self.objects.push((resource.to_string(), received)),
            Resource::Bundle(_) => self.fresh_for = given.fresh_for,
            _ => {}
        }
        self.tell(Progress::Checking { resource });
        Ok(Ok(given.pieces))
    }
}

/// What kind of failure it is that a source did not give something.
pub(crate) fn lack(error: &FetchError) -> Lack {
    match error {
        FetchError::Address { .. }
        | FetchError::Setup { .. }
        | FetchError::Write { .. }
        | FetchError::Unreachable { .. } => Lack::Unreachable,
        FetchError::TooSlow { .. } => Lack::Slow,
        FetchError::Interrupted { .. } => Lack::Interrupted,
        FetchError::NotFound { .. } => Lack::Absent,
        FetchError::Unauthorized { .. } => Lack::Unauthorized,
        FetchError::TooLarge { .. } => Lack::TooLarge,
        FetchError::Redirect { .. } | FetchError::Escapes { .. } => Lack::Elsewhere,
        FetchError::Status { .. } | FetchError::Refused { .. } => Lack::Failing,
        FetchError::Malformed { .. } => Lack::Garbled,
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

/// Chance, for the time of the next update. Without it all is well but the crowd.
fn random() -> u64 {
    let mut bytes = [0; 8];
    let drawn = getrandom::fill(&mut bytes);
    drawn.map_or(u64::MAX / 2, |()| u64::from_le_bytes(bytes))
}
