//! What waits to be told, in a file, so that nothing is lost over a restart.
//!
//! News are written here before the ledger says that they are known: at worst somebody is told twice. Each way of telling
//! has what waits for it, so that one which fails holds up no other.

use super::{AlertError, Alerts, Telling, Way};
use crate::finding::{Finding, lines_within};
use crate::set_aside::{self, Held};
use futures_util::future::join_all;
use isonomy_core::time::Timestamp;
use isonomy_store::files::{self, FileError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How many findings wait, for each way; of more, the gravest, of those forks, and then the first.
pub const MAX_WAITING: usize = 1000;
/// How many bytes they have, for each way, as JSON.
const MAX_BYTES: usize = 8 << 20;
/// The most bytes of the file.
const MAX_FILE: usize = 64 << 20;
/// How many bytes of findings are told at once: of more, one after the other.
const AT_ONCE: usize = 256 << 10;
/// How long it takes until telling is tried again, after the first failure and at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(3600));

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    made: Timestamp,
    findings: BTreeMap<Way, Vec<Finding>>,
}

/// What waits to be told about one log.
#[derive(Debug)]
pub(crate) struct Outbox {
    path: PathBuf,
    log: String,
    alerts: Option<Alerts>,
    waiting: Mutex<Waiting>,
    news: Notify,
}

/// Whether it is known what was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    Known,
    Unknown,
}

impl Outbox {
    /// What waits in this file. If it is damaged, it is set aside, and nobody knows what of it was told.
    pub(crate) fn open(path: PathBuf, log: String, alerts: Option<Alerts>) -> Result<(Self, Told), FileError> {
        let what = "the file of alerts that wait can't be read and is set aside; what stands is told again";
        let held = set_aside::read(&path, MAX_FILE, what)?;
        let told = if held == Held::SetAside { Told::Unknown } else { Told::Known };
        let mut waiting: Waiting = held.all().unwrap_or_default();
        // What waits for a way that is used no more is not told by another.
        let ways: Vec<Way> = alerts.iter().flat_map(Alerts::ways).collect();
        waiting.findings.retain(|way, _| ways.contains(way));
        Ok((Self { path, log, alerts, waiting: Mutex::new(waiting), news: Notify::new() }, told))
    }

    /// Takes what is new and grave enough.
    pub(crate) fn add(&self, made: Timestamp, news: &[Finding]) -> Result<(), FileError> {
        let Some(alerts) = &self.alerts else { return Ok(()) };
        let news: Vec<Finding> = news.iter().filter(|found| found.severity <= alerts.from).cloned().collect();
        if news.is_empty() {
            return Ok(());
        }
        self.change(|waiting| {
            waiting.made = made;
            for way in alerts.ways() {
                let findings = waiting.findings.entry(way).or_default();
                findings.extend(news.iter().cloned());
                findings.sort_by_key(|found| (found.severity, !found.is_fork()));
                findings.truncate(lines_within(findings.iter().take(MAX_WAITING), MAX_BYTES).len());
            }
        })?;
        self.news.notify_one();
        Ok(())
    }

    /// Tries to tell everything that waits, by all ways at once. What could not be told goes on waiting.
    pub(crate) async fn deliver(&self) -> Vec<AlertError> {
        let Some(alerts) = &self.alerts else { return Vec::new() };
        let tell = async |way: Way, made: Timestamp, findings: Vec<Finding>| {
            let mut rest = &findings[..];
            while !rest.is_empty() {
                let (part, after) = rest.split_at(lines_within(rest, AT_ONCE).len().max(1));
                rest = after;
                alerts.tell(way, &Telling { log: &self.log, made, findings: part }).await?;
                if let Err(error) = self.change(|waiting| waiting.forget(way, part)) {
                    tracing::error!(%error, "what was told could not be struck off; it may be told again after a restart");
                }
            }
            Ok::<(), AlertError>(())
        };
        let (made, waiting) = self.snapshot();
        let told = join_all(waiting.into_iter().map(|(way, findings)| tell(way, made, findings))).await;
        told.into_iter().filter_map(Result::err).collect()
    }

    fn snapshot(&self) -> (Timestamp, BTreeMap<Way, Vec<Finding>>) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        (waiting.made, waiting.findings.clone())
    }

    fn change(&self, change: impl FnOnce(&mut Waiting)) -> Result<(), FileError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut waiting);
        files::replace(&self.path, &serde_json::to_vec(&*waiting).unwrap_or_default())
    }
}

impl Waiting {
    /// Strikes off what was told; what came meanwhile stays.
    fn forget(&mut self, way: Way, told: &[Finding]) {
        if let Some(findings) = self.findings.get_mut(&way) {
            findings.retain(|found| !told.contains(found));
        }
        self.findings.retain(|_, findings| !findings.is_empty());
    }
}

/// Tells what comes and what waits, until it is told to stop. A failure is said on `tracing`.
pub(crate) async fn deliver(outbox: Arc<Outbox>, mut stop: watch::Receiver<bool>) {
    let telling = async {
        let mut pause = PAUSE.0;
        loop {
            let failed = outbox.deliver().await;
            for error in &failed {
                tracing::error!(log = outbox.log, %error, "an alert could not be sent; it is kept and will be repeated");
            }
            if failed.is_empty() {
                pause = PAUSE.0;
                outbox.news.notified().await;
                continue;
            }
            tokio::select! {
                () = outbox.news.notified() => {}
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE.1),
            }
        }
    };
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = telling => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;

    fn alerts(command: &str, webhook: Option<&str>) -> Alerts {
        Alerts {
            command: Some(command.into()),
            webhook: webhook.map(str::to_owned),
            mail: None,
            from: Severity::Warning,
        }
    }

    fn finding(subject: &str, severity: Severity) -> Finding {
        Finding::new(severity, "code", subject, "words")
    }

    #[tokio::test]
    async fn what_could_not_be_told_by_one_way_waits_over_a_restart_and_holds_up_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alerts.json");
        let open = |alerts| Outbox::open(path.clone(), "log.example".into(), Some(alerts)).unwrap().0;
        let outbox = open(alerts("/bin/true", Some("http://127.0.0.1:1/")));
        outbox.add(Timestamp(1), &[finding("a", Severity::Breach), finding("b", Severity::Notice)]).unwrap();
        assert!(matches!(outbox.deliver().await[..], [AlertError::Webhook(_)]));
        assert_eq!(outbox.snapshot().1.keys().collect::<Vec<_>>(), [&Way::Webhook], "the program was told");
        let outbox = open(alerts("/bin/true", Some("http://127.0.0.1:1/")));
        outbox.add(Timestamp(2), &[finding("c", Severity::Warning)]).unwrap();
        let waiting = outbox.snapshot().1;
        let subjects = |way| waiting[&way].iter().map(|found| found.subject.as_str()).collect::<Vec<_>>();
        assert_eq!((subjects(Way::Webhook), subjects(Way::Command)), (vec!["a", "c"], vec!["c"]));
        assert!(open(alerts("/bin/true", None)).deliver().await.is_empty());
        assert!(open(alerts("/bin/true", None)).snapshot().1.is_empty());
    }

    /// A receiver that takes no more than so much at once can be told all the same.
    #[cfg(unix)]
    #[tokio::test]
    async fn much_is_told_in_parts() {
        let dir = tempfile::tempdir().unwrap();
        let (program, told) = (dir.path().join("tell"), dir.path().join("told"));
        std::fs::write(&program, format!("#!/bin/sh\nwc -c >> '{}'\n", told.display())).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let alerts = alerts(program.to_str().unwrap(), None);
        let outbox = Outbox::open(dir.path().join("alerts.json"), "log.example".into(), Some(alerts)).unwrap().0;
        let words = "ä".repeat(4000);
        let many = (0..MAX_WAITING).map(|at| Finding::new(Severity::Breach, "code", format!("{at}{words}"), &words));
        outbox.add(Timestamp(1), &many.collect::<Vec<_>>()).unwrap();
        let waiting = std::fs::metadata(dir.path().join("alerts.json")).unwrap().len() as usize;
        assert!((MAX_BYTES - (20 << 10)..MAX_BYTES + 1024).contains(&waiting), "{waiting}");
        assert!(outbox.deliver().await.is_empty() && outbox.snapshot().1.is_empty());
        let told = std::fs::read_to_string(told).unwrap();
        let sizes: Vec<usize> = told.lines().map(|line| line.trim().parse().unwrap()).collect();
        assert!(sizes.len() > 30 && sizes.iter().all(|size| *size < AT_ONCE + 1024), "{sizes:?}");
        assert!(sizes.iter().sum::<usize>() >= waiting - 1024);
    }

    #[test]
    fn there_is_room_for_the_gravest_and_a_damaged_file_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alerts.json");
        std::fs::write(&path, b"{").unwrap();
        let (outbox, told) = Outbox::open(path.clone(), "log.example".into(), Some(alerts("/bin/true", None))).unwrap();
        assert!(told == Told::Unknown && dir.path().join("alerts.json.damaged-1").exists());
        let many: Vec<Finding> = (0..MAX_WAITING).map(|at| finding(&at.to_string(), Severity::Warning)).collect();
        outbox.add(Timestamp(1), &many).unwrap();
        outbox.add(Timestamp(2), &[finding("grave", Severity::Breach)]).unwrap();
        let waiting = outbox.snapshot().1.remove(&Way::Command).unwrap();
        assert_eq!((waiting.len(), waiting[0].subject.as_str()), (MAX_WAITING, "grave"));
        let graver: Vec<Finding> = (0..MAX_WAITING).map(|at| finding(&at.to_string(), Severity::Breach)).collect();
        outbox.add(Timestamp(3), &graver).unwrap();
        outbox.add(Timestamp(4), &[Finding::new(Severity::Breach, "fork", "here", "words")]).unwrap();
        let waiting = outbox.snapshot().1.remove(&Way::Command).unwrap();
        assert_eq!((waiting.len(), waiting[0].code.as_str()), (MAX_WAITING, "fork"));
    }
}
