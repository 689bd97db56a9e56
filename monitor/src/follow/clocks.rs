//! Witnesses whose clocks run ahead.
//!
//! A client takes the time that a quorum of witnesses vouches for as a time that has come. So a quorum whose clocks run ahead
//! makes good lists look expired to whoever sees its checkpoint, and hides how long nothing newer has been shown.

use crate::finding::{Finding, Severity};
use crate::monitor::Monitor;
use crate::trust::View;
use crate::units;
use crate::vantage::Shown;
use isonomy_core::rules::{MAX_CLOCK_AHEAD, Rule};
use isonomy_core::time::Timestamp;
use std::collections::BTreeMap;

/// Whether a time is further ahead of this monitor's clock than honest clocks may differ.
pub(crate) fn is_ahead(time: Timestamp, clock: Timestamp) -> bool {
    time.since(clock) > MAX_CLOCK_AHEAD
}

impl Monitor {
    /// Looks at every cosignature that was shown anywhere, and at what quorums of them say.
    pub(super) fn note_clocks(&mut self, shown: &Shown, clock: Timestamp) {
        let sources = shown.sources.iter().flatten();
        let witnesses = shown.witnesses.iter().flatten().flatten().map(|(view, _)| view);
        let views: Vec<&View> = sources.chain(witnesses).collect();
        let mut latest: BTreeMap<usize, Timestamp> = BTreeMap::new();
        for (witness, time) in views.iter().flat_map(|view| view.cosigned()).filter(|(_, time)| is_ahead(*time, clock))
        {
            let known = latest.entry(*witness).or_default();
            *known = time.max(known).to_owned();
        }
        let of_quorum = views.iter().filter_map(|view| view.now()).max().filter(|now| is_ahead(*now, clock));
        self.looks.remember_ahead(of_quorum);
        let of_quorum = self.looks.ahead().filter(|now| is_ahead(*now, clock));
        for (witness, time) in latest {
            self.note_clock(witness, (time, of_quorum), clock);
        }
        // Whoever has seen such a time goes by it until it has come, whatever is shown since.
        if let Some(now) = of_quorum {
            let words = format!(
                "A quorum of witnesses has dated a checkpoint at {now}, {} ahead of this monitor's clock. A client that has seen it takes that time for come: until then it may hold good lists for expired, and can't tell how old what it is shown really is.",
                units::duration(now.since(clock))
            );
            self.ledger.note(Finding::new(Severity::Warning, "time-ahead", "witnesses", words).under(Rule::Time));
        }
    }

    fn note_clock(&mut self, witness: usize, (time, of_quorum): (Timestamp, Option<Timestamp>), clock: Timestamp) {
        let Some(name) = self.views.witnesses.get(witness).map(|witness| witness.name.clone()) else { return };
        let quorum = match of_quorum {
            Some(_) => "A quorum has dated a checkpoint ahead, too, and clients go by that.",
            None => "Until the quorum says the same, no client goes by it.",
        };
        let words = format!(
            "Witness {name} dates its cosignature at {time}, {} ahead of this monitor's clock. One of the two clocks is wrong. {quorum}",
            units::duration(time.since(clock))
        );
        let subject = format!("witness {name}");
        self.ledger.note(Finding::new(Severity::Warning, "witness-clock-ahead", subject, words).under(Rule::Time));
    }
}
