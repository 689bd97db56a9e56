//! Whether the objects of the newest releases are still served, from everywhere: content that was verified once can be
//! withheld later, from some or from all.
//!
//! At each look one object of each list's newest release is fetched from each vantage point, in turn, so that no server
//! can know which will be asked for. Large ones are asked for once an hour.

use crate::turn::Turn;
use crate::vantage::{Lack, Vantage};
use futures_util::future::{BoxFuture, FutureExt, TryFutureExt};
use futures_util::stream::{self, StreamExt};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// From which size in bytes an object is large.
const LARGE: u64 = 4 << 20;
/// How often a large one is asked for, in seconds.
const LARGE_EVERY: u64 = 3600;

/// What a vantage point gave when it was last asked for an object of the newest release of a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Probe {
    /// The vantage point.
    pub from: String,
    /// The version whose object was asked for.
    pub version: u64,
    /// The digest of the object, in hexadecimal.
    pub object: String,
    /// When.
    pub at: Timestamp,
    /// Why it was not had; absent if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacking: Option<String>,
}

/// What asking a vantage point for an object tells.
pub(crate) enum Answer {
    /// Nothing: it was no object's turn, or a mirror has none by its nature, like the copy of another monitor.
    Nothing,
    /// It has it.
    Had,
    /// It does not give it, for this reason.
    Lacking(String),
    /// It says to come again later.
    PutOff(String),
}

/// The latest probes.
#[derive(Debug, Default)]
pub(crate) struct Availability {
    /// How many looks there were: of each release, another object has its turn at each.
    round: usize,
    /// Which list is asked for first.
    pub(crate) turn: Turn,
    probes: BTreeMap<ListName, Vec<Probe>>,
    large: BTreeMap<ListName, Timestamp>,
    /// The vantage points that have served objects.
    serve: BTreeSet<String>,
}

impl Availability {
    /// The latest probes of a list's newest release, by vantage point.
    pub(crate) fn of(&self, list: &ListName) -> &[Probe] {
        self.probes.get(list).map_or(&[], Vec::as_slice)
    }

    /// Another object's turn.
    pub(crate) fn next_round(&mut self) {
        self.round = self.round.wrapping_add(1);
    }

    /// Asks these vantage points, which show this release, for one object of it: their answers, in their order. Who is among
    /// `expected` or has given one before should go on. Small ones are asked for at all of them at once, large ones at one after
    /// the other, so that one is held in memory.
    pub(crate) async fn probe(
        &mut self,
        release: &Release,
        vantages: &[&Vantage],
        expected: &BTreeSet<String>,
        at: Timestamp,
    ) -> Vec<Answer> {
        let Some(object) = self.choose(release, at) else {
            return vantages.iter().map(|_| Answer::Nothing).collect();
        };
        let at_once = if object.size < LARGE { vantages.len().max(1) } else { 1 };
        let asking = vantages.iter().map(|vantage| vantage.object(&object).map_ok(drop).boxed());
        let asking: Vec<BoxFuture<'_, Result<(), Lack>>> = asking.collect();
        let given: Vec<Result<(), Lack>> = stream::iter(asking).buffered(at_once).collect().await;
        let given = vantages.iter().map(|vantage| vantage.label()).zip(given);
        let answers: Vec<(&str, Answer)> =
            given.map(|(from, given)| (from, self.answer(from, given, expected))).collect();
        let before = self.probes.remove(&release.list).unwrap_or_default();
        let probe = |(from, answer): &(&str, Answer)| {
            let lacking = match answer {
                Answer::Had => None,
                Answer::Lacking(words) => Some(words.clone()),
                Answer::Nothing | Answer::PutOff(_) => return before.iter().find(|probe| probe.from == *from).cloned(),
            };
            Some(Probe {
                from: from.to_string(),
                version: release.version,
                object: object.sha256.to_hex(),
                at,
                lacking,
            })
        };
        self.probes.insert(release.list.clone(), answers.iter().filter_map(probe).collect());
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    fn answer(&mut self, from: &str, given: Result<(), Lack>, expected: &BTreeSet<String>) -> Answer {
        match given {
            Ok(()) => {
                self.serve.insert(from.to_owned());
                Answer::Had
            }
            Err(Lack::Unavailable(_) | Lack::PutOff(_)) if !expected.contains(from) && !self.serve.contains(from) => {
                Answer::Nothing
            }
            Err(Lack::PutOff(words)) => Answer::PutOff(words),
            Err(Lack::Unavailable(words) | Lack::Wrong(words)) => Answer::Lacking(words),
        }
    }

    /// The object whose turn it is.
    fn choose(&mut self, release: &Release, at: Timestamp) -> Option<ObjectRef> {
        let last = self.large.get(&release.list).copied();
        let may_be_large = last.is_none_or(|last| at.since(last) >= LARGE_EVERY);
        let objects: Vec<ObjectRef> = release.objects().filter(|object| may_be_large || object.size < LARGE).collect();
        let chosen = objects.get(self.round.checked_rem(objects.len())?).copied()?;
        if chosen.size >= LARGE {
            self.large.insert(release.list.clone(), at);
        }
        Some(chosen)
    }
}
