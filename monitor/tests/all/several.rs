//! Several logs in one monitor: each is followed by itself, whatever the others do.

use crate::serving::{Running, ago, fresh};
use crate::world::*;
use axum::Router;
use isonomy_core::note::{KeyType, SigningKey};
use isonomy_core::policy::Policy;
use isonomy_fetch::Source;
use isonomy_monitor::{Followed, Monitor, MonitorError, Watch, WatchError, folder, watch};
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpListener;

/// A policy for a log of another name, with the same witnesses.
pub(crate) fn policy_of(name: &str) -> Policy {
    let text = String::from_utf8(policy(&[]).to_text()).unwrap();
    let log = text.lines().find(|line| line.starts_with("log ")).unwrap();
    Policy::parse(text.replace(log, &format!("log {}", other_key(name).verifier())).as_bytes()).unwrap()
}

fn other_key(name: &str) -> SigningKey {
    let seed = isonomy_core::hash::sha256(&[b"other ", name.as_bytes()]);
    SigningKey::from_seed(name, KeyType::Ed25519, &seed).unwrap()
}

pub(crate) fn followed(policy: Policy, source: Source) -> Followed {
    Followed { sources: vec![source], ..Followed::new(policy) }
}

/// A server that takes connections and never says anything.
async fn silent() -> (TcpListener, Source) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = Source::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    (listener, source)
}

/// Serves endless nonsense under every name.
async fn hostile() -> Source {
    let flood = || async {
        axum::body::Body::from_stream(futures_util::stream::repeat_with(|| {
            Ok::<_, std::io::Error>([b'x'; 4096].to_vec())
        }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = Source::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(flood)).await });
    source
}

#[tokio::test]
async fn an_honest_log_is_followed_beside_one_that_is_hostile_and_one_that_never_answers() {
    let mut world = fresh();
    let ((_listener, silence), (_other, named_alike)) = (silent().await, silent().await);
    let watch = Watch {
        logs: vec![
            followed(policy_of("hostile.example/log"), hostile().await),
            followed(policy_of("silent.example/log"), silence),
            followed(policy(&[]), world.log.source()),
            followed(policy_of(ORIGIN), named_alike),
        ],
        poll_every: Duration::from_secs(1),
        ..Watch::new(world.path("data"), policy(&[]))
    };
    let running = Running::watching(watch).await;
    let alike = folder::name(other_key(ORIGIN).verifier());
    let [hostile, silent, honest] = [other_key("hostile.example/log"), other_key("silent.example/log"), log_key()]
        .map(|key| folder::name(key.verifier()));
    // The honest log goes on, and is followed, while nothing comes from the silent one.
    running.until(&format!("/logs/{honest}/report.json"), "\"state\": \"verified\"").await;
    world.log.append("no statement\n");
    world.log.publish(ago(60));
    running.until(&format!("/logs/{honest}/report.json"), "not-a-statement").await;
    running.until(&format!("/logs/{hostile}/report.json"), "unusable-view").await;
    assert!(
        running.get(&format!("/logs/{silent}/report.json")).await.body.contains("\"not-asked\""),
        "its look goes on"
    );

    // The overview shows all three, and each thing with its log.
    let overview = running.get("/").await.body;
    for (name, words) in [(&hostile, "hostile.example/log"), (&silent, "not read yet"), (&honest, "1 breach")] {
        assert!(overview.contains(&format!("href=\"/logs/{name}\"")) && overview.contains(words), "{overview}");
    }
    assert!(overview.contains(&format!("href=\"/logs/{honest}/list/{LIST}\"")), "{overview}");
    assert!(running.get("/findings").await.body.contains("hostile.example/log"));
    let feed = running.get("/findings.atom").await.body;
    assert!(
        feed.contains(&format!("href=\"/logs/{honest}/findings#")) && feed.contains("Findings about 4 logs"),
        "{feed}"
    );
    let metrics = running.get("/metrics").await.body;
    for log in ["hostile.example/log", "silent.example/log", ORIGIN] {
        assert!(metrics.contains(&format!("isonomy_monitor_findings{{log=\"{log}\",log_key=")), "{metrics}");
    }
    let figures = || metrics.lines().filter(|line| !line.starts_with('#')).map(|line| line.rsplit_once(' ').unwrap().0);
    let labels: std::collections::BTreeSet<&str> = figures().collect();
    assert_eq!(labels.len(), figures().count(), "each stands once: {metrics}");
    assert_eq!(metrics.matches("# TYPE isonomy_monitor_findings gauge").count(), 1, "{metrics}");
    let logs: Value = serde_json::from_str(&running.get("/logs.json").await.body).unwrap();
    let names: Vec<_> = logs["logs"].as_array().unwrap().iter().map(|log| log["name"].as_str().unwrap()).collect();
    assert_eq!(names, [&hostile, &silent, &honest, &alike]);
    assert_eq!(logs["logs"][2]["lists"][0], LIST);

    // Every link of the log's pages leads to a page of the same log.
    for path in ["", "/findings", "/log", "/entry/1", "/verify", &format!("/list/{LIST}")] {
        let page = running.get(&format!("/logs/{honest}{path}")).await;
        assert_eq!(page.status, 200, "{path}");
        for link in page.body.split("href=\"/").skip(1).map(|rest| rest.split(['"', '#']).next().unwrap()) {
            let is_shared = ["", "openapi.json"].contains(&link);
            assert!(is_shared || link.starts_with(&format!("logs/{honest}")), "{path}: {link}");
            assert_eq!(running.get(&format!("/{link}")).await.status, 200, "{path}: {link}");
        }
    }
    let found: Value = serde_json::from_str(&running.get("/findings.json").await.body).unwrap();
    let about: Vec<_> = found["logs"].as_array().unwrap().iter().map(|log| log["name"].as_str().unwrap()).collect();
    assert_eq!(about, [&hostile, &silent, &honest, &alike]);
    assert_eq!(found["logs"][2]["findings"]["summary"]["breaches"], 1);
    assert!(running.get("/findings").await.body.contains("href=\"/findings.json\""));
    let verify = running.get(&format!("/logs/{honest}/verify")).await;
    assert!(verify.head.contains("script-src 'self';") && !running.get("/verify").await.head.contains("script-src"));

    // What was brought is compared with the log that signed it; links from before there were several lead to the first.
    let shown = world.log.checkpoint(&[0, 1, 2], ago(50));
    assert_eq!(running.post("/view", &shown.to_bytes()).await.status, 202);
    assert_eq!(running.post("/view", b"nonsense").await.status, 400);
    let moved = running.get("/entry?index=3").await;
    assert!(
        moved.status == 307 && moved.head.contains(&format!("location: /logs/{hostile}/entry?index=3")),
        "{}",
        moved.head
    );
    let slash = running.get(&format!("/logs/{honest}/")).await;
    assert!(slash.status == 308, "{}", slash.head);
    for missing in ["/logs/nobody", "/logs/nobody/", "/logs/%0d%0aX/", "/logs/a%00b/", "/logs/nobody/findings"] {
        assert_eq!(running.get(missing).await.status, 404, "{missing}");
    }
    running.stop().await;
}

#[tokio::test]
async fn one_look_at_each_log_gives_a_report_of_each() {
    let world = World::new();
    let honest = followed(policy(&[]), world.log.source());
    let away = followed(policy_of("away.example/log"), Source::folder(world.path("nowhere")));
    let watch = Watch { logs: vec![away, honest], ..Watch::new(world.path("data"), policy(&[])) };
    let looked = watch::look_once(watch).await.unwrap();
    assert!(looked.failures.is_empty());
    let found: Vec<_> = looked.reports.iter().map(|report| (report.log.origin.as_str(), report.log.read)).collect();
    assert_eq!(found, [("away.example/log", 0), (ORIGIN, 3)]);
}

#[tokio::test]
async fn reports_of_all_logs_are_given_until_the_end() {
    let world = World::new();
    let away = followed(policy_of("away.example/log"), Source::folder(world.path("nowhere")));
    let logs = vec![followed(policy(&[]), world.log.source()), away];
    let watch = Watch { logs, poll_every: Duration::from_millis(10), ..Watch::new(world.path("data"), policy(&[])) };
    let mut origins = std::collections::BTreeSet::new();
    let (mut counter, enough) = (0, "enough");
    let ended = watch::follow(watch, std::future::pending(), |report| {
        origins.insert(report.log.origin.clone());
        counter += 1;
        if origins.len() == 2 && counter > 4 { Err(enough) } else { Ok(()) }
    });
    assert_eq!(ended.await.unwrap(), Err(enough));
}

#[tokio::test]
async fn what_a_monitor_of_one_log_has_kept_is_moved_and_known() {
    let world = World::new();
    let before = world.monitor().poll_once().await.unwrap();
    std::fs::rename(&world.log.path, world.path("gone")).unwrap();
    let watch = || Watch {
        logs: vec![followed(policy(&[]), world.log.source())],
        ..Watch::new(world.path("data"), policy(&[]))
    };
    for _ in 0..2 {
        let looked = watch::look_once(watch()).await.unwrap();
        assert_eq!((looked.reports[0].log.size, looked.reports[0].log.read), (before.log.size, 3));
    }
    assert!(!world.path("data/log").exists() && !world.path("data/mirror").exists());
    let place = folder::of_log(&world.path("data"), log_key().verifier()).unwrap();
    assert!(place.join("mirror/checkpoint").exists());
    // While another monitor runs in it, it stays where it is.
    std::fs::rename(&place, world.path("old")).unwrap();
    std::fs::rename(world.path("old"), world.path("data/old")).unwrap();
    let config = isonomy_monitor::Config::new(world.path("data/old"), policy(&[]));
    let config = isonomy_monitor::Config { sources: vec![world.log.source()], ..config };
    let _running = Monitor::open(config).unwrap();
    let watch = Watch { data: world.path("data/old"), ..watch() };
    assert!(matches!(watch::look_once(watch).await, Err(WatchError::Monitor(MonitorError::File(_)))));
}

#[tokio::test]
async fn a_policy_of_several_logs_follows_each_and_none_twice() {
    let world = World::new();
    let text = String::from_utf8(policy(&[]).to_text()).unwrap();
    let both = format!("log {} http://127.0.0.1:1/\n{}", other_key("away.example/log").verifier(), text);
    let both = both.replace(
        &format!("log {}\n", log_key().verifier()),
        &format!("log {} http://127.0.0.1:2/\n", log_key().verifier()),
    );
    let both = Policy::parse(both.as_bytes()).unwrap();
    let looked = watch::look_once(Watch::new(world.path("data"), both.clone())).await.unwrap();
    let origins: Vec<_> = looked.reports.iter().map(|report| report.log.origin.as_str()).collect();
    assert_eq!(origins, ["away.example/log", ORIGIN]);
    let refused = async |logs: Vec<Followed>| {
        let watch = Watch { logs, ..Watch::new(world.path("data"), both.clone()) };
        watch::look_once(watch).await.unwrap_err().to_string()
    };
    let sources = followed(both.clone(), world.log.source());
    assert!(refused(vec![sources]).await.contains("names several logs"));
    let twice = [policy(&[]), policy(&[])].map(|policy| followed(policy, world.log.source()));
    assert!(refused(twice.into()).await.contains("named twice"));
    assert!(refused(vec![]).await.contains("no log is named"));
}
