//! Checking logs that others made: entries of any kind, a checkpoint with extension lines, bundles under gzip.

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature::cosign;
use isonomy_core::hash::{LeafHash, RootHash};
use isonomy_core::note::{KeyType, SigningKey};
use isonomy_core::policy::Policy;
use isonomy_core::tile::audit::Fault;
use isonomy_core::tile::{RightEdge, TileKind, TilePath, encode_entries, entry_tiles};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize, leaf_hash};
use isonomy_fetch::Source;
use isonomy_log_server::fsck::{Finding, FsckError, Objects, Options, Report, fsck};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::net::TcpListener;

const SIZE: u64 = 65_536 + 700;

fn key() -> SigningKey {
    SigningKey::from_seed("foreign.example/log", KeyType::Ed25519, &[7; 32]).unwrap()
}

fn witness() -> SigningKey {
    SigningKey::from_seed("witness.example/w", KeyType::Cosignature, &[8; 32]).unwrap()
}

fn options() -> Options {
    Options {
        log: key().verifier().clone(),
        policy: None,
        objects: Objects::Read,
        minimum_index: LeafIndex(0),
        jobs: 2,
    }
}

/// A log in a folder.
struct Log(TempDir);

impl Log {
    fn new() -> Self {
        let log = Self(tempfile::tempdir().unwrap());
        let entries: Vec<Vec<u8>> = (0..SIZE).map(|number| format!("package {number}").into_bytes()).collect();
        let leaves: Vec<LeafHash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let (edge, tiles) = RightEdge::new().append(&leaves);
        for tile in tiles {
            log.write(tile.path, &tile.to_bytes());
        }
        for bundle in entry_tiles(LeafIndex(0), TreeSize(SIZE)) {
            let first = bundle.index() as usize * 256;
            let entries = &entries[first..first + usize::from(bundle.width())];
            log.write(bundle, &encode_entries(entries).unwrap());
        }
        log.sign(edge.root());
        log
    }

    fn path(&self, name: impl ToString) -> PathBuf {
        self.0.path().join(name.to_string())
    }

    fn write(&self, name: impl ToString, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn checkpoint(root: RootHash) -> CheckpointNote {
        let extensions = vec!["written by another program".to_owned(), "second line".to_owned()];
        let checkpoint = Checkpoint { origin: key().verifier().name().into(), size: TreeSize(SIZE), root, extensions };
        CheckpointNote::sign(checkpoint, &key()).unwrap()
    }

    fn sign(&self, root: RootHash) {
        self.write("checkpoint", &Self::checkpoint(root).to_bytes());
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.path(name)).unwrap();
        change(&mut bytes);
        self.write(name, &bytes);
    }

    async fn check(&self) -> Report {
        fsck(&Source::folder(self.0.path()), &options(), Arc::new(|_| ())).await.unwrap()
    }

    /// Serves the folder, with entry bundles always compressed, as the specification allows.
    async fn serve(&self) -> Source {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = Source::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let router = axum::Router::new().fallback(read).with_state(self.0.path().to_owned());
        tokio::spawn(isonomy_serve::serve(listener, router, Default::default(), std::future::pending()));
        source
    }
}

async fn read(State(folder): State<PathBuf>, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let Ok(bytes) = fs::read(folder.join(path)) else { return StatusCode::NOT_FOUND.into_response() };
    if path.starts_with("tile/entries/") {
        return ([(header::CONTENT_ENCODING, "gzip")], gzip(&bytes)).into_response();
    }
    bytes.into_response()
}

/// Gzip (RFC 1952) of blocks that are stored as they are.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = bytes.chunks(65_535).count();
    for (number, block) in bytes.chunks(65_535).enumerate() {
        let length = block.len() as u16;
        out.push(u8::from(number + 1 == blocks));
        out.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        out.extend(block);
    }
    out.extend(crc32(bytes).to_le_bytes());
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), bit))
}

fn tree(report: &Report) -> Vec<String> {
    assert_eq!((report.holds_statements, report.omitted), (false, 0));
    report.findings.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_foreign_log_is_found_sound_from_a_folder_and_over_http() {
    let log = Log::new();
    let read = Arc::new(AtomicU64::new(0));
    for source in [Source::folder(log.0.path()), log.serve().await] {
        let counted = Arc::clone(&read);
        let progress = Arc::new(move |entries| {
            counted.fetch_add(entries, Ordering::Relaxed);
        });
        let report = fsck(&source, &options(), progress).await.unwrap();
        assert!(report.is_sound(), "{:?}", report.findings);
        assert_eq!(report.checkpoint.checkpoint().extensions.len(), 2);
        assert_eq!(read.swap(0, Ordering::Relaxed), SIZE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_dropped_partial_tiles_for_full_ones_is_sound() {
    let log = Log::new();
    // As if the log had grown beyond the checkpoint: the full tiles begin with what the partial ones held.
    for (partial, item) in [("tile/0/258.p/188", &[9u8; 32][..]), ("tile/entries/258.p/188", b"\x00\x01x")] {
        let full = TilePath::parse(partial).unwrap().full();
        let mut bytes = fs::read(log.path(partial)).unwrap();
        (188..256).for_each(|_| bytes.extend(item));
        fs::remove_file(log.path(partial)).unwrap();
        log.write(full, &bytes);
    }
    assert_eq!(tree(&log.check().await), [""; 0]);
    let over_http = fsck(&log.serve().await, &options(), Arc::new(|_| ())).await.unwrap();
    assert_eq!(tree(&over_http), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_holds_bundles_as_they_were_sent_is_sound_and_damage_in_them_is_named() {
    let log = Log::new();
    for path in ["tile/entries/000", "tile/entries/017", "tile/entries/x001/000", "tile/entries/258.p/188"] {
        if log.path(path).exists() {
            log.change(path, |bytes| *bytes = gzip(bytes));
        }
    }
    assert_eq!(tree(&log.check().await), [""; 0]);
    log.change("tile/entries/017", |bytes| bytes[40] ^= 1);
    let found = tree(&log.check().await);
    assert!(found.len() == 1 && found[0].starts_with("tile/entries/017 is malformed"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_damage_is_named() {
    let log = Log::new();
    log.change("tile/entries/017", |bytes| *bytes.last_mut().unwrap() ^= 1);
    log.change("tile/0/020", |bytes| bytes[64] ^= 1);
    log.change("tile/0/021", |bytes| bytes.truncate(8191));
    log.change("tile/entries/022", |bytes| bytes.truncate(100));
    log.change("tile/entries/023", |bytes| bytes.extend(b"\x00\x01x"));
    fs::remove_file(log.path("tile/entries/024")).unwrap();
    fs::remove_file(log.path("tile/0/025")).unwrap();
    log.change("tile/entries/258.p/188", |bytes| bytes[3] ^= 1);
    log.change("tile/1/001.p/2", |bytes| bytes.extend([0; 32]));
    for source in [Source::folder(log.0.path()), log.serve().await] {
        let report = fsck(&source, &options(), Arc::new(|_| ())).await.unwrap();
        let expected = [
            "tile/0/025 can't be read",
            "tile/1/001.p/2 can't be read",
            "tile/entries/024 can't be read",
            "tile/0/021 is malformed: a tile of this width must have 8192 bytes, not 8191",
            "tile/entries/022 is malformed: the bundle ends within an entry",
            "tile/entries/023 is malformed: a bundle of this width must hold exactly 256 entries",
            "tile/0/020: hash 2 is not the one that the log signed",
            "entry 4607 is not the one that the log signed",
            "entry 66048 is not the one that the log signed",
        ];
        let found = tree(&report);
        let is_that = |(found, expected): (&String, &str)| found.starts_with(expected);
        assert!(found.len() == expected.len() && found.iter().zip(expected).all(is_that), "{found:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_pruned_log_need_not_serve_is_no_fault_and_what_it_serves_must_be_right() {
    let log = Log::new();
    let minimum = LeafIndex(65_536 + 300);
    let mut pruned = vec!["tile/1/000".to_owned()];
    pruned.extend((0..=256).flat_map(|index| {
        let of = |kind| TilePath::new(kind, index, 256).unwrap().to_string();
        [of(TileKind::Hashes { level: 0 }), of(TileKind::Entries)]
    }));
    pruned.iter().for_each(|path| fs::remove_file(log.path(path)).unwrap());
    let options = Options { minimum_index: minimum, ..options() };
    for source in [Source::folder(log.0.path()), log.serve().await] {
        let report = fsck(&source, &options, Arc::new(|_| ())).await.unwrap();
        assert_eq!((tree(&report), report.pruned), (vec![], pruned.len()));
    }
    // Without the minimum index all of them are missing.
    let report = log.check().await;
    assert_eq!((report.findings.len(), report.pruned), (pruned.len(), 0));
    // What reaches beyond the minimum index must be there, and what is before it must be right if it is there.
    fs::remove_file(log.path("tile/0/257")).unwrap();
    log.write("tile/entries/003", b"\x00\x01x");
    let report = fsck(&Source::folder(log.0.path()), &options, Arc::new(|_| ())).await.unwrap();
    let found = tree(&report);
    assert!(found.len() == 2 && found[0].starts_with("tile/0/257 can't be read"), "{found:?}");
    assert!(found[1].starts_with("tile/entries/003 is malformed"), "{found:?}");
    assert_eq!(report.pruned, pruned.len() - 1);
    let beyond = Options { minimum_index: LeafIndex(SIZE + 1), ..options };
    let refused = fsck(&Source::folder(log.0.path()), &beyond, Arc::new(|_| ())).await;
    assert!(matches!(refused, Err(FsckError::Minimum { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_root_and_another_key_are_refused() {
    let log = Log::new();
    log.sign(RootHash([3; 32]));
    let report = log.check().await;
    assert!(matches!(report.findings[..], [Finding::Tree(Fault::Root { computed: Some(_) })]), "{report:?}");
    let other = SigningKey::from_seed("foreign.example/log", KeyType::Ed25519, &[9; 32]).unwrap();
    let options = Options { log: other.verifier().clone(), ..options() };
    let refused = fsck(&Source::folder(log.0.path()), &options, Arc::new(|_| ())).await;
    assert!(matches!(refused, Err(FsckError::Checkpoint(_))), "{refused:?}");
    fs::remove_file(log.path("checkpoint")).unwrap();
    let missing = fsck(&Source::folder(log.0.path()), &options, Arc::new(|_| ())).await;
    assert!(matches!(missing, Err(FsckError::Fetch(_))), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_s_witnesses_must_have_cosigned_the_checkpoint() {
    let log = Log::new();
    let text = format!("log {}\nwitness w {}\nquorum w\n", key().verifier(), witness().verifier());
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let options = Options { policy: Some(policy), ..options() };
    let source = Source::folder(log.0.path());
    let report = fsck(&source, &options, Arc::new(|_| ())).await.unwrap();
    assert!(matches!(report.findings[..], [Finding::Quorum { .. }]), "{report:?}");
    log.change("checkpoint", |bytes| {
        let note = CheckpointNote::parse(bytes).unwrap();
        let line = cosign(&witness(), note.note().text(), Timestamp(1_800_000_000));
        *bytes = note.with_cosignatures(&[line]).to_bytes();
    });
    assert!(fsck(&source, &options, Arc::new(|_| ())).await.unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_links_lead_out_of_the_folder_is_not_read() {
    let log = Log::new();
    let outside = tempfile::NamedTempFile::new().unwrap();
    replace_by_link(&log.path("tile/0/000"), outside.path());
    let found = tree(&log.check().await);
    assert!(found.len() == 1 && found[0].contains("leads out of the folder"), "{found:?}");
}

fn replace_by_link(path: &Path, target: &Path) {
    fs::copy(path, target).unwrap();
    fs::remove_file(path).unwrap();
    std::os::unix::fs::symlink(target, path).unwrap();
}
