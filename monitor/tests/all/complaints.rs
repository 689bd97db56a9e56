//! Complaints: where one entry stood, whether it went in time, and on whose word that rests.

use crate::world::*;
use isonomy_core::attestation::{Attestation, Complaint, Method};
use isonomy_core::hash::{Commitment, StatementId, sha256};
use isonomy_core::json::Lines;
use isonomy_core::note::Note;
use isonomy_core::release::Release;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use isonomy_monitor::assess::{Assessment, Inputs, assess};
use isonomy_monitor::report::ComplaintState;
use isonomy_monitor::trace::{InLog, NotKnown, Standing, trace};
use isonomy_monitor::{Config, Trace};

/// A complaint about an entry, logged by an auditor.
pub(crate) fn complain(world: &mut World, entry: &[u8], salt: &[u8], received: Timestamp) {
    complain_as_of(world, entry, salt, received, received);
}

/// The same by an attestation that is dated otherwise.
pub(crate) fn complain_as_of(world: &mut World, entry: &[u8], salt: &[u8], received: Timestamp, created: Timestamp) {
    complain_by("auditor", world, (entry, salt), (received, created));
}

/// The same by another auditor.
pub(crate) fn complain_by(auditor: &str, world: &mut World, about: (&[u8], &[u8]), times: (Timestamp, Timestamp)) {
    complain_under((auditor, world.log.last_release()), world, about, times);
}

/// The same about another release.
fn complain_under(
    (auditor, release): (&str, StatementId),
    world: &mut World,
    (entry, salt): (&[u8], &[u8]),
    (received, created): (Timestamp, Timestamp),
) {
    let text = Attestation {
        statement: Attestation::KIND.into(),
        list: ListName::new(LIST).unwrap(),
        release,
        auditor: key(auditor).verifier().clone(),
        method: Method::Complaint,
        log_size: None,
        sample: None,
        errors: None,
        complaint: Some(Complaint { received, commitment: Commitment(sha256(&[salt, entry])) }),
        finding: "A person says that this should not be listed.".into(),
        report: None,
        created,
    }
    .to_text()
    .unwrap();
    world.log.append(signed(&text, &[auditor]).to_bytes());
}

#[tokio::test]
async fn a_complaint_is_followed_from_version_to_version_with_proofs() {
    let mut world = World::new();
    // 5 stands in versions 1 and 2, and goes with version 3; 12 stays.
    let (five, twelve) = (sha256(&[&5u64.to_be_bytes()]), sha256(&[&12u64.to_be_bytes()]));
    complain(&mut world, &five, b"salt", START.plus(2 * HOUR));
    world.log.publish(START.plus(3 * HOUR));
    world.log.release(entries(6..15), START.plus(2 * DAY), |_| ());
    world.log.publish(START.plus(2 * DAY));
    let list = ListName::new(LIST).unwrap();
    let follow = |entry: [u8; 32], salt: &'static [u8], folder: &str, after: u64| {
        let config = Config { data: world.path(folder), ..world.config(vec![world.log.source()], &[]) };
        let list = list.clone();
        async move { trace(config, &list, &entry, &[salt.to_vec()], START.plus(after)).await.unwrap().trace }
    };
    let found = follow(five, b"salt", "a", 3 * DAY).await;
    assert_eq!(found.versions.iter().map(|one| one.listed).collect::<Vec<_>>(), [true, true, false]);
    let course = &found.complaints[0].course;
    assert_eq!(
        (course.gone_in, course.removed_in_time, found.standing(&found.complaints[0])),
        (Some(3), Some(true), Standing::InTime)
    );
    assert_eq!((course.auditor.as_str(), course.logged_since), ("auditor", START.plus(3 * HOUR)));
    assert_eq!((course.deadline, found.as_of), (START.plus(2 * HOUR + 3 * DAY), START.plus(2 * DAY)));
    only_what_is_proven_holds(&found);
    assert_eq!(follow(five, b"pepper", "b", 3 * DAY).await.complaints, [], "nobody else can open it");
    let stays = follow(twelve, b"salt", "c", 3 * DAY).await;
    assert!(stays.complaints.is_empty() && stays.versions[2].listed);

    // The same complaint about what is never removed: the deadline passes while the list says nothing.
    complain(&mut world, &twelve, b"other", START.plus(2 * DAY));
    for (at, not_known, standing) in [
        (2 * DAY + HOUR, NotKnown::Running, Standing::Running),
        (5 * DAY + 1, NotKnown::StillListed, Standing::LateByWord),
        (5 * DAY + HOUR + 1, NotKnown::StillListed, Standing::Late),
    ] {
        world.log.publish(START.plus(at));
        let config = Config { data: world.path(&format!("at {at}")), ..world.config(vec![world.log.source()], &[]) };
        // What this machine's clock says does not count.
        let found = trace(config, &list, &twelve, &[b"other".to_vec()], START.plus(99 * DAY)).await.unwrap().trace;
        let course = &found.complaints[0].course;
        assert_eq!((course.removed_in_time, course.not_known), (None, Some(not_known)), "{at}");
        assert_eq!(found.standing(&found.complaints[0]), standing, "{at}");
        only_what_is_proven_holds(&found);
    }
}

/// The file holds offline; and not with anything in it changed that somebody might like to be otherwise.
fn only_what_is_proven_holds(made: &Trace) {
    let text = serde_json::to_string(made).unwrap();
    assert_eq!(Trace::verify(text.as_bytes(), &policy(&[])).unwrap(), *made);
    let broken = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
        edit(&mut file);
        Trace::verify(file.to_string().as_bytes(), &policy(&[])).unwrap_err().to_string()
    };
    let stated = |pointer: &str, value: serde_json::Value| {
        broken(&|file| *file.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.clone())
    };
    for (pointer, value) in [
        ("/versions/0/listed", (!made.versions[0].listed).into()),
        ("/versions/1/public_since", "2001-01-01T00:00:00Z".into()),
        ("/versions/1/created", "2001-01-01T00:00:00Z".into()),
        ("/as_of", "2001-01-01T00:00:00Z".into()),
        ("/complaints/0/course/received", "2001-01-01T00:00:00Z".into()),
        ("/complaints/0/course/deadline", "2001-01-01T00:00:00Z".into()),
        ("/complaints/0/course/deadline_by_log", "2001-01-01T00:00:00Z".into()),
    ] {
        assert!(stated(pointer, value).contains("does not follow"), "{pointer}");
    }
    let lie = broken(&|file| file["complaints"][0]["course"]["removed_in_time"] = false.into());
    assert!(lie.contains("does not follow"), "no file says that anybody was late: {lie}");
    assert!(stated("/entry", "00".repeat(32).into()).contains("does not hold"), "proofs are of one entry");
    assert!(stated("/complaints/0/salt", "00".into()).contains("not about this entry"));
    assert!(stated("/list", "other.example/list".into()).contains("another list"));
    assert!(broken(&|file| drop(file["versions"].as_array_mut().unwrap().remove(0))).contains("does not follow"));
    assert!(broken(&|file| file["charters"] = serde_json::json!([])).contains("charter"));
    assert!(broken(&|file| file["versions"][0]["release"]["index"] = 0.into()).contains("another place"));
    assert!(broken(&|file| file["checkpoint"].as_array_mut().unwrap().truncate(5)).contains("too few witnesses"));
    assert!(broken(&|file| file["more"] = 1.into()).starts_with("not a trace"));
}

/// The list, assessed against a corpus that it does not match.
async fn assessed(world: &World) -> Assessment {
    let corpus = world.path("corpus");
    std::fs::create_dir(&corpus).unwrap();
    std::fs::write(corpus.join("other"), b"other").unwrap();
    let inputs = Inputs {
        policy: policy(&[]),
        sources: vec![world.log.source()],
        list: ListName::new(LIST).unwrap(),
        size: None,
        as_of: None,
        corpus,
        scratch: world.path("assess"),
    };
    assess(inputs, |_, _| vec![]).await.unwrap()
}

#[tokio::test]
async fn a_complaint_that_says_what_can_not_be_makes_nobody_late() {
    let then = START.plus(2 * HOUR);
    for (received, created, why) in [
        (then, then, None),
        (START, START, Some("was composed at")),
        (then, START.plus(9 * DAY), Some("shows it since")),
        (START.plus(9 * DAY), then, Some("is said to have been received at")),
    ] {
        let mut world = World::new();
        complain_as_of(&mut world, &[1; 32], b"salt", received, created);
        world.log.publish(START.plus(3 * HOUR));
        world.log.publish(START.plus(4 * DAY));
        let report = world.monitor().poll_at(START.plus(4 * DAY)).await.unwrap();
        let attested = &report.lists[0].attestations[0];
        let words = attested.impossible.as_deref().unwrap_or_default();
        assert!(words.contains(why.unwrap_or_default()) && words.is_empty() == why.is_none(), "{words}");
        assert_eq!(attested.complaint.is_some(), why.is_none(), "{words}");
        assert_eq!(codes(&report).contains(&"removal-overdue"), why.is_none(), "{words}");
        let complaints = assessed(&world).await.complaints;
        let is_missed = complaints.without_removal.iter().any(|missed| missed.what.contains("after the complaint"));
        assert_eq!(is_missed, why.is_none(), "{words}");
    }
}

#[tokio::test]
async fn without_seen_proofs_a_trace_and_an_assessment_say_what_is_not_known() {
    let mut world = World::new();
    let five = sha256(&[&5u64.to_be_bytes()]);
    complain(&mut world, &five, b"salt", START.plus(2 * HOUR));
    world.log.publish(START.plus(3 * HOUR));
    world.log.release(entries(6..15), START.plus(2 * DAY), |_| ());
    world.log.publish(START.plus(2 * DAY));
    world.log.remove(&Resource::SeenProof(world.log.last_release()));
    world.log.publish(START.plus(9 * DAY));
    let list = ListName::new(LIST).unwrap();
    let config = Config { data: world.path("trace"), ..world.config(vec![world.log.source()], &[]) };
    let found = trace(config, &list, &five, &[b"salt".to_vec()], START.plus(9 * DAY)).await.unwrap().trace;
    assert_eq!(found.versions.iter().map(|one| one.unproven).collect::<Vec<_>>(), [false, false, true]);
    let course = &found.complaints[0].course;
    let shown = (course.gone_in, course.removed_in_time, course.not_known, found.standing(&found.complaints[0]));
    let expected = (Some(3), None, Some(NotKnown::RemovedLater), Standing::Unproven);
    assert_eq!(shown, expected, "it may have been in time");
    only_what_is_proven_holds(&found);
    let report = assessed(&world).await;
    assert_eq!(report.growth.iter().map(|one| one.unproven).collect::<Vec<_>>(), [false, false, true]);
    assert!(report.to_html().contains("nobody showed the seen proof of version 3"));
}

/// What covers the next entry covers the removal, too: so it is shown by the checkpoint of that one's proof, and not by today's. Also
/// where what comes after that one has no proof of its own.
#[tokio::test]
async fn a_withheld_seen_proof_does_not_hide_what_a_later_entry_proves() {
    let five = sha256(&[&5u64.to_be_bytes()]);
    let nothing = |_: &mut Log| ();
    let unreadable = |log: &mut Log| log.append("no statement\n");
    let again = |log: &mut Log| log.again(1);
    for (name, then) in [("nothing", &nothing as &dyn Fn(&mut Log)), ("unreadable", &unreadable), ("again", &again)] {
        let mut world = World::new();
        complain(&mut world, &five, b"salt", START.plus(2 * HOUR));
        world.log.publish(START.plus(3 * HOUR));
        world.log.release(entries(6..15), START.plus(DAY), |_| ());
        let removal = world.log.last_release();
        world.log.publish(START.plus(DAY));
        world.log.release(entries(6..16), START.plus(2 * DAY), |_| ());
        then(&mut world.log);
        world.log.publish(START.plus(2 * DAY));
        world.log.remove(&Resource::SeenProof(removal));
        world.log.publish(START.plus(9 * DAY));
        let found = traced(&world, "trace", &five, START.plus(9 * DAY)).await;
        let since: Vec<u64> = found.versions.iter().map(|one| one.public_since.since(START)).collect();
        assert_eq!(since, [HOUR, 2 * HOUR, 2 * DAY, 2 * DAY], "{name}");
        assert_eq!(found.complaints[0].course.removed_in_time, Some(true), "{name}");
        only_what_is_proven_holds(&found);
        // Also where the later entry is not in the file.
        let cut = Trace { versions: found.versions[..3].to_vec(), ..found.clone() };
        assert_eq!(verified(&cut).unwrap(), cut, "{name}");
    }
}

/// Whoever logs a complaint writes what stands in it, and a log admits it without its auditor's signature.
#[tokio::test]
async fn a_file_holds_no_complaint_that_counts_for_nothing() {
    let five = sha256(&[&5u64.to_be_bytes()]);
    let made = traced(&removed(|_| ()), "good", &five, START.plus(2 * DAY)).await;
    let complained = |edit: &dyn Fn(&mut Attestation), signers: &[&str]| {
        let mut world = World::new();
        complain(&mut world, &five, b"salt", START.plus(2 * HOUR));
        let logged = Statement::parse(world.log.entry(LeafIndex(3))).unwrap().into_attestation().unwrap();
        let mut body = logged.body().clone();
        edit(&mut body);
        world.log.append(signed(&body.to_text().unwrap(), signers).to_bytes());
        world.log.publish(START.plus(3 * HOUR));
        let mut file = Trace { versions: made.versions[..2].to_vec(), ..made.clone() };
        file.complaints[0].attestation.index = LeafIndex(4);
        verified(&shown_by(&file, &world.log)).unwrap_err()
    };
    let other = ListName::new("other.example/list").unwrap();
    for (edit, signers, why) in [
        (
            &(|body: &mut Attestation| {
                body.created = START;
                body.complaint.as_mut().unwrap().received = START;
            }) as &dyn Fn(&mut Attestation),
            &["auditor"][..],
            "was composed at",
        ),
        (&|body: &mut Attestation| body.created = START.plus(9 * DAY), &["auditor"], "shows it since"),
        (&|body: &mut Attestation| body.created = START.plus(2 * HOUR + 1), &["stranger"], "rule"),
        (&|body: &mut Attestation| body.list = other.clone(), &["auditor"], "rule 1 (chain)"),
    ] {
        let refused = complained(edit, signers);
        assert!(refused.contains(why), "{refused}");
    }
}

/// Whoever has seen a commitment can log it again, by a date at which nobody is late: the one that was made first is shown all the same.
#[tokio::test]
async fn every_complaint_that_a_salt_opens_is_shown_the_oldest_deadline_first() {
    let mut world = World::new();
    let five = sha256(&[&5u64.to_be_bytes()]);
    // The log has seen it before it logs it, and logs a copy in front of it, said to have come later.
    complain(&mut world, &five, b"salt", START.plus(3 * HOUR));
    complain(&mut world, &five, b"salt", START.plus(2 * HOUR));
    // One that says what can't be counts for nothing.
    complain_as_of(&mut world, &five, b"salt", START.plus(9 * DAY), START.plus(2 * HOUR));
    complain(&mut world, &five, b"another", START.plus(2 * HOUR + 1));
    world.log.publish(START.plus(3 * HOUR));
    let list = ListName::new(LIST).unwrap();
    let shown = |folder: &str, salts: &[&[u8]]| {
        let config = Config { data: world.path(folder), ..world.config(vec![world.log.source()], &[]) };
        let (list, salts) = (list.clone(), salts.iter().map(|salt| salt.to_vec()).collect::<Vec<_>>());
        async move { trace(config, &list, &five, &salts, START.plus(DAY)).await.unwrap().trace }
    };
    let received =
        |trace: &Trace| trace.complaints.iter().map(|one| one.course.received.since(START)).collect::<Vec<_>>();
    let found = shown("one", &[b"salt"]).await;
    assert_eq!(received(&found), [2 * HOUR, 3 * HOUR]);
    only_what_is_proven_holds(&found);
    let found = shown("both", &[b"salt", b"another"]).await;
    assert_eq!(received(&found), [2 * HOUR, 2 * HOUR + 1, 3 * HOUR]);
    only_what_is_proven_holds(&found);
    // Nor does a file hold that shows them in another order, or one twice.
    let changed = |edit: &dyn Fn(&mut Trace)| {
        let mut file = found.clone();
        edit(&mut file);
        Trace::verify(&serde_json::to_vec(&file).unwrap(), &policy(&[])).unwrap_err().to_string()
    };
    assert!(changed(&|file| file.complaints.swap(0, 1)).contains("does not follow"));
    assert!(changed(&|file| file.complaints.insert(0, file.complaints[0].clone())).contains("stands in it twice"));
}

/// What a log has at this place, with the proof that it shows.
fn shown(log: &Log, index: LeafIndex) -> InLog {
    let statement = Statement::parse(log.entry(index)).unwrap();
    let proof = std::fs::read(log.path.join(Resource::SeenProof(statement.id()).to_string())).unwrap();
    InLog {
        statement: Lines::of(statement.note()),
        index,
        proof: Lines::of(isonomy_core::tlog_proof::TlogProof::parse(&proof).unwrap()),
    }
}

/// The same file, with what another log has at the same places.
fn shown_by(made: &Trace, log: &Log) -> Trace {
    let mut file = made.clone();
    let checkpoint = std::fs::read(log.path.join("checkpoint")).unwrap();
    file.checkpoint = Lines::of(Note::parse(&checkpoint, checkpoint.len()).unwrap());
    file.charters.iter_mut().for_each(|one| *one = shown(log, one.index));
    file.versions.iter_mut().for_each(|one| one.release = shown(log, one.release.index));
    file.complaints.iter_mut().for_each(|one| one.attestation = shown(log, one.attestation.index));
    file
}

fn verified(file: &Trace) -> Result<Trace, String> {
    Trace::verify(&serde_json::to_vec(file).unwrap(), &policy(&[])).map_err(|error| error.to_string())
}

async fn traced(world: &World, folder: &str, entry: &[u8], clock: Timestamp) -> Trace {
    let config = Config { data: world.path(folder), ..world.config(vec![world.log.source()], &[]) };
    trace(config, &ListName::new(LIST).unwrap(), entry, &[b"salt".to_vec()], clock).await.unwrap().trace
}

/// A complaint about 5, which version 3 removes in time; `edit` is what version 3 is like.
fn removed(edit: impl Fn(&mut Release)) -> World {
    let mut world = World::new();
    complain(&mut world, &sha256(&[&5u64.to_be_bytes()]), b"salt", START.plus(2 * HOUR));
    world.log.publish(START.plus(3 * HOUR));
    world.log.release(entries(6..15), START.plus(DAY), edit);
    world.log.publish(START.plus(DAY));
    world
}

/// No client used it, so by it nothing was removed.
#[tokio::test]
async fn a_release_that_breaks_the_rules_removes_nothing() {
    let five = sha256(&[&5u64.to_be_bytes()]);
    let made = traced(&removed(|_| ()), "good", &five, START.plus(2 * DAY)).await;
    assert_eq!(made.complaints[0].course.removed_in_time, Some(true));
    for (edit, why) in [
        (&(|body: &mut Release| body.expires = body.expires.plus(1)) as &dyn Fn(&mut Release), "rule 7 (limits)"),
        (&|body: &mut Release| body.created = START.plus(HOUR), "before its predecessor"),
    ] {
        let bad = removed(edit);
        let refused = verified(&shown_by(&made, &bad.log)).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
}

/// It shows some of the log, so another text may have been there first: that it says.
#[tokio::test]
async fn a_file_says_what_it_can_not_exclude() {
    let five = sha256(&[&5u64.to_be_bytes()]);
    let made = traced(&removed(|_| ()), "good", &five, START.plus(2 * DAY)).await;
    // Version 3 has the entry still; a second text for it, which everybody refuses, does not.
    let mut world = World::new();
    complain(&mut world, &five, b"salt", START.plus(2 * HOUR));
    world.log.publish(START.plus(3 * HOUR));
    let (second, first) = (world.log.draft(&entries(6..15), START.plus(DAY)), entries(2..16));
    world.log.release(first, START.plus(DAY), |_| ());
    world.log.append(signed(&second.to_text().unwrap(), &SIGNERS).to_bytes());
    world.log.publish(START.plus(DAY));
    let mut file = shown_by(&made, &world.log);
    file.versions[2].release = shown(&world.log, LeafIndex(5));
    let course = verified(&file).unwrap().complaints.remove(0).course;
    let unless = course.unless.unwrap();
    assert!(
        course.removed_in_time == Some(true) && unless.contains("another text for one of these versions"),
        "{unless}"
    );
    let read = traced(&world, "read", &five, START.plus(2 * DAY)).await;
    assert_eq!(read.complaints[0].course.removed_in_time, None, "whoever reads the log knows");
}

/// The log withholds the seen proof of an edition: by what it shows, its notice was not over.
#[tokio::test]
async fn a_version_that_by_the_times_in_the_file_breaks_a_rule_shows_no_removal() {
    let five = sha256(&[&5u64.to_be_bytes()]);
    let mut world = World::new();
    world.log.charter(|body| body.limits.max_entries += 1);
    world.log.publish(START.plus(3 * HOUR));
    world.log.remove(&Resource::SeenProof(Statement::parse(world.log.entry(LeafIndex(3))).unwrap().id()));
    complain_by("auditor", &mut world, (&five, b"salt"), (START.plus(8 * DAY), START.plus(8 * DAY)));
    world.log.release(entries(6..15), START.plus(8 * DAY), |_| ());
    world.log.publish(START.plus(8 * DAY));
    let found = traced(&world, "trace", &five, START.plus(9 * DAY)).await;
    assert_eq!(found.versions.iter().map(|one| one.open).collect::<Vec<_>>(), [false, false, true]);
    let course = &found.complaints[0].course;
    let expected = (None, Some(NotKnown::NotJudged), Standing::Unproven);
    assert_eq!((course.removed_in_time, course.not_known, found.standing(&found.complaints[0])), expected);
    only_what_is_proven_holds(&found);
    // Nor can it be judged without the edition before.
    let without = verified(&Trace { charters: found.charters[1..].to_vec(), ..found.clone() }).unwrap_err();
    assert!(without.contains("rule 1 (chain)"), "{without}");
}

/// Whoever has seen a commitment can log it again, by a date or about a version at which nobody is late.
#[tokio::test]
async fn a_copy_of_a_complaint_hides_no_deadline_that_passed() {
    for is_before in [true, false] {
        let mut world = World::new();
        let copy = |world: &mut World| {
            let times = (START.plus(HOUR + 1), START.plus(3 * HOUR));
            complain_by("other", world, (&[1; 32], b"salt"), times);
        };
        if is_before {
            copy(&mut world);
        }
        complain(&mut world, &[1; 32], b"salt", START.plus(3 * HOUR));
        if !is_before {
            copy(&mut world);
        }
        world.log.publish(START.plus(3 * HOUR));
        world.log.publish(START.plus(4 * DAY));
        let complaints = assessed(&world).await.complaints;
        let missed: Vec<&str> = complaints.without_removal.iter().map(|missed| missed.what.as_str()).collect();
        assert!((complaints.due, missed.len()) == (1, 1) && missed[0].contains("auditor ("), "{is_before}: {missed:?}");
        let report = world.monitor().poll_at(START.plus(4 * DAY)).await.unwrap();
        let counts = report.lists[0].complaints;
        assert_eq!((counts.total, counts.overdue), (1, 1), "{is_before}");
        assert!(codes(&report).contains(&"removal-overdue"), "{is_before}");
    }
}

/// Whoever logs a complaint chooses the release that it cites.
#[tokio::test]
async fn a_complaint_about_an_old_version_counts_by_the_longer_deadline() {
    let mut world = World::new();
    let (five, first) = (sha256(&[&5u64.to_be_bytes()]), world.log.last_release());
    world.log.charter(|body| body.redress.removal_deadline = 20 * DAY);
    world.log.publish(START.plus(3 * HOUR));
    world.log.release(entries(2..16), START.plus(8 * DAY), |_| ());
    world.log.publish(START.plus(8 * DAY));
    let then = START.plus(9 * DAY);
    complain_under(("auditor", first), &mut world, (&five, b"salt"), (then, then));
    world.log.publish(then);
    world.log.publish(START.plus(25 * DAY));
    let report = world.monitor().poll_at(START.plus(25 * DAY)).await.unwrap();
    let complaint = report.lists[0].attestations[0].complaint.as_ref().unwrap();
    assert_eq!((complaint.edition, complaint.deadline), (2, then.plus(20 * DAY)));
    assert_eq!(complaint.state, ComplaintState::Running);
    assert!(!codes(&report).contains(&"removal-overdue"));
    let found = traced(&world, "trace", &five, START.plus(25 * DAY)).await;
    let course = &found.complaints[0].course;
    assert_eq!((course.edition, course.deadline), (2, then.plus(20 * DAY)));
    world.log.publish(then.plus(20 * DAY + 1));
    let late = assessed(&world).await.complaints.without_removal;
    assert!(late[0].what.contains("within the 20 days that edition 2 of the charter gives"), "{late:?}");
}

/// An auditor can log any number.
#[tokio::test]
async fn later_complaints_do_not_silence_one_whose_deadline_passed() {
    let mut world = World::new();
    complain(&mut world, &[1; 32], b"salt", START.plus(3 * HOUR));
    world.log.publish(START.plus(3 * HOUR));
    for number in 0..125_u8 {
        complain(&mut world, &[1; 32], &[number], START.plus(4 * DAY));
    }
    world.log.publish(START.plus(4 * DAY));
    let report = world.monitor().poll_at(START.plus(4 * DAY)).await.unwrap();
    assert!(find(&report, "removal-overdue").words.starts_with("The complaint at entry 3 "));
    // Nor is what is told of all told of the newest alone.
    let (counts, shown) = (report.lists[0].complaints, report.lists[0].attestations.len());
    assert_eq!((counts.total, counts.running, counts.overdue, shown), (126, 125, 1, 120));
}
