//! `isonomy/release/v1`: one numbered version of a list's content under a charter.
//!
//! It names the content by its root and by the objects that carry it: a snapshot, and deltas. Version v carries deltas
//! from v − 1 and from v − 2^j wherever 2^j divides v, so that any client catches up in few hops ([`delta_bases`]).

use crate::hash::{ListRoot, ObjectDigest, StatementId};
use crate::json;
use crate::statement::{ListName, StatementError, require};
use crate::time::Timestamp;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The text of a release.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Always [`Release::KIND`].
    pub statement: String,
    /// The list.
    pub list: ListName,
    /// 1, then one more for each release.
    pub version: u64,
    /// The release before; absent in version 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<StatementId>,
    /// The edition of the charter under which it is made.
    pub charter: StatementId,
    /// When it was composed.
    pub created: Timestamp,
    /// Until when it may be used.
    pub expires: Timestamp,
    /// How many entries the list has.
    pub entries: u64,
    /// How many of them are admitted by exception (rule 8).
    pub irregular: u64,
    /// The root of the list's tree.
    pub root: ListRoot,
    /// How many entries it adds to the release before.
    pub added: u64,
    /// How many it removes.
    pub removed: u64,
    /// The whole content.
    pub snapshot: ObjectRef,
    /// The ways from older releases, ascending by `from`.
    pub deltas: Vec<DeltaRef>,
}

/// An object that a statement names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectRef {
    /// Its size in bytes.
    pub size: u64,
    /// Its digest, which is its name.
    pub sha256: ObjectDigest,
}

/// The way from an older release to this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeltaRef {
    /// The older version.
    pub from: u64,
    /// The older release.
    pub release: StatementId,
    /// The delta's size in bytes.
    pub size: u64,
    /// The delta's digest.
    pub sha256: ObjectDigest,
}

/// The versions from which `version` has deltas, ascending: `version` − 1 and `version` − 2^j wherever 2^j divides it.
pub fn delta_bases(version: u64) -> Vec<u64> {
    let steps = (0..=version.trailing_zeros().min(62)).rev();
    steps.map(|j| version.saturating_sub(1 << j)).filter(|&base| base >= 1).collect()
}

impl Release {
    /// The value of the field `statement`.
    pub const KIND: &'static str = "isonomy/release/v1";

    /// Parses the text of a release.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let release: Self = json::decode(text)?;
        release.check()?;
        Ok(release)
    }

    /// The canonical text, if this can be a release.
    pub fn to_text(&self) -> Result<String, StatementError> {
        self.check()?;
        Ok(json::encode(self)?)
    }

    /// Every object that it names.
    pub fn objects(&self) -> impl Iterator<Item = ObjectRef> {
        let deltas = self.deltas.iter().map(|delta| ObjectRef { size: delta.size, sha256: delta.sha256 });
        core::iter::once(self.snapshot).chain(deltas)
    }

    /// The next step down the hash chain on the way to `version`: the longest delta that does not lead below it. Which
    /// versions lie on that way, [`crate::paths::steps`] says.
    pub fn step_down_to(&self, version: u64) -> Option<&DeltaRef> {
        self.deltas.iter().find(|delta| delta.from >= version)
    }

    fn check(&self) -> Result<(), StatementError> {
        require(self.statement == Self::KIND, "statement", "not a release")?;
        require(self.version >= 1, "version", "the first version is 1")?;
        require(
            self.previous.is_some() == (self.version > 1),
            "previous",
            "every version but the first cites the one before",
        )?;
        require(self.expires > self.created, "expires", "not after created")?;
        require(self.added <= self.entries, "added", "more than there are entries")?;
        require(self.irregular <= self.entries, "irregular", "more than there are entries")?;
        if self.version == 1 {
            require(
                self.removed == 0 && self.added == self.entries,
                "added",
                "the first version adds all its entries",
            )?;
        }
        let bases: Vec<u64> = self.deltas.iter().map(|delta| delta.from).collect();
        require(
            bases == delta_bases(self.version),
            "deltas",
            "version v has deltas from v - 1 and from v - 2^j wherever 2^j divides v, ascending",
        )?;
        let direct = self.deltas.last().map(|delta| delta.release);
        require(direct == self.previous, "deltas", "the last delta is from the release before")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delta_bases_are_those_of_the_powers_of_two_that_divide_the_version() {
        assert!(delta_bases(1).is_empty());
        assert_eq!(delta_bases(2), [1]);
        assert_eq!(delta_bases(3), [2]);
        assert_eq!(delta_bases(4), [2, 3]);
        assert_eq!(delta_bases(12), [8, 10, 11]);
        assert_eq!(delta_bases(16), [8, 12, 14, 15]);
    }

    #[test]
    fn any_version_is_reached_in_logarithmically_many_hops() {
        for target in 1u64..600 {
            for start in 1..=target {
                let (mut at, mut hops) = (target, 0);
                while at > start {
                    at = delta_bases(at).into_iter().find(|&base| base >= start).unwrap();
                    hops += 1;
                }
                assert!(hops <= 2 * target.ilog2() + 1, "{start} -> {target}: {hops} hops");
            }
        }
    }
}
