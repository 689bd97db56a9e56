//! A folder laid out like the paths of a server: a mirror on a disk or a stick.

use crate::error::FetchError;
use crate::sink::Sink;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use tokio::fs::{self, File};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// A folder that files are read from. It may be somebody else's: nothing outside it is read, whatever links it holds.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`, which is looked at only when something is wanted from it.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the file that a server has at `path`.
    pub(crate) fn location(&self, path: &str) -> String {
        self.join(path).display().to_string()
    }

    /// For reading many files, on the thread that asks.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { folder: self, trusted: None }
    }

    fn join(&self, path: &str) -> PathBuf {
        path.split('/').fold(self.path.clone(), |folder, part| folder.join(part))
    }

    /// Writes the file at `path`, whose parts are separated by `/`, to `writer` if it has at most `limit` bytes.
    pub(crate) async fn copy_to<W: AsyncWrite + Unpin>(
        &self,
        path: &str,
        writer: &mut W,
        limit: u64,
    ) -> Result<u64, FetchError> {
        let (wanted, location) = (self.join(path), self.location(path));
        let file = self.open(&wanted, &location).await?;
        let mut sink = Sink::new(writer, &location, limit);
        let size = file.metadata().await.map_err(|error| unreachable(&location, &error))?.len();
        sink.expect(size)?;
        copy_all(file, &mut sink, &location).await?;
        sink.finish().await
    }

    /// Opens a file if it is a regular one inside the folder. A pipe or a device would block or never end.
    async fn open(&self, wanted: &Path, location: &str) -> Result<File, FetchError> {
        let inside = fs::canonicalize(&self.path).await;
        let inside = inside.map_err(|error| unreachable(&self.path.display().to_string(), &error))?;
        let real = fs::canonicalize(wanted).await.map_err(|error| not_opened(location, &error))?;
        if !real.starts_with(&inside) {
            return Err(FetchError::Escapes { location: location.to_owned() });
        }
        let metadata = fs::metadata(&real).await.map_err(|error| not_opened(location, &error))?;
        if !metadata.is_file() {
            let reason = "it is not a regular file".to_owned();
            return Err(FetchError::Malformed { location: location.to_owned(), reason });
        }
        File::open(&real).await.map_err(|error| not_opened(location, &error))
    }
}

/// Reads one file after the other. Remembers the folder in which the last one was, so that links are not followed anew for
/// each of its neighbours.
pub(crate) struct Reader<'f> {
    folder: &'f Folder,
    /// A folder that was found to be inside, not through links that lead out.
    trusted: Option<PathBuf>,
}

impl Reader<'_> {
    /// The bytes of the file at `path` if it has at most `limit`.
    pub(crate) fn read(&mut self, path: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        let (wanted, location) = (self.folder.join(path), self.folder.location(path));
        let metadata = std::fs::symlink_metadata(&wanted).map_err(|error| not_opened(&location, &error))?;
        if metadata.is_symlink() {
            self.check(&wanted, &location)?;
        } else if let Some(parent) = wanted.parent().filter(|parent| self.trusted.as_deref() != Some(*parent)) {
            self.check(parent, &location)?;
            self.trusted = Some(parent.to_owned());
        }
        // Looked at before it is opened: a pipe would block.
        let metadata = std::fs::metadata(&wanted).map_err(|error| not_opened(&location, &error))?;
        if !metadata.is_file() {
            return Err(FetchError::Malformed { location, reason: "it is not a regular file".to_owned() });
        }
        if metadata.len() > limit {
            return Err(FetchError::TooLarge { location, limit });
        }
        let file = std::fs::File::open(&wanted).map_err(|error| not_opened(&location, &error))?;
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        let read = file.take(limit).read_to_end(&mut bytes);
        read.map_err(|error| FetchError::Interrupted { location, reason: error.to_string() })?;
        Ok(bytes)
    }

    /// Whether something is inside the folder, all links followed.
    fn check(&self, wanted: &Path, location: &str) -> Result<(), FetchError> {
        let inside = std::fs::canonicalize(&self.folder.path);
        let inside = inside.map_err(|error| unreachable(&self.folder.path.display().to_string(), &error))?;
        let real = std::fs::canonicalize(wanted).map_err(|error| not_opened(location, &error))?;
        if real.starts_with(&inside) { Ok(()) } else { Err(FetchError::Escapes { location: location.to_owned() }) }
    }
}

async fn copy_all<W: AsyncWrite + Unpin>(
    mut file: impl AsyncRead + Unpin,
    sink: &mut Sink<'_, W>,
    location: &str,
) -> Result<(), FetchError> {
    let mut buffer = vec![0; PIECE];
    loop {
        let interrupted =
            |error: io::Error| FetchError::Interrupted { location: location.to_owned(), reason: error.to_string() };
        let count = file.read(&mut buffer).await.map_err(interrupted)?;
        match buffer.get(..count) {
            Some([]) | None => return Ok(()),
            Some(piece) => sink.push(piece).await?,
        }
    }
}

fn not_opened(location: &str, error: &io::Error) -> FetchError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => FetchError::NotFound { location: location.to_owned() },
        _ => unreachable(location, error),
    }
}

fn unreachable(location: &str, error: &io::Error) -> FetchError {
    FetchError::Unreachable { location: location.to_owned(), reason: error.to_string() }
}
