//! Whether content that was verified before is still served, from everywhere where the newest state is shown.

use super::offered::{is_at, of_vantage};
use super::standing::CONTENT_AWAITED;
use crate::availability::Answer;
use crate::finding::Finding;
use crate::monitor::Monitor;
use crate::vantage::Vantage;
use isonomy_core::release::Release;
use isonomy_core::rules::Rule;
use isonomy_core::statement::Signed;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use std::collections::BTreeSet;

const WITHHELD: &str = "content-withheld";

impl Monitor {
    /// Asks every vantage point for an object of each list's newest release whose content was verified, until the time of this
    /// look is over: what was not reached comes first at the next one.
    pub(crate) async fn probe_objects(&mut self, clock: Timestamp) {
        let mut releases = self.newest_releases();
        releases.retain(|(index, _)| self.contents.is_verified(*index));
        let releases = self.availability.turn.order(releases);
        self.availability.turn.begin_with(None);
        self.availability.next_round();
        let shows = self.showing_newest();
        // A mirror need not have objects; one that had some should go on. The log must.
        let wanting = self.ledger.carried(WITHHELD);
        let labels = self.vantages.iter().map(Vantage::label);
        let has_had = |at: usize, label: &str| at == 0 || wanting.iter().any(|found| is_at(found, label));
        let expected = labels.enumerate().filter(|(at, label)| has_had(*at, label)).map(|(_, label)| label.to_owned());
        let (expected, mut answered) = (expected.collect(), BTreeSet::new());
        for (number, (index, release)) in releases.iter().enumerate() {
            // Each look gets on by one list at least.
            if number > 0 && self.is_late() {
                self.availability.turn.begin_with(Some(release.body().list.clone()));
                break;
            }
            let asked: Vec<&Vantage> = shows.iter().filter_map(|at| self.vantages.get(*at)).collect();
            let answers = self.availability.probe(release.body(), &asked, &expected, clock).await;
            for (at, answer) in shows.iter().zip(answers) {
                answered.extend(self.judge_answer(*at, answer, (*index, release)));
            }
        }
        // Whoever was not asked, or has put this off, has mended nothing.
        for found in self.ledger.carried(WITHHELD).iter().chain(&self.ledger.carried(CONTENT_AWAITED)) {
            let is_due = releases.iter().any(|(_, release)| found.list.as_ref() == Some(&release.body().list));
            let is_shown = |at: &usize| self.vantages.get(*at).is_some_and(|vantage| is_at(found, vantage.label()));
            if is_due && shows.iter().any(is_shown) && !answered.contains(&found.subject) {
                self.ledger.keep(found);
            }
        }
    }

    /// Notes what a vantage point answered; gives what that was about, if it settles anything.
    fn judge_answer(
        &mut self,
        at: usize,
        answer: Answer,
        (index, release): (LeafIndex, &Signed<Release>),
    ) -> Option<String> {
        let (id, body) = (release.id(), release.body());
        let label = self.vantages.get(at)?.label().to_owned();
        let subject = format!("{} at {label}", body.list);
        let what = format!("an object of version {} of {}, whose content was verified before", body.version, body.list);
        let (severity, code, words) = match answer {
            Answer::Nothing => return None,
            Answer::Had => return Some(subject),
            Answer::Lacking(words) => (
                of_vantage(at),
                WITHHELD,
                format!(
                    "{label} does not give {what}: {words}. If that lasts, clients there can't be sure of the list."
                ),
            ),
            Answer::PutOff(words) => (
                self.while_waiting(CONTENT_AWAITED, &subject, of_vantage(at)),
                CONTENT_AWAITED,
                format!(
                    "{label} did not give {what} yet: {words}. For a moment that is normal. If it lasts, clients there can't be sure of the list."
                ),
            ),
        };
        let is_settled = code == WITHHELD;
        let finding = Finding::new(severity, code, &subject, words).under(Rule::Content);
        self.ledger.note(finding.in_list(&body.list).about(&id, index));
        is_settled.then_some(subject)
    }
}
