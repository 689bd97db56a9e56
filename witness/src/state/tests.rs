use super::error::NOTHING_LOST;
use super::*;
use crate::decide::Request;
use crate::testing::*;
use isonomy_core::note::{KeyType, SigningKey};
use isonomy_store::faults::{Fault, Faults};
use isonomy_store::kv::StoreError;
use std::fs;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(dir: &TempDir) -> Result<State, StateError> {
    State::begin(dir.path(), witness_key().verifier(), Beginning::New)
}

fn load(dir: &TempDir) -> Result<Option<Record>, String> {
    open(dir).unwrap().load(&log(), witness_key().verifier()).map_err(|unknown| unknown.to_string())
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

/// A folder that has seen two records of the log, and these.
fn used() -> (TempDir, Record, Record) {
    let dir = folder();
    let first = record(None, b"abc", START);
    let second = record(Some(&first), b"abcde", START.plus(1));
    let state = open(&dir).unwrap();
    for record in [&first, &second] {
        state.write(&log(), record).unwrap();
    }
    (dir, first, second)
}

fn file(dir: &TempDir) -> PathBuf {
    dir.path().join(LOGS).join(log().id())
}

/// Changes what the database holds, behind the witness's back.
fn with_database(dir: &TempDir, change: impl FnOnce(&Tree)) {
    let store = Store::open(&dir.path().join(DATABASE)).unwrap();
    change(&store.tree("records").unwrap());
}

#[test]
fn a_new_folder_is_initialised_once_and_belongs_to_one_key() {
    let dir = folder();
    assert_eq!(load(&dir), Ok(None));
    assert_eq!(names(dir.path()), [DATABASE, EVIDENCE, LOCK_FILE, LOGS, SHOWN, MARKER]);
    let marker = fs::read_to_string(dir.path().join(MARKER)).unwrap();
    assert_eq!(marker, format!("isonomy-witness/v1\n{}\n", witness_key().verifier()));
    assert_eq!(load(&dir), Ok(None));
    let other = State::open(dir.path(), log_key().verifier());
    assert!(matches!(other, Err(StateError::OtherWitness { .. })));
}

#[test]
fn a_missing_folder_is_made_where_a_witness_begins_and_never_where_one_goes_on() {
    let dir = folder();
    let inside = dir.path().join("a/b");
    let go_on = || State::open(&inside, witness_key().verifier());
    assert!(matches!(go_on(), Err(StateError::NoMemory { .. })) && !inside.exists());
    fs::create_dir_all(&inside).unwrap();
    // The first attempt may leave its lock.
    for _ in 0..2 {
        let error = go_on().err().unwrap();
        assert!(error.to_string().contains("isonomy witness restore"), "{error}");
        fs::write(inside.join(LOCK_FILE), b"").unwrap();
    }
    State::begin(&inside, witness_key().verifier(), Beginning::New).unwrap();
    assert!(inside.join(MARKER).is_file());
    go_on().unwrap();
}

#[test]
fn one_process_at_a_time() {
    let dir = folder();
    let state = open(&dir).unwrap();
    assert!(matches!(open(&dir), Err(StateError::File(FileError::InUse { .. }))));
    drop(state);
    open(&dir).unwrap();
}

#[test]
fn what_was_written_is_there_after_a_restart() {
    let (dir, _, second) = used();
    assert_eq!(load(&dir), Ok(Some(second)));
}

#[test]
fn a_first_start_that_died_begins_again() {
    for reached in 0..3 {
        let dir = folder();
        fs::write(dir.path().join(INITIALISING), b"").unwrap();
        if reached > 0 {
            drop(Store::open(&dir.path().join(DATABASE)).unwrap());
        }
        if reached > 1 {
            fs::create_dir(dir.path().join(LOGS)).unwrap();
        }
        assert_eq!(load(&dir), Ok(None));
        assert!(!dir.path().join(INITIALISING).exists());
    }
}

#[test]
fn a_folder_that_is_neither_empty_nor_a_witness_s_is_refused() {
    let dir = folder();
    fs::write(dir.path().join("letter.txt"), b"").unwrap();
    assert!(matches!(open(&dir), Err(StateError::NotAWitness { .. })));
    let (dir, ..) = used();
    fs::remove_file(dir.path().join(MARKER)).unwrap();
    assert!(matches!(open(&dir), Err(StateError::NotAWitness { .. })));
}

#[test]
fn a_database_that_is_lost_is_not_taken_for_a_new_one_however_often() {
    let (dir, ..) = used();
    fs::remove_dir_all(dir.path().join(DATABASE)).unwrap();
    for _ in 0..2 {
        assert!(matches!(open(&dir), Err(StateError::DatabaseLost { .. })));
    }
    drop(Store::open(&dir.path().join(DATABASE)).unwrap());
    assert!(matches!(open(&dir), Err(StateError::DatabaseLost { .. })));
}

#[test]
fn a_damaged_database_is_refused() {
    let (dir, ..) = used();
    fs::write(dir.path().join(DATABASE).join("sled/conf"), b"not what it was").unwrap();
    let error = open(&dir).err().unwrap();
    assert!(matches!(error, StateError::DatabaseDamaged { .. }), "{error}");
    let words = error.to_string();
    assert!(words.contains("set this folder aside") && !words.contains("from a copy"), "{words}");
}

#[test]
fn a_memory_that_can_t_be_reached_is_not_said_to_be_lost() {
    let (dir, ..) = used();
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let error = StateError::from(StoreError::Failed { folder: dir.path().to_owned(), source: full }).to_string();
    assert!(error.contains(NOTHING_LOST) && !error.contains("set this folder aside"), "{error}");
    fs::remove_file(file(&dir)).unwrap();
    std::os::unix::fs::symlink(file(&dir), file(&dir)).unwrap();
    let state = open(&dir).unwrap();
    let unknown = state.load(&log(), witness_key().verifier()).unwrap_err();
    assert_eq!(unknown.advice(), Some(NOTHING_LOST), "{unknown}");
}

#[test]
fn a_missing_or_damaged_file_is_doubt() {
    type Damage = dyn Fn(&Path);
    let damages: [(&Damage, &str); 5] = [
        (&|path| fs::remove_file(path).unwrap(), "its file is missing"),
        (&|path| fs::remove_dir_all(path.parent().unwrap()).unwrap(), "its file is missing"),
        (&|path| fs::write(path, b"").unwrap(), "its file is damaged"),
        (&|path| fs::write(path, vec![b'x'; MAX_RECORD_SIZE + 1]).unwrap(), "its file is damaged"),
        (&|path| flip(path), "its file is damaged"),
    ];
    for (damage, why) in damages {
        let (dir, ..) = used();
        damage(&file(&dir));
        for _ in 0..2 {
            let doubt = load(&dir).unwrap_err();
            assert!(doubt.starts_with(why), "{doubt}");
        }
    }
}

/// Changes a letter of the last signature.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() - 20;
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_missing_or_damaged_entry_is_doubt() {
    let id = log().id();
    let (_, first, _) = used();
    let older = first.to_bytes();
    let fork = record(None, b"abx", START).to_bytes();
    let damages: [(Option<&[u8]>, &str); 4] = [
        (None, "its entry in the database is missing"),
        (Some(b""), "its entry in the database is damaged"),
        (Some(&older[..older.len() - 1]), "its entry in the database is damaged"),
        (Some(&fork), "its file and its entry in the database differ"),
    ];
    for (value, why) in damages {
        let (dir, ..) = used();
        with_database(&dir, |tree| match value {
            Some(value) => tree.put(id.as_bytes(), value).unwrap(),
            None => tree.remove(id.as_bytes()).unwrap(),
        });
        let doubt = load(&dir).unwrap_err();
        assert!(doubt.starts_with(why), "{doubt}");
    }
}

#[test]
fn an_older_file_is_doubt_though_it_is_good_in_itself() {
    let (dir, first, _) = used();
    fs::write(file(&dir), first.to_bytes()).unwrap();
    assert_eq!(load(&dir), Err("its file and its entry in the database differ".to_owned()));
}

#[test]
fn a_write_that_was_interrupted_is_completed() {
    let (dir, _, second) = used();
    let third = record(Some(&second), b"abcdefg", START.plus(2));
    fs::write(file(&dir), third.to_bytes()).unwrap();
    for _ in 0..2 {
        assert_eq!(load(&dir), Ok(Some(third.clone())));
    }
    with_database(&dir, |tree| assert_eq!(tree.get(log().id().as_bytes()).unwrap(), Some(third.to_bytes())));
}

#[test]
fn evidence_is_kept_once_and_not_without_end() {
    let dir = folder();
    let state = open(&dir).unwrap();
    let latest = record(None, b"abc", START);
    let fork = |number: u32| {
        let request = Request::Add(add(0, &[b'x', (number >> 8) as u8, number as u8]));
        Fork::between(&log(), &latest, &request).unwrap()
    };
    let keep = |number| state.keep(&log(), &fork(number)).unwrap();
    let Kept::At(path) = keep(0) else { panic!("it is not kept") };
    assert_eq!(fs::read_to_string(path).unwrap(), fork(0).to_text().unwrap());
    assert_eq!(keep(0), Kept::Before);
    for number in 1..MAX_EVIDENCE as u32 {
        assert!(matches!(keep(number), Kept::At(_)));
    }
    assert_eq!(keep(MAX_EVIDENCE as u32), Kept::Full);
    assert_eq!(names(&dir.path().join(EVIDENCE)).len(), MAX_EVIDENCE);
    // Another log has its own room, so that none pushes out what another has done.
    let other =
        Log::new(SigningKey::from_seed("other.example", KeyType::Ed25519, &[5; 32]).unwrap().verifier().clone());
    assert!(matches!(state.keep(&other, &fork(0)), Ok(Kept::At(_))));
    assert_eq!((state.count(Kind::Fork, &log()).unwrap(), state.count(Kind::Fork, &other).unwrap()), (MAX_EVIDENCE, 1));
}

/// A stranger shows a witness that is behind what its log had long ago, each with a wrong proof.
#[test]
fn what_was_overtaken_makes_room_and_what_is_larger_does_not() {
    let dir = folder();
    let state = open(&dir).unwrap();
    let leaves: Vec<u8> = (0..=255).collect();
    let refused = |known: &Record, size: usize, after: u64| {
        let request = Request::Add(add(known.size().0 as usize, &leaves[..size]));
        let reason = crate::decide::Refusal::EmptyTreeRoot;
        Refused::of(&log(), Some(known), &request, &reason, START.plus(after)).unwrap()
    };
    let keep = |refused: &Refused| state.keep_refused(&log(), refused).unwrap();
    let behind = record(None, &leaves[..1], START);
    let of_strangers: Vec<Refused> =
        (0..MAX_EVIDENCE).map(|number| refused(&behind, 2 + number, number as u64)).collect();
    assert!(of_strangers.iter().all(|refused| matches!(keep(refused), Kept::At(_))));
    let larger = refused(&behind, 200, 200);
    assert_eq!(keep(&larger), Kept::Full, "all are larger than what was cosigned");
    let ahead = record(None, &leaves[..3], START);
    let known = |number: usize| {
        let name = of_strangers[number].name(&log());
        dir.path().join(EVIDENCE).join(name).exists()
    };
    assert_eq!(keep(&refused(&ahead, 203, 202)), Kept::Full, "the first are kept for good, overtaken or not");
    let far_ahead = record(None, &leaves[..KEPT_FOR_GOOD + 3], START);
    {
        let full_disk = Faults::watch(dir.path());
        (0..1000).for_each(|call| full_disk.plan(call, Fault::NoSpace));
        state.keep_refused(&log(), &refused(&far_ahead, 201, 201)).unwrap_err();
        assert!(known(KEPT_FOR_GOOD), "nothing goes before the new one is durable");
    }
    for (number, size) in [(KEPT_FOR_GOOD, 201), (KEPT_FOR_GOOD + 1, 202)] {
        let name = of_strangers[number].name(&log());
        assert!(matches!(keep(&refused(&far_ahead, size, 201)), Kept::InPlaceOf(_, gone) if gone == name), "{size}");
        assert_eq!([number, number + 1].map(known), [false, true], "the oldest of the others went");
    }
    assert_eq!(keep(&refused(&far_ahead, 203, 202)), Kept::Full);
    assert!((0..KEPT_FOR_GOOD).all(known));
    assert_eq!(state.count(Kind::Refused, &log()).unwrap(), MAX_EVIDENCE);
}
