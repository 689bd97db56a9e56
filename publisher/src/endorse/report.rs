//! What was counted, who has signed, and what a curator knows of the entries.

use super::{EndorseError, Examined};
use crate::stored::StoredList;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::Entries;
use isonomy_core::list::delta::Differing;
use isonomy_core::note::VerifierKey;
use isonomy_core::release::Release;
use isonomy_core::rules::{Violation, signatures};
use isonomy_core::statement::{ListName, Signed};
use isonomy_core::time::Timestamp;
use isonomy_matcher::lookup::Index;
use serde::Serialize;

/// The most entries that a report shows.
pub(super) const SHOWN: usize = 20;

/// What a curator knows of the entries that a release adds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HoldingsReport {
    /// Added entries that the curator has too.
    pub known: u64,
    /// Added entries that it does not have.
    pub unknown: u64,
    /// The first of the unknown ones, in hexadecimal.
    pub examples: Vec<String>,
}

/// A curator's own hashes.
#[derive(Clone, Copy, Debug)]
pub enum Holdings<'h> {
    /// In memory.
    Read(&'h Entries),
    /// In a file, which is read piece by piece.
    Stored(&'h StoredList),
}

/// What was counted in a release, and who has signed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EndorsementReport {
    /// The list.
    pub list: ListName,
    /// The version.
    pub version: u64,
    /// The identity, in hexadecimal.
    pub release: String,
    /// The edition of the charter that it cites.
    pub edition: u64,
    /// When it was composed.
    pub created: Timestamp,
    /// Until when the log admits it.
    pub submit_before: Timestamp,
    /// Entries, as counted.
    pub entries: u64,
    /// Irregular entries, as counted.
    pub irregular: u64,
    /// Added entries, as counted.
    pub added: u64,
    /// Removed entries, as counted.
    pub removed: u64,
    /// The root of the list, as computed, in hexadecimal.
    pub root: String,
    /// The names of the keys that have signed.
    pub signed: Vec<String>,
    /// What is still missing, in words; nothing once it can be submitted.
    pub missing: Option<String>,
}

impl Examined<'_> {
    /// How many of the added entries the curator knows itself: those within the charter's distance of one of its own.
    pub fn compare(&self, holdings: &Entries) -> Result<HoldingsReport, EndorseError> {
        let matching = &self.charter.matching;
        let index = Index::new(matching.algorithm, holdings)?;
        let distance = u32::try_from(matching.max_distance).unwrap_or(u32::MAX);
        let mut report = HoldingsReport { known: 0, unknown: 0, examples: Vec::new() };
        for entry in self.change.added() {
            if !index.within(matching.algorithm.hash_of(entry), distance)?.is_empty() {
                report.known += 1;
                continue;
            }
            report.unknown += 1;
            if report.examples.len() < SHOWN {
                report.examples.push(to_hex(entry));
            }
        }
        Ok(report)
    }

    /// The entries of the release that do not stand in `holdings`, to the bit.
    pub fn missing_from(&self, holdings: Holdings<'_>) -> Result<Entries, EndorseError> {
        let mut differing = Differing::new(&self.entries);
        match holdings {
            Holdings::Read(entries) => differing.take(entries, |_| ())?,
            Holdings::Stored(list) => list.pieces(|piece| Ok::<(), EndorseError>(differing.take(piece, |_| ())?))?,
        }
        Ok(differing.finish().added().clone())
    }

    /// What was counted, and who has signed. `signed` is the release with the newest signatures.
    pub fn report(&self, signed: &Signed<Release>) -> EndorsementReport {
        let body = signed.body();
        let lines = signed.note().signatures();
        let has = |key: &&VerifierKey| lines.iter().any(|line| key.matches(line));
        EndorsementReport {
            list: body.list.clone(),
            version: body.version,
            release: signed.id().to_hex(),
            edition: self.charter.edition,
            created: body.created,
            submit_before: body.created.plus(signatures::DRAFT_LIFETIME),
            entries: self.entries.len() as u64,
            irregular: body.irregular,
            added: self.change.added().len() as u64,
            removed: self.change.removed().len() as u64,
            root: body.root.to_hex(),
            signed: self.counted.iter().filter(has).map(|key| key.name().to_owned()).collect(),
            missing: self.missing(signed),
        }
    }

    /// What rule 2 still asks for, in words.
    fn missing(&self, signed: &Signed<Release>) -> Option<String> {
        let violation = signatures::release(signed, self.charter).err()?;
        let curators = match violation {
            // The rule names what is missing first; whoever reads this wants to know of the curators as well.
            Violation::MaintainerMissing { .. } => signatures::curators(signed, self.charter).err(),
            _ => None,
        };
        let curators = curators.map_or(String::new(), |violation| format!("; {violation}"));
        Some(format!("{}: {violation}{curators}", violation.rule()))
    }
}
