//! A release before it is published: a folder that passes from the maintainer to the curators and back.
//!
//! ```text
//! release.note        the release, with the signatures that it has so far
//! objects/<sha256>    its snapshot and its deltas
//! content.entries     all entries, one after the other; a convenience that nobody has to believe
//! charter.note        the charter that the release cites; as little to be believed as the content
//! reason.txt          for a removal: why, in the maintainer's words, for the curators
//! ```
//!
//! The release is written last, so that a folder with a release in it is complete. A folder in which that step is missing,
//! because its process died, is finished by writing the draft to it again.

use crate::workspace::{ContentError, check_object};
use isonomy_core::charter::Charter;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::list::Entries;
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::statement::{ListName, MAX_STATEMENT_SIZE, Signed, Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_store::files::{self, FileError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The name of the release's file in the folder.
pub const NOTE_FILE: &str = "release.note";
/// The name of the folder with objects.
pub const OBJECTS: &str = "objects";
/// The name of the file with all entries.
pub const ENTRIES_FILE: &str = "content.entries";
/// The name of the file with the charter that the release cites.
pub const CHARTER_FILE: &str = "charter.note";
/// The name of the file with the reason of a removal.
pub const REASON_FILE: &str = "reason.txt";
/// The most bytes of a reason.
pub const MAX_REASON: usize = 4096;

/// Why a draft can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The folder holds no release.
    #[error("there is no draft in {folder}: {NOTE_FILE} is missing")]
    Missing {
        /// The folder.
        folder: String,
    },
    /// The folder holds a draft already.
    #[error(
        "{folder} holds a draft already, of {list} version {version}: go on with `isonomy release endorse`, or choose another \
         folder"
    )]
    Occupied {
        /// The folder.
        folder: String,
        /// The list.
        list: ListName,
        /// The version.
        version: u64,
    },
    /// The release is malformed.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The statement is something else.
    #[error("the statement in {NOTE_FILE} is no release")]
    NotARelease,
    /// An object is missing.
    #[error("the object {digest} is missing in the draft; ask whoever made it for the whole folder")]
    ObjectMissing {
        /// Its digest.
        digest: ObjectDigest,
    },
    /// An object is damaged.
    #[error(transparent)]
    Object(#[from] ContentError),
    /// The draft in the folder has another text than the one that should take its place.
    #[error("the draft in the folder is {found}, not {expected}; it was left as it is")]
    OtherText {
        /// The release whose signatures should be written.
        expected: String,
        /// The release that is there.
        found: String,
    },
    /// Files can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What lies beside the release and its objects, for whoever looks into the folder.
#[derive(Clone, Copy, Debug)]
pub struct Attachments<'a> {
    /// The content of the release.
    pub entries: &'a Entries,
    /// The charter that it cites.
    pub charter: &'a Signed<Charter>,
    /// Why entries are removed.
    pub reason: Option<&'a str>,
}

/// A release and its objects, each of which has the digest that the release names.
#[derive(Clone, Debug)]
pub struct Draft {
    release: Signed<Release>,
    /// Shared by copies with other signatures: they are large.
    objects: Arc<BTreeMap<ObjectDigest, Vec<u8>>>,
}

impl Draft {
    /// The release with these objects; every one that it names must be there.
    pub fn new(release: Signed<Release>, objects: BTreeMap<ObjectDigest, Vec<u8>>) -> Result<Self, DraftError> {
        for object in release.body().objects() {
            let bytes = objects.get(&object.sha256).ok_or(DraftError::ObjectMissing { digest: object.sha256 })?;
            check_object(&object, bytes)?;
        }
        Ok(Self { release, objects: Arc::new(objects) })
    }

    /// Reads a draft from its folder.
    pub fn read(folder: &Path) -> Result<Self, DraftError> {
        let release = read_release(folder)?;
        let mut objects = BTreeMap::new();
        for object in release.body().objects() {
            objects.insert(object.sha256, read_object(folder, &object)?);
        }
        Self::new(release, objects)
    }

    /// Writes the draft to a folder that has none yet.
    pub fn write(&self, folder: &Path, beside: &Attachments<'_>) -> Result<(), DraftError> {
        let note = folder.join(NOTE_FILE);
        if note.exists() {
            let there = read_release(folder)?;
            let (folder, list, version) =
                (folder.display().to_string(), there.body().list.clone(), there.body().version);
            return Err(DraftError::Occupied { folder, list, version });
        }
        let objects = folder.join(OBJECTS);
        files::create_dir_all_durable(&objects)?;
        files::remove_temporaries_below(folder)?;
        let named: Vec<_> = self.objects.iter().map(|(digest, bytes)| (objects.join(digest.to_hex()), bytes)).collect();
        files::write_all_once(&named)?;
        files::replace(&folder.join(ENTRIES_FILE), beside.entries.as_bytes())?;
        files::replace(&folder.join(CHARTER_FILE), &beside.charter.to_bytes())?;
        match beside.reason {
            Some(reason) => files::replace(&folder.join(REASON_FILE), reason.as_bytes())?,
            None => files::remove_durable(&folder.join(REASON_FILE))?,
        }
        // Last, so that a folder with a release in it is complete.
        Ok(files::create_new(&note, &self.release.to_bytes())?)
    }

    /// The release.
    pub fn release(&self) -> &Signed<Release> {
        &self.release
    }

    /// An object that the release names.
    pub fn object(&self, digest: &ObjectDigest) -> Option<&[u8]> {
        self.objects.get(digest).map(Vec::as_slice)
    }

    /// The same draft with other signatures.
    pub fn signed(&self, release: Signed<Release>) -> Result<Self, DraftError> {
        check_text(&self.release, &release)?;
        Ok(Self { release, objects: Arc::clone(&self.objects) })
    }

    /// What is in it.
    pub fn report(&self) -> DraftReport {
        let release = self.release.body();
        let object =
            |what: String, object: ObjectRef| ObjectReport { what, size: object.size, sha256: object.sha256.to_hex() };
        let deltas = release.deltas.iter().map(|delta| {
            object(format!("delta from version {}", delta.from), ObjectRef { size: delta.size, sha256: delta.sha256 })
        });
        DraftReport {
            list: release.list.clone(),
            version: release.version,
            release: self.release.id().to_hex(),
            charter: release.charter.to_hex(),
            created: release.created,
            expires: release.expires,
            entries: release.entries,
            irregular: release.irregular,
            added: release.added,
            removed: release.removed,
            root: release.root.to_hex(),
            objects: std::iter::once(object("snapshot".to_owned(), release.snapshot)).chain(deltas).collect(),
            lines: self.release.note().signatures().iter().map(|line| line.name.clone()).collect(),
        }
    }
}

/// What is in a draft, as it says itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DraftReport {
    /// The list.
    pub list: ListName,
    /// The version.
    pub version: u64,
    /// The identity, in hexadecimal.
    pub release: String,
    /// The charter that it cites, in hexadecimal.
    pub charter: String,
    /// When it was composed.
    pub created: Timestamp,
    /// Until when it may be used.
    pub expires: Timestamp,
    /// How many entries the list has.
    pub entries: u64,
    /// How many of them are there by exception.
    pub irregular: u64,
    /// How many it adds.
    pub added: u64,
    /// How many it removes.
    pub removed: u64,
    /// The root of the list, in hexadecimal.
    pub root: String,
    /// Its objects.
    pub objects: Vec<ObjectReport>,
    /// The names in its signature lines, unverified.
    pub lines: Vec<String>,
}

/// An object of a draft.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ObjectReport {
    /// Snapshot, or delta from which version.
    pub what: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest, in hexadecimal.
    pub sha256: String,
}

/// The release in a draft folder.
pub fn read_release(folder: &Path) -> Result<Signed<Release>, DraftError> {
    let bytes = files::read_limited(&folder.join(NOTE_FILE), MAX_STATEMENT_SIZE)?;
    let bytes = bytes.ok_or_else(|| DraftError::Missing { folder: folder.display().to_string() })?;
    Statement::parse_draft(&bytes)?.into_release().ok_or(DraftError::NotARelease)
}

/// Why entries are removed, if that is written in a draft folder; without control characters, since it is shown.
pub fn read_reason(folder: &Path) -> Result<Option<String>, DraftError> {
    let bytes = files::read_limited(&folder.join(REASON_FILE), MAX_REASON)?;
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(text.map(|text| text.chars().filter(|character| !character.is_control()).collect()))
}

/// The charter that the release in a draft folder cites, if it lies there.
pub fn read_charter(folder: &Path, release: &Release) -> Result<Option<Signed<Charter>>, DraftError> {
    let bytes = files::read_limited(&folder.join(CHARTER_FILE), MAX_STATEMENT_SIZE)?;
    let Some(bytes) = bytes else { return Ok(None) };
    Ok(Statement::parse(&bytes)?.into_charter().filter(|charter| charter.id() == release.charter))
}

/// Puts a release with further signatures in the place of the one in a draft folder.
pub fn write_release(folder: &Path, release: &Signed<Release>) -> Result<(), DraftError> {
    check_text(&read_release(folder)?, release)?;
    Ok(files::replace(&folder.join(NOTE_FILE), &release.to_bytes())?)
}

fn check_text(there: &Signed<Release>, new: &Signed<Release>) -> Result<(), DraftError> {
    if there.id() == new.id() {
        return Ok(());
    }
    Err(DraftError::OtherText { expected: new.id().to_hex(), found: there.id().to_hex() })
}

fn read_object(folder: &Path, object: &ObjectRef) -> Result<Vec<u8>, DraftError> {
    let path = folder.join(OBJECTS).join(object.sha256.to_hex());
    let limit = usize::try_from(object.size).unwrap_or(usize::MAX);
    let bytes = files::read_limited(&path, limit)?;
    bytes.ok_or(DraftError::ObjectMissing { digest: object.sha256 })
}
