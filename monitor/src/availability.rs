//! Whether the objects of the newest releases are still served, from everywhere: content that was verified once can be
//! withheld later, from some or from all.
//!
//! At each look one object of each list's newest release is fetched from each vantage point, in turn, so that no server
//! can know which will be asked for. Large ones are asked for once an hour.

use crate::vantage::{Lack, Vantage};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

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

/// The latest probes.
#[derive(Debug, Default)]
pub(crate) struct Availability {
    turn: usize,
    probes: BTreeMap<ListName, Vec<Probe>>,
    large: BTreeMap<ListName, Timestamp>,
}

impl Availability {
    /// The latest probes of a list's newest release, by vantage point.
    pub(crate) fn of(&self, list: &ListName) -> &[Probe] {
        self.probes.get(list).map_or(&[], Vec::as_slice)
    }

    /// The next look begins: another object's turn.
    pub(crate) fn next_turn(&mut self) {
        self.turn = self.turn.wrapping_add(1);
    }

    /// Asks these vantage points, which show this release, for one object of it.
    pub(crate) async fn probe(&mut self, release: &Release, vantages: &[&Vantage], at: Timestamp) {
        let Some(object) = self.choose(release, at) else { return };
        let mut probes = Vec::new();
        for vantage in vantages {
            let lacking = match vantage.object(&object).await {
                Ok(_) => None,
                Err(Lack::PutOff(_)) => continue,
                Err(Lack::Unavailable(words) | Lack::Wrong(words)) => Some(words),
            };
            let (from, object) = (vantage.label().to_owned(), object.sha256.to_hex());
            probes.push(Probe { from, version: release.version, object, at, lacking });
        }
        self.probes.insert(release.list.clone(), probes);
    }

    /// The object whose turn it is.
    fn choose(&mut self, release: &Release, at: Timestamp) -> Option<ObjectRef> {
        let last = self.large.get(&release.list).copied();
        let may_be_large = last.is_none_or(|last| at.since(last) >= LARGE_EVERY);
        let objects: Vec<ObjectRef> = release.objects().filter(|object| may_be_large || object.size < LARGE).collect();
        let chosen = objects.get(self.turn.checked_rem(objects.len())?).copied()?;
        if chosen.size >= LARGE {
            self.large.insert(release.list.clone(), at);
        }
        Some(chosen)
    }
}
