//! A list measured against what its charter claims: one report, as data and as a page that is a file by itself.
//!
//! Everything in it comes from the log, the objects that it names, and a folder of pictures that must not match; nothing
//! from this machine's clock or paths. So whoever has the same gets the same report, byte for byte. It is made as of the
//! time since when the newest statement about the list is public.

mod corpus;
mod crowds;
mod edits;
mod history;
mod interval;
mod questions;
mod render;

pub use corpus::{AtDistance, CorpusReport, FalsePositives};
pub use crowds::{Additions, Crowd, Crowds, Grown};
pub use edits::Edited;
pub use history::{Endorsements, Growth, Missed, Removals};
pub use interval::Share;
pub use questions::Question;

use crate::finding::Severity;
use crate::kept::ListHistory;
use crate::monitor::{Config, Monitor, MonitorError, system_clock};
use crate::report::CharterReport;
pub(crate) use corpus::Corpus;
pub(crate) use history::{content, stored};
use isonomy_core::charter::Charter;
use isonomy_core::hash::RootHash;
use isonomy_core::list::Algorithm;
use isonomy_core::policy::Policy;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use isonomy_fetch::Source;
use isonomy_matcher::lookup::LookupError;
use serde::Serialize;
use std::path::PathBuf;

/// The form of the report.
pub const FORMAT: &str = "isonomy/assessment/v1";

/// What is to be assessed, and against what.
#[derive(Debug)]
pub struct Inputs {
    /// The log, its witnesses and the quorum.
    pub policy: Policy,
    /// Where the log is read; the policy's URL if there is none.
    pub sources: Vec<Source>,
    /// The list.
    pub list: ListName,
    /// How many entries of the log are read; all that there are if it isn't said. With the size of an earlier report, the
    /// same report is made again after the log has grown.
    pub size: Option<TreeSize>,
    /// The folder of files that must not match.
    pub corpus: PathBuf,
    /// A folder for a copy of the log, which may be thrown away afterwards.
    pub scratch: PathBuf,
}

/// Something that a reader of the charter will ask about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Weakness {
    /// The field.
    pub field: String,
    /// What is missing or weak, in words.
    pub words: String,
}

/// Why a list can't be assessed.
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// The log can't be followed.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// Nothing in the log could be read.
    #[error("nothing could be read from the log: {0}")]
    Log(String),
    /// There is no such list.
    #[error("the log has no list {list}; it has {known}")]
    NoList {
        /// The list that was asked for.
        list: ListName,
        /// Those that there are, in words.
        known: String,
    },
    /// There is nothing to measure.
    #[error("the list has no release yet")]
    Empty,
    /// A release's content is not to be had, though the log has to keep it.
    #[error("the content of version {version}, which the log has to keep, can't be had: {words}")]
    Gone {
        /// The release's version.
        version: u64,
        /// What each source said.
        words: String,
    },
    /// An entry of another size than the list's.
    #[error("an entry of a list of {algorithm} has {expected} bytes; this one has {found}")]
    EntrySize {
        /// The list's algorithm.
        algorithm: Algorithm,
        /// How many bytes its entries have.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// There is nothing in the folder.
    #[error("{} has no file in it, so nothing can be looked up", path.display())]
    NoFiles {
        /// The folder.
        path: PathBuf,
    },
    /// A release's content is not what was signed.
    #[error("the content of version {version} can't be measured: {words}")]
    Content {
        /// The release's version.
        version: u64,
        /// What is wrong.
        words: String,
    },
    /// The folder.
    #[error("{} can't be read: {error}", path.display())]
    Corpus {
        /// What of it.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Entries that are no hashes of the charter's algorithm.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The folder is too large.
    #[error("the folder has more than {most} files; take a sample of it")]
    TooManyFiles {
        /// How many are looked at.
        most: usize,
    },
}

/// The report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Assessment {
    /// Always [`FORMAT`].
    pub assessment: &'static str,
    /// The list.
    pub list: String,
    /// The name of the log.
    pub log: String,
    /// The size of the tree that was read.
    pub log_size: u64,
    /// Its root, in base64: with it everybody can tell whether they have read the same.
    pub log_root: String,
    /// Since when the newest statement about the list is public; what is later is not in the report.
    pub as_of: Timestamp,
    /// The charter in force then.
    pub charter: CharterReport,
    /// What a reader of the charter will ask about.
    pub weaknesses: Vec<Weakness>,
    /// Breaches of the rules about this list, in words.
    pub breaches: Vec<String>,
    /// The folder of files that must not match.
    pub corpus: CorpusReport,
    /// How many of them match.
    pub false_positives: FalsePositives,
    /// What the list finds again after an edit; empty for exact algorithms, which find nothing that was changed.
    pub recall: Vec<Edited>,
    /// Entries that lie near each other; absent for exact algorithms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crowds: Option<Crowds>,
    /// Every release.
    pub growth: Vec<Growth>,
    /// What each curator has endorsed.
    pub curators: Vec<Endorsements>,
    /// How long what was removed had been public.
    pub removals: Removals,
    /// What came too late.
    pub missed: Vec<Missed>,
    /// The questions of a proportionality assessment, what the design and these figures answer, and what they can't.
    pub questions: Vec<Question>,
}

/// Reads the whole log, checks it by the rules, and measures one list of it. `lint` says what is weak in a charter.
pub async fn assess(inputs: Inputs, lint: impl Fn(&Charter) -> Vec<Weakness>) -> Result<Assessment, AssessError> {
    let Inputs { policy, sources, list, size, corpus, scratch } = inputs;
    let config = Config { sources, ..Config::new(scratch, policy) };
    let (monitor, root) = read_log(config, size, system_clock()).await?;
    let logged = find_list(&monitor, &list)?;
    Work { monitor: &monitor, root, name: &list, list: logged }.assess(corpus, lint).await
}

/// A monitor that has read the log up to this size, or all of it; with the root of what it has read.
pub(crate) async fn read_log(
    config: Config,
    size: Option<TreeSize>,
    clock: Timestamp,
) -> Result<(Monitor, RootHash), AssessError> {
    let mut monitor = Monitor::open(config)?;
    monitor.read_until = size;
    monitor.follow(clock).await?;
    let newest = monitor.mirror.size();
    let wanted = size.unwrap_or(newest);
    let read = monitor.audit.next().0;
    if newest.0 == 0 || read != wanted.0 {
        return Err(AssessError::Log(match newest.0 {
            0 => monitor.ledger.findings().into_iter().map(|found| found.words).collect::<Vec<_>>().join("; "),
            _ if wanted > newest => format!("it has {newest} entries, and {wanted} are asked for"),
            _ => format!("{read} of {wanted} entries could be read"),
        }));
    }
    let root = monitor.mirror.root_at(wanted).map_err(AssessError::Log)?;
    Ok((monitor, root))
}

/// What the log says of a list that has a charter.
pub(crate) fn find_list<'m>(monitor: &'m Monitor, list: &ListName) -> Result<&'m ListHistory, AssessError> {
    let history = monitor.audit.history();
    let chartered = |logged: &&ListHistory| logged.editions().newest().is_some();
    history.list(list).filter(chartered).ok_or_else(|| {
        let known: Vec<String> = history.lists().map(|(name, _)| name.to_string()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        AssessError::NoList { list: list.clone(), known }
    })
}

/// What the report is made of.
struct Work<'m> {
    monitor: &'m Monitor,
    root: RootHash,
    name: &'m ListName,
    list: &'m ListHistory,
}

impl Work<'_> {
    async fn assess(
        &self,
        corpus: PathBuf,
        lint: impl Fn(&Charter) -> Vec<Weakness>,
    ) -> Result<Assessment, AssessError> {
        let as_of = self.as_of();
        let edition = self.list.editions().in_force_at(as_of).or(self.list.editions().newest());
        let charter = edition.ok_or(AssessError::Empty)?.charter();
        if self.list.releases().is_empty() {
            return Err(AssessError::Empty);
        }
        let matching = &charter.matching;
        let measured = history::measure(self.monitor, (self.name, self.list), matching.algorithm).await?;
        let corpus = Corpus::read(&corpus, matching.algorithm, matching.min_quality, edits::SAMPLE)?;
        let mut assessment = Assessment {
            assessment: FORMAT,
            list: self.name.to_string(),
            log: self.monitor.trust.log().name().to_owned(),
            log_size: self.monitor.audit.next().0,
            log_root: self.root.to_base64(),
            as_of,
            charter: CharterReport::new(charter),
            weaknesses: lint(charter),
            breaches: self.breaches(),
            false_positives: corpus.against(&measured.newest, matching.algorithm, matching.max_distance)?,
            crowds: crowds::find(&measured.newest, &measured.since, matching.algorithm, matching.max_distance)?,
            recall: edits::recall(&corpus, matching.max_distance),
            corpus: corpus.report,
            curators: measured.endorsements,
            missed: history::missed(self.monitor, (self.name, self.list), as_of)?,
            growth: measured.growth,
            removals: measured.removals,
            questions: Vec::new(),
        };
        assessment.questions = questions::all(&assessment);
        Ok(assessment)
    }

    /// The latest time since when a statement about the list is public.
    fn as_of(&self) -> Timestamp {
        let editions = self.list.editions().all().iter().map(|edition| edition.public_since());
        editions.chain(self.list.releases().iter().map(|logged| logged.public_since)).max().unwrap_or_default()
    }

    /// What breaks a rule, as far as the entries of the log show it: not what was merely seen at some time.
    fn breaches(&self) -> Vec<String> {
        let findings = self.monitor.audit.findings().iter();
        let about =
            findings.filter(|found| found.list.as_ref() == Some(self.name) && found.severity == Severity::Breach);
        let omitted = self.monitor.audit.omitted().iter().filter(|(_, count)| **count > 0);
        let omitted: Vec<String> = omitted.map(|(severity, count)| format!("{severity}: {count}")).collect();
        let unsaid = (!omitted.is_empty()).then(|| {
            format!(
                "There were more findings in this log than are remembered ({}), so what is said here of breaches may not be all.",
                omitted.join(", ")
            )
        });
        about.map(|found| found.words.clone()).chain(unsaid).collect()
    }
}

impl Assessment {
    /// The report as data, a JSON document.
    pub fn to_json(&self) -> String {
        // It holds strings, numbers and lists alone, so that encoding can't fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The report as a page that is a file by itself.
    pub fn to_html(&self) -> String {
        render::page(self).into_string()
    }
}
