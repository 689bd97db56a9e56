//! Files that this monitor keeps for itself as JSON. One that it can't read holds up nothing: it is set aside, and begun anew.

use isonomy_store::files::{self, FileError};
use serde::de::DeserializeOwned;
use std::path::Path;

/// What a file held.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Held<T> {
    /// It is not there.
    Nothing,
    /// This.
    All(T),
    /// Nobody knows: it was damaged, or larger than it may be, and is beside its place now.
    SetAside,
}

impl<T> Held<T> {
    pub(crate) fn all(self) -> Option<T> {
        match self {
            Self::All(held) => Some(held),
            Self::Nothing | Self::SetAside => None,
        }
    }
}

/// What stands in a file of at most so many bytes. `what` it is, and what follows if it is set aside, is said then.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, most: usize, what: &str) -> Result<Held<T>, FileError> {
    let why = match files::read_limited(path, most) {
        Ok(None) => return Ok(Held::Nothing),
        Ok(Some(bytes)) => match serde_json::from_slice(&bytes) {
            Ok(held) => return Ok(Held::All(held)),
            Err(error) => error.to_string(),
        },
        Err(error @ FileError::TooLarge { .. }) => error.to_string(),
        Err(error) => return Err(error),
    };
    let aside = files::free_beside(path, "damaged");
    tracing::warn!(why, path = %path.display(), aside = %aside.display(), "{what}");
    files::rename_durable(path, &aside)?;
    Ok(Held::SetAside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_can_not_be_read_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kept.json");
        let read = || read::<Vec<u8>>(&path, 8, "said").unwrap();
        assert_eq!(read(), Held::Nothing);
        let aside = |number: u8| fs::read_to_string(dir.path().join(format!("kept.json.damaged-{number}"))).ok();
        for (bytes, held) in
            [("[1, 2]", Held::All(vec![1, 2])), ("[1, 2", Held::SetAside), ("[1, 2, 3]", Held::SetAside)]
        {
            fs::write(&path, bytes).unwrap();
            let is_aside = held == Held::SetAside;
            assert_eq!(read(), held, "{bytes}");
            assert_eq!(path.exists(), !is_aside);
        }
        assert_eq!((aside(1).as_deref(), aside(2).as_deref()), (Some("[1, 2"), Some("[1, 2, 3]")));
    }
}
