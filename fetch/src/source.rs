//! Wherever a log's resources are read from.

use crate::error::FetchError;
use crate::folder::Folder;
use crate::http::HttpClient;
use crate::limits::HttpLimits;
use crate::pieces::{Heard, Pieces};
use crate::server::Server;
use crate::tokens::Tokens;
use isonomy_core::resource::Resource;
use isonomy_core::tile::{
    TILE_WIDTH, TileError, TileKind, TilePath, encode_entries, encode_hashes, parse_entries, parse_hashes,
};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWrite;

/// A log, or a mirror of one: a server, or a folder with the same layout as its paths. Nothing that it gives is to be
/// believed before it is verified. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Source {
    place: Place,
}

/// What a source gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// Its bytes, one piece after the other.
    pub pieces: Vec<Vec<u8>>,
    /// How long the server says that there will be nothing newer (`Cache-Control: max-age`), at most an hour. It is advice,
    /// and may be wrong.
    pub fresh_for: Option<Duration>,
}

/// What [`Source::copy`] wrote.
struct Copied {
    bytes: u64,
    fresh_for: Option<Duration>,
}

#[derive(Clone, Debug)]
enum Place {
    Server(Box<Server>),
    Folder(Folder),
}

impl Source {
    /// The server at a URL that begins with `http://` or `https://`; anything else is the path of a folder. Nothing is
    /// looked at before the first request.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        Self::with_limits(text, HttpLimits::default())
    }

    /// Like [`Self::parse`], with other limits for a server.
    pub fn with_limits(text: &str, limits: HttpLimits) -> Result<Self, FetchError> {
        if text.contains("://") {
            return Server::new(text, limits).map(Self::server);
        }
        if text.is_empty() {
            return Err(FetchError::Address { text: String::new(), reason: "it is empty" });
        }
        Ok(Self::folder(text))
    }

    /// The server at this `http://` or `https://` URL, asked by an app's own HTTP client: see [`HttpClient`].
    pub fn with_client(url: &str, client: Arc<dyn HttpClient>, limits: HttpLimits) -> Result<Self, FetchError> {
        Server::with_client(url, client, limits).map(Self::server)
    }

    /// A folder.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self { place: Place::Folder(Folder::new(path)) }
    }

    /// The same source. If it is a server for which there is a token, objects are asked for with it.
    pub fn with_tokens(self, tokens: &Tokens) -> Self {
        let place = match self.place {
            Place::Server(server) => Place::Server(Box::new(server.with_tokens(tokens))),
            folder => folder,
        };
        Self { place }
    }

    /// The same source, with other limits for a server. How long a connection may take to stand, it keeps.
    pub fn within(self, limits: HttpLimits) -> Self {
        let place = match self.place {
            Place::Server(server) => Place::Server(Box::new(server.within(limits))),
            folder => folder,
        };
        Self { place }
    }

    pub(crate) fn server(server: Server) -> Self {
        Self { place: Place::Server(Box::new(server)) }
    }

    /// The bytes of a resource, at most `max_bytes`.
    ///
    /// A source may have dropped a partial tile once the full one was there; then the full one is fetched, and what the
    /// partial one would hold is returned.
    pub async fn get(&self, resource: &Resource, max_bytes: u64) -> Result<Vec<u8>, FetchError> {
        match (self.read(resource, max_bytes).await, resource) {
            (Err(missing @ FetchError::NotFound { .. }), Resource::Tile(tile)) if !tile.is_full() => {
                self.read_from_full(tile, max_bytes, missing).await
            }
            (answer, _) => answer,
        }
    }

    /// What stands at a path that is no [`Resource`], without a leading slash, at most `max_bytes`: such as a log's index of lists.
    pub async fn document(&self, path: &str, max_bytes: u64) -> Result<Vec<u8>, FetchError> {
        match &self.place {
            Place::Server(server) => server.get(path).await?.found()?.bytes(max_bytes).await,
            Place::Folder(folder) => {
                let mut bytes = Vec::new();
                folder.copy_to(path, &mut bytes, max_bytes).await?;
                Ok(bytes)
            }
        }
    }

    /// [`Source::get`] of a large resource, in pieces, so that it need not be in memory twice while it is taken apart.
    /// `heard` is told the number of bytes so far, each time that some have come.
    pub async fn get_pieces(
        &self,
        resource: &Resource,
        max_bytes: u64,
        heard: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Given, FetchError> {
        let mut pieces = Pieces::default();
        let copied = self.copy(resource, max_bytes, &mut Heard::new(&mut pieces, heard)).await?;
        Ok(Given { pieces: pieces.into_vec(), fresh_for: copied.fresh_for })
    }

    /// Reads tiles one after the other and gives each to `take`, so that no more than one of them is in memory; gives
    /// `state` when all are read. What is missing is no reason to stop. Several calls at once read at once.
    ///
    /// For those who read a whole log: a folder is read in one go, on a thread of its own, where `take` runs, too.
    pub async fn fold_tiles<T: Send + 'static>(
        &self,
        tiles: Vec<TilePath>,
        mut state: T,
        mut take: impl FnMut(&mut T, TilePath, Result<Vec<u8>, FetchError>) + Send + 'static,
    ) -> Result<T, FetchError> {
        let Place::Folder(folder) = &self.place else {
            for tile in tiles {
                let bytes = self.get(&Resource::Tile(tile), tile.max_bytes() as u64).await;
                take(&mut state, tile, bytes);
            }
            return Ok(state);
        };
        let (folder, location) = (folder.clone(), self.to_string());
        let read_all = move || {
            let mut reader = folder.reader();
            for tile in tiles {
                let bytes = read_tile(&tile, |tile| reader.read(&tile.to_string(), tile.max_bytes() as u64));
                take(&mut state, tile, bytes);
            }
            state
        };
        let ended = tokio::task::spawn_blocking(read_all).await;
        ended.map_err(|error| FetchError::Interrupted { location, reason: error.to_string() })
    }

    async fn read(&self, resource: &Resource, max_bytes: u64) -> Result<Vec<u8>, FetchError> {
        let mut bytes = Vec::new();
        self.copy_to(resource, max_bytes, &mut bytes).await?;
        Ok(bytes)
    }

    /// What `partial` would hold, taken from the full tile; `missing` if that isn't there either.
    async fn read_from_full(
        &self,
        partial: &TilePath,
        max_bytes: u64,
        missing: FetchError,
    ) -> Result<Vec<u8>, FetchError> {
        let full = partial.full();
        let bytes = match self.read(&Resource::Tile(full), full.max_bytes() as u64).await {
            Err(FetchError::NotFound { .. }) => return Err(missing),
            answer => answer?,
        };
        let location = self.location(&full.to_string());
        let malformed =
            |error: TileError| FetchError::Malformed { location: location.clone(), reason: error.to_string() };
        let bytes = first_of(&bytes, partial).map_err(malformed)?;
        let fits = bytes.len() as u64 <= max_bytes;
        fits.then_some(bytes).ok_or(FetchError::TooLarge { location, limit: max_bytes })
    }

    /// Writes the bytes of a resource, at most `max_bytes`, to `writer` as they come, and gives their number. For
    /// objects that are too large to be held in memory. On an error, what was written so far is worthless.
    pub async fn copy_to<W: AsyncWrite + Unpin>(
        &self,
        resource: &Resource,
        max_bytes: u64,
        writer: &mut W,
    ) -> Result<u64, FetchError> {
        Ok(self.copy(resource, max_bytes, writer).await?.bytes)
    }

    async fn copy<W: AsyncWrite + Unpin>(
        &self,
        resource: &Resource,
        max_bytes: u64,
        writer: &mut W,
    ) -> Result<Copied, FetchError> {
        match &self.place {
            Place::Server(server) => {
                let answer = server.read(resource).await?;
                let fresh_for = answer.fresh_for();
                Ok(Copied { bytes: answer.copy_to(writer, max_bytes).await?, fresh_for })
            }
            Place::Folder(folder) => {
                Ok(Copied { bytes: folder.copy_to(&resource.to_string(), writer, max_bytes).await?, fresh_for: None })
            }
        }
    }

    fn location(&self, path: &str) -> String {
        match &self.place {
            Place::Server(server) => server.location(path),
            Place::Folder(folder) => folder.location(path),
        }
    }
}

/// Reads a tile, or what it would hold out of the full one if that has replaced it.
fn read_tile(
    tile: &TilePath,
    mut read: impl FnMut(&TilePath) -> Result<Vec<u8>, FetchError>,
) -> Result<Vec<u8>, FetchError> {
    let missing = match read(tile) {
        Err(missing @ FetchError::NotFound { .. }) if !tile.is_full() => missing,
        answer => return answer,
    };
    let malformed =
        |error: TileError| FetchError::Malformed { location: tile.full().to_string(), reason: error.to_string() };
    match read(&tile.full()) {
        Err(FetchError::NotFound { .. }) => Err(missing),
        answer => first_of(&answer?, tile).map_err(malformed),
    }
}

/// The bytes of a partial tile, out of those of the full one.
fn first_of(full: &[u8], partial: &TilePath) -> Result<Vec<u8>, TileError> {
    let width = usize::from(partial.width());
    match partial.kind() {
        TileKind::Hashes { .. } => Ok(encode_hashes(first(&parse_hashes(full, TILE_WIDTH)?, width))),
        TileKind::Entries => encode_entries(first(&parse_entries(full, TILE_WIDTH)?, width)),
    }
}

fn first<T>(items: &[T], count: usize) -> &[T] {
    items.get(..count).unwrap_or(items)
}

/// Shows the URL or the folder.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Server(server) => server.fmt(f),
            Place::Folder(folder) => folder.path().display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec as any_vec;
    use proptest::prelude::*;

    const HASHES: TileKind = TileKind::Hashes { level: 0 };

    proptest! {
        #[test]
        fn a_partial_tile_is_the_beginning_of_the_full_one(
            entries in any_vec(any_vec(any::<u8>(), 0..4), 256),
            width in 1..256u16,
        ) {
            let beginning = &entries[..usize::from(width)];
            let tile = TilePath::new(TileKind::Entries, 0, width).unwrap();
            prop_assert_eq!(first_of(&encode_entries(&entries).unwrap(), &tile), encode_entries(beginning));
            let hashes: Vec<u8> = (0..=255).flat_map(|n| [n; 32]).collect();
            let tile = TilePath::new(HASHES, 0, width).unwrap();
            prop_assert_eq!(first_of(&hashes, &tile), Ok(hashes[..usize::from(width) * 32].to_vec()));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in any_vec(any::<u8>(), 0..300), width in 1..256u16) {
            for kind in [TileKind::Entries, HASHES] {
                prop_assert!(first_of(&bytes, &TilePath::new(kind, 0, width).unwrap()).is_err());
            }
        }
    }
}
