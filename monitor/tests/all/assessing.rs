//! Assessments: measured right, and the same again from other folders.

use crate::world::*;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use isonomy_fetch::Source;
use isonomy_monitor::Assessment;
use isonomy_monitor::assess::{AssessError, Complaints, Inputs, Weakness, assess};
use isonomy_monitor::report::ComplaintState;
use isonomy_monitor::trace::Standing;
use std::fs;
use std::path::{Path, PathBuf};

/// The photographs of this repository, copied into another folder.
fn photographs(to: &Path) -> PathBuf {
    let from = format!("{}/../photos", env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|extension| extension == "png" || extension == "jpg") {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    to.to_owned()
}

/// The PDQ hash of a photograph.
fn pdq(path: &Path) -> [u8; 32] {
    let picture = isonomy_matcher::image::decode(&fs::read(path).unwrap(), &Default::default()).unwrap();
    isonomy_matcher::pdq::hash(&picture).hash
}

/// A PDQ list: made-up hashes, one photograph of the corpus, and one near another.
fn perceptual(world: &mut World, corpus: &Path) -> (Entries, Entries) {
    let made_up = |number: u64| {
        let mut hash = isonomy_core::hash::sha256(&[&number.to_be_bytes()]);
        let (first, second) = hash.split_at_mut(16);
        second.iter_mut().zip(first).for_each(|(byte, other)| *byte = !*other);
        hash
    };
    let original = pdq(&corpus.join("coffee.png"));
    let mut near = original;
    // Ten bits set and ten cleared: twenty away, with half of the bits still set.
    for wanted in [0, 1] {
        let bits = (0..256).filter(|bit| original[bit / 8] >> (bit % 8) & 1 == wanted).take(10);
        bits.for_each(|bit| near[bit / 8] ^= 1 << (bit % 8));
    }
    let list = |numbers: std::ops::Range<u64>, also: &[[u8; 32]]| {
        let bytes = numbers.flat_map(made_up).chain(also.iter().flatten().copied()).collect();
        Entries::from_unsorted(32, bytes).unwrap().0
    };
    let listed = pdq(&corpus.join("rocket.jpg"));
    let releases = (list(0..50, &[listed]), list(10..60, &[listed, near]));
    world.log.charter(|charter| {
        charter.matching.algorithm = Algorithm::PdqFull;
        (charter.matching.max_distance, charter.matching.min_quality) = (24, 50);
        charter.record.quality.precision = Some("0.999".into());
    });
    world.log.publish(START);
    world.log.release(releases.0.clone(), START.plus(HOUR), |_| ());
    world.log.publish(START.plus(HOUR));
    world.log.release(releases.1.clone(), START.plus(5 * HOUR), |_| ());
    world.log.publish(START.plus(5 * HOUR));
    releases
}

async fn assessed(source: Source, corpus: PathBuf) -> Result<Assessment, AssessError> {
    assessed_up_to(None, source, corpus).await
}

async fn assessed_up_to(size: Option<TreeSize>, source: Source, corpus: PathBuf) -> Result<Assessment, AssessError> {
    assessed_as_of((size, None), source, corpus).await
}

async fn assessed_as_of(
    (size, as_of): (Option<TreeSize>, Option<Timestamp>),
    source: Source,
    corpus: PathBuf,
) -> Result<Assessment, AssessError> {
    let scratch = tempfile::tempdir().unwrap();
    let inputs = Inputs {
        policy: policy(&[]),
        sources: vec![source],
        list: ListName::new(LIST).unwrap(),
        size,
        as_of,
        corpus,
        scratch: scratch.path().to_owned(),
    };
    assess(inputs, |_, _| vec![Weakness { field: "limits.notice".into(), words: "too short".into() }]).await
}

#[tokio::test]
async fn a_list_is_measured_and_the_same_again_from_other_folders() {
    let mut world = World::empty();
    let corpus = photographs(&world.path("corpus"));
    perceptual(&mut world, &corpus);
    let report = assessed(world.log.source(), corpus).await.unwrap();

    assert_eq!((report.log_size, report.as_of), (3, START.plus(5 * HOUR)));
    let growth: Vec<_> = report.growth.iter().map(|one| (one.version, one.entries, one.added, one.removed)).collect();
    assert_eq!(growth, [(1, 51, 51, 0), (2, 52, 11, 10)]);
    let endorsed: Vec<_> =
        report.curators.iter().map(|one| (one.curator.as_str(), one.releases, one.additions)).collect();
    assert_eq!(endorsed, [("Curator c1", 2, 62), ("Curator c2", 2, 62)]);
    let removals = &report.removals;
    assert_eq!(
        (removals.entries, removals.shortest, removals.median, removals.longest),
        (10, 4 * HOUR, 4 * HOUR, 4 * HOUR)
    );
    // Version 1 was followed by another in time.
    assert_eq!((report.deadlines, &report.missed[..], &report.in_doubt[..]), (1, &[][..], &[][..]));
    assert_eq!((report.proofs.statements, report.proofs.unproven), (3, 0));

    let (corpus, positives) = (&report.corpus, &report.false_positives);
    assert_eq!((corpus.files, corpus.looked_up + corpus.below_quality, corpus.copies, corpus.links), (13, 13, 0, 0));
    assert_eq!((positives.at_charter.count, positives.at_charter.of), (2, corpus.looked_up));
    assert_eq!(positives.named, ["coffee.png", "rocket.jpg"]);
    let at = |distance: usize| positives.curve[distance].share.count;
    assert_eq!((at(0), at(19), at(20), at(31), positives.curve.len()), (1, 1, 2, 2, 32));
    let recall = |edit: &str| report.recall.iter().find(|one| one.edit == edit).unwrap();
    let (saved, mirrored) = (recall("saved as JPEG, quality 75"), recall("mirrored"));
    assert!(saved.found.count >= saved.found.of - 1 && saved.found.of == corpus.looked_up, "{saved:?}");
    assert_eq!(mirrored.found.count, 0);
    assert!(mirrored.found_in_any_orientation.count > corpus.looked_up / 2, "{mirrored:?}");
    let answered = report.charter.record.iter().filter(|field| field.answer.is_some()).count();
    assert_eq!((answered, report.charter.record.len(), report.questions.len()), (1, 25, 5));
    let html = report.to_html();
    for fact in ["2 of ", "0.999", "too short", "What software can’t show", &report.log_root, &report.proofs.digest] {
        assert!(html.contains(fact), "{fact}");
    }
    for absent in ["<script", "src=", "href="] {
        assert!(!html.contains(absent), "{absent}");
    }

    let crowds = report.crowds.as_ref().unwrap();
    assert_eq!((crowds.distance, crowds.crowds, crowds.in_remarkable), (24, 0, 0), "nothing listed is near another");
    let standing: Vec<_> = crowds.additions.iter().map(|one| (one.version, one.standing)).collect();
    assert_eq!(standing, [(1, 41), (2, 11)]);
    // The same log and files elsewhere, read later.
    let other = world.log.split(world.path("elsewhere/copy of the log"));
    let again = assessed(other.source(), photographs(&world.path("elsewhere/pictures"))).await.unwrap();
    assert_eq!(again.to_json(), report.to_json());
    assert_eq!(again.to_html(), html);
    // The log goes on; up to the size that the report names, it is the same report.
    let mut grown = other;
    grown.release(entries(0..3), START.plus(9 * HOUR), |_| ());
    grown.publish(START.plus(9 * HOUR));
    let elsewhere = world.path("elsewhere/pictures");
    let later = assessed(grown.source(), elsewhere.clone()).await.unwrap();
    assert_eq!((later.log_size, later.growth.len()), (4, 3));
    let again = assessed_up_to(Some(TreeSize(3)), grown.source(), elsewhere.clone()).await.unwrap();
    assert_eq!(again.to_json(), report.to_json());
    let inputs = (Some(TreeSize(3)), Some(report.as_of));
    let again = assessed_as_of(inputs, grown.source(), elsewhere.clone()).await.unwrap();
    assert_eq!(again.to_html(), html, "by the command that it names");
    let ahead = assessed_up_to(Some(TreeSize(5)), grown.source(), elsewhere).await.unwrap_err().to_string();
    assert_eq!(ahead, "nothing could be read from the log: it has 4 entries, and 5 are asked for");
    if let Some(folder) = std::env::var_os("ISONOMY_SCREENSHOTS") {
        fs::write(Path::new(&folder).join("assessment.html"), html).unwrap();
    }
}

#[tokio::test]
async fn deadlines_that_were_missed_are_counted() {
    let mut world = World::empty();
    world.log.charter(|_| ());
    world.log.publish(START);
    world.log.release(entries(0..10), START.plus(HOUR), |release| release.expires = START.plus(10 * HOUR));
    world.log.publish(START.plus(HOUR));
    world.log.release(entries(0..12), START.plus(15 * HOUR), |_| ());
    world.log.publish(START.plus(15 * HOUR));
    let corpus = world.path("corpus");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("listed"), 7u64.to_be_bytes()).unwrap();
    fs::write(corpus.join("other"), b"other").unwrap();
    let report = assessed(world.log.source(), corpus).await.unwrap();
    let missed: Vec<_> = report.missed.iter().map(|one| (one.what.as_str(), one.due, one.late)).collect();
    assert_eq!(
        missed,
        [("a release after version 1 of hotline.example/images", START.plus(10 * HOUR), Some(5 * HOUR))]
    );
    assert_eq!((report.deadlines, report.in_doubt.len()), (1, 0));
    assert!(report.to_html().contains("1 of 1 deadline missed"));
    assert!(report.to_html().contains("A log that was down, or took nothing, looks the same."));
    assert!(report.questions[4].shown.iter().any(|shown| shown.ends_with("took nothing, looks the same.")));
    let positives = &report.false_positives;
    assert_eq!((positives.at_charter.count, positives.at_charter.of, positives.curve.len()), (1, 2, 1));
    assert_eq!(positives.named, ["listed"]);
    assert!(report.recall.is_empty() && report.crowds.is_none());
}

/// A log that shows later proofs than the first makes nobody late who was in time; and whoever has another report of the same log sees
/// that it rests on other proofs.
#[tokio::test]
async fn what_is_late_by_the_proofs_that_are_shown_alone_is_in_doubt() {
    let mut world = World::empty();
    let five = isonomy_core::hash::sha256(&[&5u64.to_be_bytes()]);
    world.log.charter(|_| ());
    world.log.publish(START);
    world.log.release(entries(0..10), START.plus(HOUR), |release| release.expires = START.plus(10 * HOUR));
    world.log.publish(START.plus(HOUR));
    crate::complaints::complain(&mut world, &five, b"salt", START.plus(HOUR));
    world.log.publish(START.plus(2 * HOUR));
    world.log.release(entries(6..10), START.plus(9 * HOUR), |_| ());
    world.log.publish(START.plus(9 * HOUR));
    world.log.publish(START.plus(5 * DAY));
    let corpus = world.path("corpus");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("other"), b"other").unwrap();
    let first = assessed(world.log.source(), corpus.clone()).await.unwrap();
    assert_eq!((first.deadlines, &first.missed[..], &first.in_doubt[..]), (1, &[][..], &[][..]));
    assert_eq!(first.complaints, Complaints { due: 1, ..Complaints::default() });
    assert!(first.to_html().contains("0 of 1 deadline missed"));
    assert!(first.to_html().contains("nothing was removed in time after 0 of 1 complaint"));
    // As valid, and four days later: of the removal, which nothing after it in the log dates back.
    world.log.prove_again(3, START.plus(4 * DAY));
    let report = assessed(world.log.source(), corpus.clone()).await.unwrap();
    assert_eq!((report.deadlines, &report.missed[..]), (1, &[][..]));
    assert_eq!((report.complaints.due, &report.complaints.without_removal[..]), (1, &[][..]));
    let in_doubt: Vec<_> = report.in_doubt.iter().chain(&report.complaints.in_doubt).collect();
    let doubts: Vec<_> = in_doubt.iter().map(|one| (one.due, one.came)).collect();
    let came = Some(START.plus(4 * DAY));
    assert_eq!(doubts, [(START.plus(10 * HOUR), came), (START.plus(HOUR + 3 * DAY), came)]);
    assert!(in_doubt[0].why.contains("a log can show a later proof than the first"));
    assert!(in_doubt[1].why.contains("it was composed at"), "{}", in_doubt[1].why);
    assert!(report.to_html().contains("0 of 1 deadline missed, 1 in doubt"));
    assert!(report.to_html().contains("no fault if they are wrong; 1 in doubt"));
    let same = (report.log_size, &report.log_root, &report.corpus.digest, report.proofs.statements);
    assert_eq!(same, (first.log_size, &first.log_root, &first.corpus.digest, first.proofs.statements));
    assert_ne!(report.proofs.digest, first.proofs.digest);
    // The finding of the same, and the page, accuse nobody either.
    let seen = world.monitor().poll_at(START.plus(5 * DAY)).await.unwrap();
    let words = &find(&seen, "release-missed").words;
    assert!(words.starts_with("By the proofs that are shown") && words.contains("may have been in time"), "{words}");
    let complaint = seen.lists[0].attestations[0].complaint.as_ref().unwrap();
    assert_eq!((complaint.state, complaint.composed), (ComplaintState::InDoubt, Some(START.plus(9 * HOUR))));
}

/// What was composed too late was late, whichever proof is shown.
#[tokio::test]
async fn what_was_composed_too_late_is_late_by_at_least_that() {
    let mut world = World::empty();
    world.log.charter(|_| ());
    world.log.publish(START);
    world.log.release(entries(0..10), START.plus(HOUR), |release| release.expires = START.plus(10 * HOUR));
    world.log.publish(START.plus(HOUR));
    world.log.release(entries(0..12), START.plus(12 * HOUR), |_| ());
    world.log.publish(START.plus(12 * HOUR));
    world.log.prove_again(2, START.plus(15 * HOUR));
    world.log.publish(START.plus(20 * HOUR));
    let corpus = world.path("corpus");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("other"), b"other").unwrap();
    let report = assessed(world.log.source(), corpus).await.unwrap();
    let missed: Vec<_> = report.missed.iter().map(|one| (one.late, one.late_by_proofs)).collect();
    assert_eq!(missed, [(Some(2 * HOUR), Some(5 * HOUR))]);
    assert!(report.in_doubt.is_empty());
    let seen = world.monitor().poll_at(START.plus(20 * HOUR)).await.unwrap();
    let words = &find(&seen, "release-missed").words;
    assert!(words.contains("was composed at") && words.contains("2 hours after"), "{words}");
}

/// What was removed and came back is not gone.
#[tokio::test]
async fn removals_that_did_not_last_are_told_apart() {
    let mut world = World::empty();
    world.log.charter(|_| ());
    for (time, numbers) in [(0, 0..10), (1, 4..10), (2, 2..10)] {
        world.log.release(entries(numbers), START.plus(time * HOUR), |_| ());
        world.log.publish(START.plus(time * HOUR));
    }
    let corpus = world.path("corpus");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("other"), b"other").unwrap();
    let report = assessed(world.log.source(), corpus).await.unwrap();
    assert_eq!((report.removals.entries, report.removals.came_back), (4, 2));
    let said = "Removed so far: 4 entries, 2 of which came back with a later release";
    assert_eq!(report.to_html().matches(said).count(), 2);
}

/// Nobody misses a deadline because an auditor dates a complaint back, not even to before there was a list.
#[tokio::test]
async fn a_complaint_that_is_dated_back_makes_nobody_late() {
    let mut world = World::new();
    let received = Timestamp(START.0 - 40 * DAY);
    crate::complaints::complain_as_of(&mut world, &[5; 32], b"salt", received, START.plus(2 * HOUR));
    world.log.publish(START.plus(DAY));
    let corpus = world.path("corpus");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("other"), b"other").unwrap();
    let report = assessed(world.log.source(), corpus).await.unwrap();
    let complaints = &report.complaints;
    assert!(report.missed.is_empty() && complaints.without_removal.is_empty(), "{:?} {complaints:?}", report.missed);
    assert_eq!(
        complaints.in_doubt.iter().map(|one| (one.due, one.came)).collect::<Vec<_>>(),
        [(received.plus(3 * DAY), Some(START.plus(2 * HOUR)))]
    );
    let report = world.monitor().poll_at(START.plus(DAY)).await.unwrap();
    let complaint = report.lists[0].attestations[0].complaint.as_ref().unwrap();
    assert_eq!((complaint.state, complaint.deadline_by_log), (ComplaintState::InDoubt, START.plus(4 * DAY)));
    assert_eq!(codes(&report), [""; 0]);
}

/// A list that says nothing any more misses what it owes, as of when witnesses saw the log last.
#[tokio::test]
async fn whoever_falls_silent_is_late() {
    let mut world = World::empty();
    world.log.charter(|_| ());
    world.log.publish(START);
    world.log.release(entries(0..10), START.plus(HOUR), |_| ());
    world.log.publish(START.plus(HOUR));
    crate::complaints::complain(&mut world, &[5; 32], b"salt", START.plus(HOUR));
    world.log.publish(START.plus(2 * HOUR));
    let corpus = world.path("corpus");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("other"), b"other").unwrap();
    let missed = |report: &Assessment| {
        let all = report.missed.iter().chain(&report.complaints.without_removal);
        all.map(|one| (one.due, one.late)).collect::<Vec<_>>()
    };
    let early = assessed(world.log.source(), corpus.clone()).await.unwrap();
    assert_eq!((early.as_of, missed(&early)), (START.plus(2 * HOUR), vec![]));
    assert!(early.deadlines == 0 && early.complaints.due == 0 && early.to_html().contains("no deadline has come yet"));
    world.log.publish(START.plus(40 * DAY));
    let report = assessed(world.log.source(), corpus.clone()).await.unwrap();
    let owed = vec![(START.plus(HOUR + 30 * DAY), None), (START.plus(2 * HOUR + 3 * DAY), None)];
    assert_eq!((report.as_of, missed(&report)), (START.plus(40 * DAY), owed));
    let what = &report.complaints.without_removal[0].what;
    let auditor = format!("auditor ({}) says", to_hex(&key("auditor").verifier().id().0));
    assert!(what.contains(&auditor), "{what}");
    // What an earlier report said is said again, of the same time; and of a time when it was not so, nothing.
    let at = |time: u64| (None, Some(START.plus(time)));
    let again = assessed_as_of(at(2 * HOUR), world.log.source(), corpus.clone()).await.unwrap();
    assert_eq!(again.to_json(), early.to_json());
    let before = assessed_as_of(at(HOUR), world.log.source(), corpus.clone()).await.unwrap();
    assert_eq!((before.log_size, before.as_of), (2, START.plus(HOUR)));
    for (size, time) in [(None, 41 * DAY), (Some(2), 2 * HOUR + 1), (Some(3), HOUR)] {
        let inputs = (size.map(TreeSize), Some(START.plus(time)));
        let refused = assessed_as_of(inputs, world.log.source(), corpus.clone()).await;
        assert!(matches!(refused, Err(AssessError::AsOf { .. })), "{size:?} {time}");
    }
}

fn corpus(world: &World) -> PathBuf {
    let corpus = world.path("corpus");
    fs::create_dir_all(&corpus).unwrap();
    fs::write(corpus.join("other"), b"other").unwrap();
    corpus
}

/// Whoever has seen a commitment can log it again, and a complaint may be wrong: by that alone no deadline is missed.
#[tokio::test]
async fn complaints_are_counted_apart_and_each_commitment_once() {
    let mut world = World::new();
    let then = START.plus(3 * HOUR);
    for auditor in ["auditor", "another", "a third"] {
        crate::complaints::complain_by(&auditor.replace(' ', "-"), &mut world, (&[5; 32], b"salt"), (then, then));
    }
    world.log.publish(then);
    world.log.publish(START.plus(10 * DAY));
    let report = assessed(world.log.source(), corpus(&world)).await.unwrap();
    assert_eq!((report.deadlines, &report.missed[..]), (1, &[][..]));
    assert_eq!((report.complaints.due, report.complaints.without_removal.len()), (1, 1));
    let said = "nothing was removed in time after 1 of 1 complaint, which is no fault if they are wrong";
    assert!(report.to_html().contains(said));
    assert!(report.to_html().contains("0 of 1 deadline missed"));
}

/// The log admitted the release without the signatures that it needs, so that it counts for nothing. What nobody of the list signed,
/// a log can make up.
#[tokio::test]
async fn a_release_that_was_composed_in_time_and_not_taken_up_leaves_it_in_doubt() {
    let five = isonomy_core::hash::sha256(&[&5u64.to_be_bytes()]);
    for (signer, is_in_doubt) in [("m1", true), ("c1", true), ("stranger", false)] {
        let mut world = World::new();
        crate::complaints::complain(&mut world, &five, b"salt", START.plus(3 * HOUR));
        world.log.publish(START.plus(3 * HOUR));
        let text = world.log.draft(&entries(6..15), START.plus(4 * HOUR)).to_text().unwrap();
        world.log.append(signed(&text, &[signer]).to_bytes());
        world.log.publish(START.plus(4 * HOUR));
        world.log.publish(START.plus(40 * DAY));
        let report = assessed(world.log.source(), corpus(&world)).await.unwrap();
        let late = if is_in_doubt { (0, 0) } else { (1, 1) };
        assert_eq!((report.missed.len(), report.complaints.without_removal.len()), late, "{signer}");
        for in_doubt in [&report.in_doubt, &report.complaints.in_doubt] {
            let why: Vec<&str> = in_doubt.iter().map(|one| one.why.as_str()).collect();
            assert_eq!(why.len(), usize::from(is_in_doubt), "{signer}: {why:?}");
            assert!(why.iter().all(|why| why.contains("the release at entry 4, which was not taken up")), "{why:?}");
        }
        // So it is for whoever follows the log, and for whoever complained.
        let seen = world.monitor().poll_at(START.plus(40 * DAY)).await.unwrap();
        let course = seen.lists[0].attestations[0].complaint.as_ref().unwrap();
        let state = if is_in_doubt { ComplaintState::InDoubt } else { ComplaintState::Overdue };
        assert_eq!((course.state, course.left_out.is_some()), (state, is_in_doubt), "{signer}");
        assert_eq!(codes(&seen).contains(&"removal-overdue"), !is_in_doubt, "{signer}");
        let config =
            isonomy_monitor::Config { data: world.path("trace"), ..world.config(vec![world.log.source()], &[]) };
        let (list, salts) = (ListName::new(LIST).unwrap(), [b"salt".to_vec()]);
        let traced = isonomy_monitor::trace(config, &list, &five, &salts, START.plus(40 * DAY)).await.unwrap();
        let standing = if is_in_doubt { Standing::Unproven } else { Standing::Late };
        assert_eq!(traced.standing(&traced.trace.complaints[0]), standing, "{signer}");
        assert_eq!(traced.found.len(), 1, "{signer}");
    }
}

/// Composed too late, or before the complaint came and was logged, or removing nothing, a release that was not taken up excuses nobody.
#[tokio::test]
async fn a_release_that_was_not_taken_up_and_could_not_have_helped_leaves_nothing_in_doubt() {
    let deadline = 3 * HOUR + 3 * DAY;
    for (numbers, composed, logged, state) in [
        (6..15, deadline, deadline, ComplaintState::InDoubt),
        (6..15, deadline + 1, deadline + 1, ComplaintState::Overdue),
        (0..15, 4 * HOUR, 4 * HOUR, ComplaintState::Overdue),
        (6..15, 2 * HOUR + 60, 2 * HOUR + 60, ComplaintState::Overdue),
        (6..15, 2 * HOUR + 60, 4 * HOUR, ComplaintState::InDoubt),
    ] {
        let mut world = World::new();
        let text = world.log.draft(&entries(numbers), START.plus(composed)).to_text().unwrap();
        let refused = signed(&text, &["m1"]).to_bytes();
        if logged < 3 * HOUR {
            world.log.append(refused.clone());
        }
        crate::complaints::complain(&mut world, &[5; 32], b"salt", START.plus(3 * HOUR));
        world.log.publish(START.plus(3 * HOUR));
        if logged > 3 * HOUR {
            world.log.append(refused);
            world.log.publish(START.plus(logged));
        }
        world.log.publish(START.plus(40 * DAY));
        let seen = world.monitor().poll_at(START.plus(40 * DAY)).await.unwrap();
        let course = seen.lists[0].attestations[0].complaint.as_ref().unwrap();
        assert_eq!(course.state, state, "composed {composed}, logged {logged}");
    }
}

/// Composed a minute before somebody complained, and public after that.
#[tokio::test]
async fn a_removal_that_was_public_after_the_complaint_leaves_it_in_doubt_at_least() {
    let mut world = World::empty();
    let five = isonomy_core::hash::sha256(&[&5u64.to_be_bytes()]);
    world.log.charter(|_| ());
    world.log.publish(START);
    world.log.release(entries(0..10), START.plus(HOUR), |_| ());
    world.log.publish(START.plus(HOUR));
    world.log.release(entries(6..10), START.plus(2 * HOUR), |_| ());
    world.log.publish(START.plus(2 * HOUR + 600));
    let received = START.plus(2 * HOUR + 60);
    crate::complaints::complain_as_of(&mut world, &five, b"salt", received, START.plus(3 * HOUR));
    world.log.publish(START.plus(3 * HOUR));
    world.log.publish(START.plus(9 * DAY));
    let report = assessed(world.log.source(), corpus(&world)).await.unwrap();
    let complaints = &report.complaints;
    assert_eq!((complaints.without_removal.len(), complaints.in_doubt.len()), (0, 1), "{complaints:?}");
    let seen = world.monitor().poll_at(START.plus(9 * DAY)).await.unwrap();
    let course = seen.lists[0].attestations[0].complaint.as_ref().unwrap();
    assert_eq!((course.state, course.removing_version), (ComplaintState::InDoubt, Some(2)));
    let config = isonomy_monitor::Config { data: world.path("trace"), ..world.config(vec![world.log.source()], &[]) };
    let list = ListName::new(LIST).unwrap();
    let salts = [b"salt".to_vec()];
    let traced = isonomy_monitor::trace(config, &list, &five, &salts, START.plus(9 * DAY)).await.unwrap().trace;
    assert_eq!(traced.standing(&traced.complaints[0]), Standing::InTime);
}

/// A log can hold any number of other things that break the rules.
#[tokio::test]
async fn what_is_not_about_a_list_hides_no_breach_of_it_and_is_none() {
    let mut world = World::new();
    (0..2100).for_each(|number| world.log.append(format!("junk {number}\n")));
    world.log.publish(START.plus(3 * HOUR));
    let report = assessed(world.log.source(), corpus(&world)).await.unwrap();
    assert_eq!((&report.breaches[..], report.omitted.about_list, report.omitted.elsewhere), (&[][..], 0, 100));
    assert!(report.to_html().contains("No entry of the log about this list breaks a rule."));
    let text = world.log.draft(&entries(6..15), START.plus(4 * HOUR)).to_text().unwrap();
    world.log.append(signed(&text, &["m1"]).to_bytes());
    world.log.publish(START.plus(4 * HOUR));
    let report = assessed(world.log.source(), corpus(&world)).await.unwrap();
    assert_eq!((report.breaches.len(), report.omitted.about_list), (1, 0));
    let seen = world.monitor().poll_at(START.plus(4 * HOUR)).await.unwrap();
    assert_eq!(find(&seen, "too-few-curators").list.as_ref().map(ListName::as_str), Some(LIST));
    assert!(seen.findings_omitted > 0);
}

/// What was not read can't be dated, and whoever read it has another digest.
#[tokio::test]
async fn which_contents_were_read_is_said() {
    let mut world = World::empty();
    world.log.charter(|_| ());
    world.log.publish(START);
    let mut first = None;
    for (number, from) in [(0, 0), (1, 1), (2, 1), (3, 1)] {
        let time = START.plus(HOUR + number * 5 * DAY);
        let body = world.log.release(entries(from..5 + number), time, |release| release.expires = time.plus(6 * DAY));
        first.get_or_insert(body.snapshot.sha256);
        world.log.publish(time);
    }
    world.log.publish(START.plus(20 * DAY));
    let corpus = corpus(&world);
    let whole = assessed(world.log.source(), corpus.clone()).await.unwrap();
    assert_eq!((whole.removals.entries, whole.removals.undated), (1, 0));
    world.log.remove(&isonomy_core::resource::Resource::Object(first.unwrap()));
    let report = assessed(world.log.source(), corpus).await.unwrap();
    assert_eq!((report.removals.entries, report.removals.undated), (0, 1));
    assert_eq!(report.growth.iter().map(|one| one.unread).collect::<Vec<_>>(), [true, false, false, false]);
    let html = report.to_html();
    assert!(html.contains("Of 1 removals that are stated") && html.contains("versions 2 to 4"));
    assert_eq!(report.proofs.statements, whole.proofs.statements);
    assert_ne!(report.proofs.digest, whole.proofs.digest);
}

/// Whoever reads the log for the first time finds the same, by whichever command.
#[tokio::test]
async fn a_first_look_an_assessment_and_a_trace_find_the_same_breach() {
    let mut world = World::new();
    world.log.charter(|charter| charter.limits.max_added = 600);
    world.log.publish(START.plus(2 * HOUR + 60));
    world.log.release(entries(2..20), START.plus(2 * HOUR + 120), |_| ());
    world.log.publish(START.plus(2 * HOUR + 120));
    let report = world.monitor().poll_at(START.plus(2 * HOUR + 180)).await.unwrap();
    let found = find(&report, "notice-not-over");
    assert!(found.evidence.is_some(), "{}", found.words);
    let corpus = world.path("corpus");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("other"), b"other").unwrap();
    let assessment = assessed(world.log.source(), corpus).await.unwrap();
    assert_eq!((assessment.breaches, assessment.not_judged), (vec![found.words.clone()], vec![]));
    let config = isonomy_monitor::Config { data: world.path("trace"), ..world.config(vec![world.log.source()], &[]) };
    let list = ListName::new(LIST).unwrap();
    let traced = isonomy_monitor::trace(config, &list, &[5; 32], &[], START.plus(3 * HOUR)).await.unwrap();
    assert_eq!((traced.trace.versions.len(), traced.found), (2, vec![found.words.clone()]));
}

/// What clients by some clocks refuse, and others may use, is not called good.
#[tokio::test]
async fn what_clocks_alone_speak_against_is_not_judged() {
    let mut world = World::new();
    world.log.release(entries(2..20), START.plus(3 * HOUR + 1), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    let corpus = world.path("corpus");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("other"), b"other").unwrap();
    let assessment = assessed(world.log.source(), corpus).await.unwrap();
    assert_eq!((assessment.breaches.len(), assessment.not_judged.len()), (0, 1), "{:?}", assessment.not_judged);
    let config = isonomy_monitor::Config { data: world.path("trace"), ..world.config(vec![world.log.source()], &[]) };
    let list = ListName::new(LIST).unwrap();
    let traced = isonomy_monitor::trace(config, &list, &[5; 32], &[], START.plus(4 * HOUR)).await.unwrap();
    assert_eq!((traced.trace.versions.len(), traced.found), (2, assessment.not_judged));
}

#[tokio::test]
async fn what_can_not_be_assessed_is_said() {
    let world = World::new();
    let failed = |list: &str, source: Source, corpus: &str| {
        let inputs = Inputs {
            policy: policy(&[]),
            sources: vec![source],
            list: ListName::new(list).unwrap(),
            size: None,
            as_of: None,
            corpus: world.path(corpus),
            scratch: world.path("scratch").join(list.replace('/', "-")),
        };
        async { assess(inputs, |_, _| vec![]).await.unwrap_err().to_string() }
    };
    let none = failed("hotline.example/none", world.log.source(), "x").await;
    assert_eq!(none, "the log has no list hotline.example/none; it has hotline.example/images");
    let missing = failed(LIST, world.log.source(), "x").await;
    assert!(missing.contains("can't be read"), "{missing}");
    let nothing = failed("a.example/b", Source::folder(world.path("nowhere")), "x").await;
    assert!(nothing.starts_with("nothing could be read from the log"), "{nothing}");
    fs::create_dir(world.path("empty")).unwrap();
    let empty = failed(LIST, world.log.source(), "empty").await;
    assert!(empty.contains("no file in it"), "{empty}");
    fs::remove_dir_all(world.log.path.join("object")).unwrap();
    let content = failed(LIST, world.log.source(), "x").await;
    assert!(content.contains("version 1, which the log has to keep, can't be had"), "{content}");
}

/// A file that proves a breach holds whichever checkpoint was the newest when it was made.
#[tokio::test]
async fn a_list_that_broke_a_rule_is_measured_the_same_again_after_the_log_has_grown() {
    let mut world = World::new();
    let corpus = world.path("corpus");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("other"), b"other").unwrap();
    let over = world.log.draft(&entries(0..600), START.plus(3 * HOUR));
    world.log.append(signed(&over.to_text().unwrap(), &SIGNERS).to_bytes());
    world.log.publish(START.plus(3 * HOUR));
    let first = assessed(world.log.source(), corpus.clone()).await.unwrap();
    assert_eq!(first.breaches.len(), 1);
    let (size, as_of) = (Some(TreeSize(first.log_size)), Some(first.as_of));
    // Republished, and grown.
    world.log.publish(START.plus(4 * HOUR));
    let again = assessed_as_of((size, as_of), world.log.source(), corpus.clone()).await.unwrap();
    assert_eq!(again.to_json(), first.to_json());
    world.log.release(entries(2..16), START.plus(5 * HOUR), |_| ());
    world.log.publish(START.plus(5 * HOUR));
    let again = assessed_as_of((size, as_of), world.log.source(), corpus).await.unwrap();
    assert_eq!(again.to_json(), first.to_json());
}
