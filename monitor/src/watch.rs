//! Any number of logs, each followed by itself: in a folder, a thread and with a memory of its own, so that one which is
//! down, slow or hostile holds up no other.

use crate::alert::{self, AlertError, Alerts};
use crate::folder;
use crate::monitor::{Config, MAX_NEW_ENTRIES, Monitor, MonitorError, system_clock};
use crate::report::Report;
use crate::vantage::LIMITS;
use futures_util::future::join_all;
use isonomy_core::policy::Policy;
use isonomy_fetch::{Source, Tokens};
use isonomy_serve::{Rate, Rates, Settings};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

/// How often one client may ask a monitor, if nothing else is configured. Whoever reads the copy of a log asks for some
/// thousand tiles.
pub const RATES: Rates =
    Rates { reads: Some(Rate { per_second: 50, burst: 2000 }), writes: Some(Rate { per_second: 1, burst: 20 }) };

/// For how long a look fetches, where looks follow each other: what others bring is compared at each.
pub(crate) const LOOK_FOR: Duration = Duration::from_secs(60);

/// How many reports of [`follow`] may wait to be taken.
const MAX_REPORTS: usize = 16;

/// What a monitor of any number of logs needs to know.
#[derive(Debug)]
pub struct Watch {
    /// The folder of all its data; made if it is missing. Each log has a folder of its own in it ([`crate::folder`]).
    pub data: PathBuf,
    /// What is followed.
    pub logs: Vec<Followed>,
    /// Whom to tell of what is new.
    pub alerts: Option<Alerts>,
    /// How long it waits from one look at a log to the next.
    pub poll_every: Duration,
    /// How its page is served, if it is.
    pub serving: Settings,
}

/// Logs with the same witnesses and the same quorum.
#[derive(Debug)]
pub struct Followed {
    /// The logs with their URLs; their witnesses, with theirs; and the quorum.
    pub policy: Policy,
    /// From where else the log is looked at than at the policy's URL: mirrors, or the same log by another way; only where
    /// the policy names one log. If it has no URL, the first of these is the log itself.
    pub sources: Vec<Source>,
    /// For lists whose contents are not for everybody: what the logs are asked with at the policy's URLs.
    pub tokens: Tokens,
    /// A folder of files that no list may match; none if nothing is to be looked up.
    pub canaries: Option<PathBuf>,
    /// How many entries are followed at one look ([`Config::max_new_entries`]).
    pub max_new_entries: u64,
}

impl Followed {
    /// The logs of this policy, looked at where it says that they are.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            sources: Vec::new(),
            tokens: Tokens::default(),
            canaries: None,
            max_new_entries: MAX_NEW_ENTRIES,
        }
    }
}

impl Watch {
    /// Follows the logs of this policy, and tells nobody.
    pub fn new(data: PathBuf, policy: Policy) -> Self {
        Self {
            data,
            logs: vec![Followed::new(policy)],
            alerts: None,
            poll_every: Duration::from_secs(60),
            serving: Settings::new(Rates::UNLIMITED),
        }
    }

    /// What each log's monitor needs to know, in their order. What an earlier version kept is moved to its place.
    fn configs(self, look_for: Option<Duration>) -> Result<Vec<Config>, MonitorError> {
        let Self { data, logs, alerts, .. } = self;
        let (mut configs, mut seen) = (Vec::new(), BTreeSet::new());
        for Followed { policy, sources, tokens, canaries, max_new_entries } in logs {
            if policy.logs().len() > 1 && !sources.is_empty() {
                return Err(MonitorError::Config(
                    "the policy names several logs, so that nobody can tell whose the further sources are; give each log a policy of its own",
                ));
            }
            for policy in policy.for_each_log() {
                let Some(log) = policy.logs().first() else { continue };
                if !seen.insert(folder::name(&log.key)) {
                    return Err(MonitorError::Twice(log.key.name().to_owned()));
                }
                let data = folder::of_log(&data, &log.key)?;
                let own = log.url.as_deref().map(Source::parse).transpose()?;
                let own = own.map(|own| own.with_tokens(&tokens));
                let sources = own.into_iter().chain(sources.iter().cloned()).collect();
                let (canaries, alerts) = (canaries.clone(), alerts.clone());
                let limits = LIMITS;
                configs.push(Config { data, policy, sources, canaries, alerts, max_new_entries, look_for, limits });
            }
        }
        if configs.is_empty() {
            return Err(MonitorError::Config("no log is named"));
        }
        Ok(configs)
    }
}

/// Why a monitor of several logs does not run, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// It can't start, or could not finish a look.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// Somebody could not be told.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// A thread has died.
    #[error("a part of the monitor has panicked; its message is before this one")]
    Panicked(#[from] JoinError),
}

/// Opens every log's folder, all at once.
pub(crate) async fn open(watch: Watch, look_for: Option<Duration>) -> Result<Vec<Monitor>, WatchError> {
    if watch.poll_every.is_zero() {
        return Err(MonitorError::Config("the time between two looks is zero").into());
    }
    let configs = watch.configs(look_for)?;
    let opening = configs.into_iter().map(|config| spawn_blocking(move || Monitor::open(config)));
    let opened = join_all(opening).await.into_iter().map(|monitor| Ok(monitor??));
    opened.collect()
}

/// How far a look has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// The log was read and judged; the content of releases was not yet.
    Read,
    /// Everything was.
    Complete,
}

/// Looks at one log again and again on a thread of its own, and tells of what is new beside that, until it is told to stop.
/// A look that is under way then is dropped: whatever it has written is whole.
pub(crate) fn keep_looking(
    mut monitor: Monitor,
    poll_every: Duration,
    stop: watch::Receiver<bool>,
    mut seen: impl FnMut(&Monitor, Stage) + Send + 'static,
) -> JoinHandle<()> {
    let (runtime, mut stopped) = (Handle::current(), stop.clone());
    let telling = tokio::spawn(alert::deliver(Arc::clone(&monitor.outbox), stop));
    let looking = async move {
        let looks = async {
            loop {
                match monitor.poll(system_clock(), |monitor| seen(monitor, Stage::Read)).await {
                    Ok(_) => seen(&monitor, Stage::Complete),
                    Err(error) => {
                        let log = &monitor.report().log.origin;
                        tracing::error!(log, %error, "a look at the log failed; it will be repeated");
                    }
                }
                tokio::time::sleep(poll_every).await;
            }
        };
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => {}
            () = looks => {}
        }
        // It ends by itself, as it was told to at the same time.
        let _ = telling.await;
    };
    // What a look does with files and lists takes its time, so it gets a thread of its own.
    spawn_blocking(move || runtime.block_on(looking))
}

/// Follows without a page, and gives every report to `told`, until `shutdown` is done.
pub async fn follow<E>(
    watch: Watch,
    shutdown: impl Future<Output = ()>,
    mut told: impl FnMut(&Report) -> Result<(), E>,
) -> Result<Result<(), E>, WatchError> {
    let poll_every = watch.poll_every;
    let monitors = open(watch, Some(LOOK_FOR)).await?;
    let (stopper, stop) = watch::channel(false);
    let (sender, mut reports) = mpsc::channel::<Report>(MAX_REPORTS);
    let followers: Vec<JoinHandle<()>> = monitors
        .into_iter()
        .map(|monitor| {
            let sender = sender.clone();
            keep_looking(monitor, poll_every, stop.clone(), move |monitor, stage| {
                // Whoever does not read reports in time misses some; the page and the next report have the same.
                if stage == Stage::Complete && sender.try_send(monitor.report().clone()).is_err() {
                    tracing::warn!("a report was dropped, since earlier ones are not taken");
                }
            })
        })
        .collect();
    drop(sender);
    let mut shutdown = std::pin::pin!(shutdown);
    let mut result = Ok(());
    while result.is_ok() {
        tokio::select! {
            () = &mut shutdown => break,
            report = reports.recv() => match report {
                Some(report) => result = told(&report),
                None => break,
            },
        }
    }
    stopper.send_replace(true);
    join_all(followers).await.into_iter().collect::<Result<Vec<()>, _>>()?;
    Ok(result)
}

/// What came of one look at each log.
#[derive(Debug)]
pub struct Looked {
    /// The reports, in the order of the logs; without those of logs at which the look failed.
    pub reports: Vec<Report>,
    /// What failed here, not at the logs: files, and telling.
    pub failures: Vec<WatchError>,
}

/// Looks once at every log, all at the same time, and tells of what is new.
pub async fn look_once(watch: Watch) -> Result<Looked, WatchError> {
    let runtime = Handle::current();
    let looks = open(watch, None).await?.into_iter().map(|mut monitor| {
        let runtime = runtime.clone();
        spawn_blocking(move || {
            runtime.block_on(async {
                let looked = monitor.poll_once().await;
                (looked, monitor.tell().await)
            })
        })
    });
    let mut all = Looked { reports: Vec::new(), failures: Vec::new() };
    for look in join_all(looks).await {
        match look {
            Ok((looked, untold)) => {
                match looked {
                    Ok(report) => all.reports.push(report),
                    Err(error) => all.failures.push(error.into()),
                }
                all.failures.extend(untold.into_iter().map(WatchError::from));
            }
            Err(error) => all.failures.push(error.into()),
        }
    }
    Ok(all)
}
