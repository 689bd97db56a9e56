//! Figures for Prometheus (text exposition format 0.0.4): what an operator's alarms go by.

use crate::report::{ReleaseState, Report, ViewState};
use std::fmt::{Display, Write};
use std::time::Duration;

/// One family of figures: its name, what it means, and a value for each set of labels.
struct Family<'w> {
    text: &'w mut String,
    name: &'static str,
}

impl<'w> Family<'w> {
    fn begin(text: &'w mut String, name: &'static str, help: &str) -> Self {
        // Writing into a string can't fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        Self { text, name }
    }

    fn value(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The figures of a report, `age` after the last look that went to its end.
pub(crate) fn text(report: &Report, age: Duration) -> String {
    let (mut text, log) = (String::new(), report.log.origin.as_str());
    let out = &mut text;
    Family::begin(out, "isonomy_monitor_last_look_age_seconds", "Since the last complete look at the log.")
        .value(&[("log", log)], age.as_secs());
    let mut findings = Family::begin(out, "isonomy_monitor_findings", "Findings that stand, by severity.");
    let summary = &report.summary;
    for (severity, count) in [("breach", summary.breaches), ("warning", summary.warnings), ("notice", summary.notices)]
    {
        findings.value(&[("log", log), ("severity", severity)], count);
    }
    Family::begin(out, "isonomy_monitor_log_entries", "Entries of the newest tree that was accepted.")
        .value(&[("log", log)], report.log.size.0);
    Family::begin(out, "isonomy_monitor_log_entries_read", "Entries that were read and judged.")
        .value(&[("log", log)], report.log.read);
    let mut age =
        Family::begin(out, "isonomy_monitor_checkpoint_age_seconds", "Age of the newest witnessed checkpoint.");
    if let Some(witnessed) = report.log.witnessed {
        age.value(&[("log", log)], report.made.since(witnessed));
    }
    witnesses(out, report);
    lists(out, report);
    text
}

fn witnesses(out: &mut String, report: &Report) {
    let mut lag = Family::begin(out, "isonomy_monitor_witness_lag_seconds", "Since the last cosignature of a witness.");
    for witness in &report.witnesses {
        if let Some(time) = witness.cosigned {
            lag.value(&[("witness", &witness.name)], report.made.since(time));
        }
    }
    let mut same = Family::begin(
        out,
        "isonomy_monitor_view_agrees",
        "1 if what is shown there is this history, 0 if it is another or unknown.",
    );
    let agrees = |state: ViewState| u8::from(matches!(state, ViewState::Same | ViewState::Behind));
    for source in &report.sources {
        same.value(&[("from", &source.name)], agrees(source.state));
    }
    for witness in &report.witnesses {
        same.value(&[("from", &witness.name)], agrees(witness.state));
    }
}

fn lists(out: &mut String, report: &Report) {
    let mut entries = Family::begin(out, "isonomy_monitor_list_entries", "Entries of the release in use.");
    for list in &report.lists {
        if let Some(release) = list.releases.iter().find(|release| release.state == ReleaseState::InUse) {
            entries.value(&[("list", &list.name), ("version", &release.version.to_string())], release.entries);
        }
    }
    let mut expires = Family::begin(
        out,
        "isonomy_monitor_list_expires_in_seconds",
        "Until the newest release expires; 0 afterwards.",
    );
    for list in &report.lists {
        if let Some(release) = list.releases.first() {
            expires.value(&[("list", &list.name)], release.expires.since(report.made));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_can_not_break_out() {
        let mut text = String::new();
        Family::begin(&mut text, "name", "Help.").value(&[("a", "x\"} 1\n\\")], 3);
        assert_eq!(text, "# HELP name Help.\n# TYPE name gauge\nname{a=\"x\\\"} 1\\n\\\\\"} 3\n");
    }
}
