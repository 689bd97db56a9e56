//! What was found by reading the log, as far as there is room: of each list some, and of that what is grave drives out what is not.

use crate::finding::{Finding, Severity};
use isonomy_core::statement::ListName;
use std::collections::{BTreeMap, BTreeSet};

/// The most findings that are remembered: the gravest, and of those the first. Further ones are counted.
pub(super) const MAX_FINDINGS: usize = 2000;

/// Nobody whose list is in use loses anything to a list that is not before it has this part of the room.
const PART: usize = 20;

/// Whose room a finding takes: that of a list which has a charter, or of everything else in the log together.
pub(super) type Owner = Option<ListName>;

/// What was found, as far as there is room.
#[derive(Debug, Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    /// Whose each of them is.
    owners: Vec<Owner>,
    /// How many are kept, by owner and severity.
    counts: BTreeMap<Owner, BTreeMap<Severity, usize>>,
    /// Lists of which a release was taken up.
    in_use: BTreeSet<ListName>,
    /// How many of each owner there was no room for.
    omitted: BTreeMap<Owner, usize>,
}

impl Findings {
    pub(super) fn kept(&self) -> &[Finding] {
        &self.kept
    }

    pub(super) fn omitted(&self) -> &BTreeMap<Owner, usize> {
        &self.omitted
    }

    /// Takes a finding. If there are `most` already, another one goes, so that nobody hides what is about others: one of the least grave of
    /// whoever [`Self::makes_room`], the last of these.
    pub(super) fn push(&mut self, finding: Finding, owner: Owner, most: usize) {
        if self.kept.len() < most {
            return self.keep(finding, owner);
        }
        let noisy = self.makes_room(&owner, most / PART).unwrap_or_else(|| owner.clone());
        let least = self.counts.get(&noisy).and_then(|counts| counts.keys().next_back().copied());
        *self.omitted.entry(noisy.clone()).or_default() += 1;
        match least {
            Some(least) if noisy != owner || finding.severity < least => {
                self.drop_last(&noisy, least);
                self.keep(finding, owner);
            }
            _ => {}
        }
    }

    /// A list without a release is known to have one from now on.
    pub(super) fn note_in_use(&mut self, list: &ListName) {
        if !self.in_use.contains(list) {
            self.in_use.insert(list.clone());
        }
    }

    /// Who makes room for one more finding of this owner: whoever has most, and more than a fair `part`; else a list of which no release was
    /// taken up, since a log can make any number of these; else whoever has more than the owner. None of the latter makes room for such a
    /// list.
    fn makes_room(&self, owner: &Owner, part: usize) -> Option<Owner> {
        let own = self.count_of(owner) + 1;
        let is_unused = |one: &Owner| one.as_ref().is_some_and(|list| !self.in_use.contains(list));
        let with_more = |than: usize, of_unused: bool| {
            let others = self.counts.keys().filter(|other| !of_unused || is_unused(other));
            let others = others.map(|other| (self.count_of(other), other)).filter(|(count, _)| *count > than);
            others.max_by_key(|(count, _)| *count).map(|(_, other)| other.clone())
        };
        // What is about no list is worth a part of the room, too, and anybody can make any number of that.
        let takes_unused = !is_unused(owner) && (owner.is_some() || own <= part);
        with_more(own.max(part), false)
            .or_else(|| with_more(0, true).filter(|_| takes_unused))
            .or_else(|| with_more(own, is_unused(owner)))
    }

    fn count_of(&self, owner: &Owner) -> usize {
        self.counts.get(owner).map_or(0, |counts| counts.values().sum())
    }

    fn keep(&mut self, finding: Finding, owner: Owner) {
        *self.counts.entry(owner.clone()).or_default().entry(finding.severity).or_default() += 1;
        self.kept.push(finding);
        self.owners.push(owner);
    }

    fn drop_last(&mut self, owner: &Owner, severity: Severity) {
        let mut all = self.kept.iter().zip(&self.owners);
        let Some(at) = all.rposition(|(kept, of)| kept.severity == severity && of == owner) else { return };
        self.kept.remove(at);
        self.owners.remove(at);
        if let Some(counts) = self.counts.get_mut(owner) {
            let left = counts.get(&severity).map_or(0, |count| count.saturating_sub(1));
            if left == 0 {
                counts.remove(&severity)
            } else {
                counts.insert(severity, left)
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, number: usize) -> Finding {
        Finding::new(severity, "code", number.to_string(), "")
    }

    fn kept(findings: &Findings) -> Vec<&str> {
        findings.kept().iter().map(|found| found.subject.as_str()).collect()
    }

    #[test]
    fn harmless_findings_hide_no_breach() {
        let mut findings = Findings::default();
        (0..7).for_each(|number| findings.push(finding(Severity::Notice, number), None, 5));
        (7..9).for_each(|number| findings.push(finding(Severity::Warning, number), None, 5));
        (9..16).for_each(|number| findings.push(finding(Severity::Breach, number), None, 5));
        findings.push(finding(Severity::Notice, 16), None, 5);
        assert_eq!(kept(&findings), ["9", "10", "11", "12", "13"]);
        assert_eq!(findings.omitted(), &BTreeMap::from([(None, 12)]));
    }

    #[test]
    fn what_is_about_the_log_or_another_list_hides_no_finding_about_a_list() {
        let list = |name: &str| Some(ListName::new(name).unwrap());
        let mut findings = Findings::default();
        (0..50).for_each(|number| findings.push(finding(Severity::Breach, number), None, 6));
        (50..90).for_each(|number| findings.push(finding(Severity::Breach, number), list("noisy.example/list"), 6));
        findings.push(finding(Severity::Warning, 90), list("a.example/list"), 6);
        findings.push(finding(Severity::Breach, 91), list("a.example/list"), 6);
        (92..99).for_each(|number| findings.push(finding(Severity::Breach, number), None, 6));
        assert_eq!(kept(&findings), ["0", "1", "50", "51", "90", "91"]);
        let omitted = [(None, 55), (list("noisy.example/list"), 38)];
        assert_eq!(findings.omitted(), &BTreeMap::from(omitted), "none of the quiet list");
    }

    /// A log can give charters to any number of names.
    #[test]
    fn any_number_of_lists_that_nothing_uses_hides_no_finding_about_one_in_use() {
        let list = |name: &str| ListName::new(name).unwrap();
        let mut findings = Findings::default();
        findings.note_in_use(&list("a.example/list"));
        for number in 0..50 {
            let made_up = list(&format!("made-up.example/{number:02}"));
            findings.push(finding(Severity::Breach, number), Some(made_up), 40);
        }
        assert_eq!(findings.kept().len(), 40);
        findings.push(finding(Severity::Warning, 50), Some(list("a.example/list")), 40);
        findings.push(finding(Severity::Breach, 51), Some(list("a.example/list")), 40);
        // Of what is about the log some.
        (52..60).for_each(|number| findings.push(finding(Severity::Breach, number), None, 40));
        // Of what is about the log, or a list in use, nothing goes for a list that nothing uses.
        findings.push(finding(Severity::Breach, 60), Some(list("made-up.example/60")), 40);
        assert_eq!(findings.kept().len(), 40);
        assert_eq!(kept(&findings)[36..], ["50", "51", "52", "53"]);
    }
}
