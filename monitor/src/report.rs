//! What a monitor tells: everything that is on the page, as data.

mod attestations;
mod charter;
mod lists;
pub(crate) mod record;
mod releases;

pub use crate::audit::{LeftOut, LeftOutRemovals};
pub use crate::availability::Probe;
pub use crate::content::ContentState;
pub use crate::explorer::{EntryReport, Line, StatementReport};
pub use crate::looks::Look;
pub use attestations::{AttestationReport, ComplaintReport, ComplaintState};
pub(crate) use attestations::{Removal, Stated, complaints, impossible};
pub use charter::{ChangeReport, CharterReport, EditionReport, Limits, NamedKey, Organisation};
pub use lists::{ComplaintCounts, EndorsementReport, ListReport, Removals};
pub use record::RecordField;
pub(crate) use releases::is_visible;
pub use releases::{ReleaseReport, ReleaseState};

use crate::finding::{Finding, Severity};
use crate::folder;
use crate::freshness;
use crate::monitor::Monitor;
use crate::trust::{Trust, View};
use crate::units;
use crate::vantage::{Lack, Vantage, Witness};
use isonomy_core::encoding::to_hex;
use isonomy_core::rules::MAX_CLOCK_AHEAD;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use serde::Serialize;
use std::collections::BTreeSet;

/// The form of the report.
pub const FORMAT: &str = "isonomy/monitor-report/v1";

/// Everything that a monitor knows of a log. Hashes are in hexadecimal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// Always [`FORMAT`].
    pub report: &'static str,
    /// When it was made, by the monitor's clock.
    pub made: Timestamp,
    /// How many findings stand.
    pub summary: Summary,
    /// The log.
    pub log: LogReport,
    /// What each vantage point showed; the first is the log itself.
    pub sources: Vec<SourceReport>,
    /// What each witness showed.
    pub witnesses: Vec<WitnessReport>,
    /// The lists, by name.
    pub lists: Vec<ListReport>,
    /// What was found: what stands first, then the gravest, then the latest.
    pub findings: Vec<Finding>,
    /// How many more findings there are than there is room for.
    pub findings_omitted: usize,
}

/// How many findings stand, by severity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Summary {
    /// Breaches.
    pub breaches: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notices.
    pub notices: usize,
}

/// The log, as far as this monitor has accepted what it shows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LogReport {
    /// Its name.
    pub origin: String,
    /// Its public key.
    pub key: String,
    /// The short id of that, in hexadecimal.
    pub key_id: String,
    /// The name of its folder, under `logs` in the data folder, and of its pages.
    pub folder: String,
    /// The size of the newest tree.
    pub size: TreeSize,
    /// How many of its entries were read and judged.
    pub read: u64,
    /// Its root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The newest time that a quorum of witnesses vouches for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witnessed: Option<Timestamp>,
    /// As of when what is known is known: `witnessed`, but not later than when this monitor saw that checkpoint first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_as_of: Option<Timestamp>,
    /// Which witnesses of the policy have cosigned the newest checkpoint.
    pub cosigned: Vec<CosignerReport>,
    /// How many witnesses would have to help the log to show two histories.
    pub witnesses_to_split: usize,
    /// From which age in seconds the newest checkpoint is too old: half of the shortest visibility.
    pub too_old_after: u64,
    /// The log and its witnesses, and the quorum, as this monitor was told them (C2SP tlog-policy).
    pub policy: String,
    /// Checkpoints that were kept, the newest first.
    pub checkpoints: Vec<CheckpointReport>,
    /// What was seen at each look, the oldest first; thinned out evenly where there are many.
    pub looks: Vec<Look>,
}

/// A witness whose cosignature stands on a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CosignerReport {
    /// The name of its key.
    pub witness: String,
    /// When it says that it cosigned.
    pub at: Timestamp,
}

fn cosigners(monitor: &Monitor, newest: &View) -> Vec<CosignerReport> {
    let cosigner = |(place, at): &(usize, Timestamp)| {
        let witness = monitor.witnesses.get(*place)?.key.name().to_owned();
        Some(CosignerReport { witness, at: *at })
    };
    newest.cosigned().iter().filter_map(cosigner).collect()
}

/// A cosigned checkpoint that was kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CheckpointReport {
    /// The size of its tree.
    pub size: TreeSize,
    /// Its root.
    pub root: String,
    /// The latest witnessed time with which it was seen.
    pub witnessed: Timestamp,
}

/// How many checkpoints are in a report.
const MAX_CHECKPOINTS: usize = 100;

fn checkpoints(monitor: &Monitor) -> Vec<CheckpointReport> {
    let report =
        |view: &View| Some(CheckpointReport { size: view.size(), root: view.root().to_hex(), witnessed: view.now()? });
    monitor.checkpoints.newest_first().filter_map(report).take(MAX_CHECKPOINTS).collect()
}

/// How a view stands to the newest tree that the monitor accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewState {
    /// The same tree.
    Same,
    /// An earlier state of it.
    Behind,
    /// A later state of it.
    Ahead,
    /// Another history: proof of a fork.
    Contradicts,
    /// Hashes that would tell could not be had.
    Unclear,
    /// Not a checkpoint of this log.
    Unusable,
    /// Nothing was had.
    Unreachable,
    /// It was not asked: its address is not known, or there was no look yet.
    NotAsked,
}

impl Report {
    /// How old what is known of the log is, in seconds.
    pub(crate) fn age(&self) -> Option<u64> {
        self.log.known_as_of.map(|time| self.made.since(time))
    }

    /// The same in words. A date that has not come says nothing of it.
    pub(crate) fn age_words(&self) -> Option<String> {
        let (age, ahead) = (units::duration(self.age()?), self.log.witnessed?.since(self.made));
        Some(match ahead > MAX_CLOCK_AHEAD {
            true => format!(
                "seen first {age} before this look, and dated {} ahead of this monitor’s clock",
                units::duration(ahead)
            ),
            false => format!("{age} before this look"),
        })
    }
}

impl ViewState {
    fn of(lack: &Lack) -> Self {
        match lack {
            Lack::Unavailable(_) | Lack::PutOff(_) => Self::Unreachable,
            Lack::Wrong(_) => Self::Unusable,
        }
    }
}

/// What a vantage point showed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SourceReport {
    /// Its address.
    pub name: String,
    /// How its view stands to the newest.
    pub state: ViewState,
    /// The size that it showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<TreeSize>,
    /// The root that it showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The time that a quorum vouches for on what it showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witnessed: Option<Timestamp>,
    /// What is to be said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

impl SourceReport {
    fn bare(name: String, state: ViewState) -> Self {
        Self { name, state, size: None, root: None, witnessed: None, words: None }
    }

    pub(crate) fn new(name: String, state: ViewState, view: &View, words: Option<String>) -> Self {
        Self {
            size: Some(view.size()),
            root: Some(view.root().to_hex()),
            witnessed: view.now(),
            words,
            ..Self::bare(name, state)
        }
    }

    pub(crate) fn lacking(name: String, lack: &Lack) -> Self {
        Self { words: Some(lack.words().to_owned()), ..Self::bare(name, ViewState::of(lack)) }
    }
}

/// What a witness showed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WitnessReport {
    /// The name of its key.
    pub name: String,
    /// The key's short id, in hexadecimal.
    pub key_id: String,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How its view stands to the newest.
    pub state: ViewState,
    /// The size that it showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<TreeSize>,
    /// The root that it showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// When it cosigned that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cosigned: Option<Timestamp>,
    /// What is to be said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

impl WitnessReport {
    /// The same witness, of whose view nothing is known.
    pub(crate) fn unasked(self) -> Self {
        Self { state: ViewState::NotAsked, size: None, root: None, cosigned: None, words: None, ..self }
    }

    pub(crate) fn seen(self, state: ViewState, view: &View, time: Timestamp, words: Option<String>) -> Self {
        let root = Some(view.root().to_hex());
        Self { state, size: Some(view.size()), root, cosigned: Some(time), words, ..self }
    }

    pub(crate) fn lacking(self, lack: &Lack) -> Self {
        Self { state: ViewState::of(lack), words: Some(lack.words().to_owned()), ..self }
    }
}

/// What was shown at the last look.
#[derive(Clone, Debug)]
pub(crate) struct Views {
    pub(crate) sources: Vec<SourceReport>,
    pub(crate) witnesses: Vec<WitnessReport>,
}

impl Views {
    /// Before the first look.
    pub(crate) fn unasked(vantages: &[Vantage], witnesses: &[Witness]) -> Self {
        let source = |vantage: &Vantage| SourceReport::bare(vantage.label().to_owned(), ViewState::NotAsked);
        let witness = |witness: &Witness| WitnessReport {
            name: witness.key.name().to_owned(),
            key_id: to_hex(&witness.key.id().0),
            url: witness.url.clone(),
            state: ViewState::NotAsked,
            size: None,
            root: None,
            cosigned: None,
            words: None,
        };
        Self { sources: vantages.iter().map(source).collect(), witnesses: witnesses.iter().map(witness).collect() }
    }
}

impl Report {
    /// The lists of the log that have a release: it can make any number of others, which count as one where room is shared.
    pub(crate) fn list_names(&self) -> BTreeSet<&str> {
        self.lists.iter().filter(|list| list.releases_total > 0).map(|list| list.name.as_str()).collect()
    }

    /// Nothing known yet.
    pub(crate) fn empty(trust: &Trust) -> Self {
        Self {
            report: FORMAT,
            made: Timestamp::default(),
            summary: Summary::default(),
            log: LogReport {
                origin: trust.log().name().to_owned(),
                key: trust.log().to_string(),
                key_id: to_hex(&trust.log().id().0),
                folder: folder::name(trust.log()),
                size: TreeSize(0),
                read: 0,
                root: None,
                witnessed: None,
                known_as_of: None,
                cosigned: Vec::new(),
                witnesses_to_split: trust.policy().weak_split(),
                too_old_after: 0,
                policy: String::from_utf8_lossy(&trust.policy().to_text()).into_owned(),
                checkpoints: Vec::new(),
                looks: Vec::new(),
            },
            sources: Vec::new(),
            witnesses: Vec::new(),
            lists: Vec::new(),
            findings: Vec::new(),
            findings_omitted: 0,
        }
    }
}

/// The report of what a monitor knows at `clock`.
pub(crate) fn make(monitor: &Monitor, clock: Timestamp) -> Report {
    let empty = Report::empty(&monitor.trust);
    let newest = monitor.mirror.newest();
    let findings = monitor.ledger.findings();
    let standing = |severity| findings.iter().filter(|found| found.standing && found.severity == severity).count();
    Report {
        made: clock,
        summary: Summary {
            breaches: standing(Severity::Breach),
            warnings: standing(Severity::Warning),
            notices: standing(Severity::Notice),
        },
        log: LogReport {
            size: newest.map(View::size).unwrap_or_default(),
            read: monitor.audit.next().0,
            root: newest.map(|newest| newest.root().to_hex()),
            witnessed: newest.and_then(View::now),
            known_as_of: monitor.known_as_of(),
            cosigned: newest.map(|newest| cosigners(monitor, newest)).unwrap_or_default(),
            too_old_after: freshness::allowance(monitor.audit.history(), clock),
            checkpoints: checkpoints(monitor),
            looks: monitor.looks.all().to_vec(),
            ..empty.log
        },
        sources: monitor.views.sources.clone(),
        witnesses: monitor.views.witnesses.clone(),
        lists: lists::all(monitor, clock),
        findings_omitted: monitor.ledger.omitted() + monitor.audit.omitted(),
        findings,
        ..empty
    }
}
