//! What an auditor can attest after a look, and what not.

use crate::serving::Running;
use crate::world::*;
use isonomy_core::attestation::{Attestation, Complaint, Method, Report};
use isonomy_core::hash::{Commitment, ListRoot, ObjectDigest};
use isonomy_core::resource::Resource;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_monitor::attest::{AttestError, Claim, Said};
use isonomy_monitor::report::ContentState;
use isonomy_monitor::{Monitor, Severity};
use std::fs;

/// What the page would write otherwise in its own words.
const REPORT: &str = "https://auditor.example/limits.max_added/2026-11-22T03:50:12Z";

async fn looked(world: &World, after: u64) -> Monitor {
    let mut monitor = world.monitor();
    monitor.poll_at(START.plus(after)).await.unwrap();
    monitor
}

fn said(finding: &str) -> Said<'_> {
    Said { finding, report: None }
}

async fn attest(monitor: &Monitor, claim: &Claim) -> Result<Attestation, AttestError> {
    attest_at(monitor, claim, 5 * HOUR).await
}

async fn attest_at(monitor: &Monitor, claim: &Claim, after: u64) -> Result<Attestation, AttestError> {
    let list = ListName::new(LIST).unwrap();
    let report = Report { url: REPORT.into(), sha256: ObjectDigest([7; 32]) };
    let said = Said { finding: "Nothing to object to.", report: Some(report) };
    monitor.attestation(&list, claim, key("auditor").verifier(), said, START.plus(after)).await
}

#[tokio::test]
async fn what_was_seen_is_attested_and_kept_by_the_log() {
    let mut world = World::new();
    let monitor = looked(&world, 3 * HOUR).await;
    let complaint = Complaint { received: START, commitment: Commitment([7; 32]) };
    for (claim, method, log_size, sample) in [
        (Claim::Followed, Method::Followed, Some(3), None),
        (Claim::Recomputed, Method::Recomputed, None, Some(13)),
        (Claim::LookedAt { method: Method::Canary, sample: 9, errors: 1 }, Method::Canary, None, Some(9)),
        (Claim::Complaint(complaint), Method::Complaint, None, None),
    ] {
        let text = attest(&monitor, &claim).await.unwrap();
        assert_eq!((text.method, text.log_size.map(|size| size.0), text.sample), (method, log_size, sample));
        assert_eq!(text.release, world.log.last_release());
        world.log.append(signed(&text.to_text().unwrap(), &["auditor"]).to_bytes());
    }
    drop(monitor);
    world.log.publish(START.plus(6 * HOUR));
    let report = world.monitor().poll_at(START.plus(6 * HOUR)).await.unwrap();
    assert_eq!(codes(&report), [""; 0], "the rules take them");
    let methods: Vec<Method> = report.lists[0].attestations.iter().map(|attested| attested.method).collect();
    assert_eq!(methods, [Method::Complaint, Method::Canary, Method::Recomputed, Method::Followed]);
    let longer = report.lists[0].attestations[0].report.as_ref().unwrap();
    assert_eq!((longer.url.as_str(), longer.sha256), (REPORT, ObjectDigest([7; 32])));
    let complaint = report.lists[0].attestations[0].complaint.as_ref().unwrap();
    // Version 2 removed something after the complaint was received, and before it was logged.
    assert_eq!((complaint.deadline, complaint.removing_version), (START.plus(3 * DAY), Some(2)));
    let running = Running::start(&world, vec![world.log.source()]).await;
    running.page().await;
    let page = running.get(&format!("/list/{LIST}")).await.body;
    assert!(page.contains(&format!("<code>{REPORT}</code>")), "{page}");
    running.stop().await;
}

#[tokio::test]
async fn nothing_is_attested_that_does_not_hold() {
    let mut world = World::new();
    world.log.release(entries(0..20), START.plus(3 * HOUR), |release| release.root = ListRoot([7; 32]));
    world.log.append("no statement\n");
    world.log.publish(START.plus(3 * HOUR));
    let monitor = looked(&world, 3 * HOUR).await;
    assert!(matches!(attest(&monitor, &Claim::Followed).await, Err(AttestError::Breach(_))));
    assert!(matches!(attest(&monitor, &Claim::Recomputed).await, Err(AttestError::Content(_))));
    let list = ListName::new(LIST).unwrap();
    let looked_at = Claim::LookedAt { method: Method::Canary, sample: 9, errors: 1 };
    let silent =
        monitor.attestation(&list, &looked_at, key("auditor").verifier(), said(" "), START.plus(5 * HOUR)).await;
    assert_eq!(silent, Err(AttestError::NoFinding));
    // Version 2 has 13 entries, and version 1 was composed at another time: what everybody's report would call impossible.
    let too_many = Claim::LookedAt { method: Method::Sampled, sample: 14, errors: 0 };
    let Err(AttestError::Impossible(words)) = attest(&looked(&World::new(), 3 * HOUR).await, &too_many).await else {
        panic!("attested")
    };
    assert!(words.contains("more entries were looked at than the 13 of the release"), "{words}");
    let early = monitor.attestation(&list, &looked_at, key("auditor").verifier(), said("x"), START).await;
    assert!(matches!(early, Err(AttestError::Impossible(words)) if words.contains("was composed at")));
    let received = Timestamp(START.0 - 1);
    let complaint = Claim::Complaint(Complaint { received, commitment: Commitment([7; 32]) });
    assert_eq!(attest(&monitor, &complaint).await, Err(AttestError::BeforeTheList { received, began: START }));
    let other = ListName::new("a.example/b").unwrap();
    let none = monitor.attestation(&other, &Claim::Followed, key("auditor").verifier(), said("x"), START).await;
    assert_eq!(none, Err(AttestError::NoRelease(other)));
}

/// A log that shows later proofs than the first silences no complaint about what was there before.
#[tokio::test]
async fn renewed_proofs_silence_no_complaint() {
    let mut world = World::new();
    (0..3).for_each(|index| world.log.prove_again(index, START.plus(4 * HOUR)));
    world.log.publish(START.plus(4 * HOUR));
    let monitor = looked(&world, 4 * HOUR).await;
    let list = ListName::new(LIST).unwrap();
    let complaint = |received| Claim::Complaint(Complaint { received, commitment: Commitment([7; 32]) });
    let claim = complaint(START.plus(2 * HOUR));
    assert_eq!(attest(&monitor, &claim).await.unwrap().method, Method::Complaint);
    let doubt = monitor.doubt_about(&list, &claim).unwrap();
    assert!(doubt.contains("so this may be right"), "{doubt}");
    assert_eq!(monitor.doubt_about(&list, &complaint(START.plus(4 * HOUR))), None);
    let (received, began) = (START.plus(HOUR - 1), START.plus(HOUR));
    assert_eq!(attest(&monitor, &complaint(received)).await, Err(AttestError::BeforeTheList { received, began }));
}

/// What times alone speak against may keep the rules all the same, and may not: by proofs that are shown, and for want of them.
#[tokio::test]
async fn nobody_attests_that_rules_are_kept_where_that_can_not_be_told() {
    let mut world = World::new();
    world.log.release(entries(0..20), START.plus(4 * HOUR), |_| ());
    world.log.publish(START.plus(3 * HOUR));
    let monitor = looked(&world, 3 * HOUR).await;
    assert_eq!(find(monitor.report(), "created-late").severity, Severity::Warning);
    assert_eq!(attest(&monitor, &Claim::Followed).await, Err(AttestError::NotJudged(LeafIndex(3))));

    let mut world = World::new();
    world.log.charter(|charter| charter.limits.max_added = 600);
    world.log.publish(START.plus(3 * HOUR));
    world.log.release(entries(0..20), START.plus(8 * DAY), |_| ());
    world.log.publish(START.plus(8 * DAY));
    fs::rename(world.log.path.join("proof"), world.path("proofs")).unwrap();
    let mut monitor = looked(&world, 8 * DAY).await;
    assert!(find(monitor.report(), "not-judged").standing);
    assert_eq!(attest(&monitor, &Claim::Followed).await, Err(AttestError::NotJudged(LeafIndex(4))));
    fs::rename(world.path("proofs"), world.log.path.join("proof")).unwrap();
    monitor.poll_at(START.plus(8 * DAY + 60)).await.unwrap();
    assert_eq!(attest_at(&monitor, &Claim::Followed, 9 * DAY).await.unwrap().log_size, Some(TreeSize(5)));
}

/// It may be of a later format, or break the rules: nobody who can't read it can tell.
#[tokio::test]
async fn nobody_attests_that_rules_are_kept_over_an_entry_that_he_can_not_read() {
    let mut world = World::new();
    let text = "{\n  \"statement\": \"isonomy/release/v2\",\n  \"list\": \"hotline.example/images\"\n}\n";
    let line = key("m1").sign(text);
    world.log.append(isonomy_core::note::Note::new(text.into(), vec![line]).unwrap().to_bytes());
    world.log.publish(START.plus(3 * HOUR));
    let monitor = looked(&world, 3 * HOUR).await;
    assert!(find(monitor.report(), "unreadable-statement").standing);
    assert_eq!(attest(&monitor, &Claim::Followed).await, Err(AttestError::NotJudged(LeafIndex(3))));
}

#[tokio::test]
async fn recomputed_is_attested_of_what_is_there_now_and_not_of_what_the_journal_says() {
    let world = World::new();
    drop(looked(&world, 3 * HOUR).await);
    fs::remove_dir_all(world.log.path.join("object")).unwrap();
    let monitor = looked(&world, 3 * HOUR + 60).await;
    assert!(matches!(monitor.report().lists[0].releases[0].content, ContentState::Verified { .. }));
    assert!(matches!(attest(&monitor, &Claim::Recomputed).await, Err(AttestError::Content(_))));
}

#[tokio::test]
async fn nobody_attests_what_there_was_no_room_to_report() {
    let mut world = World::new();
    for number in 0..2001 {
        let mut body = charter();
        (body.list, body.log) = (ListName::new("other.example/images").unwrap(), "log.example/other".to_owned());
        body.purpose.definition = format!("Number {number}.");
        world.log.append(signed(&body.to_text().unwrap(), &["m1"]).to_bytes());
    }
    world.log.write_tiles();
    let checkpoint = world.log.checkpoint(&[0, 1, 2], START.plus(3 * HOUR));
    world.log.put(&Resource::Checkpoint, &checkpoint.to_bytes());
    let monitor = looked(&world, 3 * HOUR).await;
    assert!(monitor.report().findings_omitted > 0);
    assert!(matches!(attest(&monitor, &Claim::Followed).await, Err(AttestError::Omitted(_))));
}

#[tokio::test]
async fn of_a_log_that_can_not_be_read_nobody_says_that_it_has_no_release() {
    let world = World::new();
    fs::rename(&world.log.path, world.path("gone")).unwrap();
    let monitor = looked(&world, 3 * HOUR).await;
    let Err(AttestError::Unread(words)) = attest(&monitor, &Claim::Followed).await else { panic!("attested") };
    assert!(words.contains("could not be read"), "{words}");
}
