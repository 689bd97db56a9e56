//! Objects: received under a temporary name, staged until their release is sequenced, then public.
//!
//! ```text
//! private/incoming/.tmp-…             being received
//! private/staged/<sha256 hex>         complete; its release is admitted, but not sequenced
//! public/object/<sha256 hex>          of a release that is sequenced
//! ```

use crate::files::PublicFolder;
use crate::refusal::Refusal;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_store::files::{self, FileError, Incoming};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How many may send the same object at a time, each at the price of its size on the disk.
const MAX_SENDERS: usize = 4;

/// Why an object could not be received or read.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The sender's fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The disk's fault.
    #[error(transparent)]
    File(#[from] FileError),
    /// An object that should be there is not, or not as it was.
    #[error("the object {0} is missing or damaged; put it back from a mirror or a backup")]
    Damaged(ObjectDigest),
}

/// The objects of a log.
pub struct Objects {
    public: PublicFolder,
    staged: PathBuf,
    incoming: PathBuf,
    receiving: Receiving,
}

/// The objects that are being received, each as often as there are senders.
type Receiving = Arc<Mutex<Vec<ObjectDigest>>>;

impl Objects {
    /// The objects in these folders. What was being received when the server stopped last is removed.
    pub fn open(public: PublicFolder, private: &Path) -> Result<Self, FileError> {
        let (staged, incoming) = (private.join("staged"), private.join("incoming"));
        files::create_dir_all_durable(&staged)?;
        // Leftovers cost nothing but space, so that they can't be removed is no reason not to start.
        if let Err(error) = files::remove_tree(&incoming) {
            tracing::warn!(%error, "objects left over from the last run can't be removed");
        }
        files::create_dir_all_durable(&incoming)?;
        Ok(Self { public, staged, incoming, receiving: Receiving::default() })
    }

    /// Whether the object is there, staged or public.
    pub fn has(&self, object: &ObjectRef) -> bool {
        self.find(object).is_some()
    }

    /// Whether the object was sent, and waits for its release.
    pub fn is_staged(&self, object: &ObjectRef) -> bool {
        std::fs::metadata(self.staged.join(object.sha256.to_hex())).is_ok_and(|file| file.len() == object.size)
    }

    /// The bytes of an object, checked against its digest. One that is staged and is not as it was received is removed: it
    /// is missing again, and can be sent again.
    pub fn read(&self, object: &ObjectRef) -> Result<Vec<u8>, ObjectError> {
        let mut bytes = Vec::with_capacity(usize::try_from(object.size).unwrap_or(0));
        self.pieces(object, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// [`Self::read`] piece by piece. What `take` made of it counts only if this succeeds: whether it was the object shows in
    /// the end, and what `take` says of a damaged one is not believed.
    pub fn pieces(
        &self,
        object: &ObjectRef,
        take: impl FnMut(&[u8]) -> Result<(), ObjectError>,
    ) -> Result<(), ObjectError> {
        let damaged = || ObjectError::Damaged(object.sha256);
        let path = self.find(object).ok_or_else(damaged)?;
        let failed = |source| FileError::Io { action: "read", path: path.clone(), source };
        let rest = File::open(&path).map_err(failed)?.take(object.size);
        let (digest, taken) = files::digest_pieces(rest, take).map_err(failed)?;
        if digest == object.sha256.0 {
            return taken;
        }
        if path.starts_with(&self.staged) {
            files::remove_durable(&path)?;
        }
        Err(damaged())
    }

    /// Begins to receive an object; [`Refusal::Busy`] if enough others are sending it already.
    pub fn receive(&self, object: ObjectRef) -> Result<Upload, ObjectError> {
        let turn = Turn::take(&self.receiving, object.sha256)?;
        let file = Incoming::begin(&self.incoming)?;
        let target = self.staged.join(object.sha256.to_hex());
        Ok(Upload { object, target, file, hasher: Sha256::new(), size: 0, _turn: turn })
    }

    /// Makes the objects of a release public.
    pub fn publish(&self, release: &Release) -> Result<(), FileError> {
        for object in release.objects() {
            let staged = self.staged.join(object.sha256.to_hex());
            let public = self.public.path(&Resource::Object(object.sha256));
            if !staged.exists() {
                continue;
            }
            public.parent().map_or(Ok(()), files::create_dir_all_durable)?;
            match files::rename_durable(&staged, &public) {
                Err(FileError::Exists { .. }) => files::remove_durable(&staged)?,
                result => result?,
            }
        }
        Ok(())
    }

    /// Removes staged objects that are not among `wanted`.
    pub fn sweep(&self, wanted: &BTreeSet<ObjectDigest>) -> Result<(), FileError> {
        for name in files::names_in(&self.staged)? {
            let digest = name.to_str().and_then(ObjectDigest::from_hex);
            if digest.is_some_and(|digest| !wanted.contains(&digest)) {
                files::remove_durable(&self.staged.join(name))?;
            }
        }
        Ok(())
    }

    fn find(&self, object: &ObjectRef) -> Option<PathBuf> {
        let public = self.public.path(&Resource::Object(object.sha256));
        let staged = self.staged.join(object.sha256.to_hex());
        let has_size = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|file| file.len() == object.size);
        [public, staged].into_iter().find(has_size)
    }
}

/// One sender's place among those of an object, free again when it is dropped.
struct Turn {
    receiving: Receiving,
    digest: ObjectDigest,
}

impl Turn {
    fn take(receiving: &Receiving, digest: ObjectDigest) -> Result<Self, Refusal> {
        let mut digests = receiving.lock().unwrap_or_else(PoisonError::into_inner);
        if digests.iter().filter(|other| **other == digest).count() >= MAX_SENDERS {
            return Err(Refusal::Busy);
        }
        digests.push(digest);
        Ok(Self { receiving: Arc::clone(receiving), digest })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut digests = self.receiving.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = digests.iter().position(|other| *other == self.digest) {
            digests.swap_remove(at);
        }
    }
}

/// An object that is being received; gone when it is dropped.
pub struct Upload {
    object: ObjectRef,
    target: PathBuf,
    file: Incoming,
    hasher: Sha256,
    size: u64,
    _turn: Turn,
}

impl Upload {
    /// How many bytes there are so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next bytes. More than the object has are refused at once.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > self.object.size {
            return Err(Refusal::ObjectTooLarge { expected: self.object.size }.into());
        }
        self.hasher.update(bytes);
        Ok(self.file.write(bytes)?)
    }

    /// Stages the object, durably, if it is whole and has the right digest.
    pub fn finish(mut self) -> Result<(), ObjectError> {
        let (expected, found) = (self.object.size, self.size);
        if found < expected {
            return Err(Refusal::ObjectTooSmall { expected, found }.into());
        }
        let digest = ObjectDigest(std::mem::take(&mut self.hasher).finalize().into());
        if digest != self.object.sha256 {
            return Err(Refusal::OtherDigest { found: digest }.into());
        }
        match self.file.finish_as(&self.target) {
            Err(FileError::Exists { .. }) => Ok(()), // somebody else sent it meanwhile
            result => Ok(result?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(bytes: &[u8]) -> ObjectRef {
        ObjectRef { size: bytes.len() as u64, sha256: ObjectDigest::of(bytes) }
    }

    #[test]
    fn only_the_right_bytes_are_staged() {
        let dir = tempfile::tempdir().unwrap();
        let public = PublicFolder::open(dir.path().join("public")).unwrap();
        let objects = Objects::open(public, dir.path()).unwrap();
        let wanted = object(b"content");
        let receive = |parts: &[&[u8]]| {
            let mut upload = objects.receive(wanted)?;
            parts.iter().try_for_each(|part| upload.write(part))?;
            upload.finish()
        };
        let refusal = |error: ObjectError| if let ObjectError::Refused(refusal) = error { refusal.code() } else { "" };
        assert_eq!(refusal(receive(&[b"cont"]).unwrap_err()), "too-small");
        assert_eq!(refusal(receive(&[b"content", b"!"]).unwrap_err()), "too-large");
        assert_eq!(refusal(receive(&[b"Content"]).unwrap_err()), "other-digest");
        assert!(!objects.has(&wanted));
        let senders: Vec<Upload> = (0..MAX_SENDERS).map(|_| objects.receive(wanted).unwrap()).collect();
        assert_eq!(refusal(receive(&[b"content"]).unwrap_err()), "busy");
        objects.receive(object(b"other")).unwrap();
        drop(senders);
        receive(&[b"con", b"tent"]).unwrap();
        receive(&[b"content"]).unwrap();
        assert_eq!(objects.read(&wanted).unwrap(), b"content");
        std::fs::write(dir.path().join("staged").join(wanted.sha256.to_hex()), b"c0ntent").unwrap();
        assert!(objects.has(&wanted));
        assert!(matches!(objects.read(&wanted), Err(ObjectError::Damaged(_))));
        assert!(!objects.has(&wanted), "it can be sent again");
        receive(&[b"content"]).unwrap();
        assert_eq!(objects.read(&wanted).unwrap(), b"content");
        assert_eq!(std::fs::read_dir(dir.path().join("incoming")).unwrap().count(), 0);
        objects.sweep(&BTreeSet::from([wanted.sha256])).unwrap();
        assert!(objects.has(&wanted));
        objects.sweep(&BTreeSet::new()).unwrap();
        assert!(!objects.has(&wanted));
    }
}
