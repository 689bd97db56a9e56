//! Single entries of the copy, each with the proof that it stands there under the newest checkpoint.
//!
//! What is read from files is verified before it is shown: the proof must lead from the entry to the root that the log
//! signed.

use crate::mirror;
use crate::report::NamedKey;
use crate::trust::{Trust, View};
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::StatementId;
use isonomy_core::note::{Signature, VerifierKey};
use isonomy_core::resource::Resource;
use isonomy_core::statement::Statement;
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{LeafIndex, TreeSize, leaf_hash, verify_inclusion};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// The copy as it was at one look.
#[derive(Clone, Debug)]
pub(crate) struct Explorer {
    pub(crate) folder: PathBuf,
    pub(crate) newest: View,
    pub(crate) trust: Arc<Trust>,
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
    /// Since when it is public, by its seen proof in the copy: at the latest, since a log may show a later one than the first. Absent where
    /// the copy has none, as of an entry that stands there for the second time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_since: Option<Timestamp>,
    /// The hash of the leaf, in base64 (RFC 9162 section 2.1.1).
    pub leaf_hash: String,
    /// The inclusion proof from the leaf's sibling upwards, in base64.
    pub path: Vec<String>,
    /// What the entry is, if it is a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<StatementReport>,
    /// If it is none that this monitor can read: the form of a statement that it has, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
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
    /// The lines under it, each with whether it is a signature.
    pub lines: Vec<Line>,
}

/// A line under a statement: anybody can write one in any name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// The key in whose name it stands.
    pub key: NamedKey,
    /// Whether it is the signature of that key, which the charter names by which the statement is judged: of an edition itself or the one
    /// before it, of a release the one that it cites; of an attestation, the key of its auditor.
    pub holds: bool,
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

impl Explorer {
    pub(crate) fn report(&self, found: &Found) -> EntryReport {
        let checkpoint = found.proof.checkpoint.checkpoint();
        let statement = Statement::parse(&found.entry).ok();
        EntryReport {
            index: found.proof.index,
            size: checkpoint.size,
            root: checkpoint.root.to_base64(),
            public_since: statement.as_ref().and_then(|statement| self.public_since(found, &statement.id())),
            leaf_hash: leaf_hash(&found.entry).to_base64(),
            path: found.proof.path.iter().map(|hash| hash.to_base64()).collect(),
            form: statement.is_none().then(|| Statement::form_of(&found.entry)).flatten(),
            statement: statement.map(|statement| self.describe(&statement)),
            entry: String::from_utf8_lossy(&found.entry).into_owned(),
        }
    }

    fn public_since(&self, found: &Found, id: &StatementId) -> Option<Timestamp> {
        let seen = TlogProof::parse(&mirror::read(&self.folder, &Resource::SeenProof(*id)).ok()??).ok()?;
        let times = self.trust.proven(&seen, &found.entry)?;
        (seen.index == found.proof.index).then_some(times.earliest)
    }

    fn describe(&self, statement: &Statement) -> StatementReport {
        let (kind, number, note) = match statement {
            Statement::Charter(charter) => ("charter", Some(charter.body().edition), charter.note()),
            Statement::Release(release) => ("release", Some(release.body().version), release.note()),
            Statement::Attestation(attestation) => ("attestation", None, attestation.note()),
        };
        let keys = self.keys(statement);
        let holds = |line: &Signature| keys.iter().any(|key| key.has_signed(note.text(), line));
        let line = |line: &Signature| Line {
            key: NamedKey { name: line.name.clone(), id: to_hex(&line.id.0) },
            holds: holds(line),
        };
        let lines = note.signatures().iter().map(line).collect();
        StatementReport { kind, id: statement.id().to_hex(), list: statement.list().to_string(), number, lines }
    }

    /// The keys whose signatures may stand under a statement, as far as the copy has the charter that names them.
    fn keys(&self, statement: &Statement) -> Vec<VerifierKey> {
        let of = |id: &StatementId| match Statement::parse(&self.statement(id)?).ok()? {
            Statement::Charter(charter) => Some(charter.body().keys().cloned().collect::<Vec<_>>()),
            _ => None,
        };
        match statement {
            Statement::Charter(charter) => {
                let before = charter.body().previous.as_ref().and_then(of).unwrap_or_default();
                charter.body().keys().cloned().chain(before).collect()
            }
            Statement::Release(release) => of(&release.body().charter).unwrap_or_default(),
            Statement::Attestation(attestation) => vec![attestation.body().auditor.clone()],
        }
    }
}
