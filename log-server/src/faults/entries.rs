//! A log of opaque entries: append, integrate, publish, publish again; over the end of a tile.

use super::world::{cosigned, log_key};
use super::{Story, Told, audit};
use crate::files::PublicFolder;
use crate::log::{Log, LogError};
use crate::recovery::open_store;
use crate::server::remove_leftovers;
use isonomy_core::tree::LeafIndex;
use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

pub(super) struct Entries;

/// What is appended together. Between 250 and 266 entries the first tile is completed.
const BATCHES: [std::ops::Range<u64>; 5] = [0..250, 250..253, 253..263, 263..264, 264..266];

pub(super) fn open(data: &Path) -> Result<Log, Box<dyn Error>> {
    remove_leftovers(data)?;
    let private = data.join("private");
    let public = PublicFolder::open(data.join("public"))?;
    let store = open_store(&private.join("state"))?;
    Ok(Log::open(public, &private, &store, log_key())?)
}

/// Appends what is not there yet of a batch.
pub(super) fn append(log: &Log, batch: usize, told: &mut Told) -> Result<(), LogError> {
    let mut known = BTreeSet::new();
    let visit = |entry| {
        known.insert(entry);
        Ok::<_, LogError>(())
    };
    log.replay(|_, entry| Ok(entry), visit)?;
    let entries: Vec<Vec<u8>> = BATCHES[batch].clone().map(|number| format!("entry {number}").into_bytes()).collect();
    let new: Vec<Vec<u8>> = entries.into_iter().filter(|entry| !known.contains(entry)).collect();
    if !new.is_empty() {
        let first = log.append(&new)?;
        told.acknowledged.extend((first.0..).map(LeafIndex).zip(new));
    }
    Ok(())
}

pub(super) fn publish(log: &Log, told: &mut Told) -> Result<(), LogError> {
    let head = log.integrate()?;
    told.shown.push(head.clone());
    log.publish(&cosigned(&head))
}

impl Story for Entries {
    const NAME: &'static str = "a log of entries";

    fn prepare(folder: &Path) -> Self {
        // What a server makes when it starts for the first time.
        std::fs::create_dir_all(folder).unwrap();
        let (log, mut told) = (open(folder).unwrap(), Told::default());
        append(&log, 0, &mut told).unwrap();
        publish(&log, &mut told).unwrap();
        Self
    }

    fn go_on(&self, folder: &Path, told: &mut Told) -> Result<(), Box<dyn Error>> {
        let log = open(folder)?;
        append(&log, 1, told)?;
        publish(&log, told)?;
        append(&log, 2, told)?;
        append(&log, 3, told)?;
        publish(&log, told)?;
        publish(&log, told)?;
        append(&log, 4, told)?;
        Ok(())
    }

    fn audit(&self, folder: &Path, told: &mut Told) -> Vec<Vec<u8>> {
        self.go_on(folder, told).unwrap_or_else(|error| panic!("it does not start again: {error}"));
        publish(&open(folder).unwrap(), told).unwrap();
        audit::assert_tidy(folder);
        let entries = audit::audit_tree(&folder.join("public"));
        assert_eq!(entries.len(), 266);
        entries
    }
}
