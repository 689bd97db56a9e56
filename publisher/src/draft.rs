//! A release before it is published: one file that passes from the maintainer to the curators.
//!
//! It holds the release without signatures, its snapshot and deltas, the charter that it cites, and for a removal the reason, in
//! the form that `archive` defines. Nothing in it is believed. It never changes: what a curator sends back is the release with
//! a signature, a small file of its own.

mod archive;

use crate::workspace::{ContentError, check_size, malformed_snapshot};
use archive::{ArchiveError, Kind, Writer};
use isonomy_core::charter::Charter;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::json;
use isonomy_core::list::snapshot::{self, Decoding};
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::rules::content;
use isonomy_core::statement::{ListName, MAX_STATEMENT_SIZE, Signed, Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_store::files::{self, FileError, Incoming};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most bytes of a reason.
pub const MAX_REASON: usize = 4096;

/// Why a draft can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// There is no such file.
    #[error("there is no draft {path}; `isonomy release new` makes one")]
    Missing {
        /// The file.
        path: String,
    },
    /// The file can't be read.
    #[error("can't read the draft {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The file is no draft.
    #[error("{path} is no draft as `isonomy release new` writes it: {why}. Ask whoever made it for the file itself")]
    NotADraft {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// There is a draft already.
    #[error(
        "{path} is a draft already, of {list} version {version}: go on with `isonomy release endorse`, or choose another file"
    )]
    Occupied {
        /// The file.
        path: String,
        /// The list.
        list: ListName,
        /// The version.
        version: u64,
    },
    /// A statement is malformed.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// An object is not the one that the release names.
    #[error("the object {digest} is not in the draft")]
    ObjectMissing {
        /// Its digest.
        digest: ObjectDigest,
    },
    /// The text of the release is another one.
    #[error("it is of the release {found}, where the draft is of {expected}")]
    OtherText {
        /// The release in the draft.
        expected: String,
        /// The other one.
        found: String,
    },
    /// Its content is not what it says.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A file can't be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A release and where its objects are in the draft's file.
#[derive(Clone, Debug)]
pub struct Draft {
    release: Signed<Release>,
    charter: Signed<Charter>,
    reason: Option<String>,
    path: PathBuf,
    /// Where each object begins. Shared by copies with other signatures.
    places: Arc<BTreeMap<ObjectDigest, u64>>,
}

impl Draft {
    /// Reads a draft, but for its objects, which are read and checked when they are asked for.
    pub fn open(path: &Path) -> Result<Self, DraftError> {
        Reader { file: open(path)?, path }.draft()
    }

    /// The release.
    pub fn release(&self) -> &Signed<Release> {
        &self.release
    }

    /// The charter that the release cites, as the maintainer gave it.
    pub fn charter(&self) -> &Signed<Charter> {
        &self.charter
    }

    /// Why entries are removed, if that is said.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The same draft with other signatures.
    pub fn signed(&self, release: Signed<Release>) -> Result<Self, DraftError> {
        let (expected, found) = (self.release.id(), release.id());
        if expected != found {
            return Err(DraftError::OtherText { expected: expected.to_hex(), found: found.to_hex() });
        }
        Ok(Self { release, ..self.clone() })
    }

    /// The bytes of an object that the release names.
    pub fn object(&self, digest: &ObjectDigest) -> Result<Vec<u8>, DraftError> {
        let object = self.release.body().objects().find(|object| object.sha256 == *digest);
        let object = object.ok_or(DraftError::ObjectMissing { digest: *digest })?;
        let mut bytes = Vec::with_capacity(usize::try_from(object.size).unwrap_or(0));
        self.pieces(&object, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// The content of the release, from its snapshot, judged by rule 8. The snapshot is never in memory as a whole.
    pub fn entries(&self, algorithm: Algorithm) -> Result<Entries, DraftError> {
        let release = self.release.body();
        check_size(release, algorithm.entry_size())?;
        let mut decoding = Decoding::new(release.snapshot.size, algorithm.entry_size(), release.entries);
        let malformed = |error| malformed_snapshot(release, error);
        self.pieces(&release.snapshot, |piece| decoding.take(piece).map_err(malformed))?;
        let entries = decoding.finish().map_err(malformed)?;
        content::judge(release, algorithm, &entries, None).map_err(ContentError::from)?;
        Ok(entries)
    }

    /// Reads an object once; what `take` made of it counts only if this succeeds, since its digest shows in the end, and what
    /// `take` says of other bytes is not believed.
    fn pieces(
        &self,
        object: &ObjectRef,
        take: impl FnMut(&[u8]) -> Result<(), ContentError>,
    ) -> Result<(), DraftError> {
        let start = self.places.get(&object.sha256).ok_or(DraftError::ObjectMissing { digest: object.sha256 })?;
        let failed = |source| unreadable(&self.path, source);
        let mut file = open(&self.path)?;
        file.seek(SeekFrom::Start(*start)).map_err(failed)?;
        let (digest, taken) = files::digest_pieces(file.take(object.size), take).map_err(failed)?;
        if digest != object.sha256.0 {
            return Err(ContentError::OtherBytes { expected: object.sha256 }.into());
        }
        Ok(taken?)
    }

    /// What is in it.
    pub fn report(&self) -> DraftReport {
        DraftReport::of(&self.release)
    }
}

fn open(path: &Path) -> Result<File, DraftError> {
    File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => DraftError::Missing { path: path.display().to_string() },
        _ => unreadable(path, source),
    })
}

fn unreadable(path: &Path, source: io::Error) -> DraftError {
    DraftError::Read { path: path.display().to_string(), source }
}

/// Reads a draft's file.
struct Reader<'p> {
    file: File,
    path: &'p Path,
}

impl Reader<'_> {
    fn draft(mut self) -> Result<Draft, DraftError> {
        let members = archive::members(&mut self.file).map_err(|error| match error {
            ArchiveError::Io(source) => unreadable(self.path, source),
            ArchiveError::Form(why) => self.refused(why),
        })?;
        let members: BTreeMap<Kind, (u64, u64)> =
            members.iter().map(|member| (member.kind, (member.start, member.size))).collect();
        let release = self.text(&members, Kind::Release, MAX_STATEMENT_SIZE)?;
        let release = release.ok_or_else(|| self.refused("its release is missing"))?;
        let release = Statement::parse_draft(&release)?.into_release();
        let release = release.ok_or_else(|| self.refused("what should be its release is another statement"))?;
        if !release.note().signatures().is_empty() {
            return Err(self.refused("it is signed already: signatures come in files of their own"));
        }
        let charter = self.text(&members, Kind::Charter, MAX_STATEMENT_SIZE)?;
        let charter = charter.map(|bytes| Statement::parse(&bytes)).transpose()?.and_then(Statement::into_charter);
        let charter = charter.filter(|charter| charter.id() == release.body().charter);
        let charter = charter.ok_or_else(|| self.refused("it lacks the charter that its release cites"))?;
        let reason = self.text(&members, Kind::Reason, MAX_REASON)?.map(|bytes| self.reason(bytes)).transpose()?;
        let places = self.places(release.body(), &members)?;
        Ok(Draft { release, charter, reason, path: self.path.to_owned(), places: Arc::new(places) })
    }

    fn refused(&self, why: &str) -> DraftError {
        DraftError::NotADraft { path: self.path.display().to_string(), why: why.to_owned() }
    }

    /// The bytes of a member of at most `most` bytes; nothing if there is none.
    fn text(
        &mut self,
        members: &BTreeMap<Kind, (u64, u64)>,
        kind: Kind,
        most: usize,
    ) -> Result<Option<Vec<u8>>, DraftError> {
        let Some(&(start, size)) = members.get(&kind) else { return Ok(None) };
        if size > most as u64 {
            return Err(self.refused("one of its texts is too long"));
        }
        let mut bytes = vec![0; size as usize];
        let read = self.file.seek(SeekFrom::Start(start)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|source| unreadable(self.path, source))?;
        Ok(Some(bytes))
    }

    /// A reason is shown to people, so it has no control characters.
    fn reason(&self, bytes: Vec<u8>) -> Result<String, DraftError> {
        let text = String::from_utf8(bytes).ok().filter(|text| is_reason(text));
        text.ok_or_else(|| self.refused("its reason is not one line of text"))
    }

    /// Where the objects of the release are: exactly these, each of the size that the release names.
    fn places(
        &self,
        release: &Release,
        members: &BTreeMap<Kind, (u64, u64)>,
    ) -> Result<BTreeMap<ObjectDigest, u64>, DraftError> {
        let deltas = release
            .deltas
            .iter()
            .map(|delta| (Kind::DeltaFrom(delta.from), ObjectRef { size: delta.size, sha256: delta.sha256 }));
        let mut places = BTreeMap::new();
        for (kind, object) in deltas.chain([(Kind::Snapshot, release.snapshot)]) {
            let place = members.get(&kind).filter(|(_, size)| *size == object.size);
            let (start, _) = place.ok_or_else(|| self.refused("an object is missing or has another size"))?;
            places.insert(object.sha256, *start);
        }
        let objects = members.keys().filter(|kind| matches!(kind, Kind::DeltaFrom(_) | Kind::Snapshot)).count();
        if objects != release.deltas.len() + 1 {
            return Err(self.refused("it has an object that its release does not name"));
        }
        Ok(places)
    }
}

/// Whether a file begins as a draft does.
pub fn is_one(path: &Path) -> bool {
    File::open(path).is_ok_and(|mut file| archive::begins(&mut file))
}

/// Whether a text can be the reason of a removal: of what may stand in a statement, one line, not too long.
pub fn is_reason(text: &str) -> bool {
    let is_line = !text.contains(['\u{2028}', '\u{2029}']) && json::check_string(text).is_ok();
    !text.trim().is_empty() && text.len() <= MAX_REASON && is_line
}

/// A draft's file while it is written. What is dropped before it is [saved](UnsavedDraft::save) leaves nothing.
pub(crate) struct DraftWriter {
    archive: Writer,
}

/// A draft that is written, and has no name yet.
pub struct UnsavedDraft {
    file: Incoming,
    release: Signed<Release>,
}

impl DraftWriter {
    /// Begins a draft in the folder where it will be.
    pub(crate) fn begin(folder: &Path) -> Result<Self, FileError> {
        Ok(Self { archive: Writer::new(Incoming::begin(folder)?) })
    }

    /// Puts the delta from a version. They come in ascending order, before the snapshot.
    pub(crate) fn delta(&mut self, from: u64, bytes: &[u8]) -> Result<ObjectRef, FileError> {
        self.archive.member(Kind::DeltaFrom(from), bytes)?;
        Ok(ObjectRef { size: bytes.len() as u64, sha256: ObjectDigest::of(bytes) })
    }

    /// Puts the snapshot of `entries`.
    pub(crate) fn snapshot(&mut self, entries: &Entries) -> Result<ObjectRef, FileError> {
        let size = snapshot::encoded_len(entries.entry_size(), entries.len() as u64).unwrap_or_default();
        let mut hasher = Sha256::new();
        self.archive.member_with(Kind::Snapshot, size, |file| {
            snapshot::encode_to(entries, |piece| {
                hasher.update(piece);
                file.write(piece)
            })
        })?;
        Ok(ObjectRef { size, sha256: ObjectDigest(hasher.finalize().into()) })
    }

    /// Puts the texts, of which the release, whose objects are there, is the last.
    pub(crate) fn finish(
        mut self,
        charter: &Signed<Charter>,
        reason: Option<&str>,
        release: Signed<Release>,
    ) -> Result<UnsavedDraft, FileError> {
        self.archive.member(Kind::Charter, &charter.to_bytes())?;
        if let Some(reason) = reason {
            self.archive.member(Kind::Reason, reason.as_bytes())?;
        }
        self.archive.member(Kind::Release, &release.to_bytes())?;
        Ok(UnsavedDraft { file: self.archive.finish()?, release })
    }
}

impl UnsavedDraft {
    /// The release.
    pub fn release(&self) -> &Signed<Release> {
        &self.release
    }

    /// What is in it.
    pub fn report(&self) -> DraftReport {
        DraftReport::of(&self.release)
    }

    /// Gives it its name, durably; no other file is replaced.
    pub fn save(self, path: &Path) -> Result<(), DraftError> {
        match self.file.finish_as(path) {
            Err(FileError::Exists { path }) => Err(occupied(&path)),
            saved => Ok(saved?),
        }
    }
}

/// Refuses a file that is there already, before any work is done.
pub fn check_free(path: &Path) -> Result<(), DraftError> {
    if path.symlink_metadata().is_ok() { Err(occupied(path)) } else { Ok(()) }
}

fn occupied(path: &Path) -> DraftError {
    match Draft::open(path) {
        Ok(there) => {
            let Release { list, version, .. } = there.release.body();
            DraftError::Occupied { path: path.display().to_string(), list: list.clone(), version: *version }
        }
        Err(_) => FileError::Exists { path: path.to_owned() }.into(),
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
}

impl DraftReport {
    fn of(release: &Signed<Release>) -> Self {
        let (id, release) = (release.id(), release.body());
        let object =
            |what: String, object: ObjectRef| ObjectReport { what, size: object.size, sha256: object.sha256.to_hex() };
        let deltas = release.deltas.iter().map(|delta| {
            object(format!("delta from version {}", delta.from), ObjectRef { size: delta.size, sha256: delta.sha256 })
        });
        Self {
            list: release.list.clone(),
            version: release.version,
            release: id.to_hex(),
            charter: release.charter.to_hex(),
            created: release.created,
            expires: release.expires,
            entries: release.entries,
            irregular: release.irregular,
            added: release.added,
            removed: release.removed,
            root: release.root.to_hex(),
            objects: std::iter::once(object("snapshot".to_owned(), release.snapshot)).chain(deltas).collect(),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_that_shows_what_it_says() {
        for hidden in [
            '\n', '\r', '\u{1b}', '\u{85}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{202a}',
            '\u{202e}', '\u{2066}', '\u{2069}',
        ] {
            assert!(!is_reason(&format!("listed {hidden} by mistake")), "{hidden:?}");
        }
        for no_reason in ["", " ", "\u{a0}", &"x".repeat(MAX_REASON + 1)] {
            assert!(!is_reason(no_reason), "{no_reason:?}");
        }
        for reason in ["listed by mistake", "aus Versehen – ‘so’ 法", &"x".repeat(MAX_REASON)] {
            assert!(is_reason(reason), "{reason}");
        }
    }
}
