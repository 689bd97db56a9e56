//! What a log of ours has beside its tree: statements by their id, their seen proofs, and objects.

use super::collected::Absent;
use super::finding::Finding;
use super::{Objects, Work, coding};
use isonomy_core::checkpoint::Checkpoint;
use isonomy_core::hash::{HASH_SIZE, NodeHash, ObjectDigest, RootHash, StatementId, sha256};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, MAX_STATEMENT_SIZE, Statement};
use isonomy_core::tile::{self, RightEdge, TILE_WIDTH, TileKind, TilePath, parse_hashes};
use isonomy_core::tlog_proof::{MAX_TLOG_PROOF_SIZE, TlogProof};
use isonomy_core::tree::{Frontier, LeafIndex, TreeSize, leaf_hash, verify_inclusion};
use isonomy_fetch::{FetchError, Source};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;

/// What the entries of a log are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Anything.
    Opaque,
    /// Statements of ours.
    Statements,
}

/// What a log's entries are, by the first one of those that it must serve.
pub(super) async fn kind_of(source: &Source, minimum: LeafIndex, size: TreeSize) -> Kind {
    let first = LeafIndex(minimum.0.min(size.0.saturating_sub(1)));
    let Some(bundle) = TilePath::of_entry(first, size) else { return Kind::Opaque };
    let bytes = source.get(&Resource::Tile(bundle), bundle.max_bytes() as u64).await.unwrap_or_default();
    let bytes = coding::plain(bytes);
    let first = tile::split_entries(&bytes, bundle.width()).next();
    let is_statement = first.is_some_and(|entry| entry.is_ok_and(|entry| Statement::parse(entry).is_ok()));
    if is_statement { Kind::Statements } else { Kind::Opaque }
}

/// What the entries of a span say is elsewhere.
#[derive(Default)]
pub(super) struct Claims {
    statements: Vec<Claim>,
    findings: Vec<Finding>,
}

struct Claim {
    index: LeafIndex,
    id: StatementId,
    /// The SHA-256 of the entry.
    digest: [u8; HASH_SIZE],
    list: ListName,
    objects: Vec<ObjectRef>,
}

impl Claims {
    /// Takes the entries of a bundle.
    pub(super) fn collect(&mut self, kind: Kind, bundle: &TilePath, bytes: &[u8]) {
        if kind == Kind::Opaque {
            return;
        }
        let first = bundle.index() * u64::from(TILE_WIDTH);
        for (index, entry) in (first..).map(LeafIndex).zip(tile::split_entries(bytes, bundle.width())) {
            let Ok(entry) = entry else { return };
            match Statement::parse(entry) {
                Ok(statement) => self.statements.push(Claim::of(index, entry, &statement)),
                Err(error) => self.findings.push(Finding::NotAStatement { index, reason: error.to_string() }),
            }
        }
    }
}

impl Claim {
    fn of(index: LeafIndex, entry: &[u8], statement: &Statement) -> Self {
        let objects = if let Statement::Release(release) = statement { objects_of(release.body()) } else { Vec::new() };
        let list = statement.list().clone();
        Self { index, id: statement.id(), digest: sha256(&[entry]), list, objects }
    }

    fn statement(&self, reason: impl ToString) -> Finding {
        let path = Resource::Statement(self.id).to_string();
        Finding::Statement { index: self.index, path, reason: reason.to_string() }
    }

    fn seen_proof(&self, reason: impl ToString) -> Finding {
        let path = Resource::SeenProof(self.id).to_string();
        Finding::SeenProof { index: self.index, path, reason: reason.to_string() }
    }
}

fn objects_of(release: &Release) -> Vec<ObjectRef> {
    let deltas = release.deltas.iter().map(|delta| ObjectRef { size: delta.size, sha256: delta.sha256 });
    [release.snapshot].into_iter().chain(deltas).collect()
}

/// Reads what a span's statements claim, and adds what is wrong with it to the findings.
pub(super) async fn check(work: &Work, claims: Claims) {
    work.findings.extend(claims.findings);
    work.findings.note_lists(claims.statements.iter().map(|claim| &claim.list));
    let mut roots = Roots::new(&work.source, work.size);
    for claim in claims.statements {
        match read_statement(work, &claim).await {
            Ok(bytes) => {
                let wrong = check_seen_proof(work, &claim, &bytes, &mut roots).await.err();
                work.findings.extend(wrong.map(|reason| claim.seen_proof(reason)));
            }
            Err(finding) => work.findings.extend([finding]),
        }
        if work.options.objects == Objects::Read {
            check_objects(work, &claim).await;
        }
    }
}

async fn read_statement(work: &Work, claim: &Claim) -> Result<Vec<u8>, Finding> {
    let bytes = work.source.get(&Resource::Statement(claim.id), MAX_STATEMENT_SIZE as u64).await;
    let bytes = bytes.map_err(|error| claim.statement(error))?;
    let is_same = sha256(&[&bytes]) == claim.digest;
    if is_same { Ok(bytes) } else { Err(claim.statement("it does not hold what the log has as that entry")) }
}

async fn check_seen_proof(work: &Work, claim: &Claim, entry: &[u8], roots: &mut Roots<'_>) -> Result<(), String> {
    let bytes = work.source.get(&Resource::SeenProof(claim.id), MAX_TLOG_PROOF_SIZE as u64).await;
    let proof = TlogProof::parse(&bytes.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    if proof.index != claim.index {
        return Err(format!("it proves entry {}", proof.index));
    }
    let seen = proof.checkpoint.checkpoint();
    proof.checkpoint.verify_log(&work.options.log).map_err(|error| error.to_string())?;
    let path = verify_inclusion(&leaf_hash(entry), proof.index, seen.size, &proof.path, &seen.root);
    path.map_err(|error| error.to_string())?;
    if let Some(policy) = work.options.policy.as_ref().filter(|policy| !policy.quorum().is_none()) {
        proof.verify(entry, &work.options.log, policy).map_err(|error| error.to_string())?;
    }
    roots.check(seen).await
}

/// The roots of earlier sizes of the tree.
pub(super) struct Roots<'s> {
    source: &'s Source,
    size: TreeSize,
    known: BTreeMap<(TreeSize, RootHash), Result<(), String>>,
}

impl<'s> Roots<'s> {
    pub(super) fn new(source: &'s Source, size: TreeSize) -> Self {
        Self { source, size, known: BTreeMap::new() }
    }

    /// Whether an earlier checkpoint is one of this tree.
    pub(super) async fn check(&mut self, seen: &Checkpoint) -> Result<(), String> {
        let key = (seen.size, seen.root);
        if let Some(judged) = self.known.get(&key) {
            return judged.clone();
        }
        let judged = self.judge(seen).await;
        self.known.insert(key, judged.clone());
        judged
    }

    async fn judge(&self, seen: &Checkpoint) -> Result<(), String> {
        if seen.size > self.size {
            return Err(format!("it is of {} entries, the log's own checkpoint of {} only", seen.size, self.size));
        }
        // What is served to readers of a tree of that size could be another history: first, what is the beginning of this tree?
        let within = self.root_within(seen.size, Leaves::Hashes).await;
        let by_hashes = within == Some(seen.root);
        let by_entries = if by_hashes { None } else { self.root_within(seen.size, Leaves::Entries).await };
        let (is_of_this, is_told) = (by_hashes || by_entries == Some(seen.root), within.or(by_entries).is_some());
        let wrong = match self.served_root(seen.size).await {
            _ if is_told && !is_of_this => return Err(contradiction(seen)),
            Ok(root) if root == seen.root => return self.check_last_bundle(seen.size).await,
            _ if !is_of_this => return Err(contradiction(seen)),
            Ok(_) => Some("a tile of that size holds other hashes".to_owned()),
            Err(Unread::Gone) => None,
            Err(Unread::Wrong(words)) => Some(words),
        };
        // Of this tree. Where the tile of today is damaged alike, that is said of it.
        wrong.filter(|_| by_hashes).map_or(Ok(()), |words| Err(unreadable(seen.size, &words)))
    }

    /// The root that the tiles give which readers of a tree of this size ask for.
    async fn served_root(&self, size: TreeSize) -> Result<RootHash, Unread> {
        let mut rows = Vec::new();
        for tile in RightEdge::partial_tiles(size) {
            rows.push(self.hashes(&tile).await?);
        }
        RightEdge::from_tiles(size, rows).map(|edge| edge.root()).map_err(|error| Unread::Wrong(error.to_string()))
    }

    /// Whether readers of a tree of this size get its last entries, which have the hashes that the tile beside them has.
    async fn check_last_bundle(&self, size: TreeSize) -> Result<(), String> {
        let last = size.0.checked_sub(1).and_then(|last| TilePath::of_entry(LeafIndex(last), size));
        let Some(bundle) = last.filter(|bundle| !bundle.is_full()) else { return Ok(()) };
        let Some(tile) = TilePath::new(TileKind::Hashes { level: 0 }, bundle.index(), bundle.width()) else {
            return Ok(());
        };
        match (self.hashes(&tile).await, self.leaves(&bundle).await) {
            (Ok(hashes), Ok(leaves)) if hashes != leaves => {
                Err(unreadable(size, &format!("{bundle} has other entries")))
            }
            (_, Err(Unread::Wrong(words))) => Err(unreadable(size, &words)),
            _ => Ok(()),
        }
    }

    /// The root of this tree's first entries; `None` if tiles are missing.
    async fn root_within(&self, size: TreeSize, leaves: Leaves) -> Option<RootHash> {
        let places = Frontier::coordinates(size);
        let mut tiles = BTreeMap::new();
        for tile in tile::tiles_for(&places, self.size) {
            let row = match (leaves, tile.kind()) {
                (Leaves::Entries, TileKind::Hashes { level: 0 }) => {
                    self.leaves(&TilePath::new(TileKind::Entries, tile.index(), tile.width())?).await
                }
                _ => self.hashes(&tile).await,
            };
            tiles.insert(tile, row.ok()?);
        }
        let nodes = tile::nodes_from_tiles(&places, self.size, |tile| tiles.get(tile).map(Vec::as_slice))?;
        Some(Frontier::from_parts(size, nodes)?.root())
    }

    async fn hashes(&self, tile: &TilePath) -> Result<Vec<NodeHash>, Unread> {
        let bytes = self.read(tile).await?;
        parse_hashes(&bytes, tile.width()).map_err(|error| Unread::Wrong(format!("{tile} is malformed: {error}")))
    }

    /// The hashes of the entries in a bundle.
    async fn leaves(&self, bundle: &TilePath) -> Result<Vec<NodeHash>, Unread> {
        let bytes = coding::plain(self.read(bundle).await?);
        let entries = tile::split_entries(&bytes, bundle.width());
        let hash = |entry: Result<&[u8], _>| entry.map(|entry| NodeHash::from(leaf_hash(entry)));
        let malformed = |error| Unread::Wrong(format!("{bundle} is malformed: {error}"));
        entries.map(hash).collect::<Result<_, _>>().map_err(malformed)
    }

    async fn read(&self, tile: &TilePath) -> Result<Vec<u8>, Unread> {
        self.source.get(&Resource::Tile(*tile), tile.max_bytes() as u64).await.map_err(|error| match error {
            FetchError::NotFound { .. } => Unread::Gone,
            error => Unread::Wrong(format!("{tile} can't be read: {error}")),
        })
    }
}

/// Why a tile of an earlier tree is of no use.
enum Unread {
    /// It is not there, and neither is the full one. The log itself has to keep it; a copy of the log has the newest alone.
    Gone,
    /// It is there, and wrong; in words.
    Wrong(String),
}

/// Where the hashes of leaves are taken from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// The tiles of level 0.
    Hashes,
    /// The entries themselves.
    Entries,
}

fn unreadable(size: TreeSize, words: &str) -> String {
    format!("whoever holds its checkpoint, of {size} entries, can't read that tree: {words}")
}

fn contradiction(seen: &Checkpoint) -> String {
    format!(
        "the log signed in it a tree of {} entries that is not the beginning of this one: either the tiles are damaged or \
         the log has two histories",
        seen.size
    )
}

async fn check_objects(work: &Work, claim: &Claim) {
    for object in &claim.objects {
        let mut hasher = Hasher(Sha256::new());
        let copied = work.source.copy_to(&Resource::Object(object.sha256), object.size, &mut hasher).await;
        let found = ObjectDigest(hasher.0.finalize().into());
        let reason = match copied {
            Ok(size) if size == object.size && found == object.sha256 => continue,
            Ok(size) => format!("it has {size} bytes and the SHA-256 {found}; {} bytes were named", object.size),
            Err(error @ FetchError::NotFound { .. }) => {
                let (index, list, digest) = (claim.index, claim.list.clone(), object.sha256);
                work.findings.note_absent(Absent { index, list, digest, reason: error.to_string() });
                continue;
            }
            Err(error) => error.to_string(),
        };
        work.findings.extend([Finding::Object { index: claim.index, digest: object.sha256, reason }]);
    }
}

/// A writer that keeps nothing but the hash.
struct Hasher(Sha256);

impl AsyncWrite for Hasher {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.0.update(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
