//! What can go wrong with a file.

use std::io;
use std::path::{Path, PathBuf};

/// A file operation that failed. On error nothing that was durable before is lost.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused or failed.
    #[error("can't {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb that the path follows.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A new file was asked for where there is one.
    #[error("{} exists already; it was left as it is", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file whose content never changes is there with other bytes.
    #[error("{} exists with other content than it must have; it was left as it is", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
    },
    /// Larger than the reader accepts.
    #[error("{} is larger than the {limit} bytes that it may have", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that it may have, in bytes.
        limit: usize,
    },
    /// Somebody else holds the lock of a folder.
    #[error("the folder {} is in use by another process; stop that one first, or use another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// Somebody else holds the lock of a file.
    #[error("the file {} is in use by another process; try again once that one has ended", path.display())]
    FileInUse {
        /// The file.
        path: PathBuf,
    },
    /// What was to become one line of a journal is not one, or a journal holds something else than lines of text.
    #[error("{}: {reason}", path.display())]
    Line {
        /// The journal.
        path: PathBuf,
        /// What is wrong with the line.
        reason: &'static str,
    },
}

impl FileError {
    /// The file or folder that the error is about.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::Exists { path }
            | Self::Differs { path }
            | Self::TooLarge { path, .. }
            | Self::InUse { path }
            | Self::FileInUse { path }
            | Self::Line { path, .. } => path,
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }
}
