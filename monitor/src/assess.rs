//! A list measured against what its charter claims: one report, as data and as a page that is a file by itself.
//!
//! Everything in it comes from the log, its seen proofs, the objects that it names, and a folder of pictures that must not match;
//! nothing from this machine's clock or paths. So whoever has the same gets the same report, byte for byte. It is made as of a time
//! that witnesses vouch for: that of the newest checkpoint, or the one that is asked for.
//!
//! A log can show a later seen proof than the first, and others at another time: by that, something seems to be public later than it
//! was. The report holds a digest of what the proofs said, so that whoever has another report of the same log can tell why; and
//! what they alone make late is called in doubt.

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
pub use history::{Complaints, Endorsements, Growth, InDoubt, Missed, Removals};
pub use interval::Share;
pub use questions::Question;

use crate::finding::{Finding, Severity};
use crate::kept::ListHistory;
use crate::monitor::{Config, Monitor, MonitorError, system_clock};
use crate::report::CharterReport;
pub(crate) use corpus::Corpus;
pub(crate) use history::{content, stored};
use isonomy_core::charter::Charter;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::{RootHash, sha256};
use isonomy_core::list::Algorithm;
use isonomy_core::policy::Policy;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_fetch::Source;
use isonomy_matcher::lookup::LookupError;
use serde::Serialize;
use std::collections::BTreeSet;
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
    /// As of when; the witnessed time of what is read if it isn't said.
    pub as_of: Option<Timestamp>,
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
    /// A time at which the log was another, or that has not come.
    #[error(
        "as of {as_of} the log had not these {size} entries: by the seen proofs that are shown, it had them from {from} on, and witnesses vouch for them until {until}"
    )]
    AsOf {
        /// The time that was asked for.
        as_of: Timestamp,
        /// How many entries are read.
        size: TreeSize,
        /// Since when it had as many.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// There is nothing to measure.
    #[error("the list has no release yet")]
    Empty,
    /// A release's content is not to be had, though the log has to keep it.
    #[error(
        "the content of version {version}, which the log has to keep, can't be had from any source that is named ({words}); a monitor's copy of a log holds none"
    )]
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
    /// None of the files can be looked up.
    #[error("none of the {files} files in {} can be looked up in this list: {below_quality} are of too little quality, the others are no pictures that can be decoded; so nothing can be measured with them", path.display())]
    NothingToLookUp {
        /// The folder.
        path: PathBuf,
        /// How many files are in it.
        files: u64,
        /// How many of them are of too little quality.
        below_quality: u64,
    },
    /// There is nothing in the folder.
    #[error("{} has no file in it, so nothing can be looked up{}", path.display(), if *links > 0 { "; links, such as it holds, are not followed" } else { "" })]
    NoFiles {
        /// The folder.
        path: PathBuf,
        /// How many links are in it.
        links: u64,
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

/// Findings that there was no room for: a log can make any number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Omitted {
    /// How many are about this list: what is said of breaches and of what can't be judged may not be all.
    pub about_list: u64,
    /// How many are not.
    pub elsewhere: u64,
}

/// What the seen proofs say on which a report rests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Proofs {
    /// How many statements about the list the log has, with those that were refused.
    pub statements: u64,
    /// Of how many of them nobody shows a seen proof.
    pub unproven: u64,
    /// The SHA-256, in hexadecimal, of these lines, each with a line feed: for each statement in the order of the log, its place, a space,
    /// and since when it is public by the proofs that are shown; `content`, a space and the version, for each whose content was read;
    /// `evidence` and what a file proves, whatever checkpoints it rests on, for each file by which a breach of this list is proven, in
    /// ascending order: a space, a word for the kind, the ids in hexadecimal of the statements that it is about, `by`, and the keys of whoever
    /// answers for it, each after a space. Two reports with other digests rest on other proofs or contents.
    pub digest: String,
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
    /// As of when: a time that a quorum of witnesses vouches for. What is later is not in the report.
    pub as_of: Timestamp,
    /// The charter in force then.
    pub charter: CharterReport,
    /// What a reader of the charter will ask about.
    pub weaknesses: Vec<Weakness>,
    /// Breaches of the rules about this list, in words.
    pub breaches: Vec<String>,
    /// Of which entries about this list it can't be told whether they keep the rules, in words: for want of seen proofs, or by
    /// clocks.
    pub not_judged: Vec<String>,
    /// What was found beside that, and not remembered.
    pub omitted: Omitted,
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
    /// How many deadlines have come: for a next release before one expires.
    pub deadlines: u64,
    /// What came too late, whichever proofs a log shows.
    pub missed: Vec<Missed>,
    /// What may have come too late or in time.
    pub in_doubt: Vec<InDoubt>,
    /// What followed on complaints.
    pub complaints: Complaints,
    /// The seen proofs by which all times here are.
    pub proofs: Proofs,
    /// The questions of a proportionality assessment, what the design and these figures answer, and what they can't.
    pub questions: Vec<Question>,
}

impl Assessment {
    /// Whether the list finds also what is alike.
    fn is_perceptual(&self) -> bool {
        self.charter.algorithm.parse().is_ok_and(Algorithm::is_perceptual)
    }
}

/// Reads the whole log, checks it by the rules, and measures one list of it. `lint` says what is weak in a charter.
pub async fn assess(
    inputs: Inputs,
    lint: impl Fn(&Charter, Timestamp) -> Vec<Weakness>,
) -> Result<Assessment, AssessError> {
    let Inputs { policy, sources, list, size, as_of, corpus, scratch } = inputs;
    let config = Config { sources, ..Config::new(scratch, policy) };
    let mut monitor = read_log(config, system_clock()).await?;
    let (size, as_of) = as_it_was(&mut monitor, size, as_of)?;
    let root = monitor.mirror.root_at(size).map_err(AssessError::Log)?;
    let logged = find_list(&monitor, &list)?;
    Work { monitor: &monitor, root, as_of, name: &list, list: logged }.assess(corpus, lint).await
}

/// A monitor that has read all of the log.
pub(crate) async fn read_log(config: Config, clock: Timestamp) -> Result<Monitor, AssessError> {
    let mut monitor = Monitor::open(config)?;
    // Without the time of the look, every checkpoint would count as dated ahead of it, and none be kept as proof.
    monitor.ledger.begin(clock);
    monitor.follow(clock).await?;
    let (size, read) = (monitor.mirror.size(), monitor.audit.next().0);
    if size.0 == 0 || read != size.0 {
        return Err(AssessError::Log(match size.0 {
            0 => monitor.ledger.findings().into_iter().map(|found| found.words).collect::<Vec<_>>().join("; "),
            _ => format!("{read} of {size} entries could be read"),
        }));
    }
    Ok(monitor)
}

/// Takes a monitor that has read all of the log back to when it had this size, as of this time; gives both. Of what has not
/// come by then, nothing is late: so a time is refused at which there were more entries already, or that nobody vouches for.
fn as_it_was(
    monitor: &mut Monitor,
    size: Option<TreeSize>,
    as_of: Option<Timestamp>,
) -> Result<(TreeSize, Timestamp), AssessError> {
    let all = monitor.mirror.size();
    let size = size.unwrap_or_else(|| as_of.map_or(all, |time| monitor.audit.size_at(time).min(all)));
    if size.0 == 0 || size > all {
        return Err(AssessError::Log(format!("it has {all} entries, and {size} are asked for")));
    }
    let last = monitor.audit.public_since(LeafIndex(size.0 - 1));
    let latest = match size == all {
        true => monitor.known_as_of().unwrap_or_default().max(last),
        false => monitor.audit.public_since(LeafIndex(size.0)),
    };
    let as_of = as_of.unwrap_or(if size == all { latest } else { last });
    if as_of < last || as_of > latest {
        return Err(AssessError::AsOf { as_of, size, from: last, until: latest });
    }
    if size < all {
        monitor.read_until = Some(size);
        monitor.audit_anew()?;
        let read = monitor.audit.next().0;
        if read != size.0 {
            return Err(AssessError::Log(format!("{read} of {size} entries could be read")));
        }
    }
    Ok((size, as_of))
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
    as_of: Timestamp,
    name: &'m ListName,
    list: &'m ListHistory,
}

impl Work<'_> {
    async fn assess(
        &self,
        corpus: PathBuf,
        lint: impl Fn(&Charter, Timestamp) -> Vec<Weakness>,
    ) -> Result<Assessment, AssessError> {
        let as_of = self.as_of;
        let edition = self.list.editions().in_force_at(as_of).or(self.list.editions().newest());
        let charter = edition.ok_or(AssessError::Empty)?.charter();
        if self.list.releases().is_empty() {
            return Err(AssessError::Empty);
        }
        let matching = &charter.matching;
        let measured = history::measure(self.monitor, (self.name, self.list), matching.algorithm).await?;
        let deadlines = history::deadlines(self.monitor, (self.name, self.list), as_of)?;
        let corpus = Corpus::read(&corpus, matching.algorithm, matching.min_quality, edits::SAMPLE)?;
        let mut assessment = Assessment {
            assessment: FORMAT,
            list: self.name.to_string(),
            log: self.monitor.trust.log().name().to_owned(),
            log_size: self.monitor.audit.next().0,
            log_root: self.root.to_base64(),
            as_of,
            charter: CharterReport::new(charter),
            weaknesses: lint(charter, as_of),
            breaches: self.breaches(),
            not_judged: self.not_judged(),
            omitted: self.omitted(),
            false_positives: corpus.against(&measured.newest, matching.algorithm, matching.max_distance)?,
            crowds: crowds::find(&measured.newest, &measured.since, matching.algorithm, matching.max_distance)?,
            recall: edits::recall(&corpus, matching.max_distance),
            corpus: corpus.report,
            curators: measured.endorsements,
            deadlines: deadlines.come,
            missed: deadlines.missed,
            in_doubt: deadlines.in_doubt,
            complaints: deadlines.complaints,
            proofs: self.proofs(&measured.growth),
            growth: measured.growth,
            removals: measured.removals,
            questions: Vec::new(),
        };
        assessment.questions = questions::all(&assessment);
        Ok(assessment)
    }

    /// What the seen proofs say of every statement of which the report says anything.
    fn proofs(&self, growth: &[Growth]) -> Proofs {
        let (audit, list) = (&self.monitor.audit, self.list);
        let editions = list.editions().all().iter().map(|edition| edition.index());
        let releases = list.releases().iter().map(|logged| logged.index);
        let attestations = list.attestations().iter().map(|logged| logged.index);
        let found = audit.findings().iter().filter(|found| found.list.as_ref() == Some(self.name));
        let evidence: BTreeSet<&str> = found
            .clone()
            .filter_map(|found| Some(self.monitor.evidence.proven(found.evidence.as_deref()?)?.line.as_str()))
            .collect();
        let found = found.filter_map(|found| found.index);
        let all: BTreeSet<LeafIndex> = editions.chain(releases).chain(attestations).chain(found).collect();
        let times = all.iter().map(|index| format!("{index} {}\n", audit.public_since(*index)));
        let read = growth.iter().filter(|one| !one.unread).map(|one| format!("content {}\n", one.version));
        let evidence = evidence.iter().map(|line| format!("evidence {line}\n"));
        let lines: Vec<String> = times.chain(read).chain(evidence).collect();
        Proofs {
            statements: all.len() as u64,
            unproven: self.monitor.unproven().intersection(&all).count() as u64,
            digest: to_hex(&sha256(&[lines.concat().as_bytes()])),
        }
    }

    /// Of what it can't be told whether it breaks a rule.
    fn not_judged(&self) -> Vec<String> {
        let (findings, undecided) = (self.monitor.audit.findings(), self.monitor.audit.undecided(self.name));
        let is_undecided = |found: &&Finding| {
            let is_about = found.list.as_ref() == Some(self.name) && found.severity == Severity::Warning;
            is_about && found.code != "stale-draft" && found.index.is_some_and(|index| undecided.contains(&index))
        };
        findings.iter().filter(is_undecided).map(|found| found.words.clone()).collect()
    }

    fn omitted(&self) -> Omitted {
        let (all, about_list) = (self.monitor.audit.omitted(), self.monitor.audit.omitted_about(self.name));
        Omitted { about_list: about_list as u64, elsewhere: all.saturating_sub(about_list) as u64 }
    }

    /// What breaks a rule, as far as the entries of the log show it: not what was merely seen at some time.
    fn breaches(&self) -> Vec<String> {
        let findings = self.monitor.audit.findings().iter();
        let about =
            findings.filter(|found| found.list.as_ref() == Some(self.name) && found.severity == Severity::Breach);
        about.map(|found| found.words.clone()).collect()
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
