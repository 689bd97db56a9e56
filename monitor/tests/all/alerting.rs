//! Who is told of what is new.

use crate::serving::{Running, ago, fresh};
use crate::smtp::{MailServer, Offered};
use crate::world::*;
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use isonomy_fetch::Source;
use isonomy_monitor::alert::Security;
use isonomy_monitor::{Alerts, Config, Followed, Monitor, Severity, Watch};
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

/// A monitor that tells of breaches and warnings.
fn telling(world: &World, edit: impl FnOnce(&mut Alerts)) -> Monitor {
    let mut alerts = Alerts { command: None, webhook: None, mail: None, from: Severity::Warning };
    edit(&mut alerts);
    Monitor::open(Config { alerts: Some(alerts), ..world.config(vec![world.log.source()], &[]) }).unwrap()
}

/// A log with a breach and an announced widening.
fn broken() -> World {
    let mut world = World::new();
    world.log.append("no statement\n");
    world.log.charter(|charter| charter.limits.max_added = 600);
    world.log.publish(START.plus(3 * HOUR));
    world
}

#[tokio::test]
async fn a_webhook_is_told_of_what_is_grave_enough_and_new() {
    let world = broken();
    let (url, kept) = told(StatusCode::NO_CONTENT).await;
    let mut monitor = telling(&world, |alerts| alerts.webhook = Some(url));
    for after in [0, 60] {
        monitor.poll_at(START.plus(3 * HOUR + after)).await.unwrap();
        assert!(monitor.tell().await.is_empty());
    }
    let kept = kept.lock().unwrap();
    assert_eq!(kept.len(), 1, "what is no news is not told");
    assert_eq!((kept[0]["monitor"].as_str(), kept[0]["log"].as_str()), (Some("isonomy/alert/v1"), Some(ORIGIN)));
    let codes: Vec<_> = kept[0]["findings"].as_array().unwrap().iter().map(|found| found["code"].clone()).collect();
    assert_eq!(codes, ["not-a-statement"], "the announced widening is a notice");
}

#[test]
fn a_webhook_that_nobody_can_tell_is_refused_at_the_start() {
    let world = World::new();
    for url in ["ftp://alerts.example/x", "alerts.example", "https://user:secret@alerts.example/x", ""] {
        let alerts = Alerts { command: None, webhook: Some(url.into()), mail: None, from: Severity::Warning };
        let config = Config { alerts: Some(alerts), ..world.config(vec![world.log.source()], &[]) };
        let refused = Monitor::open(config).unwrap_err().to_string();
        assert!(refused.starts_with("the webhook can't be told: "), "{refused}");
    }
}

#[tokio::test]
async fn who_can_not_be_told_is_an_error_and_is_told_later_even_after_a_restart() {
    let world = broken();
    let failing = told(StatusCode::INTERNAL_SERVER_ERROR).await.0;
    for (command, webhook, words) in [
        (None, Some(failing.as_str()), "the webhook could not be told"),
        (None, Some("http://127.0.0.1:1/x"), "the webhook could not be told"),
        (Some("/nowhere/program"), None, "can't be run"),
        (Some("/bin/false"), None, "failed"),
    ] {
        let mut monitor = telling(&world, |alerts| {
            (alerts.command, alerts.webhook) = (command.map(Into::into), webhook.map(Into::into));
        });
        monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
        let failed: Vec<String> = monitor.tell().await.iter().map(ToString::to_string).collect();
        assert!(failed.len() == 1 && failed[0].contains(words), "{failed:?}");
        drop(monitor);
        let (url, kept) = told(StatusCode::OK).await;
        let monitor = telling(&world, |alerts| {
            alerts.command = command.map(|_| "/bin/true".into());
            alerts.webhook = webhook.map(|_| url);
        });
        assert!(monitor.tell().await.is_empty());
        assert_eq!(kept.lock().unwrap().len(), usize::from(webhook.is_some()), "without another look");
        drop(monitor);
        std::fs::remove_dir_all(world.path("data")).unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_gets_the_findings_on_its_standard_input() {
    use std::os::unix::fs::PermissionsExt;
    let world = broken();
    let (program, told) = (world.path("tell"), world.path("told.json"));
    std::fs::write(&program, format!("#!/bin/sh\ncat > '{}'\n", told.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut monitor = telling(&world, |alerts| alerts.command = Some(program));
    monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
    assert!(monitor.tell().await.is_empty());
    let told: serde_json::Value = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
    assert_eq!(told["findings"][0]["code"], "not-a-statement");
}

/// Mail over a real SMTP server, in each of the ways in which the connection is protected.
#[tokio::test]
async fn mail_is_sent_over_tls_starttls_and_in_clear_to_this_machine() {
    for (security, offered) in
        [(Security::Tls, Offered::Tls), (Security::StartTls, Offered::StartTls), (Security::None, Offered::Nothing)]
    {
        let world = broken();
        let server = MailServer::start(offered).await;
        let mut monitor = telling(&world, |alerts| alerts.mail = Some(server.mail(&world, security)));
        monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
        let failed = monitor.tell().await;
        assert!(failed.is_empty(), "{security:?}: {failed:?}");
        let mail = server.taken().pop().unwrap();
        assert_eq!(mail.user.as_deref(), (security != Security::None).then_some("monitor hunter2"));
        assert_eq!((mail.from.as_str(), mail.to), ("monitor@auditor.example", vec!["desk@auditor.example".to_owned()]));
        assert!(mail.text.contains("Subject: log.example/isonomy: 1 breach\r\n"), "{}", mail.text);
        assert!(mail.text.contains("not-a-statement"), "{}", mail.text);
    }
}

#[tokio::test]
async fn nothing_is_sent_to_a_mail_server_that_is_not_the_right_one_or_offers_no_protection() {
    let world = broken();
    for (security, offered, words) in [
        (Security::StartTls, Offered::Nothing, "STARTTLS"),
        (Security::Tls, Offered::ForeignTls, "certificate"),
        (Security::StartTls, Offered::ForeignStartTls, "certificate"),
        (Security::None, Offered::Refusal, "not today"),
    ] {
        let server = MailServer::start(offered).await;
        let mut monitor = telling(&world, |alerts| alerts.mail = Some(server.mail(&world, security)));
        monitor.poll_at(START.plus(3 * HOUR)).await.unwrap();
        let failed: Vec<String> = monitor.tell().await.iter().map(ToString::to_string).collect();
        assert!(failed.len() == 1 && failed[0].contains(words), "{offered:?}: {failed:?}");
        assert!(!failed[0].contains("hunter2") && server.taken().is_empty());
        drop(monitor);
        std::fs::remove_dir_all(world.path("data")).unwrap();
    }
}

#[tokio::test]
async fn a_mail_server_that_never_answers_holds_up_no_look() {
    let mut world = fresh();
    world.log.append("no statement\n");
    world.log.publish(ago(60));
    let server = MailServer::start(Offered::Silence).await;
    let mail = server.mail(&world, Security::None);
    let alerts = Alerts { command: None, webhook: None, mail: Some(mail), from: Severity::Warning };
    let log = Followed { sources: vec![world.log.source()], ..Followed::new(policy(&[])) };
    let running = Running::watching(Watch {
        logs: vec![log],
        alerts: Some(alerts),
        poll_every: std::time::Duration::from_secs(1),
        ..Watch::new(world.path("data"), policy(&[]))
    })
    .await;
    running.report_with("not-a-statement").await;
    server.was_called().await;
    // While it is waited for, the log goes on and is looked at.
    world.log.append("no statement either\n");
    world.log.publish(ago(30));
    running.report_with("\"read\": 6").await;
    running.stop().await;
}

/// Content may take long to come, or never come: what was read before is told meanwhile.
#[tokio::test]
async fn nobody_waits_for_content_to_be_told_of_what_was_read() {
    let mut world = fresh();
    world.log.append("no statement\n");
    world.log.publish(ago(60));
    let (url, kept) = told(StatusCode::OK).await;
    let never = || std::future::pending::<StatusCode>();
    let serve = tower_http::services::ServeDir::new(&world.log.path);
    let router = Router::new().route("/object/{*rest}", axum::routing::get(never)).fallback_service(serve);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = Source::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let log = Followed { sources: vec![source], ..Followed::new(policy(&[])) };
    let alerts = Alerts { command: None, webhook: Some(url), mail: None, from: Severity::Warning };
    let watch = Watch { logs: vec![log], alerts: Some(alerts), ..Watch::new(world.path("data"), policy(&[])) };
    let running = Running::watching(watch).await;
    let report = running.report_with("not-a-statement").await;
    assert!(report.contains("\"state\": \"unchecked\"") && !report.contains("\"state\": \"unavailable\""), "{report}");
    // The next look would be a minute later.
    while kept.lock().unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(kept.lock().unwrap()[0]["findings"][0]["code"], "not-a-statement");
    assert!(!running.get("/report.json").await.body.contains("\"state\": \"unavailable\""));
    running.stop().await;
}
