//! Vantage points: where the log is looked at from. Nothing that they give is believed before it is verified.

use crate::trust::{Trust, View};
use crate::units;
use futures_util::future::join_all;
use isonomy_core::bundle::Bundle;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::{NodeHash, ObjectDigest, StatementId};
use isonomy_core::note::VerifierKey;
use isonomy_core::release::ObjectRef;
use isonomy_core::resource::Resource;
use isonomy_core::statement::ListName;
use isonomy_core::tile::{self, TilePath};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{NodeCoordinate, TreeSize};
use isonomy_fetch::{FetchError, HttpLimits, Source, WitnessClient};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::timeout;

/// The largest object that is fetched to be checked.
pub(crate) const MAX_OBJECT: u64 = 1 << 30;
/// How long a witness is waited for, and a source until it begins to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// The least number of bytes per second that a source must give of an object: what is slower holds up everything else.
const OBJECT_RATE: u64 = 1 << 20;

/// How long a source is waited for. It may be slow, and may put a monitor off that asks often, as a log's own limits do; but none
/// holds up a look by dribbling.
pub(crate) const LIMITS: HttpLimits = HttpLimits {
    connect: PATIENCE,
    answer: PATIENCE,
    submission: PATIENCE,
    idle: PATIENCE,
    minimum_rate: 128 * 1024,
    total: Duration::from_secs(20 * 60),
    put_off: Duration::from_secs(60),
};

/// How long so many bytes of objects are waited for.
pub(crate) fn patience_for(bytes: u64) -> Duration {
    let waited = LIMITS.answer + LIMITS.idle + LIMITS.put_off;
    waited.saturating_add(Duration::from_secs(bytes / OBJECT_RATE))
}

/// Why something was not had from a vantage point.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Lack {
    /// It isn't there, or could not be reached. It says nothing about the log.
    Unavailable(String),
    /// The server said to come again later (429, 503), and said so until there was no time left.
    PutOff(String),
    /// What came is not what it must be.
    Wrong(String),
}

impl Lack {
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Unavailable(words) | Self::PutOff(words) | Self::Wrong(words) => words,
        }
    }
}

/// A server or folder from which the log is read.
#[derive(Debug)]
pub(crate) struct Vantage {
    /// Several may have one.
    name: String,
    label: String,
    source: Source,
}

impl Vantage {
    pub(crate) fn new(source: Source, limits: HttpLimits) -> Self {
        let source = source.within(limits);
        let shown = source.to_string();
        // A page for the public needn't tell where on its machine a folder is.
        let name = match shown.contains("://") {
            true => shown,
            false => format!("folder {}", shown.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or("/")),
        };
        Self { label: name.clone(), name, source }
    }

    /// Whether another one's own name is the same.
    pub(crate) fn is_called_as(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// So many before it have the same name, so that it needs another.
    pub(crate) fn numbered(self, alike: usize) -> Self {
        match alike {
            0 => self,
            before => Self { label: format!("{}, number {}", self.name, before + 1), ..self },
        }
    }

    /// What it is called in reports.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    async fn get(&self, resource: &Resource, max_bytes: u64) -> Result<Vec<u8>, Lack> {
        self.source.get(resource, max_bytes).await.map_err(|error| self.lack(&error))
    }

    fn lack(&self, error: &FetchError) -> Lack {
        let words = error.to_string().replace(&self.source.to_string(), &self.label);
        match error {
            FetchError::TooLarge { .. } | FetchError::Malformed { .. } | FetchError::Escapes { .. } => {
                Lack::Wrong(words)
            }
            FetchError::Status { status: 429 | 503, .. } => Lack::PutOff(words),
            _ => Lack::Unavailable(words),
        }
    }

    async fn small(&self, resource: &Resource) -> Result<Vec<u8>, Lack> {
        self.get(resource, resource.max_bytes().unwrap_or(0)).await
    }

    /// The checkpoint that it shows now, signed by the log.
    pub(crate) async fn view(&self, trust: &Trust) -> Result<View, Lack> {
        let shown = timeout(2 * PATIENCE, self.checkpoint(trust)).await;
        shown.unwrap_or_else(|_| Err(Lack::Unavailable(format!("{} does not show a checkpoint in time", self.label))))
    }

    async fn checkpoint(&self, trust: &Trust) -> Result<View, Lack> {
        let bytes = self.source.get(&Resource::Checkpoint, Resource::Checkpoint.max_bytes().unwrap_or(0)).await;
        let bytes = bytes.map_err(|error| match error {
            FetchError::NotFound { .. } => Lack::Unavailable(format!(
                "there is no checkpoint at {}; nothing was published there yet, or the log is elsewhere",
                self.label
            )),
            error => self.lack(&error),
        })?;
        let note = CheckpointNote::parse(&bytes).map_err(|error| Lack::Wrong(error.to_string()))?;
        trust.view(note).map_err(Lack::Wrong)
    }

    /// The entries of a tile; parsed, not verified.
    pub(crate) async fn entries(&self, path: &TilePath) -> Result<Vec<Vec<u8>>, Lack> {
        let bytes = self.small(&Resource::Tile(*path)).await?;
        tile::parse_entries(&bytes, path.width()).map_err(|error| Lack::Wrong(format!("{path}: {error}")))
    }

    /// The hashes of nodes of the tree of this size, from its tiles; for the roots that they make to verify.
    pub(crate) async fn nodes(&self, nodes: &[NodeCoordinate], size: TreeSize) -> Result<Vec<NodeHash>, Lack> {
        let mut tiles = BTreeMap::new();
        for path in tile::tiles_for(nodes, size) {
            let bytes = self.small(&Resource::Tile(path)).await?;
            let hashes = tile::parse_hashes(&bytes, path.width());
            tiles.insert(path, hashes.map_err(|error| Lack::Wrong(format!("{path}: {error}")))?);
        }
        let found = tile::nodes_from_tiles(nodes, size, |path| tiles.get(path).map(Vec::as_slice));
        found.ok_or_else(|| Lack::Wrong("its tiles do not hold the nodes of the tree".to_owned()))
    }

    /// A list's bundle; parsed, not verified.
    pub(crate) async fn bundle(&self, list: &ListName) -> Result<Bundle, Lack> {
        let bytes = self.small(&Resource::Bundle(list.clone())).await?;
        Bundle::parse(&bytes).map_err(|error| Lack::Wrong(error.to_string()))
    }

    /// The bytes of a statement, as they come.
    pub(crate) async fn statement(&self, id: &StatementId) -> Result<Vec<u8>, Lack> {
        self.small(&Resource::Statement(*id)).await
    }

    /// The bytes of a tile, as they come.
    pub(crate) async fn tile(&self, path: &TilePath) -> Result<Vec<u8>, Lack> {
        self.small(&Resource::Tile(*path)).await
    }

    /// A statement's seen proof; parsed, not verified.
    pub(crate) async fn seen_proof(&self, id: &StatementId) -> Result<TlogProof, Lack> {
        let bytes = self.small(&Resource::SeenProof(*id)).await?;
        TlogProof::parse(&bytes).map_err(|error| Lack::Wrong(error.to_string()))
    }

    /// An object, whose size and digest were checked.
    pub(crate) async fn object(&self, reference: &ObjectRef) -> Result<Vec<u8>, Lack> {
        if reference.size > MAX_OBJECT {
            return Err(Lack::Unavailable(format!("its {} bytes are more than this monitor fetches", reference.size)));
        }
        let within = patience_for(reference.size);
        let resource = Resource::Object(reference.sha256);
        let bytes = timeout(within, self.get(&resource, reference.size)).await.map_err(|_| {
            let within = units::duration(within.as_secs());
            Lack::Unavailable(format!("{} does not give its {} bytes within {within}", self.label, reference.size))
        })??;
        if bytes.len() as u64 != reference.size || ObjectDigest::of(&bytes) != reference.sha256 {
            let words = format!("{} serves other bytes under the name of object {}", self.label, reference.sha256);
            return Err(Lack::Wrong(words));
        }
        Ok(bytes)
    }
}

/// A witness of the policy.
#[derive(Debug)]
pub(crate) struct Witness {
    pub(crate) key: VerifierKey,
    pub(crate) url: Option<String>,
    client: Option<WitnessClient>,
}

impl Witness {
    pub(crate) fn new(key: VerifierKey, url: Option<String>) -> Result<Self, FetchError> {
        let limits = HttpLimits { connect: PATIENCE, answer: PATIENCE, total: PATIENCE, ..HttpLimits::default() };
        let client = url.as_ref().map(|url| WitnessClient::with_limits(url, limits)).transpose()?;
        Ok(Self { key, url, client })
    }

    /// What it cosigned last, and when; `None` if the policy does not say where it is.
    pub(crate) async fn view(&self, trust: &Trust) -> Option<Result<(View, Timestamp), Lack>> {
        let latest = self.client.as_ref()?.latest(trust.log().name()).await;
        Some(match latest {
            Ok(note) => trust.witness_view(&self.key, note).map_err(Lack::Wrong),
            Err(error @ FetchError::Malformed { .. }) => Err(Lack::Wrong(error.to_string())),
            Err(error) => Err(Lack::Unavailable(error.to_string())),
        })
    }
}

/// What every source and every witness shows now, in their order.
pub(crate) struct Shown {
    pub(crate) sources: Vec<Result<View, Lack>>,
    pub(crate) witnesses: Vec<Option<Result<(View, Timestamp), Lack>>>,
}

impl Shown {
    /// Asks all of them at once.
    pub(crate) async fn now(trust: &Trust, vantages: &[Vantage], witnesses: &[Witness]) -> Self {
        let sources = join_all(vantages.iter().map(|vantage| vantage.view(trust)));
        let witnesses = join_all(witnesses.iter().map(|witness| witness.view(trust)));
        let (sources, witnesses) = futures_util::future::join(sources, witnesses).await;
        Self { sources, witnesses }
    }
}
