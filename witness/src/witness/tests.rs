use super::*;
use crate::record::RecordError;
use crate::restore::{RestoreError, Restored, checkpoint_in, declare_new, restore};
use crate::testing::*;
use isonomy_core::add_checkpoint::AddCheckpoint;
use isonomy_core::checkpoint::Checkpoint;
use isonomy_core::cosignature;
use isonomy_core::note::KeyType;
use isonomy_serve::Rates;
use std::fs;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(dir: &TempDir) -> Witness {
    Witness::open(config(dir.path())).unwrap()
}

fn ask(witness: &Witness, old: usize, leaves: &[u8], clock: Timestamp) -> Result<Signature, AddError> {
    witness.add_checkpoint(&add(old, leaves).to_bytes(), clock)
}

fn latest(witness: &Witness) -> Option<CheckpointNote> {
    witness.latest(&log().id()).unwrap()
}

#[test]
fn the_answer_is_the_cosignature_that_is_stored() {
    let dir = folder();
    let witness = open(&dir);
    assert_eq!(latest(&witness), None);
    assert_eq!(witness.latest("unknown"), Ok(None));
    let line = ask(&witness, 0, b"abc", START).unwrap();
    let text = checkpoint(b"abc").note().text().to_owned();
    assert_eq!(cosignature::verify(witness.key(), &text, &line), Some(START));
    assert_eq!(latest(&witness), Some(checkpoint(b"abc").with_cosignatures(std::slice::from_ref(&line))));
    assert_eq!(ask(&witness, 3, b"abc", START), Ok(line));
    drop(witness);
    let witness = open(&dir);
    assert_eq!(ask(&witness, 0, b"xyz", START), Err(Refusal::Conflict { known: TreeSize(3) }.into()));
    ask(&witness, 3, b"abcde", START.plus(9)).unwrap();
    assert_eq!(latest(&witness).map(|note| note.checkpoint().size), Some(TreeSize(5)));
    assert_eq!((witness.doubts(), witness.logs().count()), (Vec::new(), 1));
}

#[test]
fn a_log_in_doubt_is_refused_and_others_are_not() {
    let dir = folder();
    let other = SigningKey::from_seed("other", isonomy_core::note::KeyType::Ed25519, &[3; 32]).unwrap();
    let both = || {
        let mut config = config(dir.path());
        config.logs.push(other.verifier().clone());
        Witness::open(config).unwrap()
    };
    ask(&both(), 0, b"abc", START).unwrap();
    fs::remove_file(dir.path().join("logs").join(log().id())).unwrap();
    let witness = both();
    let doubt = Doubt { origin: ORIGIN.into(), reason: "its file is missing".into() };
    assert_eq!(ask(&witness, 3, b"abcd", START), Err(doubt.clone().into()));
    assert_eq!(witness.latest(&log().id()), Err(doubt.clone()));
    assert_eq!(witness.doubts(), [doubt]);
    let mut checkpoint = checkpoint(b"abc").checkpoint().clone();
    checkpoint.origin = "other".into();
    let mut request = add(0, b"abc");
    request.checkpoint = CheckpointNote::sign(checkpoint, &other).unwrap();
    witness.add_checkpoint(&request.to_bytes(), START).unwrap();
}

#[test]
fn a_write_that_fails_leaves_the_log_in_doubt_until_the_next_start() {
    let dir = folder();
    let witness = open(&dir);
    ask(&witness, 0, b"abc", START).unwrap();
    let logs = dir.path().join("logs");
    fs::rename(&logs, dir.path().join("away")).unwrap();
    assert!(matches!(ask(&witness, 3, b"abcd", START), Err(AddError::Doubt(_))));
    fs::rename(dir.path().join("away"), &logs).unwrap();
    assert!(matches!(ask(&witness, 3, b"abcd", START), Err(AddError::Doubt(_))));
    drop(witness);
    ask(&open(&dir), 3, b"abcd", START).unwrap();
}

#[test]
fn a_fork_leaves_evidence_whatever_the_answer_is() {
    let dir = folder();
    let witness = open(&dir);
    ask(&witness, 0, b"abc", START).unwrap();
    let evidence = || {
        let names = witness.evidence_names().unwrap();
        names.iter().filter(|name| name.starts_with("fork-")).count()
    };
    assert!(ask(&witness, 3, b"abxd", START).is_err());
    assert_eq!(evidence(), 0);
    assert!(ask(&witness, 0, b"abx", START).is_err());
    assert!(ask(&witness, 3, b"abx", START).is_err());
    assert_eq!(evidence(), 1);
    assert!(ask(&witness, 3, b"aby", START).is_err());
    assert_eq!(evidence(), 2);
}

#[test]
fn of_branches_that_race_one_wins() {
    let dir = folder();
    let witness = open(&dir);
    ask(&witness, 0, b"a", START).unwrap();
    let branch = |leaf: u8| {
        let mut tree = b"a".to_vec();
        (0..5)
            .filter(|_| {
                let old = tree.len();
                tree.push(leaf);
                ask(&witness, old, &tree, START).is_ok()
            })
            .count()
    };
    let branch = &branch;
    let counts: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (b'b'..b'j').map(|leaf| scope.spawn(move || branch(leaf))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(counts.iter().filter(|&&count| count > 0).count(), 1, "{counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), 5);
}

#[test]
fn a_lost_memory_is_restored_from_a_checkpoint_that_somebody_kept() {
    let dir = folder();
    let witness = open(&dir);
    ask(&witness, 0, b"abc", START).unwrap();
    let older = latest(&witness).unwrap();
    ask(&witness, 3, b"abcde", START.plus(5)).unwrap();
    let newest = latest(&witness).unwrap();
    drop(witness);
    let new = folder();
    assert!(matches!(restore(config(new.path()), checkpoint(b"abcde")), Err(RestoreError::Record(RecordError::Own))));
    assert_eq!(restore(config(new.path()), newest.clone()).unwrap(), Restored::Written);
    assert_eq!(restore(config(new.path()), newest.clone()).unwrap(), Restored::Unchanged);
    assert!(matches!(restore(config(new.path()), older.clone()), Err(RestoreError::Older { .. })));
    let witness = open(&new);
    assert_eq!(latest(&witness), Some(newest.clone()));
    assert!(matches!(restore(config(new.path()), newest.clone()), Err(RestoreError::Open(_))));
    ask(&witness, 5, b"abcdef", START.plus(6)).unwrap();

    // One copy is left in the old folder: it can't be replaced by an older one.
    let file = dir.path().join("logs").join(log().id());
    fs::write(&file, vec![0; 100_000]).unwrap();
    assert!(matches!(restore(config(dir.path()), older), Err(RestoreError::Older { .. })));
    assert_eq!(open(&dir).doubts().len(), 1);
    assert_eq!(restore(config(dir.path()), newest.clone()).unwrap(), Restored::Written);
    let witness = open(&dir);
    assert_eq!((latest(&witness), witness.doubts()), (Some(newest), Vec::new()));
}

#[test]
fn after_a_restoration_no_log_is_taken_for_new_unasked() {
    let dir = folder();
    let witness = open(&dir);
    ask(&witness, 0, b"abc", START).unwrap();
    let newest = latest(&witness).unwrap();
    drop(witness);
    let (new, other) = (folder(), SigningKey::from_seed("other.example/log", KeyType::Ed25519, &[3; 32]).unwrap());
    let data = new.path().join("data");
    let config = || Config {
        data: data.clone(),
        key: witness_key(),
        logs: vec![log_key().verifier().clone(), other.verifier().clone()],
        serving: Settings::new(Rates::UNLIMITED),
    };
    assert_eq!(restore(config(), newest).unwrap(), Restored::Written);
    let first = CheckpointNote::sign(
        Checkpoint {
            origin: "other.example/log".into(),
            size: TreeSize(3),
            root: root(b"abc"),
            extensions: Vec::new(),
        },
        &other,
    );
    let request = AddCheckpoint { old: TreeSize(0), proof: Vec::new(), checkpoint: first.unwrap() }.to_bytes();
    let witness = Witness::open(config()).unwrap();
    let refused = witness.add_checkpoint(&request, START).unwrap_err();
    assert!(matches!(&refused, AddError::Doubt(doubt) if doubt.reason.contains("--never-cosigned")), "{refused}");
    ask(&witness, 3, b"abcd", START.plus(1)).unwrap();
    drop(witness);
    assert!(matches!(declare_new(config(), ORIGIN), Err(RestoreError::HasCosigned(_))));
    declare_new(config(), "other.example/log").unwrap();
    Witness::open(config()).unwrap().add_checkpoint(&request, START).unwrap();
}

#[test]
fn a_memory_that_was_put_back_is_noticed_by_the_witness_s_own_later_cosignature() {
    // Also if all of it happened within one second, which is all that dates tell.
    for (backup_holds_a_record, later) in [(true, 1), (true, 0), (false, 1), (false, 0)] {
        let (dir, backup) = (folder(), folder());
        let witness = open(&dir);
        if backup_holds_a_record {
            ask(&witness, 0, b"abc", START).unwrap();
        }
        drop(witness);
        copy(dir.path(), &backup.path().join("data"));
        let (witness, old) = (open(&dir), if backup_holds_a_record { 3 } else { 0 });
        ask(&witness, old, b"abcde", START.plus(later)).unwrap();
        let newest = latest(&witness).unwrap();
        drop(witness);

        let witness = Witness::open(config(&backup.path().join("data"))).unwrap();
        let mut shown = add(old, b"abcde");
        shown.checkpoint = newest.clone();
        let refused = witness.add_checkpoint(&shown.to_bytes(), START.plus(2)).unwrap_err();
        assert!(matches!(&refused, AddError::Doubt(doubt) if doubt.reason.contains("older copy")), "{refused}");
        assert!(ask(&witness, old, b"abcxy", START.plus(3)).is_err(), "and nothing else is cosigned");
        assert_eq!(witness.doubts().len(), 1);
        // No restart forgets it.
        drop(witness);
        let witness = Witness::open(config(&backup.path().join("data"))).unwrap();
        let fork = ask(&witness, old, b"abcxy", START.plus(3)).unwrap_err();
        assert!(matches!(&fork, AddError::Doubt(doubt) if doubt.reason.contains("older copy")), "{fork}");
        drop(witness);
        // What was shown is kept, and it is what this log can be restored from.
        let kept = fs::read(backup.path().join("data/shown").join(log().id())).unwrap();
        assert_eq!(kept, newest.to_bytes());
        let anew = folder();
        let restored = restore(config(anew.path()), CheckpointNote::parse(&kept).unwrap()).unwrap();
        assert_eq!(restored, Restored::Written);
        assert_eq!(latest(&open(&anew)).unwrap(), newest);
        // In the old folder it may be restored, too, and nothing below it.
        let data = backup.path().join("data");
        if backup_holds_a_record {
            let below = CheckpointNote::parse(&record(None, b"abc", START).checkpoint().to_bytes()).unwrap();
            assert!(matches!(restore(config(&data), below), Err(RestoreError::Older { .. })));
        }
        assert_eq!(restore(config(&data), newest.clone()).unwrap(), Restored::Written);
        let witness = Witness::open(config(&data)).unwrap();
        assert_eq!((latest(&witness).unwrap(), witness.doubts().len()), (newest, 0));
    }
}

#[test]
fn of_what_was_shown_the_most_is_kept_and_damage_to_it_is_doubt() {
    let (dir, newer) = (folder(), folder());
    let witness = open(&newer);
    let shown = [(0, &b"abc"[..]), (3, b"abcde"), (5, b"abcdefg")].map(|(old, leaves)| {
        ask(&witness, old, leaves, START.plus(leaves.len() as u64)).unwrap();
        latest(&witness).unwrap()
    });
    drop(open(&dir));
    let kept = dir.path().join("shown").join(log().id());
    for (number, most) in [(1, 1), (2, 2), (1, 2), (0, 2)] {
        let state = State::open(dir.path(), witness_key().verifier()).unwrap();
        let shown_now = Shown::in_note(shown[number].note(), &log(), witness_key().verifier()).unwrap();
        state.keep_shown(&log(), &shown_now, witness_key().verifier()).unwrap();
        assert_eq!(fs::read(&kept).unwrap(), shown[most].to_bytes());
    }
    fs::write(&kept, b"damaged").unwrap();
    assert_eq!(open(&dir).doubts().len(), 1);
    assert!(matches!(restore(config(dir.path()), shown[2].clone()), Err(RestoreError::Shown(_))));
}

#[test]
fn an_older_copy_counts_for_no_log_until_each_is_restored() {
    let (dir, other) = (folder(), SigningKey::from_seed("other.example/log", KeyType::Ed25519, &[3; 32]).unwrap());
    let other_log = Log::new(other.verifier().clone());
    let data = |name: &str| dir.path().join(name);
    let both = |name: &str| {
        let config = config(&data(name));
        Config { logs: vec![log_key().verifier().clone(), other.verifier().clone()], ..config }
    };
    let open = |name: &str| Witness::open(both(name)).unwrap();
    let of_other = |old: usize, leaves: &[u8]| {
        let mut request = add(old, leaves);
        let mut tree = request.checkpoint.checkpoint().clone();
        tree.origin = "other.example/log".into();
        request.checkpoint = CheckpointNote::sign(tree, &other).unwrap();
        request.to_bytes()
    };
    let witness = open("now");
    ask(&witness, 0, b"ab", START).unwrap();
    witness.add_checkpoint(&of_other(0, b"ab"), START).unwrap();
    drop(witness);
    copy(&data("now"), &data("old"));
    let witness = open("now");
    ask(&witness, 2, b"abc", START).unwrap();
    witness.add_checkpoint(&of_other(2, b"abc"), START).unwrap();
    let newest = [log().id(), other_log.id()].map(|id| witness.latest(&id).unwrap().unwrap());
    drop(witness);

    let mut shown = add(2, b"abc");
    shown.checkpoint = newest[0].clone();
    let fork = of_other(2, b"abx");
    let refuses_fork = |witness: &Witness| {
        let refused = witness.add_checkpoint(&fork, START.plus(9)).unwrap_err();
        assert!(matches!(&refused, AddError::Doubt(doubt) if doubt.reason.contains("older copy")), "{refused}");
    };
    let witness = open("old");
    assert!(witness.add_checkpoint(&shown.to_bytes(), START.plus(9)).is_err());
    assert_eq!(witness.doubts().len(), 2);
    refuses_fork(&witness);
    // What the other log shows of itself is kept for its operator, too.
    let mut shown = add(2, b"abc");
    shown.checkpoint = newest[1].clone();
    witness.add_checkpoint(&shown.to_bytes(), START.plus(9)).unwrap_err();
    assert_eq!(fs::read(data("old").join("shown").join(other_log.id())).unwrap(), newest[1].to_bytes());
    drop(witness);
    refuses_fork(&open("old"));

    assert_eq!(restore(both("old"), newest[0].clone()).unwrap(), Restored::Written);
    let witness = open("old");
    assert_eq!(witness.doubts().len(), 1, "the one that was restored is not refused");
    ask(&witness, 3, b"abcd", START.plus(9)).unwrap();
    refuses_fork(&witness);
    drop(witness);
    assert!(matches!(declare_new(both("old"), "other.example/log"), Err(RestoreError::HasCosigned(_))));
    assert_eq!(restore(both("old"), newest[1].clone()).unwrap(), Restored::Written);
    let witness = open("old");
    assert!(witness.doubts().is_empty());
    assert!(matches!(witness.add_checkpoint(&fork, START.plus(9)), Err(AddError::Refused(_))));
}

#[test]
fn a_log_that_an_older_copy_remembers_rightly_is_reinstated_with_what_is_there() {
    let dir = folder();
    let witness = open(&dir);
    ask(&witness, 0, b"abc", START).unwrap();
    let newest = latest(&witness).unwrap();
    drop(witness);
    State::open(dir.path(), witness_key().verifier()).unwrap().note_older_copy().unwrap();
    assert_eq!(open(&dir).doubts().len(), 1);
    assert_eq!(restore(config(dir.path()), newest).unwrap(), Restored::Unchanged);
    ask(&open(&dir), 3, b"abcd", START.plus(1)).unwrap();
    State::open(dir.path(), witness_key().verifier()).unwrap().note_older_copy().unwrap();
    assert_eq!(open(&dir).doubts().len(), 1, "what was reinstated before counts no more");
}

#[test]
fn what_was_shown_while_a_log_was_in_doubt_counts_for_all_once_there_is_something_to_compare() {
    let (dir, newer) = (folder(), folder());
    let witness = open(&newer);
    ask(&witness, 0, b"abc", START).unwrap();
    let shown = latest(&witness).unwrap();
    let state = State::begin(dir.path(), witness_key().verifier(), Beginning::New).unwrap();
    let shown = Shown::in_note(shown.note(), &log(), witness_key().verifier()).unwrap();
    state.keep_shown(&log(), &shown, witness_key().verifier()).unwrap();
    drop(state);
    let other = SigningKey::from_seed("other.example/log", KeyType::Ed25519, &[3; 32]).unwrap();
    let mut config = config(dir.path());
    config.logs.push(other.verifier().clone());
    assert_eq!(Witness::open(config).unwrap().doubts().len(), 2);
}

#[test]
fn what_only_the_folder_of_an_older_copy_has_is_given_back_from_there() {
    let dir = folder();
    let witness = open(&dir);
    ask(&witness, 0, b"abc", START).unwrap();
    let published = latest(&witness).unwrap();
    ask(&witness, 3, b"abc", START.plus(5)).unwrap();
    drop(witness);
    State::open(dir.path(), witness_key().verifier()).unwrap().note_older_copy().unwrap();
    let path = dir.path().join("logs").join(log().id());
    let refused = restore(config(dir.path()), published).unwrap_err();
    let RestoreError::Older { newer } = &refused else { panic!("{refused}") };
    assert_eq!(newer, &path.display().to_string());
    let record = fs::read(&path).unwrap();
    assert!(record.starts_with(b"old "));
    assert_eq!(restore(config(dir.path()), checkpoint_in(&record).unwrap()).unwrap(), Restored::Unchanged);
    assert_eq!(fs::read(&path).unwrap(), record);
    ask(&open(&dir), 3, b"abcd", START.plus(6)).unwrap();
    assert!(checkpoint_in(b"old 3\n").is_err());
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn refused_checkpoints_take_no_place_from_forks() {
    let dir = folder();
    let witness = open(&dir);
    ask(&witness, 0, b"a", START).unwrap();
    for number in 0..120u8 {
        let mut request = add(1, &[b'a', number, 0]);
        request.proof.clear();
        assert!(matches!(
            witness.add_checkpoint(&request.to_bytes(), START),
            Err(AddError::Refused(Refusal::Inconsistent(_)))
        ));
    }
    assert_eq!(witness.evidence_names().unwrap().len(), 100);
    assert_eq!(witness.evidence_counts().unwrap(), [(ORIGIN.to_owned(), 0, 100)]);
    assert!(ask(&witness, 1, b"b", START).is_err());
    let names = witness.evidence_names().unwrap();
    assert_eq!(names.iter().filter(|name| name.starts_with("fork-")).count(), 1);
    for name in &names {
        let text = witness.evidence(name).unwrap().unwrap();
        assert!(
            text.starts_with(b"{\n  \"evidence\": \"isonomy/fork/v1\"") || text.starts_with(b"{\n  \"observation\": ")
        );
    }
    for nothing in ["", "fork-", "../witness", "fork-0000000000000000-0000000000000000.json", ".tmp-1-1"] {
        assert_eq!(witness.evidence(nothing).unwrap(), None, "{nothing}");
    }
}
#[test]
fn a_good_checkpoint_with_a_wrong_proof_is_no_lasting_reproach() {
    let dir = folder();
    let witness = open(&dir);
    ask(&witness, 0, b"abc", START).unwrap();
    let spoilt =
        |old, leaves: &[u8]| AddCheckpoint { proof: vec![isonomy_core::hash::NodeHash([7; 32])], ..add(old, leaves) };
    let refuse = |request: AddCheckpoint| witness.add_checkpoint(&request.to_bytes(), START).unwrap_err();
    refuse(spoilt(3, b"abc"));
    assert_eq!(witness.evidence_names().unwrap(), [""; 0], "what is cosigned already");
    refuse(spoilt(3, b"abcde"));
    assert_eq!(witness.evidence_counts().unwrap(), [(ORIGIN.to_owned(), 0, 1)]);
    ask(&witness, 3, b"abcde", START).unwrap();
    assert_eq!(witness.evidence_names().unwrap(), [""; 0], "what is then shown to follow");
}
