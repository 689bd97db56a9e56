//! What a monitor of a log holds in memory, by the number of its statements.
//!
//! The log is made up on the way, over HTTP: statements, tiles and proofs follow from their numbers, so that a log of any
//! size needs no room. `ISONOMY_STATEMENTS` gives another number than the small one that the limits are held at:
//!
//!     ISONOMY_STATEMENTS=1000000 cargo test -p isonomy-monitor --test memory -- --nocapture --test-threads 1

#[allow(dead_code)]
#[path = "all/world.rs"]
mod world;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONNECTION;
use axum::http::{HeaderName, StatusCode, Uri};
use isonomy_core::attestation::{Attestation, Method};
use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature::cosign;
use isonomy_core::hash::{ListRoot, NodeHash, StatementId};
use isonomy_core::list::{delta, snapshot};
use isonomy_core::release::{DeltaRef, ObjectRef, Release, delta_bases};
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tile::{self, TILE_WIDTH, TileKind, TilePath};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{InclusionPlan, LeafIndex, NodeCoordinate, TreeSize, leaf_hash, node_hash};
use isonomy_fetch::Source;
use isonomy_monitor::Monitor;
use peak_alloc::PeakAlloc;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use world::*;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Statements of a small log: enough that what is held of each outweighs what is held in any case.
const STATEMENTS: u64 = 3000;
/// One measurement at a time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// In how many seconds the releases are made: less than a day, so that none was admitted late.
const SPAN: u64 = 80_000;
/// When everything is published.
const PUBLISHED: Timestamp = Timestamp(START.0 + SPAN + 1);

/// When it is looked at: every release may be used by then.
const NOW: Timestamp = Timestamp(PUBLISHED.0 + 3 * HOUR);

/// What the statements after the charter and the first release are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Attestations,
    Releases,
}

/// A log of that many statements, each made when it is asked for.
struct Synthetic {
    kind: Kind,
    charter: Statement,
    ids: Vec<StatementId>,
    places: HashMap<StatementId, u64>,
    /// The hashes of complete subtrees, from the leaves upwards.
    levels: Vec<Vec<NodeHash>>,
    snapshot: Vec<u8>,
    delta: Vec<u8>,
    root: ListRoot,
    /// As it was published, which seen proofs show.
    checkpoint: CheckpointNote,
    /// The same as it is shown now.
    fresh: CheckpointNote,
}

impl Synthetic {
    fn new(kind: Kind, statements: u64) -> Self {
        let mut first = world::charter();
        first.limits.validity = 300 * DAY;
        let charter = signed(&first.to_text().unwrap(), &SIGNERS);
        let list = entries(0..10);
        let unchanged = delta::encode(&delta::diff(&list, &list).unwrap());
        let nothing = Checkpoint {
            origin: ORIGIN.into(),
            size: TreeSize(0),
            root: isonomy_core::tree::empty_root(),
            extensions: vec![],
        };
        let mut log = Self {
            kind,
            charter,
            ids: Vec::new(),
            places: HashMap::new(),
            levels: vec![Vec::new()],
            snapshot: snapshot::encode(&list),
            delta: unchanged,
            root: list.root(),
            checkpoint: CheckpointNote::sign(nothing.clone(), &log_key()).unwrap(),
            fresh: CheckpointNote::sign(nothing, &log_key()).unwrap(),
        };
        for index in 0..statements {
            let statement = log.statement(index);
            log.ids.push(statement.id());
            log.places.insert(statement.id(), index);
            log.levels[0].push(leaf_hash(&statement.to_bytes()).into());
        }
        while let Some(top) = log.levels.last().filter(|top| top.len() > 1) {
            let above = top.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
            log.levels.push(above);
        }
        (log.checkpoint, log.fresh) = (log.signed(statements, PUBLISHED), log.signed(statements, NOW));
        log
    }

    fn signed(&self, size: u64, time: Timestamp) -> CheckpointNote {
        let leaves = self.levels[0].iter().map(|node| isonomy_core::hash::LeafHash(node.0));
        let root = leaves.collect::<isonomy_core::tree::Frontier>().root();
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: TreeSize(size), root, extensions: vec![] };
        let note = CheckpointNote::sign(checkpoint, &log_key()).unwrap();
        let lines = [0, 1, 2].map(|number| cosign(&witness_key(number), note.note().text(), time));
        note.with_cosignatures(&lines)
    }

    fn statement(&self, index: u64) -> Statement {
        match (index, self.kind) {
            (0, _) => self.charter.clone(),
            (1, _) | (_, Kind::Releases) => signed(&self.release(index).to_text().unwrap(), &SIGNERS),
            (_, Kind::Attestations) => signed(&self.attestation(index).to_text().unwrap(), &["auditor"]),
        }
    }

    /// The release at this place: version 1 at 1, and so on. None but the first changes anything.
    fn release(&self, version: u64) -> Release {
        let object =
            |bytes: &[u8]| ObjectRef { size: bytes.len() as u64, sha256: isonomy_core::hash::ObjectDigest::of(bytes) };
        let unchanged = object(&self.delta);
        let base = |from: u64| DeltaRef {
            from,
            release: self.ids[from as usize],
            size: unchanged.size,
            sha256: unchanged.sha256,
        };
        let created = START.plus(SPAN.min(version / 8));
        Release {
            statement: Release::KIND.into(),
            list: ListName::new(LIST).unwrap(),
            version,
            previous: (version > 1).then(|| self.ids[version as usize - 1]),
            charter: self.charter.id(),
            created,
            expires: created.plus(300 * DAY),
            entries: 10,
            irregular: 0,
            root: self.root,
            added: if version == 1 { 10 } else { 0 },
            removed: 0,
            snapshot: object(&self.snapshot),
            deltas: delta_bases(version).into_iter().map(base).collect(),
        }
    }

    fn attestation(&self, number: u64) -> Attestation {
        Attestation {
            statement: Attestation::KIND.into(),
            list: ListName::new(LIST).unwrap(),
            release: self.ids[1],
            auditor: key("auditor").verifier().clone(),
            method: Method::Followed,
            log_size: Some(TreeSize(3)),
            sample: None,
            errors: None,
            complaint: None,
            finding: format!("Every entry was read, and the rules are kept: look {number}."),
            report: None,
            created: START.plus(HOUR),
        }
    }

    fn node(&self, node: &NodeCoordinate) -> NodeHash {
        self.levels[usize::from(node.level)][node.index as usize]
    }

    fn proof(&self, id: &StatementId) -> Option<TlogProof> {
        let index = LeafIndex(*self.places.get(id)?);
        let plan = InclusionPlan::new(index, self.checkpoint.checkpoint().size)?;
        let hashes: Vec<NodeHash> = plan.nodes().iter().map(|node| self.node(node)).collect();
        let path = plan.combine(&hashes).unwrap();
        Some(TlogProof { extra: None, index, path, checkpoint: self.checkpoint.clone() })
    }

    /// The charter and the newest release.
    fn bundle(&self) -> Bundle {
        let include = |index: u64| {
            let id = self.ids[index as usize];
            Included { id, index: LeafIndex(index), path: self.proof(&id).unwrap().path }
        };
        let newest = if self.kind == Kind::Releases { self.ids.len() as u64 - 1 } else { 1 };
        Bundle {
            list: ListName::new(LIST).unwrap(),
            charters: vec![include(0)],
            releases: vec![include(newest)],
            attestations: vec![],
            checkpoint: self.fresh.clone(),
        }
    }

    fn tile(&self, path: &TilePath) -> Vec<u8> {
        let first = path.index() * u64::from(TILE_WIDTH);
        let places = first..first + u64::from(path.width());
        match path.kind() {
            TileKind::Entries => {
                let entries: Vec<Vec<u8>> = places.map(|index| self.statement(index).to_bytes()).collect();
                tile::encode_entries(&entries).unwrap()
            }
            TileKind::Hashes { level } => {
                let nodes = places.map(|index| self.node(&NodeCoordinate { level: 8 * level, index }));
                tile::encode_hashes(&nodes.collect::<Vec<_>>())
            }
        }
    }

    fn answer(&self, resource: &Resource) -> Option<Vec<u8>> {
        let object = |bytes: &Vec<u8>| (isonomy_core::hash::ObjectDigest::of(bytes), bytes.clone());
        match resource {
            Resource::Checkpoint => Some(self.fresh.to_bytes()),
            Resource::Bundle(_) => Some(self.bundle().to_bytes()),
            Resource::Statement(id) => Some(self.statement(*self.places.get(id)?).to_bytes()),
            Resource::Tile(path) => Some(self.tile(path)),
            Resource::SeenProof(id) => Some(self.proof(id)?.to_bytes()),
            Resource::Object(digest) => {
                let known = [object(&self.snapshot), object(&self.delta)];
                known.into_iter().find(|(known, _)| known == digest).map(|(_, bytes)| bytes)
            }
        }
    }
}

/// Each answer ends its connection: those that stay open hold buffers, how many and how large depends on how busy the
/// machine is, and they are not the monitor's.
async fn serve(
    State(log): State<Arc<Synthetic>>,
    uri: Uri,
) -> Result<([(HeaderName, &'static str); 1], Vec<u8>), StatusCode> {
    let resource = Resource::parse(uri.path().trim_start_matches('/'));
    let answer = resource.and_then(|resource| log.answer(&resource)).ok_or(StatusCode::NOT_FOUND)?;
    Ok(([(CONNECTION, "close")], answer))
}

/// What a monitor holds for each statement after a look, the most that it held on the way, and what it holds after a
/// restart, in bytes.
async fn measure(kind: Kind, statements: u64) -> (u64, u64, u64) {
    let log = Arc::new(Synthetic::new(kind, statements));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = Source::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let router = Router::new().fallback(serve).with_state(Arc::clone(&log));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let config = isonomy_monitor::Config {
            sources: vec![source.clone()],
            ..isonomy_monitor::Config::new(dir.path().join("data"), policy(&[]))
        };
        Monitor::open(config).unwrap()
    };
    let before = MEMORY.current_usage() as u64;
    let each = |bytes: usize| (bytes as u64).saturating_sub(before) / statements;
    let mut monitor = open();
    MEMORY.reset_peak_usage();
    let start = Instant::now();
    let report = monitor.poll_at(NOW.plus(60)).await.unwrap();
    let took = start.elapsed();
    assert_eq!((codes(&report), report.log.read), (vec![], statements));
    let (data, page) = (serde_json::to_vec(&report).unwrap().len(), report.lists[0].releases.len());
    drop(report);
    let (held, peak) = (each(MEMORY.current_usage()), each(MEMORY.peak_usage()));
    drop(monitor);
    let start = Instant::now();
    let monitor = open();
    assert_eq!(monitor.report().log.read, statements);
    let (again, restart) = (each(MEMORY.current_usage()), start.elapsed());
    println!(
        "{statements} statements, {kind:?}: {held} bytes held for each, {peak} at the peak of the look, {again} after a restart; look {took:.1?}, restart {restart:.1?}; the report has {} kB and {page} releases",
        data / 1000
    );
    (held, peak, again)
}

fn statements() -> u64 {
    std::env::var("ISONOMY_STATEMENTS").map_or(STATEMENTS, |text| text.parse().expect("a number"))
}

/// The whole of a statement with what is made of it would be some two kilobytes.
#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_costs_its_place() {
    let _alone = ALONE.lock().await;
    let (held, peak, again) = measure(Kind::Attestations, statements()).await;
    assert!(held <= 400 && peak <= 800 && again <= 400, "{held} {peak} {again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_costs_its_figures() {
    let _alone = ALONE.lock().await;
    let (held, peak, again) = measure(Kind::Releases, statements()).await;
    assert!(held <= 500 && peak <= 1200 && again <= 500, "{held} {peak} {again}");
}
