//! Reading from folders, some of which were made by somebody else.

use isonomy_core::resource::Resource;
use isonomy_core::tile::TilePath;
use isonomy_fetch::{FetchError, Source};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const LIMIT: u64 = 1000;

/// A folder `mirror` with a few files, beside a file that is nobody's business.
fn mirror() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("secret"), b"secret");
    let mirror = folder.path().join("mirror");
    for path in ["checkpoint", "tile/0/x001/234.p/5", "list/hotline.example/known/bundle"] {
        write(&mirror.join(path), path.as_bytes());
    }
    folder
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

async fn read(folder: &TempDir, path: &str) -> Result<Vec<u8>, FetchError> {
    let source = Source::parse(folder.path().join("mirror").to_str().unwrap()).unwrap();
    source.get(&Resource::parse(path).unwrap(), LIMIT).await
}

fn location(folder: &TempDir, path: &str) -> String {
    folder.path().join("mirror").join(path).display().to_string()
}

#[tokio::test]
async fn files_lie_where_a_server_has_them() {
    let folder = mirror();
    for path in ["checkpoint", "tile/0/x001/234.p/5", "list/hotline.example/known/bundle"] {
        assert_eq!(read(&folder, path).await, Ok(path.as_bytes().to_vec()));
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_from_a_folder_that_isn_t() {
    let folder = mirror();
    let tile = "tile/0/x001/235.p/5";
    assert_eq!(read(&folder, tile).await, Err(FetchError::NotFound { location: location(&folder, tile) }));
    // A file where there should be a folder.
    let below = "list/hotline.example/known/bundle/deeper/bundle";
    assert_eq!(read(&folder, below).await, Err(FetchError::NotFound { location: location(&folder, below) }));
    fs::remove_dir_all(folder.path().join("mirror")).unwrap();
    let error = read(&folder, "checkpoint").await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_file_above_the_limit_is_not_read() {
    let folder = mirror();
    let path = folder.path().join("mirror/checkpoint");
    fs::write(&path, vec![b'a'; LIMIT as usize]).unwrap();
    assert_eq!(read(&folder, "checkpoint").await, Ok(vec![b'a'; LIMIT as usize]));
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let location = location(&folder, "checkpoint");
    assert_eq!(read(&folder, "checkpoint").await, Err(FetchError::TooLarge { location, limit: LIMIT }));
}

#[cfg(unix)]
#[tokio::test]
async fn links_lead_nowhere_outside() {
    use std::os::unix::fs::symlink;
    let folder = mirror();
    let mirror = folder.path().join("mirror");
    let checkpoint = mirror.join("checkpoint");
    for target in ["../secret", "/dev/zero", "/etc/hostname"] {
        fs::remove_file(&checkpoint).unwrap();
        symlink(target, &checkpoint).unwrap();
        let expected = if Path::new(target).has_root() && !Path::new(target).exists() {
            FetchError::NotFound { location: location(&folder, "checkpoint") }
        } else {
            FetchError::Escapes { location: location(&folder, "checkpoint") }
        };
        assert_eq!(read(&folder, "checkpoint").await, Err(expected), "{target}");
    }
    write(&folder.path().join("outside/bundle"), b"outside");
    fs::remove_dir_all(mirror.join("list/hotline.example/known")).unwrap();
    symlink(folder.path().join("outside"), mirror.join("list/hotline.example/known")).unwrap();
    let bundle = read(&folder, "list/hotline.example/known/bundle").await;
    assert!(matches!(bundle, Err(FetchError::Escapes { .. })));
}

/// Reads tiles as those do who read a whole log.
async fn fold(folder: &TempDir, tiles: &[&str]) -> Vec<Result<Vec<u8>, FetchError>> {
    let source = Source::folder(folder.path().join("mirror"));
    let tiles = tiles.iter().map(|tile| TilePath::parse(tile).unwrap()).collect();
    source.fold_tiles(tiles, Vec::new(), |read, _, bytes| read.push(bytes)).await.unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn many_tiles_are_read_by_the_same_rules() {
    use std::os::unix::fs::symlink;
    let folder = mirror();
    let tiles = folder.path().join("mirror/tile");
    let hashes: Vec<u8> = (0..=255).flat_map(|n| [n; 32]).collect();
    write(&tiles.join("0/000"), &hashes);
    write(&tiles.join("0/003"), &vec![0; 8193]);
    fs::create_dir(tiles.join("0/004")).unwrap();
    symlink("../../../secret", tiles.join("0/005")).unwrap();
    symlink("000", tiles.join("0/006")).unwrap();
    write(&folder.path().join("outside/000"), &hashes);
    symlink("../../outside", tiles.join("1")).unwrap();
    let read = fold(
        &folder,
        &[
            "tile/0/000",
            "tile/0/000.p/2",
            "tile/0/001",
            "tile/0/002.p/1",
            "tile/0/003",
            "tile/0/004",
            "tile/0/005",
            "tile/0/006",
            "tile/1/000",
        ],
    )
    .await;
    assert_eq!(read[0], Ok(hashes.clone()));
    assert_eq!(read[1], Ok(hashes[..64].to_vec()), "the beginning of the full tile");
    for missing in [2, 3] {
        assert!(matches!(read[missing], Err(FetchError::NotFound { .. })), "{:?}", read[missing]);
    }
    assert!(matches!(read[4], Err(FetchError::TooLarge { limit: 8192, .. })));
    assert!(matches!(read[5], Err(FetchError::Malformed { .. })));
    assert!(matches!(read[6], Err(FetchError::Escapes { .. })));
    assert_eq!(read[7], Ok(hashes));
    assert!(matches!(read[8], Err(FetchError::Escapes { .. })), "{:?}", read[8]);
    fs::remove_dir_all(folder.path().join("mirror")).unwrap();
    assert!(fold(&folder, &["tile/0/000"]).await[0].is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn links_inside_are_followed() {
    use std::os::unix::fs::symlink;
    let folder = mirror();
    symlink("x001/234.p/5", folder.path().join("mirror/tile/0/000")).unwrap();
    assert_eq!(read(&folder, "tile/0/000").await, Ok(b"tile/0/x001/234.p/5".to_vec()));
    // The folder itself may be named by a link.
    symlink(folder.path().join("mirror"), folder.path().join("link")).unwrap();
    let source = Source::folder(folder.path().join("link"));
    assert_eq!(source.get(&Resource::Checkpoint, LIMIT).await, Ok(b"checkpoint".to_vec()));
}

#[cfg(unix)]
#[tokio::test]
async fn only_regular_files_are_opened() {
    let folder = mirror();
    let checkpoint = folder.path().join("mirror/checkpoint");
    fs::remove_file(&checkpoint).unwrap();
    fs::create_dir(&checkpoint).unwrap();
    assert!(matches!(read(&folder, "checkpoint").await, Err(FetchError::Malformed { .. })));
    fs::remove_dir(&checkpoint).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(&checkpoint).unwrap();
    assert!(matches!(read(&folder, "checkpoint").await, Err(FetchError::Malformed { .. })));
}

#[tokio::test]
async fn a_dropped_partial_tile_is_taken_from_the_full_one() {
    let folder = mirror();
    let hashes: Vec<u8> = (0..=255).flat_map(|n| [n; 32]).collect();
    write(&folder.path().join("mirror/tile/0/000"), &hashes);
    assert_eq!(read(&folder, "tile/0/000.p/7").await, Ok(hashes[..7 * 32].to_vec()));
}
