//! Who is told of what is new; and where one entry stood.

use crate::world::*;
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use isonomy_core::attestation::{Attestation, Complaint, Method};
use isonomy_core::hash::{Commitment, sha256};
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_monitor::trace::{ListProof, trace};
use isonomy_monitor::{Alerts, Severity};
use std::sync::{Arc, Mutex};

/// A server that keeps what it is told, and answers with this status.
async fn told(status: StatusCode) -> (String, Arc<Mutex<Vec<serde_json::Value>>>) {
    let kept: Arc<Mutex<Vec<serde_json::Value>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let take = move |body: Bytes| async move {
        keep.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
        status
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/isonomy", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/hooks/isonomy", post(take))).await });
    (url, kept)
}

#[tokio::test]
async fn a_webhook_is_told_of_what_is_grave_enough_and_new() {
    let mut world = World::new();
    world.log.append("no statement\n");
    world.log.charter(|charter| charter.limits.max_added = 600);
    world.log.publish(START.plus(3 * HOUR));
    let mut monitor = world.monitor();
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    let (url, kept) = told(StatusCode::NO_CONTENT).await;
    let alerts = Alerts { command: None, webhook: Some(url), from: Severity::Warning };
    alerts.tell(&report, &monitor.news()).await.unwrap();
    let report = monitor.poll_at(START.plus(3 * HOUR + 60)).await.unwrap();
    alerts.tell(&report, &monitor.news()).await.unwrap();
    let kept = kept.lock().unwrap();
    assert_eq!(kept.len(), 1, "what is no news is not told");
    assert_eq!((kept[0]["monitor"].as_str(), kept[0]["log"].as_str()), (Some("isonomy/alert/v1"), Some(ORIGIN)));
    let codes: Vec<_> = kept[0]["findings"].as_array().unwrap().iter().map(|found| found["code"].clone()).collect();
    assert_eq!(codes, ["not-a-statement"], "the announced widening is a notice");
}

#[tokio::test]
async fn who_can_not_be_told_is_an_error() {
    let mut world = World::new();
    world.log.append("no statement\n");
    world.log.publish(START.plus(3 * HOUR));
    let mut monitor = world.monitor();
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    let failing = told(StatusCode::INTERNAL_SERVER_ERROR).await.0;
    for (command, webhook, words) in [
        (None, Some(failing.as_str()), "the webhook could not be told"),
        (None, Some("http://127.0.0.1:1/x"), "the webhook could not be told"),
        (Some("/nowhere/program"), None, "can't be run"),
        (Some("/bin/false"), None, "failed"),
    ] {
        let alerts =
            Alerts { command: command.map(Into::into), webhook: webhook.map(Into::into), from: Severity::Breach };
        let error = alerts.tell(&report, &monitor.news()).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_gets_the_findings_on_its_standard_input() {
    use std::os::unix::fs::PermissionsExt;
    let mut world = World::new();
    world.log.append("no statement\n");
    world.log.publish(START.plus(3 * HOUR));
    let mut monitor = world.monitor();
    let report = monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    let (program, told) = (world.path("tell"), world.path("told.json"));
    std::fs::write(&program, format!("#!/bin/sh\ncat > '{}'\n", told.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let alerts = Alerts { command: Some(program), webhook: None, from: Severity::Breach };
    alerts.tell(&report, &monitor.news()).await.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
    assert_eq!(told["findings"][0]["code"], "not-a-statement");
}

/// A complaint about an entry, logged by an auditor.
fn complain(world: &mut World, entry: &[u8], salt: &[u8], received: isonomy_core::time::Timestamp) {
    let release = world.log.last_release();
    let text = Attestation {
        statement: Attestation::KIND.into(),
        list: ListName::new(LIST).unwrap(),
        release,
        auditor: key("auditor").verifier().clone(),
        method: Method::Complaint,
        log_size: None,
        sample: None,
        errors: None,
        complaint: Some(Complaint { received, commitment: Commitment(sha256(&[salt, entry])) }),
        finding: "A person says that this should not be listed.".into(),
        report: None,
        created: received,
    }
    .to_text()
    .unwrap();
    world.log.append(signed(&text, &["auditor"]).to_bytes());
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
        let config =
            isonomy_monitor::Config { data: world.path(folder), ..world.config(vec![world.log.source()], &[]) };
        let list = list.clone();
        async move { trace(config, &list, &entry, Some(salt), START.plus(after)).await.unwrap() }
    };
    let found = follow(five, b"salt", "a", 3 * DAY).await;
    assert_eq!(found.versions.iter().map(|one| one.listed).collect::<Vec<_>>(), [true, true, false]);
    let complaint = found.complaint.unwrap();
    assert_eq!((complaint.gone_in, complaint.in_time), (Some(3), Some(true)));
    assert_eq!(complaint.deadline, START.plus(2 * HOUR + 3 * DAY));
    for one in &found.versions {
        let note = one.release.to_text();
        let release = Statement::parse(note.as_bytes()).unwrap().into_release().unwrap();
        let proof = TlogProof::parse(one.release_proof.as_ref().unwrap().to_text().as_bytes()).unwrap();
        proof.verify(note.as_bytes(), log_key().verifier(), &policy(&[])).unwrap();
        let (root, size) = (release.body().root, release.body().entries);
        match &one.proof {
            ListProof::Membership(proof) => proof.verify(&root, size).unwrap(),
            ListProof::NonMembership(proof) => proof.verify(&five, &root, size).unwrap(),
        }
    }
    assert_eq!(follow(five, b"pepper", "b", 3 * DAY).await.complaint, None, "nobody else can open it");
    let stays = follow(twelve, b"salt", "c", 3 * DAY).await;
    assert!(stays.complaint.is_none() && stays.versions[2].listed);

    // The same complaint about what is never removed: the deadline passes.
    complain(&mut world, &twelve, b"other", START.plus(2 * DAY));
    world.log.publish(START.plus(2 * DAY + HOUR));
    let follow = |folder: &str, after: u64| {
        let config =
            isonomy_monitor::Config { data: world.path(folder), ..world.config(vec![world.log.source()], &[]) };
        let list = list.clone();
        async move { trace(config, &list, &twelve, Some(b"other"), START.plus(after)).await.unwrap().complaint.unwrap() }
    };
    assert_eq!(follow("d", 3 * DAY).await.in_time, None, "it runs");
    assert_eq!(follow("e", 6 * DAY).await.in_time, Some(false));
}
