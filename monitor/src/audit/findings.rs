//! What was found by reading the log, as far as there is room: what is grave drives out what is not.

use crate::finding::{Finding, Severity};
use std::collections::BTreeMap;

/// The most findings that are remembered: the gravest, and of those the first. Further ones are counted.
pub(super) const MAX_FINDINGS: usize = 2000;

/// What was found, as far as there is room.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) kept: Vec<Finding>,
    /// How many of each severity there was no room for.
    pub(super) omitted: BTreeMap<Severity, usize>,
}

impl Findings {
    /// Takes a finding. If there are `most` already, one of the least grave goes for it, or it is itself the one.
    pub(super) fn push(&mut self, finding: Finding, most: usize) {
        let least = self.kept.iter().map(|kept| kept.severity).max();
        let omitted = match least.filter(|_| self.kept.len() >= most) {
            None => return self.kept.push(finding),
            Some(least) if finding.severity < least => {
                if let Some(at) = self.kept.iter().rposition(|kept| kept.severity == least) {
                    self.kept.remove(at);
                }
                self.kept.push(finding);
                least
            }
            Some(_) => finding.severity,
        };
        *self.omitted.entry(omitted).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_findings_hide_no_breach() {
        let finding = |severity, number: usize| Finding::new(severity, "code", number.to_string(), "");
        let mut findings = Findings::default();
        (0..7).for_each(|number| findings.push(finding(Severity::Notice, number), 5));
        (7..9).for_each(|number| findings.push(finding(Severity::Warning, number), 5));
        (9..16).for_each(|number| findings.push(finding(Severity::Breach, number), 5));
        findings.push(finding(Severity::Notice, 16), 5);
        let kept: Vec<&str> = findings.kept.iter().map(|found| found.subject.as_str()).collect();
        assert_eq!(kept, ["9", "10", "11", "12", "13"]);
        let omitted = [(Severity::Breach, 2), (Severity::Warning, 2), (Severity::Notice, 8)];
        assert_eq!(findings.omitted, BTreeMap::from(omitted));
    }
}
