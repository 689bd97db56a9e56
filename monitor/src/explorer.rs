//! Single entries of the copy, each with the proof that it stands there under the newest checkpoint.
//!
//! What is read from files is verified before it is shown: the proof must lead from the entry to the root that the log
//! signed.

use crate::mirror;
use crate::trust::View;
use isonomy_core::hash::StatementId;
use isonomy_core::resource::Resource;
use isonomy_core::statement::Statement;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{LeafIndex, TreeSize, leaf_hash, verify_inclusion};
use serde::Serialize;
use std::path::PathBuf;

/// The copy as it was at one look.
#[derive(Clone, Debug)]
pub(crate) struct Explorer {
    pub(crate) folder: PathBuf,
    pub(crate) newest: View,
}

/// An entry with its proof.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) entry: Vec<u8>,
    pub(crate) proof: TlogProof,
}

/// An entry as data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EntryReport {
    /// Its place in the log, from 0.
    pub index: LeafIndex,
    /// The size of the tree that the proof is for.
    pub size: TreeSize,
    /// The root of that tree, in base64.
    pub root: String,
    /// The hash of the leaf, in base64 (RFC 9162 section 2.1.1).
    pub leaf_hash: String,
    /// The inclusion proof from the leaf's sibling upwards, in base64.
    pub path: Vec<String>,
    /// What the entry is, if it is a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<StatementReport>,
    /// The entry; bytes that are not UTF-8 are replaced.
    pub entry: String,
}

/// What a statement is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StatementReport {
    /// `charter`, `release` or `attestation`.
    pub kind: &'static str,
    /// Its identity, in hexadecimal.
    pub id: String,
    /// The list that it is about.
    pub list: String,
    /// Edition of a charter, or version of a release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The names of the keys that stand under it.
    pub signers: Vec<String>,
}

impl Explorer {
    /// The entry at this place, if there is one and the copy proves it.
    pub(crate) fn find(&self, index: LeafIndex) -> Option<Found> {
        let entry = mirror::entry_in(&self.folder, &self.newest, index)?;
        let proof = mirror::proof_in(&self.folder, &self.newest, index)?;
        let (size, root) = (self.newest.size(), self.newest.root());
        verify_inclusion(&leaf_hash(&entry), index, size, &proof.path, &root).ok()?;
        Some(Found { entry, proof })
    }

    /// A statement, whose place its seen proof tells.
    fn statement(&self, id: &StatementId) -> Option<Vec<u8>> {
        let proof = mirror::read(&self.folder, &Resource::SeenProof(*id)).ok()??;
        let found = self.find(TlogProof::parse(&proof).ok()?.index)?;
        (Statement::parse(&found.entry).ok()?.id() == *id).then_some(found.entry)
    }

    /// Whether the copy shows that a view is an earlier state of it, or the same.
    pub(crate) fn is_of_this_history(&self, view: &View) -> bool {
        let (size, root) = (self.newest.size(), self.newest.root());
        match view.size().cmp(&size) {
            std::cmp::Ordering::Equal => view.root() == root,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Less => mirror::prefix_in(&self.folder, &self.newest, view.size())
                .is_some_and(|(prefix, whole)| whole == root && prefix == view.root()),
        }
    }

    /// A resource of the copy, as it is kept.
    pub(crate) fn resource(&self, resource: &Resource) -> Option<Vec<u8>> {
        match resource {
            Resource::Checkpoint | Resource::Tile(_) | Resource::SeenProof(_) => {
                mirror::read(&self.folder, resource).ok()?
            }
            Resource::Statement(id) => self.statement(id),
            Resource::Object(_) | Resource::Bundle(_) => None,
        }
    }
}

impl Found {
    pub(crate) fn report(&self) -> EntryReport {
        let checkpoint = self.proof.checkpoint.checkpoint();
        EntryReport {
            index: self.proof.index,
            size: checkpoint.size,
            root: checkpoint.root.to_base64(),
            leaf_hash: leaf_hash(&self.entry).to_base64(),
            path: self.proof.path.iter().map(|hash| hash.to_base64()).collect(),
            statement: Statement::parse(&self.entry).ok().map(|statement| StatementReport::new(&statement)),
            entry: String::from_utf8_lossy(&self.entry).into_owned(),
        }
    }
}

impl StatementReport {
    fn new(statement: &Statement) -> Self {
        let (kind, number, note) = match statement {
            Statement::Charter(charter) => ("charter", Some(charter.body().edition), charter.note()),
            Statement::Release(release) => ("release", Some(release.body().version), release.note()),
            Statement::Attestation(attestation) => ("attestation", None, attestation.note()),
        };
        let signers = note.signatures().iter().map(|line| line.name.clone()).collect();
        Self { kind, id: statement.id().to_hex(), list: statement.list().to_string(), number, signers }
    }
}
