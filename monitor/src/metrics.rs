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

/// The figures of each log's report, with the time since the last look at it that went to its end.
pub(crate) fn text(logs: &[(&Report, Duration)]) -> String {
    let mut text = String::new();
    let out = &mut text;
    let mut family = |name, help: &str, of: &dyn Fn(&mut Family<'_>, &Report, Duration)| {
        let mut family = Family::begin(out, name, help);
        logs.iter().for_each(|(report, age)| of(&mut family, report, *age));
    };
    family("isonomy_monitor_last_look_age_seconds", "Since the last complete look at the log.", &|out, report, age| {
        out.value(&log(report), age.as_secs());
    });
    family("isonomy_monitor_findings", "Findings that stand, by severity.", &|out, report, _| {
        let all = &report.summary;
        for (severity, count) in [("breach", all.breaches), ("warning", all.warnings), ("notice", all.notices)] {
            out.value(&with(report, [("severity", severity)]), count);
        }
    });
    let omitted = "Findings that there was no room for.";
    family("isonomy_monitor_findings_omitted", omitted, &|out, report, _| {
        out.value(&log(report), report.findings_omitted);
    });
    family("isonomy_monitor_log_entries", "Entries of the newest tree that was accepted.", &|out, report, _| {
        out.value(&log(report), report.log.size.0);
    });
    family("isonomy_monitor_log_entries_read", "Entries that were read and judged.", &|out, report, _| {
        out.value(&log(report), report.log.read);
    });
    let shown = "The most entries that a vantage point shows; what is not read yet is the difference.";
    family("isonomy_monitor_log_entries_shown", shown, &|out, report, _| {
        let most = report.sources.iter().filter_map(|source| source.size).max().unwrap_or_default();
        out.value(&log(report), most.0.max(report.log.size.0));
    });
    family("isonomy_monitor_checkpoint_age_seconds", "Age of the newest witnessed checkpoint.", &|out, report, _| {
        if let Some(age) = report.age() {
            out.value(&log(report), age);
        }
    });
    family("isonomy_monitor_witness_lag_seconds", "Since the last cosignature of a witness.", &witness_lag);
    let agrees = "1 if what is shown there is this history, 0 if it is another or unknown.";
    family("isonomy_monitor_view_agrees", agrees, &views);
    family("isonomy_monitor_list_entries", "Entries of the release in use.", &list_entries);
    let expires = "Until the newest release expires; 0 afterwards.";
    family("isonomy_monitor_list_expires_in_seconds", expires, &|out, report, _| {
        for (list, release) in report.lists.iter().filter_map(|list| Some((list, list.releases.first()?))) {
            out.value(&with(report, [("list", &list.name)]), release.expires.since(report.made));
        }
    });
    text
}

/// Anybody can give a log, or a witness, any name: so each stands with the id of its key.
fn log(report: &Report) -> [(&str, &str); 2] {
    [("log", &report.log.origin), ("log_key", &report.log.key_id)]
}

fn with<'l, const N: usize>(report: &'l Report, more: [(&'l str, &'l str); N]) -> Vec<(&'l str, &'l str)> {
    log(report).into_iter().chain(more).collect()
}

fn witness_lag(out: &mut Family<'_>, report: &Report, _: Duration) {
    for (witness, time) in report.witnesses.iter().filter_map(|witness| Some((witness, witness.cosigned?))) {
        out.value(
            &with(report, [("witness", &witness.name), ("witness_key", &witness.key_id)]),
            report.made.since(time),
        );
    }
}

fn views(out: &mut Family<'_>, report: &Report, _: Duration) {
    let agrees = |state| u8::from(matches!(state, ViewState::Same | ViewState::Behind));
    for source in &report.sources {
        out.value(&with(report, [("from", &source.name)]), agrees(source.state));
    }
    for witness in &report.witnesses {
        out.value(&with(report, [("from", &witness.name), ("witness_key", &witness.key_id)]), agrees(witness.state));
    }
}

fn list_entries(out: &mut Family<'_>, report: &Report, _: Duration) {
    for list in &report.lists {
        if let Some(release) = list.releases.iter().find(|release| release.state == ReleaseState::InUse) {
            let version = release.version.to_string();
            out.value(&with(report, [("list", &list.name), ("version", &version)]), release.entries);
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
