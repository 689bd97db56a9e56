//! The content of a release: fetched the cheapest way, applied, and checked against the root.

use super::{Stop, Update, malformed};
use crate::update::statements::rule;
use isonomy_core::hash::sha256;
use isonomy_core::list::{Entries, ListError, delta, snapshot};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_core::rules::Violation;
use isonomy_core::rules::content::{self, Churn};
use isonomy_core::rules::editions::Edition;
use isonomy_core::statement::Signed;

impl Update {
    /// The entries of `release`, which pass rule 8. They are fetched once in an update.
    pub(super) fn check_content(&mut self, release: &Signed<Release>, edition: &Edition) -> Result<Entries, Stop> {
        if let Some(entries) = self.verified.get(&release.id()) {
            return Ok(entries.clone());
        }
        let algorithm = edition.charter().matching.algorithm;
        let body = release.body();
        content::judge_snapshot_size(body, algorithm).map_err(|violation| rule(release.id(), violation))?;
        let entries = match self.delta_path(release)? {
            Some(path) => self.apply(release, &path)?,
            None => {
                let pieces = self.object_in_pieces(&body.snapshot)?;
                snapshot::decode_pieces(pieces, algorithm.entry_size(), body.entries)
                    .map_err(|error| undecodable(release, "snapshot", error))?
            }
        };
        let churn = self.churn(body, &entries);
        content::judge(body, algorithm, &entries, churn).map_err(|violation| rule(release.id(), violation))?;
        self.verified.insert(release.id(), entries.clone());
        Ok(entries)
    }

    /// How many entries `entries` adds to the list in force, counted by this client.
    pub(super) fn additions(&self, entries: &Entries) -> Option<u64> {
        let in_force = self.in_force.as_ref()?;
        let delta = delta::diff(in_force.entries(), entries).ok()?;
        Some(delta.added().len() as u64)
    }

    /// The change against the release directly before, where that is the one in force.
    fn churn(&self, release: &Release, entries: &Entries) -> Option<Churn> {
        let in_force = self.in_force.as_ref().filter(|list| release.previous == Some(list.accepted().release))?;
        let delta = delta::diff(in_force.entries(), entries).ok()?;
        Some(Churn { added: delta.added().len() as u64, removed: delta.removed().len() as u64 })
    }

    /// The deltas from the list in force to `release`, oldest first, if they are smaller than its snapshot.
    fn delta_path(&self, release: &Signed<Release>) -> Result<Option<Vec<ObjectRef>>, Stop> {
        let Some(in_force) = &self.in_force else {
            return Ok(None);
        };
        let (mut path, mut at) = (Vec::new(), release.clone());
        while at.id() != in_force.accepted().release {
            let Some(step) = at.body().step_down_to(in_force.version()) else {
                return Ok(None);
            };
            path.push(ObjectRef { size: step.size, sha256: step.sha256 });
            if step.release == in_force.accepted().release {
                break;
            }
            let resource = Resource::Statement(step.release);
            let older = self.statement(&step.release)?.into_release();
            at = older.ok_or_else(|| malformed(&resource, "not a release"))?;
        }
        path.reverse();
        let total = path.iter().fold(0u64, |total, delta| total.saturating_add(delta.size));
        Ok((total < release.body().snapshot.size).then_some(path))
    }

    fn apply(&mut self, release: &Signed<Release>, path: &[ObjectRef]) -> Result<Entries, Stop> {
        path.iter().for_each(|delta| self.received.join(&Resource::Object(delta.sha256)));
        // Every object is asked for before the first is applied.
        let deltas = path.iter().map(|delta| self.object(delta)).collect::<Result<Vec<&[u8]>, Stop>>()?;
        let start = self.in_force.as_ref().map(|list| list.entries().clone());
        let mut entries = start.ok_or_else(|| malformed(&Resource::Checkpoint, "nothing to apply a delta to"))?;
        // While one delta of several is applied, three lists are in memory: the one in force, the one that it applies to, and
        // the one that comes of it.
        for bytes in deltas {
            entries = delta::apply(&entries, bytes).map_err(|error| undecodable(release, "delta", error))?.entries;
        }
        Ok(entries)
    }

    fn object(&self, reference: &ObjectRef) -> Result<&[u8], Stop> {
        let resource = Resource::Object(reference.sha256);
        let bytes = self.received.resource_within(resource.clone(), reference.size)?;
        check_object(reference, &[bytes])?;
        Ok(bytes)
    }

    /// The same, given away: what is made of it is kept in [`Update::verified`].
    fn object_in_pieces(&mut self, reference: &ObjectRef) -> Result<Vec<Vec<u8>>, Stop> {
        let pieces = self.received.give_pieces(Resource::Object(reference.sha256), reference.size)?;
        check_object(reference, &pieces.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        Ok(pieces)
    }
}

fn check_object(reference: &ObjectRef, pieces: &[&[u8]]) -> Result<(), Stop> {
    let size = pieces.iter().fold(0u64, |size, piece| size.saturating_add(piece.len() as u64));
    if size != reference.size || sha256(pieces) != reference.sha256.0 {
        return Err(malformed(&Resource::Object(reference.sha256), "other bytes than its digest names"));
    }
    Ok(())
}

/// An object with the digest that was signed, and not the content that was promised: its publisher's fault.
fn undecodable(release: &Signed<Release>, what: &'static str, error: ListError) -> Stop {
    rule(release.id(), Violation::Undecodable { what, problem: error.to_string() })
}
