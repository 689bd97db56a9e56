//! One monitor of one log.

use crate::alert::{AlertError, Alerts, Outbox, Told};
use crate::audit::Audit;
use crate::availability::Availability;
use crate::canary::Canary;
use crate::checkpoints::Checkpoints;
use crate::content::{Cache, Contents};
use crate::evidence::EvidenceFolder;
use crate::explorer::Explorer;
use crate::finding::{Finding, Severity};
use crate::follow::offered::Offered;
use crate::kept::{LoggedAttestation, LoggedRelease};
use crate::ledger::Ledger;
use crate::looks::{Look, Looks};
use crate::mirror::{Mirror, MirrorError};
use crate::posted::Posted;
use crate::report::{self, Report, Views};
use crate::trust::Trust;
use crate::vantage::{LIMITS, Vantage, Witness};
use isonomy_core::attestation::Attestation;
use isonomy_core::hash::StatementId;
use isonomy_core::list::Algorithm;
use isonomy_core::policy::Policy;
use isonomy_core::release::Release;
use isonomy_core::statement::{ListName, Signed};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::TreeSize;
use isonomy_fetch::{FetchError, HttpLimits, Source};
use isonomy_store::files::{self, FileError, FolderLock};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// What a monitor of one log needs to know.
#[derive(Debug)]
pub struct Config {
    /// The folder of all that it knows of this log; made if it is missing.
    pub data: PathBuf,
    /// The one log that it follows, with its URL; its witnesses, with theirs; and the quorum.
    pub policy: Policy,
    /// From where the log is looked at; the first is the log itself, the others are mirrors, or the same log by another
    /// way. If there is none, the policy's URL of the log is taken.
    pub sources: Vec<Source>,
    /// A folder of files that no list may match; none if nothing is to be looked up.
    pub canaries: Option<PathBuf>,
    /// Whom to tell of what is new.
    pub alerts: Option<Alerts>,
    /// How many entries are followed at one look; so also how large a log may be when it is begun.
    pub max_new_entries: u64,
    /// For how long a look fetches entries, proofs and content, before it leaves the rest to the next one; none: until all is
    /// there.
    pub look_for: Option<Duration>,
    /// How long each source is waited for. One that is slower than these allow is as good as down, so that it holds nothing up.
    pub limits: HttpLimits,
}

/// How many entries are followed at one look, unless something else is configured: 2^24.
pub const MAX_NEW_ENTRIES: u64 = 1 << 24;

impl Config {
    /// The log is looked at where the policy says that it is, until all is read; nothing is looked up, nobody is told.
    pub fn new(data: PathBuf, policy: Policy) -> Self {
        Self {
            data,
            policy,
            sources: Vec::new(),
            canaries: None,
            alerts: None,
            max_new_entries: MAX_NEW_ENTRIES,
            look_for: None,
            limits: LIMITS,
        }
    }
}

/// Why a monitor can't start or go on. What the log does wrong is never an error but a finding.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// The configuration.
    #[error("the log can't be monitored as configured: {0}")]
    Config(&'static str),
    /// An address.
    #[error("an address of the policy can't be used: {0}")]
    Address(#[from] FetchError),
    /// The URL of the webhook.
    #[error("the webhook can't be told: {0}")]
    Webhook(FetchError),
    /// The data folder is that of another log.
    #[error("{} is the folder of a monitor of another log or key; use a folder of its own for each", path.display())]
    OtherLog {
        /// The folder.
        path: PathBuf,
    },
    /// One log is to be followed twice.
    #[error("the log {0} is named twice; it is followed once, from as many sources as are given")]
    Twice(String),
    /// The newest checkpoint in the data folder does not verify.
    #[error("{}, the monitor's memory of what the log signed, is damaged ({problem}); put it back from a backup, or copy the latest of the folder `checkpoints` there. Or move the data folder away to begin anew: then nothing is known of the log's past", path.display())]
    Memory {
        /// The checkpoint's file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<MirrorError> for MonitorError {
    fn from(error: MirrorError) -> Self {
        match error {
            MirrorError::File(error) => Self::File(error),
            MirrorError::Checkpoint { path, problem } => Self::Memory { path, problem },
        }
    }
}

/// Follows a log and audits it. It holds the lock of its data folder as long as it lives.
#[derive(Debug)]
pub struct Monitor {
    pub(crate) trust: Arc<Trust>,
    pub(crate) vantages: Vec<Vantage>,
    pub(crate) witnesses: Vec<Witness>,
    pub(crate) mirror: Mirror,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) evidence: EvidenceFolder,
    pub(crate) audit: Audit,
    pub(crate) contents: Contents,
    pub(crate) ledger: Ledger,
    pub(crate) views: Views,
    pub(crate) looks: Looks,
    pub(crate) availability: Availability,
    pub(crate) offered: Offered,
    pub(crate) canary: Option<Canary>,
    pub(crate) posted: Arc<Posted>,
    pub(crate) outbox: Arc<Outbox>,
    /// Seen proofs of the tile that is read, until they are kept.
    pub(crate) unkept: BTreeMap<StatementId, TlogProof>,
    /// From which of the missing seen proofs on it asks at the next look.
    pub(crate) asked_again: usize,
    /// How many entries are followed at one look.
    pub(crate) max_new_entries: u64,
    /// For how long a look fetches.
    pub(crate) look_for: Option<Duration>,
    /// Until when this look fetches.
    pub(crate) until: Option<Instant>,
    /// The size of the newest tree, its witnessed time, and when it was seen first under that.
    pub(crate) newest_seen: Option<(TreeSize, Timestamp, Timestamp)>,
    /// How many entries are read, if not all that there are.
    pub(crate) read_until: Option<TreeSize>,
    /// Words about a copy that was found damaged, until they are noted.
    damage: Option<String>,
    data: PathBuf,
    report: Report,
    _lock: FolderLock,
}

impl Monitor {
    /// Opens the data folder, or begins one, and checks what is in it: every entry is read, and the root computed anew.
    pub fn open(config: Config) -> Result<Self, MonitorError> {
        let Config { data, policy, sources, canaries, alerts, max_new_entries, look_for, limits } = config;
        let vantages = vantages(sources, &policy, limits)?;
        let webhook = alerts.iter().find_map(|alerts| alerts.webhook.as_deref());
        webhook.map_or(Ok(()), isonomy_fetch::can_notify).map_err(MonitorError::Webhook)?;
        let witnesses = policy.witnesses().iter().map(|known| Witness::new(known.key.clone(), known.url.clone()));
        let witnesses: Vec<Witness> = witnesses.collect::<Result<_, _>>()?;
        let posted = Arc::new(Posted::new(policy.clone()).map_err(MonitorError::Config)?);
        let trust = Arc::new(Trust::new(policy).map_err(MonitorError::Config)?);
        files::create_dir_all_durable(&data)?;
        let lock = FolderLock::acquire(&data)?;
        files::remove_temporaries(&data)?;
        check_owner(&data, &trust)?;
        let checkpoints = Checkpoints::open(data.join("checkpoints"), &trust)?;
        let (mirror, damage) = Mirror::open(data.join("mirror"), &trust, checkpoints.newest_first().next())?;
        let views = Views::unasked(&vantages, &witnesses);
        let (outbox, told) = Outbox::open(data.join("alerts.json"), trust.log().name().to_owned(), alerts)?;
        let mut monitor = Self {
            checkpoints,
            evidence: EvidenceFolder::open(evidence_folder(&data), trust.policy())?,
            audit: Audit::new(trust.log()),
            contents: Contents::open(&data)?,
            ledger: Ledger::open(data.join("findings.json"))?,
            looks: Looks::open(data.join("looks.json"))?,
            availability: Availability::default(),
            offered: Offered::default(),
            canary: canaries.map(Canary::open),
            posted,
            outbox: Arc::new(outbox),
            report: Report::empty(&trust),
            trust,
            vantages,
            witnesses,
            mirror,
            views,
            unkept: BTreeMap::new(),
            asked_again: 0,
            max_new_entries,
            look_for,
            until: None,
            newest_seen: None,
            read_until: None,
            damage,
            data,
            _lock: lock,
        };
        let has_looked = !monitor.looks.all().is_empty();
        if has_looked && monitor.mirror.newest().is_none() {
            monitor.damage = Some("This monitor has looked at the log before, and its memory of what the log signed, the folders `mirror` and `checkpoints`, is gone: put them back from a backup. What the log signed before is not known any more, so a log that goes back, or shows another history, would not be noticed.".to_owned());
        }
        if told == Told::Unknown {
            monitor.ledger.tell_again();
        }
        monitor.check_proofs();
        monitor.audit_kept()?;
        monitor.make_report(system_clock());
        Ok(monitor)
    }

    /// Looks at the log from everywhere, audits what is new, and gives a report, by the system's clock.
    pub async fn poll_once(&mut self) -> Result<Report, MonitorError> {
        self.poll_at(system_clock()).await
    }

    /// The same at a time that the caller gives.
    pub async fn poll_at(&mut self, clock: Timestamp) -> Result<Report, MonitorError> {
        self.poll(clock, |_| ()).await
    }

    /// The same; `progress` is shown what is known before the content of releases is fetched, which may take long.
    pub(crate) async fn poll(
        &mut self,
        clock: Timestamp,
        mut progress: impl FnMut(&Self),
    ) -> Result<Report, MonitorError> {
        self.begin_fetching();
        self.ledger.begin(clock);
        self.check_proofs();
        if let Some(words) = self.damage.take() {
            self.ledger.note(Finding::new(Severity::Notice, "copy-damaged", "this monitor", words));
        }
        self.follow(clock).await?;
        self.keep_look(clock)?;
        self.note_standing(clock);
        self.keep_news(clock)?;
        self.make_report(clock);
        progress(self);
        self.begin_fetching();
        self.look_as_clients_do(clock).await?;
        let mut cache = Cache::default();
        self.check_content(&mut cache, clock).await?;
        self.probe_objects(clock).await;
        self.look_up_canaries(&cache).await;
        self.note_content();
        self.ledger.settle();
        self.keep_news(clock)?;
        self.make_report(clock);
        Ok(self.report.clone())
    }

    /// A part of a look begins that fetches for so long.
    fn begin_fetching(&mut self) {
        self.until = self.look_for.and_then(|look_for| Instant::now().checked_add(look_for));
    }

    /// What is new waits to be told before it counts as known.
    fn keep_news(&mut self, clock: Timestamp) -> Result<(), FileError> {
        self.outbox.add(clock, &self.ledger.untold())?;
        self.ledger.save()
    }

    /// What is new since the look before, or graver than it was then: what somebody should be told.
    pub fn news(&self) -> Vec<Finding> {
        self.ledger.news()
    }

    /// Tells whom to tell of what is new and of what could not be told before; gives what failed. It takes a minute at
    /// most.
    pub async fn tell(&self) -> Vec<AlertError> {
        self.outbox.deliver().await
    }

    /// The latest report: after opening, what was known when the monitor stopped.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The copy of the log as it is now, if every entry under the newest checkpoint is there.
    pub(crate) fn explorer(&self) -> Option<Explorer> {
        let newest = self.mirror.newest().filter(|_| self.mirror.is_complete())?.clone();
        Some(Explorer { folder: self.data.join("mirror"), newest, trust: Arc::clone(&self.trust) })
    }

    /// A release that was read before, whole: from memory if it is a recent one, else from the copy.
    pub(crate) fn release(&self, list: &ListName, logged: &LoggedRelease) -> Option<Signed<Release>> {
        if let Some(recent) = self.audit.recent().release(list, &logged.id) {
            return Some(recent.clone());
        }
        self.mirror.statement(logged.index)?.into_release().filter(|release| release.id() == logged.id)
    }

    /// An attestation that was read before, whole, from the copy.
    pub(crate) fn attestation_at(&self, logged: &LoggedAttestation) -> Option<Signed<Attestation>> {
        let attestation = self.mirror.statement(logged.index)?.into_attestation()?;
        (self.audit.history().index_of(&attestation.id()) == Some(logged.index)).then_some(attestation)
    }

    /// The algorithm of a list that has a charter.
    pub fn algorithm(&self, list: &ListName) -> Option<Algorithm> {
        let newest = self.audit.history().list(list)?.editions().newest()?;
        Some(newest.charter().matching.algorithm)
    }

    /// The folder of evidence files.
    pub(crate) fn evidence_folder(&self) -> PathBuf {
        evidence_folder(&self.data)
    }

    /// Findings are proven by the files that are there.
    fn check_proofs(&mut self) {
        let Self { ledger, evidence, .. } = self;
        ledger.check_proofs(|cited| evidence.breaches().any(|(digest, _)| digest.to_hex() == cited));
    }

    /// As of when what is known is known: the witnessed time of the newest checkpoint, but not later than when this monitor saw
    /// it first, since a date that has not come tells nothing of how old it is.
    pub(crate) fn known_as_of(&self) -> Option<Timestamp> {
        let now = self.mirror.newest()?.now()?;
        Some(self.newest_seen.map_or(now, |(_, _, seen)| now.min(seen)))
    }

    fn keep_look(&mut self, at: Timestamp) -> Result<(), FileError> {
        let Some(newest) = self.mirror.newest() else { return Ok(()) };
        let cosigned = self.views.witnesses.iter().map(|witness| witness.cosigned).collect();
        self.looks.keep(Look { at, size: newest.size(), witnessed: newest.now(), cosigned })
    }

    fn make_report(&mut self, clock: Timestamp) {
        self.report = report::make(self, clock);
    }
}

fn evidence_folder(data: &Path) -> PathBuf {
    data.join("evidence")
}

fn vantages(sources: Vec<Source>, policy: &Policy, limits: HttpLimits) -> Result<Vec<Vantage>, MonitorError> {
    let url = || policy.logs().first().and_then(|log| log.url.as_deref());
    let sources = match (sources.is_empty(), url()) {
        (false, _) => sources,
        (true, Some(url)) => vec![Source::parse(url)?],
        (true, None) => {
            return Err(MonitorError::Config("neither a source nor a URL of the log in the policy is given"));
        }
    };
    let mut vantages: Vec<Vantage> = Vec::new();
    for source in sources {
        let vantage = Vantage::new(source, limits);
        let alike = vantages.iter().filter(|known| known.is_called_as(&vantage)).count();
        vantages.push(vantage.numbered(alike));
    }
    Ok(vantages)
}

/// A folder belongs to one log.
fn check_owner(data: &Path, trust: &Trust) -> Result<(), MonitorError> {
    match files::write_once(&data.join("log"), format!("{}\n", trust.log()).as_bytes()) {
        Err(FileError::Differs { .. }) => Err(MonitorError::OtherLog { path: data.to_owned() }),
        result => Ok(result?),
    }
}

/// What this machine's clock shows.
pub(crate) fn system_clock() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
