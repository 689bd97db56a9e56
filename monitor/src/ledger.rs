//! Findings with their dates, kept over restarts.
//!
//! What is found by reading the log is found again at each start; what was merely observed is not, so it is written down.
//! A finding stands as long as it is seen at each look. One with evidence stands for ever; and if its file is lost, that does,
//! until the file is back or another one proves the same.

use crate::finding::{Finding, Severity, lines_within};
use crate::set_aside;
use isonomy_core::time::Timestamp;
use isonomy_store::files::{self, FileError};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The most findings that are kept. Of more, the gravest and latest are.
const MAX_FINDINGS: usize = 4000;
/// The most bytes that they have together, as JSON; there is room for the gravest and latest.
const MAX_BYTES: usize = 16 << 20;
/// The most bytes of the file, which an earlier version wrote with more space in it.
const MAX_FILE: usize = 32 << 20;

/// What is found only late in a look, by asking for what is served. Until then it stands as at the look before: that nobody has
/// asked yet does not mend it.
const BY_ASKING: [&str; 18] = [
    "bundle-awaited",
    "bundle-stale",
    "bundle-unusable",
    "bundle-withheld",
    "canaries-awaited",
    "canaries-unreadable",
    "canary-matched",
    "content-awaited",
    "content-broken",
    "content-missing",
    "content-unchecked",
    "content-withheld",
    "object-swapped",
    "parts-awaited",
    "proof-later",
    "proof-withheld",
    "statement-withheld",
    "tile-withheld",
];

/// The finding that a file of evidence is lost.
const LOST: &str = "evidence-lost";

#[derive(Debug, Default, Deserialize)]
struct Kept {
    findings: Vec<Finding>,
}

/// Every finding, and whether it still stands.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    findings: BTreeMap<Key, Finding>,
    /// What stood at the look before this one, and how grave it was.
    stood: BTreeMap<Key, Severity>,
    /// What stands as at the look before, until this one has asked.
    carried: BTreeSet<Key>,
    /// What was given out as news in this look.
    told: BTreeMap<Key, Severity>,
    omitted: usize,
    /// How many of those stand.
    omitted_standing: usize,
    /// Whether the next news are everything that stands.
    tell_again: bool,
    now: Timestamp,
}

/// Code and subject.
type Key = (String, String);

impl Ledger {
    /// The findings in this file; none if it is not there, too large or damaged: then it is moved aside, since everything provable
    /// is found again.
    pub(crate) fn open(path: PathBuf) -> Result<Self, FileError> {
        let what = "the file of findings can't be read and is set aside";
        let kept: Kept = set_aside::read(&path, MAX_FILE, what)?.all().unwrap_or_default();
        let findings = kept.findings.into_iter().map(|finding| (key(&finding), finding)).collect();
        Ok(Self {
            path,
            findings,
            stood: BTreeMap::new(),
            carried: BTreeSet::new(),
            told: BTreeMap::new(),
            omitted: 0,
            omitted_standing: 0,
            tell_again: false,
            now: Timestamp::default(),
        })
    }

    /// Takes back findings whose evidence `is_kept` does not know, since this file proves nothing; that a proof is lost, and of
    /// what, is said from then on until the file is there again.
    pub(crate) fn check_proofs(&mut self, is_kept: impl Fn(&str) -> bool) {
        let lost = |finding: &Finding| finding.evidence.as_deref().is_some_and(|evidence| !is_kept(evidence));
        let gone: Vec<Finding> = self.findings.values().filter(|finding| lost(finding)).cloned().collect();
        let proven = self.findings.values().filter(|finding| finding.evidence.is_some() && !lost(finding));
        let proven: BTreeSet<String> = proven.map(what_was_proven).collect();
        // The file is back, or another one proves the same.
        let is_closed = |subject: &str| {
            let (digest, what) = subject.split_once(' ').unwrap_or((subject, ""));
            is_kept(digest) || proven.contains(what)
        };
        self.findings.retain(|(code, subject), finding| !(lost(finding) || code == LOST && is_closed(subject)));
        for finding in gone {
            let Some(digest) = &finding.evidence else { continue };
            let words = format!(
                "The file evidence/{digest}.json, by which this monitor had proven a breach, is gone, was changed, or does not hold under its policy as that is now (where witnesses were replaced, lines `former` name those before). Put it back from a backup, or from anybody who has it: without it nothing is proven here. What it had proven: {}",
                finding.words
            );
            tracing::error!("{words}");
            let subject = format!("{digest} {}", what_was_proven(&finding));
            let said = Finding::new(Severity::Warning, LOST, subject, words);
            let Finding { first_seen, last_seen, changed, .. } = finding;
            self.findings.insert(key(&said), Finding { first_seen, last_seen, changed, ..said });
        }
    }

    /// The time of this look.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// A new look begins, at this time. Nothing without evidence stands until it is noted again.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        self.now = now;
        (self.omitted, self.omitted_standing) = (0, 0);
        let standing = self.findings.iter().filter(|(_, finding)| finding.standing);
        self.stood = standing.map(|(key, finding)| (key.clone(), finding.severity)).collect();
        let is_carried = |key: &Key| BY_ASKING.contains(&key.0.as_str());
        self.carried = self.stood.keys().filter(|key| is_carried(key)).cloned().collect();
        self.told.clear();
        for (key, finding) in &mut self.findings {
            finding.standing = finding.evidence.is_some() || finding.code == LOST || self.carried.contains(key);
        }
    }

    /// The findings of this kind that stand as at the look before, since this one has not noted them.
    pub(crate) fn carried(&self, code: &str) -> Vec<Finding> {
        let of_code = self.carried.iter().filter(|key| key.0 == code);
        of_code.filter_map(|key| self.findings.get(key)).cloned().collect()
    }

    /// This look did not ask whether it is still so.
    pub(crate) fn keep(&mut self, finding: &Finding) {
        self.carried.remove(&key(finding));
    }

    /// Everything was asked for: what was not found again has passed.
    pub(crate) fn settle(&mut self) {
        for key in std::mem::take(&mut self.carried) {
            if let Some(finding) = self.findings.get_mut(&key) {
                finding.standing = finding.evidence.is_some();
            }
        }
    }

    /// Notes a finding of this look. One that had passed and comes again is seen anew.
    pub(crate) fn note(&mut self, mut finding: Finding) {
        let key = key(&finding);
        self.carried.remove(&key);
        let known = self.findings.get(&key).filter(|known| known.standing || self.stood.contains_key(&key));
        let before = known.map(|known| (known.severity, known.evidence.is_some(), known.changed));
        finding.first_seen = known.map_or(self.now, |known| known.first_seen);
        finding.last_seen = self.now;
        finding.standing = true;
        if let Some(known) = known.filter(|known| known.evidence.is_some() && finding.evidence.is_none()) {
            // What was proven once stays proven, in the words of the proof, of those whom it names.
            finding.evidence = known.evidence.clone();
            finding.words = known.words.clone();
            finding.answerable = known.answerable.clone();
            finding.severity = Severity::Breach;
        }
        finding.changed = match before {
            Some((severity, was_proven, changed))
                if finding.severity >= severity && was_proven == finding.evidence.is_some() =>
            {
                changed
            }
            _ => self.now,
        };
        self.findings.insert(key, finding);
        if self.findings.len() > 2 * MAX_FINDINGS {
            self.drop_excess();
        }
    }

    /// Drops what there is no room for; gives the rest as JSON, each on a line.
    fn drop_excess(&mut self) -> Vec<String> {
        let mut findings = self.findings();
        let lines = lines_within(findings.iter().take(MAX_FINDINGS), MAX_BYTES);
        let excess = findings.split_off(lines.len());
        self.omitted += excess.len();
        self.omitted_standing += excess.iter().filter(|finding| finding.standing).count();
        self.findings = findings.into_iter().map(|finding| (key(&finding), finding)).collect();
        lines
    }

    /// For how long a finding has stood at each look until now, in seconds.
    pub(crate) fn standing_for(&self, code: &str, subject: &str) -> u64 {
        let key = (code.to_owned(), subject.to_owned());
        let known = self.findings.get(&key).filter(|known| known.standing || self.stood.contains_key(&key));
        known.map_or(0, |finding| self.now.since(finding.first_seen))
    }

    /// Whether a finding stands, now or as at the look before.
    pub(crate) fn stands(&self, code: &str, subject: &str) -> bool {
        let key = (code.to_owned(), subject.to_owned());
        self.findings.get(&key).is_some_and(|found| found.standing)
    }

    /// The findings of this kind that stood at the look before and were not noted at this one yet.
    pub(crate) fn lapsed(&self, code: &str) -> Vec<Finding> {
        let is_lapsed = |(key, finding): &(&Key, &Finding)| {
            finding.code == code && !finding.standing && self.stood.contains_key(*key)
        };
        self.findings.iter().filter(is_lapsed).map(|(_, finding)| finding.clone()).collect()
    }

    /// The evidence of a finding that was proven before, by its digest in hexadecimal.
    pub(crate) fn evidence_of(&self, code: &str, subject: &str) -> Option<&str> {
        self.findings.get(&(code.to_owned(), subject.to_owned()))?.evidence.as_deref()
    }

    /// Somebody has shown what was missing: it has passed.
    pub(crate) fn pass(&mut self, finding: &Finding) {
        let key = key(finding);
        self.carried.remove(&key);
        self.stood.remove(&key);
        if let Some(known) = self.findings.get_mut(&key) {
            known.standing = false;
        }
    }

    /// How many findings of this kind there are.
    pub(crate) fn count_of(&self, code: &str) -> usize {
        self.findings.keys().filter(|key| key.0 == code).count()
    }

    /// Whether a finding has this evidence, by its digest in hexadecimal.
    pub(crate) fn cites(&self, evidence: &str) -> bool {
        self.findings.values().any(|finding| finding.evidence.as_deref() == Some(evidence))
    }

    /// Nobody knows what was told: the next news are everything that stands.
    pub(crate) fn tell_again(&mut self) {
        self.tell_again = true;
    }

    /// What stands now and did not at the look before, or was less grave then.
    pub(crate) fn news(&self) -> Vec<Finding> {
        let is_new = |(key, finding): &(&Key, &Finding)| {
            let is_graver = self.stood.get(*key).is_none_or(|before| finding.severity < *before);
            finding.standing && (is_graver || self.tell_again)
        };
        self.findings.iter().filter(is_new).map(|(_, finding)| finding.clone()).collect()
    }

    /// The news that were not given out in this look yet.
    pub(crate) fn untold(&mut self) -> Vec<Finding> {
        let is_told = |found: &Finding| self.told.get(&key(found)).is_some_and(|told| *told <= found.severity);
        let news: Vec<Finding> = self.news().into_iter().filter(|found| !is_told(found)).collect();
        self.told.extend(news.iter().map(|found| (key(found), found.severity)));
        news
    }

    /// Every finding: what stands before what has passed, then the gravest, of these forks, then those with a file of evidence, then the
    /// latest.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.findings.values().cloned().collect();
        findings.sort_by_key(|finding| {
            let latest = std::cmp::Reverse(finding.first_seen);
            let rank = (!finding.standing, finding.severity, !finding.is_fork(), finding.evidence.is_none());
            (rank, latest, finding.subject.clone())
        });
        findings
    }

    /// How many findings there were no room for.
    pub(crate) fn omitted(&self) -> usize {
        self.omitted
    }

    /// How many of them stand.
    pub(crate) fn omitted_standing(&self) -> usize {
        self.omitted_standing
    }

    /// So many findings that stand were not noted, for there are too many.
    pub(crate) fn omit(&mut self, standing: usize) {
        self.omitted += standing;
        self.omitted_standing += standing;
    }

    /// Drops what there is no room for, and writes the rest.
    pub(crate) fn save(&mut self) -> Result<(), FileError> {
        let lines = self.drop_excess();
        self.tell_again = false;
        files::replace(&self.path, format!("{{\"findings\": [\n{}\n]}}\n", lines.join(",\n")).as_bytes())
    }
}

/// What a finding is about, to tell whether another proof is of the same.
fn what_was_proven(finding: &Finding) -> String {
    format!("({}: {})", finding.code, finding.subject)
}

fn key(finding: &Finding) -> (String, String) {
    (finding.code.clone(), finding.subject.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::hash::ObjectDigest;

    fn finding(code: &str, severity: Severity) -> Finding {
        Finding::new(severity, code, "subject", "words")
    }

    /// A log can make any number of findings, with long words. What is written must be read again at the next start.
    #[test]
    fn what_is_written_is_no_larger_than_what_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("findings.json");
        let mut ledger = Ledger::open(path.clone()).unwrap();
        ledger.begin(Timestamp(10));
        let words = "ä".repeat(4000);
        for at in 0..MAX_FINDINGS {
            let severity = if at == MAX_FINDINGS - 1 { Severity::Breach } else { Severity::Notice };
            ledger.note(Finding::new(severity, "code", at.to_string(), &words));
        }
        ledger.save().unwrap();
        let size = std::fs::metadata(&path).unwrap().len() as usize;
        assert!((MAX_BYTES - (10 << 10)..MAX_BYTES + 1024).contains(&size), "{size}");
        let again = Ledger::open(path.clone()).unwrap().findings();
        assert_eq!((again.len() + ledger.omitted(), again[0].severity), (MAX_FINDINGS, Severity::Breach));
        std::fs::write(&path, vec![b' '; MAX_FILE + 1]).unwrap();
        assert_eq!(Ledger::open(path.clone()).unwrap().findings(), [], "nobody is kept from starting");
        assert!(dir.path().join("findings.json.damaged-1").exists());
    }

    #[test]
    fn findings_pass_unless_they_are_seen_again_or_proven() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("findings.json");
        let mut ledger = Ledger::open(path.clone()).unwrap();
        ledger.begin(Timestamp(10));
        ledger.note(finding("missing", Severity::Warning));
        ledger.note(finding("fork", Severity::Notice).proven_by(&ObjectDigest([7; 32])));
        ledger.note(finding("behind", Severity::Notice));
        ledger.save().unwrap();

        let mut ledger = Ledger::open(path).unwrap();
        ledger.begin(Timestamp(20));
        ledger.note(finding("missing", Severity::Warning));
        ledger.note(finding("fork", Severity::Warning));
        assert_eq!(ledger.standing_for("missing", "subject"), 10);
        let found = ledger.findings();
        let shown: Vec<_> = found.iter().map(|f| (f.code.as_str(), f.severity, f.standing, f.first_seen.0)).collect();
        assert_eq!(
            shown,
            [
                ("fork", Severity::Breach, true, 10),
                ("missing", Severity::Warning, true, 10),
                ("behind", Severity::Notice, false, 10),
            ]
        );
        assert!(ledger.cites(&"07".repeat(32)) && !ledger.cites(""));
        ledger.begin(Timestamp(30));
        ledger.note(finding("behind", Severity::Notice));
        assert_eq!(ledger.standing_for("behind", "subject"), 0, "it had passed");
    }

    #[test]
    fn news_are_told_once_and_again_when_they_get_graver_or_come_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("findings.json");
        let mut ledger = Ledger::open(path.clone()).unwrap();
        let told = |ledger: &mut Ledger, at: u64, severity: Option<Severity>| {
            ledger.begin(Timestamp(at));
            severity.into_iter().for_each(|severity| ledger.note(finding("ahead", severity)));
            ledger.save().unwrap();
            ledger.news().len()
        };
        assert_eq!(told(&mut ledger, 1, Some(Severity::Notice)), 1);
        assert_eq!(told(&mut ledger, 2, Some(Severity::Notice)), 0);
        let mut ledger = Ledger::open(path).unwrap();
        assert_eq!(told(&mut ledger, 3, Some(Severity::Notice)), 0, "after a restart, too");
        assert_eq!(told(&mut ledger, 4, Some(Severity::Warning)), 1);
        assert_eq!(told(&mut ledger, 5, Some(Severity::Notice)), 0);
        assert_eq!(told(&mut ledger, 6, None), 0);
        assert_eq!(told(&mut ledger, 7, Some(Severity::Notice)), 1);
        // If nobody knows what was told, everything that stands is news once more.
        for (at, news) in [(8, 1), (9, 0)] {
            if at == 8 {
                ledger.tell_again();
            }
            ledger.begin(Timestamp(at));
            ledger.note(finding("ahead", Severity::Notice));
            assert_eq!(ledger.news().len(), news, "{at}");
            ledger.save().unwrap();
        }
        assert_eq!(ledger.findings()[0].first_seen, Timestamp(7));
    }

    #[test]
    fn what_is_found_by_asking_stands_until_somebody_has_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("findings.json");
        let mut ledger = Ledger::open(path.clone()).unwrap();
        let found = |subject: &str| Finding::new(Severity::Warning, "content-missing", subject, "words");
        ledger.begin(Timestamp(1));
        for subject in ["a", "b", "c"] {
            ledger.note(found(subject));
        }
        ledger.note(finding("behind", Severity::Notice));
        ledger.settle();
        ledger.save().unwrap();
        let mut ledger = Ledger::open(path).unwrap();
        ledger.begin(Timestamp(2));
        let standing = |ledger: &Ledger| {
            let standing = ledger.findings().into_iter().filter(|found| found.standing);
            standing.map(|found| found.subject).collect::<Vec<_>>()
        };
        assert_eq!(standing(&ledger), ["a", "b", "c"]);
        assert_eq!(ledger.carried("content-missing").len(), 3);
        ledger.note(found("a"));
        ledger.keep(&found("b"));
        ledger.settle();
        assert_eq!(standing(&ledger), ["a", "b"]);
        assert!(ledger.news().is_empty() && ledger.standing_for("content-missing", "b") == 1);
    }

    #[test]
    fn news_are_given_out_once_in_a_look_unless_they_get_graver() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("findings.json")).unwrap();
        ledger.begin(Timestamp(1));
        ledger.note(finding("ahead", Severity::Notice));
        assert_eq!([ledger.untold().len(), ledger.untold().len()], [1, 0]);
        ledger.save().unwrap();
        ledger.note(finding("ahead", Severity::Warning));
        ledger.note(finding("late", Severity::Notice));
        assert_eq!([ledger.untold().len(), ledger.untold().len()], [2, 0]);
        ledger.begin(Timestamp(2));
        ledger.note(finding("ahead", Severity::Warning));
        assert!(ledger.untold().is_empty());
    }

    #[test]
    fn a_finding_changes_when_it_becomes_graver_or_is_proven() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("findings.json")).unwrap();
        let proven = |severity| finding("ahead", severity).proven_by(&ObjectDigest([7; 32]));
        for (at, finding, changed) in [
            (10, finding("ahead", Severity::Notice), 10),
            (20, finding("ahead", Severity::Notice), 10),
            (30, finding("ahead", Severity::Warning), 30),
            (40, finding("ahead", Severity::Notice), 30),
            (50, finding("ahead", Severity::Warning), 50),
            (60, proven(Severity::Warning), 60),
            (70, finding("ahead", Severity::Warning), 60),
        ] {
            ledger.begin(Timestamp(at));
            ledger.note(finding);
            let found = &ledger.findings()[0];
            assert_eq!((found.first_seen.0, found.changed.0), (10, changed), "{at}");
        }
    }

    #[test]
    fn what_cites_missing_evidence_is_taken_back_and_said_until_it_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("findings.json")).unwrap();
        for seed in [1, 2] {
            ledger.note(
                Finding::new(Severity::Breach, "fork", [seed].escape_ascii().to_string(), "")
                    .proven_by(&ObjectDigest([seed; 32])),
            );
        }
        ledger.note(finding("missing", Severity::Warning));
        let left = |ledger: &mut Ledger, kept: &[u8]| {
            ledger.check_proofs(|evidence| kept.iter().any(|seed| evidence == ObjectDigest([*seed; 32]).to_hex()));
            let standing = ledger.findings().into_iter().filter(|found| found.standing);
            standing.map(|found| (found.severity, found.code, found.evidence.is_some())).collect::<Vec<_>>()
        };
        let (proven, lost) = ((Severity::Breach, "fork".to_owned(), true), (Severity::Warning, LOST.to_owned(), false));
        let missing = (Severity::Warning, "missing".to_owned(), false);
        assert_eq!(left(&mut ledger, &[1]), [proven.clone(), lost.clone(), missing]);
        ledger.begin(Timestamp(2));
        assert_eq!(left(&mut ledger, &[1]), [proven.clone(), lost], "at each look");
        assert_eq!(
            left(&mut ledger, &[1, 2]),
            std::slice::from_ref(&proven),
            "it is back, and will be noted by whoever has read it"
        );
        // Another file proves the same: of one look, as of the views that are compared there.
        left(&mut ledger, &[2]);
        ledger.begin(Timestamp(3));
        let again = Finding::new(Severity::Breach, "fork", [1].escape_ascii().to_string(), "");
        ledger.note(again.proven_by(&ObjectDigest([3; 32])));
        assert_eq!(left(&mut ledger, &[2, 3]), [proven]);
    }

    #[test]
    fn a_damaged_file_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("findings.json");
        std::fs::write(&path, b"{").unwrap();
        assert!(Ledger::open(path).unwrap().findings().is_empty());
        assert_eq!(std::fs::read(dir.path().join("findings.json.damaged-1")).unwrap(), b"{");
    }

    #[test]
    fn there_is_room_for_the_gravest() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("findings.json")).unwrap();
        ledger.begin(Timestamp(1));
        for number in 0..MAX_FINDINGS + 5 {
            ledger.note(Finding::new(Severity::Notice, "many", number.to_string(), ""));
        }
        ledger.note(finding("grave", Severity::Breach));
        ledger.save().unwrap();
        assert_eq!((ledger.omitted(), ledger.omitted_standing()), (6, 6));
        assert_eq!(ledger.findings()[0].code.as_str(), "grave");
    }

    #[test]
    fn a_look_that_finds_a_million_things_does_not_fill_the_memory() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("findings.json")).unwrap();
        ledger.begin(Timestamp(1));
        ledger.note(finding("grave", Severity::Breach));
        for number in 0..10 * MAX_FINDINGS {
            ledger.note(Finding::new(Severity::Notice, "many", number.to_string(), ""));
            assert!(ledger.findings.len() <= 2 * MAX_FINDINGS);
        }
        ledger.save().unwrap();
        assert_eq!(ledger.findings.len() + ledger.omitted(), 10 * MAX_FINDINGS + 1);
        assert_eq!(ledger.findings()[0].code.as_str(), "grave");
    }
}
