//! The content of earlier releases: kept in a folder as `<version>.entries`, the raw entries one after the other, or
//! fetched from the log. Wherever it comes from, it is checked against the root in the release.
//!
//! The folder is a cache: whatever is missing or damaged in it is fetched anew.

use isonomy_core::hash::ObjectDigest;
use isonomy_core::list::{Algorithm, Entries, ListError, snapshot};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_core::rules::{Violation, content};
use isonomy_core::statement::Signed;
use isonomy_fetch::{FetchError, Source};
use isonomy_store::files::{self, FileError};
use std::path::{Path, PathBuf};

/// Why the content of a release can't be had.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// It can't be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Files can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// An object has other bytes than its digest names.
    #[error("the object {expected} has other bytes than its digest names")]
    OtherBytes {
        /// The digest in the release.
        expected: ObjectDigest,
    },
    /// The size of a snapshot can't be that of so many entries.
    #[error("a snapshot of {entries} entries can't have {size} bytes")]
    Size {
        /// The number of entries in the release.
        entries: u64,
        /// The size in the release.
        size: u64,
    },
    /// An object is malformed, or for another list.
    #[error("{what}: {source}")]
    Malformed {
        /// Which object.
        what: String,
        /// What is wrong.
        source: ListError,
    },
    /// The content is not what the release says.
    #[error("{rule}: {0}", rule = .0.rule())]
    Rule(#[from] Violation),
}

/// A release and its content, from which the next one has a delta.
#[derive(Clone, Debug)]
pub struct Base {
    /// The release.
    pub release: Signed<Release>,
    /// Its content.
    pub entries: Entries,
}

/// A folder that keeps the content of releases.
#[derive(Clone, Debug)]
pub struct Workspace {
    folder: PathBuf,
}

impl Workspace {
    /// The workspace in this folder, which is made if there is none.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        files::create_dir_all_durable(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The content of all `releases`, in their order.
    pub async fn bases<'r>(
        &self,
        releases: impl Iterator<Item = &'r Signed<Release>>,
        algorithm: Algorithm,
        source: &Source,
    ) -> Result<Vec<Base>, ContentError> {
        let mut bases = Vec::new();
        for release in releases {
            let entries = self.entries(release.body(), algorithm, source).await?;
            bases.push(Base { release: release.clone(), entries });
        }
        Ok(bases)
    }

    /// The content of a release: what is kept, if it is right, or else the snapshot from `source`, which is kept then.
    pub async fn entries(
        &self,
        release: &Release,
        algorithm: Algorithm,
        source: &Source,
    ) -> Result<Entries, ContentError> {
        if let Some(entries) = self.kept(release, algorithm)? {
            return Ok(entries);
        }
        let size = algorithm.entry_size();
        check_size(release, size)?;
        let bytes = source.get(&Resource::Object(release.snapshot.sha256), release.snapshot.size).await?;
        let entries = decode(release, algorithm, &bytes)?;
        self.keep(release, &entries)?;
        Ok(entries)
    }

    /// Keeps the content of a release.
    pub fn keep(&self, release: &Release, entries: &Entries) -> Result<(), FileError> {
        files::replace(&self.path(release), entries.as_bytes())
    }

    fn kept(&self, release: &Release, algorithm: Algorithm) -> Result<Option<Entries>, FileError> {
        let expected =
            usize::try_from(release.entries).ok().and_then(|count| count.checked_mul(algorithm.entry_size()));
        let bytes = match files::read_limited(&self.path(release), expected.unwrap_or(0)) {
            Err(FileError::TooLarge { .. }) => return Ok(None),
            answer => answer?,
        };
        let entries = bytes.and_then(|bytes| Entries::from_sorted(algorithm.entry_size(), bytes).ok());
        Ok(entries.filter(|entries| content::judge(release, algorithm, entries, None).is_ok()))
    }

    fn path(&self, release: &Release) -> PathBuf {
        self.folder.join(format!("{}.entries", release.version))
    }
}

/// Whether the stated size of the snapshot is that of so many entries, before anything is allocated by it.
fn check_size(release: &Release, entry_size: usize) -> Result<(), ContentError> {
    if snapshot::encoded_len(entry_size, release.entries) == Some(release.snapshot.size) {
        return Ok(());
    }
    Err(ContentError::Size { entries: release.entries, size: release.snapshot.size })
}

/// The content of a release from its snapshot, judged by rule 8.
pub(crate) fn decode(release: &Release, algorithm: Algorithm, bytes: &[u8]) -> Result<Entries, ContentError> {
    check_size(release, algorithm.entry_size())?;
    check_object(&release.snapshot, bytes)?;
    let decoded = snapshot::decode(bytes, algorithm.entry_size(), release.entries);
    let what = || format!("the snapshot of version {}", release.version);
    let entries = decoded.map_err(|source| ContentError::Malformed { what: what(), source })?;
    content::judge(release, algorithm, &entries, None)?;
    Ok(entries)
}

/// Whether `bytes` are the object.
pub(crate) fn check_object(object: &ObjectRef, bytes: &[u8]) -> Result<(), ContentError> {
    if bytes.len() as u64 == object.size && ObjectDigest::of(bytes) == object.sha256 {
        return Ok(());
    }
    Err(ContentError::OtherBytes { expected: object.sha256 })
}
