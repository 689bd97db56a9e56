//! The content of earlier releases: kept in a folder or fetched from the log. Wherever it comes from, it is checked against the
//! root in the release.
//!
//! Each list has a folder of its own in the workspace, named after it, with `~` for `/`:
//!
//! | file | what |
//! |---|---|
//! | `<version>-<root>.entries` | the content of a release, the raw entries one after the other |
//! | `removed-<version>-to-<version>-<root>.entries` | what left the list between these two, as far as it was seen here ([`Past`]) |
//! | `client/<id>/` | the maintainer's own client of the list that begins with this charter |
//! | `signed-maintainer/`, `signed-curator/` | what releases keys of this role signed here ([`SigningMemory`](crate::memory::SigningMemory)) |
//! | `signed-charter/` | what charters any key signed here |
//!
//! The root of the entries is in the name, so that a file that was cut or changed is not taken for what was kept. The contents are a cache: whatever is missing or damaged is fetched anew. They are read piece by piece, and judged each time
//! that they are read: nobody needs memory for the lists on which a new one builds. Of those on which no release to come
//! builds, only what is not on the list any more is kept.

mod past;
mod recall;

pub use past::{Again, Past};
pub use recall::Recalled;

use crate::memory::Role;
use crate::stored::{StoredError, StoredList};
use isonomy_core::hash::{ObjectDigest, StatementId, sha256};
use isonomy_core::list::{Algorithm, Entries, ListError, snapshot};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_core::rules::Violation;
use isonomy_core::rules::content::{self, Tally};
use isonomy_core::statement::{ListName, Signed};
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
    /// What is kept of it can't be read.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// What is kept of the list's past is damaged.
    #[error(
        "what this folder remembers of the list's past is damaged: {source}. `isonomy list recall` learns it again from the log"
    )]
    Past {
        /// What is wrong.
        source: StoredError,
    },
    /// The content of the newest release can't be had.
    #[error("the content of version {version}, the newest release, can't be had from the log")]
    NoContent {
        /// The version.
        version: u64,
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
    algorithm: Algorithm,
    content: StoredList,
}

impl From<ListError> for ContentError {
    fn from(error: ListError) -> Self {
        Self::Stored(error.into())
    }
}

impl Base {
    /// Reads the content once, piece by piece. What `take` made of it counts only if this succeeds: that it was the content of
    /// the release shows in the end.
    pub fn pieces<E>(&self, mut take: impl FnMut(&Entries) -> Result<(), E>) -> Result<(), E>
    where
        E: From<ContentError> + From<StoredError>,
    {
        let mut tally = Tally::new(self.algorithm);
        self.content.pieces(|piece| {
            tally.take(piece);
            take(piece)
        })?;
        Ok(tally.judge(self.release.body(), None).map_err(ContentError::from)?)
    }

    /// The whole content.
    pub fn read(&self) -> Result<Entries, ContentError> {
        let entries = self.content.read()?;
        content::judge(self.release.body(), self.algorithm, &entries, None)?;
        Ok(entries)
    }
}

/// A folder that keeps the content of one list's releases.
#[derive(Clone, Debug)]
pub struct Workspace {
    folder: PathBuf,
}

impl Workspace {
    /// The part of this workspace that is about `list`, which is made if there is none.
    pub fn open(workspace: &Path, list: &ListName) -> Result<Self, FileError> {
        let folder = workspace.join(list.to_string().replace('/', "~"));
        files::create_dir_all_durable(&folder)?;
        Ok(Self { folder })
    }

    /// Where the maintainer's own client keeps its state of the list that begins with this charter. A list that moves to another
    /// log is founded anew there.
    pub fn client(&self, first_edition: &StatementId) -> PathBuf {
        self.folder.join("client").join(first_edition.to_hex())
    }

    /// What all keys of this role have signed here for the list.
    pub fn signed(&self, role: Role) -> PathBuf {
        self.folder.join(match role {
            Role::Maintainer => "signed-maintainer",
            Role::Curator => "signed-curator",
        })
    }

    /// What all keys have signed here as charters of the list. A key that an edition drops or adds signs it, too, so there are no roles.
    pub fn signed_charters(&self) -> PathBuf {
        self.folder.join("signed-charter")
    }

    /// All `releases` with their content, in their order.
    pub async fn bases<'r>(
        &self,
        releases: impl Iterator<Item = &'r Signed<Release>>,
        algorithm: Algorithm,
        source: &Source,
    ) -> Result<Vec<Base>, ContentError> {
        let mut bases = Vec::new();
        for release in releases {
            bases.push(self.base(release, algorithm, source).await?);
        }
        Ok(bases)
    }

    /// A release with its content: what is kept, if it is right, or else the snapshot from `source`, which is kept then.
    async fn base(
        &self,
        release: &Signed<Release>,
        algorithm: Algorithm,
        source: &Source,
    ) -> Result<Base, ContentError> {
        let base = self.kept_base(release, algorithm);
        if !self.is_kept(&base) {
            let entries = fetch(release.body(), algorithm, source).await?;
            files::replace(&self.path(release.body()), entries.as_bytes())?;
        }
        Ok(base)
    }

    /// A release with what is kept of its content, if anything is.
    fn kept_base(&self, release: &Signed<Release>, algorithm: Algorithm) -> Base {
        let content = StoredList::new(&self.path(release.body()), algorithm.entry_size());
        Base { release: release.clone(), algorithm, content }
    }

    fn is_kept(&self, base: &Base) -> bool {
        let size = base.release.body().entries.checked_mul(base.algorithm.entry_size() as u64);
        let found = std::fs::metadata(self.path(base.release.body())).map(|found| found.len());
        found.ok() == size && base.pieces(|_| Ok::<(), ContentError>(())).is_ok()
    }

    fn path(&self, release: &Release) -> PathBuf {
        self.folder.join(format!("{}-{}.entries", release.version, release.root))
    }
}

/// The content of a release from its snapshot at `source`, judged by rule 8.
async fn fetch(release: &Release, algorithm: Algorithm, source: &Source) -> Result<Entries, ContentError> {
    let ObjectRef { size, sha256: expected } = release.snapshot;
    check_size(release, algorithm.entry_size())?;
    let given = source.get_pieces(&Resource::Object(expected), size, &mut |_| ()).await?;
    let pieces: Vec<&[u8]> = given.pieces.iter().map(Vec::as_slice).collect();
    if ObjectDigest(sha256(&pieces)) != expected {
        return Err(ContentError::OtherBytes { expected });
    }
    let decoded = snapshot::decode_pieces(given.pieces, algorithm.entry_size(), release.entries);
    let entries = decoded.map_err(|source| malformed_snapshot(release, source))?;
    content::judge(release, algorithm, &entries, None)?;
    Ok(entries)
}

/// Whether the stated size of the snapshot is that of so many entries, before anything is allocated by it.
pub(crate) fn check_size(release: &Release, entry_size: usize) -> Result<(), ContentError> {
    if snapshot::encoded_len(entry_size, release.entries) == Some(release.snapshot.size) {
        return Ok(());
    }
    Err(ContentError::Size { entries: release.entries, size: release.snapshot.size })
}

pub(crate) fn malformed_snapshot(release: &Release, source: ListError) -> ContentError {
    ContentError::Malformed { what: format!("the snapshot of version {}", release.version), source }
}
