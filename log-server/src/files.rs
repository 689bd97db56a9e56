//! The public folder: exactly what a mirror copies and what is served, each thing under the path by which it is fetched
//! ([`Resource`]).
//!
//! ```text
//! checkpoint                   the newest published checkpoint
//! tile/…                       hashes and entries
//! object/<sha256 hex>          snapshots and deltas
//! statement/<id hex>           statements
//! proof/<id hex>               their seen proofs
//! list/<name>/bundle           bundles
//! lists                        a JSON index, for people and tools
//! ```

use isonomy_core::resource::Resource;
use isonomy_core::tile::TilePath;
use isonomy_store::files::{self, FileError};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The name of the index of lists, which is no [`Resource`] because no client relies on it.
pub const LISTS: &str = "lists";

/// What stands in the place of a file that can be made again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mendable {
    /// Nothing.
    Missing,
    /// A file of limited size.
    File(Vec<u8>),
    /// A file that is too large.
    Damaged,
}

/// The public folder of a log.
#[derive(Clone, Debug)]
pub struct PublicFolder {
    root: PathBuf,
}

impl PublicFolder {
    /// The folder at `root`, which is made if it is missing.
    pub fn open(root: PathBuf) -> Result<Self, FileError> {
        files::create_dir_all_durable(&root)?;
        Ok(Self { root })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of a resource. Its path has only letters, digits, hyphens, dots inside names, and slashes, so that it
    /// can't lead out of the folder.
    pub fn path(&self, resource: &Resource) -> PathBuf {
        self.root.join(resource.to_string())
    }

    /// The bytes of a resource of limited size; `None` if it is not there. Objects, whose size is in the statement that
    /// names them, are read elsewhere.
    pub fn read(&self, resource: &Resource) -> Result<Option<Vec<u8>>, FileError> {
        let limit = resource.max_bytes().map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        files::read_limited(&self.path(resource), limit)
    }

    /// The same of what can be made again: a larger file is damage like any other, and so is a folder, which is put aside.
    pub(crate) fn read_mendable(&self, resource: &Resource) -> Result<Mendable, FileError> {
        let path = self.path(resource);
        if path.is_dir() {
            let aside = files::free_beside(&path, "damaged");
            files::rename_durable(&path, &aside)?;
            tracing::error!(?path, ?aside, "a folder was in the place of a file, and is put aside");
            return Ok(Mendable::Missing);
        }
        match self.read(resource) {
            Ok(Some(bytes)) => Ok(Mendable::File(bytes)),
            Ok(None) => Ok(Mendable::Missing),
            Err(FileError::TooLarge { .. }) => Ok(Mendable::Damaged),
            Err(error) => Err(error),
        }
    }

    /// Writes a resource durably, in place of what is there, if anything.
    pub fn replace(&self, resource: &Resource, bytes: &[u8]) -> Result<(), FileError> {
        self.replace_at(&self.path(resource), bytes)
    }

    /// Writes resources that never change, durably. What stands there with other bytes is damaged, and is replaced: the
    /// caller has proven that these are the right ones.
    pub fn write_proven(&self, resources: &[(Resource, impl AsRef<[u8]>)]) -> Result<(), FileError> {
        let files = self.files(resources)?;
        match files::write_all_once(&files) {
            Err(FileError::Differs { path }) => {
                tracing::error!(?path, "a file was damaged and is replaced");
                files::replace_all(&files)
            }
            result => result,
        }
    }

    /// Writes resources, durably, each in place of what is there, if anything.
    pub fn replace_all(&self, resources: &[(Resource, impl AsRef<[u8]>)]) -> Result<(), FileError> {
        let files = self.files(resources)?;
        files::replace_all(&files)
    }

    /// The files of resources, in folders that are there.
    fn files<'r>(&self, resources: &'r [(Resource, impl AsRef<[u8]>)]) -> Result<Vec<(PathBuf, &'r [u8])>, FileError> {
        let files: Vec<_> = resources.iter().map(|(what, bytes)| (self.path(what), bytes.as_ref())).collect();
        let parents: BTreeSet<&Path> = files.iter().filter_map(|(path, _)| path.parent()).collect();
        parents.into_iter().try_for_each(files::create_dir_all_durable)?;
        Ok(files)
    }

    /// Removes all partial tiles of a full tile. It is not made durable: what is left after a crash is removed at the next start.
    pub fn remove_partial(&self, full: &TilePath) -> Result<(), FileError> {
        let mut folder = self.path(&Resource::Tile(*full)).into_os_string();
        folder.push(".p");
        files::remove_tree(Path::new(&folder))
    }

    /// Writes the index of lists.
    pub fn write_lists(&self, json: &[u8]) -> Result<(), FileError> {
        self.replace_at(&self.root.join(LISTS), json)
    }

    /// Whether there are tiles, of whatever tree.
    pub fn has_tiles(&self) -> bool {
        self.root.join("tile").exists()
    }

    /// Whether anything shows that there was a log here before.
    pub(crate) fn shows_a_log(&self) -> Result<bool, FileError> {
        Ok(self.has_tiles() || self.read(&Resource::Checkpoint)?.is_some())
    }

    fn replace_at(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
        create_parent(path)?;
        files::replace(path, bytes)
    }
}

fn create_parent(path: &Path) -> Result<(), FileError> {
    path.parent().map_or(Ok(()), files::create_dir_all_durable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::hash::StatementId;

    #[test]
    fn whatever_stands_in_the_place_of_a_file_can_be_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let folder = PublicFolder::open(dir.path().join("public")).unwrap();
        let statement = Resource::Statement(StatementId([7; 32]));
        let path = folder.path(&statement);
        for (inside, aside) in [("one", "damaged-1"), ("two", "damaged-2"), ("three", "damaged-3")] {
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join(inside), b"").unwrap();
            assert_eq!(folder.read_mendable(&statement).unwrap(), Mendable::Missing);
            assert!(path.with_extension(aside).join(inside).exists(), "{aside}");
        }
        std::fs::write(&path, vec![0; 1 << 20]).unwrap();
        assert_eq!(folder.read_mendable(&statement).unwrap(), Mendable::Damaged);
        folder.write_proven(&[(statement.clone(), b"text".to_vec())]).unwrap();
        assert_eq!(folder.read_mendable(&statement).unwrap(), Mendable::File(b"text".to_vec()));
    }

    #[test]
    fn resources_are_files_under_their_paths() {
        let dir = tempfile::tempdir().unwrap();
        let folder = PublicFolder::open(dir.path().join("public")).unwrap();
        let statement = Resource::Statement(StatementId([7; 32]));
        assert_eq!(folder.read(&statement).unwrap(), None);
        folder.write_proven(&[(statement.clone(), b"text".to_vec())]).unwrap();
        assert_eq!(folder.read(&statement).unwrap().unwrap(), b"text");
        assert_eq!(folder.path(&statement), dir.path().join("public/statement").join("07".repeat(32)));
        folder.replace(&Resource::Checkpoint, b"one").unwrap();
        folder.replace_all(&[(Resource::Checkpoint, b"two".to_vec())]).unwrap();
        assert_eq!(folder.read(&Resource::Checkpoint).unwrap().unwrap(), b"two");
        for bytes in [b"damaged", b"written"] {
            folder.write_proven(&[(statement.clone(), bytes.to_vec())]).unwrap();
            assert_eq!(folder.read(&statement).unwrap().unwrap(), bytes);
        }
    }
}
