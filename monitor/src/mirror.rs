//! This monitor's own copy of the log: the newest checkpoint that it accepted, every entry, the hashes above them, and
//! the statements' seen proofs, laid out as the log serves them, so that the folder is itself a mirror.
//!
//! The checkpoint is memory: it says which history this monitor has seen. Entries and hashes are a copy: they count as
//! far as they have the checkpoint's root, which is computed anew at each start.

mod growth;

pub(crate) use growth::{Growth, GrowthError};

use crate::follow::clocks;
use crate::structure;
use crate::trust::{Trust, View};
use isonomy_core::checkpoint::{CheckpointNote, MAX_CHECKPOINT_SIZE};
use isonomy_core::hash::{NodeHash, RootHash, StatementId};
use isonomy_core::resource::Resource;
use isonomy_core::statement::Statement;
use isonomy_core::tile::{self, RightEdge, TILE_WIDTH, TilePath};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{InclusionPlan, LeafIndex, NodeCoordinate, PrefixPlan, TreeSize, prefix_roots};
use isonomy_store::files::{self, FileError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The most threads that check a copy at the start.
const MAX_THREADS: usize = 8;

/// Why a copy can't be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MirrorError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The checkpoint is not one of this log's.
    #[error("{}: {problem}", path.display())]
    Checkpoint {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// The copy.
#[derive(Debug)]
pub(crate) struct Mirror {
    folder: PathBuf,
    newest: Option<View>,
    /// The right edge of the tree whose entries are here. Its size is that of the newest checkpoint, but for a copy that
    /// was damaged and isn't fetched again yet.
    edge: RightEdge,
}

impl Mirror {
    /// Opens the copy and computes its root from the entries. If that is not the signed one, the copy is set aside, and
    /// words for that are given; the checkpoint stays. If it is lost, or older than `latest`, the latest of those that were
    /// kept beside, that one counts, and words are given.
    pub(crate) fn open(
        folder: PathBuf,
        trust: &Trust,
        latest: Option<&View>,
    ) -> Result<(Self, Option<String>), MirrorError> {
        files::create_dir_all_durable(&folder)?;
        files::remove_temporaries(&folder)?;
        let newest = read_checkpoint(&folder, trust)?;
        let mut mirror = Self { folder, newest, edge: RightEdge::new() };
        let loss = latest.map(|latest| mirror.remember(latest)).transpose()?.flatten();
        let damage = match mirror.load() {
            Ok(edge) => {
                mirror.edge = edge;
                None
            }
            Err(GrowthError::Entries(problem)) => Some(mirror.set_aside(&problem)?),
            Err(GrowthError::File(error)) => return Err(error.into()),
        };
        let words: Vec<String> = loss.into_iter().chain(damage).collect();
        Ok((mirror, (!words.is_empty()).then(|| words.join(" "))))
    }

    /// Takes `latest` for what was known last, if nothing as large is; gives words for that.
    fn remember(&mut self, latest: &View) -> Result<Option<String>, FileError> {
        let size = latest.size();
        let what = match self.newest.as_ref().map(View::size) {
            None => "was missing".to_owned(),
            Some(known) if known < size => format!("was an old one, of {known} entries"),
            Some(_) => return Ok(None),
        };
        self.write_checkpoint(latest)?;
        Ok(Some(format!(
            "This monitor's memory of what the log signed last, mirror/checkpoint, {what}. The latest of the folder `checkpoints` was taken, of {size} entries; what the log signed after that is not remembered."
        )))
    }

    /// Reads every entry, and makes the hash tiles good where they are not what the entries make.
    fn load(&self) -> Result<RightEdge, GrowthError> {
        let Some(newest) = &self.newest else { return Ok(RightEdge::new()) };
        if let Some(edge) = self.whole(newest) {
            return Ok(edge);
        }
        let mut growth = Growth::new(self.folder.clone(), RightEdge::new());
        for path in tile::entry_tiles(LeafIndex(0), newest.size()) {
            growth.push(&path, &read_entries(&self.folder, &path)?)?;
        }
        let edge = growth.finish(newest.size())?;
        match edge.root() == newest.root() {
            true => Ok(edge),
            false => Err(GrowthError::Entries("the entries do not have the signed root".to_owned())),
        }
    }

    /// The edge of the copy, if every tile of it is what the signed root needs.
    fn whole(&self, newest: &View) -> Option<RightEdge> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        if !structure::faults(&self.folder, newest.size(), newest.root(), threads).is_empty() {
            return None;
        }
        let tile =
            |path: &TilePath| tile::parse_hashes(&read(&self.folder, &Resource::Tile(*path)).ok()??, path.width()).ok();
        let partial = RightEdge::partial_tiles(newest.size()).iter().map(tile).collect::<Option<_>>()?;
        let edge = RightEdge::from_tiles(newest.size(), partial).ok()?;
        (edge.root() == newest.root()).then_some(edge)
    }

    /// Moves the tiles out of the way, under a name that is free; gives words for that.
    fn set_aside(&self, problem: &str) -> Result<String, FileError> {
        let tiles = self.folder.join("tile");
        let rest = "It is fetched again; what the log signed before is still remembered.";
        if !tiles.exists() {
            return Ok(format!("This monitor's own copy of the log is missing ({problem}). {rest}"));
        }
        let mut names = (1..).map(|number| format!("damaged-tile-{number}"));
        let name = names.find(|name| !self.folder.join(name).exists()).unwrap_or_default();
        files::rename_durable(&tiles, &self.folder.join(&name))?;
        Ok(format!(
            "This monitor's own copy of the log was damaged ({problem}), and set aside as mirror/{name}. {rest}"
        ))
    }

    /// The newest checkpoint that was accepted.
    pub(crate) fn newest(&self) -> Option<&View> {
        self.newest.as_ref()
    }

    /// How many entries are here.
    pub(crate) fn size(&self) -> TreeSize {
        self.edge.size()
    }

    /// Whether every entry under the newest checkpoint is here.
    pub(crate) fn is_complete(&self) -> bool {
        self.newest.as_ref().is_none_or(|newest| newest.size() == self.edge.size())
    }

    /// Begins to add entries to what is here.
    pub(crate) fn grow(&self) -> Growth {
        Growth::new(self.folder.clone(), self.edge.clone())
    }

    /// Accepts a checkpoint and the entries up to it, whose root is the checkpoint's. `false`, and nothing changes, if it
    /// isn't.
    pub(crate) fn accept(&mut self, view: &View, growth: Growth) -> Result<bool, FileError> {
        let old = self.edge.size();
        let edge = match growth.finish(view.size()) {
            Ok(edge) if edge.root() == view.root() && edge.size() == view.size() => edge,
            Ok(_) | Err(GrowthError::Entries(_)) => return Ok(false),
            Err(GrowthError::File(error)) => return Err(error),
        };
        self.write_checkpoint(view)?;
        self.edge = edge;
        growth::remove_outgrown(&self.folder, old, view.size());
        Ok(true)
    }

    /// Takes a later look of the witnesses at the same tree. A time that has not come by `clock` is no later look.
    pub(crate) fn refresh(&mut self, view: &View, clock: Timestamp) -> Result<(), FileError> {
        let same_tree = |known: &&View| known.size() == view.size() && known.root() == view.root();
        let credible = |view: &View| view.now().filter(|now| !clocks::is_ahead(*now, clock));
        let later = |known: &View| (credible(known), known.now()) < (credible(view), view.now());
        let later = self.newest.as_ref().filter(same_tree).is_some_and(later);
        if later { self.write_checkpoint(view) } else { Ok(()) }
    }

    /// Removes what came for a tree of this size and was never proven.
    pub(crate) fn drop_left_over(&self, size: TreeSize) -> Result<(), FileError> {
        for path in tile::entry_tiles(LeafIndex(self.edge.size().0), size).filter(TilePath::is_full) {
            files::remove_durable(&self.folder.join(Resource::Tile(path).to_string()))?;
        }
        Ok(())
    }

    fn write_checkpoint(&mut self, view: &View) -> Result<(), FileError> {
        files::replace(&self.folder.join(Resource::Checkpoint.to_string()), &view.note().to_bytes())?;
        self.newest = Some(view.clone());
        Ok(())
    }

    /// The entries of a tile of the tree that is here.
    pub(crate) fn entries(&self, path: &TilePath) -> Result<Vec<Vec<u8>>, GrowthError> {
        read_entries(&self.folder, path)
    }

    /// The bytes of a tile of the tree that is here.
    pub(crate) fn tile(&self, path: &TilePath) -> Option<Vec<u8>> {
        read(&self.folder, &Resource::Tile(*path)).ok()?
    }

    /// An entry of the tree that is here; not verified.
    pub(crate) fn entry(&self, index: LeafIndex) -> Option<Vec<u8>> {
        entry_in(&self.folder, self.newest.as_ref().filter(|_| self.is_complete())?, index)
    }

    /// A statement of the tree that is here, as far as its bytes are one; not verified.
    pub(crate) fn statement(&self, index: LeafIndex) -> Option<Statement> {
        Statement::parse(&self.entry(index)?).ok()
    }

    /// The prefix proof from the first `old` entries to the tree that is here, whose root it leads to.
    pub(crate) fn prefix(&self, old: TreeSize) -> Result<Vec<NodeHash>, String> {
        let size = self.edge.size();
        let plan = PrefixPlan::new(old, size).ok_or("the copy is smaller")?;
        let nodes = self.nodes(plan.nodes())?;
        let (_, root) = prefix_roots(old, size, &nodes).map_err(|error| error.to_string())?;
        if root == self.edge.root() { Ok(nodes) } else { Err(damaged()) }
    }

    /// The root of the first `size` entries, as the root of the tree that is here proves it. The error is words.
    pub(crate) fn root_at(&self, size: TreeSize) -> Result<RootHash, String> {
        if size == self.edge.size() {
            return Ok(self.edge.root());
        }
        let nodes = self.prefix(size)?;
        let (root, _) = prefix_roots(size, self.edge.size(), &nodes).map_err(|error| error.to_string())?;
        Ok(root)
    }

    /// The proof that the entry at `index` is in the tree of the newest checkpoint.
    pub(crate) fn own_proof(&self, index: LeafIndex) -> Option<TlogProof> {
        proof_in(&self.folder, self.newest.as_ref().filter(|_| self.is_complete())?, index)
    }

    /// The same under an earlier checkpoint of this history.
    pub(crate) fn proof_under(&self, earlier: &CheckpointNote, index: LeafIndex) -> Option<TlogProof> {
        let size = earlier.checkpoint().size;
        let plan = InclusionPlan::new(index, size).filter(|_| size <= self.edge.size())?;
        let path = plan.combine(&self.nodes(plan.nodes()).ok()?).ok()?;
        Some(TlogProof { extra: None, index, path, checkpoint: earlier.clone() })
    }

    fn nodes(&self, nodes: &[NodeCoordinate]) -> Result<Vec<NodeHash>, String> {
        nodes_in(&self.folder, self.edge.size(), nodes)
    }

    /// The kept seen proof of a statement; not verified.
    pub(crate) fn seen_proof(&self, id: &StatementId) -> Option<TlogProof> {
        TlogProof::parse(&read(&self.folder, &Resource::SeenProof(*id)).ok()??).ok()
    }

    /// Keeps seen proofs that were verified, all at once.
    pub(crate) fn keep_proofs(&self, proofs: &[(StatementId, Vec<u8>)]) -> Result<(), FileError> {
        let file = |(id, bytes): &(StatementId, Vec<u8>)| {
            (self.folder.join(Resource::SeenProof(*id).to_string()), bytes.clone())
        };
        let files: Vec<(PathBuf, Vec<u8>)> = proofs.iter().map(file).collect();
        for folder in files.iter().filter_map(|(path, _)| path.parent()).collect::<BTreeSet<_>>() {
            files::create_dir_all_durable(folder)?;
        }
        files::replace_all(&files)
    }
}

/// The proof that the entry at `index` is in the tree of this checkpoint, from the copy in `folder`; not verified.
pub(crate) fn proof_in(folder: &Path, newest: &View, index: LeafIndex) -> Option<TlogProof> {
    let plan = InclusionPlan::new(index, newest.size())?;
    let path = plan.combine(&nodes_in(folder, newest.size(), plan.nodes()).ok()?).ok()?;
    Some(TlogProof { extra: None, index, path, checkpoint: newest.note().clone() })
}

/// The roots of the first `old` entries and of all of this checkpoint's tree, from the copy in `folder`; not verified.
pub(crate) fn prefix_in(folder: &Path, newest: &View, old: TreeSize) -> Option<(RootHash, RootHash)> {
    let plan = PrefixPlan::new(old, newest.size())?;
    let nodes = nodes_in(folder, newest.size(), plan.nodes()).ok()?;
    prefix_roots(old, newest.size(), &nodes).ok()
}

/// The entry at `index` of the tree of this checkpoint, from the copy in `folder`; not verified.
pub(crate) fn entry_in(folder: &Path, newest: &View, index: LeafIndex) -> Option<Vec<u8>> {
    let path = TilePath::of_entry(index, newest.size())?;
    let entries = read_entries(folder, &path).ok()?;
    let at = index.0.checked_sub(path.index() * u64::from(TILE_WIDTH))?;
    entries.into_iter().nth(usize::try_from(at).ok()?)
}

fn nodes_in(folder: &Path, size: TreeSize, nodes: &[NodeCoordinate]) -> Result<Vec<NodeHash>, String> {
    let mut tiles = BTreeMap::new();
    for path in tile::tiles_for(nodes, size) {
        let bytes = read(folder, &Resource::Tile(path)).map_err(|error| error.to_string())?;
        let hashes = bytes.and_then(|bytes| tile::parse_hashes(&bytes, path.width()).ok());
        tiles.insert(path, hashes.ok_or_else(damaged)?);
    }
    tile::nodes_from_tiles(nodes, size, |path| tiles.get(path).map(Vec::as_slice)).ok_or_else(damaged)
}

fn damaged() -> String {
    "this monitor's own hash tiles are damaged; restart it, and it makes them anew".to_owned()
}

fn read_checkpoint(folder: &Path, trust: &Trust) -> Result<Option<View>, MirrorError> {
    let path = folder.join(Resource::Checkpoint.to_string());
    let Some(bytes) = files::read_limited(&path, MAX_CHECKPOINT_SIZE)? else { return Ok(None) };
    let view = CheckpointNote::parse(&bytes).map_err(|error| error.to_string()).and_then(|note| trust.view(note));
    view.map(Some).map_err(|problem| MirrorError::Checkpoint { path, problem })
}

/// The bytes of a resource in the copy; `None` if it is not there. An object is never there.
pub(crate) fn read(folder: &Path, resource: &Resource) -> Result<Option<Vec<u8>>, FileError> {
    let limit = resource.max_bytes().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
    files::read_limited(&folder.join(resource.to_string()), limit)
}

fn read_entries(folder: &Path, path: &TilePath) -> Result<Vec<Vec<u8>>, GrowthError> {
    let bytes = read(folder, &Resource::Tile(*path))?;
    let bytes = bytes.ok_or_else(|| GrowthError::Entries(format!("{path} is missing")))?;
    tile::parse_entries(&bytes, path.width()).map_err(|error| GrowthError::Entries(format!("{path}: {error}")))
}

/// Writes a resource durably, unless it is there already with the same bytes.
fn put(folder: &Path, resource: &Resource, bytes: &[u8]) -> Result<(), FileError> {
    let path = folder.join(resource.to_string());
    if files::read_limited(&path, bytes.len()).is_ok_and(|found| found.as_deref() == Some(bytes)) {
        return Ok(());
    }
    path.parent().map_or(Ok(()), files::create_dir_all_durable)?;
    files::replace(&path, bytes)
}
