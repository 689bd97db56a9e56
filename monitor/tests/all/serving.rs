//! The page and what is beside it.

use crate::world::*;
use isonomy_core::encoding::to_base64;
use isonomy_core::hash::sha256;
use isonomy_core::time::Timestamp;
use isonomy_verifier::Evidence;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running monitor.
pub(crate) struct Running {
    pub(crate) address: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), isonomy_monitor::ServeError>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Running {
    pub(crate) async fn start(world: &World, sources: Vec<isonomy_fetch::Source>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let config = world.config(sources, &[]);
        let shutdown = async { drop(stopped.await) };
        let server = tokio::spawn(isonomy_monitor::run(listener, config, shutdown));
        Self { address, stop, server }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: monitor.example\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The page, once a look was complete.
    pub(crate) async fn page(&self) -> String {
        for _ in 0..200 {
            let report = self.get("/report.json").await.body;
            let checked = report.contains("\"state\": \"verified\"") && !report.contains("\"state\": \"unchecked\"");
            if checked {
                return self.get("/").await.body;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no look was complete in time: {}", self.get("/report.json").await.body);
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.server.await.unwrap().unwrap();
    }
}

/// So many seconds before now, by the system's clock: the server has no other.
pub(crate) fn ago(seconds: u64) -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp(since.as_secs() - seconds)
}

/// A world whose last release is two minutes old.
pub(crate) fn fresh() -> World {
    let mut world = World::empty();
    world.log.charter(|_| ());
    world.log.publish(ago(3 * DAY));
    world.log.release(entries(0..10), ago(2 * DAY), |_| ());
    world.log.publish(ago(2 * DAY));
    world.log.charter(|charter| charter.limits.max_entries = 5000);
    world.log.publish(ago(DAY));
    let charter = world.log.first_charter();
    world.log.release(entries(2..400), ago(120), |release| release.charter = charter);
    world.log.publish(ago(100));
    world
}

#[tokio::test]
async fn the_page_shows_the_list_and_what_was_found() {
    let world = World::new();
    let running = Running::start(&world, vec![world.log.source()]).await;
    let page = running.page().await;
    for fact in [
        "<h1>log.example/isonomy</h1>",
        "hotline.example/images",
        "Test pictures &lt;script&gt;alert(1)&lt;/script&gt; &amp; more.",
        "Curator c1 (DE)",
        "2 of 2 curators, from at least 2 jurisdictions",
        "Widening the charter takes 7 days of public notice",
        "complaints@hotline.example. A wrong entry must go within 3 days.",
        "To show two histories",
        "at least 1 witness",
        "No breach found",
    ] {
        assert!(page.contains(fact), "{fact}");
    }
    for absent in ["<script", "http://", "https://", "src=", "style=\"", "onclick"] {
        assert!(!page.contains(absent), "{absent}");
    }
    let report = running.get("/report.json").await;
    assert!(report.head.contains("content-type: application/json"));
    assert!(report.body.contains("\"report\": \"isonomy/monitor-report/v1\""));
    running.stop().await;
}

#[tokio::test]
async fn a_breach_is_on_the_page_with_its_evidence() {
    let mut world = World::new();
    let mut other = world.log.split(world.path("other"));
    other.append("another history\n");
    other.publish(START.plus(3 * HOUR));
    world.log.append("something\n");
    world.log.publish(START.plus(3 * HOUR));
    let running = Running::start(&world, vec![world.log.source(), other.source()]).await;
    let page = running.page().await;
    assert!(page.contains("2 breaches of the rules") && page.contains("<span class=\"mark breach\">Breach</span>"));
    let (_, after) = page.split_once("href=\"evidence/").unwrap();
    let name = after.split('"').next().unwrap();
    let file = running.get(&format!("/evidence/{name}")).await;
    assert!(file.status == 200 && file.head.contains("immutable"));
    Evidence::parse(file.body.as_bytes()).unwrap().verify(&policy(&[])).unwrap();
    for missing in [format!("/evidence/{}.json", "0".repeat(64)), "/evidence/..%2Flog".into(), "/data".into()] {
        assert_eq!(running.get(&missing).await.status, 404, "{missing}");
    }
    running.stop().await;
}

#[tokio::test]
async fn nothing_but_the_page_s_own_style_is_allowed() {
    let world = World::new();
    let running = Running::start(&world, vec![world.log.source()]).await;
    for path in ["/", "/report.json", "/healthz", "/nowhere"] {
        let answer = running.get(path).await;
        for header in [
            "content-security-policy: default-src 'none'; style-src 'sha256-",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            assert!(answer.head.contains(header), "{path}: {header}\n{}", answer.head);
        }
        assert!(!answer.head.contains("set-cookie"));
    }
    let page = running.get("/").await;
    let (_, style) = page.body.split_once("<style>").unwrap();
    let digest = sha256(&[style.split("</style>").next().unwrap().as_bytes()]);
    assert!(page.head.contains(&format!("style-src 'sha256-{}';", to_base64(&digest))));
    assert_eq!(running.get("/healthz").await.body, "ok\n");
    running.stop().await;
}
